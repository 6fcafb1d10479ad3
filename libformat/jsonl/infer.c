/*
 * The schema of JSON lines (spec/jsonl.md, section 5): of samples, or of all records.
 *
 * A sample is the head of each text and, of the first and the last input if they are plain files,
 * windows all over: behind its first LF a window has whole lines, for an LF is nothing else.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json_scan.h"
#include "base/text.h"
#include "base/utf8.h"
#include "column/schema.h"
#include "io/archive.h"
#include "jsonl/evidence.h"
#include "jsonl/feed.h"
#include "jsonl/jsonl.h"

#define SAMPLE_NRECORDS   20480
#define SAMPLE_NBYTES     ((size_t)4 << 20)
#define SAMPLE_MIN_NBYTES ((size_t)64 << 10)
#define NWINDOWS          16
#define WINDOW_NBYTES     ((size_t)64 << 10)

struct stoa_jsonl_inference {
    struct stoa_jsonl_inputs *inputs;
    const struct stoa_jsonl_options *options;
    struct stoa_jsonl_observer observer;
    struct stoa_jsonl_evidence *record;
    struct stoa_jsonl_feed feed; /* full */
    bool full;
    bool is_certain;     /* the samples are all there is */
    bool met_other_text; /* when it failed */
};

/* ---- Observing. ---- */

/* The lines of text[0..nbytes), behind which a byte below 0x20 stands and slack. */
static enum stoa_status observe_text(struct stoa_jsonl_observer *observer,
                                     struct stoa_jsonl_evidence *record, const char *text,
                                     size_t nbytes, struct stoa_error *err)
{
    const bool is_utf8 = stoa_utf8_valid_prefix((const uint8_t *)text, nbytes) == nbytes;
    const char *at = text, *end = text + nbytes;
    enum stoa_status st = STOA_OK;

    while (st == STOA_OK && at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        const size_t nline = (size_t)((line_end != NULL ? line_end : end) - at);

        if (is_utf8 || stoa_utf8_valid_prefix((const uint8_t *)at, nline) == nline)
            st = stoa_jsonl_observe(observer, record, stoa_json_blanks(at), err);
        at += nline + 1;
    }
    return st;
}

enum stoa_status stoa_jsonl_inference_observe(struct stoa_unit *base,
                                              struct stoa_jsonl_evidence **out,
                                              struct stoa_error *err)
{
    const struct stoa_jsonl_unit *unit = (const struct stoa_jsonl_unit *)base;
    struct stoa_jsonl_observer observer = {0};
    struct stoa_jsonl_evidence *record = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_jsonl_evidence_new(&record, err));
    if (unit->text.large_nbytes == 0)
        STOA_TRY(observe_text(&observer, record, unit->text.text, unit->text.nbytes, err));
    *out = record;
    record = NULL;
out:
    stoa_buffer_free(&observer.scratch);
    stoa_jsonl_evidence_free(record);
    base->free(base);
    return st;
}

/* ---- Samples. ---- */

/* One window of a file, without the line that it begins in. */
static enum stoa_status observe_window(struct stoa_jsonl_inference *inference,
                                       struct stoa_source *file, uint64_t offset, char *text,
                                       struct stoa_error *err)
{
    const uint64_t rest = file->nbytes - offset;
    const size_t nbytes = rest < WINDOW_NBYTES ? (size_t)rest : WINDOW_NBYTES;
    const char *first, *last;
    enum stoa_status st;

    STOA_TRY(file->read_at(file, offset, text, nbytes, err));
    first = memchr(text, '\n', nbytes);
    last = memrchr(text, '\n', nbytes);
    if (first != NULL && last > first)
        STOA_TRY(observe_text(&inference->observer, inference->record, first + 1,
                              (size_t)(last - first), err));
out:
    return st;
}

/* Windows all over a file whose bytes are the text: it begins with `head`. */
static enum stoa_status observe_windows(struct stoa_jsonl_inference *inference,
                                        const struct stoa_jsonl_input *input,
                                        const struct stoa_jsonl_text *head, struct stoa_error *err)
{
    struct stoa_source *file = NULL;
    char *text = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_source_open_file(input->path, &file, err));
    STOA_TRY(stoa_alloc_zeroed(&text, 1, WINDOW_NBYTES + STOA_JSONL_SLACK, err));
    if (file->nbytes < head->offset + head->nbytes + WINDOW_NBYTES)
        goto out;
    STOA_TRY(
        file->read_at(file, head->offset, text, head->nbytes < 4096 ? head->nbytes : 4096, err));
    if (memcmp(text, head->text, head->nbytes < 4096 ? head->nbytes : 4096) != 0)
        goto out; /* it is compressed */
    for (unsigned i = 1; i <= NWINDOWS; i++) {
        const uint64_t room = file->nbytes - head->nbytes - WINDOW_NBYTES;

        STOA_TRY(observe_window(inference, file, head->nbytes + room / NWINDOWS * i, text, err));
    }
out:
    stoa_free(text);
    stoa_source_close(file);
    return st;
}

/* The head of a text; *whole: there is nothing else. */
static enum stoa_status observe_head(struct stoa_jsonl_inference *inference,
                                     struct stoa_stream *stream, size_t want_nbytes,
                                     struct stoa_jsonl_text *head, bool *whole,
                                     struct stoa_error *err)
{
    struct stoa_jsonl_cutter cutter;
    struct stoa_jsonl_text text = {0};
    enum stoa_status st;

    stoa_jsonl_cutter_init(&cutter, stream, SAMPLE_NRECORDS, want_nbytes,
                           inference->options->max_record_nbytes);
    cutter.passes_large = true;
    STOA_TRY(stoa_jsonl_cutter_next(&cutter, &text, err));
    *whole = cutter.ended && cutter.buffer.nbytes == 0 && text.large_nbytes == 0;
    if (text.text != NULL && text.large_nbytes == 0)
        STOA_TRY(
            observe_text(&inference->observer, inference->record, text.text, text.nbytes, err));
    *head = text;
    text.text = NULL;
out:
    stoa_free(text.text);
    stoa_jsonl_cutter_reset(&cutter);
    return st;
}

/* Samples of the texts of an input: of an archive all of them while that costs little. */
static enum stoa_status observe_input(struct stoa_jsonl_inference *inference,
                                      struct stoa_jsonl_input *input, size_t want_nbytes,
                                      bool windows, struct stoa_error *err)
{
    struct stoa_jsonl_texts texts = {.inputs = inference->inputs, .input = input};
    struct stoa_stream *stream = NULL;
    struct stoa_jsonl_text head = {0};
    uint64_t total = 0;
    bool whole = true;
    enum stoa_status st;

    for (unsigned n = 0;; n++) {
        const bool has_directory =
            texts.members == NULL || input->ntexts > 0 || stoa_members_has_directory(texts.members);

        if (n > 0 && ((!whole && !has_directory) || total >= SAMPLE_NBYTES)) {
            inference->is_certain = false;
            break;
        }
        STOA_TRY(stoa_jsonl_texts_next(&texts, &stream, err));
        if (stream == NULL)
            break;
        STOA_TRY(observe_head(inference, stream, n == 0 ? want_nbytes : SAMPLE_MIN_NBYTES, &head,
                              &whole, err));
        stoa_stream_close(stream);
        stream = NULL;
        inference->is_certain &= whole;
        total += head.nbytes;
        if (n == 0 && windows && !whole && head.text != NULL && input->ntexts == 0 &&
            !input->once && head.large_nbytes == 0)
            STOA_TRY(observe_windows(inference, input, &head, err));
        stoa_free(head.text);
        head.text = NULL;
        if (texts.members != NULL && !stoa_members_is_archive(texts.members))
            break;
    }
out:
    stoa_free(head.text);
    stoa_stream_close(stream);
    stoa_jsonl_texts_close(&texts);
    return st;
}

static enum stoa_status observe_samples(struct stoa_jsonl_inference *inference,
                                        struct stoa_error *err)
{
    struct stoa_jsonl_inputs *inputs = inference->inputs;
    size_t want_nbytes = SAMPLE_NBYTES / (inputs->nitems > 0 ? inputs->nitems : 1);
    enum stoa_status st = STOA_OK;

    if (want_nbytes < SAMPLE_MIN_NBYTES)
        want_nbytes = SAMPLE_MIN_NBYTES;
    for (size_t i = 0; i < inputs->nitems; i++)
        STOA_TRY(observe_input(inference, &inputs->items[i], want_nbytes,
                               i == 0 || i == inputs->nitems - 1, err));
out:
    return st;
}

/* ---- Steps. ---- */

enum stoa_status stoa_jsonl_inference_new(struct stoa_jsonl_inputs *inputs,
                                          const struct stoa_jsonl_options *options, bool full,
                                          struct stoa_jsonl_inference **out, struct stoa_error *err)
{
    const struct stoa_jsonl_feed_options feed = {.max_record_nbytes = options->max_record_nbytes,
                                                 .passes_large = true};
    struct stoa_jsonl_inference *inference = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&inference, 1, sizeof(*inference), err));
    stoa_jsonl_feed_init(&inference->feed, inputs, &feed);
    inference->inputs = inputs;
    inference->options = options;
    inference->full = full;
    inference->is_certain = true;
    STOA_TRY(stoa_jsonl_evidence_new(&inference->record, err));
    inference->record->is_record = true;
    if (!full)
        STOA_TRY(observe_samples(inference, err));
    *out = inference;
    inference = NULL;
out:
    stoa_jsonl_inference_free(inference);
    return st;
}

bool stoa_jsonl_inference_is_certain(const struct stoa_jsonl_inference *inference)
{
    return inference->is_certain;
}

enum stoa_status stoa_jsonl_inference_next(struct stoa_jsonl_inference *inference,
                                           struct stoa_unit **out, struct stoa_error *err)
{
    return stoa_jsonl_feed_next(&inference->feed, out, err);
}

enum stoa_status stoa_jsonl_inference_join(struct stoa_jsonl_inference *inference,
                                           struct stoa_jsonl_evidence *evidence,
                                           struct stoa_error *err)
{
    return stoa_jsonl_evidence_join(inference->record, evidence, err);
}

void stoa_jsonl_inference_free(struct stoa_jsonl_inference *inference)
{
    if (inference == NULL)
        return;
    stoa_jsonl_feed_reset(&inference->feed);
    stoa_jsonl_evidence_free(inference->record);
    stoa_buffer_free(&inference->observer.scratch);
    stoa_free(inference);
}

/* ---- The schema. ---- */

/* Replaces the types of columns that the options give. */
static enum stoa_status take_types(const struct stoa_schema *types, struct stoa_schema *schema,
                                   struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 0; types != NULL && i < types->nfields; i++) {
        const char *name = types->fields[i].name;
        struct stoa_field copy;
        uint32_t found = 0;

        if (stoa_fields_find(schema->fields, schema->nfields, name, &found) == 0 ||
            strcmp(schema->fields[found].name, name) != 0)
            return stoa_fields_fail(schema->fields, schema->nfields, name, 0, "column", err);
        STOA_TRY(stoa_field_copy(&copy, &types->fields[i], err));
        stoa_field_reset(&schema->fields[found]);
        schema->fields[found] = copy;
    }
out:
    return st;
}

static enum stoa_status add_filename(const char *name, struct stoa_schema *schema,
                                     struct stoa_error *err)
{
    const struct stoa_type text = {.id = STOA_UTF8};

    return name != NULL ? stoa_schema_add(schema, name, &text, false, err) : STOA_OK;
}

/* What was seen of a column, in words. */
static const char *reason_of(const struct stoa_jsonl_evidence *column,
                             const struct stoa_field *field, bool is_given)
{
    const uint32_t seen = column->seen & ~(uint32_t)STOA_JSONL_SAW_NULL;

    if (is_given)
        return "the options";
    if (seen == 0)
        return "no value";
    if ((seen & (seen - 1)) != 0)
        return "values of several kinds";
    return stoa_metadata_get(&field->metadata, STOA_METADATA_JSON_TEXT) != NULL
               ? "no type holds every value"
               : "every value";
}

static enum stoa_status print_evidence(const struct stoa_jsonl_inference *inference,
                                       const struct stoa_schema *schema, struct stoa_buffer *out,
                                       struct stoa_error *err)
{
    const struct stoa_jsonl_evidence *record = inference->record;
    const char *where = inference->full || inference->is_certain ? "" : " of the sample";
    enum stoa_status st;

    STOA_TRY(stoa_buffer_append(out, "[", 1, err));
    for (size_t i = 0; i < record->nchildren; i++) {
        const struct stoa_jsonl_evidence *column = record->children[i];
        const struct stoa_schema *types = inference->options->types;
        uint32_t found;
        const bool is_given = inference->options->infer == STOA_JSONL_INFER_NONE ||
                              (types != NULL && stoa_fields_find(types->fields, types->nfields,
                                                                 column->name, &found) == 1);
        char text[160];

        STOA_TRY(
            stoa_buffer_append(out, i > 0 ? ", {\"name\": " : "{\"name\": ", i > 0 ? 11 : 9, err));
        STOA_TRY(stoa_json_append_string(out, column->name, strlen(column->name), err));
        snprintf(text, sizeof(text),
                 ", \"rows\": %" PRIu64 ", \"nulls\": %" PRIu64 ", \"decided_by\": \"%s%s\"}",
                 record->nvalues, record->nvalues - (column->nvalues - column->nnulls),
                 reason_of(column, &schema->fields[i], is_given), is_given ? "" : where);
        STOA_TRY(stoa_buffer_append(out, text, strlen(text), err));
    }
    STOA_TRY(stoa_buffer_append(out, "]", 2, err)); /* with its terminator */
out:
    return st;
}

/* No line tells of a column: what is wrong with the first bad one, or that there is no key. */
static enum stoa_status fail_without_columns(struct stoa_jsonl_inference *inference,
                                             struct stoa_error *err)
{
    char name[] = "\x01"; /* which no key is, as it must be escaped: all keys are passed over */
    struct stoa_field field = {.name = name, .type = {.id = STOA_UTF8}, .nullable = true};
    const struct stoa_schema schema = {.fields = &field, .nfields = 1};
    const uint32_t column = 0;
    const struct stoa_jsonl_source_options options = {
        .jsonl.max_record_nbytes = inference->options->max_record_nbytes,
        .schema = &schema,
        .columns = &column,
        .ncolumns = 1,
        .inferred = true,
    };
    struct stoa_batch_source *source = NULL;
    struct stoa_unit *unit;
    enum stoa_status st;

    STOA_TRY(stoa_jsonl_source_open(inference->inputs, &options, &source, err));
    for (;;) {
        struct stoa_batch batch = {0};
        struct stoa_notes *notes = NULL;

        STOA_TRY(source->next(source, &unit, err));
        if (unit == NULL)
            break;
        st = source->read(source, unit, &batch, &notes, err);
        inference->met_other_text = st == STOA_ERR_DATA;
        if (st != STOA_OK)
            goto out;
        stoa_batch_reset(&batch);
    }
    st = stoa_fail(err, STOA_ERR_DATA, "%s: no object with a key: there are no columns",
                   inference->inputs->nitems > 0 ? inference->inputs->items[0].name : "");
out:
    if (source != NULL)
        source->close(source);
    return st;
}

enum stoa_status stoa_jsonl_inference_schema(struct stoa_jsonl_inference *inference,
                                             struct stoa_schema *out, char **evidence,
                                             struct stoa_error *err)
{
    const struct stoa_jsonl_options *options = inference->options;
    struct stoa_schema schema = {0};
    struct stoa_buffer text = {0};
    enum stoa_status st;

    if (inference->record->nchildren == 0)
        return fail_without_columns(inference, err);
    STOA_TRY(stoa_jsonl_evidence_schema(inference->record, options->infer == STOA_JSONL_INFER_NONE,
                                        &schema, err));
    STOA_TRY(take_types(options->types, &schema, err));
    if (evidence != NULL)
        STOA_TRY(print_evidence(inference, &schema, &text, err));
    STOA_TRY(add_filename(options->filename, &schema, err));
    *out = schema;
    schema = (struct stoa_schema){0};
    if (evidence != NULL)
        *evidence = (char *)text.data;
    text = (struct stoa_buffer){0};
out:
    stoa_buffer_free(&text);
    stoa_schema_reset(&schema);
    return st;
}

bool stoa_jsonl_inference_met_other_text(const struct stoa_jsonl_inference *inference)
{
    return inference->met_other_text;
}

/* All units, one after the other. */
static enum stoa_status survey(struct stoa_jsonl_inference *inference, struct stoa_error *err)
{
    struct stoa_jsonl_evidence *evidence = NULL;
    struct stoa_unit *unit;
    enum stoa_status st;

    for (;;) {
        STOA_TRY(stoa_jsonl_inference_next(inference, &unit, err));
        if (unit == NULL)
            break;
        STOA_TRY(stoa_jsonl_inference_observe(unit, &evidence, err));
        STOA_TRY(stoa_jsonl_inference_join(inference, evidence, err));
        stoa_jsonl_evidence_free(evidence);
        evidence = NULL;
    }
out:
    stoa_jsonl_evidence_free(evidence);
    return st;
}

enum stoa_status stoa_jsonl_infer(const char *const *paths, size_t npaths,
                                  const struct stoa_jsonl_options *options, struct stoa_schema *out,
                                  char **evidence, struct stoa_error *err)
{
    const struct stoa_jsonl_options defaults = {0};
    struct stoa_jsonl_inference *inference = NULL;
    struct stoa_jsonl_inputs *inputs = NULL;
    enum stoa_status st;

    if (options == NULL)
        options = &defaults;
    STOA_TRY(stoa_jsonl_inputs_new(paths, npaths, &inputs, err));
    STOA_TRY(stoa_jsonl_inference_new(inputs, options, options->infer != STOA_JSONL_INFER_SAMPLE,
                                      &inference, err));
    if (options->infer != STOA_JSONL_INFER_SAMPLE)
        STOA_TRY(survey(inference, err));
    STOA_TRY(stoa_jsonl_inference_schema(inference, out, evidence, err));
out:
    stoa_jsonl_inference_free(inference);
    stoa_jsonl_inputs_free(inputs);
    return st;
}
