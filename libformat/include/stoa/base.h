/*
 * What every other header of Stoa builds on: status codes, errors with a place, the allocator.
 *
 * Every function that can fail for a reason outside the program (a file, a user, the system)
 * returns an enum stoa_status and fills the caller's struct stoa_error. A wrong call (a NULL
 * where the header asks for a pointer, an index past the end that the caller could know) is an
 * assertion, not a status, unless the function says otherwise.
 */
#ifndef STOA_BASE_H
#define STOA_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define STOA_VERSION "0.1.0"

#if defined(__GNUC__)
#define STOA_API          __attribute__((visibility("default")))
#define STOA_CHECK        __attribute__((warn_unused_result))
#define STOA_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define STOA_API
#define STOA_CHECK
#define STOA_PRINTF(f, a)
#endif

enum stoa_status {
    STOA_OK = 0,
    STOA_ERR_USAGE,       /* the call or the options make no sense */
    STOA_ERR_DATA,        /* an input holds something that cannot be taken as it is */
    STOA_ERR_LIMIT,       /* a documented limit or the memory budget would be exceeded */
    STOA_ERR_IO,          /* the operating system said no; os_errno says how */
    STOA_ERR_NOMEM,       /* an allocation failed */
    STOA_ERR_CORRUPT,     /* a Stoa file is damaged */
    STOA_ERR_UNSUPPORTED, /* a Stoa file needs something that this version does not know */
    STOA_ERR_CANCELLED,   /* the caller asked to stop */
};

/* Units of times, timestamps and durations. The numbers are stored in files. */
enum stoa_time_unit {
    STOA_SECOND = 0,
    STOA_MILLI = 1,
    STOA_MICRO = 2,
    STOA_NANO = 3,
};

/* A value of type interval: a month has no fixed number of days, nor a day of seconds. */
struct stoa_interval {
    int32_t months;
    int32_t days;
    int64_t nanos;
};

#define STOA_ERROR_MESSAGE_NBYTES 1024
#define STOA_NO_OFFSET            UINT64_MAX

/*
 * What went wrong. The caller owns it (usually on the stack, `{0}`); it holds no resources.
 * message  one line for a person, "" while nothing failed; a level a user knows is put in front
 *          by each layer: "trips.stoa: row group 3: column fare: page 7: hash differs".
 * offset   byte offset in the file or text that was read, STOA_NO_OFFSET when there is none.
 */
struct stoa_error {
    enum stoa_status status;
    int os_errno;
    uint64_t offset;
    char message[STOA_ERROR_MESSAGE_NBYTES];
};

/* "usage", "corrupt", ...: the name of a status in lower case; never NULL. */
STOA_API const char *stoa_status_name(enum stoa_status status);

/*
 * Writes `nbytes` bytes of text from a file or user into `out` so that a terminal shows them
 * safely: printable ASCII and valid UTF-8 as they are, the rest as \xNN, cut to fit with "...".
 * Returns `out`, which is always terminated. out_nbytes >= 8.
 */
STOA_API const char *stoa_quote(char *out, size_t out_nbytes, const void *text, size_t nbytes);

/* The version of the library at run time: STOA_VERSION of the build. */
STOA_API const char *stoa_version(void);

/*
 * The allocator that all of libstoa uses. By default it is malloc's, and blocks of 64 KiB and more
 * are mapped; while a scan is open or a conversion runs those that are freed wait for their next
 * use, in all no more than were in use at once in that time, at other times at most 4 MiB. So who
 * resets a batch before the next one has the same memory again. A child of fork() has it too, and
 * what was open in the parent counts as open there.
 * `reallocate` with NULL allocates; nbytes is never 0. Must be thread-safe. Set it before the first
 * other call of the library and never while memory of the previous one is alive. NULL restores the
 * default.
 */
struct stoa_allocator {
    void *(*reallocate)(void *context, void *memory, size_t nbytes);
    void (*release)(void *context, void *memory);
    void *context;
};
STOA_API void stoa_allocator_set(const struct stoa_allocator *allocator);

/* Frees memory that a function of libstoa handed over to the caller; NULL is fine. */
STOA_API void stoa_free(void *memory);

#ifdef __cplusplus
}
#endif

#endif
