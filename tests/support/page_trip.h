/*
 * Values into a page and out of it again.
 */
#ifndef STOA_TESTS_SUPPORT_PAGE_TRIP_H
#define STOA_TESTS_SUPPORT_PAGE_TRIP_H

#include "base/alloc.h"
#include "codec/page.h"

/*
 * Encodes n values of a fixed width as `plan` says, as text, and asserts that all of their bits
 * come back. *page, `{0}` before, is the page then: free it.
 */
void stoa_test_page_trip(struct stoa_encoder *encoder, struct stoa_decoder *decoder,
                         const char *plan, enum stoa_phys phys, const void *values, size_t n,
                         struct stoa_buffer *page);

#endif
