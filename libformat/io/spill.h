/*
 * A temporary file for what a job must keep but not in memory: appended, read at any place, gone
 * when it is closed or the process ends, however it ends.
 *
 * It stands in $TMPDIR, else in /var/tmp (which is a disk where /tmp is memory), else in /tmp, and
 * never has a name that another process can see for longer than its creation takes. Nothing is
 * fsynced: its content is worth nothing after a crash.
 */
#ifndef STOA_IO_SPILL_H
#define STOA_IO_SPILL_H

#include <stoa/io.h>

struct stoa_spill;

/* An empty file. STOA_ERR_IO names the folder that it could not be made in; STOA_ERR_NOMEM. */
STOA_CHECK enum stoa_status stoa_spill_open(struct stoa_spill **out, struct stoa_error *err);

/* Frees it; NULL is fine. */
void stoa_spill_close(struct stoa_spill *spill);

/*
 * Adds nbytes bytes at the end; small pieces are collected. STOA_ERR_IO (no space left); after an
 * error only close may follow. One thread at a time, beside no read.
 */
STOA_CHECK enum stoa_status stoa_spill_append(struct stoa_spill *spill, const void *bytes,
                                              size_t nbytes, struct stoa_error *err);

/* Bytes appended so far: where the next ones will stand. */
uint64_t stoa_spill_nbytes(const struct stoa_spill *spill);

/* Reads nbytes bytes that were appended at `offset`: asserts that they were. */
STOA_CHECK enum stoa_status stoa_spill_read(struct stoa_spill *spill, uint64_t offset, void *out,
                                            size_t nbytes, struct stoa_error *err);

/*
 * A temporary file as a sink, for what must be whole before it may go where it can't be taken back.
 * `commit` does nothing: the bytes are for who reopens it.
 */
STOA_CHECK enum stoa_status stoa_sink_create_spill(struct stoa_sink **out, struct stoa_error *err);

#endif
