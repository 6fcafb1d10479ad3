/*
 * Which plan of a table is the best for the values of a sample.
 *
 * The candidates stand in tables, fastest to decode first. Families that one pass over the sample
 * leaves no hope are not tried. Of the others those without compression are tried before; a
 * compressed one is tried only when its shape without compression is among the better ones, or
 * compression works on whole bytes, where the packed size says nothing. The best few of a first
 * round with a quarter of the sample are tried with all of it.
 */
#include <string.h>

#include "base/error.h"
#include "codec/chooser_trial.h"

/* Of each run in the first round; what headers may take of a result there; how many are left. */
enum { HEAT_NVALUES = 256, HEAT_SLACK_NBYTES = 128, HEAT_MAX_LEFT = 8 };

/* A candidate, and the one without compression of the same shape (NULL: always tried). */
struct candidate {
    const char *plan;
    const char *if_good;
    enum stoa_family family;
};

/* clang-format off */
static const struct candidate numbers[] = {
    {"plain", NULL, STOA_ANY},
    {"pfor", NULL, STOA_ANY},
    {"delta(pfor)", NULL, STOA_NEAR_THE_LAST},
    {"rle(pfor,pfor)", NULL, STOA_IN_RUNS},
    {"rle(delta(pfor),pfor)", NULL, STOA_IN_RUNS},
    {"sparse(pfor,pfor)", NULL, STOA_MOSTLY_ONE},
    {"pfor+zstd", NULL, STOA_ANY},
    {"narrow(plain+zstd)", NULL, STOA_ANY},
    {"split(plain+zstd,pfor)", NULL, STOA_ANY},
    {"plain+zstd", NULL, STOA_ANY},
    {"delta(pfor+zstd)", NULL, STOA_NEAR_THE_LAST},
    {"delta(narrow(plain+zstd))", NULL, STOA_NEAR_THE_LAST},
    {"delta(split(plain+zstd,pfor))", NULL, STOA_NEAR_THE_LAST},
    {"delta(plain+zstd)", NULL, STOA_NEAR_THE_LAST},
    {"rle(pfor+zstd,pfor+zstd)", "rle(pfor,pfor)", STOA_IN_RUNS},
    {"rle(narrow(plain+zstd),narrow(plain+zstd))", "rle(pfor,pfor)", STOA_IN_RUNS},
    {"rle(plain+zstd,pfor+zstd)", "rle(pfor,pfor)", STOA_IN_RUNS},
    {"rle(delta(pfor+zstd),pfor+zstd)", "rle(delta(pfor),pfor)", STOA_IN_RUNS},
    {"sparse(pfor+zstd,pfor+zstd)", "sparse(pfor,pfor)", STOA_MOSTLY_ONE},
    {"sparse(pfor,narrow(plain+zstd))", "sparse(pfor,pfor)", STOA_MOSTLY_ONE},
    {"sparse(narrow(plain+zstd),plain+zstd)", "sparse(pfor,pfor)", STOA_MOSTLY_ONE},
    {NULL, NULL, STOA_ANY},
};
static const struct candidate floats[] = {
    {"plain", NULL, STOA_ANY},
    {"pfor", NULL, STOA_ANY},
    {"alp(pfor)", NULL, STOA_ANY},
    {"delta(pfor)", NULL, STOA_NEAR_THE_LAST},
    {"alp(delta(pfor))", NULL, STOA_ANY},
    {"rle(pfor,pfor)", NULL, STOA_IN_RUNS},
    {"rle(alp(pfor),pfor)", NULL, STOA_IN_RUNS},
    {"sparse(pfor,alp(pfor))", NULL, STOA_MOSTLY_ONE},
    {"sparse(pfor,alprd(pfor,pfor))", "sparse(pfor,alp(pfor))", STOA_MOSTLY_ONE},
    {"sparse(pfor,pfor)", NULL, STOA_MOSTLY_ONE},
    {"alp+zstd(pfor+zstd)", NULL, STOA_ANY},
    {"alp+zstd(narrow(plain+zstd))", NULL, STOA_ANY},
    {"alp+zstd(split(plain+zstd,pfor))", NULL, STOA_ANY},
    {"sparse(pfor,alp(split(plain+zstd,pfor)))", NULL, STOA_MOSTLY_ONE},
    {"alprd(pfor,pfor)", NULL, STOA_ANY},
    {"alprd(plain+zstd,pfor)", NULL, STOA_ANY},
    {"split(plain+zstd,pfor)", NULL, STOA_ANY},
    {"alprd(plain+zstd,plain+zstd)", NULL, STOA_ANY},
    {"alp+zstd(rle(split+zstd(plain+zstd,pfor+zstd),pfor+zstd))", NULL, STOA_ANY},
    {"pfor+zstd", NULL, STOA_ANY},
    {"plain+zstd", NULL, STOA_ANY},
    {"alp+zstd(delta(split(plain+zstd,pfor)))", "alp(delta(pfor))", STOA_ANY},
    {"alp+zstd(delta(narrow(plain+zstd)))", "alp(delta(pfor))", STOA_ANY},
    {"delta(split(plain+zstd,pfor))", NULL, STOA_NEAR_THE_LAST},
    {"delta(plain+zstd)", NULL, STOA_NEAR_THE_LAST},
    {"rle(plain+zstd,pfor+zstd)", "rle(pfor,pfor)", STOA_IN_RUNS},
    {"rle(alp(pfor+zstd),pfor+zstd)", "rle(alp(pfor),pfor)", STOA_IN_RUNS},
    {"sparse(pfor+zstd,plain+zstd)", "sparse(pfor,pfor)", STOA_MOSTLY_ONE},
    {"sparse(pfor+zstd,alp(narrow(plain+zstd)))", "sparse(pfor,alp(pfor))", STOA_MOSTLY_ONE},
    {NULL, NULL, STOA_ANY},
};
static const struct candidate wide[] = { /* I128, I256, FIXED */
    {"plain", NULL, STOA_ANY},
    {"rle(plain,pfor)", NULL, STOA_IN_RUNS},
    {"sparse(pfor,plain)", NULL, STOA_MOSTLY_ONE},
    {"planes+zstd", NULL, STOA_ANY},
    {"plain+zstd", NULL, STOA_ANY},
    {"rle(planes+zstd,pfor+zstd)", NULL, STOA_IN_RUNS},
    {"rle(plain+zstd,pfor+zstd)", NULL, STOA_IN_RUNS},
    {"sparse(pfor+zstd,planes+zstd)", "sparse(pfor,plain)", STOA_MOSTLY_ONE},
    {"sparse(pfor+zstd,plain+zstd)", "sparse(pfor,plain)", STOA_MOSTLY_ONE},
    {NULL, NULL, STOA_ANY},
};
static const struct candidate lengths[] = {
    {"pfor", NULL, STOA_ANY},
    {"pfor+zstd", NULL, STOA_ANY},
    {"narrow(plain+zstd)", NULL, STOA_ANY},
    {NULL, NULL, STOA_ANY},
};
/* clang-format on */

enum { MAX_NCANDIDATES = sizeof(floats) / sizeof(floats[0]) };
_Static_assert(sizeof(numbers) <= sizeof(floats), "the longest table is that of floats");

/* Bytes of the payloads of the last page that a reader has to decompress. */
static uint64_t inflated_nbytes(const struct stoa_encoder *encoder)
{
    uint64_t nbytes = 0;

    for (unsigned k = 0; k < encoder->nnodes; k++)
        nbytes += encoder->nodes[k].codec != STOA_CODEC_NONE ? encoder->nodes[k].raw_nbytes : 0;
    return nbytes;
}

enum stoa_status stoa_trial_measure(struct stoa_trial *trial, struct stoa_choice *choice,
                                    struct stoa_error *err)
{
    size_t n = trial->values.nvalues;
    uint64_t inflated = 0;
    enum stoa_status st = STOA_OK;

    choice->nbytes = 0;
    for (size_t begin = 0; begin < n; begin += STOA_PAGE_MAX_NVALUES) {
        size_t end = n - begin < STOA_PAGE_MAX_NVALUES ? n : begin + STOA_PAGE_MAX_NVALUES;
        struct stoa_vector part = stoa_vector_slice(&trial->values, begin, end);
        uint32_t raw_nbytes;

        trial->page.nbytes = 0;
        STOA_TRY(stoa_page_encode(trial->encoder, &part, part.phys, NULL, 0, &choice->plan, NULL,
                                  &trial->page, &raw_nbytes, err));
        choice->nbytes += trial->page.nbytes;
        inflated += inflated_nbytes(trial->encoder);
    }
    choice->cost = choice->nbytes + inflated * trial->encoder->inflate_cost / 256;
out:
    return st;
}

/* Whether the shape that a candidate depends on came out within twice the best so far. */
static bool is_hopeful(const struct candidate *table, const struct candidate *candidate,
                       const struct stoa_choice *choices, uint64_t best)
{
    if (candidate->if_good == NULL)
        return true;
    for (size_t k = 0; table + k < candidate; k++) {
        if (strcmp(table[k].plan, candidate->if_good) == 0)
            return choices[k].nbytes <= best * 2;
    }
    return false;
}

static const struct candidate *candidates_for(enum stoa_phys phys)
{
    if (phys == STOA_PHYS_F32 || phys == STOA_PHYS_F64)
        return floats;
    return stoa_phys_is_number(phys) ? numbers : wide;
}

/* A race of the plans of a table: those that are in it, and what the last round found. */
struct race {
    const struct candidate *table;
    size_t n;
    bool in[MAX_NCANDIDATES];
    struct stoa_choice choices[MAX_NCANDIDATES];
    uint64_t best; /* the least cost */
};

static bool compresses(const struct stoa_plan *plan)
{
    bool any = false;

    for (unsigned k = 0; k < plan->nnodes; k++)
        any |= plan->nodes[k].compress;
    return any;
}

struct stoa_plan stoa_plan_below(const struct stoa_plan_node *root, const struct stoa_plan *child)
{
    struct stoa_plan plan = {.nnodes = (uint8_t)(child->nnodes + 1)};

    plan.nodes[0] = *root;
    memcpy(plan.nodes + 1, child->nodes, child->nnodes * sizeof(plan.nodes[0]));
    return plan;
}

/* A root may make a plan too deep, or have too many nodes with it. */
static bool fits_below(const struct stoa_plan_node *root, const struct stoa_plan *plan)
{
    struct stoa_plan whole;

    if (root == NULL)
        return true;
    if (plan->nnodes == STOA_PLAN_MAX_NODES)
        return false;
    whole = stoa_plan_below(root, plan);
    return stoa_plan_is_allowed(&whole, (enum stoa_phys)root->phys);
}

/* Where a byte that is decompressed counts for no less than one that is stored, no zstd can win. */
bool stoa_trial_may_win(const struct stoa_trial *trial, const struct stoa_plan *plan)
{
    return fits_below(trial->root, plan) &&
           (trial->encoder->inflate_cost < 256 || !compresses(plan));
}

static void race_init(struct race *race, const struct candidate *table,
                      const struct stoa_trial *trial)
{
    const struct stoa_vector *values = &trial->values;
    bool may_be[STOA_NFAMILIES];

    stoa_families_find(values, may_be);
    *race = (struct race){.table = table};
    for (; table[race->n].plan != NULL; race->n++) /* U8 has nothing narrower: not every plan */
        race->in[race->n] =
            may_be[table[race->n].family] &&
            stoa_plan_parse(table[race->n].plan, values->phys, &race->choices[race->n].plan) &&
            stoa_trial_may_win(trial, &race->choices[race->n].plan);
}

/* Measures all plans that are in; with `shapes`, those alone that depend on no poor one. */
static enum stoa_status run_round(struct stoa_trial *trial, struct race *race, bool shapes,
                                  struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    race->best = UINT64_MAX;
    for (size_t k = 0; k < race->n; k++) {
        struct stoa_choice *choice = &race->choices[k];

        choice->nbytes = choice->cost = UINT64_MAX;
        if (!race->in[k] ||
            (shapes && !is_hopeful(race->table, &race->table[k], race->choices, race->best)))
            continue;
        STOA_TRY(stoa_trial_measure(trial, choice, err));
        race->best = choice->cost < race->best ? choice->cost : race->best;
    }
out:
    return st;
}

/* Leaves the best few in, of those that cost no more than `most`. */
static void keep_best(struct race *race, uint64_t most)
{
    for (size_t k = 0; k < race->n; k++) {
        size_t nbetter = 0;

        for (size_t i = 0; i < race->n; i++)
            nbetter += race->choices[i].cost < race->choices[k].cost;
        race->in[k] = race->choices[k].cost <= most && nbetter < HEAT_MAX_LEFT;
    }
}

/*
 * The first round, on the beginnings of the runs: a plan that is far from the best of them would
 * not become the best with four times as many values. Most plans go here.
 */
static enum stoa_status run_heat(struct stoa_trial *trial, struct race *race,
                                 struct stoa_error *err)
{
    const struct stoa_vector all = trial->values;
    uint8_t *values = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc(&values, STOA_TRIAL_NRUNS * HEAT_NVALUES * all.width + 64, err));
    for (size_t run = 0; run < STOA_TRIAL_NRUNS; run++)
        memcpy(values + run * HEAT_NVALUES * all.width,
               all.values + run * STOA_TRIAL_RUN_NVALUES * all.width, HEAT_NVALUES * all.width);
    trial->values.values = values;
    trial->values.nvalues = STOA_TRIAL_NRUNS * HEAT_NVALUES;
    st = run_round(trial, race, true, err);
    trial->values = all;
    keep_best(race, race->best + race->best / 4 + HEAT_SLACK_NBYTES);
out:
    stoa_free(values);
    return st;
}

/* The first of the plans of `table` that is within one percent of the smallest. CONST is in none:
   the others turn into it by themselves where all values of a page are equal. */
static enum stoa_status choose_from(struct stoa_trial *trial, const struct candidate *table,
                                    struct stoa_choice *out, struct stoa_error *err)
{
    /* Wide values are worth compressing where they come again, which takes many to see. */
    const bool has_heat =
        trial->values.nvalues == (size_t)STOA_TRIAL_NRUNS * STOA_TRIAL_RUN_NVALUES && table != wide;
    struct race race;
    enum stoa_status st = STOA_OK;

    race_init(&race, table, trial);
    if (has_heat)
        STOA_TRY(run_heat(trial, &race, err));
    STOA_TRY(run_round(trial, &race, !has_heat, err));
    for (size_t k = 0; k < race.n; k++) {
        if (race.choices[k].cost > race.best + race.best / 100)
            continue;
        *out = race.choices[k];
        break;
    }
out:
    return st;
}

enum stoa_status stoa_trial_choose(struct stoa_trial *trial, struct stoa_choice *out,
                                   struct stoa_error *err)
{
    return choose_from(trial, candidates_for(trial->values.phys), out, err);
}

enum stoa_status stoa_trial_choose_counts(struct stoa_trial *trial, const uint32_t *counts,
                                          struct stoa_choice *out, struct stoa_error *err)
{
    const struct stoa_vector text = trial->values;
    enum stoa_status st;

    trial->values = (struct stoa_vector){.phys = STOA_PHYS_U32,
                                         .width = 4,
                                         .nvalues = text.nvalues,
                                         .values = (const uint8_t *)counts};
    st = choose_from(trial, lengths, out, err);
    trial->values = text;
    return st;
}
