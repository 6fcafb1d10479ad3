/*
 * Inner loops and whole pages of the codec, in GB/s of decoded values, beside memcpy.
 *
 *     make build/release/bench/micro/bench_kernels && build/release/bench/micro/bench_kernels
 *
 * Kernels work on one block in the first cache, pages on 65,536 values. Each row is the best of
 * some passes. STOA_SCALAR=1 shows the reference loops (pages; kernels always show both).
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/cpu.h"
#include "codec/chooser.h"
#include "codec/distinct.h"
#include "codec/kernels.h"
#include "codec/page.h"

enum { BLOCK = STOA_BLOCK_NVALUES, PAGE = 65536, NREPEATS = 2000, NPASSES = 15 };

static uint8_t values[PAGE * 8 + 64], packed[PAGE * 8 + 64], out[PAGE * 8 + 64];
static uint32_t codes[PAGE + 16];

static uint64_t next_random(void)
{
    static uint64_t x = 88172645463325252;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return x;
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds of the fastest pass over `work`, which runs nrepeats times in each. */
static double best(void (*work)(const void *), const void *context, int nrepeats)
{
    double least = 1e9;

    for (int pass = 0; pass < NPASSES; pass++) {
        double start = seconds(), used;

        for (int i = 0; i < nrepeats; i++) {
            work(context);
            __asm__ volatile("" ::: "memory");
        }
        used = (seconds() - start) / nrepeats;
        least = used < least ? used : least;
    }
    return least;
}

/* ---- Kernels. ---- */

struct kernel {
    const struct stoa_kernels *kernels;
    unsigned log2;
    unsigned nbits;
};

static void run_memcpy(const void *context)
{
    memcpy(out, values, (size_t)BLOCK << ((const struct kernel *)context)->log2);
}

static void run_unpack(const void *context)
{
    const struct kernel *k = context;

    k->kernels->unpack[k->log2](packed, k->nbits, 7, out);
}

static void run_pack(const void *context)
{
    const struct kernel *k = context;

    k->kernels->pack[k->log2](values, 7, k->nbits, packed);
}

static void run_range(const void *context)
{
    const struct kernel *k = context;

    codes[0] = (uint32_t)k->kernels->range[k->log2](values, BLOCK, 0).max;
}

static void run_sum(const void *context)
{
    const struct kernel *k = context;

    k->kernels->sum[k->log2](out, BLOCK, 7);
}

static void run_scale(const void *context)
{
    const struct kernel *k = context;

    k->kernels->scale[k->log2](out, BLOCK, 60, 7);
}

static void run_bits(const void *context)
{
    const struct kernel *k = context;

    (void)!stoa_bits_unpack(packed, k->nbits, BLOCK - 1, 7, 1u << k->log2, out);
}

static void run_gather(const void *context)
{
    const struct kernel *k = context;

    stoa_gather(values, 1u << k->log2, codes, BLOCK, out);
}

static void run_histogram(const void *context)
{
    const struct kernel *k = context;
    uint32_t hist[65];

    stoa_width_histogram(values, 1u << k->log2, BLOCK, 7, hist);
    codes[0] = hist[3];
}

static void show_kernel(const char *name, void (*run)(const void *), unsigned log2, unsigned nbits)
{
    struct kernel scalar = {&stoa_kernels_scalar, log2, nbits};
    struct kernel fast = {stoa_kernels(), log2, nbits};
    double nbytes = (double)(BLOCK << log2), a, b;

    memset(codes, 0, sizeof(codes));
    for (int i = 0; i < BLOCK; i++)
        codes[i] = (uint32_t)(next_random() % 256);
    a = best(run, &scalar, NREPEATS);
    b = best(run, &fast, NREPEATS);
    printf("%-10s u%-3d %3u bits %8.1f GB/s %8.1f GB/s %8.2f G values/s\n", name, 8 << log2, nbits,
           nbytes / a / 1e9, nbytes / b / 1e9, BLOCK / b / 1e9);
}

static void show_kernels(void)
{
    static const unsigned widths[4][3] = {{1, 5, 7}, {3, 9, 14}, {3, 11, 27}, {7, 21, 43}};

    printf("%-24s %13s %13s\n", "one block", "reference", "this CPU");
    for (unsigned log2 = 0; log2 < 4; log2++) {
        show_kernel("memcpy", run_memcpy, log2, 0);
        for (unsigned k = 0; k < 3; k++) {
            show_kernel("unpack", run_unpack, log2, widths[log2][k]);
            show_kernel("pack", run_pack, log2, widths[log2][k]);
        }
        show_kernel("tail bits", run_bits, log2, widths[log2][1]);
        show_kernel("range", run_range, log2, 0);
        show_kernel("sum", run_sum, log2, 0);
        show_kernel("scale", run_scale, log2, 0);
        show_kernel("gather", run_gather, log2, 0);
        show_kernel("histogram", run_histogram, log2, 0);
    }
}

/* ---- Pages. ---- */

struct page {
    struct stoa_encoder *encoder;
    struct stoa_decoder *decoder;
    struct stoa_plan plan;
    struct stoa_vector values;
    enum stoa_phys phys; /* of the column */
    const struct stoa_vector *dictionary;
    struct stoa_buffer bytes;
    uint32_t raw_nbytes;
};

static void encode_page(const void *context)
{
    struct page *p = *(struct page *const *)context;

    p->bytes.nbytes = 0;
    if (stoa_page_encode(p->encoder, &p->values, p->phys, NULL, 0, &p->plan, &p->bytes,
                         &p->raw_nbytes, NULL) != STOA_OK)
        exit(1);
}

static void decode_page(const void *context)
{
    struct page *p = *(struct page *const *)context;
    static struct stoa_buffer text;
    static int32_t ends[PAGE + 1];
    struct stoa_page_values to = {.values = out, .offsets = ends, .bytes = &text};

    text.nbytes = 0;
    if (stoa_page_decode(p->decoder, p->bytes.data, p->bytes.nbytes, p->phys, 0, PAGE, UINT32_MAX,
                         p->dictionary, 0, &to, NULL) != STOA_OK)
        exit(1);
}

static void choose(const void *context)
{
    struct page *p = *(struct page *const *)context;
    struct stoa_choice choice;

    if (stoa_chooser_choose(p->encoder, &p->values, false, &choice, NULL) != STOA_OK)
        exit(1);
}

static uint64_t noise(size_t i)
{
    (void)i;
    return next_random() % 1000;
}

static uint64_t minutes(size_t i)
{
    (void)i;
    return 1357000020 + next_random() % 44640 * 60;
}

static uint64_t outliers(size_t i)
{
    return i % 50 == 17 ? 0 : 40700000 + next_random() % 100000;
}

static uint64_t rising(size_t i)
{
    static uint64_t x;

    return x = i == 0 ? 0 : x + next_random() % 16;
}

static uint64_t runs(size_t i)
{
    static uint64_t x;

    return x = i % 37 == 0 ? next_random() % 5000 : x;
}

static uint64_t mostly(size_t i)
{
    return i % 40 == 0 ? next_random() % 5000 : 5;
}

static void measure_page(const char *shape, struct page *p, const char *plan, double nbytes)
{
    double encode, decode, chosen;

    if (stoa_encoder_new(&p->encoder, 3, NULL) != STOA_OK ||
        stoa_decoder_new(&p->decoder, NULL) != STOA_OK || !stoa_plan_parse(plan, p->phys, &p->plan))
        exit(1);
    encode = best(encode_page, &p, 5);
    decode = best(decode_page, &p, 20);
    chosen = best(choose, &p, 1);
    printf("%-10s %-20s %8zu bytes  encode %6.2f GB/s  decode %6.2f GB/s  choose %6.2f ms\n", shape,
           plan, p->bytes.nbytes, nbytes / encode / 1e9, nbytes / decode / 1e9, 1e3 * chosen);
    stoa_encoder_free(p->encoder);
    stoa_decoder_free(p->decoder);
    stoa_buffer_free(&p->bytes);
}

static void show_page(const char *shape, uint64_t (*value)(size_t), const char *plan)
{
    struct page page = {.values = {STOA_PHYS_I64, 8, PAGE, values, NULL}, .phys = STOA_PHYS_I64};

    for (size_t i = 0; i < PAGE; i++)
        stoa_put(values, i, 8, value(i));
    measure_page(shape, &page, plan, PAGE * 8);
}

/* ---- Distinct values. ---- */

enum { NTEXTS = 131072, NDISTINCT = 30000, TEXT = 32 };
static uint8_t texts[NTEXTS * TEXT];
static int32_t offsets[NTEXTS + 1];
static uint32_t text_codes[NTEXTS];

static void add_texts(const void *context)
{
    struct stoa_vector vector = {STOA_PHYS_BYTES, 0, NTEXTS, texts, offsets};
    struct stoa_distinct *set;
    bool complete;

    (void)context;
    if (stoa_distinct_new(&set, STOA_PHYS_BYTES, 0, NULL) != STOA_OK ||
        stoa_distinct_add(set, &vector, UINT32_MAX, UINT64_MAX, text_codes, &complete, NULL) !=
            STOA_OK)
        exit(1);
    stoa_distinct_free(set);
}

static void make_texts(void)
{
    for (size_t i = 0; i < NTEXTS; i++) {
        uint64_t key = next_random() % NDISTINCT * UINT64_C(0x9e3779b97f4a7c15);

        for (size_t k = 0; k < TEXT; k++)
            texts[i * TEXT + k] = (uint8_t) "0123456789ABCDEF"[key >> k & 15];
        offsets[i + 1] = (int32_t)((i + 1) * TEXT);
    }
}

/* The texts as they are, and as codes of their distinct values. */
static void show_text_pages(void)
{
    struct page plain = {.values = {STOA_PHYS_BYTES, 0, PAGE, texts, offsets},
                         .phys = STOA_PHYS_BYTES};
    struct page dict = {.values = {STOA_PHYS_U32, 4, PAGE, (const uint8_t *)text_codes, NULL},
                        .phys = STOA_PHYS_BYTES};
    struct stoa_distinct *set;
    struct stoa_vector entries;
    bool complete;

    if (stoa_distinct_new(&set, STOA_PHYS_BYTES, 0, NULL) != STOA_OK ||
        stoa_distinct_add(set, &plain.values, UINT32_MAX, UINT64_MAX, text_codes, &complete,
                          NULL) != STOA_OK)
        exit(1);
    entries = stoa_distinct_values(set);
    dict.dictionary = &entries;
    measure_page("text", &plain, "plain(pfor)", PAGE * TEXT);
    measure_page("text", &plain, "plain+zstd(pfor)", PAGE * TEXT);
    measure_page("text", &dict, "dict(pfor)", PAGE * TEXT);
    stoa_distinct_free(set);
}

static void show_distinct(void)
{
    printf("distinct: %d texts of %d bytes, %d different: %.2f ms\n", NTEXTS, TEXT, NDISTINCT,
           1e3 * best(add_texts, NULL, 1));
}

int main(void)
{
    printf("AVX2: %s\n", stoa_cpu_has_avx2() ? "yes" : "no");
    for (size_t i = 0; i < sizeof(values) / 8; i++)
        stoa_put(values, i, 8, next_random());
    memcpy(packed, values, sizeof(packed));
    show_kernels();
    show_page("noise", noise, "pfor");
    show_page("minutes", minutes, "pfor");
    show_page("outliers", outliers, "pfor");
    show_page("rising", rising, "delta(pfor)");
    show_page("runs", runs, "rle(pfor,pfor)");
    show_page("mostly", mostly, "sparse(pfor,pfor)");
    show_page("noise", noise, "narrow(plain+zstd)");
    show_page("noise", noise, "plain");
    make_texts();
    show_text_pages();
    show_distinct();
    return 0;
}
