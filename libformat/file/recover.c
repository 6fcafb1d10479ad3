/*
 * Recovering (stoa/recover.h): the objects of a damaged file, in order, into a new one.
 *
 *     found     HEAD  SCHM  RGRP 0  ....  RGRP 2  RGRP 3  FOOT  |  HEAD  SCHM  RGRP 0  ..
 *     rows                  0       lost  200     300     400      0           0       then unknown
 *     written   HEAD  SCHM  RGRP 0        RGRP 2  RGRP 3                       RGRP 0  FOOT
 *
 * Headers tell how many rows stand in front of them, so what is missing between two of them is
 * known by its rows; what is missing at the end only when a footer says how many there were.
 */
#include "file/recover.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/error.h"
#include "base/hash.h"
#include "column/order.h"
#include "file/row_group_write.h"
#include "file/schema_bytes.h"

#define DEFAULT_MEMORY_NBYTES (UINT64_C(1) << 30)
#define COPY_NBYTES           ((size_t)1 << 20)

/* A row group whose header was met, for those that come twice. */
struct seen {
    uint64_t stream_row;
    uint64_t hash;
};

struct run {
    struct stoa_recover rec;
    struct stoa_assembler assembler;
    struct stoa_schema schema;     /* of the output */
    struct stoa_sort_order order;  /* of the first stream, when its footer is whole */
    struct stoa_new_chunk *chunks; /* of the row group that is written */
    struct stoa_buffer copy;
    bool *has_nulls;                     /* partial: columns that get nulls in some row group */
    struct stoa_recover_repair *repairs; /* of each column, in the row group that is written */
    bool is_trial; /* partial: the first time through, to learn has_nulls: nothing is reported */

    /* The stream that is walked through: what follows a HEAD. */
    uint64_t next_row;
    bool is_open;     /* something of it was met */
    uint64_t covered; /* bytes in front of it are known for what they are */
    struct seen *seen;
    size_t nseen, capacity;
    struct stoa_recover_range *ranges; /* what was written of it */
    size_t nranges, ranges_capacity;
};

/* ---- Losses. ---- */

static void report(struct run *run, uint64_t first_row, uint64_t nrows, const char *column,
                   const char *reason)
{
    const struct stoa_recover_options *options = run->rec.options;
    struct stoa_recover_result *result = run->rec.result;
    struct stoa_recover_loss loss = {
        .stream = result->nstreams > 0 ? result->nstreams - 1 : 0,
        .first_row = first_row,
        .nrows = nrows,
        .column = column,
        .reason = reason,
    };

    if (run->is_trial)
        return;
    result->nlosses++;
    if (column != NULL)
        result->nvalues_lost += nrows;
    else if (nrows == STOA_RECOVER_UNKNOWN)
        result->end_is_lost = true;
    else
        result->nrows_lost += nrows;
    if (options->report != NULL)
        options->report(options->context, &loss);
}

/* Rows from run->next_row up to `row` are nowhere. */
static void report_gap(struct run *run, uint64_t row, uint64_t offset)
{
    struct stoa_error why;

    if (row == run->next_row)
        return;
    (void)stoa_fail(&why, STOA_ERR_CORRUPT,
                    "no header of a row group is whole from byte %" PRIu64 " to byte %" PRIu64,
                    run->covered, offset);
    report(run, run->next_row, row - run->next_row, NULL, why.message);
    run->next_row = row;
}

static void begin_stream(struct run *run)
{
    run->rec.result->nstreams++;
    run->is_open = true;
    run->next_row = 0;
    run->nseen = 0;
    run->nranges = 0;
}

/* The stream ends without a footer that says how many rows it had. */
static void lose_end(struct run *run)
{
    if (run->is_open)
        report(run, run->next_row, STOA_RECOVER_UNKNOWN, NULL,
               "the end is missing, which would say whether there were more rows");
    run->is_open = false;
}

/* ---- Writing. ---- */

/* Bytes [offset, offset + nbytes) of the damaged file. */
static enum stoa_status copy_bytes(struct run *run, uint64_t offset, uint64_t nbytes,
                                   struct stoa_error *err)
{
    struct stoa_source *source = run->rec.source;
    enum stoa_status st = STOA_OK;

    while (nbytes > 0) {
        size_t n = nbytes < COPY_NBYTES ? (size_t)nbytes : COPY_NBYTES;

        STOA_TRY(stoa_buffer_resize(&run->copy, n, err));
        STOA_TRY(source->read_at(source, offset, run->copy.data, n, err));
        STOA_TRY(stoa_assembler_write(&run->assembler, run->copy.data, n, err));
        offset += n;
        nbytes -= n;
    }
out:
    return st;
}

/* Copies the segment `index` of those that are whole; the one it extends is there. */
static enum stoa_status write_segment(struct run *run, uint32_t index, struct stoa_error *err)
{
    const struct stoa_dictionary_table *table = &run->rec.segments.table;
    struct stoa_source *source = run->rec.source;
    struct stoa_dictdir_entry entry = table->entries[index];
    uint32_t npages = (entry.count + STOA_DICT_PAGE_NVALUES - 1) / STOA_DICT_PAGE_NVALUES;
    uint32_t dir_nbytes = STOA_DICT_HEAD_NBYTES + npages * STOA_PAGE_ENTRY_NBYTES;
    struct stoa_page_entry last;
    struct stoa_buffer body = {0};
    size_t nbytes;
    enum stoa_status st;

    STOA_TRY(stoa_buffer_resize(&body, dir_nbytes, err));
    STOA_TRY(
        source->read_at(source, entry.offset + STOA_OBJECT_NBYTES, body.data, dir_nbytes, err));
    stoa_page_entry_unpack(body.data + dir_nbytes - STOA_PAGE_ENTRY_NBYTES, &last);
    nbytes = (size_t)dir_nbytes + last.end;
    STOA_TRY(stoa_buffer_resize(&body, nbytes, err));
    STOA_TRY(source->read_at(source, entry.offset + STOA_OBJECT_NBYTES, body.data, nbytes, err));
    STOA_TRY(stoa_buffer_append_zeros(
        &body, (size_t)stoa_round_up(nbytes, STOA_OBJECT_NBYTES) - nbytes, err));
    if (entry.prev_index != STOA_NONE32)
        entry.prev_index =
            stoa_assembler_find_segment(&run->assembler, table->entries[entry.prev_index].id);
    STOA_TRY(stoa_assembler_add_segment(&run->assembler, &entry, dir_nbytes, &body, err));
out:
    stoa_buffer_free(&body);
    return st;
}

/* The segment's number in the output, where its chain is written as far as it is not there yet. */
static enum stoa_status need_segment(struct run *run, uint32_t index, uint32_t *out,
                                     struct stoa_error *err)
{
    const struct stoa_dictdir_entry *entries = run->rec.segments.table.entries;
    uint32_t *missing = NULL;
    uint32_t n = 0;
    enum stoa_status st;

    for (uint32_t i = index; i != STOA_NONE32; i = entries[i].prev_index, n++)
        if (stoa_assembler_find_segment(&run->assembler, entries[i].id) != STOA_NONE32)
            break;
    STOA_TRY(stoa_alloc_zeroed(&missing, n, sizeof(missing[0]), err));
    for (uint32_t i = index, k = n; k-- > 0; i = entries[i].prev_index)
        missing[k] = i;
    for (uint32_t k = 0; k < n; k++)
        STOA_TRY(write_segment(run, missing[k], err));
    *out = stoa_assembler_find_segment(&run->assembler, entries[index].id);
out:
    stoa_free(missing);
    return st;
}

/* What becomes of node `node` of column `column`, whose first node is `first`. */
static enum stoa_status make_chunk(struct run *run, uint32_t column, uint32_t first, uint32_t node,
                                   struct stoa_new_chunk *out, struct stoa_error *err)
{
    struct stoa_recover_chunk *chunk = &run->rec.chunks[node];
    const struct stoa_group_node *made;

    if (chunk->is_lost) {
        made = &run->repairs[column].made->nodes[node - first];
        *out = (struct stoa_new_chunk){made->entry, STOA_NONE32, &made->zones, &made->all,
                                       made->notes};
        return STOA_OK;
    }
    *out = (struct stoa_new_chunk){chunk->entry, STOA_NONE32, &chunk->zones, &chunk->all, NULL};
    if (chunk->entry.flags & STOA_CHUNK_SHARED_DICT)
        return need_segment(run, chunk->dict_index, &out->dict_index, err);
    return STOA_OK;
}

static enum stoa_status write_chunk(struct run *run, uint32_t column, uint32_t first, uint32_t node,
                                    struct stoa_error *err)
{
    const struct stoa_recover_chunk *chunk = &run->rec.chunks[node];
    const struct stoa_writer_group *made = run->repairs[column].made;
    const struct stoa_buffer *bytes;
    enum stoa_status st;

    if (run->chunks[node].entry.nbytes == 0)
        return STOA_OK;
    STOA_TRY(stoa_assembler_begin_chunk(&run->assembler, node, err));
    if (!chunk->is_lost)
        return copy_bytes(run, chunk->entry.offset, chunk->entry.nbytes, err);
    bytes = &made->nodes[node - first].chunk;
    st = stoa_assembler_write(&run->assembler, bytes->data, bytes->nbytes, err);
out:
    return st;
}

/* The side table of the row group that was written last; what is known of it for its sources. */
static enum stoa_status write_side(struct run *run, const struct stoa_found *item,
                                   struct stoa_error *err)
{
    struct stoa_recover *rec = &run->rec;
    struct stoa_recover_range range = {
        .begin = item->object.stream_row,
        .nrows = item->object.nrows,
        .out = run->assembler.footer.nrows - item->object.nrows,
        .is_whole = rec->nlost == 0,
    };
    enum stoa_status st = STOA_OK;

    if (range.is_whole)
        STOA_TRY(stoa_recover_side(rec, item, &run->assembler, &range.has_side, err));
    STOA_TRY(stoa_reserve(&run->ranges, &run->ranges_capacity, run->nranges + 1,
                          sizeof(run->ranges[0]), err));
    run->ranges[run->nranges++] = range;
out:
    return st;
}

static enum stoa_status write_group(struct run *run, const struct stoa_found *item,
                                    struct stoa_error *err)
{
    struct stoa_recover *rec = &run->rec;
    const struct stoa_schema_node *nodes = rec->nodes;
    uint32_t nrows = item->object.nrows;
    enum stoa_status st;

    for (uint32_t c = 0, first = 0; first < rec->nnodes; first += nodes[first].nnodes, c++)
        for (uint32_t i = first; i < first + nodes[first].nnodes; i++)
            STOA_TRY(make_chunk(run, c, first, i, &run->chunks[i], err));
    STOA_TRY(stoa_assembler_begin_group(&run->assembler, nrows, run->chunks, err));
    for (uint32_t c = 0, first = 0; first < rec->nnodes; first += nodes[first].nnodes, c++)
        for (uint32_t i = first; i < first + nodes[first].nnodes; i++)
            STOA_TRY(write_chunk(run, c, first, i, err));
    STOA_TRY(stoa_assembler_end_group(&run->assembler, err));
    STOA_TRY(write_side(run, item, err));
    rec->result->nrow_groups++;
    rec->result->nrows += nrows;
out:
    return st;
}

/* ---- Row groups. ---- */

/* Why a row group with damaged columns is lost. */
static void explain(const struct stoa_recover *rec, struct stoa_error *why)
{
    uint32_t i = 0;

    while (!rec->chunks[i].is_lost)
        i++;
    *why = rec->chunks[i].why;
    if (rec->nlost > 1)
        stoa_wrap(why, why->status, "%" PRIu32 " of %" PRIu32 " columns are damaged", rec->nlost,
                  rec->schema.nfields);
}

/* Rows [begin, end) of a column are null now. */
static enum stoa_status report_nulls(struct run *run, uint32_t column, uint32_t node,
                                     uint64_t first_row, uint32_t begin, uint32_t end,
                                     struct stoa_error *err)
{
    struct stoa_recover *rec = &run->rec;
    const struct stoa_range rows = {begin, end};
    struct stoa_error why = rec->chunks[node].why;
    struct stoa_array array = {0};
    enum stoa_status st = STOA_OK;

    if (begin == end)
        return STOA_OK;
    if (rec->chunks[node].is_set) /* what is wrong with these and no others */
        st = stoa_recover_read(rec, node, rows, &array, &why);
    stoa_array_reset(&array);
    if (st != STOA_OK && !stoa_recover_is_damage(st)) {
        if (err != NULL)
            *err = why;
        return st;
    }
    report(run, first_row + begin, end - begin, rec->schema.fields[column].name, why.message);
    return STOA_OK;
}

/* The lost rows of a column become nulls. */
static enum stoa_status repair_column(struct run *run, uint32_t column, uint32_t node,
                                      uint64_t first_row, struct stoa_error *err)
{
    struct stoa_recover_repair *repair = &run->repairs[column];
    uint32_t at = 0;
    enum stoa_status st;

    STOA_TRY(stoa_recover_repair(&run->rec, &run->schema.fields[column], repair, err));
    for (size_t i = 0; i < repair->npieces; i++) {
        const struct stoa_range *rows = &repair->pieces[i].rows;

        STOA_TRY(report_nulls(run, column, node, first_row, at, rows->begin, err));
        at = rows->end;
    }
    STOA_TRY(report_nulls(run, column, node, first_row, at, run->rec.reader.group.nrows, err));
out:
    return st;
}

/* Whether something is left of a row group with damaged columns; then these are repaired. */
static enum stoa_status repair_group(struct run *run, uint64_t first_row, bool *kept,
                                     struct stoa_error *err)
{
    struct stoa_recover *rec = &run->rec;
    const struct stoa_schema_node *nodes = rec->nodes;
    enum stoa_status st = STOA_OK;

    *kept = rec->nlost < rec->schema.nfields;
    for (uint32_t c = 0, node = 0; node < rec->nnodes; node += nodes[node].nnodes, c++) {
        if (!rec->chunks[node].is_lost)
            continue;
        STOA_TRY(stoa_recover_pieces(rec, node, &run->repairs[c], err));
        *kept |= run->repairs[c].npieces > 0;
    }
    for (uint32_t c = 0, node = 0; *kept && node < rec->nnodes; node += nodes[node].nnodes, c++) {
        if (!rec->chunks[node].is_lost)
            continue;
        run->has_nulls[c] = true;
        if (!run->is_trial)
            STOA_TRY(repair_column(run, c, node, first_row, err));
    }
out:
    return st;
}

static void drop_repairs(struct run *run)
{
    for (uint32_t c = 0; run->repairs != NULL && c < run->rec.schema.nfields; c++)
        stoa_recover_repair_reset(&run->repairs[c]);
}

/* Whether this header stood in the stream before: a piece of the file that is there twice. */
static bool was_seen(const struct run *run, const struct stoa_object *object)
{
    size_t low = 0, high = run->nseen;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (run->seen[middle].stream_row < object->stream_row)
            low = middle + 1;
        else
            high = middle;
    }
    return low < run->nseen && run->seen[low].hash == object->hash;
}

static enum stoa_status see(struct run *run, const struct stoa_object *object, bool *again,
                            struct stoa_error *err)
{
    enum stoa_status st;

    *again = false;
    if (object->stream_row < run->next_row) {
        *again = was_seen(run, object);
        if (*again)
            return STOA_OK;
        lose_end(run); /* another stream, whose head is lost */
        begin_stream(run);
    }
    st = stoa_reserve(&run->seen, &run->capacity, run->nseen + 1, sizeof(run->seen[0]), err);
    if (st == STOA_OK)
        run->seen[run->nseen++] = (struct seen){object->stream_row, object->hash};
    return st;
}

/*
 * Whether a row group that is damaged here stands once more behind, before anything that follows
 * it: a copy that was broken off and taken up again.
 */
static bool comes_again(const struct run *run, const struct stoa_found *item)
{
    const struct stoa_found_list *found = &run->rec.found;

    for (const struct stoa_found *next = item + 1; next < found->items + found->nitems; next++) {
        if (next->object.kind == STOA_OBJECT_HEAD || next->object.kind == STOA_OBJECT_FOOTER)
            return false;
        if (next->object.kind != STOA_OBJECT_ROW_GROUP)
            continue;
        if (next->object.stream_row >= item->object.stream_row)
            return next->object.hash != 0 && next->object.hash == item->object.hash;
        if (!was_seen(run, &next->object)) /* of another stream: no look goes far twice */
            return false;
    }
    return false;
}

static enum stoa_status recover_group(struct run *run, const struct stoa_found *item,
                                      struct stoa_error *err)
{
    struct stoa_recover *rec = &run->rec;
    uint64_t nrows = item->object.nrows;
    struct stoa_error why;
    bool again, kept;
    enum stoa_status st;

    if (!run->is_open && item->object.hash != 0 && was_seen(run, &item->object))
        return STOA_OK; /* behind the footer of its stream */
    if (!run->is_open)
        begin_stream(run);
    STOA_TRY(see(run, &item->object, &again, err));
    if (again)
        return STOA_OK;
    st = stoa_recover_group(rec, item, &why);
    if ((stoa_recover_is_damage(st) || (st == STOA_OK && rec->nlost > 0)) &&
        comes_again(run, item)) {
        run->nseen--;
        return STOA_OK;
    }
    report_gap(run, item->object.stream_row, item->offset);
    run->next_row += nrows;
    if (stoa_recover_is_damage(st)) {
        report(run, item->object.stream_row, nrows, NULL, why.message);
        return STOA_OK;
    }
    if (st != STOA_OK) {
        if (err != NULL)
            *err = why;
        return st;
    }
    for (uint32_t i = 0; i < rec->nnodes; i++) {
        const struct stoa_rg_entry *entry = &rec->chunks[i].entry;

        if (!rec->chunks[i].is_lost && run->covered < entry->offset + entry->nbytes)
            run->covered = entry->offset + entry->nbytes;
    }
    kept = rec->nlost == 0;
    if (rec->nlost > 0 && rec->options->partial)
        STOA_TRY(repair_group(run, item->object.stream_row, &kept, err));
    if (!kept) {
        explain(rec, &why);
        report(run, item->object.stream_row, nrows, NULL, why.message);
    } else if (!run->is_trial) {
        STOA_TRY(write_group(run, item, err));
    }
out:
    drop_repairs(run);
    return st;
}

/* ---- All of it. ---- */

/*
 * The order of a stream's rows, of which some are left, each behind those that it was behind. A key
 * that is null in some rows now, where values are lost, ends it.
 */
static enum stoa_status take_order(struct run *run, uint64_t footer_end, struct stoa_error *err)
{
    const struct stoa_sort_order *order;
    struct stoa_reader *reader;
    uint32_t n = 0;
    enum stoa_status st;

    if (footer_end > run->rec.source->nbytes) /* it is cut off */
        return STOA_OK;
    STOA_TRY(stoa_recover_view_open(&run->rec, footer_end, &reader, err));
    if (reader == NULL)
        goto out;
    st = stoa_reader_order(reader, &order, err);
    if (stoa_recover_is_damage(st))
        return STOA_OK;
    if (st != STOA_OK || order->nkeys == 0)
        goto out;
    stoa_order_reset(&run->order);
    STOA_TRY(stoa_order_copy(&run->order, order, err));
    while (n < run->order.nkeys && run->order.keys[n].column < run->schema.nfields &&
           !run->has_nulls[run->order.keys[n].column])
        n++;
    run->order.nkeys = n;
out:
    return st;
}

/* A footer says how many rows there were, and which sources they came from. */
static enum stoa_status end_stream(struct run *run, const struct stoa_found *footer,
                                   struct stoa_error *err)
{
    uint64_t nrows = footer->object.stream_row;
    uint64_t end = footer->footer_end;

    if (!run->is_open && run->rec.result->nstreams > 0 && nrows == run->next_row)
        return STOA_OK; /* the same once more: its header, and where its trailer has it */
    if (!run->is_open || nrows < run->next_row) {
        lose_end(run);
        begin_stream(run);
    }
    report_gap(run, nrows, footer->offset);
    run->is_open = false;
    if (run->is_trial)
        return STOA_OK;
    if (end == 0)
        end = footer->offset + STOA_OBJECT_NBYTES + footer->object.body_nbytes;
    if (run->rec.result->nstreams == 1) {
        enum stoa_status st = take_order(run, end, err);

        if (st != STOA_OK)
            return st;
    }
    return stoa_recover_sources(&run->rec, end, run->ranges, run->nranges, &run->assembler, err);
}

static enum stoa_status recover_object(struct run *run, const struct stoa_found *item,
                                       struct stoa_error *err)
{
    switch (item->object.kind) {
    case STOA_OBJECT_HEAD:
        lose_end(run);
        begin_stream(run);
        return STOA_OK;
    case STOA_OBJECT_ROW_GROUP:
        return recover_group(run, item, err);
    case STOA_OBJECT_FOOTER:
        return end_stream(run, item, err);
    default: /* schemas and segments are known already */
        return STOA_OK;
    }
}

/* The trial is the first half of the work. */
static void show_progress(const struct run *run)
{
    const struct stoa_recover_options *options = run->rec.options;
    uint64_t nbytes = run->rec.source->nbytes;

    if (options->progress != NULL)
        options->progress(options->context,
                          run->covered + (options->partial && !run->is_trial ? nbytes : 0),
                          options->partial ? 2 * nbytes : nbytes, run->rec.result->nrows);
}

static enum stoa_status recover_objects(struct run *run, struct stoa_error *err)
{
    const struct stoa_recover_options *options = run->rec.options;
    const struct stoa_found_list *found = &run->rec.found;
    enum stoa_status st = STOA_OK;

    *run->rec.result = (struct stoa_recover_result){0};
    run->covered = 0;
    run->is_open = false;
    run->next_row = 0;
    run->nseen = 0;
    for (size_t i = 0; i < found->nitems; i++) {
        const struct stoa_found *item = &found->items[i];
        bool has_header = item->object.hash != 0; /* else a footer told of it */

        if (options->cancel != NULL && *options->cancel)
            return stoa_fail(err, STOA_ERR_CANCELLED, "interrupted");
        if (has_header && item->offset < run->covered) /* inside of something whole */
            continue;
        STOA_TRY(recover_object(run, item, err));
        if (has_header && run->covered < item->offset + STOA_OBJECT_NBYTES)
            run->covered = item->offset + STOA_OBJECT_NBYTES;
        show_progress(run);
    }
    lose_end(run);
out:
    return st;
}

static enum stoa_status alloc_columns(struct run *run, struct stoa_error *err)
{
    uint32_t n = run->rec.schema.nfields;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&run->has_nulls, n, sizeof(run->has_nulls[0]), err));
    STOA_TRY(stoa_alloc_zeroed(&run->repairs, n, sizeof(run->repairs[0]), err));
out:
    return st;
}

static enum stoa_status open_output(struct run *run, struct stoa_sink *sink, struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(stoa_schema_copy(&run->schema, &run->rec.schema, err));
    for (uint32_t i = 0; i < run->schema.nfields; i++)
        run->schema.fields[i].nullable |= run->has_nulls[i];
    STOA_TRY(stoa_alloc_zeroed(&run->chunks, run->rec.nnodes, sizeof(run->chunks[0]), err));
    STOA_TRY(stoa_assembler_init(&run->assembler, sink, &run->schema, &stoa_default_rules, err));
out:
    return st;
}

static void run_reset(struct run *run)
{
    struct stoa_recover *rec = &run->rec;

    stoa_assembler_reset(&run->assembler);
    stoa_order_reset(&run->order);
    stoa_encoder_pool_reset(&rec->encoders);
    drop_repairs(run);
    stoa_free(run->repairs);
    stoa_free(run->has_nulls);
    stoa_free(run->chunks);
    stoa_schema_reset(&run->schema);
    stoa_buffer_free(&run->copy);
    stoa_free(run->seen);
    stoa_free(run->ranges);
    for (uint32_t i = 0; rec->chunks != NULL && i < rec->nnodes; i++) {
        stoa_buffer_free(&rec->chunks[i].zones);
    }
    stoa_free(rec->chunks);
    stoa_recover_reader_reset(&rec->reader);
    stoa_recover_segments_reset(&rec->segments);
    stoa_recover_view_close(rec);
    stoa_free(rec->nodes);
    stoa_schema_reset(&rec->schema);
    stoa_found_reset(&rec->found);
}

enum stoa_status stoa_recover(struct stoa_source *source, struct stoa_sink *sink,
                              const struct stoa_recover_options *options,
                              struct stoa_recover_result *result, struct stoa_error *err)
{
    static const struct stoa_recover_options defaults;
    struct run run = {.rec = {.source = source,
                              .options = options != NULL ? options : &defaults,
                              .result = result}};
    uint64_t memory_nbytes = run.rec.options->memory_nbytes;
    enum stoa_status st;

    *result = (struct stoa_recover_result){0};
    run.rec.memory_nbytes = memory_nbytes != 0 ? memory_nbytes : DEFAULT_MEMORY_NBYTES;
    STOA_TRY(stoa_found_scan(source, run.rec.memory_nbytes, &run.rec.found, err));
    STOA_TRY(stoa_recover_footers(&run.rec, err));
    STOA_TRY(stoa_recover_segments_init(&run.rec, err));
    STOA_TRY(stoa_recover_reader_init(&run.rec, err));
    stoa_encoder_pool_init(&run.rec.encoders, &stoa_default_rules, true);
    STOA_TRY(alloc_columns(&run, err));
    run.is_trial = run.rec.options->partial;
    if (run.is_trial)
        STOA_TRY(recover_objects(&run, err));
    run.is_trial = false;
    STOA_TRY(open_output(&run, sink, err));
    STOA_TRY(recover_objects(&run, err));
    if (result->nrows == 0 && result->nlosses > 0)
        st = stoa_fail(err, STOA_ERR_CORRUPT, "nothing to recover: no row group of it is whole");
    if (st == STOA_OK && result->nstreams == 1) /* rows of one stream are as they were */
        run.assembler.footer.order = &run.order;
    if (st == STOA_OK)
        STOA_TRY(stoa_assembler_finish(&run.assembler, err));
out:
    run_reset(&run);
    return st;
}
