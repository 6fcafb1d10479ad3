/*
 * Putting the footer together (spec/format.md, section 10).
 *
 *     header | chunks | statistics | Bloom filters | presence | side tables | sources |
 * dictionaries | row groups | columns | names | pool | metadata | order | zeros | section table |
 * trailer
 *
 * The large sections come first, so that what every reader wants lies in the last 64 KiB, which it
 * reads at once. The section table is in the order of types all the same.
 */
#include "file/footer_write.h"

#include <inttypes.h>
#include <string.h>

#include "base/bits.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "codec/compress_zstd.h"
#include "column/schema.h"
#include "file/footer_stream.h"
#include "file/notes_read.h"
#include "file/row_order.h"
#include "stats/zonemap.h"

enum { MIN_NAMES = 2, PACK_LEVEL = 5 };

/* Source text is collected beside the nodes, under the number behind the last of them. */
#define SIDE_PART    STOA_FOOTER_CHUNKS
#define SOURCES_PART STOA_FOOTER_ZONES

#define ENTRIES_PART(kind) ((enum stoa_footer_part)(STOA_FOOTER_NOTES + 2 * (kind)))
#define NOTES_PART(kind)   ((enum stoa_footer_part)(STOA_FOOTER_NOTES + 2 * (kind) + 1))

enum stoa_status stoa_footer_writer_init(struct stoa_footer_writer *footer,
                                         const struct stoa_schema *schema,
                                         const struct stoa_rules *rules, struct stoa_error *err)
{
    struct stoa_footer_writer made = {.schema = schema, .rules = rules};
    struct stoa_schema_node *nodes = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_schema_nodes(schema, &nodes, &made.nnodes, err));
    STOA_TRY(stoa_alloc_zeroed(&made.nodes, made.nnodes, sizeof(made.nodes[0]), err));
    STOA_TRY(stoa_footer_data_init(&made.data, made.nnodes + 1, rules->footer_max_nbytes, err));
    for (uint32_t i = 0; i < made.nnodes; i++) {
        const struct stoa_type *type = &nodes[i].field->type;

        made.nodes[i].below_list = nodes[i].below_list;
        made.nodes[i].stride = stoa_zone_stride(type, nodes[i].below_list);
        made.nodes[i].file = stoa_zone_empty(type);
    }
    *footer = made;
    made = (struct stoa_footer_writer){0};
out:
    stoa_footer_writer_reset(&made);
    stoa_free(nodes);
    return st;
}

uint64_t stoa_footer_writer_memory(const struct stoa_footer_writer *footer)
{
    return footer->nsegments * sizeof(footer->segments[0]) + footer->groups.capacity +
           stoa_footer_data_memory(&footer->data) + stoa_sources_memory(&footer->sources);
}

void stoa_footer_writer_reset(struct stoa_footer_writer *footer)
{
    stoa_footer_data_reset(&footer->data);
    stoa_free(footer->nodes);
    stoa_free(footer->segments);
    stoa_buffer_free(&footer->groups);
    stoa_sources_reset(&footer->sources);
    *footer = (struct stoa_footer_writer){0};
}

enum stoa_status stoa_footer_add_chunk(struct stoa_footer_writer *footer, uint32_t node_number,
                                       uint64_t object_off, const struct stoa_rg_entry *entry,
                                       uint32_t dict_index, const struct stoa_buffer *zones,
                                       const struct stoa_zone *all, struct stoa_error *err)
{
    struct stoa_footer_node *node = &footer->nodes[node_number];
    struct stoa_chunk chunk = {
        .offset = entry->flags & STOA_CHUNK_NO_PAGES ? 0 : object_off + entry->offset,
        .nbytes = entry->nbytes,
        .nnulls = entry->nnulls,
        .hash = entry->hash,
        .dict_index = entry->flags & STOA_CHUNK_DERIVED ? (uint32_t)entry->dict_id : dict_index,
        .page_shift = entry->page_shift,
        .phys = entry->phys,
        .encoding = entry->encoding,
        .flags = entry->flags,
    };
    uint8_t packed[STOA_CHUNK_NBYTES], zone[STOA_ZONE_ENTRY_MAX_NBYTES];
    enum stoa_status st;

    stoa_chunk_pack(&chunk, packed);
    stoa_zone_pack(all, node->below_list, zone);
    STOA_TRY(stoa_footer_data_add(&footer->data, node_number, STOA_FOOTER_CHUNKS, packed,
                                  sizeof(packed), err));
    STOA_TRY(stoa_footer_data_add(&footer->data, node_number, STOA_FOOTER_GROUPS, zone,
                                  node->stride, err));
    STOA_TRY(stoa_footer_data_add(&footer->data, node_number, STOA_FOOTER_ZONES, zones->data,
                                  zones->nbytes, err));
    stoa_zone_merge(&node->file, all);
out:
    return st;
}

enum stoa_status stoa_footer_add_group(struct stoa_footer_writer *footer, uint64_t object_off,
                                       uint64_t header_hash, uint32_t nrows, struct stoa_error *err)
{
    struct stoa_row_group_entry entry = {
        .offset = object_off,
        .header_hash = header_hash,
        .first_row = footer->nrows,
        .first_zone = footer->nzones,
        .nrows = nrows,
    };
    uint8_t packed[STOA_ROW_GROUP_NBYTES_ENTRY];
    enum stoa_status st;

    stoa_row_group_entry_pack(&entry, packed);
    st = stoa_buffer_append(&footer->groups, packed, sizeof(packed), err);
    if (st != STOA_OK)
        return st;
    footer->nrows += nrows;
    footer->nzones += stoa_zone_count(nrows);
    footer->ngroups++;
    return stoa_footer_data_relieve(&footer->data, err);
}

enum stoa_status stoa_footer_add_segment(struct stoa_footer_writer *footer,
                                         const struct stoa_dictdir_entry *segment,
                                         struct stoa_error *err)
{
    enum stoa_status st = stoa_reserve(&footer->segments, &footer->segments_capacity,
                                       footer->nsegments + 1, sizeof(footer->segments[0]), err);

    if (st == STOA_OK)
        footer->segments[footer->nsegments++] = *segment;
    return st;
}

enum stoa_status stoa_footer_add_side(struct stoa_footer_writer *footer, uint64_t object_off,
                                      uint64_t header_hash, struct stoa_error *err)
{
    struct stoa_sidedir_entry entry = {object_off, header_hash, footer->ngroups - 1};
    uint8_t packed[STOA_SIDEDIR_NBYTES];
    enum stoa_status st;

    stoa_sidedir_entry_pack(&entry, packed);
    st =
        stoa_footer_data_add(&footer->data, footer->nnodes, SIDE_PART, packed, sizeof(packed), err);
    if (st == STOA_OK)
        footer->nsides++;
    return st;
}

static enum stoa_status flush_sources(struct stoa_footer_writer *footer, struct stoa_error *err)
{
    struct stoa_buffer block = {0};
    enum stoa_status st;

    STOA_TRY(stoa_sources_flush(&footer->sources, &block, err));
    STOA_TRY(stoa_footer_data_add(&footer->data, footer->nnodes, SOURCES_PART, block.data,
                                  block.nbytes, err));
    footer->sources_nbytes += block.nbytes;
    STOA_TRY(stoa_footer_data_relieve(&footer->data, err));
out:
    stoa_buffer_free(&block);
    return st;
}

enum stoa_status stoa_footer_add_source(struct stoa_footer_writer *footer,
                                        const struct stoa_source_info *info, struct stoa_error *err)
{
    bool full;
    enum stoa_status st = stoa_sources_add(&footer->sources, info, &full, err);

    return st == STOA_OK && full ? flush_sources(footer, err) : st;
}

static enum stoa_status add_note(struct stoa_footer_writer *footer, uint32_t node,
                                 enum stoa_note_kind kind, const struct stoa_chunk_note *note,
                                 struct stoa_error *err)
{
    const struct stoa_note_entry entry = {
        .node = node,
        .group = footer->ngroups,
        .nbytes = (uint32_t)note->bytes.nbytes,
        .count = note->count,
    };
    uint8_t packed[STOA_NOTE_NBYTES];
    enum stoa_status st;

    stoa_note_entry_pack(&entry, packed);
    STOA_TRY(
        stoa_footer_data_add(&footer->data, node, ENTRIES_PART(kind), packed, sizeof(packed), err));
    STOA_TRY(stoa_footer_data_add(&footer->data, node, NOTES_PART(kind), note->bytes.data,
                                  note->bytes.nbytes, err));
    footer->notes[kind].count++;
    footer->notes[kind].nbytes += sizeof(packed) + note->bytes.nbytes;
out:
    return st;
}

enum stoa_status stoa_footer_add_notes(struct stoa_footer_writer *footer, uint32_t node,
                                       const struct stoa_chunk_note notes[STOA_NNOTES],
                                       struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (unsigned kind = 0; kind < STOA_NNOTES && st == STOA_OK; kind++)
        if (notes[kind].bytes.nbytes > 0)
            st = add_note(footer, node, (enum stoa_note_kind)kind, &notes[kind], err);
    /* Those of all nodes may be more than there shall be in memory. */
    return st == STOA_OK ? stoa_footer_data_relieve(&footer->data, err) : st;
}

/* ---- Putting together ---- */

struct builder {
    struct stoa_footer_writer *footer;
    uint64_t footer_off;
    struct stoa_column_entry *entries;                 /* one a node */
    struct stoa_section sections[STOA_SECTION_NTYPES]; /* by type; length 0: left out */
    struct stoa_footer_stream streams[STOA_FOOTER_NSTREAMS];
    struct stoa_buffer rest; /* all that is not by node */
    uint64_t rest_off;       /* of rest.data[0] in the file */
    struct stoa_trailer trailer;
};

typedef stoa_footer_visit visit_bytes;

static uint64_t offset_of_end(const struct builder *b)
{
    return b->rest_off + b->rest.nbytes;
}

/* ---- What there is by node: it may be more than memory. ---- */

static enum stoa_status each_chunk(struct stoa_footer_writer *footer, uint32_t node,
                                   visit_bytes *visit, void *context, struct stoa_error *err)
{
    return stoa_footer_data_each(&footer->data, node, STOA_FOOTER_CHUNKS, visit, context, err);
}

/* The zone maps of a node, levels that repeat the one above left out. */
static enum stoa_status each_zone(struct stoa_footer_writer *footer, uint32_t node,
                                  visit_bytes *visit, void *context, struct stoa_error *err)
{
    const struct stoa_footer_node *info = &footer->nodes[node];
    bool with_zones = footer->nzones > footer->ngroups;
    uint8_t zone[STOA_ZONE_ENTRY_MAX_NBYTES];
    enum stoa_status st;

    stoa_zone_pack(&info->file, info->below_list, zone);
    STOA_TRY(visit(context, zone, info->stride, err));
    if (footer->ngroups > 1)
        STOA_TRY(
            stoa_footer_data_each(&footer->data, node, STOA_FOOTER_GROUPS, visit, context, err));
    if (with_zones)
        STOA_TRY(
            stoa_footer_data_each(&footer->data, node, STOA_FOOTER_ZONES, visit, context, err));
out:
    return st;
}

static enum stoa_status update_hash(void *context, const void *bytes, size_t nbytes,
                                    struct stoa_error *err)
{
    (void)err;
    stoa_hash_stream_update(context, bytes, nbytes);
    return STOA_OK;
}

/* Places and hashes of chunk entries and zone maps: read here, and once more to be written. */
static enum stoa_status plan_by_node(struct builder *b, struct stoa_error *err)
{
    struct stoa_footer_writer *footer = b->footer;
    uint64_t nentries = stoa_zone_nentries(footer->ngroups, footer->nzones), offset = b->rest_off;
    struct stoa_section *chunks = &b->sections[STOA_SECTION_CHUNKS];
    struct stoa_section *stats = &b->sections[STOA_SECTION_STATISTICS];
    struct stoa_hash_stream *hash = NULL;
    enum stoa_status st;

    *chunks = (struct stoa_section){.offset = offset,
                                    .count = footer->ngroups * footer->nnodes,
                                    .nbytes = (uint64_t)footer->ngroups * footer->nnodes *
                                              STOA_CHUNK_NBYTES};
    *stats =
        (struct stoa_section){.offset = offset + chunks->nbytes, .count = (uint32_t)footer->nzones};
    if (chunks->nbytes / STOA_CHUNK_NBYTES > UINT32_MAX)
        return stoa_fail(err, STOA_ERR_LIMIT, "%" PRIu32 " row groups of %" PRIu32 " columns",
                         footer->ngroups, footer->nnodes);
    STOA_TRY(stoa_hash_stream_new(&hash, err));
    for (uint32_t i = 0; i < footer->nnodes; i++) {
        stoa_hash_stream_reset(hash);
        STOA_TRY(each_chunk(footer, i, update_hash, hash, err));
        b->entries[i].chunks_off = offset;
        b->entries[i].chunks_hash = stoa_hash_stream_digest(hash);
        offset += (uint64_t)footer->ngroups * STOA_CHUNK_NBYTES;
    }
    for (uint32_t i = 0; i < footer->nnodes; i++) {
        stoa_hash_stream_reset(hash);
        STOA_TRY(each_zone(footer, i, update_hash, hash, err));
        b->entries[i].stats_off = offset;
        b->entries[i].stats_hash = stoa_hash_stream_digest(hash);
        b->entries[i].stats_stride = footer->nodes[i].stride;
        offset += nentries * footer->nodes[i].stride;
    }
    stats->nbytes = offset - stats->offset;
    b->rest_off = offset;
    for (unsigned type = STOA_SECTION_CHUNKS; type <= STOA_SECTION_STATISTICS; type++) {
        b->sections[type].type = (uint8_t)type;
        b->sections[type].flags = STOA_SECTION_REQUIRED | STOA_SECTION_BY_COLUMN;
    }
out:
    stoa_hash_stream_free(hash);
    return st;
}

/* ---- Notes of chunks and source text: they may be more than memory too. ---- */

static enum stoa_status plan_streams(struct builder *b, struct stoa_error *err)
{
    struct stoa_footer_writer *footer = b->footer;
    enum stoa_status st;

    if (footer->sources.end_row > footer->nrows)
        return stoa_fail(err, STOA_ERR_USAGE,
                         "sources have rows up to %" PRIu64 ", the file has %" PRIu64,
                         footer->sources.end_row, footer->nrows);
    STOA_TRY(flush_sources(footer, err));
    for (unsigned kind = 0; kind < STOA_NNOTES; kind++)
        b->streams[kind] = (struct stoa_footer_stream){
            .type = stoa_note_sections[kind],
            .parts = {ENTRIES_PART(kind), NOTES_PART(kind)},
            .end_node = footer->nnodes,
            .nbytes = footer->notes[kind].nbytes,
            .count = footer->notes[kind].count,
        };
    b->streams[STOA_NNOTES] = (struct stoa_footer_stream){
        .type = STOA_SECTION_SIDES,
        .parts = {SIDE_PART, STOA_FOOTER_NPARTS},
        .first_node = footer->nnodes,
        .end_node = footer->nnodes + 1,
        .nbytes = (uint64_t)footer->nsides * STOA_SIDEDIR_NBYTES,
        .count = footer->nsides,
    };
    b->streams[STOA_NNOTES + 1] = (struct stoa_footer_stream){
        .type = STOA_SECTION_SOURCES,
        .parts = {SOURCES_PART, STOA_FOOTER_NPARTS},
        .first_node = footer->nnodes,
        .end_node = footer->nnodes + 1,
        .nbytes = footer->sources_nbytes,
        .count = footer->sources.nsources,
    };
    for (unsigned i = 0; i < STOA_FOOTER_NSTREAMS; i++)
        STOA_TRY(stoa_footer_stream_plan(&footer->data, &b->streams[i], &b->rest_off,
                                         &b->sections[b->streams[i].type], err));
out:
    return st;
}

/* ---- The rest. ---- */

static enum stoa_status pad_to(struct stoa_buffer *out, size_t unit, struct stoa_error *err)
{
    return stoa_buffer_append_zeros(out, stoa_round_up(out->nbytes, unit) - out->nbytes, err);
}

/* The hashes of the slices of `content`. */
static enum stoa_status append_slices(struct stoa_buffer *out, const struct stoa_buffer *content,
                                      struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (size_t at = 0; at < content->nbytes; at += STOA_SLICE_NBYTES) {
        size_t left = content->nbytes - at;
        size_t nbytes = left < STOA_SLICE_NBYTES ? left : STOA_SLICE_NBYTES;
        uint8_t hash[8];

        stoa_store64(hash, stoa_hash(content->data + at, nbytes));
        STOA_TRY(stoa_buffer_append(out, hash, sizeof(hash), err));
    }
out:
    return st;
}

/* Adds a section of `count` elements, sliced when it is long; none when there are no bytes. */
static enum stoa_status add_section(struct builder *b, enum stoa_section_type type, uint8_t flags,
                                    uint64_t count, const struct stoa_buffer *content,
                                    struct stoa_error *err)
{
    struct stoa_section *section = &b->sections[type];
    size_t begin, npadding;
    enum stoa_status st = STOA_OK;

    if (content->nbytes == 0)
        return STOA_OK;
    npadding = (size_t)(stoa_round_up(offset_of_end(b), STOA_SECTION_ALIGN) - offset_of_end(b));
    STOA_TRY(stoa_buffer_append_zeros(&b->rest, npadding, err));
    begin = b->rest.nbytes;
    *section = (struct stoa_section){
        .type = (uint8_t)type,
        .flags = flags,
        .count = (uint32_t)count,
        .offset = offset_of_end(b),
        .hash = stoa_hash(content->data, content->nbytes),
    };
    if (content->nbytes > STOA_SLICE_NBYTES) {
        section->flags |= STOA_SECTION_SLICED;
        STOA_TRY(append_slices(&b->rest, content, err));
        section->hash = stoa_hash(b->rest.data + begin, b->rest.nbytes - begin);
    }
    STOA_TRY(stoa_buffer_append(&b->rest, content->data, content->nbytes, err));
    section->nbytes = b->rest.nbytes - begin;
out:
    return st;
}

static enum stoa_status add_dictionaries(struct builder *b, struct stoa_error *err)
{
    const struct stoa_footer_writer *footer = b->footer;
    struct stoa_buffer content = {0};
    enum stoa_status st = STOA_OK;

    for (size_t i = 0; i < footer->nsegments; i++) {
        uint8_t packed[STOA_DICTDIR_NBYTES];

        stoa_dictdir_entry_pack(&footer->segments[i], packed);
        STOA_TRY(stoa_buffer_append(&content, packed, sizeof(packed), err));
    }
    STOA_TRY(add_section(b, STOA_SECTION_DICTIONARIES, STOA_SECTION_REQUIRED, footer->nsegments,
                         &content, err));
out:
    stoa_buffer_free(&content);
    return st;
}

static enum stoa_status add_columns(struct builder *b, struct stoa_error *err)
{
    uint32_t nnodes = b->footer->nnodes;
    struct stoa_buffer content = {0};
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 0; i < nnodes; i++) {
        uint8_t packed[STOA_COLUMN_NBYTES];

        stoa_column_entry_pack(&b->entries[i], packed);
        STOA_TRY(stoa_buffer_append(&content, packed, sizeof(packed), err));
    }
    STOA_TRY(add_section(b, STOA_SECTION_COLUMNS, STOA_SECTION_REQUIRED, nnodes, &content, err));
out:
    stoa_buffer_free(&content);
    return st;
}

/* The open-addressed table from names to the nodes of columns. */
static enum stoa_status add_names(struct builder *b, const struct stoa_schema *schema,
                                  const struct stoa_schema_bytes *bytes, struct stoa_error *err)
{
    struct stoa_buffer content = {0};
    uint64_t nslots = MIN_NAMES;
    uint32_t column = 0;
    enum stoa_status st = STOA_OK;

    if (schema->nfields == 0)
        return STOA_OK;
    while (nslots < (uint64_t)schema->nfields * 2)
        nslots *= 2;
    STOA_TRY(stoa_buffer_append_zeros(&content, nslots * 4, err));
    for (uint32_t i = 0; i < bytes->nnodes; i++) {
        const char *name;
        uint64_t slot;

        if (bytes->nodes[i].parent != STOA_NONE32)
            continue;
        name = schema->fields[column++].name;
        slot = stoa_hash(name, strlen(name)) & (nslots - 1);
        while (stoa_load32(content.data + 4 * slot) != 0)
            slot = (slot + 1) & (nslots - 1);
        stoa_store32(content.data + 4 * slot, i + 1);
    }
    STOA_TRY(add_section(b, STOA_SECTION_NAMES, STOA_SECTION_REQUIRED, nslots, &content, err));
out:
    stoa_buffer_free(&content);
    return st;
}

static enum stoa_status add_metadata(struct builder *b, const struct stoa_schema *schema,
                                     struct stoa_error *err)
{
    struct stoa_buffer content = {0};
    enum stoa_status st = STOA_OK;

    if (schema->metadata.npairs > 0)
        STOA_TRY(stoa_metadata_append(&schema->metadata, &content, err));
    STOA_TRY(add_section(b, STOA_SECTION_METADATA, 0, content.nbytes, &content, err));
out:
    stoa_buffer_free(&content);
    return st;
}

static enum stoa_status add_order(struct builder *b, struct stoa_error *err)
{
    const struct stoa_sort_order *order = b->footer->order;
    struct stoa_buffer content = {0};
    enum stoa_status st;

    if (order == NULL || order->nkeys == 0)
        return STOA_OK;
    STOA_TRY(stoa_order_pack(order, b->footer->schema, &content, err));
    STOA_TRY(add_section(b, STOA_SECTION_ORDER, 0, order->nkeys, &content, err));
out:
    stoa_buffer_free(&content);
    return st;
}

static enum stoa_status add_sections(struct builder *b, const struct stoa_schema_bytes *schema,
                                     struct stoa_error *err)
{
    const struct stoa_footer_writer *footer = b->footer;
    enum stoa_status st = STOA_OK;

    if (footer->ngroups > 0 && footer->nnodes > 0)
        STOA_TRY(plan_by_node(b, err));
    STOA_TRY(plan_streams(b, err));
    STOA_TRY(add_dictionaries(b, err));
    STOA_TRY(add_section(b, STOA_SECTION_ROW_GROUPS, STOA_SECTION_REQUIRED, footer->ngroups,
                         &footer->groups, err));
    STOA_TRY(add_columns(b, err));
    STOA_TRY(add_names(b, footer->schema, schema, err));
    STOA_TRY(add_section(b, STOA_SECTION_POOL, STOA_SECTION_REQUIRED, schema->pool.nbytes,
                         &schema->pool, err));
    STOA_TRY(add_metadata(b, footer->schema, err));
    STOA_TRY(add_order(b, err));
out:
    return st;
}

/* ---- The end. ---- */

/* The section table, so that a body of it and the trailer has a multiple of 64 bytes. */
static enum stoa_status add_table(struct builder *b, struct stoa_error *err)
{
    uint8_t packed[STOA_SECTION_NBYTES];
    struct stoa_buffer table = {0};
    uint64_t end;
    enum stoa_status st = STOA_OK;

    for (unsigned type = 0; type < STOA_SECTION_NTYPES; type++) {
        if (b->sections[type].nbytes == 0)
            continue;
        stoa_section_pack(&b->sections[type], packed);
        STOA_TRY(stoa_buffer_append(&table, packed, sizeof(packed), err));
    }
    end = stoa_round_up(offset_of_end(b) + table.nbytes, STOA_OBJECT_NBYTES);
    STOA_TRY(
        stoa_buffer_append_zeros(&b->rest, (size_t)(end - table.nbytes - offset_of_end(b)), err));
    STOA_TRY(stoa_buffer_append(&b->rest, table.data, table.nbytes, err));
    b->trailer.nsections = (uint32_t)(table.nbytes / STOA_SECTION_NBYTES);
    b->trailer.table_hash = stoa_hash(table.data, table.nbytes);
out:
    stoa_buffer_free(&table);
    return st;
}

enum stoa_status stoa_footer_append(void *buffer, const void *bytes, size_t nbytes,
                                    struct stoa_error *err)
{
    return stoa_buffer_append(buffer, bytes, nbytes, err);
}

/* All between header and trailer. */
static enum stoa_status each_section(const struct builder *b, visit_bytes *visit, void *context,
                                     struct stoa_error *err)
{
    struct stoa_footer_writer *footer = b->footer;
    bool by_node = footer->ngroups > 0;
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 0; by_node && i < footer->nnodes; i++)
        STOA_TRY(each_chunk(footer, i, visit, context, err));
    for (uint32_t i = 0; by_node && i < footer->nnodes; i++)
        STOA_TRY(each_zone(footer, i, visit, context, err));
    for (unsigned i = 0; i < STOA_FOOTER_NSTREAMS; i++)
        STOA_TRY(stoa_footer_stream_each(&footer->data, &b->streams[i], visit, context, err));
    STOA_TRY(visit(context, b->rest.data, b->rest.nbytes, err));
out:
    return st;
}

/*
 * The sections as one frame in *frame, if the footer is small and the file gets shorter by it; else
 * *frame stays empty. A file of ten rows is half footer, and half of that are zeros and
 * repetitions.
 */
static enum stoa_status pack(const struct builder *b, uint32_t max_nbytes,
                             struct stoa_buffer *frame, struct stoa_error *err)
{
    size_t nbytes = (size_t)(offset_of_end(b) - b->footer_off - STOA_OBJECT_NBYTES);
    struct stoa_zstd_encoder *encoder = NULL;
    struct stoa_buffer sections = {0};
    enum stoa_status st;

    if (nbytes > max_nbytes || nbytes <= STOA_OBJECT_NBYTES)
        return STOA_OK;
    STOA_TRY(stoa_zstd_encoder_new(&encoder, PACK_LEVEL, err));
    STOA_TRY(each_section(b, stoa_footer_append, &sections, err));
    STOA_TRY(stoa_buffer_resize(frame, nbytes - STOA_OBJECT_NBYTES, err));
    STOA_TRY(stoa_zstd_compress(encoder, sections.data, sections.nbytes, frame->data, frame->nbytes,
                                &frame->nbytes, err));
out:
    stoa_zstd_encoder_free(encoder);
    stoa_buffer_free(&sections);
    return st;
}

/* Header and trailer of a body of `nbytes` before the trailer, `dir_nbytes` of them hashed. */
static void pack_ends(struct builder *b, uint64_t nbytes, uint32_t dir_nbytes, uint64_t dir_hash,
                      uint8_t header[STOA_OBJECT_NBYTES], uint8_t trailer[STOA_TRAILER_NBYTES])
{
    struct stoa_object object = {
        .kind = STOA_OBJECT_FOOTER,
        .version = STOA_FORMAT_VERSION,
        .body_nbytes = nbytes + STOA_TRAILER_NBYTES,
        .dir_nbytes = dir_nbytes,
        .dir_hash = dir_nbytes > 0 ? dir_hash : 0,
        .stream_row = b->footer->nrows,
    };

    b->trailer.file_nbytes = b->footer_off + STOA_OBJECT_NBYTES + object.body_nbytes;
    stoa_object_pack(&object, header);
    stoa_trailer_pack(&b->trailer, trailer);
}

static enum stoa_status write_plain(struct builder *b, visit_bytes *put, void *context,
                                    struct stoa_error *err)
{
    uint8_t header[STOA_OBJECT_NBYTES], trailer[STOA_TRAILER_NBYTES];
    enum stoa_status st;

    pack_ends(b, offset_of_end(b) - b->footer_off - STOA_OBJECT_NBYTES,
              b->trailer.nsections * STOA_SECTION_NBYTES, b->trailer.table_hash, header, trailer);
    STOA_TRY(put(context, header, sizeof(header), err));
    STOA_TRY(each_section(b, put, context, err));
    STOA_TRY(put(context, trailer, sizeof(trailer), err));
out:
    return st;
}

static enum stoa_status write_packed(struct builder *b, struct stoa_buffer *frame, visit_bytes *put,
                                     void *context, struct stoa_error *err)
{
    uint8_t header[STOA_OBJECT_NBYTES], trailer[STOA_TRAILER_NBYTES];
    uint32_t frame_nbytes = (uint32_t)frame->nbytes;
    uint64_t hash = stoa_hash(frame->data, frame->nbytes);
    enum stoa_status st;

    b->trailer.packed_nbytes = (uint16_t)(offset_of_end(b) - b->footer_off - STOA_OBJECT_NBYTES);
    STOA_TRY(pad_to(frame, STOA_OBJECT_NBYTES, err));
    pack_ends(b, frame->nbytes, frame_nbytes, hash, header, trailer);
    STOA_TRY(put(context, header, sizeof(header), err));
    STOA_TRY(put(context, frame->data, frame->nbytes, err));
    STOA_TRY(put(context, trailer, sizeof(trailer), err));
out:
    return st;
}

enum stoa_status stoa_footer_write(struct stoa_footer_writer *footer,
                                   const struct stoa_schema_bytes *schema, uint64_t footer_off,
                                   visit_bytes *put, void *context, struct stoa_error *err)
{
    struct builder b = {
        .footer = footer,
        .footer_off = footer_off,
        .rest_off = footer_off + STOA_OBJECT_NBYTES,
        .trailer = {.footer_off = footer_off,
                    .nrows = footer->nrows,
                    .features = stoa_schema_features(schema),
                    .version = STOA_FORMAT_VERSION,
                    .nnodes = footer->nnodes},
    };
    struct stoa_buffer frame = {0};
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&b.entries, footer->nnodes, sizeof(b.entries[0]), err));
    for (uint32_t i = 0; i < footer->nnodes; i++)
        b.entries[i].node = schema->nodes[i];
    STOA_TRY(add_sections(&b, schema, err));
    STOA_TRY(add_table(&b, err));
    STOA_TRY(pack(&b, footer->rules->footer_pack_nbytes, &frame, err));
    if (frame.nbytes > 0)
        STOA_TRY(write_packed(&b, &frame, put, context, err));
    else
        STOA_TRY(write_plain(&b, put, context, err));
out:
    stoa_buffer_free(&frame);
    for (unsigned i = 0; i < STOA_FOOTER_NSTREAMS; i++)
        stoa_buffer_free(&b.streams[i].slices);
    stoa_free(b.entries);
    stoa_buffer_free(&b.rest);
    return st;
}
