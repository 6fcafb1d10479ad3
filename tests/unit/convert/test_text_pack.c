/* Compressed text: pieces that streams read back, of every size around the borders of a piece. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "convert/text_pack.h"
#include "support/fault_alloc.h"
#include "support/random.h"

static const enum stoa_compress kinds[] = {STOA_COMPRESS_GZIP, STOA_COMPRESS_ZSTD};

static void fill(struct stoa_test_random *r, uint8_t *text, size_t nbytes, unsigned nletters)
{
    for (size_t i = 0; i < nbytes; i++)
        text[i] = (uint8_t)stoa_test_random_below(r, nletters);
}

/* The stream of these bytes is the text. */
static void assert_reads_as(const struct stoa_buffer *packed, const uint8_t *text, size_t nbytes)
{
    static uint8_t got[1 << 20];
    struct stoa_stream *stream = NULL;
    struct stoa_error err = {0};
    size_t at = 0, n;

    assert_int_equal(stoa_stream_open_memory(packed->data, packed->nbytes, "packed", &stream, &err),
                     STOA_OK);
    do {
        if (stream->read(stream, got + at, sizeof(got) - at, &n, &err) != STOA_OK)
            fail_msg("%s", err.message);
        at += n;
    } while (n > 0);
    assert_int_equal(at, nbytes);
    assert_memory_equal(got, text, nbytes);
    stoa_stream_close(stream);
}

static void text_of_any_size_reads_back(void **state)
{
    (void)state;
    static const size_t sizes[] = {0,      1,      65279,  65280,  65281,
                                   130560, 130561, 200000, 700000, (1 << 20) - 1};
    static const unsigned nletters[] = {2, 40, 256}; /* 256 does not become smaller */
    static uint8_t text[1 << 20];
    struct stoa_test_random r;

    stoa_test_random_init(&r, "text_of_any_size_reads_back");
    for (size_t k = 0; k < 2; k++) {
        const struct stoa_text_packer *packer = stoa_text_packer_find(kinds[k]);

        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            for (size_t j = 0; j < 3; j++) {
                struct stoa_buffer packed = {0};
                struct stoa_error err = {0};

                fill(&r, text, sizes[i], nletters[j]);
                assert_int_equal(packer->pack(text, sizes[i], &packed, &err), STOA_OK);
                assert_int_equal(stoa_buffer_append(&packed, packer->end, packer->end_nbytes, &err),
                                 STOA_OK);
                assert_reads_as(&packed, text, sizes[i]);
                assert_true(packed.nbytes < sizes[i] + sizes[i] / 500 + 100);
                stoa_buffer_free(&packed);
            }
        }
    }
}

/* Each block says where the next one begins, and nothing of it is larger than 64 KiB. */
static void blocks_of_gzip_say_their_size(void **state)
{
    (void)state;
    static uint8_t text[300000];
    const struct stoa_text_packer *packer = stoa_text_packer_find(STOA_COMPRESS_GZIP);
    struct stoa_buffer packed = {0};
    struct stoa_test_random r;
    size_t at = 0, nblocks = 0, ntext = 0;

    stoa_test_random_init(&r, "blocks_of_gzip_say_their_size");
    fill(&r, text, sizeof(text), 256);
    fill(&r, text, 100000, 3);
    assert_int_equal(packer->pack(text, sizeof(text), &packed, NULL), STOA_OK);
    assert_int_equal(stoa_buffer_append(&packed, packer->end, packer->end_nbytes, NULL), STOA_OK);
    for (; at < packed.nbytes; nblocks++) {
        const uint8_t *block = packed.data + at;
        const size_t nbytes = (block[16] | (size_t)block[17] << 8) + 1;
        const size_t length = block[nbytes - 4] | (size_t)block[nbytes - 3] << 8;
        const uint32_t sum = block[nbytes - 8] | (uint32_t)block[nbytes - 7] << 8 |
                             (uint32_t)block[nbytes - 6] << 16 | (uint32_t)block[nbytes - 5] << 24;

        assert_memory_equal(block, "\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0", 16);
        assert_int_equal(sum, crc32(0, text + ntext, (unsigned)length));
        ntext += length;
        at += nbytes;
    }
    assert_int_equal(at, packed.nbytes);
    assert_int_equal(nblocks, 6);
    assert_int_equal(ntext, sizeof(text));
    stoa_buffer_free(&packed);
}

static enum stoa_status pack_both(void *context, struct stoa_error *err)
{
    static const uint8_t text[100000];
    enum stoa_status st = STOA_OK;

    (void)context;
    for (size_t k = 0; st == STOA_OK && k < 2; k++) {
        struct stoa_buffer packed = {0};

        st = stoa_text_packer_find(kinds[k])->pack(text, sizeof(text), &packed, err);
        stoa_buffer_free(&packed);
    }
    return st;
}

static void failing_allocations_are_reported(void **state)
{
    (void)state;
    stoa_test_each_failing_alloc(pack_both, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_of_any_size_reads_back),
        cmocka_unit_test(blocks_of_gzip_say_their_size),
        cmocka_unit_test(failing_allocations_are_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
