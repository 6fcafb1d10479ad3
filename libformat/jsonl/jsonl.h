/*
 * JSON lines as a source and a sink of batches (column/source.h), and their schema.
 */
#ifndef STOA_JSONL_JSONL_H
#define STOA_JSONL_JSONL_H

#include <stoa/io.h>
#include <stoa/jsonl.h>

#include "column/rejects.h"
#include "column/source.h"
#include "jsonl/text_input.h"

struct stoa_text_packer;

/* Writes to `sink`, batches in order; sink and packer (NULL: no compression) are borrowed. */
STOA_CHECK enum stoa_status stoa_jsonl_sink_open(struct stoa_sink *sink,
                                                 const struct stoa_text_packer *packer,
                                                 struct stoa_batch_sink **out,
                                                 struct stoa_error *err);

/* ---- Schemas (infer.c). ---- */

/*
 * Inference in steps, so that all records can be looked at by many threads:
 *
 *     stoa_jsonl_inference_new()        looks at samples, or with `full` at nothing
 *     stoa_jsonl_inference_next()       full: the next unit, NULL at the end; in order
 *     stoa_jsonl_inference_observe()    full: what a unit says, which it frees; any thread
 *     stoa_jsonl_inference_join()       full: adds that, in the order of the units
 *     stoa_jsonl_inference_schema()
 *
 * `inputs` and what the options borrow must outlive it.
 */
struct stoa_jsonl_evidence;
struct stoa_jsonl_inference;
STOA_CHECK enum stoa_status stoa_jsonl_inference_new(struct stoa_jsonl_inputs *inputs,
                                                     const struct stoa_jsonl_options *options,
                                                     bool full, struct stoa_jsonl_inference **out,
                                                     struct stoa_error *err);
STOA_CHECK enum stoa_status stoa_jsonl_inference_next(struct stoa_jsonl_inference *inference,
                                                      struct stoa_unit **out,
                                                      struct stoa_error *err);
STOA_CHECK enum stoa_status stoa_jsonl_inference_observe(struct stoa_unit *unit,
                                                         struct stoa_jsonl_evidence **out,
                                                         struct stoa_error *err);
STOA_CHECK enum stoa_status stoa_jsonl_inference_join(struct stoa_jsonl_inference *inference,
                                                      struct stoa_jsonl_evidence *evidence,
                                                      struct stoa_error *err);
/* `evidence` as that of stoa_jsonl_infer(). */
STOA_CHECK enum stoa_status stoa_jsonl_inference_schema(struct stoa_jsonl_inference *inference,
                                                        struct stoa_schema *out, char **evidence,
                                                        struct stoa_error *err);
/* That failed, as no line tells of a column and one is no JSON. */
bool stoa_jsonl_inference_met_other_text(const struct stoa_jsonl_inference *inference);
/* Every value of every input was in the samples: no guess can be wrong. */
bool stoa_jsonl_inference_is_certain(const struct stoa_jsonl_inference *inference);
void stoa_jsonl_evidence_free(struct stoa_jsonl_evidence *evidence);
void stoa_jsonl_inference_free(struct stoa_jsonl_inference *inference);

/* ---- Rows (jsonl_read.c). ---- */

struct stoa_jsonl_source_options {
    struct stoa_jsonl_options jsonl;
    const struct stoa_schema *schema; /* of the table; copied */
    /* The columns that are delivered, in order; NULL: all. Of others only the syntax is looked at.
     */
    const uint32_t *columns;
    uint32_t ncolumns;
    bool inferred; /* the schema was, but for the types that were given: a value must say all that
                      its text says */
    bool widens;   /* a value or a key that does not fit what was inferred is none of the record:
                      the read fails, and stoa_jsonl_source_misfit() is true */
    struct stoa_reject_options rejects;
    uint32_t unit_nrows; /* lines of a unit, and text of it, at the most */
    uint64_t unit_nbytes;
    uint64_t prefetch_nbytes; /* that the decoder of a compressed input may be ahead */
};

/*
 * Reads the inputs in order as one table; `inputs` is borrowed and used by this source alone. A
 * line that is no row is STOA_ERR_DATA with file, line and what is wrong. Units are cut by lines
 * and bytes of text, never by threads or memory.
 */
STOA_CHECK enum stoa_status stoa_jsonl_source_open(struct stoa_jsonl_inputs *inputs,
                                                   const struct stoa_jsonl_source_options *options,
                                                   struct stoa_batch_source **out,
                                                   struct stoa_error *err);

/* Whether a guess turned out to be wrong. After the run. */
bool stoa_jsonl_source_misfit(const struct stoa_batch_source *source);

/* As stoa_csv_source_rejected(). */
bool stoa_jsonl_source_rejected(const struct stoa_batch_source *source, uint64_t *nrejected,
                                uint64_t *nwritten, uint64_t *nraw);

#endif
