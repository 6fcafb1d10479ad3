/*
 * Which format a file is, or is to be.
 */
#ifndef STOA_CONVERT_FORMAT_H
#define STOA_CONVERT_FORMAT_H

#include <stoa/convert.h>

/*
 * By the ending of the name, one of a compression left aside: AUTO when it says nothing.
 * *compression, unless NULL, is that ending as it is usually written (".gz"), or NULL.
 */
enum stoa_format stoa_format_of_name(const char *path, const char **compression);

/*
 * What an input is of which nothing else tells, by its first bytes: AVRO, JSONL, or else CSV.
 * *opened are its members, from which nothing was taken: what was read of a pipe can't be read
 * again. Errors: those of stoa_members_open().
 */
STOA_CHECK enum stoa_status stoa_format_of_pipe(const char *path, struct stoa_members **opened,
                                                enum stoa_format *out, struct stoa_error *err);

#endif
