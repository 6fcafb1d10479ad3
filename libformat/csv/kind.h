/*
 * Which types a column of texts could have: the evidence of inference (spec/csv.md, "Inference").
 *
 * Evidence is gathered value by value, in any number of pieces: that of two pieces joined is, byte
 * for byte, that of both read in one go, whatever the order and the grouping. So samples, files
 * and the units of a parallel pass add up, and a value that turns up late widens a column to the
 * same type that it would have had from the start.
 *
 *     stoa_csv_spellings_init(&spellings, &options, err);
 *     stoa_csv_evidence_init(&evidence);
 *     stoa_csv_evidence_observe(&evidence, &spellings, "12", 2, false, &place);
 *     stoa_csv_evidence_join(&evidence, &other);
 *     stoa_csv_evidence_decide(&evidence, &spellings, quotes_tell, &decision);
 */
#ifndef STOA_CSV_KIND_H
#define STOA_CSV_KIND_H

#include <stoa/csv.h>
#include <stoa/schema.h>

#include "base/alloc.h"
#include "base/time_pattern.h"

/* What a text can be besides text; the types of spec/csv.md with their parameters left open. */
enum stoa_csv_kind {
    STOA_CSV_KIND_BOOL = 1 << 0,
    STOA_CSV_KIND_INT64 = 1 << 1,
    STOA_CSV_KIND_UINT64 = 1 << 2,
    STOA_CSV_KIND_DOUBLE = 1 << 3,
    STOA_CSV_KIND_DECIMAL = 1 << 4,
    STOA_CSV_KIND_DATE = 1 << 5,
    STOA_CSV_KIND_TIME = 1 << 6,
    STOA_CSV_KIND_CLOCK = 1 << 7,   /* a timestamp without a zone */
    STOA_CSV_KIND_INSTANT = 1 << 8, /* a timestamp that ends in Z */
    STOA_CSV_KIND_ALL = (1 << 9) - 1,
};
#define STOA_CSV_NKINDS 9
#define STOA_CSV_KIND_DATES                                                                        \
    (STOA_CSV_KIND_DATE | STOA_CSV_KIND_TIME | STOA_CSV_KIND_CLOCK | STOA_CSV_KIND_INSTANT)
#define STOA_CSV_KIND_NUMBERS                                                                      \
    (STOA_CSV_KIND_INT64 | STOA_CSV_KIND_UINT64 | STOA_CSV_KIND_DOUBLE | STOA_CSV_KIND_DECIMAL)

#define STOA_CSV_MAX_DATE_FORMATS 16

/* What the options say of values, prepared. Constant once it is initialised: any thread. */
struct stoa_csv_spellings {
    const char *const *null_values; /* lists that end with NULL, of the options */
    const char *const *true_values;
    const char *const *false_values;
    const char *const *date_formats; /* NULL: none */
    struct stoa_time_pattern patterns[STOA_CSV_MAX_DATE_FORMATS];
    unsigned npatterns;
    enum stoa_csv_date_order date_order;
    char decimal;
    int thousands; /* -1: none */
};

/* STOA_ERR_USAGE for a date format that is none, and for too many. The lists stay borrowed. */
STOA_CHECK enum stoa_status stoa_csv_spellings_init(struct stoa_csv_spellings *spellings,
                                                    const struct stoa_csv_options *options,
                                                    struct stoa_error *err);

/* Where a value stands. Places of one run are ordered by input, then offset. */
struct stoa_csv_place {
    uint64_t offset; /* of its record in the text of the input */
    uint64_t line;   /* 0: not known, in a piece from the middle of a file */
    uint32_t input;
};

#define STOA_CSV_SHOWN_NBYTES 39

/* The beginning of a text; nbytes is one more than there are when it is longer. */
struct stoa_csv_shown {
    uint8_t nbytes;
    char text[STOA_CSV_SHOWN_NBYTES];
};

/* The first value that is not of a kind; nbytes and place are 0 where there is none. */
struct stoa_csv_conflict {
    struct stoa_csv_place place;
    struct stoa_csv_shown value;
};

/* The smallest and the largest value so far, in one of several orders; unset while nvalues is 0. */
struct stoa_csv_extreme {
    double number; /* 0 in an order of bytes */
    struct stoa_csv_shown value;
};

/* All that is known of one column. Only counts and flags: copying it copies everything. */
struct stoa_csv_evidence {
    uint32_t kinds;   /* that hold every value so far */
    uint32_t days;    /* the ways to write a date that fit every value (kind.c), */
    uint32_t clocks;  /* and those to write a time of day behind it; */
    uint32_t formats; /* the date formats of the spellings that do */
    uint64_t nvalues; /* null in no column */
    uint64_t nnulls;  /* nothing at all: null in every column */
    uint64_t nwords;  /* null unless the column is text: NA, "" */
    uint64_t nquoted; /* of nvalues */
    uint64_t words;   /* which: bit 0 "", bit i null value i from 1, bit 63 also later ones */
    uint32_t integer_ndigits; /* the most in front of and behind the point of a number */
    uint32_t fraction_ndigits;
    uint32_t second_ndigits;            /* the most behind a second */
    bool fractions;                     /* a point, an exponent, a nan: more than integers */
    bool separators[2];                 /* between day and time: a blank, a T */
    bool late;                          /* a time that 64 bits of nanoseconds can't hold */
    bool padded[2];                     /* days and months, hours: one is written 07, */
    bool unpadded[2];                   /* or 7 */
    struct stoa_csv_extreme numbers[2]; /* while it may be a number */
    struct stoa_csv_extreme texts[2];   /* in the order of bytes */
    struct stoa_csv_conflict conflicts[STOA_CSV_NKINDS];
};

/* The evidence of no value. */
void stoa_csv_evidence_init(struct stoa_csv_evidence *evidence);

/*
 * Takes the text of one field without its quotes; doubled quotes may stand as they are. Does not
 * fail. Cost: about what parsing it costs.
 */
void stoa_csv_evidence_observe(struct stoa_csv_evidence *evidence,
                               const struct stoa_csv_spellings *spellings, const char *text,
                               size_t nbytes, bool quoted, const struct stoa_csv_place *place);

/* Adds what another piece of the same column says. */
void stoa_csv_evidence_join(struct stoa_csv_evidence *evidence,
                            const struct stoa_csv_evidence *other);

/* Why a column has its type. */
enum stoa_csv_reason {
    STOA_CSV_REASON_NO_VALUE,   /* nothing but nulls */
    STOA_CSV_REASON_VALUES,     /* the type holds every value */
    STOA_CSV_REASON_CONFLICT,   /* text because of `conflict` */
    STOA_CSV_REASON_QUOTES,     /* text because its values stand in quotes, those of others don't */
    STOA_CSV_REASON_DATE_ORDER, /* text because day and month can't be told apart */
    STOA_CSV_REASON_CENTURY,    /* text because years have two digits */
    STOA_CSV_REASON_PARAMETERS, /* text because no precision or unit holds all values */
    STOA_CSV_REASON_GIVEN,      /* by the options */
};

#define STOA_CSV_FORMAT_NBYTES 40 /* of those that inference makes */

struct stoa_csv_decision {
    struct stoa_type type; /* owns nothing: copy it */
    uint32_t kinds;        /* that are left */
    enum stoa_csv_reason reason;
    const char
        *format; /* for the metadata csv_format, NULL: none; in `made`, or of the spellings */
    char made[STOA_CSV_FORMAT_NBYTES];
    const struct stoa_csv_conflict *conflict; /* of the evidence; NULL without one */
};

/*
 * The first type of the list in spec/csv.md that holds every value. quotes_tell: another column has
 * values without quotes, so quotes mean text here.
 */
void stoa_csv_evidence_decide(const struct stoa_csv_evidence *evidence,
                              const struct stoa_csv_spellings *spellings, bool quotes_tell,
                              struct stoa_csv_decision *out);

/*
 * Appends one object of the "evidence" array of a schema document:
 *
 *     {"name": "fare", "rows": 3, "nulls": 1, "null_spellings": ["NA"], "min": "1.5", "max": "20",
 *      "decided_by": "every value of the sample"}
 *
 * whole: it was no sample but all there is. input_names: NULL, or those that places refer to.
 */
STOA_CHECK enum stoa_status stoa_csv_evidence_print(
    const struct stoa_csv_evidence *evidence, const struct stoa_csv_decision *decision,
    const struct stoa_csv_spellings *spellings, const char *name, bool whole,
    const char *const *input_names, struct stoa_buffer *out, struct stoa_error *err);

#endif
