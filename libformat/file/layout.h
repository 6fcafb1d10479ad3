/*
 * The structures of spec/format.md: their numbers, and reading and writing them as bytes.
 *
 * Every on-disk number and offset of objects, row groups, dictionaries and the footer stands here
 * or in layout.c and nowhere else. "pack" writes a structure to exactly its stored size; "unpack"
 * reads it and checks what can be checked without looking elsewhere (magic, hashes, zero bytes,
 * ranges of single fields).
 */
#ifndef STOA_FILE_LAYOUT_H
#define STOA_FILE_LAYOUT_H

#include <stoa/schema.h>
#include <stoa/source_text.h>
#include <stoa/stats.h>

#include "codec/vector.h"

enum {
    STOA_OBJECT_NBYTES = 64, /* header of an object; also the alignment of objects */
    STOA_TRAILER_NBYTES = 64,
    STOA_MAGIC_NBYTES = 8,
    STOA_NODE_NBYTES = 24,
    STOA_SCHEMA_HEAD_NBYTES = 16,
    STOA_SCHEMA_PACK_MAX_NBYTES = 65536, /* of records and pool in a packed schema */
    STOA_RG_ENTRY_NBYTES = 40,           /* entry of a row group's directory */
    STOA_PAGE_ENTRY_NBYTES = 16,         /* entry of a page table, */
    STOA_LIST_ENTRY_NBYTES = 24,         /* of that of a list or map */
    STOA_DICT_HEAD_NBYTES = 32,
    STOA_SECTION_NBYTES = 32,
    STOA_COLUMN_NBYTES = 64,
    STOA_ROW_GROUP_NBYTES_ENTRY = 40,
    STOA_CHUNK_NBYTES = 32,
    STOA_DICTDIR_NBYTES = 48,
    STOA_SIDE_ENTRY_NBYTES = 12, /* entry of a side table's directory, and then its chunk, if any */
    STOA_SIDEDIR_NBYTES = 24,
    STOA_ORDER_NBYTES = 8,
    STOA_NOTE_NBYTES = 16,         /* entry of a section of notes */
    STOA_SOURCE_BLOCK_NBYTES = 24, /* head of a block of sources */
    STOA_SLICE_NBYTES = 65536,
    STOA_DICT_PAGE_NVALUES = 4096,
    STOA_ROW_GROUP_MAX_NROWS = 1 << 24,
    STOA_PAGE_MAX_RAW_NBYTES = 64 << 20, /* unless its row group has one row */
    STOA_CHUNK_MAX_NVALUES = INT32_MAX,  /* of a node below a list, a map or a fixed_list */
};

#define STOA_FORMAT_VERSION 0x0100
#define STOA_NONE32         UINT32_MAX

enum stoa_object_kind {
    STOA_OBJECT_HEAD = 1,
    STOA_OBJECT_SCHEMA = 2,
    STOA_OBJECT_DICT = 3,
    STOA_OBJECT_SIDE = 4,
    STOA_OBJECT_ROW_GROUP = 5,
    STOA_OBJECT_FOOTER = 6,
    STOA_OBJECT_PAD = 7,
};
enum { STOA_OBJECT_COPY = 1 }; /* flag: a second copy of a dictionary segment */

enum { STOA_NODE_NULLABLE = 1 };

enum { /* flags of a chunk */
       STOA_CHUNK_LOCAL_DICT = 1,
       STOA_CHUNK_SHARED_DICT = 2,
       STOA_CHUNK_ALL_NULL = 4,
       STOA_CHUNK_ALL_VALID = 8,
       STOA_CHUNK_DERIVED = 16, /* dict_id and dict_index tell its bases (bases.h) */
       /* of a chunk without bytes */
       STOA_CHUNK_NO_PAGES = STOA_CHUNK_ALL_NULL | STOA_CHUNK_ALL_VALID,
};

/* Of a derived chunk, and of its bases where they have pages: the least page_shift. */
#define STOA_DERIVED_MIN_PAGE_SHIFT 10

enum stoa_section_type {
    STOA_SECTION_COLUMNS = 1,
    STOA_SECTION_NAMES = 2,
    STOA_SECTION_POOL = 3,
    STOA_SECTION_ROW_GROUPS = 4,
    STOA_SECTION_CHUNKS = 5,
    STOA_SECTION_STATISTICS = 6,
    STOA_SECTION_DICTIONARIES = 7,
    STOA_SECTION_SOURCES = 8,
    STOA_SECTION_METADATA = 9,
    STOA_SECTION_SIDES = 10,
    STOA_SECTION_BLOOM = 11,
    STOA_SECTION_PRESENCE = 12,
    STOA_SECTION_ORDER = 14,
    STOA_SECTION_NTYPES = 15, /* there are less: 13 has no bytes yet */
};
enum { STOA_SECTION_REQUIRED = 1, STOA_SECTION_SLICED = 2, STOA_SECTION_BY_COLUMN = 4 };

struct stoa_object {
    uint8_t kind;
    uint8_t flags;
    uint16_t version;
    uint32_t features;
    uint64_t body_nbytes;
    uint32_t nrows;
    uint32_t dir_nbytes;
    uint64_t stream_row;
    uint64_t ref_id;
    uint64_t dir_hash;
    uint64_t hash; /* of the header; set by pack and unpack */
};

struct stoa_node { /* node record */
    uint32_t name_off;
    uint16_t name_nbytes;
    uint8_t type;
    uint8_t flags;
    uint32_t parent;
    uint32_t nchildren;
    uint32_t field_id;
    uint32_t params_off;
};

struct stoa_rg_entry { /* a chunk as the directory of its row group tells it */
    uint64_t offset;   /* from the start of the object */
    uint32_t nbytes;
    uint32_t nvalues;
    uint32_t nnulls;
    uint8_t page_shift;
    uint8_t phys;
    uint8_t encoding;
    uint8_t flags;
    uint64_t hash;
    uint64_t dict_id;
};

struct stoa_page_entry {
    uint32_t end;
    uint32_t raw_nbytes;
    uint64_t hash;
    uint32_t first_child; /* list and map: child values in front of the page's */
};

struct stoa_dict_head {
    uint64_t prev_id;
    uint32_t first_code;
    uint32_t count;
    uint8_t phys;
    uint32_t width;
    uint64_t raw_nbytes;
};

struct stoa_section {
    uint8_t type;
    uint8_t flags;
    uint32_t count;
    uint64_t offset;
    uint64_t nbytes;
    uint64_t hash;
};

struct stoa_column_entry {
    struct stoa_node node;
    uint64_t chunks_off;
    uint64_t chunks_hash;
    uint64_t stats_off;
    uint64_t stats_hash;
    uint16_t stats_stride;
};

struct stoa_row_group_entry {
    uint64_t offset;
    uint64_t header_hash;
    uint64_t first_row;
    uint64_t first_zone;
    uint32_t nrows;
};

struct stoa_chunk {  /* a chunk as the footer tells it */
    uint64_t offset; /* in the file */
    uint32_t nbytes;
    uint32_t nnulls;
    uint64_t hash;
    uint32_t dict_index;
    uint8_t page_shift;
    uint8_t phys;
    uint8_t encoding;
    uint8_t flags;
};

struct stoa_dictdir_entry {
    uint64_t id;
    uint64_t offset;
    uint64_t copy_offset;
    uint64_t dir_hash;
    uint32_t prev_index;
    uint32_t first_code;
    uint32_t count;
    uint8_t phys;
};

struct stoa_side_entry { /* a column of a side table */
    uint32_t column;     /* or STOA_SIDE_RECORDS */
    uint8_t kind;        /* enum stoa_side_kind */
    bool has_values;     /* else it is the rule alone, and */
    uint8_t rule[STOA_SIDE_RULE_NBYTES];
    struct stoa_rg_entry chunk; /* is {0} */
};

struct stoa_sidedir_entry { /* a side table as the footer tells it */
    uint64_t offset;        /* of its object */
    uint64_t header_hash;
    uint32_t group;
};

struct stoa_source_block { /* the head of a block of sources */
    uint32_t count;
    uint32_t raw_nbytes;
    uint32_t packed_nbytes; /* 0: it is not packed */
    uint64_t row;           /* first row of its first source */
};

enum { STOA_KEY_DESCENDING = 1, STOA_KEY_NULLS_FIRST = 2 };

struct stoa_order_entry { /* a key of the order of rows */
    uint32_t node;
    uint8_t flags;
};

struct stoa_note_entry { /* what a section of notes says of a chunk */
    uint32_t node;
    uint32_t group;
    uint32_t nbytes; /* of the note */
    uint32_t count;  /* of codes */
};

struct stoa_trailer {
    uint64_t footer_off;
    uint64_t file_nbytes;
    uint64_t nrows;
    uint32_t nsections;
    uint32_t features;
    uint16_t version;
    uint16_t packed_nbytes; /* of a packed footer: what its frame holds; else 0 */
    uint32_t nnodes;
    uint64_t table_hash;
};

/* Where the trailer stands, as offsets in the footer count: those of a body that is not packed. */
static inline uint64_t stoa_trailer_body_end(const struct stoa_trailer *trailer)
{
    return trailer->packed_nbytes > 0
               ? trailer->footer_off + STOA_OBJECT_NBYTES + trailer->packed_nbytes
               : trailer->file_nbytes - STOA_TRAILER_NBYTES;
}

void stoa_object_pack(struct stoa_object *object, uint8_t out[STOA_OBJECT_NBYTES]);
/* What dir_hash holds: the hash of the directory, 0 where there is none. */
uint64_t stoa_object_dir_hash(const uint8_t *dir, size_t nbytes);

void stoa_node_pack(const struct stoa_node *node, uint8_t out[STOA_NODE_NBYTES]);
void stoa_rg_entry_pack(const struct stoa_rg_entry *entry, uint8_t out[STOA_RG_ENTRY_NBYTES]);
void stoa_page_entry_pack(const struct stoa_page_entry *entry, uint8_t out[STOA_PAGE_ENTRY_NBYTES]);
void stoa_list_entry_pack(const struct stoa_page_entry *entry, uint8_t out[STOA_LIST_ENTRY_NBYTES]);
void stoa_dict_head_pack(const struct stoa_dict_head *head, uint8_t out[STOA_DICT_HEAD_NBYTES]);
void stoa_section_pack(const struct stoa_section *section, uint8_t out[STOA_SECTION_NBYTES]);
void stoa_column_entry_pack(const struct stoa_column_entry *entry, uint8_t out[STOA_COLUMN_NBYTES]);
void stoa_row_group_entry_pack(const struct stoa_row_group_entry *entry,
                               uint8_t out[STOA_ROW_GROUP_NBYTES_ENTRY]);
void stoa_chunk_pack(const struct stoa_chunk *chunk, uint8_t out[STOA_CHUNK_NBYTES]);
void stoa_dictdir_entry_pack(const struct stoa_dictdir_entry *entry,
                             uint8_t out[STOA_DICTDIR_NBYTES]);
/* Returns the bytes written: STOA_SIDE_ENTRY_NBYTES, and with values STOA_RG_ENTRY_NBYTES more. */
size_t stoa_side_entry_pack(const struct stoa_side_entry *entry,
                            uint8_t out[STOA_SIDE_ENTRY_NBYTES + STOA_RG_ENTRY_NBYTES]);
void stoa_sidedir_entry_pack(const struct stoa_sidedir_entry *entry,
                             uint8_t out[STOA_SIDEDIR_NBYTES]);
void stoa_source_block_pack(const struct stoa_source_block *block,
                            uint8_t out[STOA_SOURCE_BLOCK_NBYTES]);
void stoa_order_entry_pack(const struct stoa_order_entry *entry, uint8_t out[STOA_ORDER_NBYTES]);
void stoa_note_entry_pack(const struct stoa_note_entry *entry, uint8_t out[STOA_NOTE_NBYTES]);
void stoa_trailer_pack(const struct stoa_trailer *trailer, uint8_t out[STOA_TRAILER_NBYTES]);

/*
 * STOA_ERR_CORRUPT: magic, hash or zero bytes are wrong, body_len is no multiple of 64, dir_len is
 * larger than the body. STOA_ERR_UNSUPPORTED: another major version, or a feature that this version
 * does not know ("needs feature 2 (nested columns), ...").
 */
STOA_CHECK enum stoa_status stoa_object_unpack(const uint8_t bytes[STOA_OBJECT_NBYTES],
                                               struct stoa_object *out, struct stoa_error *err);
STOA_CHECK enum stoa_status stoa_trailer_unpack(const uint8_t bytes[STOA_TRAILER_NBYTES],
                                                struct stoa_trailer *out, struct stoa_error *err);

/* Whether these are the first bytes of an object, or the last ones of a trailer. */
bool stoa_object_has_magic(const uint8_t bytes[STOA_MAGIC_NBYTES]);
bool stoa_trailer_has_magic(const uint8_t bytes[STOA_MAGIC_NBYTES]);

/* Where the first bytes of an object stand in bytes[0..nbytes); nbytes when they don't. */
size_t stoa_object_find_magic(const uint8_t *bytes, size_t nbytes);

/* The rest lies in verified bytes; these check zero bytes, known flags and single fields. */
STOA_CHECK enum stoa_status stoa_node_unpack(const uint8_t bytes[STOA_NODE_NBYTES],
                                             struct stoa_node *out, struct stoa_error *err);
STOA_CHECK enum stoa_status stoa_rg_entry_unpack(const uint8_t bytes[STOA_RG_ENTRY_NBYTES],
                                                 struct stoa_rg_entry *out, struct stoa_error *err);
void stoa_page_entry_unpack(const uint8_t bytes[STOA_PAGE_ENTRY_NBYTES],
                            struct stoa_page_entry *out);
STOA_CHECK enum stoa_status stoa_list_entry_unpack(const uint8_t bytes[STOA_LIST_ENTRY_NBYTES],
                                                   struct stoa_page_entry *out,
                                                   struct stoa_error *err);
STOA_CHECK enum stoa_status stoa_dict_head_unpack(const uint8_t bytes[STOA_DICT_HEAD_NBYTES],
                                                  struct stoa_dict_head *out,
                                                  struct stoa_error *err);
STOA_CHECK enum stoa_status stoa_section_unpack(const uint8_t bytes[STOA_SECTION_NBYTES],
                                                struct stoa_section *out, struct stoa_error *err);
STOA_CHECK enum stoa_status stoa_column_entry_unpack(const uint8_t bytes[STOA_COLUMN_NBYTES],
                                                     struct stoa_column_entry *out,
                                                     struct stoa_error *err);
STOA_CHECK enum stoa_status
stoa_row_group_entry_unpack(const uint8_t bytes[STOA_ROW_GROUP_NBYTES_ENTRY],
                            struct stoa_row_group_entry *out, struct stoa_error *err);
STOA_CHECK enum stoa_status stoa_chunk_unpack(const uint8_t bytes[STOA_CHUNK_NBYTES],
                                              struct stoa_chunk *out, struct stoa_error *err);
STOA_CHECK enum stoa_status stoa_dictdir_entry_unpack(const uint8_t bytes[STOA_DICTDIR_NBYTES],
                                                      struct stoa_dictdir_entry *out,
                                                      struct stoa_error *err);
/* An entry at the start of `nbytes` bytes; *used of them are the entry's. */
STOA_CHECK enum stoa_status stoa_side_entry_unpack(const uint8_t *bytes, size_t nbytes,
                                                   struct stoa_side_entry *out, size_t *used,
                                                   struct stoa_error *err);
STOA_CHECK enum stoa_status stoa_sidedir_entry_unpack(const uint8_t bytes[STOA_SIDEDIR_NBYTES],
                                                      struct stoa_sidedir_entry *out,
                                                      struct stoa_error *err);
STOA_CHECK enum stoa_status stoa_source_block_unpack(const uint8_t bytes[STOA_SOURCE_BLOCK_NBYTES],
                                                     struct stoa_source_block *out,
                                                     struct stoa_error *err);
STOA_CHECK enum stoa_status stoa_order_entry_unpack(const uint8_t bytes[STOA_ORDER_NBYTES],
                                                    struct stoa_order_entry *out,
                                                    struct stoa_error *err);
void stoa_note_entry_unpack(const uint8_t bytes[STOA_NOTE_NBYTES], struct stoa_note_entry *out);

/* Names for messages; NULL for numbers that are not given. */
const char *stoa_object_kind_name(unsigned kind);
const char *stoa_section_name(unsigned type);
const char *stoa_side_kind_name(unsigned kind);
const char *stoa_feature_name(unsigned bit);

/* Features that this version can read; a bit outside is refused by name. */
#define STOA_FEATURE_NESTED UINT32_C(4)
#define STOA_FEATURES_KNOWN STOA_FEATURE_NESTED
STOA_CHECK enum stoa_status stoa_features_check(uint32_t features, struct stoa_error *err);

/* Whether a node of this stored type has children: list, fixed_list, struct, map. */
static inline bool stoa_type_is_nested(unsigned type)
{
    return type >= STOA_LIST && type <= STOA_MAP;
}

/* Whether its values are the lengths of lists: list and map. */
static inline bool stoa_type_has_lengths(unsigned type)
{
    return type == STOA_LIST || type == STOA_MAP;
}

/* Bytes of an entry in the page table of such a node. */
static inline uint32_t stoa_page_entry_nbytes(unsigned type)
{
    return stoa_type_has_lengths(type) ? STOA_LIST_ENTRY_NBYTES : STOA_PAGE_ENTRY_NBYTES;
}

/* Stored pages of a chunk of nvalues values, its local dictionary page included. */
static inline uint32_t stoa_chunk_npages(uint8_t flags, uint8_t page_shift, uint32_t nvalues)
{
    uint32_t local = flags & STOA_CHUNK_LOCAL_DICT ? 1 : 0;

    if (flags & STOA_CHUNK_NO_PAGES)
        return 0;
    return (uint32_t)(((uint64_t)nvalues + (UINT64_C(1) << page_shift) - 1) >> page_shift) + local;
}

#endif
