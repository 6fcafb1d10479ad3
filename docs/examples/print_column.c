/*
 * Prints one column of the rows that a predicate selects:
 *
 *     gcc print_column.c $(pkg-config --cflags --libs stoa) -o print_column
 *     ./print_column flights.stoa dep_delay "carrier = 'AA' and dep_delay > 1000"
 */
#include <stdio.h>
#include <stoa.h>

/* Fixed-width values print themselves; text is bytes between two offsets. */
static void print_value(const struct stoa_field *field, const struct stoa_array *values, size_t row)
{
    char text[STOA_TEXT_NBYTES];
    size_t nbytes;

    if (stoa_array_is_null(values, row)) {
        puts("null");
    } else if (values->offsets != NULL) {
        nbytes = (size_t)(values->offsets[row + 1] - values->offsets[row]);
        printf("%.*s\n", (int)nbytes, (const char *)values->values + values->offsets[row]);
    } else {
        nbytes = stoa_array_format(field, values, row, text);
        printf("%.*s\n", (int)nbytes, text);
    }
}

static enum stoa_status print_column(const char *path, const char *column, const char *predicate,
                                     struct stoa_error *err)
{
    struct stoa_scan_options options = {.columns = &column, .ncolumns = 1, .jobs = 2};
    struct stoa_source *source = NULL;
    struct stoa_reader *reader = NULL;
    struct stoa_filter *filter = NULL;
    struct stoa_scan *scan = NULL;
    struct stoa_batch batch = {0};
    enum stoa_status st;

    if ((st = stoa_source_open_file(path, &source, err)) != STOA_OK ||
        (st = stoa_reader_open(source, NULL, &reader, err)) != STOA_OK ||
        (st = stoa_filter_parse(predicate, &filter, err)) != STOA_OK)
        goto out;
    options.filter = filter;
    if ((st = stoa_scan_open(reader, &options, &scan, err)) != STOA_OK)
        goto out;
    while ((st = stoa_scan_next(scan, &batch, err)) == STOA_OK && batch.nrows > 0) {
        for (size_t row = 0; row < batch.nrows; row++)
            print_value(&batch.schema->fields[0], &batch.columns[0], row);
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

    if (argc != 4) {
        fprintf(stderr, "usage: %s FILE COLUMN PREDICATE\n", argv[0]);
        return 2;
    }
    if (print_column(argv[1], argv[2], argv[3], &err) == STOA_OK)
        return 0;
    fprintf(stderr, "%s\n", err.message);
    return 1;
}
