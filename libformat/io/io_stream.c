/*
 * The text of one input in order: a file, a pipe or memory, decompressed when its first bytes say
 * so.
 *
 * Plain text goes straight to the caller; only what was peeked at is copied. Compressed text is
 * decoded into the caller's memory, too, when nothing was decoded ahead. Else there is a line of
 * blocks:
 *
 *     first                                     last
 *     [ready: being read] [running] [waiting] [ready] <- unpack <- below
 *
 * A block is a piece that any thread decodes by itself, or text that was decoded in its place
 * because the format or the file has no pieces. Blocks come to be in order, by one thread at a
 * time: the one that made the stream `busy`. read() takes them off in order; where the first one is
 * waiting it decodes it itself, and where another thread is at it, it works ahead meanwhile. So
 * nobody waits for work that nobody does, and one thread alone gets the same text.
 */
#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#include "base/error.h"
#include "io/layers.h"
#include "io/unpack.h"

/* Text that is decoded in order at a time. */
#define BLOCK_NBYTES ((size_t)512 << 10)

/* A file of some hundred KiB can be the text of a whole disk. */
#define TEXT_NBYTES_ALWAYS (UINT64_C(4) << 30)
#define MAX_RATIO          1000

enum block_state { WAITING, RUNNING, READY };

struct block {
    struct block *next;
    enum block_state state;
    struct stoa_buffer bytes; /* of the piece */
    struct stoa_inflate_piece piece;
    struct stoa_buffer text;
    size_t at;                /* text before it was read */
    uint64_t held_nbytes;     /* of memory, about */
    uint64_t offset;          /* of the piece in the compressed input */
    uint64_t used_nbytes;     /* compressed bytes before its end */
    uint64_t consumed_nbytes; /* for progress, once it is read */
    bool end;                 /* nothing follows */
    enum stoa_status status;  /* and what follows its text is this error */
    struct stoa_unpack_error error;
};

/* A decoder that no thread uses. */
struct spare {
    struct spare *next;
    struct stoa_inflate *inflate;
};

struct input {
    struct stoa_stream stream;
    struct stoa_stream *below;

    struct stoa_unpack unpack; /* whoever made the stream busy */

    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool busy;
    bool splitting; /* busy for a moment only */
    bool ended;     /* no block will be made any more */
    struct block *first, *last;
    struct spare *spares;
    struct stoa_error lost; /* memory was out when somebody worked ahead; for the next read() */
    bool over;              /* all was read, and then: */
    enum stoa_status status;
    struct stoa_unpack_error error;
    uint64_t ahead_nbytes;     /* that the blocks may hold, 0 as long as nobody decodes ahead */
    uint64_t held_nbytes;      /* by them */
    uint64_t last_nbytes;      /* of the last one that was made */
    uint64_t ntext;            /* bytes that were read */
    struct stoa_buffer peeked; /* of them, that nobody has seen yet from */
    size_t npeeked;            /* here on */
    uint64_t used_nbytes;      /* compressed bytes that became them, about */
};

/* ---- Blocks. The mutex is not held. ---- */

static void block_free(struct block *block)
{
    if (block == NULL)
        return;
    stoa_buffer_free(&block->bytes);
    stoa_buffer_free(&block->text);
    stoa_free(block);
}

/* The next piece, as a block that waits; without one *block stays READY and empty. */
static enum stoa_status split_block(struct input *input, uint64_t room, struct block *block)
{
    struct stoa_unpack *unpack = &input->unpack;
    const bool only = unpack->compression->pieces_only;
    enum stoa_status st = STOA_OK;

    if (unpack->compression->split == NULL || (room == 0 && !only))
        return STOA_OK;
    if (room > SIZE_MAX / 2)
        room = SIZE_MAX / 2;
    block->piece.bytes = &block->bytes;
    block->offset = unpack->nused;
    st =
        stoa_unpack_split(unpack, (size_t)room / 4, (size_t)room / 2, &block->piece, &block->error);
    if (st == STOA_OK && block->bytes.nbytes > 0) {
        block->state = WAITING;
        block->held_nbytes = block->bytes.nbytes + block->piece.text_nbytes;
    } else if (st == STOA_OK && only) {
        block->end = true;
    }
    return st;
}

/* Text in order. */
static enum stoa_status fill_block(struct input *input, struct block *block)
{
    enum stoa_status st;
    size_t got;

    st = stoa_buffer_reserve(&block->text, BLOCK_NBYTES, &block->error.err);
    if (st != STOA_OK) {
        block->error.fault = STOA_UNPACK_BELOW;
        return st;
    }
    block->held_nbytes = BLOCK_NBYTES;
    while (block->text.nbytes < BLOCK_NBYTES) {
        STOA_TRY(stoa_unpack_text(&input->unpack, block->text.data + block->text.nbytes,
                                  BLOCK_NBYTES - block->text.nbytes, &got, &block->error));
        block->text.nbytes += got;
        block->end = got == 0;
        if (block->end)
            break;
    }
    return STOA_OK;
out:
    block->text.nbytes += got;
    return st;
}

/* A decoder for a piece: a spare one, or a new one. */
static enum stoa_status take_decoder(struct input *input, struct spare **out,
                                     struct stoa_error *err)
{
    struct spare *spare;
    enum stoa_status st;

    pthread_mutex_lock(&input->mutex);
    spare = input->spares;
    if (spare != NULL)
        input->spares = spare->next;
    pthread_mutex_unlock(&input->mutex);
    if (spare == NULL) {
        STOA_TRY(stoa_alloc_zeroed(&spare, 1, sizeof(*spare), err));
        STOA_TRY(input->unpack.compression->open(&spare->inflate, err));
    }
    *out = spare;
    return STOA_OK;
out:
    stoa_free(spare);
    return st;
}

static enum stoa_status decode_block(struct input *input, struct block *block)
{
    struct spare *spare;
    enum stoa_status st = take_decoder(input, &spare, &block->error.err);

    if (st != STOA_OK) {
        block->error.fault = STOA_UNPACK_DECODER;
        return st;
    }
    st = stoa_unpack_piece(input->unpack.compression, spare->inflate, &block->piece, &block->text,
                           &block->error);
    block->error.offset += block->offset;
    stoa_buffer_free(&block->bytes);
    pthread_mutex_lock(&input->mutex);
    spare->next = input->spares;
    input->spares = spare;
    pthread_mutex_unlock(&input->mutex);
    return st;
}

/* ---- The line. The mutex is held before and after. ---- */

static void set_held(struct input *input, struct block *block, uint64_t nbytes)
{
    input->held_nbytes -= block->held_nbytes;
    input->held_nbytes += nbytes;
    block->held_nbytes = nbytes;
}

static void run_block(struct input *input, struct block *block)
{
    block->state = RUNNING;
    pthread_mutex_unlock(&input->mutex);
    block->status = decode_block(input, block);
    pthread_mutex_lock(&input->mutex);
    block->state = READY;
    set_held(input, block, block->text.capacity);
    pthread_cond_broadcast(&input->changed);
}

/* Nothing is to be made any more behind an end or an error. */
static void append(struct input *input, struct block *block)
{
    if (input->last != NULL)
        input->last->next = block;
    else
        input->first = block;
    input->last = block;
    input->held_nbytes += block->held_nbytes;
    input->last_nbytes = block->held_nbytes;
    input->ended = block->end;
}

static void become_busy(struct input *input, bool splitting)
{
    input->busy = true;
    input->splitting = splitting;
    pthread_mutex_unlock(&input->mutex);
}

static void become_free(struct input *input)
{
    pthread_mutex_lock(&input->mutex);
    input->busy = input->splitting = false;
    pthread_cond_broadcast(&input->changed);
}

/*
 * Makes the next block: a piece for anybody, or text if `fill` is set. Returns false when there is
 * no piece and nothing was made. Memory that is out is an error of the block that there is not.
 */
static bool make_block(struct input *input, bool fill, enum stoa_status *status,
                       struct stoa_error *err)
{
    struct block *block = NULL;
    const uint64_t room = input->ahead_nbytes;
    bool made = false;

    become_busy(input, true);
    *status = stoa_alloc_zeroed(&block, 1, sizeof(*block), err);
    if (*status == STOA_OK) {
        block->state = READY;
        block->status = split_block(input, room, block);
        if (block->status == STOA_OK && block->state == READY && !block->end && fill) {
            pthread_mutex_lock(&input->mutex);
            input->splitting = false;
            pthread_cond_broadcast(&input->changed);
            pthread_mutex_unlock(&input->mutex);
            block->status = fill_block(input, block);
        }
        block->end |= block->status != STOA_OK;
        block->used_nbytes = input->unpack.nused;
        block->consumed_nbytes = input->below->consumed_nbytes;
        made = block->state == WAITING || block->text.nbytes > 0 || block->end;
    }
    become_free(input);
    if (made)
        append(input, block);
    else
        block_free(block);
    return made;
}

/* Does one piece of work in front of its turn, if there is some that fits the memory. */
static bool work_ahead(struct input *input)
{
    struct stoa_error err = {0};
    enum stoa_status st;
    bool made;

    for (struct block *block = input->first; block != NULL; block = block->next) {
        if (block->state == WAITING) {
            run_block(input, block);
            return true;
        }
    }
    if (input->busy || input->ended ||
        input->held_nbytes + input->last_nbytes > input->ahead_nbytes)
        return false;
    made = make_block(input, true, &st, &err);
    if (st != STOA_OK)
        input->lost = err;
    return made;
}

/* ---- Reading. The mutex is held before and after. ---- */

static enum stoa_status check_ratio(const struct input *input, struct stoa_error *err)
{
    if (input->ntext <= TEXT_NBYTES_ALWAYS || input->ntext / MAX_RATIO <= input->used_nbytes)
        return STOA_OK;
    return stoa_fail_at(
        err, STOA_ERR_LIMIT, input->used_nbytes,
        "%s: %" PRIu64 " bytes of %s data became %" PRIu64
        " bytes of text, more than %d times as many: unpack it first if it is meant",
        input->stream.name, input->used_nbytes, input->unpack.compression->name, input->ntext,
        MAX_RATIO);
}

static void finish(struct input *input, enum stoa_status st, const struct stoa_unpack_error *error)
{
    input->over = input->ended = true;
    input->status = st;
    if (st != STOA_OK)
        input->error = *error;
}

/* Takes text off the first block, and the block off the line behind its last byte. */
static void take_text(struct input *input, uint8_t *out, size_t nbytes, size_t *got)
{
    struct block *block = input->first;

    *got = block->text.nbytes - block->at < nbytes ? block->text.nbytes - block->at : nbytes;
    if (*got > 0)
        memcpy(out, block->text.data + block->at, *got);
    block->at += *got;
    input->used_nbytes = block->used_nbytes;
    if (block->at < block->text.nbytes)
        return;
    input->stream.consumed_nbytes = block->consumed_nbytes;
    if (block->end || block->status != STOA_OK)
        finish(input, block->status, &block->error);
    input->first = block->next;
    if (input->first == NULL)
        input->last = NULL;
    input->held_nbytes -= block->held_nbytes;
    block_free(block);
    pthread_cond_broadcast(&input->changed);
}

/* There is no block, and the stream is not busy: gets a piece, or text right where it goes. */
static enum stoa_status read_front(struct input *input, uint8_t *out, size_t nbytes, size_t *got,
                                   struct stoa_error *err)
{
    struct stoa_unpack_error error = {0};
    enum stoa_status st = STOA_OK;

    if (input->unpack.compression->split != NULL) {
        bool made = make_block(input, false, &st, err);

        if (made || st != STOA_OK)
            return st;
    }
    become_busy(input, false);
    st = stoa_unpack_text(&input->unpack, out, nbytes, got, &error);
    become_free(input);
    input->used_nbytes = input->unpack.nused;
    input->stream.consumed_nbytes = input->below->consumed_nbytes;
    if (st != STOA_OK || *got == 0)
        finish(input, st, &error);
    return STOA_OK;
}

static enum stoa_status read_packed(struct input *input, uint8_t *out, size_t nbytes, size_t *got,
                                    struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    while (*got == 0 && !input->over) {
        struct block *block = input->first;

        if (input->lost.status != STOA_OK) {
            st = input->lost.status;
            if (err != NULL)
                *err = input->lost;
            input->lost.status = STOA_OK;
            goto out;
        }
        if (block == NULL && !input->busy)
            STOA_TRY(read_front(input, out, nbytes, got, err));
        else if (block != NULL && block->state == WAITING)
            run_block(input, block);
        else if (block != NULL && block->state == READY)
            take_text(input, out, nbytes, got);
        else if (block == NULL || (!work_ahead(input) && block->state == RUNNING))
            pthread_cond_wait(&input->changed, &input->mutex);
    }
    input->ntext += *got;
    STOA_TRY(check_ratio(input, err));
    if (*got == 0 && input->status != STOA_OK)
        st = stoa_unpack_fail(&input->unpack, &input->error, input->ntext, err);
out:
    return st;
}

static enum stoa_status read_plain(struct input *input, uint8_t *out, size_t nbytes, size_t *got,
                                   struct stoa_error *err)
{
    struct stoa_unpack *unpack = &input->unpack;
    const size_t left = stoa_unpack_nbytes(unpack);
    enum stoa_status st = STOA_OK;

    if (left > 0) {
        *got = nbytes < left ? nbytes : left;
        memcpy(out, unpack->buffer.data + unpack->begin, *got);
        unpack->begin += *got;
    } else if (!unpack->at_end) {
        st = input->below->read(input->below, out, nbytes, got, err);
        unpack->at_end = st == STOA_OK && *got == 0;
    }
    input->stream.consumed_nbytes = input->below->consumed_nbytes;
    return st;
}

static enum stoa_status input_read(struct stoa_stream *stream, void *out, size_t nbytes,
                                   size_t *got, struct stoa_error *err)
{
    struct input *input = (struct input *)stream;
    const size_t npeeked = input->peeked.nbytes - input->npeeked;
    enum stoa_status st;

    assert(nbytes > 0);
    *got = 0;
    if (npeeked > 0) {
        *got = npeeked < nbytes ? npeeked : nbytes;
        memcpy(out, input->peeked.data + input->npeeked, *got);
        input->npeeked += *got;
        return STOA_OK;
    }
    if (input->unpack.compression == NULL)
        return read_plain(input, out, nbytes, got, err);
    pthread_mutex_lock(&input->mutex);
    st = read_packed(input, out, nbytes, got, err);
    pthread_mutex_unlock(&input->mutex);
    return st;
}

static bool input_prefetch(struct stoa_stream *stream, uint64_t max_nbytes)
{
    struct input *input = (struct input *)stream;
    bool did;

    pthread_mutex_lock(&input->mutex);
    input->ahead_nbytes = max_nbytes;
    did = work_ahead(input);
    while (!did && input->splitting) { /* soon there is a piece */
        pthread_cond_wait(&input->changed, &input->mutex);
        did = work_ahead(input);
    }
    pthread_mutex_unlock(&input->mutex);
    return did;
}

/* There is nothing to decode, but below there may be. */
static bool plain_prefetch(struct stoa_stream *stream, uint64_t max_nbytes)
{
    struct stoa_stream *below = ((struct input *)stream)->below;

    return below->prefetch(below, max_nbytes);
}

enum stoa_status stoa_decoded_peek(struct stoa_stream *stream, size_t want, const uint8_t **bytes,
                                   size_t *nbytes, struct stoa_error *err)
{
    struct input *input = (struct input *)stream;
    struct stoa_buffer peeked = {0};
    struct stoa_error own = {0};
    enum stoa_status st;
    size_t got = 1;

    STOA_TRY(stoa_buffer_reserve(&peeked, want, err));
    while (st == STOA_OK && got > 0 && peeked.nbytes < want) {
        st = stream->read(stream, peeked.data + peeked.nbytes, want - peeked.nbytes, &got, &own);
        peeked.nbytes += got;
    }
    if (st != STOA_OK && st != STOA_ERR_DATA && st != STOA_ERR_LIMIT) {
        if (err != NULL)
            *err = own;
        goto out;
    }
    st = STOA_OK;
    *bytes = peeked.data;
    *nbytes = peeked.nbytes;
    stoa_buffer_free(&input->peeked);
    input->peeked = peeked;
    input->npeeked = 0;
    peeked = (struct stoa_buffer){0};
out:
    stoa_buffer_free(&peeked);
    return st;
}

/* ---- Opening and closing. ---- */

static void input_close(struct stoa_stream *stream)
{
    struct input *input = (struct input *)stream;

    while (input->first != NULL) {
        struct block *block = input->first;

        input->first = block->next;
        block_free(block);
    }
    while (input->spares != NULL) {
        struct spare *spare = input->spares;

        input->spares = spare->next;
        input->unpack.compression->close(spare->inflate);
        stoa_free(spare);
    }
    stoa_unpack_reset(&input->unpack);
    stoa_buffer_free(&input->peeked);
    stoa_stream_close(input->below);
    pthread_mutex_destroy(&input->mutex);
    pthread_cond_destroy(&input->changed);
    stoa_free(input);
}

enum stoa_status stoa_decoded_open(struct stoa_stream *below,
                                   const struct stoa_compression *compression,
                                   struct stoa_stream **out, struct stoa_error *err)
{
    struct input *input = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&input, 1, sizeof(*input), err));
    pthread_mutex_init(&input->mutex, NULL); /* both can't fail on Linux */
    pthread_cond_init(&input->changed, NULL);
    input->stream = (struct stoa_stream){
        .read = input_read,
        .close = input_close,
        .name = below->name,
        .total_nbytes = below->total_nbytes,
    };
    STOA_TRY(stoa_unpack_init(&input->unpack, below, compression, err));
    if (input->unpack.compression != NULL)
        input->stream.prefetch = input_prefetch;
    else if (below->prefetch != NULL)
        input->stream.prefetch = plain_prefetch;
    input->stream.consumed_nbytes = below->consumed_nbytes;
    input->below = below;
    *out = &input->stream;
    input = NULL;
out:
    if (input != NULL)
        input_close(&input->stream);
    return st;
}

static enum stoa_status open_on(struct stoa_stream *below, struct stoa_stream **out,
                                struct stoa_error *err)
{
    enum stoa_status st = stoa_decoded_open(below, NULL, out, err);

    if (st != STOA_OK)
        stoa_stream_close(below);
    return st;
}

enum stoa_status stoa_stream_open(const char *path, struct stoa_stream **out,
                                  struct stoa_error *err)
{
    struct stoa_stream *below;
    enum stoa_status st = stoa_raw_open(path, &below, err);

    return st == STOA_OK ? open_on(below, out, err) : st;
}

enum stoa_status stoa_stream_open_memory(const void *bytes, size_t nbytes, const char *name,
                                         struct stoa_stream **out, struct stoa_error *err)
{
    struct stoa_stream *below;
    enum stoa_status st = stoa_raw_open_memory(bytes, nbytes, name, &below, err);

    return st == STOA_OK ? open_on(below, out, err) : st;
}
