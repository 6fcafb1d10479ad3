/*
 * The bytes of an input counted and hashed on their way to whoever reads them.
 */
#ifndef STOA_CSV_DIGEST_H
#define STOA_CSV_DIGEST_H

#include <stoa/io.h>

#include "base/hash.h"

/* What a stream delivered. */
struct stoa_csv_digest {
    uint64_t nbytes;
    uint8_t hash[STOA_HASH128_NBYTES];
    bool is_whole; /* it was read to its end */
};

/*
 * Takes `below` over (also on failure) and opens a stream of the same bytes; at their end *out is
 * filled in, which must outlive the stream. It is `{0}` before.
 */
STOA_CHECK enum stoa_status stoa_csv_digest_open(struct stoa_stream *below,
                                                 struct stoa_csv_digest *out,
                                                 struct stoa_stream **stream,
                                                 struct stoa_error *err);

#endif
