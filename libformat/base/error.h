/*
 * Errors: made where they happen, given a prefix by each layer that a user knows.
 */
#ifndef STOA_BASE_ERROR_H
#define STOA_BASE_ERROR_H

#include <stoa/base.h>

/* Runs `call`; when it fails, keeps its status in the local `st` and goes to the local `out`. */
#define STOA_TRY(call)                                                                             \
    do {                                                                                           \
        st = (call);                                                                               \
        if (st != STOA_OK)                                                                         \
            goto out;                                                                              \
    } while (0)

/* Fills *err (which may be NULL: the caller wants the status only) and returns `status`. */
enum stoa_status stoa_fail(struct stoa_error *err, enum stoa_status status, const char *format, ...)
    STOA_PRINTF(3, 4);

/* The same with the byte offset at which it happened. */
enum stoa_status stoa_fail_at(struct stoa_error *err, enum stoa_status status, uint64_t offset,
                              const char *format, ...) STOA_PRINTF(4, 5);

/* STOA_ERR_IO with ": " and the system's words for `os_errno` appended. */
enum stoa_status stoa_fail_errno(struct stoa_error *err, int os_errno, const char *format, ...)
    STOA_PRINTF(3, 4);

/* STOA_ERR_NOMEM: "out of memory (N bytes)". */
enum stoa_status stoa_fail_nomem(struct stoa_error *err, size_t nbytes);

/*
 * Puts "PREFIX: " in front of the message of *err and returns `status`. A message too long for
 * its room loses its end, never its beginning. STOA_ERR_IO stays as it is: the messages of io/ name
 * their file already, and a disk that fails has nothing to do with the column that was read.
 */
enum stoa_status stoa_wrap(struct stoa_error *err, enum stoa_status status, const char *format, ...)
    STOA_PRINTF(3, 4);

#endif
