/*
 * FRONT (spec/encodings.md, section 2.18): sorted text as what differs from the text before.
 *
 *     /usr/share/doc/gcc          0   /usr/share/doc/gcc
 *     /usr/share/doc/git         16   it
 *     /usr/share/man/man1        11   man/man1
 *     child 0: how many bytes are those of the value before; child 1: the text of the others
 *
 * Every 128th value is whole, so that a single value needs no more than those of its block. The
 * others are text of their own, which FSST makes shorter still.
 */
#include <string.h>

#include "base/bits.h"
#include "base/bytes.h"
#include "base/error.h"
#include "codec/node.h"

enum {
    BLOCK = STOA_TEXT_BLOCK,
    STEP = 16 /* what texts are copied by; less than the room behind them */
};

/* ---- Encoding. ---- */

/* How many bytes texts of at least n bytes have in common at their beginnings, at most n. */
static size_t common_nbytes(const uint8_t *a, const uint8_t *b, size_t n)
{
    size_t k = 0;

    for (; n - k >= 8; k += 8) {
        uint64_t differ = stoa_load64(a + k) ^ stoa_load64(b + k);

        if (differ != 0)
            return k + (unsigned)__builtin_ctzll(differ) / 8;
    }
    while (k < n && a[k] == b[k])
        k++;
    return k;
}

size_t stoa_front_cut(const struct stoa_vector *values, uint32_t *prefixes, int32_t *offsets,
                      uint8_t *text)
{
    const int32_t *from = values->offsets;
    size_t nbytes = 0;

    offsets[0] = 0;
    for (size_t i = 0; i < values->nvalues; i++) {
        const uint8_t *value = values->values + from[i];
        size_t length = (size_t)(from[i + 1] - from[i]), common = 0;

        if (i % BLOCK != 0) {
            size_t before = (size_t)(from[i] - from[i - 1]);

            common = common_nbytes(value - before, value, before < length ? before : length);
        }
        if (length > common)
            memcpy(text + nbytes, value + common, length - common);
        nbytes += length - common;
        prefixes[i] = (uint32_t)common;
        offsets[i + 1] = (int32_t)nbytes;
    }
    return nbytes;
}

enum stoa_status stoa_front_encode(struct stoa_encoder *encoder, const struct stoa_plan_node *plan,
                                   const struct stoa_vector *values, struct stoa_error *err)
{
    size_t n = values->nvalues, nbytes = (size_t)(values->offsets[n] - values->offsets[0]);
    const struct stoa_vector *chunk = encoder->chunk;
    struct stoa_vector prefixes = {.phys = STOA_PHYS_U32, .width = 4, .nvalues = n};
    struct stoa_vector suffixes = {.phys = STOA_PHYS_BYTES, .nvalues = n};
    uint32_t *counts;
    int32_t *offsets;
    uint8_t *text, *payload;
    enum stoa_status st;

    STOA_TRY(stoa_scratch_take(&encoder->scratch, &counts, n * sizeof(*counts), err));
    STOA_TRY(stoa_scratch_take(&encoder->scratch, &offsets, (n + 1) * sizeof(*offsets), err));
    STOA_TRY(stoa_scratch_take(&encoder->scratch, &text, nbytes, err));
    if (stoa_front_cut(values, counts, offsets, text) == nbytes) /* nothing in common */
        return stoa_node_encode(encoder, stoa_plan_child(plan, 1), values, err);
    prefixes.values = (const uint8_t *)counts;
    suffixes.values = text;
    suffixes.offsets = offsets;
    STOA_TRY(stoa_node_begin(encoder, STOA_FRONT, values, 0, &payload, err));
    STOA_TRY(stoa_node_encode(encoder, stoa_plan_child(plan, 0), &prefixes, err));
    /* FSST's symbols of the chunk are those of whole texts, of which little is left here. */
    encoder->chunk = NULL;
    st = stoa_node_encode(encoder, stoa_plan_child(plan, 1), &suffixes, err);
    encoder->chunk = chunk;
    encoder->chunk_symbols = NULL;
out:
    return st;
}

/* ---- Decoding. ---- */

/* The prefix of each value and the text that follows it, of all values or those at n places. */
struct parts {
    const uint32_t *prefixes; /* of all */
    struct stoa_page_values suffixes;
};

static enum stoa_status open_parts(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                   const uint32_t *places, size_t n, struct parts *out,
                                   struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(stoa_node_expect(node, 0, err));
    STOA_TRY(stoa_node_decode_scratch(decoder, node->children[0], &out->prefixes, err));
    st = stoa_text_aside(decoder, node->children[1], places, n, &decoder->suffixes, &out->suffixes,
                         err);
out:
    return st;
}

static uint32_t suffix_nbytes(const struct parts *parts, size_t k)
{
    return (uint32_t)(parts->suffixes.offsets[k + 1] - parts->suffixes.offsets[k]);
}

/* The length of value i, whose suffix is number k of parts, given that of the value before. */
static enum stoa_status length_of(const struct stoa_page_node *node, const struct parts *parts,
                                  size_t i, size_t k, uint32_t *length, struct stoa_error *err)
{
    uint32_t before = i % BLOCK == 0 ? 0 : *length, prefix = parts->prefixes[i];

    if (prefix > before)
        return stoa_node_fail(node, err, "value %zu has %u bytes of the %u in front of it", i,
                              prefix, before);
    *length = prefix + suffix_nbytes(parts, k); /* no more than all suffixes together */
    return STOA_OK;
}

/* Copies nbytes bytes in steps; up to STEP - 1 more, and may scribble on as many. */
static void copy_text(uint8_t *to, const uint8_t *from, size_t nbytes)
{
    for (size_t k = 0; k < nbytes; k += STEP) {
        uint8_t step[STEP];

        memcpy(step, from + k, STEP);
        memcpy(to + k, step, STEP);
    }
}

enum stoa_status stoa_front_decode_text(struct stoa_decoder *decoder,
                                        const struct stoa_page_node *node, struct stoa_error *err)
{
    size_t n = node->nvalues;
    struct parts parts;
    uint32_t *lengths, length = 0;
    uint64_t nbytes;
    uint8_t *text;
    enum stoa_status st;

    STOA_TRY(open_parts(decoder, node, NULL, n, &parts, err));
    STOA_TRY(stoa_scratch_take(&decoder->scratch, &lengths, n * sizeof(*lengths), err));
    for (size_t i = 0; i < n; i++) {
        STOA_TRY(length_of(node, &parts, i, i, &length, err));
        lengths[i] = length;
    }
    nbytes = stoa_text_total(lengths, n);
    STOA_TRY(stoa_text_reserve(decoder, nbytes, err));
    text = decoder->out->bytes->data + decoder->out->bytes->nbytes;
    for (size_t i = 0; i < n; i++) {
        uint32_t prefix = parts.prefixes[i];

        if (prefix > 0)
            copy_text(text, text - lengths[i - 1], prefix);
        copy_text(text + prefix, decoder->suffixes.data + parts.suffixes.offsets[i],
                  lengths[i] - prefix);
        text += lengths[i];
    }
    stoa_text_put(decoder, lengths, n, (size_t)nbytes);
out:
    return st;
}

/* ---- A part of the values. ---- */

/* The places of the values that those at `places` are made of: their blocks up to them. */
static size_t list_needed(const uint32_t *places, size_t n, uint32_t *needed)
{
    size_t nneeded = 0;
    uint32_t next = 0;

    for (size_t k = 0; k < n; k++) {
        uint32_t begin = places[k] - places[k] % BLOCK;

        for (next = next > begin ? next : begin; next <= places[k]; next++)
            needed[nneeded++] = next;
    }
    return nneeded;
}

/* The lengths of the values needed, each at its place; and the greatest of them. */
static enum stoa_status take_lengths(const struct stoa_page_node *node, const struct parts *parts,
                                     const uint32_t *needed, size_t nneeded, uint32_t *lengths,
                                     uint32_t *longest, struct stoa_error *err)
{
    uint32_t length = 0;
    enum stoa_status st = STOA_OK;

    *longest = 0;
    for (size_t k = 0; k < nneeded; k++) {
        STOA_TRY(length_of(node, parts, needed[k], k, &length, err));
        lengths[needed[k]] = length;
        *longest = length > *longest ? length : *longest;
    }
out:
    return st;
}

enum stoa_status stoa_front_take_text(struct stoa_decoder *decoder,
                                      const struct stoa_page_node *node, const uint32_t *places,
                                      size_t n, struct stoa_error *err)
{
    struct stoa_page_values *out = decoder->out;
    size_t nneeded, at = 0;
    uint32_t *needed, *lengths, longest;
    struct parts parts;
    uint8_t *value;
    enum stoa_status st;

    STOA_TRY(stoa_scratch_take(&decoder->scratch, &needed, node->nvalues * sizeof(*needed), err));
    STOA_TRY(stoa_scratch_take(&decoder->scratch, &lengths, node->nvalues * sizeof(*lengths), err));
    nneeded = list_needed(places, n, needed);
    STOA_TRY(open_parts(decoder, node, needed, nneeded, &parts, err));
    STOA_TRY(take_lengths(node, &parts, needed, nneeded, lengths, &longest, err));
    STOA_TRY(stoa_text_take_lengths(decoder, lengths, places, n, err));
    decoder->text.nbytes = 0;
    STOA_TRY(stoa_buffer_reserve(&decoder->text, (size_t)longest + STEP, err));
    value =
        decoder->text.data; /* that of needed[k]: its prefix is still there from the one before */
    for (size_t k = 0; k < nneeded; k++) {
        copy_text(value + parts.prefixes[needed[k]],
                  decoder->suffixes.data + parts.suffixes.offsets[k], suffix_nbytes(&parts, k));
        for (; at < n && places[at] == needed[k]; at++)
            if (out->offsets[at + 1] > out->offsets[at])
                memcpy(out->bytes->data + out->offsets[at], value, lengths[needed[k]]);
    }
    out->bytes->nbytes = (size_t)out->offsets[n];
out:
    return st;
}

/*
 * Where the values stand to an end of a range: how many bytes they begin with are those of the end,
 * and the order of what follows. A value that shares more than that with the one before stands
 * where that one stands; of any other, the bytes behind what is shared are compared.
 */
struct standing {
    const uint8_t *end;
    size_t nbytes;
    size_t common;
    int order; /* of the value to the end, as of memcmp() */
};

static void stand(struct standing *standing, size_t prefix, const uint8_t *suffix, size_t nbytes)
{
    size_t left, k;

    if (prefix > standing->common)
        return;
    left = standing->nbytes - prefix;
    k = common_nbytes(suffix, standing->end + prefix, nbytes < left ? nbytes : left);
    standing->common = prefix + k;
    if (k < nbytes && k < left)
        standing->order = suffix[k] < standing->end[prefix + k] ? -1 : 1;
    else
        standing->order = (nbytes > left) - (nbytes < left);
}

/* The lower and the upper end of each range of a test; a point has one. */
struct range_ends {
    struct standing lo;
    struct standing hi;
    bool has_hi;
    bool is_point;
};

static bool has_value(struct range_ends *ends, size_t prefix, const uint8_t *suffix, size_t nbytes)
{
    stand(&ends->lo, prefix, suffix, nbytes);
    if (ends->is_point)
        return ends->lo.order == 0;
    if (ends->has_hi)
        stand(&ends->hi, prefix, suffix, nbytes);
    return ends->lo.order >= 0 && (!ends->has_hi || ends->hi.order < 0);
}

enum stoa_status stoa_front_filter(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                   const struct stoa_test *test, uint8_t *bits,
                                   struct stoa_error *err)
{
    struct range_ends ends[STOA_TEST_MAX_NSPANS];
    struct parts parts;
    uint32_t length = 0;
    enum stoa_status st;

    if (test->nspans == 0)
        return stoa_text_test_decoded(decoder, node, test, bits, err);
    for (unsigned r = 0; r < test->nspans; r++) {
        const struct stoa_text_range *range = &test->texts[r];

        ends[r] = (struct range_ends){.lo = {.end = range->lo, .nbytes = range->lo_nbytes},
                                      .hi = {.end = range->hi, .nbytes = range->hi_nbytes},
                                      .has_hi = range->hi != NULL,
                                      .is_point = range->is_point};
    }
    STOA_TRY(open_parts(decoder, node, NULL, node->nvalues, &parts, err));
    for (size_t i = 0; i < node->nvalues; i++) {
        const uint32_t prefix = parts.prefixes[i], nbytes = suffix_nbytes(&parts, i);
        const uint8_t *suffix = decoder->suffixes.data + parts.suffixes.offsets[i];
        bool has = false;

        STOA_TRY(length_of(node, &parts, i, i, &length, err)); /* a block begins with prefix 0 */
        for (unsigned r = 0; r < test->nspans; r++)
            has |= has_value(&ends[r], prefix, suffix, nbytes);
        bits[i / 8] = (uint8_t)(bits[i / 8] | has << (i % 8));
    }
out:
    return st;
}
