/*
 * Literals against types: numbers exactly through 256 bits, the rest by the readers of base/.
 */
#include "column/cast.h"

#include <assert.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/duration.h"
#include "base/error.h"
#include "base/float16.h"
#include "base/int256.h"
#include "base/number.h"
#include "base/number_scan.h"
#include "base/time.h"
#include "column/nearest.h"
#include "column/type.h"

/* What a cast works on: the type, the literal, and where the answer goes. */
struct job {
    const struct stoa_field *field;
    const struct stoa_literal *literal;
    enum stoa_cast cast;
    struct stoa_scalar value;
    uint8_t *storage;
    struct stoa_error *err;
};

static const struct stoa_type *type_of(const struct job *job)
{
    return &job->field->type;
}

/* "'abc' is not int64HINT": the literal as it stood in the predicate. */
static enum stoa_status not_of_type(const struct job *job, const char *hint)
{
    static const char *const before[] = {
        [STOA_LITERAL_NUMBER] = "",
        [STOA_LITERAL_TEXT] = "'",
        [STOA_LITERAL_BYTES] = "x'",
        [STOA_LITERAL_BOOL] = "",
    };
    const struct stoa_literal *literal = job->literal;
    const char *quote = *before[literal->kind] != '\0' ? "'" : "";
    char *type = NULL, shown[96];
    enum stoa_status st;

    if (literal->kind == STOA_LITERAL_BYTES)
        memcpy(shown, "...", 4);
    else
        stoa_quote(shown, sizeof(shown), literal->text, literal->nbytes);
    st = stoa_type_print(job->field, &type, job->err);
    if (st != STOA_OK)
        return st;
    st = stoa_fail(job->err, STOA_ERR_USAGE, "%s%s%s is not %.96s%s", before[literal->kind], shown,
                   quote, type, hint);
    stoa_free(type);
    return st;
}

static bool is_text(const struct job *job)
{
    return job->literal->kind == STOA_LITERAL_TEXT;
}

/* ---- Integers, decimals and times: a floor and whether it is the number itself ---- */

struct floor {
    struct stoa_int256 value;
    bool exact;
    int overflow; /* -1 or 1 when 256 bits don't hold it, else 0 */
};

/* digits [begin, end) * 10^power, or false when 256 bits don't hold it. */
static bool collect_digits(const struct stoa_number_text *number, size_t begin, size_t end,
                           uint64_t power, struct stoa_int256 *out)
{
    struct stoa_int256 x = stoa_int256_from_i64(0);

    if (end - begin > STOA_INT256_DIGITS + 1 || power > STOA_INT256_DIGITS)
        return false;
    for (; begin < end; begin++) {
        struct stoa_int256 digit = stoa_int256_from_u64(stoa_number_digit(number, begin));

        if (!stoa_int256_mul_u64(x, 10, &x) || !stoa_int256_add(x, digit, &x))
            return false;
    }
    return stoa_int256_mul_pow10(x, (unsigned)power, out);
}

/* The floor of decimal text in units of 10^-scale; false when it is no decimal text. */
static bool floor_number(const char *text, size_t nbytes, unsigned scale, struct floor *out)
{
    const struct stoa_int256 one = stoa_int256_from_i64(1);
    struct stoa_number_text number;
    size_t begin, end, ndigits;
    int64_t shift;

    if (!stoa_number_scan(text, nbytes, &number))
        return false;
    *out = (struct floor){.exact = true};
    begin = stoa_number_leading_zeros(&number);
    end = ndigits = stoa_number_ndigits(&number);
    if (begin == end)
        return true;
    /* The number is its digits * 10^shift units; of these the last -shift are below a unit. */
    shift = number.exponent + (int64_t)scale;
    if (shift < 0)
        end = (uint64_t)-shift < end - begin ? end - (size_t)-shift : begin;
    for (size_t i = end; i < ndigits && out->exact; i++)
        out->exact = stoa_number_digit(&number, i) == 0;
    if (!collect_digits(&number, begin, end, shift > 0 ? (uint64_t)shift : 0, &out->value))
        out->overflow = number.negative ? -1 : 1;
    else if (number.negative && (!stoa_int256_neg(out->value, &out->value) ||
                                 (!out->exact && !stoa_int256_sub(out->value, one, &out->value))))
        out->overflow = -1;
    return true;
}

/* Puts a floor in its place in [min, max]. */
static void place(struct job *job, const struct floor *floor, struct stoa_int256 min,
                  struct stoa_int256 max)
{
    int to_max = floor->overflow != 0 ? floor->overflow : stoa_int256_cmp(floor->value, max);

    if (to_max > 0 || (to_max == 0 && !floor->exact))
        job->cast = STOA_CAST_ABOVE;
    else if (floor->overflow < 0 || stoa_int256_cmp(floor->value, min) < 0)
        job->cast = STOA_CAST_BELOW;
    else
        job->cast = floor->exact ? STOA_CAST_EXACT : STOA_CAST_BETWEEN;
    switch (job->value.kind) {
    case STOA_KIND_INT64:
        job->value.i64 = (int64_t)stoa_int256_low(floor->value).lo;
        break;
    case STOA_KIND_UINT64:
        job->value.u64 = stoa_int256_low(floor->value).lo;
        break;
    case STOA_KIND_INT128:
        job->value.i128 = stoa_int256_low(floor->value);
        break;
    default:
        job->value.i256 = floor->value;
        break;
    }
}

static void place_signed(struct job *job, const struct floor *floor, unsigned nbits)
{
    int64_t max = (int64_t)(UINT64_MAX >> (65 - nbits));

    place(job, floor, stoa_int256_from_i64(-max - 1), stoa_int256_from_i64(max));
}

static bool is_number(const struct job *job, unsigned scale, struct floor *floor)
{
    const struct stoa_literal *literal = job->literal;

    return (literal->kind == STOA_LITERAL_NUMBER || is_text(job)) &&
           floor_number(literal->text, literal->nbytes, scale, floor);
}

static enum stoa_status cast_int(struct job *job)
{
    struct floor floor;

    if (!is_number(job, 0, &floor))
        return not_of_type(job, "");
    place_signed(job, &floor, 8 * (unsigned)stoa_type_width(type_of(job)));
    return STOA_OK;
}

static enum stoa_status cast_uint(struct job *job)
{
    unsigned nbits = 8 * (unsigned)stoa_type_width(type_of(job));
    struct floor floor;

    if (!is_number(job, 0, &floor))
        return not_of_type(job, "");
    place(job, &floor, stoa_int256_from_i64(0), stoa_int256_from_u64(UINT64_MAX >> (64 - nbits)));
    return STOA_OK;
}

static enum stoa_status cast_decimal(struct job *job)
{
    const struct stoa_type *type = type_of(job);
    struct stoa_int256 limit = stoa_int256_from_i64(1), min = limit;
    struct floor floor;
    bool fits;

    if (!is_number(job, type->scale, &floor))
        return not_of_type(job, "");
    fits = stoa_int256_mul_pow10(limit, type->precision, &limit) &&
           stoa_int256_sub(limit, stoa_int256_from_i64(1), &limit) && stoa_int256_neg(limit, &min);
    assert(fits);
    (void)fits;
    place(job, &floor, min, limit);
    return STOA_OK;
}

/* ---- Floats ---- */

static bool parse_float16(const struct stoa_literal *literal, double *out)
{
    uint16_t bits;

    if (!stoa_number_parse_float16(literal->text, literal->nbytes, &bits))
        return false;
    *out = stoa_float16_to_double(bits);
    return true;
}

static bool parse_float32(const struct stoa_literal *literal, double *out)
{
    float single;

    if (!stoa_number_parse_float(literal->text, literal->nbytes, &single))
        return false;
    *out = (double)single;
    return true;
}

static bool parse_float64(const struct stoa_literal *literal, double *out)
{
    return stoa_number_parse_double(literal->text, literal->nbytes, out);
}

static enum stoa_status
cast_to_float(struct job *job, bool (*parse)(const struct stoa_literal *, double *), double max)
{
    const struct stoa_literal *literal = job->literal;
    struct floor floor;

    if (literal->kind != STOA_LITERAL_NUMBER && !is_text(job))
        return not_of_type(job, "");
    if (parse(literal, &job->value.f64))
        return STOA_OK;
    if (!floor_number(literal->text, literal->nbytes, 0, &floor))
        return not_of_type(job, "");
    /* A number that rounds to infinity is past the largest one. */
    job->cast = STOA_CAST_BETWEEN;
    job->value.f64 = literal->text[0] == '-' ? -(double)INFINITY : max;
    return STOA_OK;
}

static enum stoa_status cast_float16(struct job *job)
{
    return cast_to_float(job, parse_float16, 65504);
}

static enum stoa_status cast_float32(struct job *job)
{
    return cast_to_float(job, parse_float32, (double)FLT_MAX);
}

static enum stoa_status cast_float64(struct job *job)
{
    return cast_to_float(job, parse_float64, DBL_MAX);
}

/* ---- Dates and times ---- */

static struct stoa_int128 nanos_of(int64_t seconds, uint32_t nanos)
{
    struct stoa_int128 x;
    bool fits = stoa_int128_mul_u64(stoa_int128_from_i64(seconds), 1000000000, &x) &&
                stoa_int128_add(x, stoa_int128_from_u64(nanos), &x);

    assert(fits);
    (void)fits;
    return x;
}

/* nanoseconds / per_unit, rounded down. */
static struct floor floor_nanos(struct stoa_int128 nanos, uint64_t per_unit)
{
    uint64_t rest;
    struct stoa_int128 units = stoa_int128_div_u64(nanos, per_unit, &rest);

    if (rest > 0 && nanos.hi < 0) {
        bool fits = stoa_int128_sub(units, stoa_int128_from_i64(1), &units);

        assert(fits);
        (void)fits;
    }
    return (struct floor){.value = stoa_int256_from_i128(units), .exact = rest == 0};
}

/* A timestamp, or a date alone as its midnight, which has no zone. */
static bool parse_instant(const struct stoa_literal *literal, struct stoa_timestamp_text *out)
{
    static const char midnight[] = "T00:00:00";
    char text[STOA_TIME_NBYTES + sizeof(midnight)];

    if (stoa_timestamp_parse_text(literal->text, literal->nbytes, out))
        return true;
    if (literal->nbytes > STOA_TIME_NBYTES)
        return false;
    memcpy(text, literal->text, literal->nbytes);
    memcpy(text + literal->nbytes, midnight, sizeof(midnight));
    return stoa_timestamp_parse_text(text, literal->nbytes + sizeof(midnight) - 1, out);
}

static enum stoa_status cast_date(struct job *job)
{
    struct stoa_timestamp_text text;
    struct floor floor;

    if (!is_text(job) || !parse_instant(job->literal, &text))
        return not_of_type(job, ": write a date as 'YYYY-MM-DD'");
    if (text.zone_nbytes > 0)
        return not_of_type(job, ": a date has no time zone");
    floor = floor_nanos(nanos_of(text.seconds, text.nanos), UINT64_C(86400000000000));
    place_signed(job, &floor, 32);
    return STOA_OK;
}

static uint64_t nanos_per_unit(enum stoa_time_unit unit)
{
    return UINT64_C(1000000000) / (uint64_t)stoa_time_unit_per_second(unit);
}

static enum stoa_status cast_timestamp(struct job *job)
{
    const struct stoa_type *type = type_of(job);
    struct stoa_timestamp_text text;
    struct floor floor;

    if (!is_text(job) || !parse_instant(job->literal, &text))
        return not_of_type(job, ": write a time as 'YYYY-MM-DD HH:MM:SS'");
    if (type->zone != NULL && text.zone_nbytes == 0)
        return not_of_type(job, ": it needs a time zone, as in '2013-01-05 00:00:00Z' or "
                                "'2013-01-05 00:00:00+02:00'");
    if (type->zone == NULL && text.zone_nbytes > 0)
        return not_of_type(job, ": the column has no time zone, leave it out");
    floor = floor_nanos(nanos_of(text.seconds, text.nanos), nanos_per_unit(type->unit));
    place_signed(job, &floor, 64);
    return STOA_OK;
}

static enum stoa_status cast_time(struct job *job)
{
    const struct stoa_literal *literal = job->literal;
    struct floor floor;
    int64_t nanos;

    if (!is_text(job) || !stoa_time_parse(literal->text, literal->nbytes, STOA_NANO, &nanos))
        return not_of_type(job, ": write a time of day as 'HH:MM:SS'");
    floor = floor_nanos(stoa_int128_from_i64(nanos), nanos_per_unit(type_of(job)->unit));
    place_signed(job, &floor, 64);
    return STOA_OK;
}

static enum stoa_status cast_duration(struct job *job)
{
    const struct stoa_literal *literal = job->literal;
    struct stoa_int128 nanos;
    struct floor floor;

    if (!is_text(job) || !stoa_duration_parse_nanos(literal->text, literal->nbytes, &nanos))
        return not_of_type(job, ": write a duration as 'PT1H30M' or 'PT0.5S'");
    floor = floor_nanos(nanos, nanos_per_unit(type_of(job)->unit));
    place_signed(job, &floor, 64);
    return STOA_OK;
}

/* ---- The rest ---- */

static bool literal_is(const struct stoa_literal *literal, const char *text)
{
    return literal->nbytes == strlen(text) && memcmp(literal->text, text, literal->nbytes) == 0;
}

static enum stoa_status cast_bool(struct job *job)
{
    bool takes = job->literal->kind == STOA_LITERAL_BOOL || is_text(job);

    job->value.u64 = literal_is(job->literal, "true");
    if (!takes || (job->value.u64 == 0 && !literal_is(job->literal, "false")))
        return not_of_type(job, ": write true or false");
    return STOA_OK;
}

static enum stoa_status cast_bytes(struct job *job)
{
    if (job->literal->kind == STOA_LITERAL_NUMBER || job->literal->kind == STOA_LITERAL_BOOL)
        return not_of_type(job, ": put it in quotes");
    if (type_of(job)->id == STOA_FIXED_BINARY && is_text(job))
        return not_of_type(job, ": write bytes as x'00ff'");
    job->value.bytes = (const uint8_t *)job->literal->text;
    job->value.nbytes = job->literal->nbytes;
    return STOA_OK;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* 32 digits in either case, with the four dashes or without any. */
static bool parse_uuid(const struct stoa_literal *literal, uint8_t *out)
{
    bool dashes = literal->nbytes == 36;
    size_t ndigits = 0;

    if (literal->nbytes != 32 && !dashes)
        return false;
    for (size_t i = 0; i < literal->nbytes; i++) {
        int digit = hex_digit(literal->text[i]);

        if (dashes && (i == 8 || i == 13 || i == 18 || i == 23)) {
            if (literal->text[i] != '-')
                return false;
            continue;
        }
        if (digit < 0)
            return false;
        out[ndigits / 2] = (uint8_t)(ndigits % 2 == 0 ? digit << 4 : out[ndigits / 2] | digit);
        ndigits++;
    }
    return true;
}

static enum stoa_status cast_uuid(struct job *job)
{
    if (job->literal->kind == STOA_LITERAL_BYTES)
        return cast_bytes(job);
    if (!is_text(job) || !parse_uuid(job->literal, job->storage))
        return not_of_type(job, ": write it as '00112233-4455-6677-8899-aabbccddeeff'");
    job->value.bytes = job->storage;
    job->value.nbytes = 16;
    return STOA_OK;
}

static const char *symbol_at(const void *context, size_t i)
{
    const struct stoa_type *type = context;

    return type->symbols[i];
}

static enum stoa_status cast_enum(struct job *job)
{
    const struct stoa_type *type = type_of(job);
    char name[96], meant[96], hint[160] = "";
    size_t nearest;

    if (!is_text(job))
        return not_of_type(job, ": write a symbol in quotes");
    for (uint32_t i = 0; i < type->nsymbols; i++) {
        if (literal_is(job->literal, type->symbols[i])) {
            job->value.u64 = i;
            return STOA_OK;
        }
    }
    stoa_quote(name, sizeof(name), job->literal->text, job->literal->nbytes);
    nearest = stoa_nearest(name, type->nsymbols, symbol_at, type);
    if (nearest < type->nsymbols)
        snprintf(hint, sizeof(hint), "; did you mean '%s'?",
                 stoa_quote(meant, sizeof(meant), type->symbols[nearest],
                            strlen(type->symbols[nearest])));
    return not_of_type(job, hint);
}

typedef enum stoa_status cast_function(struct job *job);

static cast_function *const casts[] = {
    [STOA_BOOL] = cast_bool,         [STOA_INT8] = cast_int,
    [STOA_INT16] = cast_int,         [STOA_INT32] = cast_int,
    [STOA_INT64] = cast_int,         [STOA_UINT8] = cast_uint,
    [STOA_UINT16] = cast_uint,       [STOA_UINT32] = cast_uint,
    [STOA_UINT64] = cast_uint,       [STOA_FLOAT16] = cast_float16,
    [STOA_FLOAT32] = cast_float32,   [STOA_FLOAT64] = cast_float64,
    [STOA_DECIMAL] = cast_decimal,   [STOA_DATE32] = cast_date,
    [STOA_TIME] = cast_time,         [STOA_TIMESTAMP] = cast_timestamp,
    [STOA_DURATION] = cast_duration, [STOA_UTF8] = cast_bytes,
    [STOA_BINARY] = cast_bytes,      [STOA_FIXED_BINARY] = cast_bytes,
    [STOA_UUID] = cast_uuid,         [STOA_ENUM] = cast_enum,
};

enum stoa_status stoa_cast_literal(const struct stoa_field *field,
                                   const struct stoa_literal *literal, enum stoa_cast *cast,
                                   struct stoa_scalar *value,
                                   uint8_t storage[STOA_CAST_STORAGE_NBYTES],
                                   struct stoa_error *err)
{
    struct job job = {
        .field = field,
        .literal = literal,
        .cast = STOA_CAST_EXACT,
        .value = {.kind = stoa_scalar_kind_of(&field->type)},
        .storage = storage,
        .err = err,
    };
    enum stoa_status st;

    assert(job.value.kind != STOA_KIND_NONE);
    st = casts[field->type.id](&job);
    if (st == STOA_OK) {
        *cast = job.cast;
        *value = job.value;
    }
    return st;
}
