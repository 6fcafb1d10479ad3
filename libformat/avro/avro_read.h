/*
 * Reading the binary encoding: a cursor over bytes with padding behind them, so that numbers are
 * read without a look at the end, which comes afterwards.
 */
#ifndef STOA_AVRO_AVRO_READ_H
#define STOA_AVRO_AVRO_READ_H

#include "avro/avro_type.h"

/* What is wrong with a value. */
enum stoa_avro_fault {
    STOA_AVRO_FINE,
    STOA_AVRO_CUT,        /* the bytes end within it */
    STOA_AVRO_TOO_LONG,   /* a number of more than 64 bits */
    STOA_AVRO_NO_INT,     /* an int outside of 32 bits */
    STOA_AVRO_NO_BOOLEAN, /* neither 0 nor 1 */
    STOA_AVRO_NO_BRANCH,
    STOA_AVRO_NO_SYMBOL,
    STOA_AVRO_NO_LENGTH, /* negative */
    STOA_AVRO_NO_COUNT,  /* of items, or the size of a block of them does not fit what is in it */
    STOA_AVRO_NO_UTF8,
    STOA_AVRO_NO_UUID,
    STOA_AVRO_NO_DECIMAL, /* more digits than the type has */
    STOA_AVRO_NO_DURATION,
    STOA_AVRO_EMPTY_ITEMS,    /* too many items that have no bytes */
    STOA_AVRO_EMPTY_FIELDS,   /* too many fields that have none */
    STOA_AVRO_ENOUGH,         /* none: the rows in front of it are enough for a call */
    STOA_AVRO_LARGE_ROW,      /* more than STOA_AVRO_MAX_DECODED_NBYTES in columns */
    STOA_AVRO_LONG_JSON,      /* more than STOA_AVRO_MAX_ROW_NBYTES of JSON text */
    STOA_AVRO_REFUSED_BRANCH, /* of the writer's union, none of the reader's types: `name` */
    STOA_AVRO_REFUSED_SYMBOL, /* of the writer's enum, likewise */
    STOA_AVRO_DEEP,           /* a value of a recursive type */
    STOA_AVRO_BUILDER,        /* *err says what: memory, a column that is full */
};

/* A row, the JSON text of a value, and a block in the codec snappy, which has no parts. */
#define STOA_AVRO_MAX_ROW_NBYTES   (256u << 20)
#define STOA_AVRO_MAX_VALUE_DEPTH  512u       /* of values of recursive types */
#define STOA_AVRO_MAX_EMPTY_ITEMS  (1u << 20) /* of arrays, in one call, that have no bytes */
#define STOA_AVRO_MAX_EMPTY_FIELDS (1u << 22) /* of records that are JSON or passed over, too */

struct stoa_avro_cursor {
    const uint8_t *at;
    const uint8_t *end; /* STOA_AVRO_PADDING more bytes can be read */
    uint32_t nempty;    /* items without bytes so far */
    uint32_t nempty_fields;
    enum stoa_avro_fault fault;
    int64_t number;   /* what was read, where it is what is wrong */
    const char *name; /* of that, in the writer's schema */
};

static inline bool stoa_avro_fail(struct stoa_avro_cursor *cursor, enum stoa_avro_fault fault,
                                  int64_t number)
{
    cursor->fault = fault;
    cursor->number = number;
    return false;
}

static inline bool stoa_avro_fail_name(struct stoa_avro_cursor *cursor, enum stoa_avro_fault fault,
                                       const char *name)
{
    cursor->fault = fault;
    cursor->name = name;
    return false;
}

/* Says what the cursor has met, but for STOA_AVRO_BUILDER, behind the name of the field
 * (avro_fault.c). */
enum stoa_status stoa_avro_fault_tell(const struct stoa_avro_cursor *cursor, const char *field,
                                      struct stoa_error *err);

/* A number of three bytes and more. */
bool stoa_avro_read_long_slow(struct stoa_avro_cursor *cursor, int64_t *out);

/* Zigzag: 0, -1, 1, -2, ... in 7 bits a byte. false when it has more than 64 bits; may run past the
 * end. */
static inline bool stoa_avro_read_long(struct stoa_avro_cursor *cursor, int64_t *out)
{
    const uint32_t first = cursor->at[0], second = cursor->at[1];
    uint32_t x;

    if (first < 0x80) {
        x = first;
        cursor->at++;
    } else if (second < 0x80) {
        x = (first & 0x7f) | second << 7;
        cursor->at += 2;
    } else {
        return stoa_avro_read_long_slow(cursor, out);
    }
    *out = (int32_t)(x >> 1) ^ -(int32_t)(x & 1);
    return true;
}

/* Whether nbytes more bytes are there. */
static inline bool stoa_avro_has(struct stoa_avro_cursor *cursor, uint64_t nbytes)
{
    if (cursor->at > cursor->end || nbytes > (uint64_t)(cursor->end - cursor->at))
        return stoa_avro_fail(cursor, STOA_AVRO_CUT, 0);
    return true;
}

/* A length, so many bytes being there. */
static inline bool stoa_avro_read_length(struct stoa_avro_cursor *cursor, size_t *out)
{
    int64_t length;

    if (!stoa_avro_read_long(cursor, &length))
        return false;
    if (!stoa_avro_has(cursor, 0))
        return false;
    if (length < 0)
        return stoa_avro_fail(cursor, STOA_AVRO_NO_LENGTH, length);
    if (!stoa_avro_has(cursor, (uint64_t)length))
        return false;
    *out = (size_t)length;
    return true;
}

/* An index below n, else the fault. */
static inline bool stoa_avro_read_index(struct stoa_avro_cursor *cursor, uint64_t n,
                                        enum stoa_avro_fault fault, uint32_t *out)
{
    int64_t index;

    if (!stoa_avro_read_long(cursor, &index) || !stoa_avro_has(cursor, 0))
        return false;
    if ((uint64_t)index >= n)
        return stoa_avro_fail(cursor, fault, index);
    *out = (uint32_t)index;
    return true;
}

/*
 * The head of a block of items of an array or map: how many follow, 0 at the end; *nbytes is their
 * size where it is told, else -1.
 */
bool stoa_avro_read_items(struct stoa_avro_cursor *cursor, uint64_t *nitems, int64_t *nbytes);

/* Counts items that took no bytes, if they took none. */
static inline bool stoa_avro_count_empty(struct stoa_avro_cursor *cursor, const uint8_t *before)
{
    if (cursor->at == before && ++cursor->nempty > STOA_AVRO_MAX_EMPTY_ITEMS)
        return stoa_avro_fail(cursor, STOA_AVRO_EMPTY_ITEMS, 0);
    return true;
}

/*
 * The same for fields of records. Records in each other, each used twice in the next one, have
 * 2^depth fields that take time and no bytes.
 */
static inline bool stoa_avro_count_empty_field(struct stoa_avro_cursor *cursor,
                                               const uint8_t *before)
{
    if (cursor->at == before && ++cursor->nempty_fields > STOA_AVRO_MAX_EMPTY_FIELDS)
        return stoa_avro_fail(cursor, STOA_AVRO_EMPTY_FIELDS, 0);
    return true;
}

/* Passes over a value (avro_skip.c). */
bool stoa_avro_skip(struct stoa_avro_cursor *cursor, const struct stoa_avro_type *type);

/* Passes over n numbers; *nth is which one is bad, from 0. */
bool stoa_avro_skip_numbers(struct stoa_avro_cursor *cursor, uint32_t n, uint32_t *nth);

struct stoa_avro_match;

/*
 * Appends a value of the writer's type as JSON text of the reader's, as Avro encodes it:
 * {"a":1,"b":{"string":"x"},"c":null}; bytes are characters of their numbers, a double that is no
 * number is a string (avro_json_value.c).
 */
bool stoa_avro_append_json(struct stoa_avro_cursor *cursor, const struct stoa_avro_match *match,
                           struct stoa_buffer *out, struct stoa_error *err);

#endif
