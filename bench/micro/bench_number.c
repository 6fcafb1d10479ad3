/*
 * Numbers and timestamps, read from text and written as text, beside libc. GB/s are those of text.
 *
 *     make build/release/bench/micro/bench_number && build/release/bench/micro/bench_number
 *
 * Each row is the best of some passes over the same 5,000 texts, which fit the second-level cache.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/number.h"
#include "base/time.h"
#include "measure.h"

enum { NVALUES = 5000, ROOM = 32, NPASSES = 200 };

struct table {
    char text[NVALUES][ROOM];
    size_t nbytes[NVALUES];
    double value[NVALUES];
};

static double any_double(void)
{
    double x;

    do {
        uint64_t bits = measure_random();

        memcpy(&x, &bits, sizeof(x));
    } while (!isfinite(x));
    return x;
}

static int make_coordinate(char *out, double *value)
{
    *value = -73.9 - (double)(measure_random() % 1000000) / 1e6;
    return snprintf(out, ROOM, "%.6f", *value);
}

static int make_price(char *out, double *value)
{
    *value = (double)(measure_random() % 10000) / 100;
    return snprintf(out, ROOM, "%.2f", *value);
}

static int make_whole(char *out, double *value)
{
    *value = (double)(measure_random() % 100000);
    return snprintf(out, ROOM, "%.0f", *value);
}

static int make_any(char *out, double *value)
{
    *value = any_double();
    return snprintf(out, ROOM, "%.17g", *value);
}

/* `value` is the number of seconds. */
static int make_timestamp(char *out, double *value)
{
    time_t seconds = (time_t)(1357000000 + measure_random() % 31000000);
    struct tm tm;

    *value = (double)seconds;
    gmtime_r(&seconds, &tm);
    return (int)strftime(out, ROOM, "%Y-%m-%d %H:%M:%S", &tm);
}

/* Each does value i and returns something that depends on all of the work. */
static uint64_t read_double(const struct table *t, int i)
{
    double x = 0;
    uint64_t bits;

    (void)stoa_number_parse_double(t->text[i], t->nbytes[i], &x);
    memcpy(&bits, &x, sizeof(bits));
    return bits;
}

static uint64_t read_strtod(const struct table *t, int i)
{
    double x = strtod(t->text[i], NULL);
    uint64_t bits;

    memcpy(&bits, &x, sizeof(bits));
    return bits;
}

static uint64_t write_double(const struct table *t, int i)
{
    char out[STOA_NUMBER_NBYTES];
    size_t n = stoa_number_format_double(t->value[i], out);

    return (uint64_t)out[n - 1] + n;
}

static uint64_t write_printf(const struct table *t, int i)
{
    char out[STOA_NUMBER_NBYTES];
    int n = snprintf(out, sizeof(out), "%.17g", t->value[i]);

    return (uint64_t)out[n - 1] + (uint64_t)n;
}

static uint64_t read_int64(const struct table *t, int i)
{
    int64_t x = 0;

    (void)stoa_number_parse_int64(t->text[i], t->nbytes[i], &x);
    return (uint64_t)x;
}

static uint64_t read_strtoll(const struct table *t, int i)
{
    return (uint64_t)strtoll(t->text[i], NULL, 10);
}

static uint64_t write_int64(const struct table *t, int i)
{
    char out[STOA_NUMBER_NBYTES];
    size_t n = stoa_number_format_int64((int64_t)t->value[i], out);

    return (uint64_t)out[n - 1] + n;
}

static uint64_t read_decimal(const struct table *t, int i)
{
    struct stoa_int128 x = {0};

    (void)stoa_decimal_parse(t->text[i], t->nbytes[i], 10, 2, &x);
    return x.lo;
}

static uint64_t read_timestamp(const struct table *t, int i)
{
    int64_t x = 0;

    (void)stoa_timestamp_parse(t->text[i], t->nbytes[i], STOA_SECOND, false, &x);
    return (uint64_t)x;
}

static uint64_t write_timestamp(const struct table *t, int i)
{
    char out[STOA_TIME_NBYTES];
    size_t n = stoa_timestamp_format((int64_t)t->value[i], STOA_SECOND, false, ' ', out);

    return (uint64_t)out[n - 1] + n;
}

static const struct row {
    const char *what;
    int (*make)(char *out, double *value);
    uint64_t (*work)(const struct table *t, int i);
} rows[] = {
    {"-73.978165 read double", make_coordinate, read_double},
    {"-73.978165 strtod", make_coordinate, read_strtod},
    {"-73.978165 write double", make_coordinate, write_double},
    {"-73.978165 printf %.17g", make_coordinate, write_printf},
    {"12.34 read double", make_price, read_double},
    {"12.34 strtod", make_price, read_strtod},
    {"12.34 read decimal(10,2)", make_price, read_decimal},
    {"12.34 write double", make_price, write_double},
    {"any bits read double", make_any, read_double},
    {"any bits strtod", make_any, read_strtod},
    {"any bits write double", make_any, write_double},
    {"any bits printf %.17g", make_any, write_printf},
    {"12345 read int64", make_whole, read_int64},
    {"12345 strtoll", make_whole, read_strtoll},
    {"12345 write int64", make_whole, write_int64},
    {"12345 write double", make_whole, write_double},
    {"timestamp read", make_timestamp, read_timestamp},
    {"timestamp write", make_timestamp, write_timestamp},
};

struct pass {
    const struct row *row;
    const struct table *table;
};

static void run_pass(const void *context)
{
    const struct pass *pass = context;
    uint64_t sum = 0;

    for (int i = 0; i < NVALUES; i++)
        sum += pass->row->work(pass->table, i);
    __asm__ volatile("" ::"r"(sum)); /* the work was done */
}

int main(int argc, char **argv)
{
    static struct table table;

    measure_begin(argc, argv);
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        struct pass pass = {&rows[r], &table};
        size_t nbytes = 0;
        struct measure_row row = {.group = "number", .name = rows[r].what, .nvalues = NVALUES};

        for (int i = 0; i < NVALUES; i++) {
            table.nbytes[i] = (size_t)rows[r].make(table.text[i], &table.value[i]);
            nbytes += table.nbytes[i];
        }
        row.value_nbytes = (double)nbytes / NVALUES;
        row.read_nbytes = (double)nbytes;
        row.seconds = measure_best(run_pass, &pass, 1, NPASSES);
        measure_print(&row);
    }
    return 0;
}
