/*
 * Text in other encodings than UTF-8 (spec/csv.md, "Encodings"): which one it is, a stream that
 * makes UTF-8 of it, and the way back.
 *
 *     below:  bytes in UTF-16, Latin-1, ...      stoa_csv_decode_open()
 *     above:  the same text in UTF-8; a byte order mark stays, as EF BB BF
 *
 * The way back is for restoring an input byte for byte. Some encodings have two ways to write a
 * character; where the bytes were not those that encoding again would give, the decoder keeps a
 * patch.
 */
#ifndef STOA_CSV_ENCODING_H
#define STOA_CSV_ENCODING_H

#include <stoa/io.h>

#include "base/alloc.h"

/* Bytes at the start of an input that tell its encoding. */
#define STOA_CSV_DETECT_NBYTES 4096

/*
 * "UTF-8", "UTF-16LE", "UTF-16BE", "UTF-32LE" or "UTF-32BE", by a byte order mark or by where the
 * zero bytes stand. *mark: there is a byte order mark.
 */
const char *stoa_csv_encoding_detect(const uint8_t *bytes, size_t nbytes, bool *mark);

/*
 * Takes `below` over (also on failure) and opens the same text in UTF-8. `encoding` is a name, or
 * NULL for stoa_csv_encoding_detect(); "UTF-16" and "UTF-32" without their order are looked at,
 * too, and little endian where nothing tells. Text that is UTF-8 goes through as it is, valid or
 * not. STOA_ERR_USAGE for an unknown name. Reading fails with STOA_ERR_DATA, which names the input,
 * line and byte, where the bytes are no text in the encoding; nothing is replaced or left out.
 */
STOA_CHECK enum stoa_status stoa_csv_decode_open(struct stoa_stream *below, const char *encoding,
                                                 struct stoa_stream **out, struct stoa_error *err);

/* What it decodes: a static or borrowed name; and whether the text began with a byte order mark. */
const char *stoa_csv_decode_encoding(const struct stoa_stream *stream, bool *mark);

/*
 * What encoding the text again needs to know, complete after the end of the stream: borrowed bytes
 * for stoa_csv_encoder_open(). *exact is false when it would not give the same bytes all the same.
 */
const uint8_t *stoa_csv_decode_patches(const struct stoa_stream *stream, size_t *nbytes,
                                       bool *exact);

/* From UTF-8 back to an encoding. */
struct stoa_csv_encoder;

/*
 * `patches` are those of the decoder, or NULL and 0; copied. STOA_ERR_CORRUPT when they are none,
 * STOA_ERR_USAGE for an unknown name.
 */
STOA_CHECK enum stoa_status stoa_csv_encoder_open(const char *encoding, const uint8_t *patches,
                                                  size_t npatches, struct stoa_csv_encoder **out,
                                                  struct stoa_error *err);
void stoa_csv_encoder_close(struct stoa_csv_encoder *encoder);

/*
 * Appends text, in pieces of any size, encoded to *out. STOA_ERR_DATA for a character that the
 * encoding does not have. finish() once at the end: STOA_ERR_DATA when the text ends inside a
 * character, STOA_ERR_CORRUPT when patches are left over.
 */
STOA_CHECK enum stoa_status stoa_csv_encoder_write(struct stoa_csv_encoder *encoder,
                                                   const void *text, size_t nbytes,
                                                   struct stoa_buffer *out, struct stoa_error *err);
STOA_CHECK enum stoa_status stoa_csv_encoder_finish(struct stoa_csv_encoder *encoder,
                                                    struct stoa_buffer *out,
                                                    struct stoa_error *err);

#endif
