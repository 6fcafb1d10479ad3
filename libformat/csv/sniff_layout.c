/*
 * What stands around the rows of a table: comments, lines in front, the header, delimiters at the
 * ends of records; and the decimal mark of its numbers (spec/csv.md, "Detection").
 *
 *     Passengers by month          preamble: skip_nlines 2
 *     source: harbour office
 *     month;passengers;share;      header: text above columns of numbers and dates
 *     2024-01;1042;0,31;           trailing delimiter, decimal comma
 *     # strike                     comment: of another width, between rows
 *     2024-02;877;0,29;
 */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "csv/csv_table.h"
#include "csv/sniff.h"

#define MAX_HEADER_NRECORDS 8
#define NCOMPARED           200 /* records that the first one is compared with */

static bool counts(const struct stoa_csv_sniff_record *record)
{
    return !record->blank && record->nfields > 0;
}

/* ---- Comments. ---- */

/*
 * The character that begins comments: lines of another width than the table's, at least one of them
 * behind the first row. In front of the table they are a preamble like any other.
 */
static char find_comment(const struct stoa_csv_sniff_parse *parse, uint32_t width)
{
    static const char marks[] = {'#', '%'};

    for (size_t k = 0; k < sizeof(marks); k++) {
        bool started = false, behind = false, rows = false;

        if (marks[k] == parse->dialect.delimiter || marks[k] == (char)parse->dialect.quote)
            continue;
        for (size_t i = 0; i < parse->nrecords; i++) {
            const struct stoa_csv_sniff_record *record = &parse->records[i];
            const bool marked = parse->text[record->begin] == marks[k];

            if (!counts(record))
                continue;
            rows |= marked && record->nfields == width;
            behind |= marked && started;
            started |= !marked && record->nfields == width;
        }
        if (behind && !rows && width > 1)
            return marks[k];
    }
    return STOA_CSV_NONE;
}

/* ---- Preamble. ---- */

/* Line ends in front of a byte. */
static uint32_t count_lines(const char *text, size_t nbytes)
{
    uint32_t n = 0;

    for (size_t i = 0; i < nbytes; i++)
        n += text[i] == '\n' || (text[i] == '\r' && text[i + 1] != '\n');
    return n;
}

static uint32_t count_filled(const struct stoa_csv_sniff_parse *parse,
                             const struct stoa_csv_sniff_record *record)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < record->nfields; i++) {
        const struct stoa_csv_field field = stoa_csv_sniff_field(parse, record, i);

        n += field.nbytes > 0;
    }
    return n;
}

/* The next record that is one, or nrecords. */
static size_t next_record(const struct stoa_csv_sniff_parse *parse, size_t i)
{
    do
        i++;
    while (i < parse->nrecords && !counts(&parse->records[i]));
    return i;
}

/* Whether the fields have texts, and none of them is a number or a date. */
static bool is_all_text(const struct stoa_csv_sniff_parse *parse,
                        const struct stoa_csv_sniff_record *record)
{
    char shape[STOA_CSV_SHAPE_NBYTES];
    uint32_t nempty = 0;

    for (uint32_t i = 0; i < record->nfields; i++) {
        const struct stoa_csv_field field = stoa_csv_sniff_field(parse, record, i);
        const enum stoa_csv_look look = stoa_csv_sniff_look(field.text, field.nbytes, shape);

        if (stoa_csv_look_is_typed(look))
            return false;
        nempty += look == STOA_CSV_LOOK_EMPTY;
    }
    return nempty < 2 || nempty * 4 < record->nfields;
}

/* Whether one of the next two records has the width as well, or there are none. */
static bool goes_on(const struct stoa_csv_sniff_parse *parse, size_t i, uint32_t width)
{
    const size_t next = next_record(parse, i);
    const size_t second = next < parse->nrecords ? next_record(parse, next) : next;

    return next == parse->nrecords || parse->records[next].nfields == width ||
           (second < parse->nrecords && parse->records[second].nfields == width);
}

/* The first record of the table: its header, or, where it is not `headed`, its first row. */
static size_t find_table(const struct stoa_csv_sniff_parse *parse, uint32_t width, bool headed)
{
    const struct stoa_csv_sniff_record *records = parse->records;
    const size_t first = next_record(parse, (size_t)-1);
    size_t table = first, before = first, next;

    if (width == 1) {
        while (table < parse->nrecords && parse->text[records[table].begin] == '#')
            table = next_record(parse, table);
        return table < parse->nrecords ? table : first;
    }
    for (; table < parse->nrecords; before = table, table = next_record(parse, table)) {
        if (records[table].nfields == width && goes_on(parse, table, width))
            break;
    }
    if (table == parse->nrecords)
        return first;
    /* A header that lacks fields or has too many. */
    if (before + 1 == table && records[before].nfields >= 2 &&
        records[before].nfields >= width / 3 && is_all_text(parse, &records[before]))
        return before;
    /* A title in the first of all columns, "Passengers,,,", and empty records. */
    for (next = table; headed && width > 2 && next < parse->nrecords;
         next = next_record(parse, next)) {
        const uint32_t nfilled = count_filled(parse, &records[next]);

        if (nfilled > 1) /* only a header has such lines above it: rows may be empty */
            return nfilled >= width / 2 && is_all_text(parse, &records[next]) ? next : table;
        if (nfilled == 1 && stoa_csv_sniff_field(parse, &records[next], 0).nbytes == 0)
            return table;
    }
    return table;
}

/* ---- Delimiters at the ends of records. ---- */

static bool ends_empty(const struct stoa_csv_sniff_parse *parse,
                       const struct stoa_csv_sniff_record *record)
{
    size_t nbytes;

    stoa_csv_sniff_raw(parse, record, record->nfields - 1, &nbytes);
    return nbytes == 0;
}

static bool find_trailing(const struct stoa_csv_sniff_parse *parse, size_t table, uint32_t width)
{
    size_t n = 0;

    if (width < 2 || parse->records[table].nfields > width)
        return false;
    if (parse->records[table].nfields == width && !ends_empty(parse, &parse->records[table]))
        return false; /* a header that names the last column, or a row that has a value there */
    for (size_t i = next_record(parse, table); i < parse->nrecords; i = next_record(parse, i)) {
        if (parse->records[i].nfields != width)
            continue;
        if (!ends_empty(parse, &parse->records[i]))
            return false;
        n++;
    }
    return n > 0 && parse->records[table].nfields + 1 >= width;
}

/* ---- Header. ---- */

/* What the records below the first say of a column. */
struct below {
    uint32_t nfilled;
    uint32_t ntyped;
    uint32_t nyears;
    uint32_t nshaped; /* as the first filled one */
    char shape[STOA_CSV_SHAPE_NBYTES];
};

static bool is_typed_column(const struct below *below)
{
    return below->nfilled > 0 && below->ntyped * 10 >= below->nfilled * 7;
}

/* A shape that says more than "a word" or "some text". */
static bool is_telling(const struct below *below)
{
    return below->nfilled > 1 && below->nshaped * 10 >= below->nfilled * 8 &&
           strpbrk(below->shape, "9-_/.:") != NULL;
}

static bool is_year(const struct stoa_csv_field *field)
{
    return field->nbytes == 4 &&
           (memcmp(field->text, "19", 2) == 0 || memcmp(field->text, "20", 2) == 0);
}

static void look_below(const struct stoa_csv_sniff_parse *parse, size_t table, uint32_t ncolumns,
                       struct below *below)
{
    char shape[STOA_CSV_SHAPE_NBYTES];

    for (size_t i = next_record(parse, table); i < parse->nrecords; i = next_record(parse, i)) {
        const struct stoa_csv_sniff_record *record = &parse->records[i];

        for (uint32_t k = 0; k < record->nfields && k < ncolumns; k++) {
            const struct stoa_csv_field field = stoa_csv_sniff_field(parse, record, k);
            const enum stoa_csv_look look = stoa_csv_sniff_look(field.text, field.nbytes, shape);

            if (look == STOA_CSV_LOOK_EMPTY)
                continue;
            if (below[k].nfilled == 0)
                memcpy(below[k].shape, shape, sizeof(shape));
            below[k].nfilled++;
            below[k].ntyped += stoa_csv_look_is_typed(look);
            below[k].nyears += is_year(&field);
            below[k].nshaped += strcmp(below[k].shape, shape) == 0;
        }
    }
}

/* How one record stands to the columns below it. */
struct standing {
    uint32_t ntext;  /* text above numbers or dates, or a year above other numbers */
    uint32_t ntyped; /* numbers or dates above such */
    uint32_t nempty; /* nothing above such */
    double votes;    /* of the other columns, for a header */
};

static bool is_one_of(const struct stoa_csv_field *field, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (strlen(*words) == field->nbytes && memcmp(*words, field->text, field->nbytes) == 0)
            return true;
    }
    return false;
}

/* Whether the text stands again in its column: a value then, and no name. */
static bool stands_below(const struct stoa_csv_sniff_parse *parse, size_t record, uint32_t column,
                         const struct stoa_csv_field *field)
{
    size_t n = 0;

    for (size_t i = next_record(parse, record); i < parse->nrecords && n < NCOMPARED;
         i = next_record(parse, i), n++) {
        struct stoa_csv_field other;

        if (column >= parse->records[i].nfields)
            continue;
        other = stoa_csv_sniff_field(parse, &parse->records[i], column);
        if (other.nbytes == field->nbytes && memcmp(other.text, field->text, field->nbytes) == 0)
            return true;
    }
    return false;
}

static struct standing stand(const struct stoa_csv_sniff_parse *parse, size_t record,
                             uint32_t ncolumns, const struct below *below)
{
    /* Words that are names as well as they are values. */
    static const char *const flags[] = {"t", "f", "T", "F", "y", "n", "Y", "N", "yes", "no", NULL};
    static const char *const nulls[] = {"NA",   "N/A", "NULL", "null", "None", "\\N",
                                        "#N/A", "nan", "NaN",  "-",    NULL};
    struct standing out = {0};
    char shape[STOA_CSV_SHAPE_NBYTES];

    for (uint32_t i = 0; i < parse->records[record].nfields && i < ncolumns; i++) {
        const struct stoa_csv_field field = stoa_csv_sniff_field(parse, &parse->records[record], i);
        const enum stoa_csv_look look = stoa_csv_sniff_look(field.text, field.nbytes, shape);

        if (is_typed_column(&below[i])) {
            if (look == STOA_CSV_LOOK_EMPTY || is_one_of(&field, nulls)) {
                out.nempty++;
            } else if (stoa_csv_look_is_typed(look) &&
                       !(is_year(&field) && below[i].nyears * 2 < below[i].nfilled)) {
                out.ntyped++;
            } else {
                out.ntext++;
            }
        } else if (look != STOA_CSV_LOOK_EMPTY && !is_one_of(&field, flags)) {
            if (is_telling(&below[i]))
                out.votes += strcmp(shape, below[i].shape) == 0 ? -1 : 0.5;
            if (stands_below(parse, record, i, &field))
                out.votes -= 2;
        }
    }
    return out;
}

/* Records at the beginning of the table that hold names. */
static uint32_t find_header(const struct stoa_csv_sniff_parse *parse, size_t table,
                            uint32_t ncolumns, const struct below *below)
{
    struct standing standing = stand(parse, table, ncolumns, below);
    uint32_t n = 1;

    if (next_record(parse, table) == parse->nrecords)
        return is_all_text(parse, &parse->records[table]);
    if (standing.ntyped > 0 && standing.ntyped >= standing.ntext)
        return 0;
    if (standing.ntext == 0 && standing.votes < 0)
        return 0;
    /* Further ones have text above the values of all columns, and there are two at least. */
    for (size_t i = next_record(parse, table); i < parse->nrecords && n < MAX_HEADER_NRECORDS;
         i = next_record(parse, i), n++) {
        standing = stand(parse, i, ncolumns, below);
        if (parse->records[i].nfields != ncolumns || standing.ntext < 2 || standing.ntyped > 0 ||
            standing.nempty > 0)
            break;
    }
    return n;
}

/* ---- The decimal mark. ---- */

/* Whether 1,234 can be no number of thousands. */
static bool is_fraction(const struct stoa_csv_field *field)
{
    const char *comma = memchr(field->text, ',', field->nbytes);
    const char *first = field->text + (*field->text == '-' || *field->text == '+');

    return field->text + field->nbytes - comma != 4 || comma - first > 3 || *first == '0';
}

/* The last point or comma of a shape that has one. */
static char last_mark(const char *shape)
{
    const char *at = shape + strlen(shape);

    do
        at--;
    while (*at != '.' && *at != ',');
    return *at;
}

static char find_decimal(const struct stoa_csv_sniff_parse *parse)
{
    char shape[STOA_CSV_SHAPE_NBYTES];
    size_t ncommas = 0;

    for (size_t i = 0; i < parse->nrecords; i++) {
        for (uint32_t k = 0; k < parse->records[i].nfields; k++) {
            const struct stoa_csv_field field = stoa_csv_sniff_field(parse, &parse->records[i], k);
            const enum stoa_csv_look look = stoa_csv_sniff_look(field.text, field.nbytes, shape);

            if (look == STOA_CSV_LOOK_POINT)
                return '.';
            if (look == STOA_CSV_LOOK_GROUPED && last_mark(shape) == '.')
                return '.';
            ncommas += look == STOA_CSV_LOOK_COMMA && is_fraction(&field);
        }
    }
    return ncommas > 0 ? ',' : '.';
}

enum stoa_status stoa_csv_sniff_layout(struct stoa_csv_sniff_parse *parse, bool whole,
                                       uint32_t width, struct stoa_csv_options *resolved,
                                       uint32_t *ncolumns, struct stoa_error *err)
{
    struct below *below = NULL;
    size_t table;
    enum stoa_status st = STOA_OK;

    if (resolved->comment == 0) {
        resolved->comment = find_comment(parse, width);
        if (resolved->comment != STOA_CSV_NONE)
            stoa_csv_sniff_parse(parse, parse->text, parse->nbytes, whole, resolved);
    }
    table = resolved->skip_nlines != 0 ? next_record(parse, (size_t)-1)
                                       : find_table(parse, width, resolved->header_nrecords >= 0);
    *ncolumns = width;
    if (table >= parse->nrecords) { /* nothing but blank lines and comments */
        resolved->skip_nlines = resolved->skip_nlines != 0 ? resolved->skip_nlines : -1;
        resolved->trailing_delimiter =
            resolved->trailing_delimiter != 0 ? resolved->trailing_delimiter : -1;
        resolved->header_nrecords = resolved->header_nrecords != 0 ? resolved->header_nrecords : 1;
        resolved->decimal = resolved->decimal != 0 ? resolved->decimal : '.';
        *ncolumns = 0;
        return STOA_OK;
    }
    if (resolved->skip_nlines == 0)
        resolved->skip_nlines = table > next_record(parse, (size_t)-1)
                                    ? (int32_t)count_lines(parse->text, parse->records[table].begin)
                                    : -1;
    if (resolved->trailing_delimiter == 0)
        resolved->trailing_delimiter = find_trailing(parse, table, width) ? 1 : -1;
    if (resolved->trailing_delimiter > 0 && width > 1)
        --*ncolumns;
    if (resolved->header_nrecords == 0) {
        uint32_t n;

        STOA_TRY(stoa_alloc_zeroed(&below, *ncolumns, sizeof(*below), err));
        look_below(parse, table, *ncolumns, below);
        n = find_header(parse, table, *ncolumns, below);
        resolved->header_nrecords = n > 0 ? (int32_t)n : -1;
    }
    if (resolved->decimal == 0)
        resolved->decimal = find_decimal(parse);
out:
    stoa_free(below);
    return st;
}
