/*
 * What column/ knows about sources beyond the public header.
 */
#ifndef STOA_COLUMN_SOURCE_TEXT_H
#define STOA_COLUMN_SOURCE_TEXT_H

#include <stoa/source_text.h>

/* Sets *out, which is `{0}`, to a copy; free out->data with stoa_free(). */
STOA_CHECK enum stoa_status stoa_bytes_copy(struct stoa_bytes *out, const void *bytes,
                                            size_t nbytes, struct stoa_error *err);

#endif
