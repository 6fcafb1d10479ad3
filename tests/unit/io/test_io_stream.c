/*
 * Text from files, pipes and memory, plain and compressed: all of it, or an error. Every cut and
 * every flipped bit of compressed data is tried.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <stoa/io.h>

#include "base/alloc.h"
#include "base/error.h"
#include "support/compress.h"
#include "support/fault_alloc.h"
#include "support/folder.h"
#include "support/random.h"

#define TEXT_NBYTES 1000

/* Lines of numbers: compressible, but not much. */
static void make_text(uint8_t *out, size_t nbytes, uint64_t seed)
{
    struct stoa_test_random random;
    char line[32] = "";
    size_t used = 0, nline = 0;

    stoa_test_random_seed(&random, seed);
    for (size_t i = 0; i < nbytes; i++) {
        if (used == nline) {
            nline = (size_t)snprintf(line, sizeof(line), "%u,%u\n",
                                     (unsigned)stoa_test_random_below(&random, 10000),
                                     (unsigned)stoa_test_random_below(&random, 100));
            used = 0;
        }
        out[i] = (uint8_t)line[used++];
    }
}

/* Reads to the end in calls of at most npiece bytes. */
static enum stoa_status drain(struct stoa_stream *stream, size_t npiece, struct stoa_buffer *text,
                              struct stoa_error *err)
{
    enum stoa_status st;
    size_t got;

    text->nbytes = 0;
    do {
        STOA_TRY(stoa_buffer_reserve(text, npiece, err));
        STOA_TRY(stream->read(stream, text->data + text->nbytes, npiece, &got, err));
        assert_true(got <= npiece);
        text->nbytes += got;
    } while (got > 0);
    STOA_TRY(stream->read(stream, text->data, npiece, &got, err)); /* the end stays the end */
    assert_int_equal(got, 0);
out:
    return st;
}

static enum stoa_status read_memory(const uint8_t *bytes, size_t nbytes, size_t npiece,
                                    struct stoa_buffer *text, struct stoa_error *err)
{
    struct stoa_stream *stream = NULL;
    enum stoa_status st;

    text->nbytes = 0;
    STOA_TRY(stoa_stream_open_memory(bytes, nbytes, "input", &stream, err));
    STOA_TRY(drain(stream, npiece, text, err));
    assert_int_equal(stream->total_nbytes, nbytes);
    assert_int_equal(stream->consumed_nbytes, nbytes);
out:
    stoa_stream_close(stream);
    return st;
}

static void expect_text(const struct stoa_buffer *text, const uint8_t *expected, size_t nbytes)
{
    assert_int_equal(text->nbytes, nbytes);
    assert_memory_equal(text->data, expected, nbytes);
}

/* ---- Whole inputs. ---- */

static void every_format_is_read_whole_from_memory_and_files(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 10, TEXT_NBYTES, 700000};
    struct stoa_buffer text = {0}, packed = {0};
    struct stoa_error err = {0};
    struct stoa_stream *stream;
    uint8_t *expected = malloc(700000);

    make_text(expected, 700000, 1);
    for (const struct stoa_test_compression *c = stoa_test_compressions; c->name != NULL; c++) {
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            size_t nbytes = sizes[i];

            assert_int_equal(stoa_buffer_resize(&packed, stoa_test_compress_bound(nbytes), &err),
                             STOA_OK);
            packed.nbytes = c->compress(expected, nbytes, packed.data, packed.nbytes);
            assert_int_equal(read_memory(packed.data, packed.nbytes, 65536, &text, &err), STOA_OK);
            expect_text(&text, expected, nbytes);
            if (nbytes <= TEXT_NBYTES) {
                assert_int_equal(read_memory(packed.data, packed.nbytes, 1, &text, &err), STOA_OK);
                expect_text(&text, expected, nbytes);
            }
            stoa_test_folder_put("input", packed.data, packed.nbytes);
            assert_int_equal(stoa_stream_open("input", &stream, &err), STOA_OK);
            assert_int_equal(drain(stream, 100000, &text, &err), STOA_OK);
            expect_text(&text, expected, nbytes);
            assert_int_equal(stream->total_nbytes, packed.nbytes);
            assert_int_equal(stream->consumed_nbytes, packed.nbytes);
            stoa_stream_close(stream);
        }
    }
    stoa_buffer_free(&text);
    stoa_buffer_free(&packed);
    free(expected);
}

static void plain_text_passes_through(void **state)
{
    (void)state;
    /* All that begins like a magic number but is text. */
    static const char *const texts[] = {"",         "a",  "(",      "BZ",     "BZh", "BZhang,1\n",
                                        "BZh9,x\n", "PK", "7z,x\n", "LZIP\n", "P*M", "a,b\n1,2\n"};
    struct stoa_buffer text = {0};
    struct stoa_error err = {0};
    struct stoa_stream *stream;
    uint8_t *expected = malloc(700000);

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const uint8_t *bytes = (const uint8_t *)texts[i];

        assert_int_equal(read_memory(bytes, strlen(texts[i]), 10, &text, &err), STOA_OK);
        expect_text(&text, bytes, strlen(texts[i]));
    }
    make_text(expected, 700000, 1);
    stoa_test_folder_put("input", expected, 700000);
    for (size_t npiece = 1000; npiece < 1000000; npiece *= 9) {
        assert_int_equal(stoa_stream_open("input", &stream, &err), STOA_OK);
        assert_int_equal(drain(stream, npiece, &text, &err), STOA_OK);
        expect_text(&text, expected, 700000);
        assert_int_equal(stream->consumed_nbytes, 700000);
        stoa_stream_close(stream);
    }
    stoa_buffer_free(&text);
    free(expected);
}

/* ---- Two members of each format, and what can happen to them. ---- */

struct pair {
    uint8_t text[2 * TEXT_NBYTES];
    uint8_t packed[4 * TEXT_NBYTES];
    size_t nfirst; /* bytes of the first member */
    size_t npacked;
};

static void make_pair(struct pair *pair, const struct stoa_test_compression *c)
{
    make_text(pair->text, sizeof(pair->text), 2);
    pair->nfirst =
        c->compress(pair->text, TEXT_NBYTES, pair->packed, stoa_test_compress_bound(TEXT_NBYTES));
    pair->npacked = pair->nfirst + c->compress(pair->text + TEXT_NBYTES, TEXT_NBYTES,
                                               pair->packed + pair->nfirst,
                                               sizeof(pair->packed) - pair->nfirst);
}

static void members_are_read_through(void **state)
{
    (void)state;
    struct stoa_buffer text = {0};
    struct stoa_error err = {0};
    struct pair pair;

    for (const struct stoa_test_compression *c = stoa_test_compressions; c->name != NULL; c++) {
        make_pair(&pair, c);
        for (size_t npiece = 1; npiece < 20000; npiece = npiece * 3 + 1) {
            assert_int_equal(read_memory(pair.packed, pair.npacked, npiece, &text, &err), STOA_OK);
            expect_text(&text, pair.text, sizeof(pair.text));
        }
    }
    stoa_buffer_free(&text);
}

static void every_cut_is_an_error(void **state)
{
    (void)state;
    struct stoa_buffer text = {0};
    struct pair pair;

    for (const struct stoa_test_compression *c = stoa_test_compressions; c->name != NULL; c++) {
        make_pair(&pair, c);
        for (size_t n = 1; n < pair.npacked; n++) {
            struct stoa_error err = {0};
            enum stoa_status st = read_memory(pair.packed, n, 65536, &text, &err);

            if (n == pair.nfirst) { /* nothing shows that a second member was there */
                assert_int_equal(st, STOA_OK);
                expect_text(&text, pair.text, TEXT_NBYTES);
            } else if (st == STOA_OK) {
                /* The first bytes of some magic numbers are text: it must be these bytes. */
                if (n > 3)
                    fail_msg("%s cut at %zu of %zu is accepted", c->name, n, pair.npacked);
                expect_text(&text, pair.packed, n);
            } else if (st != STOA_ERR_DATA || strncmp(err.message, "input: ", 7) != 0) {
                fail_msg("%s cut at %zu: %s", c->name, n, err.message);
            }
        }
    }
    stoa_buffer_free(&text);
}

static void every_flipped_bit_is_an_error_or_harmless(void **state)
{
    (void)state;
    struct stoa_buffer text = {0};
    struct pair pair;
    size_t nflips = 0, nharmless = 0;

    for (const struct stoa_test_compression *c = stoa_test_compressions; c->name != NULL; c++) {
        make_pair(&pair, c);
        for (size_t bit = 0; bit < 8 * pair.npacked; bit++) {
            struct stoa_error err = {0};
            enum stoa_status st;

            pair.packed[bit / 8] ^= (uint8_t)(1 << bit % 8);
            st = read_memory(pair.packed, pair.npacked, 65536, &text, &err);
            if (st == STOA_OK && text.nbytes == sizeof(pair.text)) {
                expect_text(&text, pair.text, sizeof(pair.text));
                nharmless++; /* the name of the system in a gzip header */
            } else if (st == STOA_OK) {
                /* Without its magic number it is any file: it is not changed at least. */
                assert_true(bit / 8 < 10);
                expect_text(&text, pair.packed, pair.npacked);
            }
            pair.packed[bit / 8] ^= (uint8_t)(1 << bit % 8);
            nflips++;
        }
    }
    printf("# %zu flips, %zu of them harmless\n", nflips, nharmless);
    assert_true(nharmless * 100 < nflips);
    stoa_buffer_free(&text);
}

static void what_follows_a_member_is_another_one_or_an_error(void **state)
{
    (void)state;
    static const char *const tails[] = {"garbage", "\n", "\0", "\0\0\0\0\0"};
    static const size_t ntails[] = {7, 1, 1, 5};
    struct stoa_buffer text = {0};
    struct stoa_error err;
    struct pair pair;

    for (const struct stoa_test_compression *c = stoa_test_compressions; c->name != NULL; c++) {
        for (size_t i = 0; i < 4; i++) {
            err = (struct stoa_error){0};
            make_pair(&pair, c);
            memcpy(pair.packed + pair.npacked, tails[i], ntails[i]);
            assert_int_equal(read_memory(pair.packed, pair.npacked + ntails[i], 65536, &text, &err),
                             STOA_ERR_DATA);
            assert_non_null(strstr(err.message, "and something else follows"));
            expect_text(&text, pair.text, sizeof(pair.text)); /* given out before the error */
        }
        make_pair(&pair, c);
        memset(pair.packed + pair.npacked, 0, 8);
        if (strcmp(c->name, "xz") == 0) { /* the only format that allows it */
            assert_int_equal(read_memory(pair.packed, pair.npacked + 8, 65536, &text, &err),
                             STOA_OK);
            expect_text(&text, pair.text, sizeof(pair.text));
        }
    }
    stoa_buffer_free(&text);
}

/* A frame that says it has 144 bytes, and whose only block has none. */
static void text_that_a_frame_says_it_has_is_missed(void **state)
{
    (void)state;
    static const uint8_t zstd[] = {0x28, 0xb5, 0x2f, 0xfd, 0x21, 0, 144, 1, 0, 0};
    struct stoa_buffer text = {0};
    struct stoa_error err = {0};

    assert_int_equal(read_memory(zstd, sizeof(zstd), 1, &text, &err), STOA_ERR_DATA);
    assert_string_equal(err.message,
                        "input: zstd data is damaged near byte 10, after 0 bytes of text: a frame "
                        "of 0 bytes of text says it has 144");
    assert_int_equal(read_memory(zstd, sizeof(zstd), 65536, &text, &err), STOA_ERR_DATA);
    stoa_buffer_free(&text);
}

static void messages_say_what_is_wrong_and_where(void **state)
{
    (void)state;
    struct stoa_buffer text = {0};
    struct stoa_error err = {0};
    char expected[200];
    struct pair pair;

    make_pair(&pair, &stoa_test_compressions[0]);
    assert_int_equal(read_memory(pair.packed, pair.nfirst - 1, 65536, &text, &err), STOA_ERR_DATA);
    assert_string_equal(err.message, "input: gzip data ends early, after 1000 bytes of text");
    assert_int_equal(err.offset, pair.nfirst - 1);
    assert_int_equal(read_memory(pair.packed, 2, 65536, &text, &err), STOA_ERR_DATA);
    assert_string_equal(err.message, "input: gzip data ends within its first header");
    pair.packed[pair.nfirst - 8] ^= 1;
    assert_int_equal(read_memory(pair.packed, pair.npacked, 65536, &text, &err), STOA_ERR_DATA);
    snprintf(expected, sizeof(expected),
             "input: gzip data is damaged near byte %zu, after 1000 bytes of text: "
             "incorrect data check",
             pair.nfirst - 4);
    assert_string_equal(err.message, expected);
    pair.packed[pair.nfirst - 8] ^= 1;
    memcpy(pair.packed + pair.nfirst, "x", 1);
    assert_int_equal(read_memory(pair.packed, pair.npacked, 65536, &text, &err), STOA_ERR_DATA);
    snprintf(expected, sizeof(expected),
             "input: gzip data ends at byte %zu, after 1000 bytes of text, "
             "and something else follows",
             pair.nfirst);
    assert_string_equal(err.message, expected);
    assert_int_equal(err.offset, pair.nfirst);
    stoa_buffer_free(&text);
}

static void archives_are_named(void **state)
{
    (void)state;
    struct stoa_buffer text = {0};
    struct stoa_error err = {0};

    assert_int_equal(read_memory((const uint8_t *)"PK\3\4....", 8, 10, &text, &err),
                     STOA_ERR_UNSUPPORTED);
    assert_string_equal(err.message, "input: is a zip archive, which is read from its end: from a "
                                     "file, not from a pipe or another archive");
    stoa_buffer_free(&text);
}

/* ---- Frames that are skipped, windows that are refused. ---- */

static void frames_to_skip_are_skipped(void **state)
{
    (void)state;
    static const uint8_t skip_frame[] = {0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'a', 'b', 'c'};
    struct stoa_buffer text = {0}, packed = {0};
    struct stoa_error err = {0};
    struct pair pair;

    for (size_t i = 3; i < 5; i++) { /* zstd and LZ4 */
        make_pair(&pair, &stoa_test_compressions[i]);
        packed.nbytes = 0;
        assert_int_equal(stoa_buffer_append(&packed, skip_frame, sizeof(skip_frame), &err), 0);
        assert_int_equal(stoa_buffer_append(&packed, pair.packed, pair.npacked, &err), 0);
        assert_int_equal(stoa_buffer_append(&packed, skip_frame, sizeof(skip_frame), &err), 0);
        assert_int_equal(read_memory(packed.data, packed.nbytes, 1000, &text, &err), STOA_OK);
        expect_text(&text, pair.text, sizeof(pair.text));
        for (size_t n = 1; n < sizeof(skip_frame); n++) {
            enum stoa_status st = read_memory(packed.data, packed.nbytes - n, 1000, &text, &err);

            assert_int_equal(st, STOA_ERR_DATA);
        }
    }
    stoa_buffer_free(&text);
    stoa_buffer_free(&packed);
}

static void windows_above_the_limit_are_refused(void **state)
{
    (void)state;
    /* zstd: no single segment, window 2^28; one last raw block of no bytes. */
    static const uint8_t zstd[] = {0x28, 0xb5, 0x2f, 0xfd, 0, 18 << 3, 1, 0, 0};
    /* xz: a header that asks for a dictionary of 1.5 GiB. */
    static const uint8_t xz[] = {0xfd, '7',  'z',  'X',  'Z',  0,    0,    0,
                                 0xff, 0x12, 0xd9, 0x41, 0x02, 0x00, 0x21, 0x01,
                                 0x25, 0x00, 0x00, 0x00, 0x3b, 0x78, 0x7b, 0x41};
    struct stoa_buffer text = {0};
    struct stoa_error err = {0};

    assert_int_equal(read_memory(zstd, sizeof(zstd), 10, &text, &err), STOA_ERR_LIMIT);
    assert_string_equal(err.message,
                        "input: zstd data: needs a window of more than 128 MiB to decode");
    assert_int_equal(read_memory(xz, sizeof(xz), 10, &text, &err), STOA_ERR_LIMIT);
    assert_non_null(strstr(err.message, "more than the limit of 256 MiB"));
    stoa_buffer_free(&text);
}

/* ---- Below. ---- */

static void pipes_and_standard_input_are_read(void **state)
{
    (void)state;
    struct stoa_buffer text = {0};
    struct stoa_error err = {0};
    struct stoa_stream *stream;
    struct pair pair;
    int fds[2], saved = dup(STDIN_FILENO);

    for (const struct stoa_test_compression *c = stoa_test_compressions; c->name != NULL; c++) {
        make_pair(&pair, c);
        assert_int_equal(pipe(fds), 0);
        assert_int_equal(write(fds[1], pair.packed, pair.npacked), pair.npacked);
        close(fds[1]);
        assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
        dup2(fds[0], STDIN_FILENO);
        close(fds[0]);
        assert_int_equal(stoa_stream_open("-", &stream, &err), STOA_OK);
        assert_string_equal(stream->name, "standard input");
        assert_int_equal(stream->total_nbytes, 0);
        assert_int_equal(drain(stream, 1000, &text, &err), STOA_OK);
        expect_text(&text, pair.text, sizeof(pair.text));
        stoa_stream_close(stream);
        assert_int_equal(fcntl(STDIN_FILENO, F_GETFD), 0); /* still open */
    }
    dup2(saved, STDIN_FILENO);
    close(saved);
    stoa_buffer_free(&text);
}

static void what_is_no_input_is_refused(void **state)
{
    (void)state;
    struct stoa_error err = {0};
    struct stoa_stream *stream;

    mkdir("folder", 0700);
    assert_int_equal(stoa_stream_open("folder", &stream, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message, "folder: is a folder, not a file");
    assert_int_equal(stoa_stream_open("gone", &stream, &err), STOA_ERR_IO);
    assert_string_equal(err.message, "gone: can't be opened: No such file or directory");
    assert_int_equal(err.os_errno, ENOENT);
    stoa_stream_close(NULL);
}

static enum stoa_status reads_all_formats(void *context, struct stoa_error *err)
{
    struct stoa_buffer text = {0};
    struct pair pair;
    enum stoa_status st = STOA_OK;

    (void)context;
    for (const struct stoa_test_compression *c = stoa_test_compressions; c->name != NULL; c++) {
        make_pair(&pair, c);
        STOA_TRY(read_memory(pair.packed, pair.npacked, 65536, &text, err));
    }
out:
    stoa_buffer_free(&text);
    return st;
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    stoa_test_each_failing_alloc(reads_all_formats, NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, stoa_test_folder_enter, stoa_test_folder_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_format_is_read_whole_from_memory_and_files),
        TEST(plain_text_passes_through),
        cmocka_unit_test(members_are_read_through),
        cmocka_unit_test(every_cut_is_an_error),
        cmocka_unit_test(every_flipped_bit_is_an_error_or_harmless),
        cmocka_unit_test(what_follows_a_member_is_another_one_or_an_error),
        cmocka_unit_test(text_that_a_frame_says_it_has_is_missed),
        cmocka_unit_test(messages_say_what_is_wrong_and_where),
        cmocka_unit_test(archives_are_named),
        cmocka_unit_test(frames_to_skip_are_skipped),
        cmocka_unit_test(windows_above_the_limit_are_refused),
        cmocka_unit_test(pipes_and_standard_input_are_read),
        TEST(what_is_no_input_is_refused),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
