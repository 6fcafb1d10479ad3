#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct measure_roof roof;
static bool as_json;

double measure_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

uint64_t measure_random(void)
{
    static uint64_t x = 88172645463325252;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return x;
}

double measure_best(void (*work)(const void *), const void *context, int nrepeats, int npasses)
{
    double least = 1e9;

    for (int pass = 0; pass < npasses; pass++) {
        double start = measure_seconds(), used;

        for (int i = 0; i < nrepeats; i++) {
            work(context);
            __asm__ volatile("" ::: "memory");
        }
        used = (measure_seconds() - start) / nrepeats;
        least = used < least ? used : least;
    }
    return least;
}

void *measure_memory(size_t nbytes)
{
    void *p = aligned_alloc(4096, (nbytes + 4095) / 4096 * 4096);

    if (p == NULL) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    memset(p, 0, nbytes); /* all zero pages are one page until they are written */
    return p;
}

/* ---- What memory does. ---- */

struct copy {
    uint64_t *from;
    uint64_t *to;
};

static void run_read(const void *context)
{
    const uint64_t *x = ((const struct copy *)context)->from;
    uint64_t a = 0, b = 0, c = 0, d = 0;

    for (size_t i = 0; i < MEASURE_MEMORY_NBYTES / 8; i += 4) {
        a |= x[i];
        b |= x[i + 1];
        c |= x[i + 2];
        d |= x[i + 3];
    }
    a |= b | c | d;
    __asm__ volatile("" ::"r"(a));
}

static void run_copy(const void *context)
{
    const struct copy *copy = context;

    memcpy(copy->to, copy->from, MEASURE_MEMORY_NBYTES);
}

static void measure_roof(void)
{
    struct copy copy = {measure_memory(MEASURE_MEMORY_NBYTES),
                        measure_memory(MEASURE_MEMORY_NBYTES)};

    roof.read = (double)MEASURE_MEMORY_NBYTES / measure_best(run_read, &copy, 1, 20);
    roof.copy = 2 * (double)MEASURE_MEMORY_NBYTES / measure_best(run_copy, &copy, 1, 20);
    free(copy.from);
    free(copy.to);
}

/* ---- Output. ---- */

const struct measure_roof *measure_begin(int argc, char **argv)
{
    as_json = argc == 2 && strcmp(argv[1], "--json") == 0;
    measure_roof();
    if (as_json)
        return &roof;
    printf("memory: read %.1f GB/s, copy %.1f GB/s (read and written)\n", roof.read / 1e9,
           roof.copy / 1e9);
    printf("%-8s %-48s %9s %12s %9s %12s %12s\n", "", "", "GB/s", "M values/s", "of roof",
           "cached GB/s", "plain GB/s");
    return &roof;
}

static double share_of_roof(const struct measure_row *row)
{
    double nbytes = row->read_nbytes + row->written_nbytes;
    double limit = row->written_nbytes > 0 ? roof.copy : roof.read;

    return row->seconds > 0 ? nbytes / limit / row->seconds : 0;
}

static void print_number(const char *key, double value)
{
    if (value > 0)
        printf(", \"%s\": %.4g", key, value);
}

/* Of what was not measured nothing is said. */
static void print_cell(int width, double value)
{
    if (value > 0)
        printf(" %*.2f", width, value);
    else
        printf(" %*s", width, "-");
}

void measure_print(const struct measure_row *row)
{
    double nbytes = row->nvalues * row->value_nbytes;
    double gb = row->seconds > 0 ? nbytes / row->seconds / 1e9 : 0;
    double cached = row->cached_seconds > 0 ? nbytes / row->cached_seconds / 1e9 : 0;
    double reference = row->reference_seconds > 0 ? nbytes / row->reference_seconds / 1e9 : 0;
    double share = row->value_nbytes > 0 ? share_of_roof(row) : 0;

    if (as_json) {
        printf("{\"group\": \"%s\", \"name\": \"%s\"", row->group, row->name);
        print_number("gb_per_s", gb);
        print_number("values_per_s", row->nvalues / row->seconds);
        print_number("of_roofline", share);
        print_number("cached_gb_per_s", cached);
        print_number("plain_gb_per_s", reference);
        print_number("memory_read_gb_per_s", roof.read / 1e9);
        print_number("memory_copy_gb_per_s", roof.copy / 1e9);
        puts("}");
    } else {
        printf("%-8s %-48s", row->group, row->name);
        print_cell(9, gb);
        print_cell(12, row->nvalues / row->seconds / 1e6);
        if (share > 0)
            printf(" %7.1f %%", 100 * share);
        else
            printf(" %9s", "-");
        print_cell(12, cached);
        print_cell(12, reference);
        putchar('\n');
    }
    fflush(stdout);
}
