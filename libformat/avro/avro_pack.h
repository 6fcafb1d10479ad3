/*
 * Compressing the data of blocks that are written.
 *
 *     packer = stoa_avro_packer_find("deflate", 7);
 *     STOA_TRY(packer->open(packer->default_level, &state, err));
 *     STOA_TRY(packer->pack(state, data, nbytes, &out, err));     as often as wanted
 *     packer->close(state);
 */
#ifndef STOA_AVRO_AVRO_PACK_H
#define STOA_AVRO_AVRO_PACK_H

#include "base/alloc.h"

/* What packs one block after the other, in one thread at a time. */
struct stoa_avro_pack;

struct stoa_avro_packer {
    const char *name;
    int min_level, max_level; /* both 0: it has none */
    int default_level;
    /* All NULL: blocks are stored as they are. */
    enum stoa_status (*open)(int level, struct stoa_avro_pack **out, struct stoa_error *err);
    /* Appends the data of a block as it is stored. Blocks are packed alike, whatever was before. */
    enum stoa_status (*pack)(struct stoa_avro_pack *state, const uint8_t *data, size_t nbytes,
                             struct stoa_buffer *out, struct stoa_error *err);
    void (*close)(struct stoa_avro_pack *state); /* NULL is fine */
};

/* That of a codec's name; NULL when there is none. */
const struct stoa_avro_packer *stoa_avro_packer_find(const char *name, size_t nbytes);

/* The names of all, for messages: "null, deflate, ... or xz". */
extern const char stoa_avro_packer_names[];

/* Snappy, with the checksum behind it (avro_block.c, which reads it too). */
STOA_CHECK enum stoa_status stoa_avro_pack_snappy(const uint8_t *data, size_t nbytes,
                                                  struct stoa_buffer *out, struct stoa_error *err);

#endif
