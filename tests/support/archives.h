/*
 * Archives in memory, made by hand so that every field of them can be wrong.
 */
#ifndef STOA_TESTS_SUPPORT_ARCHIVES_H
#define STOA_TESTS_SUPPORT_ARCHIVES_H

#include "base/alloc.h"

/* A header of ustar with a right checksum, and the data filled up to 512 bytes. */
void stoa_test_tar_add(struct stoa_buffer *tar, const char *name, char type, const void *bytes,
                       size_t nbytes);

/* Makes the checksum of the header at `offset` right again. */
void stoa_test_tar_sum(struct stoa_buffer *tar, size_t offset);

/* The two blocks of zeros. */
void stoa_test_tar_end(struct stoa_buffer *tar);

struct stoa_test_zip_member {
    const char *name;
    const void *bytes;
    size_t nbytes;
    bool deflate;    /* else stored */
    bool descriptor; /* sizes and CRC behind the data */
    bool zip64;      /* sizes in extra fields */
    uint32_t mode;   /* of Unix; 0: made by a system that has none */
};

void stoa_test_zip_make(struct stoa_buffer *zip, const struct stoa_test_zip_member *members,
                        size_t nmembers);

#endif
