/*
 * A file with some columns given anew (rewrite.h): the sequencer and the encoders of a writer for
 * these, the chunks of merge for the others.
 */
#include "file/rewrite.h"

#include <assert.h>

#include "base/error.h"
#include "file/encoder_pool.h"
#include "file/merge_part.h"

struct stoa_rewriter {
    const struct stoa_rewrite_plan *plan;
    struct stoa_some_columns some; /* those that are read */
    bool *only_read;               /* of their nodes */
    struct stoa_group_part those;
    struct stoa_encoder_pool encoders;
    struct stoa_sequencer *sequencer;
    struct stoa_assembler file;
    struct stoa_merger merger;
    struct stoa_part part;
    uint32_t nsequenced, ncommitted;
};

/* ---- Opening and closing ---- */

static enum stoa_status no_tick(void *context, uint64_t nbytes, struct stoa_error *err)
{
    (void)context;
    (void)nbytes;
    (void)err;
    return STOA_OK;
}

/* Which nodes are there for others alone. */
static enum stoa_status mark_read(struct stoa_rewriter *rewriter, struct stoa_error *err)
{
    const struct stoa_rewrite_plan *plan = rewriter->plan;
    uint32_t at = 0;
    enum stoa_status st =
        stoa_alloc_zeroed(&rewriter->only_read, rewriter->some.nnodes, sizeof(bool), err);

    for (uint32_t i = 0; st == STOA_OK && i < plan->schema->nfields; i++) {
        uint32_t nnodes = plan->read[i] ? rewriter->some.nodes[at].nnodes : 0;

        for (uint32_t k = 0; k < nnodes; k++)
            rewriter->only_read[at++] = !plan->given[i];
    }
    return st;
}

enum stoa_status stoa_rewriter_open(struct stoa_sink *sink, const struct stoa_rewrite_plan *plan,
                                    struct stoa_rewriter **out, struct stoa_error *err)
{
    struct stoa_rewriter *rewriter = NULL;
    struct stoa_merger *merger;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&rewriter, 1, sizeof(*rewriter), err));
    merger = &rewriter->merger;
    rewriter->plan = plan;
    stoa_encoder_pool_init(&rewriter->encoders, plan->rules, true);
    rewriter->encoders.crew = plan->encoders.crew;
    STOA_TRY(stoa_some_columns_init(&rewriter->some, plan->schema, plan->read, err));
    STOA_TRY(mark_read(rewriter, err));
    rewriter->those =
        (struct stoa_group_part){rewriter->some.numbers, rewriter->only_read, plan->relations};
    STOA_TRY(stoa_merger_init(merger, plan->schema, plan->reader->footer.memory_nbytes, err));
    merger->file = &rewriter->file;
    merger->tick = no_tick;
    STOA_TRY(stoa_sequencer_new(&rewriter->sequencer, plan->rules, rewriter->some.nnodes,
                                plan->ntexts, err));
    STOA_TRY(stoa_assembler_init(&rewriter->file, sink, plan->schema, plan->rules, err));
    STOA_TRY(stoa_part_init(&rewriter->part, merger, plan->reader, plan->given, err));
    *out = rewriter;
    rewriter = NULL;
out:
    stoa_rewriter_close(rewriter);
    return st;
}

void stoa_rewriter_close(struct stoa_rewriter *rewriter)
{
    if (rewriter == NULL)
        return;
    stoa_part_reset(&rewriter->part);
    stoa_merger_reset(&rewriter->merger);
    stoa_assembler_reset(&rewriter->file);
    stoa_sequencer_free(rewriter->sequencer);
    stoa_encoder_pool_reset(&rewriter->encoders);
    stoa_some_columns_reset(&rewriter->some);
    stoa_free(rewriter->only_read);
    stoa_free(rewriter);
}

const struct stoa_schema *stoa_rewriter_schema(const struct stoa_rewriter *rewriter)
{
    return &rewriter->some.schema;
}

/* ---- The four steps ---- */

enum stoa_status stoa_rewriter_prepare(struct stoa_rewriter *rewriter, uint32_t number,
                                       struct stoa_batch *batch, struct stoa_writer_group **out,
                                       struct stoa_error *err)
{
    enum stoa_status st;

    assert(batch->nrows == rewriter->part.reader->footer.groups[number].nrows);
    st = stoa_row_group_prepare(&rewriter->encoders, rewriter->plan->rules, rewriter->some.nodes,
                                rewriter->some.nnodes, &rewriter->those, rewriter->plan->ntexts,
                                number, batch, out, err);
    if (st == STOA_OK)
        (*out)->blooms = rewriter->plan->blooms;
    return st;
}

enum stoa_status stoa_rewriter_sequence(struct stoa_rewriter *rewriter,
                                        struct stoa_writer_group *group, struct stoa_error *err)
{
    assert(group->ordinal == rewriter->nsequenced);
    rewriter->nsequenced++;
    return stoa_row_group_settle(rewriter->sequencer, group, err);
}

enum stoa_status stoa_rewriter_set_side(struct stoa_rewriter *rewriter,
                                        struct stoa_writer_group *group, struct stoa_side *side,
                                        struct stoa_error *err)
{
    return stoa_row_group_set_side(group, rewriter->merger.schema->nfields, side, err);
}

enum stoa_status stoa_rewriter_encode(struct stoa_rewriter *rewriter,
                                      struct stoa_writer_group *group, struct stoa_error *err)
{
    return stoa_row_group_encode(&rewriter->encoders, rewriter->plan->rules, rewriter->some.nodes,
                                 group, err);
}

enum stoa_status stoa_rewriter_commit(struct stoa_rewriter *rewriter,
                                      struct stoa_writer_group *group, struct stoa_error *err)
{
    enum stoa_status st;

    assert(group->ordinal == rewriter->ncommitted);
    st = stoa_part_copy_group(&rewriter->part, rewriter->ncommitted++, group, err);
    if (st == STOA_OK && group->side_body.nbytes > 0)
        st = stoa_assembler_add_side(&rewriter->file, group->side_dir_nbytes, &group->side_body,
                                     err);
    stoa_writer_group_free(group);
    return st;
}

enum stoa_status stoa_rewriter_add_sources(struct stoa_rewriter *rewriter,
                                           const struct stoa_source_info *infos, size_t n,
                                           struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (size_t i = 0; st == STOA_OK && i < n; i++)
        st = stoa_footer_add_source(&rewriter->file.footer, &infos[i], err);
    return st;
}

enum stoa_status stoa_rewriter_finish(struct stoa_rewriter *rewriter, struct stoa_error *err)
{
    assert(rewriter->ncommitted == rewriter->part.reader->footer.ngroups);
    return stoa_assembler_finish(&rewriter->file, err);
}
