/*
 * Walking over JSON text (spec/jsonl.md, section 2). A value with others in it needs no more memory
 * than a bit for each level: whether that is an object.
 */
#include "base/json_scan.h"

#include <string.h>

#include "base/number_scan.h"

const char *stoa_json_fault_text(enum stoa_json_fault_kind kind)
{
    static const char *const texts[STOA_JSON_NFAULTS] = {
        [STOA_JSON_NO_VALUE] = "a value is expected",
        [STOA_JSON_NO_KEY] = "a key in quotes is expected",
        [STOA_JSON_NO_COLON] = "':' is expected",
        [STOA_JSON_NO_MEMBER_END] = "',' or '}' is expected",
        [STOA_JSON_NO_ITEM_END] = "',' or ']' is expected",
        [STOA_JSON_NO_NUMBER] = "no number as JSON has it",
        [STOA_JSON_OPEN_TEXT] = "the line ends within quotes",
        [STOA_JSON_CONTROL] = "a control character in quotes, which must be escaped",
        [STOA_JSON_ESCAPE] = "no escape that JSON has",
        [STOA_JSON_SURROGATE] = "half of a surrogate pair, which is no character",
        [STOA_JSON_DEPTH] = "nested more than 64 deep",
    };

    return texts[kind];
}

static size_t skip_blanks(const char *text, size_t nbytes, size_t at)
{
    while (at < nbytes && memchr(" \t\r\n", text[at], 4) != NULL)
        at++;
    return at;
}

bool stoa_json_begins_object(const char *text, size_t nbytes)
{
    size_t at = nbytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

    at = skip_blanks(text, nbytes, at);
    if (at == nbytes || text[at] != '{')
        return false;
    at = skip_blanks(text, nbytes, at + 1);
    return at < nbytes && (text[at] == '"' || text[at] == '}');
}

static const char *fail(struct stoa_json_fault *fault, enum stoa_json_fault_kind kind,
                        const char *at)
{
    *fault = (struct stoa_json_fault){kind, at};
    return NULL;
}

/* ---- Strings. ---- */

/* The four hexadecimal digits at `at`, or -1. */
static int scan_hex(const char *at)
{
    int x = 0;

    for (int i = 0; i < 4; i++) {
        const char c = at[i], low = (char)(c | 0x20);

        if (stoa_digit(c))
            x = 16 * x + (c - '0');
        else if (low >= 'a' && low <= 'f')
            x = 16 * x + (low - 'a' + 10);
        else
            return -1;
    }
    return x;
}

/* What a letter behind a backslash stands for; 0 for none. */
static char letter_meaning(char letter)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const char *found = letter != '\0' ? strchr(letters, letter) : NULL;

    return found != NULL ? meanings[found - letters] : '\0';
}

/* The escape whose backslash stands at `at`: behind it. */
static const char *scan_escape(const char *at, struct stoa_json_fault *fault)
{
    int high, low;

    if (letter_meaning(at[1]) != '\0')
        return at + 2;
    if (at[1] != 'u')
        return fail(fault, STOA_JSON_ESCAPE, at);
    high = scan_hex(at + 2);
    if (high < 0)
        return fail(fault, STOA_JSON_ESCAPE, at);
    if (high < 0xd800 || high > 0xdfff)
        return at + 6;
    if (high > 0xdbff || at[6] != '\\' || at[7] != 'u')
        return fail(fault, STOA_JSON_SURROGATE, at);
    low = scan_hex(at + 8);
    if (low < 0xdc00 || low > 0xdfff)
        return fail(fault, STOA_JSON_SURROGATE, at);
    return at + 12;
}

const char *stoa_json_scan_string(const char *at, struct stoa_json_string *out,
                                  struct stoa_json_fault *fault)
{
    const char *begin = ++at;

    out->escaped = false;
    for (;;) {
        at = stoa_json_plain_end(at);
        if (*at == '"')
            break;
        if (*at != '\\')
            return fail(fault, *at == '\n' || *at == '\0' ? STOA_JSON_OPEN_TEXT : STOA_JSON_CONTROL,
                        at);
        out->escaped = true;
        at = scan_escape(at, fault);
        if (at == NULL)
            return NULL;
    }
    out->text = begin;
    out->nbytes = (size_t)(at - begin);
    return at + 1;
}

/* A character as UTF-8: never more bytes than its escape. */
static size_t put_character(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

size_t stoa_json_unescape(const struct stoa_json_string *string, char *out)
{
    const char *at = string->text, *end = at + string->nbytes;
    size_t n = 0;

    while (at < end) {
        const char *slash = memchr(at, '\\', (size_t)(end - at));
        const size_t nplain = (size_t)((slash != NULL ? slash : end) - at);
        uint32_t c;

        memcpy(out + n, at, nplain);
        n += nplain;
        if (slash == NULL)
            break;
        at = slash + 2;
        if (slash[1] != 'u') {
            out[n++] = letter_meaning(slash[1]);
            continue;
        }
        c = (uint32_t)scan_hex(at);
        at += 4;
        if (c >= 0xd800 && c <= 0xdbff) {
            c = 0x10000 + ((c - 0xd800) << 10) + ((uint32_t)scan_hex(at + 2) - 0xdc00);
            at += 6;
        }
        n += put_character(c, out + n);
    }
    return n;
}

/* ---- Numbers. ---- */

static const char *digits_end(const char *at)
{
    unsigned n;

    do {
        n = stoa_leading_digits(stoa_load64(at));
        at += n;
    } while (n == 8);
    return at;
}

const char *stoa_json_scan_number(const char *at, bool *is_integer, struct stoa_json_fault *fault)
{
    const char *begin = at, *first = at + (*at == '-');

    *is_integer = true;
    at = digits_end(first);
    if (at == first || (*first == '0' && at - first > 1))
        return fail(fault, STOA_JSON_NO_NUMBER, begin);
    if (*at == '.') {
        *is_integer = false;
        first = ++at;
        at = digits_end(at);
        if (at == first)
            return fail(fault, STOA_JSON_NO_NUMBER, begin);
    }
    if (*at == 'e' || *at == 'E') {
        *is_integer = false;
        at++;
        first = at += *at == '-' || *at == '+';
        at = digits_end(at);
        if (at == first)
            return fail(fault, STOA_JSON_NO_NUMBER, begin);
    }
    return at;
}

/* ---- Values. ---- */

/* A value that has none in it. */
static const char *skip_leaf(const char *at, struct stoa_json_fault *fault)
{
    struct stoa_json_string string;
    bool is_integer;

    if (*at == '"')
        return stoa_json_scan_string(at, &string, fault);
    if (*at == '-' || stoa_digit(*at))
        return stoa_json_scan_number(at, &is_integer, fault);
    if (stoa_json_is_null(at) || stoa_load32(at) == stoa_load32("true"))
        return at + 4;
    if (strncmp(at, "false", 5) == 0)
        return at + 5;
    return fail(fault, STOA_JSON_NO_VALUE, at);
}

/* The key at `at`, its colon and the blanks behind it. */
static const char *skip_key(const char *at, struct stoa_json_fault *fault)
{
    struct stoa_json_string key;

    if (*at != '"')
        return fail(fault, STOA_JSON_NO_KEY, at);
    at = stoa_json_scan_string(at, &key, fault);
    if (at == NULL)
        return NULL;
    at = stoa_json_blanks(at);
    if (*at != ':')
        return fail(fault, STOA_JSON_NO_COLON, at);
    return stoa_json_blanks(at + 1);
}

const char *stoa_json_skip_value(const char *at, struct stoa_json_fault *fault)
{
    uint64_t objects = 0; /* a bit for each level, the innermost lowest */
    unsigned depth = 0;

    for (;;) {
        /* At a value. */
        if (*at == '{' || *at == '[') {
            const bool is_object = *at == '{';

            if (depth == STOA_JSON_MAX_DEPTH)
                return fail(fault, STOA_JSON_DEPTH, at);
            at = stoa_json_blanks(at + 1);
            if (*at != (is_object ? '}' : ']')) {
                depth++;
                objects = objects << 1 | is_object;
                if (is_object && (at = skip_key(at, fault)) == NULL)
                    return NULL;
                continue;
            }
            at++;
        } else {
            at = skip_leaf(at, fault);
            if (at == NULL)
                return NULL;
        }
        /* Behind a value: what it is in ends, or goes on. */
        for (; depth > 0; depth--, objects >>= 1) {
            const bool is_object = objects & 1;

            at = stoa_json_blanks(at);
            if (*at == ',')
                break;
            if (*at != (is_object ? '}' : ']'))
                return fail(fault, is_object ? STOA_JSON_NO_MEMBER_END : STOA_JSON_NO_ITEM_END, at);
            at++;
        }
        if (depth == 0)
            return at;
        at = stoa_json_blanks(at + 1);
        if ((objects & 1) && (at = skip_key(at, fault)) == NULL)
            return NULL;
    }
}

bool stoa_json_is_value(const char *text, size_t nbytes)
{
    struct stoa_json_fault fault;

    return stoa_json_skip_value(text, &fault) == text + nbytes;
}
