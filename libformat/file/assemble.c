/*
 * The places of objects in a file that is being written (spec/format.md, sections 3 to 6).
 *
 *     row group    header | directory | zeros to 8 | chunk | zeros to 8 | chunk | zeros to 64
 *                  ^ group_off                      ^ group_off + entry.offset    ^ group_end
 *
 * A row group is laid out when it begins: the lengths of its chunks are known, so the directory,
 * which stands in front of them, can be written first and the chunks pass through without being
 * held.
 */
#include "file/assemble.h"

#include <assert.h>
#include <string.h>

#include "base/bits.h"
#include "base/error.h"
#include "base/hash.h"
#include "file/schema_pack.h"

enum { CHUNK_ALIGN = 8, MIN_SLOTS = 64 };

/* A dictionary segment that may be written a second time at the end. */
struct stoa_segment_copy {
    struct stoa_object header;
    struct stoa_buffer body;
};

/* ---- Objects ---- */

enum stoa_status stoa_assembler_write(struct stoa_assembler *assembler, const void *bytes,
                                      size_t nbytes, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    if (nbytes > 0)
        st = assembler->sink->write(assembler->sink, bytes, nbytes, err);
    if (st == STOA_OK)
        assembler->offset += nbytes;
    return st;
}

/* Zeros up to `end`, of which the format has fewer than 64 in a row. */
static enum stoa_status write_zeros(struct stoa_assembler *assembler, uint64_t end,
                                    struct stoa_error *err)
{
    static const uint8_t zeros[STOA_OBJECT_NBYTES];

    assert(end >= assembler->offset && end - assembler->offset < sizeof(zeros));
    return stoa_assembler_write(assembler, zeros, (size_t)(end - assembler->offset), err);
}

/* A header: `dir` are its dir_nbytes bytes; sets what follows from them and from the place. */
static enum stoa_status write_header(struct stoa_assembler *assembler, struct stoa_object *header,
                                     const uint8_t *dir, struct stoa_error *err)
{
    uint8_t packed[STOA_OBJECT_NBYTES];

    header->version = STOA_FORMAT_VERSION;
    header->dir_hash = stoa_object_dir_hash(dir, header->dir_nbytes);
    header->stream_row = assembler->footer.nrows;
    stoa_object_pack(header, packed);
    return stoa_assembler_write(assembler, packed, sizeof(packed), err);
}

/* A header and the body, which is padded already. */
static enum stoa_status write_object(struct stoa_assembler *assembler, struct stoa_object *header,
                                     const struct stoa_buffer *body, struct stoa_error *err)
{
    enum stoa_status st;

    assert(body->nbytes % STOA_OBJECT_NBYTES == 0);
    header->body_nbytes = body->nbytes;
    STOA_TRY(write_header(assembler, header, body->data, err));
    STOA_TRY(stoa_assembler_write(assembler, body->data, body->nbytes, err));
out:
    return st;
}

static enum stoa_status write_start(struct stoa_assembler *assembler, struct stoa_error *err)
{
    struct stoa_object head = {.kind = STOA_OBJECT_HEAD}, schema = {.kind = STOA_OBJECT_SCHEMA};
    struct stoa_buffer body = {0};
    enum stoa_status st;

    STOA_TRY(write_object(assembler, &head, &body, err));
    STOA_TRY(stoa_schema_bytes_append(&assembler->bytes, &body, err));
    schema.ref_id = stoa_hash(body.data, body.nbytes);
    STOA_TRY(stoa_schema_pack(&body, assembler->rules->schema_pack_nbytes, err));
    schema.dir_nbytes = (uint32_t)body.nbytes;
    STOA_TRY(stoa_buffer_append_zeros(
        &body, stoa_round_up(body.nbytes, STOA_OBJECT_NBYTES) - body.nbytes, err));
    STOA_TRY(write_object(assembler, &schema, &body, err));
    assembler->schema_id = schema.ref_id;
out:
    stoa_buffer_free(&body);
    return st;
}

enum stoa_status stoa_assembler_init(struct stoa_assembler *assembler, struct stoa_sink *sink,
                                     const struct stoa_schema *schema,
                                     const struct stoa_rules *rules, struct stoa_error *err)
{
    struct stoa_assembler made = {.sink = sink, .schema = schema, .rules = rules};
    enum stoa_status st;

    STOA_TRY(stoa_schema_bytes_init(&made.bytes, schema, err));
    STOA_TRY(stoa_footer_writer_init(&made.footer, schema, rules, err));
    STOA_TRY(write_start(&made, err));
    *assembler = made;
    made = (struct stoa_assembler){0};
out:
    stoa_assembler_reset(&made);
    return st;
}

static void drop_copies(struct stoa_assembler *assembler)
{
    for (size_t i = 0; i < assembler->ncopies; i++)
        stoa_buffer_free(&assembler->copies[i].body);
    stoa_free(assembler->copies);
    assembler->copies = NULL;
    assembler->ncopies = 0;
    assembler->copies_capacity = 0;
    assembler->copies_nbytes = 0;
}

void stoa_assembler_reset(struct stoa_assembler *assembler)
{
    drop_copies(assembler);
    if (assembler->schema != NULL)
        stoa_footer_writer_reset(&assembler->footer);
    stoa_schema_bytes_reset(&assembler->bytes);
    stoa_free(assembler->slots);
    *assembler = (struct stoa_assembler){0};
}

uint64_t stoa_assembler_memory(const struct stoa_assembler *assembler)
{
    return assembler->copies_nbytes + assembler->nslots * sizeof(assembler->slots[0]) +
           stoa_footer_writer_memory(&assembler->footer);
}

/* ---- Segments ---- */

/* The slot of an id: the one that has it, or the empty one where it belongs. */
static size_t find_slot(const struct stoa_assembler *assembler, uint64_t id)
{
    size_t slot = (size_t)stoa_hash(&id, sizeof(id)) & (assembler->nslots - 1);

    while (assembler->slots[slot] != 0 &&
           assembler->footer.segments[assembler->slots[slot] - 1].id != id)
        slot = (slot + 1) & (assembler->nslots - 1);
    return slot;
}

uint32_t stoa_assembler_find_segment(const struct stoa_assembler *assembler, uint64_t id)
{
    uint32_t entry = assembler->nslots > 0 ? assembler->slots[find_slot(assembler, id)] : 0;

    return entry == 0 ? STOA_NONE32 : entry - 1;
}

const struct stoa_buffer *stoa_assembler_segment_body(const struct stoa_assembler *assembler,
                                                      uint32_t index)
{
    return index < assembler->ncopies ? &assembler->copies[index].body : NULL;
}

/* Makes room for one more id: half of the slots stay empty. */
static enum stoa_status reserve_slot(struct stoa_assembler *assembler, struct stoa_error *err)
{
    size_t nslots = assembler->nslots, nsegments = assembler->footer.nsegments;
    uint32_t *slots = NULL;
    enum stoa_status st;

    if ((nsegments + 1) * 2 <= nslots)
        return STOA_OK;
    nslots = nslots == 0 ? MIN_SLOTS : nslots * 2;
    st = stoa_alloc_zeroed(&slots, nslots, sizeof(slots[0]), err);
    if (st != STOA_OK)
        return st;
    stoa_free(assembler->slots);
    assembler->slots = slots;
    assembler->nslots = nslots;
    for (size_t i = 0; i < nsegments; i++) {
        size_t slot = find_slot(assembler, assembler->footer.segments[i].id);

        if (slots[slot] == 0) /* the first of that id */
            slots[slot] = (uint32_t)i + 1;
    }
    return STOA_OK;
}

/* Keeps the body for a second copy, unless there is too much of it already. */
static enum stoa_status keep_copy(struct stoa_assembler *assembler,
                                  const struct stoa_object *header, struct stoa_buffer *body,
                                  struct stoa_error *err)
{
    enum stoa_status st;

    assembler->segments_nbytes += STOA_OBJECT_NBYTES + body->nbytes;
    if (assembler->segments_nbytes > assembler->rules->copy_max_nbytes) {
        drop_copies(assembler);
        stoa_buffer_free(body);
        return STOA_OK;
    }
    st = stoa_reserve(&assembler->copies, &assembler->copies_capacity, assembler->ncopies + 1,
                      sizeof(assembler->copies[0]), err);
    if (st != STOA_OK)
        return st;
    assembler->copies_nbytes += body->capacity;
    assembler->copies[assembler->ncopies++] =
        (struct stoa_segment_copy){.header = *header, .body = *body};
    *body = (struct stoa_buffer){0};
    return STOA_OK;
}

enum stoa_status stoa_assembler_add_segment(struct stoa_assembler *assembler,
                                            const struct stoa_dictdir_entry *entry,
                                            uint32_t dir_nbytes, struct stoa_buffer *body,
                                            struct stoa_error *err)
{
    struct stoa_dictdir_entry placed = *entry;
    struct stoa_object header = {
        .kind = STOA_OBJECT_DICT,
        .dir_nbytes = dir_nbytes,
        .ref_id = entry->id,
    };
    size_t slot;
    enum stoa_status st;

    STOA_TRY(reserve_slot(assembler, err));
    placed.offset = assembler->offset;
    placed.copy_offset = 0;
    STOA_TRY(write_object(assembler, &header, body, err));
    placed.dir_hash = header.dir_hash;
    slot = find_slot(assembler, entry->id);
    STOA_TRY(stoa_footer_add_segment(&assembler->footer, &placed, err));
    if (assembler->slots[slot] == 0)
        assembler->slots[slot] = (uint32_t)assembler->footer.nsegments;
    STOA_TRY(keep_copy(assembler, &header, body, err));
out:
    return st;
}

/* ---- Row groups ---- */

static enum stoa_status add_to_footer(struct stoa_assembler *assembler, uint64_t offset,
                                      uint64_t header_hash, uint32_t nrows,
                                      const struct stoa_new_chunk *chunks, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 0; i < assembler->bytes.nnodes; i++) {
        STOA_TRY(stoa_footer_add_chunk(&assembler->footer, i, offset, &chunks[i].entry,
                                       chunks[i].dict_index, chunks[i].zones, chunks[i].all, err));
        if (chunks[i].notes != NULL)
            STOA_TRY(stoa_footer_add_notes(&assembler->footer, i, chunks[i].notes, err));
    }
    STOA_TRY(stoa_footer_add_group(&assembler->footer, offset, header_hash, nrows, err));
out:
    return st;
}

static struct stoa_object group_header(const struct stoa_assembler *assembler, uint32_t nrows)
{
    return (struct stoa_object){
        .kind = STOA_OBJECT_ROW_GROUP,
        .features = stoa_schema_features(&assembler->bytes),
        .nrows = nrows,
        .dir_nbytes = assembler->bytes.nnodes * STOA_RG_ENTRY_NBYTES,
        .ref_id = assembler->schema_id,
    };
}

/* Gives the chunks their places; returns the bytes of the object, not padded. */
static uint64_t lay_out(struct stoa_new_chunk *chunks, uint32_t nchunks)
{
    uint64_t at = STOA_OBJECT_NBYTES + (uint64_t)nchunks * STOA_RG_ENTRY_NBYTES;

    for (uint32_t i = 0; i < nchunks; i++) {
        struct stoa_rg_entry *entry = &chunks[i].entry;

        entry->offset = 0;
        if (entry->nbytes == 0)
            continue;
        entry->offset = stoa_round_up(at, CHUNK_ALIGN);
        at = entry->offset + entry->nbytes;
    }
    return at;
}

enum stoa_status stoa_assembler_begin_group(struct stoa_assembler *assembler, uint32_t nrows,
                                            struct stoa_new_chunk *chunks, struct stoa_error *err)
{
    uint32_t nchunks = assembler->bytes.nnodes;
    struct stoa_object header = group_header(assembler, nrows);
    uint64_t end = stoa_round_up(lay_out(chunks, nchunks), STOA_OBJECT_NBYTES);
    uint8_t *dir = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc(&dir, header.dir_nbytes, err));
    for (uint32_t i = 0; i < nchunks; i++)
        stoa_rg_entry_pack(&chunks[i].entry, dir + (size_t)i * STOA_RG_ENTRY_NBYTES);
    assembler->group_off = assembler->offset;
    assembler->group_end = assembler->offset + end;
    assembler->group_nrows = nrows;
    assembler->chunks = chunks;
    header.body_nbytes = end - STOA_OBJECT_NBYTES;
    STOA_TRY(write_header(assembler, &header, dir, err));
    assembler->header_hash = header.hash;
    STOA_TRY(stoa_assembler_write(assembler, dir, header.dir_nbytes, err));
out:
    stoa_free(dir);
    return st;
}

enum stoa_status stoa_assembler_begin_chunk(struct stoa_assembler *assembler, uint32_t node,
                                            struct stoa_error *err)
{
    return write_zeros(assembler, assembler->group_off + assembler->chunks[node].entry.offset, err);
}

enum stoa_status stoa_assembler_share(struct stoa_assembler *assembler, struct stoa_source *source,
                                      uint64_t offset, uint64_t nbytes, uint64_t *nshared,
                                      struct stoa_error *err)
{
    struct stoa_sink *sink = assembler->sink;
    enum stoa_status st = STOA_OK;

    *nshared = 0;
    if (sink->share != NULL)
        st = sink->share(sink, source, offset, nbytes, nshared, err);
    assembler->offset += *nshared;
    return st;
}

enum stoa_status stoa_assembler_end_group(struct stoa_assembler *assembler, struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(write_zeros(assembler, assembler->group_end, err));
    STOA_TRY(add_to_footer(assembler, assembler->group_off, assembler->header_hash,
                           assembler->group_nrows, assembler->chunks, err));
    assembler->chunks = NULL;
out:
    return st;
}

enum stoa_status stoa_assembler_add_side(struct stoa_assembler *assembler, uint32_t dir_nbytes,
                                         const struct stoa_buffer *body, struct stoa_error *err)
{
    struct stoa_object header = {
        .kind = STOA_OBJECT_SIDE,
        .dir_nbytes = dir_nbytes,
        .ref_id = assembler->header_hash,
    };
    uint64_t offset = assembler->offset;
    enum stoa_status st;

    STOA_TRY(write_object(assembler, &header, body, err));
    STOA_TRY(stoa_footer_add_side(&assembler->footer, offset, header.hash, err));
out:
    return st;
}

/* ---- The end ---- */

/* All segments once more, close together and near the footer, when they are a small part. */
static enum stoa_status write_copies(struct stoa_assembler *assembler, struct stoa_error *err)
{
    bool small = assembler->segments_nbytes <= assembler->offset / assembler->rules->copy_part;
    enum stoa_status st = STOA_OK;

    for (size_t i = 0; small && i < assembler->ncopies; i++) {
        struct stoa_segment_copy *copy = &assembler->copies[i];

        copy->header.flags = STOA_OBJECT_COPY;
        assembler->footer.segments[i].copy_offset = assembler->offset;
        STOA_TRY(write_object(assembler, &copy->header, &copy->body, err));
    }
out:
    drop_copies(assembler);
    return st;
}

static enum stoa_status write_footer(void *context, const void *bytes, size_t nbytes,
                                     struct stoa_error *err)
{
    return stoa_assembler_write(context, bytes, nbytes, err);
}

enum stoa_status stoa_assembler_finish(struct stoa_assembler *assembler, struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(write_copies(assembler, err));
    STOA_TRY(stoa_footer_write(&assembler->footer, &assembler->bytes, assembler->offset,
                               write_footer, assembler, err));
out:
    return st;
}
