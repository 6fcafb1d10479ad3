/*
 * The directory of a zip file: read whole, and checked, before any member is.
 */
#ifndef STOA_IO_ZIP_DIRECTORY_H
#define STOA_IO_ZIP_DIRECTORY_H

#include <stoa/io.h>

#include "base/alloc.h"

/* A member as the directory tells of it. */
struct stoa_zip_entry {
    uint64_t offset;      /* of its local header */
    uint64_t end;         /* its bytes end here at the latest: the next one, or the directory */
    uint64_t nbytes;      /* packed */
    uint64_t text_nbytes; /* unpacked */
    uint32_t crc;
    uint16_t flags;
    uint16_t method;
    bool file;        /* no folder, link or device */
    const char *name; /* points into the directory */
    uint16_t name_nbytes;
};

struct stoa_zip_directory {
    struct stoa_buffer bytes;
    struct stoa_zip_entry *entries; /* in the order of the directory */
    size_t nentries;
};

/* STOA_ERR_DATA: damaged, cut, in several parts, or with members that overlap. */
STOA_CHECK enum stoa_status stoa_zip_directory_read(struct stoa_source *source,
                                                    struct stoa_zip_directory *out,
                                                    struct stoa_error *err);
void stoa_zip_directory_reset(struct stoa_zip_directory *directory);

/* Sizes of 2^32 - 1 in a header stand in its extra field 1, in this order. */
bool stoa_zip_sizes(const uint8_t *extra, size_t nextra, uint64_t *text_nbytes, uint64_t *nbytes,
                    uint64_t *offset);

#define STOA_ZIP_LOCAL_NBYTES 30 /* of a local header, without name and extra field */

#endif
