/*
 * Random side tables and sources (stoa/source_text.h), what a file gives back of them, and whether
 * it is the same.
 */
#ifndef STOA_TESTS_SUPPORT_GEN_SOURCE_TEXT_H
#define STOA_TESTS_SUPPORT_GEN_SOURCE_TEXT_H

#include <stoa/reader.h>

#include "support/random.h"

/* A side table of a row group: one in four is empty, others have some columns of each kind. */
void stoa_test_gen_side(struct stoa_test_random *r, uint32_t ncolumns, size_t nrows,
                        struct stoa_side *out);

/*
 * n sources that share nrows rows, some of none, with gaps between; free with
 * stoa_source_infos_free().
 */
struct stoa_source_info *stoa_test_gen_sources(struct stoa_test_random *r, size_t n,
                                               uint64_t nrows);

void stoa_test_side_copy(const struct stoa_side *side, struct stoa_side *out);
void stoa_test_source_copy(const struct stoa_source_info *info, struct stoa_source_info *out);

bool stoa_test_side_equal(const struct stoa_side *a, const struct stoa_side *b);
bool stoa_test_source_equal(const struct stoa_source_info *a, const struct stoa_source_info *b);

/*
 * Appends them to *out as lines of JSON, as `spec/decoder/stoa_decode.py --text` prints them; free
 * with stoa_free().
 */
void stoa_test_side_print(uint32_t row_group, const struct stoa_side *side, char **out,
                          size_t *nbytes);
void stoa_test_source_print(const struct stoa_source_info *info, char **out, size_t *nbytes);

/* The field of a column of that kind. */
const struct stoa_field *stoa_test_side_field(unsigned kind);

#endif
