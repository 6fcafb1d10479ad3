/*
 * Aggregates: count, nulls, least, greatest, sum and mean of the columns of a scan.
 *
 *     struct stoa_aggregator *aggregator;
 *     struct stoa_aggregate fare;
 *
 *     stoa_aggregator_new(stoa_scan_schema(scan), STOA_AGGREGATE_SUMS, &aggregator, &err);
 *     stoa_scan_aggregate(scan, aggregator, &err);
 *     stoa_aggregator_get(aggregator, 0, &fare, &err);
 *     ... fare.sum, fare.sum_text ...
 *     stoa_aggregate_reset(&fare);
 *     stoa_aggregator_free(aggregator);
 *
 * Results are exact: sums of integers and decimals never overflow, sums of floats are rounded once,
 * at the end. So they do not depend on threads, row groups or the order of rows. What the
 * statistics of a file prove is taken from there: without a filter, nothing but sums needs values.
 */
#ifndef STOA_AGGREGATE_H
#define STOA_AGGREGATE_H

#include <stoa/array.h>
#include <stoa/scan.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What is to be found out beside counts; less may be answered by statistics. */
enum stoa_aggregate_part {
    STOA_AGGREGATE_BOUNDS = 1, /* the least and the greatest value */
    STOA_AGGREGATE_SUMS = 2,   /* sum and mean; the number of NaN */
};

/* A mean of integers and decimals has this many digits more behind the point than the values. */
#define STOA_MEAN_EXTRA_DIGITS 6

#define STOA_AGGREGATE_TEXT_NBYTES 144

/* What is known of a column. Release with stoa_aggregate_reset(). */
struct stoa_aggregate {
    uint64_t nvalues; /* that are not null, NaN among them */
    uint64_t nnulls;

    /*
     * Two values of the column's type, the least and the greatest; NaN is none, text and bytes
     * compare as unsigned bytes, enums by the index of their symbol, a zero is 0.0. Empty (no
     * values) where nothing is ordered: no value at all, intervals, nested columns.
     */
    struct stoa_array bounds;

    /*
     * Of integers, floats and decimals, with STOA_AGGREGATE_SUMS. A sum of no values is 0; a mean
     * needs one. As numbers: the doubles nearest to sum_text and mean_text, for floats nearest to
     * the true sum and mean. As text: the whole sum of integers and decimals, the mean rounded to
     * nearest, ties to even; of floats the shortest text of the double. NaN among the values makes
     * both NaN.
     */
    bool has_sum;
    bool has_mean;
    uint64_t nnans; /* of floats */
    double sum;
    double mean;
    char sum_text[STOA_AGGREGATE_TEXT_NBYTES];
    char mean_text[STOA_AGGREGATE_TEXT_NBYTES];
};
STOA_API void stoa_aggregate_reset(struct stoa_aggregate *aggregate);

/*
 * Collects for each column of a schema, from any number of scans and batches. One thread at a time.
 * After an error it may only be freed.
 */
struct stoa_aggregator;

/* `parts`: what to find out, enum stoa_aggregate_part. The schema is copied. */
STOA_API STOA_CHECK enum stoa_status stoa_aggregator_new(const struct stoa_schema *schema,
                                                         unsigned parts,
                                                         struct stoa_aggregator **out,
                                                         struct stoa_error *err);
STOA_API void stoa_aggregator_free(struct stoa_aggregator *aggregator);

/*
 * Adds all rows of a scan, on as many threads as it was opened for, whatever was delivered of them
 * before. STOA_ERR_USAGE: another schema than the aggregator's, a scan with a limit.
 * Memory: a row group's columns of the filter and one more for each thread.
 */
STOA_API STOA_CHECK enum stoa_status stoa_scan_aggregate(struct stoa_scan *scan,
                                                         struct stoa_aggregator *aggregator,
                                                         struct stoa_error *err);

/* Adds the rows of a batch, which must be of the aggregator's schema. */
STOA_API STOA_CHECK enum stoa_status stoa_aggregator_add(struct stoa_aggregator *aggregator,
                                                         const struct stoa_batch *batch,
                                                         struct stoa_error *err);

/* Rows added so far. */
STOA_API uint64_t stoa_aggregator_nrows(const struct stoa_aggregator *aggregator);

/* What is known of column `column` of the schema; *out is overwritten on success. */
STOA_API STOA_CHECK enum stoa_status stoa_aggregator_get(const struct stoa_aggregator *aggregator,
                                                         uint32_t column,
                                                         struct stoa_aggregate *out,
                                                         struct stoa_error *err);

#ifdef __cplusplus
}
#endif

#endif
