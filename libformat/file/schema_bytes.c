/*
 * Schemas as bytes (spec/format.md, sections 4 and 8).
 *
 *     nodes   [ record of node 0 | record of node 1 | ... ]     depth first, parents first
 *                   |         |
 *     pool    [ name parameters name parameters ... metadata of the file ]
 *
 * The pool has no gaps and nothing in it is shared, so a hostile file cannot make a reader copy
 * the same bytes for a million columns: names and parameters together are no longer than the pool.
 * That the records make a tree is checked before fields are allocated (schema_tree.c).
 */
#include "file/schema_bytes.h"

#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "column/schema.h"
#include "column/type.h"
#include "file/schema_pack.h"
#include "file/schema_tree.h"

/* ---- Which types there are, and what stands behind each ---- */

enum type_params {
    PARAMS_UNSUPPORTED = 0, /* reserved, or not known */
    PARAMS_NONE,
    PARAMS_DECIMAL, /* u8 precision | u8 scale */
    PARAMS_UNIT,    /* u8 unit */
    PARAMS_ZONE,    /* u8 unit | zone */
    PARAMS_WIDTH,   /* u32 width */
    PARAMS_SYMBOLS, /* u32 n | n * (u16 length | bytes) */
};

static const uint8_t params_of_type[] = {
    [STOA_NULL] = PARAMS_NONE,      [STOA_BOOL] = PARAMS_NONE,
    [STOA_INT8] = PARAMS_NONE,      [STOA_INT16] = PARAMS_NONE,
    [STOA_INT32] = PARAMS_NONE,     [STOA_INT64] = PARAMS_NONE,
    [STOA_UINT8] = PARAMS_NONE,     [STOA_UINT16] = PARAMS_NONE,
    [STOA_UINT32] = PARAMS_NONE,    [STOA_UINT64] = PARAMS_NONE,
    [STOA_FLOAT16] = PARAMS_NONE,   [STOA_FLOAT32] = PARAMS_NONE,
    [STOA_FLOAT64] = PARAMS_NONE,   [STOA_DURATION] = PARAMS_UNIT,
    [STOA_INTERVAL] = PARAMS_NONE,  [STOA_DECIMAL] = PARAMS_DECIMAL,
    [STOA_DATE32] = PARAMS_NONE,    [STOA_TIME] = PARAMS_UNIT,
    [STOA_TIMESTAMP] = PARAMS_ZONE, [STOA_UTF8] = PARAMS_NONE,
    [STOA_BINARY] = PARAMS_NONE,    [STOA_FIXED_BINARY] = PARAMS_WIDTH,
    [STOA_UUID] = PARAMS_NONE,      [STOA_ENUM] = PARAMS_SYMBOLS,
    [STOA_LIST] = PARAMS_NONE,      [STOA_STRUCT] = PARAMS_NONE,
    [STOA_MAP] = PARAMS_NONE,       [STOA_FIXED_LIST] = PARAMS_WIDTH,
};

enum {
    MAX_POOL_NBYTES = INT32_MAX, /* so that the dir_len of a schema with all its nodes is a u32 */
};

static enum type_params params_of(unsigned type)
{
    return type < sizeof(params_of_type) ? params_of_type[type] : PARAMS_UNSUPPORTED;
}

/* ---- Building ---- */

static enum stoa_status append32(struct stoa_buffer *out, uint32_t x, struct stoa_error *err)
{
    uint8_t bytes[4];

    stoa_store32(bytes, x);
    return stoa_buffer_append(out, bytes, 4, err);
}

/* A length and a text. What is longer than 4 GiB makes the pool too long, which is seen later. */
static enum stoa_status append_text(struct stoa_buffer *out, const char *text,
                                    struct stoa_error *err)
{
    size_t nbytes = strlen(text);
    enum stoa_status st = append32(out, (uint32_t)nbytes, err);

    return st == STOA_OK ? stoa_buffer_append(out, text, nbytes, err) : st;
}

enum stoa_status stoa_metadata_append(const struct stoa_metadata *metadata, struct stoa_buffer *out,
                                      struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(append32(out, metadata->npairs, err));
    for (uint32_t i = 0; i < metadata->npairs; i++) {
        STOA_TRY(append_text(out, metadata->pairs[i].key, err));
        STOA_TRY(append_text(out, metadata->pairs[i].value, err));
    }
out:
    return st;
}

static enum stoa_status append_symbols(struct stoa_buffer *out, const struct stoa_type *type,
                                       struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(append32(out, type->nsymbols, err));
    for (uint32_t i = 0; i < type->nsymbols; i++) {
        size_t nbytes = strlen(type->symbols[i]);
        uint8_t length[2];

        stoa_store16(length, (uint16_t)nbytes);
        STOA_TRY(stoa_buffer_append(out, length, 2, err));
        STOA_TRY(stoa_buffer_append(out, type->symbols[i], nbytes, err));
    }
out:
    return st;
}

/* The type bytes of section 8. */
static enum stoa_status append_type(struct stoa_buffer *out, const struct stoa_type *type,
                                    struct stoa_error *err)
{
    const uint8_t decimal[2] = {type->precision, type->scale};
    const uint8_t unit[1] = {(uint8_t)type->unit};
    enum stoa_status st;

    switch (params_of(type->id)) {
    case PARAMS_DECIMAL:
        return stoa_buffer_append(out, decimal, sizeof(decimal), err);
    case PARAMS_UNIT:
        return stoa_buffer_append(out, unit, sizeof(unit), err);
    case PARAMS_ZONE:
        st = stoa_buffer_append(out, unit, sizeof(unit), err);
        if (st == STOA_OK && type->zone != NULL)
            st = stoa_buffer_append(out, type->zone, strlen(type->zone), err);
        return st;
    case PARAMS_WIDTH:
        return append32(out, type->width, err);
    case PARAMS_SYMBOLS:
        return append_symbols(out, type, err);
    case PARAMS_NONE:
    case PARAMS_UNSUPPORTED:
        break;
    }
    return STOA_OK;
}

/* The parameters of a field, if it has some; *off is where they start. */
static enum stoa_status append_params(struct stoa_buffer *pool, const struct stoa_field *field,
                                      uint32_t *off, struct stoa_error *err)
{
    size_t begin = pool->nbytes;
    enum stoa_status st;

    *off = STOA_NONE32;
    if (params_of(field->type.id) == PARAMS_NONE && field->metadata.npairs == 0)
        return STOA_OK;
    STOA_TRY(append32(pool, 0, err));
    STOA_TRY(append_type(pool, &field->type, err));
    stoa_store32(pool->data + begin, (uint32_t)(pool->nbytes - begin - 4));
    STOA_TRY(stoa_metadata_append(&field->metadata, pool, err));
    *off = (uint32_t)begin;
out:
    return st;
}

/* The nodes of a field: its own, and those of its children behind it. */
static enum stoa_status add_nodes(struct stoa_schema_bytes *bytes, const struct stoa_field *field,
                                  uint32_t parent, struct stoa_error *err)
{
    uint32_t number = bytes->nnodes;
    struct stoa_node *node = &bytes->nodes[number];
    size_t name_off = bytes->pool.nbytes, name_nbytes = strlen(field->name);
    enum stoa_status st;

    *node = (struct stoa_node){
        .name_off = (uint32_t)name_off,
        .name_nbytes = (uint16_t)name_nbytes,
        .type = (uint8_t)field->type.id,
        .flags = field->nullable ? STOA_NODE_NULLABLE : 0,
        .parent = parent,
        .nchildren = field->nchildren,
        .field_id = field->id,
    };
    STOA_TRY(stoa_buffer_append(&bytes->pool, field->name, name_nbytes, err));
    STOA_TRY(append_params(&bytes->pool, field, &node->params_off, err));
    bytes->nnodes++;
    bytes->is_nested |= stoa_type_is_nested(field->type.id);
    for (uint32_t i = 0; i < field->nchildren; i++)
        STOA_TRY(add_nodes(bytes, &field->children[i], number, err));
out:
    return st;
}

enum stoa_status stoa_schema_bytes_init(struct stoa_schema_bytes *out,
                                        const struct stoa_schema *schema, struct stoa_error *err)
{
    struct stoa_schema_bytes bytes = {.ncolumns = schema->nfields, .metadata_off = STOA_NONE32};
    enum stoa_status st;

    STOA_TRY(stoa_schema_check(schema, err));
    STOA_TRY(stoa_alloc_zeroed(&bytes.nodes, stoa_schema_count_nodes(schema),
                               sizeof(bytes.nodes[0]), err));
    for (uint32_t i = 0; i < schema->nfields; i++)
        STOA_TRY(add_nodes(&bytes, &schema->fields[i], STOA_NONE32, err));
    if (schema->metadata.npairs > 0) {
        bytes.metadata_off = (uint32_t)bytes.pool.nbytes;
        STOA_TRY(stoa_metadata_append(&schema->metadata, &bytes.pool, err));
    }
    if (bytes.pool.nbytes > MAX_POOL_NBYTES) {
        st = stoa_fail(err, STOA_ERR_LIMIT, "names and metadata of more than 2 GiB");
        goto out;
    }
    *out = bytes;
    bytes = (struct stoa_schema_bytes){0};
out:
    stoa_schema_bytes_reset(&bytes);
    return st == STOA_OK ? st : stoa_wrap(err, st, "schema");
}

void stoa_schema_bytes_reset(struct stoa_schema_bytes *bytes)
{
    stoa_free(bytes->nodes);
    stoa_buffer_free(&bytes->pool);
    *bytes = (struct stoa_schema_bytes){0};
}

uint32_t stoa_schema_features(const struct stoa_schema_bytes *bytes)
{
    return bytes->is_nested ? STOA_FEATURE_NESTED : 0;
}

enum stoa_status stoa_schema_bytes_append(const struct stoa_schema_bytes *bytes,
                                          struct stoa_buffer *out, struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(append32(out, bytes->nnodes, err));
    STOA_TRY(append32(out, bytes->ncolumns, err));
    STOA_TRY(append32(out, (uint32_t)bytes->pool.nbytes, err));
    STOA_TRY(append32(out, bytes->metadata_off, err));
    for (uint32_t i = 0; i < bytes->nnodes; i++) {
        uint8_t record[STOA_NODE_NBYTES];

        stoa_node_pack(&bytes->nodes[i], record);
        STOA_TRY(stoa_buffer_append(out, record, sizeof(record), err));
    }
    STOA_TRY(stoa_buffer_append(out, bytes->pool.data, bytes->pool.nbytes, err));
out:
    return st;
}

/* ---- Parsing ---- */

/* What is left of the bytes that are parsed. */
struct cursor {
    const uint8_t *at;
    size_t nbytes;
};

/* The bytes from `off` on; false when it is past the end. */
static bool start(struct cursor *c, const uint8_t *bytes, size_t nbytes, size_t off)
{
    if (off > nbytes)
        return false;
    *c = (struct cursor){nbytes > 0 ? bytes + off : bytes, nbytes - off};
    return true;
}

static bool take(struct cursor *c, size_t nbytes, const uint8_t **out)
{
    if (nbytes > c->nbytes)
        return false;
    *out = c->at;
    if (nbytes > 0) /* `at` may be NULL at the end of nothing */
        c->at += nbytes;
    c->nbytes -= nbytes;
    return true;
}

static bool take16(struct cursor *c, uint16_t *out)
{
    const uint8_t *bytes;

    if (!take(c, 2, &bytes))
        return false;
    *out = stoa_load16(bytes);
    return true;
}

static bool take32(struct cursor *c, uint32_t *out)
{
    const uint8_t *bytes;

    if (!take(c, 4, &bytes))
        return false;
    *out = stoa_load32(bytes);
    return true;
}

static enum stoa_status fail_cut(const char *what, struct stoa_error *err)
{
    return stoa_fail(err, STOA_ERR_CORRUPT, "%s: longer than the bytes that hold it", what);
}

/* The next nbytes bytes as a terminated text of UTF-8. */
static enum stoa_status take_text(struct cursor *c, size_t nbytes, const char *what, char **out,
                                  struct stoa_error *err)
{
    const uint8_t *bytes;

    if (!take(c, nbytes, &bytes))
        return fail_cut(what, err);
    if (nbytes > 0 && memchr(bytes, 0, nbytes) != NULL)
        return stoa_fail(err, STOA_ERR_CORRUPT, "%s: has a NUL byte", what);
    if (stoa_utf8_valid_prefix(bytes, nbytes) != nbytes)
        return stoa_fail(err, STOA_ERR_CORRUPT, "%s: not UTF-8", what);
    return stoa_strndup(out, (const char *)bytes, nbytes, err);
}

/* A length and as many bytes of text. */
static enum stoa_status take_counted(struct cursor *c, const char *what, char **out,
                                     struct stoa_error *err)
{
    uint32_t nbytes;

    if (!take32(c, &nbytes))
        return fail_cut(what, err);
    return take_text(c, nbytes, what, out, err);
}

static enum stoa_status take_pairs(struct cursor *c, struct stoa_metadata *out,
                                   struct stoa_error *err)
{
    uint32_t npairs;
    enum stoa_status st = STOA_OK;

    if (!take32(c, &npairs) || npairs > c->nbytes / 8) /* a pair has two lengths */
        return fail_cut("metadata", err);
    if (npairs > 0)
        STOA_TRY(stoa_alloc_zeroed(&out->pairs, npairs, sizeof(out->pairs[0]), err));
    for (uint32_t i = 0; i < npairs; i++) {
        out->npairs++; /* what is allocated belongs to *out from now on */
        STOA_TRY(take_counted(c, "metadata key", &out->pairs[i].key, err));
        STOA_TRY(take_counted(c, "metadata value", &out->pairs[i].value, err));
    }
out:
    return st;
}

static enum stoa_status take_symbols(struct cursor *c, struct stoa_type *type,
                                     struct stoa_error *err)
{
    uint32_t nsymbols;
    enum stoa_status st = STOA_OK;

    if (!take32(c, &nsymbols) || nsymbols > c->nbytes / 2)
        return fail_cut("symbols", err);
    if (nsymbols > 0)
        STOA_TRY(stoa_alloc_zeroed(&type->symbols, nsymbols, sizeof(type->symbols[0]), err));
    for (uint32_t i = 0; i < nsymbols; i++) {
        uint16_t nbytes;

        if (!take16(c, &nbytes))
            return fail_cut("symbol", err);
        type->nsymbols++;
        STOA_TRY(take_text(c, nbytes, "symbol", &type->symbols[i], err));
    }
out:
    return st;
}

/* Type bytes: `c` holds these and nothing else. Their values are checked with the whole field. */
static enum stoa_status parse_type(struct cursor *c, struct stoa_type *type, struct stoa_error *err)
{
    const uint8_t *bytes = NULL;
    bool enough = true;
    enum stoa_status st = STOA_OK;

    switch (params_of(type->id)) {
    case PARAMS_DECIMAL:
        enough = take(c, 2, &bytes);
        if (enough) {
            type->precision = bytes[0];
            type->scale = bytes[1];
        }
        break;
    case PARAMS_UNIT:
    case PARAMS_ZONE:
        enough = take(c, 1, &bytes);
        if (enough)
            type->unit = (enum stoa_time_unit)bytes[0];
        if (enough && type->id == STOA_TIMESTAMP && c->nbytes > 0)
            st = take_text(c, c->nbytes, "zone", &type->zone, err);
        break;
    case PARAMS_WIDTH:
        enough = take32(c, &type->width);
        break;
    case PARAMS_SYMBOLS:
        st = take_symbols(c, type, err);
        break;
    case PARAMS_NONE:
    case PARAMS_UNSUPPORTED:
        break;
    }
    if (st != STOA_OK)
        return st;
    if (!enough || c->nbytes > 0)
        return stoa_fail(err, STOA_ERR_CORRUPT, "parameters that its type does not have");
    return STOA_OK;
}

/* Type bytes and pairs; *used is how many bytes of the pool they take. */
static enum stoa_status parse_params(const struct stoa_node *node, const uint8_t *pool,
                                     size_t pool_nbytes, struct stoa_field *field, size_t *used,
                                     struct stoa_error *err)
{
    struct cursor c = {0}, type = {0};
    uint32_t type_nbytes;
    enum stoa_status st;

    *used = 0;
    if (node->params_off == STOA_NONE32)
        return parse_type(&type, &field->type, err);
    if (!start(&c, pool, pool_nbytes, node->params_off) || !take32(&c, &type_nbytes) ||
        !take(&c, type_nbytes, &type.at))
        return fail_cut("parameters", err);
    type.nbytes = type_nbytes;
    STOA_TRY(parse_type(&type, &field->type, err));
    STOA_TRY(take_pairs(&c, &field->metadata, err));
    *used = pool_nbytes - node->params_off - c.nbytes;
out:
    return st;
}

/*
 * A field without its children and the checks of stoa_schema_check(); *used: bytes of the pool that
 * it takes. `number` is for messages.
 */
static enum stoa_status parse_field(const struct stoa_node *node, uint32_t number,
                                    const uint8_t *pool, size_t pool_nbytes, size_t *used,
                                    struct stoa_field *out, struct stoa_error *err)
{
    struct stoa_field field = {
        .type.id = (enum stoa_type_id)node->type,
        .nullable = node->flags & STOA_NODE_NULLABLE,
        .id = node->field_id,
    };
    struct cursor c;
    char shown[128];
    enum stoa_status st;

    if (!start(&c, pool, pool_nbytes, node->name_off)) {
        st = fail_cut("name", err);
        goto out;
    }
    STOA_TRY(take_text(&c, node->name_nbytes, "name", &field.name, err));
    if (params_of(node->type) == PARAMS_UNSUPPORTED) {
        st = stoa_fail(err, STOA_ERR_UNSUPPORTED, "type %u, which this version cannot read",
                       node->type);
        goto out;
    }
    STOA_TRY(parse_params(node, pool, pool_nbytes, &field, used, err));
    *used += node->name_nbytes;
    *out = field;
    return STOA_OK;
out:
    if (field.name != NULL)
        stoa_wrap(err, st, "column %" PRIu32 " (%s)", number + 1,
                  stoa_quote(shown, sizeof(shown), field.name, strlen(field.name)));
    else
        stoa_wrap(err, st, "column %" PRIu32, number + 1);
    stoa_field_reset(&field);
    return st;
}

/* The rules of every schema; what breaks them in a file is damage. */
static enum stoa_status as_damage(enum stoa_status st, struct stoa_error *err)
{
    if (st != STOA_ERR_USAGE)
        return st;
    if (err != NULL)
        err->status = STOA_ERR_CORRUPT;
    return STOA_ERR_CORRUPT;
}

static enum stoa_status check_rules(const struct stoa_schema *schema, struct stoa_error *err)
{
    return as_damage(stoa_schema_check(schema, err), err);
}

enum stoa_status stoa_field_parse_node(const struct stoa_node *node, uint32_t number,
                                       const uint8_t *pool, size_t pool_nbytes,
                                       struct stoa_field *out, struct stoa_error *err)
{
    struct stoa_field field = {0}, childless;
    struct stoa_schema alone = {.fields = &childless, .nfields = 1};
    size_t used;
    enum stoa_status st;

    STOA_TRY(parse_field(node, number, pool, pool_nbytes, &used, &field, err));
    childless = field;
    if (stoa_type_is_nested(field.type.id)) { /* its children are not there to be counted */
        STOA_TRY(as_damage(stoa_type_check(&field.type, err), err));
        childless.type = (struct stoa_type){.id = STOA_NULL};
    }
    STOA_TRY(check_rules(&alone, err));
    *out = field;
    field = (struct stoa_field){0};
out:
    stoa_field_reset(&field);
    return st == STOA_OK ? st : stoa_wrap(err, st, "schema");
}

/* Nodes that make a tree, on their way to fields. */
struct node_parser {
    const struct stoa_node *nodes;
    uint32_t next;
    const uint8_t *pool;
    size_t pool_nbytes;
    size_t left; /* bytes of the pool that no field has taken */
};

/* The next `count` fields with all that is below them, siblings; *nfields grows with each. */
static enum stoa_status parse_fields(struct node_parser *parser, uint32_t count,
                                     struct stoa_field **fields, uint32_t *nfields,
                                     struct stoa_error *err)
{
    enum stoa_status st = stoa_alloc_zeroed(fields, count, sizeof((*fields)[0]), err);

    for (uint32_t i = 0; st == STOA_OK && i < count; i++) {
        const struct stoa_node *node = &parser->nodes[parser->next++];
        struct stoa_field *field = &(*fields)[i];
        char shown[128];
        size_t used;

        STOA_TRY(parse_field(node, i, parser->pool, parser->pool_nbytes, &used, field, err));
        ++*nfields;
        if (used > parser->left)
            return stoa_fail(err, STOA_ERR_CORRUPT, "names and parameters of columns overlap");
        parser->left -= used;
        if (node->nchildren == 0)
            continue;
        st = parse_fields(parser, node->nchildren, &field->children, &field->nchildren, err);
        if (st != STOA_OK)
            stoa_wrap(err, st, "column %" PRIu32 " (%s)", i + 1,
                      stoa_quote(shown, sizeof(shown), field->name, strlen(field->name)));
    }
out:
    return st;
}

enum stoa_status stoa_schema_parse_nodes(const struct stoa_node *nodes, uint32_t nnodes,
                                         const uint8_t *pool, size_t pool_nbytes,
                                         const uint8_t *metadata, size_t metadata_nbytes,
                                         struct stoa_schema *out, struct stoa_error *err)
{
    struct cursor c = {metadata, metadata_nbytes};
    struct node_parser parser = {
        .nodes = nodes, .pool = pool, .pool_nbytes = pool_nbytes, .left = pool_nbytes};
    struct stoa_schema schema = {0};
    struct stoa_tree tree = {0};
    enum stoa_status st;

    STOA_TRY(stoa_tree_init(&tree, nodes, nnodes, err));
    STOA_TRY(parse_fields(&parser, tree.ncolumns, &schema.fields, &schema.nfields, err));
    if (metadata != NULL)
        STOA_TRY(take_pairs(&c, &schema.metadata, err));
    STOA_TRY(check_rules(&schema, err));
    *out = schema;
    schema = (struct stoa_schema){0};
out:
    stoa_tree_reset(&tree);
    stoa_schema_reset(&schema);
    return st == STOA_OK ? st : stoa_wrap(err, st, "schema");
}

static enum stoa_status parse_body(const uint8_t *body, size_t nbytes, uint8_t **own,
                                   struct stoa_node **nodes, struct stoa_schema *out, uint64_t *id,
                                   struct stoa_error *err)
{
    struct cursor c = {body, nbytes};
    uint32_t nnodes, ncolumns, pool_nbytes, metadata_off;
    const uint8_t *records, *pool, *metadata = NULL;
    struct stoa_schema schema = {0};
    bool whole = take32(&c, &nnodes) && take32(&c, &ncolumns) && take32(&c, &pool_nbytes) &&
                 take32(&c, &metadata_off);
    uint64_t need = STOA_SCHEMA_HEAD_NBYTES;
    enum stoa_status st;

    if (!whole || (metadata_off != STOA_NONE32 && metadata_off > pool_nbytes))
        return stoa_fail(err, STOA_ERR_CORRUPT, "schema: lengths that do not add up");
    need += (uint64_t)nnodes * STOA_NODE_NBYTES + pool_nbytes;
    if (nbytes != need) {
        STOA_TRY(stoa_schema_unpack(body, nbytes, need, own, err));
        body = *own;
    }
    *id = stoa_hash(body, (size_t)need);
    records = body + STOA_SCHEMA_HEAD_NBYTES;
    pool = records + (size_t)nnodes * STOA_NODE_NBYTES;
    STOA_TRY(stoa_alloc_zeroed(nodes, nnodes, sizeof((*nodes)[0]), err));
    for (uint32_t i = 0; i < nnodes; i++)
        STOA_TRY(stoa_node_unpack(records + (size_t)i * STOA_NODE_NBYTES, &(*nodes)[i], err));
    if (metadata_off == STOA_NONE32)
        metadata_off = pool_nbytes;
    else
        metadata = pool + metadata_off;
    STOA_TRY(stoa_schema_parse_nodes(*nodes, nnodes, pool, pool_nbytes, metadata,
                                     pool_nbytes - metadata_off, &schema, err));
    if (schema.nfields != ncolumns) {
        st = stoa_fail(err, STOA_ERR_CORRUPT, "schema: %" PRIu32 " columns, %" PRIu32 " are there",
                       ncolumns, schema.nfields);
        goto out;
    }
    *out = schema;
    schema = (struct stoa_schema){0};
out:
    stoa_schema_reset(&schema);
    return st;
}

enum stoa_status stoa_schema_parse_body(const uint8_t *body, size_t nbytes, struct stoa_schema *out,
                                        uint64_t *id, struct stoa_error *err)
{
    struct stoa_node *nodes = NULL;
    uint8_t *own = NULL;
    enum stoa_status st = parse_body(body, nbytes, &own, &nodes, out, id, err);

    stoa_free(nodes);
    stoa_free(own);
    return st;
}
