/*
 * Adapters between the public scan and writer and the two sides of a conversion.
 */
#include "convert/stoa_side.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "column/order.h"
#include "column/schema.h"
#include "column/type.h"
#include "convert/memory.h"
#include "file/bloom_plan.h"
#include "file/reader.h"
#include "file/row_group_write.h"
#include "file/rules.h"
#include "file/writer.h"
#include "stats/bloom.h"

#define PICKED_NROWS 65536 /* of a unit, and what is left of a row group */

/* ---- Source: the units of the scans of all files, one file after the other. ---- */

struct scanned_file {
    struct stoa_source *file;
    struct stoa_reader *reader;
    struct stoa_scan *scan;
    uint32_t next_unit;
};

struct scan_source {
    struct stoa_batch_source base;
    struct scanned_file *files;
    size_t nfiles;
    size_t first; /* the file whose units next() gives out */
    uint64_t nunits;
    uint64_t nunits_given;
    uint64_t total_nbytes;
    struct stoa_picked_rows picked; /* of the only file */
    size_t npicked_given;
};

struct scan_unit {
    struct stoa_unit base;
    const struct scanned_file *file;
    uint32_t unit;        /* of the scan, */
    const uint64_t *rows; /* or these base.nrows rows where it is not NULL */
};

static void unit_free(struct stoa_unit *unit)
{
    stoa_free(unit);
}

static bool is_text(const struct stoa_type *type)
{
    return type->id == STOA_UTF8 || type->id == STOA_BINARY;
}

/* Adds what a column of a row group takes whose size is not that of its rows alone. */
static enum stoa_status measure_column(struct stoa_reader *reader, uint32_t row_group,
                                       const struct stoa_schema_node *nodes, uint64_t *nbytes,
                                       struct stoa_error *err)
{
    uint32_t column, first;
    enum stoa_status st;

    STOA_TRY(stoa_reader_find(reader, nodes[0].field->name, &column, err));
    if (column == UINT32_MAX)
        return stoa_fail(err, STOA_ERR_CORRUPT, "name hash: it lacks a column of the schema");
    STOA_TRY(stoa_reader_column_node(reader, column, &first, err));
    for (uint32_t i = 0; i < nodes[0].nnodes; i++) {
        const struct stoa_type *type = &nodes[i].field->type;
        struct stoa_chunk_info chunk;

        if (!nodes[i].below_list && !is_text(type))
            continue;
        STOA_TRY(stoa_reader_chunk(reader, row_group, first + i, &chunk, err));
        *nbytes += stoa_memory_of_node(type, nodes[i].below_list, chunk.nvalues, chunk.nbytes);
    }
out:
    return st;
}

enum stoa_status stoa_measure_row_group(const struct stoa_schema *schema,
                                        struct stoa_reader *reader, uint32_t row_group,
                                        uint64_t *nbytes, struct stoa_error *err)
{
    struct stoa_schema_node *nodes = NULL;
    uint32_t nnodes;
    enum stoa_status st;

    *nbytes = 0;
    STOA_TRY(stoa_schema_nodes(schema, &nodes, &nnodes, err));
    for (uint32_t i = 0; i < nnodes; i += nodes[i].nnodes)
        if (nodes[i].nnodes > 1 || is_text(&nodes[i].field->type))
            STOA_TRY(measure_column(reader, row_group, &nodes[i], nbytes, err));
out:
    stoa_free(nodes);
    return st;
}

/* The next unit of the scans. */
static enum stoa_status take_unit(struct scan_source *source, struct scan_unit *unit,
                                  struct stoa_error *err)
{
    struct scanned_file *file = &source->files[source->first];
    uint32_t row_group = stoa_scan_unit_row_group(file->scan, file->next_unit);
    struct stoa_row_group rows;
    enum stoa_status st;

    STOA_TRY(stoa_reader_row_group(file->reader, row_group, &rows, err));
    STOA_TRY(stoa_measure_row_group(source->base.schema, file->reader, row_group,
                                    &unit->base.nbytes, err));
    unit->base.nrows = rows.nrows;
    unit->file = file;
    unit->unit = file->next_unit++;
    source->nunits_given++;
out:
    return st;
}

/* The next picked rows, of whole row groups: no page is read for two units. */
static enum stoa_status take_rows(struct scan_source *source, struct scan_unit *unit,
                                  struct stoa_error *err)
{
    struct stoa_reader *reader = source->files[0].reader;
    const uint64_t *rows = source->picked.rows + source->npicked_given;
    const size_t nleft = source->picked.nrows - source->npicked_given;
    size_t n = 0;
    enum stoa_status st = STOA_OK;

    while (n < nleft && n < PICKED_NROWS) {
        struct stoa_row_group group;
        uint64_t nbytes;
        uint32_t number;
        size_t before = n;

        STOA_TRY(stoa_reader_locate(reader, rows[n], &number, err));
        STOA_TRY(stoa_reader_row_group(reader, number, &group, err));
        STOA_TRY(stoa_measure_row_group(source->base.schema, reader, number, &nbytes, err));
        while (n < nleft && rows[n] - group.first_row < group.nrows)
            n++;
        unit->base.nbytes += nbytes * (n - before) / group.nrows;
    }
    unit->base.nrows = n;
    unit->file = &source->files[0];
    unit->rows = rows;
    source->npicked_given += n;
    source->nunits_given += n;
out:
    return st;
}

static enum stoa_status source_next(struct stoa_batch_source *base, struct stoa_unit **out,
                                    struct stoa_error *err)
{
    struct scan_source *source = (struct scan_source *)base;
    struct scan_unit *unit = NULL;
    bool picks = source->picked.rows != NULL;
    enum stoa_status st;

    while (source->first < source->nfiles &&
           source->files[source->first].next_unit ==
               stoa_scan_nunits(source->files[source->first].scan))
        source->first++;
    *out = NULL;
    if (picks ? source->npicked_given == source->picked.nrows : source->first == source->nfiles)
        return STOA_OK;
    STOA_TRY(stoa_alloc_zeroed(&unit, 1, sizeof(*unit), err));
    unit->base.free = unit_free;
    STOA_TRY((picks ? take_rows : take_unit)(source, unit, err));
    *out = &unit->base;
    unit = NULL;
out:
    stoa_free(unit);
    return st;
}

static enum stoa_status source_read(struct stoa_batch_source *base, struct stoa_unit *unit_base,
                                    struct stoa_batch *out, struct stoa_notes **notes,
                                    struct stoa_error *err)
{
    const struct scan_unit *unit = (const struct scan_unit *)unit_base;
    struct stoa_scan *scan = unit->file->scan;
    enum stoa_status st;

    (void)notes;
    if (unit->rows != NULL)
        st = stoa_scan_take(scan, unit->rows, (size_t)unit->base.nrows, out, err);
    else
        st = stoa_scan_read_unit(scan, unit->unit, out, err);
    if (st == STOA_OK)
        out->schema = base->schema;
    else
        st = stoa_wrap(err, st, "%s", unit->file->file->name);
    unit_free(unit_base);
    return st;
}

static void source_progress(struct stoa_batch_source *base, uint64_t *done, uint64_t *total)
{
    const struct scan_source *source = (const struct scan_source *)base;

    *total = source->total_nbytes;
    *done = source->nunits == 0 ? source->total_nbytes
                                : (uint64_t)((double)source->total_nbytes *
                                             (double)source->nunits_given / (double)source->nunits);
}

static void source_close(struct stoa_batch_source *base)
{
    struct scan_source *source = (struct scan_source *)base;

    for (size_t i = 0; i < source->nfiles; i++) {
        stoa_scan_close(source->files[i].scan);
        stoa_reader_close(source->files[i].reader);
        stoa_source_close(source->files[i].file);
    }
    stoa_free(source->files);
    stoa_free(source);
}

static enum stoa_status open_file(struct scan_source *source, const char *path,
                                  const struct stoa_scan_options *options, struct stoa_error *err)
{
    struct scanned_file *file = &source->files[source->nfiles++];
    enum stoa_status st = stoa_source_open_file(path, &file->file, err);

    if (st != STOA_OK)
        return st; /* names the file itself */
    STOA_TRY(stoa_reader_open(file->file, NULL, &file->reader, err));
    STOA_TRY(stoa_scan_open(file->reader, options, &file->scan, err));
    if (!stoa_schema_equal(stoa_scan_schema(file->scan), stoa_scan_schema(source->files[0].scan)))
        STOA_TRY(stoa_fail(err, STOA_ERR_USAGE, "another schema than %s has",
                           source->files[0].file->name));
    source->total_nbytes += file->file->nbytes;
    source->nunits += stoa_scan_nunits(file->scan);
out:
    if (st != STOA_OK)
        stoa_wrap(err, st, "%s", file->file->name);
    return st;
}

enum stoa_status stoa_scan_source_open(const char *const *paths, size_t npaths,
                                       const struct stoa_scan_options *options,
                                       struct stoa_picked_rows picked,
                                       struct stoa_batch_source **out, struct stoa_error *err)
{
    struct scan_source *source = NULL;
    enum stoa_status st;

    if (picked.rows != NULL && npaths != 1)
        return stoa_fail(err, STOA_ERR_USAGE, "rows can be picked from one file at a time");
    STOA_TRY(stoa_alloc_zeroed(&source, 1, sizeof(*source), err));
    STOA_TRY(stoa_alloc_zeroed(&source->files, npaths, sizeof(*source->files), err));
    for (size_t i = 0; i < npaths; i++)
        STOA_TRY(open_file(source, paths[i], options, err));
    source->picked = picked;
    if (picked.rows != NULL)
        source->nunits = picked.nrows;
    source->base = (struct stoa_batch_source){
        .schema = stoa_scan_schema(source->files[0].scan),
        .next = source_next,
        .read = source_read,
        .progress = source_progress,
        .close = source_close,
    };
    *out = &source->base;
    source = NULL;
out:
    if (source != NULL)
        source_close(&source->base);
    return st;
}

enum stoa_status stoa_scan_source_order(struct stoa_batch_source *base, struct stoa_sort_order *out,
                                        struct stoa_error *err)
{
    const struct scan_source *source = (const struct scan_source *)base;
    const struct stoa_sort_order *order;
    const struct stoa_schema *schema;
    enum stoa_status st;

    *out = (struct stoa_sort_order){0};
    if (source->nfiles != 1)
        return STOA_OK;
    STOA_TRY(stoa_reader_order(source->files[0].reader, &order, err));
    if (order->nkeys == 0)
        goto out;
    STOA_TRY(stoa_reader_schema(source->files[0].reader, &schema, err));
    STOA_TRY(stoa_order_copy(out, order, err));
    for (uint32_t k = 0; k < order->nkeys; k++) {
        const char *name = schema->fields[order->keys[k].column].name;
        uint32_t column = 0;

        while (column < base->schema->nfields &&
               strcmp(base->schema->fields[column].name, name) != 0)
            column++;
        if (column == base->schema->nfields) {
            out->nkeys = k;
            break;
        }
        out->keys[k].column = column;
    }
out:
    return st;
}

/* ---- Bloom filters of the files of a source. ---- */

/* Sets wanted[node] of the source's nodes that have filters in a file. */
static enum stoa_status find_blooms(const struct stoa_schema *schema,
                                    const struct stoa_schema_node *nodes,
                                    struct stoa_reader *reader, struct stoa_found_blooms *found,
                                    bool *wanted, struct stoa_error *err)
{
    const struct stoa_schema *all;
    uint32_t first = 0;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&found->has, reader->footer.trailer.nnodes, 1, err));
    STOA_TRY(stoa_bloom_find(reader, found, err));
    STOA_TRY(stoa_reader_schema(reader, &all, err));
    for (uint32_t i = 0; i < schema->nfields; i++) {
        uint32_t column, node;

        STOA_TRY(stoa_schema_find(all, schema->fields[i].name, &column, err));
        STOA_TRY(stoa_reader_column_node(reader, column, &node, err));
        for (uint32_t k = 0; k < nodes[first].nnodes; k++)
            wanted[first + k] |= found->has[node + k];
        first += nodes[first].nnodes;
    }
out:
    stoa_free(found->has);
    found->has = NULL;
    return st;
}

/* "a.b" */
static enum stoa_status name_node(const struct stoa_schema_node *nodes, uint32_t node, char **out,
                                  struct stoa_error *err)
{
    uint32_t path[STOA_MAX_FIELD_DEPTH] = {0}, depth = 0;
    struct stoa_buffer text = {0};
    enum stoa_status st = STOA_OK;

    for (; node != STOA_NO_NODE; node = nodes[node].parent)
        path[depth++] = node;
    while (depth > 0) {
        const char *name = nodes[path[--depth]].field->name;

        STOA_TRY(stoa_buffer_append(&text, name, strlen(name), err));
        STOA_TRY(stoa_buffer_append(&text, depth > 0 ? "." : "", 1, err));
    }
    *out = (char *)text.data;
    text = (struct stoa_buffer){0};
out:
    stoa_buffer_free(&text);
    return st;
}

void stoa_bloom_names_free(char **names, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        stoa_free(names[i]);
    stoa_free(names);
}

enum stoa_status stoa_scan_source_blooms(struct stoa_batch_source *base, char ***names, uint32_t *n,
                                         double *rate, struct stoa_error *err)
{
    const struct scan_source *source = (const struct scan_source *)base;
    struct stoa_found_blooms found = {0};
    struct stoa_schema_node *nodes = NULL;
    bool *wanted = NULL;
    char **list = NULL;
    uint32_t nnodes, nnames = 0;
    enum stoa_status st;

    STOA_TRY(stoa_schema_nodes(base->schema, &nodes, &nnodes, err));
    STOA_TRY(stoa_alloc_zeroed(&wanted, nnodes, 1, err));
    STOA_TRY(stoa_alloc_zeroed(&list, nnodes, sizeof(*list), err));
    for (size_t i = 0; i < source->nfiles; i++) {
        st = find_blooms(base->schema, nodes, source->files[i].reader, &found, wanted, err);
        if (st != STOA_OK) {
            stoa_wrap(err, st, "%s", source->files[i].file->name);
            goto out;
        }
    }
    for (uint32_t i = 0; i < nnodes; i++) {
        if (!wanted[i])
            continue;
        STOA_TRY(name_node(nodes, i, &list[nnames], err));
        nnames++;
    }
    *rate = stoa_bloom_rate(found.nbits);
    *names = list;
    *n = nnames;
    list = NULL;
    nnames = 0;
out:
    stoa_bloom_names_free(list, nnames);
    stoa_free(wanted);
    stoa_free(nodes);
    return st;
}

/* ---- Sink: the four steps of the writer. ---- */

struct writer_sink {
    struct stoa_batch_sink base;
    struct stoa_rules rules;
    struct stoa_writer *writer;
};

static struct stoa_writer *writer_of(struct stoa_batch_sink *base)
{
    return ((struct writer_sink *)base)->writer;
}

static void sink_set_crew(struct stoa_batch_sink *base, struct stoa_crew *crew)
{
    stoa_writer_set_crew(writer_of(base), crew);
}

static enum stoa_status sink_prepare(struct stoa_batch_sink *base, uint64_t ordinal,
                                     struct stoa_batch *batch, void **item, struct stoa_error *err)
{
    struct stoa_writer_group *group;
    enum stoa_status st = stoa_writer_prepare(writer_of(base), ordinal, batch, &group, err);

    if (st == STOA_OK)
        *item = group;
    return st;
}

static enum stoa_status sink_set_side(struct stoa_batch_sink *base, void *item,
                                      struct stoa_side *side, struct stoa_error *err)
{
    (void)base;
    return stoa_writer_group_set_side(item, side, err);
}

static enum stoa_status sink_add_sources(struct stoa_batch_sink *base,
                                         const struct stoa_source_info *sources, size_t nsources,
                                         struct stoa_error *err)
{
    return stoa_writer_add_sources(writer_of(base), sources, nsources, err);
}

static enum stoa_status sink_sequence(struct stoa_batch_sink *base, void *item,
                                      struct stoa_error *err)
{
    return stoa_writer_sequence(writer_of(base), item, err);
}

static enum stoa_status sink_encode(struct stoa_batch_sink *base, void *item,
                                    struct stoa_error *err)
{
    return stoa_writer_encode(writer_of(base), item, err);
}

static enum stoa_status sink_commit(struct stoa_batch_sink *base, void *item,
                                    struct stoa_error *err)
{
    return stoa_writer_commit(writer_of(base), item, err);
}

static void sink_item_free(struct stoa_batch_sink *base, void *item)
{
    (void)base;
    stoa_writer_group_free(item);
}

static uint64_t sink_encoded_nbytes(const void *item)
{
    return stoa_row_group_encoded_nbytes(item);
}

static uint64_t sink_kept_nbytes(struct stoa_batch_sink *base)
{
    return stoa_writer_kept_nbytes(writer_of(base));
}

static enum stoa_status sink_finish(struct stoa_batch_sink *base, struct stoa_error *err)
{
    return stoa_writer_finish(writer_of(base), err);
}

static void sink_close(struct stoa_batch_sink *base)
{
    stoa_writer_close(writer_of(base));
    stoa_free(base);
}

enum stoa_status stoa_writer_sink_open(struct stoa_sink *sink, const struct stoa_schema *schema,
                                       const struct stoa_writer_options *options,
                                       const struct stoa_rules *rules, uint64_t memory_nbytes,
                                       struct stoa_batch_sink **out, struct stoa_error *err)
{
    struct writer_sink *mine = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&mine, 1, sizeof(*mine), err));
    mine->rules = *rules;
    if (mine->rules.footer_max_nbytes > memory_nbytes / STOA_FOOTER_SHARE)
        mine->rules.footer_max_nbytes = memory_nbytes / STOA_FOOTER_SHARE;
    STOA_TRY(stoa_writer_open_rules(sink, schema, options, &mine->rules, &mine->writer, err));
    mine->base = (struct stoa_batch_sink){
        .wants_groups = true,
        .set_crew = sink_set_crew,
        .helper_nbytes = rules->encoder_nbytes,
        .prepare = sink_prepare,
        .set_side = sink_set_side,
        .sequence = sink_sequence,
        .encode = sink_encode,
        .commit = sink_commit,
        .item_free = sink_item_free,
        .encoded_nbytes = sink_encoded_nbytes,
        .kept_nbytes = sink_kept_nbytes,
        .add_sources = sink_add_sources,
        .finish = sink_finish,
        .close = sink_close,
    };
    *out = &mine->base;
    mine = NULL;
out:
    stoa_free(mine);
    return st;
}
