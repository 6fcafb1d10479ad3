/*
 * The structures of spec/format.md as bytes.
 *
 * One pack and one unpack a structure, in the order of the document; the numbers in the calls are
 * the offsets of its tables. Unpacking refuses what a structure cannot say by itself: zero bytes
 * that are not zero, flags that are not given, fields that contradict each other. Whether an offset
 * lies in the file or a number names an entry that exists is checked by who follows it.
 */
#include "file/layout.h"

#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "file/bases.h"

static const uint8_t object_magic[STOA_MAGIC_NBYTES] = {0x8b, 'S', 'T', 'O', 'A', '\r', '\n', 0x1a};
static const uint8_t trailer_magic[STOA_MAGIC_NBYTES] = {0x1a, '\n', '\r', 'A',
                                                         'O',  'T',  'S',  0x8b};

enum {
    MAX_PAGE_SHIFT = 16,
    MAX_DICT_COUNT = 1 << 20,
    CHUNK_FLAGS =
        STOA_CHUNK_LOCAL_DICT | STOA_CHUNK_SHARED_DICT | STOA_CHUNK_NO_PAGES | STOA_CHUNK_DERIVED,
    SECTION_FLAGS = STOA_SECTION_REQUIRED | STOA_SECTION_SLICED | STOA_SECTION_BY_COLUMN,
};

static const char *const object_kind_names[] = {
    [STOA_OBJECT_HEAD] = "head",           [STOA_OBJECT_SCHEMA] = "schema",
    [STOA_OBJECT_DICT] = "dictionary",     [STOA_OBJECT_SIDE] = "side table",
    [STOA_OBJECT_ROW_GROUP] = "row group", [STOA_OBJECT_FOOTER] = "footer",
    [STOA_OBJECT_PAD] = "padding",
};

static const char *const section_names[STOA_SECTION_NTYPES] = {
    [STOA_SECTION_COLUMNS] = "columns",
    [STOA_SECTION_NAMES] = "names",
    [STOA_SECTION_POOL] = "pool",
    [STOA_SECTION_ROW_GROUPS] = "row groups",
    [STOA_SECTION_CHUNKS] = "chunks",
    [STOA_SECTION_STATISTICS] = "statistics",
    [STOA_SECTION_DICTIONARIES] = "dictionaries",
    [STOA_SECTION_SOURCES] = "sources",
    [STOA_SECTION_METADATA] = "metadata",
    [STOA_SECTION_SIDES] = "side tables",
    [STOA_SECTION_BLOOM] = "bloom filters",
    [STOA_SECTION_PRESENCE] = "presence",
    [STOA_SECTION_ORDER] = "order",
};

static const char *const side_kind_names[] = {
    [STOA_SIDE_FORM] = "form",
    [STOA_SIDE_RAW] = "raw",
    [STOA_SIDE_GAP] = "gap",
    [STOA_SIDE_RECORD] = "record",
};

static const char *const feature_names[] = {"encryption", "derived columns", "nested columns"};

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

const char *stoa_object_kind_name(unsigned kind)
{
    return kind < LENGTH_OF(object_kind_names) ? object_kind_names[kind] : NULL;
}

const char *stoa_section_name(unsigned type)
{
    return type < LENGTH_OF(section_names) ? section_names[type] : NULL;
}

const char *stoa_side_kind_name(unsigned kind)
{
    return kind < LENGTH_OF(side_kind_names) ? side_kind_names[kind] : NULL;
}

const char *stoa_feature_name(unsigned bit)
{
    return bit < LENGTH_OF(feature_names) ? feature_names[bit] : NULL;
}

enum stoa_status stoa_features_check(uint32_t features, struct stoa_error *err)
{
    uint32_t unknown = features & ~STOA_FEATURES_KNOWN;

    for (unsigned bit = 0; bit < 32; bit++) {
        const char *name = stoa_feature_name(bit);

        if (!((unknown >> bit) & 1))
            continue;
        if (name == NULL)
            return stoa_fail(err, STOA_ERR_UNSUPPORTED,
                             "needs feature %u, which this version does not know", bit);
        return stoa_fail(err, STOA_ERR_UNSUPPORTED,
                         "needs feature %u (%s), which this version cannot read", bit, name);
    }
    return STOA_OK;
}

bool stoa_object_has_magic(const uint8_t bytes[STOA_MAGIC_NBYTES])
{
    return memcmp(bytes, object_magic, STOA_MAGIC_NBYTES) == 0;
}

size_t stoa_object_find_magic(const uint8_t *bytes, size_t nbytes)
{
    const uint8_t *found = memmem(bytes, nbytes, object_magic, STOA_MAGIC_NBYTES);

    return found != NULL ? (size_t)(found - bytes) : nbytes;
}

bool stoa_trailer_has_magic(const uint8_t bytes[STOA_MAGIC_NBYTES])
{
    return memcmp(bytes, trailer_magic, STOA_MAGIC_NBYTES) == 0;
}

static enum stoa_status version_check(uint16_t version, struct stoa_error *err)
{
    if (version >> 8 == STOA_FORMAT_VERSION >> 8)
        return STOA_OK;
    return stoa_fail(err, STOA_ERR_UNSUPPORTED, "format version %u.%u, this program reads %u.x",
                     version >> 8, version & 0xff, STOA_FORMAT_VERSION >> 8);
}

static enum stoa_status zeros_check(const uint8_t *bytes, size_t begin, size_t end,
                                    const char *what, struct stoa_error *err)
{
    for (size_t i = begin; i < end; i++)
        if (bytes[i] != 0)
            return stoa_fail(err, STOA_ERR_CORRUPT, "%s: byte %zu is %u, must be 0", what, i,
                             bytes[i]);
    return STOA_OK;
}

static enum stoa_status flags_check(unsigned flags, unsigned known, const char *what,
                                    struct stoa_error *err)
{
    if ((flags & ~known) == 0)
        return STOA_OK;
    return stoa_fail(err, STOA_ERR_CORRUPT, "%s: flags 0x%02x, only 0x%02x are given", what, flags,
                     known);
}

static enum stoa_status group_nrows_check(uint32_t nrows, const char *what, struct stoa_error *err)
{
    if (nrows >= 1 && nrows <= STOA_ROW_GROUP_MAX_NROWS)
        return STOA_OK;
    return stoa_fail(err, STOA_ERR_CORRUPT, "%s: %" PRIu32 " rows, must be 1..%d", what, nrows,
                     STOA_ROW_GROUP_MAX_NROWS);
}

void stoa_object_pack(struct stoa_object *object, uint8_t out[STOA_OBJECT_NBYTES])
{
    memcpy(out, object_magic, 8);
    out[8] = object->kind;
    out[9] = object->flags;
    stoa_store16(out + 10, object->version);
    stoa_store32(out + 12, object->features);
    stoa_store64(out + 16, object->body_nbytes);
    stoa_store32(out + 24, object->nrows);
    stoa_store32(out + 28, object->dir_nbytes);
    stoa_store64(out + 32, object->stream_row);
    stoa_store64(out + 40, object->ref_id);
    stoa_store64(out + 48, object->dir_hash);
    object->hash = stoa_hash(out, 56);
    stoa_store64(out + 56, object->hash);
}

static enum stoa_status object_check(const struct stoa_object *object, struct stoa_error *err)
{
    const char *name = stoa_object_kind_name(object->kind);
    unsigned known_flags = object->kind == STOA_OBJECT_DICT ? STOA_OBJECT_COPY : 0;
    enum stoa_status st;

    if (object->body_nbytes % STOA_OBJECT_NBYTES != 0)
        return stoa_fail(err, STOA_ERR_CORRUPT, "body of %" PRIu64 " bytes, no multiple of %d",
                         object->body_nbytes, STOA_OBJECT_NBYTES);
    if (object->dir_nbytes > object->body_nbytes)
        return stoa_fail(err, STOA_ERR_CORRUPT,
                         "directory of %" PRIu32 " bytes in a body of %" PRIu64, object->dir_nbytes,
                         object->body_nbytes);
    if (name == NULL) /* of a newer minor version: to be skipped */
        return STOA_OK;
    st = flags_check(object->flags, known_flags, name, err);
    if (st != STOA_OK)
        return st;
    if (object->kind == STOA_OBJECT_ROW_GROUP)
        return group_nrows_check(object->nrows, name, err);
    if (object->nrows != 0)
        return stoa_fail(err, STOA_ERR_CORRUPT, "%s: %" PRIu32 " rows, must be 0", name,
                         object->nrows);
    return STOA_OK;
}

enum stoa_status stoa_object_unpack(const uint8_t bytes[STOA_OBJECT_NBYTES],
                                    struct stoa_object *out, struct stoa_error *err)
{
    struct stoa_object object = {
        .kind = bytes[8],
        .flags = bytes[9],
        .version = stoa_load16(bytes + 10),
        .features = stoa_load32(bytes + 12),
        .body_nbytes = stoa_load64(bytes + 16),
        .nrows = stoa_load32(bytes + 24),
        .dir_nbytes = stoa_load32(bytes + 28),
        .stream_row = stoa_load64(bytes + 32),
        .ref_id = stoa_load64(bytes + 40),
        .dir_hash = stoa_load64(bytes + 48),
        .hash = stoa_load64(bytes + 56),
    };
    enum stoa_status st = STOA_OK;

    if (!stoa_object_has_magic(bytes))
        st = stoa_fail(err, STOA_ERR_CORRUPT, "no magic number");
    else if (stoa_hash(bytes, 56) != object.hash)
        st = stoa_fail(err, STOA_ERR_CORRUPT, "hash differs");
    if (st != STOA_OK)
        goto out;
    STOA_TRY(version_check(object.version, err));
    STOA_TRY(stoa_features_check(object.features, err));
    STOA_TRY(object_check(&object, err));
    *out = object;
out:
    return st == STOA_OK ? st : stoa_wrap(err, st, "object header");
}

uint64_t stoa_object_dir_hash(const uint8_t *dir, size_t nbytes)
{
    return nbytes > 0 ? stoa_hash(dir, nbytes) : 0;
}

void stoa_node_pack(const struct stoa_node *node, uint8_t out[STOA_NODE_NBYTES])
{
    stoa_store32(out, node->name_off);
    stoa_store16(out + 4, node->name_nbytes);
    out[6] = node->type;
    out[7] = node->flags;
    stoa_store32(out + 8, node->parent);
    stoa_store32(out + 12, node->nchildren);
    stoa_store32(out + 16, node->field_id);
    stoa_store32(out + 20, node->params_off);
}

enum stoa_status stoa_node_unpack(const uint8_t bytes[STOA_NODE_NBYTES], struct stoa_node *out,
                                  struct stoa_error *err)
{
    unsigned flags = bytes[7];
    enum stoa_status st = flags_check(flags, STOA_NODE_NULLABLE, "node", err);

    if (st != STOA_OK)
        return st;
    *out = (struct stoa_node){
        .name_off = stoa_load32(bytes),
        .name_nbytes = stoa_load16(bytes + 4),
        .type = bytes[6],
        .flags = bytes[7],
        .parent = stoa_load32(bytes + 8),
        .nchildren = stoa_load32(bytes + 12),
        .field_id = stoa_load32(bytes + 16),
        .params_off = stoa_load32(bytes + 20),
    };
    return STOA_OK;
}

/* What the two places that tell of a chunk have in common. */
struct chunk_facts {
    uint64_t offset;
    uint32_t nbytes;
    uint64_t hash;
    uint8_t page_shift;
    uint8_t phys;
    uint8_t flags;
    uint32_t nnulls;
    bool names_dict; /* or, DERIVED, bases: */
    uint64_t dict;
};

/* A derived chunk has no dictionary, and its first base is there. */
static enum stoa_status derived_check(const struct chunk_facts *chunk, struct stoa_error *err)
{
    if ((chunk->flags & ~STOA_CHUNK_DERIVED) != 0)
        return stoa_fail(err, STOA_ERR_CORRUPT, "chunk: DERIVED beside other flags");
    if (chunk->dict > UINT32_MAX || (chunk->dict & STOA_BASE_NONE) == STOA_BASE_NONE)
        return stoa_fail(err, STOA_ERR_CORRUPT, "chunk: DERIVED without a base");
    if (chunk->page_shift < STOA_DERIVED_MIN_PAGE_SHIFT)
        return stoa_fail(err, STOA_ERR_CORRUPT, "chunk: page_shift %u of DERIVED, must be %d..%d",
                         chunk->page_shift, STOA_DERIVED_MIN_PAGE_SHIFT, MAX_PAGE_SHIFT);
    return STOA_OK;
}

static enum stoa_status chunk_check(const struct chunk_facts *chunk, struct stoa_error *err)
{
    bool shared = chunk->flags & STOA_CHUNK_SHARED_DICT;
    bool derived = chunk->flags & STOA_CHUNK_DERIVED;
    enum stoa_status st = flags_check(chunk->flags, CHUNK_FLAGS, "chunk", err);

    if (st == STOA_OK && derived)
        st = derived_check(chunk, err);
    if (st != STOA_OK)
        return st;
    if (chunk->page_shift > MAX_PAGE_SHIFT)
        return stoa_fail(err, STOA_ERR_CORRUPT, "chunk: page_shift %u, must be 0..%d",
                         chunk->page_shift, MAX_PAGE_SHIFT);
    if (shared != chunk->names_dict && !derived)
        return stoa_fail(err, STOA_ERR_CORRUPT, "chunk: flag SHARED_DICT %s a dictionary",
                         shared ? "without" : "is clear beside");
    if (chunk->offset % 8 != 0)
        return stoa_fail(err, STOA_ERR_CORRUPT, "chunk: offset %" PRIu64 " is no multiple of 8",
                         chunk->offset);
    if (chunk->flags & STOA_CHUNK_NO_PAGES) {
        const char *name = chunk->flags & STOA_CHUNK_ALL_NULL ? "ALL_NULL" : "ALL_VALID";

        if ((chunk->flags & (chunk->flags - 1)) != 0 || chunk->offset != 0 || chunk->nbytes != 0 ||
            chunk->hash != 0)
            return stoa_fail(err, STOA_ERR_CORRUPT, "chunk: %s beside bytes or other flags", name);
        if ((chunk->flags & STOA_CHUNK_ALL_VALID) &&
            (chunk->phys != STOA_PHYS_NONE || chunk->nnulls != 0))
            return stoa_fail(err, STOA_ERR_CORRUPT, "chunk: ALL_VALID beside values or nulls");
    } else if (chunk->nbytes == 0 || chunk->offset == 0) {
        return stoa_fail(err, STOA_ERR_CORRUPT, "chunk: no bytes and not ALL_NULL or ALL_VALID");
    }
    return STOA_OK;
}

void stoa_rg_entry_pack(const struct stoa_rg_entry *entry, uint8_t out[STOA_RG_ENTRY_NBYTES])
{
    stoa_store64(out, entry->offset);
    stoa_store32(out + 8, entry->nbytes);
    stoa_store32(out + 12, entry->nvalues);
    stoa_store32(out + 16, entry->nnulls);
    out[20] = entry->page_shift;
    out[21] = entry->phys;
    out[22] = entry->encoding;
    out[23] = entry->flags;
    stoa_store64(out + 24, entry->hash);
    stoa_store64(out + 32, entry->dict_id);
}

enum stoa_status stoa_rg_entry_unpack(const uint8_t bytes[STOA_RG_ENTRY_NBYTES],
                                      struct stoa_rg_entry *out, struct stoa_error *err)
{
    struct stoa_rg_entry entry = {
        .offset = stoa_load64(bytes),
        .nbytes = stoa_load32(bytes + 8),
        .nvalues = stoa_load32(bytes + 12),
        .nnulls = stoa_load32(bytes + 16),
        .page_shift = bytes[20],
        .phys = bytes[21],
        .encoding = bytes[22],
        .flags = bytes[23],
        .hash = stoa_load64(bytes + 24),
        .dict_id = stoa_load64(bytes + 32),
    };
    struct chunk_facts facts = {
        .offset = entry.offset,
        .nbytes = entry.nbytes,
        .hash = entry.hash,
        .page_shift = entry.page_shift,
        .phys = entry.phys,
        .flags = entry.flags,
        .nnulls = entry.nnulls,
        .names_dict = entry.dict_id != 0,
        .dict = entry.dict_id,
    };
    bool all_null = entry.flags & STOA_CHUNK_ALL_NULL;
    enum stoa_status st = chunk_check(&facts, err);

    if (st != STOA_OK)
        return st;
    if (entry.nnulls > entry.nvalues || (all_null && entry.nnulls != entry.nvalues))
        return stoa_fail(err, STOA_ERR_CORRUPT, "chunk: %" PRIu32 " nulls of %" PRIu32 " values",
                         entry.nnulls, entry.nvalues);
    *out = entry;
    return STOA_OK;
}

void stoa_page_entry_pack(const struct stoa_page_entry *entry, uint8_t out[STOA_PAGE_ENTRY_NBYTES])
{
    stoa_store32(out, entry->end);
    stoa_store32(out + 4, entry->raw_nbytes);
    stoa_store64(out + 8, entry->hash);
}

void stoa_page_entry_unpack(const uint8_t bytes[STOA_PAGE_ENTRY_NBYTES],
                            struct stoa_page_entry *out)
{
    *out = (struct stoa_page_entry){
        .end = stoa_load32(bytes),
        .raw_nbytes = stoa_load32(bytes + 4),
        .hash = stoa_load64(bytes + 8),
    };
}

void stoa_list_entry_pack(const struct stoa_page_entry *entry, uint8_t out[STOA_LIST_ENTRY_NBYTES])
{
    stoa_page_entry_pack(entry, out);
    stoa_store32(out + 16, entry->first_child);
    stoa_store32(out + 20, 0);
}

enum stoa_status stoa_list_entry_unpack(const uint8_t bytes[STOA_LIST_ENTRY_NBYTES],
                                        struct stoa_page_entry *out, struct stoa_error *err)
{
    enum stoa_status st = zeros_check(bytes, 20, 24, "page table", err);

    if (st != STOA_OK)
        return st;
    stoa_page_entry_unpack(bytes, out);
    out->first_child = stoa_load32(bytes + 16);
    return STOA_OK;
}

/* A segment either starts a chain or continues one; both places that tell of it say which. */
static enum stoa_status segment_check(bool has_prev, uint32_t first_code, uint32_t count,
                                      struct stoa_error *err)
{
    if (count < 1 || count > MAX_DICT_COUNT)
        return stoa_fail(err, STOA_ERR_CORRUPT, "dictionary: %" PRIu32 " entries, must be 1..%d",
                         count, MAX_DICT_COUNT);
    if (has_prev != (first_code != 0))
        return stoa_fail(err, STOA_ERR_CORRUPT,
                         "dictionary: first code %" PRIu32 " %s a previous segment", first_code,
                         has_prev ? "beside" : "without");
    return STOA_OK;
}

void stoa_dict_head_pack(const struct stoa_dict_head *head, uint8_t out[STOA_DICT_HEAD_NBYTES])
{
    stoa_store64(out, head->prev_id);
    stoa_store32(out + 8, head->first_code);
    stoa_store32(out + 12, head->count);
    out[16] = head->phys;
    memset(out + 17, 0, 3);
    stoa_store32(out + 20, head->width);
    stoa_store64(out + 24, head->raw_nbytes);
}

enum stoa_status stoa_dict_head_unpack(const uint8_t bytes[STOA_DICT_HEAD_NBYTES],
                                       struct stoa_dict_head *out, struct stoa_error *err)
{
    struct stoa_dict_head head = {
        .prev_id = stoa_load64(bytes),
        .first_code = stoa_load32(bytes + 8),
        .count = stoa_load32(bytes + 12),
        .phys = bytes[16],
        .width = stoa_load32(bytes + 20),
        .raw_nbytes = stoa_load64(bytes + 24),
    };
    enum stoa_status st;

    STOA_TRY(zeros_check(bytes, 17, 20, "dictionary", err));
    STOA_TRY(segment_check(head.prev_id != 0, head.first_code, head.count, err));
    if ((head.phys == STOA_PHYS_FIXED) != (head.width != 0))
        return stoa_fail(err, STOA_ERR_CORRUPT, "dictionary: width %" PRIu32 " of physical type %u",
                         head.width, head.phys);
    *out = head;
out:
    return st;
}

void stoa_section_pack(const struct stoa_section *section, uint8_t out[STOA_SECTION_NBYTES])
{
    out[0] = section->type;
    out[1] = section->flags;
    stoa_store16(out + 2, 0);
    stoa_store32(out + 4, section->count);
    stoa_store64(out + 8, section->offset);
    stoa_store64(out + 16, section->nbytes);
    stoa_store64(out + 24, section->hash);
}

enum stoa_status stoa_section_unpack(const uint8_t bytes[STOA_SECTION_NBYTES],
                                     struct stoa_section *out, struct stoa_error *err)
{
    struct stoa_section section = {
        .type = bytes[0],
        .flags = bytes[1],
        .count = stoa_load32(bytes + 4),
        .offset = stoa_load64(bytes + 8),
        .nbytes = stoa_load64(bytes + 16),
        .hash = stoa_load64(bytes + 24),
    };
    bool by_column = section.flags & STOA_SECTION_BY_COLUMN;
    enum stoa_status st;

    STOA_TRY(flags_check(section.flags, SECTION_FLAGS, "section", err));
    STOA_TRY(zeros_check(bytes, 2, 4, "section", err));
    if (stoa_section_name(section.type) == NULL && (section.flags & STOA_SECTION_REQUIRED))
        return stoa_fail(err, STOA_ERR_UNSUPPORTED,
                         "section: type %u is required and this version does not know it",
                         section.type);
    if (by_column && ((section.flags & STOA_SECTION_SLICED) || section.hash != 0))
        return stoa_fail(err, STOA_ERR_CORRUPT, "section: BY_COLUMN beside %s",
                         section.hash != 0 ? "a hash" : "SLICED");
    if (section.offset % 8 != 0)
        return stoa_fail(err, STOA_ERR_CORRUPT, "section: offset %" PRIu64 " is no multiple of 8",
                         section.offset);
    *out = section;
out:
    return st;
}

void stoa_column_entry_pack(const struct stoa_column_entry *entry, uint8_t out[STOA_COLUMN_NBYTES])
{
    stoa_node_pack(&entry->node, out);
    stoa_store64(out + 24, entry->chunks_off);
    stoa_store64(out + 32, entry->chunks_hash);
    stoa_store64(out + 40, entry->stats_off);
    stoa_store64(out + 48, entry->stats_hash);
    stoa_store16(out + 56, entry->stats_stride);
    memset(out + 58, 0, 6);
}

enum stoa_status stoa_column_entry_unpack(const uint8_t bytes[STOA_COLUMN_NBYTES],
                                          struct stoa_column_entry *out, struct stoa_error *err)
{
    struct stoa_node node;
    enum stoa_status st;

    STOA_TRY(stoa_node_unpack(bytes, &node, err));
    STOA_TRY(zeros_check(bytes, 58, 64, "column", err));
    *out = (struct stoa_column_entry){
        .node = node,
        .chunks_off = stoa_load64(bytes + 24),
        .chunks_hash = stoa_load64(bytes + 32),
        .stats_off = stoa_load64(bytes + 40),
        .stats_hash = stoa_load64(bytes + 48),
        .stats_stride = stoa_load16(bytes + 56),
    };
out:
    return st;
}

void stoa_row_group_entry_pack(const struct stoa_row_group_entry *entry,
                               uint8_t out[STOA_ROW_GROUP_NBYTES_ENTRY])
{
    stoa_store64(out, entry->offset);
    stoa_store64(out + 8, entry->header_hash);
    stoa_store64(out + 16, entry->first_row);
    stoa_store64(out + 24, entry->first_zone);
    stoa_store32(out + 32, entry->nrows);
    stoa_store32(out + 36, 0);
}

enum stoa_status stoa_row_group_entry_unpack(const uint8_t bytes[STOA_ROW_GROUP_NBYTES_ENTRY],
                                             struct stoa_row_group_entry *out,
                                             struct stoa_error *err)
{
    struct stoa_row_group_entry entry = {
        .offset = stoa_load64(bytes),
        .header_hash = stoa_load64(bytes + 8),
        .first_row = stoa_load64(bytes + 16),
        .first_zone = stoa_load64(bytes + 24),
        .nrows = stoa_load32(bytes + 32),
    };
    enum stoa_status st;

    STOA_TRY(zeros_check(bytes, 36, 40, "row group", err));
    STOA_TRY(group_nrows_check(entry.nrows, "row group", err));
    if (entry.offset % STOA_OBJECT_NBYTES != 0)
        return stoa_fail(err, STOA_ERR_CORRUPT,
                         "row group: offset %" PRIu64 " is no multiple of %d", entry.offset,
                         STOA_OBJECT_NBYTES);
    *out = entry;
out:
    return st;
}

void stoa_chunk_pack(const struct stoa_chunk *chunk, uint8_t out[STOA_CHUNK_NBYTES])
{
    stoa_store64(out, chunk->offset);
    stoa_store32(out + 8, chunk->nbytes);
    stoa_store32(out + 12, chunk->nnulls);
    stoa_store64(out + 16, chunk->hash);
    stoa_store32(out + 24, chunk->dict_index);
    out[28] = chunk->page_shift;
    out[29] = chunk->phys;
    out[30] = chunk->encoding;
    out[31] = chunk->flags;
}

enum stoa_status stoa_chunk_unpack(const uint8_t bytes[STOA_CHUNK_NBYTES], struct stoa_chunk *out,
                                   struct stoa_error *err)
{
    struct stoa_chunk chunk = {
        .offset = stoa_load64(bytes),
        .nbytes = stoa_load32(bytes + 8),
        .nnulls = stoa_load32(bytes + 12),
        .hash = stoa_load64(bytes + 16),
        .dict_index = stoa_load32(bytes + 24),
        .page_shift = bytes[28],
        .phys = bytes[29],
        .encoding = bytes[30],
        .flags = bytes[31],
    };
    struct chunk_facts facts = {
        .offset = chunk.offset,
        .nbytes = chunk.nbytes,
        .hash = chunk.hash,
        .page_shift = chunk.page_shift,
        .phys = chunk.phys,
        .flags = chunk.flags,
        .nnulls = chunk.nnulls,
        .names_dict = chunk.dict_index != STOA_NONE32,
        .dict = chunk.dict_index,
    };
    enum stoa_status st = chunk_check(&facts, err);

    if (st == STOA_OK)
        *out = chunk;
    return st;
}

void stoa_dictdir_entry_pack(const struct stoa_dictdir_entry *entry,
                             uint8_t out[STOA_DICTDIR_NBYTES])
{
    stoa_store64(out, entry->id);
    stoa_store64(out + 8, entry->offset);
    stoa_store64(out + 16, entry->copy_offset);
    stoa_store64(out + 24, entry->dir_hash);
    stoa_store32(out + 32, entry->prev_index);
    stoa_store32(out + 36, entry->first_code);
    stoa_store32(out + 40, entry->count);
    out[44] = entry->phys;
    memset(out + 45, 0, 3);
}

enum stoa_status stoa_dictdir_entry_unpack(const uint8_t bytes[STOA_DICTDIR_NBYTES],
                                           struct stoa_dictdir_entry *out, struct stoa_error *err)
{
    struct stoa_dictdir_entry entry = {
        .id = stoa_load64(bytes),
        .offset = stoa_load64(bytes + 8),
        .copy_offset = stoa_load64(bytes + 16),
        .dir_hash = stoa_load64(bytes + 24),
        .prev_index = stoa_load32(bytes + 32),
        .first_code = stoa_load32(bytes + 36),
        .count = stoa_load32(bytes + 40),
        .phys = bytes[44],
    };
    enum stoa_status st;

    STOA_TRY(zeros_check(bytes, 45, 48, "dictionary", err));
    STOA_TRY(segment_check(entry.prev_index != STOA_NONE32, entry.first_code, entry.count, err));
    if (entry.offset % STOA_OBJECT_NBYTES != 0 || entry.copy_offset % STOA_OBJECT_NBYTES != 0)
        return stoa_fail(err, STOA_ERR_CORRUPT,
                         "dictionary: offsets %" PRIu64 " and %" PRIu64 ", no multiples of %d",
                         entry.offset, entry.copy_offset, STOA_OBJECT_NBYTES);
    *out = entry;
out:
    return st;
}

void stoa_order_entry_pack(const struct stoa_order_entry *entry, uint8_t out[STOA_ORDER_NBYTES])
{
    stoa_store64(out, 0);
    stoa_store32(out, entry->node);
    out[4] = entry->flags;
}

enum stoa_status stoa_order_entry_unpack(const uint8_t bytes[STOA_ORDER_NBYTES],
                                         struct stoa_order_entry *out, struct stoa_error *err)
{
    const struct stoa_order_entry entry = {.node = stoa_load32(bytes), .flags = bytes[4]};
    enum stoa_status st;

    STOA_TRY(flags_check(entry.flags, STOA_KEY_DESCENDING | STOA_KEY_NULLS_FIRST, "key", err));
    STOA_TRY(zeros_check(bytes, 5, STOA_ORDER_NBYTES, "key", err));
    *out = entry;
out:
    return st;
}

void stoa_trailer_pack(const struct stoa_trailer *trailer, uint8_t out[STOA_TRAILER_NBYTES])
{
    stoa_store64(out, trailer->footer_off);
    stoa_store64(out + 8, trailer->file_nbytes);
    stoa_store64(out + 16, trailer->nrows);
    stoa_store32(out + 24, trailer->nsections);
    stoa_store32(out + 28, trailer->features);
    stoa_store16(out + 32, trailer->version);
    stoa_store16(out + 34, trailer->packed_nbytes);
    stoa_store32(out + 36, trailer->nnodes);
    stoa_store64(out + 40, trailer->table_hash);
    stoa_store64(out + 48, stoa_hash(out, 48));
    memcpy(out + 56, trailer_magic, 8);
}

/* The footer is its header, its sections, the section table and the trailer, to the file's end. */
static enum stoa_status trailer_check(const struct stoa_trailer *trailer, struct stoa_error *err)
{
    uint64_t table_nbytes = (uint64_t)trailer->nsections * STOA_SECTION_NBYTES;

    if (trailer->file_nbytes % STOA_OBJECT_NBYTES != 0 ||
        trailer->footer_off % STOA_OBJECT_NBYTES != 0)
        return stoa_fail(err, STOA_ERR_CORRUPT,
                         "footer at %" PRIu64 " of %" PRIu64 " bytes, no multiples of %d",
                         trailer->footer_off, trailer->file_nbytes, STOA_OBJECT_NBYTES);
    if (trailer->footer_off > trailer->file_nbytes ||
        trailer->file_nbytes - trailer->footer_off < STOA_OBJECT_NBYTES + STOA_TRAILER_NBYTES ||
        stoa_trailer_body_end(trailer) - trailer->footer_off < STOA_OBJECT_NBYTES + table_nbytes)
        return stoa_fail(err, STOA_ERR_CORRUPT,
                         "footer at %" PRIu64 " with %" PRIu32 " sections in %" PRIu64 " bytes",
                         trailer->footer_off, trailer->nsections, trailer->file_nbytes);
    return STOA_OK;
}

enum stoa_status stoa_trailer_unpack(const uint8_t bytes[STOA_TRAILER_NBYTES],
                                     struct stoa_trailer *out, struct stoa_error *err)
{
    struct stoa_trailer trailer = {
        .footer_off = stoa_load64(bytes),
        .file_nbytes = stoa_load64(bytes + 8),
        .nrows = stoa_load64(bytes + 16),
        .nsections = stoa_load32(bytes + 24),
        .features = stoa_load32(bytes + 28),
        .version = stoa_load16(bytes + 32),
        .packed_nbytes = stoa_load16(bytes + 34),
        .nnodes = stoa_load32(bytes + 36),
        .table_hash = stoa_load64(bytes + 40),
    };
    enum stoa_status st = STOA_OK;

    if (!stoa_trailer_has_magic(bytes + 56))
        st = stoa_fail(err, STOA_ERR_CORRUPT, "no magic number");
    else if (stoa_hash(bytes, 48) != stoa_load64(bytes + 48))
        st = stoa_fail(err, STOA_ERR_CORRUPT, "hash differs");
    if (st != STOA_OK)
        goto out;
    STOA_TRY(version_check(trailer.version, err));
    STOA_TRY(stoa_features_check(trailer.features, err));
    STOA_TRY(trailer_check(&trailer, err));
    *out = trailer;
out:
    return st == STOA_OK ? st : stoa_wrap(err, st, "trailer");
}
