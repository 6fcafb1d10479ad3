/*
 * UTF-8 as Unicode defines it: shortest forms, no surrogates, up to U+10FFFF.
 */
#ifndef STOA_BASE_UTF8_H
#define STOA_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Length of the longest valid prefix, which ends between characters; nbytes when all is valid. */
size_t stoa_utf8_valid_prefix(const uint8_t *text, size_t nbytes);

/* The two forms of it: the reference, and one that must not be called but on such a processor. */
size_t stoa_utf8_valid_prefix_scalar(const uint8_t *text, size_t nbytes);
#if defined(__x86_64__)
size_t stoa_utf8_valid_prefix_avx2(const uint8_t *text, size_t nbytes);
#endif

#endif
