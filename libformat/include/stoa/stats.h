/*
 * Zone maps: what is known of the values of some rows without reading them (spec/statistics.md).
 *
 * A node has a zone map for every 8,192 rows of a row group, for every row group, and for the
 * whole file. It says what is proven and nothing else: bounds enclose the values and may be wider
 * than they are, and what is unknown is said to be unknown.
 */
#ifndef STOA_STATS_H
#define STOA_STATS_H

#include <stoa/array.h>

#ifdef __cplusplus
extern "C" {
#endif

#define STOA_ZONE_NROWS 8192

/* How the bounds of a node are held. */
enum stoa_bound_kind {
    STOA_BOUND_NONE, /* null, interval and nested types: only nulls are counted */
    STOA_BOUND_INT, /* int8..int64, date32, time, timestamp, duration, decimal of up to 18 digits */
    STOA_BOUND_UINT,   /* bool (0, 1), uint8..uint64, enum (the index of the symbol) */
    STOA_BOUND_FLOAT,  /* float16, float32, float64 */
    STOA_BOUND_INT128, /* decimal of 19 to 38 digits: the integer value * 10^scale */
    STOA_BOUND_BYTES,  /* utf8, binary, fixed_binary, uuid: compared as unsigned bytes */
    STOA_BOUND_INT256, /* decimal of 39 digits and more */
};

/* The type decides; nothing else does. */
STOA_API enum stoa_bound_kind stoa_bound_kind(const struct stoa_type *type);

#define STOA_BOUND_NBYTES 16 /* of a text, at most */

/* A bound by kind; unused bytes are zero. */
union stoa_bound {
    int64_t i64;
    uint64_t u64;
    double f64;
    struct {
        uint64_t lo;
        int64_t hi;
    } i128;
    uint64_t i256[4];                 /* two's complement, the lowest word first */
    uint8_t bytes[STOA_BOUND_NBYTES]; /* the first bytes of a text; its length is in the zone */
};

/* The numbers are stored in files. A flag is a proof: what is not set is not known. */
enum stoa_zone_flag {
    STOA_ZONE_HAS_BOUNDS = 1,   /* at least one value is not null and not NaN, and all of those lie
                                   in [min, max] */
    STOA_ZONE_MIN_EXACT = 2,    /* min is one of the values */
    STOA_ZONE_MAX_EXACT = 4,    /* max is one of the values */
    STOA_ZONE_MAX_OPEN = 8,     /* with HAS_BOUNDS: there is no upper bound, max is empty */
    STOA_ZONE_NO_NAN = 16,      /* float columns: no value is NaN */
    STOA_ZONE_ALL_NAN = 32,     /* float columns: there are values that are not null, all are NaN */
    STOA_ZONE_ASCENDING = 64,   /* no null, no NaN, and no value is less than the one before */
    STOA_ZONE_DESCENDING = 128, /* no null, no NaN, and no value is greater than the one before */
};

#define STOA_ZONE_NNULLS_UNKNOWN UINT64_MAX

/*
 * The zone map of nvalues values; it owns nothing. -0.0 stands for a least value of zero and 0.0
 * for a greatest one.
 */
struct stoa_zone {
    enum stoa_bound_kind kind;
    uint16_t flags;
    uint8_t min_nbytes; /* BYTES: how many of min.bytes and max.bytes belong to the bound */
    uint8_t max_nbytes;
    uint64_t nvalues;
    uint64_t nnulls; /* or STOA_ZONE_NNULLS_UNKNOWN */
    union stoa_bound min;
    union stoa_bound max;
};

/*
 * The bounds of a zone map of a column of that type as an array of two values, the lower bound and
 * the upper one; null for one that is not known. No values at all without STOA_ZONE_HAS_BOUNDS.
 * Bounds of bytes may be cut, as the flags tell, and then need not be UTF-8; those of fixed_binary
 * have zeros behind what is known. *out is overwritten on success and owned by the caller.
 */
STOA_API STOA_CHECK enum stoa_status stoa_zone_bounds(const struct stoa_type *type,
                                                      const struct stoa_zone *zone,
                                                      struct stoa_array *out,
                                                      struct stoa_error *err);

#ifdef __cplusplus
}
#endif

#endif
