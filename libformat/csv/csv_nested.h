/*
 * Nested columns as CSV (spec/csv.md, section 7): a struct is a column for each of its fields, and
 * a list or map, which has no place in a table, is one column of JSON text.
 *
 *     schema   a int64 | b struct<x: utf8, y: struct<z: date32>> | c list<int64>
 *     CSV      a       | b.x             | b.y.z                 | c
 */
#ifndef STOA_CSV_CSV_NESTED_H
#define STOA_CSV_CSV_NESTED_H

#include <stoa/array.h>
#include <stoa/csv.h>

#include "base/alloc.h"
#include "column/json_value.h"

/* ---- Columns. ---- */

struct stoa_csv_flat_column {
    const char *name;
    char *path; /* the name, where it has several parts; owned */
    const struct stoa_field *field;
    bool is_json; /* it has children, and is no struct that is taken apart */
};

/* The columns of CSV; start with `{0}`. */
struct stoa_csv_flat {
    struct stoa_csv_flat_column *columns;
    size_t ncolumns;
    size_t capacity;
    bool is_nested; /* there are others than those of the schema */
};

/* `schema` must outlive it. On failure there is nothing to reset, but it does no harm. */
STOA_CHECK enum stoa_status stoa_csv_flat_init(struct stoa_csv_flat *flat,
                                               const struct stoa_schema *schema,
                                               struct stoa_error *err);
void stoa_csv_flat_reset(struct stoa_csv_flat *flat);

/* STOA_ERR_USAGE for a column that is not to be written as JSON text, and for two of one name. */
STOA_CHECK enum stoa_status stoa_csv_flat_check(const struct stoa_csv_flat *flat,
                                                enum stoa_csv_nested nested,
                                                struct stoa_error *err);

/* The array of each column in a batch; out[ncolumns of its schema's stoa_csv_flat]. */
void stoa_csv_flat_arrays(const struct stoa_batch *batch, const struct stoa_array **out);

/* ---- JSON text. ---- */

/* The texts of a run of values, one behind the other; those of nulls are empty. */
struct stoa_csv_json {
    struct stoa_schema alone; /* the field; its fields are borrowed */
    struct stoa_json_shape shape;
    struct stoa_buffer text;
    size_t *ends; /* text i of the run is [ends[i], ends[i + 1]) */
    size_t begin; /* the value that the run begins with */
};

/* For runs of up to max_nrows values of a field, which must outlive it; free with _free(). */
STOA_CHECK enum stoa_status stoa_csv_json_new(const struct stoa_field *field, size_t max_nrows,
                                              struct stoa_csv_json **out, struct stoa_error *err);
void stoa_csv_json_free(struct stoa_csv_json *json);

/* Makes the texts of values [begin, end). */
STOA_CHECK enum stoa_status stoa_csv_json_run(struct stoa_csv_json *json,
                                              const struct stoa_array *array, size_t begin,
                                              size_t end, struct stoa_error *err);

/* The text of value i of the run. */
static inline const uint8_t *stoa_csv_json_text(const struct stoa_csv_json *json, size_t i,
                                                size_t *nbytes)
{
    const size_t *ends = json->ends + (i - json->begin);

    *nbytes = ends[1] - ends[0];
    return json->text.data + ends[0];
}

#endif
