#include "support/read_anything.h"

#include <stdio.h>
#include <stdlib.h>

#include <stoa/scan.h>

#include "support/gen_source_text.h"

/* Small, so that a few bytes that stand for many values do not take seconds. */
#define MEMORY_NBYTES (UINT64_C(4) << 20)

enum { MAX_NSCANNED = 8 }; /* columns */

static void must(bool good, const char *promise)
{
    if (good)
        return;
    fprintf(stderr, "broken: %s\n", promise);
    abort();
}

static bool is_about_the_file(enum stoa_status st)
{
    return st == STOA_OK || st == STOA_ERR_CORRUPT || st == STOA_ERR_UNSUPPORTED ||
           st == STOA_ERR_LIMIT;
}

/* `failed` counts what could not be read, limits of memory aside. */
struct run {
    struct stoa_reader *reader;
    const struct stoa_schema *schema;
    size_t nfailed;
    uint64_t end;
};

static bool passed(struct run *run, enum stoa_status st, const struct stoa_error *err)
{
    must(is_about_the_file(st), "errors are about the file");
    must(st == STOA_OK || err->message[0] != '\0', "errors have a message");
    run->nfailed += st != STOA_OK && st != STOA_ERR_LIMIT;
    return st == STOA_OK;
}

static enum stoa_status join(void *context, const struct stoa_span *span, struct stoa_error *err)
{
    struct run *run = context;

    (void)err;
    must(span->offset == run->end && span->nbytes > 0 && span->name != NULL, "spans join");
    run->end += span->nbytes;
    return STOA_OK;
}

static enum stoa_status take_encoding(void *context, const char *encoding, uint32_t npages,
                                      struct stoa_error *err)
{
    (void)context;
    (void)err;
    must(encoding[0] != '\0' && npages > 0, "encodings have names and pages");
    return STOA_OK;
}

/* The middle third of the chunk alone, against the whole of it. */
static void read_part(struct run *run, uint32_t group, uint32_t column,
                      const struct stoa_array *whole)
{
    struct stoa_rows rows = {whole->nvalues / 3, whole->nvalues - whole->nvalues / 3};
    const struct stoa_field *field = &run->schema->fields[column];
    struct stoa_array part = {0}, slice = {0};
    struct stoa_error err;

    if (rows.begin >= rows.end)
        return;
    if (stoa_reader_column(run->reader, group, column, rows, &part, NULL, &err) != STOA_OK ||
        stoa_array_slice(field, whole, rows.begin, rows.end, &slice, &err) != STOA_OK)
        must(err.status == STOA_ERR_LIMIT, "a part of a good chunk can be read");
    else
        must(stoa_array_equal(field, &part, &slice), "a part is a part of the whole");
    stoa_array_reset(&part);
    stoa_array_reset(&slice);
}

static void read_chunk(struct run *run, uint32_t group, uint32_t column)
{
    struct stoa_array array = {0};
    struct stoa_row_group info;
    struct stoa_chunk_info chunk;
    struct stoa_zone zone;
    struct stoa_error err;
    struct stoa_rows rows = {0};

    must(stoa_reader_row_group(run->reader, group, &info, &err) == STOA_OK, "row groups are known");
    rows.end = info.nrows;
    for (uint32_t z = 0; z < info.nzones && z < 64; z++)
        (void)passed(run, stoa_reader_zone(run->reader, column, group, z, &zone, &err), &err);
    (void)passed(run, stoa_reader_chunk(run->reader, group, column, &chunk, &err), &err);
    (void)passed(run, stoa_reader_encodings(run->reader, group, column, take_encoding, NULL, &err),
                 &err);
    if (!passed(run, stoa_reader_column(run->reader, group, column, rows, &array, NULL, &err),
                &err))
        return;
    must(array.nvalues == info.nrows, "a chunk has the rows of its row group");
    if (run->schema != NULL) {
        must(stoa_array_validate(&run->schema->fields[column], &array, &err) == STOA_OK,
             "arrays are what their types say");
        read_part(run, group, column, &array);
    }
    stoa_array_reset(&array);
}

/* Some rows of one column by their numbers, twice: from the file, and from what it keeps. */
static void take_rows(struct run *run, struct stoa_scan *scan)
{
    uint64_t nrows = stoa_reader_nrows(run->reader), rows[] = {0, nrows / 2, nrows - 1};
    size_t first = nrows > 2 ? 0 : 3 - (size_t)nrows;
    struct stoa_batch batch;
    struct stoa_error err;

    for (unsigned k = 0; k < 2 && nrows > 0; k++) {
        if (!passed(run, stoa_scan_take(scan, rows + first, 3 - first, &batch, &err), &err))
            return;
        must(batch.nrows == 3 - first, "rows come as they were asked for");
        must(stoa_batch_validate(&batch, &err) == STOA_OK, "rows are what their types say");
        stoa_batch_reset(&batch);
    }
}

/* One column by a scan: the rows that a predicate selects, and single ones. */
static void scan_column(struct run *run, const char *name, enum stoa_value_kind kind,
                        enum stoa_compare op)
{
    struct stoa_value value = {.kind = kind, .text = "10", .nbytes = 2};
    struct stoa_scan_options options = {.columns = &name, .ncolumns = 1};
    struct stoa_filter *filter = NULL;
    struct stoa_scan *scan = NULL;
    struct stoa_error err;
    uint64_t nrows;

    if (stoa_filter_compare(name, op, &value, &filter, &err) != STOA_OK)
        return;
    options.filter = filter;
    if (stoa_scan_open(run->reader, &options, &scan, &err) == STOA_OK) {
        if (passed(run, stoa_scan_count(scan, &nrows, &err), &err))
            must(nrows <= stoa_reader_nrows(run->reader), "no more rows than there are");
        take_rows(run, scan);
    }
    stoa_scan_close(scan);
    stoa_filter_free(filter);
}

static void read_text(struct run *run)
{
    uint64_t nsources = stoa_reader_nsources(run->reader);
    struct stoa_source_info *infos;
    struct stoa_error err;

    for (uint32_t g = 0; g < stoa_reader_nrow_groups(run->reader); g++) {
        struct stoa_side side;

        if (!passed(run, stoa_reader_side(run->reader, g, &side, &err), &err))
            continue;
        for (uint32_t i = 0; i < side.ncolumns; i++)
            must(side.columns[i].array.nvalues == 0 ||
                     stoa_array_validate(stoa_test_side_field(side.columns[i].kind),
                                         &side.columns[i].array, &err) == STOA_OK,
                 "side columns are what their kinds say");
        stoa_side_reset(&side);
    }
    nsources = nsources < 1000 ? nsources : 1000;
    if (passed(run, stoa_reader_sources(run->reader, 0, (size_t)nsources, &infos, &err), &err))
        stoa_source_infos_free(infos, (size_t)nsources);
}

static void read_columns(struct run *run)
{
    uint32_t ncolumns = stoa_reader_ncolumns(run->reader), found;
    struct stoa_zone zone;
    struct stoa_error err;

    for (uint32_t i = 0; i < ncolumns; i++) {
        if (run->schema != NULL &&
            passed(run, stoa_reader_find(run->reader, run->schema->fields[i].name, &found, &err),
                   &err))
            run->nfailed += found != i;
        for (uint32_t g = 0; g < stoa_reader_nrow_groups(run->reader); g++)
            read_chunk(run, g, i);
        for (unsigned k = 0; k < 4 && run->schema != NULL && i < MAX_NSCANNED; k++)
            scan_column(run, run->schema->fields[i].name,
                        k % 2 == 0 ? STOA_VALUE_NUMBER : STOA_VALUE_TEXT,
                        k < 2 ? STOA_COMPARE_GREATER : STOA_COMPARE_EQUAL);
    }
    for (uint32_t i = 0; i < stoa_reader_nnodes(run->reader); i++)
        (void)passed(run, stoa_reader_zone(run->reader, i, UINT32_MAX, UINT32_MAX, &zone, &err),
                     &err);
}

static uint64_t verify(struct stoa_source *source, bool deep)
{
    struct stoa_verify_options options = {.deep = deep, .memory_nbytes = MEMORY_NBYTES};
    struct stoa_verify_result result;
    struct stoa_error err;

    must(stoa_verify(source, &options, &result, &err) == STOA_OK, "verify comes to an end");
    return result.nfindings;
}

void stoa_test_read_anything(const uint8_t *bytes, size_t nbytes)
{
    struct stoa_reader_options options = {.memory_nbytes = MEMORY_NBYTES};
    struct stoa_source *source;
    struct run run = {0};
    struct stoa_error err;
    uint64_t nfindings, ndeep;

    if (stoa_source_open_memory(bytes, nbytes, "fuzz", &source, &err) != STOA_OK)
        abort();
    if (passed(&run, stoa_reader_open(source, &options, &run.reader, &err), &err)) {
        (void)passed(&run, stoa_reader_schema(run.reader, &run.schema, &err), &err);
        if (passed(&run, stoa_reader_spans(run.reader, join, &run, &err), &err))
            must(run.end == nbytes, "spans add up to the file");
        read_columns(&run);
        read_text(&run);
    }
    stoa_reader_close(run.reader);
    nfindings = verify(source, false);
    ndeep = verify(source, true);
    must(ndeep >= nfindings, "a deep check finds what another finds");
    must(run.nfailed == 0 || ndeep > 0, "what cannot be read has a finding");
    stoa_source_close(source);
}
