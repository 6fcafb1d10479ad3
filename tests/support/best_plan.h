/*
 * The best of all plans that the specification allows, by encoding with each of them: what the
 * chooser is measured by.
 */
#ifndef STOA_TESTS_SUPPORT_BEST_PLAN_H
#define STOA_TESTS_SUPPORT_BEST_PLAN_H

#include "codec/page.h"

/* Bytes of a page of these values, which are 65,536 at most. An error ends the test. */
size_t stoa_test_page_nbytes(struct stoa_encoder *encoder, const struct stoa_vector *values,
                             const struct stoa_plan *plan);

/*
 * The same of the best plan, which goes to *out: for U32 codes of a dictionary one with a DICT
 * root, else one without.
 */
size_t stoa_test_best_plan(struct stoa_encoder *encoder, const struct stoa_vector *values,
                           bool codes, struct stoa_plan *out);

#endif
