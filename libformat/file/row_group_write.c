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

#include "base/bits.h"
#include "base/error.h"
#include "base/hash.h"
#include "file/chunk_write.h"
#include "stats/zonemap.h"

enum { CHUNK_ALIGN = 8 };

bool stoa_type_shares_dictionary(const struct stoa_type *type)
{
    return type->id == STOA_UTF8 || type->id == STOA_BINARY;
}

static void drop_values(struct stoa_group_column *column)
{
    stoa_chunk_values_reset(&column->values);
    stoa_chunk_distinct_reset(&column->distinct);
    stoa_array_reset(&column->array);
}

void stoa_writer_group_free(struct stoa_writer_group *group)
{
    if (group == NULL)
        return;
    for (uint32_t i = 0; i < group->ncolumns; i++) {
        drop_values(&group->columns[i]);
        stoa_buffer_free(&group->columns[i].zones);
        stoa_sequenced_reset(&group->columns[i].sequenced);
    }
    stoa_buffer_free(&group->body);
    stoa_free(group);
}

static enum stoa_status wrap_column(const struct stoa_field *field, enum stoa_status st,
                                    struct stoa_error *err)
{
    char shown[128];

    return stoa_wrap(err, st, "column %s",
                     stoa_quote(shown, sizeof(shown), field->name, strlen(field->name)));
}

size_t stoa_row_group_first_huge(const struct stoa_rules *rules, const struct stoa_schema *schema,
                                 const struct stoa_array *columns, size_t begin, size_t end)
{
    for (uint32_t i = 0; i < schema->nfields; i++) {
        const int32_t *offsets = columns[i].offsets;

        if (!stoa_type_shares_dictionary(&schema->fields[i].type) || begin == end ||
            stoa_page_raw_bound((uint64_t)(offsets[end] - offsets[begin]), 1) <=
                rules->page_max_nbytes)
            continue; /* all of them together are not too long */
        for (size_t row = begin; row < end; row++)
            if (stoa_page_raw_bound((uint64_t)(offsets[row + 1] - offsets[row]), 1) >
                rules->page_max_nbytes)
                end = row;
    }
    return end;
}

/* ---- Prepare ---- */

static enum stoa_status compute_zones(const struct stoa_type *type, const struct stoa_array *array,
                                      struct stoa_zone *scratch, struct stoa_group_column *column,
                                      struct stoa_error *err)
{
    size_t nzones = (size_t)stoa_zone_count(array->nvalues), stride = stoa_zone_stride(type, false);
    enum stoa_status st = stoa_buffer_resize(&column->zones, nzones * stride, err);

    if (st != STOA_OK)
        return st;
    stoa_zone_compute_group(type, array, NULL, nzones, scratch, &column->all);
    for (size_t z = 0; z < nzones; z++)
        stoa_zone_pack(&scratch[z], false, column->zones.data + z * stride);
    return STOA_OK;
}

/* Distinct values within the bounds of a chunk's own dictionary, if a sample gives hope. */
static enum stoa_status collect_numbers(const struct stoa_rules *rules,
                                        struct stoa_group_column *column, struct stoa_error *err)
{
    uint32_t max_count;
    uint64_t max_nbytes;
    bool may_repeat;
    enum stoa_status st = stoa_chunk_plan_may_repeat(&column->values, &may_repeat, err);

    if (st != STOA_OK || !may_repeat)
        return st;
    stoa_sequencer_bounds(rules, 1, column->array.nvalues, &max_count, &max_nbytes);
    if (max_count > rules->local_max_count)
        max_count = rules->local_max_count;
    return stoa_chunk_distinct_init(&column->distinct, &column->values, max_count, max_nbytes, err);
}

static enum stoa_status collect_texts(const struct stoa_rules *rules, uint32_t ntexts,
                                      struct stoa_group_column *column, struct stoa_error *err)
{
    uint32_t max_count;
    uint64_t max_nbytes;

    stoa_sequencer_bounds(rules, ntexts, column->array.nvalues, &max_count, &max_nbytes);
    return stoa_chunk_distinct_init(&column->distinct, &column->values, max_count, max_nbytes, err);
}

static enum stoa_status prepare_column(struct stoa_encoder *encoder, const struct stoa_rules *rules,
                                       const struct stoa_type *type, uint32_t ntexts,
                                       bool is_chooser, struct stoa_group_column *column,
                                       struct stoa_error *err)
{
    bool is_text = stoa_type_shares_dictionary(type);
    enum stoa_status st;

    STOA_TRY(stoa_chunk_values_init(&column->values, type, &column->array, err));
    if (column->values.all_null)
        return STOA_OK;
    if (is_text)
        STOA_TRY(collect_texts(rules, ntexts, column, err));
    else if (is_chooser)
        STOA_TRY(collect_numbers(rules, column, err));
    if (is_chooser)
        STOA_TRY(stoa_chunk_plan_choose(encoder, rules, &column->values, &column->distinct, is_text,
                                        &column->chosen, err));
out:
    return st;
}

enum stoa_status stoa_row_group_prepare(struct stoa_encoder *encoder,
                                        const struct stoa_rules *rules,
                                        const struct stoa_schema *schema, uint64_t ordinal,
                                        struct stoa_batch *batch, struct stoa_writer_group **out,
                                        struct stoa_error *err)
{
    const struct stoa_field *fields = schema->fields;
    struct stoa_writer_group *group = NULL;
    struct stoa_zone *scratch = NULL;
    uint32_t ntexts = 0;
    size_t huge = stoa_row_group_first_huge(rules, schema, batch->columns, 0, batch->nrows);
    enum stoa_status st;

    if (huge < batch->nrows && batch->nrows > 1)
        return stoa_fail(err, STOA_ERR_LIMIT,
                         "row %zu of %zu has a value of about %" PRIu64
                         " bytes or more: such a row must be a row group of its own",
                         huge + 1, batch->nrows, rules->page_max_nbytes);
    STOA_TRY(stoa_alloc_zeroed(&scratch, stoa_zone_count(batch->nrows), sizeof(*scratch), err));
    STOA_TRY(stoa_alloc_zeroed(
        &group, 1, sizeof(*group) + (size_t)batch->ncolumns * sizeof(group->columns[0]), err));
    group->ordinal = ordinal;
    group->nrows = (uint32_t)batch->nrows;
    group->ncolumns = batch->ncolumns;
    group->is_chooser = ordinal % rules->chooser_period == 0;
    for (uint32_t i = 0; i < batch->ncolumns; i++)
        ntexts += stoa_type_shares_dictionary(&fields[i].type);

    for (uint32_t i = 0; i < batch->ncolumns; i++) {
        struct stoa_group_column *column = &group->columns[i];

        column->array = batch->columns[i]; /* lent until all is well */
        st = compute_zones(&fields[i].type, &column->array, scratch, column, err);
        if (st == STOA_OK)
            st = prepare_column(encoder, rules, &fields[i].type, ntexts, group->is_chooser, column,
                                err);
        if (st != STOA_OK) {
            wrap_column(&fields[i], st, err);
            goto out;
        }
    }
    for (uint32_t i = 0; i < batch->ncolumns; i++)
        batch->columns[i] = (struct stoa_array){0};
    *out = group;
    group = NULL;
out:
    for (uint32_t i = 0; group != NULL && i < group->ncolumns; i++)
        group->columns[i].array = (struct stoa_array){0};
    stoa_writer_group_free(group);
    stoa_free(scratch);
    return st;
}

/* ---- Settle ---- */

enum stoa_status stoa_row_group_settle(struct stoa_sequencer *sequencer,
                                       struct stoa_writer_group *group, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 0; i < group->ncolumns; i++) {
        struct stoa_group_column *column = &group->columns[i];

        STOA_TRY(stoa_sequencer_settle(sequencer, i, &column->distinct,
                                       group->is_chooser ? &column->chosen : NULL, group->nrows,
                                       &column->sequenced, err));
    }
out:
    return st;
}

/* ---- Encode ---- */

/* One way to write a chunk, and what it is expected to take. */
struct attempt {
    struct stoa_chunk_input input;
    struct stoa_plan entries_plan;
    uint64_t expected_nbytes;
    uint32_t *codes;
    struct stoa_values entries; /* sorted; SHARED: owned by `sequenced` */
};

static void attempt_reset(struct attempt *attempt)
{
    stoa_free(attempt->codes);
    stoa_values_reset(&attempt->entries);
}

static void attempt_init(struct attempt *attempt, const struct stoa_group_column *column)
{
    *attempt = (struct attempt){
        .input = {.values = column->values.physical.vector,
                  .phys = column->values.phys,
                  .validity = column->array.nnulls > 0 ? column->array.validity : NULL,
                  .nnulls = (uint32_t)column->array.nnulls},
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

/* The codes of all slots through a table from the codes of distinct values. */
static enum stoa_status map_codes(struct attempt *attempt, const struct stoa_group_column *column,
                                  const uint32_t *map, struct stoa_error *err)
{
    size_t nvalues = column->array.nvalues;
    const uint32_t *from = column->distinct.codes;
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

static enum stoa_status plan_shared(struct stoa_encoder *encoder, struct attempt *attempt,
                                    const struct stoa_group_column *column, struct stoa_error *err)
{
    const struct stoa_sequenced *sequenced = &column->sequenced;
    enum stoa_status st;

    STOA_TRY(map_codes(attempt, column, sequenced->codes, err));
    attempt_plan(attempt, &sequenced->plan, &sequenced->plan.codes);
    STOA_TRY(add_entries(encoder, attempt, &sequenced->extension.vector, err));
out:
    return st;
}

/* A dictionary of the chunk: its distinct values in their order. */
static enum stoa_status plan_local(struct stoa_encoder *encoder, struct attempt *attempt,
                                   const struct stoa_chunk_plan *plan,
                                   const struct stoa_group_column *column, struct stoa_error *err)
{
    struct stoa_vector values = stoa_distinct_values(column->distinct.set);
    uint32_t *order = NULL, *rank = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc(&order, values.nvalues * sizeof(order[0]), err));
    STOA_TRY(stoa_alloc(&rank, values.nvalues * sizeof(rank[0]), err));
    STOA_TRY(stoa_distinct_order(column->distinct.set, order, err));
    for (uint32_t i = 0; i < values.nvalues; i++)
        rank[order[i]] = i;
    STOA_TRY(stoa_values_take(&attempt->entries, &values, order, (uint32_t)values.nvalues, err));
    STOA_TRY(map_codes(attempt, column, rank, err));
    attempt_plan(attempt, plan, &plan->codes);
    STOA_TRY(add_entries(encoder, attempt, &attempt->entries.vector, err));
out:
    stoa_free(order);
    stoa_free(rank);
    return st;
}

/* PLAIN, or LOCAL where the distinct values are few enough. `plan` outlives the attempt. */
static enum stoa_status plan_alone(struct stoa_encoder *encoder, const struct stoa_rules *rules,
                                   struct attempt *attempt, const struct stoa_chunk_plan *plan,
                                   enum stoa_chunk_mode mode, struct stoa_group_column *column,
                                   struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    if (mode == STOA_CHUNK_LOCAL && column->distinct.set == NULL &&
        column->values.phys != STOA_PHYS_BYTES)
        st = collect_numbers(rules, column, err);
    if (st != STOA_OK)
        return st;
    if (mode == STOA_CHUNK_LOCAL && column->distinct.set != NULL)
        return plan_local(encoder, attempt, plan, column, err);
    attempt_plan(attempt, plan, &plan->plain);
    return STOA_OK;
}

/* A plan of the chunk's own, when there is none or it did not fit. */
static enum stoa_status plan_anew(struct stoa_encoder *encoder, const struct stoa_rules *rules,
                                  struct attempt *attempt, struct stoa_chunk_plan *plan,
                                  struct stoa_group_column *column, struct stoa_error *err)
{
    enum stoa_status st;

    if (column->distinct.set == NULL && column->values.phys != STOA_PHYS_BYTES)
        STOA_TRY(collect_numbers(rules, column, err));
    STOA_TRY(stoa_chunk_plan_choose(encoder, rules, &column->values, &column->distinct, false, plan,
                                    err));
    STOA_TRY(plan_alone(encoder, rules, attempt, plan, plan->mode, column, err));
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

/* Writes the attempt behind the body and keeps it only if it is smaller than what is there. */
static enum stoa_status write_if_smaller(struct stoa_encoder *encoder,
                                         const struct stoa_rules *rules,
                                         const struct stoa_chunk_input *input,
                                         struct stoa_buffer *body, size_t begin,
                                         struct stoa_rg_entry *entry, struct stoa_error *err)
{
    size_t end = body->nbytes;
    struct stoa_rg_entry second;
    enum stoa_status st = stoa_chunk_write(encoder, rules, input, body, &second, err);

    if (st != STOA_OK)
        return st;
    if (second.nbytes < entry->nbytes) {
        memmove(body->data + begin, body->data + end, second.nbytes);
        end = begin + second.nbytes;
        *entry = second;
    }
    body->nbytes = end;
    return STOA_OK;
}

/* Writes a chunk as the sequencer settled it, or as its own values ask for. */
static enum stoa_status write_chunk(struct stoa_encoder *encoder, const struct stoa_rules *rules,
                                    bool is_chooser, struct stoa_group_column *column,
                                    struct stoa_buffer *body, struct stoa_rg_entry *entry,
                                    struct stoa_error *err)
{
    const struct stoa_sequenced *sequenced = &column->sequenced;
    bool shared = sequenced->mode == STOA_CHUNK_SHARED;
    bool planned =
        sequenced->mode != STOA_CHUNK_UNPLANNED && sequenced->plan.phys == column->values.phys;
    struct attempt attempt, second;
    struct stoa_chunk_plan plan;
    struct stoa_choice choice;
    size_t begin = body->nbytes;
    enum stoa_status st;

    attempt_init(&attempt, column);
    attempt_init(&second, column);
    if (shared)
        STOA_TRY(plan_shared(encoder, &attempt, column, err));
    else if (planned)
        STOA_TRY(
            plan_alone(encoder, rules, &attempt, &sequenced->plan, sequenced->mode, column, err));
    else
        STOA_TRY(plan_anew(encoder, rules, &attempt, &plan, column, err));
    STOA_TRY(stoa_chunk_write(encoder, rules, &attempt.input, body, entry, err));

    if (is_chooser || !planned || !is_too_large(rules, &attempt, entry))
        goto out;
    if (shared) {
        STOA_TRY(replan_shared(encoder, &attempt, &choice, err));
        STOA_TRY(write_if_smaller(encoder, rules, &attempt.input, body, begin, entry, err));
    } else {
        STOA_TRY(plan_anew(encoder, rules, &second, &plan, column, err));
        STOA_TRY(write_if_smaller(encoder, rules, &second.input, body, begin, entry, err));
    }
out:
    attempt_reset(&attempt);
    attempt_reset(&second);
    return st;
}

static enum stoa_status encode_column(struct stoa_encoder *encoder, const struct stoa_rules *rules,
                                      struct stoa_writer_group *group,
                                      struct stoa_group_column *column, struct stoa_error *err)
{
    struct stoa_buffer *body = &group->body;
    uint64_t offset;
    enum stoa_status st;

    if (column->values.all_null) {
        column->entry = stoa_chunk_all_null(column->values.phys, group->nrows);
        return STOA_OK;
    }
    STOA_TRY(stoa_buffer_append_zeros(body, stoa_round_up(body->nbytes, CHUNK_ALIGN) - body->nbytes,
                                      err));
    offset = STOA_OBJECT_NBYTES + body->nbytes;
    STOA_TRY(write_chunk(encoder, rules, group->is_chooser, column, body, &column->entry, err));
    column->entry.offset = offset;
    if (column->sequenced.mode == STOA_CHUNK_SHARED) {
        column->entry.flags |= STOA_CHUNK_SHARED_DICT;
        column->entry.dict_id = column->sequenced.dict_id;
    }
    if (column->sequenced.has_segment)
        STOA_TRY(stoa_segment_encode(encoder, &column->sequenced.segment, err));
out:
    return st;
}

enum stoa_status stoa_row_group_encode(struct stoa_encoder *encoder, const struct stoa_rules *rules,
                                       const struct stoa_schema *schema,
                                       struct stoa_writer_group *group, struct stoa_error *err)
{
    struct stoa_buffer *body = &group->body;
    enum stoa_status st;

    group->dir_nbytes = group->ncolumns * STOA_RG_ENTRY_NBYTES;
    STOA_TRY(stoa_buffer_append_zeros(body, group->dir_nbytes, err));
    for (uint32_t i = 0; i < group->ncolumns; i++) {
        struct stoa_group_column *column = &group->columns[i];

        st = encode_column(encoder, rules, group, column, err);
        if (st != STOA_OK) {
            wrap_column(&schema->fields[i], st, err);
            goto out;
        }
        stoa_rg_entry_pack(&column->entry, body->data + (size_t)i * STOA_RG_ENTRY_NBYTES);
        drop_values(column);
    }
    STOA_TRY(stoa_buffer_append_zeros(
        body, stoa_round_up(body->nbytes, STOA_OBJECT_NBYTES) - body->nbytes, err));
out:
    return st;
}
