/*
 * A file with some columns given anew (rewrite.h): the sequencer and the encoders of a writer for
 * these, the chunks of merge for the others.
 */
#include "file/rewrite.h"

#include <assert.h>

#include "base/error.h"
#include "file/bases.h"
#include "file/encoder_pool.h"
#include "file/merge_part.h"

struct stoa_rewriter {
    const struct stoa_rules *rules;
    const bool *given;
    struct stoa_schema given_schema;
    struct stoa_schema_node *nodes; /* of the given columns */
    uint32_t nnodes;
    uint32_t *numbers; /* of these nodes in the file */
    uint32_t ntexts;   /* of the whole file */
    struct stoa_encoder_pool encoders;
    struct stoa_sequencer *sequencer;
    struct stoa_assembler file;
    struct stoa_merger merger;
    struct stoa_part part;
    uint32_t nsequenced, ncommitted;
};

/* ---- Which columns ---- */

static enum stoa_status dictionary_room(const struct stoa_rules *rules,
                                        const struct stoa_schema *schema, uint64_t *room,
                                        struct stoa_error *err)
{
    struct stoa_schema_node *nodes;
    uint32_t nnodes, max_count;
    enum stoa_status st = stoa_schema_nodes(schema, &nodes, &nnodes, err);

    if (st != STOA_OK)
        return st;
    stoa_sequencer_bounds(rules, stoa_nodes_count_texts(nodes, nnodes), 0, &max_count, room);
    stoa_free(nodes);
    return STOA_OK;
}

/* Bytes of the values of the chain up to segment `index`. */
static enum stoa_status chain_nbytes(struct stoa_reader *reader,
                                     const struct stoa_dictionary_table *table, uint32_t index,
                                     uint64_t *out, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    *out = 0;
    for (; index != STOA_NONE32; index = table->entries[index].prev_index) {
        const struct stoa_dictdir_entry *entry = &table->entries[index];
        uint8_t bytes[STOA_DICT_HEAD_NBYTES];
        struct stoa_dict_head head;

        STOA_TRY(stoa_footer_read(&reader->footer, entry->offset + STOA_OBJECT_NBYTES, bytes,
                                  sizeof(bytes), err));
        STOA_TRY(stoa_dict_head_unpack(bytes, &head, err));
        *out += head.raw_nbytes + head.count;
    }
out:
    return st;
}

/* The most bytes of distinct texts that a chunk of the node can have, with those of its chain. */
static enum stoa_status most_distinct(struct stoa_reader *reader, uint32_t node, uint64_t *out,
                                      struct stoa_error *err)
{
    struct stoa_footer *footer = &reader->footer;
    const struct stoa_dictionary_table *table;
    const struct stoa_chunk *chunks;
    struct stoa_chunk_pages pages = {0};
    struct stoa_column *info;
    uint64_t chain = 0;
    uint32_t loaded = STOA_NONE32;
    enum stoa_status st;

    *out = 0;
    STOA_TRY(stoa_footer_column(footer, node, &info, err));
    STOA_TRY(stoa_footer_chunks(footer, node, &chunks, err));
    STOA_TRY(stoa_dictionaries_table(&reader->dictionaries, footer, &table, err));
    for (uint32_t i = 0; i < footer->ngroups; i++) {
        struct stoa_chunk_shape shape = {.type = (uint8_t)info->field.type.id,
                                         .nrows = footer->groups[i].nrows};
        bool shared = chunks[i].flags & STOA_CHUNK_SHARED_DICT;
        uint64_t nbytes = 0;

        if (chunks[i].nbytes == 0)
            continue;
        STOA_TRY(stoa_footer_nvalues(footer, node, i, &shape.nvalues, err));
        STOA_TRY(stoa_chunk_pages_read(footer, &chunks[i], &shape, &pages, err));
        for (uint32_t k = 0; k < pages.npages; k++)
            nbytes += pages.pages[k].raw_max;
        if (shared && chunks[i].dict_index != loaded) {
            loaded = chunks[i].dict_index;
            STOA_TRY(chain_nbytes(reader, table, loaded, &chain, err));
        }
        nbytes += shared ? 2 * chain : 0; /* all of it found, and as much in the chain */
        *out = nbytes > *out ? nbytes : *out;
        stoa_chunk_pages_reset(&pages);
    }
out:
    stoa_chunk_pages_reset(&pages);
    return st;
}

/*
 * Whether a column of this type may be derived from others, or others from it. Which of them are,
 * follows from the values of all of them.
 */
static bool takes_part(const struct stoa_field *field)
{
    return stoa_base_kind(&field->type) != STOA_BASE_UNFIT;
}

/* All of those are given when one of them is, or becomes one, or was one. */
static void give_related(const struct stoa_schema *old, const struct stoa_schema *schema,
                         bool *given)
{
    bool any = false;

    for (uint32_t i = 0; i < schema->nfields; i++)
        any |= given[i] && (takes_part(&old->fields[i]) || takes_part(&schema->fields[i]));
    for (uint32_t i = 0; any && i < schema->nfields; i++)
        given[i] |= takes_part(&schema->fields[i]);
}

enum stoa_status stoa_rewrite_plan(struct stoa_reader *reader, const struct stoa_schema *schema,
                                   const struct stoa_rules *rules, bool *given,
                                   struct stoa_error *err)
{
    const struct stoa_schema *old;
    uint64_t old_room, new_room;
    enum stoa_status st;

    STOA_TRY(stoa_reader_schema(reader, &old, err));
    STOA_TRY(dictionary_room(rules, old, &old_room, err));
    STOA_TRY(dictionary_room(rules, schema, &new_room, err));
    for (uint32_t i = 0, node = 0; old_room != new_room && i < schema->nfields; i++) {
        uint32_t nnodes = stoa_footer_subtree(&reader->footer, node);

        for (uint32_t k = node; !given[i] && k < node + nnodes; k++) {
            struct stoa_column *info;
            uint64_t nbytes;

            STOA_TRY(stoa_footer_column(&reader->footer, k, &info, err));
            if (!stoa_type_shares_dictionary(&info->field.type))
                continue;
            STOA_TRY(most_distinct(reader, k, &nbytes, err));
            given[i] = nbytes > (old_room < new_room ? old_room : new_room);
        }
        node += nnodes;
    }
    give_related(old, schema, given);
out:
    return st;
}

/* ---- Opening and closing ---- */

static enum stoa_status no_tick(void *context, uint64_t nbytes, struct stoa_error *err)
{
    (void)context;
    (void)nbytes;
    (void)err;
    return STOA_OK;
}

static enum stoa_status select_given(struct stoa_rewriter *rewriter,
                                     const struct stoa_schema *schema, struct stoa_error *err)
{
    uint32_t *columns = NULL, ncolumns = 0;
    enum stoa_status st;

    STOA_TRY(stoa_alloc(&columns, schema->nfields * sizeof(columns[0]), err));
    for (uint32_t i = 0; i < schema->nfields; i++)
        if (rewriter->given[i])
            columns[ncolumns++] = i;
    STOA_TRY(stoa_schema_select(&rewriter->given_schema, schema, columns, ncolumns, err));
    STOA_TRY(stoa_schema_nodes(&rewriter->given_schema, &rewriter->nodes, &rewriter->nnodes, err));
out:
    stoa_free(columns);
    return st;
}

static enum stoa_status number_nodes(struct stoa_rewriter *rewriter, struct stoa_error *err)
{
    const uint32_t *columns = rewriter->merger.columns;
    uint32_t at = 0;
    enum stoa_status st =
        stoa_alloc(&rewriter->numbers, rewriter->nnodes * sizeof(rewriter->numbers[0]), err);

    for (uint32_t i = 0; st == STOA_OK && i < rewriter->merger.schema->nfields; i++)
        for (uint32_t node = columns[i]; rewriter->given[i] && node < columns[i + 1]; node++)
            rewriter->numbers[at++] = node;
    return st;
}

enum stoa_status stoa_rewriter_open(struct stoa_sink *sink, struct stoa_reader *reader,
                                    const struct stoa_schema *schema, const bool *given,
                                    const struct stoa_rules *rules, struct stoa_rewriter **out,
                                    struct stoa_error *err)
{
    struct stoa_rewriter *rewriter = NULL;
    struct stoa_merger *merger;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&rewriter, 1, sizeof(*rewriter), err));
    merger = &rewriter->merger;
    rewriter->rules = rules;
    rewriter->given = given;
    stoa_encoder_pool_init(&rewriter->encoders, rules, true);
    STOA_TRY(select_given(rewriter, schema, err));
    STOA_TRY(stoa_merger_init(merger, schema, reader->footer.memory_nbytes, err));
    merger->file = &rewriter->file;
    merger->tick = no_tick;
    STOA_TRY(number_nodes(rewriter, err));
    rewriter->ntexts = stoa_nodes_count_texts(merger->nodes, merger->nnodes);
    STOA_TRY(
        stoa_sequencer_new(&rewriter->sequencer, rules, rewriter->nnodes, rewriter->ntexts, err));
    STOA_TRY(stoa_assembler_init(&rewriter->file, sink, schema, rules, err));
    STOA_TRY(stoa_part_init(&rewriter->part, merger, reader, given, err));
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
    stoa_free(rewriter->nodes);
    stoa_free(rewriter->numbers);
    stoa_schema_reset(&rewriter->given_schema);
    stoa_free(rewriter);
}

const struct stoa_schema *stoa_rewriter_schema(const struct stoa_rewriter *rewriter)
{
    return &rewriter->given_schema;
}

/* ---- The four steps ---- */

enum stoa_status stoa_rewriter_prepare(struct stoa_rewriter *rewriter, uint32_t number,
                                       struct stoa_batch *batch, struct stoa_writer_group **out,
                                       struct stoa_error *err)
{
    struct stoa_encoder *encoder;
    enum stoa_status st;

    assert(batch->nrows == rewriter->part.reader->footer.groups[number].nrows);
    st = stoa_encoder_pool_take(&rewriter->encoders, &encoder, err);
    if (st != STOA_OK)
        return st;
    st = stoa_row_group_prepare(encoder, rewriter->rules, rewriter->nodes, rewriter->nnodes,
                                rewriter->numbers, rewriter->ntexts, number, batch, out, err);
    stoa_encoder_pool_give(&rewriter->encoders, encoder);
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
    struct stoa_encoder *encoder;
    enum stoa_status st = stoa_encoder_pool_take(&rewriter->encoders, &encoder, err);

    if (st != STOA_OK)
        return st;
    st = stoa_row_group_encode(encoder, rewriter->rules, rewriter->nodes, group, err);
    stoa_encoder_pool_give(&rewriter->encoders, encoder);
    return st;
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
