/*
 * The order is that of the tree of hashes (spec/format.md, section 2), upwards: pages, heads of
 * chunks, chunk entries and directories, statistics, dictionary segments, headers of objects,
 * row-group table, sections, section table, trailer.
 */
#include "support/rehash.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "file/layout.h"

struct file {
    uint8_t *bytes;
    size_t nbytes;
    uint64_t footer_off;
    uint8_t *table; /* of sections */
    uint32_t nsections;
    bool is_nested;
    bool is_packed; /* the footer, whose sections stay as they are then */
};

/* A section; `bytes` is NULL when it is not there or not inside the file. */
struct section {
    uint8_t *bytes; /* of the content */
    uint64_t nbytes;
};

static bool inside(const struct file *file, uint64_t offset, uint64_t nbytes)
{
    return offset <= file->nbytes && nbytes <= file->nbytes - offset;
}

static void put_hash(uint8_t *out, const uint8_t *bytes, uint64_t nbytes)
{
    stoa_store64(out, stoa_hash(bytes, (size_t)nbytes));
}

static uint64_t nslices_of(uint64_t nbytes)
{
    return nbytes / (STOA_SLICE_NBYTES + 8) + (nbytes % (STOA_SLICE_NBYTES + 8) != 0);
}

static struct section find(const struct file *file, unsigned type)
{
    for (uint32_t i = 0; i < file->nsections; i++) {
        const uint8_t *entry = file->table + (size_t)i * STOA_SECTION_NBYTES;
        uint64_t offset = stoa_load64(entry + 8), nbytes = stoa_load64(entry + 16);
        uint64_t list = entry[1] & STOA_SECTION_SLICED ? 8 * nslices_of(nbytes) : 0;

        if (entry[0] == type && inside(file, offset, nbytes) && list <= nbytes)
            return (struct section){file->bytes + offset + list, nbytes - list};
    }
    return (struct section){0};
}

/* A table of pages that follow it up to `end`; its entries have entry_nbytes bytes. */
static void rehash_pages(uint8_t *table, uint64_t npages, size_t entry_nbytes, const uint8_t *end)
{
    const uint8_t *pages = table + npages * entry_nbytes;
    uint64_t begin = 0;

    for (uint64_t k = 0; k < npages; k++) {
        uint8_t *entry = table + k * entry_nbytes;
        uint64_t stop = stoa_load32(entry);

        if (stop < begin || stop > (uint64_t)(end - pages))
            return;
        put_hash(entry + 8, pages + begin, stop - begin);
        begin = stop;
    }
}

/*
 * The chunk of a 32-byte entry; its hash goes there and into the directory of the row group, which
 * knows how many values it has when columns are nested.
 */
static void rehash_chunk(const struct file *file, uint8_t *entry, uint64_t group_off,
                         uint32_t nvalues, uint32_t node, uint8_t type)
{
    uint64_t offset = stoa_load64(entry), nbytes = stoa_load32(entry + 8), head;
    uint64_t in_dir = group_off + STOA_OBJECT_NBYTES + (uint64_t)node * STOA_RG_ENTRY_NBYTES;
    bool has_dir =
        inside(file, group_off, STOA_OBJECT_NBYTES) && inside(file, in_dir, STOA_RG_ENTRY_NBYTES);
    uint32_t npages;

    if (has_dir && file->is_nested)
        nvalues = stoa_load32(file->bytes + in_dir + 12);
    npages = stoa_chunk_npages(entry[31], entry[28] & 31, nvalues);
    head = (uint64_t)npages * stoa_page_entry_nbytes(type);
    if (npages == 0 || !inside(file, offset, nbytes))
        return;
    if (npages == 1)
        head = nbytes;
    else if (head > nbytes)
        return;
    else
        rehash_pages(file->bytes + offset, npages, stoa_page_entry_nbytes(type),
                     file->bytes + offset + nbytes);
    put_hash(entry + 16, file->bytes + offset, head);
    if (has_dir)
        memcpy(file->bytes + in_dir + 24, entry + 16, 8);
}

static void rehash_columns(const struct file *file)
{
    struct section columns = find(file, STOA_SECTION_COLUMNS);
    struct section groups = find(file, STOA_SECTION_ROW_GROUPS);
    uint64_t ngroups = groups.nbytes / STOA_ROW_GROUP_NBYTES_ENTRY;

    for (uint64_t i = 0; i < columns.nbytes / STOA_COLUMN_NBYTES; i++) {
        uint8_t *column = columns.bytes + i * STOA_COLUMN_NBYTES;
        uint64_t chunks = stoa_load64(column + 24), stats = stoa_load64(column + 40);
        uint64_t nchunks = ngroups * STOA_CHUNK_NBYTES, stats_end = file->nbytes;
        uint64_t nzones = 0, nentries;

        for (uint64_t g = 0; g < ngroups; g++) {
            const uint8_t *group = groups.bytes + g * STOA_ROW_GROUP_NBYTES_ENTRY;
            uint32_t nrows = stoa_load32(group + 32);

            nzones += (nrows + UINT64_C(8191)) / 8192;
            if (inside(file, chunks, nchunks))
                rehash_chunk(file, file->bytes + chunks + g * STOA_CHUNK_NBYTES, stoa_load64(group),
                             nrows, (uint32_t)i, column[6]);
        }
        if (inside(file, chunks, nchunks))
            put_hash(column + 32, file->bytes + chunks, nchunks);
        nentries = (ngroups > 0) + (ngroups > 1 ? ngroups : 0) + (nzones > ngroups ? nzones : 0);
        if (stats <= stats_end && nentries * stoa_load16(column + 56) <= stats_end - stats)
            put_hash(column + 48, file->bytes + stats, nentries * stoa_load16(column + 56));
    }
}

static void rehash_segment(const struct file *file, uint8_t *entry, uint64_t offset)
{
    uint64_t npages = (stoa_load32(entry + 40) + UINT64_C(4095)) / STOA_DICT_PAGE_NVALUES;
    uint64_t dir = STOA_DICT_HEAD_NBYTES + npages * STOA_PAGE_ENTRY_NBYTES;

    if (!inside(file, offset, STOA_OBJECT_NBYTES) ||
        !inside(file, offset + STOA_OBJECT_NBYTES, dir))
        return;
    rehash_pages(file->bytes + offset + STOA_OBJECT_NBYTES + STOA_DICT_HEAD_NBYTES, npages,
                 STOA_PAGE_ENTRY_NBYTES, file->bytes + file->nbytes);
    put_hash(entry + 24, file->bytes + offset + STOA_OBJECT_NBYTES, dir);
}

static void rehash_dictionaries(const struct file *file)
{
    struct section section = find(file, STOA_SECTION_DICTIONARIES);

    for (uint64_t i = 0; i < section.nbytes / STOA_DICTDIR_NBYTES; i++) {
        uint8_t *entry = section.bytes + i * STOA_DICTDIR_NBYTES;

        rehash_segment(file, entry, stoa_load64(entry + 16));
        rehash_segment(file, entry, stoa_load64(entry + 8));
    }
}

/* The id of a schema whose body has ndir bytes; that of a packed one stays as it is. */
static void set_schema_id(const struct file *file, uint8_t *header, uint64_t body, uint64_t ndir)
{
    uint64_t need;

    if (ndir < STOA_SCHEMA_HEAD_NBYTES || !inside(file, body, ndir))
        return;
    need = STOA_SCHEMA_HEAD_NBYTES + stoa_load32(file->bytes + body + 8) +
           (uint64_t)stoa_load32(file->bytes + body) * STOA_NODE_NBYTES;
    if (ndir >= need)
        memcpy(header + 40, header + 48, 8);
}

/* Pages, heads and entries of the chunks of a side table; `dir` is its directory. */
static void rehash_side(const struct file *file, uint64_t object, uint64_t ndir)
{
    uint64_t dir = object + STOA_OBJECT_NBYTES, at = 0;

    if (!inside(file, dir, ndir))
        return;
    while (ndir - at >= STOA_SIDE_ENTRY_NBYTES) {
        uint8_t *entry = file->bytes + dir + at;
        uint64_t offset, nbytes, npages, head;

        at += STOA_SIDE_ENTRY_NBYTES;
        if (!(entry[0] & 8))
            continue;
        if (ndir - at < STOA_RG_ENTRY_NBYTES)
            return;
        at += STOA_RG_ENTRY_NBYTES;
        entry += STOA_SIDE_ENTRY_NBYTES;
        offset = object + (stoa_load64(entry) & UINT32_MAX);
        nbytes = stoa_load32(entry + 8);
        npages = stoa_chunk_npages(entry[23], entry[20] & 31, stoa_load32(entry + 12));
        head = npages * STOA_PAGE_ENTRY_NBYTES;
        if (npages == 0 || !inside(file, offset, nbytes) || (npages > 1 && head > nbytes))
            continue;
        if (npages > 1)
            rehash_pages(file->bytes + offset, npages, STOA_PAGE_ENTRY_NBYTES,
                         file->bytes + offset + nbytes);
        put_hash(entry + 24, file->bytes + offset, npages > 1 ? head : nbytes);
    }
}

/* Headers and directories of all objects from the front on; the footer's comes last. */
static void rehash_objects(const struct file *file)
{
    uint64_t at = 0, schema_id = 0, group_hash = 0;

    while (inside(file, at, STOA_OBJECT_NBYTES) && at <= file->footer_off) {
        uint8_t *header = file->bytes + at;
        uint64_t body = stoa_load64(header + 16), ndir = stoa_load32(header + 28);
        uint64_t dir = at + STOA_OBJECT_NBYTES;

        if (at == file->footer_off && !file->is_packed)
            dir = (uint64_t)(file->table - file->bytes);
        if (header[8] == STOA_OBJECT_SIDE) {
            rehash_side(file, at, ndir);
            stoa_store64(header + 40, group_hash);
        }
        stoa_store64(header + 48, 0);
        if (ndir > 0 && inside(file, dir, ndir))
            put_hash(header + 48, file->bytes + dir, ndir);
        if (header[8] == STOA_OBJECT_SCHEMA) {
            set_schema_id(file, header, dir, ndir);
            schema_id = stoa_load64(header + 40);
        } else if (header[8] == STOA_OBJECT_ROW_GROUP) {
            stoa_store64(header + 40, schema_id);
        }
        put_hash(header + 56, header, 56);
        if (header[8] == STOA_OBJECT_ROW_GROUP)
            group_hash = stoa_load64(header + 56);
        if (!inside(file, at + STOA_OBJECT_NBYTES, body))
            return;
        at += STOA_OBJECT_NBYTES + body;
    }
}

static void rehash_group_table(const struct file *file)
{
    struct section groups = find(file, STOA_SECTION_ROW_GROUPS);

    for (uint64_t g = 0; g < groups.nbytes / STOA_ROW_GROUP_NBYTES_ENTRY; g++) {
        uint8_t *entry = groups.bytes + g * STOA_ROW_GROUP_NBYTES_ENTRY;
        uint64_t offset = stoa_load64(entry);

        if (inside(file, offset, STOA_OBJECT_NBYTES))
            memcpy(entry + 8, file->bytes + offset + 56, 8);
    }
}

static void rehash_side_table(const struct file *file)
{
    struct section sides = find(file, STOA_SECTION_SIDES);

    for (uint64_t i = 0; i < sides.nbytes / STOA_SIDEDIR_NBYTES; i++) {
        uint8_t *entry = sides.bytes + i * STOA_SIDEDIR_NBYTES;
        uint64_t offset = stoa_load64(entry);

        if (inside(file, offset, STOA_OBJECT_NBYTES))
            memcpy(entry + 8, file->bytes + offset + 56, 8);
    }
}

static void rehash_sections(const struct file *file)
{
    for (uint32_t i = 0; i < file->nsections; i++) {
        uint8_t *entry = file->table + (size_t)i * STOA_SECTION_NBYTES;
        uint64_t offset = stoa_load64(entry + 8), nbytes = stoa_load64(entry + 16);
        uint64_t nslices = nslices_of(nbytes), list = 8 * nslices;
        uint8_t *bytes;

        if (!inside(file, offset, nbytes) || (entry[1] & STOA_SECTION_BY_COLUMN))
            continue;
        bytes = file->bytes + offset;
        if (!(entry[1] & STOA_SECTION_SLICED)) {
            put_hash(entry + 24, bytes, nbytes);
            continue;
        }
        for (uint64_t k = 0; k < nslices && list < nbytes; k++) {
            uint64_t begin = list + k * STOA_SLICE_NBYTES, rest = nbytes - begin;

            if (begin > nbytes)
                break;
            put_hash(bytes + 8 * k, bytes + begin,
                     rest < STOA_SLICE_NBYTES ? rest : STOA_SLICE_NBYTES);
        }
        if (list <= nbytes)
            put_hash(entry + 24, bytes, list);
    }
}

void stoa_test_rehash(uint8_t *bytes, size_t nbytes)
{
    static const uint8_t magic[STOA_MAGIC_NBYTES] = {0x8b, 'S', 'T', 'O', 'A', '\r', '\n', 0x1a};
    struct file file = {.bytes = bytes, .nbytes = nbytes};
    uint8_t *trailer;

    if (nbytes < STOA_OBJECT_NBYTES + STOA_TRAILER_NBYTES)
        return;
    trailer = bytes + nbytes - STOA_TRAILER_NBYTES;
    memcpy(bytes, magic, sizeof(magic));
    for (size_t i = 0; i < sizeof(magic); i++)
        trailer[56 + i] = magic[sizeof(magic) - 1 - i];
    stoa_store64(trailer + 8, nbytes);
    file.footer_off = stoa_load64(trailer);
    file.nsections = stoa_load32(trailer + 24);
    file.is_nested = stoa_load32(trailer + 28) & STOA_FEATURE_NESTED;
    file.is_packed = stoa_load16(trailer + 34) != 0;
    if (file.is_packed) {
        rehash_objects(&file);
    } else if (file.nsections <= (nbytes - STOA_TRAILER_NBYTES) / STOA_SECTION_NBYTES) {
        file.table = trailer - (size_t)file.nsections * STOA_SECTION_NBYTES;
        rehash_columns(&file);
        rehash_dictionaries(&file);
        rehash_objects(&file);
        rehash_group_table(&file);
        rehash_side_table(&file);
        rehash_sections(&file);
        rehash_objects(&file); /* the footer's directory is the section table */
        put_hash(trailer + 40, file.table, (uint64_t)file.nsections * STOA_SECTION_NBYTES);
    }
    put_hash(trailer + 48, trailer, 48);
}
