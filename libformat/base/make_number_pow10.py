#!/usr/bin/env python3
"""Writes number_pow10.c: powers of ten rounded down to 128 significant bits.

    python3 libformat/base/make_number_pow10.py > libformat/base/number_pow10.c
"""

# Parsing needs 10^-342 (a 19-digit number times this may still be the smallest double) to 10^308;
# printing needs 10^-292 to 10^324.
FIRST, LAST = -342, 324


def significand(power):
    """floor(10^power / 2^n) for the n that leaves exactly 128 bits."""
    if power >= 0:
        x = 5 ** power
        bits = x.bit_length()
        return x << (128 - bits) if bits <= 128 else x >> (bits - 128)
    divisor = 5 ** -power
    # divisor is no power of two, so the quotient has exactly 128 bits.
    return (1 << (divisor.bit_length() + 127)) // divisor


def floor_log2_pow10(power):
    if power >= 0:
        return (10 ** power).bit_length() - 1
    return -((10 ** -power - 1).bit_length())


def main():
    print("/*")
    print(" * Powers of ten for number_parse.c and number_format.c. Written by make_number_pow10.py:")
    print(" * change that, not this.")
    print(" */")
    print('#include "base/number_pow10.h"')
    print()
    print("/* clang-format off */")
    print("const struct stoa_pow10_bits stoa_pow10_bits[STOA_POW10_LAST - STOA_POW10_FIRST + 1] = {")
    for power in range(FIRST, LAST + 1):
        x = significand(power)
        high, low = x >> 64, x & (2 ** 64 - 1)
        # What number_pow10.h promises.
        assert x.bit_length() == 128 and low != 2 ** 64 - 1
        assert floor_log2_pow10(power) == (power * 217706) >> 16
        exact = 0 <= power <= 55
        assert exact == (power >= 0 and (5 ** power).bit_length() <= 128)
        assert not exact or x % 5 ** power == 0
        print("    {0x%016x, 0x%016x}, /* 1e%d */" % (high, low, power))
    print("};")
    print("/* clang-format on */")


main()
