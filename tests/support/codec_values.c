/*
 * A shape is a function from a slot to a number; a number becomes a value of any type.
 */
#include "support/codec_values.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

struct state {
    struct stoa_test_random *r;
    uint64_t last;
    uint64_t left; /* of a run */
};

static uint64_t constant(struct state *s, size_t i)
{
    (void)s, (void)i;
    return 42;
}

static uint64_t two_values(struct state *s, size_t i)
{
    (void)i;
    return stoa_test_random_below(s->r, 2);
}

static uint64_t few_skewed(struct state *s, size_t i)
{
    uint64_t a = stoa_test_random_below(s->r, 6);

    (void)i;
    return a * stoa_test_random_below(s->r, 6);
}

static uint64_t small(struct state *s, size_t i)
{
    (void)i;
    return 100 + stoa_test_random_below(s->r, 100);
}

static uint64_t around_zero(struct state *s, size_t i)
{
    (void)i;
    return stoa_test_random_below(s->r, 2001) - 1000;
}

static uint64_t of_any_width(struct state *s, size_t i)
{
    (void)i;
    return stoa_test_random_wide(s->r);
}

static uint64_t any(struct state *s, size_t i)
{
    (void)i;
    return stoa_test_random_u64(s->r);
}

static uint64_t extremes(struct state *s, size_t i)
{
    static const uint64_t values[] = {
        0,          1,       UINT64_MAX,        INT64_MAX, (uint64_t)INT64_MIN,
        INT32_MAX,  0x7f,    (uint64_t)-0x8000, 0x7fff,    UINT32_MAX,
        0x80000000, 1u << 7, (uint64_t)-0x80};

    (void)i;
    return values[stoa_test_random_below(s->r, sizeof(values) / sizeof(values[0]))];
}

static uint64_t rising(struct state *s, size_t i)
{
    (void)i;
    return s->last += 1 + stoa_test_random_below(s->r, 7);
}

static uint64_t counting(struct state *s, size_t i)
{
    (void)s;
    return 1000000007 + i;
}

static uint64_t whole_minutes(struct state *s, size_t i)
{
    (void)i;
    return 1357000000 / 60 * 60 + 60 * stoa_test_random_below(s->r, 1440);
}

static uint64_t high_outliers(struct state *s, size_t i)
{
    (void)i;
    if (stoa_test_random_one_in(s->r, 50))
        return stoa_test_random_u64(s->r) >> 20;
    return 7000 + stoa_test_random_below(s->r, 500);
}

static uint64_t low_outliers(struct state *s, size_t i)
{
    (void)i;
    if (stoa_test_random_one_in(s->r, 50))
        return 0;
    return 40700000 + stoa_test_random_below(s->r, 100000);
}

static uint64_t runs(struct state *s, size_t i)
{
    (void)i;
    if (s->left-- == 0) {
        s->left = stoa_test_random_below(s->r, 60);
        s->last = stoa_test_random_below(s->r, 1000);
    }
    return s->last;
}

static uint64_t mostly_one(struct state *s, size_t i)
{
    (void)i;
    return stoa_test_random_one_in(s->r, 40) ? stoa_test_random_u64(s->r) : 5;
}

static const struct {
    const char *name;
    uint64_t (*number)(struct state *s, size_t i);
} shapes[] = {
    {"constant", constant},
    {"two values", two_values},
    {"few skewed", few_skewed},
    {"small", small},
    {"around zero", around_zero},
    {"of any width", of_any_width},
    {"any", any},
    {"extremes", extremes},
    {"rising", rising},
    {"counting", counting},
    {"whole minutes", whole_minutes},
    {"high outliers", high_outliers},
    {"low outliers", low_outliers},
    {"runs", runs},
    {"mostly one", mostly_one},
};

const char *stoa_test_shape_name(unsigned shape)
{
    return shape < sizeof(shapes) / sizeof(shapes[0]) ? shapes[shape].name : NULL;
}

static void put_fixed(uint8_t *out, enum stoa_phys phys, uint32_t width, uint64_t number)
{
    float f = (float)(int64_t)number / 8;
    double d = (double)(int64_t)number / 100;

    if (phys == STOA_PHYS_F32) {
        memcpy(out, &f, 4);
    } else if (phys == STOA_PHYS_F64) {
        memcpy(out, &d, 8);
    } else if (phys == STOA_PHYS_I128 || phys == STOA_PHYS_I256) { /* the sign goes on */
        memset(out, (int64_t)number < 0 ? 0xff : 0, width);
        memcpy(out + (STOA_LITTLE_ENDIAN ? 0 : width - 8), &number, 8);
    } else { /* the low bytes of the number */
        memcpy(out, (const uint8_t *)&number + (STOA_LITTLE_ENDIAN ? 0 : 8 - width), width);
    }
}

/* Text of a number: its decimal digits after a word, repeated to get long ones too; 0 is empty. */
static size_t put_text(uint8_t *out, uint64_t number)
{
    static const char word[] = "Athens Agora, colonnade no. ";
    size_t length = number % 7 == 0 ? 0 : number % 31, n = 0;

    if (number == 0)
        return 0;
    for (size_t k = 0; k < length; k++)
        out[n++] = (uint8_t)word[k % (sizeof(word) - 1)];
    do {
        out[n++] = (uint8_t)('0' + number % 10);
    } while ((number /= 10) != 0);
    return n;
}

void stoa_test_values_make(struct stoa_test_values *out, enum stoa_phys phys, uint32_t width,
                           unsigned shape, size_t nvalues, struct stoa_test_random *r)
{
    struct state state = {.r = r};
    size_t nbytes = 0;

    if (phys != STOA_PHYS_FIXED)
        width = stoa_phys_width(phys);
    *out = (struct stoa_test_values){.vector = {.phys = phys, .width = width, .nvalues = nvalues}};
    out->values = calloc(nvalues * (phys == STOA_PHYS_BYTES ? 56 : width) + 64, 1);
    assert(out->values != NULL);
    if (phys == STOA_PHYS_BYTES) {
        out->offsets = calloc(nvalues + 1, sizeof(*out->offsets));
        assert(out->offsets != NULL);
    }
    for (size_t i = 0; i < nvalues; i++) {
        uint64_t number = shapes[shape].number(&state, i);

        if (phys == STOA_PHYS_BYTES) {
            nbytes += put_text(out->values + nbytes, number);
            out->offsets[i + 1] = (int32_t)nbytes;
        } else {
            put_fixed(out->values + i * width, phys, width, number);
        }
    }
    out->vector.values = out->values;
    out->vector.offsets = out->offsets;
}

void stoa_test_values_free(struct stoa_test_values *values)
{
    free(values->values);
    free(values->offsets);
}

bool stoa_test_values_equal(const struct stoa_vector *a, size_t i, const struct stoa_vector *b,
                            size_t j)
{
    size_t length;

    if (a->phys != STOA_PHYS_BYTES)
        return memcmp(a->values + i * a->width, b->values + j * b->width, a->width) == 0;
    length = (size_t)(a->offsets[i + 1] - a->offsets[i]);
    return length == (size_t)(b->offsets[j + 1] - b->offsets[j]) &&
           (length == 0 ||
            memcmp(a->values + a->offsets[i], b->values + b->offsets[j], length) == 0);
}
