/*
 * Trees of arrays taken apart (spec/format.md, "Nested columns").
 *
 *     list<struct<a, b>>   [x y z] null [] | [w]         | ends a zone of rows
 *
 *     node 0   list        3 - 0           | 1           lengths of its values
 *     node 1   struct      . . .           | .           as many values as the lengths say
 *     node 2   a           x.a y.a z.a     | w.a         so its first zone ends at 3
 *     node 3   b           x.b y.b z.b     | w.b
 *
 * Nothing is copied: a node's array is what the tree has in its place, children left out. What all
 * of this stands on - sizes that fit each other - is checked once, by stoa_nodes_check().
 */
#include "file/nodes_write.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/error.h"
#include "column/type.h"
#include "file/chunk_write.h"
#include "file/layout.h"
#include "file/nulls.h"

enum { SHOWN_NAME_NBYTES = 128 };

bool stoa_type_shares_dictionary(const struct stoa_type *type)
{
    return type->id == STOA_UTF8 || type->id == STOA_BINARY;
}

uint32_t stoa_nodes_count_texts(const struct stoa_schema_node *nodes, uint32_t nnodes)
{
    uint32_t ntexts = 0;

    for (uint32_t i = 0; i < nnodes; i++)
        ntexts += stoa_type_shares_dictionary(&nodes[i].field->type);
    return ntexts;
}

/* Writes "a"."b" for node b below node a; returns the length. Long names are cut. */
static size_t put_path(const struct stoa_schema_node *nodes, uint32_t node, char *path,
                       size_t nbytes)
{
    const char *name = nodes[node].field->name;
    size_t at = 0;

    if (nodes[node].parent != STOA_NO_NODE) {
        at = put_path(nodes, nodes[node].parent, path, nbytes);
        if (at + 4 > nbytes) /* no room for a dot and quotes: the front says enough */
            return at;
        path[at++] = '.';
    }
    stoa_quote(path + at, nbytes - at, name, strlen(name));
    return at + strlen(path + at);
}

enum stoa_status stoa_nodes_wrap(const struct stoa_schema_node *nodes, uint32_t node,
                                 enum stoa_status st, struct stoa_error *err)
{
    char path[SHOWN_NAME_NBYTES];

    put_path(nodes, node, path, sizeof(path));
    return stoa_wrap(err, st, "column %s", path);
}

/* ---- Checking ---- */

static enum stoa_status check_buffers(const struct stoa_type *type, const struct stoa_array *array,
                                      struct stoa_error *err)
{
    enum stoa_layout layout = stoa_type_info(type->id)->layout;
    bool needs_offsets = layout == STOA_LAYOUT_BYTES || layout == STOA_LAYOUT_LIST;
    bool needs_values = layout == STOA_LAYOUT_BITS || layout == STOA_LAYOUT_FIXED;

    if ((needs_offsets && array->offsets == NULL) || (needs_values && array->values == NULL))
        return stoa_fail(err, STOA_ERR_USAGE, "no values");
    return STOA_OK;
}

static enum stoa_status check_count(const struct stoa_array *array, struct stoa_error *err)
{
    size_t nnulls = 0;

    if (array->validity != NULL)
        nnulls = array->nvalues - stoa_bitmap_count(array->validity, 0, array->nvalues);
    if (array->nnulls != nnulls)
        return stoa_fail(err, STOA_ERR_USAGE, "%zu nulls, the bitmap has %zu", array->nnulls,
                         nnulls);
    return STOA_OK;
}

/* Values of its only child, or of each of its children, that an array has. */
static enum stoa_status count_below(const struct stoa_type *type, const struct stoa_array *array,
                                    size_t *nvalues, struct stoa_error *err)
{
    *nvalues = array->nvalues;
    if (type->id == STOA_FIXED_LIST) {
        if (!stoa_mul_size(array->nvalues, type->width, nvalues))
            *nvalues = SIZE_MAX;
    } else if (stoa_type_has_lengths(type->id)) {
        if (array->offsets[0] != 0 || array->offsets[array->nvalues] < 0)
            return stoa_fail(err, STOA_ERR_USAGE, "offsets from %" PRId32 " to %" PRId32,
                             array->offsets[0], array->offsets[array->nvalues]);
        *nvalues = (size_t)array->offsets[array->nvalues];
    }
    if (*nvalues > STOA_CHUNK_MAX_NVALUES)
        return stoa_fail(err, STOA_ERR_LIMIT,
                         "%zu values of lists, a row group has at most %d: use fewer rows",
                         *nvalues, (int)STOA_CHUNK_MAX_NVALUES);
    return STOA_OK;
}

static enum stoa_status check_node(const struct stoa_schema_node *nodes, uint32_t node,
                                   const struct stoa_array *array, size_t nvalues,
                                   struct stoa_error *err)
{
    const struct stoa_field *field = nodes[node].field;
    enum stoa_status st;

    if (array->nvalues != nvalues)
        return stoa_fail(err, STOA_ERR_USAGE, "%zu values in a batch of %zu%s", array->nvalues,
                         nvalues, nodes[node].below_list ? "" : " rows");
    if (nvalues == 0 || field->type.id == STOA_NULL)
        return STOA_OK;
    STOA_TRY(check_buffers(&field->type, array, err));
    STOA_TRY(check_count(array, err));
    if (array->nnulls > 0 && !nodes[node].can_be_null)
        return stoa_fail(err, STOA_ERR_DATA, "%zu nulls, the schema allows none", array->nnulls);
    if (array->nchildren != field->nchildren)
        return stoa_fail(err, STOA_ERR_USAGE, "%" PRIu32 " children, the schema has %" PRIu32,
                         array->nchildren, field->nchildren);
out:
    return st;
}

enum stoa_status stoa_nodes_check(const struct stoa_schema_node *nodes, uint32_t node,
                                  const struct stoa_array *array, size_t nvalues,
                                  struct stoa_error *err)
{
    const struct stoa_field *field = nodes[node].field;
    bool inherits = field->type.id == STOA_STRUCT || field->type.id == STOA_FIXED_LIST;
    uint32_t child = node + 1;
    size_t below = 0;
    enum stoa_status st = check_node(nodes, node, array, nvalues, err);

    if (st == STOA_OK && nvalues > 0 && field->nchildren > 0)
        st = count_below(&field->type, array, &below, err);
    if (st != STOA_OK)
        return stoa_nodes_wrap(nodes, node, st, err);
    for (uint32_t i = 0; nvalues > 0 && i < field->nchildren; i++) {
        const struct stoa_array *part = &array->children[i];
        size_t width = field->type.id == STOA_FIXED_LIST ? field->type.width : 1;

        STOA_TRY(stoa_nodes_check(nodes, child, part, below, err));
        if (inherits && !stoa_nulls_fit(array, part, width, field->children[i].nullable)) {
            st = stoa_fail(err, STOA_ERR_DATA,
                           "its nulls are not those of the values that it is part of");
            return stoa_nodes_wrap(nodes, child, st, err);
        }
        child += nodes[child].nnodes;
    }
out:
    return st;
}

/* ---- Sizes ---- */

/* The values of a child that belong to values [begin, end) of its parent. */
static void descend(const struct stoa_field *field, const struct stoa_array *array, size_t *begin,
                    size_t *end)
{
    if (field->type.id == STOA_FIXED_LIST) {
        *begin *= field->type.width;
        *end *= field->type.width;
    } else if (stoa_type_has_lengths(field->type.id)) {
        *begin = (size_t)array->offsets[*begin];
        *end = (size_t)array->offsets[*end];
    }
}

uint64_t stoa_field_nbytes(const struct stoa_field *field, const struct stoa_array *array,
                           size_t begin, size_t end)
{
    enum stoa_layout layout = stoa_type_info(field->type.id)->layout;
    uint64_t nbytes = 0;

    if (begin == end)
        return 0;
    if (layout == STOA_LAYOUT_BITS)
        nbytes = end - begin;
    else if (layout == STOA_LAYOUT_FIXED)
        nbytes = (uint64_t)(end - begin) * stoa_type_width(&field->type);
    else if (layout == STOA_LAYOUT_BYTES)
        nbytes = (uint64_t)(array->offsets[end] - array->offsets[begin]);
    if (layout == STOA_LAYOUT_BYTES || layout == STOA_LAYOUT_LIST)
        nbytes += (uint64_t)(end - begin) * sizeof(array->offsets[0]);
    if (field->nchildren > 0)
        descend(field, array, &begin, &end);
    for (uint32_t i = 0; i < field->nchildren; i++)
        nbytes += stoa_field_nbytes(&field->children[i], &array->children[i], begin, end);
    return nbytes;
}

static bool is_huge(const struct stoa_rules *rules, const struct stoa_array *array, size_t begin,
                    size_t end)
{
    uint64_t nbytes = (uint64_t)(array->offsets[end] - array->offsets[begin]);

    return stoa_page_raw_bound(nbytes, 1) > rules->page_max_nbytes;
}

static size_t first_huge_text(const struct stoa_rules *rules, const struct stoa_array *array,
                              size_t begin, size_t end)
{
    if (!is_huge(rules, array, begin, end))
        return end; /* all of them together are not too long */
    while (begin < end && !is_huge(rules, array, begin, begin + 1))
        begin++;
    return begin;
}

/* The one of the lists [begin, end) that has child value `value`. */
static size_t list_of(const struct stoa_array *array, size_t begin, size_t end, size_t value)
{
    while (end - begin > 1) { /* it is in [begin, end) */
        size_t middle = begin + (end - begin) / 2;

        if ((size_t)array->offsets[middle] <= value)
            begin = middle;
        else
            end = middle;
    }
    return begin;
}

size_t stoa_field_first_huge(const struct stoa_rules *rules, const struct stoa_field *field,
                             const struct stoa_array *array, size_t begin, size_t end)
{
    if (begin == end)
        return end;
    if (stoa_type_shares_dictionary(&field->type))
        return first_huge_text(rules, array, begin, end);
    for (uint32_t i = 0; i < field->nchildren; i++) {
        size_t first = begin, last = end, found;

        descend(field, array, &first, &last);
        found = stoa_field_first_huge(rules, &field->children[i], &array->children[i], first, last);
        if (found == last)
            continue;
        if (field->type.id == STOA_FIXED_LIST)
            end = found / field->type.width;
        else if (stoa_type_has_lengths(field->type.id))
            end = list_of(array, begin, end, found);
        else
            end = found;
    }
    return end;
}

/* ---- Splitting ---- */

/* Where the zones of a list's or fixed_list's child end, by where its own do. */
static enum stoa_status child_ends(const struct stoa_field *field, const struct stoa_array *array,
                                   const size_t *ends, size_t nzones, size_t **out,
                                   struct stoa_error *err)
{
    enum stoa_status st = stoa_alloc(out, nzones * sizeof(**out), err);

    for (size_t z = 0; st == STOA_OK && z < nzones; z++) {
        size_t rows = (z + 1) * STOA_ZONE_NROWS, begin = 0;
        size_t end = ends != NULL ? ends[z] : rows < array->nvalues ? rows : array->nvalues;

        if (array->nvalues > 0) /* a list without values has no offsets either */
            descend(field, array, &begin, &end);
        (*out)[z] = end;
    }
    return st;
}

enum stoa_status stoa_nodes_split(const struct stoa_schema_node *nodes, uint32_t node,
                                  const struct stoa_array *array, size_t nzones,
                                  struct stoa_split_node *out, struct stoa_error *err)
{
    static const struct stoa_array nothing;
    const struct stoa_field *field = nodes[node].field;
    uint32_t child = 1;
    enum stoa_status st = STOA_OK;

    out->array = *array;
    out->array.children = NULL;
    out->array.nchildren = 0;
    for (uint32_t i = 0; i < field->nchildren; i++, child += nodes[node + child].nnodes) {
        const struct stoa_array *part = i < array->nchildren ? &array->children[i] : &nothing;

        if (nodes[node + child].below_list)
            STOA_TRY(child_ends(field, array, out->ends, nzones, &out[child].ends, err));
        STOA_TRY(stoa_nodes_split(nodes, node + child, part, nzones, out + child, err));
    }
out:
    return st;
}

void stoa_split_node_reset(struct stoa_split_node *split)
{
    stoa_free(split->ends);
    *split = (struct stoa_split_node){0};
}
