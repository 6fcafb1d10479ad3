/*
 * The choice of a rule for the text of a column's values, and the values that do not follow it
 * (csv/form.h; spec/csv.md, "Restore").
 */
#ifndef STOA_CSV_RULE_H
#define STOA_CSV_RULE_H

#include <stoa/source_text.h>

#include "csv/form.h"

/* The forms of some consecutive values: those of one unit. */
struct stoa_csv_rule_part {
    const struct stoa_csv_forms *forms;
    size_t nvalues;
};

/*
 * Adds what restoring a column needs to `side`, which has room for two more columns: nothing if the
 * usual rule says everything; a FORM column with the rule that leaves the fewest values over, and a
 * byte for each value if there are some; a RAW column for those whose text must be kept.
 *
 * array  the values, those of all parts together
 * On failure `side` holds what is its own. Errors: STOA_ERR_NOMEM; STOA_ERR_LIMIT for 2 GiB of
 * text. Cost: a column of numbers without codes none; one of text one pass over its bytes.
 */
STOA_CHECK enum stoa_status stoa_csv_rule_add(const struct stoa_field *field, uint32_t column,
                                              const struct stoa_csv_reading *reading,
                                              const struct stoa_array *array,
                                              const struct stoa_csv_rule_part *parts, size_t nparts,
                                              struct stoa_side *side, struct stoa_error *err);

#endif
