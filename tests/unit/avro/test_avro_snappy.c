/* Raw snappy: what the library packs comes back, and what it refuses is refused. */
#include "avro/avro_snappy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <snappy-c.h>

#include "avro/avro_program.h"
#include "support/random.h"

/* Bytes with padding behind them, and no more than that. */
static uint8_t *padded(const void *bytes, size_t nbytes)
{
    uint8_t *made = malloc(nbytes + STOA_AVRO_PADDING);

    assert_non_null(made);
    if (bytes != NULL)
        memcpy(made, bytes, nbytes);
    memset(made + nbytes, 0xff, STOA_AVRO_PADDING);
    return made;
}

/* The same as by the library, which is the judge of what is damaged. */
static void assert_same(const uint8_t *packed, size_t npacked)
{
    uint8_t *in = padded(packed, npacked);
    size_t nbytes = 0, expected_nbytes = 0;
    bool good = stoa_avro_snappy_nbytes(in, npacked, &nbytes);
    bool expected = snappy_uncompressed_length((char *)in, npacked, &expected_nbytes) == SNAPPY_OK;

    assert_int_equal(good, expected);
    if (good && nbytes <= (1 << 24)) {
        uint8_t *text = padded(NULL, nbytes), *expected_text = malloc(nbytes + 1);

        assert_int_equal(nbytes, expected_nbytes);
        assert_non_null(expected_text);
        expected = snappy_uncompress((char *)in, npacked, (char *)expected_text,
                                     &expected_nbytes) == SNAPPY_OK;
        good = stoa_avro_snappy_unpack(in, npacked, text, nbytes);
        assert_int_equal(good, expected);
        if (good && nbytes > 0)
            assert_memory_equal(text, expected_text, nbytes);
        free(text);
        free(expected_text);
    }
    free(in);
}

/* Letters that come again from near and far. */
static void make_text(struct stoa_test_random *r, uint8_t *text, size_t nbytes)
{
    const uint64_t nletters = 1 + stoa_test_random_below(r, 255);
    const uint64_t far = 1 + stoa_test_random_below(r, 1 << 17);

    for (size_t i = 0; i < nbytes;) {
        const size_t n = (size_t)stoa_test_random_between(r, 1, 100);
        const size_t offset =
            1 + (size_t)stoa_test_random_below(r, stoa_test_random_one_in(r, 2) ? 20 : far);
        const bool again = offset <= i && !stoa_test_random_one_in(r, 3);

        for (size_t k = 0; k < n && i < nbytes; k++, i++)
            text[i] = again ? text[i - offset] : (uint8_t)stoa_test_random_below(r, nletters);
    }
}

static void texts_come_back_and_damage_is_seen(void **state)
{
    (void)state;
    const size_t nrounds = stoa_test_ncases(300);
    struct stoa_test_random r;

    stoa_test_random_init(&r, "avro_snappy");
    for (size_t round = 0; round < nrounds; round++) {
        const size_t nbytes = (size_t)stoa_test_random_below(&r, round % 10 == 0 ? 300000 : 3000);
        size_t npacked = snappy_max_compressed_length(nbytes);
        uint8_t *text = padded(NULL, nbytes), *packed = malloc(npacked), *back;
        size_t told = 0;

        assert_non_null(packed);
        make_text(&r, text, nbytes);
        assert_int_equal(snappy_compress((char *)text, nbytes, (char *)packed, &npacked),
                         SNAPPY_OK);
        assert_true(stoa_avro_snappy_nbytes(packed, npacked, &told));
        assert_int_equal(told, nbytes);
        back = padded(packed, npacked);
        free(packed);
        packed = back;
        back = padded(NULL, nbytes);
        assert_true(stoa_avro_snappy_unpack(packed, npacked, back, nbytes));
        assert_memory_equal(back, text, nbytes);
        for (unsigned i = 0; i < 30; i++) {
            const size_t at = (size_t)stoa_test_random_below(&r, npacked);
            const uint8_t before = packed[at];

            packed[at] = (uint8_t)stoa_test_random_u64(&r);
            assert_same(packed, npacked);
            packed[at] = before;
            assert_same(packed, at);
        }
        free(text);
        free(packed);
        free(back);
    }
}

/* Tags of each kind, drawn without a text in mind: literals of every way to tell a length, too. */
static void any_tags_are_the_same(void **state)
{
    (void)state;
    const size_t nrounds = stoa_test_ncases(20000);
    struct stoa_test_random r;

    stoa_test_random_init(&r, "avro_snappy_tags");
    for (size_t round = 0; round < nrounds; round++) {
        uint8_t packed[700];
        size_t n = 2, nbytes = 0;

        while (n < 400) {
            const unsigned kind = (unsigned)stoa_test_random_below(&r, 4);
            const size_t left = (size_t)stoa_test_random_between(&r, 1, 64);
            const size_t offset =
                nbytes == 0 ? 0 : 1 + (size_t)stoa_test_random_below(&r, nbytes) % 2000;

            if (kind == 0 || nbytes < 4) {
                const unsigned more = (unsigned)stoa_test_random_below(&r, 5);
                const size_t length = left > 60 && more == 0 ? 60 : left;

                packed[n++] = (uint8_t)((more == 0 ? length - 1 : 59 + more) << 2);
                for (unsigned i = 0; i < more; i++)
                    packed[n++] = i == 0 ? (uint8_t)(length - 1) : 0;
                stoa_test_random_bytes(&r, packed + n, length);
                n += length;
                nbytes += length;
            } else if (kind == 1) {
                packed[n++] = (uint8_t)(1 | (left % 8) << 2 | (offset >> 8) << 5);
                packed[n++] = (uint8_t)offset;
                nbytes += left % 8 + 4;
            } else {
                packed[n++] = (uint8_t)(kind | (left - 1) << 2);
                for (unsigned i = 0; i < (kind == 2 ? 2u : 4u); i++)
                    packed[n++] = (uint8_t)(offset >> 8 * i);
                nbytes += left;
            }
        }
        if (stoa_test_random_one_in(&r, 5)) /* more or less than there is */
            nbytes += (size_t)stoa_test_random_below(&r, 3) - 1;
        packed[0] = (uint8_t)(nbytes | 0x80);
        packed[1] = (uint8_t)(nbytes >> 7 & 0x7f);
        assert_true(nbytes < 1 << 14);
        assert_same(packed, n);
    }
}

static void heads_are_the_same(void **state)
{
    (void)state;
    static const uint8_t heads[][7] = {
        {0},
        {0x80},
        {0x80, 0x80, 0x80, 0x80, 0x80, 0x80},
        {0xff, 0xff, 0xff, 0xff, 0x0f},
        {0xff, 0xff, 0xff, 0xff, 0x1f},
        {0x81, 0x80, 0x80, 0x80, 0x00, 0x00, 'a'},
        {0x01, 0xfc, 0xff, 0xff, 0xff, 0xff, 'a'}, /* a literal of 4 GiB */
        {0x40, 0x00, 'a', 0xfe, 0x00, 0x00, 0x00}, /* offsets of nothing */
        {0x40, 0x00, 'a', 0x01, 0x00, 0x00, 0x00},
    };

    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
        for (size_t n = 0; n <= sizeof(heads[i]); n++)
            assert_same(heads[i], n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_come_back_and_damage_is_seen),
        cmocka_unit_test(any_tags_are_the_same),
        cmocka_unit_test(heads_are_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
