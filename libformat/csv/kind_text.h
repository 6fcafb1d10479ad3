/*
 * What one text can be, for the evidence of a column (csv/kind.h).
 */
#ifndef STOA_CSV_KIND_TEXT_H
#define STOA_CSV_KIND_TEXT_H

#include <stoa/csv.h>

/* No decimal number with more significant digits is taken for a float64 by inference. */
#define STOA_CSV_DOUBLE_NDIGITS 17

/*
 * Ways to write a day: order (0 year month day, 1 day month year, 2 month day year) and separator
 * (of STOA_CSV_DAY_SEPARATORS), with four digits of the year or with two; and ISO 8601, which also
 * has years of more than four digits, and no day without its zero.
 */
#define STOA_CSV_DAY_SEPARATORS               "-/."
#define STOA_CSV_DAYS(order, separator)       (UINT32_C(1) << (3 * (order) + (separator)))
#define STOA_CSV_SHORT_DAYS(order, separator) (STOA_CSV_DAYS(order, separator) << 9)
#define STOA_CSV_DAYS_ISO                     (UINT32_C(1) << 18)
#define STOA_CSV_DAYS_ALL                     ((UINT32_C(1) << 19) - 1)

/* Ways to write a time of day behind it. */
#define STOA_CSV_CLOCK_ISO          (UINT32_C(1) << 0) /* 07:05:09, 07:05:09.25 */
#define STOA_CSV_CLOCK_SECONDS      (UINT32_C(1) << 1) /* 7:05:09 */
#define STOA_CSV_CLOCK_MINUTES      (UINT32_C(1) << 2) /* 7:05 */
#define STOA_CSV_CLOCK_HALF_SECONDS (UINT32_C(1) << 3) /* 7:05:09 PM */
#define STOA_CSV_CLOCK_HALF         (UINT32_C(1) << 4) /* 7:05 PM */
#define STOA_CSV_CLOCK_ALL          ((UINT32_C(1) << 5) - 1)

/* The kinds that hold a text exactly, and its shape as far as these kinds have use for it. */
struct stoa_csv_text_kinds {
    uint32_t kinds; /* of enum stoa_csv_kind */
    uint32_t days;
    uint32_t clocks;
    uint32_t integer_ndigits;
    uint32_t fraction_ndigits;
    uint32_t second_ndigits;
    double number; /* of a number the nearest double */
    bool fraction; /* a number with a point, an exponent, or none that is finite */
    bool separators[2];
    bool late;
    bool padded;
    bool unpadded;
};

/* A text that is not empty and no word for null. */
void stoa_csv_text_kinds(const struct stoa_csv_options *options, const char *text, size_t nbytes,
                         struct stoa_csv_text_kinds *out);

/* The null values of the options, a list that ends with NULL, and which of them a text that is not
   empty is: from 1, or 0. */
const char *const *stoa_csv_null_words(const struct stoa_csv_options *options);
int stoa_csv_null_word(const struct stoa_csv_options *options, const char *text, size_t nbytes);

#endif
