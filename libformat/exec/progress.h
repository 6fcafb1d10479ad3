/*
 * Counters of a run that threads add to, and a callback that looks at them now and then.
 *
 * There is no timer: whoever works calls stoa_progress_tick() between two pieces of work (the
 * pipeline does), and the callback runs in that thread when 100 ms have passed since the last time.
 */
#ifndef STOA_EXEC_PROGRESS_H
#define STOA_EXEC_PROGRESS_H

#include <stdatomic.h>

#include <stoa/base.h>

#define STOA_PROGRESS_INTERVAL_MS 100

enum stoa_progress_counter {
    STOA_PROGRESS_BYTES_IN,
    STOA_PROGRESS_BYTES_OUT,
    STOA_PROGRESS_ROWS,
    STOA_PROGRESS_TOTAL_BYTES, /* expected in, 0 while not known */
    STOA_PROGRESS_NCOUNTERS,
};

struct stoa_progress {
    atomic_uint_fast64_t counters[STOA_PROGRESS_NCOUNTERS];
    atomic_uint_fast64_t due_ms;
    atomic_flag reporting;
    void (*report)(void *context, const struct stoa_progress *progress);
    void *context;
};

/* `report` may be NULL: then the counters only count. It runs in one thread at a time. */
void stoa_progress_init(struct stoa_progress *progress,
                        void (*report)(void *context, const struct stoa_progress *progress),
                        void *context);

static inline void stoa_progress_add(struct stoa_progress *progress,
                                     enum stoa_progress_counter counter, uint64_t n)
{
    atomic_fetch_add_explicit(&progress->counters[counter], n, memory_order_relaxed);
}

static inline uint64_t stoa_progress_get(const struct stoa_progress *progress,
                                         enum stoa_progress_counter counter)
{
    return atomic_load_explicit(&progress->counters[counter], memory_order_relaxed);
}

struct timespec;

/* Since a reading of CLOCK_MONOTONIC. */
double stoa_seconds_since(const struct timespec *start);

/* Calls `report` when it is due. Any thread; some nanoseconds when it is not. */
void stoa_progress_tick(struct stoa_progress *progress);

#endif
