/* The hash of the format: the values that every reader must find, and streams in any parts. */
#include "base/hash.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "support/fault_alloc.h"
#include "support/random.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* As `xxhsum -H3` and `xxhsum -H128` print them: a file's hashes must never change. */
static const struct {
    const char *text;
    uint64_t hash64;
} known[] = {
    {"", UINT64_C(0x2d06800538d394c2)},
    {"a", UINT64_C(0xe6c632b61e964e1f)},
    {"stoa", UINT64_C(0x239d97239e19016f)},
    {"stoa poikile", UINT64_C(0x795b1ecff44bc24d)},
    {"0123456789abcdef0123456789abcdef0", UINT64_C(0x743a608ef1f0f535)},
    {"columns under one roof, columns under one roof, columns under one roof, "
     "columns under one roof, columns under one roof, columns under one roof, "
     "columns under one roof, ",
     UINT64_C(0xc5851070733771db)},
    {"columns under one roof, columns under one roof, columns under one roof, "
     "columns under one roof, columns under one roof, columns under one roof, "
     "columns under one roof, columns under one roof, columns under one roof, "
     "columns under one roof, columns under one roof, ",
     UINT64_C(0xea60f1c47ba910e4)},
    {"columns under one roof, columns under one roof, columns under one roof, "
     "columns under one roof, columns under one roof, columns under one roof, "
     "columns under one roof, columns under one roof, columns under one roof, "
     "columns under one roof, columns under one roof, columns under one roof, "
     "columns under one roof, columns under one roof, columns under one roof, "
     "columns under one roof, columns under one roof, columns under one roof, "
     "columns under one roof, columns under one roof, columns under one roof, "
     "columns under one roof, columns under one roof, columns under one roof, "
     "columns under one roof, columns under one roof, columns under one roof, "
     "columns under one roof, columns under one roof, columns under one roof, "
     "columns under one roof, columns under one roof, columns under one roof, "
     "columns under one roof, columns under one roof, columns under one roof, "
     "columns under one roof, columns under one roof, columns under one roof, "
     "columns under one roof, columns under one roof, columns under one roof, "
     "columns under one roof, columns under one roof, columns under one roof, "
     "columns under one roof, columns under one roof, columns under one roof, "
     "columns under one roof, columns under one roof, columns under one roof, "
     "columns under one roof, columns under one roof, columns under one roof, "
     "columns under one roof, columns under one roof, columns under one roof, "
     "columns under one roof, columns under one roof, columns under one roof, ",
     UINT64_C(0x013022aef37948b1)},
};

static void hashes_are_those_of_the_specification(void **state)
{
    (void)state;

    for (size_t i = 0; i < LENGTH(known); i++) {
        size_t nbytes = strlen(known[i].text);
        struct stoa_hash_stream *stream = NULL;

        assert_int_equal(stoa_hash(known[i].text, nbytes), known[i].hash64);
        assert_int_equal(stoa_hash_stream_new(&stream, NULL), STOA_OK);
        stoa_hash_stream_update(stream, known[i].text, nbytes);
        assert_int_equal(stoa_hash_stream_digest(stream), known[i].hash64);
        stoa_hash_stream_reset(stream);
        assert_int_equal(stoa_hash_stream_digest(stream), known[0].hash64);
        stoa_hash_stream_free(stream);
    }
    assert_int_equal(stoa_hash(NULL, 0), known[0].hash64);
}

static void a_stream_may_come_in_any_parts(void **state)
{
    (void)state;
    static uint8_t text[5000];
    struct stoa_test_random random;

    stoa_test_random_init(&random, "a_stream_may_come_in_any_parts");
    stoa_test_random_bytes(&random, text, sizeof(text));
    for (size_t i = 0; i < stoa_test_ncases(2000); i++) {
        size_t nbytes = (size_t)stoa_test_random_below(&random, sizeof(text) + 1), at = 0;
        struct stoa_hash_stream *parts = NULL;

        assert_int_equal(stoa_hash_stream_new(&parts, NULL), STOA_OK);
        while (at < nbytes) {
            size_t part = (size_t)stoa_test_random_below(&random, 700);

            if (part > nbytes - at)
                part = nbytes - at;
            stoa_hash_stream_update(parts, text + at, part);
            (void)stoa_hash_stream_digest(parts); /* asking does not disturb */
            at += part;
        }
        assert_int_equal(stoa_hash_stream_digest(parts), stoa_hash(text, nbytes));
        stoa_hash_stream_free(parts);
    }
    stoa_hash_stream_free(NULL);
}

static void one_flipped_bit_changes_the_hash(void **state)
{
    (void)state;
    uint8_t text[300] = {0};

    for (size_t nbytes = 1; nbytes <= sizeof(text); nbytes += nbytes < 40 ? 1 : 37) {
        uint64_t hash = stoa_hash(text, nbytes);

        for (size_t bit = 0; bit < 8 * nbytes; bit++) {
            text[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_not_equal(stoa_hash(text, nbytes), hash);
            text[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}

/* Keys that all meet in a table of 4,096 places without a seed. */
static void keys_that_meet_are_spread_by_a_seed(void **state)
{
    static unsigned nkeys[2][4096];
    const uint64_t seeds[2] = {stoa_hash_make_seed(), stoa_hash_make_seed()};
    unsigned n = 0, nsame = 0;

    (void)state;
    assert_int_not_equal(seeds[0], seeds[1]);
    for (uint64_t key = 0; n < 256; key++) {
        const uint64_t a = stoa_hash_seeded(&key, sizeof(key), seeds[0]) % 4096;
        const uint64_t b = stoa_hash_seeded(&key, sizeof(key), seeds[1]) % 4096;

        if (stoa_hash(&key, sizeof(key)) % 4096 != 0)
            continue;
        n++;
        nsame += a == b;
        assert_true(++nkeys[0][a] <= 12); /* by chance once in 10^14 runs */
        assert_true(++nkeys[1][b] <= 12);
    }
    assert_true(nsame <= 12);
}

static enum stoa_status opens_a_stream(void *context, struct stoa_error *err)
{
    struct stoa_hash_stream *stream = NULL;
    enum stoa_status st;

    (void)context;
    STOA_TRY(stoa_hash_stream_new(&stream, err));
    stoa_hash_stream_update(stream, "stoa", 4);
out:
    stoa_hash_stream_free(stream);
    return st;
}

static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    stoa_test_each_failing_alloc(opens_a_stream, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_those_of_the_specification),
        cmocka_unit_test(a_stream_may_come_in_any_parts),
        cmocka_unit_test(one_flipped_bit_changes_the_hash),
        cmocka_unit_test(keys_that_meet_are_spread_by_a_seed),
        cmocka_unit_test(a_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
