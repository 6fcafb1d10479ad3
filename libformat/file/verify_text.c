/*
 * Verifying source text: side tables, by themselves and against the footer, and sources.
 *
 * Without a footer a side table belongs to the row group that was met last, which its header names.
 */
#include <inttypes.h>

#include "base/error.h"
#include "file/sources_read.h"
#include "file/verify.h"

enum stoa_status stoa_verify_sides(struct stoa_verify *verify,
                                   const struct stoa_sidedir_entry **out, struct stoa_error *err)
{
    enum stoa_status st;

    *out = NULL;
    if (verify->reader == NULL)
        return STOA_OK;
    st = stoa_reader_sides(verify->reader, out, err);
    return stoa_verify_is_finding(st) ? STOA_OK : st;
}

enum stoa_status stoa_verify_wrap_side(struct stoa_verify *verify, uint32_t group, uint32_t node,
                                       const struct stoa_side_entry *side, enum stoa_status st,
                                       struct stoa_error *err)
{
    stoa_wrap(err, st, "%s", stoa_side_kind_name(side->kind));
    if (node != STOA_NONE32)
        stoa_verify_wrap(verify, UINT32_MAX, node, st, err);
    stoa_wrap(err, st, "side table");
    return stoa_wrap(err, st, "row group %" PRIu32, group);
}

/* ---- Side tables ---- */

/* The row group that a side table belongs to, if it does. */
static enum stoa_status find_group(struct stoa_verify *verify, const struct stoa_object *object,
                                   uint64_t offset, uint32_t *group, uint32_t *nrows,
                                   struct stoa_error *err)
{
    const struct stoa_footer *footer;
    const struct stoa_sidedir_entry *sides;
    uint64_t low = 0, high;
    enum stoa_status st;

    *group = verify->ngroups > 0 ? verify->ngroups - 1 : 0;
    *nrows = verify->group.nrows;
    STOA_TRY(stoa_verify_sides(verify, &sides, err));
    if (sides == NULL) {
        if (verify->group.kind == 0 || verify->group.hash != object->ref_id)
            return stoa_fail_at(err, STOA_ERR_CORRUPT, offset,
                                "its row group is not the one in front of it");
        return STOA_OK;
    }
    footer = &verify->reader->footer;
    high = stoa_footer_section_count(footer, STOA_SECTION_SIDES);
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (sides[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == stoa_footer_section_count(footer, STOA_SECTION_SIDES) ||
        sides[low].offset != offset || sides[low].header_hash != object->hash)
        return stoa_fail_at(err, STOA_ERR_CORRUPT, offset, "the footer does not know it");
    *group = sides[low].group;
    *nrows = footer->groups[*group].nrows;
    if (footer->groups[*group].header_hash != object->ref_id)
        return stoa_fail_at(err, STOA_ERR_CORRUPT, offset, "its row group is another one");
out:
    return st;
}

/* The first node of a column, where the schema is known. */
static uint32_t node_of(const struct stoa_verify *verify, uint32_t column)
{
    uint32_t node = 0;

    if (verify->reader != NULL && column < verify->reader->footer.ncolumns)
        return stoa_footer_column_node(&verify->reader->footer, column);
    for (; node < verify->nnodes && column > 0; column--)
        node += verify->nodes[node].nnodes;
    return node < verify->nnodes && column == 0 ? node : STOA_NONE32;
}

static enum stoa_status check_columns(const struct stoa_verify *verify,
                                      const struct stoa_side_object *side, struct stoa_error *err)
{
    uint32_t ncolumns = 0;

    if (verify->reader != NULL)
        return stoa_side_check_columns(side, verify->reader->footer.ncolumns, err);
    if (verify->nodes == NULL) /* not known */
        return STOA_OK;
    for (uint32_t node = 0; node < verify->nnodes; node += verify->nodes[node].nnodes)
        ncolumns++;
    return stoa_side_check_columns(side, ncolumns, err);
}

/* Deep: its values can be read. */
static enum stoa_status verify_values(struct stoa_verify *verify,
                                      const struct stoa_side_object *side, uint32_t entry,
                                      uint32_t group, struct stoa_error *err)
{
    uint64_t memory = verify->reader->footer.memory_nbytes;
    struct stoa_budget budget = {memory, memory};
    struct stoa_array array = {0};
    enum stoa_status st = stoa_side_values(verify->reader, side, entry, &budget, &array, err);

    stoa_array_reset(&array);
    if (st != STOA_OK) {
        stoa_wrap(err, st, "side table");
        stoa_wrap(err, st, "row group %" PRIu32, group);
    }
    return stoa_verify_report(verify, st, err);
}

/* The chunks, the zeros around them; *at is behind the last one that was looked at. */
static enum stoa_status verify_entry(struct stoa_verify *verify,
                                     const struct stoa_side_object *side, uint32_t number,
                                     uint32_t group, uint64_t *at, struct stoa_error *err)
{
    const struct stoa_side_entry *entry = &side->entries[number];
    const struct stoa_chunk chunk = stoa_side_chunk(side, number);
    const struct stoa_chunk_shape shape = {
        .type = entry->kind == STOA_SIDE_FORM ? STOA_UINT8 : STOA_BINARY,
        .nvalues = side->nrows,
        .nrows = side->nrows,
    };
    uint32_t node =
        entry->column == STOA_SIDE_RECORDS ? STOA_NONE32 : node_of(verify, entry->column);
    bool good = true;
    enum stoa_status st = STOA_OK;

    if (entry->has_values && !(chunk.flags & STOA_CHUNK_NO_PAGES)) {
        STOA_TRY(stoa_verify_zeros(verify, *at, chunk.offset, err));
        *at = chunk.offset + chunk.nbytes;
        st = stoa_verify_pages(verify, &chunk, &shape, group, node, entry, &good, err);
        if (stoa_verify_is_finding(st)) {
            good = false;
            stoa_verify_wrap_side(verify, group, node, entry, st, err);
            st = stoa_verify_report(verify, st, err);
        }
    }
    if (st == STOA_OK && good && entry->has_values && verify->zones != NULL)
        st = verify_values(verify, side, number, group, err);
out:
    return st;
}

enum stoa_status stoa_verify_side(struct stoa_verify *verify, const struct stoa_object *object,
                                  uint64_t offset, struct stoa_error *err)
{
    uint64_t body = offset + STOA_OBJECT_NBYTES, at = body + object->dir_nbytes;
    struct stoa_side_object side = {0};
    uint32_t group = 0, nrows = 0;
    enum stoa_status st;

    verify->nsides++;
    STOA_TRY(find_group(verify, object, offset, &group, &nrows, err));
    STOA_TRY(stoa_side_open(&verify->objects, object, offset, nrows, &side, err));
    STOA_TRY(check_columns(verify, &side, err));
    for (uint32_t i = 0; i < side.nentries; i++)
        STOA_TRY(verify_entry(verify, &side, i, group, &at, err));
    STOA_TRY(stoa_verify_zeros(verify, at, body + object->body_nbytes, err));
out:
    stoa_side_object_reset(&side);
    if (st != STOA_OK)
        stoa_wrap(err, st, "side table at %" PRIu64, offset);
    return stoa_verify_report(verify, st, err);
}

/* ---- Sources ---- */

static enum stoa_status take_source(void *context, const struct stoa_source_info *info,
                                    struct stoa_error *err)
{
    (void)context;
    (void)info;
    (void)err;
    return STOA_OK;
}

enum stoa_status stoa_verify_text(struct stoa_verify *verify, struct stoa_error *err)
{
    const struct stoa_sidedir_entry *sides;
    enum stoa_status st;

    STOA_TRY(stoa_verify_report(verify, stoa_reader_sides(verify->reader, &sides, err), err));
    st = stoa_sources_each(verify->reader, take_source, NULL, err);
    st = stoa_verify_report(verify, st, err);
out:
    return st;
}
