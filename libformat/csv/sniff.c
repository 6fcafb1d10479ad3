/*
 * Finding out the dialect of CSV text: candidates and the choice among them (spec/csv.md,
 * "Detection").
 *
 * Every delimiter and quote that the text holds is tried on a piece of it, so small that all
 * candidates together take a few milliseconds. What occurs seldom, escapes, is then decided on all
 * of the head, by the one dialect that won.
 */
#include "csv/sniff.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json_scan.h"
#include "base/utf8.h"
#include "csv/csv_head.h"
#include "csv/csv_table.h"
#include "csv/input.h"

#define CANDIDATES_NBYTES ((size_t)1 << 20)  /* of text that all candidates together look at */
#define CANDIDATE_NBYTES  ((size_t)32 << 10) /* at least, for each */

/* A later candidate must be better by so much: the earlier ones are what people use. */
#define MARGIN 1.02

struct candidate {
    char delimiter;
    char quote;
    char escape;
    enum stoa_csv_trim trim;
};

#define NDELIMITERS    6
#define MAX_CANDIDATES (NDELIMITERS * 3 * 2 * 2)

static const char delimiters[NDELIMITERS] = {',', '\t', ';', '|', ':', ' '};

/* Whether c stands where a field could begin. */
static bool opens_a_field(const char *text, size_t nbytes, char c)
{
    const char *at = text, *end = text + nbytes;

    while (at < end && (at = memchr(at, c, (size_t)(end - at))) != NULL) {
        if (at == text || strchr("\n\r ", at[-1]) != NULL ||
            memchr(delimiters, at[-1], NDELIMITERS) != NULL)
            return true;
        at++;
    }
    return false;
}

/* Whether a backslash stands in front of a quote. */
static bool has_escaped(const char *text, size_t nbytes, char quote)
{
    const char *at = text, *end = text + nbytes;

    while (at < end && (at = memchr(at, '\\', (size_t)(end - at))) != NULL) {
        if (++at < end && *at == quote)
            return true;
    }
    return false;
}

/* Whether most of the delimiters have a blank behind them. */
static bool blanks_follow(const char *text, size_t nbytes, char delimiter)
{
    size_t n = 0, nblanks = 0;

    for (size_t i = 0; i + 1 < nbytes; i++) {
        n += text[i] == delimiter;
        nblanks += text[i] == delimiter && text[i + 1] == ' ';
    }
    return n > 0 && nblanks * 5 >= n * 4;
}

/* What is worth trying, what is common first. */
static size_t make_candidates(const char *text, size_t nbytes,
                              const struct stoa_csv_options *options,
                              struct candidate out[MAX_CANDIDATES])
{
    char quotes[3];
    size_t nquotes = 0, n = 0;

    if (options->quote != 0) {
        quotes[nquotes++] = options->quote;
    } else {
        quotes[nquotes++] = '"';
        if (opens_a_field(text, nbytes, '\''))
            quotes[nquotes++] = '\'';
        if (opens_a_field(text, nbytes, '"'))
            quotes[nquotes++] = STOA_CSV_NONE;
    }
    for (size_t i = 0; i < NDELIMITERS; i++) {
        const char delimiter = options->delimiter != 0 ? options->delimiter : delimiters[i];
        bool spaced;

        if (options->delimiter != 0 ? i > 0 : i > 0 && memchr(text, delimiter, nbytes) == NULL)
            continue;
        spaced = options->trim == STOA_CSV_TRIM_AUTO && delimiter != ' ' &&
                 blanks_follow(text, nbytes, delimiter);
        for (size_t k = 0; k < nquotes; k++) {
            if (quotes[k] == delimiter)
                continue;
            out[n++] = (struct candidate){delimiter, quotes[k], options->escape, options->trim};
            if (spaced)
                out[n++] =
                    (struct candidate){delimiter, quotes[k], options->escape, STOA_CSV_TRIM_START};
            if (options->escape == 0 && has_escaped(text, nbytes, quotes[k]))
                out[n++] = (struct candidate){delimiter, quotes[k], '\\', options->trim};
        }
    }
    return n;
}

/* The options of a candidate: those that are given, and its own. */
static struct stoa_csv_options options_of(const struct stoa_csv_options *options,
                                          const struct candidate *candidate)
{
    struct stoa_csv_options own = *options;

    own.delimiter = candidate->delimiter;
    own.quote = candidate->quote;
    own.escape = candidate->escape;
    own.trim = candidate->trim == STOA_CSV_TRIM_AUTO ? STOA_CSV_TRIM_NONE : candidate->trim;
    return own;
}

/* Whether some field stands in quotes in a record where nothing is strange about them. */
static bool has_quoted(const struct stoa_csv_sniff_parse *parse)
{
    for (size_t i = 0; i < parse->nrecords; i++) {
        const struct stoa_csv_sniff_record *record = &parse->records[i];

        for (uint32_t k = 0; record->fault == STOA_CSV_FINE && k < record->nfields; k++) {
            if (stoa_csv_sniff_field(parse, record, k).quoted)
                return true;
        }
    }
    return false;
}

/* The end of the last line of the first nbytes, where the rest is left aside. */
static size_t cut_at_line(const char *text, size_t nbytes)
{
    size_t end = nbytes;

    while (end > 0 && text[end - 1] != '\n' && text[end - 1] != '\r')
        end--;
    return end > 0 ? end : nbytes;
}

static void choose_candidate(struct stoa_csv_sniff_parse *parse, const char *text, size_t nbytes,
                             bool whole, uint32_t ncolumns, const struct stoa_csv_options *options,
                             struct stoa_csv_options *resolved)
{
    struct candidate candidates[MAX_CANDIDATES];
    const size_t n = make_candidates(text, nbytes, options, candidates);
    size_t sample =
        CANDIDATES_NBYTES / n > CANDIDATE_NBYTES ? CANDIDATES_NBYTES / n : CANDIDATE_NBYTES;
    double best = -1;
    bool quoted = false; /* some fields are, by this delimiter: quotes are quotes then */

    if (sample < nbytes) {
        nbytes = cut_at_line(text, sample);
        whole = false;
    }
    for (size_t i = 0; i < n; i++) {
        const struct stoa_csv_options own = options_of(options, &candidates[i]);
        uint32_t width;
        double score;

        stoa_csv_sniff_parse(parse, text, nbytes, whole, &own);
        score = stoa_csv_sniff_score(parse, ncolumns, &width);
        if (i == 0 || candidates[i - 1].delimiter != own.delimiter)
            quoted = false;
        if (own.quote == STOA_CSV_NONE && options->quote == 0 && quoted)
            continue;
        quoted |= own.quote != STOA_CSV_NONE && has_quoted(parse);
        if (score > best * MARGIN) {
            best = score;
            *resolved = own;
        }
    }
}

/* Records that are not what they should be under a dialect. */
static size_t count_misfits(const struct stoa_csv_sniff_parse *parse, uint32_t width)
{
    size_t n = 0;

    for (size_t i = 0; i < parse->nrecords; i++) {
        const struct stoa_csv_sniff_record *record = &parse->records[i];

        if (!record->blank && record->nfields > 0)
            n += record->nfields != width || record->fault != STOA_CSV_FINE;
    }
    return n;
}

/* A backslash is an escape when more records are as they should be with it than without. */
static void choose_escape(struct stoa_csv_sniff_parse *parse, const char *text, size_t nbytes,
                          bool whole, uint32_t ncolumns, struct stoa_csv_options *resolved)
{
    const char doubled = resolved->quote != STOA_CSV_NONE ? resolved->quote : 0;
    uint32_t width;
    size_t nmisfits;
    double score;

    if (resolved->escape != 0)
        return;
    if (memchr(text, '\\', nbytes) != NULL && resolved->delimiter != '\\') {
        stoa_csv_sniff_parse(parse, text, nbytes, whole, resolved);
        score = stoa_csv_sniff_score(parse, ncolumns, &width);
        nmisfits = count_misfits(parse, width);
        resolved->escape = '\\';
        stoa_csv_sniff_parse(parse, text, nbytes, whole, resolved);
        if (stoa_csv_sniff_score(parse, ncolumns, &width) > score &&
            count_misfits(parse, width) < nmisfits)
            return;
    }
    resolved->escape = doubled;
}

/* Blanks are trimmed only where each field behind a delimiter has one. */
static void confirm_trim(struct stoa_csv_sniff_parse *parse, const char *text, size_t nbytes,
                         bool whole, uint32_t ncolumns, const struct stoa_csv_options *options,
                         struct stoa_csv_options *resolved)
{
    uint32_t width;

    if (options->trim != STOA_CSV_TRIM_AUTO || resolved->trim != STOA_CSV_TRIM_START)
        return;
    stoa_csv_sniff_parse(parse, text, nbytes, whole, resolved);
    stoa_csv_sniff_score(parse, ncolumns, &width);
    for (size_t i = 0; i < parse->nrecords; i++) {
        const struct stoa_csv_sniff_record *record = &parse->records[i];

        for (uint32_t k = 1; record->nfields == width && k < width; k++) {
            size_t nraw;
            const char *raw = stoa_csv_sniff_raw(parse, record, k, &nraw);

            if (nraw > 0 && *raw != ' ') {
                resolved->trim = STOA_CSV_TRIM_NONE;
                return;
            }
        }
    }
}

enum stoa_status stoa_csv_sniff_text(const char *text, size_t nbytes, bool whole, uint32_t ncolumns,
                                     const struct stoa_csv_options *options,
                                     struct stoa_csv_options *resolved,
                                     struct stoa_csv_sniff_report *report, struct stoa_error *err)
{
    struct stoa_csv_sniff_parse parse = {0};
    struct stoa_csv_options found = {0};
    uint32_t width;
    enum stoa_status st;

    if (nbytes > STOA_CSV_SNIFF_NBYTES) {
        nbytes = STOA_CSV_SNIFF_NBYTES;
        whole = false;
    }
    STOA_TRY(stoa_csv_sniff_parse_init(&parse, nbytes, err));
    choose_candidate(&parse, text, nbytes, whole, ncolumns, options, &found);
    choose_escape(&parse, text, nbytes, whole, ncolumns, &found);
    confirm_trim(&parse, text, nbytes, whole, ncolumns, options, &found);
    stoa_csv_sniff_parse(&parse, text, nbytes, whole, &found);
    report->score = stoa_csv_sniff_score(&parse, ncolumns, &width);
    STOA_TRY(stoa_csv_sniff_layout(&parse, whole, width, &found, &report->ncolumns, err));
    report->nbytes = nbytes;
    report->whole = whole && parse.nrecords < STOA_CSV_SNIFF_NROWS;
    report->nrecords = parse.nrecords;
    report->quotes_seen = found.quote != STOA_CSV_NONE && memchr(text, found.quote, nbytes) != NULL;
    *resolved = found;
out:
    stoa_csv_sniff_parse_reset(&parse);
    return st;
}

/* ---- Inputs. ---- */

/* Passes over a byte order mark; notes the first line that is no UTF-8. */
static void look_at_bytes(const char **text, size_t *nbytes, bool whole,
                          struct stoa_csv_sniff_report *report)
{
    const uint8_t *bytes = (const uint8_t *)*text;
    const size_t nvalid = stoa_utf8_valid_prefix(bytes, *nbytes);

    if (nvalid < *nbytes && (whole || *nbytes - nvalid > 3)) { /* else the last one is cut */
        report->not_utf8_line = 1;
        for (size_t i = 0; i < nvalid; i++)
            report->not_utf8_line += bytes[i] == '\n';
    }
    if (*nbytes >= 3 && memcmp(*text, "\xef\xbb\xbf", 3) == 0) {
        *text += 3;
        *nbytes -= 3;
    }
}

static enum stoa_status sniff_input(struct stoa_csv_input *input, uint32_t ncolumns,
                                    const struct stoa_csv_options *options,
                                    struct stoa_csv_options *resolved,
                                    struct stoa_csv_sniff_report *report, struct stoa_error *err)
{
    struct stoa_buffer head = {0};
    const char *text;
    size_t nbytes;
    bool whole;
    enum stoa_status st;

    STOA_TRY(stoa_csv_input_peek(input, STOA_CSV_SNIFF_NBYTES, &head, &whole, err));
    nbytes = head.nbytes < STOA_CSV_SNIFF_NBYTES ? head.nbytes : STOA_CSV_SNIFF_NBYTES;
    whole = whole && nbytes == head.nbytes;
    STOA_TRY(stoa_buffer_append_zeros(&head, STOA_CSV_SLACK, err));
    text = (const char *)head.data;
    snprintf(report->encoding, sizeof(report->encoding), "%s", input->encoding);
    report->byte_order_mark = input->byte_order_mark;
    look_at_bytes(&text, &nbytes, whole, report);
    STOA_TRY(stoa_csv_sniff_text(text, nbytes, whole, ncolumns, options, resolved, report, err));
out:
    stoa_buffer_free(&head);
    return st;
}

/* Whether each field of the first record is the name of a column of the schema. */
static enum stoa_status look_for_names(struct stoa_csv_input *input,
                                       const struct stoa_csv_options *options,
                                       const struct stoa_schema *schema, bool *named,
                                       struct stoa_error *err)
{
    struct stoa_csv_options with_header = *options;
    struct stoa_buffer text = {0};
    struct stoa_csv_head head = {0};
    bool whole, complete = false;
    enum stoa_status st = STOA_OK;

    *named = false;
    with_header.header_nrecords = 1;
    STOA_TRY(stoa_csv_input_peek(input, STOA_CSV_SNIFF_NBYTES, &text, &whole, err));
    STOA_TRY(stoa_buffer_append_zeros(&text, STOA_CSV_SLACK, err));
    /* A first record that can't be a header is none. */
    st = stoa_csv_head_read(&with_header, (const char *)text.data, text.nbytes - STOA_CSV_SLACK,
                            whole, &head, &complete, err);
    if (st != STOA_OK || !complete) {
        st = st == STOA_ERR_DATA ? STOA_OK : st;
        goto out;
    }
    *named = head.ncolumns > 0;
    for (size_t i = 0; i < head.ncolumns && *named; i++) {
        uint32_t column;

        *named = stoa_schema_find(schema, head.names[i], &column, NULL) == STOA_OK;
    }
out:
    stoa_buffer_free(&text);
    stoa_csv_head_reset(&head);
    return st;
}

#define MAGIC_NBYTES 512 /* enough to know another format by */

/* A pipe whose text is no CSV, though no name said so: what is read of it can't be read again. */
static enum stoa_status refuse_other(struct stoa_csv_input *input, struct stoa_error *err)
{
    static const char avro[] = "Obj\1";
    struct stoa_buffer head = {0};
    const char *text;
    bool whole;
    enum stoa_status st;

    STOA_TRY(stoa_csv_input_peek(input, MAGIC_NBYTES, &head, &whole, err));
    text = (const char *)head.data;
    if (head.nbytes >= 4 && memcmp(text, avro, 4) == 0)
        st =
            input->is_archive
                ? stoa_fail(err, STOA_ERR_USAGE,
                            "%s: is an Avro file in an archive, which is not read: unpack it first",
                            input->name)
                : stoa_fail(err, STOA_ERR_USAGE,
                            "%s: is an Avro file in a pipe: --from avro reads it", input->name);
    else if (stoa_json_begins_object(text, head.nbytes))
        st = stoa_fail(err, STOA_ERR_USAGE,
                       "%s: begins as JSON lines do: --from jsonl reads them, --from csv takes "
                       "them for CSV",
                       input->name);
out:
    stoa_buffer_free(&head);
    return st;
}

enum stoa_status stoa_csv_inputs_sniff(struct stoa_csv_inputs *inputs,
                                       const struct stoa_csv_options *options,
                                       const struct stoa_schema *schema,
                                       struct stoa_csv_options *resolved,
                                       struct stoa_csv_sniff_report *report, struct stoa_error *err)
{
    struct stoa_csv_options found = *options;
    struct stoa_csv_sniff_report seen = {0};
    uint32_t ncolumns = 0;
    bool named;
    enum stoa_status st;

    if (schema != NULL) /* of the text */
        ncolumns = schema->nfields - (stoa_csv_filename_find(options, schema) != STOA_CSV_NO_FIELD);
    STOA_TRY(stoa_csv_options_check(options, err));
    for (size_t i = 0; options->is_guess && i < inputs->nitems; i++)
        if (inputs->items[i].once)
            STOA_TRY(refuse_other(&inputs->items[i], err));
    for (size_t i = 0; i < inputs->nitems && seen.ncolumns == 0; i++) {
        seen = (struct stoa_csv_sniff_report){0};
        STOA_TRY(sniff_input(&inputs->items[i], ncolumns, options, &found, &seen, err));
        if (schema != NULL && options->header_nrecords == 0 && found.header_nrecords < 0) {
            STOA_TRY(look_for_names(&inputs->items[i], &found, schema, &named, err));
            found.header_nrecords = named ? 1 : -1;
        }
    }
    *resolved = found;
    if (report != NULL)
        *report = seen;
out:
    return st;
}

enum stoa_status stoa_csv_sniff(const char *const *paths, size_t npaths,
                                const struct stoa_csv_options *options,
                                struct stoa_csv_options *resolved,
                                struct stoa_csv_sniff_report *report, struct stoa_schema *schema,
                                struct stoa_error *err)
{
    const struct stoa_csv_options defaults = {0};
    struct stoa_csv_options found;
    struct stoa_csv_sniff_report seen;
    struct stoa_csv_inputs *inputs = NULL;
    enum stoa_status st;

    if (options == NULL)
        options = &defaults;
    STOA_TRY(stoa_csv_inputs_new(paths, npaths, &inputs, err));
    STOA_TRY(stoa_csv_inputs_set_encoding(inputs, options->encoding, err));
    STOA_TRY(stoa_csv_inputs_sniff(inputs, options, NULL, &found, &seen, err));
    if (schema != NULL)
        STOA_TRY(stoa_csv_inputs_infer(inputs, &found, schema, NULL, err));
    *resolved = found;
    if (report != NULL)
        *report = seen;
out:
    stoa_csv_inputs_free(inputs);
    return st;
}
