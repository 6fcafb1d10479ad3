/*
 * One row group of a damaged file (spec/format.md, "Row groups").
 *
 *     header whole, directory whole     the directory tells where the chunks are
 *     one of them is not                the footer does, if it is whole and knows the row group
 *     otherwise                         nobody does
 *
 * A column is whole when all pages of its chunks, and those of the segments they need, have their
 * hashes and decode to values of it: exactly when the reader of whole files reads it, so that one
 * is asked. Its zone maps are computed anew; there may be none that can be trusted. A column that
 * is derived from others is read after them, and lost with them: what is left of its values is
 * written as those of any column.
 */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/error.h"
#include "base/hash.h"
#include "file/bases.h"
#include "file/nodes_write.h"
#include "file/recover.h"
#include "file/segment_check.h"
#include "stats/zonemap.h"

enum { SHIFT = STOA_RECOVER_SHIFT };

/* ---- The reader. ---- */

static enum stoa_status reader_read_at(struct stoa_source *source, uint64_t offset, void *out,
                                       size_t nbytes, struct stoa_error *err)
{
    struct stoa_recover_reader *reader = (struct stoa_recover_reader *)(void *)source;
    struct stoa_source *file = &reader->file.base;
    uint64_t room = offset < reader->footer_off ? reader->footer_off - offset : 0;
    size_t n = room < nbytes ? (size_t)room : nbytes; /* of them in front of the footer */

    if (n < nbytes)
        memcpy((uint8_t *)out + n, reader->footer.data + (offset + n - reader->footer_off),
               nbytes - n);
    return n > 0 ? file->read_at(file, offset, out, n, err) : STOA_OK;
}

static enum stoa_status build_footer(struct stoa_recover *rec, struct stoa_error *err)
{
    struct stoa_schema_bytes bytes = {0};
    struct stoa_footer_writer writer = {0};
    enum stoa_status st;

    STOA_TRY(stoa_schema_bytes_init(&bytes, &rec->schema, err));
    STOA_TRY(stoa_schema_nodes(&rec->schema, &rec->nodes, &rec->nnodes, err));
    STOA_TRY(stoa_footer_writer_init(&writer, &rec->schema, &stoa_default_rules, err));
    for (uint32_t i = 0; i < rec->segments.table.nentries; i++) {
        struct stoa_dictdir_entry entry = rec->segments.table.entries[i];

        entry.offset = SHIFT; /* not where it is: place_segments() */
        STOA_TRY(stoa_footer_add_segment(&writer, &entry, err));
    }
    STOA_TRY(stoa_footer_write(&writer, &bytes, rec->reader.footer_off, stoa_footer_append,
                               &rec->reader.footer, err));
out:
    if (writer.schema != NULL)
        stoa_footer_writer_reset(&writer);
    stoa_schema_bytes_reset(&bytes);
    return st;
}

/*
 * Tells the reader where the segments stand. No footer can: there they stand at multiples of 64,
 * which bytes that got in or out in front of them may have changed.
 */
static enum stoa_status place_segments(struct stoa_recover *rec, struct stoa_error *err)
{
    struct stoa_reader *reader = rec->reader.reader;
    const struct stoa_dictionary_table *loaded;
    struct stoa_dictionary_table *table;
    enum stoa_status st =
        stoa_dictionaries_table(&reader->dictionaries, &reader->footer, &loaded, err);

    if (st != STOA_OK)
        return st;
    table = stoa_once_get(&reader->dictionaries.table);
    for (uint32_t i = 0; i < table->nentries; i++)
        table->entries[i].offset = rec->segments.table.entries[i].offset + SHIFT;
    return STOA_OK;
}

/* Chains in which a value comes twice are no dictionaries: their ids lead nowhere from now on. */
static enum stoa_status check_chain(struct stoa_recover *rec, struct stoa_decoder *decoder,
                                    const struct stoa_dictionary_table *table, uint32_t tip,
                                    struct stoa_error *err)
{
    struct stoa_reader *reader = rec->reader.reader;
    struct stoa_budget budget = {rec->memory_nbytes, rec->memory_nbytes};
    enum stoa_phys phys = (enum stoa_phys)table->entries[tip].phys;
    uint32_t width = phys == STOA_PHYS_FIXED ? rec->segments.widths[tip] : stoa_phys_width(phys);
    const struct stoa_dictionary *dictionary;
    uint32_t ncodes;
    enum stoa_status st;

    st = stoa_dictionaries_get(&reader->dictionaries, &reader->footer, decoder, tip, phys, width,
                               &budget, &dictionary, &ncodes, err);
    if (st == STOA_ERR_LIMIT) { /* those before may be in the way */
        stoa_dictionaries_forget(&reader->dictionaries);
        budget.left = budget.total;
        st = stoa_dictionaries_get(&reader->dictionaries, &reader->footer, decoder, tip, phys,
                                   width, &budget, &dictionary, &ncodes, err);
    }
    if (st == STOA_OK)
        st = stoa_chain_check(dictionary, ncodes, err);
    if (!stoa_recover_is_damage(st))
        return st;
    for (uint32_t i = tip; i != STOA_NONE32; i = table->entries[i].prev_index)
        stoa_recover_segments_drop(&rec->segments, table->entries[i].id);
    return STOA_OK;
}

static enum stoa_status check_chains(struct stoa_recover *rec, struct stoa_error *err)
{
    struct stoa_reader *reader = rec->reader.reader;
    const struct stoa_dictionary_table *table;
    struct stoa_read_scratch *scratch = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_dictionaries_table(&reader->dictionaries, &reader->footer, &table, err));
    STOA_TRY(stoa_reader_scratch_take(reader, &scratch, err));
    for (uint32_t i = 0; i < table->nentries; i++)
        if (table->tips[i] == i)
            STOA_TRY(check_chain(rec, scratch->decoder, table, i, err));
out:
    stoa_reader_scratch_give(reader, scratch);
    return st;
}

enum stoa_status stoa_recover_reader_init(struct stoa_recover *rec, struct stoa_error *err)
{
    struct stoa_reader_options options = {.memory_nbytes = rec->memory_nbytes};
    struct stoa_recover_reader *reader = &rec->reader;
    enum stoa_status st;

    reader->footer_off = stoa_round_up(SHIFT + rec->source->nbytes, STOA_OBJECT_NBYTES);
    stoa_moved_source_init(&reader->file, rec->source, -(int64_t)SHIFT, reader->footer_off);
    STOA_TRY(build_footer(rec, err));
    reader->base = (struct stoa_source){
        .read_at = reader_read_at,
        .nbytes = reader->footer_off + reader->footer.nbytes,
        .name = rec->source->name,
    };
    STOA_TRY(stoa_reader_open(&reader->base, &options, &reader->reader, err));
    reader->groups = reader->reader->footer.groups;
    STOA_TRY(place_segments(rec, err));
    STOA_TRY(check_chains(rec, err));
    STOA_TRY(stoa_alloc_zeroed(&rec->chunks, rec->nnodes, sizeof(rec->chunks[0]), err));
    for (uint32_t i = 0; i < rec->nnodes; i++) {
        struct stoa_column *column; /* while there are no row groups: later they would be missed */

        STOA_TRY(stoa_footer_column(&reader->reader->footer, i, &column, err));
    }
out:
    return st;
}

void stoa_recover_reader_reset(struct stoa_recover_reader *reader)
{
    if (reader->reader != NULL) { /* the row group is ours */
        reader->reader->footer.groups = reader->groups;
        reader->reader->footer.ngroups = 0;
    }
    stoa_reader_close(reader->reader);
    stoa_buffer_free(&reader->footer);
    *reader = (struct stoa_recover_reader){0};
}

/* Makes a row group the only one that the reader has. */
static void set_group(struct stoa_recover *rec, const struct stoa_found *item)
{
    struct stoa_recover_reader *reader = &rec->reader;
    struct stoa_footer *footer = &reader->reader->footer;

    reader->group = (struct stoa_row_group_entry){
        .offset = item->offset + SHIFT,
        .header_hash = item->object.hash,
        .nrows = item->object.nrows,
    };
    footer->groups = &reader->group;
    footer->ngroups = 1;
    footer->nzones = stoa_zone_count(item->object.nrows);
    footer->trailer.nrows = item->object.nrows;
}

/* ---- What is said of the chunks. ---- */

/* What a check of a chunk came to: damage is noted, all else comes back in *err. */
static enum stoa_status note(struct stoa_recover *rec, uint32_t node, enum stoa_status st,
                             const struct stoa_error *why, struct stoa_error *err)
{
    if (!stoa_recover_is_damage(st)) {
        if (st != STOA_OK && err != NULL)
            *err = *why;
        return st;
    }
    rec->chunks[node].is_lost = true;
    rec->chunks[node].why = *why;
    return STOA_OK;
}

/* An entry of the directory of `item`; its place is inside of the object. */
static enum stoa_status set_entry(struct stoa_recover *rec, const struct stoa_found *item,
                                  const uint8_t *bytes, struct stoa_recover_chunk *chunk,
                                  struct stoa_error *err)
{
    uint64_t begin = STOA_OBJECT_NBYTES + item->object.dir_nbytes;
    uint64_t end = STOA_OBJECT_NBYTES + item->object.body_nbytes;
    struct stoa_rg_entry entry;
    enum stoa_status st;

    STOA_TRY(stoa_rg_entry_unpack(bytes, &entry, err));
    if (!(entry.flags & STOA_CHUNK_NO_PAGES)) {
        if (entry.offset < begin || entry.offset > end || entry.nbytes > end - entry.offset)
            return stoa_fail(err, STOA_ERR_CORRUPT,
                             "%" PRIu32 " bytes at %" PRIu64 " of the object, where they can't be",
                             entry.nbytes, entry.offset);
        entry.offset += item->offset;
    }
    chunk->entry = entry;
    chunk->dict_index = STOA_NONE32;
    if (entry.flags & STOA_CHUNK_SHARED_DICT)
        chunk->dict_index = stoa_recover_segments_find(&rec->segments, entry.dict_id);
    if (entry.flags & STOA_CHUNK_DERIVED)
        chunk->dict_index = (uint32_t)entry.dict_id;
out:
    return st;
}

static enum stoa_status read_directory(struct stoa_recover *rec, const struct stoa_found *item,
                                       struct stoa_error *err)
{
    uint32_t nbytes = item->object.dir_nbytes;
    struct stoa_error why;
    uint8_t *dir = NULL;
    enum stoa_status st;

    if (nbytes == 0) /* told by a footer */
        return stoa_fail_at(err, STOA_ERR_CORRUPT, item->offset, "its header is damaged");
    if (nbytes != (uint64_t)rec->nnodes * STOA_RG_ENTRY_NBYTES)
        return stoa_fail_at(err, STOA_ERR_CORRUPT, item->offset, "a directory of %" PRIu32 " bytes",
                            nbytes);
    STOA_TRY(stoa_alloc(&dir, nbytes, err));
    if (nbytes > rec->source->nbytes - item->offset - STOA_OBJECT_NBYTES) {
        st = stoa_fail_at(err, STOA_ERR_CORRUPT, item->offset, "the file ends in its directory");
        goto out;
    }
    STOA_TRY(
        rec->source->read_at(rec->source, item->offset + STOA_OBJECT_NBYTES, dir, nbytes, err));
    if (stoa_hash(dir, nbytes) != item->object.dir_hash) {
        st = stoa_fail_at(err, STOA_ERR_CORRUPT, item->offset, "its directory is damaged");
        goto out;
    }
    for (uint32_t i = 0; i < rec->nnodes; i++) {
        st = set_entry(rec, item, dir + (size_t)i * STOA_RG_ENTRY_NBYTES, &rec->chunks[i], &why);
        STOA_TRY(note(rec, i, st, &why, err));
    }
out:
    stoa_free(dir);
    return st;
}

/* The chunk as the footer of `reader` knows it. */
static enum stoa_status set_from_footer(struct stoa_recover *rec, struct stoa_reader *reader,
                                        const struct stoa_found *item, uint32_t node,
                                        struct stoa_recover_chunk *chunk, struct stoa_error *err)
{
    const struct stoa_dictionary_table *table;
    const struct stoa_chunk *chunks, *from;
    uint32_t nvalues;
    enum stoa_status st;

    STOA_TRY(stoa_footer_chunks(&reader->footer, node, &chunks, err));
    STOA_TRY(stoa_footer_nvalues(&reader->footer, node, item->group, &nvalues, err));
    from = &chunks[item->group];
    chunk->entry = (struct stoa_rg_entry){
        .offset =
            from->flags & STOA_CHUNK_NO_PAGES ? 0 : from->offset + (uint64_t)item->footer_moved,
        .nbytes = from->nbytes,
        .nvalues = nvalues,
        .nnulls = from->nnulls,
        .page_shift = from->page_shift,
        .phys = from->phys,
        .encoding = from->encoding,
        .flags = from->flags,
        .hash = from->hash,
    };
    chunk->dict_index = STOA_NONE32;
    if (from->flags & STOA_CHUNK_DERIVED)
        chunk->entry.dict_id = chunk->dict_index = from->dict_index;
    if (from->flags & STOA_CHUNK_SHARED_DICT) {
        STOA_TRY(stoa_dictionaries_table(&reader->dictionaries, &reader->footer, &table, err));
        chunk->entry.dict_id = table->entries[from->dict_index].id;
        chunk->dict_index = stoa_recover_segments_find(&rec->segments, chunk->entry.dict_id);
    }
out:
    return st;
}

static enum stoa_status read_footer(struct stoa_recover *rec, const struct stoa_found *item,
                                    struct stoa_error *err)
{
    struct stoa_reader *reader = NULL;
    struct stoa_error why;
    enum stoa_status st;

    STOA_TRY(stoa_recover_view_open(rec, item->footer_end, &reader, err));
    if (reader == NULL || reader->footer.trailer.nnodes != rec->nnodes)
        return stoa_fail(err, STOA_ERR_CORRUPT, "the footer has other columns");
    rec->reader.group.offset =
        reader->footer.groups[item->group].offset + (uint64_t)item->footer_moved + SHIFT;
    for (uint32_t i = 0; i < rec->nnodes; i++) {
        st = set_from_footer(rec, reader, item, i, &rec->chunks[i], &why);
        STOA_TRY(note(rec, i, st, &why, err));
    }
out:
    return st;
}

/* ---- The values. ---- */

/* Gives the reader the chunk; all that its entry says is checked. */
static enum stoa_status set_chunk(struct stoa_recover *rec, uint32_t node,
                                  const struct stoa_rg_entry *entry, uint32_t dict_index,
                                  struct stoa_error *err)
{
    const struct stoa_chunk chunk = {
        .offset = entry->flags & STOA_CHUNK_NO_PAGES ? 0 : entry->offset + SHIFT,
        .nbytes = entry->nbytes,
        .nnulls = entry->nnulls,
        .hash = entry->hash,
        .dict_index = dict_index,
        .page_shift = entry->page_shift,
        .phys = entry->phys,
        .encoding = entry->encoding,
        .flags = entry->flags,
    };

    if (entry->offset > rec->source->nbytes || entry->nbytes > rec->source->nbytes - entry->offset)
        return stoa_fail(err, STOA_ERR_CORRUPT, "it is cut off by the end of the file");
    if (entry->flags & STOA_CHUNK_SHARED_DICT && dict_index == STOA_NONE32)
        return stoa_fail(err, STOA_ERR_CORRUPT,
                         "a dictionary segment that it needs (%016" PRIx64
                         ") is damaged or missing",
                         entry->dict_id);
    return stoa_footer_set_chunk(&rec->reader.reader->footer, node, &chunk, entry->nvalues, err);
}

/*
 * The reader counts row groups, of which it has one: its number would mislead. A derived column
 * tells of it twice.
 */
static void drop_group(struct stoa_error *err)
{
    static const char prefix[] = "row group 0: ";
    size_t n = sizeof(prefix) - 1;

    for (char *at = err->message; (at = strstr(at, prefix)) != NULL;)
        memmove(at, at + n, strlen(at) - n + 1);
}

enum stoa_status stoa_recover_read(struct stoa_recover *rec, uint32_t node, struct stoa_range rows,
                                   struct stoa_array *out, struct stoa_error *err)
{
    struct stoa_reader *reader = rec->reader.reader;
    enum stoa_status st = stoa_node_read(reader, 0, node, rows, out, NULL, err);

    if (st == STOA_ERR_LIMIT) { /* dictionaries of other columns may be in the way */
        stoa_dictionaries_forget(&reader->dictionaries);
        st = stoa_node_read(reader, 0, node, rows, out, NULL, err);
    }
    if (stoa_recover_is_damage(st))
        drop_group(err);
    return st;
}

static enum stoa_status compute_zones(const struct stoa_schema_node *node,
                                      const struct stoa_split_node *split, size_t nzones,
                                      struct stoa_recover_chunk *chunk, struct stoa_error *err)
{
    const struct stoa_type *type = &node->field->type;
    size_t stride = stoa_zone_stride(type, node->below_list);
    struct stoa_zone *zones = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&zones, nzones, sizeof(*zones), err));
    STOA_TRY(stoa_buffer_resize(&chunk->zones, nzones * stride, err));
    stoa_zone_compute_group(type, &split->array, split->ends, nzones, zones, &chunk->all);
    for (size_t z = 0; z < nzones; z++)
        stoa_zone_pack(&zones[z], node->below_list, chunk->zones.data + z * stride);
out:
    stoa_free(zones);
    return st;
}

/* The zone maps of all nodes of a column. */
static enum stoa_status compute_column_zones(struct stoa_recover *rec, uint32_t node,
                                             const struct stoa_array *array, struct stoa_error *err)
{
    size_t nzones = (size_t)stoa_zone_count(rec->reader.group.nrows);
    uint32_t n = rec->nodes[node].nnodes;
    struct stoa_split_node *split = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&split, n, sizeof(*split), err));
    STOA_TRY(stoa_nodes_split(rec->nodes, node, array, nzones, split, err));
    for (uint32_t i = 0; i < n; i++)
        STOA_TRY(
            compute_zones(&rec->nodes[node + i], &split[i], nzones, &rec->chunks[node + i], err));
out:
    for (uint32_t i = 0; split != NULL && i < n; i++)
        stoa_split_node_reset(&split[i]);
    stoa_free(split);
    return st;
}

/* Reads the column whose first node is `node`; its chunks so far are as they should be. */
static enum stoa_status check_column(struct stoa_recover *rec, uint32_t node,
                                     struct stoa_error *err)
{
    const struct stoa_range rows = {0, rec->reader.group.nrows};
    struct stoa_array array = {0};
    enum stoa_status st = STOA_OK;

    for (uint32_t i = node; i < node + rec->nodes[node].nnodes; i++) {
        struct stoa_recover_chunk *chunk = &rec->chunks[i];

        st = set_chunk(rec, i, &chunk->entry, chunk->dict_index, err);
        if (st != STOA_OK) {
            stoa_reader_wrap(rec->reader.reader, 0, i, st, err);
            drop_group(err);
            goto out;
        }
        chunk->is_set = true;
    }
    STOA_TRY(stoa_recover_read(rec, node, rows, &array, err));
    STOA_TRY(compute_column_zones(rec, node, &array, err));
out:
    stoa_array_reset(&array);
    return st;
}

/* A column is lost with all its nodes where one of them is. */
static enum stoa_status note_column(struct stoa_recover *rec, uint32_t node, enum stoa_status st,
                                    const struct stoa_error *why, struct stoa_error *err)
{
    enum stoa_status noted = STOA_OK;

    for (uint32_t i = node; noted == STOA_OK && i < node + rec->nodes[node].nnodes; i++)
        noted = note(rec, i, st, why, err);
    return noted;
}

static bool is_derived(const struct stoa_recover *rec, uint32_t node)
{
    return !rec->chunks[node].is_lost && (rec->chunks[node].entry.flags & STOA_CHUNK_DERIVED);
}

/* Reads a derived column whose bases were looked at, and whose chunks are set. */
static enum stoa_status check_derived(struct stoa_recover *rec, uint32_t node,
                                      struct stoa_error *err)
{
    uint32_t bases[STOA_NBASES], lost = STOA_NONE32;
    enum stoa_status st;

    stoa_bases_unpack(rec->chunks[node].dict_index, bases);
    for (unsigned k = 0; k < STOA_NBASES; k++) {
        if (bases[k] >= rec->nnodes) /* none, or one that the reader refuses by its number */
            continue;
        if (is_derived(rec, bases[k])) {
            st = stoa_fail(err, STOA_ERR_CORRUPT,
                           "derived from node %" PRIu32 ", which is derived itself", bases[k]);
            return stoa_nodes_wrap(rec->nodes, node, st, err);
        }
        if (rec->chunks[bases[k]].is_lost && (lost == STOA_NONE32 || rec->chunks[lost].is_set))
            lost = bases[k];
    }
    /* Where nobody knows where a base is, the reader must not look for it. */
    st = lost == STOA_NONE32 || rec->chunks[lost].is_set ? check_column(rec, node, err) : STOA_OK;
    if (st != STOA_OK || lost == STOA_NONE32)
        return st;
    *err = rec->chunks[lost].why; /* its own pages are of no use without the others */
    stoa_wrap(err, err->status, "derived from");
    return stoa_nodes_wrap(rec->nodes, node, err->status, err);
}

static enum stoa_status recover_column(struct stoa_recover *rec, uint32_t node,
                                       struct stoa_error *err)
{
    struct stoa_error why;
    uint32_t end = node + rec->nodes[node].nnodes, lost = node;
    enum stoa_status st;

    while (lost < end && !rec->chunks[lost].is_lost)
        lost++;
    if (lost < end) {
        why = rec->chunks[lost].why;
        return note_column(rec, node, why.status, &why, err);
    }
    st = is_derived(rec, node) ? check_derived(rec, node, &why) : check_column(rec, node, &why);
    return note_column(rec, node, st, &why, err);
}

enum stoa_status stoa_recover_group(struct stoa_recover *rec, const struct stoa_found *item,
                                    struct stoa_error *err)
{
    enum stoa_status st;

    rec->nlost = 0;
    for (uint32_t i = 0; i < rec->nnodes; i++) {
        rec->chunks[i].is_lost = false;
        rec->chunks[i].is_set = false;
    }
    if (item->object.ref_id != rec->schema_id)
        return stoa_fail_at(err, STOA_ERR_CORRUPT, item->offset, "it has another schema");
    if (item->object.nrows == 0 || item->object.nrows > STOA_ROW_GROUP_MAX_NROWS)
        return stoa_fail_at(err, STOA_ERR_CORRUPT, item->offset, "%" PRIu32 " rows",
                            item->object.nrows);
    set_group(rec, item);
    st = read_directory(rec, item, err);
    if (st == STOA_ERR_CORRUPT && item->footer_end != 0)
        st = read_footer(rec, item, err);
    if (st != STOA_OK)
        return st;
    for (int derived = 0; derived <= 1; derived++) { /* bases before what is derived from them */
        for (uint32_t i = 0; i < rec->nnodes; i += rec->nodes[i].nnodes) {
            if (is_derived(rec, i) != (derived == 1))
                continue;
            STOA_TRY(recover_column(rec, i, err));
            rec->nlost += rec->chunks[i].is_lost;
        }
    }
out:
    return st;
}
