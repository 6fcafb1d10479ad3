/*
 * Writing back the text that a Stoa file was made of, byte for byte (spec/csv.md, "Restore").
 */
#ifndef STOA_RESTORE_H
#define STOA_RESTORE_H

#include <signal.h>

#include <stoa/convert.h>
#include <stoa/source_text.h>

#ifdef __cplusplus
extern "C" {
#endif

/* {0} and `path` are enough to check that all sources can be written back. */
struct stoa_restore_options {
    const char *path;       /* of a Stoa file */
    const char *output;     /* a folder for all sources under their names; a file or "-" for one. A
                               name that does not exist is a file for one source, a folder for
                               several. NULL: nothing is written, sizes and hashes are compared */
    const char *source;     /* the name of the only one wanted; NULL: all */
    bool replace;           /* existing files */
    unsigned jobs;          /* 0: one per processor */
    uint64_t memory_nbytes; /* 0: as for conversions */
    void (*progress)(void *context,
                     const struct stoa_convert_progress *progress); /* at most ten a second */
    void *progress_context;
    const volatile sig_atomic_t *cancel; /* checked often; not 0: stop */
};

/* What was done. */
struct stoa_restore_report {
    uint64_t nsources;
    uint64_t nrows;
    uint64_t nbytes; /* of text */
    double seconds;
};

/*
 * Writes the sources of a file, decompressed. Each appears under its name when all of it is there
 * and its size and hash are those of the text that was read; after an error those in front of it
 * stay. In a folder no file lies outside of it, whatever a source is called: characters that could
 * lead out of it become '_', a second file of one name gets a number, the ending of a compression
 * is left out.
 * Errors: STOA_ERR_USAGE (no such source; several for one file; an existing file; memory that a row
 * group does not fit: names what would do), STOA_ERR_DATA
 * (the file keeps no text, or not all of it: the message says why), STOA_ERR_CORRUPT (what came out
 * is not what was read), those of the reader and of sinks, STOA_ERR_CANCELLED. All of them name the
 * file or the source.
 */
STOA_API STOA_CHECK enum stoa_status stoa_restore(const struct stoa_restore_options *options,
                                                  struct stoa_restore_report *report,
                                                  struct stoa_error *err);

#ifdef __cplusplus
}
#endif

#endif
