/*
 * Reading side tables (spec/format.md, section 15).
 *
 *     footer      side tables: | offset, header_hash, row group | ..
 *                                   |
 *     object          header <------+     its ref_id is the hash of the row group's header
 *                     directory           fits the header's dir_hash
 *                     chunks              as any others: heads and pages fit their hashes
 */
#include "file/side_read.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/error.h"
#include "base/hash.h"

/* ---- One of them. ---- */

void stoa_side_object_reset(struct stoa_side_object *object)
{
    stoa_free(object->entries);
    *object = (struct stoa_side_object){0};
}

struct stoa_chunk stoa_side_chunk(const struct stoa_side_object *object, uint32_t number)
{
    const struct stoa_rg_entry *entry = &object->entries[number].chunk;
    bool has_bytes = !(entry->flags & STOA_CHUNK_NO_PAGES);

    return (struct stoa_chunk){
        .offset = has_bytes ? object->offset + entry->offset : 0,
        .nbytes = entry->nbytes,
        .nnulls = entry->nnulls,
        .hash = entry->hash,
        .dict_index = STOA_NONE32,
        .page_shift = entry->page_shift,
        .phys = entry->phys,
        .encoding = entry->encoding,
        .flags = entry->flags,
    };
}

/* A chunk has a value for each row and follows what stands in front of it. */
static enum stoa_status place_chunk(struct stoa_side_object *object,
                                    const struct stoa_side_entry *entry, uint64_t body_end,
                                    struct stoa_error *err)
{
    const struct stoa_rg_entry *chunk = &entry->chunk;
    uint64_t offset = object->offset + chunk->offset;

    if (!entry->has_values)
        return STOA_OK;
    if (chunk->nvalues != object->nrows)
        return stoa_fail(err, STOA_ERR_CORRUPT, "%s: %" PRIu32 " values in %" PRIu32 " rows",
                         stoa_side_kind_name(entry->kind), chunk->nvalues, object->nrows);
    if (chunk->flags & STOA_CHUNK_NO_PAGES)
        return STOA_OK;
    if (chunk->offset > UINT64_MAX - object->offset || offset != stoa_round_up(object->end, 8) ||
        offset > body_end || chunk->nbytes > body_end - offset)
        return stoa_fail(err, STOA_ERR_CORRUPT,
                         "%s: %" PRIu32 " bytes at %" PRIu64 " of the object, where they can't be",
                         stoa_side_kind_name(entry->kind), chunk->nbytes, chunk->offset);
    object->end = offset + chunk->nbytes;
    return STOA_OK;
}

static bool in_order(const struct stoa_side_entry *a, const struct stoa_side_entry *b)
{
    return a->column != b->column ? a->column < b->column : a->kind < b->kind;
}

static enum stoa_status parse_entries(struct stoa_side_object *object, const uint8_t *dir,
                                      size_t nbytes, uint64_t body_end, struct stoa_error *err)
{
    size_t used;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&object->entries, nbytes / STOA_SIDE_ENTRY_NBYTES,
                               sizeof(object->entries[0]), err));
    for (size_t at = 0; at < nbytes; at += used) {
        struct stoa_side_entry *entry = &object->entries[object->nentries];

        STOA_TRY(stoa_side_entry_unpack(dir + at, nbytes - at, entry, &used, err));
        if (object->nentries > 0 && !in_order(entry - 1, entry))
            return stoa_fail(err, STOA_ERR_CORRUPT, "entry %" PRIu32 " is not in order",
                             object->nentries);
        STOA_TRY(place_chunk(object, entry, body_end, err));
        object->nentries++;
    }
out:
    return st;
}

enum stoa_status stoa_side_open(const struct stoa_footer *footer, const struct stoa_object *header,
                                uint64_t offset, uint32_t nrows, struct stoa_side_object *out,
                                struct stoa_error *err)
{
    uint64_t body = offset + STOA_OBJECT_NBYTES;
    struct stoa_side_object object = {
        .offset = offset, .end = body + header->dir_nbytes, .nrows = nrows};
    /* An entry takes more memory than it has bytes. */
    uint64_t need =
        (uint64_t)header->dir_nbytes * (1 + sizeof(object.entries[0]) / STOA_SIDE_ENTRY_NBYTES + 1);
    struct stoa_budget budget = {footer->memory_nbytes, footer->memory_nbytes};
    uint8_t *dir = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_budget_take(&budget, need, err));
    STOA_TRY(stoa_alloc(&dir, header->dir_nbytes, err));
    STOA_TRY(stoa_footer_read(footer, body, dir, header->dir_nbytes, err));
    if (stoa_object_dir_hash(dir, header->dir_nbytes) != header->dir_hash)
        st = stoa_fail(err, STOA_ERR_CORRUPT, "directory: hash differs");
    else if (header->dir_nbytes == 0)
        st = stoa_fail(err, STOA_ERR_CORRUPT, "directory: no entries");
    else
        st = parse_entries(&object, dir, header->dir_nbytes, body + header->body_nbytes, err);
    if (st != STOA_OK) {
        if (err != NULL && st == STOA_ERR_CORRUPT)
            err->offset = body;
        goto out;
    }
    *out = object;
    object = (struct stoa_side_object){0};
out:
    stoa_side_object_reset(&object);
    stoa_free(dir);
    return st;
}

enum stoa_status stoa_side_check_columns(const struct stoa_side_object *object, uint32_t ncolumns,
                                         struct stoa_error *err)
{
    for (uint32_t i = 0; i < object->nentries; i++) {
        uint32_t column = object->entries[i].column;

        if (column != STOA_SIDE_RECORDS && column >= ncolumns)
            return stoa_fail_at(err, STOA_ERR_CORRUPT, object->offset,
                                "an entry of column %" PRIu32 " of %" PRIu32, column, ncolumns);
    }
    return STOA_OK;
}

enum stoa_status stoa_side_wrap(const struct stoa_footer *footer,
                                const struct stoa_side_entry *entry, enum stoa_status st,
                                struct stoa_error *err)
{
    stoa_wrap(err, st, "%s", stoa_side_kind_name(entry->kind));
    if (entry->column == STOA_SIDE_RECORDS)
        return st;
    return stoa_footer_wrap(footer, stoa_footer_column_node(footer, entry->column), st, err);
}

enum stoa_status stoa_side_values(struct stoa_reader *reader, const struct stoa_side_object *object,
                                  uint32_t number, struct stoa_budget *budget,
                                  struct stoa_array *out, struct stoa_error *err)
{
    const struct stoa_side_entry *entry = &object->entries[number];
    bool is_form = entry->kind == STOA_SIDE_FORM;
    const struct stoa_chunk chunk = stoa_side_chunk(object, number);
    const struct stoa_column column = {
        .place.type = is_form ? STOA_UINT8 : STOA_BINARY,
        .field = {.type.id = is_form ? STOA_UINT8 : STOA_BINARY, .nullable = !is_form},
        .phys = is_form ? STOA_PHYS_U8 : STOA_PHYS_BYTES,
    };
    enum stoa_status st =
        stoa_chunk_read_alone(reader, &column, &chunk, object->nrows, budget, out, err);

    return st == STOA_OK ? st : stoa_side_wrap(&reader->footer, entry, st, err);
}

/* ---- All of a file. ---- */

/* Each stands behind its row group and in front of the next one. */
static enum stoa_status check_place(const struct stoa_footer *footer,
                                    const struct stoa_sidedir_entry *entry, uint64_t first_group,
                                    struct stoa_error *err)
{
    uint64_t end;

    if (entry->group < first_group || entry->group >= footer->ngroups)
        return stoa_fail(err, STOA_ERR_CORRUPT, "of row group %" PRIu32 " of %" PRIu32,
                         entry->group, footer->ngroups);
    end = stoa_footer_group_end(footer, entry->group);
    if (entry->offset <= footer->groups[entry->group].offset || entry->offset >= end ||
        end - entry->offset < STOA_OBJECT_NBYTES)
        return stoa_fail(err, STOA_ERR_CORRUPT, "at %" PRIu64 ", where it can't be", entry->offset);
    return STOA_OK;
}

static enum stoa_status load_sides(struct stoa_footer *footer, struct stoa_sidedir_entry **out,
                                   struct stoa_error *err)
{
    uint64_t count = stoa_footer_section_count(footer, STOA_SECTION_SIDES), first_group = 0;
    struct stoa_budget budget = {footer->memory_nbytes, footer->memory_nbytes};
    struct stoa_sidedir_entry *entries = NULL;
    uint8_t bytes[STOA_SIDEDIR_NBYTES];
    enum stoa_status st;

    if (count > footer->ngroups) {
        st = stoa_fail(err, STOA_ERR_CORRUPT, "%" PRIu64 " of %" PRIu32 " row groups", count,
                       footer->ngroups);
        goto out;
    }
    STOA_TRY(stoa_budget_take(&budget, count * sizeof(entries[0]), err));
    STOA_TRY(stoa_alloc(&entries, (size_t)(count + 1) * sizeof(entries[0]), err));
    for (uint64_t i = 0; i < count; i++) {
        STOA_TRY(stoa_footer_section_read(footer, STOA_SECTION_SIDES, i * sizeof(bytes), bytes,
                                          sizeof(bytes), err));
        STOA_TRY(stoa_sidedir_entry_unpack(bytes, &entries[i], err));
        STOA_TRY(check_place(footer, &entries[i], first_group, err));
        first_group = (uint64_t)entries[i].group + 1;
    }
    *out = entries;
    entries = NULL;
out:
    stoa_free(entries);
    return st == STOA_OK ? st : stoa_wrap(err, st, "side tables");
}

enum stoa_status stoa_reader_sides(struct stoa_reader *reader,
                                   const struct stoa_sidedir_entry **out, struct stoa_error *err)
{
    struct stoa_sidedir_entry *mine = NULL;
    enum stoa_status st = STOA_OK;

    if (stoa_once_get(&reader->sides) == NULL) {
        STOA_TRY(load_sides(&reader->footer, &mine, err));
        if (stoa_once_publish(&reader->sides, mine) != mine)
            stoa_free(mine);
    }
    *out = stoa_once_get(&reader->sides);
out:
    return st;
}

/* The entry of a row group, or NULL. */
static const struct stoa_sidedir_entry *find_side(const struct stoa_sidedir_entry *entries,
                                                  uint64_t count, uint32_t group)
{
    uint64_t low = 0, high = count;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (entries[middle].group < group)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && entries[low].group == group ? &entries[low] : NULL;
}

/* The header of a side table, as the footer knows it. */
static enum stoa_status read_header(const struct stoa_footer *footer,
                                    const struct stoa_sidedir_entry *entry,
                                    struct stoa_object *header, struct stoa_error *err)
{
    const struct stoa_row_group_entry *group = &footer->groups[entry->group];
    uint64_t room = stoa_footer_group_end(footer, entry->group) - entry->offset;
    uint8_t bytes[STOA_OBJECT_NBYTES];
    enum stoa_status st;

    STOA_TRY(stoa_footer_read(footer, entry->offset, bytes, sizeof(bytes), err));
    st = stoa_object_unpack(bytes, header, err);
    if (st == STOA_OK &&
        (header->kind != STOA_OBJECT_SIDE || header->hash != entry->header_hash ||
         header->ref_id != group->header_hash || header->body_nbytes > room - sizeof(bytes)))
        st = stoa_fail(err, STOA_ERR_CORRUPT, "object header: differs from the footer");
    if (err != NULL && st == STOA_ERR_CORRUPT)
        err->offset = entry->offset;
out:
    return st;
}

enum stoa_status stoa_reader_side_open(struct stoa_reader *reader, uint32_t row_group,
                                       struct stoa_side_object *out, bool *has,
                                       struct stoa_error *err)
{
    const struct stoa_footer *footer = &reader->footer;
    uint64_t count = stoa_footer_section_count(footer, STOA_SECTION_SIDES);
    const struct stoa_sidedir_entry *entries, *entry;
    struct stoa_side_object object = {0};
    struct stoa_object header;
    enum stoa_status st;

    *has = false;
    if (count == 0)
        return STOA_OK;
    STOA_TRY(stoa_reader_sides(reader, &entries, err));
    entry = find_side(entries, count, row_group);
    if (entry == NULL)
        return STOA_OK;
    STOA_TRY(read_header(footer, entry, &header, err));
    STOA_TRY(stoa_side_open(footer, &header, entry->offset, footer->groups[row_group].nrows,
                            &object, err));
    STOA_TRY(stoa_side_check_columns(&object, footer->ncolumns, err));
    *out = object;
    object = (struct stoa_side_object){0};
    *has = true;
out:
    stoa_side_object_reset(&object);
    return st;
}

static enum stoa_status read_side(struct stoa_reader *reader, uint32_t row_group,
                                  struct stoa_side *out, struct stoa_error *err)
{
    struct stoa_budget budget = {reader->footer.memory_nbytes, reader->footer.memory_nbytes};
    struct stoa_side_object object = {0};
    struct stoa_side side = {.nrows = reader->footer.groups[row_group].nrows};
    bool has;
    enum stoa_status st;

    STOA_TRY(stoa_reader_side_open(reader, row_group, &object, &has, err));
    STOA_TRY(stoa_budget_take(&budget, object.nentries * sizeof(side.columns[0]), err));
    STOA_TRY(stoa_alloc_zeroed(&side.columns, object.nentries, sizeof(side.columns[0]), err));
    for (uint32_t i = 0; i < object.nentries; i++) {
        const struct stoa_side_entry *entry = &object.entries[i];
        struct stoa_side_column *column = &side.columns[side.ncolumns++];

        column->column = entry->column;
        column->kind = entry->kind;
        memcpy(column->rule, entry->rule, sizeof(column->rule));
        if (entry->has_values)
            STOA_TRY(stoa_side_values(reader, &object, i, &budget, &column->array, err));
    }
    *out = side;
    side = (struct stoa_side){0};
out:
    stoa_side_reset(&side);
    stoa_side_object_reset(&object);
    return st;
}

enum stoa_status stoa_reader_side(struct stoa_reader *reader, uint32_t row_group,
                                  struct stoa_side *out, struct stoa_error *err)
{
    enum stoa_status st;

    if (row_group >= reader->footer.ngroups)
        return stoa_fail(err, STOA_ERR_USAGE, "row group %" PRIu32 " of %" PRIu32, row_group,
                         reader->footer.ngroups);
    st = read_side(reader, row_group, out, err);
    if (st != STOA_OK) {
        stoa_wrap(err, st, "side table");
        stoa_wrap(err, st, "row group %" PRIu32, row_group);
    }
    return st;
}
