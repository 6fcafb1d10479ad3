/*
 * The inputs of a CSV source on their way through their cutters (spec/csv.md, "Units").
 *
 *     input 0  cutter -> unit, unit, ...            next(): units of the first open input
 *     input 1  cutter -> ready unit                 prefetch(): one unit ahead for each of the
 *     input 2  cutter -> ready unit                 first few inputs, as far as memory allows
 *     ...
 *
 * Cutting is the part that must be done in order inside one input (decompression, quotes). An input
 * is cut by one thread at a time: its `busy` flag stands for the right to touch its cutter, the
 * mutex guards the flags.
 */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "csv/csv_source.h"
#include "io/io_name.h"

#define WINDOW_NINPUTS 4 /* inputs that are open at a time */
#define HEAD_NBYTES    ((size_t)64 << 10)

struct stoa_csv_source_text *stoa_csv_source_text_share(struct stoa_csv_source_text *origin)
{
    atomic_fetch_add(&origin->nusers, 1);
    return origin;
}

void stoa_csv_source_text_drop(struct stoa_csv_source_text *origin)
{
    if (origin == NULL || atomic_fetch_sub(&origin->nusers, 1) > 1)
        return;
    stoa_free(origin->layout.places);
    stoa_free(origin->layout.columns);
    stoa_free(origin->layout.filename);
    stoa_csv_origin_reset(&origin->text);
    stoa_free(origin);
}

/* The memory of a text serves the next one. */
static void give_back(struct stoa_csv_source *source, const struct stoa_csv_text *text)
{
    const struct stoa_buffer block = {(uint8_t *)text->text, text->nwritten, text->capacity};
    uint64_t ready_nbytes;

    pthread_mutex_lock(&source->mutex);
    ready_nbytes = source->ready_nbytes;
    pthread_mutex_unlock(&source->mutex);
    stoa_csv_spares_give(&source->spares, block, ready_nbytes);
}

void stoa_csv_source_unit_free(struct stoa_unit *base)
{
    struct stoa_csv_source_unit *unit = (struct stoa_csv_source_unit *)base;

    give_back(unit->source, &unit->text);
    stoa_csv_source_text_drop(unit->origin);
    stoa_free(unit);
}

/* Without a header the columns of the input are those of the table. */
static void place_all(const struct stoa_csv_source *source, struct stoa_csv_layout *layout)
{
    const uint32_t ncolumns = (uint32_t)source->header.ncolumns;

    for (uint32_t i = 0; i < ncolumns; i++)
        if (source->slots[i] != STOA_CSV_NO_FIELD)
            layout->places[source->slots[i]] = i;
    layout->ncolumns = ncolumns;
}

/* Finds the columns of the table in the input by name; those that it does not have are null. */
static enum stoa_status place_by_name(struct stoa_csv_source *source, const char *input_name,
                                      const struct stoa_csv_head *head,
                                      struct stoa_csv_layout *layout, struct stoa_error *err)
{
    const struct stoa_schema *schema = &source->schema;
    char shown[80];
    enum stoa_status st;

    STOA_TRY(stoa_csv_header_meet(&source->header, head, &source->options, input_name, false,
                                  &layout->columns, err));
    layout->ncolumns = (uint32_t)head->ncolumns;
    for (uint32_t i = 0; i < head->ncolumns; i++)
        if (source->slots[layout->columns[i]] != STOA_CSV_NO_FIELD)
            layout->places[source->slots[layout->columns[i]]] = i;
    for (uint32_t i = 0; i < schema->nfields; i++) {
        const char *name = schema->fields[i].name;

        if (layout->places[i] != STOA_CSV_NO_PLACE || schema->fields[i].nullable ||
            source->table.columns[i].is_filename)
            continue;
        st = stoa_fail(err, STOA_ERR_DATA,
                       "line %" PRIu64 ": there is no column \"%s\", and the schema says that it "
                       "is not nullable",
                       head->line, stoa_quote(shown, sizeof(shown), name, strlen(name)));
        goto out;
    }
out:
    return st;
}

static enum stoa_status place_columns(struct stoa_csv_source *source, struct stoa_csv_feed *feed,
                                      const struct stoa_csv_head *head, struct stoa_error *err)
{
    const uint32_t nfields = source->schema.nfields;
    struct stoa_csv_layout *layout = &feed->origin->layout;
    enum stoa_status st;

    STOA_TRY(stoa_alloc(&layout->places, nfields * sizeof(*layout->places), err));
    for (uint32_t i = 0; i < nfields; i++)
        layout->places[i] = STOA_CSV_NO_PLACE;
    if (stoa_csv_header_nrecords(&source->options) == 0)
        place_all(source, layout);
    else if (head->ncolumns > 0)
        STOA_TRY(place_by_name(source, feed->origin->name, head, layout, err));
    else
        st = stoa_fail(err, STOA_ERR_DATA, "empty: there is no header line");
out:
    return st;
}

/* Reads what stands in front of the records of an input, and passes over it. */
static enum stoa_status read_head(struct stoa_csv_source *source, struct stoa_csv_feed *feed,
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
            return stoa_csv_fail_too_large(err, feed->origin->name, 1, 0, max_record_nbytes);
        want_nbytes = 2 * nbytes;
    }
    STOA_TRY(place_columns(source, feed, &head, err));
    STOA_TRY(stoa_csv_cutter_skip(&feed->cutter, head.nbytes, head.nlines, err));
out:
    stoa_csv_head_reset(&head);
    return st == STOA_OK ? st : stoa_wrap(err, st, "%s", feed->origin->name);
}

static enum stoa_status set_origin(struct stoa_csv_source *source, struct stoa_csv_feed *feed,
                                   const char *name, struct stoa_error *err)
{
    const size_t nbytes = strlen(name) + 1;
    struct stoa_csv_source_text *origin;
    enum stoa_status st = stoa_alloc_zeroed(&origin, 1, sizeof(*origin) + nbytes, err);

    if (st != STOA_OK)
        return st;
    atomic_init(&origin->nusers, 1);
    origin->serial = atomic_fetch_add(&source->ntexts, 1) + 1;
    memcpy(origin->name, name, nbytes);
    origin->member = stoa_csv_input_member(feed->input, origin->name);
    stoa_csv_source_text_drop(feed->origin);
    feed->origin = origin;
    return STOA_OK;
}

/* The name of the open text as a value: the path as it was given, and the member. */
static enum stoa_status set_filename(struct stoa_csv_feed *feed, struct stoa_error *err)
{
    const char *path = feed->input->path, *member = feed->origin->member;
    const size_t npath = 4 * strlen(path) + 4, nmember = member != NULL ? strlen(member) + 1 : 0;
    char **filename = &feed->origin->layout.filename;
    enum stoa_status st = stoa_alloc(filename, npath + nmember + 1, err);

    if (st != STOA_OK)
        return st;
    stoa_io_path_text(*filename, npath, path);
    if (member != NULL)
        memcpy(*filename + strlen(*filename), member - 1, nmember + 1);
    return STOA_OK;
}

/* Opens the next text of the input and takes its header off; behind the last one there is none. */
static enum stoa_status feed_open(struct stoa_csv_source *source, struct stoa_csv_feed *feed,
                                  struct stoa_error *err)
{
    struct stoa_buffer head = {0};
    struct stoa_stream *stream = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_csv_input_next(feed->input, &stream, &head, err));
    if (stream == NULL)
        return STOA_OK;
    STOA_TRY(set_origin(source, feed, stream->name, err));
    if (source->options.filename != NULL)
        STOA_TRY(set_filename(feed, err));
    if (source->keeps_text) {
        *feed->texts_end = stoa_csv_source_text_share(feed->origin);
        feed->texts_end = &feed->origin->next;
    }
    stoa_csv_cutter_init(&feed->cutter, stream, &source->options, &head);
    feed->cutter.spares = &source->spares;
    feed->cutter.keeps_head = source->keeps_text;
    feed->cutter.passes_large = source->ledger.options.on_error != STOA_CSV_ON_ERROR_ABORT;
    pthread_mutex_lock(&source->mutex);
    feed->stream = stream;
    pthread_mutex_unlock(&source->mutex);
    stream = NULL;
    STOA_TRY(read_head(source, feed, err));
out:
    stoa_stream_close(stream);
    if (stream != NULL)
        stoa_buffer_free(&head);
    return st;
}

void stoa_csv_feed_close(struct stoa_csv_source *source, struct stoa_csv_feed *feed)
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

/* What restoring needs of a text beside its rows: in front of its first unit, behind its last. */
static enum stoa_status keep_text(const struct stoa_csv_source *source, struct stoa_csv_feed *feed,
                                  const struct stoa_csv_text *unit, struct stoa_error *err)
{
    struct stoa_csv_origin *text = &feed->origin->text;
    enum stoa_status st = STOA_OK;

    if (!text->begun)
        STOA_TRY(
            stoa_csv_origin_begin(text, &feed->cutter, &source->table.reading.dialect, unit, err));
    if (unit->text == NULL)
        STOA_TRY(stoa_csv_origin_end(text, feed->stream, &feed->input->digest, err));
out:
    return st;
}

/* Cuts the next unit, or none at the end; the caller made the feed busy. */
static enum stoa_status feed_cut(struct stoa_csv_source *source, struct stoa_csv_feed *feed,
                                 struct stoa_csv_text *out, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    while (out->text == NULL) {
        if (feed->stream == NULL)
            STOA_TRY(feed_open(source, feed, err));
        if (feed->stream == NULL)
            break;
        STOA_TRY(stoa_csv_cutter_next(&feed->cutter, out, err));
        if (source->keeps_text)
            STOA_TRY(keep_text(source, feed, out, err));
        atomic_store(&feed->consumed_nbytes, feed->stream->consumed_nbytes);
        if (out->text == NULL)
            stoa_csv_feed_close(source, feed);
    }
out:
    if (st != STOA_OK)
        stoa_csv_feed_close(source, feed);
    return st;
}

/* Makes the next unit ready, outside of the mutex, which the caller holds before and after. */
static void make_ready(struct stoa_csv_source *source, struct stoa_csv_feed *feed)
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
static bool decode_ahead(struct stoa_csv_source *source)
{
    struct stoa_csv_feed *feed =
        source->first < source->nfeeds ? &source->feeds[source->first] : NULL;
    struct stoa_stream *stream = feed != NULL ? feed->stream : NULL;
    bool did;

    if (stream == NULL || stream->prefetch == NULL)
        return false;
    feed->nahead++;
    pthread_mutex_unlock(&source->mutex);
    did = stream->prefetch(stream, source->prefetch_nbytes);
    pthread_mutex_lock(&source->mutex);
    feed->nahead--;
    pthread_cond_broadcast(&source->changed);
    return did;
}

enum stoa_status stoa_csv_feeds_next(struct stoa_batch_source *base, struct stoa_unit **out,
                                     struct stoa_error *err)
{
    struct stoa_csv_source *source = stoa_csv_source_of(base);
    struct stoa_csv_source_unit *unit = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&unit, 1, sizeof(*unit), err));
    pthread_mutex_lock(&source->mutex);
    while (source->first < source->nfeeds) {
        struct stoa_csv_feed *feed = &source->feeds[source->first];

        if (feed->busy) {
            /* The mutex was free meanwhile: what is waited for may have come. */
            if (!decode_ahead(source) && feed->busy)
                pthread_cond_wait(&source->changed, &source->mutex);
        } else if (feed->ready.text != NULL) {
            unit->base = (struct stoa_unit){
                .free = stoa_csv_source_unit_free,
                .nbytes = feed->ready.nbytes,
                .nrows = feed->ready.nrecords,
            };
            unit->source = source;
            unit->origin = stoa_csv_source_text_share(feed->origin);
            unit->input = (uint32_t)source->first;
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

bool stoa_csv_feeds_prefetch(struct stoa_batch_source *base)
{
    struct stoa_csv_source *source = stoa_csv_source_of(base);
    bool did;

    pthread_mutex_lock(&source->mutex);
    did = decode_ahead(source);
    for (size_t i = source->first; !did && i < source->nfeeds && i < source->first + WINDOW_NINPUTS;
         i++) {
        struct stoa_csv_feed *feed = &source->feeds[i];

        if (source->ready_nbytes + stoa_csv_spares_nbytes(&source->spares, source->unit_nbytes) >
            source->prefetch_nbytes)
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
