/*
 * Encoders that nobody uses at the moment, without a lock.
 */
#include "file/encoder_pool.h"

#include "codec/chooser.h"

enum stoa_status stoa_rules_encoder(const struct stoa_rules *rules, bool checks,
                                    struct stoa_encoder **out, struct stoa_error *err)
{
    enum stoa_status st = stoa_encoder_new(out, rules->zstd_level, err);

    if (st != STOA_OK)
        return st;
    stoa_encoder_set_checks(*out, checks);
    stoa_encoder_set_inflate_cost(*out, rules->inflate_cost);
    return STOA_OK;
}

void stoa_encoder_pool_init(struct stoa_encoder_pool *pool, const struct stoa_rules *rules,
                            bool checks)
{
    for (unsigned i = 0; i < STOA_ENCODER_POOL_NSLOTS; i++)
        atomic_init(&pool->slots[i], NULL);
    pool->rules = rules;
    pool->checks = checks;
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
    return stoa_rules_encoder(pool->rules, pool->checks, out, err);
}

void stoa_encoder_pool_give(struct stoa_encoder_pool *pool, struct stoa_encoder *encoder)
{
    for (unsigned i = 0; i < STOA_ENCODER_POOL_NSLOTS; i++) {
        struct stoa_encoder *empty = NULL;

        if (atomic_compare_exchange_strong(&pool->slots[i], &empty, encoder))
            return;
    }
    stoa_encoder_free(encoder); /* more threads than slots */
}
