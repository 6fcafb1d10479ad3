/*
 * Trees of arrays from the chunks of their nodes (spec/format.md, "Nested columns").
 *
 *     list<struct<a, b>>        rows 2..4 wanted
 *
 *     lengths     3 0 | 2 1 | 4         the page table says that row 2 begins at child value 3
 *     struct      . . . | + + + | . . . .         so values [3, 6) of the children are read
 *     a           . . . | + + + | . . . .
 *     b           . . . | + + + | . . . .
 *
 * Each node is asked for a range of its own values, and says which range of its child they cover:
 * pages of no other values are read. The depth of the recursion is that of the schema, which has a
 * limit; all nodes of one request share one budget.
 */
#include <inttypes.h>

#include "base/alloc.h"
#include "base/error.h"
#include "file/nulls.h"
#include "file/reader.h"

/* A request: what is the same for all its nodes. */
struct request {
    struct stoa_reader *reader;
    uint32_t row_group;
    struct stoa_budget budget;
    struct stoa_read_counters *counters;
};

static enum stoa_status read_tree(struct request *request, uint32_t node, struct stoa_range values,
                                  struct stoa_array *out, struct stoa_error *err);

static enum stoa_status check_nulls(struct request *request, uint32_t node, size_t width,
                                    const struct stoa_array *parent, const struct stoa_array *child,
                                    struct stoa_error *err)
{
    struct stoa_column *info;
    enum stoa_status st = stoa_footer_column(&request->reader->footer, node, &info, err);

    if (st != STOA_OK || stoa_nulls_fit(parent, child, width, info->field.nullable))
        return st;
    st = stoa_fail(err, STOA_ERR_CORRUPT,
                   "its nulls are not those of the values that it is part of");
    return stoa_reader_wrap(request->reader, request->row_group, node, st, err);
}

/* All children of a node; `values` are the ones of theirs that are wanted. */
static enum stoa_status read_children(struct request *request, uint32_t node, size_t width,
                                      struct stoa_range values, struct stoa_array *array,
                                      struct stoa_error *err)
{
    const struct stoa_footer *footer = &request->reader->footer;
    uint32_t end = node + stoa_footer_subtree(footer, node), nchildren = 0;
    bool has_lengths = array->offsets != NULL;
    enum stoa_status st;

    for (uint32_t child = node + 1; child < end; child += stoa_footer_subtree(footer, child))
        nchildren++;
    STOA_TRY(stoa_budget_take(&request->budget, nchildren * sizeof(array->children[0]), err));
    STOA_TRY(stoa_alloc_zeroed(&array->children, nchildren, sizeof(array->children[0]), err));
    for (uint32_t child = node + 1; child < end; child += stoa_footer_subtree(footer, child)) {
        struct stoa_array *to = &array->children[array->nchildren];

        STOA_TRY(read_tree(request, child, values, to, err));
        array->nchildren++;
        if (!has_lengths)
            STOA_TRY(check_nulls(request, child, width, array, to, err));
    }
out:
    return st;
}

static enum stoa_status read_tree(struct request *request, uint32_t node, struct stoa_range values,
                                  struct stoa_array *out, struct stoa_error *err)
{
    struct stoa_range children = values;
    struct stoa_array array = {0};
    struct stoa_column *info;
    size_t width = 1;
    enum stoa_status st;

    STOA_TRY(stoa_footer_column(&request->reader->footer, node, &info, err));
    STOA_TRY(stoa_chunk_read(request->reader, request->row_group, node, values, &request->budget,
                             NULL, &array, &children, request->counters, err));
    if (info->field.type.id == STOA_FIXED_LIST) {
        width = info->field.type.width;
        if (values.end > STOA_CHUNK_MAX_NVALUES / width) {
            st = stoa_fail(err, STOA_ERR_CORRUPT, "%" PRIu32 " lists of %zu values", values.end,
                           width);
            stoa_reader_wrap(request->reader, request->row_group, node, st, err);
            goto out;
        }
        children.begin *= (uint32_t)width;
        children.end *= (uint32_t)width;
    }
    if (stoa_type_is_nested(info->place.type))
        STOA_TRY(read_children(request, node, width, children, &array, err));
    *out = array;
    array = (struct stoa_array){0};
out:
    stoa_array_reset(&array);
    return st;
}

enum stoa_status stoa_node_read(struct stoa_reader *reader, uint32_t row_group, uint32_t node,
                                struct stoa_range values, struct stoa_array *out,
                                struct stoa_read_counters *counters, struct stoa_error *err)
{
    struct request request = {
        .reader = reader,
        .row_group = row_group,
        .budget = {reader->footer.memory_nbytes, reader->footer.memory_nbytes},
        .counters = counters,
    };

    return read_tree(&request, node, values, out, err);
}
