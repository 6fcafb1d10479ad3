/* One call of each library; what fails here ends the test program. */
#include "support/compress.h"

#include <bzlib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/bytes.h"

static void check(int ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "%s can't compress\n", what);
        abort();
    }
}

static size_t compress_gzip(const uint8_t *bytes, size_t nbytes, uint8_t *out, size_t nout)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (unsigned)nbytes};

    check(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK, "gzip");
    z.next_out = out;
    z.avail_out = (unsigned)nout;
    check(deflate(&z, Z_FINISH) == Z_STREAM_END, "gzip");
    deflateEnd(&z);
    return z.total_out;
}

static size_t compress_xz(const uint8_t *bytes, size_t nbytes, uint8_t *out, size_t nout)
{
    size_t size = 0;

    check(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, NULL, bytes, nbytes, out, &size, nout) ==
              LZMA_OK,
          "xz");
    return size;
}

static size_t compress_bzip2(const uint8_t *bytes, size_t nbytes, uint8_t *out, size_t nout)
{
    unsigned size = (unsigned)nout;

    check(BZ2_bzBuffToBuffCompress((char *)out, &size, (char *)(uintptr_t)bytes, (unsigned)nbytes,
                                   1, 0, 0) == BZ_OK,
          "bzip2");
    return size;
}

static size_t compress_zstd(const uint8_t *bytes, size_t nbytes, uint8_t *out, size_t nout)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    size_t size;

    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    size = ZSTD_compress2(context, out, nout, bytes, nbytes);
    check(!ZSTD_isError(size), "zstd");
    ZSTD_freeCCtx(context);
    return size;
}

static size_t compress_lz4(const uint8_t *bytes, size_t nbytes, uint8_t *out, size_t nout)
{
    LZ4F_preferences_t preferences = LZ4F_INIT_PREFERENCES;
    size_t size;

    preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
    size = LZ4F_compressFrame(out, nout, bytes, nbytes, &preferences);
    check(!LZ4F_isError(size), "LZ4");
    return size;
}

const struct stoa_test_compression stoa_test_compressions[] = {
    {"gzip", compress_gzip}, {"xz", compress_xz},   {"bzip2", compress_bzip2},
    {"zstd", compress_zstd}, {"LZ4", compress_lz4}, {NULL, NULL},
};

/* ---- In pieces. ---- */

size_t stoa_test_deflate(const uint8_t *bytes, size_t nbytes, uint8_t *out, size_t nout)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (unsigned)nbytes};

    check(deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) == Z_OK, "deflate");
    z.next_out = out;
    z.avail_out = (unsigned)nout;
    check(deflate(&z, Z_FINISH) == Z_STREAM_END, "deflate");
    deflateEnd(&z);
    return z.total_out;
}

static size_t bgzf_member(const uint8_t *bytes, size_t nbytes, uint8_t *out, size_t nout)
{
    static const uint8_t head[] = {0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 6, 0, 'B', 'C', 2, 0};
    const size_t size = 18 + stoa_test_deflate(bytes, nbytes, out + 18, nout - 18) + 8;

    check(size <= 65536 && nbytes <= 65536, "BGZF");
    memcpy(out, head, sizeof(head));
    stoa_store16(out + 16, (uint16_t)(size - 1));
    stoa_store32(out + size - 8, (uint32_t)crc32(0, bytes, (unsigned)nbytes));
    stoa_store32(out + size - 4, (uint32_t)nbytes);
    return size;
}

static size_t pieces_bgzf(const uint8_t *bytes, size_t nbytes, size_t npiece, uint8_t *out,
                          size_t nout)
{
    size_t size = 0;

    for (size_t at = 0; at < nbytes; at += npiece)
        size += bgzf_member(bytes + at, nbytes - at < npiece ? nbytes - at : npiece, out + size,
                            nout - size);
    return size + bgzf_member(bytes, 0, out + size, nout - size);
}

static size_t pieces_xz(const uint8_t *bytes, size_t nbytes, size_t npiece, uint8_t *out,
                        size_t nout)
{
    lzma_stream lzma = LZMA_STREAM_INIT;
    lzma_mt mt = {.threads = 1, .block_size = npiece, .preset = 0, .check = LZMA_CHECK_CRC32};

    check(lzma_stream_encoder_mt(&lzma, &mt) == LZMA_OK, "xz");
    lzma.next_in = bytes;
    lzma.avail_in = nbytes;
    lzma.next_out = out;
    lzma.avail_out = nout;
    check(lzma_code(&lzma, LZMA_FINISH) == LZMA_STREAM_END, "xz");
    lzma_end(&lzma);
    return nout - lzma.avail_out;
}

static size_t pieces_bzip2(const uint8_t *bytes, size_t nbytes, size_t npiece, uint8_t *out,
                           size_t nout)
{
    (void)npiece;
    return compress_bzip2(bytes, nbytes, out, nout);
}

static size_t zstd_frames(const uint8_t *bytes, size_t nbytes, size_t npiece, uint8_t *out,
                          size_t nout, int sizes)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    size_t size = 0;

    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, sizes);
    for (size_t at = 0; at < nbytes; at += npiece) {
        size_t one = ZSTD_compress2(context, out + size, nout - size, bytes + at,
                                    nbytes - at < npiece ? nbytes - at : npiece);

        check(!ZSTD_isError(one), "zstd");
        size += one;
    }
    ZSTD_freeCCtx(context);
    return size;
}

static size_t pieces_zstd(const uint8_t *bytes, size_t nbytes, size_t npiece, uint8_t *out,
                          size_t nout)
{
    return zstd_frames(bytes, nbytes, npiece, out, nout, 1);
}

static size_t pieces_zstd_unsized(const uint8_t *bytes, size_t nbytes, size_t npiece, uint8_t *out,
                                  size_t nout)
{
    return zstd_frames(bytes, nbytes, npiece, out, nout, 0);
}

const struct stoa_test_piecewise stoa_test_piecewise[] = {
    {"BGZF", pieces_bgzf},
    {"xz", pieces_xz},
    {"bzip2", pieces_bzip2},
    {"zstd", pieces_zstd},
    {"zstd without sizes", pieces_zstd_unsized},
    {NULL, NULL},
};
