/*
 * Files of different schemas that merge, and what their rows must be afterwards.
 */
#ifndef STOA_TESTS_SUPPORT_MERGE_PARTS_H
#define STOA_TESTS_SUPPORT_MERGE_PARTS_H

#include <stoa/merge.h>

#include "support/stoa_file.h"

/* Merges files in memory into *out, released by stoa_test_file_reset(). `report` may be NULL. */
void stoa_test_merge(const struct stoa_test_file *parts, size_t nparts,
                     const struct stoa_merge_options *options, struct stoa_merge_report *report,
                     struct stoa_test_file *out);

/* The same that may fail; *out is {0} then. */
enum stoa_status stoa_test_try_merge(const struct stoa_test_file *parts, size_t nparts,
                                     const struct stoa_merge_options *options,
                                     struct stoa_merge_report *report, struct stoa_test_file *out,
                                     struct stoa_error *err);

/*
 * A part of a table whose columns have types that vary from part to part, in an order of their own,
 * and perhaps not all of them. `families` are numbers drawn by stoa_test_draw_families(): the
 * columns "c0", "c1", ... of all parts.
 */
#define STOA_TEST_MAX_FAMILIES 5
struct stoa_test_families {
    unsigned numbers[STOA_TEST_MAX_FAMILIES];
    uint32_t n;
};
struct stoa_test_families stoa_test_draw_families(struct stoa_test_random *r);
void stoa_test_make_part(struct stoa_test_random *r, const struct stoa_test_families *families,
                         bool may_miss, const struct stoa_rules *rules,
                         struct stoa_test_table *out);

/*
 * Whether the merged file holds the rows of the tables in order, value by value: numbers, times and
 * texts that are equal whatever their types are. False after a message.
 */
bool stoa_test_merged_is(const struct stoa_test_file *merged, const struct stoa_test_table *tables,
                         size_t ntables);

#endif
