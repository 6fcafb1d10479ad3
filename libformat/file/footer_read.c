/*
 * Opening a footer (spec/format.md, "Footer" and "Reading"), and reading its sections.
 *
 *     FOOT header | sections ... | section table | trailer
 *                                                  opened before: trailer_read.c
 *
 * From the trailer on everything is verified against a hash that stands in something verified
 * before, and every number is checked against the file's size before it allocates or loops.
 */
#include "file/footer.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"

enum {
    MAX_NSECTIONS = 255, /* types are bytes and rise */
    MAX_NNODES = 1 << 20,
    MAX_NGROUPS = 1 << 24,
};

/* Bytes of an element; 0: not fixed. BY_COLUMN sections are checked column by column. */
static const struct {
    uint8_t element_nbytes;
    bool by_column;
} section_shapes[STOA_SECTION_NTYPES] = {
    [STOA_SECTION_COLUMNS] = {.element_nbytes = STOA_COLUMN_NBYTES},
    [STOA_SECTION_NAMES] = {.element_nbytes = 4},
    [STOA_SECTION_POOL] = {.element_nbytes = 1},
    [STOA_SECTION_ROW_GROUPS] = {.element_nbytes = STOA_ROW_GROUP_NBYTES_ENTRY},
    [STOA_SECTION_CHUNKS] = {.element_nbytes = STOA_CHUNK_NBYTES, .by_column = true},
    [STOA_SECTION_STATISTICS] = {.by_column = true},
    [STOA_SECTION_DICTIONARIES] = {.element_nbytes = STOA_DICTDIR_NBYTES},
    [STOA_SECTION_METADATA] = {.element_nbytes = 1},
    [STOA_SECTION_SIDES] = {.element_nbytes = STOA_SIDEDIR_NBYTES},
    [STOA_SECTION_ORDER] = {.element_nbytes = STOA_ORDER_NBYTES},
};

enum stoa_status stoa_budget_take(struct stoa_budget *budget, uint64_t nbytes,
                                  struct stoa_error *err)
{
    if (nbytes > budget->left)
        return stoa_fail(err, STOA_ERR_LIMIT,
                         "needs more than the %" PRIu64 " bytes of memory that a read may take",
                         budget->total);
    budget->left -= nbytes;
    return STOA_OK;
}

enum stoa_status stoa_footer_read(const struct stoa_footer *footer, uint64_t offset, void *out,
                                  uint64_t nbytes, struct stoa_error *err)
{
    uint64_t begin = footer->trailer.footer_off + STOA_OBJECT_NBYTES;
    bool packed = footer->packed != NULL && offset >= begin;
    uint64_t size = packed ? stoa_trailer_body_end(&footer->trailer) : footer->source->nbytes;

    if (offset > size || nbytes > size - offset || nbytes > SIZE_MAX)
        return stoa_fail_at(err, STOA_ERR_CORRUPT, offset,
                            "%" PRIu64 " bytes at %" PRIu64 " of a file of %" PRIu64, nbytes,
                            offset, size);
    if (nbytes == 0)
        return STOA_OK;
    if (packed) {
        memcpy(out, footer->packed + (offset - begin), (size_t)nbytes);
        return STOA_OK;
    }
    if (footer->tail != NULL && offset >= footer->tail_off) {
        memcpy(out, footer->tail + (offset - footer->tail_off), (size_t)nbytes);
        return STOA_OK;
    }
    return footer->source->read_at(footer->source, offset, out, (size_t)nbytes, err);
}

/* Reads as much from `offset` on as there is room for; not to be had is no error. */
static void read_ahead(const struct stoa_footer *footer, struct stoa_near *near, uint64_t offset)
{
    const uint64_t left = footer->source->nbytes - offset;

    near->offset = offset;
    near->nbytes = left < sizeof(near->bytes) ? (size_t)left : sizeof(near->bytes);
    if (footer->source->read_at(footer->source, offset, near->bytes, near->nbytes, NULL) != STOA_OK)
        near->nbytes = 0;
}

/* Whether the block has all of [offset, offset + nbytes). */
static bool is_near(const struct stoa_near *near, uint64_t offset, uint64_t nbytes)
{
    return offset >= near->offset && offset - near->offset <= near->nbytes &&
           nbytes <= near->nbytes - (offset - near->offset);
}

enum stoa_status stoa_footer_read_near(const struct stoa_footer *footer, struct stoa_near *near,
                                       uint64_t offset, void *out, uint64_t nbytes,
                                       struct stoa_error *err)
{
    const uint64_t end = footer->tail != NULL ? footer->tail_off : footer->source->nbytes;

    if (near != NULL && nbytes <= sizeof(near->bytes) / 2 && offset < end &&
        nbytes <= end - offset) {
        if (!is_near(near, offset, nbytes))
            read_ahead(footer, near, offset);
        if (is_near(near, offset, nbytes)) {
            memcpy(out, near->bytes + (offset - near->offset), (size_t)nbytes);
            return STOA_OK;
        }
    }
    return stoa_footer_read(footer, offset, out, nbytes, err);
}

/* ---- The section table. ---- */

static const char *section_label(const struct stoa_section *section)
{
    const char *name = stoa_section_name(section->type);

    return name != NULL ? name : "of a newer version";
}

/*
 * Splits a section into its list of slice hashes and its content. A sliced section of n slices has
 * (n - 1) * 65,544 + 9 .. n * 65,544 bytes.
 */
static enum stoa_status set_slices(struct stoa_footer_section *section, struct stoa_error *err)
{
    const struct stoa_section *entry = &section->entry;
    uint64_t per_slice = STOA_SLICE_NBYTES + 8, nslices = 1;

    if (entry->flags & STOA_SECTION_BY_COLUMN) {
        section->content_off = entry->offset;
        section->content_nbytes = entry->nbytes;
        return STOA_OK;
    }
    if (entry->flags & STOA_SECTION_SLICED) {
        uint64_t last = entry->nbytes % per_slice;

        nslices = entry->nbytes / per_slice + (last != 0);
        if (entry->nbytes == 0 || (last != 0 && last <= 8) || nslices > UINT32_MAX)
            return stoa_fail(err, STOA_ERR_CORRUPT, "%" PRIu64 " bytes in slices", entry->nbytes);
        section->content_off = entry->offset + 8 * nslices;
        section->content_nbytes = entry->nbytes - 8 * nslices;
    } else {
        if (entry->nbytes > STOA_SLICE_NBYTES)
            return stoa_fail(err, STOA_ERR_CORRUPT, "%" PRIu64 " bytes and not in slices",
                             entry->nbytes);
        section->content_off = entry->offset;
        section->content_nbytes = entry->nbytes;
    }
    section->nslices = (uint32_t)nslices;
    return stoa_alloc_zeroed(&section->slices, section->nslices, sizeof(*section->slices), err);
}

/* Comes first: the length decides how many slices there are, and these are allocated. */
static enum stoa_status check_range(const struct stoa_footer *footer,
                                    const struct stoa_section *entry, uint64_t end,
                                    struct stoa_error *err)
{
    uint64_t begin = footer->trailer.footer_off + STOA_OBJECT_NBYTES;

    if (entry->offset < begin || entry->offset > end || entry->nbytes > end - entry->offset)
        return stoa_fail(err, STOA_ERR_CORRUPT,
                         "%" PRIu64 " bytes at %" PRIu64 " are not inside the footer",
                         entry->nbytes, entry->offset);
    return STOA_OK;
}

static enum stoa_status check_section(const struct stoa_footer *footer,
                                      const struct stoa_footer_section *section,
                                      struct stoa_error *err)
{
    const struct stoa_section *entry = &section->entry;
    bool by_column = entry->flags & STOA_SECTION_BY_COLUMN;
    uint64_t count = entry->count;

    if (stoa_section_name(entry->type) == NULL)
        return STOA_OK; /* not required and not known */
    if (section_shapes[entry->type].by_column != by_column)
        return stoa_fail(err, STOA_ERR_CORRUPT, "flag BY_COLUMN is %s",
                         by_column ? "set" : "clear");
    if (section_shapes[entry->type].element_nbytes != 0 &&
        section->content_nbytes != count * section_shapes[entry->type].element_nbytes)
        return stoa_fail(err, STOA_ERR_CORRUPT, "%" PRIu64 " bytes for %" PRIu32 " elements",
                         section->content_nbytes, entry->count);
    if (entry->type == STOA_SECTION_COLUMNS && entry->count != footer->trailer.nnodes)
        return stoa_fail(err, STOA_ERR_CORRUPT, "%" PRIu32 " columns, the trailer says %" PRIu32,
                         entry->count, footer->trailer.nnodes);
    return STOA_OK;
}

/* Sections may lie in any order; few enough to look at each pair. */
static enum stoa_status check_overlap(const struct stoa_footer *footer, uint32_t n,
                                      struct stoa_error *err)
{
    const struct stoa_section *a = &footer->sections[n].entry;

    for (uint32_t i = 0; i < n; i++) {
        const struct stoa_section *b = &footer->sections[i].entry;

        if (a->offset < b->offset + b->nbytes && b->offset < a->offset + a->nbytes)
            return stoa_fail(err, STOA_ERR_CORRUPT, "overlaps section %s", section_label(b));
    }
    return STOA_OK;
}

static enum stoa_status open_section(struct stoa_footer *footer, uint32_t n, const uint8_t *bytes,
                                     uint64_t table_off, struct stoa_error *err)
{
    struct stoa_footer_section *section = &footer->sections[n];
    enum stoa_status st;

    STOA_TRY(stoa_section_unpack(bytes, &section->entry, err));
    if (n > 0 && section->entry.type <= footer->sections[n - 1].entry.type)
        return stoa_fail(err, STOA_ERR_CORRUPT, "section %s: out of order",
                         section_label(&section->entry));
    st = check_range(footer, &section->entry, table_off, err);
    if (st == STOA_OK)
        st = set_slices(section, err);
    if (st == STOA_OK)
        st = check_section(footer, section, err);
    if (st == STOA_OK)
        st = check_overlap(footer, n, err);
    if (st != STOA_OK)
        return stoa_wrap(err, st, "section %s", section_label(&section->entry));
    if (section->entry.type < STOA_SECTION_NTYPES)
        footer->by_type[section->entry.type] = section;
out:
    return st;
}

static enum stoa_status open_sections(struct stoa_footer *footer, struct stoa_error *err)
{
    const struct stoa_trailer *trailer = &footer->trailer;
    uint64_t nbytes = (uint64_t)trailer->nsections * STOA_SECTION_NBYTES;
    uint64_t table_off = stoa_trailer_body_end(trailer) - nbytes;
    uint8_t table[MAX_NSECTIONS * STOA_SECTION_NBYTES];
    enum stoa_status st;

    if (trailer->nsections > MAX_NSECTIONS)
        return stoa_fail_at(err, STOA_ERR_CORRUPT, table_off, "trailer: %" PRIu32 " sections",
                            trailer->nsections);
    STOA_TRY(stoa_footer_read(footer, table_off, table, nbytes, err));
    if (stoa_hash(table, nbytes) != trailer->table_hash)
        return stoa_fail_at(err, STOA_ERR_CORRUPT, table_off, "section table: hash differs");
    STOA_TRY(stoa_alloc_zeroed(&footer->sections, trailer->nsections + 1u,
                               sizeof(*footer->sections), err));
    for (uint32_t i = 0; i < trailer->nsections; i++) {
        st = open_section(footer, i, table + (size_t)i * STOA_SECTION_NBYTES, table_off, err);
        if (st != STOA_OK) {
            if (err != NULL)
                err->offset = table_off + (uint64_t)i * STOA_SECTION_NBYTES;
            goto out;
        }
    }
out:
    return st;
}

/* ---- Verified bytes of a section. ---- */

static enum stoa_status read_verified(const struct stoa_footer *footer, uint64_t offset,
                                      uint8_t *out, uint64_t nbytes, uint64_t hash,
                                      struct stoa_error *err)
{
    enum stoa_status st = stoa_footer_read(footer, offset, out, nbytes, err);

    if (st == STOA_OK && stoa_hash(out, (size_t)nbytes) != hash)
        st = stoa_fail_at(err, STOA_ERR_CORRUPT, offset, "hash differs");
    return st;
}

enum stoa_status stoa_footer_load(const struct stoa_footer *footer, struct stoa_once *once,
                                  uint64_t offset, uint64_t nbytes, uint64_t hash,
                                  struct stoa_error *err)
{
    uint8_t *mine = NULL;
    enum stoa_status st = STOA_OK;

    if (stoa_once_get(once) != NULL)
        return STOA_OK;
    if (nbytes > footer->source->nbytes && nbytes > footer->trailer.packed_nbytes)
        return stoa_fail_at(err, STOA_ERR_CORRUPT, offset,
                            "%" PRIu64 " bytes in a file of %" PRIu64, nbytes,
                            footer->source->nbytes);
    STOA_TRY(stoa_alloc(&mine, (size_t)nbytes, err));
    STOA_TRY(read_verified(footer, offset, mine, nbytes, hash, err));
    if (stoa_once_publish(once, mine) == mine)
        mine = NULL;
out:
    stoa_free(mine);
    return st;
}

static uint64_t slice_nbytes(const struct stoa_footer_section *section, uint32_t slice)
{
    uint64_t rest = section->content_nbytes - (uint64_t)slice * STOA_SLICE_NBYTES;

    return rest < STOA_SLICE_NBYTES ? rest : STOA_SLICE_NBYTES;
}

static enum stoa_status slice_hash(const struct stoa_footer *footer,
                                   struct stoa_footer_section *section, uint32_t slice,
                                   uint64_t *hash, struct stoa_error *err)
{
    const uint8_t *list;
    enum stoa_status st = STOA_OK;

    if (!(section->entry.flags & STOA_SECTION_SLICED)) {
        *hash = section->entry.hash;
        return STOA_OK;
    }
    STOA_TRY(stoa_footer_load(footer, &section->hashes, section->entry.offset,
                              (uint64_t)section->nslices * 8, section->entry.hash, err));
    list = stoa_once_get(&section->hashes);
    *hash = stoa_load64(list + (size_t)slice * 8);
out:
    return st;
}

static enum stoa_status load_slice(const struct stoa_footer *footer,
                                   struct stoa_footer_section *section, uint32_t slice,
                                   const uint8_t **out, struct stoa_error *err)
{
    struct stoa_once *once = &section->slices[slice];
    uint64_t hash;
    enum stoa_status st = STOA_OK;

    if (stoa_once_get(once) == NULL) {
        STOA_TRY(slice_hash(footer, section, slice, &hash, err));
        STOA_TRY(stoa_footer_load(footer, once,
                                  section->content_off + (uint64_t)slice * STOA_SLICE_NBYTES,
                                  slice_nbytes(section, slice), hash, err));
    }
    *out = stoa_once_get(once);
out:
    return st;
}

/* Slices from the cursor where there is one, else from what is kept. */
static enum stoa_status get_slice(const struct stoa_footer *footer,
                                  struct stoa_footer_section *section,
                                  struct stoa_section_cursor *cursor, uint32_t slice,
                                  const uint8_t **out, struct stoa_error *err)
{
    uint64_t hash;
    enum stoa_status st;

    *out = stoa_once_get(&section->slices[slice]);
    if (*out != NULL)
        return STOA_OK;
    if (cursor == NULL)
        return load_slice(footer, section, slice, out, err);
    if (!cursor->is_loaded || cursor->slice != slice) {
        cursor->is_loaded = false;
        if (cursor->bytes == NULL)
            STOA_TRY(stoa_alloc(&cursor->bytes, STOA_SLICE_NBYTES, err));
        STOA_TRY(slice_hash(footer, section, slice, &hash, err));
        STOA_TRY(read_verified(footer, section->content_off + (uint64_t)slice * STOA_SLICE_NBYTES,
                               cursor->bytes, slice_nbytes(section, slice), hash, err));
        cursor->is_loaded = true;
        cursor->slice = slice;
    }
    *out = cursor->bytes;
    st = STOA_OK;
out:
    return st;
}

void stoa_section_cursor_reset(struct stoa_section_cursor *cursor)
{
    stoa_free(cursor->bytes);
    *cursor = (struct stoa_section_cursor){0};
}

enum stoa_status stoa_footer_section_pass(struct stoa_footer *footer, enum stoa_section_type type,
                                          struct stoa_section_cursor *cursor, uint64_t offset,
                                          void *out, uint64_t nbytes, struct stoa_error *err)
{
    struct stoa_footer_section *section = footer->by_type[type];
    uint64_t size = section == NULL ? 0 : section->content_nbytes;
    uint8_t *to = out;
    enum stoa_status st = STOA_OK;

    if (offset > size || nbytes > size - offset) {
        st = stoa_fail(err, STOA_ERR_CORRUPT, "%" PRIu64 " bytes at %" PRIu64 " of %" PRIu64,
                       nbytes, offset, size);
        goto out;
    }
    while (nbytes > 0) {
        uint64_t in_slice = offset % STOA_SLICE_NBYTES;
        uint64_t n = STOA_SLICE_NBYTES - in_slice;
        const uint8_t *slice;

        STOA_TRY(get_slice(footer, section, cursor, (uint32_t)(offset / STOA_SLICE_NBYTES), &slice,
                           err));
        if (n > nbytes)
            n = nbytes;
        memcpy(to, slice + in_slice, (size_t)n);
        to += n;
        offset += n;
        nbytes -= n;
    }
out:
    return st == STOA_OK ? st : stoa_wrap(err, st, "section %s", stoa_section_name(type));
}

enum stoa_status stoa_footer_section_read(struct stoa_footer *footer, enum stoa_section_type type,
                                          uint64_t offset, void *out, uint64_t nbytes,
                                          struct stoa_error *err)
{
    return stoa_footer_section_pass(footer, type, NULL, offset, out, nbytes, err);
}

enum stoa_status stoa_footer_section_whole(struct stoa_footer *footer, enum stoa_section_type type,
                                           const uint8_t **out, size_t *nbytes,
                                           struct stoa_error *err)
{
    struct stoa_footer_section *section = footer->by_type[type];
    struct stoa_budget budget = {footer->memory_nbytes, footer->memory_nbytes};
    uint8_t *mine = NULL;
    uint64_t hash;
    enum stoa_status st = STOA_OK;

    *out = NULL;
    *nbytes = 0;
    if (section == NULL)
        return STOA_OK;
    if (stoa_once_get(&section->whole) == NULL) {
        STOA_TRY(stoa_budget_take(&budget, section->content_nbytes, err));
        STOA_TRY(stoa_alloc(&mine, (size_t)section->content_nbytes, err));
        for (uint32_t i = 0; i < section->nslices; i++) {
            uint64_t begin = (uint64_t)i * STOA_SLICE_NBYTES;

            STOA_TRY(slice_hash(footer, section, i, &hash, err));
            STOA_TRY(read_verified(footer, section->content_off + begin, mine + begin,
                                   slice_nbytes(section, i), hash, err));
        }
        if (stoa_once_publish(&section->whole, mine) == mine)
            mine = NULL;
    }
    *out = stoa_once_get(&section->whole);
    *nbytes = (size_t)section->content_nbytes;
out:
    stoa_free(mine);
    return st == STOA_OK ? st : stoa_wrap(err, st, "section %s", stoa_section_name(type));
}

enum stoa_status stoa_footer_section_verify(struct stoa_footer *footer, uint32_t n,
                                            struct stoa_error *err)
{
    struct stoa_footer_section *section = &footer->sections[n];
    const bool is_large = (section->entry.flags & STOA_SECTION_SLICED) != 0;
    struct stoa_section_cursor cursor = {0};
    const uint8_t *slice;
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 0; st == STOA_OK && i < section->nslices; i++)
        st = get_slice(footer, section, is_large ? &cursor : NULL, i, &slice, err);
    stoa_section_cursor_reset(&cursor);
    return st == STOA_OK ? st : stoa_wrap(err, st, "section %s", section_label(&section->entry));
}

uint64_t stoa_footer_section_count(const struct stoa_footer *footer, enum stoa_section_type type)
{
    return footer->by_type[type] == NULL ? 0 : footer->by_type[type]->entry.count;
}

/* ---- The row-group table. ---- */

/* Row groups follow each other in the file and in rows, and their zones are counted through. */
static enum stoa_status check_group(const struct stoa_footer *footer, uint32_t n,
                                    uint64_t first_row, struct stoa_error *err)
{
    const struct stoa_row_group_entry *group = &footer->groups[n];
    uint64_t begin = n == 0 ? 0 : footer->groups[n - 1].offset;
    uint64_t need = STOA_OBJECT_NBYTES + (uint64_t)footer->trailer.nnodes * STOA_RG_ENTRY_NBYTES;

    if (group->offset < begin || group->offset - begin < (n == 0 ? STOA_OBJECT_NBYTES : need) ||
        group->offset > footer->trailer.footer_off ||
        footer->trailer.footer_off - group->offset < need)
        return stoa_fail(err, STOA_ERR_CORRUPT, "at %" PRIu64 ", where it can't be", group->offset);
    if (group->first_row != first_row)
        return stoa_fail(err, STOA_ERR_CORRUPT, "first row %" PRIu64 ", must be %" PRIu64,
                         group->first_row, first_row);
    if (group->first_zone != footer->nzones)
        return stoa_fail(err, STOA_ERR_CORRUPT, "first zone %" PRIu64 ", must be %" PRIu64,
                         group->first_zone, footer->nzones);
    return STOA_OK;
}

static enum stoa_status open_groups(struct stoa_footer *footer, struct stoa_error *err)
{
    uint64_t ngroups = stoa_footer_section_count(footer, STOA_SECTION_ROW_GROUPS);
    uint64_t nrows = 0;
    struct stoa_budget budget = {footer->memory_nbytes, footer->memory_nbytes};
    uint8_t bytes[STOA_ROW_GROUP_NBYTES_ENTRY];
    enum stoa_status st;

    if (ngroups > MAX_NGROUPS)
        return stoa_fail(err, STOA_ERR_CORRUPT, "%" PRIu64 " row groups", ngroups);
    STOA_TRY(stoa_budget_take(&budget, ngroups * sizeof(*footer->groups), err));
    STOA_TRY(stoa_alloc_zeroed(&footer->groups, (size_t)ngroups, sizeof(*footer->groups), err));
    for (uint32_t i = 0; i < ngroups; i++) {
        STOA_TRY(stoa_footer_section_read(footer, STOA_SECTION_ROW_GROUPS,
                                          (uint64_t)i * sizeof(bytes), bytes, sizeof(bytes), err));
        st = stoa_row_group_entry_unpack(bytes, &footer->groups[i], err);
        if (st == STOA_OK)
            st = check_group(footer, i, nrows, err);
        if (st != STOA_OK)
            return stoa_wrap(err, st, "row group %" PRIu32, i);
        nrows += footer->groups[i].nrows;
        footer->nzones += (footer->groups[i].nrows + UINT64_C(8191)) / STOA_ZONE_NROWS;
    }
    footer->ngroups = (uint32_t)ngroups;
    if (nrows != footer->trailer.nrows)
        return stoa_fail(err, STOA_ERR_CORRUPT,
                         "row groups have %" PRIu64 " rows, the trailer says %" PRIu64, nrows,
                         footer->trailer.nrows);
out:
    return st;
}

/*
 * Sections that have a part for each column are large enough for that. So parts that overlap can't
 * make a small file take much memory: what is loaded of all columns is a small multiple of the
 * file.
 */
static enum stoa_status check_by_column(const struct stoa_footer *footer, struct stoa_error *err)
{
    uint64_t nnodes = footer->trailer.nnodes;
    uint64_t nchunks = stoa_footer_section_count(footer, STOA_SECTION_CHUNKS);
    uint64_t nzones = stoa_footer_section_count(footer, STOA_SECTION_STATISTICS);
    const struct stoa_footer_section *stats = footer->by_type[STOA_SECTION_STATISTICS];

    if (nchunks != nnodes * footer->ngroups)
        return stoa_fail(err, STOA_ERR_CORRUPT,
                         "section chunks: %" PRIu64 " entries of %" PRIu64 " columns in %" PRIu32
                         " row groups",
                         nchunks, nnodes, footer->ngroups);
    if (stats != NULL && (nzones != footer->nzones || stats->entry.nbytes / 8 < nnodes))
        return stoa_fail(err, STOA_ERR_CORRUPT,
                         "section statistics: %" PRIu64 " bytes for %" PRIu64 " zones of %" PRIu64
                         " columns",
                         stats->entry.nbytes, nzones, nnodes);
    return STOA_OK;
}

uint64_t stoa_footer_group_end(const struct stoa_footer *footer, uint32_t group)
{
    return group + 1 < footer->ngroups ? footer->groups[group + 1].offset
                                       : footer->trailer.footer_off;
}

/* The tree of a file with nested columns; in others a node is a column. */
static enum stoa_status open_tree(struct stoa_footer *footer, struct stoa_error *err)
{
    uint32_t nnodes = footer->trailer.nnodes;
    struct stoa_budget budget = {footer->memory_nbytes, footer->memory_nbytes};
    struct stoa_node *nodes = NULL;
    enum stoa_status st = STOA_OK;

    footer->ncolumns = nnodes;
    if (!(footer->trailer.features & STOA_FEATURE_NESTED))
        return STOA_OK;
    STOA_TRY(
        stoa_budget_take(&budget, nnodes * (sizeof(*nodes) + sizeof(*footer->tree.nodes)), err));
    STOA_TRY(stoa_footer_nodes(footer, &nodes, err));
    st = stoa_tree_init(&footer->tree, nodes, nnodes, err);
    if (st != STOA_OK)
        stoa_wrap(err, st, "schema");
    footer->ncolumns = footer->tree.ncolumns;
out:
    stoa_free(nodes);
    return st;
}

/* ---- Open and reset. ---- */

enum stoa_status stoa_footer_open(struct stoa_footer *footer, struct stoa_source *source,
                                  uint64_t memory_nbytes, struct stoa_error *err)
{
    enum stoa_status st;

    footer->source = source;
    footer->memory_nbytes = memory_nbytes;
    STOA_TRY(stoa_footer_open_trailer(footer, err));
    STOA_TRY(open_sections(footer, err));
    if (footer->trailer.nnodes > MAX_NNODES ||
        footer->trailer.nnodes != stoa_footer_section_count(footer, STOA_SECTION_COLUMNS)) {
        st = stoa_fail(
            err, STOA_ERR_CORRUPT, "trailer: %" PRIu32 " columns, the directory has %" PRIu64,
            footer->trailer.nnodes, stoa_footer_section_count(footer, STOA_SECTION_COLUMNS));
        goto out;
    }
    STOA_TRY(open_groups(footer, err));
    STOA_TRY(check_by_column(footer, err));
    STOA_TRY(
        stoa_alloc_zeroed(&footer->columns, footer->trailer.nnodes, sizeof(*footer->columns), err));
    STOA_TRY(open_tree(footer, err));
out:
    if (st != STOA_OK)
        stoa_footer_reset(footer);
    return st;
}

void stoa_footer_reset(struct stoa_footer *footer)
{
    for (uint32_t i = 0; footer->sections != NULL && i < footer->trailer.nsections; i++) {
        struct stoa_footer_section *section = &footer->sections[i];

        stoa_free(stoa_once_get(&section->hashes));
        stoa_free(stoa_once_get(&section->whole));
        stoa_free(stoa_once_get(&section->notes));
        for (uint32_t k = 0; section->slices != NULL && k < section->nslices; k++)
            stoa_free(stoa_once_get(&section->slices[k]));
        stoa_free(section->slices);
    }
    for (uint32_t i = 0; footer->columns != NULL && i < footer->trailer.nnodes; i++)
        stoa_column_free(stoa_once_get(&footer->columns[i]));
    stoa_tree_reset(&footer->tree);
    stoa_free(footer->columns);
    stoa_free(footer->sections);
    stoa_free(footer->groups);
    stoa_free(footer->packed);
    stoa_free(footer->tail);
    *footer = (struct stoa_footer){0};
}
