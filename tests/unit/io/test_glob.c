/* Which inputs the arguments of a command name, and in which order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <stoa/io.h>

#include "base/alloc.h"
#include "base/error.h"
#include "support/fault_alloc.h"
#include "support/folder.h"

#define NARGUMENTS 3

static const struct {
    const char *arguments[NARGUMENTS];
    const char *paths; /* with a blank behind each; or the message */
    enum stoa_status status;
} cases[] = {
    {{"b.csv"}, "b.csv ", STOA_OK},
    {{"b.csv", "a.csv", "b.csv"}, "b.csv a.csv b.csv ", STOA_OK},
    {{"*.csv"}, "B.csv a.csv a10.csv a9.csv b.csv ", STOA_OK},
    {{"a?.csv", "-", "b*"}, "a9.csv - b.csv ", STOA_OK},
    {{"*"}, "B.csv [x].txt a.csv a10.csv a9.csv b.csv ", STOA_OK}, /* without folders */
    {{"folder"}, "folder/1 folder/2 ", STOA_OK},
    {{"folder/"}, "folder/1 folder/2 ", STOA_OK},
    {{"fold*/[12]"}, "folder/1 folder/2 ", STOA_OK},
    {{"[x].txt"}, "[x].txt ", STOA_OK}, /* what exists is no pattern */
    {{"/dev/null"}, "/dev/null ", STOA_OK},
    {{"a.csv", "c.csv"}, "c.csv: can't be opened: No such file or directory", STOA_ERR_IO},
    {{"a.csv/x"}, "a.csv/x: can't be opened: No such file or directory", STOA_ERR_IO},
    {{""}, ": can't be opened: No such file or directory", STOA_ERR_IO},
    {{"*.tsv"}, "*.tsv: no file matches this pattern", STOA_ERR_USAGE},
    {{"f\nlder/*"}, "f\\x0alder/*: no file matches this pattern", STOA_ERR_USAGE},
    {{"empty"}, "empty: no file is in this folder", STOA_ERR_USAGE},
    {{".loop"}, ".loop: can't be opened: Too many levels of symbolic links", STOA_ERR_IO},
};

static void make_files(void)
{
    static const char *const names[] = {"b.csv",   "a10.csv",  "a9.csv",   "B.csv",         "a.csv",
                                        "[x].txt", "folder/2", "folder/1", "folder/.hidden"};

    mkdir("folder", 0700);
    mkdir("folder/inner", 0700);
    mkdir("empty", 0700);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        stoa_test_folder_put(names[i], "", 0);
}

static size_t count(const char *const *arguments)
{
    size_t n = 0;

    while (n < NARGUMENTS && arguments[n] != NULL)
        n++;
    return n;
}

static void arguments_name_inputs_in_order(void **state)
{
    (void)state;
    make_files();
    assert_int_equal(symlink(".loop", ".loop"), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_error err = {0};
        char got[256] = "";
        char **paths = NULL;
        size_t npaths = 0, used = 0;

        assert_int_equal(
            stoa_paths_expand(cases[i].arguments, count(cases[i].arguments), &paths, &npaths, &err),
            cases[i].status);
        for (size_t k = 0; k < npaths; k++)
            used += (size_t)snprintf(got + used, sizeof(got) - used, "%s ", paths[k]);
        assert_string_equal(cases[i].status == STOA_OK ? got : err.message, cases[i].paths);
        stoa_paths_free(paths, npaths);
    }
}

static void no_arguments_name_nothing(void **state)
{
    (void)state;
    struct stoa_error err = {0};
    char **paths;
    size_t npaths = 1;

    assert_int_equal(stoa_paths_expand(NULL, 0, &paths, &npaths, &err), STOA_OK);
    assert_int_equal(npaths, 0);
    stoa_paths_free(paths, npaths);
}

static enum stoa_status expands_all(void *context, struct stoa_error *err)
{
    static const char *const arguments[] = {"folder", "*.csv", "-"};
    char **paths;
    size_t npaths;
    enum stoa_status st;

    (void)context;
    STOA_TRY(stoa_paths_expand(arguments, 3, &paths, &npaths, err));
    assert_int_equal(npaths, 8);
    stoa_paths_free(paths, npaths);
out:
    return st;
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    make_files();
    stoa_test_each_failing_alloc(expands_all, NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, stoa_test_folder_enter, stoa_test_folder_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(arguments_name_inputs_in_order),
        TEST(no_arguments_name_nothing),
        TEST(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
