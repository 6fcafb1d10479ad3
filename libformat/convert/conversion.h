/*
 * A conversion in the making: from a plan to an output that is whole and not committed yet.
 *
 *     stoa_conversion_run()      source -> output, or -> draft while types are guesses
 *     stoa_conversion_settle()   draft -> output, when all values are known
 */
#ifndef STOA_CONVERT_CONVERSION_H
#define STOA_CONVERT_CONVERSION_H

#include <time.h>

#include "convert/convert_plan.h"
#include "convert/run.h"
#include "exec/progress.h"

struct stoa_conversion {
    const struct stoa_convert_options *options;
    struct stoa_plan_convert plan;
    struct stoa_batch_sink *sink;
    struct stoa_text_units units; /* that a draft of rows was made of, one a row group */
    uint32_t nwidened;            /* columns */
    struct stoa_progress progress;
    struct timespec start;
};

/*
 * A sink that counts what goes through it, to `below`: the target, or a draft that is written
 * first.
 */
struct stoa_output {
    struct stoa_sink base;
    struct stoa_sink *below;
    struct stoa_sink *target;
    uint64_t nbytes;
};

/* Runs the plan. Errors: those of stoa_run() and of opening a draft and a sink. */
STOA_CHECK enum stoa_status stoa_conversion_run(struct stoa_conversion *conversion,
                                                struct stoa_output *output, struct stoa_error *err);

/*
 * Makes the target of the draft, if there is one that is not the target as it is: columns with
 * values that are not of their types have others in it, and a note tells of each. The plan's schema
 * is that of the output then. Errors: those of reading and writing; STOA_ERR_USAGE for a filter
 * that has no meaning for the types in the end.
 */
STOA_CHECK enum stoa_status stoa_conversion_settle(struct stoa_conversion *conversion,
                                                   struct stoa_output *output,
                                                   struct stoa_error *err);

/* Whether the run failed because a guess of the source was wrong. */
bool stoa_conversion_misfit(const struct stoa_conversion *conversion);

/* Makes it what it was before the plan, but for what stoa_plan_convert_again() keeps. */
void stoa_conversion_again(struct stoa_conversion *conversion);

/* With the plan of the second run: notes, and counts, the columns that are not what was guessed. */
STOA_CHECK enum stoa_status stoa_conversion_tell_changes(struct stoa_conversion *conversion,
                                                         struct stoa_error *err);

/* Frees all of it; a `{0}` one too. */
void stoa_conversion_reset(struct stoa_conversion *conversion);

#endif
