/*
 * xoshiro256** by Blackman and Vigna (2018), seeded through splitmix64 as its authors advise: any
 * seed, 0 included, gives a state that is not all zero.
 */
#include "support/random.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t splitmix64(uint64_t *x)
{
    uint64_t z = *x += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint64_t rotate_left(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

void stoa_test_random_seed(struct stoa_test_random *r, uint64_t seed)
{
    for (size_t i = 0; i < 4; i++)
        r->state[i] = splitmix64(&seed);
}

void stoa_test_random_init(struct stoa_test_random *r, const char *name)
{
    const char *wanted = getenv("STOA_TEST_SEED");
    uint64_t seed = UINT64_C(0xcbf29ce484222325);

    for (const char *c = name; *c != '\0'; c++) /* FNV-1a */
        seed = (seed ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
    if (wanted != NULL)
        seed = strtoull(wanted, NULL, 0);
    printf("# %s: STOA_TEST_SEED=%" PRIu64 "\n", name, seed);
    fflush(stdout); /* still there when the test crashes */
    stoa_test_random_seed(r, seed);
}

uint64_t stoa_test_random_u64(struct stoa_test_random *r)
{
    uint64_t *s = r->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t stoa_test_random_below(struct stoa_test_random *r, uint64_t n)
{
    return stoa_test_random_u64(r) % n; /* the bias is below n / 2^64 */
}

int64_t stoa_test_random_between(struct stoa_test_random *r, int64_t low, int64_t high)
{
    uint64_t span = (uint64_t)high - (uint64_t)low;
    uint64_t x = stoa_test_random_u64(r);

    return (int64_t)((uint64_t)low + (span == UINT64_MAX ? x : x % (span + 1)));
}

bool stoa_test_random_one_in(struct stoa_test_random *r, uint64_t n)
{
    return stoa_test_random_below(r, n) == 0;
}

uint64_t stoa_test_random_wide(struct stoa_test_random *r)
{
    uint64_t nbits = stoa_test_random_below(r, 65);

    return nbits == 0 ? 0 : stoa_test_random_u64(r) >> (64 - nbits);
}

double stoa_test_random_unit(struct stoa_test_random *r)
{
    return (double)(stoa_test_random_u64(r) >> 11) * 0x1p-53;
}

void stoa_test_random_bytes(struct stoa_test_random *r, void *out, size_t nbytes)
{
    uint8_t *bytes = out;

    for (size_t i = 0; i < nbytes; i++)
        bytes[i] = (uint8_t)(stoa_test_random_u64(r) >> 56);
}

/* Sanitizers make a case 5 to 20 times slower. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SCALE 0.125
#else
#define SCALE 1.0
#endif

const char *stoa_test_random_text(struct stoa_test_random *r, size_t n, const char *of)
{
    static char text[300];
    const size_t nof = strlen(of);

    assert(n < sizeof(text));
    for (size_t k = 0; k < n; k++)
        text[k] = of[stoa_test_random_below(r, nof)];
    text[n] = '\0';
    return text;
}

size_t stoa_test_ncases(size_t ncases)
{
    const char *scale = getenv("STOA_TEST_SCALE");
    double scaled = (double)ncases * (scale != NULL ? strtod(scale, NULL) : SCALE);

    return scaled >= 1 ? (size_t)scaled : 1;
}
