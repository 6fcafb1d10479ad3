/*
 * Inner loops of the codec over blocks of 1,024 values.
 *
 *     make build/release/bench/micro/bench_kernels && build/release/bench/micro/bench_kernels
 *
 * Each loop works through 128 MiB of decoded values, which come from memory and go there, and then
 * over one block again and again, which stays in the first cache; the plain code too. A row is the
 * best of some passes.
 */
#include <stdio.h>
#include <string.h>

#include "base/cpu.h"
#include "codec/kernels.h"
#include "measure.h"

enum { BLOCK = STOA_BLOCK_NVALUES, NPASSES = 5, CACHED_NPASSES = 15, CACHED_NREPEATS = 2000 };
enum { SLACK = 64, NENTRIES = 256 };

/* Blocks one after the other: values, their packed form, and where results go. */
static uint8_t *values, *packed, *out;
static uint32_t *codes;

/* What a loop is asked to do. */
struct job {
    const struct loop *loop;
    const struct stoa_kernels *kernels;
    unsigned log2; /* of the bytes of a value */
    unsigned nbits;
    size_t nblocks;
};

/* A loop over one block. */
struct loop {
    const char *name;
    void (*run)(const struct job *job, size_t block);
    bool any_width; /* for each of some numbers of bits */
    bool of_words;  /* of 64 bits alone */
    bool one_code;  /* there is no faster form of it */
    bool reads_packed;
    bool reads_codes;
    bool reads_values;
    bool writes_values;
    bool writes_packed;
};

static uint8_t *value_at(uint8_t *array, const struct job *job, size_t block)
{
    return array + (block * BLOCK << job->log2);
}

static uint8_t *packed_at(const struct job *job, size_t block)
{
    return packed + block * (BLOCK / 8) * job->nbits;
}

static void run_unpack(const struct job *job, size_t block)
{
    job->kernels->unpack[job->log2](packed_at(job, block), job->nbits, 7,
                                    value_at(out, job, block));
}

static void run_pack(const struct job *job, size_t block)
{
    job->kernels->pack[job->log2](value_at(values, job, block), 7, job->nbits,
                                  packed_at(job, block));
}

static void run_bits(const struct job *job, size_t block)
{
    (void)!stoa_bits_unpack(packed_at(job, block), job->nbits, BLOCK, 7, 1u << job->log2,
                            value_at(out, job, block));
}

static void run_range(const struct job *job, size_t block)
{
    struct stoa_range range =
        job->kernels->range[job->log2](value_at(values, job, block), BLOCK, 0);

    __asm__ volatile("" ::"r"(range.min), "r"(range.max));
}

static void run_sum(const struct job *job, size_t block)
{
    job->kernels->sum[job->log2](value_at(out, job, block), BLOCK, 7);
}

static void run_scale(const struct job *job, size_t block)
{
    job->kernels->scale[job->log2](value_at(out, job, block), BLOCK, 60, 7);
}

static void run_gather(const struct job *job, size_t block)
{
    stoa_gather(values, 1u << job->log2, codes + block * BLOCK, BLOCK, value_at(out, job, block));
}

static void run_histogram(const struct job *job, size_t block)
{
    uint32_t hist[65];

    stoa_width_histogram(value_at(values, job, block), 1u << job->log2, BLOCK, 7, hist);
    __asm__ volatile("" ::"r"(hist[3]));
}

/* Eight digits are a value, made of 32 bits. */
static void run_hex(const struct job *job, size_t block)
{
    job->kernels->hex(packed_at(job, block), BLOCK / 2, 'a', value_at(out, job, block), 16);
}

static void run_memcpy(const struct job *job, size_t block)
{
    memcpy(value_at(out, job, block), value_at(values, job, block), (size_t)BLOCK << job->log2);
}

/* clang-format off */
static const struct loop loops[] = {
    {"memcpy", run_memcpy, .one_code = true, .reads_values = true, .writes_values = true},
    {"unpack", run_unpack, .any_width = true, .reads_packed = true, .writes_values = true},
    {"pack", run_pack, .any_width = true, .reads_values = true, .writes_packed = true},
    {"tail bits", run_bits, .any_width = true, .one_code = true, .reads_packed = true,
     .writes_values = true},
    {"range", run_range, .reads_values = true},
    {"prefix sum", run_sum, .reads_values = true, .writes_values = true},
    {"scale", run_scale, .reads_values = true, .writes_values = true},
    {"gather", run_gather, .one_code = true, .reads_codes = true, .writes_values = true},
    {"histogram", run_histogram, .one_code = true, .reads_values = true},
    {"hex", run_hex, .of_words = true, .reads_packed = true, .writes_values = true},
};
/* clang-format on */

static void run_all(const void *context)
{
    const struct job *job = context;

    for (size_t block = 0; block < job->nblocks; block++)
        job->loop->run(job, block);
}

static double cached_seconds(struct job job, const struct stoa_kernels *kernels)
{
    size_t nblocks = job.nblocks;

    job.kernels = kernels;
    job.nblocks = 1;
    return measure_best(run_all, &job, CACHED_NREPEATS, CACHED_NPASSES) * (double)nblocks;
}

static void measure(const struct loop *loop, unsigned log2, unsigned nbits)
{
    struct job job = {loop, stoa_kernels(), log2, nbits, MEASURE_MEMORY_NBYTES / BLOCK >> log2};
    double nvalues = (double)job.nblocks * BLOCK, width = 1u << log2;
    double packed_nbytes = nvalues * nbits / 8;
    char name[64];
    struct measure_row row = {
        .group = "kernel",
        .name = name,
        .nvalues = nvalues,
        .value_nbytes = width,
        .read_nbytes = (loop->reads_values ? nvalues * width : 0) +
                       (loop->reads_packed ? packed_nbytes : 0) +
                       (loop->reads_codes ? nvalues * sizeof(*codes) : 0),
        .written_nbytes =
            (loop->writes_values ? nvalues * width : 0) + (loop->writes_packed ? packed_nbytes : 0),
        .seconds = measure_best(run_all, &job, 1, NPASSES),
        .cached_seconds = cached_seconds(job, stoa_kernels()),
        .reference_seconds = loop->one_code ? 0 : cached_seconds(job, &stoa_kernels_scalar),
    };

    if (loop->any_width)
        snprintf(name, sizeof(name), "%s u%u %u bits", loop->name, 8 << log2, nbits);
    else
        snprintf(name, sizeof(name), "%s u%u", loop->name, 8 << log2);
    measure_print(&row);
}

static void make_values(void)
{
    size_t ncodes = MEASURE_MEMORY_NBYTES;

    values = measure_memory(MEASURE_MEMORY_NBYTES + SLACK);
    packed = measure_memory(MEASURE_MEMORY_NBYTES + SLACK);
    out = measure_memory(MEASURE_MEMORY_NBYTES + SLACK);
    codes = measure_memory(ncodes * sizeof(*codes)); /* a code for each byte, at the most */
    for (size_t i = 0; i < MEASURE_MEMORY_NBYTES / 8; i++)
        stoa_put(values, i, 8, measure_random());
    memcpy(packed, values, MEASURE_MEMORY_NBYTES);
    for (size_t i = 0; i < ncodes; i++)
        codes[i] = values[i] % NENTRIES;
}

int main(int argc, char **argv)
{
    static const unsigned widths[4][3] = {{1, 5, 7}, {3, 9, 14}, {3, 11, 27}, {7, 21, 43}};

    measure_begin(argc, argv);
    make_values();
    for (size_t k = 0; k < sizeof(loops) / sizeof(loops[0]); k++)
        for (unsigned log2 = loops[k].of_words ? 3 : 0; log2 < 4; log2++)
            for (unsigned w = 0; w < (loops[k].any_width ? 3 : 1); w++)
                measure(&loops[k], log2, loops[k].of_words ? 32 : widths[log2][w]);
    return 0;
}
