/*
 * What a format string of Arrow says: the type, and how the values lie in the buffers of an array.
 */
#ifndef STOA_COLUMN_ARROW_FORMAT_H
#define STOA_COLUMN_ARROW_FORMAT_H

#include <stoa/arrow.h>

/* How the values of a node lie in its buffers, which follow the bitmap where there is one. */
enum stoa_arrow_layout {
    STOA_ARROW_NULLS,      /* no buffers at all */
    STOA_ARROW_BITS,       /* a bitmap */
    STOA_ARROW_FIXED,      /* as in stoa_array */
    STOA_ARROW_DECIMAL,    /* two's complement of `width` bytes */
    STOA_ARROW_DATE64,     /* milliseconds, 8 bytes */
    STOA_ARROW_MONTHS,     /* 4 bytes */
    STOA_ARROW_DAY_TIME,   /* days and milliseconds, 4 bytes each */
    STOA_ARROW_BYTES,      /* offsets of `width` bytes, the bytes of all values */
    STOA_ARROW_VIEWS,      /* 16 bytes each, any number of buffers with bytes, their sizes */
    STOA_ARROW_LIST,       /* offsets of `width` bytes into one child */
    STOA_ARROW_LIST_VIEW,  /* offsets and lengths of `width` bytes into one child */
    STOA_ARROW_FIXED_LIST, /* one child */
    STOA_ARROW_STRUCT,     /* any number of children */
    STOA_ARROW_RUNS,       /* no buffers; children: the ends of runs, and a value for each */
};
#define STOA_ARROW_NLAYOUTS 14

struct stoa_arrow_storage {
    enum stoa_arrow_layout layout;
    uint32_t width; /* bytes of a value, or of an offset, in the buffer; 0 where there is none */
};

/* Wrapped once more in structs, lists, dictionaries or runs than this, a schema is refused. */
#define STOA_ARROW_MAX_DEPTH 64u

/*
 * The type and storage of a node by its format alone: children are not looked at, of a node with a
 * dictionary it is what the indices are, of runs the type's id is 0. On STOA_OK the caller owns
 * *type. STOA_ERR_DATA: a format that cannot be taken, STOA_ERR_USAGE: parameters out of range.
 */
STOA_CHECK enum stoa_status stoa_arrow_format_read(const char *format, struct stoa_type *type,
                                                   struct stoa_arrow_storage *storage,
                                                   struct stoa_error *err);

/* The format of a type that is exported; 300 bytes hold the longest zone. */
void stoa_arrow_format_print(const struct stoa_type *type, char out[300]);

/* The children that a layout needs; -1: any number. */
int64_t stoa_arrow_nchildren(enum stoa_arrow_layout layout);

/*
 * Whether the children of `arrow` are as many as its layout needs, and there. Their number is at
 * most STOA_MAX_NODES.
 */
STOA_CHECK enum stoa_status stoa_arrow_check_children(const struct ArrowSchema *arrow,
                                                      enum stoa_arrow_layout layout,
                                                      struct stoa_error *err);

/* Whether `arrow` is a struct of columns that can be walked. */
STOA_CHECK enum stoa_status stoa_arrow_check_struct(const struct ArrowSchema *arrow,
                                                    struct stoa_error *err);

#endif
