/*
 * An ordered pipeline: items are made in order, worked on in parallel, and come out in order.
 *
 *     first stage --> parallel stages --> ordered stage --> parallel stages --> ordered stage
 *     (cuts units)    (parse)             (joins units)     (encode)            (writes)
 *
 * This is the only place of the library that creates threads. The same stages give the same items
 * in the same order, and the same error, for any number of jobs.
 *
 * Stages. The first one must be STOA_STAGE_ORDERED.
 *   STOA_STAGE_ORDERED   runs for one item at a time, in order. It is called with *item set to its
 *                        next input and leaves there what goes on: the same item, another one, or
 *                        NULL when it keeps or has used up the input. When its input has ended it
 *                        is called with *item == NULL, again and again, to give out what it still
 *                        holds, until it leaves NULL. The first stage is one without an input: it
 *                        is called with NULL from the beginning.
 *   STOA_STAGE_PARALLEL  runs for several items at once, each on any thread. It may take an item
 *                        away (NULL), and is never called with NULL.
 * So a call gives out one item at most. A stage that makes several of one keeps the others until
 * its next calls.
 *
 * Ownership. An item belongs to the stage that runs on it, in between to the pipeline. What the
 * last stage leaves behind, and every item that can't be finished, goes to `drop`. A stage that
 * fails leaves in *item what is to be dropped. What a stage holds belongs to its context and is the
 * caller's to free after the run.
 *
 * Errors. As if every item went through all stages before the next one was made: when item k fails
 * somewhere, everything given out before it still goes through the rest of the stages and may fail
 * first; k and all later items are dropped, no later ordered stage sees them, and none is asked for
 * what it holds.
 *
 * Memory. max_in_flight bounds how many items are alive between the first stage and the end, and
 * where their sizes differ has_room can hold the first stage back. What a stage keeps inside does
 * not count.
 */
#ifndef STOA_EXEC_PIPELINE_H
#define STOA_EXEC_PIPELINE_H

#include <signal.h>

#include <stoa/base.h>

#include "base/crew.h"

struct stoa_progress;

enum stoa_stage_mode { STOA_STAGE_ORDERED, STOA_STAGE_PARALLEL };

struct stoa_stage {
    enum stoa_stage_mode mode;
    enum stoa_status (*run)(void *context, void **item, struct stoa_error *err);
};

/* The idle threads of a pipeline. Init with `{0}`; alone outside of a run. */
struct stoa_pipeline_crew {
    struct stoa_crew crew;
    void *run; /* what the pipeline knows of itself, while it runs */
};

/*
 * What to run. Zero or NULL is fine for everything but the stages and `drop`.
 *
 * jobs           threads at work, the caller's included; 0 counts as 1. With 1 none is created;
 *                where the system gives fewer, fewer do.
 * max_in_flight  at least 1; 0 means 2 * jobs.
 * has_room       is asked before the first stage is called while items are in flight: false puts
 *                that off until one of them is gone or has been worked on. Short, any thread, under
 *                the lock of the pipeline, never beside the first stage.
 * drop           may be called by any thread.
 * prefetch       is called by threads that would be idle, several at once: it does a piece of work
 *                ahead of the first stage (a few milliseconds, under locks of its own) and says
 *                whether there was one. It reports its errors through the first stage.
 * crew           shares the work inside a call of a parallel stage with threads that would be idle:
 *                hand `&crew->crew` to what the stages call. It is only used inside them.
 * may_help       is asked before a thread joins `nhelping` others that help; where it says no, the
 *                thread asks again when something has changed. Short, any thread, under the lock.
 * cancel         when it becomes nonzero (in a signal handler, in another thread), the run ends
 *                with STOA_ERR_CANCELLED after the calls that are going on.
 * progress       is ticked between calls.
 */
struct stoa_pipeline {
    const struct stoa_stage *stages;
    size_t nstages;
    void *context; /* handed to every callback */
    unsigned jobs;
    size_t max_in_flight;
    bool (*has_room)(void *context);
    void (*drop)(void *context, void *item);
    bool (*prefetch)(void *context);
    struct stoa_pipeline_crew *crew;
    bool (*may_help)(void *context, size_t nhelping);
    const volatile sig_atomic_t *cancel;
    struct stoa_progress *progress;
};

/*
 * Runs until the first stage has ended and all is through, or something failed. All threads that
 * it created have ended when it returns. Signals are left to the threads of the caller.
 * Errors: those of the stages, STOA_ERR_CANCELLED, STOA_ERR_NOMEM.
 */
STOA_CHECK enum stoa_status stoa_pipeline_run(const struct stoa_pipeline *pipeline,
                                              struct stoa_error *err);

#endif
