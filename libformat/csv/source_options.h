/*
 * How one source was written, as JSON text in a Stoa file (spec/csv.md, "Restore").
 */
#ifndef STOA_CSV_SOURCE_OPTIONS_H
#define STOA_CSV_SOURCE_OPTIONS_H

#include <stoa/csv.h>

#include "base/alloc.h"

#define STOA_CSV_SOURCE_OPTIONS_NBYTES ((size_t)1 << 20) /* of the text, at the most */

/* What restoring needs to know of a source beside its rows; nothing is left at "auto". */
struct stoa_csv_source_dialect {
    struct stoa_csv_options csv; /* its lists belong to `owner`, or to who filled it in */
    char line_end[2];
    uint8_t line_end_nbytes;
    const char *encoding; /* NULL: UTF-8 */
    uint32_t *columns;    /* the field of the row for each column of the text; NULL: all of them */
    uint32_t ncolumns;    /* of these */
    void *owner;          /* of what was parsed */
};

/* Replaces what is left at "auto" by the usual. */
void stoa_csv_options_settle(struct stoa_csv_options *options);

/* As JSON text, only what is not usual; *out is the caller's. */
STOA_CHECK enum stoa_status
stoa_csv_source_dialect_print(const struct stoa_csv_source_dialect *dialect, char **out,
                              struct stoa_error *err);

/* STOA_ERR_CORRUPT for text that _print() would not write. Release with _reset(). */
STOA_CHECK enum stoa_status stoa_csv_source_dialect_parse(const char *text,
                                                          struct stoa_csv_source_dialect *out,
                                                          struct stoa_error *err);
void stoa_csv_source_dialect_reset(struct stoa_csv_source_dialect *dialect);

#endif
