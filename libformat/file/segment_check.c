/*
 * Dictionary segments by their values (spec/format.md, "Dictionaries").
 */
#include "file/segment_check.h"

#include <inttypes.h>

#include "base/error.h"
#include "codec/distinct.h"
#include "file/dictionary_write.h"

/*
 * STOA_ERR_CORRUPT when a value comes twice or, with `sorted`, they do not rise. The set gives
 * codes in the order of first appearance and knows the order of its values.
 */
static enum stoa_status check_distinct(const struct stoa_vector *values, bool sorted,
                                       struct stoa_error *err)
{
    struct stoa_distinct *set = NULL;
    uint32_t *codes = NULL;
    bool complete;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&codes, values->nvalues, sizeof(*codes), err));
    STOA_TRY(stoa_distinct_new(&set, values->phys, values->width, err));
    STOA_TRY(stoa_distinct_add(set, values, UINT32_MAX, UINT64_MAX, codes, &complete, err));
    for (uint32_t i = 0; i < values->nvalues; i++) {
        if (codes[i] != i) {
            st = stoa_fail(err, STOA_ERR_CORRUPT, "value %" PRIu32 " is value %" PRIu32 " again", i,
                           codes[i]);
            goto out;
        }
    }
    if (sorted)
        STOA_TRY(stoa_distinct_order(set, codes, err));
    for (uint32_t i = 0; i < values->nvalues; i++) {
        if (codes[i] != i) {
            st = stoa_fail(err, STOA_ERR_CORRUPT, "values do not rise at %" PRIu32, i);
            goto out;
        }
    }
out:
    stoa_distinct_free(set);
    stoa_free(codes);
    return st;
}

enum stoa_status stoa_segment_check(const struct stoa_footer *footer, struct stoa_decoder *decoder,
                                    const struct stoa_dictionary_table *table, uint32_t index,
                                    uint64_t offset, uint32_t width, struct stoa_error *err)
{
    const struct stoa_dictdir_entry *entry = &table->entries[index];
    enum stoa_phys phys = (enum stoa_phys)entry->phys;
    struct stoa_budget budget = {footer->memory_nbytes, footer->memory_nbytes};
    struct stoa_dictionary dictionary = {0};
    struct stoa_vector values;
    uint64_t prev_id = 0, id;
    enum stoa_status st;

    if (stoa_phys_name(phys) == NULL || phys == STOA_PHYS_NONE) {
        st = stoa_fail(err, STOA_ERR_UNSUPPORTED, "physical type %u", phys);
        goto out;
    }
    if (entry->prev_index != STOA_NONE32)
        prev_id = table->entries[entry->prev_index].id;
    if (phys != STOA_PHYS_FIXED)
        width = stoa_phys_width(phys);
    STOA_TRY(stoa_dictionary_init(&dictionary, phys, width, entry->count, &budget, err));
    STOA_TRY(stoa_dictionary_append_segment(&dictionary, footer, decoder, table, index, offset,
                                            &budget, err));
    values = stoa_dictionary_vector(&dictionary, entry->count);
    STOA_TRY(stoa_segment_id(prev_id, &values, &id, err));
    if (id != entry->id)
        st = stoa_fail(err, STOA_ERR_CORRUPT, "its id is not that of its values");
    else
        st = check_distinct(&values, true, err);
out:
    stoa_dictionary_reset(&dictionary);
    return st;
}

enum stoa_status stoa_chain_check(const struct stoa_dictionary *dictionary, uint32_t ncodes,
                                  struct stoa_error *err)
{
    struct stoa_vector values = stoa_dictionary_vector(dictionary, ncodes);

    return check_distinct(&values, false, err);
}
