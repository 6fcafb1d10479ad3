/*
 * CSV inputs as a source of batches (spec/csv.md).
 *
 *     input 0  cutter -> unit, unit, ...            next(): units of the first open input
 *     input 1  cutter -> ready unit                 prefetch(): one unit ahead for each of the
 *     input 2  cutter -> ready unit                 first few inputs, as far as memory allows
 *     ...
 *
 * Cutting is the part that must be done in order inside one input (decompression, quotes); reading
 * a unit, where the time goes, is not. An input is cut by one thread at a time: its `busy` flag
 * stands for the right to touch its cutter, the mutex guards the flags.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/error.h"
#include "csv/csv_table.h"
#include "csv/cut.h"
#include "csv/field.h"

#define WINDOW_NINPUTS 4 /* inputs that are open at a time */
#define HEAD_NBYTES    ((size_t)64 << 10)

/* One input on its way through its cutter. */
struct feed {
    /* Whoever made the feed busy: */
    struct stoa_csv_input *input;
    struct stoa_stream *stream; /* NULL: not open yet, or closed again */
    struct stoa_csv_cutter cutter;

    /* The mutex: */
    bool busy;                  /* a thread is cutting */
    unsigned nahead;            /* threads that decode ahead of it; they keep `stream` open */
    bool ended;                 /* nothing more will come: `ready` is the last, or there is `err` */
    struct stoa_csv_text ready; /* a unit that next() has not taken yet; text NULL: none */
    enum stoa_status status;
    struct stoa_error err;

    atomic_uint_fast64_t consumed_nbytes;
};

struct csv_source {
    struct stoa_batch_source base;
    struct stoa_csv_options options;
    struct stoa_csv_dialect dialect;
    struct stoa_csv_header header; /* names that every input must have */
    struct stoa_schema schema;     /* of the batches */
    struct column *columns;        /* one for each column of the text */
    bool inferred;
    uint64_t unit_nbytes; /* text of a unit at the most */
    uint64_t prefetch_nbytes;
    uint64_t total_nbytes;

    pthread_mutex_t mutex;
    pthread_cond_t changed; /* some feed is not busy any more */
    struct feed *feeds;
    size_t nfeeds;
    size_t first;          /* the input that next() takes units of */
    uint64_t ready_nbytes; /* text of ready units, unit_nbytes for one that is being cut */
};

/* How a column of the text is read. */
struct column {
    const struct stoa_csv_parser *parser;
    uint32_t slot; /* column of the batch, or UINT32_MAX: not wanted */
};

struct csv_unit {
    struct stoa_unit base;
    const struct feed *feed;
    struct stoa_csv_text text;
};

static struct csv_source *source_of(struct stoa_batch_source *source)
{
    return (struct csv_source *)source; /* base is the first member */
}

static void unit_free(struct stoa_unit *unit)
{
    stoa_free(((struct csv_unit *)unit)->text.text);
    stoa_free(unit);
}

/* Holds the columns of an input against those of the table. */
static enum stoa_status check_header(struct csv_source *source, const struct feed *feed,
                                     const struct stoa_csv_head *head, struct stoa_error *err)
{
    uint32_t *columns = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_csv_header_meet(&source->header, head, &source->options, feed->input->name, false,
                                  &columns, err));
    for (uint32_t i = 0; i < source->header.ncolumns; i++) {
        if (i < head->ncolumns && columns[i] == i)
            continue;
        st = stoa_fail(err, STOA_ERR_DATA,
                       "line %" PRIu64 ": the columns of %s come in another number or order",
                       head->line, source->header.origin);
        goto out;
    }
out:
    stoa_free(columns);
    return st;
}

/* Reads what stands in front of the records of an input, and passes over it. */
static enum stoa_status read_head(struct csv_source *source, struct feed *feed,
                                  struct stoa_error *err)
{
    const uint64_t max_record_nbytes = stoa_csv_max_record_nbytes(&source->options);
    struct stoa_csv_head head = {0};
    size_t want_nbytes = HEAD_NBYTES;
    bool complete = false;
    enum stoa_status st;

    while (!complete) {
        const char *text;
        size_t nbytes;
        bool whole;

        st = stoa_csv_cutter_look(&feed->cutter, want_nbytes, &text, &nbytes, &whole, err);
        if (st != STOA_OK)
            return st; /* names the input already */
        STOA_TRY(stoa_csv_head_read(&source->options, text, nbytes, whole, &head, &complete, err));
        if (!complete && nbytes / 2 > max_record_nbytes)
            return stoa_csv_fail_too_large(err, feed->input->name, 1, 0, max_record_nbytes);
        want_nbytes = 2 * nbytes;
    }
    if (stoa_csv_header_nrecords(&source->options) > 0) {
        if (head.ncolumns == 0) {
            st = stoa_fail(err, STOA_ERR_DATA, "empty: there is no header line");
            goto out;
        }
        STOA_TRY(check_header(source, feed, &head, err));
    }
    stoa_csv_cutter_skip(&feed->cutter, head.nbytes, head.nlines);
out:
    stoa_csv_head_reset(&head);
    return st == STOA_OK ? st : stoa_wrap(err, st, "%s", feed->input->name);
}

/* Opens the input and takes its header off. */
static enum stoa_status feed_open(struct csv_source *source, struct feed *feed,
                                  struct stoa_error *err)
{
    struct stoa_buffer head = {0};
    struct stoa_stream *stream;
    enum stoa_status st;

    STOA_TRY(stoa_csv_input_open(feed->input, &stream, &head, err));
    stream->ahead_nbytes = source->prefetch_nbytes;
    stoa_csv_cutter_init(&feed->cutter, stream, &source->options, &head);
    pthread_mutex_lock(&source->mutex);
    feed->stream = stream;
    pthread_mutex_unlock(&source->mutex);
    STOA_TRY(read_head(source, feed, err));
out:
    return st;
}

static void feed_close(struct csv_source *source, struct feed *feed)
{
    struct stoa_stream *stream = feed->stream;

    if (stream == NULL)
        return;
    pthread_mutex_lock(&source->mutex);
    feed->stream = NULL;
    while (feed->nahead > 0)
        pthread_cond_wait(&source->changed, &source->mutex);
    pthread_mutex_unlock(&source->mutex);
    stoa_csv_cutter_reset(&feed->cutter);
    stoa_stream_close(stream);
}

/* Cuts the next unit, or none at the end; the caller made the feed busy. */
static enum stoa_status feed_cut(struct csv_source *source, struct feed *feed,
                                 struct stoa_csv_text *out, struct stoa_error *err)
{
    enum stoa_status st;

    if (feed->stream == NULL)
        STOA_TRY(feed_open(source, feed, err));
    STOA_TRY(stoa_csv_cutter_next(&feed->cutter, 0, out, err));
out:
    if (feed->stream != NULL)
        atomic_store(&feed->consumed_nbytes, feed->stream->consumed_nbytes);
    if (st != STOA_OK || out->text == NULL)
        feed_close(source, feed);
    return st;
}

/* Makes the next unit ready, outside of the mutex, which the caller holds before and after. */
static void make_ready(struct csv_source *source, struct feed *feed)
{
    struct stoa_csv_text text = {0};
    struct stoa_error err = {0};
    enum stoa_status st;

    feed->busy = true;
    source->ready_nbytes += source->unit_nbytes;
    pthread_mutex_unlock(&source->mutex);
    st = feed_cut(source, feed, &text, &err);
    pthread_mutex_lock(&source->mutex);
    source->ready_nbytes -= source->unit_nbytes;
    source->ready_nbytes += text.nbytes;
    feed->ready = text;
    feed->status = st;
    feed->err = err;
    feed->ended = text.text == NULL;
    feed->busy = false;
    pthread_cond_broadcast(&source->changed);
}

/* Decodes ahead in the input that next() takes units of; the mutex is held before and after. */
static bool decode_ahead(struct csv_source *source)
{
    struct feed *feed = source->first < source->nfeeds ? &source->feeds[source->first] : NULL;
    struct stoa_stream *stream = feed != NULL ? feed->stream : NULL;
    bool did;

    if (stream == NULL || stream->prefetch == NULL)
        return false;
    feed->nahead++;
    pthread_mutex_unlock(&source->mutex);
    did = stream->prefetch(stream);
    pthread_mutex_lock(&source->mutex);
    feed->nahead--;
    pthread_cond_broadcast(&source->changed);
    return did;
}

static enum stoa_status source_next(struct stoa_batch_source *base, struct stoa_unit **out,
                                    struct stoa_error *err)
{
    struct csv_source *source = source_of(base);
    struct csv_unit *unit = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&unit, 1, sizeof(*unit), err));
    pthread_mutex_lock(&source->mutex);
    while (source->first < source->nfeeds) {
        struct feed *feed = &source->feeds[source->first];

        if (feed->busy) {
            if (!decode_ahead(source))
                pthread_cond_wait(&source->changed, &source->mutex);
        } else if (feed->ready.text != NULL) {
            unit->base = (struct stoa_unit){
                .free = unit_free,
                .nbytes = feed->ready.nbytes,
                .nrows = feed->ready.nrecords,
            };
            unit->feed = feed;
            unit->text = feed->ready;
            source->ready_nbytes -= feed->ready.nbytes;
            feed->ready = (struct stoa_csv_text){0};
            break;
        } else if (feed->status != STOA_OK) {
            st = feed->status;
            if (err != NULL)
                *err = feed->err;
            break;
        } else if (feed->ended) {
            source->first++;
        } else {
            make_ready(source, feed);
        }
    }
    pthread_mutex_unlock(&source->mutex);
    if (st != STOA_OK)
        goto out;
    *out = unit->text.text != NULL ? &unit->base : NULL;
    if (*out != NULL)
        unit = NULL;
out:
    stoa_free(unit);
    return st;
}

static bool source_prefetch(struct stoa_batch_source *base)
{
    struct csv_source *source = source_of(base);
    bool did;

    pthread_mutex_lock(&source->mutex);
    did = decode_ahead(source);
    for (size_t i = source->first; !did && i < source->nfeeds && i < source->first + WINDOW_NINPUTS;
         i++) {
        struct feed *feed = &source->feeds[i];

        if (source->ready_nbytes + source->unit_nbytes > source->prefetch_nbytes)
            break;
        if (feed->busy || feed->ended || feed->ready.text != NULL)
            continue;
        make_ready(source, feed);
        did = true;
        break;
    }
    pthread_mutex_unlock(&source->mutex);
    return did;
}

/* "a.csv: line 7, column 3 (fare): "12x" is not int32", and what would help. */
static enum stoa_status fail_value(const struct csv_source *source, size_t column,
                                   const struct stoa_csv_field *field,
                                   enum stoa_csv_outcome outcome, uint64_t line, uint64_t offset,
                                   struct stoa_error *err)
{
    const struct stoa_field *target = &source->schema.fields[source->columns[column].slot];
    char name[80], value[224];
    char *type = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_type_print(target, &type, err));
    stoa_quote(name, sizeof(name), target->name, strlen(target->name));
    stoa_quote(value, sizeof(value), field->text, field->nbytes);
    if (outcome == STOA_CSV_NULL)
        st = stoa_fail_at(err, STOA_ERR_DATA, offset,
                          "line %" PRIu64 ", column %zu (%s): no value, and the schema says that "
                          "it is not nullable",
                          line, column + 1, name);
    else if (outcome == STOA_CSV_NOT_UTF8)
        st = stoa_fail_at(err, STOA_ERR_DATA, offset,
                          "line %" PRIu64 ", column %zu (%s): \"%s\" is not UTF-8", line,
                          column + 1, name, value);
    else
        st = stoa_fail_at(err, STOA_ERR_DATA, offset,
                          "line %" PRIu64 ", column %zu (%s): \"%s\" is not %s%s", line, column + 1,
                          name, value, type,
                          source->inferred ? "; a schema can give the column another type" : "");
out:
    stoa_free(type);
    return st;
}

/* Appends the fields of one record to the builders. */
static enum stoa_status append_row(const struct csv_source *source,
                                   const struct stoa_csv_record *record,
                                   const struct stoa_csv_text *text, uint64_t line,
                                   struct stoa_builder *builders, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (size_t i = 0; i < record->nfields; i++) {
        const struct stoa_csv_field *field = &record->fields[i];
        const struct column *column = &source->columns[i];
        const struct stoa_field *target;
        struct stoa_builder *builder;
        enum stoa_csv_outcome outcome;

        if (column->slot == UINT32_MAX)
            continue;
        target = &source->schema.fields[column->slot];
        builder = &builders[column->slot];
        STOA_TRY(stoa_builder_reserve(builder, 1, field->nbytes, err));
        outcome =
            stoa_csv_field_append(column->parser, &target->type, field, source->inferred, builder);
        if (outcome == STOA_CSV_VALUE)
            continue;
        if (outcome != STOA_CSV_NULL || !target->nullable)
            return fail_value(source, i, field, outcome, line,
                              text->offset + (uint64_t)(field->text - text->text), err);
        stoa_builder_append_null(builder);
    }
out:
    return st;
}

static enum stoa_status read_rows(const struct csv_source *source, const struct stoa_csv_text *text,
                                  struct stoa_builder *builders, size_t *nrows,
                                  struct stoa_error *err)
{
    const char *at = text->text, *end = at + text->nbytes;
    const size_t ncolumns = source->header.ncolumns;
    struct stoa_csv_record record = {0};
    uint64_t line = text->line;
    enum stoa_status st = STOA_OK;

    while (at < end) {
        uint64_t offset = text->offset + (uint64_t)(at - text->text);

        STOA_TRY(stoa_csv_record_split(&record, at, end, &source->dialect, err));
        STOA_TRY(stoa_csv_record_check(&record, line, offset, err));
        if (!stoa_csv_record_is_blank(&record, ncolumns)) {
            STOA_TRY(stoa_csv_record_check_width(&record, ncolumns, line, offset, err));
            STOA_TRY(append_row(source, &record, text, line, builders, err));
            ++*nrows;
        }
        line += record.nlines;
        at = record.next;
    }
out:
    stoa_csv_record_free(&record);
    return st;
}

static enum stoa_status source_read(struct stoa_batch_source *base, struct stoa_unit *unit_base,
                                    struct stoa_batch *out, struct stoa_notes **notes,
                                    struct stoa_error *err)
{
    const struct csv_source *source = source_of(base);
    struct csv_unit *unit = (struct csv_unit *)unit_base;
    const uint32_t ncolumns = source->schema.nfields;
    struct stoa_builder *builders = NULL;
    struct stoa_batch batch = {0};
    size_t nrows = 0;
    enum stoa_status st;

    (void)notes;
    STOA_TRY(stoa_batch_init(&batch, &source->schema, err));
    STOA_TRY(stoa_alloc_zeroed(&builders, ncolumns, sizeof(*builders), err));
    for (uint32_t i = 0; i < ncolumns; i++)
        STOA_TRY(stoa_builder_init(&builders[i], &source->schema.fields[i].type,
                                   (size_t)unit->text.nrecords, err));
    st = read_rows(source, &unit->text, builders, &nrows, err);
    if (st != STOA_OK) {
        stoa_wrap(err, st, "%s", unit->feed->input->name);
        goto out;
    }
    for (uint32_t i = 0; i < ncolumns; i++)
        stoa_builder_finish(&builders[i], &batch.columns[i]);
    batch.nrows = nrows;
    *out = batch;
    batch = (struct stoa_batch){0};
out:
    for (uint32_t i = 0; builders != NULL && i < ncolumns; i++)
        stoa_builder_reset(&builders[i]);
    stoa_free(builders);
    stoa_batch_reset(&batch);
    unit_free(unit_base);
    return st;
}

static void source_progress(struct stoa_batch_source *base, uint64_t *done, uint64_t *total)
{
    struct csv_source *source = source_of(base);

    *done = 0;
    for (size_t i = 0; i < source->nfeeds; i++)
        *done += atomic_load(&source->feeds[i].consumed_nbytes);
    *total = source->total_nbytes;
}

static void source_close(struct stoa_batch_source *base)
{
    struct csv_source *source = source_of(base);

    for (size_t i = 0; i < source->nfeeds; i++) {
        stoa_free(source->feeds[i].ready.text);
        feed_close(source, &source->feeds[i]);
    }
    stoa_free(source->feeds);
    stoa_free(source->columns);
    stoa_csv_header_reset(&source->header);
    stoa_schema_reset(&source->schema);
    pthread_mutex_destroy(&source->mutex);
    pthread_cond_destroy(&source->changed);
    stoa_free(source);
}

/* Which columns of the text go where, and how they are read. */
static enum stoa_status map_columns(struct csv_source *source,
                                    const struct stoa_csv_source_options *options,
                                    struct stoa_error *err)
{
    const struct stoa_schema *schema = options->schema;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&source->columns, schema->nfields, sizeof(*source->columns), err));
    for (uint32_t i = 0; i < schema->nfields; i++)
        source->columns[i].slot = options->columns == NULL ? i : UINT32_MAX;
    for (uint32_t k = 0; options->columns != NULL && k < options->ncolumns; k++)
        source->columns[options->columns[k]].slot = k;
    for (uint32_t i = 0; i < schema->nfields; i++) {
        if (source->columns[i].slot == UINT32_MAX)
            continue;
        STOA_TRY(stoa_csv_column_check(&schema->fields[i], err));
        source->columns[i].parser = stoa_csv_parser_find(&schema->fields[i].type);
    }
out:
    return st;
}

enum stoa_status stoa_csv_source_open(struct stoa_csv_inputs *inputs,
                                      const struct stoa_csv_source_options *options,
                                      struct stoa_batch_source **out, struct stoa_error *err)
{
    struct csv_source *source = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&source, 1, sizeof(*source), err));
    pthread_mutex_init(&source->mutex, NULL);
    pthread_cond_init(&source->changed, NULL);
    source->base = (struct stoa_batch_source){
        .schema = &source->schema,
        .next = source_next,
        .prefetch = source_prefetch,
        .read = source_read,
        .progress = source_progress,
        .close = source_close,
    };
    source->options = options->csv;
    source->inferred = options->inferred;
    source->unit_nbytes =
        options->csv.unit_nbytes != 0 ? options->csv.unit_nbytes : STOA_CSV_UNIT_NBYTES;
    source->prefetch_nbytes = options->prefetch_nbytes;
    source->total_nbytes = inputs->all_regular ? inputs->total_nbytes : 0;
    STOA_TRY(stoa_csv_options_check(&source->options, err));
    stoa_csv_dialect_init(&source->dialect, &source->options);
    STOA_TRY(stoa_csv_header_take(&source->header, options->schema, err));
    STOA_TRY(map_columns(source, options, err));
    if (options->columns == NULL)
        STOA_TRY(stoa_schema_copy(&source->schema, options->schema, err));
    else
        STOA_TRY(stoa_schema_select(&source->schema, options->schema, options->columns,
                                    options->ncolumns, err));
    STOA_TRY(stoa_alloc_zeroed(&source->feeds, inputs->nitems, sizeof(*source->feeds), err));
    source->nfeeds = inputs->nitems;
    for (size_t i = 0; i < source->nfeeds; i++)
        source->feeds[i].input = &inputs->items[i];
    *out = &source->base;
    source = NULL;
out:
    if (source != NULL)
        source_close(&source->base);
    return st;
}
