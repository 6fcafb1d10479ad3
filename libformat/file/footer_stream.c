/*
 * Sections that are streamed into the footer (spec/format.md, section 10).
 *
 *     zeros | hash of each slice, if there are several | content
 */
#include "file/footer_stream.h"

#include <inttypes.h>

#include "base/bits.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"

static enum stoa_status each_content(struct stoa_footer_data *data,
                                     const struct stoa_footer_stream *stream,
                                     stoa_footer_visit *visit, void *context,
                                     struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (unsigned k = 0; k < STOA_STREAM_NPARTS && stream->parts[k] != STOA_FOOTER_NPARTS; k++)
        for (uint32_t i = stream->first_node; i < stream->end_node; i++)
            STOA_TRY(stoa_footer_data_each(data, i, stream->parts[k], visit, context, err));
out:
    return st;
}

/* Hashes slices as their bytes come. */
struct slicer {
    struct stoa_hash_stream *hash;
    size_t nbytes;              /* of the slice so far */
    struct stoa_buffer *slices; /* hashes of those before */
};

static enum stoa_status end_slice(struct slicer *slicer, struct stoa_error *err)
{
    uint8_t hash[8];

    stoa_store64(hash, stoa_hash_stream_digest(slicer->hash));
    stoa_hash_stream_reset(slicer->hash);
    slicer->nbytes = 0;
    return stoa_buffer_append(slicer->slices, hash, sizeof(hash), err);
}

static enum stoa_status slice_bytes(void *context, const void *bytes, size_t nbytes,
                                    struct stoa_error *err)
{
    struct slicer *slicer = context;
    const uint8_t *from = bytes;
    enum stoa_status st = STOA_OK;

    while (st == STOA_OK && nbytes > 0) {
        size_t room = STOA_SLICE_NBYTES - slicer->nbytes, n = nbytes < room ? nbytes : room;

        stoa_hash_stream_update(slicer->hash, from, n);
        slicer->nbytes += n;
        from += n;
        nbytes -= n;
        if (slicer->nbytes == STOA_SLICE_NBYTES)
            st = end_slice(slicer, err);
    }
    return st;
}

enum stoa_status stoa_footer_stream_plan(struct stoa_footer_data *data,
                                         struct stoa_footer_stream *stream, uint64_t *offset,
                                         struct stoa_section *section, struct stoa_error *err)
{
    struct slicer slicer = {.slices = &stream->slices};
    uint64_t begin = stoa_round_up(*offset, STOA_SECTION_ALIGN);
    enum stoa_status st;

    if (stream->nbytes == 0)
        return STOA_OK;
    if (stream->count > UINT32_MAX)
        return stoa_fail(err, STOA_ERR_LIMIT, "%" PRIu64 " elements in section %s", stream->count,
                         stoa_section_name(stream->type));
    STOA_TRY(stoa_hash_stream_new(&slicer.hash, err));
    STOA_TRY(each_content(data, stream, slice_bytes, &slicer, err));
    if (slicer.nbytes > 0)
        STOA_TRY(end_slice(&slicer, err));
    *section = (struct stoa_section){
        .type = (uint8_t)stream->type,
        .count = (uint32_t)stream->count,
        .offset = begin,
        .hash = stoa_load64(stream->slices.data),
    };
    if (stream->nbytes > STOA_SLICE_NBYTES) {
        section->flags = STOA_SECTION_SLICED;
        section->hash = stoa_hash(stream->slices.data, stream->slices.nbytes);
    } else {
        stream->slices.nbytes = 0;
    }
    section->nbytes = stream->slices.nbytes + stream->nbytes;
    stream->npadding = (size_t)(begin - *offset);
    *offset = begin + section->nbytes;
out:
    stoa_hash_stream_free(slicer.hash);
    return st;
}

enum stoa_status stoa_footer_stream_each(struct stoa_footer_data *data,
                                         const struct stoa_footer_stream *stream,
                                         stoa_footer_visit *visit, void *context,
                                         struct stoa_error *err)
{
    static const uint8_t zeros[STOA_SECTION_ALIGN];
    enum stoa_status st;

    if (stream->nbytes == 0)
        return STOA_OK;
    STOA_TRY(visit(context, zeros, stream->npadding, err));
    STOA_TRY(visit(context, stream->slices.data, stream->slices.nbytes, err));
    STOA_TRY(each_content(data, stream, visit, context, err));
out:
    return st;
}
