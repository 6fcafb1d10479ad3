/*
 * Which format a file is, or is to be.
 */
#ifndef STOA_CONVERT_FORMAT_H
#define STOA_CONVERT_FORMAT_H

#include <stoa/convert.h>

/*
 * By the ending of the name, one of a compression left aside (*compressed, unless NULL, says
 * whether there is one); AUTO when it says nothing.
 */
enum stoa_format stoa_format_of_name(const char *path, bool *compressed);

#endif
