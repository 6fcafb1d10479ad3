/*
 * "Did you mean ...?": the nearest of several names.
 */
#ifndef STOA_COLUMN_NEAREST_H
#define STOA_COLUMN_NEAREST_H

#include <stddef.h>

/*
 * The index of the name that is fewest edits (a character put in, taken out, replaced, or two
 * neighbours swapped; ASCII case is free) away from `name`, the first of equals; `nnames` when
 * none is near enough to be meant: more than a third of its characters differ. name_at(context, i)
 * gives name i. Names longer than 64 bytes are compared by their first 64.
 */
size_t stoa_nearest(const char *name, size_t nnames,
                    const char *(*name_at)(const void *context, size_t i), const void *context);

#endif
