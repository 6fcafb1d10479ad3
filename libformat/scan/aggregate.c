/*
 * Aggregates of a scan (stoa/aggregate.h).
 *
 *     file          without a filter: what its zone maps answer is never looked at again, nor the
 *                   bounds of the column that it is sorted by, which are its ends
 *     row group     every row selected: what its zone maps answer; the rest is read, all rows
 *     else          the filter selects rows; whole zones by their zone maps, the rest is read
 *
 * Row groups are folded by any thread and merged in order; folds are exact, so the result is the
 * same for any number of threads. A column is read, folded and freed before the next one.
 */
#include <assert.h>

#include "base/alloc.h"
#include "base/error.h"
#include "scan/scan_state.h"
#include "stats/fold.h"

struct stoa_aggregator {
    struct stoa_schema schema;
    struct stoa_fold *folds; /* of the fields */
    uint64_t nrows;
};

void stoa_aggregate_reset(struct stoa_aggregate *aggregate)
{
    stoa_array_reset(&aggregate->bounds);
    *aggregate = (struct stoa_aggregate){0};
}

/* ---- Folds of all columns of a schema. ---- */

static void free_folds(struct stoa_fold *folds, uint32_t nfolds)
{
    for (uint32_t i = 0; folds != NULL && i < nfolds; i++)
        stoa_fold_reset(&folds[i]);
    stoa_free(folds);
}

/* parts[i] is asked for of column i; NULL: `all` of each. */
static enum stoa_status new_folds(const struct stoa_schema *schema, const uint8_t *parts,
                                  unsigned all, struct stoa_fold **out, struct stoa_error *err)
{
    struct stoa_fold *folds = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&folds, schema->nfields, sizeof(*folds), err));
    for (uint32_t i = 0; i < schema->nfields; i++)
        STOA_TRY(stoa_fold_init(&folds[i], &schema->fields[i].type, parts != NULL ? parts[i] : all,
                                err));
    *out = folds;
    folds = NULL;
out:
    free_folds(folds, schema->nfields);
    return st;
}

enum stoa_status stoa_aggregator_new(const struct stoa_schema *schema, unsigned parts,
                                     struct stoa_aggregator **out, struct stoa_error *err)
{
    struct stoa_aggregator *aggregator = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&aggregator, 1, sizeof(*aggregator), err));
    STOA_TRY(stoa_schema_copy(&aggregator->schema, schema, err));
    STOA_TRY(
        new_folds(&aggregator->schema, NULL, parts | STOA_FOLD_COUNTS, &aggregator->folds, err));
    *out = aggregator;
    aggregator = NULL;
out:
    stoa_aggregator_free(aggregator);
    return st;
}

void stoa_aggregator_free(struct stoa_aggregator *aggregator)
{
    if (aggregator == NULL)
        return;
    free_folds(aggregator->folds, aggregator->schema.nfields);
    stoa_schema_reset(&aggregator->schema);
    stoa_free(aggregator);
}

uint64_t stoa_aggregator_nrows(const struct stoa_aggregator *aggregator)
{
    return aggregator->nrows;
}

enum stoa_status stoa_aggregator_get(const struct stoa_aggregator *aggregator, uint32_t column,
                                     struct stoa_aggregate *out, struct stoa_error *err)
{
    assert(column < aggregator->schema.nfields);
    return stoa_fold_finish(&aggregator->folds[column], out, err);
}

static enum stoa_status check_schema(const struct stoa_aggregator *aggregator,
                                     const struct stoa_schema *schema, struct stoa_error *err)
{
    if (stoa_schema_equal(&aggregator->schema, schema))
        return STOA_OK;
    return stoa_fail(err, STOA_ERR_USAGE, "another schema than the one that is aggregated");
}

enum stoa_status stoa_aggregator_add(struct stoa_aggregator *aggregator,
                                     const struct stoa_batch *batch, struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(check_schema(aggregator, batch->schema, err));
    for (uint32_t i = 0; i < batch->ncolumns; i++)
        STOA_TRY(stoa_fold_add(&aggregator->folds[i], &batch->columns[i], STOA_FOLD_ALL, err));
    aggregator->nrows += batch->nrows;
out:
    return st;
}

/* ---- One row group. ---- */

struct run {
    struct stoa_scan *scan;
    struct stoa_aggregator *aggregator;
    uint8_t *parts; /* of each column: what the file as a whole does not answer */
};

/* What a row group gives. */
struct piece {
    struct stoa_fold *folds;
    uint32_t nfolds;
    uint64_t nrows;
};

/* Adds what the zone map of some rows of a column answers; *parts is what is left then. */
static enum stoa_status add_zone(struct stoa_scan *scan, uint32_t column, uint32_t row_group,
                                 uint32_t zone, struct stoa_fold *fold, unsigned *parts,
                                 struct stoa_error *err)
{
    struct stoa_zone map;
    enum stoa_status st =
        stoa_reader_zone(scan->reader, scan->nodes[column], row_group, zone, &map, err);
    unsigned answered;

    if (st != STOA_OK)
        return st;
    answered = stoa_fold_answers(fold, &map) & *parts;
    *parts &= ~answered;
    return stoa_fold_add_zone(fold, &map, answered, err);
}

/* All rows of a row group. */
static enum stoa_status fold_whole(struct stoa_scan *scan, const struct stoa_scan_unit *unit,
                                   struct piece *piece, struct stoa_error *err)
{
    struct stoa_array values = {0};
    enum stoa_status st = STOA_OK;

    piece->nrows = unit->rows.nrows;
    atomic_fetch_add(&scan->rows_considered, unit->rows.nrows);
    atomic_fetch_add(&scan->rows_selected, unit->rows.nrows);
    for (uint32_t i = 0; i < piece->nfolds; i++) {
        struct stoa_fold *fold = &piece->folds[i];
        unsigned parts = fold->parts;

        if (parts == 0)
            continue;
        STOA_TRY(add_zone(scan, i, unit->row_group, UINT32_MAX, fold, &parts, err));
        if (parts == 0)
            continue;
        STOA_TRY(stoa_scan_read_node(scan, unit->row_group, scan->nodes[i], 0, unit->rows.nrows,
                                     &values, err));
        STOA_TRY(stoa_fold_add(fold, &values, parts, err));
        stoa_array_reset(&values);
    }
out:
    stoa_array_reset(&values);
    return st;
}

/* What add_known_zone() needs. */
struct known {
    struct stoa_scan *scan;
    uint32_t column;
    uint32_t row_group;
    struct stoa_fold *fold;
};

/* A zone is taken from its zone map only when nothing is left to be read. */
static enum stoa_status add_known_zone(void *context, uint32_t zone, bool *is_known,
                                       struct stoa_error *err)
{
    const struct known *known = context;
    struct stoa_fold *fold = known->fold;
    struct stoa_zone map;
    enum stoa_status st = stoa_reader_zone(known->scan->reader, known->scan->nodes[known->column],
                                           known->row_group, zone, &map, err);

    if (st != STOA_OK)
        return st;
    *is_known = stoa_fold_answers(fold, &map) == fold->parts;
    return *is_known ? stoa_fold_add_zone(fold, &map, fold->parts, err) : STOA_OK;
}

/* The rows of a row group that the filter selects. */
static enum stoa_status fold_selected(struct stoa_scan *scan, const struct stoa_scan_unit *unit,
                                      struct piece *piece, struct stoa_error *err)
{
    struct stoa_scan_selection selection = {0};
    struct stoa_scan_parts values = {0};
    enum stoa_status st;

    STOA_TRY(stoa_scan_select(scan, unit, UINT64_MAX, &selection, err));
    piece->nrows = selection.nrows;
    for (uint32_t i = 0; i < piece->nfolds && selection.nrows > 0; i++) {
        struct stoa_fold *fold = &piece->folds[i];
        struct known known = {scan, i, unit->row_group, fold};

        STOA_TRY(stoa_scan_read_parts(scan, unit, i, &selection, NULL, add_known_zone, &known,
                                      &values, err));
        for (size_t k = 0; k < values.narrays; k++)
            STOA_TRY(stoa_fold_add(fold, &values.arrays[k], fold->parts, err));
        stoa_scan_parts_reset(&values);
    }
out:
    stoa_scan_parts_reset(&values);
    stoa_scan_selection_reset(&selection);
    return st;
}

/* ---- All row groups. ---- */

static void reset_piece(void *made)
{
    const struct piece *piece = made;

    free_folds(piece->folds, piece->nfolds);
}

static enum stoa_status fold_unit(void *context, const struct stoa_scan_unit *unit, void *made,
                                  struct stoa_error *err)
{
    const struct run *run = context;
    struct piece *piece = made;
    enum stoa_status st = new_folds(&run->aggregator->schema, run->parts, 0, &piece->folds, err);

    if (st != STOA_OK)
        return st;
    piece->nfolds = run->aggregator->schema.nfields;
    return (stoa_scan_unit_is_whole(run->scan, unit) ? fold_whole : fold_selected)(run->scan, unit,
                                                                                   piece, err);
}

static enum stoa_status merge_piece(void *context, void *made, struct stoa_error *err)
{
    struct run *run = context;
    const struct piece *piece = made;
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 0; i < piece->nfolds; i++)
        STOA_TRY(stoa_fold_merge(&run->aggregator->folds[i], &piece->folds[i], err));
    run->aggregator->nrows += piece->nrows;
out:
    return st;
}

/* One row of the file, by its number. */
static enum stoa_status add_row(struct stoa_scan *scan, uint32_t column, uint64_t row,
                                struct stoa_fold *fold, struct stoa_error *err)
{
    struct stoa_array value = {0};
    struct stoa_row_group group;
    uint32_t number, place;
    enum stoa_status st;

    STOA_TRY(stoa_reader_locate(scan->reader, row, &number, err));
    STOA_TRY(stoa_reader_row_group(scan->reader, number, &group, err));
    place = (uint32_t)(row - group.first_row);
    STOA_TRY(stoa_scan_read_node(scan, number, scan->nodes[column], place, place + 1, &value, err));
    STOA_TRY(stoa_fold_add(fold, &value, STOA_AGGREGATE_BOUNDS, err));
out:
    stoa_array_reset(&value);
    return st;
}

/*
 * The bounds of the column that the file is sorted by, whose zone map has them cut: its values
 * stand side by side, with the nulls before or behind them.
 */
static enum stoa_status add_ends(struct stoa_scan *scan, uint32_t column, struct stoa_fold *fold,
                                 unsigned *parts, struct stoa_error *err)
{
    const struct stoa_sort_order *order;
    struct stoa_zone map;
    uint64_t first;
    uint32_t node;
    enum stoa_status st;

    STOA_TRY(stoa_reader_order(scan->reader, &order, err));
    if (order->nkeys == 0)
        goto out;
    STOA_TRY(stoa_reader_column_node(scan->reader, order->keys[0].column, &node, err));
    if (node != scan->nodes[column])
        goto out;
    STOA_TRY(stoa_reader_zone(scan->reader, node, UINT32_MAX, UINT32_MAX, &map, err));
    if (map.kind != STOA_BOUND_BYTES || map.nnulls >= map.nvalues) /* UNKNOWN is more */
        goto out;
    first = order->keys[0].nulls_first ? map.nnulls : 0;
    STOA_TRY(add_row(scan, column, first, fold, err));
    STOA_TRY(add_row(scan, column, first + map.nvalues - map.nnulls - 1, fold, err));
    *parts &= ~(unsigned)STOA_AGGREGATE_BOUNDS;
out:
    return st;
}

/* What is left of each column when the file as a whole has been asked; *any: something is. */
static enum stoa_status ask_file(struct run *run, bool *any, struct stoa_error *err)
{
    struct stoa_fold *folds = run->aggregator->folds;
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 0; i < run->scan->ncolumns; i++) {
        unsigned parts = folds[i].parts;

        if (run->scan->matcher == NULL)
            STOA_TRY(add_zone(run->scan, i, UINT32_MAX, UINT32_MAX, &folds[i], &parts, err));
        if (run->scan->matcher == NULL && (parts & STOA_AGGREGATE_BOUNDS))
            STOA_TRY(add_ends(run->scan, i, &folds[i], &parts, err));
        run->parts[i] = (uint8_t)parts;
        *any |= parts != 0;
    }
out:
    return st;
}

enum stoa_status stoa_scan_aggregate(struct stoa_scan *scan, struct stoa_aggregator *aggregator,
                                     struct stoa_error *err)
{
    struct run run = {.scan = scan, .aggregator = aggregator};
    struct stoa_scan_pass pass = {
        .scan = scan,
        .end = scan->nunits,
        .made_nbytes = sizeof(struct piece),
        .read = fold_unit,
        .take = merge_piece,
        .reset = reset_piece,
        .context = &run,
    };
    bool any = scan->matcher != NULL; /* somebody has to count the rows */
    enum stoa_status st;

    if (scan->limit != UINT64_MAX)
        return stoa_fail(err, STOA_ERR_USAGE, "a scan with a limit can't be aggregated");
    STOA_TRY(check_schema(aggregator, &scan->schema, err));
    STOA_TRY(stoa_alloc_zeroed(&run.parts, scan->ncolumns, 1, err));
    STOA_TRY(ask_file(&run, &any, err));
    if (any)
        STOA_TRY(stoa_scan_run_pass(&pass, err));
    else
        aggregator->nrows += stoa_reader_nrows(scan->reader);
out:
    stoa_free(run.parts);
    return st;
}
