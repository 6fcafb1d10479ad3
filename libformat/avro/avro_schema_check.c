/*
 * The rules of Avro 1.12 for schemas that are written (spec/avro.md, "Schemas"). Types are looked
 * at once each, in no order: none of the rules looks further than one type and its parts.
 */
#include "avro/avro_type.h"

#include <string.h>

#include "avro/avro_json.h"
#include "base/error.h"

static enum stoa_status fail(struct stoa_error *err, const char *what, const char *text)
{
    char shown[80];

    return stoa_fail(err, STOA_ERR_USAGE, "%s \"%s\"", what,
                     stoa_quote(shown, sizeof(shown), text, strlen(text)));
}

/* Adds a text to a set; `twice` is the message when it has it already. */
static enum stoa_status add(json_t *set, const char *text, const char *twice,
                            struct stoa_error *err)
{
    if (json_object_get(set, text) != NULL)
        return fail(err, twice, text);
    if (json_object_set_new(set, text, json_true()) != 0)
        return stoa_fail_nomem(err, 0);
    return STOA_OK;
}

static enum stoa_status check_record(const struct stoa_avro_type *type, json_t *set,
                                     struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (size_t i = 0; i < type->nfields; i++) {
        const char *name = type->fields[i].name;

        if (!stoa_avro_name_is_valid(name, strlen(name)))
            return fail(err, "Avro allows no field called", name);
        STOA_TRY(add(set, name, "two fields are called", err));
    }
out:
    return st;
}

static enum stoa_status check_enum(const struct stoa_avro_type *type, json_t *set,
                                   struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (size_t i = 0; i < type->symbols.nitems; i++) {
        const char *symbol = type->symbols.items[i];

        if (!stoa_avro_name_is_valid(symbol, strlen(symbol)))
            return fail(err, "Avro allows no symbol", symbol);
        STOA_TRY(add(set, symbol, "an enum has twice the symbol", err));
    }
    if (type->default_symbol != NULL && json_object_get(set, type->default_symbol) == NULL)
        return fail(err, "an enum has no symbol like its default", type->default_symbol);
out:
    return st;
}

static enum stoa_status check_union(const struct stoa_avro_type *type, json_t *set,
                                    struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (size_t i = 0; i < type->nbranches; i++) {
        if (type->branches[i]->kind == STOA_AVRO_UNION)
            return stoa_fail(err, STOA_ERR_USAGE, "a union stands right in a union");
        STOA_TRY(
            add(set, stoa_avro_branch_name(type->branches[i]), "a union has two branches", err));
    }
out:
    return st;
}

static enum stoa_status check_type(const struct stoa_avro_type *type, struct stoa_error *err)
{
    json_t *set = json_object();
    enum stoa_status st = STOA_OK;

    if (set == NULL)
        return stoa_fail_nomem(err, 0);
    if (stoa_avro_is_named(type->kind) && !stoa_avro_fullname_is_valid(type->name))
        st = fail(err, "Avro allows no type called", type->name);
    else if (type->kind == STOA_AVRO_RECORD)
        st = check_record(type, set, err);
    else if (type->kind == STOA_AVRO_ENUM)
        st = check_enum(type, set, err);
    else if (type->kind == STOA_AVRO_UNION)
        st = check_union(type, set, err);
    json_decref(set);
    return st;
}

enum stoa_status stoa_avro_schema_check(const struct stoa_avro_schema *schema,
                                        struct stoa_error *err)
{
    json_t *names = json_object();
    char shown[80];
    enum stoa_status st = STOA_OK;

    if (names == NULL)
        return stoa_fail_nomem(err, 0);
    for (size_t i = 0; st == STOA_OK && i < schema->ntypes; i++) {
        const struct stoa_avro_type *type = schema->types[i];
        const char *name = stoa_avro_is_named(type->kind) ? type->name : NULL;

        st = check_type(type, err);
        if (st != STOA_OK && name != NULL)
            st = stoa_wrap(err, st, "%s \"%s\"", stoa_avro_kind_name(type->kind),
                           stoa_quote(shown, sizeof(shown), name, strlen(name)));
        if (st == STOA_OK && name != NULL)
            st = add(names, name, "two types are called", err);
    }
    json_decref(names);
    return st == STOA_OK ? st : stoa_wrap(err, st, "Avro schema");
}
