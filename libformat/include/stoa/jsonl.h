/*
 * JSON lines: one JSON object a row. Schemas, and writing batches as text.
 *
 * What is a record, which types values have and what becomes of bad lines stands in spec/jsonl.md.
 *
 * Written, members are in the order of the schema. Integers and decimals are exact JSON numbers,
 * temporal values ISO text ("2013-01-01T10:00:00Z", "PT1.5S", "P1Y2M3D") or what the json_format of
 * their field says, binary base64, null null, and the floats that JSON has no number for the texts
 * "NaN", "Infinity", "-Infinity". Lists are arrays and structs objects; a map is an array of
 * {"key":...,"value":...}, since its keys need be neither text nor unique. Text whose field has
 * json_text is JSON, and stands as it is.
 */
#ifndef STOA_JSONL_H
#define STOA_JSONL_H

#include <stoa/array.h>

#ifdef __cplusplus
extern "C" {
#endif

enum stoa_jsonl_infer_mode {
    STOA_JSONL_INFER_SAMPLE, /* types from samples of each input */
    STOA_JSONL_INFER_FULL,   /* from every record */
    STOA_JSONL_INFER_NONE,   /* every column is JSON text; keys from every record */
};

/* How JSON lines are read. {0} is the usual; texts and schemas are borrowed. */
struct stoa_jsonl_options {
    enum stoa_jsonl_infer_mode infer;
    const struct stoa_schema *types; /* columns of these names have these types, whatever they hold;
                                        NULL: none */
    const char *filename;       /* a column of this name, which no record has, holds what each row
                                   came from: the path, or ARCHIVE:MEMBER; NULL: none */
    uint64_t max_record_nbytes; /* 0: 32 MiB */
};

/*
 * Infers one schema for all the inputs: a column for each key of their objects, in the order in
 * which they turn up, with the narrowest type that holds every value exactly, always nullable.
 * By one thread; a pipe can't be read again afterwards.
 *
 * evidence  NULL, or set to the JSON array for stoa_schema_print_json(); free with stoa_free().
 * Errors:   STOA_ERR_DATA (no object with a key), STOA_ERR_USAGE (options), STOA_ERR_LIMIT
 *           (too many keys); those of stoa_members_open().
 */
STOA_API STOA_CHECK enum stoa_status stoa_jsonl_infer(const char *const *paths, size_t npaths,
                                                      const struct stoa_jsonl_options *options,
                                                      struct stoa_schema *out, char **evidence,
                                                      struct stoa_error *err);

/*
 * Appends the rows of a batch, a line each, to a growing block of text. *out is reallocated as
 * needed (start with NULL and 0) and belongs to the caller: stoa_free().
 */
STOA_API STOA_CHECK enum stoa_status stoa_jsonl_format(const struct stoa_batch *batch, char **out,
                                                       size_t *nbytes, struct stoa_error *err);

#ifdef __cplusplus
}
#endif

#endif
