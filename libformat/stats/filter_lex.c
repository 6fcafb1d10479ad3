/*
 * The words of predicates (docs/predicates.md, "Words"), and what is said about them when something
 * is wrong.
 */
#include "stats/filter_lex.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "stats/filter_tree.h"

const char *const stoa_keyword_text[] = {
    [STOA_KEYWORD_AND] = "and", [STOA_KEYWORD_OR] = "or",           [STOA_KEYWORD_NOT] = "not",
    [STOA_KEYWORD_IN] = "in",   [STOA_KEYWORD_BETWEEN] = "between", [STOA_KEYWORD_LIKE] = "like",
    [STOA_KEYWORD_IS] = "is",   [STOA_KEYWORD_ESCAPE] = "escape",   [STOA_KEYWORD_NULL] = "null",
    [STOA_KEYWORD_NAN] = "nan", [STOA_KEYWORD_TRUE] = "true",       [STOA_KEYWORD_FALSE] = "false",
};

/* ---- Saying what is wrong. ---- */

size_t stoa_lex_character(const struct stoa_lexer *lexer, size_t offset)
{
    size_t ncharacters = 1;

    for (size_t i = 0; i < offset; i++)
        ncharacters += ((unsigned char)lexer->text[i] & 0xc0) != 0x80;
    return ncharacters;
}

enum stoa_status stoa_lex_fail(const struct stoa_lexer *lexer, size_t offset, const char *format,
                               ...)
{
    char message[512];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    return stoa_fail_at(lexer->err, STOA_ERR_USAGE, offset, "character %zu: %s",
                        stoa_lex_character(lexer, offset), message);
}

struct stoa_shown stoa_lex_show(const struct stoa_lexer *lexer, const struct stoa_token *token)
{
    struct stoa_shown shown;
    char quoted[48];
    bool bare = lexer->text[token->begin] == '"' || lexer->text[token->begin] == '\'';

    stoa_quote(quoted, sizeof(quoted), lexer->text + token->begin, token->end - token->begin);
    snprintf(shown.text, sizeof(shown.text), bare ? "%s" : "\"%s\"", quoted);
    return shown;
}

enum stoa_status stoa_lex_fail_expected(const struct stoa_lexer *lexer, const char *what)
{
    char after[80] = "", but[80] = "";

    if (lexer->last.end > 0)
        snprintf(after, sizeof(after), " after %s", stoa_lex_show(lexer, &lexer->last).text);
    if (lexer->token.kind != STOA_TOKEN_END)
        snprintf(but, sizeof(but), ", not %s", stoa_lex_show(lexer, &lexer->token).text);
    return stoa_lex_fail(lexer, lexer->token.begin, "expected %s%s%s", what, after, but);
}

/* ---- Tokens. ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Letters, underscore, and every character that is not ASCII. */
static bool begins_word(char c)
{
    char lower = (char)(c | 0x20);

    return (lower >= 'a' && lower <= 'z') || c == '_' || ((unsigned char)c & 0x80);
}

static bool goes_on_word(char c)
{
    return begins_word(c) || is_digit(c);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool same_word(const char *word, size_t nbytes, const char *lower)
{
    size_t i = 0;

    for (; i < nbytes && lower[i] != '\0'; i++)
        if ((word[i] >= 'A' && word[i] <= 'Z' ? word[i] | 0x20 : word[i]) != lower[i])
            return false;
    return i == nbytes && lower[i] == '\0';
}

static enum stoa_keyword find_keyword(const char *word, size_t nbytes)
{
    for (size_t i = 1; i < sizeof(stoa_keyword_text) / sizeof(stoa_keyword_text[0]); i++)
        if (same_word(word, nbytes, stoa_keyword_text[i]))
            return (enum stoa_keyword)i;
    return STOA_KEYWORD_NONE;
}

bool stoa_filter_is_keyword(const char *word, size_t nbytes)
{
    return find_keyword(word, nbytes) != STOA_KEYWORD_NONE;
}

static char peek(const struct stoa_lexer *lexer, size_t at)
{
    return at < lexer->nbytes ? lexer->text[at] : '\0';
}

/* Sets the end of a token that closes with the quote at `open`; doubled ones do not close it. */
static enum stoa_status scan_quoted(const struct stoa_lexer *lexer, struct stoa_token *token,
                                    size_t open)
{
    char quote = lexer->text[open];

    for (size_t i = open + 1; i < lexer->nbytes; i++) {
        if (lexer->text[i] != quote)
            continue;
        if (peek(lexer, i + 1) != quote) {
            token->end = i + 1;
            return STOA_OK;
        }
        i++;
    }
    return stoa_lex_fail(lexer, token->begin, "the %s that starts here has no closing %c",
                         quote == '"' ? "name" : "text", quote);
}

static bool is_hex(char c)
{
    char lower = (char)(c | 0x20);

    return is_digit(c) || (lower >= 'a' && lower <= 'f');
}

static enum stoa_status scan_bytes(const struct stoa_lexer *lexer, struct stoa_token *token)
{
    size_t i = token->begin + 2;

    while (is_hex(peek(lexer, i)))
        i++;
    if (peek(lexer, i) != '\'' || (i - token->begin) % 2 != 0)
        return stoa_lex_fail(lexer, token->begin, "x'...' holds pairs of the digits 0-9 a-f");
    token->kind = STOA_TOKEN_BYTES;
    token->end = i + 1;
    return STOA_OK;
}

static enum stoa_status scan_operator(const struct stoa_lexer *lexer, struct stoa_token *token)
{
    static const struct {
        char text[3];
        enum stoa_compare compare;
    } operators[] = {
        {"<>", STOA_COMPARE_NOT_EQUAL},  {"!=", STOA_COMPARE_NOT_EQUAL},
        {"<=", STOA_COMPARE_LESS_EQUAL}, {">=", STOA_COMPARE_GREATER_EQUAL},
        {"<", STOA_COMPARE_LESS},        {">", STOA_COMPARE_GREATER},
        {"=", STOA_COMPARE_EQUAL},
    };
    const char *at = lexer->text + token->begin;
    size_t rest = lexer->nbytes - token->begin;

    if (rest >= 2 && memcmp(at, "==", 2) == 0)
        return stoa_lex_fail(lexer, token->begin, "\"==\" is not an operator; write \"=\"");
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
        size_t nbytes = strlen(operators[i].text);

        if (nbytes <= rest && memcmp(at, operators[i].text, nbytes) == 0) {
            token->kind = STOA_TOKEN_OPERATOR;
            token->compare = operators[i].compare;
            token->end = token->begin + nbytes;
            return STOA_OK;
        }
    }
    token->end = token->begin + 1;
    return stoa_lex_fail(lexer, token->begin, "%s has no meaning here",
                         stoa_lex_show(lexer, token).text);
}

/* 2013-01-05 and 10:30 outside of quotes. */
static bool is_date_or_time(const struct stoa_lexer *lexer, const struct stoa_token *token)
{
    char c = peek(lexer, token->end);

    return (c == '-' || c == ':') && is_digit(peek(lexer, token->end + 1));
}

static enum stoa_status scan_number(const struct stoa_lexer *lexer, struct stoa_token *token)
{
    token->kind = STOA_TOKEN_NUMBER;
    token->end = token->begin + stoa_filter_number_nbytes(lexer->text + token->begin,
                                                          lexer->nbytes - token->begin);
    if (is_date_or_time(lexer, token)) {
        while (is_date_or_time(lexer, token) || is_digit(peek(lexer, token->end)))
            token->end++;
        return stoa_lex_fail(lexer, token->begin,
                             "%s is not a number; dates and times stand in single "
                             "quotes",
                             stoa_lex_show(lexer, token).text);
    }
    if (goes_on_word(peek(lexer, token->end)) || peek(lexer, token->end) == '.') {
        while (goes_on_word(peek(lexer, token->end)) || peek(lexer, token->end) == '.')
            token->end++;
        return stoa_lex_fail(
            lexer, token->begin,
            "%s is neither a number nor a name; text stands in single quotes, names that "
            "are not plain words in double quotes",
            stoa_lex_show(lexer, token).text);
    }
    return STOA_OK;
}

static void scan_word(const struct stoa_lexer *lexer, struct stoa_token *token)
{
    token->kind = STOA_TOKEN_WORD;
    while (goes_on_word(peek(lexer, token->end)))
        token->end++;
    token->keyword = find_keyword(lexer->text + token->begin, token->end - token->begin);
}

static enum stoa_status scan_token(const struct stoa_lexer *lexer, struct stoa_token *token)
{
    char c = peek(lexer, token->begin), next = peek(lexer, token->begin + 1);

    if (token->begin == lexer->nbytes)
        return STOA_OK;
    if ((c == 'x' || c == 'X') && next == '\'')
        return scan_bytes(lexer, token);
    if (begins_word(c)) {
        scan_word(lexer, token);
        return STOA_OK;
    }
    if (c == '"' || c == '\'') {
        token->kind = c == '"' ? STOA_TOKEN_QUOTED : STOA_TOKEN_TEXT;
        return scan_quoted(lexer, token, token->begin);
    }
    if (stoa_filter_number_nbytes(lexer->text + token->begin, lexer->nbytes - token->begin) > 0)
        return scan_number(lexer, token);
    if (c == '(' || c == ')' || c == ',' || c == '.') {
        token->kind = c == '('   ? STOA_TOKEN_OPEN
                      : c == ')' ? STOA_TOKEN_CLOSE
                      : c == ',' ? STOA_TOKEN_COMMA
                                 : STOA_TOKEN_DOT;
        token->end = token->begin + 1;
        return STOA_OK;
    }
    return scan_operator(lexer, token);
}

enum stoa_status stoa_lex_advance(struct stoa_lexer *lexer)
{
    struct stoa_token token = {.kind = STOA_TOKEN_END, .begin = lexer->token.end};

    lexer->last = lexer->token;
    while (is_blank(peek(lexer, token.begin)))
        token.begin++;
    token.end = token.begin;
    lexer->token = token;
    return scan_token(lexer, &lexer->token);
}
