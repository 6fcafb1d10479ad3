/*
 * Side tables as objects (spec/format.md, section 15).
 *
 *     directory: entry | entry + chunk entry | entry | ..
 *     zeros to 8 | chunk | zeros to 8 | chunk | zeros to 64
 *
 * The chunks are those of the writer, each planned for itself and with its own dictionary, if any.
 * So a column that says the same of nearly all rows takes next to nothing, as it would anywhere.
 */
#include "file/side_write.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bits.h"
#include "base/error.h"
#include "column/schema.h"
#include "file/nodes_write.h"
#include "file/row_group_write.h"

enum { CHUNK_ALIGN = 8 };

/* The field of a side column; its name is lent. */
static struct stoa_field field_of(unsigned kind, char *name)
{
    return (struct stoa_field){
        .name = name,
        .type.id = kind == STOA_SIDE_FORM ? STOA_UINT8 : STOA_BINARY,
        .nullable = kind != STOA_SIDE_FORM,
    };
}

/* ---- Checks ---- */

static uint64_t place_of(const struct stoa_side_column *column)
{
    return (uint64_t)column->column << 8 | column->kind;
}

static enum stoa_status check_values(const struct stoa_side_column *column, size_t nrows,
                                     struct stoa_error *err)
{
    char name[] = "values";
    struct stoa_field field = field_of(column->kind, name);
    struct stoa_schema schema = {.fields = &field, .nfields = 1};
    struct stoa_schema_node *nodes = NULL;
    uint32_t nnodes;
    enum stoa_status st;

    if (column->array.nvalues == 0)
        return STOA_OK;
    STOA_TRY(stoa_schema_nodes(&schema, &nodes, &nnodes, err));
    STOA_TRY(stoa_nodes_check(nodes, 0, &column->array, nrows, err));
out:
    stoa_free(nodes);
    return st;
}

enum stoa_status stoa_side_check(const struct stoa_side *side, uint32_t ncolumns, size_t nrows,
                                 struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    if (side->ncolumns > 0 && side->nrows != nrows)
        return stoa_fail(err, STOA_ERR_USAGE, "a side table of %zu rows for a row group of %zu",
                         side->nrows, nrows);
    for (uint32_t i = 0; st == STOA_OK && i < side->ncolumns; i++) {
        const struct stoa_side_column *column = &side->columns[i];
        const char *kind = stoa_side_kind_name(column->kind);
        bool of_records = column->kind >= STOA_SIDE_GAP;

        if (kind == NULL || of_records != (column->column == STOA_SIDE_RECORDS) ||
            (!of_records && column->column >= ncolumns))
            return stoa_fail(err, STOA_ERR_USAGE,
                             "side table: entry %" PRIu32 " of kind %u and column %" PRIu32, i,
                             column->kind, column->column);
        if (i > 0 && place_of(column) <= place_of(&side->columns[i - 1]))
            return stoa_fail(err, STOA_ERR_USAGE, "side table: entry %" PRIu32 " is not in order",
                             i);
        st = check_values(column, nrows, err);
        if (st != STOA_OK)
            stoa_wrap(err, st, "side table: entry %" PRIu32, i);
    }
    return st;
}

/* ---- The object ---- */

enum stoa_status stoa_side_build(struct stoa_side_part *parts, uint32_t nparts,
                                 struct stoa_buffer *body, uint32_t *dir_nbytes,
                                 struct stoa_error *err)
{
    uint8_t packed[STOA_SIDE_ENTRY_NBYTES + STOA_RG_ENTRY_NBYTES];
    uint64_t at = STOA_OBJECT_NBYTES;
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 0; i < nparts; i++)
        at += stoa_side_entry_pack(&parts[i].entry, packed);
    *dir_nbytes = (uint32_t)(at - STOA_OBJECT_NBYTES);
    for (uint32_t i = 0; i < nparts; i++) {
        struct stoa_rg_entry *chunk = &parts[i].entry.chunk;

        chunk->offset = 0;
        if (chunk->nbytes > 0) {
            chunk->offset = stoa_round_up(at, CHUNK_ALIGN);
            at = chunk->offset + chunk->nbytes;
        }
        STOA_TRY(
            stoa_buffer_append(body, packed, stoa_side_entry_pack(&parts[i].entry, packed), err));
    }
    for (uint32_t i = 0; i < nparts; i++) {
        const struct stoa_rg_entry *chunk = &parts[i].entry.chunk;

        if (chunk->nbytes == 0)
            continue;
        STOA_TRY(stoa_buffer_append_zeros(
            body, (size_t)(chunk->offset - STOA_OBJECT_NBYTES) - body->nbytes, err));
        STOA_TRY(stoa_buffer_append(body, parts[i].bytes, chunk->nbytes, err));
    }
    STOA_TRY(stoa_buffer_append_zeros(
        body, stoa_round_up(body->nbytes, STOA_OBJECT_NBYTES) - body->nbytes, err));
out:
    return st;
}

/* The values of a column, which are freed, as a chunk of a row group of one column. */
static enum stoa_status encode_values(struct stoa_encoder_pool *encoders,
                                      const struct stoa_rules *rules,
                                      struct stoa_side_column *column,
                                      struct stoa_writer_group **out, struct stoa_error *err)
{
    /* No group that plans for others: nothing is shared with them. */
    const uint64_t ordinal = 1;
    char name[48];
    struct stoa_field field = field_of(column->kind, name);
    struct stoa_schema schema = {.fields = &field, .nfields = 1};
    struct stoa_schema_node *nodes = NULL;
    uint32_t nnodes;
    struct stoa_writer_group *made = NULL;
    struct stoa_batch batch = {.nrows = column->array.nvalues};
    enum stoa_status st;

    if (column->column == STOA_SIDE_RECORDS)
        (void)snprintf(name, sizeof(name), "%s", stoa_side_kind_name(column->kind));
    else
        (void)snprintf(name, sizeof(name), "%s of column %" PRIu32,
                       stoa_side_kind_name(column->kind), column->column + 1);
    STOA_TRY(stoa_schema_nodes(&schema, &nodes, &nnodes, err));
    STOA_TRY(stoa_batch_init(&batch, &schema, err));
    batch.nrows = column->array.nvalues;
    batch.columns[0] = column->array;
    column->array = (struct stoa_array){0};
    STOA_TRY(stoa_row_group_prepare(encoders, rules, nodes, nnodes, NULL,
                                    stoa_nodes_count_texts(nodes, nnodes), ordinal, &batch, &made,
                                    err));
    STOA_TRY(stoa_row_group_encode(encoders, rules, nodes, made, err));
    *out = made;
    made = NULL;
out:
    stoa_writer_group_free(made);
    stoa_batch_reset(&batch);
    stoa_free(nodes);
    return st;
}

enum stoa_status stoa_side_encode(struct stoa_encoder_pool *encoders,
                                  const struct stoa_rules *rules, struct stoa_side *side,
                                  struct stoa_buffer *body, uint32_t *dir_nbytes,
                                  struct stoa_error *err)
{
    struct stoa_side_part *parts = NULL;
    struct stoa_writer_group **made = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&parts, side->ncolumns, sizeof(parts[0]), err));
    STOA_TRY(stoa_alloc_zeroed(&made, side->ncolumns, sizeof(made[0]), err));
    for (uint32_t i = 0; i < side->ncolumns; i++) {
        struct stoa_side_column *column = &side->columns[i];
        struct stoa_side_entry *entry = &parts[i].entry;

        entry->column = column->column;
        entry->kind = column->kind;
        entry->has_values = column->array.nvalues > 0;
        memcpy(entry->rule, column->rule, sizeof(entry->rule));
        if (!entry->has_values)
            continue;
        STOA_TRY(encode_values(encoders, rules, column, &made[i], err));
        entry->chunk = made[i]->nodes[0].entry;
        assert(!(entry->chunk.flags & STOA_CHUNK_SHARED_DICT));
        if (entry->chunk.nbytes > 0)
            parts[i].bytes = made[i]->nodes[0].chunk.data;
    }
    STOA_TRY(stoa_side_build(parts, side->ncolumns, body, dir_nbytes, err));
out:
    for (uint32_t i = 0; made != NULL && i < side->ncolumns; i++)
        stoa_writer_group_free(made[i]);
    stoa_free(made);
    stoa_free(parts);
    return st == STOA_OK ? st : stoa_wrap(err, st, "side table");
}
