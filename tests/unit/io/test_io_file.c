/* Files and memory as sources and sinks: bytes, names that can't be read, what a commit does. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include <stoa/io.h>

#include "base/alloc.h"
#include "base/error.h"
#include "support/fault_alloc.h"
#include "support/folder.h"
#include "support/random.h"

/* ---- Sources. ---- */

static void source_reads_any_range(void **state)
{
    (void)state;
    static uint8_t expected[100000], got[100000];
    struct stoa_test_random random;
    struct stoa_error err = {0};
    struct stoa_source *sources[2];

    stoa_test_random_init(&random, "source_reads_any_range");
    stoa_test_random_bytes(&random, expected, sizeof(expected));
    stoa_test_folder_put("data", expected, sizeof(expected));
    assert_int_equal(stoa_source_open_file("data", &sources[0], &err), STOA_OK);
    assert_int_equal(
        stoa_source_open_memory(expected, sizeof(expected), "da\nta", &sources[1], &err), STOA_OK);
    assert_string_equal(sources[1]->name, "da\\x0ata");
    for (size_t i = 0; i < 2; i++) {
        struct stoa_source *source = sources[i];

        assert_int_equal(source->nbytes, sizeof(expected));
        for (size_t n = stoa_test_ncases(500); n > 0; n--) {
            size_t offset = (size_t)stoa_test_random_below(&random, sizeof(expected) + 1);
            size_t nbytes = (size_t)stoa_test_random_below(&random, sizeof(expected) - offset + 1);

            assert_int_equal(source->read_at(source, offset, got, nbytes, &err), STOA_OK);
            assert_memory_equal(got, expected + offset, nbytes);
        }
        assert_int_equal(source->read_at(source, sizeof(expected), got, 1, &err), STOA_ERR_IO);
        assert_int_equal(err.offset, sizeof(expected));
        assert_int_equal(source->read_at(source, UINT64_MAX, got, 2, &err), STOA_ERR_IO);
        assert_int_equal(source->read_at(source, 1, got, SIZE_MAX, &err), STOA_ERR_IO);
        stoa_source_close(source);
    }
    stoa_source_close(NULL);
}

static void file_that_is_cut_while_it_is_read_is_an_error(void **state)
{
    (void)state;
    struct stoa_error err = {0};
    struct stoa_source *source;
    char got[10];

    stoa_test_folder_put("data", "0123456789", 10);
    assert_int_equal(stoa_source_open_file("data", &source, &err), STOA_OK);
    assert_int_equal(truncate("data", 4), 0);
    assert_int_equal(source->read_at(source, 0, got, 4, &err), STOA_OK);
    assert_int_equal(source->read_at(source, 0, got, 10, &err), STOA_ERR_IO);
    assert_string_equal(err.message, "data: became shorter while it was read");
    assert_int_equal(err.offset, 4);
    stoa_source_close(source);
}

static void make_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    strcpy(address.sun_path, path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    close(fd);
}

static void what_is_no_file_is_refused_in_its_own_words(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        enum stoa_status status;
        int os_errno;
        const char *message;
    } cases[] = {
        {"folder", STOA_ERR_USAGE, 0, "folder: is a folder, not a file"},
        {"fifo", STOA_ERR_USAGE, 0, "fifo: is a FIFO, not a file"},
        {"socket", STOA_ERR_USAGE, 0, "socket: is a socket, not a file"},
        {"/dev/null", STOA_ERR_USAGE, 0, "/dev/null: is a device, not a file"},
        {"gone", STOA_ERR_IO, ENOENT, "gone: can't be opened: No such file or directory"},
        {"loop", STOA_ERR_IO, ELOOP, "loop: can't be opened: Too many levels of symbolic links"},
        {"go\tne", STOA_ERR_IO, ENOENT, "go\\x09ne: can't be opened: No such file or directory"},
    };

    mkdir("folder", 0700);
    mkfifo("fifo", 0600);
    make_socket("socket");
    assert_int_equal(symlink("loop", "loop"), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_error err = {0};
        struct stoa_source *source;

        assert_int_equal(stoa_source_open_file(cases[i].path, &source, &err), cases[i].status);
        assert_string_equal(err.message, cases[i].message);
        assert_int_equal(err.os_errno, cases[i].os_errno);
    }
}

static void unreadable_file_is_an_error(void **state)
{
    (void)state;
    struct stoa_error err = {0};
    struct stoa_source *source;
    enum stoa_status st;

    stoa_test_folder_put("data", "x", 1);
    chmod("data", 0);
    chmod(".", 0755);
    if (geteuid() == 0) /* for root nothing is unreadable */
        assert_int_equal(seteuid(65534), 0);
    st = stoa_source_open_file("data", &source, &err);
    assert_int_equal(seteuid(getuid()), 0);
    assert_int_equal(st, STOA_ERR_IO);
    assert_string_equal(err.message, "data: can't be opened: Permission denied");
}

/* ---- Sinks. ---- */

/* Writes `text` in pieces of npiece bytes and commits. */
static enum stoa_status put(const char *path, bool replace, const char *text, size_t npiece,
                            struct stoa_error *err)
{
    struct stoa_sink *sink = NULL;
    size_t nbytes = strlen(text);
    enum stoa_status st;

    STOA_TRY(stoa_sink_create_file(path, replace, &sink, err));
    for (size_t i = 0; i < nbytes; i += npiece)
        STOA_TRY(sink->write(sink, text + i, npiece < nbytes - i ? npiece : nbytes - i, err));
    STOA_TRY(sink->commit(sink, err));
out:
    stoa_sink_close(sink);
    return st;
}

static void new_file_appears_at_commit(void **state)
{
    (void)state;
    struct stoa_error err = {0};
    struct stoa_sink *sink;

    assert_int_equal(stoa_sink_create_file("new", false, &sink, &err), STOA_OK);
    assert_int_equal(sink->write(sink, "abc", 3, &err), STOA_OK);
    assert_string_equal(sink->name, "new");
    stoa_test_folder_expect("", NULL);
    assert_int_equal(sink->commit(sink, &err), STOA_OK);
    stoa_test_folder_expect("new", "abc");
    stoa_sink_close(sink);
    stoa_test_folder_expect("new", "abc");
    stoa_sink_close(NULL);
}

static void closing_without_commit_leaves_no_trace(void **state)
{
    (void)state;
    struct stoa_error err = {0};
    struct stoa_sink *sink;

    assert_int_equal(stoa_sink_create_file("new", false, &sink, &err), STOA_OK);
    assert_int_equal(sink->write(sink, "abc", 3, &err), STOA_OK);
    stoa_sink_close(sink);
    stoa_test_folder_expect("", NULL);
}

static void what_is_written_can_be_read_before_the_commit(void **state)
{
    (void)state;
    struct stoa_error err = {0};
    struct stoa_source *source;
    struct stoa_sink *sink;
    char got[6];

    assert_int_equal(stoa_sink_create_file("fi\nle", false, &sink, &err), STOA_OK);
    assert_int_equal(sink->write(sink, "stoa", 5, &err), STOA_OK);
    assert_int_equal(sink->reopen(sink, &source, &err), STOA_OK);
    assert_int_equal(source->nbytes, 5);
    assert_int_equal(source->read_at(source, 0, got, 5, &err), STOA_OK);
    assert_memory_equal(got, "stoa", 5);
    assert_int_equal(source->read_at(source, 0, got, 6, &err), STOA_ERR_IO);
    assert_string_equal(err.message, "fi\\x0ale: 6 bytes wanted past its end");
    assert_int_equal(sink->commit(sink, &err), STOA_OK);
    stoa_sink_close(sink);
    assert_int_equal(source->read_at(source, 1, got, 4, &err), STOA_OK);
    assert_memory_equal(got, "toa", 4);
    stoa_source_close(source);
    assert_int_equal(unlink("fi\nle"), 0);
    assert_int_equal(stoa_sink_create_file("/dev/null", false, &sink, &err), STOA_OK);
    assert_null(sink->reopen);
    stoa_sink_close(sink);
}

static void existing_file_is_replaced_only_when_asked(void **state)
{
    (void)state;
    struct stoa_error err = {0};
    struct stoa_sink *sink;
    struct stat status;

    stoa_test_folder_put("file", "old", 3);
    chmod("file", 0640);
    assert_int_equal(stoa_sink_create_file("file", false, &sink, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message, "file: exists and must not be replaced");
    assert_int_equal(err.os_errno, EEXIST);
    assert_int_equal(put("file", true, "new", 1, &err), STOA_OK);
    stoa_test_folder_expect("file", "new");
    stat("file", &status);
    assert_int_equal(status.st_mode & 0777, 0640);
}

static void file_that_came_to_be_meanwhile_is_not_replaced(void **state)
{
    (void)state;
    struct stoa_error err = {0};
    struct stoa_sink *sink;

    assert_int_equal(stoa_sink_create_file("file", false, &sink, &err), STOA_OK);
    stoa_test_folder_put("file", "other", 5);
    assert_int_equal(sink->commit(sink, &err), STOA_ERR_USAGE);
    assert_string_equal(err.message, "file: exists and must not be replaced");
    stoa_sink_close(sink);
    stoa_test_folder_expect("file", "other");
    assert_int_equal(stoa_sink_create_file("file", true, &sink, &err), STOA_OK);
    unlink("file"); /* gone by the time of commit */
    assert_int_equal(sink->commit(sink, &err), STOA_OK);
    stoa_sink_close(sink);
    stoa_test_folder_expect("file", "");
}

static void symbolic_link_stays_and_its_target_is_written(void **state)
{
    (void)state;
    struct stoa_error err = {0};
    struct stoa_sink *sink;
    char to[16] = "";

    mkdir("folder", 0700);
    stoa_test_folder_put("folder/file", "old", 3);
    assert_int_equal(symlink("folder/file", "link"), 0);
    assert_int_equal(stoa_sink_create_file("link", false, &sink, &err), STOA_ERR_USAGE);
    assert_int_equal(put("link", true, "new", 3, &err), STOA_OK);
    assert_int_equal(readlink("link", to, sizeof(to)), 11);
    assert_string_equal(to, "folder/file");
    assert_int_equal(chdir("folder"), 0);
    stoa_test_folder_expect("file", "new");
    assert_int_equal(chdir(".."), 0);
    assert_int_equal(symlink("nowhere", "dangling"), 0);
    assert_int_equal(stoa_sink_create_file("dangling", true, &sink, &err), STOA_ERR_IO);
    assert_string_equal(err.message, "dangling: is a symbolic link that can't be followed: "
                                     "No such file or directory");
}

static void bad_targets_are_refused_before_anything_is_written(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        enum stoa_status status;
        const char *message;
    } cases[] = {
        {"folder", STOA_ERR_USAGE, "folder: is a folder, not a file"},
        {"socket", STOA_ERR_USAGE, "socket: is a socket, not a file"},
        {"no/file", STOA_ERR_IO,
         "no/file: can't be created, there is no such folder: No such file or directory"},
        {"file/file", STOA_ERR_IO, "file/file: can't be created: Not a directory"},
        {"new/", STOA_ERR_USAGE, "\"new/\" is not the name of a file"},
        {"", STOA_ERR_USAGE, "\"\" is not the name of a file"},
    };

    mkdir("folder", 0700);
    make_socket("socket");
    stoa_test_folder_put("file", "", 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_error err = {0};
        struct stoa_sink *sink;

        assert_int_equal(stoa_sink_create_file(cases[i].path, true, &sink, &err), cases[i].status);
        assert_string_equal(err.message, cases[i].message);
    }
}

static void special_files_take_bytes_as_they_come(void **state)
{
    (void)state;
    struct stoa_error err = {0};
    char got[4] = "";
    int fd;

    assert_int_equal(put("/dev/null", false, "abc", 1, &err), STOA_OK);
    assert_int_equal(put("/dev/full", false, "abc", 1, &err), STOA_ERR_IO);
    assert_string_equal(err.message, "/dev/full: can't be written: No space left on device");
    assert_int_equal(err.os_errno, ENOSPC);
    assert_int_equal(mkfifo("fifo", 0600), 0);
    fd = open("fifo", O_RDONLY | O_NONBLOCK);
    assert_int_equal(put("fifo", false, "abc", 1, &err), STOA_OK);
    assert_int_equal(read(fd, got, sizeof(got)), 3);
    assert_string_equal(got, "abc");
    close(fd);
}

/* /dev/stdout and the >(...) of a shell: links to pipes that have no path. */
static void link_to_a_pipe_without_a_name_is_written(void **state)
{
    (void)state;
    struct stoa_error err = {0};
    char path[32], got[4] = "";
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    snprintf(path, sizeof(path), "/dev/fd/%d", ends[1]);
    assert_int_equal(put(path, false, "abc", 1, &err), STOA_OK);
    assert_int_equal(read(ends[0], got, sizeof(got)), 3);
    assert_string_equal(got, "abc");
    close(ends[0]);
    close(ends[1]);
}

static void standard_output_stays_open(void **state)
{
    (void)state;
    struct stoa_error err = {0};
    char got[8] = "";
    int saved, fds[2];

    fflush(stdout);
    saved = dup(STDOUT_FILENO);
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(dup2(fds[1], STDOUT_FILENO), STDOUT_FILENO);
    for (int i = 0; i < 2; i++)
        assert_int_equal(put("-", false, "abc", 1, &err), STOA_OK);
    dup2(saved, STDOUT_FILENO);
    assert_int_equal(read(fds[0], got, sizeof(got)), 6);
    assert_string_equal(got, "abcabc");
    close(saved);
    close(fds[0]);
    close(fds[1]);
}

static void pieces_of_any_size_arrive_in_order(void **state)
{
    (void)state;
    static uint8_t expected[3000000];
    struct stoa_test_random random;
    struct stoa_error err = {0};
    struct stoa_sink *sinks[2];
    const uint8_t *memory;
    size_t nbytes, begin = 0;
    char *got;

    stoa_test_random_init(&random, "pieces_of_any_size_arrive_in_order");
    stoa_test_random_bytes(&random, expected, sizeof(expected));
    assert_int_equal(stoa_sink_create_file("file", false, &sinks[0], &err), STOA_OK);
    assert_int_equal(stoa_sink_create_memory(&sinks[1], &err), STOA_OK);
    while (begin < sizeof(expected)) {
        size_t n = (size_t)(stoa_test_random_wide(&random) % 600000);

        n = n < sizeof(expected) - begin ? n : sizeof(expected) - begin;
        for (size_t i = 0; i < 2; i++)
            assert_int_equal(sinks[i]->write(sinks[i], expected + begin, n, &err), STOA_OK);
        begin += n;
    }
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(sinks[i]->commit(sinks[i], &err), STOA_OK);
    memory = stoa_sink_memory(sinks[1], &nbytes);
    assert_int_equal(nbytes, sizeof(expected));
    assert_memory_equal(memory, expected, nbytes);
    for (size_t i = 0; i < 2; i++)
        stoa_sink_close(sinks[i]);
    got = stoa_test_folder_get("file", &nbytes);
    assert_int_equal(nbytes, sizeof(expected));
    assert_memory_equal(got, expected, nbytes);
    free(got);
}

static void leftover_without_a_lock_is_swept(void **state)
{
    (void)state;
    static const char *const others[] = {
        ".file.stoa-tmp-",     ".file.stoa-tmp-notes", ".file.stoa-tmp-1",    ".file.stoa-tmp-1-",
        ".file.stoa-tmp-1-0~", ".file.stoa-tmp--0",    ".file.stoa-tmp-1x-0",
    };
    struct stoa_error err = {0};
    int fd;

    stoa_test_folder_put(".file.stoa-tmp-1-0", "dead", 4);
    stoa_test_folder_put(".file.stoa-tmp-2-0", "alive", 5);
    stoa_test_folder_put(".other.stoa-tmp-1-0", "not ours", 8);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        stoa_test_folder_put(others[i], "a user's", 8);
    fd = open(".file.stoa-tmp-2-0", O_RDONLY);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(put("file", false, "abc", 3, &err), STOA_OK);
    assert_int_equal(access(".file.stoa-tmp-1-0", F_OK), -1);
    assert_int_equal(access(".file.stoa-tmp-2-0", F_OK), 0);
    assert_int_equal(access(".other.stoa-tmp-1-0", F_OK), 0);
    close(fd);
    assert_int_equal(put("file", true, "def", 3, &err), STOA_OK);
    unlink(".other.stoa-tmp-1-0");
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_int_equal(unlink(others[i]), 0);
    stoa_test_folder_expect("file", "def");
}

static void names_of_any_length_can_be_replaced(void **state)
{
    (void)state;
    struct stoa_error err = {0};
    char path[256];

    memset(path, 'n', 255);
    path[255] = '\0';
    assert_int_equal(put(path, false, "old", 3, &err), STOA_OK);
    assert_int_equal(put(path, true, "new", 3, &err), STOA_OK);
    stoa_test_folder_expect(path, "new");
}

/* ---- Memory. ---- */

static enum stoa_status replaces_and_reads_back(void *context, struct stoa_error *err)
{
    struct stoa_source *source = NULL, *memory = NULL, *again = NULL;
    struct stoa_sink *sink = NULL, *file = NULL;
    char got[3];
    enum stoa_status st;

    (void)context;
    stoa_test_folder_put("file", "old", 3);
    STOA_TRY(put("file", true, "new", 1, err));
    stoa_test_folder_expect("file", "new");
    STOA_TRY(stoa_source_open_file("file", &source, err));
    STOA_TRY(source->read_at(source, 0, got, 3, err));
    STOA_TRY(stoa_source_open_memory(got, 3, "got", &memory, err));
    STOA_TRY(stoa_sink_create_memory(&sink, err));
    STOA_TRY(sink->write(sink, got, 3, err));
    STOA_TRY(stoa_sink_create_file("other", true, &file, err));
    STOA_TRY(file->reopen(file, &again, err));
out:
    if (st != STOA_OK) /* never half of one, and no litter */
        stoa_test_folder_expect("file", access("file", F_OK) == 0 ? NULL : "");
    stoa_sink_close(sink);
    stoa_sink_close(file);
    stoa_source_close(source);
    stoa_source_close(memory);
    stoa_source_close(again);
    return st;
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    stoa_test_each_failing_alloc(replaces_and_reads_back, NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, stoa_test_folder_enter, stoa_test_folder_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(source_reads_any_range),
        TEST(file_that_is_cut_while_it_is_read_is_an_error),
        TEST(what_is_no_file_is_refused_in_its_own_words),
        TEST(unreadable_file_is_an_error),
        TEST(new_file_appears_at_commit),
        TEST(closing_without_commit_leaves_no_trace),
        TEST(what_is_written_can_be_read_before_the_commit),
        TEST(existing_file_is_replaced_only_when_asked),
        TEST(file_that_came_to_be_meanwhile_is_not_replaced),
        TEST(symbolic_link_stays_and_its_target_is_written),
        TEST(bad_targets_are_refused_before_anything_is_written),
        TEST(special_files_take_bytes_as_they_come),
        TEST(link_to_a_pipe_without_a_name_is_written),
        TEST(standard_output_stays_open),
        TEST(pieces_of_any_size_arrive_in_order),
        TEST(leftover_without_a_lock_is_swept),
        TEST(names_of_any_length_can_be_replaced),
        TEST(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
