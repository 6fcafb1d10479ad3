/*
 * Nested columns as CSV. Where a struct is null all below it is null too (stoa/array.h), so that
 * the columns of its fields are written as they are.
 */
#include "csv/csv_nested.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "column/type.h"

#define SHOWN_NBYTES 128

/* ---- Columns. ---- */

/* A struct that is taken apart: one without fields would leave nothing behind. */
static bool is_taken_apart(const struct stoa_field *field)
{
    return field->type.id == STOA_STRUCT && field->nchildren > 0;
}

static bool has_children(const struct stoa_field *field)
{
    const enum stoa_layout layout = stoa_type_info(field->type.id)->layout;

    return layout == STOA_LAYOUT_LIST || layout == STOA_LAYOUT_FIXED_LIST ||
           layout == STOA_LAYOUT_STRUCT;
}

/* "PATH.NAME", or the name where there is no path; *owned is NULL then. */
static enum stoa_status make_name(const char *path, const char *name, char **owned,
                                  struct stoa_error *err)
{
    const size_t npath = path != NULL ? strlen(path) : 0, nname = strlen(name);
    enum stoa_status st;

    *owned = NULL;
    if (path == NULL)
        return STOA_OK;
    STOA_TRY(stoa_alloc(owned, npath + nname + 2, err));
    memcpy(*owned, path, npath);
    (*owned)[npath] = '.';
    memcpy(*owned + npath + 1, name, nname + 1);
out:
    return st;
}

static enum stoa_status add_fields(struct stoa_csv_flat *flat, const char *path,
                                   const struct stoa_field *fields, uint32_t nfields,
                                   struct stoa_error *err);

static enum stoa_status add_field(struct stoa_csv_flat *flat, const char *path,
                                  const struct stoa_field *field, struct stoa_error *err)
{
    char *owned;
    enum stoa_status st;

    STOA_TRY(make_name(path, field->name, &owned, err));
    if (is_taken_apart(field)) {
        st = add_fields(flat, owned != NULL ? owned : field->name, field->children,
                        field->nchildren, err);
        goto out;
    }
    STOA_TRY(stoa_reserve(&flat->columns, &flat->capacity, flat->ncolumns + 1,
                          sizeof(*flat->columns), err));
    flat->columns[flat->ncolumns++] = (struct stoa_csv_flat_column){
        .name = owned != NULL ? owned : field->name,
        .path = owned,
        .field = field,
        .is_json = has_children(field),
    };
    owned = NULL;
out:
    stoa_free(owned);
    return st;
}

/* The depth of a schema, and so of this, is limited to 32. */
static enum stoa_status add_fields(struct stoa_csv_flat *flat, const char *path,
                                   const struct stoa_field *fields, uint32_t nfields,
                                   struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 0; st == STOA_OK && i < nfields; i++) {
        flat->is_nested |= has_children(&fields[i]);
        st = add_field(flat, path, &fields[i], err);
    }
    return st;
}

enum stoa_status stoa_csv_flat_init(struct stoa_csv_flat *flat, const struct stoa_schema *schema,
                                    struct stoa_error *err)
{
    struct stoa_csv_flat made = {0};
    enum stoa_status st = add_fields(&made, NULL, schema->fields, schema->nfields, err);

    if (st == STOA_OK)
        *flat = made;
    else
        stoa_csv_flat_reset(&made);
    return st;
}

void stoa_csv_flat_reset(struct stoa_csv_flat *flat)
{
    for (size_t i = 0; i < flat->ncolumns; i++)
        stoa_free(flat->columns[i].path);
    stoa_free(flat->columns);
    *flat = (struct stoa_csv_flat){0};
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A struct's field may be called what a column is called already, whose name has a point. */
static enum stoa_status check_names(const struct stoa_csv_flat *flat, struct stoa_error *err)
{
    const char **names;
    char shown[SHOWN_NBYTES];
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&names, flat->ncolumns, sizeof(*names), err));
    for (size_t i = 0; i < flat->ncolumns; i++)
        names[i] = flat->columns[i].name;
    qsort(names, flat->ncolumns, sizeof(*names), compare_names);
    for (size_t i = 1; st == STOA_OK && i < flat->ncolumns; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            st = stoa_fail(err, STOA_ERR_USAGE,
                           "in CSV two columns would be called %s: a struct's field and another "
                           "column (select one of them)",
                           stoa_quote(shown, sizeof(shown), names[i], strlen(names[i])));
    stoa_free(names);
out:
    return st;
}

enum stoa_status stoa_csv_flat_check(const struct stoa_csv_flat *flat, enum stoa_csv_nested nested,
                                     struct stoa_error *err)
{
    char shown[SHOWN_NBYTES], *type = NULL;
    enum stoa_status st = STOA_OK;

    if (!flat->is_nested)
        return STOA_OK;
    for (size_t i = 0; nested != STOA_CSV_NESTED_JSON && i < flat->ncolumns; i++) {
        const struct stoa_csv_flat_column *column = &flat->columns[i];

        if (!column->is_json)
            continue;
        STOA_TRY(stoa_type_print(column->field, &type, err));
        st = stoa_fail(err, STOA_ERR_USAGE,
                       "column %s: CSV can't hold %s but as JSON text (--nested json); JSON lines "
                       "(jsonl) can",
                       stoa_quote(shown, sizeof(shown), column->name, strlen(column->name)), type);
        goto out;
    }
    st = check_names(flat, err);
out:
    stoa_free(type);
    return st;
}

static void add_arrays(const struct stoa_field *fields, const struct stoa_array *arrays,
                       uint32_t nfields, const struct stoa_array ***next)
{
    for (uint32_t i = 0; i < nfields; i++) {
        if (is_taken_apart(&fields[i]))
            add_arrays(fields[i].children, arrays[i].children, fields[i].nchildren, next);
        else
            *(*next)++ = &arrays[i];
    }
}

void stoa_csv_flat_arrays(const struct stoa_batch *batch, const struct stoa_array **out)
{
    add_arrays(batch->schema->fields, batch->columns, batch->ncolumns, &out);
}

/* ---- JSON text. ---- */

enum stoa_status stoa_csv_json_new(const struct stoa_field *field, size_t max_nrows,
                                   struct stoa_csv_json **out, struct stoa_error *err)
{
    struct stoa_csv_json *json;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&json, 1, sizeof(*json), err));
    /* Only read: a schema of the one field, which stays the caller's. */
    json->alone = (struct stoa_schema){.fields = (struct stoa_field *)field, .nfields = 1};
    st = stoa_json_shape_init(&json->shape, &json->alone, err);
    if (st == STOA_OK)
        st = stoa_alloc_zeroed(&json->ends, max_nrows + 1, sizeof(*json->ends), err);
    if (st == STOA_OK)
        *out = json;
    else
        stoa_csv_json_free(json);
out:
    return st;
}

void stoa_csv_json_free(struct stoa_csv_json *json)
{
    if (json == NULL)
        return;
    stoa_json_shape_reset(&json->shape);
    stoa_buffer_free(&json->text);
    stoa_free(json->ends);
    stoa_free(json);
}

enum stoa_status stoa_csv_json_run(struct stoa_csv_json *json, const struct stoa_array *array,
                                   size_t begin, size_t end, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    json->begin = begin;
    json->text.nbytes = 0;
    for (size_t i = begin; i < end; i++) {
        if (!stoa_array_is_null(array, i))
            STOA_TRY(stoa_json_append_value(&json->text, &json->shape, 0, array, i, err));
        json->ends[i - begin + 1] = json->text.nbytes;
    }
out:
    return st;
}
