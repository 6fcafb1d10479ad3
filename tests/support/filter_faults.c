/*
 * Filters whose allocations fail.
 */
#include "support/filter_faults.h"

#include "support/fault_alloc.h"

struct work {
    const struct stoa_filter *filter;
    const struct stoa_batch *batch;
};

static enum stoa_status bind_and_eval(void *context, struct stoa_error *err)
{
    const struct work *work = context;
    struct stoa_matcher *matcher = NULL;
    uint8_t selected[1];
    enum stoa_status st = stoa_filter_bind(work->filter, work->batch->schema, &matcher, err);

    if (st == STOA_OK)
        st = stoa_matcher_eval(matcher, work->batch, selected, err);
    stoa_matcher_free(matcher);
    return st;
}

void stoa_test_filter_each_failing_alloc(const struct stoa_filter *filter,
                                         const struct stoa_batch *batch)
{
    struct work work = {filter, batch};

    stoa_test_each_failing_alloc(bind_and_eval, &work);
}
