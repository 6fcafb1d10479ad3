/*
 * What a text can be: the kinds that hold it exactly, and its shape (spec/csv.md, "Inference").
 *
 * A number is taken apart once, and its digits tell of all kinds of number at the same time. What
 * is no number may be a date or a time.
 */
#include "csv/kind.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/number.h"
#include "base/number_scan.h"
#include "base/time.h"
#include "column/type.h"
#include "csv/csv_number.h"
#include "csv/csv_table.h"
#include "csv/kind_text.h"

/* ---- Rules ---- */

enum stoa_status stoa_csv_spellings_init(struct stoa_csv_spellings *spellings,
                                         const struct stoa_csv_options *options,
                                         struct stoa_error *err)
{
    static const char *const nulls[] = {"NA", "N/A", "NULL", "null", "None", "\\N", "#N/A", NULL};
    static const char *const yes[] = {"true", "True", "TRUE", NULL};
    static const char *const no[] = {"false", "False", "FALSE", NULL};
    const char *const *formats = options->date_formats;
    enum stoa_status st = STOA_OK;

    *spellings = (struct stoa_csv_spellings){
        .null_values = options->null_values != NULL ? options->null_values : nulls,
        .true_values = options->true_values != NULL ? options->true_values : yes,
        .false_values = options->false_values != NULL ? options->false_values : no,
        .date_formats = formats,
        .date_order = options->date_order,
        .decimal = stoa_csv_decimal(options),
        .thousands = stoa_csv_thousands(options),
    };
    for (; formats != NULL && formats[spellings->npatterns] != NULL; spellings->npatterns++) {
        if (spellings->npatterns == STOA_CSV_MAX_DATE_FORMATS)
            return stoa_fail(err, STOA_ERR_USAGE, "there can be at most %u date formats",
                             STOA_CSV_MAX_DATE_FORMATS);
        STOA_TRY(stoa_time_pattern_compile(formats[spellings->npatterns],
                                           &spellings->patterns[spellings->npatterns], err));
    }
out:
    return st;
}

enum stoa_csv_kind stoa_csv_pattern_kind(const struct stoa_time_pattern *pattern)
{
    return !pattern->has_clock  ? STOA_CSV_KIND_DATE
           : !pattern->has_date ? STOA_CSV_KIND_TIME
           : pattern->has_zone  ? STOA_CSV_KIND_INSTANT
                                : STOA_CSV_KIND_CLOCK;
}

/* ---- Words ---- */

/* The place of a text, which is not empty, in a list, or -1. */
static int find_word(const char *const *words, const char *text, size_t nbytes)
{
    for (int i = 0; words[i] != NULL; i++) {
        if (words[i][0] != text[0])
            continue; /* nearly always: saves the length of the word */
        if (strlen(words[i]) == nbytes && memcmp(words[i], text, nbytes) == 0)
            return i;
    }
    return -1;
}

int stoa_csv_null_word(const struct stoa_csv_spellings *spellings, const char *text, size_t nbytes)
{
    return find_word(spellings->null_values, text, nbytes) + 1;
}

static bool is_bool(const struct stoa_csv_spellings *spellings, const char *text, size_t nbytes)
{
    return find_word(spellings->true_values, text, nbytes) >= 0 ||
           find_word(spellings->false_values, text, nbytes) >= 0;
}

/* ---- Numbers ---- */

/* So many digits are exact in a double, and so is 10 to that power. */
#define MAX_PLAIN_NDIGITS 15

static bool integer_fits(const struct stoa_csv_text_kinds *out)
{
    static const double whole_end = 9007199254740992.0; /* 2^53 */

    return out->number > -whole_end && out->number < whole_end;
}

/* Whether the double stands for the number: it has no more digits than 17, and is no zero that
   comes of a number that was too small. */
static bool double_is_exact(const struct stoa_csv_text_kinds *out, const char *text, size_t nbytes)
{
    const size_t ndigits = stoa_number_significant_digits(text, nbytes);

    return ndigits <= STOA_CSV_DOUBLE_NDIGITS && (out->number != 0 || ndigits == 0);
}

static double scaled(const struct stoa_number_text *number)
{
    static const double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    const double x = (double)number->digits / powers[number->fraction_ndigits];

    return number->negative ? -x : x; /* both are exact, so the quotient is the nearest double */
}

static void find_integer_kinds(struct stoa_csv_text_kinds *out, const char *text, size_t nbytes)
{
    int64_t i64;
    uint64_t u64;

    if (stoa_number_parse_int64(text, nbytes, &i64))
        out->kinds |= STOA_CSV_KIND_INT64;
    if (stoa_number_parse_uint64(text, nbytes, &u64))
        out->kinds |= STOA_CSV_KIND_UINT64;
}

static void find_number_kinds(struct stoa_csv_text_kinds *out, const char *text, size_t nbytes)
{
    struct stoa_number_text number;
    const char *end = text + nbytes;
    size_t ndigits;
    bool point, exponent, negative_zero, small;

    if (text[0] == '+')
        return; /* an international phone number, for example */
    if (!stoa_number_scan(text, nbytes, &number)) {
        if (stoa_number_parse_double(text, nbytes, &out->number)) { /* nan, inf */
            out->kinds |= STOA_CSV_KIND_DOUBLE;
            out->fraction = true;
        }
        return;
    }
    if (number.whole_ndigits > 1 && number.whole[0] == '0')
        return; /* codes: 007 */
    ndigits = number.whole_ndigits + number.fraction_ndigits;
    point = number.whole + number.whole_ndigits < end && number.whole[number.whole_ndigits] == '.';
    exponent = number.fraction + number.fraction_ndigits < end;
    small = ndigits <= MAX_PLAIN_NDIGITS && !exponent;
    if (small)
        out->number = scaled(&number);
    else if (!stoa_number_parse_double(text, nbytes, &out->number))
        out->number = number.negative ? -INFINITY : INFINITY; /* too large for a double */
    out->fraction = point || exponent;
    negative_zero = number.negative && stoa_number_significant_digits(text, nbytes) == 0;
    if (!out->fraction && !negative_zero)
        find_integer_kinds(out, text, nbytes);
    if (!exponent && !negative_zero && ndigits <= STOA_MAX_PRECISION) {
        out->kinds |= STOA_CSV_KIND_DECIMAL;
        out->integer_ndigits = (uint32_t)number.whole_ndigits;
        if (number.whole_ndigits == 1 && number.whole[0] == '0')
            out->integer_ndigits = 0;
        out->fraction_ndigits = (uint32_t)number.fraction_ndigits;
    }
    if (small || (isfinite(out->number) &&
                  (out->fraction ? double_is_exact(out, text, nbytes) : integer_fits(out))))
        out->kinds |= STOA_CSV_KIND_DOUBLE;
}

/* ---- Dates and times ---- */

/* The forms of ISO 8601 that a type reads without a pattern. */
static void find_iso_kinds(struct stoa_csv_text_kinds *out, const char *text, size_t nbytes)
{
    struct stoa_timestamp_text parts;
    int64_t i64;
    int32_t days;
    const char *point;

    if (stoa_date_parse(text, nbytes, &days)) {
        out->kinds = STOA_CSV_KIND_DATE;
        out->days = STOA_CSV_DAYS_ISO;
        return;
    }
    if (stoa_time_parse(text, nbytes, STOA_NANO, &i64)) {
        point = memchr(text, '.', nbytes);
        out->second_ndigits = point != NULL ? (uint32_t)(text + nbytes - point) - 1 : 0;
        out->kinds = STOA_CSV_KIND_TIME;
        out->clocks = STOA_CSV_CLOCK_ISO;
        return;
    }
    /* Another offset than Z would be lost. */
    if (!stoa_timestamp_parse_text(text, nbytes, &parts) || parts.zone_nbytes > 1)
        return;
    out->second_ndigits = parts.fraction_ndigits;
    out->separators[parts.separator == 'T'] = true;
    out->late = !stoa_timestamp_parse(text, nbytes, STOA_NANO, parts.zone_nbytes == 1, &i64);
    out->kinds = parts.zone_nbytes == 1 ? STOA_CSV_KIND_INSTANT : STOA_CSV_KIND_CLOCK;
    out->days = STOA_CSV_DAYS_ISO;
    out->clocks = STOA_CSV_CLOCK_ISO;
}

/* What a text is by the date formats of the spellings. */
static void find_formats(const struct stoa_csv_spellings *spellings,
                         struct stoa_csv_text_kinds *out, const char *text, size_t nbytes)
{
    static const int64_t nanos_end = INT64_MAX / 1000000000;

    for (unsigned i = 0; i < spellings->npatterns; i++) {
        struct stoa_timestamp_text parts;

        if (!stoa_time_pattern_parse(&spellings->patterns[i], text, nbytes, &parts))
            continue;
        out->kinds |= stoa_csv_pattern_kind(&spellings->patterns[i]);
        out->formats |= UINT32_C(1) << i;
        out->late |= parts.seconds >= nanos_end || parts.seconds <= -nanos_end;
        if (parts.fraction_ndigits > out->second_ndigits)
            out->second_ndigits = parts.fraction_ndigits;
    }
}

void stoa_csv_text_kinds(const struct stoa_csv_spellings *spellings, const char *text,
                         size_t nbytes, struct stoa_csv_text_kinds *out)
{
    const bool usual = spellings->decimal == '.' && spellings->thousands == -1;
    char rewritten[STOA_CSV_NUMBER_NBYTES];
    size_t nrewritten;

    *out = (struct stoa_csv_text_kinds){0};
    if (is_bool(spellings, text, nbytes))
        out->kinds = STOA_CSV_KIND_BOOL;
    nrewritten = usual ? 0
                       : stoa_csv_number_rewrite(text, nbytes, spellings->decimal,
                                                 spellings->thousands, rewritten);
    if (usual)
        find_number_kinds(out, text, nbytes);
    else if (nrewritten > 0)
        find_number_kinds(out, rewritten, nrewritten);
    if (out->kinds == 0) {
        *out = (struct stoa_csv_text_kinds){0};
        find_iso_kinds(out, text, nbytes);
        stoa_csv_date_kinds(text, nbytes, out);
    }
    find_formats(spellings, out, text, nbytes);
}
