/* Numbers are zigzag varints: seven bits a byte, the lowest first, the sign in the lowest bit. */
#include "support/avro_bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

void stoa_test_put(struct stoa_buffer *out, const void *bytes, size_t nbytes)
{
    assert_int_equal(stoa_buffer_append(out, bytes, nbytes, NULL), STOA_OK);
}

void stoa_test_put_long(struct stoa_buffer *out, int64_t value)
{
    uint64_t x = (uint64_t)value << 1 ^ (uint64_t)(value >> 63);

    for (; x >= 0x80; x >>= 7)
        stoa_test_put(out, (uint8_t[]){(uint8_t)(x | 0x80)}, 1);
    stoa_test_put(out, (uint8_t[]){(uint8_t)x}, 1);
}

void stoa_test_put_text(struct stoa_buffer *out, const char *text)
{
    stoa_test_put_long(out, (int64_t)strlen(text));
    stoa_test_put(out, text, strlen(text));
}
