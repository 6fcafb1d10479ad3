/*
 * One run of a plan: what its source gives, filtered and joined into row groups, goes into a sink.
 */
#ifndef STOA_CONVERT_RUN_H
#define STOA_CONVERT_RUN_H

#include <signal.h>

#include "convert/convert_plan.h"

struct stoa_progress;

/*
 * Runs to the end and finishes the sink. `cancel` may be NULL; `progress` counts bytes in and rows.
 * Errors: those of the source and the sink, the first one in the order of the input;
 * STOA_ERR_CANCELLED.
 */
STOA_CHECK enum stoa_status stoa_run(struct stoa_plan_convert *plan, struct stoa_batch_sink *sink,
                                     const volatile sig_atomic_t *cancel,
                                     struct stoa_progress *progress, struct stoa_error *err);

#endif
