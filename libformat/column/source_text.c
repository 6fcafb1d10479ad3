/*
 * Freeing side tables and sources (stoa/source_text.h).
 */
#include <stoa/source_text.h>

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
