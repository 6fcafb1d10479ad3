/*
 * From names of columns and a rate to bits a value (file/bloom_plan.h).
 */
#include "file/bloom_plan.h"

#include "base/alloc.h"
#include "base/error.h"
#include "column/type.h"
#include "file/notes_read.h"
#include "file/reader.h"
#include "stats/bloom.h"
#include "stats/filter_path.h"

static const double default_rate = 0.01;

static enum stoa_status plan_column(const struct stoa_schema *schema,
                                    const struct stoa_schema_node *nodes, const char *name,
                                    uint8_t nbits, uint8_t *out, struct stoa_error *err)
{
    char *names[] = {(char *)(uintptr_t)name};
    const struct stoa_filter_path path = {.names = names, .nnames = 1};
    uint32_t node;
    char *type;
    enum stoa_status st;

    STOA_TRY(stoa_filter_path_find(schema, nodes, &path, &node, err));
    if (stoa_bound_kind(&nodes[node].field->type) == STOA_BOUND_NONE) {
        STOA_TRY(stoa_type_print(nodes[node].field, &type, err));
        st = stoa_fail(err, STOA_ERR_USAGE, "a column of type %s can have none", type);
        stoa_free(type);
        goto out;
    }
    out[node] = nbits;
out:
    return st == STOA_OK ? st : stoa_wrap(err, st, "Bloom filter of \"%s\"", name);
}

enum stoa_status stoa_bloom_plan(const struct stoa_writer_options *options,
                                 const struct stoa_schema *schema,
                                 const struct stoa_schema_node *nodes, uint32_t nnodes,
                                 uint8_t **out, struct stoa_error *err)
{
    const double rate = options->bloom_rate != 0 ? options->bloom_rate : default_rate;
    const uint8_t nbits = stoa_bloom_nbits(rate);
    uint8_t *blooms = NULL;
    enum stoa_status st;

    *out = NULL;
    if (nbits == 0)
        return stoa_fail(err, STOA_ERR_USAGE,
                         "Bloom filters: the rate is from 0.00001 to less than 0.33");
    if (options->nblooms == 0)
        return STOA_OK;
    STOA_TRY(stoa_alloc_zeroed(&blooms, nnodes, 1, err));
    for (uint32_t i = 0; i < options->nblooms; i++)
        STOA_TRY(plan_column(schema, nodes, options->blooms[i], nbits, blooms, err));
    *out = blooms;
    blooms = NULL;
out:
    stoa_free(blooms);
    return st;
}

enum stoa_status stoa_bloom_find(struct stoa_reader *reader, struct stoa_found_blooms *found,
                                 struct stoa_error *err)
{
    const struct stoa_notes *notes;
    enum stoa_status st;

    STOA_TRY(stoa_footer_notes(&reader->footer, STOA_SECTION_BLOOM, &notes, err));
    for (size_t i = 0; notes != NULL && i < notes->n; i++) {
        const struct stoa_note_entry *entry = &notes->notes[i].entry;
        struct stoa_column *column;

        STOA_TRY(stoa_footer_column(&reader->footer, entry->node, &column, err));
        if (column->place.below_list || stoa_bound_kind(&column->field.type) == STOA_BOUND_NONE)
            continue;
        found->has[entry->node] = true;
        if (entry->count > found->nvalues) {
            found->nvalues = entry->count;
            found->nbits = UINT64_C(8) * entry->nbytes / entry->count;
        }
    }
out:
    return st;
}

enum stoa_status stoa_bloom_of_node(const struct stoa_schema_node *nodes,
                                    const struct stoa_writer_group *group,
                                    struct stoa_group_node *node, struct stoa_error *err)
{
    const uint32_t i = (uint32_t)(node - group->nodes);
    const unsigned nbits = group->blooms != NULL ? group->blooms[stoa_group_number(group, i)] : 0;
    struct stoa_chunk_note *note = &node->notes[STOA_NOTE_BLOOM];

    if (nbits == 0)
        return STOA_OK;
    return stoa_bloom_make(&nodes[i].field->type, &node->array, nbits, 0, &note->count,
                           &note->bytes, err);
}
