/*
 * Filters whose allocations fail.
 */
#ifndef STOA_TESTS_SUPPORT_FILTER_FAULTS_H
#define STOA_TESTS_SUPPORT_FILTER_FAULTS_H

#include <stoa/array.h>
#include <stoa/filter.h>

/* Binds and evaluates on a batch of up to 8 rows while each allocation in turn fails. */
void stoa_test_filter_each_failing_alloc(const struct stoa_filter *filter,
                                         const struct stoa_batch *batch);

#endif
