/*
 * Choosing a plan by trying: the sample, and what is chosen for it by chooser_race.c and
 * chooser_text.c.
 *
 * A sample whose values are all equal says nothing about how the column changes elsewhere: then all
 * values are tried instead, which is cheap because they hardly change.
 */
#include "codec/chooser.h"

#include <string.h>

#include "base/error.h"
#include "codec/chooser_trial.h"

/* Of text in a sample. */
enum { TEXT_MAX = 1 << 20 };

/* ---- The sample. ---- */

/* STOA_TRIAL_NRUNS runs of run_nvalues values one after the other; the first starts with the first
 * value. */
struct sample {
    size_t run_nvalues;
    size_t nruns;
    uint8_t *values;
    int32_t *offsets;
};

static size_t run_begin(const struct sample *sample, size_t nvalues, size_t run)
{
    return sample->nruns == 1 ? 0 : (nvalues - sample->run_nvalues) / (STOA_TRIAL_NRUNS - 1) * run;
}

static uint64_t text_nbytes(const struct stoa_vector *values, const struct sample *sample)
{
    uint64_t nbytes = 0;

    for (size_t k = 0; k < sample->nruns; k++) {
        size_t begin = run_begin(sample, values->nvalues, k);

        nbytes += (uint64_t)(values->offsets[begin + sample->run_nvalues] - values->offsets[begin]);
    }
    return nbytes;
}

static enum stoa_status sample_text(struct sample *sample, const struct stoa_vector *values,
                                    struct stoa_error *err)
{
    size_t n = sample->nruns * sample->run_nvalues, nbytes = 0, at = 0;
    enum stoa_status st;

    STOA_TRY(stoa_alloc(&sample->values, (size_t)text_nbytes(values, sample), err));
    STOA_TRY(stoa_alloc(&sample->offsets, (n + 1) * sizeof(int32_t), err));
    sample->offsets[0] = 0;
    for (size_t k = 0; k < sample->nruns; k++) {
        const int32_t *from = values->offsets + run_begin(sample, values->nvalues, k);
        size_t run_nbytes = (size_t)(from[sample->run_nvalues] - from[0]);

        if (run_nbytes > 0)
            memcpy(sample->values + nbytes, values->values + from[0], run_nbytes);
        for (size_t i = 1; i <= sample->run_nvalues; i++)
            sample->offsets[++at] = (int32_t)nbytes + (from[i] - from[0]);
        nbytes += run_nbytes;
    }
out:
    return st;
}

static enum stoa_status sample_fixed(struct sample *sample, const struct stoa_vector *values,
                                     struct stoa_error *err)
{
    size_t run_nbytes = sample->run_nvalues * values->width;
    enum stoa_status st = stoa_alloc(&sample->values, sample->nruns * run_nbytes + 64, err);

    if (st != STOA_OK)
        return st;
    for (size_t k = 0; k < sample->nruns; k++)
        memcpy(sample->values + k * run_nbytes,
               values->values + run_begin(sample, values->nvalues, k) * values->width, run_nbytes);
    return STOA_OK;
}

/* A sample of `values` into *out, which points to memory of *sample; all where they are few. */
static enum stoa_status take_sample(struct sample *sample, const struct stoa_vector *values,
                                    struct stoa_vector *out, struct stoa_error *err)
{
    bool text = values->phys == STOA_PHYS_BYTES;
    size_t n = values->nvalues;
    enum stoa_status st;

    *out = *values;
    *sample = (struct sample){.run_nvalues = n, .nruns = 1};
    if (n < STOA_TRIAL_NRUNS || (n <= STOA_TRIAL_NRUNS * STOA_TRIAL_RUN_NVALUES &&
                                 (!text || text_nbytes(values, sample) <= TEXT_MAX)))
        return STOA_OK;
    sample->nruns = STOA_TRIAL_NRUNS;
    sample->run_nvalues = n / STOA_TRIAL_NRUNS < STOA_TRIAL_RUN_NVALUES ? n / STOA_TRIAL_NRUNS
                                                                        : STOA_TRIAL_RUN_NVALUES;
    while (text && sample->run_nvalues > 1 && text_nbytes(values, sample) > TEXT_MAX)
        sample->run_nvalues /= 2;
    st = text ? sample_text(sample, values, err) : sample_fixed(sample, values, err);
    out->nvalues = sample->nruns * sample->run_nvalues;
    out->values = sample->values;
    out->offsets = sample->offsets;
    return st;
}

/* ---- All together. ---- */

void stoa_encoder_set_inflate_cost(struct stoa_encoder *encoder, unsigned inflate_cost)
{
    encoder->inflate_cost = inflate_cost;
}

static void choose_constant(const struct stoa_vector *values, struct stoa_choice *out)
{
    uint32_t width = values->phys == STOA_PHYS_BYTES
                         ? (uint32_t)(values->offsets[1] - values->offsets[0])
                         : values->width;

    *out = (struct stoa_choice){.nbytes = STOA_PAGE_HEAD_NBYTES + STOA_PAGE_NODE_NBYTES + width};
    out->cost = out->nbytes;
    out->plan.nnodes = 1;
    out->plan.nodes[0] = (struct stoa_plan_node){STOA_CONST, (uint8_t)values->phys, false};
}

static const struct stoa_plan_node dict = {STOA_DICT, STOA_PHYS_U32, false};

/* Puts a DICT root above the plan. */
static void add_dict(struct stoa_choice *choice)
{
    choice->plan = stoa_plan_below(&dict, &choice->plan);
    choice->nbytes += STOA_PAGE_NODE_NBYTES;
    choice->cost += STOA_PAGE_NODE_NBYTES;
}

enum stoa_status stoa_chooser_choose(struct stoa_encoder *encoder, const struct stoa_vector *values,
                                     bool codes, struct stoa_choice *out, struct stoa_error *err)
{
    struct stoa_trial trial = {.encoder = encoder, .root = codes ? &dict : NULL};
    struct stoa_choice choice = {0};
    struct sample sample;
    enum stoa_status st;

    STOA_TRY(take_sample(&sample, values, &trial.values, err));
    if (stoa_vector_is_constant(&trial.values)) {
        if (stoa_vector_is_constant(values)) {
            choose_constant(values, &choice);
            goto chosen;
        }
        trial.values = *values;
    }
    if (values->phys == STOA_PHYS_BYTES)
        STOA_TRY(stoa_trial_choose_text(&trial, &choice, err));
    else
        STOA_TRY(stoa_trial_choose(&trial, &choice, err));
    choice.nbytes = choice.nbytes * values->nvalues / trial.values.nvalues;
    choice.cost = choice.cost * values->nvalues / trial.values.nvalues;
chosen:
    if (codes)
        add_dict(&choice);
    *out = choice;
out:
    stoa_free(sample.values);
    stoa_free(sample.offsets);
    stoa_buffer_free(&trial.page);
    return st;
}
