/*
 * Fields, schemas and their metadata: ownership, equality, lookup and the rules they must keep.
 */
#include "column/schema.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/utf8.h"
#include "column/nearest.h"
#include "column/type.h"

/* ---- Metadata ---- */

void stoa_metadata_reset(struct stoa_metadata *metadata)
{
    for (uint32_t i = 0; i < metadata->npairs; i++) {
        stoa_free(metadata->pairs[i].key);
        stoa_free(metadata->pairs[i].value);
    }
    stoa_free(metadata->pairs);
    *metadata = (struct stoa_metadata){0};
}

static struct stoa_keyvalue *find_pair(const struct stoa_metadata *metadata, const char *key)
{
    for (uint32_t i = 0; i < metadata->npairs; i++)
        if (strcmp(metadata->pairs[i].key, key) == 0)
            return &metadata->pairs[i];
    return NULL;
}

const char *stoa_metadata_get(const struct stoa_metadata *metadata, const char *key)
{
    const struct stoa_keyvalue *pair = find_pair(metadata, key);

    return pair != NULL ? pair->value : NULL;
}

static bool is_utf8(const char *text)
{
    size_t nbytes = strlen(text);

    return stoa_utf8_valid_prefix((const uint8_t *)text, nbytes) == nbytes;
}

static enum stoa_status check_pair(const char *key, const char *value, struct stoa_error *err)
{
    char shown[64];

    stoa_quote(shown, sizeof(shown), key, strlen(key));
    if (key[0] == '\0')
        return stoa_fail(err, STOA_ERR_USAGE, "a key of metadata is empty");
    if (strlen(key) > STOA_MAX_NAME_NBYTES)
        return stoa_fail(err, STOA_ERR_USAGE, "metadata key \"%s\" is longer than 65535 bytes",
                         shown);
    if (!is_utf8(key) || !is_utf8(value))
        return stoa_fail(err, STOA_ERR_USAGE, "metadata \"%s\" is not UTF-8", shown);
    return STOA_OK;
}

/* Appends without looking for the key. */
static enum stoa_status add_pair(struct stoa_metadata *metadata, const char *key, const char *value,
                                 struct stoa_error *err)
{
    struct stoa_keyvalue pair = {0};
    enum stoa_status st;

    STOA_TRY(stoa_strndup(&pair.key, key, strlen(key), err));
    STOA_TRY(stoa_strndup(&pair.value, value, strlen(value), err));
    STOA_TRY(stoa_realloc(&metadata->pairs, (size_t)metadata->npairs + 1,
                          sizeof(metadata->pairs[0]), err));
    metadata->pairs[metadata->npairs++] = pair;
    pair = (struct stoa_keyvalue){0};
out:
    stoa_free(pair.key);
    stoa_free(pair.value);
    return st;
}

enum stoa_status stoa_metadata_set(struct stoa_metadata *metadata, const char *key,
                                   const char *value, struct stoa_error *err)
{
    struct stoa_keyvalue *pair = find_pair(metadata, key);
    enum stoa_status st = check_pair(key, value, err);
    char *copy;

    if (st != STOA_OK)
        return st;
    if (pair == NULL)
        return add_pair(metadata, key, value, err);
    st = stoa_strndup(&copy, value, strlen(value), err);
    if (st != STOA_OK)
        return st;
    stoa_free(pair->value);
    pair->value = copy;
    return STOA_OK;
}

enum stoa_status stoa_metadata_copy(struct stoa_metadata *out, const struct stoa_metadata *metadata,
                                    struct stoa_error *err)
{
    struct stoa_metadata copy = {0};
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 0; i < metadata->npairs; i++)
        STOA_TRY(add_pair(&copy, metadata->pairs[i].key, metadata->pairs[i].value, err));
    *out = copy;
    copy = (struct stoa_metadata){0};
out:
    stoa_metadata_reset(&copy);
    return st;
}

/* Pairs in the same order with the same texts. */
static bool metadata_equal(const struct stoa_metadata *a, const struct stoa_metadata *b)
{
    if (a->npairs != b->npairs)
        return false;
    for (uint32_t i = 0; i < a->npairs; i++)
        if (strcmp(a->pairs[i].key, b->pairs[i].key) != 0 ||
            strcmp(a->pairs[i].value, b->pairs[i].value) != 0)
            return false;
    return true;
}

/* ---- Fields ---- */

void stoa_field_reset(struct stoa_field *field)
{
    for (uint32_t i = 0; i < field->nchildren; i++)
        stoa_field_reset(&field->children[i]);
    stoa_free(field->children);
    stoa_free(field->name);
    stoa_type_reset(&field->type);
    stoa_metadata_reset(&field->metadata);
    *field = (struct stoa_field){0};
}

enum stoa_status stoa_field_copy(struct stoa_field *out, const struct stoa_field *field,
                                 struct stoa_error *err)
{
    struct stoa_field copy = {.nullable = field->nullable, .id = field->id};
    enum stoa_status st;

    STOA_TRY(stoa_strndup(&copy.name, field->name, strlen(field->name), err));
    STOA_TRY(stoa_type_copy(&copy.type, &field->type, err));
    STOA_TRY(stoa_metadata_copy(&copy.metadata, &field->metadata, err));
    if (field->nchildren > 0)
        STOA_TRY(
            stoa_alloc_zeroed(&copy.children, field->nchildren, sizeof(copy.children[0]), err));
    for (; copy.nchildren < field->nchildren; copy.nchildren++)
        STOA_TRY(
            stoa_field_copy(&copy.children[copy.nchildren], &field->children[copy.nchildren], err));
    *out = copy;
    copy = (struct stoa_field){0};
out:
    stoa_field_reset(&copy);
    return st;
}

bool stoa_field_equal(const struct stoa_field *a, const struct stoa_field *b)
{
    if (strcmp(a->name, b->name) != 0 || a->nullable != b->nullable || a->id != b->id ||
        a->nchildren != b->nchildren || !stoa_type_equal(&a->type, &b->type) ||
        !metadata_equal(&a->metadata, &b->metadata))
        return false;
    for (uint32_t i = 0; i < a->nchildren; i++)
        if (!stoa_field_equal(&a->children[i], &b->children[i]))
            return false;
    return true;
}

/* ---- Schemas ---- */

void stoa_schema_reset(struct stoa_schema *schema)
{
    for (uint32_t i = 0; i < schema->nfields; i++)
        stoa_field_reset(&schema->fields[i]);
    stoa_free(schema->fields);
    stoa_metadata_reset(&schema->metadata);
    *schema = (struct stoa_schema){0};
}

/* A new schema of column columns[i], or i where `columns` is NULL, for each i. */
static enum stoa_status copy_columns(struct stoa_schema *out, const struct stoa_schema *schema,
                                     const uint32_t *columns, uint32_t ncolumns,
                                     struct stoa_error *err)
{
    struct stoa_schema copy = {0};
    enum stoa_status st;

    STOA_TRY(stoa_metadata_copy(&copy.metadata, &schema->metadata, err));
    if (ncolumns > 0)
        STOA_TRY(stoa_alloc_zeroed(&copy.fields, ncolumns, sizeof(copy.fields[0]), err));
    for (; copy.nfields < ncolumns; copy.nfields++) {
        uint32_t column = columns != NULL ? columns[copy.nfields] : copy.nfields;

        STOA_TRY(stoa_field_copy(&copy.fields[copy.nfields], &schema->fields[column], err));
    }
    *out = copy;
    copy = (struct stoa_schema){0};
out:
    stoa_schema_reset(&copy);
    return st;
}

enum stoa_status stoa_schema_copy(struct stoa_schema *out, const struct stoa_schema *schema,
                                  struct stoa_error *err)
{
    return copy_columns(out, schema, NULL, schema->nfields, err);
}

bool stoa_schema_equal(const struct stoa_schema *a, const struct stoa_schema *b)
{
    if (a->nfields != b->nfields || !metadata_equal(&a->metadata, &b->metadata))
        return false;
    for (uint32_t i = 0; i < a->nfields; i++)
        if (!stoa_field_equal(&a->fields[i], &b->fields[i]))
            return false;
    return true;
}

static enum stoa_status check_name(const char *name, struct stoa_error *err)
{
    size_t nbytes = strlen(name);
    char shown[64];

    if (nbytes > STOA_MAX_NAME_NBYTES)
        return stoa_fail(err, STOA_ERR_USAGE, "the name \"%s\" is longer than 65535 bytes",
                         stoa_quote(shown, sizeof(shown), name, nbytes));
    if (!is_utf8(name))
        return stoa_fail(err, STOA_ERR_USAGE, "the name \"%s\" is not UTF-8",
                         stoa_quote(shown, sizeof(shown), name, nbytes));
    return STOA_OK;
}

static enum stoa_status fail_twice(const char *name, struct stoa_error *err)
{
    char shown[128];

    return stoa_fail(err, STOA_ERR_USAGE, "there are two columns \"%s\"",
                     stoa_quote(shown, sizeof(shown), name, strlen(name)));
}

static enum stoa_status fail_nodes(struct stoa_error *err)
{
    return stoa_fail(err, STOA_ERR_USAGE, "a schema has at most %u columns with their parts",
                     STOA_MAX_NODES);
}

enum stoa_status stoa_schema_append(struct stoa_schema *schema, const char *name,
                                    const struct stoa_type *type, bool nullable,
                                    struct stoa_error *err)
{
    struct stoa_field field = {.nullable = nullable};
    const struct stoa_type_info *info = stoa_type_info(type->id);
    char shown[64];
    enum stoa_status st;

    STOA_TRY(check_name(name, err));
    STOA_TRY(stoa_type_check(type, err));
    if (info->params >= STOA_PARAMS_LIST && type->id != STOA_STRUCT)
        return stoa_fail(err, STOA_ERR_USAGE,
                         "column \"%s\": %s needs a child: see stoa_schema_add_field()",
                         stoa_quote(shown, sizeof(shown), name, strlen(name)), info->name);
    if (schema->nfields >= STOA_MAX_NODES)
        return stoa_fail(err, STOA_ERR_USAGE, "a schema has at most %u columns", STOA_MAX_NODES);
    STOA_TRY(stoa_strndup(&field.name, name, strlen(name), err));
    STOA_TRY(stoa_type_copy(&field.type, type, err));
    STOA_TRY(
        stoa_realloc(&schema->fields, (size_t)schema->nfields + 1, sizeof(schema->fields[0]), err));
    schema->fields[schema->nfields++] = field;
    field = (struct stoa_field){0};
out:
    stoa_field_reset(&field);
    return st;
}

enum stoa_status stoa_schema_add(struct stoa_schema *schema, const char *name,
                                 const struct stoa_type *type, bool nullable,
                                 struct stoa_error *err)
{
    for (uint32_t i = 0; i < schema->nfields; i++)
        if (strcmp(schema->fields[i].name, name) == 0)
            return fail_twice(name, err);
    return stoa_schema_append(schema, name, type, nullable, err);
}

enum stoa_status stoa_schema_add_field(struct stoa_schema *schema, const struct stoa_field *field,
                                       struct stoa_error *err)
{
    /* Only read: a schema of the one field, which stays the caller's. */
    const struct stoa_schema alone = {.fields = (struct stoa_field *)field, .nfields = 1};
    struct stoa_field copy = {0};
    enum stoa_status st;

    STOA_TRY(stoa_schema_check(&alone, err));
    for (uint32_t i = 0; i < schema->nfields; i++)
        if (strcmp(schema->fields[i].name, field->name) == 0)
            return fail_twice(field->name, err);
    if (stoa_schema_count_nodes(schema) + stoa_schema_count_nodes(&alone) > STOA_MAX_NODES)
        return fail_nodes(err);
    STOA_TRY(stoa_field_copy(&copy, field, err));
    STOA_TRY(
        stoa_realloc(&schema->fields, (size_t)schema->nfields + 1, sizeof(schema->fields[0]), err));
    schema->fields[schema->nfields++] = copy;
    copy = (struct stoa_field){0};
out:
    stoa_field_reset(&copy);
    return st;
}

static enum stoa_status fail_selected_twice(const struct stoa_schema *schema, uint32_t column,
                                            struct stoa_error *err)
{
    const char *name = schema->fields[column].name;
    char shown[128];

    return stoa_fail(err, STOA_ERR_USAGE, "column \"%s\" is selected twice",
                     stoa_quote(shown, sizeof(shown), name, strlen(name)));
}

enum stoa_status stoa_schema_select(struct stoa_schema *out, const struct stoa_schema *schema,
                                    const uint32_t *columns, uint32_t ncolumns,
                                    struct stoa_error *err)
{
    bool *taken = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&taken, schema->nfields, sizeof(taken[0]), err));
    for (uint32_t i = 0; i < ncolumns; i++) {
        if (columns[i] >= schema->nfields)
            st = stoa_fail(err, STOA_ERR_USAGE, "there is no column %u: the schema has %u",
                           columns[i], schema->nfields);
        else if (taken[columns[i]])
            st = fail_selected_twice(schema, columns[i], err);
        if (st != STOA_OK)
            goto out;
        taken[columns[i]] = true;
    }
    st = copy_columns(out, schema, columns, ncolumns, err);
out:
    stoa_free(taken);
    return st;
}

/* ---- Lookup ---- */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool equal_but_case(const char *a, const char *b)
{
    while (*a != '\0' && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return *a == '\0' && *b == '\0';
}

static const char *field_name_at(const void *context, size_t i)
{
    const struct stoa_field *fields = context;

    return fields[i].name;
}

uint32_t stoa_fields_find(const struct stoa_field *fields, uint32_t nfields, const char *name,
                          uint32_t *found)
{
    uint32_t nfound = 0;

    for (uint32_t i = 0; i < nfields; i++) {
        if (strcmp(fields[i].name, name) == 0) {
            *found = i;
            return 1;
        }
        if (equal_but_case(fields[i].name, name)) {
            *found = i;
            nfound++;
        }
    }
    return nfound;
}

enum stoa_status stoa_fields_fail(const struct stoa_field *fields, uint32_t nfields,
                                  const char *name, uint32_t nfound, const char *what,
                                  struct stoa_error *err)
{
    size_t nearest = stoa_nearest(name, nfields, field_name_at, fields);
    char shown[128], meant[128];

    stoa_quote(shown, sizeof(shown), name, strlen(name));
    if (nfound > 1)
        return stoa_fail(err, STOA_ERR_USAGE,
                         "%u %ss are called \"%s\" when upper and lower case are alike; write "
                         "the name exactly",
                         nfound, what, shown);
    if (nearest == nfields)
        return stoa_fail(err, STOA_ERR_USAGE, "there is no %s \"%s\"", what, shown);
    stoa_quote(meant, sizeof(meant), fields[nearest].name, strlen(fields[nearest].name));
    return stoa_fail(err, STOA_ERR_USAGE, "there is no %s \"%s\"; did you mean \"%s\"?", what,
                     shown, meant);
}

enum stoa_status stoa_schema_find(const struct stoa_schema *schema, const char *name,
                                  uint32_t *column, struct stoa_error *err)
{
    uint32_t found, nfound = stoa_fields_find(schema->fields, schema->nfields, name, &found);

    if (nfound != 1)
        return stoa_fields_fail(schema->fields, schema->nfields, name, nfound, "column", err);
    *column = found;
    return STOA_OK;
}

/* ---- The rules of a whole schema ---- */

static size_t count_nodes(const struct stoa_field *fields, uint32_t nfields)
{
    size_t nnodes = nfields;

    for (uint32_t i = 0; i < nfields; i++)
        nnodes += count_nodes(fields[i].children, fields[i].nchildren);
    return nnodes;
}

size_t stoa_schema_count_nodes(const struct stoa_schema *schema)
{
    return count_nodes(schema->fields, schema->nfields);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The first of n texts, which are sorted for it, that is there twice; NULL when none is. */
static const char *find_twice(const char **texts, uint32_t n)
{
    qsort(texts, n, sizeof(texts[0]), compare_names);
    for (uint32_t i = 1; i < n; i++)
        if (strcmp(texts[i - 1], texts[i]) == 0)
            return texts[i];
    return NULL;
}

static enum stoa_status check_unique(const struct stoa_field *fields, uint32_t nfields,
                                     struct stoa_error *err)
{
    const char **names, *twice;
    enum stoa_status st = stoa_alloc_zeroed(&names, nfields, sizeof(names[0]), err);

    if (st != STOA_OK)
        return st;
    for (uint32_t i = 0; i < nfields; i++)
        names[i] = fields[i].name;
    twice = find_twice(names, nfields);
    if (twice != NULL)
        st = fail_twice(twice, err);
    stoa_free(names);
    return st;
}

static enum stoa_status check_metadata(const struct stoa_metadata *metadata, struct stoa_error *err)
{
    const char **keys, *twice;
    char shown[64];
    enum stoa_status st;

    if (metadata->npairs == 0)
        return STOA_OK;
    STOA_TRY(stoa_alloc_zeroed(&keys, metadata->npairs, sizeof(keys[0]), err));
    for (uint32_t i = 0; i < metadata->npairs && st == STOA_OK; i++) {
        keys[i] = metadata->pairs[i].key;
        st = check_pair(keys[i], metadata->pairs[i].value, err);
    }
    twice = st == STOA_OK ? find_twice(keys, metadata->npairs) : NULL;
    if (twice != NULL)
        st = stoa_fail(err, STOA_ERR_USAGE, "metadata \"%s\" is there twice",
                       stoa_quote(shown, sizeof(shown), twice, strlen(twice)));
    stoa_free(keys);
out:
    return st;
}

static enum stoa_status check_nchildren(const struct stoa_field *field, struct stoa_error *err)
{
    const struct stoa_type_info *info = stoa_type_info(field->type.id);
    bool needs_one = info->params >= STOA_PARAMS_LIST && field->type.id != STOA_STRUCT;
    const struct stoa_field *entries;

    if (field->type.id != STOA_STRUCT && field->nchildren != (needs_one ? 1 : 0))
        return stoa_fail(err, STOA_ERR_USAGE, "%s has %u children, not %u", info->name,
                         needs_one ? 1 : 0, field->nchildren);
    if (field->type.id != STOA_MAP)
        return STOA_OK;
    entries = &field->children[0];
    if (entries->type.id != STOA_STRUCT || entries->nchildren != 2 || entries->nullable ||
        entries->children[0].nullable)
        return stoa_fail(err, STOA_ERR_USAGE,
                         "the child of a map is a struct, never null, of a key, never null, and "
                         "a value");
    return STOA_OK;
}

static enum stoa_status check_fields(const struct stoa_field *fields, uint32_t nfields,
                                     unsigned depth, struct stoa_error *err);

static enum stoa_status check_field(const struct stoa_field *field, unsigned depth,
                                    struct stoa_error *err)
{
    enum stoa_status st;

    if (field->name == NULL)
        return stoa_fail(err, STOA_ERR_USAGE, "the name is missing");
    STOA_TRY(check_name(field->name, err));
    STOA_TRY(stoa_type_check(&field->type, err));
    STOA_TRY(check_nchildren(field, err));
    STOA_TRY(check_metadata(&field->metadata, err));
    STOA_TRY(check_fields(field->children, field->nchildren, depth + 1, err));
out:
    return st;
}

static enum stoa_status check_fields(const struct stoa_field *fields, uint32_t nfields,
                                     unsigned depth, struct stoa_error *err)
{
    char shown[64];
    enum stoa_status st;

    if (nfields > 0 && depth > STOA_MAX_FIELD_DEPTH)
        return stoa_fail(err, STOA_ERR_USAGE, "types are nested more than %u deep",
                         STOA_MAX_FIELD_DEPTH);
    for (uint32_t i = 0; i < nfields; i++) {
        const char *name = fields[i].name != NULL ? fields[i].name : "";

        st = check_field(&fields[i], depth, err);
        if (st != STOA_OK)
            return stoa_wrap(err, st, "column %u (%s)", i + 1,
                             stoa_quote(shown, sizeof(shown), name, strlen(name)));
    }
    return check_unique(fields, nfields, err);
}

enum stoa_status stoa_schema_check(const struct stoa_schema *schema, struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(check_metadata(&schema->metadata, err));
    STOA_TRY(check_fields(schema->fields, schema->nfields, 1, err));
    if (stoa_schema_count_nodes(schema) > STOA_MAX_NODES)
        st = fail_nodes(err);
out:
    return st;
}
