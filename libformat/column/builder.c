/*
 * Growing the buffers of a builder, and handing them over.
 *
 * Each buffer has STOA_ARRAY_SLACK bytes behind its capacity. Behind the last value the bitmap of
 * nulls holds ones (appending a value leaves it alone) and the values of a bool array zeros
 * (appending `false` does nothing); finishing puts zeros behind both.
 */
#include "column/builder.h"

#include "base/alloc.h"
#include "base/error.h"
#include "column/array.h"

enum { FIRST_NVALUES = 64, FIRST_NBYTES = 1024 };

enum stoa_status stoa_builder_init(struct stoa_builder *builder, const struct stoa_type *type,
                                   size_t nvalues_hint, struct stoa_error *err)
{
    struct stoa_builder empty = {
        .layout = stoa_type_info(type->id)->layout,
        .width = stoa_type_width(type),
    };
    enum stoa_status st;

    assert(empty.layout <= STOA_LAYOUT_BYTES);
    st = stoa_builder_grow(&empty, nvalues_hint, 0, err);
    if (st == STOA_OK)
        *builder = empty;
    else
        stoa_builder_reset(&empty);
    return st;
}

void stoa_builder_reset(struct stoa_builder *builder)
{
    stoa_array_reset(&builder->array);
    *builder = (struct stoa_builder){0};
}

/* `count` elements of `size` bytes and the slack. */
static enum stoa_status resize(void *buffer, size_t count, size_t size, struct stoa_error *err)
{
    size_t nbytes;

    if (!stoa_mul_size(count, size, &nbytes) || nbytes > SIZE_MAX - STOA_ARRAY_SLACK)
        return stoa_fail_nomem(err, SIZE_MAX);
    return stoa_realloc(buffer, nbytes + STOA_ARRAY_SLACK, 1, err);
}

/* At least `need`, at least doubled, at most `most`, which `need` does not pass. */
static size_t grown(size_t capacity, size_t need, size_t first, size_t most)
{
    size_t room = capacity > most / 2 ? most : 2 * capacity;

    if (room < first)
        room = first < most ? first : most;
    return room > need ? room : need;
}

static enum stoa_status grow_bitmap(uint8_t **bitmap, size_t before, size_t after, int fill,
                                    struct stoa_error *err)
{
    enum stoa_status st = resize(bitmap, after, 1, err);

    if (st == STOA_OK)
        memset(*bitmap + before, fill, after - before);
    return st;
}

static enum stoa_status grow_values(struct stoa_builder *builder, size_t nvalues,
                                    struct stoa_error *err)
{
    struct stoa_array *array = &builder->array;
    bool is_new = builder->nvalues_capacity == 0;
    size_t before, after, capacity;
    enum stoa_status st;

    if (nvalues > SIZE_MAX / 32 - array->nvalues) /* then no sum below overflows */
        return stoa_fail_nomem(err, SIZE_MAX);
    capacity =
        grown(builder->nvalues_capacity, array->nvalues + nvalues, FIRST_NVALUES, SIZE_MAX / 32);
    /* Whole bytes, so that a bitmap grows by bytes. */
    capacity = (size_t)stoa_round_up(capacity, 8);
    before = builder->nvalues_capacity / 8;
    after = capacity / 8;
    STOA_TRY(grow_bitmap(&array->validity, before, after, 0xff, err));
    if (builder->layout == STOA_LAYOUT_BITS)
        STOA_TRY(grow_bitmap(&array->values, before, after, 0, err));
    if (builder->layout == STOA_LAYOUT_FIXED)
        STOA_TRY(resize(&array->values, capacity, builder->width, err));
    if (builder->layout == STOA_LAYOUT_BYTES) {
        STOA_TRY(resize(&array->offsets, capacity + 1, sizeof(array->offsets[0]), err));
        if (is_new)
            array->offsets[0] = 0;
    }
    builder->nvalues_capacity = capacity;
out:
    return st;
}

static enum stoa_status grow_bytes(struct stoa_builder *builder, size_t nbytes,
                                   struct stoa_error *err)
{
    size_t capacity;
    enum stoa_status st;

    if (nbytes > STOA_ARRAY_MAX_OFFSET - builder->nbytes)
        return stoa_array_fail_limit((uint64_t)builder->nbytes + nbytes, err);
    capacity = grown(builder->nbytes_capacity, builder->nbytes + nbytes, FIRST_NBYTES,
                     STOA_ARRAY_MAX_OFFSET);
    st = resize(&builder->array.values, capacity, 1, err);
    if (st == STOA_OK)
        builder->nbytes_capacity = capacity;
    return st;
}

enum stoa_status stoa_builder_grow(struct stoa_builder *builder, size_t nvalues, size_t nbytes,
                                   struct stoa_error *err)
{
    bool has_bytes = builder->layout == STOA_LAYOUT_BYTES;
    enum stoa_status st = STOA_OK;

    if (builder->nvalues_capacity == 0 ||
        nvalues > builder->nvalues_capacity - builder->array.nvalues)
        STOA_TRY(grow_values(builder, nvalues, err));
    if (has_bytes &&
        (builder->nbytes_capacity == 0 || nbytes > builder->nbytes_capacity - builder->nbytes))
        STOA_TRY(grow_bytes(builder, nbytes, err));
out:
    return st;
}

static void clear_behind_bits(uint8_t *bitmap, size_t nvalues)
{
    size_t nbytes = stoa_bitmap_nbytes(nvalues);

    if (nvalues % 8 != 0)
        bitmap[nbytes - 1] = (uint8_t)(bitmap[nbytes - 1] & ((1u << (nvalues % 8)) - 1));
    memset(bitmap + nbytes, 0, STOA_ARRAY_SLACK);
}

void stoa_builder_finish(struct stoa_builder *builder, struct stoa_array *out)
{
    struct stoa_array *array = &builder->array;
    size_t used = array->nvalues * builder->width;

    if (array->validity != NULL)
        clear_behind_bits(array->validity, array->nvalues);
    stoa_array_drop_validity(array);
    if (array->values != NULL && builder->layout == STOA_LAYOUT_BITS)
        clear_behind_bits(array->values, array->nvalues);
    else if (array->values != NULL)
        memset(array->values + (builder->layout == STOA_LAYOUT_BYTES ? builder->nbytes : used), 0,
               STOA_ARRAY_SLACK);
    if (array->offsets != NULL)
        memset(array->offsets + array->nvalues + 1, 0, STOA_ARRAY_SLACK);
    *out = *array;
    *builder = (struct stoa_builder){.layout = builder->layout, .width = builder->width};
}
