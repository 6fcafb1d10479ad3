/*
 * Pruning: what the footer knows of row groups and zones, held against the filter.
 *
 *     zone map of the row group     maybe
 *     zone maps of its zones        never  maybe  maybe  always
 *     Bloom filter                  .      .      .      .           a leaf at a time: all or none
 *     presence of codes             .      never  .      .
 *
 * A row group is held against its own zone map first; only where that says "maybe" are its zones
 * looked at one by one. Of a file in order only what scan_order.c leaves over is looked at, row
 * groups as well as zones. What is left is a list of units, one for each row group with a zone in
 * it.
 *
 * Zone maps are needed: damage to them is an error. Filters and bitmaps are optional sections,
 * whose absence changes nothing but time: one that is damaged is not used, and `verify` reports it.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "file/bloom.h"
#include "file/presence.h"
#include "scan/scan_state.h"

/* Of the row group that is looked at. */
struct pruning {
    struct stoa_scan *scan;
    struct stoa_scan_order order;
    struct stoa_zone *zones; /* one a node of the filter */
    uint8_t *known;          /* enum stoa_match of each leaf in each zone; a zone's are together */
    uint8_t *of_leaf;        /* of one leaf in each zone */
    size_t nknown, nof_leaf; /* room */
};

static void pruning_reset(struct pruning *pruning)
{
    stoa_free(pruning->zones);
    stoa_free(pruning->known);
    stoa_free(pruning->of_leaf);
}

enum stoa_status stoa_scan_read_zones(const struct stoa_scan *scan, uint32_t row_group,
                                      uint32_t zone, struct stoa_zone *zones,
                                      struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 0; i < scan->nfilter_nodes; i++)
        STOA_TRY(
            stoa_reader_zone(scan->reader, scan->filter_nodes[i], row_group, zone, &zones[i], err));
out:
    return st;
}

/*
 * What became of asking a section: one that is damaged has told nothing. Rows are not read from
 * there, see above, and the next section may be sound.
 */
static enum stoa_status unless_damaged(struct pruning *pruning, uint32_t nzones,
                                       enum stoa_status st, const struct stoa_error *what,
                                       struct stoa_error *err)
{
    if (st == STOA_ERR_CORRUPT) {
        memset(pruning->of_leaf, STOA_MATCH_MAYBE, nzones);
        return STOA_OK;
    }
    if (st != STOA_OK && err != NULL)
        *err = *what;
    return st;
}

/* What is known of a leaf in the zones of a row group beside its zone maps: of_leaf. */
static enum stoa_status know_leaf(struct pruning *pruning, uint32_t row_group, uint32_t nzones,
                                  uint32_t leaf, struct stoa_error *err)
{
    struct stoa_scan *scan = pruning->scan;
    struct stoa_chunk_filter *filter = &scan->filters[leaf];
    const uint32_t node = scan->filter_nodes[filter->leaf->field];
    struct stoa_read_counters counters = {0};
    struct stoa_error what;
    enum stoa_status st;

    STOA_TRY(stoa_reserve(&pruning->of_leaf, &pruning->nof_leaf, nzones, 1, err));
    memset(pruning->of_leaf, STOA_MATCH_MAYBE, nzones);
    st = stoa_bloom_prune(filter->leaf, scan->reader, row_group, node, nzones, pruning->of_leaf,
                          &what);
    STOA_TRY(unless_damaged(pruning, nzones, st, &what, err));
    if (pruning->of_leaf[0] != STOA_MATCH_MAYBE)
        goto out;
    st = stoa_presence_prune(filter, scan->reader, row_group, node, nzones, pruning->of_leaf,
                             &counters, &what);
    atomic_fetch_add(&scan->read_pages, counters.pages);
    atomic_fetch_add(&scan->read_bytes, counters.bytes);
    st = unless_damaged(pruning, nzones, st, &what, err);
out:
    return st;
}

static enum stoa_status know_leaves(struct pruning *pruning, uint32_t row_group, uint32_t nzones,
                                    struct stoa_error *err)
{
    const uint32_t nleaves = pruning->scan->matcher->nleaves;
    enum stoa_status st;

    STOA_TRY(stoa_reserve(&pruning->known, &pruning->nknown, (size_t)nzones * nleaves, 1, err));
    for (uint32_t leaf = 0; leaf < nleaves; leaf++) {
        STOA_TRY(know_leaf(pruning, row_group, nzones, leaf, err));
        for (uint32_t zone = 0; zone < nzones; zone++)
            pruning->known[(size_t)zone * nleaves + leaf] = pruning->of_leaf[zone];
    }
out:
    return st;
}

/* The matches of the zones of one row group; *nleft counts those that are not NEVER. */
static enum stoa_status prune_row_group(struct pruning *pruning, uint32_t row_group,
                                        const struct stoa_row_group *rows, uint32_t *nleft,
                                        struct stoa_error *err)
{
    struct stoa_scan *scan = pruning->scan;
    struct stoa_range range = {0, rows->nzones};
    uint8_t *matches = scan->matches + rows->first_zone;
    enum stoa_match whole;
    enum stoa_status st;

    STOA_TRY(stoa_scan_read_zones(scan, row_group, UINT32_MAX, pruning->zones, err));
    whole = stoa_matcher_prune(scan->matcher, pruning->zones);
    memset(matches, whole, rows->nzones);
    *nleft = whole == STOA_MATCH_NEVER ? 0 : rows->nzones;
    if (whole != STOA_MATCH_MAYBE)
        return STOA_OK;
    STOA_TRY(stoa_scan_order_narrow(&pruning->order, scan, row_group, pruning->zones, &range, err));
    memset(matches, STOA_MATCH_NEVER, rows->nzones);
    *nleft = 0;
    if (range.begin < range.end)
        STOA_TRY(know_leaves(pruning, row_group, rows->nzones, err));
    for (uint32_t zone = range.begin; zone < range.end; zone++) {
        const uint8_t *known = pruning->known + (size_t)zone * scan->matcher->nleaves;

        STOA_TRY(stoa_scan_read_zones(scan, row_group, zone, pruning->zones, err));
        matches[zone] = (uint8_t)stoa_matcher_prune_known(scan->matcher, pruning->zones, known);
        *nleft += matches[zone] != STOA_MATCH_NEVER;
    }
out:
    return st;
}

enum stoa_status stoa_scan_plan_units(struct stoa_scan *scan, struct stoa_error *err)
{
    const uint32_t nrow_groups = stoa_reader_nrow_groups(scan->reader);
    struct pruning pruning = {.scan = scan};
    struct stoa_row_group rows = {0};
    struct stoa_range range = {0, nrow_groups};
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&scan->units, nrow_groups, sizeof(*scan->units), err));
    STOA_TRY(stoa_alloc_zeroed(&pruning.zones, scan->nfilter_nodes, sizeof(*pruning.zones), err));
    if (nrow_groups > 0)
        STOA_TRY(stoa_reader_row_group(scan->reader, nrow_groups - 1, &rows, err));
    scan->row_groups.total = nrow_groups;
    scan->zones.total = rows.first_zone + rows.nzones;
    if (scan->matcher != NULL) {
        STOA_TRY(stoa_alloc_zeroed(&scan->matches, (size_t)scan->zones.total, 1, err));
        STOA_TRY(stoa_scan_order_find(scan, &pruning.order, err));
        STOA_TRY(
            stoa_scan_order_narrow(&pruning.order, scan, UINT32_MAX, pruning.zones, &range, err));
    }
    for (uint32_t g = range.begin; g < range.end; g++) {
        uint32_t nleft;

        STOA_TRY(stoa_reader_row_group(scan->reader, g, &rows, err));
        nleft = rows.nzones;
        if (scan->matcher != NULL)
            STOA_TRY(prune_row_group(&pruning, g, &rows, &nleft, err));
        scan->zones.read += nleft;
        if (nleft > 0)
            scan->units[scan->nunits++] = (struct stoa_scan_unit){.row_group = g, .rows = rows};
    }
    scan->row_groups.read = scan->nunits;
    scan->row_groups.skipped = nrow_groups - scan->nunits;
    scan->zones.skipped = scan->zones.total - scan->zones.read;
out:
    pruning_reset(&pruning);
    return st;
}

/* ---- Terms by themselves. ---- */

uint32_t stoa_scan_nterms(const struct stoa_scan *scan)
{
    return scan->matcher != NULL ? stoa_matcher_nterms(scan->matcher) : 0;
}

static enum stoa_status count_term(struct pruning *pruning, uint32_t term, uint32_t row_group,
                                   uint32_t nzones, struct stoa_scan_term *counted,
                                   struct stoa_error *err)
{
    struct stoa_scan *scan = pruning->scan;
    const uint32_t node = scan->filter_nodes[stoa_matcher_term_node(scan->matcher, term)];
    uint64_t *const counts[] = {
        [STOA_MATCH_NEVER] = &counted->zones_never,
        [STOA_MATCH_MAYBE] = &counted->zones_maybe,
        [STOA_MATCH_ALWAYS] = &counted->zones_always,
    };
    enum stoa_status st;

    STOA_TRY(know_leaf(pruning, row_group, nzones, term, err));
    for (uint32_t zone = 0; zone < nzones; zone++) {
        enum stoa_match match;
        struct stoa_zone map;

        STOA_TRY(stoa_reader_zone(scan->reader, node, row_group, zone, &map, err));
        match = stoa_matcher_prune_term(scan->matcher, term, &map);
        if (match == STOA_MATCH_MAYBE && pruning->of_leaf[zone] != STOA_MATCH_MAYBE) {
            match = (enum stoa_match)pruning->of_leaf[zone];
            counted->zones_known++;
        }
        ++*counts[match];
    }
out:
    return st;
}

enum stoa_status stoa_scan_term(struct stoa_scan *scan, uint32_t term, struct stoa_scan_term *out,
                                struct stoa_error *err)
{
    struct stoa_scan_term counted = {0};
    struct pruning pruning = {.scan = scan};
    enum stoa_status st = STOA_OK;

    if (term >= stoa_scan_nterms(scan))
        return stoa_fail(err, STOA_ERR_USAGE, "term %u of %u", term, stoa_scan_nterms(scan));
    counted.text = stoa_matcher_term_text(scan->matcher, term);
    for (uint32_t g = 0; g < stoa_reader_nrow_groups(scan->reader); g++) {
        struct stoa_row_group rows;

        STOA_TRY(stoa_reader_row_group(scan->reader, g, &rows, err));
        STOA_TRY(count_term(&pruning, term, g, rows.nzones, &counted, err));
    }
    *out = counted;
out:
    pruning_reset(&pruning);
    return st;
}
