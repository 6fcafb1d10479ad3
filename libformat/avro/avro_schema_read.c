/*
 * Schemas of Avro from JSON (spec/avro.md, "Schemas").
 *
 * A type is a name, an object or, for a union, an array. Names are resolved as they come: a table
 * has the full names that were defined so far, and a simple name means one in the namespace around
 * it, then one without a namespace.
 *
 * A record that is used inside of its own definition makes a cycle. While a record is read it is
 * *open*; a use of an open one, or of a finished one that reaches an open one, puts all records
 * that were opened since on a cycle:
 *
 *     A { b: B { a: A }, b2: B }      A and B are recursive
 *         open: A, B --^              B reaches A, which is open: so would be what holds b2
 */
#include "avro/avro_type.h"

#include <string.h>

#include "avro/avro_json.h"
#include "base/error.h"

#define NO_TYPE UINT32_MAX

/* What is known of a record for cycles. */
struct note {
    uint32_t place;     /* on the stack of open records */
    uint32_t outermost; /* the open record furthest out that it reached, or NO_TYPE */
};

struct parser {
    struct stoa_avro_schema *schema;
    json_t *names;           /* full names of types, their index as the value */
    struct stoa_buffer text; /* scratch: an attribute as text, a name */
    struct note *notes;      /* by the index of a type */
    size_t notes_capacity;
    uint32_t open[STOA_AVRO_MAX_DEPTH + 1]; /* records, from the outside to the inside */
    uint32_t nopen;
    struct stoa_avro_type *plain[STOA_AVRO_STRING + 1]; /* primitive types with nothing else */
    size_t full_nbytes; /* of full names that were put together: a namespace goes into many */
    struct stoa_error *err;
};

/* A namespace: the beginning of a full name, which may be "". */
struct space {
    const char *text;
    size_t nbytes;
};

static enum stoa_status parse_type(struct parser *parser, const json_t *json, struct space space,
                                   struct stoa_avro_type **out);

/* ---- Texts and attributes ---- */

static enum stoa_status fail(struct parser *parser, const char *what, const char *text)
{
    char shown[80];

    return stoa_fail(parser->err, STOA_ERR_DATA, "%s \"%s\"", what,
                     stoa_quote(shown, sizeof(shown), text, strlen(text)));
}

/* The text of a key, NULL when it is not there; of anything else than text, STOA_ERR_DATA. */
static enum stoa_status text_of(struct parser *parser, const json_t *object, const char *key,
                                const char **out)
{
    const json_t *value = json_object_get(object, key);

    *out = NULL;
    if (value == NULL || json_is_null(value))
        return STOA_OK;
    if (!json_is_string(value))
        return fail(parser, "no text under", key);
    *out = json_string_value(value);
    if (strlen(*out) != json_string_length(value))
        return fail(parser, "a zero byte in the text under", key);
    return STOA_OK;
}

static enum stoa_status keep_text(struct parser *parser, const json_t *object, const char *key,
                                  const char **out)
{
    const char *text;
    enum stoa_status st;

    STOA_TRY(text_of(parser, object, key, &text));
    if (text != NULL)
        STOA_TRY(stoa_avro_strndup(parser->schema, out, text, strlen(text), parser->err));
out:
    return st;
}

/* All keys of an object but those of a list, which ends with NULL. */
static enum stoa_status keep_attributes(struct parser *parser, json_t *object,
                                        const char *const *known, struct stoa_avro_attributes *out)
{
    enum stoa_status st = STOA_OK;
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value)
    {
        size_t i = 0;

        while (known[i] != NULL && strcmp(known[i], key) != 0)
            i++;
        if (known[i] != NULL)
            continue;
        parser->text.nbytes = 0;
        STOA_TRY(stoa_avro_json_append(&parser->text, value, parser->err));
        STOA_TRY(stoa_avro_attribute_add(parser->schema, out, key, (char *)parser->text.data,
                                         parser->text.nbytes, parser->err));
    }
out:
    return st;
}

/* A parameter of a type; false when it is missing or no number in 0..UINT32_MAX. */
static bool read_number(const json_t *object, const char *key, uint32_t *out)
{
    const json_t *value = json_object_get(object, key);

    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        json_integer_value(value) > UINT32_MAX)
        return false;
    *out = (uint32_t)json_integer_value(value);
    return true;
}

/* "logicalType" and what belongs to it; it stays NONE where they do not go together. */
static void read_logical(const json_t *object, struct stoa_avro_type *type)
{
    const char *name = json_string_value(json_object_get(object, "logicalType"));
    const bool has_scale = json_object_get(object, "scale") != NULL;

    if (name == NULL)
        return;
    (void)read_number(object, "precision", &type->precision);
    if (has_scale && !read_number(object, "scale", &type->scale))
        type->scale = UINT32_MAX; /* more than any precision */
    type->logical = stoa_avro_logical_find(type, name);
    if (type->logical != STOA_AVRO_DECIMAL)
        type->precision = type->scale = 0;
}

/* ---- Names ---- */

static struct space space_of(const char *fullname)
{
    const char *dot = strrchr(fullname, '.');

    return (struct space){fullname, dot != NULL ? (size_t)(dot - fullname) : 0};
}

/* A name in a namespace as a full name, into the scratch: one with a dot is full already. */
static enum stoa_status join_fullname(struct parser *parser, const char *name, struct space space)
{
    struct stoa_buffer *text = &parser->text;
    enum stoa_status st = STOA_OK;

    text->nbytes = 0;
    if (strchr(name, '.') == NULL && space.nbytes > 0) {
        if (space.nbytes > STOA_AVRO_MAX_NAMES_NBYTES - parser->full_nbytes)
            return stoa_fail(parser->err, STOA_ERR_LIMIT,
                             "the namespaces in front of all names have more than %u MiB",
                             STOA_AVRO_MAX_NAMES_NBYTES >> 20);
        parser->full_nbytes += space.nbytes;
        STOA_TRY(stoa_buffer_append(text, space.text, space.nbytes, parser->err));
        STOA_TRY(stoa_buffer_append(text, ".", 1, parser->err));
    }
    STOA_TRY(stoa_buffer_append(text, name, strlen(name) + 1, parser->err));
    text->nbytes--; /* the zero is no part of it */
out:
    return st;
}

/* The same, kept. */
static enum stoa_status make_fullname(struct parser *parser, const char *name, struct space space,
                                      const char **out)
{
    enum stoa_status st;

    STOA_TRY(join_fullname(parser, name, space));
    STOA_TRY(stoa_avro_strndup(parser->schema, out, (char *)parser->text.data, parser->text.nbytes,
                               parser->err));
out:
    return st;
}

/* The name, namespace, aliases and doc of a record, enum or fixed, which is known from now on. */
static enum stoa_status read_names(struct parser *parser, json_t *object, struct space space,
                                   struct stoa_avro_type *type)
{
    const json_t *aliases = json_object_get(object, "aliases");
    const char *name, *given;
    enum stoa_status st;

    STOA_TRY(text_of(parser, object, "name", &name));
    STOA_TRY(text_of(parser, object, "namespace", &given));
    if (name == NULL)
        return stoa_fail(parser->err, STOA_ERR_DATA, "a type \"%s\" has no name",
                         stoa_avro_kind_name(type->kind));
    if (given != NULL)
        space = (struct space){given, strlen(given)};
    STOA_TRY(make_fullname(parser, name, space, &type->name));
    STOA_TRY(keep_text(parser, object, "doc", &type->doc));
    STOA_TRY(stoa_avro_alloc(parser->schema, &type->aliases.items, json_array_size(aliases),
                             sizeof(char *), parser->err));
    for (size_t i = 0; i < json_array_size(aliases); i++) {
        const char *alias = json_string_value(json_array_get(aliases, i));

        if (alias == NULL)
            return stoa_fail(parser->err, STOA_ERR_DATA, "an alias is no text");
        STOA_TRY(make_fullname(parser, alias, space_of(type->name), &type->aliases.items[i]));
        type->aliases.nitems++;
    }
    if (type->name[0] == '\0') /* nothing can use it, and others may be called so */
        return STOA_OK;
    if (json_object_get(parser->names, type->name) != NULL)
        return fail(parser, "two types are called", type->name);
    if (json_object_set_new(parser->names, type->name, json_integer(type->index)) != 0)
        return stoa_fail_nomem(parser->err, 0);
out:
    return st;
}

static bool is_open(const struct parser *parser, uint32_t type)
{
    const uint32_t place = parser->notes[type].place;

    return place < parser->nopen && parser->open[place] == type;
}

/* A defined type is used: records on a cycle through it are told so. */
static void note_use(struct parser *parser, uint32_t type)
{
    uint32_t target = is_open(parser, type) ? type : parser->notes[type].outermost;

    if (target == NO_TYPE || !is_open(parser, target))
        return;
    for (uint32_t i = parser->notes[target].place; i < parser->nopen; i++) {
        struct note *note = &parser->notes[parser->open[i]];

        parser->schema->types[parser->open[i]]->is_recursive = true;
        if (note->outermost == NO_TYPE || !is_open(parser, note->outermost) ||
            parser->notes[note->outermost].place > parser->notes[target].place)
            note->outermost = target;
    }
}

/* The type that a text names. */
static enum stoa_status find_type(struct parser *parser, const char *name, struct space space,
                                  struct stoa_avro_type **out)
{
    const json_t *index;
    enum stoa_status st = STOA_OK;

    for (int kind = STOA_AVRO_NULL; kind <= STOA_AVRO_STRING; kind++) {
        struct stoa_avro_type **plain = &parser->plain[kind];

        if (strcmp(name, stoa_avro_kind_name((enum stoa_avro_kind)kind)) != 0)
            continue;
        if (*plain == NULL)
            STOA_TRY(
                stoa_avro_type_new(parser->schema, (enum stoa_avro_kind)kind, plain, parser->err));
        *out = *plain;
        return STOA_OK;
    }
    STOA_TRY(join_fullname(parser, name, space));
    index = json_object_get(parser->names, (char *)parser->text.data);
    if (index == NULL)
        index = json_object_get(parser->names, name);
    if (index == NULL)
        return fail(parser, "there is no type", name);
    *out = parser->schema->types[json_integer_value(index)];
    if ((*out)->kind == STOA_AVRO_RECORD)
        note_use(parser, (*out)->index);
out:
    return st;
}

/* A part is as deep as it is, or just a mention where it holds what holds it. */
static enum stoa_status add_depth(struct parser *parser, struct stoa_avro_type *type,
                                  const struct stoa_avro_type *part)
{
    const bool mention = part->kind == STOA_AVRO_RECORD && is_open(parser, part->index);
    const uint32_t depth = 1 + (mention ? 1 : part->depth);

    if (depth > STOA_AVRO_MAX_DEPTH)
        return stoa_fail(parser->err, STOA_ERR_LIMIT, "types are nested more than %u deep",
                         STOA_AVRO_MAX_DEPTH);
    if (depth > type->depth)
        type->depth = depth;
    return STOA_OK;
}

/* ---- Types ---- */

static enum stoa_status read_order(struct parser *parser, const json_t *object,
                                   enum stoa_avro_order *out)
{
    static const char *const orders[] = {"ascending", "descending", "ignore"};
    const char *text;
    enum stoa_status st;

    STOA_TRY(text_of(parser, object, "order", &text));
    for (int i = 0; text != NULL && i < 3; i++)
        if (strcmp(text, orders[i]) == 0)
            *out = (enum stoa_avro_order)i;
out:
    return st;
}

static enum stoa_status read_field(struct parser *parser, json_t *object, struct space space,
                                   struct stoa_avro_type *record, struct stoa_avro_field *field)
{
    static const char *const known[] = {"name", "type", "doc", "aliases", "order", "default", NULL};
    const json_t *aliases = json_object_get(object, "aliases");
    json_t *given = json_object_get(object, "default");
    char shown[80];
    enum stoa_status st;

    STOA_TRY(keep_text(parser, object, "name", &field->name));
    if (field->name == NULL)
        return stoa_fail(parser->err, STOA_ERR_DATA, "a field has no name");
    STOA_TRY(keep_text(parser, object, "doc", &field->doc));
    STOA_TRY(read_order(parser, object, &field->order));
    STOA_TRY(stoa_avro_alloc(parser->schema, &field->aliases.items, json_array_size(aliases),
                             sizeof(char *), parser->err));
    for (size_t i = 0; i < json_array_size(aliases); i++) {
        const char *alias = json_string_value(json_array_get(aliases, i));

        STOA_TRY(stoa_avro_strndup(parser->schema, &field->aliases.items[i],
                                   alias != NULL ? alias : "", alias != NULL ? strlen(alias) : 0,
                                   parser->err));
        field->aliases.nitems++;
    }
    if (given != NULL) {
        parser->text.nbytes = 0;
        STOA_TRY(stoa_avro_json_append(&parser->text, given, parser->err));
        STOA_TRY(stoa_avro_strndup(parser->schema, &field->default_json, (char *)parser->text.data,
                                   parser->text.nbytes, parser->err));
    }
    STOA_TRY(keep_attributes(parser, object, known, &field->attributes));
    STOA_TRY(parse_type(parser, json_object_get(object, "type"), space, &field->type));
    STOA_TRY(add_depth(parser, record, field->type));
out:
    return st == STOA_OK || field->name == NULL
               ? st
               : stoa_wrap(parser->err, st, "field \"%s\"",
                           stoa_quote(shown, sizeof(shown), field->name, strlen(field->name)));
}

static enum stoa_status read_record(struct parser *parser, json_t *object, struct space space,
                                    struct stoa_avro_type *type)
{
    const json_t *fields = json_object_get(object, "fields");
    const size_t nfields = json_array_size(fields);
    enum stoa_status st;

    STOA_TRY(read_names(parser, object, space, type));
    if (!json_is_array(fields))
        return fail(parser, "no list of fields in record", type->name);
    if (parser->nopen == STOA_AVRO_MAX_DEPTH)
        return stoa_fail(parser->err, STOA_ERR_LIMIT, "types are nested more than %u deep",
                         STOA_AVRO_MAX_DEPTH);
    STOA_TRY(stoa_avro_alloc(parser->schema, &type->fields, nfields, sizeof(*type->fields),
                             parser->err));
    parser->notes[type->index].place = parser->nopen;
    parser->open[parser->nopen++] = type->index;
    for (; type->nfields < nfields; type->nfields++)
        STOA_TRY(read_field(parser, json_array_get(fields, type->nfields), space_of(type->name),
                            type, &type->fields[type->nfields]));
    parser->nopen--;
out:
    return st;
}

static enum stoa_status read_enum(struct parser *parser, json_t *object, struct space space,
                                  struct stoa_avro_type *type)
{
    const json_t *symbols = json_object_get(object, "symbols");
    const size_t nsymbols = json_array_size(symbols);
    enum stoa_status st;

    STOA_TRY(read_names(parser, object, space, type));
    if (nsymbols == 0)
        return fail(parser, "no symbols in enum", type->name);
    STOA_TRY(stoa_avro_alloc(parser->schema, &type->symbols.items, nsymbols, sizeof(char *),
                             parser->err));
    for (; type->symbols.nitems < nsymbols; type->symbols.nitems++) {
        const json_t *symbol = json_array_get(symbols, type->symbols.nitems);

        if (!json_is_string(symbol) ||
            strlen(json_string_value(symbol)) != json_string_length(symbol))
            return fail(parser, "a symbol that is no text in enum", type->name);
        STOA_TRY(stoa_avro_strndup(parser->schema, &type->symbols.items[type->symbols.nitems],
                                   json_string_value(symbol), json_string_length(symbol),
                                   parser->err));
    }
    STOA_TRY(keep_text(parser, object, "default", &type->default_symbol));
out:
    return st;
}

static enum stoa_status read_fixed(struct parser *parser, json_t *object, struct space space,
                                   struct stoa_avro_type *type)
{
    enum stoa_status st;

    STOA_TRY(read_names(parser, object, space, type));
    if (!read_number(object, "size", &type->size))
        return fail(parser, "no size in fixed", type->name);
    if (type->size > STOA_AVRO_MAX_FIXED_NBYTES)
        return stoa_fail(parser->err, STOA_ERR_LIMIT, "a fixed of %u bytes: at most %u are read",
                         (unsigned)type->size, STOA_AVRO_MAX_FIXED_NBYTES);
out:
    return st;
}

/* An array's items or a map's values. */
static enum stoa_status read_items(struct parser *parser, json_t *object, struct space space,
                                   struct stoa_avro_type *type)
{
    const char *key = type->kind == STOA_AVRO_MAP ? "values" : "items";
    enum stoa_status st;

    STOA_TRY(parse_type(parser, json_object_get(object, key), space, &type->items));
    STOA_TRY(add_depth(parser, type, type->items));
out:
    return st == STOA_OK ? st : stoa_wrap(parser->err, st, "%s", key);
}

static enum stoa_status read_plain(struct parser *parser, json_t *object, struct space space,
                                   struct stoa_avro_type *type)
{
    (void)parser, (void)object, (void)space, (void)type;
    return STOA_OK;
}

/* What objects are called, how they are read, and the keys that are no custom attributes. */
#define NAMED_KEYS "type", "name", "namespace", "aliases", "doc"
static const struct {
    const char *name;
    enum stoa_avro_kind kind;
    enum stoa_status (*read)(struct parser *parser, json_t *object, struct space space,
                             struct stoa_avro_type *type);
    const char *known[8];
} readers[] = {
    {"record", STOA_AVRO_RECORD, read_record, {NAMED_KEYS, "fields"}},
    {"error", STOA_AVRO_RECORD, read_record, {NAMED_KEYS, "fields"}},
    {"enum", STOA_AVRO_ENUM, read_enum, {NAMED_KEYS, "symbols", "default"}},
    {"fixed", STOA_AVRO_FIXED, read_fixed, {NAMED_KEYS, "size"}},
    {"array", STOA_AVRO_ARRAY, read_items, {"type", "items"}},
    {"map", STOA_AVRO_MAP, read_items, {"type", "values"}},
    {"null", STOA_AVRO_NULL, read_plain, {"type"}},
    {"boolean", STOA_AVRO_BOOLEAN, read_plain, {"type"}},
    {"int", STOA_AVRO_INT, read_plain, {"type"}},
    {"long", STOA_AVRO_LONG, read_plain, {"type"}},
    {"float", STOA_AVRO_FLOAT, read_plain, {"type"}},
    {"double", STOA_AVRO_DOUBLE, read_plain, {"type"}},
    {"bytes", STOA_AVRO_BYTES, read_plain, {"type"}},
    {"string", STOA_AVRO_STRING, read_plain, {"type"}},
};
#define NREADERS (sizeof(readers) / sizeof(readers[0]))

static enum stoa_status parse_object(struct parser *parser, json_t *object, struct space space,
                                     struct stoa_avro_type **out)
{
    json_t *given = json_object_get(object, "type");
    const char *name = json_string_value(given);
    struct stoa_avro_type *type;
    enum stoa_status st;
    size_t i = 0;

    if (given == NULL)
        return stoa_fail(parser->err, STOA_ERR_DATA, "an object without \"type\" is no type");
    while (name != NULL && i < NREADERS && strcmp(readers[i].name, name) != 0)
        i++;
    if (name == NULL || i == NREADERS) /* {"type": {"type": "int"}}, {"type": "city.trip"} */
        return parse_type(parser, given, space, out);
    STOA_TRY(stoa_avro_type_new(parser->schema, readers[i].kind, &type, parser->err));
    STOA_TRY(stoa_reserve(&parser->notes, &parser->notes_capacity, parser->schema->ntypes,
                          sizeof(*parser->notes), parser->err));
    parser->notes[type->index] = (struct note){NO_TYPE, NO_TYPE};
    type->is_error = strcmp(name, "error") == 0;
    STOA_TRY(keep_attributes(parser, object, readers[i].known, &type->attributes));
    STOA_TRY(readers[i].read(parser, object, space, type));
    read_logical(object, type);
    *out = type;
out:
    return st;
}

static enum stoa_status parse_union(struct parser *parser, const json_t *array, struct space space,
                                    struct stoa_avro_type **out)
{
    const size_t nbranches = json_array_size(array);
    struct stoa_avro_type *type;
    enum stoa_status st;

    if (nbranches == 0)
        return stoa_fail(parser->err, STOA_ERR_DATA, "a union without branches has no values");
    if (nbranches > STOA_AVRO_MAX_BRANCHES)
        return stoa_fail(parser->err, STOA_ERR_LIMIT,
                         "a union of %zu branches: at most %u are read", nbranches,
                         STOA_AVRO_MAX_BRANCHES);
    STOA_TRY(stoa_avro_type_new(parser->schema, STOA_AVRO_UNION, &type, parser->err));
    STOA_TRY(stoa_avro_alloc(parser->schema, &type->branches, nbranches, sizeof(*type->branches),
                             parser->err));
    for (; type->nbranches < nbranches; type->nbranches++) {
        struct stoa_avro_type **branch = &type->branches[type->nbranches];

        STOA_TRY(parse_type(parser, json_array_get(array, type->nbranches), space, branch));
        if ((*branch)->kind == STOA_AVRO_UNION)
            return stoa_fail(parser->err, STOA_ERR_DATA, "a union stands right in a union");
        STOA_TRY(add_depth(parser, type, *branch));
    }
    *out = type;
out:
    return st;
}

static enum stoa_status parse_type(struct parser *parser, const json_t *json, struct space space,
                                   struct stoa_avro_type **out)
{
    if (json_is_string(json))
        return find_type(parser, json_string_value(json), space, out);
    if (json_is_object(json))
        return parse_object(parser, (json_t *)json, space, out);
    if (json_is_array(json))
        return parse_union(parser, json, space, out);
    return stoa_fail(parser->err, STOA_ERR_DATA,
                     json == NULL ? "a type is missing"
                                  : "a type is a name, an object or a list of types");
}

enum stoa_status stoa_avro_schema_parse(const char *text, size_t nbytes,
                                        struct stoa_avro_schema *schema, struct stoa_error *err)
{
    struct stoa_avro_schema made = {0};
    struct parser parser = {.schema = &made, .err = err};
    json_t *root = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_avro_json_load(text, nbytes, &root, err));
    parser.names = json_object();
    if (parser.names == NULL) {
        st = stoa_fail_nomem(err, 0);
        goto out;
    }
    STOA_TRY(parse_type(&parser, root, (struct space){"", 0}, &made.root));
    made.nbytes = nbytes;
    *schema = made;
    made = (struct stoa_avro_schema){0};
out:
    stoa_avro_schema_reset(&made);
    stoa_buffer_free(&parser.text);
    stoa_free(parser.notes);
    json_decref(parser.names);
    json_decref(root);
    return st == STOA_OK ? st : stoa_wrap(err, st, "Avro schema");
}
