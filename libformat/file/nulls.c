/*
 * Nulls that come down from above (spec/format.md, "Nested columns").
 *
 *     struct    1 1 0 1        fixed_list of 2    1   0   1
 *     child     1 0 0 1        child              1 1 0 0 0 1
 */
#include "file/nulls.h"

#include "base/bits.h"

/* Whether no bit is set in the child that is clear in the parent; both have as many. */
static bool is_part_of(const uint8_t *child, const uint8_t *parent, size_t nvalues)
{
    uint8_t extra = 0;

    for (size_t i = 0; i < stoa_bitmap_nbytes(nvalues); i++)
        extra |= child[i] & (uint8_t)~parent[i];
    return extra == 0;
}

static bool are_null_below(const struct stoa_array *parent, const struct stoa_array *child,
                           size_t width)
{
    if (width == 1)
        return is_part_of(child->validity, parent->validity, parent->nvalues);
    for (size_t i = 0; i < parent->nvalues; i++)
        if (stoa_array_is_null(parent, i) &&
            stoa_bitmap_count(child->validity, i * width, (i + 1) * width) != 0)
            return false;
    return true;
}

bool stoa_nulls_fit(const struct stoa_array *parent, const struct stoa_array *child, size_t width,
                    bool nullable)
{
    size_t inherited = parent->nnulls * width;

    if (inherited > 0 && (child->nnulls < inherited || !are_null_below(parent, child, width)))
        return false;
    return nullable || child->nnulls == inherited;
}
