/*
 * Archives read member by member: what is in them, in order, or an error. Every cut and every
 * flipped bit is tried, and archives that lie.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stoa/io.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/error.h"
#include "support/archives.h"
#include "support/compress.h"
#include "support/fault_alloc.h"
#include "support/folder.h"

/* "NAME=TEXT;" of each member, "..." in place of the end when it fails. */
static enum stoa_status list(struct stoa_members *members, struct stoa_buffer *out,
                             struct stoa_error *err)
{
    struct stoa_stream *stream = NULL;
    enum stoa_status st = STOA_OK;

    for (;;) {
        size_t got = 1;

        STOA_TRY(stoa_members_next(members, &stream, err));
        if (stream == NULL)
            break;
        STOA_TRY(stoa_buffer_append(out, stream->name, strlen(stream->name), err));
        STOA_TRY(stoa_buffer_append(out, "=", 1, err));
        while (got > 0) {
            char piece[100];

            STOA_TRY(stream->read(stream, piece, sizeof(piece), &got, err));
            STOA_TRY(stoa_buffer_append(out, piece, got, err));
        }
        STOA_TRY(stoa_buffer_append(out, ";", 1, err));
        stoa_stream_close(stream);
        stream = NULL;
    }
out:
    stoa_stream_close(stream);
    return st;
}

static enum stoa_status read_archive(const struct stoa_buffer *archive, size_t nbytes,
                                     struct stoa_buffer *out, struct stoa_error *err)
{
    struct stoa_members *members = NULL;
    enum stoa_status st;

    out->nbytes = 0;
    STOA_TRY(stoa_members_open_memory(archive->data, nbytes, "a", &members, err));
    STOA_TRY(list(members, out, err));
    STOA_TRY(stoa_buffer_append(out, "", 1, err));
out:
    stoa_members_close(members);
    return st;
}

static void expect_list(const struct stoa_buffer *archive, const char *expected)
{
    struct stoa_buffer out = {0};
    struct stoa_error err = {0};

    if (read_archive(archive, archive->nbytes, &out, &err) != STOA_OK)
        fail_msg("%s", err.message);
    assert_string_equal((const char *)out.data, expected);
    stoa_buffer_free(&out);
}

static void expect_error(const struct stoa_buffer *archive, enum stoa_status status,
                         const char *message)
{
    struct stoa_buffer out = {0};
    struct stoa_error err = {0};
    enum stoa_status st = read_archive(archive, archive->nbytes, &out, &err);

    assert_string_equal(err.message, message);
    assert_int_equal(st, status);
    stoa_buffer_free(&out);
}

static void pack(const struct stoa_test_compression *c, const struct stoa_buffer *plain,
                 struct stoa_buffer *out)
{
    const size_t room = stoa_test_compress_bound(plain->nbytes);

    assert_int_equal(stoa_buffer_resize(out, room, NULL), STOA_OK);
    out->nbytes = c->compress(plain->data, plain->nbytes, out->data, room);
}

#define TEXT "id,name\n1,one\n2,two\n3,three\n4,four\n5,five\n"

/* Two files, one of them compressed, among what is passed over. */
static void make_tar(struct stoa_buffer *tar)
{
    struct stoa_buffer plain = {.data = (uint8_t *)(uintptr_t)TEXT, .nbytes = strlen(TEXT)};
    struct stoa_buffer packed = {0};

    pack(&stoa_test_compressions[0], &plain, &packed);
    tar->nbytes = 0;
    stoa_test_tar_add(tar, "d/", '5', "", 0);
    stoa_test_tar_add(tar, "d/a.csv", '0', "x\n1\n", 4);
    stoa_test_tar_add(tar, "d/link.csv", '2', "", 0);
    stoa_test_tar_add(tar, "d/empty.csv", '0', "", 0);
    stoa_test_tar_add(tar, "d/._a.csv", '0', "junk", 4);
    stoa_test_tar_add(tar, "./d/b.csv.gz", '0', packed.data, packed.nbytes);
    stoa_test_tar_end(tar);
    stoa_buffer_free(&packed);
}
#define TAR_LIST "a:d/a.csv=x\n1\n;a:./d/b.csv.gz=" TEXT ";"

static const struct stoa_test_zip_member zip_members[] = {
    {.name = "d/"},
    {.name = "d/a.csv", .bytes = "x\n1\n", .nbytes = 4},
    {.name = "d/empty.csv"},
    {.name = "__MACOSX/d/._a.csv", .bytes = "junk", .nbytes = 4},
    {.name = "b.csv", .bytes = TEXT, .nbytes = sizeof(TEXT) - 1, .deflate = true},
    {.name = "c.csv",
     .bytes = TEXT,
     .nbytes = sizeof(TEXT) - 1,
     .deflate = true,
     .descriptor = true},
    {.name = "link.csv", .bytes = "c.csv", .nbytes = 5, .mode = 0120777},
};
#define ZIP_LIST "a:d/a.csv=x\n1\n;a:b.csv=" TEXT ";a:c.csv=" TEXT ";"

static void make_zip(struct stoa_buffer *zip, bool zip64)
{
    struct stoa_test_zip_member members[7];

    memcpy(members, zip_members, sizeof(members));
    for (size_t i = 0; i < 7; i++)
        members[i].zip64 = zip64 && i != 1;
    stoa_test_zip_make(zip, members, 7);
}

static void files_come_in_order_and_the_rest_is_passed_over(void **state)
{
    (void)state;
    struct stoa_buffer archive = {0}, packed = {0};

    make_tar(&archive);
    expect_list(&archive, TAR_LIST);
    for (const struct stoa_test_compression *c = stoa_test_compressions; c->name != NULL; c++) {
        pack(c, &archive, &packed);
        expect_list(&packed, TAR_LIST);
    }
    make_zip(&archive, false);
    expect_list(&archive, ZIP_LIST);
    make_zip(&archive, true);
    expect_list(&archive, ZIP_LIST);
    stoa_buffer_free(&archive);
    stoa_buffer_free(&packed);
}

static void anything_else_is_one_text(void **state)
{
    (void)state;
    struct stoa_buffer text = {.data = (uint8_t *)(uintptr_t)TEXT, .nbytes = strlen(TEXT)};
    struct stoa_buffer packed = {0};
    struct stoa_members *members;
    struct stoa_error err = {0};
    struct stoa_buffer out = {0};

    expect_list(&text, "a=" TEXT ";");
    for (const struct stoa_test_compression *c = stoa_test_compressions; c->name != NULL; c++) {
        pack(c, &text, &packed);
        expect_list(&packed, "a=" TEXT ";");
    }
    text.nbytes = 0;
    expect_list(&text, "a=;");
    stoa_test_folder_put("plain.csv", TEXT, strlen(TEXT));
    assert_int_equal(stoa_members_open("plain.csv", &members, &err), STOA_OK);
    assert_false(stoa_members_is_archive(members));
    assert_int_equal(list(members, &out, &err), STOA_OK);
    stoa_members_close(members);
    assert_int_equal(stoa_members_open("gone.csv", &members, &err), STOA_ERR_IO);
    assert_string_equal(err.message, "gone.csv: can't be opened: No such file or directory");
    stoa_buffer_free(&out);
    stoa_buffer_free(&packed);
}

static void long_names_are_those_of_pax_and_gnu(void **state)
{
    (void)state;
    char name[301], expected[400], record[400];
    struct stoa_buffer tar = {0};

    memset(name, 'n', 300);
    name[300] = '\0';
    stoa_test_tar_add(&tar, "././@LongLink", 'L', name, 301);
    stoa_test_tar_add(&tar, "short", '0', "1", 1);
    stoa_test_tar_end(&tar);
    snprintf(expected, sizeof(expected), "a:%s=1;", name);
    expect_list(&tar, expected);

    tar.nbytes = 0;
    snprintf(record, sizeof(record), "310 path=%s\n6 a=b\n9 size=2\n", name);
    stoa_test_tar_add(&tar, "g", 'g', "13 comment=x\n", 13);
    stoa_test_tar_add(&tar, "x", 'x', record, strlen(record));
    stoa_test_tar_add(&tar, "short", '\0', "12", 2);
    stoa_test_tar_end(&tar);
    snprintf(expected, sizeof(expected), "a:%s=12;", name);
    expect_list(&tar, expected);

    tar.nbytes = 0; /* the prefix of ustar, a size in binary, a name without its NUL */
    stoa_test_tar_add(&tar, "b.csv", '0', "abc", 3);
    memcpy(tar.data + 345, "folder", 6);
    memcpy(tar.data + 124, "\x80\0\0\0\0\0\0\0\0\0\0\3", 12);
    stoa_test_tar_sum(&tar, 0);
    stoa_test_tar_add(&tar, "c.csv", '0', "d", 1);
    memset(tar.data + 1024, 'c', 100);
    stoa_test_tar_sum(&tar, 1024);
    stoa_test_tar_end(&tar);
    memset(name, 'c', 100);
    name[100] = '\0';
    snprintf(expected, sizeof(expected), "a:folder/b.csv=abc;a:%s=d;", name);
    expect_list(&tar, expected);
    stoa_buffer_free(&tar);
}

/* Never a member less, nor a part of one as if it were whole. */
static void every_cut_is_an_error(void **state)
{
    (void)state;
    struct stoa_buffer archives[4] = {{0}}, out = {0};

    make_tar(&archives[0]);
    pack(&stoa_test_compressions[0], &archives[0], &archives[1]);
    make_zip(&archives[2], false);
    make_zip(&archives[3], true);
    for (size_t i = 0; i < 4; i++) {
        for (size_t cut = i == 0 ? 512 : 4; cut < archives[i].nbytes; cut++) {
            const char *expected = i < 2 ? TAR_LIST : ZIP_LIST;
            struct stoa_error err = {0};
            enum stoa_status st = read_archive(&archives[i], cut, &out, &err);

            /* A beginning of less than 512 bytes is not known as tar yet. */
            if (out.nbytes >= 2 && memcmp(out.data, "a=", 2) == 0)
                expected = "a=d/";
            if (st == STOA_OK ||
                (out.nbytes > 0 &&
                 strncmp((const char *)out.data, expected,
                         out.nbytes < strlen(expected) ? out.nbytes : strlen(expected)) != 0))
                fail_msg("archive %zu, cut at %zu: %s", i, cut, err.message);
            assert_int_equal(strncmp(err.message, "a:", 2), 0);
        }
        stoa_buffer_free(&archives[i]);
    }
    stoa_buffer_free(&out);
}

/* The data of a tar archive have no checksum, but a compressed one has. */
static void every_flipped_bit_is_an_error_or_harmless(void **state)
{
    (void)state;
    struct stoa_test_zip_member members[7];
    struct stoa_buffer archives[3] = {{0}}, tar = {0}, out = {0};
    size_t nharmless = 0, nflips = 0;

    make_tar(&tar);
    pack(&stoa_test_compressions[1], &tar, &archives[0]);
    stoa_test_zip_make(&archives[1], zip_members, 6); /* the mode of a link has no checksum */
    for (size_t i = 0; i < 7; i++) {
        members[i] = zip_members[i];
        members[i].zip64 = true;
    }
    stoa_test_zip_make(&archives[2], members, 6);
    for (size_t i = 0; i < 3; i++) {
        const char *expected = i == 0 ? TAR_LIST : ZIP_LIST;

        for (size_t bit = 48; bit < 8 * archives[i].nbytes; bit++) {
            struct stoa_error err = {0};
            enum stoa_status st;

            archives[i].data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            st = read_archive(&archives[i], archives[i].nbytes, &out, &err);
            archives[i].data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            nflips++;
            if (st != STOA_OK)
                continue;
            nharmless++;
            if (strncmp((const char *)out.data, expected, strlen(expected)) != 0)
                fail_msg("archive %zu, bit %zu: %s", i, bit, (const char *)out.data);
        }
        stoa_buffer_free(&archives[i]);
    }
    printf("# %zu flips, %zu of them harmless\n", nflips, nharmless);
    stoa_buffer_free(&tar);
    stoa_buffer_free(&out);
}

static void tars_that_lie_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        char type;
        const char *bytes;
        enum stoa_status status;
        const char *message;
    } cases[] = {
        {"../a.csv", '0', "1", STOA_ERR_DATA,
         "a: the name \"../a.csv\" of a member leads out of its folder"},
        {"d/../../a.csv", '2', "", STOA_ERR_DATA,
         "a: the name \"d/../../a.csv\" of a member leads out of its folder"},
        {"..\\a.csv", '0', "1", STOA_ERR_DATA,
         "a: the name \"..\\x5ca.csv\" of a member leads out of its folder"},
        {"/etc/a.csv", '0', "1", STOA_ERR_DATA,
         "a: the name \"/etc/a.csv\" of a member is a path from the root"},
        {"", '0', "1", STOA_ERR_DATA, "a: the name \"\" of a member is empty"},
        {"s", 'S', "1", STOA_ERR_UNSUPPORTED,
         "a:s: is a sparse file, or one of several volumes, which is not read"},
        {"x", 'x', "99 path=b\n", STOA_ERR_DATA,
         "a: the tar archive is damaged at byte 512, after 1 members: a record of an extended "
         "header has a wrong length"},
        {"x", 'x', "9 size=x\n", STOA_ERR_DATA,
         "a: the tar archive is damaged at byte 512, after 1 members: the size in an extended "
         "header is no number"},
        {"x", 'x', "10 path=b\n", STOA_ERR_DATA,
         "a: the tar archive is damaged at byte 1024, after 1 members: nothing follows an extended "
         "header"},
        {"t.7z", '0', "7z\xbc\xaf\x27\x1c", STOA_ERR_UNSUPPORTED,
         "a:t.7z: is a 7z archive, which is not read: unpack it first"},
        {"t.zip", '0', "PK\3\4", STOA_ERR_UNSUPPORTED,
         "a:t.zip: is a zip archive, which is read from its end: from a file, not from a pipe or "
         "another archive"},
        {".hidden", '0', "1", STOA_ERR_USAGE, "a: there is no file to read in this archive"},
    };
    struct stoa_buffer tar = {0}, inner = {0};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tar.nbytes = 0;
        stoa_test_tar_add(&tar, cases[i].name, cases[i].type, cases[i].bytes,
                          strlen(cases[i].bytes));
        stoa_test_tar_end(&tar);
        expect_error(&tar, cases[i].status, cases[i].message);
    }
    make_tar(&inner);
    tar.nbytes = 0;
    stoa_test_tar_add(&tar, "t.tar", '0', inner.data, inner.nbytes);
    stoa_test_tar_end(&tar);
    expect_error(&tar, STOA_ERR_UNSUPPORTED,
                 "a:t.tar: is a tar archive in an archive, which is not read: unpack it first");
    make_tar(&inner);
    assert_int_equal(stoa_buffer_append(&inner, "x", 1, NULL), STOA_OK);
    expect_error(&inner, STOA_ERR_DATA,
                 "a: the tar archive ends before byte 5632, after 6 members, and something else "
                 "follows");
    make_tar(&inner);
    inner.data[512] ^= 1;
    expect_error(&inner, STOA_ERR_DATA,
                 "a: the tar archive is damaged at byte 512, after 1 members: the checksum of a "
                 "header is wrong");
    make_tar(&inner);
    inner.nbytes = 1024 + 2;
    expect_error(&inner, STOA_ERR_DATA,
                 "a:d/a.csv: the tar archive ends early, 2 bytes before the end of this member");
    stoa_buffer_free(&tar);
    stoa_buffer_free(&inner);
}

/* Where the fields of the only member of a zip file are, "a.csv" with the text "x\n1\n". */
enum { LOCAL = 0, DATA = 35, ENTRY = 39, END = 90 };

static void zips_that_lie_are_refused(void **state)
{
    (void)state;
    static const struct {
        size_t at; /* bytes set there */
        const char *bytes;
        size_t nbytes;
        enum stoa_status status;
        const char *message;
    } cases[] = {
        {LOCAL + 14, "\0", 1, STOA_ERR_DATA,
         "a:a.csv: the zip archive is damaged: the header of the member is not what its directory "
         "says"},
        {LOCAL + 30, "b", 1, STOA_ERR_DATA,
         "a:a.csv: the zip archive is damaged: the header of the member is not what its directory "
         "says"},
        {DATA, "y", 1, STOA_ERR_DATA,
         "a:a.csv: is damaged: the CRC-32 of its 4 bytes is not that of the zip directory"},
        {ENTRY + 20, "\5", 1, STOA_ERR_DATA, "a: the zip archive is damaged: members overlap"},
        {ENTRY + 24, "\3", 1, STOA_ERR_DATA,
         "a:a.csv: the zip archive is damaged: the header of the member is not what its directory "
         "says"},
        {ENTRY + 42, "\1", 1, STOA_ERR_DATA, "a: the zip archive is damaged: members overlap"},
        {ENTRY + 28, "\377", 1, STOA_ERR_DATA,
         "a: the zip archive is damaged: an entry of its directory"},
        {END + 8, "\2\0\2\0", 4, STOA_ERR_DATA,
         "a: the zip archive is damaged: its directory is too short"},
        {END + 4, "\1", 1, STOA_ERR_UNSUPPORTED, "a: is a zip archive in several parts"},
        {END + 16, "\46", 1, STOA_ERR_DATA,
         "a: the zip archive is damaged: its directory is not where it should be"},
        {END + 20, "\1", 1, STOA_ERR_DATA,
         "a: the zip archive is damaged: it ends early, its directory is missing"},
    };
    const struct stoa_test_zip_member one = {.name = "a.csv", .bytes = "x\n1\n", .nbytes = 4};
    struct stoa_test_zip_member two[] = {one, one};
    struct stoa_buffer zip = {0};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        stoa_test_zip_make(&zip, &one, 1);
        memcpy(zip.data + cases[i].at, cases[i].bytes, cases[i].nbytes);
        expect_error(&zip, cases[i].status, cases[i].message);
    }
    stoa_test_zip_make(&zip, &one, 1);
    zip.data[LOCAL + 6] = zip.data[ENTRY + 8] = 1;
    expect_error(&zip, STOA_ERR_UNSUPPORTED, "a:a.csv: is encrypted");
    zip.data[LOCAL + 6] = zip.data[ENTRY + 8] = 0;
    zip.data[LOCAL + 8] = zip.data[ENTRY + 10] = 9;
    expect_error(&zip, STOA_ERR_UNSUPPORTED,
                 "a:a.csv: is packed by method 9, which is not read: unpack it first");
    stoa_test_zip_make(&zip, two, 2); /* both at the place of the first one */
    stoa_store32(zip.data + 2 * 39 + 51 + 42, 0);
    expect_error(&zip, STOA_ERR_DATA, "a: the zip archive is damaged: members overlap");
    two[0].name = "../b.csv";
    stoa_test_zip_make(&zip, two, 2);
    expect_error(&zip, STOA_ERR_DATA,
                 "a: the name \"../b.csv\" of a member leads out of its folder");
    stoa_test_zip_make(&zip, NULL, 0);
    expect_error(&zip, STOA_ERR_USAGE, "a: there is no file to read in this archive");
    stoa_buffer_free(&zip);
}

/* A deflate stream that goes on behind the length, or ends before it, or has bytes behind it. */
static void lengths_of_members_are_compared(void **state)
{
    (void)state;
    struct stoa_test_zip_member one = {
        .name = "a.csv", .bytes = TEXT, .nbytes = sizeof(TEXT) - 1, .deflate = true};
    static const struct {
        int by;
        const char *message;
    } cases[] = {
        {-1, "a:a.csv: is damaged: the zip directory says that it has 41 bytes, but it has more"},
        {1, "a:a.csv: is damaged: the zip directory says that it has 43 bytes, but it has less"},
    };
    struct stoa_buffer zip = {0};

    for (size_t i = 0; i < 2; i++) {
        uint8_t *entry;

        stoa_test_zip_make(&zip, &one, 1);
        entry = zip.data + zip.nbytes - 22 - 51;
        stoa_store32(entry + 24, (uint32_t)((int)one.nbytes + cases[i].by));
        stoa_store32(zip.data + 22, (uint32_t)((int)one.nbytes + cases[i].by));
        expect_error(&zip, STOA_ERR_DATA, cases[i].message);
    }
    stoa_buffer_free(&zip);
}

static enum stoa_status scenario(void *context, struct stoa_error *err)
{
    struct stoa_buffer out = {0};
    const struct stoa_buffer *archive = context;
    enum stoa_status st = read_archive(archive, archive->nbytes, &out, err);

    stoa_buffer_free(&out);
    return st;
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    struct stoa_buffer archive = {0};

    make_tar(&archive);
    stoa_test_each_failing_alloc(scenario, &archive);
    make_zip(&archive, true);
    stoa_test_each_failing_alloc(scenario, &archive);
    stoa_buffer_free(&archive);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files_come_in_order_and_the_rest_is_passed_over,
                                        stoa_test_folder_enter, stoa_test_folder_leave),
        cmocka_unit_test_setup_teardown(anything_else_is_one_text, stoa_test_folder_enter,
                                        stoa_test_folder_leave),
        cmocka_unit_test(long_names_are_those_of_pax_and_gnu),
        cmocka_unit_test(every_cut_is_an_error),
        cmocka_unit_test(every_flipped_bit_is_an_error_or_harmless),
        cmocka_unit_test(tars_that_lie_are_refused),
        cmocka_unit_test(zips_that_lie_are_refused),
        cmocka_unit_test(lengths_of_members_are_compared),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
