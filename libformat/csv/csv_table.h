/*
 * What inference and reading share: the header, and what a record must be to be a row.
 */
#ifndef STOA_CSV_CSV_TABLE_H
#define STOA_CSV_CSV_TABLE_H

#include "csv/csv_head.h"
#include "csv/input.h"
#include "csv/record.h"

struct stoa_csv_names;

/* The columns of a table that one or many inputs make; `{0}` before the first one is met. */
struct stoa_csv_header {
    char **names;
    size_t ncolumns;
    char *origin; /* the input that came first, or "the schema" */
    size_t capacity;
    struct stoa_csv_names *index;
};

void stoa_csv_header_reset(struct stoa_csv_header *header);

/*
 * Takes the columns of a schema, which all have names of their own, but field `filename`, which is
 * none of the text; *header is `{0}`.
 */
STOA_CHECK enum stoa_status stoa_csv_header_take(struct stoa_csv_header *header,
                                                 const struct stoa_schema *schema,
                                                 uint32_t filename, struct stoa_error *err);

/*
 * Finds the columns of an input among those of the table, by name, or by place where inputs have no
 * header: (*out)[i] is the column of the table that column i of the input is; free it with
 * stoa_free(). grows: columns that the table does not have are added at its end; otherwise they are
 * STOA_ERR_DATA, as is another number of columns than the table has where they have no names.
 * STOA_ERR_USAGE for a column of the name that the options want for the inputs. The error does not
 * name the input.
 */
STOA_CHECK enum stoa_status stoa_csv_header_meet(struct stoa_csv_header *header,
                                                 const struct stoa_csv_head *head,
                                                 const struct stoa_csv_options *options,
                                                 const char *input_name, bool grows, uint32_t **out,
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

/* A comment, or an empty line, which is no row unless the table has one column. */
static inline bool stoa_csv_record_is_blank(const struct stoa_csv_record *record, size_t ncolumns)
{
    return record->nfields == 0 || (record->nfields == 1 && ncolumns != 1 &&
                                    record->fields[0].nbytes == 0 && !record->fields[0].quoted);
}

/* ---- What options mean where they were left at "auto". ---- */

static inline char stoa_csv_delimiter(const struct stoa_csv_options *options)
{
    return options->delimiter != 0 ? options->delimiter : ',';
}

/* Characters that there may be none of: -1 then, which no byte equals. */
static inline int stoa_csv_quote(const struct stoa_csv_options *options)
{
    return options->quote == STOA_CSV_NONE ? -1
           : options->quote != 0           ? (uint8_t)options->quote
                                           : '"';
}

/* -1 where the quote is written twice. */
static inline int stoa_csv_escape(const struct stoa_csv_options *options)
{
    const int escape = (uint8_t)options->escape;

    return escape == 0 || escape == stoa_csv_quote(options) ? -1 : escape;
}

static inline int stoa_csv_comment(const struct stoa_csv_options *options)
{
    return options->comment == 0 || options->comment == STOA_CSV_NONE ? -1
                                                                      : (uint8_t)options->comment;
}

static inline char stoa_csv_decimal(const struct stoa_csv_options *options)
{
    return options->decimal != 0 ? options->decimal : '.';
}

static inline int stoa_csv_thousands(const struct stoa_csv_options *options)
{
    return options->thousands == 0 || options->thousands == STOA_CSV_NONE
               ? -1
               : (uint8_t)options->thousands;
}

static inline enum stoa_csv_trim stoa_csv_trim(const struct stoa_csv_options *options)
{
    return options->trim != STOA_CSV_TRIM_AUTO ? options->trim : STOA_CSV_TRIM_NONE;
}

static inline uint32_t stoa_csv_header_nrecords(const struct stoa_csv_options *options)
{
    return options->header_nrecords == 0  ? 1
           : options->header_nrecords < 0 ? 0
                                          : (uint32_t)options->header_nrecords;
}

static inline uint32_t stoa_csv_skip_nlines(const struct stoa_csv_options *options)
{
    return options->skip_nlines > 0 ? (uint32_t)options->skip_nlines : 0;
}

static inline uint64_t stoa_csv_max_record_nbytes(const struct stoa_csv_options *options)
{
    return options->max_record_nbytes != 0 ? options->max_record_nbytes
                                           : STOA_CSV_MAX_RECORD_NBYTES;
}

/* STOA_ERR_USAGE for characters that can't be what they are to be, and for options that contradict
   each other. */
STOA_CHECK enum stoa_status stoa_csv_options_check(const struct stoa_csv_options *options,
                                                   struct stoa_error *err);

/* In the place of a field of a schema: there is none. */
#define STOA_CSV_NO_FIELD UINT32_MAX

/* The field that holds the names of the inputs, by the options; STOA_CSV_NO_FIELD: none does. */
uint32_t stoa_csv_filename_find(const struct stoa_csv_options *options,
                                const struct stoa_schema *schema);

/* What the options say of the type of a column; NULL: nothing. */
const struct stoa_field *stoa_csv_given_type(const struct stoa_csv_options *options,
                                             const char *name);

/* STOA_ERR_USAGE for a column of a type that has no text form in CSV. */
STOA_CHECK enum stoa_status stoa_csv_column_check(const struct stoa_field *field,
                                                  struct stoa_error *err);

/* STOA_ERR_LIMIT; names the input, unless that is NULL. */
enum stoa_status stoa_csv_fail_too_large(struct stoa_error *err, const char *input_name,
                                         uint64_t line, uint64_t offset,
                                         uint64_t max_record_nbytes);

#endif
