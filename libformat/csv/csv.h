/*
 * CSV as a source and a sink of batches (column/source.h), and the inputs of a conversion.
 */
#ifndef STOA_CSV_CSV_H
#define STOA_CSV_CSV_H

#include <stoa/csv.h>

#include "column/rejects.h"
#include "column/source.h"

/*
 * A list of inputs. One that can be read only once (a pipe) keeps what was looked at for inference
 * and delivers it again to the source.
 */
struct stoa_csv_inputs;

/* Opens nothing yet; the paths are copied. */
STOA_CHECK enum stoa_status stoa_csv_inputs_new(const char *const *paths, size_t npaths,
                                                struct stoa_csv_inputs **out,
                                                struct stoa_error *err);

/* The first input was opened by its path already, and nothing taken from it; they own it then. */
void stoa_csv_inputs_give(struct stoa_csv_inputs *inputs, struct stoa_members *members);
void stoa_csv_inputs_free(struct stoa_csv_inputs *inputs);

/*
 * The encoding of all inputs, before any of them is looked at; NULL: each tells its own. An unknown
 * name is an error when the first input is opened.
 */
STOA_CHECK enum stoa_status stoa_csv_inputs_set_encoding(struct stoa_csv_inputs *inputs,
                                                         const char *encoding,
                                                         struct stoa_error *err);

/*
 * stoa_csv_sniff() on opened inputs. With a schema the number of columns is known, and the first
 * record is the header if it names them, whatever it looks like.
 */
STOA_CHECK enum stoa_status
stoa_csv_inputs_sniff(struct stoa_csv_inputs *inputs, const struct stoa_csv_options *options,
                      const struct stoa_schema *schema, struct stoa_csv_options *resolved,
                      struct stoa_csv_sniff_report *report, struct stoa_error *err);

/* stoa_csv_infer() on opened inputs, with the dialect of the options; STOA_CSV_INFER_FULL by one
   thread. */
STOA_CHECK enum stoa_status stoa_csv_inputs_infer(struct stoa_csv_inputs *inputs,
                                                  const struct stoa_csv_options *options,
                                                  struct stoa_schema *out, char **evidence,
                                                  struct stoa_error *err);

/*
 * Inference in steps, so that the units of STOA_CSV_INFER_FULL can be looked at by many threads:
 *
 *     stoa_csv_inference_new()         looks at samples, or only finds out which columns there are
 *     stoa_csv_inference_source()      full: whose next() gives the units; NULL: there are none
 *     stoa_csv_inference_observe()     full: for each unit, which it frees; any thread
 *     stoa_csv_inference_join()        full: for what each gave, in any order; one thread at a time
 *     stoa_csv_inference_schema(), stoa_csv_inference_is_certain()
 *
 * `options` and `inputs` must outlive it. stoa_csv_inference_new() with STOA_CSV_INFER_FULL is
 * STOA_ERR_USAGE where an input can be read only once.
 */
struct stoa_csv_inference;
struct stoa_csv_evidence;
STOA_CHECK enum stoa_status stoa_csv_inference_new(struct stoa_csv_inputs *inputs,
                                                   const struct stoa_csv_options *options,
                                                   struct stoa_csv_inference **out,
                                                   struct stoa_error *err);
struct stoa_batch_source *stoa_csv_inference_source(struct stoa_csv_inference *inference);
STOA_CHECK enum stoa_status stoa_csv_inference_observe(const struct stoa_csv_inference *inference,
                                                       struct stoa_unit *unit,
                                                       struct stoa_csv_evidence **out,
                                                       struct stoa_error *err);
void stoa_csv_inference_join(struct stoa_csv_inference *inference,
                             const struct stoa_csv_evidence *columns);
STOA_CHECK enum stoa_status stoa_csv_inference_schema(const struct stoa_csv_inference *inference,
                                                      struct stoa_schema *out, char **evidence,
                                                      struct stoa_error *err);
/* Every value of every input is looked at, when all is done: no guess can be wrong. */
bool stoa_csv_inference_is_certain(const struct stoa_csv_inference *inference);
void stoa_csv_inference_free(struct stoa_csv_inference *inference);

struct stoa_csv_source_options {
    struct stoa_csv_options csv;
    /* The columns of the table, which the header of each input names in any order; copied. */
    const struct stoa_schema *schema;
    /* The columns that are delivered, in order; NULL: all. The others are split, not parsed. */
    const uint32_t *columns;
    uint32_t ncolumns;
    /* The schema was inferred: a number whose text the type would not give back ("007", "+5",
       "-0" in an integer column) does not fit. A schema that a user gave takes it by value. */
    bool inferred;
    struct stoa_reject_options rejects;
    /* All that restoring the inputs takes is kept, for side() and sources(). All columns are
       delivered, in their order. */
    bool keeps_text;
    /* A value that an inferred type does not hold ends nothing: it is null, and its text is kept in
       the side table; stoa_csv_source_misfit() tells of it. Without keeps_text side() tells how the
       columns were written that this can happen to, and of nothing else. */
    bool widens;
    /* Text of later units that prefetch() may hold, with the memory that is kept for such. */
    uint64_t prefetch_nbytes;
};

/*
 * Reads the inputs in order as one table. `inputs` is borrowed and used by this source alone.
 * A value that its column's type can't hold exactly is STOA_ERR_DATA with file, line, column, value
 * and type. Units are cut by records and bytes of text, never by threads or memory; prefetch()
 * decompresses later inputs while an earlier one is being read.
 */
STOA_CHECK enum stoa_status stoa_csv_source_open(struct stoa_csv_inputs *inputs,
                                                 const struct stoa_csv_source_options *options,
                                                 struct stoa_batch_source **out,
                                                 struct stoa_error *err);

/*
 * Once all units were accepted: the message about the first value of a column of the batches that
 * its type does not hold, with the name of the input; NULL for none. Lent until close.
 */
const char *stoa_csv_source_misfit(const struct stoa_batch_source *source, uint32_t column);

/*
 * Records that were left out so far, of these the ones that the sinks have, and of those the ones
 * that the raw sink has; true when they passed a limit. One thread, not beside accept().
 */
bool stoa_csv_source_rejected(const struct stoa_batch_source *source, uint64_t *nrejected,
                              uint64_t *nwritten, uint64_t *nraw);

/*
 * What the columns of a unit of the source hold, as stoa_csv_unit_observe(); frees the unit. Any
 * thread.
 */
STOA_CHECK enum stoa_status stoa_csv_source_observe(const struct stoa_batch_source *source,
                                                    struct stoa_unit *unit,
                                                    struct stoa_csv_evidence **out,
                                                    struct stoa_error *err);

/*
 * Writes to `sink` (borrowed): the header at once, batches in order. The texts of `options` and
 * `packer` (NULL: no compression) are borrowed until close.
 */
struct stoa_text_packer;
STOA_CHECK enum stoa_status
stoa_csv_sink_open(struct stoa_sink *sink, const struct stoa_csv_write_options *options,
                   const struct stoa_text_packer *packer, const struct stoa_schema *schema,
                   struct stoa_batch_sink **out, struct stoa_error *err);

#endif
