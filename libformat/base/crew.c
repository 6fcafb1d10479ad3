/*
 * Work in parts, where there is nobody to share it with (crew.h).
 */
#include "base/crew.h"

enum stoa_status stoa_crew_run(struct stoa_crew *crew, size_t nparts, stoa_crew_part *part,
                               void *context, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    if (crew != NULL && crew->run != NULL && nparts > 1)
        return crew->run(crew, nparts, part, context, err);
    for (size_t i = 0; i < nparts && st == STOA_OK; i++)
        st = part(context, i, err);
    return st;
}
