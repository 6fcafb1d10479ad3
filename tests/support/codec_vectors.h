/*
 * The pages of spec/vectors, which every reader of the format must agree on (README.md there).
 */
#ifndef STOA_TESTS_SUPPORT_CODEC_VECTORS_H
#define STOA_TESTS_SUPPORT_CODEC_VECTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/derived.h"
#include "codec/vector.h"

enum { STOA_TEST_FIXED_WIDTH = 5 };

struct stoa_test_column { /* owns its memory */
    struct stoa_vector vector;
    uint8_t *values;
    int32_t *offsets;
    uint8_t *validity; /* NULL: nothing is null */
};

struct stoa_test_bases { /* of a derived page; owns its memory */
    struct stoa_base_source source;
    struct stoa_derivation derivation;
    uint64_t *words[2];
    uint32_t *keys;
    size_t nvalues;
    unsigned count; /* 0: it is not derived */
};

struct stoa_test_vector {
    char *name;
    char *plan;
    char *error; /* of a page that must be refused, else NULL */
    enum stoa_phys phys;
    size_t nvalues;
    struct stoa_test_column values; /* null slots: the value before, as an encoder gets them */
    struct stoa_test_column dictionary;
    bool has_dictionary;
    struct stoa_test_bases bases;
    uint8_t *page;
    size_t page_nbytes;
    size_t line; /* of its name in the file */
};

/* All vectors of a file; the test fails when it is not as README.md says. */
struct stoa_test_vector *stoa_test_vectors_read(const char *path, size_t *count);
void stoa_test_vectors_free(struct stoa_test_vector *vectors, size_t count);

/* Bytes of hex digits with any spaces between; malloc. */
uint8_t *stoa_test_unhex(const char *text, size_t length, size_t *nbytes);

#endif
