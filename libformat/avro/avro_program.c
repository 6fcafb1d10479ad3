/*
 * Compiling a resolution to operations: what is read is as the writer's schema has it, where it
 * goes is as avro_mapping.c has it for the reader's.
 */
#include "avro/avro_program.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "column/schema.h"

enum { MAX_OPS = 1 << 20 };

struct compiler {
    struct stoa_avro_program *program;
    const struct stoa_schema_node *nodes; /* of the columns */
    const uint32_t *roots;                /* by the reader's root field: its node, or UNWANTED */
    uint32_t place;                       /* of what is compiled */
    struct stoa_error *err;
};

static enum stoa_status compile(struct compiler *compiler, const struct stoa_avro_match *match,
                                enum stoa_avro_way way, unsigned depth, uint32_t column);

/* Appends an operation; *at is its number, by which it is found again when the list has moved. */
static enum stoa_status emit(struct compiler *compiler, struct stoa_avro_op op, size_t *at)
{
    struct stoa_avro_program *program = compiler->program;
    enum stoa_status st;

    if (program->nops == MAX_OPS)
        return stoa_fail(compiler->err, STOA_ERR_LIMIT,
                         "reading the file as the schema takes more than %d operations", MAX_OPS);
    STOA_TRY(stoa_reserve(&program->ops, &program->ops_capacity, program->nops + 1,
                          sizeof(*program->ops), compiler->err));
    op.place = compiler->place;
    op.next = (uint32_t)program->nops + 1;
    if (at != NULL)
        *at = program->nops;
    program->ops[program->nops++] = op;
out:
    return st;
}

/* What was emitted since belongs to the operation. */
static void close_body(struct compiler *compiler, size_t at)
{
    compiler->program->ops[at].next = (uint32_t)compiler->program->nops;
}

/* The bytes that each value of a type has, below 2^31; 0: not a fixed number, or none. */
static uint32_t fixed_nbytes(const struct stoa_avro_type *type)
{
    switch (type->kind) {
    case STOA_AVRO_BOOLEAN:
        return 1;
    case STOA_AVRO_FLOAT:
        return 4;
    case STOA_AVRO_DOUBLE:
        return 8;
    case STOA_AVRO_FIXED:
        return type->size <= INT32_MAX ? (uint32_t)type->size : 0;
    default:
        return 0;
    }
}

/* How a field that is not wanted is passed over, alone. */
static struct stoa_avro_op skip_of(const struct stoa_avro_type *record, size_t field)
{
    const struct stoa_avro_type *type = record->fields[field].type;
    struct stoa_avro_op op = {.code = STOA_AVRO_OP_SKIP, .type = type};

    op.nbytes = fixed_nbytes(type);
    if (op.nbytes > 0)
        op.code = STOA_AVRO_OP_SKIP_BYTES;
    else if (type->kind == STOA_AVRO_INT || type->kind == STOA_AVRO_LONG ||
             type->kind == STOA_AVRO_ENUM)
        op.code = STOA_AVRO_OP_SKIP_NUMBERS;
    else
        return op;
    op.type = record;
    op.which = (uint32_t)field;
    op.nfields = 1;
    return op;
}

/* Passes over a field, with those in front of it where these go the same way. */
static enum stoa_status compile_skip(struct compiler *compiler, const struct stoa_avro_type *record,
                                     size_t field)
{
    struct stoa_avro_program *program = compiler->program;
    const struct stoa_avro_op op = skip_of(record, field);
    struct stoa_avro_op *last = program->nops > 0 ? &program->ops[program->nops - 1] : NULL;
    const char *name = record->fields[field].name;
    const uint32_t place = compiler->place;
    enum stoa_status st;

    STOA_TRY(
        stoa_avro_place_add(&program->places, place, name, name, &compiler->place, compiler->err));
    if (last != NULL && op.nfields > 0 && last->code == op.code && last->type == record &&
        last->which + last->nfields == field && last->nbytes <= INT32_MAX) {
        last->nfields++;
        last->nbytes += op.nbytes;
    } else {
        STOA_TRY(emit(compiler, op, NULL));
    }
    compiler->place = place;
out:
    return st;
}

/* Compiles a part under its names; without a column it is passed over. */
static enum stoa_status compile_part(struct compiler *compiler, const char *name, const char *other,
                                     const struct stoa_avro_match *match,
                                     const struct stoa_avro_type *writer, unsigned depth,
                                     uint32_t column)
{
    const uint32_t place = compiler->place;
    enum stoa_status st;

    STOA_TRY(stoa_avro_place_add(&compiler->program->places, place, name, other, &compiler->place,
                                 compiler->err));
    if (column == STOA_AVRO_UNWANTED)
        STOA_TRY(
            emit(compiler, (struct stoa_avro_op){.code = STOA_AVRO_OP_SKIP, .type = writer}, NULL));
    else
        STOA_TRY(compile(compiler, match, stoa_avro_way_of(match->reader, depth), depth, column));
    compiler->place = place;
out:
    return st;
}

/* The node of each field of a record, whose own stands in front of them; of the root's as wanted.
 */
static enum stoa_status find_columns(struct compiler *compiler, const struct stoa_avro_type *reader,
                                     unsigned depth, uint32_t column, uint32_t **out)
{
    uint32_t *columns, next = column + 1;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&columns, reader->nfields, sizeof(*columns), compiler->err));
    for (size_t i = 0; i < reader->nfields; i++) {
        columns[i] = depth == 0 ? compiler->roots[i] : next;
        next += depth == 0 ? 0 : compiler->nodes[next].nnodes;
    }
    *out = columns;
out:
    return st;
}

/* The default of a field that the file does not have. */
static enum stoa_status compile_default(struct compiler *compiler,
                                        const struct stoa_avro_match *match, size_t which,
                                        unsigned depth, uint32_t column)
{
    const struct stoa_avro_default *given = &match->defaults[which];
    size_t at;
    enum stoa_status st;

    if (column == STOA_AVRO_UNWANTED)
        return STOA_OK;
    STOA_TRY(emit(compiler,
                  (struct stoa_avro_op){
                      .code = STOA_AVRO_OP_DEFAULT, .which = (uint32_t)which, .match = match},
                  &at));
    STOA_TRY(compile_part(compiler, NULL, match->reader->fields[given->field].name, given->match,
                          given->match->writer, depth, column));
    close_body(compiler, at);
out:
    return st;
}

/* A record, whose fields are parts of a struct or, at the root, the columns. */
static enum stoa_status compile_record(struct compiler *compiler,
                                       const struct stoa_avro_match *match, unsigned depth,
                                       uint32_t column)
{
    const struct stoa_avro_type *writer = match->writer, *reader = match->reader;
    uint32_t *columns = NULL;
    enum stoa_status st;

    STOA_TRY(find_columns(compiler, reader, depth, column, &columns));
    if (depth > 0)
        STOA_TRY(emit(compiler,
                      (struct stoa_avro_op){.code = STOA_AVRO_OP_STRUCT, .column = column}, NULL));
    for (size_t i = 0; i < writer->nfields; i++) {
        const struct stoa_avro_field *field = &writer->fields[i];
        const uint32_t target = match->targets[i];

        if (target == STOA_AVRO_NO_TARGET || columns[target] == STOA_AVRO_UNWANTED)
            STOA_TRY(compile_skip(compiler, writer, i));
        else
            STOA_TRY(compile_part(compiler, field->name, reader->fields[target].name,
                                  match->parts[i], field->type, depth + 1, columns[target]));
    }
    for (size_t i = 0; i < match->ndefaults; i++)
        STOA_TRY(compile_default(compiler, match, i, depth + 1, columns[match->defaults[i].field]));
out:
    stoa_free(columns);
    return st;
}

/* A list's items, a map's entries: node column + 1 is the item or the struct of the entry. */
static enum stoa_status compile_list(struct compiler *compiler, const struct stoa_avro_match *match,
                                     enum stoa_avro_way way, unsigned depth, uint32_t column)
{
    const struct stoa_avro_match *items = match->parts[0];
    const uint32_t key = column + 2;
    size_t at;
    enum stoa_status st;

    STOA_TRY(
        emit(compiler, (struct stoa_avro_op){.code = STOA_AVRO_OP_LIST, .column = column}, &at));
    if (way == STOA_AVRO_WAY_LIST) {
        STOA_TRY(compile_part(compiler, "[]", "[]", items, items->writer, depth + 1, column + 1));
    } else if (way == STOA_AVRO_WAY_ENTRIES) {
        STOA_TRY(compile(compiler, items, STOA_AVRO_WAY_STRUCT, depth + 1, column + 1));
    } else {
        STOA_TRY(emit(compiler,
                      (struct stoa_avro_op){.code = STOA_AVRO_OP_STRUCT, .column = column + 1},
                      NULL));
        STOA_TRY(emit(compiler,
                      (struct stoa_avro_op){
                          .code = STOA_AVRO_OP_VALUE, .way = STOA_AVRO_WAY_STRING, .column = key},
                      NULL));
        STOA_TRY(compile_part(compiler, "{}", "{}", items, items->writer, depth + 2,
                              key + compiler->nodes[key].nnodes));
    }
    close_body(compiler, at);
out:
    return st;
}

/* A value of branch `which` of the reader's union, of which the writer has that alone. */
static enum stoa_status compile_branch(struct compiler *compiler,
                                       const struct stoa_avro_match *match, enum stoa_avro_way way,
                                       unsigned depth, uint32_t column)
{
    const struct stoa_avro_type *reader = match->reader;
    const struct stoa_avro_type *chosen = reader->branches[match->which];
    const char *name = stoa_avro_branch_name(chosen);
    uint32_t member = column + 2, which = 0; /* behind the tag */
    size_t at;
    enum stoa_status st;

    if (chosen->kind == STOA_AVRO_NULL && way != STOA_AVRO_WAY_ONLY)
        return emit(compiler, (struct stoa_avro_op){.code = STOA_AVRO_OP_NULL, .column = column},
                    NULL);
    if (way != STOA_AVRO_WAY_UNION)
        return compile(compiler, match->parts[0], stoa_avro_way_of(chosen, depth), depth, column);
    for (uint32_t i = 0; i < match->which; i++) {
        if (reader->branches[i]->kind == STOA_AVRO_NULL)
            continue;
        member += compiler->nodes[member].nnodes;
        which++;
    }
    STOA_TRY(
        emit(compiler,
             (struct stoa_avro_op){
                 .code = STOA_AVRO_OP_MEMBER, .column = column, .member = member, .which = which},
             &at));
    STOA_TRY(compile_part(compiler, name, name, match->parts[0], match->writer, depth + 1, member));
    close_body(compiler, at);
out:
    return st;
}

/* The writer's union: what becomes of each of its branches. */
static enum stoa_status compile_union(struct compiler *compiler,
                                      const struct stoa_avro_match *match, enum stoa_avro_way way,
                                      unsigned depth, uint32_t column)
{
    const struct stoa_avro_type *writer = match->writer;
    const size_t first = compiler->program->nops;
    size_t at;
    enum stoa_status st;

    STOA_TRY(emit(
        compiler,
        (struct stoa_avro_op){.code = STOA_AVRO_OP_UNION, .nbranches = (uint32_t)writer->nbranches},
        NULL));
    for (size_t i = 0; i < writer->nbranches; i++) {
        STOA_TRY(emit(compiler, (struct stoa_avro_op){.code = STOA_AVRO_OP_BRANCH}, &at));
        if (match->parts[i] != NULL)
            STOA_TRY(compile(compiler, match->parts[i], way, depth, column));
        else
            STOA_TRY(emit(
                compiler,
                (struct stoa_avro_op){.code = STOA_AVRO_OP_REFUSE, .type = writer->branches[i]},
                NULL));
        close_body(compiler, at);
    }
    close_body(compiler, first);
out:
    return st;
}

/*
 * Of both unions of null and another type, and of one type, which has its number, 0, in front of
 * each value: what almost all unions are, without a jump to one of several bodies.
 */
static enum stoa_status compile_nullable(struct compiler *compiler,
                                         const struct stoa_avro_match *match, unsigned depth,
                                         uint32_t column)
{
    const struct stoa_avro_type *writer = match->writer;
    bool null_first = false;
    const bool is_only = stoa_avro_nullable(writer, &null_first) == NULL;
    const struct stoa_avro_match *value = match->parts[null_first ? 1 : 0]->parts[0];
    const uint8_t null_branch = is_only ? UINT8_MAX : !null_first;
    size_t at;
    enum stoa_status st;

    STOA_TRY(emit(compiler,
                  (struct stoa_avro_op){
                      .code = STOA_AVRO_OP_NULLABLE, .column = column, .null_branch = null_branch},
                  &at));
    STOA_TRY(compile(compiler, value, stoa_avro_way_of(value->reader, depth), depth, column));
    close_body(compiler, at);
out:
    return st;
}

/* Whether a writer's union is read by compile_nullable() as what the reader has. */
static bool is_nullable(const struct stoa_avro_match *match, enum stoa_avro_way way)
{
    bool null_first = false;
    const bool both =
        way == STOA_AVRO_WAY_NULLABLE && stoa_avro_nullable(match->writer, &null_first) != NULL;

    if (!both && (way != STOA_AVRO_WAY_ONLY || match->writer->nbranches != 1))
        return false;
    return match->parts[null_first ? 1 : 0] != NULL;
}

/* A value of the writer's type, which is no union, without parts. */
static enum stoa_status compile_value(struct compiler *compiler,
                                      const struct stoa_avro_match *match, enum stoa_avro_way way,
                                      uint32_t column)
{
    if (way != STOA_AVRO_WAY_JSON)
        way = stoa_avro_way_between(match->writer, match->reader, way);
    return emit(compiler,
                (struct stoa_avro_op){.code = STOA_AVRO_OP_VALUE,
                                      .way = (uint8_t)way,
                                      .column = column,
                                      .type = match->writer,
                                      .match = match},
                NULL);
}

/* What is read in the reader's way into the column. */
static enum stoa_status compile(struct compiler *compiler, const struct stoa_avro_match *match,
                                enum stoa_avro_way way, unsigned depth, uint32_t column)
{
    if (way == STOA_AVRO_WAY_JSON)
        return compile_value(compiler, match, way, column);
    if (match->action == STOA_AVRO_MATCH_BRANCHES)
        return is_nullable(match, way) ? compile_nullable(compiler, match, depth, column)
                                       : compile_union(compiler, match, way, depth, column);
    if (match->action == STOA_AVRO_MATCH_BRANCH)
        return compile_branch(compiler, match, way, depth, column);
    if (match->action == STOA_AVRO_MATCH_RECORD)
        return compile_record(compiler, match, depth, column);
    if (match->action == STOA_AVRO_MATCH_ITEMS)
        return compile_list(compiler, match, way, depth, column);
    return compile_value(compiler, match, way, column);
}

/* The node of each field of the reader's root as it is wanted; of a root that is no record one. */
static enum stoa_status find_roots(const struct stoa_avro_type *reader, const uint32_t *wanted,
                                   const struct stoa_schema *columns,
                                   const struct stoa_schema_node *nodes, uint32_t **out,
                                   struct stoa_error *err)
{
    const size_t n = reader->kind == STOA_AVRO_RECORD ? reader->nfields : 1;
    uint32_t *first = NULL, *roots = NULL; /* the node of each column, of each field */
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&first, (size_t)columns->nfields + 1, sizeof(*first), err));
    STOA_TRY(stoa_alloc_zeroed(&roots, n, sizeof(*roots), err));
    for (uint32_t i = 0; i < columns->nfields; i++)
        first[i + 1] = first[i] + nodes[first[i]].nnodes;
    for (size_t i = 0; i < n; i++)
        roots[i] = wanted[i] == STOA_AVRO_UNWANTED ? wanted[i] : first[wanted[i]];
    *out = roots;
    roots = NULL;
out:
    stoa_free(first);
    stoa_free(roots);
    return st;
}

enum stoa_status stoa_avro_program_init(struct stoa_avro_program *program,
                                        const struct stoa_avro_schema *writer,
                                        const struct stoa_avro_schema *reader,
                                        const uint32_t *wanted, const struct stoa_schema *columns,
                                        struct stoa_error *err)
{
    struct stoa_avro_program made = {0};
    struct stoa_schema_node *nodes = NULL;
    struct compiler compiler = {.program = &made, .place = STOA_AVRO_NO_PLACE, .err = err};
    uint32_t *roots = NULL;
    uint32_t nnodes;
    enum stoa_status st;

    STOA_TRY(stoa_schema_nodes(columns, &nodes, &nnodes, err));
    STOA_TRY(find_roots(reader->root, wanted, columns, nodes, &roots, err));
    STOA_TRY(stoa_avro_resolve(&made.resolution, writer, reader, err));
    /* So that a program of no operations has a place. */
    STOA_TRY(stoa_reserve(&made.ops, &made.ops_capacity, 1, sizeof(*made.ops), err));
    compiler.nodes = nodes;
    compiler.roots = roots;
    if (reader->root->kind == STOA_AVRO_RECORD)
        STOA_TRY(compile(&compiler, made.resolution.root, STOA_AVRO_WAY_STRUCT, 0, 0));
    else
        STOA_TRY(compile_part(&compiler, "value", "value", made.resolution.root, writer->root, 1,
                              roots[0]));
    *program = made;
    made = (struct stoa_avro_program){0};
out:
    stoa_avro_program_reset(&made);
    stoa_free(nodes);
    stoa_free(roots);
    return st;
}

void stoa_avro_program_reset(struct stoa_avro_program *program)
{
    stoa_free(program->ops);
    stoa_free(program->places.items);
    stoa_avro_resolution_reset(&program->resolution);
    *program = (struct stoa_avro_program){0};
}
