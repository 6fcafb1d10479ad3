/*
 * Reading one value of any type: the reference of the loops, for the files csv/parse_*.c.
 */
#ifndef STOA_CSV_PARSE_VALUE_H
#define STOA_CSV_PARSE_VALUE_H

#include "csv/index.h"
#include "csv/parse.h"

/* A tile on its way through a loop. */
struct stoa_csv_scan {
    const struct stoa_csv_column *column;
    uint32_t place; /* of it in the text, or STOA_CSV_NO_PLACE */
    const struct stoa_csv_tile *tile;
    struct stoa_csv_values *values;
    uint32_t row; /* the next; the loop moves it */
    bool is_utf8; /* all text of the tile */
};

/*
 * Appends values from scan->row on, for which the builder has room (text apart), and stops at the
 * first field that is not written the usual way, or at the end of the tile.
 */
typedef void stoa_csv_loop_function(struct stoa_csv_scan *scan);

stoa_csv_loop_function stoa_csv_loop_bool;
stoa_csv_loop_function stoa_csv_loop_int8, stoa_csv_loop_int16, stoa_csv_loop_int32,
    stoa_csv_loop_int64;
stoa_csv_loop_function stoa_csv_loop_uint8, stoa_csv_loop_uint16, stoa_csv_loop_uint32,
    stoa_csv_loop_uint64;
stoa_csv_loop_function stoa_csv_loop_float32, stoa_csv_loop_float64, stoa_csv_loop_decimal;
stoa_csv_loop_function stoa_csv_loop_date, stoa_csv_loop_time, stoa_csv_loop_timestamp;
stoa_csv_loop_function stoa_csv_loop_utf8;

/*
 * Reads what a field says into `out`, the place of a value of the array (a bool for bool), and sets
 * *form. False: not of the type, or, in a strict column, not all that the text says; what `out`
 * holds then does not matter.
 */
typedef bool stoa_csv_read_function(const struct stoa_csv_column *column, const char *text,
                                    size_t nbytes, void *out, unsigned *form);

struct stoa_csv_parser {
    enum stoa_type_id id;
    stoa_csv_loop_function *loop; /* NULL: the reference reads every field */
    stoa_csv_read_function *read; /* NULL: text, bytes, and the type that is always null */
};

/* NULL for types that CSV can't hold. */
const struct stoa_csv_parser *stoa_csv_parser_find(const struct stoa_type *type);

/* Room for more values, for the codes they have if there are codes, and for their text. */
STOA_CHECK enum stoa_status stoa_csv_values_reserve(struct stoa_csv_values *values, size_t nvalues,
                                                    size_t nbytes, struct stoa_error *err);

/*
 * Appends the value of the raw field [begin, end), null if it is none, to the values: any field, of
 * any dialect, with its form.
 */
STOA_CHECK enum stoa_status stoa_csv_value_append(const struct stoa_csv_column *column,
                                                  const char *begin, const char *end,
                                                  struct stoa_csv_values *values,
                                                  enum stoa_csv_outcome *outcome,
                                                  struct stoa_error *err);

/* parse_form.c: how what was read was written. */
unsigned stoa_csv_form_of_integer(const struct stoa_csv_column *column, const char *text,
                                  size_t nbytes, bool grouped);
unsigned stoa_csv_form_of_float(const struct stoa_csv_column *column, const char *text,
                                size_t nbytes, bool grouped, const void *value);
unsigned stoa_csv_form_of_decimal(const struct stoa_csv_column *column, const char *text,
                                  size_t nbytes, bool grouped);

/* Whether quoting what a field says gives the raw field [begin, end) again. */
bool stoa_csv_field_is_restorable(const struct stoa_csv_field *field, const char *begin,
                                  const char *end, const char *text, size_t nbytes);

#endif
