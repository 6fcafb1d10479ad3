/*
 * Raw snappy, as blocks of Avro have it in front of their CRC-32.
 */
#ifndef STOA_AVRO_AVRO_SNAPPY_H
#define STOA_AVRO_AVRO_SNAPPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The size of the text, as the first bytes tell it. false: they do not. */
bool stoa_avro_snappy_nbytes(const uint8_t *in, size_t nin, size_t *nbytes);

/*
 * Decompresses text of the size that was told. Behind `in` and the text STOA_AVRO_PADDING more
 * bytes can be read, and written; what is there then says nothing. false: the data is damaged.
 */
bool stoa_avro_snappy_unpack(const uint8_t *in, size_t nin, uint8_t *out, size_t nbytes);

#endif
