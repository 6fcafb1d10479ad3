/*
 * Dictionary segments of a damaged file (spec/format.md, "Dictionaries").
 *
 *     DICT a | DICT b (on a) | ... | DICT a, COPY | DICT b, COPY
 *
 * A segment may stand in several places: in line, as a copy, in each of two files joined into one.
 * Its id is a hash of its values and of the segment that it extends, so it does not matter which
 * place it is taken from, only that its values are those of its id. Chains are followed from their
 * first segments on; what stands behind a segment that is whole nowhere is not reached.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/hash.h"
#include "file/recover.h"
#include "file/segment_check.h"

#define MAX_COUNT (UINT32_C(1) << 20)
#define MAX_DIR_NBYTES                                                                             \
    (STOA_DICT_HEAD_NBYTES + MAX_COUNT / STOA_DICT_PAGE_NVALUES * STOA_PAGE_ENTRY_NBYTES)

/* An object whose directory is whole. */
struct place {
    uint64_t offset;
    uint64_t id;
    uint64_t dir_hash;
    struct stoa_dict_head head;
    uint32_t slot; /* of its id */
};

struct places {
    struct place *items; /* rising by the segment they extend, then by offset */
    size_t nitems;
};

/* The directory of an object; *whole tells whether it is right. */
static enum stoa_status read_place(struct stoa_recover *rec, const struct stoa_found *item,
                                   struct place *out, bool *whole, struct stoa_error *err)
{
    uint64_t room = rec->source->nbytes - item->offset - STOA_OBJECT_NBYTES;
    uint32_t nbytes = item->object.dir_nbytes, npages;
    uint8_t dir[MAX_DIR_NBYTES];
    enum stoa_status st;

    *whole = false;
    if (nbytes < STOA_DICT_HEAD_NBYTES || nbytes > sizeof(dir) || nbytes > room)
        return STOA_OK;
    STOA_TRY(
        rec->source->read_at(rec->source, item->offset + STOA_OBJECT_NBYTES, dir, nbytes, err));
    *out = (struct place){
        .offset = item->offset, .id = item->object.ref_id, .dir_hash = item->object.dir_hash};
    if (stoa_hash(dir, nbytes) != out->dir_hash ||
        stoa_dict_head_unpack(dir, &out->head, NULL) != STOA_OK)
        return STOA_OK;
    npages = (nbytes - STOA_DICT_HEAD_NBYTES) / STOA_PAGE_ENTRY_NBYTES;
    *whole = out->id != 0 && out->head.count > 0 && out->head.count <= MAX_COUNT &&
             (out->head.count + STOA_DICT_PAGE_NVALUES - 1) / STOA_DICT_PAGE_NVALUES == npages &&
             nbytes == STOA_DICT_HEAD_NBYTES + npages * STOA_PAGE_ENTRY_NBYTES;
out:
    return st;
}

static int compare_ids(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    return (x->id > y->id) - (x->id < y->id);
}

static int compare_prevs(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    if (x->head.prev_id != y->head.prev_id)
        return x->head.prev_id > y->head.prev_id ? 1 : -1;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

/* All places, and room for what becomes of them. */
static enum stoa_status find_places(struct stoa_recover *rec, struct places *out,
                                    struct stoa_error *err)
{
    struct stoa_recover_segments *segments = &rec->segments;
    size_t n = 0;
    enum stoa_status st;

    for (size_t i = 0; i < rec->found.nitems; i++)
        n += rec->found.items[i].object.kind == STOA_OBJECT_DICT;
    STOA_TRY(stoa_alloc_zeroed(&out->items, n, sizeof(out->items[0]), err));
    for (size_t i = 0; i < rec->found.nitems; i++) {
        bool whole = false;

        if (rec->found.items[i].object.kind != STOA_OBJECT_DICT)
            continue;
        STOA_TRY(read_place(rec, &rec->found.items[i], &out->items[out->nitems], &whole, err));
        out->nitems += whole;
    }
    n = out->nitems;
    STOA_TRY(
        stoa_alloc_zeroed(&segments->table.entries, n, sizeof(segments->table.entries[0]), err));
    STOA_TRY(stoa_alloc_zeroed(&segments->widths, n, sizeof(segments->widths[0]), err));
    STOA_TRY(stoa_alloc_zeroed(&segments->ids, n, sizeof(segments->ids[0]), err));
    if (n > 0)
        qsort(out->items, n, sizeof(out->items[0]), compare_ids);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || out->items[i].id != out->items[i - 1].id)
            segments->ids[segments->nids++] =
                (struct stoa_recover_segment_id){out->items[i].id, STOA_NONE32};
        out->items[i].slot = segments->nids - 1;
    }
    if (n > 0)
        qsort(out->items, n, sizeof(out->items[0]), compare_prevs);
out:
    return st;
}

/* The entry that the segment of a place has in a directory; false when it can have none. */
static bool make_entry(const struct stoa_recover_segments *segments, const struct place *place,
                       uint32_t prev, struct stoa_dictdir_entry *out)
{
    const struct stoa_dictdir_entry *before = NULL;

    if (prev != STOA_NONE32)
        before = &segments->table.entries[prev];
    *out = (struct stoa_dictdir_entry){
        .id = place->id,
        .offset = place->offset,
        .dir_hash = place->dir_hash,
        .prev_index = prev,
        .first_code = place->head.first_code,
        .count = place->head.count,
        .phys = place->head.phys,
    };
    return place->head.first_code == (before != NULL ? before->first_code + before->count : 0) &&
           place->head.first_code <= UINT32_MAX - place->head.count &&
           (before == NULL ||
            (before->phys == place->head.phys && segments->widths[prev] == place->head.width));
}

/* Takes the segment of a place as the next one if it is whole. */
static enum stoa_status try_place(struct stoa_recover *rec, struct stoa_decoder *decoder,
                                  const struct place *place, uint32_t prev, struct stoa_error *err)
{
    struct stoa_recover_segments *segments = &rec->segments;
    struct stoa_dictionary_table *table = &segments->table;
    struct stoa_footer objects = {.source = rec->source,
                                  .memory_nbytes = rec->memory_nbytes,
                                  .trailer.footer_off = rec->source->nbytes};
    uint32_t index = table->nentries;
    enum stoa_status st;

    if (segments->ids[place->slot].index != STOA_NONE32 ||
        !make_entry(segments, place, prev, &table->entries[index]))
        return STOA_OK;
    table->nentries++; /* the check looks at the entry */
    st = stoa_segment_check(&objects, decoder, table, index, place->offset, place->head.width, err);
    if (st != STOA_OK) {
        table->nentries--;
        return stoa_recover_is_damage(st) ? STOA_OK : st;
    }
    segments->widths[index] = place->head.width;
    segments->ids[place->slot].index = index;
    return STOA_OK;
}

/* Takes all places that extend segment `prev`. */
static enum stoa_status extend(struct stoa_recover *rec, struct stoa_decoder *decoder,
                               const struct places *places, uint32_t prev, struct stoa_error *err)
{
    uint64_t prev_id = prev != STOA_NONE32 ? rec->segments.table.entries[prev].id : 0;
    size_t low = 0, high = places->nitems;
    enum stoa_status st = STOA_OK;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (places->items[middle].head.prev_id < prev_id)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < places->nitems && places->items[low].head.prev_id == prev_id; low++)
        STOA_TRY(try_place(rec, decoder, &places->items[low], prev, err));
out:
    return st;
}

enum stoa_status stoa_recover_segments_init(struct stoa_recover *rec, struct stoa_error *err)
{
    struct stoa_decoder *decoder = NULL;
    struct places places = {0};
    enum stoa_status st;

    STOA_TRY(find_places(rec, &places, err));
    STOA_TRY(stoa_decoder_new(&decoder, err));
    STOA_TRY(extend(rec, decoder, &places, STOA_NONE32, err));
    for (uint32_t i = 0; i < rec->segments.table.nentries; i++)
        STOA_TRY(extend(rec, decoder, &places, i, err));
out:
    stoa_decoder_free(decoder);
    stoa_free(places.items);
    return st;
}

void stoa_recover_segments_reset(struct stoa_recover_segments *segments)
{
    stoa_free(segments->table.entries);
    stoa_free(segments->widths);
    stoa_free(segments->ids);
    *segments = (struct stoa_recover_segments){0};
}

static struct stoa_recover_segment_id *find_id(const struct stoa_recover_segments *segments,
                                               uint64_t id)
{
    size_t low = 0, high = segments->nids;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (segments->ids[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < segments->nids && segments->ids[low].id == id ? &segments->ids[low] : NULL;
}

uint32_t stoa_recover_segments_find(const struct stoa_recover_segments *segments, uint64_t id)
{
    const struct stoa_recover_segment_id *found = find_id(segments, id);

    return found != NULL ? found->index : STOA_NONE32;
}

void stoa_recover_segments_drop(struct stoa_recover_segments *segments, uint64_t id)
{
    struct stoa_recover_segment_id *found = find_id(segments, id);

    if (found != NULL)
        found->index = STOA_NONE32;
}
