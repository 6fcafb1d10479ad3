/* The structures of the file: what is packed comes back, what is wrong is refused and named. */
#include "file/layout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "support/random.h"

enum { MAX_NBYTES = 64 };

/* A structure that is valid; every field differs from every other and from zero. */
static struct stoa_object object = {
    .kind = STOA_OBJECT_ROW_GROUP,
    .version = STOA_FORMAT_VERSION,
    .body_nbytes = 0x0102030405060740,
    .nrows = 0x00a1a2a3,
    .dir_nbytes = 0xb1b2b3b4,
    .stream_row = 0xc1c2c3c4c5c6c7c8,
    .ref_id = 0xd1d2d3d4d5d6d7d8,
    .dir_hash = 0xe1e2e3e4e5e6e7e8,
};
static const struct stoa_node node = {
    .name_off = 0x01020304,
    .name_nbytes = 0x1112,
    .type = 21,
    .flags = STOA_NODE_NULLABLE,
    .parent = 0x31323334,
    .nchildren = 0x41424344,
    .field_id = 0x51525354,
    .params_off = 0x61626364,
};
static const struct stoa_rg_entry rg_entry = {
    .offset = 0x0102030405060708,
    .nbytes = 0x11121314,
    .nvalues = 0x21222324,
    .nnulls = 0x11323334,
    .page_shift = 13,
    .phys = 4,
    .encoding = 5,
    .flags = STOA_CHUNK_SHARED_DICT,
    .hash = 0x4142434445464748,
    .dict_id = 0x5152535455565758,
};
static const struct stoa_page_entry page_entry = {0x01020304, 0x11121314, 0x2122232425262728, 0};
static const struct stoa_dict_head dict_head = {
    .prev_id = 0x0102030405060708,
    .first_code = 0x11121314,
    .count = 0x000a2324,
    .phys = STOA_PHYS_FIXED,
    .width = 0x31323334,
    .raw_nbytes = 0x4142434445464748,
};
static const struct stoa_section section = {
    .type = STOA_SECTION_NAMES,
    .flags = STOA_SECTION_REQUIRED | STOA_SECTION_SLICED,
    .count = 0x11121314,
    .offset = 0x2122232425262728,
    .nbytes = 0x3132333435363738,
    .hash = 0x4142434445464748,
};
static const struct stoa_column_entry column_entry = {
    .node = {.name_off = 1, .name_nbytes = 2, .type = 3, .params_off = 4},
    .chunks_off = 0x2122232425262728,
    .chunks_hash = 0x3132333435363738,
    .stats_off = 0x4142434445464748,
    .stats_hash = 0x5152535455565758,
    .stats_stride = 0x6162,
};
static const struct stoa_row_group_entry row_group_entry = {
    .offset = 0x0102030405060740,
    .header_hash = 0x1112131415161718,
    .first_row = 0x2122232425262728,
    .first_zone = 0x3132333435363738,
    .nrows = 0x00414243,
};
static const struct stoa_chunk chunk = {
    .offset = 0x0102030405060708,
    .nbytes = 0x11121314,
    .nnulls = 0x21222324,
    .hash = 0x3132333435363738,
    .dict_index = 0x41424344,
    .page_shift = 16,
    .phys = 13,
    .encoding = 4,
    .flags = STOA_CHUNK_SHARED_DICT | STOA_CHUNK_LOCAL_DICT,
};
static const struct stoa_dictdir_entry dictdir_entry = {
    .id = 0x0102030405060708,
    .offset = 0x1112131415161740,
    .copy_offset = 0x2122232425262780,
    .dir_hash = 0x3132333435363738,
    .prev_index = 0x41424344,
    .first_code = 0x51525354,
    .count = 0x00061626,
    .phys = 13,
};
static const struct stoa_trailer trailer = {
    .footer_off = 0x0001020304050640,
    .file_nbytes = 0x0111121314151680,
    .nrows = 0x2122232425262728,
    .nsections = 0x31323334,
    .version = STOA_FORMAT_VERSION,
    .nnodes = 0x51525354,
    .table_hash = 0x6162636465666768,
};

#define F(field) (a->field == b->field)

static bool nodes_equal(const struct stoa_node *a, const struct stoa_node *b)
{
    return F(name_off) && F(name_nbytes) && F(type) && F(flags) && F(parent) && F(nchildren) &&
           F(field_id) && F(params_off);
}

static void every_structure_comes_back_as_it_was_packed(void **state)
{
    (void)state;
    struct stoa_error err = {0};
    uint8_t bytes[MAX_NBYTES];

    {
        struct stoa_object back = {0};
        const struct stoa_object *a = &object, *b = &back;

        stoa_object_pack(&object, bytes);
        assert_int_equal(stoa_object_unpack(bytes, &back, &err), STOA_OK);
        assert_true(F(kind) && F(flags) && F(version) && F(features) && F(body_nbytes) &&
                    F(nrows) && F(dir_nbytes) && F(stream_row) && F(ref_id) && F(dir_hash) &&
                    F(hash));
        assert_int_equal(stoa_load64(bytes + 56), stoa_hash(bytes, 56));
    }
    {
        struct stoa_node back = {0};

        stoa_node_pack(&node, bytes);
        assert_int_equal(stoa_node_unpack(bytes, &back, &err), STOA_OK);
        assert_true(nodes_equal(&node, &back));
    }
    {
        struct stoa_rg_entry back = {0};
        const struct stoa_rg_entry *a = &rg_entry, *b = &back;

        stoa_rg_entry_pack(&rg_entry, bytes);
        assert_int_equal(stoa_rg_entry_unpack(bytes, &back, &err), STOA_OK);
        assert_true(F(offset) && F(nbytes) && F(nvalues) && F(nnulls) && F(page_shift) && F(phys) &&
                    F(encoding) && F(flags) && F(hash) && F(dict_id));
    }
    {
        struct stoa_page_entry back = {0};
        const struct stoa_page_entry *a = &page_entry, *b = &back;

        stoa_page_entry_pack(&page_entry, bytes);
        stoa_page_entry_unpack(bytes, &back);
        assert_true(F(end) && F(raw_nbytes) && F(hash));
    }
    {
        struct stoa_dict_head back = {0};
        const struct stoa_dict_head *a = &dict_head, *b = &back;

        stoa_dict_head_pack(&dict_head, bytes);
        assert_int_equal(stoa_dict_head_unpack(bytes, &back, &err), STOA_OK);
        assert_true(F(prev_id) && F(first_code) && F(count) && F(phys) && F(width) &&
                    F(raw_nbytes));
    }
    {
        struct stoa_section back = {0};
        const struct stoa_section *a = &section, *b = &back;

        stoa_section_pack(&section, bytes);
        assert_int_equal(stoa_section_unpack(bytes, &back, &err), STOA_OK);
        assert_true(F(type) && F(flags) && F(count) && F(offset) && F(nbytes) && F(hash));
    }
    {
        struct stoa_column_entry back = {0};
        const struct stoa_column_entry *a = &column_entry, *b = &back;

        stoa_column_entry_pack(&column_entry, bytes);
        assert_int_equal(stoa_column_entry_unpack(bytes, &back, &err), STOA_OK);
        assert_true(nodes_equal(&a->node, &b->node) && F(chunks_off) && F(chunks_hash) &&
                    F(stats_off) && F(stats_hash) && F(stats_stride));
    }
    {
        struct stoa_row_group_entry back = {0};
        const struct stoa_row_group_entry *a = &row_group_entry, *b = &back;

        stoa_row_group_entry_pack(&row_group_entry, bytes);
        assert_int_equal(stoa_row_group_entry_unpack(bytes, &back, &err), STOA_OK);
        assert_true(F(offset) && F(header_hash) && F(first_row) && F(first_zone) && F(nrows));
    }
    {
        struct stoa_chunk back = {0};
        const struct stoa_chunk *a = &chunk, *b = &back;

        stoa_chunk_pack(&chunk, bytes);
        assert_int_equal(stoa_chunk_unpack(bytes, &back, &err), STOA_OK);
        assert_true(F(offset) && F(nbytes) && F(nnulls) && F(hash) && F(dict_index) &&
                    F(page_shift) && F(phys) && F(encoding) && F(flags));
    }
    {
        struct stoa_dictdir_entry back = {0};
        const struct stoa_dictdir_entry *a = &dictdir_entry, *b = &back;

        stoa_dictdir_entry_pack(&dictdir_entry, bytes);
        assert_int_equal(stoa_dictdir_entry_unpack(bytes, &back, &err), STOA_OK);
        assert_true(F(id) && F(offset) && F(copy_offset) && F(dir_hash) && F(prev_index) &&
                    F(first_code) && F(count) && F(phys));
    }
    {
        struct stoa_trailer back = {0};
        const struct stoa_trailer *a = &trailer, *b = &back;

        stoa_trailer_pack(&trailer, bytes);
        assert_int_equal(stoa_trailer_unpack(bytes, &back, &err), STOA_OK);
        assert_true(F(footer_off) && F(file_nbytes) && F(nrows) && F(nsections) && F(features) &&
                    F(version) && F(nnodes) && F(table_hash));
    }
}

/* Fields that the other test cannot tell apart from a swap of two: the bytes themselves. */
static void bytes_stand_where_the_document_says(void **state)
{
    (void)state;
    static const uint8_t expected[STOA_OBJECT_NBYTES - 8] = {
        0x8b, 0x53, 0x54, 0x4f, 0x41, 0x0d, 0x0a, 0x1a, /* magic */
        0x05, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, /* kind, flags, version, features */
        0x40, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01, /* body_len */
        0xa3, 0xa2, 0xa1, 0x00, 0xb4, 0xb3, 0xb2, 0xb1, /* rows, dir_len */
        0xc8, 0xc7, 0xc6, 0xc5, 0xc4, 0xc3, 0xc2, 0xc1, /* stream_row */
        0xd8, 0xd7, 0xd6, 0xd5, 0xd4, 0xd3, 0xd2, 0xd1, /* ref_id */
        0xe8, 0xe7, 0xe6, 0xe5, 0xe4, 0xe3, 0xe2, 0xe1, /* dir_hash */
    };
    static const uint8_t expected_chunk[STOA_CHUNK_NBYTES] = {
        0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01, /* offset */
        0x14, 0x13, 0x12, 0x11, 0x24, 0x23, 0x22, 0x21, /* length, n_nulls */
        0x38, 0x37, 0x36, 0x35, 0x34, 0x33, 0x32, 0x31, /* hash */
        0x44, 0x43, 0x42, 0x41, 0x10, 0x0d, 0x04, 0x03, /* dict_index, shift, phys, enc, flags */
    };
    uint8_t bytes[MAX_NBYTES];

    stoa_object_pack(&object, bytes);
    assert_memory_equal(bytes, expected, sizeof(expected));
    stoa_chunk_pack(&chunk, bytes);
    assert_memory_equal(bytes, expected_chunk, sizeof(expected_chunk));
}

/* Unpackers behind one signature; what they give back does not matter here. */
#define UNPACKER(name)                                                                             \
    static enum stoa_status unpack_##name(const uint8_t *bytes, struct stoa_error *err)            \
    {                                                                                              \
        struct stoa_##name ignored;                                                                \
        return stoa_##name##_unpack(bytes, &ignored, err);                                         \
    }
UNPACKER(object)
UNPACKER(node)
UNPACKER(rg_entry)
UNPACKER(dict_head)
UNPACKER(section)
UNPACKER(column_entry)
UNPACKER(row_group_entry)
UNPACKER(chunk)
UNPACKER(dictdir_entry)
UNPACKER(trailer)

static void pack_object(uint8_t *out)
{
    struct stoa_object copy = object;

    stoa_object_pack(&copy, out);
}

static void pack_schema_object(uint8_t *out)
{
    struct stoa_object copy = object;

    copy.kind = STOA_OBJECT_SCHEMA;
    copy.nrows = 0;
    stoa_object_pack(&copy, out);
}

#define PACKER(name)                                                                               \
    static void pack_##name(uint8_t *out)                                                          \
    {                                                                                              \
        stoa_##name##_pack(&(name), out);                                                          \
    }
PACKER(node)
PACKER(rg_entry)
PACKER(dict_head)
PACKER(section)
PACKER(column_entry)
PACKER(row_group_entry)
PACKER(chunk)
PACKER(dictdir_entry)
PACKER(trailer)

static void pack_null_chunk(uint8_t *out)
{
    struct stoa_chunk null_chunk = {
        .nnulls = 5,
        .dict_index = STOA_NONE32,
        .encoding = 1,
        .flags = STOA_CHUNK_ALL_NULL,
    };

    stoa_chunk_pack(&null_chunk, out);
}

static void rehash_object(uint8_t *bytes)
{
    stoa_store64(bytes + 56, stoa_hash(bytes, 56));
}

static void rehash_trailer(uint8_t *bytes)
{
    stoa_store64(bytes + 48, stoa_hash(bytes, 48));
}

/* Valid bytes of which `nbytes` from `at` on become `value`. */
struct refusal {
    void (*pack)(uint8_t *out);
    enum stoa_status (*unpack)(const uint8_t *bytes, struct stoa_error *err);
    void (*rehash)(uint8_t *bytes);
    unsigned at, nbytes;
    uint64_t value;
    enum stoa_status status;
    const char *message;
};

/* clang-format off */
static const struct refusal refusals[] = {
    {pack_object, unpack_object, NULL, 0, 1, 'S', STOA_ERR_CORRUPT,
     "object header: no magic number"},
    {pack_object, unpack_object, NULL, 24, 1, 1, STOA_ERR_CORRUPT, "object header: hash differs"},
    {pack_object, unpack_object, NULL, 60, 1, 1, STOA_ERR_CORRUPT, "object header: hash differs"},
    {pack_object, unpack_object, rehash_object, 10, 2, 0x0203, STOA_ERR_UNSUPPORTED,
     "object header: format version 2.3, this program reads 1.x"},
    {pack_object, unpack_object, rehash_object, 12, 4, 8, STOA_ERR_UNSUPPORTED,
     "object header: needs feature 3, which this version does not know"},
    {pack_object, unpack_object, rehash_object, 12, 4, UINT32_C(1) << 31, STOA_ERR_UNSUPPORTED,
     "object header: needs feature 31, which this version does not know"},
    {pack_object, unpack_object, rehash_object, 16, 8, 0x100000020, STOA_ERR_CORRUPT,
     "object header: body of 4294967328 bytes, no multiple of 64"},
    {pack_object, unpack_object, rehash_object, 16, 8, 64, STOA_ERR_CORRUPT,
     "object header: directory of 2981278644 bytes in a body of 64"},
    {pack_object, unpack_object, rehash_object, 9, 1, 1, STOA_ERR_CORRUPT,
     "object header: row group: flags 0x01, only 0x00 are given"},
    {pack_object, unpack_object, rehash_object, 24, 4, 0, STOA_ERR_CORRUPT,
     "object header: row group: 0 rows, must be 1..16777216"},
    {pack_object, unpack_object, rehash_object, 24, 4, (1 << 24) + 1, STOA_ERR_CORRUPT,
     "object header: row group: 16777217 rows, must be 1..16777216"},
    {pack_schema_object, unpack_object, rehash_object, 24, 4, 9, STOA_ERR_CORRUPT,
     "object header: schema: 9 rows, must be 0"},

    {pack_node, unpack_node, NULL, 7, 1, 0x05, STOA_ERR_CORRUPT,
     "node: flags 0x05, only 0x01 are given"},
    {pack_node, unpack_node, NULL, 7, 1, 0x02, STOA_ERR_CORRUPT,
     "node: flags 0x02, only 0x01 are given"},

    {pack_rg_entry, unpack_rg_entry, NULL, 23, 1, 0x1a, STOA_ERR_CORRUPT,
     "chunk: DERIVED beside other flags"},
    {pack_rg_entry, unpack_rg_entry, NULL, 20, 1, 17, STOA_ERR_CORRUPT,
     "chunk: page_shift 17, must be 0..16"},
    {pack_rg_entry, unpack_rg_entry, NULL, 32, 8, 0, STOA_ERR_CORRUPT,
     "chunk: flag SHARED_DICT without a dictionary"},
    {pack_rg_entry, unpack_rg_entry, NULL, 23, 1, 0, STOA_ERR_CORRUPT,
     "chunk: flag SHARED_DICT is clear beside a dictionary"},
    {pack_rg_entry, unpack_rg_entry, NULL, 0, 8, 12, STOA_ERR_CORRUPT,
     "chunk: offset 12 is no multiple of 8"},
    {pack_rg_entry, unpack_rg_entry, NULL, 8, 4, 0, STOA_ERR_CORRUPT,
     "chunk: no bytes and not ALL_NULL or ALL_VALID"},
    {pack_rg_entry, unpack_rg_entry, NULL, 12, 4, 5, STOA_ERR_CORRUPT,
     "chunk: 288502580 nulls of 5 values"},

    {pack_chunk, unpack_chunk, NULL, 28, 1, 0xff, STOA_ERR_CORRUPT,
     "chunk: page_shift 255, must be 0..16"},
    {pack_chunk, unpack_chunk, NULL, 24, 4, STOA_NONE32, STOA_ERR_CORRUPT,
     "chunk: flag SHARED_DICT without a dictionary"},
    {pack_chunk, unpack_chunk, NULL, 0, 8, 0, STOA_ERR_CORRUPT,
     "chunk: no bytes and not ALL_NULL or ALL_VALID"},
    {pack_null_chunk, unpack_chunk, NULL, 8, 4, 8, STOA_ERR_CORRUPT,
     "chunk: ALL_NULL beside bytes or other flags"},
    {pack_null_chunk, unpack_chunk, NULL, 31, 1, 5, STOA_ERR_CORRUPT,
     "chunk: ALL_NULL beside bytes or other flags"},
    {pack_null_chunk, unpack_chunk, NULL, 0, 8, 64, STOA_ERR_CORRUPT,
     "chunk: ALL_NULL beside bytes or other flags"},

    {pack_dict_head, unpack_dict_head, NULL, 18, 1, 1, STOA_ERR_CORRUPT,
     "dictionary: byte 18 is 1, must be 0"},
    {pack_dict_head, unpack_dict_head, NULL, 0, 8, 0, STOA_ERR_CORRUPT,
     "dictionary: first code 286397204 without a previous segment"},
    {pack_dict_head, unpack_dict_head, NULL, 8, 4, 0, STOA_ERR_CORRUPT,
     "dictionary: first code 0 beside a previous segment"},
    {pack_dict_head, unpack_dict_head, NULL, 12, 4, 0, STOA_ERR_CORRUPT,
     "dictionary: 0 entries, must be 1..1048576"},
    {pack_dict_head, unpack_dict_head, NULL, 12, 4, (1 << 20) + 1, STOA_ERR_CORRUPT,
     "dictionary: 1048577 entries, must be 1..1048576"},
    {pack_dict_head, unpack_dict_head, NULL, 20, 4, 0, STOA_ERR_CORRUPT,
     "dictionary: width 0 of physical type 12"},
    {pack_dict_head, unpack_dict_head, NULL, 16, 1, STOA_PHYS_BYTES, STOA_ERR_CORRUPT,
     "dictionary: width 825373492 of physical type 13"},

    {pack_section, unpack_section, NULL, 1, 1, 0x08, STOA_ERR_CORRUPT,
     "section: flags 0x08, only 0x07 are given"},
    {pack_section, unpack_section, NULL, 3, 1, 1, STOA_ERR_CORRUPT,
     "section: byte 3 is 1, must be 0"},
    {pack_section, unpack_section, NULL, 0, 1, 13, STOA_ERR_UNSUPPORTED,
     "section: type 13 is required and this version does not know it"},
    {pack_section, unpack_section, NULL, 1, 1, 4, STOA_ERR_CORRUPT,
     "section: BY_COLUMN beside a hash"},
    {pack_section, unpack_section, NULL, 8, 8, 4, STOA_ERR_CORRUPT,
     "section: offset 4 is no multiple of 8"},

    {pack_column_entry, unpack_column_entry, NULL, 63, 1, 1, STOA_ERR_CORRUPT,
     "column: byte 63 is 1, must be 0"},
    {pack_column_entry, unpack_column_entry, NULL, 7, 1, 0x80, STOA_ERR_CORRUPT,
     "node: flags 0x80, only 0x01 are given"},

    {pack_row_group_entry, unpack_row_group_entry, NULL, 36, 1, 1, STOA_ERR_CORRUPT,
     "row group: byte 36 is 1, must be 0"},
    {pack_row_group_entry, unpack_row_group_entry, NULL, 32, 4, 0, STOA_ERR_CORRUPT,
     "row group: 0 rows, must be 1..16777216"},
    {pack_row_group_entry, unpack_row_group_entry, NULL, 0, 8, 72, STOA_ERR_CORRUPT,
     "row group: offset 72 is no multiple of 64"},

    {pack_dictdir_entry, unpack_dictdir_entry, NULL, 47, 1, 1, STOA_ERR_CORRUPT,
     "dictionary: byte 47 is 1, must be 0"},
    {pack_dictdir_entry, unpack_dictdir_entry, NULL, 40, 4, 0, STOA_ERR_CORRUPT,
     "dictionary: 0 entries, must be 1..1048576"},
    {pack_dictdir_entry, unpack_dictdir_entry, NULL, 32, 4, STOA_NONE32, STOA_ERR_CORRUPT,
     "dictionary: first code 1364349780 without a previous segment"},
    {pack_dictdir_entry, unpack_dictdir_entry, NULL, 16, 8, 8, STOA_ERR_CORRUPT,
     "dictionary: offsets 1230066625199609664 and 8, no multiples of 64"},

    {pack_trailer, unpack_trailer, NULL, 63, 1, 0x8a, STOA_ERR_CORRUPT,
     "trailer: no magic number"},
    {pack_trailer, unpack_trailer, NULL, 40, 1, 0, STOA_ERR_CORRUPT, "trailer: hash differs"},
    {pack_trailer, unpack_trailer, rehash_trailer, 32, 2, 0x0300, STOA_ERR_UNSUPPORTED,
     "trailer: format version 3.0, this program reads 1.x"},
    {pack_trailer, unpack_trailer, rehash_trailer, 28, 4, 1, STOA_ERR_UNSUPPORTED,
     "trailer: needs feature 0 (encryption), which this version cannot read"},
    {pack_trailer, unpack_trailer, rehash_trailer, 34, 2, 0x0100, STOA_ERR_CORRUPT,
     "trailer: footer at 283686952306240 with 825373492 sections in 76862541792614016 bytes"},
    {pack_trailer, unpack_trailer, rehash_trailer, 8, 8, 100, STOA_ERR_CORRUPT,
     "trailer: footer at 283686952306240 of 100 bytes, no multiples of 64"},
    {pack_trailer, unpack_trailer, rehash_trailer, 8, 8, 6400, STOA_ERR_CORRUPT,
     "trailer: footer at 283686952306240 with 825373492 sections in 6400 bytes"},
};
/* clang-format on */

static void what_is_wrong_is_refused_by_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        const struct refusal *r = &refusals[i];
        struct stoa_error err = {0};
        uint8_t bytes[MAX_NBYTES];

        r->pack(bytes);
        assert_int_equal(r->unpack(bytes, &err), STOA_OK);
        for (unsigned k = 0; k < r->nbytes; k++)
            bytes[r->at + k] = (uint8_t)(r->value >> (8 * k));
        if (r->rehash != NULL)
            r->rehash(bytes);
        assert_int_equal(r->unpack(bytes, &err), r->status);
        assert_string_equal(err.message, r->message);
    }
}

/* A walker passes what a newer minor version may bring. */
static void unknown_kinds_and_minor_versions_are_read(void **state)
{
    (void)state;
    struct stoa_error err = {0};
    struct stoa_object newer = object, back;
    struct stoa_section extra = section, section_back;
    uint8_t bytes[MAX_NBYTES];

    newer.kind = 200;
    newer.flags = 0xf0;
    newer.version = STOA_FORMAT_VERSION + 7;
    stoa_object_pack(&newer, bytes);
    assert_int_equal(stoa_object_unpack(bytes, &back, &err), STOA_OK);
    assert_int_equal(back.kind, 200);
    assert_null(stoa_object_kind_name(back.kind));

    extra.type = 12;
    extra.flags = 0;
    stoa_section_pack(&extra, bytes);
    assert_int_equal(stoa_section_unpack(bytes, &section_back, &err), STOA_OK);
}

static void any_changed_bit_of_a_hashed_structure_is_found(void **state)
{
    (void)state;
    uint8_t bytes[MAX_NBYTES];
    struct stoa_error err = {0};

    for (unsigned bit = 0; bit < 512; bit++) {
        pack_object(bytes);
        bytes[bit / 8] = (uint8_t)(bytes[bit / 8] ^ 1u << (bit % 8));
        assert_int_equal(unpack_object(bytes, &err), STOA_ERR_CORRUPT);
        pack_trailer(bytes);
        bytes[bit / 8] = (uint8_t)(bytes[bit / 8] ^ 1u << (bit % 8));
        assert_int_equal(unpack_trailer(bytes, &err), STOA_ERR_CORRUPT);
    }
}

/* Bytes that some other program made up never trip an unpacker; the sanitizers watch. */
static void random_bytes_are_taken_or_refused(void **state)
{
    (void)state;
    struct stoa_test_random random;
    size_t ncases = stoa_test_ncases(20000);

    stoa_test_random_init(&random, "random_bytes_are_taken_or_refused");
    for (size_t i = 0; i < ncases; i++) {
        const struct refusal *r =
            &refusals[stoa_test_random_below(&random, sizeof(refusals) / sizeof(refusals[0]))];
        struct stoa_error err = {0};
        uint8_t bytes[MAX_NBYTES];

        stoa_test_random_bytes(&random, bytes, sizeof(bytes));
        if (r->unpack(bytes, &err) != STOA_OK)
            assert_true(err.message[0] != '\0');
    }
}

static void pages_of_a_chunk_are_counted(void **state)
{
    (void)state;
    assert_int_equal(stoa_chunk_npages(0, 13, 1), 1);
    assert_int_equal(stoa_chunk_npages(0, 13, 8192), 1);
    assert_int_equal(stoa_chunk_npages(0, 13, 8193), 2);
    assert_int_equal(stoa_chunk_npages(STOA_CHUNK_LOCAL_DICT, 13, 8193), 3);
    assert_int_equal(stoa_chunk_npages(STOA_CHUNK_ALL_NULL, 13, 8193), 0);
    assert_int_equal(stoa_chunk_npages(0, 0, UINT32_MAX), UINT32_MAX);
    assert_int_equal(stoa_chunk_npages(0, 16, UINT32_MAX), 65536);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_structure_comes_back_as_it_was_packed),
        cmocka_unit_test(bytes_stand_where_the_document_says),
        cmocka_unit_test(what_is_wrong_is_refused_by_name),
        cmocka_unit_test(unknown_kinds_and_minor_versions_are_read),
        cmocka_unit_test(any_changed_bit_of_a_hashed_structure_is_found),
        cmocka_unit_test(random_bytes_are_taken_or_refused),
        cmocka_unit_test(pages_of_a_chunk_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
