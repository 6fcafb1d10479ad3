/*
 * The words of a predicate's text, one at a time.
 */
#ifndef STOA_STATS_FILTER_LEX_H
#define STOA_STATS_FILTER_LEX_H

#include <stoa/filter.h>

enum stoa_token_kind {
    STOA_TOKEN_END,
    STOA_TOKEN_WORD,
    STOA_TOKEN_QUOTED, /* "name" */
    STOA_TOKEN_TEXT,   /* 'text' */
    STOA_TOKEN_BYTES,  /* x'00ff' */
    STOA_TOKEN_NUMBER,
    STOA_TOKEN_OPERATOR, /* = <> != < <= > >= */
    STOA_TOKEN_OPEN,
    STOA_TOKEN_CLOSE,
    STOA_TOKEN_COMMA,
    STOA_TOKEN_DOT, /* between the names of a path */
};

enum stoa_keyword {
    STOA_KEYWORD_NONE,
    STOA_KEYWORD_AND,
    STOA_KEYWORD_OR,
    STOA_KEYWORD_NOT,
    STOA_KEYWORD_IN,
    STOA_KEYWORD_BETWEEN,
    STOA_KEYWORD_LIKE,
    STOA_KEYWORD_ESCAPE,
    STOA_KEYWORD_IS,
    STOA_KEYWORD_NULL,
    STOA_KEYWORD_NAN,
    STOA_KEYWORD_TRUE,
    STOA_KEYWORD_FALSE,
};

struct stoa_token {
    enum stoa_token_kind kind;
    enum stoa_keyword keyword; /* of a WORD */
    enum stoa_compare compare; /* of an OPERATOR */
    size_t begin;
    size_t end;
};

/* The text of each keyword; that of NONE is NULL. */
extern const char *const stoa_keyword_text[STOA_KEYWORD_FALSE + 1];

/* Begin with text, nbytes and err, the rest zero, and advance once. The text is valid UTF-8. */
struct stoa_lexer {
    const char *text;
    size_t nbytes;
    struct stoa_token token; /* the next one */
    struct stoa_token last;  /* the one before; its end is 0 at the start */
    struct stoa_error *err;
};

/* Steps to the next token; STOA_ERR_USAGE when there is none but text is left. */
STOA_CHECK enum stoa_status stoa_lex_advance(struct stoa_lexer *lexer);

/* The number, from 1, of the character at a byte offset. */
size_t stoa_lex_character(const struct stoa_lexer *lexer, size_t offset);

/* A token as it stands in the text, in double quotes unless it has quotes, cut to fit. */
struct stoa_shown {
    char text[64];
};
struct stoa_shown stoa_lex_show(const struct stoa_lexer *lexer, const struct stoa_token *token);

/* STOA_ERR_USAGE: "character N: ...". */
enum stoa_status stoa_lex_fail(const struct stoa_lexer *lexer, size_t offset, const char *format,
                               ...) STOA_PRINTF(3, 4);

/* The same at the next token: "expected WHAT after LAST, not NEXT". */
enum stoa_status stoa_lex_fail_expected(const struct stoa_lexer *lexer, const char *what);

#endif
