/*
 * Nanoseconds per number and per timestamp, read and written, beside libc.
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

enum { NVALUES = 5000, ROOM = 32, NPASSES = 200 };

struct table {
    char text[NVALUES][ROOM];
    size_t nbytes[NVALUES];
    double value[NVALUES];
};

static uint64_t next_random(void)
{
    static uint64_t x = 88172645463325252;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return x;
}

static double any_double(void)
{
    double x;

    do {
        uint64_t bits = next_random();

        memcpy(&x, &bits, sizeof(x));
    } while (!isfinite(x));
    return x;
}

static int make_coordinate(char *out, double *value)
{
    *value = -73.9 - (double)(next_random() % 1000000) / 1e6;
    return snprintf(out, ROOM, "%.6f", *value);
}

static int make_price(char *out, double *value)
{
    *value = (double)(next_random() % 10000) / 100;
    return snprintf(out, ROOM, "%.2f", *value);
}

static int make_whole(char *out, double *value)
{
    *value = (double)(next_random() % 100000);
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
    time_t seconds = (time_t)(1357000000 + next_random() % 31000000);
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

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static const struct row {
    const char *what;
    int (*make)(char *out, double *value);
    uint64_t (*work)(const struct table *t, int i);
} rows[] = {
    {"-73.978165  read double", make_coordinate, read_double},
    {"            strtod", make_coordinate, read_strtod},
    {"            write double", make_coordinate, write_double},
    {"            printf %.17g", make_coordinate, write_printf},
    {"12.34       read double", make_price, read_double},
    {"            strtod", make_price, read_strtod},
    {"            read decimal(10,2)", make_price, read_decimal},
    {"            write double", make_price, write_double},
    {"any bits    read double", make_any, read_double},
    {"            strtod", make_any, read_strtod},
    {"            write double", make_any, write_double},
    {"            printf %.17g", make_any, write_printf},
    {"12345       read int64", make_whole, read_int64},
    {"            strtoll", make_whole, read_strtoll},
    {"            write int64", make_whole, write_int64},
    {"            write double", make_whole, write_double},
    {"timestamp   read", make_timestamp, read_timestamp},
    {"            write", make_timestamp, write_timestamp},
};

int main(void)
{
    static struct table table;
    uint64_t sum = 0;

    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        double best = INFINITY;

        for (int i = 0; i < NVALUES; i++)
            table.nbytes[i] = (size_t)rows[r].make(table.text[i], &table.value[i]);
        for (int pass = 0; pass < NPASSES; pass++) {
            double begin = now();

            for (int i = 0; i < NVALUES; i++)
                sum += rows[r].work(&table, i);
            best = fmin(best, now() - begin);
        }
        printf("%-32s %6.1f ns\n", rows[r].what, best / NVALUES);
    }
    return sum == 0; /* the work was done */
}
