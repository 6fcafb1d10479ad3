/*
 * Writing one chunk: a column of a row group as pages with their head (spec/format.md, section 5).
 */
#ifndef STOA_FILE_CHUNK_WRITE_H
#define STOA_FILE_CHUNK_WRITE_H

#include "codec/page.h"
#include "file/chunk_values.h"
#include "file/layout.h"
#include "file/rules.h"

struct stoa_chunk_input {
    const struct stoa_plan *plan;
    uint64_t estimate_nbytes; /* of all pages: decides how large pages are */

    struct stoa_vector values; /* null slots filled; with a DICT root the U32 codes; NONE: none */
    enum stoa_phys phys;       /* of the chunk */
    const uint8_t *validity;   /* NULL: nothing is null */
    uint32_t nnulls;
    const int32_t *first_child; /* list and map: child values in front of each value; else NULL */

    const struct stoa_derivation *derivation; /* of all values, for a derived plan; else NULL */
    uint32_t bases;                           /* stoa_bases_pack() of their nodes in the file */

    /* Entries of the chunk's own, put in front of the pages; nvalues 0: none. */
    struct stoa_vector entries;
    const struct stoa_plan *entries_plan;
};

/*
 * Appends the chunk to *out, which is empty or ends at a multiple of 8, and describes it in *entry:
 * offset is left 0, and dict_id unless the chunk is derived; SHARED_DICT is not set.
 * STOA_ERR_LIMIT: 4 GiB or more; STOA_ERR_NOMEM. On error *out keeps its old length.
 */
STOA_CHECK enum stoa_status stoa_chunk_write(struct stoa_encoder *encoder,
                                             const struct stoa_rules *rules,
                                             const struct stoa_chunk_input *chunk,
                                             struct stoa_buffer *out, struct stoa_rg_entry *entry,
                                             struct stoa_error *err);

/*
 * Whether pages of these values may be so large as those of derived chunks and their bases must be
 * (STOA_DERIVED_MIN_PAGE_SHIFT).
 */
bool stoa_chunk_may_be_base(const struct stoa_rules *rules, const struct stoa_vector *values);

/*
 * The entry of a chunk that has no bytes: of nulls alone, of no values, or of a node whose values
 * are none (NONE) without nulls.
 */
struct stoa_rg_entry stoa_chunk_without_pages(enum stoa_phys phys, uint32_t nvalues,
                                              uint32_t nnulls);

/* No page of nvalues values with nbytes bytes has payloads of more bytes than this. */
uint64_t stoa_page_raw_bound(uint64_t nbytes, uint64_t nvalues);

/* The encoding of the values of a page, CONST when all are null. */
uint8_t stoa_page_root_encoding(const uint8_t *page);

#endif
