/*
 * Samples from the middle of a file, for inference.
 */
#ifndef STOA_CSV_CSV_WINDOWS_H
#define STOA_CSV_CSV_WINDOWS_H

#include "csv/record.h"

/* Takes a record of as many fields as there are columns, and the offset of its first byte. */
typedef void stoa_csv_observer(void *context, const struct stoa_csv_record *record,
                               uint64_t offset);

/*
 * Looks at 16 windows of 64 KiB spread evenly over a regular file, from behind the sample at its
 * head to its end, and hands the records that are certain to be rows to `observe`, in order. head:
 * the beginning of the text; when the file does not begin with it (compressed, another encoding)
 * nothing is looked at.
 * Errors: those of reading, STOA_ERR_NOMEM; never what stands in a window.
 * Cost: 1 MiB of text at the most.
 */
STOA_CHECK enum stoa_status stoa_csv_windows_observe(const char *path,
                                                     const struct stoa_csv_options *options,
                                                     uint32_t ncolumns, const char *head,
                                                     size_t head_nbytes, stoa_csv_observer *observe,
                                                     void *context, struct stoa_error *err);

#endif
