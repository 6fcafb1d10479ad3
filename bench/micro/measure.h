/*
 * What the programs of bench/micro share: the clock, random bits, the speed of this machine's
 * memory, and one form of output.
 *
 * A row is what one piece of code does to many values. Its roofline is the least time that moving
 * its bytes takes on this machine, measured in the same run: reading alone where it only reads, a
 * copy where it writes too. With `--json` a row is a line of JSON.
 */
#ifndef STOA_BENCH_MEASURE_H
#define STOA_BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Larger than any cache of today's machines: what data from memory means here. */
#define MEASURE_MEMORY_NBYTES ((size_t)128 << 20)

/* Bytes a second from memory: of reading, and of memcpy(), bytes read and written together. */
struct measure_roof {
    double read;
    double copy;
};

struct measure_row {
    const char *group;
    const char *name;
    double nvalues;
    double value_nbytes; /* of one value, decoded; 0: not bytes, no GB/s and no roofline */
    double read_nbytes;  /* of all values */
    double written_nbytes;
    double seconds;
    double cached_seconds;    /* for the same values out of the first cache; 0: not measured */
    double reference_seconds; /* of the plain code, out of the first cache; 0: not measured */
};

double measure_seconds(void);
uint64_t measure_random(void);

/* Seconds of the fastest of npasses passes over `work`, which runs nrepeats times in each. */
double measure_best(void (*work)(const void *), const void *context, int nrepeats, int npasses);

/* Prints the head of the table, and what memory does; measured once. */
const struct measure_roof *measure_begin(int argc, char **argv);
void measure_print(const struct measure_row *row);

/* Zeroed memory that stays until the program ends. */
void *measure_memory(size_t nbytes);

#endif
