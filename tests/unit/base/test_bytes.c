/* Little-endian numbers at any alignment. */
#include "base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "support/random.h"

static void loads_read_the_lowest_byte_first(void **state)
{
    (void)state;
    uint8_t bytes[16];

    for (size_t at = 0; at < 8; at++) {
        for (size_t i = 0; i < sizeof(bytes); i++)
            bytes[i] = (uint8_t)(0xf1 + i - at);
        assert_int_equal(stoa_load16(bytes + at), 0xf2f1);
        assert_int_equal(stoa_load32(bytes + at), UINT32_C(0xf4f3f2f1));
        assert_int_equal(stoa_load64(bytes + at), UINT64_C(0xf8f7f6f5f4f3f2f1));
        assert_int_equal(stoa_load64_be(bytes + at), UINT64_C(0xf1f2f3f4f5f6f7f8));
    }
}

static void stores_write_what_loads_read_and_no_more(void **state)
{
    (void)state;
    struct stoa_test_random random;

    stoa_test_random_init(&random, "stores_write_what_loads_read_and_no_more");
    for (size_t i = 0; i < 10000; i++) {
        uint8_t bytes[24];
        uint64_t x = stoa_test_random_u64(&random);
        size_t at = 1 + i % 8;
        unsigned width = 2u << i % 3;

        memset(bytes, 0x55, sizeof(bytes));
        if (width == 2) {
            stoa_store16(bytes + at, (uint16_t)x);
            assert_int_equal(stoa_load16(bytes + at), (uint16_t)x);
        } else if (width == 4) {
            stoa_store32(bytes + at, (uint32_t)x);
            assert_int_equal(stoa_load32(bytes + at), (uint32_t)x);
        } else {
            stoa_store64(bytes + at, x);
            assert_int_equal(stoa_load64(bytes + at), x);
        }
        for (unsigned k = 0; k < width; k++)
            assert_int_equal(bytes[at + k], (uint8_t)(x >> (8 * k)));
        assert_int_equal(bytes[at - 1], 0x55);
        assert_int_equal(bytes[at + width], 0x55);
    }
}

/* The bytes of `x` as a native number of 16 bytes with the halves lo and hi. */
static void native128(uint8_t out[16], uint64_t lo, uint64_t hi)
{
    memcpy(out + (STOA_LITTLE_ENDIAN ? 0 : 8), &lo, 8);
    memcpy(out + (STOA_LITTLE_ENDIAN ? 8 : 0), &hi, 8);
}

static void arrays_become_little_endian_and_native_again(void **state)
{
    (void)state;
    const uint16_t n16[] = {0x0102, 0x0304};
    const uint32_t n32[] = {UINT32_C(0x01020304), UINT32_C(0x05060708)};
    const uint64_t n64[] = {UINT64_C(0x0102030405060708), UINT64_C(0x1112131415161718)};
    static const uint8_t le16[] = {2, 1, 4, 3};
    static const uint8_t le32[] = {4, 3, 2, 1, 8, 7, 6, 5};
    static const uint8_t le64[] = {8,    7,    6,    5,    4,    3,    2,    1,
                                   0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11};
    uint8_t n128[16], n256[32], out[16], back[16];

    stoa_bytes_le(out, n16, 2, 2);
    assert_memory_equal(out, le16, 4);
    stoa_bytes_le(out, n32, 2, 4);
    assert_memory_equal(out, le32, 8);
    stoa_bytes_le(out, n64, 2, 8);
    assert_memory_equal(out, le64, 16);
    stoa_bytes_le(back, out, 2, 8);
    assert_memory_equal(back, n64, 16);
    native128(n128, n64[0], n64[1]);
    stoa_bytes_le(out, n128, 1, 16);
    assert_memory_equal(out, le64, 16);
    stoa_bytes_le(out, out, 1, 16); /* in place */
    assert_memory_equal(out, n128, 16);
    native128(n256 + (STOA_LITTLE_ENDIAN ? 0 : 16), n64[0], n64[1]);
    native128(n256 + (STOA_LITTLE_ENDIAN ? 16 : 0), n64[1], n64[0]);
    stoa_bytes_le(n256, n256, 1, 32);
    assert_memory_equal(n256, le64, 16);
    assert_memory_equal(n256 + 16, le64 + 8, 8);
    assert_memory_equal(n256 + 24, le64, 8);
    memset(out, 0x55, sizeof(out));
    stoa_bytes_le(out, le16, 4, 1);
    assert_memory_equal(out, le16, 4);
    assert_int_equal(out[4], 0x55);
    stoa_bytes_le(NULL, NULL, 0, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_read_the_lowest_byte_first),
        cmocka_unit_test(stores_write_what_loads_read_and_no_more),
        cmocka_unit_test(arrays_become_little_endian_and_native_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
