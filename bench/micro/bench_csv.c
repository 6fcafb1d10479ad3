/*
 * CSV on one core: cut into units, records counted and fields found in memory, read into columns,
 * written as text again.
 *
 *     make build/release/bench/micro/bench_csv && build/release/bench/micro/bench_csv FILE.csv
 *
 * The file is read once per pass, from the page cache after the first; a row is the best of some
 * passes, in processor time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "csv/csv.h"
#include "csv/cut.h"
#include "csv/index.h"
#include "csv/index_kernels.h"
#include "measure.h"

enum { NPASSES = 5 };

/* What a pass did; the time leaves out what it prepares. */
struct pass {
    double seconds;
    uint64_t nbytes;
    uint64_t count; /* records, fields, rows: so that the work is not thrown away */
};

static void must(enum stoa_status st, const struct stoa_error *err)
{
    if (st == STOA_OK)
        return;
    fprintf(stderr, "bench_csv: %s\n", err->message);
    exit(1);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct pass cut(const char *path)
{
    const struct stoa_csv_options options = {0};
    struct stoa_error err = {0};
    struct stoa_stream *stream = NULL;
    struct stoa_csv_cutter cutter;
    struct stoa_csv_text text;
    struct stoa_buffer head = {0};
    struct pass pass = {0};
    double begin = now();

    must(stoa_stream_open(path, &stream, &err), &err);
    stoa_csv_cutter_init(&cutter, stream, &options, &head);
    for (;;) {
        must(stoa_csv_cutter_next(&cutter, &text, &err), &err);
        if (text.text == NULL)
            break;
        pass.count += text.nrecords;
        pass.nbytes += text.nbytes;
        stoa_free(text.text);
    }
    stoa_csv_cutter_reset(&cutter);
    stoa_stream_close(stream);
    pass.seconds = now() - begin;
    return pass;
}

/* Does some work on each unit of a file; only that is timed. */
static struct pass each_unit(const char *path,
                             void (*work)(const struct stoa_csv_text *text,
                                          struct stoa_csv_index *index, struct pass *pass))
{
    const struct stoa_csv_options options = {0};
    struct stoa_error err = {0};
    struct stoa_stream *stream = NULL;
    struct stoa_csv_cutter cutter;
    struct stoa_csv_dialect dialect;
    struct stoa_csv_record header = {0};
    struct stoa_csv_index index = {0};
    struct stoa_csv_text text;
    struct stoa_buffer head = {0};
    struct pass pass = {0};

    must(stoa_stream_open(path, &stream, &err), &err);
    stoa_csv_dialect_init(&dialect, &options);
    stoa_csv_cutter_init(&cutter, stream, &options, &head);
    for (;;) {
        double begin;

        must(stoa_csv_cutter_next(&cutter, &text, &err), &err);
        if (text.text == NULL)
            break;
        if (pass.nbytes == 0) {
            must(stoa_csv_record_split(&header, text.text, text.text + text.nbytes, &dialect, &err),
                 &err);
            stoa_csv_index_init(&index, &dialect, (uint32_t)header.nfields);
        }
        begin = now();
        work(&text, &index, &pass);
        pass.seconds += now() - begin;
        pass.nbytes += text.nbytes;
        stoa_free(text.text);
    }
    stoa_csv_index_reset(&index);
    stoa_csv_record_free(&header);
    stoa_csv_cutter_reset(&cutter);
    stoa_stream_close(stream);
    return pass;
}

static void count_unit(const struct stoa_csv_text *text, struct stoa_csv_index *index,
                       struct pass *pass)
{
    struct stoa_csv_tally tally = {0};

    stoa_csv_kernels()->tally(index->dialect, text->text, text->nbytes, UINT64_MAX, &tally);
    pass->count += tally.nrecords;
}

static struct pass count(const char *path)
{
    return each_unit(path, count_unit);
}

static void index_unit(const struct stoa_csv_text *text, struct stoa_csv_index *index,
                       struct pass *pass)
{
    struct stoa_error err = {0};

    must(stoa_csv_index_start(index, text->text, text->nbytes, &err), &err);
    for (stoa_csv_index_next(index); !stoa_csv_index_at_end(index); stoa_csv_index_next(index))
        pass->count += (uint64_t)index->tile.nrows * index->tile.stride;
}

static struct pass find_fields(const char *path)
{
    return each_unit(path, index_unit);
}

/* Reading, or writing what was read. */
static struct pass rows(const char *path, bool written)
{
    struct stoa_csv_source_options options = {.inferred = true};
    struct stoa_error err = {0};
    struct stoa_csv_inputs *inputs = NULL;
    struct stoa_batch_source *source = NULL;
    struct stoa_schema schema = {0};
    struct stoa_unit *unit;
    struct pass pass = {0};

    must(stoa_csv_inputs_new(&path, 1, &inputs, &err), &err);
    must(stoa_csv_inputs_infer(inputs, &options.csv, &schema, NULL, &err), &err);
    options.schema = &schema;
    must(stoa_csv_source_open(inputs, &options, &source, &err), &err);
    for (;;) {
        struct stoa_notes *notes = NULL;
        struct stoa_batch batch;
        char *text = NULL;
        size_t nbytes = 0;
        double begin;

        must(source->next(source, &unit, &err), &err);
        if (unit == NULL)
            break;
        pass.nbytes += unit->nbytes;
        begin = now();
        must(source->read(source, unit, &batch, &notes, &err), &err);
        if (written) {
            begin = now();
            must(stoa_csv_format(NULL, &batch, &text, &nbytes, &err), &err);
        }
        pass.seconds += now() - begin;
        pass.count += batch.nrows;
        stoa_free(text);
        stoa_batch_reset(&batch);
        if (notes != NULL)
            notes->free(notes);
    }
    source->close(source);
    stoa_csv_inputs_free(inputs);
    stoa_schema_reset(&schema);
    return pass;
}

static struct pass read_rows(const char *path)
{
    return rows(path, false);
}

static struct pass write_rows(const char *path)
{
    return rows(path, true);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        struct pass (*run)(const char *path);
    } jobs[] = {
        {"cut into records", cut},
        {"records counted", count},
        {"fields indexed", find_fields},
        {"rows read into columns", read_rows},
        {"rows written as text", write_rows},
    };

    if (argc < 2) {
        fprintf(stderr, "usage: bench_csv FILE.csv [--json]\n");
        return 2;
    }
    measure_begin(argc - 1, argv + 1);
    for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
        struct pass best = {0};

        for (int k = 0; k < NPASSES; k++) {
            struct pass pass = jobs[i].run(argv[1]);

            if (k == 0 || pass.seconds < best.seconds)
                best = pass;
        }
        measure_print(
            &(struct measure_row){.group = "csv",
                                  .name = jobs[i].name,
                                  .nvalues = (double)best.count,
                                  .value_nbytes = (double)best.nbytes / (double)best.count,
                                  .read_nbytes = (double)best.nbytes,
                                  .seconds = best.seconds});
    }
    return 0;
}
