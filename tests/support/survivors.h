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
    uint32_t bases;              /* two node numbers, FFFF: none; a row needs theirs */
    uint32_t nvalues;
    uint8_t page_shift;
    bool has_local;
};

struct stoa_test_anatomy {
    const uint8_t *bytes;
    size_t nbytes;
    struct stoa_test_piece *pieces;
    size_t npieces;
    struct stoa_test_chunk *chunks; /* of group g and node n: g * nnodes + n */
    size_t ngroups, nnodes;
};

/* Takes a whole file apart. `file` must stay; release with stoa_test_anatomy_reset(). */
void stoa_test_anatomy_init(struct stoa_test_anatomy *anatomy, const struct stoa_test_file *file);
void stoa_test_anatomy_reset(struct stoa_test_anatomy *anatomy);

enum stoa_test_fate stoa_test_fate_of_chunk(const struct stoa_test_anatomy *anatomy,
                                            const struct stoa_test_damaged *damaged, size_t group,
                                            size_t node);
enum stoa_test_fate stoa_test_fate_of_group(const struct stoa_test_anatomy *anatomy,
                                            const struct stoa_test_damaged *damaged, size_t group);

/* Of one row of a column without children, in a file that has no other columns. */
enum stoa_test_fate stoa_test_fate_of_row(const struct stoa_test_anatomy *anatomy,
                                          const struct stoa_test_damaged *damaged, size_t group,
                                          size_t column, size_t row);

/*
 * Damages one span of the file in a random way: zeros, random bytes, taken out, put in between.
 * `out` has room for twice the file; returns its bytes. *begin and *moved tell where and how far.
 */
size_t stoa_test_damage(struct stoa_test_random *r, const struct stoa_test_file *file, uint8_t *out,
                        size_t *begin, int64_t *moved);

/* A table of several row groups with many small pages: of every flat type, or nested. */
void stoa_test_small_pages_make(bool nested, struct stoa_test_table *out);

#endif
