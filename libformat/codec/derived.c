/*
 * LINEAR and LOOKUP (spec/encodings.md, section 2.15): values that follow from other columns.
 *
 *     LINEAR   multiplier, multiplier        child: residuals
 *     value  = multiplier * base + multiplier * base + residual
 *
 *     LOOKUP      keys of the slots 4 7 4 4 9     children: firsts  50 60 80, residuals 0 0 0 1 0
 *     value  = first of its key + residual     so 50 60 50 51 80
 *
 * No table of keys is stored: who decodes a page meets them in the same order as who wrote it.
 */
#include <string.h>

#include "base/bits.h"
#include "base/bytes.h"
#include "base/error.h"
#include "codec/kernels.h"
#include "codec/node.h"
#include "codec/widths.h"

/* ---- LINEAR ---- */

enum { LINEAR_NBYTES = 16 };

/* Most multipliers are 1 and -1, and a vector register has no product of 64 bits. */
static inline void add_words(uint8_t *values, unsigned width, const uint64_t *words, size_t n,
                             uint64_t multiplier)
{
    if (multiplier == 1)
        for (size_t i = 0; i < n; i++)
            stoa_put(values, i, width, stoa_get(values, i, width) + words[i]);
    else if (multiplier == UINT64_MAX)
        for (size_t i = 0; i < n; i++)
            stoa_put(values, i, width, stoa_get(values, i, width) - words[i]);
    else
        for (size_t i = 0; i < n; i++)
            stoa_put(values, i, width, stoa_get(values, i, width) + multiplier * words[i]);
}

/* Null slots get the residual of the slot before them, those in front that of the first value. */
static void fill_nulls(const uint8_t *validity, size_t first_bit, uint8_t *residuals,
                       unsigned width, size_t n)
{
    uint64_t last = 0;
    size_t i = 0;

    if (validity == NULL)
        return;
    while (i < n && !stoa_bitmap_get(validity, first_bit + i))
        i++;
    if (i < n)
        last = stoa_get(residuals, i, width);
    for (i = 0; i < n; i++) {
        if (stoa_bitmap_get(validity, first_bit + i))
            last = stoa_get(residuals, i, width);
        else
            stoa_put(residuals, i, width, last);
    }
}

void stoa_linear_residuals(const struct stoa_vector *values, const struct stoa_derivation *from,
                           const uint8_t *validity, size_t first_bit, uint8_t *out)
{
    size_t n = values->nvalues;

    memcpy(out, values->values, n * values->width);
    for (unsigned k = 0; k < 2; k++)
        if (from->bases.words[k] != NULL)
            STOA_BY_WIDTH(add_words, out, values->width, from->bases.words[k], n,
                          -from->multipliers[k]);
    fill_nulls(validity, first_bit, out, values->width, n);
}

enum stoa_status stoa_linear_encode(struct stoa_encoder *encoder, const struct stoa_plan_node *plan,
                                    const struct stoa_vector *values, struct stoa_error *err)
{
    const struct stoa_derivation *derivation = encoder->derivation;
    size_t n = values->nvalues;
    struct stoa_vector residuals = *values;
    uint8_t *payload, *out;
    enum stoa_status st;

    STOA_TRY(stoa_scratch_take(&encoder->scratch, &out, n * values->width, err));
    STOA_TRY(stoa_node_begin(encoder, STOA_LINEAR, values, LINEAR_NBYTES, &payload, err));
    for (unsigned k = 0; k < 2; k++)
        stoa_store64(payload + 8 * (size_t)k,
                     derivation->bases.words[k] != NULL ? derivation->multipliers[k] : 0);
    STOA_TRY(stoa_node_end(encoder, plan->compress, err));
    stoa_linear_residuals(values, derivation, encoder->validity, encoder->first_bit, out);
    residuals.values = out;
    st = stoa_node_encode(encoder, stoa_plan_child(plan, 0), &residuals, err);
out:
    return st;
}

enum stoa_status stoa_linear_multipliers(const uint8_t *page, const struct stoa_page_node *node,
                                         uint64_t out[2], struct stoa_error *err)
{
    enum stoa_status st = stoa_node_expect(node, LINEAR_NBYTES, err);

    if (st == STOA_OK && node->codec != STOA_CODEC_NONE)
        st = stoa_node_fail(node, err, "multipliers that are compressed");
    if (st != STOA_OK)
        return st;
    out[0] = stoa_load64(page + node->offset);
    out[1] = stoa_load64(page + node->offset + 8);
    return STOA_OK;
}

/* Adds the bases to the residuals in `out`. */
static enum stoa_status add_bases(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                  enum stoa_bases_wanted wanted, uint8_t *out,
                                  struct stoa_error *err)
{
    struct stoa_base_source *source = decoder->out->bases;
    struct stoa_bases bases = {0};
    const uint8_t *payload;
    uint64_t multipliers[2];
    enum stoa_status st;

    STOA_TRY(stoa_node_expect(node, LINEAR_NBYTES, err));
    STOA_TRY(stoa_node_payload(decoder, node, &payload, err));
    multipliers[0] = stoa_load64(payload);
    multipliers[1] = stoa_load64(payload + 8);
    STOA_TRY(source->load(source, wanted, node->nvalues, &bases, err));
    if (bases.words[1] == NULL && multipliers[1] != 0)
        return stoa_node_fail(node, err, "a multiplier of a base that is not there");
    for (unsigned k = 0; k < 2; k++)
        if (bases.words[k] != NULL)
            STOA_BY_WIDTH(add_words, out + bases.begin * node->width, node->width, bases.words[k],
                          bases.end - bases.begin, multipliers[k]);
out:
    return st;
}

enum stoa_status stoa_linear_decode(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                    uint8_t *out, struct stoa_error *err)
{
    enum stoa_status st = stoa_node_decode(decoder, node->children[0], out, err);

    return st == STOA_OK ? add_bases(decoder, node, STOA_BASES_WORDS, out, err) : st;
}

enum stoa_status stoa_linear_take(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                  const uint32_t *places, size_t n, uint8_t *out,
                                  struct stoa_error *err)
{
    enum stoa_status st = stoa_node_take(decoder, node->children[0], places, n, out, err);

    return st == STOA_OK ? add_bases(decoder, node, STOA_BASES_TAKEN, out, err) : st;
}

/* ---- LOOKUP ---- */

/* The keys of a page in the order of their first slots: numbers[key] - 1 is the place of one. */
struct places {
    uint32_t *numbers;
    uint32_t count;
};

/* The place of a key that comes next. */
static inline uint32_t place_of(struct places *places, uint32_t key)
{
    if (places->numbers[key] == 0)
        places->numbers[key] = ++places->count;
    return places->numbers[key] - 1;
}

static inline bool is_null(const struct stoa_lookup_split *split, size_t i)
{
    return split->validity != NULL && !stoa_bitmap_get(split->validity, split->first_bit + i);
}

/*
 * firsts[place] := the value that most slots of a key have, if more than half do (majority vote:
 * each other value takes one of the candidate's votes away). Any value will do.
 */
static inline void vote(const uint8_t *values, unsigned width, struct stoa_lookup_split *split,
                        struct places *places)
{
    uint8_t *firsts = split->firsts;
    uint32_t *votes = split->votes;

    for (size_t i = 0; i < split->nvalues; i++) {
        uint32_t known = places->count, place = place_of(places, split->keys[i]);
        uint64_t value = stoa_get(values, i, width);

        if (place == known) {
            votes[place] = 0;
            stoa_put(firsts, place, width, value);
        }
        if (is_null(split, i))
            continue;
        if (votes[place] == 0)
            stoa_put(firsts, place, width, value);
        votes[place] += value == stoa_get(firsts, place, width) ? 1 : UINT32_MAX;
    }
}

static inline void subtract(const uint8_t *values, unsigned width, struct stoa_lookup_split *split,
                            const struct places *places)
{
    for (size_t i = 0; i < split->nvalues; i++) {
        size_t place = places->numbers[split->keys[i]] - (size_t)1;

        stoa_put(split->residuals, i, width,
                 stoa_get(values, i, width) - stoa_get(split->firsts, place, width));
    }
}

void stoa_lookup_split(struct stoa_lookup_split *split)
{
    struct places places = {split->numbers, 0};

    for (size_t i = 0; i < split->nvalues; i++) /* there may be far fewer than keys */
        split->numbers[split->keys[i]] = 0;
    STOA_BY_WIDTH(vote, split->values, split->width, split, &places);
    STOA_BY_WIDTH(subtract, split->values, split->width, split, &places);
    fill_nulls(split->validity, split->first_bit, split->residuals, split->width, split->nvalues);
    split->nfirsts = places.count;
}

enum stoa_status stoa_lookup_encode(struct stoa_encoder *encoder, const struct stoa_plan_node *plan,
                                    const struct stoa_vector *values, struct stoa_error *err)
{
    const struct stoa_bases *bases = &encoder->derivation->bases;
    size_t n = values->nvalues, most = bases->nkeys < n ? bases->nkeys : n;
    struct stoa_vector firsts = *values, residuals = *values;
    struct stoa_lookup_split split = {
        .values = values->values,
        .width = values->width,
        .nvalues = n,
        .validity = encoder->validity,
        .first_bit = encoder->first_bit,
        .keys = bases->keys,
        .nkeys = bases->nkeys,
    };
    struct stoa_scratch *scratch = &encoder->scratch;
    uint8_t *payload;
    enum stoa_status st;

    STOA_TRY(stoa_scratch_take(scratch, &split.numbers, split.nkeys * sizeof(uint32_t), err));
    STOA_TRY(stoa_scratch_take(scratch, &split.votes, most * sizeof(uint32_t), err));
    STOA_TRY(stoa_scratch_take(scratch, &split.firsts, most * values->width, err));
    STOA_TRY(stoa_scratch_take(scratch, &split.residuals, n * values->width, err));
    STOA_TRY(stoa_node_begin(encoder, STOA_LOOKUP, values, 0, &payload, err));
    STOA_TRY(stoa_node_end(encoder, false, err));
    stoa_lookup_split(&split);
    firsts.nvalues = split.nfirsts;
    firsts.values = split.firsts;
    residuals.values = split.residuals;
    STOA_TRY(stoa_node_encode(encoder, stoa_plan_child(plan, 0), &firsts, err));
    st = stoa_node_encode(encoder, stoa_plan_child(plan, 1), &residuals, err);
out:
    return st;
}

/* False in *enough when there are more keys than `nfirsts`. */
static inline void add_firsts(uint8_t *values, unsigned width, size_t n, const uint32_t *keys,
                              struct places *places, const uint8_t *firsts, uint32_t nfirsts,
                              bool *enough)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t place = place_of(places, keys[i]);

        if (place == nfirsts) {
            *enough = false;
            return;
        }
        stoa_put(values, i, width, stoa_get(values, i, width) + stoa_get(firsts, place, width));
    }
}

/* The keys of the first n slots of the page, none of which has a place yet. */
static enum stoa_status load_keys(struct stoa_decoder *decoder, size_t n, const uint32_t **keys,
                                  struct places *places, struct stoa_error *err)
{
    struct stoa_base_source *source = decoder->out->bases;
    struct stoa_bases bases = {0};
    enum stoa_status st;

    STOA_TRY(source->load(source, STOA_BASES_KEYS, n, &bases, err));
    STOA_TRY(stoa_scratch_take(&decoder->scratch, &places->numbers,
                               bases.nkeys * sizeof(places->numbers[0]), err));
    for (size_t i = 0; i < n; i++) /* of small pages there may be far fewer than keys */
        places->numbers[bases.keys[i]] = 0;
    *keys = bases.keys;
out:
    return st;
}

static enum stoa_status fail_at_keys(const struct stoa_page_node *node, uint32_t nkeys, bool enough,
                                     struct stoa_error *err)
{
    return stoa_node_fail(node, err, "%u first values of %s%u keys", node->children[0]->nvalues,
                          enough ? "" : "at least ", nkeys);
}

enum stoa_status stoa_lookup_decode(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                    uint8_t *out, struct stoa_error *err)
{
    const uint32_t nfirsts = node->children[0]->nvalues;
    struct places places = {0};
    const uint32_t *keys;
    const uint8_t *firsts;
    bool enough = true;
    enum stoa_status st;

    STOA_TRY(stoa_node_expect(node, 0, err));
    STOA_TRY(stoa_node_decode_scratch(decoder, node->children[0], &firsts, err));
    STOA_TRY(stoa_node_decode(decoder, node->children[1], out, err));
    STOA_TRY(load_keys(decoder, node->nvalues, &keys, &places, err));
    STOA_BY_WIDTH(add_firsts, out, node->width, node->nvalues, keys, &places, firsts, nfirsts,
                  &enough);
    if (!enough || places.count != nfirsts)
        st = fail_at_keys(node, places.count, enough, err);
out:
    return st;
}

/* Which first value a row has is known when the keys of all rows before it are, and no others. */
enum stoa_status stoa_lookup_take(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                  const uint32_t *places, size_t n, uint8_t *out,
                                  struct stoa_error *err)
{
    const uint32_t nfirsts = node->children[0]->nvalues;
    struct places known = {0};
    const uint32_t *keys;
    const uint8_t *firsts;
    size_t slot = 0;
    enum stoa_status st;

    STOA_TRY(stoa_node_expect(node, 0, err));
    STOA_TRY(stoa_node_decode_scratch(decoder, node->children[0], &firsts, err));
    STOA_TRY(stoa_node_take(decoder, node->children[1], places, n, out, err));
    STOA_TRY(load_keys(decoder, places[n - 1] + (size_t)1, &keys, &known, err));
    for (size_t k = 0; k < n; k++) {
        uint32_t place;

        for (; slot < places[k]; slot++)
            (void)place_of(&known, keys[slot]);
        place = place_of(&known, keys[slot]);
        if (place >= nfirsts)
            return fail_at_keys(node, known.count, false, err);
        stoa_put(out, k, node->width,
                 stoa_get(out, k, node->width) + stoa_get(firsts, place, node->width));
    }
out:
    return st;
}
