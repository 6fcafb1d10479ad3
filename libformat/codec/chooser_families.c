/*
 * Which families of plans are worth a trial: one pass over the sample counts runs, the most
 * frequent value, and the bits of values and of their differences.
 */
#include "base/bits.h"
#include "codec/chooser_trial.h"
#include "codec/kernels.h"

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

    for (size_t begin = 0; begin < n; begin += STOA_TRIAL_RUN_NVALUES)
        add_nbits(&shape, values->values, begin,
                  n - begin < STOA_TRIAL_RUN_NVALUES ? n : begin + STOA_TRIAL_RUN_NVALUES, width,
                  flip);
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
void stoa_families_find(const struct stoa_vector *values, bool may_be[STOA_NFAMILIES])
{
    const bool is_float = values->phys == STOA_PHYS_F32 || values->phys == STOA_PHYS_F64;
    const size_t n = values->nvalues;
    struct shape shape;
    uint64_t width;

    for (unsigned k = 0; k < STOA_NFAMILIES; k++)
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
    may_be[STOA_IN_RUNS] = shape.nruns * (width + 1) <= n * width;
    may_be[STOA_MOSTLY_ONE] = shape.ntop >= n / 4;
    may_be[STOA_NEAR_THE_LAST] = is_float || shape.step_nbits <= shape.value_nbits + n / 4;
}
