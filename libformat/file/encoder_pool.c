/*
 * Encoders that nobody uses at the moment, without a lock.
 */
#include "file/encoder_pool.h"

#include "codec/chooser.h"

/* An encoder as the rules want it. */
static enum stoa_status new_encoder(const struct stoa_encoder_pool *pool, struct stoa_encoder **out,
                                    struct stoa_error *err)
{
    enum stoa_status st = stoa_encoder_new(out, pool->rules->zstd_level, err);

    if (st != STOA_OK)
        return st;
    stoa_encoder_set_checks(*out, pool->checks);
    stoa_encoder_set_inflate_cost(*out, pool->rules->inflate_cost);
    return STOA_OK;
}

void stoa_encoder_pool_init(struct stoa_encoder_pool *pool, const struct stoa_rules *rules,
                            bool checks)
{
    for (unsigned i = 0; i < STOA_ENCODER_POOL_NSLOTS; i++)
        atomic_init(&pool->slots[i], NULL);
    pool->rules = rules;
    pool->checks = checks;
    pool->crew = NULL;
}

void stoa_encoder_pool_reset(struct stoa_encoder_pool *pool)
{
    for (unsigned i = 0; i < STOA_ENCODER_POOL_NSLOTS; i++)
        stoa_encoder_free(atomic_exchange(&pool->slots[i], NULL));
}

enum stoa_status stoa_encoder_pool_take(struct stoa_encoder_pool *pool, struct stoa_encoder **out,
                                        struct stoa_error *err)
{
    for (unsigned i = 0; i < STOA_ENCODER_POOL_NSLOTS; i++) {
        *out = atomic_exchange(&pool->slots[i], NULL);
        if (*out != NULL)
            return STOA_OK;
    }
    return new_encoder(pool, out, err);
}

void stoa_encoder_pool_give(struct stoa_encoder_pool *pool, struct stoa_encoder *encoder)
{
    stoa_encoder_trim(encoder); /* another one may get the next large pages */
    for (unsigned i = 0; i < STOA_ENCODER_POOL_NSLOTS; i++) {
        struct stoa_encoder *empty = NULL;

        if (atomic_compare_exchange_strong(&pool->slots[i], &empty, encoder))
            return;
    }
    stoa_encoder_free(encoder); /* more threads than slots */
}
