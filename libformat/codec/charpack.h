/*
 * The layout of texts that CHARPACK makes numbers of (spec/encodings.md, section 2.17), and what a
 * test of the texts is for the numbers.
 */
#ifndef STOA_CODEC_CHARPACK_H
#define STOA_CODEC_CHARPACK_H

#include "codec/page_select.h"

enum { STOA_CHARPACK_MAX_LENGTH = 255 };

/* What all texts of a page have in common. */
struct stoa_charpack_layout {
    unsigned base;   /* 10 or 16 */
    uint8_t letter;  /* of ten: 'a' or 'A'; 0 of decimal digits */
    unsigned length; /* of a text that is not empty */
    unsigned ndigits;
    unsigned nnumber; /* the digits of the number in the child; the others are in the payload */
    uint8_t text[STOA_CHARPACK_MAX_LENGTH];   /* the fixed places */
    uint8_t places[STOA_CHARPACK_MAX_LENGTH]; /* of each digit */
};

/* Numbers whose texts pass, and those of which the digits behind them decide. */
struct stoa_charpack_tests {
    struct stoa_test certain;
    struct stoa_test edges;
};

/* Adds what a range of texts is: one span of `certain` and two of `edges` at the most. */
void stoa_charpack_add_range(const struct stoa_charpack_layout *layout,
                             const struct stoa_text_range *range, struct stoa_charpack_tests *out);

#endif
