/*
 * The table of encodings (spec/encodings.md, sections 2 and 3): which there are, what children
 * they have and where they may stand. Plans, pages, tests and messages all follow it.
 */
#include "codec/encoding.h"

#include "codec/node.h"

#define ROLE(name) (1u << STOA_ROLE_##name)
#define PHYS(name) (1u << STOA_PHYS_##name)
#define TEST(name) (1u << STOA_TEST_##name)

/* clang-format off */
enum {
    NUMBERS = PHYS(I8) | PHYS(I16) | PHYS(I32) | PHYS(I64) | PHYS(U8) | PHYS(U16) | PHYS(U32) |
              PHYS(U64) | PHYS(F16) | PHYS(F32) | PHYS(F64),
    FIXED_WIDTH = NUMBERS | PHYS(I128) | PHYS(I256) | PHYS(FIXED),
    ANYWHERE = ROLE(ROOT) | ROLE(DELTAS) | ROLE(CODES) | ROLE(COUNTS) | ROLE(VALUES) |
               ROLE(INTEGERS) | ROLE(RESIDUALS),
    ANY_TEST = TEST(SPANS) | TEST(FLOATS) | TEST(CODES),
    INTEGERS = PHYS(I8) | PHYS(I16) | PHYS(I32) | PHYS(I64) | PHYS(U8) | PHYS(U16) | PHYS(U32) |
               PHYS(U64),
};

static const struct stoa_encoding encodings[] = { /* the numbers are stored: never reuse one */
    [STOA_PLAIN] = {
        .name = "plain", .roles = ANYWHERE | ROLE(NARROWED) | ROLE(PARTS) | ROLE(SUFFIXES),
        .physes = FIXED_WIDTH | PHYS(BYTES),
        .nchildren = 1, .children_of_bytes_only = true,
        .children = {{STOA_ROLE_COUNTS, STOA_CHILD_U32, false}},
        .encode = stoa_plain_encode, .decode = stoa_plain_decode,
        .decode_text = stoa_plain_decode_text, .take_text = stoa_plain_take_text,
        .tests = ANY_TEST | TEST(TEXTS), .filter = stoa_plain_filter, .take = stoa_plain_take},
    [STOA_CONST] = {
        .name = "const", .roles = ANYWHERE | ROLE(PARTS), .physes = FIXED_WIDTH | PHYS(BYTES),
        .encode = stoa_const_encode, .decode = stoa_const_decode,
        .decode_text = stoa_const_decode_text,
        .tests = ANY_TEST | TEST(TEXTS), .filter = stoa_const_filter, .take = stoa_const_take},
    [STOA_PFOR] = {
        .name = "pfor", .roles = ANYWHERE | ROLE(PARTS), .physes = NUMBERS, .flags = 3,
        .encode = stoa_pfor_encode, .decode = stoa_pfor_decode,
        .tests = TEST(SPANS), .filter = stoa_pfor_filter, .take = stoa_pfor_take},
    [STOA_DELTA] = {
        .name = "delta", .roles = ROLE(ROOT) | ROLE(CODES) | ROLE(VALUES) | ROLE(INTEGERS) |
                                  ROLE(RESIDUALS),
        .physes = NUMBERS,
        .nchildren = 1, .children = {{STOA_ROLE_DELTAS, STOA_CHILD_SAME, false}},
        .encode = stoa_delta_encode, .decode = stoa_delta_decode,
        .take = stoa_delta_take},
    [STOA_DICT] = {
        .name = "dict", .roles = ROLE(ROOT), .physes = FIXED_WIDTH | PHYS(BYTES),
        .nchildren = 1, .children = {{STOA_ROLE_CODES, STOA_CHILD_U32, false}},
        .encode = stoa_dict_encode, .decode = stoa_dict_decode,
        .decode_text = stoa_dict_decode_text,
        .take = stoa_dict_take},
    [STOA_RLE] = {
        .name = "rle", .roles = ROLE(ROOT) | ROLE(CODES) | ROLE(DELTAS) | ROLE(INTEGERS) |
                                ROLE(RESIDUALS),
        .physes = FIXED_WIDTH,
        .nchildren = 2, .children = {{STOA_ROLE_VALUES, STOA_CHILD_SAME, true},
                                     {STOA_ROLE_COUNTS, STOA_CHILD_U32, true}},
        .encode = stoa_rle_encode, .decode = stoa_rle_decode,
        .tests = ANY_TEST, .filter = stoa_rle_filter, .take = stoa_rle_take},
    [STOA_SPARSE] = {
        .name = "sparse", .roles = ROLE(ROOT) | ROLE(CODES) | ROLE(INTEGERS) | ROLE(RESIDUALS),
        .physes = FIXED_WIDTH,
        .nchildren = 2, .children = {{STOA_ROLE_COUNTS, STOA_CHILD_U32, true},
                                     {STOA_ROLE_VALUES, STOA_CHILD_SAME, true}},
        .encode = stoa_sparse_encode, .decode = stoa_sparse_decode,
        .tests = ANY_TEST, .filter = stoa_sparse_filter, .take = stoa_sparse_take},
    [STOA_ALP] = {
        .name = "alp", .roles = ROLE(ROOT) | ROLE(VALUES), .physes = PHYS(F32) | PHYS(F64),
        .nchildren = 1, .children = {{STOA_ROLE_INTEGERS, STOA_CHILD_SIGNED, false}},
        .encode = stoa_alp_encode, .decode = stoa_alp_decode,
        .tests = TEST(FLOATS), .filter = stoa_alp_filter, .take = stoa_alp_take},
    [STOA_ALPRD] = {
        .name = "alprd", .roles = ROLE(ROOT) | ROLE(VALUES), .physes = PHYS(F32) | PHYS(F64),
        .nchildren = 2, .children = {{STOA_ROLE_PARTS, STOA_CHILD_U8, false},
                                     {STOA_ROLE_PARTS, STOA_CHILD_SAME, false}},
        .encode = stoa_alprd_encode, .decode = stoa_alprd_decode},
    [STOA_FSST] = {
        .name = "fsst", .roles = ROLE(ROOT) | ROLE(SUFFIXES), .physes = PHYS(BYTES),
        .nchildren = 1, .children = {{STOA_ROLE_COUNTS, STOA_CHILD_U32, false}},
        .encode = stoa_fsst_encode_text, .decode_text = stoa_fsst_decode_text,
        .take_text = stoa_fsst_take_text,
        .tests = TEST(TEXTS), .filter = stoa_fsst_filter},
    [STOA_FRONT] = {
        .name = "front", .roles = ROLE(ROOT), .physes = PHYS(BYTES),
        .nchildren = 2, .children = {{STOA_ROLE_COUNTS, STOA_CHILD_U32, false},
                                     {STOA_ROLE_SUFFIXES, STOA_CHILD_SAME, false}},
        .encode = stoa_front_encode, .decode_text = stoa_front_decode_text,
        .take_text = stoa_front_take_text,
        .tests = TEST(TEXTS), .filter = stoa_front_filter},
    [STOA_CHARPACK] = {
        .name = "charpack", .roles = ROLE(ROOT), .physes = PHYS(BYTES), .flags = 1,
        .nchildren = 1, .children = {{STOA_ROLE_INTEGERS, STOA_CHILD_U64, false}},
        .encode = stoa_charpack_encode, .decode_text = stoa_charpack_decode_text,
        .take_text = stoa_charpack_take_text,
        .tests = TEST(TEXTS), .filter = stoa_charpack_filter},
    [STOA_SPLIT] = {
        .name = "split", .roles = ROLE(ROOT) | ROLE(CODES) | ROLE(DELTAS) | ROLE(VALUES) |
                                  ROLE(INTEGERS) | ROLE(RESIDUALS),
        .physes = NUMBERS & ~(PHYS(I8) | PHYS(U8)),
        .nchildren = 2, .children = {{STOA_ROLE_PARTS, STOA_CHILD_U8, false},
                                     {STOA_ROLE_PARTS, STOA_CHILD_SAME, false}},
        .encode = stoa_split_encode, .decode = stoa_split_decode,
        .tests = TEST(SPANS), .filter = stoa_split_filter, .take = stoa_split_take},
    [STOA_NARROW] = {
        .name = "narrow", .roles = ANYWHERE, .physes = NUMBERS & ~(PHYS(I8) | PHYS(U8)),
        .nchildren = 1, .children = {{STOA_ROLE_NARROWED, STOA_CHILD_NARROWER, false}},
        .encode = stoa_narrow_encode, .decode = stoa_narrow_decode,
        .tests = TEST(SPANS), .filter = stoa_narrow_filter, .take = stoa_narrow_take},
    [STOA_PLANES] = {
        .name = "planes", .roles = ROLE(ROOT) | ROLE(VALUES),
        .physes = PHYS(I128) | PHYS(I256) | PHYS(FIXED),
        .encode = stoa_planes_encode, .decode = stoa_planes_decode},
    [STOA_LINEAR] = {
        .name = "linear", .roles = ROLE(ROOT), .physes = INTEGERS, .is_derived = true,
        .nchildren = 1, .children = {{STOA_ROLE_RESIDUALS, STOA_CHILD_SAME, false}},
        .encode = stoa_linear_encode, .decode = stoa_linear_decode,
        .take = stoa_linear_take},
    [STOA_LOOKUP] = {
        .name = "lookup", .roles = ROLE(ROOT), .physes = INTEGERS, .is_derived = true,
        .nchildren = 2, .children = {{STOA_ROLE_RESIDUALS, STOA_CHILD_SAME, true},
                                     {STOA_ROLE_RESIDUALS, STOA_CHILD_SAME, false}},
        .encode = stoa_lookup_encode, .decode = stoa_lookup_decode,
        .take = stoa_lookup_take},
    /* Validity alone: validity.c encodes and decodes it. */
    [STOA_BITMAP] = {
        .name = "bitmap", .roles = ROLE(VALIDITY), .physes = PHYS(NONE)},
    [STOA_BITRUNS] = {
        .name = "bitruns", .roles = ROLE(VALIDITY), .physes = PHYS(NONE),
        .nchildren = 1, .children = {{STOA_ROLE_COUNTS, STOA_CHILD_U32, true}}},
};
/* clang-format on */

enum { NENCODINGS = sizeof(encodings) / sizeof(encodings[0]) };

static const char *const role_names[] = {
    [STOA_ROLE_ROOT] = "the values",
    [STOA_ROLE_VALIDITY] = "validity",
    [STOA_ROLE_DELTAS] = "deltas",
    [STOA_ROLE_CODES] = "codes",
    [STOA_ROLE_COUNTS] = "lengths/positions",
    [STOA_ROLE_VALUES] = "values of rle/sparse",
    [STOA_ROLE_NARROWED] = "values of narrow",
    [STOA_ROLE_INTEGERS] = "integers",
    [STOA_ROLE_PARTS] = "parts",
    [STOA_ROLE_SUFFIXES] = "suffixes",
    [STOA_ROLE_RESIDUALS] = "residuals",
};

const struct stoa_encoding *stoa_encoding_find(unsigned encoding)
{
    return encoding < STOA_ENCODING_END && encodings[encoding].name != NULL ? &encodings[encoding]
                                                                            : NULL;
}

const char *stoa_encoding_name(unsigned encoding)
{
    const struct stoa_encoding *e = stoa_encoding_find(encoding);

    return e != NULL ? e->name : NULL;
}

unsigned stoa_encoding_nchildren(const struct stoa_encoding *encoding, unsigned phys)
{
    return encoding->children_of_bytes_only && phys != STOA_PHYS_BYTES ? 0 : encoding->nchildren;
}

bool stoa_encoding_may_be(const struct stoa_encoding *encoding, unsigned role, unsigned phys)
{
    return (encoding->roles >> role & 1) != 0 && phys < 16 && (encoding->physes >> phys & 1) != 0;
}

const char *stoa_role_name(unsigned role)
{
    return role_names[role];
}

bool stoa_child_phys_fits(enum stoa_child_phys rule, unsigned parent, unsigned phys)
{
    switch (rule) {
    case STOA_CHILD_SAME:
        return phys == parent;
    case STOA_CHILD_U8:
        return phys == STOA_PHYS_U8;
    case STOA_CHILD_U32:
        return phys == STOA_PHYS_U32;
    case STOA_CHILD_U64:
        return phys == STOA_PHYS_U64;
    case STOA_CHILD_SIGNED:
        return phys == (parent == STOA_PHYS_F32 ? STOA_PHYS_I32 : STOA_PHYS_I64);
    case STOA_CHILD_NARROWER:
        return phys >= STOA_PHYS_U8 && phys <= STOA_PHYS_U32 &&
               stoa_phys_width((enum stoa_phys)phys) < stoa_phys_width((enum stoa_phys)parent);
    }
    return false;
}
