/*
 * The last pass of a conversion whose guesses did not hold (spec/csv.md, "Widening").
 *
 * A value that its column's type can't hold stands in the first pass's file as a null, and its text
 * in the side table. Here the texts of such a column, all of them, say what type it has, and the
 * file is written once more with it: everything else is copied.
 */
#ifndef STOA_CONVERT_WIDENING_H
#define STOA_CONVERT_WIDENING_H

#include <signal.h>

#include <stoa/csv.h>
#include <stoa/reader.h>

#include "column/source.h"
#include "convert/run.h"

struct stoa_widen {
    struct stoa_reader *reader; /* of the first pass's file, whose row groups all have notes */
    const struct stoa_csv_options *options; /* nothing left to be found out */
    const bool *widens; /* of each column, whether it has values that are not of its type; perhaps
                           of none: then the text is dropped */
    const struct stoa_rules *rules; /* of the new file, and what it has Bloom filters of */
    const struct stoa_writer_options *writer;
    bool drops_text; /* the new file has neither side tables nor sources */
    unsigned jobs;
    const volatile sig_atomic_t *cancel; /* or NULL */
    struct stoa_progress *progress;      /* ticked */
};

/* The schema of the file with types that hold all texts of the columns that widen. */
STOA_CHECK enum stoa_status stoa_widen_decide(const struct stoa_widen *widen,
                                              struct stoa_schema *out, struct stoa_error *err);

/*
 * Writes the file under that schema, as a whole; the sink is not committed. Errors: those of
 * reading the first file, of writing, STOA_ERR_CANCELLED.
 */
STOA_CHECK enum stoa_status stoa_widen_write(const struct stoa_widen *widen,
                                             const struct stoa_schema *schema,
                                             struct stoa_sink *sink, struct stoa_error *err);

/*
 * The rows of the file under that schema, as the source of another run: a unit is a row group, and
 * units[i] tells what text it was made of. All is borrowed until close.
 */
STOA_CHECK enum stoa_status stoa_widen_source_open(const struct stoa_widen *widen,
                                                   const struct stoa_schema *schema,
                                                   const struct stoa_text_units *units,
                                                   struct stoa_batch_source **out,
                                                   struct stoa_error *err);

#endif
