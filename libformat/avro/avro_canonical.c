/*
 * The Parsing Canonical Form: what of a schema decides how values are read (spec/avro.md,
 * "Fingerprints"). Two schemas with the same form read the same bytes in the same way.
 *
 *     {"name":"city.trip","type":"record","fields":[{"name":"fare","type":"int"}]}
 *
 * Names are full, keys stand in one order, and whatever is no name, type, field, symbol, item,
 * value or size is left out. A named type that was written before is its name.
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

static void put(struct printer *printer, const char *text)
{
    if (printer->st == STOA_OK)
        printer->st = stoa_buffer_append(printer->out, text, strlen(text), printer->err);
}

static void put_string(struct printer *printer, const char *text)
{
    if (printer->st == STOA_OK)
        printer->st = stoa_json_append_string(printer->out, text, strlen(text), printer->err);
}

static void put_type(struct printer *printer, const struct stoa_avro_type *type);

static void put_named(struct printer *printer, const struct stoa_avro_type *type)
{
    char size[24];

    if (printer->printed[type->index]) {
        put_string(printer, type->name);
        return;
    }
    printer->printed[type->index] = true;
    put(printer, "{\"name\":");
    put_string(printer, type->name);
    put(printer, ",\"type\":\"");
    put(printer, type->is_error ? "error" : stoa_avro_kind_name(type->kind));
    put(printer, "\"");
    if (type->kind == STOA_AVRO_FIXED) {
        snprintf(size, sizeof(size), ",\"size\":%" PRIu32 "}", type->size);
        put(printer, size);
        return;
    }
    put(printer, type->kind == STOA_AVRO_RECORD ? ",\"fields\":[" : ",\"symbols\":[");
    for (size_t i = 0; i < type->symbols.nitems; i++) {
        put(printer, i > 0 ? "," : "");
        put_string(printer, type->symbols.items[i]);
    }
    for (size_t i = 0; i < type->nfields; i++) {
        put(printer, i > 0 ? ",{\"name\":" : "{\"name\":");
        put_string(printer, type->fields[i].name);
        put(printer, ",\"type\":");
        put_type(printer, type->fields[i].type);
        put(printer, "}");
    }
    put(printer, "]}");
}

static void put_type(struct printer *printer, const struct stoa_avro_type *type)
{
    if (stoa_avro_is_named(type->kind)) {
        put_named(printer, type);
    } else if (type->kind == STOA_AVRO_UNION) {
        for (size_t i = 0; i < type->nbranches; i++) {
            put(printer, i > 0 ? "," : "[");
            put_type(printer, type->branches[i]);
        }
        put(printer, "]");
    } else if (type->items != NULL) {
        put(printer, type->kind == STOA_AVRO_MAP ? "{\"type\":\"map\",\"values\":"
                                                 : "{\"type\":\"array\",\"items\":");
        put_type(printer, type->items);
        put(printer, "}");
    } else {
        put_string(printer, stoa_avro_kind_name(type->kind));
    }
}

enum stoa_status stoa_avro_canonical(const struct stoa_avro_schema *schema, struct stoa_buffer *out,
                                     struct stoa_error *err)
{
    struct printer printer = {.out = out, .err = err};
    const size_t before = out->nbytes;

    printer.st = stoa_alloc_zeroed(&printer.printed, schema->ntypes, 1, err);
    if (printer.st != STOA_OK)
        return printer.st;
    put_type(&printer, schema->root);
    stoa_free(printer.printed);
    if (printer.st != STOA_OK)
        out->nbytes = before;
    return printer.st;
}
