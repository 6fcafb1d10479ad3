/*
 * Pages: whatever is encoded by whatever plan comes back, and takes nothing but its room.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/bytes.h"
#include "codec/distinct.h"
#include "codec/page.h"
#include "support/codec_values.h"
#include "support/fault_alloc.h"

enum { FIXED_WIDTH = 5, RAW_MAX = 1 << 28, GUARD = 0xc3, FIRST_BIT = 3 };

/* One set of values, ready to be encoded by any number of plans. */
struct page_case {
    struct stoa_encoder *encoder;
    struct stoa_decoder *decoder;
    const char *shape;
    unsigned nulls; /* of null_patterns */
    struct stoa_test_values plain;
    struct stoa_test_values entries; /* of a dictionary */
    uint32_t *codes;
    uint8_t *validity;
    struct stoa_buffer page;
    uint8_t *room;
    size_t room_nbytes;
    int32_t *offsets;
    uint8_t *bitmap;
    size_t nplans;
    size_t every; /* one plan in so many */
};

enum { NO_NULLS, ALL_NULL, ONE_NULL, RUNS_OF_NULLS, RANDOM_NULLS, NNULL_PATTERNS };

static void make_validity(struct page_case *c, struct stoa_test_random *r)
{
    size_t n = c->plain.vector.nvalues;
    bool valid = true;

    c->validity = calloc(stoa_bitmap_nbytes(n + FIRST_BIT), 1);
    for (size_t i = 0; i < n; i++) {
        if (c->nulls == ALL_NULL)
            valid = false;
        else if (c->nulls == ONE_NULL)
            valid = i != n / 2;
        else if (c->nulls == RUNS_OF_NULLS)
            valid = valid != stoa_test_random_one_in(r, 100);
        else if (c->nulls == RANDOM_NULLS)
            valid = stoa_test_random_one_in(r, 2);
        if (valid)
            stoa_bitmap_set(c->validity, FIRST_BIT + i);
    }
}

/* Codes of the distinct values in the order of their first appearance. */
static void make_dictionary(struct page_case *c)
{
    const struct stoa_vector *values = &c->plain.vector;
    struct stoa_distinct *set;
    bool complete;
    struct stoa_vector entries;
    size_t nbytes;

    c->codes = calloc(values->nvalues + 16, sizeof(*c->codes));
    assert_int_equal(stoa_distinct_new(&set, values->phys, values->width, NULL), STOA_OK);
    assert_int_equal(
        stoa_distinct_add(set, values, UINT32_MAX, UINT64_MAX, c->codes, &complete, NULL), STOA_OK);
    assert_true(complete);
    entries = stoa_distinct_values(set);
    c->entries.vector = entries;
    if (values->phys == STOA_PHYS_BYTES) {
        nbytes = (size_t)entries.offsets[entries.nvalues];
        c->entries.offsets = malloc((entries.nvalues + 1) * sizeof(int32_t));
        memcpy(c->entries.offsets, entries.offsets, (entries.nvalues + 1) * sizeof(int32_t));
        c->entries.vector.width = stoa_text_length(entries.offsets, entries.nvalues);
    } else {
        nbytes = entries.nvalues * entries.width;
    }
    c->entries.values = malloc(nbytes + 64);
    if (nbytes > 0)
        memcpy(c->entries.values, entries.values, nbytes);
    c->entries.vector.values = c->entries.values;
    c->entries.vector.offsets = c->entries.offsets;
    stoa_distinct_free(set);
}

static void case_init(struct page_case *c, enum stoa_phys phys, unsigned shape, unsigned nulls,
                      size_t n, struct stoa_test_random *r)
{
    *c = (struct page_case){.shape = stoa_test_shape_name(shape), .nulls = nulls, .every = 1};
    assert_int_equal(stoa_encoder_new(&c->encoder, 1, NULL), STOA_OK);
    stoa_encoder_set_checks(c->encoder, true);
    assert_int_equal(stoa_decoder_new(&c->decoder, NULL), STOA_OK);
    stoa_test_values_make(&c->plain, phys, FIXED_WIDTH, shape, n, r);
    make_validity(c, r);
    make_dictionary(c);
    c->room_nbytes = n * c->plain.vector.width + 64;
    c->room = malloc(c->room_nbytes);
    c->offsets = malloc((n + 1) * sizeof(int32_t));
    c->bitmap = malloc(stoa_bitmap_nbytes(n + FIRST_BIT));
}

static void case_reset(struct page_case *c)
{
    stoa_encoder_free(c->encoder);
    stoa_decoder_free(c->decoder);
    stoa_test_values_free(&c->plain);
    stoa_test_values_free(&c->entries);
    stoa_buffer_free(&c->page);
    free(c->codes);
    free(c->validity);
    free(c->room);
    free(c->offsets);
    free(c->bitmap);
}

static void check_value(const struct page_case *c, const struct stoa_vector *back, size_t i,
                        const char *plan)
{
    static const uint8_t zeros[32];
    bool valid = stoa_bitmap_get(c->validity, FIRST_BIT + i), good;

    if (valid)
        good = stoa_test_values_equal(&c->plain.vector, i, back, i);
    else if (back->phys == STOA_PHYS_BYTES)
        good = back->offsets[i] == back->offsets[i + 1];
    else
        good = memcmp(back->values + i * back->width, zeros, back->width) == 0;
    if (!good || stoa_bitmap_get(c->bitmap, FIRST_BIT + i) != valid)
        fail_msg("%s of \"%s\", nulls %u: value %zu of %zu differs", plan, c->shape, c->nulls, i,
                 c->plain.vector.nvalues);
}

/* Bytes of the payloads of the tree of values. */
static size_t values_payload_nbytes(const struct stoa_buffer *page)
{
    size_t nnodes = page->data[0], skip = 0, nbytes = 0;

    if (page->data[1] == 2) /* a tree of validity: a node, or two where it has runs */
        skip = page->data[8] == STOA_BITRUNS ? 2 : 1;
    for (size_t k = skip; k < nnodes; k++)
        nbytes += stoa_load32(page->data + 8 + 16 * k + 8);
    return nbytes;
}

static size_t plain_nbytes(const struct stoa_vector *values)
{
    size_t n = values->nvalues;

    return values->phys == STOA_PHYS_BYTES ? (size_t)values->offsets[n] + 4 * n : n * values->width;
}

static void check_plan(void *context, const struct stoa_plan *plan)
{
    struct page_case *c = context;
    const struct stoa_vector *values = &c->plain.vector;
    struct stoa_vector codes = {.phys = STOA_PHYS_U32,
                                .width = 4,
                                .nvalues = values->nvalues,
                                .values = (const uint8_t *)c->codes};
    bool dict = plan->nodes[0].encoding == STOA_DICT;
    size_t n = values->nvalues, nnull;
    struct stoa_buffer text = {0};
    struct stoa_page_values out = {.values = c->room,
                                   .offsets = c->offsets,
                                   .bytes = &text,
                                   .validity = c->bitmap,
                                   .first_bit = FIRST_BIT};
    struct stoa_vector back = *values;
    struct stoa_error err = {0};
    uint32_t raw_nbytes;
    char name[128], found[128];

    if (c->nplans++ % c->every != 0)
        return;
    assert_true(stoa_plan_is_allowed(plan, values->phys));
    stoa_plan_print(plan, name);
    c->page.nbytes = 0;
    if (stoa_page_encode_checked(c->encoder, dict ? &codes : values, values->phys,
                                 c->nulls == NO_NULLS ? NULL : c->validity, FIRST_BIT, plan, NULL,
                                 &c->page, &raw_nbytes, &err) != STOA_OK)
        fail_msg("%s of \"%s\": %s", name, c->shape, err.message);
    assert_int_equal(stoa_page_describe(c->page.data, c->page.nbytes, found, &err), STOA_OK);
    if (values_payload_nbytes(&c->page) > plain_nbytes(dict ? &codes : values) + 16)
        fail_msg("%s (%s) of \"%s\", %zu values: %zu bytes", name, found, c->shape, n,
                 values_payload_nbytes(&c->page));
    memset(c->room, GUARD, c->room_nbytes);
    memset(c->bitmap, 0, stoa_bitmap_nbytes(n + FIRST_BIT));
    c->offsets[0] = 0;
    if (stoa_page_decode(c->decoder, c->page.data, c->page.nbytes, values->phys, values->width, n,
                         raw_nbytes, dict ? &c->entries.vector : NULL, 0, &out, &err) != STOA_OK)
        fail_msg("%s (%s) of \"%s\", %zu values: %s", name, found, c->shape, n, err.message);
    nnull = n - stoa_bitmap_count(c->validity, FIRST_BIT, FIRST_BIT + n);
    assert_int_equal(out.nnulls, nnull);
    back.values = values->phys == STOA_PHYS_BYTES ? text.data : c->room;
    back.offsets = values->phys == STOA_PHYS_BYTES ? c->offsets : NULL;
    if (values->phys == STOA_PHYS_BYTES)
        assert_int_equal(text.nbytes, c->offsets[n]);
    for (size_t i = 0; i < n; i++)
        check_value(c, &back, i, name);
    stoa_buffer_free(&text);
}

static const enum stoa_phys physes[] = {
    STOA_PHYS_I8,   STOA_PHYS_I16,   STOA_PHYS_I32,   STOA_PHYS_I64, STOA_PHYS_U8,
    STOA_PHYS_U16,  STOA_PHYS_U32,   STOA_PHYS_U64,   STOA_PHYS_F32, STOA_PHYS_F64,
    STOA_PHYS_I128, STOA_PHYS_FIXED, STOA_PHYS_BYTES, STOA_PHYS_F16, STOA_PHYS_I256,
};
enum { NPHYSES = sizeof(physes) / sizeof(physes[0]) };

static void every_plan_gives_every_value_back_and_takes_no_more_than_plain(void **state)
{
    static const struct {
        size_t n;
        size_t every;
    } sizes[] = {{1, 2}, {2, 3}, {7, 3}, {1023, 11}, {1024, 7}, {1025, 9}, {8193, 101}};
    struct stoa_test_random r;
    unsigned turn = 0;

    (void)state;
    stoa_test_random_init(&r, "page round trip");
    for (size_t p = 0; p < NPHYSES; p++) {
        for (unsigned shape = 0; stoa_test_shape_name(shape) != NULL; shape++) {
            for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
                struct page_case c;

                case_init(&c, physes[p], shape, turn % NNULL_PATTERNS, sizes[k].n, &r);
                c.every = sizes[k].every;
                c.nplans = turn++;
                stoa_plan_each(physes[p], check_plan, &c);
                case_reset(&c);
            }
        }
    }
}

static void whole_pages_come_back(void **state)
{
    static const size_t sizes[] = {8191, 8192, 65535, 65536};
    struct stoa_test_random r;
    unsigned turn = 0;

    (void)state;
    stoa_test_random_init(&r, "whole pages");
    for (size_t p = 0; p < NPHYSES; p++) {
        for (unsigned shape = 0; stoa_test_shape_name(shape) != NULL; shape += 2) {
            struct page_case c;

            case_init(&c, physes[p], shape, turn % NNULL_PATTERNS, sizes[turn % 4], &r);
            c.every = 211;
            c.nplans = turn++;
            stoa_plan_each(physes[p], check_plan, &c);
            case_reset(&c);
        }
    }
}

/* ---- Single cases. ---- */

struct codecs {
    struct stoa_encoder *encoder;
    struct stoa_decoder *decoder;
    struct stoa_buffer page;
    uint32_t raw_nbytes;
};

static void codecs_init(struct codecs *c)
{
    *c = (struct codecs){0};
    assert_int_equal(stoa_encoder_new(&c->encoder, 1, NULL), STOA_OK);
    assert_int_equal(stoa_decoder_new(&c->decoder, NULL), STOA_OK);
}

static void codecs_reset(struct codecs *c)
{
    stoa_encoder_free(c->encoder);
    stoa_decoder_free(c->decoder);
    stoa_buffer_free(&c->page);
}

static void encode(struct codecs *c, const struct stoa_vector *values, enum stoa_phys phys,
                   const uint8_t *validity, const char *text)
{
    struct stoa_plan plan;

    assert_true(stoa_plan_parse(text, phys, &plan));
    assert_int_equal(stoa_page_encode(c->encoder, values, phys, validity, 0, &plan, NULL, &c->page,
                                      &c->raw_nbytes, NULL),
                     STOA_OK);
}

/* The first page of two in one buffer stays as it is. */
static void pages_are_appended(void **state)
{
    static const int32_t numbers[] = {3, 1, 4};
    struct stoa_vector values = {STOA_PHYS_I32, 4, 3, (const uint8_t *)numbers, NULL};
    struct codecs c;
    size_t first;

    (void)state;
    codecs_init(&c);
    encode(&c, &values, STOA_PHYS_I32, NULL, "pfor");
    first = c.page.nbytes;
    encode(&c, &values, STOA_PHYS_I32, NULL, "pfor");
    assert_int_equal(c.page.nbytes, 2 * first);
    assert_memory_equal(c.page.data, c.page.data + first, first);
    codecs_reset(&c);
}

/* What a struct's chunk holds: which slots are null, in 8 bytes where all or none are. */
static void pages_of_no_type_hold_nulls_alone(void **state)
{
    static const size_t sizes[] = {1, 7, 8, 64, 1000, 8192, 65536};
    struct stoa_test_random r;

    (void)state;
    stoa_test_random_init(&r, "pages of no type");
    for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
        for (unsigned nulls = 0; nulls < NNULL_PATTERNS; nulls++) {
            struct stoa_vector none = {.phys = STOA_PHYS_NONE, .nvalues = sizes[k]};
            struct page_case c = {.nulls = nulls, .plain = {.vector = none}};
            uint8_t *back = calloc(stoa_bitmap_nbytes(sizes[k] + FIRST_BIT), 1);
            struct stoa_page_values out = {.validity = back, .first_bit = FIRST_BIT};
            struct stoa_plan plan = {0};
            struct stoa_error err = {0};
            uint32_t raw_nbytes;
            size_t nvalid;

            make_validity(&c, &r);
            assert_int_equal(stoa_encoder_new(&c.encoder, 1, NULL), STOA_OK);
            assert_int_equal(stoa_decoder_new(&c.decoder, NULL), STOA_OK);
            assert_int_equal(stoa_page_encode(c.encoder, &none, STOA_PHYS_NONE, c.validity,
                                              FIRST_BIT, &plan, NULL, &c.page, &raw_nbytes, &err),
                             STOA_OK);
            assert_int_equal(stoa_page_decode(c.decoder, c.page.data, c.page.nbytes, STOA_PHYS_NONE,
                                              0, sizes[k], raw_nbytes, NULL, 0, &out, &err),
                             STOA_OK);
            nvalid = stoa_bitmap_count(c.validity, FIRST_BIT, FIRST_BIT + sizes[k]);
            assert_int_equal(out.nnulls, sizes[k] - nvalid);
            for (size_t i = 0; i < sizes[k]; i++)
                assert_int_equal(stoa_bitmap_get(back, FIRST_BIT + i),
                                 stoa_bitmap_get(c.validity, FIRST_BIT + i));
            if (nvalid == 0 || nvalid == sizes[k])
                assert_int_equal(c.page.nbytes, 8);
            free(back);
            case_reset(&c);
        }
    }
}

static void nulls_where_none_may_be_are_refused(void **state)
{
    static const int32_t numbers[] = {3, 1, 4};
    static const uint8_t validity = 5, none = 0;
    struct stoa_vector values = {STOA_PHYS_I32, 4, 3, (const uint8_t *)numbers, NULL};
    struct stoa_error err = {0};
    uint8_t room[3 * 4 + 64];
    struct stoa_page_values out = {.values = room};
    struct codecs c;

    (void)state;
    codecs_init(&c);
    encode(&c, &values, STOA_PHYS_I32, &validity, "pfor");
    assert_int_equal(stoa_page_decode(c.decoder, c.page.data, c.page.nbytes, STOA_PHYS_I32, 4, 3,
                                      RAW_MAX, NULL, 0, &out, &err),
                     STOA_ERR_CORRUPT);
    assert_string_equal(err.message, "1 null values where none may be");
    c.page.nbytes = 0;
    encode(&c, &values, STOA_PHYS_I32, &none, "pfor");
    assert_int_equal(stoa_page_decode(c.decoder, c.page.data, c.page.nbytes, STOA_PHYS_I32, 4, 3,
                                      RAW_MAX, NULL, 0, &out, &err),
                     STOA_ERR_CORRUPT);
    assert_string_equal(err.message, "3 null values where none may be");
    codecs_reset(&c);
}

static void codes_are_delivered_without_a_dictionary(void **state)
{
    static const uint32_t numbers[] = {3, 1, 4, 1, 5};
    static const uint8_t validity = 0x1d, none = 0;
    static const uint32_t want[] = {3, 0, 4, 1, 5};
    struct stoa_vector values = {STOA_PHYS_U32, 4, 5, (const uint8_t *)numbers, NULL};
    struct stoa_error err = {0};
    uint8_t room[5 * 4 + 64], bits;
    struct stoa_page_values out = {.values = room, .validity = &bits};
    struct codecs c;

    (void)state;
    codecs_init(&c);
    encode(&c, &values, STOA_PHYS_BYTES, &validity, "dict(pfor)");
    assert_int_equal(stoa_page_decode(c.decoder, c.page.data, c.page.nbytes, STOA_PHYS_BYTES, 0, 5,
                                      RAW_MAX, NULL, 6, &out, &err),
                     STOA_OK);
    assert_memory_equal(room, want, sizeof(want));
    assert_int_equal(out.nnulls, 1);
    assert_int_equal(stoa_page_decode(c.decoder, c.page.data, c.page.nbytes, STOA_PHYS_BYTES, 0, 5,
                                      RAW_MAX, NULL, 5, &out, &err),
                     STOA_ERR_CORRUPT);
    assert_string_equal(err.message, "dict: code 5 of 5 entries");
    c.page.nbytes = 0;
    encode(&c, &values, STOA_PHYS_BYTES, &none, "dict(pfor)");
    assert_int_equal(stoa_page_decode(c.decoder, c.page.data, c.page.nbytes, STOA_PHYS_BYTES, 0, 5,
                                      RAW_MAX, NULL, 6, &out, &err),
                     STOA_OK);
    assert_int_equal(out.nnulls, 5);
    for (size_t i = 0; i < 5 * sizeof(uint32_t); i++)
        assert_int_equal(room[i], 0);
    codecs_reset(&c);
}

/* Entries of one length, of whose last one no more than 64 bytes behind it are there. */
static void text_of_one_length_comes_back(void **state)
{
    enum { NENTRIES = 7, N = 1500, MAX_LENGTH = 70 };
    static const uint32_t lengths[] = {1, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 65, MAX_LENGTH};
    static uint32_t numbers[N + 16];
    uint8_t validity[(N + 7) / 8], bits[(N + 7) / 8];
    struct stoa_vector codes = {STOA_PHYS_U32, 4, N, (const uint8_t *)numbers, NULL};
    struct stoa_test_random r;
    struct codecs c;

    (void)state;
    stoa_test_random_init(&r, "text_of_one_length_comes_back");
    codecs_init(&c);
    for (size_t k = 0; k < 2 * sizeof(lengths) / sizeof(lengths[0]); k++) {
        const uint32_t length = lengths[k / 2];
        const bool nulls = k % 2 == 1;
        uint8_t *text = malloc(NENTRIES * length + 64);
        struct stoa_vector entries = {STOA_PHYS_BYTES, length, NENTRIES, text, NULL};
        struct stoa_buffer room = {0};
        int32_t ends[N + 1] = {0}, entry_ends[NENTRIES + 1];
        struct stoa_page_values out = {.offsets = ends, .bytes = &room, .validity = bits};

        entries.offsets = entry_ends;
        for (uint32_t i = 0; i <= NENTRIES; i++)
            entry_ends[i] = (int32_t)(i * length);
        for (size_t i = 0; i < NENTRIES * (size_t)length; i++)
            text[i] = (uint8_t)stoa_test_random_u64(&r);
        for (size_t i = 0; i < sizeof(validity); i++)
            validity[i] = (uint8_t)stoa_test_random_u64(&r);
        for (size_t i = 0; i < N; i++)
            numbers[i] = (uint32_t)stoa_test_random_below(&r, NENTRIES);
        c.page.nbytes = 0;
        encode(&c, &codes, STOA_PHYS_BYTES, nulls ? validity : NULL, "dict(pfor)");
        assert_int_equal(stoa_page_decode(c.decoder, c.page.data, c.page.nbytes, STOA_PHYS_BYTES, 0,
                                          N, RAW_MAX, &entries, 0, &out, NULL),
                         STOA_OK);
        for (size_t i = 0; i < N; i++) {
            const size_t want = nulls && !stoa_bitmap_get(validity, i) ? 0 : length;

            assert_int_equal(ends[i + 1] - ends[i], want);
            assert_memory_equal(room.data + ends[i], text + numbers[i] * length, want);
        }
        assert_int_equal(room.nbytes, ends[N]);
        stoa_buffer_free(&room);
        free(text);
    }
    codecs_reset(&c);
}

/* Text is counted with what the caller has already; it may be less than offsets can say. */
static void text_stays_below_its_limit(void **state)
{
    static const char words[12 + 64] = "agora agora"; /* with what readers may touch */
    static const int32_t offsets[] = {0, 5, 5, 11};
    static const char *const plans[] = {"plain(pfor)", "dict(pfor)"};
    static const uint32_t numbers[] = {0, 1, 2};
    struct stoa_vector values = {STOA_PHYS_BYTES, 0, 3, (const uint8_t *)words, offsets};
    struct stoa_vector codes = {STOA_PHYS_U32, 4, 3, (const uint8_t *)numbers, NULL};

    (void)state;
    for (int p = 0; p < 2; p++) {
        struct stoa_buffer text = {0};
        int32_t room[4] = {100};
        struct stoa_page_values out = {.offsets = room, .bytes = &text, .bytes_max = 110};
        const struct stoa_vector *dictionary = p == 1 ? &values : NULL;
        struct stoa_error err = {0};
        struct codecs c;

        codecs_init(&c);
        encode(&c, p == 1 ? &codes : &values, STOA_PHYS_BYTES, NULL, plans[p]);
        assert_int_equal(stoa_buffer_append_zeros(&text, 100, NULL), STOA_OK);
        assert_int_equal(stoa_page_decode(c.decoder, c.page.data, c.page.nbytes, STOA_PHYS_BYTES, 0,
                                          3, RAW_MAX, dictionary, 0, &out, &err),
                         STOA_ERR_LIMIT);
        assert_string_equal(err.message, "11 bytes of text behind 100, the limit is 110");
        assert_int_equal(text.nbytes, 100);
        out.bytes_max = 111;
        assert_int_equal(stoa_page_decode(c.decoder, c.page.data, c.page.nbytes, STOA_PHYS_BYTES, 0,
                                          3, RAW_MAX, dictionary, 0, &out, &err),
                         STOA_OK);
        assert_int_equal(text.nbytes, 111);
        assert_int_equal(room[3], 111);
        assert_memory_equal(text.data + 100, words, 11);
        codecs_reset(&c);
        stoa_buffer_free(&text);
    }
}

static void a_page_of_a_dictionary_holds_a_million_values(void **state)
{
    enum { N = 1 << 20 };
    uint8_t *numbers = malloc(N * 8 + 64), *room = malloc(N * 8 + 64);
    struct stoa_vector values = {STOA_PHYS_I64, 8, N, numbers, NULL};
    struct stoa_page_values out = {.values = room};
    struct stoa_test_random r;
    uint32_t count;
    struct codecs c;

    (void)state;
    stoa_test_random_init(&r, "a million");
    codecs_init(&c);
    for (size_t i = 0; i < N; i++) {
        int64_t x = (int64_t)(i * 7) + stoa_test_random_between(&r, 0, 6);

        memcpy(numbers + i * 8, &x, 8);
    }
    encode(&c, &values, STOA_PHYS_I64, NULL, "delta(pfor)");
    assert_int_equal(stoa_page_count(c.page.data, c.page.nbytes, &count, NULL), STOA_OK);
    assert_int_equal(count, N);
    assert_int_equal(stoa_page_decode(c.decoder, c.page.data, c.page.nbytes, STOA_PHYS_I64, 8, N,
                                      RAW_MAX, NULL, 0, &out, NULL),
                     STOA_OK);
    assert_memory_equal(room, numbers, N * 8);
    c.page.data[6] = 0x20;
    assert_int_equal(stoa_page_count(c.page.data, c.page.nbytes, &count, NULL), STOA_ERR_CORRUPT);
    assert_int_equal(stoa_page_count(c.page.data, 7, &count, NULL), STOA_ERR_CORRUPT);
    codecs_reset(&c);
    free(numbers);
    free(room);
}

/* A plan that a sample liked meets values that it cannot hold. */
static void plans_give_way_to_values(void **state)
{
    static const int64_t differ[] = {1, 2, 3}, far[] = {0, 255, 256}, farther[] = {0, 1LL << 33, 5};
    static const int64_t equal[] = {9, 9, 9};
    static const struct {
        const char *plan;
        const int64_t *values;
        const char *found;
    } cases[] = {
        {"const", differ, "pfor"},
        {"narrow(plain)", differ, "narrow(plain)"},
        {"narrow(plain)", far, "narrow(plain)"},
        {"narrow(plain)", farther, "pfor"},
        {"delta(const)", differ, "delta(const)"},
        {"delta(const)", far, "delta(pfor)"},
        {"pfor", equal, "const"},
        {"narrow(plain)", equal, "const"},
        {"rle(pfor,pfor)", equal, "const"},
        {"sparse(pfor,pfor)", equal, "const"},
        {"rle(pfor,pfor)", differ, "rle(pfor,const)"},
    };
    struct stoa_error err = {0};

    (void)state;
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        struct stoa_vector values = {STOA_PHYS_I64, 8, 3, (const uint8_t *)cases[k].values, NULL};
        uint8_t room[3 * 8 + 64];
        struct stoa_page_values out = {.values = room};
        char found[128];
        struct codecs c;

        codecs_init(&c);
        encode(&c, &values, STOA_PHYS_I64, NULL, cases[k].plan);
        assert_int_equal(stoa_page_describe(c.page.data, c.page.nbytes, found, &err), STOA_OK);
        assert_string_equal(found, cases[k].found);
        assert_int_equal(stoa_page_decode(c.decoder, c.page.data, c.page.nbytes, STOA_PHYS_I64, 8,
                                          3, RAW_MAX, NULL, 0, &out, &err),
                         STOA_OK);
        assert_memory_equal(room, cases[k].values, 3 * 8);
        codecs_reset(&c);
    }
}

static void pages_are_described(void **state)
{
    static const int32_t numbers[] = {3, 1, 4};
    static const uint8_t validity = 5, none = 0;
    struct stoa_vector values = {STOA_PHYS_I32, 4, 3, (const uint8_t *)numbers, NULL};
    struct stoa_error err = {0};
    struct codecs c;
    char text[128];

    (void)state;
    codecs_init(&c);
    encode(&c, &values, STOA_PHYS_I32, &validity, "delta(narrow(plain))");
    assert_int_equal(stoa_page_describe(c.page.data, c.page.nbytes, text, &err), STOA_OK);
    assert_string_equal(text, "delta(narrow(plain))");
    c.page.data[0]--;
    assert_int_equal(stoa_page_describe(c.page.data, c.page.nbytes, text, &err), STOA_ERR_CORRUPT);
    c.page.nbytes = 0;
    encode(&c, &values, STOA_PHYS_I32, &none, "pfor");
    assert_int_equal(stoa_page_describe(c.page.data, c.page.nbytes, text, &err), STOA_OK);
    assert_string_equal(text, "null");
    c.page.nbytes = 0;
    values = (struct stoa_vector){.phys = STOA_PHYS_NONE, .nvalues = 3};
    assert_int_equal(stoa_page_encode(c.encoder, &values, STOA_PHYS_NONE, &validity, 0,
                                      &(struct stoa_plan){0}, NULL, &c.page, &c.raw_nbytes, &err),
                     STOA_OK);
    assert_int_equal(stoa_page_describe(c.page.data, c.page.nbytes, text, &err), STOA_OK);
    assert_string_equal(text, "none");
    codecs_reset(&c);
}

/* ---- Failing allocations. ---- */

struct failing {
    const struct stoa_vector *values;
    const struct stoa_vector *dictionary;
    const char *plan;
    enum stoa_phys phys;
};

static enum stoa_status encodes_and_decodes(void *context, struct stoa_error *err)
{
    const struct failing *f = context;
    static uint8_t room[3000 * 16 + 64], validity[400], bits[400];
    static int32_t offsets[3001];
    struct stoa_encoder *encoder = NULL;
    struct stoa_decoder *decoder = NULL;
    struct stoa_buffer page = {0}, text = {0};
    struct stoa_page_values out = {
        .values = room, .offsets = offsets, .bytes = &text, .validity = bits};
    struct stoa_plan plan;
    uint32_t raw_nbytes;
    enum stoa_status st;

    memset(validity, 0xdf, sizeof(validity));
    assert_true(stoa_plan_parse(f->plan, f->phys, &plan));
    st = stoa_encoder_new(&encoder, 1, err);
    if (st == STOA_OK) {
        stoa_encoder_set_checks(encoder, true);
        st = stoa_page_encode_checked(encoder, f->values, f->phys, validity, 0, &plan, NULL, &page,
                                      &raw_nbytes, err);
    }
    if (st == STOA_OK)
        st = stoa_decoder_new(&decoder, err);
    if (st == STOA_OK)
        st = stoa_page_decode(decoder, page.data, page.nbytes, f->phys, FIXED_WIDTH,
                              f->values->nvalues, RAW_MAX, f->dictionary, 0, &out, err);
    stoa_encoder_free(encoder);
    stoa_decoder_free(decoder);
    stoa_buffer_free(&page);
    stoa_buffer_free(&text);
    return st;
}

static void a_failing_allocation_is_reported(void **state)
{
    static const struct {
        enum stoa_phys phys;
        const char *plan;
    } cases[] = {
        {STOA_PHYS_I64, "rle(delta(pfor+zstd),narrow(plain+zstd))"},
        {STOA_PHYS_I32, "sparse(pfor,pfor)"},
        {STOA_PHYS_I64, "pfor+zstd"},
        {STOA_PHYS_BYTES, "plain+zstd(narrow(plain+zstd))"},
        {STOA_PHYS_BYTES, "dict(rle(pfor,pfor))"},
        {STOA_PHYS_FIXED, "rle(plain,pfor)"},
    };
    struct stoa_test_random r;

    (void)state;
    stoa_test_random_init(&r, "failing allocations");
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        struct stoa_test_values values, codes;
        struct failing f = {.plan = cases[k].plan, .phys = cases[k].phys};

        stoa_test_values_make(&values, cases[k].phys, FIXED_WIDTH, 13, 3000, &r);
        stoa_test_values_make(&codes, STOA_PHYS_U32, 4, 1, 3000, &r);
        f.values = &values.vector;
        if (strncmp(f.plan, "dict", 4) == 0) {
            f.dictionary = &values.vector;
            f.values = &codes.vector;
        }
        stoa_test_each_failing_alloc(encodes_and_decodes, &f);
        stoa_test_values_free(&values);
        stoa_test_values_free(&codes);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_plan_gives_every_value_back_and_takes_no_more_than_plain),
        cmocka_unit_test(whole_pages_come_back),
        cmocka_unit_test(pages_are_appended),
        cmocka_unit_test(pages_of_no_type_hold_nulls_alone),
        cmocka_unit_test(nulls_where_none_may_be_are_refused),
        cmocka_unit_test(codes_are_delivered_without_a_dictionary),
        cmocka_unit_test(text_of_one_length_comes_back),
        cmocka_unit_test(text_stays_below_its_limit),
        cmocka_unit_test(a_page_of_a_dictionary_holds_a_million_values),
        cmocka_unit_test(plans_give_way_to_values),
        cmocka_unit_test(pages_are_described),
        cmocka_unit_test(a_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
