/*
 * A predicate meets a schema (stats/matcher.h): names become columns, literals become ranges, and
 * "not" is pushed down to the leaves:
 *
 *     not (a and b) = not a or not b          not (a or b) = not a and not b
 *
 * which hold in the logic of true, false and unknown too.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "stats/filter_path.h"
#include "stats/filter_print.h"
#include "stats/filter_range.h"
#include "stats/filter_tree.h"
#include "stats/matcher.h"

struct binder {
    const struct stoa_schema *schema;
    struct stoa_schema_node *nodes; /* of the schema */
    struct stoa_matcher *matcher;   /* leaf->field is a node of the schema until the end */
    struct stoa_error *err;
};

static void leaf_reset(struct stoa_leaf *leaf)
{
    stoa_free(leaf->ranges);
    stoa_free(leaf->texts);
    stoa_free(leaf->slots);
    stoa_free(leaf->text);
    stoa_like_free(leaf->like);
}

void stoa_matcher_free(struct stoa_matcher *matcher)
{
    if (matcher == NULL)
        return;
    for (uint32_t i = 0; i < matcher->nleaves; i++)
        leaf_reset(&matcher->leaves[i]);
    for (size_t i = 0; i < matcher->nkept; i++)
        stoa_free(matcher->kept[i]);
    stoa_free(matcher->kept);
    stoa_free(matcher->leaves);
    stoa_free(matcher->nodes);
    stoa_free(matcher->types);
    stoa_free(matcher->fields);
    stoa_free(matcher);
}

/* ---- Leaves. ---- */

static enum stoa_status print_term(struct binder *binder, const struct stoa_filter *term,
                                   bool negative, char **out)
{
    struct stoa_buffer text = {0};
    enum stoa_status st;

    STOA_TRY(stoa_filter_term_print(&text, term, negative, binder->err));
    STOA_TRY(stoa_buffer_append(&text, "", 1, binder->err));
    *out = (char *)text.data;
    text = (struct stoa_buffer){0};
out:
    stoa_buffer_free(&text);
    return st;
}

static enum stoa_status fail_type(struct binder *binder, const struct stoa_schema_node *node,
                                  const char *because)
{
    const char *what = node->parent == STOA_NO_NODE ? "column" : "part";
    char *type;
    enum stoa_status st = stoa_type_print(node->field, &type, binder->err);

    if (st != STOA_OK)
        return st;
    st = stoa_fail(binder->err, STOA_ERR_USAGE, "the %s is %.96s, %s", what, type, because);
    stoa_free(type);
    return st;
}

/* Why a type that has no bounds takes only "is null". */
static const char *no_test(enum stoa_type_id type)
{
    switch (type) {
    case STOA_STRUCT:
        return "which has no test but \"is null\"; its parts have, by paths as in a.b = 1";
    case STOA_INTERVAL:
        return "which has no order, and no test but \"is null\"";
    default:
        return "which has no test but \"is null\"";
    }
}

static enum stoa_status set_test(struct binder *binder, struct stoa_leaf *leaf,
                                 const struct stoa_filter *term)
{
    const struct stoa_schema_node *node = &binder->nodes[leaf->field];
    const struct stoa_field *field = node->field;

    leaf->kind = stoa_bound_kind(&field->type);
    if (term->op == STOA_FILTER_IS_NULL) {
        leaf->test = STOA_LEAF_IS_NULL;
        return STOA_OK;
    }
    if (term->op == STOA_FILTER_IS_NAN) {
        leaf->test = STOA_LEAF_IS_NAN;
        return leaf->kind == STOA_BOUND_FLOAT ? STOA_OK
                                              : fail_type(binder, node, "which has no nan");
    }
    if (leaf->kind == STOA_BOUND_NONE && field->type.id != STOA_NULL)
        return fail_type(binder, node, no_test(field->type.id));
    if (term->op == STOA_FILTER_LIKE && field->type.id != STOA_UTF8 &&
        field->type.id != STOA_ENUM && field->type.id != STOA_NULL)
        return fail_type(binder, node, "and \"like\" is for text");
    return stoa_leaf_set_ranges(binder->matcher, leaf, field, term, binder->err);
}

/* The longest text of a term that a message shows. */
#define SHOWN_NBYTES 160

static enum stoa_status bind_term(struct binder *binder, const struct stoa_filter *term,
                                  bool negative)
{
    struct stoa_leaf *leaf = &binder->matcher->leaves[binder->matcher->nleaves++];
    char shown[SHOWN_NBYTES];
    enum stoa_status st;

    STOA_TRY(print_term(binder, term, negative, &leaf->text));
    STOA_TRY(stoa_filter_path_find(binder->schema, binder->nodes, &term->path, &leaf->field,
                                   binder->err));
    STOA_TRY(set_test(binder, leaf, term));
    leaf->inverted ^= negative;
out:
    if (st == STOA_ERR_USAGE)
        stoa_wrap(binder->err, st, "%s",
                  stoa_quote(shown, sizeof(shown), leaf->text, strlen(leaf->text)));
    return st;
}

/* ---- The tree. ---- */

static void count_tree(const struct stoa_filter *filter, uint32_t *nleaves, uint32_t *nnodes)
{
    if (filter->op != STOA_FILTER_NOT)
        ++*nnodes;
    if (filter->noperands == 0)
        ++*nleaves;
    for (size_t i = 0; i < filter->noperands; i++)
        count_tree(filter->operands[i], nleaves, nnodes);
}

/* Binds `filter`, or its opposite, into node `at`, which is `depth` nodes from the root. */
static enum stoa_status bind_tree(struct binder *binder, const struct stoa_filter *filter,
                                  bool negative, uint32_t at, uint32_t depth)
{
    struct stoa_matcher *matcher = binder->matcher;
    struct stoa_matcher_node *node = &matcher->nodes[at];
    uint32_t first = matcher->nnodes;
    enum stoa_status st = STOA_OK;

    if (filter->op == STOA_FILTER_NOT)
        return bind_tree(binder, filter->operands[0], !negative, at, depth);
    if (depth > matcher->depth)
        matcher->depth = depth;
    if (filter->noperands == 0) {
        *node = (struct stoa_matcher_node){.op = STOA_NODE_LEAF, .first = matcher->nleaves};
        return bind_term(binder, filter, negative);
    }
    *node = (struct stoa_matcher_node){
        .op = (filter->op == STOA_FILTER_AND) != negative ? STOA_NODE_AND : STOA_NODE_OR,
        .first = first,
        .nchildren = (uint32_t)filter->noperands,
    };
    matcher->nnodes += node->nchildren;
    for (uint32_t i = 0; st == STOA_OK && i < filter->noperands; i++)
        st = bind_tree(binder, filter->operands[i], negative, first + i, depth + 1);
    return st;
}

/* ---- Nodes. ---- */

static int order_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

/* Collects the nodes, each once, and turns those of the leaves into places among them. */
static enum stoa_status collect_fields(struct binder *binder)
{
    struct stoa_matcher *matcher = binder->matcher;
    uint32_t *fields, n = 0;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&fields, matcher->nleaves, sizeof(fields[0]), binder->err));
    matcher->fields = fields;
    for (uint32_t i = 0; i < matcher->nleaves; i++)
        fields[i] = matcher->leaves[i].field;
    qsort(fields, matcher->nleaves, sizeof(fields[0]), order_u32);
    for (uint32_t i = 1; i < matcher->nleaves; i++)
        if (fields[i] != fields[n])
            fields[++n] = fields[i];
    matcher->nfields = n + 1;
    STOA_TRY(stoa_alloc_zeroed(&matcher->types, matcher->nfields, sizeof(matcher->types[0]),
                               binder->err));
    for (uint32_t i = 0; i < matcher->nfields; i++) {
        matcher->types[i] = binder->nodes[fields[i]].field->type;
        matcher->types[i].zone = NULL;
        matcher->types[i].symbols = NULL;
    }
    for (uint32_t i = 0; i < matcher->nleaves; i++) {
        uint32_t *field = &matcher->leaves[i].field;
        const uint32_t *place =
            bsearch(field, fields, matcher->nfields, sizeof(fields[0]), order_u32);

        *field = (uint32_t)(place - fields);
    }
out:
    return st;
}

enum stoa_status stoa_filter_bind(const struct stoa_filter *filter,
                                  const struct stoa_schema *schema, struct stoa_matcher **out,
                                  struct stoa_error *err)
{
    struct binder binder = {.schema = schema, .err = err};
    uint32_t nleaves = 0, nnodes = 0, nschema_nodes;
    struct stoa_matcher *matcher = NULL;
    enum stoa_status st;

    count_tree(filter, &nleaves, &nnodes);
    STOA_TRY(stoa_alloc_zeroed(&matcher, 1, sizeof(*matcher), err));
    STOA_TRY(stoa_alloc_zeroed(&matcher->leaves, nleaves, sizeof(matcher->leaves[0]), err));
    STOA_TRY(stoa_alloc_zeroed(&matcher->nodes, nnodes, sizeof(matcher->nodes[0]), err));
    STOA_TRY(stoa_schema_nodes(schema, &binder.nodes, &nschema_nodes, err));
    matcher->nnodes = 1;
    binder.matcher = matcher;
    STOA_TRY(bind_tree(&binder, filter, false, 0, 1));
    assert(matcher->nleaves == nleaves && matcher->nnodes == nnodes);
    STOA_TRY(collect_fields(&binder));
    *out = matcher;
    matcher = NULL;
out:
    stoa_free(binder.nodes);
    stoa_matcher_free(matcher);
    return st;
}

/* ---- What is in it. ---- */

const uint32_t *stoa_matcher_nodes(const struct stoa_matcher *matcher, uint32_t *nnodes)
{
    *nnodes = matcher->nfields;
    return matcher->fields;
}

uint32_t stoa_matcher_nterms(const struct stoa_matcher *matcher)
{
    return matcher->nleaves;
}

const char *stoa_matcher_term_text(const struct stoa_matcher *matcher, uint32_t term)
{
    assert(term < matcher->nleaves);
    return matcher->leaves[term].text;
}

uint32_t stoa_matcher_term_node(const struct stoa_matcher *matcher, uint32_t term)
{
    assert(term < matcher->nleaves);
    return matcher->leaves[term].field;
}
