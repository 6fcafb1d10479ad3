/*
 * Vectors of every physical type in the shapes that encodings care about.
 */
#ifndef STOA_TESTS_SUPPORT_CODEC_VALUES_H
#define STOA_TESTS_SUPPORT_CODEC_VALUES_H

#include "codec/vector.h"
#include "support/random.h"

/* Owned by malloc, with 64 bytes behind the last value. */
struct stoa_test_values {
    struct stoa_vector vector;
    uint8_t *values;
    int32_t *offsets;
};

/* Shapes are numbered from 0; NULL behind the last. All of them suit any type. */
const char *stoa_test_shape_name(unsigned shape);

/* nvalues values; width is looked at for FIXED only. Free with stoa_test_values_free(). */
void stoa_test_values_make(struct stoa_test_values *out, enum stoa_phys phys, uint32_t width,
                           unsigned shape, size_t nvalues, struct stoa_test_random *r);
void stoa_test_values_free(struct stoa_test_values *values);

/* Whether value i of `a` is value j of `b`. */
bool stoa_test_values_equal(const struct stoa_vector *a, size_t i, const struct stoa_vector *b,
                            size_t j);

#endif
