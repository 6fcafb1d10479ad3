/*
 * From candidates to plans (derive.h).
 *
 *     candidates      c = a + b    d by (a, b)    a by c    ...      a sample speaks for them
 *     trials          11 -> 0.1    4 -> 0.2       9 -> 3             bytes, of all rows
 *     choice          c = a + b    d by (a, b)                       "a by c" would make a chain
 */
#include "file/derive.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "column/array.h"

/* ---- Bases for the encoder ---- */

uint32_t stoa_derive_pack(const struct stoa_writer_group *group,
                          const struct stoa_chunk_relation *relation)
{
    uint32_t numbers[STOA_NBASES];

    for (unsigned k = 0; k < STOA_NBASES; k++) {
        numbers[k] = relation->nodes[k];
        if (numbers[k] != STOA_BASE_NONE)
            numbers[k] = stoa_group_number(group, numbers[k]);
    }
    return stoa_bases_pack(numbers);
}

static enum stoa_status make_words(struct stoa_derived_from *from, unsigned k,
                                   const struct stoa_type *type, const struct stoa_array *array,
                                   struct stoa_error *err)
{
    enum stoa_status st =
        stoa_array_alloc_buffer(&from->words[k], array->nvalues * sizeof(from->words[k][0]), err);

    if (st != STOA_OK)
        return st;
    stoa_base_words(type, array, 0, array->nvalues, from->words[k]);
    from->derivation.bases.words[k] = from->words[k];
    return STOA_OK;
}

enum stoa_status stoa_derived_from_init(struct stoa_derived_from *out,
                                        const struct stoa_schema_node *nodes,
                                        const struct stoa_writer_group *group,
                                        const struct stoa_chunk_relation *relation,
                                        struct stoa_error *err)
{
    struct stoa_derived_from from = {0};
    struct stoa_base_arrays arrays = {.nvalues = group->nrows};
    enum stoa_status st = STOA_OK;

    memcpy(from.derivation.multipliers, relation->multipliers, sizeof(relation->multipliers));
    from.derivation.bases.end = group->nrows;
    for (unsigned k = 0; k < STOA_NBASES && relation->nodes[k] != STOA_BASE_NONE; k++) {
        const struct stoa_group_node *node = &group->nodes[relation->nodes[k]];

        arrays.types[k] = &nodes[relation->nodes[k]].field->type;
        arrays.arrays[k] = &node->array;
        /* Codes compare all bits of a value, keys 64 (stoa_base_words()): decimals may have more.
         */
        if (node->distinct.set != NULL && node->array.nnulls == 0 &&
            stoa_phys_width(node->values.phys) <= sizeof(uint64_t)) {
            arrays.codes[k] = node->distinct.codes;
            arrays.counts[k] = stoa_distinct_count(node->distinct.set);
        }
        if (!relation->looks_up)
            STOA_TRY(make_words(&from, k, arrays.types[k], arrays.arrays[k], err));
    }
    if (relation->looks_up) {
        STOA_TRY(stoa_base_keys(&arrays, &from.keys, &from.derivation.bases.nkeys, err));
        from.derivation.bases.keys = from.keys;
    }
    *out = from;
    from = (struct stoa_derived_from){0};
out:
    stoa_derived_from_reset(&from);
    return st;
}

void stoa_derived_from_reset(struct stoa_derived_from *from)
{
    for (unsigned k = 0; k < STOA_NBASES; k++)
        stoa_free(from->words[k]);
    stoa_free(from->keys);
    *from = (struct stoa_derived_from){0};
}

/* ---- Trials ---- */

struct trial {
    const struct stoa_derive_candidate *candidate;
    struct stoa_choice choice;
    uint64_t gain; /* bytes of the row group; 0: none */
};

/* What the plan at hand takes. */
static uint64_t plan_nbytes(const struct stoa_chunk_plan *plan)
{
    return plan->mode == STOA_CHUNK_LOCAL ? plan->codes.nbytes + plan->entries_nbytes
                                          : plan->plain.nbytes;
}

/* Puts a derived root above the plans of its children. */
static void add_root(struct stoa_choice *choice, enum stoa_encoding_id root, unsigned phys,
                     const struct stoa_plan *firsts, const struct stoa_plan *residuals)
{
    const struct stoa_plan_node pfor = {STOA_PFOR, (uint8_t)phys, false};
    struct stoa_plan *plan = &choice->plan;
    unsigned nfirsts = firsts != NULL ? firsts->nnodes : 0;

    plan->nodes[0] = (struct stoa_plan_node){(uint8_t)root, (uint8_t)phys, false};
    plan->nnodes = (uint8_t)(1 + nfirsts + residuals->nnodes);
    if (plan->nnodes <= STOA_PLAN_MAX_NODES) {
        if (firsts != NULL)
            memcpy(plan->nodes + 1, firsts->nodes, nfirsts * sizeof(plan->nodes[0]));
        memcpy(plan->nodes + 1 + nfirsts, residuals->nodes,
               residuals->nnodes * sizeof(plan->nodes[0]));
    }
    if (plan->nnodes > STOA_PLAN_MAX_NODES || !stoa_plan_is_allowed(plan, (enum stoa_phys)phys)) {
        plan->nnodes = firsts != NULL ? 3 : 2;
        plan->nodes[1] = plan->nodes[2] = pfor;
    }
}

static enum stoa_status try_linear(struct stoa_encoder *encoder, const struct stoa_group_node *node,
                                   const struct stoa_derived_from *from, struct stoa_choice *out,
                                   struct stoa_error *err)
{
    const struct stoa_vector *values = &node->values.physical.vector;
    struct stoa_vector residuals = *values;
    struct stoa_choice choice;
    uint8_t *room = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_array_alloc_buffer(&room, values->nvalues * values->width, err));
    stoa_linear_residuals(values, &from->derivation,
                          node->array.nnulls > 0 ? node->array.validity : NULL, 0, room);
    residuals.values = room;
    STOA_TRY(stoa_chooser_choose(encoder, &residuals, false, &choice, err));
    out->nbytes = choice.nbytes;
    add_root(out, STOA_LINEAR, values->phys, NULL, &choice.plan);
out:
    stoa_free(room);
    return st;
}

static void free_split(struct stoa_lookup_split *split)
{
    stoa_free(split->numbers);
    stoa_free(split->votes);
    stoa_free(split->firsts);
    stoa_free(split->residuals);
}

/* First values and residuals of all rows as pages of the largest size have them. */
static enum stoa_status split_pages(const struct stoa_vector *values, const uint8_t *validity,
                                    const struct stoa_bases *bases, struct stoa_lookup_split *split,
                                    struct stoa_error *err)
{
    size_t n = values->nvalues, width = values->width, nfirsts = 0;
    uint8_t *firsts, *residuals;
    enum stoa_status st;

    *split = (struct stoa_lookup_split){
        .width = values->width, .validity = validity, .nkeys = bases->nkeys};
    STOA_TRY(stoa_array_alloc_buffer(&split->numbers, split->nkeys * sizeof(uint32_t), err));
    STOA_TRY(stoa_array_alloc_buffer(&split->votes, n * sizeof(uint32_t), err));
    STOA_TRY(stoa_array_alloc_buffer(&split->firsts, n * width, err));
    STOA_TRY(stoa_array_alloc_buffer(&split->residuals, n * width, err));
    firsts = split->firsts;
    residuals = split->residuals;
    for (size_t begin = 0; begin < n; begin += STOA_PAGE_MAX_NVALUES) {
        size_t left = n - begin;

        split->values = values->values + begin * width;
        split->nvalues = left < STOA_PAGE_MAX_NVALUES ? left : STOA_PAGE_MAX_NVALUES;
        split->first_bit = begin;
        split->keys = bases->keys + begin;
        split->firsts = firsts + nfirsts * width;
        split->residuals = residuals + begin * width;
        stoa_lookup_split(split);
        nfirsts += split->nfirsts;
    }
    split->firsts = firsts;
    split->residuals = residuals;
    split->nfirsts = (uint32_t)nfirsts;
out:
    return st;
}

static enum stoa_status try_lookup(struct stoa_encoder *encoder, const struct stoa_group_node *node,
                                   const struct stoa_derived_from *from, struct stoa_choice *out,
                                   struct stoa_error *err)
{
    const struct stoa_vector *values = &node->values.physical.vector;
    struct stoa_vector firsts = *values, residuals = *values;
    struct stoa_choice of_firsts, of_residuals;
    struct stoa_lookup_split split;
    enum stoa_status st;

    STOA_TRY(split_pages(values, node->array.nnulls > 0 ? node->array.validity : NULL,
                         &from->derivation.bases, &split, err));
    firsts.values = split.firsts;
    firsts.nvalues = split.nfirsts;
    residuals.values = split.residuals;
    STOA_TRY(stoa_chooser_choose(encoder, &firsts, false, &of_firsts, err));
    STOA_TRY(stoa_chooser_choose(encoder, &residuals, false, &of_residuals, err));
    out->nbytes = of_firsts.nbytes + of_residuals.nbytes;
    add_root(out, STOA_LOOKUP, values->phys, &of_firsts.plan, &of_residuals.plan);
out:
    free_split(&split);
    return st;
}

/* Whether it is worth the bases that a reader decodes with it; a look-up costs more. */
static bool pays(const struct stoa_chunk_relation *relation, uint64_t nbytes, uint64_t before)
{
    return nbytes + 256 < before && nbytes < before - before / (relation->looks_up ? 3 : 10);
}

static enum stoa_status try(struct stoa_encoder *encoder, const struct stoa_schema_node *nodes,
                            const struct stoa_writer_group *group, struct trial *trial,
                            struct stoa_error *err)
{
    const struct stoa_chunk_relation *relation = &trial->candidate->relation;
    const struct stoa_group_node *node = &group->nodes[trial->candidate->target];
    uint64_t before = plan_nbytes(&node->chosen);
    struct stoa_derived_from from = {0};
    enum stoa_status st;

    STOA_TRY(stoa_derived_from_init(&from, nodes, group, relation, err));
    if (relation->looks_up)
        STOA_TRY(try_lookup(encoder, node, &from, &trial->choice, err));
    else
        STOA_TRY(try_linear(encoder, node, &from, &trial->choice, err));
    if (pays(relation, trial->choice.nbytes, before))
        trial->gain = before - trial->choice.nbytes;
out:
    stoa_derived_from_reset(&from);
    return st;
}

/* ---- The choice ---- */

enum { FREE, IS_BASE, IS_DERIVED };

/* Takes a trial if it leaves every column a base or derived, not both. */
static bool take(const struct trial *trial, uint8_t *roles)
{
    const struct stoa_derive_candidate *candidate = trial->candidate;
    bool fits = trial->gain > 0 && roles[candidate->target] == FREE;

    for (unsigned k = 0; k < STOA_NBASES; k++)
        if (candidate->relation.nodes[k] != STOA_BASE_NONE)
            fits = fits && roles[candidate->relation.nodes[k]] != IS_DERIVED;
    if (!fits)
        return false;
    roles[candidate->target] = IS_DERIVED;
    for (unsigned k = 0; k < STOA_NBASES; k++)
        if (candidate->relation.nodes[k] != STOA_BASE_NONE)
            roles[candidate->relation.nodes[k]] = IS_BASE;
    return true;
}

static int more_gain(const void *a, const void *b)
{
    const struct trial *x = a, *y = b;

    if (x->gain != y->gain)
        return x->gain < y->gain ? 1 : -1;
    return x->candidate < y->candidate ? -1 : x->candidate > y->candidate;
}

/* The gain of `first` and then of whatever else fits, largest first; `roles` says what that is. */
static uint64_t choose_after(const struct trial *trials, size_t ntrials, size_t first,
                             uint8_t *roles, size_t nroles)
{
    uint64_t gain = 0;

    memset(roles, FREE, nroles);
    if (take(&trials[first], roles))
        gain = trials[first].gain;
    for (size_t i = 0; i < ntrials; i++)
        if (i != first && take(&trials[i], roles))
            gain += trials[i].gain;
    return gain;
}

/*
 * The largest gain need not be part of the best choice: what it makes a base or derived may have
 * been worth more the other way round. So each trial gets its turn to be the first.
 */
static size_t best_first(const struct trial *trials, size_t ntrials, uint8_t *roles, size_t nroles)
{
    enum { MAX_NTURNS = 64 };
    uint64_t best = 0;
    size_t first = 0;

    for (size_t i = 0; i < ntrials && i < MAX_NTURNS; i++) {
        uint64_t gain = choose_after(trials, ntrials, i, roles, nroles);

        if (gain > best) {
            best = gain;
            first = i;
        }
    }
    return first;
}

static void derive(struct stoa_writer_group *group, const struct trial *trial)
{
    stoa_chunk_plan_derive(&group->nodes[trial->candidate->target].chosen,
                           &trial->candidate->relation, &trial->choice);
}

static enum stoa_status choose(struct stoa_writer_group *group, struct trial *trials,
                               size_t ntrials, struct stoa_error *err)
{
    uint8_t *roles = NULL;
    size_t first;
    enum stoa_status st = stoa_alloc_zeroed(&roles, group->nnodes, 1, err);

    if (st != STOA_OK)
        return st;
    qsort(trials, ntrials, sizeof(trials[0]), more_gain);
    while (ntrials > 0 && trials[ntrials - 1].gain == 0)
        ntrials--;
    if (ntrials > 0) {
        first = best_first(trials, ntrials, roles, group->nnodes);
        memset(roles, FREE, group->nnodes);
        if (take(&trials[first], roles))
            derive(group, &trials[first]);
        for (size_t i = 0; i < ntrials; i++)
            if (i != first && take(&trials[i], roles))
                derive(group, &trials[i]);
    }
    stoa_free(roles);
    return STOA_OK;
}

/* What is tried with what. */
struct trying {
    struct stoa_encoder_pool *encoders;
    const struct stoa_schema_node *nodes;
    const struct stoa_writer_group *group;
    struct trial *trials;
};

static enum stoa_status try_one(void *context, size_t i, struct stoa_error *err)
{
    const struct trying *with = context;
    struct stoa_encoder *encoder;
    enum stoa_status st = stoa_encoder_pool_take(with->encoders, &encoder, err);

    if (st != STOA_OK)
        return st;
    st = try(encoder, with->nodes, with->group, &with->trials[i], err);
    stoa_encoder_pool_give(with->encoders, encoder);
    return st;
}

enum stoa_status stoa_derive_choose(struct stoa_encoder_pool *encoders,
                                    const struct stoa_rules *rules,
                                    const struct stoa_schema_node *nodes,
                                    struct stoa_writer_group *group, struct stoa_error *err)
{
    struct stoa_derive_candidates candidates = {0};
    struct trying with = {encoders, nodes, group, NULL};
    enum stoa_status st;

    STOA_TRY(stoa_derive_search(rules, nodes, group, &candidates, err));
    if (candidates.nitems == 0)
        goto out;
    STOA_TRY(stoa_alloc_zeroed(&with.trials, candidates.nitems, sizeof(with.trials[0]), err));
    for (size_t i = 0; i < candidates.nitems; i++)
        with.trials[i].candidate = &candidates.items[i];
    STOA_TRY(stoa_crew_run(encoders->crew, candidates.nitems, try_one, &with, err));
    STOA_TRY(choose(group, with.trials, candidates.nitems, err));
out:
    stoa_free(with.trials);
    stoa_free(candidates.items);
    return st;
}
