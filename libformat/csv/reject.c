/*
 * The kinds of bad records (spec/csv.md, "Bad records").
 */
#include "csv/reject.h"

#include "base/number.h"
#include "base/time.h"

static const char *const names_of_kinds[STOA_CSV_NREJECTS] = {
    [STOA_CSV_REJECT_CAST] = "cast",
    [STOA_CSV_REJECT_OUT_OF_RANGE] = "out_of_range",
    [STOA_CSV_REJECT_NOT_NULL] = "not_null",
    [STOA_CSV_REJECT_ENCODING] = "invalid_encoding",
    [STOA_CSV_REJECT_FEWER] = "missing_columns",
    [STOA_CSV_REJECT_MORE] = "too_many_columns",
    [STOA_CSV_REJECT_AFTER_QUOTE] = "text_after_quote",
    [STOA_CSV_REJECT_STRAY_QUOTE] = "stray_quote",
    [STOA_CSV_REJECT_OPEN_QUOTE] = "unterminated_quote",
    [STOA_CSV_REJECT_TOO_LARGE] = "record_too_large",
};

const char *stoa_csv_reject_name(enum stoa_csv_reject_kind kind)
{
    return names_of_kinds[kind];
}

/* ---- Kinds. ---- */

/* [-] digits, of which the value is outside of the type: not just written in another way. */
static bool is_integer_out_of_range(const struct stoa_type *type, const char *text, size_t nbytes)
{
    const bool is_signed = type->id >= STOA_INT8 && type->id <= STOA_INT64;
    const unsigned nbits = 8U << (type->id - (is_signed ? STOA_INT8 : STOA_UINT8));
    const uint64_t most = is_signed ? (UINT64_C(1) << (nbits - 1)) - 1 : UINT64_MAX >> (64 - nbits);
    size_t i = nbytes > 0 && text[0] == '-';
    int64_t low;
    uint64_t high;

    if (i == nbytes)
        return false;
    for (; i < nbytes; i++)
        if (text[i] < '0' || text[i] > '9')
            return false;
    if (text[0] == '-')
        return !stoa_number_parse_int64(text, nbytes, &low) ||
               (is_signed ? low < -(int64_t)most - 1 : low < 0);
    return !stoa_number_parse_uint64(text, nbytes, &high) || high > most;
}

static bool is_out_of_range(const struct stoa_type *type, const char *text, size_t nbytes)
{
    struct stoa_timestamp_text parsed;
    unsigned whole, fraction;

    if (type->id >= STOA_INT8 && type->id <= STOA_UINT64)
        return is_integer_out_of_range(type, text, nbytes);
    if (type->id >= STOA_FLOAT16 && type->id <= STOA_DECIMAL)
        return stoa_decimal_shape(text, nbytes, &whole, &fraction);
    if (type->id == STOA_TIMESTAMP)
        return stoa_timestamp_parse_text(text, nbytes, &parsed) &&
               (parsed.zone_nbytes > 0) == (type->zone != NULL);
    return false;
}

enum stoa_csv_reject_kind stoa_csv_reject_of_field(const struct stoa_csv_column *column,
                                                   const struct stoa_csv_field *field,
                                                   enum stoa_csv_outcome outcome)
{
    if (outcome == STOA_CSV_NULL)
        return STOA_CSV_REJECT_NOT_NULL;
    if (outcome == STOA_CSV_NOT_UTF8)
        return STOA_CSV_REJECT_ENCODING;
    return is_out_of_range(&column->field->type, field->text, field->nbytes)
               ? STOA_CSV_REJECT_OUT_OF_RANGE
               : STOA_CSV_REJECT_CAST;
}

enum stoa_csv_reject_kind stoa_csv_reject_of_fault(enum stoa_csv_fault fault)
{
    static const enum stoa_csv_reject_kind kinds[STOA_CSV_NFAULTS] = {
        [STOA_CSV_OPEN_QUOTE] = STOA_CSV_REJECT_OPEN_QUOTE,
        [STOA_CSV_TEXT_AFTER_QUOTE] = STOA_CSV_REJECT_AFTER_QUOTE,
        [STOA_CSV_STRAY_QUOTE] = STOA_CSV_REJECT_STRAY_QUOTE,
        [STOA_CSV_FEWER_FIELDS] = STOA_CSV_REJECT_FEWER,
        [STOA_CSV_MORE_FIELDS] = STOA_CSV_REJECT_MORE,
    };

    return kinds[fault];
}
