/*
 * The inside of a scan: what its parts share.
 */
#ifndef STOA_SCAN_SCAN_STATE_H
#define STOA_SCAN_SCAN_STATE_H

#include <stdatomic.h>

#include <stoa/scan.h>

/* A row group of which statistics left something over. */
struct stoa_scan_unit {
    uint32_t row_group;
    struct stoa_row_group rows;
};

/* A span of rows of a row group whose zones all have the same match. */
struct stoa_scan_span {
    uint32_t begin;
    uint32_t end;
    bool always; /* every row is selected without a look at it */
};

struct stoa_scan {
    struct stoa_reader *reader;
    struct stoa_schema schema; /* of the batches */
    uint32_t *columns;         /* of the file, in the order of the batches */
    uint32_t ncolumns;
    struct stoa_matcher *matcher;   /* bound to the schema of the file; NULL: every row */
    const uint32_t *filter_columns; /* the matcher's, of the file */
    uint32_t nfilter_columns;
    uint8_t *matches; /* enum stoa_match of each zone of the file; NULL without a matcher */
    struct stoa_scan_unit *units;
    uint32_t nunits;
    unsigned jobs;
    uint64_t limit; /* UINT64_MAX: none */

    /* next(): units [0, next_unit) are read; their batches that were not delivered yet wait. */
    uint64_t left; /* rows that may still be delivered; UINT64_MAX: no limit */
    uint32_t next_unit;
    uint32_t window; /* how many units are read at a time */
    struct stoa_batch *ready;
    uint32_t nready;
    uint32_t ready_at;

    struct stoa_skip row_groups; /* known when the scan is opened */
    struct stoa_skip zones;
    uint64_t total_pages;
    uint64_t total_bytes;
    atomic_uint_fast64_t read_pages;
    atomic_uint_fast64_t read_bytes;
    atomic_uint_fast64_t rows_considered;
    atomic_uint_fast64_t rows_selected;
};

/*
 * The selected rows of a unit: at least `want` of them from its start if it has so many, perhaps
 * more; UINT64_MAX: all. Any thread.
 */
STOA_CHECK enum stoa_status stoa_scan_unit_read(struct stoa_scan *scan,
                                                const struct stoa_scan_unit *unit, uint64_t want,
                                                struct stoa_batch *out, struct stoa_error *err);

/* How many rows of a unit are selected; reads the columns of the filter alone. Any thread. */
STOA_CHECK enum stoa_status stoa_scan_unit_count(struct stoa_scan *scan,
                                                 const struct stoa_scan_unit *unit, uint64_t *nrows,
                                                 struct stoa_error *err);

#endif
