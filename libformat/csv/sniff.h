/*
 * Finding out the dialect of CSV text (spec/csv.md, "Detection").
 *
 *     head of the text -> candidates -> scores -> escape, trim -> layout: comments, preamble,
 *                         sniff_score.c                            trailing delimiters, header,
 *                                                                  decimal mark: sniff_layout.c
 */
#ifndef STOA_CSV_SNIFF_H
#define STOA_CSV_SNIFF_H

#include "csv/record.h"

/* Text that is looked at, and records of it. */
#define STOA_CSV_SNIFF_NBYTES ((size_t)256 << 10)
#define STOA_CSV_SNIFF_NROWS  2048

/* One record of a parse; its fields end at ends[first] ... ends[first + nfields - 1]. */
struct stoa_csv_sniff_record {
    uint32_t begin;
    uint32_t next;
    uint32_t first;
    uint32_t nfields; /* 0: a comment */
    bool blank;
    enum stoa_csv_fault fault;
};

/* The records of a text under one dialect; `{0}` and stoa_csv_sniff_parse_init() first. */
struct stoa_csv_sniff_parse {
    const char *text;
    size_t nbytes;
    struct stoa_csv_dialect dialect;
    struct stoa_csv_sniff_record *records;
    size_t nrecords;
    uint32_t *ends;
};

/* Room for a parse of any text of at most nbytes. */
STOA_CHECK enum stoa_status stoa_csv_sniff_parse_init(struct stoa_csv_sniff_parse *parse,
                                                      size_t nbytes, struct stoa_error *err);
void stoa_csv_sniff_parse_reset(struct stoa_csv_sniff_parse *parse);

/*
 * Splits `text`, at most the nbytes of the init, with its slack. `whole`: nothing follows;
 * otherwise the last record counts only when it is the only one.
 */
void stoa_csv_sniff_parse(struct stoa_csv_sniff_parse *parse, const char *text, size_t nbytes,
                          bool whole, const struct stoa_csv_options *options);

/* Field i of a record as it stands, and without its quotes and trimmed blanks. */
static inline const char *stoa_csv_sniff_raw(const struct stoa_csv_sniff_parse *parse,
                                             const struct stoa_csv_sniff_record *record, uint32_t i,
                                             size_t *nbytes)
{
    const uint32_t begin = i == 0 ? record->begin : parse->ends[record->first + i - 1] + 1;

    *nbytes = parse->ends[record->first + i] - begin;
    return parse->text + begin;
}

static inline struct stoa_csv_field stoa_csv_sniff_field(const struct stoa_csv_sniff_parse *parse,
                                                         const struct stoa_csv_sniff_record *record,
                                                         uint32_t i)
{
    size_t nbytes;
    const char *raw = stoa_csv_sniff_raw(parse, record, i, &nbytes);

    return stoa_csv_field_of(&parse->dialect, raw, raw + nbytes);
}

/* What a field looks like. */
enum stoa_csv_look {
    STOA_CSV_LOOK_EMPTY,
    STOA_CSV_LOOK_INTEGER,
    STOA_CSV_LOOK_POINT,   /* a number with a point or an exponent */
    STOA_CSV_LOOK_COMMA,   /* a number with one comma: 1,5 */
    STOA_CSV_LOOK_GROUPED, /* a number with groups of digits: 1,234,567.8 */
    STOA_CSV_LOOK_AMOUNT,  /* a number with a currency or a per cent sign */
    STOA_CSV_LOOK_TIME,    /* a date, a time of day, or both */
    STOA_CSV_LOOK_WORD,    /* letters and digits without a blank */
    STOA_CSV_LOOK_TEXT,
    STOA_CSV_LOOK_ODD, /* holds what could be a delimiter or a quote, or no text at all */
    STOA_CSV_NLOOKS
};

#define STOA_CSV_SHAPE_NBYTES 24

/*
 * The look of a text and its shape: a 9 for a run of digits, an a for one of letters, other
 * characters as they are: "DE-1024" is "a-9". A longer shape is cut; it always ends with a NUL.
 */
enum stoa_csv_look stoa_csv_sniff_look(const char *text, size_t nbytes,
                                       char shape[STOA_CSV_SHAPE_NBYTES]);

/* Whether a look is that of a number, a date or a time. */
static inline bool stoa_csv_look_is_typed(enum stoa_csv_look look)
{
    return look >= STOA_CSV_LOOK_INTEGER && look <= STOA_CSV_LOOK_TIME;
}

/*
 * How well a parse makes a table of the text, from 0 to 1; *width: its fields. `ncolumns`: those
 * that it must have, where that is known, or 0.
 */
double stoa_csv_sniff_score(const struct stoa_csv_sniff_parse *parse, uint32_t ncolumns,
                            uint32_t *width);

/*
 * Finds the layout of a parse by the dialect of *resolved, whose width is given, and fills in what
 * *options leave open: comment, skip_nlines, trailing_delimiter, header_nrecords, decimal.
 * *ncolumns: of the table.
 */
STOA_CHECK enum stoa_status stoa_csv_sniff_layout(struct stoa_csv_sniff_parse *parse, bool whole,
                                                  uint32_t width, struct stoa_csv_options *resolved,
                                                  uint32_t *ncolumns, struct stoa_error *err);

/*
 * stoa_csv_sniff() for the head of a text in UTF-8, `whole` or not, without a byte order mark, with
 * STOA_CSV_SLACK bytes behind it; `ncolumns` as above. Fills in the part of *report that tells of
 * records and columns.
 */
STOA_CHECK enum stoa_status
stoa_csv_sniff_text(const char *text, size_t nbytes, bool whole, uint32_t ncolumns,
                    const struct stoa_csv_options *options, struct stoa_csv_options *resolved,
                    struct stoa_csv_sniff_report *report, struct stoa_error *err);

#endif
