/*
 * Part of a page (codec/page_select.h).
 *
 *     trip_distance > 10.6       DICT       codes that pass, found once a dictionary: 1060..2899
 *       |                         `-SPLIT   high bytes 67..181 pass, 66 may: 8 bits a value
 *       |                            |-PLAIN   bytes compared, 32 at a time
 *       |                            `-PFOR    single values, where the high byte is 66
 *       v
 *     bits of the page           none of its numbers was decoded
 *
 * A test goes down the tree of nodes: each encoding that can turns it into a test of its children,
 * the others decode themselves into scratch memory. Places of single values go down the same way.
 */
#include "codec/page_select.h"

#include <assert.h>
#include <inttypes.h>

#include "base/bits.h"
#include "base/bytes.h"
#include "base/error.h"
#include "codec/kernels.h"
#include "codec/node.h"

/* ---- Nodes. ---- */

/* Codes by a table: a byte each. */
static enum stoa_status test_codes(const struct stoa_decoder *decoder,
                                   const struct stoa_page_node *node, const uint8_t *table,
                                   const uint8_t *codes, size_t n, uint8_t *bits,
                                   struct stoa_error *err)
{
    uint64_t max = stoa_kernels()->range[2](codes, n, 0).max;

    if (max >= decoder->ncodes)
        return stoa_node_fail(node, err, "code %" PRIu64 " of %u entries", max, decoder->ncodes);
    for (size_t i = 0; i < n; i++)
        bits[i / 8] = (uint8_t)(bits[i / 8] | table[stoa_get(codes, i, 4)] << (i % 8));
    return STOA_OK;
}

void stoa_test_numbers(const struct stoa_test *test, enum stoa_phys phys, const uint8_t *values,
                       size_t n, uint8_t *bits)
{
    const struct stoa_kernels *kernels = stoa_kernels();
    const unsigned log2 = stoa_width_log2(stoa_phys_width(phys));

    for (unsigned k = 0; k < test->nspans; k++) {
        if (test->kind == STOA_TEST_FLOATS)
            kernels->between[phys == STOA_PHYS_F64](values, n, test->floats[k].lo,
                                                    test->floats[k].hi, bits);
        else
            kernels->within[log2](values, n, test->spans[k].from, test->spans[k].length, bits);
    }
}

enum stoa_status stoa_node_test(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                const struct stoa_test *test, const uint8_t *values, size_t n,
                                uint8_t *bits, struct stoa_error *err)
{
    if (test->kind == STOA_TEST_CODES)
        return test_codes(decoder, node, test->codes, values, n, bits, err);
    stoa_test_numbers(test, (enum stoa_phys)node->phys, values, n, bits);
    return STOA_OK;
}

enum stoa_status stoa_node_filter(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                  const struct stoa_test *test, uint8_t *bits,
                                  struct stoa_error *err)
{
    const struct stoa_encoding *encoding = stoa_encoding_find(node->encoding);
    uint8_t *values;
    enum stoa_status st;

    if ((encoding->tests >> test->kind & 1) != 0)
        return encoding->filter(decoder, node, test, bits, err);
    STOA_TRY(stoa_node_decode_scratch(decoder, node, &values, err));
    st = stoa_node_test(decoder, node, test, values, node->nvalues, bits, err);
out:
    return st;
}

enum stoa_status stoa_node_take(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                const uint32_t *places, size_t n, uint8_t *out,
                                struct stoa_error *err)
{
    const struct stoa_encoding *encoding = stoa_encoding_find(node->encoding);
    uint8_t *values;
    enum stoa_status st;

    if (encoding->take != NULL)
        return encoding->take(decoder, node, places, n, out, err);
    STOA_TRY(stoa_node_decode_scratch(decoder, node, &values, err));
    stoa_gather(values, node->width, places, n, out);
out:
    return st;
}

enum stoa_status stoa_node_take_scratch(struct stoa_decoder *decoder,
                                        const struct stoa_page_node *node, const uint32_t *places,
                                        size_t n, void *out, struct stoa_error *err)
{
    uint8_t *values;
    enum stoa_status st = stoa_scratch_take(&decoder->scratch, &values, n * node->width, err);

    if (st == STOA_OK)
        st = stoa_node_take(decoder, node, places, n, values, err);
    if (st == STOA_OK)
        memcpy(out, &values, sizeof(values));
    return st;
}

/* ---- Tests. ---- */

/* bits ^= inverted, &= valid, and none behind the last. Whole words: bitmaps have room for them. */
static void finish_bits(uint8_t *bits, const uint8_t *valid, bool inverted, size_t n)
{
    for (size_t i = 0; i < n; i += 64) {
        uint64_t word = stoa_load64(bits + i / 8);

        if (inverted)
            word = ~word;
        if (valid != NULL)
            word &= stoa_load64(valid + i / 8);
        if (n - i < 64)
            word &= stoa_low_bits((unsigned)(n - i));
        stoa_store64(bits + i / 8, word);
    }
}

/* The root that the values of a page have: DICT in a chunk with a dictionary, and nowhere else. */
static enum stoa_status check_root(const struct stoa_decoder *decoder,
                                   const struct stoa_page_node *root, struct stoa_error *err)
{
    bool has_dictionary = decoder->dictionary != NULL || decoder->ncodes > 0;
    bool has_bases = decoder->out != NULL && decoder->out->bases != NULL;

    if (stoa_encoding_find(root->encoding)->is_derived && !has_bases)
        return stoa_node_fail(root, err, "in a chunk that is not derived");
    if ((root->encoding == STOA_DICT) == has_dictionary)
        return STOA_OK;
    return stoa_node_fail(root, err, "in a chunk with%s a dictionary", has_dictionary ? "" : "out");
}

enum stoa_status stoa_page_filter(struct stoa_decoder *decoder, const struct stoa_page_view *view,
                                  const struct stoa_test *test, uint8_t *bits,
                                  struct stoa_error *err)
{
    const size_t n = view->nvalues, nbytes = (n + 63) / 64 * 8;
    struct stoa_page_roots roots;
    struct stoa_page_values aside = {.bytes_max = view->text_max}; /* no values, no bases */
    const struct stoa_page_node *node;
    const uint8_t *valid = NULL;
    size_t nnulls;
    enum stoa_status st;

    decoder->out = &aside;
    STOA_TRY(stoa_page_open(decoder, view, &roots, err));
    STOA_TRY(stoa_page_validity(decoder, &roots, n, &valid, &nnulls, err));
    memset(bits, test->kind == STOA_TEST_VALID && nnulls < n ? 0xff : 0, nbytes);
    if (test->kind == STOA_TEST_VALID) {
        finish_bits(bits, valid, false, n);
        if (test->inverted)
            finish_bits(bits, NULL, true, n);
        goto out;
    }
    if (nnulls == n || roots.values == NULL)
        goto out;
    node = roots.values;
    STOA_TRY(check_root(decoder, node, err));
    if (node->encoding == STOA_DICT) {
        STOA_TRY(stoa_node_expect(node, 0, err));
        node = node->children[0];
    }
    STOA_TRY(stoa_node_filter(decoder, node, test, bits, err));
    finish_bits(bits, valid, test->inverted, n);
out:
    decoder->out = NULL;
    return st;
}

/* ---- Single values. ---- */

/* The bits of places, as a bitmap in scratch memory; *nnulls are those that are clear. */
static enum stoa_status take_bits(struct stoa_decoder *decoder, const uint8_t *valid,
                                  const uint32_t *places, size_t n, uint8_t **out, size_t *nnulls,
                                  struct stoa_error *err)
{
    const size_t nbytes = (n + 63) / 64 * 8;
    uint8_t *bits;
    enum stoa_status st;

    STOA_TRY(stoa_scratch_take(&decoder->scratch, &bits, nbytes, err));
    memset(bits, 0, nbytes);
    for (size_t k = 0; k < n; k++)
        bits[k / 8] = (uint8_t)(bits[k / 8] | stoa_bitmap_get(valid, places[k]) << (k % 8));
    *nnulls = n - stoa_bitmap_count(bits, 0, n);
    *out = bits;
out:
    return st;
}

static enum stoa_status take_validity(struct stoa_decoder *decoder,
                                      const struct stoa_page_roots *roots,
                                      const struct stoa_page_view *view, const uint32_t *places,
                                      size_t n, struct stoa_error *err)
{
    struct stoa_page_values *out = decoder->out;
    const uint8_t *all;
    uint8_t *bits = NULL;
    size_t nnulls = 0;
    enum stoa_status st;

    if (roots->validity != NULL && roots->validity->encoding == STOA_BITMAP &&
        out->validity != NULL) /* how many are null in all of the page is nobody's question */
        STOA_TRY(stoa_bitmap_view(decoder, roots->validity, &all, err));
    else
        STOA_TRY(stoa_page_validity(decoder, roots, view->nvalues, &all, &nnulls, err));
    if (nnulls > 0 && out->validity == NULL)
        return stoa_fail_at(err, STOA_ERR_CORRUPT, 1, "%zu null values where none may be", nnulls);
    if (all != NULL)
        STOA_TRY(take_bits(decoder, all, places, n, &bits, &nnulls, err));
    else
        nnulls = nnulls > 0 ? n : 0;
    out->nnulls = nnulls;
    decoder->valid = nnulls > 0 && nnulls < n ? bits : NULL;
    if (decoder->valid != NULL)
        stoa_bitmap_copy(out->validity, out->first_bit, decoder->valid, 0, n);
    else if (out->validity != NULL)
        stoa_bitmap_fill(out->validity, out->first_bit, out->first_bit + n, nnulls == 0);
out:
    return st;
}

/*
 * Text of encodings that have no shorter way: all of it goes to decoder->text, and what is wanted
 * is taken from there.
 */
static enum stoa_status take_text(struct stoa_decoder *decoder, const struct stoa_page_node *root,
                                  const uint32_t *places, size_t n, struct stoa_error *err)
{
    struct stoa_page_values *out = decoder->out;
    const uint8_t *valid = decoder->valid;
    struct stoa_page_values all;
    uint64_t end = (uint64_t)out->offsets[0];
    enum stoa_status st;

    STOA_TRY(stoa_text_aside(decoder, root, NULL, root->nvalues, &decoder->text, &all, err));
    for (size_t k = 0; k < n; k++) {
        bool is_null = valid != NULL && !stoa_bitmap_get(valid, k);

        if (!is_null)
            end += (uint32_t)(all.offsets[places[k] + 1] - all.offsets[places[k]]);
        out->offsets[k + 1] = (int32_t)end;
    }
    STOA_TRY(stoa_text_reserve(decoder, end - out->bytes->nbytes, err));
    for (size_t k = 0; k < n; k++) {
        size_t nbytes = (size_t)(out->offsets[k + 1] - out->offsets[k]);

        if (nbytes > 0)
            memcpy(out->bytes->data + out->offsets[k], decoder->text.data + all.offsets[places[k]],
                   nbytes);
    }
    out->bytes->nbytes = (size_t)end;
out:
    return st;
}

static bool codes_wanted(const struct stoa_decoder *decoder)
{
    return decoder->dictionary == NULL && decoder->ncodes > 0;
}

static enum stoa_status take_values(struct stoa_decoder *decoder, const struct stoa_page_node *root,
                                    const uint32_t *places, size_t n, struct stoa_error *err)
{
    size_t width = codes_wanted(decoder) ? sizeof(uint32_t) : root->width;
    enum stoa_status st;

    STOA_TRY(check_root(decoder, root, err));
    if (root->phys == STOA_PHYS_BYTES && root->encoding != STOA_DICT) {
        const struct stoa_encoding *encoding = stoa_encoding_find(root->encoding);

        return encoding->take_text != NULL ? encoding->take_text(decoder, root, places, n, err)
                                           : take_text(decoder, root, places, n, err);
    }
    STOA_TRY(stoa_node_take(decoder, root, places, n, decoder->out->values, err));
    if (decoder->valid != NULL && width > 0)
        stoa_zero_null_slots(decoder->valid, decoder->out->values, n, width);
out:
    return st;
}

/* Values of places that are all null. */
static void put_nulls(const struct stoa_page_view *view, struct stoa_page_values *out, size_t n)
{
    if (view->dictionary == NULL && view->ncodes > 0) {
        memset(out->values, 0, n * sizeof(uint32_t));
    } else if (view->phys == STOA_PHYS_BYTES) {
        for (size_t k = 0; k < n; k++)
            out->offsets[k + 1] = out->offsets[0];
    } else if (view->phys != STOA_PHYS_NONE) {
        memset(out->values, 0, n * view->width);
    }
}

enum stoa_status stoa_page_take(struct stoa_decoder *decoder, const struct stoa_page_view *view,
                                const uint32_t *places, size_t n, struct stoa_page_values *out,
                                struct stoa_error *err)
{
    struct stoa_page_roots roots;
    enum stoa_status st;

    assert(n > 0 && places[n - 1] < view->nvalues);
    decoder->out = out;
    STOA_TRY(stoa_page_open(decoder, view, &roots, err));
    STOA_TRY(take_validity(decoder, &roots, view, places, n, err));
    if (out->nnulls == n || roots.values == NULL)
        put_nulls(view, out, n);
    else
        STOA_TRY(take_values(decoder, roots.values, places, n, err));
out:
    return st;
}

/* ---- Pages without compression. ---- */

enum stoa_status stoa_page_inflated_nbytes(struct stoa_decoder *decoder,
                                           const struct stoa_page_view *view, size_t *nbytes,
                                           struct stoa_error *err)
{
    struct stoa_page_roots roots;
    size_t raw_nbytes = STOA_PAGE_HEAD_NBYTES;
    bool is_packed = false;
    enum stoa_status st;

    STOA_TRY(stoa_page_open(decoder, view, &roots, err));
    for (unsigned k = 0; k < decoder->nnodes; k++) {
        raw_nbytes += STOA_PAGE_NODE_NBYTES + decoder->nodes[k].raw_nbytes;
        is_packed = is_packed || decoder->nodes[k].codec != STOA_CODEC_NONE;
    }
    *nbytes = is_packed ? raw_nbytes : 0;
out:
    return st;
}

enum stoa_status stoa_page_inflate(struct stoa_decoder *decoder, const struct stoa_page_view *view,
                                   uint8_t *out, struct stoa_error *err)
{
    struct stoa_page_roots roots;
    uint8_t *head = out + STOA_PAGE_HEAD_NBYTES, *payload;
    enum stoa_status st;

    STOA_TRY(stoa_page_open(decoder, view, &roots, err));
    payload = head + (size_t)decoder->nnodes * STOA_PAGE_NODE_NBYTES;
    memcpy(out, view->page, (size_t)(payload - out));
    for (unsigned k = 0; k < decoder->nnodes; k++, head += STOA_PAGE_NODE_NBYTES) {
        const struct stoa_page_node *node = &decoder->nodes[k];

        head[1] = STOA_CODEC_NONE;
        stoa_store32(head + 8, node->raw_nbytes);
        STOA_TRY(stoa_node_payload_into(decoder, node, payload, err));
        payload += node->raw_nbytes;
    }
out:
    return st;
}

/* A node without children and compression; its payload. */
static uint8_t *put_node(uint8_t *head, enum stoa_encoding_id encoding, enum stoa_phys phys,
                         uint32_t nvalues, uint32_t nbytes)
{
    head[0] = (uint8_t)encoding;
    head[1] = STOA_CODEC_NONE;
    head[2] = (uint8_t)phys;
    head[3] = 0;
    stoa_store32(head + 4, nvalues);
    stoa_store32(head + 8, nbytes);
    stoa_store32(head + 12, nbytes);
    return head + STOA_PAGE_NODE_NBYTES;
}

enum stoa_status stoa_page_make_plain(struct stoa_decoder *decoder,
                                      const struct stoa_page_view *view,
                                      struct stoa_base_source *bases, struct stoa_buffer *out,
                                      struct stoa_error *err)
{
    const size_t n = view->nvalues, nbytes = n * view->width, bits_nbytes = stoa_bitmap_nbytes(n);
    struct stoa_page_values values = {.bases = bases};
    uint8_t *memory = NULL, *at;
    bool nulls;
    enum stoa_status st;

    assert(view->phys != STOA_PHYS_BYTES && view->dictionary == NULL && view->ncodes == 0);
    STOA_TRY(stoa_alloc_zeroed(&memory, bits_nbytes + nbytes + 64, 1, err));
    values.validity = memory;
    values.values = memory + bits_nbytes;
    STOA_TRY(stoa_page_decode(decoder, view->page, view->nbytes, view->phys, view->width, n,
                              view->raw_max, NULL, 0, &values, err));
    if (view->phys != STOA_PHYS_FIXED)
        stoa_bytes_le(values.values, values.values, n, view->width);
    STOA_TRY(stoa_buffer_reserve(
        out, STOA_PAGE_HEAD_NBYTES + 2 * STOA_PAGE_NODE_NBYTES + bits_nbytes + nbytes, err));
    at = out->data + out->nbytes;
    nulls = values.nnulls > 0;
    at[0] = nulls ? 2 : 1;
    at[1] = nulls ? STOA_PAGE_SOME_NULLS : STOA_PAGE_NO_NULLS;
    stoa_store16(at + 2, 0);
    stoa_store32(at + 4, (uint32_t)n);
    at += STOA_PAGE_HEAD_NBYTES;
    if (nulls)
        at = put_node(at, STOA_BITMAP, STOA_PHYS_NONE, (uint32_t)n, (uint32_t)bits_nbytes);
    at = put_node(at, STOA_PLAIN, view->phys, (uint32_t)n, (uint32_t)nbytes);
    if (nulls) {
        memcpy(at, values.validity, bits_nbytes);
        at += bits_nbytes;
    }
    memcpy(at, values.values, nbytes);
    out->nbytes = (size_t)(at + nbytes - out->data);
out:
    stoa_free(memory);
    return st;
}
