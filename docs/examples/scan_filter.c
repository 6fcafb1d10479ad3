/*
 * Adds up a column over the rows that a predicate selects:
 *
 *     gcc scan_filter.c $(pkg-config --cflags --libs stoa) -o scan_filter
 *     ./scan_filter flights.stoa air_time "carrier = 'AA' and dep_delay > 60"
 */
#include <stdio.h>
#include <stoa.h>

#define TRY(call)                                                                                  \
    do {                                                                                           \
        if ((st = (call)) != STOA_OK)                                                              \
            goto out;                                                                              \
    } while (0)

/* Values lie side by side, as in an array of C. */
static double value_at(const struct stoa_type *type, const struct stoa_array *column, size_t row)
{
    switch (type->id) {
    case STOA_INT8:
        return ((const int8_t *)column->values)[row];
    case STOA_INT16:
        return ((const int16_t *)column->values)[row];
    case STOA_INT32:
        return ((const int32_t *)column->values)[row];
    case STOA_INT64:
        return (double)((const int64_t *)column->values)[row];
    case STOA_FLOAT64:
        return ((const double *)column->values)[row];
    default:
        return 0;
    }
}

static enum stoa_status sum_column(const char *path, const char *column, const char *predicate,
                                   double *sum, struct stoa_error *err)
{
    struct stoa_scan_options options = {.columns = &column, .ncolumns = 1, .jobs = 2};
    struct stoa_source *source = NULL;
    struct stoa_reader *reader = NULL;
    struct stoa_filter *filter = NULL;
    struct stoa_scan *scan = NULL;
    struct stoa_batch batch = {0};
    enum stoa_status st;

    TRY(stoa_source_open_file(path, &source, err));
    TRY(stoa_reader_open(source, NULL, &reader, err));
    TRY(stoa_filter_parse(predicate, &filter, err));
    options.filter = filter;
    TRY(stoa_scan_open(reader, &options, &scan, err));
    while ((st = stoa_scan_next(scan, &batch, err)) == STOA_OK && batch.nrows > 0) {
        for (size_t row = 0; row < batch.nrows; row++)
            if (!stoa_array_is_null(&batch.columns[0], row))
                *sum += value_at(&batch.schema->fields[0].type, &batch.columns[0], row);
        stoa_batch_reset(&batch);
    }
out:
    stoa_batch_reset(&batch);
    stoa_scan_close(scan);
    stoa_filter_free(filter);
    stoa_reader_close(reader);
    stoa_source_close(source);
    return st;
}

int main(int argc, char **argv)
{
    struct stoa_error err;
    double sum = 0;

    if (argc != 4) {
        fprintf(stderr, "usage: %s FILE COLUMN PREDICATE\n", argv[0]);
        return 2;
    }
    if (sum_column(argv[1], argv[2], argv[3], &sum, &err) != STOA_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    printf("%.15g\n", sum);
    return 0;
}
