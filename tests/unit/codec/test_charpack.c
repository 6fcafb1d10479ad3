/* CHARPACK: texts of one layout come back in their case and length; others stay as they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "codec/chooser.h"
#include "codec/node.h"
#include "support/fault_alloc.h"
#include "support/random.h"

enum { NVALUES = 2000, ROOM = 300 };

struct texts {
    char bytes[NVALUES * ROOM];
    int32_t offsets[NVALUES + 1];
    struct stoa_vector vector;
};

static void put_uuid(struct stoa_test_random *r, size_t i, char *out)
{
    const char *h = stoa_test_random_text(r, 32, "0123456789abcdef");

    (void)i;
    snprintf(out, ROOM, "%.8s-%.4s-4%.3s-%.4s-%.12s", h, h + 8, h + 12, h + 16, h + 20);
}

static void put_short(struct stoa_test_random *r, size_t i, char *out)
{
    snprintf(out, ROOM, "%s", i % 5 == 0 ? "" : stoa_test_random_text(r, 5, "0123456789abcdef"));
}

static void put_serial(struct stoa_test_random *r, size_t i, char *out)
{
    (void)r;
    snprintf(out, ROOM, "Customer#%09zu", 1000 + i);
}

static void put_19_digits(struct stoa_test_random *r, size_t i, char *out)
{
    (void)i;
    snprintf(out, ROOM, "%019llu",
             (unsigned long long)stoa_test_random_below(r, UINT64_C(10000000000000000000)));
}

static void put_lengths(struct stoa_test_random *r, size_t i, char *out)
{
    snprintf(out, ROOM, "%s", stoa_test_random_text(r, 4 + i % 2, "0123456789abcdef"));
}

/* Texts of one number of digits, or such that a function writes. */
static const struct family {
    const char *name;
    bool has_layout;
    unsigned ndigits;
    const char *digits;
    void (*put)(struct stoa_test_random *r, size_t i, char *out);
} families[] = {
    {"uuid", true, .put = put_uuid},
    {"short or empty", true, .put = put_short},
    {"serial", true, .put = put_serial},
    {"19 digits", true, .put = put_19_digits},
    {"20 digits", true, .ndigits = 20, .digits = "0123456789012345"},
    {"upper", true, .ndigits = 31, .digits = "0123456789ABCDEF"},
    {"long", true, .ndigits = 255, .digits = "0123456789abcdef"},
    {"too long", false, .ndigits = 256, .digits = "0123456789abcdef"},
    {"mixed case", false, .ndigits = 24, .digits = "0123456789abcDEF"},
    {"more letters", false, .ndigits = 8, .digits = "0123456789abcdeg"},
    {"lengths", false, .put = put_lengths},
};

enum { NFAMILIES = sizeof(families) / sizeof(families[0]) };

static void put_text(const struct family *family, struct stoa_test_random *r, size_t i, char *out)
{
    if (family->put != NULL)
        family->put(r, i, out);
    else
        snprintf(out, ROOM, "%s", stoa_test_random_text(r, family->ndigits, family->digits));
}

static void texts_make(struct texts *t, struct stoa_test_random *r, size_t family, size_t n,
                       const uint8_t *validity)
{
    const struct family *f = &families[family];
    size_t nbytes = 0;

    t->offsets[0] = 0;
    for (size_t i = 0; i < n; i++) {
        t->bytes[nbytes] = '\0';
        if (validity == NULL || stoa_bitmap_get(validity, i))
            put_text(f, r, i, t->bytes + nbytes);
        nbytes += strlen(t->bytes + nbytes);
        t->offsets[i + 1] = (int32_t)nbytes;
    }
    t->vector = (struct stoa_vector){.phys = STOA_PHYS_BYTES,
                                     .nvalues = n,
                                     .values = (const uint8_t *)t->bytes,
                                     .offsets = t->offsets};
}

/* Encodes, checks by decoding, and returns the encoding of the root. */
static void check_page(struct stoa_encoder *encoder, const struct texts *t, const char *plan_text,
                       const uint8_t *validity, const char *expected)
{
    struct stoa_buffer page = {0};
    struct stoa_plan plan;
    struct stoa_error err;
    uint32_t raw_nbytes;
    char found[128];

    assert_true(stoa_plan_parse(plan_text, STOA_PHYS_BYTES, &plan));
    if (stoa_page_encode_checked(encoder, &t->vector, STOA_PHYS_BYTES, validity, 0, &plan, NULL,
                                 &page, &raw_nbytes, &err) != STOA_OK)
        fail_msg("%s: %s", plan_text, err.message);
    assert_int_equal(stoa_page_describe(page.data, page.nbytes, found, NULL), STOA_OK);
    if (strncmp(found, expected, strlen(expected)) != 0)
        fail_msg("%s gives %s, not %s", plan_text, found, expected);
    stoa_buffer_free(&page);
}

static void texts_of_one_layout_are_packed_and_come_back(void **state)
{
    static struct texts t;
    uint8_t validity[NVALUES / 8];
    struct stoa_encoder *encoder;
    struct stoa_test_random r;

    (void)state;
    stoa_test_random_init(&r, "layouts");
    assert_int_equal(stoa_encoder_new(&encoder, 3, NULL), STOA_OK);
    stoa_encoder_set_checks(encoder, true);
    for (size_t family = 0; family < NFAMILIES; family++) {
        const char *root = families[family].has_layout ? "charpack" : "plain";

        for (size_t n = 30; n <= NVALUES; n *= 8) {
            texts_make(&t, &r, family, n, NULL);
            check_page(encoder, &t, "charpack(pfor)", NULL, root);
            check_page(encoder, &t, "charpack+zstd(delta(pfor))", NULL, root);
            stoa_test_random_bytes(&r, validity, sizeof(validity));
            texts_make(&t, &r, family, n, validity);
            check_page(encoder, &t, "charpack(pfor)", validity, root);
        }
    }
    stoa_encoder_free(encoder);
}

/* What the numbers of texts of one length must be, worked out a character at a time. */
static bool expected_numbers(const struct texts *t, size_t n, size_t length, uint64_t *numbers)
{
    bool varies[ROOM] = {false}, lower = false, upper = false;
    unsigned ndigits = 0, base, most;

    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < length; k++)
            varies[k] |= t->bytes[i * length + k] != t->bytes[k];
    for (size_t k = 0; k < length; k++) {
        ndigits += varies[k];
        for (size_t i = 0; varies[k] && i < n; i++) {
            const char c = t->bytes[i * length + k];

            lower |= c >= 'a' && c <= 'f';
            upper |= c >= 'A' && c <= 'F';
            if (c == '\0' || strchr("0123456789abcdefABCDEF", c) == NULL)
                return false;
        }
    }
    base = !lower && !upper && ndigits <= 19 ? 10 : 16;
    most = base == 10 ? 19 : 16;
    for (size_t i = 0; i < n; i++) {
        char digits[32] = {0};
        unsigned count = 0;

        for (size_t k = 0; k < length && count < most; k++)
            if (varies[k])
                digits[count++] = t->bytes[i * length + k];
        numbers[i] = strtoull(digits, NULL, (int)base);
    }
    return ndigits > 0 && !(lower && upper);
}

/* Lengths around words of eight, and characters beside those of digits and letters. */
static void layouts_are_seen_at_every_place(void **state)
{
    enum { N = 40, MAX_LENGTH = 40, NTURNS = 40 };
    static const char *const alphabets[] = {"0123456789", "0123456789abcdef", "0123456789ABCDEF"};
    static const char others[] = "/:@G`gxX -\0\x7f\x80\xb5\xff";
    static struct texts t;
    struct stoa_test_random r;
    unsigned nfound = 0;

    (void)state;
    stoa_test_random_init(&r, "places");
    for (size_t length = 1; length <= MAX_LENGTH; length++) {
        for (unsigned turn = 0; turn < NTURNS; turn++) {
            const char *alphabet = alphabets[stoa_test_random_below(&r, 3)];
            struct stoa_vector values = {.phys = STOA_PHYS_BYTES,
                                         .nvalues = N,
                                         .values = (const uint8_t *)t.bytes,
                                         .offsets = t.offsets};
            uint64_t numbers[N], expected[N];
            bool varies[MAX_LENGTH], has_layout;

            for (size_t k = 0; k < length; k++)
                varies[k] = stoa_test_random_below(&r, 2) == 0;
            for (size_t i = 0; i < N * length; i++)
                t.bytes[i] = varies[i % length] || i < length
                                 ? alphabet[stoa_test_random_below(&r, strlen(alphabet))]
                                 : t.bytes[i % length];
            for (size_t i = 0; i <= N; i++)
                t.offsets[i] = (int32_t)(i * length);
            if (turn % 4 == 0) /* in one text, or a fixed one in all */
                t.bytes[stoa_test_random_below(&r, N * length)] =
                    others[stoa_test_random_below(&r, sizeof(others) - 1)];
            if (turn % 4 == 1)
                for (size_t i = 0; i < N; i++)
                    t.bytes[i * length + length / 2] = others[turn % (sizeof(others) - 1)];
            has_layout = expected_numbers(&t, N, length, expected);
            nfound += has_layout;
            assert_int_equal(stoa_charpack_numbers(&values, numbers), has_layout);
            if (has_layout)
                assert_memory_equal(numbers, expected, sizeof(numbers));
        }
    }
    assert_in_range(nfound, MAX_LENGTH * NTURNS / 3, MAX_LENGTH * NTURNS);
}

static void layouts_are_chosen(void **state)
{
    static struct texts t;
    struct stoa_encoder *encoder;
    struct stoa_test_random r;

    (void)state;
    stoa_test_random_init(&r, "chosen");
    assert_int_equal(stoa_encoder_new(&encoder, 3, NULL), STOA_OK);
    for (size_t family = 0; family < NFAMILIES; family++) {
        struct stoa_choice choice;
        char plan[128];

        if (families[family].put == put_short)
            continue; /* zstd takes nothing for an empty text */
        texts_make(&t, &r, family, NVALUES, NULL);
        assert_int_equal(stoa_chooser_choose(encoder, &t.vector, false, &choice, NULL), STOA_OK);
        if ((choice.plan.nodes[0].encoding == STOA_CHARPACK) != families[family].has_layout)
            fail_msg("\"%s\" is stored as %s: %zu bytes", families[family].name,
                     stoa_plan_print(&choice.plan, plan), (size_t)choice.nbytes);
        if (families[family].put == put_serial && choice.nbytes > 200)
            fail_msg("serial numbers take %zu bytes", (size_t)choice.nbytes);
    }
    stoa_encoder_free(encoder);
}

static enum stoa_status encodes(void *context, struct stoa_error *err)
{
    const struct texts *t = context;
    struct stoa_encoder *encoder = NULL;
    struct stoa_buffer page = {0};
    struct stoa_plan plan;
    uint32_t raw_nbytes;
    enum stoa_status st = stoa_encoder_new(&encoder, 3, err);

    if (st == STOA_OK) {
        stoa_encoder_set_checks(encoder, true);
        assert_true(stoa_plan_parse("charpack(delta(pfor))", STOA_PHYS_BYTES, &plan));
        st = stoa_page_encode_checked(encoder, &t->vector, STOA_PHYS_BYTES, NULL, 0, &plan, NULL,
                                      &page, &raw_nbytes, err);
    }
    stoa_buffer_free(&page);
    stoa_encoder_free(encoder);
    return st;
}

static void a_failing_allocation_is_reported(void **state)
{
    static struct texts t;
    struct stoa_test_random r;

    (void)state;
    stoa_test_random_init(&r, "failing allocations");
    texts_make(&t, &r, 0, 500, NULL);
    stoa_test_each_failing_alloc(encodes, &t);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_of_one_layout_are_packed_and_come_back),
        cmocka_unit_test(layouts_are_seen_at_every_place),
        cmocka_unit_test(layouts_are_chosen),
        cmocka_unit_test(a_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
