/*
 * Arrow arrays to physical values (spec/format.md, sections 7 and 12).
 *
 *     bool      bits             ->  a byte each
 *     decimal   16 or 32 bytes   ->  8 or 16 bytes each, when all fit
 *     list      offsets          ->  the length of each
 *     nulls     7 0 0 9 0        ->  7 7 7 9 9      (_ _ 4: the first ones take what follows)
 *     all else  as it is, lent
 *
 * Texts are not filled: an empty one is the cheapest. Their distinct values are collected from the
 * texts that are not null, whose offsets are those of the array without the repeated ones.
 */
#include "file/chunk_values.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/bytes.h"
#include "base/error.h"
#include "column/array.h"
#include "file/layout.h"
#include "file/phys.h"
#include "file/widen.h"

void stoa_values_reset(struct stoa_values *values)
{
    stoa_free(values->values);
    stoa_free(values->offsets);
    *values = (struct stoa_values){0};
}

uint64_t stoa_vector_nbytes(const struct stoa_vector *vector)
{
    if (vector->phys != STOA_PHYS_BYTES)
        return (uint64_t)vector->nvalues * vector->width;
    return (uint64_t)(vector->offsets[vector->nvalues] - vector->offsets[0]);
}

static enum stoa_status take_bytes(struct stoa_values *out, const struct stoa_vector *from,
                                   const uint32_t *indices, uint32_t count, struct stoa_error *err)
{
    size_t nbytes = 0;
    enum stoa_status st;

    STOA_TRY(stoa_alloc(&out->offsets, ((size_t)count + 1) * sizeof(int32_t), err));
    for (uint32_t i = 0; i < count; i++) {
        out->offsets[i] = (int32_t)nbytes;
        nbytes += (size_t)(from->offsets[indices[i] + 1] - from->offsets[indices[i]]);
    }
    assert(nbytes <= INT32_MAX); /* distinct values of one array, or of a chain below its cap */
    out->offsets[count] = (int32_t)nbytes;
    STOA_TRY(stoa_array_alloc_buffer(&out->values, nbytes, err));
    for (uint32_t i = 0; i < count; i++)
        memcpy(out->values + out->offsets[i], from->values + from->offsets[indices[i]],
               (size_t)(out->offsets[i + 1] - out->offsets[i]));
out:
    return st;
}

static enum stoa_status take_fixed(struct stoa_values *out, const struct stoa_vector *from,
                                   const uint32_t *indices, uint32_t count, struct stoa_error *err)
{
    size_t width = from->width;
    enum stoa_status st = stoa_array_alloc_buffer(&out->values, count * width, err);

    for (uint32_t i = 0; st == STOA_OK && i < count; i++)
        memcpy(out->values + i * width, from->values + indices[i] * width, width);
    return st;
}

enum stoa_status stoa_values_take(struct stoa_values *out, const struct stoa_vector *from,
                                  const uint32_t *indices, uint32_t count, struct stoa_error *err)
{
    struct stoa_values taken = {0};
    enum stoa_status st;

    if (from->phys == STOA_PHYS_BYTES)
        STOA_TRY(take_bytes(&taken, from, indices, count, err));
    else
        STOA_TRY(take_fixed(&taken, from, indices, count, err));
    taken.vector =
        (struct stoa_vector){from->phys, from->width, count, taken.values, taken.offsets};
    *out = taken;
    taken = (struct stoa_values){0};
out:
    stoa_values_reset(&taken);
    return st;
}

/* ---- Physical form ---- */

/* The first value that is not null; there is one. */
static size_t first_valid(const uint8_t *validity)
{
    size_t i = 0;

    while (!stoa_bitmap_get(validity, i))
        i++;
    return i;
}

/* Inlined with a constant width, so that a value is one move; nulls may come like coin tosses. */
static inline void fill_width(uint8_t *values, size_t nvalues, size_t width,
                              const uint8_t *validity)
{
    size_t from = first_valid(validity);

    for (size_t i = 0; i < nvalues; i++) {
        uint8_t value[32];

        if (i % 8 == 0 && validity[i / 8] == 0xff && nvalues - i >= 8) {
            from = i + 7;
            i += 7; /* the loop adds the last one */
            continue;
        }
        from = stoa_bitmap_get(validity, i) ? i : from;
        memcpy(value, values + from * width, width);
        memcpy(values + i * width, value, width);
    }
}

/* The same for widths of any size. */
static void fill_wide(uint8_t *values, size_t nvalues, size_t width, const uint8_t *validity)
{
    size_t from = first_valid(validity);

    for (size_t i = 0; i < nvalues; i++) {
        if (stoa_bitmap_get(validity, i))
            from = i;
        else
            memcpy(values + i * width, values + from * width, width);
    }
}

static void fill_nulls(uint8_t *values, size_t nvalues, size_t width, const uint8_t *validity)
{
    switch (width) {
    case 1:
        fill_width(values, nvalues, 1, validity);
        break;
    case 2:
        fill_width(values, nvalues, 2, validity);
        break;
    case 4:
        fill_width(values, nvalues, 4, validity);
        break;
    case 8:
        fill_width(values, nvalues, 8, validity);
        break;
    case 16:
        fill_width(values, nvalues, 16, validity);
        break;
    case 32:
        fill_width(values, nvalues, 32, validity);
        break;
    default:
        fill_wide(values, nvalues, width, validity);
        break;
    }
}

static void expand_bits(uint8_t *out, const uint8_t *bits, size_t nvalues)
{
    for (size_t i = 0; i < nvalues; i++)
        out[i] = (bits[i / 8] >> (i % 8)) & 1;
}

/* Word k, the least significant first, of a number of `width` bytes in native order. */
static inline uint64_t word_of(const uint8_t *number, size_t width, size_t k)
{
    uint64_t word;

    memcpy(&word, number + 8 * (STOA_LITTLE_ENDIAN ? k : width / 8 - 1 - k), sizeof(word));
    return word;
}

/* Whether every number, null slots (zeros) among them, is one of `nwords` words. */
static inline bool numbers_fit(const struct stoa_array *array, size_t width, size_t nwords)
{
    uint64_t differs = 0;

    for (size_t i = 0; i < array->nvalues; i++) {
        const uint8_t *number = array->values + i * width;
        uint64_t sign = word_of(number, width, nwords - 1) >> 63 ? UINT64_MAX : 0;

        for (size_t k = nwords; k < width / 8; k++)
            differs |= word_of(number, width, k) ^ sign;
    }
    return differs == 0;
}

static inline void shorten(uint8_t *out, const struct stoa_array *array, size_t from, size_t to)
{
    for (size_t i = 0; i < array->nvalues; i++)
        memcpy(out + i * to, array->values + i * from + (STOA_LITTLE_ENDIAN ? 0 : from - to), to);
}

static void shorten_decimals(uint8_t *out, const struct stoa_array *array, size_t from, size_t to)
{
    if (from == 16)
        shorten(out, array, 16, 8);
    else if (to == 8)
        shorten(out, array, 32, 8);
    else
        shorten(out, array, 32, 16);
}

/* The narrowest physical type that has room for all decimals. */
static enum stoa_status narrow_decimal(struct stoa_chunk_values *values,
                                       const struct stoa_type *type, struct stoa_error *err)
{
    bool is_wide = stoa_type_memory_phys(type) == STOA_PHYS_I256;
    const struct stoa_array *array = values->array;
    enum stoa_phys phys = stoa_type_memory_phys(type);

    if (is_wide ? numbers_fit(array, 32, 1) : numbers_fit(array, 16, 1))
        phys = STOA_PHYS_I64;
    else if (is_wide && numbers_fit(array, 32, 2))
        phys = STOA_PHYS_I128;
    if (!stoa_phys_widens(phys, values->phys))
        return stoa_fail(err, STOA_ERR_DATA, "a decimal has more digits than its type");
    values->phys = phys;
    values->width = stoa_phys_width(phys);
    return STOA_OK;
}

/* Whether the values of an array are not stored as they lie there. */
static bool changes_form(const struct stoa_chunk_values *values, const struct stoa_type *type)
{
    return type->id == STOA_BOOL || (type->id == STOA_INTERVAL && !STOA_LITTLE_ENDIAN) ||
           (type->id == STOA_DECIMAL && values->phys != stoa_type_memory_phys(type));
}

/* Copies the values of a fixed width in the form that they are stored in. */
static enum stoa_status copy_fixed(struct stoa_chunk_values *values, const struct stoa_type *type,
                                   struct stoa_error *err)
{
    const struct stoa_array *array = values->array;
    size_t nbytes = array->nvalues * values->width;
    uint8_t *out;
    enum stoa_status st = stoa_array_alloc_buffer(&out, nbytes, err);

    if (st != STOA_OK)
        return st;
    if (type->id == STOA_BOOL)
        expand_bits(out, array->values, array->nvalues);
    else if (type->id == STOA_INTERVAL)
        stoa_interval_le(out, array->values, array->nvalues);
    else if (changes_form(values, type))
        shorten_decimals(out, array, stoa_type_width(type), values->width);
    else
        memcpy(out, array->values, nbytes);
    if (array->nnulls > 0)
        fill_nulls(out, array->nvalues, values->width, array->validity);
    values->physical.values = out;
    values->physical.vector.values = out;
    return STOA_OK;
}

/* The lengths of lists. A null one has none, which readers rely on. */
static enum stoa_status take_lengths(struct stoa_chunk_values *values, struct stoa_error *err)
{
    const struct stoa_array *array = values->array;
    uint32_t *lengths;
    bool empty = true;
    enum stoa_status st = stoa_array_alloc_buffer(&lengths, array->nvalues * sizeof(*lengths), err);

    if (st != STOA_OK)
        return st;
    for (size_t i = 0; i < array->nvalues; i++)
        lengths[i] = (uint32_t)(array->offsets[i + 1] - array->offsets[i]);
    if (array->nnulls > 0) {
        for (size_t i = 0; i < array->nvalues; i++)
            empty &= stoa_bitmap_get(array->validity, i) | (lengths[i] == 0);
        fill_nulls((uint8_t *)lengths, array->nvalues, sizeof(*lengths), array->validity);
    }
    values->physical.values = (uint8_t *)lengths;
    values->physical.vector = (struct stoa_vector){STOA_PHYS_U32, sizeof(*lengths), array->nvalues,
                                                   (const uint8_t *)lengths, NULL};
    if (!empty)
        return stoa_fail(err, STOA_ERR_DATA, "a null list that has values");
    return STOA_OK;
}

enum stoa_status stoa_chunk_values_init(struct stoa_chunk_values *out, const struct stoa_type *type,
                                        const struct stoa_array *array, struct stoa_error *err)
{
    struct stoa_chunk_values values = {.array = array};
    enum stoa_status st = STOA_OK;

    values.phys = stoa_type_phys(type, &values.width);
    values.all_null = type->id == STOA_NULL || array->nnulls == array->nvalues;
    if (values.all_null)
        goto done;
    if (stoa_type_has_lengths(type->id)) {
        STOA_TRY(take_lengths(&values, err));
        goto done;
    }
    if (type->id == STOA_DECIMAL)
        STOA_TRY(narrow_decimal(&values, type, err));
    values.physical.vector = (struct stoa_vector){values.phys, values.width, array->nvalues,
                                                  array->values, array->offsets};
    if (values.phys != STOA_PHYS_BYTES && values.phys != STOA_PHYS_NONE &&
        (array->nnulls > 0 || changes_form(&values, type)))
        STOA_TRY(copy_fixed(&values, type, err));
done:
    *out = values;
    values.physical = (struct stoa_values){0};
out:
    stoa_values_reset(&values.physical);
    return st;
}

void stoa_chunk_values_reset(struct stoa_chunk_values *values)
{
    stoa_values_reset(&values->physical);
    *values = (struct stoa_chunk_values){0};
}

/* ---- Distinct values ---- */

/* The offsets of the texts that are not null: null ones are empty, so the others still join. */
static enum stoa_status offsets_without_nulls(const struct stoa_array *array, int32_t **out,
                                              struct stoa_error *err)
{
    size_t count = 0;
    bool empty = true;
    int32_t *offsets;
    enum stoa_status st =
        stoa_alloc(&offsets, (array->nvalues - array->nnulls + 1) * sizeof(int32_t), err);

    if (st != STOA_OK)
        return st;
    for (size_t i = 0; i < array->nvalues; i++) {
        bool valid = stoa_bitmap_get(array->validity, i);

        empty &= valid | (array->offsets[i] == array->offsets[i + 1]);
        offsets[count] = array->offsets[i];
        count += valid;
    }
    offsets[count] = array->offsets[array->nvalues];
    if (!empty) {
        stoa_free(offsets);
        return stoa_fail(err, STOA_ERR_DATA, "a null that has text");
    }
    *out = offsets;
    return STOA_OK;
}

/*
 * The codes of the slots that are not null, in codes[0..), to their slots. A slot takes the last
 * code of the slots up to it, which is its own or that of the value before; backwards, so that no
 * code is overwritten before it is read.
 */
static void spread_codes(const struct stoa_array *array, uint32_t *codes)
{
    size_t count = array->nvalues - array->nnulls;

    for (size_t i = array->nvalues; i-- > 0;) {
        codes[i] = codes[count > 0 ? count - 1 : 0];
        count -= stoa_bitmap_get(array->validity, i);
    }
}

enum stoa_status stoa_chunk_distinct_init(struct stoa_chunk_distinct *out,
                                          const struct stoa_chunk_values *values,
                                          uint32_t max_count, uint64_t max_nbytes,
                                          struct stoa_error *err)
{
    const struct stoa_array *array = values->array;
    struct stoa_vector vector = values->physical.vector;
    bool without_nulls = vector.phys == STOA_PHYS_BYTES && array->nnulls > 0;
    struct stoa_chunk_distinct distinct = {0};
    int32_t *offsets = NULL;
    bool complete;
    enum stoa_status st;

    if (without_nulls) {
        STOA_TRY(offsets_without_nulls(array, &offsets, err));
        vector.offsets = offsets;
        vector.nvalues = array->nvalues - array->nnulls;
    }
    STOA_TRY(stoa_distinct_new(&distinct.set, vector.phys, vector.width, err));
    STOA_TRY(stoa_array_alloc_buffer(&distinct.codes, array->nvalues * sizeof(uint32_t), err));
    STOA_TRY(stoa_distinct_add(distinct.set, &vector, max_count, max_nbytes, distinct.codes,
                               &complete, err));
    if (!complete)
        stoa_chunk_distinct_reset(&distinct);
    else if (without_nulls)
        spread_codes(array, distinct.codes);
    *out = distinct;
    distinct = (struct stoa_chunk_distinct){0};
out:
    stoa_chunk_distinct_reset(&distinct);
    stoa_free(offsets);
    return st;
}

void stoa_chunk_distinct_reset(struct stoa_chunk_distinct *distinct)
{
    stoa_distinct_free(distinct->set);
    stoa_free(distinct->codes);
    *distinct = (struct stoa_chunk_distinct){0};
}
