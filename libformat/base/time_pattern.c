/*
 * Dates and times by a pattern.
 *
 * A pattern is compiled to steps, one a word or a character, which text goes through from the left:
 *
 *     %d/%m/%Y     day  '/'  month  '/'  year          "5/11/2024"
 *
 * A word is a row of the table below: a number of so many digits, or what its own function reads.
 */
#include "base/time_pattern.h"

#include <assert.h>
#include <string.h>

#include "base/error.h"
#include "base/time_scan.h"

/* What the words of a text said. */
struct parts {
    unsigned year, month, day, hour, minute, second; /* numbers of the table begin here */
    unsigned half;                                   /* 0 AM, 1 PM */
    uint32_t nanos;
    uint8_t fraction_ndigits;
    uint8_t zone_nbytes;
    int32_t offset_seconds;
};

/* What a word tells; no pattern may tell one twice. */
enum told {
    YEAR = 1,
    MONTH = 2,
    DAY = 4,
    HOUR = 8,
    MINUTE = 16,
    SECOND = 32,
    HALF = 64,
    FRACTION = 128,
    ZONE = 256,
    HALF_HOUR = 512, /* with HOUR: 1..12, and needs HALF */
};

struct word {
    char letter;
    uint8_t ndigits; /* of a number, or 0 */
    uint16_t told;
    size_t offset; /* of the number in struct parts */
    /* Bytes of the text that it takes, 0: none of it. */
    size_t (*read)(const char *text, size_t nbytes, struct parts *parts);
};

static const char *const months[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};
enum { SHORT_NBYTES = 3 }; /* of a month */

static bool starts_with(const char *text, size_t nbytes, const char *word, size_t word_nbytes)
{
    if (nbytes < word_nbytes)
        return false;
    for (size_t i = 0; i < word_nbytes; i++) {
        if ((text[i] | 0x20) != (word[i] | 0x20))
            return false;
    }
    return true;
}

static size_t read_month(const char *text, size_t nbytes, struct parts *parts)
{
    for (unsigned i = 0; i < 12; i++) {
        size_t length = strlen(months[i]);

        if (starts_with(text, nbytes, months[i], length)) {
            parts->month = i + 1;
            return length;
        }
    }
    return 0;
}

static size_t read_short_month(const char *text, size_t nbytes, struct parts *parts)
{
    for (unsigned i = 0; i < 12; i++) {
        if (starts_with(text, nbytes, months[i], SHORT_NBYTES)) {
            parts->month = i + 1;
            return SHORT_NBYTES;
        }
    }
    return 0;
}

static size_t read_half(const char *text, size_t nbytes, struct parts *parts)
{
    parts->half = starts_with(text, nbytes, "PM", 2);
    return parts->half || starts_with(text, nbytes, "AM", 2) ? 2 : 0;
}

static size_t read_short_year(const char *text, size_t nbytes, struct parts *parts)
{
    unsigned year;

    if (nbytes < 2 || !stoa_two_digits(text, &year))
        return 0;
    parts->year = year + (year < 69 ? 2000 : 1900);
    return 2;
}

static size_t read_fraction(const char *text, size_t nbytes, struct parts *parts)
{
    parts->fraction_ndigits = (uint8_t)stoa_fraction_scan(text, nbytes, &parts->nanos);
    return parts->fraction_ndigits;
}

static size_t read_zone(const char *text, size_t nbytes, struct parts *parts)
{
    parts->zone_nbytes = (uint8_t)stoa_zone_scan(text, nbytes, &parts->offset_seconds);
    return parts->zone_nbytes;
}

static size_t read_zone_name(const char *text, size_t nbytes, struct parts *parts)
{
    parts->zone_nbytes = 1;
    return starts_with(text, nbytes, "UTC", 3) || starts_with(text, nbytes, "GMT", 3) ? 3 : 0;
}

/* A step's word is a row of this table, or LITERAL. */
/* clang-format off */
static const struct word words[] = {
    {'Y', 4, YEAR,             offsetof(struct parts, year),   NULL},
    {'y', 0, YEAR,             0,                              read_short_year},
    {'m', 2, MONTH,            offsetof(struct parts, month),  NULL},
    {'b', 0, MONTH,            0,                              read_short_month},
    {'B', 0, MONTH,            0,                              read_month},
    {'d', 2, DAY,              offsetof(struct parts, day),    NULL},
    {'H', 2, HOUR,             offsetof(struct parts, hour),   NULL},
    {'I', 2, HOUR | HALF_HOUR, offsetof(struct parts, hour),   NULL},
    {'p', 0, HALF,             0,                              read_half},
    {'M', 2, MINUTE,           offsetof(struct parts, minute), NULL},
    {'S', 2, SECOND,           offsetof(struct parts, second), NULL},
    {'f', 0, FRACTION,         0,                              read_fraction},
    {'z', 0, ZONE,             0,                              read_zone},
    {'Z', 0, ZONE,             0,                              read_zone_name},
};
/* clang-format on */

enum { NWORDS = sizeof(words) / sizeof(words[0]), LITERAL = NWORDS };

/* ---- Compiling. ---- */

/* The word behind a percent sign, "Y" or "-d"; LITERAL when there is none. */
static uint8_t find_word(const char *text)
{
    const bool bare = text[0] == '-';

    for (uint8_t i = 0; i < NWORDS; i++) {
        if (words[i].letter == text[bare] && (!bare || words[i].ndigits == 2))
            return i;
    }
    return LITERAL;
}

static bool is_number(const struct stoa_time_step *step)
{
    return step->word == LITERAL
               ? step->literal >= '0' && step->literal <= '9'
               : words[step->word].ndigits > 0 || words[step->word].letter == 'y' ||
                     words[step->word].letter == 'f';
}

/* Two digits where one could be taken for a part of the number beside it. */
static void mark_pairs(struct stoa_time_pattern *pattern)
{
    for (size_t i = 1; i < pattern->nsteps; i++) {
        if (is_number(&pattern->steps[i - 1]) && is_number(&pattern->steps[i])) {
            pattern->steps[i - 1].pair = true;
            pattern->steps[i].pair = true;
        }
    }
}

/* Why the words don't make a day or a time of the day, or NULL. */
static const char *complaint(unsigned told)
{
    const unsigned date = told & (YEAR | MONTH | DAY);

    if (date != 0 && date != (YEAR | MONTH | DAY))
        return "names a part of a date only";
    if (date == 0 && !(told & HOUR))
        return "names neither a date nor an hour";
    if (!(told & HOUR) && (told & ~date))
        return "has no hour";
    if (!(told & HALF) != !(told & HALF_HOUR))
        return "needs %I and %p together";
    if ((told & SECOND) && !(told & MINUTE))
        return "has seconds without minutes";
    if ((told & FRACTION) && !(told & SECOND))
        return "has a fraction without seconds";
    if ((told & ZONE) && date == 0)
        return "has a zone without a date";
    return NULL;
}

enum stoa_status stoa_time_pattern_compile(const char *text, struct stoa_time_pattern *out,
                                           struct stoa_error *err)
{
    struct stoa_time_pattern pattern = {0};
    unsigned told = 0;
    const char *why;

    for (const char *at = text; *at != '\0';) {
        struct stoa_time_step step = {.word = LITERAL, .literal = *at++};

        if (pattern.nsteps == STOA_TIME_PATTERN_NSTEPS)
            return stoa_fail(err, STOA_ERR_USAGE, "pattern \"%s\" is too long", text);
        if (step.literal == '%' && *at == '%') {
            at++;
        } else if (step.literal == '%') {
            step.word = find_word(at);
            step.bare = *at == '-';
            at += step.bare;
            if (step.word == LITERAL)
                return stoa_fail(err, STOA_ERR_USAGE, "pattern \"%s\": there is no word %%%s%c",
                                 text, step.bare ? "-" : "", *at != '\0' ? *at : ' ');
            if (told & words[step.word].told)
                return stoa_fail(err, STOA_ERR_USAGE, "pattern \"%s\" tells %%%c twice", text,
                                 words[step.word].letter);
            told |= words[step.word].told;
            at++;
        }
        pattern.steps[pattern.nsteps++] = step;
    }
    why = complaint(told);
    if (why != NULL)
        return stoa_fail(err, STOA_ERR_USAGE, "pattern \"%s\" %s", text, why);
    mark_pairs(&pattern);
    pattern.has_date = (told & YEAR) != 0;
    pattern.has_clock = (told & HOUR) != 0;
    pattern.has_fraction = (told & FRACTION) != 0;
    pattern.has_zone = (told & ZONE) != 0;
    *out = pattern;
    return STOA_OK;
}

/* ---- Reading. ---- */

/* A number of `ndigits` digits or, of two, one if it stands alone; its bytes, or 0. */
static size_t read_number(const char *text, size_t nbytes, unsigned ndigits, bool pair,
                          unsigned *out)
{
    unsigned x = 0, n = 0;

    while (n < ndigits && n < nbytes && (unsigned char)(text[n] - '0') <= 9)
        x = x * 10 + (unsigned)(text[n++] - '0');
    *out = x;
    return n == ndigits || (n == 1 && ndigits == 2 && !pair) ? n : 0;
}

static size_t read_step(const struct stoa_time_step *step, const char *text, size_t nbytes,
                        struct parts *parts)
{
    const struct word *word;

    if (step->word == LITERAL)
        return nbytes > 0 && *text == step->literal;
    word = &words[step->word];
    if (word->ndigits == 0)
        return word->read(text, nbytes, parts);
    return read_number(text, nbytes, word->ndigits, step->pair,
                       (unsigned *)((char *)parts + word->offset));
}

bool stoa_time_pattern_parse(const struct stoa_time_pattern *pattern, const char *text,
                             size_t nbytes, struct stoa_timestamp_text *out)
{
    struct parts parts = {.year = 1970, .month = 1, .day = 1, .half = 2};
    const char *at = text, *end = text + nbytes;
    struct stoa_civil civil;

    for (size_t i = 0; i < pattern->nsteps; i++) {
        size_t used = read_step(&pattern->steps[i], at, (size_t)(end - at), &parts);

        if (used == 0)
            return false;
        at += used;
    }
    if (parts.half != 2) { /* 12 AM is midnight */
        if (parts.hour < 1 || parts.hour > 12)
            return false;
        parts.hour = parts.hour % 12 + 12 * parts.half;
    }
    civil = (struct stoa_civil){.year = parts.year, .month = parts.month, .day = parts.day};
    if (at != end || !stoa_civil_is_valid(civil) || parts.hour > 23 || parts.minute > 59 ||
        parts.second > 59)
        return false;
    *out = (struct stoa_timestamp_text){
        .seconds = stoa_days_from_civil(civil) * STOA_DAY_SECONDS + parts.hour * 3600 +
                   parts.minute * 60 + parts.second - parts.offset_seconds,
        .nanos = parts.nanos,
        .offset_seconds = parts.offset_seconds,
        .fraction_ndigits = parts.fraction_ndigits,
        .zone_nbytes = parts.zone_nbytes,
    };
    return true;
}

/* ---- Printing. ---- */

static char *print_number(char *at, unsigned x, unsigned ndigits)
{
    for (unsigned i = ndigits; i-- > 0; x /= 10)
        at[i] = (char)('0' + x % 10);
    return at + ndigits;
}

static char *print_text(char *at, const char *text, size_t nbytes)
{
    memcpy(at, text, nbytes);
    return at + nbytes;
}

static char *print_word(const struct stoa_time_step *step, const struct parts *parts,
                        enum stoa_time_utc utc, char *at)
{
    static const char *const utcs[] = {"Z", "+00:00", "+0000", "+00"};
    const struct word *word = &words[step->word];
    const char *month = months[parts->month - 1];
    unsigned x;

    switch (word->letter) {
    case 'y':
        return print_number(at, parts->year % 100, 2);
    case 'b':
        return print_text(at, month, SHORT_NBYTES);
    case 'B':
        return print_text(at, month, strlen(month));
    case 'p':
        return print_text(at, parts->hour < 12 ? "AM" : "PM", 2);
    case 'f':
        return print_number(
            at, parts->nanos / (unsigned)stoa_pow10[STOA_NANO_NDIGITS - parts->fraction_ndigits],
            parts->fraction_ndigits);
    case 'z':
        return print_text(at, utcs[utc], strlen(utcs[utc]));
    case 'Z':
        return print_text(at, "UTC", 3);
    case 'I':
        x = parts->hour % 12 == 0 ? 12 : parts->hour % 12;
        break;
    default:
        memcpy(&x, (const char *)parts + word->offset, sizeof(x));
    }
    return print_number(at, x, step->bare && !step->pair && x < 10 ? 1 : word->ndigits);
}

static bool has_short_year(const struct stoa_time_pattern *pattern)
{
    for (size_t i = 0; i < pattern->nsteps; i++) {
        if (pattern->steps[i].word != LITERAL && words[pattern->steps[i].word].letter == 'y')
            return true;
    }
    return false;
}

size_t stoa_time_pattern_format(const struct stoa_time_pattern *pattern, int64_t seconds,
                                uint32_t nanos, unsigned fraction_ndigits, enum stoa_time_utc utc,
                                char *out)
{
    const int64_t days = seconds / STOA_DAY_SECONDS - (seconds % STOA_DAY_SECONDS < 0);
    const struct stoa_civil civil = stoa_civil_from_days(days);
    const unsigned clock = (unsigned)(seconds - days * STOA_DAY_SECONDS);
    const struct parts parts = {
        .year = (unsigned)civil.year,
        .month = civil.month,
        .day = civil.day,
        .hour = clock / 3600,
        .minute = clock / 60 % 60,
        .second = clock % 60,
        .nanos = nanos,
        .fraction_ndigits = (uint8_t)fraction_ndigits,
    };
    char *at = out;

    assert(fraction_ndigits <= STOA_NANO_NDIGITS && (unsigned)utc <= STOA_UTC_HOURS);
    if (!stoa_civil_is_valid(civil) ||
        (has_short_year(pattern) && (civil.year < 1969 || civil.year > 2068)))
        return 0;
    for (size_t i = 0; i < pattern->nsteps; i++) {
        const struct stoa_time_step *step = &pattern->steps[i];

        if (step->word == LITERAL)
            *at++ = step->literal;
        else
            at = print_word(step, &parts, utc, at);
    }
    return (size_t)(at - out);
}
