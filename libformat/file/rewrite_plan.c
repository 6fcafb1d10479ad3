/*
 * Which columns a rewritten file needs anew (rewrite_plan.h).
 *
 *     changes            b of [a | b | c | d | e]       its type differs
 *     looked at          a, b, c, d of a chooser group  e is no column to derive from
 *     found there        d by (a, b)                    c was derived from b, and is not any more
 *     given              b, c, d                        c and d are derived, or were
 *     read beside them   a                              its chunks are copied
 *
 * A chunk that is not derived follows from the values of its column alone. So what is derived in
 * neither file is the same in both.
 */
#include "file/rewrite_plan.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "file/chunk_pages.h"
#include "file/encoder_pool.h"
#include "file/reader.h"
#include "file/relations.h"

/* ---- Some columns ---- */

enum stoa_status stoa_some_columns_init(struct stoa_some_columns *out,
                                        const struct stoa_schema *schema, const bool *chosen,
                                        struct stoa_error *err)
{
    struct stoa_some_columns some = {0};
    uint32_t *columns = NULL, ncolumns = 0, number = 0, at = 0;
    struct stoa_schema_node *all = NULL;
    uint32_t nall;
    enum stoa_status st;

    STOA_TRY(stoa_alloc(&columns, schema->nfields * sizeof(columns[0]), err));
    for (uint32_t i = 0; i < schema->nfields; i++)
        if (chosen[i])
            columns[ncolumns++] = i;
    STOA_TRY(stoa_schema_select(&some.schema, schema, columns, ncolumns, err));
    STOA_TRY(stoa_schema_nodes(&some.schema, &some.nodes, &some.nnodes, err));
    STOA_TRY(stoa_alloc(&some.numbers, some.nnodes * sizeof(some.numbers[0]), err));
    STOA_TRY(stoa_schema_nodes(schema, &all, &nall, err));
    for (uint32_t i = 0; i < schema->nfields; i++) {
        for (uint32_t k = 0; chosen[i] && k < all[number].nnodes; k++)
            some.numbers[at++] = number + k;
        number += all[number].nnodes;
    }
    *out = some;
    some = (struct stoa_some_columns){0};
out:
    stoa_some_columns_reset(&some);
    stoa_free(columns);
    stoa_free(all);
    return st;
}

void stoa_some_columns_reset(struct stoa_some_columns *some)
{
    stoa_free(some->nodes);
    stoa_free(some->numbers);
    stoa_schema_reset(&some->schema);
    *some = (struct stoa_some_columns){0};
}

/* ---- Room for dictionaries ---- */

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

/* Columns whose dictionaries had less room than they will have, or more, and may feel it. */
static enum stoa_status give_crowded(struct stoa_rewrite_plan *plan, struct stoa_error *err)
{
    const struct stoa_schema *schema = plan->schema;
    struct stoa_footer *footer = &plan->reader->footer;
    uint64_t old_room, new_room;
    enum stoa_status st;

    STOA_TRY(dictionary_room(plan->rules, plan->old, &old_room, err));
    STOA_TRY(dictionary_room(plan->rules, schema, &new_room, err));
    for (uint32_t i = 0, node = 0; old_room != new_room && i < schema->nfields; i++) {
        uint32_t nnodes = stoa_footer_subtree(footer, node);

        for (uint32_t k = node; !plan->given[i] && k < node + nnodes; k++) {
            struct stoa_column *info;
            uint64_t nbytes;

            STOA_TRY(stoa_footer_column(footer, k, &info, err));
            if (!stoa_type_shares_dictionary(&info->field.type))
                continue;
            STOA_TRY(most_distinct(plan->reader, k, &nbytes, err));
            plan->given[i] = nbytes > (old_room < new_room ? old_room : new_room);
        }
        node += nnodes;
    }
out:
    return st;
}

/* ---- Derived columns ---- */

/* Whether a column of this type may be derived from others, or others from it. */
static bool takes_part(const struct stoa_field *field)
{
    return stoa_base_kind(&field->type) != STOA_BASE_UNFIT;
}

/* Which columns have to be looked at: those that take part, if one of them changes. */
static enum stoa_status choose_sample(struct stoa_rewrite_plan *plan, struct stoa_error *err)
{
    const struct stoa_schema *schema = plan->schema;

    for (uint32_t i = 0; i < schema->nfields; i++)
        plan->looks |=
            plan->given[i] && (takes_part(&plan->old->fields[i]) || takes_part(&schema->fields[i]));
    for (uint32_t i = 0; i < schema->nfields; i++)
        plan->sampled[i] = plan->looks && takes_part(&schema->fields[i]);
    return stoa_some_columns_init(&plan->sample, schema, plan->sampled, err);
}

bool stoa_rewrite_plan_wants(const struct stoa_rewrite_plan *plan, uint32_t number)
{
    return plan->looks && number % plan->rules->chooser_period == 0;
}

enum stoa_status stoa_rewrite_plan_look(struct stoa_rewrite_plan *plan, uint32_t number,
                                        struct stoa_batch *batch, struct stoa_error *err)
{
    const bool *only_read = plan->nothing; /* of these nodes too, which are not more */
    const struct stoa_group_part part = {plan->sample.numbers, only_read, NULL};
    const struct stoa_some_columns *sample = &plan->sample;
    struct stoa_writer_group *group = NULL;
    struct stoa_encoder *encoder;
    enum stoa_status st = stoa_encoder_pool_take(&plan->encoders, &encoder, err);

    if (st != STOA_OK)
        return st;
    STOA_TRY(stoa_row_group_prepare(encoder, plan->rules, sample->nodes, sample->nnodes, &part,
                                    plan->ntexts, number, batch, &group, err));
    STOA_TRY(
        stoa_relations_init(&plan->relations[number / plan->rules->chooser_period], group, err));
out:
    stoa_encoder_pool_give(&plan->encoders, encoder);
    stoa_writer_group_free(group);
    return st;
}

/* Columns that are derived in the old file. */
static enum stoa_status give_derived(struct stoa_rewrite_plan *plan, struct stoa_error *err)
{
    struct stoa_footer *footer = &plan->reader->footer;
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 0, node = 0; i < plan->schema->nfields; i++) {
        const struct stoa_chunk *chunks;

        if (plan->sampled[i]) {
            STOA_TRY(stoa_footer_chunks(footer, node, &chunks, err));
            for (uint32_t g = 0; g < footer->ngroups; g++)
                plan->given[i] |= (chunks[g].flags & STOA_CHUNK_DERIVED) != 0;
        }
        node += stoa_footer_subtree(footer, node);
    }
out:
    return st;
}

/* marks[i] where `number` is that of column i. */
static void mark(const struct stoa_rewrite_plan *plan, uint32_t number, bool *marks)
{
    uint32_t node = 0, i = 0;

    while (node < number) {
        node += stoa_footer_subtree(&plan->reader->footer, node);
        i++;
    }
    marks[i] = true;
}

enum stoa_status stoa_rewrite_plan_finish(struct stoa_rewrite_plan *plan, struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(give_derived(plan, err));
    for (uint32_t g = 0; g < plan->nrelations; g++)
        for (uint32_t i = 0; i < plan->relations[g].nitems; i++) {
            const struct stoa_relation *item = &plan->relations[g].items[i];

            mark(plan, item->target, plan->given);
            for (unsigned k = 0; k < STOA_NBASES; k++)
                if (item->of.nodes[k] != STOA_BASE_NONE)
                    mark(plan, item->of.nodes[k], plan->read);
        }
    for (uint32_t i = 0; i < plan->schema->nfields; i++)
        plan->read[i] |= plan->given[i];
out:
    return st;
}

/* ---- All of it ---- */

static enum stoa_status take_flags(struct stoa_rewrite_plan *plan, const bool *changes,
                                   struct stoa_error *err)
{
    size_t n = plan->schema->nfields;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&plan->given, n, sizeof(bool), err));
    STOA_TRY(stoa_alloc_zeroed(&plan->read, n, sizeof(bool), err));
    STOA_TRY(stoa_alloc_zeroed(&plan->sampled, n, sizeof(bool), err));
    memcpy(plan->given, changes, n * sizeof(bool));
out:
    return st;
}

enum stoa_status stoa_rewrite_plan_new(struct stoa_reader *reader, const struct stoa_schema *schema,
                                       const struct stoa_rules *rules, const bool *changes,
                                       struct stoa_rewrite_plan **out, struct stoa_error *err)
{
    struct stoa_schema_node *nodes = NULL;
    struct stoa_rewrite_plan *plan = NULL;
    uint32_t nnodes;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&plan, 1, sizeof(*plan), err));
    plan->reader = reader;
    plan->schema = schema;
    plan->rules = rules;
    stoa_encoder_pool_init(&plan->encoders, rules, false);
    STOA_TRY(stoa_reader_schema(reader, &plan->old, err));
    STOA_TRY(stoa_schema_nodes(schema, &nodes, &nnodes, err));
    plan->ntexts = stoa_nodes_count_texts(nodes, nnodes);
    plan->nrelations = reader->footer.ngroups / rules->chooser_period + 1;
    STOA_TRY(
        stoa_alloc_zeroed(&plan->relations, plan->nrelations, sizeof(plan->relations[0]), err));
    STOA_TRY(stoa_alloc_zeroed(&plan->nothing, nnodes, sizeof(bool), err));
    STOA_TRY(take_flags(plan, changes, err));
    STOA_TRY(give_crowded(plan, err));
    STOA_TRY(choose_sample(plan, err));
    *out = plan;
    plan = NULL;
out:
    stoa_free(nodes);
    stoa_rewrite_plan_free(plan);
    return st;
}

void stoa_rewrite_plan_free(struct stoa_rewrite_plan *plan)
{
    if (plan == NULL)
        return;
    for (uint32_t i = 0; plan->relations != NULL && i < plan->nrelations; i++)
        stoa_relations_reset(&plan->relations[i]);
    stoa_free(plan->relations);
    stoa_some_columns_reset(&plan->sample);
    stoa_encoder_pool_reset(&plan->encoders);
    stoa_free(plan->given);
    stoa_free(plan->read);
    stoa_free(plan->sampled);
    stoa_free(plan->nothing);
    stoa_free(plan);
}
