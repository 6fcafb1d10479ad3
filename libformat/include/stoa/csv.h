/*
 * CSV: dialect, inference of a schema, and writing batches as text.
 *
 * The rules of reading (quotes, line ends, blank lines, nulls) stand in one table in spec/csv.md.
 */
#ifndef STOA_CSV_H
#define STOA_CSV_H

#include <stoa/array.h>
#include <stoa/io.h>

#ifdef __cplusplus
extern "C" {
#endif

#define STOA_CSV_MAX_RECORD_NBYTES (UINT64_C(32) << 20)

/* {0} means: comma, double quote, a header line, the defaults of the limits. */
struct stoa_csv_options {
    char delimiter;             /* 0: ','; any ASCII character but '"', CR and LF */
    bool no_header;             /* the columns are then called column_1, column_2, ... */
    uint64_t max_record_nbytes; /* 0: 32 MiB */
    uint32_t unit_nrows;        /* records of a unit; 0: 131,072 */
    uint64_t unit_nbytes;       /* text of a unit at the most; 0: 32 MiB */
};

/*
 * Infers one schema for all the inputs from samples at the head of each: names from the header,
 * the narrowest type that holds every sampled value exactly, always nullable. All inputs must have
 * the same columns in the same order.
 *
 * evidence  NULL, or set to the JSON array for stoa_schema_print_json(); free with stoa_free().
 * Errors:   STOA_ERR_DATA (an input without a header, other columns than the first input, records
 *           of another width, a quote that never closes), with file and line; STOA_ERR_LIMIT (a
 *           record that is too large); STOA_ERR_USAGE (the delimiter); those of stoa_stream_open().
 */
STOA_API STOA_CHECK enum stoa_status stoa_csv_infer(const char *const *paths, size_t npaths,
                                                    const struct stoa_csv_options *options,
                                                    struct stoa_schema *out, char **evidence,
                                                    struct stoa_error *err);

/*
 * Appends rows of a batch as CSV to a growing block of text: null is nothing, an empty text is "",
 * quotes only where they are needed, floats in their shortest form that reads back equal,
 * timestamps with a blank, or with the T that their field's csv_format tells of.
 * *out is reallocated as needed (start with NULL and 0) and belongs to the caller: stoa_free().
 * STOA_ERR_USAGE for the delimiter, and for a column whose type has no text form here.
 */
STOA_API STOA_CHECK enum stoa_status stoa_csv_format(const struct stoa_csv_options *options,
                                                     const struct stoa_batch *batch, char **out,
                                                     size_t *nbytes, struct stoa_error *err);
STOA_API STOA_CHECK enum stoa_status stoa_csv_format_header(const struct stoa_csv_options *options,
                                                            const struct stoa_schema *schema,
                                                            char **out, size_t *nbytes,
                                                            struct stoa_error *err);

#ifdef __cplusplus
}
#endif

#endif
