/*
 * Any bytes as a page. What is decoded must come back from a PLAIN page of it; single values and
 * tests of the page as it is must say the same, as must the page without compression.
 *
 *     byte 0      physical type, modulo 14 (FIXED is 5 bytes wide)
 *     byte 1      0 no dictionary, 1 codes are wanted, 2 a dictionary, 3 bases; modulo 4
 *     byte 2, 3   number of values - 1
 *     byte 4      number of entries - 1; of bases: bit 0 there are two, the rest number of keys - 1
 *     the rest    the page
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/bytes.h"
#include "codec/page_select.h"
#include "support/random.h"
#include "support/text_test.h"

enum { HEAD = 5, WIDTH = 5, MAX_NENTRIES = 256, RAW_MAX = 1 << 22, TEXT_MAX = 1 << 22 };
enum { NO_DICTIONARY, CODES, DICTIONARY, BASES };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes);

static void must(bool good)
{
    if (!good)
        abort();
}

/* Values of a page, in memory of exactly the size that page.h asks for. */
struct column {
    struct stoa_page_values out;
    struct stoa_buffer text;
    size_t nvalues;
    uint32_t width;
};

static void column_init(struct column *c, size_t nvalues, uint32_t width)
{
    *c = (struct column){.nvalues = nvalues, .width = width};
    c->out.values = malloc(nvalues * width + 64);
    c->out.offsets = calloc(nvalues + 1, sizeof(int32_t));
    c->out.validity = calloc(stoa_bitmap_nbytes(nvalues), 1);
    c->out.bytes = &c->text;
    c->out.bytes_max = TEXT_MAX;
    must(c->out.values != NULL && c->out.offsets != NULL && c->out.validity != NULL);
}

static void column_reset(struct column *c)
{
    free(c->out.values);
    free(c->out.offsets);
    free(c->out.validity);
    stoa_buffer_free(&c->text);
}

/* Entries that differ; text of 0 to 39 bytes. */
static struct stoa_vector make_dictionary(enum stoa_phys phys, uint32_t width, size_t nentries)
{
    static uint8_t values[MAX_NENTRIES * 40 + 64];
    static int32_t offsets[MAX_NENTRIES + 1];

    for (size_t i = 0; i < sizeof(values); i++)
        values[i] = (uint8_t)(i * 167 >> 3);
    for (size_t i = 0; i < nentries; i++) /* of one length when there is an even number of them */
        offsets[i + 1] = offsets[i] + (int32_t)((nentries % 2 == 0 ? nentries : i) % 40);
    if (phys == STOA_PHYS_BYTES)
        width = stoa_text_length(offsets, nentries);
    return (struct stoa_vector){.phys = phys,
                                .width = width,
                                .nvalues = nentries,
                                .values = values,
                                .offsets = phys == STOA_PHYS_BYTES ? offsets : NULL};
}

/* ---- Bases. ---- */

/* What a page may be derived from: words and keys that follow from the slot. */
struct bases {
    struct stoa_base_source source;
    unsigned count;
    uint32_t nkeys;
    size_t nvalues;
    const uint32_t *places; /* of single values */
    size_t nplaces;
    uint64_t *words[2]; /* what was lent last, of exactly the size that was asked for */
    uint32_t *keys;
};

static uint64_t word_of(unsigned k, size_t slot)
{
    return k == 0 ? slot * UINT64_C(0x9e3779b97f4a7c15) >> slot % 60 : slot % 1000;
}

static uint32_t key_of(const struct bases *bases, size_t slot)
{
    return (uint32_t)((slot + slot / 16) % bases->nkeys);
}

static void bases_reset(struct bases *bases)
{
    free(bases->words[0]);
    free(bases->words[1]);
    free(bases->keys);
    bases->words[0] = bases->words[1] = NULL;
    bases->keys = NULL;
}

static enum stoa_status load(struct stoa_base_source *source, enum stoa_bases_wanted wanted,
                             size_t nslots, struct stoa_bases *out, struct stoa_error *err)
{
    struct bases *bases = (struct bases *)(void *)source;
    const bool taken = wanted == STOA_BASES_TAKEN;
    const size_t n = taken ? bases->nplaces : bases->nvalues;

    (void)err;
    must(nslots > 0 && nslots <= bases->nvalues);
    bases_reset(bases);
    out->end = n;
    for (unsigned k = 0; wanted != STOA_BASES_KEYS && k < bases->count; k++) {
        bases->words[k] = malloc(n * sizeof(uint64_t));
        must(bases->words[k] != NULL);
        for (size_t i = 0; i < n; i++)
            bases->words[k][i] = word_of(k, taken ? bases->places[i] : i);
        out->words[k] = bases->words[k];
    }
    if (wanted == STOA_BASES_KEYS) {
        bases->keys = malloc(nslots * sizeof(uint32_t));
        must(bases->keys != NULL);
        for (size_t i = 0; i < nslots; i++)
            bases->keys[i] = key_of(bases, i);
        out->keys = bases->keys;
        out->nkeys = bases->nkeys;
    }
    return STOA_OK;
}

static void compare(const struct column *a, const struct column *b, enum stoa_phys phys)
{
    must(a->out.nnulls == b->out.nnulls);
    must(memcmp(a->out.validity, b->out.validity, stoa_bitmap_nbytes(a->nvalues)) == 0);
    must(a->out.nnulls == a->nvalues - stoa_bitmap_count(a->out.validity, 0, a->nvalues));
    if (phys == STOA_PHYS_BYTES) {
        must(memcmp(a->out.offsets, b->out.offsets, (a->nvalues + 1) * sizeof(int32_t)) == 0);
        must(a->text.nbytes == (size_t)a->out.offsets[a->nvalues]);
        must(a->text.nbytes == b->text.nbytes);
        must(a->text.nbytes == 0 || memcmp(a->text.data, b->text.data, a->text.nbytes) == 0);
    } else {
        must(memcmp(a->out.values, b->out.values, a->nvalues * a->width) == 0);
    }
}

static struct stoa_encoder *get_encoder(void)
{
    static struct stoa_encoder *encoder;

    if (encoder == NULL)
        must(stoa_encoder_new(&encoder, 1, NULL) == STOA_OK);
    return encoder;
}

static void encode_and_compare(struct stoa_decoder *decoder, const struct column *c,
                               enum stoa_phys phys)
{
    struct stoa_vector values = {.phys = phys,
                                 .width = c->width,
                                 .nvalues = c->nvalues,
                                 .values = phys == STOA_PHYS_BYTES ? c->text.data : c->out.values,
                                 .offsets = phys == STOA_PHYS_BYTES ? c->out.offsets : NULL};
    struct stoa_plan plan = {0};
    struct stoa_buffer page = {0};
    struct column back;
    uint32_t raw_nbytes;

    must(phys == STOA_PHYS_NONE ||
         stoa_plan_parse(phys == STOA_PHYS_BYTES ? "plain(plain)" : "plain", phys, &plan));
    must(stoa_page_encode(get_encoder(), &values, phys, c->out.validity, 0, &plan, NULL, &page,
                          &raw_nbytes, NULL) == STOA_OK);
    column_init(&back, c->nvalues, c->width);
    must(stoa_page_decode(decoder, page.data, page.nbytes, phys, WIDTH, c->nvalues, UINT32_MAX,
                          NULL, 0, &back.out, NULL) == STOA_OK);
    compare(c, &back, phys);
    column_reset(&back);
    stoa_buffer_free(&page);
}

/* The same values by a plan that derives them. */
static void derive_and_compare(struct stoa_decoder *decoder, const struct column *c,
                               enum stoa_phys phys, const char *name, struct bases *bases)
{
    struct bases lent = *bases;
    struct stoa_derivation derivation = {.multipliers = {3, UINT64_MAX}};
    struct stoa_vector values = {
        .phys = phys, .width = c->width, .nvalues = c->nvalues, .values = c->out.values};
    struct stoa_plan plan = {0};
    struct stoa_buffer page = {0};
    struct column back;
    uint32_t raw_nbytes;

    must(stoa_plan_parse(name, phys, &plan));
    lent.words[0] = lent.words[1] = NULL;
    lent.keys = NULL;
    must(load(&lent.source, name[1] == 'i' ? STOA_BASES_WORDS : STOA_BASES_KEYS, c->nvalues,
              &derivation.bases, NULL) == STOA_OK);
    must(stoa_page_encode(get_encoder(), &values, phys, c->out.validity, 0, &plan, &derivation,
                          &page, &raw_nbytes, NULL) == STOA_OK);
    column_init(&back, c->nvalues, c->width);
    back.out.bases = &bases->source;
    must(stoa_page_decode(decoder, page.data, page.nbytes, phys, c->width, c->nvalues, UINT32_MAX,
                          NULL, 0, &back.out, NULL) == STOA_OK);
    compare(c, &back, phys);
    column_reset(&back);
    bases_reset(&lent);
    stoa_buffer_free(&page);
}

/* What is kept of a page that is asked for again and again. */
static void make_plain_and_compare(struct stoa_decoder *decoder, const struct stoa_page_view *view,
                                   const struct column *all, struct bases *bases)
{
    struct stoa_buffer page = {0};
    struct column back;

    column_init(&back, view->nvalues, view->width);
    if (stoa_page_make_plain(decoder, view, &bases->source, &page, NULL) == STOA_OK) {
        must(all != NULL);
        must(stoa_page_decode(decoder, page.data, page.nbytes, view->phys, view->width,
                              view->nvalues, UINT32_MAX, NULL, 0, &back.out, NULL) == STOA_OK);
        compare(all, &back, view->phys);
    } else {
        must(all == NULL);
    }
    column_reset(&back);
    stoa_buffer_free(&page);
}

/* ---- Parts of the page. ---- */

/* Numbers that follow from the page. */
static uint64_t draw(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

/* Takes rising places, none when `all` is NULL (the page is not whole) is compared. */
static void take_and_compare(struct stoa_decoder *decoder, const struct stoa_page_view *view,
                             const struct column *all, struct bases *bases, uint64_t *state)
{
    uint32_t *places = malloc(view->nvalues * sizeof(*places));
    uint64_t every = 1 + draw(state) % 40;
    struct column some;
    size_t n = 0;

    must(places != NULL);
    for (size_t i = 0; i < view->nvalues; i++)
        if (draw(state) % every == 0 || (n == 0 && i + 1 == view->nvalues))
            places[n++] = (uint32_t)i;
    column_init(&some, n, view->ncodes > 0 ? 4 : view->width);
    if (bases != NULL) {
        bases->places = places;
        bases->nplaces = n;
        some.out.bases = &bases->source;
    }
    if (stoa_page_take(decoder, view, places, n, &some.out, NULL) == STOA_OK) {
        for (size_t k = 0; all != NULL && k < n; k++) {
            size_t i = places[k], width = some.width;

            must(stoa_bitmap_get(some.out.validity, k) == stoa_bitmap_get(all->out.validity, i));
            if (view->phys == STOA_PHYS_BYTES && view->ncodes == 0) {
                const int32_t *a = all->out.offsets + i, *b = some.out.offsets + k;

                must(a[1] - a[0] == b[1] - b[0]);
                must(a[1] == a[0] || memcmp(all->text.data + a[0], some.text.data + b[0],
                                            (size_t)(a[1] - a[0])) == 0);
            } else {
                must(width == 0 ||
                     memcmp(all->out.values + i * width, some.out.values + k * width, width) == 0);
            }
        }
    } else {
        must(all == NULL);
    }
    column_reset(&some);
    free(places);
}

/* A test of the kind that the page is for. */
static void draw_test(const struct stoa_page_view *view, const struct column *all, uint64_t *state,
                      const uint8_t *table, struct stoa_test *test)
{
    bool codes = view->dictionary != NULL || view->ncodes > 0;

    *test = (struct stoa_test){.inverted = draw(state) % 2, .codes = table};
    test->nspans = (unsigned)(draw(state) % 4);
    if (draw(state) % 8 == 0 || (!codes && view->phys > STOA_PHYS_F64) ||
        view->phys == STOA_PHYS_NONE) {
        test->kind = STOA_TEST_VALID;
    } else if (codes && draw(state) % 2 == 0) {
        test->kind = STOA_TEST_CODES;
    } else if (!codes && view->phys >= STOA_PHYS_F32) {
        test->kind = STOA_TEST_FLOATS;
        for (unsigned k = 0; k < test->nspans; k++)
            test->floats[k] = (struct stoa_float_range){(double)(draw(state) % 100) - 70,
                                                        (double)(draw(state) % 99)};
    } else {
        test->kind = STOA_TEST_SPANS;
        for (unsigned k = 0; k < test->nspans; k++) {
            uint64_t from = draw(state) << draw(state) % 40;

            if (all != NULL && draw(state) % 2 == 0 && !codes)
                memcpy(&from, all->out.values + draw(state) % view->nvalues * view->width,
                       view->width);
            test->spans[k] = (struct stoa_test_span){from, draw(state) % 1000 << draw(state) % 54};
        }
    }
}

static uint64_t load_number(const struct column *c, size_t i)
{
    uint64_t x = 0;

    memcpy(&x, c->out.values + i * c->width, c->width < 8 ? c->width : 8);
    return x;
}

static bool expected(const struct stoa_test *test, const struct column *c, enum stoa_phys phys,
                     size_t i)
{
    bool passes = false;

    if (test->kind == STOA_TEST_VALID)
        return stoa_bitmap_get(c->out.validity, i) != test->inverted;
    if (!stoa_bitmap_get(c->out.validity, i))
        return false;
    if (test->kind == STOA_TEST_CODES)
        return (test->codes[load_number(c, i)] == 1) != test->inverted;
    for (unsigned k = 0; k < test->nspans; k++) {
        if (test->kind == STOA_TEST_FLOATS) {
            double x = 0;
            float x32;

            memcpy(&x32, c->out.values + i * c->width, 4);
            if (phys == STOA_PHYS_F64)
                memcpy(&x, c->out.values + i * c->width, 8);
            else
                x = (double)x32;
            passes |= x >= test->floats[k].lo && x <= test->floats[k].hi;
        } else {
            uint64_t mask = UINT64_MAX >> (64 - 8 * c->width);

            passes |= ((load_number(c, i) - test->spans[k].from) & mask) <=
                      (test->spans[k].length & mask);
        }
    }
    return passes != test->inverted;
}

/* Texts of a page; those of one that is not whole are held against some others. */
static void filter_texts_and_compare(struct stoa_decoder *decoder,
                                     const struct stoa_page_view *view, const struct column *all,
                                     uint64_t *state)
{
    static const int32_t offsets[] = {0, 3, 3, 11};
    const struct stoa_page_values *out = all != NULL ? &all->out : NULL;
    const bool some = out != NULL && out->bytes->data != NULL; /* all null: there are no bytes */
    const uint8_t *values = some ? out->bytes->data : (const uint8_t *)"0a1stoa 4711";
    uint8_t *bits = malloc((view->nvalues + 63) / 64 * 8);
    struct stoa_test_random random;
    struct stoa_test_text text;

    must(bits != NULL);
    stoa_test_random_seed(&random, draw(state));
    stoa_test_text_draw(&text, &random, values, out != NULL ? out->offsets : offsets,
                        out != NULL ? view->nvalues : 3);
    if (stoa_page_filter(decoder, view, &text.test, bits, NULL) == STOA_OK) {
        for (size_t i = 0; out != NULL && i < view->nvalues; i++) {
            const size_t nbytes = (size_t)(out->offsets[i + 1] - out->offsets[i]);
            const bool has = stoa_test_text_has(&text, values + out->offsets[i], nbytes);

            must(stoa_bitmap_get(bits, i) ==
                 (stoa_bitmap_get(out->validity, i) && has != text.test.inverted));
        }
    } else {
        must(all == NULL);
    }
    free(bits);
}

/* `all` has codes in a chunk with a dictionary; NULL: the page is not whole. */
static void filter_and_compare(struct stoa_decoder *decoder, const struct stoa_page_view *view,
                               const struct column *all, uint64_t *state)
{
    uint8_t table[MAX_NENTRIES], *bits = malloc((view->nvalues + 63) / 64 * 8);
    struct stoa_test test;

    must(bits != NULL);
    for (size_t k = 0; k < sizeof(table); k++)
        table[k] = draw(state) % 2;
    draw_test(view, all, state, table, &test);
    if (stoa_page_filter(decoder, view, &test, bits, NULL) == STOA_OK) {
        for (size_t i = 0; all != NULL && i < view->nvalues; i++)
            must(stoa_bitmap_get(bits, i) == expected(&test, all, view->phys, i));
    } else {
        must(all == NULL);
    }
    free(bits);
}

static void use_parts(struct stoa_decoder *decoder, const struct stoa_page_view *view,
                      const struct column *all, struct bases *bases)
{
    const bool tested = view->dictionary == NULL && bases == NULL; /* by what is seen here */
    uint64_t state = view->nbytes * 31 + view->page[view->nbytes / 2];
    struct stoa_page_view inflated_view = *view;
    uint8_t *inflated;
    size_t nbytes;

    for (unsigned k = 0; k < 2; k++) {
        take_and_compare(decoder, view, all, bases, &state);
        filter_and_compare(decoder, view, tested ? all : NULL, &state);
        if (view->phys == STOA_PHYS_BYTES && view->dictionary == NULL && view->ncodes == 0)
            filter_texts_and_compare(decoder, view, tested ? all : NULL, &state);
    }
    if (stoa_page_inflated_nbytes(decoder, view, &nbytes, NULL) != STOA_OK) {
        must(all == NULL);
        return;
    }
    if (nbytes == 0)
        return;
    inflated = malloc(nbytes);
    must(inflated != NULL);
    if (stoa_page_inflate(decoder, view, inflated, NULL) == STOA_OK) {
        inflated_view.page = inflated;
        inflated_view.nbytes = nbytes;
        take_and_compare(decoder, &inflated_view, all, bases, &state);
        filter_and_compare(decoder, &inflated_view, tested ? all : NULL, &state);
    } else {
        must(all == NULL);
    }
    free(inflated);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    static struct stoa_decoder *decoder;
    struct stoa_vector dictionary;
    struct stoa_page_view view;
    struct stoa_error err;
    struct column column;
    struct bases bases = {.source = {load}};
    bool whole;
    enum stoa_phys phys;
    uint32_t width, count;
    size_t nvalues, nentries;
    unsigned mode;
    char text[128];

    if (nbytes < HEAD)
        return 0;
    if (decoder == NULL)
        must(stoa_decoder_new(&decoder, NULL) == STOA_OK);
    phys = (enum stoa_phys)(data[0] % 16);
    mode = data[1] % 4;
    nvalues = stoa_load16(data + 2) + (size_t)1;
    nentries = data[4] + (size_t)1;
    width = phys == STOA_PHYS_FIXED ? WIDTH : stoa_phys_width(phys);
    data += HEAD;
    nbytes -= HEAD;
    dictionary = make_dictionary(phys, width, nentries);
    column_init(&column, nvalues, mode == CODES ? 4 : width);
    bases.nvalues = nvalues;
    bases.count = 1 + (unsigned)(nentries - 1) % 2;
    bases.nkeys = 1 + (uint32_t)(nentries - 1) / 2;
    column.out.bases = mode == BASES ? &bases.source : NULL;
    view = (struct stoa_page_view){
        .page = data,
        .nbytes = nbytes,
        .phys = phys,
        .width = width,
        .nvalues = nvalues,
        .raw_max = RAW_MAX,
        .dictionary = mode == DICTIONARY ? &dictionary : NULL,
        .ncodes = mode == CODES ? (uint32_t)nentries : 0,
    };
    whole = stoa_page_decode(decoder, data, nbytes, phys, width, nvalues, RAW_MAX, view.dictionary,
                             view.ncodes, &column.out, &err) == STOA_OK;
    if (whole) {
        must(stoa_page_describe(data, nbytes, text, NULL) == STOA_OK);
        must(stoa_page_count(data, nbytes, &count, NULL) == STOA_OK && count == nvalues);
        encode_and_compare(decoder, &column, mode == CODES ? STOA_PHYS_U32 : phys);
        if (mode == BASES && phys >= STOA_PHYS_I8 && phys <= STOA_PHYS_U64) {
            derive_and_compare(decoder, &column, phys, "linear(plain)", &bases);
            derive_and_compare(decoder, &column, phys, "lookup(plain,plain)", &bases);
        }
    } else {
        must(err.message[0] != '\0');
        (void)!stoa_page_describe(data, nbytes, text, NULL);
    }
    if (nbytes > 0)
        use_parts(decoder, &view, whole ? &column : NULL, mode == BASES ? &bases : NULL);
    if (nbytes > 0 && mode == BASES && phys >= STOA_PHYS_I8 && phys <= STOA_PHYS_U64)
        make_plain_and_compare(decoder, &view, whole ? &column : NULL, &bases);
    bases_reset(&bases);
    column_reset(&column);
    return 0;
}
