/*
 * Where restored sources go: one file, files of a folder, or nowhere; each checked before it
 * appears.
 */
#ifndef STOA_CONVERT_RESTORE_OUTPUT_H
#define STOA_CONVERT_RESTORE_OUTPUT_H

#include <stoa/restore.h>

#include "base/alloc.h"

/* Writes one source after the other. */
struct stoa_restore_output;

/*
 * `output` and `replace` as in struct stoa_restore_options, for nsources sources. Creates the
 * folder where one is wanted and missing. STOA_ERR_USAGE: several sources for one file.
 */
STOA_CHECK enum stoa_status stoa_restore_output_open(const char *output, bool replace,
                                                     size_t nsources,
                                                     struct stoa_restore_output **out,
                                                     struct stoa_error *err);

/* Closes it; a source that was begun and not finished leaves no trace. NULL is fine. */
void stoa_restore_output_close(struct stoa_restore_output *output);

/* Begins the next source, which is borrowed, in an encoding (NULL: UTF-8). */
STOA_CHECK enum stoa_status stoa_restore_output_begin(struct stoa_restore_output *output,
                                                      const struct stoa_source_info *info,
                                                      const char *encoding, struct stoa_error *err);

/* Text of it in UTF-8. */
STOA_CHECK enum stoa_status stoa_restore_output_write(struct stoa_restore_output *output,
                                                      const void *text, size_t nbytes,
                                                      struct stoa_error *err);

/*
 * The end of it: STOA_ERR_CORRUPT, and no file, unless size and hash are those of the source.
 */
STOA_CHECK enum stoa_status stoa_restore_output_finish(struct stoa_restore_output *output,
                                                       struct stoa_error *err);

/* Bytes of all sources so far. */
uint64_t stoa_restore_output_nbytes(const struct stoa_restore_output *output);

/*
 * The name of a file for a source: what could lead out of a folder, or trouble a shell, becomes
 * '_', the ending of a compression goes. *out is the caller's.
 */
STOA_CHECK enum stoa_status stoa_restore_file_name(const char *source, char **out,
                                                   struct stoa_error *err);

#endif
