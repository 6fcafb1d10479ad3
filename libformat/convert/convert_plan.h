/*
 * What a conversion is made of, decided before anything is written: formats, source, output
 * schema, filter, memory.
 */
#ifndef STOA_CONVERT_CONVERT_PLAN_H
#define STOA_CONVERT_CONVERT_PLAN_H

#include <stoa/convert.h>
#include <stoa/order.h>

#include "column/source.h"
#include "convert/memory.h"

struct stoa_csv_inputs;

/* Of bad records; NULL: not wanted. */
struct stoa_reject_sinks {
    struct stoa_sink *list;
    struct stoa_sink *raw;
};

/*
 * Where rows go while their types are guesses that values to come may prove wrong (spec/csv.md,
 * "Widening").
 */
enum stoa_draft {
    STOA_DRAFT_NONE,   /* they are no guesses, or such values are errors: to the output */
    STOA_DRAFT_OUTPUT, /* a Stoa file that the output is, or is made of by copying */
    STOA_DRAFT_ROWS,   /* a Stoa file from which all rows are read again, and then go on */
};

struct stoa_plan_convert {
    enum stoa_format from;
    enum stoa_format to;
    enum stoa_compress compress; /* of text; not AUTO */
    struct stoa_csv_write_options csv_out;
    struct stoa_csv_inputs *inputs;   /* of a CSV source */
    struct stoa_batch_source *source; /* its batches: the output's columns, then those that only
                                         the filter needs */
    struct stoa_schema schema;        /* of the output */
    struct stoa_matcher *matcher;     /* bound to the source's schema; NULL: every row */
    struct stoa_sort_order order;     /* of the output's rows; `{0}`: as they come */
    uint32_t group_nrows;             /* of a row group at the most, */
    uint64_t group_nbytes;            /* and its bytes (run.c); of a unit its rows and text */
    enum stoa_draft draft;            /* what of, while types are guesses */
    bool keeps_text;                  /* that the inputs can be restored from */
    struct stoa_csv_options csv_in;   /* of a CSV source, nothing left to be found out */
    const char *obstacle;             /* to keeping the text of the inputs; NULL: it is kept */
    unsigned jobs;
    struct stoa_memory memory;
};

/*
 * Decides all of it and opens the source; the sinks are borrowed. On failure *plan is
 * `{0}`.
 */
STOA_CHECK enum stoa_status stoa_plan_convert_init(struct stoa_plan_convert *plan,
                                                   const struct stoa_convert_options *options,
                                                   const struct stoa_reject_sinks *rejects,
                                                   struct stoa_error *err);
void stoa_plan_convert_reset(struct stoa_plan_convert *plan);

#endif
