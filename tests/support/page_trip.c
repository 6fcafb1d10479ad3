/*
 * Values into a page and out of it again.
 */
#include "support/page_trip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

void stoa_test_page_trip(struct stoa_encoder *encoder, struct stoa_decoder *decoder,
                         const char *plan, enum stoa_phys phys, const void *values, size_t n,
                         struct stoa_buffer *page)
{
    const uint32_t width = stoa_phys_width(phys);
    const size_t nbytes = n * width;
    uint8_t *back = calloc(1, nbytes + 64);
    struct stoa_vector vector = {phys, width, n, values, NULL};
    struct stoa_page_values out = {.values = back};
    struct stoa_error err = {0};
    struct stoa_plan parsed;
    uint32_t raw_nbytes;

    assert_non_null(back);
    assert_true(stoa_plan_parse(plan, phys, &parsed));
    assert_int_equal(
        stoa_page_encode(encoder, &vector, phys, NULL, 0, &parsed, NULL, page, &raw_nbytes, &err),
        STOA_OK);
    if (stoa_page_decode(decoder, page->data, page->nbytes, phys, width, n, 2 * nbytes + 4096, NULL,
                         0, &out, &err) != STOA_OK)
        fail_msg("%s: %s", plan, err.message);
    assert_memory_equal(back, values, nbytes);
    free(back);
}
