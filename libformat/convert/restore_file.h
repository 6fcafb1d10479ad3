/*
 * Restoring from a file that is open: one that has no name yet, for one.
 */
#ifndef STOA_CONVERT_RESTORE_FILE_H
#define STOA_CONVERT_RESTORE_FILE_H

#include <stoa/io.h>
#include <stoa/restore.h>

/*
 * stoa_restore() of `file`, which is borrowed; options->path is not looked at. `fits` says that its
 * row groups were made within the limit of memory, so none is refused.
 */
STOA_CHECK enum stoa_status stoa_restore_file(struct stoa_source *file, bool fits,
                                              const struct stoa_restore_options *options,
                                              struct stoa_restore_report *report,
                                              struct stoa_error *err);

#endif
