/*
 * Parts of predicates as text, for messages and for the terms of a matcher.
 */
#ifndef STOA_STATS_FILTER_PRINT_H
#define STOA_STATS_FILTER_PRINT_H

#include "base/alloc.h"
#include "stats/filter_tree.h"

/* Appends a term, or its opposite: "a in (1, 2)", "a not in (1, 2)", "not a = 1". */
STOA_CHECK enum stoa_status stoa_filter_term_print(struct stoa_buffer *out,
                                                   const struct stoa_filter *term, bool negative,
                                                   struct stoa_error *err);

/* Appends names with dots between them: a.b, a."b c". */
STOA_CHECK enum stoa_status stoa_filter_path_print(struct stoa_buffer *out, char *const *names,
                                                   size_t nnames, struct stoa_error *err);

/* Appends a literal: 'it''s', x'00ff', -1.50, true. */
STOA_CHECK enum stoa_status stoa_filter_value_print(struct stoa_buffer *out,
                                                    const struct stoa_filter_value *value,
                                                    struct stoa_error *err);

#endif
