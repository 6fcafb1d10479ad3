/*
 * One run of stoa_recover() in memory, with all that it reports.
 */
#ifndef STOA_TESTS_SUPPORT_RECOVERY_H
#define STOA_TESTS_SUPPORT_RECOVERY_H

#include <stoa/recover.h>

struct stoa_test_loss {
    struct stoa_recover_loss loss; /* column: "" or NULL, reason: not to be used */
    char column[64];
    char reason[STOA_ERROR_MESSAGE_NBYTES];
};

struct stoa_test_recovery {
    enum stoa_status st;
    struct stoa_error err;
    struct stoa_recover_result result;
    struct stoa_sink *sink;
    const uint8_t *bytes; /* the output, when st is STOA_OK */
    size_t nbytes;
    struct stoa_test_loss *losses;
    size_t nlosses;
};

/* Fails the test when what is reported makes no sense. Release with stoa_test_recovery_reset(). */
void stoa_test_recover(const uint8_t *bytes, size_t nbytes, bool partial,
                       struct stoa_test_recovery *out);
void stoa_test_recovery_reset(struct stoa_test_recovery *recovery);

/* Prints the losses, for a test that fails. */
void stoa_test_recovery_print(const struct stoa_test_recovery *recovery);

/* Fails the test when `stoa verify --deep` would find something. */
void stoa_test_verify_deep(const uint8_t *bytes, size_t nbytes);

#endif
