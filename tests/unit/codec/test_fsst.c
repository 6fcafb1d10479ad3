/* FSST: what is encoded comes back, fast decoding says what the plain one does, values stand alone.
 */
#include "codec/fsst.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "codec/node.h"
#include "codec/page_select.h"
#include "support/fault_alloc.h"
#include "support/random.h"

/* ---- Texts. ---- */

enum { NVALUES = 3000, ROOM = NVALUES * 80 };

struct texts {
    uint8_t *bytes; /* of exactly the size, so that reads behind it show */
    int32_t offsets[NVALUES + 1];
    struct stoa_vector vector;
};

static size_t put_words(struct stoa_test_random *r, uint8_t *out)
{
    static const char *const words[] = {"furiously ", "ironic ",  "deposits ", "sleep. ",
                                        "carefully ", "regular ", "accounts ", "among the "};
    size_t nbytes = 0;

    for (size_t k = stoa_test_random_below(r, 6); k > 0; k--) {
        const char *word = words[stoa_test_random_below(r, 8)];

        memcpy(out + nbytes, word, strlen(word));
        nbytes += strlen(word);
    }
    return nbytes;
}

static size_t put_noise(struct stoa_test_random *r, uint8_t *out)
{
    size_t nbytes = stoa_test_random_below(r, 20);

    for (size_t k = 0; k < nbytes; k++)
        out[k] = (uint8_t)stoa_test_random_below(r, 256);
    return nbytes;
}

static size_t put_zeros(struct stoa_test_random *r, uint8_t *out)
{
    size_t nbytes = stoa_test_random_below(r, 30);

    for (size_t k = 0; k < nbytes; k++)
        out[k] = stoa_test_random_one_in(r, 9) ? 'a' : 0;
    return nbytes;
}

static size_t put_one_letter(struct stoa_test_random *r, uint8_t *out)
{
    memset(out, 'z', 70);
    return stoa_test_random_below(r, 70);
}

static size_t put_nothing(struct stoa_test_random *r, uint8_t *out)
{
    (void)r;
    (void)out;
    return 0;
}

static const struct {
    const char *name;
    size_t (*put)(struct stoa_test_random *r, uint8_t *out);
} families[] = {
    {"words", put_words},           {"noise", put_noise},     {"zeros", put_zeros},
    {"one letter", put_one_letter}, {"nothing", put_nothing},
};

static void texts_make(struct texts *t, struct stoa_test_random *r, size_t family)
{
    uint8_t *bytes = malloc(ROOM + 80);
    size_t nbytes = 0;

    assert_non_null(bytes);
    t->offsets[0] = 0;
    for (size_t i = 0; i < NVALUES; i++) {
        nbytes += families[family].put(r, bytes + nbytes);
        t->offsets[i + 1] = (int32_t)nbytes;
    }
    t->bytes = malloc(nbytes + (nbytes == 0));
    assert_non_null(t->bytes);
    memcpy(t->bytes, bytes, nbytes);
    free(bytes);
    t->vector = (struct stoa_vector){
        .phys = STOA_PHYS_BYTES, .nvalues = NVALUES, .values = t->bytes, .offsets = t->offsets};
}

static size_t encode_value(const struct stoa_fsst_trainer *trainer, const struct texts *t, size_t i,
                           uint8_t *out)
{
    return stoa_fsst_encode(trainer, t->bytes + t->offsets[i],
                            (size_t)(t->offsets[i + 1] - t->offsets[i]),
                            t->bytes + t->offsets[NVALUES], out);
}

static void each_value_comes_back_by_itself(void **state)
{
    struct stoa_fsst_trainer *trainer;
    struct stoa_test_random r;

    (void)state;
    stoa_test_random_init(&r, "each value");
    assert_int_equal(stoa_fsst_trainer_new(&trainer, NULL), STOA_OK);
    for (size_t family = 0; family < sizeof(families) / sizeof(families[0]); family++) {
        const struct stoa_fsst_symbols *symbols;
        struct texts t;
        size_t ncodes = 0;

        texts_make(&t, &r, family);
        symbols = stoa_fsst_train(trainer, &t.vector);
        assert_in_range(symbols->count, 0, STOA_FSST_MAX_NSYMBOLS);
        for (size_t i = 0; i < NVALUES; i++) {
            uint8_t codes[161], back[80 + STOA_FSST_SLACK_NBYTES];
            size_t nbytes = (size_t)(t.offsets[i + 1] - t.offsets[i]);
            size_t n = encode_value(trainer, &t, i, codes);

            assert_true(n <= 2 * nbytes);
            if (!stoa_fsst_decode(symbols, codes, n, back, nbytes) ||
                (nbytes > 0 && memcmp(back, t.bytes + t.offsets[i], nbytes) != 0))
                fail_msg("value %zu of \"%s\" does not come back", i, families[family].name);
            ncodes += n;
        }
        if (family == 0 && ncodes > (size_t)t.offsets[NVALUES] / 4)
            fail_msg("%zu bytes of words take %zu", (size_t)t.offsets[NVALUES], ncodes);
        free(t.bytes);
    }
    stoa_fsst_trainer_free(trainer);
}

static void symbols_are_sorted_by_length_and_differ(void **state)
{
    struct stoa_fsst_trainer *trainer;
    struct stoa_test_random r;

    (void)state;
    stoa_test_random_init(&r, "symbols");
    assert_int_equal(stoa_fsst_trainer_new(&trainer, NULL), STOA_OK);
    for (size_t family = 0; family < 4; family++) {
        const struct stoa_fsst_symbols *s;
        struct texts t;

        texts_make(&t, &r, family);
        s = stoa_fsst_train(trainer, &t.vector);
        for (unsigned code = 0; code < s->count; code++) {
            assert_in_range(s->nbytes[code], code == 0 ? 1 : s->nbytes[code - 1], 8);
            assert_true(s->nbytes[code] == 8 || s->words[code] >> 8 * s->nbytes[code] == 0);
            for (unsigned other = 0; other < code; other++)
                assert_true(s->nbytes[other] != s->nbytes[code] ||
                            s->words[other] != s->words[code]);
        }
        free(t.bytes);
    }
    stoa_fsst_trainer_free(trainer);
}

/* Equal texts have equal codes wherever they stand, also at the very end of the text. */
static void codes_depend_on_the_text_alone(void **state)
{
    struct stoa_fsst_trainer *trainer;
    struct stoa_test_random r;
    struct texts t;
    size_t nequal = 0;

    (void)state;
    stoa_test_random_init(&r, "equal texts");
    assert_int_equal(stoa_fsst_trainer_new(&trainer, NULL), STOA_OK);
    texts_make(&t, &r, 0);
    (void)stoa_fsst_train(trainer, &t.vector);
    for (size_t i = 0; i < NVALUES; i++) {
        size_t nbytes = (size_t)(t.offsets[i + 1] - t.offsets[i]), n, m;
        uint8_t *alone = malloc(nbytes + (nbytes == 0)), codes[161], other[161];

        memcpy(alone, t.bytes + t.offsets[i], nbytes);
        n = encode_value(trainer, &t, i, codes);
        m = stoa_fsst_encode(trainer, alone, nbytes, alone + nbytes, other);
        assert_int_equal(n, m);
        assert_memory_equal(codes, other, n);
        nequal++;
        free(alone);
    }
    assert_int_equal(nequal, NVALUES);
    free(t.bytes);
    stoa_fsst_trainer_free(trainer);
}

/* Whatever shares of the text the lanes get: none, empty values, values cut out of a longer text.
 */
static void blocks_have_the_codes_of_their_values(void **state)
{
    static uint8_t codes[2 * ROOM + 1], one[161];
    struct stoa_fsst_trainer *trainer;
    struct stoa_test_random r;

    (void)state;
    stoa_test_random_init(&r, "blocks");
    assert_int_equal(stoa_fsst_trainer_new(&trainer, NULL), STOA_OK);
    for (size_t k = stoa_test_ncases(400); k > 0; k--) {
        size_t family = (size_t)stoa_test_random_below(&r, sizeof(families) / sizeof(families[0]));
        size_t first, n, at = 0, block = 1 + (size_t)stoa_test_random_below(&r, 130);
        uint32_t ends[NVALUES];
        struct stoa_vector part;
        struct texts t;

        texts_make(&t, &r, family);
        (void)stoa_fsst_train(trainer, &t.vector);
        n = 1 + (size_t)stoa_test_random_below(&r, k % 2 == 0 ? 12 : NVALUES);
        first = (size_t)stoa_test_random_below(&r, NVALUES - n + 1);
        if (k % 8 == 0) /* nothing but empty values in front */
            for (size_t i = 0; i < first + n / 2; i++)
                t.offsets[i] = t.offsets[first + n / 2];
        part = stoa_vector_slice(&t.vector, first, first + n);
        (void)stoa_fsst_encode_blocks(trainer, &part, block, ends, codes);
        for (size_t i = 0; i < n; i++) {
            size_t m = encode_value(trainer, &t, first + i, one);

            if (memcmp(codes + at, one, m) != 0)
                fail_msg("value %zu of %zu of \"%s\" has other codes", i, n, families[family].name);
            at += m;
            if ((i + 1) % block == 0 || i + 1 == n)
                assert_int_equal(ends[i / block], at);
        }
        free(t.bytes);
    }
    stoa_fsst_trainer_free(trainer);
}

static void training_again_gives_the_same_symbols(void **state)
{
    struct stoa_fsst_trainer *trainer;
    struct stoa_fsst_symbols first;
    struct stoa_test_random r;
    struct texts t, between;

    (void)state;
    stoa_test_random_init(&r, "the same symbols");
    assert_int_equal(stoa_fsst_trainer_new(&trainer, NULL), STOA_OK);
    texts_make(&t, &r, 0);
    texts_make(&between, &r, 1);
    first = *stoa_fsst_train(trainer, &t.vector);
    (void)stoa_fsst_train(trainer, &between.vector);
    assert_memory_equal(&first, stoa_fsst_train(trainer, &t.vector), sizeof(first));
    free(t.bytes);
    free(between.bytes);
    stoa_fsst_trainer_free(trainer);
}

/* A value that is longer than the sample: pieces of it are looked at. */
static void one_long_value_is_sampled(void **state)
{
    enum { N = 400000 };
    uint8_t *text = malloc(N), *codes = malloc(2 * N + 1),
            *back = malloc(N + STOA_FSST_SLACK_NBYTES);
    int32_t offsets[] = {0, 0, N};
    struct stoa_vector values = {
        .phys = STOA_PHYS_BYTES, .nvalues = 2, .values = text, .offsets = offsets};
    const struct stoa_fsst_symbols *symbols;
    struct stoa_fsst_trainer *trainer;
    struct stoa_test_random r;
    size_t n;

    (void)state;
    stoa_test_random_init(&r, "one long value");
    for (size_t i = 0; i < N; i++) /* the halves have nothing in common */
        text[i] = (uint8_t)((i < N / 2 ? 'a' : 'n') + stoa_test_random_below(&r, 4));
    assert_int_equal(stoa_fsst_trainer_new(&trainer, NULL), STOA_OK);
    symbols = stoa_fsst_train(trainer, &values);
    n = stoa_fsst_encode(trainer, text, N, text + N, codes);
    assert_in_range(n, 1, N / 2);
    assert_true(stoa_fsst_decode(symbols, codes, n, back, N));
    assert_memory_equal(back, text, N);
    stoa_fsst_trainer_free(trainer);
    free(text);
    free(codes);
    free(back);
}

/* ---- Any codes. ---- */

static void fast_decoding_says_what_the_reference_does(void **state)
{
    enum { MAX_NCODES = 200 };
    struct stoa_test_random r;
    size_t ngood = 0;

    (void)state;
    stoa_test_random_init(&r, "any codes");
    for (size_t c = stoa_test_ncases(20000); c > 0; c--) {
        struct stoa_fsst_symbols symbols = {
            .count =
                stoa_test_random_one_in(&r, 2) ? 255 : (unsigned)stoa_test_random_below(&r, 255)};
        size_t ncodes = stoa_test_random_below(&r, MAX_NCODES), nbytes = 0;
        unsigned limit = stoa_test_random_one_in(&r, 4) ? 256 : symbols.count + 1;
        uint64_t rare = 1 + stoa_test_random_below(&r, 40);
        uint8_t *codes = malloc(ncodes + (ncodes == 0)), *fast, *slow;
        bool good;

        for (unsigned k = 0; k < symbols.count; k++) {
            symbols.nbytes[k] = (uint8_t)(1 + stoa_test_random_below(&r, 8));
            symbols.words[k] = stoa_test_random_u64(&r) >> (64 - 8 * symbols.nbytes[k]);
        }
        for (size_t i = 0; i < ncodes; i++) {
            codes[i] = stoa_test_random_one_in(&r, rare)
                           ? STOA_FSST_ESCAPE
                           : (uint8_t)stoa_test_random_below(&r, limit);
            nbytes += codes[i] == STOA_FSST_ESCAPE ? i + 1 < ncodes : symbols.nbytes[codes[i]];
            if (codes[i] == STOA_FSST_ESCAPE && i + 1 < ncodes)
                codes[++i] = (uint8_t)stoa_test_random_below(&r, 256);
        }
        if (stoa_test_random_one_in(&r, 5))
            nbytes = stoa_test_random_below(&r, 2 * nbytes + 2);
        fast = malloc(nbytes + STOA_FSST_SLACK_NBYTES);
        slow = malloc(nbytes + (nbytes == 0));
        good = stoa_fsst_decode_scalar(&symbols, codes, ncodes, slow, nbytes);
        assert_int_equal(stoa_fsst_decode(&symbols, codes, ncodes, fast, nbytes), good);
        if (good && nbytes > 0)
            assert_memory_equal(fast, slow, nbytes);
        ngood += good;
        free(codes);
        free(fast);
        free(slow);
    }
    assert_true(ngood > 1000);
}

/* ---- Pages. ---- */

/* Encodes a page with symbols of its chunk, decodes it, and takes single values out of it. */
static enum stoa_status passes_through_a_page(void *context, struct stoa_error *err)
{
    enum { NTAKEN = 3 };
    static const uint32_t places[NTAKEN] = {0, 130, 299};
    static const char *const plans[] = {"fsst(pfor)", "fsst+zstd(pfor)"};
    const struct stoa_vector *values = context;
    int32_t offsets[NVALUES + 1] = {0};
    struct stoa_encoder *encoder = NULL;
    struct stoa_decoder *decoder = NULL;
    struct stoa_buffer page = {0}, text = {0};
    struct stoa_page_values out = {.offsets = offsets, .bytes = &text};
    struct stoa_page_view view = {
        .phys = STOA_PHYS_BYTES, .nvalues = values->nvalues, .raw_max = UINT32_MAX};
    struct stoa_plan plan;
    uint32_t raw_nbytes;
    enum stoa_status st;

    STOA_TRY(stoa_encoder_new(&encoder, 3, err));
    STOA_TRY(stoa_decoder_new(&decoder, err));
    stoa_encoder_begin_chunk(encoder, values);
    for (unsigned k = 0; k < 2; k++) {
        assert_true(stoa_plan_parse(plans[k], STOA_PHYS_BYTES, &plan));
        page.nbytes = text.nbytes = 0;
        STOA_TRY(stoa_page_encode(encoder, values, STOA_PHYS_BYTES, NULL, 0, &plan, NULL, &page,
                                  &raw_nbytes, err));
        STOA_TRY(stoa_page_decode(decoder, page.data, page.nbytes, STOA_PHYS_BYTES, 0,
                                  values->nvalues, UINT32_MAX, NULL, 0, &out, err));
        assert_int_equal(text.nbytes, values->offsets[values->nvalues]);
        assert_memory_equal(text.data, values->values, text.nbytes);
        view.page = page.data;
        view.nbytes = page.nbytes;
        text.nbytes = 0;
        STOA_TRY(stoa_page_take(decoder, &view, places, NTAKEN, &out, err));
        for (size_t i = 0; i < NTAKEN; i++) {
            const int32_t *want = values->offsets + places[i];

            assert_int_equal(offsets[i + 1] - offsets[i], want[1] - want[0]);
            assert_memory_equal(text.data + offsets[i], values->values + want[0],
                                (size_t)(want[1] - want[0]));
        }
    }
out:
    stoa_buffer_free(&page);
    stoa_buffer_free(&text);
    stoa_encoder_free(encoder);
    stoa_decoder_free(decoder);
    return st;
}

/* Words, and bytes that are no symbols, whose codes are two bytes each. */
static void fill_long(struct stoa_test_random *r, uint8_t *text, size_t nbytes)
{
    uint8_t word[64];

    for (size_t at = 0, n; at < nbytes; at += n) {
        n = stoa_test_random_one_in(r, 2) ? put_words(r, word) : put_noise(r, word);
        n = n < nbytes - at ? n : nbytes - at;
        memcpy(text + at, word, n);
    }
}

/* Some of few long values, in blocks of far more codes than are looked at together. */
static void single_values_take_no_memory_for_their_neighbours(void **state)
{
    enum { N = 200, TEXT_NBYTES = 2 << 20, MAX_NBYTES = 256 << 10 };
    uint8_t *text = malloc(TEXT_NBYTES);
    int32_t offsets[N + 1] = {0}, taken[N + 1] = {0};
    struct stoa_vector values = {
        .phys = STOA_PHYS_BYTES, .nvalues = N, .values = text, .offsets = offsets};
    struct stoa_page_view view = {.phys = STOA_PHYS_BYTES, .nvalues = N, .raw_max = UINT32_MAX};
    struct stoa_buffer page = {0}, out_text = {0};
    struct stoa_page_values out = {.offsets = taken, .bytes = &out_text};
    struct stoa_encoder *encoder;
    struct stoa_decoder *decoder;
    struct stoa_test_random r;
    struct stoa_plan plan;
    uint32_t raw_nbytes;

    (void)state;
    stoa_test_random_init(&r, "long blocks");
    fill_long(&r, text, TEXT_NBYTES);
    for (unsigned i = 0; i < N; i++) /* empty, short, long; the first block has most of them */
        offsets[i + 1] = offsets[i] + (int32_t)(i % 3 == 0   ? 0
                                                : i % 3 == 1 ? stoa_test_random_below(&r, 20)
                                                             : stoa_test_random_below(&r, 30000));
    assert_in_range(offsets[128], MAX_NBYTES, TEXT_NBYTES);
    assert_int_equal(stoa_encoder_new(&encoder, 3, NULL), STOA_OK);
    assert_int_equal(stoa_decoder_new(&decoder, NULL), STOA_OK);
    assert_true(stoa_plan_parse("fsst(pfor)", STOA_PHYS_BYTES, &plan));
    assert_int_equal(stoa_page_encode(encoder, &values, STOA_PHYS_BYTES, NULL, 0, &plan, NULL,
                                      &page, &raw_nbytes, NULL),
                     STOA_OK);
    assert_int_equal(page.data[8], STOA_FSST);
    view.page = page.data;
    view.nbytes = page.nbytes;
    for (unsigned turn = 0; turn < 200; turn++) {
        uint64_t every = 1 + stoa_test_random_below(&r, turn % 2 == 0 ? 3 : 90);
        uint32_t places[N];
        struct stoa_error err = {0};
        size_t n = 0;

        for (uint32_t i = 0; i < N; i++)
            if (stoa_test_random_one_in(&r, every) || (i == N - 1 && n == 0))
                places[n++] = i;
        out_text.nbytes = 0;
        if (stoa_page_take(decoder, &view, places, n, &out, &err) != STOA_OK)
            fail_msg("%s", err.message);
        for (size_t k = 0; k < n; k++) {
            size_t nbytes = (size_t)(offsets[places[k] + 1] - offsets[places[k]]);

            assert_int_equal(taken[k + 1] - taken[k], nbytes);
            if (nbytes > 0)
                assert_memory_equal(out_text.data + taken[k], text + offsets[places[k]], nbytes);
        }
    }
    assert_in_range(decoder->text.capacity, 1, MAX_NBYTES);
    stoa_encoder_free(encoder);
    stoa_decoder_free(decoder);
    stoa_buffer_free(&page);
    stoa_buffer_free(&out_text);
    free(text);
}

static void failing_allocations_are_reported(void **state)
{
    struct texts t;
    struct stoa_test_random r;

    (void)state;
    stoa_test_random_init(&r, "failing allocations");
    texts_make(&t, &r, 0);
    t.vector.nvalues = 300;
    stoa_test_each_failing_alloc(passes_through_a_page, &t.vector);
    free(t.bytes);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_value_comes_back_by_itself),
        cmocka_unit_test(symbols_are_sorted_by_length_and_differ),
        cmocka_unit_test(codes_depend_on_the_text_alone),
        cmocka_unit_test(blocks_have_the_codes_of_their_values),
        cmocka_unit_test(training_again_gives_the_same_symbols),
        cmocka_unit_test(one_long_value_is_sampled),
        cmocka_unit_test(fast_decoding_says_what_the_reference_does),
        cmocka_unit_test(single_values_take_no_memory_for_their_neighbours),
        cmocka_unit_test(failing_allocations_are_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
