/*
 * From values back to the text they had: rules, forms, printing (spec/csv.md, "Restore").
 *
 * csv/parse.h tells the form of each value's text. Here most of them are told by one *rule* for all
 * values of a column in a row group, and a byte for each value that does not follow it:
 *
 *     values  1.5    0      22.25  nan
 *     texts   1.50   0      22.25  nan
 *     codes   2      0      2      verbatim
 *     rule    two digits at least, zero with none
 *     bytes   0      0      0      255
 */
#ifndef STOA_CSV_FORM_H
#define STOA_CSV_FORM_H

#include "csv/parse.h"
#include "csv/record.h"

enum stoa_csv_rule_quoting {
    STOA_CSV_RULE_NEEDED, /* text that is empty or holds the delimiter, a quote or a line end */
    STOA_CSV_RULE_BLANKS, /* the same, and text that begins or ends with a blank */
    STOA_CSV_RULE_VALUES, /* every value; nulls as `null_quoted` says */
    STOA_CSV_RULE_NQUOTINGS,
};

/* {0} is how values are written if nothing is said; it needs no place in the file. */
struct stoa_csv_rule {
    uint8_t quoting; /* enum stoa_csv_rule_quoting; values that are no text are never in need of
                        quotes */
    uint8_t form;    /* of csv/parse.h; of digits behind a point, and to pad to, the least number */
    uint8_t zero;    /* float, decimal: digits behind the point of a zero */
    uint8_t null;    /* number of the spelling */
    bool null_quoted;
    uint8_t exponent; /* style of exponents */
};

#define STOA_CSV_RULE_NBYTES 8

/* False for bytes that are no rule. */
bool stoa_csv_rule_load(const uint8_t bytes[STOA_CSV_RULE_NBYTES], struct stoa_csv_rule *out);
void stoa_csv_rule_store(const struct stoa_csv_rule *rule, uint8_t bytes[STOA_CSV_RULE_NBYTES]);

/*
 * The byte of a value: 0 as the rule says; 1 + form, and QUOTED more in quotes; VERBATIM. Only
 * forms up to STOA_CSV_MAX_FORM have one.
 */
#define STOA_CSV_BYTE_QUOTED   126
#define STOA_CSV_BYTE_VERBATIM 255

/* Memory of texts, in blocks that stay where they are. `{0}` is empty. */
struct stoa_csv_pool_block {
    char *bytes;
    size_t nbytes;
};
struct stoa_csv_pool {
    struct stoa_csv_pool_block *blocks;
    size_t nblocks;
    size_t capacity;
    char *next; /* room from here to `end` */
    char *end;
    size_t block; /* that `next` is in */
};

void stoa_csv_pool_free(struct stoa_csv_pool *pool);

/* Makes all of it room again; texts that were there are lost. */
void stoa_csv_pool_empty(struct stoa_csv_pool *pool);

/* The text of one raw field. At least STOA_CSV_CELL_SLACK bytes behind it can be read. */
struct stoa_csv_cell {
    const char *text;
    size_t nbytes;
};
#define STOA_CSV_CELL_SLACK 32

/* Spellings of one thing, in the order of the dialect. */
struct stoa_csv_words {
    const char *const *items;
    size_t nitems;
};

/* Prints the values of a column of one row group. */
struct stoa_csv_printer {
    struct stoa_csv_column column;
    const struct stoa_csv_options *options;
    struct stoa_csv_rule rule;
    bool is_plain;                      /* numbers have a '.' and no groups */
    struct stoa_known_days *known_days; /* set by those who print much; NULL: none */
    struct stoa_csv_words nulls;        /* the words; two spellings stand in front of them */
    struct stoa_csv_words words[2];     /* of false and true */
};

/*
 * `field` and `reading`, whose options have nothing left at "auto", are borrowed. STOA_ERR_CORRUPT
 * for a dialect that has no word for true or false; STOA_ERR_USAGE as stoa_csv_column_init().
 */
STOA_CHECK enum stoa_status stoa_csv_printer_init(struct stoa_csv_printer *printer,
                                                  const struct stoa_field *field,
                                                  const struct stoa_csv_reading *reading,
                                                  const struct stoa_csv_rule *rule,
                                                  struct stoa_error *err);

/*
 * The raw fields of values [begin, end) of an array into cells[0, end - begin).
 *
 * bytes  by value, or NULL: all follow the rule
 * raw    binary: the field of each value whose byte is VERBATIM; NULL when there is none
 * pool   holds texts that are made; others are lent by the arrays
 *
 * STOA_ERR_CORRUPT for bytes that the type can't have, and a verbatim field that is not there.
 */
STOA_CHECK enum stoa_status stoa_csv_print(const struct stoa_csv_printer *printer,
                                           const struct stoa_array *array, const uint8_t *bytes,
                                           const struct stoa_array *raw, size_t begin, size_t end,
                                           struct stoa_csv_cell *cells, struct stoa_csv_pool *pool,
                                           struct stoa_error *err);

/* One value in a form that is given, whatever the rule says. */
STOA_CHECK enum stoa_status stoa_csv_print_form(const struct stoa_csv_printer *printer,
                                                const struct stoa_array *array, size_t i,
                                                unsigned form, bool quoted,
                                                struct stoa_csv_pool *pool,
                                                struct stoa_csv_cell *out, struct stoa_error *err);

/* ---- For the choice of rules (csv/rule.c), which must foresee what is printed. ---- */

/* The exponent of a float that is not 0, or of 0 as 0. */
struct stoa_csv_exponent {
    bool negative;
    unsigned ndigits;
};
struct stoa_csv_exponent stoa_csv_value_exponent(const struct stoa_type *type,
                                                 const struct stoa_array *array, size_t i);

/* Whether a value is 0, which has digits of its own behind the point: floats and decimals. */
bool stoa_csv_value_is_zero(const struct stoa_type *type, const struct stoa_array *array, size_t i);

/* What a text is in need of quotes for. */
struct stoa_csv_need {
    bool needed; /* under STOA_CSV_RULE_NEEDED */
    bool blanks; /* under STOA_CSV_RULE_BLANKS */
};
struct stoa_csv_need stoa_csv_text_need(const struct stoa_csv_options *options, const char *text,
                                        size_t nbytes);

/* Whether some text among these bytes may need quotes for what it holds. Cost: one pass. */
bool stoa_csv_text_may_need(const struct stoa_csv_options *options, const char *text,
                            size_t nbytes);

/* The text of an enum, utf8 value i; other types have none. */
struct stoa_csv_cell stoa_csv_value_text(const struct stoa_type *type,
                                         const struct stoa_array *array, size_t i);

/* ---- form_print.c: one value. ---- */

#define STOA_CSV_FORM_FRACTION 15U /* bits of a time's form: digits of its fraction */

#define STOA_CSV_VALUE_NBYTES 1024 /* of a value that is no text and no bytes, at the most */

/* Whether values are printed: numbers, times, bool, uuid. The others are text or bytes. */
bool stoa_csv_type_is_printed(const struct stoa_type *type);

/* Prints one value, as stoa_csv_value_print() does, with the point of C and without groups. */
typedef char *stoa_csv_value_printer(const struct stoa_csv_printer *printer,
                                     const struct stoa_array *array, size_t i, unsigned form,
                                     char *out);

/* The one of a type; NULL for types that are not printed, or not by such a one alone. */
stoa_csv_value_printer *stoa_csv_value_printer_find(const struct stoa_csv_printer *printer);

/*
 * Value i, which is not null, at `out` in `form`, with as many digits behind the point as it needs
 * in any case; returns the end. A number that no spelling has stands for the last one.
 */
char *stoa_csv_value_print(const struct stoa_csv_printer *printer, const struct stoa_array *array,
                           size_t i, unsigned form, char *out);

/* The digits of an integer; those that the fraction of a time needs; 0 for other types. */
unsigned stoa_csv_value_least(const struct stoa_type *type, const struct stoa_array *array,
                              size_t i);

#endif
