/*
 * Packed schemas: what follows the first 16 bytes of a SCHM body as one zstd frame
 * (spec/format.md, section 4).
 */
#ifndef STOA_FILE_SCHEMA_PACK_H
#define STOA_FILE_SCHEMA_PACK_H

#include "base/alloc.h"

/*
 * Packs *body, all that dir_hash covers, if it has no more than max_nbytes and the object gets
 * shorter by it. STOA_ERR_NOMEM.
 */
STOA_CHECK enum stoa_status stoa_schema_pack(struct stoa_buffer *body, uint32_t max_nbytes,
                                             struct stoa_error *err);

/*
 * A packed body as it would be without packing, whose head says that it has raw_nbytes, more than
 * 16: in *out, free it with stoa_free(). STOA_ERR_CORRUPT: there is no such frame in it.
 */
STOA_CHECK enum stoa_status stoa_schema_unpack(const uint8_t *body, size_t nbytes,
                                               uint64_t raw_nbytes, uint8_t **out,
                                               struct stoa_error *err);

#endif
