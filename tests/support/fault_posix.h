/*
 * System calls that fail on purpose, for whole programs and for tests.
 *
 * As a library to preload, build/VARIANT/tests/support/fault_posix.so, it listens to
 *
 *     STOA_FAULT_AT=3            the third of the chosen calls strikes
 *     STOA_FAULT_CALLS=write,sync   which count: open read write sync rename link close clone (all)
 *     STOA_FAULT_MODE=once       fail; `on`: and all later ones; `short`: read or write one byte;
 *                                `kill`: SIGKILL instead of the call; `flip`: one bit of what is
 *                                written is another one
 *     STOA_FAULT_ERRNO=28        (EIO)
 *     STOA_FAULT_MAX_READ=64     read and pread give so many bytes at the most
 *     STOA_FAULT_NO_TMPFILE=1    open() does not know O_TMPFILE
 *     STOA_FAULT_CLONES=1        FICLONERANGE works on every file system: by copying
 *     STOA_FAULT_NO_LOCK=1       flock() fails, as on a file system without locks
 *     STOA_FAULT_FIRED=path      this file is created when a call strikes: without it the program
 *                                made fewer calls
 *
 * Tests and fuzz targets whose names end in _faults or _restore are linked with it and use the
 * functions instead. Calls inside of the C library, of stdio for one, are not seen.
 */
#ifndef STOA_TESTS_SUPPORT_FAULT_POSIX_H
#define STOA_TESTS_SUPPORT_FAULT_POSIX_H

#include <stdbool.h>
#include <stddef.h>

enum stoa_test_posix_calls {
    STOA_TEST_OPEN = 1,
    STOA_TEST_READ = 2,    /* read, pread */
    STOA_TEST_WRITE = 4,   /* write */
    STOA_TEST_SYNC = 8,    /* fsync, fdatasync */
    STOA_TEST_RENAME = 16, /* rename, renameat2 */
    STOA_TEST_LINK = 32,   /* link, linkat */
    STOA_TEST_CLOSE = 64,
    STOA_TEST_CLONE = 128, /* ioctl(FICLONERANGE) */
    STOA_TEST_ALL_CALLS = 255,
};

enum stoa_test_posix_mode {
    STOA_TEST_POSIX_ONCE,
    STOA_TEST_POSIX_ON,
    STOA_TEST_POSIX_SHORT,
    STOA_TEST_POSIX_KILL,
    STOA_TEST_POSIX_FLIP, /* of write calls */
};

struct stoa_test_posix_fault {
    unsigned calls; /* of enum stoa_test_posix_calls */
    unsigned at;    /* from 1; 0: none */
    enum stoa_test_posix_mode mode;
    int os_errno;
    size_t max_read; /* bytes that a read gives at the most; 0: any number */
    bool no_tmpfile;
    bool no_lock;
    bool clones;
};

/* From now on; counts from 1 again. */
void stoa_test_posix_set(const struct stoa_test_posix_fault *fault);

/* Ends it, and says whether a call struck. */
bool stoa_test_posix_end(void);

#endif
