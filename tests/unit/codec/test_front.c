/* FRONT: texts that begin as the one before come back, whole and one by one, and are found. */
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
#include "codec/chooser.h"
#include "codec/page_select.h"
#include "support/fault_alloc.h"
#include "support/random.h"

enum { NVALUES = 2000, ROOM = 90 };

struct texts {
    char rows[NVALUES][ROOM];
    uint8_t bytes[NVALUES * ROOM];
    int32_t offsets[NVALUES + 1];
    struct stoa_vector vector;
};

/* ---- Texts. ---- */

static void put_path(struct stoa_test_random *r, char *out)
{
    static const char *const dirs[] = {"agora", "kerameikos", "pnyx", "piraeus"};

    snprintf(out, ROOM, "/srv/%s/%d/part-%05d.csv", dirs[stoa_test_random_below(r, 4)],
             (int)stoa_test_random_between(r, 2019, 2026), (int)stoa_test_random_below(r, 9000));
}

/* Lengths around the steps that texts are copied by, and many that are equal. */
static void put_letters(struct stoa_test_random *r, char *out)
{
    size_t n = stoa_test_random_below(r, 70);

    for (size_t k = 0; k < n; k++)
        out[k] = stoa_test_random_one_in(r, 20) ? 'b' : 'a';
    out[n] = '\0';
}

static void put_noise(struct stoa_test_random *r, char *out)
{
    snprintf(out, ROOM, "%016llx", (unsigned long long)stoa_test_random_u64(r));
}

static void put_one(struct stoa_test_random *r, char *out)
{
    (void)r;
    strcpy(out, "stoa poikile");
}

static const struct {
    const char *name;
    void (*put)(struct stoa_test_random *r, char *out);
    bool is_front; /* whether the chooser takes FRONT when they are sorted */
} families[] = {
    {"paths", put_path, true},
    {"letters", put_letters, true},
    {"noise", put_noise, false},
    {"one", put_one, false},
};

enum { NFAMILIES = sizeof(families) / sizeof(families[0]) };

static int compare_rows(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* n texts, those of null slots empty. */
static void texts_make(struct texts *t, struct stoa_test_random *r, size_t family, bool sorted,
                       size_t n, const uint8_t *validity)
{
    size_t nbytes = 0;

    for (size_t i = 0; i < n; i++)
        families[family].put(r, t->rows[i]);
    if (sorted)
        qsort(t->rows, n, ROOM, compare_rows);
    t->offsets[0] = 0;
    for (size_t i = 0; i < n; i++) {
        size_t length = strlen(t->rows[i]);

        if (validity == NULL || stoa_bitmap_get(validity, i)) {
            memcpy(t->bytes + nbytes, t->rows[i], length);
            nbytes += length;
        }
        t->offsets[i + 1] = (int32_t)nbytes;
    }
    t->vector = (struct stoa_vector){
        .phys = STOA_PHYS_BYTES, .nvalues = n, .values = t->bytes, .offsets = t->offsets};
}

/* ---- Pages. ---- */

static void encode(struct stoa_encoder *encoder, const struct texts *t, const uint8_t *validity,
                   const char *plan_text, struct stoa_buffer *page)
{
    struct stoa_plan plan;
    struct stoa_error err;
    uint32_t raw_nbytes;

    assert_true(stoa_plan_parse(plan_text, STOA_PHYS_BYTES, &plan));
    page->nbytes = 0;
    if (stoa_page_encode(encoder, &t->vector, STOA_PHYS_BYTES, validity, 0, &plan, NULL, page,
                         &raw_nbytes, &err) != STOA_OK)
        fail_msg("%s: %s", plan_text, err.message);
}

static void check_value(const struct texts *t, const uint8_t *validity, size_t i,
                        const struct stoa_page_values *out, size_t k)
{
    const char *expected = validity == NULL || stoa_bitmap_get(validity, i) ? t->rows[i] : "";
    size_t nbytes = (size_t)(out->offsets[k + 1] - out->offsets[k]);

    if (nbytes != strlen(expected) ||
        (nbytes > 0 && memcmp(out->bytes->data + out->offsets[k], expected, nbytes) != 0))
        fail_msg("value %zu is \"%.*s\", not \"%s\"", i, (int)nbytes,
                 (const char *)out->bytes->data + out->offsets[k], expected);
}

/* The values at `places` of a page, or with none all of them, are those of the texts. */
static void check_page(struct stoa_decoder *decoder, const struct texts *t, const uint8_t *validity,
                       const struct stoa_buffer *page, const uint32_t *places, size_t n)
{
    static int32_t offsets[NVALUES + 1];
    static uint8_t bitmap[NVALUES / 8 + 8];
    struct stoa_buffer text = {0};
    struct stoa_page_values out = {.offsets = offsets, .bytes = &text, .validity = bitmap};
    const struct stoa_page_view view = {
        page->data, page->nbytes, STOA_PHYS_BYTES, 0, t->vector.nvalues, 1 << 20, NULL, 0, 0};
    struct stoa_error err;
    enum stoa_status st = places == NULL
                              ? stoa_page_decode(decoder, page->data, page->nbytes, STOA_PHYS_BYTES,
                                                 0, t->vector.nvalues, 1 << 20, NULL, 0, &out, &err)
                              : stoa_page_take(decoder, &view, places, n, &out, &err);

    if (st != STOA_OK)
        fail_msg("%s", err.message);
    for (size_t k = 0; k < n; k++)
        check_value(t, validity, places == NULL ? k : places[k], &out, k);
    stoa_buffer_free(&text);
}

static void check_takes(struct stoa_decoder *decoder, struct stoa_test_random *r,
                        const struct texts *t, const uint8_t *validity,
                        const struct stoa_buffer *page)
{
    static uint32_t places[NVALUES];

    for (uint64_t every = 1; every <= 1000; every *= 10) {
        size_t n = 0;

        for (size_t i = 0; i < t->vector.nvalues; i++)
            if (stoa_test_random_one_in(r, every))
                places[n++] = (uint32_t)i;
        if (n == 0)
            places[n++] = (uint32_t)stoa_test_random_below(r, t->vector.nvalues);
        check_page(decoder, t, validity, page, places, n);
    }
}

static void texts_come_back_whole_and_one_by_one(void **state)
{
    static const char *const plans[] = {"front(pfor,plain(pfor))",
                                        "front(narrow(plain+zstd),fsst+zstd(pfor))",
                                        "front(plain,plain+zstd(narrow(plain)))"};
    static const size_t sizes[] = {1, 2, 127, 128, 129, 300, NVALUES};
    static struct texts t;
    uint8_t bits[NVALUES / 8];
    struct stoa_encoder *encoder;
    struct stoa_decoder *decoder;
    struct stoa_buffer page = {0};
    struct stoa_test_random r;

    (void)state;
    stoa_test_random_init(&r, "front");
    assert_int_equal(stoa_encoder_new(&encoder, 3, NULL), STOA_OK);
    assert_int_equal(stoa_decoder_new(&decoder, NULL), STOA_OK);
    for (size_t c = 0; c < NFAMILIES * 2 * 7 * 2; c++) {
        const uint8_t *validity = c / 56 % 2 == 0 ? NULL : bits;

        stoa_test_random_bytes(&r, bits, sizeof(bits));
        texts_make(&t, &r, c % NFAMILIES, c / NFAMILIES % 2 == 0, sizes[c / 8 % 7], validity);
        for (size_t k = 0; k < 3; k++) {
            encode(encoder, &t, validity, plans[k], &page);
            check_page(decoder, &t, validity, &page, NULL, t.vector.nvalues);
            check_takes(decoder, &r, &t, validity, &page);
        }
    }
    stoa_buffer_free(&page);
    stoa_decoder_free(decoder);
    stoa_encoder_free(encoder);
}

static void it_is_chosen_where_texts_are_sorted(void **state)
{
    static struct texts t;
    struct stoa_encoder *encoder;
    struct stoa_buffer page = {0};
    struct stoa_test_random r;

    (void)state;
    stoa_test_random_init(&r, "chosen");
    assert_int_equal(stoa_encoder_new(&encoder, 3, NULL), STOA_OK);
    for (size_t c = 0; c < 2 * NFAMILIES; c++) {
        bool sorted = c >= NFAMILIES;
        size_t family = c % NFAMILIES;
        struct stoa_choice choice;
        char plan[128];

        texts_make(&t, &r, family, sorted, NVALUES, NULL);
        assert_int_equal(stoa_chooser_choose(encoder, &t.vector, false, &choice, NULL), STOA_OK);
        if ((choice.plan.nodes[0].encoding == STOA_FRONT) != (sorted && families[family].is_front))
            fail_msg("%s \"%s\" are stored as %s: %zu bytes", sorted ? "sorted" : "mixed",
                     families[family].name, stoa_plan_print(&choice.plan, plan),
                     (size_t)choice.nbytes);
        if (!sorted || family != 0)
            continue;
        encode(encoder, &t, NULL, "fsst+zstd(pfor)", &page);
        if (choice.nbytes > page.nbytes / 4 * 3)
            fail_msg("sorted paths take %zu bytes, %zu without FRONT", (size_t)choice.nbytes,
                     page.nbytes);
    }
    stoa_buffer_free(&page);
    stoa_encoder_free(encoder);
}

/* ---- Faults. ---- */

static enum stoa_status goes_through(void *context, struct stoa_error *err)
{
    const struct texts *t = context;
    struct stoa_encoder *encoder = NULL;
    struct stoa_buffer page = {0};
    struct stoa_choice choice;
    uint32_t raw_nbytes;
    enum stoa_status st;

    STOA_TRY(stoa_encoder_new(&encoder, 3, err));
    stoa_encoder_set_checks(encoder, true);
    STOA_TRY(stoa_chooser_choose(encoder, &t->vector, false, &choice, err));
    assert_int_equal(choice.plan.nodes[0].encoding, STOA_FRONT);
    st = stoa_page_encode_checked(encoder, &t->vector, STOA_PHYS_BYTES, NULL, 0, &choice.plan, NULL,
                                  &page, &raw_nbytes, err);
out:
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
    texts_make(&t, &r, 0, true, 400, NULL);
    stoa_test_each_failing_alloc(goes_through, &t);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_come_back_whole_and_one_by_one),
        cmocka_unit_test(it_is_chosen_where_texts_are_sorted),
        cmocka_unit_test(a_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
