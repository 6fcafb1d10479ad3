/*
 * Sections of the footer whose content may be more than memory: it is read twice from where it was
 * collected, once to be hashed and once to be written.
 */
#ifndef STOA_FILE_FOOTER_STREAM_H
#define STOA_FILE_FOOTER_STREAM_H

#include "file/footer_data.h"
#include "file/layout.h"

enum {
    STOA_SECTION_ALIGN = 8,
    STOA_FOOTER_NSTREAMS = STOA_NNOTES + 2, /* sections of a file that are written so */
    STOA_STREAM_NPARTS = 2,
};

/* The content: of each part in turn what nodes [first_node, end_node) have. */
struct stoa_footer_stream {
    enum stoa_section_type type;
    enum stoa_footer_part parts[STOA_STREAM_NPARTS]; /* STOA_FOOTER_NPARTS: no more of them */
    uint32_t first_node;
    uint32_t end_node;
    uint64_t nbytes; /* of the content; 0: the section is left out */
    uint64_t count;  /* of elements */

    /* Set by _plan(): */
    struct stoa_buffer slices; /* hashes of its slices, when it is sliced */
    size_t npadding;           /* zeros in front of it */
};

typedef enum stoa_status stoa_footer_visit(void *context, const void *bytes, size_t nbytes,
                                           struct stoa_error *err);

/*
 * Gives a section the next place from *offset on, which moves behind it. stream->slices belongs to
 * the caller. STOA_ERR_NOMEM, STOA_ERR_IO: the temporary file; STOA_ERR_LIMIT: more elements than a
 * section can count.
 */
STOA_CHECK enum stoa_status stoa_footer_stream_plan(struct stoa_footer_data *data,
                                                    struct stoa_footer_stream *stream,
                                                    uint64_t *offset, struct stoa_section *section,
                                                    struct stoa_error *err);

/* All bytes of a section that has its place, padding in front of it included. */
STOA_CHECK enum stoa_status stoa_footer_stream_each(struct stoa_footer_data *data,
                                                    const struct stoa_footer_stream *stream,
                                                    stoa_footer_visit *visit, void *context,
                                                    struct stoa_error *err);

#endif
