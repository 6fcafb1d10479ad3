/*
 * Scans: the rows of a Stoa file that a predicate selects, column by column, skipping what it
 * excludes.
 *
 * A scan first prunes row groups and zones by their statistics, then reads the columns of the
 * predicate, then the other columns only where rows survived. The rows come in the order of the
 * file and are exactly those of a full scan that is filtered afterwards.
 *
 * In a file that is sorted (stoa_reader_order()) the first k rows by its keys are therefore those
 * of a scan with limit k, which decodes no page behind them. Where conjuncts of the predicate are
 * about its first keys, row groups and zones are found by a binary search.
 *
 * In which order the terms of a conjunction are asked depends on what threads saw of them so far:
 * with more jobs than one, which of several damaged pages is reported, and the counters of pages
 * and bytes, may differ from run to run; rows never do.
 */
#ifndef STOA_SCAN_H
#define STOA_SCAN_H

#include <stoa/filter.h>
#include <stoa/reader.h>

#ifdef __cplusplus
extern "C" {
#endif

/* {0} means: all columns, all rows, one thread. */
struct stoa_scan_options {
    const char *const *columns; /* names in the order wanted; NULL: all */
    uint32_t ncolumns;
    const struct stoa_filter *filter; /* borrowed until the scan is opened; NULL: every row */
    uint64_t limit;                   /* stop after so many rows; 0: no limit */
    unsigned jobs;                    /* threads of stoa_scan_next(); 0 or 1: the caller's alone */
};

/* How much of the file the statistics and the filter left to do. */
struct stoa_skip {
    uint64_t total;
    uint64_t skipped; /* by statistics, or because no row of it survived */
    uint64_t read;
};
struct stoa_scan_counters {
    struct stoa_skip row_groups;
    struct stoa_skip zones;
    struct stoa_skip pages; /* of the columns that the scan needs */
    struct stoa_skip bytes;
    uint64_t rows_considered; /* in the zones that were read */
    uint64_t rows_selected;
};

struct stoa_scan;

/* Opens a scan; `reader` is borrowed. STOA_ERR_USAGE: an unknown column, a filter that can't be. */
STOA_API STOA_CHECK enum stoa_status stoa_scan_open(struct stoa_reader *reader,
                                                    const struct stoa_scan_options *options,
                                                    struct stoa_scan **out, struct stoa_error *err);
STOA_API void stoa_scan_close(struct stoa_scan *scan);

/* The schema of the batches; lent until close. */
STOA_API const struct stoa_schema *stoa_scan_schema(const struct stoa_scan *scan);

/*
 * The next rows, at most a row group of them; out->nrows is 0 at the end. The caller owns the
 * batch (stoa_batch_reset()); its schema is the scan's. One thread at a time. After an error the
 * next call tries the same rows again.
 */
STOA_API STOA_CHECK enum stoa_status stoa_scan_next(struct stoa_scan *scan, struct stoa_batch *out,
                                                    struct stoa_error *err);

/*
 * The same by units, for callers with threads of their own: units 0..nunits-1 are the row groups
 * that statistics left over, any thread may read any of them, and their rows in this order are the
 * scan's. The limit is the caller's affair then.
 */
STOA_API uint32_t stoa_scan_nunits(const struct stoa_scan *scan);
STOA_API uint32_t stoa_scan_unit_row_group(const struct stoa_scan *scan, uint32_t unit);
STOA_API STOA_CHECK enum stoa_status stoa_scan_read_unit(struct stoa_scan *scan, uint32_t unit,
                                                         struct stoa_batch *out,
                                                         struct stoa_error *err);

/*
 * How many rows the scan has in all, from statistics alone where they decide. Independent of what
 * was delivered before.
 */
STOA_API STOA_CHECK enum stoa_status stoa_scan_count(struct stoa_scan *scan, uint64_t *nrows,
                                                     struct stoa_error *err);

/*
 * The scan's columns at the given rows of the file, which rise, whatever the scan selects: random
 * access. Each page that holds one of them is read once, on as many threads as the scan was opened
 * for, up to one a column. Independent of what was delivered before; any thread.
 * STOA_ERR_USAGE: rows that don't rise or are not there.
 */
STOA_API STOA_CHECK enum stoa_status stoa_scan_take(struct stoa_scan *scan, const uint64_t *rows,
                                                    size_t nrows, struct stoa_batch *out,
                                                    struct stoa_error *err);

/*
 * A random sample of the rows that a scan selects, by their numbers in the file, rising: each row
 * equally likely, none twice. `seed` and the numbers of the rows decide, nothing else: not threads,
 * and not row groups. A larger sample with the same seed holds the smaller one.
 *
 * nrows     how many; all that are selected when these are fewer
 * fraction  with nrows 0: each row with this probability, 0 to 1
 *
 * Reads the columns of the filter alone. Memory: 32 bytes a row of the sample, and a row group for
 * each thread. *rows belongs to the caller (stoa_free()).
 */
struct stoa_sample_options {
    uint64_t nrows;
    double fraction;
    uint64_t seed;
};
STOA_API STOA_CHECK enum stoa_status stoa_scan_sample(struct stoa_scan *scan,
                                                      const struct stoa_sample_options *options,
                                                      uint64_t **rows, size_t *nrows,
                                                      struct stoa_error *err);

/*
 * Row groups and zones as pruning left them when the scan was opened: total = skipped + read.
 * Pages, bytes and rows as they were read so far: a page that is needed for two stretches of rows
 * is read twice, and a limit may end a scan behind rows that were selected. Any thread.
 * Cost: adds up the chunks of the columns that the scan needs, in all row groups; opening and
 * reading do not look at them.
 */
STOA_API STOA_CHECK enum stoa_status stoa_scan_counters_get(const struct stoa_scan *scan,
                                                            struct stoa_scan_counters *out,
                                                            struct stoa_error *err);

/*
 * One term of the filter by itself: of how many zones the footer excludes it, leaves it open or
 * proves it; of how many of those decided it took more than their zone maps: Bloom filters,
 * presence of codes. For `explain`. `text` is lent until close. STOA_ERR_USAGE: no such term.
 */
struct stoa_scan_term {
    const char *text;
    uint64_t zones_never;
    uint64_t zones_maybe;
    uint64_t zones_always;
    uint64_t zones_known; /* of never and always together */
};
STOA_API uint32_t stoa_scan_nterms(const struct stoa_scan *scan);
STOA_API STOA_CHECK enum stoa_status stoa_scan_term(struct stoa_scan *scan, uint32_t term,
                                                    struct stoa_scan_term *out,
                                                    struct stoa_error *err);

#ifdef __cplusplus
}
#endif

#endif
