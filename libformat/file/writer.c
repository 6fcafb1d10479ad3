/*
 * Writing files (spec/format.md, section 3; stoa/writer.h has the four steps).
 *
 *     HEAD  SCHM  [DICT.. RGRP SIDE]  [DICT.. RGRP SIDE]  ..  [DICT copies]  FOOT
 *
 * What a row group becomes is made in row_group_write.c and settled in sequencer.c; assemble.c
 * gives it its place in the file. Who may touch what, as steps of different row groups run side by
 * side:
 *
 *     prepare, encode   the schema and the rules, which never change; an encoder from the slots
 *     sequence          the sequencer and nsequenced
 *     commit            the assembler, ncommitted
 *     open, append, finish, close   everything: no step runs beside them
 *
 * Only `failed` is common to sequence and commit.
 */
#include "file/writer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/error.h"
#include "column/order.h"
#include "file/assemble.h"
#include "file/bloom_plan.h"
#include "file/encoder_pool.h"
#include "file/row_group_write.h"

/* Rows that were appended and make no full row group yet. */
struct pending {
    struct stoa_array **pieces; /* each an array a column */
    size_t npieces, capacity;
    uint64_t nrows;
    uint64_t nbytes;
};

struct stoa_writer {
    const struct stoa_rules *rules;
    struct stoa_writer_options options;
    struct stoa_schema schema;
    struct stoa_sort_order order;   /* of the rows; `{0}`: any */
    struct stoa_order_edges edges;  /* of the row group that was committed last */
    struct stoa_schema_node *nodes; /* of the schema */
    uint32_t nnodes;
    uint32_t ntexts; /* of the nodes, how many have shared dictionaries */
    uint8_t *blooms; /* of each node, bits a value of its Bloom filters; NULL: none has any */

    struct stoa_encoder_pool encoders;

    struct stoa_sequencer *sequencer;
    struct stoa_assembler file;
    uint64_t nsequenced, ncommitted;
    atomic_bool
        failed; /* a step in order went wrong, or the footer is written: nothing fits behind */

    /* What stoa_writer_kept_nbytes() adds up: set by sequence, and by commit. */
    atomic_uint_fast64_t chains_nbytes, rest_nbytes;

    struct pending pending;
    uint64_t row_nbytes; /* Arrow bytes of a row, text and nested columns apart */
};

/* ---- Opening and closing ---- */

/* Whether the values of a column take more or less memory. */
static bool varies(const struct stoa_type *type)
{
    return stoa_type_shares_dictionary(type) || stoa_type_is_nested(type->id);
}

static uint64_t bytes_of_row(const struct stoa_schema *schema)
{
    uint64_t nbytes = 0;

    for (uint32_t i = 0; i < schema->nfields; i++) {
        const struct stoa_type *type = &schema->fields[i].type;

        if (!varies(type))
            nbytes += type->id == STOA_BOOL ? 1 : stoa_type_width(type);
    }
    return nbytes;
}

static enum stoa_status check_options(struct stoa_writer_options *options, struct stoa_error *err)
{
    if (options->row_group_nrows == 0)
        options->row_group_nrows = STOA_ROW_GROUP_NROWS;
    if (options->row_group_nbytes == 0)
        options->row_group_nbytes = STOA_ROW_GROUP_NBYTES;
    if (options->row_group_nrows > STOA_ROW_GROUP_MAX_NROWS)
        return stoa_fail(err, STOA_ERR_USAGE,
                         "row groups of %" PRIu32 " rows; a row group has at most %d",
                         options->row_group_nrows, STOA_ROW_GROUP_MAX_NROWS);
    return STOA_OK;
}

enum stoa_status stoa_writer_open_rules(struct stoa_sink *sink, const struct stoa_schema *schema,
                                        const struct stoa_writer_options *options,
                                        const struct stoa_rules *rules, struct stoa_writer **out,
                                        struct stoa_error *err)
{
    struct stoa_writer *writer = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&writer, 1, sizeof(*writer), err));
    stoa_encoder_pool_init(&writer->encoders, rules, options == NULL || !options->no_page_checks);
    atomic_init(&writer->chains_nbytes, 0);
    atomic_init(&writer->rest_nbytes, 0);
    atomic_init(&writer->failed, false);
    writer->rules = rules;
    if (options != NULL)
        writer->options = *options;
    STOA_TRY(check_options(&writer->options, err));
    STOA_TRY(stoa_schema_copy(&writer->schema, schema, err));
    if (writer->options.order != NULL) {
        STOA_TRY(stoa_order_check(writer->options.order, &writer->schema, err));
        STOA_TRY(stoa_order_copy(&writer->order, writer->options.order, err));
    }
    STOA_TRY(stoa_assembler_init(&writer->file, sink, &writer->schema, rules, err));
    writer->file.footer.order = &writer->order;
    STOA_TRY(stoa_schema_nodes(&writer->schema, &writer->nodes, &writer->nnodes, err));
    STOA_TRY(stoa_bloom_plan(&writer->options, &writer->schema, writer->nodes, writer->nnodes,
                             &writer->blooms, err));
    writer->row_nbytes = bytes_of_row(&writer->schema);
    writer->ntexts = stoa_nodes_count_texts(writer->nodes, writer->nnodes);
    STOA_TRY(stoa_sequencer_new(&writer->sequencer, rules, writer->nnodes, writer->ntexts, err));
    *out = writer;
    writer = NULL;
out:
    stoa_writer_close(writer);
    return st;
}

enum stoa_status stoa_writer_open(struct stoa_sink *sink, const struct stoa_schema *schema,
                                  const struct stoa_writer_options *options,
                                  struct stoa_writer **out, struct stoa_error *err)
{
    const struct stoa_rules *rules =
        stoa_rules_of_level(options != NULL ? options->level : STOA_LEVEL_BALANCED);

    if (rules == NULL)
        return stoa_fail(err, STOA_ERR_USAGE, "there is no level %d", (int)options->level);
    return stoa_writer_open_rules(sink, schema, options, rules, out, err);
}

static void piece_free(struct stoa_array *columns, uint32_t ncolumns)
{
    for (uint32_t i = 0; columns != NULL && i < ncolumns; i++)
        stoa_array_reset(&columns[i]);
    stoa_free(columns);
}

static void pending_reset(struct pending *pending, uint32_t ncolumns)
{
    for (size_t i = 0; i < pending->npieces; i++)
        piece_free(pending->pieces[i], ncolumns);
    stoa_free(pending->pieces);
    *pending = (struct pending){0};
}

void stoa_writer_close(struct stoa_writer *writer)
{
    if (writer == NULL)
        return;
    pending_reset(&writer->pending, writer->schema.nfields);
    stoa_assembler_reset(&writer->file);
    stoa_sequencer_free(writer->sequencer);
    stoa_encoder_pool_reset(&writer->encoders);
    stoa_free(writer->nodes);
    stoa_free(writer->blooms);
    stoa_order_edges_reset(&writer->edges);
    stoa_order_reset(&writer->order);
    stoa_schema_reset(&writer->schema);
    stoa_free(writer);
}

void stoa_writer_set_crew(struct stoa_writer *writer, struct stoa_crew *crew)
{
    writer->encoders.crew = crew;
}

uint64_t stoa_writer_nrows(const struct stoa_writer *writer)
{
    return writer->file.footer.nrows;
}

uint64_t stoa_writer_nbytes(const struct stoa_writer *writer)
{
    return writer->file.offset;
}

uint64_t stoa_writer_kept_nbytes(const struct stoa_writer *writer)
{
    return atomic_load(&writer->chains_nbytes) + atomic_load(&writer->rest_nbytes);
}

/* ---- The four steps ---- */

static enum stoa_status check_batch(const struct stoa_writer *writer,
                                    const struct stoa_batch *batch, struct stoa_error *err)
{
    const struct stoa_schema *schema = &writer->schema;
    uint32_t node = 0;
    enum stoa_status st = STOA_OK;

    if (batch->ncolumns != schema->nfields)
        return stoa_fail(err, STOA_ERR_USAGE,
                         "a batch of %" PRIu32 " columns for a file of %" PRIu32, batch->ncolumns,
                         schema->nfields);
    for (uint32_t i = 0; st == STOA_OK && i < batch->ncolumns; i++) {
        st = stoa_nodes_check(writer->nodes, node, &batch->columns[i], batch->nrows, err);
        node += writer->nodes[node].nnodes;
    }
    return st;
}

static enum stoa_status fail_order(const struct stoa_writer *writer, uint64_t ordinal, size_t row,
                                   struct stoa_error *err)
{
    enum stoa_status st;
    char *text;

    st = stoa_order_print(&writer->order, &writer->schema, &text, err);
    if (st != STOA_OK)
        return st;
    st = stoa_fail(err, STOA_ERR_DATA,
                   "rows are not sorted by %s: row %zu of row group %" PRIu64
                   " comes before the one in front of it",
                   text, row, ordinal);
    stoa_free(text);
    return st;
}

/* Whether the rows of a batch are in order; its edges are for the neighbours. */
static enum stoa_status check_rows(const struct stoa_writer *writer, uint64_t ordinal,
                                   const struct stoa_batch *batch, struct stoa_order_edges *edges,
                                   struct stoa_error *err)
{
    struct stoa_batch rows = *batch;
    size_t wrong;

    if (writer->order.nkeys == 0)
        return STOA_OK;
    rows.schema = &writer->schema;
    wrong = stoa_order_first_wrong(&writer->order, &rows);
    if (wrong < batch->nrows)
        return fail_order(writer, ordinal, wrong, err);
    return stoa_order_edges_take(&writer->order, &rows, edges, err);
}

enum stoa_status stoa_writer_prepare(struct stoa_writer *writer, uint64_t ordinal,
                                     struct stoa_batch *batch, struct stoa_writer_group **out,
                                     struct stoa_error *err)
{
    struct stoa_order_edges edges = {0};
    enum stoa_status st = check_batch(writer, batch, err);

    if (st != STOA_OK)
        return st;
    if (batch->nrows < 1 || batch->nrows > STOA_ROW_GROUP_MAX_NROWS)
        return stoa_fail(err, STOA_ERR_USAGE, "a row group of %zu rows; it has 1 to %d",
                         batch->nrows, STOA_ROW_GROUP_MAX_NROWS);
    STOA_TRY(check_rows(writer, ordinal, batch, &edges, err));
    st = stoa_row_group_prepare(&writer->encoders, writer->rules, writer->nodes, writer->nnodes,
                                NULL, writer->ntexts, ordinal, batch, out, err);
    if (st == STOA_OK) {
        (*out)->edges = edges;
        (*out)->blooms = writer->blooms;
        edges = (struct stoa_order_edges){0};
    }
out:
    stoa_order_edges_reset(&edges);
    return st;
}

/* Steps in order after one that failed, or not in order, would make a file of nonsense. */
static enum stoa_status check_order(const struct stoa_writer *writer, uint64_t ordinal,
                                    uint64_t expected, const char *step, struct stoa_error *err)
{
    if (writer->failed)
        return stoa_fail(err, STOA_ERR_USAGE, "the file is finished, or writing it failed");
    if (ordinal != expected)
        return stoa_fail(err, STOA_ERR_USAGE, "%s of row group %" PRIu64 ", the next is %" PRIu64,
                         step, ordinal, expected);
    return STOA_OK;
}

enum stoa_status stoa_writer_sequence(struct stoa_writer *writer, struct stoa_writer_group *group,
                                      struct stoa_error *err)
{
    enum stoa_status st = check_order(writer, group->ordinal, writer->nsequenced, "sequence", err);

    if (st != STOA_OK)
        return st;
    st = stoa_row_group_settle(writer->sequencer, group, err);
    if (st != STOA_OK)
        writer->failed = true;
    atomic_store(&writer->chains_nbytes, stoa_sequencer_memory(writer->sequencer));
    writer->nsequenced++;
    return st;
}

enum stoa_status stoa_writer_group_set_side(struct stoa_writer_group *group, struct stoa_side *side,
                                            struct stoa_error *err)
{
    return stoa_row_group_set_side(group, group->ncolumns, side, err);
}

enum stoa_status stoa_writer_encode(struct stoa_writer *writer, struct stoa_writer_group *group,
                                    struct stoa_error *err)
{
    return stoa_row_group_encode(&writer->encoders, writer->rules, writer->nodes, group, err);
}

static enum stoa_status commit_segment(struct stoa_writer *writer, struct stoa_segment *segment,
                                       struct stoa_error *err)
{
    struct stoa_dictdir_entry entry = stoa_segment_entry(segment);

    assert(segment->index == writer->file.footer.nsegments);
    return stoa_assembler_add_segment(&writer->file, &entry, segment->dir_nbytes, &segment->body,
                                      err);
}

static enum stoa_status commit_group(struct stoa_writer *writer, struct stoa_writer_group *group,
                                     struct stoa_error *err)
{
    struct stoa_new_chunk *chunks = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&chunks, group->nnodes, sizeof(chunks[0]), err));
    for (uint32_t i = 0; i < group->nnodes; i++) {
        struct stoa_group_node *node = &group->nodes[i];
        bool shared = node->entry.flags & STOA_CHUNK_SHARED_DICT;

        if (node->sequenced.has_segment)
            STOA_TRY(commit_segment(writer, &node->sequenced.segment, err));
        chunks[i] = (struct stoa_new_chunk){
            .entry = node->entry,
            .dict_index = shared ? node->sequenced.dict_index : STOA_NONE32,
            .zones = &node->zones,
            .all = &node->all,
            .notes = node->notes,
        };
    }
    STOA_TRY(stoa_assembler_begin_group(&writer->file, group->nrows, chunks, err));
    for (uint32_t i = 0; i < group->nnodes; i++) {
        const struct stoa_buffer *chunk = &group->nodes[i].chunk;

        if (chunk->nbytes == 0)
            continue;
        STOA_TRY(stoa_assembler_begin_chunk(&writer->file, i, err));
        STOA_TRY(stoa_assembler_write(&writer->file, chunk->data, chunk->nbytes, err));
    }
    STOA_TRY(stoa_assembler_end_group(&writer->file, err));
    if (group->side_body.nbytes > 0)
        STOA_TRY(
            stoa_assembler_add_side(&writer->file, group->side_dir_nbytes, &group->side_body, err));
out:
    stoa_free(chunks);
    return st;
}

enum stoa_status stoa_writer_commit(struct stoa_writer *writer, struct stoa_writer_group *group,
                                    struct stoa_error *err)
{
    enum stoa_status st = check_order(writer, group->ordinal, writer->ncommitted, "commit", err);

    if (st == STOA_OK) {
        if (stoa_order_edges_join(&writer->order, &writer->schema, &writer->edges, &group->edges) <
            writer->order.nkeys)
            st = fail_order(writer, group->ordinal, 0, err);
        if (st == STOA_OK)
            st = commit_group(writer, group, err);
        stoa_order_edges_reset(&writer->edges);
        writer->edges = group->edges;
        group->edges = (struct stoa_order_edges){0};
        if (st != STOA_OK)
            writer->failed = true;
        atomic_store(&writer->rest_nbytes, stoa_assembler_memory(&writer->file));
        writer->ncommitted++;
    }
    stoa_writer_group_free(group);
    return st;
}

enum stoa_status stoa_writer_add_sources(struct stoa_writer *writer,
                                         const struct stoa_source_info *infos, size_t n,
                                         struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(check_order(writer, 0, 0, "sources", err));
    for (size_t i = 0; i < n; i++)
        STOA_TRY(stoa_footer_add_source(&writer->file.footer, &infos[i], err));
    atomic_store(&writer->rest_nbytes, stoa_assembler_memory(&writer->file));
out:
    return st;
}

/* ---- Appending ---- */

/* Makes one batch of the pieces. */
static enum stoa_status join_pieces(struct stoa_writer *writer, struct stoa_batch *out,
                                    struct stoa_error *err)
{
    struct pending *pending = &writer->pending;
    const struct stoa_array **parts = NULL;
    struct stoa_batch batch = {0};
    enum stoa_status st;

    STOA_TRY(stoa_batch_init(&batch, &writer->schema, err));
    STOA_TRY(stoa_alloc_zeroed(&parts, pending->npieces, sizeof(parts[0]), err));
    batch.nrows = (size_t)pending->nrows;
    for (uint32_t i = 0; i < batch.ncolumns; i++) {
        if (pending->npieces == 1) {
            batch.columns[i] = pending->pieces[0][i];
            pending->pieces[0][i] = (struct stoa_array){0};
            continue;
        }
        for (size_t k = 0; k < pending->npieces; k++)
            parts[k] = &pending->pieces[k][i];
        STOA_TRY(stoa_array_concat(&writer->schema.fields[i], parts, pending->npieces,
                                   &batch.columns[i], err));
        for (size_t k = 0; k < pending->npieces; k++)
            stoa_array_reset(&pending->pieces[k][i]);
    }
    *out = batch;
    batch = (struct stoa_batch){0};
out:
    stoa_batch_reset(&batch);
    stoa_free(parts);
    return st;
}

/* Writes the pending rows as a row group. */
static enum stoa_status flush(struct stoa_writer *writer, struct stoa_error *err)
{
    struct stoa_writer_group *group = NULL;
    struct stoa_batch batch = {0};
    enum stoa_status st;

    STOA_TRY(join_pieces(writer, &batch, err));
    pending_reset(&writer->pending, writer->schema.nfields);
    STOA_TRY(stoa_writer_prepare(writer, writer->nsequenced, &batch, &group, err));
    STOA_TRY(stoa_writer_sequence(writer, group, err));
    STOA_TRY(stoa_writer_encode(writer, group, err));
    st = stoa_writer_commit(writer, group, err);
    group = NULL;
out:
    stoa_writer_group_free(group);
    stoa_batch_reset(&batch);
    return st;
}

/* Arrow bytes of rows [begin, end); a sum over rows, so that it matters not how rows arrive. */
static uint64_t rows_nbytes(const struct stoa_writer *writer, const struct stoa_batch *batch,
                            size_t begin, size_t end)
{
    uint64_t nbytes = (end - begin) * writer->row_nbytes;

    for (uint32_t i = 0; i < batch->ncolumns; i++)
        if (varies(&writer->schema.fields[i].type))
            nbytes += stoa_field_nbytes(&writer->schema.fields[i], &batch->columns[i], begin, end);
    return nbytes;
}

static bool is_huge(const struct stoa_writer *writer, const struct stoa_batch *batch, size_t row)
{
    return stoa_row_group_first_huge(writer->rules, writer->nodes, batch, row, row + 1) == row;
}

/* The end of the rows from `begin` on that still fit the pending row group: `begin` for none. */
static size_t rows_that_fit(const struct stoa_writer *writer, const struct stoa_batch *batch,
                            size_t begin)
{
    const struct pending *pending = &writer->pending;
    uint64_t room_nrows = writer->options.row_group_nrows - pending->nrows;
    uint64_t limit = writer->options.row_group_nbytes, room;
    size_t low = begin, high;

    high = stoa_row_group_first_huge(writer->rules, writer->nodes, batch, begin, batch->nrows);
    if (high == begin) /* alone; what is pending is written first, and what follows comes after */
        return pending->nrows == 0 ? begin + 1 : begin;

    if (high - begin > room_nrows)
        high = begin + (size_t)room_nrows;
    room = limit > pending->nbytes ? limit - pending->nbytes : 0;
    while (low < high) { /* rows [begin, low) fit, [begin, high + 1) do not */
        size_t middle = low + (high - low + 1) / 2;

        if (rows_nbytes(writer, batch, begin, middle) <= room)
            low = middle;
        else
            high = middle - 1;
    }
    if (low == begin && pending->nrows == 0) /* a row that is larger than a row group */
        low++;
    return low;
}

/* Keeps rows [begin, end): a copy, or where they are all of `owned` its columns themselves. */
static enum stoa_status keep_rows(struct stoa_writer *writer, const struct stoa_batch *batch,
                                  struct stoa_batch *owned, size_t begin, size_t end,
                                  struct stoa_error *err)
{
    struct pending *pending = &writer->pending;
    uint64_t nbytes = rows_nbytes(writer, batch, begin, end);
    uint32_t ncolumns = batch->ncolumns;
    struct stoa_array *piece = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_reserve(&pending->pieces, &pending->capacity, pending->npieces + 1,
                          sizeof(pending->pieces[0]), err));
    if (owned != NULL && begin == 0 && end == owned->nrows) {
        piece = owned->columns;
        owned->columns = NULL;
        owned->ncolumns = 0;
    } else {
        STOA_TRY(stoa_alloc_zeroed(&piece, ncolumns, sizeof(piece[0]), err));
        for (uint32_t i = 0; i < ncolumns; i++)
            STOA_TRY(stoa_array_slice(&writer->schema.fields[i], &batch->columns[i], begin, end,
                                      &piece[i], err));
    }
    pending->pieces[pending->npieces++] = piece;
    piece = NULL;
    pending->nrows += end - begin;
    pending->nbytes += nbytes;
out:
    piece_free(piece, ncolumns);
    return st;
}

/* Keeps rows from *begin on, up to the end of the batch or of the row group, then *full. */
static enum stoa_status keep_more(struct stoa_writer *writer, const struct stoa_batch *batch,
                                  struct stoa_batch *owned, size_t *begin, bool *full,
                                  struct stoa_error *err)
{
    size_t end = rows_that_fit(writer, batch, *begin);
    bool alone = end == *begin + 1 && is_huge(writer, batch, *begin);
    enum stoa_status st = STOA_OK;

    if (end > *begin)
        STOA_TRY(keep_rows(writer, batch, owned, *begin, end, err));
    *full = end < batch->nrows || alone || writer->pending.nrows == writer->options.row_group_nrows;
    *begin = end;
out:
    return st;
}

enum stoa_status stoa_writer_append(struct stoa_writer *writer, const struct stoa_batch *batch,
                                    struct stoa_error *err)
{
    size_t begin = 0;
    bool full;
    enum stoa_status st;

    STOA_TRY(check_order(writer, 0, 0, "append", err));
    STOA_TRY(check_batch(writer, batch, err));
    while (begin < batch->nrows) {
        STOA_TRY(keep_more(writer, batch, NULL, &begin, &full, err));
        if (full)
            STOA_TRY(flush(writer, err));
    }
out:
    if (st != STOA_OK)
        writer->failed = true;
    return st;
}

enum stoa_status stoa_writer_collect(struct stoa_writer *writer, struct stoa_batch *batch,
                                     size_t *begin, struct stoa_batch *out, struct stoa_error *err)
{
    bool full = false;
    enum stoa_status st = STOA_OK;

    if (*begin == 0)
        STOA_TRY(check_batch(writer, batch, err));
    while (*begin < batch->nrows && !full)
        STOA_TRY(keep_more(writer, batch, batch, begin, &full, err));
    if (full)
        st = stoa_writer_collect_rest(writer, out, err);
out:
    return st;
}

enum stoa_status stoa_writer_collect_rest(struct stoa_writer *writer, struct stoa_batch *out,
                                          struct stoa_error *err)
{
    enum stoa_status st;

    if (writer->pending.nrows == 0)
        return STOA_OK;
    st = join_pieces(writer, out, err);
    if (st == STOA_OK)
        pending_reset(&writer->pending, writer->schema.nfields);
    return st;
}

/* ---- The end ---- */

enum stoa_status stoa_writer_finish(struct stoa_writer *writer, struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(check_order(writer, writer->nsequenced, writer->ncommitted, "finish", err));
    if (writer->pending.nrows > 0)
        STOA_TRY(flush(writer, err));
    STOA_TRY(stoa_assembler_finish(&writer->file, err));
out:
    writer->failed = true; /* nothing may follow the footer */
    return st;
}
