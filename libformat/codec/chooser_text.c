/*
 * Which plan is the best for texts: the numbers of one layout, or lengths and, under the roots of
 * text, their bytes, or what is left of them behind common prefixes.
 */
#include <string.h>

#include "base/error.h"
#include "codec/chooser_trial.h"
#include "codec/fsst.h"

/* FSST has a table of symbols to pay for, and looking for them takes time. */
enum { FSST_MIN_NBYTES = 1024 };

/* The roots above the lengths, the fastest to decode first. */
static const struct stoa_plan_node roots[] = {
    {STOA_PLAIN, STOA_PHYS_BYTES, false},
    {STOA_FSST, STOA_PHYS_BYTES, false},
    {STOA_FSST, STOA_PHYS_BYTES, true},
    {STOA_PLAIN, STOA_PHYS_BYTES, true},
};

/* The better one of *out and a plan. */
static enum stoa_status try_plan(struct stoa_trial *trial, const struct stoa_plan *plan,
                                 struct stoa_choice *out, struct stoa_error *err)
{
    struct stoa_choice choice = {.plan = *plan};
    enum stoa_status st;

    if (!stoa_trial_may_win(trial, plan))
        return STOA_OK;
    st = stoa_trial_measure(trial, &choice, err);
    if (st == STOA_OK && choice.cost < out->cost - out->cost / 100)
        *out = choice;
    return st;
}

/* Texts of one layout: how their numbers are best stored. */
static enum stoa_status try_charpack(struct stoa_trial *trial, struct stoa_choice *out,
                                     struct stoa_error *err)
{
    static const struct stoa_plan_node root = {STOA_CHARPACK, STOA_PHYS_BYTES, false};
    const struct stoa_vector text = trial->values;
    struct stoa_choice of_numbers;
    struct stoa_plan plan;
    uint64_t *numbers_of = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc(&numbers_of, text.nvalues * sizeof(*numbers_of) + 64, err));
    if (!stoa_charpack_numbers(&text, numbers_of))
        goto out;
    trial->values = (struct stoa_vector){.phys = STOA_PHYS_U64,
                                         .width = sizeof(*numbers_of),
                                         .nvalues = text.nvalues,
                                         .values = (const uint8_t *)numbers_of};
    trial->root = &root;
    st = stoa_trial_choose(trial, &of_numbers, err);
    trial->root = NULL;
    trial->values = text;
    if (st != STOA_OK)
        goto out;
    plan = stoa_plan_below(&root, &of_numbers.plan);
    st = try_plan(trial, &plan, out, err);
out:
    stoa_free(numbers_of);
    return st;
}

/* Whether FSST can be better than the best so far: a code stands for eight bytes at most. */
static bool may_have_symbols(size_t nbytes, const struct stoa_choice *best)
{
    return nbytes >= FSST_MIN_NBYTES && nbytes / STOA_FSST_SYMBOL_NBYTES < best->cost;
}

/* Puts a FRONT root and its prefixes above a plan for suffixes. */
static struct stoa_plan front_plan(const struct stoa_plan *prefixes,
                                   const struct stoa_plan *suffixes)
{
    static const struct stoa_plan_node root = {STOA_FRONT, STOA_PHYS_BYTES, false};
    struct stoa_plan plan = stoa_plan_below(&root, prefixes);

    memcpy(plan.nodes + plan.nnodes, suffixes->nodes, suffixes->nnodes * sizeof(plan.nodes[0]));
    plan.nnodes = (uint8_t)(plan.nnodes + suffixes->nnodes);
    return plan;
}

/* counts[i] := the bytes between offsets i and i + 1 */
static void count_lengths(const int32_t *offsets, size_t n, uint32_t *counts)
{
    for (size_t i = 0; i < n; i++)
        counts[i] = (uint32_t)(offsets[i + 1] - offsets[i]);
}

/* Texts that begin as the one before does, as sorted ones do: with a quarter of their bytes. */
static enum stoa_status try_front(struct stoa_trial *trial, struct stoa_choice *out,
                                  struct stoa_error *err)
{
    const struct stoa_vector *text = &trial->values;
    size_t n = text->nvalues, nbytes = (size_t)(text->offsets[n] - text->offsets[0]), left;
    struct stoa_choice of_prefixes, of_lengths;
    uint32_t *counts = NULL;
    int32_t *offsets = NULL;
    uint8_t *suffixes = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc(&counts, n * sizeof(*counts) + 64, err));
    STOA_TRY(stoa_alloc(&offsets, (n + 1) * sizeof(*offsets), err));
    STOA_TRY(stoa_alloc(&suffixes, nbytes + 64, err));
    left = stoa_front_cut(text, counts, offsets, suffixes);
    if (left > nbytes - nbytes / 4)
        goto out;
    STOA_TRY(stoa_trial_choose_counts(trial, counts, &of_prefixes, err));
    count_lengths(offsets, n, counts);
    STOA_TRY(stoa_trial_choose_counts(trial, counts, &of_lengths, err));
    for (size_t k = 0; k < sizeof(roots) / sizeof(roots[0]); k++) {
        struct stoa_plan plan = stoa_plan_below(&roots[k], &of_lengths.plan);

        plan = front_plan(&of_prefixes.plan, &plan);
        if (roots[k].encoding != STOA_FSST || may_have_symbols(left, out))
            STOA_TRY(try_plan(trial, &plan, out, err));
    }
out:
    stoa_free(counts);
    stoa_free(offsets);
    stoa_free(suffixes);
    return st;
}

enum stoa_status stoa_trial_choose_text(struct stoa_trial *trial, struct stoa_choice *out,
                                        struct stoa_error *err)
{
    const struct stoa_vector *text = &trial->values;
    const size_t nbytes = (size_t)(text->offsets[text->nvalues] - text->offsets[0]);
    struct stoa_choice of_lengths;
    uint32_t *counts = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc(&counts, text->nvalues * sizeof(*counts) + 64, err));
    count_lengths(text->offsets, text->nvalues, counts);
    STOA_TRY(stoa_trial_choose_counts(trial, counts, &of_lengths, err));
    out->nbytes = out->cost = UINT64_MAX;
    STOA_TRY(try_charpack(trial, out, err));
    stoa_encoder_begin_chunk(trial->encoder, text); /* symbols are looked for once */
    for (size_t k = 0; k < sizeof(roots) / sizeof(roots[0]); k++) {
        struct stoa_plan plan = stoa_plan_below(&roots[k], &of_lengths.plan);

        if (roots[k].encoding != STOA_FSST || may_have_symbols(nbytes, out))
            STOA_TRY(try_plan(trial, &plan, out, err));
    }
    stoa_encoder_begin_chunk(trial->encoder, NULL);
    STOA_TRY(try_front(trial, out, err));
out:
    stoa_encoder_begin_chunk(trial->encoder, NULL);
    stoa_free(counts);
    return st;
}
