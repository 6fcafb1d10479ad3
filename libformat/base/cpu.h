/*
 * What the processor can do; decides between the scalar code and the `_avx2.c` files.
 */
#ifndef STOA_BASE_CPU_H
#define STOA_BASE_CPU_H

#include <stdbool.h>

/*
 * True when AVX2, FMA, BMI1, BMI2 and PCLMULQDQ may be used. False on other machines and when the
 * environment variable STOA_SCALAR is set to anything but "" (read once), so that a test or a
 * doubting user can run the reference code.
 */
bool stoa_cpu_has_avx2(void);

#endif
