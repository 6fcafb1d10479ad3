/*
 * Inputs one after the other, each text through a cutter. A thread that has nothing else to do may
 * decode ahead in the stream that is open: it is closed when none does any more.
 */
#include "jsonl/feed.h"

#include <string.h>

#include "base/error.h"
#include "io/io_name.h"

struct stoa_jsonl_origin *stoa_jsonl_origin_share(struct stoa_jsonl_origin *origin)
{
    atomic_fetch_add(&origin->nusers, 1);
    return origin;
}

void stoa_jsonl_origin_drop(struct stoa_jsonl_origin *origin)
{
    if (origin == NULL || atomic_fetch_sub(&origin->nusers, 1) > 1)
        return;
    stoa_free(origin->filename);
    stoa_free(origin);
}

static void unit_free(struct stoa_unit *base)
{
    struct stoa_jsonl_unit *unit = (struct stoa_jsonl_unit *)base;

    stoa_jsonl_origin_drop(unit->origin);
    stoa_free(unit->text.text);
    stoa_free(unit);
}

void stoa_jsonl_feed_init(struct stoa_jsonl_feed *feed, struct stoa_jsonl_inputs *inputs,
                          const struct stoa_jsonl_feed_options *options)
{
    *feed = (struct stoa_jsonl_feed){.inputs = inputs, .options = *options};
    pthread_mutex_init(&feed->mutex, NULL); /* can't fail on Linux */
    pthread_cond_init(&feed->changed, NULL);
}

static void close_text(struct stoa_jsonl_feed *feed)
{
    struct stoa_stream *stream = feed->stream;

    if (stream == NULL)
        return;
    pthread_mutex_lock(&feed->mutex);
    feed->stream = NULL;
    while (feed->nahead > 0)
        pthread_cond_wait(&feed->changed, &feed->mutex);
    pthread_mutex_unlock(&feed->mutex);
    stoa_jsonl_cutter_reset(&feed->cutter);
    stoa_stream_close(stream);
}

void stoa_jsonl_feed_reset(struct stoa_jsonl_feed *feed)
{
    close_text(feed);
    stoa_jsonl_texts_close(&feed->texts);
    stoa_jsonl_origin_drop(feed->origin);
    pthread_mutex_destroy(&feed->mutex);
    pthread_cond_destroy(&feed->changed);
}

/* The name of the text for messages, and as a value: the path as it was given, and the member. */
static enum stoa_status set_origin(struct stoa_jsonl_feed *feed, const char *name,
                                   struct stoa_error *err)
{
    const struct stoa_jsonl_input *input = feed->texts.input;
    const size_t nbytes = strlen(name) + 1, npath = 4 * strlen(input->path) + 8;
    const char *member = stoa_jsonl_input_member(input, name);
    const size_t nmember = member != NULL ? strlen(member) + 1 : 0;
    struct stoa_jsonl_origin *origin = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&origin, 1, sizeof(*origin) + nbytes, err));
    atomic_init(&origin->nusers, 1);
    origin->serial = ++feed->ntexts;
    memcpy(origin->name, name, nbytes);
    origin->member = member != NULL ? origin->name + (member - name) : NULL;
    STOA_TRY(stoa_alloc(&origin->filename, npath + nmember + 1, err));
    stoa_io_path_text(origin->filename, npath, input->path);
    if (member != NULL)
        memcpy(origin->filename + strlen(origin->filename), member - 1, nmember + 1);
    stoa_jsonl_origin_drop(feed->origin);
    feed->origin = origin;
    origin = NULL;
out:
    stoa_jsonl_origin_drop(origin);
    return st;
}

/* Opens the next text of all inputs; *found is false behind the last one. */
static enum stoa_status open_text(struct stoa_jsonl_feed *feed, bool *found, struct stoa_error *err)
{
    const struct stoa_jsonl_feed_options *options = &feed->options;
    struct stoa_stream *stream = NULL;
    enum stoa_status st = STOA_OK;

    *found = false;
    do {
        if (feed->texts.input == NULL) {
            if (feed->next_input == feed->inputs->nitems)
                goto out;
            feed->texts.inputs = feed->inputs;
            feed->texts.input = &feed->inputs->items[feed->next_input++];
        }
        STOA_TRY(stoa_jsonl_texts_next(&feed->texts, &stream, err));
        if (stream == NULL) {
            feed->before_nbytes = atomic_load(&feed->consumed_nbytes);
            stoa_jsonl_texts_close(&feed->texts);
        }
    } while (stream == NULL);
    STOA_TRY(set_origin(feed, stream->name, err));
    stoa_jsonl_cutter_init(&feed->cutter, stream, options->unit_nlines, options->unit_nbytes,
                           options->max_record_nbytes);
    feed->cutter.in_parts = true;
    feed->cutter.passes_large = options->passes_large;
    pthread_mutex_lock(&feed->mutex);
    feed->stream = stream;
    pthread_mutex_unlock(&feed->mutex);
    stream = NULL;
    *found = true;
out:
    stoa_stream_close(stream);
    return st;
}

enum stoa_status stoa_jsonl_feed_next(struct stoa_jsonl_feed *feed, struct stoa_unit **out,
                                      struct stoa_error *err)
{
    struct stoa_jsonl_text text = {0};
    struct stoa_jsonl_unit *unit = NULL;
    bool found = true;
    enum stoa_status st;

    *out = NULL;
    STOA_TRY(stoa_alloc_zeroed(&unit, 1, sizeof(*unit), err));
    while (text.text == NULL) {
        if (feed->stream == NULL)
            STOA_TRY(open_text(feed, &found, err));
        if (!found)
            goto out;
        STOA_TRY(stoa_jsonl_cutter_next(&feed->cutter, &text, err));
        atomic_store(&feed->consumed_nbytes, feed->before_nbytes + feed->stream->consumed_nbytes);
        if (text.text == NULL)
            close_text(feed);
    }
    unit->base = (struct stoa_unit){.free = unit_free, .nbytes = text.nbytes, .nrows = text.nlines};
    unit->origin = stoa_jsonl_origin_share(feed->origin);
    unit->text = text;
    *out = &unit->base;
    unit = NULL;
out:
    stoa_free(unit);
    return st;
}

bool stoa_jsonl_feed_prefetch(struct stoa_jsonl_feed *feed)
{
    struct stoa_stream *stream;
    bool did = false;

    pthread_mutex_lock(&feed->mutex);
    stream = feed->stream;
    if (stream != NULL && stream->prefetch != NULL) {
        feed->nahead++;
        pthread_mutex_unlock(&feed->mutex);
        did = stream->prefetch(stream, feed->options.prefetch_nbytes);
        pthread_mutex_lock(&feed->mutex);
        feed->nahead--;
        pthread_cond_broadcast(&feed->changed);
    }
    pthread_mutex_unlock(&feed->mutex);
    return did;
}
