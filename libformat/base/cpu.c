/*
 * One question to the processor, asked once.
 */
#include "base/cpu.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { UNKNOWN, NO, YES };

static bool detect(void)
{
    const char *scalar = getenv("STOA_SCALAR");

    if (scalar != NULL && scalar[0] != '\0')
        return false;
#if defined(__x86_64__)
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
           __builtin_cpu_supports("pclmul");
#else
    return false;
#endif
}

bool stoa_cpu_has_avx2(void)
{
    static atomic_int answer = UNKNOWN;
    int known = atomic_load_explicit(&answer, memory_order_relaxed);

    if (known == UNKNOWN) { /* two threads may both ask: they get the same answer */
        known = detect() ? YES : NO;
        atomic_store_explicit(&answer, known, memory_order_relaxed);
    }
    return known == YES;
}
