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
    struct stoa_new_chunk *chunks; /* of the row group that is written */
    struct stoa_buffer copy;

    /* The stream that is walked through: what follows a HEAD. */
    uint64_t next_row;
    bool is_open;     /* something of it was met */
    uint64_t covered; /* bytes in front of it are known for what they are */
    struct seen *seen;
    size_t nseen, capacity;
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

static enum stoa_status write_group(struct run *run, uint32_t nrows, struct stoa_error *err)
{
    struct stoa_recover *rec = &run->rec;
    enum stoa_status st;

    for (uint32_t i = 0; i < rec->nnodes; i++) {
        struct stoa_recover_chunk *chunk = &rec->chunks[i];
        struct stoa_new_chunk *out = &run->chunks[i];

        *out = (struct stoa_new_chunk){.entry = chunk->entry,
                                       .dict_index = STOA_NONE32,
                                       .zones = &chunk->zones,
                                       .all = &chunk->all};
        if (chunk->entry.flags & STOA_CHUNK_SHARED_DICT)
            STOA_TRY(need_segment(run, chunk->dict_index, &out->dict_index, err));
    }
    STOA_TRY(stoa_assembler_begin_group(&run->assembler, nrows, run->chunks, err));
    for (uint32_t i = 0; i < rec->nnodes; i++) {
        const struct stoa_recover_chunk *chunk = &rec->chunks[i];

        if (chunk->entry.nbytes == 0)
            continue;
        STOA_TRY(stoa_assembler_begin_chunk(&run->assembler, i, err));
        if (chunk->is_lost)
            STOA_TRY(
                stoa_assembler_write(&run->assembler, chunk->bytes.data, chunk->bytes.nbytes, err));
        else
            STOA_TRY(copy_bytes(run, chunk->entry.offset, chunk->entry.nbytes, err));
    }
    STOA_TRY(stoa_assembler_end_group(&run->assembler, err));
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
                  rec->nnodes);
}

/* Whether this header stood in the stream before: a piece of the file that is there twice. */
static enum stoa_status see(struct run *run, const struct stoa_object *object, bool *again,
                            struct stoa_error *err)
{
    size_t low = 0, high = run->nseen;
    enum stoa_status st;

    *again = false;
    if (object->stream_row < run->next_row) {
        while (low < high) {
            size_t middle = low + (high - low) / 2;

            if (run->seen[middle].stream_row < object->stream_row)
                low = middle + 1;
            else
                high = middle;
        }
        *again = low < run->nseen && run->seen[low].hash == object->hash;
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

static enum stoa_status recover_group(struct run *run, const struct stoa_found *item,
                                      struct stoa_error *err)
{
    struct stoa_recover *rec = &run->rec;
    uint64_t nrows = item->object.nrows;
    struct stoa_error why;
    bool again;
    enum stoa_status st;

    if (!run->is_open)
        begin_stream(run);
    STOA_TRY(see(run, &item->object, &again, err));
    if (again)
        return STOA_OK;
    report_gap(run, item->object.stream_row, item->offset);
    run->next_row += nrows;
    st = stoa_recover_group(rec, item, &why);
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
    if (rec->nlost > 0) {
        explain(rec, &why);
        report(run, item->object.stream_row, nrows, NULL, why.message);
        return STOA_OK;
    }
    STOA_TRY(write_group(run, (uint32_t)nrows, err));
out:
    return st;
}

/* ---- All of it. ---- */

/* A footer says how many rows there were. */
static void end_stream(struct run *run, const struct stoa_found *footer)
{
    uint64_t nrows = footer->object.stream_row;

    if (!run->is_open && run->rec.result->nstreams > 0 && nrows == run->next_row)
        return; /* the same once more: its header, and where its trailer says that it begins */
    if (!run->is_open || nrows < run->next_row) {
        lose_end(run);
        begin_stream(run);
    }
    report_gap(run, nrows, footer->offset);
    run->is_open = false;
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
        end_stream(run, item);
        return STOA_OK;
    default: /* schemas and segments are known already */
        return STOA_OK;
    }
}

static enum stoa_status recover_objects(struct run *run, struct stoa_error *err)
{
    const struct stoa_recover_options *options = run->rec.options;
    const struct stoa_found_list *found = &run->rec.found;
    enum stoa_status st = STOA_OK;

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
        if (options->progress != NULL)
            options->progress(options->context, run->covered, run->rec.source->nbytes,
                              run->rec.result->nrows);
    }
    lose_end(run);
out:
    return st;
}

static enum stoa_status open_output(struct run *run, struct stoa_sink *sink, struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(stoa_schema_copy(&run->schema, &run->rec.schema, err));
    STOA_TRY(stoa_alloc_zeroed(&run->chunks, run->rec.nnodes, sizeof(run->chunks[0]), err));
    STOA_TRY(stoa_assembler_init(&run->assembler, sink, &run->schema, &stoa_default_rules, err));
out:
    return st;
}

static void run_reset(struct run *run)
{
    struct stoa_recover *rec = &run->rec;

    stoa_assembler_reset(&run->assembler);
    stoa_free(run->chunks);
    stoa_schema_reset(&run->schema);
    stoa_buffer_free(&run->copy);
    stoa_free(run->seen);
    for (uint32_t i = 0; rec->chunks != NULL && i < rec->nnodes; i++) {
        stoa_buffer_free(&rec->chunks[i].bytes);
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
    STOA_TRY(open_output(&run, sink, err));
    STOA_TRY(recover_objects(&run, err));
    if (result->nrows == 0 && result->nlosses > 0)
        st = stoa_fail(err, STOA_ERR_CORRUPT, "nothing to recover: no row group of it is whole");
    else
        STOA_TRY(stoa_assembler_finish(&run.assembler, err));
out:
    run_reset(&run);
    return st;
}
