/*
 * Compiling a schema to operations, along the ways of avro_mapping.c: the nodes of the columns
 * stand depth first, and so do the operations that fill them.
 */
#include "avro/avro_program.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "column/schema.h"

struct compiler {
    struct stoa_avro_program *program;
    const struct stoa_schema_node *nodes; /* of the columns */
    uint32_t place;                       /* of what is compiled */
    struct stoa_error *err;
};

static enum stoa_status compile(struct compiler *compiler, const struct stoa_avro_type *type,
                                unsigned depth, uint32_t column);

/* Appends an operation; *at is its number, by which it is found again when the list has moved. */
static enum stoa_status emit(struct compiler *compiler, struct stoa_avro_op op, size_t *at)
{
    struct stoa_avro_program *program = compiler->program;
    enum stoa_status st;

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

/* Compiles a part under its name. */
static enum stoa_status compile_part(struct compiler *compiler, const char *name,
                                     const struct stoa_avro_type *type, unsigned depth,
                                     uint32_t column)
{
    struct stoa_avro_program *program = compiler->program;
    const uint32_t place = compiler->place;
    enum stoa_status st;

    STOA_TRY(stoa_reserve(&program->places, &program->places_capacity, program->nplaces + 1,
                          sizeof(*program->places), compiler->err));
    program->places[program->nplaces] = (struct stoa_avro_place){place, name};
    compiler->place = (uint32_t)program->nplaces++;
    if (column == STOA_AVRO_UNWANTED)
        STOA_TRY(
            emit(compiler, (struct stoa_avro_op){.code = STOA_AVRO_OP_SKIP, .type = type}, NULL));
    else
        STOA_TRY(compile(compiler, type, depth, column));
    compiler->place = place;
out:
    return st;
}

/* The fields of a record, whose nodes begin at `column`. */
static enum stoa_status compile_fields(struct compiler *compiler, const struct stoa_avro_type *type,
                                       unsigned depth, uint32_t column)
{
    enum stoa_status st = STOA_OK;

    for (size_t i = 0; i < type->nfields; i++) {
        STOA_TRY(compile_part(compiler, type->fields[i].name, type->fields[i].type, depth, column));
        column += compiler->nodes[column].nnodes;
    }
out:
    return st;
}

static enum stoa_status compile_record(struct compiler *compiler, const struct stoa_avro_type *type,
                                       unsigned depth, uint32_t column)
{
    enum stoa_status st;

    STOA_TRY(
        emit(compiler, (struct stoa_avro_op){.code = STOA_AVRO_OP_STRUCT, .column = column}, NULL));
    STOA_TRY(compile_fields(compiler, type, depth + 1, column + 1));
out:
    return st;
}

/* A list's items, a map's entries: node column + 1 is the item or the struct of the entry. */
static enum stoa_status compile_list(struct compiler *compiler, const struct stoa_avro_type *type,
                                     enum stoa_avro_way way, unsigned depth, uint32_t column)
{
    const uint32_t key = column + 2;
    size_t at;
    enum stoa_status st;

    STOA_TRY(
        emit(compiler, (struct stoa_avro_op){.code = STOA_AVRO_OP_LIST, .column = column}, &at));
    if (way == STOA_AVRO_WAY_LIST) {
        STOA_TRY(compile_part(compiler, "[]", type->items, depth + 1, column + 1));
    } else {
        STOA_TRY(emit(compiler,
                      (struct stoa_avro_op){.code = STOA_AVRO_OP_STRUCT, .column = column + 1},
                      NULL));
        if (way == STOA_AVRO_WAY_ENTRIES) {
            STOA_TRY(compile_fields(compiler, type->items, depth + 2, key));
        } else {
            STOA_TRY(emit(compiler,
                          (struct stoa_avro_op){.code = STOA_AVRO_OP_VALUE,
                                                .way = STOA_AVRO_WAY_STRING,
                                                .column = key},
                          NULL));
            STOA_TRY(compile_part(compiler, "{}", type->items, depth + 2,
                                  key + compiler->nodes[key].nnodes));
        }
    }
    close_body(compiler, at);
out:
    return st;
}

static enum stoa_status compile_union(struct compiler *compiler, const struct stoa_avro_type *type,
                                      unsigned depth, uint32_t column)
{
    const size_t first = compiler->program->nops;
    uint32_t member = column + 2; /* behind the tag */
    uint32_t which = 0;
    size_t at;
    enum stoa_status st;

    STOA_TRY(emit(compiler,
                  (struct stoa_avro_op){.code = STOA_AVRO_OP_UNION,
                                        .column = column,
                                        .nbranches = (uint32_t)type->nbranches},
                  NULL));
    for (size_t i = 0; i < type->nbranches; i++) {
        const struct stoa_avro_type *branch = type->branches[i];
        const bool is_null = branch->kind == STOA_AVRO_NULL;

        STOA_TRY(emit(compiler,
                      (struct stoa_avro_op){.code = STOA_AVRO_OP_BRANCH,
                                            .column = is_null ? column : member,
                                            .is_null = is_null,
                                            .which = is_null ? 0 : which++},
                      &at));
        if (!is_null) {
            STOA_TRY(
                compile_part(compiler, stoa_avro_branch_name(branch), branch, depth + 1, member));
            member += compiler->nodes[member].nnodes;
        }
        close_body(compiler, at);
    }
    close_body(compiler, first);
out:
    return st;
}

static enum stoa_status compile_nullable(struct compiler *compiler,
                                         const struct stoa_avro_type *type, unsigned depth,
                                         uint32_t column)
{
    bool null_first = false;
    const struct stoa_avro_type *value = stoa_avro_nullable(type, &null_first);
    size_t at;
    enum stoa_status st;

    STOA_TRY(emit(compiler,
                  (struct stoa_avro_op){
                      .code = STOA_AVRO_OP_NULLABLE, .column = column, .null_branch = !null_first},
                  &at));
    STOA_TRY(compile(compiler, value, depth, column));
    close_body(compiler, at);
out:
    return st;
}

/* A union of one branch has its number, 0, in front of each value: a union without null. */
static enum stoa_status compile_only(struct compiler *compiler, const struct stoa_avro_type *type,
                                     unsigned depth, uint32_t column)
{
    size_t at;
    enum stoa_status st;

    STOA_TRY(emit(compiler,
                  (struct stoa_avro_op){
                      .code = STOA_AVRO_OP_NULLABLE, .column = column, .null_branch = UINT8_MAX},
                  &at));
    STOA_TRY(compile(compiler, type->branches[0], depth, column));
    close_body(compiler, at);
out:
    return st;
}

static enum stoa_status compile(struct compiler *compiler, const struct stoa_avro_type *type,
                                unsigned depth, uint32_t column)
{
    const enum stoa_avro_way way = stoa_avro_way_of(type, depth);

    switch (way) {
    case STOA_AVRO_WAY_NULLABLE:
        return compile_nullable(compiler, type, depth, column);
    case STOA_AVRO_WAY_ONLY:
        return compile_only(compiler, type, depth, column);
    case STOA_AVRO_WAY_STRUCT:
        return compile_record(compiler, type, depth, column);
    case STOA_AVRO_WAY_UNION:
        return compile_union(compiler, type, depth, column);
    case STOA_AVRO_WAY_LIST:
    case STOA_AVRO_WAY_MAP:
    case STOA_AVRO_WAY_ENTRIES:
        return compile_list(compiler, type, way, depth, column);
    default:
        return emit(
            compiler,
            (struct stoa_avro_op){
                .code = STOA_AVRO_OP_VALUE, .way = (uint8_t)way, .column = column, .type = type},
            NULL);
    }
}

enum stoa_status stoa_avro_program_init(struct stoa_avro_program *program,
                                        const struct stoa_avro_schema *schema,
                                        const uint32_t *wanted, const struct stoa_schema *columns,
                                        struct stoa_error *err)
{
    const struct stoa_avro_type *root = schema->root;
    struct stoa_avro_program made = {0};
    struct stoa_schema_node *nodes = NULL;
    struct compiler compiler = {.program = &made, .place = STOA_AVRO_NO_PLACE, .err = err};
    uint32_t *first = NULL; /* the node of each column */
    uint32_t nnodes;
    enum stoa_status st;

    STOA_TRY(stoa_schema_nodes(columns, &nodes, &nnodes, err));
    STOA_TRY(stoa_alloc_zeroed(&first, (size_t)columns->nfields + 1, sizeof(*first), err));
    for (uint32_t i = 0; i < columns->nfields; i++)
        first[i + 1] = first[i] + nodes[first[i]].nnodes;
    compiler.nodes = nodes;
    if (root->kind != STOA_AVRO_RECORD)
        STOA_TRY(compile_part(&compiler, "value", root, 1,
                              wanted[0] == STOA_AVRO_UNWANTED ? wanted[0] : first[wanted[0]]));
    for (size_t i = 0; root->kind == STOA_AVRO_RECORD && i < root->nfields; i++)
        STOA_TRY(compile_part(&compiler, root->fields[i].name, root->fields[i].type, 1,
                              wanted[i] == STOA_AVRO_UNWANTED ? wanted[i] : first[wanted[i]]));
    *program = made;
    made = (struct stoa_avro_program){0};
out:
    stoa_avro_program_reset(&made);
    stoa_free(nodes);
    stoa_free(first);
    return st;
}

void stoa_avro_program_reset(struct stoa_avro_program *program)
{
    stoa_free(program->ops);
    stoa_free(program->places);
    *program = (struct stoa_avro_program){0};
}
