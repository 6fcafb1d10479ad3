/*
 * What inference and reading share: the header, and what a record must be to be a row.
 */
#ifndef STOA_CSV_CSV_TABLE_H
#define STOA_CSV_CSV_TABLE_H

#include "csv/input.h"
#include "csv/record.h"

/* The names of the columns; `{0}` before the first input is met. */
struct stoa_csv_header {
    char **names;
    size_t ncolumns;
    char *origin; /* the input it comes from */
};

void stoa_csv_header_reset(struct stoa_csv_header *header);

/*
 * Meets the first record of an input, which starts at `line`: the first input gives the names (an
 * empty one becomes column_N, a second "x" becomes x_2), a later one must have the same. Without a
 * header line it gives the number of columns. STOA_ERR_DATA does not name the input.
 */
STOA_CHECK enum stoa_status stoa_csv_header_meet(struct stoa_csv_header *header,
                                                 const struct stoa_csv_record *record,
                                                 const struct stoa_csv_options *options,
                                                 const char *input_name, uint64_t line,
                                                 struct stoa_error *err);

/* Takes the names of a schema that was given, for later inputs to be held against. */
STOA_CHECK enum stoa_status stoa_csv_header_take(struct stoa_csv_header *header,
                                                 const struct stoa_schema *schema,
                                                 struct stoa_error *err);

/*
 * STOA_ERR_DATA for a record with a fault, or with another number of fields than ncolumns; the
 * record starts at `line` and byte `offset` of its input, which the message does not name.
 */
STOA_CHECK enum stoa_status stoa_csv_record_check(const struct stoa_csv_record *record,
                                                  uint64_t line, uint64_t offset,
                                                  struct stoa_error *err);
STOA_CHECK enum stoa_status stoa_csv_record_check_width(const struct stoa_csv_record *record,
                                                        size_t ncolumns, uint64_t line,
                                                        uint64_t offset, struct stoa_error *err);

/* An empty line, which is no row unless the table has one column. */
static inline bool stoa_csv_record_is_blank(const struct stoa_csv_record *record, size_t ncolumns)
{
    return record->nfields == 1 && ncolumns != 1 && record->fields[0].nbytes == 0 &&
           !record->fields[0].quoted;
}

static inline char stoa_csv_delimiter(const struct stoa_csv_options *options)
{
    return options->delimiter != 0 ? options->delimiter : ',';
}

static inline uint64_t stoa_csv_max_record_nbytes(const struct stoa_csv_options *options)
{
    return options->max_record_nbytes != 0 ? options->max_record_nbytes
                                           : STOA_CSV_MAX_RECORD_NBYTES;
}

/* STOA_ERR_USAGE for a delimiter that no text can have. */
STOA_CHECK enum stoa_status stoa_csv_options_check(const struct stoa_csv_options *options,
                                                   struct stoa_error *err);

/* STOA_ERR_USAGE for a column of a type that has no text form in CSV. */
STOA_CHECK enum stoa_status stoa_csv_column_check(const struct stoa_field *field,
                                                  struct stoa_error *err);

/* STOA_ERR_LIMIT; names the input. */
enum stoa_status stoa_csv_fail_too_large(struct stoa_error *err, const char *input_name,
                                         uint64_t line, uint64_t offset,
                                         uint64_t max_record_nbytes);

#endif
