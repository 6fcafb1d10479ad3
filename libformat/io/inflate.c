/* Which compression a file has, by its first bytes. */
#include "io/inflate.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"

static const struct stoa_compression *const compressions[] = {
    &stoa_inflate_gzip, &stoa_inflate_xz,  &stoa_inflate_bzip2,
    &stoa_inflate_zstd, &stoa_inflate_lz4,
};

#define NOT_READ   "which is not read: unpack it first"
#define ONLY_FILES "which is read from its end: from a file, not from a pipe or another archive"

/* What people have beside them; better named than read as text. */
static const struct {
    const char *name;
    const char *magic;
    size_t nmagic;
    const char *why;
} refused[] = {
    {"a zip archive", "PK\3\4", 4, ONLY_FILES},
    {"a zip archive", "PK\5\6", 4, ONLY_FILES},
    {"a 7z archive", "7z\xbc\xaf\x27\x1c", 6, NOT_READ},
    {"a rar archive", "Rar!\x1a\7", 6, NOT_READ},
    {"compressed by compress", "\x1f\x9d", 2, NOT_READ},
    {"compressed by lzip", "LZIP\1", 5, NOT_READ},
    {"compressed by lz4 in its old format", "\x02\x21\x4c\x18", 4, NOT_READ},
};

enum stoa_inflate_match stoa_inflate_match_magic(const uint8_t *bytes, size_t nbytes,
                                                 const void *magic, size_t nmagic, size_t ncut)
{
    if (nbytes == 0 || memcmp(bytes, magic, nbytes < nmagic ? nbytes : nmagic) != 0)
        return STOA_INFLATE_NO;
    if (nbytes >= nmagic)
        return STOA_INFLATE_YES;
    return nbytes >= ncut ? STOA_INFLATE_CUT : STOA_INFLATE_NO;
}

enum stoa_inflate_match stoa_inflate_match_frame(const uint8_t *bytes, size_t nbytes,
                                                 const void *magic, size_t ncut)
{
    while (nbytes >= 4 && (stoa_load32(bytes) & 0xfffffff0) == 0x184d2a50) {
        size_t nskipped;

        if (nbytes < 8)
            return STOA_INFLATE_CUT;
        nskipped = (size_t)8 + stoa_load32(bytes + 4);
        if (nskipped >= nbytes)
            return STOA_INFLATE_YES;
        bytes += nskipped;
        nbytes -= nskipped;
    }
    return stoa_inflate_match_magic(bytes, nbytes, magic, 4, ncut);
}

enum stoa_status stoa_inflate_detect(const uint8_t *bytes, size_t nbytes,
                                     const struct stoa_compression **out, struct stoa_error *err)
{
    for (size_t i = 0; i < sizeof(compressions) / sizeof(compressions[0]); i++) {
        enum stoa_inflate_match match = compressions[i]->match(bytes, nbytes);

        if (match == STOA_INFLATE_CUT)
            return stoa_fail(err, STOA_ERR_DATA, "%s data ends within its first header",
                             compressions[i]->name);
        if (match == STOA_INFLATE_YES) {
            *out = compressions[i];
            return STOA_OK;
        }
    }
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (nbytes >= refused[i].nmagic && memcmp(bytes, refused[i].magic, refused[i].nmagic) == 0)
            return stoa_fail(err, STOA_ERR_UNSUPPORTED, "is %s, %s", refused[i].name,
                             refused[i].why);
    }
    *out = NULL;
    return STOA_OK;
}
