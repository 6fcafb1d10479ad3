/*
 * Writing a page (spec/encodings.md, section 1).
 *
 *     n_nodes | validity | n_values   node 0, node 1, ...   payload 0, payload 1, ...
 *
 * Nodes add themselves and their payloads to the encoder in the order of the file; how many there
 * are is known at the end only, so the payloads are put together behind the nodes then.
 */
#include "codec/page.h"

#include <assert.h>
#include <string.h>

#include "base/bits.h"
#include "base/bytes.h"
#include "base/error.h"
#include "codec/node.h"

/* What an encoding may take above PLAIN. */
enum { PLAIN_SLACK_NBYTES = 16, KEEP_NBYTES = 1 << 20 };

/*
 * The level for numbers. Their bytes have an entropy code to gain, and hardly a string of bytes
 * that comes again. Levels 2 to 8 find those that come again by chance, which makes the frame
 * larger than level 1 does and takes twice its time.
 */
static int level_of_numbers(int level)
{
    return level <= 8 ? 1 : level;
}

enum stoa_status stoa_encoder_new(struct stoa_encoder **out, int zstd_level, struct stoa_error *err)
{
    struct stoa_encoder *encoder = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&encoder, 1, sizeof(*encoder), err));
    STOA_TRY(stoa_zstd_encoder_new(&encoder->zstd, zstd_level, err));
    STOA_TRY(stoa_zstd_encoder_new(&encoder->numbers, level_of_numbers(zstd_level), err));
    *out = encoder;
    encoder = NULL;
out:
    stoa_encoder_free(encoder);
    return st;
}

void stoa_encoder_free(struct stoa_encoder *encoder)
{
    if (encoder == NULL)
        return;
    stoa_zstd_encoder_free(encoder->zstd);
    stoa_zstd_encoder_free(encoder->numbers);
    stoa_page_checker_free(encoder->checker);
    stoa_fsst_trainer_free(encoder->trainer);
    stoa_buffer_free(&encoder->payload);
    stoa_scratch_free(&encoder->scratch);
    stoa_free(encoder);
}

enum stoa_status stoa_scratch_take(struct stoa_scratch *scratch, void *out, size_t nbytes,
                                   struct stoa_error *err)
{
    struct stoa_buffer *buffer;
    enum stoa_status st;

    assert(scratch->nused < STOA_SCRATCH_NBUFFERS);
    buffer = &scratch->buffers[scratch->nused];
    st = stoa_buffer_reserve(buffer, nbytes + 64, err);
    if (st != STOA_OK)
        return st;
    scratch->nused++;
    memcpy(out, &buffer->data, sizeof(buffer->data));
    return STOA_OK;
}

static void drop_large(struct stoa_buffer *buffer)
{
    if (buffer->capacity > KEEP_NBYTES)
        stoa_buffer_free(buffer);
}

void stoa_encoder_trim(struct stoa_encoder *encoder)
{
    drop_large(&encoder->payload);
    for (unsigned i = 0; i < STOA_SCRATCH_NBUFFERS; i++)
        drop_large(&encoder->scratch.buffers[i]);
}

void stoa_scratch_free(struct stoa_scratch *scratch)
{
    for (unsigned i = 0; i < STOA_SCRATCH_NBUFFERS; i++)
        stoa_buffer_free(&scratch->buffers[i]);
}

const struct stoa_plan_node *stoa_plan_child(const struct stoa_plan_node *node, unsigned k)
{
    const struct stoa_plan_node *child = node + 1;

    for (; k > 0; k--) {
        const struct stoa_encoding *encoding = stoa_encoding_find(child->encoding);

        child = stoa_plan_child(child, stoa_encoding_nchildren(encoding, child->phys));
    }
    return child;
}

/* What the payloads of PLAIN take, lengths of text as U32. */
static size_t plain_nbytes(const struct stoa_vector *values)
{
    size_t n = values->nvalues;

    return values->phys == STOA_PHYS_BYTES
               ? (size_t)(values->offsets[n] - values->offsets[0]) + 4 * n
               : n * values->width;
}

enum stoa_status stoa_node_encode(struct stoa_encoder *encoder, const struct stoa_plan_node *plan,
                                  const struct stoa_vector *values, struct stoa_error *err)
{
    struct stoa_plan_node plain[2] = {
        {STOA_PLAIN, (uint8_t)values->phys, plan->compress},
        {STOA_PFOR, STOA_PHYS_U32, false}, /* lengths of BYTES */
    };
    size_t begin = encoder->payload.nbytes;
    unsigned nnodes = encoder->nnodes;
    enum stoa_status st = stoa_encoding_find(plan->encoding)->encode(encoder, plan, values, err);

    if (st != STOA_OK || plan->encoding == STOA_DICT || /* codes: those were looked at by now */
        encoder->payload.nbytes - begin <= plain_nbytes(values) + PLAIN_SLACK_NBYTES)
        return st;
    encoder->payload.nbytes = begin;
    encoder->nnodes = nnodes;
    return stoa_plain_encode(encoder, plain, values, err);
}

enum stoa_status stoa_node_encode_instead(struct stoa_encoder *encoder,
                                          const struct stoa_plan_node *plan,
                                          const struct stoa_vector *values, struct stoa_error *err)
{
    struct stoa_plan_node instead[2] = {
        {stoa_phys_is_number(values->phys) ? STOA_PFOR : STOA_PLAIN, (uint8_t)values->phys,
         plan->compress},
        {STOA_PFOR, STOA_PHYS_U32, false}, /* lengths of BYTES */
    };

    return stoa_node_encode(encoder, instead, values, err);
}

enum stoa_status stoa_node_encode_constant(struct stoa_encoder *encoder,
                                           const struct stoa_vector *values, struct stoa_error *err)
{
    struct stoa_plan_node constant = {STOA_CONST, (uint8_t)values->phys, false};

    return stoa_node_encode(encoder, &constant, values, err);
}

enum stoa_status stoa_node_begin(struct stoa_encoder *encoder, enum stoa_encoding_id encoding,
                                 const struct stoa_vector *values, size_t raw_nbytes,
                                 uint8_t **payload, struct stoa_error *err)
{
    size_t offset = encoder->payload.nbytes;
    enum stoa_status st = stoa_buffer_resize(&encoder->payload, offset + raw_nbytes, err);

    if (st != STOA_OK)
        return st;
    assert(encoder->nnodes < STOA_PAGE_MAX_NODES && raw_nbytes <= UINT32_MAX);
    encoder->nodes[encoder->nnodes++] = (struct stoa_page_node){
        .encoding = (uint8_t)encoding,
        .phys = (uint8_t)values->phys,
        .nvalues = (uint32_t)values->nvalues,
        .stored_nbytes = (uint32_t)raw_nbytes,
        .raw_nbytes = (uint32_t)raw_nbytes,
        .offset = offset,
    };
    *payload = encoder->payload.data + offset;
    return STOA_OK;
}

/* A frame is kept when it saves a tenth and 32 bytes: below that, decoding costs more. */
enum stoa_status stoa_node_end_parts(struct stoa_encoder *encoder, bool compress,
                                     size_t part_nbytes, struct stoa_error *err)
{
    struct stoa_page_node *node = &encoder->nodes[encoder->nnodes - 1];
    size_t raw_nbytes = node->raw_nbytes, saving = raw_nbytes / 10 > 32 ? raw_nbytes / 10 : 32;
    struct stoa_zstd_encoder *zstd =
        stoa_phys_is_number(node->phys) ? encoder->numbers : encoder->zstd;
    size_t frame_nbytes;
    uint8_t *frame;
    enum stoa_status st = STOA_OK;

    if (!compress || raw_nbytes <= saving)
        return STOA_OK;
    /* The frame goes behind the payload and then takes its place. */
    STOA_TRY(stoa_buffer_reserve(&encoder->payload, raw_nbytes - saving, err));
    frame = encoder->payload.data + encoder->payload.nbytes;
    STOA_TRY(stoa_zstd_compress_parts(zstd, encoder->payload.data + node->offset, raw_nbytes,
                                      part_nbytes, frame, raw_nbytes - saving, &frame_nbytes, err));
    if (frame_nbytes == 0)
        return STOA_OK;
    memcpy(encoder->payload.data + node->offset, frame, frame_nbytes);
    encoder->payload.nbytes = node->offset + frame_nbytes;
    node->codec = STOA_CODEC_ZSTD;
    node->stored_nbytes = (uint32_t)frame_nbytes;
out:
    return st;
}

enum stoa_status stoa_node_end(struct stoa_encoder *encoder, bool compress, struct stoa_error *err)
{
    return stoa_node_end_parts(encoder, compress, encoder->nodes[encoder->nnodes - 1].raw_nbytes,
                               err);
}

static void pack_node(const struct stoa_page_node *node, uint8_t out[STOA_PAGE_NODE_NBYTES])
{
    out[0] = node->encoding;
    out[1] = node->codec;
    out[2] = node->phys;
    out[3] = node->flags;
    stoa_store32(out + 4, node->nvalues);
    stoa_store32(out + 8, node->stored_nbytes);
    stoa_store32(out + 12, node->raw_nbytes);
}

/* Header, nodes, payloads: what the encoder holds becomes a page at the end of *out. */
static enum stoa_status put_page(const struct stoa_encoder *encoder, unsigned validity,
                                 size_t nvalues, struct stoa_buffer *out, uint32_t *raw_nbytes,
                                 struct stoa_error *err)
{
    size_t nbytes = STOA_PAGE_HEAD_NBYTES + encoder->nnodes * STOA_PAGE_NODE_NBYTES;
    enum stoa_status st = stoa_buffer_reserve(out, nbytes + encoder->payload.nbytes, err);
    uint8_t *page;

    if (st != STOA_OK)
        return st;
    page = out->data + out->nbytes;
    page[0] = (uint8_t)encoder->nnodes;
    page[1] = (uint8_t)validity;
    stoa_store16(page + 2, 0);
    stoa_store32(page + 4, (uint32_t)nvalues);
    *raw_nbytes = 0;
    for (unsigned i = 0; i < encoder->nnodes; i++) {
        pack_node(&encoder->nodes[i], page + STOA_PAGE_HEAD_NBYTES + i * STOA_PAGE_NODE_NBYTES);
        *raw_nbytes += encoder->nodes[i].raw_nbytes;
    }
    if (encoder->payload.nbytes > 0)
        memcpy(page + nbytes, encoder->payload.data, encoder->payload.nbytes);
    out->nbytes += nbytes + encoder->payload.nbytes;
    return STOA_OK;
}

enum stoa_status stoa_page_encode(struct stoa_encoder *encoder, const struct stoa_vector *values,
                                  enum stoa_phys phys, const uint8_t *validity, size_t first_bit,
                                  const struct stoa_plan *plan,
                                  const struct stoa_derivation *derivation, struct stoa_buffer *out,
                                  uint32_t *raw_nbytes, struct stoa_error *err)
{
    size_t n = values->nvalues, nvalid = n;
    unsigned mode = STOA_PAGE_NO_NULLS;
    enum stoa_status st = STOA_OK;

    assert(n > 0 && n <= STOA_DICT_MAX_NVALUES);
    if (validity != NULL)
        nvalid = stoa_bitmap_count(validity, first_bit, first_bit + n);
    if (nvalid < n)
        mode = nvalid == 0 ? STOA_PAGE_ALL_NULL : STOA_PAGE_SOME_NULLS;
    encoder->payload.nbytes = 0;
    STOA_TRY(stoa_buffer_reserve(&encoder->payload, 4096, err)); /* its data is never NULL */
    encoder->scratch.nused = 0;
    encoder->nnodes = 0;
    encoder->phys = phys;
    encoder->validity = mode == STOA_PAGE_SOME_NULLS ? validity : NULL;
    encoder->first_bit = first_bit;
    encoder->derivation = derivation;
    if (mode == STOA_PAGE_SOME_NULLS)
        STOA_TRY(stoa_validity_encode(encoder, validity, first_bit, n, err));
    if (mode != STOA_PAGE_ALL_NULL && phys != STOA_PHYS_NONE)
        STOA_TRY(stoa_node_encode(encoder, plan->nodes, values, err));
    STOA_TRY(put_page(encoder, mode, n, out, raw_nbytes, err));
out:
    return st;
}
