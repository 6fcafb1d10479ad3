/*
 * One run: what a source gives, filtered and joined into row groups, goes into a sink.
 */
#ifndef STOA_CONVERT_RUN_H
#define STOA_CONVERT_RUN_H

#include <signal.h>

#include <stoa/filter.h>

#include "column/source.h"
#include "convert/memory.h"

struct stoa_progress;

/* What units of text measure: of each that has rows, in their order. `{0}` has none. */
struct stoa_text_unit {
    uint64_t nbytes;
    uint64_t nrows; /* records, of which the rows are some */
};
struct stoa_text_units {
    struct stoa_text_unit *items;
    size_t nitems;
    size_t capacity;
};

/* All is borrowed. */
struct stoa_run {
    struct stoa_batch_source *source;
    struct stoa_batch_sink *sink;
    const struct stoa_schema *schema; /* what the sink gets: the first columns of the source's */
    struct stoa_matcher *matcher;     /* bound to the source's schema; NULL: every row */
    uint32_t group_nrows;             /* of a row group at the most, */
    uint64_t group_nbytes;            /* and its bytes: those of values, */
    bool counts_text;                 /* or of the text of its rows, which units then tell */
    struct stoa_text_units *units;    /* row groups are not joined, but their units are told */
    struct stoa_memory *memory;
    unsigned jobs;
    const volatile sig_atomic_t *cancel; /* or NULL */
    struct stoa_progress *progress;      /* counts bytes in and rows */
};

/*
 * Runs to the end and finishes the sink. *obstacle, unless it or that is set, tells why the text of
 * the sources can't be restored. Errors: those of the source and the sink, the first one in the
 * order of the input; STOA_ERR_CANCELLED.
 */
STOA_CHECK enum stoa_status stoa_run(const struct stoa_run *run, const char **obstacle,
                                     struct stoa_error *err);

#endif
