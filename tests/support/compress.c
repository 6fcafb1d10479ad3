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
