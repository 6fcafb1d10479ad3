/* Zone maps against a naive model, their bytes, and their places among the entries of a column. */
#include "stats/zonemap.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bits.h"
#include "support/random.h"

static void assert_bytes(const uint8_t *bytes, size_t nbytes, const char *hex)
{
    char text[3 * STOA_ZONE_ENTRY_MAX_NBYTES + 1] = "";

    for (size_t i = 0; i < nbytes; i++)
        snprintf(text + 3 * i, 4, "%02x ", bytes[i]);
    text[3 * nbytes - 1] = '\0';
    assert_string_equal(text, hex);
}

/* The worked bytes of spec/statistics.md. */

static void int_entry_has_the_bytes_of_the_spec(void **state)
{
    (void)state;
    static int32_t values[] = {7, -2, 0, 1200};
    static uint8_t validity[] = {0x0b};
    struct stoa_type type = {.id = STOA_INT32};
    struct stoa_array array = {
        .nvalues = 4, .nnulls = 1, .values = (uint8_t *)values, .validity = validity};
    struct stoa_zone zone;
    uint8_t bytes[24];

    assert_int_equal(stoa_zone_stride(&type), 24);
    stoa_zone_compute(&type, &array, 0, 4, &zone);
    stoa_zone_pack(&zone, bytes);
    assert_bytes(bytes, 24,
                 "fe ff ff ff ff ff ff ff b0 04 00 00 00 00 00 00 01 00 00 00 07 00 00 00");
}

static void text_entry_has_the_bytes_of_the_spec(void **state)
{
    (void)state;
    static char text[] = "EWRSan Francisco Intl";
    static int32_t offsets[] = {0, 3, 21};
    struct stoa_type type = {.id = STOA_UTF8};
    struct stoa_array array = {.nvalues = 2, .values = (uint8_t *)text, .offsets = offsets};
    struct stoa_zone zone;
    uint8_t bytes[40];

    assert_int_equal(stoa_zone_stride(&type), 40);
    stoa_zone_compute(&type, &array, 0, 2, &zone);
    stoa_zone_pack(&zone, bytes);
    assert_bytes(bytes, 40,
                 "45 57 52 00 00 00 00 00 00 00 00 00 00 00 00 00 "
                 "53 61 6e 20 46 72 61 6e 63 69 73 63 6f 20 49 6f "
                 "00 00 00 00 43 00 03 10");
}

static void float_entry_has_the_bytes_of_the_spec(void **state)
{
    (void)state;
    static double values[] = {0.0, (double)NAN, -1.5};
    struct stoa_type type = {.id = STOA_FLOAT64};
    struct stoa_array array = {.nvalues = 3, .values = (uint8_t *)values};
    struct stoa_zone zone;
    uint8_t bytes[24];

    stoa_zone_compute(&type, &array, 0, 3, &zone);
    stoa_zone_pack(&zone, bytes);
    assert_bytes(bytes, 24,
                 "00 00 00 00 00 00 f8 bf 00 00 00 00 00 00 00 00 00 00 00 00 07 00 00 00");
    stoa_zone_compute(&type, &array, 0, 1, &zone);
    stoa_zone_pack(&zone, bytes);
    assert_bytes(bytes, 24,
                 "00 00 00 00 00 00 00 80 00 00 00 00 00 00 00 00 00 00 00 00 d7 00 00 00");
    stoa_zone_compute(&type, &array, 1, 2, &zone);
    stoa_zone_pack(&zone, bytes);
    assert_bytes(bytes, 24,
                 "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 20 00 00 00");
}

static void greatest_text_is_rounded_up_or_open(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t nbytes;
        const char *max;
        uint8_t max_nbytes;
        unsigned flags;
    } cases[] = {
        {"", 0, "", 0, STOA_ZONE_MAX_EXACT},
        {"0123456789abcdef", 16, "0123456789abcdef", 16, STOA_ZONE_MAX_EXACT},
        {"0123456789abcdef.", 17, "0123456789abcdeg", 16, 0},
        {"0123456789abcde\xff.", 17, "0123456789abcdf", 15, 0},
        {"a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 17, "b", 1, 0},
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16,
         "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16,
         STOA_ZONE_MAX_EXACT},
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 17, "", 0,
         STOA_ZONE_MAX_OPEN},
    };
    struct stoa_type type = {.id = STOA_BINARY};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t text[64] = {0};
        int32_t offsets[] = {0, (int32_t)cases[i].nbytes};
        struct stoa_array array = {.nvalues = 1, .values = text, .offsets = offsets};
        struct stoa_zone zone;

        memcpy(text, cases[i].text, cases[i].nbytes);
        stoa_zone_compute(&type, &array, 0, 1, &zone);
        assert_int_equal(zone.max_nbytes, cases[i].max_nbytes);
        assert_memory_equal(zone.max.bytes, cases[i].max, zone.max_nbytes);
        assert_int_equal(zone.flags & (STOA_ZONE_MAX_EXACT | STOA_ZONE_MAX_OPEN), cases[i].flags);
    }
}

static void levels_that_repeat_are_left_out(void **state)
{
    (void)state;
    static const struct {
        uint32_t nrow_groups;
        uint64_t nzones, nentries;
        uint64_t row_group_1, zone_2; /* entries; row group 1 and zone 2 where there are any */
    } cases[] = {
        {0, 0, 0, 0, 0}, {1, 1, 1, 0, 0}, {1, 3, 4, 0, 3}, {3, 3, 4, 2, 3}, {2, 9, 12, 2, 5},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint32_t ngroups = cases[i].nrow_groups;
        uint64_t nzones = cases[i].nzones;

        assert_int_equal(stoa_zone_nentries(ngroups, nzones), cases[i].nentries);
        if (nzones == 0)
            continue;
        assert_int_equal(stoa_zone_entry(ngroups, nzones, STOA_ZONE_OF_FILE, 0, 0), 0);
        if (ngroups > 1)
            assert_int_equal(stoa_zone_entry(ngroups, nzones, STOA_ZONE_OF_ROW_GROUP, 1, 0),
                             cases[i].row_group_1);
        if (nzones > 2)
            assert_int_equal(
                stoa_zone_entry(ngroups, nzones, STOA_ZONE_OF_ROWS, ngroups == 3 ? 2 : 0, 2),
                cases[i].zone_2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(int_entry_has_the_bytes_of_the_spec),
        cmocka_unit_test(text_entry_has_the_bytes_of_the_spec),
        cmocka_unit_test(float_entry_has_the_bytes_of_the_spec),
        cmocka_unit_test(greatest_text_is_rounded_up_or_open),
        cmocka_unit_test(levels_that_repeat_are_left_out),
    };

    return cmocka_run_group_tests_name("zonemap", tests, NULL, NULL);
}
