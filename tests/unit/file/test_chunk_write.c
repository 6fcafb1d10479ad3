/* Chunks and segments as bytes: heads, hashes, the size of pages. */
#include "file/chunk_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "file/dictionary_write.h"
#include "support/columns.h"

enum { NVALUES = 20000 };

static uint32_t numbers[NVALUES + 16];

static struct stoa_chunk_input input_of_numbers(const struct stoa_plan *plan, size_t nvalues)
{
    for (uint32_t i = 0; i < NVALUES; i++)
        numbers[i] = i * UINT32_C(2654435761) >> 12;
    return (struct stoa_chunk_input){
        .plan = plan,
        .values = {STOA_PHYS_U32, 4, nvalues, (const uint8_t *)numbers, NULL},
        .phys = STOA_PHYS_U32,
    };
}

static const struct stoa_plan plain = {1, {{STOA_PLAIN, STOA_PHYS_U32, false}}};
static const struct stoa_plan text_plan = {
    2, {{STOA_PLAIN, STOA_PHYS_BYTES, false}, {STOA_PFOR, STOA_PHYS_U32, false}}};
static const struct stoa_plan constant = {1, {{STOA_CONST, STOA_PHYS_U32, false}}};

static struct stoa_encoder *new_encoder(void)
{
    struct stoa_encoder *encoder;
    struct stoa_error err = {0};

    stoa_test_check(stoa_encoder_new(&encoder, 1, &err), &err);
    return encoder;
}

static void a_head_describes_every_page(void **state)
{
    (void)state;
    struct stoa_encoder *encoder = new_encoder();
    struct stoa_chunk_input input = input_of_numbers(&plain, NVALUES);
    struct stoa_chunk_input with_entries = input;
    struct stoa_error err = {0};

    with_entries.entries = stoa_vector_slice(&input.values, 0, 10);
    with_entries.entries_plan = &plain;
    input.estimate_nbytes = 4 * NVALUES;
    with_entries.estimate_nbytes = 4 * NVALUES;
    for (int k = 0; k < 2; k++) {
        const struct stoa_chunk_input *chunk = k == 0 ? &input : &with_entries;
        uint32_t npages = k == 0 ? 3 : 4, end = 0;
        struct stoa_buffer out = {0};
        struct stoa_rg_entry entry;
        const uint8_t *pages;

        stoa_test_check(stoa_buffer_append_zeros(&out, 24, &err), &err);
        stoa_test_check(stoa_chunk_write(encoder, &stoa_default_rules, chunk, &out, &entry, &err),
                        &err);
        assert_int_equal(entry.page_shift, 13);
        assert_int_equal(entry.nvalues, NVALUES);
        assert_int_equal(entry.encoding, STOA_PLAIN);
        assert_int_equal(entry.flags, k == 0 ? 0 : STOA_CHUNK_LOCAL_DICT);
        assert_int_equal(entry.nbytes, out.nbytes - 24);
        assert_int_equal(entry.hash, stoa_hash(out.data + 24, npages * 16));
        pages = out.data + 24 + npages * 16;
        for (uint32_t p = 0; p < npages; p++) {
            struct stoa_page_entry page;
            uint32_t nvalues = stoa_load32(pages + end + 4);

            stoa_page_entry_unpack(out.data + 24 + p * 16, &page);
            assert_int_equal(page.hash, stoa_hash(pages + end, page.end - end));
            assert_int_equal(nvalues, k == 1 && p == 0 ? 10 : p == npages - 1 ? 3616 : 8192);
            assert_int_equal(page.raw_nbytes, 4 * nvalues);
            end = page.end;
        }
        assert_int_equal(24 + npages * 16 + end, out.nbytes);
        stoa_buffer_free(&out);
    }
    stoa_encoder_free(encoder);
}

static void a_chunk_of_one_page_is_that_page(void **state)
{
    (void)state;
    struct stoa_encoder *encoder = new_encoder();
    struct stoa_chunk_input input = input_of_numbers(&plain, 100);
    struct stoa_buffer out = {0}, page = {0};
    struct stoa_rg_entry entry;
    struct stoa_error err = {0};
    uint32_t raw_nbytes;

    stoa_test_check(stoa_chunk_write(encoder, &stoa_default_rules, &input, &out, &entry, &err),
                    &err);
    stoa_test_check(stoa_page_encode(encoder, &input.values, STOA_PHYS_U32, NULL, 0, &plain, NULL,
                                     &page, &raw_nbytes, &err),
                    &err);
    assert_int_equal(out.nbytes, page.nbytes);
    assert_memory_equal(out.data, page.data, page.nbytes);
    assert_int_equal(entry.hash, stoa_hash(page.data, page.nbytes));
    assert_int_equal(entry.nbytes, page.nbytes);
    stoa_buffer_free(&out);
    stoa_buffer_free(&page);
    stoa_encoder_free(encoder);
}

static void pages_are_the_smallest_that_are_not_too_small(void **state)
{
    (void)state;
    static const struct {
        const struct stoa_plan *plan;
        uint64_t estimate_nbytes; /* for 20,000 values */
        uint64_t page_max_nbytes;
        uint8_t shift;
    } cases[] = {
        {&plain, 80000, 64 << 20, 13}, /* 32 KiB a page */
        {&plain, 10000, 64 << 20, 13}, /* 4,096 bytes */
        {&plain, 9999, 64 << 20, 14},  /* 4,095 */
        {&plain, 5000, 64 << 20, 14},
        {&plain, 4999, 64 << 20, 15},
        {&plain, 1249, 64 << 20, 16},
        {&plain, 0, 64 << 20, 16},
        {&constant, 80000, 64 << 20, 16},
        {&plain, 0, 20000 * 9 + 1024, 16}, /* all in one page: 9 bytes a value and 1,024 */
        {&plain, 0, 20000 * 9 + 1023, 14},
        {&plain, 0, 16384 * 9 + 1023, 13},
        {&plain, 0, 2 * 9 + 1024, 1},
        {&plain, 0, 1, 0},
    };
    struct stoa_encoder *encoder = new_encoder();

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_chunk_input input = input_of_numbers(cases[i].plan, NVALUES);
        struct stoa_rules rules = stoa_default_rules;
        struct stoa_buffer out = {0};
        struct stoa_rg_entry entry;
        struct stoa_error err = {0};

        input.estimate_nbytes = cases[i].estimate_nbytes;
        rules.page_max_nbytes = cases[i].page_max_nbytes;
        stoa_test_check(stoa_chunk_write(encoder, &rules, &input, &out, &entry, &err), &err);
        assert_int_equal(entry.page_shift, cases[i].shift);
        stoa_buffer_free(&out);
    }
    stoa_encoder_free(encoder);
}

/* Long values: of `nlong` at the front `long_nbytes` each, of all others one byte. */
static void pages_of_long_values_are_short(void **state)
{
    (void)state;
    static const struct {
        uint32_t nlong;
        uint32_t long_nbytes;
        uint64_t page_long_nbytes;
        uint8_t shift;
    } cases[] = {
        {0, 0, 20000 * 6 + 1024, 13}, /* as small as they should be */
        {0, 0, 8192 * 6 + 1024, 13},  /* pages of 8,192 fit, at 6 bytes a value and 1,024 */
        {0, 0, 8192 * 6 + 1023, 12},  /* and no more */
        {0, 0, 64 * 6 + 1024, 6},     /* of 64 at the least, */
        {0, 0, 100, 4},               /* unless they are long on the average */
        {1, 100000, 50000, 6},        /* one long value makes no page of fewer */
        {20000, 1000, 100000, 6},     /* 99 would fit */
        {20000, 1000, 3000, 1},
        {20000, 1000, 1000, 0},
    };
    struct stoa_encoder *encoder = new_encoder();

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_chunk_input input = {.phys = STOA_PHYS_BYTES, .plan = &text_plan};
        struct stoa_rules rules = stoa_default_rules;
        struct stoa_buffer out = {0}, text = {0};
        int32_t offsets[NVALUES + 1] = {0};
        struct stoa_rg_entry entry;
        struct stoa_error err = {0};

        for (uint32_t k = 0; k < NVALUES; k++)
            offsets[k + 1] = offsets[k] + (k < cases[i].nlong ? (int32_t)cases[i].long_nbytes : 1);
        stoa_test_check(stoa_buffer_append_zeros(&text, (size_t)offsets[NVALUES] + 64, &err), &err);
        input.values = (struct stoa_vector){
            .phys = STOA_PHYS_BYTES, .nvalues = NVALUES, .values = text.data, .offsets = offsets};
        input.estimate_nbytes = 1000000;
        rules.page_long_nbytes = cases[i].page_long_nbytes;
        stoa_test_check(stoa_chunk_write(encoder, &rules, &input, &out, &entry, &err), &err);
        assert_int_equal(entry.page_shift, cases[i].shift);
        stoa_buffer_free(&text);
        stoa_buffer_free(&out);
    }
    stoa_encoder_free(encoder);
}

/* The directory names the encoding of the values, behind whatever tree the validity takes. */
static void the_encoding_of_a_page_is_found(void **state)
{
    (void)state;
    struct stoa_encoder *encoder = new_encoder();

    for (int nulls = 0; nulls < 4; nulls++) {
        struct stoa_chunk_input input = input_of_numbers(&plain, 4096);
        uint8_t validity[4096 / 8];
        struct stoa_buffer out = {0};
        struct stoa_rg_entry entry;
        struct stoa_error err = {0};

        for (size_t i = 0; i < sizeof(validity); i++) /* none, scattered, runs, all */
            validity[i] = (uint8_t)(nulls == 1 ? i * 37 : nulls == 2 && i % 128 < 64 ? 255 : 0);
        if (nulls > 0)
            input.validity = validity;
        stoa_test_check(stoa_chunk_write(encoder, &stoa_default_rules, &input, &out, &entry, &err),
                        &err);
        assert_int_equal(entry.encoding, nulls == 3 ? STOA_CONST : STOA_PLAIN);
        stoa_buffer_free(&out);
    }
    stoa_encoder_free(encoder);
}

/* 10,000 values are pages of 4,096, 4,096 and 1,808. */
static void a_segment_has_pages_of_4096_values(void **state)
{
    (void)state;
    struct stoa_encoder *encoder = new_encoder();
    struct stoa_segment segment = {.prev_id = 5, .first_code = 7, .phys = STOA_PHYS_U32};
    struct stoa_vector values = input_of_numbers(&plain, 10000).values;
    uint32_t *indices = NULL, end = 0;
    struct stoa_dict_head head;
    const uint8_t *pages;
    struct stoa_error err = {0};

    stoa_test_check(stoa_alloc(&indices, 10000 * sizeof(indices[0]), &err), &err);
    for (uint32_t i = 0; i < 10000; i++)
        indices[i] = i;
    segment.count = 10000;
    stoa_test_check(stoa_values_take(&segment.values, &values, indices, 10000, &err), &err);
    stoa_test_check(stoa_segment_encode(encoder, &segment, &err), &err);
    assert_int_equal(segment.dir_nbytes, 32 + 3 * 16);
    assert_int_equal(segment.body.nbytes % 64, 0);
    stoa_test_check(stoa_dict_head_unpack(segment.body.data, &head, &err), &err);
    assert_int_equal(head.prev_id, 5);
    assert_int_equal(head.first_code, 7);
    assert_int_equal(head.count, 10000);
    assert_int_equal(head.raw_nbytes, 40000);
    pages = segment.body.data + segment.dir_nbytes;
    for (uint32_t p = 0; p < 3; p++) {
        struct stoa_page_entry page;

        stoa_page_entry_unpack(segment.body.data + 32 + 16 * p, &page);
        assert_int_equal(page.hash, stoa_hash(pages + end, page.end - end));
        assert_int_equal(stoa_load32(pages + end + 4), p < 2 ? 4096 : 1808);
        end = page.end;
    }
    assert_true(segment.body.nbytes - segment.dir_nbytes - end < 64);
    stoa_free(indices);
    stoa_segment_reset(&segment);
    stoa_encoder_free(encoder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_describes_every_page),
        cmocka_unit_test(a_chunk_of_one_page_is_that_page),
        cmocka_unit_test(pages_are_the_smallest_that_are_not_too_small),
        cmocka_unit_test(pages_of_long_values_are_short),
        cmocka_unit_test(the_encoding_of_a_page_is_found),
        cmocka_unit_test(a_segment_has_pages_of_4096_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
