/*
 * The types and schemas of support/gen_table.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/int128.h"
#include "column/schema.h"
#include "column/type.h"
#include "support/gen_table.h"

const enum stoa_type_id stoa_test_types[STOA_TEST_NTYPES] = {
    STOA_NULL,         STOA_BOOL,   STOA_INT8,   STOA_INT16,     STOA_INT32,   STOA_INT64,
    STOA_UINT8,        STOA_UINT16, STOA_UINT32, STOA_UINT64,    STOA_FLOAT32, STOA_FLOAT64,
    STOA_DECIMAL,      STOA_DATE32, STOA_TIME,   STOA_TIMESTAMP, STOA_UTF8,    STOA_BINARY,
    STOA_FIXED_BINARY, STOA_UUID,   STOA_ENUM,
};

const enum stoa_type_id stoa_test_leaves[STOA_TEST_NLEAVES] = {
    STOA_NULL,     STOA_BOOL,    STOA_INT8,   STOA_INT16,        STOA_INT32,     STOA_INT64,
    STOA_UINT8,    STOA_UINT16,  STOA_UINT32, STOA_UINT64,       STOA_FLOAT16,   STOA_FLOAT32,
    STOA_FLOAT64,  STOA_DECIMAL, STOA_DATE32, STOA_TIME,         STOA_TIMESTAMP, STOA_DURATION,
    STOA_INTERVAL, STOA_UTF8,    STOA_BINARY, STOA_FIXED_BINARY, STOA_UUID,      STOA_ENUM,
};

static void must(enum stoa_status status, const struct stoa_error *err)
{
    if (status == STOA_OK)
        return;
    fprintf(stderr, "gen_schema: %s\n", err->message);
    abort();
}

static uint64_t below(struct stoa_test_random *r, uint64_t n)
{
    return stoa_test_random_below(r, n);
}

static char *copy_text(const char *text)
{
    struct stoa_error err = {0};
    char *copy;

    must(stoa_strndup(&copy, text, strlen(text), &err), &err);
    return copy;
}

/* ---- Types and schemas ---- */

static void gen_symbols(struct stoa_test_random *r, struct stoa_type *type)
{
    static const char *const words[] = {"low", "", "a b", "say \"x\"", "\xc3\xa9t\xc3\xa9", "(,)"};
    struct stoa_error err = {0};
    uint32_t nsymbols = (uint32_t)(1 + below(r, stoa_test_random_one_in(r, 4) ? 300 : 12));

    must(stoa_alloc_zeroed(&type->symbols, nsymbols, sizeof(type->symbols[0]), &err), &err);
    for (; type->nsymbols < nsymbols; type->nsymbols++) {
        char text[16];

        snprintf(text, sizeof(text), "s%u", type->nsymbols);
        type->symbols[type->nsymbols] =
            copy_text(type->nsymbols < 6 ? words[type->nsymbols] : text);
    }
}

void stoa_test_gen_type(struct stoa_test_random *r, enum stoa_type_id id, struct stoa_type *out)
{
    static const char *const zones[] = {"UTC", "Europe/Paris", "+02:00"};
    struct stoa_type type = {.id = id};

    if (id == STOA_DECIMAL) {
        type.precision = (uint8_t)(1 + below(r, STOA_INT128_DIGITS));
        type.scale = (uint8_t)below(r, type.precision + 1u);
    }
    if (id == STOA_TIME || id == STOA_TIMESTAMP || id == STOA_DURATION)
        type.unit = (enum stoa_time_unit)below(r, 4);
    if (id == STOA_TIMESTAMP && stoa_test_random_one_in(r, 2))
        type.zone = copy_text(zones[below(r, 3)]);
    if (id == STOA_FIXED_BINARY)
        type.width = (uint32_t)(1 + below(r, stoa_test_random_one_in(r, 3) ? 40 : 5));
    if (id == STOA_ENUM)
        gen_symbols(r, &type);
    *out = type;
}

void stoa_test_gen_field(struct stoa_test_random *r, enum stoa_type_id id, bool nullable,
                         const char *name, struct stoa_field *out)
{
    *out = (struct stoa_field){.nullable = nullable || id == STOA_NULL, .name = copy_text(name)};
    stoa_test_gen_type(r, id, &out->type);
}

void stoa_test_gen_schema(struct stoa_test_random *r, uint32_t ncolumns, struct stoa_schema *out)
{
    struct stoa_error err = {0};

    *out = (struct stoa_schema){0};
    must(stoa_alloc_zeroed(&out->fields, ncolumns, sizeof(out->fields[0]), &err), &err);
    for (; out->nfields < ncolumns; out->nfields++) {
        enum stoa_type_id id = stoa_test_types[below(r, STOA_TEST_NTYPES)];
        char name[48];

        snprintf(name, sizeof(name), "%s %u", stoa_type_info(id)->name, out->nfields);
        stoa_test_gen_field(r, id, stoa_test_random_one_in(r, 2), name, &out->fields[out->nfields]);
    }
}

/* ---- Nested types ---- */

enum { MAX_LIST_PRODUCT = 8 }; /* of the widths of fixed_lists that stand in each other */

/* How far down a field may still go. */
struct room {
    unsigned depth; /* levels with this one */
    uint32_t width; /* what fixed_lists may still multiply */
    bool chain;     /* go all the way: one child at each level */
};

static void gen_any(struct stoa_test_random *r, struct room room, const char *name,
                    struct stoa_field *out);

static void add_children(struct stoa_field *field, uint32_t nchildren)
{
    struct stoa_error err = {0};

    must(stoa_alloc_zeroed(&field->children, nchildren, sizeof(field->children[0]), &err), &err);
    field->nchildren = nchildren;
}

static void gen_struct(struct stoa_test_random *r, struct room room, struct stoa_field *out)
{
    static const char *const names[] = {"a", "b c", "x.y", "\xc3\xa9", "\"", ""};
    uint32_t nchildren = room.chain ? 1 : (uint32_t)below(r, 5);

    add_children(out, nchildren);
    for (uint32_t i = 0; i < nchildren; i++) {
        char name[32];

        snprintf(name, sizeof(name), "%s%u", names[below(r, 6)], i);
        gen_any(r, room, name, &out->children[i]);
    }
}

static void gen_map(struct stoa_test_random *r, struct room room, struct stoa_field *out)
{
    bool usual = !stoa_test_random_one_in(r, 4);
    struct room key = {.depth = below(r, 4) == 0 ? room.depth - 1 : 1, .width = room.width};
    struct stoa_field *entries;

    add_children(out, 1);
    entries = &out->children[0];
    entries->name = copy_text(usual ? "entries" : "pairs");
    entries->type.id = STOA_STRUCT;
    add_children(entries, 2);
    do {
        stoa_field_reset(&entries->children[0]);
        gen_any(r, key, usual ? "key" : "k", &entries->children[0]);
    } while (entries->children[0].type.id == STOA_NULL); /* it could hold no value */
    entries->children[0].nullable = false;
    room.depth--;
    gen_any(r, room, usual ? "value" : "v", &entries->children[1]);
}

static void gen_nested_type(struct stoa_test_random *r, struct room room, struct stoa_field *out)
{
    static const enum stoa_type_id ids[] = {STOA_STRUCT, STOA_LIST, STOA_FIXED_LIST, STOA_MAP};
    enum stoa_type_id id = ids[below(r, room.depth > 2 ? 4 : 3)]; /* a map takes two levels */

    out->type = (struct stoa_type){.id = id};
    room.depth--;
    if (id == STOA_FIXED_LIST) {
        out->type.width = (uint32_t)(1 + below(r, room.width));
        room.width /= out->type.width;
    }
    if (id == STOA_STRUCT) {
        gen_struct(r, room, out);
    } else if (id == STOA_MAP) {
        gen_map(r, room, out);
    } else {
        add_children(out, 1);
        gen_any(r, room, stoa_test_random_one_in(r, 5) ? "element" : "item", &out->children[0]);
    }
}

static void gen_leaf_type(struct stoa_test_random *r, struct stoa_field *out)
{
    enum stoa_type_id id = stoa_test_leaves[below(r, STOA_TEST_NLEAVES)];

    stoa_test_gen_type(r, id, &out->type);
    if (id == STOA_DECIMAL && below(r, 2) == 0) {
        out->type.precision = (uint8_t)(STOA_INT128_DIGITS + 1 + below(r, STOA_INT128_DIGITS));
        out->type.scale = (uint8_t)below(r, out->type.precision + 1u);
    }
}

static void gen_any(struct stoa_test_random *r, struct room room, const char *name,
                    struct stoa_field *out)
{
    struct stoa_error err = {0};

    *out = (struct stoa_field){.name = copy_text(name)};
    out->nullable = below(r, 2) == 0;
    if (stoa_test_random_one_in(r, 6))
        out->id = (uint32_t)(1 + below(r, UINT32_MAX));
    if (stoa_test_random_one_in(r, 6))
        must(stoa_metadata_set(&out->metadata, "unit \xe2\x82\xac", "", &err), &err);
    if (room.depth > 1 && (room.chain || below(r, 2) == 0))
        gen_nested_type(r, room, out);
    else
        gen_leaf_type(r, out);
    if (out->type.id == STOA_NULL)
        out->nullable = true;
}

void stoa_test_gen_any_field(struct stoa_test_random *r, unsigned depth, const char *name,
                             struct stoa_field *out)
{
    struct room room = {.depth = depth, .width = MAX_LIST_PRODUCT};

    room.chain = stoa_test_random_one_in(r, 8);
    gen_any(r, room, name, out);
}

void stoa_test_gen_any_schema(struct stoa_test_random *r, uint32_t ncolumns, unsigned depth,
                              struct stoa_schema *out)
{
    struct stoa_error err = {0};

    *out = (struct stoa_schema){0};
    must(stoa_alloc_zeroed(&out->fields, ncolumns, sizeof(out->fields[0]), &err), &err);
    if (stoa_test_random_one_in(r, 6))
        must(stoa_metadata_set(&out->metadata, "source", "generated", &err), &err);
    for (; out->nfields < ncolumns; out->nfields++) {
        char name[48];

        snprintf(name, sizeof(name), "column %u", out->nfields);
        stoa_test_gen_any_field(r, depth, name, &out->fields[out->nfields]);
    }
}
