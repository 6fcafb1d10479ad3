/*
 * Random access: given rows of a scan's columns.
 *
 *     rows of the file   3  7  | 131072  131080 | 400000      rising
 *     groups             [0]     [1]              [3]         rows of each, counted from its start
 *     columns            each by itself, through all groups; any thread takes the next one
 */
#include <inttypes.h>

#include "base/alloc.h"
#include "base/error.h"
#include "exec/pipeline.h"
#include "scan/scan_state.h"

enum {
    FEW_NROWS = 8,   /* take less time than a thread to start; no pipeline either */
    KEPT_NROWS = 64, /* more of them at a time push each other out of what the reader keeps */
};

/* The rows of one row group that are taken: a selection without spans. */
struct group {
    struct stoa_scan_unit unit;
    struct stoa_scan_selection selection;
};

struct take {
    struct stoa_scan *scan;
    uint32_t *rows; /* of all groups, which borrow parts of it */
    struct group *groups;
    size_t ngroups;
    size_t capacity;
    size_t nrows;
    struct stoa_array *columns;
    uint32_t next;
};

/* ---- Rows by row group. ---- */

/* A new group, of the row group that holds `row`. */
static enum stoa_status add_group(struct take *take, uint64_t row, uint32_t *rows,
                                  struct stoa_error *err)
{
    struct group group = {.selection = {.rows = rows, .keep = take->nrows <= KEPT_NROWS}};
    enum stoa_status st;

    STOA_TRY(stoa_reader_locate(take->scan->reader, row, &group.unit.row_group, err));
    STOA_TRY(
        stoa_reader_row_group(take->scan->reader, group.unit.row_group, &group.unit.rows, err));
    STOA_TRY(stoa_reserve(&take->groups, &take->capacity, take->ngroups + 1, sizeof(group), err));
    take->groups[take->ngroups++] = group;
out:
    return st;
}

static enum stoa_status split_rows(struct take *take, const uint64_t *rows, size_t nrows,
                                   struct stoa_error *err)
{
    uint64_t end = 0; /* of the last group */
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&take->rows, nrows, sizeof(*take->rows), err));
    for (size_t i = 0; i < nrows; i++) {
        struct group *group;

        if (i > 0 && rows[i] <= rows[i - 1])
            return stoa_fail(err, STOA_ERR_USAGE, "row %" PRIu64 " behind row %" PRIu64, rows[i],
                             rows[i - 1]);
        if (rows[i] >= end)
            STOA_TRY(add_group(take, rows[i], take->rows + i, err));
        group = &take->groups[take->ngroups - 1];
        end = group->unit.rows.first_row + group->unit.rows.nrows;
        group->selection.rows[group->selection.nrows++] =
            (uint32_t)(rows[i] - group->unit.rows.first_row);
    }
out:
    return st;
}

/* ---- Columns. ---- */

static enum stoa_status take_column(struct take *take, uint32_t column, struct stoa_error *err)
{
    struct stoa_scan_parts parts = {0};
    enum stoa_status st = STOA_OK;

    for (size_t i = 0; i < take->ngroups; i++)
        STOA_TRY(stoa_scan_read_parts(take->scan, &take->groups[i].unit, column,
                                      &take->groups[i].selection, NULL, NULL, NULL, &parts, err));
    STOA_TRY(stoa_scan_join_parts(take->scan, column, &parts, &take->columns[column], err));
out:
    stoa_scan_parts_reset(&parts);
    return st;
}

static enum stoa_status stage_next(void *context, void **item, struct stoa_error *err)
{
    struct take *take = context;

    (void)err;
    if (take->next < take->scan->ncolumns)
        *item = &take->columns[take->next++];
    return STOA_OK;
}

static enum stoa_status stage_take(void *context, void **item, struct stoa_error *err)
{
    struct take *take = context;
    const struct stoa_array *column = *item;

    *item = NULL;
    return take_column(take, (uint32_t)(column - take->columns), err);
}

/* The arrays belong to the batch. */
static void drop(void *context, void *dropped)
{
    (void)context;
    (void)dropped;
}

static enum stoa_status take_columns(struct take *take, struct stoa_error *err)
{
    static const struct stoa_stage stages[] = {
        {STOA_STAGE_ORDERED, stage_next},
        {STOA_STAGE_PARALLEL, stage_take},
    };
    const struct stoa_scan *scan = take->scan;
    enum stoa_status st = STOA_OK;

    if (take->nrows < FEW_NROWS && take->ngroups == 1)
        return stoa_scan_read_columns(take->scan, &take->groups[0].unit, &take->groups[0].selection,
                                      take->columns, err);
    if (take->nrows < FEW_NROWS) {
        for (uint32_t i = 0; st == STOA_OK && i < scan->ncolumns; i++)
            st = take_column(take, i, err);
        return st;
    }
    return stoa_pipeline_run(
        &(struct stoa_pipeline){
            .stages = stages,
            .nstages = sizeof(stages) / sizeof(stages[0]),
            .context = take,
            .jobs = scan->ncolumns < scan->jobs ? scan->ncolumns : scan->jobs,
            .drop = drop,
        },
        err);
}

enum stoa_status stoa_scan_take(struct stoa_scan *scan, const uint64_t *rows, size_t nrows,
                                struct stoa_batch *out, struct stoa_error *err)
{
    struct take take = {.scan = scan, .nrows = nrows};
    struct stoa_batch batch = {0};
    enum stoa_status st;

    STOA_TRY(stoa_batch_init(&batch, &scan->schema, err));
    take.columns = batch.columns;
    if (nrows > 0) {
        STOA_TRY(split_rows(&take, rows, nrows, err));
        STOA_TRY(take_columns(&take, err));
    }
    batch.nrows = nrows;
    *out = batch;
    batch = (struct stoa_batch){0};
out:
    stoa_batch_reset(&batch);
    stoa_free(take.groups);
    stoa_free(take.rows);
    return st;
}
