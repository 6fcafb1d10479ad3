/*
 * Chunk entries and zone maps by node, in memory and in a temporary file.
 *
 *     memory   node 0: [chunks][groups][zones]   node 1: [chunks][groups][zones]   ...
 *
 *     file     | run 0: all of memory, node by node | run 1 | ...
 *
 * When memory is full, all of it becomes a run. To read one node back is one read of each run: with
 * runs of 32 MiB there are few of them, whatever the file has of row groups and columns.
 */
#include "file/footer_data.h"

#include <assert.h>

#include "base/error.h"

enum { PIECE_NBYTES = 1 << 16 };

/* What was in memory at one time. */
struct stoa_footer_run {
    uint64_t *ends; /* of node i, part p: where it ends in the file, ends[i * NPARTS + p] */
    uint64_t begin;
};

static size_t nparts_of(const struct stoa_footer_data *data)
{
    return (size_t)data->nnodes * STOA_FOOTER_NPARTS;
}

enum stoa_status stoa_footer_data_init(struct stoa_footer_data *data, uint32_t nnodes,
                                       uint64_t max_nbytes, struct stoa_error *err)
{
    *data = (struct stoa_footer_data){.nnodes = nnodes, .max_nbytes = max_nbytes};
    return stoa_alloc_zeroed(&data->parts, nparts_of(data), sizeof(data->parts[0]), err);
}

void stoa_footer_data_reset(struct stoa_footer_data *data)
{
    for (size_t i = 0; data->parts != NULL && i < nparts_of(data); i++)
        stoa_buffer_free(&data->parts[i]);
    for (size_t i = 0; i < data->nruns; i++)
        stoa_free(data->runs[i].ends);
    stoa_free(data->parts);
    stoa_free(data->runs);
    stoa_spill_close(data->spill);
    *data = (struct stoa_footer_data){0};
}

uint64_t stoa_footer_data_memory(const struct stoa_footer_data *data)
{
    return data->nbytes + data->nruns * nparts_of(data) * sizeof(uint64_t);
}

enum stoa_status stoa_footer_data_add(struct stoa_footer_data *data, uint32_t node,
                                      enum stoa_footer_part part, const void *bytes, size_t nbytes,
                                      struct stoa_error *err)
{
    struct stoa_buffer *buffer = &data->parts[(size_t)node * STOA_FOOTER_NPARTS + part];
    size_t before = buffer->capacity;
    enum stoa_status st;

    assert(node < data->nnodes);
    st = stoa_buffer_append(buffer, bytes, nbytes, err);
    data->nbytes += buffer->capacity - before;
    return st;
}

/* All of memory into a run. */
static enum stoa_status write_run(struct stoa_footer_data *data, struct stoa_error *err)
{
    struct stoa_footer_run run = {0};
    enum stoa_status st;

    if (data->spill == NULL)
        STOA_TRY(stoa_spill_open(&data->spill, err));
    STOA_TRY(stoa_alloc(&run.ends, nparts_of(data) * sizeof(run.ends[0]), err));
    STOA_TRY(stoa_reserve(&data->runs, &data->runs_capacity, data->nruns + 1, sizeof(data->runs[0]),
                          err));
    run.begin = stoa_spill_nbytes(data->spill);
    for (size_t i = 0; i < nparts_of(data); i++) {
        STOA_TRY(stoa_spill_append(data->spill, data->parts[i].data, data->parts[i].nbytes, err));
        run.ends[i] = stoa_spill_nbytes(data->spill);
        stoa_buffer_free(&data->parts[i]);
    }
    data->runs[data->nruns++] = run;
    run.ends = NULL;
    data->nbytes = 0;
out:
    stoa_free(run.ends);
    return st;
}

enum stoa_status stoa_footer_data_relieve(struct stoa_footer_data *data, struct stoa_error *err)
{
    return data->nbytes > data->max_nbytes ? write_run(data, err) : STOA_OK;
}

enum stoa_status
stoa_footer_data_each(struct stoa_footer_data *data, uint32_t node, enum stoa_footer_part part,
                      enum stoa_status (*visit)(void *context, const void *bytes, size_t nbytes,
                                                struct stoa_error *err),
                      void *context, struct stoa_error *err)
{
    size_t i = (size_t)node * STOA_FOOTER_NPARTS + part;
    uint8_t piece[PIECE_NBYTES];
    enum stoa_status st = STOA_OK;

    for (size_t r = 0; r < data->nruns; r++) {
        const struct stoa_footer_run *run = &data->runs[r];
        uint64_t at = i > 0 ? run->ends[i - 1] : run->begin, end = run->ends[i];

        for (size_t nbytes; at < end; at += nbytes) {
            nbytes = end - at < PIECE_NBYTES ? (size_t)(end - at) : PIECE_NBYTES;
            STOA_TRY(stoa_spill_read(data->spill, at, piece, nbytes, err));
            STOA_TRY(visit(context, piece, nbytes, err));
        }
    }
    if (data->parts[i].nbytes > 0)
        STOA_TRY(visit(context, data->parts[i].data, data->parts[i].nbytes, err));
out:
    return st;
}
