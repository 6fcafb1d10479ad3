/*
 * The steps of a sink for text: prepare formats, commit writes; an item is a buffer of text.
 */
#include "column/text_sink.h"

#include <string.h>

#include "base/error.h"

struct text_sink {
    struct stoa_batch_sink base;
    struct stoa_sink *sink;
    stoa_text_format *format;
    void *options;
};

static void item_free(struct stoa_batch_sink *base, void *item)
{
    (void)base;
    if (item != NULL)
        stoa_buffer_free(item);
    stoa_free(item);
}

static enum stoa_status prepare(struct stoa_batch_sink *base, uint64_t ordinal,
                                struct stoa_batch *batch, void **out, struct stoa_error *err)
{
    struct text_sink *sink = (struct text_sink *)base;
    struct stoa_buffer *text = NULL;
    enum stoa_status st;

    (void)ordinal;
    STOA_TRY(stoa_alloc_zeroed(&text, 1, sizeof(*text), err));
    STOA_TRY(sink->format(sink->options, batch, text, err));
    stoa_batch_reset(batch);
    *out = text;
    text = NULL;
out:
    item_free(base, text);
    return st;
}

static enum stoa_status commit(struct stoa_batch_sink *base, void *item, struct stoa_error *err)
{
    struct text_sink *sink = (struct text_sink *)base;
    const struct stoa_buffer *text = item;
    enum stoa_status st = sink->sink->write(sink->sink, text->data, text->nbytes, err);

    item_free(base, item);
    return st;
}

static enum stoa_status finish(struct stoa_batch_sink *base, struct stoa_error *err)
{
    (void)base;
    (void)err;
    return STOA_OK;
}

static void close_sink(struct stoa_batch_sink *base)
{
    stoa_free(((struct text_sink *)base)->options);
    stoa_free(base);
}

enum stoa_status stoa_text_sink_open(struct stoa_sink *sink, stoa_text_format *format,
                                     const void *options, size_t options_nbytes,
                                     struct stoa_batch_sink **out, struct stoa_error *err)
{
    struct text_sink *mine = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&mine, 1, sizeof(*mine), err));
    STOA_TRY(stoa_alloc(&mine->options, options_nbytes, err));
    if (options_nbytes > 0)
        memcpy(mine->options, options, options_nbytes);
    mine->base = (struct stoa_batch_sink){
        .prepare = prepare,
        .commit = commit,
        .item_free = item_free,
        .finish = finish,
        .close = close_sink,
    };
    mine->sink = sink;
    mine->format = format;
    *out = &mine->base;
    mine = NULL;
out:
    stoa_free(mine);
    return st;
}
