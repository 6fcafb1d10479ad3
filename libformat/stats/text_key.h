/*
 * The first eight bytes of a text as a number: what decides nearly every comparison of two texts,
 * and texts that have it with them.
 */
#ifndef STOA_STATS_TEXT_KEY_H
#define STOA_STATS_TEXT_KEY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <stoa/array.h>

#include "base/bytes.h"

/*
 * Big-endian, zeros behind a shorter text: a lesser key is a lesser text, equal keys decide
 * nothing.
 * `_slack` reads eight bytes of whatever stands there, as the values of an array allow
 * (STOA_ARRAY_SLACK).
 */
static inline uint64_t stoa_text_key_slack(const uint8_t *bytes, size_t nbytes)
{
    uint64_t key;

    if (nbytes == 0)
        return 0;
    key = stoa_load64_be(bytes);
    return nbytes >= 8 ? key : key & ~(UINT64_MAX >> (8 * nbytes));
}

static inline uint64_t stoa_text_key(const uint8_t *bytes, size_t nbytes)
{
    uint8_t padded[8] = {0};

    if (nbytes > 0)
        memcpy(padded, bytes, nbytes < 8 ? nbytes : 8);
    return stoa_load64_be(padded);
}

/* Text or bytes that stand elsewhere. */
struct stoa_text_ref {
    const uint8_t *bytes;
    size_t nbytes;
    uint64_t key;
};

static inline struct stoa_text_ref stoa_text_ref_of(const uint8_t *bytes, size_t nbytes)
{
    return (struct stoa_text_ref){
        .bytes = bytes, .nbytes = nbytes, .key = stoa_text_key(bytes, nbytes)};
}

/* Bytes of every value of a type, or 0 where offsets tell. */
static inline size_t stoa_text_width(const struct stoa_type *type)
{
    if (type->id == STOA_UUID)
        return 16;
    return type->id == STOA_FIXED_BINARY ? type->width : 0;
}

/* Value i of an array; `width` is stoa_text_width(). */
static inline struct stoa_text_ref stoa_text_ref_at(const struct stoa_array *array, size_t width,
                                                    size_t i)
{
    size_t from = width > 0 ? i * width : (size_t)array->offsets[i];
    size_t to = width > 0 ? from + width : (size_t)array->offsets[i + 1];
    const uint8_t *bytes = to > from ? array->values + from : NULL;

    return (struct stoa_text_ref){
        .bytes = bytes, .nbytes = to - from, .key = stoa_text_key_slack(bytes, to - from)};
}

/* Like memcmp(), and a text before the longer ones that start with it. */
static inline int stoa_text_ref_compare(const struct stoa_text_ref *a,
                                        const struct stoa_text_ref *b)
{
    size_t shorter = a->nbytes < b->nbytes ? a->nbytes : b->nbytes;
    int order;

    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    if (a->nbytes == b->nbytes && a->nbytes <= sizeof(a->key)) /* the key is all there is */
        return 0;
    order = shorter > 0 ? memcmp(a->bytes, b->bytes, shorter) : 0;
    return order != 0 ? order : (a->nbytes > b->nbytes) - (a->nbytes < b->nbytes);
}

#endif
