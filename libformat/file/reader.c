/*
 * The public side of reading (stoa/reader.h): opening, names, rows, columns and nodes, zone maps.
 */
#include "file/reader.h"
#include "file/bases.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "file/schema_bytes.h"
#include "file/sources_read.h"
#include "stats/zonemap.h"

#define DEFAULT_MEMORY_NBYTES (UINT64_C(1) << 30)
#define KEPT_MAX_NBYTES       (64u << 20)

/* Of a node below a list in all row groups that a file may have. */
#define MAX_NVALUES (STOA_CHUNK_MAX_NVALUES * (UINT64_C(1) << 24))

/* ---- Scratches. ---- */

static void scratch_free(struct stoa_read_scratch *scratch)
{
    if (scratch == NULL)
        return;
    stoa_decoder_free(scratch->decoder);
    stoa_buffer_free(&scratch->stored);
    stoa_buffer_free(&scratch->values);
    stoa_free(scratch);
}

enum stoa_status stoa_reader_scratch_take(struct stoa_reader *reader,
                                          struct stoa_read_scratch **out, struct stoa_error *err)
{
    struct stoa_read_scratch *scratch = NULL;
    enum stoa_status st;

    for (size_t i = 0; i < STOA_READER_NSCRATCHES && scratch == NULL; i++)
        scratch = atomic_exchange(&reader->scratches[i], NULL);
    if (scratch == NULL) {
        STOA_TRY(stoa_alloc_zeroed(&scratch, 1, sizeof(*scratch), err));
        STOA_TRY(stoa_decoder_new(&scratch->decoder, err));
    }
    *out = scratch;
    return STOA_OK;
out:
    scratch_free(scratch);
    return st;
}

void stoa_reader_scratch_give(struct stoa_reader *reader, struct stoa_read_scratch *scratch)
{
    for (size_t i = 0; i < STOA_READER_NSCRATCHES && scratch != NULL; i++) {
        void *empty = NULL;

        if (atomic_compare_exchange_strong(&reader->scratches[i], &empty, scratch))
            return;
    }
    scratch_free(scratch);
}

/* ---- Open and close. ---- */

enum stoa_status stoa_reader_open(struct stoa_source *source,
                                  const struct stoa_reader_options *options,
                                  struct stoa_reader **out, struct stoa_error *err)
{
    uint64_t memory = options != NULL ? options->memory_nbytes : 0;
    struct stoa_reader *reader = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&reader, 1, sizeof(*reader), err));
    if (memory == 0)
        memory = DEFAULT_MEMORY_NBYTES;
    stoa_keeper_init(&reader->kept,
                     memory / 16 < KEPT_MAX_NBYTES ? (size_t)memory / 16 : KEPT_MAX_NBYTES);
    STOA_TRY(stoa_footer_open(&reader->footer, source, memory, err));
    *out = reader;
    reader = NULL;
out:
    stoa_reader_close(reader);
    return st;
}

static void schema_free(struct stoa_schema *schema)
{
    if (schema == NULL)
        return;
    stoa_schema_reset(schema);
    stoa_free(schema);
}

void stoa_reader_close(struct stoa_reader *reader)
{
    if (reader == NULL)
        return;
    for (size_t i = 0; i < STOA_READER_NSCRATCHES; i++)
        scratch_free(atomic_load(&reader->scratches[i]));
    schema_free(stoa_once_get(&reader->schema));
    stoa_free(stoa_once_get(&reader->sides));
    stoa_reader_order_free(reader);
    stoa_source_index_free(stoa_once_get(&reader->sources));
    stoa_dictionaries_reset(&reader->dictionaries);
    stoa_keeper_reset(&reader->kept);
    stoa_footer_reset(&reader->footer);
    stoa_free(reader);
}

/* ---- Schema and names. ---- */

static enum stoa_status load_schema(struct stoa_footer *footer, struct stoa_schema **out,
                                    struct stoa_error *err)
{
    const uint8_t *pool, *metadata;
    size_t pool_nbytes, metadata_nbytes;
    struct stoa_schema *schema = NULL;
    struct stoa_node *nodes = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_footer_nodes(footer, &nodes, err));
    STOA_TRY(stoa_footer_section_whole(footer, STOA_SECTION_POOL, &pool, &pool_nbytes, err));
    STOA_TRY(
        stoa_footer_section_whole(footer, STOA_SECTION_METADATA, &metadata, &metadata_nbytes, err));
    STOA_TRY(stoa_alloc_zeroed(&schema, 1, sizeof(*schema), err));
    STOA_TRY(stoa_schema_parse_nodes(nodes, footer->trailer.nnodes, pool, pool_nbytes, metadata,
                                     metadata_nbytes, schema, err));
    *out = schema;
    schema = NULL;
out:
    schema_free(schema);
    stoa_free(nodes);
    return st;
}

enum stoa_status stoa_reader_schema(struct stoa_reader *reader, const struct stoa_schema **out,
                                    struct stoa_error *err)
{
    struct stoa_schema *mine = NULL;
    enum stoa_status st = STOA_OK;

    if (stoa_once_get(&reader->schema) == NULL) {
        STOA_TRY(load_schema(&reader->footer, &mine, err));
        if (stoa_once_publish(&reader->schema, mine) != mine)
            schema_free(mine);
    }
    *out = stoa_once_get(&reader->schema);
out:
    return st;
}

enum stoa_status stoa_reader_find(struct stoa_reader *reader, const char *name, uint32_t *column,
                                  struct stoa_error *err)
{
    return stoa_footer_find(&reader->footer, name, column, err);
}

enum stoa_status stoa_reader_wrap(struct stoa_reader *reader, uint32_t row_group, uint32_t node,
                                  enum stoa_status st, struct stoa_error *err)
{
    stoa_footer_wrap(&reader->footer, node, st, err);
    return stoa_wrap(err, st, "row group %" PRIu32, row_group);
}

/* ---- Rows and row groups. ---- */

uint64_t stoa_reader_nrows(const struct stoa_reader *reader)
{
    return reader->footer.trailer.nrows;
}

uint32_t stoa_reader_ncolumns(const struct stoa_reader *reader)
{
    return reader->footer.ncolumns;
}

uint32_t stoa_reader_nnodes(const struct stoa_reader *reader)
{
    return reader->footer.trailer.nnodes;
}

enum stoa_status stoa_reader_column_node(const struct stoa_reader *reader, uint32_t column,
                                         uint32_t *node, struct stoa_error *err)
{
    if (column >= reader->footer.ncolumns)
        return stoa_fail(err, STOA_ERR_USAGE, "column %" PRIu32 " of %" PRIu32, column,
                         reader->footer.ncolumns);
    *node = stoa_footer_column_node(&reader->footer, column);
    return STOA_OK;
}

uint32_t stoa_reader_nrow_groups(const struct stoa_reader *reader)
{
    return reader->footer.ngroups;
}

uint64_t stoa_reader_identity(const struct stoa_reader *reader)
{
    return reader->footer.trailer.table_hash;
}

uint64_t stoa_reader_nbad_copies(const struct stoa_reader *reader)
{
    return atomic_load(&reader->dictionaries.nbad_copies);
}

static enum stoa_status check_group(const struct stoa_reader *reader, uint32_t row_group,
                                    struct stoa_error *err)
{
    if (row_group < reader->footer.ngroups)
        return STOA_OK;
    return stoa_fail(err, STOA_ERR_USAGE, "row group %" PRIu32 " of %" PRIu32, row_group,
                     reader->footer.ngroups);
}

static enum stoa_status check_node(const struct stoa_reader *reader, uint32_t node,
                                   struct stoa_error *err)
{
    if (node < reader->footer.trailer.nnodes)
        return STOA_OK;
    return stoa_fail(err, STOA_ERR_USAGE, "node %" PRIu32 " of %" PRIu32, node,
                     reader->footer.trailer.nnodes);
}

enum stoa_status stoa_reader_node_end(const struct stoa_reader *reader, uint32_t node,
                                      uint32_t *end, struct stoa_error *err)
{
    enum stoa_status st = check_node(reader, node, err);

    if (st == STOA_OK)
        *end = node + stoa_footer_subtree(&reader->footer, node);
    return st;
}

enum stoa_status stoa_reader_check(const struct stoa_reader *reader, uint32_t row_group,
                                   uint32_t node, struct stoa_error *err)
{
    enum stoa_status st = check_group(reader, row_group, err);

    return st == STOA_OK ? check_node(reader, node, err) : st;
}

enum stoa_status stoa_reader_row_group(struct stoa_reader *reader, uint32_t row_group,
                                       struct stoa_row_group *out, struct stoa_error *err)
{
    enum stoa_status st = check_group(reader, row_group, err);
    const struct stoa_row_group_entry *entry;

    if (st != STOA_OK)
        return st;
    entry = &reader->footer.groups[row_group];
    *out = (struct stoa_row_group){
        .first_row = entry->first_row,
        .first_zone = entry->first_zone,
        .nrows = entry->nrows,
        .nzones = (uint32_t)stoa_zone_count(entry->nrows),
    };
    return STOA_OK;
}

enum stoa_status stoa_reader_locate(struct stoa_reader *reader, uint64_t row, uint32_t *row_group,
                                    struct stoa_error *err)
{
    const struct stoa_row_group_entry *groups = reader->footer.groups;
    uint32_t low = 0, high = reader->footer.ngroups;

    if (row >= reader->footer.trailer.nrows)
        return stoa_fail(err, STOA_ERR_USAGE, "row %" PRIu64 " of %" PRIu64, row,
                         reader->footer.trailer.nrows);
    while (high - low > 1) { /* groups[low].first_row <= row < groups[high].first_row */
        uint32_t middle = low + (high - low) / 2;

        if (groups[middle].first_row <= row)
            low = middle;
        else
            high = middle;
    }
    *row_group = low;
    return STOA_OK;
}

/* A node with a value for each row, and rows of the row group. */
static enum stoa_status check_rows(const struct stoa_reader *reader, uint32_t row_group,
                                   uint32_t node, struct stoa_rows rows, struct stoa_error *err)
{
    const struct stoa_footer *footer = &reader->footer;
    enum stoa_status st;

    STOA_TRY(stoa_reader_check(reader, row_group, node, err));
    if (footer->tree.nodes != NULL && footer->tree.nodes[node].below_list)
        return stoa_fail(err, STOA_ERR_USAGE, "node %" PRIu32 " has no value of each row", node);
    if (rows.begin >= rows.end || rows.end > footer->groups[row_group].nrows)
        return stoa_fail(err, STOA_ERR_USAGE,
                         "rows %" PRIu64 " to %" PRIu64 " of a row group of %" PRIu32, rows.begin,
                         rows.end, footer->groups[row_group].nrows);
out:
    return st;
}

enum stoa_status stoa_reader_node(struct stoa_reader *reader, uint32_t row_group, uint32_t node,
                                  struct stoa_rows rows, struct stoa_array *out,
                                  struct stoa_read_counters *counters, struct stoa_error *err)
{
    struct stoa_range values = {(uint32_t)rows.begin, (uint32_t)rows.end};
    enum stoa_status st = check_rows(reader, row_group, node, rows, err);

    return st == STOA_OK ? stoa_node_read(reader, row_group, node, values, out, counters, err) : st;
}

enum stoa_status stoa_reader_nulls(struct stoa_reader *reader, uint32_t row_group, uint32_t node,
                                   struct stoa_rows rows, struct stoa_array *out,
                                   struct stoa_read_counters *counters, struct stoa_error *err)
{
    struct stoa_budget budget = {reader->footer.memory_nbytes, reader->footer.memory_nbytes};
    struct stoa_range values = {(uint32_t)rows.begin, (uint32_t)rows.end}, children;
    enum stoa_status st = check_rows(reader, row_group, node, rows, err);

    if (st == STOA_OK)
        st = stoa_chunk_read(reader, row_group, node, values, &budget, NULL, out, &children,
                             counters, err);
    if (st == STOA_OK && stoa_footer_subtree(&reader->footer, node) > 1) {
        stoa_free(out->offsets);
        out->offsets = NULL;
    }
    return st;
}

enum stoa_status stoa_reader_column(struct stoa_reader *reader, uint32_t row_group, uint32_t column,
                                    struct stoa_rows rows, struct stoa_array *out,
                                    struct stoa_read_counters *counters, struct stoa_error *err)
{
    uint32_t node;
    enum stoa_status st;

    STOA_TRY(stoa_reader_column_node(reader, column, &node, err));
    st = stoa_reader_node(reader, row_group, node, rows, out, counters, err);
out:
    return st;
}

/* ---- Zone maps. ---- */

enum stoa_status stoa_reader_zone(struct stoa_reader *reader, uint32_t node, uint32_t row_group,
                                  uint32_t zone, struct stoa_zone *out, struct stoa_error *err)
{
    struct stoa_footer *footer = &reader->footer;
    enum stoa_zone_level level = STOA_ZONE_OF_FILE;
    uint64_t nvalues = footer->trailer.nrows, number = 0, entry;
    struct stoa_column *info;
    const uint8_t *stats;
    enum stoa_status st;

    STOA_TRY(check_node(reader, node, err));
    if (row_group != UINT32_MAX) {
        const struct stoa_row_group_entry *group;

        STOA_TRY(check_group(reader, row_group, err));
        group = &footer->groups[row_group];
        level = zone == UINT32_MAX ? STOA_ZONE_OF_ROW_GROUP : STOA_ZONE_OF_ROWS;
        nvalues = group->nrows;
        if (zone != UINT32_MAX) {
            if (zone >= stoa_zone_count(group->nrows))
                return stoa_fail(err, STOA_ERR_USAGE, "zone %" PRIu32 " of %" PRIu64, zone,
                                 stoa_zone_count(group->nrows));
            number = group->first_zone + zone;
            nvalues = group->nrows - (uint64_t)zone * STOA_ZONE_NROWS;
            nvalues = nvalues < STOA_ZONE_NROWS ? nvalues : STOA_ZONE_NROWS;
        }
    }
    STOA_TRY(stoa_footer_column(footer, node, &info, err));
    if (footer->trailer.nrows == 0) { /* nothing is stored */
        *out = stoa_zone_empty(&info->field.type);
        return STOA_OK;
    }
    STOA_TRY(stoa_footer_stats(footer, node, &stats, err));
    entry = stoa_zone_entry(footer->ngroups, footer->nzones, level, row_group, number);
    if (info->place.below_list)
        nvalues = MAX_NVALUES;
    st = stoa_zone_unpack(&info->field.type, info->place.below_list,
                          stats + entry * info->entry.stats_stride, nvalues, out, err);
    if (st != STOA_OK) {
        stoa_wrap(err, st, "statistics: entry %" PRIu64, entry);
        stoa_footer_wrap(footer, node, st, err);
    }
out:
    return st;
}

/* ---- Chunks. ---- */

enum stoa_status stoa_reader_chunk(struct stoa_reader *reader, uint32_t row_group, uint32_t node,
                                   struct stoa_chunk_info *out, struct stoa_error *err)
{
    const struct stoa_chunk *chunks, *chunk;
    uint32_t nvalues;
    const char *encoding;
    enum stoa_status st;

    STOA_TRY(stoa_reader_check(reader, row_group, node, err));
    STOA_TRY(stoa_footer_chunks(&reader->footer, node, &chunks, err));
    STOA_TRY(stoa_footer_nvalues(&reader->footer, node, row_group, &nvalues, err));
    chunk = &chunks[row_group];
    encoding = stoa_encoding_name(chunk->encoding);
    *out = (struct stoa_chunk_info){
        .offset = chunk->offset,
        .nbytes = chunk->nbytes,
        .nvalues = nvalues,
        .nnulls = chunk->nnulls,
        .npages = stoa_chunk_npages(chunk->flags, chunk->page_shift, nvalues),
        .dictionary = chunk->flags & STOA_CHUNK_SHARED_DICT ? chunk->dict_index : UINT32_MAX,
        .bases = {UINT32_MAX, UINT32_MAX},
        .local_dictionary = chunk->flags & STOA_CHUNK_LOCAL_DICT,
        .encoding = encoding != NULL ? encoding : "unknown",
    };
    if (chunk->flags & STOA_CHUNK_DERIVED) {
        stoa_bases_unpack(chunk->dict_index, out->bases);
        if (out->bases[1] == STOA_BASE_NONE)
            out->bases[1] = UINT32_MAX;
    }
    if (out->npages > 0)
        out->page_nvalues = UINT32_C(1) << chunk->page_shift;
out:
    return st;
}
