/*
 * The inside of the chooser: how plans are tried on the values of a sample.
 */
#ifndef STOA_CODEC_CHOOSER_TRIAL_H
#define STOA_CODEC_CHOOSER_TRIAL_H

#include "codec/chooser.h"
#include "codec/node.h"

/* The runs of consecutive values that a sample has; all values where they are fewer. */
enum { STOA_TRIAL_NRUNS = 8, STOA_TRIAL_RUN_NVALUES = 1024 };

/* What is tried: the values, in pages. */
struct stoa_trial {
    struct stoa_encoder *encoder;
    struct stoa_vector values;
    const struct stoa_plan_node *root; /* that will stand above the plan; NULL: none */
    struct stoa_buffer page;
};

/* What values must be like for a plan to have a chance. */
enum stoa_family { STOA_ANY, STOA_IN_RUNS, STOA_MOSTLY_ONE, STOA_NEAR_THE_LAST, STOA_NFAMILIES };

/* Which families of plans may hold the best one for a sample: chooser_families.c */
void stoa_families_find(const struct stoa_vector *values, bool may_be[STOA_NFAMILIES]);

/* root(child), the whole of it as parts: the child's nodes behind the root. chooser_race.c */
struct stoa_plan stoa_plan_below(const struct stoa_plan_node *root, const struct stoa_plan *child);

/*
 * Whether a plan may be written, below the trial's root, and can have the least cost at all.
 * chooser_race.c
 */
bool stoa_trial_may_win(const struct stoa_trial *trial, const struct stoa_plan *plan);

/* Sets nbytes and cost of a choice to those of its plan for all of the trial's values. */
STOA_CHECK enum stoa_status stoa_trial_measure(struct stoa_trial *trial, struct stoa_choice *choice,
                                               struct stoa_error *err);

/* The best plan of values of fixed width; of as many counts as the trial has texts. chooser_race.c
 */
STOA_CHECK enum stoa_status stoa_trial_choose(struct stoa_trial *trial, struct stoa_choice *out,
                                              struct stoa_error *err);
STOA_CHECK enum stoa_status stoa_trial_choose_counts(struct stoa_trial *trial,
                                                     const uint32_t *counts,
                                                     struct stoa_choice *out,
                                                     struct stoa_error *err);

/* The best plan of texts. chooser_text.c */
STOA_CHECK enum stoa_status stoa_trial_choose_text(struct stoa_trial *trial,
                                                   struct stoa_choice *out, struct stoa_error *err);

#endif
