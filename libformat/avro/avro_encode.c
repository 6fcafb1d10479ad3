/*
 * Running an encoder: a row at a time, each value from its column to the end of the block.
 *
 *     i = row            INT32   values[i]            -> zigzag
 *                        LIST    offsets[i], [i + 1]  -> count, items i' = offsets[i] ..., 0
 *                        STRUCT  (null: its bytes, and on behind its members) members at i
 *
 * In front of each operation there is room for whatever has a bound; only texts, bytes and fixed
 * ask for more. What a value can be refused for is rare and ends the run, so operations give the
 * place behind their bytes or NULL.
 */
#include "avro/avro_encoder.h"

#include <inttypes.h>
#include <string.h>

#include "avro/avro_encode_flat.h"
#include "avro/avro_json_parse.h"
#include "avro/avro_put_value.h"
#include "avro/avro_read.h"
#include "base/bits.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/int256.h"
#include "column/schema.h"
#include "column/type.h"

enum {
    ROOM = 64, /* more than any value that has a bound takes, with the branch in front of it */
    SHORT_TEXT = 32, /* copied whole, whatever follows it */
    FIRST_NBYTES = 256 << 10,
    MAX_FLAT_NBYTES = STOA_AVRO_MAX_PIECE_NBYTES / 2, /* as much again is more than a flat row */
};

struct run {
    const struct stoa_avro_put_op *ops;
    const struct stoa_avro_encoder *encoder;
    const struct stoa_array **nodes;
    struct stoa_buffer *out; /* its nbytes is set at the end */
    uint8_t *end;            /* of its memory */
    size_t row;              /* where in the buffer the row begins */
    size_t index;            /* of the row */
    uint32_t nempty;         /* items of it without bytes */
    struct stoa_error *err;
    enum stoa_status st; /* why there is no place to go on at */
};

/* ---- What goes wrong ---- */

static enum stoa_status wrap_place(const struct run *run, uint32_t place, enum stoa_status st)
{
    char shown[128];

    while (place != STOA_AVRO_NOWHERE) {
        const struct stoa_avro_put_place *at = &run->encoder->places[place];

        stoa_quote(shown, sizeof(shown), at->name, strlen(at->name));
        st = stoa_wrap(run->err, st, "field %s", shown);
        place = at->parent;
    }
    return st;
}

/* Ends the run: the message is in place, but for the field. */
static uint8_t *stop(struct run *run, const struct stoa_avro_put_op *op, enum stoa_status st)
{
    run->st = wrap_place(run, op->place, st);
    if (run->err != NULL)
        run->err->offset = run->index;
    return NULL;
}

static uint8_t *refuse(struct run *run, const struct stoa_avro_put_op *op, const char *why)
{
    return stop(run, op, stoa_fail(run->err, STOA_ERR_DATA, "%s", why));
}

/* Makes the buffer larger; nbytes, ROOM included, fit behind `at` then. */
static uint8_t *grow(struct run *run, const struct stoa_avro_put_op *op, uint8_t *at, size_t nbytes)
{
    struct stoa_buffer *out = run->out;
    enum stoa_status st;

    out->nbytes = (size_t)(at - out->data);
    if (out->nbytes - run->row + nbytes > STOA_AVRO_MAX_ROW_NBYTES + (size_t)(ROOM + SHORT_TEXT))
        return stop(run, op, stoa_fail(run->err, STOA_ERR_LIMIT, "a row has more than 256 MiB"));
    st = stoa_buffer_reserve(out, nbytes, run->err);
    if (st != STOA_OK)
        return stop(run, op, st);
    run->end = out->data + out->capacity;
    return out->data + out->nbytes;
}

/* Room for nbytes and for what comes next. */
static inline uint8_t *ask(struct run *run, const struct stoa_avro_put_op *op, uint8_t *at,
                           size_t nbytes)
{
    if ((size_t)(run->end - at) >= nbytes + ROOM)
        return at;
    return grow(run, op, at, nbytes + ROOM);
}

/* ---- Values ---- */

static inline uint8_t *put_raw(struct run *run, const struct stoa_avro_put_op *op, uint8_t *at,
                               const uint8_t *bytes, size_t nbytes)
{
    at = ask(run, op, at, nbytes > SHORT_TEXT ? nbytes : SHORT_TEXT);
    if (at == NULL)
        return NULL;
    if (nbytes <= SHORT_TEXT) /* arrays have slack behind their values */
        memcpy(at, bytes, SHORT_TEXT);
    else
        memcpy(at, bytes, nbytes);
    return at + nbytes;
}

static inline uint8_t *put_bytes(struct run *run, const struct stoa_avro_put_op *op,
                                 const struct stoa_array *array, size_t i, uint8_t *at)
{
    static const uint8_t none[SHORT_TEXT] = {0};
    const int32_t begin = array->offsets[i];
    const size_t nbytes = (size_t)(array->offsets[i + 1] - begin);

    at = stoa_avro_put_long(at, (int64_t)nbytes);
    return put_raw(run, op, at, nbytes > 0 ? array->values + begin : none, nbytes);
}

static uint8_t *put_fixed_bytes(struct run *run, const struct stoa_avro_put_op *op,
                                const struct stoa_array *array, size_t i, uint8_t *at)
{
    const int32_t begin = array->offsets[i];
    const size_t nbytes = (size_t)(array->offsets[i + 1] - begin);

    if (nbytes != op->width)
        return stop(run, op,
                    stoa_fail(run->err, STOA_ERR_DATA, "%zu bytes: the type is fixed(%" PRIu32 ")",
                              nbytes, op->width));
    return nbytes > 0 ? put_raw(run, op, at, array->values + begin, nbytes) : at;
}

static uint8_t *put_symbol(struct run *run, const struct stoa_avro_put_op *op, uint32_t symbol,
                           uint8_t *at)
{
    const char *text = op->column->symbols[symbol];
    const size_t nbytes = strlen(text);

    at = stoa_avro_put_long(at, (int64_t)nbytes);
    at = ask(run, op, at, nbytes);
    if (at == NULL)
        return NULL;
    memcpy(at, text, nbytes);
    return at + nbytes;
}

static uint8_t *put_fixed_decimal(struct run *run, const struct stoa_avro_put_op *op,
                                  struct stoa_int256 value, uint8_t *at)
{
    uint8_t bytes[32];
    const size_t n = stoa_avro_decimal_bytes(value, bytes), width = op->width;

    if (n > width)
        return refuse(run, op, "the decimal has more digits than its type");
    at = ask(run, op, at, width);
    if (at == NULL)
        return NULL;
    memset(at, stoa_int256_is_negative(value) ? 0xff : 0, width - n);
    memcpy(at + width - n, bytes + 32 - n, n);
    return at + width;
}

/* Months, days and milliseconds, 32 bits each without a sign. */
static uint8_t *put_duration(struct run *run, const struct stoa_avro_put_op *op,
                             const struct stoa_array *array, size_t i, uint8_t *at)
{
    struct stoa_interval interval;
    int64_t millis;

    memcpy(&interval, array->values + i * sizeof(interval), sizeof(interval));
    millis = interval.nanos / 1000000;
    if (interval.months < 0 || interval.days < 0 || interval.nanos < 0)
        return refuse(run, op, "Avro's duration can't be negative");
    if (millis > UINT32_MAX || interval.nanos % 1000000 != 0)
        return refuse(run, op, "Avro's duration has whole milliseconds, below 2^32");
    stoa_store32(at, (uint32_t)interval.months);
    stoa_store32(at + 4, (uint32_t)interval.days);
    stoa_store32(at + 8, (uint32_t)millis);
    return at + 12;
}

static uint8_t *put_json(struct run *run, const struct stoa_avro_put_op *op,
                         const struct stoa_array *array, size_t i, uint8_t *at)
{
    const int32_t begin = array->offsets[i];
    const size_t nbytes = (size_t)(array->offsets[i + 1] - begin);
    enum stoa_status st;

    run->out->nbytes = (size_t)(at - run->out->data);
    st = stoa_avro_parse_json(op->type, (const char *)array->values + begin, nbytes, run->out,
                              &run->nempty, run->err);
    if (st != STOA_OK)
        return stop(run, op, st);
    run->end = run->out->data + run->out->capacity;
    return ask(run, op, run->out->data + run->out->nbytes, 0);
}

static uint8_t *put_millis(struct run *run, const struct stoa_avro_put_op *op, int64_t seconds,
                           bool narrow, uint8_t *at)
{
    int64_t millis;

    if (__builtin_mul_overflow(seconds, 1000, &millis) || (narrow && millis != (int32_t)millis))
        return stop(run, op,
                    stoa_fail(run->err, STOA_ERR_DATA,
                              "%" PRId64 " seconds are more milliseconds than Avro's %s holds",
                              seconds, stoa_avro_kind_name(op->type->kind)));
    return stoa_avro_put_long(at, millis);
}

/* Values that most tables are made of; NULL with run->st not set is for the rare ones. */
static inline uint8_t *put_value(struct run *run, const struct stoa_avro_put_op *op,
                                 const struct stoa_array *array, size_t i, uint8_t *at)
{
    switch (op->code) {
    case STOA_AVRO_PUT_NOTHING:
        return at;
    case STOA_AVRO_PUT_BOOL:
        *at = stoa_bitmap_get(array->values, i);
        return at + 1;
    case STOA_AVRO_PUT_INT8:
        return stoa_avro_put_long(at, (int8_t)array->values[i]);
    case STOA_AVRO_PUT_INT16:
        return stoa_avro_put_long(at, (int16_t)stoa_avro_load16(array->values, i));
    case STOA_AVRO_PUT_INT32:
        return stoa_avro_put_long(at, (int32_t)stoa_avro_load32(array->values, i));
    case STOA_AVRO_PUT_INT64:
        return stoa_avro_put_long(at, (int64_t)stoa_avro_load64(array->values, i));
    case STOA_AVRO_PUT_UINT8:
        return stoa_avro_put_long(at, array->values[i]);
    case STOA_AVRO_PUT_UINT16:
        return stoa_avro_put_long(at, stoa_avro_load16(array->values, i));
    case STOA_AVRO_PUT_UINT32:
        return stoa_avro_put_long(at, stoa_avro_load32(array->values, i));
    case STOA_AVRO_PUT_UINT64:
        return stoa_avro_put_decimal(stoa_int256_from_u64(stoa_avro_load64(array->values, i)), at);
    case STOA_AVRO_PUT_MILLIS32:
        return put_millis(run, op, (int32_t)stoa_avro_load32(array->values, i), true, at);
    case STOA_AVRO_PUT_MILLIS64:
        return put_millis(run, op, (int64_t)stoa_avro_load64(array->values, i), false, at);
    case STOA_AVRO_PUT_FLOAT16:
        return stoa_avro_put_float16(stoa_avro_load16(array->values, i), at);
    case STOA_AVRO_PUT_FLOAT32:
        stoa_store32(at, stoa_avro_load32(array->values, i));
        return at + 4;
    case STOA_AVRO_PUT_FLOAT64:
        stoa_store64(at, stoa_avro_load64(array->values, i));
        return at + 8;
    case STOA_AVRO_PUT_BYTES:
        return put_bytes(run, op, array, i, at);
    case STOA_AVRO_PUT_FIXED:
        return put_raw(run, op, at, array->values + i * op->width, op->width);
    case STOA_AVRO_PUT_FIXED_BYTES:
        return put_fixed_bytes(run, op, array, i, at);
    case STOA_AVRO_PUT_UUID:
        return stoa_avro_put_uuid(array->values + 16 * i, at);
    case STOA_AVRO_PUT_SYMBOL:
        return put_symbol(run, op, stoa_avro_load32(array->values, i), at);
    case STOA_AVRO_PUT_DECIMAL:
        return stoa_avro_put_decimal(
            stoa_avro_load_decimal(array->values, stoa_type_width(op->column), i), at);
    case STOA_AVRO_PUT_FIXED_DECIMAL:
        return put_fixed_decimal(
            run, op, stoa_avro_load_decimal(array->values, stoa_type_width(op->column), i), at);
    case STOA_AVRO_PUT_DURATION:
        return put_duration(run, op, array, i, at);
    default:
        return put_json(run, op, array, i, at);
    }
}

/* ---- Rows ---- */

static uint8_t *put_run(struct run *run, uint32_t begin, uint32_t end, size_t i, uint8_t *at);

/* Items [first, last) of the list that the operation is, in one block of the array. */
static uint8_t *put_items(struct run *run, uint32_t list, size_t first, size_t last, uint8_t *at)
{
    const uint32_t end = run->ops[list].next;

    if (first < last)
        at = stoa_avro_put_long(at, (int64_t)(last - first));
    for (size_t i = first; at != NULL && i < last; i++) {
        const size_t before = (size_t)(at - run->out->data);

        at = put_run(run, list + 1, end, i, at);
        if (at != NULL && (size_t)(at - run->out->data) == before &&
            ++run->nempty > STOA_AVRO_MAX_EMPTY_ITEMS)
            return stop(run, &run->ops[list],
                        stoa_fail(run->err, STOA_ERR_LIMIT, "more than %u items without any bytes",
                                  STOA_AVRO_MAX_EMPTY_ITEMS));
    }
    if (at == NULL)
        return NULL;
    at = ask(run, &run->ops[list], at, 1);
    if (at != NULL)
        *at++ = 0;
    return at;
}

/* The branch that the tag says, of the union that the operation is; null where that is its value.
 */
static uint8_t *put_union(struct run *run, uint32_t first, const struct stoa_array *array, size_t i,
                          uint8_t *at)
{
    const struct stoa_avro_put_op *op = &run->ops[first], *branch;
    uint32_t which = first + 1, tag;

    if (stoa_array_is_null(array, i)) {
        if (op->branch == STOA_AVRO_NOWHERE)
            return refuse(run, op, "null is no branch of the union");
        return stoa_avro_put_long(at, op->branch);
    }
    tag = stoa_avro_load32(run->nodes[op->node + 1]->values, i);
    while (tag-- > 0)
        which = run->ops[which].next;
    branch = &run->ops[which];
    if (stoa_array_is_null(run->nodes[branch->node], i))
        return refuse(run, branch, "the tag of the union says a member that is null");
    at = stoa_avro_put_long(at, branch->branch);
    return put_run(run, which + 1, branch->next, i, at);
}

/* Value i of the operations [begin, end), with all that is inside of them. */
static uint8_t *put_run(struct run *run, uint32_t begin, uint32_t end, size_t i, uint8_t *at)
{
    while (begin < end) {
        const struct stoa_avro_put_op *op = &run->ops[begin];
        const struct stoa_array *array = run->nodes[op->node];

        if ((size_t)(run->end - at) < ROOM)
            at = grow(run, op, at, ROOM);
        if (at == NULL)
            return NULL;
        if (op->has_branch) {
            const bool is_null = stoa_array_is_null(array, i);

            *at++ = is_null ? op->null_byte : op->value_byte;
            if (is_null) {
                begin = op->next;
                continue;
            }
        }
        switch (op->code) {
        case STOA_AVRO_PUT_STRUCT: /* its members follow, at the same i */
            begin++;
            continue;
        case STOA_AVRO_PUT_LIST:
            at =
                put_items(run, begin, (size_t)array->offsets[i], (size_t)array->offsets[i + 1], at);
            break;
        case STOA_AVRO_PUT_FIXED_LIST:
            at = put_items(run, begin, i * op->width, (i + 1) * op->width, at);
            break;
        case STOA_AVRO_PUT_UNION:
            at = put_union(run, begin, array, i, at);
            break;
        default:
            at = put_value(run, op, array, i, at);
        }
        if (at == NULL)
            return NULL;
        begin = op->next;
    }
    return at;
}

/* The arrays of the nodes of a batch; of a column without values those below are `none`. */
static enum stoa_status find_nodes(const struct stoa_avro_encoder *encoder,
                                   const struct stoa_batch *batch, const struct stoa_array ***out,
                                   struct stoa_error *err)
{
    static const struct stoa_array none = {0};
    const struct stoa_array **nodes;
    uint32_t column = 0;
    enum stoa_status st;

    STOA_TRY(stoa_alloc(&nodes, ((size_t)encoder->nnodes + 1) * sizeof(*nodes), err));
    for (uint32_t i = 0; i < encoder->nnodes; i++) {
        const struct stoa_schema_node *node = &encoder->nodes[i];

        if (node->parent == STOA_NO_NODE) {
            nodes[i] = &batch->columns[column++];
        } else {
            const struct stoa_schema_node *parent = &encoder->nodes[node->parent];
            const struct stoa_array *above = nodes[node->parent];
            const size_t which = (size_t)(node->field - parent->field->children);

            nodes[i] = which < above->nchildren ? &above->children[which] : &none;
        }
    }
    *out = nodes;
out:
    return st;
}

/* Ends the piece whose bytes are [begin, end). */
static enum stoa_status end_piece(struct stoa_avro_rows *rows, size_t nbytes, uint64_t nrows,
                                  uint64_t nempty, struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(stoa_reserve(&rows->pieces, &rows->pieces_capacity, rows->npieces + 1,
                          sizeof(*rows->pieces), err));
    rows->pieces[rows->npieces++] = (struct stoa_avro_piece){nbytes, nrows, nempty};
out:
    return st;
}

/* Puts the row that is next behind `at`. */
static enum stoa_status put_row(struct run *run, uint8_t *at)
{
    struct stoa_buffer *out = run->out;

    run->row = (size_t)(at - out->data);
    run->nempty = 0;
    at = put_run(run, 0, (uint32_t)run->encoder->nops, run->index, at);
    if (at == NULL)
        return run->st;
    out->nbytes = (size_t)(at - out->data);
    if (out->nbytes - run->row <= STOA_AVRO_MAX_ROW_NBYTES)
        return STOA_OK;
    return stoa_fail_at(run->err, STOA_ERR_LIMIT, run->index, "a row has more than 256 MiB");
}

/* Rows from the next one on, where they are flat and as long as they fit the piece at `begin`. */
static void put_flat(struct run *run, const struct stoa_avro_flat *flat, size_t nrows, size_t begin,
                     size_t piece_nbytes)
{
    struct stoa_buffer *out = run->out;
    const uint8_t *full;

    if (flat->lanes == NULL || piece_nbytes > MAX_FLAT_NBYTES)
        return;
    full = (size_t)(run->end - out->data) - begin < piece_nbytes ? run->end
                                                                 : out->data + begin + piece_nbytes;
    out->nbytes = (size_t)(stoa_avro_flat_put(flat, &run->index, nrows, out->data + out->nbytes,
                                              full, run->end) -
                           out->data);
}

/* Memory that is likely to hold the rows: to let it grow costs more than what is never touched. */
static enum stoa_status reserve(const struct stoa_avro_flat *flat, size_t nrows,
                                struct stoa_buffer *out, struct stoa_error *err)
{
    const size_t guess = stoa_avro_flat_guess(flat, nrows) + flat->row_nbytes;

    return stoa_buffer_reserve(out, guess > FIRST_NBYTES ? guess : FIRST_NBYTES, err);
}

enum stoa_status stoa_avro_encode(const struct stoa_avro_encoder *encoder,
                                  const struct stoa_batch *batch, size_t piece_nbytes,
                                  struct stoa_avro_rows *rows, struct stoa_error *err)
{
    struct run run = {.ops = encoder->ops, .encoder = encoder, .out = &rows->bytes, .err = err};
    struct stoa_buffer *out = &rows->bytes;
    struct stoa_avro_flat flat = {0};
    size_t begin = out->nbytes;
    uint64_t nrows = 0, nempty = 0;
    enum stoa_status st;

    STOA_TRY(find_nodes(encoder, batch, &run.nodes, err));
    STOA_TRY(stoa_avro_flat_init(encoder, run.nodes, &flat, err));
    STOA_TRY(reserve(&flat, batch->nrows, out, err));
    run.end = out->data + out->capacity;
    while (run.index < batch->nrows) {
        const size_t first = run.index;

        put_flat(&run, &flat, batch->nrows, begin, piece_nbytes);
        nrows += run.index - first;
        if (run.index == first) {
            STOA_TRY(put_row(&run, out->data + out->nbytes));
            if (nrows > 0 && out->nbytes - begin > STOA_AVRO_MAX_PIECE_NBYTES) {
                STOA_TRY(end_piece(rows, run.row - begin, nrows, nempty, err));
                begin = run.row;
                nrows = nempty = 0;
            }
            nrows++;
            nempty += run.nempty;
            if (out->nbytes == run.row) /* it has as many nulls as there are nodes */
                nempty += encoder->nnodes > 0 ? encoder->nnodes : 1;
            run.index++;
        }
        if (out->nbytes - begin < piece_nbytes && nempty < STOA_AVRO_MAX_PIECE_EMPTY)
            continue;
        STOA_TRY(end_piece(rows, out->nbytes - begin, nrows, nempty, err));
        begin = out->nbytes;
        nrows = nempty = 0;
    }
    if (nrows > 0)
        STOA_TRY(end_piece(rows, out->nbytes - begin, nrows, nempty, err));
out:
    stoa_avro_flat_reset(&flat);
    stoa_free(run.nodes);
    return st;
}

void stoa_avro_rows_reset(struct stoa_avro_rows *rows)
{
    stoa_buffer_free(&rows->bytes);
    stoa_free(rows->pieces);
    *rows = (struct stoa_avro_rows){0};
}
