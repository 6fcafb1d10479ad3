/*
 * Archives as a row of members, without a file of theirs on disk (spec/csv.md, "Inputs").
 *
 * libarchive reads these formats too, and was left out as for compressed streams: it takes the end
 * of a tar file that is cut behind a member for its end, looks at local headers of a zip file or at
 * its directory but does not compare the two, and has no limits of its own. What is read here is
 * little: ustar, pax and GNU names; stored, deflate, bzip2, zstd and xz.
 */
#ifndef STOA_IO_ARCHIVE_H
#define STOA_IO_ARCHIVE_H

#include <stoa/io.h>

#define STOA_ARCHIVE_MAX_NMEMBERS    (UINT64_C(1) << 20)
#define STOA_ARCHIVE_MAX_NAME_NBYTES 4096

/*
 * Whether a member is one to read. Names are no paths here, nothing is ever created under them; but
 * one that leads out of its folder belongs to an archive that is not to be trusted: STOA_ERR_DATA.
 * *skip: hidden files, and what systems put beside those of the user.
 */
STOA_CHECK enum stoa_status stoa_archive_check_name(const char *archive, const char *name,
                                                    size_t nbytes, bool *skip,
                                                    struct stoa_error *err);

/* "ARCHIVE:MEMBER", printable; free with stoa_free(). */
STOA_CHECK enum stoa_status stoa_archive_join_name(const char *archive, const char *name,
                                                   size_t nbytes, char **out,
                                                   struct stoa_error *err);

/* ---- tar: in order, from any stream. ---- */

struct stoa_tar;

/* Whether this is the first block, of 512 bytes, of a tar file. */
bool stoa_tar_match(const uint8_t *bytes, size_t nbytes);

/* Takes `below` over when it succeeds. */
STOA_CHECK enum stoa_status stoa_tar_open(struct stoa_stream *below, struct stoa_tar **out,
                                          struct stoa_error *err);
void stoa_tar_close(struct stoa_tar *tar);

/*
 * The bytes of the next file in it that is one to read, NULL at the end, which is only reported
 * when the archive was whole. The stream before it must be closed; what was not read of it is
 * passed over.
 */
STOA_CHECK enum stoa_status stoa_tar_next(struct stoa_tar *tar, struct stoa_stream **out,
                                          struct stoa_error *err);

/* ---- zip: by its directory, from a file. ---- */

struct stoa_zip;

#define STOA_ZIP_MATCH_NBYTES 4

bool stoa_zip_match(const uint8_t *bytes, size_t nbytes);

/* Reads and checks the directory. Takes `source` over when it succeeds. */
STOA_CHECK enum stoa_status stoa_zip_open(struct stoa_source *source, struct stoa_zip **out,
                                          struct stoa_error *err);
void stoa_zip_close(struct stoa_zip *zip);

/* As stoa_tar_next(): unpacked, compared with length and CRC-32. */
STOA_CHECK enum stoa_status stoa_zip_next(struct stoa_zip *zip, struct stoa_stream **out,
                                          struct stoa_error *err);

/* ---- Either, by stoa_members_open() (stoa/io.h). ---- */

/* A zip archive: members that are passed over are not read. */
bool stoa_members_has_directory(const struct stoa_members *members);

#endif
