/*
 * Encoders that threads take when they need one and give back: as many exist as are used at once.
 */
#ifndef STOA_FILE_ENCODER_POOL_H
#define STOA_FILE_ENCODER_POOL_H

#include <stdatomic.h>

#include "base/crew.h"
#include "codec/page.h"
#include "file/rules.h"

#define STOA_ENCODER_POOL_NSLOTS 64

/* A slot is taken and filled by one exchange. */
struct stoa_encoder_pool {
    _Atomic(struct stoa_encoder *) slots[STOA_ENCODER_POOL_NSLOTS]; /* NULL: empty */
    const struct stoa_rules *rules;
    bool checks;
    struct stoa_crew *crew; /* shares what is done with the encoders; NULL: nobody does */
};

/* `rules` are borrowed; `checks`: see stoa_page_encode_checked(). Without a crew. */
void stoa_encoder_pool_init(struct stoa_encoder_pool *pool, const struct stoa_rules *rules,
                            bool checks);

/* Frees the encoders in it; all were given back. `{0}` is fine. */
void stoa_encoder_pool_reset(struct stoa_encoder_pool *pool);

/* Any thread. An encoder is used by one at a time. STOA_ERR_NOMEM. */
STOA_CHECK enum stoa_status stoa_encoder_pool_take(struct stoa_encoder_pool *pool,
                                                   struct stoa_encoder **out,
                                                   struct stoa_error *err);
void stoa_encoder_pool_give(struct stoa_encoder_pool *pool, struct stoa_encoder *encoder);

#endif
