/*
 * Row groups of a part in the form of the merged file.
 *
 *     part     header | directory | a | b | c |         header is written anew: rows in front
 *     output   header | directory | a | b'| c | d       b encoded anew, d missing: nulls alone
 *
 * The zone maps of a chunk that is copied are those of the part, in the form that its type in the
 * merged file asks for.
 */
#include "file/merge_part.h"
#include "file/encoder_pool.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "column/join.h"
#include "file/bases.h"
#include "file/bloom.h"
#include "file/chunk_write.h"
#include "file/phys.h"
#include "file/presence.h"
#include "stats/zonemap.h"

/* ---- What the parts share ---- */

enum stoa_status stoa_merger_init(struct stoa_merger *merger, const struct stoa_schema *schema,
                                  uint64_t memory_nbytes, struct stoa_error *err)
{
    struct stoa_merger made = {.schema = schema, .memory_nbytes = memory_nbytes};
    uint32_t column = 0;
    enum stoa_status st;

    STOA_TRY(stoa_schema_nodes(schema, &made.nodes, &made.nnodes, err));
    STOA_TRY(
        stoa_alloc(&made.columns, (schema->nfields + (size_t)1) * sizeof(made.columns[0]), err));
    for (uint32_t node = 0; node < made.nnodes; node += made.nodes[node].nnodes)
        made.columns[column++] = node;
    made.columns[column] = made.nnodes;
    stoa_encoder_pool_init(&made.encoders, &stoa_default_rules, true);
    *merger = made;
    made = (struct stoa_merger){0};
out:
    stoa_merger_reset(&made);
    return st;
}

void stoa_merger_reset(struct stoa_merger *merger)
{
    stoa_free(merger->nodes);
    stoa_free(merger->columns);
    stoa_encoder_pool_reset(&merger->encoders);
    stoa_buffer_free(&merger->window);
    *merger = (struct stoa_merger){0};
}

/* ---- A part ---- */

static enum stoa_status map_subtree(struct stoa_part *part, const struct stoa_schema_node *from,
                                    uint32_t from_node, uint32_t to_node, bool entries_of_map,
                                    struct stoa_error *err);

/*
 * The nodes of nto siblings from to_first on, which are map[i] of the nfrom siblings from
 * from_first on.
 */
static enum stoa_status map_siblings(struct stoa_part *part, const struct stoa_schema_node *from,
                                     uint32_t from_first, uint32_t nfrom, const uint32_t *map,
                                     uint32_t to_first, uint32_t nto, bool entries_of_map,
                                     struct stoa_error *err)
{
    uint32_t *places = NULL, at = from_first, node = to_first;
    enum stoa_status st;

    STOA_TRY(stoa_alloc(&places, nfrom * sizeof(places[0]), err));
    for (uint32_t k = 0; k < nfrom; k++) {
        places[k] = at;
        at += from[at].nnodes;
    }
    for (uint32_t i = 0; i < nto; i++) {
        if (map[i] != STOA_NONE32)
            STOA_TRY(map_subtree(part, from, places[map[i]], node, entries_of_map, err));
        node += part->merger->nodes[node].nnodes;
    }
out:
    stoa_free(places);
    return st;
}

static enum stoa_status map_subtree(struct stoa_part *part, const struct stoa_schema_node *from,
                                    uint32_t from_node, uint32_t to_node, bool entries_of_map,
                                    struct stoa_error *err)
{
    const struct stoa_field *field = from[from_node].field;
    const struct stoa_field *to = part->merger->nodes[to_node].field;
    uint32_t *map = NULL;
    enum stoa_status st;

    part->node_of[to_node] = from_node;
    if (field->nchildren == 0) /* no children, or nulls of no type for a nested column */
        return STOA_OK;
    STOA_TRY(stoa_alloc(&map, to->nchildren * sizeof(map[0]), err));
    STOA_TRY(stoa_children_match(field, to, entries_of_map, map, err));
    STOA_TRY(map_siblings(part, from, from_node + 1, field->nchildren, map, to_node + 1,
                          to->nchildren, to->type.id == STOA_MAP, err));
out:
    stoa_free(map);
    return st;
}

static enum stoa_status map_schema(struct stoa_part *part, struct stoa_error *err)
{
    const struct stoa_schema *to = part->merger->schema;
    struct stoa_schema_node *nodes = NULL;
    uint32_t nnodes;
    enum stoa_status st;

    STOA_TRY(stoa_schema_nodes(part->schema, &nodes, &nnodes, err));
    STOA_TRY(stoa_alloc(&part->column_of, to->nfields * sizeof(part->column_of[0]), err));
    STOA_TRY(stoa_alloc(&part->node_of, part->merger->nnodes * sizeof(part->node_of[0]), err));
    memset(part->node_of, 0xff, part->merger->nnodes * sizeof(part->node_of[0]));
    STOA_TRY(stoa_fields_match(part->schema->fields, part->schema->nfields, to->fields, to->nfields,
                               part->column_of, err));
    STOA_TRY(map_siblings(part, nodes, 0, part->schema->nfields, part->column_of, 0, to->nfields,
                          false, err));
out:
    stoa_free(nodes);
    return st;
}

/* Whether the stored values of a column, and all below it, can be read as the merged one's. */
static enum stoa_status can_copy(struct stoa_part *part, uint32_t column, bool *out,
                                 struct stoa_error *err)
{
    const struct stoa_merger *merger = part->merger;
    enum stoa_change change;
    enum stoa_status st = stoa_field_change(&part->schema->fields[part->column_of[column]],
                                            &merger->schema->fields[column], &change, err);

    if (st != STOA_OK)
        return st;
    if (change == STOA_CHANGE_CLASH) /* a type that no step of joining gives */
        return stoa_fail(err, STOA_ERR_DATA, "column %s has no equal values in the merged type",
                         merger->schema->fields[column].name);
    *out = change <= STOA_CHANGE_WIDEN;
    for (uint32_t node = merger->columns[column]; *out && node < merger->columns[column + 1];
         node++) {
        struct stoa_column *from;

        if (part->node_of[node] == STOA_NONE32)
            continue;
        st = stoa_footer_column(&part->reader->footer, part->node_of[node], &from, err);
        if (st != STOA_OK)
            return st;
        *out = from->field.type.id == STOA_NULL ||
               stoa_phys_widens(from->phys, stoa_type_phys(&merger->nodes[node].field->type, NULL));
    }
    return STOA_OK;
}

/* ---- Derived columns ---- */

/* The output's node of a base, or STOA_BASE_NONE; bases are columns. */
static uint32_t output_base(const struct stoa_part *part, uint32_t base)
{
    const struct stoa_merger *merger = part->merger;

    for (uint32_t i = 0; i < merger->schema->nfields; i++)
        if (part->node_of[merger->columns[i]] == base)
            return merger->columns[i];
    return STOA_BASE_NONE;
}

/* The bases of a chunk by their numbers in the output. */
static uint32_t output_bases(const struct stoa_part *part, uint32_t packed)
{
    uint32_t nodes[STOA_NBASES];

    stoa_bases_unpack(packed, nodes);
    for (unsigned k = 0; k < STOA_NBASES; k++)
        if (nodes[k] != STOA_BASE_NONE)
            nodes[k] = output_base(part, nodes[k]);
    return stoa_bases_pack(nodes);
}

/* Whether a base has the same values in the output, and a number that a chunk can name. */
static bool keeps_base(const struct stoa_part *part, uint32_t base)
{
    uint32_t node = base != STOA_BASE_NONE ? output_base(part, base) : 0;
    uint32_t column = 0;

    if (base == STOA_BASE_NONE)
        return true;
    while (node < STOA_BASE_NONE && part->merger->columns[column] < node)
        column++;
    return node < STOA_BASE_NONE && !part->encodes[column];
}

/* A column that is derived from one whose values take another form is encoded anew too. */
static enum stoa_status check_bases(struct stoa_part *part, uint32_t column, struct stoa_error *err)
{
    struct stoa_footer *footer = &part->reader->footer;
    const struct stoa_chunk *chunks;
    uint32_t known = STOA_NONE32, nodes[STOA_NBASES];
    enum stoa_status st;

    st = stoa_footer_chunks(footer, part->node_of[part->merger->columns[column]], &chunks, err);
    if (st != STOA_OK)
        return st;
    for (uint32_t group = 0; group < footer->ngroups; group++) {
        if (!(chunks[group].flags & STOA_CHUNK_DERIVED) || chunks[group].dict_index == known)
            continue;
        known = chunks[group].dict_index;
        stoa_bases_unpack(known, nodes);
        if (!keeps_base(part, nodes[0]) || !keeps_base(part, nodes[1]))
            part->encodes[column] = true;
    }
    return STOA_OK;
}

static enum stoa_status check_all_bases(struct stoa_part *part, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 0; i < part->merger->schema->nfields; i++)
        if (part->column_of[i] != STOA_NONE32 && !part->encodes[i])
            STOA_TRY(check_bases(part, i, err));
out:
    return st;
}

enum stoa_status stoa_part_init(struct stoa_part *part, struct stoa_merger *merger,
                                struct stoa_reader *reader, const bool *gives,
                                struct stoa_error *err)
{
    struct stoa_part made = {.merger = merger, .reader = reader, .gives = gives};
    uint32_t ncolumns = merger->schema->nfields;
    enum stoa_status st;

    STOA_TRY(stoa_reader_schema(reader, &made.schema, err));
    STOA_TRY(map_schema(&made, err));
    STOA_TRY(stoa_alloc_zeroed(&made.encodes, ncolumns, sizeof(made.encodes[0]), err));
    for (uint32_t i = 0; i < ncolumns; i++) {
        bool copies = true;

        if (made.column_of[i] != STOA_NONE32 && gives == NULL)
            STOA_TRY(can_copy(&made, i, &copies, err));
        made.encodes[i] = !copies;
    }
    if (gives == NULL)
        STOA_TRY(check_all_bases(&made, err));
    STOA_TRY(stoa_dictionaries_table(&reader->dictionaries, &reader->footer, &made.table, err));
    for (unsigned kind = 0; kind < STOA_NNOTES; kind++)
        STOA_TRY(
            stoa_footer_notes(&reader->footer, stoa_note_sections[kind], &made.notes[kind], err));
    STOA_TRY(stoa_alloc(&made.segments, made.table->nentries * sizeof(made.segments[0]), err));
    STOA_TRY(stoa_part_plan_segments(&made, err));
    *part = made;
    made = (struct stoa_part){0};
out:
    stoa_part_reset(&made);
    return st;
}

void stoa_part_reset(struct stoa_part *part)
{
    stoa_free(part->node_of);
    stoa_free(part->column_of);
    stoa_free(part->encodes);
    stoa_free(part->segments);
    stoa_free(part->given_segments);
    *part = (struct stoa_part){0};
}

/* ---- A row group ---- */

/* A node of the row group that is written. */
struct node {
    const struct stoa_chunk *copied; /* the chunk of the part, or NULL */
    const uint8_t *encoded;          /* the bytes of a chunk that was encoded anew, or NULL */
    struct stoa_buffer zones;
    struct stoa_zone all;
    struct stoa_chunk_note notes[STOA_NNOTES]; /* of a chunk that is copied */
};

struct group {
    struct stoa_part *part;
    uint32_t number; /* in the part */
    const struct stoa_row_group_entry *entry;
    struct node *nodes;
    struct stoa_new_chunk *chunks;
    struct stoa_writer_group **encoded; /* by column; NULL: is not */
    struct stoa_writer_group *given;    /* or NULL */
    uint32_t ngiven;                    /* nodes of it that have their place */
};

static void group_reset(struct group *group)
{
    const struct stoa_merger *merger = group->part->merger;

    for (uint32_t i = 0; group->nodes != NULL && i < merger->nnodes; i++) {
        stoa_buffer_free(&group->nodes[i].zones);
        for (unsigned kind = 0; kind < STOA_NNOTES; kind++)
            stoa_buffer_free(&group->nodes[i].notes[kind].bytes);
    }
    for (uint32_t i = 0; group->encoded != NULL && i < merger->schema->nfields; i++)
        stoa_writer_group_free(group->encoded[i]);
    stoa_free(group->nodes);
    stoa_free(group->chunks);
    stoa_free(group->encoded);
}

/* Rows of zone z. */
static uint64_t zone_nrows(const struct group *group, uint64_t zone)
{
    uint64_t rest = group->entry->nrows - zone * STOA_ZONE_NROWS;

    return rest < STOA_ZONE_NROWS ? rest : STOA_ZONE_NROWS;
}

/* A zone map of the part in the form of the output. */
static enum stoa_status convert_zone(const struct group *group, uint32_t node,
                                     enum stoa_zone_level level, uint64_t zone,
                                     struct stoa_zone *out, struct stoa_error *err)
{
    struct stoa_footer *footer = &group->part->reader->footer;
    uint32_t from = group->part->node_of[node];
    uint64_t nvalues = level == STOA_ZONE_OF_ROWS ? zone_nrows(group, zone) : group->entry->nrows;
    uint64_t entry = stoa_zone_entry(footer->ngroups, footer->nzones, level, group->number,
                                     group->entry->first_zone + zone);
    struct stoa_column *info;
    const uint8_t *stats;
    enum stoa_status st;

    STOA_TRY(stoa_footer_column(footer, from, &info, err));
    STOA_TRY(stoa_footer_stats(footer, from, &stats, err));
    if (info->place.below_list) /* the most that there may be: the entry tells how many */
        nvalues = STOA_CHUNK_MAX_NVALUES;
    st = stoa_zone_unpack(&info->field.type, info->place.below_list,
                          stats + entry * info->entry.stats_stride, nvalues, out, err);
    if (st != STOA_OK)
        return stoa_wrap(err, st, "statistics: entry %" PRIu64, entry);
    stoa_zone_widen(out, &group->part->merger->nodes[node].field->type);
out:
    return st;
}

/* Sets the zone maps of a node; `zone_of` makes one. */
static enum stoa_status
set_zones(struct group *group, uint32_t number,
          enum stoa_status (*zone_of)(const struct group *group, uint32_t node,
                                      enum stoa_zone_level level, uint64_t zone,
                                      struct stoa_zone *out, struct stoa_error *err),
          struct stoa_error *err)
{
    const struct stoa_schema_node *to = &group->part->merger->nodes[number];
    size_t stride = stoa_zone_stride(&to->field->type, to->below_list);
    uint64_t nzones = stoa_zone_count(group->entry->nrows);
    struct node *node = &group->nodes[number];
    enum stoa_status st;

    STOA_TRY(stoa_buffer_resize(&node->zones, (size_t)nzones * stride, err));
    for (uint64_t z = 0; z < nzones; z++) {
        struct stoa_zone zone;

        STOA_TRY(zone_of(group, number, STOA_ZONE_OF_ROWS, z, &zone, err));
        stoa_zone_pack(&zone, to->below_list, node->zones.data + z * stride);
    }
    STOA_TRY(zone_of(group, number, STOA_ZONE_OF_ROW_GROUP, 0, &node->all, err));
    group->chunks[number].zones = &node->zones;
    group->chunks[number].all = &node->all;
out:
    return st;
}

/* Values of a missing node where its parent has so many: as its sibling has, lists have none. */
static uint64_t missing_nvalues(const struct group *group, uint32_t node, uint64_t parent_nvalues)
{
    const struct stoa_schema_node *nodes = group->part->merger->nodes;
    const struct stoa_type *parent = &nodes[nodes[node].parent].field->type;

    if (stoa_type_has_lengths(parent->id))
        return 0;
    return parent->id == STOA_FIXED_LIST ? parent_nvalues * parent->width : parent_nvalues;
}

/* Values of a node, whose zone maps are set unless it is missing, in zone z. */
static uint64_t zone_nvalues(const struct group *group, uint32_t node, uint64_t zone)
{
    const struct stoa_schema_node *to = &group->part->merger->nodes[node];
    size_t stride = stoa_zone_stride(&to->field->type, to->below_list);
    const struct stoa_buffer *zones = &group->nodes[node].zones;

    if (!to->below_list)
        return zone_nrows(group, zone);
    return stoa_load64(zones->data + (zone + 1) * stride - sizeof(uint64_t));
}

/* Nulls alone, of a node that the part does not have; its parent comes first. */
static enum stoa_status null_zone(const struct group *group, uint32_t node,
                                  enum stoa_zone_level level, uint64_t zone, struct stoa_zone *out,
                                  struct stoa_error *err)
{
    const struct stoa_schema_node *to = &group->part->merger->nodes[node];

    (void)err;
    *out = stoa_zone_empty(&to->field->type);
    if (!to->below_list)
        out->nvalues = level == STOA_ZONE_OF_ROWS ? zone_nrows(group, zone) : group->entry->nrows;
    else if (level == STOA_ZONE_OF_ROWS)
        out->nvalues = missing_nvalues(group, node, zone_nvalues(group, to->parent, zone));
    else
        out->nvalues = group->chunks[node].entry.nvalues;
    out->nnulls = out->nvalues;
    return STOA_OK;
}

static enum stoa_status plan_missing(struct group *group, uint32_t node, struct stoa_error *err)
{
    const struct stoa_schema_node *to = &group->part->merger->nodes[node];
    enum stoa_phys phys = stoa_type_phys(&to->field->type, NULL);
    uint64_t nvalues = group->entry->nrows;

    if (to->below_list)
        nvalues = missing_nvalues(group, node, group->chunks[to->parent].entry.nvalues);
    if (nvalues > STOA_CHUNK_MAX_NVALUES)
        return stoa_fail(err, STOA_ERR_LIMIT, "%" PRIu64 " values of fixed lists in one row group",
                         nvalues);
    group->chunks[node] = (struct stoa_new_chunk){
        .entry = stoa_chunk_without_pages(phys, (uint32_t)nvalues, (uint32_t)nvalues),
        .dict_index = STOA_NONE32,
    };
    return set_zones(group, node, null_zone, err);
}

/*
 * Presence bitmaps of a chunk are of codes, and those stay what they are as long as the chain does,
 * which the chunk goes on naming by its id.
 */
static enum stoa_status read_presence(struct stoa_open_chunk *in, const struct stoa_note *note,
                                      uint8_t **bytes, struct stoa_error *err)
{
    struct stoa_presence presence;
    enum stoa_status st;

    STOA_TRY(stoa_presence_check(in, note, err));
    STOA_TRY(stoa_presence_read(in, note, &presence, err));
    *bytes = presence.bits;
out:
    return st;
}

/* A Bloom filter has hashes of values that do not change when their type gets wider. */
static enum stoa_status read_bloom(struct stoa_open_chunk *in, const struct stoa_note *note,
                                   uint8_t **bytes, struct stoa_error *err)
{
    enum stoa_status st = stoa_bloom_check(in, note, err);

    return st == STOA_OK ? stoa_bloom_read(in, note, bytes, err) : st;
}

/* What is said of a chunk is said of its copy. */
static enum stoa_status copy_note(struct group *group, uint32_t node, enum stoa_note_kind kind,
                                  struct stoa_error *err)
{
    static enum stoa_status (*const reads[])(struct stoa_open_chunk *, const struct stoa_note *,
                                             uint8_t **, struct stoa_error *) = {
        [STOA_NOTE_BLOOM] = read_bloom,
        [STOA_NOTE_PRESENCE] = read_presence,
    };
    struct stoa_part *part = group->part;
    struct stoa_reader *reader = part->reader;
    struct stoa_budget budget = {reader->footer.memory_nbytes, reader->footer.memory_nbytes};
    const struct stoa_note *note =
        stoa_notes_find(part->notes[kind], part->node_of[node], group->number);
    struct stoa_chunk_note *copy = &group->nodes[node].notes[kind];
    struct stoa_open_chunk in;
    uint8_t *bytes;
    enum stoa_status st;

    if (note == NULL)
        return STOA_OK;
    STOA_TRY(stoa_open_chunk_find(&in, reader, group->number, part->node_of[node], &budget, err));
    st = reads[kind](&in, note, &bytes, err);
    stoa_open_chunk_reset(&in);
    if (st != STOA_OK)
        return stoa_footer_wrap(&reader->footer, in.node, st, err);
    copy->bytes = (struct stoa_buffer){bytes, note->entry.nbytes, note->entry.nbytes};
    copy->count = note->entry.count;
    group->chunks[node].notes = group->nodes[node].notes;
out:
    return st;
}

static enum stoa_status plan_copy(struct group *group, uint32_t node, struct stoa_error *err)
{
    struct stoa_part *part = group->part;
    const struct stoa_type *type = &part->merger->nodes[node].field->type;
    struct stoa_new_chunk *out = &group->chunks[node];
    const struct stoa_chunk *chunks, *chunk;
    uint32_t nvalues;
    enum stoa_status st;

    STOA_TRY(stoa_footer_chunks(&part->reader->footer, part->node_of[node], &chunks, err));
    STOA_TRY(stoa_footer_nvalues(&part->reader->footer, part->node_of[node], group->number,
                                 &nvalues, err));
    chunk = &chunks[group->number];
    if (chunk->nbytes == 0 && stoa_chunk_npages(chunk->flags, chunk->page_shift, nvalues) > 0)
        return stoa_fail(err, STOA_ERR_CORRUPT, "a chunk of pages without bytes");
    *out = (struct stoa_new_chunk){
        .entry =
            {
                .nbytes = chunk->nbytes,
                .nvalues = nvalues,
                .nnulls = chunk->nnulls,
                .page_shift = chunk->page_shift,
                .phys = chunk->phys,
                .encoding = chunk->encoding,
                .flags = chunk->flags,
                .hash = chunk->hash,
            },
        .dict_index = STOA_NONE32,
    };
    if (chunk->phys == STOA_PHYS_NONE)
        out->entry.phys = (uint8_t)stoa_type_phys(type, NULL);
    if (chunk->flags & STOA_CHUNK_SHARED_DICT) {
        STOA_TRY(stoa_part_copy_segment(part, chunk->dict_index, err));
        out->dict_index = part->segments[chunk->dict_index].index;
        out->entry.dict_id = part->table->entries[chunk->dict_index].id;
    }
    for (unsigned kind = 0; kind < STOA_NNOTES; kind++)
        STOA_TRY(copy_note(group, node, (enum stoa_note_kind)kind, err));
    if (chunk->flags & STOA_CHUNK_DERIVED)
        out->entry.dict_id = output_bases(part, chunk->dict_index);
    if (chunk->nbytes > 0)
        group->nodes[node].copied = chunk;
    part->merger->nchunks_copied++;
    STOA_TRY(set_zones(group, node, convert_zone, err));
out:
    return st;
}

/* A chunk that was encoded anew, as node number `node`. */
static void use_encoded(struct group *group, uint32_t node, const struct stoa_group_node *chunk,
                        uint32_t dict_index)
{
    group->chunks[node] = (struct stoa_new_chunk){
        .entry = chunk->entry,
        .dict_index = dict_index,
        .zones = &chunk->zones,
        .all = &chunk->all,
        .notes = chunk->notes,
    };
    if (chunk->entry.nbytes > 0)
        group->nodes[node].encoded = chunk->chunk.data;
    group->part->merger->nchunks_encoded++;
}

static enum stoa_status plan_encoded(struct group *group, uint32_t column, struct stoa_error *err)
{
    struct stoa_merger *merger = group->part->merger;
    uint32_t first = merger->columns[column];
    struct stoa_writer_group *made;
    enum stoa_status st = stoa_part_encode(group->part, group->number, column, &made, err);

    if (st != STOA_OK)
        return st;
    group->encoded[column] = made;
    for (uint32_t i = 0; i < merger->columns[column + 1] - first; i++)
        use_encoded(group, first + i, &made->nodes[i], STOA_NONE32);
    return STOA_OK;
}

static enum stoa_status plan_given(struct group *group, uint32_t column, struct stoa_error *err)
{
    const uint32_t *columns = group->part->merger->columns;
    enum stoa_status st = STOA_OK;

    while (stoa_group_number(group->given, group->ngiven) < columns[column])
        group->ngiven++; /* nodes that were only read */
    for (uint32_t node = columns[column]; node < columns[column + 1]; node++) {
        struct stoa_group_node *chunk = &group->given->nodes[group->ngiven++];
        uint32_t dict_index = STOA_NONE32;

        if (chunk->sequenced.has_segment)
            STOA_TRY(stoa_part_give_segment(group->part, &chunk->sequenced.segment, err));
        if (chunk->entry.flags & STOA_CHUNK_SHARED_DICT)
            dict_index = group->part->given_segments[chunk->sequenced.dict_index];
        use_encoded(group, node, chunk, dict_index);
    }
out:
    return st;
}

static enum stoa_status plan_column(struct group *group, uint32_t column, struct stoa_error *err)
{
    struct stoa_part *part = group->part;
    const struct stoa_merger *merger = part->merger;
    enum stoa_status st = STOA_OK;

    if (part->gives != NULL && part->gives[column])
        return plan_given(group, column, err);
    if (part->encodes[column])
        return plan_encoded(group, column, err);
    for (uint32_t node = merger->columns[column]; node < merger->columns[column + 1]; node++) {
        if (part->node_of[node] == STOA_NONE32)
            st = plan_missing(group, node, err);
        else
            st = plan_copy(group, node, err);
        if (st != STOA_OK)
            return stoa_wrap(err, st, "row group %" PRIu32, group->number);
    }
    return st;
}

/*
 * The end of the nodes from `first` on whose chunks follow each other in the part as they do in the
 * output; *end is that of their bytes in the part.
 */
static uint32_t find_run(const struct group *group, uint32_t first, uint64_t *end)
{
    uint32_t last = first, node = first + 1;

    for (; node < group->part->merger->nnodes; node++) {
        const struct stoa_chunk *chunk = group->nodes[node].copied;

        if (chunk == NULL && group->chunks[node].entry.nbytes == 0)
            continue;
        if (chunk == NULL ||
            chunk->offset - group->nodes[first].copied->offset !=
                group->chunks[node].entry.offset - group->chunks[first].entry.offset)
            break;
        last = node;
    }
    *end = group->nodes[last].copied->offset + group->nodes[last].copied->nbytes;
    return last + 1;
}

/* Copies the chunks of nodes [first, end), a run. */
static enum stoa_status copy_run(struct group *group, uint32_t first, uint32_t end,
                                 uint64_t end_off, struct stoa_error *err)
{
    uint64_t at = group->nodes[first].copied->offset;
    struct stoa_part_run run;
    enum stoa_status st;

    STOA_TRY(stoa_assembler_begin_chunk(group->part->merger->file, first, err));
    STOA_TRY(stoa_part_run_begin(&run, group->part, at, end_off, err));
    for (uint32_t node = first; node < end; node++) {
        const struct stoa_chunk *chunk = group->nodes[node].copied;
        const struct stoa_chunk_shape shape = {
            .type = (uint8_t)group->part->merger->nodes[node].field->type.id,
            .nvalues = group->chunks[node].entry.nvalues,
            .nrows = group->entry->nrows,
        };

        if (chunk == NULL)
            continue;
        st = stoa_part_run_zeros(&run, at, chunk->offset, err);
        if (st == STOA_OK)
            st = stoa_part_run_chunk(&run, chunk, &shape, err);
        if (st != STOA_OK)
            return stoa_reader_wrap(group->part->reader, group->number, group->part->node_of[node],
                                    st, err);
        at = chunk->offset + chunk->nbytes;
    }
out:
    return st;
}

static enum stoa_status write_chunks(struct group *group, struct stoa_error *err)
{
    struct stoa_merger *merger = group->part->merger;
    uint32_t next;
    enum stoa_status st = STOA_OK;

    for (uint32_t node = 0; node < merger->nnodes; node = next) {
        const struct node *from = &group->nodes[node];
        uint64_t end_off;

        next = node + 1;
        if (from->copied != NULL) {
            next = find_run(group, node, &end_off);
            STOA_TRY(copy_run(group, node, next, end_off, err));
        } else if (from->encoded != NULL) {
            STOA_TRY(stoa_assembler_begin_chunk(merger->file, node, err));
            STOA_TRY(stoa_assembler_write(merger->file, from->encoded,
                                          group->chunks[node].entry.nbytes, err));
        }
    }
out:
    return st;
}

enum stoa_status stoa_part_copy_group(struct stoa_part *part, uint32_t number,
                                      struct stoa_writer_group *given, struct stoa_error *err)
{
    struct stoa_merger *merger = part->merger;
    struct group group = {.part = part,
                          .number = number,
                          .entry = &part->reader->footer.groups[number],
                          .given = given};
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&group.nodes, merger->nnodes, sizeof(group.nodes[0]), err));
    STOA_TRY(stoa_alloc_zeroed(&group.chunks, merger->nnodes, sizeof(group.chunks[0]), err));
    STOA_TRY(
        stoa_alloc_zeroed(&group.encoded, merger->schema->nfields, sizeof(group.encoded[0]), err));
    for (uint32_t column = 0; column < merger->schema->nfields; column++)
        STOA_TRY(plan_column(&group, column, err));
    STOA_TRY(stoa_assembler_begin_group(merger->file, group.entry->nrows, group.chunks, err));
    STOA_TRY(write_chunks(&group, err));
    STOA_TRY(stoa_assembler_end_group(merger->file, err));
out:
    group_reset(&group);
    return st;
}
