/*
 * Avro files as units (spec/avro.md, "Units").
 *
 *     block block block | block block | large block ...
 *     unit                unit          unit unit unit
 *
 * A unit is some blocks as they are stored, up to the rows of a row group and 4 MiB, of compressed
 * ones 32 and 512 KiB; any thread decompresses and decodes them. What a unit is follows from the
 * heads of blocks alone, so the batches are the same for any number of threads. A block that is
 * larger than a unit is decoded where it is read, in order, and each of its units is rows that are
 * ready.
 */
#include "avro/avro_source.h"

#include <stoa/avro.h>

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "base/utf8.h"
#include "column/schema.h"

enum {
    LARGE_NBYTES = 4 << 20,
    /* Units of compressed blocks, which may become a lot more, are small. */
    PACKED_UNIT_NBYTES = LARGE_NBYTES / 8,
    PACKED_UNIT_NBLOCKS = 32,
    MAX_BLOCK_TEXT_NBYTES = 512 << 20, /* of what becomes of a block in memory, */
    MAX_UNIT_TEXT_NBYTES = 1 << 30,    /* and of all blocks of a unit */
    NAME_NBYTES = 256,
};

/* A schema text with what was made of it; files of one text share it. */
struct table {
    struct table *next;
    struct stoa_buffer text;
    struct stoa_avro_schema schema;
    struct stoa_avro_program program;
    bool is_prepared; /* the program is made, if of no operations; workers read it from then on */
};

struct stoa_avro_inputs {
    const char *const *paths;
    size_t npaths;
    size_t nopened;
    struct stoa_stream *stream; /* NULL: the last one opened is read through */
    struct stoa_avro_container file;
    struct table *tables; /* of the files so far, that of the last one first */
    char name[NAME_NBYTES];
    bool has_schema;                       /* one was given: */
    struct stoa_avro_schema given;         /* this one */
    const struct stoa_avro_schema *reader; /* what all are read as: it, or that of the first file */
    struct stoa_schema schema;             /* of its columns */
};

/* A block in a unit. */
struct piece {
    struct stoa_avro_block block;
    size_t begin; /* of its data in the unit's bytes */
};

struct unit {
    struct stoa_unit base;
    const struct table *table;
    const struct stoa_avro_codec *codec;
    struct stoa_buffer bytes;
    struct piece *pieces;
    size_t npieces;
    size_t pieces_capacity;
    struct stoa_batch batch; /* of a large block: ready */
    char name[NAME_NBYTES];
};

struct source {
    struct stoa_batch_source base;
    struct stoa_avro_source_options options;
    struct stoa_avro_inputs *inputs;
    struct stoa_schema schema;        /* of the batches */
    uint32_t *wanted;                 /* by column of the file, its place among these */
    struct stoa_avro_block pending;   /* a block whose head was read; nrows 0: none */
    struct stoa_avro_data large;      /* a large block on its way; `codec` NULL: none */
    struct stoa_avro_columns columns; /* of its rows */
    atomic_uint_fast64_t done_nbytes;
    uint64_t closed_nbytes;
    uint64_t total_nbytes;
};

/* ---- Inputs ---- */

static void free_tables(struct table *table)
{
    while (table != NULL) {
        struct table *next = table->next;

        stoa_buffer_free(&table->text);
        stoa_avro_program_reset(&table->program);
        stoa_avro_schema_reset(&table->schema);
        stoa_free(table);
        table = next;
    }
}

void stoa_avro_inputs_close(struct stoa_avro_inputs *inputs)
{
    if (inputs == NULL)
        return;
    stoa_avro_container_reset(&inputs->file);
    stoa_stream_close(inputs->stream);
    free_tables(inputs->tables);
    stoa_avro_schema_reset(&inputs->given);
    stoa_schema_reset(&inputs->schema);
    stoa_free(inputs);
}

const struct stoa_schema *stoa_avro_inputs_schema(const struct stoa_avro_inputs *inputs)
{
    return &inputs->schema;
}

/* Puts the name of the file in front, unless it is there. */
static enum stoa_status name_input(const struct stoa_avro_inputs *inputs, enum stoa_status st,
                                   struct stoa_error *err)
{
    if (st == STOA_OK || inputs->file.stream_failed)
        return st;
    return stoa_wrap(err, st, "%s", inputs->name);
}

/* The table of the file that is open: of an earlier one of the same text, or a new one. */
static enum stoa_status find_table(struct stoa_avro_inputs *inputs, struct stoa_error *err)
{
    const struct stoa_avro_container *file = &inputs->file;
    struct table *made = NULL;
    enum stoa_status st;

    for (struct table **at = &inputs->tables; *at != NULL; at = &(*at)->next) {
        struct table *table = *at;

        if (table->text.nbytes != file->schema_nbytes ||
            memcmp(table->text.data, file->schema, file->schema_nbytes) != 0)
            continue;
        *at = table->next;
        table->next = inputs->tables;
        inputs->tables = table;
        return STOA_OK;
    }
    STOA_TRY(stoa_alloc_zeroed(&made, 1, sizeof(*made), err));
    STOA_TRY(stoa_buffer_append(&made->text, file->schema, file->schema_nbytes, err));
    STOA_TRY(stoa_avro_schema_parse(file->schema, file->schema_nbytes, &made->schema, err));
    made->next = inputs->tables;
    inputs->tables = made;
    made = NULL;
out:
    free_tables(made);
    return st;
}

/* The bytes of a file, decompressed. */
static enum stoa_status open_stream(const char *path, struct stoa_stream **out,
                                    struct stoa_error *err)
{
    struct stoa_members *members = NULL;
    char shown[256];
    enum stoa_status st;

    STOA_TRY(stoa_members_open(path, &members, err));
    if (stoa_members_is_archive(members)) {
        st = stoa_fail(err, STOA_ERR_USAGE,
                       "%s: is an archive, in which Avro files are not read: unpack it first",
                       stoa_quote(shown, sizeof(shown), path, strlen(path)));
        goto out;
    }
    STOA_TRY(stoa_members_next(members, out, err));
out:
    stoa_members_close(members);
    return st;
}

static enum stoa_status open_next(struct stoa_avro_inputs *inputs, struct stoa_error *err)
{
    const char *path = inputs->paths[inputs->nopened++];
    enum stoa_status st;

    stoa_quote(inputs->name, sizeof(inputs->name), path, strlen(path));
    st = open_stream(path, &inputs->stream, err);
    if (st != STOA_OK)
        return st;
    stoa_avro_container_reset(&inputs->file);
    STOA_TRY(stoa_avro_container_open(&inputs->file, inputs->stream, err));
    STOA_TRY(find_table(inputs, err));
out:
    return name_input(inputs, st, err);
}

/* A key with what stands in front of it, a value as text or base64. */
static enum stoa_status keep_pair(struct stoa_metadata *metadata, const struct stoa_avro_pair *pair,
                                  struct stoa_error *err)
{
    const char *value = (const char *)pair->value;
    const bool is_text =
        stoa_utf8_valid_prefix(pair->value, pair->value_nbytes) == pair->value_nbytes &&
        memchr(value, 0, pair->value_nbytes) == NULL;
    const char *front = is_text ? STOA_AVRO_METADATA_TEXT : STOA_AVRO_METADATA_BASE64;
    struct stoa_buffer key = {0}, text = {0};
    enum stoa_status st;

    STOA_TRY(stoa_buffer_append(&key, front, strlen(front), err));
    STOA_TRY(stoa_buffer_append(&key, pair->key, pair->key_nbytes, err));
    STOA_TRY(stoa_buffer_append(&key, "", 1, err));
    if (is_text)
        STOA_TRY(stoa_buffer_append(&text, pair->value, pair->value_nbytes, err));
    else
        STOA_TRY(stoa_base64_append(&text, pair->value, pair->value_nbytes, err));
    STOA_TRY(stoa_buffer_append(&text, "", 1, err));
    STOA_TRY(stoa_metadata_set(metadata, (char *)key.data, (char *)text.data, err));
out:
    stoa_buffer_free(&key);
    stoa_buffer_free(&text);
    return st;
}

/* What belongs to Avro itself: the schema and the codec, which are kept by name, and the rest. */
static bool is_reserved(const struct stoa_avro_pair *pair)
{
    return pair->key_nbytes >= 5 && memcmp(pair->key, "avro.", 5) == 0;
}

static enum stoa_status keep_metadata(const struct stoa_avro_container *file, const char *schema,
                                      struct stoa_metadata *metadata, struct stoa_error *err)
{
    char *text = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_strndup(&text, schema != NULL ? schema : file->schema,
                          schema != NULL ? strlen(schema) : file->schema_nbytes, err));
    STOA_TRY(stoa_metadata_set(metadata, STOA_AVRO_METADATA_SCHEMA, text, err));
    STOA_TRY(stoa_metadata_set(metadata, STOA_AVRO_METADATA_CODEC, file->codec->name, err));
    for (size_t i = 0; i < file->npairs; i++)
        if (!is_reserved(&file->pairs[i]) &&
            memchr(file->pairs[i].key, 0, file->pairs[i].key_nbytes) == NULL)
            STOA_TRY(keep_pair(metadata, &file->pairs[i], err));
out:
    stoa_free(text);
    return st;
}

/* What all inputs are read as, and its columns. */
static enum stoa_status read_schema(struct stoa_avro_inputs *inputs, const char *schema,
                                    struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    if (schema != NULL)
        st = stoa_avro_schema_parse(schema, strlen(schema), &inputs->given, err);
    if (st != STOA_OK)
        return stoa_wrap(err, st, "the schema that was given");
    inputs->has_schema = schema != NULL;
    inputs->reader = inputs->has_schema ? &inputs->given : &inputs->tables->schema;
    st = stoa_avro_map_schema(inputs->reader, &inputs->schema, err);
    if (st == STOA_OK)
        st = keep_metadata(&inputs->file, schema, &inputs->schema.metadata, err);
    return name_input(inputs, st, err);
}

enum stoa_status stoa_avro_inputs_open(const char *const *paths, size_t npaths, const char *schema,
                                       struct stoa_avro_inputs **out, struct stoa_error *err)
{
    struct stoa_avro_inputs *inputs;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&inputs, 1, sizeof(*inputs), err));
    inputs->paths = paths;
    inputs->npaths = npaths;
    STOA_TRY(open_next(inputs, err));
    STOA_TRY(read_schema(inputs, schema, err));
    *out = inputs;
    inputs = NULL;
out:
    stoa_avro_inputs_close(inputs);
    return st;
}

enum stoa_status stoa_avro_file_schema(const char *path, struct stoa_schema *out,
                                       struct stoa_error *err)
{
    struct stoa_avro_inputs *inputs = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_avro_inputs_open(&path, 1, NULL, &inputs, err));
    *out = inputs->schema;
    inputs->schema = (struct stoa_schema){0};
out:
    stoa_avro_inputs_close(inputs);
    return st;
}

/* ---- Units ---- */

static struct source *source_of(struct stoa_batch_source *base)
{
    return (struct source *)base;
}

static void unit_free(struct stoa_unit *base)
{
    struct unit *unit = (struct unit *)base;

    if (unit == NULL)
        return;
    stoa_buffer_free(&unit->bytes);
    stoa_free(unit->pieces);
    stoa_batch_reset(&unit->batch);
    stoa_free(unit);
}

static enum stoa_status unit_new(const struct source *source, struct unit **out,
                                 struct stoa_error *err)
{
    struct unit *unit;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&unit, 1, sizeof(*unit), err));
    unit->base.free = unit_free;
    unit->table = source->inputs->tables;
    unit->codec = source->inputs->file.codec;
    memcpy(unit->name, source->inputs->name, sizeof(unit->name));
    *out = unit;
out:
    return st;
}

/* The program of a file: what it has as what all inputs are read as. */
static enum stoa_status prepare_table(struct source *source, struct stoa_error *err)
{
    const struct stoa_avro_inputs *inputs = source->inputs;
    struct table *table = inputs->tables;
    char first[NAME_NBYTES];
    enum stoa_status st;

    if (table->is_prepared)
        return STOA_OK;
    st = stoa_avro_program_init(&table->program, &table->schema, inputs->reader, source->wanted,
                                &source->schema, err);
    table->is_prepared = st == STOA_OK;
    if (st == STOA_OK || inputs->has_schema)
        return st;
    return stoa_wrap(err, st, "with the schema of %s",
                     stoa_quote(first, sizeof(first), inputs->paths[0], strlen(inputs->paths[0])));
}

static void note_empty(const struct source *source)
{
    const struct stoa_avro_inputs *inputs = source->inputs;
    char text[NAME_NBYTES + 112], held[48] = "";

    if (inputs->file.nempty == 0 || source->options.note == NULL)
        return;
    if (inputs->file.empty_nbytes > 0)
        snprintf(held, sizeof(held), ", with %" PRIu64 " byte%s of data", inputs->file.empty_nbytes,
                 inputs->file.empty_nbytes == 1 ? "" : "s");
    snprintf(text, sizeof(text), "%s: %" PRIu64 " block%s without rows passed over%s", inputs->name,
             inputs->file.nempty, inputs->file.nempty == 1 ? "" : "s", held);
    source->options.note(source->options.note_context, text);
}

static void count_progress(struct source *source)
{
    const struct stoa_stream *stream = source->inputs->stream;

    atomic_store_explicit(&source->done_nbytes,
                          source->closed_nbytes + (stream != NULL ? stream->consumed_nbytes : 0),
                          memory_order_relaxed);
}

/* The head of the next block into source->pending; of no block at the end of all inputs. */
static enum stoa_status find_block(struct source *source, struct stoa_error *err)
{
    struct stoa_avro_inputs *inputs = source->inputs;
    bool more = false;
    enum stoa_status st;

    while (source->pending.nrows == 0) {
        if (inputs->stream == NULL) {
            if (inputs->nopened == inputs->npaths)
                return STOA_OK;
            st = open_next(inputs, err);
            if (st != STOA_OK)
                return st;
        }
        STOA_TRY(prepare_table(source, err));
        STOA_TRY(stoa_avro_container_next(&inputs->file, &source->pending, &more, err));
        if (!more) {
            source->pending.nrows = 0;
            note_empty(source);
            source->closed_nbytes += inputs->stream->consumed_nbytes;
            stoa_stream_close(inputs->stream);
            inputs->stream = NULL;
            return STOA_OK;
        }
    }
    return STOA_OK;
out:
    return name_input(inputs, st, err);
}

static bool is_packed(const struct unit *unit)
{
    return strcmp(unit->codec->name, "null") != 0;
}

/* Appends the pending block to a unit. */
static enum stoa_status add_block(struct source *source, struct unit *unit, struct stoa_error *err)
{
    struct stoa_avro_inputs *inputs = source->inputs;
    const struct stoa_avro_block *block = &source->pending;
    enum stoa_status st;

    STOA_TRY(stoa_reserve(&unit->pieces, &unit->pieces_capacity, unit->npieces + 1,
                          sizeof(*unit->pieces), err));
    unit->pieces[unit->npieces++] = (struct piece){*block, unit->bytes.nbytes};
    STOA_TRY(stoa_avro_container_take(&inputs->file, &unit->bytes, err));
    unit->base.nrows += block->nrows;
    /* What is compressed becomes more: four times is a lot for rows. */
    unit->base.nbytes = unit->bytes.nbytes * (is_packed(unit) ? 4 : 1);
    source->pending.nrows = 0;
out:
    return st;
}

static bool is_large(const struct source *source, const struct stoa_avro_block *block)
{
    return block->nbytes > LARGE_NBYTES || block->nrows > source->options.unit_nrows;
}

static bool fits(const struct source *source, const struct unit *unit)
{
    const struct stoa_avro_block *block = &source->pending;
    const bool packed = is_packed(unit);

    return unit->npieces == 0 ||
           (!is_large(source, block) && (!packed || unit->npieces < PACKED_UNIT_NBLOCKS) &&
            unit->base.nrows + block->nrows <= source->options.unit_nrows &&
            unit->bytes.nbytes + block->nbytes <= (packed ? PACKED_UNIT_NBYTES : LARGE_NBYTES));
}

/* Some rows of the large block that is on its way, as a batch that is ready. */
static enum stoa_status read_large(struct source *source, struct unit *unit, struct stoa_error *err)
{
    struct stoa_avro_container *file = &source->inputs->file;
    uint64_t nrows = 0;
    bool done = false;
    enum stoa_status st;

    STOA_TRY(stoa_avro_data_read(&source->large, &unit->table->program, &source->columns,
                                 source->options.unit_nrows, source->options.unit_nbytes, &nrows,
                                 &done, err));
    STOA_TRY(stoa_batch_init(&unit->batch, &source->schema, err));
    unit->base.nrows = nrows;
    unit->base.nbytes = stoa_avro_columns_nbytes(&source->columns);
    STOA_TRY(stoa_avro_columns_finish(&source->columns, (size_t)nrows, &unit->batch, err));
    if (done) {
        stoa_avro_data_reset(&source->large);
        STOA_TRY(stoa_avro_container_end_block(file, err));
    }
out:
    return st;
}

static enum stoa_status begin_large(struct source *source, struct stoa_error *err)
{
    struct stoa_avro_container *file = &source->inputs->file;
    enum stoa_status st;

    if (source->columns.items == NULL)
        STOA_TRY(stoa_avro_columns_init(&source->columns, &source->schema, err));
    STOA_TRY(stoa_avro_data_begin(&source->large, file->codec, &source->pending, NULL, 0,
                                  &file->payload, err));
    source->pending.nrows = 0;
out:
    return st;
}

static enum stoa_status next(struct stoa_batch_source *base, struct stoa_unit **out,
                             struct stoa_error *err)
{
    struct source *source = source_of(base);
    struct unit *unit = NULL;
    enum stoa_status st = STOA_OK;

    *out = NULL;
    while (source->large.codec == NULL && source->pending.nrows == 0 &&
           (source->inputs->stream != NULL || source->inputs->nopened < source->inputs->npaths))
        STOA_TRY(find_block(source, err)); /* an input may have no rows */
    if (source->large.codec == NULL && source->pending.nrows == 0)
        goto out;
    STOA_TRY(unit_new(source, &unit, err));
    if (source->large.codec == NULL && is_large(source, &source->pending))
        STOA_TRY(name_input(source->inputs, begin_large(source, err), err));
    if (source->large.codec != NULL) {
        STOA_TRY(name_input(source->inputs, read_large(source, unit, err), err));
    } else {
        while (source->pending.nrows > 0 && fits(source, unit)) {
            STOA_TRY(name_input(source->inputs, add_block(source, unit, err), err));
            if (source->inputs->stream != NULL)
                STOA_TRY(find_block(source, err));
        }
        STOA_TRY(stoa_buffer_append_zeros(&unit->bytes, STOA_AVRO_PADDING, err));
    }
    count_progress(source);
    *out = &unit->base;
    unit = NULL;
out:
    unit_free((struct stoa_unit *)unit);
    return st;
}

/* A block became too much in memory, alone or with those in front of it. */
static enum stoa_status fail_text(const struct unit *unit, const struct piece *piece, bool alone,
                                  struct stoa_error *err)
{
    if (alone)
        return stoa_fail(err, STOA_ERR_LIMIT,
                         "block %" PRIu64 ": its %zu bytes become more than 512 MiB",
                         piece->block.number, (size_t)piece->block.nbytes);
    return stoa_fail(err, STOA_ERR_LIMIT,
                     "blocks %" PRIu64 " to %" PRIu64 ": their %zu bytes become more than 1 GiB",
                     unit->pieces[0].block.number, piece->block.number,
                     piece->begin + (size_t)piece->block.nbytes);
}

/* Decodes the blocks of a unit. */
static enum stoa_status read_blocks(const struct source *source, const struct unit *unit,
                                    struct stoa_batch *out, struct stoa_error *err)
{
    struct stoa_avro_columns columns = {0};
    struct stoa_avro_data data = {0};
    struct stoa_batch batch = {0};
    uint64_t nrows = 0;
    enum stoa_status st;

    STOA_TRY(stoa_batch_init(&batch, &source->schema, err));
    STOA_TRY(stoa_avro_columns_init(&columns, &source->schema, err));
    for (size_t i = 0; i < unit->npieces; i++) {
        const struct piece *piece = &unit->pieces[i];
        const uint64_t most = stoa_avro_columns_nbytes(&columns) + MAX_BLOCK_TEXT_NBYTES;
        uint64_t n;
        bool done;

        STOA_TRY(stoa_avro_data_begin(&data, unit->codec, &piece->block,
                                      unit->bytes.data + piece->begin, (size_t)piece->block.nbytes,
                                      NULL, err));
        STOA_TRY(stoa_avro_data_read(&data, &unit->table->program, &columns, UINT64_MAX,
                                     most < MAX_UNIT_TEXT_NBYTES ? most : MAX_UNIT_TEXT_NBYTES, &n,
                                     &done, err));
        if (!done) {
            st = fail_text(unit, piece, most < MAX_UNIT_TEXT_NBYTES, err);
            goto out;
        }
        nrows += n;
    }
    STOA_TRY(stoa_avro_columns_finish(&columns, (size_t)nrows, &batch, err));
    *out = batch;
    batch = (struct stoa_batch){0};
out:
    stoa_batch_reset(&batch);
    stoa_avro_data_reset(&data);
    stoa_avro_columns_reset(&columns);
    return st == STOA_OK ? st : stoa_wrap(err, st, "%s", unit->name);
}

static enum stoa_status read_unit(struct stoa_batch_source *base, struct stoa_unit *given,
                                  struct stoa_batch *out, struct stoa_notes **notes,
                                  struct stoa_error *err)
{
    struct unit *unit = (struct unit *)given;
    enum stoa_status st = STOA_OK;

    *notes = NULL;
    if (unit->npieces > 0) {
        st = read_blocks(source_of(base), unit, out, err);
    } else {
        *out = unit->batch;
        unit->batch = (struct stoa_batch){0};
    }
    unit_free(given);
    return st;
}

static void progress(struct stoa_batch_source *base, uint64_t *done, uint64_t *total)
{
    struct source *source = source_of(base);

    *done = atomic_load_explicit(&source->done_nbytes, memory_order_relaxed);
    *total = source->total_nbytes;
}

static void close_source(struct stoa_batch_source *base)
{
    struct source *source = source_of(base);

    stoa_avro_data_reset(&source->large);
    stoa_avro_columns_reset(&source->columns);
    stoa_avro_inputs_close(source->inputs);
    stoa_schema_reset(&source->schema);
    stoa_free(source->wanted);
    stoa_free(source);
}

enum stoa_status stoa_avro_source_open(struct stoa_avro_inputs *inputs,
                                       const struct stoa_avro_source_options *options,
                                       struct stoa_batch_source **out, struct stoa_error *err)
{
    const uint32_t nfields = inputs->schema.nfields;
    struct source *source;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&source, 1, sizeof(*source), err));
    source->base = (struct stoa_batch_source){.schema = &source->schema,
                                              .next = next,
                                              .read = read_unit,
                                              .progress = progress,
                                              .close = close_source};
    source->options = *options;
    STOA_TRY(stoa_schema_select(&source->schema, &inputs->schema, options->columns,
                                options->ncolumns, err));
    STOA_TRY(stoa_alloc(&source->wanted, (nfields + (size_t)1) * sizeof(*source->wanted), err));
    for (uint32_t i = 0; i < nfields; i++)
        source->wanted[i] = STOA_AVRO_UNWANTED;
    for (uint32_t i = 0; i < options->ncolumns; i++)
        source->wanted[options->columns[i]] = i;
    if (inputs->npaths == 1)
        source->total_nbytes = inputs->stream->total_nbytes;
    source->inputs = inputs;
    *out = &source->base;
    source = NULL;
out:
    if (source != NULL) {
        source->inputs = NULL;
        close_source(&source->base);
    }
    return st;
}
