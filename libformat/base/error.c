/*
 * Error messages: formatting, prefixes, and making foreign bytes printable.
 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static const char *const status_names[] = {
    [STOA_OK] = "ok",
    [STOA_ERR_USAGE] = "usage",
    [STOA_ERR_DATA] = "data",
    [STOA_ERR_LIMIT] = "limit",
    [STOA_ERR_IO] = "io",
    [STOA_ERR_NOMEM] = "nomem",
    [STOA_ERR_CORRUPT] = "corrupt",
    [STOA_ERR_UNSUPPORTED] = "unsupported",
    [STOA_ERR_CANCELLED] = "cancelled",
};

const char *stoa_status_name(enum stoa_status status)
{
    size_t i = (size_t)status;

    return i < sizeof(status_names) / sizeof(status_names[0]) ? status_names[i] : "unknown";
}

const char *stoa_version(void)
{
    return STOA_VERSION;
}

static void fill(struct stoa_error *err, enum stoa_status status, int os_errno, uint64_t offset,
                 const char *format, va_list args)
{
    err->status = status;
    err->os_errno = os_errno;
    err->offset = offset;
    vsnprintf(err->message, sizeof(err->message), format, args);
}

enum stoa_status stoa_fail(struct stoa_error *err, enum stoa_status status, const char *format, ...)
{
    va_list args;

    if (err == NULL)
        return status;
    va_start(args, format);
    fill(err, status, 0, STOA_NO_OFFSET, format, args);
    va_end(args);
    return status;
}

enum stoa_status stoa_fail_at(struct stoa_error *err, enum stoa_status status, uint64_t offset,
                              const char *format, ...)
{
    va_list args;

    if (err == NULL)
        return status;
    va_start(args, format);
    fill(err, status, 0, offset, format, args);
    va_end(args);
    return status;
}

enum stoa_status stoa_fail_errno(struct stoa_error *err, int os_errno, const char *format, ...)
{
    va_list args;
    char words[128];
    size_t used;

    if (err == NULL)
        return STOA_ERR_IO;
    va_start(args, format);
    fill(err, STOA_ERR_IO, os_errno, STOA_NO_OFFSET, format, args);
    va_end(args);
    used = strlen(err->message);
    snprintf(err->message + used, sizeof(err->message) - used, ": %s",
             strerror_r(os_errno, words, sizeof(words)));
    return STOA_ERR_IO;
}

enum stoa_status stoa_fail_nomem(struct stoa_error *err, size_t nbytes)
{
    return stoa_fail(err, STOA_ERR_NOMEM, "out of memory (%zu bytes)", nbytes);
}

enum stoa_status stoa_wrap(struct stoa_error *err, enum stoa_status status, const char *format, ...)
{
    char prefix[STOA_ERROR_MESSAGE_NBYTES];
    size_t prefix_nbytes, message_nbytes, room;
    va_list args;

    if (err == NULL || status == STOA_ERR_IO)
        return status;
    va_start(args, format);
    vsnprintf(prefix, sizeof(prefix) - 2, format, args);
    va_end(args);
    prefix_nbytes = strlen(prefix);
    memcpy(prefix + prefix_nbytes, ": ", 2);
    prefix_nbytes += 2;
    message_nbytes = strlen(err->message);
    room = sizeof(err->message) - 1 - prefix_nbytes;
    if (message_nbytes > room)
        message_nbytes = room;
    memmove(err->message + prefix_nbytes, err->message, message_nbytes);
    memcpy(err->message, prefix, prefix_nbytes);
    err->message[prefix_nbytes + message_nbytes] = '\0';
    return status;
}

/* Bytes of the valid, printable character at text[0]; 0 when it must be escaped. */
static size_t printable(const uint8_t *text, size_t nbytes)
{
    if (text[0] < 0x20 || text[0] == 0x7f || text[0] == '\\')
        return 0;
    if (text[0] < 0x80)
        return 1;
    /* U+0080..U+009F are control characters of terminals: C2 80..C2 9F. */
    if (text[0] == 0xc2 && nbytes > 1 && text[1] < 0xa0)
        return 0;
    for (size_t length = 2; length <= 4 && length <= nbytes; length++) {
        if (stoa_utf8_valid_prefix(text, length) == length)
            return length;
    }
    return 0;
}

const char *stoa_quote(char *out, size_t out_nbytes, const void *text, size_t nbytes)
{
    const uint8_t *bytes = text;
    size_t used = 0;

    for (size_t i = 0; i < nbytes;) {
        size_t length = printable(bytes + i, nbytes - i);
        size_t width = length > 0 ? length : 4;

        if (used + width + 4 > out_nbytes) {
            memcpy(out + used, "...", 3);
            used += 3;
            break;
        }
        if (length > 0)
            memcpy(out + used, bytes + i, length);
        else
            snprintf(out + used, 5, "\\x%02x", bytes[i]);
        used += width;
        i += length > 0 ? length : 1;
    }
    out[used] = '\0';
    return out;
}
