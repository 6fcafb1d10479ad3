/*
 * The work on Avro files that the bench compares, for Python's ctypes: one shared object does it
 * with the library of Stoa (avro_stoa.c), one with avro-c (avro_c.c).
 *
 * Every function returns 0, or something else with the reason in `message`.
 */
#ifndef BENCH_E2E_AVRO_WORK_H
#define BENCH_E2E_AVRO_WORK_H

#include <stddef.h>
#include <stdint.h>

#define BENCH_API            __attribute__((visibility("default")))
#define BENCH_MESSAGE_NBYTES 1024

/* What a file is asked for: proof that it was read. */
struct bench_read {
    uint64_t nrows;
    int64_t sum; /* of one column of ints */
};

/*
 * Reads every value of a file into memory of the library; with `column`, those of that one alone.
 * `summed` is a column of ints.
 */
BENCH_API int bench_avro_read(const char *path, const char *column, const char *summed,
                              unsigned nthreads, struct bench_read *out, char *message);

/*
 * The rows of a file in memory, as a program would have them that writes them with the library;
 * they may be written once.
 */
struct bench_rows;
BENCH_API int bench_avro_load(const char *path, struct bench_rows **out, char *message);
BENCH_API int bench_avro_write(struct bench_rows *rows, const char *path, const char *codec,
                               char *message);
BENCH_API void bench_avro_free(struct bench_rows *rows); /* NULL is fine */

#endif
