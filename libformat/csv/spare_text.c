/*
 * A handful of blocks of memory, the largest taken first.
 *
 * Blocks count with what was written of them: what was not has no memory behind it yet.
 */
#include "csv/spare_text.h"

void stoa_csv_spares_init(struct stoa_csv_spares *spares, uint64_t max_nbytes)
{
    *spares = (struct stoa_csv_spares){.max_nbytes = max_nbytes};
    pthread_mutex_init(&spares->mutex, NULL); /* can't fail on Linux */
}

void stoa_csv_spares_reset(struct stoa_csv_spares *spares)
{
    for (size_t i = 0; i < spares->nitems; i++)
        stoa_buffer_free(&spares->items[i]);
    pthread_mutex_destroy(&spares->mutex);
}

/* There is one. */
static size_t largest(const struct stoa_csv_spares *spares)
{
    size_t best = 0;

    for (size_t i = 1; i < spares->nitems; i++)
        if (spares->items[i].nbytes > spares->items[best].nbytes)
            best = i;
    return best;
}

struct stoa_buffer stoa_csv_spares_take(struct stoa_csv_spares *spares)
{
    struct stoa_buffer block = {0};

    if (spares == NULL)
        return block;
    pthread_mutex_lock(&spares->mutex);
    if (spares->nitems > 0) {
        const size_t i = largest(spares);

        block = spares->items[i];
        spares->items[i] = spares->items[--spares->nitems];
        spares->nbytes -= block.nbytes;
    }
    pthread_mutex_unlock(&spares->mutex);
    return block;
}

/* Puts the block in the place of the smallest one if that is smaller. */
static void exchange(struct stoa_csv_spares *spares, struct stoa_buffer *block)
{
    struct stoa_buffer *least = &spares->items[0], smaller;

    for (size_t i = 1; i < spares->nitems; i++)
        if (spares->items[i].nbytes < least->nbytes)
            least = &spares->items[i];
    if (least->nbytes >= block->nbytes)
        return;
    smaller = *least;
    *least = *block;
    spares->nbytes += block->nbytes - smaller.nbytes;
    *block = smaller;
}

void stoa_csv_spares_give(struct stoa_csv_spares *spares, struct stoa_buffer block,
                          uint64_t beside_nbytes)
{
    pthread_mutex_lock(&spares->mutex);
    if (spares->nbytes + block.nbytes + beside_nbytes > spares->max_nbytes || block.data == NULL) {
        /* too much, or nothing */
    } else if (spares->nitems == STOA_CSV_MAX_SPARES) {
        exchange(spares, &block);
    } else {
        spares->items[spares->nitems++] = block;
        spares->nbytes += block.nbytes;
        block = (struct stoa_buffer){0};
    }
    pthread_mutex_unlock(&spares->mutex);
    stoa_buffer_free(&block);
}

uint64_t stoa_csv_spares_nbytes(struct stoa_csv_spares *spares, uint64_t text_nbytes)
{
    uint64_t nbytes, next = 0;

    pthread_mutex_lock(&spares->mutex);
    nbytes = spares->nbytes;
    if (spares->nitems > 0)
        next = spares->items[largest(spares)].nbytes;
    pthread_mutex_unlock(&spares->mutex);
    return nbytes - next + (text_nbytes > next ? text_nbytes : next);
}
