/*
 * Verifying schemas, dictionary segments and row groups: hashes, padding, and that objects and
 * footer tell the same.
 */
#include "file/verify.h"

#include <inttypes.h>
#include <string.h>

#include "base/bits.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "file/schema_bytes.h"

#define FETCH_NBYTES (UINT64_C(8) << 20)

/* The directory of an object into verify->bytes, verified. */
static enum stoa_status read_dir(struct stoa_verify *verify, const struct stoa_object *object,
                                 uint64_t offset, struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(stoa_verify_read(verify, offset + STOA_OBJECT_NBYTES, object->dir_nbytes, err));
    if (stoa_object_dir_hash(verify->bytes.data, verify->bytes.nbytes) != object->dir_hash)
        st = stoa_fail_at(err, STOA_ERR_CORRUPT, offset + STOA_OBJECT_NBYTES,
                          "directory: hash differs");
out:
    return st;
}

static uint64_t body_end(const struct stoa_object *object, uint64_t offset)
{
    return offset + STOA_OBJECT_NBYTES + object->body_nbytes;
}

/* ---- Schemas. ---- */

/* The nodes of a schema, which is taken over, for want of a footer. */
static enum stoa_status take_nodes(struct stoa_verify *verify, struct stoa_schema *schema,
                                   struct stoa_error *err)
{
    struct stoa_schema_node *nodes;
    uint32_t nnodes;
    enum stoa_status st = stoa_schema_nodes(schema, &nodes, &nnodes, err);

    if (st != STOA_OK)
        return st;
    stoa_free(verify->nodes);
    stoa_schema_reset(&verify->schema);
    verify->schema = *schema;
    *schema = (struct stoa_schema){0};
    verify->nodes = nodes;
    verify->nnodes = nnodes;
    return STOA_OK;
}

static enum stoa_status compare_schemas(struct stoa_verify *verify,
                                        const struct stoa_object *object, uint64_t offset,
                                        struct stoa_error *err)
{
    struct stoa_schema schema = {0};
    const struct stoa_schema *footers;
    uint64_t id;
    enum stoa_status st, seen;

    STOA_TRY(stoa_schema_parse_body(verify->bytes.data, verify->bytes.nbytes, &schema, &id, err));
    if (object->ref_id != id) {
        st = stoa_fail_at(err, STOA_ERR_CORRUPT, offset, "id is not that of its bytes");
        goto out;
    }
    if (verify->reader == NULL) {
        st = take_nodes(verify, &schema, err);
        goto out;
    }
    seen = stoa_reader_schema(verify->reader, &footers, err);
    if (seen != STOA_OK) /* damage is reported elsewhere */
        st = stoa_verify_is_finding(seen) ? STOA_OK : seen;
    else if (!stoa_schema_equal(&schema, footers))
        st = stoa_fail(err, STOA_ERR_CORRUPT, "differs from the schema of the footer");
out:
    stoa_schema_reset(&schema);
    return st;
}

enum stoa_status stoa_verify_schema(struct stoa_verify *verify, const struct stoa_object *object,
                                    uint64_t offset, struct stoa_error *err)
{
    enum stoa_status st;

    st = read_dir(verify, object, offset, err);
    if (st == STOA_OK)
        st = compare_schemas(verify, object, offset, err);
    if (st == STOA_OK)
        st = stoa_verify_zeros(verify, offset + STOA_OBJECT_NBYTES + object->dir_nbytes,
                               body_end(object, offset), err);
    verify->schema_id = object->ref_id;
    if (st != STOA_OK)
        stoa_wrap(err, st, "schema at %" PRIu64, offset);
    return stoa_verify_report(verify, st, err);
}

/* ---- Dictionary segments. ---- */

/* What the footer says of the object, which has the number *index there. */
static enum stoa_status compare_segment(struct stoa_verify *verify,
                                        const struct stoa_object *object, uint64_t offset,
                                        uint32_t *index, struct stoa_error *err)
{
    bool is_copy = object->flags & STOA_OBJECT_COPY;
    const struct stoa_dictionary_table *table;
    const struct stoa_verify_place *place;
    enum stoa_status st;

    *index = STOA_NONE32;
    st = stoa_verify_dictionaries(verify, &table, err);
    if (st != STOA_OK || table == NULL)
        return st;
    st = stoa_verify_next_place(verify, offset, &place, err);
    if (st != STOA_OK)
        return st;
    if (place == NULL || place->offset != offset || place->is_copy != is_copy)
        return stoa_fail_at(err, STOA_ERR_CORRUPT, offset, "the footer does not know it");
    *index = place->index;
    if (table->entries[*index].id != object->ref_id ||
        table->entries[*index].dir_hash != object->dir_hash)
        return stoa_fail_at(err, STOA_ERR_CORRUPT, offset,
                            "differs from segment %" PRIu32 " of the footer", *index);
    return STOA_OK;
}

/* The pages, by the head and page table in verify->bytes; *end is behind the last one. */
static enum stoa_status verify_segment_pages(struct stoa_verify *verify,
                                             const struct stoa_object *object, uint64_t offset,
                                             uint64_t *end, struct stoa_error *err)
{
    uint64_t pages_off = offset + STOA_OBJECT_NBYTES + object->dir_nbytes;
    uint64_t room = object->body_nbytes - object->dir_nbytes;
    uint32_t npages = (object->dir_nbytes - STOA_DICT_HEAD_NBYTES) / STOA_PAGE_ENTRY_NBYTES;
    uint8_t *table = NULL;
    uint32_t begin = 0;
    enum stoa_status st;

    STOA_TRY(stoa_alloc(&table, (size_t)npages * STOA_PAGE_ENTRY_NBYTES, err));
    memcpy(table, verify->bytes.data + STOA_DICT_HEAD_NBYTES,
           (size_t)npages * STOA_PAGE_ENTRY_NBYTES);
    for (uint32_t i = 0; i < npages; i++) {
        struct stoa_page_entry page;

        stoa_page_entry_unpack(table + (size_t)i * STOA_PAGE_ENTRY_NBYTES, &page);
        if (page.end <= begin || page.end > room) {
            st = stoa_fail_at(err, STOA_ERR_CORRUPT, offset, "page %" PRIu32 ": ends at %" PRIu32,
                              i, page.end);
            goto out;
        }
        STOA_TRY(stoa_verify_read(verify, pages_off + begin, page.end - begin, err));
        verify->result->npages++;
        if (stoa_hash(verify->bytes.data, verify->bytes.nbytes) != page.hash) {
            st = stoa_fail_at(err, STOA_ERR_CORRUPT, pages_off + begin,
                              "page %" PRIu32 ": hash differs", i);
            goto out;
        }
        begin = page.end;
    }
    *end = pages_off + begin;
out:
    stoa_free(table);
    return st;
}

enum stoa_status stoa_verify_dictionary(struct stoa_verify *verify,
                                        const struct stoa_object *object, uint64_t offset,
                                        struct stoa_error *err)
{
    struct stoa_dict_head head;
    uint64_t end = 0;
    uint32_t index = STOA_NONE32;
    enum stoa_status st;

    STOA_TRY(compare_segment(verify, object, offset, &index, err));
    STOA_TRY(read_dir(verify, object, offset, err));
    if (object->dir_nbytes < STOA_DICT_HEAD_NBYTES) {
        st = stoa_fail_at(err, STOA_ERR_CORRUPT, offset, "a directory of %" PRIu32 " bytes",
                          object->dir_nbytes);
        goto out;
    }
    STOA_TRY(stoa_dict_head_unpack(verify->bytes.data, &head, err));
    if (object->dir_nbytes != STOA_DICT_HEAD_NBYTES + (head.count + STOA_DICT_PAGE_NVALUES - 1) /
                                                          STOA_DICT_PAGE_NVALUES *
                                                          STOA_PAGE_ENTRY_NBYTES) {
        st = stoa_fail_at(err, STOA_ERR_CORRUPT, offset,
                          "%" PRIu32 " values in a directory of %" PRIu32 " bytes", head.count,
                          object->dir_nbytes);
        goto out;
    }
    STOA_TRY(verify_segment_pages(verify, object, offset, &end, err));
    STOA_TRY(stoa_verify_zeros(verify, end, body_end(object, offset), err));
    if (verify->options->deep && index != STOA_NONE32)
        STOA_TRY(stoa_verify_segment_values(verify, index, offset, head.width, err));
out:
    if (st != STOA_OK)
        stoa_wrap(err, st, "dictionary%s at %" PRIu64,
                  object->flags & STOA_OBJECT_COPY ? " copy" : "", offset);
    return stoa_verify_report(verify, st, err);
}

/* ---- Row groups. ---- */

static enum stoa_status compare_group(struct stoa_verify *verify, const struct stoa_object *object,
                                      uint64_t offset, uint32_t group, struct stoa_error *err)
{
    const struct stoa_footer *footer = &verify->reader->footer;
    const struct stoa_row_group_entry *entry;

    if (group >= footer->ngroups)
        return stoa_fail_at(err, STOA_ERR_CORRUPT, offset, "the footer has %" PRIu32 " only",
                            footer->ngroups);
    entry = &footer->groups[group];
    if (entry->offset != offset || entry->header_hash != object->hash ||
        entry->nrows != object->nrows || entry->first_row != object->stream_row)
        return stoa_fail_at(err, STOA_ERR_CORRUPT, offset, "differs from the footer");
    return STOA_OK;
}

/* The chunk as its directory tells it, in the form of the footer. */
static struct stoa_chunk to_chunk(const struct stoa_rg_entry *entry, uint64_t offset,
                                  uint32_t dict_index)
{
    bool has_bytes = !(entry->flags & STOA_CHUNK_NO_PAGES);

    return (struct stoa_chunk){
        .offset = has_bytes ? offset + entry->offset : 0,
        .nbytes = entry->nbytes,
        .nnulls = entry->nnulls,
        .hash = entry->hash,
        .dict_index = dict_index,
        .page_shift = entry->page_shift,
        .phys = entry->phys,
        .encoding = entry->encoding,
        .flags = entry->flags,
    };
}

static bool chunks_equal(const struct stoa_chunk *a, const struct stoa_chunk *b)
{
    return a->offset == b->offset && a->nbytes == b->nbytes && a->nnulls == b->nnulls &&
           a->hash == b->hash && a->page_shift == b->page_shift && a->phys == b->phys &&
           a->encoding == b->encoding && a->flags == b->flags;
}

static enum stoa_status compare_chunk(struct stoa_verify *verify, const struct stoa_rg_entry *entry,
                                      const struct stoa_chunk *chunk, uint32_t group, uint32_t node,
                                      struct stoa_error *err)
{
    const struct stoa_dictionary_table *table;
    const struct stoa_chunk *chunks;
    uint32_t nvalues = 0;
    uint64_t dict_id = 0;
    enum stoa_status st = stoa_verify_dictionaries(verify, &table, err);

    if (st == STOA_OK)
        st = stoa_footer_chunks(&verify->reader->footer, node, &chunks, err);
    if (st == STOA_OK)
        st = stoa_footer_nvalues(&verify->reader->footer, node, group, &nvalues, err);
    if (stoa_verify_is_finding(st) || (st == STOA_OK && table == NULL))
        return STOA_OK; /* is reported elsewhere */
    if (st != STOA_OK)
        return st;
    if (chunks[group].flags & STOA_CHUNK_DERIVED)
        dict_id = chunks[group].dict_index;
    else if (chunks[group].dict_index != STOA_NONE32)
        dict_id = table->entries[chunks[group].dict_index].id;
    if (!chunks_equal(chunk, &chunks[group]) || entry->dict_id != dict_id ||
        entry->nvalues != nvalues)
        return stoa_fail(err, STOA_ERR_CORRUPT, "directory and footer differ");
    return STOA_OK;
}

enum stoa_status stoa_verify_pages(struct stoa_verify *verify, const struct stoa_chunk *chunk,
                                   const struct stoa_chunk_shape *shape, uint32_t group,
                                   uint32_t node, const struct stoa_side_entry *side, bool *good,
                                   struct stoa_error *err)
{
    uint32_t local = chunk->flags & STOA_CHUNK_LOCAL_DICT ? 1 : 0;
    struct stoa_chunk_pages pages = {0};
    enum stoa_status st;

    STOA_TRY(stoa_chunk_pages_read(&verify->objects, chunk, shape, &pages, err));
    for (uint32_t begin = 0, end; begin < pages.npages; begin = end) {
        const uint8_t *bytes;

        end = begin + 1;
        while (end < pages.npages &&
               stoa_chunk_pages_nbytes(&pages, begin, end + 1) <= FETCH_NBYTES)
            end++;
        STOA_TRY(stoa_buffer_resize(&verify->bytes,
                                    (size_t)stoa_chunk_pages_nbytes(&pages, begin, end), err));
        bytes = verify->bytes.data;
        STOA_TRY(
            stoa_chunk_pages_fetch(&verify->objects, &pages, begin, end, verify->bytes.data, err));
        for (uint32_t k = begin; k < end; k++) {
            const struct stoa_stored_page *page = &pages.pages[k];

            verify->result->npages++;
            if (stoa_hash(bytes + (page->offset - pages.pages[begin].offset), page->nbytes) ==
                page->hash)
                continue;
            *good = false;
            st = stoa_fail_at(err, STOA_ERR_CORRUPT, page->offset, "hash differs");
            if (k < local)
                stoa_wrap(err, st, "dictionary page");
            else
                stoa_wrap(err, st, "page %" PRIu32, k - local);
            if (side != NULL)
                stoa_verify_wrap_side(verify, group, node, side, st, err);
            else
                stoa_verify_wrap(verify, group, node, st, err);
            STOA_TRY(stoa_verify_report(verify, st, err));
        }
    }
out:
    stoa_chunk_pages_reset(&pages);
    return st;
}

/* Where the part of the row group that is still to be looked at begins, and where it ends. */
struct group_walk {
    const struct stoa_object *object;
    uint64_t offset; /* of the object */
    uint64_t at;
    uint32_t number;
    uint32_t *nvalues; /* of the nodes so far, as the directory says */
};

/* The number of values against that of the parent; those of a list are not known here. */
static enum stoa_status check_nvalues(const struct stoa_verify *verify,
                                      const struct group_walk *walk,
                                      const struct stoa_rg_entry *entry, uint32_t node,
                                      struct stoa_error *err)
{
    const struct stoa_schema_node *place = verify->nodes != NULL ? &verify->nodes[node] : NULL;
    uint64_t expected = walk->object->nrows;

    if (entry->nvalues == 0 && !(entry->flags & STOA_CHUNK_ALL_NULL))
        return stoa_fail(err, STOA_ERR_CORRUPT, "a chunk of no values and not ALL_NULL");
    if (place != NULL && place->below_list) {
        const struct stoa_type *parent = &verify->nodes[place->parent].field->type;

        expected = walk->nvalues[place->parent];
        if (parent->id == STOA_FIXED_LIST)
            expected *= parent->width;
        if (stoa_type_has_lengths(parent->id))
            expected = entry->nvalues;
        if (entry->nvalues > STOA_CHUNK_MAX_NVALUES || entry->nvalues != expected)
            return stoa_fail(err, STOA_ERR_CORRUPT,
                             "%" PRIu32 " values, its parent asks for %" PRIu64, entry->nvalues,
                             expected);
    }
    if (entry->nvalues != expected)
        return stoa_fail(err, STOA_ERR_CORRUPT, "%" PRIu32 " values in %" PRIu32 " rows",
                         entry->nvalues, walk->object->nrows);
    return STOA_OK;
}

/* Finds what is wrong with a chunk; STOA_ERR_CORRUPT when the rest cannot be looked at. */
static enum stoa_status verify_chunk(struct stoa_verify *verify, struct group_walk *walk,
                                     const uint8_t *bytes, uint32_t node, bool *good,
                                     struct stoa_error *err)
{
    struct stoa_chunk_shape shape = {.nrows = walk->object->nrows};
    uint64_t end = body_end(walk->object, walk->offset);
    struct stoa_rg_entry entry;
    struct stoa_chunk chunk;
    enum stoa_status st;

    STOA_TRY(stoa_rg_entry_unpack(bytes, &entry, err));
    chunk = to_chunk(&entry, walk->offset, STOA_NONE32);
    walk->nvalues[node] = entry.nvalues;
    STOA_TRY(check_nvalues(verify, walk, &entry, node, err));
    if (verify->reader != NULL)
        STOA_TRY(compare_chunk(verify, &entry, &chunk, walk->number, node, err));
    if (entry.flags & STOA_CHUNK_NO_PAGES)
        return STOA_OK;
    shape.type = verify->nodes != NULL ? (uint8_t)verify->nodes[node].field->type.id : 0;
    shape.nvalues = entry.nvalues;
    if (entry.offset > UINT32_MAX * UINT64_C(1024) || chunk.offset != stoa_round_up(walk->at, 8) ||
        chunk.offset > end || chunk.nbytes > end - chunk.offset)
        return stoa_fail_at(err, STOA_ERR_CORRUPT, walk->offset,
                            "%" PRIu32 " bytes at %" PRIu64 " of the object, where they can't be",
                            chunk.nbytes, entry.offset);
    STOA_TRY(stoa_verify_zeros(verify, walk->at, chunk.offset, err));
    walk->at = chunk.offset + chunk.nbytes;
    STOA_TRY(stoa_verify_pages(verify, &chunk, &shape, walk->number, node, NULL, good, err));
out:
    return st;
}

/* The nodes of the column at `node`, all of them here; 1 where the schema is not known. */
static uint32_t count_nodes(const struct stoa_verify *verify, uint32_t node)
{
    return verify->nodes != NULL ? verify->nodes[node].nnodes : 1;
}

static enum stoa_status verify_chunks(struct stoa_verify *verify, struct group_walk *walk,
                                      struct stoa_error *err)
{
    uint32_t nnodes = walk->object->dir_nbytes / STOA_RG_ENTRY_NBYTES;
    bool known = verify->reader != NULL && walk->number < verify->reader->footer.ngroups &&
                 verify->reader->footer.groups[walk->number].offset == walk->offset;
    bool deep = verify->zones != NULL && known && nnodes == verify->reader->footer.trailer.nnodes;
    uint8_t *dir = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc(&dir, walk->object->dir_nbytes, err));
    if (walk->object->dir_nbytes > 0) /* without columns there is none */
        memcpy(dir, verify->bytes.data, walk->object->dir_nbytes);
    STOA_TRY(stoa_alloc_zeroed(&walk->nvalues, nnodes, sizeof(walk->nvalues[0]), err));
    for (uint32_t column = 0, end; column < nnodes; column = end) {
        bool good = true;

        end = column + count_nodes(verify, column);
        for (uint32_t i = column; i < end; i++) {
            st = verify_chunk(verify, walk, dir + (size_t)i * STOA_RG_ENTRY_NBYTES, i, &good, err);
            if (st != STOA_OK) {
                good = false;
                stoa_verify_wrap(verify, walk->number, i, st, err);
                STOA_TRY(stoa_verify_report(verify, st, err));
            }
        }
        if (deep && good)
            STOA_TRY(stoa_verify_column_values(verify, walk->number, column, err));
        else if (deep)
            stoa_verify_forget(verify, column);
    }
    STOA_TRY(stoa_verify_zeros(verify, walk->at, body_end(walk->object, walk->offset), err));
out:
    stoa_free(walk->nvalues);
    stoa_free(dir);
    return st;
}

static bool has_nested(const struct stoa_verify *verify)
{
    for (uint32_t i = 0; i < verify->nnodes; i++)
        if (stoa_type_is_nested(verify->nodes[i].field->type.id))
            return true;
    return false;
}

/* Whether the chunks can be told apart: nested columns need the schema for that. */
static enum stoa_status check_nodes(const struct stoa_verify *verify,
                                    const struct stoa_object *object, uint64_t offset,
                                    struct stoa_error *err)
{
    bool is_nested = object->features & STOA_FEATURE_NESTED;

    if (verify->nodes == NULL
            ? is_nested
            : object->dir_nbytes != (uint64_t)verify->nnodes * STOA_RG_ENTRY_NBYTES)
        return stoa_fail_at(err, STOA_ERR_CORRUPT, offset,
                            "a directory of %" PRIu32 " bytes, which its schema does not explain",
                            object->dir_nbytes);
    if (verify->nodes != NULL && !is_nested && has_nested(verify))
        return stoa_fail_at(err, STOA_ERR_CORRUPT, offset,
                            "nested columns without feature 2 in its header");
    return STOA_OK;
}

enum stoa_status stoa_verify_row_group(struct stoa_verify *verify, const struct stoa_object *object,
                                       uint64_t offset, struct stoa_error *err)
{
    struct group_walk walk = {
        .object = object,
        .offset = offset,
        .at = offset + STOA_OBJECT_NBYTES + object->dir_nbytes,
        .number = verify->ngroups++,
    };
    enum stoa_status st = STOA_OK;

    verify->group = *object;
    if (verify->reader != NULL)
        st = compare_group(verify, object, offset, walk.number, err);
    if (st == STOA_OK && object->ref_id != verify->schema_id)
        st =
            stoa_fail_at(err, STOA_ERR_CORRUPT, offset, "its schema is not the one in front of it");
    if (st == STOA_OK && verify->reader != NULL &&
        object->dir_nbytes !=
            (uint64_t)verify->reader->footer.trailer.nnodes * STOA_RG_ENTRY_NBYTES)
        st = stoa_fail_at(err, STOA_ERR_CORRUPT, offset, "a directory of %" PRIu32 " bytes",
                          object->dir_nbytes);
    if (st == STOA_OK)
        st = check_nodes(verify, object, offset, err);
    if (st == STOA_OK)
        st = read_dir(verify, object, offset, err);
    if (st == STOA_OK)
        st = verify_chunks(verify, &walk, err);
    if (st != STOA_OK) {
        stoa_wrap(err, st, "row group %" PRIu32, walk.number);
        for (uint32_t i = 0; verify->zones != NULL && i < verify->reader->footer.trailer.nnodes;
             i++)
            verify->unknown[i] = true;
    }
    return stoa_verify_report(verify, st, err);
}
