/*
 * JSON text (RFC 8259) piece by piece, where it stands in one line.
 *
 * All functions walk over text that ends with a byte below 0x20 (a line end, or the zero of a
 * terminator), which no value can have: so none of them is told where the text ends, and none
 * passes that byte. STOA_JSON_SLACK bytes behind it can be read. They check the syntax of what they
 * pass, but not that it is UTF-8.
 *
 * A function that fails returns NULL and sets the fault and the place where it is.
 */
#ifndef STOA_BASE_JSON_SCAN_H
#define STOA_BASE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define STOA_JSON_SLACK     8
#define STOA_JSON_MAX_DEPTH 64 /* of arrays and objects in each other */

enum stoa_json_fault_kind {
    STOA_JSON_NO_VALUE,
    STOA_JSON_NO_KEY,
    STOA_JSON_NO_COLON,
    STOA_JSON_NO_MEMBER_END,
    STOA_JSON_NO_ITEM_END,
    STOA_JSON_NO_NUMBER,
    STOA_JSON_OPEN_TEXT,
    STOA_JSON_CONTROL,
    STOA_JSON_ESCAPE,
    STOA_JSON_SURROGATE,
    STOA_JSON_DEPTH,
    STOA_JSON_NFAULTS
};

struct stoa_json_fault {
    enum stoa_json_fault_kind kind;
    const char *at;
};

/* What is wrong, in words: "',' or '}' is expected". */
const char *stoa_json_fault_text(enum stoa_json_fault_kind kind);

/* The text of a string, between its quotes. */
struct stoa_json_string {
    const char *text;
    size_t nbytes;
    bool escaped; /* it has escapes, and stoa_json_unescape() says what they mean */
};

/* Over blanks, tabs and carriage returns. */
static inline const char *stoa_json_blanks(const char *at)
{
    while (*at == ' ' || *at == '\t' || *at == '\r')
        at++;
    return at;
}

#define STOA_JSON_BYTES(c) (UINT64_C(0x0101010101010101) * (uint8_t)(c))

/*
 * The first byte from `at` on that a string can't have as it is: a quote, a backslash, a control
 * character. Of eight bytes those are told by a borrow out of the lowest that is one; above it
 * there may be false ones.
 */
static inline const char *stoa_json_plain_end(const char *at)
{
    for (;; at += 8) {
        const uint64_t x = stoa_load64(at);
        const uint64_t quote = x ^ STOA_JSON_BYTES('"'), slash = x ^ STOA_JSON_BYTES('\\');
        const uint64_t found = ((quote - STOA_JSON_BYTES(1)) & ~quote) |
                               ((slash - STOA_JSON_BYTES(1)) & ~slash) |
                               ((x - STOA_JSON_BYTES(0x20)) & ~x);
        const uint64_t bits = found & STOA_JSON_BYTES(0x80);

        if (bits != 0)
            return at + __builtin_ctzll(bits) / 8;
    }
}

/* The string whose quote stands at `at`; behind its closing quote. */
const char *stoa_json_scan_string(const char *at, struct stoa_json_string *out,
                                  struct stoa_json_fault *fault);

/*
 * What the text of a string with escapes says, as UTF-8 into `out`, which has room for as many
 * bytes as the text; how many.
 */
size_t stoa_json_unescape(const struct stoa_json_string *string, char *out);

/* The number at `at`, which is a digit or '-'; behind it. */
const char *stoa_json_scan_number(const char *at, bool *is_integer, struct stoa_json_fault *fault);

/* Any value at `at`; behind it. Blanks in front of it are not passed. */
const char *stoa_json_skip_value(const char *at, struct stoa_json_fault *fault);

/* Whether a terminated text is one value and nothing else, all in one line. */
bool stoa_json_is_value(const char *text, size_t nbytes);

#endif
