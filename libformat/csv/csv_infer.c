/*
 * Inference: the narrowest type of each column that gives every sampled value back exactly
 * (spec/csv.md, "Inference").
 *
 * The values of the samples add to the evidence of their columns (csv/kind.h), which decides.
 */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "column/schema.h"
#include "csv/csv_table.h"
#include "csv/csv_windows.h"
#include "csv/input.h"
#include "csv/kind.h"
#include "io/archive.h"

#define SAMPLE_NBYTES     ((size_t)4 << 20) /* in all, but no less than the next of each input */
#define SAMPLE_MIN_NBYTES ((size_t)64 << 10)
#define SAMPLE_NROWS      20480 /* of each input */

/* What all inputs say so far. */
struct stoa_csv_inference {
    const struct stoa_csv_options *options;
    struct stoa_csv_inputs *inputs;
    struct stoa_batch_source *source; /* of full inference */
    struct stoa_csv_spellings spellings;
    struct stoa_csv_header header;     /* of all inputs */
    struct stoa_csv_evidence *columns; /* of the table */
    size_t ncolumns;
    size_t capacity;
    bool is_certain; /* no value was left out of the samples */
    char **names;    /* of the texts of the samples, which places refer to */
    size_t nnames;
    size_t names_capacity;
};

/* Evidence for the columns that the latest input brought. */
static enum stoa_status add_evidence(struct stoa_csv_inference *inference, struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(stoa_reserve(&inference->columns, &inference->capacity, inference->header.ncolumns,
                          sizeof(*inference->columns), err));
    while (inference->ncolumns < inference->header.ncolumns)
        stoa_csv_evidence_init(&inference->columns[inference->ncolumns++]);
out:
    return st;
}

/* The input whose sample is looked at. */
struct sample {
    struct stoa_csv_inference *inference;
    struct stoa_csv_input *input;
    uint32_t number;
    struct stoa_csv_head head;
    uint32_t *columns; /* of the table, for each of the input */
    uint64_t line;     /* of the record that the sample did not reach behind */
    uint64_t offset;
};

static void observe_fields(struct sample *sample, const struct stoa_csv_record *record,
                           uint64_t line, uint64_t offset)
{
    const struct stoa_csv_place place = {.offset = offset, .line = line, .input = sample->number};
    struct stoa_csv_inference *inference = sample->inference;

    for (size_t i = 0; i < record->nfields && i < sample->head.ncolumns; i++) {
        const struct stoa_csv_field *field = &record->fields[i];

        stoa_csv_evidence_observe(&inference->columns[sample->columns[i]], &inference->spellings,
                                  field->text, field->nbytes, field->quoted, &place);
    }
}

/* A stoa_csv_observer: lines are not known in the middle of a file. */
static void observe_certain(void *context, const struct stoa_csv_record *record, uint64_t offset)
{
    observe_fields(context, record, 0, offset);
}

/* Whether a record is a row of the table; what is wrong with others is said when they are read. */
static bool is_row(const struct stoa_csv_record *record, size_t ncolumns, unsigned ragged)
{
    return record->nfields > 0 && record->fault == STOA_CSV_FINE &&
           !stoa_csv_record_is_blank(record, ncolumns) &&
           (record->nfields >= ncolumns || (ragged & STOA_CSV_PAD) != 0) &&
           (record->nfields <= ncolumns || (ragged & STOA_CSV_TRUNCATE) != 0);
}

/* Observes records behind the head; *used is the end of the last one. */
static enum stoa_status observe_records(struct sample *sample, const char *text, size_t nbytes,
                                        bool whole, size_t *nseen, size_t *used,
                                        struct stoa_error *err)
{
    const struct stoa_csv_options *options = sample->inference->options;
    const size_t ncolumns = sample->head.ncolumns;
    const char *at = text + sample->head.nbytes, *end = text + nbytes;
    struct stoa_csv_dialect dialect;
    struct stoa_csv_record record = {0};
    enum stoa_status st = STOA_OK;

    stoa_csv_dialect_init(&dialect, options);
    sample->line = sample->head.nlines + 1;
    for (*nseen = 0; at < end && *nseen < SAMPLE_NROWS; at = record.next, ++*nseen) {
        sample->offset = (uint64_t)(at - text);
        STOA_TRY(stoa_csv_record_split(&record, at, end, &dialect, err));
        if (!whole && record.next == end)
            break; /* the sample ends inside this record */
        if (is_row(&record, ncolumns, options->ragged))
            observe_fields(sample, &record, sample->line, sample->offset);
        sample->line += record.nlines;
    }
    *used = (size_t)(at - text);
out:
    stoa_csv_record_free(&record);
    return st;
}

/*
 * Observes one sample, a text with its slack; *complete is false when it does not reach behind the
 * header and one record.
 */
static enum stoa_status observe_text(struct sample *sample, const char *text, size_t nbytes,
                                     bool whole, bool *complete, size_t *used,
                                     struct stoa_error *err)
{
    struct stoa_csv_inference *inference = sample->inference;
    const struct stoa_csv_options *options = inference->options;
    size_t nseen;
    enum stoa_status st;

    sample->line = 1;
    sample->offset = 0;
    STOA_TRY(stoa_csv_head_read(options, text, nbytes, whole, &sample->head, complete, err));
    if (!*complete)
        goto out;
    if (sample->head.ncolumns == 0 && stoa_csv_header_nrecords(options) > 0) {
        st = stoa_fail(err, STOA_ERR_DATA, "empty: there is no header line");
        goto out;
    }
    if (sample->head.ncolumns == 0)
        goto out;
    STOA_TRY(stoa_csv_header_meet(&inference->header, &sample->head, options, sample->input->name,
                                  true, &sample->columns, err));
    STOA_TRY(add_evidence(inference, err));
    STOA_TRY(observe_records(sample, text, nbytes, whole, &nseen, used, err));
    *complete = whole || nseen > 0;
out:
    return st;
}

static void sample_reset(struct sample *sample)
{
    stoa_csv_head_reset(&sample->head);
    stoa_free(sample->columns);
    sample->columns = NULL;
}

/* Looks at the head of an input, at want_nbytes or more, and at `windows` into the rest of it. */
static enum stoa_status observe_input(struct sample *sample, size_t want_nbytes, bool windows,
                                      struct stoa_error *err)
{
    const struct stoa_csv_options *options = sample->inference->options;
    const uint64_t max_record_nbytes = stoa_csv_max_record_nbytes(options);
    struct stoa_buffer text = {0};
    bool complete = false, whole = false, at_end;
    size_t used = 0, mark = 0;
    enum stoa_status st;

    while (!complete) {
        stoa_buffer_free(&text);
        sample_reset(sample);
        STOA_TRY(stoa_csv_input_peek(sample->input, want_nbytes, &text, &whole, err));
        STOA_TRY(stoa_buffer_append_zeros(&text, STOA_CSV_SLACK, err));
        mark = memcmp(text.data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0; /* there is slack */
        st = observe_text(sample, (const char *)text.data + mark,
                          text.nbytes - STOA_CSV_SLACK - mark, whole, &complete, &used, err);
        if (st != STOA_OK) {
            stoa_wrap(err, st, "%s", sample->input->name);
            goto out;
        }
        /* A header or first record larger than the sample: look at more. */
        if (!complete && want_nbytes / 2 > max_record_nbytes) {
            if (sample->head.ncolumns > 0)
                break; /* who reads it tells of it */
            st = stoa_csv_fail_too_large(err, sample->input->name, sample->line, sample->offset,
                                         max_record_nbytes);
            goto out;
        }
        want_nbytes *= 2;
    }
    at_end = whole && mark + used + STOA_CSV_SLACK == text.nbytes;
    sample->inference->is_certain &= at_end && !sample->input->is_archive;
    if (windows && !sample->input->once && !at_end)
        STOA_TRY(stoa_csv_windows_observe(sample->input->path, options,
                                          (uint32_t)sample->head.ncolumns, (const char *)text.data,
                                          mark + used, observe_certain, sample, err));
out:
    stoa_buffer_free(&text);
    sample_reset(sample);
    return st;
}

/* The next number that places may have, and the name for it. */
static enum stoa_status add_text(struct stoa_csv_inference *inference, const char *name,
                                 uint32_t *number, struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(stoa_reserve(&inference->names, &inference->names_capacity, inference->nnames + 1,
                          sizeof(*inference->names), err));
    STOA_TRY(stoa_strndup(&inference->names[inference->nnames], name, strlen(name), err));
    *number = (uint32_t)inference->nnames++;
out:
    return st;
}

/* Looks at the head of the member that was opened last, as at that of a pipe. */
static enum stoa_status observe_member(struct stoa_csv_inference *inference,
                                       struct stoa_csv_input *archive, struct stoa_stream *stream,
                                       size_t *nbytes, struct stoa_error *err)
{
    struct stoa_csv_input member = {.once = true, .wanted = archive->wanted, .stream = stream};
    struct sample sample = {.inference = inference, .input = &member};
    enum stoa_status st;

    STOA_TRY(add_text(inference, stream->name, &sample.number, err));
    member.name = inference->names[sample.number];
    STOA_TRY(observe_input(&sample, SAMPLE_MIN_NBYTES, false, err));
    *nbytes = member.head.nbytes;
out:
    stoa_buffer_free(&member.head);
    return st;
}

/*
 * Looks at the other members of an archive: at all of them where there is a directory, else as long
 * as whole ones stand within a sample. What is wrong with one is said when it is read.
 */
static enum stoa_status observe_members(struct stoa_csv_inference *inference,
                                        const struct stoa_csv_input *input, struct stoa_error *err)
{
    struct stoa_csv_input archive = {.path = input->path, .wanted = input->wanted};
    struct stoa_stream *stream = NULL;
    struct stoa_buffer head = {0};
    size_t nbytes = 0, total_nbytes = 0;
    bool goes_on;
    enum stoa_status st = stoa_csv_input_next(&archive, &stream, &head, err); /* was looked at */

    goes_on = st == STOA_OK && stream != NULL && stoa_members_is_archive(archive.members);
    if (goes_on && !stoa_members_has_directory(archive.members)) {
        struct stoa_csv_input first = {.once = true, .stream = stream};
        bool whole = false;

        st = stoa_csv_input_peek(&first, SAMPLE_NBYTES, &head, &whole, err);
        total_nbytes = head.nbytes;
        goes_on = st == STOA_OK && whole;
        stoa_buffer_free(&first.head);
        stoa_buffer_free(&head);
    }
    while (goes_on) {
        stoa_stream_close(stream);
        stream = NULL;
        st = stoa_csv_input_next(&archive, &stream, &head, err);
        if (st != STOA_OK || stream == NULL)
            break;
        st = observe_member(inference, &archive, stream, &nbytes, err);
        total_nbytes += nbytes;
        goes_on = st == STOA_OK && (stoa_members_has_directory(archive.members) ||
                                    (nbytes < SAMPLE_MIN_NBYTES && total_nbytes < SAMPLE_NBYTES));
    }
    stoa_stream_close(stream);
    stoa_members_close(archive.members);
    return st == STOA_ERR_NOMEM ? st : STOA_OK;
}

/* What the options say of a column, and else what its evidence says. */
static void decide(const struct stoa_csv_inference *inference, size_t i, bool quotes_tell,
                   struct stoa_csv_decision *out)
{
    const struct stoa_csv_options *options = inference->options;
    const struct stoa_field *given = stoa_csv_given_type(options, inference->header.names[i]);

    stoa_csv_evidence_decide(&inference->columns[i], &inference->spellings, quotes_tell, out);
    if (given == NULL && options->infer != STOA_CSV_INFER_NONE)
        return;
    out->reason = STOA_CSV_REASON_GIVEN;
    if (given == NULL || given->type.id != out->type.id) {
        out->kinds = 0;
        out->format = NULL; /* of other values */
    }
    out->type = given != NULL ? given->type : (struct stoa_type){.id = STOA_UTF8};
}

/* Adds a name to those of columns whose dates have an open order; there is an end to the list. */
static enum stoa_status add_undecided(const char *name, struct stoa_buffer *undecided,
                                      struct stoa_error *err)
{
    static const char more[] = ", ...";
    const size_t most = 160;
    char shown[80];
    enum stoa_status st = STOA_OK;

    if (undecided->nbytes > most)
        return STOA_OK;
    stoa_quote(shown, sizeof(shown), name, strlen(name));
    if (undecided->nbytes > 0)
        STOA_TRY(stoa_buffer_append(undecided, ", ", 2, err));
    STOA_TRY(stoa_buffer_append(undecided, shown, strlen(shown), err));
    if (undecided->nbytes > most)
        STOA_TRY(stoa_buffer_append(undecided, more, strlen(more), err));
out:
    return st;
}

/* One line for all of them. */
static enum stoa_status tell_undecided(const struct stoa_csv_options *options,
                                       struct stoa_buffer *undecided, struct stoa_error *err)
{
    struct stoa_error note;
    enum stoa_status st = STOA_OK;

    if (options->note == NULL || undecided->nbytes == 0)
        return STOA_OK;
    STOA_TRY(stoa_buffer_append(undecided, "", 1, err));
    stoa_fail(&note, STOA_ERR_DATA,
              "%s: text, because day and month can't be told apart: --date-order dmy or mdy tells",
              (const char *)undecided->data);
    options->note(options->note_context, note.message);
out:
    return st;
}

static enum stoa_status add_column(const struct stoa_csv_inference *inference, size_t i,
                                   bool quotes_tell, const char *const *input_names,
                                   struct stoa_schema *schema, struct stoa_buffer *evidence,
                                   struct stoa_buffer *undecided, struct stoa_error *err)
{
    const char *name = inference->header.names[i];
    struct stoa_csv_decision decision;
    enum stoa_status st;

    decide(inference, i, quotes_tell, &decision);
    if (decision.reason == STOA_CSV_REASON_DATE_ORDER)
        STOA_TRY(add_undecided(name, undecided, err));
    STOA_TRY(stoa_schema_append(schema, name, &decision.type, true, err));
    if (decision.format != NULL)
        STOA_TRY(stoa_metadata_set(&schema->fields[i].metadata, STOA_METADATA_CSV_FORMAT,
                                   decision.format, err));
    STOA_TRY(stoa_buffer_append(evidence, i > 0 ? ", " : "[", i > 0 ? 2 : 1, err));
    STOA_TRY(stoa_csv_evidence_print(&inference->columns[i], &decision, &inference->spellings, name,
                                     inference->source != NULL, input_names, evidence, err));
out:
    return st;
}

/* Each of the types that are given is that of a column. */
static enum stoa_status check_types(const struct stoa_schema *types,
                                    const struct stoa_schema *schema, struct stoa_error *err)
{
    for (uint32_t i = 0; types != NULL && i < types->nfields; i++) {
        const char *name = types->fields[i].name;
        uint32_t found = 0;
        const uint32_t nfound = stoa_fields_find(schema->fields, schema->nfields, name, &found);

        if (nfound == 0 || strcmp(schema->fields[found].name, name) != 0)
            return stoa_fields_fail(schema->fields, schema->nfields, name, 0, "column", err);
    }
    return STOA_OK;
}

/* The column of the names of the inputs, which every row has. */
static enum stoa_status add_filename(const char *name, struct stoa_schema *schema,
                                     struct stoa_buffer *evidence, struct stoa_error *err)
{
    static const char begin[] = ", {\"name\": ", end[] = ", \"decided_by\": \"the options\"}";
    const struct stoa_type text = {.id = STOA_UTF8};
    enum stoa_status st;

    STOA_TRY(stoa_schema_append(schema, name, &text, false, err));
    STOA_TRY(stoa_buffer_append(evidence, begin, strlen(begin), err));
    STOA_TRY(stoa_json_append_string(evidence, name, strlen(name), err));
    STOA_TRY(stoa_buffer_append(evidence, end, strlen(end), err));
out:
    return st;
}

/* input_names: NULL where one input has all places. */
static enum stoa_status make_schema(const struct stoa_csv_inference *inference,
                                    const char *const *input_names, struct stoa_schema *out,
                                    struct stoa_buffer *evidence, struct stoa_error *err)
{
    const size_t ncolumns = inference->header.ncolumns;
    struct stoa_schema schema = {0};
    struct stoa_buffer undecided = {0};
    bool quotes_tell = false; /* some column has values without quotes */
    enum stoa_status st;

    for (size_t i = 0; i < ncolumns; i++)
        quotes_tell |= inference->columns[i].nquoted < inference->columns[i].nvalues;
    for (size_t i = 0; i < ncolumns; i++)
        STOA_TRY(
            add_column(inference, i, quotes_tell, input_names, &schema, evidence, &undecided, err));
    STOA_TRY(check_types(inference->options->types, &schema, err));
    if (inference->options->filename != NULL)
        STOA_TRY(add_filename(inference->options->filename, &schema, evidence, err));
    STOA_TRY(stoa_buffer_append(evidence, "]", 2, err)); /* with its terminator */
    STOA_TRY(tell_undecided(inference->options, &undecided, err));
    *out = schema;
    schema = (struct stoa_schema){0};
out:
    stoa_buffer_free(&undecided);
    stoa_schema_reset(&schema);
    return st;
}

/* Looks at the head of every input, and with `windows` into the first and the last one. */
static enum stoa_status observe_samples(struct stoa_csv_inference *inference, bool windows,
                                        struct stoa_error *err)
{
    struct stoa_csv_inputs *inputs = inference->inputs;
    const size_t last = inputs->nitems - 1;
    size_t want_nbytes = SAMPLE_NBYTES / (inputs->nitems > 0 ? inputs->nitems : 1);
    enum stoa_status st = STOA_OK;

    if (want_nbytes < SAMPLE_MIN_NBYTES)
        want_nbytes = SAMPLE_MIN_NBYTES;
    for (size_t i = 0; i < inputs->nitems; i++) {
        struct stoa_csv_input *input = &inputs->items[i];
        struct sample sample = {.inference = inference, .input = input};

        sample.number = (uint32_t)inference->nnames;
        STOA_TRY(observe_input(&sample, want_nbytes, windows && (i == 0 || i == last), err));
        STOA_TRY(add_text(inference, input->name, &sample.number, err));
        if (!input->once && input->is_archive)
            STOA_TRY(observe_members(inference, input, err));
    }
    if (inference->ncolumns == 0)
        st = stoa_fail(err, STOA_ERR_DATA, "the inputs are empty: there is nothing to infer from");
out:
    return st;
}

/* Forgets the samples, and opens the inputs to read all of them as text. */
static enum stoa_status start_survey(struct stoa_csv_inference *inference, struct stoa_error *err)
{
    const struct stoa_type text = {.id = STOA_UTF8};
    struct stoa_schema schema = {0};
    struct stoa_csv_source_options options = {
        .csv = *inference->options,
        .schema = &schema,
        .rejects = {.on_error = STOA_CSV_ON_ERROR_SKIP}, /* who reads the rows tells of others */
    };
    enum stoa_status st = STOA_OK;

    for (size_t i = 0; i < inference->ncolumns; i++) {
        stoa_csv_evidence_init(&inference->columns[i]);
        STOA_TRY(stoa_schema_append(&schema, inference->header.names[i], &text, true, err));
    }
    STOA_TRY(stoa_csv_source_open(inference->inputs, &options, &inference->source, err));
out:
    stoa_schema_reset(&schema);
    return st;
}

static enum stoa_status check_inputs(const struct stoa_csv_inputs *inputs, struct stoa_error *err)
{
    for (size_t i = 0; i < inputs->nitems; i++)
        if (inputs->items[i].once)
            return stoa_fail(err, STOA_ERR_USAGE,
                             "%s: full inference reads every input twice, and this one can be read "
                             "only once: save it to a file, or infer from a sample",
                             inputs->items[i].name);
    return STOA_OK;
}

enum stoa_status stoa_csv_inference_new(struct stoa_csv_inputs *inputs,
                                        const struct stoa_csv_options *options,
                                        struct stoa_csv_inference **out, struct stoa_error *err)
{
    const bool full = options->infer == STOA_CSV_INFER_FULL;
    struct stoa_csv_inference *inference = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_csv_options_check(options, err));
    for (uint32_t i = 0; options->types != NULL && i < options->types->nfields; i++)
        STOA_TRY(stoa_csv_column_check(&options->types->fields[i], err));
    if (full)
        STOA_TRY(check_inputs(inputs, err));
    STOA_TRY(stoa_alloc_zeroed(&inference, 1, sizeof(*inference), err));
    inference->options = options;
    inference->inputs = inputs;
    inference->is_certain = true;
    STOA_TRY(stoa_csv_spellings_init(&inference->spellings, options, err));
    STOA_TRY(observe_samples(inference, options->infer == STOA_CSV_INFER_SAMPLE, err));
    if (full)
        STOA_TRY(start_survey(inference, err));
    *out = inference;
    inference = NULL;
out:
    stoa_csv_inference_free(inference);
    return st;
}

bool stoa_csv_inference_is_certain(const struct stoa_csv_inference *inference)
{
    return inference->source != NULL || inference->is_certain;
}

struct stoa_batch_source *stoa_csv_inference_source(struct stoa_csv_inference *inference)
{
    return inference->source;
}

enum stoa_status stoa_csv_inference_observe(const struct stoa_csv_inference *inference,
                                            struct stoa_unit *unit, struct stoa_csv_evidence **out,
                                            struct stoa_error *err)
{
    return stoa_csv_source_observe(inference->source, unit, out, err);
}

void stoa_csv_inference_join(struct stoa_csv_inference *inference,
                             const struct stoa_csv_evidence *columns)
{
    for (size_t i = 0; i < inference->ncolumns; i++)
        stoa_csv_evidence_join(&inference->columns[i], &columns[i]);
}

enum stoa_status stoa_csv_inference_schema(const struct stoa_csv_inference *inference,
                                           struct stoa_schema *out, char **evidence,
                                           struct stoa_error *err)
{
    const struct stoa_csv_inputs *inputs = inference->inputs;
    struct stoa_buffer text = {0};
    const bool full = inference->source != NULL; /* units are numbered by input */
    const size_t nnames = full ? inputs->nitems : inference->nnames;
    const char **names = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&names, nnames, sizeof(*names), err));
    for (size_t i = 0; i < nnames; i++)
        names[i] = full ? inputs->items[i].name : inference->names[i];
    STOA_TRY(make_schema(inference, nnames > 1 ? names : NULL, out, &text, err));
    if (evidence != NULL) {
        *evidence = (char *)text.data;
        text = (struct stoa_buffer){0};
    }
out:
    stoa_buffer_free(&text);
    stoa_free(names);
    return st;
}

void stoa_csv_inference_free(struct stoa_csv_inference *inference)
{
    if (inference == NULL)
        return;
    if (inference->source != NULL)
        inference->source->close(inference->source);
    stoa_free(inference->columns);
    for (size_t i = 0; i < inference->nnames; i++)
        stoa_free(inference->names[i]);
    stoa_free(inference->names);
    stoa_csv_header_reset(&inference->header);
    stoa_free(inference);
}

/* All units, one after the other. */
static enum stoa_status survey(struct stoa_csv_inference *inference, struct stoa_error *err)
{
    struct stoa_batch_source *source = inference->source;
    struct stoa_csv_evidence *columns = NULL;
    struct stoa_unit *unit;
    enum stoa_status st = STOA_OK;

    while (source != NULL) {
        STOA_TRY(source->next(source, &unit, err));
        if (unit == NULL)
            break;
        STOA_TRY(stoa_csv_inference_observe(inference, unit, &columns, err));
        stoa_csv_inference_join(inference, columns);
        stoa_free(columns);
    }
out:
    return st;
}

enum stoa_status stoa_csv_inputs_infer(struct stoa_csv_inputs *inputs,
                                       const struct stoa_csv_options *options,
                                       struct stoa_schema *out, char **evidence,
                                       struct stoa_error *err)
{
    struct stoa_csv_inference *inference = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_csv_inference_new(inputs, options, &inference, err));
    STOA_TRY(survey(inference, err));
    STOA_TRY(stoa_csv_inference_schema(inference, out, evidence, err));
out:
    stoa_csv_inference_free(inference);
    return st;
}

enum stoa_status stoa_csv_infer(const char *const *paths, size_t npaths,
                                const struct stoa_csv_options *options, struct stoa_schema *out,
                                char **evidence, struct stoa_error *err)
{
    const struct stoa_csv_options defaults = {0};
    struct stoa_csv_options found;
    struct stoa_csv_inputs *inputs = NULL;
    enum stoa_status st;

    if (options == NULL)
        options = &defaults;
    STOA_TRY(stoa_csv_inputs_new(paths, npaths, &inputs, err));
    STOA_TRY(stoa_csv_inputs_set_encoding(inputs, options->encoding, err));
    STOA_TRY(stoa_csv_inputs_sniff(inputs, options, NULL, &found, NULL, err));
    STOA_TRY(stoa_csv_inputs_infer(inputs, &found, out, evidence, err));
out:
    stoa_csv_inputs_free(inputs);
    return st;
}
