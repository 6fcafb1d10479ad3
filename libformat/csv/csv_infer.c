/*
 * Inference: the narrowest type of each column that gives every sampled value back exactly
 * (spec/csv.md, "Inference").
 *
 * Each column has a set of kinds that it can still be; a value takes away those that can't hold it.
 * What is left over decides, and text is always left over.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/number.h"
#include "base/text.h"
#include "base/time.h"
#include "column/schema.h"
#include "column/type.h"
#include "csv/csv_table.h"
#include "csv/field.h"
#include "csv/input.h"

#define SAMPLE_NBYTES     ((size_t)4 << 20) /* in all, but no less than the next of each input */
#define SAMPLE_MIN_NBYTES ((size_t)64 << 10)
#define SAMPLE_NROWS      20480 /* of each input */

enum kind {
    BOOL = 1,
    INT64 = 2,
    UINT64 = 4,
    DECIMAL = 8,
    DOUBLE = 16,
    DATE = 32,
    TIME = 64,
    CLOCK = 128,   /* a timestamp without a zone */
    INSTANT = 256, /* a timestamp that ends in Z */
    ALL = 511,
};

/* What the samples say of one column. */
struct evidence {
    unsigned kinds;
    uint64_t nvalues;         /* null in no column */
    uint64_t nnulls;          /* null in every column */
    uint64_t nwords;          /* null unless the column is text: NA, "" */
    uint64_t nquoted;         /* of nvalues */
    bool fractions;           /* a point, an exponent, a nan: more than integers */
    unsigned integer_ndigits; /* the most in front of and behind the point */
    unsigned fraction_ndigits;
    unsigned second_ndigits; /* the most behind a second */
    bool separators[2];      /* blank, T */
    bool nanos_fit;          /* every timestamp fits 64 bits of nanoseconds */
    char breaker[48];        /* the value that left nothing but text */
    uint64_t breaker_line;
};

static unsigned integer_kinds(const char *text, size_t nbytes)
{
    int64_t i64;
    uint64_t u64;
    unsigned kinds = 0;

    if (stoa_csv_text_is_negative_zero(text, nbytes))
        return 0;
    if (stoa_number_parse_int64(text, nbytes, &i64))
        kinds |= INT64;
    if (stoa_number_parse_uint64(text, nbytes, &u64))
        kinds |= UINT64;
    return kinds;
}

static unsigned number_kinds(struct evidence *column, const char *text, size_t nbytes)
{
    const bool integer = stoa_csv_text_is_integer(text, nbytes);
    unsigned kinds, integer_ndigits, fraction_ndigits;
    double f64;

    if (!stoa_csv_number_is_plain(text, nbytes))
        return 0;
    kinds = integer ? integer_kinds(text, nbytes) : 0;
    if (stoa_decimal_shape(text, nbytes, &integer_ndigits, &fraction_ndigits) &&
        memchr(text, 'e', nbytes) == NULL && memchr(text, 'E', nbytes) == NULL &&
        !stoa_csv_text_is_negative_zero(text, nbytes)) {
        kinds |= DECIMAL;
        if (integer_ndigits > column->integer_ndigits)
            column->integer_ndigits = integer_ndigits;
        if (fraction_ndigits > column->fraction_ndigits)
            column->fraction_ndigits = fraction_ndigits;
    }
    if (stoa_number_parse_double(text, nbytes, &f64) && stoa_csv_double_is_exact(text, nbytes, f64))
        kinds |= DOUBLE;
    column->fractions |= kinds != 0 && !integer;
    return kinds;
}

static unsigned time_kinds(struct evidence *column, const char *text, size_t nbytes)
{
    struct stoa_timestamp_text parts;
    unsigned ndigits = 0;
    int64_t i64;
    int32_t days;
    const char *point;

    if (stoa_date_parse(text, nbytes, &days))
        return DATE;
    if (stoa_time_parse(text, nbytes, STOA_NANO, &i64)) {
        point = memchr(text, '.', nbytes);
        if (point != NULL)
            ndigits = (unsigned)(text + nbytes - point) - 1;
        if (ndigits > column->second_ndigits)
            column->second_ndigits = ndigits;
        return TIME;
    }
    /* Another offset than Z would be lost. */
    if (!stoa_timestamp_parse_text(text, nbytes, &parts) || parts.zone_nbytes > 1)
        return 0;
    if (parts.fraction_ndigits > column->second_ndigits)
        column->second_ndigits = parts.fraction_ndigits;
    column->separators[parts.separator == 'T'] = true;
    if (!stoa_timestamp_parse(text, nbytes, STOA_NANO, parts.zone_nbytes == 1, &i64))
        column->nanos_fit = false;
    return parts.zone_nbytes == 1 ? INSTANT : CLOCK;
}

/* The kinds that hold a value, which is not empty, exactly; notes its shape in *column. */
static unsigned kinds_of(struct evidence *column, const char *text, size_t nbytes)
{
    unsigned kinds;
    bool value;

    if (stoa_csv_bool_parse(text, nbytes, &value))
        return BOOL;
    kinds = number_kinds(column, text, nbytes);
    return kinds != 0 ? kinds : time_kinds(column, text, nbytes);
}

static void observe(struct evidence *column, const struct stoa_csv_field *field, uint64_t line)
{
    if (field->nbytes == 0 && !field->quoted) {
        column->nnulls++;
        return;
    }
    if (stoa_csv_text_is_null(field->text, field->nbytes)) {
        column->nwords++;
        return;
    }
    column->nvalues++;
    column->nquoted += field->quoted;
    if (column->kinds == 0)
        return;
    column->kinds &= kinds_of(column, field->text, field->nbytes);
    if (column->kinds == 0) {
        column->breaker_line = line;
        stoa_quote(column->breaker, sizeof(column->breaker), field->text, field->nbytes);
    }
}

static enum stoa_time_unit unit_of(unsigned ndigits)
{
    return ndigits == 0   ? STOA_SECOND
           : ndigits <= 3 ? STOA_MILLI
           : ndigits <= 6 ? STOA_MICRO
                          : STOA_NANO;
}

/* The kinds that are left when all of the sample is known; `quotes_tell`: other columns stand
   without quotes. */
static unsigned kinds_left(const struct evidence *column, bool quotes_tell)
{
    unsigned kinds = column->nvalues > 0 ? column->kinds : 0;

    if (quotes_tell && column->nquoted == column->nvalues)
        kinds &= ~(unsigned)(BOOL | INT64 | UINT64 | DECIMAL | DOUBLE); /* "10115" is no number */
    if (column->integer_ndigits + column->fraction_ndigits > STOA_MAX_PRECISION)
        kinds &= ~(unsigned)DECIMAL;
    if (!column->fractions)
        kinds &= ~(unsigned)DOUBLE; /* whole numbers stay whole */
    if (column->second_ndigits > 6 && !column->nanos_fit)
        kinds &= ~(unsigned)(CLOCK | INSTANT);
    return kinds;
}

/* The first of the kinds, in this order, is the type. */
static struct stoa_type decide(const struct evidence *column, unsigned kinds)
{
    static char utc[] = "UTC"; /* read only: the schema copies it */
    const enum stoa_time_unit unit = unit_of(column->second_ndigits);
    const unsigned ndigits = column->integer_ndigits + column->fraction_ndigits;
    const struct {
        unsigned kind;
        struct stoa_type type;
    } types[] = {
        {BOOL, {.id = STOA_BOOL}},
        {INT64, {.id = STOA_INT64}},
        {UINT64, {.id = STOA_UINT64}},
        {DOUBLE, {.id = STOA_FLOAT64}},
        {DECIMAL,
         {.id = STOA_DECIMAL,
          .precision = (uint8_t)(ndigits > STOA_INT128_DIGITS ? ndigits : STOA_INT128_DIGITS),
          .scale = (uint8_t)column->fraction_ndigits}},
        {DATE, {.id = STOA_DATE32}},
        {TIME, {.id = STOA_TIME, .unit = unit}},
        {CLOCK, {.id = STOA_TIMESTAMP, .unit = unit}},
        {INSTANT, {.id = STOA_TIMESTAMP, .unit = unit, .zone = utc}},
    };

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (kinds & types[i].kind)
            return types[i].type;
    }
    return (struct stoa_type){.id = STOA_UTF8};
}

/* A timestamp's text form as strptime() words, for writing CSV that looks like what was read. */
static const char *pattern_of(const struct evidence *column, const struct stoa_type *type)
{
    if (type->id != STOA_TIMESTAMP || column->separators[0] == column->separators[1])
        return NULL;
    if (type->zone != NULL)
        return column->separators[1] ? "%Y-%m-%dT%H:%M:%SZ" : "%Y-%m-%d %H:%M:%SZ";
    return column->separators[1] ? "%Y-%m-%dT%H:%M:%S" : "%Y-%m-%d %H:%M:%S";
}

/* Why the column has its type; `kinds` are those that are left. */
static const char *reason(const struct evidence *column, unsigned kinds, char *out, size_t nbytes)
{
    if (column->nvalues == 0)
        return "no value in the sample";
    if (kinds != 0)
        return "every value of the sample";
    if (column->kinds != 0)
        return column->nquoted == column->nvalues
                   ? "values in quotes, where other columns have none"
                   : "no type but text holds every value";
    snprintf(out, nbytes, "\"%s\" in line %" PRIu64, column->breaker, column->breaker_line);
    return out;
}

/* One object of the "evidence" array of a schema document. */
static enum stoa_status print_evidence(const struct evidence *column, const char *name,
                                       unsigned kinds, struct stoa_buffer *out,
                                       struct stoa_error *err)
{
    const uint64_t nwords_null = kinds != 0 ? column->nwords : 0;
    const char *separator = out->nbytes > 1 ? ", " : "", *why;
    char text[160];
    int nbytes;
    enum stoa_status st;

    nbytes = snprintf(text, sizeof(text), "%s{\"name\": ", separator);
    STOA_TRY(stoa_buffer_append(out, text, (size_t)nbytes, err));
    STOA_TRY(stoa_json_append_string(out, name, strlen(name), err));
    nbytes = snprintf(
        text, sizeof(text), ", \"rows\": %" PRIu64 ", \"nulls\": %" PRIu64 ", \"decided_by\": ",
        column->nvalues + column->nnulls + column->nwords, column->nnulls + nwords_null);
    STOA_TRY(stoa_buffer_append(out, text, (size_t)nbytes, err));
    why = reason(column, kinds, text, sizeof(text));
    STOA_TRY(stoa_json_append_string(out, why, strlen(why), err));
    STOA_TRY(stoa_buffer_append(out, "}", 1, err));
out:
    return st;
}

/* The samples of all inputs, and what they say so far. */
struct inference {
    const struct stoa_csv_options *options;
    struct stoa_csv_header header; /* of the first input */
    struct evidence *columns;
    uint64_t line; /* of the record that the latest sample did not reach behind */
    uint64_t offset;
};

static enum stoa_status start_columns(struct inference *inference, struct stoa_error *err)
{
    size_t ncolumns = inference->header.ncolumns;
    enum stoa_status st;

    st = stoa_alloc_zeroed(&inference->columns, ncolumns, sizeof(*inference->columns), err);
    for (size_t i = 0; st == STOA_OK && i < ncolumns; i++) {
        inference->columns[i].kinds = ALL;
        inference->columns[i].nanos_fit = true;
    }
    return st;
}

/* Meets the first record that is not blank. */
static enum stoa_status observe_header(struct inference *inference, const char *input_name,
                                       const struct stoa_csv_record *record, uint64_t line,
                                       struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(stoa_csv_header_meet(&inference->header, record, inference->options, input_name, line,
                                  err));
    if (inference->columns == NULL)
        STOA_TRY(start_columns(inference, err));
out:
    return st;
}

static enum stoa_status observe_record(struct inference *inference,
                                       const struct stoa_csv_record *record, uint64_t line,
                                       uint64_t offset, struct stoa_error *err)
{
    const size_t ncolumns = inference->header.ncolumns;
    enum stoa_status st = STOA_OK;

    if (stoa_csv_record_is_blank(record, ncolumns))
        return STOA_OK;
    STOA_TRY(stoa_csv_record_check_width(record, ncolumns, line, offset, err));
    for (size_t i = 0; i < ncolumns; i++)
        observe(&inference->columns[i], &record->fields[i], line);
out:
    return st;
}

/*
 * Observes the records of one sample, `text` with its slack; *complete is false when it does not
 * reach behind the header and one record.
 */
static enum stoa_status observe_text(struct inference *inference, const char *input_name,
                                     const char *text, size_t nbytes, bool whole, bool *complete,
                                     struct stoa_error *err)
{
    const char delimiter = stoa_csv_delimiter(inference->options);
    const char *at = text, *end = text + nbytes;
    struct stoa_csv_record record = {0};
    size_t nrecords = 0;
    uint64_t line = 1;
    bool met = false; /* the header, or the first record where there is none */
    enum stoa_status st = STOA_OK;

    if (nbytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        at += 3;
    for (; at < end && nrecords < SAMPLE_NROWS; at = record.next, line += record.nlines) {
        const uint64_t offset = (uint64_t)(at - text);

        inference->line = line;
        inference->offset = offset;
        STOA_TRY(stoa_csv_record_split(&record, at, end, delimiter, err));
        if (!whole && (record.fault == STOA_CSV_OPEN_QUOTE || record.next == end))
            break; /* the sample ends inside this record */
        STOA_TRY(stoa_csv_record_check(&record, line, offset, err));
        if (!met && stoa_csv_record_is_blank(&record, 0))
            continue;
        if (!met) {
            met = true;
            STOA_TRY(observe_header(inference, input_name, &record, line, err));
            if (stoa_csv_header_nrecords(inference->options) > 0)
                continue;
        }
        STOA_TRY(observe_record(inference, &record, line, offset, err));
        nrecords++;
    }
    *complete = whole || nrecords > 0;
    if (whole && !met && stoa_csv_header_nrecords(inference->options) > 0)
        st = stoa_fail(err, STOA_ERR_DATA, "empty: there is no header line");
out:
    stoa_csv_record_free(&record);
    return st;
}

static enum stoa_status observe_input(struct inference *inference, struct stoa_csv_input *input,
                                      size_t want_nbytes, struct stoa_error *err)
{
    const uint64_t max_record_nbytes = stoa_csv_max_record_nbytes(inference->options);
    struct stoa_buffer text = {0};
    bool complete = false;
    enum stoa_status st;

    while (!complete) {
        bool whole;

        stoa_buffer_free(&text);
        STOA_TRY(stoa_csv_input_peek(input, want_nbytes, &text, &whole, err));
        STOA_TRY(stoa_buffer_append_zeros(&text, STOA_CSV_SLACK, err));
        st = observe_text(inference, input->name, (const char *)text.data,
                          text.nbytes - STOA_CSV_SLACK, whole, &complete, err);
        if (st != STOA_OK) {
            stoa_wrap(err, st, "%s", input->name);
            goto out;
        }
        /* A header or first record larger than the sample: look at more. */
        if (!complete && want_nbytes / 2 > max_record_nbytes) {
            st = stoa_csv_fail_too_large(err, input->name, inference->line, inference->offset,
                                         max_record_nbytes);
            goto out;
        }
        want_nbytes *= 2;
    }
out:
    stoa_buffer_free(&text);
    return st;
}

static enum stoa_status make_schema(const struct inference *inference, struct stoa_schema *out,
                                    struct stoa_buffer *evidence, struct stoa_error *err)
{
    const struct stoa_csv_header *header = &inference->header;
    struct stoa_schema schema = {0};
    bool quotes_tell = false; /* some column has values without quotes */
    enum stoa_status st;

    for (size_t i = 0; i < header->ncolumns; i++)
        quotes_tell |= inference->columns[i].nquoted < inference->columns[i].nvalues;
    STOA_TRY(stoa_buffer_append(evidence, "[", 1, err));
    for (size_t i = 0; i < header->ncolumns; i++) {
        const struct evidence *column = &inference->columns[i];
        const unsigned kinds = kinds_left(column, quotes_tell);
        const struct stoa_type type = decide(column, kinds);
        const char *pattern = pattern_of(column, &type);

        STOA_TRY(stoa_schema_append(&schema, header->names[i], &type, true, err));
        if (pattern != NULL)
            STOA_TRY(stoa_metadata_set(&schema.fields[i].metadata, "csv_format", pattern, err));
        STOA_TRY(print_evidence(column, header->names[i], kinds, evidence, err));
    }
    STOA_TRY(stoa_buffer_append(evidence, "]", 2, err)); /* with its terminator */
    *out = schema;
    schema = (struct stoa_schema){0};
out:
    stoa_schema_reset(&schema);
    return st;
}

enum stoa_status stoa_csv_inputs_infer(struct stoa_csv_inputs *inputs,
                                       const struct stoa_csv_options *options,
                                       struct stoa_schema *out, char **evidence,
                                       struct stoa_error *err)
{
    struct inference inference = {.options = options};
    struct stoa_buffer text = {0};
    size_t want_nbytes = SAMPLE_NBYTES / (inputs->nitems > 0 ? inputs->nitems : 1);
    enum stoa_status st = STOA_OK;

    if (want_nbytes < SAMPLE_MIN_NBYTES)
        want_nbytes = SAMPLE_MIN_NBYTES;
    STOA_TRY(stoa_csv_options_check(options, err));
    for (size_t i = 0; i < inputs->nitems; i++)
        STOA_TRY(observe_input(&inference, &inputs->items[i], want_nbytes, err));
    if (inference.columns == NULL) {
        st = stoa_fail(err, STOA_ERR_DATA, "the inputs are empty: there is nothing to infer from");
        goto out;
    }
    STOA_TRY(make_schema(&inference, out, &text, err));
    if (evidence != NULL) {
        *evidence = (char *)text.data;
        text = (struct stoa_buffer){0};
    }
out:
    stoa_buffer_free(&text);
    stoa_free(inference.columns);
    stoa_csv_header_reset(&inference.header);
    return st;
}

enum stoa_status stoa_csv_infer(const char *const *paths, size_t npaths,
                                const struct stoa_csv_options *options, struct stoa_schema *out,
                                char **evidence, struct stoa_error *err)
{
    const struct stoa_csv_options defaults = {0};
    struct stoa_csv_inputs *inputs = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_csv_inputs_new(paths, npaths, &inputs, err));
    STOA_TRY(
        stoa_csv_inputs_infer(inputs, options != NULL ? options : &defaults, out, evidence, err));
out:
    stoa_csv_inputs_free(inputs);
    return st;
}
