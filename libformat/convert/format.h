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
 * As stoa_format_of_inputs(). *is_guess: it is said by nothing but how the text of each of them
 * begins, in which case other text may begin so, too.
 */
STOA_CHECK enum stoa_status stoa_format_guess(const char *const *paths, size_t npaths,
                                              enum stoa_format *format, bool *is_guess,
                                              struct stoa_error *err);

/*
 * What an input is of which nothing else tells, by its first bytes: AVRO, JSONL, or else CSV.
 * *opened are its members, from which nothing was taken: what was read of a pipe can't be read
 * again. Errors: those of stoa_members_open().
 */
STOA_CHECK enum stoa_status stoa_format_of_pipe(const char *path, struct stoa_members **opened,
                                                enum stoa_format *out, struct stoa_error *err);

#endif
