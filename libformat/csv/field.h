/*
 * From the text of a field to a value, and the kinds of value that a text can be.
 */
#ifndef STOA_CSV_FIELD_H
#define STOA_CSV_FIELD_H

#include <stoa/schema.h>

#include "column/builder.h"
#include "csv/record.h"

/* No decimal number with more significant digits is taken for a float64 by inference. */
#define STOA_CSV_DOUBLE_NDIGITS 17

/* How the fields of a column are read; a row of a table by type. */
struct stoa_csv_parser;

/* NULL for types that CSV can't hold. */
const struct stoa_csv_parser *stoa_csv_parser_find(const struct stoa_type *type);

enum stoa_csv_outcome {
    STOA_CSV_VALUE,
    STOA_CSV_NULL,     /* the text stands for null */
    STOA_CSV_MISFIT,   /* not of the type */
    STOA_CSV_NOT_UTF8, /* text that is no UTF-8 */
};

/*
 * Appends the value of a field to the builder, which has room for it; on NULL, MISFIT and NOT_UTF8
 * nothing is appended. `strict` refuses numbers whose text the type does not give back.
 */
enum stoa_csv_outcome stoa_csv_field_append(const struct stoa_csv_parser *parser,
                                            const struct stoa_type *type,
                                            const struct stoa_csv_field *field, bool strict,
                                            struct stoa_builder *builder);

/* Whether a text is null where no type takes it: empty, NA, N/A, NULL, ... */
bool stoa_csv_text_is_null(const char *text, size_t nbytes);

/* true and false in their three spellings. */
bool stoa_csv_bool_parse(const char *text, size_t nbytes, bool *out);

/* Whether a number has neither a '+' nor a '0' in front of another digit. */
bool stoa_csv_number_is_plain(const char *text, size_t nbytes);

/* [-] digits. */
bool stoa_csv_text_is_integer(const char *text, size_t nbytes);

/* A zero of any form with a '-', whose sign only a float keeps. */
bool stoa_csv_text_is_negative_zero(const char *text, size_t nbytes);

/*
 * Whether the double `x` of a number's text stands for it: an integer below 2^53, or no more than
 * 17 significant digits, and no zero for what is none.
 */
bool stoa_csv_double_is_exact(const char *text, size_t nbytes, double x);

#endif
