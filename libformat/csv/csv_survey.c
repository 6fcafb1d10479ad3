/*
 * Inference from every record (spec/csv.md, "Inference"): what the units of all inputs say of their
 * columns, read once before they are converted.
 *
 *     unit -> tiles -> fields -> evidence of the unit      any thread
 *                                evidence of all units     joined, in any order
 */
#include "csv/csv_survey.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "csv/csv_table.h"

static void observe_column(const struct stoa_csv_reading *reading, const struct stoa_csv_tile *tile,
                           uint32_t column, struct stoa_csv_place place,
                           struct stoa_csv_evidence *evidence)
{
    const uint64_t offset = place.offset; /* of the unit */

    for (uint32_t row = 0; row < tile->nrows; row++) {
        const uint32_t begin = tile->row_begins[row];
        const uint32_t *end = tile->ends + (size_t)row * tile->stride + column;
        const uint32_t at = column == 0 ? begin : end[-1] + 1;
        const char *text = tile->text + at;
        const struct stoa_csv_field field =
            stoa_csv_field_of(&reading->dialect, text, at < *end ? tile->text + *end : text);

        place.offset = offset + begin;
        stoa_csv_evidence_observe(evidence, &reading->spellings, field.text, field.nbytes,
                                  field.quoted, &place);
    }
}

static int compare_places(const void *a, const void *b)
{
    const struct stoa_csv_conflict *const *first = a, *const *second = b;
    const uint64_t x = (*first)->place.offset, y = (*second)->place.offset;

    return x < y ? -1 : x > y;
}

/* Counts the lines up to the conflicts of a unit, once through its text for all of them. */
static enum stoa_status find_lines(const struct stoa_csv_reading *reading,
                                   const struct stoa_csv_text *text, uint32_t ncolumns,
                                   struct stoa_csv_evidence *columns, struct stoa_error *err)
{
    struct stoa_csv_conflict **found = NULL;
    uint64_t line = text->line, offset = text->offset;
    size_t nfound = 0;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&found, (size_t)ncolumns * STOA_CSV_NKINDS, sizeof(*found), err));
    for (uint32_t i = 0; i < ncolumns; i++)
        for (size_t k = 0; k < STOA_CSV_NKINDS; k++)
            if (columns[i].conflicts[k].value.nbytes > 0)
                found[nfound++] = &columns[i].conflicts[k];
    qsort(found, nfound, sizeof(*found), compare_places);
    for (size_t i = 0; i < nfound; i++) {
        struct stoa_csv_place *place = &found[i]->place;

        line += stoa_csv_count_lines(&reading->dialect, text->text + (offset - text->offset),
                                     (size_t)(place->offset - offset));
        offset = place->offset;
        place->line = line;
    }
out:
    stoa_free(found);
    return st;
}

enum stoa_status stoa_csv_unit_observe(const struct stoa_csv_reading *reading,
                                       const struct stoa_csv_layout *layout,
                                       const struct stoa_csv_text *text, uint32_t input,
                                       uint32_t ncolumns, struct stoa_csv_evidence **out,
                                       struct stoa_error *err)
{
    const struct stoa_csv_place place = {.offset = text->offset, .input = input};
    struct stoa_csv_evidence *columns = NULL;
    struct stoa_csv_index index;
    enum stoa_status st;

    stoa_csv_index_init(&index, &reading->dialect, layout->ncolumns);
    STOA_TRY(stoa_alloc(&columns, ncolumns * sizeof(*columns), err));
    for (uint32_t i = 0; i < ncolumns; i++)
        stoa_csv_evidence_init(&columns[i]);
    /* A record that is too large is no row. */
    STOA_TRY(
        stoa_csv_index_start(&index, text->text, text->large_nbytes > 0 ? 0 : text->nbytes, err));
    for (stoa_csv_index_next(&index); !stoa_csv_index_at_end(&index); stoa_csv_index_next(&index))
        for (uint32_t i = 0; i < ncolumns; i++)
            if (layout->places[i] != STOA_CSV_NO_PLACE)
                observe_column(reading, &index.tile, layout->places[i], place, &columns[i]);
    STOA_TRY(find_lines(reading, text, ncolumns, columns, err));
    *out = columns;
    columns = NULL;
out:
    stoa_csv_index_reset(&index);
    stoa_free(columns);
    return st;
}
