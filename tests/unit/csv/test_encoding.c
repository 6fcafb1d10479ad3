/* Encodings: detection, decoding, what is no text, and the same bytes again. */
#include "csv/encoding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/fault_alloc.h"
#include "support/random.h"

struct bytes {
    const char *data;
    size_t nbytes;
};
#define BYTES(literal)                                                                             \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

static void encodings_are_told_by_their_first_bytes(void **state)
{
    (void)state;
    static const struct {
        struct bytes text;
        const char *expected;
        bool mark;
    } cases[] = {
        {BYTES(""), "UTF-8", false},
        {BYTES("a,b\n1,2\n"), "UTF-8", false},
        {BYTES("\xef\xbb\xbf"
               "a,b\n"),
         "UTF-8", true},
        {BYTES("\xff\xfe"
               "a\0,\0"),
         "UTF-16LE", true},
        {BYTES("\xfe\xff\0a\0,"), "UTF-16BE", true},
        {BYTES("\xff\xfe\0\0a\0\0\0"), "UTF-32LE", true},
        {BYTES("\0\0\xfe\xff\0\0\0a"), "UTF-32BE", true},
        {BYTES("a\0,\0b\0\n\0"), "UTF-16LE", false},
        {BYTES("a,b\n1,\0\n"), "UTF-8", false}, /* NULs in text of one byte a character */
        {BYTES("a,b\n\0,1\n\0,2\n\0,3\n"), "UTF-8", false},
        {BYTES("\0a\0,\0b\0\n"), "UTF-16BE", false},
        {BYTES("a\0\0\0,\0\0\0"), "UTF-32LE", false},
        {BYTES("\0\0\0a\0\0\0,"), "UTF-32BE", false},
        {BYTES("\x34\x04\x30\x04,\0\x31\x00;\0\x30\x04\n\0\n\0"), "UTF-16LE", false},
        {BYTES("a,b\0c,d\n1,2,3,4\n"), "UTF-8", false}, /* a stray zero byte */
        {BYTES("\0\0\0\0\0\0\0\0"), "UTF-8", false},
        {BYTES("\xff"), "UTF-8", false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool mark;
        const char *found = stoa_csv_encoding_detect((const uint8_t *)cases[i].text.data,
                                                     cases[i].text.nbytes, &mark);

        if (strcmp(found, cases[i].expected) != 0 || mark != cases[i].mark)
            fail_msg("case %zu: %s%s", i, found, mark ? " with a mark" : "");
    }
}

/* What decoding gives, what encoding it again does, and how it ended. */
struct result {
    struct stoa_buffer text;
    struct stoa_buffer again;
    enum stoa_status status;
    struct stoa_error err;
    bool exact;
    size_t npatches;
};

static void result_reset(struct result *result)
{
    stoa_buffer_free(&result->text);
    stoa_buffer_free(&result->again);
}

/* Reads all of it, max_read bytes at a time. */
static enum stoa_status read_all(struct stoa_stream *stream, size_t max_read,
                                 struct stoa_buffer *out, struct stoa_error *err)
{
    size_t got = 1;
    enum stoa_status st = STOA_OK;

    while (st == STOA_OK && got > 0) {
        st = stoa_buffer_reserve(out, max_read, err);
        if (st == STOA_OK)
            st = stream->read(stream, out->data + out->nbytes, max_read, &got, err);
        if (st == STOA_OK)
            out->nbytes += got;
    }
    return st;
}

static enum stoa_status encode_all(const char *encoding, const struct stoa_buffer *text,
                                   const uint8_t *patches, size_t npatches, size_t piece,
                                   struct stoa_buffer *out, struct stoa_error *err)
{
    struct stoa_csv_encoder *encoder = NULL;
    enum stoa_status st = stoa_csv_encoder_open(encoding, patches, npatches, &encoder, err);

    for (size_t at = 0; st == STOA_OK && at < text->nbytes; at += piece)
        st =
            stoa_csv_encoder_write(encoder, text->data + at,
                                   text->nbytes - at < piece ? text->nbytes - at : piece, out, err);
    if (st == STOA_OK)
        st = stoa_csv_encoder_finish(encoder, out, err);
    stoa_csv_encoder_close(encoder);
    return st;
}

static enum stoa_status there_and_back(const struct bytes *in, const char *encoding,
                                       size_t max_read, struct result *out)
{
    struct stoa_stream *below, *stream = NULL;
    enum stoa_status st;
    const uint8_t *patches;
    bool mark;

    *out = (struct result){0};
    st = stoa_stream_open_memory(in->data, in->nbytes, "t.csv", &below, &out->err);
    if (st == STOA_OK)
        st = stoa_csv_decode_open(below, encoding, &stream, &out->err);
    if (st == STOA_OK)
        st = read_all(stream, max_read, &out->text, &out->err);
    if (st == STOA_OK) {
        patches = stoa_csv_decode_patches(stream, &out->npatches, &out->exact);
        if (out->exact)
            st = encode_all(stoa_csv_decode_encoding(stream, &mark), &out->text, patches,
                            out->npatches, max_read, &out->again, &out->err);
    }
    stoa_stream_close(stream);
    out->status = st;
    return st;
}

static void text_is_decoded_and_comes_back(void **state)
{
    (void)state;
    static const struct {
        const char *encoding;
        struct bytes in;
        struct bytes text;
        bool patched;
    } cases[] = {
        {NULL, BYTES("a,\xc3\xa9\n"), BYTES("a,\xc3\xa9\n"), false},
        {NULL, BYTES("a,\xe9\n"), BYTES("a,\xe9\n"), false}, /* UTF-8 goes through unseen */
        {"utf8", BYTES("a\0b\n"), BYTES("a\0b\n"), false},
        {NULL,
         BYTES("\xff\xfe"
               "a\0\xe9\0\n\0"),
         BYTES("\xef\xbb\xbf"
               "a\xc3\xa9\n"),
         false},
        {NULL, BYTES("\xfe\xff\0a\xd8\x3d\xde\0\0\n"),
         BYTES("\xef\xbb\xbf"
               "a\xf0\x9f\x98\x80\n"),
         false},
        {"UTF-16", BYTES("a\0b\0"), BYTES("ab"), false},
        {"utf-16be", BYTES("\0a\0b"), BYTES("ab"), false},
        {"UTF-32", BYTES("a\0\0\0\0\xf6\1\0"), BYTES("a\xf0\x9f\x98\x80"), false},
        {"latin1", BYTES("a,\xe9\n"), BYTES("a,\xc3\xa9\n"), false},
        {"CP1252", BYTES("\x80\x93x\x94\n"), BYTES("\xe2\x82\xac\xe2\x80\x9cx\xe2\x80\x9d\n"),
         false},
        {"SHIFT_JIS", BYTES("\x93\xfa\x96\x7b,1\n"), BYTES("\xe6\x97\xa5\xe6\x9c\xac,1\n"), false},
        {"GB18030", BYTES("\xd6\xd0\xce\xc4\n"), BYTES("\xe4\xb8\xad\xe6\x96\x87\n"), false},
        /* An NEC and an IBM code of one character: only one of them comes from it. */
        {"CP932", BYTES("a\xfa\x4a,\x87\x54\n\xed\x40z"),
         BYTES("a\xe2\x85\xa0,\xe2\x85\xa0\n\xe7\xba\x8az"), true},
        {"ASCII", BYTES("a\n"), BYTES("a\n"), false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (size_t max_read = 1; max_read <= 100; max_read = max_read * 3 + 1) {
            struct result result;

            if (there_and_back(&cases[i].in, cases[i].encoding, max_read, &result) != STOA_OK)
                fail_msg("case %zu: %s", i, result.err.message);
            if (result.text.nbytes != cases[i].text.nbytes ||
                memcmp(result.text.data, cases[i].text.data, result.text.nbytes) != 0)
                fail_msg("case %zu by %zu: %.*s", i, max_read, (int)result.text.nbytes,
                         (const char *)result.text.data);
            assert_true(result.exact);
            assert_int_equal(result.npatches > 0, cases[i].patched);
            assert_int_equal(result.again.nbytes, cases[i].in.nbytes);
            assert_memory_equal(result.again.data, cases[i].in.data, cases[i].in.nbytes);
            result_reset(&result);
        }
    }
}

static void encodings_with_a_memory_are_decoded_but_do_not_come_back(void **state)
{
    (void)state;
    static const struct {
        const char *encoding;
        struct bytes in;
        struct bytes text;
    } cases[] = {
        {"ISO-2022-JP", BYTES("a\x1b$B$\"\x1b(B,1\n"), BYTES("a\xe3\x81\x82,1\n")},
        {"UTF-7", BYTES("a+AHw-\n"), BYTES("a|\n")},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct result result;

        assert_int_equal(there_and_back(&cases[i].in, cases[i].encoding, 100, &result), STOA_OK);
        assert_int_equal(result.text.nbytes, cases[i].text.nbytes);
        assert_memory_equal(result.text.data, cases[i].text.data, result.text.nbytes);
        assert_false(result.exact);
        result_reset(&result);
    }
}

static void what_is_no_text_is_an_error_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *encoding;
        struct bytes in;
        enum stoa_status status;
        const char *message;
    } cases[] = {
        {"ASCII", BYTES("a\nb\xe9\n"), STOA_ERR_DATA,
         "t.csv: line 2: byte 0xe9 at 3 is no ASCII: is it another encoding?"},
        {NULL,
         BYTES("\xff\xfe"
               "a\0\n\0\0\xdc"
               "b\0"),
         STOA_ERR_DATA, "t.csv: line 2: byte 0x00 at 6 is no UTF-16LE: is it another encoding?"},
        {NULL,
         BYTES("\xff\xfe"
               "a\0b"),
         STOA_ERR_DATA, "t.csv: line 1: the text ends inside a character of UTF-16LE, at byte 4"},
        {"SHIFT_JIS", BYTES("a\x93"), STOA_ERR_DATA,
         "t.csv: line 1: the text ends inside a character of SHIFT_JIS, at byte 1"},
        {"klingon", BYTES("a"), STOA_ERR_USAGE,
         "the encoding \"klingon\" is not known here (`iconv -l` lists those that are)"},
        {"latin1//TRANSLIT", BYTES("a"), STOA_ERR_USAGE,
         "the encoding \"latin1//TRANSLIT\" is not known here (`iconv -l` lists those that are)"},
        {"", BYTES("a"), STOA_ERR_USAGE,
         "the encoding \"\" is not known here (`iconv -l` lists those that are)"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct result result;

        there_and_back(&cases[i].in, cases[i].encoding, 100, &result);
        assert_string_equal(result.err.message, cases[i].message);
        assert_int_equal(result.status, cases[i].status);
        result_reset(&result);
    }
}

/* Draws text of all lengths of characters in UTF-8. */
static void draw_text(struct stoa_test_random *r, size_t ncharacters, bool narrow,
                      struct stoa_buffer *out)
{
    for (size_t i = 0; i < ncharacters; i++) {
        uint32_t c = stoa_test_random_one_in(r, 3) ? (uint32_t)stoa_test_random_below(r, 0x80)
                     : narrow ? 0xa0 + (uint32_t)stoa_test_random_below(r, 0x60)
                              : (uint32_t)stoa_test_random_below(
                                    r, stoa_test_random_one_in(r, 2) ? 0xd800 : 0x110000);
        uint8_t bytes[4];
        size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

        if (c >= 0xd800 && c < 0xe000) {
            c = 'x';
            n = 1;
        }
        for (size_t k = n; k-- > 1; c >>= 6)
            bytes[k] = (uint8_t)(0x80 | (c & 0x3f));
        bytes[0] = (uint8_t)(n == 1 ? c : (0xf00 >> n & 0xff) | c);
        assert_int_equal(stoa_buffer_append(out, bytes, n, NULL), STOA_OK);
    }
}

static void generated_text_survives_every_encoding(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool narrow;
        bool partial; /* some characters are not in it */
    } encodings[] = {
        {"UTF-16LE", false, false}, {"UTF-16BE", false, false},  {"UTF-32LE", false, false},
        {"UTF-32BE", false, false}, {"GB18030", false, true},    {"ISO-8859-1", true, false},
        {"UTF-8", false, false},    {"ISO-8859-15", true, true},
    };
    struct stoa_test_random r;

    stoa_test_random_init(&r, "generated_text_survives_every_encoding");
    for (size_t i = 0; i < stoa_test_ncases(200); i++) {
        const size_t k = i % (sizeof(encodings) / sizeof(encodings[0]));
        const size_t piece = 1 + stoa_test_random_below(&r, 5000);
        struct stoa_buffer text = {0}, encoded = {0};
        struct stoa_error err = {0};
        struct result result;
        struct bytes in;

        draw_text(&r, stoa_test_random_below(&r, i % 20 == 0 ? 60000 : 300), encodings[k].narrow,
                  &text);
        if (encodings[k].partial &&
            encode_all(encodings[k].name, &text, NULL, 0, piece, &encoded, &err) != STOA_OK) {
            assert_non_null(strstr(err.message, " has no \""));
        } else {
            encoded.nbytes = 0;
            if (encode_all(encodings[k].name, &text, NULL, 0, piece, &encoded, &err) != STOA_OK)
                fail_msg("%s: %s", encodings[k].name, err.message);
            in = (struct bytes){(const char *)encoded.data, encoded.nbytes};
            if (there_and_back(&in, encodings[k].name, piece, &result) != STOA_OK)
                fail_msg("%s: %s", encodings[k].name, result.err.message);
            assert_int_equal(result.text.nbytes, text.nbytes);
            if (text.nbytes > 0)
                assert_memory_equal(result.text.data, text.data, text.nbytes);
            assert_true(result.exact);
            assert_int_equal(result.again.nbytes, encoded.nbytes);
            if (encoded.nbytes > 0)
                assert_memory_equal(result.again.data, encoded.data, encoded.nbytes);
            result_reset(&result);
        }
        stoa_buffer_free(&text);
        stoa_buffer_free(&encoded);
    }
}

static void bytes_of_a_double_byte_set_come_back_whatever_they_are(void **state)
{
    (void)state;
    static const char *const encodings[] = {"CP932", "BIG5", "EUC-KR", "CP949", "EUC-JP", "GBK"};
    struct stoa_test_random r;
    size_t ndecoded = 0, npatched = 0;

    stoa_test_random_init(&r, "bytes_of_a_double_byte_set_come_back_whatever_they_are");
    for (size_t i = 0; i < stoa_test_ncases(3000); i++) {
        struct result result;
        uint8_t bytes[64];
        const size_t n = 2 * (1 + stoa_test_random_below(&r, 8));
        const struct bytes in = {(const char *)bytes, n};

        for (size_t k = 0; k < n; k += 2) { /* pairs that often are characters */
            bytes[k] = (uint8_t)stoa_test_random_between(&r, 0x81, 0xfc);
            bytes[k + 1] = (uint8_t)stoa_test_random_between(&r, 0x40, 0xfc);
        }
        if (there_and_back(&in, encodings[i % 6], 1 + i % 90, &result) == STOA_OK) {
            ndecoded++;
            npatched += result.npatches > 0;
            assert_true(result.exact);
            assert_int_equal(result.again.nbytes, n);
            assert_memory_equal(result.again.data, bytes, n);
        } else {
            assert_int_equal(result.status, STOA_ERR_DATA);
        }
        result_reset(&result);
    }
    print_message("%zu decoded, %zu with patches\n", ndecoded, npatched);
    assert_true(ndecoded > 0 && npatched > 0);
}

static void patches_that_are_none_are_refused(void **state)
{
    (void)state;
    static const struct {
        struct bytes patches;
        const char *text;
        const char *message;
    } cases[] = {
        {BYTES("abc"), "x", "patch at byte 0 is none"},
        {BYTES("\0\0\0\0\0\0\0\0\2\1x"), "x", "patch at byte 0 is none"},
        {BYTES("\1\0\0\0\0\0\0\0\1\1x\1\0\0\0\0\0\0\0\1\1y"), "x", "patch at byte 11 is none"},
        {BYTES("\0\0\0\0\0\0\0\x80\1\1x"), "x", "patch at byte 0 is none"},
        {BYTES("\5\0\0\0\0\0\0\0\1\1x"), "x", "the text ends in front of the last patch"},
        {BYTES("\0\0\0\0\0\0\0\0\1\5x"), "x", "the text ends in front of the last patch"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct stoa_buffer text = {.data = (uint8_t *)(uintptr_t)cases[i].text,
                                         .nbytes = strlen(cases[i].text)};
        struct stoa_buffer out = {0};
        struct stoa_error err = {0};

        assert_int_equal(encode_all("latin1", &text, (const uint8_t *)cases[i].patches.data,
                                    cases[i].patches.nbytes, 1, &out, &err),
                         STOA_ERR_CORRUPT);
        assert_string_equal(err.message, cases[i].message);
        stoa_buffer_free(&out);
    }
}

static enum stoa_status scenario(void *context, struct stoa_error *err)
{
    static const struct bytes in = BYTES("a\xfa\x4a,\x87\x54\n\xed\x40z");
    struct result result;
    enum stoa_status st = there_and_back(&in, "CP932", 7, &result);

    (void)context;
    *err = result.err;
    result_reset(&result);
    return st;
}

static void failed_allocations_are_reported(void **state)
{
    (void)state;
    stoa_test_each_failing_alloc(scenario, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodings_are_told_by_their_first_bytes),
        cmocka_unit_test(text_is_decoded_and_comes_back),
        cmocka_unit_test(encodings_with_a_memory_are_decoded_but_do_not_come_back),
        cmocka_unit_test(what_is_no_text_is_an_error_with_its_place),
        cmocka_unit_test(generated_text_survives_every_encoding),
        cmocka_unit_test(bytes_of_a_double_byte_set_come_back_whatever_they_are),
        cmocka_unit_test(patches_that_are_none_are_refused),
        cmocka_unit_test(failed_allocations_are_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
