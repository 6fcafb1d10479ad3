/*
 * What makes a record of CSV none of the table (spec/csv.md, "Bad records").
 */
#ifndef STOA_CSV_REJECT_H
#define STOA_CSV_REJECT_H

#include "column/rejects.h"
#include "csv/parse.h"
#include "csv/record.h"

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

#endif
