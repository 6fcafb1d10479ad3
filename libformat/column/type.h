/*
 * What column/ knows about types beyond the public header: the table of types, limits of their
 * parameters, and the text form of nested types.
 */
#ifndef STOA_COLUMN_TYPE_H
#define STOA_COLUMN_TYPE_H

#include <stoa/schema.h>

#include "base/alloc.h"

#define STOA_MAX_PRECISION   76
#define STOA_MAX_FIXED_WIDTH 65535u     /* bytes of a fixed_binary, values of a fixed_list */
#define STOA_MAX_SYMBOLS     (1u << 16) /* of one enum */
#define STOA_MAX_NAME_NBYTES 65535u     /* a name of a field, a symbol of an enum */
#define STOA_MAX_ZONE_NBYTES 255u
#define STOA_MAX_FIELD_DEPTH 32u        /* a field without children has depth 1 */
#define STOA_MAX_NODES       (1u << 20) /* fields of a schema with all their children */

/* How the values of a type lie in memory (stoa/array.h), and so which code handles them. */
enum stoa_layout {
    STOA_LAYOUT_NONE,  /* null: no buffers but the bitmap */
    STOA_LAYOUT_BITS,  /* bool */
    STOA_LAYOUT_FIXED, /* stoa_type_width() bytes a value */
    STOA_LAYOUT_BYTES, /* offsets and bytes */
    STOA_LAYOUT_LIST,  /* offsets into one child: list, map */
    STOA_LAYOUT_FIXED_LIST,
    STOA_LAYOUT_STRUCT,
};

/* Which parameters a type has, and how they are written. */
enum stoa_type_params {
    STOA_PARAMS_NONE,
    STOA_PARAMS_DECIMAL,    /* (precision,scale) */
    STOA_PARAMS_UNIT,       /* (unit) */
    STOA_PARAMS_ZONE,       /* (unit) or (unit,zone) */
    STOA_PARAMS_WIDTH,      /* (width) */
    STOA_PARAMS_SYMBOLS,    /* (symbol,...) */
    STOA_PARAMS_LIST,       /* <type> */
    STOA_PARAMS_FIXED_LIST, /* <type,width> */
    STOA_PARAMS_STRUCT,     /* <name:type,...> */
    STOA_PARAMS_MAP,        /* <type,type> */
};

struct stoa_type_info {
    const char *name;
    enum stoa_layout layout;
    enum stoa_type_params params;
    uint8_t width;       /* bytes of a value in memory where no parameter decides */
    const char *example; /* shown when the parameters are missing */
};

/* The row of a type; NULL when `id` is none that this version knows. */
const struct stoa_type_info *stoa_type_info(enum stoa_type_id id);

/* "s", "ms", "us", "ns"; NULL for a number that is no unit. */
const char *stoa_time_unit_name(enum stoa_time_unit unit);

/*
 * Whether the parameters are in range and those that the id does not use are 0 or NULL.
 * STOA_ERR_USAGE says which is wrong.
 */
STOA_CHECK enum stoa_status stoa_type_check(const struct stoa_type *type, struct stoa_error *err);

/*
 * Reads the text form of any type, nested ones too, into type, children and nchildren of *field,
 * which held none before; the rest of *field is untouched. On failure nothing is owned and
 * err->offset is the character that is wrong.
 *
 * Children are nullable unless "not null" follows their type; the children of a list are called
 * "item", those of a map "entries" with "key" and "value".
 */
STOA_CHECK enum stoa_status stoa_field_parse_type(struct stoa_field *field, const char *text,
                                                  struct stoa_error *err);

/* Appends the text form of a field's type, without a terminator. */
STOA_CHECK enum stoa_status stoa_field_print_type(struct stoa_buffer *out,
                                                  const struct stoa_field *field,
                                                  struct stoa_error *err);

#endif
