/*
 * Columns whose values a test says one by one. A helper that fails fails the running test.
 */
#ifndef STOA_TESTS_SUPPORT_COLUMNS_H
#define STOA_TESTS_SUPPORT_COLUMNS_H

#include <stoa/array.h>

/* Fails the test with the message of `err` unless `st` is STOA_OK. */
void stoa_test_check(enum stoa_status st, const struct stoa_error *err);

/* A column of a type without parameters. */
void stoa_test_add_column(struct stoa_schema *schema, const char *name, enum stoa_type_id id,
                          bool nullable);

/* Text i of a column, in `room` or elsewhere; NULL: value i is null. */
typedef const char *stoa_test_text(size_t i, char room[64]);

/* An array of utf8 with texts text(0), text(1), ... */
void stoa_test_make_texts(struct stoa_array *out, size_t nvalues, stoa_test_text *text);

/* An array of int64 with values number(0), number(1), ... */
void stoa_test_make_numbers(struct stoa_array *out, size_t nvalues, int64_t (*number)(size_t i));

/* Rows [begin, end) of a batch as a batch of their own. */
void stoa_test_copy_rows(const struct stoa_batch *from, size_t begin, size_t end,
                         struct stoa_batch *out);

/* A table of a nullable text "key" of 97 values, one in 11 null, and "row", the row's number. */
void stoa_test_make_keys(struct stoa_schema *schema, size_t nrows, struct stoa_batch *out);

#endif
