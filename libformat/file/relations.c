/*
 * Relations between columns as a list (relations.h).
 *
 *     group of all columns     a b c d e     d by (a, b)
 *     list                                   node 3 of the file by nodes 0 and 1
 *     group of some            a b d         d by (a, b), which are nodes 2, 0, 1 of it
 */
#include "file/relations.h"

#include <assert.h>

#include "base/alloc.h"

enum stoa_status stoa_relations_init(struct stoa_relations *out,
                                     const struct stoa_writer_group *group, struct stoa_error *err)
{
    struct stoa_relations relations = {0};
    uint32_t n = 0;
    enum stoa_status st;

    for (uint32_t i = 0; i < group->nnodes; i++)
        n += group->nodes[i].chosen.mode == STOA_CHUNK_FROM_OTHERS;
    st = stoa_alloc(&relations.items, n * sizeof(relations.items[0]), err);
    if (st != STOA_OK)
        return st;
    for (uint32_t i = 0; i < group->nnodes; i++) {
        const struct stoa_chunk_plan *plan = &group->nodes[i].chosen;
        struct stoa_relation *item = &relations.items[relations.nitems];

        if (plan->mode != STOA_CHUNK_FROM_OTHERS)
            continue;
        *item = (struct stoa_relation){stoa_group_number(group, i), plan->relation, plan->derived};
        for (unsigned k = 0; k < STOA_NBASES; k++)
            if (item->of.nodes[k] != STOA_BASE_NONE)
                item->of.nodes[k] = stoa_group_number(group, item->of.nodes[k]);
        relations.nitems++;
    }
    *out = relations;
    return STOA_OK;
}

void stoa_relations_reset(struct stoa_relations *relations)
{
    stoa_free(relations->items);
    *relations = (struct stoa_relations){0};
}

/* The node of the group that has a number in the file. */
static uint32_t find_node(const struct stoa_writer_group *group, uint32_t number)
{
    uint32_t begin = 0, end = group->nnodes;

    while (end - begin > 1) {
        uint32_t middle = begin + (end - begin) / 2;

        if (stoa_group_number(group, middle) <= number)
            begin = middle;
        else
            end = middle;
    }
    assert(stoa_group_number(group, begin) == number);
    return begin;
}

void stoa_relations_apply(const struct stoa_relations *relations, struct stoa_writer_group *group)
{
    for (uint32_t i = 0; i < relations->nitems; i++) {
        const struct stoa_relation *item = &relations->items[i];
        struct stoa_chunk_relation of = item->of;

        for (unsigned k = 0; k < STOA_NBASES; k++)
            if (of.nodes[k] != STOA_BASE_NONE)
                of.nodes[k] = find_node(group, of.nodes[k]);
        stoa_chunk_plan_derive(&group->nodes[find_node(group, item->target)].chosen, &of,
                               &item->derived);
    }
}
