/*
 * Restoring sources: an ordered pipeline over row groups (spec/csv.md, "Restore").
 *
 *     next      ordered    a row group in which wanted sources have rows
 *     read      parallel   its columns and its side table; the text of each source's rows
 *     write     ordered    head, rows, tail of one source after the other
 *
 *     row groups   |    0    |    1    |    2    |
 *     sources      | a | b |       c       | d | |      items: 0 with a b c, 1 with c, 2 with c d
 */
#include <stoa/restore.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <stoa/reader.h>

#include "base/alloc.h"
#include "base/error.h"
#include "convert/memory.h"
#include "convert/restore_file.h"
#include "convert/restore_output.h"
#include "convert/stoa_side.h"
#include "csv/restore_rows.h"
#include "exec/pipeline.h"
#include "exec/progress.h"

#define SOURCES_AT_A_TIME 4096
#define RESERVE_NBYTES    ((uint64_t)64 << 20) /* the most that is reserved on a guess */

struct restore {
    const struct stoa_restore_options *options;
    struct stoa_source *file; /* borrowed */
    bool fits;                /* its row groups fit the limit of memory */
    struct stoa_reader *reader;
    const struct stoa_schema *schema;
    struct stoa_source_info *sources; /* the wanted ones, by their rows */
    size_t nsources;
    struct stoa_restore_output *output;
    uint32_t next_group;
    size_t first; /* the first source that has rows in the next row group or behind it */
    unsigned jobs;
    struct stoa_memory memory;

    /* Of the ordered end: */
    size_t at; /* the source that is written next, or now */
    bool begun;
    struct stoa_progress progress;
    struct timespec start;
};

/* The rows of one source in a row group, and their text. */
struct segment {
    size_t source;
    size_t begin;
    size_t end;
    struct stoa_buffer text;
};

struct item {
    uint32_t row_group;
    struct stoa_row_group info;
    struct segment *segments;
    size_t nsegments;
    size_t capacity;
    uint64_t memory; /* what it is charged for */
};

/* Charges an item for so much memory from now on. */
static void charge(struct restore *restore, struct item *item, uint64_t nbytes)
{
    atomic_fetch_add(&restore->memory.nbytes, nbytes);
    atomic_fetch_sub(&restore->memory.nbytes, item->memory);
    item->memory = nbytes;
}

static bool has_room(void *context)
{
    const struct restore *restore = context;

    return stoa_memory_has_room(&restore->memory, 0);
}

static void drop(void *context, void *dropped)
{
    struct item *item = dropped;

    if (item == NULL)
        return;
    charge(context, item, 0);
    for (size_t i = 0; i < item->nsegments; i++)
        stoa_buffer_free(&item->segments[i].text);
    stoa_free(item->segments);
    stoa_free(item);
}

static const char *show_name(char out[256], const struct stoa_source_info *info)
{
    const char *name = info->name != NULL ? info->name : "";

    return stoa_quote(out, 256, name, strlen(name));
}

/* ---- Which sources. ---- */

static bool is_wanted(const struct restore *restore, const struct stoa_source_info *info)
{
    const char *wanted = restore->options->source;

    return wanted == NULL || (info->name != NULL && strcmp(info->name, wanted) == 0);
}

/* Takes those of `infos` that are wanted. */
static enum stoa_status take_sources(struct restore *restore, struct stoa_source_info *infos,
                                     size_t n, size_t *capacity, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (size_t i = 0; i < n; i++) {
        if (!is_wanted(restore, &infos[i]))
            continue;
        STOA_TRY(stoa_reserve(&restore->sources, capacity, restore->nsources + 1,
                              sizeof(*restore->sources), err));
        restore->sources[restore->nsources++] = infos[i];
        infos[i] = (struct stoa_source_info){0};
    }
out:
    return st;
}

static enum stoa_status fail_no_source(const struct restore *restore, uint64_t nsources,
                                       struct stoa_error *err)
{
    char shown[256];

    if (nsources == 0)
        return stoa_fail(err, STOA_ERR_DATA,
                         "%s: keeps no source text: it was not made of CSV, or without it",
                         restore->file->name);
    return stoa_fail(err, STOA_ERR_USAGE, "%s: none of its %" PRIu64 " sources is called \"%s\"",
                     restore->file->name, nsources,
                     stoa_quote(shown, sizeof(shown), restore->options->source,
                                strlen(restore->options->source)));
}

static enum stoa_status load_sources(struct restore *restore, struct stoa_error *err)
{
    const uint64_t nsources = stoa_reader_nsources(restore->reader);
    struct stoa_source_info *infos = NULL;
    size_t capacity = 0, n = 0;
    enum stoa_status st = STOA_OK;

    for (uint64_t first = 0; first < nsources; first += n) {
        n = nsources - first < SOURCES_AT_A_TIME ? (size_t)(nsources - first) : SOURCES_AT_A_TIME;
        STOA_TRY(stoa_reader_sources(restore->reader, first, n, &infos, err));
        st = take_sources(restore, infos, n, &capacity, err);
        stoa_source_infos_free(infos, n);
        if (st != STOA_OK)
            goto out;
    }
    if (restore->nsources == 0)
        return fail_no_source(restore, nsources, err);
out:
    if (st != STOA_OK)
        stoa_wrap(err, st, "%s", restore->file->name);
    return st;
}

/* Refuses what can't be written back before anything is written. */
static enum stoa_status check_sources(const struct restore *restore, struct stoa_error *err)
{
    const uint64_t nrows = stoa_reader_nrows(restore->reader);
    uint64_t end = 0;
    char shown[256];

    for (size_t i = 0; i < restore->nsources; i++) {
        const struct stoa_source_info *info = &restore->sources[i];
        const char *obstacle = stoa_source_obstacle(info->flags);

        if (obstacle != NULL)
            return stoa_fail(err, STOA_ERR_DATA, "%s: source %s can't be written back: %s",
                             restore->file->name, show_name(shown, info), obstacle);
        if (info->first_row < end || info->first_row > nrows ||
            info->nrows > nrows - info->first_row)
            return stoa_fail(err, STOA_ERR_CORRUPT, "%s: source %s: rows that the file has not",
                             restore->file->name, show_name(shown, info));
        end = info->first_row + info->nrows;
    }
    return STOA_OK;
}

/* ---- The stages. ---- */

/* The rows that wanted sources have in a row group. */
static enum stoa_status find_segments(struct restore *restore, struct item *item,
                                      struct stoa_error *err)
{
    const uint64_t begin = item->info.first_row, end = begin + item->info.nrows;
    enum stoa_status st = STOA_OK;

    for (size_t i = restore->first; i < restore->nsources; i++) {
        const struct stoa_source_info *info = &restore->sources[i];
        const uint64_t info_end = info->first_row + info->nrows;

        if (info->first_row >= end)
            break;
        if (info_end <= end)
            restore->first = i + 1; /* nothing of it stands behind this row group */
        if (info_end <= begin || info->nrows == 0)
            continue;
        STOA_TRY(stoa_reserve(&item->segments, &item->capacity, item->nsegments + 1,
                              sizeof(*item->segments), err));
        item->segments[item->nsegments++] = (struct segment){
            .source = i,
            .begin = (size_t)(info->first_row > begin ? info->first_row - begin : 0),
            .end = (size_t)((info_end < end ? info_end : end) - begin),
        };
    }
out:
    return st;
}

/* Bytes of text that rows of a source have if they are like its others. */
static uint64_t usual_nbytes(const struct stoa_source_info *info, uint64_t nrows)
{
    const uint64_t row_nbytes = info->nrows > 0 ? info->nbytes / info->nrows + 1 : 0;

    return row_nbytes < UINT64_MAX / 2 / (nrows + 1) ? row_nbytes * nrows : UINT64_MAX / 2;
}

/* Charges an item that will be read; refuses one that can't fit. */
static enum stoa_status charge_next(struct restore *restore, struct item *item,
                                    struct stoa_error *err)
{
    uint64_t in_columns, text_nbytes = 0;
    struct stoa_memory *memory = &restore->memory;
    enum stoa_status st;

    STOA_TRY(stoa_measure_row_group(restore->schema, restore->reader, item->row_group, &in_columns,
                                    err));
    for (size_t i = 0; i < item->nsegments; i++) {
        const struct segment *segment = &item->segments[i];
        uint64_t nbytes =
            usual_nbytes(&restore->sources[segment->source], segment->end - segment->begin);

        text_nbytes += nbytes < UINT64_MAX - text_nbytes ? nbytes : UINT64_MAX - text_nbytes;
    }
    if (text_nbytes < in_columns)
        text_nbytes = in_columns;
    st = stoa_memory_of_restored(memory, text_nbytes, item->info.nrows, &memory->last_nbytes,
                                 restore->fits ? NULL : err);
    if (st == STOA_OK || restore->fits)
        charge(restore, item, memory->last_nbytes);
    if (restore->fits)
        st = STOA_OK;
out:
    return st;
}

static enum stoa_status stage_next(void *context, void **at, struct stoa_error *err)
{
    struct restore *restore = context;
    const uint32_t ngroups = stoa_reader_nrow_groups(restore->reader);
    struct item *item = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&item, 1, sizeof(*item), err));
    while (item->nsegments == 0 && restore->next_group < ngroups &&
           restore->first < restore->nsources) {
        item->row_group = restore->next_group++;
        STOA_TRY(stoa_reader_row_group(restore->reader, item->row_group, &item->info, err));
        STOA_TRY(find_segments(restore, item, err));
    }
    if (item->nsegments > 0) {
        STOA_TRY(charge_next(restore, item, err));
        *at = item;
        item = NULL;
    }
out:
    drop(restore, item);
    if (st != STOA_OK)
        stoa_wrap(err, st, "%s", restore->file->name);
    return st;
}

static enum stoa_status read_columns(const struct restore *restore, const struct item *item,
                                     struct stoa_batch *out, struct stoa_error *err)
{
    const struct stoa_rows rows = {0, item->info.nrows};
    struct stoa_batch batch = {0};
    enum stoa_status st;

    STOA_TRY(stoa_batch_init(&batch, restore->schema, err));
    for (uint32_t i = 0; i < batch.ncolumns; i++)
        STOA_TRY(stoa_reader_column(restore->reader, item->row_group, i, rows, &batch.columns[i],
                                    NULL, err));
    batch.nrows = item->info.nrows;
    *out = batch;
    batch = (struct stoa_batch){0};
out:
    stoa_batch_reset(&batch);
    return st;
}

/* Room for the text of a segment if its rows are like the others of the source. */
static enum stoa_status reserve(const struct stoa_source_info *info, struct segment *segment,
                                struct stoa_error *err)
{
    const uint64_t nbytes = usual_nbytes(info, segment->end - segment->begin);

    if (nbytes > RESERVE_NBYTES)
        return STOA_OK;
    return stoa_buffer_reserve(&segment->text, (size_t)nbytes + (size_t)nbytes / 32, err);
}

/* The text of a segment. */
static enum stoa_status restore_segment(const struct restore *restore, const struct item *item,
                                        const struct stoa_batch *batch,
                                        const struct stoa_side *side, struct segment *segment,
                                        struct stoa_error *err)
{
    const struct stoa_source_info *info = &restore->sources[segment->source];
    struct stoa_csv_source_dialect dialect = {0};
    const struct stoa_csv_restore_rows rows = {
        .batch = batch,
        .side = side,
        .dialect = &dialect,
        .begin = segment->begin,
        .end = segment->end,
        .is_unended = (info->flags & STOA_SOURCE_NO_LINE_END) != 0 &&
                      item->info.first_row + segment->end == info->first_row + info->nrows,
    };
    char shown[256];
    enum stoa_status st;

    STOA_TRY(stoa_csv_source_dialect_parse(info->options, &dialect, err));
    STOA_TRY(reserve(info, segment, err));
    STOA_TRY(stoa_csv_restore_rows(&rows, &segment->text, err));
out:
    stoa_csv_source_dialect_reset(&dialect);
    if (st != STOA_OK)
        stoa_wrap(err, st, "source %s", show_name(shown, info));
    return st;
}

static enum stoa_status stage_read(void *context, void **at, struct stoa_error *err)
{
    struct restore *restore = context;
    struct item *item = *at;
    struct stoa_batch batch = {0};
    struct stoa_side side = {0};
    uint64_t nbytes = 0;
    enum stoa_status st;

    STOA_TRY(read_columns(restore, item, &batch, err));
    STOA_TRY(stoa_reader_side(restore->reader, item->row_group, &side, err));
    for (size_t i = 0; i < item->nsegments; i++) {
        STOA_TRY(restore_segment(restore, item, &batch, &side, &item->segments[i], err));
        nbytes += item->segments[i].text.nbytes;
    }
    charge(restore, item, nbytes);
out:
    stoa_batch_reset(&batch);
    stoa_side_reset(&side);
    if (st != STOA_OK)
        stoa_wrap(err, st, "%s", restore->file->name);
    return st;
}

static enum stoa_status begin_source(struct restore *restore, struct stoa_error *err)
{
    const struct stoa_source_info *info = &restore->sources[restore->at];
    struct stoa_csv_source_dialect dialect = {0};
    enum stoa_status st;

    STOA_TRY(stoa_csv_source_dialect_parse(info->options, &dialect, err));
    STOA_TRY(stoa_restore_output_begin(restore->output, info, dialect.encoding, err));
    STOA_TRY(stoa_restore_output_write(restore->output, info->head.data, info->head.nbytes, err));
    restore->begun = true;
out:
    stoa_csv_source_dialect_reset(&dialect);
    return st;
}

static enum stoa_status finish_source(struct restore *restore, struct stoa_error *err)
{
    const struct stoa_source_info *info = &restore->sources[restore->at];
    enum stoa_status st = STOA_OK;

    if (!restore->begun)
        STOA_TRY(begin_source(restore, err));
    STOA_TRY(stoa_restore_output_write(restore->output, info->tail.data, info->tail.nbytes, err));
    STOA_TRY(stoa_restore_output_finish(restore->output, err));
    restore->begun = false;
    restore->at++;
out:
    return st;
}

/* Names file and source in front of an error of the output. */
static enum stoa_status wrap_source(const struct restore *restore, enum stoa_status st,
                                    struct stoa_error *err)
{
    char shown[256];

    if (st == STOA_ERR_USAGE || st == STOA_ERR_IO) /* of an output, which it names */
        return st;
    stoa_wrap(err, st, "source %s", show_name(shown, &restore->sources[restore->at]));
    return stoa_wrap(err, st, "%s", restore->file->name);
}

static enum stoa_status stage_write(void *context, void **at, struct stoa_error *err)
{
    struct restore *restore = context;
    struct item *item = *at;
    enum stoa_status st = STOA_OK;

    for (size_t i = 0; item != NULL && i < item->nsegments; i++) {
        const struct segment *segment = &item->segments[i];

        while (restore->at < segment->source)
            STOA_TRY(finish_source(restore, err));
        if (!restore->begun)
            STOA_TRY(begin_source(restore, err));
        STOA_TRY(stoa_restore_output_write(restore->output, segment->text.data,
                                           segment->text.nbytes, err));
        stoa_progress_add(&restore->progress, STOA_PROGRESS_ROWS, segment->end - segment->begin);
    }
    while (item == NULL && restore->at < restore->nsources)
        STOA_TRY(finish_source(restore, err));
    atomic_store(&restore->progress.counters[STOA_PROGRESS_BYTES_OUT],
                 stoa_restore_output_nbytes(restore->output));
out:
    return st == STOA_OK ? st : wrap_source(restore, st, err);
}

/* ---- The run. ---- */

static void report_progress(void *context, const struct stoa_progress *progress)
{
    const struct restore *restore = context;
    const struct stoa_convert_progress now = {
        .done_nbytes = stoa_progress_get(progress, STOA_PROGRESS_BYTES_OUT),
        .total_nbytes = stoa_progress_get(progress, STOA_PROGRESS_TOTAL_BYTES),
        .nrows = stoa_progress_get(progress, STOA_PROGRESS_ROWS),
        .seconds = stoa_seconds_since(&restore->start),
    };

    restore->options->progress(restore->options->progress_context, &now);
}

static enum stoa_status open_reader(struct restore *restore, struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(stoa_reader_open(restore->file, NULL, &restore->reader, err));
    STOA_TRY(stoa_reader_schema(restore->reader, &restore->schema, err));
out:
    if (st != STOA_OK)
        stoa_wrap(err, st, "%s", restore->file->name);
    return st;
}

static enum stoa_status run_pipeline(struct restore *restore, struct stoa_error *err)
{
    static const struct stoa_stage stages[] = {
        {STOA_STAGE_ORDERED, stage_next},
        {STOA_STAGE_PARALLEL, stage_read},
        {STOA_STAGE_ORDERED, stage_write},
    };
    const struct stoa_pipeline pipeline = {
        .stages = stages,
        .nstages = sizeof(stages) / sizeof(stages[0]),
        .context = restore,
        .jobs = restore->jobs,
        .max_in_flight = (size_t)restore->jobs + 1,
        .has_room = has_room,
        .drop = drop,
        .cancel = restore->options->cancel,
        .progress = &restore->progress,
    };

    return stoa_pipeline_run(&pipeline, err);
}

enum stoa_status stoa_restore_file(struct stoa_source *file, bool fits,
                                   const struct stoa_restore_options *options,
                                   struct stoa_restore_report *report, struct stoa_error *err)
{
    const long nprocessors = sysconf(_SC_NPROCESSORS_ONLN);
    struct restore restore = {.options = options, .file = file, .fits = fits};
    uint64_t total_nbytes = 0;
    enum stoa_status st;

    clock_gettime(CLOCK_MONOTONIC, &restore.start);
    stoa_progress_init(&restore.progress, options->progress != NULL ? report_progress : NULL,
                       &restore);
    restore.jobs = options->jobs != 0 ? options->jobs : nprocessors > 0 ? (unsigned)nprocessors : 1;
    STOA_TRY(open_reader(&restore, err));
    stoa_memory_init(&restore.memory, options->memory_nbytes, restore.jobs, 0, 0, restore.schema,
                     true);
    STOA_TRY(load_sources(&restore, err));
    STOA_TRY(check_sources(&restore, err));
    for (size_t i = 0; i < restore.nsources; i++)
        total_nbytes += restore.sources[i].nbytes;
    stoa_progress_add(&restore.progress, STOA_PROGRESS_TOTAL_BYTES, total_nbytes);
    STOA_TRY(stoa_restore_output_open(options->output, options->replace, restore.nsources,
                                      &restore.output, err));
    STOA_TRY(run_pipeline(&restore, err));
    if (report != NULL)
        *report = (struct stoa_restore_report){
            .nsources = restore.nsources,
            .nrows = stoa_progress_get(&restore.progress, STOA_PROGRESS_ROWS),
            .nbytes = stoa_restore_output_nbytes(restore.output),
            .seconds = stoa_seconds_since(&restore.start),
        };
out:
    stoa_restore_output_close(restore.output);
    stoa_source_infos_free(restore.sources, restore.nsources);
    stoa_reader_close(restore.reader);
    return st;
}

enum stoa_status stoa_restore(const struct stoa_restore_options *options,
                              struct stoa_restore_report *report, struct stoa_error *err)
{
    struct stoa_source *file = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_source_open_file(options->path, &file, err));
    STOA_TRY(stoa_restore_file(file, false, options, report, err));
out:
    stoa_source_close(file);
    return st;
}
