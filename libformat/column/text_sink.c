/*
 * The steps of a sink for text: prepare formats, commit writes. An item is a buffer of text, or the
 * error of a value without one: only commit, which sees all rows in order, knows their numbers.
 */
#include "column/text_sink.h"

#include <stdatomic.h>
#include <string.h>

#include "base/bits.h"
#include "base/error.h"

#define RESERVE_NBYTES ((size_t)64 << 20)  /* the most that is reserved on a guess */
#define SLACK_NBYTES   ((size_t)512 << 10) /* that formatters want behind the text */

struct text_sink {
    struct stoa_batch_sink base;
    struct stoa_sink *sink;
    stoa_text_format *format;
    void *options;
    const struct stoa_text_packer *packer;
    uint64_t nrows; /* committed */
    bool has_text;
    atomic_size_t row_nbytes; /* of text, on the average of a batch with long rows */
};

struct item {
    struct stoa_buffer text;
    size_t nrows;
    enum stoa_status status;
    struct stoa_error err;
};

static void item_free(struct stoa_batch_sink *base, void *freed)
{
    struct item *item = freed;

    (void)base;
    if (item != NULL)
        stoa_buffer_free(&item->text);
    stoa_free(item);
}

/* Replaces a text by its compressed form. */
static enum stoa_status pack(const struct text_sink *sink, struct stoa_buffer *text,
                             struct stoa_error *err)
{
    struct stoa_buffer packed = {0};
    enum stoa_status st;

    if (sink->packer == NULL)
        return STOA_OK;
    STOA_TRY(sink->packer->pack(text->data, text->nbytes, &packed, err));
    stoa_buffer_free(text);
    *text = packed;
    packed = (struct stoa_buffer){0};
out:
    stoa_buffer_free(&packed);
    return st;
}

/*
 * Room for the text of a batch that is like those before it: a text that grows is moved again and
 * again.
 */
static enum stoa_status reserve(struct text_sink *sink, size_t nrows, struct stoa_buffer *text,
                                struct stoa_error *err)
{
    const size_t row_nbytes = atomic_load_explicit(&sink->row_nbytes, memory_order_relaxed);
    size_t nbytes;

    if (row_nbytes == 0 || !stoa_mul_size(nrows, row_nbytes, &nbytes) || nbytes > RESERVE_NBYTES)
        return STOA_OK;
    return stoa_buffer_reserve(text, nbytes + nbytes / 32 + SLACK_NBYTES, err);
}

static void remember(struct text_sink *sink, size_t nrows, size_t nbytes)
{
    const size_t row_nbytes = nrows > 0 ? nbytes / nrows + 1 : 0;

    if (row_nbytes > atomic_load_explicit(&sink->row_nbytes, memory_order_relaxed))
        atomic_store_explicit(&sink->row_nbytes, row_nbytes, memory_order_relaxed);
}

static enum stoa_status prepare(struct stoa_batch_sink *base, uint64_t ordinal,
                                struct stoa_batch *batch, void **out, struct stoa_error *err)
{
    struct text_sink *sink = (struct text_sink *)base;
    struct item *item = NULL;
    enum stoa_status st;

    (void)ordinal;
    STOA_TRY(stoa_alloc_zeroed(&item, 1, sizeof(*item), err));
    item->nrows = batch->nrows;
    STOA_TRY(reserve(sink, batch->nrows, &item->text, err));
    item->status = sink->format(sink->options, batch, &item->text, &item->err);
    if (item->status != STOA_OK && item->status != STOA_ERR_DATA) {
        st = item->status;
        if (err != NULL)
            *err = item->err;
        goto out;
    }
    remember(sink, batch->nrows, item->text.nbytes);
    if (item->status == STOA_OK)
        STOA_TRY(pack(sink, &item->text, err));
    stoa_batch_reset(batch);
    *out = item;
    item = NULL;
out:
    item_free(base, item);
    return st;
}

static enum stoa_status commit(struct stoa_batch_sink *base, void *committed,
                               struct stoa_error *err)
{
    struct text_sink *sink = (struct text_sink *)base;
    struct item *item = committed;
    enum stoa_status st;

    sink->has_text |= item->text.nbytes > 0;
    if (item->status == STOA_OK)
        st = sink->sink->write(sink->sink, item->text.data, item->text.nbytes, err);
    else
        st = stoa_fail_row(&item->err, item->status, sink->nrows, err);
    sink->nrows += item->nrows;
    item_free(base, item);
    return st;
}

static enum stoa_status finish(struct stoa_batch_sink *base, struct stoa_error *err)
{
    const struct text_sink *sink = (const struct text_sink *)base;
    const struct stoa_text_packer *packer = sink->packer;

    if (packer == NULL || (sink->has_text && !packer->ends_always))
        return STOA_OK;
    return sink->sink->write(sink->sink, packer->end, packer->end_nbytes, err);
}

static void close_sink(struct stoa_batch_sink *base)
{
    stoa_free(((struct text_sink *)base)->options);
    stoa_free(base);
}

static enum stoa_status write_head(struct text_sink *sink, const struct stoa_buffer *head,
                                   struct stoa_error *err)
{
    struct stoa_buffer text = {0};
    enum stoa_status st;

    if (head->nbytes == 0)
        return STOA_OK;
    STOA_TRY(stoa_buffer_append(&text, head->data, head->nbytes, err));
    STOA_TRY(pack(sink, &text, err));
    STOA_TRY(sink->sink->write(sink->sink, text.data, text.nbytes, err));
    sink->has_text = true;
out:
    stoa_buffer_free(&text);
    return st;
}

enum stoa_status stoa_text_sink_open(struct stoa_sink *sink, stoa_text_format *format,
                                     const void *options, size_t options_nbytes,
                                     const struct stoa_buffer *head,
                                     const struct stoa_text_packer *packer,
                                     struct stoa_batch_sink **out, struct stoa_error *err)
{
    struct text_sink *mine = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&mine, 1, sizeof(*mine), err));
    mine->base = (struct stoa_batch_sink){
        .prepare = prepare,
        .commit = commit,
        .item_free = item_free,
        .finish = finish,
        .close = close_sink,
    };
    mine->sink = sink;
    mine->format = format;
    mine->packer = packer;
    STOA_TRY(stoa_alloc(&mine->options, options_nbytes, err));
    if (options_nbytes > 0)
        memcpy(mine->options, options, options_nbytes);
    STOA_TRY(write_head(mine, head, err));
    *out = &mine->base;
    mine = NULL;
out:
    if (mine != NULL)
        close_sink(&mine->base);
    return st;
}
