/*
 * Text forms that several formats share: JSON strings and base64.
 */
#ifndef STOA_BASE_TEXT_H
#define STOA_BASE_TEXT_H

#include "base/alloc.h"

/*
 * Appends a JSON string with its quotes (RFC 8259): control characters, '"' and '\' are escaped,
 * other characters stand as they are. The text must be UTF-8.
 */
STOA_CHECK enum stoa_status stoa_json_append_string(struct stoa_buffer *out, const void *text,
                                                    size_t nbytes, struct stoa_error *err);

/* Bytes as base64 (RFC 4648, with padding): 4 * ceil(nbytes / 3) characters, no terminator. */
static inline size_t stoa_base64_nbytes(size_t nbytes)
{
    return (nbytes / 3 + (nbytes % 3 != 0)) * 4;
}

/* `out` has room for them; returns how many. */
size_t stoa_base64_encode(const void *bytes, size_t nbytes, char *out);
STOA_CHECK enum stoa_status stoa_base64_append(struct stoa_buffer *out, const void *bytes,
                                               size_t nbytes, struct stoa_error *err);

/*
 * The bytes of base64 text into `out`, which has room for nbytes / 4 * 3; *nout says how many.
 * False for anything that stoa_base64_append() would not write.
 */
bool stoa_base64_decode(const char *text, size_t nbytes, uint8_t *out, size_t *nout);

#endif
