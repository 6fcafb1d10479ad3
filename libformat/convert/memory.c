/*
 * Estimates of memory, from what was measured on tables of all shapes.
 *
 *     read     text of the unit | columns                      columns of text grow by doubling
 *     write    columns | distinct texts and their table | codes | pages, or text
 *
 * A row group is in one of these states; it is charged for the larger one until its rows are known,
 * and for the second one from then on.
 */
#include "convert/memory.h"

#include <inttypes.h>

#include "base/error.h"

#define MIB          (UINT64_C(1) << 20)
#define PROGRAM      (24 * MIB) /* code, encoders, buffers of streams, what malloc leaves open */
#define DISTINCT_MAX (32 * MIB) /* distinct texts of a row group that a writer keeps */
#define SLOT_NBYTES  24         /* of its table for each of them, and its code in each row */

static struct stoa_memory_row row_of(const struct stoa_schema *schema)
{
    struct stoa_memory_row row = {0};

    for (uint32_t i = 0; i < schema->nfields; i++) {
        const struct stoa_type *type = &schema->fields[i].type;
        bool is_text = type->id == STOA_UTF8 || type->id == STOA_BINARY;

        row.fixed_nbytes += is_text ? sizeof(int32_t) : stoa_type_width(type);
        row.ntexts += is_text;
    }
    return row;
}

void stoa_memory_init(struct stoa_memory *memory, uint64_t limit_nbytes, unsigned jobs,
                      uint64_t unit_nbytes, uint64_t nahead, const struct stoa_schema *schema,
                      bool to_text)
{
    uint64_t ahead_nbytes;

    *memory = (struct stoa_memory){.row = row_of(schema), .to_text = to_text};
    if (limit_nbytes == 0)
        limit_nbytes = STOA_CONVERT_MEMORY_NBYTES +
                       (jobs > 2 ? (jobs - 2) * STOA_CONVERT_MEMORY_JOB_NBYTES : 0);
    memory->limit_nbytes = limit_nbytes;
    atomic_init(&memory->nbytes, 0);
    if (limit_nbytes <= PROGRAM)
        return;
    ahead_nbytes = (limit_nbytes - PROGRAM) / 4; /* most of it is for work that can go on */
    if (unit_nbytes < ahead_nbytes / (nahead > 0 ? nahead : 1))
        ahead_nbytes = nahead * unit_nbytes;
    memory->prefetch_nbytes = ahead_nbytes;
}

static uint64_t write_nbytes(const struct stoa_memory *memory, uint64_t fixed_nbytes,
                             uint64_t text_nbytes, uint64_t nrows)
{
    uint64_t distinct_nbytes = text_nbytes < DISTINCT_MAX ? text_nbytes : DISTINCT_MAX;

    if (memory->to_text)
        return MIB + 3 * fixed_nbytes + 5 * text_nbytes / 2;
    return MIB + 5 * fixed_nbytes / 4 + 2 * text_nbytes + distinct_nbytes +
           nrows * memory->row.ntexts * SLOT_NBYTES;
}

enum stoa_status stoa_memory_of_unit(const struct stoa_memory *memory, uint64_t text_nbytes,
                                     uint64_t nrows, uint64_t *out, struct stoa_error *err)
{
    const uint64_t fixed = nrows * memory->row.fixed_nbytes;
    const uint64_t in_columns = memory->row.ntexts > 0 ? text_nbytes : 0;
    const uint64_t reading = MIB + text_nbytes + fixed + 3 * in_columns / 2;
    const uint64_t writing = write_nbytes(memory, fixed, in_columns, nrows);
    uint64_t nbytes = reading > writing ? reading : writing;

    if (text_nbytes > memory->limit_nbytes) /* so much that the sums may have wrapped around */
        nbytes = text_nbytes < UINT64_MAX - PROGRAM ? text_nbytes : UINT64_MAX - PROGRAM;
    if (nbytes + PROGRAM > memory->limit_nbytes)
        return stoa_fail(err, STOA_ERR_USAGE,
                         "%" PRIu64 " MiB of memory are too few: one row group needs about %" PRIu64
                         " MiB (smaller row groups need less)",
                         memory->limit_nbytes / MIB, (nbytes + PROGRAM) / MIB + 1);
    *out = nbytes;
    return STOA_OK;
}

/* Bytes of text in a batch. */
static uint64_t text_nbytes_of(const struct stoa_batch *batch)
{
    uint64_t nbytes = 0;

    for (uint32_t i = 0; i < batch->ncolumns; i++) {
        if (batch->columns[i].offsets != NULL)
            nbytes += (uint64_t)batch->columns[i].offsets[batch->nrows];
    }
    return nbytes;
}

uint64_t stoa_memory_batch_nbytes(const struct stoa_batch *batch)
{
    return batch->nrows * row_of(batch->schema).fixed_nbytes + text_nbytes_of(batch);
}

uint64_t stoa_memory_of_batch(const struct stoa_memory *memory, const struct stoa_batch *batch)
{
    return write_nbytes(memory, batch->nrows * row_of(batch->schema).fixed_nbytes,
                        text_nbytes_of(batch), batch->nrows);
}

bool stoa_memory_has_room(const struct stoa_memory *memory, uint64_t kept_nbytes)
{
    return PROGRAM + memory->prefetch_nbytes + kept_nbytes + atomic_load(&memory->nbytes) +
               memory->last_nbytes <=
           memory->limit_nbytes;
}
