/*
 * From tiles to columns: the values of the fields of a tile, and how their text was written
 * (spec/csv.md, section 3).
 *
 *     struct stoa_csv_column columns[]     how the fields of each column are read; any thread
 *     struct stoa_csv_values values[]      what was read of them so far; of one unit, one thread
 *
 *     for each tile of a unit:
 *         STOA_TRY(stoa_csv_tile_parse(columns, ncolumns, &tile, values, &misfits, err));
 *     stoa_csv_values_finish(...)          array and forms, without the rows that were rejected
 *
 * A column is parsed over all rows of a tile before the next one. Its loop takes the fields that
 * are written the usual way and stops at any other, which one function for all types reads: the
 * reference, that the loops agree with.
 */
#ifndef STOA_CSV_PARSE_H
#define STOA_CSV_PARSE_H

#include <stoa/csv.h>

#include "base/alloc.h"
#include "base/time_pattern.h"
#include "column/builder.h"
#include "csv/kind.h"
#include "csv/record.h"

struct stoa_csv_tile;

/* ---- Forms: how a text differs from others of the same value. ---- */

/* clang-format off */
/*
 * The form of a value is 16 bits; 0 is the way that a value is written if nothing else is said.
 *
 *     bits 0..7   the form
 *     bits 8..14  floats and decimals without an exponent: the least form that writes the same
 *     bit 15      the field stands in quotes
 *
 * int, uint        0; or the digits that zeros in front make it, up to 32: 3 for 007 and -007
 * float, decimal   digits behind the point, 0: no point. The text is the shortest that reads back
 *                  (a float) or all digits (a decimal), in plain notation, with zeros behind
 * float            64 and digits behind the point: the same digits, of which one stands in front of
 *                  the point, with an exponent. Bits 8..11 have its style, bit 12 is set if there
 *                  is no zero at the end
 * bool             the number of its spelling in the list: 0 true, 1 True, 2 TRUE
 * time             digits of the fraction
 * timestamp        bits 0..3 digits of the fraction, bit 4 a 'T' in ISO 8601, bits 5..6 how UTC is
 *                  written: 0 Z, 1 +00:00, 2 +0000, 3 +00
 * uuid             0 lower case, 1 upper case
 * null             the number of its spelling: 0 nothing, 1 "", 2.. the words of the list
 * others           0
 *
 * Numbers have groups of three digits where the dialect has a separator for them. A date, time or
 * timestamp is written by the pattern of its column. Whatever is not given back like this is kept:
 */
/* clang-format on */
#define STOA_CSV_FORM_VERBATIM    255 /* the raw field is in the list */
#define STOA_CSV_FORM_LEAST_SHIFT 8
#define STOA_CSV_FORM_QUOTED      0x8000

#define STOA_CSV_MAX_FORM         125 /* that a byte of the side table has (csv/form.h) */
#define STOA_CSV_FORM_EXPONENT    64  /* the first form with one, of floats */
#define STOA_CSV_FORM_STYLE_SHIFT 8
#define STOA_CSV_FORM_SHORT       0x1000

/* Styles of exponents: bits, and the fewest digits less one. */
#define STOA_CSV_EXPONENT_UPPER       1U /* E */
#define STOA_CSV_EXPONENT_PLUS        2U
#define STOA_CSV_EXPONENT_WIDTH_SHIFT 2
#define STOA_CSV_EXPONENT_NSTYLES     12

#define STOA_CSV_FORM_T          16
#define STOA_CSV_FORM_ZONE_SHIFT 5
#define STOA_CSV_FORM_NULL_WORDS 2 /* the form of the first word of the list */

/* A field as it stands in the text, quotes and blanks included. */
struct stoa_csv_verbatim {
    uint32_t row; /* of the unit, rejected ones not counted */
    size_t begin; /* in bytes */
    size_t nbytes;
};

struct stoa_csv_forms {
    uint16_t *codes; /* one a value, or NULL: all are 0 */
    size_t nvalues;
    struct stoa_csv_verbatim *verbatims; /* by row */
    size_t nverbatims;
    size_t capacity;
    struct stoa_buffer bytes;
};

void stoa_csv_forms_reset(struct stoa_csv_forms *forms);

/* ---- Columns: how fields are read. ---- */

enum stoa_csv_outcome {
    STOA_CSV_VALUE,
    STOA_CSV_NULL,     /* the text stands for null */
    STOA_CSV_MISFIT,   /* not of the type */
    STOA_CSV_NOT_UTF8, /* text that is no UTF-8 */
};

/* What all columns of a source have in common: its options, prepared. Constant; any thread. */
struct stoa_csv_reading {
    const struct stoa_csv_options *options; /* borrowed, and what they point to */
    struct stoa_csv_dialect dialect;
    struct stoa_csv_spellings spellings;
    bool strict; /* a text that its type would not give back does not fit (spec, section 3) */
    bool wants_forms;
};

/* STOA_ERR_USAGE for date formats that are none. There is nothing to free. */
STOA_CHECK enum stoa_status stoa_csv_reading_init(struct stoa_csv_reading *reading,
                                                  const struct stoa_csv_options *options,
                                                  bool strict, bool wants_forms,
                                                  struct stoa_error *err);

struct stoa_csv_parser;

struct stoa_csv_column {
    const struct stoa_field *field;         /* borrowed */
    const struct stoa_csv_reading *reading; /* borrowed */
    bool strict;                            /* of the reading, unless the options give its type */
    bool is_filename;                       /* no column of the text: stoa_csv_values_fill() */
    bool wants_forms;                       /* of the reading */
    const struct stoa_csv_parser *parser;
    bool has_pattern; /* else ISO 8601 */
    struct stoa_time_pattern pattern;
};

/*
 * `field` and `reading` must outlive the column. STOA_ERR_USAGE for a type that has no text form,
 * and for a csv_format of the field's metadata that is no pattern for a date or time of the field's
 * type; for the names of the inputs in a column that is not utf8. There is nothing to free.
 */
STOA_CHECK enum stoa_status stoa_csv_column_init(struct stoa_csv_column *column,
                                                 const struct stoa_field *field,
                                                 const struct stoa_csv_reading *reading,
                                                 struct stoa_error *err);

/* Whether values of the column may turn out to be of another type: not text, nor a type that was
   given. */
static inline bool stoa_csv_column_may_widen(const struct stoa_csv_column *column)
{
    return column->strict && column->field->type.id != STOA_UTF8;
}

/*
 * The pattern that a field has for its dates and times (csv_format in its metadata); *found is
 * false where it has none, or ISO 8601. STOA_ERR_USAGE for what is no pattern for the field's type.
 */
STOA_CHECK enum stoa_status stoa_csv_pattern_of(const struct stoa_field *field,
                                                struct stoa_time_pattern *out, bool *found,
                                                struct stoa_error *err);

/* In the place of a column of the text: there is none, and every value is null, or the name of the
   input. */
#define STOA_CSV_NO_PLACE UINT32_MAX

/* ---- Values: what was read. ---- */

struct stoa_csv_values {
    struct stoa_builder builder;
    struct stoa_csv_forms forms;
    size_t ncodes_capacity;
    struct stoa_buffer scratch; /* a text without its escapes */
};

/* A field that is no value of its column; what stands in the column is null. */
struct stoa_csv_misfit {
    uint32_t row;    /* of the tile */
    uint32_t column; /* of the text */
    const struct stoa_csv_column *read_as;
    enum stoa_csv_outcome outcome; /* NULL: in a column that is not nullable */
};

struct stoa_csv_misfits {
    struct stoa_csv_misfit *items; /* by column, then row */
    size_t nitems;
    size_t capacity;
};

/* Room for nvalues values (text apart). Release with _reset(). */
STOA_CHECK enum stoa_status stoa_csv_values_init(struct stoa_csv_values *values,
                                                 const struct stoa_csv_column *column,
                                                 size_t nvalues, struct stoa_error *err);
void stoa_csv_values_reset(struct stoa_csv_values *values);

/*
 * Appends a value for each row of the tile to values[i], for each columns[i], which is column
 * places[i] of the text, but for the names of inputs; fields that do not fit are added to *misfits,
 * which the caller empties (nitems = 0) and frees. Errors: STOA_ERR_LIMIT (2 GiB of text in a
 * column), STOA_ERR_NOMEM; then the columns differ in length.
 */
STOA_CHECK enum stoa_status stoa_csv_tile_parse(const struct stoa_csv_column *columns,
                                                const uint32_t *places, uint32_t ncolumns,
                                                const struct stoa_csv_tile *tile,
                                                struct stoa_csv_values *values,
                                                struct stoa_csv_misfits *misfits,
                                                struct stoa_error *err);

/* Makes the column, which is_filename, nvalues times the text. Errors: as those of the parser. */
STOA_CHECK enum stoa_status stoa_csv_values_fill(struct stoa_csv_values *values, const char *text,
                                                 size_t nvalues, struct stoa_error *err);

/*
 * Hands the values over: *out is overwritten; so is *forms, if it is not NULL. With `rejected`, a
 * bitmap of the rows, those rows are left out. The values are empty again.
 */
STOA_CHECK enum stoa_status stoa_csv_values_finish(struct stoa_csv_values *values,
                                                   const struct stoa_csv_column *column,
                                                   const uint8_t *rejected, struct stoa_array *out,
                                                   struct stoa_csv_forms *forms,
                                                   struct stoa_error *err);

#endif
