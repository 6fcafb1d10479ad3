/*
 * Parts of ArrowArrays as arrays: what nested types, dictionaries and batches share.
 */
#ifndef STOA_COLUMN_ARROW_IMPORT_H
#define STOA_COLUMN_ARROW_IMPORT_H

#include "column/arrow_view.h"

/* How far an import looks, and how deep it is. */
struct stoa_arrow_import {
    enum stoa_arrow_check check;
    bool count_nulls; /* compare null_count with the bitmaps */
    unsigned depth;
};

/*
 * Copies a part in canonical form (stoa/array.h). `field` is wanted; its type must be what the
 * schema of the part says, as in stoa_batch_import(). On failure *out is untouched.
 */
STOA_CHECK enum stoa_status stoa_arrow_import_part(struct stoa_arrow_import *import,
                                                   const struct stoa_arrow_part *part,
                                                   const struct stoa_field *field,
                                                   struct stoa_array *out, struct stoa_error *err);

/* The same where the part is indices into a dictionary, or runs. `storage` is the part's. */
STOA_CHECK enum stoa_status stoa_arrow_import_coded(struct stoa_arrow_import *import,
                                                    const struct stoa_arrow_part *part,
                                                    const struct stoa_arrow_storage *storage,
                                                    const struct stoa_field *field,
                                                    struct stoa_array *out, struct stoa_error *err);
STOA_CHECK enum stoa_status stoa_arrow_import_runs(struct stoa_arrow_import *import,
                                                   const struct stoa_arrow_part *part,
                                                   const struct stoa_arrow_storage *storage,
                                                   const struct stoa_field *field,
                                                   struct stoa_array *out, struct stoa_error *err);

/*
 * Rows [begin, begin + nrows) of `array` as a batch; as stoa_batch_import(), but the array is not
 * released. Counts of nulls are checked by the import of row 0.
 */
STOA_CHECK enum stoa_status stoa_arrow_import_rows(const struct ArrowArray *array,
                                                   const struct ArrowSchema *arrow,
                                                   const struct stoa_schema *schema, size_t begin,
                                                   size_t nrows, enum stoa_arrow_check check,
                                                   struct stoa_batch *out, struct stoa_error *err);

#endif
