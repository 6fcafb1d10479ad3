/*
 * Patterns of "like" (docs/predicates.md): pieces between %, found one after the other.
 *
 *     'ab_%cd%' = "ab?" at the start, then "cd" anywhere behind it
 *
 * Taking the first place where a piece fits is enough: if the rest fits behind a later place, it
 * fits behind the first one too. So nothing is ever tried twice.
 *
 * In a piece, _ is the byte FF, which no UTF-8 holds.
 */
#include "stats/like.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "stats/filter_tree.h"

#define ANY 0xff

struct piece {
    const uint8_t *bytes;
    size_t nbytes;
    bool is_literal; /* has no _ */
};

/* Pieces of one byte or more; `bytes` holds all of them, one behind the other. */
struct stoa_like {
    bool from_start; /* no % before the first piece */
    bool to_end;     /* no % behind the last piece */
    size_t npieces;
    struct piece *pieces;
    uint8_t *bytes;
};

void stoa_like_free(struct stoa_like *like)
{
    if (like == NULL)
        return;
    stoa_free(like->pieces);
    stoa_free(like->bytes);
    stoa_free(like);
}

/* Ends the piece that began at byte `begin`; empty ones are not kept. */
static void end_piece(struct stoa_like *like, size_t begin, size_t end)
{
    if (begin == end)
        return;
    like->pieces[like->npieces++] =
        (struct piece){.bytes = like->bytes + begin,
                       .nbytes = end - begin,
                       .is_literal = memchr(like->bytes + begin, ANY, end - begin) == NULL};
}

static enum stoa_status compile(struct stoa_like *like, const char *pattern, size_t nbytes,
                                const char *escape, size_t escape_nbytes, struct stoa_error *err)
{
    size_t begin = 0, n = 0, i = 0;
    bool after_percent = false;

    like->from_start = true;
    while (i < nbytes) {
        after_percent = false;
        if (escape_nbytes > 0 && nbytes - i >= escape_nbytes &&
            memcmp(pattern + i, escape, escape_nbytes) == 0) {
            i += escape_nbytes;
            if (i == nbytes)
                return stoa_fail(err, STOA_ERR_USAGE, "the pattern ends in its escape character");
        } else if (pattern[i] == '%') {
            end_piece(like, begin, n);
            like->from_start = like->from_start && n > 0;
            begin = n;
            i++;
            after_percent = true;
            continue;
        } else if (pattern[i] == '_') {
            like->bytes[n++] = ANY;
            i++;
            continue;
        }
        do /* one character: all of its bytes */
            like->bytes[n++] = (uint8_t)pattern[i++];
        while (i < nbytes && ((uint8_t)pattern[i] & 0xc0) == 0x80);
    }
    end_piece(like, begin, n);
    like->to_end = !after_percent;
    return STOA_OK;
}

enum stoa_status stoa_like_new(const char *pattern, size_t nbytes, uint32_t escape,
                               struct stoa_like **out, struct stoa_error *err)
{
    struct stoa_like *like = NULL;
    char escape_text[4];
    size_t escape_nbytes = escape != 0 ? stoa_filter_put_utf8(escape, escape_text) : 0;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&like, 1, sizeof(*like), err));
    STOA_TRY(stoa_alloc(&like->bytes, nbytes, err));
    STOA_TRY(stoa_alloc_zeroed(&like->pieces, nbytes / 2 + 1, sizeof(like->pieces[0]), err));
    STOA_TRY(compile(like, pattern, nbytes, escape_text, escape_nbytes, err));
    *out = like;
    like = NULL;
out:
    stoa_like_free(like);
    return st;
}

static bool is_inside_character(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

/* Whether the piece fits at text[at..]; then *at is behind it. */
static bool fits_at(const struct piece *piece, const uint8_t *text, size_t nbytes, size_t *at)
{
    size_t t = *at;

    for (size_t i = 0; i < piece->nbytes; i++, t++) {
        if (t == nbytes)
            return false;
        if (piece->bytes[i] == ANY) {
            while (t + 1 < nbytes && is_inside_character(text[t + 1]))
                t++;
        } else if (piece->bytes[i] != text[t]) {
            return false;
        }
    }
    *at = t;
    return true;
}

/* Whether the piece fits so that it ends with the text and begins at or behind `at`. */
static bool fits_end(const struct piece *piece, const uint8_t *text, size_t nbytes, size_t at)
{
    size_t t = nbytes;

    for (size_t i = piece->nbytes; i-- > 0;) {
        if (t == at)
            return false;
        t--;
        if (piece->bytes[i] == ANY) {
            while (t > at && is_inside_character(text[t]))
                t--;
        } else if (piece->bytes[i] != text[t]) {
            return false;
        }
    }
    return true;
}

/* The first place at or behind *at where the piece fits; then *at is behind it. */
static bool find(const struct piece *piece, const uint8_t *text, size_t nbytes, size_t *at)
{
    if (piece->nbytes > nbytes - *at)
        return false;
    if (piece->is_literal) {
        const uint8_t *place = memmem(text + *at, nbytes - *at, piece->bytes, piece->nbytes);

        if (place != NULL)
            *at = (size_t)(place - text) + piece->nbytes;
        return place != NULL;
    }
    /* Beginning inside a character finds nothing that beginning with it does not. */
    for (size_t begin = *at; begin < nbytes; begin++) {
        size_t end = begin;

        if (fits_at(piece, text, nbytes, &end)) {
            *at = end;
            return true;
        }
    }
    return false;
}

bool stoa_like_match(const struct stoa_like *like, const uint8_t *text, size_t nbytes)
{
    const struct piece *piece = like->pieces, *end = like->pieces + like->npieces;
    size_t at = 0;

    if (like->npieces == 0)
        return !like->from_start || !like->to_end || nbytes == 0;
    if (like->from_start) {
        if (!fits_at(piece++, text, nbytes, &at))
            return false;
        if (piece == end)
            return !like->to_end || at == nbytes;
    }
    for (; piece < end - like->to_end; piece++)
        if (!find(piece, text, nbytes, &at))
            return false;
    return !like->to_end || fits_end(piece, text, nbytes, at);
}

const uint8_t *stoa_like_prefix(const struct stoa_like *like, size_t *nbytes,
                                enum stoa_like_rest *rest)
{
    const struct piece *first = like->pieces;
    const uint8_t *any;

    *nbytes = 0;
    if (like->npieces == 0) {
        *rest = like->from_start && like->to_end ? STOA_LIKE_NOTHING : STOA_LIKE_ANYTHING;
        return like->bytes;
    }
    *rest = STOA_LIKE_SOMETHING;
    if (!like->from_start)
        return like->bytes;
    any = memchr(first->bytes, ANY, first->nbytes);
    *nbytes = any != NULL ? (size_t)(any - first->bytes) : first->nbytes;
    if (any == NULL && like->npieces == 1)
        *rest = like->to_end ? STOA_LIKE_NOTHING : STOA_LIKE_ANYTHING;
    return first->bytes;
}
