/*
 * Reading sources (spec/format.md, section 15; sources_write.c draws a block).
 *
 *     | head, 16384 sources | head, 16384 sources | head, 3616 sources |
 *       ^ the heads are an index, made at first use: which block has source number n
 */
#include "file/sources_read.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/utf8.h"
#include "codec/compress_zstd.h"
#include "column/source_text.h"
#include "file/sources_write.h"

enum { BLOCK_ALIGN = 8 };

struct block {
    struct stoa_source_block head;
    uint64_t offset; /* of what follows the head, in the section */
    uint64_t first;  /* number of its first source */
};

struct stoa_source_index {
    struct block *blocks;
    size_t nblocks, capacity;
};

void stoa_source_index_free(void *memory)
{
    struct stoa_source_index *index = memory;

    if (index == NULL)
        return;
    stoa_free(index->blocks);
    stoa_free(index);
}

/* ---- The index. ---- */

static uint64_t stored_nbytes(const struct stoa_source_block *head)
{
    return head->packed_nbytes > 0 ? head->packed_nbytes : head->raw_nbytes;
}

static enum stoa_status add_block(struct stoa_footer *footer, struct stoa_source_index *index,
                                  uint64_t *at, uint64_t *nsources, struct stoa_error *err)
{
    uint64_t size = footer->by_type[STOA_SECTION_SOURCES]->content_nbytes, nbytes;
    struct block block = {.offset = *at + STOA_SOURCE_BLOCK_NBYTES, .first = *nsources};
    uint8_t head[STOA_SOURCE_BLOCK_NBYTES];
    enum stoa_status st;

    STOA_TRY(stoa_footer_section_read(footer, STOA_SECTION_SOURCES, *at, head, sizeof(head), err));
    STOA_TRY(stoa_source_block_unpack(head, &block.head, err));
    nbytes = stoa_round_up(stored_nbytes(&block.head), BLOCK_ALIGN);
    if (nbytes > size - block.offset)
        return stoa_fail(err, STOA_ERR_CORRUPT,
                         "block: %" PRIu64 " bytes at %" PRIu64 " of %" PRIu64, nbytes,
                         block.offset, size);
    STOA_TRY(stoa_reserve(&index->blocks, &index->capacity, index->nblocks + 1,
                          sizeof(index->blocks[0]), err));
    index->blocks[index->nblocks++] = block;
    *at = block.offset + nbytes;
    *nsources += block.head.count;
out:
    return st;
}

static enum stoa_status load_index(struct stoa_footer *footer, struct stoa_source_index **out,
                                   struct stoa_error *err)
{
    const struct stoa_footer_section *section = footer->by_type[STOA_SECTION_SOURCES];
    struct stoa_source_index *index = NULL;
    uint64_t at = 0, nsources = 0;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&index, 1, sizeof(*index), err));
    while (at < section->content_nbytes)
        STOA_TRY(add_block(footer, index, &at, &nsources, err));
    if (nsources != section->entry.count) {
        st = stoa_fail(err, STOA_ERR_CORRUPT, "%" PRIu64 " of them, the section says %" PRIu32,
                       nsources, section->entry.count);
        goto out;
    }
    *out = index;
    index = NULL;
out:
    stoa_source_index_free(index);
    return st;
}

/* NULL for a file without sources. */
static enum stoa_status get_index(struct stoa_reader *reader, const struct stoa_source_index **out,
                                  struct stoa_error *err)
{
    struct stoa_source_index *mine = NULL;
    enum stoa_status st = STOA_OK;

    *out = NULL;
    if (reader->footer.by_type[STOA_SECTION_SOURCES] == NULL)
        return STOA_OK;
    if (stoa_once_get(&reader->sources) == NULL) {
        STOA_TRY(load_index(&reader->footer, &mine, err));
        if (stoa_once_publish(&reader->sources, mine) != mine)
            stoa_source_index_free(mine);
    }
    *out = stoa_once_get(&reader->sources);
out:
    return st;
}

/* ---- A block. ---- */

/* A block in its raw form. */
struct raw_block {
    uint8_t *bytes;
    const uint8_t *parts[STOA_SOURCE_NPARTS];
    const struct stoa_source_block *head;
};

/* Where the parts are; the lengths of texts add up to what is there. */
static enum stoa_status find_parts(struct raw_block *raw, struct stoa_error *err)
{
    static const uint8_t widths[STOA_SOURCE_LENGTHS] = {
        [STOA_SOURCE_NBYTES] = 8, [STOA_SOURCE_HASH] = 16,     [STOA_SOURCE_SKIPPED] = 8,
        [STOA_SOURCE_NROWS] = 8,  [STOA_SOURCE_FLAG_BITS] = 4,
    };
    size_t n = raw->head->count, at = 0;

    for (unsigned i = 0; i < STOA_SOURCE_TEXTS; i++) { /* 64 bytes a source, which are there */
        raw->parts[i] = raw->bytes + at;
        at += n * (i < STOA_SOURCE_LENGTHS ? widths[i] : 4);
    }
    for (unsigned i = 0; i < STOA_SOURCE_NTEXTS; i++) {
        uint64_t nbytes = 0;

        for (size_t k = 0; k < n; k++)
            nbytes += stoa_load32(raw->parts[STOA_SOURCE_LENGTHS + i] + 4 * k);
        raw->parts[STOA_SOURCE_TEXTS + i] = raw->bytes + at;
        if (nbytes > raw->head->raw_nbytes - at)
            return stoa_fail(err, STOA_ERR_CORRUPT, "texts are longer than their block");
        at += (size_t)nbytes;
    }
    if (at != raw->head->raw_nbytes)
        return stoa_fail(err, STOA_ERR_CORRUPT, "%zu bytes behind the texts of a block",
                         raw->head->raw_nbytes - at);
    return STOA_OK;
}

static enum stoa_status read_block(struct stoa_footer *footer, const struct block *block,
                                   struct stoa_budget *budget, struct raw_block *out,
                                   struct stoa_error *err)
{
    size_t nbytes = (size_t)stored_nbytes(&block->head);
    size_t padded_nbytes = stoa_round_up(nbytes, BLOCK_ALIGN);
    struct stoa_zstd_decoder *decoder = NULL;
    struct raw_block raw = {.head = &block->head};
    uint8_t *stored = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_budget_take(budget, (uint64_t)padded_nbytes + block->head.raw_nbytes, err));
    STOA_TRY(stoa_alloc(&stored, padded_nbytes, err));
    STOA_TRY(stoa_footer_section_read(footer, STOA_SECTION_SOURCES, block->offset, stored,
                                      padded_nbytes, err));
    for (size_t i = nbytes; i < padded_nbytes; i++)
        if (stored[i] != 0) {
            st = stoa_fail(err, STOA_ERR_CORRUPT, "bytes behind a block that must be 0");
            goto out;
        }
    if (block->head.packed_nbytes > 0) {
        STOA_TRY(stoa_alloc(&raw.bytes, block->head.raw_nbytes, err));
        STOA_TRY(stoa_zstd_decoder_new(&decoder, err));
        STOA_TRY(
            stoa_zstd_decompress(decoder, stored, nbytes, raw.bytes, block->head.raw_nbytes, err));
    } else {
        raw.bytes = stored;
        stored = NULL;
    }
    STOA_TRY(find_parts(&raw, err));
    *out = raw;
    raw.bytes = NULL;
out:
    stoa_zstd_decoder_free(decoder);
    stoa_free(stored);
    stoa_free(raw.bytes);
    return st;
}

/* ---- Sources of a block. ---- */

/* Goes through a raw block source by source. */
struct cursor {
    const struct raw_block *raw;
    uint32_t next;
    uint64_t row;   /* where the next source starts if no rows are skipped */
    uint64_t nrows; /* of the file */
    const uint8_t *texts[STOA_SOURCE_NTEXTS]; /* of the next source */
};

static void cursor_init(struct cursor *cursor, const struct raw_block *raw, uint64_t nrows)
{
    *cursor = (struct cursor){.raw = raw, .row = raw->head->row, .nrows = nrows};
    for (unsigned i = 0; i < STOA_SOURCE_NTEXTS; i++)
        cursor->texts[i] = raw->parts[STOA_SOURCE_TEXTS + i];
}

/* A text that may be NULL when there is none of it; UTF-8 without NUL. */
static enum stoa_status copy_text(const uint8_t *bytes, size_t nbytes, char **out,
                                  struct stoa_error *err)
{
    if (nbytes > 0 &&
        (memchr(bytes, '\0', nbytes) != NULL || stoa_utf8_valid_prefix(bytes, nbytes) != nbytes))
        return stoa_fail(err, STOA_ERR_CORRUPT, "text that is not UTF-8");
    return stoa_strndup(out, (const char *)bytes, nbytes, err);
}

/* The rows of source k, behind those of the one before. */
static enum stoa_status next_rows(struct cursor *cursor, struct stoa_source_info *info,
                                  struct stoa_error *err)
{
    size_t at = (size_t)cursor->next * 8;
    uint64_t skipped = stoa_load64(cursor->raw->parts[STOA_SOURCE_SKIPPED] + at);
    uint64_t nrows = stoa_load64(cursor->raw->parts[STOA_SOURCE_NROWS] + at);

    if (cursor->row > cursor->nrows || skipped > cursor->nrows - cursor->row ||
        nrows > cursor->nrows - cursor->row - skipped || (cursor->next == 0 && skipped != 0))
        return stoa_fail(err, STOA_ERR_CORRUPT,
                         "%" PRIu64 " rows, %" PRIu64 " behind row %" PRIu64
                         ", in a file of %" PRIu64,
                         nrows, skipped, cursor->row, cursor->nrows);
    info->first_row = cursor->row + skipped;
    info->nrows = nrows;
    cursor->row = info->first_row + nrows;
    return STOA_OK;
}

/* The next source, of which there is one. */
static enum stoa_status cursor_next(struct cursor *cursor, struct stoa_budget *budget,
                                    struct stoa_source_info *out, struct stoa_error *err)
{
    const struct raw_block *raw = cursor->raw;
    uint32_t k = cursor->next, lengths[STOA_SOURCE_NTEXTS];
    uint64_t nbytes = 0;
    struct stoa_source_info info = {
        .nbytes = stoa_load64(raw->parts[STOA_SOURCE_NBYTES] + (size_t)k * 8),
        .flags = stoa_load32(raw->parts[STOA_SOURCE_FLAG_BITS] + (size_t)k * 4),
    };
    enum stoa_status st;

    memcpy(info.hash, raw->parts[STOA_SOURCE_HASH] + (size_t)k * sizeof(info.hash),
           sizeof(info.hash));
    STOA_TRY(next_rows(cursor, &info, err));
    if (info.flags & ~(uint32_t)STOA_SOURCE_FLAGS) {
        st = stoa_fail(err, STOA_ERR_CORRUPT, "flags 0x%" PRIx32, info.flags);
        goto out;
    }
    for (unsigned i = 0; i < STOA_SOURCE_NTEXTS; i++) {
        lengths[i] = stoa_load32(raw->parts[STOA_SOURCE_LENGTHS + i] + (size_t)k * 4);
        nbytes += lengths[i];
    }
    if (nbytes > STOA_SOURCE_MAX_NBYTES) {
        st = stoa_fail(err, STOA_ERR_CORRUPT, "%" PRIu64 " bytes of texts", nbytes);
        goto out;
    }
    STOA_TRY(stoa_budget_take(budget, nbytes, err));
    STOA_TRY(copy_text(cursor->texts[0], lengths[0], &info.name, err));
    STOA_TRY(copy_text(cursor->texts[1], lengths[1], &info.options, err));
    STOA_TRY(stoa_bytes_copy(&info.head, cursor->texts[2], lengths[2], err));
    STOA_TRY(stoa_bytes_copy(&info.tail, cursor->texts[3], lengths[3], err));
    STOA_TRY(stoa_bytes_copy(&info.patches, cursor->texts[4], lengths[4], err));
    for (unsigned i = 0; i < STOA_SOURCE_NTEXTS; i++)
        cursor->texts[i] += lengths[i];
    cursor->next++;
    *out = info;
    info = (struct stoa_source_info){0};
out:
    stoa_source_info_reset(&info);
    return st;
}

/* Moves the cursor behind `n` sources. */
static enum stoa_status cursor_skip(struct cursor *cursor, uint64_t n, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (; st == STOA_OK && n > 0; n--) {
        struct stoa_source_info rows;

        st = next_rows(cursor, &rows, err);
        for (unsigned i = 0; i < STOA_SOURCE_NTEXTS; i++)
            cursor->texts[i] +=
                stoa_load32(cursor->raw->parts[STOA_SOURCE_LENGTHS + i] + (size_t)cursor->next * 4);
        cursor->next++;
    }
    return st;
}

/* ---- Any of them. ---- */

uint64_t stoa_reader_nsources(const struct stoa_reader *reader)
{
    return stoa_footer_section_count(&reader->footer, STOA_SECTION_SOURCES);
}

/* The block of source `number`, which is there. */
static const struct block *find_block(const struct stoa_source_index *index, uint64_t number)
{
    size_t low = 0, high = index->nblocks;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (index->blocks[middle].first <= number)
            low = middle;
        else
            high = middle;
    }
    return &index->blocks[low];
}

/* Sources [first, end) of one block into out[]. */
static enum stoa_status read_part(struct stoa_reader *reader, const struct block *block,
                                  uint64_t first, uint64_t end, struct stoa_budget *budget,
                                  struct stoa_source_info *out, struct stoa_error *err)
{
    struct raw_block raw = {0};
    struct cursor cursor;
    enum stoa_status st;

    STOA_TRY(read_block(&reader->footer, block, budget, &raw, err));
    cursor_init(&cursor, &raw, reader->footer.trailer.nrows);
    STOA_TRY(cursor_skip(&cursor, first - block->first, err));
    for (uint64_t i = first; i < end; i++)
        STOA_TRY(cursor_next(&cursor, budget, &out[i - first], err));
out:
    stoa_free(raw.bytes);
    return st;
}

enum stoa_status stoa_reader_sources(struct stoa_reader *reader, uint64_t first, size_t n,
                                     struct stoa_source_info **out, struct stoa_error *err)
{
    struct stoa_budget budget = {reader->footer.memory_nbytes, reader->footer.memory_nbytes};
    uint64_t nsources = stoa_reader_nsources(reader);
    const struct stoa_source_index *index;
    struct stoa_source_info *infos = NULL;
    enum stoa_status st;

    if (first > nsources || n > nsources - first)
        return stoa_fail(err, STOA_ERR_USAGE, "%zu sources from %" PRIu64 " on of %" PRIu64, n,
                         first, nsources);
    STOA_TRY(get_index(reader, &index, err));
    STOA_TRY(stoa_budget_take(&budget, (uint64_t)n * sizeof(infos[0]), err));
    STOA_TRY(stoa_alloc_zeroed(&infos, n, sizeof(infos[0]), err));
    for (uint64_t at = first, end; at < first + n; at = end) {
        const struct block *block = find_block(index, at);

        end = block->first + block->head.count;
        end = end < first + n ? end : first + n;
        STOA_TRY(read_part(reader, block, at, end, &budget, infos + (at - first), err));
    }
    *out = infos;
    infos = NULL;
out:
    stoa_source_infos_free(infos, n);
    return st == STOA_OK ? st : stoa_wrap(err, st, "sources");
}

/* ---- All of them. ---- */

static enum stoa_status each_of_block(
    struct stoa_reader *reader, const struct block *block, uint64_t *end_row,
    enum stoa_status (*visit)(void *, const struct stoa_source_info *, struct stoa_error *),
    void *context, struct stoa_error *err)
{
    struct stoa_budget budget = {reader->footer.memory_nbytes, reader->footer.memory_nbytes};
    struct raw_block raw = {0};
    struct stoa_source_info info = {0};
    struct cursor cursor;
    enum stoa_status st;

    if (block->head.row < *end_row) {
        st = stoa_fail(err, STOA_ERR_CORRUPT,
                       "block: row %" PRIu64 " where %" PRIu64 " are in front of it",
                       block->head.row, *end_row);
        goto out;
    }
    STOA_TRY(read_block(&reader->footer, block, &budget, &raw, err));
    cursor_init(&cursor, &raw, reader->footer.trailer.nrows);
    while (cursor.next < block->head.count) {
        struct stoa_budget left = budget;

        STOA_TRY(cursor_next(&cursor, &left, &info, err));
        STOA_TRY(visit(context, &info, err));
        stoa_source_info_reset(&info);
    }
    *end_row = cursor.row;
out:
    stoa_source_info_reset(&info);
    stoa_free(raw.bytes);
    return st == STOA_OK ? st : stoa_wrap(err, st, "sources");
}

enum stoa_status stoa_sources_each(struct stoa_reader *reader,
                                   enum stoa_status (*visit)(void *context,
                                                             const struct stoa_source_info *info,
                                                             struct stoa_error *err),
                                   void *context, struct stoa_error *err)
{
    const struct stoa_source_index *index;
    uint64_t end_row = 0;
    enum stoa_status st = get_index(reader, &index, err);

    if (st != STOA_OK)
        return stoa_wrap(err, st, "sources");
    for (size_t i = 0; index != NULL && i < index->nblocks; i++)
        STOA_TRY(each_of_block(reader, &index->blocks[i], &end_row, visit, context, err));
out:
    return st;
}
