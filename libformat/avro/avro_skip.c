/*
 * Passing over values by their type, and the numbers that all readers share.
 *
 * A number ends with the first byte below 0x80. So many numbers at once are so many such bytes:
 *
 *     ac 02 | 05 | 80 80 01 | 7f | ...      continued 1 0 0 1 1 0 0
 *
 * 64 bytes are looked at from the beginning of a number on, and passed over up to the end of the
 * last one that ends in them.
 */
#include "avro/avro_read.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/bytes.h"

bool stoa_avro_read_long_slow(struct stoa_avro_cursor *cursor, int64_t *out)
{
    const uint8_t *at = cursor->at;
    uint64_t x = 0;

    for (unsigned shift = 0; shift < 70; shift += 7, at++) {
        x |= (uint64_t)(*at & 0x7f) << shift;
        if (*at >= 0x80)
            continue;
        if (shift == 63 && *at > 1)
            break;
        cursor->at = at + 1;
        *out = (int64_t)(x >> 1) ^ -(int64_t)(x & 1);
        return true;
    }
    /* What is behind the end is no number that is too long. */
    return stoa_avro_fail(cursor, at >= cursor->end ? STOA_AVRO_CUT : STOA_AVRO_TOO_LONG, 0);
}

bool stoa_avro_read_items(struct stoa_avro_cursor *cursor, uint64_t *nitems, int64_t *nbytes)
{
    int64_t n;

    *nbytes = -1;
    if (!stoa_avro_read_long(cursor, &n))
        return false;
    if (n < 0) {
        if (n == INT64_MIN)
            return stoa_avro_fail(cursor, STOA_AVRO_NO_COUNT, n);
        n = -n;
        if (!stoa_avro_read_long(cursor, nbytes) || !stoa_avro_has(cursor, 0))
            return false;
        if (*nbytes < 0)
            return stoa_avro_fail(cursor, STOA_AVRO_NO_LENGTH, *nbytes);
        if (!stoa_avro_has(cursor, (uint64_t)*nbytes))
            return false;
    }
    *nitems = (uint64_t)n;
    return stoa_avro_has(cursor, 0);
}

static bool skip(struct stoa_avro_cursor *cursor, const struct stoa_avro_type *type,
                 unsigned depth);

static bool skip_bytes(struct stoa_avro_cursor *cursor, size_t nbytes)
{
    if (!stoa_avro_has(cursor, nbytes))
        return false;
    cursor->at += nbytes;
    return true;
}

/* Blocks of items; those that tell their size are jumped over. */
static bool skip_items(struct stoa_avro_cursor *cursor, const struct stoa_avro_type *type,
                       unsigned depth)
{
    uint64_t nitems;
    int64_t nbytes;

    for (;;) {
        if (!stoa_avro_read_items(cursor, &nitems, &nbytes))
            return false;
        if (nitems == 0)
            return true;
        if (nbytes >= 0) {
            cursor->at += nbytes;
            continue;
        }
        for (uint64_t i = 0; i < nitems; i++) {
            const uint8_t *before = cursor->at;
            size_t key = 0;

            if (type->kind == STOA_AVRO_MAP &&
                (!stoa_avro_read_length(cursor, &key) || !skip_bytes(cursor, key)))
                return false;
            if (!skip(cursor, type->items, depth + 1) || !stoa_avro_count_empty(cursor, before))
                return false;
        }
    }
}

static bool skip_fields(struct stoa_avro_cursor *cursor, const struct stoa_avro_type *type,
                        unsigned depth)
{
    for (size_t i = 0; i < type->nfields; i++) {
        const uint8_t *before = cursor->at;

        if (!skip(cursor, type->fields[i].type, depth + 1) ||
            !stoa_avro_count_empty_field(cursor, before))
            return false;
    }
    return true;
}

static bool skip(struct stoa_avro_cursor *cursor, const struct stoa_avro_type *type, unsigned depth)
{
    int64_t number;
    size_t nbytes;
    uint32_t branch;

    if (depth > STOA_AVRO_MAX_VALUE_DEPTH)
        return stoa_avro_fail(cursor, STOA_AVRO_DEEP, 0);
    switch (type->kind) {
    case STOA_AVRO_NULL:
        return true;
    case STOA_AVRO_BOOLEAN:
        return skip_bytes(cursor, 1);
    case STOA_AVRO_INT:
    case STOA_AVRO_LONG:
    case STOA_AVRO_ENUM:
        return stoa_avro_read_long(cursor, &number) && stoa_avro_has(cursor, 0);
    case STOA_AVRO_FLOAT:
        return skip_bytes(cursor, 4);
    case STOA_AVRO_DOUBLE:
        return skip_bytes(cursor, 8);
    case STOA_AVRO_FIXED:
        return skip_bytes(cursor, type->size);
    case STOA_AVRO_BYTES:
    case STOA_AVRO_STRING:
        return stoa_avro_read_length(cursor, &nbytes) && skip_bytes(cursor, nbytes);
    case STOA_AVRO_ARRAY:
    case STOA_AVRO_MAP:
        return skip_items(cursor, type, depth);
    case STOA_AVRO_UNION:
        return stoa_avro_read_index(cursor, type->nbranches, STOA_AVRO_NO_BRANCH, &branch) &&
               skip(cursor, type->branches[branch], depth + 1);
    case STOA_AVRO_RECORD:
        return skip_fields(cursor, type, depth);
    }
    return false;
}

/* Bit i is the highest one of byte i of 64. */
static uint64_t high_bits(const uint8_t *at)
{
    uint64_t bits = 0;

#if defined(__SSE2__)
    for (unsigned i = 0; i < 64; i += 16)
        bits |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_loadu_si128((const void *)(at + i))) << i;
#else
    for (unsigned i = 0; i < 64; i += 8) /* each product has the eight bits at its top */
        bits |= ((stoa_load64(at + i) >> 7 & UINT64_C(0x0101010101010101)) *
                     UINT64_C(0x0102040810204080) >>
                 56)
                << i;
#endif
    return bits;
}

/* The numbers one by one, from the first one on: which one it is that is bad. */
static bool find_bad_number(struct stoa_avro_cursor *cursor, const uint8_t *begin, uint32_t *nth)
{
    int64_t number;

    cursor->at = begin;
    for (*nth = 0; stoa_avro_read_long(cursor, &number) && stoa_avro_has(cursor, 0);)
        ++*nth;
    return false;
}

bool stoa_avro_skip_numbers(struct stoa_avro_cursor *cursor, uint32_t n, uint32_t *nth)
{
    const uint8_t *const begin = cursor->at;

    while (n > 0 && cursor->at < cursor->end) {
        const uint64_t continued = high_bits(cursor->at);
        uint64_t ends = ~continued, runs = continued & continued >> 1; /* two in a row, */
        unsigned nends;

        runs &= runs >> 2; /* four, */
        runs &= runs >> 4; /* eight, */
        runs &= continued >> 8;
        if (runs != 0) { /* and nine: what has ten bytes may be no number */
            int64_t number;

            if (!stoa_avro_read_long(cursor, &number))
                return find_bad_number(cursor, begin, nth);
            n--;
            continue;
        }
        nends = (unsigned)__builtin_popcountll(ends);
        if (nends <= n) {
            cursor->at += 64 - __builtin_clzll(ends);
            n -= nends;
            continue;
        }
        for (; n > 1; n--)
            ends &= ends - 1;
        cursor->at += __builtin_ctzll(ends) + 1;
        n = 0;
    }
    if (n > 0 || cursor->at > cursor->end)
        return find_bad_number(cursor, begin, nth);
    return true;
}

bool stoa_avro_skip(struct stoa_avro_cursor *cursor, const struct stoa_avro_type *type)
{
    return skip(cursor, type, 0);
}
