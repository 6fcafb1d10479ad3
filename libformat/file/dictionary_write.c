/*
 * Dictionary segments (spec/format.md, section 6).
 *
 *     prev_id first_code count phys width raw_len | page table | page of 4,096 values | ... | zeros
 *
 * The id is a hash of what the segment says and of the id before it, so it names the whole chain up
 * to here and never a place. It does not depend on how the pages are encoded.
 */
#include "file/dictionary_write.h"

#include <assert.h>

#include "base/bits.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "codec/chooser.h"

enum { ID_HEAD_NBYTES = 24 };

/* The values in PLAIN form: lengths and text, or numbers in little-endian order. */
static void write_plain(const struct stoa_vector *values, uint8_t *out)
{
    uint32_t first;

    if (values->phys == STOA_PHYS_FIXED) {
        memcpy(out, values->values, values->nvalues * values->width);
        return;
    }
    if (values->phys != STOA_PHYS_BYTES) {
        stoa_bytes_le(out, values->values, values->nvalues, values->width);
        return;
    }
    for (size_t i = 0; i < values->nvalues; i++)
        stoa_store32(out + 4 * i, (uint32_t)(values->offsets[i + 1] - values->offsets[i]));
    first = (uint32_t)values->offsets[0];
    memcpy(out + 4 * values->nvalues, values->values + first, stoa_vector_nbytes(values));
}

enum stoa_status stoa_segment_id(uint64_t prev_id, const struct stoa_vector *values, uint64_t *id,
                                 struct stoa_error *err)
{
    size_t lengths_nbytes = values->phys == STOA_PHYS_BYTES ? 4 * values->nvalues : 0;
    size_t nbytes = ID_HEAD_NBYTES + lengths_nbytes + (size_t)stoa_vector_nbytes(values);
    uint8_t *bytes;
    enum stoa_status st = stoa_alloc(&bytes, nbytes, err);

    if (st != STOA_OK)
        return st;
    memset(bytes, 0, ID_HEAD_NBYTES);
    stoa_store64(bytes, prev_id);
    bytes[8] = (uint8_t)values->phys;
    stoa_store32(bytes + 12, values->phys == STOA_PHYS_FIXED ? values->width : 0);
    stoa_store32(bytes + 16, (uint32_t)values->nvalues);
    write_plain(values, bytes + ID_HEAD_NBYTES);
    *id = stoa_hash(bytes, nbytes);
    stoa_free(bytes);
    return STOA_OK;
}

static enum stoa_status write_pages(struct stoa_encoder *encoder, const struct stoa_vector *values,
                                    const struct stoa_plan *plan, size_t table,
                                    struct stoa_buffer *body, struct stoa_error *err)
{
    size_t first = body->nbytes;
    enum stoa_status st = STOA_OK;

    for (size_t begin = 0; begin < values->nvalues; begin += STOA_DICT_PAGE_NVALUES) {
        size_t end = begin + STOA_DICT_PAGE_NVALUES, at = body->nbytes;
        struct stoa_page_entry entry;
        struct stoa_vector part;

        if (end > values->nvalues)
            end = values->nvalues;
        part = stoa_vector_slice(values, begin, end);
        STOA_TRY(stoa_page_encode_checked(encoder, &part, values->phys, NULL, 0, plan, NULL, body,
                                          &entry.raw_nbytes, err));
        entry.end = (uint32_t)(body->nbytes - first);
        entry.hash = stoa_hash(body->data + at, body->nbytes - at);
        stoa_page_entry_pack(&entry, body->data + table);
        table += STOA_PAGE_ENTRY_NBYTES;
    }
out:
    return st;
}

enum stoa_status stoa_segment_encode(struct stoa_encoder *encoder, struct stoa_segment *segment,
                                     struct stoa_error *err)
{
    const struct stoa_vector *values = &segment->values.vector;
    size_t npages = (values->nvalues + STOA_DICT_PAGE_NVALUES - 1) / STOA_DICT_PAGE_NVALUES;
    struct stoa_buffer body = {0};
    struct stoa_dict_head head = {
        .prev_id = segment->prev_id,
        .first_code = segment->first_code,
        .count = segment->count,
        .phys = (uint8_t)segment->phys,
        .width = segment->phys == STOA_PHYS_FIXED ? values->width : 0,
        .raw_nbytes = stoa_vector_nbytes(values),
    };
    struct stoa_choice choice;
    enum stoa_status st;

    segment->dir_nbytes = (uint32_t)(STOA_DICT_HEAD_NBYTES + npages * STOA_PAGE_ENTRY_NBYTES);
    STOA_TRY(stoa_chooser_choose(encoder, values, false, &choice, err));
    STOA_TRY(stoa_buffer_append_zeros(&body, segment->dir_nbytes, err));
    stoa_dict_head_pack(&head, body.data);
    STOA_TRY(write_pages(encoder, values, &choice.plan, STOA_DICT_HEAD_NBYTES, &body, err));
    STOA_TRY(stoa_buffer_append_zeros(
        &body, stoa_round_up(body.nbytes, STOA_OBJECT_NBYTES) - body.nbytes, err));
    stoa_values_reset(&segment->values);
    segment->body = body;
    body = (struct stoa_buffer){0};
out:
    stoa_buffer_free(&body);
    return st;
}

void stoa_segment_reset(struct stoa_segment *segment)
{
    stoa_values_reset(&segment->values);
    stoa_buffer_free(&segment->body);
    *segment = (struct stoa_segment){0};
}

struct stoa_dictdir_entry stoa_segment_entry(const struct stoa_segment *segment)
{
    return (struct stoa_dictdir_entry){
        .id = segment->id,
        .prev_index = segment->prev_index,
        .first_code = segment->first_code,
        .count = segment->count,
        .phys = (uint8_t)segment->phys,
    };
}
