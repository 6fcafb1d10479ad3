/*
 * Copying source text (spec/format.md, section 15).
 *
 *     side table   directory | chunk | chunk       chunks are copied as bytes, each page verified;
 *                                                  the header names another row group
 *     source       rows 500 to 700                 becomes rows 2500 to 2700
 */
#include "file/side_copy.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "column/schema.h"
#include "file/chunk_pages.h"
#include "file/side_write.h"
#include "file/sources_read.h"

/* The bytes of a chunk into *out, verified. */
static enum stoa_status read_chunk(const struct stoa_footer *footer, const struct stoa_chunk *chunk,
                                   const struct stoa_chunk_shape *shape, uint8_t **out,
                                   struct stoa_error *err)
{
    struct stoa_chunk_pages pages = {0};
    uint8_t *bytes = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_chunk_pages_read(footer, chunk, shape, &pages, err));
    STOA_TRY(stoa_alloc(&bytes, chunk->nbytes, err));
    STOA_TRY(stoa_footer_read(footer, chunk->offset, bytes, chunk->nbytes, err));
    if (pages.head_nbytes > 0 && stoa_hash(bytes, (size_t)pages.head_nbytes) != chunk->hash) {
        st = stoa_fail_at(err, STOA_ERR_CORRUPT, chunk->offset, "head of the chunk: hash differs");
        goto out;
    }
    for (uint32_t k = 0; k < pages.npages; k++) {
        const struct stoa_stored_page *page = &pages.pages[k];

        if (stoa_hash(bytes + (page->offset - chunk->offset), page->nbytes) == page->hash)
            continue;
        st = stoa_fail_at(err, STOA_ERR_CORRUPT, page->offset, "page %" PRIu32 ": hash differs", k);
        goto out;
    }
    *out = bytes;
    bytes = NULL;
out:
    stoa_chunk_pages_reset(&pages);
    stoa_free(bytes);
    return st;
}

static enum stoa_status check_memory(const struct stoa_side_object *object, uint64_t memory_nbytes,
                                     struct stoa_error *err)
{
    uint64_t nbytes = object->end - object->offset;

    if (nbytes <= memory_nbytes / 2) /* the chunks, and once more the body */
        return STOA_OK;
    return stoa_fail(err, STOA_ERR_LIMIT,
                     "%" PRIu64 " bytes to be held twice; %" PRIu64 " bytes of memory are allowed",
                     nbytes, memory_nbytes);
}

enum stoa_status stoa_side_copy(const struct stoa_footer *footer,
                                const struct stoa_side_object *object, uint64_t memory_nbytes,
                                struct stoa_assembler *assembler, struct stoa_error *err)
{
    struct stoa_side_part *parts = NULL;
    struct stoa_buffer body = {0};
    uint8_t **chunks = NULL;
    uint32_t dir_nbytes;
    enum stoa_status st;

    STOA_TRY(check_memory(object, memory_nbytes, err));
    STOA_TRY(stoa_alloc_zeroed(&parts, object->nentries, sizeof(parts[0]), err));
    STOA_TRY(stoa_alloc_zeroed(&chunks, object->nentries, sizeof(chunks[0]), err));
    for (uint32_t i = 0; i < object->nentries; i++) {
        const struct stoa_side_entry *entry = &object->entries[i];
        const struct stoa_chunk chunk = stoa_side_chunk(object, i);
        const struct stoa_chunk_shape shape = {
            .type = entry->kind == STOA_SIDE_FORM ? STOA_UINT8 : STOA_BINARY,
            .nvalues = object->nrows,
            .nrows = object->nrows,
        };

        parts[i].entry = *entry;
        if (chunk.nbytes == 0)
            continue;
        st = read_chunk(footer, &chunk, &shape, &chunks[i], err);
        if (st != STOA_OK) {
            stoa_wrap(err, st, "%s", stoa_side_kind_name(entry->kind));
            goto out;
        }
        parts[i].bytes = chunks[i];
    }
    STOA_TRY(stoa_side_build(parts, object->nentries, &body, &dir_nbytes, err));
    STOA_TRY(stoa_assembler_add_side(assembler, dir_nbytes, &body, err));
out:
    for (uint32_t i = 0; chunks != NULL && i < object->nentries; i++)
        stoa_free(chunks[i]);
    stoa_free(chunks);
    stoa_free(parts);
    stoa_buffer_free(&body);
    return st;
}

/* ---- What keeps its text ---- */

static bool is_integer(enum stoa_type_id id)
{
    return id >= STOA_INT8 && id <= STOA_UINT64;
}

static bool format_equal(const struct stoa_field *a, const struct stoa_field *b)
{
    const char *x = stoa_metadata_get(&a->metadata, STOA_METADATA_CSV_FORMAT);
    const char *y = stoa_metadata_get(&b->metadata, STOA_METADATA_CSV_FORMAT);

    return x == NULL || y == NULL ? x == y : strcmp(x, y) == 0;
}

bool stoa_schema_keeps_text(const struct stoa_schema *from, const struct stoa_schema *to)
{
    if (from->nfields != to->nfields)
        return false;
    for (uint32_t i = 0; i < from->nfields; i++) {
        const struct stoa_field *a = &from->fields[i], *b = &to->fields[i];
        bool same_type = stoa_type_equal(&a->type, &b->type) && a->nchildren == 0;

        if (strcmp(a->name, b->name) != 0 || !format_equal(a, b) ||
            !(same_type || (is_integer(a->type.id) && is_integer(b->type.id))))
            return false;
    }
    return true;
}

/* ---- Sources ---- */

struct move {
    struct stoa_assembler *assembler;
    uint64_t row;
    uint32_t obstacle;
};

static enum stoa_status move_source(void *context, const struct stoa_source_info *info,
                                    struct stoa_error *err)
{
    const struct move *move = context;
    struct stoa_source_info moved = *info;

    moved.first_row += move->row;
    if (move->obstacle != 0)
        moved.flags = (moved.flags & ~(uint32_t)STOA_SOURCE_COMPLETE) | move->obstacle;
    return stoa_footer_add_source(&move->assembler->footer, &moved, err);
}

enum stoa_status stoa_sources_copy(struct stoa_reader *reader, uint64_t row, uint32_t obstacle,
                                   struct stoa_assembler *assembler, struct stoa_error *err)
{
    struct move move = {assembler, row, obstacle};

    return stoa_sources_each(reader, move_source, &move, err);
}
