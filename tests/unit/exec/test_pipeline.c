/*
 * The pipeline against a reference without threads: the same items written in the same order and
 * the same error, for any mix of stages, any number of jobs, any timing.
 *
 * The stages under test are those of a conversion, each with accidents that depend on the item
 * alone: the source makes units, a parallel stage scales them, a joiner puts small units together,
 * a parallel stage takes some away, a writer notes what arrives.
 */
#include "exec/pipeline.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "exec/progress.h"
#include "support/fault_alloc.h"
#include "support/random.h"

struct unit {
    uint64_t number; /* of the last unit in it */
    uint64_t weight;
};

#define MAX_UNITS 300
#define NO_UNIT   UINT64_MAX

/* What a scenario does; the same for every number of jobs. */
struct plan {
    uint64_t nunits;
    uint64_t weights[MAX_UNITS];
    uint64_t join_weight;
    uint64_t fail[5]; /* the unit at which stage i fails, NO_UNIT for never */
    unsigned lose_in; /* one in so many units is taken away by the second parallel stage */
    unsigned max_sleep_us;
    size_t max_in_flight;
    size_t room; /* units that may be alive when another is asked for; 0: any number */
};

struct job {
    const struct plan *plan;
    uint64_t nmade;
    struct unit *held;
    uint64_t written[MAX_UNITS], nwritten;
    atomic_long nalive, max_alive, ndropped, nprefetched, ninside[5];
    atomic_bool overlapped;
    sig_atomic_t cancel;
    uint64_t cancel_at;
};

/* A hash of two numbers: accidents must depend on the item, never on the order of the calls. */
static uint64_t mix(uint64_t a, uint64_t b)
{
    struct stoa_test_random random;

    stoa_test_random_seed(&random, a * 0x10001 + b);
    return stoa_test_random_u64(&random);
}

static void take_some_time(const struct plan *plan, uint64_t number, uint64_t stage)
{
    struct timespec time = {0, 0};

    if (plan->max_sleep_us == 0 || mix(number, stage) % 3 != 0)
        return;
    time.tv_nsec = (long)(mix(number, stage + 100) % plan->max_sleep_us) * 1000;
    nanosleep(&time, NULL);
}

static void enter(struct job *job, size_t stage)
{
    if (atomic_fetch_add(&job->ninside[stage], 1) > 0 && stage % 2 == 0)
        atomic_store(&job->overlapped, true); /* the ordered stages have even numbers */
}

static enum stoa_status leave(struct job *job, size_t stage, const struct unit *unit,
                              struct stoa_error *err)
{
    atomic_fetch_sub(&job->ninside[stage], 1);
    if (unit == NULL || job->plan->fail[stage] != unit->number)
        return STOA_OK;
    return stoa_fail(err, STOA_ERR_DATA, "stage %zu: unit %d", stage, (int)unit->number);
}

static void discard(struct job *job, void *item)
{
    atomic_fetch_sub(&job->nalive, 1);
    free(item);
}

static enum stoa_status make(void *context, void **item, struct stoa_error *err)
{
    struct job *job = context;
    struct unit *unit;
    long alive;

    enter(job, 0);
    assert_null(*item);
    if (job->nmade == job->plan->nunits)
        return leave(job, 0, NULL, err);
    unit = malloc(sizeof(*unit));
    *unit = (struct unit){job->nmade, job->plan->weights[job->nmade]};
    job->nmade++;
    alive = atomic_fetch_add(&job->nalive, 1) + 1;
    if (alive > atomic_load(&job->max_alive))
        atomic_store(&job->max_alive, alive);
    take_some_time(job->plan, unit->number, 0);
    *item = unit;
    return leave(job, 0, unit, err);
}

static enum stoa_status scale(void *context, void **item, struct stoa_error *err)
{
    struct job *job = context;
    struct unit *unit = *item;

    enter(job, 1);
    take_some_time(job->plan, unit->number, 1);
    unit->weight *= 2;
    return leave(job, 1, unit, err);
}

/* Joins units while they fit; gives out the one before when the next does not. */
static enum stoa_status join(void *context, void **item, struct stoa_error *err)
{
    struct job *job = context;
    struct unit *unit = *item, *before = job->held;
    enum stoa_status st;

    enter(job, 2);
    if (unit != NULL)
        take_some_time(job->plan, unit->number, 2);
    st = leave(job, 2, unit, err);
    if (st != STOA_OK)
        return st;
    if (unit != NULL && before != NULL && before->weight + unit->weight <= job->plan->join_weight) {
        before->weight += unit->weight;
        before->number = unit->number;
        discard(job, unit);
        *item = NULL;
    } else {
        job->held = unit;
        *item = before;
    }
    return STOA_OK;
}

static enum stoa_status sift(void *context, void **item, struct stoa_error *err)
{
    struct job *job = context;
    struct unit *unit = *item;
    enum stoa_status st;

    enter(job, 3);
    take_some_time(job->plan, unit->number, 3);
    st = leave(job, 3, unit, err);
    if (st == STOA_OK && job->plan->lose_in > 0 &&
        mix(unit->number, 50) % job->plan->lose_in == 0) {
        discard(job, unit);
        *item = NULL;
    }
    return st;
}

static enum stoa_status put(void *context, void **item, struct stoa_error *err)
{
    struct job *job = context;
    struct unit *unit = *item;
    enum stoa_status st;

    enter(job, 4);
    if (unit == NULL)
        return leave(job, 4, NULL, err);
    take_some_time(job->plan, unit->number, 4);
    st = leave(job, 4, unit, err);
    if (st != STOA_OK)
        return st;
    job->written[job->nwritten++] = unit->number << 32 | unit->weight;
    if (unit->number == job->cancel_at)
        __atomic_store_n(&job->cancel, 1, __ATOMIC_RELAXED);
    discard(job, unit);
    *item = NULL;
    return STOA_OK;
}

static void drop(void *context, void *item)
{
    struct job *job = context;

    atomic_fetch_add(&job->ndropped, 1);
    discard(job, item);
}

static bool prefetch(void *context)
{
    struct job *job = context;

    return atomic_fetch_add(&job->nprefetched, 1) % 4 == 0;
}

static bool has_room(void *context)
{
    struct job *job = context;

    if (atomic_load(&job->ninside[0]) > 0) /* it may look at what the first stage writes */
        atomic_store(&job->overlapped, true);
    return job->plan->room == 0 || (size_t)atomic_load(&job->nalive) < job->plan->room;
}

static const struct stoa_stage conversion[] = {
    {STOA_STAGE_ORDERED, make},  {STOA_STAGE_PARALLEL, scale}, {STOA_STAGE_ORDERED, join},
    {STOA_STAGE_PARALLEL, sift}, {STOA_STAGE_ORDERED, put},
};

static void job_init(struct job *job, const struct plan *plan)
{
    memset(job, 0, sizeof(*job));
    job->plan = plan;
    job->cancel_at = NO_UNIT;
}

static enum stoa_status job_run(struct job *job, unsigned jobs, struct stoa_error *err)
{
    const struct stoa_pipeline pipeline = {.stages = conversion,
                                           .nstages = 5,
                                           .context = job,
                                           .jobs = jobs,
                                           .max_in_flight = job->plan->max_in_flight,
                                           .has_room = has_room,
                                           .drop = drop,
                                           .prefetch = prefetch,
                                           .cancel = &job->cancel};
    enum stoa_status st = stoa_pipeline_run(&pipeline, err);

    if (job->held != NULL)
        discard(job, job->held);
    job->held = NULL;
    return st;
}

/* The same by hand: every item through all stages before the next is made. */
static enum stoa_status reference_run(struct job *job, struct stoa_error *err)
{
    void *item;
    enum stoa_status st = STOA_OK;
    bool ended = false, drained = false;

    while (!drained) {
        item = NULL;
        if (!ended) {
            STOA_TRY(make(job, &item, err));
            ended = item == NULL;
        }
        if (item != NULL)
            STOA_TRY(scale(job, &item, err));
        STOA_TRY(join(job, &item, err));
        drained = ended && item == NULL;
        if (item != NULL)
            STOA_TRY(sift(job, &item, err));
        if (item != NULL || drained)
            STOA_TRY(put(job, &item, err));
    }
    item = NULL;
out:
    if (item != NULL)
        discard(job, item);
    if (job->held != NULL)
        discard(job, job->held);
    job->held = NULL;
    return st;
}

static void check_plan(const struct plan *plan, unsigned jobs)
{
    static struct job expected, got;
    struct stoa_error expected_err = {0}, err = {0};
    enum stoa_status expected_st, st;

    job_init(&expected, plan);
    expected_st = reference_run(&expected, &expected_err);
    job_init(&got, plan);
    st = job_run(&got, jobs, &err);
    assert_string_equal(err.message, expected_err.message);
    assert_int_equal(st, expected_st);
    assert_int_equal(err.status, expected_st);
    assert_int_equal(got.nwritten, expected.nwritten);
    assert_memory_equal(got.written, expected.written, got.nwritten * sizeof(got.written[0]));
    assert_int_equal(got.nalive, 0);
    assert_false(got.overlapped);
    /* One more in the joiner, which holds it outside of the credits. */
    assert_true((size_t)got.max_alive <= plan->max_in_flight + 1);
    if (plan->room > 0) /* while nothing else is in flight there is room for one */
        assert_true((size_t)got.max_alive <= (plan->room > 2 ? plan->room : 2));
    if (jobs == 1)
        assert_int_equal(got.nprefetched, 0);
}

static void plan_generate(struct plan *plan, struct stoa_test_random *random)
{
    memset(plan, 0, sizeof(*plan));
    plan->nunits = stoa_test_random_below(random, stoa_test_random_one_in(random, 3) ? 4 : 80);
    for (uint64_t i = 0; i < plan->nunits; i++)
        plan->weights[i] = 1 + stoa_test_random_below(random, 100);
    plan->join_weight = stoa_test_random_below(random, 600);
    for (size_t i = 0; i < 5; i++)
        plan->fail[i] = stoa_test_random_one_in(random, 4)
                            ? stoa_test_random_below(random, plan->nunits + 1)
                            : NO_UNIT;
    plan->lose_in = (unsigned)stoa_test_random_below(random, 5);
    plan->max_sleep_us = stoa_test_random_one_in(random, 3) ? 300 : 0;
    plan->max_in_flight = 1 + (size_t)stoa_test_random_below(random, 20);
    if (stoa_test_random_one_in(random, 3))
        plan->room = 1 + (size_t)stoa_test_random_below(random, 5);
}

static void any_number_of_jobs_gives_the_same(void **state)
{
    (void)state;
    struct stoa_test_random random;
    size_t ncases = stoa_test_ncases(1000);
    struct plan plan;

    stoa_test_random_init(&random, "any_number_of_jobs_gives_the_same");
    for (size_t i = 0; i < ncases; i++) {
        plan_generate(&plan, &random);
        check_plan(&plan, 1 + (unsigned)stoa_test_random_below(&random, 16));
    }
}

/* Units that are never joined, and no accidents. */
static void plan_init(struct plan *plan, uint64_t nunits)
{
    *plan = (struct plan){.nunits = nunits, .max_in_flight = 8, .max_sleep_us = 200};
    memset(plan->fail, 0xff, sizeof(plan->fail));
    for (uint64_t i = 0; i < nunits; i++)
        plan->weights[i] = 1;
}

static void the_first_error_in_order_wins(void **state)
{
    (void)state;
    struct plan plan;
    struct job job;

    plan_init(&plan, 60);
    /* Unit 40 fails early in the pipeline and at once, unit 39 late and slowly. */
    plan.fail[1] = 40;
    plan.fail[4] = 39;
    for (unsigned jobs = 1; jobs <= 8; jobs++) {
        struct stoa_error err = {0};

        /* The joiner still holds unit 39 when unit 40 fails, so that is the first error. */
        job_init(&job, &plan);
        assert_int_equal(job_run(&job, jobs, &err), STOA_ERR_DATA);
        assert_string_equal(err.message, "stage 1: unit 40");
        assert_int_equal(job.nwritten, 39);
        plan.fail[4] = 38;
        job_init(&job, &plan);
        assert_int_equal(job_run(&job, jobs, &err), STOA_ERR_DATA);
        assert_string_equal(err.message, "stage 4: unit 38");
        assert_int_equal(job.nwritten, 38);
        assert_int_equal(job.nalive, 0);
        plan.fail[4] = 39;
    }
}

static void cancelling_stops_and_drops_everything(void **state)
{
    (void)state;
    struct plan plan;
    struct job job;

    plan_init(&plan, MAX_UNITS);
    for (unsigned jobs = 1; jobs <= 8; jobs *= 2) {
        struct stoa_error err = {0};

        job_init(&job, &plan);
        job.cancel_at = 20;
        assert_int_equal(job_run(&job, jobs, &err), STOA_ERR_CANCELLED);
        assert_string_equal(err.message, "stopped on request");
        assert_in_range(job.nwritten, 21, 21 + 8);
        assert_int_equal(job.nalive, 0);
        job_init(&job, &plan);
        job.cancel = 1; /* before it starts */
        assert_int_equal(job_run(&job, jobs, &err), STOA_ERR_CANCELLED);
        assert_int_equal(job.nmade, 0);
    }
}

/* Every mix of two to five stages that pass items on, by the bits of `mix`. */
static enum stoa_status pass_on(void *context, void **item, struct stoa_error *err)
{
    struct job *job = context;

    (void)err;
    if (*item != NULL)
        take_some_time(job->plan, ((struct unit *)*item)->number, 7);
    return STOA_OK;
}

static void every_mix_of_stages_comes_to_its_end(void **state)
{
    (void)state;
    struct plan plan;
    struct stoa_stage stages[5] = {{STOA_STAGE_ORDERED, make}};
    struct job job;

    plan_init(&plan, 40);
    for (size_t nstages = 1; nstages <= 5; nstages++) {
        for (unsigned bits = 0; bits < 1U << (nstages - 1); bits++) {
            for (unsigned jobs = 1; jobs <= 4; jobs++) {
                struct stoa_pipeline pipeline = {.stages = stages,
                                                 .nstages = nstages,
                                                 .context = &job,
                                                 .jobs = jobs,
                                                 .drop = drop};

                for (size_t i = 1; i < nstages; i++)
                    stages[i] = (struct stoa_stage){
                        bits >> (i - 1) & 1 ? STOA_STAGE_PARALLEL : STOA_STAGE_ORDERED, pass_on};
                job_init(&job, &plan);
                assert_int_equal(stoa_pipeline_run(&pipeline, NULL), STOA_OK);
                assert_int_equal(job.ndropped, 40);
                assert_int_equal(job.nalive, 0);
            }
        }
    }
}

/* ---- One item that becomes many. ---- */

struct burst {
    int ninputs, nleft;
    int sum;
};

static int one; /* items are pointers to it */

static enum stoa_status burst_source(void *context, void **item, struct stoa_error *err)
{
    struct burst *burst = context;

    (void)err;
    *item = burst->ninputs-- > 0 ? &one : NULL;
    return STOA_OK;
}

static enum stoa_status burst_tenfold(void *context, void **item, struct stoa_error *err)
{
    struct burst *burst = context;

    (void)err;
    burst->nleft += *item != NULL ? 10 : 0;
    *item = burst->nleft > 0 ? &one : NULL;
    burst->nleft -= burst->nleft > 0;
    return STOA_OK;
}

static enum stoa_status burst_count(void *context, void **item, struct stoa_error *err)
{
    struct burst *burst = context;

    (void)err;
    burst->sum += *item != NULL;
    *item = NULL;
    return STOA_OK;
}

static void burst_drop(void *context, void *item)
{
    (void)context;
    (void)item;
    abort();
}

static void a_stage_may_hold_more_than_it_was_given(void **state)
{
    (void)state;
    const struct stoa_stage stages[] = {{STOA_STAGE_ORDERED, burst_source},
                                        {STOA_STAGE_ORDERED, burst_tenfold},
                                        {STOA_STAGE_ORDERED, burst_count}};

    for (unsigned jobs = 1; jobs <= 4; jobs++) {
        struct burst burst = {.ninputs = 20};
        struct stoa_pipeline pipeline = {.stages = stages,
                                         .nstages = 3,
                                         .context = &burst,
                                         .jobs = jobs,
                                         .max_in_flight = 2,
                                         .drop = burst_drop};

        assert_int_equal(stoa_pipeline_run(&pipeline, NULL), STOA_OK);
        assert_int_equal(burst.sum, 200);
    }
}

/* ---- Threads. ---- */

static enum stoa_status same_thread(void *context, void **item, struct stoa_error *err)
{
    (void)item;
    if (!pthread_equal(*(const pthread_t *)context, pthread_self()))
        return stoa_fail(err, STOA_ERR_USAGE, "another thread");
    return STOA_OK;
}

static void one_job_stays_in_the_thread_of_the_caller(void **state)
{
    (void)state;
    const struct stoa_stage stage = {STOA_STAGE_ORDERED, same_thread};
    pthread_t self = pthread_self();
    struct stoa_pipeline pipeline = {
        .stages = &stage, .nstages = 1, .context = &self, .drop = burst_drop};

    assert_int_equal(stoa_pipeline_run(&pipeline, NULL), STOA_OK);
}

/* The system gives no more threads, to nobody but root at least. */
static int run_without_threads(void)
{
    static struct job got;
    struct rlimit none = {0, 0};
    struct stoa_error err = {0};
    struct plan plan;

    plan_init(&plan, 20);
    job_init(&got, &plan);
    if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0)
        return 1;
    if (setrlimit(RLIMIT_NPROC, &none) != 0)
        return 2;
    if (job_run(&got, 8, &err) != STOA_OK || got.nwritten != 20)
        return 3;
    return got.nprefetched > 0 ? 4 : 0; /* only a second thread has time for that */
}

static void without_threads_the_caller_does_it_all(void **state)
{
    (void)state;
    int status;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0)
        _exit(run_without_threads());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void note_report(void *context, const struct stoa_progress *progress)
{
    (void)progress;
    (*(int *)context)++;
}

static void progress_reports_now_and_then(void **state)
{
    (void)state;
    const struct timespec nap = {0, 5 * 1000 * 1000};
    struct stoa_progress progress;
    int nreports = 0;

    stoa_progress_init(&progress, note_report, &nreports);
    stoa_progress_add(&progress, STOA_PROGRESS_ROWS, 7);
    for (int i = 0; i < 1000; i++)
        stoa_progress_tick(&progress);
    assert_in_range(nreports, 0, 1); /* 1 on a machine that stood still */
    for (int i = 0; i < 50; i++) {
        nanosleep(&nap, NULL);
        stoa_progress_tick(&progress);
    }
    assert_true(nreports >= 1);
    assert_int_equal(stoa_progress_get(&progress, STOA_PROGRESS_ROWS), 7);
    stoa_progress_init(&progress, NULL, NULL);
    stoa_progress_tick(&progress);
}

static enum stoa_status runs_a_conversion(void *context, struct stoa_error *err)
{
    static struct job job;

    job_init(&job, context);
    return job_run(&job, 3, err);
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    struct plan plan;

    plan_init(&plan, 10);
    stoa_test_each_failing_alloc(runs_a_conversion, &plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_jobs_gives_the_same),
        cmocka_unit_test(the_first_error_in_order_wins),
        cmocka_unit_test(cancelling_stops_and_drops_everything),
        cmocka_unit_test(every_mix_of_stages_comes_to_its_end),
        cmocka_unit_test(a_stage_may_hold_more_than_it_was_given),
        cmocka_unit_test(one_job_stays_in_the_thread_of_the_caller),
        cmocka_unit_test(without_threads_the_caller_does_it_all),
        cmocka_unit_test(progress_reports_now_and_then),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
