/*
 * The inner loops of cutting and indexing, 64 bytes at a time.
 *
 * The result is that of the automaton (csv/record.h) for every text and dialect.
 * index_scalar.c and index_avx2.c are the same loops (csv/index_loops.h) on other instructions.
 */
#ifndef STOA_CSV_INDEX_KERNELS_H
#define STOA_CSV_INDEX_KERNELS_H

#include "csv/record.h"

/* Room behind the ends of a tile that a kernel may write to. */
#define STOA_CSV_ENDS_SLACK 64

/* Rows of the right width, found from a record on. */
struct stoa_csv_rows {
    const char *text; /* with STOA_CSV_SLACK bytes behind its end */
    size_t nbytes;
    size_t at; /* in: the begin of a record; out: of the first that was not taken */
    const struct stoa_csv_dialect *dialect;
    uint32_t stride; /* fields of a row; with a trailing delimiter the last one has no byte */
    bool has_quotes; /* set when there are any */
    uint32_t nrows;  /* in: rows that are there already; out: with those that were found */
    uint32_t max_nrows;
    uint32_t *row_begins;
    uint32_t *ends; /* room for max_nrows * stride + STOA_CSV_ENDS_SLACK */
    uint32_t *row_ends;
};

/* A walk over text, piece by piece. Zeroed it stands at the first byte of a record. */
struct stoa_csv_tally {
    enum stoa_csv_state state; /* behind the last byte */
    uint64_t nrecords;         /* that ended */
    uint64_t nlines;           /* line ends */
    size_t last_end;           /* behind the last record that ended, from where the walk began */
    uint64_t last_nlines;      /* line ends up to there */
    size_t nbytes;             /* walked over */
};

struct stoa_csv_kernels {
    /*
     * Takes records while they have `stride` fields and a line end, and nothing that `strict` could
     * have against them: it stops at the first other one, at a comment, at max_nrows and at the end
     * of the text. It looks at no more than that record and 64 bytes without taking them.
     */
    void (*rows)(struct stoa_csv_rows *rows);

    /*
     * Goes on with a walk over the next nbytes, or until `most` records have ended, whichever is
     * first. The byte behind, text[nbytes], is looked at: for an LF that a CR in front belongs to.
     */
    void (*tally)(const struct stoa_csv_dialect *dialect, const char *text, size_t nbytes,
                  uint64_t most, struct stoa_csv_tally *tally);
};

/* The best for this processor. */
const struct stoa_csv_kernels *stoa_csv_kernels(void);

extern const struct stoa_csv_kernels stoa_csv_kernels_scalar;
#if defined(__x86_64__)
extern const struct stoa_csv_kernels stoa_csv_kernels_avx2; /* only if stoa_cpu_has_avx2() */
#endif

#endif
