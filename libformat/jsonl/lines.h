/*
 * Cutting text into units of whole lines (spec/jsonl.md, section 6). An LF ends a line whatever
 * stands around it, so that there is nothing to know but where they are.
 */
#ifndef STOA_JSONL_LINES_H
#define STOA_JSONL_LINES_H

#include <stoa/io.h>

#include "base/alloc.h"

#define STOA_JSONL_SLACK 64 /* zeros behind the text of a unit */

#define STOA_JSONL_UNIT_NROWS  131072
#define STOA_JSONL_UNIT_NBYTES (UINT64_C(4) << 20)
#define STOA_JSONL_UNIT_FIELD_NBYTES                                                               \
    (UINT64_C(32) << 10)                                  /* for each field, where that is more,   \
                                                           */
#define STOA_JSONL_MAX_UNIT_NBYTES   (UINT64_C(32) << 20) /* and no more than this */
#define STOA_JSONL_MAX_RECORD_NBYTES (UINT64_C(32) << 20)
#define STOA_JSONL_BEGINNING_NBYTES  10000 /* that are delivered of a line that is too large */

/* Consecutive lines; `text` is owned. */
struct stoa_jsonl_text {
    char *text; /* NULL: there are no more */
    size_t nbytes;
    uint64_t nlines;       /* blank ones too */
    uint64_t line;         /* of its first byte, from 1 */
    uint64_t offset;       /* of its first byte in the decoded text */
    uint64_t large_nbytes; /* not 0: one line that is too large, and this its beginning */
};

struct stoa_jsonl_cutter {
    struct stoa_stream *stream; /* borrowed */
    uint32_t unit_nlines;
    uint64_t unit_nbytes;
    uint64_t max_nbytes; /* of a line */
    bool in_parts;       /* units may end behind a half, a quarter, ... of their lines */
    bool passes_large;   /* a line that is larger is delivered as its beginning; else an error */
    struct stoa_buffer buffer;
    size_t last_nbytes; /* of the unit before */
    uint64_t line;
    uint64_t offset;
    bool started;
    bool ended;
};

/* 0: the usual size. */
void stoa_jsonl_cutter_init(struct stoa_jsonl_cutter *cutter, struct stoa_stream *stream,
                            uint32_t unit_nlines, uint64_t unit_nbytes, uint64_t max_nbytes);
void stoa_jsonl_cutter_reset(struct stoa_jsonl_cutter *cutter);

/* The next unit. Errors: those of the stream, STOA_ERR_LIMIT for a line that is too large. */
STOA_CHECK enum stoa_status stoa_jsonl_cutter_next(struct stoa_jsonl_cutter *cutter,
                                                   struct stoa_jsonl_text *out,
                                                   struct stoa_error *err);

#endif
