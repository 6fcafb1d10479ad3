/*
 * Verifying what the footer says of single chunks (spec/format.md, section 17): presence bitmaps
 * against the codes of the values, Bloom filters against the values.
 */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/error.h"
#include "codec/distinct.h"
#include "file/bloom.h"
#include "file/chunk_open.h"
#include "file/chunk_values.h"
#include "file/presence.h"
#include "file/verify.h"
#include "stats/bloom.h"
#include "stats/zonemap.h"

/* The codes of values in a dictionary, UINT32_MAX for what is not there. */
static enum stoa_status find_codes(const struct stoa_open_chunk *in,
                                   const struct stoa_vector *values, uint32_t *codes,
                                   struct stoa_error *err)
{
    const struct stoa_vector entries = {
        .phys = in->phys,
        .width = in->width,
        .nvalues = in->ncodes,
        .values = in->dictionary->values.data,
        .offsets = in->dictionary->offsets,
    };
    struct stoa_distinct *set = NULL;
    uint32_t *numbers = NULL;
    bool complete;
    enum stoa_status st;

    STOA_TRY(stoa_alloc(&numbers, in->ncodes * sizeof(numbers[0]), err));
    STOA_TRY(stoa_distinct_new(&set, in->phys, in->width, err));
    STOA_TRY(stoa_distinct_add(set, &entries, UINT32_MAX, UINT64_MAX, numbers, &complete, err));
    if (stoa_distinct_count(set) != in->ncodes) {
        st = stoa_fail(err, STOA_ERR_CORRUPT, "dictionary: a value comes twice");
        goto out;
    }
    stoa_distinct_find(set, values, codes);
out:
    stoa_distinct_free(set);
    stoa_free(numbers);
    return st;
}

/* Holds bitmaps against those that the codes give. */
static enum stoa_status compare(const struct stoa_presence *claim, uint32_t nzones,
                                const uint8_t *truth, struct stoa_error *err)
{
    for (uint32_t z = 0; z < nzones; z++) {
        const uint8_t *bitmap = claim->bits + (claim->n > 1 ? z : 0) * claim->nbytes;

        if (memcmp(bitmap, truth + z * claim->nbytes, claim->nbytes) != 0)
            return claim->n > 1 ? stoa_fail(err, STOA_ERR_CORRUPT,
                                            "presence of zone %" PRIu32 " does not hold", z)
                                : stoa_fail(err, STOA_ERR_CORRUPT, "presence does not hold");
    }
    return STOA_OK;
}

static enum stoa_status check_bits(const struct stoa_open_chunk *in,
                                   const struct stoa_presence *claim,
                                   const struct stoa_array *array, uint32_t nzones,
                                   struct stoa_error *err)
{
    const uint8_t *validity = array->nnulls > 0 ? array->validity : NULL;
    struct stoa_chunk_values values = {0};
    uint32_t *codes = NULL;
    uint8_t *truth = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_chunk_values_init(&values, &in->column->field.type, array, err));
    if (values.all_null || values.phys != in->phys) /* narrower ones are not told apart here */
        goto out;
    STOA_TRY(stoa_alloc(&codes, array->nvalues * sizeof(codes[0]), err));
    STOA_TRY(stoa_alloc_zeroed(&truth, nzones, claim->nbytes, err));
    STOA_TRY(find_codes(in, &values.physical.vector, codes, err));
    for (size_t i = 0; i < array->nvalues; i++)
        if (codes[i] == UINT32_MAX) /* a null slot: values came from this dictionary */
            codes[i] = 0;
    stoa_presence_set(codes, validity, array->nvalues, claim->nbytes, truth);
    for (uint32_t z = 1; claim->n == 1 && z < nzones; z++)
        for (size_t i = 0; i < claim->nbytes; i++)
            truth[i] |= truth[z * claim->nbytes + i];
    st = compare(claim, claim->n, truth, err);
out:
    stoa_chunk_values_reset(&values);
    stoa_free(codes);
    stoa_free(truth);
    return st;
}

/* The note of a chunk; deep, the bits of it that its values give. */
static enum stoa_status check_presence(struct stoa_verify *verify, const struct stoa_note *note,
                                       struct stoa_open_chunk *in, struct stoa_error *err)
{
    const uint32_t nzones = (uint32_t)stoa_zone_count(in->nrows);
    struct stoa_presence claim = {0};
    struct stoa_array array = {0};
    enum stoa_status st;

    STOA_TRY(stoa_presence_check(in, note, err));
    if (!verify->options->deep)
        goto out;
    STOA_TRY(stoa_open_chunk_dictionary(in, err));
    STOA_TRY(stoa_presence_read(in, note, &claim, err));
    STOA_TRY(stoa_node_read(verify->reader, in->row_group, in->node,
                            (struct stoa_range){0, in->nrows}, &array, NULL, err));
    st = check_bits(in, &claim, &array, nzones, err);
out:
    stoa_array_reset(&array);
    stoa_free(claim.bits);
    return st;
}

/* A Bloom filter; deep, it is that of the values, no bit more or less. */
static enum stoa_status check_bloom(struct stoa_verify *verify, const struct stoa_note *note,
                                    struct stoa_open_chunk *in, struct stoa_error *err)
{
    const struct stoa_note_entry *entry = &note->entry;
    struct stoa_buffer truth = {0};
    struct stoa_array array = {0};
    uint8_t *claim = NULL;
    uint32_t count;
    enum stoa_status st;

    STOA_TRY(stoa_bloom_check(in, note, err));
    if (!verify->options->deep)
        goto out;
    STOA_TRY(stoa_bloom_read(in, note, &claim, err));
    STOA_TRY(stoa_node_read(verify->reader, in->row_group, in->node,
                            (struct stoa_range){0, in->nrows}, &array, NULL, err));
    STOA_TRY(stoa_bloom_make(&in->column->field.type, &array, 0,
                             entry->nbytes / STOA_BLOOM_BLOCK_NBYTES, &count, &truth, err));
    if (count != entry->count || memcmp(claim, truth.data, entry->nbytes) != 0)
        st = stoa_fail(err, STOA_ERR_CORRUPT, "Bloom filter does not hold");
out:
    stoa_array_reset(&array);
    stoa_buffer_free(&truth);
    stoa_free(claim);
    return st;
}

static enum stoa_status verify_note(struct stoa_verify *verify, enum stoa_note_kind kind,
                                    const struct stoa_note *note, struct stoa_error *err)
{
    static enum stoa_status (*const checks[])(struct stoa_verify *, const struct stoa_note *,
                                              struct stoa_open_chunk *, struct stoa_error *) = {
        [STOA_NOTE_BLOOM] = check_bloom,
        [STOA_NOTE_PRESENCE] = check_presence,
    };
    const uint64_t memory_nbytes = verify->reader->footer.memory_nbytes;
    struct stoa_budget budget = {memory_nbytes, memory_nbytes};
    struct stoa_open_chunk in;
    enum stoa_status st = stoa_open_chunk_find(&in, verify->reader, note->entry.group,
                                               note->entry.node, &budget, err);

    if (st == STOA_OK) {
        st = checks[kind](verify, note, &in, err);
        stoa_open_chunk_reset(&in);
    }
    if (st != STOA_OK)
        stoa_verify_wrap(verify, note->entry.group, note->entry.node, st, err);
    return stoa_verify_report(verify, st, err);
}

static enum stoa_status verify_kind(struct stoa_verify *verify, enum stoa_note_kind kind,
                                    struct stoa_error *err)
{
    struct stoa_footer *footer = &verify->reader->footer;
    const struct stoa_footer_section *section = footer->by_type[stoa_note_sections[kind]];
    const struct stoa_notes *notes;
    enum stoa_status st;

    if (section == NULL)
        return STOA_OK;
    st = stoa_footer_section_verify(footer, (uint32_t)(section - footer->sections), err);
    if (st != STOA_OK) /* reported with the sections */
        return stoa_verify_is_finding(st) ? STOA_OK : st;
    st = stoa_footer_notes(footer, stoa_note_sections[kind], &notes, err);
    if (st != STOA_OK)
        return stoa_verify_report(verify, st, err);
    for (size_t i = 0; i < notes->n; i++)
        STOA_TRY(verify_note(verify, kind, &notes->notes[i], err));
out:
    return st;
}

enum stoa_status stoa_verify_notes(struct stoa_verify *verify, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (unsigned kind = 0; kind < STOA_NNOTES && st == STOA_OK; kind++)
        st = verify_kind(verify, (enum stoa_note_kind)kind, err);
    return st;
}
