/*
 * The evidence of one unit.
 */
#ifndef STOA_CSV_CSV_SURVEY_H
#define STOA_CSV_CSV_SURVEY_H

#include "csv/csv_unit.h"
#include "csv/kind.h"

/*
 * What the fields of a unit say of the `ncolumns` columns of its layout, an array that the caller
 * frees with stoa_free(). Records that are no rows say nothing. Any thread. Errors: those of
 * memory.
 */
STOA_CHECK enum stoa_status stoa_csv_unit_observe(const struct stoa_csv_reading *reading,
                                                  const struct stoa_csv_layout *layout,
                                                  const struct stoa_csv_text *text, uint32_t input,
                                                  uint32_t ncolumns, struct stoa_csv_evidence **out,
                                                  struct stoa_error *err);

#endif
