/*
 * The directory of a zip file (APPNOTE 6.3), which stands at its end.
 *
 *     member | member | ... | directory | (end of zip64, and where it is) | end of directory
 *
 *     end: "PK" 5 6 | disk 2 | disk 2 | entries 2 | entries 2 | size 4 | offset 4 | comment 2, ...
 *     end of zip64: "PK" 6 6 | size 8 | versions 4 | disk 4 | disk 4 | entries 8 | entries 8
 *                   | size 8 | offset 8
 *     where it is: "PK" 6 7 | disk 4 | offset 8 | disks 4
 *     entry: "PK" 1 2 | versions 4 | 8 flags 2 | 10 method 2 | time 4 | 16 crc 4 | 20 size 4
 *            | 24 text size 4 | 28 name 2 | 30 extra 2 | 32 comment 2 | disk 2 | inside 2
 *            | 38 outside 4 | 42 offset 4 | name, extra, comment
 *
 * Everything must be where it is said to be, with nothing between the directory and its end: what
 * one reader of a zip file finds, another one must find too.
 */
#include "io/zip_directory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/error.h"
#include "io/archive.h"

#define END_NBYTES     22
#define LOCATOR_NBYTES 20
#define END64_NBYTES   56
#define ENTRY_NBYTES   46
#define COMMENT_NBYTES 65535
#define MAX_NBYTES     (UINT64_C(256) << 20) /* of a directory */

static enum stoa_status fail_zip(const struct stoa_source *source, uint64_t offset,
                                 const char *what, struct stoa_error *err)
{
    return stoa_fail_at(err, STOA_ERR_DATA, offset, "%s: the zip archive is damaged: %s",
                        source->name, what);
}

/* What the end says of the directory. */
struct place {
    uint64_t end; /* of the directory: where its end record begins */
    uint64_t offset;
    uint64_t nbytes;
    uint64_t nentries;
};

static bool is_record(const uint8_t *bytes, const char *two)
{
    return bytes[0] == 'P' && bytes[1] == 'K' && bytes[2] == two[0] && bytes[3] == two[1];
}

/* Sets *out to a number of the end record, unless zip64 has told another one. */
static bool agree(uint64_t stored, uint64_t unknown, bool zip64, uint64_t *out)
{
    if (!zip64)
        *out = stored;
    return stored == *out || (zip64 && stored == unknown);
}

/* The end of zip64 in front of the end record at `at`, if there is one. */
static enum stoa_status read_end64(struct stoa_source *source, uint64_t at, struct place *place,
                                   bool *found, struct stoa_error *err)
{
    uint8_t locator[LOCATOR_NBYTES], end[END64_NBYTES];
    uint64_t offset, size;
    enum stoa_status st = STOA_OK;

    *found = false;
    if (at < LOCATOR_NBYTES)
        return STOA_OK;
    STOA_TRY(source->read_at(source, at - LOCATOR_NBYTES, locator, sizeof(locator), err));
    if (!is_record(locator, "\6\7"))
        return STOA_OK;
    offset = stoa_load64(locator + 8);
    if (stoa_load32(locator + 4) != 0 || stoa_load32(locator + 16) > 1 ||
        at - LOCATOR_NBYTES < END64_NBYTES || offset > at - LOCATOR_NBYTES - END64_NBYTES)
        return fail_zip(source, at - LOCATOR_NBYTES, "its zip64 end is not where it should be",
                        err);
    STOA_TRY(source->read_at(source, offset, end, sizeof(end), err));
    size = stoa_load64(end + 4);
    if (!is_record(end, "\6\6") || size != at - LOCATOR_NBYTES - offset - 12 ||
        stoa_load32(end + 16) != 0 || stoa_load32(end + 20) != 0 ||
        stoa_load64(end + 24) != stoa_load64(end + 32))
        return fail_zip(source, offset, "its zip64 end", err);
    *place = (struct place){
        .end = offset,
        .offset = stoa_load64(end + 48),
        .nbytes = stoa_load64(end + 40),
        .nentries = stoa_load64(end + 32),
    };
    *found = true;
out:
    return st;
}

/* The last end record whose comment reaches to the end of the file; tail[0] stands at `base`. */
static const uint8_t *find_end(const uint8_t *tail, size_t nbytes)
{
    for (size_t at = nbytes - END_NBYTES + 1; at-- > 0;) {
        if (is_record(tail + at, "\5\6") &&
            (size_t)stoa_load16(tail + at + 20) == nbytes - at - END_NBYTES)
            return tail + at;
    }
    return NULL;
}

static enum stoa_status find_directory(struct stoa_source *source, struct place *out,
                                       struct stoa_error *err)
{
    const size_t room = END_NBYTES + COMMENT_NBYTES;
    const size_t nbytes = source->nbytes < room ? (size_t)source->nbytes : room;
    struct place place = {0};
    uint8_t *tail = NULL;
    const uint8_t *end;
    bool zip64;
    enum stoa_status st;

    if (nbytes < END_NBYTES)
        return fail_zip(source, 0, "it ends early, its directory is missing", err);
    STOA_TRY(stoa_alloc(&tail, nbytes, err));
    STOA_TRY(source->read_at(source, source->nbytes - nbytes, tail, nbytes, err));
    end = find_end(tail, nbytes);
    if (end == NULL) {
        st = fail_zip(source, source->nbytes, "it ends early, its directory is missing", err);
        goto out;
    }
    place.end = source->nbytes - nbytes + (size_t)(end - tail);
    STOA_TRY(read_end64(source, place.end, &place, &zip64, err));
    if (stoa_load16(end + 4) != 0 || stoa_load16(end + 6) != 0 ||
        stoa_load16(end + 8) != stoa_load16(end + 10)) {
        st = stoa_fail(err, STOA_ERR_UNSUPPORTED, "%s: is a zip archive in several parts",
                       source->name);
        goto out;
    }
    if (!agree(stoa_load16(end + 10), UINT16_MAX, zip64, &place.nentries) ||
        !agree(stoa_load32(end + 12), UINT32_MAX, zip64, &place.nbytes) ||
        !agree(stoa_load32(end + 16), UINT32_MAX, zip64, &place.offset) ||
        place.nbytes > place.end || place.offset != place.end - place.nbytes) {
        st = fail_zip(source, place.end, "its directory is not where it should be", err);
        goto out;
    }
    *out = place;
out:
    stoa_free(tail);
    return st;
}

bool stoa_zip_sizes(const uint8_t *extra, size_t nextra, uint64_t *text_nbytes, uint64_t *nbytes,
                    uint64_t *offset)
{
    uint64_t *const wanted[] = {text_nbytes, nbytes, offset};
    const uint8_t *at = NULL;
    size_t left = 0;

    for (size_t i = 0; i + 4 <= nextra;) {
        size_t size = stoa_load16(extra + i + 2);

        if (size > nextra - i - 4)
            return false;
        if (stoa_load16(extra + i) == 1) {
            if (at != NULL) /* twice: which one? */
                return false;
            at = extra + i + 4;
            left = size;
        }
        i += 4 + size;
    }
    for (size_t i = 0; i < 3; i++) {
        if (wanted[i] == NULL || *wanted[i] != UINT32_MAX)
            continue;
        if (at == NULL) /* 2^32 - 1 is meant */
            continue;
        if (left < 8)
            return false;
        *wanted[i] = stoa_load64(at);
        at += 8;
        left -= 8;
    }
    return true;
}

/* No folder, link, device: by the mode of Unix where it made the entry, else by attribute. */
static bool is_file(const uint8_t *bytes, const struct stoa_zip_entry *entry)
{
    const uint32_t outside = stoa_load32(bytes + 38);
    const mode_t mode = bytes[5] == 3 ? (mode_t)(outside >> 16) & S_IFMT : 0;

    if (entry->name_nbytes > 0 && entry->name[entry->name_nbytes - 1] == '/')
        return false;
    return mode == 0 || mode == S_IFREG;
}

/* One entry at `bytes`, of which there are nbytes; *nused is its size. */
static enum stoa_status parse_entry(const struct stoa_source *source, const uint8_t *bytes,
                                    size_t nbytes, size_t *nused, struct stoa_zip_entry *entry,
                                    struct stoa_error *err)
{
    size_t nname, nextra, ncomment;

    if (nbytes < ENTRY_NBYTES || !is_record(bytes, "\1\2"))
        return fail_zip(source, STOA_NO_OFFSET, "an entry of its directory", err);
    nname = stoa_load16(bytes + 28);
    nextra = stoa_load16(bytes + 30);
    ncomment = stoa_load16(bytes + 32);
    if (nname + nextra + ncomment > nbytes - ENTRY_NBYTES)
        return fail_zip(source, STOA_NO_OFFSET, "an entry of its directory", err);
    *entry = (struct stoa_zip_entry){
        .offset = stoa_load32(bytes + 42),
        .nbytes = stoa_load32(bytes + 20),
        .text_nbytes = stoa_load32(bytes + 24),
        .crc = stoa_load32(bytes + 16),
        .flags = stoa_load16(bytes + 8),
        .method = stoa_load16(bytes + 10),
        .name = (const char *)bytes + ENTRY_NBYTES,
        .name_nbytes = (uint16_t)nname,
    };
    if (!stoa_zip_sizes(bytes + ENTRY_NBYTES + nname, nextra, &entry->text_nbytes, &entry->nbytes,
                        &entry->offset))
        return fail_zip(source, STOA_NO_OFFSET, "an extra field of its directory", err);
    entry->file = is_file(bytes, entry);
    *nused = ENTRY_NBYTES + nname + nextra + ncomment;
    return STOA_OK;
}

static int compare_offsets(const void *a, const void *b)
{
    const struct stoa_zip_entry *one = *(const struct stoa_zip_entry *const *)a;
    const struct stoa_zip_entry *other = *(const struct stoa_zip_entry *const *)b;

    return one->offset < other->offset ? -1 : one->offset > other->offset;
}

/* Members follow each other without sharing a byte, in front of the directory. */
static enum stoa_status check_overlaps(const struct stoa_source *source,
                                       struct stoa_zip_directory *directory, uint64_t end,
                                       struct stoa_error *err)
{
    struct stoa_zip_entry **sorted = NULL;
    size_t n = directory->nentries;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&sorted, n, sizeof(struct stoa_zip_entry *), err));
    for (size_t i = 0; i < n; i++)
        sorted[i] = &directory->entries[i];
    qsort(sorted, n, sizeof(struct stoa_zip_entry *), compare_offsets);
    for (size_t i = n; i-- > 0; end = sorted[i]->offset) {
        const uint64_t least = STOA_ZIP_LOCAL_NBYTES + (uint64_t)sorted[i]->name_nbytes;

        sorted[i]->end = end;
        if (sorted[i]->offset > end || end - sorted[i]->offset < least ||
            end - sorted[i]->offset - least < sorted[i]->nbytes) {
            st = fail_zip(source, sorted[i]->offset, "members overlap", err);
            goto out;
        }
    }
out:
    stoa_free(sorted);
    return st;
}

static enum stoa_status parse_entries(const struct stoa_source *source, const struct place *place,
                                      struct stoa_zip_directory *directory, struct stoa_error *err)
{
    const uint8_t *at = directory->bytes.data;
    size_t left = directory->bytes.nbytes, nused = 0;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&directory->entries, (size_t)place->nentries,
                               sizeof(*directory->entries), err));
    for (; directory->nentries < place->nentries; directory->nentries++) {
        STOA_TRY(
            parse_entry(source, at, left, &nused, &directory->entries[directory->nentries], err));
        at += nused;
        left -= nused;
    }
    if (left > 0)
        return fail_zip(source, place->end - left, "its directory is longer than its entries", err);
    STOA_TRY(check_overlaps(source, directory, place->offset, err));
out:
    return st;
}

enum stoa_status stoa_zip_directory_read(struct stoa_source *source, struct stoa_zip_directory *out,
                                         struct stoa_error *err)
{
    struct stoa_zip_directory directory = {0};
    struct place place = {0};
    enum stoa_status st;

    STOA_TRY(find_directory(source, &place, err));
    if (place.nentries > STOA_ARCHIVE_MAX_NMEMBERS || place.nbytes > MAX_NBYTES)
        return stoa_fail(err, STOA_ERR_LIMIT,
                         "%s: the archive has %" PRIu64 " members and a directory of %" PRIu64
                         " bytes, more than the limits of %" PRIu64 " and %" PRIu64,
                         source->name, place.nentries, place.nbytes, STOA_ARCHIVE_MAX_NMEMBERS,
                         MAX_NBYTES);
    if (place.nentries > place.nbytes / ENTRY_NBYTES)
        return fail_zip(source, place.offset, "its directory is too short", err);
    STOA_TRY(stoa_buffer_resize(&directory.bytes, (size_t)place.nbytes, err));
    if (place.nbytes > 0)
        STOA_TRY(source->read_at(source, place.offset, directory.bytes.data, directory.bytes.nbytes,
                                 err));
    STOA_TRY(parse_entries(source, &place, &directory, err));
    *out = directory;
    directory = (struct stoa_zip_directory){0};
out:
    stoa_zip_directory_reset(&directory);
    return st;
}

void stoa_zip_directory_reset(struct stoa_zip_directory *directory)
{
    stoa_buffer_free(&directory->bytes);
    stoa_free(directory->entries);
    *directory = (struct stoa_zip_directory){0};
}
