/*
 * The kernels of csv/index_kernels.h on 64-bit words, and the choice of the best ones.
 */
#include "base/cpu.h"
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

const struct stoa_csv_kernels stoa_csv_kernels_scalar = {.rows = rows, .tally = tally};

const struct stoa_csv_kernels *stoa_csv_kernels(void)
{
#if defined(__x86_64__)
    if (stoa_cpu_has_avx2())
        return &stoa_csv_kernels_avx2;
#endif
    return &stoa_csv_kernels_scalar;
}
