/*
 * Schemas as ArrowSchema and back (Arrow's C data interface; the table of types is in
 * stoa/arrow.h).
 *
 * An exported schema is a struct node over one node a column, a nested one over its children, an
 * enum over its dictionary. Every node owns its texts and the memory of the nodes below, and can be
 * moved out of its parent. Metadata is one run of bytes, numbers in native order:
 *
 *     npairs i32 | key length i32, key | value length i32, value | ...
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "column/arrow_format.h"
#include "column/schema.h"
#include "column/type.h"

#define KEY_TYPE               "stoa:type"
#define KEY_FIELD_ID           "PARQUET:field_id"
#define KEY_EXTENSION          "ARROW:extension:name"
#define KEY_EXTENSION_METADATA "ARROW:extension:metadata"
#define EXTENSION_UUID         "arrow.uuid"

/* ---- Import ---- */

/* A length and so many bytes at *at, as a text. */
static enum stoa_status read_text(const char **at, char **out, struct stoa_error *err)
{
    int32_t nbytes;
    enum stoa_status st;

    memcpy(&nbytes, *at, sizeof(nbytes));
    *at += sizeof(nbytes);
    if (nbytes < 0)
        return stoa_fail(err, STOA_ERR_DATA, "a text of the metadata has %" PRId32 " bytes",
                         nbytes);
    if (memchr(*at, '\0', (size_t)nbytes) != NULL)
        return stoa_fail(err, STOA_ERR_DATA, "a text of the metadata has a zero byte");
    st = stoa_strndup(out, *at, (size_t)nbytes, err);
    *at += nbytes;
    return st;
}

/* Keys that are there twice and bytes that are no text are found by stoa_schema_check(). */
static enum stoa_status import_metadata(const char *bytes, struct stoa_metadata *out,
                                        struct stoa_error *err)
{
    struct stoa_metadata metadata = {0};
    struct stoa_keyvalue pair = {0};
    size_t capacity = 0;
    int32_t npairs;
    enum stoa_status st = STOA_OK;

    if (bytes == NULL)
        return STOA_OK;
    memcpy(&npairs, bytes, sizeof(npairs));
    bytes += sizeof(npairs);
    if (npairs < 0)
        return stoa_fail(err, STOA_ERR_DATA, "the metadata has %" PRId32 " pairs", npairs);
    for (int32_t i = 0; i < npairs; i++) {
        STOA_TRY(read_text(&bytes, &pair.key, err));
        STOA_TRY(read_text(&bytes, &pair.value, err));
        STOA_TRY(stoa_reserve(&metadata.pairs, &capacity, (size_t)i + 1, sizeof(pair), err));
        metadata.pairs[metadata.npairs++] = pair;
        pair = (struct stoa_keyvalue){0};
    }
    *out = metadata;
    metadata = (struct stoa_metadata){0};
out:
    stoa_free(pair.key);
    stoa_free(pair.value);
    stoa_metadata_reset(&metadata);
    return st;
}

static void drop_pair(struct stoa_metadata *metadata, const char *key)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < metadata->npairs; i++) {
        if (strcmp(metadata->pairs[i].key, key) != 0) {
            metadata->pairs[kept++] = metadata->pairs[i];
            continue;
        }
        stoa_free(metadata->pairs[i].key);
        stoa_free(metadata->pairs[i].value);
    }
    metadata->npairs = kept;
    if (kept == 0)
        stoa_metadata_reset(metadata);
}

/* 16 bytes that are marked as a uuid. */
static void take_uuid(struct stoa_field *field)
{
    const char *extension = stoa_metadata_get(&field->metadata, KEY_EXTENSION);

    if (field->type.id != STOA_FIXED_BINARY || field->type.width != 16 || extension == NULL ||
        strcmp(extension, EXTENSION_UUID) != 0)
        return;
    field->type = (struct stoa_type){.id = STOA_UUID};
}

/* Text with a dictionary that was an enum; a pair that says something else is only a pair. */
static enum stoa_status take_enum(struct stoa_field *field, struct stoa_error *err)
{
    const char *text = stoa_metadata_get(&field->metadata, KEY_TYPE);
    struct stoa_type type = {0};
    enum stoa_status st;

    if (text == NULL)
        return STOA_OK;
    st = stoa_type_parse(text, &type, NULL);
    if (st == STOA_ERR_NOMEM)
        return stoa_fail_nomem(err, strlen(text));
    if (st == STOA_OK && type.id == STOA_ENUM) {
        stoa_type_reset(&field->type);
        field->type = type;
        type = (struct stoa_type){0};
    }
    stoa_type_reset(&type);
    return STOA_OK;
}

/*
 * The pairs that the type stands for, and that an export makes of it. They may be there although
 * the type comes from elsewhere: runs of a dictionary have metadata in three places.
 */
static void drop_type_pairs(struct stoa_field *field)
{
    if (field->type.id == STOA_UUID) {
        drop_pair(&field->metadata, KEY_EXTENSION);
        drop_pair(&field->metadata, KEY_EXTENSION_METADATA);
    }
    if (field->type.id == STOA_ENUM)
        drop_pair(&field->metadata, KEY_TYPE);
}

/* An id that is a number; a pair that says something else is only a pair. */
static void take_id(struct stoa_field *field)
{
    const char *text = stoa_metadata_get(&field->metadata, KEY_FIELD_ID);
    uint64_t id = 0;

    if (text == NULL || text[0] == '0' || strlen(text) > 10)
        return;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at < '0' || *at > '9')
            return;
        id = id * 10 + (uint64_t)(*at - '0');
    }
    if (id == 0 || id > UINT32_MAX)
        return;
    field->id = (uint32_t)id;
    drop_pair(&field->metadata, KEY_FIELD_ID);
}

/* How far an import has come: a schema may be put together to be endless. */
struct progress {
    unsigned depth;
    uint32_t nnodes;
    bool is_endless; /* which field of so many it was says nothing */
};

static enum stoa_status check_progress(struct progress *progress, struct stoa_error *err)
{
    progress->is_endless =
        progress->depth >= STOA_ARROW_MAX_DEPTH || progress->nnodes >= STOA_MAX_NODES;
    if (!progress->is_endless)
        return STOA_OK;
    if (progress->nnodes >= STOA_MAX_NODES)
        return stoa_fail(err, STOA_ERR_DATA, "the Arrow schema has more than %u fields",
                         STOA_MAX_NODES);
    return stoa_fail(err, STOA_ERR_DATA, "the Arrow schema is deeper than %u levels",
                     STOA_ARROW_MAX_DEPTH);
}

static enum stoa_status import_field(const struct ArrowSchema *arrow, struct progress *progress,
                                     struct stoa_field *out, struct stoa_error *err);

static enum stoa_status import_children(const struct ArrowSchema *arrow, struct progress *progress,
                                        struct stoa_field *out, struct stoa_error *err)
{
    char shown[64];
    enum stoa_status st = STOA_OK;

    if (arrow->n_children > 0)
        st = stoa_alloc_zeroed(&out->children, (size_t)arrow->n_children, sizeof(out->children[0]),
                               err);
    while (st == STOA_OK && out->nchildren < (uint64_t)arrow->n_children) {
        const struct ArrowSchema *child = arrow->children[out->nchildren];
        const char *name = child->name != NULL ? child->name : "";

        st = import_field(child, progress, &out->children[out->nchildren++], err);
        if (st != STOA_OK && !progress->is_endless)
            stoa_wrap(err, st, "column %s", stoa_quote(shown, sizeof(shown), name, strlen(name)));
    }
    return st;
}

/* Entries and keys of maps are never null, whatever their flags say. */
static void take_map(struct stoa_field *field)
{
    struct stoa_field *entries = field->children;

    entries->nullable = false;
    if (entries->nchildren > 0)
        entries->children[0].nullable = false;
}

/* The values of a dictionary or of runs as those of `field`, with what their metadata adds. */
static enum stoa_status import_wrapped(const struct ArrowSchema *arrow, const char *what,
                                       struct progress *progress, struct stoa_field *field,
                                       struct stoa_error *err)
{
    struct stoa_field values = {0};
    enum stoa_status st = import_field(arrow, progress, &values, err);

    if (st != STOA_OK)
        return stoa_wrap(err, st, "%s", what);
    for (uint32_t i = 0; i < values.metadata.npairs; i++) {
        const struct stoa_keyvalue *pair = &values.metadata.pairs[i];

        if (stoa_metadata_get(&field->metadata, pair->key) == NULL)
            STOA_TRY(stoa_metadata_set(&field->metadata, pair->key, pair->value, err));
    }
    field->type = values.type;
    field->children = values.children;
    field->nchildren = values.nchildren;
    values.type = (struct stoa_type){0};
    values.children = NULL;
    values.nchildren = 0;
out:
    stoa_field_reset(&values);
    return st;
}

static enum stoa_status check_dictionary(const struct ArrowSchema *arrow,
                                         const struct stoa_type *index, struct stoa_error *err)
{
    if (index->id < STOA_INT8 || index->id > STOA_UINT64)
        return stoa_fail(err, STOA_ERR_DATA, "the format of indices into a dictionary is \"%s\"",
                         arrow->format);
    if (arrow->dictionary->release == NULL)
        return stoa_fail(err, STOA_ERR_USAGE, "the dictionary was released before");
    if (arrow->dictionary->dictionary != NULL)
        return stoa_fail(err, STOA_ERR_DATA, "the dictionary has a dictionary");
    return STOA_OK;
}

static enum stoa_status check_run_ends(const struct ArrowSchema *ends, struct stoa_error *err)
{
    const char *format = ends->format != NULL ? ends->format : "";
    char shown[64];

    if ((strcmp(format, "s") != 0 && strcmp(format, "i") != 0 && strcmp(format, "l") != 0) ||
        ends->dictionary != NULL)
        return stoa_fail(err, STOA_ERR_DATA, "the format of the ends of runs is \"%s\"",
                         stoa_quote(shown, sizeof(shown), format, strlen(format)));
    return STOA_OK;
}

/* The type and what is below it. */
static enum stoa_status import_type(const struct ArrowSchema *arrow, struct progress *progress,
                                    struct stoa_field *field, struct stoa_error *err)
{
    struct stoa_arrow_storage storage;
    struct stoa_type type;
    enum stoa_status st = stoa_arrow_format_read(arrow->format, &type, &storage, err);

    if (st != STOA_OK)
        return st;
    STOA_TRY(stoa_arrow_check_children(arrow, storage.layout, err));
    if (arrow->dictionary != NULL) {
        STOA_TRY(check_dictionary(arrow, &type, err));
        STOA_TRY(import_wrapped(arrow->dictionary, "dictionary", progress, field, err));
        if (field->type.id == STOA_UTF8)
            STOA_TRY(take_enum(field, err));
    } else if (storage.layout == STOA_ARROW_RUNS) {
        STOA_TRY(check_run_ends(arrow->children[0], err));
        STOA_TRY(import_wrapped(arrow->children[1], "values of runs", progress, field, err));
    } else {
        field->type = type;
        type = (struct stoa_type){0};
        STOA_TRY(import_children(arrow, progress, field, err));
        if (field->type.id == STOA_MAP)
            take_map(field);
    }
out:
    stoa_type_reset(&type);
    return st;
}

static enum stoa_status import_field(const struct ArrowSchema *arrow, struct progress *progress,
                                     struct stoa_field *out, struct stoa_error *err)
{
    const char *name = arrow->name != NULL ? arrow->name : "";
    struct stoa_field field = {0};
    enum stoa_status st = check_progress(progress, err);

    if (st != STOA_OK)
        return st;
    progress->depth++;
    progress->nnodes++;
    STOA_TRY(stoa_strndup(&field.name, name, strlen(name), err));
    STOA_TRY(import_metadata(arrow->metadata, &field.metadata, err));
    STOA_TRY(import_type(arrow, progress, &field, err));
    take_uuid(&field);
    drop_type_pairs(&field);
    take_id(&field);
    /* Null columns hold nothing but nulls, whatever their flag says. */
    field.nullable = (arrow->flags & ARROW_FLAG_NULLABLE) != 0 || field.type.id == STOA_NULL;
    *out = field;
    field = (struct stoa_field){0};
out:
    progress->depth--;
    stoa_field_reset(&field);
    return st;
}

enum stoa_status stoa_schema_import(const struct ArrowSchema *arrow, struct stoa_schema *out,
                                    struct stoa_error *err)
{
    struct stoa_schema schema = {0};
    struct progress progress = {0};
    char shown[64];
    enum stoa_status st;

    STOA_TRY(stoa_arrow_check_struct(arrow, err));
    STOA_TRY(import_metadata(arrow->metadata, &schema.metadata, err));
    STOA_TRY(stoa_alloc_zeroed(&schema.fields, (size_t)arrow->n_children, sizeof(schema.fields[0]),
                               err));
    for (; schema.nfields < (uint64_t)arrow->n_children; schema.nfields++) {
        const struct ArrowSchema *child = arrow->children[schema.nfields];
        const char *name = child->name != NULL ? child->name : "";

        st = import_field(child, &progress, &schema.fields[schema.nfields], err);
        if (st != STOA_OK) {
            stoa_wrap(err, st, "column %u (%s)", schema.nfields + 1,
                      stoa_quote(shown, sizeof(shown), name, strlen(name)));
            goto out;
        }
    }
    STOA_TRY(stoa_schema_check(&schema, err));
    *out = schema;
    schema = (struct stoa_schema){0};
out:
    stoa_schema_reset(&schema);
    return st;
}

/* ---- Export ---- */

/* What a node owns besides what its public members tell. */
struct node {
    char *format;
    char *name;
    struct stoa_buffer metadata;
    struct ArrowSchema *below; /* the children, or the dictionary */
    struct ArrowSchema **children;
};

static void release_node(struct ArrowSchema *arrow)
{
    struct node *node = arrow->private_data;

    for (int64_t i = 0; i < arrow->n_children; i++)
        if (arrow->children[i]->release != NULL)
            arrow->children[i]->release(arrow->children[i]);
    if (arrow->dictionary != NULL && arrow->dictionary->release != NULL)
        arrow->dictionary->release(arrow->dictionary);
    stoa_free(node->format);
    stoa_free(node->name);
    stoa_buffer_free(&node->metadata);
    stoa_free(node->below);
    stoa_free(node->children);
    stoa_free(node);
    arrow->release = NULL;
}

/* A node with `nbelow` empty ones below; it can be released from here on. */
static enum stoa_status make_node(struct ArrowSchema *out, const char *format, const char *name,
                                  size_t nbelow, struct stoa_error *err)
{
    struct node *node;
    enum stoa_status st = stoa_alloc_zeroed(&node, 1, sizeof(*node), err);

    if (st != STOA_OK)
        return st;
    *out = (struct ArrowSchema){.release = release_node, .private_data = node};
    STOA_TRY(stoa_strndup(&node->format, format, strlen(format), err));
    STOA_TRY(stoa_strndup(&node->name, name, strlen(name), err));
    out->format = node->format;
    out->name = node->name;
    if (nbelow > 0)
        STOA_TRY(stoa_alloc_zeroed(&node->below, nbelow, sizeof(node->below[0]), err));
out:
    return st;
}

static enum stoa_status put_text(struct stoa_buffer *out, const char *text, struct stoa_error *err)
{
    size_t nbytes = strlen(text);
    int32_t length = (int32_t)nbytes;
    enum stoa_status st;

    if (nbytes > INT32_MAX)
        return stoa_fail(err, STOA_ERR_LIMIT, "a text of the metadata has %zu bytes", nbytes);
    STOA_TRY(stoa_buffer_append(out, &length, sizeof(length), err));
    STOA_TRY(stoa_buffer_append(out, text, nbytes, err));
out:
    return st;
}

/* The pairs of `own`, then those of `metadata` with other keys. */
static enum stoa_status export_metadata(struct ArrowSchema *arrow, const struct stoa_keyvalue *own,
                                        uint32_t nown, const struct stoa_metadata *metadata,
                                        struct stoa_error *err)
{
    struct node *node = arrow->private_data;
    struct stoa_metadata ours = {.pairs = (struct stoa_keyvalue *)own, .npairs = nown};
    uint32_t written = 0;
    int32_t npairs;
    enum stoa_status st = STOA_OK;

    if (nown == 0 && metadata->npairs == 0)
        return STOA_OK;
    STOA_TRY(stoa_buffer_append_zeros(&node->metadata, sizeof(npairs), err));
    for (uint32_t i = 0; i < nown + metadata->npairs; i++) {
        const struct stoa_keyvalue *pair = i < nown ? &own[i] : &metadata->pairs[i - nown];

        if (i >= nown && stoa_metadata_get(&ours, pair->key) != NULL)
            continue;
        STOA_TRY(put_text(&node->metadata, pair->key, err));
        STOA_TRY(put_text(&node->metadata, pair->value, err));
        written++;
    }
    npairs = (int32_t)written;
    memcpy(node->metadata.data, &npairs, sizeof(npairs));
    arrow->metadata = (const char *)node->metadata.data;
out:
    return st;
}

/* The pairs that stand for what an ArrowSchema has no place for. `text` is freed by the caller. */
static enum stoa_status own_pairs(const struct stoa_field *field, char id[16],
                                  struct stoa_keyvalue own[3], uint32_t *nown, char **text,
                                  struct stoa_error *err)
{
    *nown = 0;
    if (field->type.id == STOA_UUID) {
        own[(*nown)++] = (struct stoa_keyvalue){(char *)KEY_EXTENSION, (char *)EXTENSION_UUID};
        own[(*nown)++] = (struct stoa_keyvalue){(char *)KEY_EXTENSION_METADATA, (char *)""};
    }
    if (field->type.id == STOA_ENUM) {
        enum stoa_status st = stoa_type_print(field, text, err);

        if (st != STOA_OK)
            return st;
        own[(*nown)++] = (struct stoa_keyvalue){(char *)KEY_TYPE, *text};
    }
    if (field->id != 0) {
        snprintf(id, 16, "%" PRIu32, field->id);
        own[(*nown)++] = (struct stoa_keyvalue){(char *)KEY_FIELD_ID, id};
    }
    return STOA_OK;
}

static enum stoa_status export_fields(const struct stoa_field *fields, uint32_t nfields,
                                      struct ArrowSchema *out, struct stoa_error *err);

static enum stoa_status export_field(const struct stoa_field *field, struct ArrowSchema *out,
                                     struct stoa_error *err)
{
    bool is_enum = field->type.id == STOA_ENUM;
    struct stoa_keyvalue own[3];
    uint32_t nown;
    char format[300], id[16], *text = NULL;
    enum stoa_status st;

    stoa_arrow_format_print(&field->type, format);
    STOA_TRY(make_node(out, format, field->name, is_enum ? 1 : field->nchildren, err));
    out->flags = field->nullable ? ARROW_FLAG_NULLABLE : 0;
    STOA_TRY(own_pairs(field, id, own, &nown, &text, err));
    STOA_TRY(export_metadata(out, own, nown, &field->metadata, err));
    if (is_enum) {
        out->dictionary = &((struct node *)out->private_data)->below[0];
        STOA_TRY(make_node(out->dictionary, "u", "", 0, err));
    }
    STOA_TRY(export_fields(field->children, field->nchildren, out, err));
out:
    stoa_free(text);
    return st;
}

/* The children of *out, which has room for them. */
static enum stoa_status export_fields(const struct stoa_field *fields, uint32_t nfields,
                                      struct ArrowSchema *out, struct stoa_error *err)
{
    struct node *node = out->private_data;
    enum stoa_status st = STOA_OK;

    if (nfields > 0)
        st = stoa_alloc_zeroed(&node->children, nfields, sizeof(node->children[0]), err);
    out->children = node->children;
    for (uint32_t i = 0; st == STOA_OK && i < nfields; i++) {
        node->children[i] = &node->below[i];
        out->n_children = (int64_t)i + 1;
        st = export_field(&fields[i], node->children[i], err);
    }
    return st;
}

enum stoa_status stoa_schema_export(const struct stoa_schema *schema, struct ArrowSchema *out,
                                    struct stoa_error *err)
{
    struct ArrowSchema arrow = {0};
    enum stoa_status st;

    STOA_TRY(make_node(&arrow, "+s", "", schema->nfields, err));
    STOA_TRY(export_metadata(&arrow, NULL, 0, &schema->metadata, err));
    STOA_TRY(export_fields(schema->fields, schema->nfields, &arrow, err));
    *out = arrow;
    arrow = (struct ArrowSchema){0};
out:
    if (arrow.release != NULL)
        arrow.release(&arrow);
    return st;
}
