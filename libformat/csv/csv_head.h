/*
 * What stands in front of the records of an input: lines to skip, and the header.
 */
#ifndef STOA_CSV_CSV_HEAD_H
#define STOA_CSV_CSV_HEAD_H

#include "csv/record.h"

/* `{0}` owns nothing. */
struct stoa_csv_head {
    char **names; /* of the columns: all different, none empty */
    size_t ncolumns;
    uint64_t line; /* of the header, from 1; without one of the first record */
    size_t nbytes; /* in front of the records */
    uint64_t nlines;
};

void stoa_csv_head_reset(struct stoa_csv_head *head);

/*
 * Reads the head of a text, which is in UTF-8, has no byte order mark, and has its slack: first
 * skip_nlines lines, then as many records as the options say hold the names, blank and comment
 * lines in front of and between them left out. Without a header the first record gives the number
 * of columns, and belongs to the records.
 *
 * `whole`: nothing follows the text. *complete is false, and *out `{0}`, when more of it is needed.
 * A text without a record has no columns: ncolumns is 0.
 * Errors: STOA_ERR_DATA with the line for a faulty header and for names that are none.
 */
STOA_CHECK enum stoa_status stoa_csv_head_read(const struct stoa_csv_options *options,
                                               const char *text, size_t nbytes, bool whole,
                                               struct stoa_csv_head *out, bool *complete,
                                               struct stoa_error *err);

#endif
