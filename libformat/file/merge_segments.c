/*
 * Dictionary segments on their way into a merged file.
 *
 *     part     1 <- 2 <- 3   4 <- 5          needed by chunks: 2 and 5, so 1 2 4 5
 *     output   1' <- 7                       4 is 1' again, by id and bytes: once is enough
 *
 * A segment is called by an id that follows from its values, so a chain may be copied as it is and
 * equal beginnings of chains fall together. Two segments of one id and different bytes (values that
 * were encoded in another way, or a forgery) can't both be in a file: columns that need the later
 * one are encoded anew. What can no longer be compared, because the output keeps no copy of its
 * segments any more, counts as different.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "file/merge_part.h"

/* ---- Reading ---- */

static uint32_t dir_nbytes_of(const struct stoa_dictdir_entry *entry)
{
    uint32_t npages = (entry->count + STOA_DICT_PAGE_NVALUES - 1) / STOA_DICT_PAGE_NVALUES;

    return STOA_DICT_HEAD_NBYTES + npages * STOA_PAGE_ENTRY_NBYTES;
}

/* The head of a verified directory must say what the footer does. */
static enum stoa_status check_head(const struct stoa_part *part, uint32_t index,
                                   const uint8_t *bytes, struct stoa_error *err)
{
    const struct stoa_dictdir_entry *entries = part->table->entries, *entry = &entries[index];
    uint64_t prev_id = entry->prev_index == STOA_NONE32 ? 0 : entries[entry->prev_index].id;
    struct stoa_dict_head head;
    enum stoa_status st = stoa_dict_head_unpack(bytes, &head, err);

    if (st == STOA_OK && (head.prev_id != prev_id || head.first_code != entry->first_code ||
                          head.count != entry->count || head.phys != entry->phys))
        st = stoa_fail(err, STOA_ERR_CORRUPT, "head and directory differ");
    return st;
}

/* The pages behind the directory against their hashes, and zeros behind them. */
static enum stoa_status check_pages(const struct stoa_buffer *body, uint32_t dir_nbytes,
                                    struct stoa_error *err)
{
    size_t begin = dir_nbytes;

    for (uint32_t at = STOA_DICT_HEAD_NBYTES; at < dir_nbytes; at += STOA_PAGE_ENTRY_NBYTES) {
        uint32_t number = (at - STOA_DICT_HEAD_NBYTES) / STOA_PAGE_ENTRY_NBYTES;
        struct stoa_page_entry page;
        size_t end;

        stoa_page_entry_unpack(body->data + at, &page);
        end = (size_t)dir_nbytes + page.end;
        if (end <= begin || end > body->nbytes)
            return stoa_fail(err, STOA_ERR_CORRUPT, "page %" PRIu32 ": ends at %" PRIu32, number,
                             page.end);
        if (stoa_hash(body->data + begin, end - begin) != page.hash)
            return stoa_fail(err, STOA_ERR_CORRUPT, "page %" PRIu32 ": hash differs", number);
        begin = end;
    }
    for (; begin < body->nbytes; begin++)
        if (body->data[begin] != 0)
            return stoa_fail(err, STOA_ERR_CORRUPT, "bytes behind the last page");
    return STOA_OK;
}

static enum stoa_status read_body(const struct stoa_part *part, uint32_t index, uint64_t offset,
                                  struct stoa_buffer *body, struct stoa_error *err)
{
    const struct stoa_footer *footer = &part->reader->footer;
    const struct stoa_dictdir_entry *entry = &part->table->entries[index];
    uint32_t dir_nbytes = dir_nbytes_of(entry);
    uint64_t room = footer->trailer.footer_off - offset - STOA_OBJECT_NBYTES;
    uint8_t packed[STOA_OBJECT_NBYTES];
    struct stoa_object header;
    enum stoa_status st;

    STOA_TRY(stoa_footer_read(footer, offset, packed, sizeof(packed), err));
    STOA_TRY(stoa_object_unpack(packed, &header, err));
    if (header.kind != STOA_OBJECT_DICT || header.ref_id != entry->id ||
        header.dir_nbytes != dir_nbytes || header.dir_hash != entry->dir_hash ||
        header.body_nbytes > room)
        return stoa_fail(err, STOA_ERR_CORRUPT, "differs from the footer");
    if (header.body_nbytes > part->merger->memory_nbytes)
        return stoa_fail(err, STOA_ERR_LIMIT,
                         "%" PRIu64 " bytes; %" PRIu64 " bytes of memory are allowed",
                         header.body_nbytes, part->merger->memory_nbytes);
    STOA_TRY(stoa_buffer_resize(body, (size_t)header.body_nbytes, err));
    STOA_TRY(stoa_footer_read(footer, offset + STOA_OBJECT_NBYTES, body->data, body->nbytes, err));
    if (stoa_hash(body->data, dir_nbytes) != entry->dir_hash)
        return stoa_fail(err, STOA_ERR_CORRUPT, "hash differs");
    STOA_TRY(check_head(part, index, body->data, err));
    STOA_TRY(check_pages(body, dir_nbytes, err));
out:
    return st;
}

/* The verified body of a segment: of its object, or where that is damaged of its second copy. */
static enum stoa_status read_segment(const struct stoa_part *part, uint32_t index,
                                     struct stoa_buffer *out, struct stoa_error *err)
{
    const struct stoa_dictdir_entry *entry = &part->table->entries[index];
    struct stoa_buffer body = {0};
    enum stoa_status st = read_body(part, index, entry->offset, &body, err);

    if (st == STOA_ERR_CORRUPT && entry->copy_offset != 0 &&
        read_body(part, index, entry->copy_offset, &body, NULL) == STOA_OK)
        st = STOA_OK;
    if (st != STOA_OK) {
        stoa_buffer_free(&body);
        if (err != NULL && st == STOA_ERR_CORRUPT)
            err->offset = entry->offset;
        return stoa_wrap(err, st, "dictionary segment %" PRIu32, index);
    }
    *out = body;
    return STOA_OK;
}

/* ---- Planning ---- */

static void mark_needed(struct stoa_part *part, uint32_t index)
{
    while (index != STOA_NONE32 && !part->segments[index].needed) {
        part->segments[index].needed = true;
        index = part->table->entries[index].prev_index;
    }
}

/* Marks what the chunks of a column need, or with `clashes` says whether some of that clashes. */
static enum stoa_status look_at_chunks(struct stoa_part *part, uint32_t column, bool *clashes,
                                       struct stoa_error *err)
{
    struct stoa_footer *footer = &part->reader->footer;
    const uint32_t *columns = part->merger->columns;
    enum stoa_status st = STOA_OK;

    for (uint32_t node = columns[column]; node < columns[column + 1]; node++) {
        const struct stoa_chunk *chunks;

        if (part->node_of[node] == STOA_NONE32)
            continue;
        STOA_TRY(stoa_footer_chunks(footer, part->node_of[node], &chunks, err));
        for (uint32_t group = 0; group < footer->ngroups; group++) {
            if (!(chunks[group].flags & STOA_CHUNK_SHARED_DICT))
                continue;
            if (clashes != NULL)
                *clashes |= part->segments[chunks[group].dict_index].clashes;
            else
                mark_needed(part, chunks[group].dict_index);
        }
    }
out:
    return st;
}

static bool bodies_equal(const struct stoa_buffer *a, const struct stoa_buffer *b)
{
    return a->nbytes == b->nbytes && memcmp(a->data, b->data, a->nbytes) == 0;
}

/* Holds a segment against the one of the output that has its id, if there is one. */
static enum stoa_status compare_with_output(struct stoa_part *part, uint32_t index,
                                            struct stoa_error *err)
{
    const struct stoa_assembler *file = part->merger->file;
    uint32_t there = stoa_assembler_find_segment(file, part->table->entries[index].id);
    const struct stoa_buffer *kept;
    struct stoa_buffer body = {0};
    enum stoa_status st;

    if (there == STOA_NONE32)
        return STOA_OK;
    kept = stoa_assembler_segment_body(file, there);
    st = read_segment(part, index, &body, err);
    if (st != STOA_OK)
        return st;
    if (kept != NULL && bodies_equal(kept, &body))
        part->segments[index].index = there;
    else
        part->segments[index].clashes = true;
    stoa_buffer_free(&body);
    return STOA_OK;
}

/* The same for a later segment of the part itself. */
static enum stoa_status compare_in_part(struct stoa_part *part, uint32_t first, uint32_t index,
                                        struct stoa_error *err)
{
    struct stoa_buffer a = {0}, b = {0};
    enum stoa_status st;

    STOA_TRY(read_segment(part, first, &a, err));
    STOA_TRY(read_segment(part, index, &b, err));
    if (bodies_equal(&a, &b))
        part->segments[index].same_as = first;
    else
        part->segments[index].clashes = true;
out:
    stoa_buffer_free(&a);
    stoa_buffer_free(&b);
    return st;
}

struct named {
    uint64_t id;
    uint32_t index;
};

static int compare_named(const void *a, const void *b)
{
    const struct named *x = a, *y = b;

    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* Segments of one id in the part: rare, a chain that ended and began anew with the same values. */
static enum stoa_status find_doubles(struct stoa_part *part, struct stoa_error *err)
{
    uint32_t nsegments = part->table->nentries, n = 0;
    struct named *named = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc(&named, nsegments * sizeof(named[0]), err));
    for (uint32_t i = 0; i < nsegments; i++)
        if (part->segments[i].needed)
            named[n++] = (struct named){part->table->entries[i].id, i};
    qsort(named, n, sizeof(named[0]), compare_named);
    for (uint32_t i = 1, first = 0; i < n; i++) {
        if (named[i].id != named[first].id)
            first = i;
        else
            STOA_TRY(compare_in_part(part, named[first].index, named[i].index, err));
    }
out:
    stoa_free(named);
    return st;
}

enum stoa_status stoa_part_plan_segments(struct stoa_part *part, struct stoa_error *err)
{
    const struct stoa_dictdir_entry *entries = part->table->entries;
    uint32_t ncolumns = part->merger->schema->nfields;
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 0; i < part->table->nentries; i++)
        part->segments[i] = (struct stoa_part_segment){.index = STOA_NONE32, .same_as = i};
    if (part->gives != NULL) /* there is nothing to compare with, and doubles stay */
        return STOA_OK;
    for (uint32_t i = 0; i < ncolumns; i++)
        if (!part->encodes[i])
            STOA_TRY(look_at_chunks(part, i, NULL, err));
    STOA_TRY(find_doubles(part, err));
    for (uint32_t i = 0; i < part->table->nentries; i++) {
        uint32_t prev = entries[i].prev_index;

        if (part->segments[i].needed)
            STOA_TRY(compare_with_output(part, i, err));
        if (prev != STOA_NONE32)
            part->segments[i].clashes |= part->segments[prev].clashes;
    }
    for (uint32_t i = 0; i < ncolumns; i++)
        if (!part->encodes[i])
            STOA_TRY(look_at_chunks(part, i, &part->encodes[i], err));
out:
    return st;
}

/* ---- Writing ---- */

static enum stoa_status write_segment(struct stoa_part *part, uint32_t index,
                                      struct stoa_error *err)
{
    struct stoa_dictdir_entry entry = part->table->entries[index];
    struct stoa_buffer body = {0};
    enum stoa_status st;

    STOA_TRY(read_segment(part, index, &body, err));
    if (entry.prev_index != STOA_NONE32)
        entry.prev_index = part->segments[entry.prev_index].index;
    part->segments[index].index = (uint32_t)part->merger->file->footer.nsegments;
    STOA_TRY(stoa_assembler_add_segment(part->merger->file, &entry,
                                        dir_nbytes_of(&part->table->entries[index]), &body, err));
out:
    stoa_buffer_free(&body);
    return st;
}

/* Writes the segments of waiting[0..n), the last one first, unless the output has them. */
static enum stoa_status write_waiting(struct stoa_part *part, const uint32_t *waiting, uint32_t n,
                                      struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    while (n-- > 0) {
        struct stoa_part_segment *segment = &part->segments[waiting[n]];

        if (part->segments[segment->same_as].index == STOA_NONE32)
            STOA_TRY(write_segment(part, segment->same_as, err));
        segment->index = part->segments[segment->same_as].index;
    }
out:
    return st;
}

enum stoa_status stoa_part_copy_segment(struct stoa_part *part, uint32_t index,
                                        struct stoa_error *err)
{
    size_t n = 0, capacity = 0;
    uint32_t *waiting = NULL;
    enum stoa_status st = STOA_OK;

    for (uint32_t at = index; at != STOA_NONE32 && part->segments[at].index == STOA_NONE32;
         at = part->table->entries[part->segments[at].same_as].prev_index) {
        STOA_TRY(stoa_reserve(&waiting, &capacity, n + 1, sizeof(waiting[0]), err));
        waiting[n++] = at;
    }
    STOA_TRY(write_waiting(part, waiting, (uint32_t)n, err));
out:
    stoa_free(waiting);
    return st;
}

enum stoa_status stoa_part_give_segment(struct stoa_part *part, struct stoa_segment *segment,
                                        struct stoa_error *err)
{
    struct stoa_assembler *file = part->merger->file;
    struct stoa_dictdir_entry entry = stoa_segment_entry(segment);
    enum stoa_status st;

    assert(segment->index == part->ngiven_segments);
    if (entry.prev_index != STOA_NONE32)
        entry.prev_index = part->given_segments[entry.prev_index];
    STOA_TRY(stoa_reserve(&part->given_segments, &part->given_capacity, part->ngiven_segments + 1,
                          sizeof(part->given_segments[0]), err));
    part->given_segments[part->ngiven_segments++] = (uint32_t)file->footer.nsegments;
    STOA_TRY(stoa_assembler_add_segment(file, &entry, segment->dir_nbytes, &segment->body, err));
out:
    return st;
}
