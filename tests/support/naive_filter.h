/*
 * Predicates the slow way: one row at a time, one comparison at a time, in SQL's logic of true,
 * false and unknown, with values and literals compared as the texts that people read. Shares the
 * tree with the library and nothing else: not its names, casts, ranges, patterns or loops.
 */
#ifndef STOA_TESTS_SUPPORT_NAIVE_FILTER_H
#define STOA_TESTS_SUPPORT_NAIVE_FILTER_H

#include <stoa/array.h>
#include <stoa/filter.h>

enum stoa_test_truth { STOA_TEST_FALSE, STOA_TEST_UNKNOWN, STOA_TEST_TRUE };

/* The predicate for one row; the filter must bind to the schema. */
enum stoa_test_truth stoa_test_naive_filter(const struct stoa_filter *filter,
                                            const struct stoa_batch *batch, size_t row);

#endif
