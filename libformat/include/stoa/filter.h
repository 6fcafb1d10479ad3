/*
 * Predicates: which rows are wanted.
 *
 *     stoa_filter_parse("passenger_count > 3 and vendor_id = 'CMT'", &filter, &err);
 *     stoa_filter_bind(filter, schema, &matcher, &err);      names and values meet the schema
 *     stoa_matcher_prune(matcher, zones)                     what statistics can tell
 *     stoa_matcher_eval(matcher, &batch, selected, &err)     the rows for which it is true
 *
 * The language is that of the WHERE of SQL for one table; docs/predicates.md has its
 * grammar and what it means for NULL, NaN and values that a type cannot hold.
 */
#ifndef STOA_FILTER_H
#define STOA_FILTER_H

#include <stoa/array.h>
#include <stoa/stats.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Larger predicates are refused with STOA_ERR_LIMIT. */
#define STOA_FILTER_MAX_NBYTES 1048576 /* text */
#define STOA_FILTER_MAX_DEPTH  64      /* parentheses, not, and, or inside each other */
#define STOA_FILTER_MAX_NTERMS 10000   /* comparisons and values of lists together */

/* ---- Filters: a predicate as a tree. Never changes once made; any thread may use it. ---- */

struct stoa_filter;

/*
 * Reads the text of a predicate. STOA_ERR_USAGE with err->offset at the byte where the wrong word
 * starts and a message that counts characters from 1: `character 17: expected a value after ">"`.
 */
STOA_API STOA_CHECK enum stoa_status stoa_filter_parse(const char *text, struct stoa_filter **out,
                                                       struct stoa_error *err);

/* Text in one fixed style that parses to an equal filter; free with stoa_free(). */
STOA_API STOA_CHECK enum stoa_status stoa_filter_print(const struct stoa_filter *filter, char **out,
                                                       struct stoa_error *err);

/* Whether two trees are the same, with names and values as they were written. */
STOA_API bool stoa_filter_equal(const struct stoa_filter *a, const struct stoa_filter *b);

/* NULL is fine. */
STOA_API void stoa_filter_free(struct stoa_filter *filter);

/*
 * A value in a predicate; `text` is borrowed for the call. Which types it fits is decided when the
 * filter meets a schema: TEXT is text, a date, time, timestamp, uuid or symbol of an enum.
 */
enum stoa_value_kind {
    STOA_VALUE_TEXT,   /* nbytes of UTF-8 at text */
    STOA_VALUE_BYTES,  /* nbytes at text */
    STOA_VALUE_NUMBER, /* decimal text: "-12", "0.50", "1e-3"; exact, of any length */
    STOA_VALUE_BOOL,   /* i64 is 0 or 1 */
    STOA_VALUE_INT64,  /* i64; becomes a NUMBER */
    STOA_VALUE_DOUBLE, /* f64; becomes a NUMBER, or a TEXT "NaN", "Infinity", "-Infinity" */
};
struct stoa_value {
    enum stoa_value_kind kind;
    const char *text;
    size_t nbytes;
    int64_t i64;
    double f64;
};

enum stoa_compare {
    STOA_COMPARE_EQUAL,
    STOA_COMPARE_NOT_EQUAL,
    STOA_COMPARE_LESS,
    STOA_COMPARE_LESS_EQUAL,
    STOA_COMPARE_GREATER,
    STOA_COMPARE_GREATER_EQUAL,
};

/*
 * Filters made by a program. `column` and literals are copied. Names mean what they mean in text:
 * the column of exactly this name, else the only one that differs in case alone, else a path "a.b"
 * to a part of a struct.
 * STOA_ERR_USAGE: text that is not UTF-8, a NUMBER that is none; STOA_ERR_LIMIT, STOA_ERR_NOMEM.
 */
STOA_API STOA_CHECK enum stoa_status stoa_filter_compare(const char *column, enum stoa_compare op,
                                                         const struct stoa_value *value,
                                                         struct stoa_filter **out,
                                                         struct stoa_error *err);
STOA_API STOA_CHECK enum stoa_status
stoa_filter_between(const char *column, const struct stoa_value *low, const struct stoa_value *high,
                    struct stoa_filter **out, struct stoa_error *err);
/* nvalues >= 1. */
STOA_API STOA_CHECK enum stoa_status stoa_filter_in(const char *column,
                                                    const struct stoa_value *values, size_t nvalues,
                                                    struct stoa_filter **out,
                                                    struct stoa_error *err);
/* `pattern` is UTF-8; escape is a character (one code point) or 0 for none. */
STOA_API STOA_CHECK enum stoa_status stoa_filter_like(const char *column, const char *pattern,
                                                      size_t pattern_nbytes, uint32_t escape,
                                                      struct stoa_filter **out,
                                                      struct stoa_error *err);
STOA_API STOA_CHECK enum stoa_status
stoa_filter_is_null(const char *column, struct stoa_filter **out, struct stoa_error *err);
STOA_API STOA_CHECK enum stoa_status
stoa_filter_is_nan(const char *column, struct stoa_filter **out, struct stoa_error *err);

/* Take over their operands on STOA_OK and set them to NULL; on failure the caller keeps them. */
STOA_API STOA_CHECK enum stoa_status
stoa_filter_not(struct stoa_filter **operand, struct stoa_filter **out, struct stoa_error *err);
/* noperands >= 1. */
STOA_API STOA_CHECK enum stoa_status stoa_filter_and(struct stoa_filter **operands,
                                                     size_t noperands, struct stoa_filter **out,
                                                     struct stoa_error *err);
STOA_API STOA_CHECK enum stoa_status stoa_filter_or(struct stoa_filter **operands, size_t noperands,
                                                    struct stoa_filter **out,
                                                    struct stoa_error *err);

/* ---- Matchers: a filter that met a schema. Never changes; any thread may use it. ---- */

struct stoa_matcher;

/*
 * Finds the columns and turns the values into those of their types, exactly. The filter and the
 * schema are not needed afterwards. STOA_ERR_USAGE: no such column, a value that has no place among
 * the values of its column's type, a test that the type does not have; the message names the term.
 */
STOA_API STOA_CHECK enum stoa_status stoa_filter_bind(const struct stoa_filter *filter,
                                                      const struct stoa_schema *schema,
                                                      struct stoa_matcher **out,
                                                      struct stoa_error *err);
/* NULL is fine. */
STOA_API void stoa_matcher_free(struct stoa_matcher *matcher);

/*
 * The nodes of the schema (stoa/schema.h) that it looks at, rising, each once; lent. Without nested
 * columns they are the numbers of columns. No node is below a list, so each has a value a row.
 */
STOA_API const uint32_t *stoa_matcher_nodes(const struct stoa_matcher *matcher, uint32_t *nnodes);

/* What is known of the rows that zone maps stand for. */
enum stoa_match {
    STOA_MATCH_NEVER,  /* the predicate is true for no row */
    STOA_MATCH_MAYBE,  /* not known */
    STOA_MATCH_ALWAYS, /* it is true for every row */
};

/*
 * zones[k] is the zone map of node stoa_matcher_nodes()[k] for the same rows. Of no rows
 * anything may be said.
 */
STOA_API enum stoa_match stoa_matcher_prune(const struct stoa_matcher *matcher,
                                            const struct stoa_zone *zones);

/*
 * Sets bit i of selected[(nrows + 7) / 8] where the predicate is true for row i, and clears the
 * others, those behind the last row too. arrays[k] is that of node stoa_matcher_nodes()[k], valid
 * (stoa_array_validate()), of nrows values; of a node with children its nulls are enough.
 * STOA_ERR_NOMEM. Cost: a pass over each array for each term.
 */
STOA_API STOA_CHECK enum stoa_status stoa_matcher_eval_nodes(const struct stoa_matcher *matcher,
                                                             const struct stoa_array *const *arrays,
                                                             size_t nrows, uint8_t *selected,
                                                             struct stoa_error *err);

/* The same for a batch of the schema that the filter was bound to. */
STOA_API STOA_CHECK enum stoa_status stoa_matcher_eval(const struct stoa_matcher *matcher,
                                                       const struct stoa_batch *batch,
                                                       uint8_t *selected, struct stoa_error *err);

/*
 * The terms (comparisons, in, between, like, is) in the order of the text, each by itself: what it
 * says, the node it looks at (a place in stoa_matcher_nodes()), what a zone map of it tells.
 */
STOA_API uint32_t stoa_matcher_nterms(const struct stoa_matcher *matcher);
STOA_API const char *stoa_matcher_term_text(const struct stoa_matcher *matcher, uint32_t term);
STOA_API uint32_t stoa_matcher_term_node(const struct stoa_matcher *matcher, uint32_t term);
STOA_API enum stoa_match stoa_matcher_prune_term(const struct stoa_matcher *matcher, uint32_t term,
                                                 const struct stoa_zone *zone);

#ifdef __cplusplus
}
#endif

#endif
