/*
 * The tables of the damage test and of fixtures/golden: small files that together have every type,
 * every encoding, shared dictionaries with copies, several row groups and zones, source text.
 */
#ifndef STOA_TESTS_SUPPORT_GOLDEN_H
#define STOA_TESTS_SUPPORT_GOLDEN_H

#include "support/stoa_file.h"

#define STOA_TEST_NGOLDEN 27

/* "integers", ...: the name of table number `i` and of its files. */
const char *stoa_test_golden_name(size_t i);

/* A predicate on its columns that some rows satisfy. */
const char *stoa_test_golden_filter(size_t i);

/* Makes table number `i`, the same in every run; release with stoa_test_table_reset(). */
void stoa_test_golden_make(size_t i, struct stoa_test_table *out);

#endif
