/*
 * Which loops this processor runs. A file of its own, so that a test can link others in its place.
 */
#include "base/cpu.h"
#include "codec/kernels.h"

const struct stoa_kernels *stoa_kernels(void)
{
#if defined(__x86_64__)
    if (stoa_cpu_has_avx2())
        return &stoa_kernels_avx2;
#endif
    return &stoa_kernels_scalar;
}
