/*
 * Side tables and sources by themselves (stoa/source_text.h).
 */
#include "column/source_text.h"

#include <string.h>

#include "base/alloc.h"

const char *stoa_source_obstacle(uint32_t flags)
{
    if (flags & STOA_SOURCE_COMPLETE)
        return NULL;
    if (flags & STOA_SOURCE_FILTERED)
        return "rows or columns of it were left out";
    if (flags & STOA_SOURCE_CHANGED)
        return "its values have another type or place than those that were read";
    if (flags & STOA_SOURCE_DAMAGED)
        return "it was recovered from a damaged file";
    return "its text was not kept";
}

enum stoa_status stoa_bytes_copy(struct stoa_bytes *out, const void *bytes, size_t nbytes,
                                 struct stoa_error *err)
{
    enum stoa_status st;

    if (nbytes == 0)
        return STOA_OK;
    st = stoa_alloc(&out->data, nbytes, err);
    if (st != STOA_OK)
        return st;
    memcpy(out->data, bytes, nbytes);
    out->nbytes = nbytes;
    return STOA_OK;
}

void stoa_side_reset(struct stoa_side *side)
{
    for (uint32_t i = 0; i < side->ncolumns; i++)
        stoa_array_reset(&side->columns[i].array);
    stoa_free(side->columns);
    *side = (struct stoa_side){0};
}

void stoa_source_info_reset(struct stoa_source_info *info)
{
    stoa_free(info->name);
    stoa_free(info->options);
    stoa_free(info->head.data);
    stoa_free(info->tail.data);
    stoa_free(info->patches.data);
    *info = (struct stoa_source_info){0};
}

void stoa_source_infos_free(struct stoa_source_info *infos, size_t n)
{
    for (size_t i = 0; infos != NULL && i < n; i++)
        stoa_source_info_reset(&infos[i]);
    stoa_free(infos);
}
