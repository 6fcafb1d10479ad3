/*
 * zstd of one payload: one frame in, one frame out (spec/encodings.md, section 1).
 */
#ifndef STOA_CODEC_COMPRESS_ZSTD_H
#define STOA_CODEC_COMPRESS_ZSTD_H

#include "base/alloc.h"

/* State for one thread at a time. libzstd allocates it itself, outside of base/alloc.h. */
struct stoa_zstd_encoder;
struct stoa_zstd_decoder;

/* level 1..19. Free takes NULL. */
STOA_CHECK enum stoa_status stoa_zstd_encoder_new(struct stoa_zstd_encoder **out, int level,
                                                  struct stoa_error *err);
void stoa_zstd_encoder_free(struct stoa_zstd_encoder *encoder);
STOA_CHECK enum stoa_status stoa_zstd_decoder_new(struct stoa_zstd_decoder **out,
                                                  struct stoa_error *err);
void stoa_zstd_decoder_free(struct stoa_zstd_decoder *decoder);

/*
 * Compresses into out[0..room). *out_nbytes is 0 when the frame would not fit, which is how a
 * caller says what it thinks worth keeping.
 */
STOA_CHECK enum stoa_status stoa_zstd_compress(struct stoa_zstd_encoder *encoder,
                                               const uint8_t *bytes, size_t nbytes, uint8_t *out,
                                               size_t room, size_t *out_nbytes,
                                               struct stoa_error *err);

/*
 * The same, and every part_nbytes bytes begin a block, which has an entropy code of its own: for
 * bytes of several kinds one kind after the other.
 */
STOA_CHECK enum stoa_status stoa_zstd_compress_parts(struct stoa_zstd_encoder *encoder,
                                                     const uint8_t *bytes, size_t nbytes,
                                                     size_t part_nbytes, uint8_t *out, size_t room,
                                                     size_t *out_nbytes, struct stoa_error *err);

/*
 * Decompresses exactly out_nbytes bytes from a single frame; anything else is STOA_ERR_CORRUPT.
 * Memory needed does not depend on what the frame claims.
 */
STOA_CHECK enum stoa_status stoa_zstd_decompress(struct stoa_zstd_decoder *decoder,
                                                 const uint8_t *bytes, size_t nbytes, uint8_t *out,
                                                 size_t out_nbytes, struct stoa_error *err);

#endif
