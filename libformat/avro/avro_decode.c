/*
 * Rows into columns: an interpreter of programs (spec/avro.md, "Values").
 *
 *     row 0                         row 1
 *     02 | 04 68 69 | 00 ...        ...
 *     a=1  c="hi"     ...
 *
 * Operations read without asking whether the bytes end: there is padding behind them. Each asks
 * when it is done, and where the end was passed the row is taken off the columns again; it is read
 * anew when more bytes are there. So a block of any size goes through a window.
 *
 * The columns of rows have room before the loop, those of items when a block of items begins; only
 * text asks for room value by value.
 *
 * Of many rows those that avro_decode_flat.c can read are read there first. The operations here are
 * the reference: they read what is left, and say what is wrong.
 */
#include "avro/avro_program.h"

#include <string.h>

#include "avro/avro_decode_flat.h"
#include "avro/avro_read.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/int256.h"
#include "base/utf8.h"

enum {
    /* The most items that room is made for before any of them was seen, and their bytes. */
    MAX_NAHEAD = 4096,
    MAX_AHEAD_NBYTES = 16 << 20,
    ENOUGH_NBYTES = 64 << 20, /* of rows for a call, if there is a list or JSON among them */
};

struct decoder {
    struct stoa_avro_cursor cursor; /* first: where it stands is what loops look at */
    const struct stoa_avro_program *program;
    struct stoa_avro_column *columns;
    const struct stoa_avro_op *op; /* that failed, */
    uint32_t nth;                  /* and of values that it passes over at once which one */
    struct stoa_buffer text;       /* scratch: JSON */
    uint32_t ncolumns;
    uint64_t before_nbytes;  /* in the columns, when it began */
    uint64_t unasked_nbytes; /* that came since the columns were asked, which takes time, about */
    bool any_row;            /* is whole */
    size_t flat_row;         /* of which an operation was run last for avro_decode_flat.c, */
    struct stoa_avro_cursor before_row; /* and where it stood in front of it */
    struct stoa_error *err;
};

/* ---- Values of one column: each appends one, and is false at a fault ---- */

typedef bool read_value(struct decoder *decoder, const struct stoa_avro_op *op,
                        struct stoa_builder *builder);

/* Appends a value of utf8 or binary. */
static inline bool append_bytes(struct decoder *decoder, struct stoa_builder *builder,
                                const void *bytes, size_t nbytes)
{
    if (stoa_builder_reserve(builder, 0, nbytes, decoder->err) != STOA_OK)
        return stoa_avro_fail(&decoder->cursor, STOA_AVRO_BUILDER, 0);
    stoa_builder_append_bytes(builder, bytes, nbytes);
    return true;
}

static bool read_null(struct decoder *decoder, const struct stoa_avro_op *op,
                      struct stoa_builder *builder)
{
    (void)decoder, (void)op;
    stoa_builder_append_null(builder);
    return true;
}

static bool read_boolean(struct decoder *decoder, const struct stoa_avro_op *op,
                         struct stoa_builder *builder)
{
    const uint8_t value = *decoder->cursor.at;

    (void)op;
    if (!stoa_avro_has(&decoder->cursor, 1))
        return false;
    if (value > 1)
        return stoa_avro_fail(&decoder->cursor, STOA_AVRO_NO_BOOLEAN, value);
    decoder->cursor.at++;
    stoa_builder_append_bool(builder, value);
    return true;
}

static inline bool read_int(struct decoder *decoder, const struct stoa_avro_op *op,
                            struct stoa_builder *builder)
{
    int64_t value;

    (void)op;
    if (!stoa_avro_read_long(&decoder->cursor, &value) || !stoa_avro_has(&decoder->cursor, 0))
        return false;
    if (value != (int32_t)value)
        return stoa_avro_fail(&decoder->cursor, STOA_AVRO_NO_INT, value);
    stoa_builder_append_32(builder, (uint32_t)value);
    return true;
}

static inline bool read_long(struct decoder *decoder, const struct stoa_avro_op *op,
                             struct stoa_builder *builder)
{
    int64_t value;

    (void)op;
    if (!stoa_avro_read_long(&decoder->cursor, &value) || !stoa_avro_has(&decoder->cursor, 0))
        return false;
    stoa_builder_append_64(builder, (uint64_t)value);
    return true;
}

static inline bool read_float(struct decoder *decoder, const struct stoa_avro_op *op,
                              struct stoa_builder *builder)
{
    (void)op;
    stoa_builder_append_32(builder, stoa_load32(decoder->cursor.at));
    if (!stoa_avro_has(&decoder->cursor, 4))
        return false;
    decoder->cursor.at += 4;
    return true;
}

static inline bool read_double(struct decoder *decoder, const struct stoa_avro_op *op,
                               struct stoa_builder *builder)
{
    (void)op;
    stoa_builder_append_64(builder, stoa_load64(decoder->cursor.at));
    if (!stoa_avro_has(&decoder->cursor, 8))
        return false;
    decoder->cursor.at += 8;
    return true;
}

static bool read_bytes(struct decoder *decoder, const struct stoa_avro_op *op,
                       struct stoa_builder *builder)
{
    const uint8_t *bytes;
    size_t nbytes = 0;

    (void)op;
    if (!stoa_avro_read_length(&decoder->cursor, &nbytes))
        return false;
    bytes = decoder->cursor.at;
    decoder->cursor.at += nbytes;
    return append_bytes(decoder, builder, bytes, nbytes);
}

/* Whether text has no byte above 0x7f; up to 7 bytes behind it are read, which are masked. */
static inline bool is_ascii(const uint8_t *text, size_t nbytes)
{
    uint64_t any = 0;

    for (; nbytes >= 8; text += 8, nbytes -= 8)
        any |= stoa_load64(text);
    if (nbytes > 0)
        any |= stoa_load64(text) << (64 - 8 * nbytes);
    return (any & UINT64_C(0x8080808080808080)) == 0;
}

static inline bool read_string(struct decoder *decoder, const struct stoa_avro_op *op,
                               struct stoa_builder *builder)
{
    const uint8_t *text;
    size_t nbytes = 0;

    (void)op;
    if (!stoa_avro_read_length(&decoder->cursor, &nbytes))
        return false;
    text = decoder->cursor.at;
    if (!is_ascii(text, nbytes) && stoa_utf8_valid_prefix(text, nbytes) != nbytes)
        return stoa_avro_fail(&decoder->cursor, STOA_AVRO_NO_UTF8, 0);
    decoder->cursor.at += nbytes;
    return append_bytes(decoder, builder, text, nbytes);
}

/* A digit of a uuid; more than 15: it is none. */
static unsigned hex_of(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10u : 16;
}

static bool read_uuid(struct decoder *decoder, const struct stoa_avro_op *op,
                      struct stoa_builder *builder)
{
    static const uint8_t lengths[] = {4, 2, 2, 2, 6}; /* of its groups, in bytes */
    uint8_t *out = stoa_builder_slot(builder);
    const uint8_t *at;
    size_t nbytes = 0;

    (void)op;
    if (!stoa_avro_read_length(&decoder->cursor, &nbytes))
        return false;
    at = decoder->cursor.at;
    if (nbytes != 36)
        return stoa_avro_fail(&decoder->cursor, STOA_AVRO_NO_UUID, 0);
    for (unsigned group = 0; group < 5; group++) {
        if (group > 0 && *at++ != '-')
            return stoa_avro_fail(&decoder->cursor, STOA_AVRO_NO_UUID, 0);
        for (unsigned i = 0; i < lengths[group]; i++, at += 2) {
            const unsigned byte = hex_of(at[0]) << 4 | hex_of(at[1]);

            if (hex_of(at[0]) > 15 || hex_of(at[1]) > 15)
                return stoa_avro_fail(&decoder->cursor, STOA_AVRO_NO_UUID, 0);
            *out++ = (uint8_t)byte;
        }
    }
    decoder->cursor.at = at;
    stoa_builder_append_slot(builder);
    return true;
}

static bool read_fixed(struct decoder *decoder, const struct stoa_avro_op *op,
                       struct stoa_builder *builder)
{
    if (!stoa_avro_has(&decoder->cursor, op->type->size))
        return false;
    stoa_builder_append_fixed(builder, decoder->cursor.at);
    decoder->cursor.at += op->type->size;
    return true;
}

static bool read_fixed_bytes(struct decoder *decoder, const struct stoa_avro_op *op,
                             struct stoa_builder *builder)
{
    const uint8_t *bytes = decoder->cursor.at;

    if (!stoa_avro_has(&decoder->cursor, op->type->size))
        return false;
    decoder->cursor.at += op->type->size;
    return append_bytes(decoder, builder, bytes, op->type->size);
}

static bool read_enum(struct decoder *decoder, const struct stoa_avro_op *op,
                      struct stoa_builder *builder)
{
    uint32_t symbol = 0;

    if (!stoa_avro_read_index(&decoder->cursor, op->type->symbols.nitems, STOA_AVRO_NO_SYMBOL,
                              &symbol))
        return false;
    stoa_builder_append_32(builder, symbol);
    return true;
}

/* By what the reader calls it. */
static bool read_other_enum(struct decoder *decoder, const struct stoa_avro_op *op,
                            struct stoa_builder *builder)
{
    uint32_t symbol = 0;

    if (!stoa_avro_read_index(&decoder->cursor, op->type->symbols.nitems, STOA_AVRO_NO_SYMBOL,
                              &symbol))
        return false;
    if (op->match->targets[symbol] == STOA_AVRO_NO_TARGET)
        return stoa_avro_fail_name(&decoder->cursor, STOA_AVRO_REFUSED_SYMBOL,
                                   op->type->symbols.items[symbol]);
    stoa_builder_append_32(builder, op->match->targets[symbol]);
    return true;
}

/* ---- Promoted numbers ---- */

static void append_float(struct stoa_builder *builder, float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof(bits));
    stoa_builder_append_32(builder, bits);
}

static void append_double(struct stoa_builder *builder, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof(bits));
    stoa_builder_append_64(builder, bits);
}

/* A number of a writer's int, or of its long. */
static bool read_integer(struct decoder *decoder, const struct stoa_avro_op *op, int64_t *out)
{
    if (!stoa_avro_read_long(&decoder->cursor, out) || !stoa_avro_has(&decoder->cursor, 0))
        return false;
    if (op->type->kind == STOA_AVRO_INT && *out != (int32_t)*out)
        return stoa_avro_fail(&decoder->cursor, STOA_AVRO_NO_INT, *out);
    return true;
}

static bool read_as_long(struct decoder *decoder, const struct stoa_avro_op *op,
                         struct stoa_builder *builder)
{
    int64_t value = 0;

    if (!read_integer(decoder, op, &value))
        return false;
    stoa_builder_append_64(builder, (uint64_t)value);
    return true;
}

static bool read_as_float(struct decoder *decoder, const struct stoa_avro_op *op,
                          struct stoa_builder *builder)
{
    int64_t value = 0;

    if (!read_integer(decoder, op, &value))
        return false;
    append_float(builder, (float)value);
    return true;
}

static bool read_as_double(struct decoder *decoder, const struct stoa_avro_op *op,
                           struct stoa_builder *builder)
{
    int64_t value = 0;

    if (!read_integer(decoder, op, &value))
        return false;
    append_double(builder, (double)value);
    return true;
}

static bool read_float_as_double(struct decoder *decoder, const struct stoa_avro_op *op,
                                 struct stoa_builder *builder)
{
    const uint32_t bits = stoa_load32(decoder->cursor.at);
    float value;

    (void)op;
    if (!stoa_avro_has(&decoder->cursor, 4))
        return false;
    decoder->cursor.at += 4;
    memcpy(&value, &bits, sizeof(value));
    append_double(builder, (double)value);
    return true;
}

/* Two's complement, big-endian, of any length, as a decimal of 128 or 256 bits. */
static bool append_decimal(struct decoder *decoder, const struct stoa_avro_op *op,
                           struct stoa_builder *builder, const uint8_t *bytes, size_t nbytes)
{
    const uint8_t sign = nbytes > 0 && bytes[0] >= 0x80 ? 0xff : 0;
    struct stoa_int256 value;
    struct stoa_int128 low;
    uint8_t whole[32];

    for (; nbytes > 32; bytes++, nbytes--) /* more of the sign than is needed */
        if (*bytes != sign)
            return stoa_avro_fail(&decoder->cursor, STOA_AVRO_NO_DECIMAL, 0);
    if (nbytes == 32 && (bytes[0] ^ sign) >= 0x80)
        return stoa_avro_fail(&decoder->cursor, STOA_AVRO_NO_DECIMAL, 0);
    memset(whole, sign, sizeof(whole));
    if (nbytes > 0)
        memcpy(whole + 32 - nbytes, bytes, nbytes);
    for (unsigned i = 0; i < 4; i++)
        value.words[STOA_INT256_WORD(i)] = stoa_load64_be(whole + 24 - 8 * i);
    if (!stoa_int256_fits_digits(value, op->match->reader->precision))
        return stoa_avro_fail(&decoder->cursor, STOA_AVRO_NO_DECIMAL, 0);
    low = stoa_int256_low(value);
    stoa_builder_append_fixed(builder, builder->width == 16 ? (void *)&low : (void *)&value);
    return true;
}

static bool read_decimal(struct decoder *decoder, const struct stoa_avro_op *op,
                         struct stoa_builder *builder)
{
    const uint8_t *bytes;
    size_t nbytes = 0;

    if (!stoa_avro_read_length(&decoder->cursor, &nbytes))
        return false;
    bytes = decoder->cursor.at;
    decoder->cursor.at += nbytes;
    return append_decimal(decoder, op, builder, bytes, nbytes);
}

static bool read_fixed_decimal(struct decoder *decoder, const struct stoa_avro_op *op,
                               struct stoa_builder *builder)
{
    const uint8_t *bytes = decoder->cursor.at;

    if (!stoa_avro_has(&decoder->cursor, op->type->size))
        return false;
    decoder->cursor.at += op->type->size;
    return append_decimal(decoder, op, builder, bytes, op->type->size);
}

/* Months, days and milliseconds, 32 bits each without a sign. */
static bool read_duration(struct decoder *decoder, const struct stoa_avro_op *op,
                          struct stoa_builder *builder)
{
    const uint8_t *at = decoder->cursor.at;
    const uint32_t months = stoa_load32(at), days = stoa_load32(at + 4), ms = stoa_load32(at + 8);
    const struct stoa_interval interval = {
        .months = (int32_t)months, .days = (int32_t)days, .nanos = (int64_t)ms * 1000000};

    (void)op;
    if (!stoa_avro_has(&decoder->cursor, 12))
        return false;
    if (months > INT32_MAX || days > INT32_MAX)
        return stoa_avro_fail(&decoder->cursor, STOA_AVRO_NO_DURATION,
                              months > INT32_MAX ? months : days);
    decoder->cursor.at += 12;
    stoa_builder_append_fixed(builder, &interval);
    return true;
}

/*
 * Counts what grows without bytes that are read: items, JSON text. false when a row has too much,
 * or when the rows before it are enough for a call.
 */
static bool count_growth(struct decoder *decoder, uint64_t nbytes)
{
    const struct stoa_avro_columns columns = {decoder->columns, decoder->ncolumns};
    uint64_t grown;

    decoder->unasked_nbytes += nbytes;
    if (decoder->unasked_nbytes < MAX_AHEAD_NBYTES)
        return true;
    decoder->unasked_nbytes = 0;
    grown = stoa_avro_columns_nbytes(&columns) - decoder->before_nbytes;
    if (grown > ENOUGH_NBYTES && decoder->any_row)
        return stoa_avro_fail(&decoder->cursor, STOA_AVRO_ENOUGH, 0);
    if (grown > STOA_AVRO_MAX_DECODED_NBYTES)
        return stoa_avro_fail(&decoder->cursor, STOA_AVRO_LARGE_ROW, 0);
    return true;
}

static bool read_json(struct decoder *decoder, const struct stoa_avro_op *op,
                      struct stoa_builder *builder)
{
    decoder->text.nbytes = 0;
    return stoa_avro_append_json(&decoder->cursor, op->match, &decoder->text, decoder->err) &&
           append_bytes(decoder, builder, decoder->text.data, decoder->text.nbytes) &&
           count_growth(decoder, decoder->text.nbytes);
}

static read_value *const readers[] = {
    [STOA_AVRO_WAY_NULL] = read_null,
    [STOA_AVRO_WAY_BOOLEAN] = read_boolean,
    [STOA_AVRO_WAY_INT] = read_int,
    [STOA_AVRO_WAY_LONG] = read_long,
    [STOA_AVRO_WAY_FLOAT] = read_float,
    [STOA_AVRO_WAY_DOUBLE] = read_double,
    [STOA_AVRO_WAY_BYTES] = read_bytes,
    [STOA_AVRO_WAY_STRING] = read_string,
    [STOA_AVRO_WAY_UUID] = read_uuid,
    [STOA_AVRO_WAY_FIXED] = read_fixed,
    [STOA_AVRO_WAY_FIXED_BYTES] = read_fixed_bytes,
    [STOA_AVRO_WAY_ENUM] = read_enum,
    [STOA_AVRO_WAY_DECIMAL] = read_decimal,
    [STOA_AVRO_WAY_FIXED_DECIMAL] = read_fixed_decimal,
    [STOA_AVRO_WAY_DURATION] = read_duration,
    [STOA_AVRO_WAY_INT_TO_LONG] = read_as_long,
    [STOA_AVRO_WAY_INT_TO_FLOAT] = read_as_float,
    [STOA_AVRO_WAY_INT_TO_DOUBLE] = read_as_double,
    [STOA_AVRO_WAY_LONG_TO_FLOAT] = read_as_float,
    [STOA_AVRO_WAY_LONG_TO_DOUBLE] = read_as_double,
    [STOA_AVRO_WAY_FLOAT_TO_DOUBLE] = read_float_as_double,
    [STOA_AVRO_WAY_ENUM_TO_ENUM] = read_other_enum,
    [STOA_AVRO_WAY_JSON] = read_json,
};

/* The most frequent ones without a call. */
static inline bool read_column(struct decoder *decoder, const struct stoa_avro_op *op,
                               struct stoa_builder *builder)
{
    switch (op->way) {
    case STOA_AVRO_WAY_INT:
        return read_int(decoder, op, builder);
    case STOA_AVRO_WAY_LONG:
        return read_long(decoder, op, builder);
    case STOA_AVRO_WAY_DOUBLE:
        return read_double(decoder, op, builder);
    case STOA_AVRO_WAY_STRING:
        return read_string(decoder, op, builder);
    default:
        return readers[op->way](decoder, op, builder);
    }
}

/* ---- Operations ---- */

static bool run(struct decoder *decoder, const struct stoa_avro_op *op,
                const struct stoa_avro_op *end);

/* How many of n values of nbytes each to make room for at a time. */
static size_t nahead(uint64_t n, uint64_t nbytes)
{
    const uint64_t most = nbytes < MAX_AHEAD_NBYTES ? MAX_AHEAD_NBYTES / nbytes : 1;

    n = n < most ? n : most;
    return n < MAX_NAHEAD ? (size_t)n : MAX_NAHEAD;
}

/* Blocks of items. The body fills the columns behind that of the list. */
static bool run_list(struct decoder *decoder, const struct stoa_avro_op *op,
                     const struct stoa_avro_op *end)
{
    struct stoa_avro_column *list = &decoder->columns[op->column];
    struct stoa_avro_cursor *cursor = &decoder->cursor;
    const uint64_t item_nbytes = list[1].value_nbytes;
    uint64_t nitems;
    int64_t nbytes;

    for (;;) {
        const uint8_t *begin;
        uint64_t nroom = 0;

        if (!stoa_avro_read_items(cursor, &nitems, &nbytes))
            return false;
        if (nitems == 0)
            break;
        begin = cursor->at;
        for (uint64_t i = 0; i < nitems; i++) {
            const uint8_t *before = cursor->at;

            if (nroom-- == 0) {
                const size_t n = nahead(nitems - i, item_nbytes);

                if (!count_growth(decoder, n * item_nbytes))
                    return false;
                if (stoa_avro_columns_reserve(list + 1, list->nnodes - 1, n, decoder->err) !=
                    STOA_OK)
                    return stoa_avro_fail(cursor, STOA_AVRO_BUILDER, 0);
                nroom = n - 1;
            }
            if (!run(decoder, op + 1, end))
                return false;
            if (!stoa_avro_count_empty(cursor, before))
                return false;
        }
        if (nbytes >= 0 && cursor->at - begin != nbytes)
            return stoa_avro_fail(cursor, STOA_AVRO_NO_COUNT, nbytes);
    }
    if (list[1].builder.array.nvalues > INT32_MAX)
        return stoa_avro_fail(cursor, STOA_AVRO_EMPTY_ITEMS, 0);
    list->builder.nbytes = list[1].builder.array.nvalues;
    list->builder.array.offsets[++list->builder.array.nvalues] = (int32_t)list->builder.nbytes;
    return true;
}

/* The body of the branch that comes. */
static bool run_union(struct decoder *decoder, const struct stoa_avro_op *op)
{
    const struct stoa_avro_op *const ops = decoder->program->ops;
    const struct stoa_avro_op *chosen = op + 1;
    uint32_t branch = 0;

    if (!stoa_avro_read_index(&decoder->cursor, op->nbranches, STOA_AVRO_NO_BRANCH, &branch))
        return false;
    for (uint32_t i = 0; i < branch; i++)
        chosen = &ops[chosen->next];
    return run(decoder, chosen + 1, &ops[chosen->next]);
}

/* One member of the struct has the value, the others null. */
static bool run_member(struct decoder *decoder, const struct stoa_avro_op *op,
                       const struct stoa_avro_op *end)
{
    struct stoa_avro_column *const columns = decoder->columns;
    const uint32_t behind = op->column + columns[op->column].nnodes;

    columns[op->column].builder.array.nvalues++;
    stoa_builder_append_32(&columns[op->column + 1].builder, op->which);
    for (uint32_t node = op->column + 2; node < behind; node += columns[node].nnodes)
        if (node != op->member)
            stoa_avro_columns_append_null(&columns[node]);
    return run(decoder, op + 1, end);
}

/* The body reads a default, as if it stood here. */
static bool run_default(struct decoder *decoder, const struct stoa_avro_op *op,
                        const struct stoa_avro_op *end)
{
    const struct stoa_avro_default *given = &op->match->defaults[op->which];
    struct stoa_avro_cursor *cursor = &decoder->cursor;
    const uint8_t *const at = cursor->at, *const behind = cursor->end;
    bool done;

    cursor->at = given->data;
    cursor->end = given->data + given->nbytes;
    done = count_growth(decoder, given->nbytes) && run(decoder, op + 1, end);
    cursor->at = at;
    cursor->end = behind;
    return done;
}

/* The branch of a nullable value; *is_null is set when there is no body to run. */
static inline bool read_nullable(struct decoder *decoder, const struct stoa_avro_op *op,
                                 bool *is_null)
{
    const uint32_t nbranches = op->null_branch == UINT8_MAX ? 1 : 2;
    uint32_t branch = 0;

    if (!stoa_avro_read_index(&decoder->cursor, nbranches, STOA_AVRO_NO_BRANCH, &branch))
        return false;
    *is_null = branch == op->null_branch;
    if (*is_null)
        stoa_avro_columns_append_null(&decoder->columns[op->column]);
    return true;
}

/* Values of fixed sizes. */
static bool skip_bytes(struct decoder *decoder, const struct stoa_avro_op *op)
{
    struct stoa_avro_cursor *cursor = &decoder->cursor;

    if (stoa_avro_has(cursor, op->nbytes)) {
        cursor->at += op->nbytes;
        return true;
    }
    while (stoa_avro_skip(cursor, op->type->fields[op->which + decoder->nth].type))
        decoder->nth++;
    return false;
}

/* Runs the operations [op, end). */
static bool run(struct decoder *decoder, const struct stoa_avro_op *op,
                const struct stoa_avro_op *end)
{
    const struct stoa_avro_op *const ops = decoder->program->ops;
    bool done = true, is_null = false;

    while (done && op < end) {
        const struct stoa_avro_op *next = &ops[op->next];
        struct stoa_builder *builder = &decoder->columns[op->column].builder;

        decoder->op = op;
        switch (op->code) {
        case STOA_AVRO_OP_VALUE:
            done = read_column(decoder, op, builder);
            break;
        case STOA_AVRO_OP_STRUCT:
            builder->array.nvalues++;
            break;
        case STOA_AVRO_OP_NULLABLE:
            done = read_nullable(decoder, op, &is_null);
            next = is_null ? next : op + 1;
            break;
        case STOA_AVRO_OP_UNION:
            done = run_union(decoder, op);
            break;
        case STOA_AVRO_OP_MEMBER:
            done = run_member(decoder, op, next);
            break;
        case STOA_AVRO_OP_NULL:
            stoa_avro_columns_append_null(&decoder->columns[op->column]);
            break;
        case STOA_AVRO_OP_DEFAULT:
            done = run_default(decoder, op, next);
            break;
        case STOA_AVRO_OP_REFUSE:
            done = stoa_avro_fail_name(&decoder->cursor, STOA_AVRO_REFUSED_BRANCH,
                                       stoa_avro_branch_name(op->type));
            break;
        case STOA_AVRO_OP_LIST:
            done = run_list(decoder, op, next);
            break;
        case STOA_AVRO_OP_SKIP_NUMBERS:
            done = stoa_avro_skip_numbers(&decoder->cursor, op->nfields, &decoder->nth);
            break;
        case STOA_AVRO_OP_SKIP_BYTES:
            done = skip_bytes(decoder, op);
            break;
        default:
            done = stoa_avro_skip(&decoder->cursor, op->type);
        }
        op = next;
    }
    return done;
}

/* One operation among rows that are read without this file. */
static const uint8_t *run_other(void *context, const struct stoa_avro_op *op, size_t row,
                                const uint8_t *at)
{
    struct decoder *decoder = context;

    if (row != decoder->flat_row) {
        decoder->flat_row = row;
        decoder->before_row = decoder->cursor;
    }
    decoder->cursor.at = at;
    return run(decoder, op, &decoder->program->ops[op->next]) ? decoder->cursor.at : NULL;
}

/*
 * Reads rows as far as they are flat, and counts them. The one in front of which it stops is read
 * anew: what was found out about it is forgotten, but for memory that was not there.
 */
static enum stoa_status read_flat(struct decoder *decoder, struct stoa_avro_columns *columns,
                                  size_t before, size_t max_nrows, size_t *nrows,
                                  struct stoa_error *err)
{
    const uint8_t *at = decoder->cursor.at;
    bool no_memory;
    enum stoa_status st;

    decoder->flat_row = SIZE_MAX;
    decoder->any_row = true; /* a row that is large stops it in any case */
    st = stoa_avro_decode_flat(decoder->program, columns, &at, decoder->cursor.end, max_nrows,
                               run_other, decoder, nrows, err);
    no_memory = decoder->cursor.fault == STOA_AVRO_BUILDER;
    if (decoder->flat_row == before + *nrows)
        decoder->cursor = decoder->before_row;
    decoder->cursor.at = at;
    decoder->cursor.fault = no_memory ? STOA_AVRO_BUILDER : STOA_AVRO_FINE;
    decoder->nth = 0;
    decoder->any_row = *nrows > 0;
    return st;
}

/* ---- Errors ---- */

/* What is wrong with the value of an operation, whose field is named. */
static enum stoa_status describe(const struct decoder *decoder, struct stoa_error *err)
{
    char field[600];

    stoa_avro_place_print(&decoder->program->places, decoder->op->place + decoder->nth, field,
                          sizeof(field));
    if (decoder->cursor.fault == STOA_AVRO_BUILDER)
        return stoa_wrap(err, err != NULL ? err->status : STOA_ERR_NOMEM, "%s", field);
    return stoa_avro_fault_tell(&decoder->cursor, field, err);
}

enum stoa_status stoa_avro_decode(const struct stoa_avro_program *program,
                                  struct stoa_avro_columns *columns, const uint8_t *bytes,
                                  size_t nbytes, bool whole, size_t max_nrows,
                                  struct stoa_avro_decoded *decoded, struct stoa_error *err)
{
    struct stoa_error local = {0};
    struct decoder decoder = {.cursor = {.at = bytes, .end = bytes + nbytes},
                              .program = program,
                              .columns = columns->items,
                              .ncolumns = columns->nitems,
                              .before_nbytes = stoa_avro_columns_nbytes(columns),
                              .err = &local};
    const size_t before = columns->nitems > 0 ? columns->items[0].builder.array.nvalues : 0;
    const struct stoa_avro_op *const end = program->ops + program->nops;
    const uint8_t *row = bytes;
    uint64_t row_nbytes = 1;
    enum stoa_status st = STOA_OK;

    *decoded = (struct stoa_avro_decoded){0};
    for (uint32_t i = 0; i < columns->nitems; i += columns->items[i].nnodes)
        row_nbytes += columns->items[i].value_nbytes;
    max_nrows = nahead(max_nrows, row_nbytes);
    for (uint32_t i = 0; i < columns->nitems; i += columns->items[i].nnodes)
        STOA_TRY(stoa_avro_columns_reserve(&columns->items[i], columns->items[i].nnodes, max_nrows,
                                           err));
    STOA_TRY(read_flat(&decoder, columns, before, max_nrows, &decoded->nrows, err));
    row = decoder.cursor.at;
    decoded->nempty = decoder.cursor.nempty;
    while (decoded->nrows < max_nrows && decoder.cursor.fault == STOA_AVRO_FINE) {
        if (!run(&decoder, program->ops, end))
            break;
        row = decoder.cursor.at;
        decoded->nrows++;
        decoded->nempty = decoder.cursor.nempty;
        decoder.any_row = true;
    }
    decoded->nused = (size_t)(row - bytes);
    if (decoder.cursor.fault == STOA_AVRO_EMPTY_ITEMS && decoder.any_row)
        decoder.cursor.fault = STOA_AVRO_ENOUGH; /* the row has a call of its own */
    if (decoder.cursor.fault != STOA_AVRO_FINE) {
        stoa_avro_columns_truncate(columns, before + decoded->nrows);
        if (decoder.cursor.fault != STOA_AVRO_ENOUGH &&
            (decoder.cursor.fault != STOA_AVRO_CUT || whole)) {
            st = describe(&decoder, &local);
            local.offset = (uint64_t)(row - bytes);
            if (err != NULL)
                *err = local;
        }
    }
out:
    stoa_buffer_free(&decoder.text);
    return st;
}

enum stoa_status stoa_avro_fail_nothing(struct stoa_error *err)
{
    return stoa_fail(err, STOA_ERR_LIMIT,
                     "more than %u values of rows and arrays that have no bytes",
                     STOA_AVRO_MAX_EMPTY);
}
