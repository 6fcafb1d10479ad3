/*
 * Blocks that were left out (spec/avro.md, "Damaged files").
 */
#include "avro/avro_losses.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

enum {
    MAX_TOLD = 100,
    MAX_PLACES = 256, /* of a unit that are kept one by one */
};

void stoa_avro_losses_free(struct stoa_avro_losses *losses)
{
    if (losses == NULL)
        return;
    stoa_free(losses->items);
    stoa_free(losses);
}

static void notes_free(struct stoa_notes *notes)
{
    stoa_avro_losses_free((struct stoa_avro_losses *)notes);
}

enum stoa_status stoa_avro_losses_add(struct stoa_avro_losses **losses,
                                      const struct stoa_avro_loss *loss, const char *name,
                                      const struct stoa_error *why, struct stoa_error *err)
{
    struct stoa_avro_lost_place *place;
    struct stoa_error named = *why;
    enum stoa_status st;

    if (*losses == NULL) {
        STOA_TRY(stoa_alloc_zeroed(losses, 1, sizeof(**losses), err));
        (*losses)->base.free = notes_free;
    }
    if ((*losses)->nitems == MAX_PLACES) {
        place = &(*losses)->items[MAX_PLACES - 1];
        place->loss.nbytes += loss->nbytes;
        place->loss.nblocks += loss->nblocks;
        place->loss.nrows = stoa_avro_add_rows(place->loss.nrows, loss->nrows);
    } else {
        STOA_TRY(stoa_reserve(&(*losses)->items, &(*losses)->capacity, (*losses)->nitems + 1,
                              sizeof(*(*losses)->items), err));
        (*losses)->base.nbytes = (*losses)->capacity * sizeof(*place);
        place = &(*losses)->items[(*losses)->nitems++];
        *place = (struct stoa_avro_lost_place){.loss = *loss};
        (void)stoa_wrap(&named, STOA_ERR_DATA, "%s", name);
        memcpy(place->message, named.message, sizeof(place->message));
    }
    place->nplaces++;
    place->nuncounted += loss->nrows_unknown;
out:
    return st;
}

struct stoa_avro_loss stoa_avro_loss_of(const struct stoa_avro_block *block)
{
    return (struct stoa_avro_loss){
        .offset = block->begin,
        .nbytes = block->offset + block->nbytes + STOA_AVRO_SYNC_NBYTES - block->begin,
        .nblocks = 1,
        .nrows = block->nrows,
    };
}

static void tell(const struct stoa_avro_lost_place *place, bool is_last,
                 void (*note)(void *context, const char *message), void *note_context)
{
    const struct stoa_avro_loss *loss = &place->loss;
    char text[sizeof(place->message) + 160], rows[48];

    snprintf(rows, sizeof(rows), "%s%" PRIu64 " row%s",
             loss->nrows_unknown && loss->nrows > 0 ? "at least " : "", loss->nrows,
             loss->nrows == 1 ? "" : "s");
    snprintf(text, sizeof(text),
             "%s; left out: %" PRIu64 " block%s, %" PRIu64 " bytes from byte %" PRIu64 ", %s%s",
             place->message, loss->nblocks, loss->nblocks == 1 ? "" : "s", loss->nbytes,
             loss->offset,
             loss->nrows_unknown && loss->nrows == 0 ? "an unknown number of rows" : rows,
             is_last ? " (others are counted only)" : "");
    note(note_context, text);
}

enum stoa_status stoa_avro_losses_count(const struct stoa_avro_losses *losses, uint64_t max_places,
                                        void (*note)(void *context, const char *message),
                                        void *note_context, struct stoa_avro_lost *sum,
                                        struct stoa_error *err)
{
    for (size_t i = 0; i < losses->nitems; i++) {
        const struct stoa_avro_lost_place *place = &losses->items[i];

        if (max_places > 0 && sum->nplaces + place->nplaces > max_places)
            return stoa_fail(err, STOA_ERR_DATA,
                             "%s; blocks may be left out at %" PRIu64 " place%s, not at one more",
                             place->message, max_places, max_places == 1 ? "" : "s");
        if (sum->nplaces < MAX_TOLD && note != NULL)
            tell(place, sum->nplaces + 1 == MAX_TOLD, note, note_context);
        sum->nplaces += place->nplaces;
        sum->nblocks += place->loss.nblocks;
        sum->nbytes += place->loss.nbytes;
        sum->nrows = stoa_avro_add_rows(sum->nrows, place->loss.nrows);
        sum->nuncounted += place->nuncounted;
    }
    return STOA_OK;
}
