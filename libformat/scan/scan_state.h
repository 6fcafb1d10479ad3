/*
 * The inside of a scan: what its parts share.
 */
#ifndef STOA_SCAN_SCAN_STATE_H
#define STOA_SCAN_SCAN_STATE_H

#include <stdatomic.h>

#include <stoa/order.h>
#include <stoa/scan.h>

#include "file/chunk_filter.h"
#include "file/reader.h"

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
    uint32_t *nodes;           /* of the columns in the file, in the order of the batches */
    uint32_t ncolumns;
    struct stoa_matcher *matcher; /* bound to the schema of the file; NULL: every row */
    const uint32_t *filter_nodes; /* the matcher's, of the file */
    uint32_t nfilter_nodes;
    struct stoa_chunk_filter *filters; /* one for each leaf of the matcher */
    struct stoa_node_count *counts;    /* of the matcher's nodes: what is best asked first */
    uint8_t *matches; /* enum stoa_match of each zone of the file; NULL without a matcher */
    struct stoa_scan_unit *units;
    uint32_t nunits;
    unsigned jobs;
    uint64_t limit; /* UINT64_MAX: none */

    /* next(): units [0, next_unit) are read; their batches that were not delivered yet wait. */
    uint64_t left; /* rows that may still be delivered; UINT64_MAX: no limit */
    uint32_t next_unit;
    uint32_t window; /* how many units are read at a time */
    bool has_huge;   /* its batches are in huge pages */
    struct stoa_batch *ready;
    uint32_t nready;
    uint32_t ready_at;

    struct stoa_skip row_groups; /* known when the scan is opened */
    struct stoa_skip zones;
    atomic_uint_fast64_t read_pages;
    atomic_uint_fast64_t read_bytes;
    atomic_uint_fast64_t rows_considered;
    atomic_uint_fast64_t rows_selected;
};

/* What one span gave: places [begin, end) of the selection. */
struct stoa_scan_picked {
    size_t begin;
    size_t end;
    uint32_t first_row;        /* of the span */
    struct stoa_array *arrays; /* the filter's columns there, {0} where they were not decoded; or
                                  NULL */
};

/* The selected rows of a row group, rising. */
struct stoa_scan_selection {
    uint32_t *rows;
    size_t nrows;
    size_t capacity;
    struct stoa_scan_picked *spans;
    size_t nspans;
    size_t spans_capacity;
    uint32_t narrays; /* of each span */
    bool keep;        /* single rows: others of their pages may be wanted soon */
};

/* Values of a column, piece by piece in the order of the rows. */
struct stoa_scan_parts {
    struct stoa_array *arrays;
    size_t narrays;
    size_t capacity;
};
void stoa_scan_parts_reset(struct stoa_scan_parts *parts);

/* Sets the units of a scan whose filter is bound, their zones' matches, and what was skipped. */
STOA_CHECK enum stoa_status stoa_scan_plan_units(struct stoa_scan *scan, struct stoa_error *err);

/* Zone maps of the filter's nodes, those of stoa_reader_zone(); `zones` has room for them. */
STOA_CHECK enum stoa_status stoa_scan_read_zones(const struct stoa_scan *scan, uint32_t row_group,
                                                 uint32_t zone, struct stoa_zone *zones,
                                                 struct stoa_error *err);

/* The keys of the file's order, from the first on, that its filter has conjuncts about. */
struct stoa_scan_order {
    const struct stoa_sort_key *keys; /* the reader's */
    uint32_t nkeys;
    uint32_t places[STOA_ORDER_MAX_NKEYS]; /* of their nodes among those of the filter */
};

/* Those of a scan whose filter is bound; a file whose order can't be read has none. */
STOA_CHECK enum stoa_status stoa_scan_order_find(const struct stoa_scan *scan,
                                                 struct stoa_scan_order *out,
                                                 struct stoa_error *err);

/*
 * Narrows [range->begin, range->end), row groups of the file (row_group UINT32_MAX) or zones of
 * one, to those that the order and the zone maps leave over. `zones` has room for those of the
 * filter's nodes. Cost: a binary search, of which each step looks at two of them.
 */
STOA_CHECK enum stoa_status stoa_scan_order_narrow(const struct stoa_scan_order *order,
                                                   const struct stoa_scan *scan, uint32_t row_group,
                                                   struct stoa_zone *zones,
                                                   struct stoa_range *range,
                                                   struct stoa_error *err);

/* Whether statistics select every row of a unit. */
bool stoa_scan_unit_is_whole(const struct stoa_scan *scan, const struct stoa_scan_unit *unit);

/*
 * Selects the rows of a unit that `*selection`, {0} before, then holds: the first `want` of them;
 * UINT64_MAX: all. Release with stoa_scan_selection_reset(), after a failure too.
 */
STOA_CHECK enum stoa_status stoa_scan_select(struct stoa_scan *scan,
                                             const struct stoa_scan_unit *unit, uint64_t want,
                                             struct stoa_scan_selection *selection,
                                             struct stoa_error *err);
void stoa_scan_selection_reset(struct stoa_scan_selection *selection);

/* Sets *known when the values of a zone, all of whose rows are selected, are not needed. */
typedef enum stoa_status stoa_scan_known(void *context, uint32_t zone, bool *known,
                                         struct stoa_error *err);

/*
 * Appends the values of output column `column` at the selected rows to *parts. What the filter has
 * decoded is taken from the selection, which has it no more then. `columns` are those of the output
 * at the selected rows, as far as they were read: what is derived from them need not read them
 * again; NULL: none were. `known` may be NULL.
 */
STOA_CHECK enum stoa_status
stoa_scan_read_parts(struct stoa_scan *scan, const struct stoa_scan_unit *unit, uint32_t column,
                     struct stoa_scan_selection *selection, const struct stoa_array *columns,
                     stoa_scan_known *known, void *context, struct stoa_scan_parts *parts,
                     struct stoa_error *err);

/*
 * All columns of the output at the selected rows into `columns`, each {0} before; those that are
 * derived from others come last and take what was read of them. The caller's, after a failure too.
 */
STOA_CHECK enum stoa_status stoa_scan_read_columns(struct stoa_scan *scan,
                                                   const struct stoa_scan_unit *unit,
                                                   struct stoa_scan_selection *selection,
                                                   struct stoa_array *columns,
                                                   struct stoa_error *err);

/* All parts of output column `column` as one array, which takes a single one as it is. */
STOA_CHECK enum stoa_status stoa_scan_join_parts(const struct stoa_scan *scan, uint32_t column,
                                                 struct stoa_scan_parts *parts,
                                                 struct stoa_array *out, struct stoa_error *err);

/* Rows [begin, end) of node `node` of the file in a row group; what is read is counted. */
STOA_CHECK enum stoa_status stoa_scan_read_node(struct stoa_scan *scan, uint32_t row_group,
                                                uint32_t node, uint32_t begin, uint32_t end,
                                                struct stoa_array *out, struct stoa_error *err);

/*
 * The selected rows of a unit: the first `want` of them; UINT64_MAX: all. Any thread.
 */
STOA_CHECK enum stoa_status stoa_scan_unit_read(struct stoa_scan *scan,
                                                const struct stoa_scan_unit *unit, uint64_t want,
                                                struct stoa_batch *out, struct stoa_error *err);

/* How many rows of a unit are selected; reads the nodes of the filter alone. Any thread. */
STOA_CHECK enum stoa_status stoa_scan_unit_count(struct stoa_scan *scan,
                                                 const struct stoa_scan_unit *unit, uint64_t *nrows,
                                                 struct stoa_error *err);

/*
 * A pass over units [next, end): `read` makes something of each, in made_nbytes bytes that were
 * zero, in any thread; `take` gets these in the order of the units, one thread at a time; `reset`
 * frees what they own, whatever happened; NULL: nothing.
 */
struct stoa_scan_pass {
    struct stoa_scan *scan;
    uint32_t next;
    uint32_t end;
    size_t made_nbytes;
    enum stoa_status (*read)(void *context, const struct stoa_scan_unit *unit, void *made,
                             struct stoa_error *err);
    enum stoa_status (*take)(void *context, void *made, struct stoa_error *err);
    void (*reset)(void *made);
    void *context; /* of read and take */
};
STOA_CHECK enum stoa_status stoa_scan_run_pass(struct stoa_scan_pass *pass, struct stoa_error *err);

#endif
