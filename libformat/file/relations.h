/*
 * Which columns of a chooser group are derived from which, apart from the group (rewrite_plan.h).
 */
#ifndef STOA_FILE_RELATIONS_H
#define STOA_FILE_RELATIONS_H

#include "file/row_group_write.h"

/* Nodes are numbers in the file, here and in `of`. */
struct stoa_relation {
    uint32_t target;
    struct stoa_chunk_relation of;
    struct stoa_choice derived;
};

/* Those of a row group, by target. `{0}`: none. */
struct stoa_relations {
    struct stoa_relation *items;
    uint32_t nitems;
};

/* What stoa_derive_choose() made of a group. */
STOA_CHECK enum stoa_status stoa_relations_init(struct stoa_relations *out,
                                                const struct stoa_writer_group *group,
                                                struct stoa_error *err);
void stoa_relations_reset(struct stoa_relations *relations);

/* Makes the same of a group of the same rows that has all the columns that are named. */
void stoa_relations_apply(const struct stoa_relations *relations, struct stoa_writer_group *group);

#endif
