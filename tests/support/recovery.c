#include "support/recovery.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stoa/reader.h>

static void keep(void *context, const struct stoa_recover_loss *loss)
{
    struct stoa_test_recovery *run = context;
    struct stoa_test_loss *to;

    assert_true(loss->reason[0] != '\0' && strchr(loss->reason, '\n') == NULL);
    run->losses = realloc(run->losses, (run->nlosses + 1) * sizeof(run->losses[0]));
    assert_non_null(run->losses);
    to = &run->losses[run->nlosses++];
    *to = (struct stoa_test_loss){.loss = *loss};
    (void)snprintf(to->reason, sizeof(to->reason), "%s", loss->reason);
    (void)snprintf(to->column, sizeof(to->column), "%s", loss->column != NULL ? loss->column : "");
}

void stoa_test_recover(const uint8_t *bytes, size_t nbytes, bool partial,
                       struct stoa_test_recovery *out)
{
    struct stoa_recover_options options = {.partial = partial, .report = keep, .context = out};
    struct stoa_source *source = NULL;

    *out = (struct stoa_test_recovery){0};
    if (stoa_source_open_memory(bytes, nbytes, "damaged", &source, &out->err) != STOA_OK ||
        stoa_sink_create_memory(&out->sink, &out->err) != STOA_OK)
        fail_msg("%s", out->err.message);
    out->st = stoa_recover(source, out->sink, &options, &out->result, &out->err);
    assert_int_equal(out->result.nlosses, out->nlosses);
    if (out->st == STOA_OK)
        out->bytes = stoa_sink_memory(out->sink, &out->nbytes);
    else
        assert_true(out->err.message[0] != '\0');
    stoa_source_close(source);
}

void stoa_test_recovery_reset(struct stoa_test_recovery *recovery)
{
    stoa_sink_close(recovery->sink);
    free(recovery->losses);
    *recovery = (struct stoa_test_recovery){0};
}

void stoa_test_recovery_print(const struct stoa_test_recovery *recovery)
{
    for (size_t i = 0; i < recovery->nlosses; i++) {
        const struct stoa_test_loss *loss = &recovery->losses[i];

        print_error("stream %u, column \"%s\", rows %llu + %llu: %s\n", loss->loss.stream,
                    loss->column, (unsigned long long)loss->loss.first_row,
                    (unsigned long long)loss->loss.nrows, loss->reason);
    }
}

static void print_finding(void *context, const struct stoa_error *finding)
{
    (void)context;
    print_error("%s\n", finding->message);
}

void stoa_test_verify_deep(const uint8_t *bytes, size_t nbytes)
{
    struct stoa_verify_options options = {.deep = true, .report = print_finding};
    struct stoa_verify_result result;
    struct stoa_source *source;
    struct stoa_error err;

    assert_int_equal(stoa_source_open_memory(bytes, nbytes, "recovered", &source, &err), STOA_OK);
    if (stoa_verify(source, &options, &result, &err) != STOA_OK)
        fail_msg("%s", err.message);
    assert_int_equal(result.nfindings, 0);
    stoa_source_close(source);
}
