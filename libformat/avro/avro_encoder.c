/*
 * Compiling a schema and its columns to operations, along the ways of avro_mapping.c where the
 * schema was kept, and of avro_make.c where it was made: for each kind of Avro a table says what
 * becomes of which type.
 */
#include "avro/avro_encoder.h"

#include <string.h>

#include "avro/avro_mapping.h"
#include "base/error.h"
#include "column/schema.h"
#include "column/type.h"

struct compiler {
    struct stoa_avro_encoder *encoder;
    uint32_t place; /* of what is compiled */
    struct stoa_error *err;
};

enum { ANY = -1 };

/* What goes as it is, or nearly so. */
static const struct {
    enum stoa_type_id id;
    int unit; /* a time unit, or ANY */
    enum stoa_avro_kind kind;
    int logical; /* or ANY */
    enum stoa_avro_put put;
} leaves[] = {
    {STOA_NULL, ANY, STOA_AVRO_NULL, ANY, STOA_AVRO_PUT_NOTHING},
    {STOA_BOOL, ANY, STOA_AVRO_BOOLEAN, ANY, STOA_AVRO_PUT_BOOL},
    {STOA_INT8, ANY, STOA_AVRO_INT, ANY, STOA_AVRO_PUT_INT8},
    {STOA_INT16, ANY, STOA_AVRO_INT, ANY, STOA_AVRO_PUT_INT16},
    {STOA_INT32, ANY, STOA_AVRO_INT, ANY, STOA_AVRO_PUT_INT32},
    {STOA_INT64, ANY, STOA_AVRO_LONG, ANY, STOA_AVRO_PUT_INT64},
    {STOA_UINT8, ANY, STOA_AVRO_INT, ANY, STOA_AVRO_PUT_UINT8},
    {STOA_UINT16, ANY, STOA_AVRO_INT, ANY, STOA_AVRO_PUT_UINT16},
    {STOA_UINT32, ANY, STOA_AVRO_LONG, ANY, STOA_AVRO_PUT_UINT32},
    {STOA_UINT64, ANY, STOA_AVRO_BYTES, STOA_AVRO_DECIMAL, STOA_AVRO_PUT_UINT64},
    {STOA_FLOAT16, ANY, STOA_AVRO_FLOAT, ANY, STOA_AVRO_PUT_FLOAT16},
    {STOA_FLOAT32, ANY, STOA_AVRO_FLOAT, ANY, STOA_AVRO_PUT_FLOAT32},
    {STOA_FLOAT64, ANY, STOA_AVRO_DOUBLE, ANY, STOA_AVRO_PUT_FLOAT64},
    {STOA_DECIMAL, ANY, STOA_AVRO_BYTES, STOA_AVRO_DECIMAL, STOA_AVRO_PUT_DECIMAL},
    {STOA_DECIMAL, ANY, STOA_AVRO_FIXED, STOA_AVRO_DECIMAL, STOA_AVRO_PUT_FIXED_DECIMAL},
    {STOA_DATE32, ANY, STOA_AVRO_INT, ANY, STOA_AVRO_PUT_INT32},
    {STOA_TIME, STOA_SECOND, STOA_AVRO_INT, ANY, STOA_AVRO_PUT_MILLIS32},
    {STOA_TIME, STOA_MILLI, STOA_AVRO_INT, ANY, STOA_AVRO_PUT_INT32},
    {STOA_TIME, ANY, STOA_AVRO_LONG, ANY, STOA_AVRO_PUT_INT64},
    {STOA_TIMESTAMP, STOA_SECOND, STOA_AVRO_LONG, ANY, STOA_AVRO_PUT_MILLIS64},
    {STOA_TIMESTAMP, ANY, STOA_AVRO_LONG, ANY, STOA_AVRO_PUT_INT64},
    {STOA_DURATION, ANY, STOA_AVRO_LONG, ANY, STOA_AVRO_PUT_INT64},
    {STOA_INTERVAL, ANY, STOA_AVRO_FIXED, STOA_AVRO_DURATION, STOA_AVRO_PUT_DURATION},
    {STOA_UTF8, ANY, STOA_AVRO_STRING, ANY, STOA_AVRO_PUT_BYTES},
    {STOA_BINARY, ANY, STOA_AVRO_BYTES, ANY, STOA_AVRO_PUT_BYTES},
    {STOA_BINARY, ANY, STOA_AVRO_FIXED, ANY, STOA_AVRO_PUT_FIXED_BYTES},
    {STOA_FIXED_BINARY, ANY, STOA_AVRO_FIXED, ANY, STOA_AVRO_PUT_FIXED},
    {STOA_UUID, ANY, STOA_AVRO_STRING, ANY, STOA_AVRO_PUT_UUID},
    {STOA_UUID, ANY, STOA_AVRO_FIXED, STOA_AVRO_UUID, STOA_AVRO_PUT_FIXED},
    {STOA_ENUM, ANY, STOA_AVRO_ENUM, ANY, STOA_AVRO_PUT_UINT32},
    {STOA_ENUM, ANY, STOA_AVRO_STRING, ANY, STOA_AVRO_PUT_SYMBOL},
};
#define NLEAVES (sizeof(leaves) / sizeof(leaves[0]))

static enum stoa_status compile(struct compiler *compiler, const struct stoa_avro_type *type,
                                unsigned depth, uint32_t node);

/* A schema that was not made for these columns. */
static enum stoa_status fail(const struct compiler *compiler, const struct stoa_avro_type *type,
                             uint32_t node)
{
    const struct stoa_field *field = compiler->encoder->nodes[node].field;
    char shown[80];

    return stoa_fail(compiler->err, STOA_ERR_USAGE, "field \"%s\" can't be written as Avro's %s",
                     stoa_quote(shown, sizeof(shown), field->name, strlen(field->name)),
                     stoa_avro_kind_name(type->kind));
}

/* Appends an operation; *at is its number, by which it is found again when the list has moved. */
static enum stoa_status emit(struct compiler *compiler, struct stoa_avro_put_op op, size_t *at)
{
    struct stoa_avro_encoder *encoder = compiler->encoder;
    enum stoa_status st;

    STOA_TRY(stoa_reserve(&encoder->ops, &encoder->ops_capacity, encoder->nops + 1,
                          sizeof(*encoder->ops), compiler->err));
    op.place = compiler->place;
    op.next = (uint32_t)encoder->nops + 1;
    op.column = &encoder->nodes[op.node].field->type;
    *at = encoder->nops;
    encoder->ops[encoder->nops++] = op;
out:
    return st;
}

/* What was emitted since belongs to the operation. */
static void close_body(struct compiler *compiler, size_t at)
{
    compiler->encoder->ops[at].next = (uint32_t)compiler->encoder->nops;
}

/* Compiles a part under its name. */
static enum stoa_status compile_part(struct compiler *compiler, const char *name,
                                     const struct stoa_avro_type *type, unsigned depth,
                                     uint32_t node)
{
    struct stoa_avro_encoder *encoder = compiler->encoder;
    const uint32_t place = compiler->place;
    enum stoa_status st;

    STOA_TRY(stoa_reserve(&encoder->places, &encoder->places_capacity, encoder->nplaces + 1,
                          sizeof(*encoder->places), compiler->err));
    encoder->places[encoder->nplaces] = (struct stoa_avro_put_place){place, name};
    compiler->place = (uint32_t)encoder->nplaces++;
    STOA_TRY(compile(compiler, type, depth, node));
    compiler->place = place;
out:
    return st;
}

static enum stoa_status compile_leaf(struct compiler *compiler, const struct stoa_avro_type *type,
                                     uint32_t node, size_t *at)
{
    const struct stoa_type *column = &compiler->encoder->nodes[node].field->type;
    struct stoa_avro_put_op op = {.node = node, .type = type};
    size_t i = 0;

    while (i < NLEAVES && (leaves[i].id != column->id || leaves[i].kind != type->kind ||
                           (leaves[i].unit != ANY && leaves[i].unit != (int)column->unit) ||
                           (leaves[i].logical != ANY && leaves[i].logical != (int)type->logical)))
        i++;
    if (i == NLEAVES)
        return fail(compiler, type, node);
    op.code = (uint8_t)leaves[i].put;
    op.width = type->kind == STOA_AVRO_FIXED ? type->size : 0;
    if (op.code == STOA_AVRO_PUT_FIXED && stoa_type_width(column) != op.width)
        return fail(compiler, type, node);
    if (op.code == STOA_AVRO_PUT_UINT32 && column->id == STOA_ENUM &&
        column->nsymbols != type->symbols.nitems)
        return fail(compiler, type, node);
    return emit(compiler, op, at);
}

/* The fields of a record, whose nodes begin at `node`. */
static enum stoa_status compile_fields(struct compiler *compiler, const struct stoa_avro_type *type,
                                       unsigned depth, uint32_t node, uint32_t nfields)
{
    enum stoa_status st = STOA_OK;

    if (type->kind != STOA_AVRO_RECORD || type->nfields != nfields)
        return stoa_fail(compiler->err, STOA_ERR_USAGE, "a record has other fields than %u columns",
                         nfields);
    for (size_t i = 0; i < type->nfields; i++) {
        STOA_TRY(compile_part(compiler, type->fields[i].name, type->fields[i].type, depth, node));
        node += compiler->encoder->nodes[node].nnodes;
    }
out:
    return st;
}

static enum stoa_status compile_struct(struct compiler *compiler, const struct stoa_avro_type *type,
                                       unsigned depth, uint32_t node, size_t *at)
{
    const struct stoa_field *field = compiler->encoder->nodes[node].field;
    enum stoa_status st;

    STOA_TRY(emit(
        compiler,
        (struct stoa_avro_put_op){.code = STOA_AVRO_PUT_STRUCT, .node = node, .type = type}, at));
    STOA_TRY(compile_fields(compiler, type, depth + 1, node + 1, field->nchildren));
    close_body(compiler, *at);
out:
    return st;
}

/* Entries: node + 1 is their struct, node + 2 the key. */
static enum stoa_status compile_map(struct compiler *compiler, const struct stoa_avro_type *type,
                                    unsigned depth, uint32_t node)
{
    static const struct stoa_avro_type text = {.kind = STOA_AVRO_STRING};
    const uint32_t key = node + 2;
    size_t at;
    enum stoa_status st;

    if (type->kind == STOA_AVRO_ARRAY)
        return compile_fields(compiler, type->items, depth + 2, key, 2);
    if (type->kind != STOA_AVRO_MAP)
        return fail(compiler, type, node);
    STOA_TRY(compile_leaf(compiler, &text, key, &at));
    STOA_TRY(compile_part(compiler, "{}", type->items, depth + 2,
                          key + compiler->encoder->nodes[key].nnodes));
out:
    return st;
}

static enum stoa_status compile_list(struct compiler *compiler, const struct stoa_avro_type *type,
                                     unsigned depth, uint32_t node, size_t *at)
{
    const struct stoa_type *column = &compiler->encoder->nodes[node].field->type;
    struct stoa_avro_put_op op = {
        .code = STOA_AVRO_PUT_LIST, .node = node, .type = type, .width = column->width};
    enum stoa_status st;

    if (column->id == STOA_FIXED_LIST)
        op.code = STOA_AVRO_PUT_FIXED_LIST;
    STOA_TRY(emit(compiler, op, at));
    if (column->id == STOA_MAP)
        STOA_TRY(compile_map(compiler, type, depth, node));
    else if (type->kind == STOA_AVRO_ARRAY)
        STOA_TRY(compile_part(compiler, "[]", type->items, depth + 1, node + 1));
    else
        return fail(compiler, type, node);
    close_body(compiler, *at);
out:
    return st;
}

/* Branches of the symbols of the tag, in their order; node + 1 is the tag. */
static enum stoa_status compile_union(struct compiler *compiler, const struct stoa_avro_type *type,
                                      unsigned depth, uint32_t node)
{
    const struct stoa_field *field = compiler->encoder->nodes[node].field;
    uint32_t member = node + 2, null_branch = STOA_AVRO_NOWHERE, nmembers = 0;
    size_t first, at;
    enum stoa_status st;

    for (size_t i = 0; i < type->nbranches; i++) {
        nmembers += type->branches[i]->kind != STOA_AVRO_NULL;
        if (type->branches[i]->kind == STOA_AVRO_NULL)
            null_branch = (uint32_t)i;
    }
    if (field->type.id != STOA_STRUCT || field->nchildren != 1 + nmembers ||
        field->children[0].type.id != STOA_ENUM || field->children[0].type.nsymbols != nmembers)
        return fail(compiler, type, node);
    STOA_TRY(
        emit(compiler,
             (struct stoa_avro_put_op){
                 .code = STOA_AVRO_PUT_UNION, .node = node, .branch = null_branch, .type = type},
             &first));
    for (size_t i = 0; i < type->nbranches; i++) {
        const struct stoa_avro_type *branch = type->branches[i];

        if (branch->kind == STOA_AVRO_NULL)
            continue;
        STOA_TRY(emit(compiler,
                      (struct stoa_avro_put_op){.code = STOA_AVRO_PUT_BRANCH,
                                                .node = member,
                                                .branch = (uint32_t)i,
                                                .type = branch},
                      &at));
        STOA_TRY(compile_part(compiler, stoa_avro_branch_name(branch), branch, depth + 1, member));
        close_body(compiler, at);
        member += compiler->encoder->nodes[member].nnodes;
    }
    close_body(compiler, first);
out:
    return st;
}

/* A type that is no union. */
static enum stoa_status compile_value(struct compiler *compiler, const struct stoa_avro_type *type,
                                      unsigned depth, uint32_t node, size_t *at)
{
    switch (compiler->encoder->nodes[node].field->type.id) {
    case STOA_STRUCT:
        return compile_struct(compiler, type, depth, node, at);
    case STOA_LIST:
    case STOA_FIXED_LIST:
    case STOA_MAP:
        return compile_list(compiler, type, depth, node, at);
    case STOA_UTF8:
        if (stoa_avro_way_of(type, depth) == STOA_AVRO_WAY_JSON)
            return emit(
                compiler,
                (struct stoa_avro_put_op){.code = STOA_AVRO_PUT_JSON, .node = node, .type = type},
                at);
        return compile_leaf(compiler, type, node, at);
    default:
        return compile_leaf(compiler, type, node, at);
    }
}

static enum stoa_status compile(struct compiler *compiler, const struct stoa_avro_type *type,
                                unsigned depth, uint32_t node)
{
    bool null_first = false;
    const struct stoa_avro_type *value = stoa_avro_nullable(type, &null_first);
    struct stoa_avro_put_op *op;
    size_t at;
    enum stoa_status st;

    if (type->kind == STOA_AVRO_UNION && value == NULL && type->nbranches > 1 &&
        stoa_avro_way_of(type, depth) != STOA_AVRO_WAY_JSON)
        return compile_union(compiler, type, depth, node);
    if (type->kind == STOA_AVRO_UNION && value == NULL && type->nbranches == 1)
        value = type->branches[0];
    STOA_TRY(compile_value(compiler, value != NULL ? value : type, depth, node, &at));
    if (value != NULL) { /* the numbers of two branches, of which one may be of null */
        op = &compiler->encoder->ops[at];
        op->has_branch = true;
        op->null_byte = null_first || type->nbranches == 1 ? 0 : 2;
        op->value_byte = null_first ? 2 : 0;
    }
out:
    return st;
}

enum stoa_status stoa_avro_encoder_init(struct stoa_avro_encoder *encoder,
                                        const struct stoa_avro_schema *schema,
                                        const struct stoa_schema *columns, struct stoa_error *err)
{
    const struct stoa_avro_type *root = schema->root;
    struct stoa_avro_encoder made = {0};
    struct compiler compiler = {.encoder = &made, .place = STOA_AVRO_NOWHERE, .err = err};
    enum stoa_status st;

    STOA_TRY(stoa_schema_nodes(columns, &made.nodes, &made.nnodes, err));
    if (root->kind != STOA_AVRO_RECORD && columns->nfields == 1)
        STOA_TRY(compile_part(&compiler, columns->fields[0].name, root, 1, 0));
    else
        STOA_TRY(compile_fields(&compiler, root, 1, 0, columns->nfields));
    *encoder = made;
    made = (struct stoa_avro_encoder){0};
out:
    stoa_avro_encoder_reset(&made);
    return st;
}

void stoa_avro_encoder_reset(struct stoa_avro_encoder *encoder)
{
    stoa_free(encoder->ops);
    stoa_free(encoder->places);
    stoa_free(encoder->nodes);
    *encoder = (struct stoa_avro_encoder){0};
}
