/*
 * JSON lines: one JSON object a row, in the order of the schema.
 *
 * Integers and decimals are exact JSON numbers, temporal values ISO text ("2013-01-01T10:00:00Z",
 * "PT1.5S", "P1Y2M3D"), binary base64, null null, and the floats that JSON has no number for the
 * texts "NaN", "Infinity", "-Infinity". Lists are arrays and structs objects; a map is an array of
 * {"key":...,"value":...}, since its keys need be neither text nor unique.
 */
#ifndef STOA_JSONL_H
#define STOA_JSONL_H

#include <stoa/array.h>

#ifdef __cplusplus
extern "C" {
#endif

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
