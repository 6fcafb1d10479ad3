/*
 * Avro files as units (spec/avro.md, "Units").
 *
 *     block block block | block block | large block ...
 *     unit                unit          unit unit unit
 *
 * A unit is some blocks as they are stored, up to the rows of a row group and 1 MiB, of compressed
 * ones 32 and 512 KiB; any thread decompresses and decodes them. Of a file only heads and markers
 * are read in order: the thread that decodes a unit reads it, with one call. What a unit is follows
 * from the heads of blocks alone, so the batches are the same for any number of threads. A block
 * that is larger than a unit is decoded where it is read, in order, and each of its units is rows
 * that are ready.
 */
#include "avro/avro_source.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "avro/avro_inputs.h"
#include "avro/avro_losses.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "column/schema.h"

enum {
    LARGE_NBYTES = 4 << 20,
    /* What is read is still near when it is decoded, and units on their way touch little memory. */
    UNIT_NBYTES = LARGE_NBYTES / 4,
    /* Units of compressed blocks, which may become a lot more, are smaller. */
    PACKED_UNIT_NBYTES = LARGE_NBYTES / 8,
    PACKED_UNIT_NBLOCKS = 32,
    MAX_BLOCK_TEXT_NBYTES = 512 << 20,  /* of what becomes of a block in memory, */
    MAX_UNIT_TEXT_NBYTES = 1 << 30,     /* and of all blocks of a unit */
    MAX_SPAN_NBYTES = 2 * LARGE_NBYTES, /* of a unit in its file, with what is between its blocks */
    MAX_AHEAD_NBYTES = 16 << 20,        /* of columns that room is made for */
};

/* A block in a unit. */
struct piece {
    struct stoa_avro_block block;
    size_t begin; /* of its data in the unit's bytes */
};

struct unit {
    struct stoa_unit base;
    const struct stoa_avro_table *table;
    const struct stoa_avro_codec *codec;
    struct stoa_avro_shared *shared; /* where the blocks are; NULL: in `bytes` */
    struct stoa_buffer bytes;        /* of the data of all blocks, */
    uint64_t stored_nbytes;          /* of which there are so many */
    struct piece *pieces;
    size_t npieces;
    size_t pieces_capacity;
    struct stoa_batch batch;         /* of a large block: ready */
    struct stoa_avro_losses *losses; /* in front of its blocks or among them; NULL: none */
    char name[STOA_AVRO_INPUT_NAME_NBYTES];
};

struct source {
    struct stoa_batch_source base;
    struct stoa_avro_source_options options;
    struct stoa_avro_inputs *inputs;
    struct stoa_schema schema;        /* of the batches */
    uint32_t *wanted;                 /* by column of the file, its place among these */
    bool is_pending;                  /* there is a block whose head was read: */
    struct stoa_avro_block pending;   /* this one */
    struct stoa_avro_data large;      /* a large block on its way; `codec` NULL: none */
    struct stoa_avro_columns columns; /* of its rows */
    struct stoa_avro_losses *losses;  /* for the next unit; NULL: none */
    uint64_t nplaces;                 /* of these */
    bool gave_up;                     /* they are too many: nothing behind them is read */
    struct stoa_avro_lost lost;       /* of units that were accepted */
    atomic_uint_fast64_t
        *text_nbytes; /* of 1,024 rows of a unit, by node: what the next has room for */
    atomic_uint_fast64_t done_nbytes;
    uint64_t closed_nbytes;
    uint64_t passed_nbytes; /* of the open file, outside the split */
    uint64_t total_nbytes;
};

/* ---- Units ---- */

static struct source *source_of(struct stoa_batch_source *base)
{
    return (struct source *)base;
}

static void unit_free(struct stoa_unit *base)
{
    struct unit *unit = (struct unit *)base;

    if (unit == NULL)
        return;
    stoa_avro_shared_drop(unit->shared);
    stoa_buffer_free(&unit->bytes);
    stoa_free(unit->pieces);
    stoa_batch_reset(&unit->batch);
    stoa_avro_losses_free(unit->losses);
    stoa_free(unit);
}

static enum stoa_status unit_new(const struct source *source, struct unit **out,
                                 struct stoa_error *err)
{
    struct unit *unit;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&unit, 1, sizeof(*unit), err));
    unit->base.free = unit_free;
    unit->table = source->inputs->tables;
    unit->codec = source->inputs->file.codec;
    unit->shared = stoa_avro_shared_hold(source->inputs->shared);
    memcpy(unit->name, source->inputs->name, sizeof(unit->name));
    *out = unit;
out:
    return st;
}

/* The program of a file: what it has as what all inputs are read as. */
static enum stoa_status prepare_table(struct source *source, struct stoa_error *err)
{
    const struct stoa_avro_inputs *inputs = source->inputs;
    struct stoa_avro_table *table = inputs->tables;
    char first[STOA_AVRO_INPUT_NAME_NBYTES];
    enum stoa_status st;

    if (table->is_prepared)
        return STOA_OK;
    st = stoa_avro_program_init(&table->program, &table->schema, inputs->reader, source->wanted,
                                &source->schema, err);
    table->is_prepared = st == STOA_OK;
    if (st == STOA_OK || inputs->has_schema)
        return st;
    return stoa_wrap(err, st, "with the schema of %s",
                     stoa_avro_show_input(inputs->paths[0], first));
}

static void note_empty(const struct source *source)
{
    const struct stoa_avro_inputs *inputs = source->inputs;
    const uint64_t nempty = inputs->file.nempty;
    char text[STOA_AVRO_INPUT_NAME_NBYTES + 64];

    if (nempty == 0 || source->options.note == NULL)
        return;
    snprintf(text, sizeof(text), "%s: %" PRIu64 " block%s without rows passed over", inputs->name,
             nempty, nempty == 1 ? "" : "s");
    source->options.note(source->options.note_context, text);
}

static void count_progress(struct source *source)
{
    atomic_store_explicit(&source->done_nbytes,
                          source->closed_nbytes + stoa_avro_inputs_done(source->inputs) -
                              source->passed_nbytes,
                          memory_order_relaxed);
}

/* Whether a block that fails so can be left out: it is damaged, or claims too much. */
static bool is_damage(const struct stoa_avro_inputs *inputs, enum stoa_status st)
{
    return inputs->skips_blocks && (st == STOA_ERR_DATA || st == STOA_ERR_LIMIT);
}

/* Adds what is damaged to what the next unit tells; by itself it may be too much. */
static enum stoa_status leave_out(struct source *source, const struct stoa_avro_loss *loss,
                                  const struct stoa_error *why, struct stoa_error *err)
{
    const uint64_t most = source->options.max_lost;

    source->nplaces++;
    source->gave_up = most > 0 && source->nplaces > most;
    if (source->gave_up)
        source->inputs->nopened = source->inputs->npaths;
    return stoa_avro_losses_add(&source->losses, loss, source->inputs->name, why, err);
}

/* Whether what begins there is of the split: where its preceding marker begins says it. */
static bool is_ours(const struct source *source, uint64_t begin)
{
    const uint64_t marker = begin - STOA_AVRO_SYNC_NBYTES;

    return source->options.split_end == 0 ||
           (marker >= source->options.split_begin && marker < source->options.split_end);
}

/* The head of the next block of the file that is open; what is damaged before it is left out. */
static enum stoa_status read_head(struct source *source, bool *more, struct stoa_error *err)
{
    struct stoa_avro_container *file = &source->inputs->file;
    struct stoa_avro_loss loss;
    struct stoa_error why = {0};
    enum stoa_status st;

    while (!source->gave_up) {
        st = stoa_avro_container_next(file, &source->pending, more, &why);
        if (st == STOA_OK && (!*more || is_ours(source, source->pending.begin)))
            return STOA_OK;
        if (st == STOA_OK) {
            *more = source->pending.begin - STOA_AVRO_SYNC_NBYTES < source->options.split_begin;
            if (!*more) { /* its head is read, for nothing but to see that */
                source->passed_nbytes += file->offset - source->pending.begin;
                return STOA_OK;
            }
            STOA_TRY(stoa_avro_container_step(file, &source->pending, err));
            source->passed_nbytes = file->offset;
            continue;
        }
        if (!is_damage(source->inputs, st)) {
            if (err != NULL)
                *err = why;
            return st;
        }
        STOA_TRY(stoa_avro_container_recover(file, &loss, err));
        if (is_ours(source, loss.offset))
            STOA_TRY(leave_out(source, &loss, &why, err));
    }
    *more = false;
    st = STOA_OK;
out:
    return st;
}

/* The head of the next block into source->pending; of no block at the end of all inputs. */
static enum stoa_status find_block(struct source *source, struct stoa_error *err)
{
    struct stoa_avro_inputs *inputs = source->inputs;
    bool more = false;
    enum stoa_status st;

    if (!inputs->is_open) {
        if (inputs->nopened == inputs->npaths)
            return STOA_OK;
        st = stoa_avro_inputs_next(inputs, err);
        if (st != STOA_OK)
            return st;
    }
    STOA_TRY(prepare_table(source, err));
    STOA_TRY(read_head(source, &more, err));
    source->is_pending = more;
    if (!more) {
        note_empty(source);
        source->closed_nbytes += stoa_avro_inputs_done(inputs) - source->passed_nbytes;
        source->passed_nbytes = 0;
        stoa_avro_inputs_end(inputs);
    }
    return STOA_OK;
out:
    return stoa_avro_inputs_name(inputs, st, err);
}

static bool is_packed(const struct unit *unit)
{
    return strcmp(unit->codec->name, "null") != 0;
}

/* Appends the pending block to a unit. */
static enum stoa_status add_block(struct source *source, struct unit *unit, struct stoa_error *err)
{
    struct stoa_avro_inputs *inputs = source->inputs;
    const struct stoa_avro_block *block = &source->pending;
    struct piece *piece;
    enum stoa_status st;

    STOA_TRY(stoa_reserve(&unit->pieces, &unit->pieces_capacity, unit->npieces + 1,
                          sizeof(*unit->pieces), err));
    piece = &unit->pieces[unit->npieces++];
    *piece = (struct piece){*block, unit->bytes.nbytes};
    if (inputs->shared == NULL) {
        STOA_TRY(stoa_avro_container_take(&inputs->file, &unit->bytes, err));
    } else { /* whoever decodes it reads it */
        piece->begin = (size_t)(block->offset - unit->pieces[0].block.offset);
        STOA_TRY(stoa_avro_container_step(&inputs->file, block, err));
    }
    unit->stored_nbytes += block->nbytes;
    unit->base.nrows += block->nrows;
    /* What is compressed becomes more: four times is a lot for rows. */
    unit->base.nbytes = unit->stored_nbytes * (is_packed(unit) ? 4 : 1);
    source->is_pending = false;
out:
    return st;
}

/* What may have rows that stand alone, which are asked for, and is compressed is large, too. */
static bool is_large(const struct source *source, const struct stoa_avro_block *block)
{
    return block->nbytes > LARGE_NBYTES || block->nrows > source->options.unit_nrows ||
           (source->options.max_row_nbytes > STOA_AVRO_USUAL_ROW_NBYTES &&
            strcmp(source->inputs->file.codec->name, "null") != 0);
}

static bool fits(const struct source *source, const struct unit *unit)
{
    const struct stoa_avro_block *block = &source->pending;
    const bool packed = is_packed(unit);

    return unit->npieces == 0 ||
           (!is_large(source, block) && (!packed || unit->npieces < PACKED_UNIT_NBLOCKS) &&
            unit->base.nrows + block->nrows <= source->options.unit_nrows &&
            unit->stored_nbytes + block->nbytes <= (packed ? PACKED_UNIT_NBYTES : UNIT_NBYTES) &&
            block->offset + block->nbytes - unit->pieces[0].block.offset <= MAX_SPAN_NBYTES);
}

/* Some rows of the large block that is on its way, as a batch that is ready. */
static enum stoa_status read_large(struct source *source, struct unit *unit, struct stoa_error *err)
{
    struct stoa_avro_container *file = &source->inputs->file;
    uint64_t nrows = 0;
    bool done = false;
    enum stoa_status st;

    STOA_TRY(stoa_avro_data_read(&source->large, &unit->table->program, &source->columns,
                                 source->options.unit_nrows, source->options.unit_nbytes, &nrows,
                                 &done, err));
    STOA_TRY(stoa_batch_init(&unit->batch, &source->schema, err));
    unit->base.nrows = nrows;
    unit->base.nbytes = stoa_avro_columns_nbytes(&source->columns);
    STOA_TRY(stoa_avro_columns_finish(&source->columns, (size_t)nrows, &unit->batch, err));
    if (done) {
        stoa_avro_data_reset(&source->large);
        STOA_TRY(stoa_avro_container_end_block(file, err));
    }
out:
    return st;
}

/* Reads all of the pending block, which is large, and keeps nothing: whether it is whole. */
static enum stoa_status try_large(struct source *source, struct stoa_error *err)
{
    struct stoa_avro_container *file = &source->inputs->file;
    struct stoa_avro_data data = {0};
    bool done = false;
    uint64_t n;
    enum stoa_status st;

    STOA_TRY(stoa_avro_data_begin(&data, file->codec, &source->pending, NULL, 0, &file->payload,
                                  source->options.max_row_nbytes, err));
    while (!done) {
        STOA_TRY(stoa_avro_data_read(&data, &source->inputs->tables->program, &source->columns,
                                     source->options.unit_nrows, source->options.unit_nbytes, &n,
                                     &done, err));
        stoa_avro_columns_truncate(&source->columns, 0);
    }
out:
    stoa_avro_columns_truncate(&source->columns, 0);
    stoa_avro_data_reset(&data);
    return st;
}

/* Rows of a block that turns out not to be whole must not be given: so it is read twice. */
static enum stoa_status skip_bad_large(struct source *source, struct stoa_error *err)
{
    struct stoa_avro_inputs *inputs = source->inputs;
    const struct stoa_avro_loss loss = stoa_avro_loss_of(&source->pending);
    struct stoa_error why = {0};
    enum stoa_status st = try_large(source, &why);

    if (st == STOA_OK) {
        stoa_avro_container_again(&inputs->file, &source->pending);
        return STOA_OK;
    }
    if (!is_damage(inputs, st)) {
        if (err != NULL)
            *err = why;
        return st;
    }
    stoa_avro_container_pass(&inputs->file, &source->pending);
    source->is_pending = false;
    return leave_out(source, &loss, &why, err);
}

/* Begins the pending block, which is large, unless it is left out. */
static enum stoa_status begin_large(struct source *source, struct stoa_error *err)
{
    struct stoa_avro_container *file = &source->inputs->file;
    enum stoa_status st;

    if (source->columns.items == NULL)
        STOA_TRY(stoa_avro_columns_init(&source->columns, &source->schema, err));
    if (source->inputs->skips_blocks)
        STOA_TRY(skip_bad_large(source, err));
    if (source->is_pending)
        STOA_TRY(stoa_avro_data_begin(&source->large, file->codec, &source->pending, NULL, 0,
                                      &file->payload, source->options.max_row_nbytes, err));
    source->is_pending = false;
out:
    return stoa_avro_inputs_name(source->inputs, st, err);
}

/* What comes next: rows of a large block, or a pending one that is not large; or nothing. */
static enum stoa_status find_rows(struct source *source, struct stoa_error *err)
{
    const struct stoa_avro_inputs *inputs = source->inputs;
    enum stoa_status st = STOA_OK;

    while (source->large.codec == NULL) {
        if (source->is_pending && !is_large(source, &source->pending))
            break;
        if (source->is_pending)
            STOA_TRY(begin_large(source, err));
        else if (inputs->is_open || inputs->nopened < inputs->npaths) /* one may have no rows */
            STOA_TRY(find_block(source, err));
        else
            break;
    }
out:
    return st;
}

static enum stoa_status next(struct stoa_batch_source *base, struct stoa_unit **out,
                             struct stoa_error *err)
{
    struct source *source = source_of(base);
    struct stoa_avro_inputs *inputs = source->inputs;
    struct unit *unit = NULL;
    enum stoa_status st;

    *out = NULL;
    STOA_TRY(find_rows(source, err));
    if (source->large.codec == NULL && !source->is_pending && source->losses == NULL)
        goto out;
    STOA_TRY(unit_new(source, &unit, err));
    if (source->large.codec != NULL)
        STOA_TRY(stoa_avro_inputs_name(inputs, read_large(source, unit, err), err));
    while (source->large.codec == NULL && source->is_pending && fits(source, unit)) {
        STOA_TRY(stoa_avro_inputs_name(inputs, add_block(source, unit, err), err));
        if (inputs->is_open)
            STOA_TRY(find_block(source, err));
    }
    if (unit->npieces == 0 && unit->batch.schema == NULL) /* only losses are left */
        STOA_TRY(stoa_batch_init(&unit->batch, &source->schema, err));
    unit->losses = source->losses;
    source->losses = NULL;
    source->nplaces = 0;
    count_progress(source);
    *out = &unit->base;
    unit = NULL;
out:
    unit_free((struct stoa_unit *)unit);
    return st;
}

/* A block became too much in memory, alone or with those in front of it. */
static enum stoa_status fail_text(const struct unit *unit, const struct piece *piece, bool alone,
                                  struct stoa_error *err)
{
    if (alone)
        return stoa_fail(err, STOA_ERR_LIMIT,
                         "block %" PRIu64 ": its %zu bytes become more than 512 MiB",
                         piece->block.number, (size_t)piece->block.nbytes);
    return stoa_fail(err, STOA_ERR_LIMIT,
                     "blocks %" PRIu64 " to %" PRIu64 ": their %zu bytes become more than 1 GiB",
                     unit->pieces[0].block.number, piece->block.number,
                     piece->begin + (size_t)piece->block.nbytes);
}

/* The stored bytes of a unit with padding behind them, read from the file if they were not yet. */
static enum stoa_status get_bytes(struct unit *unit, struct stoa_error *err)
{
    const struct stoa_avro_block *first = &unit->pieces[0].block;
    const struct stoa_avro_block *last = &unit->pieces[unit->npieces - 1].block;
    const size_t nbytes = (size_t)(last->offset + last->nbytes - first->offset);
    enum stoa_status st;

    if (unit->shared != NULL) {
        STOA_TRY(stoa_buffer_reserve(&unit->bytes, nbytes + STOA_AVRO_PADDING, err));
        STOA_TRY(unit->shared->source->read_at(unit->shared->source, first->offset,
                                               unit->bytes.data, nbytes, err));
        unit->bytes.nbytes = nbytes;
    }
    STOA_TRY(stoa_buffer_append_zeros(&unit->bytes, STOA_AVRO_PADDING, err));
out:
    return st;
}

/*
 * Room for the rows of a unit, as far as their bytes go: heads may claim any number. Text has as
 * much as it had in a unit before, so that columns do not grow and blocks of memory fit again.
 */
static enum stoa_status make_room(const struct source *source, const struct unit *unit,
                                  struct stoa_avro_columns *columns, struct stoa_error *err)
{
    uint64_t nrows = unit->base.nrows, row_nbytes = 1;
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 0; i < columns->nitems; i += columns->items[i].nnodes)
        row_nbytes += columns->items[i].value_nbytes;
    if (nrows > unit->base.nbytes)
        nrows = unit->base.nbytes;
    if (nrows > MAX_AHEAD_NBYTES / row_nbytes)
        nrows = MAX_AHEAD_NBYTES / row_nbytes;
    for (uint32_t i = 0; i < columns->nitems; i += columns->items[i].nnodes)
        STOA_TRY(stoa_avro_columns_reserve(&columns->items[i], columns->items[i].nnodes,
                                           (size_t)nrows, err));
    for (uint32_t i = 0; i < columns->nitems; i++) {
        const uint64_t nbytes =
            atomic_load_explicit(&source->text_nbytes[i], memory_order_relaxed) * nrows / 1024;

        if (nbytes > 0 && nbytes < MAX_AHEAD_NBYTES)
            STOA_TRY(stoa_builder_reserve(&columns->items[i].builder, 0,
                                          (size_t)(nbytes + nbytes / 16), err));
    }
out:
    return st;
}

/* What the text of these rows took. */
static void note_text(struct source *source, const struct stoa_avro_columns *columns,
                      uint64_t nrows)
{
    for (uint32_t i = 0; nrows > 0 && i < columns->nitems; i++)
        if (stoa_avro_column_has_text(&columns->items[i]))
            atomic_store_explicit(&source->text_nbytes[i],
                                  columns->items[i].builder.nbytes * UINT64_C(1024) / nrows,
                                  memory_order_relaxed);
}

/* Decodes one block of a unit behind the rows that are there. */
static enum stoa_status read_block(const struct source *source, const struct unit *unit,
                                   const struct piece *piece, struct stoa_avro_data *data,
                                   struct stoa_avro_columns *columns, uint64_t *nrows,
                                   bool *too_many, struct stoa_error *err)
{
    const uint64_t most = stoa_avro_columns_nbytes(columns) + MAX_BLOCK_TEXT_NBYTES;
    const bool alone = most < MAX_UNIT_TEXT_NBYTES;
    bool done;
    enum stoa_status st;

    *too_many = false;
    STOA_TRY(stoa_avro_data_begin(data, unit->codec, &piece->block, unit->bytes.data + piece->begin,
                                  (size_t)piece->block.nbytes, NULL, source->options.max_row_nbytes,
                                  err));
    STOA_TRY(stoa_avro_data_read(data, &unit->table->program, columns, UINT64_MAX,
                                 alone ? most : MAX_UNIT_TEXT_NBYTES, nrows, &done, err));
    *too_many = !done && !alone;
    if (!done)
        st = fail_text(unit, piece, alone, err);
out:
    return st;
}

/* Takes off what was read of a block that is damaged, and leaves the block out. */
static enum stoa_status drop_block(struct unit *unit, const struct piece *piece, uint64_t nrows,
                                   struct stoa_avro_data *data, struct stoa_avro_columns *columns,
                                   const struct stoa_error *why, struct stoa_error *err)
{
    const struct stoa_avro_loss loss = stoa_avro_loss_of(&piece->block);

    stoa_avro_columns_truncate(columns, (size_t)nrows);
    stoa_avro_data_reset(data);
    return stoa_avro_losses_add(&unit->losses, &loss, unit->name, why, err);
}

/* Decodes the blocks of a unit. */
static enum stoa_status read_blocks(struct source *source, struct unit *unit,
                                    struct stoa_batch *out, struct stoa_error *err)
{
    struct stoa_avro_columns columns = {0};
    struct stoa_avro_data data = {0};
    struct stoa_batch batch = {0};
    struct stoa_error why = {0};
    uint64_t nrows = 0;
    enum stoa_status st;

    STOA_TRY(stoa_batch_init(&batch, &source->schema, err));
    STOA_TRY(stoa_avro_columns_init(&columns, &source->schema, err));
    STOA_TRY(get_bytes(unit, err));
    STOA_TRY(make_room(source, unit, &columns, err));
    for (size_t i = 0; i < unit->npieces; i++) {
        const struct piece *piece = &unit->pieces[i];
        uint64_t n = 0;
        bool too_many;

        st = read_block(source, unit, piece, &data, &columns, &n, &too_many, &why);
        if (st == STOA_OK) {
            nrows += n;
        } else if (is_damage(source->inputs, st) && !too_many) {
            STOA_TRY(drop_block(unit, piece, nrows, &data, &columns, &why, err));
        } else {
            if (err != NULL)
                *err = why;
            goto out;
        }
    }
    note_text(source, &columns, nrows);
    STOA_TRY(stoa_avro_columns_finish(&columns, (size_t)nrows, &batch, err));
    *out = batch;
    batch = (struct stoa_batch){0};
out:
    stoa_batch_reset(&batch);
    stoa_avro_data_reset(&data);
    stoa_avro_columns_reset(&columns);
    return st == STOA_OK ? st : stoa_wrap(err, st, "%s", unit->name);
}

static enum stoa_status read_unit(struct stoa_batch_source *base, struct stoa_unit *given,
                                  struct stoa_batch *out, struct stoa_notes **notes,
                                  struct stoa_error *err)
{
    struct unit *unit = (struct unit *)given;
    enum stoa_status st = STOA_OK;

    *notes = NULL;
    if (unit->npieces > 0) {
        st = read_blocks(source_of(base), unit, out, err);
    } else {
        *out = unit->batch;
        unit->batch = (struct stoa_batch){0};
    }
    if (st == STOA_OK) {
        *notes = (struct stoa_notes *)unit->losses;
        unit->losses = NULL;
    }
    unit_free(given);
    return st;
}

static enum stoa_status accept_losses(struct stoa_batch_source *base, struct stoa_notes *notes,
                                      struct stoa_error *err)
{
    struct source *source = source_of(base);
    const struct stoa_avro_source_options *options = &source->options;

    return stoa_avro_losses_count((struct stoa_avro_losses *)notes, options->max_lost,
                                  options->note, options->note_context, &source->lost, err);
}

void stoa_avro_source_lost(const struct stoa_batch_source *source, struct stoa_avro_lost *out)
{
    *out = ((const struct source *)source)->lost;
}

static void progress(struct stoa_batch_source *base, uint64_t *done, uint64_t *total)
{
    struct source *source = source_of(base);

    *done = atomic_load_explicit(&source->done_nbytes, memory_order_relaxed);
    *total = source->total_nbytes;
}

static void close_source(struct stoa_batch_source *base)
{
    struct source *source = source_of(base);

    stoa_avro_data_reset(&source->large);
    stoa_avro_columns_reset(&source->columns);
    stoa_avro_losses_free(source->losses);
    stoa_avro_inputs_close(source->inputs);
    stoa_schema_reset(&source->schema);
    stoa_free(source->wanted);
    stoa_free(source->text_nbytes);
    stoa_free(source);
}

enum stoa_status stoa_avro_source_open(struct stoa_avro_inputs *inputs,
                                       const struct stoa_avro_source_options *options,
                                       struct stoa_batch_source **out, struct stoa_error *err)
{
    const uint32_t nfields = inputs->schema.nfields;
    struct stoa_schema_node *nodes = NULL;
    struct source *source = NULL;
    uint32_t nnodes;
    enum stoa_status st;

    if (options->split_end != 0 &&
        (inputs->npaths != 1 || inputs->shared == NULL || inputs->is_copy))
        return stoa_fail(err, STOA_ERR_USAGE,
                         "a split is of one file that is Avro as it stands, not compressed as a "
                         "whole, and no pipe");
    STOA_TRY(stoa_alloc_zeroed(&source, 1, sizeof(*source), err));
    source->base = (struct stoa_batch_source){.schema = &source->schema,
                                              .next = next,
                                              .read = read_unit,
                                              .accept = accept_losses,
                                              .progress = progress,
                                              .close = close_source};
    source->options = *options;
    STOA_TRY(stoa_schema_select(&source->schema, &inputs->schema, options->columns,
                                options->ncolumns, err));
    STOA_TRY(stoa_alloc(&source->wanted, (nfields + (size_t)1) * sizeof(*source->wanted), err));
    for (uint32_t i = 0; i < nfields; i++)
        source->wanted[i] = STOA_AVRO_UNWANTED;
    for (uint32_t i = 0; i < options->ncolumns; i++)
        source->wanted[options->columns[i]] = i;
    STOA_TRY(stoa_schema_nodes(&source->schema, &nodes, &nnodes, err));
    STOA_TRY(stoa_alloc_zeroed(&source->text_nbytes, nnodes + (size_t)1,
                               sizeof(*source->text_nbytes), err));
    if (inputs->npaths == 1)
        source->total_nbytes = stoa_avro_inputs_total(inputs);
    source->inputs = inputs;
    *out = &source->base;
    source = NULL;
out:
    stoa_free(nodes);
    if (source != NULL) {
        source->inputs = NULL;
        close_source(&source->base);
    }
    return st;
}
