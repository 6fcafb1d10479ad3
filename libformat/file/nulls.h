/*
 * Nulls that come down from above (spec/format.md, "Nested columns"): a part of a null struct, or
 * of a null fixed_list, is null itself.
 */
#ifndef STOA_FILE_NULLS_H
#define STOA_FILE_NULLS_H

#include <stoa/array.h>

/*
 * Whether the nulls of a child fit those of its parent, which has `width` values of it for each of
 * its own (a struct: 1): null where the parent is and, unless `nullable`, nowhere else.
 */
bool stoa_nulls_fit(const struct stoa_array *parent, const struct stoa_array *child, size_t width,
                    bool nullable);

#endif
