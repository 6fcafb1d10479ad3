/* ustar, and zip with and without zip64, as written by the usual programs. */
#include "support/archives.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "io/inflate.h"
#include "support/compress.h"

static void must(bool good)
{
    if (!good) {
        fprintf(stderr, "archives: out of memory\n");
        abort();
    }
}

static void append(struct stoa_buffer *out, const void *bytes, size_t nbytes)
{
    must(stoa_buffer_append(out, bytes, nbytes, NULL) == STOA_OK);
}

static void append_number(struct stoa_buffer *out, uint64_t value, size_t nbytes)
{
    uint8_t bytes[8];

    stoa_store64(bytes, value);
    append(out, bytes, nbytes);
}

/* ---- tar ---- */

void stoa_test_tar_sum(struct stoa_buffer *tar, size_t offset)
{
    uint8_t *header = tar->data + offset;
    unsigned sum = 0;

    memset(header + 148, ' ', 8);
    for (size_t i = 0; i < 512; i++)
        sum += header[i];
    snprintf((char *)header + 148, 8, "%06o", sum);
}

void stoa_test_tar_add(struct stoa_buffer *tar, const char *name, char type, const void *bytes,
                       size_t nbytes)
{
    static const uint8_t zeros[512];
    const size_t offset = tar->nbytes;
    uint8_t header[512] = {0};

    snprintf((char *)header, 100, "%s", name);
    memcpy(header + 100,
           "0000644\0"
           "0000000\0"
           "0000000",
           24);
    snprintf((char *)header + 124, 12, "%011zo", nbytes);
    memcpy(header + 136, "00000000000", 12);
    header[156] = (uint8_t)type;
    memcpy(header + 257, "ustar\00000", 8);
    append(tar, header, sizeof(header));
    stoa_test_tar_sum(tar, offset);
    append(tar, bytes, nbytes);
    append(tar, zeros, -nbytes % 512);
}

void stoa_test_tar_end(struct stoa_buffer *tar)
{
    must(stoa_buffer_append_zeros(tar, 1024, NULL) == STOA_OK);
}

/* ---- zip ---- */

/* What a header tells of a member once it is packed. */
struct packed {
    struct stoa_buffer bytes;
    uint64_t offset;
    uint32_t crc;
};

static void append_local(struct stoa_buffer *zip, const struct stoa_test_zip_member *member,
                         struct packed *packed)
{
    const bool behind = member->descriptor, zip64 = member->zip64;
    const size_t nname = strlen(member->name);

    packed->offset = zip->nbytes;
    append(zip, "PK\3\4\55\0", 6);
    append_number(zip, behind ? 8 : 0, 2);
    append_number(zip, member->deflate ? 8 : 0, 2);
    append_number(zip, 0, 4);
    append_number(zip, behind ? 0 : packed->crc, 4);
    append_number(zip, zip64 ? UINT32_MAX : behind ? 0 : packed->bytes.nbytes, 4);
    append_number(zip, zip64 ? UINT32_MAX : behind ? 0 : member->nbytes, 4);
    append_number(zip, nname, 2);
    append_number(zip, zip64 ? 20 : 0, 2);
    append(zip, member->name, nname);
    if (zip64) {
        append(zip, "\1\0\20\0", 4);
        append_number(zip, behind ? 0 : member->nbytes, 8);
        append_number(zip, behind ? 0 : packed->bytes.nbytes, 8);
    }
    append(zip, packed->bytes.data, packed->bytes.nbytes);
    if (behind) {
        append(zip, "PK\7\10", 4);
        append_number(zip, packed->crc, 4);
        append_number(zip, packed->bytes.nbytes, zip64 ? 8 : 4);
        append_number(zip, member->nbytes, zip64 ? 8 : 4);
    }
}

static void append_entry(struct stoa_buffer *zip, const struct stoa_test_zip_member *member,
                         const struct packed *packed)
{
    const bool zip64 = member->zip64;
    const size_t nname = strlen(member->name);

    append(zip, "PK\1\2\55", 5);
    append_number(zip, member->mode != 0 ? 3 : 0, 1);
    append_number(zip, 45, 2);
    append_number(zip, member->descriptor ? 8 : 0, 2);
    append_number(zip, member->deflate ? 8 : 0, 2);
    append_number(zip, 0, 4);
    append_number(zip, packed->crc, 4);
    append_number(zip, zip64 ? UINT32_MAX : packed->bytes.nbytes, 4);
    append_number(zip, zip64 ? UINT32_MAX : member->nbytes, 4);
    append_number(zip, nname, 2);
    append_number(zip, zip64 ? 28 : 0, 2);
    append_number(zip, 0, 6); /* comment, disk, inside */
    append_number(zip, (uint64_t)member->mode << 16, 4);
    append_number(zip, zip64 ? UINT32_MAX : packed->offset, 4);
    append(zip, member->name, nname);
    if (zip64) {
        append(zip, "\1\0\30\0", 4);
        append_number(zip, member->nbytes, 8);
        append_number(zip, packed->bytes.nbytes, 8);
        append_number(zip, packed->offset, 8);
    }
}

static void append_end(struct stoa_buffer *zip, size_t directory, size_t nmembers, bool zip64)
{
    const size_t end = zip->nbytes;

    if (zip64) {
        append(zip, "PK\6\6", 4);
        append_number(zip, 44, 8);
        append_number(zip, 45 | 45 << 16, 4);
        append_number(zip, 0, 8);
        append_number(zip, nmembers, 8);
        append_number(zip, nmembers, 8);
        append_number(zip, end - directory, 8);
        append_number(zip, directory, 8);
        append(zip, "PK\6\7\0\0\0\0", 8);
        append_number(zip, end, 8);
        append_number(zip, 1, 4);
    }
    append(zip, "PK\5\6\0\0\0\0", 8);
    append_number(zip, nmembers, 2);
    append_number(zip, nmembers, 2);
    append_number(zip, end - directory, 4);
    append_number(zip, zip64 ? UINT32_MAX : directory, 4);
    append_number(zip, 0, 2);
}

void stoa_test_zip_make(struct stoa_buffer *zip, const struct stoa_test_zip_member *members,
                        size_t nmembers)
{
    struct packed *packed = calloc(nmembers + 1, sizeof(*packed));
    bool zip64 = false;
    size_t directory;

    zip->nbytes = 0;
    for (size_t i = 0; i < nmembers; i++) {
        const size_t nbytes = members[i].nbytes;

        must(stoa_buffer_resize(&packed[i].bytes, stoa_test_compress_bound(nbytes), NULL) ==
             STOA_OK);
        packed[i].bytes.nbytes = 0;
        if (members[i].deflate)
            packed[i].bytes.nbytes = stoa_test_deflate(
                members[i].bytes, nbytes, packed[i].bytes.data, packed[i].bytes.capacity);
        else
            append(&packed[i].bytes, members[i].bytes, nbytes);
        packed[i].crc = stoa_inflate_crc32(0, members[i].bytes, nbytes);
        zip64 |= members[i].zip64;
        append_local(zip, &members[i], &packed[i]);
    }
    directory = zip->nbytes;
    for (size_t i = 0; i < nmembers; i++)
        append_entry(zip, &members[i], &packed[i]);
    append_end(zip, directory, nmembers, zip64);
    for (size_t i = 0; i < nmembers; i++)
        stoa_buffer_free(&packed[i].bytes);
    free(packed);
}
