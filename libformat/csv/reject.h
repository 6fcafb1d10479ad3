/*
 * Records that are no rows of their table (spec/csv.md, "Bad records").
 *
 *     struct stoa_csv_rejects  what is wrong with which records of a unit: reading it, any thread
 *     struct stoa_csv_ledger   counted, held against the limits, written: accepting it, in order
 */
#ifndef STOA_CSV_REJECT_H
#define STOA_CSV_REJECT_H

#include <stoa/csv.h>
#include <stoa/io.h>

#include "csv/csv.h"
#include "csv/parse.h"
#include "csv/record.h"

/* Of a record in the rejects file; of a value in it as well. */
#define STOA_CSV_REJECT_MAX_NBYTES 10000

enum stoa_csv_reject_kind {
    STOA_CSV_REJECT_CAST,         /* no value of the type */
    STOA_CSV_REJECT_OUT_OF_RANGE, /* a number or time that the type can't hold */
    STOA_CSV_REJECT_NOT_NULL,
    STOA_CSV_REJECT_ENCODING, /* text that is no UTF-8 */
    STOA_CSV_REJECT_FEWER,    /* fields than columns */
    STOA_CSV_REJECT_MORE,
    STOA_CSV_REJECT_AFTER_QUOTE,
    STOA_CSV_REJECT_STRAY_QUOTE,
    STOA_CSV_REJECT_OPEN_QUOTE,
    STOA_CSV_REJECT_TOO_LARGE,
    STOA_CSV_NREJECTS
};

/* The word for it in the rejects file. */
const char *stoa_csv_reject_name(enum stoa_csv_reject_kind kind);

/* What a field is that did not become a value of its column. */
enum stoa_csv_reject_kind stoa_csv_reject_of_field(const struct stoa_csv_column *column,
                                                   const struct stoa_csv_field *field,
                                                   enum stoa_csv_outcome outcome);
enum stoa_csv_reject_kind stoa_csv_reject_of_fault(enum stoa_csv_fault fault);

/* One record, by the first of its fields that is wrong. */
struct stoa_csv_reject {
    enum stoa_csv_reject_kind kind;
    uint32_t column;                /* of the text, from 0: where it is wrong */
    const struct stoa_field *field; /* whose value it should be; NULL: wrong as a record */
    uint64_t record;                /* of the unit, from 0: blank lines and comments don't count */
    uint64_t line;                  /* of the input's text, as in messages */
    uint64_t record_offset;
    uint64_t byte_offset;
    const char *value; /* NULL: wrong as a record */
    size_t value_nbytes;
    const char *raw; /* the record as it stands, without its line end */
    size_t raw_nbytes;
    size_t whole_nbytes; /* with its line end, which stands behind `raw` when it is appended */
    const char *message;
};

/* Those of one unit, in order. `{0}` has none. */
struct stoa_csv_rejects {
    struct stoa_csv_reject *items;
    size_t nitems;
    size_t capacity;
    uint64_t nrecords;        /* of the unit, good and bad */
    struct stoa_buffer bytes; /* the texts of the items, which are found by the lengths */
    bool keeps_whole;
    struct stoa_buffer wholes; /* with keeps_whole the records with their line ends */
};

void stoa_csv_rejects_reset(struct stoa_csv_rejects *rejects);

/* Memory that they take. */
size_t stoa_csv_rejects_nbytes(const struct stoa_csv_rejects *rejects);

/*
 * Adds a record; what its pointers lead to is copied, value and raw up to their limit. Behind `raw`
 * stands the rest of its whole_nbytes.
 */
STOA_CHECK enum stoa_status stoa_csv_rejects_append(struct stoa_csv_rejects *rejects,
                                                    const struct stoa_csv_reject *reject,
                                                    struct stoa_error *err);

/* Item i with pointers that are valid until the next call that changes the rejects. */
struct stoa_csv_reject stoa_csv_rejects_get(const struct stoa_csv_rejects *rejects, size_t i,
                                            size_t *at);

/* The counts of a run, in the order of the input. */
struct stoa_csv_ledger {
    struct stoa_csv_reject_options options;
    uint64_t nrejected; /* records left out */
    uint64_t nwritten;  /* of these, to the file or files, */
    uint64_t nraw;      /* and of those, as they stand: the ones that were kept whole */
    bool is_unended;    /* the last raw record that was written has no line end */
    uint64_t nrecords;  /* of all inputs */
    const void *input;  /* the current one, */
    uint64_t nbefore;   /* and its records before the next unit */
    bool is_over;       /* a limit was passed */
};

/* Checks the options and writes the names of the columns of the rejects file, if there is one. */
STOA_CHECK enum stoa_status stoa_csv_ledger_init(struct stoa_csv_ledger *ledger,
                                                 const struct stoa_csv_reject_options *options,
                                                 struct stoa_error *err);

/*
 * The rejects of the next unit, which is of `input`, called `name`, of which `member` is the end,
 * or NULL. Column i of its ncolumns has the name names[columns[i]], or names[i] without `columns`.
 * STOA_ERR_DATA when a limit is passed: the message is that of the record that passed it.
 */
STOA_CHECK enum stoa_status stoa_csv_ledger_accept(struct stoa_csv_ledger *ledger,
                                                   const void *input, const char *name,
                                                   const char *member,
                                                   const struct stoa_csv_rejects *rejects,
                                                   char *const *names, const uint32_t *columns,
                                                   uint32_t ncolumns, struct stoa_error *err);

#endif
