/*
 * What a conversion is made of, decided before anything is written: formats, source, output
 * schema, filter, memory.
 */
#ifndef STOA_CONVERT_CONVERT_PLAN_H
#define STOA_CONVERT_CONVERT_PLAN_H

#include <stoa/convert.h>
#include <stoa/order.h>

#include "column/rejects.h"
#include "column/source.h"
#include "convert/memory.h"

struct stoa_csv_inputs;
struct stoa_jsonl_inputs;

/* Of bad records; NULL: not wanted. */
struct stoa_reject_sinks {
    struct stoa_sink *list;
    struct stoa_sink *raw;
    bool is_final; /* one of them, or the output, can't be taken back once it is written to */
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

/*
 * A kind of source: what it reads, and what a conversion asks of it besides batches. One for each
 * format that is read; CSV and TSV are one.
 */
struct stoa_plan_convert;
struct stoa_source_kind {
    /* Opens plan->source and makes plan->schema, ->matcher and ->memory. */
    enum stoa_status (*plan)(struct stoa_plan_convert *plan,
                             const struct stoa_convert_options *options,
                             const struct stoa_reject_sinks *rejects, struct stoa_error *err);
    /* Records that were left out, as stoa_csv_source_rejected(); NULL: there never are any. */
    bool (*rejected)(const struct stoa_batch_source *source, uint64_t *nrejected,
                     uint64_t *nwritten, uint64_t *nraw);
    /* Blocks that were left out; NULL: there never are any. */
    void (*lost)(const struct stoa_batch_source *source, struct stoa_avro_lost *out);
    /* Whether the run ended because a guess was wrong; NULL: a guess never ends it. */
    bool (*misfit)(const struct stoa_batch_source *source);
    bool counts_text;     /* row groups count the bytes of its text, not of values */
    const char *obstacle; /* why its inputs can't be restored, in words; NULL: they can */
};

struct stoa_plan_convert {
    enum stoa_format from;
    bool from_is_guess; /* only the beginning of the inputs says so */
    enum stoa_format to;
    enum stoa_compress compress; /* of text; not AUTO */
    struct stoa_csv_write_options csv_out;
    const struct stoa_source_kind *kind;
    struct stoa_members *piped; /* the first input, a pipe that was looked at for its format, until
                                   its inputs below take it */
    struct stoa_csv_inputs *inputs;         /* of a CSV source */
    struct stoa_jsonl_inputs *jsonl_inputs; /* of JSON lines */
    struct stoa_schema *guess; /* of JSON lines: the columns that a sample said, where it may be
                                  wrong; NULL: it can't */
    struct stoa_batch_source *source; /* its batches: the output's columns, then those that only
                                         the filter needs */
    struct stoa_schema schema;        /* of the output */
    struct stoa_matcher *matcher;     /* bound to the source's schema; NULL: every row */
    struct stoa_sort_order order;     /* of the output's rows; `{0}`: none is known */
    bool sorts;                       /* they do not come in it */
    uint32_t group_nrows;             /* of a row group at the most, */
    uint64_t group_nbytes;            /* and its bytes (run.c); of a unit its rows and text */
    enum stoa_draft draft;            /* what of, while types are guesses */
    bool keeps_text;                  /* that the inputs can be restored from */
    struct stoa_csv_options csv_in;   /* of a CSV source, nothing left to be found out */
    const char *obstacle;             /* to keeping the text of the inputs; NULL: it is kept */
    unsigned jobs;
    struct stoa_memory memory;
    struct stoa_writer_options writer; /* as asked for, and with the Bloom filters of Stoa files
                                          that are read */
    char **bloom_names;                /* of these; NULL: they are the caller's */
    uint64_t bloom_nbits;              /* a row at the most, of all filters of the output, */
    unsigned nblooms;                  /* and how many it gets */
};

/* Makes plan->memory anew, for row groups as they are, of that schema. */
void stoa_plan_memory_again(struct stoa_plan_convert *plan,
                            const struct stoa_convert_options *options,
                            const struct stoa_schema *schema);

/*
 * Decides all of it and opens the source; the sinks are borrowed. *plan is `{0}`, or what
 * stoa_plan_convert_again() left of it. On failure it is `{0}`.
 */
STOA_CHECK enum stoa_status stoa_plan_convert_init(struct stoa_plan_convert *plan,
                                                   const struct stoa_convert_options *options,
                                                   const struct stoa_reject_sinks *rejects,
                                                   struct stoa_error *err);
void stoa_plan_convert_reset(struct stoa_plan_convert *plan);

/* The same, but for inputs that can't be opened again and the guess that was wrong. */
void stoa_plan_convert_again(struct stoa_plan_convert *plan);

/*
 * For the plans of kinds: the columns of the output in `schema`, then those that only the filter
 * names.
 */
STOA_CHECK enum stoa_status stoa_plan_columns(const struct stoa_convert_options *options,
                                              const struct stoa_schema *schema, uint32_t **out,
                                              uint32_t *nselected, uint32_t *ncolumns,
                                              struct stoa_error *err);

/* Whether a value that a guessed type does not hold shall make it another one. */
bool stoa_plan_widens(const struct stoa_convert_options *options);

/* What becomes of bad records of text, and where the list of them goes. */
struct stoa_reject_options stoa_plan_rejects(const struct stoa_convert_options *options,
                                             const struct stoa_reject_sinks *rejects);

/* A schema that was given, with the names of the inputs where it says, or as its last column. */
STOA_CHECK enum stoa_status stoa_plan_take_schema(const struct stoa_convert_options *options,
                                                  struct stoa_schema *out, struct stoa_error *err);

extern const struct stoa_source_kind stoa_jsonl_kind; /* plan_jsonl.c */
extern const struct stoa_source_kind stoa_avro_kind;  /* plan_avro.c */

#endif
