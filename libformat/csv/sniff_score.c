/*
 * How well a dialect makes a table of a text (spec/csv.md, "Detection").
 *
 *     score = regularity * columns * looks * likeness * soundness * habit
 *
 *     regularity  share of the records that are as wide as most, from the first such record on,
 *                 squared; and, where others stand in front, 2 n / (n + all)
 *     columns     (width - 1) / width; one column gets a constant instead
 *     looks       mean over the fields of how much each looks like a value
 *     likeness    mean over the columns of the share of the fields that look like most of it
 *     soundness   share of the records without a quote in a strange place
 *     habit       what people use: blanks and colons separate fields less often than commas
 *
 * A wrong delimiter gives records of all widths, or columns of odd pieces, or both.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "csv/csv_table.h"
#include "csv/sniff.h"

#define ONE_COLUMN    0.4
#define ANOTHER_WIDTH 0.1 /* than the one that is known */
#define ONE_MORE      0.5 /* which a trailing delimiter may be */
#define NWIDTHS       64  /* different widths that are told apart */
#define NCOLUMNS      256 /* columns whose fields are looked at */
#define NGROUPS       4

/* clang-format off */
static const struct {
    double value;   /* of a field outside of quotes */
    uint8_t group;  /* looks of one group belong to one column */
} looks[STOA_CSV_NLOOKS] = {
    [STOA_CSV_LOOK_EMPTY] = {0.7, 0},
    [STOA_CSV_LOOK_INTEGER] = {1, 1}, [STOA_CSV_LOOK_POINT] = {1, 1}, [STOA_CSV_LOOK_COMMA] = {1, 1},
    [STOA_CSV_LOOK_GROUPED] = {1, 1}, [STOA_CSV_LOOK_AMOUNT] = {1, 1},
    [STOA_CSV_LOOK_TIME] = {1, 2},
    [STOA_CSV_LOOK_WORD] = {0.9, 3},  [STOA_CSV_LOOK_TEXT] = {0.6, 3}, [STOA_CSV_LOOK_ODD] = {0.1, 3},
};
/* clang-format on */

#define QUOTED_VALUE 0.95 /* of a field in quotes that looks worse */
#define BLANK_FIRST  0.8  /* a field that begins with a blank, which a trim would take */

/* `nalike`: records that it makes alike; a single one may be a sentence. */
static double habit(char delimiter, size_t nalike)
{
    return delimiter != ' ' && delimiter != ':' ? 1 : nalike > 1 ? 0.6 : 0.1;
}

enum stoa_status stoa_csv_sniff_parse_init(struct stoa_csv_sniff_parse *parse, size_t nbytes,
                                           struct stoa_error *err)
{
    enum stoa_status st;

    /* Each field but the last of a text has a byte of its own that ends it. */
    STOA_TRY(stoa_alloc(&parse->ends, (nbytes + 2) * sizeof(*parse->ends), err));
    STOA_TRY(stoa_alloc(&parse->records, STOA_CSV_SNIFF_NROWS * sizeof(*parse->records), err));
out:
    return st;
}

void stoa_csv_sniff_parse_reset(struct stoa_csv_sniff_parse *parse)
{
    stoa_free(parse->ends);
    stoa_free(parse->records);
    *parse = (struct stoa_csv_sniff_parse){0};
}

void stoa_csv_sniff_parse(struct stoa_csv_sniff_parse *parse, const char *text, size_t nbytes,
                          bool whole, const struct stoa_csv_options *options)
{
    size_t nends = 0, at = 0;

    parse->text = text;
    parse->nbytes = nbytes;
    parse->nrecords = 0;
    stoa_csv_dialect_init(&parse->dialect, options);
    parse->dialect.strict = true; /* what is strange about quotes is to be told */
    parse->dialect.trailing_delimiter = false;
    for (uint32_t skip = stoa_csv_skip_nlines(options); skip > 0 && at < nbytes; skip--) {
        while (at < nbytes && text[at] != '\n' && text[at] != '\r')
            at++;
        at += at + 1 < nbytes && text[at] == '\r' && text[at + 1] == '\n' ? 2 : 1;
    }
    while (at < nbytes && parse->nrecords < STOA_CSV_SNIFF_NROWS) {
        struct stoa_csv_sniff_record *record = &parse->records[parse->nrecords];
        struct stoa_csv_raw raw;

        stoa_csv_walk(&parse->dialect, text, nbytes, at, parse->ends + nends, nbytes + 2 - nends,
                      &raw);
        if (!whole && raw.next == nbytes && parse->nrecords > 0)
            break;
        *record = (struct stoa_csv_sniff_record){
            .begin = (uint32_t)at,
            .next = (uint32_t)raw.next,
            .first = (uint32_t)nends,
            .nfields = (uint32_t)raw.nfields,
            .blank = raw.ending == at,
            .fault = raw.fault,
        };
        parse->nrecords++;
        nends += raw.nfields;
        at = raw.next;
    }
}

/* ---- Widths. ---- */

struct widths {
    uint32_t width[NWIDTHS];
    uint32_t count[NWIDTHS];
    size_t first[NWIDTHS]; /* record */
    size_t n;
    size_t nrecords; /* neither blank nor comments */
};

static void count_widths(const struct stoa_csv_sniff_parse *parse, struct widths *out)
{
    out->n = out->nrecords = 0;
    for (size_t i = 0; i < parse->nrecords; i++) {
        const struct stoa_csv_sniff_record *record = &parse->records[i];
        size_t k = 0;

        if (record->blank || record->nfields == 0)
            continue;
        out->nrecords++;
        while (k < out->n && out->width[k] != record->nfields)
            k++;
        if (k == NWIDTHS)
            continue;
        if (k == out->n) {
            out->width[out->n] = record->nfields;
            out->first[out->n] = i;
            out->count[out->n++] = 0;
        }
        out->count[k]++;
    }
}

/*
 * The width that is known, if some record has it; else that of most records, wider ones preferred;
 * 1 where no other has a tenth of them. Of two tables below each other it is the first that counts.
 */
static uint32_t main_width(const struct widths *widths, uint32_t ncolumns)
{
    double best = 0;
    size_t main = NWIDTHS;

    for (size_t k = 0; k < widths->n; k++) {
        if (widths->width[k] == ncolumns)
            return ncolumns;
    }

    for (size_t k = 0; k < widths->n; k++) {
        const double weight =
            widths->count[k] * ((double)(widths->width[k] - 1) / widths->width[k]);

        if (weight > best && widths->count[k] * (size_t)10 >= widths->nrecords) {
            best = weight;
            main = k;
        }
    }
    for (size_t k = 0; main < widths->n && k < widths->n; k++) {
        if (widths->width[k] > 1 && widths->first[k] < widths->first[main] &&
            widths->count[k] * 2 >= widths->count[main] && widths->count[k] > 9)
            main = k;
    }
    return main < widths->n ? widths->width[main] : 1;
}

static bool counts(const struct stoa_csv_sniff_record *record)
{
    return !record->blank && record->nfields > 0;
}

/* The first record of the width that another one, or nothing, follows. */
static size_t find_start(const struct stoa_csv_sniff_parse *parse, uint32_t width)
{
    for (size_t i = 0; i < parse->nrecords; i++) {
        size_t next = i + 1;

        if (!counts(&parse->records[i]) || parse->records[i].nfields != width)
            continue;
        while (next < parse->nrecords && !counts(&parse->records[next]))
            next++;
        if (next == parse->nrecords || parse->records[next].nfields == width)
            return i;
    }
    return 0;
}

/* ---- Fields. ---- */

struct tally {
    double value;                       /* of all fields */
    uint64_t nfields;                   /* that were looked at */
    uint32_t groups[NCOLUMNS][NGROUPS]; /* fields of each column */
};

/* `alike`: the fields are to look like those of their columns; those of a header need not. */
static void look_at(struct tally *tally, const struct stoa_csv_sniff_parse *parse,
                    const struct stoa_csv_sniff_record *record, bool alike)
{
    char shape[STOA_CSV_SHAPE_NBYTES];

    for (uint32_t i = 0; i < record->nfields && i < NCOLUMNS; i++) {
        const struct stoa_csv_field field = stoa_csv_sniff_field(parse, record, i);
        const enum stoa_csv_look look = stoa_csv_sniff_look(field.text, field.nbytes, shape);
        double value = looks[look].value;
        size_t nraw;
        const char *raw = stoa_csv_sniff_raw(parse, record, i, &nraw);

        if (field.quoted && value < QUOTED_VALUE)
            value = QUOTED_VALUE;
        else if (look == STOA_CSV_LOOK_EMPTY && parse->dialect.delimiter == ' ')
            value = 0; /* columns that are aligned with blanks */
        if (nraw > 0 && *raw == ' ' && parse->dialect.trim == STOA_CSV_TRIM_NONE)
            value *= BLANK_FIRST;
        tally->value += value;
        tally->nfields++;
        tally->groups[i][looks[look].group] += alike;
    }
}

/* How alike the fields of a column are; empty ones say nothing. */
static double likeness(const struct tally *tally, uint32_t ncolumns)
{
    double sum = 0;

    for (uint32_t i = 0; i < ncolumns; i++) {
        const uint32_t *groups = tally->groups[i];
        const uint32_t total = groups[1] + groups[2] + groups[3];
        uint32_t most = groups[1] > groups[2] ? groups[1] : groups[2];

        if (groups[3] > most)
            most = groups[3];
        sum += total > 0 ? (double)most / total : 1;
    }
    return ncolumns > 0 ? sum / ncolumns : 0;
}

double stoa_csv_sniff_score(const struct stoa_csv_sniff_parse *parse, uint32_t ncolumns,
                            uint32_t *width)
{
    struct tally tally = {0};
    struct widths widths;
    size_t start, n = 0, nalike = 0;
    double nfaults = 0, score;

    count_widths(parse, &widths);
    *width = main_width(&widths, ncolumns);
    if (widths.nrecords == 0)
        return 0;
    start = find_start(parse, *width);
    for (size_t i = start; i < parse->nrecords; i++) {
        const struct stoa_csv_sniff_record *record = &parse->records[i];

        if (!counts(record))
            continue;
        n++;
        nfaults += record->fault == STOA_CSV_FINE          ? 0
                   : record->fault == STOA_CSV_STRAY_QUOTE ? 0.25
                                                           : 1;
        if (record->nfields != *width)
            continue;
        nalike++;
        look_at(&tally, parse, record, i > start);
    }
    score = tally.value / (double)(tally.nfields > 0 ? tally.nfields : 1);
    score *= likeness(&tally, *width < NCOLUMNS ? *width : NCOLUMNS);
    score *= 1 - nfaults / (double)n;
    if (ncolumns != 0 && *width != ncolumns)
        score *= *width == ncolumns + 1 ? ONE_MORE : ANOTHER_WIDTH;
    if (*width == 1 && ncolumns != 1)
        return score * ONE_COLUMN;
    score *= ((double)nalike / (double)n) * ((double)nalike / (double)n);
    score *= 2.0 * (double)n / (double)(n + widths.nrecords);
    if (*width == 1)
        return score;
    return score * habit(parse->dialect.delimiter, nalike) * (*width - 1) / *width;
}
