/*
 * Rows of fields without parts (spec/avro.md, "Values"), without a look at the end for each value.
 *
 *     lanes    text  int  double  ...       of row 0, then of row 1, ...
 *     bytes    06 61 62 63 | 02 | 8 bytes | ...                     safe ....... end
 *
 * But for their text rows have a most that they take. While one begins that much in front of the
 * end, and no text passes this place, everything can be read without a question. A text is copied
 * by blocks of 16 bytes: there is padding behind the input, and slack behind the column.
 *
 * Values of row i are put at place i of each column, and count only when the row is whole, but for
 * bits, which are put back.
 */
#include "avro/avro_decode_flat.h"

#include "avro/avro_read.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/utf8.h"

enum {
    MIN_NROWS = 8, /* below it binding takes longer than it saves */
    SHORT_TEXT = 32,
    NUMBER_NBYTES = 10,
    MAX_FIXED_NBYTES = 1 << 16,
};

enum kind {
    OTHER,
    STRUCT,
    BOOLEAN,
    INT,
    LONG,
    FLOAT,
    DOUBLE,
    BYTES,
    STRING,
    ENUM,
    FIXED,
    SKIP_BYTES,
};

struct lane {
    uint8_t kind;       /* enum kind */
    bool is_nullable;   /* a branch comes first: */
    uint8_t value_byte; /* of a value, */
    uint8_t null_byte;  /* of null */
    uint32_t n;         /* ENUM: symbols; FIXED, SKIP_BYTES: bytes */
    uint8_t *values;    /* the column's */
    int32_t *offsets;
    uint8_t *validity;
    size_t capacity; /* of text, in bytes */
    size_t nnulls;
    struct stoa_builder *builder;
    const struct stoa_avro_op *op;
};

struct flat {
    struct lane *lanes;
    size_t nlanes;
    size_t row_nbytes; /* the most that a row has, without its texts and what others read */
    const uint8_t *safe;
    stoa_avro_read_other *read_other;
    void *context;
};

/* ---- Binding ---- */

static const struct {
    uint8_t kind;
    uint8_t nbytes; /* the most; of text its length */
} ways[] = {
    [STOA_AVRO_WAY_BOOLEAN] = {BOOLEAN, 1},
    [STOA_AVRO_WAY_INT] = {INT, NUMBER_NBYTES},
    [STOA_AVRO_WAY_LONG] = {LONG, NUMBER_NBYTES},
    [STOA_AVRO_WAY_FLOAT] = {FLOAT, 4},
    [STOA_AVRO_WAY_DOUBLE] = {DOUBLE, 8},
    [STOA_AVRO_WAY_BYTES] = {BYTES, NUMBER_NBYTES},
    [STOA_AVRO_WAY_STRING] = {STRING, NUMBER_NBYTES},
    [STOA_AVRO_WAY_FIXED] = {FIXED, 0},
    [STOA_AVRO_WAY_ENUM] = {ENUM, NUMBER_NBYTES},
};

/* A value of one column, `lane` being what is in front of it. */
static bool bind_value(struct lane *lane, const struct stoa_avro_op *op, size_t *nbytes)
{
    if (op->code != STOA_AVRO_OP_VALUE || op->way >= sizeof(ways) / sizeof(ways[0]))
        return false;
    if (ways[op->way].kind == OTHER)
        return false;
    lane->kind = ways[op->way].kind;
    if (lane->kind == ENUM)
        lane->n = (uint32_t)op->type->symbols.nitems;
    if (lane->kind == FIXED)
        lane->n = op->type->size;
    *nbytes += lane->kind == FIXED ? lane->n : ways[op->way].nbytes;
    return true;
}

/* What becomes of an operation with its body. */
static void bind(struct lane *lane, const struct stoa_avro_program *program,
                 struct stoa_avro_columns *columns, const struct stoa_avro_op *op, size_t *nbytes)
{
    *lane = (struct lane){.kind = OTHER, .op = op};
    if (op->code == STOA_AVRO_OP_SKIP_BYTES) {
        lane->kind = SKIP_BYTES;
        lane->n = op->nbytes;
        *nbytes += op->nbytes;
        return;
    }
    if (op->code == STOA_AVRO_OP_STRUCT) {
        lane->kind = STRUCT;
    } else if (op->code == STOA_AVRO_OP_NULLABLE) {
        /* Only of a value: op + 2 is where its body ends. */
        if (op + 2 != &program->ops[op->next] || !bind_value(lane, op + 1, nbytes))
            return;
        lane->op = op + 1;
        lane->is_nullable = true;
        lane->value_byte = op->null_branch == 0 ? 2 : 0;
        lane->null_byte = lane->value_byte; /* of a union of one branch, which has no null */
        if (op->null_branch != UINT8_MAX)
            lane->null_byte = (uint8_t)(op->null_branch * 2);
        *nbytes += 1;
    } else if (!bind_value(lane, op, nbytes)) {
        return;
    }
    lane->builder = &columns->items[op->column].builder;
}

/* What of a lane moves when its column grows. */
static void point(struct lane *lane)
{
    const struct stoa_builder *builder = lane->builder;

    lane->values = builder->array.values;
    lane->offsets = builder->array.offsets;
    lane->validity = builder->array.validity;
    lane->capacity = builder->nbytes_capacity;
}

static enum stoa_status bind_all(struct flat *flat, const struct stoa_avro_program *program,
                                 struct stoa_avro_columns *columns, struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(stoa_alloc(&flat->lanes, program->nops * sizeof(*flat->lanes), err));
    for (size_t i = 0; i < program->nops; i = program->ops[i].next) {
        struct lane *lane = &flat->lanes[flat->nlanes++];

        bind(lane, program, columns, &program->ops[i], &flat->row_nbytes);
        if (lane->kind == STRING || lane->kind == BYTES) /* a place for the first bytes */
            STOA_TRY(stoa_builder_reserve(lane->builder, 0, 1, err));
        if (lane->builder != NULL)
            point(lane);
    }
out:
    return st;
}

/* ---- Values: each returns what is behind it, NULL for the general way ---- */

/* A number of three bytes and more, of which those up to eight are taken at once. */
static const uint8_t *read_long_number(const uint8_t *at, uint64_t *out)
{
    const uint64_t word = stoa_load64(at);
    const uint64_t ends = ~word & UINT64_C(0x8080808080808080);
    struct stoa_avro_cursor cursor = {.at = at, .end = at + NUMBER_NBYTES};
    uint64_t x;
    int64_t value;

    if (ends == 0) {
        if (!stoa_avro_read_long_slow(&cursor, &value))
            return NULL;
        *out = (uint64_t)value;
        return cursor.at;
    }
    x = word & (ends ^ (ends - 1)) & UINT64_C(0x7f7f7f7f7f7f7f7f);
    x = (x & UINT64_C(0x007f007f007f007f)) | (x & UINT64_C(0x7f007f007f007f00)) >> 1;
    x = (x & UINT64_C(0x00003fff00003fff)) | (x & UINT64_C(0x3fff00003fff0000)) >> 2;
    x = (x & UINT64_C(0x000000000fffffff)) | (x & UINT64_C(0x0fffffff00000000)) >> 4;
    *out = x >> 1 ^ -(x & 1);
    return at + (unsigned)__builtin_ctzll(ends) / 8 + 1;
}

static inline const uint8_t *read_number(const uint8_t *at, uint64_t *out)
{
    const uint32_t first = at[0], second = at[1];
    uint32_t x;

    if (first < 0x80) {
        *out = first >> 1 ^ -(uint64_t)(first & 1);
        return at + 1;
    }
    if (second < 0x80) {
        x = (first & 0x7f) | second << 7;
        *out = x >> 1 ^ -(uint64_t)(x & 1);
        return at + 2;
    }
    return read_long_number(at, out);
}

/* Copies up to 32 bytes, and what is behind them; whether none of them is above 0x7f. */
static inline bool copy_short(uint8_t *out, const uint8_t *text, size_t nbytes)
{
    static const uint64_t masks[8] = {
        UINT64_C(0x8080808080808080),
        UINT64_C(0x8080808080808080),
        UINT64_C(0x8080808080808080),
        UINT64_C(0x8080808080808080),
        0,
        0,
        0,
        0,
    };
    const uint8_t *of_text = (const uint8_t *)masks + SHORT_TEXT - nbytes;
    uint64_t words[4], mask[4];

    memcpy(words, text, SHORT_TEXT);
    memcpy(mask, of_text, SHORT_TEXT);
    memcpy(out, words, SHORT_TEXT);
    return ((words[0] & mask[0]) | (words[1] & mask[1]) | (words[2] & mask[2]) |
            (words[3] & mask[3])) == 0;
}

static const uint8_t *read_others(const struct flat *flat, const struct lane *lane, size_t row,
                                  const uint8_t *at)
{
    at = flat->read_other(flat->context, lane->op, row, at);
    return at != NULL && at <= flat->safe ? at : NULL;
}

/* A text that the column has no room for: whoever reads others makes some. */
static const uint8_t *read_growing(const struct flat *flat, struct lane *lane, size_t row,
                                   const uint8_t *at)
{
    lane->builder->array.nvalues = row;
    lane->builder->nbytes = (size_t)lane->offsets[row];
    at = read_others(flat, lane, row, at);
    point(lane);
    return at;
}

static inline const uint8_t *read_text(const struct flat *flat, struct lane *lane, size_t row,
                                       const uint8_t *at)
{
    const size_t used = (size_t)lane->offsets[row];
    const uint8_t *const begin = at;
    uint64_t nbytes = 0;
    bool is_ascii;

    at = read_number(at, &nbytes);
    /* A negative length is more than any. */
    if (at == NULL || at > flat->safe || nbytes > (uint64_t)(flat->safe - at))
        return NULL;
    if (nbytes > lane->capacity - used)
        return read_growing(flat, lane, row, begin);
    if (nbytes <= SHORT_TEXT) {
        is_ascii = copy_short(lane->values + used, at, (size_t)nbytes);
    } else {
        memcpy(lane->values + used, at, (size_t)nbytes);
        is_ascii = false;
    }
    if (lane->kind == STRING && !is_ascii && stoa_utf8_valid_prefix(at, (size_t)nbytes) != nbytes)
        return NULL;
    lane->offsets[row + 1] = (int32_t)(used + nbytes);
    return at + nbytes;
}

static inline void put32(const struct lane *lane, size_t row, uint32_t bits)
{
    memcpy(lane->values + 4 * row, &bits, 4);
}

static inline void put64(const struct lane *lane, size_t row, uint64_t bits)
{
    memcpy(lane->values + 8 * row, &bits, 8);
}

static void put_null(struct lane *lane, size_t row)
{
    stoa_bitmap_clear(lane->validity, row);
    lane->nnulls++;
    if (lane->builder->layout == STOA_LAYOUT_FIXED)
        memset(lane->values + lane->builder->width * row, 0, lane->builder->width);
    else if (lane->builder->layout == STOA_LAYOUT_BYTES)
        lane->offsets[row + 1] = lane->offsets[row];
}

static inline const uint8_t *read_value(const struct flat *flat, struct lane *lane, size_t row,
                                        const uint8_t *at)
{
    uint64_t number = 0;

    switch (lane->kind) {
    case STRUCT:
        return at;
    case BOOLEAN:
        if (*at > 1)
            return NULL;
        lane->values[row / 8] = (uint8_t)(lane->values[row / 8] | (unsigned)*at << row % 8);
        return at + 1;
    case INT:
        at = read_number(at, &number);
        put32(lane, row, (uint32_t)number);
        return (int64_t)number == (int32_t)number ? at : NULL;
    case LONG:
        at = read_number(at, &number);
        put64(lane, row, number);
        return at;
    case FLOAT:
        put32(lane, row, stoa_load32(at));
        return at + 4;
    case DOUBLE:
        put64(lane, row, stoa_load64(at));
        return at + 8;
    case BYTES:
    case STRING:
        return read_text(flat, lane, row, at);
    case ENUM:
        at = read_number(at, &number);
        put32(lane, row, (uint32_t)number);
        return number < lane->n ? at : NULL;
    case FIXED:
        memcpy(lane->values + (size_t)lane->n * row, at, lane->n);
        return at + lane->n;
    case SKIP_BYTES:
        return at + lane->n;
    default:
        return read_others(flat, lane, row, at);
    }
}

/* A row; NULL leaves what it put of it behind the values so far. */
static inline const uint8_t *read_row(const struct flat *flat, size_t row, const uint8_t *at)
{
    struct lane *const behind = flat->lanes + flat->nlanes;

    for (struct lane *lane = flat->lanes; lane < behind && at != NULL; lane++) {
        if (lane->is_nullable) {
            const uint8_t branch = *at++;

            if (branch != lane->value_byte) {
                if (branch != lane->null_byte)
                    return NULL;
                put_null(lane, row);
                continue;
            }
        }
        at = read_value(flat, lane, row, at);
    }
    return at;
}

/* Puts the bits of a row back that was not whole. */
static void undo_row(const struct flat *flat, size_t row)
{
    for (size_t i = 0; i < flat->nlanes; i++) {
        struct lane *lane = &flat->lanes[i];

        if (lane->is_nullable && !stoa_bitmap_get(lane->validity, row)) {
            stoa_bitmap_set(lane->validity, row);
            lane->nnulls--;
        }
        if (lane->kind == BOOLEAN)
            stoa_bitmap_clear(lane->values, row);
    }
}

/* Tells the columns what they have. */
static void count(const struct flat *flat, size_t nrows)
{
    for (size_t i = 0; i < flat->nlanes; i++) {
        struct stoa_builder *builder = flat->lanes[i].builder;

        if (builder == NULL)
            continue;
        builder->array.nvalues = nrows;
        builder->array.nnulls += flat->lanes[i].nnulls;
        if (builder->layout == STOA_LAYOUT_BYTES)
            builder->nbytes = (size_t)builder->array.offsets[nrows];
    }
}

enum stoa_status stoa_avro_decode_flat(const struct stoa_avro_program *program,
                                       struct stoa_avro_columns *columns, const uint8_t **at,
                                       const uint8_t *end, size_t nrows,
                                       stoa_avro_read_other *read_other, void *context,
                                       size_t *done, struct stoa_error *err)
{
    const size_t before = columns->nitems > 0 ? columns->items[0].builder.array.nvalues : 0;
    struct flat flat = {.read_other = read_other, .context = context};
    const uint8_t *next = *at;
    size_t row = before;
    enum stoa_status st = STOA_OK;

    *done = 0;
    if (nrows < MIN_NROWS)
        return STOA_OK;
    STOA_TRY(bind_all(&flat, program, columns, err));
    if (flat.row_nbytes > MAX_FIXED_NBYTES || flat.row_nbytes >= (size_t)(end - *at))
        goto out;
    flat.safe = end - flat.row_nbytes;
    while (row < before + nrows && *at <= flat.safe) {
        next = read_row(&flat, row, *at);
        if (next == NULL)
            break;
        *at = next;
        row++;
    }
    if (next == NULL)
        undo_row(&flat, row);
    count(&flat, row);
    if (next == NULL)
        stoa_avro_columns_truncate(columns, row);
    *done = row - before;
out:
    stoa_free(flat.lanes);
    return st;
}
