/*
 * What the filters of text encodings have in common (codec/page_select.h, STOA_TEST_TEXTS).
 *
 *     name = 'Stoa'      lengths decide first: no text that has not 4 bytes is looked at
 *     name like 'St%'    nor one of fewer than 1: what the ends of ["St", "Su") begin with
 *
 * What is left is tested in blocks of 128 texts, which stay in the cache.
 */
#include <assert.h>

#include "base/bits.h"
#include "base/bytes.h"
#include "base/error.h"
#include "codec/kernels.h"
#include "codec/node.h"

/* The least bytes that a text of a range has: those that its ends have in common. */
static size_t least_nbytes(const struct stoa_text_range *range)
{
    size_t common = 0;

    while (range->hi != NULL && common < range->lo_nbytes && common < range->hi_nbytes &&
           range->lo[common] == range->hi[common])
        common++;
    return common;
}

enum stoa_status stoa_text_candidates(struct stoa_decoder *decoder, const struct stoa_test *test,
                                      const uint32_t *lengths, size_t n, uint8_t **out,
                                      struct stoa_error *err)
{
    const size_t nbytes = (n + 63) / 64 * 8;
    uint64_t least = test->nspans > 0 ? UINT64_MAX : 0, most = test->nspans > 0 ? 0 : UINT64_MAX;
    uint8_t *bits;
    enum stoa_status st = stoa_scratch_take(&decoder->scratch, &bits, nbytes, err);

    if (st != STOA_OK)
        return st;
    for (unsigned k = 0; k < test->nspans; k++) {
        const struct stoa_text_range *range = &test->texts[k];
        uint64_t shortest = least_nbytes(range);
        uint64_t longest = range->is_point ? range->lo_nbytes : UINT64_MAX;

        least = shortest < least ? shortest : least;
        most = longest > most ? longest : most;
    }
    memset(bits, 0, nbytes);
    if (lengths == NULL || (least == 0 && most >= UINT32_MAX))
        stoa_bitmap_fill(bits, 0, n, true);
    else if (least <= UINT32_MAX) /* constants may be longer than any text */
        stoa_kernels()->within[2]((const uint8_t *)lengths, n, least,
                                  (most < UINT32_MAX ? most : UINT32_MAX) - least, bits);
    for (size_t i = 0; test->wanted != NULL && i < nbytes; i += 8)
        stoa_store64(bits + i, stoa_load64(bits + i) & stoa_load64(test->wanted + i));
    *out = bits;
    return STOA_OK;
}

bool stoa_text_block_any(const uint8_t *bits, size_t n, size_t b)
{
    const size_t begin = b * STOA_TEXT_BLOCK;

    return stoa_bitmap_count(bits, begin, begin + stoa_text_block_nvalues(n, b)) > 0;
}

void stoa_text_test_block(const struct stoa_test *test, const uint8_t *text,
                          const uint32_t *lengths, size_t n, uint8_t *bits)
{
    int32_t offsets[STOA_TEXT_BLOCK + 1];

    assert(n <= STOA_TEXT_BLOCK);
    offsets[0] = 0;
    for (size_t i = 0; i < n; i++)
        offsets[i + 1] = offsets[i] + (int32_t)lengths[i];
    test->match(test->context, text, offsets, n, bits);
}

bool stoa_text_test_one(const struct stoa_test *test, const uint8_t *text, size_t nbytes)
{
    const int32_t offsets[2] = {0, (int32_t)nbytes};
    uint8_t bits[8] = {0};

    test->match(test->context, text, offsets, 1, bits);
    return bits[0] != 0;
}

enum stoa_status stoa_text_test_decoded(struct stoa_decoder *decoder,
                                        const struct stoa_page_node *node,
                                        const struct stoa_test *test, uint8_t *bits,
                                        struct stoa_error *err)
{
    struct stoa_page_values all;
    enum stoa_status st =
        stoa_text_aside(decoder, node, NULL, node->nvalues, &decoder->text, &all, err);

    if (st == STOA_OK)
        test->match(test->context, decoder->text.data, all.offsets, node->nvalues, bits);
    return st;
}
