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
    struct stoa_known_month month;
    unsigned unit_ndigits; /* behind the second */
    bool zoned;
};

static struct state state_of(const struct stoa_csv_scan *scan)
{
    const struct stoa_type *type = &scan->column->field->type;

    return (struct state){
        .month = stoa_known_month_init(),
        .unit_ndigits = 3 * (unsigned)type->unit,
        .zoned = type->zone != NULL,
    };
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
    if (nbytes != DATE_NBYTES || !stoa_date_scan(&((struct state *)state)->month, text, &days))
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
    if (nbytes < CLOCK_NBYTES || !stoa_clock_scan(text, &seconds) ||
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
        !stoa_clock_scan(text + DATE_NBYTES + 1, &seconds) ||
        !stoa_date_scan(&type->month, text, &days) || (type->unit_ndigits == 9 && !is_near(days)) ||
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
