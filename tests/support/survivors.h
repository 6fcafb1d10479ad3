/*
 * What of a damaged Stoa file can be recovered, worked out from the intact file: which bytes each
 * row group stands on, and whether these are still there. Knows nothing of how the library looks
 * for them.
 */
#ifndef STOA_TESTS_SUPPORT_SURVIVORS_H
#define STOA_TESTS_SUPPORT_SURVIVORS_H

#include "support/stoa_file.h"

/* One contiguous piece of damage: bytes behind it stand `moved` bytes from where they were. */
struct stoa_test_damaged {
    const uint8_t *bytes;
    size_t nbytes;
    int64_t moved;
};

enum stoa_test_fate {
    STOA_TEST_LOST,  /* bytes that it needs are nowhere */
    STOA_TEST_MAYBE, /* depends on a footer that is damaged itself */
    STOA_TEST_SURVIVES,
};

struct stoa_test_range {
    size_t begin, end;
};

struct stoa_test_piece { /* an object, or a part of one that has its own hash */
    uint8_t kind;
    struct stoa_test_range header;
    struct stoa_test_range body; /* SCHM, DICT: what is hashed; FOOT: all */
    struct stoa_test_range dir;  /* RGRP */
    uint64_t id, prev_id;        /* DICT */
    size_t group;                /* RGRP: its number */
};

struct stoa_test_chunk {
    struct stoa_test_range bytes;
    struct stoa_test_range head; /* of a chunk with several pages: its table */
    uint64_t dict_id;            /* 0: none */
    uint8_t page_shift;
    bool has_local;
};

struct stoa_test_anatomy {
    const uint8_t *bytes;
    size_t nbytes;
    struct stoa_test_piece *pieces;
    size_t npieces;
    struct stoa_test_chunk *chunks; /* of group g and column c: g * ncolumns + c */
    size_t ngroups, ncolumns;
};

/* Takes a whole file apart. `file` must stay; release with stoa_test_anatomy_reset(). */
void stoa_test_anatomy_init(struct stoa_test_anatomy *anatomy, const struct stoa_test_file *file);
void stoa_test_anatomy_reset(struct stoa_test_anatomy *anatomy);

enum stoa_test_fate stoa_test_fate_of_chunk(const struct stoa_test_anatomy *anatomy,
                                            const struct stoa_test_damaged *damaged, size_t group,
                                            size_t column);
enum stoa_test_fate stoa_test_fate_of_group(const struct stoa_test_anatomy *anatomy,
                                            const struct stoa_test_damaged *damaged, size_t group);

#endif
