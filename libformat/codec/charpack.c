/*
 * CHARPACK (spec/encodings.md, section 2.17): texts of one layout as numbers.
 *
 *     6f1c7a2e-....-4...-....-............     the page's layout: length 36, fixed places as they
 * are
 *     ^^^^^^^^ ^^^^  ^^^ ^^^^ ^^^^             the first 16 digits: a number in the child
 *                            ^^^^^^^^^         the others: half a byte each in the payload
 *
 * Which places are fixed is seen from the values, so the dashes and the version of a UUID, the name
 * and the zeros in front of "Customer#000010485" cost nothing.
 */
#include <inttypes.h>
#include <string.h>

#include "base/bits.h"
#include "base/bytes.h"
#include "base/error.h"
#include "codec/charpack.h"
#include "codec/kernels.h"
#include "codec/node.h"

enum {
    HEAD_NBYTES = 4,
    SOME_EMPTY = 1,      /* flag of the node */
    MAX_HEX_DIGITS = 16, /* of a number of 64 bits */
    MAX_DECIMAL_DIGITS = 19,
};

/* The digit that a character stands for, 16 and more when it is none. */
static inline unsigned digit_of(uint8_t c)
{
    return c >= '0' && c <= '9'             ? c - '0'
           : (unsigned)(c | 0x20) - 'a' < 6 ? (c | 0x20) - 'a' + 10
                                            : 16;
}

static void count_digits(struct stoa_charpack_layout *layout)
{
    unsigned most = layout->base == 16 ? MAX_HEX_DIGITS : MAX_DECIMAL_DIGITS;

    layout->nnumber = layout->ndigits < most ? layout->ndigits : most;
}

static unsigned nrest(const struct stoa_charpack_layout *layout)
{
    return layout->ndigits - layout->nnumber;
}

/* ---- Encoding. ---- */

#define EVERY(c) (UINT64_C(0x0101010101010101) * (c))
#define HIGH     EVERY(UINT64_C(0x80))

/* What the characters of eight places are, in the highest bit of each byte; of `differs` in any. */
struct seen {
    uint64_t differs; /* from the first text */
    uint64_t decimal, lower, upper, other;
};

/* Of bytes below 0x80 those from `first` to `last`. */
static inline uint64_t in_range(uint64_t bytes, unsigned first, unsigned last)
{
    return (bytes + EVERY(0x80 - first)) & ~(bytes + EVERY(0x7f - last)) & HIGH;
}

static inline void see(struct seen *seen, uint64_t bytes, uint64_t first)
{
    const uint64_t low = bytes & ~HIGH;
    const uint64_t decimal = in_range(low, '0', '9') & ~bytes;
    const uint64_t lower = in_range(low, 'a', 'f') & ~bytes;
    const uint64_t upper = in_range(low, 'A', 'F') & ~bytes;

    seen->differs |= bytes ^ first;
    seen->decimal |= decimal;
    seen->lower |= lower;
    seen->upper |= upper;
    seen->other |= HIGH & ~(decimal | lower | upper);
}

/* Where word w of a text begins: the last one ends with the text, if it has so many bytes. */
static inline size_t word_begin(unsigned length, unsigned w)
{
    return 8 * w + 8 <= length || length < 8 ? 8 * w : length - 8;
}

static inline uint64_t word_of(const uint8_t *text, unsigned length, unsigned w)
{
    uint8_t bytes[8] = {0};

    if (length >= 8)
        return stoa_load64(text + word_begin(length, w));
    memcpy(bytes, text, length);
    return stoa_load64(bytes);
}

/* Which places are digits, and of which base; false when there are none or others vary too. */
static bool choose_places(const struct seen *seen, struct stoa_charpack_layout *out)
{
    bool lower = false, upper = false;

    for (unsigned k = 0; k < out->length; k++) {
        const unsigned w = k / 8, shift = 8 * (k - (unsigned)word_begin(out->length, w));

        if ((seen[w].differs >> shift & 0xff) == 0)
            continue;
        if ((seen[w].other >> shift & 0x80) != 0)
            return false;
        lower |= (seen[w].lower >> shift & 0x80) != 0;
        upper |= (seen[w].upper >> shift & 0x80) != 0;
        out->places[out->ndigits++] = (uint8_t)k;
    }
    if (out->ndigits == 0 || (lower && upper))
        return false;
    out->base = !lower && !upper && out->ndigits <= MAX_DECIMAL_DIGITS ? 10 : 16;
    out->letter = out->base == 10 ? 0 : upper ? 'A' : 'a';
    count_digits(out);
    return true;
}

/* The layout of the texts that are not empty; false when they have none or are all equal. */
static bool find_layout(const struct stoa_vector *values, struct stoa_charpack_layout *out)
{
    const int32_t *offsets = values->offsets;
    struct seen seen[(STOA_CHARPACK_MAX_LENGTH + 7) / 8] = {{0}};
    uint64_t words[(STOA_CHARPACK_MAX_LENGTH + 7) / 8];
    size_t first = 0, n = values->nvalues;
    unsigned length, nwords;

    while (first < n && offsets[first + 1] == offsets[first])
        first++;
    if (first == n || offsets[first + 1] - offsets[first] > STOA_CHARPACK_MAX_LENGTH)
        return false;
    length = (unsigned)(offsets[first + 1] - offsets[first]);
    nwords = (length + 7) / 8;
    *out = (struct stoa_charpack_layout){.length = length};
    memcpy(out->text, values->values + offsets[first], length);
    for (unsigned w = 0; w < nwords; w++)
        words[w] = word_of(out->text, length, w);
    for (size_t i = first; i < n; i++) {
        const uint8_t *text = values->values + offsets[i];

        if (offsets[i + 1] == offsets[i])
            continue;
        if ((unsigned)(offsets[i + 1] - offsets[i]) != length)
            return false;
        for (unsigned w = 0; w < nwords; w++)
            see(&seen[w], word_of(text, length, w), words[w]);
    }
    return choose_places(seen, out);
}

/* The numbers of all texts; an empty one has that of the text before. */
static void put_numbers(const struct stoa_vector *values, const struct stoa_charpack_layout *layout,
                        uint64_t *numbers)
{
    uint64_t number = 0;

    for (size_t i = 0; i < values->nvalues; i++) {
        const uint8_t *text = values->values + values->offsets[i];

        if (values->offsets[i + 1] > values->offsets[i]) {
            number = 0;
            for (unsigned k = 0; k < layout->nnumber; k++)
                number = number * layout->base + digit_of(text[layout->places[k]]);
        }
        numbers[i] = number;
    }
}

bool stoa_charpack_numbers(const struct stoa_vector *values, uint64_t *numbers)
{
    struct stoa_charpack_layout layout;

    if (!find_layout(values, &layout))
        return false;
    put_numbers(values, &layout, numbers);
    return true;
}

/* The digits behind the numbers, one text that is not empty after the other; `out` is zeros before.
 */
static void put_rest(const struct stoa_vector *values, const struct stoa_charpack_layout *layout,
                     uint8_t *out)
{
    size_t at = 0;

    for (size_t i = 0; i < values->nvalues; i++) {
        const uint8_t *text = values->values + values->offsets[i];

        if (values->offsets[i + 1] == values->offsets[i])
            continue;
        for (unsigned k = layout->nnumber; k < layout->ndigits; k++, at++)
            out[at / 2] |= (uint8_t)(digit_of(text[layout->places[k]]) << (at % 2 * 4));
    }
}

static size_t count_empty(const struct stoa_vector *values)
{
    size_t n = 0;

    for (size_t i = 0; i < values->nvalues; i++)
        n += values->offsets[i + 1] == values->offsets[i];
    return n;
}

/* Of n texts that are not empty. */
static size_t rest_nbytes(const struct stoa_charpack_layout *layout, size_t n)
{
    return (n * nrest(layout) + 1) / 2;
}

/* Head, places, fixed characters. */
static size_t layout_nbytes(const struct stoa_charpack_layout *layout)
{
    return HEAD_NBYTES + stoa_bitmap_nbytes(layout->length) + layout->length - layout->ndigits;
}

static uint8_t *put_layout(const struct stoa_charpack_layout *layout, uint8_t *out)
{
    uint8_t *places = out + HEAD_NBYTES;
    unsigned digit = 0;

    out[0] = (uint8_t)layout->base;
    out[1] = layout->letter;
    out[2] = (uint8_t)layout->length;
    out[3] = 0;
    out = places + stoa_bitmap_nbytes(layout->length);
    memset(places, 0, (size_t)(out - places));
    for (unsigned k = 0; k < layout->length; k++) {
        if (digit < layout->ndigits && layout->places[digit] == k) {
            stoa_bitmap_set(places, k);
            digit++;
        } else {
            *out++ = layout->text[k];
        }
    }
    return out;
}

enum stoa_status stoa_charpack_encode(struct stoa_encoder *encoder,
                                      const struct stoa_plan_node *plan,
                                      const struct stoa_vector *values, struct stoa_error *err)
{
    size_t n = values->nvalues, nempty = count_empty(values), empty_nbytes, nrests;
    struct stoa_vector child = {.phys = STOA_PHYS_U64, .width = 8, .nvalues = n};
    struct stoa_charpack_layout layout;
    uint64_t *numbers;
    uint8_t *payload;
    enum stoa_status st;

    if (!find_layout(values, &layout))
        return stoa_node_encode_instead(encoder, plan, values, err);
    empty_nbytes = nempty > 0 ? stoa_bitmap_nbytes(n) : 0;
    nrests = rest_nbytes(&layout, n - nempty);
    STOA_TRY(stoa_scratch_take(&encoder->scratch, &numbers, n * sizeof(*numbers), err));
    STOA_TRY(stoa_node_begin(encoder, STOA_CHARPACK, values,
                             layout_nbytes(&layout) + empty_nbytes + nrests, &payload, err));
    if (nempty > 0)
        encoder->nodes[encoder->nnodes - 1].flags = SOME_EMPTY;
    payload = put_layout(&layout, payload);
    memset(payload, 0, empty_nbytes + nrests);
    for (size_t i = 0; nempty > 0 && i < n; i++)
        if (values->offsets[i + 1] == values->offsets[i])
            stoa_bitmap_set(payload, i);
    put_rest(values, &layout, payload + empty_nbytes);
    STOA_TRY(stoa_node_end(encoder, plan->compress, err));
    put_numbers(values, &layout, numbers);
    child.values = (const uint8_t *)numbers;
    st = stoa_node_encode(encoder, stoa_plan_child(plan, 0), &child, err);
out:
    return st;
}

/* ---- Decoding. ---- */

struct payload {
    struct stoa_charpack_layout layout;
    const uint8_t *empty; /* a bit for each empty text, or NULL */
    const uint8_t *rest, *rest_end;
};

static bool unused_bits_are_zero(const uint8_t *bits, size_t n)
{
    return n % 8 == 0 || bits[n / 8] >> (n % 8) == 0;
}

/* Head, places and fixed characters; *nbytes is what they take. */
static enum stoa_status open_layout(const struct stoa_page_node *node, const uint8_t *in,
                                    struct stoa_charpack_layout *out, size_t *nbytes,
                                    struct stoa_error *err)
{
    size_t left = node->raw_nbytes;
    const uint8_t *places = in + HEAD_NBYTES, *fixed;

    if (left < HEAD_NBYTES)
        return stoa_node_fail(node, err, "a payload of %zu bytes", left);
    *out = (struct stoa_charpack_layout){.base = in[0], .letter = in[1], .length = in[2]};
    if (!(out->base == 10 && out->letter == 0) &&
        !(out->base == 16 && (out->letter == 'a' || out->letter == 'A')))
        return stoa_node_fail(node, err, "digits of base %u with letter %u", in[0], in[1]);
    if (out->length == 0 || in[3] != 0 || left < HEAD_NBYTES + stoa_bitmap_nbytes(out->length))
        return stoa_node_fail(node, err, "a layout of %u characters", out->length);
    fixed = places + stoa_bitmap_nbytes(out->length);
    out->ndigits = (unsigned)stoa_bitmap_count(places, 0, out->length);
    if (out->ndigits == 0 || !unused_bits_are_zero(places, out->length) ||
        (out->base == 10 && out->ndigits > MAX_DECIMAL_DIGITS))
        return stoa_node_fail(node, err, "%u digits of base %u", out->ndigits, out->base);
    *nbytes = (size_t)(fixed - in) + out->length - out->ndigits;
    if (*nbytes > left)
        return stoa_node_fail(node, err, "a layout of %u characters", out->length);
    for (unsigned k = 0, digit = 0; k < out->length; k++) {
        if (stoa_bitmap_get(places, k))
            out->places[digit++] = (uint8_t)k;
        else
            out->text[k] = *fixed++;
    }
    count_digits(out);
    return STOA_OK;
}

static enum stoa_status open_payload(struct stoa_decoder *decoder,
                                     const struct stoa_page_node *node, struct payload *out,
                                     struct stoa_error *err)
{
    size_t n = node->nvalues, ntexts = n, nbytes = 0;
    const uint8_t *in;
    enum stoa_status st;

    *out = (struct payload){0};
    STOA_TRY(stoa_node_payload(decoder, node, &in, err));
    STOA_TRY(open_layout(node, in, &out->layout, &nbytes, err));
    if ((node->flags & SOME_EMPTY) != 0) {
        out->empty = in + nbytes;
        nbytes += stoa_bitmap_nbytes(n);
        if (nbytes > node->raw_nbytes)
            return stoa_node_fail(node, err, "the payload ends in the bits of empty texts");
        if (!unused_bits_are_zero(out->empty, n))
            return stoa_node_fail(node, err, "bits of empty texts behind the last");
        ntexts -= stoa_bitmap_count(out->empty, 0, n);
    }
    STOA_TRY(stoa_node_expect(node, nbytes + rest_nbytes(&out->layout, ntexts), err));
    out->rest = in + nbytes;
    out->rest_end = in + node->raw_nbytes;
    if (ntexts * nrest(&out->layout) % 2 != 0 &&
        out->rest[ntexts * nrest(&out->layout) / 2] >> 4 != 0)
        return stoa_node_fail(node, err, "half a byte behind the last digit");
out:
    return st;
}

/* Numbers have no more digits than their places. */
static enum stoa_status check_numbers(const struct stoa_page_node *node,
                                      const struct stoa_charpack_layout *layout,
                                      const uint64_t *numbers, size_t n, struct stoa_error *err)
{
    uint64_t most = 1, max = stoa_kernels()->range[3]((const uint8_t *)numbers, n, 0).max;

    for (unsigned k = 0; k < layout->nnumber - 1; k++)
        most *= layout->base;
    /* 19 digits of base 10 and 16 of base 16 go beyond 64 bits. */
    most = most > UINT64_MAX / layout->base ? UINT64_MAX : most * layout->base - 1;
    if (max <= most)
        return STOA_OK;
    return stoa_node_fail(node, err, "number %" PRIu64 " in %u digits", max, layout->nnumber);
}

/*
 * How a text is put together: pieces of a layout that is cut where digits and fixed characters
 * meet, in the order of their places. 16 bytes of each are copied, and what is too much is
 * overwritten by the next one.
 *
 *     source  | number, at the end of 24 | rest ... | fixed characters where the layout has them |
 *
 * Digits are made for some texts before any is put together: a load of what two stores have just
 * written waits for both.
 */
enum {
    NUMBER_ROOM = 24,
    FIXED_AT = 288,
    PIECE = 16,
    SOURCE_NBYTES = FIXED_AT + STOA_CHARPACK_MAX_LENGTH + PIECE,
    NSOURCES = 16,
};

struct assembly {
    unsigned npieces;
    struct {
        uint16_t from;
        uint8_t to;
    } pieces[STOA_CHARPACK_MAX_LENGTH];
    uint8_t sources[NSOURCES][SOURCE_NBYTES];
    uint64_t numbers[NSOURCES];
    int32_t begins[NSOURCES]; /* of the texts that are put together next */
    unsigned ntexts;
};

/* For n texts at least, or as many as there is room for. */
static void cut_layout(const struct stoa_charpack_layout *layout, size_t n, struct assembly *out)
{
    unsigned digit = 0;

    for (size_t i = 0; i < n && i < NSOURCES; i++) {
        memset(out->sources[i], 0, SOURCE_NBYTES);
        memcpy(out->sources[i] + FIXED_AT, layout->text, layout->length);
    }
    out->ntexts = out->npieces = 0;
    for (unsigned k = 0, length = 0, was = 2; k < layout->length; k++, length++) {
        unsigned is = digit < layout->ndigits && layout->places[digit] == k;

        if (is != was || length == PIECE) {
            out->pieces[out->npieces].from =
                (uint16_t)(is ? NUMBER_ROOM - layout->nnumber + digit : FIXED_AT + k);
            out->pieces[out->npieces++].to = (uint8_t)k;
            was = is;
            length = 0;
        }
        digit += is;
    }
}

/* The eight digits of x, lowest first. */
static inline void put_rest_hex(uint32_t x, uint8_t letter, uint8_t *out)
{
    uint64_t v = stoa_spread_bytes(x);

    v = (v | v << 4) & EVERY(15);
    stoa_store64(out, stoa_hex_digits(v, letter));
}

/* The eight digits of x < 10^8: halves of it side by side, then halves of those, and again. */
static inline void put_decimal(uint32_t x, uint8_t *out)
{
    uint64_t v = x / 10000 | (uint64_t)(x % 10000) << 32, tens;

    tens = (v * 10486 >> 20) & UINT64_C(0x0000007f0000007f);
    v = tens | (v - 100 * tens) << 16;
    tens = (v * 103 >> 10) & UINT64_C(0x000f000f000f000f);
    v = tens | (v - 10 * tens) << 8;
    stoa_store64(out, v + EVERY('0'));
}

/* The digits of the numbers of the assembly's texts. */
static void put_numbers_of(const struct stoa_charpack_layout *layout, struct assembly *assembly)
{
    if (layout->base == 16) {
        stoa_kernels()->hex((const uint8_t *)assembly->numbers, assembly->ntexts, layout->letter,
                            assembly->sources[0] + NUMBER_ROOM - MAX_HEX_DIGITS, SOURCE_NBYTES);
        return;
    }
    for (unsigned t = 0; t < assembly->ntexts; t++) {
        uint64_t number = assembly->numbers[t];

        for (unsigned k = 0; k < layout->nnumber; k += 8, number /= 100000000)
            put_decimal((uint32_t)(number % 100000000), assembly->sources[t] + 16 - k);
    }
}

/* The digits behind the number of a text that `rank` texts which are not empty are in front of. */
static void put_rest_of(const struct payload *payload, size_t rank, uint8_t *room)
{
    const unsigned n = nrest(&payload->layout);
    size_t half = rank * n;

    for (unsigned k = 0; k < n; k += 8, half += 8) {
        const uint8_t *at = payload->rest + half / 2;
        uint8_t last[8] = {0};

        if (payload->rest_end - at < 8) {
            memcpy(last, at, (size_t)(payload->rest_end - at));
            at = last;
        }
        put_rest_hex((uint32_t)(stoa_load64(at) >> half % 2 * 4), payload->layout.letter, room + k);
    }
}

/* Puts together the texts of the assembly, which has none then. */
static void put_pieces(const struct stoa_charpack_layout *layout, struct assembly *assembly,
                       uint8_t *out)
{
    put_numbers_of(layout, assembly);
    for (unsigned t = 0; t < assembly->ntexts; t++) {
        uint8_t *text = out + assembly->begins[t];

        for (unsigned i = 0; i < assembly->npieces; i++)
            memcpy(text + assembly->pieces[i].to, assembly->sources[t] + assembly->pieces[i].from,
                   PIECE);
    }
    assembly->ntexts = 0;
}

/* The texts at n places, or of all n values when `places` is NULL, behind decoder->out. */
static enum stoa_status put_texts(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                  const uint64_t *numbers, const uint32_t *places, size_t n,
                                  struct stoa_error *err)
{
    struct stoa_page_values *out = decoder->out;
    struct payload payload;
    struct assembly assembly;
    uint64_t end = (uint64_t)out->offsets[0];
    size_t place = 0, rank = 0; /* texts in front of the place that are not empty */
    enum stoa_status st;

    STOA_TRY(open_payload(decoder, node, &payload, err));
    STOA_TRY(check_numbers(node, &payload.layout, numbers, n, err));
    for (size_t k = 0; k < n; k++) {
        bool is_empty =
            (decoder->valid != NULL && !stoa_bitmap_get(decoder->valid, k)) ||
            (payload.empty != NULL && stoa_bitmap_get(payload.empty, places ? places[k] : k));

        end += is_empty ? 0 : payload.layout.length; /* 255 * 2^20 at most */
        out->offsets[k + 1] = (int32_t)end;
    }
    STOA_TRY(stoa_text_reserve(decoder, end - out->bytes->nbytes, err));
    cut_layout(&payload.layout, n, &assembly);
    for (size_t k = 0; k < n; k++) {
        size_t next = places ? places[k] : k;

        rank += next - place;
        if (payload.empty != NULL)
            rank -= stoa_bitmap_count(payload.empty, place, next);
        place = next;
        if (out->offsets[k + 1] == out->offsets[k])
            continue;
        assembly.numbers[assembly.ntexts] = numbers[k];
        put_rest_of(&payload, rank, assembly.sources[assembly.ntexts] + NUMBER_ROOM);
        assembly.begins[assembly.ntexts++] = out->offsets[k];
        if (assembly.ntexts == NSOURCES)
            put_pieces(&payload.layout, &assembly, out->bytes->data);
    }
    put_pieces(&payload.layout, &assembly, out->bytes->data);
    out->bytes->nbytes = (size_t)end;
out:
    return st;
}

enum stoa_status stoa_charpack_decode_text(struct stoa_decoder *decoder,
                                           const struct stoa_page_node *node,
                                           struct stoa_error *err)
{
    const uint64_t *numbers;
    enum stoa_status st = stoa_node_decode_scratch(decoder, node->children[0], &numbers, err);

    return st == STOA_OK ? put_texts(decoder, node, numbers, NULL, node->nvalues, err) : st;
}

enum stoa_status stoa_charpack_take_text(struct stoa_decoder *decoder,
                                         const struct stoa_page_node *node, const uint32_t *places,
                                         size_t n, struct stoa_error *err)
{
    const uint64_t *numbers;
    enum stoa_status st =
        stoa_node_take_scratch(decoder, node->children[0], places, n, &numbers, err);

    return st == STOA_OK ? put_texts(decoder, node, numbers, places, n, err) : st;
}

/* ---- Tests. ---- */

/* Values whose numbers are those of an end: their texts decide. */
static enum stoa_status test_edges(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                   const struct stoa_test *test, const struct stoa_test *edges,
                                   uint8_t *bits, struct stoa_error *err)
{
    const size_t n = node->nvalues, nbytes = (n + 63) / 64 * 8;
    struct stoa_page_values texts;
    uint8_t *at_edge, *passes;
    uint32_t *places;
    size_t nplaces;
    enum stoa_status st;

    STOA_TRY(stoa_scratch_take(&decoder->scratch, &at_edge, 2 * nbytes, err));
    passes = at_edge + nbytes;
    memset(at_edge, 0, 2 * nbytes);
    STOA_TRY(stoa_node_filter(decoder, node->children[0], edges, at_edge, err));
    STOA_TRY(stoa_scratch_take(&decoder->scratch, &places, n * sizeof(*places), err));
    nplaces = stoa_bitmap_places(at_edge, n, 0, places);
    if (nplaces == 0)
        return STOA_OK;
    STOA_TRY(stoa_text_aside(decoder, node, places, nplaces, &decoder->text, &texts, err));
    test->match(test->context, decoder->text.data, texts.offsets, nplaces, passes);
    for (size_t k = 0; k < nplaces; k++)
        if (stoa_bitmap_get(passes, k))
            stoa_bitmap_set(bits, places[k]);
out:
    return st;
}

/* Empty texts have the number of some other one. */
static void test_empty(const struct stoa_test *test, const uint8_t *empty, size_t n, uint8_t *bits)
{
    static const uint8_t no_text[64];
    const bool passes = stoa_text_test_one(test, no_text, 0);

    for (size_t i = 0; i < stoa_bitmap_nbytes(n); i++)
        bits[i] = (uint8_t)(passes ? bits[i] | empty[i] : bits[i] & ~empty[i]);
}

enum stoa_status stoa_charpack_filter(struct stoa_decoder *decoder,
                                      const struct stoa_page_node *node,
                                      const struct stoa_test *test, uint8_t *bits,
                                      struct stoa_error *err)
{
    struct stoa_charpack_tests numbers = {{.kind = STOA_TEST_SPANS}, {.kind = STOA_TEST_SPANS}};
    struct payload payload;
    enum stoa_status st;

    if (test->nspans == 0)
        return stoa_text_test_decoded(decoder, node, test, bits, err);
    STOA_TRY(open_payload(decoder, node, &payload, err));
    for (unsigned r = 0; r < test->nspans; r++)
        stoa_charpack_add_range(&payload.layout, &test->texts[r], &numbers);
    if (numbers.certain.nspans > 0)
        STOA_TRY(stoa_node_filter(decoder, node->children[0], &numbers.certain, bits, err));
    if (numbers.edges.nspans > 0)
        STOA_TRY(test_edges(decoder, node, test, &numbers.edges, bits, err));
    if (payload.empty != NULL)
        test_empty(test, payload.empty, node->nvalues, bits);
out:
    return st;
}
