/*
 * Predicates as trees: making, comparing and freeing them (docs/predicates.md).
 *
 * A tree owns its names and literals. Its depth and size are counted while it grows, so that what
 * exists can be walked by recursion and what is too large is refused before it is made.
 */
#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/number.h"
#include "base/utf8.h"
#include "stats/filter_tree.h"

const char *const stoa_compare_text[6] = {
    [STOA_COMPARE_EQUAL] = "=",   [STOA_COMPARE_NOT_EQUAL] = "<>",
    [STOA_COMPARE_LESS] = "<",    [STOA_COMPARE_LESS_EQUAL] = "<=",
    [STOA_COMPARE_GREATER] = ">", [STOA_COMPARE_GREATER_EQUAL] = ">=",
};

/* ---- Literals. ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t skip_digits(const char *text, size_t nbytes, size_t i)
{
    while (i < nbytes && is_digit(text[i]))
        i++;
    return i;
}

size_t stoa_filter_number_nbytes(const char *text, size_t nbytes)
{
    size_t begin = nbytes > 0 && (text[0] == '-' || text[0] == '+'), end, exponent;

    end = skip_digits(text, nbytes, begin);
    if (end < nbytes && text[end] == '.') {
        size_t fraction = skip_digits(text, nbytes, end + 1);

        if (fraction == end + 1 && end == begin)
            return 0;
        end = fraction;
    } else if (end == begin) {
        return 0;
    }
    if (end < nbytes && (text[end] == 'e' || text[end] == 'E')) {
        exponent = end + 1;
        if (exponent < nbytes && (text[exponent] == '-' || text[exponent] == '+'))
            exponent++;
        if (skip_digits(text, nbytes, exponent) > exponent)
            end = skip_digits(text, nbytes, exponent);
    }
    return end;
}

size_t stoa_filter_put_utf8(uint32_t code_point, char out[4])
{
    uint8_t bytes[4];
    size_t nbytes = code_point < 0x80 ? 1 : code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    static const uint8_t first[5] = {0, 0, 0xc0, 0xe0, 0xf0};

    if (code_point > 0x10ffff || (code_point >= 0xd800 && code_point < 0xe000))
        return 0;
    for (size_t i = nbytes; i-- > 1; code_point >>= 6)
        bytes[i] = (uint8_t)(0x80 | (code_point & 0x3f));
    bytes[0] = (uint8_t)(first[nbytes] | code_point);
    memcpy(out, bytes, nbytes);
    return nbytes;
}

enum stoa_status stoa_filter_value_copy(struct stoa_filter_value *out, enum stoa_literal_kind kind,
                                        const char *bytes, size_t nbytes, struct stoa_error *err)
{
    struct stoa_filter_value value = {.kind = kind, .nbytes = nbytes};
    enum stoa_status st = stoa_strndup(&value.bytes, nbytes > 0 ? bytes : "", nbytes, err);

    if (st == STOA_OK)
        *out = value;
    return st;
}

void stoa_filter_values_free(struct stoa_filter_value *values, size_t nvalues)
{
    for (size_t i = 0; values != NULL && i < nvalues; i++)
        stoa_free(values[i].bytes);
    stoa_free(values);
}

static enum stoa_status take_number(const struct stoa_value *literal, struct stoa_filter_value *out,
                                    struct stoa_error *err)
{
    char shown[64];

    if (literal->nbytes == 0 ||
        stoa_filter_number_nbytes(literal->text, literal->nbytes) != literal->nbytes)
        return stoa_fail(err, STOA_ERR_USAGE, "\"%s\" is not a number",
                         stoa_quote(shown, sizeof(shown), literal->text, literal->nbytes));
    return stoa_filter_value_copy(out, STOA_LITERAL_NUMBER, literal->text, literal->nbytes, err);
}

static enum stoa_status take_double(double x, struct stoa_filter_value *out, struct stoa_error *err)
{
    char text[STOA_NUMBER_NBYTES];
    size_t nbytes = stoa_number_format_double(x, text);
    bool is_number = stoa_filter_number_nbytes(text, nbytes) == nbytes; /* not NaN, Infinity */

    return stoa_filter_value_copy(out, is_number ? STOA_LITERAL_NUMBER : STOA_LITERAL_TEXT, text,
                                  nbytes, err);
}

/* A NUL cannot be written in text; the bytes of the value mean the same. */
static enum stoa_status take_text(const struct stoa_value *literal, struct stoa_filter_value *out,
                                  struct stoa_error *err)
{
    size_t nbytes = literal->nbytes;
    bool has_nul = nbytes > 0 && memchr(literal->text, '\0', nbytes) != NULL;

    if (nbytes > 0 && stoa_utf8_valid_prefix((const uint8_t *)literal->text, nbytes) != nbytes)
        return stoa_fail(err, STOA_ERR_USAGE, "a text in the predicate is not UTF-8");
    return stoa_filter_value_copy(out, has_nul ? STOA_LITERAL_BYTES : STOA_LITERAL_TEXT,
                                  literal->text, nbytes, err);
}

static enum stoa_status take_literal(const struct stoa_value *literal,
                                     struct stoa_filter_value *out, struct stoa_error *err)
{
    char text[STOA_NUMBER_NBYTES];

    switch (literal->kind) {
    case STOA_VALUE_TEXT:
        return take_text(literal, out, err);
    case STOA_VALUE_BYTES:
        return stoa_filter_value_copy(out, STOA_LITERAL_BYTES, literal->text, literal->nbytes, err);
    case STOA_VALUE_NUMBER:
        return take_number(literal, out, err);
    case STOA_VALUE_BOOL:
        return stoa_filter_value_copy(out, STOA_LITERAL_BOOL, literal->i64 ? "true" : "false",
                                      literal->i64 ? 4 : 5, err);
    case STOA_VALUE_INT64:
        return stoa_filter_value_copy(out, STOA_LITERAL_NUMBER, text,
                                      stoa_number_format_int64(literal->i64, text), err);
    case STOA_VALUE_DOUBLE:
        break;
    }
    return take_double(literal->f64, out, err);
}

static bool value_equal(const struct stoa_filter_value *a, const struct stoa_filter_value *b)
{
    return a->kind == b->kind && a->nbytes == b->nbytes &&
           memcmp(a->bytes, b->bytes, a->nbytes) == 0;
}

/* ---- Trees. ---- */

void stoa_filter_free(struct stoa_filter *filter)
{
    if (filter == NULL)
        return;
    for (size_t i = 0; i < filter->noperands; i++)
        stoa_filter_free(filter->operands[i]);
    stoa_free(filter->operands);
    stoa_filter_values_free(filter->values, filter->nvalues);
    stoa_filter_path_free(&filter->path);
    stoa_free(filter);
}

void stoa_filter_path_free(struct stoa_filter_path *path)
{
    for (size_t i = 0; i < path->nnames; i++)
        stoa_free(path->names[i]);
    stoa_free(path->names);
}

static bool same_path(const struct stoa_filter_path *a, const struct stoa_filter_path *b)
{
    bool same = a->nnames == b->nnames;

    for (size_t i = 0; same && i < a->nnames; i++)
        same = strcmp(a->names[i], b->names[i]) == 0;
    return same;
}

bool stoa_filter_equal(const struct stoa_filter *a, const struct stoa_filter *b)
{
    if (a->op != b->op || a->compare != b->compare || a->escape != b->escape ||
        a->nvalues != b->nvalues || a->noperands != b->noperands || !same_path(&a->path, &b->path))
        return false;
    for (size_t i = 0; i < a->nvalues; i++)
        if (!value_equal(&a->values[i], &b->values[i]))
            return false;
    for (size_t i = 0; i < a->noperands; i++)
        if (!stoa_filter_equal(a->operands[i], b->operands[i]))
            return false;
    return true;
}

static enum stoa_status check_nterms(size_t nterms, struct stoa_error *err)
{
    if (nterms > STOA_FILTER_MAX_NTERMS)
        return stoa_fail(err, STOA_ERR_LIMIT,
                         "the predicate has more than %d comparisons and values",
                         STOA_FILTER_MAX_NTERMS);
    return STOA_OK;
}

enum stoa_status stoa_filter_term_new(enum stoa_filter_op op, const struct stoa_filter_path *path,
                                      struct stoa_filter_value *values, size_t nvalues,
                                      struct stoa_filter **out, struct stoa_error *err)
{
    struct stoa_filter *filter = NULL;
    enum stoa_status st;

    STOA_TRY(check_nterms(nvalues, err));
    STOA_TRY(stoa_alloc_zeroed(&filter, 1, sizeof(*filter), err));
    filter->op = op;
    filter->nterms = nvalues > 0 ? (uint32_t)nvalues : 1;
    filter->path = *path;
    filter->values = values;
    filter->nvalues = nvalues;
    *out = filter;
    filter = NULL;
out:
    stoa_filter_free(filter);
    return st;
}

enum stoa_status stoa_filter_join_new(enum stoa_filter_op op, struct stoa_filter **operands,
                                      size_t noperands, struct stoa_filter **out,
                                      struct stoa_error *err)
{
    struct stoa_filter *filter = NULL;
    uint32_t depth = 0;
    size_t nterms = 0;
    enum stoa_status st;

    assert(noperands >= 1);
    if (noperands == 1 && op != STOA_FILTER_NOT) {
        *out = operands[0];
        operands[0] = NULL;
        return STOA_OK;
    }
    for (size_t i = 0; i < noperands; i++) {
        depth = operands[i]->depth > depth ? operands[i]->depth : depth;
        nterms += operands[i]->nterms;
    }
    if (depth >= STOA_FILTER_MAX_DEPTH)
        return stoa_fail(err, STOA_ERR_LIMIT, "the predicate is nested deeper than %d",
                         STOA_FILTER_MAX_DEPTH);
    STOA_TRY(check_nterms(nterms, err));
    STOA_TRY(stoa_alloc_zeroed(&filter, 1, sizeof(*filter), err));
    STOA_TRY(stoa_alloc_zeroed(&filter->operands, noperands, sizeof(filter->operands[0]), err));
    filter->op = op;
    filter->depth = depth + 1;
    filter->nterms = (uint32_t)nterms;
    filter->noperands = noperands;
    for (size_t i = 0; i < noperands; i++) {
        filter->operands[i] = operands[i];
        operands[i] = NULL;
    }
    *out = filter;
    filter = NULL;
out:
    stoa_filter_free(filter);
    return st;
}

/* ---- What programs call. ---- */

static enum stoa_status make_term(enum stoa_filter_op op, const char *column,
                                  const struct stoa_value *literals, size_t nliterals,
                                  struct stoa_filter **out, struct stoa_error *err)
{
    struct stoa_filter_value *values = NULL;
    struct stoa_filter_path path = {0};
    size_t column_nbytes = strlen(column);
    enum stoa_status st;

    if (stoa_utf8_valid_prefix((const uint8_t *)column, column_nbytes) != column_nbytes)
        return stoa_fail(err, STOA_ERR_USAGE, "a column name in the predicate is not UTF-8");
    STOA_TRY(check_nterms(nliterals, err));
    if (nliterals > 0)
        STOA_TRY(stoa_alloc_zeroed(&values, nliterals, sizeof(values[0]), err));
    for (size_t i = 0; i < nliterals; i++)
        STOA_TRY(take_literal(&literals[i], &values[i], err));
    STOA_TRY(stoa_alloc_zeroed(&path.names, 1, sizeof(path.names[0]), err));
    STOA_TRY(stoa_strndup(&path.names[0], column, column_nbytes, err));
    path.nnames = 1;
    STOA_TRY(stoa_filter_term_new(op, &path, values, nliterals, out, err));
    values = NULL;
    path = (struct stoa_filter_path){0};
out:
    stoa_filter_path_free(&path);
    stoa_filter_values_free(values, nliterals);
    return st;
}

enum stoa_status stoa_filter_compare(const char *column, enum stoa_compare op,
                                     const struct stoa_value *value, struct stoa_filter **out,
                                     struct stoa_error *err)
{
    enum stoa_status st = make_term(STOA_FILTER_COMPARE, column, value, 1, out, err);

    if (st == STOA_OK)
        (*out)->compare = op;
    return st;
}

enum stoa_status stoa_filter_between(const char *column, const struct stoa_value *low,
                                     const struct stoa_value *high, struct stoa_filter **out,
                                     struct stoa_error *err)
{
    struct stoa_value both[2] = {*low, *high};

    return make_term(STOA_FILTER_BETWEEN, column, both, 2, out, err);
}

enum stoa_status stoa_filter_in(const char *column, const struct stoa_value *values, size_t nvalues,
                                struct stoa_filter **out, struct stoa_error *err)
{
    assert(nvalues >= 1);
    return make_term(STOA_FILTER_IN, column, values, nvalues, out, err);
}

enum stoa_status stoa_filter_like(const char *column, const char *pattern, size_t pattern_nbytes,
                                  uint32_t escape, struct stoa_filter **out, struct stoa_error *err)
{
    struct stoa_value literal = {
        .kind = STOA_VALUE_TEXT, .text = pattern, .nbytes = pattern_nbytes};
    char unused[4];
    enum stoa_status st;

    if (pattern_nbytes > 0 && memchr(pattern, '\0', pattern_nbytes) != NULL)
        return stoa_fail(err, STOA_ERR_USAGE, "a pattern for \"like\" has a NUL character");
    if (stoa_filter_put_utf8(escape, unused) == 0)
        return stoa_fail(err, STOA_ERR_USAGE, "the escape of \"like\" is not a character");
    st = make_term(STOA_FILTER_LIKE, column, &literal, 1, out, err);
    if (st == STOA_OK)
        (*out)->escape = escape;
    return st;
}

enum stoa_status stoa_filter_is_null(const char *column, struct stoa_filter **out,
                                     struct stoa_error *err)
{
    return make_term(STOA_FILTER_IS_NULL, column, NULL, 0, out, err);
}

enum stoa_status stoa_filter_is_nan(const char *column, struct stoa_filter **out,
                                    struct stoa_error *err)
{
    return make_term(STOA_FILTER_IS_NAN, column, NULL, 0, out, err);
}

enum stoa_status stoa_filter_not(struct stoa_filter **operand, struct stoa_filter **out,
                                 struct stoa_error *err)
{
    return stoa_filter_join_new(STOA_FILTER_NOT, operand, 1, out, err);
}

enum stoa_status stoa_filter_and(struct stoa_filter **operands, size_t noperands,
                                 struct stoa_filter **out, struct stoa_error *err)
{
    return stoa_filter_join_new(STOA_FILTER_AND, operands, noperands, out, err);
}

enum stoa_status stoa_filter_or(struct stoa_filter **operands, size_t noperands,
                                struct stoa_filter **out, struct stoa_error *err)
{
    return stoa_filter_join_new(STOA_FILTER_OR, operands, noperands, out, err);
}
