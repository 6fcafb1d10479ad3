/*
 * What of a file has to be written anew when some of its columns change (rewrite.h).
 *
 * A column is given anew, beside those that change, where what is stored of it may follow from
 * others: because the number of text columns differs and their dictionaries are near their bound,
 * or because it is derived from other columns in one of the files and not so in the other. What is
 * derived from what is found as the writer finds it: by looking at the chooser groups of the new
 * file; and in the pages of the old one.
 */
#ifndef STOA_FILE_REWRITE_PLAN_H
#define STOA_FILE_REWRITE_PLAN_H

#include <stoa/reader.h>

#include "column/schema.h"
#include "file/encoder_pool.h"
#include "file/relations.h"
#include "file/rules.h"

/* Some columns of a schema. `{0}` is empty. */
struct stoa_some_columns {
    struct stoa_schema schema; /* of them alone */
    struct stoa_schema_node *nodes;
    uint32_t nnodes;
    uint32_t *numbers; /* of these nodes among those of all columns */
};
STOA_CHECK enum stoa_status stoa_some_columns_init(struct stoa_some_columns *out,
                                                   const struct stoa_schema *schema,
                                                   const bool *chosen, struct stoa_error *err);
void stoa_some_columns_reset(struct stoa_some_columns *some);

/* Arrays of bool are by column. */
struct stoa_rewrite_plan {
    struct stoa_reader *reader;
    const struct stoa_schema *old, *schema;
    const struct stoa_rules *rules;
    uint8_t *blooms; /* of each node of the new file, stoa_bloom_plan() */
    uint32_t ntexts;
    const bool *changes;
    bool *given; /* once finished: encoded anew */
    bool *read;  /* and these, and what is derived from: what is read of each row group */

    bool looks;
    bool *sampled; /* what is read of a row group that is looked at, */
    struct stoa_some_columns sample;
    bool *nothing;                    /* false for every node */
    struct stoa_relations *relations; /* of each chooser group; once finished, of given columns */
    uint32_t nrelations;
    struct stoa_encoder_pool encoders;
};

/*
 * `changes`: columns that do; of the options, Bloom filters alone are asked for. Both schemas have
 * the same columns in number, names and order. All is borrowed. Reads of dictionaries what their
 * bound asks for.
 */
STOA_CHECK enum stoa_status
stoa_rewrite_plan_new(struct stoa_reader *reader, const struct stoa_schema *schema,
                      const struct stoa_rules *rules, const struct stoa_writer_options *options,
                      const bool *changes, struct stoa_rewrite_plan **out, struct stoa_error *err);
void stoa_rewrite_plan_free(struct stoa_rewrite_plan *plan);

/* Who shares the work of looking at row groups, and of writing them; in front of both. */
void stoa_rewrite_plan_set_crew(struct stoa_rewrite_plan *plan, struct stoa_crew *crew);

/* Whether row group `number` has to be looked at. */
bool stoa_rewrite_plan_wants(const struct stoa_rewrite_plan *plan, uint32_t number);

/*
 * Looks at a row group: `batch` has the sampled columns, of the new types, and is taken over on
 * success. Each once, on any thread. Cost: that of preparing a chooser group of numbers, and of
 * finding the distinct texts of columns that have few.
 */
STOA_CHECK enum stoa_status stoa_rewrite_plan_look(struct stoa_rewrite_plan *plan, uint32_t number,
                                                   struct stoa_batch *batch,
                                                   struct stoa_error *err);

/* When all that had to be looked at was. STOA_ERR_CORRUPT: the old file is damaged. */
STOA_CHECK enum stoa_status stoa_rewrite_plan_finish(struct stoa_rewrite_plan *plan,
                                                     struct stoa_error *err);

#endif
