/*
 * Rows out of damaged Stoa files: cut, half copied, without their end, with holes and flipped bits,
 * several joined into one, with other bytes in front, between and behind.
 *
 *     stoa_source_open_file("broken.stoa", &source, &err);
 *     stoa_sink_create_file("whole.stoa", false, &sink, &err);
 *     stoa_recover(source, sink, &options, &result, &err);
 *     sink->commit(sink, &err);
 *
 * What comes out is a Stoa file that verifies, with the row groups that are whole, in their order.
 * No value is guessed or changed: every page is taken by its hash and decoded once.
 */
#ifndef STOA_RECOVER_H
#define STOA_RECOVER_H

#include <signal.h>

#include <stoa/io.h>

#ifdef __cplusplus
extern "C" {
#endif

#define STOA_RECOVER_UNKNOWN UINT64_MAX

/* Rows that are not in the output, or of which a column is null there. Lent for the call. */
struct stoa_recover_loss {
    uint32_t stream;    /* from 0: files joined into one count on */
    uint64_t first_row; /* in its stream, from 0 */
    uint64_t nrows;     /* STOA_RECOVER_UNKNOWN: all that followed, nobody knows how many */
    const char *column; /* whose values became null; NULL: the rows are missing */
    const char *reason; /* one line */
};

/* {0} and NULL mean the defaults. */
struct stoa_recover_options {
    /*
     * Keep row groups of which some columns are whole: what is lost of the others becomes null,
     * pages that are whole are kept, and such a column is nullable in the output.
     */
    bool partial;
    uint64_t memory_nbytes; /* to read with; 0: 1 GiB */
    void (*report)(void *context, const struct stoa_recover_loss *loss);
    /* After each row group: bytes of the work done and in all, rows written. */
    void (*progress)(void *context, uint64_t done_nbytes, uint64_t total_nbytes, uint64_t nrows);
    void *context;
    const volatile sig_atomic_t *cancel; /* not 0: stop */
};

struct stoa_recover_result {
    uint64_t nrows; /* written */
    uint64_t nrow_groups;
    uint64_t nrows_lost;   /* those that are known of */
    uint64_t nvalues_lost; /* set to null in rows that were written */
    uint64_t nlosses;      /* reported */
    bool end_is_lost;      /* rows may be missing that nobody knows of */
    uint32_t nstreams;
};

/*
 * Writes what can be recovered to the empty `sink`, without a commit. Damage is no error: it is
 * reported, and counted in *result (nlosses is 0 when nothing was lost).
 *
 * A file has one schema: that of the most rows, of the first of them when there are several; rows
 * of another one are reported as lost.
 *
 * Errors: STOA_ERR_CORRUPT when there is nothing to recover, *result is set then too;
 * STOA_ERR_CANCELLED; STOA_ERR_LIMIT, _IO, _NOMEM.
 * Cost: every byte is read about twice, with `partial` three times; memory for one column of one
 * row group, the dictionaries in use, the footer, and about 100 bytes an object.
 */
STOA_API STOA_CHECK enum stoa_status stoa_recover(struct stoa_source *source,
                                                  struct stoa_sink *sink,
                                                  const struct stoa_recover_options *options,
                                                  struct stoa_recover_result *result,
                                                  struct stoa_error *err);

#ifdef __cplusplus
}
#endif

#endif
