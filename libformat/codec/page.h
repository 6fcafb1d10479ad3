/*
 * Encoding and decoding of one page (spec/encodings.md).
 */
#ifndef STOA_CODEC_PAGE_H
#define STOA_CODEC_PAGE_H

#include "base/alloc.h"
#include "codec/derived.h"
#include "codec/encoding.h"

/* Scratch memory and compression state; one thread at a time, reused from page to page. */
struct stoa_encoder;
struct stoa_decoder;

/* zstd_level 1..19. */
STOA_CHECK enum stoa_status stoa_encoder_new(struct stoa_encoder **out, int zstd_level,
                                             struct stoa_error *err);
void stoa_encoder_free(struct stoa_encoder *encoder);

/* Gives back what it holds because of large pages, so that an encoder may wait for its next use. */
void stoa_encoder_trim(struct stoa_encoder *encoder);

STOA_CHECK enum stoa_status stoa_decoder_new(struct stoa_decoder **out, struct stoa_error *err);
void stoa_decoder_free(struct stoa_decoder *decoder);

/*
 * Appends one page to *out.
 *
 * values    1..65,536 values (a dictionary page: up to 2^20), null slots filled; for a plan with
 *           a DICT root the U32 codes.
 * phys      physical type of the column: what the root stands for (values->phys but for DICT).
 * validity  bit first_bit + i belongs to value i; NULL when no value is null. With all bits clear
 *           `values` is not looked at.
 * plan      an allowed plan. Where it can't hold these values (CONST of values that differ, NARROW
 *           of a value too wide), the encoder takes PFOR or PLAIN in its place; where PFOR, NARROW,
 *           RLE or SPARSE would store equal values, it takes CONST; and PLAIN where a node and
 *           those below it came out more than 16 bytes above that. So a plan chosen from a sample
 *           never fails and never costs much.
 * derivation  for a plan with a LINEAR or LOOKUP root, else NULL.
 * raw_nbytes  set to the bytes of all payloads before compression (the page table's raw_len).
 * Deterministic: equal values, plan and level give equal bytes with one version of libzstd.
 * Errors: STOA_ERR_NOMEM. On error *out keeps its old length.
 */
STOA_CHECK enum stoa_status
stoa_page_encode(struct stoa_encoder *encoder, const struct stoa_vector *values,
                 enum stoa_phys phys, const uint8_t *validity, size_t first_bit,
                 const struct stoa_plan *plan, const struct stoa_derivation *derivation,
                 struct stoa_buffer *out, uint32_t *raw_nbytes, struct stoa_error *err);

/*
 * As stoa_page_encode(), for pages that are kept: with set_checks() each is decoded and compared
 * bit by bit before it is handed out. STOA_ERR_CORRUPT when something else comes back, which is a
 * fault of this library or of the machine. Cost: that of decoding, and the memory of a page, which
 * is kept with the encoder up to 4 MiB.
 */
STOA_CHECK enum stoa_status
stoa_page_encode_checked(struct stoa_encoder *encoder, const struct stoa_vector *values,
                         enum stoa_phys phys, const uint8_t *validity, size_t first_bit,
                         const struct stoa_plan *plan, const struct stoa_derivation *derivation,
                         struct stoa_buffer *out, uint32_t *raw_nbytes, struct stoa_error *err);
void stoa_encoder_set_checks(struct stoa_encoder *encoder, bool checks);

/*
 * Until the next call pages are of a chunk that has these values, which are borrowed: what an
 * encoding learns from values, such as the symbols of FSST, it learns once from all of them. NULL,
 * as for a new encoder: from those of each page.
 */
void stoa_encoder_begin_chunk(struct stoa_encoder *encoder, const struct stoa_vector *values);

/*
 * Where the values of a page go. The caller sets the pointers before each page.
 *
 * values    fixed width: room for nvalues * width bytes and 64 more.
 * offsets   BYTES: room for nvalues + 1; offsets[0] is set by the caller (bytes->nbytes) and kept.
 * bytes     BYTES: the bytes of the values are appended.
 * bytes_max BYTES: the most that bytes->nbytes may become, so that a small page of a long text over
 *           and over is refused (STOA_ERR_LIMIT) before it takes memory; 0: 2^31 - 1.
 * validity  a bitmap with room for first_bit + nvalues bits, or NULL when the caller knows that
 *           nothing is null (a page with nulls is then STOA_ERR_CORRUPT). Bits from first_bit on
 *           are written, 1 for a value.
 * bases     of a derived chunk: where the values of other columns come from; NULL: it is not one,
 *           and a LINEAR or LOOKUP root is STOA_ERR_CORRUPT.
 * nnulls    out: how many values of the page are null.
 */
struct stoa_page_values {
    uint8_t *values;
    int32_t *offsets;
    struct stoa_buffer *bytes;
    size_t bytes_max;
    uint8_t *validity;
    size_t first_bit;
    struct stoa_base_source *bases;
    size_t nnulls;
};

/*
 * Decodes a page whose hash was verified; every number in it is checked all the same.
 *
 * phys, width  of the chunk; width of FIXED comes from the schema.
 * nvalues      what the page must hold: 1..65,536, a dictionary page up to 2^20.
 * raw_max      the most bytes its payloads may take before compression (limits.md).
 * dictionary   the entries of a chunk that has a dictionary, with 64 bytes behind the last one that
 *              may be read; BYTES: `width` is the length of every entry, or 0 when they are not
 *              known to have one length, which is slower. NULL with ncodes > 0: codes are
 *              delivered as U32 in `values`, checked against ncodes only (for filters that look at
 *              codes); NULL with ncodes 0: the chunk has no dictionary. A DICT root in a chunk
 *              without one is STOA_ERR_CORRUPT, and so is another root in a chunk with one.
 * Null slots hold zeros afterwards (BYTES: empty).
 * Errors: STOA_ERR_CORRUPT (err->offset is the place in the page), STOA_ERR_UNSUPPORTED (an
 * encoding or codec of a newer version, named), STOA_ERR_LIMIT (more than raw_max, or more than
 * 2^31 - 1 bytes of text), STOA_ERR_NOMEM. On error what `out` points to is undefined, nothing is
 * written outside it.
 */
STOA_CHECK enum stoa_status stoa_page_decode(struct stoa_decoder *decoder, const uint8_t *page,
                                             size_t nbytes, enum stoa_phys phys, uint32_t width,
                                             size_t nvalues, uint64_t raw_max,
                                             const struct stoa_vector *dictionary, uint32_t ncodes,
                                             struct stoa_page_values *out, struct stoa_error *err);

/*
 * How many values a page says it has, where that is told nowhere else: a dictionary page.
 * STOA_ERR_CORRUPT unless it is 1..2^20.
 */
STOA_CHECK enum stoa_status stoa_page_count(const uint8_t *page, size_t nbytes, uint32_t *nvalues,
                                            struct stoa_error *err);

/*
 * Describes a page without decoding it: "dict(pfor)" of the values' tree into `out`. For `info`.
 * STOA_ERR_CORRUPT when its nodes make no tree.
 */
STOA_CHECK enum stoa_status stoa_page_describe(const uint8_t *page, size_t nbytes, char out[128],
                                               struct stoa_error *err);

/*
 * How the values of a page follow from other columns: *is_derived tells whether its root does, and
 * then *looks_up and the multipliers of LINEAR (0 for LOOKUP). Errors as of stoa_page_describe().
 */
STOA_CHECK enum stoa_status stoa_page_derivation(const uint8_t *page, size_t nbytes,
                                                 bool *is_derived, bool *looks_up,
                                                 uint64_t multipliers[2], struct stoa_error *err);

#endif
