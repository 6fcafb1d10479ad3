#include "support/best_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct search {
    struct stoa_encoder *encoder;
    const struct stoa_vector *values;
    bool codes;
    size_t best;
    struct stoa_plan plan;
};

size_t stoa_test_page_nbytes(struct stoa_encoder *encoder, const struct stoa_vector *values,
                             const struct stoa_plan *plan)
{
    struct stoa_buffer page = {0};
    struct stoa_error err = {0};
    uint32_t raw_nbytes;
    size_t nbytes;

    if (stoa_page_encode(encoder, values, values->phys, NULL, 0, plan, NULL, &page, &raw_nbytes,
                         &err) != STOA_OK)
        fail_msg("%s", err.message);
    nbytes = page.nbytes;
    stoa_buffer_free(&page);
    return nbytes;
}

static void try_plan(void *context, const struct stoa_plan *plan)
{
    struct search *search = context;
    size_t nbytes;

    if ((plan->nodes[0].encoding == STOA_DICT) != search->codes)
        return;
    nbytes = stoa_test_page_nbytes(search->encoder, search->values, plan);
    if (nbytes < search->best) {
        search->best = nbytes;
        search->plan = *plan;
    }
}

size_t stoa_test_best_plan(struct stoa_encoder *encoder, const struct stoa_vector *values,
                           bool codes, struct stoa_plan *out)
{
    struct search search = {.encoder = encoder, .values = values, .codes = codes, .best = SIZE_MAX};

    stoa_plan_each(values->phys, try_plan, &search);
    *out = search.plan;
    return search.best;
}
