/*
 * The kernels of csv/index_kernels.h in AVX2 and PCLMULQDQ: two vectors are 64 bytes.
 */
#include <immintrin.h>

#include "csv/index_kernels.h"

#define STOA_CSV_OWN_CHUNKS

struct finder {
    __m256i bytes; /* 32 times the same */
};

struct chunk {
    __m256i low, high;
};

static inline struct finder finder_of(char c)
{
    return (struct finder){_mm256_set1_epi8(c)};
}

static inline struct chunk chunk_load(const char *text)
{
    const __m256i *vectors = (const __m256i *)(const void *)text;

    return (struct chunk){_mm256_loadu_si256(vectors), _mm256_loadu_si256(vectors + 1)};
}

static inline uint64_t chunk_find(const struct chunk *chunk, struct finder finder)
{
    __m256i low = _mm256_cmpeq_epi8(chunk->low, finder.bytes);
    __m256i high = _mm256_cmpeq_epi8(chunk->high, finder.bytes);

    return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high)
                                                     << 32;
}

/* The product without carries by a number of ones only: bit i is the XOR of bits 0 to i. */
static inline uint64_t prefix_xor(uint64_t bits)
{
    __m128i product =
        _mm_clmulepi64_si128(_mm_set_epi64x(0, (int64_t)bits), _mm_set1_epi8((char)0xff), 0);

    return (uint64_t)_mm_cvtsi128_si64(product);
}

/* Eight places at a time, however many there are: no branch depends on their number up to that. */
static inline void put_bits(uint32_t *to, uint64_t bits, unsigned nbits, uint32_t first)
{
    for (unsigned i = 0; i < nbits; i += 8) {
        for (unsigned k = 0; k < 8; k++, bits = _blsr_u64(bits))
            to[i + k] = first + (uint32_t)_tzcnt_u64(bits);
    }
}

#include "csv/index_loops.h"

static void rows(struct stoa_csv_rows *job)
{
    loop_rows(job);
}

static void tally(const struct stoa_csv_dialect *dialect, const char *text, size_t nbytes,
                  uint64_t most, struct stoa_csv_tally *out)
{
    loop_tally(dialect, text, nbytes, most, out);
}

const struct stoa_csv_kernels stoa_csv_kernels_avx2 = {.rows = rows, .tally = tally};
