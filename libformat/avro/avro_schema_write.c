/*
 * The document of a schema, compact, with everything in it (spec/avro.md, "Schemas"):
 *
 *     {"type":"record","name":"trip","namespace":"city","fields":[{"name":"fare","type":"int"}]}
 *
 * The first mention of a named type is its definition, later ones are its name. A namespace is
 * written where it is not the one around.
 */
#include "avro/avro_type.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

struct printer {
    struct stoa_buffer *out;
    bool *printed;       /* by the index of a type */
    enum stoa_status st; /* once it is none, nothing more is printed */
    struct stoa_error *err;
};

/* The namespace around: the beginning of a full name. */
struct space {
    const char *text;
    size_t nbytes;
};

static void put(struct printer *printer, const char *text)
{
    if (printer->st == STOA_OK)
        printer->st = stoa_buffer_append(printer->out, text, strlen(text), printer->err);
}

static void put_string(struct printer *printer, const char *text, size_t nbytes)
{
    if (printer->st == STOA_OK)
        printer->st = stoa_json_append_string(printer->out, text, nbytes, printer->err);
}

/* ,"key":"text" unless the text is NULL. */
static void put_pair(struct printer *printer, const char *key, const char *text)
{
    if (text == NULL)
        return;
    put(printer, ",\"");
    put(printer, key);
    put(printer, "\":");
    put_string(printer, text, strlen(text));
}

static void put_names(struct printer *printer, const char *key, const struct stoa_avro_names *names)
{
    put(printer, ",\"");
    put(printer, key);
    put(printer, "\":[");
    for (size_t i = 0; i < names->nitems; i++) {
        put(printer, i > 0 ? "," : "");
        put_string(printer, names->items[i], strlen(names->items[i]));
    }
    put(printer, "]");
}

static void put_attributes(struct printer *printer, const struct stoa_avro_attributes *attributes)
{
    for (size_t i = 0; i < attributes->nitems; i++) {
        put(printer, ",");
        put_string(printer, attributes->items[i].key, strlen(attributes->items[i].key));
        put(printer, ":");
        put(printer, attributes->items[i].json);
    }
}

static struct space space_of(const char *fullname)
{
    const char *simple = stoa_avro_simple_name(fullname);

    return (struct space){fullname, simple > fullname ? (size_t)(simple - fullname) - 1 : 0};
}

static bool is_same_space(struct space a, struct space b)
{
    return a.nbytes == b.nbytes && memcmp(a.text, b.text, a.nbytes) == 0;
}

static void put_type(struct printer *printer, const struct stoa_avro_type *type,
                     struct space space);

static void put_field(struct printer *printer, const struct stoa_avro_field *field,
                      struct space space)
{
    static const char *const orders[] = {NULL, "descending", "ignore"};

    put(printer, "{\"name\":");
    put_string(printer, field->name, strlen(field->name));
    put_pair(printer, "doc", field->doc);
    put(printer, ",\"type\":");
    put_type(printer, field->type, space);
    if (field->default_json != NULL) {
        put(printer, ",\"default\":");
        put(printer, field->default_json);
    }
    put_pair(printer, "order", orders[field->order]);
    if (field->aliases.nitems > 0)
        put_names(printer, "aliases", &field->aliases);
    put_attributes(printer, &field->attributes);
    put(printer, "}");
}

static void put_fields(struct printer *printer, const struct stoa_avro_type *type)
{
    put(printer, ",\"fields\":[");
    for (size_t i = 0; i < type->nfields; i++) {
        put(printer, i > 0 ? "," : "");
        put_field(printer, &type->fields[i], space_of(type->name));
    }
    put(printer, "]");
}

/* A named type: its name where it was printed before, or else all of it. */
static void put_named(struct printer *printer, const struct stoa_avro_type *type,
                      struct space around)
{
    const struct space space = space_of(type->name);
    char size[24];

    if (printer->printed[type->index]) {
        put_string(printer, type->name, strlen(type->name));
        return;
    }
    printer->printed[type->index] = true;
    put(printer, "{\"type\":\"");
    put(printer, type->is_error ? "error" : stoa_avro_kind_name(type->kind));
    put(printer, "\"");
    put_pair(printer, "name", stoa_avro_simple_name(type->name));
    if (!is_same_space(space, around)) {
        put(printer, ",\"namespace\":");
        put_string(printer, space.text, space.nbytes);
    }
    put_pair(printer, "doc", type->doc);
    if (type->aliases.nitems > 0)
        put_names(printer, "aliases", &type->aliases);
    put_attributes(printer, &type->attributes);
    if (type->kind == STOA_AVRO_RECORD) {
        put_fields(printer, type);
    } else if (type->kind == STOA_AVRO_ENUM) {
        put_names(printer, "symbols", &type->symbols);
        put_pair(printer, "default", type->default_symbol);
    } else {
        snprintf(size, sizeof(size), ",\"size\":%" PRIu32, type->size);
        put(printer, size);
    }
    put(printer, "}");
}

static void put_union(struct printer *printer, const struct stoa_avro_type *type,
                      struct space space)
{
    put(printer, "[");
    for (size_t i = 0; i < type->nbranches; i++) {
        put(printer, i > 0 ? "," : "");
        put_type(printer, type->branches[i], space);
    }
    put(printer, "]");
}

static void put_type(struct printer *printer, const struct stoa_avro_type *type, struct space space)
{
    const bool has_items = type->items != NULL;

    if (stoa_avro_is_named(type->kind)) {
        put_named(printer, type, space);
        return;
    }
    if (type->kind == STOA_AVRO_UNION) {
        put_union(printer, type, space);
        return;
    }
    if (!has_items && type->attributes.nitems == 0) {
        put(printer, "\"");
        put(printer, stoa_avro_kind_name(type->kind));
        put(printer, "\"");
        return;
    }
    put(printer, "{\"type\":\"");
    put(printer, stoa_avro_kind_name(type->kind));
    put(printer, "\"");
    if (has_items) {
        put(printer, type->kind == STOA_AVRO_MAP ? ",\"values\":" : ",\"items\":");
        put_type(printer, type->items, space);
    }
    put_attributes(printer, &type->attributes);
    put(printer, "}");
}

enum stoa_status stoa_avro_schema_print(const struct stoa_avro_schema *schema,
                                        struct stoa_buffer *out, struct stoa_error *err)
{
    struct printer printer = {.out = out, .err = err};
    const size_t before = out->nbytes;

    printer.st = stoa_alloc_zeroed(&printer.printed, schema->ntypes, 1, err);
    if (printer.st != STOA_OK)
        return printer.st;
    put_type(&printer, schema->root, (struct space){"", 0});
    stoa_free(printer.printed);
    if (printer.st != STOA_OK)
        out->nbytes = before;
    return printer.st;
}
