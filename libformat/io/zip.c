/*
 * Members of a zip file (APPNOTE 6.3) as streams.
 *
 *     local header | name | extra | packed bytes | descriptor, where the header has no sizes
 *     "PK" 3 4 | version 2 | 6 flags 2 | 8 method 2 | time 4 | 14 crc 4 | 18 size 4 | 22 text size
 * 4 | 26 name 2 | 28 extra 2
 *
 *     file -> range -> decoder of the method -> length and CRC-32 compared
 *
 * The local header must say what the directory says. A reader that trusts one of them and a
 * reader that trusts the other one would read different files.
 */
#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "io/archive.h"
#include "io/layers.h"
#include "io/zip_directory.h"

/* Bits of `flags`. */
#define ENCRYPTED  0x2041 /* all of it, strongly, the directory */
#define DESCRIPTOR 0x0008 /* sizes and CRC stand behind the data */
#define PATCH      0x0020

struct stoa_zip {
    struct stoa_source *source;
    struct stoa_zip_directory directory;
    size_t next;
    char *member; /* the printable name of the one that is being read */
};

static const struct method {
    uint16_t id;
    const struct stoa_compression *compression; /* NULL: stored */
} methods[] = {
    {0, NULL},
    {8, &stoa_inflate_deflate},
    {12, &stoa_inflate_bzip2},
    {93, &stoa_inflate_zstd},
    {95, &stoa_inflate_xz},
};

bool stoa_zip_match(const uint8_t *bytes, size_t nbytes)
{
    return nbytes >= STOA_ZIP_MATCH_NBYTES &&
           (memcmp(bytes, "PK\3\4", 4) == 0 || memcmp(bytes, "PK\5\6", 4) == 0);
}

/* ---- The packed bytes of a member. ---- */

struct range {
    struct stoa_stream stream;
    struct stoa_source *source; /* borrowed */
    uint64_t offset;
    uint64_t end;
};

static enum stoa_status range_read(struct stoa_stream *stream, void *out, size_t nbytes,
                                   size_t *got, struct stoa_error *err)
{
    struct range *range = (struct range *)stream;
    enum stoa_status st = STOA_OK;

    *got = 0;
    if (nbytes > range->end - range->offset)
        nbytes = (size_t)(range->end - range->offset);
    if (nbytes == 0)
        return STOA_OK;
    STOA_TRY(range->source->read_at(range->source, range->offset, out, nbytes, err));
    range->offset += nbytes;
    *got = nbytes;
    stream->consumed_nbytes = range->offset;
out:
    return st;
}

static void range_close(struct stoa_stream *stream)
{
    stoa_free(stream);
}

static enum stoa_status range_open(const struct stoa_zip *zip, uint64_t offset, uint64_t nbytes,
                                   struct stoa_stream **out, struct stoa_error *err)
{
    struct range *range;
    enum stoa_status st = stoa_alloc_zeroed(&range, 1, sizeof(*range), err);

    if (st != STOA_OK)
        return st;
    range->source = zip->source;
    range->offset = offset;
    range->end = offset + nbytes;
    range->stream = (struct stoa_stream){
        .read = range_read,
        .close = range_close,
        .name = zip->member,
        .total_nbytes = zip->source->nbytes,
        .consumed_nbytes = offset,
    };
    *out = &range->stream;
    return STOA_OK;
}

/* ---- Length and CRC. ---- */

struct checked {
    struct stoa_stream stream;
    struct stoa_stream *below;
    uint64_t nbytes; /* so far */
    uint64_t expected_nbytes;
    uint32_t crc;
    uint32_t expected_crc;
};

static enum stoa_status checked_read(struct stoa_stream *stream, void *out, size_t nbytes,
                                     size_t *got, struct stoa_error *err)
{
    struct checked *checked = (struct checked *)stream;
    enum stoa_status st;

    *got = 0;
    STOA_TRY(checked->below->read(checked->below, out, nbytes, got, err));
    stream->consumed_nbytes = checked->below->consumed_nbytes;
    checked->nbytes += *got;
    checked->crc = stoa_inflate_crc32(checked->crc, out, *got);
    if (checked->nbytes > checked->expected_nbytes ||
        (*got == 0 && checked->nbytes < checked->expected_nbytes)) {
        *got = 0;
        st = stoa_fail(err, STOA_ERR_DATA,
                       "%s: is damaged: the zip directory says that it has %" PRIu64
                       " bytes, but it has %s",
                       stream->name, checked->expected_nbytes,
                       checked->nbytes > checked->expected_nbytes ? "more" : "less");
    } else if (*got == 0 && checked->crc != checked->expected_crc) {
        st = stoa_fail(err, STOA_ERR_DATA,
                       "%s: is damaged: the CRC-32 of its %" PRIu64
                       " bytes is not that of the zip directory",
                       stream->name, checked->nbytes);
    }
out:
    return st;
}

static bool checked_prefetch(struct stoa_stream *stream, uint64_t max_nbytes)
{
    struct stoa_stream *below = ((struct checked *)stream)->below;

    return below->prefetch(below, max_nbytes);
}

static void checked_close(struct stoa_stream *stream)
{
    struct checked *checked = (struct checked *)stream;

    stoa_stream_close(checked->below);
    stoa_free(checked);
}

/* Takes `below` over when it succeeds. */
static enum stoa_status checked_open(struct stoa_stream *below, const struct stoa_zip_entry *entry,
                                     struct stoa_stream **out, struct stoa_error *err)
{
    struct checked *checked;
    enum stoa_status st = stoa_alloc_zeroed(&checked, 1, sizeof(*checked), err);

    if (st != STOA_OK)
        return st;
    checked->below = below;
    checked->expected_nbytes = entry->text_nbytes;
    checked->expected_crc = entry->crc;
    checked->stream = (struct stoa_stream){
        .read = checked_read,
        .prefetch = below->prefetch != NULL ? checked_prefetch : NULL,
        .close = checked_close,
        .name = below->name,
        .total_nbytes = below->total_nbytes,
        .consumed_nbytes = below->consumed_nbytes,
    };
    *out = &checked->stream;
    return STOA_OK;
}

/* ---- Members. ---- */

static enum stoa_status fail_member(const struct stoa_zip *zip, const char *what,
                                    struct stoa_error *err)
{
    return stoa_fail(err, STOA_ERR_DATA, "%s: the zip archive is damaged: %s", zip->member, what);
}

/* Behind the data: (signature 4) | crc 4 | size 4 or 8 | text size 4 or 8. */
static enum stoa_status check_descriptor(const struct stoa_zip *zip,
                                         const struct stoa_zip_entry *entry, uint64_t offset,
                                         struct stoa_error *err)
{
    uint8_t bytes[24] = {0};
    const size_t room =
        entry->end - offset < sizeof(bytes) ? (size_t)(entry->end - offset) : sizeof(bytes);
    enum stoa_status st = STOA_OK;

    if (room > 0)
        STOA_TRY(zip->source->read_at(zip->source, offset, bytes, room, err));
    for (size_t at = 0; at <= 4; at += 4) { /* with and without the signature */
        if (stoa_load32(bytes + at) != entry->crc || (at == 4 && memcmp(bytes, "PK\7\10", 4) != 0))
            continue;
        if (room >= at + 12 && stoa_load32(bytes + at + 4) == entry->nbytes &&
            stoa_load32(bytes + at + 8) == entry->text_nbytes)
            return STOA_OK;
        if (room >= at + 20 && stoa_load64(bytes + at + 4) == entry->nbytes &&
            stoa_load64(bytes + at + 12) == entry->text_nbytes)
            return STOA_OK;
    }
    return fail_member(zip, "what stands behind the member is not what its directory says", err);
out:
    return st;
}

/* The local header against the entry; *data is where the packed bytes begin. */
static enum stoa_status check_local(const struct stoa_zip *zip, const struct stoa_zip_entry *entry,
                                    uint64_t *data, struct stoa_error *err)
{
    uint8_t local[STOA_ZIP_LOCAL_NBYTES], *rest = NULL;
    uint64_t nbytes, text_nbytes;
    size_t nname, nextra;
    bool same;
    enum stoa_status st;

    STOA_TRY(zip->source->read_at(zip->source, entry->offset, local, sizeof(local), err));
    nname = stoa_load16(local + 26);
    nextra = stoa_load16(local + 28);
    nbytes = stoa_load32(local + 18);
    text_nbytes = stoa_load32(local + 22);
    if (memcmp(local, "PK\3\4", 4) != 0 ||
        entry->end - entry->offset - sizeof(local) < nname + nextra + entry->nbytes) {
        st = fail_member(zip, "there is no member where its directory says", err);
        goto out;
    }
    STOA_TRY(stoa_alloc(&rest, nname + nextra, err));
    if (nname + nextra > 0)
        STOA_TRY(zip->source->read_at(zip->source, entry->offset + sizeof(local), rest,
                                      nname + nextra, err));
    *data = entry->offset + sizeof(local) + nname + nextra;
    same = stoa_load16(local + 6) == entry->flags && stoa_load16(local + 8) == entry->method &&
           nname == entry->name_nbytes && memcmp(rest, entry->name, nname) == 0 &&
           stoa_zip_sizes(rest + nname, nextra, &text_nbytes, &nbytes, NULL);
    if ((entry->flags & DESCRIPTOR) == 0)
        same = same && nbytes == entry->nbytes && text_nbytes == entry->text_nbytes &&
               stoa_load32(local + 14) == entry->crc;
    if (!same)
        st = fail_member(zip, "the header of the member is not what its directory says", err);
    else if ((entry->flags & DESCRIPTOR) != 0)
        st = check_descriptor(zip, entry, *data + entry->nbytes, err);
out:
    stoa_free(rest);
    return st;
}

static enum stoa_status find_method(const struct stoa_zip *zip, const struct stoa_zip_entry *entry,
                                    const struct method **out, struct stoa_error *err)
{
    if ((entry->flags & ENCRYPTED) != 0)
        return stoa_fail(err, STOA_ERR_UNSUPPORTED, "%s: is encrypted", zip->member);
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        *out = &methods[i];
        if (methods[i].id == entry->method && (entry->flags & PATCH) == 0)
            return STOA_OK;
    }
    return stoa_fail(err, STOA_ERR_UNSUPPORTED,
                     "%s: is packed by method %u, which is not read: unpack it first", zip->member,
                     entry->method);
}

/* Whether it is a file with something in it; a size of 0 is only believed with its CRC. */
static bool is_wanted(const struct stoa_zip_entry *entry)
{
    return entry->file && (entry->text_nbytes > 0 || entry->crc != 0);
}

static enum stoa_status open_member(struct stoa_zip *zip, const struct stoa_zip_entry *entry,
                                    uint64_t data, struct stoa_stream **out, struct stoa_error *err)
{
    struct stoa_stream *packed = NULL, *text = NULL;
    const struct method *method = NULL;
    enum stoa_status st;

    STOA_TRY(find_method(zip, entry, &method, err));
    STOA_TRY(range_open(zip, data, entry->nbytes, &packed, err));
    if (method->compression != NULL) {
        STOA_TRY(stoa_decoded_open(packed, method->compression, &text, err));
        packed = text;
    }
    STOA_TRY(checked_open(packed, entry, out, err));
    packed = NULL;
out:
    stoa_stream_close(packed);
    return st;
}

enum stoa_status stoa_zip_next(struct stoa_zip *zip, struct stoa_stream **out,
                               struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    *out = NULL;
    while (*out == NULL && zip->next < zip->directory.nentries) {
        const struct stoa_zip_entry *entry = &zip->directory.entries[zip->next++];
        uint64_t data = 0;
        bool skip;

        STOA_TRY(stoa_archive_check_name(zip->source->name, entry->name, entry->name_nbytes, &skip,
                                         err));
        stoa_free(zip->member);
        zip->member = NULL;
        STOA_TRY(stoa_archive_join_name(zip->source->name, entry->name, entry->name_nbytes,
                                        &zip->member, err));
        STOA_TRY(check_local(zip, entry, &data, err)); /* also of what is passed over: is it? */
        if (is_wanted(entry) && !skip)
            STOA_TRY(open_member(zip, entry, data, out, err));
    }
out:
    return st;
}

enum stoa_status stoa_zip_open(struct stoa_source *source, struct stoa_zip **out,
                               struct stoa_error *err)
{
    struct stoa_zip *zip = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&zip, 1, sizeof(*zip), err));
    STOA_TRY(stoa_zip_directory_read(source, &zip->directory, err));
    zip->source = source;
    *out = zip;
    zip = NULL;
out:
    stoa_zip_close(zip);
    return st;
}

void stoa_zip_close(struct stoa_zip *zip)
{
    if (zip == NULL)
        return;
    stoa_zip_directory_reset(&zip->directory);
    stoa_source_close(zip->source);
    stoa_free(zip->member);
    stoa_free(zip);
}
