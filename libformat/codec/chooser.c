/*
 * Choosing a plan by trying (the header says how samples are taken).
 *
 * The candidates stand in tables, fastest to decode first. One pass over the sample counts runs,
 * the most frequent value and the bits of values and of their differences: families of plans that
 * these leave no hope are not tried. Of the others those without compression are tried before; a
 * compressed one is tried only when its shape without compression is among the better ones, or
 * compression works on whole bytes, where the packed size says nothing. The best few of a first
 * round with a quarter of the sample are tried with all of it.
 *
 * A sample whose values are all equal says nothing about how the column changes elsewhere: then all
 * values are tried instead, which is cheap because they hardly change.
 */
#include "codec/chooser.h"

#include <string.h>

#include "base/error.h"
#include "codec/fsst.h"
#include "codec/kernels.h"
#include "codec/node.h"

enum { NRUNS = 8, RUN_NVALUES = 1024, TEXT_MAX = 1 << 20 };

/* Of each run in the first round; what headers may take of a result there; how many are left. */
enum { HEAT_NVALUES = 256, HEAT_SLACK_NBYTES = 128, HEAT_MAX_LEFT = 8 };

/* FSST has a table of symbols to pay for, and looking for them takes time. */
enum { FSST_MIN_NBYTES = 1024 };

/* What values must be like for a plan to have a chance. */
enum family { ANY, IN_RUNS, MOSTLY_ONE, NEAR_THE_LAST, NFAMILIES };

/* A candidate, and the one without compression of the same shape (NULL: always tried). */
struct candidate {
    const char *plan;
    const char *if_good;
    enum family family;
};

/* clang-format off */
static const struct candidate numbers[] = {
    {"plain", NULL, ANY},
    {"pfor", NULL, ANY},
    {"delta(pfor)", NULL, NEAR_THE_LAST},
    {"rle(pfor,pfor)", NULL, IN_RUNS},
    {"rle(delta(pfor),pfor)", NULL, IN_RUNS},
    {"sparse(pfor,pfor)", NULL, MOSTLY_ONE},
    {"pfor+zstd", NULL, ANY},
    {"narrow(plain+zstd)", NULL, ANY},
    {"split(plain+zstd,pfor)", NULL, ANY},
    {"plain+zstd", NULL, ANY},
    {"delta(pfor+zstd)", NULL, NEAR_THE_LAST},
    {"delta(narrow(plain+zstd))", NULL, NEAR_THE_LAST},
    {"delta(split(plain+zstd,pfor))", NULL, NEAR_THE_LAST},
    {"delta(plain+zstd)", NULL, NEAR_THE_LAST},
    {"rle(pfor+zstd,pfor+zstd)", "rle(pfor,pfor)", IN_RUNS},
    {"rle(narrow(plain+zstd),narrow(plain+zstd))", "rle(pfor,pfor)", IN_RUNS},
    {"rle(plain+zstd,pfor+zstd)", "rle(pfor,pfor)", IN_RUNS},
    {"rle(delta(pfor+zstd),pfor+zstd)", "rle(delta(pfor),pfor)", IN_RUNS},
    {"sparse(pfor+zstd,pfor+zstd)", "sparse(pfor,pfor)", MOSTLY_ONE},
    {"sparse(pfor,narrow(plain+zstd))", "sparse(pfor,pfor)", MOSTLY_ONE},
    {"sparse(narrow(plain+zstd),plain+zstd)", "sparse(pfor,pfor)", MOSTLY_ONE},
    {NULL, NULL, ANY},
};
static const struct candidate floats[] = {
    {"plain", NULL, ANY},
    {"pfor", NULL, ANY},
    {"alp(pfor)", NULL, ANY},
    {"delta(pfor)", NULL, NEAR_THE_LAST},
    {"alp(delta(pfor))", NULL, ANY},
    {"rle(pfor,pfor)", NULL, IN_RUNS},
    {"rle(alp(pfor),pfor)", NULL, IN_RUNS},
    {"sparse(pfor,alp(pfor))", NULL, MOSTLY_ONE},
    {"sparse(pfor,alprd(pfor,pfor))", "sparse(pfor,alp(pfor))", MOSTLY_ONE},
    {"sparse(pfor,pfor)", NULL, MOSTLY_ONE},
    {"alp+zstd(pfor+zstd)", NULL, ANY},
    {"alp+zstd(narrow(plain+zstd))", NULL, ANY},
    {"alp+zstd(split(plain+zstd,pfor))", NULL, ANY},
    {"sparse(pfor,alp(split(plain+zstd,pfor)))", NULL, MOSTLY_ONE},
    {"alprd(pfor,pfor)", NULL, ANY},
    {"alprd(plain+zstd,pfor)", NULL, ANY},
    {"split(plain+zstd,pfor)", NULL, ANY},
    {"alprd(plain+zstd,plain+zstd)", NULL, ANY},
    {"alp+zstd(rle(split+zstd(plain+zstd,pfor+zstd),pfor+zstd))", NULL, ANY},
    {"pfor+zstd", NULL, ANY},
    {"plain+zstd", NULL, ANY},
    {"alp+zstd(delta(split(plain+zstd,pfor)))", "alp(delta(pfor))", ANY},
    {"alp+zstd(delta(narrow(plain+zstd)))", "alp(delta(pfor))", ANY},
    {"delta(split(plain+zstd,pfor))", NULL, NEAR_THE_LAST},
    {"delta(plain+zstd)", NULL, NEAR_THE_LAST},
    {"rle(plain+zstd,pfor+zstd)", "rle(pfor,pfor)", IN_RUNS},
    {"rle(alp(pfor+zstd),pfor+zstd)", "rle(alp(pfor),pfor)", IN_RUNS},
    {"sparse(pfor+zstd,plain+zstd)", "sparse(pfor,pfor)", MOSTLY_ONE},
    {"sparse(pfor+zstd,alp(narrow(plain+zstd)))", "sparse(pfor,alp(pfor))", MOSTLY_ONE},
    {NULL, NULL, ANY},
};
static const struct candidate wide[] = { /* I128, I256, FIXED */
    {"plain", NULL, ANY},
    {"rle(plain,pfor)", NULL, IN_RUNS},
    {"sparse(pfor,plain)", NULL, MOSTLY_ONE},
    {"planes+zstd", NULL, ANY},
    {"plain+zstd", NULL, ANY},
    {"rle(planes+zstd,pfor+zstd)", NULL, IN_RUNS},
    {"rle(plain+zstd,pfor+zstd)", NULL, IN_RUNS},
    {"sparse(pfor+zstd,planes+zstd)", "sparse(pfor,plain)", MOSTLY_ONE},
    {"sparse(pfor+zstd,plain+zstd)", "sparse(pfor,plain)", MOSTLY_ONE},
    {NULL, NULL, ANY},
};
static const struct candidate lengths[] = {
    {"pfor", NULL, ANY},
    {"pfor+zstd", NULL, ANY},
    {"narrow(plain+zstd)", NULL, ANY},
    {NULL, NULL, ANY},
};
/* clang-format on */

enum { MAX_NCANDIDATES = sizeof(floats) / sizeof(floats[0]) };
_Static_assert(sizeof(numbers) <= sizeof(floats), "the longest table is that of floats");

/* What is tried: the values, in pages. */
struct trial {
    struct stoa_encoder *encoder;
    struct stoa_vector values;
    struct stoa_buffer page;
};

/* ---- What one pass says. ---- */

/* Of a sample of numbers. */
struct shape {
    size_t nruns;         /* of equal values */
    size_t ntop;          /* values equal to the most frequent one, if most are */
    uint64_t range;       /* the largest less the smallest */
    uint64_t value_nbits; /* of all values, seen from one among them, */
    uint64_t step_nbits;  /* and of the differences of neighbours, from zero or one of them */
};

static inline uint64_t nbits_of(uint64_t x)
{
    return x == 0 ? 0 : 64 - (uint64_t)__builtin_clzll(x);
}

/* Small where x is near zero, on either side. */
static inline uint64_t distance_nbits(uint64_t x)
{
    return nbits_of(x << 1 ^ (0 - (x >> 63)));
}

/* Adds the bits of values [begin, end), which follow each other in the column. */
static inline void add_nbits(struct shape *shape, const uint8_t *values, size_t begin, size_t end,
                             unsigned width, uint64_t flip)
{
    const uint64_t first = stoa_get(values, begin, width) ^ flip;
    uint64_t last = first, step_of_all = 0, from_zero = 0, from_step = 0;

    for (size_t i = begin + 1; i < end; i++) {
        uint64_t x = stoa_get(values, i, width) ^ flip, step = x - last;

        step_of_all = i == begin + 1 ? step : step_of_all;
        shape->nruns += step != 0;
        shape->value_nbits += distance_nbits(x - first);
        from_zero += distance_nbits(step);
        from_step += distance_nbits(step - step_of_all);
        last = x;
    }
    shape->step_nbits += from_zero < from_step ? from_zero : from_step;
}

/* Looks at values whose width is a constant in each caller. */
static inline struct shape look(const struct stoa_vector *values, unsigned width)
{
    const uint64_t flip = stoa_phys_flip(values->phys);
    const size_t n = values->nvalues;
    struct shape shape = {.nruns = 1};
    uint64_t min = UINT64_MAX, max = 0, top = 0;
    size_t nvotes = 0;

    for (size_t begin = 0; begin < n; begin += RUN_NVALUES)
        add_nbits(&shape, values->values, begin, n - begin < RUN_NVALUES ? n : begin + RUN_NVALUES,
                  width, flip);
    for (size_t i = 0; i < n; i++) { /* as SPARSE finds it */
        uint64_t x = stoa_get(values->values, i, width) ^ flip;

        min = x < min ? x : min;
        max = x > max ? x : max;
        top = nvotes == 0 ? x : top;
        nvotes += x == top ? 1 : SIZE_MAX;
    }
    for (size_t i = 0; i < n; i++)
        shape.ntop += (stoa_get(values->values, i, width) ^ flip) == top;
    shape.range = max - min;
    return shape;
}

/*
 * Which families may hold the best plan. A run takes its value and a bit at least; SPARSE wants
 * most values equal; differences should be no longer than values. Floats have fewer bits than they
 * look, so only runs and frequency count.
 */
static void find_families(const struct stoa_vector *values, bool may_be[NFAMILIES])
{
    const bool is_float = values->phys == STOA_PHYS_F32 || values->phys == STOA_PHYS_F64;
    const size_t n = values->nvalues;
    struct shape shape;
    uint64_t width;

    for (unsigned k = 0; k < NFAMILIES; k++)
        may_be[k] = true;
    switch (stoa_phys_is_number(values->phys) ? values->width : 0) {
    case 1:
        shape = look(values, 1);
        break;
    case 2:
        shape = look(values, 2);
        break;
    case 4:
        shape = look(values, 4);
        break;
    case 8:
        shape = look(values, 8);
        break;
    default:
        return;
    }
    width = is_float ? values->width * 8 : nbits_of(shape.range);
    may_be[IN_RUNS] = shape.nruns * (width + 1) <= n * width;
    may_be[MOSTLY_ONE] = shape.ntop >= n / 4;
    may_be[NEAR_THE_LAST] = is_float || shape.step_nbits <= shape.value_nbits + n / 4;
}

/* What one way to encode takes. */
struct result {
    uint64_t nbytes;
    uint64_t cost;
};

/* Bytes of the payloads of the last page that a reader has to decompress. */
static uint64_t inflated_nbytes(const struct stoa_encoder *encoder)
{
    uint64_t nbytes = 0;

    for (unsigned k = 0; k < encoder->nnodes; k++)
        nbytes += encoder->nodes[k].codec != STOA_CODEC_NONE ? encoder->nodes[k].raw_nbytes : 0;
    return nbytes;
}

/* All pages of the trial's values by `plan`. */
static enum stoa_status measure(struct trial *trial, const struct stoa_plan *plan,
                                struct result *result, struct stoa_error *err)
{
    size_t n = trial->values.nvalues;
    uint64_t inflated = 0;
    enum stoa_status st = STOA_OK;

    result->nbytes = 0;
    for (size_t begin = 0; begin < n; begin += STOA_PAGE_MAX_NVALUES) {
        size_t end = n - begin < STOA_PAGE_MAX_NVALUES ? n : begin + STOA_PAGE_MAX_NVALUES;
        struct stoa_vector part = stoa_vector_slice(&trial->values, begin, end);
        uint32_t raw_nbytes;

        trial->page.nbytes = 0;
        STOA_TRY(stoa_page_encode(trial->encoder, &part, part.phys, NULL, 0, plan, NULL,
                                  &trial->page, &raw_nbytes, err));
        result->nbytes += trial->page.nbytes;
        inflated += inflated_nbytes(trial->encoder);
    }
    result->cost = result->nbytes + inflated * trial->encoder->inflate_cost / 256;
out:
    return st;
}

/* Whether the shape that a candidate depends on came out within twice the best so far. */
static bool is_hopeful(const struct candidate *table, const struct candidate *candidate,
                       const struct result *results, uint64_t best)
{
    if (candidate->if_good == NULL)
        return true;
    for (size_t k = 0; table + k < candidate; k++) {
        if (strcmp(table[k].plan, candidate->if_good) == 0)
            return results[k].nbytes <= best * 2;
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
    struct stoa_plan plans[MAX_NCANDIDATES];
    bool in[MAX_NCANDIDATES];
    struct result results[MAX_NCANDIDATES];
    uint64_t best; /* the least cost */
};

static void race_init(struct race *race, const struct candidate *table,
                      const struct stoa_vector *values)
{
    bool may_be[NFAMILIES];

    find_families(values, may_be);
    *race = (struct race){.table = table};
    for (; table[race->n].plan != NULL; race->n++) /* U8 has nothing narrower: not every plan */
        race->in[race->n] =
            may_be[table[race->n].family] &&
            stoa_plan_parse(table[race->n].plan, values->phys, &race->plans[race->n]);
}

/* Measures all plans that are in; with `shapes`, those alone that depend on no poor one. */
static enum stoa_status run_round(struct trial *trial, struct race *race, bool shapes,
                                  struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    race->best = UINT64_MAX;
    for (size_t k = 0; k < race->n; k++) {
        struct result *result = &race->results[k];

        *result = (struct result){UINT64_MAX, UINT64_MAX};
        if (!race->in[k] ||
            (shapes && !is_hopeful(race->table, &race->table[k], race->results, race->best)))
            continue;
        STOA_TRY(measure(trial, &race->plans[k], result, err));
        race->best = result->cost < race->best ? result->cost : race->best;
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
            nbetter += race->results[i].cost < race->results[k].cost;
        race->in[k] = race->results[k].cost <= most && nbetter < HEAT_MAX_LEFT;
    }
}

/*
 * The first round, on the beginnings of the runs: a plan that is far from the best of them would
 * not become the best with four times as many values. Most plans go here.
 */
static enum stoa_status run_heat(struct trial *trial, struct race *race, struct stoa_error *err)
{
    const struct stoa_vector all = trial->values;
    uint8_t *values = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc(&values, NRUNS * HEAT_NVALUES * all.width + 64, err));
    for (size_t run = 0; run < NRUNS; run++)
        memcpy(values + run * HEAT_NVALUES * all.width, all.values + run * RUN_NVALUES * all.width,
               HEAT_NVALUES * all.width);
    trial->values.values = values;
    trial->values.nvalues = NRUNS * HEAT_NVALUES;
    st = run_round(trial, race, true, err);
    trial->values = all;
    keep_best(race, race->best + race->best / 4 + HEAT_SLACK_NBYTES);
out:
    stoa_free(values);
    return st;
}

/* The first of the plans of `table` that is within one percent of the smallest. CONST is in none:
   the others turn into it by themselves where all values of a page are equal. */
static enum stoa_status choose_from(struct trial *trial, const struct candidate *table,
                                    struct stoa_choice *out, struct stoa_error *err)
{
    /* Wide values are worth compressing where they come again, which takes many to see. */
    const bool has_heat = trial->values.nvalues == (size_t)NRUNS * RUN_NVALUES && table != wide;
    struct race race;
    enum stoa_status st = STOA_OK;

    race_init(&race, table, &trial->values);
    if (has_heat)
        STOA_TRY(run_heat(trial, &race, err));
    STOA_TRY(run_round(trial, &race, !has_heat, err));
    for (size_t k = 0; k < race.n; k++) {
        if (race.results[k].cost > race.best + race.best / 100)
            continue;
        *out = (struct stoa_choice){race.plans[k], race.results[k].nbytes, race.results[k].cost};
        break;
    }
out:
    return st;
}

/* ---- Samples. ---- */

/* NRUNS runs of run_nvalues values one after the other; the first starts with the first value. */
struct sample {
    size_t run_nvalues;
    size_t nruns;
    uint8_t *values;
    int32_t *offsets;
};

static size_t run_begin(const struct sample *sample, size_t nvalues, size_t run)
{
    return sample->nruns == 1 ? 0 : (nvalues - sample->run_nvalues) / (NRUNS - 1) * run;
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
    if (n < NRUNS ||
        (n <= NRUNS * RUN_NVALUES && (!text || text_nbytes(values, sample) <= TEXT_MAX)))
        return STOA_OK;
    sample->nruns = NRUNS;
    sample->run_nvalues = n / NRUNS < RUN_NVALUES ? n / NRUNS : RUN_NVALUES;
    while (text && sample->run_nvalues > 1 && text_nbytes(values, sample) > TEXT_MAX)
        sample->run_nvalues /= 2;
    st = text ? sample_text(sample, values, err) : sample_fixed(sample, values, err);
    out->nvalues = sample->nruns * sample->run_nvalues;
    out->values = sample->values;
    out->offsets = sample->offsets;
    return st;
}

/* ---- Text: lengths first, then whether its bytes are worth compressing. ---- */

/* The roots above the lengths, the fastest to decode first. */
static const struct stoa_plan_node roots[] = {
    {STOA_PLAIN, STOA_PHYS_BYTES, false},
    {STOA_FSST, STOA_PHYS_BYTES, false},
    {STOA_FSST, STOA_PHYS_BYTES, true},
    {STOA_PLAIN, STOA_PHYS_BYTES, true},
};

/* plan := root(child), the whole of it as parts: the child's nodes behind the root. */
static struct stoa_plan text_plan(const struct stoa_plan_node *root, const struct stoa_plan *child)
{
    struct stoa_plan plan = {.nnodes = (uint8_t)(child->nnodes + 1)};

    plan.nodes[0] = *root;
    memcpy(plan.nodes + 1, child->nodes, child->nnodes * sizeof(plan.nodes[0]));
    return plan;
}

/* The better one of *out and a plan. */
static enum stoa_status try_plan(struct trial *trial, const struct stoa_plan *plan,
                                 struct stoa_choice *out, struct stoa_error *err)
{
    struct result result;
    enum stoa_status st = measure(trial, plan, &result, err);

    if (st == STOA_OK && result.cost < out->cost - out->cost / 100)
        *out = (struct stoa_choice){*plan, result.nbytes, result.cost};
    return st;
}

/* Texts of one layout: how their numbers are best stored. */
static enum stoa_status try_charpack(struct trial *trial, struct stoa_choice *out,
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
    st = choose_from(trial, numbers, &of_numbers, err);
    trial->values = text;
    if (st != STOA_OK)
        goto out;
    plan = text_plan(&root, &of_numbers.plan);
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
    struct stoa_plan plan = text_plan(&root, prefixes);

    memcpy(plan.nodes + plan.nnodes, suffixes->nodes, suffixes->nnodes * sizeof(plan.nodes[0]));
    plan.nnodes = (uint8_t)(plan.nnodes + suffixes->nnodes);
    return plan;
}

/* The best plan of lengths or prefixes. */
static enum stoa_status choose_counts(struct trial *trial, const uint32_t *counts,
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

/* counts[i] := the bytes between offsets i and i + 1 */
static void count_lengths(const int32_t *offsets, size_t n, uint32_t *counts)
{
    for (size_t i = 0; i < n; i++)
        counts[i] = (uint32_t)(offsets[i + 1] - offsets[i]);
}

/* Texts that begin as the one before does, as sorted ones do: with a quarter of their bytes. */
static enum stoa_status try_front(struct trial *trial, struct stoa_choice *out,
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
    STOA_TRY(choose_counts(trial, counts, &of_prefixes, err));
    count_lengths(offsets, n, counts);
    STOA_TRY(choose_counts(trial, counts, &of_lengths, err));
    for (size_t k = 0; k < sizeof(roots) / sizeof(roots[0]); k++) {
        struct stoa_plan plan = text_plan(&roots[k], &of_lengths.plan);

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

static enum stoa_status choose_text(struct trial *trial, struct stoa_choice *out,
                                    struct stoa_error *err)
{
    const struct stoa_vector *text = &trial->values;
    const size_t nbytes = (size_t)(text->offsets[text->nvalues] - text->offsets[0]);
    struct stoa_choice of_lengths;
    uint32_t *counts = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc(&counts, text->nvalues * sizeof(*counts) + 64, err));
    count_lengths(text->offsets, text->nvalues, counts);
    STOA_TRY(choose_counts(trial, counts, &of_lengths, err));
    out->nbytes = out->cost = UINT64_MAX;
    STOA_TRY(try_charpack(trial, out, err));
    stoa_encoder_begin_chunk(trial->encoder, text); /* symbols are looked for once */
    for (size_t k = 0; k < sizeof(roots) / sizeof(roots[0]); k++) {
        struct stoa_plan plan = text_plan(&roots[k], &of_lengths.plan);

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

/* Puts a DICT root above the plan. */
static void add_dict(struct stoa_choice *choice)
{
    struct stoa_plan *plan = &choice->plan;

    memmove(plan->nodes + 1, plan->nodes, plan->nnodes * sizeof(plan->nodes[0]));
    plan->nodes[0] = (struct stoa_plan_node){STOA_DICT, STOA_PHYS_U32, false};
    plan->nnodes++;
    choice->nbytes += STOA_PAGE_NODE_NBYTES;
    choice->cost += STOA_PAGE_NODE_NBYTES;
}

enum stoa_status stoa_chooser_choose(struct stoa_encoder *encoder, const struct stoa_vector *values,
                                     bool codes, struct stoa_choice *out, struct stoa_error *err)
{
    struct trial trial = {.encoder = encoder};
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
        STOA_TRY(choose_text(&trial, &choice, err));
    else
        STOA_TRY(choose_from(&trial, candidates_for(values->phys), &choice, err));
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
