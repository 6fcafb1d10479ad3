/*
 * Decoders of raw deflate streams (RFC 1951), which gzip and zip wrap.
 *
 * zlib is always there, and the reference. ISA-L, where the library was built with it, decodes the
 * same at more than twice the speed. Both give the text of a valid stream, and of any other the
 * same text up to where one of them stops; it may be a symbol further for the other one. What
 * neither finds wrong the checksum of the wrapper does.
 */
#ifndef STOA_IO_DEFLATE_H
#define STOA_IO_DEFLATE_H

#include "base/alloc.h"

struct stoa_deflate;

/* What one step did. */
struct stoa_deflate_step {
    size_t nused;
    size_t nput;
    bool end;         /* the stream is complete, and */
    uint8_t taken[8]; /* these bytes behind it were taken by earlier steps */
    size_t ntaken;
};

struct stoa_deflate_decoder {
    const char *name;
    enum stoa_status (*open)(struct stoa_deflate **out, struct stoa_error *err);

    /*
     * Takes some of the nin bytes at `in` and gives up to nout > 0 bytes. A step that does neither
     * needs more input. STOA_ERR_DATA says what is wrong, once all text in front of it was given.
     */
    enum stoa_status (*step)(struct stoa_deflate *deflate, const uint8_t *in, size_t nin,
                             uint8_t *out, size_t nout, struct stoa_deflate_step *step,
                             struct stoa_error *err);

    void (*reset)(struct stoa_deflate *deflate); /* for the next stream */
    void (*close)(struct stoa_deflate *deflate); /* NULL is fine */

    /* The CRC-32 of gzip and zip, of bytes behind those that have `crc`; 0 at the beginning. */
    uint32_t (*crc32)(uint32_t crc, const void *bytes, size_t nbytes);
};

extern const struct stoa_deflate_decoder stoa_deflate_zlib;
extern const struct stoa_deflate_decoder stoa_deflate_isal; /* with STOA_HAS_ISAL only */

/* The fastest one that there is. */
#ifdef STOA_HAS_ISAL
#define STOA_DEFLATE_BEST stoa_deflate_isal
#else
#define STOA_DEFLATE_BEST stoa_deflate_zlib
#endif

#endif
