/*
 * The evidence of a column: gathered, joined, and what follows from it (spec/csv.md, "Inference").
 *
 * Sets of what is still possible are joined by AND; counts, flags and largest numbers by their
 * sum, OR and maximum. None of them depends on an order. A conflict is the first value by place
 * that is not of a kind, so it is the first one of any grouping too, and the value that left
 * nothing but text is the last of these first values. What belongs to kinds that are gone is
 * cleared: whether it was gathered before they went would show the order.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/int128.h"
#include "column/type.h"
#include "csv/kind.h"
#include "csv/kind_text.h"

void stoa_csv_evidence_init(struct stoa_csv_evidence *evidence)
{
    memset(evidence, 0, sizeof(*evidence));
    evidence->kinds = STOA_CSV_KIND_ALL;
    evidence->days = STOA_CSV_DAYS_ALL;
    evidence->clocks = STOA_CSV_CLOCK_ALL;
    evidence->formats = UINT32_MAX;
}

/* ---- Gathering ---- */

static void show(struct stoa_csv_shown *out, const char *text, size_t nbytes)
{
    const size_t room = sizeof(out->text);

    memset(out, 0, sizeof(*out));
    out->nbytes = (uint8_t)(nbytes <= room ? nbytes : room + 1);
    memcpy(out->text, text, nbytes < room ? nbytes : room);
}

static bool is_before(const struct stoa_csv_place *a, const struct stoa_csv_place *b)
{
    return a->input != b->input ? a->input < b->input : a->offset < b->offset;
}

/* Less than 0 when a comes before b. */
static int compare_shown(const struct stoa_csv_shown *a, const struct stoa_csv_shown *b)
{
    const int order = memcmp(a->text, b->text, sizeof(a->text)); /* zeros behind a shorter one */

    return order != 0 ? order : (int)a->nbytes - (int)b->nbytes;
}

/* Numbers that are the same double by their digits, the longer one being farther from 0. */
static int compare_extremes(const struct stoa_csv_extreme *a, const struct stoa_csv_extreme *b)
{
    int order;

    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    if (a->number == 0 || a->value.nbytes == b->value.nbytes)
        order = compare_shown(&a->value, &b->value);
    else
        order = (int)a->value.nbytes - (int)b->value.nbytes;
    return a->number < 0 ? -order : order;
}

/* Widens a pair of extremes; `seen`: there is one already. */
static void widen(struct stoa_csv_extreme extremes[2], bool seen,
                  const struct stoa_csv_extreme *value)
{
    if (!seen || compare_extremes(value, &extremes[0]) < 0)
        extremes[0] = *value;
    if (!seen || compare_extremes(value, &extremes[1]) > 0)
        extremes[1] = *value;
}

static bool has_extremes(const struct stoa_csv_extreme extremes[2])
{
    return extremes[0].value.nbytes > 0;
}

static void note_extremes(struct stoa_csv_evidence *evidence,
                          const struct stoa_csv_text_kinds *kinds, const char *text, size_t nbytes)
{
    struct stoa_csv_extreme value = {0};

    show(&value.value, text, nbytes);
    widen(evidence->texts, has_extremes(evidence->texts), &value);
    value.number = kinds->number;
    if ((evidence->kinds & STOA_CSV_KIND_NUMBERS) != 0 && !isnan(value.number))
        widen(evidence->numbers, has_extremes(evidence->numbers), &value);
}

static void larger(uint32_t *x, uint32_t other)
{
    if (*x < other)
        *x = other;
}

/* Forgets what only kinds that are gone had use for. */
static void clear_useless(struct stoa_csv_evidence *evidence)
{
    const uint32_t kinds = evidence->kinds;

    if (!(kinds & STOA_CSV_KIND_DECIMAL))
        evidence->integer_ndigits = evidence->fraction_ndigits = 0;
    if (!(kinds & STOA_CSV_KIND_DOUBLE))
        evidence->fractions = false;
    if (!(kinds & STOA_CSV_KIND_NUMBERS))
        memset(evidence->numbers, 0, sizeof(evidence->numbers));
    if (!(kinds & STOA_CSV_KIND_DATES)) {
        evidence->days = evidence->clocks = evidence->formats = evidence->second_ndigits = 0;
        evidence->late = evidence->separators[0] = evidence->separators[1] = false;
        memset(evidence->padded, 0, sizeof(evidence->padded));
        memset(evidence->unpadded, 0, sizeof(evidence->unpadded));
    }
}

static void note_conflict(struct stoa_csv_evidence *evidence, uint32_t kinds, const char *text,
                          size_t nbytes, const struct stoa_csv_place *place)
{
    struct stoa_csv_shown value;

    show(&value, text, nbytes);
    for (unsigned i = 0; i < STOA_CSV_NKINDS; i++)
        if (kinds & UINT32_C(1) << i)
            evidence->conflicts[i] = (struct stoa_csv_conflict){.place = *place, .value = value};
}

static void narrow(struct stoa_csv_evidence *evidence, const struct stoa_csv_text_kinds *value)
{
    evidence->kinds &= value->kinds;
    if (evidence->kinds & STOA_CSV_KIND_DECIMAL) {
        larger(&evidence->integer_ndigits, value->integer_ndigits);
        larger(&evidence->fraction_ndigits, value->fraction_ndigits);
    }
    larger(&evidence->second_ndigits, value->second_ndigits);
    evidence->fractions |= value->fraction;
    evidence->days &= value->days;
    evidence->clocks &= value->clocks;
    evidence->formats &= value->formats;
    evidence->late |= value->late;
    for (size_t i = 0; i < 2; i++) {
        evidence->separators[i] |= value->separators[i];
        evidence->padded[i] |= value->padded[i];
        evidence->unpadded[i] |= value->unpadded[i];
    }
    clear_useless(evidence);
}

void stoa_csv_evidence_observe(struct stoa_csv_evidence *evidence,
                               const struct stoa_csv_spellings *spellings, const char *text,
                               size_t nbytes, bool quoted, const struct stoa_csv_place *place)
{
    struct stoa_csv_text_kinds value = {0};
    int word;

    if (nbytes == 0 && !quoted) {
        evidence->nnulls++;
        return;
    }
    word = nbytes == 0 ? 0 : stoa_csv_null_word(spellings, text, nbytes);
    if (nbytes == 0 || word > 0) {
        evidence->nwords++;
        evidence->words |= UINT64_C(1) << (word < 63 ? word : 63);
        return;
    }
    evidence->nvalues++;
    evidence->nquoted += quoted;
    if (evidence->kinds != 0) {
        stoa_csv_text_kinds(spellings, text, nbytes, &value);
        note_conflict(evidence, evidence->kinds & ~value.kinds, text, nbytes, place);
        narrow(evidence, &value);
    }
    note_extremes(evidence, &value, text, nbytes);
}

/* ---- Joining ---- */

static void join_extremes(struct stoa_csv_extreme extremes[2],
                          const struct stoa_csv_extreme other[2])
{
    for (size_t i = 0; i < 2 && has_extremes(other); i++)
        widen(extremes, has_extremes(extremes), &other[i]);
}

static void join_conflicts(struct stoa_csv_conflict *conflicts,
                           const struct stoa_csv_conflict *others)
{
    for (size_t i = 0; i < STOA_CSV_NKINDS; i++)
        if (others[i].value.nbytes > 0 &&
            (conflicts[i].value.nbytes == 0 || is_before(&others[i].place, &conflicts[i].place)))
            conflicts[i] = others[i];
}

void stoa_csv_evidence_join(struct stoa_csv_evidence *evidence,
                            const struct stoa_csv_evidence *other)
{
    evidence->kinds &= other->kinds;
    evidence->days &= other->days;
    evidence->clocks &= other->clocks;
    evidence->formats &= other->formats;
    evidence->nvalues += other->nvalues;
    evidence->nnulls += other->nnulls;
    evidence->nwords += other->nwords;
    evidence->nquoted += other->nquoted;
    evidence->words |= other->words;
    larger(&evidence->integer_ndigits, other->integer_ndigits);
    larger(&evidence->fraction_ndigits, other->fraction_ndigits);
    larger(&evidence->second_ndigits, other->second_ndigits);
    evidence->fractions |= other->fractions;
    evidence->late |= other->late;
    for (size_t i = 0; i < 2; i++) {
        evidence->separators[i] |= other->separators[i];
        evidence->padded[i] |= other->padded[i];
        evidence->unpadded[i] |= other->unpadded[i];
    }
    join_extremes(evidence->numbers, other->numbers);
    join_extremes(evidence->texts, other->texts);
    join_conflicts(evidence->conflicts, other->conflicts);
    clear_useless(evidence);
}

/* ---- Deciding ---- */

static enum stoa_time_unit unit_of(uint32_t ndigits)
{
    return ndigits == 0   ? STOA_SECOND
           : ndigits <= 3 ? STOA_MILLI
           : ndigits <= 6 ? STOA_MICRO
                          : STOA_NANO;
}

/* How dates and times can be read by all that is known; 0 is not at all. */
struct ways {
    bool iso_days;
    bool iso_clock;
    uint32_t days;    /* the one way to write them but ISO 8601 */
    uint32_t clocks;  /* and the time behind them */
    uint32_t formats; /* of the spellings */
};

static struct ways ways_of(const struct stoa_csv_evidence *evidence,
                           const struct stoa_csv_spellings *spellings)
{
    const unsigned order = (unsigned)spellings->date_order;
    struct ways ways = {
        .iso_days = (evidence->days & STOA_CSV_DAYS_ISO) != 0,
        .iso_clock = (evidence->clocks & STOA_CSV_CLOCK_ISO) != 0,
        .days = evidence->days & (STOA_CSV_SHORT_DAYS(0, 0) - 1),
        .formats = evidence->formats & ((UINT32_C(1) << spellings->npatterns) - 1),
    };

    if (order != STOA_CSV_DATE_AUTO &&
        (ways.days & UINT32_C(7) << 3 * (order - STOA_CSV_DATE_YMD)) != 0)
        ways.days &= UINT32_C(7) << 3 * (order - STOA_CSV_DATE_YMD);
    if ((ways.days & (ways.days - 1)) != 0)
        ways.days = 0;
    if (evidence->separators[0] != evidence->separators[1])
        ways.clocks = evidence->clocks & ~STOA_CSV_CLOCK_ISO;
    return ways;
}

/* The kinds of dates and times that can be read in some way. */
static uint32_t readable_dates(const struct ways *ways)
{
    uint32_t kinds = 0;

    if (ways->formats != 0)
        return STOA_CSV_KIND_DATES;
    if (ways->iso_days || ways->days != 0)
        kinds |= STOA_CSV_KIND_DATE;
    if (ways->iso_clock)
        kinds |= STOA_CSV_KIND_TIME;
    if (ways->iso_days && ways->iso_clock)
        kinds |= STOA_CSV_KIND_CLOCK | STOA_CSV_KIND_INSTANT;
    if (ways->days != 0 && ways->clocks != 0)
        kinds |= STOA_CSV_KIND_CLOCK;
    return kinds;
}

/* Why dates can't be read. */
static enum stoa_csv_reason reason_of_days(uint32_t days)
{
    if ((days & (STOA_CSV_SHORT_DAYS(0, 0) - 1)) != 0)
        return STOA_CSV_REASON_DATE_ORDER;
    return days != 0 ? STOA_CSV_REASON_CENTURY : STOA_CSV_REASON_PARAMETERS;
}

/* The kinds without those that no parameters make fit all values; why the last one went. */
static uint32_t kinds_left(const struct stoa_csv_evidence *evidence, const struct ways *ways,
                           bool quotes_tell, enum stoa_csv_reason *reason)
{
    uint32_t kinds = evidence->kinds;

    *reason = STOA_CSV_REASON_PARAMETERS;
    if (ways->formats != 0 && (kinds & STOA_CSV_KIND_DATES) != 0)
        kinds &= STOA_CSV_KIND_DATES; /* 20240229, when the user says so */
    if (quotes_tell && evidence->nquoted == evidence->nvalues &&
        (kinds & (STOA_CSV_KIND_BOOL | STOA_CSV_KIND_NUMBERS)) != 0) { /* "10115" is no number */
        kinds &= ~(uint32_t)(STOA_CSV_KIND_BOOL | STOA_CSV_KIND_NUMBERS);
        *reason = STOA_CSV_REASON_QUOTES;
    }
    if (evidence->integer_ndigits + evidence->fraction_ndigits > STOA_MAX_PRECISION)
        kinds &= ~(uint32_t)STOA_CSV_KIND_DECIMAL;
    if (!evidence->fractions)
        kinds &= ~(uint32_t)STOA_CSV_KIND_DOUBLE; /* whole numbers stay whole */
    if (evidence->second_ndigits > 6 && evidence->late)
        kinds &= ~(uint32_t)(STOA_CSV_KIND_CLOCK | STOA_CSV_KIND_INSTANT);
    if ((kinds & STOA_CSV_KIND_DATES & ~readable_dates(ways)) != 0)
        *reason = reason_of_days(evidence->days);
    return kinds & (readable_dates(ways) | ~(uint32_t)STOA_CSV_KIND_DATES);
}

/* The way a day is written as words of strptime(). */
static int print_days(const struct stoa_csv_evidence *evidence, uint32_t days, char *out,
                      size_t nbytes)
{
    static const char orders[3][3] = {"Ymd", "dmY", "mdY"};
    const char *flag = evidence->unpadded[0] && !evidence->padded[0] ? "-" : "";
    unsigned way = 0;
    char words[3][4];

    while (days >> way != 1)
        way++;
    for (size_t i = 0; i < 3; i++) {
        const char word = orders[way / 3][i];

        snprintf(words[i], sizeof(words[i]), "%%%s%c", word == 'Y' ? "" : flag, word);
    }
    return snprintf(out, nbytes, "%s%c%s%c%s", words[0], STOA_CSV_DAY_SEPARATORS[way % 3], words[1],
                    STOA_CSV_DAY_SEPARATORS[way % 3], words[2]);
}

static const char *clock_words(uint32_t clocks)
{
    static const struct {
        uint32_t clock;
        const char *words;
    } ways[] = {
        {STOA_CSV_CLOCK_SECONDS, "H:%M:%S"},
        {STOA_CSV_CLOCK_MINUTES, "H:%M"},
        {STOA_CSV_CLOCK_HALF_SECONDS, "I:%M:%S %p"},
        {STOA_CSV_CLOCK_HALF, "I:%M %p"},
        {STOA_CSV_CLOCK_FRACTION, "H:%M:%S.%"
                                  "f" /* lint sees no printf() */},
    };
    size_t i = 0;

    while (!(clocks & ways[i].clock))
        i++;
    return ways[i].words;
}

/* How values of a type that are not of a date format are written, where the type does not tell. */
static void print_format(const struct stoa_csv_evidence *evidence, const struct ways *ways,
                         const struct stoa_type *type, char *out, size_t nbytes)
{
    const char separator = evidence->separators[1] ? 'T' : ' ';
    const bool is_wall = type->id == STOA_TIMESTAMP && type->zone == NULL;
    int n;

    out[0] = '\0';
    if (type->id == STOA_DATE32 && !ways->iso_days) {
        print_days(evidence, ways->days, out, nbytes);
    } else if (is_wall && !(ways->iso_days && ways->iso_clock)) {
        n = print_days(evidence, ways->days, out, nbytes);
        snprintf(out + n, nbytes - (size_t)n, "%c%%%s%s", separator,
                 evidence->unpadded[1] && !evidence->padded[1] ? "-" : "",
                 clock_words(ways->clocks));
    } else if (type->id == STOA_TIMESTAMP && evidence->separators[0] != evidence->separators[1]) {
        snprintf(out, nbytes, "%%Y-%%m-%%d%c%%H:%%M:%%S%s", separator,
                 type->zone != NULL ? "Z" : "");
    }
}

/* Takes the first of the formats that reads all values; its kind is the only one left. */
static void take_format(const struct stoa_csv_spellings *spellings, uint32_t formats,
                        struct stoa_csv_decision *out)
{
    unsigned i = 0;

    while (!(formats >> i & 1))
        i++;
    out->kinds = stoa_csv_pattern_kind(&spellings->patterns[i]);
    out->format = spellings->date_formats[i];
}

/* The value that left nothing but text: the last of those that took a kind away first. */
static const struct stoa_csv_conflict *last_conflict(const struct stoa_csv_evidence *evidence)
{
    const struct stoa_csv_conflict *last = &evidence->conflicts[0];

    for (size_t i = 1; i < STOA_CSV_NKINDS; i++)
        if (is_before(&last->place, &evidence->conflicts[i].place))
            last = &evidence->conflicts[i];
    return last;
}

static struct stoa_type type_of(const struct stoa_csv_evidence *evidence, uint32_t kinds)
{
    static char utc[] = "UTC"; /* read only: whoever keeps the type copies it */
    const enum stoa_time_unit unit = unit_of(evidence->second_ndigits);
    const uint32_t ndigits = evidence->integer_ndigits + evidence->fraction_ndigits;
    const struct {
        uint32_t kind;
        struct stoa_type type;
    } types[] = {
        {STOA_CSV_KIND_BOOL, {.id = STOA_BOOL}},
        {STOA_CSV_KIND_INT64, {.id = STOA_INT64}},
        {STOA_CSV_KIND_UINT64, {.id = STOA_UINT64}},
        {STOA_CSV_KIND_DOUBLE, {.id = STOA_FLOAT64}},
        {STOA_CSV_KIND_DECIMAL,
         {.id = STOA_DECIMAL,
          .precision = (uint8_t)(ndigits > STOA_INT128_DIGITS ? ndigits : STOA_INT128_DIGITS),
          .scale = (uint8_t)evidence->fraction_ndigits}},
        {STOA_CSV_KIND_DATE, {.id = STOA_DATE32}},
        {STOA_CSV_KIND_TIME, {.id = STOA_TIME, .unit = unit}},
        {STOA_CSV_KIND_CLOCK, {.id = STOA_TIMESTAMP, .unit = unit}},
        {STOA_CSV_KIND_INSTANT, {.id = STOA_TIMESTAMP, .unit = unit, .zone = utc}},
    };

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (kinds & types[i].kind)
            return types[i].type;
    }
    return (struct stoa_type){.id = STOA_UTF8};
}

void stoa_csv_evidence_decide(const struct stoa_csv_evidence *evidence,
                              const struct stoa_csv_spellings *spellings, bool quotes_tell,
                              struct stoa_csv_decision *out)
{
    const struct ways ways = ways_of(evidence, spellings);

    *out = (struct stoa_csv_decision){.type = {.id = STOA_UTF8}};
    if (evidence->nvalues == 0) {
        out->reason = STOA_CSV_REASON_NO_VALUE;
        return;
    }
    if (evidence->kinds == 0) {
        out->reason = STOA_CSV_REASON_CONFLICT;
        out->conflict = last_conflict(evidence);
        return;
    }
    out->kinds = kinds_left(evidence, &ways, quotes_tell, &out->reason);
    if (out->kinds != 0)
        out->reason = STOA_CSV_REASON_VALUES;
    if ((out->kinds & STOA_CSV_KIND_DATES) != 0 && ways.formats != 0)
        take_format(spellings, ways.formats, out);
    out->type = type_of(evidence, out->kinds);
    if (out->format != NULL)
        return;
    print_format(evidence, &ways, &out->type, out->made, sizeof(out->made));
    if (out->made[0] != '\0')
        out->format = out->made;
}
