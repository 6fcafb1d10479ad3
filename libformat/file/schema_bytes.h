/*
 * Schemas as bytes: the node records and the pool of SCHM objects and footers (spec/format.md,
 * sections 4 and 8), both ways.
 */
#ifndef STOA_FILE_SCHEMA_BYTES_H
#define STOA_FILE_SCHEMA_BYTES_H

#include <stoa/schema.h>

#include "base/alloc.h"
#include "file/layout.h"

/* A schema as it is stored: a record a node, and what the records point to. */
struct stoa_schema_bytes {
    struct stoa_node *nodes;
    uint32_t nnodes;
    uint32_t ncolumns;
    bool is_nested; /* a node may have children: feature bit 2 */
    struct stoa_buffer pool;
    uint32_t metadata_off; /* in the pool, or STOA_NONE32 */
};

/*
 * Fills *out, which is overwritten; equal schemas give equal bytes. STOA_ERR_USAGE: the schema
 * breaks a rule of stoa/schema.h, the column is named; STOA_ERR_LIMIT: a pool of 2 GiB;
 * STOA_ERR_NOMEM.
 */
STOA_CHECK enum stoa_status stoa_schema_bytes_init(struct stoa_schema_bytes *out,
                                                   const struct stoa_schema *schema,
                                                   struct stoa_error *err);
void stoa_schema_bytes_reset(struct stoa_schema_bytes *bytes);

/* Features that row groups of this schema, and files of it, need to be understood. */
uint32_t stoa_schema_features(const struct stoa_schema_bytes *bytes);

/*
 * Appends the part of a SCHM body that its dir_hash covers, not packed, without the zeros behind
 * it.
 */
STOA_CHECK enum stoa_status stoa_schema_bytes_append(const struct stoa_schema_bytes *bytes,
                                                     struct stoa_buffer *out,
                                                     struct stoa_error *err);

/* Appends `u32 n_pairs | pairs`. */
STOA_CHECK enum stoa_status stoa_metadata_append(const struct stoa_metadata *metadata,
                                                 struct stoa_buffer *out, struct stoa_error *err);

/*
 * The schema of a verified SCHM body, of which `nbytes` = dir_len bytes are given, packed or
 * not; or of the node records of a footer with its pool and the bytes of its metadata section (NULL
 * and 0 without). *out is overwritten on success and owned by the caller.
 *
 * STOA_ERR_CORRUPT: ranges outside the pool or more bytes of names and parameters than it has,
 * texts that are no UTF-8, parameters out of range, names that are not unique, nodes that make no
 * tree. STOA_ERR_UNSUPPORTED: a type that is reserved or not known; column and number are named.
 * Cost: n log n in the nodes; memory is bounded by a small multiple of nnodes and pool_nbytes.
 */
STOA_CHECK enum stoa_status stoa_schema_parse_body(const uint8_t *body, size_t nbytes,
                                                   struct stoa_schema *out, uint64_t *id,
                                                   struct stoa_error *err);
STOA_CHECK enum stoa_status stoa_schema_parse_nodes(const struct stoa_node *nodes, uint32_t nnodes,
                                                    const uint8_t *pool, size_t pool_nbytes,
                                                    const uint8_t *metadata, size_t metadata_nbytes,
                                                    struct stoa_schema *out,
                                                    struct stoa_error *err);

/*
 * One node alone, without its children, `number` from 0 (messages count from 1): what a reader
 * needs to decode it without the other ones of a wide file. The same errors, but for what takes
 * other nodes to see.
 */
STOA_CHECK enum stoa_status stoa_field_parse_node(const struct stoa_node *node, uint32_t number,
                                                  const uint8_t *pool, size_t pool_nbytes,
                                                  struct stoa_field *out, struct stoa_error *err);

#endif
