/* Decoders of raw deflate: each gives the text that was packed; they agree on what is broken. */
#include "io/deflate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/compress.h"
#include "support/fault_alloc.h"
#include "support/random.h"

static const struct stoa_deflate_decoder *const decoders[] = {
    &stoa_deflate_zlib,
#ifdef STOA_HAS_ISAL
    &stoa_deflate_isal,
#endif
};

#define NDECODERS (sizeof(decoders) / sizeof(decoders[0]))
#define NBEHIND   11 /* bytes behind the stream */

/* A text, what it is packed, and something behind that. */
struct pair {
    uint8_t *text, *packed;
    size_t ntext, npacked; /* npacked: without what is behind it */
};

/* How it is decoded, and what came of that. */
struct decoded {
    uint8_t *text; /* room for twice the text */
    size_t ntext;
    size_t nused; /* of the stream and what is behind it, as far as it was not handed back */
    bool end;
    uint8_t taken[8];
    size_t ntaken;
    enum stoa_status st;
};

static void make_pair(struct stoa_test_random *r, size_t ntext, struct pair *pair)
{
    const size_t room = stoa_test_compress_bound(ntext) + NBEHIND;
    const uint64_t nletters = 1 + stoa_test_random_below(r, 255);

    pair->ntext = ntext;
    pair->text = malloc(ntext + 1);
    pair->packed = malloc(room);
    assert_true(pair->text != NULL && pair->packed != NULL);
    for (size_t i = 0; i < ntext; i++)
        pair->text[i] = i > 40000 && stoa_test_random_below(r, 4) != 0
                            ? pair->text[i - 1 - stoa_test_random_below(r, 32768)]
                            : (uint8_t)stoa_test_random_below(r, nletters);
    pair->npacked = stoa_test_deflate(pair->text, ntext, pair->packed, room);
    for (size_t i = 0; i < NBEHIND; i++)
        pair->packed[pair->npacked + i] = (uint8_t)stoa_test_random_below(r, 256);
}

static void free_pair(struct pair *pair)
{
    free(pair->text);
    free(pair->packed);
}

/* Decodes nin bytes, at most max_in and max_out at a time. */
static void decode(const struct stoa_deflate_decoder *decoder, struct stoa_deflate *deflate,
                   const uint8_t *in, size_t nin, size_t max_in, size_t max_out, size_t room,
                   struct decoded *out)
{
    out->ntext = out->nused = 0;
    out->end = false;
    for (;;) {
        struct stoa_deflate_step step;
        struct stoa_error err = {0};
        const size_t nin_now = nin - out->nused < max_in ? nin - out->nused : max_in;
        const size_t nout_now = room - out->ntext < max_out ? room - out->ntext : max_out;

        if (nout_now == 0)
            break;
        out->st = decoder->step(deflate, in + out->nused, nin_now, out->text + out->ntext, nout_now,
                                &step, &err);
        assert_true(step.nused <= nin_now && step.nput <= nout_now);
        out->nused += step.nused;
        out->ntext += step.nput;
        if (out->st != STOA_OK)
            assert_true(err.message[0] != '\0');
        if (out->st != STOA_OK || step.end) {
            out->end = step.end;
            memcpy(out->taken, step.taken, sizeof(out->taken));
            out->ntaken = step.ntaken;
            break;
        }
        if (step.nused == 0 && step.nput == 0 && out->nused == nin)
            break;
    }
    decoder->reset(deflate);
}

static void texts_come_back_in_steps_of_any_size(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 2, 300, 32768, 70000, 300000};
    static const size_t steps[] = {1, 2, 7, 100, 4096, 65536, SIZE_MAX};
    const size_t nsteps = sizeof(steps) / sizeof(steps[0]);
    struct stoa_test_random r;

    stoa_test_random_init(&r, "texts_come_back_in_steps_of_any_size");
    for (size_t d = 0; d < NDECODERS; d++) {
        struct stoa_deflate *deflate = NULL;

        assert_int_equal(decoders[d]->open(&deflate, NULL), STOA_OK);
        for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
            struct decoded decoded = {.text = malloc(2 * sizes[k] + 64)};
            struct pair pair;

            make_pair(&r, sizes[k], &pair);
            for (size_t i = 0; i < nsteps * nsteps; i++) {
                decode(decoders[d], deflate, pair.packed, pair.npacked + NBEHIND, steps[i % nsteps],
                       steps[i / nsteps], 2 * sizes[k] + 64, &decoded);
                assert_int_equal(decoded.st, STOA_OK);
                assert_true(decoded.end);
                assert_int_equal(decoded.ntext, pair.ntext);
                assert_memory_equal(decoded.text, pair.text, pair.ntext);
                assert_int_equal(decoded.nused - decoded.ntaken, pair.npacked);
                assert_memory_equal(decoded.taken, pair.packed + pair.npacked, decoded.ntaken);
            }
            free(decoded.text);
            free_pair(&pair);
        }
        decoders[d]->close(deflate);
        decoders[d]->close(NULL);
    }
}

/* What is cut off or changed: text in front of it is the same, whoever decodes it. */
static void broken_streams_give_the_same_text_in_front_of_the_fault(void **state)
{
    (void)state;
    enum { NTEXT = 3000, ROOM = 2 * NTEXT };
    struct decoded first = {.text = malloc(ROOM)}, decoded = {.text = malloc(ROOM)};
    struct stoa_test_random r;
    size_t nfailed = 0;

    stoa_test_random_init(&r, "broken_streams_give_the_same_text_in_front_of_the_fault");
    for (int round = 0; round < 40; round++) {
        struct pair pair;

        make_pair(&r, NTEXT, &pair);
        for (int k = 0; k < 200; k++) {
            const size_t nin = 1 + stoa_test_random_below(&r, pair.npacked - 1);
            const size_t bit = stoa_test_random_below(&r, 8 * nin);

            if (k % 2 != 0)
                pair.packed[bit / 8] ^= (uint8_t)(1 << bit % 8);
            for (size_t d = 0; d < NDECODERS; d++) {
                struct decoded *out = d == 0 ? &first : &decoded;
                struct stoa_deflate *deflate = NULL;
                size_t n;

                assert_int_equal(decoders[d]->open(&deflate, NULL), STOA_OK);
                decode(decoders[d], deflate, pair.packed, nin, SIZE_MAX, 1000, ROOM, out);
                decoders[d]->close(deflate);
                n = first.ntext < out->ntext ? first.ntext : out->ntext;
                assert_memory_equal(out->text, first.text, n);
                if (k % 2 == 0) { /* cut off */
                    assert_int_equal(out->st, STOA_OK);
                    assert_false(out->end);
                    assert_true(out->ntext - n <= 258 && first.ntext - n <= 258); /* a symbol */
                    assert_memory_equal(out->text, pair.text, out->ntext);
                }
                nfailed += out->st == STOA_ERR_DATA;
            }
            if (k % 2 != 0)
                pair.packed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        free_pair(&pair);
    }
    assert_true(nfailed > 100);
    free(first.text);
    free(decoded.text);
}

static void checksums_are_those_of_zlib(void **state)
{
    (void)state;
    static uint8_t bytes[5000];
    struct stoa_test_random r;

    stoa_test_random_init(&r, "checksums_are_those_of_zlib");
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)stoa_test_random_below(&r, 256);
    for (size_t d = 0; d < NDECODERS; d++) {
        assert_int_equal(decoders[d]->crc32(0, "123456789", 9), 0xcbf43926);
        assert_int_equal(decoders[d]->crc32(7, bytes, 0), 7);
        for (size_t n = 0; n < sizeof(bytes); n += 1 + n / 8) {
            const uint32_t crc = decoders[d]->crc32(1, bytes, n);

            assert_int_equal(crc, stoa_deflate_zlib.crc32(1, bytes, n));
            assert_int_equal(decoders[d]->crc32(crc, bytes + n, sizeof(bytes) - n),
                             stoa_deflate_zlib.crc32(1, bytes, sizeof(bytes)));
        }
    }
}

static enum stoa_status opens_all(void *context, struct stoa_error *err)
{
    (void)context;
    for (size_t d = 0; d < NDECODERS; d++) {
        struct stoa_deflate *deflate = NULL;
        enum stoa_status st = decoders[d]->open(&deflate, err);

        decoders[d]->close(deflate);
        if (st != STOA_OK)
            return st;
    }
    return STOA_OK;
}

static void a_failing_allocation_is_reported(void **state)
{
    (void)state;
    stoa_test_each_failing_alloc(opens_all, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_come_back_in_steps_of_any_size),
        cmocka_unit_test(broken_streams_give_the_same_text_in_front_of_the_fault),
        cmocka_unit_test(checksums_are_those_of_zlib),
        cmocka_unit_test(a_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests_name("io/deflate", tests, NULL, NULL);
}
