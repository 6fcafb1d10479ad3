/*
 * Blocks that were left out: those of a unit, which any thread finds, and their sum, in order.
 */
#ifndef STOA_AVRO_AVRO_LOSSES_H
#define STOA_AVRO_AVRO_LOSSES_H

#include <stoa/avro.h>

#include "avro/avro_container.h"
#include "column/source.h"

/* One place: what is left out, and what is wrong there. The last of many stands for more. */
struct stoa_avro_lost_place {
    struct stoa_avro_loss loss;
    uint64_t nplaces;
    uint64_t nuncounted; /* of these, whose rows can't be told */
    char message[STOA_ERROR_MESSAGE_NBYTES];
};

/* The notes of a unit. */
struct stoa_avro_losses {
    struct stoa_notes base;
    struct stoa_avro_lost_place *items;
    size_t nitems;
    size_t capacity;
};

/* Adds a place to *losses, which is made where it is NULL. `name` is that of the input. */
STOA_CHECK enum stoa_status stoa_avro_losses_add(struct stoa_avro_losses **losses,
                                                 const struct stoa_avro_loss *loss,
                                                 const char *name, const struct stoa_error *why,
                                                 struct stoa_error *err);
void stoa_avro_losses_free(struct stoa_avro_losses *losses); /* NULL is fine */

/* All of a block that has a marker behind it. */
struct stoa_avro_loss stoa_avro_loss_of(const struct stoa_avro_block *block);

/*
 * Adds those of a unit to the sum, and tells of them while they are few. STOA_ERR_DATA when there
 * are more than max_places (0: any number).
 */
STOA_CHECK enum stoa_status stoa_avro_losses_count(const struct stoa_avro_losses *losses,
                                                   uint64_t max_places,
                                                   void (*note)(void *context, const char *message),
                                                   void *note_context, struct stoa_avro_lost *sum,
                                                   struct stoa_error *err);

#endif
