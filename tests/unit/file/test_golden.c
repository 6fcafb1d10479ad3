/*
 * The files of fixtures/golden stay readable for ever: each gives the rows that stand beside it.
 *
 * STOA_MAKE_GOLDEN=DIR makes the program write the files of support/golden.h and their rows into
 * DIR instead (see fixtures/golden/README.md); a folder of a released version is never made anew.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "jsonl/jsonl.h"
#include "support/gen_source_text.h"
#include "support/golden.h"

static const char *const folders[] = {"fixtures/golden/v1"};

/* The rows of a file as JSON lines; free `*out` with stoa_free(). */
static void print_rows(struct stoa_source *source, char **out, size_t *nbytes)
{
    struct stoa_reader *reader;
    const struct stoa_schema *schema;
    struct stoa_error err;

    *out = NULL;
    *nbytes = 0;
    if (stoa_reader_open(source, NULL, &reader, &err) != STOA_OK ||
        stoa_reader_schema(reader, &schema, &err) != STOA_OK)
        fail_msg("%s: %s", source->name, err.message);
    for (uint32_t g = 0; g < stoa_reader_nrow_groups(reader); g++) {
        struct stoa_row_group group;
        struct stoa_batch batch;

        assert_int_equal(stoa_reader_row_group(reader, g, &group, &err), STOA_OK);
        assert_int_equal(stoa_batch_init(&batch, schema, &err), STOA_OK);
        batch.nrows = group.nrows;
        for (uint32_t i = 0; i < schema->nfields; i++)
            if (stoa_reader_column(reader, g, i, (struct stoa_rows){0, group.nrows},
                                   &batch.columns[i], NULL, &err) != STOA_OK)
                fail_msg("%s: %s", source->name, err.message);
        assert_int_equal(stoa_jsonl_format(&batch, out, nbytes, &err), STOA_OK);
        stoa_batch_reset(&batch);
    }
    stoa_reader_close(reader);
}

/* The source text of a file as JSON lines; *out is NULL when it has none. */
static void print_source_text(struct stoa_source *source, char **out, size_t *nbytes)
{
    struct stoa_source_info *infos;
    struct stoa_reader *reader;
    struct stoa_error err;
    size_t n;

    *out = NULL;
    *nbytes = 0;
    if (stoa_reader_open(source, NULL, &reader, &err) != STOA_OK)
        fail_msg("%s: %s", source->name, err.message);
    for (uint32_t g = 0; g < stoa_reader_nrow_groups(reader); g++) {
        struct stoa_side side;

        if (stoa_reader_side(reader, g, &side, &err) != STOA_OK)
            fail_msg("%s: %s", source->name, err.message);
        stoa_test_side_print(g, &side, out, nbytes);
        stoa_side_reset(&side);
    }
    n = (size_t)stoa_reader_nsources(reader);
    if (stoa_reader_sources(reader, 0, n, &infos, &err) != STOA_OK)
        fail_msg("%s: %s", source->name, err.message);
    for (size_t i = 0; i < n; i++)
        stoa_test_source_print(&infos[i], out, nbytes);
    stoa_source_infos_free(infos, n);
    stoa_reader_close(reader);
}

/* Compares `text` with the decompressed text of the file at `path`. */
static void compare_text(const char *path, const char *text, size_t nbytes)
{
    struct stoa_stream *stream;
    struct stoa_error err;
    size_t at = 0, got;

    if (stoa_stream_open(path, &stream, &err) != STOA_OK)
        fail_msg("%s: %s", path, err.message);
    do {
        char part[8192];

        if (stream->read(stream, part, sizeof(part), &got, &err) != STOA_OK)
            fail_msg("%s: %s", path, err.message);
        if (got > nbytes - at || memcmp(part, text + at, got) != 0)
            fail_msg("%s: the rows differ near byte %zu", path, at);
        at += got;
    } while (got > 0);
    assert_int_equal(at, nbytes);
    stoa_stream_close(stream);
}

static void print_finding(void *context, const struct stoa_error *finding)
{
    print_error("%s: %s\n", (const char *)context, finding->message);
}

static void golden_files_give_their_rows(void **state)
{
    (void)state;
    for (size_t f = 0; f < sizeof(folders) / sizeof(folders[0]); f++) {
        for (size_t i = 0; i < STOA_TEST_NGOLDEN; i++) {
            struct stoa_verify_options options = {.deep = true, .report = print_finding};
            struct stoa_verify_result result;
            struct stoa_source *source;
            struct stoa_error err;
            char path[256], *text;
            size_t nbytes;

            (void)snprintf(path, sizeof(path), "%s/%s.stoa", folders[f], stoa_test_golden_name(i));
            if (stoa_source_open_file(path, &source, &err) != STOA_OK)
                fail_msg("%s", err.message);
            options.context = path;
            assert_int_equal(stoa_verify(source, &options, &result, &err), STOA_OK);
            assert_int_equal(result.nfindings, 0);
            print_rows(source, &text, &nbytes);
            (void)snprintf(path, sizeof(path), "%s/%s.jsonl.xz", folders[f],
                           stoa_test_golden_name(i));
            compare_text(path, text, nbytes);
            stoa_free(text);
            print_source_text(source, &text, &nbytes);
            stoa_source_close(source);
            (void)snprintf(path, sizeof(path), "%s/%s.text.jsonl.xz", folders[f],
                           stoa_test_golden_name(i));
            if (text != NULL)
                compare_text(path, text, nbytes);
            else
                assert_int_not_equal(access(path, F_OK), 0);
            stoa_free(text);
        }
    }
}

/* ---- Making them. ---- */

static void write_file(const char *folder, const char *name, const char *suffix, const void *bytes,
                       size_t nbytes)
{
    char path[1024];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/%s.%s", folder, name, suffix);
    file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes, 1, nbytes, file) != nbytes || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

static void make(const char *folder)
{
    for (size_t i = 0; i < STOA_TEST_NGOLDEN; i++) {
        struct stoa_test_table table;
        struct stoa_error err;
        char *text = NULL;
        size_t nbytes = 0;

        stoa_test_golden_make(i, &table);
        for (size_t g = 0; g < table.nbatches; g++)
            if (stoa_jsonl_format(&table.batches[g], &text, &nbytes, &err) != STOA_OK)
                abort();
        write_file(folder, stoa_test_golden_name(i), "stoa", table.file.bytes, table.file.nbytes);
        write_file(folder, stoa_test_golden_name(i), "jsonl", text, nbytes);
        stoa_free(text);
        text = NULL;
        nbytes = 0;
        for (uint32_t g = 0; table.sides != NULL && g < table.nbatches; g++)
            stoa_test_side_print(g, &table.sides[g], &text, &nbytes);
        for (size_t k = 0; k < table.nsources; k++)
            stoa_test_source_print(&table.sources[k], &text, &nbytes);
        if (text != NULL)
            write_file(folder, stoa_test_golden_name(i), "text.jsonl", text, nbytes);
        stoa_free(text);
        stoa_test_table_reset(&table);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_files_give_their_rows),
    };
    const char *folder = getenv("STOA_MAKE_GOLDEN");

    if (folder != NULL) {
        make(folder);
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
