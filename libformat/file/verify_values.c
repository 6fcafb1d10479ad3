/*
 * Verifying values: what zone maps and dictionaries promise of them (spec/statistics.md;
 * spec/format.md, "Dictionaries").
 */
#include <inttypes.h>

#include "base/alloc.h"
#include "base/error.h"
#include "file/segment_check.h"
#include "file/verify.h"
#include "stats/zonemap.h"

/* ---- Chunks. ---- */

/* One zone map against the truth; what is wrong is a finding. */
static enum stoa_status check_zone(struct stoa_verify *verify, uint32_t column, uint32_t group,
                                   uint32_t zone, const struct stoa_zone *truth,
                                   struct stoa_error *err)
{
    struct stoa_zone claim;
    const char *what;
    enum stoa_status st = stoa_reader_zone(verify->reader, column, group, zone, &claim, err);

    if (st != STOA_OK || stoa_zone_holds(&claim, truth, &what))
        return stoa_verify_report(verify, st, err);
    st = stoa_fail(err, STOA_ERR_CORRUPT, "%s does not hold", what);
    if (zone != UINT32_MAX)
        stoa_wrap(err, st, "zone map %" PRIu32, zone);
    else
        stoa_wrap(err, st, group == UINT32_MAX ? "zone map of the file" : "zone map of the chunk");
    stoa_verify_wrap(verify, group, column, st, err);
    return stoa_verify_report(verify, st, err);
}

static enum stoa_status check_zones(struct stoa_verify *verify, uint32_t group, uint32_t column,
                                    const struct stoa_type *type, const struct stoa_array *array,
                                    struct stoa_error *err)
{
    uint32_t nzones = (uint32_t)stoa_zone_count(array->nvalues);
    struct stoa_zone *zones = NULL, all;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&zones, nzones, sizeof(*zones), err));
    stoa_zone_compute_group(type, array, NULL, nzones, zones, &all);
    for (uint32_t z = 0; z < nzones; z++) {
        STOA_TRY(check_zone(verify, column, group, z, &zones[z], err));
    }
    STOA_TRY(check_zone(verify, column, group, UINT32_MAX, &all, err));
    stoa_zone_merge(&verify->zones[column], &all);
out:
    stoa_free(zones);
    return st;
}

enum stoa_status stoa_verify_chunk_values(struct stoa_verify *verify, uint32_t group,
                                          uint32_t column, struct stoa_error *err)
{
    struct stoa_footer *footer = &verify->reader->footer;
    struct stoa_array array = {0};
    struct stoa_column *info;
    enum stoa_status st;

    st = stoa_verify_column(verify, column, &info, err);
    if (st != STOA_OK || info == NULL)
        return st;
    st = stoa_chunk_read(verify->reader, group, column, 0, footer->groups[group].nrows, &array,
                         NULL, err);
    if (st == STOA_OK) {
        st = check_zones(verify, group, column, &info->field.type, &array, err);
    } else {
        verify->unknown[column] = true;
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
