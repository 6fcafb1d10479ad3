/*
 * An array that is made of pages of a chunk: what reading ranges (chunk_read.c) and single values
 * (chunk_take.c) have in common.
 *
 * The array of a node with children comes without them: of a struct or fixed_list a bitmap, of a
 * list or map offsets too. nodes_read.c puts trees together.
 */
#ifndef STOA_FILE_CHUNK_JOB_H
#define STOA_FILE_CHUNK_JOB_H

#include "codec/page.h"
#include "file/base_read.h"
#include "file/chunk_open.h"

enum { STOA_CHUNK_JOB_SLACK = 64 }; /* what the page decoder may write behind the last value */

struct stoa_chunk_job {
    struct stoa_open_chunk in;
    struct stoa_field own; /* the node's, childless: of type null where it has children */
    bool has_lengths;      /* list or map */
    uint32_t nchild;       /* its child's values in the row group, */
    uint32_t first_child;  /* those in front of the values covered */
    uint32_t begin;        /* values covered: whole pages around the values wanted */
    uint32_t end;
    const uint32_t *places; /* those wanted instead, single ones, and each in its page */
    const uint32_t *in_page;
    uint32_t *codes;               /* of kept pages: those of the places */
    struct stoa_base_reader bases; /* of a derived chunk */
    struct stoa_array array;
    struct stoa_buffer text;
};

void stoa_chunk_job_reset(struct stoa_chunk_job *job);

/*
 * Room for values [begin, end) of the job, which are in stored pages [first, last); the text of
 * pages without a dictionary is known in advance.
 */
STOA_CHECK enum stoa_status stoa_chunk_job_alloc(struct stoa_chunk_job *job, uint32_t first,
                                                 uint32_t last, struct stoa_error *err);

/* Where the page decoder puts the values from the array's `first` on; those of a fixed width. */
struct stoa_page_values stoa_chunk_job_room(struct stoa_chunk_job *job, size_t first);
uint8_t *stoa_chunk_job_value_room(const struct stoa_chunk_job *job, size_t first);

/*
 * Verifies and decodes n values of stored page k, all or single ones, to the array's `first` and
 * behind.
 */
STOA_CHECK enum stoa_status stoa_chunk_job_decode_page(struct stoa_chunk_job *job, uint32_t k,
                                                       const uint8_t *bytes, size_t first,
                                                       uint32_t n, struct stoa_error *err);

/*
 * What is left to do with n values of stored page k that were decoded to the array's `first` and
 * behind, when there was text_before in front of them.
 */
STOA_CHECK enum stoa_status stoa_chunk_job_finish_values(struct stoa_chunk_job *job, uint32_t k,
                                                         size_t first, uint32_t n,
                                                         size_t text_before,
                                                         struct stoa_error *err);

/* Moves the text into the array, with zeros behind it. */
STOA_CHECK enum stoa_status stoa_chunk_job_finish_text(struct stoa_chunk_job *job,
                                                       struct stoa_error *err);

/*
 * n values of a chunk without pages: none, or every one is null, or the node has no values and none
 * is null.
 */
STOA_CHECK enum stoa_status stoa_chunk_job_without_pages(struct stoa_chunk_job *job, uint32_t n,
                                                         struct stoa_array *out,
                                                         struct stoa_range *children,
                                                         struct stoa_error *err);

#endif
