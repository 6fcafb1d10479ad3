/*
 * Records, objects and lists into columns (spec/jsonl.md, sections 1 and 4).
 *
 * Lines of a table have their keys in much the same order and their blanks in the same places. So
 * behind each value it is noted what stood between it and the next one, and that is compared before
 * anything is searched for:
 *
 *     {"a":1,"b":{"x":2},"c":3}      {"a":  ,"b":  ,"c":   and   {"x":
 *
 * A null has the form that stoa/array.h demands. What a bad record has left in the columns is taken
 * off again: a column has a value for each row in front of it, and a list knows where its items
 * began.
 */
#include "jsonl/parse.h"

#include <string.h>

#include "base/error.h"
#include "column/type.h"

const char *stoa_jsonl_wrong_name(enum stoa_jsonl_wrong wrong)
{
    static const char *const names[STOA_JSONL_NWRONGS] = {
        [STOA_JSONL_SYNTAX] = "no_json",
        [STOA_JSONL_NO_OBJECT] = "no_object",
        [STOA_JSONL_BEHIND] = "text_behind_object",
        [STOA_JSONL_DUPLICATE] = "duplicate_key",
        [STOA_JSONL_UNKNOWN] = "unknown_key",
        [STOA_JSONL_KEY] = "invalid_key",
        [STOA_JSONL_CAST] = "cast",
        [STOA_JSONL_OUT_OF_RANGE] = "out_of_range",
        [STOA_JSONL_NOT_NULL] = "not_null",
        [STOA_JSONL_ENCODING] = "invalid_encoding",
        [STOA_JSONL_TOO_LARGE] = "record_too_large",
    };

    return names[wrong];
}

/* ---- The parser. ---- */

/* Of an object it is only known which are null; a list has the end of its items. */
static struct stoa_type type_of(const struct stoa_jsonl_node *node)
{
    switch (stoa_type_info(node->field->type.id)->layout) {
    case STOA_LAYOUT_NONE:
    case STOA_LAYOUT_STRUCT:
    case STOA_LAYOUT_FIXED_LIST:
        return (struct stoa_type){.id = STOA_NULL};
    case STOA_LAYOUT_LIST:
        return (struct stoa_type){.id = STOA_INT32};
    default:
        return node->field->type;
    }
}

enum stoa_status stoa_jsonl_parser_init(struct stoa_jsonl_parser *out,
                                        const struct stoa_jsonl_shape *shape, size_t nrows_hint,
                                        struct stoa_error *err)
{
    struct stoa_jsonl_parser parser = {.shape = shape};
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&parser.columns, shape->nnodes, sizeof(*parser.columns), err));
    for (uint32_t i = 1; i < shape->nnodes; i++) {
        const struct stoa_type type = type_of(&shape->nodes[i]);

        if (shape->nodes[i].wanted)
            STOA_TRY(stoa_builder_init(&parser.columns[i].builder, &type, nrows_hint, err));
        parser.columns[i].month = stoa_known_month_init();
    }
    *out = parser;
    parser = (struct stoa_jsonl_parser){0};
out:
    if (parser.columns != NULL)
        stoa_jsonl_parser_reset(&parser);
    return st;
}

void stoa_jsonl_parser_reset(struct stoa_jsonl_parser *parser)
{
    for (uint32_t i = 1; parser->columns != NULL && i < parser->shape->nnodes; i++)
        stoa_builder_reset(&parser->columns[i].builder);
    stoa_free(parser->columns);
    stoa_buffer_free(&parser->scratch);
    *parser = (struct stoa_jsonl_parser){0};
}

const char *stoa_jsonl_fail(struct stoa_jsonl_parser *parser, enum stoa_jsonl_wrong wrong,
                            uint32_t node, const char *at)
{
    parser->wrong = wrong;
    parser->node = node;
    parser->fault.at = at;
    parser->end = NULL;
    return NULL;
}

/* What base/json_scan.h found is kept. */
static const char *fail_syntax(struct stoa_jsonl_parser *parser)
{
    parser->wrong = STOA_JSONL_SYNTAX;
    parser->node = 0;
    parser->end = NULL;
    return NULL;
}

const char *stoa_jsonl_misfit(struct stoa_jsonl_parser *parser, enum stoa_jsonl_wrong wrong,
                              uint32_t node, const char *at)
{
    const char *end = stoa_json_skip_value(at, &parser->fault);

    if (end == NULL)
        return fail_syntax(parser);
    stoa_jsonl_fail(parser, wrong, node, at);
    parser->end = end;
    return NULL;
}

static size_t *count_of(struct stoa_jsonl_parser *parser, uint32_t node)
{
    return &parser->columns[node].builder.array.nvalues;
}

/* ---- Nulls. ---- */

static bool append_nulls(struct stoa_jsonl_parser *parser, uint32_t node, size_t n);

/* To the children of an object or fixed list that is null n times. */
static bool append_child_nulls(struct stoa_jsonl_parser *parser, uint32_t node, size_t n)
{
    const struct stoa_jsonl_node *at = &parser->shape->nodes[node];
    const struct stoa_type *type = &at->field->type;

    if (type->id == STOA_FIXED_LIST)
        return append_nulls(parser, node + 1, n * type->width);
    if (type->id != STOA_STRUCT)
        return true;
    for (uint32_t child = node + 1; child < node + at->nnodes;
         child += parser->shape->nodes[child].nnodes)
        if (!append_nulls(parser, child, n))
            return false;
    return true;
}

/* Room for n more nulls of a node. */
static bool reserve_nulls(struct stoa_jsonl_parser *parser, uint32_t node, size_t n)
{
    enum stoa_status st = STOA_OK;

    if (parser->shape->nodes[node].repeated) {
        if (n > STOA_JSONL_MAX_LIST_NULLS - parser->nlist_nulls)
            st = stoa_fail(&parser->err, STOA_ERR_LIMIT,
                           "the lists of a unit have more than %zu nulls, which is the limit "
                           "(with a smaller --row-group-rows there are fewer)",
                           STOA_JSONL_MAX_LIST_NULLS);
        else
            parser->nlist_nulls += n;
    }
    if (st == STOA_OK)
        st = stoa_builder_reserve(&parser->columns[node].builder, n, 0, &parser->err);
    if (st == STOA_OK)
        return true;
    parser->wrong = STOA_JSONL_NO_MEMORY;
    parser->node = node;
    return false;
}

static bool append_nulls(struct stoa_jsonl_parser *parser, uint32_t node, size_t n)
{
    struct stoa_builder *builder = &parser->columns[node].builder;
    const struct stoa_type *type = &parser->shape->nodes[node].field->type;

    if (!reserve_nulls(parser, node, n))
        return false;
    for (size_t i = 0; i < n; i++) {
        stoa_builder_append_null(builder);
        if (type->id == STOA_LIST || type->id == STOA_MAP) { /* an end, which nulls have too */
            const uint32_t end = (uint32_t)*count_of(parser, node + 1);

            memcpy(builder->array.values + 4 * (builder->array.nvalues - 1), &end, 4);
        }
    }
    return append_child_nulls(parser, node, n);
}

static const char *read_null(struct stoa_jsonl_parser *parser, uint32_t node, const char *at)
{
    const struct stoa_jsonl_node *of = &parser->shape->nodes[node];

    if (!of->nullable)
        return stoa_jsonl_misfit(parser, STOA_JSONL_NOT_NULL, node, at);
    return append_nulls(parser, node, 1) ? at + 4 : NULL;
}

/* A value of a column that is not wanted. */
static const char *pass_value(struct stoa_jsonl_parser *parser, uint32_t node, const char *at)
{
    at = stoa_json_skip_value(at, &parser->fault);
    ++*count_of(parser, node);
    return at != NULL ? at : fail_syntax(parser);
}

static inline const char *read_value(struct stoa_jsonl_parser *parser, uint32_t node,
                                     const char *at)
{
    const struct stoa_jsonl_node *of = &parser->shape->nodes[node];

    if (!of->wanted)
        return pass_value(parser, node, at);
    if (stoa_json_is_null(at))
        return read_null(parser, node, at);
    return of->read(parser, node, at);
}

/* ---- Objects. ---- */

/* Whether the key in quotes that the node expects stands at `at`. */
static inline bool is_key_of(const struct stoa_jsonl_shape *shape,
                             const struct stoa_jsonl_node *node, const char *at)
{
    const uint8_t *key = shape->keys.data + node->quoted;
    size_t nbytes = node->quoted_nbytes;

    for (; nbytes >= 8; nbytes -= 8, key += 8, at += 8) {
        if (stoa_load64(key) != stoa_load64(at))
            return false;
    }
    return nbytes == 0 ||
           ((stoa_load64(key) ^ stoa_load64(at)) & (~UINT64_C(0) >> (64 - 8 * nbytes))) == 0;
}

/* The child that the key at `at` names; *behind is behind it. 0 after a failure. */
static uint32_t find_key(struct stoa_jsonl_parser *parser, uint32_t node, const char *at,
                         const char **behind)
{
    struct stoa_json_string key;
    const char *name;
    size_t nbytes;
    uint32_t child;

    if (*at != '"') {
        parser->fault = (struct stoa_json_fault){STOA_JSON_NO_KEY, at};
        fail_syntax(parser);
        return 0;
    }
    *behind = stoa_json_scan_string(at, &key, &parser->fault);
    if (*behind == NULL) {
        fail_syntax(parser);
        return 0;
    }
    name = key.text;
    nbytes = key.nbytes;
    if (key.escaped) {
        if (stoa_buffer_resize(&parser->scratch, key.nbytes, &parser->err) != STOA_OK) {
            parser->wrong = STOA_JSONL_NO_MEMORY;
            return 0;
        }
        name = (const char *)parser->scratch.data;
        nbytes = stoa_json_unescape(&key, (char *)parser->scratch.data);
    }
    child = stoa_jsonl_shape_find(parser->shape, node, name, nbytes);
    if (child == 0) {
        const bool is_name = nbytes <= STOA_MAX_NAME_NBYTES && memchr(name, 0, nbytes) == NULL;

        stoa_jsonl_fail(parser, is_name ? STOA_JSONL_UNKNOWN : STOA_JSONL_KEY, node, at);
        parser->end = *behind;
    }
    return child;
}

/* What an object does not name is null. */
static bool append_missing(struct stoa_jsonl_parser *parser, uint32_t node, size_t target,
                           const char *at)
{
    const struct stoa_jsonl_node *nodes = parser->shape->nodes;

    for (uint32_t child = node + 1; child < node + nodes[node].nnodes;
         child += nodes[child].nnodes) {
        if (*count_of(parser, child) > target)
            continue;
        if (!nodes[child].wanted) {
            ++*count_of(parser, child);
        } else if (!nodes[child].nullable) {
            stoa_jsonl_fail(parser, STOA_JSONL_NOT_NULL, child, at);
            return false;
        } else if (!append_nulls(parser, child, 1)) {
            return false;
        }
    }
    return true;
}

static const char *expect(struct stoa_jsonl_parser *parser, enum stoa_json_fault_kind kind,
                          const char *at)
{
    parser->fault = (struct stoa_json_fault){kind, at};
    return fail_syntax(parser);
}

/* Over a colon, and the blanks around it. */
static const char *pass_colon(struct stoa_jsonl_parser *parser, const char *at)
{
    at = stoa_json_blanks(at);
    return *at == ':' ? stoa_json_blanks(at + 1) : expect(parser, STOA_JSON_NO_COLON, at);
}

/* The value of a member that is no column, and need be none. */
static const char *pass_member(struct stoa_jsonl_parser *parser, const char *at)
{
    at = pass_colon(parser, at);
    if (at == NULL)
        return NULL;
    at = stoa_json_skip_value(at, &parser->fault);
    return at != NULL ? at : fail_syntax(parser);
}

/* Whether the text of a step, if there is one, stands at `at`. */
static inline bool is_step(const struct stoa_jsonl_step *step, const char *at)
{
    return step->nbytes != 0 && stoa_json_same(step->text, at, step->nbytes);
}

static void remember(struct stoa_jsonl_step *step, uint32_t child, const char *from, const char *to)
{
    const size_t nbytes = (size_t)(to - from);

    step->child = child;
    step->nbytes = nbytes <= STOA_JSONL_STEP_NBYTES ? (uint32_t)nbytes : 0;
    memcpy(step->text, from, step->nbytes);
}

/*
 * Over the key at `at`, to the value of the column that it names. *child is 0 for one that there is
 * not, but whose value was passed.
 */
static const char *take_key(struct stoa_jsonl_parser *parser, uint32_t node, size_t target,
                            uint32_t expected, const char *at, uint32_t *child)
{
    const struct stoa_jsonl_shape *shape = parser->shape;
    const char *key = at;

    *child = expected;
    if (expected != 0 && is_key_of(shape, &shape->nodes[expected], at)) {
        at += shape->nodes[expected].quoted_nbytes;
    } else {
        *child = find_key(parser, node, at, &at);
        if (*child == 0)
            return node == 0 && parser->passes_unknown && parser->wrong == STOA_JSONL_UNKNOWN
                       ? pass_member(parser, at)
                       : NULL;
    }
    if (*count_of(parser, *child) == target)
        return pass_colon(parser, at);
    stoa_jsonl_fail(parser, STOA_JSONL_DUPLICATE, *child, key);
    parser->end = at;
    return NULL;
}

/*
 * From the brace of an object, or from behind a value in it, to the next value, which is that of
 * *child. At the end of the object *child is 0, and that is behind its brace.
 */
static const char *find_member(struct stoa_jsonl_parser *parser, uint32_t node, size_t target,
                               struct stoa_jsonl_step *step, const char *at, uint32_t *child)
{
    const char *from = at;
    bool is_first = step == &parser->columns[node].first;

    at = stoa_json_blanks(at + is_first);
    for (;;) {
        if (*at == '}') {
            *child = 0;
            return at + 1;
        }
        if (!is_first && *at != ',')
            return expect(parser, STOA_JSON_NO_MEMBER_END, at);
        at = is_first ? at : stoa_json_blanks(at + 1);
        is_first = false;
        at = take_key(parser, node, target, step->child, at, child);
        if (at == NULL)
            return NULL;
        if (*child != 0)
            break;
        from = at = stoa_json_blanks(at);
    }
    remember(step, *child, from, at);
    return at;
}

/* The members of an object from its brace on; behind the closing one. */
static const char *read_members(struct stoa_jsonl_parser *parser, uint32_t node, const char *at)
{
    const size_t target = *count_of(parser, node);
    struct stoa_jsonl_step *step = &parser->columns[node].first;
    uint32_t child, nmembers = 0;

    for (;; nmembers++) {
        if (is_step(step, at) && *count_of(parser, step->child) == target) {
            child = step->child;
            at = stoa_json_blanks(at + step->nbytes); /* more than there were */
        } else {
            at = find_member(parser, node, target, step, at, &child);
            if (at == NULL)
                return NULL;
            if (child == 0)
                break;
        }
        at = read_value(parser, child, at);
        if (at == NULL)
            return NULL;
        step = &parser->columns[child].next;
    }
    if (nmembers < parser->shape->nodes[node].nchildren &&
        !append_missing(parser, node, target, at - 1))
        return NULL;
    return at;
}

const char *stoa_jsonl_read_object(struct stoa_jsonl_parser *parser, uint32_t node, const char *at)
{
    if (*at != '{')
        return stoa_jsonl_misfit(parser, STOA_JSONL_CAST, node, at);
    if (!stoa_jsonl_reserve(parser, node, 0))
        return NULL;
    at = read_members(parser, node, at);
    if (at != NULL)
        ++*count_of(parser, node);
    return at;
}

/* ---- Lists. ---- */

/* The items of an array behind its bracket; behind the closing one. */
static const char *read_items(struct stoa_jsonl_parser *parser, uint32_t item, const char *at)
{
    at = stoa_json_blanks(at);
    if (*at == ']')
        return at + 1;
    for (;;) {
        at = read_value(parser, item, at);
        if (at == NULL)
            return NULL;
        at = stoa_json_blanks(at);
        if (*at == ']')
            return at + 1;
        if (*at != ',')
            return expect(parser, STOA_JSON_NO_ITEM_END, at);
        at = stoa_json_blanks(at + 1);
    }
}

/* Closes a list: its items end here. */
static const char *end_list(struct stoa_jsonl_parser *parser, uint32_t node, const char *at)
{
    const size_t nitems = *count_of(parser, node + 1);

    if (at == NULL || !stoa_jsonl_reserve(parser, node, 0))
        return NULL;
    if (nitems > INT32_MAX) {
        parser->wrong = STOA_JSONL_NO_MEMORY;
        parser->node = node;
        stoa_fail(&parser->err, STOA_ERR_LIMIT, "a list column has more than 2^31 - 1 items");
        return NULL;
    }
    stoa_builder_append_32(&parser->columns[node].builder, (uint32_t)nitems);
    return at;
}

const char *stoa_jsonl_read_list(struct stoa_jsonl_parser *parser, uint32_t node, const char *at)
{
    if (*at != '[')
        return stoa_jsonl_misfit(parser, STOA_JSONL_CAST, node, at);
    return end_list(parser, node, read_items(parser, node + 1, at + 1));
}

const char *stoa_jsonl_read_fixed_list(struct stoa_jsonl_parser *parser, uint32_t node,
                                       const char *at)
{
    const size_t before = *count_of(parser, node + 1);
    const char *begin = at;

    if (*at != '[')
        return stoa_jsonl_misfit(parser, STOA_JSONL_CAST, node, at);
    at = read_items(parser, node + 1, at + 1);
    if (at == NULL || !stoa_jsonl_reserve(parser, node, 0))
        return NULL;
    if (*count_of(parser, node + 1) - before != parser->shape->nodes[node].field->type.width)
        return stoa_jsonl_misfit(parser, STOA_JSONL_CAST, node, begin);
    ++*count_of(parser, node);
    return at;
}

/* An entry of a map from the member of an object: its key is text. */
static const char *read_entry(struct stoa_jsonl_parser *parser, uint32_t entries, const char *at)
{
    const struct stoa_jsonl_node *nodes = parser->shape->nodes;
    const uint32_t key = entries + 1, value = key + nodes[key].nnodes;

    if (*at != '"')
        return expect(parser, STOA_JSON_NO_KEY, at);
    at = read_value(parser, key, at);
    if (at == NULL)
        return NULL;
    at = stoa_json_blanks(at);
    if (*at != ':')
        return expect(parser, STOA_JSON_NO_COLON, at);
    at = read_value(parser, value, stoa_json_blanks(at + 1));
    if (at == NULL || !stoa_jsonl_reserve(parser, entries, 0))
        return NULL;
    ++*count_of(parser, entries);
    return at;
}

const char *stoa_jsonl_read_map(struct stoa_jsonl_parser *parser, uint32_t node, const char *at)
{
    if (*at != '{')
        return stoa_jsonl_read_list(parser, node, at);
    at = stoa_json_blanks(at + 1);
    while (*at != '}') {
        at = read_entry(parser, node + 1, at);
        if (at == NULL)
            return NULL;
        at = stoa_json_blanks(at);
        if (*at == '}')
            break;
        if (*at != ',')
            return expect(parser, STOA_JSON_NO_MEMBER_END, at);
        at = stoa_json_blanks(at + 1);
        if (*at == '}')
            return expect(parser, STOA_JSON_NO_KEY, at);
    }
    return end_list(parser, node, at + 1);
}

/* ---- Lines. ---- */

/* Takes what is behind value n off a column. */
static void truncate_builder(struct stoa_builder *builder, size_t n)
{
    struct stoa_array *array = &builder->array;

    for (size_t i = n; i < array->nvalues; i++) {
        if (stoa_bitmap_get(array->validity, i) == 0) {
            array->validity[i / 8] = (uint8_t)(array->validity[i / 8] | 1U << (i % 8));
            array->nnulls--;
        }
        if (builder->layout == STOA_LAYOUT_BITS)
            stoa_bitmap_clear(array->values, i);
    }
    array->nvalues = n;
    if (builder->layout == STOA_LAYOUT_BYTES)
        builder->nbytes = (size_t)array->offsets[n];
}

/* The items that the first n lists have. */
static size_t items_of(const struct stoa_builder *builder, size_t n)
{
    uint32_t end = 0;

    if (n > 0)
        memcpy(&end, builder->array.values + 4 * (n - 1), 4);
    return end;
}

static void truncate_node(struct stoa_jsonl_parser *parser, uint32_t node, size_t n)
{
    const struct stoa_jsonl_node *at = &parser->shape->nodes[node];
    struct stoa_builder *builder = &parser->columns[node].builder;
    const uint32_t end = node + at->nnodes;

    if (!at->wanted) {
        builder->array.nvalues = n;
        return;
    }
    if (builder->array.nvalues > n)
        truncate_builder(builder, n);
    if (at->field->type.id == STOA_LIST || at->field->type.id == STOA_MAP)
        truncate_node(parser, node + 1, items_of(builder, n));
    else if (at->field->type.id == STOA_FIXED_LIST)
        truncate_node(parser, node + 1, n * at->field->type.width);
    else
        for (uint32_t child = node + 1; child < end; child += parser->shape->nodes[child].nnodes)
            truncate_node(parser, child, n);
}

static const char *read_line(struct stoa_jsonl_parser *parser, const char *line)
{
    const char *at;

    if (*line != '{')
        return stoa_jsonl_misfit(parser, STOA_JSONL_NO_OBJECT, 0, line);
    at = read_members(parser, 0, line);
    if (at == NULL)
        return NULL;
    at = stoa_json_blanks(at);
    if (*at != '\n' && at != parser->limit)
        return stoa_jsonl_fail(parser, STOA_JSONL_BEHIND, 0, at);
    return at;
}

/* What is wrong with a line that is no JSON is that, whatever its values say in front of it. */
static void check_syntax(struct stoa_jsonl_parser *parser, const char *line)
{
    struct stoa_json_fault fault;
    const char *end;

    if (parser->wrong == STOA_JSONL_SYNTAX || parser->wrong == STOA_JSONL_NO_OBJECT ||
        parser->wrong == STOA_JSONL_NO_MEMORY)
        return;
    end = stoa_json_skip_value(line, &fault);
    if (end == NULL) {
        parser->fault = fault;
        fail_syntax(parser);
        return;
    }
    end = stoa_json_blanks(end);
    if (*end != '\n' && end != parser->limit)
        stoa_jsonl_fail(parser, STOA_JSONL_BEHIND, 0, end);
}

const char *stoa_jsonl_parser_line(struct stoa_jsonl_parser *parser, const char *line)
{
    const size_t nrows = *count_of(parser, 0), nlist_nulls = parser->nlist_nulls;
    const struct stoa_jsonl_node *nodes = parser->shape->nodes;
    const char *end = read_line(parser, line);

    if (end != NULL) {
        *count_of(parser, 0) = nrows + 1;
        return end;
    }
    for (uint32_t child = 1; child < parser->shape->nnodes; child += nodes[child].nnodes)
        truncate_node(parser, child, nrows);
    parser->nlist_nulls = nlist_nulls;
    check_syntax(parser, line);
    return NULL;
}

/* ---- Arrays. ---- */

static enum stoa_status finish_node(struct stoa_jsonl_parser *parser, uint32_t node,
                                    struct stoa_array *out, struct stoa_error *err);

/* Of n lists: what was the end of each, behind a 0. */
static enum stoa_status finish_offsets(const struct stoa_array *ends, struct stoa_array *out,
                                       struct stoa_error *err)
{
    const size_t nbytes = (ends->nvalues + 1) * sizeof(int32_t) + STOA_ARRAY_SLACK;
    enum stoa_status st = stoa_alloc_zeroed(&out->offsets, 1, nbytes, err);

    if (st == STOA_OK && ends->nvalues > 0)
        memcpy(out->offsets + 1, ends->values, ends->nvalues * sizeof(int32_t));
    return st;
}

static enum stoa_status finish_children(struct stoa_jsonl_parser *parser, uint32_t node,
                                        struct stoa_array *out, struct stoa_error *err)
{
    const struct stoa_jsonl_node *nodes = parser->shape->nodes;
    uint32_t child = node + 1;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&out->children, nodes[node].nchildren, sizeof(*out->children), err));
    out->nchildren = nodes[node].nchildren;
    for (uint32_t i = 0; i < nodes[node].nchildren; i++, child += nodes[child].nnodes)
        STOA_TRY(finish_node(parser, child, &out->children[i], err));
out:
    return st;
}

static enum stoa_status finish_node(struct stoa_jsonl_parser *parser, uint32_t node,
                                    struct stoa_array *out, struct stoa_error *err)
{
    const struct stoa_jsonl_node *at = &parser->shape->nodes[node];
    const enum stoa_layout layout = stoa_type_info(at->field->type.id)->layout;
    struct stoa_array made, array = {0};
    enum stoa_status st = STOA_OK;

    stoa_builder_finish(&parser->columns[node].builder, &made);
    if (layout == STOA_LAYOUT_BITS || layout == STOA_LAYOUT_FIXED || layout == STOA_LAYOUT_BYTES) {
        *out = made;
        return STOA_OK;
    }
    array.nvalues = made.nvalues;
    array.nnulls = made.nnulls;
    array.validity = made.validity;
    made.validity = NULL;
    if (layout == STOA_LAYOUT_LIST)
        STOA_TRY(finish_offsets(&made, &array, err));
    if (layout != STOA_LAYOUT_NONE)
        STOA_TRY(finish_children(parser, node, &array, err));
    *out = array;
    array = (struct stoa_array){0};
out:
    stoa_array_reset(&array);
    stoa_array_reset(&made);
    return st;
}

enum stoa_status stoa_jsonl_parser_finish(struct stoa_jsonl_parser *parser, const uint32_t *columns,
                                          struct stoa_batch *out, struct stoa_error *err)
{
    const struct stoa_jsonl_node *nodes = parser->shape->nodes;
    uint32_t *places = NULL, node = 1;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&places, (size_t)nodes[0].nchildren + 1, sizeof(*places), err));
    for (uint32_t i = 0; i < nodes[0].nchildren; i++, node += nodes[node].nnodes)
        places[i] = node;
    for (uint32_t i = 0; i < out->ncolumns; i++)
        if (columns[i] != STOA_JSONL_NO_COLUMN)
            STOA_TRY(finish_node(parser, places[columns[i]], &out->columns[i], err));
    out->nrows = *count_of(parser, 0);
    *count_of(parser, 0) = 0;
    parser->nlist_nulls = 0;
out:
    stoa_free(places);
    return st;
}
