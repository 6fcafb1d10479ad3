/*
 * Segments of shared dictionaries: their names and their bytes (spec/format.md, section 6).
 */
#ifndef STOA_FILE_DICTIONARY_WRITE_H
#define STOA_FILE_DICTIONARY_WRITE_H

#include "codec/page.h"
#include "file/chunk_values.h"
#include "file/layout.h"

/* One segment on its way into the file. `{0}` is empty; stoa_segment_reset() frees. */
struct stoa_segment {
    uint64_t id;
    uint64_t prev_id;    /* 0: it starts a chain */
    uint32_t prev_index; /* STOA_NONE32: it starts a chain */
    uint32_t index;      /* in the order of the file: its entry of the dictionary directory */
    uint32_t first_code;
    struct stoa_values values; /* they rise; freed by _encode() */
    enum stoa_phys phys;
    uint32_t count;
    struct stoa_buffer body; /* of its object; set by _encode() */
    uint32_t dir_nbytes;
};

/*
 * The id of a segment of these values behind the segment prev_id. Cost: a copy of the values.
 * STOA_ERR_NOMEM.
 */
STOA_CHECK enum stoa_status stoa_segment_id(uint64_t prev_id, const struct stoa_vector *values,
                                            uint64_t *id, struct stoa_error *err);

/* Makes segment->body. STOA_ERR_NOMEM. */
STOA_CHECK enum stoa_status stoa_segment_encode(struct stoa_encoder *encoder,
                                                struct stoa_segment *segment,
                                                struct stoa_error *err);

void stoa_segment_reset(struct stoa_segment *segment);

/* What the dictionary directory says of a segment; its places are the file's to say. */
struct stoa_dictdir_entry stoa_segment_entry(const struct stoa_segment *segment);

#endif
