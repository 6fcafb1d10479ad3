/*
 * The tree of a predicate, as it was written: names and literals, no types.
 *
 *     a > 3 and b.c not in ('x', 'y')    AND
 *                                        +- COMPARE [a] GREATER [3]
 *                                        +- NOT
 *                                           +- IN [b, c] ['x', 'y']
 */
#ifndef STOA_STATS_FILTER_TREE_H
#define STOA_STATS_FILTER_TREE_H

#include <stoa/filter.h>

#include "column/cast.h"

enum stoa_filter_op {
    STOA_FILTER_AND,
    STOA_FILTER_OR,
    STOA_FILTER_NOT,
    STOA_FILTER_COMPARE, /* one value; from here on: terms, which look at one column or part */
    STOA_FILTER_BETWEEN, /* two values */
    STOA_FILTER_IN,      /* one value or more */
    STOA_FILTER_LIKE,    /* one value, a TEXT */
    STOA_FILTER_IS_NULL,
    STOA_FILTER_IS_NAN,
};

/* Names from a column on: that of the column alone, or those of parts of structs behind it. */
struct stoa_filter_path {
    char **names;
    size_t nnames;
};

/* A literal that owns its bytes, which are terminated. */
struct stoa_filter_value {
    enum stoa_literal_kind kind;
    char *bytes; /* NUMBER: as written; BOOL: "true" or "false" */
    size_t nbytes;
};

struct stoa_filter {
    enum stoa_filter_op op;
    enum stoa_compare compare;        /* COMPARE */
    uint32_t escape;                  /* LIKE: a code point, or 0 */
    uint32_t depth;                   /* operators above the deepest term; 0 for a term */
    uint32_t nterms;                  /* that count towards STOA_FILTER_MAX_NTERMS */
    struct stoa_filter_path path;     /* terms */
    struct stoa_filter_value *values; /* terms */
    size_t nvalues;
    struct stoa_filter **operands; /* AND, OR: two or more; NOT: one */
    size_t noperands;
};

/* A copy of a literal's bytes. */
STOA_CHECK enum stoa_status stoa_filter_value_copy(struct stoa_filter_value *out,
                                                   enum stoa_literal_kind kind, const char *bytes,
                                                   size_t nbytes, struct stoa_error *err);
void stoa_filter_values_free(struct stoa_filter_value *values, size_t nvalues);

void stoa_filter_path_free(struct stoa_filter_path *path);

/* A term; takes over `path` and `values` on success. STOA_ERR_LIMIT: too many values. */
STOA_CHECK enum stoa_status stoa_filter_term_new(enum stoa_filter_op op,
                                                 const struct stoa_filter_path *path,
                                                 struct stoa_filter_value *values, size_t nvalues,
                                                 struct stoa_filter **out, struct stoa_error *err);

/* AND, OR, NOT; as the public functions. */
STOA_CHECK enum stoa_status stoa_filter_join_new(enum stoa_filter_op op,
                                                 struct stoa_filter **operands, size_t noperands,
                                                 struct stoa_filter **out, struct stoa_error *err);

/* Bytes of the number that `text` starts with: [+-] digits [. digits] [e [+-] digits]; or 0. */
size_t stoa_filter_number_nbytes(const char *text, size_t nbytes);

/* Whether a word, in any case, is one of the language's own. */
bool stoa_filter_is_keyword(const char *word, size_t nbytes);

/* Bytes of the UTF-8 form of a code point, written to out; 0 when it is none. */
size_t stoa_filter_put_utf8(uint32_t code_point, char out[4]);

/* " = ", " <> " and so on, without the blanks. */
extern const char *const stoa_compare_text[6];

#endif
