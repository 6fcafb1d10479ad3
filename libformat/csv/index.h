/*
 * Tiles: where the fields of up to 1,024 rows are in the text of a unit.
 *
 * A parser of a column walks down a tile; what is no row of the right width is an event, told
 * beside the rows in its place. So whoever reads looks at rows only, and at events only where there
 * are any.
 *
 *     struct stoa_csv_index index;
 *
 *     stoa_csv_index_init(&index, &dialect, ncolumns);
 *     STOA_TRY(stoa_csv_index_start(&index, unit.text, unit.nbytes, err));
 *     for (stoa_csv_index_next(&index); !stoa_csv_index_at_end(&index);
 *          stoa_csv_index_next(&index))
 *         ... index.tile, index.events[0 .. nevents) ...
 */
#ifndef STOA_CSV_INDEX_H
#define STOA_CSV_INDEX_H

#include "csv/record.h"

struct stoa_csv_kernels;

#define STOA_CSV_TILE_NROWS   1024
#define STOA_CSV_TILE_NEVENTS 1024

/*
 * Rows of `ncolumns` fields. Raw field c of row r, quotes included, is
 *
 *     [c == 0 ? row_begins[r] : ends[r * stride + c - 1] + 1, ends[r * stride + c])
 *
 * and empty where the end is not behind the begin: a field that a short row lacks has its end in
 * front of its begin. stoa_csv_field_of() says what a raw field means.
 */
struct stoa_csv_tile {
    const char *text; /* of the unit; STOA_CSV_SLACK readable bytes stand behind its end */
    uint64_t row;     /* rows of the unit in front of this tile */
    uint32_t nrows;   /* fewer than STOA_CSV_TILE_NROWS where records have many fields */
    uint32_t stride;  /* ends of a row: ncolumns, and one more with trailing delimiters */
    const uint32_t *row_begins; /* [nrows] first byte of the record */
    const uint32_t *ends;       /* [nrows * stride] the byte behind each raw field */
    const uint32_t *row_ends;   /* [nrows] behind the line end */
    bool has_quotes;            /* false: no field of the tile begins with a quote */
};

enum stoa_csv_event_kind {
    STOA_CSV_BLANK,   /* a line without a byte, where the table has several columns; no row */
    STOA_CSV_COMMENT, /* no row */
    STOA_CSV_RAGGED,  /* a row that was padded or truncated */
    STOA_CSV_FAULTY,  /* a record that is no row */
};

struct stoa_csv_event {
    enum stoa_csv_event_kind kind;
    enum stoa_csv_fault fault; /* of STOA_CSV_FAULTY, and of STOA_CSV_RAGGED which it would be */
    uint64_t row;              /* rows of the unit in front of it */
    uint32_t begin;            /* bytes [begin, end) of the unit's text, line end included */
    uint32_t end;
    uint32_t fault_at;    /* the byte in the text that is wrong */
    uint32_t fault_field; /* from 0: the field that it stands in */
    uint32_t nfields;     /* of the record; 0 for a comment */
};

/* One thread uses it at a time, for one unit after the other. */
struct stoa_csv_index {
    struct stoa_csv_tile tile; /* valid until the next call */
    struct stoa_csv_event *events;
    size_t nevents;

    const struct stoa_csv_dialect *dialect; /* borrowed */
    const struct stoa_csv_kernels *kernels; /* NULL, in tests: the automaton takes all */
    uint32_t ncolumns;
    uint32_t tile_nrows; /* most rows of a tile */
    size_t nbytes;       /* of the text */
    size_t at;           /* next byte of the text: the begin of a record, or the end */
    uint32_t *row_begins, *ends, *row_ends;
};

/* ncolumns is at least 1 and below UINT32_MAX / 8. */
void stoa_csv_index_init(struct stoa_csv_index *index, const struct stoa_csv_dialect *dialect,
                         uint32_t ncolumns);
void stoa_csv_index_reset(struct stoa_csv_index *index);

/*
 * Starts with a text of whole records (the last may lack its line end), borrowed until the last
 * tile was used. STOA_ERR_LIMIT for a text of more than STOA_CSV_MOST_NBYTES; memory for
 * a tile is allocated here and used again.
 */
STOA_CHECK enum stoa_status stoa_csv_index_start(struct stoa_csv_index *index, const char *text,
                                                 size_t nbytes, struct stoa_error *err);

/*
 * Fills the next tile and its events, some of either until the text is through.
 * Cost: each record is looked at twice at most, whatever stands in it.
 */
void stoa_csv_index_next(struct stoa_csv_index *index);

/* What field `column` of row `row` of the tile says. */
static inline struct stoa_csv_field stoa_csv_tile_field(const struct stoa_csv_tile *tile,
                                                        const struct stoa_csv_dialect *dialect,
                                                        uint32_t row, uint32_t column)
{
    const uint32_t *end = tile->ends + (size_t)row * tile->stride + column;
    const uint32_t begin = column == 0 ? tile->row_begins[row] : end[-1] + 1;

    return stoa_csv_field_of(dialect, tile->text + begin, tile->text + *end);
}

static inline bool stoa_csv_index_at_end(const struct stoa_csv_index *index)
{
    return index->tile.nrows == 0 && index->nevents == 0;
}

#endif
