/* Narrow values in wide columns: which pairs there are, and that the numbers stay the same. */
#include "file/widen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/int256.h"
#include "file/phys.h"
#include "support/codec_values.h"
#include "support/random.h"

enum { NPHYSES = STOA_PHYS_I256 + 1, NVALUES = 300 };

/* The rule of spec/format.md, section 7, as a table: what a column of each type may hold. */
static const char *const narrower[NPHYSES] = {
    [STOA_PHYS_NONE] = "none",
    [STOA_PHYS_I8] = "i8",
    [STOA_PHYS_I16] = "i8 i16 u8",
    [STOA_PHYS_I32] = "i8 i16 i32 u8 u16",
    [STOA_PHYS_I64] = "i8 i16 i32 i64 u8 u16 u32",
    [STOA_PHYS_U8] = "u8",
    [STOA_PHYS_U16] = "u8 u16",
    [STOA_PHYS_U32] = "u8 u16 u32",
    [STOA_PHYS_U64] = "u8 u16 u32 u64",
    [STOA_PHYS_F32] = "f32",
    [STOA_PHYS_F64] = "f32 f64",
    [STOA_PHYS_I128] = "i8 i16 i32 i64 i128",
    [STOA_PHYS_FIXED] = "fixed",
    [STOA_PHYS_BYTES] = "bytes",
    [STOA_PHYS_F16] = "f16",
    [STOA_PHYS_I256] = "i8 i16 i32 i64 i128 i256",
};

static bool has_word(const char *words, const char *word)
{
    size_t n = strlen(word);

    for (const char *at = words; (at = strstr(at, word)) != NULL; at += n) {
        if ((at == words || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0'))
            return true;
    }
    return false;
}

static void only_what_keeps_value_and_order_widens(void **state)
{
    (void)state;
    for (unsigned from = 0; from < NPHYSES; from++) {
        for (unsigned to = 0; to < NPHYSES; to++) {
            bool expected = has_word(narrower[to], stoa_phys_name(from));

            if (stoa_phys_widens((enum stoa_phys)from, (enum stoa_phys)to) != expected)
                fail_msg("%s in a column of %s", stoa_phys_name(from), stoa_phys_name(to));
        }
    }
}

/* A number of any width as 256 bits, byte by byte. */
static struct stoa_int256 number_at(const uint8_t *values, enum stoa_phys phys, size_t i)
{
    size_t width = stoa_phys_width(phys);
    bool is_unsigned = phys >= STOA_PHYS_U8 && phys <= STOA_PHYS_U64;
    uint8_t bytes[32] = {0};
    struct stoa_int256 x;

    for (size_t k = 0; k < width; k++)
        bytes[k] = values[i * width + (STOA_LITTLE_ENDIAN ? k : width - 1 - k)];
    for (size_t k = width; k < 32 && !is_unsigned && bytes[width - 1] >= 0x80; k++)
        bytes[k] = 0xff;
    for (int k = 0; k < 4; k++)
        x.words[STOA_INT256_WORD(k)] = stoa_load64(bytes + 8 * k);
    return x;
}

static bool is_same_number(const uint8_t *narrow, const uint8_t *wide, size_t i, unsigned from,
                           unsigned to)
{
    return stoa_int256_cmp(number_at(narrow, (enum stoa_phys)from, i),
                           number_at(wide, (enum stoa_phys)to, i)) == 0;
}

static bool is_same_float(const uint8_t *floats, const uint8_t *doubles, size_t i)
{
    float narrow;
    double wide;

    memcpy(&narrow, floats + 4 * i, 4);
    memcpy(&wide, doubles + 8 * i, 8);
    return wide == (double)narrow;
}

static void numbers_stay_the_same(void **state)
{
    struct stoa_test_random r;

    (void)state;
    stoa_test_random_init(&r, "widening");
    for (unsigned from = STOA_PHYS_I8; from < NPHYSES; from++) {
        for (unsigned to = STOA_PHYS_I8; to < NPHYSES; to++) {
            struct stoa_test_values values;
            uint8_t out[NVALUES * 32];

            if (from == to || !stoa_phys_widens((enum stoa_phys)from, (enum stoa_phys)to))
                continue;
            stoa_test_values_make(&values, (enum stoa_phys)from, 0, 5, NVALUES, &r);
            stoa_widen(out, (enum stoa_phys)to, values.values, (enum stoa_phys)from, NVALUES);
            for (size_t i = 0; i < NVALUES; i++) {
                bool same = to == STOA_PHYS_F64 ? is_same_float(values.values, out, i)
                                                : is_same_number(values.values, out, i, from, to);

                if (!same)
                    fail_msg("value %zu of %s as %s", i, stoa_phys_name(from), stoa_phys_name(to));
            }
            stoa_test_values_free(&values);
        }
    }
}

static void intervals_are_three_little_endian_numbers(void **state)
{
    static const uint8_t expected[16] = {14, 0, 0, 0, 0xfd, 0xff, 0xff, 0xff, 1, 2, 3, 4, 5};
    struct {
        int32_t months, days;
        int64_t nanoseconds;
    } interval = {14, -3, 0x0504030201}, back;
    uint8_t bytes[16];

    (void)state;
    stoa_interval_le(bytes, &interval, 1);
    assert_memory_equal(bytes, expected, 16);
    stoa_interval_le(&back, bytes, 1);
    assert_memory_equal(&back, &interval, 16);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_keeps_value_and_order_widens),
        cmocka_unit_test(numbers_stay_the_same),
        cmocka_unit_test(intervals_are_three_little_endian_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
