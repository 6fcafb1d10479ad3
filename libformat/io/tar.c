/*
 * tar: ustar (POSIX.1-2017, pax), with its extended headers, and the long names of GNU tar.
 *
 *     header 512 | data, filled up to 512 | header | data | ... | two blocks of zeros | zeros
 *
 *     0 name[100] mode[8] uid[8] gid[8] 124 size[12] mtime[12] 148 checksum[8] 156 type
 *     157 link[100] 257 "ustar" 00 "00" ... 345 prefix[155]
 *
 * Numbers are octal text; GNU tar writes larger sizes in binary. An extended header ("x", or "L"
 * of GNU) is a member of its own that tells the name or size of the one behind it.
 */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "io/archive.h"

#define BLOCK_NBYTES    512
#define EXTENDED_NBYTES ((size_t)1 << 20) /* of an extended header at the most */

struct stoa_tar {
    struct stoa_stream *below;
    uint64_t left_nbytes; /* of the member that is being read */
    unsigned padding;     /* behind it */
    uint64_t nmembers;    /* headers so far */
    uint64_t offset;      /* in the archive */
    char *member;         /* its printable name, for messages */
};

/* ---- Numbers and sums. ---- */

/* Octal digits between blanks, ended by a blank, NUL or the end of the field. */
static bool parse_octal(const uint8_t *field, size_t nbytes, uint64_t *out)
{
    size_t at = 0, begin;
    uint64_t value = 0;

    while (at < nbytes && field[at] == ' ')
        at++;
    begin = at;
    while (at < nbytes && field[at] >= '0' && field[at] <= '7' && value >> 60 == 0)
        value = value << 3 | (uint64_t)(field[at++] - '0');
    if (at == begin && at < nbytes && field[at] != '\0')
        return false;
    for (; at < nbytes; at++) {
        if (field[at] != ' ' && field[at] != '\0')
            return false;
    }
    *out = value;
    return true;
}

/* The size field: octal, or binary, high byte first, behind a byte of 0x80. */
static bool parse_size(const uint8_t *header, uint64_t *out)
{
    const uint8_t *field = header + 124;
    uint64_t value = 0;

    if (field[0] != 0x80)
        return parse_octal(field, 12, out);
    for (size_t i = 1; i < 12; i++) {
        if (value >> 55 != 0)
            return false;
        value = value << 8 | field[i];
    }
    *out = value;
    return true;
}

/* The sum of all bytes, with blanks for the sum itself; old programs took the bytes as signed. */
static bool sum_is_right(const uint8_t *header)
{
    uint64_t stored;
    uint32_t sum = 8 * ' ';
    int32_t signed_sum = 8 * ' ';

    if (!parse_octal(header + 148, 8, &stored))
        return false;
    for (size_t i = 0; i < BLOCK_NBYTES; i++) {
        if (i >= 148 && i < 156)
            continue;
        sum += header[i];
        signed_sum += (int8_t)header[i];
    }
    return stored == sum || (signed_sum >= 0 && stored == (uint32_t)signed_sum);
}

static bool is_zeros(const uint8_t *block, size_t nbytes)
{
    return nbytes == 0 || (block[0] == 0 && memcmp(block, block + 1, nbytes - 1) == 0);
}

bool stoa_tar_match(const uint8_t *bytes, size_t nbytes)
{
    uint64_t size;

    if (nbytes < BLOCK_NBYTES)
        return false;
    if (is_zeros(bytes, BLOCK_NBYTES)) /* an empty one; a text of this kind is none */
        return true;
    return sum_is_right(bytes) && parse_size(bytes, &size);
}

/* ---- Reading below. ---- */

static enum stoa_status fail_early(const struct stoa_tar *tar, struct stoa_error *err)
{
    return stoa_fail_at(err, STOA_ERR_DATA, tar->offset,
                        "%s: the tar archive ends early, at byte %" PRIu64 ", after %" PRIu64
                        " members",
                        tar->below->name, tar->offset, tar->nmembers);
}

/* Reads nbytes bytes; *got is less at the end. */
static enum stoa_status read_some(struct stoa_tar *tar, uint8_t *out, size_t nbytes, size_t *got,
                                  struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;
    size_t one = 1;

    *got = 0;
    while (*got < nbytes && one > 0) {
        STOA_TRY(tar->below->read(tar->below, out + *got, nbytes - *got, &one, err));
        *got += one;
        tar->offset += one;
    }
out:
    return st;
}

static enum stoa_status read_all(struct stoa_tar *tar, uint8_t *out, size_t nbytes,
                                 struct stoa_error *err)
{
    size_t got;
    enum stoa_status st = read_some(tar, out, nbytes, &got, err);

    return st == STOA_OK && got < nbytes ? fail_early(tar, err) : st;
}

static enum stoa_status skip(struct stoa_tar *tar, uint64_t nbytes, struct stoa_error *err)
{
    uint8_t bytes[16384];
    enum stoa_status st = STOA_OK;

    while (nbytes > 0) {
        size_t n = nbytes < sizeof(bytes) ? (size_t)nbytes : sizeof(bytes);

        STOA_TRY(read_all(tar, bytes, n, err));
        nbytes -= n;
    }
out:
    return st;
}

static unsigned padding_of(uint64_t nbytes)
{
    return (unsigned)(-nbytes % BLOCK_NBYTES);
}

/* ---- Headers. ---- */

/* What the headers in front of a member, and its own, say of it. */
struct entry {
    struct stoa_buffer name;
    bool has_size;
    uint64_t nbytes;
    char type;
    bool sparse; /* its data are no plain bytes */
};

static enum stoa_status fail_header(const struct stoa_tar *tar, const char *what,
                                    struct stoa_error *err)
{
    return stoa_fail_at(err, STOA_ERR_DATA, tar->offset - BLOCK_NBYTES,
                        "%s: the tar archive is damaged at byte %" PRIu64 ", after %" PRIu64
                        " members: %s",
                        tar->below->name, tar->offset - BLOCK_NBYTES, tar->nmembers, what);
}

static size_t length(const uint8_t *field, size_t nbytes)
{
    const uint8_t *end = memchr(field, '\0', nbytes);

    return end != NULL ? (size_t)(end - field) : nbytes;
}

static enum stoa_status set_name(struct entry *entry, const void *bytes, size_t nbytes,
                                 struct stoa_error *err)
{
    entry->name.nbytes = 0;
    return stoa_buffer_append(&entry->name, bytes, nbytes, err);
}

/* The name in a header: with a prefix in front of it in ustar, where GNU tar keeps times. */
static enum stoa_status name_of_header(const uint8_t *header, struct entry *entry,
                                       struct stoa_error *err)
{
    size_t nprefix = memcmp(header + 257, "ustar", 6) == 0 ? length(header + 345, 155) : 0;
    enum stoa_status st = STOA_OK;

    entry->name.nbytes = 0;
    if (nprefix > 0) {
        STOA_TRY(stoa_buffer_append(&entry->name, header + 345, nprefix, err));
        STOA_TRY(stoa_buffer_append(&entry->name, "/", 1, err));
    }
    STOA_TRY(stoa_buffer_append(&entry->name, header, length(header, 100), err));
out:
    return st;
}

static bool key_is(const char *key, size_t nkey, const char *word)
{
    return nkey == strlen(word) && memcmp(key, word, nkey) == 0;
}

static bool parse_decimal(const char *text, size_t nbytes, uint64_t *out)
{
    uint64_t value = 0;

    for (size_t i = 0; i < nbytes; i++) {
        if (text[i] < '0' || text[i] > '9' || value > (UINT64_MAX >> 4) / 10)
            return false;
        value = 10 * value + (uint64_t)(text[i] - '0');
    }
    *out = value;
    return nbytes > 0;
}

/* One "key=value" of an extended header. */
static enum stoa_status take_record(const struct stoa_tar *tar, struct entry *entry,
                                    const char *key, size_t nkey, const char *value, size_t nvalue,
                                    struct stoa_error *err)
{
    if (key_is(key, nkey, "path"))
        return set_name(entry, value, nvalue, err);
    if (key_is(key, nkey, "size")) {
        entry->has_size = parse_decimal(value, nvalue, &entry->nbytes);
        if (!entry->has_size)
            return fail_header(tar, "the size in an extended header is no number", err);
    }
    if (nkey > 11 && memcmp(key, "GNU.sparse.", 11) == 0)
        entry->sparse = true;
    return STOA_OK;
}

/* The records of an extended header: "LENGTH KEY=VALUE\n", the length counts itself. */
static enum stoa_status take_extended(const struct stoa_tar *tar, struct entry *entry,
                                      const struct stoa_buffer *data, struct stoa_error *err)
{
    const char *at = (const char *)data->data, *const end = at + data->nbytes;
    enum stoa_status st = STOA_OK;

    while (at < end) {
        const char *blank = memchr(at, ' ', (size_t)(end - at)), *equals;
        uint64_t nbytes;

        if (blank == NULL || !parse_decimal(at, (size_t)(blank - at), &nbytes) ||
            nbytes > (uint64_t)(end - at) || nbytes < (uint64_t)(blank - at) + 2 ||
            at[nbytes - 1] != '\n')
            return fail_header(tar, "a record of an extended header has a wrong length", err);
        equals = memchr(blank, '=', (size_t)(at + nbytes - blank));
        if (equals == NULL)
            return fail_header(tar, "a record of an extended header has no value", err);
        STOA_TRY(take_record(tar, entry, blank + 1, (size_t)(equals - blank - 1), equals + 1,
                             (size_t)(at + nbytes - 1 - equals - 1), err));
        at += nbytes;
    }
out:
    return st;
}

/* The data of an extended header, and what they say. */
static enum stoa_status read_extended(struct stoa_tar *tar, char type, uint64_t nbytes,
                                      struct entry *entry, struct stoa_error *err)
{
    struct stoa_buffer data = {0};
    enum stoa_status st;

    if (nbytes > EXTENDED_NBYTES)
        return stoa_fail(err, STOA_ERR_LIMIT,
                         "%s: an extended header has %" PRIu64 " bytes, more than the limit of %zu",
                         tar->below->name, nbytes, EXTENDED_NBYTES);
    STOA_TRY(stoa_buffer_resize(&data, (size_t)nbytes, err));
    STOA_TRY(read_all(tar, data.data, (size_t)nbytes, err));
    STOA_TRY(skip(tar, padding_of(nbytes), err));
    if (type == 'L')
        STOA_TRY(set_name(entry, data.data, length(data.data, data.nbytes), err));
    else if (type == 'x')
        STOA_TRY(take_extended(tar, entry, &data, err));
out: /* "g" is for all members, "K" for links: they name nothing that is read here */
    stoa_buffer_free(&data);
    return st;
}

/* The two blocks of zeros were one so far: another one, and zeros to the end of the input. */
static enum stoa_status read_end(struct stoa_tar *tar, struct stoa_error *err)
{
    uint8_t block[BLOCK_NBYTES];
    enum stoa_status st;
    size_t got;

    STOA_TRY(read_all(tar, block, sizeof(block), err));
    for (got = sizeof(block); got > 0;) {
        if (!is_zeros(block, got))
            return stoa_fail_at(err, STOA_ERR_DATA, tar->offset - got,
                                "%s: the tar archive ends before byte %" PRIu64 ", after %" PRIu64
                                " members, and something else follows",
                                tar->below->name, tar->offset - got, tar->nmembers);
        STOA_TRY(read_some(tar, block, sizeof(block), &got, err));
    }
out:
    return st;
}

/* The next member of any type; *end instead when there is none. */
static enum stoa_status read_entry(struct stoa_tar *tar, struct entry *entry, bool *end,
                                   struct stoa_error *err)
{
    uint8_t header[BLOCK_NBYTES];
    uint64_t nbytes;
    bool extended = true;
    enum stoa_status st = STOA_OK;

    *end = false;
    while (extended) {
        STOA_TRY(read_all(tar, header, sizeof(header), err));
        if (is_zeros(header, sizeof(header))) {
            if (entry->name.nbytes > 0 || entry->has_size)
                return fail_header(tar, "nothing follows an extended header", err);
            *end = true;
            return read_end(tar, err);
        }
        if (!sum_is_right(header) || !parse_size(header, &nbytes))
            return fail_header(tar, "the checksum of a header is wrong", err);
        if (++tar->nmembers > STOA_ARCHIVE_MAX_NMEMBERS)
            return stoa_fail(err, STOA_ERR_LIMIT,
                             "%s: the archive has more than %" PRIu64 " members", tar->below->name,
                             STOA_ARCHIVE_MAX_NMEMBERS);
        extended = header[156] != '\0' && strchr("xgLK", header[156]) != NULL;
        if (extended)
            STOA_TRY(read_extended(tar, (char)header[156], nbytes, entry, err));
    }
    entry->type = (char)header[156];
    if (!entry->has_size)
        entry->nbytes = nbytes;
    if (entry->name.nbytes == 0)
        STOA_TRY(name_of_header(header, entry, err));
out:
    return st;
}

/* ---- Members. ---- */

struct member {
    struct stoa_stream stream;
    struct stoa_tar *tar;
};

static enum stoa_status member_read(struct stoa_stream *stream, void *out, size_t nbytes,
                                    size_t *got, struct stoa_error *err)
{
    struct stoa_tar *tar = ((struct member *)stream)->tar;
    enum stoa_status st = STOA_OK;

    *got = 0;
    if (nbytes > tar->left_nbytes)
        nbytes = (size_t)tar->left_nbytes;
    if (nbytes == 0)
        return STOA_OK;
    STOA_TRY(tar->below->read(tar->below, out, nbytes, got, err));
    if (*got == 0)
        return stoa_fail_at(err, STOA_ERR_DATA, tar->offset,
                            "%s: the tar archive ends early, %" PRIu64 " bytes before the end of "
                            "this member",
                            stream->name, tar->left_nbytes);
    tar->offset += *got;
    tar->left_nbytes -= *got;
    stream->consumed_nbytes = tar->below->consumed_nbytes;
out:
    return st;
}

static bool member_prefetch(struct stoa_stream *stream, uint64_t max_nbytes)
{
    struct stoa_stream *below = ((struct member *)stream)->tar->below;

    return below->prefetch(below, max_nbytes);
}

static void member_close(struct stoa_stream *stream)
{
    stoa_free(stream);
}

static enum stoa_status open_member(struct stoa_tar *tar, const struct entry *entry,
                                    struct stoa_stream **out, struct stoa_error *err)
{
    struct member *member = NULL;
    enum stoa_status st;

    stoa_free(tar->member);
    tar->member = NULL;
    STOA_TRY(stoa_archive_join_name(tar->below->name, (const char *)entry->name.data,
                                    entry->name.nbytes, &tar->member, err));
    if (entry->sparse || entry->type == 'S' || entry->type == 'M')
        return stoa_fail(err, STOA_ERR_UNSUPPORTED,
                         "%s: is a sparse file, or one of several volumes, which is not read",
                         tar->member);
    STOA_TRY(stoa_alloc_zeroed(&member, 1, sizeof(*member), err));
    member->tar = tar;
    member->stream = (struct stoa_stream){
        .read = member_read,
        .prefetch = tar->below->prefetch != NULL ? member_prefetch : NULL,
        .close = member_close,
        .name = tar->member,
        .total_nbytes = tar->below->total_nbytes,
        .consumed_nbytes = tar->below->consumed_nbytes,
    };
    *out = &member->stream;
out:
    return st;
}

/* Whether the data of a member of this type and name are to be read. */
static enum stoa_status is_wanted(const struct stoa_tar *tar, const struct entry *entry, bool *out,
                                  struct stoa_error *err)
{
    const char *name = (const char *)entry->name.data;
    const size_t nbytes = entry->name.nbytes;
    const bool file = entry->type == '\0' || strchr("07SM", entry->type) != NULL;
    bool skip;
    enum stoa_status st = stoa_archive_check_name(tar->below->name, name, nbytes, &skip, err);

    *out = st == STOA_OK && file && !skip && entry->nbytes > 0 && name[nbytes - 1] != '/';
    return st;
}

/* Data follow the header of a link or a device in no archive, whatever size it tells. */
static bool has_data(char type)
{
    return type == '\0' || strchr("123456", type) == NULL;
}

enum stoa_status stoa_tar_next(struct stoa_tar *tar, struct stoa_stream **out,
                               struct stoa_error *err)
{
    bool wanted = false, end = false;
    struct entry entry = {0};
    enum stoa_status st = STOA_OK;

    *out = NULL;
    while (!wanted && !end) {
        STOA_TRY(skip(tar, tar->left_nbytes, err));
        STOA_TRY(skip(tar, tar->padding, err));
        tar->left_nbytes = tar->padding = 0;
        entry.name.nbytes = 0;
        entry.has_size = entry.sparse = false;
        STOA_TRY(read_entry(tar, &entry, &end, err));
        if (end)
            break;
        tar->left_nbytes = has_data(entry.type) ? entry.nbytes : 0;
        tar->padding = padding_of(tar->left_nbytes);
        STOA_TRY(is_wanted(tar, &entry, &wanted, err));
    }
    if (wanted)
        STOA_TRY(open_member(tar, &entry, out, err));
out:
    stoa_buffer_free(&entry.name);
    return st;
}

enum stoa_status stoa_tar_open(struct stoa_stream *below, struct stoa_tar **out,
                               struct stoa_error *err)
{
    struct stoa_tar *tar;
    enum stoa_status st = stoa_alloc_zeroed(&tar, 1, sizeof(*tar), err);

    if (st != STOA_OK)
        return st;
    tar->below = below;
    *out = tar;
    return STOA_OK;
}

void stoa_tar_close(struct stoa_tar *tar)
{
    if (tar == NULL)
        return;
    stoa_stream_close(tar->below);
    stoa_free(tar->member);
    stoa_free(tar);
}
