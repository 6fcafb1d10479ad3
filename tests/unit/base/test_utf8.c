/* UTF-8 beside a decoder that goes by the definition: the code point, and its one shortest form. */
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

#include "base/cpu.h"
#include "support/random.h"

/* Writes the UTF-8 form of a code point; its length. */
static size_t encode(uint32_t point, uint8_t out[4])
{
    if (point < 0x80) {
        out[0] = (uint8_t)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (uint8_t)(0xc0 | point >> 6);
        out[1] = (uint8_t)(0x80 | (point & 0x3f));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (uint8_t)(0xe0 | point >> 12);
        out[1] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (point & 0x3f));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | point >> 18);
    out[1] = (uint8_t)(0x80 | (point >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (point & 0x3f));
    return 4;
}

/*
 * The length of the character at text[0], 0 when there is none: any way to read 1..4 bytes as a
 * code point counts that the encoder writes with these very bytes.
 */
static size_t reference(const uint8_t *text, size_t nbytes)
{
    for (size_t length = 1; length <= 4 && length <= nbytes; length++) {
        static const uint8_t lead_mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
        uint32_t point = text[0] & lead_mask[length];
        uint8_t form[4];

        for (size_t i = 1; i < length; i++)
            point = point << 6 | (text[i] & 0x3f);
        if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
            continue;
        if (encode(point, form) == length && memcmp(form, text, length) == 0)
            return length;
    }
    return 0;
}

static size_t reference_prefix(const uint8_t *text, size_t nbytes)
{
    size_t i = 0;

    while (i < nbytes) {
        size_t length = reference(text + i, nbytes - i);

        if (length == 0)
            break;
        i += length;
    }
    return i;
}

static void every_sequence_of_three_bytes_is_judged_rightly(void **state)
{
    (void)state;

    for (uint32_t i = 0; i < UINT32_C(1) << 24; i++) {
        const uint8_t text[] = {(uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};

        if (stoa_utf8_valid_prefix(text, 3) != reference_prefix(text, 3))
            fail_msg("%02x %02x %02x gave %zu", text[0], text[1], text[2],
                     stoa_utf8_valid_prefix(text, 3));
    }
}

/* Four bytes: all first and second bytes; of the others the ends of what they may be. */
static void sequences_of_four_bytes_are_judged_rightly(void **state)
{
    (void)state;
    static const uint8_t others[] = {0x00, 0x41, 0x7f, 0x80, 0x81, 0x9f,
                                     0xa0, 0xbf, 0xc0, 0xc2, 0xf0, 0xff};

    for (uint32_t i = 0; i < UINT32_C(1) << 16; i++) {
        for (size_t k = 0; k < sizeof(others) * sizeof(others); k++) {
            const uint8_t text[] = {(uint8_t)(i >> 8), (uint8_t)i, others[k / sizeof(others)],
                                    others[k % sizeof(others)]};

            for (size_t nbytes = 0; nbytes <= 4; nbytes++)
                assert_true(stoa_utf8_valid_prefix(text, nbytes) == reference_prefix(text, nbytes));
        }
    }
}

static void every_code_point_is_valid_and_nothing_beyond(void **state)
{
    (void)state;

    for (uint32_t point = 0; point < 0x120000; point++) {
        uint8_t text[4];
        size_t nbytes = encode(point, text);
        bool good = point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);

        assert_int_equal(stoa_utf8_valid_prefix(text, nbytes), good ? nbytes : 0);
        for (size_t cut = 1; cut < nbytes; cut++)
            assert_int_equal(stoa_utf8_valid_prefix(text, cut), 0);
    }
}

/* ---- Longer text, which all forms judge alike. ---- */

/* Each form on text that ends where its memory does, at an odd address. */
static void check_forms(const uint8_t *text, size_t nbytes, size_t want)
{
    uint8_t *copy = test_malloc(nbytes + 1);

    memcpy(copy + 1, text, nbytes);
    assert_int_equal(stoa_utf8_valid_prefix(copy + 1, nbytes), want);
    assert_int_equal(stoa_utf8_valid_prefix_scalar(copy + 1, nbytes), want);
#if defined(__x86_64__)
    if (stoa_cpu_has_avx2())
        assert_int_equal(stoa_utf8_valid_prefix_avx2(copy + 1, nbytes), want);
#endif
    test_free(copy);
}

/* Characters of `length` bytes, or of any where it is 0; whole ones, of which as many as fit. */
static size_t put_text(struct stoa_test_random *random, uint8_t *text, size_t room, size_t length)
{
    static const uint32_t limits[] = {0, 0x80, 0x800, 0x10000, 0x110000};
    size_t nbytes = 0;

    for (;;) {
        size_t n = length > 0 ? length : 1 + (size_t)stoa_test_random_below(random, 4);
        uint32_t low = limits[n - 1];
        uint32_t point = low + (uint32_t)stoa_test_random_below(random, limits[n] - low);

        if (nbytes + n > room)
            return nbytes;
        if (point < 0xd800 || point > 0xdfff)
            nbytes += encode(point, text + nbytes);
    }
}

static void a_prefix_ends_before_the_damage(void **state)
{
    (void)state;
    struct stoa_test_random random;

    stoa_test_random_init(&random, "a_prefix_ends_before_the_damage");
    for (size_t i = 0; i < stoa_test_ncases(100000); i++) {
        uint8_t text[300];
        size_t nbytes = 0, room = (size_t)stoa_test_random_below(&random, sizeof(text) - 3);
        uint64_t rarity = 1 + stoa_test_random_below(&random, 60);

        while (nbytes < room) {
            uint32_t point = (uint32_t)stoa_test_random_below(&random, 0x80);

            if (stoa_test_random_one_in(&random, rarity))
                point = (uint32_t)stoa_test_random_below(&random, 0x110000);
            if (point < 0xd800 || point > 0xdfff || stoa_test_random_one_in(&random, 50))
                nbytes += encode(point, text + nbytes);
        }
        if (nbytes > 0 && stoa_test_random_one_in(&random, 2))
            text[stoa_test_random_below(&random, nbytes)] = (uint8_t)stoa_test_random_u64(&random);
        check_forms(text, nbytes, reference_prefix(text, nbytes));
    }
}

static void text_may_be_cut_anywhere(void **state)
{
    (void)state;
    struct stoa_test_random random;

    stoa_test_random_init(&random, "text_may_be_cut_anywhere");
    for (size_t turn = stoa_test_ncases(40); turn > 0; turn--) {
        uint8_t text[200];
        size_t nbytes = put_text(&random, text, sizeof(text), turn % 5);

        for (size_t end = 0; end <= nbytes; end++)
            check_forms(text, end, reference_prefix(text, end));
    }
}

/* Any one byte instead of each of a text: in front of, on and behind the edges of 32 and 64. */
static void damage_is_found_at_every_place(void **state)
{
    (void)state;
    struct stoa_test_random random;

    stoa_test_random_init(&random, "damage_is_found_at_every_place");
    for (size_t length = 0; length <= 4; length++) {
        uint8_t text[140];
        size_t nbytes = put_text(&random, text, sizeof(text), length);

        for (size_t at = 0; at < nbytes; at++) {
            const uint8_t good = text[at];

            for (unsigned byte = 0; byte < 256; byte++) {
                text[at] = (uint8_t)byte;
                check_forms(text, nbytes, reference_prefix(text, nbytes));
            }
            text[at] = good;
        }
    }
}

/*
 * All pairs of bytes with the ends of what may stand behind them, across the edges: the tables of
 * the AVX2 form. The reference of these is the plain form, which was compared with the definition.
 */
static void sequences_are_judged_alike_at_the_edges(void **state)
{
    (void)state;
    static const uint8_t others[] = {0x41, 0x7f, 0x80, 0xbf, 0xc2, 0xff};
    static const size_t edges[] = {28, 29, 30, 31, 32, 60, 61, 62, 63, 64, 92, 95, 124, 126, 127};
    const size_t nothers = sizeof(others), nedges = sizeof(edges) / sizeof(edges[0]);
    uint8_t text[160];

    memset(text, 'x', sizeof(text));
    for (uint32_t i = 0; i < UINT32_C(1) << 16; i++) {
        for (size_t k = 0; k < nothers * nothers; k++) {
            const size_t at = edges[(i + k) % nedges];
            const uint8_t four[] = {(uint8_t)(i >> 8), (uint8_t)i, others[k / nothers],
                                    others[k % nothers]};
            size_t want;

            memcpy(text + at, four, 4);
            want = stoa_utf8_valid_prefix_scalar(text, sizeof(text));
            if (stoa_utf8_valid_prefix(text, sizeof(text)) != want)
                fail_msg("%02x %02x %02x %02x at %zu", four[0], four[1], four[2], four[3], at);
            memset(text + at, 'x', 4);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sequence_of_three_bytes_is_judged_rightly),
        cmocka_unit_test(sequences_of_four_bytes_are_judged_rightly),
        cmocka_unit_test(every_code_point_is_valid_and_nothing_beyond),
        cmocka_unit_test(a_prefix_ends_before_the_damage),
        cmocka_unit_test(text_may_be_cut_anywhere),
        cmocka_unit_test(damage_is_found_at_every_place),
        cmocka_unit_test(sequences_are_judged_alike_at_the_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
