/*
 * Fingerprints of schemas (spec/avro.md, "Fingerprints").
 *
 * CRC-64-AVRO is a CRC of 64 bits over the polynomial c15d213aa4d7a795, bits reversed, that begins
 * with the polynomial itself. Four bits at a time: sixteen entries can be checked by eye, and a
 * canonical form is short.
 */
#include "avro/avro_type.h"

#include <nettle/md5.h>
#include <nettle/sha2.h>

#define POLYNOMIAL UINT64_C(0xc15d213aa4d7a795)

/* The remainder of i * x^4, for each i of four bits. */
static const uint64_t remainders[16] = {
    0x0000000000000000, 0x48d27cf4afc4cedd, 0x91a4f9e95f899dba, 0xd976851df04d5367,
    0xa1f3b1a7f6bc745f, 0xe921cd535978ba82, 0x3057484ea935e9e5, 0x788534ba06f12738,
    0xc15d213aa4d7a795, 0x898f5dce0b136948, 0x50f9d8d3fb5e3a2f, 0x182ba427549af4f2,
    0x60ae909d526bd3ca, 0x287cec69fdaf1d17, 0xf10a69740de24e70, 0xb9d81580a22680ad,
};

uint64_t stoa_avro_crc64(const void *bytes, size_t nbytes)
{
    const uint8_t *at = bytes;
    uint64_t crc = POLYNOMIAL;

    for (size_t i = 0; i < nbytes; i++) {
        crc ^= at[i];
        crc = crc >> 4 ^ remainders[crc & 15];
        crc = crc >> 4 ^ remainders[crc & 15];
    }
    return crc;
}

void stoa_avro_md5(const void *bytes, size_t nbytes, uint8_t out[STOA_AVRO_MD5_NBYTES])
{
    struct md5_ctx md5;

    md5_init(&md5);
    md5_update(&md5, nbytes, bytes);
    md5_digest(&md5, STOA_AVRO_MD5_NBYTES, out);
}

void stoa_avro_sha256(const void *bytes, size_t nbytes, uint8_t out[STOA_AVRO_SHA256_NBYTES])
{
    struct sha256_ctx sha;

    sha256_init(&sha);
    sha256_update(&sha, nbytes, bytes);
    sha256_digest(&sha, STOA_AVRO_SHA256_NBYTES, out);
}
