/*
 * Blocks of sources (spec/format.md, section 15).
 *
 *     head | sizes of all | hashes of all | .. | lengths of names | .. | all names | all options |
 * ..
 *
 * What sources have in common stands together, so that a block of many is a few bytes for each
 * when it is packed: options and heads are often the same. A small block is not packed: its footer
 * is.
 */
#include "file/sources_write.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/bits.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/utf8.h"
#include "codec/compress_zstd.h"

enum {
    BLOCK_NSOURCES = 16384, /* a block is full with so many, */
    BLOCK_NBYTES = 4 << 20, /* or with so many bytes of text */
    PACK_MIN_NBYTES = 4096,
    PACK_LEVEL = 5,
    BLOCK_ALIGN = 8,
};

/* A text of a source. */
struct text {
    const char *what;
    const void *bytes;
    size_t nbytes;
    bool is_utf8;
};

static void list_texts(const struct stoa_source_info *info, struct text out[STOA_SOURCE_NTEXTS])
{
    const char *name = info->name != NULL ? info->name : "";
    const char *options = info->options != NULL ? info->options : "";
    const struct text texts[STOA_SOURCE_NTEXTS] = {
        {"name", name, strlen(name), true},
        {"options", options, strlen(options), true},
        {"head", info->head.data, info->head.nbytes, false},
        {"tail", info->tail.data, info->tail.nbytes, false},
        {"patches", info->patches.data, info->patches.nbytes, false},
    };

    memcpy(out, texts, sizeof(texts));
}

static enum stoa_status check_source(const struct stoa_sources_writer *sources,
                                     const struct stoa_source_info *info,
                                     const struct text texts[STOA_SOURCE_NTEXTS], uint64_t *nbytes,
                                     struct stoa_error *err)
{
    if (info->first_row < sources->end_row || info->nrows > UINT64_MAX - info->first_row)
        return stoa_fail(err, STOA_ERR_USAGE,
                         "%" PRIu64 " rows from %" PRIu64 " on, where %" PRIu64
                         " are in front of it",
                         info->nrows, info->first_row, sources->end_row);
    if (info->flags & ~(uint32_t)STOA_SOURCE_FLAGS)
        return stoa_fail(err, STOA_ERR_USAGE, "flags 0x%" PRIx32, info->flags);
    if (sources->nsources == UINT32_MAX)
        return stoa_fail(err, STOA_ERR_LIMIT, "more than 2^32 - 1 sources");
    for (unsigned i = 0; i < STOA_SOURCE_NTEXTS; i++) {
        if (texts[i].nbytes > STOA_SOURCE_MAX_NBYTES - *nbytes)
            return stoa_fail(err, STOA_ERR_LIMIT,
                             "%s of %zu bytes; all that is kept of a source beside its rows may "
                             "have %" PRIu32,
                             texts[i].what, texts[i].nbytes, STOA_SOURCE_MAX_NBYTES);
        *nbytes += texts[i].nbytes;
        if (texts[i].is_utf8 &&
            stoa_utf8_valid_prefix(texts[i].bytes, texts[i].nbytes) != texts[i].nbytes)
            return stoa_fail(err, STOA_ERR_USAGE, "%s: no UTF-8", texts[i].what);
    }
    return STOA_OK;
}

static enum stoa_status append_source(struct stoa_sources_writer *sources,
                                      const struct stoa_source_info *info,
                                      const struct text texts[STOA_SOURCE_NTEXTS],
                                      struct stoa_error *err)
{
    uint64_t skipped = sources->count > 0 ? info->first_row - sources->end_row : 0;
    uint8_t number[8];
    enum stoa_status st;

    stoa_store64(number, info->nbytes);
    STOA_TRY(stoa_buffer_append(&sources->parts[STOA_SOURCE_NBYTES], number, 8, err));
    STOA_TRY(
        stoa_buffer_append(&sources->parts[STOA_SOURCE_HASH], info->hash, sizeof(info->hash), err));
    stoa_store64(number, skipped);
    STOA_TRY(stoa_buffer_append(&sources->parts[STOA_SOURCE_SKIPPED], number, 8, err));
    stoa_store64(number, info->nrows);
    STOA_TRY(stoa_buffer_append(&sources->parts[STOA_SOURCE_NROWS], number, 8, err));
    stoa_store32(number, info->flags);
    STOA_TRY(stoa_buffer_append(&sources->parts[STOA_SOURCE_FLAG_BITS], number, 4, err));
    for (unsigned i = 0; i < STOA_SOURCE_NTEXTS; i++) {
        stoa_store32(number, (uint32_t)texts[i].nbytes);
        STOA_TRY(stoa_buffer_append(&sources->parts[STOA_SOURCE_LENGTHS + i], number, 4, err));
        STOA_TRY(stoa_buffer_append(&sources->parts[STOA_SOURCE_TEXTS + i], texts[i].bytes,
                                    texts[i].nbytes, err));
    }
out:
    return st;
}

enum stoa_status stoa_sources_add(struct stoa_sources_writer *sources,
                                  const struct stoa_source_info *info, bool *full,
                                  struct stoa_error *err)
{
    struct text texts[STOA_SOURCE_NTEXTS];
    uint64_t nbytes = 0;
    enum stoa_status st;

    list_texts(info, texts);
    STOA_TRY(check_source(sources, info, texts, &nbytes, err));
    STOA_TRY(append_source(sources, info, texts, err));
    if (sources->count == 0)
        sources->row = info->first_row;
    sources->end_row = info->first_row + info->nrows;
    sources->nbytes += nbytes;
    sources->count++;
    sources->nsources++;
    *full = sources->count == BLOCK_NSOURCES || sources->nbytes >= BLOCK_NBYTES;
out:
    return st == STOA_OK ? st : stoa_wrap(err, st, "source %" PRIu64, sources->nsources + 1);
}

/* All parts behind each other, each freed. */
static enum stoa_status join_parts(struct stoa_sources_writer *sources, struct stoa_buffer *out,
                                   struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (unsigned i = 0; i < STOA_SOURCE_NPARTS; i++) {
        STOA_TRY(stoa_buffer_append(out, sources->parts[i].data, sources->parts[i].nbytes, err));
        stoa_buffer_free(&sources->parts[i]);
    }
out:
    return st;
}

/* Leaves *frame empty where it is not worth it. */
static enum stoa_status pack(const struct stoa_buffer *raw, struct stoa_buffer *frame,
                             struct stoa_error *err)
{
    struct stoa_zstd_encoder *encoder = NULL;
    enum stoa_status st;

    if (raw->nbytes <= PACK_MIN_NBYTES)
        return STOA_OK;
    STOA_TRY(stoa_zstd_encoder_new(&encoder, PACK_LEVEL, err));
    STOA_TRY(stoa_buffer_resize(frame, raw->nbytes - 1, err));
    STOA_TRY(stoa_zstd_compress(encoder, raw->data, raw->nbytes, frame->data, frame->nbytes,
                                &frame->nbytes, err));
out:
    stoa_zstd_encoder_free(encoder);
    return st;
}

enum stoa_status stoa_sources_flush(struct stoa_sources_writer *sources, struct stoa_buffer *out,
                                    struct stoa_error *err)
{
    struct stoa_buffer raw = {0}, frame = {0}, *stored;
    struct stoa_source_block block = {.count = sources->count, .row = sources->row};
    uint8_t head[STOA_SOURCE_BLOCK_NBYTES];
    size_t before = out->nbytes;
    enum stoa_status st;

    if (sources->count == 0)
        return STOA_OK;
    STOA_TRY(join_parts(sources, &raw, err));
    STOA_TRY(pack(&raw, &frame, err));
    stored = frame.nbytes > 0 ? &frame : &raw;
    assert(raw.nbytes == sources->nbytes + (uint64_t)sources->count * STOA_SOURCE_FIXED_NBYTES);
    block.raw_nbytes = (uint32_t)raw.nbytes;
    block.packed_nbytes = (uint32_t)frame.nbytes;
    stoa_source_block_pack(&block, head);
    STOA_TRY(stoa_buffer_append(out, head, sizeof(head), err));
    STOA_TRY(stoa_buffer_append(out, stored->data, stored->nbytes, err));
    STOA_TRY(stoa_buffer_append_zeros(
        out, stoa_round_up(stored->nbytes, BLOCK_ALIGN) - stored->nbytes, err));
    sources->count = 0;
    sources->nbytes = 0;
out:
    if (st != STOA_OK)
        out->nbytes = before;
    stoa_buffer_free(&raw);
    stoa_buffer_free(&frame);
    return st;
}

void stoa_sources_reset(struct stoa_sources_writer *sources)
{
    for (unsigned i = 0; i < STOA_SOURCE_NPARTS; i++)
        stoa_buffer_free(&sources->parts[i]);
    *sources = (struct stoa_sources_writer){0};
}

uint64_t stoa_sources_memory(const struct stoa_sources_writer *sources)
{
    uint64_t nbytes = 0;

    for (unsigned i = 0; i < STOA_SOURCE_NPARTS; i++)
        nbytes += sources->parts[i].capacity;
    return nbytes;
}
