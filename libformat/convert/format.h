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

#endif
