/*
 * JSON strings and base64.
 */
#include "base/text.h"

#include <string.h>

#include "base/error.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

enum stoa_status stoa_json_append_string(struct stoa_buffer *out, const void *text, size_t nbytes,
                                         struct stoa_error *err)
{
    static const char names[] = "btn?fr"; /* \b \t \n, none for \v, \f \r: U+0008..U+000D */
    const uint8_t *bytes = text;
    size_t nescapes = 0;
    uint8_t *at;
    enum stoa_status st;

    for (size_t i = 0; i < nbytes; i++)
        nescapes += bytes[i] < 0x20 || bytes[i] == '"' || bytes[i] == '\\';
    if (nescapes > (SIZE_MAX - 2 - nbytes) / 5)
        return stoa_fail_nomem(err, SIZE_MAX);
    st = stoa_buffer_reserve(out, nbytes + 5 * nescapes + 2, err);
    if (st != STOA_OK)
        return st;
    at = out->data + out->nbytes;
    *at++ = '"';
    for (size_t i = 0; i < nbytes; i++) {
        uint8_t c = bytes[i];

        if (c >= 0x20 && c != '"' && c != '\\') {
            *at++ = c;
        } else if (c == '"' || c == '\\') {
            *at++ = '\\';
            *at++ = c;
        } else if (c >= 8 && c <= 13 && c != 11) {
            *at++ = '\\';
            *at++ = (uint8_t)names[c - 8];
        } else {
            memcpy(at, "\\u00", 4);
            at[4] = (uint8_t) "0123456789abcdef"[c >> 4];
            at[5] = (uint8_t) "0123456789abcdef"[c & 15];
            at += 6;
        }
    }
    *at++ = '"';
    out->nbytes = (size_t)(at - out->data);
    return STOA_OK;
}

size_t stoa_base64_encode(const void *bytes, size_t nbytes, char *out)
{
    const uint8_t *in = bytes;
    char *at = out;

    for (size_t i = 0; i < nbytes; i += 3) {
        uint32_t bits = (uint32_t)in[i] << 16;

        if (i + 1 < nbytes)
            bits |= (uint32_t)in[i + 1] << 8;
        if (i + 2 < nbytes)
            bits |= in[i + 2];
        at[0] = alphabet[bits >> 18];
        at[1] = alphabet[bits >> 12 & 63];
        at[2] = i + 1 < nbytes ? alphabet[bits >> 6 & 63] : '=';
        at[3] = i + 2 < nbytes ? alphabet[bits & 63] : '=';
        at += 4;
    }
    return (size_t)(at - out);
}

enum stoa_status stoa_base64_append(struct stoa_buffer *out, const void *bytes, size_t nbytes,
                                    struct stoa_error *err)
{
    enum stoa_status st = stoa_buffer_reserve(out, stoa_base64_nbytes(nbytes), err);

    if (st == STOA_OK)
        out->nbytes += stoa_base64_encode(bytes, nbytes, (char *)out->data + out->nbytes);
    return st;
}

/* The value of a character of the alphabet, or 64. */
static uint32_t value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (uint32_t)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (uint32_t)(c - 'a') + 26;
    if (c >= '0' && c <= '9')
        return (uint32_t)(c - '0') + 52;
    return c == '+' ? 62 : c == '/' ? 63 : 64;
}

bool stoa_base64_decode(const char *text, size_t nbytes, uint8_t *out, size_t *nout)
{
    size_t n = 0;

    if (nbytes % 4 != 0)
        return false;
    for (size_t i = 0; i < nbytes; i += 4) {
        unsigned npad = 0;
        uint32_t bits = 0;

        if (i + 4 == nbytes && text[i + 3] == '=')
            npad = text[i + 2] == '=' ? 2 : 1;
        for (size_t k = 0; k < 4; k++) {
            uint32_t value = k < 4 - npad ? value_of(text[i + k]) : 0;

            if (value > 63)
                return false;
            bits = bits << 6 | value;
        }
        if ((bits & ((UINT32_C(1) << (8 * npad)) - 1)) != 0)
            return false; /* bits that no byte has */
        for (unsigned k = 0; k < 3 - npad; k++)
            out[n++] = (uint8_t)(bits >> (16 - 8 * k));
    }
    *nout = n;
    return true;
}
