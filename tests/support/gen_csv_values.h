/*
 * Columns of generated CSV files (support/gen_csv.h): what they hold, and the ways in which their
 * values are written.
 */
#ifndef STOA_TESTS_SUPPORT_GEN_CSV_VALUES_H
#define STOA_TESTS_SUPPORT_GEN_CSV_VALUES_H

#include "support/random.h"

enum { STOA_TEST_CSV_VALUE_NBYTES = 128 };

/* Stands for a NUL in generated text until all of it is there. */
#define STOA_TEST_CSV_NUL '\x02'

struct stoa_test_csv_column {
    const char *type;   /* that holds its values, odd ones perhaps not */
    const char *format; /* of its dates, or NULL */
    unsigned content;
    unsigned ndigits; /* behind the point, or to pad to */
    unsigned way;     /* of several to write a value; most values have that of their column */
    unsigned quotes;  /* 0 where they are needed, 1 always, 2 sometimes */
    unsigned odd;     /* one value in so many is odd; 0: none */
    unsigned nulls;   /* the same */
    const char *null;
    char decimal;   /* of the dialect */
    char thousands; /* or NUL */
};

/* A text column that is asked for by name, for what only text can hold. */
bool stoa_test_csv_column_is_text(const struct stoa_test_csv_column *column);

/* Draws a column of a dialect with these marks. */
void stoa_test_csv_column_draw(struct stoa_test_random *r, char decimal, char thousands,
                               struct stoa_test_csv_column *out);

/* What a value says, without quotes; ends with a NUL. */
void stoa_test_csv_column_write(struct stoa_test_random *r,
                                const struct stoa_test_csv_column *column,
                                char out[STOA_TEST_CSV_VALUE_NBYTES]);

#endif
