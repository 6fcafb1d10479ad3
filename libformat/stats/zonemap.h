/*
 * Zone maps: computing, joining, storing (spec/statistics.md).
 *
 *     a node's statistics   [file] [row group 0] [row group 1] .. [zone 0] [zone 1] ...
 *     entry                 min[w] | max[w] | u32 n_nulls | u16 flags | u8 min_len | u8 max_len
 *                           u64 n_values, of a node below a list alone
 *
 * Zones are rows of the table. A node below a list (also a map or a fixed_list) has values of its
 * own number in them, so `below_list` says where an entry has to tell how many.
 *
 * Nothing here allocates, and everything may be called by any thread.
 */
#ifndef STOA_STATS_ZONEMAP_H
#define STOA_STATS_ZONEMAP_H

#include <stoa/array.h>
#include <stoa/stats.h>

/* The largest entry of any type. */
#define STOA_ZONE_ENTRY_MAX_NBYTES (2 * 32 + 16)

/* Zones of a row group of nrows rows. */
static inline uint64_t stoa_zone_count(uint64_t nrows)
{
    return nrows / STOA_ZONE_NROWS + (nrows % STOA_ZONE_NROWS != 0);
}

/* The zone map of no values: joined with another it gives the other. */
struct stoa_zone stoa_zone_empty(const struct stoa_type *type);

/* The zone map of nvalues rows of which nothing is known. */
struct stoa_zone stoa_zone_unknown(const struct stoa_type *type, uint64_t nvalues);

/* Sets *out to the zone map of values [begin, end) of `array`. Cost: one pass over them. */
void stoa_zone_compute(const struct stoa_type *type, const struct stoa_array *array, size_t begin,
                       size_t end, struct stoa_zone *out);

/*
 * All zone maps of a row group, whose values are the whole `array`: zones[0..nzones), and the one
 * of the row group in *all. Zone z has the values [ends[z - 1], ends[z]), the first one from 0 on;
 * with `ends` NULL 8,192 values each, the last one what is left. Better than joining the zones,
 * because whether values rise from zone to zone is seen by the values and not by bounds that may be
 * cut. Cost: one pass.
 */
void stoa_zone_compute_group(const struct stoa_type *type, const struct stoa_array *array,
                             const size_t *ends, size_t nzones, struct stoa_zone *zones,
                             struct stoa_zone *all);

/* Makes *zone the zone map of its values followed by those of `next`, of the same type. */
void stoa_zone_merge(struct stoa_zone *zone, const struct stoa_zone *next);

/*
 * Makes the zone map of values of one type that of the same values in the wider type `to`, which
 * keeps them as they are stored: null to any type, an integer to a wider integer or to a decimal
 * without a scale, float32 to float64, a decimal to one of more digits; bytes to bytes.
 */
void stoa_zone_widen(struct stoa_zone *zone, const struct stoa_type *to);

/*
 * Whether all that `claim` says is true of the values from which `truth` was computed (same type,
 * same values): what a check of a file against its values needs. When it is not, *what (may be
 * NULL) is the part that is wrong: "count of values", "minimum", "maximum", "count of nulls",
 * "flags".
 */
bool stoa_zone_holds(const struct stoa_zone *claim, const struct stoa_zone *truth,
                     const char **what);

/* Bytes of an entry: a multiple of 8. */
uint16_t stoa_zone_stride(const struct stoa_type *type, bool below_list);

/* Writes stoa_zone_stride() bytes. */
void stoa_zone_pack(const struct stoa_zone *zone, bool below_list, uint8_t *out);

/*
 * Reads an entry. nvalues is the number of rows that it covers, or for a node below a list the most
 * values that it may claim. n_nulls = FFFFFFFF gives STOA_ZONE_NNULLS_UNKNOWN.
 * STOA_ERR_CORRUPT: more values than there may be, more nulls than values, a length above 16, bytes
 * behind a bound, a minimum above the maximum, NaN as a bound, flags that exclude each other. Flags
 * that this version does not know are dropped.
 */
STOA_CHECK enum stoa_status stoa_zone_unpack(const struct stoa_type *type, bool below_list,
                                             const uint8_t *bytes, uint64_t nvalues,
                                             struct stoa_zone *out, struct stoa_error *err);

/*
 * Where a zone map stands among the entries of its node. Levels that would repeat the one above
 * are left out: the row groups of a file that has one, the zones of a file whose row groups have
 * one each.
 */
enum stoa_zone_level { STOA_ZONE_OF_FILE, STOA_ZONE_OF_ROW_GROUP, STOA_ZONE_OF_ROWS };

/* How many entries a node has; 0 for a file without rows. nzones of all row groups. */
uint64_t stoa_zone_nentries(uint32_t nrow_groups, uint64_t nzones);

/*
 * The entry of the file, of row group `row_group`, or of zone `zone` (counted in the file: the
 * first_zone of its row group + its number in it) in row group `row_group`. Arguments that a level
 * does not need are ignored.
 */
uint64_t stoa_zone_entry(uint32_t nrow_groups, uint64_t nzones, enum stoa_zone_level level,
                         uint32_t row_group, uint64_t zone);

/* -1, 0, 1: bounds of the same kind; nbytes matter to BYTES alone. Not for NaN. */
int stoa_bound_compare(enum stoa_bound_kind kind, const union stoa_bound *a, size_t a_nbytes,
                       const union stoa_bound *b, size_t b_nbytes);

/* A value of a type of that kind, of numbers, as its bound would be. */
struct stoa_scalar;
union stoa_bound stoa_bound_of_scalar(enum stoa_bound_kind kind, const struct stoa_scalar *scalar);

struct stoa_text_ref;

/*
 * The array of stoa_zone_bounds() for two values of a type of kind BYTES; shorter ones of a type
 * of fixed width get zeros behind. greatest NULL: there is none.
 */
STOA_CHECK enum stoa_status stoa_bounds_of_texts(const struct stoa_type *type,
                                                 const struct stoa_text_ref *least,
                                                 const struct stoa_text_ref *greatest,
                                                 struct stoa_array *out, struct stoa_error *err);

#endif
