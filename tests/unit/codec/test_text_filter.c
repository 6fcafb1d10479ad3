/*
 * Tests of texts on pages as they are stored say what a look at the texts does, whatever encoding
 * they have, and leave alone what lengths and numbers decide.
 */
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
#include "base/error.h"
#include "codec/node.h"
#include "support/fault_alloc.h"
#include "support/random.h"
#include "support/text_test.h"

enum { MAX_NVALUES = 1500, ROOM = 300 };

struct texts {
    char bytes[MAX_NVALUES * ROOM];
    int32_t offsets[MAX_NVALUES + 1];
    struct stoa_vector vector;
};

/* ---- Texts. ---- */

static void put_uuid(struct stoa_test_random *r, char *out)
{
    const char *h = stoa_test_random_text(r, 32, "0123456789abcdef");

    snprintf(out, ROOM, "%.8s-%.4s-4%.3s-%.4s-%.12s", h, h + 8, h + 12, h + 16, h + 20);
}

/* Digits behind the sixteen of the number decide. */
static void put_twins(struct stoa_test_random *r, char *out)
{
    snprintf(out, ROOM, "00000000a000000%d%.3s", (int)stoa_test_random_below(r, 2),
             stoa_test_random_text(r, 3, "0f"));
}

static void put_short(struct stoa_test_random *r, char *out)
{
    snprintf(out, ROOM, "%s",
             stoa_test_random_one_in(r, 5) ? "" : stoa_test_random_text(r, 2, "0123456789ABCDEF"));
}

static void put_serial(struct stoa_test_random *r, char *out)
{
    snprintf(out, ROOM, "Customer#%09d", (int)stoa_test_random_below(r, 3000));
}

/* Digits at both ends and a fixed place between them. */
static void put_split(struct stoa_test_random *r, char *out)
{
    const char *d = stoa_test_random_text(r, 3, "089");

    snprintf(out, ROOM, "%.1sM%.2s", d, d + 1);
}

static void put_19_digits(struct stoa_test_random *r, char *out)
{
    snprintf(out, ROOM, "%s", stoa_test_random_text(r, 19, "0129"));
}

static void put_long(struct stoa_test_random *r, char *out)
{
    snprintf(out, ROOM, "%s", stoa_test_random_text(r, 255, "0f"));
}

static void put_path(struct stoa_test_random *r, char *out)
{
    static const char *const dirs[] = {"agora", "kerameikos", "pnyx", "piraeus"};

    snprintf(out, ROOM, "/srv/%s/%d/part-%05d.csv", dirs[stoa_test_random_below(r, 4)],
             (int)stoa_test_random_between(r, 2019, 2026), (int)stoa_test_random_below(r, 900));
}

static void put_words(struct stoa_test_random *r, char *out)
{
    static const char *const words[] = {"ironic ", "deposits ", "sleep ", "x", "\xff\x80", "a"};

    out[0] = '\0';
    for (size_t n = stoa_test_random_below(r, 7); n > 0; n--)
        strcat(out, words[stoa_test_random_below(r, 6)]);
}

static void put_letters(struct stoa_test_random *r, char *out)
{
    snprintf(out, ROOM, "%s",
             stoa_test_random_text(r, (unsigned)stoa_test_random_below(r, 40), "aaaaaaaaab"));
}

static void put_one(struct stoa_test_random *r, char *out)
{
    (void)r;
    strcpy(out, "stoa poikile");
}

static void put_nothing(struct stoa_test_random *r, char *out)
{
    (void)r;
    out[0] = '\0';
}

static const struct {
    const char *name;
    void (*put)(struct stoa_test_random *r, char *out);
} families[] = {
    {"uuid", put_uuid},       {"twins", put_twins}, {"short", put_short},
    {"serial", put_serial},   {"split", put_split}, {"19 digits", put_19_digits},
    {"long", put_long},       {"path", put_path},   {"words", put_words},
    {"letters", put_letters}, {"one", put_one},     {"nothing", put_nothing},
};
enum { NFAMILIES = sizeof(families) / sizeof(families[0]) };

static int order(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void texts_make(struct texts *t, struct stoa_test_random *r, size_t family, size_t n)
{
    char(*all)[ROOM] = calloc(n, ROOM);
    size_t nbytes = 0;

    for (size_t i = 0; i < n; i++)
        families[family].put(r, all[i]);
    if (stoa_test_random_one_in(r, 2))
        qsort(all, n, ROOM, order);
    t->offsets[0] = 0;
    for (size_t i = 0; i < n; i++) {
        memcpy(t->bytes + nbytes, all[i], strlen(all[i]));
        nbytes += strlen(all[i]);
        t->offsets[i + 1] = (int32_t)nbytes;
    }
    t->vector = (struct stoa_vector){.phys = STOA_PHYS_BYTES,
                                     .nvalues = n,
                                     .values = (const uint8_t *)t->bytes,
                                     .offsets = t->offsets};
    free(all);
}

/* ---- Pages. ---- */

/* Exactly as large as it is, so that a sanitizer sees a look behind its end. */
static uint8_t *encode(const struct texts *t, const uint8_t *validity, const char *plan_text,
                       struct stoa_page_view *view)
{
    struct stoa_encoder *encoder;
    struct stoa_buffer page = {0};
    struct stoa_plan plan;
    uint32_t raw_nbytes;
    uint8_t *exact;

    assert_int_equal(stoa_encoder_new(&encoder, 1, NULL), STOA_OK);
    assert_true(stoa_plan_parse(plan_text, STOA_PHYS_BYTES, &plan));
    assert_int_equal(stoa_page_encode(encoder, &t->vector, STOA_PHYS_BYTES, validity, 0, &plan,
                                      NULL, &page, &raw_nbytes, NULL),
                     STOA_OK);
    exact = malloc(page.nbytes);
    memcpy(exact, page.data, page.nbytes);
    *view = (struct stoa_page_view){.page = exact,
                                    .nbytes = page.nbytes,
                                    .phys = STOA_PHYS_BYTES,
                                    .nvalues = t->vector.nvalues,
                                    .raw_max = raw_nbytes};
    stoa_buffer_free(&page);
    stoa_encoder_free(encoder);
    return exact;
}

static void filter_and_compare(struct stoa_decoder *decoder, struct stoa_test_random *r,
                               const struct stoa_page_view *view, const struct texts *t,
                               const uint8_t *validity, const char *what)
{
    static struct stoa_test_text text;
    const size_t n = view->nvalues;
    uint8_t bits[MAX_NVALUES / 8 + 64], wanted[MAX_NVALUES / 8 + 64] = {0};
    struct stoa_error err = {0};

    stoa_test_text_draw(&text, r, t->vector.values, t->offsets, n);
    if (stoa_test_random_one_in(r, 3)) {
        size_t begin = stoa_test_random_below(r, n);

        stoa_bitmap_fill(wanted, begin, begin + 1 + stoa_test_random_below(r, n - begin), true);
        text.test.wanted = wanted;
    }
    memset(bits, 0xc3, sizeof(bits));
    if (stoa_page_filter(decoder, view, &text.test, bits, &err) != STOA_OK)
        fail_msg("%s: %s", what, err.message);
    for (size_t i = 0; i < n; i++) {
        const uint8_t *at = t->vector.values + t->offsets[i];
        const size_t nbytes = (size_t)(t->offsets[i + 1] - t->offsets[i]);
        const bool valid = validity == NULL || stoa_bitmap_get(validity, i);

        if (text.test.wanted != NULL && !stoa_bitmap_get(wanted, i))
            continue;
        if (stoa_bitmap_get(bits, i) !=
            (valid && stoa_test_text_has(&text, at, nbytes) != text.test.inverted))
            fail_msg("%s: %u ranges, the first from \"%.*s\"%s: text %zu of %zu, \"%.*s\"", what,
                     text.nranges, (int)text.ranges[0].lo_nbytes, (const char *)text.ranges[0].lo,
                     text.test.inverted ? ", inverted" : "", i, n, (int)nbytes, (const char *)at);
    }
    for (size_t i = n; i < (n + 63) / 64 * 64; i++)
        assert_false(stoa_bitmap_get(bits, i));
}

static void texts_pass_that_are_in_a_range(void **state)
{
    static const char *const plans[] = {
        "plain(pfor)",
        "plain+zstd(narrow(plain+zstd))",
        "const",
        "fsst(pfor)",
        "fsst+zstd(narrow(plain+zstd))",
        "front(pfor,fsst(pfor))",
        "front(narrow(plain),plain+zstd(pfor))",
        "charpack(pfor)",
        "charpack(plain+zstd)",
        "charpack+zstd(delta(pfor))",
    };
    static const size_t sizes[] = {1, 127, 128, 129, 640, MAX_NVALUES};
    static struct texts t;
    struct stoa_decoder *decoder;
    struct stoa_test_random r;

    (void)state;
    stoa_test_random_init(&r, "filters of texts");
    assert_int_equal(stoa_decoder_new(&decoder, NULL), STOA_OK);
    for (size_t f = 0; f < NFAMILIES; f++) {
        for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
            uint8_t nulls[MAX_NVALUES / 8 + 8] = {0}, *validity = NULL;

            texts_make(&t, &r, f, sizes[s]);
            if (stoa_test_random_one_in(&r, 2)) {
                validity = nulls;
                for (size_t i = 0; i < sizes[s]; i++)
                    if (stoa_test_random_one_in(&r, 2))
                        stoa_bitmap_set(nulls, i);
            }
            for (size_t p = 0; p < sizeof(plans) / sizeof(plans[0]); p++) {
                struct stoa_page_view view;
                uint8_t *page = encode(&t, validity, plans[p], &view);
                char what[128];

                snprintf(what, sizeof(what), "%s of %s", plans[p], families[f].name);
                for (unsigned turn = 0; turn < 20; turn++)
                    filter_and_compare(decoder, &r, &view, &t, validity, what);
                free(page);
            }
        }
    }
    stoa_decoder_free(decoder);
}

/* ---- What is not looked at. ---- */

/* Fails when it is asked. */
static void never(const void *context, const uint8_t *text, const int32_t *offsets, size_t n,
                  uint8_t *bits)
{
    (void)text, (void)offsets, (void)bits;
    fail_msg("%s: %zu texts are looked at", (const char *)context, n);
}

static void lengths_and_numbers_decide_without_a_text(void **state)
{
    static const struct {
        const char *plan;
        size_t family;
        const char *lo;
        const char *hi; /* NULL: a point */
        size_t npassing;
    } cases[] = {
        {"plain+zstd(pfor)", 3, "Customer#1", NULL, 0},
        {"fsst(pfor)", 7, "/srv/agora/2020/part-1.csv", NULL, 0},
        {"fsst+zstd(pfor)", 7, "/srv/kerameikos/2020/part-00001.csv, and more", NULL, 0},
        {"charpack(pfor)", 3, "Customer#000000000", "Customer#000003000", 500},
        {"charpack(pfor)", 3, "Customer#000003000", "Customer#1", 0},
        {"charpack(pfor)", 3, "Customer", "Customes", 500},
        {"charpack(pfor)", 3, "customer#000000001", NULL, 0},
        {"charpack(plain)", 0, "zzzz", NULL, 0},
        {"charpack(plain)", 0, "ffffffffffff", "g", 0},
        {"front(pfor,plain(pfor))", 7, "/srv", "/srw", 500},
        {"front(pfor,plain(pfor))", 7, "/srv/zea", "/t", 0},
    };
    static struct texts t;
    struct stoa_decoder *decoder;
    struct stoa_test_random r;

    (void)state;
    stoa_test_random_init(&r, "filters without texts");
    assert_int_equal(stoa_decoder_new(&decoder, NULL), STOA_OK);
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        const char *lo = cases[k].lo, *hi = cases[k].hi;
        struct stoa_test test = {
            .kind = STOA_TEST_TEXTS, .nspans = 1, .match = never, .context = cases[k].plan};
        struct stoa_page_view view;
        uint8_t bits[512 / 8];
        uint8_t *page;

        texts_make(&t, &r, cases[k].family, 500);
        page = encode(&t, NULL, cases[k].plan, &view);
        test.texts[0] = (struct stoa_text_range){
            .lo = (const uint8_t *)lo,
            .lo_nbytes = strlen(lo),
            .hi = (const uint8_t *)(hi != NULL ? hi : lo),
            .hi_nbytes = hi != NULL ? strlen(hi) : strlen(lo) + 1,
            .is_point = hi == NULL,
        };
        assert_int_equal(stoa_page_filter(decoder, &view, &test, bits, NULL), STOA_OK);
        if (stoa_bitmap_count(bits, 0, 500) != cases[k].npassing)
            fail_msg("%s, from %s: %zu pass", cases[k].plan, lo, stoa_bitmap_count(bits, 0, 500));
        free(page);
    }
    stoa_decoder_free(decoder);
}

/* ---- Failures. ---- */

/* Of all the texts of a block, which a test makes at once. */
static void a_block_over_the_limit_is_refused(void **state)
{
    enum { NBYTES = STOA_TEXT_BLOCK * 255 };
    static const char *const plans[] = {"fsst(pfor)", "fsst+zstd(pfor)"};
    static struct texts t;
    static struct stoa_test_text text;
    struct stoa_decoder *decoder;
    struct stoa_test_random r;

    (void)state;
    stoa_test_random_init(&r, "limits of filters");
    texts_make(&t, &r, 6, 500); /* "long" */
    for (size_t k = 0; k < sizeof(plans) / sizeof(plans[0]); k++) {
        struct stoa_page_view view;
        struct stoa_error err = {0};
        uint8_t *page = encode(&t, NULL, plans[k], &view), bits[512 / 8];

        stoa_test_text_draw(&text, &r, t.vector.values, t.offsets, 500);
        text.test.nspans = 0; /* the function alone can tell, so that all texts are made */
        assert_int_equal(stoa_decoder_new(&decoder, NULL), STOA_OK);
        view.text_max = NBYTES - 1;
        assert_int_equal(stoa_page_filter(decoder, &view, &text.test, bits, &err), STOA_ERR_LIMIT);
        assert_string_equal(err.message, "32640 bytes of text behind 0, the limit is 32639");
        assert_int_equal(decoder->text.capacity, 0); /* before memory is taken */
        view.text_max = NBYTES;
        assert_int_equal(stoa_page_filter(decoder, &view, &text.test, bits, NULL), STOA_OK);
        view.text_max = 0; /* 2^31 - 1 */
        assert_int_equal(stoa_page_filter(decoder, &view, &text.test, bits, NULL), STOA_OK);
        stoa_decoder_free(decoder);
        free(page);
    }
}

struct scenario {
    struct stoa_page_view view;
    struct stoa_test_text text;
};

static enum stoa_status filter_page(void *context, struct stoa_error *err)
{
    const struct scenario *in = context;
    uint8_t bits[512 / 8];
    struct stoa_decoder *decoder = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_decoder_new(&decoder, err));
    st = stoa_page_filter(decoder, &in->view, &in->text.test, bits, err);
out:
    stoa_decoder_free(decoder);
    return st;
}

static void allocations_may_fail(void **state)
{
    static const char *const plans[] = {"plain+zstd(pfor)", "fsst+zstd(pfor)",
                                        "front(pfor,fsst+zstd(pfor))", "charpack+zstd(plain+zstd)"};
    static struct texts t;
    static struct scenario scenario;
    struct stoa_test_random r;

    (void)state;
    stoa_test_random_init(&r, "filters of texts, faults");
    texts_make(&t, &r, 0, 500);
    for (size_t k = 0; k < sizeof(plans) / sizeof(plans[0]); k++) {
        uint8_t *page = encode(&t, NULL, plans[k], &scenario.view);

        stoa_test_text_draw(&scenario.text, &r, t.vector.values, t.offsets, 500);
        stoa_test_each_failing_alloc(filter_page, &scenario);
        free(page);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_pass_that_are_in_a_range),
        cmocka_unit_test(lengths_and_numbers_decide_without_a_text),
        cmocka_unit_test(a_block_over_the_limit_is_refused),
        cmocka_unit_test(allocations_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
