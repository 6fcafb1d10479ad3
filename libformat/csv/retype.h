/*
 * A column that turned out to have values of another type: its texts, made again from values and
 * side table, are looked at as a whole and read anew (spec/csv.md, "Widening").
 *
 *     values, side table  -> texts -> evidence            each row group, any thread; joined
 *     evidence            -> the type that holds them all
 *     values, side table  -> texts -> values, side table  each row group, any thread
 *
 * So what was read is never read again, and comes out as if the type had been known.
 */
#ifndef STOA_CSV_RETYPE_H
#define STOA_CSV_RETYPE_H

#include <stoa/source_text.h>

#include "csv/kind.h"
#include "csv/parse.h"

/* A column of one row group with its side table. All is borrowed. */
struct stoa_csv_written {
    const struct stoa_field *field;
    const struct stoa_csv_reading *reading; /* as the text was read, with forms */
    const struct stoa_array *array;
    const struct stoa_side *side;
    uint32_t column; /* in the side table */
};

/* Adds what the texts say, as values in no certain place. STOA_ERR_CORRUPT: the side table does not
 * fit; STOA_ERR_NOMEM. */
STOA_CHECK enum stoa_status stoa_csv_retype_observe(const struct stoa_csv_written *written,
                                                    struct stoa_csv_evidence *evidence,
                                                    struct stoa_error *err);

/*
 * The same of those texts alone that stand in the side table as they were: values that the type
 * does not hold are among them. `array` is not looked at. Cost: that of these texts.
 */
void stoa_csv_retype_observe_kept(const struct stoa_csv_written *written,
                                  struct stoa_csv_evidence *evidence);

/*
 * Reads the texts as a field of another type. *out and *forms are overwritten on success and the
 * caller's to reset. STOA_ERR_DATA for a text that the type does not hold.
 */
STOA_CHECK enum stoa_status stoa_csv_retype(const struct stoa_csv_written *written,
                                            const struct stoa_field *to, struct stoa_array *out,
                                            struct stoa_csv_forms *forms, struct stoa_error *err);

#endif
