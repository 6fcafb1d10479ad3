/* Compresses memory in each format that inputs may have. */
#ifndef STOA_TESTS_SUPPORT_COMPRESS_H
#define STOA_TESTS_SUPPORT_COMPRESS_H

#include <stddef.h>
#include <stdint.h>

struct stoa_test_compression {
    const char *name;
    /* One member into `out`, which has room for stoa_test_compress_bound(nbytes); its size. */
    size_t (*compress)(const uint8_t *bytes, size_t nbytes, uint8_t *out, size_t nout);
};

/* gzip, xz, bzip2, zstd and LZ4, the last two with checksums; ended by a NULL name. */
extern const struct stoa_test_compression stoa_test_compressions[];

/* Deflate without a header, as in zip archives. */
size_t stoa_test_deflate(const uint8_t *bytes, size_t nbytes, uint8_t *out, size_t nout);

/*
 * The same as members or blocks of about `npiece` bytes of text each that can be decoded by
 * themselves: BGZF, xz with sizes in its block headers, bzip2 (whose blocks are of 100,000 bytes),
 * zstd frames, with their sizes and without.
 */
struct stoa_test_piecewise {
    const char *name;
    size_t (*compress)(const uint8_t *bytes, size_t nbytes, size_t npiece, uint8_t *out,
                       size_t nout);
};

extern const struct stoa_test_piecewise stoa_test_piecewise[];

static inline size_t stoa_test_compress_bound(size_t nbytes)
{
    return nbytes + nbytes / 50 + 4096;
}

#endif
