/*
 * What sinks say of a row that they can't write.
 */
#include <inttypes.h>

#include "base/error.h"
#include "column/source.h"

enum stoa_status stoa_fail_row(struct stoa_error *of_row, enum stoa_status st, uint64_t nbefore,
                               struct stoa_error *err)
{
    stoa_wrap(of_row, st, "row %" PRIu64, nbefore + of_row->offset + 1);
    of_row->offset = STOA_NO_OFFSET; /* there are no bytes to point at */
    if (err != NULL)
        *err = *of_row;
    return st;
}
