/*
 * What a Stoa file keeps of the text that its rows came from, beside the values: enough to write
 * each source back byte for byte. A reader of values never looks at it.
 *
 *     source 0            source 1                     sources, one after the other in the file's
 * rows
 *     |.................|..........................|
 *     row group 0 | row group 1 | row group 2 | ...    each may have a side table
 *
 * A *side table* tells how the text of the values of one row group was written: for a column the
 * rule that its text follows and, where there are values that do not, a form for each; and the
 * bytes between and instead of records. A *source* is one text that was read, a file or a member of
 * an archive: its name, size and hash, the rows that came from it, and the bytes around them. What
 * rules, forms and options mean is a matter of the text format (spec/csv.md); the file stores them.
 *
 * stoa/writer.h has the calls that store them, stoa/reader.h those that give them back.
 */
#ifndef STOA_SOURCE_TEXT_H
#define STOA_SOURCE_TEXT_H

#include <stoa/array.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Kinds of side columns; the numbers are stored in files. */
enum stoa_side_kind {
    STOA_SIDE_FORM = 1,   /* uint8: by which form the text of each value was made */
    STOA_SIDE_RAW = 2,    /* binary: the text of a field itself; null where it is not needed */
    STOA_SIDE_GAP = 3,    /* binary: the bytes in front of a record; null: none */
    STOA_SIDE_RECORD = 4, /* binary: all bytes of a record, or its line end; null: fields tell */
};

#define STOA_SIDE_RULE_NBYTES 8

/* The column of what belongs to records and not to a column: GAP and RECORD. */
#define STOA_SIDE_RECORDS UINT32_MAX

/*
 * One column of a side table: uint8 or binary as its kind says, a value for each row of the row
 * group, or none at all: then the rule says everything. FORM has no nulls.
 */
struct stoa_side_column {
    uint32_t column; /* FORM, RAW: of the schema; else STOA_SIDE_RECORDS */
    uint8_t kind;    /* enum stoa_side_kind */
    uint8_t rule[STOA_SIDE_RULE_NBYTES];
    struct stoa_array array;
};

/*
 * The side table of a row group of nrows rows. Columns rise by (column, kind), each once. It owns
 * `columns` (from the library's allocator) and their arrays; {0} is the empty one, which costs
 * nothing.
 */
struct stoa_side {
    struct stoa_side_column *columns;
    uint32_t ncolumns;
    size_t nrows;
};

/* Frees what it owns; it is {0} again. */
STOA_API void stoa_side_reset(struct stoa_side *side);

/* Flags of a source; the numbers are stored in files. */
enum {
    STOA_SOURCE_COMPLETE = 1, /* it can be written back; else one of the reasons below, or more: */
    STOA_SOURCE_FILTERED = 2, /* rows or columns were left out */
    STOA_SOURCE_CHANGED = 4,  /* values have another type or place than those that were read */
    STOA_SOURCE_DAMAGED = 8,  /* the file was recovered, and something of it is lost */
    STOA_SOURCE_NO_LINE_END = 16, /* the last record ends with the source, without a line end */
    STOA_SOURCE_FLAGS = 31,
};

#define STOA_SOURCE_HASH_NBYTES 16

/* The most bytes that name, options, head, tail and patches of a source may have together. */
#define STOA_SOURCE_MAX_NBYTES (UINT32_C(1) << 30)

struct stoa_bytes {
    uint8_t *data; /* NULL when nbytes is 0 */
    size_t nbytes;
};

/* All memory is the struct's own, from the library's allocator; {0} is fine. */
struct stoa_source_info {
    char *name;      /* UTF-8 without NUL: a base name, or archive:member; NULL is "" */
    uint64_t nbytes; /* of the text, decompressed */
    uint8_t hash[STOA_SOURCE_HASH_NBYTES]; /* XXH3-128 of these, in canonical (big-endian) form */
    uint64_t first_row;                    /* its rows follow each other in the file */
    uint64_t nrows;
    char *options;             /* how the text was read, as JSON; NULL is "" */
    struct stoa_bytes head;    /* what comes before the first record */
    struct stoa_bytes tail;    /* what comes behind the last one */
    struct stoa_bytes patches; /* where encoding the text again gives other bytes */
    uint32_t flags;
};

/*
 * Why a source of these flags cannot be written back, "rows or columns of it were left out"; NULL
 * when it can. Lent for ever.
 */
STOA_API const char *stoa_source_obstacle(uint32_t flags);

/* Frees what it owns; it is {0} again. */
STOA_API void stoa_source_info_reset(struct stoa_source_info *info);

/* Frees an array of n of them; NULL is fine. */
STOA_API void stoa_source_infos_free(struct stoa_source_info *infos, size_t n);

#ifdef __cplusplus
}
#endif

#endif
