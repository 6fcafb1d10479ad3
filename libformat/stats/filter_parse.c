/*
 * The text of predicates (docs/predicates.md).
 *
 *     predicate = conjunction { "or" conjunction }
 *     conjunction = negation { "and" negation }
 *     negation = "not" negation | "(" predicate ")" | term
 *     term = path test | value operator path
 *     path = name { "." name }
 *
 * One token is looked at ahead. Whatever goes wrong is said at the token where it goes wrong, with
 * its place counted in characters for people and in bytes for programs. What has been built when
 * it happens hangs in lists on the stack of calls and is freed on the way back.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/utf8.h"
#include "stats/filter_lex.h"
#include "stats/filter_tree.h"

struct parser {
    struct stoa_lexer lex;
    unsigned depth; /* open parentheses and nots */
};

static bool at_keyword(const struct parser *parser, enum stoa_keyword keyword)
{
    return parser->lex.token.kind == STOA_TOKEN_WORD && parser->lex.token.keyword == keyword;
}

/* Steps over a keyword if it comes next. */
static enum stoa_status accept(struct parser *parser, enum stoa_keyword keyword, bool *accepted)
{
    *accepted = at_keyword(parser, keyword);
    return *accepted ? stoa_lex_advance(&parser->lex) : STOA_OK;
}

/* ---- Values and columns. ---- */

/* What stands between the quotes of a token, doubled ones made single; free with stoa_free(). */
static enum stoa_status unquote(const struct parser *parser, const struct stoa_token *token,
                                char **out, size_t *nbytes)
{
    const char *in = parser->lex.text + token->begin;
    size_t end = token->end - token->begin - 1, n = 0;
    char *text;
    enum stoa_status st = stoa_alloc(&text, end, parser->lex.err);

    if (st != STOA_OK)
        return st;
    for (size_t i = 1; i < end; i++) {
        text[n++] = in[i];
        i += in[i] == in[0];
    }
    text[n] = '\0';
    *out = text;
    *nbytes = n;
    return STOA_OK;
}

static unsigned hex_digit(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

static enum stoa_status take_bytes(const struct parser *parser, const struct stoa_token *token,
                                   struct stoa_filter_value *out)
{
    const char *digits = parser->lex.text + token->begin + 2;
    size_t nbytes = (token->end - token->begin - 3) / 2;
    enum stoa_status st =
        stoa_filter_value_copy(out, STOA_LITERAL_BYTES, digits, nbytes, parser->lex.err);

    for (size_t i = 0; st == STOA_OK && i < nbytes; i++)
        out->bytes[i] = (char)(hex_digit(digits[2 * i]) << 4 | hex_digit(digits[2 * i + 1]));
    return st;
}

static enum stoa_status fail_value(const struct parser *parser)
{
    const struct stoa_token *token = &parser->lex.token;

    if (at_keyword(parser, STOA_KEYWORD_NULL))
        return stoa_lex_fail(&parser->lex, token->begin,
                             "nothing compares with null; write \"is null\" or \"is not null\"");
    if (at_keyword(parser, STOA_KEYWORD_NAN))
        return stoa_lex_fail(&parser->lex, token->begin,
                             "nothing compares with nan; write \"is nan\" or \"is not nan\"");
    if (token->kind == STOA_TOKEN_QUOTED ||
        (token->kind == STOA_TOKEN_WORD && token->keyword == STOA_KEYWORD_NONE))
        return stoa_lex_fail(
            &parser->lex, token->begin,
            "%s would be a column, and a column is compared with a value only; text stands "
            "in single quotes",
            stoa_lex_show(&parser->lex, token).text);
    return stoa_lex_fail_expected(&parser->lex, "a value");
}

static bool at_value(const struct parser *parser)
{
    enum stoa_token_kind kind = parser->lex.token.kind;

    return kind == STOA_TOKEN_TEXT || kind == STOA_TOKEN_BYTES || kind == STOA_TOKEN_NUMBER ||
           at_keyword(parser, STOA_KEYWORD_TRUE) || at_keyword(parser, STOA_KEYWORD_FALSE);
}

static enum stoa_status parse_value(struct parser *parser, struct stoa_filter_value *out)
{
    const struct stoa_token *token = &parser->lex.token;
    struct stoa_filter_value value = {0};
    enum stoa_status st;

    if (!at_value(parser))
        return fail_value(parser);
    if (token->kind == STOA_TOKEN_TEXT) {
        value.kind = STOA_LITERAL_TEXT;
        STOA_TRY(unquote(parser, token, &value.bytes, &value.nbytes));
    } else if (token->kind == STOA_TOKEN_BYTES) {
        STOA_TRY(take_bytes(parser, token, &value));
    } else if (token->kind == STOA_TOKEN_NUMBER) {
        STOA_TRY(stoa_filter_value_copy(&value, STOA_LITERAL_NUMBER,
                                        parser->lex.text + token->begin, token->end - token->begin,
                                        parser->lex.err));
    } else {
        const char *word = stoa_keyword_text[token->keyword];

        STOA_TRY(
            stoa_filter_value_copy(&value, STOA_LITERAL_BOOL, word, strlen(word), parser->lex.err));
    }
    STOA_TRY(stoa_lex_advance(&parser->lex));
    *out = value;
    value.bytes = NULL;
out:
    stoa_free(value.bytes);
    return st;
}

/* A name; free with stoa_free(). */
static enum stoa_status parse_name(struct parser *parser, const char *expected, char **out)
{
    const struct stoa_token *token = &parser->lex.token;
    char *name = NULL;
    size_t nbytes;
    enum stoa_status st;

    if (token->kind == STOA_TOKEN_QUOTED)
        STOA_TRY(unquote(parser, token, &name, &nbytes));
    else if (token->kind == STOA_TOKEN_WORD && token->keyword == STOA_KEYWORD_NONE)
        STOA_TRY(stoa_strndup(&name, parser->lex.text + token->begin, token->end - token->begin,
                              parser->lex.err));
    else if (token->kind == STOA_TOKEN_WORD && token->keyword != STOA_KEYWORD_NONE)
        return stoa_lex_fail(
            &parser->lex, token->begin,
            "expected %s; write \"%s\" in double quotes if it is the name of a column", expected,
            stoa_keyword_text[token->keyword]);
    else
        return stoa_lex_fail_expected(&parser->lex, expected);
    STOA_TRY(stoa_lex_advance(&parser->lex));
    *out = name;
    name = NULL;
out:
    stoa_free(name);
    return st;
}

/* Names with dots between them into *path, which is empty; the caller frees it. */
static enum stoa_status parse_path(struct parser *parser, const char *expected,
                                   struct stoa_filter_path *path)
{
    size_t capacity = 0;
    enum stoa_status st;

    for (;;) {
        STOA_TRY(stoa_reserve(&path->names, &capacity, path->nnames + 1, sizeof(path->names[0]),
                              parser->lex.err));
        STOA_TRY(parse_name(parser, expected, &path->names[path->nnames]));
        path->nnames++;
        if (parser->lex.token.kind != STOA_TOKEN_DOT)
            break;
        STOA_TRY(stoa_lex_advance(&parser->lex));
        expected = "the name of a part";
    }
out:
    return st;
}

/* A growing list of values. */
struct values {
    struct stoa_filter_value *items;
    size_t nitems;
    size_t capacity;
};

static enum stoa_status parse_into(struct parser *parser, struct values *values)
{
    enum stoa_status st = stoa_reserve(&values->items, &values->capacity, values->nitems + 1,
                                       sizeof(values->items[0]), parser->lex.err);

    if (st == STOA_OK)
        st = parse_value(parser, &values->items[values->nitems]);
    if (st == STOA_OK)
        values->nitems++;
    return st;
}

static enum stoa_status parse_list(struct parser *parser, struct values *values)
{
    enum stoa_status st;

    if (parser->lex.token.kind != STOA_TOKEN_OPEN)
        return stoa_lex_fail_expected(&parser->lex, "\"(\"");
    do {
        STOA_TRY(stoa_lex_advance(&parser->lex));
        STOA_TRY(parse_into(parser, values));
    } while (parser->lex.token.kind == STOA_TOKEN_COMMA);
    if (parser->lex.token.kind != STOA_TOKEN_CLOSE)
        return stoa_lex_fail_expected(&parser->lex, "\",\" or \")\"");
    STOA_TRY(stoa_lex_advance(&parser->lex));
out:
    return st;
}

static enum stoa_status parse_range(struct parser *parser, struct values *values)
{
    enum stoa_status st;

    STOA_TRY(parse_into(parser, values));
    if (!at_keyword(parser, STOA_KEYWORD_AND))
        return stoa_lex_fail_expected(&parser->lex, "\"and\" and the upper end of \"between\"");
    STOA_TRY(stoa_lex_advance(&parser->lex));
    STOA_TRY(parse_into(parser, values));
out:
    return st;
}

/* The first code point of valid UTF-8. */
static uint32_t code_point(const char *text)
{
    unsigned char first = (unsigned char)text[0];
    size_t nbytes = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    uint32_t x = nbytes == 1 ? first : first & (0x7fu >> nbytes);

    for (size_t i = 1; i < nbytes; i++)
        x = x << 6 | ((unsigned char)text[i] & 0x3f);
    return x;
}

static enum stoa_status parse_escape(struct parser *parser, uint32_t *escape)
{
    struct stoa_token token;
    char *text = NULL, again[4];
    size_t nbytes;
    enum stoa_status st;

    STOA_TRY(stoa_lex_advance(&parser->lex));
    token = parser->lex.token;
    if (token.kind != STOA_TOKEN_TEXT)
        return stoa_lex_fail_expected(&parser->lex, "a character in single quotes");
    STOA_TRY(unquote(parser, &token, &text, &nbytes));
    if (nbytes == 0 || stoa_filter_put_utf8(code_point(text), again) != nbytes) {
        st = stoa_lex_fail(&parser->lex, token.begin, "\"escape\" takes one character");
        goto out;
    }
    *escape = code_point(text);
    STOA_TRY(stoa_lex_advance(&parser->lex));
out:
    stoa_free(text);
    return st;
}

static enum stoa_status parse_pattern(struct parser *parser, struct values *values,
                                      uint32_t *escape)
{
    enum stoa_status st;

    if (parser->lex.token.kind != STOA_TOKEN_TEXT)
        return stoa_lex_fail_expected(&parser->lex, "a pattern in single quotes");
    STOA_TRY(parse_into(parser, values));
    if (at_keyword(parser, STOA_KEYWORD_ESCAPE))
        STOA_TRY(parse_escape(parser, escape));
out:
    return st;
}

/* What comes behind "is" and "is not". */
static enum stoa_status parse_is(struct parser *parser, enum stoa_filter_op *op, bool *negative)
{
    enum stoa_status st;

    STOA_TRY(accept(parser, STOA_KEYWORD_NOT, negative));
    if (at_keyword(parser, STOA_KEYWORD_NULL))
        *op = STOA_FILTER_IS_NULL;
    else if (at_keyword(parser, STOA_KEYWORD_NAN))
        *op = STOA_FILTER_IS_NAN;
    else
        return stoa_lex_fail_expected(&parser->lex, *negative ? "null or nan" : "null, nan or not");
    STOA_TRY(stoa_lex_advance(&parser->lex));
out:
    return st;
}

/* Everything behind the column: fills in the term but for its column. */
static enum stoa_status parse_test(struct parser *parser, struct stoa_filter *term,
                                   struct values *values, bool *negative)
{
    static const char *const tests = "a comparison (=, <>, <, <=, >, >=, in, between, like, is)";
    enum stoa_status st;

    *negative = false;
    if (parser->lex.token.kind == STOA_TOKEN_OPERATOR) {
        term->op = STOA_FILTER_COMPARE;
        term->compare = parser->lex.token.compare;
        STOA_TRY(stoa_lex_advance(&parser->lex));
        return parse_into(parser, values);
    }
    if (at_keyword(parser, STOA_KEYWORD_IS)) {
        STOA_TRY(stoa_lex_advance(&parser->lex));
        return parse_is(parser, &term->op, negative);
    }
    STOA_TRY(accept(parser, STOA_KEYWORD_NOT, negative));
    term->op = at_keyword(parser, STOA_KEYWORD_IN)        ? STOA_FILTER_IN
               : at_keyword(parser, STOA_KEYWORD_BETWEEN) ? STOA_FILTER_BETWEEN
               : at_keyword(parser, STOA_KEYWORD_LIKE)    ? STOA_FILTER_LIKE
                                                          : STOA_FILTER_AND;
    if (term->op == STOA_FILTER_AND)
        return stoa_lex_fail_expected(&parser->lex, *negative ? "in, between or like" : tests);
    STOA_TRY(stoa_lex_advance(&parser->lex));
    if (term->op == STOA_FILTER_IN)
        return parse_list(parser, values);
    if (term->op == STOA_FILTER_BETWEEN)
        return parse_range(parser, values);
    return parse_pattern(parser, values, &term->escape);
out:
    return st;
}

/* The operator that says the same from the other side. */
static enum stoa_compare mirrored(enum stoa_compare compare)
{
    static const uint8_t mirror[] = {
        [STOA_COMPARE_EQUAL] = STOA_COMPARE_EQUAL,
        [STOA_COMPARE_NOT_EQUAL] = STOA_COMPARE_NOT_EQUAL,
        [STOA_COMPARE_LESS] = STOA_COMPARE_GREATER,
        [STOA_COMPARE_LESS_EQUAL] = STOA_COMPARE_GREATER_EQUAL,
        [STOA_COMPARE_GREATER] = STOA_COMPARE_LESS,
        [STOA_COMPARE_GREATER_EQUAL] = STOA_COMPARE_LESS_EQUAL,
    };

    return (enum stoa_compare)mirror[compare];
}

/* value operator column */
static enum stoa_status parse_mirrored(struct parser *parser, struct stoa_filter *term,
                                       struct values *values, struct stoa_filter_path *path)
{
    enum stoa_status st;

    STOA_TRY(parse_into(parser, values));
    if (parser->lex.token.kind != STOA_TOKEN_OPERATOR)
        return stoa_lex_fail_expected(&parser->lex, "a comparison (=, <>, <, <=, >, >=)");
    term->op = STOA_FILTER_COMPARE;
    term->compare = mirrored(parser->lex.token.compare);
    STOA_TRY(stoa_lex_advance(&parser->lex));
    if (at_value(parser))
        return stoa_lex_fail(&parser->lex, parser->lex.token.begin,
                             "expected a column name: one side of a comparison "
                             "is a column");
    STOA_TRY(parse_path(parser, "a column name", path));
out:
    return st;
}

static enum stoa_status parse_term(struct parser *parser, struct stoa_filter **out)
{
    struct stoa_filter parts = {0}, *term = NULL;
    struct stoa_filter_path path = {0};
    struct values values = {0};
    bool negative = false;
    enum stoa_status st;

    if (at_value(parser)) {
        STOA_TRY(parse_mirrored(parser, &parts, &values, &path));
    } else {
        STOA_TRY(parse_path(parser, "a column name, not or \"(\"", &path));
        STOA_TRY(parse_test(parser, &parts, &values, &negative));
    }
    STOA_TRY(
        stoa_filter_term_new(parts.op, &path, values.items, values.nitems, &term, parser->lex.err));
    path = (struct stoa_filter_path){0};
    values = (struct values){0};
    term->compare = parts.compare;
    term->escape = parts.escape;
    if (negative)
        STOA_TRY(stoa_filter_join_new(STOA_FILTER_NOT, &term, 1, out, parser->lex.err));
    else
        *out = term;
    term = NULL;
out:
    stoa_filter_free(term);
    stoa_filter_path_free(&path);
    stoa_filter_values_free(values.items, values.nitems);
    return st;
}

/* ---- Trees. ---- */

static enum stoa_status parse_disjunction(struct parser *parser, struct stoa_filter **out);

static enum stoa_status enter(struct parser *parser)
{
    if (++parser->depth > STOA_FILTER_MAX_DEPTH)
        return stoa_fail_at(parser->lex.err, STOA_ERR_LIMIT, parser->lex.token.begin,
                            "character %zu: the predicate is nested deeper than %d",
                            stoa_lex_character(&parser->lex, parser->lex.token.begin),
                            STOA_FILTER_MAX_DEPTH);
    return stoa_lex_advance(&parser->lex);
}

static enum stoa_status parse_parentheses(struct parser *parser, struct stoa_filter **out)
{
    size_t open = parser->lex.token.begin;
    struct stoa_filter *inside = NULL;
    enum stoa_status st;

    STOA_TRY(enter(parser));
    STOA_TRY(parse_disjunction(parser, &inside));
    if (parser->lex.token.kind != STOA_TOKEN_CLOSE) {
        char what[80];

        snprintf(what, sizeof(what), "and, or, or \")\" for the \"(\" of character %zu",
                 stoa_lex_character(&parser->lex, open));
        st = stoa_lex_fail_expected(&parser->lex, what);
        goto out;
    }
    STOA_TRY(stoa_lex_advance(&parser->lex));
    parser->depth--;
    *out = inside;
    inside = NULL;
out:
    stoa_filter_free(inside);
    return st;
}

static enum stoa_status parse_negation(struct parser *parser, struct stoa_filter **out)
{
    struct stoa_filter *operand = NULL;
    enum stoa_status st;

    if (parser->lex.token.kind == STOA_TOKEN_OPEN)
        return parse_parentheses(parser, out);
    if (!at_keyword(parser, STOA_KEYWORD_NOT))
        return parse_term(parser, out);
    STOA_TRY(enter(parser));
    STOA_TRY(parse_negation(parser, &operand));
    STOA_TRY(stoa_filter_join_new(STOA_FILTER_NOT, &operand, 1, out, parser->lex.err));
    parser->depth--;
out:
    stoa_filter_free(operand);
    return st;
}

/* operand { keyword operand }, joined by `op`. */
static enum stoa_status
parse_joined(struct parser *parser, enum stoa_filter_op op, enum stoa_keyword keyword,
             enum stoa_status (*parse_operand)(struct parser *, struct stoa_filter **),
             struct stoa_filter **out)
{
    struct stoa_filter **operands = NULL;
    size_t noperands = 0, capacity = 0;
    bool more = true;
    enum stoa_status st;

    while (more) {
        STOA_TRY(stoa_reserve(&operands, &capacity, noperands + 1, sizeof(operands[0]),
                              parser->lex.err));
        STOA_TRY(parse_operand(parser, &operands[noperands]));
        noperands++;
        STOA_TRY(accept(parser, keyword, &more));
    }
    STOA_TRY(stoa_filter_join_new(op, operands, noperands, out, parser->lex.err));
out:
    for (size_t i = 0; i < noperands; i++)
        stoa_filter_free(operands[i]);
    stoa_free(operands);
    return st;
}

static enum stoa_status parse_conjunction(struct parser *parser, struct stoa_filter **out)
{
    return parse_joined(parser, STOA_FILTER_AND, STOA_KEYWORD_AND, parse_negation, out);
}

static enum stoa_status parse_disjunction(struct parser *parser, struct stoa_filter **out)
{
    return parse_joined(parser, STOA_FILTER_OR, STOA_KEYWORD_OR, parse_conjunction, out);
}

enum stoa_status stoa_filter_parse(const char *text, struct stoa_filter **out,
                                   struct stoa_error *err)
{
    struct parser parser = {.lex = {.text = text, .nbytes = strlen(text), .err = err}};
    struct stoa_filter *filter = NULL;
    size_t valid;
    enum stoa_status st;

    if (parser.lex.nbytes > STOA_FILTER_MAX_NBYTES)
        return stoa_fail(err, STOA_ERR_LIMIT, "the predicate has more than %d bytes",
                         STOA_FILTER_MAX_NBYTES);
    valid = stoa_utf8_valid_prefix((const uint8_t *)text, parser.lex.nbytes);
    if (valid < parser.lex.nbytes)
        return stoa_lex_fail(&parser.lex, valid, "the predicate is not UTF-8");
    STOA_TRY(stoa_lex_advance(&parser.lex));
    if (parser.lex.token.kind == STOA_TOKEN_END) {
        st = stoa_lex_fail(&parser.lex, 0, "the predicate is empty");
        goto out;
    }
    STOA_TRY(parse_disjunction(&parser, &filter));
    if (parser.lex.token.kind != STOA_TOKEN_END) {
        st = stoa_lex_fail_expected(&parser.lex, "and, or, or the end");
        goto out;
    }
    *out = filter;
    filter = NULL;
out:
    stoa_filter_free(filter);
    return st;
}
