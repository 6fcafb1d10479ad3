/*
 * Schemas as ArrowSchema and back (Arrow's C data interface; the table of types is in
 * stoa/arrow.h).
 *
 * An exported schema is a struct node over one node a column, an enum with one more for its
 * dictionary. Every node owns its texts and the memory of the nodes below, and can be moved out of
 * its parent. Metadata is one run of bytes, numbers in native order:
 *
 *     npairs i32 | key length i32, key | value length i32, value | ...
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "column/arrow_format.h"
#include "column/schema.h"
#include "column/type.h"

#define KEY_TYPE               "stoa:type"
#define KEY_EXTENSION          "ARROW:extension:name"
#define KEY_EXTENSION_METADATA "ARROW:extension:metadata"
#define EXTENSION_UUID         "arrow.uuid"

/* ---- Formats ---- */

/* A format is `text`, or begins with it where more follows. */
struct format {
    const char *text;
    enum stoa_type_id id;
    enum stoa_time_unit unit;
    uint8_t offset_nbytes; /* of utf8 and binary; the first row of a type is the one for export */
};

/* clang-format off */
static const struct format formats[] = {
    {"n", STOA_NULL, 0, 0},         {"b", STOA_BOOL, 0, 0},
    {"c", STOA_INT8, 0, 0},         {"C", STOA_UINT8, 0, 0},
    {"s", STOA_INT16, 0, 0},        {"S", STOA_UINT16, 0, 0},
    {"i", STOA_INT32, 0, 0},        {"I", STOA_UINT32, 0, 0},
    {"l", STOA_INT64, 0, 0},        {"L", STOA_UINT64, 0, 0},
    {"f", STOA_FLOAT32, 0, 0},      {"g", STOA_FLOAT64, 0, 0},
    {"d:", STOA_DECIMAL, 0, 0},     {"tdD", STOA_DATE32, 0, 0},
    {"tts", STOA_TIME, STOA_SECOND, 0},       {"ttm", STOA_TIME, STOA_MILLI, 0},
    {"ttu", STOA_TIME, STOA_MICRO, 0},        {"ttn", STOA_TIME, STOA_NANO, 0},
    {"tss:", STOA_TIMESTAMP, STOA_SECOND, 0}, {"tsm:", STOA_TIMESTAMP, STOA_MILLI, 0},
    {"tsu:", STOA_TIMESTAMP, STOA_MICRO, 0},  {"tsn:", STOA_TIMESTAMP, STOA_NANO, 0},
    {"u", STOA_UTF8, 0, 4},         {"U", STOA_UTF8, 0, 8},
    {"z", STOA_BINARY, 0, 4},       {"Z", STOA_BINARY, 0, 8},
    {"w:", STOA_FIXED_BINARY, 0, 0},
};

/* What is refused by its name, by how the format begins. */
static const struct {
    const char *text;
    const char *name;
} refused[] = {
    {"e", "float16"},         {"tdm", "date64"},            {"tD", "duration"},
    {"ti", "interval"},       {"vu", "utf8 view"},          {"vz", "binary view"},
    {"+l", "list"},           {"+L", "large list"},         {"+vl", "list view"},
    {"+vL", "large list view"}, {"+w:", "fixed-size list"}, {"+s", "struct"},
    {"+m", "map"},            {"+ud:", "dense union"},      {"+us:", "sparse union"},
    {"+r", "run-end encoded"},
};
/* clang-format on */

static bool begins_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static const struct format *find_format(const char *text)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        const char *start = formats[i].text;
        bool has_more = start[strlen(start) - 1] == ':';

        if (has_more ? begins_with(text, start) : strcmp(text, start) == 0)
            return &formats[i];
    }
    return NULL;
}

static enum stoa_status fail_format(const char *text, struct stoa_error *err)
{
    char shown[64];

    stoa_quote(shown, sizeof(shown), text, strlen(text));
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        if (begins_with(text, refused[i].text))
            return stoa_fail(err, STOA_ERR_DATA,
                             "Arrow's type %s (\"%s\") cannot be taken: cast it to another first",
                             refused[i].name, shown);
    return stoa_fail(err, STOA_ERR_DATA, "\"%s\" is not a format of Arrow", shown);
}

/* A decimal number in [0, most] at *text, which is moved behind it. */
static bool read_number(const char **text, uint32_t most, uint32_t *out)
{
    const char *at = *text;
    uint64_t number = 0;

    for (; *at >= '0' && *at <= '9' && number <= most; at++)
        number = number * 10 + (uint64_t)(*at - '0');
    if (at == *text || number > most)
        return false;
    *text = at;
    *out = (uint32_t)number;
    return true;
}

/* "precision,scale", perhaps with ",128". */
static bool read_decimal(const char *text, struct stoa_type *type)
{
    uint32_t precision, scale;

    if (!read_number(&text, UINT8_MAX, &precision) || *text++ != ',' ||
        !read_number(&text, UINT8_MAX, &scale))
        return false;
    type->precision = (uint8_t)precision;
    type->scale = (uint8_t)scale;
    return *text == '\0' || strcmp(text, ",128") == 0;
}

/* What follows the fixed part of a format. */
static enum stoa_status read_parameters(const char *format, const char *rest,
                                        struct stoa_type *type, struct stoa_error *err)
{
    bool good = true;
    char shown[64];

    if (type->id == STOA_TIMESTAMP && *rest != '\0')
        return stoa_strndup(&type->zone, rest, strlen(rest), err);
    if (type->id == STOA_FIXED_BINARY)
        good = read_number(&rest, INT32_MAX, &type->width) && *rest == '\0';
    else if (type->id == STOA_DECIMAL)
        good = read_decimal(rest, type);
    if (!good)
        return stoa_fail(err, STOA_ERR_DATA,
                         type->id == STOA_DECIMAL
                             ? "\"%s\" is not a decimal of 128 bits with a scale of 0 or more"
                             : "\"%s\" is not a width",
                         stoa_quote(shown, sizeof(shown), format, strlen(format)));
    return STOA_OK;
}

/* The type of a node that has neither children nor a dictionary. */
static enum stoa_status read_leaf(const struct ArrowSchema *arrow, struct stoa_type *out,
                                  uint8_t *offset_nbytes, struct stoa_error *err)
{
    const struct format *format;
    struct stoa_type type;
    enum stoa_status st;

    if (arrow->format == NULL)
        return stoa_fail(err, STOA_ERR_DATA, "the format is missing");
    format = find_format(arrow->format);
    if (format == NULL)
        return fail_format(arrow->format, err);
    if (arrow->n_children != 0)
        return stoa_fail(err, STOA_ERR_DATA, "format \"%s\" with %" PRId64 " children",
                         format->text, arrow->n_children);
    type = (struct stoa_type){.id = format->id, .unit = format->unit};
    STOA_TRY(read_parameters(arrow->format, arrow->format + strlen(format->text), &type, err));
    STOA_TRY(stoa_type_check(&type, err));
    *out = type;
    *offset_nbytes = format->offset_nbytes;
    type = (struct stoa_type){0};
out:
    stoa_type_reset(&type);
    return st;
}

/* Moves what read_leaf() said of a dictionary into `type`, which holds that of its indices. */
static enum stoa_status read_dictionary(const struct ArrowSchema *dictionary,
                                        struct stoa_type *type, struct stoa_arrow_storage *storage,
                                        struct stoa_error *err)
{
    struct stoa_type values = {0};
    enum stoa_status st;

    if (type->id < STOA_INT8 || type->id > STOA_UINT64)
        return stoa_fail(err, STOA_ERR_DATA, "the indices into the dictionary are %s",
                         stoa_type_info(type->id)->name);
    if (dictionary->dictionary != NULL)
        return stoa_fail(err, STOA_ERR_DATA, "the dictionary has a dictionary");
    st = read_leaf(dictionary, &values, &storage->offset_nbytes, err);
    if (st != STOA_OK)
        return stoa_wrap(err, st, "dictionary");
    if (values.id != STOA_UTF8)
        st = stoa_fail(err, STOA_ERR_DATA, "a dictionary of %s cannot be taken, only one of utf8",
                       stoa_type_info(values.id)->name);
    storage->index_nbytes = (uint8_t)stoa_type_width(type);
    storage->index_signed = type->id <= STOA_INT64;
    stoa_type_reset(&values);
    type->id = STOA_UTF8;
    return st;
}

enum stoa_status stoa_arrow_format_read(const struct ArrowSchema *arrow, struct stoa_type *type,
                                        struct stoa_arrow_storage *storage, struct stoa_error *err)
{
    enum stoa_status st;

    *storage = (struct stoa_arrow_storage){0};
    st = read_leaf(arrow, type, &storage->offset_nbytes, err);
    if (st != STOA_OK || arrow->dictionary == NULL)
        return st;
    st = read_dictionary(arrow->dictionary, type, storage, err);
    if (st != STOA_OK)
        stoa_type_reset(type);
    return st;
}

enum stoa_status stoa_arrow_struct_check(const struct ArrowSchema *arrow, struct stoa_error *err)
{
    if (arrow->release == NULL)
        return stoa_fail(err, STOA_ERR_USAGE, "the Arrow schema was released before");
    if (arrow->format == NULL || strcmp(arrow->format, "+s") != 0 || arrow->dictionary != NULL)
        return stoa_fail(err, STOA_ERR_DATA,
                         "the Arrow schema is not a struct of columns (\"+s\")");
    if (arrow->n_children < 0 || arrow->n_children > STOA_MAX_NODES)
        return stoa_fail(err, STOA_ERR_DATA,
                         "the Arrow schema has %" PRId64 " columns, not 0 to %u", arrow->n_children,
                         STOA_MAX_NODES);
    for (int64_t i = 0; i < arrow->n_children; i++)
        if (arrow->children == NULL || arrow->children[i] == NULL ||
            arrow->children[i]->release == NULL)
            return stoa_fail(err, STOA_ERR_DATA,
                             "column %" PRId64 " of the Arrow schema is missing", i + 1);
    return STOA_OK;
}

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
    drop_pair(&field->metadata, KEY_EXTENSION);
    drop_pair(&field->metadata, KEY_EXTENSION_METADATA);
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
        drop_pair(&field->metadata, KEY_TYPE);
    }
    stoa_type_reset(&type);
    return STOA_OK;
}

static enum stoa_status import_field(const struct ArrowSchema *arrow, struct stoa_field *out,
                                     struct stoa_error *err)
{
    const char *name = arrow->name != NULL ? arrow->name : "";
    struct stoa_field field = {0};
    struct stoa_arrow_storage storage;
    enum stoa_status st;

    STOA_TRY(stoa_arrow_format_read(arrow, &field.type, &storage, err));
    STOA_TRY(stoa_strndup(&field.name, name, strlen(name), err));
    STOA_TRY(import_metadata(arrow->metadata, &field.metadata, err));
    take_uuid(&field);
    if (storage.index_nbytes > 0)
        STOA_TRY(take_enum(&field, err));
    /* Null columns hold nothing but nulls, whatever their flag says. */
    field.nullable = (arrow->flags & ARROW_FLAG_NULLABLE) != 0 || field.type.id == STOA_NULL;
    *out = field;
    field = (struct stoa_field){0};
out:
    stoa_field_reset(&field);
    return st;
}

enum stoa_status stoa_schema_import(const struct ArrowSchema *arrow, struct stoa_schema *out,
                                    struct stoa_error *err)
{
    struct stoa_schema schema = {0};
    char shown[64];
    enum stoa_status st;

    STOA_TRY(stoa_arrow_struct_check(arrow, err));
    STOA_TRY(import_metadata(arrow->metadata, &schema.metadata, err));
    STOA_TRY(stoa_alloc_zeroed(&schema.fields, (size_t)arrow->n_children, sizeof(schema.fields[0]),
                               err));
    for (; schema.nfields < (uint64_t)arrow->n_children; schema.nfields++) {
        const struct ArrowSchema *child = arrow->children[schema.nfields];
        const char *name = child->name != NULL ? child->name : "";

        st = import_field(child, &schema.fields[schema.nfields], err);
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

/* The format of a type; 300 bytes hold the longest zone. */
static enum stoa_status print_format(const struct stoa_type *type, char out[300],
                                     struct stoa_error *err)
{
    const struct format *format = NULL;
    enum stoa_type_id id = type->id == STOA_UUID   ? STOA_FIXED_BINARY
                           : type->id == STOA_ENUM ? STOA_INT32
                                                   : type->id;
    size_t used;

    for (size_t i = 0; format == NULL && i < sizeof(formats) / sizeof(formats[0]); i++)
        if (formats[i].id == id && formats[i].unit == type->unit)
            format = &formats[i];
    if (format == NULL)
        return stoa_fail(err, STOA_ERR_USAGE, "%s has no form in Arrow here",
                         stoa_type_info(type->id)->name);
    used = (size_t)snprintf(out, 300, "%s", format->text);
    if (type->id == STOA_DECIMAL)
        snprintf(out + used, 300 - used, "%u,%u", type->precision, type->scale);
    else if (id == STOA_FIXED_BINARY)
        snprintf(out + used, 300 - used, "%zu", stoa_type_width(type));
    else if (type->zone != NULL)
        snprintf(out + used, 300 - used, "%s", type->zone);
    return STOA_OK;
}

static enum stoa_status export_enum(const struct stoa_field *field, struct ArrowSchema *arrow,
                                    struct stoa_error *err)
{
    struct node *node = arrow->private_data;
    struct stoa_keyvalue own = {.key = (char *)KEY_TYPE};
    enum stoa_status st;

    arrow->dictionary = &node->below[0];
    STOA_TRY(make_node(arrow->dictionary, "u", "", 0, err));
    STOA_TRY(stoa_type_print(field, &own.value, err));
    STOA_TRY(export_metadata(arrow, &own, 1, &field->metadata, err));
out:
    stoa_free(own.value);
    return st;
}

static enum stoa_status export_field(const struct stoa_field *field, struct ArrowSchema *out,
                                     struct stoa_error *err)
{
    static const struct stoa_keyvalue uuid[] = {
        {.key = (char *)KEY_EXTENSION, .value = (char *)EXTENSION_UUID},
        {.key = (char *)KEY_EXTENSION_METADATA, .value = (char *)""}};
    bool is_enum = field->type.id == STOA_ENUM;
    char format[300];
    enum stoa_status st;

    STOA_TRY(print_format(&field->type, format, err));
    STOA_TRY(make_node(out, format, field->name, is_enum, err));
    out->flags = field->nullable ? ARROW_FLAG_NULLABLE : 0;
    st = is_enum ? export_enum(field, out, err)
                 : export_metadata(out, uuid, field->type.id == STOA_UUID ? 2 : 0, &field->metadata,
                                   err);
out:
    return st;
}

enum stoa_status stoa_schema_export(const struct stoa_schema *schema, struct ArrowSchema *out,
                                    struct stoa_error *err)
{
    struct ArrowSchema arrow = {0};
    struct node *node;
    char shown[64];
    enum stoa_status st;

    STOA_TRY(make_node(&arrow, "+s", "", schema->nfields, err));
    node = arrow.private_data;
    STOA_TRY(stoa_alloc_zeroed(&node->children, schema->nfields, sizeof(node->children[0]), err));
    arrow.children = node->children;
    STOA_TRY(export_metadata(&arrow, NULL, 0, &schema->metadata, err));
    for (uint32_t i = 0; i < schema->nfields; i++) {
        const char *name = schema->fields[i].name;

        node->children[i] = &node->below[i];
        arrow.n_children = (int64_t)i + 1;
        st = export_field(&schema->fields[i], node->children[i], err);
        if (st != STOA_OK) {
            stoa_wrap(err, st, "column %s", stoa_quote(shown, sizeof(shown), name, strlen(name)));
            goto out;
        }
    }
    *out = arrow;
    arrow = (struct ArrowSchema){0};
out:
    if (arrow.release != NULL)
        arrow.release(&arrow);
    return st;
}
