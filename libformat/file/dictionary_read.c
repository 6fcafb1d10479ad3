/*
 * Reading shared dictionaries (spec/format.md, "Dictionaries"): the directory, and chains of
 * segments as a whole.
 */
#include "file/dictionary_read.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "file/segment_read.h"

enum { SLACK_NBYTES = 64 }; /* what page decoders may read or write behind the last value */

/* ---- Values. ---- */

enum stoa_status stoa_dictionary_init(struct stoa_dictionary *dictionary, enum stoa_phys phys,
                                      uint32_t width, uint32_t count, struct stoa_budget *budget,
                                      struct stoa_error *err)
{
    struct stoa_dictionary made = {.phys = phys, .width = width};
    uint64_t nbytes = phys == STOA_PHYS_BYTES ? (count + UINT64_C(1)) * sizeof(int32_t)
                                              : (uint64_t)count * width + SLACK_NBYTES;
    enum stoa_status st;

    STOA_TRY(stoa_budget_take(budget, nbytes, err));
    if (phys == STOA_PHYS_BYTES) {
        STOA_TRY(stoa_alloc(&made.offsets, (size_t)nbytes, err));
        made.offsets[0] = 0;
        STOA_TRY(stoa_buffer_reserve(&made.values, SLACK_NBYTES, err));
    } else {
        STOA_TRY(stoa_buffer_reserve(&made.values, (size_t)nbytes, err));
    }
    *dictionary = made;
    made = (struct stoa_dictionary){0};
out:
    stoa_dictionary_reset(&made);
    return st;
}

void stoa_dictionary_reset(struct stoa_dictionary *dictionary)
{
    stoa_buffer_free(&dictionary->values);
    stoa_free(dictionary->offsets);
    *dictionary = (struct stoa_dictionary){0};
}

static size_t text_max(const struct stoa_dictionary *dictionary, const struct stoa_budget *budget)
{
    uint64_t max = dictionary->values.nbytes + budget->left + 1; /* 0 would mean no limit */

    return max < INT32_MAX ? (size_t)max : INT32_MAX;
}

enum stoa_status stoa_dictionary_append_page(struct stoa_dictionary *dictionary,
                                             struct stoa_decoder *decoder, const uint8_t *page,
                                             size_t nbytes, uint32_t nvalues, uint64_t raw_max,
                                             struct stoa_budget *budget, struct stoa_error *err)
{
    size_t before = dictionary->values.nbytes;
    struct stoa_page_values out = {0};
    enum stoa_status st;

    if (dictionary->phys == STOA_PHYS_BYTES) {
        out.offsets = dictionary->offsets + dictionary->count;
        out.bytes = &dictionary->values;
        out.bytes_max = text_max(dictionary, budget);
    } else {
        out.values = dictionary->values.data + before;
    }
    STOA_TRY(stoa_page_decode(decoder, page, nbytes, dictionary->phys, dictionary->width, nvalues,
                              raw_max < budget->total ? raw_max : budget->total, NULL, 0, &out,
                              err));
    if (dictionary->phys != STOA_PHYS_BYTES)
        dictionary->values.nbytes += (size_t)nvalues * dictionary->width;
    else
        STOA_TRY(stoa_budget_take(budget, dictionary->values.nbytes - before, err));
    dictionary->count += nvalues;
    return STOA_OK;
out:
    dictionary->values.nbytes = before;
    return st;
}

enum stoa_status stoa_dictionary_append_codes(struct stoa_dictionary *dictionary,
                                              const struct stoa_dictionary *from, uint32_t ncodes,
                                              struct stoa_budget *budget, struct stoa_error *err)
{
    struct stoa_buffer *values = &dictionary->values;
    bool is_text = dictionary->phys == STOA_PHYS_BYTES;
    size_t nbytes = is_text ? (size_t)from->offsets[ncodes] : (size_t)ncodes * from->width;
    enum stoa_status st;

    if (is_text) {
        uint32_t begin = (uint32_t)values->nbytes;

        if (nbytes > INT32_MAX - values->nbytes)
            return stoa_fail(err, STOA_ERR_LIMIT, "a dictionary of more than 2 GiB");
        STOA_TRY(stoa_budget_take(budget, nbytes, err));
        for (uint32_t i = 1; i <= ncodes; i++)
            dictionary->offsets[dictionary->count + i] = (int32_t)(begin + from->offsets[i]);
    }
    STOA_TRY(stoa_buffer_reserve(values, nbytes + SLACK_NBYTES, err));
    STOA_TRY(stoa_buffer_append(values, from->values.data, nbytes, err));
    if (dictionary->nutf8 == dictionary->count)
        dictionary->nutf8 += from->nutf8 < ncodes ? from->nutf8 : ncodes;
    dictionary->count += ncodes;
out:
    return st;
}

void stoa_dictionary_finish(struct stoa_dictionary *dictionary)
{
    uint32_t n = dictionary->nutf8;
    const uint8_t *text = dictionary->values.data;
    size_t nbytes = dictionary->values.nbytes, begin, valid;

    if (dictionary->phys != STOA_PHYS_BYTES)
        return;
    begin = (size_t)dictionary->offsets[n]; /* what is in front of it was looked at */
    valid = begin + stoa_utf8_valid_prefix(text + begin, nbytes - begin);
    while (n < dictionary->count) {
        size_t end = (size_t)dictionary->offsets[n + 1];

        if (end > valid || (end < nbytes && (text[end] & 0xc0) == 0x80))
            break;
        n++;
    }
    dictionary->nutf8 = n;
    if (dictionary->count > 0)
        dictionary->length = stoa_text_length(dictionary->offsets, dictionary->count);
}

struct stoa_vector stoa_dictionary_vector(const struct stoa_dictionary *dictionary, uint32_t ncodes)
{
    return (struct stoa_vector){
        .phys = dictionary->phys,
        .width = dictionary->width,
        .nvalues = ncodes,
        .values = dictionary->values.data,
        .offsets = dictionary->offsets,
    };
}

struct stoa_vector stoa_dictionary_entries(const struct stoa_dictionary *dictionary,
                                           uint32_t ncodes)
{
    struct stoa_vector entries = stoa_dictionary_vector(dictionary, ncodes);

    if (dictionary->phys == STOA_PHYS_BYTES)
        entries.width = dictionary->length;
    return entries;
}

/* ---- A segment. ---- */

static enum stoa_status append_pages(struct stoa_dictionary *dictionary,
                                     struct stoa_decoder *decoder,
                                     const struct stoa_chunk_pages *pages, const uint8_t *bytes,
                                     uint32_t count, struct stoa_budget *budget,
                                     struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (uint32_t k = 0; k < pages->npages && st == STOA_OK; k++) {
        const struct stoa_stored_page *page = &pages->pages[k];
        const uint8_t *at = bytes + (page->offset - pages->pages[0].offset);

        st = stoa_stored_page_verify(page, at, err);
        if (st == STOA_OK)
            st = stoa_dictionary_append_page(dictionary, decoder, at, page->nbytes,
                                             stoa_segment_page_nvalues(count, k), page->raw_max,
                                             budget, err);
        if (st != STOA_OK)
            return stoa_segment_fail(page, k, st, err);
    }
    return STOA_OK;
}

enum stoa_status stoa_dictionary_append_segment(struct stoa_dictionary *dictionary,
                                                const struct stoa_footer *footer,
                                                struct stoa_decoder *decoder,
                                                const struct stoa_dictionary_table *table,
                                                uint32_t index, uint64_t offset,
                                                struct stoa_budget *budget, struct stoa_error *err)
{
    const struct stoa_dictdir_entry *entry = &table->entries[index];
    const uint32_t count = dictionary->count;
    const size_t before = dictionary->values.nbytes;
    struct stoa_segment segment = {0};
    uint8_t *bytes = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_segment_read(footer, NULL, table, index, offset, dictionary->phys,
                               dictionary->width, &segment, err));
    STOA_TRY(stoa_alloc(
        &bytes, (size_t)stoa_chunk_pages_nbytes(&segment.pages, 0, segment.pages.npages), err));
    STOA_TRY(stoa_chunk_pages_fetch(footer, &segment.pages, 0, segment.pages.npages, bytes, err));
    STOA_TRY(append_pages(dictionary, decoder, &segment.pages, bytes, entry->count, budget, err));
    if (dictionary->values.nbytes - before != segment.raw_nbytes)
        st = stoa_fail(err, STOA_ERR_CORRUPT, "%zu bytes of values, the head says %" PRIu64,
                       dictionary->values.nbytes - before, segment.raw_nbytes);
out:
    stoa_free(bytes);
    stoa_chunk_pages_reset(&segment.pages);
    if (st == STOA_OK)
        return st;
    dictionary->count = count;
    dictionary->values.nbytes = before;
    return stoa_segment_wrap(table, index, offset, st, err);
}

/* ---- The directory. ---- */

static enum stoa_status check_place(const struct stoa_footer *footer, uint64_t offset,
                                    uint32_t count, struct stoa_error *err)
{
    uint64_t need = STOA_OBJECT_NBYTES + STOA_DICT_HEAD_NBYTES +
                    (uint64_t)stoa_segment_npages(count) * STOA_PAGE_ENTRY_NBYTES;
    uint64_t end = footer->trailer.footer_off;

    if (offset < STOA_OBJECT_NBYTES || offset > end || end - offset < need)
        return stoa_fail(err, STOA_ERR_CORRUPT, "at %" PRIu64 ", where it can't be", offset);
    return STOA_OK;
}

static enum stoa_status check_entry(const struct stoa_footer *footer,
                                    const struct stoa_dictionary_table *table, uint32_t index,
                                    struct stoa_error *err)
{
    const struct stoa_dictdir_entry *entry = &table->entries[index];
    const struct stoa_dictdir_entry *prev;
    enum stoa_status st;

    STOA_TRY(check_place(footer, entry->offset, entry->count, err));
    if (entry->copy_offset != 0)
        STOA_TRY(check_place(footer, entry->copy_offset, entry->count, err));
    if (entry->first_code > UINT32_MAX - entry->count)
        return stoa_fail(err, STOA_ERR_CORRUPT, "codes from %" PRIu32 " on", entry->first_code);
    if (entry->prev_index == STOA_NONE32)
        return STOA_OK;
    if (entry->prev_index >= index)
        return stoa_fail(err, STOA_ERR_CORRUPT, "extends segment %" PRIu32, entry->prev_index);
    prev = &table->entries[entry->prev_index];
    if (entry->first_code != prev->first_code + prev->count || entry->phys != prev->phys)
        return stoa_fail(err, STOA_ERR_CORRUPT, "does not go on where segment %" PRIu32 " ends",
                         entry->prev_index);
out:
    return st;
}

static void forget_loaded(struct stoa_dictionary_table *table)
{
    for (uint32_t i = 0; table->loaded != NULL && i < table->nentries; i++) {
        struct stoa_dictionary *dictionary = stoa_once_get(&table->loaded[i]);

        if (dictionary != NULL)
            stoa_dictionary_reset(dictionary);
        stoa_free(dictionary);
        atomic_store(&table->loaded[i].pointer, NULL);
    }
}

static void table_free(struct stoa_dictionary_table *table)
{
    if (table == NULL)
        return;
    forget_loaded(table);
    stoa_free(table->loaded);
    stoa_free(table->bad_copies);
    stoa_free(table->tips);
    stoa_free(table->entries);
    stoa_free(table);
}

static enum stoa_status load_table(struct stoa_footer *footer, struct stoa_dictionary_table **out,
                                   struct stoa_error *err)
{
    struct stoa_dictionary_table *table = NULL;
    const uint8_t *bytes;
    size_t nbytes;
    enum stoa_status st;

    STOA_TRY(stoa_footer_section_whole(footer, STOA_SECTION_DICTIONARIES, &bytes, &nbytes, err));
    STOA_TRY(stoa_alloc_zeroed(&table, 1, sizeof(*table), err));
    table->nentries = (uint32_t)(nbytes / STOA_DICTDIR_NBYTES);
    STOA_TRY(stoa_alloc_zeroed(&table->entries, table->nentries, sizeof(*table->entries), err));
    STOA_TRY(stoa_alloc_zeroed(&table->tips, table->nentries, sizeof(*table->tips), err));
    STOA_TRY(stoa_alloc_zeroed(&table->loaded, table->nentries, sizeof(*table->loaded), err));
    STOA_TRY(
        stoa_alloc_zeroed(&table->bad_copies, table->nentries, sizeof(*table->bad_copies), err));
    for (uint32_t i = 0; i < table->nentries; i++) {
        st = stoa_dictdir_entry_unpack(bytes + (size_t)i * STOA_DICTDIR_NBYTES, &table->entries[i],
                                       err);
        if (st == STOA_OK)
            st = check_entry(footer, table, i, err);
        if (st != STOA_OK) {
            stoa_wrap(err, st, "dictionary segment %" PRIu32, i);
            goto out;
        }
        table->tips[i] = i;
    }
    for (uint32_t i = table->nentries; i-- > 0;) /* of several that go on, the first counts */
        if (table->entries[i].prev_index != STOA_NONE32)
            table->tips[table->entries[i].prev_index] = table->tips[i];
    *out = table;
    table = NULL;
out:
    table_free(table);
    return st;
}

enum stoa_status stoa_dictionaries_table(struct stoa_dictionaries *dictionaries,
                                         struct stoa_footer *footer,
                                         const struct stoa_dictionary_table **out,
                                         struct stoa_error *err)
{
    struct stoa_dictionary_table *mine = NULL;
    enum stoa_status st = STOA_OK;

    if (stoa_once_get(&dictionaries->table) == NULL) {
        STOA_TRY(load_table(footer, &mine, err));
        if (stoa_once_publish(&dictionaries->table, mine) != mine)
            table_free(mine);
    }
    *out = stoa_once_get(&dictionaries->table);
out:
    return st;
}

void stoa_dictionaries_reset(struct stoa_dictionaries *dictionaries)
{
    table_free(stoa_once_get(&dictionaries->table));
    atomic_store(&dictionaries->table.pointer, NULL);
}

void stoa_dictionaries_forget(struct stoa_dictionaries *dictionaries)
{
    struct stoa_dictionary_table *table = stoa_once_get(&dictionaries->table);

    if (table != NULL)
        forget_loaded(table);
    atomic_store(&dictionaries->nbytes, 0);
}

/* ---- Chains. ---- */

void stoa_dictionaries_bad_copy(struct stoa_dictionaries *dictionaries,
                                const struct stoa_dictionary_table *table, uint32_t index)
{
    if (!atomic_exchange(&table->bad_copies[index], true))
        atomic_fetch_add(&dictionaries->nbad_copies, 1);
}

/* One segment, from its copy if that is good. */
static enum stoa_status append_any(struct stoa_dictionaries *dictionaries,
                                   struct stoa_dictionary *dictionary, struct stoa_footer *footer,
                                   struct stoa_decoder *decoder,
                                   const struct stoa_dictionary_table *table, uint32_t index,
                                   struct stoa_budget *budget, struct stoa_error *err)
{
    const struct stoa_dictdir_entry *entry = &table->entries[index];
    struct stoa_budget before = *budget;
    enum stoa_status st;

    if (entry->copy_offset != 0) {
        st = stoa_dictionary_append_segment(dictionary, footer, decoder, table, index,
                                            entry->copy_offset, budget, err);
        if (st != STOA_ERR_CORRUPT && st != STOA_ERR_IO)
            return st;
        *budget = before;
    }
    st = stoa_dictionary_append_segment(dictionary, footer, decoder, table, index, entry->offset,
                                        budget, err);
    if (st == STOA_OK && entry->copy_offset != 0)
        stoa_dictionaries_bad_copy(dictionaries, table, index);
    return st;
}

/* The chain that ends with segment `last`, from its first segment on. */
static enum stoa_status load_chain(struct stoa_dictionaries *dictionaries,
                                   struct stoa_footer *footer, struct stoa_decoder *decoder,
                                   const struct stoa_dictionary_table *table, uint32_t last,
                                   enum stoa_phys phys, uint32_t width, struct stoa_budget *budget,
                                   struct stoa_dictionary **out, struct stoa_error *err)
{
    struct stoa_dictionary *dictionary = NULL;
    uint32_t *chain = NULL, n = 0;
    enum stoa_status st;

    for (uint32_t i = last; i != STOA_NONE32; i = table->entries[i].prev_index)
        n++;
    STOA_TRY(stoa_alloc_zeroed(&chain, n, sizeof(*chain), err));
    for (uint32_t i = last, k = n; k-- > 0; i = table->entries[i].prev_index)
        chain[k] = i;
    STOA_TRY(stoa_alloc_zeroed(&dictionary, 1, sizeof(*dictionary), err));
    STOA_TRY(stoa_dictionary_init(dictionary, phys, width,
                                  table->entries[last].first_code + table->entries[last].count,
                                  budget, err));
    for (uint32_t k = 0; k < n; k++)
        STOA_TRY(
            append_any(dictionaries, dictionary, footer, decoder, table, chain[k], budget, err));
    stoa_dictionary_finish(dictionary);
    *out = dictionary;
    dictionary = NULL;
out:
    if (dictionary != NULL)
        stoa_dictionary_reset(dictionary);
    stoa_free(dictionary);
    stoa_free(chain);
    return st;
}

static enum stoa_status load_into(struct stoa_dictionaries *dictionaries,
                                  struct stoa_footer *footer, struct stoa_decoder *decoder,
                                  const struct stoa_dictionary_table *table, uint32_t last,
                                  enum stoa_phys phys, uint32_t width, struct stoa_budget *budget,
                                  struct stoa_error *err)
{
    struct stoa_dictionary *mine = NULL;
    struct stoa_budget left = *budget; /* what a failed attempt took is free again */
    uint64_t kept = atomic_load(&dictionaries->nbytes);
    uint64_t room = kept < footer->memory_nbytes ? footer->memory_nbytes - kept : 0;
    uint64_t before = left.left = room < left.left ? room : left.left;
    enum stoa_status st =
        load_chain(dictionaries, footer, decoder, table, last, phys, width, &left, &mine, err);

    if (st != STOA_OK)
        return st;
    budget->left -= before - left.left;
    if (stoa_once_publish(&table->loaded[last], mine) == mine) {
        atomic_fetch_add(&dictionaries->nbytes, before - left.left);
    } else {
        stoa_dictionary_reset(mine);
        stoa_free(mine);
    }
    return STOA_OK;
}

enum stoa_status stoa_dictionaries_find(const struct stoa_dictionary_table *table, uint32_t index,
                                        enum stoa_phys phys, uint32_t width,
                                        const struct stoa_dictionary **out, uint32_t *ncodes,
                                        struct stoa_error *err)
{
    const struct stoa_dictionary *dictionary = stoa_once_get(&table->loaded[table->tips[index]]);

    if (dictionary == NULL)
        dictionary = stoa_once_get(&table->loaded[index]);
    if (table->entries[index].phys != (uint8_t)phys ||
        (dictionary != NULL && dictionary->width != width))
        return stoa_fail(err, STOA_ERR_CORRUPT,
                         "dictionary segment %" PRIu32 ": values of another type", index);
    *out = dictionary;
    *ncodes = table->entries[index].first_code + table->entries[index].count;
    return STOA_OK;
}

uint32_t stoa_dictionaries_segment(const struct stoa_dictionary_table *table, uint32_t index,
                                   uint32_t code)
{
    while (code < table->entries[index].first_code)
        index = table->entries[index].prev_index;
    return index;
}

enum stoa_status stoa_dictionaries_get(struct stoa_dictionaries *dictionaries,
                                       struct stoa_footer *footer, struct stoa_decoder *decoder,
                                       uint32_t index, enum stoa_phys phys, uint32_t width,
                                       struct stoa_budget *budget,
                                       const struct stoa_dictionary **out, uint32_t *ncodes,
                                       struct stoa_error *err)
{
    const struct stoa_dictionary_table *table;
    uint32_t tip;
    enum stoa_status st;

    STOA_TRY(stoa_dictionaries_table(dictionaries, footer, &table, err));
    tip = table->tips[index];
    if (stoa_once_get(&table->loaded[tip]) == NULL &&
        stoa_once_get(&table->loaded[index]) == NULL) {
        st = load_into(dictionaries, footer, decoder, table, tip, phys, width, budget, err);
        if (st != STOA_OK && st != STOA_ERR_NOMEM && tip != index)
            st = load_into(dictionaries, footer, decoder, table, index, phys, width, budget, err);
        if (st != STOA_OK)
            return st;
    }
    st = stoa_dictionaries_find(table, index, phys, width, out, ncodes, err);
out:
    return st;
}
