/*
 * Loops over numbers of any width.
 */
#ifndef STOA_CODEC_WIDTHS_H
#define STOA_CODEC_WIDTHS_H

/* Calls f(values, width, ...) with a constant width, so that its loop is one over a type. */
#define STOA_BY_WIDTH(f, values, width, ...)                                                       \
    do {                                                                                           \
        if ((width) == 1)                                                                          \
            f(values, 1, __VA_ARGS__);                                                             \
        else if ((width) == 2)                                                                     \
            f(values, 2, __VA_ARGS__);                                                             \
        else if ((width) == 4)                                                                     \
            f(values, 4, __VA_ARGS__);                                                             \
        else                                                                                       \
            f(values, 8, __VA_ARGS__);                                                             \
    } while (0)

#endif
