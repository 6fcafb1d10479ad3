/*
 * The protocol of shared dictionaries (sequencer.h has its rules).
 *
 *     chain   values a b d | c f | e      codes 0 1 2 | 3 4 | 5     one hash table for all
 *     links          ^ id, end 3  ^ 5  ^ 6
 *
 *     row group   distinct f x b  ->  codes 4 - 1, miss x  ->  ways of sequencer.h
 *
 * A chunk names the last segment that it needs, not the last that there is: a reader loads no more.
 */
#include "file/sequencer.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

#define MISS UINT32_MAX

struct link {
    uint64_t id;
    uint32_t index;
    uint32_t end; /* the first code behind the segment */
};

struct chain {
    struct stoa_distinct *set; /* NULL: no epoch yet */
    struct link *links;
    size_t nlinks, capacity;
    uint64_t put_nbytes;   /* what the row groups put into it, */
    uint64_t found_nbytes; /* and what they found in it */
};

struct column {
    struct stoa_chunk_plan plan; /* of the last chooser group */
    struct chain chain;
    unsigned nbarren; /* epochs without gain in a row */
    bool left;        /* shared dictionaries, until the next chooser group */
};

struct stoa_sequencer {
    const struct stoa_rules *rules;
    uint64_t chain_max_nbytes;
    uint32_t ncolumns;
    uint32_t nsegments;
    struct column columns[];
};

void stoa_sequencer_bounds(const struct stoa_rules *rules, uint32_t ntexts, uint64_t nrows,
                           uint32_t *max_count, uint64_t *max_nbytes)
{
    uint64_t most = nrows / 4 * 3 + nrows % 4 * 3 / 4, share;

    share = rules->shared_all_nbytes / (ntexts > 0 ? ntexts : 1);
    *max_count = most < rules->shared_max_count ? (uint32_t)most : rules->shared_max_count;
    *max_nbytes = share < rules->shared_max_nbytes ? share : rules->shared_max_nbytes;
}

enum stoa_status stoa_sequencer_new(struct stoa_sequencer **out, const struct stoa_rules *rules,
                                    uint32_t ncolumns, uint32_t ntexts, struct stoa_error *err)
{
    struct stoa_sequencer *sequencer;
    uint32_t max_count;
    enum stoa_status st = stoa_alloc_zeroed(
        &sequencer, 1, sizeof(*sequencer) + ncolumns * sizeof(struct column), err);

    if (st != STOA_OK)
        return st;
    sequencer->rules = rules;
    sequencer->ncolumns = ncolumns;
    stoa_sequencer_bounds(rules, ntexts, 0, &max_count, &sequencer->chain_max_nbytes);
    *out = sequencer;
    return STOA_OK;
}

static void chain_reset(struct chain *chain)
{
    stoa_distinct_free(chain->set);
    stoa_free(chain->links);
    *chain = (struct chain){0};
}

void stoa_sequencer_free(struct stoa_sequencer *sequencer)
{
    if (sequencer == NULL)
        return;
    for (uint32_t i = 0; i < sequencer->ncolumns; i++)
        chain_reset(&sequencer->columns[i].chain);
    stoa_free(sequencer);
}

void stoa_sequenced_reset(struct stoa_sequenced *sequenced)
{
    stoa_free(sequenced->codes);
    stoa_values_reset(&sequenced->extension);
    stoa_segment_reset(&sequenced->segment);
    *sequenced = (struct stoa_sequenced){0};
}

/* A row group's distinct values held against a chain. */
struct lookup {
    struct stoa_vector values;
    uint32_t *codes;  /* by distinct value; MISS: not in the chain */
    uint32_t *misses; /* which these are */
    uint32_t nmisses;
    uint64_t miss_nbytes;  /* with a byte each for the length */
    uint64_t total_nbytes; /* of all distinct values, so too */
};

/* Looks all values up; without a chain all are misses. codes and misses have room. */
static void look_up(const struct chain *chain, struct lookup *l)
{
    const int32_t *offsets = l->values.offsets;

    l->nmisses = 0;
    l->miss_nbytes = 0;
    l->total_nbytes = stoa_vector_nbytes(&l->values) + l->values.nvalues;
    if (chain->set != NULL)
        stoa_distinct_find(chain->set, &l->values, l->codes);
    else
        memset(l->codes, 0xff, l->values.nvalues * sizeof(l->codes[0]));
    for (uint32_t i = 0; i < l->values.nvalues; i++) {
        if (l->codes[i] != MISS)
            continue;
        l->misses[l->nmisses++] = i;
        l->miss_nbytes += (uint64_t)(offsets[i + 1] - offsets[i]) + 1;
    }
}

/* The misses in the order of their values; their codes become first, first + 1, ... */
static enum stoa_status number_misses(struct lookup *l, uint32_t first, struct stoa_values *sorted,
                                      struct stoa_error *err)
{
    struct stoa_values taken = {0};
    struct stoa_distinct *set = NULL;
    uint32_t *order = NULL;
    bool complete;
    enum stoa_status st;

    STOA_TRY(stoa_values_take(&taken, &l->values, l->misses, l->nmisses, err));
    STOA_TRY(stoa_distinct_new(&set, l->values.phys, l->values.width, err));
    STOA_TRY(stoa_alloc(&order, l->nmisses * sizeof(order[0]), err));
    STOA_TRY(stoa_distinct_add(set, &taken.vector, l->nmisses, UINT64_MAX, order, &complete, err));
    assert(complete && stoa_distinct_count(set) == l->nmisses);
    STOA_TRY(stoa_distinct_order(set, order, err));
    for (uint32_t rank = 0; rank < l->nmisses; rank++) {
        order[rank] = l->misses[order[rank]];
        l->codes[order[rank]] = first + rank;
    }
    STOA_TRY(stoa_values_take(sorted, &l->values, order, l->nmisses, err));
out:
    stoa_values_reset(&taken);
    stoa_distinct_free(set);
    stoa_free(order);
    return st;
}

/* The segment of the highest code that the row group found; there is one. */
static const struct link *last_needed(const struct chain *chain, const struct lookup *l)
{
    uint32_t highest = 0;
    size_t k = 0;

    for (uint32_t i = 0; i < l->values.nvalues; i++)
        if (l->codes[i] != MISS && l->codes[i] > highest)
            highest = l->codes[i];
    while (chain->links[k].end <= highest)
        k++;
    return &chain->links[k];
}

static void use_link(struct stoa_sequenced *out, const struct link *link)
{
    out->dict_id = link->id;
    out->dict_index = link->index;
}

/* Some values are in the chain, and those that are not go with the chunk. */
static enum stoa_status extend(struct chain *chain, struct lookup *l, struct stoa_sequenced *out,
                               struct stoa_error *err)
{
    const struct link *link = last_needed(chain, l);

    use_link(out, link);
    out->ncodes = link->end + l->nmisses;
    chain->found_nbytes += l->total_nbytes - l->miss_nbytes;
    return l->nmisses == 0 ? STOA_OK : number_misses(l, link->end, &out->extension, err);
}

/* The misses become the next segment of the chain, or its first one. */
static enum stoa_status publish(struct stoa_sequencer *sequencer, struct chain *chain,
                                struct lookup *l, struct stoa_sequenced *out,
                                struct stoa_error *err)
{
    const struct link *before = chain->nlinks > 0 ? &chain->links[chain->nlinks - 1] : NULL;
    struct stoa_segment *segment = &out->segment;
    const struct stoa_vector *values = &segment->values.vector;
    uint32_t *codes = NULL;
    bool complete;
    enum stoa_status st;

    if (chain->set == NULL)
        STOA_TRY(stoa_distinct_new(&chain->set, l->values.phys, l->values.width, err));
    segment->phys = l->values.phys;
    segment->count = l->nmisses;
    segment->index = sequencer->nsegments;
    segment->prev_id = before != NULL ? before->id : 0;
    segment->prev_index = before != NULL ? before->index : STOA_NONE32;
    segment->first_code = before != NULL ? before->end : 0;
    STOA_TRY(number_misses(l, segment->first_code, &segment->values, err));
    STOA_TRY(stoa_segment_id(segment->prev_id, values, &segment->id, err));

    STOA_TRY(stoa_alloc(&codes, l->nmisses * sizeof(codes[0]), err));
    STOA_TRY(stoa_distinct_add(chain->set, values, UINT32_MAX, UINT64_MAX, codes, &complete, err));
    assert(complete && codes[0] == segment->first_code);
    STOA_TRY(stoa_reserve(&chain->links, &chain->capacity, chain->nlinks + 1,
                          sizeof(chain->links[0]), err));
    chain->links[chain->nlinks++] =
        (struct link){segment->id, segment->index, segment->first_code + l->nmisses};
    chain->put_nbytes += l->miss_nbytes;
    chain->found_nbytes += l->total_nbytes - l->miss_nbytes;
    sequencer->nsegments++;
    out->has_segment = true;
    use_link(out, &chain->links[chain->nlinks - 1]);
    out->ncodes = segment->first_code + l->nmisses;
out:
    stoa_free(codes);
    return st;
}

/* Whether the misses are better kept in the chunk than in an object of their own. */
static bool is_cheap(const struct stoa_rules *rules, const struct stoa_chunk_plan *plan,
                     const struct lookup *l, uint64_t nvalues)
{
    uint64_t chunk = stoa_chunk_plan_scale(plan, plan->codes.nbytes, nvalues);

    return l->nmisses < l->values.nvalues &&
           (l->miss_nbytes < rules->segment_nbytes ||
            l->miss_nbytes * 100 < chunk * rules->extension_percent);
}

/* Whether the chain is of no more use to the row group, or has no room for it. */
static bool ends_epoch(const struct stoa_sequencer *sequencer, const struct chain *chain,
                       const struct lookup *l)
{
    const struct stoa_rules *rules = sequencer->rules;
    uint64_t count = (uint64_t)stoa_distinct_count(chain->set) + l->nmisses;
    uint64_t nbytes = stoa_distinct_nbytes(chain->set) + l->miss_nbytes;

    return (uint64_t)l->nmisses * 100 > (uint64_t)l->values.nvalues * rules->epoch_percent ||
           count > rules->shared_max_count || nbytes > sequencer->chain_max_nbytes;
}

/* Ends the epoch; false when the column leaves shared dictionaries. */
static bool next_epoch(const struct stoa_rules *rules, struct column *column)
{
    struct chain *chain = &column->chain;

    column->nbarren = chain->found_nbytes >= chain->put_nbytes ? 0 : column->nbarren + 1;
    chain_reset(chain);
    column->left = column->nbarren >= rules->barren_epochs;
    return !column->left;
}

static enum stoa_status settle_shared(struct stoa_sequencer *sequencer, struct column *column,
                                      struct lookup *l, uint64_t nvalues,
                                      struct stoa_sequenced *out, struct stoa_error *err)
{
    struct chain *chain = &column->chain;

    look_up(chain, l);
    if (chain->set == NULL)
        return publish(sequencer, chain, l, out, err);
    if (l->nmisses == 0 || is_cheap(sequencer->rules, &column->plan, l, nvalues))
        return extend(chain, l, out, err);
    if (ends_epoch(sequencer, chain, l)) {
        if (!next_epoch(sequencer->rules, column)) {
            out->mode = column->plan.local_pays ? STOA_CHUNK_LOCAL : STOA_CHUNK_PLAIN;
            return STOA_OK;
        }
        look_up(chain, l);
    }
    return publish(sequencer, chain, l, out, err);
}

/* What the plan says, as far as this row group can do it. */
static enum stoa_chunk_mode planned_mode(const struct column *column,
                                         const struct stoa_chunk_distinct *distinct)
{
    const struct stoa_chunk_plan *plan = &column->plan;

    if (plan->mode != STOA_CHUNK_SHARED)
        return plan->mode;
    if (distinct->set == NULL)
        return STOA_CHUNK_PLAIN;
    if (column->left)
        return plan->local_pays ? STOA_CHUNK_LOCAL : STOA_CHUNK_PLAIN;
    return STOA_CHUNK_SHARED;
}

enum stoa_status stoa_sequencer_settle(struct stoa_sequencer *sequencer, uint32_t column_number,
                                       const struct stoa_chunk_distinct *distinct,
                                       const struct stoa_chunk_plan *chosen, uint64_t nvalues,
                                       struct stoa_sequenced *out, struct stoa_error *err)
{
    struct column *column = &sequencer->columns[column_number];
    struct stoa_sequenced settled = {0};
    struct lookup l = {0};
    enum stoa_status st = STOA_OK;

    if (chosen != NULL) {
        column->plan = *chosen;
        if (column->left) /* a new trial */
            column->nbarren = 0;
        column->left = false;
    }
    settled.plan = column->plan;
    settled.mode = planned_mode(column, distinct);
    if (settled.mode == STOA_CHUNK_SHARED) {
        l.values = stoa_distinct_values(distinct->set);
        STOA_TRY(stoa_alloc(&l.codes, l.values.nvalues * sizeof(l.codes[0]), err));
        STOA_TRY(stoa_alloc(&l.misses, l.values.nvalues * sizeof(l.misses[0]), err));
        STOA_TRY(settle_shared(sequencer, column, &l, nvalues, &settled, err));
    }
    if (settled.mode == STOA_CHUNK_SHARED) {
        settled.codes = l.codes;
        l.codes = NULL;
    }
    *out = settled;
    settled = (struct stoa_sequenced){0};
out:
    stoa_sequenced_reset(&settled);
    stoa_free(l.codes);
    stoa_free(l.misses);
    return st;
}

uint64_t stoa_sequencer_memory(const struct stoa_sequencer *sequencer)
{
    uint64_t nbytes = 0;

    for (uint32_t i = 0; i < sequencer->ncolumns; i++) {
        const struct chain *chain = &sequencer->columns[i].chain;

        if (chain->set != NULL)
            nbytes += stoa_distinct_memory(chain->set);
    }
    return nbytes;
}
