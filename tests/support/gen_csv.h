/*
 * CSV files of all dialects and defects, from a random number: what restoring must give back byte
 * for byte.
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

struct stoa_test_csv_text {
    char *text;
    size_t nbytes;
    struct stoa_csv_options options; /* that read it */
    bool has_schema;                 /* else types are to be inferred */
    struct stoa_schema schema;
};

/* Up to about `most` records. Release with stoa_test_csv_text_reset(). */
void stoa_test_gen_csv(struct stoa_test_random *r, size_t most, struct stoa_test_csv_text *out);
void stoa_test_csv_text_reset(struct stoa_test_csv_text *text);

#endif
