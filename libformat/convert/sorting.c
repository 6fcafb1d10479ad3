/*
 * Sorting: making runs, merging them while they are too many (sorting.h).
 *
 * A run is a row group of the input as a conversion would write it, taken in its order by the
 * thread that prepares it. Where rows are not all of one size, the size of each goes with it: the
 * borders of batches are decided when no thread has more of the rows than their keys.
 */
#include "convert/sorting.h"

#include <string.h>

#include <stoa/reader.h>
#include <stoa/writer.h>

#include "base/alloc.h"
#include "base/error.h"
#include "column/array.h"
#include "column/order.h"
#include "column/schema.h"
#include "convert/sorted_runs.h"
#include "convert/stoa_side.h"
#include "exec/progress.h"
#include "file/nodes_write.h"
#include "file/rules.h"
#include "io/spill.h"

#define KEYS_PART 8 /* of the memory, for keys of runs that are merged */

struct sorting {
    const struct stoa_run *run;
    const struct stoa_sort_order *order;
    struct stoa_schema schema; /* of the temporary files */
    bool has_sizes;
    uint64_t row_nbytes; /* where it has not */
    uint64_t input_nbytes;
    struct stoa_sorted_file file; /* of the runs so far */
};

/* ---- The sink of runs: that of a writer, whose batches are sorted on their way. ---- */

struct run_item {
    void *item; /* of the writer */
    uint64_t nrows;
    uint64_t key_nbytes;
};

struct run_sink {
    struct stoa_batch_sink base;
    struct stoa_batch_sink *below;
    struct sorting *sorting;
    uint64_t nrows;
};

static struct run_sink *sink_of(struct stoa_batch_sink *base)
{
    return (struct run_sink *)base;
}

/* The bytes of each row of the first columns of a batch, as its last one. */
static enum stoa_status measure_rows(struct stoa_batch *batch, size_t nrows, struct stoa_error *err)
{
    const struct stoa_type type = {.id = STOA_UINT32};
    const uint32_t last = batch->ncolumns - 1;
    struct stoa_array *out = &batch->columns[last];
    enum stoa_status st = stoa_array_alloc(&type, nrows, 0, false, out, err);

    for (size_t i = 0; st == STOA_OK && i < nrows; i++) {
        uint64_t nbytes = 0;
        uint32_t size;

        for (uint32_t k = 0; k < last; k++)
            nbytes += stoa_field_nbytes(&batch->schema->fields[k], &batch->columns[k], i, i + 1);
        size = nbytes < UINT32_MAX ? (uint32_t)nbytes : UINT32_MAX;
        memcpy(out->values + i * sizeof(size), &size, sizeof(size));
    }
    return st;
}

/* What the keys of a row take at the most, with what a cursor has beside them. */
static uint64_t measure_keys(const struct sorting *sorting, const struct stoa_batch *batch)
{
    const struct stoa_sort_order *order = sorting->order;
    uint64_t most = 0;

    for (size_t i = 0; i < batch->nrows; i++) {
        uint64_t nbytes = 0;

        for (uint32_t k = 0; k < order->nkeys; k++)
            nbytes += stoa_field_nbytes(&batch->schema->fields[order->keys[k].column],
                                        &batch->columns[order->keys[k].column], i, i + 1);
        most = nbytes > most ? nbytes : most;
    }
    return most + sizeof(uint64_t) + (sorting->has_sizes ? sizeof(uint32_t) : 0);
}

/* A batch of the file's schema out of the columns of another one, in order. */
static enum stoa_status sort_batch(const struct sorting *sorting, struct stoa_batch *batch,
                                   struct stoa_batch *out, struct stoa_error *err)
{
    struct stoa_batch sorted = {0};
    uint32_t *rows = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_batch_init(&sorted, &sorting->schema, err));
    STOA_TRY(stoa_alloc_zeroed(&rows, batch->nrows, sizeof(*rows), err));
    STOA_TRY(stoa_order_sort(sorting->order, batch, rows, err));
    for (uint32_t i = 0; i < batch->ncolumns; i++) {
        STOA_TRY(stoa_array_take(&batch->schema->fields[i], &batch->columns[i], rows, batch->nrows,
                                 &sorted.columns[i], err));
        stoa_array_reset(&batch->columns[i]);
    }
    if (sorting->has_sizes)
        STOA_TRY(measure_rows(&sorted, batch->nrows, err));
    sorted.nrows = batch->nrows;
    *out = sorted;
    sorted = (struct stoa_batch){0};
out:
    stoa_free(rows);
    stoa_batch_reset(&sorted);
    return st;
}

static enum stoa_status sink_prepare(struct stoa_batch_sink *base, uint64_t ordinal,
                                     struct stoa_batch *batch, void **out, struct stoa_error *err)
{
    struct run_sink *sink = sink_of(base);
    struct stoa_batch sorted = {0};
    struct run_item *item = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&item, 1, sizeof(*item), err));
    item->nrows = batch->nrows;
    item->key_nbytes = measure_keys(sink->sorting, batch);
    STOA_TRY(sort_batch(sink->sorting, batch, &sorted, err));
    STOA_TRY(sink->below->prepare(sink->below, ordinal, &sorted, &item->item, err));
    *out = item;
    item = NULL;
out:
    stoa_batch_reset(&sorted);
    stoa_free(item);
    return st;
}

static enum stoa_status sink_sequence(struct stoa_batch_sink *base, void *item,
                                      struct stoa_error *err)
{
    struct stoa_batch_sink *below = sink_of(base)->below;

    return below->sequence(below, ((struct run_item *)item)->item, err);
}

static enum stoa_status sink_encode(struct stoa_batch_sink *base, void *item,
                                    struct stoa_error *err)
{
    struct stoa_batch_sink *below = sink_of(base)->below;

    return below->encode(below, ((struct run_item *)item)->item, err);
}

static enum stoa_status sink_commit(struct stoa_batch_sink *base, void *made,
                                    struct stoa_error *err)
{
    struct run_sink *sink = sink_of(base);
    struct stoa_sorted_file *file = &sink->sorting->file;
    struct run_item item = *(struct run_item *)made;
    enum stoa_status st;

    stoa_free(made);
    st = stoa_reserve(&file->runs, &file->capacity, file->nruns + 1, sizeof(*file->runs), err);
    if (st != STOA_OK) {
        sink->below->item_free(sink->below, item.item);
        return st;
    }
    file->runs[file->nruns++] = (struct stoa_sorted_run){
        .begin = sink->nrows, .end = sink->nrows + item.nrows, .key_nbytes = item.key_nbytes};
    sink->nrows += item.nrows;
    return sink->below->commit(sink->below, item.item, err);
}

static void sink_item_free(struct stoa_batch_sink *base, void *item)
{
    struct stoa_batch_sink *below = sink_of(base)->below;

    below->item_free(below, ((struct run_item *)item)->item);
    stoa_free(item);
}

static uint64_t sink_kept_nbytes(struct stoa_batch_sink *base)
{
    struct stoa_batch_sink *below = sink_of(base)->below;

    return below->kept_nbytes(below);
}

static enum stoa_status sink_finish(struct stoa_batch_sink *base, struct stoa_error *err)
{
    struct stoa_batch_sink *below = sink_of(base)->below;

    return below->finish(below, err);
}

/* ---- Temporary files. ---- */

/* A file to be written; `sink` is a writer's. */
static enum stoa_status file_begin(const struct sorting *sorting, struct stoa_sorted_file *file,
                                   struct stoa_batch_sink **sink, struct stoa_error *err)
{
    const struct stoa_writer_options options = {.no_page_checks = true};
    enum stoa_status st;

    STOA_TRY(stoa_sink_create_spill(&file->spill, err));
    STOA_TRY(stoa_writer_sink_open(file->spill, &sorting->schema, &options, &stoa_sorted_run_rules,
                                   sorting->run->memory->limit_nbytes, sink, err));
out:
    return st;
}

/* What was written, to be read. */
static enum stoa_status file_end(struct stoa_sorted_file *file, struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(file->spill->reopen(file->spill, &file->source, err));
    STOA_TRY(stoa_reader_open(file->source, NULL, &file->reader, err));
out:
    return st;
}

/* The first pass: the input as runs. */
static enum stoa_status make_runs(struct sorting *sorting, struct stoa_error *err)
{
    struct run_sink sink = {
        .base = {.wants_groups = true,
                 .prepare = sink_prepare,
                 .sequence = sink_sequence,
                 .encode = sink_encode,
                 .commit = sink_commit,
                 .item_free = sink_item_free,
                 .kept_nbytes = sink_kept_nbytes,
                 .finish = sink_finish},
        .sorting = sorting,
    };
    struct stoa_run run = *sorting->run;
    const char *obstacle = NULL; /* none of the text goes with the rows */
    enum stoa_status st;

    STOA_TRY(file_begin(sorting, &sorting->file, &sink.below, err));
    run.sink = &sink.base;
    run.units = NULL;
    STOA_TRY(stoa_run(&run, &obstacle, err));
    STOA_TRY(file_end(&sorting->file, err));
    sorting->input_nbytes = stoa_progress_get(run.progress, STOA_PROGRESS_BYTES_IN);
out:
    if (sink.below != NULL)
        sink.below->close(sink.below);
    return st;
}

static struct stoa_run_merge merge_of(const struct sorting *sorting)
{
    struct stoa_run_merge merge = {
        .schema = &sorting->schema,
        .order = sorting->order,
        .row_nbytes = sorting->has_sizes ? 0 : sorting->row_nbytes,
        .size_column = sorting->run->schema->nfields,
        .group_nrows = sorting->run->group_nrows,
        .group_nbytes = sorting->run->group_nbytes,
        .keys_nbytes = sorting->run->memory->limit_nbytes / KEYS_PART,
        .input_nbytes = sorting->input_nbytes,
    };

    merge.nmerged = stoa_run_merge_nmerged(&sorting->file, merge.keys_nbytes);
    return merge;
}

/* What the runs of *from are when each `nmerged` of them are one. */
static enum stoa_status join_runs(const struct stoa_sorted_file *from, size_t nmerged,
                                  struct stoa_sorted_file *to, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (size_t i = 0; st == STOA_OK && i < from->nruns; i++) {
        struct stoa_sorted_run *run;

        if (i % nmerged == 0) {
            st = stoa_reserve(&to->runs, &to->capacity, to->nruns + 1, sizeof(*to->runs), err);
            if (st != STOA_OK)
                break;
            to->runs[to->nruns++] = from->runs[i];
        }
        run = &to->runs[to->nruns - 1];
        run->end = from->runs[i].end;
        if (from->runs[i].key_nbytes > run->key_nbytes)
            run->key_nbytes = from->runs[i].key_nbytes;
    }
    return st;
}

/* A pass over all runs, which makes fewer of them. */
static enum stoa_status merge_runs(struct sorting *sorting, struct stoa_error *err)
{
    const struct stoa_run_merge merge = merge_of(sorting);
    struct stoa_run run = *sorting->run;
    struct stoa_sorted_file file = {0};
    const char *obstacle = NULL;
    enum stoa_status st;

    run.source = NULL;
    run.sink = NULL;
    run.schema = &sorting->schema;
    run.matcher = NULL;
    run.counts_text = false;
    run.units = NULL;
    STOA_TRY(join_runs(&sorting->file, merge.nmerged, &file, err));
    STOA_TRY(file_begin(sorting, &file, &run.sink, err));
    STOA_TRY(stoa_run_merge_open(&sorting->file, &merge, &run.source, err));
    STOA_TRY(stoa_run(&run, &obstacle, err));
    STOA_TRY(file_end(&file, err));
    sorting->file = file;
    file = (struct stoa_sorted_file){0};
out:
    if (run.source != NULL)
        run.source->close(run.source);
    if (run.sink != NULL)
        run.sink->close(run.sink);
    stoa_sorted_file_reset(&file);
    return st;
}

/* ---- All of it. ---- */

/* A name that no column has. */
static enum stoa_status name_sizes(const struct stoa_schema *schema, char **out,
                                   struct stoa_error *err)
{
    struct stoa_buffer name = {0};
    enum stoa_status st;
    bool taken;

    STOA_TRY(stoa_buffer_append(&name, "nbytes", 7, err));
    do {
        taken = false;
        for (uint32_t i = 0; i < schema->nfields; i++)
            taken |= strcmp(schema->fields[i].name, (const char *)name.data) == 0;
        if (taken) {
            name.data[name.nbytes - 1] = '_';
            STOA_TRY(stoa_buffer_append(&name, "", 1, err));
        }
    } while (taken);
    *out = (char *)name.data;
    name = (struct stoa_buffer){0};
out:
    stoa_buffer_free(&name);
    return st;
}

static enum stoa_status plan_file(struct sorting *sorting, struct stoa_error *err)
{
    const struct stoa_type size = {.id = STOA_UINT32};
    const struct stoa_schema *schema = sorting->run->schema;
    char *name = NULL;
    enum stoa_status st;

    sorting->has_sizes = sorting->run->memory->row.varies;
    sorting->row_nbytes =
        sorting->run->memory->row.fixed_nbytes > 0 ? sorting->run->memory->row.fixed_nbytes : 1;
    STOA_TRY(stoa_schema_copy(&sorting->schema, schema, err));
    if (sorting->has_sizes) {
        STOA_TRY(name_sizes(schema, &name, err));
        STOA_TRY(stoa_schema_append(&sorting->schema, name, &size, false, err));
    }
out:
    stoa_free(name);
    return st;
}

enum stoa_status stoa_sort_run(const struct stoa_run *run, const struct stoa_sort_order *order,
                               struct stoa_batch_source **out, struct stoa_error *err)
{
    struct sorting sorting = {.run = run, .order = order};
    struct stoa_run_merge merge;
    enum stoa_status st;

    STOA_TRY(plan_file(&sorting, err));
    STOA_TRY(make_runs(&sorting, err));
    for (merge = merge_of(&sorting); merge.nmerged < sorting.file.nruns; merge = merge_of(&sorting))
        STOA_TRY(merge_runs(&sorting, err));
    merge.schema = run->schema;
    STOA_TRY(stoa_run_merge_open(&sorting.file, &merge, out, err));
out:
    stoa_sorted_file_reset(&sorting.file);
    stoa_schema_reset(&sorting.schema);
    return st;
}
