/*
 * CSV files of all dialects, encodings and defects, from a random number: what restoring must give
 * back byte for byte.
 *
 * Each column has a type and ways to write its values, of which some are odd: zeros in front,
 * digits that say nothing, quotes that nobody needs, words for null, blanks. Between the records
 * stand blank lines and comments; some records are too short or too long, have another line end, or
 * have a value that is none of their column.
 */
#ifndef STOA_TESTS_SUPPORT_GEN_CSV_H
#define STOA_TESTS_SUPPORT_GEN_CSV_H

#include <stoa/csv.h>
#include <stoa/schema.h>

#include "support/random.h"

enum { STOA_TEST_CSV_NFILES = 3 };

struct stoa_test_csv_file {
    char *text;
    size_t nbytes;
};

/* Files of one dialect and the same columns; behind the first in another order, perhaps. */
struct stoa_test_csv_text {
    struct stoa_test_csv_file files[STOA_TEST_CSV_NFILES];
    size_t nfiles;
    struct stoa_csv_options options; /* that read them; or all of them at "auto" */
    enum stoa_csv_on_error on_error;
    bool has_schema; /* else types are to be inferred */
    struct stoa_schema schema;
};

/* Up to about `most` records a file. Release with stoa_test_csv_text_reset(). */
void stoa_test_gen_csv(struct stoa_test_random *r, size_t most, struct stoa_test_csv_text *out);
void stoa_test_csv_text_reset(struct stoa_test_csv_text *text);

#endif
