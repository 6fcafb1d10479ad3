/*
 * A pass over units of a scan, as an ordered pipeline.
 *
 *     next unit --> read (any thread) --> take (in order)
 */
#include "base/alloc.h"
#include "base/error.h"
#include "exec/pipeline.h"
#include "scan/scan_state.h"

struct piece {
    const struct stoa_scan_unit *unit;
    void *made;
};

static void drop(void *context, void *dropped)
{
    const struct stoa_scan_pass *pass = context;
    struct piece *piece = dropped;

    if (piece == NULL)
        return;
    if (piece->made != NULL && pass->reset != NULL)
        pass->reset(piece->made);
    stoa_free(piece->made);
    stoa_free(piece);
}

static enum stoa_status stage_next(void *context, void **item, struct stoa_error *err)
{
    struct stoa_scan_pass *pass = context;
    struct piece *piece = NULL;
    enum stoa_status st;

    if (pass->next == pass->end)
        return STOA_OK;
    STOA_TRY(stoa_alloc_zeroed(&piece, 1, sizeof(*piece), err));
    STOA_TRY(stoa_alloc_zeroed(&piece->made, 1, pass->made_nbytes, err));
    piece->unit = &pass->scan->units[pass->next++];
    *item = piece;
    piece = NULL;
out:
    drop(pass, piece);
    return st;
}

static enum stoa_status stage_read(void *context, void **item, struct stoa_error *err)
{
    const struct stoa_scan_pass *pass = context;
    const struct piece *piece = *item;

    return pass->read(pass->context, piece->unit, piece->made, err);
}

static enum stoa_status stage_take(void *context, void **item, struct stoa_error *err)
{
    const struct stoa_scan_pass *pass = context;
    const struct piece *piece = *item;

    return piece != NULL ? pass->take(pass->context, piece->made, err) : STOA_OK;
}

enum stoa_status stoa_scan_run_pass(struct stoa_scan_pass *pass, struct stoa_error *err)
{
    static const struct stoa_stage stages[] = {
        {STOA_STAGE_ORDERED, stage_next},
        {STOA_STAGE_PARALLEL, stage_read},
        {STOA_STAGE_ORDERED, stage_take},
    };
    const uint32_t nunits = pass->end - pass->next;

    return stoa_pipeline_run(
        &(struct stoa_pipeline){
            .stages = stages,
            .nstages = sizeof(stages) / sizeof(stages[0]),
            .context = pass,
            .jobs = nunits < pass->scan->jobs ? nunits : pass->scan->jobs,
            .drop = drop,
        },
        err);
}
