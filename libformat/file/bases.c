/*
 * Arrays as words and keys (bases.h).
 *
 *     texts     JFK LGA JFK      codes 0 1 0 of 2     keys 0 4 1: code * 3 + code
 *     numbers   700 701 701      codes 0 1 1 of 3          (two of six are not there)
 *
 * A key is any number that equal values share, so numbers need no look-up where the range of them
 * is small, nor do pairs.
 */
#include "file/bases.h"

#include <string.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/bytes.h"
#include "base/error.h"
#include "codec/distinct.h"
#include "column/array.h"
#include "file/phys.h"

enum stoa_base_kind stoa_base_kind(const struct stoa_type *type)
{
    enum stoa_phys phys = stoa_type_memory_phys(type);

    if (type->id == STOA_UTF8 || type->id == STOA_BINARY)
        return STOA_BASE_TEXT;
    if (type->id == STOA_LIST || type->id == STOA_MAP)
        return STOA_BASE_UNFIT;
    return (phys >= STOA_PHYS_I8 && phys <= STOA_PHYS_U64) || type->id == STOA_DECIMAL
               ? STOA_BASE_WORDS
               : STOA_BASE_UNFIT;
}

/* ---- Words ---- */

#define EXTEND(name, type, word)                                                                   \
    static void name(const uint8_t *values, size_t n, uint64_t *out)                               \
    {                                                                                              \
        for (size_t i = 0; i < n; i++) {                                                           \
            type value;                                                                            \
                                                                                                   \
            memcpy(&value, values + i * sizeof(value), sizeof(value));                             \
            out[i] = (uint64_t)(word)value;                                                        \
        }                                                                                          \
    }
EXTEND(extend_i8, int8_t, int64_t)
EXTEND(extend_i16, int16_t, int64_t)
EXTEND(extend_i32, int32_t, int64_t)
EXTEND(extend_u8, uint8_t, uint64_t)
EXTEND(extend_u16, uint16_t, uint64_t)
EXTEND(extend_u32, uint32_t, uint64_t)
EXTEND(extend_64, uint64_t, uint64_t)

static void (*const extensions[])(const uint8_t *values, size_t n, uint64_t *out) = {
    [STOA_PHYS_I8] = extend_i8,   [STOA_PHYS_I16] = extend_i16, [STOA_PHYS_I32] = extend_i32,
    [STOA_PHYS_I64] = extend_64,  [STOA_PHYS_U8] = extend_u8,   [STOA_PHYS_U16] = extend_u16,
    [STOA_PHYS_U32] = extend_u32, [STOA_PHYS_U64] = extend_64,
};

static void lowest_words(const uint8_t *values, size_t n, size_t width, uint64_t *out)
{
    size_t at = STOA_LITTLE_ENDIAN ? 0 : width - sizeof(*out);

    for (size_t i = 0; i < n; i++)
        memcpy(&out[i], values + i * width + at, sizeof(*out));
}

void stoa_base_words(const struct stoa_type *type, const struct stoa_array *array, size_t begin,
                     size_t end, uint64_t *out)
{
    size_t width = stoa_type_width(type), n = end - begin;

    if (array->nnulls == array->nvalues) { /* there may be no values at all */
        memset(out, 0, n * sizeof(*out));
        return;
    }
    if (type->id == STOA_BOOL)
        for (size_t i = 0; i < n; i++)
            out[i] = stoa_bitmap_get(array->values, begin + i);
    else if (type->id == STOA_DECIMAL)
        lowest_words(array->values + begin * width, n, width, out);
    else
        extensions[stoa_type_memory_phys(type)](array->values + begin * width, n, out);
    for (size_t i = 0; array->validity != NULL && i < n; i++)
        out[i] &= -(uint64_t)stoa_bitmap_get(array->validity, begin + i);
}

/* ---- Keys ---- */

struct codes {
    uint32_t *codes;
    uint32_t count; /* they are less */
};

static uint64_t max_nkeys(size_t nvalues)
{
    return nvalues > STOA_LEAST_MAX_NKEYS ? nvalues : STOA_LEAST_MAX_NKEYS;
}

/* Codes of values by looking each of them up. */
static enum stoa_status look_up(const struct stoa_vector *values, struct codes *out,
                                struct stoa_error *err)
{
    struct stoa_distinct *set = NULL;
    bool complete;
    enum stoa_status st;

    STOA_TRY(stoa_distinct_new(&set, values->phys, values->width, err));
    STOA_TRY(stoa_distinct_add(set, values, UINT32_MAX, UINT64_MAX, out->codes, &complete, err));
    out->count = stoa_distinct_count(set);
out:
    stoa_distinct_free(set);
    return st;
}

static struct stoa_vector words_vector(const uint64_t *words, size_t n)
{
    return (struct stoa_vector){STOA_PHYS_U64, sizeof(*words), n, (const uint8_t *)words, NULL};
}

static enum stoa_status code_words(const struct stoa_type *type, const struct stoa_array *array,
                                   struct codes *out, struct stoa_error *err)
{
    size_t n = array->nvalues;
    uint64_t *words = NULL, min = UINT64_MAX, max = 0;
    const uint64_t flip = UINT64_C(1) << 63; /* so that -1 and 0 are neighbours */
    struct stoa_vector vector;
    enum stoa_status st;

    STOA_TRY(stoa_array_alloc_buffer(&words, n * sizeof(*words), err));
    stoa_base_words(type, array, 0, n, words);
    for (size_t i = 0; i < n; i++) {
        uint64_t word = words[i] ^ flip;

        min = word < min ? word : min;
        max = word > max ? word : max;
    }
    if (max - min >= max_nkeys(n)) {
        vector = words_vector(words, n);
        st = look_up(&vector, out, err);
        goto out;
    }
    for (size_t i = 0; i < n; i++)
        out->codes[i] = (uint32_t)((words[i] ^ flip) - min);
    out->count = (uint32_t)(max - min) + 1;
out:
    stoa_free(words);
    return st;
}

static enum stoa_status code_texts(const struct stoa_array *array, struct codes *out,
                                   struct stoa_error *err)
{
    const struct stoa_vector texts = {STOA_PHYS_BYTES, 0, array->nvalues, array->values,
                                      array->offsets};

    if (array->nnulls < array->nvalues)
        return look_up(&texts, out, err);
    memset(out->codes, 0, array->nvalues * sizeof(out->codes[0]));
    out->count = 1;
    return STOA_OK;
}

static enum stoa_status code(const struct stoa_base_arrays *bases, unsigned k, struct codes *out,
                             struct stoa_error *err)
{
    const struct stoa_type *type = bases->types[k];
    const struct stoa_array *array = bases->arrays[k];
    size_t nbytes = bases->nvalues * sizeof(out->codes[0]);
    enum stoa_status st = stoa_array_alloc_buffer(&out->codes, nbytes, err);

    if (st != STOA_OK)
        return st;
    if (bases->codes[k] != NULL) {
        memcpy(out->codes, bases->codes[k], nbytes);
        out->count = bases->counts[k];
        return STOA_OK;
    }
    return stoa_base_kind(type) == STOA_BASE_TEXT ? code_texts(array, out, err)
                                                  : code_words(type, array, out, err);
}

/* Pairs of codes become codes, in `a`. */
static enum stoa_status pair(struct codes *a, const struct codes *b, size_t n,
                             struct stoa_error *err)
{
    uint64_t *pairs = NULL;
    struct stoa_vector vector;
    enum stoa_status st = STOA_OK;

    if ((uint64_t)a->count * b->count <= max_nkeys(n)) {
        for (size_t i = 0; i < n; i++)
            a->codes[i] = a->codes[i] * b->count + b->codes[i];
        a->count *= b->count;
        return STOA_OK;
    }
    STOA_TRY(stoa_array_alloc_buffer(&pairs, n * sizeof(*pairs), err));
    for (size_t i = 0; i < n; i++)
        pairs[i] = (uint64_t)a->codes[i] << 32 | b->codes[i];
    vector = words_vector(pairs, n);
    st = look_up(&vector, a, err);
out:
    stoa_free(pairs);
    return st;
}

enum stoa_status stoa_base_keys(const struct stoa_base_arrays *bases, uint32_t **keys,
                                uint32_t *nkeys, struct stoa_error *err)
{
    struct codes first = {0}, second = {0};
    enum stoa_status st;

    STOA_TRY(code(bases, 0, &first, err));
    if (bases->types[1] != NULL) {
        STOA_TRY(code(bases, 1, &second, err));
        STOA_TRY(pair(&first, &second, bases->nvalues, err));
    }
    *keys = first.codes;
    *nkeys = first.count;
    first.codes = NULL;
out:
    stoa_free(first.codes);
    stoa_free(second.codes);
    return st;
}
