/*
 * Sorted runs of rows in a temporary file, and merging them.
 */
#ifndef STOA_CONVERT_SORTED_RUNS_H
#define STOA_CONVERT_SORTED_RUNS_H

#include <stoa/order.h>
#include <stoa/reader.h>

#include "column/source.h"

/* Rows [begin, end) of the file, in order. */
struct stoa_sorted_run {
    uint64_t begin;
    uint64_t end;
    uint64_t key_nbytes; /* of a row at the most, in memory */
};

/*
 * The file has the columns that are sorted and, where the size of a row is not known from its
 * types, as the last one uint32: how many bytes each row takes.
 */
struct stoa_sorted_file {
    struct stoa_sink *spill; /* owned, as is all here */
    struct stoa_source *source;
    struct stoa_reader *reader;
    struct stoa_sorted_run *runs; /* in the order of their rows in the input */
    size_t nruns;
    size_t capacity;
};
void stoa_sorted_file_reset(struct stoa_sorted_file *file);

/* How runs are merged. Pointers are borrowed until the source is closed. */
struct stoa_run_merge {
    const struct stoa_schema *schema; /* of batches: the columns of the file, or the first ones */
    const struct stoa_sort_order *order;
    uint64_t row_nbytes;   /* of each row, where the file has no column of sizes; else 0, and */
    uint32_t size_column;  /* that column */
    uint32_t group_nrows;  /* of a batch at the most, */
    uint64_t group_nbytes; /* and its bytes, unless it is one row */
    uint64_t keys_nbytes;  /* memory for the keys of runs, about */
    size_t nmerged;        /* runs that are merged into one at a time, up to STOA_MERGED_MAX_NRUNS;
                              all others come behind, merged with each other likewise */
    uint64_t input_nbytes; /* what progress() tells */
};

#define STOA_MERGED_MAX_NRUNS 256

/* How many of the runs can be merged at a time in so much memory for keys: 2 at least. */
size_t stoa_run_merge_nmerged(const struct stoa_sorted_file *file, uint64_t keys_nbytes);

/*
 * Takes over *file, which is `{0}` then, on success. A unit is a batch; next() compares the keys,
 * which is one thread's work, and read() fetches the rows of a unit from their places.
 */
STOA_CHECK enum stoa_status stoa_run_merge_open(struct stoa_sorted_file *file,
                                                const struct stoa_run_merge *merge,
                                                struct stoa_batch_source **out,
                                                struct stoa_error *err);

#endif
