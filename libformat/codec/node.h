/*
 * The inside of the codec: what an encoding sees of the page that it is a node of.
 *
 * Each encoding is one row of the table in encoding.c and one file with two functions. Encoding
 * walks a plan downwards: a node writes its payload, then its children. Decoding finds a tree that
 * page_decode.c has checked as far as a table can tell: counts, types and places are right, and the
 * payloads lie inside the page. What is inside a payload is for the encoding to check.
 */
#ifndef STOA_CODEC_NODE_H
#define STOA_CODEC_NODE_H

#include "codec/compress_zstd.h"
#include "codec/fsst.h"
#include "codec/page.h"
#include "codec/page_select.h"

#define STOA_PAGE_HEAD_NBYTES 8
#define STOA_PAGE_NODE_NBYTES 16
#define STOA_PAGE_MAX_DEPTH   3
#define STOA_DICT_MAX_NVALUES (1u << 20)

/* Byte 1 of a page. */
enum { STOA_PAGE_NO_NULLS = 0, STOA_PAGE_ALL_NULL = 1, STOA_PAGE_SOME_NULLS = 2 };

/* What a node is to the one above it: decides which encodings it may have. */
enum stoa_role {
    STOA_ROLE_ROOT,
    STOA_ROLE_VALIDITY,
    STOA_ROLE_DELTAS,    /* of DELTA */
    STOA_ROLE_CODES,     /* of DICT */
    STOA_ROLE_COUNTS,    /* lengths and positions */
    STOA_ROLE_VALUES,    /* of RLE and SPARSE */
    STOA_ROLE_NARROWED,  /* of NARROW */
    STOA_ROLE_INTEGERS,  /* of ALP */
    STOA_ROLE_PARTS,     /* of SPLIT and ALPRD */
    STOA_ROLE_SUFFIXES,  /* of FRONT */
    STOA_ROLE_RESIDUALS, /* of LINEAR and LOOKUP, and the first values of LOOKUP */
};

enum stoa_child_phys {
    STOA_CHILD_SAME, /* that of the parent */
    STOA_CHILD_U8,
    STOA_CHILD_U32,
    STOA_CHILD_NARROWER, /* U8, U16 or U32, narrower than the parent's */
    STOA_CHILD_U64,
    STOA_CHILD_SIGNED, /* I32 or I64, as wide as the parent's */
};

struct stoa_child {
    uint8_t role;
    uint8_t phys;     /* enum stoa_child_phys */
    bool any_nvalues; /* 1..nvalues of the parent (children alike) instead of as many as it */
};

struct stoa_encoder;
struct stoa_decoder;
struct stoa_page_node;

struct stoa_encoding {
    const char *name;
    uint16_t roles;  /* bit per enum stoa_role */
    uint16_t physes; /* bit per enum stoa_phys */
    uint8_t nchildren;
    bool children_of_bytes_only;
    bool is_derived; /* values follow from other columns: only in a chunk that is derived */
    uint8_t flags;   /* bits that a node may have */
    struct stoa_child children[2];

    /* Adds nodes for `values` (at least one) to the page; `plan` is this node's. */
    enum stoa_status (*encode)(struct stoa_encoder *encoder, const struct stoa_plan_node *plan,
                               const struct stoa_vector *values, struct stoa_error *err);

    /* Fixed width: writes nvalues * width bytes to `out`, which has room for 64 more. */
    enum stoa_status (*decode)(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                               uint8_t *out, struct stoa_error *err);

    /* BYTES: offsets[0..nvalues] and the text; NULL for encodings that have no BYTES. */
    enum stoa_status (*decode_text)(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                    struct stoa_error *err);

    /* BYTES, optional: the values at n > 0 rising places. Without it all values are decoded. */
    enum stoa_status (*take_text)(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                  const uint32_t *places, size_t n, struct stoa_error *err);

    /*
     * Sets the bits of the values that pass a test of a kind that `tests` has a bit for; they are
     * clear before. Optional for fixed width: without it the values are decoded and tested.
     */
    uint8_t tests; /* bit per enum stoa_test_kind */
    enum stoa_status (*filter)(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                               const struct stoa_test *test, uint8_t *bits, struct stoa_error *err);

    /*
     * Fixed width, optional: the values at n > 0 rising places, perhaps with repetitions, to `out`,
     * which has room for 64 bytes more. Without it all values are decoded.
     */
    enum stoa_status (*take)(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                             const uint32_t *places, size_t n, uint8_t *out,
                             struct stoa_error *err);
};

/* The row of an encoding, or NULL for a number that this version does not know. */
const struct stoa_encoding *stoa_encoding_find(unsigned encoding);

/* How many children a node has. */
unsigned stoa_encoding_nchildren(const struct stoa_encoding *encoding, unsigned phys);

/* Whether a node of this encoding and type may be that to the one above it; the role in words. */
bool stoa_encoding_may_be(const struct stoa_encoding *encoding, unsigned role, unsigned phys);
const char *stoa_role_name(unsigned role);

/* Whether `phys` is right for a child of a node of type `parent`. */
bool stoa_child_phys_fits(enum stoa_child_phys rule, unsigned parent, unsigned phys);

/* Physical types as PFOR, DELTA and NARROW see them: those of 1, 2, 4 or 8 bytes. */
static inline bool stoa_phys_is_number(unsigned phys)
{
    return (phys >= STOA_PHYS_I8 && phys <= STOA_PHYS_F64) || phys == STOA_PHYS_F16;
}

/* The bit that turns values of `phys` into numbers that compare unsigned; 0 for unsigned ones. */
static inline uint64_t stoa_phys_flip(unsigned phys)
{
    return phys <= STOA_PHYS_I64 ? UINT64_C(1) << (stoa_phys_width((enum stoa_phys)phys) * 8 - 1)
                                 : 0;
}

/* Buffers that are handed out in order and all taken back at once, keeping their memory. */
#define STOA_SCRATCH_NBUFFERS 48
struct stoa_scratch {
    struct stoa_buffer buffers[STOA_SCRATCH_NBUFFERS];
    unsigned nused;
};

/* nbytes of uninitialised memory with 64 bytes of room behind it, valid until the next page. */
STOA_CHECK enum stoa_status stoa_scratch_take(struct stoa_scratch *scratch, void *out,
                                              size_t nbytes, struct stoa_error *err);
void stoa_scratch_free(struct stoa_scratch *scratch);

struct stoa_page_node {
    uint8_t encoding;
    uint8_t codec;
    uint8_t phys;
    uint8_t flags;
    uint32_t width;
    uint32_t nvalues;
    uint32_t stored_nbytes;
    uint32_t raw_nbytes;
    size_t offset; /* of the payload: in the page when read, in encoder->payload when written */
    const struct stoa_page_node *children[2];
};

/* ---- Encoding. ---- */

struct stoa_page_checker; /* page_check.c */

void stoa_page_checker_free(struct stoa_page_checker *checker);

struct stoa_encoder {
    struct stoa_zstd_encoder *zstd;    /* of text and bytes */
    struct stoa_zstd_encoder *numbers; /* of everything else */
    struct stoa_page_checker *checker; /* made when it is first needed */
    bool checks;                       /* stoa_encoder_set_checks() */
    unsigned inflate_cost;             /* stoa_encoder_set_inflate_cost() */
    struct stoa_buffer payload;        /* of all nodes of the page so far */
    struct stoa_scratch scratch;
    struct stoa_page_node nodes[STOA_PAGE_MAX_NODES];
    unsigned nnodes;
    enum stoa_phys phys;     /* what the root stands for */
    const uint8_t *validity; /* of the page, from first_bit on; NULL: no value is null */
    size_t first_bit;
    const struct stoa_derivation *derivation;      /* for LINEAR and LOOKUP */
    const struct stoa_vector *chunk;               /* stoa_encoder_begin_chunk() */
    struct stoa_fsst_trainer *trainer;             /* made when it is first needed */
    const struct stoa_fsst_symbols *chunk_symbols; /* the trainer's; NULL: not looked for yet */
};

/* Encodes `values` as the plan says: what a node calls for its children. */
STOA_CHECK enum stoa_status stoa_node_encode(struct stoa_encoder *encoder,
                                             const struct stoa_plan_node *plan,
                                             const struct stoa_vector *values,
                                             struct stoa_error *err);

/* Child number `k` of a plan's node; with k = number of children, what follows the subtree. */
const struct stoa_plan_node *stoa_plan_child(const struct stoa_plan_node *node, unsigned k);

/*
 * Adds a node whose payload has raw_nbytes bytes, which the caller writes to *payload, to be
 * followed by stoa_node_end() before anything else is added.
 */
STOA_CHECK enum stoa_status stoa_node_begin(struct stoa_encoder *encoder,
                                            enum stoa_encoding_id encoding,
                                            const struct stoa_vector *values, size_t raw_nbytes,
                                            uint8_t **payload, struct stoa_error *err);
STOA_CHECK enum stoa_status stoa_node_end(struct stoa_encoder *encoder, bool compress,
                                          struct stoa_error *err);

/* The same; every part_nbytes bytes of the payload begin a block of the compressor. */
STOA_CHECK enum stoa_status stoa_node_end_parts(struct stoa_encoder *encoder, bool compress,
                                                size_t part_nbytes, struct stoa_error *err);

/* Whether all values are equal; there is at least one. */
bool stoa_vector_is_constant(const struct stoa_vector *values);

/* What an encoding does with values that are all equal: one CONST. */
STOA_CHECK enum stoa_status stoa_node_encode_constant(struct stoa_encoder *encoder,
                                                      const struct stoa_vector *values,
                                                      struct stoa_error *err);

/* What an encoding does with values that it cannot hold: the values as PFOR or PLAIN. */
STOA_CHECK enum stoa_status stoa_node_encode_instead(struct stoa_encoder *encoder,
                                                     const struct stoa_plan_node *plan,
                                                     const struct stoa_vector *values,
                                                     struct stoa_error *err);

/* The validity of a page, some but not all bits set. */
STOA_CHECK enum stoa_status stoa_validity_encode(struct stoa_encoder *encoder,
                                                 const uint8_t *validity, size_t first_bit,
                                                 size_t nvalues, struct stoa_error *err);

/* ---- Decoding. ---- */

struct stoa_decoder {
    struct stoa_zstd_decoder *zstd;
    struct stoa_scratch scratch;
    const uint8_t *page;
    struct stoa_page_node nodes[STOA_PAGE_MAX_NODES];
    unsigned nnodes;
    const struct stoa_vector *dictionary;
    uint32_t ncodes;
    struct stoa_page_values *out;
    struct stoa_buffer text;     /* of a page of which some values are taken */
    struct stoa_buffer suffixes; /* of FRONT */
    const uint8_t *valid; /* bit i belongs to value i of the page, zeros behind the last one, room
                             for a whole number of 8 bytes; NULL: no value is null */
};

/* The roots of a page: NULL where there is none. */
struct stoa_page_roots {
    const struct stoa_page_node *validity;
    const struct stoa_page_node *values;
    bool all_null;
};

/*
 * Checks the nodes of a page and makes it the decoder's; payloads are still to be looked at.
 * page_decode.c
 */
STOA_CHECK enum stoa_status stoa_page_open(struct stoa_decoder *decoder,
                                           const struct stoa_page_view *view,
                                           struct stoa_page_roots *roots, struct stoa_error *err);

/*
 * The validity of n values as a bitmap in scratch memory, NULL when none is null, and how many are.
 */
STOA_CHECK enum stoa_status stoa_page_validity(struct stoa_decoder *decoder,
                                               const struct stoa_page_roots *roots, size_t n,
                                               const uint8_t **valid, size_t *nnulls,
                                               struct stoa_error *err);

/* The multipliers of a LINEAR node of `page`, whose payload is never compressed by a writer. */
STOA_CHECK enum stoa_status stoa_linear_multipliers(const uint8_t *page,
                                                    const struct stoa_page_node *node,
                                                    uint64_t out[2], struct stoa_error *err);

/* Zeros in the slots of n values of `width` bytes that are null. */
void stoa_zero_null_slots(const uint8_t *valid, uint8_t *values, size_t n, size_t width);

/* STOA_ERR_CORRUPT at the node's payload: its encoding's name, ": " and the message. */
enum stoa_status stoa_node_fail(const struct stoa_page_node *node, struct stoa_error *err,
                                const char *format, ...) STOA_PRINTF(3, 4);

/* Decodes a node of fixed width into `out` (64 bytes of room more), or into scratch memory. */
STOA_CHECK enum stoa_status stoa_node_decode(struct stoa_decoder *decoder,
                                             const struct stoa_page_node *node, uint8_t *out,
                                             struct stoa_error *err);
STOA_CHECK enum stoa_status stoa_node_decode_scratch(struct stoa_decoder *decoder,
                                                     const struct stoa_page_node *node, void *out,
                                                     struct stoa_error *err);

/* What filters and takes call for their children: page_select.c. Places as in stoa_encoding. */
STOA_CHECK enum stoa_status stoa_node_filter(struct stoa_decoder *decoder,
                                             const struct stoa_page_node *node,
                                             const struct stoa_test *test, uint8_t *bits,
                                             struct stoa_error *err);
STOA_CHECK enum stoa_status stoa_node_take(struct stoa_decoder *decoder,
                                           const struct stoa_page_node *node,
                                           const uint32_t *places, size_t n, uint8_t *out,
                                           struct stoa_error *err);
STOA_CHECK enum stoa_status stoa_node_take_scratch(struct stoa_decoder *decoder,
                                                   const struct stoa_page_node *node,
                                                   const uint32_t *places, size_t n, void *out,
                                                   struct stoa_error *err);

/* Sets the bits of those of n values of a node that pass. */
STOA_CHECK enum stoa_status stoa_node_test(struct stoa_decoder *decoder,
                                           const struct stoa_page_node *node,
                                           const struct stoa_test *test, const uint8_t *values,
                                           size_t n, uint8_t *bits, struct stoa_error *err);

/* The raw payload: in the page, or decompressed into scratch memory; or straight into `out`. */
STOA_CHECK enum stoa_status stoa_node_payload(struct stoa_decoder *decoder,
                                              const struct stoa_page_node *node,
                                              const uint8_t **out, struct stoa_error *err);
STOA_CHECK enum stoa_status stoa_node_payload_into(struct stoa_decoder *decoder,
                                                   const struct stoa_page_node *node, uint8_t *out,
                                                   struct stoa_error *err);

/* STOA_ERR_CORRUPT unless the raw payload has nbytes bytes. */
STOA_CHECK enum stoa_status stoa_node_expect(const struct stoa_page_node *node, uint64_t nbytes,
                                             struct stoa_error *err);

/*
 * Room for nbytes bytes of text, and 64 to scribble on, behind decoder->out->bytes; STOA_ERR_LIMIT
 * when there would be more than the caller wants or offsets can say.
 */
STOA_CHECK enum stoa_status stoa_text_reserve(struct stoa_decoder *decoder, uint64_t nbytes,
                                              struct stoa_error *err);

/* That limit by itself, for nbytes bytes behind so many others, wherever they are put. */
STOA_CHECK enum stoa_status stoa_text_check_limit(const struct stoa_decoder *decoder, size_t behind,
                                                  uint64_t nbytes, struct stoa_error *err);

/*
 * Text: text_nodes.c. The lengths of the values that an encoder has, in scratch memory, as what the
 * child of lengths gets; and the sum of lengths, which n <= 2^32 of them do not overflow.
 */
STOA_CHECK enum stoa_status stoa_text_lengths(struct stoa_encoder *encoder,
                                              const struct stoa_vector *values,
                                              struct stoa_vector *out, struct stoa_error *err);
uint64_t stoa_text_total(const uint32_t *lengths, size_t n);

/*
 * Makes values of the nbytes bytes behind decoder->out->bytes: the text of n values of these
 * lengths. Null ones become empty, in `lengths` too.
 */
void stoa_text_put(struct stoa_decoder *decoder, uint32_t *lengths, size_t n, size_t nbytes);

/*
 * The text of all n values of a node, none of which is null, or, with places, of those at n rising
 * ones, into *values, whose offsets are scratch memory and whose text is that of `bytes`.
 */
STOA_CHECK enum stoa_status
stoa_text_aside(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                const uint32_t *places, size_t n, struct stoa_buffer *bytes,
                struct stoa_page_values *values, struct stoa_error *err);

/*
 * Sets the offsets of the values at n places of a page with these lengths, null ones empty, and
 * reserves room for their text, which the caller copies.
 */
STOA_CHECK enum stoa_status stoa_text_take_lengths(struct stoa_decoder *decoder,
                                                   const uint32_t *lengths, const uint32_t *places,
                                                   size_t n, struct stoa_error *err);

/*
 * Tests of texts: text_tests.c. Values that go by blocks of STOA_TEXT_BLOCK, of which the `text` of
 * one at a time is made; the bits of the block are those from bits[b * STOA_TEXT_BLOCK / 8] on.
 */
enum { STOA_TEXT_BLOCK = 128 };

/* How many values block b has, of n in all. */
static inline size_t stoa_text_block_nvalues(size_t n, size_t b)
{
    size_t left = n - b * STOA_TEXT_BLOCK;

    return left < STOA_TEXT_BLOCK ? left : STOA_TEXT_BLOCK;
}

/*
 * The values that may pass by their lengths, as a bitmap in scratch memory; `lengths` may be NULL.
 */
STOA_CHECK enum stoa_status stoa_text_candidates(struct stoa_decoder *decoder,
                                                 const struct stoa_test *test,
                                                 const uint32_t *lengths, size_t n, uint8_t **out,
                                                 struct stoa_error *err);

/* Whether there are any in block b of a bitmap. */
bool stoa_text_block_any(const uint8_t *bits, size_t n, size_t b);

/* The texts of a block, by their lengths; with 64 bytes behind that may be read. */
void stoa_text_test_block(const struct stoa_test *test, const uint8_t *text,
                          const uint32_t *lengths, size_t n, uint8_t *bits);

/* One text alone. */
bool stoa_text_test_one(const struct stoa_test *test, const uint8_t *text, size_t nbytes);

/* Values of a node that are all decoded and then tested. */
STOA_CHECK enum stoa_status stoa_text_test_decoded(struct stoa_decoder *decoder,
                                                   const struct stoa_page_node *node,
                                                   const struct stoa_test *test, uint8_t *bits,
                                                   struct stoa_error *err);

/* A tree of validity into the bits [0, nvalues) of `bitmap`, which is all zeros before. */
STOA_CHECK enum stoa_status stoa_validity_decode(struct stoa_decoder *decoder,
                                                 const struct stoa_page_node *node, uint8_t *bitmap,
                                                 struct stoa_error *err);

/* The bits of a BITMAP, lent as the payload is. */
STOA_CHECK enum stoa_status stoa_bitmap_view(struct stoa_decoder *decoder,
                                             const struct stoa_page_node *node,
                                             const uint8_t **bitmap, struct stoa_error *err);

/* ---- The encodings: one file each. ---- */

#define STOA_DECLARE_ENCODING(name)                                                                \
    enum stoa_status stoa_##name##_encode(                                                         \
        struct stoa_encoder *encoder, const struct stoa_plan_node *plan,                           \
        const struct stoa_vector *values, struct stoa_error *err);                                 \
    enum stoa_status stoa_##name##_decode(struct stoa_decoder *decoder,                            \
                                          const struct stoa_page_node *node, uint8_t *out,         \
                                          struct stoa_error *err)

STOA_DECLARE_ENCODING(plain);
STOA_DECLARE_ENCODING(const);
STOA_DECLARE_ENCODING(pfor);
STOA_DECLARE_ENCODING(delta);
STOA_DECLARE_ENCODING(dict);
STOA_DECLARE_ENCODING(rle);
STOA_DECLARE_ENCODING(sparse);
STOA_DECLARE_ENCODING(narrow);
STOA_DECLARE_ENCODING(alp);
STOA_DECLARE_ENCODING(alprd);
STOA_DECLARE_ENCODING(split);
STOA_DECLARE_ENCODING(planes);
STOA_DECLARE_ENCODING(linear);
STOA_DECLARE_ENCODING(lookup);

#define STOA_DECLARE_FILTER(name)                                                                  \
    enum stoa_status stoa_##name##_filter(                                                         \
        struct stoa_decoder *decoder, const struct stoa_page_node *node,                           \
        const struct stoa_test *test, uint8_t *bits, struct stoa_error *err)
#define STOA_DECLARE_TAKE(name)                                                                    \
    enum stoa_status stoa_##name##_take(struct stoa_decoder *decoder,                              \
                                        const struct stoa_page_node *node, const uint32_t *places, \
                                        size_t n, uint8_t *out, struct stoa_error *err)

STOA_DECLARE_FILTER(plain);
STOA_DECLARE_FILTER(const);
STOA_DECLARE_FILTER(pfor);
STOA_DECLARE_FILTER(rle);
STOA_DECLARE_FILTER(sparse);
STOA_DECLARE_FILTER(narrow);
STOA_DECLARE_FILTER(alp);
STOA_DECLARE_FILTER(split);
STOA_DECLARE_FILTER(fsst); /* of texts, as the next two */
STOA_DECLARE_FILTER(front);
STOA_DECLARE_FILTER(charpack);

STOA_DECLARE_TAKE(plain);
STOA_DECLARE_TAKE(const);
STOA_DECLARE_TAKE(pfor);
STOA_DECLARE_TAKE(delta);
STOA_DECLARE_TAKE(rle);
STOA_DECLARE_TAKE(sparse);
STOA_DECLARE_TAKE(narrow);
STOA_DECLARE_TAKE(alp);
STOA_DECLARE_TAKE(split);
STOA_DECLARE_TAKE(linear);
STOA_DECLARE_TAKE(lookup);
STOA_DECLARE_TAKE(dict); /* entries, or text behind decoder->out */

/* Text alone. */
enum stoa_status stoa_fsst_encode_text(struct stoa_encoder *encoder,
                                       const struct stoa_plan_node *plan,
                                       const struct stoa_vector *values, struct stoa_error *err);
enum stoa_status stoa_fsst_decode_text(struct stoa_decoder *decoder,
                                       const struct stoa_page_node *node, struct stoa_error *err);
enum stoa_status stoa_fsst_take_text(struct stoa_decoder *decoder,
                                     const struct stoa_page_node *node, const uint32_t *places,
                                     size_t n, struct stoa_error *err);
enum stoa_status stoa_front_encode(struct stoa_encoder *encoder, const struct stoa_plan_node *plan,
                                   const struct stoa_vector *values, struct stoa_error *err);
enum stoa_status stoa_front_decode_text(struct stoa_decoder *decoder,
                                        const struct stoa_page_node *node, struct stoa_error *err);
enum stoa_status stoa_front_take_text(struct stoa_decoder *decoder,
                                      const struct stoa_page_node *node, const uint32_t *places,
                                      size_t n, struct stoa_error *err);
enum stoa_status stoa_charpack_encode(struct stoa_encoder *encoder,
                                      const struct stoa_plan_node *plan,
                                      const struct stoa_vector *values, struct stoa_error *err);
enum stoa_status stoa_charpack_decode_text(struct stoa_decoder *decoder,
                                           const struct stoa_page_node *node,
                                           struct stoa_error *err);
enum stoa_status stoa_charpack_take_text(struct stoa_decoder *decoder,
                                         const struct stoa_page_node *node, const uint32_t *places,
                                         size_t n, struct stoa_error *err);
enum stoa_status stoa_plain_take_text(struct stoa_decoder *decoder,
                                      const struct stoa_page_node *node, const uint32_t *places,
                                      size_t n, struct stoa_error *err);
enum stoa_status stoa_plain_decode_text(struct stoa_decoder *decoder,
                                        const struct stoa_page_node *node, struct stoa_error *err);
enum stoa_status stoa_const_decode_text(struct stoa_decoder *decoder,
                                        const struct stoa_page_node *node, struct stoa_error *err);
enum stoa_status stoa_dict_decode_text(struct stoa_decoder *decoder,
                                       const struct stoa_page_node *node, struct stoa_error *err);

/*
 * What CHARPACK makes of texts, for choosing a plan for it: false when they have no layout.
 * numbers[values->nvalues]
 */
bool stoa_charpack_numbers(const struct stoa_vector *values, uint64_t *numbers);

/*
 * How FRONT cuts texts: what each has in common with the one before, and the offsets, of nvalues +
 * 1, and bytes of what follows; `text` has room for all bytes. Returns how many there are.
 */
size_t stoa_front_cut(const struct stoa_vector *values, uint32_t *prefixes, int32_t *offsets,
                      uint8_t *text);

#endif
