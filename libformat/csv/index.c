/*
 * Tiles of rows (spec/csv.md, section 1).
 *
 * A kernel takes rows of the right width without a fault for as long as there are any;
 * the automaton takes what it stopped at, one record, and the kernel goes on behind it. So what is
 * common is fast, and what is not is said in one place only.
 */
#include "csv/index.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "csv/index_kernels.h"

/* Ends of a tile that has more than one row. */
#define TILE_NENDS 65536

void stoa_csv_index_init(struct stoa_csv_index *index, const struct stoa_csv_dialect *dialect,
                         uint32_t ncolumns)
{
    uint32_t stride = ncolumns + dialect->trailing_delimiter;
    uint32_t nrows = TILE_NENDS / stride;

    *index = (struct stoa_csv_index){
        .dialect = dialect,
        .ncolumns = ncolumns,
        .kernels = stoa_csv_kernels(),
        .tile_nrows = nrows == 0                    ? 1
                      : nrows < STOA_CSV_TILE_NROWS ? nrows
                                                    : STOA_CSV_TILE_NROWS,
        .tile = {.stride = stride},
    };
}

void stoa_csv_index_reset(struct stoa_csv_index *index)
{
    stoa_free(index->events);
    stoa_free(index->row_begins);
    stoa_free(index->ends);
    stoa_free(index->row_ends);
    *index = (struct stoa_csv_index){0};
}

enum stoa_status stoa_csv_index_start(struct stoa_csv_index *index, const char *text, size_t nbytes,
                                      struct stoa_error *err)
{
    const size_t nrows = index->tile_nrows;
    enum stoa_status st = STOA_OK;

    if (nbytes > STOA_CSV_MOST_NBYTES)
        return stoa_fail(err, STOA_ERR_LIMIT, "a unit of CSV text of 4 GiB or more");
    if (index->ends == NULL) {
        stoa_free(index->events); /* of a start that failed */
        stoa_free(index->row_begins);
        stoa_free(index->row_ends);
        index->events = NULL;
        index->row_begins = index->row_ends = NULL;
        STOA_TRY(
            stoa_alloc_zeroed(&index->events, STOA_CSV_TILE_NEVENTS, sizeof(*index->events), err));
        STOA_TRY(stoa_alloc_zeroed(&index->row_begins, nrows, sizeof(uint32_t), err));
        STOA_TRY(stoa_alloc_zeroed(&index->row_ends, nrows, sizeof(uint32_t), err));
        STOA_TRY(stoa_alloc_zeroed(&index->ends, nrows * index->tile.stride + STOA_CSV_ENDS_SLACK,
                                   sizeof(uint32_t), err));
    }
    index->tile.text = text;
    index->tile.row = 0;
    index->tile.nrows = 0;
    index->tile.row_begins = index->row_begins;
    index->tile.ends = index->ends;
    index->tile.row_ends = index->row_ends;
    index->nevents = 0;
    index->nbytes = nbytes;
    index->at = 0;
out:
    return st;
}

/* Whether the only field of the record at index->at is an empty line. */
static bool is_blank(const struct stoa_csv_index *index, size_t end)
{
    const char *text = index->tile.text;
    struct stoa_csv_field field = stoa_csv_field_of(index->dialect, text + index->at, text + end);

    return field.nbytes == 0 && !field.quoted;
}

static void add_event(struct stoa_csv_index *index, enum stoa_csv_event_kind kind,
                      const struct stoa_csv_raw *raw)
{
    index->events[index->nevents++] = (struct stoa_csv_event){
        .kind = kind,
        .fault = raw->fault,
        .row = index->tile.row + index->tile.nrows,
        .begin = (uint32_t)index->at,
        .end = (uint32_t)raw->next,
        .fault_at = (uint32_t)raw->fault_at,
        .fault_field = (uint32_t)raw->fault_field,
        .nfields = (uint32_t)raw->nfields,
    };
}

/* Whether a record of the wrong width may be a row all the same. */
static bool fits_width(struct stoa_csv_index *index, const uint32_t *ends, struct stoa_csv_raw *raw)
{
    const bool fewer = raw->nfields < index->ncolumns;
    const bool fits = (index->dialect->ragged & (fewer ? STOA_CSV_PAD : STOA_CSV_TRUNCATE)) != 0;

    raw->fault = fewer ? STOA_CSV_FEWER_FIELDS : STOA_CSV_MORE_FIELDS;
    raw->fault_at = fewer ? raw->ending : ends[index->ncolumns - 1] + 1;
    raw->fault_field = fewer ? raw->nfields : index->ncolumns;
    add_event(index, fits ? STOA_CSV_RAGGED : STOA_CSV_FAULTY, raw);
    return fits;
}

/* Whether the record at index->at is a row; where it is not, or not quite, that is told. */
static bool is_row(struct stoa_csv_index *index, const uint32_t *ends, struct stoa_csv_raw *raw)
{
    if (raw->nfields == 0) {
        add_event(index, STOA_CSV_COMMENT, raw);
        return false;
    }
    if (raw->fault != STOA_CSV_FINE) {
        add_event(index, STOA_CSV_FAULTY, raw);
        return false;
    }
    if (raw->nfields == 1 && index->ncolumns > 1 && is_blank(index, raw->ending)) {
        add_event(index, STOA_CSV_BLANK, raw);
        return false;
    }
    return raw->nfields == index->ncolumns || fits_width(index, ends, raw);
}

static bool has_quotes(const struct stoa_csv_index *index, size_t end)
{
    return index->dialect->quote >= 0 &&
           memchr(index->tile.text + index->at, index->dialect->quote, end - index->at) != NULL;
}

/* Takes the record at index->at, whatever it is. */
static void take_record(struct stoa_csv_index *index)
{
    struct stoa_csv_tile *tile = &index->tile;
    uint32_t *ends = index->ends + (size_t)tile->nrows * tile->stride;
    struct stoa_csv_raw raw;

    stoa_csv_walk(index->dialect, tile->text, index->nbytes, index->at, ends, tile->stride, &raw);
    if (is_row(index, ends, &raw)) {
        size_t i = raw.nfields < index->ncolumns ? raw.nfields : index->ncolumns;

        if (raw.nfields == index->ncolumns && raw.trailing)
            i = tile->stride;
        for (; i < tile->stride; i++) /* what the record lacks ends in front of its begin */
            ends[i] = ends[i - 1];
        index->row_begins[tile->nrows] = (uint32_t)index->at;
        index->row_ends[tile->nrows] = (uint32_t)raw.next;
        tile->has_quotes |= has_quotes(index, raw.next);
        tile->nrows++;
    }
    index->at = raw.next;
}

/* Takes the rows of the right width from index->at on. */
static void take_rows(struct stoa_csv_index *index)
{
    struct stoa_csv_tile *tile = &index->tile;
    struct stoa_csv_rows rows = {
        .text = tile->text,
        .nbytes = index->nbytes,
        .at = index->at,
        .dialect = index->dialect,
        .stride = tile->stride,
        .has_quotes = tile->has_quotes,
        .nrows = tile->nrows,
        .max_nrows = index->tile_nrows,
        .row_begins = index->row_begins,
        .ends = index->ends,
        .row_ends = index->row_ends,
    };

    index->kernels->rows(&rows);
    tile->nrows = rows.nrows;
    tile->has_quotes = rows.has_quotes;
    index->at = rows.at;
}

void stoa_csv_index_next(struct stoa_csv_index *index)
{
    struct stoa_csv_tile *tile = &index->tile;

    tile->row += tile->nrows;
    tile->nrows = 0;
    tile->has_quotes = false;
    index->nevents = 0;
    while (index->at < index->nbytes && tile->nrows < index->tile_nrows &&
           index->nevents < STOA_CSV_TILE_NEVENTS) {
        if (index->kernels != NULL)
            take_rows(index);
        if (index->at < index->nbytes && tile->nrows < index->tile_nrows)
            take_record(index);
    }
}
