/*
 * Columns of a part whose values take another form: decode, cast, encode by the writer's own steps.
 *
 * Each chunk is planned for itself and has its own dictionary, if any: its bytes follow from its
 * values and the type alone, whatever else is merged.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "column/array_cast.h"
#include "file/bloom.h"
#include "file/merge_part.h"
#include "stats/zonemap.h"

/* The values of the column in the merged type. */
static enum stoa_status read_column(struct stoa_part *part, uint32_t group, uint32_t column,
                                    struct stoa_array *out, struct stoa_error *err)
{
    uint32_t number = part->column_of[column];
    const struct stoa_field *from = &part->schema->fields[number];
    struct stoa_rows rows = {0, part->reader->footer.groups[group].nrows};
    struct stoa_array array = {0};
    enum stoa_status st;

    STOA_TRY(stoa_reader_column(part->reader, group, number, rows, &array, NULL, err));
    st = stoa_array_cast(from, &array, &part->merger->schema->fields[column], out, err);
    if (st != STOA_OK)
        stoa_reader_wrap(part->reader, group,
                         stoa_footer_column_node(&part->reader->footer, number), st, err);
out:
    stoa_array_reset(&array);
    return st;
}

/* Bits a value of the Bloom filter that a note of the part holds. */
static enum stoa_status bloom_nbits(const struct stoa_part *part, uint32_t group,
                                    const struct stoa_note *note, uint8_t *out,
                                    struct stoa_error *err)
{
    const struct stoa_note_entry *entry = &note->entry;
    const uint64_t memory_nbytes = part->reader->footer.memory_nbytes;
    struct stoa_budget budget = {memory_nbytes, memory_nbytes};
    struct stoa_open_chunk in;
    uint64_t nbits;
    enum stoa_status st;

    STOA_TRY(stoa_open_chunk_find(&in, part->reader, group, entry->node, &budget, err));
    st = stoa_bloom_check(&in, note, err);
    stoa_open_chunk_reset(&in);
    if (st != STOA_OK)
        return stoa_reader_wrap(part->reader, group, entry->node, st, err);
    nbits = UINT64_C(8) * entry->nbytes / entry->count;
    *out = nbits < UINT8_MAX ? (uint8_t)nbits : UINT8_MAX;
out:
    return st;
}

/*
 * Bits a value of the Bloom filters that the column's chunks have in the part: those that are
 * encoded anew get new ones, because their values may be others by their type.
 */
static enum stoa_status plan_blooms(const struct stoa_part *part, uint32_t group, uint32_t column,
                                    const struct stoa_schema_node *nodes, uint32_t nnodes,
                                    uint8_t **out, struct stoa_error *err)
{
    const uint32_t *from = part->node_of + part->merger->columns[column];
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(out, nnodes, 1, err));
    for (uint32_t i = 0; i < nnodes; i++) {
        const struct stoa_note *note =
            stoa_notes_find(part->notes[STOA_NOTE_BLOOM], from[i], group);

        if (note == NULL)
            continue;
        STOA_TRY(bloom_nbits(part, group, note, &(*out)[i], err));
        if (stoa_bound_kind(&nodes[i].field->type) == STOA_BOUND_NONE)
            (*out)[i] = 0;
    }
out:
    return st;
}

enum stoa_status stoa_part_encode(struct stoa_part *part, uint32_t group, uint32_t column,
                                  struct stoa_writer_group **out, struct stoa_error *err)
{
    /* No group that plans for others: nothing is shared with them. */
    const uint64_t ordinal = 1;
    struct stoa_merger *merger = part->merger;
    const struct stoa_rules *rules = merger->file->rules;
    struct stoa_schema schema = {.fields = &merger->schema->fields[column], .nfields = 1};
    struct stoa_schema_node *nodes = NULL; /* numbered from 0 */
    uint32_t nnodes;
    struct stoa_writer_group *made = NULL;
    struct stoa_batch batch = {0};
    uint8_t *blooms = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_schema_nodes(&schema, &nodes, &nnodes, err));
    STOA_TRY(stoa_batch_init(&batch, &schema, err));
    STOA_TRY(read_column(part, group, column, &batch.columns[0], err));
    batch.nrows = part->reader->footer.groups[group].nrows;
    STOA_TRY(stoa_row_group_prepare(&merger->encoders, rules, nodes, nnodes, NULL,
                                    stoa_nodes_count_texts(nodes, nnodes), ordinal, &batch, &made,
                                    err));
    STOA_TRY(plan_blooms(part, group, column, nodes, nnodes, &blooms, err));
    made->blooms = blooms;
    STOA_TRY(stoa_row_group_encode(&merger->encoders, rules, nodes, made, err));
    *out = made;
    made = NULL;
out:
    stoa_writer_group_free(made);
    stoa_free(nodes);
    stoa_free(blooms);
    stoa_batch_reset(&batch);
    return st;
}
