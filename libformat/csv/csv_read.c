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
#include "csv/csv_survey.h"
#include "csv/csv_table.h"
#include "csv/csv_unit.h"
#include "csv/notes.h"
#include "csv/origin.h"

#define WINDOW_NINPUTS 4 /* inputs that are open at a time */
#define HEAD_NBYTES    ((size_t)64 << 10)
#define NO_SLOT        STOA_CSV_NO_FIELD /* a column that is not wanted */

/* What the units that were cut from one text share. */
struct origin {
    atomic_uint nusers;
    struct stoa_csv_layout layout; /* set before the first unit, and then constant */
    struct stoa_csv_origin text;
    struct origin *next; /* of the same input, where text is kept */
    const char *member;  /* in the name; NULL: none */
    char name[];         /* for messages */
};

/* One input on its way through its cutter. */
struct feed {
    /* Whoever made the feed busy: */
    struct stoa_csv_input *input;
    struct stoa_stream *stream; /* NULL: not open yet, or closed again */
    struct stoa_csv_cutter cutter;
    struct origin *origin; /* of the text that is open, or was last */
    struct origin *texts;  /* all so far, where text is kept: a list, shared */
    struct origin **texts_end;

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
    struct stoa_csv_header header; /* names that every input must have */
    struct stoa_schema schema;     /* of the batches */
    struct stoa_csv_table table;
    uint32_t *slots; /* for each column of the table the field of the schema, or NO_SLOT */
    struct stoa_csv_ledger ledger; /* accept() */
    struct origin *accepted;       /* the text of the last notes that it saw */
    bool keeps_forms;              /* how values were written: with text, and to widen */
    bool keeps_text;
    char **misfits; /* accept(): of each column, as in the notes; NULL: nothing widens */
    struct stoa_csv_options text_options; /* nothing left at "auto", for restoring, */
    struct stoa_csv_reading text_reading; /* and prepared */
    struct stoa_source_info *infos;       /* of all texts, when they were read */
    size_t ninfos;
    uint64_t unit_nbytes; /* text of a unit at the most */
    uint64_t prefetch_nbytes;
    struct stoa_csv_spares spares;
    uint64_t total_nbytes;

    pthread_mutex_t mutex;
    pthread_cond_t changed; /* some feed is not busy any more */
    struct feed *feeds;
    size_t nfeeds;
    size_t first;          /* the input that next() takes units of */
    uint64_t ready_nbytes; /* text of ready units, unit_nbytes for one that is being cut */
};

struct csv_unit {
    struct stoa_unit base;
    struct csv_source *source;
    struct origin *origin; /* of the text that it was cut from */
    uint32_t input;        /* its place among the inputs */
    struct stoa_csv_text text;
};

static struct csv_source *source_of(struct stoa_batch_source *source)
{
    return (struct csv_source *)source; /* base is the first member */
}

static struct origin *origin_share(struct origin *origin)
{
    atomic_fetch_add(&origin->nusers, 1);
    return origin;
}

static void origin_drop(struct origin *origin)
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
static void give_back(struct csv_source *source, const struct stoa_csv_text *text)
{
    const struct stoa_buffer block = {(uint8_t *)text->text, text->nwritten, text->capacity};
    uint64_t ready_nbytes;

    pthread_mutex_lock(&source->mutex);
    ready_nbytes = source->ready_nbytes;
    pthread_mutex_unlock(&source->mutex);
    stoa_csv_spares_give(&source->spares, block, ready_nbytes);
}

static void unit_free(struct stoa_unit *base)
{
    struct csv_unit *unit = (struct csv_unit *)base;

    give_back(unit->source, &unit->text);
    origin_drop(unit->origin);
    stoa_free(unit);
}

/* Without a header the columns of the input are those of the table. */
static void place_all(const struct csv_source *source, struct stoa_csv_layout *layout)
{
    const uint32_t ncolumns = (uint32_t)source->header.ncolumns;

    for (uint32_t i = 0; i < ncolumns; i++)
        if (source->slots[i] != NO_SLOT)
            layout->places[source->slots[i]] = i;
    layout->ncolumns = ncolumns;
}

/* Finds the columns of the table in the input by name; those that it does not have are null. */
static enum stoa_status place_by_name(struct csv_source *source, const char *input_name,
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
        if (source->slots[layout->columns[i]] != NO_SLOT)
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

static enum stoa_status place_columns(struct csv_source *source, struct feed *feed,
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
            return stoa_csv_fail_too_large(err, feed->origin->name, 1, 0, max_record_nbytes);
        want_nbytes = 2 * nbytes;
    }
    STOA_TRY(place_columns(source, feed, &head, err));
    stoa_csv_cutter_skip(&feed->cutter, head.nbytes, head.nlines);
out:
    stoa_csv_head_reset(&head);
    return st == STOA_OK ? st : stoa_wrap(err, st, "%s", feed->origin->name);
}

static enum stoa_status set_origin(struct feed *feed, const char *name, struct stoa_error *err)
{
    const size_t nbytes = strlen(name) + 1;
    struct origin *origin;
    enum stoa_status st = stoa_alloc_zeroed(&origin, 1, sizeof(*origin) + nbytes, err);

    if (st != STOA_OK)
        return st;
    atomic_init(&origin->nusers, 1);
    memcpy(origin->name, name, nbytes);
    origin->member = stoa_csv_input_member(feed->input, origin->name);
    origin_drop(feed->origin);
    feed->origin = origin;
    return STOA_OK;
}

/* The name of the open text as a value: the path as it was given, printable, and the member. */
static enum stoa_status set_filename(struct feed *feed, struct stoa_error *err)
{
    const char *path = feed->input->path, *member = feed->origin->member;
    const size_t npath = 4 * strlen(path) + 4, nmember = member != NULL ? strlen(member) + 1 : 0;
    char **filename = &feed->origin->layout.filename;
    enum stoa_status st = stoa_alloc(filename, npath + nmember + 1, err);

    if (st != STOA_OK)
        return st;
    stoa_quote(*filename, npath, path, strlen(path));
    if (member != NULL)
        memcpy(*filename + strlen(*filename), member - 1, nmember + 1);
    return STOA_OK;
}

/* Opens the next text of the input and takes its header off; behind the last one there is none. */
static enum stoa_status feed_open(struct csv_source *source, struct feed *feed,
                                  struct stoa_error *err)
{
    struct stoa_buffer head = {0};
    struct stoa_stream *stream = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_csv_input_next(feed->input, &stream, &head, err));
    if (stream == NULL)
        return STOA_OK;
    STOA_TRY(set_origin(feed, stream->name, err));
    if (source->options.filename != NULL)
        STOA_TRY(set_filename(feed, err));
    if (source->keeps_text) {
        *feed->texts_end = origin_share(feed->origin);
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

/* What restoring needs of a text beside its rows: in front of its first unit, behind its last. */
static enum stoa_status keep_text(const struct csv_source *source, struct feed *feed,
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
static enum stoa_status feed_cut(struct csv_source *source, struct feed *feed,
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
            feed_close(source, feed);
    }
out:
    if (st != STOA_OK)
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
    did = stream->prefetch(stream, source->prefetch_nbytes);
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
            /* The mutex was free meanwhile: what is waited for may have come. */
            if (!decode_ahead(source) && feed->busy)
                pthread_cond_wait(&source->changed, &source->mutex);
        } else if (feed->ready.text != NULL) {
            unit->base = (struct stoa_unit){
                .free = unit_free,
                .nbytes = feed->ready.nbytes,
                .nrows = feed->ready.nrecords,
            };
            unit->source = source;
            unit->origin = origin_share(feed->origin);
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

static bool source_prefetch(struct stoa_batch_source *base)
{
    struct csv_source *source = source_of(base);
    bool did;

    pthread_mutex_lock(&source->mutex);
    did = decode_ahead(source);
    for (size_t i = source->first; !did && i < source->nfeeds && i < source->first + WINDOW_NINPUTS;
         i++) {
        struct feed *feed = &source->feeds[i];

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

static void release_origin(void *owner)
{
    origin_drop(owner);
}

/* Notes of a unit of a text whose first unit was cut. */
static enum stoa_status make_notes(const struct csv_source *source, struct origin *origin,
                                   struct stoa_csv_notes **out, struct stoa_error *err)
{
    enum stoa_status st = stoa_csv_notes_new(source->schema.nfields, source->keeps_forms, out, err);

    if (st != STOA_OK)
        return st;
    (*out)->rejects.keeps_whole = source->ledger.options.raw_sink != NULL;
    (*out)->owner = origin_share(origin);
    (*out)->release = release_origin;
    (*out)->line_end[0] = origin->text.line_end[0];
    (*out)->line_end[1] = origin->text.line_end[1];
    (*out)->line_end_nbytes = origin->text.line_end_nbytes;
    return STOA_OK;
}

static enum stoa_status source_read(struct stoa_batch_source *base, struct stoa_unit *unit_base,
                                    struct stoa_batch *out, struct stoa_notes **notes,
                                    struct stoa_error *err)
{
    const struct csv_source *source = source_of(base);
    const struct csv_unit *unit = (const struct csv_unit *)unit_base;
    const bool aborts = source->ledger.options.on_error == STOA_CSV_ON_ERROR_ABORT;
    struct stoa_csv_notes *mine = NULL;
    enum stoa_status st = STOA_OK;

    if (source->keeps_forms || !aborts)
        STOA_TRY(make_notes(source, unit->origin, &mine, err));
    STOA_TRY(stoa_csv_unit_read(&source->table, &unit->origin->layout, &unit->text,
                                aborts ? NULL : &mine->rejects, source->keeps_forms ? mine : NULL,
                                out, err));
    if (mine != NULL) {
        stoa_csv_notes_measure(mine);
        *notes = &mine->base;
        mine = NULL;
    }
out:
    if (mine != NULL)
        mine->base.free(&mine->base);
    if (st != STOA_OK && aborts)
        stoa_wrap(err, st, "%s", unit->origin->name);
    unit_free(unit_base);
    return st;
}

/* Keeps the first message of each column. */
static enum stoa_status accept_misfits(struct csv_source *source,
                                       const struct stoa_csv_notes *notes, const char *name,
                                       struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 0; st == STOA_OK && notes->misfits != NULL && i < notes->ncolumns; i++) {
        struct stoa_error message;

        if (notes->misfits[i] == NULL || source->misfits[i] != NULL)
            continue;
        stoa_fail(&message, STOA_ERR_DATA, "%s: %s", name, notes->misfits[i]);
        st = stoa_strndup(&source->misfits[i], message.message, strlen(message.message), err);
    }
    return st;
}

const char *stoa_csv_source_misfit(const struct stoa_batch_source *base, uint32_t column)
{
    const struct csv_source *source = (const struct csv_source *)base;

    return source->misfits != NULL ? source->misfits[column] : NULL;
}

static enum stoa_status source_accept(struct stoa_batch_source *base, struct stoa_notes *notes_base,
                                      struct stoa_error *err)
{
    struct csv_source *source = source_of(base);
    struct stoa_csv_notes *notes = (struct stoa_csv_notes *)notes_base;
    struct origin *origin = notes->owner;
    enum stoa_status st = STOA_OK;

    if (source->accepted != origin) { /* kept: no other one has its address meanwhile */
        origin_drop(source->accepted);
        source->accepted = origin_share(origin);
    }
    if (source->ledger.options.on_error != STOA_CSV_ON_ERROR_ABORT)
        STOA_TRY(stoa_csv_ledger_accept(&source->ledger, origin, origin->name, origin->member,
                                        &notes->rejects, source->header.names,
                                        origin->layout.columns, origin->layout.ncolumns, err));
    if (source->keeps_text)
        STOA_TRY(stoa_csv_origin_accept(&origin->text, notes, err));
    STOA_TRY(accept_misfits(source, notes, origin->name, err));
out:
    return st;
}

static enum stoa_status source_side(struct stoa_batch_source *base, struct stoa_notes *const *notes,
                                    size_t nnotes, const struct stoa_batch *batch,
                                    struct stoa_side *out, struct stoa_error *err)
{
    const struct csv_source *source = source_of(base);

    return stoa_csv_notes_side(notes, nnotes, batch, source->table.columns, &source->text_reading,
                               out, err);
}

/* The name of a text without folders: base name, or archive:member. */
static const char *name_of_text(const struct feed *feed, const struct origin *origin)
{
    const char *path = feed->input->path, *slash = strrchr(path, '/');
    const size_t nfolder = slash != NULL ? (size_t)(slash + 1 - path) : 0;

    if (strcmp(path, "-") == 0)
        return "stdin";
    return strncmp(origin->name, path, nfolder) == 0 ? origin->name + nfolder : origin->name;
}

static enum stoa_status describe_text(const struct csv_source *source, const struct feed *feed,
                                      const struct origin *origin, uint64_t first_row,
                                      struct stoa_source_info *out, struct stoa_error *err)
{
    return stoa_csv_origin_describe(&origin->text, name_of_text(feed, origin),
                                    &source->text_options, &origin->layout, source->schema.nfields,
                                    first_row, out, err);
}

static enum stoa_status source_sources(struct stoa_batch_source *base,
                                       const struct stoa_source_info **out, size_t *nsources,
                                       struct stoa_error *err)
{
    struct csv_source *source = source_of(base);
    uint64_t first_row = 0;
    size_t n = 0;
    enum stoa_status st;

    for (size_t i = 0; i < source->nfeeds; i++)
        for (const struct origin *o = source->feeds[i].texts; o != NULL; o = o->next)
            source->ninfos++;
    STOA_TRY(stoa_alloc_zeroed(&source->infos, source->ninfos, sizeof(*source->infos), err));
    for (size_t i = 0; i < source->nfeeds; i++) {
        const struct feed *feed = &source->feeds[i];

        for (const struct origin *o = feed->texts; o != NULL; o = o->next) {
            STOA_TRY(describe_text(source, feed, o, first_row, &source->infos[n++], err));
            first_row += o->text.nrows;
        }
    }
    *out = source->infos;
    *nsources = source->ninfos;
out:
    return st;
}

bool stoa_csv_source_rejected(const struct stoa_batch_source *base, uint64_t *nrejected,
                              uint64_t *nwritten)
{
    const struct csv_source *source = (const struct csv_source *)base;

    *nrejected = source->ledger.nrejected;
    *nwritten = source->ledger.nwritten;
    return source->ledger.is_over;
}

enum stoa_status stoa_csv_source_observe(const struct stoa_batch_source *base,
                                         struct stoa_unit *unit_base,
                                         struct stoa_csv_evidence **out, struct stoa_error *err)
{
    const struct csv_source *source = (const struct csv_source *)base;
    const struct csv_unit *unit = (const struct csv_unit *)unit_base;
    const uint32_t input = unit->input;
    enum stoa_status st =
        stoa_csv_unit_observe(&source->table.reading, &unit->origin->layout, &unit->text, input,
                              source->schema.nfields, out, err);

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
        origin_drop(source->feeds[i].origin);
        while (source->feeds[i].texts != NULL) {
            struct origin *origin = source->feeds[i].texts;

            source->feeds[i].texts = origin->next;
            origin_drop(origin);
        }
    }
    origin_drop(source->accepted);
    stoa_source_infos_free(source->infos, source->ninfos);
    stoa_free(source->feeds);
    for (uint32_t i = 0; source->misfits != NULL && i < source->schema.nfields; i++)
        stoa_free(source->misfits[i]);
    stoa_free(source->misfits);
    stoa_free(source->table.columns);
    stoa_free(source->slots);
    stoa_csv_header_reset(&source->header);
    stoa_schema_reset(&source->schema);
    stoa_csv_spares_reset(&source->spares);
    pthread_mutex_destroy(&source->mutex);
    pthread_cond_destroy(&source->changed);
    stoa_free(source);
}

/* Which columns of the table are read, and how. */
static enum stoa_status make_table(struct csv_source *source,
                                   const struct stoa_csv_source_options *options,
                                   struct stoa_error *err)
{
    const uint32_t filename = stoa_csv_filename_find(&source->options, options->schema);
    const uint32_t ncolumns =
        options->columns != NULL ? options->ncolumns : options->schema->nfields;
    struct stoa_csv_table *table = &source->table;
    enum stoa_status st;

    if (options->columns == NULL)
        STOA_TRY(stoa_schema_copy(&source->schema, options->schema, err));
    else
        STOA_TRY(stoa_schema_select(&source->schema, options->schema, options->columns,
                                    options->ncolumns, err));
    table->schema = &source->schema;
    STOA_TRY(stoa_alloc(&source->slots, options->schema->nfields * sizeof(*source->slots), err));
    for (uint32_t i = 0; i < options->schema->nfields; i++)
        source->slots[i] = NO_SLOT;
    for (uint32_t i = 0; i < ncolumns; i++) {
        const uint32_t field = options->columns != NULL ? options->columns[i] : i;

        if (field != filename)
            source->slots[field - (field > filename)] = i;
    }
    STOA_TRY(stoa_csv_reading_init(&table->reading, &source->options, options->inferred,
                                   source->keeps_forms, err));
    STOA_TRY(
        stoa_alloc_zeroed(&table->columns, source->schema.nfields, sizeof(*table->columns), err));
    for (uint32_t i = 0; i < source->schema.nfields; i++) {
        struct stoa_csv_column *column = &table->columns[i];

        STOA_TRY(stoa_csv_column_init(column, &source->schema.fields[i], &table->reading, err));
        column->wants_forms =
            !column->is_filename && (options->keeps_text || stoa_csv_column_may_widen(column));
    }
    if (source->keeps_forms)
        STOA_TRY(
            stoa_csv_reading_init(&source->text_reading, &source->text_options, false, true, err));
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
    stoa_csv_spares_init(&source->spares, options->prefetch_nbytes);
    source->base = (struct stoa_batch_source){
        .schema = &source->schema,
        .next = source_next,
        .prefetch = source_prefetch,
        .read = source_read,
        .accept = source_accept,
        .progress = source_progress,
        .close = source_close,
    };
    source->options = options->csv;
    source->text_options = options->csv;
    stoa_csv_options_settle(&source->text_options);
    source->keeps_text = options->keeps_text;
    source->keeps_forms = options->keeps_text || options->widens;
    if (source->keeps_forms)
        source->base.side = source_side;
    if (source->keeps_text)
        source->base.sources = source_sources;
    source->unit_nbytes =
        options->csv.unit_nbytes != 0 ? options->csv.unit_nbytes : STOA_CSV_UNIT_NBYTES;
    source->prefetch_nbytes = options->prefetch_nbytes;
    source->total_nbytes = inputs->all_regular ? inputs->total_nbytes : 0;
    STOA_TRY(stoa_csv_options_check(&source->options, err));
    if (options->schema->nfields == 0 ||
        (options->schema->nfields == 1 &&
         stoa_csv_filename_find(&source->options, options->schema) == 0))
        STOA_TRY(stoa_fail(err, STOA_ERR_USAGE, "the schema has no columns, and text has some"));
    STOA_TRY(stoa_csv_ledger_init(&source->ledger, &options->rejects, err));
    STOA_TRY(stoa_csv_header_take(&source->header, options->schema,
                                  stoa_csv_filename_find(&source->options, options->schema), err));
    STOA_TRY(make_table(source, options, err));
    source->table.widens = options->widens;
    source->table.keeps_text = options->keeps_text;
    if (options->widens)
        STOA_TRY(stoa_alloc_zeroed(&source->misfits, source->schema.nfields, sizeof(char *), err));
    STOA_TRY(stoa_alloc_zeroed(&source->feeds, inputs->nitems, sizeof(*source->feeds), err));
    source->nfeeds = inputs->nitems;
    for (size_t i = 0; i < source->nfeeds; i++)
        source->feeds[i].input = &inputs->items[i];
    for (size_t i = 0; i < source->nfeeds; i++)
        source->feeds[i].texts_end = &source->feeds[i].texts;
    *out = &source->base;
    source = NULL;
out:
    if (source != NULL)
        source_close(&source->base);
    return st;
}
