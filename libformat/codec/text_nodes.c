/*
 * What the encodings of text have in common: lengths, and where text goes (codec/node.h).
 */
#include "base/bits.h"
#include "base/error.h"
#include "codec/kernels.h"
#include "codec/node.h"

enum stoa_status stoa_text_lengths(struct stoa_encoder *encoder, const struct stoa_vector *values,
                                   struct stoa_vector *out, struct stoa_error *err)
{
    size_t n = values->nvalues;
    uint32_t *lengths;
    enum stoa_status st = stoa_scratch_take(&encoder->scratch, &lengths, n * sizeof(*lengths), err);

    if (st != STOA_OK)
        return st;
    for (size_t i = 0; i < n; i++)
        lengths[i] = (uint32_t)(values->offsets[i + 1] - values->offsets[i]);
    *out = (struct stoa_vector){.phys = STOA_PHYS_U32,
                                .width = sizeof(*lengths),
                                .nvalues = n,
                                .values = (const uint8_t *)lengths};
    return STOA_OK;
}

uint64_t stoa_text_total(const uint32_t *lengths, size_t n)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += lengths[i];
    return sum;
}

enum stoa_status stoa_text_aside(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                 const uint32_t *places, size_t n, struct stoa_buffer *bytes,
                                 struct stoa_page_values *values, struct stoa_error *err)
{
    const struct stoa_encoding *encoding = stoa_encoding_find(node->encoding);
    struct stoa_page_values *out = decoder->out;
    const uint8_t *valid = decoder->valid;
    enum stoa_status st;

    *values = (struct stoa_page_values){.bytes = bytes, .bytes_max = out->bytes_max};
    STOA_TRY(stoa_scratch_take(&decoder->scratch, &values->offsets,
                               (n + 1) * sizeof(values->offsets[0]), err));
    values->offsets[0] = 0;
    bytes->nbytes = 0;
    decoder->valid = NULL;
    decoder->out = values;
    st = places == NULL ? encoding->decode_text(decoder, node, err)
                        : encoding->take_text(decoder, node, places, n, err);
    decoder->out = out;
    decoder->valid = valid;
out:
    return st;
}

/*
 * Moves the text of valid values together, over that of null ones, and takes the latter's lengths
 * away. `text` has the text of all values. Returns how much is left.
 */
static size_t squeeze_nulls(uint8_t *text, uint32_t *lengths, size_t n, const uint8_t *valid)
{
    size_t from = 0, to = 0;

    for (size_t i = 0; i < n; i++) {
        uint32_t length = lengths[i];

        if (stoa_bitmap_get(valid, i)) {
            memmove(text + to, text + from, length);
            to += length;
        } else {
            lengths[i] = 0;
        }
        from += length;
    }
    return to;
}

static bool null_slots_are_empty(const uint32_t *lengths, size_t n, const uint8_t *valid)
{
    uint32_t any = 0;

    for (size_t i = 0; i < n; i++)
        any |= stoa_bitmap_get(valid, i) ? 0 : lengths[i];
    return any == 0;
}

void stoa_text_put(struct stoa_decoder *decoder, uint32_t *lengths, size_t n, size_t nbytes)
{
    struct stoa_page_values *out = decoder->out;
    uint64_t start = (uint64_t)out->offsets[0];

    if (decoder->valid != NULL && !null_slots_are_empty(lengths, n, decoder->valid))
        nbytes = squeeze_nulls(out->bytes->data + start, lengths, n, decoder->valid);
    out->bytes->nbytes += nbytes;
    memcpy(out->offsets + 1, lengths, n * sizeof(*lengths));
    stoa_kernels()->sum[2]((uint8_t *)(out->offsets + 1), n, start);
}

enum stoa_status stoa_text_take_lengths(struct stoa_decoder *decoder, const uint32_t *lengths,
                                        const uint32_t *places, size_t n, struct stoa_error *err)
{
    struct stoa_page_values *out = decoder->out;
    uint64_t end = (uint64_t)out->offsets[0];

    for (size_t k = 0; k < n; k++) {
        if (decoder->valid == NULL || stoa_bitmap_get(decoder->valid, k))
            end += lengths[places[k]];
        out->offsets[k + 1] = (int32_t)end;
    }
    return stoa_text_reserve(decoder, end - out->bytes->nbytes, err);
}
