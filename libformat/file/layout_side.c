/*
 * The structures of source text as bytes (spec/format.md, section 15): entries of side tables, of
 * their directory in the footer, and heads of blocks of sources. See layout.c.
 *
 *     tag of an entry     | column: bits 4..31 | has values: bit 3 | kind: bits 0..2 |
 */
#include "file/layout.h"

#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"

enum { KIND_MASK = 7, HAS_VALUES = 8, COLUMN_SHIFT = 4, MIN_SOURCE_NBYTES = 64 };

#define RECORDS_COLUMN (UINT32_MAX >> COLUMN_SHIFT)

size_t stoa_side_entry_pack(const struct stoa_side_entry *entry,
                            uint8_t out[STOA_SIDE_ENTRY_NBYTES + STOA_RG_ENTRY_NBYTES])
{
    uint32_t column = entry->column == STOA_SIDE_RECORDS ? RECORDS_COLUMN : entry->column;

    stoa_store32(out, column << COLUMN_SHIFT | (entry->has_values ? HAS_VALUES : 0u) | entry->kind);
    memcpy(out + 4, entry->rule, sizeof(entry->rule));
    if (!entry->has_values)
        return STOA_SIDE_ENTRY_NBYTES;
    stoa_rg_entry_pack(&entry->chunk, out + STOA_SIDE_ENTRY_NBYTES);
    return STOA_SIDE_ENTRY_NBYTES + STOA_RG_ENTRY_NBYTES;
}

/* A form is a byte without nulls, the others are bytes that may be null; nothing is shared. */
static enum stoa_status chunk_check(unsigned kind, const struct stoa_rg_entry *chunk,
                                    struct stoa_error *err)
{
    bool is_form = kind == STOA_SIDE_FORM;

    if (chunk->phys != (is_form ? STOA_PHYS_U8 : STOA_PHYS_BYTES))
        return stoa_fail(err, STOA_ERR_CORRUPT, "%s: physical type %u", stoa_side_kind_name(kind),
                         chunk->phys);
    if (chunk->flags & (STOA_CHUNK_SHARED_DICT | STOA_CHUNK_DERIVED))
        return stoa_fail(err, STOA_ERR_CORRUPT, "%s: a shared dictionary",
                         stoa_side_kind_name(kind));
    if (is_form && chunk->nnulls > 0)
        return stoa_fail(err, STOA_ERR_CORRUPT, "form: %" PRIu32 " nulls", chunk->nnulls);
    return STOA_OK;
}

enum stoa_status stoa_side_entry_unpack(const uint8_t *bytes, size_t nbytes,
                                        struct stoa_side_entry *out, size_t *used,
                                        struct stoa_error *err)
{
    struct stoa_side_entry entry = {0};
    size_t need = STOA_SIDE_ENTRY_NBYTES;
    uint32_t tag, column;
    bool of_records;
    enum stoa_status st;

    if (nbytes < need)
        return stoa_fail(err, STOA_ERR_CORRUPT, "an entry of %zu bytes", nbytes);
    tag = stoa_load32(bytes);
    column = tag >> COLUMN_SHIFT;
    entry.column = column == RECORDS_COLUMN ? STOA_SIDE_RECORDS : column;
    entry.kind = tag & KIND_MASK;
    entry.has_values = tag & HAS_VALUES;
    memcpy(entry.rule, bytes + 4, sizeof(entry.rule));
    if (stoa_side_kind_name(entry.kind) == NULL)
        return stoa_fail(err, STOA_ERR_UNSUPPORTED,
                         "an entry of kind %u, which this version cannot read", entry.kind);
    of_records = entry.kind >= STOA_SIDE_GAP;
    if (of_records != (entry.column == STOA_SIDE_RECORDS))
        return stoa_fail(err, STOA_ERR_CORRUPT, "%s %s column", stoa_side_kind_name(entry.kind),
                         of_records ? "of a" : "without a");
    if (entry.has_values) {
        need += STOA_RG_ENTRY_NBYTES;
        if (nbytes < need)
            return stoa_fail(err, STOA_ERR_CORRUPT, "an entry of %zu bytes", nbytes);
        STOA_TRY(stoa_rg_entry_unpack(bytes + STOA_SIDE_ENTRY_NBYTES, &entry.chunk, err));
        STOA_TRY(chunk_check(entry.kind, &entry.chunk, err));
    }
    *out = entry;
    *used = need;
    return STOA_OK;
out:
    return st;
}

void stoa_sidedir_entry_pack(const struct stoa_sidedir_entry *entry,
                             uint8_t out[STOA_SIDEDIR_NBYTES])
{
    stoa_store64(out, entry->offset);
    stoa_store64(out + 8, entry->header_hash);
    stoa_store32(out + 16, entry->group);
    stoa_store32(out + 20, 0);
}

enum stoa_status stoa_sidedir_entry_unpack(const uint8_t bytes[STOA_SIDEDIR_NBYTES],
                                           struct stoa_sidedir_entry *out, struct stoa_error *err)
{
    struct stoa_sidedir_entry entry = {
        .offset = stoa_load64(bytes),
        .header_hash = stoa_load64(bytes + 8),
        .group = stoa_load32(bytes + 16),
    };

    if (stoa_load32(bytes + 20) != 0)
        return stoa_fail(err, STOA_ERR_CORRUPT, "side table: bytes 20 to 23 must be 0");
    if (entry.offset % STOA_OBJECT_NBYTES != 0)
        return stoa_fail(err, STOA_ERR_CORRUPT,
                         "side table: offset %" PRIu64 " is no multiple of %d", entry.offset,
                         STOA_OBJECT_NBYTES);
    *out = entry;
    return STOA_OK;
}

void stoa_source_block_pack(const struct stoa_source_block *block,
                            uint8_t out[STOA_SOURCE_BLOCK_NBYTES])
{
    stoa_store32(out, block->count);
    stoa_store32(out + 4, block->raw_nbytes);
    stoa_store32(out + 8, block->packed_nbytes);
    stoa_store32(out + 12, 0);
    stoa_store64(out + 16, block->row);
}

enum stoa_status stoa_source_block_unpack(const uint8_t bytes[STOA_SOURCE_BLOCK_NBYTES],
                                          struct stoa_source_block *out, struct stoa_error *err)
{
    struct stoa_source_block block = {
        .count = stoa_load32(bytes),
        .raw_nbytes = stoa_load32(bytes + 4),
        .packed_nbytes = stoa_load32(bytes + 8),
        .row = stoa_load64(bytes + 16),
    };

    if (stoa_load32(bytes + 12) != 0)
        return stoa_fail(err, STOA_ERR_CORRUPT, "block: bytes 12 to 15 must be 0");
    if (block.count == 0 || block.raw_nbytes / MIN_SOURCE_NBYTES < block.count)
        return stoa_fail(err, STOA_ERR_CORRUPT, "block: %" PRIu32 " sources in %" PRIu32 " bytes",
                         block.count, block.raw_nbytes);
    if (block.packed_nbytes >= block.raw_nbytes)
        return stoa_fail(err, STOA_ERR_CORRUPT, "block: %" PRIu32 " bytes packed into %" PRIu32,
                         block.raw_nbytes, block.packed_nbytes);
    *out = block;
    return STOA_OK;
}
