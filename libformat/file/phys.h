/*
 * Which physical type the values of a type are stored as (spec/format.md, "Physical types").
 */
#ifndef STOA_FILE_PHYS_H
#define STOA_FILE_PHYS_H

#include <stoa/schema.h>

#include "codec/vector.h"

/*
 * The physical type of a node: of lists and maps that of their lengths, NONE for structs and fixed
 * lists. *width (may be NULL) is the bytes of a stored value; 0 for NONE and BYTES.
 */
enum stoa_phys stoa_type_phys(const struct stoa_type *type, uint32_t *width);

/* That of the values in an array (stoa/array.h) of a type of fixed width but bool: the same, except
   for decimals, whose digits decide how wide they are in a file. */
enum stoa_phys stoa_type_memory_phys(const struct stoa_type *type);

/*
 * Whether a chunk of physical type `from` may stand in a column of `to`: the same, or a narrower
 * one whose every value is also a value of `to`, in the same order.
 */
bool stoa_phys_widens(enum stoa_phys from, enum stoa_phys to);

#endif
