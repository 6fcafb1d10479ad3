/*
 * Compressed text decoded ahead by several threads: the same text, or an error, as by one. Every
 * cut and every flipped bit of small files is tried.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stoa/io.h>

#include "base/alloc.h"
#include "support/compress.h"
#include "support/fault_alloc.h"
#include "support/random.h"

enum { NTHREADS = 3 };

/* Lines of numbers: compressible, but not much. */
static uint8_t *make_text(size_t nbytes, uint64_t seed)
{
    struct stoa_test_random random;
    uint8_t *text = malloc(nbytes + 32);
    size_t at = 0;

    stoa_test_random_seed(&random, seed);
    while (at < nbytes)
        at += (size_t)snprintf((char *)text + at, 32, "%u,%u\n",
                               (unsigned)stoa_test_random_below(&random, 10000),
                               (unsigned)stoa_test_random_below(&random, 100));
    return text;
}

struct helper {
    struct stoa_stream *stream;
    uint64_t ahead_nbytes;
    atomic_bool stop;
    atomic_uint npieces;
};

static void *help(void *argument)
{
    struct helper *helper = argument;

    while (!atomic_load(&helper->stop)) {
        if (helper->stream->prefetch(helper->stream, helper->ahead_nbytes))
            atomic_fetch_add(&helper->npieces, 1);
        else
            sched_yield();
    }
    return NULL;
}

/* Reads all, with threads that decode ahead; *npieces is how often they found something to do. */
static enum stoa_status read_with_help(const uint8_t *bytes, size_t nbytes, uint64_t ahead_nbytes,
                                       size_t nthreads, size_t npiece, struct stoa_buffer *text,
                                       unsigned *npieces, struct stoa_error *err)
{
    struct helper helper = {0};
    pthread_t threads[NTHREADS];
    enum stoa_status st;
    size_t got = 1, nstarted = 0;

    text->nbytes = 0;
    st = stoa_stream_open_memory(bytes, nbytes, "input", &helper.stream, err);
    if (st != STOA_OK)
        return st;
    helper.ahead_nbytes = ahead_nbytes;
    if (helper.stream->prefetch != NULL)
        helper.stream->prefetch(helper.stream, ahead_nbytes);
    for (; helper.stream->prefetch != NULL && nstarted < nthreads; nstarted++)
        assert_int_equal(pthread_create(&threads[nstarted], NULL, help, &helper), 0);
    while (st == STOA_OK && got > 0) {
        st = stoa_buffer_reserve(text, npiece, err);
        if (st == STOA_OK)
            st = helper.stream->read(helper.stream, text->data + text->nbytes, npiece, &got, err);
        if (st == STOA_OK)
            text->nbytes += got;
    }
    if (st == STOA_OK) {
        assert_int_equal(helper.stream->consumed_nbytes, nbytes);
    } else if (st == STOA_ERR_DATA) { /* an error stays */
        struct stoa_error again = {0};

        assert_int_equal(helper.stream->read(helper.stream, text->data, 1, &got, &again), st);
        assert_string_equal(again.message, err->message);
    }
    atomic_store(&helper.stop, true);
    for (size_t i = 0; i < nstarted; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    *npieces = atomic_load(&helper.npieces);
    stoa_stream_close(helper.stream);
    return st;
}

static size_t pack(const struct stoa_test_piecewise *format, const uint8_t *text, size_t nbytes,
                   size_t npiece, struct stoa_buffer *out)
{
    const size_t room = stoa_test_compress_bound(nbytes) + (nbytes / npiece + 1) * 200;

    assert_int_equal(stoa_buffer_resize(out, room, NULL), STOA_OK);
    out->nbytes = format->compress(text, nbytes, npiece, out->data, room);
    return out->nbytes;
}

static void many_threads_give_the_text_of_one(void **state)
{
    (void)state;
    static const uint64_t budgets[] = {0, 1, 200000, 64 << 20};
    enum { NTEXT = 3000000 };
    uint8_t *expected = make_text(NTEXT, 1);
    struct stoa_buffer packed = {0}, text = {0};
    struct stoa_error err = {0};
    unsigned npieces, sum;

    for (const struct stoa_test_piecewise *f = stoa_test_piecewise; f->name != NULL; f++) {
        sum = 0;
        pack(f, expected, NTEXT, 60000, &packed);
        for (size_t b = 0; b < 4; b++) {
            for (size_t nthreads = 0; nthreads <= NTHREADS; nthreads++) {
                assert_int_equal(read_with_help(packed.data, packed.nbytes, budgets[b], nthreads,
                                                100000, &text, &npieces, &err),
                                 STOA_OK);
                assert_int_equal(text.nbytes, NTEXT);
                assert_memory_equal(text.data, expected, NTEXT);
                sum += npieces;
            }
        }
        printf("# %s: %u pieces by others\n", f->name, sum);
        assert_true(sum > 0);
    }
    stoa_buffer_free(&packed);
    stoa_buffer_free(&text);
    free(expected);
}

/* One member, so that nothing can be done at once: one thread decodes what another one reads. */
static void formats_without_pieces_are_decoded_ahead(void **state)
{
    (void)state;
    enum { NTEXT = 3000000 };
    uint8_t *expected = make_text(NTEXT, 2);
    struct stoa_buffer packed = {0}, text = {0};
    struct stoa_error err = {0};
    unsigned npieces;

    for (const struct stoa_test_compression *c = stoa_test_compressions; c->name != NULL; c++) {
        assert_int_equal(stoa_buffer_resize(&packed, stoa_test_compress_bound(NTEXT), &err),
                         STOA_OK);
        packed.nbytes = c->compress(expected, NTEXT, packed.data, packed.nbytes);
        for (size_t nthreads = 0; nthreads <= NTHREADS; nthreads++) {
            assert_int_equal(read_with_help(packed.data, packed.nbytes, 2 << 20, nthreads, 4096,
                                            &text, &npieces, &err),
                             STOA_OK);
            assert_int_equal(text.nbytes, NTEXT);
            assert_memory_equal(text.data, expected, NTEXT);
        }
    }
    stoa_buffer_free(&packed);
    stoa_buffer_free(&text);
    free(expected);
}

static void members_of_all_kinds_follow_each_other(void **state)
{
    (void)state;
    static const size_t sizes[] = {250000, 0, 1, 70000, 120000};
    uint8_t *expected = make_text(600000, 3);
    struct stoa_buffer all = {0}, packed = {0}, text = {0};
    struct stoa_error err = {0};
    unsigned npieces;

    for (const struct stoa_test_piecewise *f = stoa_test_piecewise; f->name != NULL; f++) {
        size_t at = 0;

        all.nbytes = 0;
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); at += sizes[i++]) {
            pack(f, expected + at, sizes[i], 30000, &packed);
            assert_int_equal(stoa_buffer_append(&all, packed.data, packed.nbytes, &err), STOA_OK);
        }
        for (size_t nthreads = 0; nthreads <= 2; nthreads++) {
            assert_int_equal(read_with_help(all.data, all.nbytes, 1 << 20, nthreads, 5000, &text,
                                            &npieces, &err),
                             STOA_OK);
            assert_int_equal(text.nbytes, at);
            assert_memory_equal(text.data, expected, at);
        }
        assert_int_equal(stoa_buffer_append(&all, "garbage", 7, &err), STOA_OK);
        assert_int_equal(
            read_with_help(all.data, all.nbytes, 1 << 20, 2, 5000, &text, &npieces, &err),
            STOA_ERR_DATA);
        assert_int_equal(text.nbytes, at);
        assert_non_null(strstr(err.message, "of text, and something else follows"));
    }
    stoa_buffer_free(&all);
    stoa_buffer_free(&packed);
    stoa_buffer_free(&text);
    free(expected);
}

enum { NSMALL = 4000 };

/* Where whole members end, a cut gives the beginning; else it is an error, with no other text. */
static void every_cut_is_an_error(void **state)
{
    (void)state;
    uint8_t *expected = make_text(NSMALL, 4);
    struct stoa_buffer packed = {0}, text = {0};
    unsigned npieces;

    for (const struct stoa_test_piecewise *f = stoa_test_piecewise; f->name != NULL; f++) {
        size_t nbytes = pack(f, expected, NSMALL, 1500, &packed), nwhole = 0;

        for (size_t cut = 1; cut < nbytes; cut++) {
            struct stoa_error err = {0};
            enum stoa_status st = read_with_help(packed.data, cut, 1 << 20, cut % 64 == 0, 700,
                                                 &text, &npieces, &err);

            if (st == STOA_OK && cut > 4) { /* 1..4 bytes are no magic number yet: plain text */
                assert_true(text.nbytes % 1500 == 0 || text.nbytes == NSMALL);
                nwhole++;
            }
            if (cut > 4) {
                if (text.nbytes > NSMALL || memcmp(text.data, expected, text.nbytes) != 0)
                    fail_msg("%s: cut at %zu: %zu bytes of other text", f->name, cut, text.nbytes);
            }
        }
        assert_true(nwhole <= 3); /* pieces that are members */
    }
    stoa_buffer_free(&packed);
    stoa_buffer_free(&text);
    free(expected);
}

static void every_flipped_bit_is_an_error_or_harmless(void **state)
{
    (void)state;
    uint8_t *expected = make_text(NSMALL, 5);
    struct stoa_buffer packed = {0}, text = {0};
    size_t nflips = 0, nharmless = 0;
    unsigned npieces;

    for (const struct stoa_test_piecewise *f = stoa_test_piecewise; f->name != NULL; f++) {
        size_t nbytes = pack(f, expected, NSMALL, 1500, &packed);

        for (size_t bit = 80; bit < 8 * nbytes; bit++) { /* without a magic number it is text */
            struct stoa_error err = {0};
            enum stoa_status st;

            packed.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            st = read_with_help(packed.data, nbytes, 1 << 20, 0, 700, &text, &npieces, &err);
            packed.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            nflips++;
            if (st != STOA_OK)
                continue;
            if (text.nbytes != NSMALL || memcmp(text.data, expected, NSMALL) != 0)
                fail_msg("%s: bit %zu: %zu bytes of other text", f->name, bit, text.nbytes);
            nharmless++;
        }
    }
    printf("# %zu flips, %zu of them harmless\n", nflips, nharmless);
    stoa_buffer_free(&packed);
    stoa_buffer_free(&text);
    free(expected);
}

static enum stoa_status scenario(void *context, struct stoa_error *err)
{
    const struct stoa_buffer *packed = context;
    struct stoa_buffer text = {0};
    enum stoa_status st;
    unsigned npieces;

    st = read_with_help(packed->data, packed->nbytes, 1 << 20, 0, 1000000, &text, &npieces, err);
    stoa_buffer_free(&text);
    return st;
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    uint8_t *expected = make_text(NSMALL, 6);
    struct stoa_buffer packed = {0};

    for (const struct stoa_test_piecewise *f = stoa_test_piecewise; f->name != NULL; f++) {
        pack(f, expected, NSMALL, 1500, &packed);
        stoa_test_each_failing_alloc(scenario, &packed);
    }
    stoa_buffer_free(&packed);
    free(expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_threads_give_the_text_of_one),
        cmocka_unit_test(formats_without_pieces_are_decoded_ahead),
        cmocka_unit_test(members_of_all_kinds_follow_each_other),
        cmocka_unit_test(every_cut_is_an_error),
        cmocka_unit_test(every_flipped_bit_is_an_error_or_harmless),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
