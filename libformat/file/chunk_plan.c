/*
 * Dictionary or not: both are estimated by encoding samples, and the smaller one is taken.
 *
 *     PLAIN    values
 *     LOCAL    codes + entries
 *     SHARED   codes + (entries + an object) / row groups that will use them
 *
 * Nobody knows how many row groups will come. A full one is rarely alone, so its entries are
 * counted in part; a small one may be the whole file.
 */
#include "file/chunk_plan.h"

#include "base/alloc.h"
#include "base/error.h"

enum { SAMPLE_NRUNS = 4, SAMPLE_RUN_NVALUES = 1024 };

uint64_t stoa_chunk_plan_scale(const struct stoa_chunk_plan *plan, uint64_t nbytes,
                               uint64_t nvalues)
{
    /* In floating point it would depend on the machine; the bytes of a chunk fit 40 bits. */
    return plan->nvalues == 0 ? 0 : nbytes * nvalues / plan->nvalues;
}

/* A dictionary as it will be: sorted, unless it has texts, whose order costs codes nothing. */
struct dictionary {
    struct stoa_vector entries;
    struct stoa_vector codes;
    struct stoa_values sorted;
    uint32_t *ranks; /* by value of the chunk; NULL: `codes` are those of first appearance */
};

static void dictionary_reset(struct dictionary *dictionary)
{
    stoa_values_reset(&dictionary->sorted);
    stoa_free(dictionary->ranks);
}

/* Frequent numbers come early: by first appearance they have low codes, which look too good. */
static enum stoa_status sort_numbers(struct dictionary *dictionary,
                                     const struct stoa_chunk_distinct *distinct,
                                     struct stoa_error *err)
{
    const struct stoa_vector entries = dictionary->entries;
    const size_t n = dictionary->codes.nvalues;
    uint32_t *order = NULL, *rank = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc(&order, entries.nvalues * sizeof(order[0]), err));
    STOA_TRY(stoa_alloc(&rank, entries.nvalues * sizeof(rank[0]), err));
    STOA_TRY(stoa_alloc(&dictionary->ranks, n * sizeof(uint32_t) + STOA_ARRAY_SLACK, err));
    STOA_TRY(stoa_distinct_order(distinct->set, order, err));
    for (uint32_t i = 0; i < entries.nvalues; i++)
        rank[order[i]] = i;
    for (size_t i = 0; i < n; i++)
        dictionary->ranks[i] = rank[distinct->codes[i]];
    STOA_TRY(
        stoa_values_take(&dictionary->sorted, &entries, order, (uint32_t)entries.nvalues, err));
    dictionary->entries = dictionary->sorted.vector;
    dictionary->codes.values = (const uint8_t *)dictionary->ranks;
out:
    stoa_free(order);
    stoa_free(rank);
    return st;
}

/* What codes take, and the dictionary's values. */
static enum stoa_status choose_dictionary(struct stoa_encoder *encoder,
                                          const struct stoa_chunk_distinct *distinct,
                                          struct stoa_chunk_plan *plan, struct stoa_error *err)
{
    struct dictionary dictionary = {
        .entries = stoa_distinct_values(distinct->set),
        .codes = {STOA_PHYS_U32, 4, plan->nvalues, (const uint8_t *)distinct->codes, NULL},
    };
    struct stoa_choice choice;
    enum stoa_status st = STOA_OK;

    if (dictionary.entries.phys != STOA_PHYS_BYTES)
        STOA_TRY(sort_numbers(&dictionary, distinct, err));
    STOA_TRY(stoa_chooser_choose(encoder, &dictionary.codes, true, &plan->codes, err));
    STOA_TRY(stoa_chooser_choose(encoder, &dictionary.entries, false, &choice, err));
    plan->entries_nbytes = choice.nbytes;
    plan->nentries = (uint32_t)dictionary.entries.nvalues;
    plan->entries = choice.plan;
out:
    dictionary_reset(&dictionary);
    return st;
}

static enum stoa_chunk_mode smallest_mode(const struct stoa_rules *rules, bool can_share,
                                          struct stoa_chunk_plan *plan)
{
    uint32_t part = plan->nvalues >= rules->full_nrows ? rules->amortisation : 1;
    uint64_t shared = plan->codes.cost + (plan->entries_nbytes + rules->segment_nbytes) / part;

    plan->local_pays = plan->codes.cost + plan->entries_nbytes <
                       plan->plain.cost - plan->plain.cost * rules->local_gain_percent / 100;
    if (can_share && shared < plan->plain.cost)
        return STOA_CHUNK_SHARED;
    return plan->local_pays ? STOA_CHUNK_LOCAL : STOA_CHUNK_PLAIN;
}

/* No choice at all, for a file that is not to be small. */
static struct stoa_choice plain_choice(const struct stoa_vector *values)
{
    const size_t n = values->nvalues;
    const bool is_bytes = values->phys == STOA_PHYS_BYTES;
    const bool is_integer = values->phys < STOA_PHYS_F32;
    struct stoa_choice choice = {
        .plan = {.nnodes = is_bytes ? 2 : 1,
                 .nodes = {{is_integer ? STOA_PFOR : STOA_PLAIN, (uint8_t)values->phys, false}}},
        .nbytes = is_bytes ? (uint64_t)(values->offsets[n] - values->offsets[0]) + 4 * n
                           : (uint64_t)n * values->width,
    };

    if (is_bytes)
        choice.plan.nodes[1] = (struct stoa_plan_node){STOA_PFOR, STOA_PHYS_U32, false};
    return choice;
}

enum stoa_status stoa_chunk_plan_choose(struct stoa_encoder *encoder,
                                        const struct stoa_rules *rules,
                                        const struct stoa_chunk_values *values,
                                        const struct stoa_chunk_distinct *distinct, bool can_share,
                                        struct stoa_chunk_plan *out, struct stoa_error *err)
{
    const struct stoa_vector *vector = &values->physical.vector;
    struct stoa_chunk_plan plan = {.mode = STOA_CHUNK_UNPLANNED};
    enum stoa_status st = STOA_OK;

    if (values->all_null)
        goto done;
    plan.mode = STOA_CHUNK_PLAIN;
    plan.phys = values->phys;
    plan.nvalues = (uint32_t)vector->nvalues;
    if (rules->stores_plain) {
        plan.plain = plain_choice(vector);
        goto done;
    }
    STOA_TRY(stoa_chooser_choose(encoder, vector, false, &plan.plain, err));
    if (distinct->set == NULL)
        goto done;
    STOA_TRY(choose_dictionary(encoder, distinct, &plan, err));
    plan.mode = smallest_mode(rules, can_share, &plan);
done:
    *out = plan;
out:
    return st;
}

enum stoa_status stoa_chunk_plan_may_repeat(const struct stoa_chunk_values *values, bool *out,
                                            struct stoa_error *err)
{
    const struct stoa_vector *vector = &values->physical.vector;
    size_t sample = SAMPLE_NRUNS * SAMPLE_RUN_NVALUES;
    uint32_t codes[SAMPLE_RUN_NVALUES];
    struct stoa_distinct *set = NULL;
    bool complete = true;
    enum stoa_status st = STOA_OK;

    *out = vector->nvalues > 0;
    if (vector->nvalues <= sample) /* not worth a sample */
        return STOA_OK;
    STOA_TRY(stoa_distinct_new(&set, vector->phys, vector->width, err));
    for (size_t run = 0; complete && run < SAMPLE_NRUNS; run++) {
        size_t begin = (vector->nvalues - SAMPLE_RUN_NVALUES) / (SAMPLE_NRUNS - 1) * run;
        struct stoa_vector part = stoa_vector_slice(vector, begin, begin + SAMPLE_RUN_NVALUES);

        STOA_TRY(stoa_distinct_add(set, &part, (uint32_t)(sample / 8 * 7), UINT64_MAX, codes,
                                   &complete, err));
    }
    *out = complete;
out:
    stoa_distinct_free(set);
    return st;
}

void stoa_chunk_plan_derive(struct stoa_chunk_plan *plan,
                            const struct stoa_chunk_relation *relation,
                            const struct stoa_choice *derived)
{
    plan->otherwise = plan->mode;
    plan->mode = STOA_CHUNK_FROM_OTHERS;
    plan->relation = *relation;
    plan->derived = *derived;
}
