/*
 * Verifying values: what zone maps and dictionaries promise of them (spec/statistics.md;
 * spec/format.md, "Dictionaries").
 */
#include <inttypes.h>

#include "base/alloc.h"
#include "base/error.h"
#include "file/nodes_write.h"
#include "file/segment_check.h"
#include "file/verify.h"
#include "stats/zonemap.h"

/* ---- Columns. ---- */

/* One zone map against the truth; what is wrong is a finding. */
static enum stoa_status check_zone(struct stoa_verify *verify, uint32_t node, uint32_t group,
                                   uint32_t zone, const struct stoa_zone *truth,
                                   struct stoa_error *err)
{
    struct stoa_zone claim;
    const char *what;
    enum stoa_status st = stoa_reader_zone(verify->reader, node, group, zone, &claim, err);

    if (st != STOA_OK || stoa_zone_holds(&claim, truth, &what))
        return stoa_verify_report(verify, st, err);
    st = stoa_fail(err, STOA_ERR_CORRUPT, "%s does not hold", what);
    if (zone != UINT32_MAX)
        stoa_wrap(err, st, "zone map %" PRIu32, zone);
    else
        stoa_wrap(err, st, group == UINT32_MAX ? "zone map of the file" : "zone map of the chunk");
    stoa_verify_wrap(verify, group, node, st, err);
    return stoa_verify_report(verify, st, err);
}

static enum stoa_status check_zones(struct stoa_verify *verify, uint32_t group, uint32_t node,
                                    const struct stoa_type *type,
                                    const struct stoa_split_node *split, struct stoa_error *err)
{
    uint32_t nzones = (uint32_t)stoa_zone_count(verify->reader->footer.groups[group].nrows);
    struct stoa_zone *zones = NULL, all;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&zones, nzones, sizeof(*zones), err));
    stoa_zone_compute_group(type, &split->array, split->ends, nzones, zones, &all);
    for (uint32_t z = 0; z < nzones; z++)
        STOA_TRY(check_zone(verify, node, group, z, &zones[z], err));
    STOA_TRY(check_zone(verify, node, group, UINT32_MAX, &all, err));
    stoa_zone_merge(&verify->zones[node], &all);
out:
    stoa_free(zones);
    return st;
}

/* The zone maps of a column, whose values are `array`, and of all that is below it. */
static enum stoa_status check_column(struct stoa_verify *verify, uint32_t group, uint32_t node,
                                     const struct stoa_array *array, struct stoa_error *err)
{
    uint64_t nzones = stoa_zone_count(verify->reader->footer.groups[group].nrows);
    struct stoa_split_node *split = NULL;
    uint32_t n = verify->nodes[node].nnodes;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&split, n, sizeof(*split), err));
    STOA_TRY(stoa_nodes_split(verify->nodes, node, array, (size_t)nzones, split, err));
    for (uint32_t i = 0; i < n; i++)
        STOA_TRY(check_zones(verify, group, node + i, &verify->nodes[node + i].field->type,
                             &split[i], err));
out:
    for (uint32_t i = 0; split != NULL && i < n; i++)
        stoa_split_node_reset(&split[i]);
    stoa_free(split);
    return st;
}

void stoa_verify_forget(struct stoa_verify *verify, uint32_t node)
{
    uint32_t end = node + stoa_footer_subtree(&verify->reader->footer, node);

    for (uint32_t i = node; i < end; i++)
        verify->unknown[i] = true;
}

enum stoa_status stoa_verify_column_values(struct stoa_verify *verify, uint32_t group,
                                           uint32_t node, struct stoa_error *err)
{
    struct stoa_range rows = {0, verify->reader->footer.groups[group].nrows};
    struct stoa_array array = {0};
    enum stoa_status st;

    st = stoa_node_read(verify->reader, group, node, rows, &array, NULL, err);
    if (st == STOA_OK && verify->nodes != NULL) {
        st = check_column(verify, group, node, &array, err);
    } else {
        stoa_verify_forget(verify, node);
        st = stoa_verify_report(verify, st, err);
    }
    stoa_array_reset(&array);
    return st;
}

enum stoa_status stoa_verify_file_zones(struct stoa_verify *verify, struct stoa_error *err)
{
    const uint16_t order = STOA_ZONE_ASCENDING | STOA_ZONE_DESCENDING;
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 0; i < verify->reader->footer.trailer.nnodes; i++) {
        struct stoa_zone claim;

        if (verify->unknown[i])
            continue;
        st = stoa_reader_zone(verify->reader, i, UINT32_MAX, UINT32_MAX, &claim, err);
        if (st != STOA_OK) {
            STOA_TRY(stoa_verify_report(verify, st, err));
            continue;
        }
        /* Whether long texts rise from one row group to the next, their cut bounds can't tell. */
        if (claim.kind == STOA_BOUND_BYTES)
            verify->zones[i].flags |= claim.flags & order;
        STOA_TRY(check_zone(verify, i, UINT32_MAX, UINT32_MAX, &verify->zones[i], err));
    }
out:
    return st;
}

/* ---- Dictionary segments. ---- */

/* No value comes twice in the chain that ends with this segment. */
static enum stoa_status check_chain(struct stoa_verify *verify, struct stoa_decoder *decoder,
                                    const struct stoa_dictionary_table *table, uint32_t index,
                                    uint32_t width, struct stoa_error *err)
{
    struct stoa_footer *footer = &verify->reader->footer;
    enum stoa_phys phys = (enum stoa_phys)table->entries[index].phys;
    struct stoa_budget budget = {footer->memory_nbytes, footer->memory_nbytes};
    const struct stoa_dictionary *dictionary;
    uint32_t ncodes;
    enum stoa_status st;

    if (phys != STOA_PHYS_FIXED)
        width = stoa_phys_width(phys);
    st = stoa_dictionaries_get(&verify->reader->dictionaries, footer, decoder, index, phys, width,
                               &budget, &dictionary, &ncodes, err);
    if (st != STOA_OK) /* damage is reported with its segment */
        return stoa_verify_is_finding(st) ? STOA_OK : st;
    return stoa_chain_check(dictionary, ncodes, err);
}

enum stoa_status stoa_verify_segment_values(struct stoa_verify *verify, uint32_t index,
                                            uint64_t offset, uint32_t width, struct stoa_error *err)
{
    const struct stoa_dictionary_table *table;
    struct stoa_read_scratch *scratch = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_dictionaries_table(&verify->reader->dictionaries, &verify->reader->footer, &table,
                                     err));
    STOA_TRY(stoa_reader_scratch_take(verify->reader, &scratch, err));
    STOA_TRY(stoa_segment_check(&verify->reader->footer, scratch->decoder, table, index, offset,
                                width, err));
    if (table->tips[index] == index && table->entries[index].offset == offset)
        STOA_TRY(check_chain(verify, scratch->decoder, table, index, width, err));
out:
    stoa_reader_scratch_give(verify->reader, scratch);
    return st;
}
