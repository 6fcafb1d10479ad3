/*
 * Row groups (spec/format.md, section 5).
 *
 * A chunk is written as it was planned, at first. A plan was made for other rows, though: where the
 * chunk comes out larger than estimated, its own rows are looked at and the smaller form stays.
 */
#include "file/row_group_write.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "file/bloom_plan.h"
#include "file/chunk_write.h"
#include "file/derive.h"
#include "file/presence.h"
#include "file/relations.h"
#include "file/side_write.h"
#include "stats/zonemap.h"

enum { LARGE_CHUNK_NBYTES = 4 << 20 };

static void drop_values(struct stoa_group_node *node)
{
    stoa_chunk_values_reset(&node->values);
    stoa_chunk_distinct_reset(&node->distinct);
    node->array = (struct stoa_array){0};
}

void stoa_writer_group_free(struct stoa_writer_group *group)
{
    if (group == NULL)
        return;
    for (uint32_t i = 0; i < group->nnodes; i++) {
        drop_values(&group->nodes[i]);
        stoa_buffer_free(&group->nodes[i].zones);
        stoa_buffer_free(&group->nodes[i].chunk);
        for (unsigned kind = 0; kind < STOA_NNOTES; kind++)
            stoa_buffer_free(&group->nodes[i].notes[kind].bytes);
        stoa_sequenced_reset(&group->nodes[i].sequenced);
    }
    for (uint32_t i = 0; group->columns != NULL && i < group->ncolumns; i++)
        stoa_array_reset(&group->columns[i]);
    stoa_free(group->columns);
    stoa_order_edges_reset(&group->edges);
    stoa_side_reset(&group->side);
    stoa_buffer_free(&group->side_body);
    stoa_free(group);
}

size_t stoa_row_group_first_huge(const struct stoa_rules *rules,
                                 const struct stoa_schema_node *nodes,
                                 const struct stoa_batch *batch, size_t begin, size_t end)
{
    uint32_t node = 0;

    for (uint32_t i = 0; i < batch->ncolumns; i++, node += nodes[node].nnodes)
        end = stoa_field_first_huge(rules, nodes[node].field, &batch->columns[i], begin, end);
    return end;
}

/* ---- Prepare ---- */

/* What the columns of a group are prepared with. */
struct preparing {
    struct stoa_encoder_pool *encoders;
    const struct stoa_rules *rules;
    const struct stoa_schema_node *nodes;
    uint32_t ntexts;
    const struct stoa_batch *batch;
    const uint32_t *firsts; /* the first node of each column */
    struct stoa_writer_group *group;
};

static enum stoa_status compute_zones(const struct stoa_schema_node *schema_node,
                                      const struct stoa_split_node *split, size_t nzones,
                                      struct stoa_zone *scratch, struct stoa_group_node *node,
                                      struct stoa_error *err)
{
    const struct stoa_type *type = &schema_node->field->type;
    bool below_list = schema_node->below_list;
    size_t stride = stoa_zone_stride(type, below_list);
    enum stoa_status st = stoa_buffer_resize(&node->zones, nzones * stride, err);

    if (st != STOA_OK)
        return st;
    stoa_zone_compute_group(type, &split->array, split->ends, nzones, scratch, &node->all);
    for (size_t z = 0; z < nzones; z++)
        stoa_zone_pack(&scratch[z], below_list, node->zones.data + z * stride);
    return STOA_OK;
}

/* Distinct values within the bounds of a chunk's own dictionary, if a sample gives hope. */
static enum stoa_status collect_numbers(const struct stoa_rules *rules,
                                        const struct stoa_group_node *node,
                                        struct stoa_chunk_distinct *out, struct stoa_error *err)
{
    uint32_t max_count;
    uint64_t max_nbytes;
    bool may_repeat;
    enum stoa_status st = stoa_chunk_plan_may_repeat(&node->values, &may_repeat, err);

    if (st != STOA_OK || !may_repeat)
        return st;
    stoa_sequencer_bounds(rules, 1, node->array.nvalues, &max_count, &max_nbytes);
    if (max_count > rules->local_max_count)
        max_count = rules->local_max_count;
    return stoa_chunk_distinct_init(out, &node->values, max_count, max_nbytes, err);
}

static enum stoa_status collect_texts(const struct preparing *with, struct stoa_group_node *node,
                                      struct stoa_error *err)
{
    uint32_t max_count, most = stoa_derive_max_ncodes(with->group->nrows);
    uint64_t max_nbytes;

    stoa_sequencer_bounds(with->rules, with->ntexts, node->array.nvalues, &max_count, &max_nbytes);
    if (stoa_group_only_looks(with->group) && max_count > most)
        max_count = most;
    return stoa_chunk_distinct_init(&node->distinct, &node->values, max_count, max_nbytes, err);
}

/* Texts are derived from nothing: where relations are all that matters they need no plan. */
static enum stoa_status prepare_node(const struct preparing *with, struct stoa_encoder *encoder,
                                     const struct stoa_type *type, struct stoa_group_node *node,
                                     struct stoa_error *err)
{
    const bool is_text = stoa_type_shares_dictionary(type), is_chooser = with->group->is_chooser;
    enum stoa_status st;

    STOA_TRY(stoa_chunk_values_init(&node->values, type, &node->array, err));
    if (node->values.all_null || node->values.phys == STOA_PHYS_NONE)
        return STOA_OK;
    if (is_text && !with->rules->stores_plain)
        STOA_TRY(collect_texts(with, node, err));
    else if (is_chooser && !with->rules->stores_plain)
        STOA_TRY(collect_numbers(with->rules, node, &node->distinct, err));
    if (is_chooser && !(is_text && stoa_group_only_looks(with->group)))
        STOA_TRY(stoa_chunk_plan_choose(encoder, with->rules, &node->values, &node->distinct,
                                        is_text, &node->chosen, err));
out:
    return st;
}

/* The nodes of the column at `first`; their arrays are lent until all is well. */
static enum stoa_status prepare_nodes(const struct preparing *with, struct stoa_encoder *encoder,
                                      uint32_t first, const struct stoa_split_node *split,
                                      struct stoa_zone *zones, struct stoa_error *err)
{
    const struct stoa_schema_node *nodes = with->nodes;
    struct stoa_writer_group *group = with->group;
    size_t nzones = (size_t)stoa_zone_count(group->nrows);
    enum stoa_status st = STOA_OK;

    for (uint32_t i = first; i < first + nodes[first].nnodes; i++) {
        struct stoa_group_node *node = &group->nodes[i];

        node->array = split[i - first].array;
        node->below_list = nodes[i].below_list;
        if (stoa_group_only_reads(group, i))
            continue;
        if (!stoa_group_only_looks(group))
            st = compute_zones(&nodes[i], &split[i - first], nzones, zones, node, err);
        if (st == STOA_OK)
            st = prepare_node(with, encoder, &nodes[i].field->type, node, err);
        if (st != STOA_OK)
            return stoa_nodes_wrap(nodes, i, st, err);
    }
    return st;
}

static enum stoa_status prepare_column(void *context, size_t column, struct stoa_error *err)
{
    const struct preparing *with = context;
    const uint32_t first = with->firsts[column], nnodes = with->nodes[first].nnodes;
    const size_t nzones = (size_t)stoa_zone_count(with->group->nrows);
    struct stoa_encoder *encoder = NULL;
    struct stoa_split_node *split = NULL;
    struct stoa_zone *zones = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_encoder_pool_take(with->encoders, &encoder, err));
    STOA_TRY(stoa_alloc_zeroed(&zones, nzones, sizeof(*zones), err));
    STOA_TRY(stoa_alloc_zeroed(&split, nnodes, sizeof(*split), err));
    STOA_TRY(
        stoa_nodes_split(with->nodes, first, &with->batch->columns[column], nzones, split, err));
    STOA_TRY(prepare_nodes(with, encoder, first, split, zones, err));
out:
    for (uint32_t i = 0; split != NULL && i < nnodes; i++)
        stoa_split_node_reset(&split[i]);
    stoa_free(split);
    stoa_free(zones);
    if (encoder != NULL)
        stoa_encoder_pool_give(with->encoders, encoder);
    return st;
}

/* Puts the first node of each column into *out, which is of the caller to free. */
static enum stoa_status find_firsts(const struct stoa_schema_node *nodes, uint32_t ncolumns,
                                    uint32_t **out, struct stoa_error *err)
{
    enum stoa_status st = stoa_alloc(out, ncolumns * sizeof(**out), err);

    for (uint32_t i = 0, node = 0; st == STOA_OK && i < ncolumns; i++, node += nodes[node].nnodes)
        (*out)[i] = node;
    return st;
}

enum stoa_status stoa_row_group_prepare(struct stoa_encoder_pool *encoders,
                                        const struct stoa_rules *rules,
                                        const struct stoa_schema_node *nodes, uint32_t nnodes,
                                        const struct stoa_group_part *part, uint32_t ntexts,
                                        uint64_t ordinal, struct stoa_batch *batch,
                                        struct stoa_writer_group **out, struct stoa_error *err)
{
    struct stoa_writer_group *group = NULL;
    struct preparing with = {encoders, rules, nodes, ntexts, batch, NULL, NULL};
    uint32_t *firsts = NULL;
    size_t huge = stoa_row_group_first_huge(rules, nodes, batch, 0, batch->nrows);
    enum stoa_status st;

    if (huge < batch->nrows && batch->nrows > 1)
        return stoa_fail(err, STOA_ERR_LIMIT,
                         "row %zu of %zu has a value of about %" PRIu64
                         " bytes or more: such a row must be a row group of its own",
                         huge + 1, batch->nrows, rules->page_max_nbytes);
    STOA_TRY(find_firsts(nodes, batch->ncolumns, &firsts, err));
    STOA_TRY(stoa_alloc_zeroed(&group, 1, sizeof(*group) + (size_t)nnodes * sizeof(group->nodes[0]),
                               err));
    group->ordinal = ordinal;
    group->nrows = (uint32_t)batch->nrows;
    group->ncolumns = batch->ncolumns;
    group->nnodes = nnodes;
    group->part = part;
    group->is_chooser = ordinal % rules->chooser_period == 0;
    with.firsts = firsts;
    with.group = group;
    STOA_TRY(stoa_crew_run(encoders->crew, batch->ncolumns, prepare_column, &with, err));
    if (group->is_chooser && part != NULL && part->relations != NULL)
        stoa_relations_apply(&part->relations[ordinal / rules->chooser_period], group);
    else if (group->is_chooser)
        STOA_TRY(stoa_derive_choose(encoders, rules, nodes, group, err));
    STOA_TRY(stoa_alloc(&group->columns, batch->ncolumns * sizeof(group->columns[0]), err));
    for (uint32_t i = 0; i < batch->ncolumns; i++) {
        group->columns[i] = batch->columns[i];
        batch->columns[i] = (struct stoa_array){0};
    }
    *out = group;
    group = NULL;
out:
    stoa_free(firsts);
    stoa_writer_group_free(group);
    return st;
}

/* ---- Settle ---- */

enum stoa_status stoa_row_group_settle(struct stoa_sequencer *sequencer,
                                       struct stoa_writer_group *group, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 0; i < group->nnodes; i++) {
        struct stoa_group_node *node = &group->nodes[i];

        if (stoa_group_only_reads(group, i))
            continue;
        STOA_TRY(stoa_sequencer_settle(sequencer, i, &node->distinct,
                                       group->is_chooser ? &node->chosen : NULL,
                                       node->array.nvalues, &node->sequenced, err));
    }
out:
    return st;
}

/* ---- Encode ---- */

/*
 * One way to write a chunk, and what it is expected to take. Meanwhile others may read the node, of
 * whose values they are derived: what is found out of these only now stays here.
 */
struct attempt {
    struct stoa_chunk_input input;
    struct stoa_chunk_distinct late; /* where the node has none */
    struct stoa_plan entries_plan;
    uint64_t expected_nbytes;
    uint32_t *codes;
    struct stoa_values entries; /* sorted; SHARED: owned by `sequenced` */
    struct stoa_derived_from from;
};

static void attempt_reset(struct attempt *attempt)
{
    stoa_chunk_distinct_reset(&attempt->late);
    stoa_free(attempt->codes);
    stoa_values_reset(&attempt->entries);
    stoa_derived_from_reset(&attempt->from);
}

static void attempt_init(struct attempt *attempt, const struct stoa_group_node *node)
{
    *attempt = (struct attempt){
        .input = {.values = node->values.physical.vector,
                  .phys = node->values.phys,
                  .validity = node->array.nnulls > 0 ? node->array.validity : NULL,
                  .nnulls = (uint32_t)node->array.nnulls,
                  .first_child = node->values.phys != STOA_PHYS_BYTES ? node->array.offsets : NULL},
    };
}

static void attempt_plan(struct attempt *attempt, const struct stoa_chunk_plan *plan,
                         const struct stoa_choice *choice)
{
    attempt->input.plan = &choice->plan;
    attempt->input.estimate_nbytes =
        stoa_chunk_plan_scale(plan, choice->nbytes, attempt->input.values.nvalues);
    attempt->expected_nbytes = attempt->input.estimate_nbytes;
}

static const struct stoa_chunk_distinct *attempt_distinct(const struct attempt *attempt,
                                                          const struct stoa_group_node *node)
{
    return node->distinct.set != NULL ? &node->distinct : &attempt->late;
}

/* Distinct numbers, unless they are known; texts were collected before. */
static enum stoa_status collect_late(const struct stoa_rules *rules, struct attempt *attempt,
                                     const struct stoa_group_node *node, struct stoa_error *err)
{
    if (attempt_distinct(attempt, node)->set != NULL || node->values.phys == STOA_PHYS_BYTES)
        return STOA_OK;
    return collect_numbers(rules, node, &attempt->late, err);
}

/* The codes of all slots through a table from the codes of distinct values. */
static enum stoa_status map_codes(struct attempt *attempt, const struct stoa_group_node *node,
                                  const uint32_t *map, struct stoa_error *err)
{
    size_t nvalues = node->array.nvalues;
    const uint32_t *from = attempt_distinct(attempt, node)->codes;
    enum stoa_status st =
        stoa_alloc(&attempt->codes, nvalues * sizeof(uint32_t) + STOA_ARRAY_SLACK, err);

    if (st != STOA_OK)
        return st;
    for (size_t i = 0; i < nvalues; i++)
        attempt->codes[i] = map[from[i]];
    memset(attempt->codes + nvalues, 0, STOA_ARRAY_SLACK);
    attempt->input.values =
        (struct stoa_vector){STOA_PHYS_U32, 4, nvalues, (const uint8_t *)attempt->codes, NULL};
    return STOA_OK;
}

static enum stoa_status add_entries(struct stoa_encoder *encoder, struct attempt *attempt,
                                    const struct stoa_vector *entries, struct stoa_error *err)
{
    struct stoa_choice choice;
    enum stoa_status st;

    if (entries->nvalues == 0)
        return STOA_OK;
    st = stoa_chooser_choose(encoder, entries, false, &choice, err);
    if (st != STOA_OK)
        return st;
    attempt->entries_plan = choice.plan;
    attempt->input.entries = *entries;
    attempt->input.entries_plan = &attempt->entries_plan;
    attempt->expected_nbytes += choice.nbytes;
    return STOA_OK;
}

/*
 * Numbers of a dictionary, sorted, are stored as the plan says: they are much the same in every row
 * group. Texts were not sorted when it was made.
 */
static enum stoa_status add_planned_entries(struct stoa_encoder *encoder, struct attempt *attempt,
                                            const struct stoa_chunk_plan *plan,
                                            struct stoa_error *err)
{
    const struct stoa_vector *entries = &attempt->entries.vector;

    if (plan->nentries == 0 || entries->phys == STOA_PHYS_BYTES)
        return add_entries(encoder, attempt, entries, err);
    attempt->entries_plan = plan->entries;
    attempt->input.entries = *entries;
    attempt->input.entries_plan = &attempt->entries_plan;
    attempt->expected_nbytes += plan->entries_nbytes * entries->nvalues / plan->nentries;
    return STOA_OK;
}

static enum stoa_status plan_shared(struct stoa_encoder *encoder, struct attempt *attempt,
                                    const struct stoa_group_node *node, struct stoa_error *err)
{
    const struct stoa_sequenced *sequenced = &node->sequenced;
    enum stoa_status st;

    STOA_TRY(map_codes(attempt, node, sequenced->codes, err));
    attempt_plan(attempt, &sequenced->plan, &sequenced->plan.codes);
    STOA_TRY(add_entries(encoder, attempt, &sequenced->extension.vector, err));
out:
    return st;
}

/* A dictionary of the chunk: its distinct values in their order. */
static enum stoa_status plan_local(struct stoa_encoder *encoder, struct attempt *attempt,
                                   const struct stoa_chunk_plan *plan,
                                   const struct stoa_group_node *node, struct stoa_error *err)
{
    const struct stoa_distinct *set = attempt_distinct(attempt, node)->set;
    struct stoa_vector values = stoa_distinct_values(set);
    uint32_t *order = NULL, *rank = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc(&order, values.nvalues * sizeof(order[0]), err));
    STOA_TRY(stoa_alloc(&rank, values.nvalues * sizeof(rank[0]), err));
    STOA_TRY(stoa_distinct_order(set, order, err));
    for (uint32_t i = 0; i < values.nvalues; i++)
        rank[order[i]] = i;
    STOA_TRY(stoa_values_take(&attempt->entries, &values, order, (uint32_t)values.nvalues, err));
    STOA_TRY(map_codes(attempt, node, rank, err));
    attempt_plan(attempt, plan, &plan->codes);
    STOA_TRY(add_planned_entries(encoder, attempt, plan, err));
out:
    stoa_free(order);
    stoa_free(rank);
    return st;
}

/* PLAIN, or LOCAL where the distinct values are few enough. `plan` outlives the attempt. */
static enum stoa_status plan_alone(struct stoa_encoder *encoder, const struct stoa_rules *rules,
                                   struct attempt *attempt, const struct stoa_chunk_plan *plan,
                                   enum stoa_chunk_mode mode, const struct stoa_group_node *node,
                                   struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    if (mode == STOA_CHUNK_LOCAL)
        st = collect_late(rules, attempt, node, err);
    if (st != STOA_OK)
        return st;
    if (mode == STOA_CHUNK_LOCAL && attempt_distinct(attempt, node)->set != NULL)
        return plan_local(encoder, attempt, plan, node, err);
    attempt_plan(attempt, plan, &plan->plain);
    return STOA_OK;
}

/* From the values of other columns in the same rows. */
static enum stoa_status plan_derived(const struct stoa_schema_node *nodes,
                                     const struct stoa_writer_group *group, struct attempt *attempt,
                                     const struct stoa_chunk_plan *plan, struct stoa_error *err)
{
    enum stoa_status st =
        stoa_derived_from_init(&attempt->from, nodes, group, &plan->relation, err);

    attempt_plan(attempt, plan, &plan->derived);
    attempt->input.derivation = &attempt->from.derivation;
    attempt->input.bases = stoa_derive_pack(group, &plan->relation);
    return st;
}

/* A plan of the chunk's own, when there is none or it did not fit. */
static enum stoa_status plan_anew(struct stoa_encoder *encoder, const struct stoa_rules *rules,
                                  struct attempt *attempt, struct stoa_chunk_plan *plan,
                                  const struct stoa_group_node *node, struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(collect_late(rules, attempt, node, err));
    STOA_TRY(stoa_chunk_plan_choose(encoder, rules, &node->values, attempt_distinct(attempt, node),
                                    false, plan, err));
    STOA_TRY(plan_alone(encoder, rules, attempt, plan, plan->mode, node, err));
out:
    return st;
}

/* The same codes with a plan of their own: where a value is in the shared dictionary is settled. */
static enum stoa_status replan_shared(struct stoa_encoder *encoder, struct attempt *attempt,
                                      struct stoa_choice *choice, struct stoa_error *err)
{
    enum stoa_status st = stoa_chooser_choose(encoder, &attempt->input.values, true, choice, err);

    if (st == STOA_OK) {
        attempt->input.plan = &choice->plan;
        attempt->input.estimate_nbytes = choice->nbytes;
    }
    return st;
}

static bool is_too_large(const struct stoa_rules *rules, const struct attempt *attempt,
                         const struct stoa_rg_entry *entry)
{
    uint64_t npages = stoa_chunk_npages(entry->flags, entry->page_shift, entry->nvalues);
    uint64_t room = npages * (rules->excess_nbytes + STOA_PAGE_ENTRY_NBYTES) +
                    (entry->nnulls > 0 ? entry->nvalues / 8 : 0);

    return entry->nbytes > attempt->expected_nbytes * (100 + rules->excess_percent) / 100 + room;
}

/* Keeps the smaller of two chunks of equal values behind each other, at `begin` and `second_at`. */
static void keep_smaller(struct stoa_buffer *body, size_t begin, size_t second_at,
                         struct stoa_rg_entry *entry, const struct stoa_rg_entry *second)
{
    if (second->nbytes < entry->nbytes) {
        memmove(body->data + begin, body->data + second_at, second->nbytes);
        *entry = *second;
    }
    body->nbytes = begin + entry->nbytes;
}

/* Keeps the attempt if it is smaller than `first`, which is there; if large, one is held at a time.
 */
static enum stoa_status put_smaller(struct stoa_encoder *encoder, const struct stoa_rules *rules,
                                    const struct stoa_chunk_input *first,
                                    const struct stoa_chunk_input *input, struct stoa_buffer *body,
                                    size_t begin, struct stoa_rg_entry *entry,
                                    struct stoa_error *err)
{
    const size_t end = entry->nbytes > LARGE_CHUNK_NBYTES ? begin : body->nbytes;
    struct stoa_rg_entry second;
    enum stoa_status st;

    body->nbytes = end;
    st = stoa_chunk_write(encoder, rules, input, body, &second, err);
    if (st == STOA_OK && end == begin && second.nbytes >= entry->nbytes) {
        body->nbytes = begin;
        return stoa_chunk_write(encoder, rules, first, body, entry, err);
    }
    if (st == STOA_OK)
        keep_smaller(body, begin, end, entry, &second);
    return st;
}

static bool is_planned(const struct stoa_group_node *node)
{
    return node->sequenced.mode != STOA_CHUNK_UNPLANNED &&
           node->sequenced.plan.phys == node->values.phys;
}

/* Writes a chunk as the sequencer settled it for this column alone, or as its values ask for. */
static enum stoa_status write_alone(struct stoa_encoder *encoder, const struct stoa_rules *rules,
                                    enum stoa_chunk_mode mode, bool is_chooser,
                                    struct stoa_group_node *node, struct stoa_buffer *body,
                                    struct stoa_rg_entry *entry, struct stoa_error *err)
{
    const struct stoa_sequenced *sequenced = &node->sequenced;
    const bool shared = mode == STOA_CHUNK_SHARED, planned = is_planned(node);
    struct attempt attempt, second;
    struct stoa_chunk_plan plan;
    struct stoa_choice choice;
    size_t begin = body->nbytes;
    enum stoa_status st;

    attempt_init(&attempt, node);
    attempt_init(&second, node);
    if (shared)
        STOA_TRY(plan_shared(encoder, &attempt, node, err));
    else if (planned)
        STOA_TRY(plan_alone(encoder, rules, &attempt, &sequenced->plan, mode, node, err));
    else
        STOA_TRY(plan_anew(encoder, rules, &attempt, &plan, node, err));
    STOA_TRY(stoa_chunk_write(encoder, rules, &attempt.input, body, entry, err));

    if (!is_chooser && planned && is_too_large(rules, &attempt, entry)) {
        second.input = shared ? attempt.input : second.input; /* the same codes */
        second.late = attempt.late;
        attempt.late = (struct stoa_chunk_distinct){0};
        STOA_TRY(shared ? replan_shared(encoder, &second, &choice, err)
                        : plan_anew(encoder, rules, &second, &plan, node, err));
        STOA_TRY(
            put_smaller(encoder, rules, &attempt.input, &second.input, body, begin, entry, err));
    }
    if (shared && !node->below_list)
        STOA_TRY(stoa_presence_make(rules, attempt.codes, attempt.input.validity,
                                    node->array.nvalues, sequenced->ncodes, entry->nbytes,
                                    &node->notes[STOA_NOTE_PRESENCE], err));
out:
    attempt_reset(&attempt);
    attempt_reset(&second);
    return st;
}

/*
 * Writes a chunk as derived from others, unless it comes out badly and is smaller as if nothing had
 * been found. So what is stored of a column that is not derived follows from its values alone.
 */
static enum stoa_status write_derived(struct stoa_encoder *encoder, const struct stoa_rules *rules,
                                      const struct stoa_schema_node *nodes,
                                      const struct stoa_writer_group *group,
                                      struct stoa_group_node *node, struct stoa_error *err)
{
    const struct stoa_chunk_plan *plan = &node->sequenced.plan;
    struct stoa_buffer *out = &node->chunk;
    struct stoa_rg_entry alone;
    struct attempt attempt;
    size_t end;
    enum stoa_status st;

    attempt_init(&attempt, node);
    STOA_TRY(plan_derived(nodes, group, &attempt, plan, err));
    STOA_TRY(stoa_chunk_write(encoder, rules, &attempt.input, out, &node->entry, err));
    if (!is_too_large(rules, &attempt, &node->entry))
        goto out;
    end = out->nbytes;
    STOA_TRY(
        write_alone(encoder, rules, plan->otherwise, group->is_chooser, node, out, &alone, err));
    keep_smaller(out, 0, end, &node->entry, &alone);
out:
    attempt_reset(&attempt);
    return st;
}

/* Whether a chunk and its bases, now that their values are known, have pages that are not too
 * small.
 */
static bool may_derive(const struct stoa_rules *rules, const struct stoa_writer_group *group,
                       const struct stoa_group_node *node)
{
    const struct stoa_chunk_relation *relation = &node->sequenced.plan.relation;
    bool may = stoa_chunk_may_be_base(rules, &node->values.physical.vector);

    for (unsigned k = 0; k < STOA_NBASES; k++)
        if (relation->nodes[k] != STOA_BASE_NONE)
            may = may && stoa_chunk_may_be_base(
                             rules, &group->nodes[relation->nodes[k]].values.physical.vector);
    return may;
}

static enum stoa_status write_chunk(struct stoa_encoder *encoder, const struct stoa_rules *rules,
                                    const struct stoa_schema_node *nodes,
                                    const struct stoa_writer_group *group,
                                    struct stoa_group_node *node, struct stoa_error *err)
{
    static const struct stoa_plan bitmap = {.nodes = {{.encoding = STOA_CONST}}};
    enum stoa_chunk_mode mode = node->sequenced.mode;
    struct attempt attempt;

    if (node->values.phys == STOA_PHYS_NONE) {
        attempt_init(&attempt, node);
        attempt.input.plan = &bitmap;
        return stoa_chunk_write(encoder, rules, &attempt.input, &node->chunk, &node->entry, err);
    }
    if (mode == STOA_CHUNK_FROM_OTHERS && is_planned(node) && may_derive(rules, group, node))
        return write_derived(encoder, rules, nodes, group, node, err);
    if (mode == STOA_CHUNK_FROM_OTHERS)
        mode = node->sequenced.plan.otherwise;
    return write_alone(encoder, rules, mode, group->is_chooser, node, &node->chunk, &node->entry,
                       err);
}

static enum stoa_status encode_node(struct stoa_encoder *encoder, const struct stoa_rules *rules,
                                    const struct stoa_schema_node *nodes,
                                    const struct stoa_writer_group *group,
                                    struct stoa_group_node *node, struct stoa_error *err)
{
    enum stoa_status st;

    if (node->values.all_null || (node->values.phys == STOA_PHYS_NONE && node->array.nnulls == 0)) {
        bool all_null = node->values.all_null; /* type null counts none */

        node->entry = stoa_chunk_without_pages(node->values.phys, (uint32_t)node->array.nvalues,
                                               all_null ? (uint32_t)node->array.nvalues : 0);
        return STOA_OK;
    }
    STOA_TRY(stoa_bloom_of_node(nodes, group, node, err));
    STOA_TRY(write_chunk(encoder, rules, nodes, group, node, err));
    if (node->sequenced.mode == STOA_CHUNK_SHARED) {
        node->entry.flags |= STOA_CHUNK_SHARED_DICT;
        node->entry.dict_id = node->sequenced.dict_id;
    }
out:
    return st;
}

enum stoa_status stoa_row_group_set_side(struct stoa_writer_group *group, uint32_t ncolumns,
                                         struct stoa_side *side, struct stoa_error *err)
{
    enum stoa_status st = stoa_side_check(side, ncolumns, group->nrows, err);

    if (st != STOA_OK)
        return st;
    stoa_side_reset(&group->side);
    group->side = *side;
    *side = (struct stoa_side){0};
    return STOA_OK;
}

/* Columns that others, before them or behind, are derived from. */
static void mark_bases(struct stoa_writer_group *group)
{
    for (uint32_t i = 0; i < group->nnodes; i++) {
        const struct stoa_sequenced *sequenced = &group->nodes[i].sequenced;

        for (unsigned k = 0; sequenced->mode == STOA_CHUNK_FROM_OTHERS && k < STOA_NBASES; k++)
            if (sequenced->plan.relation.nodes[k] != STOA_BASE_NONE)
                group->nodes[sequenced->plan.relation.nodes[k]].is_base = true;
    }
}

/* What the columns of a group are encoded with. */
struct encoding {
    struct stoa_encoder_pool *encoders;
    const struct stoa_rules *rules;
    const struct stoa_schema_node *nodes;
    const uint32_t *firsts; /* the first node of each column */
    struct stoa_writer_group *group;
};

static enum stoa_status encode_column(void *context, size_t column, struct stoa_error *err)
{
    const struct encoding *with = context;
    struct stoa_writer_group *group = with->group;
    const uint32_t first = with->firsts[column], end = first + with->nodes[first].nnodes;
    struct stoa_encoder *encoder;
    enum stoa_status st = stoa_encoder_pool_take(with->encoders, &encoder, err);

    if (st != STOA_OK)
        return st;
    for (uint32_t i = first; i < end; i++) {
        struct stoa_group_node *node = &group->nodes[i];

        if (!stoa_group_only_reads(group, i))
            st = encode_node(encoder, with->rules, with->nodes, group, node, err);
        if (st != STOA_OK) {
            stoa_nodes_wrap(with->nodes, i, st, err);
            break;
        }
        if (!node->is_base)
            drop_values(node);
    }
    if (st == STOA_OK && !group->nodes[end - 1].is_base)
        stoa_array_reset(&group->columns[column]);
    /* A segment has values of its own, and may be large: only now, as the column is gone. */
    for (uint32_t i = first; st == STOA_OK && i < end; i++)
        if (group->nodes[i].sequenced.has_segment) {
            st = stoa_segment_encode(encoder, &group->nodes[i].sequenced.segment, err);
            if (st != STOA_OK)
                stoa_nodes_wrap(with->nodes, i, st, err);
        }
    stoa_encoder_pool_give(with->encoders, encoder);
    return st;
}

enum stoa_status stoa_row_group_encode(struct stoa_encoder_pool *encoders,
                                       const struct stoa_rules *rules,
                                       const struct stoa_schema_node *nodes,
                                       struct stoa_writer_group *group, struct stoa_error *err)
{
    struct encoding with = {encoders, rules, nodes, NULL, group};
    uint32_t *firsts = NULL;
    enum stoa_status st;

    mark_bases(group);
    STOA_TRY(find_firsts(nodes, group->ncolumns, &firsts, err));
    with.firsts = firsts;
    STOA_TRY(stoa_crew_run(encoders->crew, group->ncolumns, encode_column, &with, err));
    for (uint32_t i = 0; i < group->nnodes; i++)
        drop_values(&group->nodes[i]);
    for (uint32_t i = 0; i < group->ncolumns; i++)
        stoa_array_reset(&group->columns[i]);
    if (group->side.ncolumns > 0)
        STOA_TRY(stoa_side_encode(encoders, rules, &group->side, &group->side_body,
                                  &group->side_dir_nbytes, err));
out:
    stoa_free(firsts);
    return st;
}

uint64_t stoa_row_group_encoded_nbytes(const struct stoa_writer_group *group)
{
    uint64_t nbytes = group->side_body.capacity;

    for (uint32_t i = 0; i < group->nnodes; i++) {
        nbytes += group->nodes[i].chunk.capacity + group->nodes[i].zones.capacity +
                  group->nodes[i].sequenced.segment.body.capacity;
        for (unsigned kind = 0; kind < STOA_NNOTES; kind++)
            nbytes += group->nodes[i].notes[kind].bytes.capacity;
    }
    return nbytes;
}
