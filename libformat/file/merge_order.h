/*
 * The order of a merged file's rows: that of its parts, as far as it goes.
 */
#ifndef STOA_FILE_MERGE_ORDER_H
#define STOA_FILE_MERGE_ORDER_H

#include "file/merge_part.h"
#include "file/row_order.h"

/* Init with `{0}`, release with stoa_merge_order_reset(). */
struct stoa_merge_order {
    struct stoa_sort_order order;  /* of the rows so far, in columns of the output */
    struct stoa_order_edges edges; /* of the part before */
    bool begun;                    /* there are rows */
};
void stoa_merge_order_reset(struct stoa_merge_order *order);

/*
 * Takes note of a part, all of whose rows come next. What is left of the order is what all parts
 * claim of the same columns, which have the same types in them as in the output, while no part
 * begins in front of where the one before ended. Reads two rows of the part.
 */
STOA_CHECK enum stoa_status stoa_merge_order_add(struct stoa_merge_order *order,
                                                 const struct stoa_part *part,
                                                 struct stoa_error *err);

#endif
