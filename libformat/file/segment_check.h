/*
 * What spec/format.md, "Dictionaries", promises of the values of shared dictionaries.
 */
#ifndef STOA_FILE_SEGMENT_CHECK_H
#define STOA_FILE_SEGMENT_CHECK_H

#include "file/dictionary_read.h"

/*
 * Decodes segment `index` of the table from its object at `offset` (the first one or a copy):
 * hashes, its id against its values, and that these rise. `width` is that of its head. The table
 * may be one of the caller's own making, and only source, memory and the end of the objects
 * (trailer.footer_off) of the footer are looked at. STOA_ERR_CORRUPT, _UNSUPPORTED, _LIMIT say
 * something of the segment.
 */
STOA_CHECK enum stoa_status stoa_segment_check(const struct stoa_footer *footer,
                                               struct stoa_decoder *decoder,
                                               const struct stoa_dictionary_table *table,
                                               uint32_t index, uint64_t offset, uint32_t width,
                                               struct stoa_error *err);

/* STOA_ERR_CORRUPT when a value comes twice in the first `ncodes` of a dictionary. */
STOA_CHECK enum stoa_status stoa_chain_check(const struct stoa_dictionary *dictionary,
                                             uint32_t ncodes, struct stoa_error *err);

#endif
