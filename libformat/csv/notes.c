/*
 * Notes of units, and the side table that those of a row group become (spec/csv.md, "Restore").
 */
#include "csv/notes.h"

#include <string.h>

#include "base/error.h"
#include "column/builder.h"
#include "csv/csv_table.h"
#include "csv/rule.h"

/* ---- Pieces. ---- */

enum stoa_status stoa_csv_pieces_append(struct stoa_csv_pieces *pieces, uint32_t row,
                                        const void *bytes, size_t nbytes, struct stoa_error *err)
{
    const size_t n = pieces->npieces;
    enum stoa_status st;

    STOA_TRY(
        stoa_reserve(&pieces->rows, &pieces->rows_capacity, n + 1, sizeof(*pieces->rows), err));
    STOA_TRY(
        stoa_reserve(&pieces->ends, &pieces->ends_capacity, n + 1, sizeof(*pieces->ends), err));
    STOA_TRY(stoa_buffer_append(&pieces->bytes, bytes, nbytes, err));
    if (n == 0 || pieces->rows[n - 1] != row)
        pieces->rows[pieces->npieces++] = row;
    pieces->ends[pieces->npieces - 1] = pieces->bytes.nbytes;
out:
    return st;
}

void stoa_csv_pieces_reset(struct stoa_csv_pieces *pieces)
{
    stoa_free(pieces->rows);
    stoa_free(pieces->ends);
    stoa_buffer_free(&pieces->bytes);
    *pieces = (struct stoa_csv_pieces){0};
}

static uint64_t pieces_nbytes(const struct stoa_csv_pieces *pieces)
{
    return pieces->rows_capacity * sizeof(*pieces->rows) +
           pieces->ends_capacity * sizeof(*pieces->ends) + pieces->bytes.capacity;
}

/* ---- Notes. ---- */

static void notes_free(struct stoa_notes *base)
{
    struct stoa_csv_notes *notes = (struct stoa_csv_notes *)base;

    for (uint32_t i = 0; notes->forms != NULL && i < notes->ncolumns; i++)
        stoa_csv_forms_reset(&notes->forms[i]);
    stoa_free(notes->forms);
    stoa_csv_pieces_reset(&notes->gaps);
    stoa_csv_pieces_reset(&notes->records);
    stoa_rejects_reset(&notes->rejects);
    if (notes->release != NULL)
        notes->release(notes->owner);
    for (uint32_t i = 0; notes->misfits != NULL && i < notes->ncolumns; i++)
        stoa_free(notes->misfits[i]);
    stoa_free(notes->misfits);
    stoa_free(notes);
}

enum stoa_status stoa_csv_notes_new(uint32_t ncolumns, bool keep_text, struct stoa_csv_notes **out,
                                    struct stoa_error *err)
{
    struct stoa_csv_notes *notes = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&notes, 1, sizeof(*notes), err));
    notes->base.free = notes_free;
    notes->ncolumns = ncolumns;
    if (keep_text)
        STOA_TRY(stoa_alloc_zeroed(&notes->forms, ncolumns, sizeof(*notes->forms), err));
    *out = notes;
    notes = NULL;
out:
    if (notes != NULL)
        notes_free(&notes->base);
    return st;
}

void stoa_csv_notes_measure(struct stoa_csv_notes *notes)
{
    uint64_t nbytes = sizeof(*notes) + pieces_nbytes(&notes->gaps) +
                      pieces_nbytes(&notes->records) + stoa_rejects_nbytes(&notes->rejects);

    for (uint32_t i = 0; notes->forms != NULL && i < notes->ncolumns; i++) {
        const struct stoa_csv_forms *forms = &notes->forms[i];

        nbytes +=
            sizeof(*forms) + forms->capacity * sizeof(*forms->verbatims) + forms->bytes.capacity;
        if (forms->codes != NULL)
            nbytes += forms->nvalues * sizeof(*forms->codes);
    }
    notes->base.nbytes = nbytes;
}

/* Puts bytes in front of those of the first row. */
static enum stoa_status prepend_gap(struct stoa_csv_notes *notes, const struct stoa_buffer *gap,
                                    struct stoa_error *err)
{
    struct stoa_csv_pieces made = {0};
    const struct stoa_csv_pieces *gaps = &notes->gaps;
    enum stoa_status st;

    STOA_TRY(stoa_csv_pieces_append(&made, 0, gap->data, gap->nbytes, err));
    for (size_t i = 0; i < gaps->npieces; i++) {
        size_t nbytes;
        const char *bytes = stoa_csv_piece(gaps, i, &nbytes);

        STOA_TRY(stoa_csv_pieces_append(&made, gaps->rows[i], bytes, nbytes, err));
    }
    stoa_csv_pieces_reset(&notes->gaps);
    notes->gaps = made;
    made = (struct stoa_csv_pieces){0};
out:
    stoa_csv_pieces_reset(&made);
    return st;
}

enum stoa_status stoa_csv_notes_pass_gap(struct stoa_csv_notes *notes, struct stoa_buffer *gap,
                                         struct stoa_error *err)
{
    struct stoa_csv_pieces *gaps = &notes->gaps;
    size_t nbytes;
    const char *bytes;
    enum stoa_status st = STOA_OK;

    if (gap->nbytes > 0 && notes->nrows > 0) {
        STOA_TRY(prepend_gap(notes, gap, err));
        stoa_buffer_free(gap);
    }
    if (gaps->npieces == 0 || gaps->rows[gaps->npieces - 1] != notes->nrows)
        goto out;
    bytes = stoa_csv_piece(gaps, gaps->npieces - 1, &nbytes);
    STOA_TRY(stoa_buffer_append(gap, bytes, nbytes, err));
    gaps->npieces--;
    gaps->bytes.nbytes -= nbytes;
out:
    return st;
}

/* ---- The side table. ---- */

static const struct stoa_csv_notes *notes_at(struct stoa_notes *const *notes, size_t i)
{
    return (const struct stoa_csv_notes *)notes[i];
}

/* Which pieces of the notes. */
static const struct stoa_csv_pieces *pieces_of(const struct stoa_csv_notes *notes,
                                               enum stoa_side_kind kind)
{
    return kind == STOA_SIDE_GAP ? &notes->gaps : &notes->records;
}

/* Pieces of all units as one column with a value for each row, unless there is none. */
static enum stoa_status add_pieces(struct stoa_notes *const *notes, size_t nnotes,
                                   enum stoa_side_kind kind, struct stoa_side *side,
                                   struct stoa_error *err)
{
    const struct stoa_type binary = {.id = STOA_BINARY};
    struct stoa_builder builder = {0};
    size_t npieces = 0, first = 0;
    enum stoa_status st = STOA_OK;

    for (size_t k = 0; k < nnotes; k++)
        npieces += pieces_of(notes_at(notes, k), kind)->npieces;
    if (npieces == 0)
        return STOA_OK;
    STOA_TRY(stoa_builder_init(&builder, &binary, side->nrows, err));
    for (size_t k = 0; k < nnotes; first += notes_at(notes, k++)->nrows) {
        const struct stoa_csv_pieces *pieces = pieces_of(notes_at(notes, k), kind);

        for (size_t i = 0; i < pieces->npieces; i++) {
            size_t nbytes;
            const char *bytes = stoa_csv_piece(pieces, i, &nbytes);

            STOA_TRY(stoa_builder_reserve(&builder, 1, nbytes, err));
            while (builder.array.nvalues < first + pieces->rows[i])
                stoa_builder_append_null(&builder);
            stoa_builder_append_bytes(&builder, bytes, nbytes);
        }
    }
    while (builder.array.nvalues < side->nrows)
        stoa_builder_append_null(&builder);
    side->columns[side->ncolumns] = (struct stoa_side_column){
        .column = STOA_SIDE_RECORDS,
        .kind = (uint8_t)kind,
    };
    stoa_builder_finish(&builder, &side->columns[side->ncolumns++].array);
out:
    stoa_builder_reset(&builder);
    return st;
}

enum stoa_status stoa_csv_notes_side(struct stoa_notes *const *notes, size_t nnotes,
                                     const struct stoa_batch *batch,
                                     const struct stoa_csv_column *columns,
                                     const struct stoa_csv_reading *reading, struct stoa_side *out,
                                     struct stoa_error *err)
{
    struct stoa_csv_rule_part *parts = NULL;
    struct stoa_side side = {.nrows = batch->nrows};
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&parts, nnotes, sizeof(*parts), err));
    STOA_TRY(stoa_alloc_zeroed(&side.columns, 2 * (size_t)batch->ncolumns + 2,
                               sizeof(*side.columns), err));
    for (uint32_t c = 0; c < batch->ncolumns; c++) {
        if (!columns[c].wants_forms)
            continue;
        for (size_t k = 0; k < nnotes; k++)
            parts[k] = (struct stoa_csv_rule_part){.forms = &notes_at(notes, k)->forms[c],
                                                   .nvalues = notes_at(notes, k)->nrows};
        STOA_TRY(stoa_csv_rule_add(&batch->schema->fields[c], c, reading, &batch->columns[c], parts,
                                   nnotes, &side, err));
    }
    STOA_TRY(add_pieces(notes, nnotes, STOA_SIDE_GAP, &side, err));
    STOA_TRY(add_pieces(notes, nnotes, STOA_SIDE_RECORD, &side, err));
    if (side.ncolumns > 0) {
        *out = side;
        side = (struct stoa_side){0};
    }
out:
    stoa_free(parts);
    stoa_side_reset(&side);
    return st;
}
