/*
 * How far a conversion is, on standard error.
 */
#ifndef TERM_PROGRESS_H
#define TERM_PROGRESS_H

#include <stoa/convert.h>

enum progress_mode { PROGRESS_NEVER, PROGRESS_LINE, PROGRESS_JSON };

/* "auto", "always", "never", "json"; false for another word. NULL is "auto". */
bool progress_mode_find(const char *word, enum progress_mode *out);

/* For struct stoa_convert_options; context is an enum progress_mode. */
void progress_show(void *context, const struct stoa_convert_progress *progress);

/* Takes the line off the terminal again. */
void progress_clear(enum progress_mode mode);

#endif
