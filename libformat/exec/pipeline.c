/*
 * The scheduler of the ordered pipeline.
 *
 * The stages fall into sections: an ordered stage and the parallel stages behind it. Behind each
 * ordered stage stands a line of items in order; whoever is free works on the items of the line,
 * and the next ordered stage takes them from its head once they are ready.
 *
 *     section 0                                   section 1
 *     ordered -> [ready running ready waiting] -> ordered -> [running waiting] -> out
 *                 head                   tail
 *
 * The end of the stream, and an item that failed, are entries of the line too: they move from line
 * to line behind everything that came before them, and the one that leaves the last line first
 * decides the outcome. This gives one error for any timing. Nothing behind a failed entry is
 * worked on, nor anything in the sections before it.
 *
 * One mutex guards all of it: items are row groups, not rows. Threads look for work from the end
 * to the beginning, so that items leave before new ones are made. Each item holds one credit of
 * max_in_flight from the call that makes it until it is gone; a call that is made without an input
 * takes one in advance. Calls with an input never wait for a credit, so the lines always drain.
 *
 * A stage may cut its own work into parts (the crew): they stand in a list that threads look at
 * when there is nothing else to do, and take one at a time. So a long call at the beginning, at the
 * end or in front of an ordered stage does not leave the others without work. The thread that made
 * the parts does them too, and waits only for those that others have begun.
 */
#include "exec/pipeline.h"

#include <assert.h>
#include <pthread.h>

#include "base/alloc.h"
#include "base/error.h"
#include "exec/progress.h"

enum entry_state {
    ENTRY_WAITING, /* for its parallel stages */
    ENTRY_RUNNING, /* in them */
    ENTRY_READY,   /* for the next ordered stage; item is NULL when it was taken away */
    ENTRY_FAILED,
    ENTRY_END,
};

struct entry {
    enum entry_state state;
    void *item;
    struct stoa_error err; /* ENTRY_FAILED */
};

/* An ordered stage, the parallel ones behind it, and the line of their items: a ring. */
struct section {
    const struct stoa_stage *ordered;
    const struct stoa_stage *parallel;
    size_t nparallel;
    bool busy;  /* the ordered stage is running */
    bool ended; /* it will not be called again */
    struct entry *entries;
    uint64_t head, tail; /* entry i is entries[i % capacity] */
    uint64_t next;       /* no entry before it is ENTRY_WAITING */
    uint64_t failed;     /* the first failed entry, UINT64_MAX when there is none */
};

/* Work in parts that a stage shares; on the stack of the thread that runs it. */
struct share {
    struct share *next;
    stoa_crew_part *part;
    void *context;
    size_t nparts;
    size_t nbegun;
    size_t ngoing; /* parts that other threads work on */
    size_t failed; /* the first part that failed, SIZE_MAX when there is none */
    struct stoa_error err;
};

struct run {
    const struct stoa_pipeline *pipeline;
    struct section *sections;
    size_t nsections;
    size_t capacity; /* of each line */
    size_t max_in_flight;
    size_t nin_flight;
    size_t nasleep;
    uint64_t nchanges; /* counts what may have made work; the sleepers know of nannounced */
    uint64_t nannounced;
    struct share *shares; /* the oldest first */
    size_t nhelping;      /* threads that do parts of others */
    bool over;
    enum stoa_status status;
    struct stoa_error err;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_cond_t helped; /* a part that another thread worked on is done */
};

/* What a thread found to do. */
enum task_kind { TASK_NONE, TASK_ORDERED, TASK_PARALLEL };

struct task {
    enum task_kind kind;
    struct section *section;
    uint64_t entry; /* TASK_PARALLEL: its number */
    void *item;     /* the input, or NULL */
};

static struct entry *entry_at(const struct run *run, const struct section *section, uint64_t i)
{
    return &section->entries[i % run->capacity];
}

/* ---- Changes of the lines. The lock is held. ---- */

static void push(struct run *run, struct section *section, enum entry_state state, void *item,
                 const struct stoa_error *err)
{
    struct entry *entry = entry_at(run, section, section->tail);

    assert(section->tail - section->head < run->capacity);
    entry->state = state;
    entry->item = item;
    if (state == ENTRY_FAILED) {
        entry->err = *err;
        if (section->failed == UINT64_MAX)
            section->failed = section->tail;
    }
    if (state == ENTRY_FAILED || state == ENTRY_END)
        section->ended = true;
    section->tail++;
    run->nchanges++;
}

static void finish(struct run *run, enum stoa_status status, const struct stoa_error *err)
{
    if (run->over)
        return;
    run->over = true;
    run->nchanges++;
    run->status = status;
    if (err != NULL)
        run->err = *err;
}

/* Gives a credit back and drops what is left of its item; the lock is open during the call. */
static void release(struct run *run, void *item)
{
    run->nin_flight--;
    run->nchanges++;
    if (item == NULL)
        return;
    pthread_mutex_unlock(&run->lock);
    run->pipeline->drop(run->pipeline->context, item);
    pthread_mutex_lock(&run->lock);
}

/* ---- Looking for work. ---- */

static void call_ordered(struct task *task, struct section *section, void *item)
{
    section->busy = true;
    *task = (struct task){.kind = TASK_ORDERED, .section = section, .item = item};
}

/* Calls it without an input, which needs a credit of its own. */
static bool ask_ordered(struct run *run, struct task *task, struct section *section)
{
    if (section->busy || section->ended || run->nin_flight >= run->max_in_flight)
        return false;
    run->nin_flight++;
    call_ordered(task, section, NULL);
    return true;
}

/*
 * Looks at the head of a line: hands it to the ordered stage of the next section (true), or moves
 * on what no stage has to see, markers and items that were taken away. `to` is NULL at the end.
 */
static bool take_head(struct run *run, struct section *section, struct section *to,
                      struct task *task)
{
    while (!run->over && section->head < section->tail) {
        struct entry *head = entry_at(run, section, section->head);
        void *item = head->item;

        if (head->state < ENTRY_READY || (to != NULL && (to->busy || to->ended)))
            return false;
        if (head->state == ENTRY_END && to != NULL)
            return ask_ordered(run, task, to); /* stays at the head until `to` holds nothing */
        head->item = NULL;
        section->head++;
        if (head->state == ENTRY_END) {
            finish(run, STOA_OK, NULL);
        } else if (head->state == ENTRY_FAILED && to == NULL) {
            finish(run, head->err.status, &head->err);
        } else if (head->state == ENTRY_FAILED) {
            push(run, to, ENTRY_FAILED, NULL, &head->err);
        } else if (item == NULL || to == NULL) {
            release(run, item);
        } else {
            call_ordered(task, to, item);
            return true;
        }
    }
    return false;
}

/* Takes the first entry that waits for its parallel stages and comes before any failed one. */
static bool take_waiting(struct run *run, struct section *section, struct task *task)
{
    uint64_t end = section->failed < section->tail ? section->failed : section->tail;

    if (section->next < section->head)
        section->next = section->head;
    for (; section->next < end; section->next++) {
        struct entry *entry = entry_at(run, section, section->next);

        if (entry->state != ENTRY_WAITING)
            continue;
        *task = (struct task){.kind = TASK_PARALLEL, .section = section, .item = entry->item};
        task->entry = section->next++;
        entry->state = ENTRY_RUNNING;
        entry->item = NULL;
        return true;
    }
    return false;
}

/* Whether there is room for one more item; not asked while the first stage runs. */
static bool may_begin(const struct run *run)
{
    const struct stoa_pipeline *pipeline = run->pipeline;

    return !run->sections[0].busy && (run->nin_flight == 0 || pipeline->has_room == NULL ||
                                      pipeline->has_room(pipeline->context));
}

/* The most advanced piece of work that can be done now. */
static struct task find_task(struct run *run)
{
    struct task task = {.kind = TASK_NONE};

    for (size_t i = run->nsections; i-- > 0;) {
        struct section *section = &run->sections[i];
        struct section *to = i + 1 < run->nsections ? section + 1 : NULL;

        if (take_head(run, section, to, &task) || run->over || take_waiting(run, section, &task) ||
            section->ended)
            return task; /* what stands before an end is nothing or does not matter any more */
    }
    if (may_begin(run))
        ask_ordered(run, &task, &run->sections[0]);
    return task;
}

/* ---- Working: the lock is open while a stage runs. ---- */

static void open_lock(struct run *run)
{
    pthread_mutex_unlock(&run->lock);
}

static void close_lock(struct run *run)
{
    if (run->pipeline->progress != NULL)
        stoa_progress_tick(run->pipeline->progress);
    pthread_mutex_lock(&run->lock);
}

static void run_ordered(struct run *run, const struct task *task)
{
    struct section *section = task->section;
    struct stoa_error err = {.offset = STOA_NO_OFFSET};
    void *item = task->item;
    enum stoa_status st;

    open_lock(run);
    st = section->ordered->run(run->pipeline->context, &item, &err);
    close_lock(run);
    section->busy = false;
    if (st != STOA_OK) {
        err.status = st;
        push(run, section, ENTRY_FAILED, NULL, &err);
        release(run, item);
    } else if (item != NULL) {
        push(run, section, section->nparallel > 0 ? ENTRY_WAITING : ENTRY_READY, item, NULL);
    } else {
        if (task->item == NULL) /* no input any more, and nothing held */
            push(run, section, ENTRY_END, NULL, NULL);
        release(run, NULL);
    }
}

static void run_parallel(struct run *run, const struct task *task)
{
    struct section *section = task->section;
    struct entry *entry = entry_at(run, section, task->entry); /* can't leave while it runs */
    struct stoa_error err = {.offset = STOA_NO_OFFSET};
    void *item = task->item;
    enum stoa_status st = STOA_OK;

    open_lock(run);
    for (size_t i = 0; i < section->nparallel && item != NULL && st == STOA_OK; i++)
        st = section->parallel[i].run(run->pipeline->context, &item, &err);
    close_lock(run);
    run->nchanges++;
    if (st == STOA_OK) {
        entry->state = ENTRY_READY;
        entry->item = item;
        return;
    }
    err.status = st;
    entry->state = ENTRY_FAILED;
    entry->err = err;
    if (task->entry < section->failed)
        section->failed = task->entry;
    section->ended = true;
    release(run, item);
}

/* ---- Sharing the work of a stage. The lock is held, and open while a part is done. ---- */

static bool has_parts(const struct share *share)
{
    return share->nbegun < share->nparts && share->failed == SIZE_MAX;
}

static void do_part(struct run *run, struct share *share)
{
    struct stoa_error err = {.offset = STOA_NO_OFFSET};
    const size_t i = share->nbegun++;
    enum stoa_status st;

    pthread_mutex_unlock(&run->lock);
    st = share->part(share->context, i, &err);
    pthread_mutex_lock(&run->lock);
    if (st != STOA_OK && i < share->failed) {
        err.status = st;
        share->failed = i;
        share->err = err;
    }
}

/* Does a part of what another thread shares, the oldest of it, if there is one. */
static bool help(struct run *run)
{
    const struct stoa_pipeline *pipeline = run->pipeline;
    struct share *share = run->shares;

    while (share != NULL && !has_parts(share))
        share = share->next;
    if (share == NULL ||
        (pipeline->may_help != NULL && !pipeline->may_help(pipeline->context, run->nhelping)))
        return false;
    share->ngoing++;
    run->nhelping++;
    do_part(run, share);
    run->nhelping--;
    share->ngoing--;
    if (share->ngoing == 0 && !has_parts(share))
        pthread_cond_broadcast(&run->helped);
    return true;
}

static enum stoa_status crew_run(struct stoa_crew *base, size_t nparts, stoa_crew_part *part,
                                 void *context, struct stoa_error *err)
{
    struct run *run = ((struct stoa_pipeline_crew *)base)->run;
    struct share share = {.part = part, .context = context, .nparts = nparts, .failed = SIZE_MAX};
    struct share **at;

    pthread_mutex_lock(&run->lock);
    for (at = &run->shares; *at != NULL; at = &(*at)->next)
        ;
    *at = &share;
    if (run->nasleep > 0)
        pthread_cond_broadcast(&run->changed);
    while (has_parts(&share))
        do_part(run, &share);
    while (share.ngoing > 0)
        pthread_cond_wait(&run->helped, &run->lock);
    for (at = &run->shares; *at != &share; at = &(*at)->next)
        ;
    *at = share.next;
    pthread_mutex_unlock(&run->lock);
    if (share.failed == SIZE_MAX)
        return STOA_OK;
    if (err != NULL)
        *err = share.err;
    return share.err.status;
}

/*
 * There is nothing to do: helps, works ahead, or sleeps until something changes. `nchanges` is from
 * before the search for work: the search itself may have made some, by moving a marker on.
 */
static void rest(struct run *run, uint64_t nchanges)
{
    const struct stoa_pipeline *pipeline = run->pipeline;
    bool worked = false;

    if (nchanges != run->nchanges || help(run))
        return;
    if (pipeline->prefetch != NULL && !run->sections[0].ended) {
        open_lock(run);
        worked = pipeline->prefetch(pipeline->context);
        close_lock(run);
    }
    if (worked || nchanges != run->nchanges || help(run))
        return;
    run->nasleep++;
    pthread_cond_wait(&run->changed, &run->lock);
    run->nasleep--;
}

/* Wakes the sleepers when there may be work for them. */
static void announce(struct run *run)
{
    if (run->nannounced != run->nchanges && run->nasleep > 0)
        pthread_cond_broadcast(&run->changed);
    run->nannounced = run->nchanges;
}

static void check_cancel(struct run *run)
{
    const volatile sig_atomic_t *cancel = run->pipeline->cancel;

    if (cancel != NULL && __atomic_load_n(cancel, __ATOMIC_RELAXED) != 0) {
        struct stoa_error err = {0};

        finish(run, stoa_fail(&err, STOA_ERR_CANCELLED, "stopped on request"), &err);
    }
}

static void *work(void *argument)
{
    struct run *run = argument;

    pthread_mutex_lock(&run->lock);
    for (;;) {
        struct task task = {.kind = TASK_NONE};
        uint64_t nchanges = run->nchanges;

        check_cancel(run);
        if (!run->over)
            task = find_task(run);
        announce(run);
        if (task.kind == TASK_ORDERED)
            run_ordered(run, &task);
        else if (task.kind == TASK_PARALLEL)
            run_parallel(run, &task);
        else if (run->over)
            break;
        else
            rest(run, nchanges);
    }
    pthread_mutex_unlock(&run->lock);
    return NULL;
}

/* ---- Setting up. ---- */

/* Starts up to nthreads threads, fewer when the system refuses; returns how many. */
static size_t start_threads(struct run *run, pthread_t *threads, size_t nthreads)
{
    static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
    sigset_t others, before;
    size_t n = 0;

    /* Handlers run where the program expects them: in its own threads. */
    sigfillset(&others);
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        sigdelset(&others, own[i]);
    if (pthread_sigmask(SIG_SETMASK, &others, &before) != 0)
        return 0;
    while (n < nthreads && pthread_create(&threads[n], NULL, work, run) == 0)
        n++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return n;
}

static void section_init(struct section *section, const struct stoa_stage *stages, size_t nstages)
{
    *section = (struct section){.ordered = stages, .parallel = stages + 1, .failed = UINT64_MAX};
    while (1 + section->nparallel < nstages &&
           section->parallel[section->nparallel].mode == STOA_STAGE_PARALLEL)
        section->nparallel++;
}

static enum stoa_status run_init(struct run *run, const struct stoa_pipeline *pipeline,
                                 struct stoa_error *err)
{
    const struct stoa_stage *stages = pipeline->stages;
    struct entry *entries = NULL;
    size_t i = 0;
    enum stoa_status st;

    /* Besides the items a line may hold a failed entry without a credit, and the end. */
    run->capacity = run->max_in_flight + 2;
    STOA_TRY(stoa_alloc_zeroed(&run->sections, pipeline->nstages, sizeof(*run->sections), err));
    while (i < pipeline->nstages) {
        struct section *section = &run->sections[run->nsections++];

        section_init(section, stages + i, pipeline->nstages - i);
        i += 1 + section->nparallel;
    }
    for (i = 0; i < run->nsections; i++) {
        STOA_TRY(stoa_alloc_zeroed(&entries, run->capacity, sizeof(*entries), err));
        run->sections[i].entries = entries;
    }
out:
    return st;
}

/* Drops what is left in the lines. */
static void run_reset(struct run *run)
{
    for (size_t i = 0; i < run->nsections; i++) {
        struct section *section = &run->sections[i];

        for (; section->head < section->tail; section->head++) {
            void *item = entry_at(run, section, section->head)->item;

            if (item != NULL)
                run->pipeline->drop(run->pipeline->context, item);
        }
        stoa_free(section->entries);
    }
    stoa_free(run->sections);
}

enum stoa_status stoa_pipeline_run(const struct stoa_pipeline *pipeline, struct stoa_error *err)
{
    struct run run = {.pipeline = pipeline, .max_in_flight = pipeline->max_in_flight};
    size_t jobs = pipeline->jobs > 0 ? pipeline->jobs : 1;
    pthread_t *threads = NULL;
    size_t nthreads = 0;
    enum stoa_status st;

    assert(pipeline->nstages > 0 && pipeline->stages[0].mode == STOA_STAGE_ORDERED);
    assert(pipeline->drop != NULL);
    stoa_alloc_hold();
    if (run.max_in_flight == 0)
        run.max_in_flight = 2 * jobs;
    STOA_TRY(run_init(&run, pipeline, err));
    STOA_TRY(stoa_alloc_zeroed(&threads, jobs, sizeof(*threads), err));
    pthread_mutex_init(&run.lock, NULL); /* both can't fail on Linux */
    pthread_cond_init(&run.changed, NULL);
    pthread_cond_init(&run.helped, NULL);
    if (pipeline->crew != NULL)
        *pipeline->crew = (struct stoa_pipeline_crew){{crew_run}, &run};
    if (jobs > 1)
        nthreads = start_threads(&run, threads, jobs - 1);
    work(&run);
    for (size_t i = 0; i < nthreads; i++)
        pthread_join(threads[i], NULL);
    if (pipeline->crew != NULL)
        *pipeline->crew = (struct stoa_pipeline_crew){0};
    pthread_cond_destroy(&run.helped);
    pthread_cond_destroy(&run.changed);
    pthread_mutex_destroy(&run.lock);
    st = run.status;
    if (st != STOA_OK && err != NULL)
        *err = run.err;
out:
    stoa_free(threads);
    run_reset(&run);
    stoa_alloc_drop();
    return st;
}
