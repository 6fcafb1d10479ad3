/*
 * What one text can be, for the evidence of a column (csv/kind.h).
 */
#ifndef STOA_CSV_KIND_TEXT_H
#define STOA_CSV_KIND_TEXT_H

#include "csv/kind.h"

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
#define STOA_CSV_CLOCK_FRACTION     (UINT32_C(1) << 5) /* 7:05:09.25 */
#define STOA_CSV_CLOCK_ALL          ((UINT32_C(1) << 6) - 1)

/* The kinds that hold a text exactly, and its shape as far as these kinds have use for it. */
struct stoa_csv_text_kinds {
    uint32_t kinds; /* of enum stoa_csv_kind */
    uint32_t days;
    uint32_t clocks;
    uint32_t formats;
    uint32_t integer_ndigits;
    uint32_t fraction_ndigits;
    uint32_t second_ndigits;
    double number; /* of a number the nearest double */
    bool fraction; /* a number with a point, an exponent, or none that is finite */
    bool separators[2];
    bool late;
    bool padded[2]; /* days and months, hours */
    bool unpadded[2];
};

/* A text that is not empty and no word for null. */
void stoa_csv_text_kinds(const struct stoa_csv_spellings *spellings, const char *text,
                         size_t nbytes, struct stoa_csv_text_kinds *out);

/*
 * Adds what a text is as a date in one of the ways of STOA_CSV_DAYS(), alone or with a time of day
 * behind it; out->kinds and its ways may have those of ISO 8601 already.
 */
void stoa_csv_date_kinds(const char *text, size_t nbytes, struct stoa_csv_text_kinds *out);

/* What a pattern makes of a text. */
enum stoa_csv_kind stoa_csv_pattern_kind(const struct stoa_time_pattern *pattern);

/* Which of the null values a text that is not empty is: from 1, or 0. */
int stoa_csv_null_word(const struct stoa_csv_spellings *spellings, const char *text, size_t nbytes);

#endif
