/*
 * The steps of a sink for Avro:
 *
 *     prepare   any thread  batch -> rows, cut into pieces of 128 KiB
 *     sequence  in order    a last piece that is not full waits for the rows that follow
 *     encode    any thread  pieces compressed; without a codec they stay where they are
 *     commit    in order    the header, once; for each piece its numbers, data and the marker
 *
 * So blocks have half the size that is wanted at the least, however small batches are. The marker
 * is a hash of the header and the first blocks: it can't be known before these, and the header
 * waits for them.
 *
 *     rows of a batch   | piece | piece | pie-|
 *     of the next one                         | -ce | piece | piece |
 *     blocks            | block | block |    block  | block | block |
 */
#include "avro/avro_sink.h"

#include <string.h>

#include "avro/avro_container.h"
#include "avro/avro_encoder.h"
#include "avro/avro_make.h"
#include "avro/avro_pack.h"
#include "avro/avro_source.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"

enum { PIECE_NBYTES = 128 << 10 };

/* The number of rows in front of a block and that of its bytes. */
enum { NUMBERS_NBYTES = 20 };

struct item {
    struct stoa_avro_rows rows;
    struct stoa_avro_rows before; /* what waited for them: a piece or none, */
    bool joins;                   /* of one block with their first */
    uint64_t nrows;               /* of the batch */
    enum stoa_status status; /* of its rows: only commit, which sees all of them, knows which */
    struct stoa_error err;
};

struct avro_sink {
    struct stoa_batch_sink base;
    struct stoa_sink *sink;
    struct stoa_avro_write_options options;
    const struct stoa_avro_packer *packer;
    struct stoa_avro_schema schema;
    struct stoa_avro_encoder encoder;
    struct stoa_buffer head; /* the header without its marker; empty once it is written */
    uint8_t marker[STOA_AVRO_SYNC_NBYTES];
    bool has_head;              /* it is written */
    struct stoa_avro_rows held; /* what waits, in one piece or none */
    uint64_t nrows;             /* committed */
};

static struct avro_sink *sink_of(struct stoa_batch_sink *base)
{
    return (struct avro_sink *)base;
}

static void item_free(struct stoa_batch_sink *base, void *freed)
{
    struct item *item = freed;

    (void)base;
    if (item == NULL)
        return;
    stoa_avro_rows_reset(&item->rows);
    stoa_avro_rows_reset(&item->before);
    stoa_free(item);
}

/* ---- Header ---- */

static enum stoa_status put_long(struct stoa_buffer *out, int64_t value, struct stoa_error *err)
{
    uint8_t bytes[10];

    return stoa_buffer_append(out, bytes, (size_t)(stoa_avro_put_long(bytes, value) - bytes), err);
}

static enum stoa_status put_bytes(struct stoa_buffer *out, const void *bytes, size_t nbytes,
                                  struct stoa_error *err)
{
    enum stoa_status st = put_long(out, (int64_t)nbytes, err);

    return st == STOA_OK ? stoa_buffer_append(out, bytes, nbytes, err) : st;
}

/* The name in its file of a pair that was kept; NULL for others, and for those that Avro keeps. */
static const char *key_of(const struct stoa_keyvalue *kept, bool *is_text)
{
    static const char text[] = STOA_AVRO_METADATA_TEXT, base64[] = STOA_AVRO_METADATA_BASE64;
    const char *key = kept->key;

    *is_text = strncmp(key, text, strlen(text)) == 0;
    if (!*is_text && strncmp(key, base64, strlen(base64)) != 0)
        return NULL;
    key += *is_text ? strlen(text) : strlen(base64);
    return strncmp(key, "avro.", 5) == 0 ? NULL : key;
}

/* Whether one of the first npairs was kept under this name, too. */
static bool is_there(const struct stoa_metadata *metadata, uint32_t npairs, const char *key)
{
    bool is_text;

    for (uint32_t i = 0; i < npairs; i++) {
        const char *other = key_of(&metadata->pairs[i], &is_text);

        if (other != NULL && strcmp(other, key) == 0)
            return true;
    }
    return false;
}

/* Pair i, if it is one of the file's own metadata that was kept; *npairs counts it then. */
static enum stoa_status put_kept(struct stoa_buffer *out, const struct stoa_metadata *metadata,
                                 uint32_t i, int64_t *npairs, struct stoa_error *err)
{
    const struct stoa_keyvalue *kept = &metadata->pairs[i];
    bool is_text;
    const char *key = key_of(kept, &is_text);
    const size_t nbytes = strlen(kept->value);
    char shown[80];
    uint8_t *bytes = NULL;
    size_t n = 0;
    enum stoa_status st = STOA_OK;

    if (key == NULL || is_there(metadata, i, key))
        return STOA_OK;
    STOA_TRY(put_bytes(out, key, strlen(key), err));
    if (is_text) {
        STOA_TRY(put_bytes(out, kept->value, nbytes, err));
    } else {
        STOA_TRY(stoa_alloc(&bytes, nbytes, err));
        if (!stoa_base64_decode(kept->value, nbytes, bytes, &n)) {
            st = stoa_fail(err, STOA_ERR_USAGE, "metadata \"%s\" is no base64",
                           stoa_quote(shown, sizeof(shown), kept->key, strlen(kept->key)));
            goto out;
        }
        STOA_TRY(put_bytes(out, bytes, n, err));
    }
    ++*npairs;
out:
    stoa_free(bytes);
    return st;
}

/* Magic and metadata: the schema, the codec, what was kept of another file. */
static enum stoa_status put_head(struct avro_sink *sink, const struct stoa_schema *columns,
                                 const struct stoa_buffer *schema, struct stoa_error *err)
{
    struct stoa_buffer pairs = {0};
    int64_t npairs = 2;
    enum stoa_status st;

    STOA_TRY(put_bytes(&pairs, STOA_AVRO_METADATA_SCHEMA, strlen(STOA_AVRO_METADATA_SCHEMA), err));
    STOA_TRY(put_bytes(&pairs, schema->data, schema->nbytes, err));
    STOA_TRY(put_bytes(&pairs, STOA_AVRO_METADATA_CODEC, strlen(STOA_AVRO_METADATA_CODEC), err));
    STOA_TRY(put_bytes(&pairs, sink->packer->name, strlen(sink->packer->name), err));
    for (uint32_t i = 0; i < columns->metadata.npairs; i++)
        STOA_TRY(put_kept(&pairs, &columns->metadata, i, &npairs, err));
    STOA_TRY(stoa_buffer_append(&sink->head, STOA_AVRO_MAGIC, strlen(STOA_AVRO_MAGIC), err));
    STOA_TRY(put_long(&sink->head, npairs, err));
    STOA_TRY(stoa_buffer_append(&sink->head, pairs.data, pairs.nbytes, err));
    STOA_TRY(put_long(&sink->head, 0, err));
out:
    stoa_buffer_free(&pairs);
    return st;
}

/* ---- Blocks ---- */

/* The bytes of the first piece; pieces without any may have no memory. */
static const uint8_t *data_of(const struct stoa_avro_rows *rows)
{
    static const uint8_t none[1] = {0};

    return rows->bytes.data != NULL ? rows->bytes.data + rows->begin : none;
}

static size_t put_numbers(const struct stoa_avro_piece *piece, uint8_t out[NUMBERS_NBYTES])
{
    uint8_t *at = stoa_avro_put_long(out, (int64_t)piece->nrows);

    return (size_t)(stoa_avro_put_long(at, (int64_t)piece->nbytes) - out);
}

static void hash_blocks(struct stoa_hash128_stream *hash, const struct stoa_avro_rows *rows)
{
    const uint8_t *data = data_of(rows);
    uint8_t numbers[NUMBERS_NBYTES];

    for (size_t i = 0; i < rows->npieces; data += rows->pieces[i++].nbytes) {
        stoa_hash128_stream_update(hash, numbers, put_numbers(&rows->pieces[i], numbers));
        stoa_hash128_stream_update(hash, data, rows->pieces[i].nbytes);
    }
}

/* A marker that nobody foresees, or one that follows from header and blocks. */
static enum stoa_status make_marker(struct avro_sink *sink, const struct stoa_avro_rows *before,
                                    const struct stoa_avro_rows *rows, struct stoa_error *err)
{
    struct stoa_hash128_stream *hash;
    enum stoa_status st = stoa_hash128_stream_new(&hash, err);
    uint64_t seed;

    if (st != STOA_OK)
        return st;
    stoa_hash128_stream_update(hash, sink->head.data, sink->head.nbytes);
    hash_blocks(hash, before);
    hash_blocks(hash, rows);
    for (unsigned i = 0; sink->options.random_sync && i < 2; i++) {
        seed = stoa_hash_make_seed();
        stoa_hash128_stream_update(hash, &seed, sizeof(seed));
    }
    stoa_hash128_stream_digest(hash, sink->marker);
    stoa_hash128_stream_free(hash);
    return STOA_OK;
}

/* Writes the header, if it is not there yet; behind it come the first blocks. */
static enum stoa_status begin(struct avro_sink *sink, const struct stoa_avro_rows *before,
                              const struct stoa_avro_rows *rows, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    if (sink->has_head)
        return STOA_OK;
    STOA_TRY(make_marker(sink, before, rows, err));
    STOA_TRY(stoa_buffer_append(&sink->head, sink->marker, sizeof(sink->marker), err));
    STOA_TRY(sink->sink->write(sink->sink, sink->head.data, sink->head.nbytes, err));
    stoa_buffer_free(&sink->head);
    sink->has_head = true;
out:
    return st;
}

/* Compresses pieces one by one. */
static enum stoa_status pack_rows(const struct avro_sink *sink, struct stoa_avro_rows *rows,
                                  struct stoa_error *err)
{
    const uint8_t *data = data_of(rows);
    struct stoa_avro_pack *state = NULL;
    struct stoa_buffer packed = {0};
    enum stoa_status st;

    if (sink->packer->pack == NULL || rows->npieces == 0)
        return STOA_OK;
    STOA_TRY(sink->packer->open(sink->options.level, &state, err));
    for (size_t i = 0; i < rows->npieces; i++) {
        struct stoa_avro_piece *piece = &rows->pieces[i];
        const size_t begun = packed.nbytes;

        STOA_TRY(sink->packer->pack(state, data, piece->nbytes, &packed, err));
        data += piece->nbytes;
        piece->nbytes = packed.nbytes - begun;
    }
    stoa_buffer_free(&rows->bytes);
    rows->bytes = packed;
    rows->begin = 0;
    packed = (struct stoa_buffer){0};
out:
    sink->packer->close(state);
    stoa_buffer_free(&packed);
    return st;
}

static enum stoa_status write_blocks(struct avro_sink *sink, const struct stoa_avro_rows *rows,
                                     struct stoa_error *err)
{
    struct stoa_sink *out = sink->sink;
    const uint8_t *data = data_of(rows);
    uint8_t numbers[NUMBERS_NBYTES];
    enum stoa_status st = STOA_OK;

    for (size_t i = 0; i < rows->npieces; data += rows->pieces[i++].nbytes) {
        STOA_TRY(out->write(out, numbers, put_numbers(&rows->pieces[i], numbers), err));
        STOA_TRY(out->write(out, data, rows->pieces[i].nbytes, err));
        STOA_TRY(out->write(out, sink->marker, sizeof(sink->marker), err));
    }
out:
    return st;
}

/* ---- Steps ---- */

static enum stoa_status prepare(struct stoa_batch_sink *base, uint64_t ordinal,
                                struct stoa_batch *batch, void **out, struct stoa_error *err)
{
    struct avro_sink *sink = sink_of(base);
    struct item *item = NULL;
    enum stoa_status st;

    (void)ordinal;
    STOA_TRY(stoa_alloc_zeroed(&item, 1, sizeof(*item), err));
    item->nrows = batch->nrows;
    item->status = stoa_avro_encode(&sink->encoder, batch, sink->options.block_nbytes, &item->rows,
                                    &item->err);
    if (item->status == STOA_ERR_NOMEM) {
        st = item->status;
        if (err != NULL)
            *err = item->err;
        goto out;
    }
    stoa_batch_reset(batch);
    *out = item;
    item = NULL;
out:
    item_free(base, item);
    return st;
}

/* Moves the first piece of rows behind what waits. */
static enum stoa_status move_first(struct stoa_avro_rows *waiting, struct stoa_avro_rows *rows,
                                   struct stoa_error *err)
{
    const struct stoa_avro_piece *first = &rows->pieces[0];
    enum stoa_status st;

    STOA_TRY(stoa_buffer_append(&waiting->bytes, rows->bytes.data, first->nbytes, err));
    waiting->pieces[0].nbytes += first->nbytes;
    waiting->pieces[0].nrows += first->nrows;
    waiting->pieces[0].nempty += first->nempty;
    rows->begin = first->nbytes;
    memmove(rows->pieces, rows->pieces + 1, --rows->npieces * sizeof(*rows->pieces));
out:
    return st;
}

/* Whether a block of so much is large enough. */
static bool is_full(const struct avro_sink *sink, size_t nbytes, uint64_t nempty)
{
    return nbytes >= sink->options.block_nbytes || nempty >= STOA_AVRO_MAX_PIECE_EMPTY;
}

/* Takes off a last piece that is not full, which others may join. */
static enum stoa_status hold_last(struct avro_sink *sink, struct stoa_avro_rows *rows,
                                  struct stoa_error *err)
{
    const struct stoa_avro_piece *last = &rows->pieces[rows->npieces - 1];
    struct stoa_avro_rows *held = &sink->held;
    enum stoa_status st = STOA_OK;

    if (is_full(sink, last->nbytes, last->nempty))
        return STOA_OK;
    STOA_TRY(stoa_reserve(&held->pieces, &held->pieces_capacity, 1, sizeof(*held->pieces), err));
    STOA_TRY(stoa_buffer_append(&held->bytes, rows->bytes.data + rows->bytes.nbytes - last->nbytes,
                                last->nbytes, err));
    held->pieces[held->npieces++] = *last;
    rows->bytes.nbytes -= last->nbytes;
    rows->npieces--;
out:
    return st;
}

/*
 * What waits goes in front of the rows, as a block of its own where it would be too large with the
 * first piece; or, if that makes no full one, waits on with it.
 */
static enum stoa_status sequence(struct stoa_batch_sink *base, void *sequenced,
                                 struct stoa_error *err)
{
    struct avro_sink *sink = sink_of(base);
    struct stoa_avro_rows *held = &sink->held;
    struct item *item = sequenced;
    const size_t full = sink->options.block_nbytes;
    size_t together;
    enum stoa_status st = STOA_OK;

    if (item->status != STOA_OK || item->rows.npieces == 0) /* nothing follows an error */
        return STOA_OK;
    if (held->npieces > 0) {
        together = held->bytes.nbytes + item->rows.pieces[0].nbytes;
        if (item->rows.npieces == 1 &&
            !is_full(sink, together, held->pieces[0].nempty + item->rows.pieces[0].nempty)) {
            STOA_TRY(move_first(held, &item->rows, err));
            return STOA_OK;
        }
        item->joins = together <= full + full / 2 && together <= STOA_AVRO_MAX_PIECE_NBYTES;
        item->before = *held;
        *held = (struct stoa_avro_rows){0};
    }
    if (item->rows.npieces > item->joins)
        STOA_TRY(hold_last(sink, &item->rows, err));
out:
    return st;
}

static enum stoa_status encode(struct stoa_batch_sink *base, void *encoded, struct stoa_error *err)
{
    struct avro_sink *sink = sink_of(base);
    struct item *item = encoded;
    enum stoa_status st = STOA_OK;

    if (item->status != STOA_OK)
        return STOA_OK;
    if (item->joins)
        STOA_TRY(move_first(&item->before, &item->rows, err));
    STOA_TRY(pack_rows(sink, &item->before, err));
    STOA_TRY(pack_rows(sink, &item->rows, err));
out:
    return st;
}

static enum stoa_status commit(struct stoa_batch_sink *base, void *committed,
                               struct stoa_error *err)
{
    struct avro_sink *sink = sink_of(base);
    struct item *item = committed;
    enum stoa_status st = item->status;

    if (st != STOA_OK) {
        st = stoa_fail_row(&item->err, item->status, sink->nrows, err);
        goto out;
    }
    if (item->before.npieces + item->rows.npieces > 0)
        STOA_TRY(begin(sink, &item->before, &item->rows, err));
    STOA_TRY(write_blocks(sink, &item->before, err));
    STOA_TRY(write_blocks(sink, &item->rows, err));
out:
    sink->nrows += item->nrows;
    item_free(base, item);
    return st;
}

static enum stoa_status finish(struct stoa_batch_sink *base, struct stoa_error *err)
{
    static const struct stoa_avro_rows none = {0};
    struct avro_sink *sink = sink_of(base);
    enum stoa_status st;

    STOA_TRY(pack_rows(sink, &sink->held, err));
    STOA_TRY(begin(sink, &sink->held, &none, err)); /* also of a file without rows */
    STOA_TRY(write_blocks(sink, &sink->held, err));
out:
    return st;
}

static void close_sink(struct stoa_batch_sink *base)
{
    struct avro_sink *sink = sink_of(base);

    stoa_avro_rows_reset(&sink->held);
    stoa_buffer_free(&sink->head);
    stoa_avro_encoder_reset(&sink->encoder);
    stoa_avro_schema_reset(&sink->schema);
    stoa_free(sink);
}

/* A codec by its name, and whether it has the level that is asked for. */
static enum stoa_status find_codec(const char *name, const struct stoa_avro_write_options *options,
                                   const struct stoa_avro_packer **out, struct stoa_error *err)
{
    const struct stoa_avro_packer *packer = stoa_avro_packer_find(name, strlen(name));
    char shown[80];

    if (packer == NULL)
        return stoa_fail(err, STOA_ERR_USAGE, "there is no codec \"%s\": it is %s",
                         stoa_quote(shown, sizeof(shown), name, strlen(name)),
                         stoa_avro_packer_names);
    if (options->has_level && packer->max_level == 0)
        return stoa_fail(err, STOA_ERR_USAGE, "the codec %s has no levels", packer->name);
    if (options->has_level &&
        (options->level < packer->min_level || options->level > packer->max_level))
        return stoa_fail(err, STOA_ERR_USAGE, "the levels of the codec %s are %d to %d",
                         packer->name, packer->min_level, packer->max_level);
    *out = packer;
    return STOA_OK;
}

enum stoa_status stoa_avro_check_codec(const struct stoa_avro_write_options *options,
                                       struct stoa_error *err)
{
    const struct stoa_avro_packer *packer;

    return options->codec != NULL ? find_codec(options->codec, options, &packer, err) : STOA_OK;
}

/* The codec that is asked for, or the one that the rows came in, or deflate. */
static enum stoa_status choose_codec(struct avro_sink *sink, const struct stoa_schema *columns,
                                     struct stoa_error *err)
{
    const char *kept = stoa_metadata_get(&columns->metadata, STOA_AVRO_METADATA_CODEC);
    const char *name = sink->options.codec;
    enum stoa_status st;

    if (name == NULL && kept != NULL && stoa_avro_packer_find(kept, strlen(kept)) != NULL)
        name = kept;
    STOA_TRY(find_codec(name != NULL ? name : "deflate", &sink->options, &sink->packer, err));
    if (!sink->options.has_level)
        sink->options.level = sink->packer->default_level;
out:
    return st;
}

enum stoa_status stoa_avro_sink_open(struct stoa_sink *sink, const struct stoa_schema *columns,
                                     const char *name,
                                     const struct stoa_avro_write_options *options,
                                     struct stoa_batch_sink **out, struct stoa_error *err)
{
    struct stoa_buffer schema = {0};
    struct avro_sink *mine = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&mine, 1, sizeof(*mine), err));
    mine->base = (struct stoa_batch_sink){.prepare = prepare,
                                          .sequence = sequence,
                                          .encode = encode,
                                          .commit = commit,
                                          .item_free = item_free,
                                          .finish = finish,
                                          .close = close_sink};
    mine->sink = sink;
    mine->options = *options;
    if (mine->options.block_nbytes == 0)
        mine->options.block_nbytes = PIECE_NBYTES;
    STOA_TRY(choose_codec(mine, columns, err));
    STOA_TRY(stoa_avro_make_schema(columns, name, &schema, NULL, err));
    STOA_TRY(stoa_avro_schema_parse((char *)schema.data, schema.nbytes, &mine->schema, err));
    STOA_TRY(stoa_avro_encoder_init(&mine->encoder, &mine->schema, columns, err));
    STOA_TRY(put_head(mine, columns, &schema, err));
    *out = &mine->base;
    mine = NULL;
out:
    stoa_buffer_free(&schema);
    if (mine != NULL)
        close_sink(&mine->base);
    return st;
}
