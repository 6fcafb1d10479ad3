/*
 * Reading one row group of a scan.
 *
 *     zones     N  ?  ?  A  N  ?          what statistics say: never, maybe, always
 *     spans       [maybe][A]  [maybe]     neighbours with the same answer
 *     filter      1 the filter is evaluated in "maybe" spans, on columns as they are stored
 *     others      2 of the other columns only values of selected rows are decoded
 *
 * Selected rows are kept as row numbers of the row group, so that step 2 sees all spans at once.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/error.h"
#include "file/reader.h"
#include "scan/scan_state.h"

static void free_arrays(struct stoa_array *arrays, uint32_t narrays)
{
    for (uint32_t i = 0; arrays != NULL && i < narrays; i++)
        stoa_array_reset(&arrays[i]);
    stoa_free(arrays);
}

void stoa_scan_selection_reset(struct stoa_scan_selection *selection)
{
    for (size_t i = 0; i < selection->nspans; i++)
        free_arrays(selection->spans[i].arrays, selection->narrays);
    stoa_free(selection->spans);
    stoa_free(selection->rows);
    *selection = (struct stoa_scan_selection){0};
}

static uint8_t match_of(const struct stoa_scan *scan, const struct stoa_scan_unit *unit,
                        uint32_t zone)
{
    return scan->matches != NULL ? scan->matches[unit->rows.first_zone + zone]
                                 : (uint8_t)STOA_MATCH_ALWAYS;
}

/*
 * The next span behind *zone, which moves on; false at the end. `max_nzones` bounds a span, so that
 * a scan with a limit does not read far behind it.
 */
static bool next_span(const struct stoa_scan *scan, const struct stoa_scan_unit *unit,
                      uint32_t max_nzones, uint32_t *zone, struct stoa_scan_span *out)
{
    uint32_t begin, end, match;

    while (*zone < unit->rows.nzones && match_of(scan, unit, *zone) == STOA_MATCH_NEVER)
        ++*zone;
    if (*zone == unit->rows.nzones)
        return false;
    begin = *zone;
    match = match_of(scan, unit, begin);
    end = begin + 1;
    while (end < unit->rows.nzones && end - begin < max_nzones &&
           match_of(scan, unit, end) == match)
        end++;
    *zone = end;
    out->begin = begin * STOA_ZONE_NROWS;
    out->end = end == unit->rows.nzones ? unit->rows.nrows : end * STOA_ZONE_NROWS;
    out->always = match == STOA_MATCH_ALWAYS;
    return true;
}

bool stoa_scan_unit_is_whole(const struct stoa_scan *scan, const struct stoa_scan_unit *unit)
{
    bool whole = true;

    for (uint32_t zone = 0; zone < unit->rows.nzones; zone++)
        whole &= match_of(scan, unit, zone) == STOA_MATCH_ALWAYS;
    return whole;
}

static void count_reading(struct stoa_scan *scan, const struct stoa_read_counters *counters)
{
    atomic_fetch_add(&scan->read_pages, counters->pages);
    atomic_fetch_add(&scan->read_bytes, counters->bytes);
}

enum stoa_status stoa_scan_read_node(struct stoa_scan *scan, uint32_t row_group, uint32_t node,
                                     uint32_t begin, uint32_t end, struct stoa_array *out,
                                     struct stoa_error *err)
{
    struct stoa_read_counters counters = {0};
    enum stoa_status st = stoa_reader_node(scan->reader, row_group, node,
                                           (struct stoa_rows){begin, end}, out, &counters, err);

    count_reading(scan, &counters);
    return st;
}

/* Room for a span and all its rows. */
static enum stoa_status reserve_span(struct stoa_scan_selection *selection,
                                     const struct stoa_scan_span *span, struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(stoa_reserve(&selection->spans, &selection->spans_capacity, selection->nspans + 1,
                          sizeof(*selection->spans), err));
    STOA_TRY(stoa_reserve(&selection->rows, &selection->capacity,
                          selection->nrows + (span->end - span->begin), sizeof(*selection->rows),
                          err));
out:
    return st;
}

static enum stoa_status select_all(struct stoa_scan_selection *selection,
                                   const struct stoa_scan_span *span, struct stoa_error *err)
{
    enum stoa_status st = reserve_span(selection, span, err);
    struct stoa_scan_picked *picked = selection->spans + selection->nspans;

    if (st != STOA_OK)
        return st;
    *picked = (struct stoa_scan_picked){.begin = selection->nrows, .first_row = span->begin};
    for (uint32_t row = span->begin; row < span->end; row++)
        selection->rows[selection->nrows++] = row;
    picked->end = selection->nrows;
    selection->nspans++;
    return STOA_OK;
}

/* A node with children has one test: whether it is null. */
static enum stoa_status read_filter_node(struct stoa_scan *scan, uint32_t row_group, uint32_t node,
                                         const struct stoa_scan_span *span, struct stoa_array *out,
                                         struct stoa_read_counters *counters,
                                         struct stoa_error *err)
{
    return stoa_reader_nulls(scan->reader, row_group, node,
                             (struct stoa_rows){span->begin, span->end}, out, counters, err);
}

/* A span whose rows are evaluated. */
struct evaluation {
    struct stoa_scan *scan;
    uint32_t row_group;
    const struct stoa_scan_span *span;
    bool keep;                 /* decoded values of columns of the output are of use */
    struct stoa_array *arrays; /* of the filter's nodes: {0} until they are decoded */
};

/* Whether a node of the filter is a column of the output too, with values of its own. */
static bool is_output(const struct stoa_scan *scan, uint32_t place)
{
    bool found = false;

    for (uint32_t i = 0; i < scan->ncolumns; i++)
        found |=
            scan->nodes[i] == scan->filter_nodes[place] && scan->schema.fields[i].nchildren == 0;
    return found;
}

/* A leaf of the filter: on the chunk as it is stored, if that can be, else on decoded values. */
static enum stoa_status answer_leaf(void *context, uint32_t leaf, const uint8_t *wanted,
                                    uint8_t *out, uint64_t *nbytes, struct stoa_error *err)
{
    const struct evaluation *in = context;
    struct stoa_scan *scan = in->scan;
    struct stoa_chunk_filter *filter = &scan->filters[leaf];
    const uint32_t place = filter->leaf->field, node = scan->filter_nodes[place];
    const uint32_t nrows = in->span->end - in->span->begin;
    struct stoa_array *array = &in->arrays[place];
    struct stoa_read_counters counters = {0};
    bool done = false;
    enum stoa_status st = STOA_OK;

    if (array->nvalues == 0 && !(in->keep && is_output(scan, place))) {
        STOA_TRY(stoa_chunk_filter_eval(filter, scan->reader, in->row_group, node,
                                        (struct stoa_rows){in->span->begin, in->span->end}, wanted,
                                        out, &done, &counters, err));
    }
    if (!done && array->nvalues == 0)
        STOA_TRY(read_filter_node(scan, in->row_group, node, in->span, array, &counters, err));
    if (!done)
        stoa_leaf_eval(filter->leaf, filter->type, array, nrows, out);
    count_reading(scan, &counters);
    *nbytes += counters.bytes;
out:
    return st;
}

/* The bits of the rows of a span; what had to be decoded is left in arrays[nfilter_nodes]. */
static enum stoa_status evaluate(struct stoa_scan *scan, uint32_t row_group,
                                 const struct stoa_scan_span *span, bool keep,
                                 struct stoa_array *arrays, uint8_t *selected,
                                 struct stoa_error *err)
{
    struct evaluation in = {scan, row_group, span, keep, arrays};

    return stoa_matcher_eval_leaves(scan->matcher, scan->counts, span->end - span->begin,
                                    answer_leaf, &in, selected, err);
}

/*
 * Whether values are likely to be wanted of most blocks, so that decoding all of them once is less
 * work than testing them as they are and taking single ones afterwards. So it is for the first rows
 * of a scan, of which nothing is known.
 */
static bool many_survive(const struct stoa_scan *scan)
{
    const uint64_t nrows = atomic_load(&scan->counts[0].nrows);

    return nrows == 0 || atomic_load(&scan->counts[0].ntrue) > nrows / 16;
}

/* The rows of a span for which the filter is true. */
static enum stoa_status select_some(struct stoa_scan *scan, uint32_t row_group,
                                    const struct stoa_scan_span *span,
                                    struct stoa_scan_selection *selection, struct stoa_error *err)
{
    const uint32_t n = scan->nfilter_nodes, nrows = span->end - span->begin;
    struct stoa_array *arrays = NULL;
    uint8_t *selected = NULL;
    struct stoa_scan_picked picked = {.begin = selection->nrows, .first_row = span->begin};
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&arrays, n, sizeof(*arrays), err));
    STOA_TRY(stoa_alloc_zeroed(&selected, (nrows + 63) / 64, 8, err));
    STOA_TRY(evaluate(scan, row_group, span, many_survive(scan), arrays, selected, err));
    STOA_TRY(reserve_span(selection, span, err));
    selection->nrows +=
        stoa_bitmap_places(selected, nrows, span->begin, selection->rows + selection->nrows);
    picked.end = selection->nrows;
    if (picked.end == picked.begin)
        goto out; /* what was decoded is of no more use */
    picked.arrays = arrays;
    arrays = NULL;
    selection->spans[selection->nspans++] = picked;
out:
    free_arrays(arrays, n);
    stoa_free(selected);
    return st;
}

enum stoa_status stoa_scan_select(struct stoa_scan *scan, const struct stoa_scan_unit *unit,
                                  uint64_t want, struct stoa_scan_selection *selection,
                                  struct stoa_error *err)
{
    const uint32_t max_nzones = want == UINT64_MAX ? UINT32_MAX : 1;
    struct stoa_scan_span span;
    uint32_t zone = 0;
    enum stoa_status st = STOA_OK;

    selection->narrays = scan->nfilter_nodes;
    while (selection->nrows < want && next_span(scan, unit, max_nzones, &zone, &span)) {
        uint64_t missing = want - selection->nrows;

        atomic_fetch_add(&scan->rows_considered, span.end - span.begin);
        if (span.always && missing < span.end - span.begin)
            span.end = span.begin + (uint32_t)missing;
        if (span.always)
            STOA_TRY(select_all(selection, &span, err));
        else
            STOA_TRY(select_some(scan, unit->row_group, &span, selection, err));
    }
    if (selection->nrows > want) { /* then the last span has more than were missing */
        selection->nrows = (size_t)want;
        selection->spans[selection->nspans - 1].end = selection->nrows;
    }
    atomic_fetch_add(&scan->rows_selected, selection->nrows);
out:
    return st;
}

/*
 * The end of the run of selected rows that starts at rows[begin]: it goes on as long as the next
 * row is in the same page or the one behind it, so no page without a selected row is decoded.
 */
static size_t run_end(const struct stoa_scan_selection *selection, size_t begin, size_t end,
                      uint32_t page_nrows)
{
    const uint32_t *rows = selection->rows;
    size_t at = begin + 1;

    if (page_nrows == 0 || rows[end - 1] - rows[begin] < page_nrows) /* no pages, or no gap */
        return end;
    while (at < end && (rows[at] - rows[at - 1] <= page_nrows ||
                        rows[at] / page_nrows == rows[at - 1] / page_nrows + 1))
        at++;
    return at;
}

/* The values of rows [begin, end) of the selection, which lie near to each other. */
static enum stoa_status read_run(struct stoa_scan *scan, uint32_t row_group, uint32_t node,
                                 const struct stoa_field *field,
                                 const struct stoa_scan_selection *selection, size_t begin,
                                 size_t end, struct stoa_array *out, struct stoa_error *err)
{
    const uint32_t first = selection->rows[begin], last = selection->rows[end - 1];
    struct stoa_array values = {0};
    uint32_t *places = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_scan_read_node(scan, row_group, node, first, last + 1, &values, err));
    if (last + 1 - first == end - begin) { /* every row of it */
        *out = values;
        return STOA_OK;
    }
    STOA_TRY(stoa_alloc(&places, (end - begin) * sizeof(*places), err));
    for (size_t i = begin; i < end; i++)
        places[i - begin] = selection->rows[i] - first;
    STOA_TRY(stoa_array_take(field, &values, places, end - begin, out, err));
out:
    stoa_array_reset(&values);
    stoa_free(places);
    return st;
}

void stoa_scan_parts_reset(struct stoa_scan_parts *parts)
{
    for (size_t i = 0; i < parts->narrays; i++)
        stoa_array_reset(&parts->arrays[i]);
    stoa_free(parts->arrays);
    *parts = (struct stoa_scan_parts){0};
}

static enum stoa_status add_part(struct stoa_scan_parts *parts, struct stoa_array **out,
                                 struct stoa_error *err)
{
    enum stoa_status st = stoa_reserve(&parts->arrays, &parts->capacity, parts->narrays + 1,
                                       sizeof(*parts->arrays), err);

    if (st == STOA_OK) {
        *out = &parts->arrays[parts->narrays++];
        **out = (struct stoa_array){0};
    }
    return st;
}

enum stoa_status stoa_scan_join_parts(const struct stoa_scan *scan, uint32_t column,
                                      struct stoa_scan_parts *parts, struct stoa_array *out,
                                      struct stoa_error *err)
{
    const struct stoa_array **list = NULL;
    enum stoa_status st;

    if (parts->narrays == 1) {
        *out = parts->arrays[0];
        parts->narrays = 0;
        return STOA_OK;
    }
    STOA_TRY(stoa_alloc(&list, parts->narrays * sizeof(*list), err));
    for (size_t i = 0; i < parts->narrays; i++)
        list[i] = &parts->arrays[i];
    STOA_TRY(stoa_array_concat(&scan->schema.fields[column], list, parts->narrays, out, err));
out:
    stoa_free(list);
    return st;
}

/* What reading a column of a selection needs. */
struct reading {
    struct stoa_scan *scan;
    uint32_t row_group;
    uint32_t node; /* of the column in the file */
    uint32_t page_nrows;
    const struct stoa_field *field;
    const struct stoa_scan_selection *selection;
    struct stoa_scan_parts *parts;
    struct stoa_columns_at_hand at_hand; /* from the first place on */
    size_t begin;                        /* places in front of it are done */
};

/* Rows without a gap that are decoded as they are; fewer are picked out of their pages. */
enum { RUN_NROWS = 1024 };

/* Places [begin, end) of a column without children. */
static enum stoa_status read_leaf(const struct reading *reading, size_t begin, size_t end,
                                  struct stoa_error *err)
{
    struct stoa_reader *reader = reading->scan->reader;
    const uint32_t *rows = reading->selection->rows + begin;
    const struct stoa_range range = {rows[0], rows[end - begin - 1] + 1};
    const size_t n = end - begin;
    struct stoa_budget budget = {reader->footer.memory_nbytes, reader->footer.memory_nbytes};
    struct stoa_columns_at_hand at_hand = reading->at_hand;
    struct stoa_read_counters counters = {0};
    struct stoa_range children;
    struct stoa_array *part;
    enum stoa_status st;

    at_hand.first = begin;
    STOA_TRY(add_part(reading->parts, &part, err));
    if (n >= RUN_NROWS && range.end - range.begin == n)
        STOA_TRY(stoa_chunk_read(reader, reading->row_group, reading->node, range, &budget,
                                 &at_hand, part, &children, &counters, err));
    else
        STOA_TRY(stoa_chunk_take(reader, reading->row_group, reading->node, rows, n,
                                 reading->selection->keep, &at_hand, part, &counters, err));
    count_reading(reading->scan, &counters);
out:
    return st;
}

/* Reads places [begin, end) of the selection; of nested columns all values from page to page. */
static enum stoa_status read_places(const struct reading *reading, size_t begin, size_t end,
                                    struct stoa_error *err)
{
    struct stoa_array *part;
    enum stoa_status st = STOA_OK;

    if (begin < end && reading->field->nchildren == 0)
        return read_leaf(reading, begin, end, err);
    while (begin < end) {
        size_t stop = run_end(reading->selection, begin, end, reading->page_nrows);

        STOA_TRY(add_part(reading->parts, &part, err));
        STOA_TRY(read_run(reading->scan, reading->row_group, reading->node, reading->field,
                          reading->selection, begin, stop, part, err));
        begin = stop;
    }
out:
    return st;
}

/* The place of a column among the filter's nodes, if the filter has its values; or UINT32_MAX. */
static uint32_t filter_place(const struct stoa_scan *scan, uint32_t column)
{
    bool has_values = scan->schema.fields[column].nchildren == 0;

    for (uint32_t i = 0; has_values && i < scan->nfilter_nodes; i++) {
        if (scan->filter_nodes[i] == scan->nodes[column])
            return i;
    }
    return UINT32_MAX;
}

/* The rows of a span that was evaluated, from the array that it was evaluated on. */
static enum stoa_status take_picked(const struct stoa_field *field,
                                    const struct stoa_scan_selection *selection,
                                    const struct stoa_scan_picked *picked,
                                    struct stoa_array *values, struct stoa_scan_parts *parts,
                                    struct stoa_error *err)
{
    const size_t nrows = picked->end - picked->begin;
    struct stoa_array *part;
    uint32_t *places = NULL;
    enum stoa_status st;

    STOA_TRY(add_part(parts, &part, err));
    if (nrows == values->nvalues) { /* every row: a column is in the output once */
        *part = *values;
        *values = (struct stoa_array){0};
        return STOA_OK;
    }
    STOA_TRY(stoa_alloc(&places, nrows * sizeof(*places), err));
    for (size_t i = 0; i < nrows; i++)
        places[i] = selection->rows[picked->begin + i] - picked->first_row;
    STOA_TRY(stoa_array_take(field, values, places, nrows, part, err));
out:
    stoa_free(places);
    return st;
}

/* Reads what is left in front of place `end`, and goes on at `next`. */
static enum stoa_status read_up_to(struct reading *reading, size_t end, size_t next,
                                   struct stoa_error *err)
{
    enum stoa_status st = read_places(reading, reading->begin, end, err);

    reading->begin = next;
    return st;
}

/* Leaves out the zones of a span whose values nobody needs. */
static enum stoa_status skip_known(struct reading *reading, const struct stoa_scan_picked *picked,
                                   stoa_scan_known *known, void *context, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (size_t at = picked->begin, end; at < picked->end; at = end) {
        const uint32_t zone = reading->selection->rows[at] / STOA_ZONE_NROWS;
        bool is_known = false;

        end = at + STOA_ZONE_NROWS < picked->end ? at + STOA_ZONE_NROWS : picked->end;
        STOA_TRY(known(context, zone, &is_known, err));
        if (is_known)
            STOA_TRY(read_up_to(reading, at, end, err));
    }
out:
    return st;
}

/*
 * Rows of the pages of a column; 0 without pages. Of a nested one those of the node whose pages
 * have the fewest, below lists on an average.
 */
static enum stoa_status rows_of_page(struct stoa_scan *scan, const struct stoa_scan_unit *unit,
                                     uint32_t node, uint32_t *nrows, struct stoa_error *err)
{
    uint32_t end;
    enum stoa_status st;

    *nrows = 0;
    STOA_TRY(stoa_reader_node_end(scan->reader, node, &end, err));
    for (; node < end; node++) {
        struct stoa_chunk_info chunk;
        uint64_t n;

        STOA_TRY(stoa_reader_chunk(scan->reader, unit->row_group, node, &chunk, err));
        if (chunk.npages == 0)
            continue;
        n = (uint64_t)chunk.page_nvalues * unit->rows.nrows / chunk.nvalues;
        n = n == 0 ? 1 : n < UINT32_MAX ? n : UINT32_MAX;
        if (*nrows == 0 || n < *nrows)
            *nrows = (uint32_t)n;
    }
out:
    return st;
}

enum stoa_status stoa_scan_read_parts(struct stoa_scan *scan, const struct stoa_scan_unit *unit,
                                      uint32_t column, struct stoa_scan_selection *selection,
                                      const struct stoa_array *columns, stoa_scan_known *known,
                                      void *context, struct stoa_scan_parts *parts,
                                      struct stoa_error *err)
{
    const uint32_t place = filter_place(scan, column);
    struct reading reading = {
        .scan = scan,
        .row_group = unit->row_group,
        .node = scan->nodes[column],
        .field = &scan->schema.fields[column],
        .selection = selection,
        .parts = parts,
        .at_hand = {scan->nodes, columns, columns != NULL ? scan->ncolumns : 0, 0},
    };
    enum stoa_status st;

    if (reading.field->nchildren > 0)
        STOA_TRY(rows_of_page(scan, unit, reading.node, &reading.page_nrows, err));
    for (size_t i = 0; i < selection->nspans; i++) {
        const struct stoa_scan_picked *picked = &selection->spans[i];

        if (place != UINT32_MAX && picked->arrays != NULL && picked->arrays[place].nvalues > 0) {
            STOA_TRY(read_up_to(&reading, picked->begin, picked->end, err));
            STOA_TRY(
                take_picked(reading.field, selection, picked, &picked->arrays[place], parts, err));
        } else if (picked->arrays == NULL && known != NULL) {
            STOA_TRY(skip_known(&reading, picked, known, context, err));
        }
    }
    STOA_TRY(read_up_to(&reading, selection->nrows, selection->nrows, err));
out:
    return st;
}

/* One column of the output at the selected rows; the others may be there already. */
static enum stoa_status read_selected(struct stoa_scan *scan, const struct stoa_scan_unit *unit,
                                      uint32_t column, struct stoa_scan_selection *selection,
                                      struct stoa_array *columns, struct stoa_error *err)
{
    struct stoa_scan_parts parts = {0};
    enum stoa_status st;

    STOA_TRY(stoa_scan_read_parts(scan, unit, column, selection, columns, NULL, NULL, &parts, err));
    STOA_TRY(stoa_scan_join_parts(scan, column, &parts, &columns[column], err));
out:
    stoa_scan_parts_reset(&parts);
    return st;
}

/* The columns that are derived from others in this row group, or those that are not. */
static enum stoa_status read_some_columns(struct stoa_scan *scan, const struct stoa_scan_unit *unit,
                                          bool derived, struct stoa_scan_selection *selection,
                                          struct stoa_array *columns, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 0; i < scan->ncolumns; i++) {
        const struct stoa_chunk *chunks;

        STOA_TRY(stoa_footer_chunks(&scan->reader->footer, scan->nodes[i], &chunks, err));
        if (((chunks[unit->row_group].flags & STOA_CHUNK_DERIVED) != 0) == derived)
            STOA_TRY(read_selected(scan, unit, i, selection, columns, err));
    }
out:
    return st;
}

enum stoa_status stoa_scan_read_columns(struct stoa_scan *scan, const struct stoa_scan_unit *unit,
                                        struct stoa_scan_selection *selection,
                                        struct stoa_array *columns, struct stoa_error *err)
{
    enum stoa_status st = read_some_columns(scan, unit, false, selection, columns, err);

    return st == STOA_OK ? read_some_columns(scan, unit, true, selection, columns, err) : st;
}

enum stoa_status stoa_scan_unit_read(struct stoa_scan *scan, const struct stoa_scan_unit *unit,
                                     uint64_t want, struct stoa_batch *out, struct stoa_error *err)
{
    struct stoa_scan_selection selection = {0};
    struct stoa_batch batch = {0};
    enum stoa_status st;

    STOA_TRY(stoa_batch_init(&batch, &scan->schema, err));
    STOA_TRY(stoa_scan_select(scan, unit, want, &selection, err));
    batch.nrows = selection.nrows;
    if (selection.nrows > 0)
        STOA_TRY(stoa_scan_read_columns(scan, unit, &selection, batch.columns, err));
    *out = batch;
    batch = (struct stoa_batch){0};
out:
    stoa_batch_reset(&batch);
    stoa_scan_selection_reset(&selection);
    return st;
}

/* How many rows of a span the filter selects. */
static enum stoa_status count_some(struct stoa_scan *scan, uint32_t row_group,
                                   const struct stoa_scan_span *span, uint64_t *nrows,
                                   struct stoa_error *err)
{
    struct stoa_array *arrays = NULL;
    uint8_t *selected = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&arrays, scan->nfilter_nodes, sizeof(*arrays), err));
    STOA_TRY(stoa_alloc(&selected, stoa_bitmap_nbytes(span->end - span->begin), err));
    STOA_TRY(evaluate(scan, row_group, span, false, arrays, selected, err));
    *nrows += stoa_bitmap_count(selected, 0, span->end - span->begin);
out:
    free_arrays(arrays, scan->nfilter_nodes);
    stoa_free(selected);
    return st;
}

enum stoa_status stoa_scan_unit_count(struct stoa_scan *scan, const struct stoa_scan_unit *unit,
                                      uint64_t *nrows, struct stoa_error *err)
{
    struct stoa_scan_span span;
    uint32_t zone = 0;
    uint64_t count = 0;
    enum stoa_status st = STOA_OK;

    while (next_span(scan, unit, UINT32_MAX, &zone, &span)) {
        atomic_fetch_add(&scan->rows_considered, span.end - span.begin);
        if (span.always)
            count += span.end - span.begin;
        else
            STOA_TRY(count_some(scan, unit->row_group, &span, &count, err));
    }
    atomic_fetch_add(&scan->rows_selected, count);
    *nrows = count;
out:
    return st;
}

enum stoa_status stoa_scan_read_unit(struct stoa_scan *scan, uint32_t unit, struct stoa_batch *out,
                                     struct stoa_error *err)
{
    if (unit >= scan->nunits)
        return stoa_fail(err, STOA_ERR_USAGE, "unit %u of %u", unit, scan->nunits);
    return stoa_scan_unit_read(scan, &scan->units[unit], UINT64_MAX, out, err);
}
