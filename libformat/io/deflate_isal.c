/*
 * Raw deflate by ISA-L.
 *
 * It takes input into a word of bits, so it may have taken bytes behind the end of a stream:
 *
 *     in   ... last bits of the stream | 1st byte behind it | 2nd byte | not taken yet ...
 *              used up                 | in `read_in`, by read_in_length |
 *
 * Those of the same step are put back, those of earlier ones handed over. And it stops at what is
 * wrong before all text in front of that left its own buffer: that is given out first.
 */
#include <string.h>

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>

#include "base/error.h"
#include "io/deflate.h"

struct stoa_deflate {
    struct inflate_state state;
    int failed; /* what is wrong, behind the text that is left in its buffer */
};

static enum stoa_status isal_open(struct stoa_deflate **out, struct stoa_error *err)
{
    enum stoa_status st = stoa_alloc_zeroed(out, 1, sizeof(**out), err);

    if (st == STOA_OK)
        isal_inflate_init(&(*out)->state);
    return st;
}

/* Text that is left in the buffer of the decoder. */
static size_t give_rest(struct inflate_state *state, uint8_t *out, size_t nout)
{
    const size_t nleft = (size_t)(state->tmp_out_valid - state->tmp_out_processed);
    const size_t n = nleft < nout ? nleft : nout;

    if (n > 0)
        memcpy(out, state->tmp_out_buffer + state->tmp_out_processed, n);
    state->tmp_out_processed += (int32_t)n;
    return n;
}

/* Bytes behind the end are put back as far as this step took them. */
static void end_stream(struct inflate_state *state, struct stoa_deflate_step *step)
{
    const size_t nbehind = (size_t)state->read_in_length / 8;
    const size_t nback = nbehind < step->nused ? nbehind : step->nused;
    uint64_t bits = state->read_in >> state->read_in_length % 8;

    step->end = true;
    step->nused -= nback;
    step->ntaken = nbehind - nback;
    for (size_t i = 0; i < step->ntaken; i++, bits >>= 8)
        step->taken[i] = (uint8_t)bits;
}

static const char *words_of(int code)
{
    switch (code) {
    case ISAL_INVALID_BLOCK:
        return "invalid block";
    case ISAL_INVALID_SYMBOL:
        return "invalid code";
    case ISAL_INVALID_LOOKBACK:
        return "invalid distance too far back";
    default:
        return "invalid";
    }
}

static enum stoa_status isal_step(struct stoa_deflate *deflate, const uint8_t *in, size_t nin,
                                  uint8_t *out, size_t nout, struct stoa_deflate_step *step,
                                  struct stoa_error *err)
{
    struct inflate_state *state = &deflate->state;
    const uint32_t nin_now = nin < UINT32_MAX ? (uint32_t)nin : UINT32_MAX;
    const uint32_t nout_now = nout < UINT32_MAX ? (uint32_t)nout : UINT32_MAX;

    *step = (struct stoa_deflate_step){0};
    if (deflate->failed == 0) {
        state->next_in = (uint8_t *)(uintptr_t)in; /* only read */
        state->avail_in = nin_now;
        state->next_out = out;
        state->avail_out = nout_now;
        deflate->failed = isal_inflate(state);
        step->nused = nin_now - state->avail_in;
        step->nput = nout_now - state->avail_out;
        if (deflate->failed == 0 && state->block_state == ISAL_BLOCK_FINISH)
            end_stream(state, step);
    }
    if (deflate->failed == 0)
        return STOA_OK;
    step->nput += give_rest(state, out + step->nput, nout - step->nput);
    if (state->tmp_out_processed < state->tmp_out_valid)
        return STOA_OK;
    return stoa_fail(err, STOA_ERR_DATA, "%s", words_of(deflate->failed));
}

static void isal_reset(struct stoa_deflate *deflate)
{
    isal_inflate_reset(&deflate->state);
    deflate->failed = 0;
}

static void isal_close(struct stoa_deflate *deflate)
{
    stoa_free(deflate);
}

static uint32_t isal_crc32(uint32_t crc, const void *bytes, size_t nbytes)
{
    return crc32_gzip_refl(crc, bytes, nbytes);
}

const struct stoa_deflate_decoder stoa_deflate_isal = {
    .name = "ISA-L",
    .open = isal_open,
    .step = isal_step,
    .reset = isal_reset,
    .close = isal_close,
    .crc32 = isal_crc32,
};
