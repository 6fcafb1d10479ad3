/*
 * From the text of a unit to a batch, tile by tile (csv/index.h, csv/parse.h).
 *
 * A tile is parsed column by column, so a misfit in the first column of its last row is met before
 * one in the second column of its first row. All of a tile's misfits are collected therefore, and
 * the first by position is the error, if no record that is no row stands in front of it.
 */
#include "csv/csv_unit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/error.h"
#include "base/text.h"
#include "base/utf8.h"
#include "csv/csv_table.h"

/* Lines in the first bytes of a text. */
struct counted {
    uint32_t nbytes;
    uint64_t nlines;
};

/* A unit on its way. */
struct reader {
    const struct stoa_csv_table *table;
    const struct stoa_csv_layout *layout;
    const struct stoa_csv_text *text;
    struct stoa_csv_index index;
    struct stoa_csv_values *values;  /* one for each column of the rows */
    struct stoa_csv_misfits misfits; /* of a tile */

    struct stoa_rejects *rejects; /* NULL: the first bad record is an error */
    uint8_t *rejected;            /* bitmap of the unit's rows; NULL: none is */
    size_t nrejected;             /* of its bits */
    uint64_t nfaulty;             /* records so far that are no rows */

    struct stoa_csv_notes *notes; /* NULL: not wanted */
    uint64_t npassed;             /* rejected rows in front of the one that is noted */

    struct stoa_buffer scratch; /* a value without its escapes */

    struct counted counted;         /* up to the last record whose line was asked for, */
    struct counted counted_at_tile; /* or in front of the tile */
};

/*
 * Records are asked for nearly in order: a tile begins anew once, or twice. So all of them together
 * cost a few walks over the text at the most.
 */
static uint64_t line_of(struct reader *reader, uint32_t begin)
{
    struct counted *counted = &reader->counted;

    if (begin < counted->nbytes)
        *counted = reader->counted_at_tile;
    counted->nlines +=
        stoa_csv_count_lines(&reader->table->reading.dialect, reader->text->text + counted->nbytes,
                             begin - counted->nbytes);
    counted->nbytes = begin;
    return reader->text->line + counted->nlines;
}

/* What is wrong with a record that is no row. */
static enum stoa_status fail_event(struct reader *reader, const struct stoa_csv_event *event,
                                   struct stoa_error *err)
{
    const char *text = reader->text->text;
    const uint64_t line = line_of(reader, event->begin);
    const uint64_t offset = reader->text->offset + event->begin;
    struct stoa_csv_record record = {0};
    enum stoa_status st;

    STOA_TRY(stoa_csv_record_split(&record, text + event->begin, text + event->end,
                                   &reader->table->reading.dialect, err));
    STOA_TRY(stoa_csv_record_check(&record, line, offset, err));
    st = stoa_csv_record_check_width(&record, reader->layout->ncolumns, line, offset, err);
out:
    stoa_csv_record_free(&record);
    return st;
}

/* 'line 7, column 3 (fare): "12x" is not int32', and what would help. */
static enum stoa_status fail_misfit(struct reader *reader, const struct stoa_csv_misfit *misfit,
                                    struct stoa_error *err)
{
    const struct stoa_csv_tile *tile = &reader->index.tile;
    const struct stoa_csv_column *column = misfit->read_as;
    const uint32_t begin = tile->row_begins[misfit->row];
    const struct stoa_csv_field field =
        stoa_csv_tile_field(tile, &reader->table->reading.dialect, misfit->row, misfit->column);
    const uint64_t line = line_of(reader, begin);
    const uint64_t offset = reader->text->offset + (uint64_t)(field.text - tile->text);
    const char *help = column->strict && !reader->table->widens
                           ? "; --infer full, --types or a schema can give the column another type"
                           : "";
    char name[80], value[224];
    char *type = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_type_print(column->field, &type, err));
    stoa_quote(name, sizeof(name), column->field->name, strlen(column->field->name));
    stoa_quote(value, sizeof(value), field.text, field.nbytes);
    if (misfit->outcome == STOA_CSV_NULL)
        st =
            stoa_fail_at(err, STOA_ERR_DATA, offset,
                         "line %" PRIu64 ", column %" PRIu32 " (%s): no value, and the schema says "
                         "that it is not nullable",
                         line, misfit->column + 1, name);
    else if (misfit->outcome == STOA_CSV_NOT_UTF8)
        st = stoa_fail_at(err, STOA_ERR_DATA, offset,
                          "line %" PRIu64 ", column %" PRIu32 " (%s): \"%s\" is not UTF-8", line,
                          misfit->column + 1, name, value);
    else
        st = stoa_fail_at(err, STOA_ERR_DATA, offset,
                          "line %" PRIu64 ", column %" PRIu32 " (%s): \"%s\" is not %s%s", line,
                          misfit->column + 1, name, value, type, help);
out:
    stoa_free(type);
    return st;
}

/* ---- Bad records are the end. ---- */

static const struct stoa_csv_event *first_fault(const struct stoa_csv_index *index)
{
    for (size_t i = 0; i < index->nevents; i++) {
        if (index->events[i].kind == STOA_CSV_FAULTY)
            return &index->events[i];
    }
    return NULL;
}

static const struct stoa_csv_misfit *first_misfit(const struct stoa_csv_misfits *misfits)
{
    const struct stoa_csv_misfit *first = NULL;

    for (size_t i = 0; i < misfits->nitems; i++) {
        const struct stoa_csv_misfit *misfit = &misfits->items[i];

        if (first == NULL || misfit->row < first->row ||
            (misfit->row == first->row && misfit->column < first->column))
            first = misfit;
    }
    return first;
}

static enum stoa_status fail_first(struct reader *reader, struct stoa_error *err)
{
    const struct stoa_csv_index *index = &reader->index;
    const struct stoa_csv_event *fault = first_fault(index);
    const struct stoa_csv_misfit *misfit = first_misfit(&reader->misfits);

    if (fault != NULL && (misfit == NULL || fault->row <= index->tile.row + misfit->row))
        return fail_event(reader, fault, err);
    return misfit != NULL ? fail_misfit(reader, misfit, err) : STOA_OK;
}

/* ---- Bad records are left out. ---- */

/* Adds a record whose message the caller has; `why` says where it is wrong, too. */
static enum stoa_status reject(struct reader *reader, struct stoa_reject *rejected, uint32_t begin,
                               uint32_t end, const struct stoa_error *why, struct stoa_error *err)
{
    const char *text = reader->text->text;

    rejected->whole_nbytes = reader->text->large_nbytes == 0 ? end - begin : 0;
    if (end > begin && text[end - 1] == '\n')
        end--;
    if (end > begin && text[end - 1] == '\r')
        end--;
    rejected->record += reader->nfaulty;
    rejected->line = line_of(reader, begin);
    rejected->record_offset = reader->text->offset + begin;
    rejected->raw = text + begin;
    rejected->raw_nbytes = end - begin;
    rejected->message = why->message;
    return stoa_rejects_append(reader->rejects, rejected, err);
}

static enum stoa_status reject_event(struct reader *reader, const struct stoa_csv_event *event,
                                     struct stoa_error *err)
{
    struct stoa_reject rejected = {
        .error = stoa_csv_reject_name(stoa_csv_reject_of_fault(event->fault)),
        .column = event->fault_field,
        .record = event->row,
        .byte_offset = reader->text->offset + event->fault_at,
    };
    struct stoa_error why;
    enum stoa_status st = fail_event(reader, event, &why);

    if (st == STOA_ERR_DATA) {
        st = reject(reader, &rejected, event->begin, event->end, &why, err);
        reader->nfaulty++;
    } else if (err != NULL) {
        *err = why;
    }
    return st;
}

/* The unit is the beginning of one record; it is told in the field that this ends in. */
static enum stoa_status reject_large(struct reader *reader, struct stoa_error *err)
{
    const struct stoa_csv_text *text = reader->text;
    struct stoa_reject rejected = {
        .error = stoa_csv_reject_name(STOA_CSV_REJECT_TOO_LARGE),
        .byte_offset = text->offset,
    };
    struct stoa_csv_record record = {0};
    struct stoa_error why;
    enum stoa_status st;

    STOA_TRY(stoa_csv_record_split(&record, text->text, text->text + text->nbytes,
                                   &reader->table->reading.dialect, err));
    rejected.column = record.nfields > 0 ? (uint32_t)record.nfields - 1 : 0;
    (void)stoa_csv_fail_too_large(&why, NULL, text->line, text->offset,
                                  stoa_csv_max_record_nbytes(reader->table->reading.options));
    STOA_TRY(reject(reader, &rejected, 0, (uint32_t)text->nbytes, &why, err));
    reader->nfaulty++;
    if (reader->notes != NULL)
        reader->notes->is_cut = true;
out:
    stoa_csv_record_free(&record);
    return st;
}

/* What a field says, into the scratch of the reader where that is not how it stands. */
static enum stoa_status unescape(struct reader *reader, const struct stoa_csv_field *field,
                                 struct stoa_reject *out, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    out->value = field->text;
    out->value_nbytes = field->nbytes;
    if (!field->doubled)
        return STOA_OK;
    STOA_TRY(stoa_buffer_resize(&reader->scratch, field->nbytes, err));
    out->value = (const char *)reader->scratch.data;
    out->value_nbytes = stoa_csv_field_unescape(field, (char *)reader->scratch.data);
out:
    return st;
}

static enum stoa_status reject_misfit(struct reader *reader, const struct stoa_csv_misfit *misfit,
                                      struct stoa_error *err)
{
    const struct stoa_csv_tile *tile = &reader->index.tile;
    const struct stoa_csv_column *column = misfit->read_as;
    const struct stoa_csv_field field =
        stoa_csv_tile_field(tile, &reader->table->reading.dialect, misfit->row, misfit->column);
    struct stoa_reject rejected = {
        .error = stoa_csv_reject_name(stoa_csv_reject_of_field(column, &field, misfit->outcome)),
        .column = misfit->column,
        .field = column->field,
        .record = tile->row + misfit->row,
        .byte_offset = reader->text->offset + (uint64_t)(field.text - tile->text),
    };
    struct stoa_error why;
    enum stoa_status st = fail_misfit(reader, misfit, &why);

    if (st != STOA_ERR_DATA) {
        if (err != NULL)
            *err = why;
        return st;
    }
    STOA_TRY(unescape(reader, &field, &rejected, err));
    STOA_TRY(reject(reader, &rejected, tile->row_begins[misfit->row], tile->row_ends[misfit->row],
                    &why, err));
    if (reader->rejected == NULL)
        STOA_TRY(stoa_alloc_zeroed(&reader->rejected,
                                   stoa_bitmap_nbytes((size_t)reader->text->nrecords), 1, err));
    stoa_bitmap_set(reader->rejected, (size_t)(tile->row + misfit->row));
    reader->nrejected++;
out:
    return st;
}

static int compare_misfits(const void *a, const void *b)
{
    const struct stoa_csv_misfit *x = a, *y = b;

    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    return x->column < y->column ? -1 : x->column > y->column;
}

/* The bad records of a tile in their order: rows by their first misfit, and what is no row. */
static enum stoa_status reject_all(struct reader *reader, struct stoa_error *err)
{
    const struct stoa_csv_index *index = &reader->index;
    const struct stoa_csv_misfits *misfits = &reader->misfits;
    size_t next_event = 0;
    enum stoa_status st = STOA_OK;

    if (misfits->nitems > 0)
        qsort(misfits->items, misfits->nitems, sizeof(*misfits->items), compare_misfits);
    for (size_t i = 0; i <= misfits->nitems; i++) {
        const bool at_end = i == misfits->nitems;
        const struct stoa_csv_misfit *misfit = at_end ? NULL : &misfits->items[i];

        if (!at_end && i > 0 && misfits->items[i].row == misfits->items[i - 1].row)
            continue;
        for (; next_event < index->nevents; next_event++) {
            const struct stoa_csv_event *event = &index->events[next_event];

            if (!at_end && event->row > index->tile.row + misfit->row)
                break;
            if (event->kind == STOA_CSV_FAULTY)
                STOA_TRY(reject_event(reader, event, err));
        }
        if (!at_end)
            STOA_TRY(reject_misfit(reader, misfit, err));
    }
out:
    return st;
}

/* ---- What values do not tell. ---- */

static enum stoa_status note_bytes(const struct reader *reader, struct stoa_csv_pieces *pieces,
                                   uint64_t row, uint32_t begin, uint32_t end,
                                   struct stoa_error *err)
{
    return stoa_csv_pieces_append(pieces, (uint32_t)(row - reader->npassed),
                                  reader->text->text + begin, end - begin, err);
}

/* The record, or just the line end, of a row that is not its fields and the usual line end. */
static enum stoa_status note_row(const struct reader *reader, uint32_t row, struct stoa_error *err)
{
    const struct stoa_csv_tile *tile = &reader->index.tile;
    struct stoa_csv_notes *notes = reader->notes;
    const uint32_t ncolumns = reader->layout->ncolumns;
    const uint32_t *ends = tile->ends + (size_t)row * tile->stride;
    const uint32_t end = ends[tile->stride - 1], row_end = tile->row_ends[row];
    uint32_t begin = tile->row_begins[row];

    if (tile->stride == ncolumns || end == ends[ncolumns - 1] + 1) { /* all delimiters are there */
        if (row_end - end == notes->line_end_nbytes &&
            memcmp(tile->text + end, notes->line_end, notes->line_end_nbytes) == 0)
            return STOA_OK;
        if (end == row_end) { /* the last row of the input */
            notes->is_unended = true;
            return STOA_OK;
        }
        if (tile->stride == ncolumns && stoa_csv_is_line_end(tile->text + end, row_end - end))
            begin = end;
    }
    return note_bytes(reader, &notes->records, tile->row + row, begin, row_end, err);
}

static bool is_rejected(const struct reader *reader, uint32_t row)
{
    const struct stoa_csv_tile *tile = &reader->index.tile;

    return reader->rejected != NULL && row < tile->nrows &&
           stoa_bitmap_get(reader->rejected, (size_t)(tile->row + row));
}

/* What stands between the rows of a tile, and rows that are not just their fields. */
static enum stoa_status note_tile(struct reader *reader, struct stoa_error *err)
{
    const struct stoa_csv_index *index = &reader->index;
    const struct stoa_csv_tile *tile = &index->tile;
    struct stoa_csv_notes *notes = reader->notes;
    size_t k = 0;
    enum stoa_status st = STOA_OK;

    for (uint32_t row = 0; row <= tile->nrows; row++) {
        const bool rejected = is_rejected(reader, row);
        bool told = false;

        for (; k < index->nevents && index->events[k].row <= tile->row + row; k++) {
            const struct stoa_csv_event *event = &index->events[k];
            const bool is_row = event->kind == STOA_CSV_RAGGED;

            told |= is_row;
            STOA_TRY(note_bytes(reader, is_row && !rejected ? &notes->records : &notes->gaps,
                                event->row, event->begin, event->end, err));
        }
        if (rejected && !told)
            STOA_TRY(note_bytes(reader, &notes->gaps, tile->row + row, tile->row_begins[row],
                                tile->row_ends[row], err));
        else if (row < tile->nrows && !told)
            STOA_TRY(note_row(reader, row, err));
        reader->npassed += rejected;
    }
out:
    return st;
}

/* By row where a message is to be made: then lines are asked for in order. */
static void sort_new_misfits(const struct reader *reader, struct stoa_csv_misfits *misfits)
{
    bool is_new = false;

    for (size_t i = 0; !is_new && i < misfits->nitems; i++) {
        const struct stoa_csv_column *column = misfits->items[i].read_as;

        is_new = reader->notes->misfits[column - reader->table->columns] == NULL;
    }
    if (is_new)
        qsort(misfits->items, misfits->nitems, sizeof(*misfits->items), compare_misfits);
}

/*
 * Takes the misfits that a wider type would hold out of the list, and keeps the message about the
 * first of each column.
 */
static enum stoa_status set_aside(struct reader *reader, struct stoa_error *err)
{
    const struct stoa_csv_table *table = reader->table;
    struct stoa_csv_misfits *misfits = &reader->misfits;
    struct stoa_csv_notes *notes = reader->notes;
    size_t nkept = 0;
    enum stoa_status st = STOA_OK;

    if (misfits->nitems > 0 && notes->misfits == NULL)
        STOA_TRY(stoa_alloc_zeroed(&notes->misfits, notes->ncolumns, sizeof(char *), err));
    sort_new_misfits(reader, misfits);
    for (size_t i = 0; i < misfits->nitems; i++) {
        const struct stoa_csv_misfit misfit = misfits->items[i];
        const struct stoa_csv_column *column = misfit.read_as;
        const struct stoa_csv_field field = stoa_csv_tile_field(
            &reader->index.tile, &table->reading.dialect, misfit.row, misfit.column);
        char **message = &notes->misfits[column - table->columns];
        struct stoa_error why = {0};

        if (misfit.outcome != STOA_CSV_MISFIT || !column->strict ||
            stoa_utf8_valid_prefix((const uint8_t *)field.text, field.nbytes) != field.nbytes) {
            misfits->items[nkept++] = misfit;
        } else if (*message == NULL) {
            if (fail_misfit(reader, &misfit, &why) == STOA_ERR_NOMEM)
                STOA_TRY(stoa_fail_nomem(err, 0));
            STOA_TRY(stoa_strndup(message, why.message, strlen(why.message), err));
        }
    }
    misfits->nitems = nkept;
out:
    return st;
}

static enum stoa_status read_tile(struct reader *reader, struct stoa_error *err)
{
    const struct stoa_csv_table *table = reader->table;
    enum stoa_status st;

    reader->misfits.nitems = 0;
    reader->counted_at_tile = reader->counted;
    STOA_TRY(stoa_csv_tile_parse(table->columns, reader->layout->places, table->schema->nfields,
                                 &reader->index.tile, reader->values, &reader->misfits, err));
    if (table->widens)
        STOA_TRY(set_aside(reader, err));
    STOA_TRY((reader->rejects == NULL ? fail_first : reject_all)(reader, err));
    if (reader->notes != NULL && table->keeps_text)
        STOA_TRY(note_tile(reader, err));
out:
    return st;
}

static enum stoa_status read_tiles(struct reader *reader, struct stoa_error *err)
{
    struct stoa_csv_index *index = &reader->index;
    enum stoa_status st;

    STOA_TRY(stoa_csv_index_start(index, reader->text->text, reader->text->nbytes, err));
    for (stoa_csv_index_next(index); !stoa_csv_index_at_end(index); stoa_csv_index_next(index))
        STOA_TRY(read_tile(reader, err));
out:
    return st;
}

enum stoa_status stoa_csv_unit_read(const struct stoa_csv_table *table,
                                    const struct stoa_csv_layout *layout,
                                    const struct stoa_csv_text *text, struct stoa_rejects *rejects,
                                    struct stoa_csv_notes *notes, struct stoa_batch *out,
                                    struct stoa_error *err)
{
    const uint32_t ncolumns = table->schema->nfields;
    struct reader reader = {
        .table = table, .layout = layout, .text = text, .rejects = rejects, .notes = notes};
    struct stoa_batch batch = {0};
    enum stoa_status st;

    stoa_csv_index_init(&reader.index, &table->reading.dialect, layout->ncolumns);
    STOA_TRY(stoa_batch_init(&batch, table->schema, err));
    STOA_TRY(stoa_alloc_zeroed(&reader.values, ncolumns, sizeof(*reader.values), err));
    for (uint32_t i = 0; i < ncolumns; i++)
        STOA_TRY(stoa_csv_values_init(&reader.values[i], &table->columns[i], (size_t)text->nrecords,
                                      err));
    STOA_TRY((text->large_nbytes > 0 ? reject_large : read_tiles)(&reader, err));
    batch.nrows = (size_t)reader.index.tile.row - reader.nrejected;
    if (rejects != NULL)
        rejects->nrecords = reader.index.tile.row + reader.nfaulty;
    for (uint32_t i = 0; i < ncolumns; i++) {
        if (table->columns[i].is_filename)
            STOA_TRY(stoa_csv_values_fill(&reader.values[i], layout->filename,
                                          (size_t)reader.index.tile.row, err));
        STOA_TRY(stoa_csv_values_finish(&reader.values[i], &table->columns[i], reader.rejected,
                                        &batch.columns[i], notes != NULL ? &notes->forms[i] : NULL,
                                        err));
    }
    if (notes != NULL)
        notes->nrows = (uint32_t)batch.nrows;
    *out = batch;
    batch = (struct stoa_batch){0};
out:
    for (uint32_t i = 0; reader.values != NULL && i < ncolumns; i++)
        stoa_csv_values_reset(&reader.values[i]);
    stoa_free(reader.values);
    stoa_free(reader.misfits.items);
    stoa_free(reader.rejected);
    stoa_buffer_free(&reader.scratch);
    stoa_csv_index_reset(&reader.index);
    stoa_batch_reset(&batch);
    return st;
}
