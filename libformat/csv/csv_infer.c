/*
 * Inference: the narrowest type of each column that gives every sampled value back exactly
 * (spec/csv.md, "Inference").
 *
 * The values of the samples add to the evidence of their columns (csv/kind.h), which decides.
 */
#include <string.h>

#include "base/error.h"
#include "column/schema.h"
#include "csv/csv_table.h"
#include "csv/input.h"
#include "csv/kind.h"

#define SAMPLE_NBYTES     ((size_t)4 << 20) /* in all, but no less than the next of each input */
#define SAMPLE_MIN_NBYTES ((size_t)64 << 10)
#define SAMPLE_NROWS      20480 /* of each input */

/* The samples of all inputs, and what they say so far. */
struct inference {
    const struct stoa_csv_options *options;
    struct stoa_csv_header header; /* of the first input */
    struct stoa_csv_evidence *columns;
    uint32_t input; /* that is being sampled */
    uint64_t line;  /* of the record that the latest sample did not reach behind */
    uint64_t offset;
};

static enum stoa_status start_columns(struct inference *inference, struct stoa_error *err)
{
    size_t ncolumns = inference->header.ncolumns;
    enum stoa_status st;

    st = stoa_alloc_zeroed(&inference->columns, ncolumns, sizeof(*inference->columns), err);
    for (size_t i = 0; st == STOA_OK && i < ncolumns; i++)
        stoa_csv_evidence_init(&inference->columns[i]);
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
    const struct stoa_csv_place place = {.offset = offset, .line = line, .input = inference->input};
    const size_t ncolumns = inference->header.ncolumns;
    enum stoa_status st = STOA_OK;

    if (stoa_csv_record_is_blank(record, ncolumns))
        return STOA_OK;
    STOA_TRY(stoa_csv_record_check_width(record, ncolumns, line, offset, err));
    for (size_t i = 0; i < ncolumns; i++) {
        const struct stoa_csv_field *field = &record->fields[i];

        stoa_csv_evidence_observe(&inference->columns[i], inference->options, field->text,
                                  field->nbytes, field->quoted, &place);
    }
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
    struct stoa_csv_dialect dialect;
    const char *at = text, *end = text + nbytes;
    struct stoa_csv_record record = {0};
    size_t nrecords = 0;
    uint64_t line = 1;
    bool met = false; /* the header, or the first record where there is none */
    enum stoa_status st = STOA_OK;

    stoa_csv_dialect_init(&dialect, inference->options);
    if (nbytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        at += 3;
    for (; at < end && nrecords < SAMPLE_NROWS; at = record.next, line += record.nlines) {
        const uint64_t offset = (uint64_t)(at - text);

        inference->line = line;
        inference->offset = offset;
        STOA_TRY(stoa_csv_record_split(&record, at, end, &dialect, err));
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

static enum stoa_status add_column(const struct inference *inference, size_t i, bool quotes_tell,
                                   const char *const *input_names, struct stoa_schema *schema,
                                   struct stoa_buffer *evidence, struct stoa_error *err)
{
    const char *name = inference->header.names[i];
    struct stoa_csv_decision decision;
    enum stoa_status st;

    stoa_csv_evidence_decide(&inference->columns[i], inference->options, quotes_tell, &decision);
    STOA_TRY(stoa_schema_append(schema, name, &decision.type, true, err));
    if (decision.format[0] != '\0')
        STOA_TRY(stoa_metadata_set(&schema->fields[i].metadata, STOA_METADATA_CSV_FORMAT,
                                   decision.format, err));
    STOA_TRY(stoa_buffer_append(evidence, i > 0 ? ", " : "[", i > 0 ? 2 : 1, err));
    STOA_TRY(stoa_csv_evidence_print(&inference->columns[i], &decision, inference->options, name,
                                     false, input_names, evidence, err));
out:
    return st;
}

/* input_names: NULL where one input has all places. */
static enum stoa_status make_schema(const struct inference *inference,
                                    const char *const *input_names, struct stoa_schema *out,
                                    struct stoa_buffer *evidence, struct stoa_error *err)
{
    const size_t ncolumns = inference->header.ncolumns;
    struct stoa_schema schema = {0};
    bool quotes_tell = false; /* some column has values without quotes */
    enum stoa_status st;

    for (size_t i = 0; i < ncolumns; i++)
        quotes_tell |= inference->columns[i].nquoted < inference->columns[i].nvalues;
    for (size_t i = 0; i < ncolumns; i++)
        STOA_TRY(add_column(inference, i, quotes_tell, input_names, &schema, evidence, err));
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
    const char **names = NULL;
    size_t want_nbytes = SAMPLE_NBYTES / (inputs->nitems > 0 ? inputs->nitems : 1);
    enum stoa_status st;

    if (want_nbytes < SAMPLE_MIN_NBYTES)
        want_nbytes = SAMPLE_MIN_NBYTES;
    STOA_TRY(stoa_csv_options_check(options, err));
    STOA_TRY(stoa_alloc_zeroed(&names, inputs->nitems, sizeof(*names), err));
    for (size_t i = 0; i < inputs->nitems; i++) {
        names[i] = inputs->items[i].name;
        inference.input = (uint32_t)i;
        STOA_TRY(observe_input(&inference, &inputs->items[i], want_nbytes, err));
    }
    if (inference.columns == NULL) {
        st = stoa_fail(err, STOA_ERR_DATA, "the inputs are empty: there is nothing to infer from");
        goto out;
    }
    STOA_TRY(make_schema(&inference, inputs->nitems > 1 ? names : NULL, out, &text, err));
    if (evidence != NULL) {
        *evidence = (char *)text.data;
        text = (struct stoa_buffer){0};
    }
out:
    stoa_buffer_free(&text);
    stoa_free(names);
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
