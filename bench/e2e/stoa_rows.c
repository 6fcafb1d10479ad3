/*
 * What the bench asks of an open Stoa file, as functions that Python's ctypes can call: open,
 * close, the shape of the table, a stream of Arrow batches, rows by their numbers, a sum. They
 * stand on the public headers alone and are built as a shared object beside libstoa.so.
 *
 * Every function returns 0, or a status with the reason in `message`, of STOA_ERROR_MESSAGE_NBYTES.
 */
#include <stdio.h>
#include <stdlib.h>
#include <stoa.h>
#include <string.h>

struct bench_file {
    struct stoa_source *source;
    struct stoa_reader *reader;
};

STOA_API int bench_open(const char *path, struct bench_file **out, char *message);
STOA_API void bench_close(struct bench_file *file);
STOA_API int bench_shape(struct bench_file *file, uint64_t *ncolumns, uint64_t *nrows,
                         char *message);
STOA_API int bench_stream(struct bench_file *file, unsigned nthreads, struct ArrowArrayStream *out,
                          char *message);
STOA_API int bench_rows(struct bench_file *file, const uint64_t *rows, size_t nrows,
                        unsigned nthreads, struct ArrowSchema *schema, struct ArrowArray *out,
                        char *message);
STOA_API int bench_sum(struct bench_file *file, const char *column, const char *where,
                       unsigned nthreads, uint64_t *nrows, char *sum, char *message);

/* What the caller gets to see of an error. */
static int told(enum stoa_status st, const struct stoa_error *err, char *message)
{
    if (st != STOA_OK)
        snprintf(message, STOA_ERROR_MESSAGE_NBYTES, "%s", err->message);
    return (int)st;
}

int bench_open(const char *path, struct bench_file **out, char *message)
{
    struct bench_file *file = calloc(1, sizeof(*file));
    struct stoa_error err = {0};
    enum stoa_status st;

    if (file == NULL) {
        snprintf(message, STOA_ERROR_MESSAGE_NBYTES, "out of memory");
        return STOA_ERR_NOMEM;
    }
    if ((st = stoa_source_open_file(path, &file->source, &err)) != STOA_OK ||
        (st = stoa_reader_open(file->source, NULL, &file->reader, &err)) != STOA_OK)
        bench_close(file);
    else
        *out = file;
    return told(st, &err, message);
}

void bench_close(struct bench_file *file)
{
    if (file == NULL)
        return;
    stoa_reader_close(file->reader);
    stoa_source_close(file->source);
    free(file);
}

int bench_shape(struct bench_file *file, uint64_t *ncolumns, uint64_t *nrows, char *message)
{
    const struct stoa_schema *schema;
    struct stoa_error err = {0};
    enum stoa_status st = stoa_reader_schema(file->reader, &schema, &err);

    if (st == STOA_OK) {
        *ncolumns = schema->nfields;
        *nrows = stoa_reader_nrows(file->reader);
    }
    return told(st, &err, message);
}

int bench_stream(struct bench_file *file, unsigned nthreads, struct ArrowArrayStream *out,
                 char *message)
{
    struct stoa_scan_options options = {.jobs = nthreads};
    struct stoa_scan *scan = NULL;
    struct stoa_error err = {0};
    enum stoa_status st;

    if ((st = stoa_scan_open(file->reader, &options, &scan, &err)) == STOA_OK &&
        (st = stoa_scan_export(scan, out, &err)) != STOA_OK)
        stoa_scan_close(scan);
    return told(st, &err, message);
}

/* rows: rising. */
int bench_rows(struct bench_file *file, const uint64_t *rows, size_t nrows, unsigned nthreads,
               struct ArrowSchema *schema, struct ArrowArray *out, char *message)
{
    struct stoa_scan_options options = {.jobs = nthreads};
    struct stoa_batch batch = {0};
    struct stoa_scan *scan = NULL;
    struct stoa_error err = {0};
    enum stoa_status st;

    if ((st = stoa_scan_open(file->reader, &options, &scan, &err)) == STOA_OK &&
        (st = stoa_scan_take(scan, rows, nrows, &batch, &err)) == STOA_OK &&
        (st = stoa_schema_export(stoa_scan_schema(scan), schema, &err)) == STOA_OK &&
        (st = stoa_batch_export(&batch, out, &err)) != STOA_OK)
        schema->release(schema);
    stoa_batch_reset(&batch);
    stoa_scan_close(scan);
    return told(st, &err, message);
}

/*
 * How many rows the predicate selects (NULL: all) and the sum of one column over them, as text in
 * `sum`, of STOA_AGGREGATE_TEXT_NBYTES; "" when there is none.
 */
int bench_sum(struct bench_file *file, const char *column, const char *where, unsigned nthreads,
              uint64_t *nrows, char *sum, char *message)
{
    struct stoa_scan_options options = {.columns = &column, .ncolumns = 1, .jobs = nthreads};
    struct stoa_filter *filter = NULL;
    struct stoa_scan *scan = NULL;
    struct stoa_aggregator *aggregator = NULL;
    struct stoa_aggregate found = {0};
    struct stoa_error err = {0};
    enum stoa_status st = STOA_OK;

    if (where != NULL)
        st = stoa_filter_parse(where, &filter, &err);
    options.filter = filter;
    if (st == STOA_OK && (st = stoa_scan_open(file->reader, &options, &scan, &err)) == STOA_OK &&
        (st = stoa_aggregator_new(stoa_scan_schema(scan), STOA_AGGREGATE_SUMS, &aggregator,
                                  &err)) == STOA_OK &&
        (st = stoa_scan_aggregate(scan, aggregator, &err)) == STOA_OK &&
        (st = stoa_aggregator_get(aggregator, 0, &found, &err)) == STOA_OK) {
        *nrows = stoa_aggregator_nrows(aggregator);
        memcpy(sum, found.sum_text, sizeof(found.sum_text));
        if (found.nvalues == 0)
            sum[0] = 0;
    }
    stoa_aggregate_reset(&found);
    stoa_aggregator_free(aggregator);
    stoa_scan_close(scan);
    stoa_filter_free(filter);
    return told(st, &err, message);
}
