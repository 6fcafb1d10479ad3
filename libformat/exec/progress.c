/* When to look at the counters: a coarse clock, and one thread that wins the turn. */
#include "exec/progress.h"

#include <time.h>

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void stoa_progress_init(struct stoa_progress *progress,
                        void (*report)(void *context, const struct stoa_progress *progress),
                        void *context)
{
    for (size_t i = 0; i < STOA_PROGRESS_NCOUNTERS; i++)
        atomic_init(&progress->counters[i], 0);
    atomic_init(&progress->due_ms, now_ms() + STOA_PROGRESS_INTERVAL_MS);
    atomic_flag_clear(&progress->reporting);
    progress->report = report;
    progress->context = context;
}

void stoa_progress_tick(struct stoa_progress *progress)
{
    uint64_t now;

    if (progress->report == NULL)
        return;
    now = now_ms();
    if (now < atomic_load_explicit(&progress->due_ms, memory_order_relaxed) ||
        atomic_flag_test_and_set_explicit(&progress->reporting, memory_order_acquire))
        return;
    if (now >= atomic_load_explicit(&progress->due_ms, memory_order_relaxed)) {
        progress->report(progress->context, progress);
        atomic_store_explicit(&progress->due_ms, now + STOA_PROGRESS_INTERVAL_MS,
                              memory_order_relaxed);
    }
    atomic_flag_clear_explicit(&progress->reporting, memory_order_release);
}

double stoa_seconds_since(const struct timespec *start)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) * 1e-9;
}
