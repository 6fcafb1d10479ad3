/*
 * The schema of CSV inputs before they are converted.
 */
#ifndef STOA_CONVERT_SURVEY_H
#define STOA_CONVERT_SURVEY_H

#include <signal.h>

#include "csv/csv.h"

/*
 * Infers the schema of inputs with the dialect of the options; STOA_CSV_INFER_FULL reads all of
 * them by `jobs` threads. `cancel` may be NULL. Errors: those of stoa_csv_infer(), of reading, and
 * STOA_ERR_CANCELLED. The schema is the same for any number of jobs. *certain tells whether every
 * value was looked at.
 */
STOA_CHECK enum stoa_status stoa_survey_inputs(struct stoa_csv_inputs *inputs,
                                               const struct stoa_csv_options *options,
                                               unsigned jobs, const volatile sig_atomic_t *cancel,
                                               struct stoa_schema *out, bool *certain,
                                               struct stoa_error *err);

#endif
