/*
 * Loops of dates and times (csv/parse_loop.h): ISO 8601 of years 0001 to 9999.
 *
 *     2 0 1 3 - 0 1 - 0 3   1 4 : 1 9 : 0 0 [. 2 5] [Z]
 *     <---- a word ---> <-> ^ <---- a word ---> <digits>
 *
 * Most rows are of the same month as the one before, and then no calendar is needed.
 */
#include "base/int128.h"
#include "base/time.h"
#include "base/time_scan.h"
#include "csv/parse_loop.h"

enum { DATE_NBYTES = 10, CLOCK_NBYTES = 8 };

/* The month of a text, and what the type of the column says. */
struct state {
    uint64_t month;        /* "YYYY-MM-" */
    int32_t days;          /* of the day before its first */
    unsigned ndays;        /* that it has */
    unsigned unit_ndigits; /* behind the second */
    bool zoned;
};

static struct state state_of(const struct stoa_csv_scan *scan)
{
    const struct stoa_type *type = &scan->column->field->type;

    return (struct state){
        .month = stoa_load64("1970-01-"),
        .days = -1,
        .ndays = 31,
        .unit_ndigits = 3 * (unsigned)type->unit,
        .zoned = type->zone != NULL,
    };
}

/* "YYYY-MM-"; false when there is no such month. */
static bool find_month(const char *text, struct state *state)
{
    struct stoa_civil first = {.day = 1}, next = {.day = 1};
    unsigned century, year;
    int64_t begin;

    if (!stoa_two_digits(text, &century) || !stoa_two_digits(text + 2, &year) || text[4] != '-' ||
        !stoa_two_digits(text + 5, &first.month) || text[7] != '-')
        return false;
    first.year = century * 100 + year;
    if (!stoa_civil_is_valid(first))
        return false;
    next.year = first.year + (first.month == 12);
    next.month = first.month % 12 + 1;
    begin = stoa_days_from_civil(first);
    state->month = stoa_load64(text);
    state->days = (int32_t)begin - 1;
    state->ndays = (unsigned)(stoa_days_from_civil(next) - begin);
    return true;
}

STOA_CSV_INLINE bool take_date(const char *text, struct state *state, int32_t *days)
{
    unsigned day;

    if (stoa_load64(text) != state->month && !find_month(text, state))
        return false;
    if (!stoa_two_digits(text + 8, &day) || day - 1 >= state->ndays)
        return false;
    *days = state->days + (int32_t)day;
    return true;
}

/* "HH:MM:SS" in seconds. */
STOA_CSV_INLINE bool take_clock(const char *text, int32_t *seconds)
{
    /* Digits become their value, colons 0. 0x76 lifts a byte above 9 to 0x80, 0x7f one above 0. */
    const uint64_t x = stoa_load64(text) ^ UINT64_C(0x30303a30303a3030);
    const uint64_t over = (x + UINT64_C(0x76767f76767f7676)) | x;
    const uint64_t pairs = x * 10 + (x >> 8); /* in bytes 0, 3 and 6 */
    const unsigned hour = pairs & 0xff, minute = pairs >> 24 & 0xff, second = pairs >> 48 & 0xff;

    *seconds = (int32_t)(hour * 3600 + minute * 60 + second);
    return (over & STOA_CSV_BYTES(0x80)) == 0 && hour < 24 && minute < 60 && second < 60;
}

/* A '.' and one to eight digits, all of the text: their value and number. */
STOA_CSV_INLINE bool take_fraction(const char *text, size_t nbytes, uint64_t *value)
{
    uint64_t digits;

    if (*text != '.' || nbytes < 2 || nbytes > 9 ||
        !stoa_csv_digits_load(text + 1, nbytes - 1, &digits))
        return false;
    *value = stoa_csv_digits_value(digits);
    return true;
}

/* seconds and a fraction of `nbytes` bytes of text in the unit of a column. */
STOA_CSV_INLINE bool take_rest(unsigned unit_ndigits, const char *text, size_t nbytes,
                               int64_t seconds, int64_t *out, unsigned *form)
{
    uint64_t fraction;

    *out = seconds * (int64_t)stoa_pow10[unit_ndigits];
    if (nbytes == 0)
        return true;
    if (nbytes - 1 > unit_ndigits || !take_fraction(text, nbytes, &fraction))
        return false;
    *out += (int64_t)(fraction * stoa_pow10[unit_ndigits - (nbytes - 1)]);
    *form |= (unsigned)nbytes - 1;
    return true;
}

STOA_CSV_INLINE bool plain_date(const struct stoa_csv_column *column, const char *text,
                                size_t nbytes, void *state, void *out, unsigned *form)
{
    int32_t days;

    (void)column, (void)form;
    if (nbytes != DATE_NBYTES || !take_date(text, state, &days))
        return false;
    memcpy(out, &days, sizeof(days));
    return true;
}

STOA_CSV_INLINE bool plain_time(const struct stoa_csv_column *column, const char *text,
                                size_t nbytes, void *state, void *out, unsigned *form)
{
    const unsigned unit_ndigits = ((const struct state *)state)->unit_ndigits;
    int32_t seconds;
    int64_t x;

    (void)column;
    if (nbytes < CLOCK_NBYTES || !take_clock(text, &seconds) ||
        !take_rest(unit_ndigits, text + CLOCK_NBYTES, nbytes - CLOCK_NBYTES, seconds, &x, form))
        return false;
    if (unit_ndigits >= 6) {
        memcpy(out, &x, sizeof(x));
    } else {
        const int32_t small = (int32_t)x;

        memcpy(out, &small, sizeof(small));
    }
    return true;
}

/* Years that 64 bits of nanoseconds hold in any case: 1678 to 2261. */
STOA_CSV_INLINE bool is_near(int32_t days)
{
    return days >= -106650 && days < 106651;
}

STOA_CSV_INLINE bool plain_timestamp(const struct stoa_csv_column *column, const char *text,
                                     size_t nbytes, void *state, void *out, unsigned *form)
{
    struct state *type = state;
    const size_t head = DATE_NBYTES + 1 + CLOCK_NBYTES;
    int32_t days, seconds;
    int64_t x;

    (void)column;
    if (type->zoned) {
        if (text[nbytes - 1] != 'Z')
            return false;
        nbytes--;
    }
    if (nbytes < head || (text[DATE_NBYTES] != ' ' && text[DATE_NBYTES] != 'T') ||
        !take_clock(text + DATE_NBYTES + 1, &seconds) || !take_date(text, type, &days) ||
        (type->unit_ndigits == 9 && !is_near(days)) ||
        !take_rest(type->unit_ndigits, text + head, nbytes - head,
                   (int64_t)days * STOA_DAY_SECONDS + seconds, &x, form))
        return false;
    memcpy(out, &x, sizeof(x));
    if (text[DATE_NBYTES] == 'T')
        *form |= STOA_CSV_FORM_T;
    return true;
}

void stoa_csv_loop_date(struct stoa_csv_scan *scan)
{
    struct state state = state_of(scan);

    if (!scan->column->has_pattern)
        stoa_csv_loop(scan, sizeof(int32_t), plain_date, &state);
}

void stoa_csv_loop_time(struct stoa_csv_scan *scan)
{
    struct state state = state_of(scan);

    if (scan->column->has_pattern)
        return;
    if (state.unit_ndigits >= 6)
        stoa_csv_loop(scan, sizeof(int64_t), plain_time, &state);
    else
        stoa_csv_loop(scan, sizeof(int32_t), plain_time, &state);
}

void stoa_csv_loop_timestamp(struct stoa_csv_scan *scan)
{
    struct state state = state_of(scan);

    if (!scan->column->has_pattern)
        stoa_csv_loop(scan, sizeof(int64_t), plain_timestamp, &state);
}
