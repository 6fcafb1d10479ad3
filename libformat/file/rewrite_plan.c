/*
 * Which columns a rewritten file needs anew (rewrite_plan.h).
 *
 *     changes            b of [a | b | c | d | e]       its type differs
 *     looked at          a, b, c, d of a chooser group  e is no column to derive from
 *     found there        d by (a, b)                    c was derived from b, and is not any more
 *     given              b, c, d
 *     read beside them   a                              its chunks are copied
 *
 * A chunk that is not derived follows from the values of its column alone, and one that is from
 * these, its bases and the relation. So a column is the same in both files where it is derived in
 * neither, or in the same way from columns that do not change.
 */
#include "file/rewrite_plan.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/hash.h"
#include "codec/page.h"
#include "file/bloom_plan.h"
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

/*
 * The most bytes of distinct texts that a chunk of the node can have, with those of its chain. One
 * that is codes of the chain alone has none of its own, and its pages, which are not asked, none at
 * all.
 */
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
        bool only_codes = shared && !(chunks[i].flags & STOA_CHUNK_LOCAL_DICT);
        uint64_t nbytes = 0;

        if (chunks[i].nbytes == 0)
            continue;
        STOA_TRY(stoa_footer_nvalues(footer, node, i, &shape.nvalues, err));
        if (!only_codes)
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

void stoa_rewrite_plan_set_crew(struct stoa_rewrite_plan *plan, struct stoa_crew *crew)
{
    plan->encoders.crew = crew;
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
    enum stoa_status st;

    STOA_TRY(stoa_row_group_prepare(&plan->encoders, plan->rules, sample->nodes, sample->nnodes,
                                    &part, plan->ntexts, number, batch, &group, err));
    STOA_TRY(
        stoa_relations_init(&plan->relations[number / plan->rules->chooser_period], group, err));
out:
    stoa_writer_group_free(group);
    return st;
}

/* What the pages of a derived chunk say of its relation; *found: one of them has such a root. */
static enum stoa_status read_relation(struct stoa_footer *footer, uint32_t node, uint32_t group,
                                      const struct stoa_chunk *chunk, bool *found,
                                      struct stoa_chunk_relation *out, struct stoa_error *err)
{
    struct stoa_chunk_shape shape = {.nrows = footer->groups[group].nrows};
    struct stoa_chunk_pages pages = {0};
    struct stoa_buffer bytes = {0};
    struct stoa_column *column;
    enum stoa_status st;

    STOA_TRY(stoa_footer_column(footer, node, &column, err));
    shape.type = column->place.type;
    STOA_TRY(stoa_footer_nvalues(footer, node, group, &shape.nvalues, err));
    STOA_TRY(stoa_chunk_pages_read(footer, chunk, &shape, &pages, err));
    stoa_bases_unpack(chunk->dict_index, out->nodes);
    for (uint32_t k = 0; !*found && k < pages.npages; k++) {
        STOA_TRY(stoa_buffer_resize(&bytes, pages.pages[k].nbytes, err));
        STOA_TRY(stoa_chunk_pages_fetch(footer, &pages, k, k + 1, bytes.data, err));
        if (stoa_hash(bytes.data, bytes.nbytes) != pages.pages[k].hash) {
            st = stoa_fail_at(err, STOA_ERR_CORRUPT, pages.pages[k].offset, "hash differs");
            goto out;
        }
        STOA_TRY(stoa_page_derivation(bytes.data, bytes.nbytes, found, &out->looks_up,
                                      out->multipliers, err));
    }
out:
    stoa_buffer_free(&bytes);
    stoa_chunk_pages_reset(&pages);
    return st;
}

/* The column of a node that has no parent. */
static uint32_t column_of(const struct stoa_rewrite_plan *plan, uint32_t number)
{
    uint32_t node = 0, i = 0;

    while (node < number) {
        node += stoa_footer_subtree(&plan->reader->footer, node);
        i++;
    }
    return i;
}

static const struct stoa_relation *find_relation(const struct stoa_relations *relations,
                                                 uint32_t target)
{
    for (uint32_t i = 0; i < relations->nitems; i++)
        if (relations->items[i].target == target)
            return &relations->items[i];
    return NULL;
}

/* Whether a relation is the one of the old file, between columns that do not change. */
static bool stays(const struct stoa_rewrite_plan *plan, const struct stoa_chunk_relation *old,
                  const struct stoa_chunk_relation *new)
{
    bool same = old->looks_up == new->looks_up;

    for (unsigned k = 0; same && k < STOA_NBASES; k++) {
        same = old->nodes[k] == new->nodes[k];
        if (same && new->nodes[k] != STOA_BASE_NONE)
            same = !plan->changes[column_of(plan, new->nodes[k])] &&
                   (new->looks_up || old->multipliers[k] == new->multipliers[k]);
    }
    return same;
}

/*
 * Whether the column at `node` follows from the same columns in both files in all row groups of a
 * chooser group. One chunk tells for all; where none is derived, nothing was found, or what was
 * found fitted none, which is stored the same way.
 */
static enum stoa_status compare(struct stoa_rewrite_plan *plan, uint32_t node, uint32_t period,
                                const struct stoa_chunk *chunks, bool *same, struct stoa_error *err)
{
    struct stoa_footer *footer = &plan->reader->footer;
    const struct stoa_relation *new = find_relation(&plan->relations[period], node);
    uint32_t begin = period * plan->rules->chooser_period;
    bool found = false, derived = false;
    enum stoa_status st;

    for (uint32_t g = begin; g < footer->ngroups && g - begin < plan->rules->chooser_period; g++) {
        struct stoa_chunk_relation old = {0};

        if (!(chunks[g].flags & STOA_CHUNK_DERIVED))
            continue;
        derived = true;
        if (new == NULL || found)
            break;
        st = read_relation(footer, node, g, &chunks[g], &found, &old, err);
        if (st != STOA_OK)
            return stoa_reader_wrap(plan->reader, g, node, st, err);
        if (found && !stays(plan, &old, &new->of))
            new = NULL;
    }
    *same = derived ? new != NULL &&found : new == NULL;
    return STOA_OK;
}

/* Gives columns whose relations are not those of the old file. */
static enum stoa_status give_derived(struct stoa_rewrite_plan *plan, struct stoa_error *err)
{
    struct stoa_footer *footer = &plan->reader->footer;
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 0, node = 0; i < plan->schema->nfields; i++) {
        const struct stoa_chunk *chunks;

        STOA_TRY(stoa_footer_chunks(footer, node, &chunks, err));
        for (uint32_t p = 0; plan->sampled[i] && !plan->given[i] && p < plan->nrelations; p++) {
            bool same = false;

            STOA_TRY(compare(plan, node, p, chunks, &same, err));
            plan->given[i] = !same;
        }
        node += stoa_footer_subtree(footer, node);
    }
out:
    return st;
}

/* Leaves relations to columns that are given, and marks what these are derived from. */
static void drop_copied(struct stoa_rewrite_plan *plan, struct stoa_relations *relations)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < relations->nitems; i++) {
        const struct stoa_relation *item = &relations->items[i];

        if (!plan->given[column_of(plan, item->target)])
            continue;
        for (unsigned k = 0; k < STOA_NBASES; k++)
            if (item->of.nodes[k] != STOA_BASE_NONE)
                plan->read[column_of(plan, item->of.nodes[k])] = true;
        relations->items[n++] = *item;
    }
    relations->nitems = n;
}

enum stoa_status stoa_rewrite_plan_finish(struct stoa_rewrite_plan *plan, struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(give_derived(plan, err));
    for (uint32_t i = 0; i < plan->nrelations; i++)
        drop_copied(plan, &plan->relations[i]);
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
    plan->changes = changes;
    memcpy(plan->given, changes, n * sizeof(bool));
out:
    return st;
}

enum stoa_status stoa_rewrite_plan_new(struct stoa_reader *reader, const struct stoa_schema *schema,
                                       const struct stoa_rules *rules,
                                       const struct stoa_writer_options *options,
                                       const bool *changes, struct stoa_rewrite_plan **out,
                                       struct stoa_error *err)
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
    STOA_TRY(stoa_bloom_plan(options, schema, nodes, nnodes, &plan->blooms, err));
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
    stoa_free(plan->blooms);
    stoa_free(plan);
}
