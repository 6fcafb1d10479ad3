/*
 * CPU time that a row group takes on its way into a file, step by step, on a table like the trips.
 *
 *     make build/release/bench/micro/bench_writer && build/release/bench/micro/bench_writer
 *
 * One thread; the table is made before the clock starts. Of sixteen row groups one also chooses the
 * encodings, as in a file. Processor time; GB/s are those of the batches in memory.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <stoa/writer.h>

#include "measure.h"

enum { NGROUPS = 16, NROWS = 131072, NCOLUMNS = 14, NMEDALLIONS = 13437, NLICENCES = 32224 };

static void check(enum stoa_status st, const struct stoa_error *err)
{
    if (st != STOA_OK) {
        fprintf(stderr, "bench_writer: %s\n", err->message);
        exit(1);
    }
}

static double cpu_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double unit(void)
{
    return (double)(measure_random() >> 11) * (1.0 / 9007199254740992.0);
}

static double gauss(void)
{
    double a = unit() + 1e-12, b = unit();

    return sqrt(-2 * log(a)) * cos(6.283185307179586 * b);
}

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* calloc: the batches are freed by the library, whose allocator is malloc. */
static void *memory(size_t nbytes)
{
    void *p = calloc(1, nbytes + STOA_ARRAY_SLACK);

    if (p == NULL)
        exit(1);
    return p;
}

static void fixed(struct stoa_array *array)
{
    array->nvalues = NROWS;
    array->values = memory(NROWS * 8);
}

static void text(struct stoa_array *array, size_t nbytes)
{
    array->nvalues = NROWS;
    array->values = memory(NROWS * nbytes);
    array->offsets = memory((NROWS + 1) * 4);
}

static void put_text(struct stoa_array *array, size_t i, const char *bytes, size_t nbytes)
{
    memcpy(array->values + array->offsets[i], bytes, nbytes);
    array->offsets[i + 1] = array->offsets[i] + (int32_t)nbytes;
}

static void put_i64(struct stoa_array *array, size_t i, int64_t x)
{
    memcpy(array->values + 8 * i, &x, 8);
}

static void put_f64(struct stoa_array *array, size_t i, double x)
{
    memcpy(array->values + 8 * i, &x, 8);
}

static double rounded(double x, double unit_)
{
    return round(x * unit_) / unit_;
}

static void make_schema(struct stoa_schema *schema)
{
    static const struct {
        const char *name;
        struct stoa_type type;
    } columns[NCOLUMNS] = {
        {"medallion", {.id = STOA_UTF8}},
        {"hack_license", {.id = STOA_UTF8}},
        {"vendor_id", {.id = STOA_UTF8}},
        {"rate_code", {.id = STOA_INT64}},
        {"store_and_fwd_flag", {.id = STOA_UTF8}},
        {"pickup_datetime", {.id = STOA_TIMESTAMP}},
        {"dropoff_datetime", {.id = STOA_TIMESTAMP}},
        {"passenger_count", {.id = STOA_INT64}},
        {"trip_time_in_secs", {.id = STOA_INT64}},
        {"trip_distance", {.id = STOA_FLOAT64}},
        {"pickup_longitude", {.id = STOA_FLOAT64}},
        {"pickup_latitude", {.id = STOA_FLOAT64}},
        {"dropoff_longitude", {.id = STOA_FLOAT64}},
        {"dropoff_latitude", {.id = STOA_FLOAT64}},
    };
    struct stoa_error err = {0};

    for (int i = 0; i < NCOLUMNS; i++)
        check(stoa_schema_add(schema, columns[i].name, &columns[i].type, true, &err), &err);
}

static void put_row(struct stoa_array *c, size_t i, double position)
{
    uint64_t m = measure_random() % NMEDALLIONS, h = measure_random() % NLICENCES;
    bool cmt = mix(m) & 1, flag = cmt && unit() < 0.02, zero = unit() < 0.018;
    int64_t pickup = 1356998400 + (int64_t)((31.0 * position + unit() * 3) * 86400);
    double distance = exp(0.5 + 0.8 * gauss());
    int64_t seconds = (int64_t)(distance * 180 + 120 + unit() * 400);
    char key[33];

    if (!cmt) {
        pickup -= pickup % 60;
        seconds -= seconds % 60;
    }
    snprintf(key, sizeof(key), "%016" PRIX64 "%016" PRIX64, mix(m), mix(m + 99));
    put_text(&c[0], i, key, 32);
    snprintf(key, sizeof(key), "%016" PRIX64 "%016" PRIX64, mix(h * 7 + 5), mix(h + 12345));
    put_text(&c[1], i, key, 32);
    put_text(&c[2], i, cmt ? "CMT" : "VTS", 3);
    put_i64(&c[3], i, unit() < 0.975 ? 1 : (int64_t)(unit() * 6));
    put_text(&c[4], i, flag ? "Y" : "N", cmt ? 1 : 0);
    if (cmt)
        c[4].validity[i / 8] = (uint8_t)(c[4].validity[i / 8] | 1u << (i % 8));
    else
        c[4].nnulls++;
    put_i64(&c[5], i, pickup);
    put_i64(&c[6], i, pickup + seconds);
    put_i64(&c[7], i, unit() < 0.7 ? 1 : unit() < 0.5 ? 2 : (int64_t)(unit() * 6) + 1);
    put_i64(&c[8], i, seconds);
    put_f64(&c[9], i, rounded(distance, cmt ? 10 : 100));
    put_f64(&c[10], i, zero ? 0 : rounded(-73.98 + 0.03 * gauss(), 1e6));
    put_f64(&c[11], i, zero ? 0 : rounded(40.75 + 0.025 * gauss(), 1e6));
    put_f64(&c[12], i, zero ? 0 : rounded(-73.98 + 0.035 * gauss(), 1e6));
    put_f64(&c[13], i, zero ? 0 : rounded(40.75 + 0.03 * gauss(), 1e6));
}

static void make_batch(const struct stoa_schema *schema, double begin, double end,
                       struct stoa_batch *batch)
{
    struct stoa_error err = {0};

    check(stoa_batch_init(batch, schema, &err), &err);
    batch->nrows = NROWS;
    for (int i = 0; i < NCOLUMNS; i++)
        if (schema->fields[i].type.id == STOA_UTF8)
            text(&batch->columns[i], 32);
        else
            fixed(&batch->columns[i]);
    batch->columns[4].validity = memory(NROWS / 8);
    for (size_t i = 0; i < NROWS; i++)
        put_row(batch->columns, i, begin + (end - begin) * (double)i / NROWS);
}

/* Bytes of a batch in memory. */
static double batch_nbytes(const struct stoa_batch *batch)
{
    double nbytes = 0;

    for (uint32_t i = 0; i < batch->ncolumns; i++)
        nbytes += batch->columns[i].offsets != NULL
                      ? batch->columns[i].offsets[NROWS] + 4.0 * (NROWS + 1)
                      : 8.0 * NROWS;
    return nbytes;
}

enum { PREPARE, SEQUENCE, ENCODE, COMMIT, NSTEPS };

static void write_group(struct stoa_writer *writer, unsigned k, struct stoa_batch *batch,
                        double ms[NSTEPS])
{
    struct stoa_writer_group *group;
    struct stoa_error err = {0};
    double t[NSTEPS + 1];

    t[0] = cpu_ms();
    check(stoa_writer_prepare(writer, k, batch, &group, &err), &err);
    t[1] = cpu_ms();
    check(stoa_writer_sequence(writer, group, &err), &err);
    t[2] = cpu_ms();
    check(stoa_writer_encode(writer, group, &err), &err);
    t[3] = cpu_ms();
    check(stoa_writer_commit(writer, group, &err), &err);
    t[4] = cpu_ms();
    for (unsigned step = 0; step < NSTEPS; step++)
        ms[step] += t[step + 1] - t[step];
}

int main(int argc, char **argv)
{
    static const char *const names[NSTEPS] = {
        [PREPARE] = "row group prepared",
        [SEQUENCE] = "row group sequenced",
        [ENCODE] = "row group encoded",
        [COMMIT] = "row group committed",
    };
    struct stoa_schema schema = {0};
    struct stoa_sink *sink;
    struct stoa_writer *writer;
    struct stoa_error err = {0};
    double ms[NSTEPS] = {0}, nbytes = 0;

    measure_begin(argc, argv);
    make_schema(&schema);
    check(stoa_sink_create_memory(&sink, &err), &err);
    check(stoa_writer_open(sink, &schema, NULL, &writer, &err), &err);
    for (unsigned k = 0; k < NGROUPS; k++) {
        struct stoa_batch batch;

        make_batch(&schema, (double)k / NGROUPS, (double)(k + 1) / NGROUPS, &batch);
        nbytes += batch_nbytes(&batch);
        write_group(writer, k, &batch, ms);
        stoa_batch_reset(&batch);
    }
    check(stoa_writer_finish(writer, &err), &err);
    for (unsigned step = 0; step < NSTEPS; step++)
        measure_print(
            &(struct measure_row){.group = "writer",
                                  .name = names[step],
                                  .nvalues = (double)NGROUPS * NROWS * NCOLUMNS,
                                  .value_nbytes = nbytes / ((double)NGROUPS * NROWS * NCOLUMNS),
                                  .read_nbytes = nbytes,
                                  .seconds = ms[step] / 1e3});
    stoa_writer_close(writer);
    stoa_sink_close(sink);
    stoa_schema_reset(&schema);
    return 0;
}
