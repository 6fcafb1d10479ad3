/*
 * A hash table from value to code: open addressing, at most half full.
 *
 *     slot    32 bits of hash | code + 1        0 is free
 *     values  one behind the other, by code; BYTES with offsets
 *
 * A slot is 8 bytes, so the table of 64K values fits the second cache, and a value is looked at
 * only when 32 bits of its hash agree. Hashes are computed for a batch of values ahead and their
 * slots fetched, then what stands in the slots, so that the misses of a batch overlap. The highest
 * bits of a hash choose the slot: growing needs no value.
 *
 * Many numbers of a narrow range are told apart without hashes, by a table of all numbers of the
 * range; those that differ, which are few, are then added as others are.
 *
 *     values  7 9 7 8     table of 7..9   1 3 2     differ  7 9 8     codes  0 1 0 2
 *
 * Short byte strings are looked for among the last ones first, in a small table of words. Where the
 * first of many byte strings nearly all differ, all are counted by bits that their hashes set: no
 * more bits are set than strings differ, so more than the most that is wanted is the end of it.
 */
#include "codec/distinct.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "codec/kernels.h"
#include "codec/node.h"

enum { BATCH = 256, MIN_LOG2 = 10, MAX_LOG2 = 31, SLACK = 64 };

/* Numbers from which on a range is looked for, and the widest: its table fits the second cache. */
enum { NARROW_MIN_NVALUES = 4096, NARROW_MAX = 1 << 17 };

struct stoa_distinct {
    enum stoa_phys phys;
    uint32_t width; /* 0: BYTES */
    unsigned log2;  /* of the number of slots */
    uint32_t count;
    uint64_t *slots;
    struct stoa_buffer values;
    int32_t *offsets; /* BYTES: count + 1 */
    size_t offsets_capacity;
};

enum stoa_status stoa_distinct_new(struct stoa_distinct **out, enum stoa_phys phys, uint32_t width,
                                   struct stoa_error *err)
{
    struct stoa_distinct *set = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&set, 1, sizeof(*set), err));
    set->phys = phys;
    set->width = phys == STOA_PHYS_FIXED ? width : stoa_phys_width(phys);
    set->log2 = MIN_LOG2;
    STOA_TRY(stoa_alloc_zeroed(&set->slots, (size_t)1 << MIN_LOG2, sizeof(*set->slots), err));
    STOA_TRY(stoa_buffer_reserve(&set->values, SLACK, err));
    if (phys == STOA_PHYS_BYTES) {
        STOA_TRY(stoa_reserve(&set->offsets, &set->offsets_capacity, 1, sizeof(int32_t), err));
        set->offsets[0] = 0;
    }
    *out = set;
    set = NULL;
out:
    stoa_distinct_free(set);
    return st;
}

void stoa_distinct_free(struct stoa_distinct *set)
{
    if (set == NULL)
        return;
    stoa_free(set->slots);
    stoa_free(set->offsets);
    stoa_buffer_free(&set->values);
    stoa_free(set);
}

uint32_t stoa_distinct_count(const struct stoa_distinct *set)
{
    return set->count;
}

uint64_t stoa_distinct_nbytes(const struct stoa_distinct *set)
{
    return set->values.nbytes;
}

uint64_t stoa_distinct_memory(const struct stoa_distinct *set)
{
    uint64_t nslots = UINT64_C(1) << set->log2;

    return nslots * sizeof(set->slots[0]) + set->values.nbytes +
           (set->offsets != NULL ? set->count * sizeof(set->offsets[0]) : 0);
}

struct stoa_vector stoa_distinct_values(const struct stoa_distinct *set)
{
    return (struct stoa_vector){.phys = set->phys,
                                .width = set->width,
                                .nvalues = set->count,
                                .values = set->values.data,
                                .offsets = set->offsets};
}

/* ---- Looking up. `width` is a constant in each caller: 1, 2, 4, 8, or 0 for byte strings. ---- */

/* Value i as bytes. */
static inline const uint8_t *bytes_of(const struct stoa_vector *values, size_t i, size_t *nbytes)
{
    if (values->offsets == NULL) {
        *nbytes = values->width;
        return values->values + i * values->width;
    }
    *nbytes = (size_t)(values->offsets[i + 1] - values->offsets[i]);
    return values->values + values->offsets[i];
}

static inline uint32_t hash_of(const struct stoa_vector *values, size_t i, unsigned width)
{
    uint64_t x;
    size_t nbytes;
    const uint8_t *bytes;

    if (width == 0) {
        bytes = bytes_of(values, i, &nbytes);
        return (uint32_t)(stoa_hash(bytes, nbytes) >> 32);
    }
    x = stoa_get(values->values, i, width) * UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 32) * UINT64_C(0xd6e8feb86659fd93);
    return (uint32_t)(x >> 32);
}

/* Whether the bytes agree: of eight and more as words, of which the last two may overlap. */
static inline bool is_equal(const uint8_t *a, const uint8_t *b, size_t nbytes)
{
    if (nbytes < 8)
        return nbytes == 0 || memcmp(a, b, nbytes) == 0;
    for (size_t i = 0; i + 8 < nbytes; i += 8)
        if (stoa_get(a + i, 0, 8) != stoa_get(b + i, 0, 8))
            return false;
    return stoa_get(a + nbytes - 8, 0, 8) == stoa_get(b + nbytes - 8, 0, 8);
}

static inline bool holds(const struct stoa_distinct *set, uint32_t code,
                         const struct stoa_vector *values, size_t i, unsigned width)
{
    struct stoa_vector known;
    size_t nbytes, known_nbytes;
    const uint8_t *bytes, *known_bytes;

    if (width > 0)
        return stoa_get(set->values.data, code, width) == stoa_get(values->values, i, width);
    known = stoa_distinct_values(set);
    bytes = bytes_of(values, i, &nbytes);
    known_bytes = bytes_of(&known, code, &known_nbytes);
    return nbytes == known_nbytes && is_equal(bytes, known_bytes, nbytes);
}

/* The slot that holds value i, or the free one where it belongs. */
static inline uint64_t *find_slot(const struct stoa_distinct *set, uint32_t hash,
                                  const struct stoa_vector *values, size_t i, unsigned width)
{
    size_t mask = ((size_t)1 << set->log2) - 1;

    for (size_t k = hash >> (32 - set->log2);; k = (k + 1) & mask) {
        uint64_t slot = set->slots[k];

        if (slot == 0 || (slot >> 32 == hash && holds(set, (uint32_t)slot - 1, values, i, width)))
            return &set->slots[k];
    }
}

static inline void hash_batch(const struct stoa_distinct *set, const struct stoa_vector *values,
                              size_t begin, size_t end, uint32_t hashes[BATCH], unsigned width)
{
    for (size_t i = begin; i < end; i++) {
        uint32_t hash = hash_of(values, i, width);

        hashes[i - begin] = hash;
        __builtin_prefetch(&set->slots[hash >> (32 - set->log2)]);
    }
}

/* Fetches the byte strings that the slots of a batch hold: where they are, then the strings. */
static inline void fetch_batch(const struct stoa_distinct *set, const uint32_t *hashes, size_t n)
{
    const int32_t *offsets[BATCH];

    for (size_t i = 0; i < n; i++) {
        const uint64_t slot = set->slots[hashes[i] >> (32 - set->log2)];

        offsets[i] = set->offsets + (slot != 0 ? (uint32_t)slot - 1 : 0);
        __builtin_prefetch(offsets[i]);
    }
    for (size_t i = 0; i < n; i++)
        __builtin_prefetch(set->values.data + *offsets[i]);
}

/* ---- Adding. ---- */

static enum stoa_status grow(struct stoa_distinct *set, struct stoa_error *err)
{
    unsigned log2 = set->log2 < 16 ? set->log2 + 2 : set->log2 + 1;
    size_t nslots = (size_t)1 << set->log2, mask = ((size_t)1 << log2) - 1;
    uint64_t *slots;
    enum stoa_status st = stoa_alloc_zeroed(&slots, mask + 1, sizeof(*slots), err);

    if (st != STOA_OK)
        return st;
    for (size_t i = 0; i < nslots; i++) {
        size_t k = set->slots[i] >> 32 >> (32 - log2);

        if (set->slots[i] == 0)
            continue;
        while (slots[k] != 0)
            k = (k + 1) & mask;
        slots[k] = set->slots[i];
    }
    stoa_free(set->slots);
    set->slots = slots;
    set->log2 = log2;
    return STOA_OK;
}

/* Room for all values [begin, end) as new ones, so that nothing moves while they are added. */
static enum stoa_status prepare(struct stoa_distinct *set, const struct stoa_vector *values,
                                size_t begin, size_t end, struct stoa_error *err)
{
    size_t nbytes = (end - begin) * set->width;
    enum stoa_status st = STOA_OK;

    if (set->width == 0) {
        nbytes = (size_t)(values->offsets[end] - values->offsets[begin]);
        STOA_TRY(stoa_reserve(&set->offsets, &set->offsets_capacity, (size_t)set->count + BATCH + 1,
                              sizeof(int32_t), err));
    }
    STOA_TRY(stoa_buffer_reserve(&set->values, nbytes + SLACK, err));
    while (set->count + BATCH > (size_t)1 << (set->log2 - 1))
        STOA_TRY(grow(set, err));
out:
    return st;
}

/* Appends value i with the next code, which *slot gets. */
static inline void append(struct stoa_distinct *set, const uint8_t *bytes, size_t nbytes,
                          uint32_t hash, uint64_t *slot)
{
    if (nbytes > 0)
        memcpy(set->values.data + set->values.nbytes, bytes, nbytes);
    set->values.nbytes += nbytes;
    *slot = (uint64_t)hash << 32 | ++set->count;
    if (set->width == 0)
        set->offsets[set->count] = (int32_t)set->values.nbytes;
}

static inline enum stoa_status add(struct stoa_distinct *set, const struct stoa_vector *values,
                                   uint32_t max_count, uint64_t max_nbytes, uint32_t *codes,
                                   bool *complete, unsigned width, struct stoa_error *err)
{
    uint32_t hashes[BATCH];
    size_t n = values->nvalues;
    enum stoa_status st = STOA_OK;

    *complete = false;
    for (size_t begin = 0; begin < n; begin += BATCH) {
        size_t end = n - begin < BATCH ? n : begin + BATCH;

        STOA_TRY(prepare(set, values, begin, end, err));
        hash_batch(set, values, begin, end, hashes, width);
        for (size_t i = begin; i < end; i++) {
            uint64_t *slot = find_slot(set, hashes[i - begin], values, i, width);

            if (*slot == 0) {
                if (set->count >= max_count || set->values.nbytes + width > max_nbytes)
                    return STOA_OK;
                append(set, values->values + i * width, width, hashes[i - begin], slot);
            }
            codes[i] = (uint32_t)*slot - 1;
        }
    }
    *complete = true;
out:
    return st;
}

/*
 * Byte strings of less than eight bytes as words, each at the place that its word says. Those of a
 * column that has few of them are nearly all found there, without hashes and slots.
 */
struct recent {
    uint64_t word;
    uint32_t nbytes;
    uint32_t code; /* + 1; 0: none yet */
};
enum { RECENT_LOG2 = 8, SHORT_NBYTES = 7 };

/* Each of its bytes at least once, and none behind them. */
static inline uint64_t short_word(const uint8_t *bytes, size_t nbytes)
{
    if (nbytes >= 4)
        return stoa_load32(bytes) | (uint64_t)stoa_load32(bytes + nbytes - 4) << 32;
    if (nbytes == 0)
        return 0;
    return bytes[0] | (uint64_t)bytes[nbytes / 2] << 8 | (uint64_t)bytes[nbytes - 1] << 16;
}

static inline size_t recent_place(uint64_t word)
{
    return (size_t)(word * UINT64_C(0x9e3779b97f4a7c15) >> (64 - RECENT_LOG2));
}

/* Gives codes to the byte strings of a batch that are among the recent; the others are `left`. */
static inline size_t take_recent(const struct recent *recent, const struct stoa_vector *values,
                                 size_t begin, size_t end, uint32_t *codes, uint32_t *left)
{
    size_t nleft = 0;

    for (size_t i = begin; i < end; i++) {
        size_t nbytes;
        const uint8_t *bytes = bytes_of(values, i, &nbytes);
        const struct recent *at;
        uint64_t word;

        left[nleft] = (uint32_t)i;
        if (nbytes > SHORT_NBYTES) {
            nleft++;
            continue;
        }
        word = short_word(bytes, nbytes);
        at = &recent[recent_place(word)];
        codes[i] = at->code - 1;
        nleft += at->code == 0 || at->word != word || at->nbytes != nbytes;
    }
    return nleft;
}

/* Byte strings so many that their bits are worth setting, and how many of them are looked at first.
 */
enum { MANY_NVALUES = 1 << 14, FIRST_PART = 16 };

/* Whether more than max_count of the byte strings differ for certain; with few bits, not seen. */
static enum stoa_status differ_often(const struct stoa_vector *values, uint32_t max_count,
                                     bool *out, struct stoa_error *err)
{
    size_t n = values->nvalues, nset = 0;
    unsigned log2 = 3; /* of the number of bits: eight for each string at least */
    uint64_t *words;
    enum stoa_status st;

    while (log2 < 32 && (size_t)1 << log2 < 8 * n)
        log2++;
    st = stoa_alloc_zeroed(&words, (((size_t)1 << log2) + 63) / 64, sizeof(*words), err);
    if (st != STOA_OK)
        return st;
    for (size_t i = 0; i < n && nset <= max_count; i++) {
        uint32_t bit = hash_of(values, i, 0) >> (32 - log2);
        uint64_t mask = UINT64_C(1) << (bit & 63);

        nset += (words[bit / 64] & mask) == 0;
        words[bit / 64] |= mask;
    }
    *out = nset > max_count;
    stoa_free(words);
    return STOA_OK;
}

static enum stoa_status add_bytes(struct stoa_distinct *set, const struct stoa_vector *values,
                                  uint32_t max_count, uint64_t max_nbytes, uint32_t *codes,
                                  bool *complete, struct stoa_error *err)
{
    struct recent recent[1 << RECENT_LOG2] = {0};
    uint32_t hashes[BATCH], left[BATCH];
    const uint32_t before = set->count;
    size_t n = values->nvalues;
    size_t first_part = n >= MANY_NVALUES ? n / FIRST_PART / BATCH * BATCH : SIZE_MAX;
    enum stoa_status st = STOA_OK;

    *complete = false;
    for (size_t begin = 0; begin < n; begin += BATCH) {
        size_t end = n - begin < BATCH ? n : begin + BATCH, nleft;

        if (begin == first_part && set->count - before > begin - begin / 16) {
            bool too_many;

            STOA_TRY(differ_often(values, max_count, &too_many, err));
            if (too_many)
                return STOA_OK;
        }
        STOA_TRY(prepare(set, values, begin, end, err));
        nleft = take_recent(recent, values, begin, end, codes, left);
        for (size_t k = 0; k < nleft; k++) {
            hashes[k] = hash_of(values, left[k], 0);
            __builtin_prefetch(&set->slots[hashes[k] >> (32 - set->log2)]);
        }
        if (set->offsets != NULL)
            fetch_batch(set, hashes, nleft);
        for (size_t k = 0; k < nleft; k++) {
            size_t nbytes;
            const uint8_t *bytes = bytes_of(values, left[k], &nbytes);
            uint64_t *slot = find_slot(set, hashes[k], values, left[k], 0);

            if (*slot == 0) {
                if (set->count >= max_count || set->values.nbytes + nbytes > max_nbytes)
                    return STOA_OK;
                append(set, bytes, nbytes, hashes[k], slot);
            }
            codes[left[k]] = (uint32_t)*slot - 1;
            if (nbytes <= SHORT_NBYTES) {
                uint64_t word = short_word(bytes, nbytes);

                recent[recent_place(word)] =
                    (struct recent){word, (uint32_t)nbytes, (uint32_t)*slot};
            }
        }
    }
    *complete = true;
out:
    return st;
}

static enum stoa_status add_hashed(struct stoa_distinct *set, const struct stoa_vector *values,
                                   uint32_t max_count, uint64_t max_nbytes, uint32_t *codes,
                                   bool *complete, struct stoa_error *err)
{
    switch (set->width) {
    case 1:
        return add(set, values, max_count, max_nbytes, codes, complete, 1, err);
    case 2:
        return add(set, values, max_count, max_nbytes, codes, complete, 2, err);
    case 4:
        return add(set, values, max_count, max_nbytes, codes, complete, 4, err);
    case 8:
        return add(set, values, max_count, max_nbytes, codes, complete, 8, err);
    default:
        return add_bytes(set, values, max_count, max_nbytes, codes, complete, err);
    }
}

/* ---- Numbers of a narrow range. ---- */

struct range {
    uint64_t min; /* the least number, as one of 64 bits that keeps the order */
    size_t count; /* of numbers; 0: too many */
};

/* Number i such that the order of numbers is that of unsigned ones. */
static inline uint64_t ordered(const struct stoa_vector *values, size_t i, unsigned width,
                               uint64_t flip)
{
    return stoa_get(values->values, i, width) ^ flip;
}

/* `width` is a constant in each caller, here and below. Wide ranges mostly show soon. */
static inline struct range find_range(const struct stoa_vector *values, unsigned width)
{
    const uint64_t flip = stoa_phys_flip(values->phys);
    struct range range = {.min = UINT64_MAX};
    uint64_t max = 0;

    for (size_t begin = 0; begin < values->nvalues; begin += BATCH) {
        size_t end = values->nvalues - begin < BATCH ? values->nvalues : begin + BATCH;

        for (size_t i = begin; i < end; i++) {
            uint64_t x = ordered(values, i, width, flip);

            range.min = x < range.min ? x : range.min;
            max = x > max ? x : max;
        }
        if (max - range.min >= NARROW_MAX)
            return range;
    }
    range.count = (size_t)(max - range.min) + 1;
    return range;
}

/* Puts the numbers that differ behind each other; codes[i] says which one number i is. */
static inline size_t number(const struct stoa_vector *values, const struct range *range,
                            uint32_t *table, uint8_t *firsts, uint32_t *codes, unsigned width)
{
    const uint64_t flip = stoa_phys_flip(values->phys);
    uint32_t count = 0;

    for (size_t i = 0; i < values->nvalues; i++) {
        uint32_t *place = &table[ordered(values, i, width, flip) - range->min];

        if (*place == 0) {
            memcpy(firsts + (size_t)count * width, values->values + i * width, width);
            *place = ++count;
        }
        codes[i] = *place - 1;
    }
    return count;
}

static inline enum stoa_status add_narrow(struct stoa_distinct *set,
                                          const struct stoa_vector *values, uint32_t max_count,
                                          uint64_t max_nbytes, uint32_t *codes, bool *complete,
                                          unsigned width, struct stoa_error *err)
{
    const struct range range = find_range(values, width);
    size_t most = range.count < values->nvalues ? range.count : values->nvalues;
    struct stoa_vector differ = *values;
    uint32_t *table = NULL, *of_firsts = NULL;
    uint8_t *firsts = NULL;
    enum stoa_status st;

    if (range.count == 0)
        return add_hashed(set, values, max_count, max_nbytes, codes, complete, err);
    STOA_TRY(stoa_alloc_zeroed(&table, range.count, sizeof(table[0]), err));
    STOA_TRY(stoa_alloc(&firsts, most * width, err));
    differ.nvalues = number(values, &range, table, firsts, codes, width);
    differ.values = firsts;
    STOA_TRY(stoa_alloc(&of_firsts, differ.nvalues * sizeof(of_firsts[0]), err));
    STOA_TRY(add_hashed(set, &differ, max_count, max_nbytes, of_firsts, complete, err));
    for (size_t i = 0; *complete && i < values->nvalues; i++)
        codes[i] = of_firsts[codes[i]];
out:
    stoa_free(table);
    stoa_free(firsts);
    stoa_free(of_firsts);
    return st;
}

enum stoa_status stoa_distinct_add(struct stoa_distinct *set, const struct stoa_vector *values,
                                   uint32_t max_count, uint64_t max_nbytes, uint32_t *codes,
                                   bool *complete, struct stoa_error *err)
{
    const uint32_t most = (1u << (MAX_LOG2 - 1)) - BATCH; /* what MAX_LOG2 has room for */
    const bool are_many = values->nvalues >= NARROW_MIN_NVALUES;

    assert(values->phys == set->phys && values->width == set->width);
    if (max_count > most)
        max_count = most;
    if (set->width == 0 && max_nbytes > INT32_MAX)
        max_nbytes = INT32_MAX;
    switch (are_many && stoa_phys_is_number(set->phys) ? set->width : 0) {
    case 1:
        return add_narrow(set, values, max_count, max_nbytes, codes, complete, 1, err);
    case 2:
        return add_narrow(set, values, max_count, max_nbytes, codes, complete, 2, err);
    case 4:
        return add_narrow(set, values, max_count, max_nbytes, codes, complete, 4, err);
    case 8:
        return add_narrow(set, values, max_count, max_nbytes, codes, complete, 8, err);
    default:
        return add_hashed(set, values, max_count, max_nbytes, codes, complete, err);
    }
}

static inline void find(const struct stoa_distinct *set, const struct stoa_vector *values,
                        uint32_t *codes, unsigned width)
{
    uint32_t hashes[BATCH];
    size_t n = values->nvalues;

    for (size_t begin = 0; begin < n; begin += BATCH) {
        size_t end = n - begin < BATCH ? n : begin + BATCH;

        hash_batch(set, values, begin, end, hashes, width);
        if (width == 0 && set->offsets != NULL)
            fetch_batch(set, hashes, end - begin);
        for (size_t i = begin; i < end; i++) /* 0 - 1: a free slot says UINT32_MAX by itself */
            codes[i] = (uint32_t)*find_slot(set, hashes[i - begin], values, i, width) - 1;
    }
}

void stoa_distinct_find(const struct stoa_distinct *set, const struct stoa_vector *values,
                        uint32_t *codes)
{
    assert(values->phys == set->phys && values->width == set->width);
    switch (set->width) {
    case 1:
        find(set, values, codes, 1);
        break;
    case 2:
        find(set, values, codes, 2);
        break;
    case 4:
        find(set, values, codes, 4);
        break;
    case 8:
        find(set, values, codes, 8);
        break;
    default:
        find(set, values, codes, 0);
        break;
    }
}

/* ---- The order of the values. ---- */

/* The first 8 bytes in which values differ, as a number; equal keys are compared as a whole. */
struct keyed {
    uint64_t key;
    uint32_t code;
};

/* Bytes that all values start with. */
static size_t common_prefix(const struct stoa_vector *values)
{
    size_t prefix, nbytes;
    const uint8_t *first = bytes_of(values, 0, &prefix);

    for (size_t i = 1; i < values->nvalues; i++) {
        const uint8_t *bytes = bytes_of(values, i, &nbytes);
        size_t k = 0;

        while (k < prefix && k < nbytes && bytes[k] == first[k])
            k++;
        prefix = k;
    }
    return prefix;
}

/* Integers of more than one word. */
static bool is_long(enum stoa_phys phys)
{
    return phys == STOA_PHYS_I128 || phys == STOA_PHYS_I256;
}

/* Word k of a number in native byte order, the most significant first. */
static uint64_t word_of(const uint8_t *number, size_t nbytes, size_t k)
{
    return stoa_get(number, STOA_LITTLE_ENDIAN ? nbytes / 8 - 1 - k : k, 8);
}

static uint64_t key_of(const struct stoa_vector *values, size_t i, size_t prefix)
{
    uint8_t head[8] = {0};
    size_t nbytes;
    const uint8_t *bytes;

    if (stoa_phys_is_number(values->phys))
        return stoa_get(values->values, i, values->width) ^ stoa_phys_flip(values->phys);
    bytes = bytes_of(values, i, &nbytes);
    if (is_long(values->phys)) /* the word that has the sign */
        return word_of(bytes, nbytes, 0) ^ UINT64_C(1) << 63;
    if (nbytes > prefix)
        memcpy(head, bytes + prefix, nbytes - prefix < 8 ? nbytes - prefix : 8);
    return stoa_load64_be(head);
}

/* Whether value a comes before value b, whose keys are equal. */
static bool is_less(const struct stoa_vector *values, uint32_t a, uint32_t b)
{
    size_t a_nbytes, b_nbytes;
    const uint8_t *a_bytes = bytes_of(values, a, &a_nbytes);
    const uint8_t *b_bytes = bytes_of(values, b, &b_nbytes);
    size_t nbytes = a_nbytes < b_nbytes ? a_nbytes : b_nbytes;
    int order;

    for (size_t k = 1; is_long(values->phys) && k < a_nbytes / 8; k++) {
        uint64_t a_word = word_of(a_bytes, a_nbytes, k), b_word = word_of(b_bytes, b_nbytes, k);

        if (a_word != b_word)
            return a_word < b_word;
    }
    order = nbytes > 0 ? memcmp(a_bytes, b_bytes, nbytes) : 0;
    return order < 0 || (order == 0 && a_nbytes < b_nbytes);
}

/* Sorts by key, a byte at a time from the lowest; bytes that are all equal cost one look. */
static struct keyed *sort_by_key(struct keyed *items, struct keyed *other, size_t n)
{
    for (unsigned shift = 0; shift < 64; shift += 8) {
        size_t starts[257] = {0};
        struct keyed *sorted = other;

        for (size_t i = 0; i < n; i++)
            starts[(items[i].key >> shift & 0xff) + 1]++;
        if (starts[(items[0].key >> shift & 0xff) + 1] == n)
            continue;
        for (unsigned k = 0; k < 256; k++)
            starts[k + 1] += starts[k];
        for (size_t i = 0; i < n; i++)
            sorted[starts[items[i].key >> shift & 0xff]++] = items[i];
        other = items;
        items = sorted;
    }
    return items;
}

/* Merge sort of values with equal keys, from the bottom up. */
static void sort_equal_keys(const struct stoa_vector *values, struct keyed *items,
                            struct keyed *other, size_t n)
{
    for (size_t run = 1; run < n; run *= 2) {
        for (size_t begin = 0; begin < n; begin += 2 * run) {
            size_t a = begin, a_end = begin + run < n ? begin + run : n;
            size_t b = a_end, b_end = a_end + run < n ? a_end + run : n;

            for (size_t k = begin; k < b_end; k++) {
                bool take_b =
                    a == a_end || (b < b_end && is_less(values, items[b].code, items[a].code));

                other[k] = take_b ? items[b++] : items[a++];
            }
        }
        memcpy(items, other, n * sizeof(*items));
    }
}

enum stoa_status stoa_distinct_order(const struct stoa_distinct *set, uint32_t *order,
                                     struct stoa_error *err)
{
    struct stoa_vector values = stoa_distinct_values(set);
    size_t n = set->count, prefix = 0;
    struct keyed *memory = NULL, *items, *other;
    enum stoa_status st = STOA_OK;

    if (n == 0)
        return STOA_OK;
    STOA_TRY(stoa_alloc_zeroed(&memory, 2 * n, sizeof(*memory), err));
    if (values.phys == STOA_PHYS_BYTES || values.phys == STOA_PHYS_FIXED)
        prefix = common_prefix(&values);
    for (size_t i = 0; i < n; i++)
        memory[i] = (struct keyed){key_of(&values, i, prefix), (uint32_t)i};
    items = sort_by_key(memory, memory + n, n);
    other = items == memory ? memory + n : memory;
    for (size_t begin = 0, end; begin < n && !stoa_phys_is_number(values.phys); begin = end) {
        end = begin + 1;
        while (end < n && items[end].key == items[begin].key)
            end++;
        sort_equal_keys(&values, items + begin, other, end - begin);
    }
    for (size_t i = 0; i < n; i++)
        order[i] = items[i].code;
out:
    stoa_free(memory);
    return st;
}
