/* Columns that have their ways, and values that do not always keep to them. */
#include "support/gen_csv_values.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { NBYTES = STOA_TEST_CSV_VALUE_NBYTES };

enum content {
    INTEGERS,
    FLOATS,
    SCIENTIFIC,
    DECIMALS,
    LONG_INTEGERS,
    BOOLS,
    DATES,
    CLOCKS,
    TIMES,
    INSTANTS,
    PATTERNS,
    UUIDS,
    BYTES,
    DURATIONS,
    TEXTS,
    WORDS,
    NCONTENTS,
};

static const char *const types[] = {
    [INTEGERS] = "int64",
    [FLOATS] = "float64",
    [SCIENTIFIC] = "float64",
    [DECIMALS] = "decimal(24,6)",
    [LONG_INTEGERS] = "decimal(40,0)",
    [BOOLS] = "bool",
    [DATES] = "date32",
    [CLOCKS] = "time(us)",
    [TIMES] = "timestamp(us)",
    [INSTANTS] = "timestamp(ms,UTC)",
    [UUIDS] = "uuid",
    [BYTES] = "binary",
    [DURATIONS] = "duration(ms)",
    [TEXTS] = "utf8",
    [WORDS] = "enum(a,bc,de)",
};

/* Dates of other layouts, by the way of their column; months are left out by some days. */
static const struct pattern {
    const char *type;
    const char *format;
    const char *print; /* of year, month, day, hour, minute, second */
} patterns[] = {
    {"date32", "%d/%m/%Y", "%3$02u/%2$02u/%1$04u"},
    {"date32", "%-m/%-d/%Y", "%2$u/%3$u/%1$04u"},
    {"date32", "%d.%m.%Y", "%3$02u.%2$02u.%1$04u"},
    {"timestamp(s)", "%m/%d/%Y %H:%M", "%2$02u/%3$02u/%1$04u %4$02u:%5$02u"},
    {"timestamp(s)", "%Y/%m/%d %H:%M:%S", "%1$04u/%2$02u/%3$02u %4$02u:%5$02u:%6$02u"},
    {"date32", "%Y%m%d", "%1$04u%2$02u%3$02u"},
};
#define NPATTERNS (sizeof(patterns) / sizeof(patterns[0]))

static uint64_t below(struct stoa_test_random *r, uint64_t n)
{
    return stoa_test_random_below(r, n);
}

static bool one_in(struct stoa_test_random *r, unsigned n)
{
    return n > 0 && below(r, n) == 0;
}

static const char *pick(struct stoa_test_random *r, const char *const *words, size_t n)
{
    return words[below(r, n)];
}
#define PICK(r, words) pick(r, words, sizeof(words) / sizeof((words)[0]))

/* ---- Numbers. ---- */

static void write_float(struct stoa_test_random *r, const struct stoa_test_csv_column *column,
                        bool odd, char *out)
{
    static const char *const oddities[] = {"1e5",
                                           "-0",
                                           "0.1000000000000000055511151231257827",
                                           "1E-7",
                                           "0.0",
                                           "-0.000",
                                           "123456789012345.6",
                                           "17",
                                           "1.50",
                                           "100000000000000000000000",
                                           "0.30000000000000004",
                                           "5e-324",
                                           "1.2e+01",
                                           "nan",
                                           "-inf",
                                           "Infinity",
                                           ".5",
                                           "5.",
                                           "+5.0"};
    const int64_t whole = (int64_t)(stoa_test_random_wide(r) >> below(r, 64)) % 1000000;
    const double x = (double)(whole - 300000) / (one_in(r, 3) ? 1000.0 : 100.0);

    if (odd)
        snprintf(out, NBYTES, "%s", PICK(r, oddities));
    else if (one_in(r, 9))
        snprintf(out, NBYTES, "%s", column->way == 0 ? "0" : "0.00");
    else if (column->ndigits == 0)
        snprintf(out, NBYTES, "%.15g", x);
    else
        snprintf(out, NBYTES, "%.*f", (int)column->ndigits, x);
}

/* As printf() writes it, or without zeros in the exponent, or without its plus. */
static void write_scientific(struct stoa_test_random *r, const struct stoa_test_csv_column *column,
                             bool odd, char *out)
{
    static const char *const oddities[] = {"1e5",   "1E5",  "12e3",  "0.5e1", "1.e2",
                                           "1e005", "0e0",  "-0e00", "1e+00", "1.0e-10",
                                           "3",     "0.25", "1e-5",  "1E+5",  "7.50e0"};
    const double x = (double)((int64_t)below(r, 2000001) - 1000000);
    const int exponent = (int)below(r, 40) - 20;
    char digits[32], *e;

    if (odd) {
        snprintf(out, NBYTES, "%s", PICK(r, oddities));
        return;
    }
    snprintf(digits, sizeof(digits), "%.*e", (int)column->ndigits, x);
    e = strchr(digits, 'e');
    *e = '\0';
    snprintf(out, NBYTES, "%s%c%s%0*d", digits, column->way % 2 == 0 ? 'e' : 'E',
             column->way >= 3 && exponent >= 0 ? "+" : "",
             column->way < 2 ? 0
             : exponent < 0  ? 3
                             : 2,
             exponent);
}

static void write_integer(struct stoa_test_random *r, const struct stoa_test_csv_column *column,
                          bool odd, char *out)
{
    static const char *const oddities[] = {
        "007", "-0", "-012", "9223372036854775807", "00", "0", "+5", "9223372036854775808", "1e3"};
    const int64_t x = (int64_t)(stoa_test_random_wide(r) >> below(r, 64)) / 2 - 40;

    if (odd)
        snprintf(out, NBYTES, "%s", PICK(r, oddities));
    else
        snprintf(out, NBYTES, "%0*" PRId64, (int)column->ndigits, x);
}

static void write_long_integer(struct stoa_test_random *r, bool odd, char *out)
{
    const uint64_t high = stoa_test_random_wide(r), low = stoa_test_random_u64(r);
    const bool negative = one_in(r, 4);

    snprintf(out, NBYTES, "%s%" PRIu64 "%015" PRIu64,
             negative ? "-"
             : odd    ? "0"
                      : "",
             high, low % UINT64_C(1000000000000000));
}

/* The marks of a dialect in a number with a point; other texts stay what they are. */
static void localize(const struct stoa_test_csv_column *column, bool grouped, char *text)
{
    char number[NBYTES], *out = text;
    const char *at = number;
    size_t nwhole;

    if (text[strspn(text, "-0123456789.")] != '\0')
        return;
    memcpy(number, text, NBYTES);
    if (*at == '-')
        *out++ = *at++;
    nwhole = strspn(at, "0123456789");
    for (size_t i = 0; at[i] != '\0' && out < text + NBYTES - 2; i++) {
        if (grouped && i > 0 && i < nwhole && (nwhole - i) % 3 == 0)
            *out++ = column->thousands;
        *out++ = at[i] == '.' ? column->decimal : at[i];
    }
    *out = '\0';
}

/* ---- Times. ---- */

static void write_time(struct stoa_test_random *r, const struct stoa_test_csv_column *column,
                       bool odd, char *out)
{
    static const char *const zones[] = {"Z", "+00:00", "+0000", "+00", "+02:00", "-00:00"};
    static const char *const oddities[] = {"24:00:00", "23:59:60", "0001-01-01", "9999-12-31",
                                           "2024-02-30"};
    const unsigned day = (unsigned)below(r, 28) + 1, hour = (unsigned)below(r, 24);
    const unsigned year = odd ? 1 + (unsigned)below(r, 9999) : 2000 + (unsigned)below(r, 30);
    const unsigned way = odd ? (unsigned)below(r, 6) : column->way;
    const unsigned ndigits = odd ? (unsigned)below(r, 7) : column->ndigits % 7;
    char date[32], clock[32], fraction[16] = "";

    if (odd && one_in(r, 20)) {
        snprintf(out, NBYTES, "%s", PICK(r, oddities));
        return;
    }
    snprintf(date, sizeof(date), "%04u-%02u-%02u", year, (unsigned)below(r, 12) + 1, day);
    if (ndigits > 0)
        snprintf(fraction, sizeof(fraction), ".%0*u", (int)ndigits, (unsigned)below(r, 10));
    if (column->content == INSTANTS && ndigits > 3)
        fraction[4] = '\0';
    snprintf(clock, sizeof(clock), "%02u:%02u:%02u%s", hour, (unsigned)below(r, 60),
             (unsigned)below(r, 60), fraction);
    if (column->content == DATES)
        snprintf(out, NBYTES, "%s", date);
    else if (column->content == CLOCKS)
        snprintf(out, NBYTES, "%s", clock);
    else
        snprintf(out, NBYTES, "%s%c%s%s", date, way % 2 == 0 ? ' ' : 'T', clock,
                 column->content == INSTANTS ? zones[way % 6] : "");
}

static void write_pattern(struct stoa_test_random *r, const struct stoa_test_csv_column *column,
                          bool odd, char *out)
{
    const unsigned year = odd ? 1 + (unsigned)below(r, 9999) : 1990 + (unsigned)below(r, 50);
    const unsigned month = 1 + (unsigned)below(r, 12), day = 1 + (unsigned)below(r, 28);
    const unsigned hour = (unsigned)below(r, 24), minute = (unsigned)below(r, 60);

    snprintf(out, NBYTES, patterns[column->way % NPATTERNS].print, year, month, day, hour, minute,
             (unsigned)below(r, 60));
    if (odd && *out == '0' && one_in(r, 4))
        memmove(out, out + 1, strlen(out)); /* 1/02/2024 */
}

/* ---- Text. ---- */

static void write_uuid(struct stoa_test_random *r, const struct stoa_test_csv_column *column,
                       bool odd, char *out)
{
    const unsigned way = odd ? (unsigned)below(r, 3) : column->way % 2;
    const unsigned a = (unsigned)stoa_test_random_u64(r);

    snprintf(out, NBYTES,
             way == 0   ? "%08x-ab12-34cd-5678-0123456789ab"
             : way == 1 ? "%08X-AB12-34CD-5678-0123456789AB"
                        : "%08x-AB12-34cd-5678-0123456789AB",
             a);
}

/* Text of any kind; what a dialect can't hold is put in quotes or taken out later. */
static void write_text(struct stoa_test_random *r, bool odd, char *out)
{
    static const char *const plain[] = {"a",  "word",  "two words", "Z\xc3\xbcrich", "12",
                                        "NA", "x y z", "0",         "medallion",     "1.50"};
    static const char *const special[] = {
        ",",    "\"", "\n",       "\r\n",         "\r",   ";",      "'",
        "\\",   "#",  " ",        "\t",           "\"\"", "|",      "''",
        "\\\\", "x",  "\xc3\xa9", "\xe6\x97\xa5", "\x02", "\r\r\n", "="};

    *out = '\0';
    if (!odd) {
        snprintf(out, NBYTES, "%s", PICK(r, plain));
        return;
    }
    for (uint64_t n = below(r, 6); n > 0; n--)
        strcat(out, PICK(r, special));
}

/* ---- Columns. ---- */

bool stoa_test_csv_column_is_text(const struct stoa_test_csv_column *column)
{
    return column->content == TEXTS;
}

void stoa_test_csv_column_draw(struct stoa_test_random *r, char decimal, char thousands,
                               struct stoa_test_csv_column *out)
{
    static const char *const nulls[] = {"", "", "", "NA", "NULL", "null", "\\N", "#N/A"};

    *out = (struct stoa_test_csv_column){.decimal = decimal, .thousands = thousands};
    out->content = one_in(r, 3) ? TEXTS : (enum content)below(r, NCONTENTS);
    out->ndigits = (unsigned)below(r, 9);
    out->way = (unsigned)below(r, 6);
    out->quotes = one_in(r, 3) ? (unsigned)below(r, 3) : 0;
    out->odd = one_in(r, 2) ? 0 : 1 + (unsigned)below(r, 40);
    out->nulls = one_in(r, 2) ? 0 : 2 + (unsigned)below(r, 20);
    out->null = PICK(r, nulls);
    if (out->content == INTEGERS && !one_in(r, 3))
        out->ndigits = 0;
    if (out->content == DECIMALS)
        out->ndigits = 1 + out->ndigits % 6;
    out->type = types[out->content];
    if (out->content == PATTERNS) {
        out->type = patterns[out->way % NPATTERNS].type;
        out->format = patterns[out->way % NPATTERNS].format;
    }
}

static void write_number(struct stoa_test_random *r, const struct stoa_test_csv_column *column,
                         bool odd, char *out)
{
    const bool grouped = column->thousands != '\0' && !one_in(r, 8);

    if (column->content == INTEGERS)
        write_integer(r, column, odd, out);
    else if (column->content == LONG_INTEGERS)
        write_long_integer(r, odd, out);
    else if (column->content == SCIENTIFIC)
        write_scientific(r, column, odd, out);
    else
        write_float(r, column, odd && column->content == FLOATS, out);
    localize(column, grouped, out);
}

void stoa_test_csv_column_write(struct stoa_test_random *r,
                                const struct stoa_test_csv_column *column,
                                char out[STOA_TEST_CSV_VALUE_NBYTES])
{
    static const char *const bools[] = {"true", "false", "True", "False", "TRUE", "FALSE"};
    static const char *const words[] = {"a", "bc", "de"};
    static const char *const bytes[] = {"", "AA==", "aGVsbG8=", "////"};
    static const char *const durations[] = {"PT1H", "PT90M", "PT0S", "PT1H30M0.5S", "P1DT1S"};
    const bool odd = one_in(r, column->odd);

    switch ((enum content)column->content) {
    case INTEGERS:
    case LONG_INTEGERS:
    case SCIENTIFIC:
    case FLOATS:
    case DECIMALS:
        write_number(r, column, odd, out);
        break;
    case BOOLS:
        snprintf(out, NBYTES, "%s", bools[odd ? below(r, 6) : 2 * (column->way % 3) + below(r, 2)]);
        break;
    case UUIDS:
        write_uuid(r, column, odd, out);
        break;
    case BYTES:
        snprintf(out, NBYTES, "%s", PICK(r, bytes));
        break;
    case DURATIONS:
        snprintf(out, NBYTES, "%s", PICK(r, durations));
        break;
    case WORDS:
        snprintf(out, NBYTES, "%s", PICK(r, words));
        break;
    case TEXTS:
        write_text(r, odd, out);
        break;
    case PATTERNS:
        write_pattern(r, column, odd, out);
        break;
    default:
        write_time(r, column, odd, out);
        break;
    }
}
