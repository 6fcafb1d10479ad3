/*
 * Short reads out of a block: as many reads of the source as blocks, and the bytes of the file.
 */
#include "file/footer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"

enum { FILE_NBYTES = 20000, FOOTER_OFF = 18000 };

/* A file of numbers that counts its reads, and fails those that reach byte `bad`. */
struct counted {
    struct stoa_source source;
    uint8_t bytes[FILE_NBYTES];
    uint64_t bad;
    unsigned nreads;
};

static enum stoa_status read_counted(struct stoa_source *source, uint64_t offset, void *out,
                                     size_t nbytes, struct stoa_error *err)
{
    struct counted *file = (struct counted *)source;

    file->nreads++;
    assert_true(offset <= source->nbytes && nbytes <= source->nbytes - offset);
    if (offset + nbytes > file->bad)
        return stoa_fail_at(err, STOA_ERR_IO, offset, "cannot be read");
    memcpy(out, file->bytes + offset, nbytes);
    return STOA_OK;
}

static void init(struct counted *file, struct stoa_footer *footer, struct stoa_near *near)
{
    *file = (struct counted){
        .source = {.read_at = read_counted, .nbytes = FILE_NBYTES, .name = "counted"},
        .bad = UINT64_MAX,
    };
    for (size_t i = 0; i < FILE_NBYTES; i++)
        file->bytes[i] = (uint8_t)(i * 31 + i / 251);
    *footer = (struct stoa_footer){.source = &file->source, .trailer.footer_off = FOOTER_OFF};
    *near = (struct stoa_near){0};
}

static void blocks_are_read_once(void **state)
{
    static const struct {
        uint64_t offset, nbytes;
        unsigned nreads; /* of all cases up to this one */
    } cases[] = {
        {100, 48, 1},   {148, 500, 1}, {648, 2048, 1},  {4100, 96, 1}, /* to the block's end */
        {4100, 97, 2},  {99, 10, 3},   {3000, 2049, 4}, {150, 10, 4},  /* long: by itself */
        {19990, 10, 5}, {19995, 5, 5}, {0, 0, 6},       {0, 2048, 6},
    };
    struct counted file;
    struct stoa_footer footer;
    struct stoa_near near;
    uint8_t out[4096];

    (void)state;
    init(&file, &footer, &near);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        memset(out, 0, sizeof(out));
        assert_int_equal(
            stoa_footer_read_near(&footer, &near, cases[i].offset, out, cases[i].nbytes, NULL),
            STOA_OK);
        assert_memory_equal(out, file.bytes + cases[i].offset, cases[i].nbytes);
        if (file.nreads != cases[i].nreads)
            fail_msg("case %zu: %u reads, not %u", i, file.nreads, cases[i].nreads);
    }
    assert_int_equal(stoa_footer_read_near(&footer, NULL, 0, out, 64, NULL), STOA_OK);
    assert_int_equal(file.nreads, 7);
}

static void what_lies_ahead_may_be_bad(void **state)
{
    struct counted file;
    struct stoa_footer footer;
    struct stoa_near near;
    struct stoa_error err;
    uint8_t out[4096];

    (void)state;
    init(&file, &footer, &near);
    file.bad = 1000;
    assert_int_equal(stoa_footer_read_near(&footer, &near, 900, out, 100, &err), STOA_OK);
    assert_memory_equal(out, file.bytes + 900, 100);
    assert_int_equal(stoa_footer_read_near(&footer, &near, 900, out, 101, &err), STOA_ERR_IO);
    assert_string_equal(err.message, "cannot be read");
    assert_int_equal(stoa_footer_read_near(&footer, &near, 19999, out, 2, &err), STOA_ERR_CORRUPT);
    assert_string_equal(err.message, "2 bytes at 19999 of a file of 20000");
    assert_int_equal(stoa_footer_read_near(&footer, &near, UINT64_MAX, out, 2, &err),
                     STOA_ERR_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_read_once),
        cmocka_unit_test(what_lies_ahead_may_be_bad),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
