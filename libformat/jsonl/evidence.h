/*
 * Which type each key of objects could have: a tree of what was seen (spec/jsonl.md, section 5).
 *
 * Records are observed one by one, in any number of pieces: that of two pieces joined in their
 * order is that of both read in one go.
 *
 *     stoa_jsonl_evidence_new(&root, err);
 *     stoa_jsonl_observe(&observer, root, line, &is_record, err);
 *     stoa_jsonl_evidence_join(root, other, err);
 *     stoa_jsonl_evidence_schema(root, &schema, err);
 */
#ifndef STOA_JSONL_EVIDENCE_H
#define STOA_JSONL_EVIDENCE_H

#include <stoa/schema.h>

#include "base/alloc.h"

#define STOA_JSONL_MAX_NCOLUMNS 65536
#define STOA_JSONL_MAX_NMEMBERS                                                                    \
    1000 /* of another object than the record: one with more is a map                              \
          */

/* What values were seen. */
enum stoa_jsonl_seen {
    STOA_JSONL_SAW_NULL = 1 << 0,
    STOA_JSONL_SAW_BOOL = 1 << 1,
    STOA_JSONL_SAW_NUMBER = 1 << 2,
    STOA_JSONL_SAW_TEXT = 1 << 3,
    STOA_JSONL_SAW_OBJECT = 1 << 4,
    STOA_JSONL_SAW_LIST = 1 << 5,
};

/* Numbers that some type does not hold exactly. */
enum stoa_jsonl_number_kind {
    STOA_JSONL_NO_INT64 = 1 << 0,
    STOA_JSONL_NO_UINT64 = 1 << 1,
    STOA_JSONL_NO_DOUBLE = 1 << 2,
    STOA_JSONL_NO_DECIMAL = 1 << 3,
    STOA_JSONL_FRACTIONS = 1 << 4, /* a point, an exponent, a negative zero */
};

/* Texts that are something else as well. */
enum stoa_jsonl_text_kind {
    STOA_JSONL_TEXT = 1 << 0, /* and those that are not */
    STOA_JSONL_DATE = 1 << 1,
    STOA_JSONL_TIME = 1 << 2,
    STOA_JSONL_CLOCK = 1 << 3,   /* a timestamp without a zone, */
    STOA_JSONL_INSTANT = 1 << 4, /* and with a Z */
    STOA_JSONL_BLANK = 1 << 5,   /* between day and time, */
    STOA_JSONL_T = 1 << 6,       /* or a T */
    STOA_JSONL_UNUSUAL = 1 << 7, /* a fraction that is not written as this library does */
    STOA_JSONL_LATE = 1 << 8,    /* nothing for nanoseconds of 64 bits */
};

struct stoa_jsonl_evidence {
    char *name; /* NULL: the record, or the item of a list */
    uint64_t nvalues;
    uint64_t nnulls;
    uint32_t seen;
    uint32_t numbers;
    uint32_t texts;
    uint32_t integer_ndigits; /* the most in front of and behind the point of a number */
    uint32_t fraction_ndigits;
    uint32_t least_ndigits; /* behind a second; 9 when there is none */
    uint32_t most_ndigits;
    uint64_t serial;                  /* of the object that named it last */
    bool is_record;                   /* its members are columns */
    bool is_map;                      /* too many members */
    struct stoa_jsonl_evidence *item; /* of lists */
    struct stoa_jsonl_evidence **children;
    size_t nchildren;
    size_t capacity;
    uint32_t *slots; /* of the children by name: their number and 1 */
    size_t nslots;
    uint64_t seed; /* of their places in the slots */
};

STOA_CHECK enum stoa_status stoa_jsonl_evidence_new(struct stoa_jsonl_evidence **out,
                                                    struct stoa_error *err);
void stoa_jsonl_evidence_free(struct stoa_jsonl_evidence *evidence);

/*
 * The child of that name, which is added when there is none; NULL when there are too many, which
 * makes the object a map. STOA_ERR_LIMIT: of columns.
 */
STOA_CHECK enum stoa_status stoa_jsonl_evidence_child(struct stoa_jsonl_evidence *evidence,
                                                      const char *name, size_t nbytes,
                                                      struct stoa_jsonl_evidence **out,
                                                      struct stoa_error *err);

/* Adds what a later piece says, whose children move over. */
STOA_CHECK enum stoa_status stoa_jsonl_evidence_join(struct stoa_jsonl_evidence *evidence,
                                                     struct stoa_jsonl_evidence *later,
                                                     struct stoa_error *err);

/*
 * The columns with the narrowest type that holds all that was seen of them, nullable, in the order
 * in which they first turned up. texts_only: all are JSON text. *out is overwritten.
 */
STOA_CHECK enum stoa_status stoa_jsonl_evidence_schema(const struct stoa_jsonl_evidence *record,
                                                       bool texts_only, struct stoa_schema *out,
                                                       struct stoa_error *err);

/* ---- observe.c ---- */

struct stoa_jsonl_observer {
    uint64_t serial; /* of objects */
    struct stoa_buffer scratch;
};

/*
 * What a line says, which ends as base/json_scan.h wants it and begins with no blank; one that is
 * no record says nothing. Of a key that stands twice the first value counts.
 */
STOA_CHECK enum stoa_status stoa_jsonl_observe(struct stoa_jsonl_observer *observer,
                                               struct stoa_jsonl_evidence *record, const char *line,
                                               struct stoa_error *err);

#endif
