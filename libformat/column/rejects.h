/*
 * Records that are no rows of their table, of any format whose text is made of records
 * (spec/csv.md, "Bad records").
 *
 *     struct stoa_rejects  what is wrong with which records of a unit: reading it, any thread
 *     struct stoa_reject_ledger   counted, held against the limits, written: accepting it, in order
 */
#ifndef STOA_COLUMN_REJECTS_H
#define STOA_COLUMN_REJECTS_H

#include <stoa/csv.h>
#include <stoa/io.h>

#include "base/alloc.h"

/* Of a record in the rejects file; of a value in it as well. */
#define STOA_REJECT_MAX_NBYTES 10000

#define STOA_REJECT_NO_COLUMN UINT32_MAX

/* What becomes of records that are no rows, or whose fields are no values of their columns. */
struct stoa_reject_options {
    enum stoa_csv_on_error on_error;
    struct stoa_sink *sink;     /* of STOA_CSV_ON_ERROR_REJECT: a list of them as CSV; borrowed */
    struct stoa_sink *raw_sink; /* the records as they stand, with their line ends; borrowed */
    uint64_t max_errors;        /* one more ends the run; 0: any number */
    double max_ratio;     /* of all records that were read, looked at after each unit; 0: any */
    uint64_t max_written; /* to the sinks; 0: any number */
};

/* One record, by the first of its fields that is wrong. */
struct stoa_reject {
    const char *error; /* a word for what is wrong, that lives for ever */
    uint32_t column;   /* of the text, from 0: where it is wrong; STOA_REJECT_NO_COLUMN */
    const char *path;  /* within it, in the place of its name; NULL: the name */
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
struct stoa_rejects {
    struct stoa_reject *items;
    size_t nitems;
    size_t capacity;
    uint64_t nrecords;        /* of the unit, good and bad */
    struct stoa_buffer bytes; /* the texts of the items, which are found by the lengths */
    bool keeps_whole;
    struct stoa_buffer wholes; /* with keeps_whole the records with their line ends */
};

void stoa_rejects_reset(struct stoa_rejects *rejects);

/* Memory that they take. */
size_t stoa_rejects_nbytes(const struct stoa_rejects *rejects);

/*
 * Adds a record; what its pointers lead to is copied, value and raw up to their limit. Behind `raw`
 * stands the rest of its whole_nbytes.
 */
STOA_CHECK enum stoa_status stoa_rejects_append(struct stoa_rejects *rejects,
                                                const struct stoa_reject *reject,
                                                struct stoa_error *err);

/* Item i with pointers that are valid until the next call that changes the rejects. */
struct stoa_reject stoa_rejects_get(const struct stoa_rejects *rejects, size_t i, size_t *at);

/* The counts of a run, in the order of the input. */
struct stoa_reject_ledger {
    struct stoa_reject_options options;
    uint64_t nrejected; /* records left out */
    uint64_t nwritten;  /* of these, to the file or files, */
    uint64_t nraw;      /* and of those, as they stand: the ones that were kept whole */
    bool is_unended;    /* the last raw record that was written has no line end */
    uint64_t nrecords;  /* of all inputs */
    uint64_t input;     /* the serial number of the current one, */
    uint64_t nbefore;   /* and its records before the next unit */
    bool is_over;       /* a limit was passed */
};

/* Checks the options and writes the names of the columns of the rejects file, if there is one. */
STOA_CHECK enum stoa_status stoa_reject_ledger_init(struct stoa_reject_ledger *ledger,
                                                    const struct stoa_reject_options *options,
                                                    struct stoa_error *err);

/*
 * The rejects of the next unit, which is of the input with that serial number, not 0, that is
 * called `name`, of which `member` is the end, or NULL. Column i of its ncolumns has the name
 * names[columns[i]], or names[i] without `columns`. STOA_ERR_DATA when a limit is passed: the
 * message is that of the record that passed it.
 */
STOA_CHECK enum stoa_status stoa_reject_ledger_accept(struct stoa_reject_ledger *ledger,
                                                      uint64_t input, const char *name,
                                                      const char *member,
                                                      const struct stoa_rejects *rejects,
                                                      char *const *names, const uint32_t *columns,
                                                      uint32_t ncolumns, struct stoa_error *err);

#endif
