/*
 * Nodes of an open footer: the directory entry, chunk entries, statistics, names (spec/format.md,
 * "Sections").
 *
 *     columns     [ 64 B a node ] --> chunks_off, chunks_hash --> [ 32 B a row group ]
 *                        |      `--> stats_off, stats_hash   --> [ stride B a zone map ]
 *                        `--> name and parameters in the pool
 *
 * Each of the three is read and verified when a node is first asked for it, and checked against
 * what the footer knows already (row groups, the size of the file), so that who reads a chunk need
 * not look at any of its numbers twice.
 */
#include "file/footer.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "file/phys.h"
#include "file/schema_bytes.h"
#include "stats/zonemap.h"

enum {
    SHOWN_NAME_NBYTES = 128,
    FEW_ENTRIES_NBYTES = 32768, /* of the section of chunk entries: read at once */
};

/* Appends the name of a node behind those of its ancestors, "a"."b"; false: one is not known. */
static bool put_path(const struct stoa_footer *footer, uint32_t node, char *path, size_t nbytes)
{
    const struct stoa_column *column = stoa_once_get(&footer->columns[node]);
    size_t at = 0;

    if (column == NULL)
        return false;
    if (column->place.parent != STOA_NONE32) {
        if (!put_path(footer, column->place.parent, path, nbytes))
            return false;
        at = strlen(path);
        if (at + 4 > nbytes) /* no room for a dot and quotes: the front says enough */
            return true;
        path[at++] = '.';
    }
    stoa_quote(path + at, nbytes - at, column->field.name, strlen(column->field.name));
    return true;
}

enum stoa_status stoa_footer_wrap(const struct stoa_footer *footer, uint32_t node,
                                  enum stoa_status st, struct stoa_error *err)
{
    char path[SHOWN_NAME_NBYTES];

    if (put_path(footer, node, path, sizeof(path)))
        return stoa_wrap(err, st, "column %s", path);
    return stoa_wrap(err, st, "column %" PRIu32, node + 1);
}

void stoa_column_free(struct stoa_column *column)
{
    if (column == NULL)
        return;
    stoa_field_reset(&column->field);
    stoa_free(stoa_once_get(&column->chunks));
    stoa_free(stoa_once_get(&column->stats));
    stoa_free(column);
}

/* Bytes [off, off + nbytes) must lie in a BY_COLUMN section. */
static enum stoa_status check_part(const struct stoa_footer *footer, enum stoa_section_type type,
                                   uint64_t off, uint64_t nbytes, struct stoa_error *err)
{
    const struct stoa_footer_section *section = footer->by_type[type];

    if (nbytes == 0)
        return STOA_OK;
    if (section == NULL || off < section->entry.offset ||
        off - section->entry.offset > section->entry.nbytes ||
        nbytes > section->entry.nbytes - (off - section->entry.offset))
        return stoa_fail(err, STOA_ERR_CORRUPT,
                         "%s: %" PRIu64 " bytes at %" PRIu64 " are not in their section",
                         stoa_section_name(type), nbytes, off);
    return STOA_OK;
}

static uint64_t chunks_nbytes(const struct stoa_footer *footer)
{
    return (uint64_t)footer->ngroups * STOA_CHUNK_NBYTES;
}

static uint64_t stats_nbytes(const struct stoa_footer *footer, const struct stoa_column *column)
{
    return stoa_zone_nentries(footer->ngroups, footer->nzones) * column->entry.stats_stride;
}

static enum stoa_status check_column(const struct stoa_footer *footer,
                                     const struct stoa_column *column, struct stoa_error *err)
{
    const struct stoa_column_entry *entry = &column->entry;
    uint16_t stride = stoa_zone_stride(&column->field.type, column->place.below_list);
    enum stoa_status st;

    if (footer->tree.nodes == NULL &&
        (stoa_type_is_nested(entry->node.type) || entry->node.parent != STOA_NONE32 ||
         entry->node.nchildren != 0))
        return stoa_fail(err, STOA_ERR_CORRUPT, "a tree in a file without nested columns");
    if (footer->ngroups > 0 && entry->stats_stride != stride)
        return stoa_fail(err, STOA_ERR_CORRUPT, "zone maps of %u bytes, must be %u",
                         entry->stats_stride, stride);
    STOA_TRY(
        check_part(footer, STOA_SECTION_CHUNKS, entry->chunks_off, chunks_nbytes(footer), err));
    STOA_TRY(check_part(footer, STOA_SECTION_STATISTICS, entry->stats_off,
                        stats_nbytes(footer, column), err));
out:
    return st;
}

/* Memory of a field, roughly: many columns may name the same bytes of the pool as theirs. */
static uint64_t field_nbytes(const struct stoa_field *field)
{
    uint64_t nbytes = sizeof(struct stoa_column) + strlen(field->name);

    for (uint32_t i = 0; i < field->type.nsymbols; i++)
        nbytes += 32 + strlen(field->type.symbols[i]);
    for (uint32_t i = 0; i < field->metadata.npairs; i++)
        nbytes +=
            64 + strlen(field->metadata.pairs[i].key) + strlen(field->metadata.pairs[i].value);
    return nbytes;
}

static struct stoa_tree_node place_of(const struct stoa_footer *footer, uint32_t number,
                                      const struct stoa_field *field)
{
    if (footer->tree.nodes != NULL)
        return footer->tree.nodes[number];
    return (struct stoa_tree_node){
        .parent = STOA_NONE32,
        .nnodes = 1,
        .column = number,
        .type = (uint8_t)field->type.id,
        .depth = 1,
        .can_be_null = field->nullable,
    };
}

uint32_t stoa_footer_column_node(const struct stoa_footer *footer, uint32_t column)
{
    return footer->tree.nodes != NULL ? footer->tree.columns[column] : column;
}

uint32_t stoa_footer_subtree(const struct stoa_footer *footer, uint32_t node)
{
    return footer->tree.nodes != NULL ? footer->tree.nodes[node].nnodes : 1;
}

enum stoa_status stoa_footer_nodes(struct stoa_footer *footer, struct stoa_node **out,
                                   struct stoa_error *err)
{
    uint32_t nnodes = footer->trailer.nnodes;
    struct stoa_node *nodes = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&nodes, nnodes, sizeof(*nodes), err));
    for (uint32_t i = 0; i < nnodes; i++) {
        uint8_t bytes[STOA_COLUMN_NBYTES];
        struct stoa_column_entry entry;

        STOA_TRY(stoa_footer_section_read(footer, STOA_SECTION_COLUMNS, (uint64_t)i * sizeof(bytes),
                                          bytes, sizeof(bytes), err));
        st = stoa_column_entry_unpack(bytes, &entry, err);
        if (st != STOA_OK) {
            stoa_wrap(err, st, "column %" PRIu32, i + 1);
            goto out;
        }
        nodes[i] = entry.node;
    }
    *out = nodes;
    nodes = NULL;
out:
    stoa_free(nodes);
    return st;
}

static enum stoa_status load_column(struct stoa_footer *footer, uint32_t number,
                                    struct stoa_column **out, struct stoa_error *err)
{
    uint8_t bytes[STOA_COLUMN_NBYTES];
    char shown[SHOWN_NAME_NBYTES];
    struct stoa_column *column = NULL;
    const uint8_t *pool;
    size_t pool_nbytes;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&column, 1, sizeof(*column), err));
    STOA_TRY(stoa_footer_section_read(footer, STOA_SECTION_COLUMNS,
                                      (uint64_t)number * sizeof(bytes), bytes, sizeof(bytes), err));
    st = stoa_column_entry_unpack(bytes, &column->entry, err);
    if (st != STOA_OK) {
        stoa_wrap(err, st, "column %" PRIu32, number + 1);
        goto out;
    }
    STOA_TRY(stoa_footer_section_whole(footer, STOA_SECTION_POOL, &pool, &pool_nbytes, err));
    STOA_TRY(
        stoa_field_parse_node(&column->entry.node, number, pool, pool_nbytes, &column->field, err));
    column->phys = stoa_type_phys(&column->field.type, &column->width);
    column->place = place_of(footer, number, &column->field);
    st = check_column(footer, column, err);
    if (st != STOA_OK) {
        stoa_wrap(err, st, "column %s",
                  stoa_quote(shown, sizeof(shown), column->field.name, strlen(column->field.name)));
        goto out;
    }
    *out = column;
    column = NULL;
out:
    stoa_column_free(column);
    return st;
}

enum stoa_status stoa_footer_column(struct stoa_footer *footer, uint32_t number,
                                    struct stoa_column **out, struct stoa_error *err)
{
    struct stoa_once *once = &footer->columns[number];
    struct stoa_column *mine = NULL;
    enum stoa_status st = STOA_OK;

    if (stoa_once_get(once) == NULL) {
        uint64_t nbytes;

        STOA_TRY(load_column(footer, number, &mine, err));
        nbytes = field_nbytes(&mine->field);
        if (atomic_fetch_add(&footer->columns_nbytes, nbytes) > footer->memory_nbytes) {
            stoa_column_free(mine);
            st = stoa_fail(err, STOA_ERR_LIMIT,
                           "the columns need more than the %" PRIu64 " bytes of memory allowed",
                           footer->memory_nbytes);
            goto out;
        }
        if (stoa_once_publish(once, mine) != mine)
            stoa_column_free(mine);
    }
    *out = stoa_once_get(once);
out:
    return st;
}

/* ---- Chunk entries. ---- */

/* Nulls and flags against the number of values. */
static enum stoa_status check_nulls(const struct stoa_column *column,
                                    const struct stoa_chunk *chunk, uint32_t nvalues,
                                    struct stoa_error *err)
{
    bool all_null = chunk->flags & STOA_CHUNK_ALL_NULL;

    if (chunk->nnulls > nvalues || (all_null && chunk->nnulls != nvalues))
        return stoa_fail(err, STOA_ERR_CORRUPT, "%" PRIu32 " nulls in %" PRIu32 " %s",
                         chunk->nnulls, nvalues, column->place.below_list ? "values" : "rows");
    if (nvalues == 0 && !all_null)
        return stoa_fail(err, STOA_ERR_CORRUPT, "a chunk of no values and not ALL_NULL");
    if (chunk->nnulls > 0 && !column->place.can_be_null)
        return stoa_fail(err, STOA_ERR_CORRUPT, "%" PRIu32 " nulls in a column that has none",
                         chunk->nnulls);
    return STOA_OK;
}

/* The physical type against the type. Values of type null, which has none, are never there. */
static enum stoa_status check_phys(const struct stoa_column *column, const struct stoa_chunk *chunk,
                                   struct stoa_error *err)
{
    if (stoa_phys_name(chunk->phys) == NULL)
        return stoa_fail(err, STOA_ERR_UNSUPPORTED,
                         "physical type %u, which this version cannot read", chunk->phys);
    if (!stoa_phys_widens((enum stoa_phys)chunk->phys, column->phys) ||
        column->field.type.id == STOA_NULL)
        return stoa_fail(err, STOA_ERR_CORRUPT, "physical type %s in a column of %s",
                         stoa_phys_name(chunk->phys), stoa_phys_name(column->phys));
    return STOA_OK;
}

static enum stoa_status check_chunk(const struct stoa_footer *footer,
                                    const struct stoa_column *column, uint32_t group,
                                    uint32_t nvalues, const struct stoa_chunk *chunk,
                                    struct stoa_error *err)
{
    uint64_t begin = footer->groups[group].offset + STOA_OBJECT_NBYTES +
                     (uint64_t)footer->trailer.nnodes * STOA_RG_ENTRY_NBYTES;
    uint64_t end = stoa_footer_group_end(footer, group);
    uint64_t npages = stoa_chunk_npages(chunk->flags, chunk->page_shift, nvalues);
    enum stoa_status st;

    STOA_TRY(check_nulls(column, chunk, nvalues, err));
    if (chunk->flags & STOA_CHUNK_ALL_NULL)
        return STOA_OK;
    STOA_TRY(check_phys(column, chunk, err));
    if (chunk->flags & STOA_CHUNK_ALL_VALID)
        return STOA_OK;
    if (chunk->offset < begin || chunk->offset > end || chunk->nbytes > end - chunk->offset)
        return stoa_fail(err, STOA_ERR_CORRUPT,
                         "%" PRIu32 " bytes at %" PRIu64 " are not in their row group",
                         chunk->nbytes, chunk->offset);
    if ((chunk->flags & STOA_CHUNK_DERIVED) && column->place.parent != STOA_NONE32)
        return stoa_fail(err, STOA_ERR_CORRUPT, "DERIVED inside a column");
    if (npages > 1 && npages * stoa_page_entry_nbytes(column->place.type) > chunk->nbytes)
        return stoa_fail(err, STOA_ERR_CORRUPT, "%" PRIu64 " pages in %" PRIu32 " bytes", npages,
                         chunk->nbytes);
    if ((chunk->flags & STOA_CHUNK_SHARED_DICT) &&
        chunk->dict_index >= stoa_footer_section_count(footer, STOA_SECTION_DICTIONARIES))
        return stoa_fail(err, STOA_ERR_CORRUPT, "dictionary segment %" PRIu32 " of %" PRIu64,
                         chunk->dict_index,
                         stoa_footer_section_count(footer, STOA_SECTION_DICTIONARIES));
out:
    return st;
}

/*
 * The chunk entries of a node as they are stored; of few nodes and row groups all of the section is
 * read with those of the first. Where that can't be read, the entries asked for may still be.
 */
static enum stoa_status read_entries(const struct stoa_footer *footer, uint64_t offset,
                                     uint64_t nbytes, uint8_t *out, struct stoa_error *err)
{
    struct stoa_footer_section *section = footer->by_type[STOA_SECTION_CHUNKS];
    uint8_t *mine = NULL;
    enum stoa_status st = STOA_OK;

    if (section == NULL || section->entry.nbytes > FEW_ENTRIES_NBYTES)
        return stoa_footer_read(footer, offset, out, nbytes, err);
    if (stoa_once_get(&section->whole) == NULL) {
        STOA_TRY(stoa_alloc(&mine, (size_t)section->entry.nbytes, err));
        st = stoa_footer_read(footer, section->entry.offset, mine, section->entry.nbytes, err);
        if (st == STOA_ERR_IO) {
            st = stoa_footer_read(footer, offset, out, nbytes, err);
            goto out;
        }
        STOA_TRY(st);
        if (stoa_once_publish(&section->whole, mine) == mine)
            mine = NULL;
    }
    memcpy(out, (const uint8_t *)stoa_once_get(&section->whole) + (offset - section->entry.offset),
           (size_t)nbytes);
out:
    stoa_free(mine);
    return st;
}

static enum stoa_status load_chunks(struct stoa_footer *footer, uint32_t number,
                                    struct stoa_column *column, struct stoa_error *err)
{
    struct stoa_budget budget = {footer->memory_nbytes, footer->memory_nbytes};
    uint64_t nbytes = chunks_nbytes(footer), offset = column->entry.chunks_off;
    struct stoa_chunk *chunks = NULL;
    uint8_t *bytes = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_budget_take(&budget, nbytes + footer->ngroups * sizeof(*chunks), err));
    STOA_TRY(stoa_alloc(&bytes, (size_t)nbytes, err));
    STOA_TRY(stoa_alloc_zeroed(&chunks, footer->ngroups, sizeof(*chunks), err));
    STOA_TRY(read_entries(footer, offset, nbytes, bytes, err));
    if (nbytes > 0 && stoa_hash(bytes, (size_t)nbytes) != column->entry.chunks_hash) {
        st = stoa_fail_at(err, STOA_ERR_CORRUPT, offset, "chunk entries: hash differs");
        goto out;
    }
    for (uint32_t i = 0; i < footer->ngroups; i++) {
        uint32_t nvalues = footer->groups[i].nrows;

        st = stoa_chunk_unpack(bytes + (size_t)i * STOA_CHUNK_NBYTES, &chunks[i], err);
        if (st == STOA_OK && column->place.below_list) /* others have a value a row */
            st = stoa_footer_nvalues(footer, number, i, &nvalues, err);
        if (st == STOA_OK)
            st = check_chunk(footer, column, i, nvalues, &chunks[i], err);
        if (st != STOA_OK) {
            stoa_wrap(err, st, "chunk entries: row group %" PRIu32, i);
            goto out;
        }
    }
    if (stoa_once_publish(&column->chunks, chunks) == chunks)
        chunks = NULL;
out:
    stoa_free(chunks);
    stoa_free(bytes);
    return st == STOA_OK ? st : stoa_footer_wrap(footer, number, st, err);
}

enum stoa_status stoa_footer_chunks(struct stoa_footer *footer, uint32_t number,
                                    const struct stoa_chunk **out, struct stoa_error *err)
{
    struct stoa_column *column;
    enum stoa_status st;

    STOA_TRY(stoa_footer_column(footer, number, &column, err));
    if (stoa_once_get(&column->chunks) == NULL)
        STOA_TRY(load_chunks(footer, number, column, err));
    *out = stoa_once_get(&column->chunks);
out:
    return st;
}

enum stoa_status stoa_footer_set_chunk(struct stoa_footer *footer, uint32_t number,
                                       const struct stoa_chunk *chunk, uint32_t nvalues,
                                       struct stoa_error *err)
{
    struct stoa_chunk *chunks = NULL;
    struct stoa_column *column;
    enum stoa_status st;

    STOA_TRY(stoa_footer_column(footer, number, &column, err));
    column->has_nvalues = true;
    column->nvalues = nvalues;
    STOA_TRY(stoa_footer_nvalues(footer, number, 0, &nvalues, err));
    STOA_TRY(check_chunk(footer, column, 0, nvalues, chunk, err));
    chunks = stoa_once_get(&column->chunks);
    if (chunks == NULL) {
        STOA_TRY(stoa_alloc_zeroed(&chunks, 1, sizeof(*chunks), err));
        (void)stoa_once_publish(&column->chunks, chunks);
    }
    *chunks = *chunk;
out:
    return st;
}

/* ---- Statistics. ---- */

enum stoa_status stoa_footer_stats(struct stoa_footer *footer, uint32_t number, const uint8_t **out,
                                   struct stoa_error *err)
{
    struct stoa_budget budget = {footer->memory_nbytes, footer->memory_nbytes};
    struct stoa_column *column;
    uint64_t nbytes;
    enum stoa_status st;

    STOA_TRY(stoa_footer_column(footer, number, &column, err));
    nbytes = stats_nbytes(footer, column);
    st = stoa_budget_take(&budget, nbytes, err);
    if (st == STOA_OK && nbytes > 0)
        st = stoa_footer_load(footer, &column->stats, column->entry.stats_off, nbytes,
                              column->entry.stats_hash, err);
    if (st != STOA_OK) {
        stoa_wrap(err, st, "statistics");
        stoa_footer_wrap(footer, number, st, err);
        goto out;
    }
    *out = stoa_once_get(&column->stats);
out:
    return st;
}

/* ---- Values of nodes below lists. ---- */

/* What the statistics say. */
static enum stoa_status stated_nvalues(struct stoa_footer *footer, uint32_t number, uint32_t group,
                                       uint64_t *nvalues, struct stoa_error *err)
{
    uint64_t entry =
        stoa_zone_entry(footer->ngroups, footer->nzones, STOA_ZONE_OF_ROW_GROUP, group, 0);
    struct stoa_column *column;
    const uint8_t *stats;
    enum stoa_status st;

    STOA_TRY(stoa_footer_column(footer, number, &column, err));
    if (column->has_nvalues || !column->place.below_list) {
        *nvalues = column->has_nvalues ? column->nvalues : footer->groups[group].nrows;
        return STOA_OK;
    }
    STOA_TRY(stoa_footer_stats(footer, number, &stats, err));
    *nvalues = stoa_load64(stats + (entry + 1) * column->entry.stats_stride - sizeof(*nvalues));
    if (*nvalues > STOA_CHUNK_MAX_NVALUES)
        return stoa_fail(err, STOA_ERR_CORRUPT, "statistics: %" PRIu64 " values", *nvalues);
out:
    return st;
}

enum stoa_status stoa_footer_nvalues(struct stoa_footer *footer, uint32_t number, uint32_t group,
                                     uint32_t *nvalues, struct stoa_error *err)
{
    struct stoa_column *column, *parent;
    uint64_t stated, expected;
    enum stoa_status st;

    STOA_TRY(stoa_footer_column(footer, number, &column, err));
    STOA_TRY(stated_nvalues(footer, number, group, &stated, err));
    if (column->place.below_list) { /* the values of a list are known when its lengths are read */
        STOA_TRY(stoa_footer_column(footer, column->place.parent, &parent, err));
        STOA_TRY(stated_nvalues(footer, column->place.parent, group, &expected, err));
        if (parent->field.type.id == STOA_FIXED_LIST)
            expected *= parent->field.type.width;
        if (!stoa_type_has_lengths(parent->place.type) && stated != expected) {
            st = stoa_fail(err, STOA_ERR_CORRUPT,
                           "%" PRIu64 " values, its parent asks for %" PRIu64, stated, expected);
            goto out;
        }
    }
    if (!column->place.below_list && stated != footer->groups[group].nrows) {
        st = stoa_fail(err, STOA_ERR_CORRUPT, "%" PRIu64 " values in %" PRIu32 " rows", stated,
                       footer->groups[group].nrows);
        goto out;
    }
    *nvalues = (uint32_t)stated;
out:
    return st;
}

/* ---- Names. ---- */

/* Whether the name of node `number` is these bytes. */
static enum stoa_status name_is(struct stoa_footer *footer, uint32_t number, const char *name,
                                size_t nbytes, bool *equal, struct stoa_error *err)
{
    uint8_t bytes[STOA_COLUMN_NBYTES];
    struct stoa_node node;
    const uint8_t *pool;
    size_t pool_nbytes;
    enum stoa_status st;

    *equal = false;
    STOA_TRY(stoa_footer_section_read(footer, STOA_SECTION_COLUMNS,
                                      (uint64_t)number * sizeof(bytes), bytes, sizeof(bytes), err));
    STOA_TRY(stoa_node_unpack(bytes, &node, err));
    STOA_TRY(stoa_footer_section_whole(footer, STOA_SECTION_POOL, &pool, &pool_nbytes, err));
    if (node.name_off > pool_nbytes || node.name_nbytes > pool_nbytes - node.name_off) {
        st = stoa_fail(err, STOA_ERR_CORRUPT, "column %" PRIu32 ": name outside the pool",
                       number + 1);
        goto out;
    }
    *equal = node.name_nbytes == nbytes &&
             (nbytes == 0 || memcmp(pool + node.name_off, name, nbytes) == 0);
out:
    return st;
}

static enum stoa_status column_of_node(const struct stoa_footer *footer, uint32_t number,
                                       uint32_t *column, struct stoa_error *err)
{
    *column = number;
    if (footer->tree.nodes == NULL)
        return STOA_OK;
    if (footer->tree.nodes[number].parent != STOA_NONE32)
        return stoa_fail(err, STOA_ERR_CORRUPT, "node %" PRIu32 ", which is no column", number);
    *column = footer->tree.nodes[number].column;
    return STOA_OK;
}

enum stoa_status stoa_footer_find(struct stoa_footer *footer, const char *name, uint32_t *column,
                                  struct stoa_error *err)
{
    uint64_t nslots = stoa_footer_section_count(footer, STOA_SECTION_NAMES);
    size_t nbytes = strlen(name);
    uint64_t slot = stoa_hash(name, nbytes);
    enum stoa_status st = STOA_OK;

    *column = STOA_NONE32;
    if ((nslots & (nslots - 1)) != 0 || nslots < footer->ncolumns * UINT64_C(2)) {
        st = stoa_fail(err, STOA_ERR_CORRUPT, "%" PRIu64 " slots for %" PRIu32 " columns", nslots,
                       footer->ncolumns);
        goto out;
    }
    for (uint64_t i = 0; i < nslots; i++, slot++) {
        uint8_t bytes[4];
        uint32_t number;
        bool equal;

        STOA_TRY(stoa_footer_section_read(footer, STOA_SECTION_NAMES, (slot & (nslots - 1)) * 4,
                                          bytes, sizeof(bytes), err));
        number = stoa_load32(bytes);
        if (number == 0)
            goto out;
        if (number > footer->trailer.nnodes) {
            st = stoa_fail(err, STOA_ERR_CORRUPT, "column %" PRIu32 " of %" PRIu32, number,
                           footer->trailer.nnodes);
            goto out;
        }
        STOA_TRY(name_is(footer, number - 1, name, nbytes, &equal, err));
        if (equal) {
            st = column_of_node(footer, number - 1, column, err);
            goto out;
        }
    }
out:
    return st == STOA_OK ? st : stoa_wrap(err, st, "name hash");
}
