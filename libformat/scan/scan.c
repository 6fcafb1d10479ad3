/*
 * Opening a scan: columns and filter meet the schema, then scan_prune.c leaves the units that are
 * to be read; and what became of them, counted.
 */
#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "column/schema.h"
#include "file/reader.h"
#include "scan/scan_state.h"

enum { FEW_NCOLUMNS = 16 }; /* named ones, found without the schema */

/* A matcher for the filter, and what its evaluation remembers. */
static enum stoa_status bind_filter(struct stoa_scan *scan, const struct stoa_schema *schema,
                                    const struct stoa_filter *filter, struct stoa_error *err)
{
    struct stoa_matcher *matcher;
    enum stoa_status st;

    STOA_TRY(stoa_filter_bind(filter, schema, &scan->matcher, err));
    matcher = scan->matcher;
    scan->filter_nodes = stoa_matcher_nodes(matcher, &scan->nfilter_nodes);
    STOA_TRY(stoa_alloc_zeroed(&scan->counts, matcher->nnodes, sizeof(*scan->counts), err));
    STOA_TRY(stoa_alloc_zeroed(&scan->filters, matcher->nleaves, sizeof(*scan->filters), err));
    for (uint32_t i = 0; i < matcher->nleaves; i++) {
        scan->filters[i].leaf = &matcher->leaves[i];
        scan->filters[i].type = &matcher->types[matcher->leaves[i].field];
    }
out:
    return st;
}

/* The output's columns by name, all of them without names. */
static enum stoa_status select_columns(struct stoa_scan *scan, const struct stoa_schema *schema,
                                       const struct stoa_scan_options *options,
                                       struct stoa_error *err)
{
    bool named = options->columns != NULL;
    uint32_t *columns = NULL;
    enum stoa_status st;

    scan->ncolumns = named ? options->ncolumns : schema->nfields;
    STOA_TRY(stoa_alloc_zeroed(&columns, scan->ncolumns, sizeof(*columns), err));
    STOA_TRY(stoa_alloc_zeroed(&scan->nodes, scan->ncolumns, sizeof(*scan->nodes), err));
    for (uint32_t i = 0; i < scan->ncolumns; i++) {
        columns[i] = i;
        if (named)
            STOA_TRY(stoa_schema_find(schema, options->columns[i], &columns[i], err));
        STOA_TRY(stoa_reader_column_node(scan->reader, columns[i], &scan->nodes[i], err));
    }
    STOA_TRY(stoa_schema_select(&scan->schema, schema, columns, scan->ncolumns, err));
out:
    stoa_free(columns);
    return st;
}

/* The field of the column of that name behind those of *schema; *found is false where there is none
   that is not among them already. */
static enum stoa_status add_named(struct stoa_reader *reader, const char *name,
                                  struct stoa_schema *schema, uint32_t *node, bool *found,
                                  struct stoa_error *err)
{
    struct stoa_column *column;
    enum stoa_status st;

    STOA_TRY(stoa_reader_find(reader, name, node, err));
    *found = *node != STOA_NONE32;
    for (uint32_t i = 0; i < schema->nfields; i++)
        *found = *found && strcmp(schema->fields[i].name, name) != 0;
    if (!*found)
        return STOA_OK;
    STOA_TRY(stoa_footer_column(&reader->footer, *node, &column, err));
    STOA_TRY(stoa_field_copy(&schema->fields[schema->nfields], &column->field, err));
    schema->nfields++;
out:
    return st;
}

/*
 * The same for a few names without a look at the other columns, of which there may be thousands:
 * where a node is a column, and the schema has nothing but fields. *done is false where that is not
 * so, and where something is wrong, which the whole schema tells better.
 */
static enum stoa_status select_few(struct stoa_scan *scan, const struct stoa_scan_options *options,
                                   bool *done, struct stoa_error *err)
{
    const struct stoa_footer *footer = &scan->reader->footer;
    struct stoa_schema schema = {0};
    uint32_t *nodes = NULL;
    bool found = true;
    enum stoa_status st;

    *done = false;
    if (options->columns == NULL || options->ncolumns == 0 || options->ncolumns > FEW_NCOLUMNS ||
        options->filter != NULL || footer->tree.nodes != NULL ||
        footer->by_type[STOA_SECTION_METADATA] != NULL)
        return STOA_OK;
    STOA_TRY(stoa_alloc_zeroed(&nodes, options->ncolumns, sizeof(*nodes), err));
    STOA_TRY(stoa_alloc_zeroed(&schema.fields, options->ncolumns, sizeof(schema.fields[0]), err));
    for (uint32_t i = 0; found && i < options->ncolumns; i++)
        STOA_TRY(add_named(scan->reader, options->columns[i], &schema, &nodes[i], &found, err));
    if (!found)
        goto out;
    scan->ncolumns = options->ncolumns;
    scan->nodes = nodes;
    nodes = NULL;
    scan->schema = schema;
    schema = (struct stoa_schema){0};
    *done = true;
out:
    stoa_free(nodes);
    stoa_schema_reset(&schema);
    return st == STOA_ERR_NOMEM ? st : STOA_OK;
}

enum stoa_status stoa_scan_open(struct stoa_reader *reader, const struct stoa_scan_options *options,
                                struct stoa_scan **out, struct stoa_error *err)
{
    static const struct stoa_scan_options defaults = {0};
    const struct stoa_schema *schema = NULL;
    struct stoa_scan *scan = NULL;
    bool done;
    enum stoa_status st;

    if (options == NULL)
        options = &defaults;
    STOA_TRY(stoa_alloc_zeroed(&scan, 1, sizeof(*scan), err));
    stoa_alloc_hold(); /* until the scan is closed: each row group takes as much memory again */
    scan->reader = reader;
    scan->jobs = options->jobs > 0 ? options->jobs : 1;
    scan->limit = options->limit > 0 ? options->limit : UINT64_MAX;
    scan->left = scan->limit;
    scan->window = 1;
    STOA_TRY(select_few(scan, options, &done, err));
    if (!done) {
        STOA_TRY(stoa_reader_schema(reader, &schema, err));
        STOA_TRY(select_columns(scan, schema, options, err));
    }
    if (options->filter != NULL)
        STOA_TRY(bind_filter(scan, schema, options->filter, err));
    STOA_TRY(stoa_scan_plan_units(scan, err));
    *out = scan;
    scan = NULL;
out:
    stoa_scan_close(scan);
    return st;
}

void stoa_scan_close(struct stoa_scan *scan)
{
    if (scan == NULL)
        return;
    for (uint32_t i = scan->ready_at; i < scan->nready; i++)
        stoa_batch_reset(&scan->ready[i]);
    stoa_free(scan->ready);
    stoa_free(scan->units);
    stoa_free(scan->matches);
    for (uint32_t i = 0; scan->filters != NULL && i < scan->matcher->nleaves; i++)
        stoa_chunk_filter_reset(&scan->filters[i]);
    stoa_free(scan->filters);
    stoa_free(scan->counts);
    stoa_matcher_free(scan->matcher);
    stoa_schema_reset(&scan->schema);
    stoa_free(scan->nodes);
    if (scan->has_huge)
        stoa_alloc_end_huge();
    stoa_free(scan);
    stoa_alloc_drop();
}

const struct stoa_schema *stoa_scan_schema(const struct stoa_scan *scan)
{
    return &scan->schema;
}

uint32_t stoa_scan_nunits(const struct stoa_scan *scan)
{
    return scan->nunits;
}

uint32_t stoa_scan_unit_row_group(const struct stoa_scan *scan, uint32_t unit)
{
    assert(unit < scan->nunits);
    return scan->units[unit].row_group;
}

/* Stored pages and their bytes. */
struct totals {
    uint64_t npages;
    uint64_t nbytes;
};

/* Adds the pages and bytes of the chunks of nodes [begin, end). */
static enum stoa_status count_chunks(const struct stoa_scan *scan, uint32_t begin, uint32_t end,
                                     struct totals *totals, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (uint32_t i = begin; i < end; i++) {
        for (uint32_t g = 0; g < stoa_reader_nrow_groups(scan->reader); g++) {
            struct stoa_chunk_info chunk;

            STOA_TRY(stoa_reader_chunk(scan->reader, g, i, &chunk, err));
            totals->npages += chunk.npages;
            totals->nbytes += chunk.nbytes;
        }
    }
out:
    return st;
}

/* Adds up what a scan of everything would read: columns with all that is below them, and what the
   filter reads besides, which of a node with children is its nulls. */
static enum stoa_status count_all_chunks(const struct stoa_scan *scan, struct totals *totals,
                                         struct stoa_error *err)
{
    uint32_t end;
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 0; i < scan->ncolumns; i++) {
        STOA_TRY(stoa_reader_node_end(scan->reader, scan->nodes[i], &end, err));
        STOA_TRY(count_chunks(scan, scan->nodes[i], end, totals, err));
    }
    for (uint32_t i = 0; i < scan->nfilter_nodes; i++) {
        uint32_t node = scan->filter_nodes[i];
        bool counted = false;

        STOA_TRY(stoa_reader_node_end(scan->reader, node, &end, err));
        for (uint32_t k = 0; k < scan->ncolumns; k++)
            counted |= scan->nodes[k] == node && end == node + 1;
        if (!counted)
            STOA_TRY(count_chunks(scan, node, node + 1, totals, err));
    }
out:
    return st;
}

/* A page may be read for two spans of rows: then more is read than there is. */
static struct stoa_skip skip(uint64_t total, uint64_t read)
{
    return (struct stoa_skip){
        .total = total, .skipped = read < total ? total - read : 0, .read = read};
}

enum stoa_status stoa_scan_counters_get(const struct stoa_scan *scan,
                                        struct stoa_scan_counters *out, struct stoa_error *err)
{
    struct totals totals = {0};
    enum stoa_status st = count_all_chunks(scan, &totals, err);

    if (st != STOA_OK)
        return st;
    *out = (struct stoa_scan_counters){
        .row_groups = scan->row_groups,
        .zones = scan->zones,
        .pages = skip(totals.npages, atomic_load(&scan->read_pages)),
        .bytes = skip(totals.nbytes, atomic_load(&scan->read_bytes)),
        .rows_considered = atomic_load(&scan->rows_considered),
        .rows_selected = atomic_load(&scan->rows_selected),
    };
    return STOA_OK;
}
