/*
 * FSST: text as bytes that stand for up to 255 symbols of one to eight bytes each
 * (spec/encodings.md, section 2.16; Boncz, Neumann and Leis, VLDB 2020).
 *
 * The symbols are found in a sample of the text, so that each value can be decoded by itself.
 */
#ifndef STOA_CODEC_FSST_H
#define STOA_CODEC_FSST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <stoa/base.h>

#include "codec/vector.h"

enum {
    STOA_FSST_MAX_NSYMBOLS = 255,
    STOA_FSST_ESCAPE = 255, /* this code, then a byte as it is */
    STOA_FSST_SYMBOL_NBYTES = 8,
    STOA_FSST_SLACK_NBYTES = 64, /* what decoding may write behind its end */
};

/* Code c stands for the first nbytes[c] bytes of words[c], the least significant one first. */
struct stoa_fsst_symbols {
    unsigned count;
    uint64_t words[256];
    uint8_t nbytes[256]; /* 0 from `count` on */
};

/* Where symbols are looked for in text, and what finding them takes: 1.4 MB. Free takes NULL. */
struct stoa_fsst_trainer;
STOA_CHECK enum stoa_status stoa_fsst_trainer_new(struct stoa_fsst_trainer **out,
                                                  struct stoa_error *err);
void stoa_fsst_trainer_free(struct stoa_fsst_trainer *trainer);

/*
 * Finds symbols for `values` (BYTES) in a sample of 48 KB of them; they are the trainer's until the
 * next call. A function of the values alone. Cost: 1.2 ms.
 */
const struct stoa_fsst_symbols *stoa_fsst_train(struct stoa_fsst_trainer *trainer,
                                                const struct stoa_vector *values);

/*
 * Codes of one value, each the longest symbol there is; equal texts get equal codes.
 * `text` may be read up to text_end, which is behind the value or later; out has room for
 * 2 * nbytes + 1. Returns how many bytes the codes have.
 */
size_t stoa_fsst_encode(const struct stoa_fsst_trainer *trainer, const uint8_t *text, size_t nbytes,
                        const uint8_t *text_end, uint8_t *out);

/*
 * The same of all values, one behind the other; ends[b] := where the codes of block b end, which
 * has block_nvalues values, the last one what is left. `out` has room for twice the text and 1.
 */
size_t stoa_fsst_encode_blocks(const struct stoa_fsst_trainer *trainer,
                               const struct stoa_vector *values, size_t block_nvalues,
                               uint32_t *ends, uint8_t *out);

/*
 * The text of ncodes bytes of codes into out[0..nbytes), and anything into the next 64 bytes.
 * False unless the codes are whole, have symbols and give exactly nbytes bytes.
 */
bool stoa_fsst_decode(const struct stoa_fsst_symbols *symbols, const uint8_t *codes, size_t ncodes,
                      uint8_t *out, size_t nbytes);

/* The same, code by code, as the reference; writes nothing behind nbytes. */
bool stoa_fsst_decode_scalar(const struct stoa_fsst_symbols *symbols, const uint8_t *codes,
                             size_t ncodes, uint8_t *out, size_t nbytes);

#endif
