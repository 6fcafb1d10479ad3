/*
 * Work that a stage of a pipeline shares with threads that would be idle: each part is done once,
 * the first part that fails decides the error, and idle threads do come.
 */
#include "exec/pipeline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "base/error.h"

enum { MAX_PARTS = 400, NITEMS = 6 };

static const unsigned jobs[] = {1, 2, 3, 8};

struct item {
    atomic_uint done[MAX_PARTS];
};

struct work {
    struct stoa_crew *crew; /* NULL: nobody */
    size_t nparts;
    size_t fails; /* parts from this one on, in every item */
    struct item items[NITEMS];
    size_t nmade;
    atomic_size_t ntogether;
};

/* ---- A pipeline: items are made, each is shared by one stage, and counted at the end. ---- */

static struct work *current; /* for parts, whose context is an item */

static void take_a_moment(void)
{
    nanosleep(&(struct timespec){0, 20 * 1000}, NULL);
}

static enum stoa_status do_part(void *context, size_t i, struct stoa_error *err)
{
    struct item *item = context;

    atomic_fetch_add(&item->done[i], 1);
    if (i % 3 == 0)
        take_a_moment();
    if (i >= current->fails)
        return stoa_fail(err, STOA_ERR_DATA, "part %zu", i);
    return STOA_OK;
}

static enum stoa_status make(void *context, void **at, struct stoa_error *err)
{
    struct work *work = context;

    (void)err;
    *at = work->nmade < NITEMS ? &work->items[work->nmade++] : NULL;
    return STOA_OK;
}

static enum stoa_status share(void *context, void **at, struct stoa_error *err)
{
    struct work *work = context;

    return stoa_crew_run(work->crew, work->nparts, do_part, *at, err);
}

static void drop(void *context, void *item)
{
    (void)context, (void)item;
}

static enum stoa_status run(struct work *work, unsigned njobs,
                            enum stoa_status (*stage)(void *, void **, struct stoa_error *),
                            struct stoa_error *err)
{
    const struct stoa_stage stages[] = {{STOA_STAGE_ORDERED, make}, {STOA_STAGE_PARALLEL, stage}};
    struct stoa_pipeline_crew crew = {0};
    const struct stoa_pipeline pipeline = {
        .stages = stages,
        .nstages = 2,
        .context = work,
        .jobs = njobs,
        .drop = drop,
        .crew = &crew,
    };

    current = work;
    work->crew = &crew.crew;
    return stoa_pipeline_run(&pipeline, err);
}

/* ---- What holds. ---- */

static void each_part_is_done_once(void **state)
{
    (void)state;
    static const size_t nparts[] = {0, 1, 2, 7, MAX_PARTS};

    for (size_t k = 0; k < sizeof(nparts) / sizeof(nparts[0]); k++) {
        for (size_t j = 0; j < sizeof(jobs) / sizeof(jobs[0]); j++) {
            struct work work = {.nparts = nparts[k], .fails = SIZE_MAX};
            struct stoa_error err;

            assert_int_equal(run(&work, jobs[j], share, &err), STOA_OK);
            for (size_t i = 0; i < NITEMS; i++)
                for (size_t part = 0; part < MAX_PARTS; part++)
                    assert_int_equal(work.items[i].done[part], part < nparts[k]);
        }
    }
}

static void the_first_part_that_fails_decides(void **state)
{
    (void)state;
    static const size_t fails[] = {0, 1, 17, MAX_PARTS - 1};

    for (size_t k = 0; k < sizeof(fails) / sizeof(fails[0]); k++) {
        for (size_t j = 0; j < sizeof(jobs) / sizeof(jobs[0]); j++) {
            struct work work = {.nparts = MAX_PARTS, .fails = fails[k]};
            struct stoa_error err;
            char expected[32];

            (void)snprintf(expected, sizeof(expected), "part %zu", fails[k]);
            assert_int_equal(run(&work, jobs[j], share, &err), STOA_ERR_DATA);
            assert_string_equal(err.message, expected);
            for (size_t part = 0; part <= fails[k]; part++)
                assert_int_equal(work.items[0].done[part], 1);
        }
    }
}

static enum stoa_status meet(void *context, size_t i, struct stoa_error *err)
{
    struct work *work = context;

    (void)i;
    atomic_fetch_add(&work->ntogether, 1);
    for (unsigned k = 0; k < 500000 && atomic_load(&work->ntogether) < work->nparts; k++)
        take_a_moment();
    if (atomic_load(&work->ntogether) < work->nparts)
        return stoa_fail(err, STOA_ERR_DATA, "nobody came");
    return STOA_OK;
}

static enum stoa_status share_a_meeting(void *context, void **at, struct stoa_error *err)
{
    struct work *work = context;

    return *at == &work->items[NITEMS - 1]
               ? stoa_crew_run(work->crew, work->nparts, meet, work, err)
               : STOA_OK;
}

/* Every part waits for all others, so each needs a thread of its own; there are just as many. */
static void idle_threads_come(void **state)
{
    (void)state;

    for (unsigned njobs = 2; njobs <= 4; njobs++) {
        struct work work = {.nparts = njobs};
        struct stoa_error err;

        assert_int_equal(run(&work, njobs, share_a_meeting, &err), STOA_OK);
    }
}

static void without_a_crew_parts_are_done_in_order(void **state)
{
    (void)state;
    static struct stoa_pipeline_crew nobody; /* of no pipeline that is running */
    struct stoa_crew *crews[] = {NULL, &nobody.crew};

    for (size_t k = 0; k < 2; k++) {
        struct work work = {.fails = 3};
        struct stoa_error err;

        current = &work;
        assert_int_equal(stoa_crew_run(crews[k], 5, do_part, &work.items[0], &err), STOA_ERR_DATA);
        assert_string_equal(err.message, "part 3");
        for (size_t part = 0; part < 5; part++)
            assert_int_equal(work.items[0].done[part], part < 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_part_is_done_once),
        cmocka_unit_test(the_first_part_that_fails_decides),
        cmocka_unit_test(idle_threads_come),
        cmocka_unit_test(without_a_crew_parts_are_done_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
