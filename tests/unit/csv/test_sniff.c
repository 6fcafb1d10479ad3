/* Dialects found out: a table of texts, and all combinations of what a dialect is. */
#include "csv/sniff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "support/fault_alloc.h"
#include "support/folder.h"
#include "support/random.h"

#define SUMMARY_NBYTES 256

static void add(char *out, const char *name, char c)
{
    size_t n = strlen(out);
    const char *shown = c == '\t' ? "tab" : c == ' ' ? "blank" : c == STOA_CSV_NONE ? "none" : NULL;

    if (shown != NULL)
        snprintf(out + n, SUMMARY_NBYTES - n, "%s%s %s", n > 0 ? ", " : "", name, shown);
    else
        snprintf(out + n, SUMMARY_NBYTES - n, "%s%s %c", n > 0 ? ", " : "", name, c);
}

static void add_number(char *out, const char *name, long n)
{
    size_t nbytes = strlen(out);

    snprintf(out + nbytes, SUMMARY_NBYTES - nbytes, "%s%s %ld", nbytes > 0 ? ", " : "", name, n);
}

/* What differs from "comma, double quotes, doubled, a header". */
static void summarise(const struct stoa_csv_options *found, char out[SUMMARY_NBYTES])
{
    *out = '\0';
    if (found->delimiter != ',')
        add(out, "delimiter", found->delimiter);
    if (found->quote != '"')
        add(out, "quote", found->quote);
    if (found->escape != found->quote && found->escape != 0)
        add(out, "escape", found->escape);
    if (found->comment != STOA_CSV_NONE)
        add(out, "comment", found->comment);
    if (found->skip_nlines > 0)
        add_number(out, "skip", found->skip_nlines);
    if (found->header_nrecords != 1)
        add_number(out, "header", found->header_nrecords);
    if (found->trailing_delimiter > 0)
        strcat(out, *out != '\0' ? ", trailing" : "trailing");
    if (found->trim == STOA_CSV_TRIM_START)
        strcat(out, *out != '\0' ? ", trim" : "trim");
    if (found->decimal != '.')
        add(out, "decimal", found->decimal);
}

static struct stoa_csv_options sniffed(const char *text, size_t nbytes, bool whole,
                                       const struct stoa_csv_options *options,
                                       struct stoa_csv_sniff_report *report)
{
    struct stoa_csv_options found;
    struct stoa_error err;
    char *copy = malloc(nbytes + STOA_CSV_SLACK);

    assert_non_null(copy);
    memcpy(copy, text, nbytes);
    memset(copy + nbytes, ';', STOA_CSV_SLACK); /* what stands there must not matter */
    *report = (struct stoa_csv_sniff_report){0};
    assert_int_equal(stoa_csv_sniff_text(copy, nbytes, whole, 0, options, &found, report, &err),
                     STOA_OK);
    free(copy);
    return found;
}

struct text_case {
    const char *name;
    const char *text;
    const char *expected; /* what differs from the usual */
    uint32_t ncolumns;
};

static void check_cases(const struct text_case *cases, size_t ncases)
{
    for (size_t i = 0; i < ncases; i++) {
        const struct stoa_csv_options defaults = {0};
        struct stoa_csv_sniff_report report;
        struct stoa_csv_options found =
            sniffed(cases[i].text, strlen(cases[i].text), true, &defaults, &report);
        char summary[SUMMARY_NBYTES];

        summarise(&found, summary);
        if (strcmp(summary, cases[i].expected) != 0 || report.ncolumns != cases[i].ncolumns)
            fail_msg("%s: \"%s\" of %u columns, not \"%s\" of %u", cases[i].name, summary,
                     report.ncolumns, cases[i].expected, cases[i].ncolumns);
        assert_int_not_equal(found.trim, STOA_CSV_TRIM_AUTO);
        assert_int_not_equal(found.header_nrecords, 0);
        assert_int_not_equal(found.skip_nlines, 0);
        assert_int_not_equal(found.trailing_delimiter, 0);
    }
}
#define CHECK(cases) check_cases(cases, sizeof(cases) / sizeof((cases)[0]))

static void delimiters_are_found(void **state)
{
    (void)state;
    static const struct text_case cases[] = {
        {"comma", "id,name,day\n1,ann,2024-01-02\n2,bob,2024-01-03\n", "", 3},
        {"semicolon", "id;name;day\n1;ann;2024-01-02\n2;bob;2024-01-03\n", "delimiter ;", 3},
        {"tab", "id\tname\tday\n1\tann\t2024-01-02\n", "delimiter tab", 3},
        {"bar", "id|name|day\n1|ann|2024-01-02\n2|bob|2024-01-03\n", "delimiter |", 3},
        {"colon", "root:x:0:0\nbin:x:1:1\nftp:x:14:50\n", "delimiter :, header -1", 4},
        {"blank", "x y z\n1 2 3\n4 5 6\n7 8 9\n", "delimiter blank", 3},
        {"commas in texts", "id;what\n1;a, b, c\n2;d\n3;e, f\n", "delimiter ;", 2},
        {"semicolons in texts", "id,what,n\n1,a; b,7\n2,c,8\n3,d; e; f,9\n", "", 3},
        {"times", "at,n\n10:15:00,1\n10:16:00,2\n10:17:00,3\n", "", 2},
        {"timestamps alone", "at\n2024-01-01 10:00:00\n2024-01-01 10:05:00\n", "", 1},
        {"one column of numbers", "n\n1\n2\n3\n", "", 1},
        {"one column of phrases", "city\nNew York\nLos Angeles\nParis\nSan Francisco\n", "", 1},
        {"nothing", "", "", 0},
        {"blank lines", "\n\n\r\n", "", 0},
        {"a header alone", "id,name,day\n", "", 3},
        {"a row alone", "1,2,3\n", "header -1", 3},
        {"one word", "x", "", 1},
        {"CR ends lines", "a;b\r1;2\r3;4\r", "delimiter ;", 2},
        {"ragged here and there",
         "a,b,c\n1,2,3\n4,5\n6,7,8\n9,10,11\n12,13,14\n15,16,17\n18,19,20\n", "", 3},
    };

    CHECK(cases);
}

static void quotes_and_escapes_are_found(void **state)
{
    (void)state;
    static const struct text_case cases[] = {
        {"double", "a,b\n\"x, y\",1\n\"z\",2\n", "", 2},
        {"single", "a,b\n'x, y',1\n'z, w',2\n'v',3\n", "quote '", 2},
        {"apostrophes are none", "a,b\nit's,1\n'tis,2\ndon't,3\nrock 'n' roll,4\n", "", 2},
        {"doubled", "a,b\n\"x \"\"y\"\" z\",1\n\"w\",2\n", "", 2},
        {"backslash", "a,b\n\"x \\\"y\\\", z\",1\n\"w\",2\n", "escape \\", 2},
        {"backslash without quotes", "a,b,c\nx\\, y,1,2\nz\\, w,3,4\nv,5,6\n", "escape \\", 3},
        {"backslashes in paths", "a,b\nC:\\temp\\x,1\nD:\\,2\n", "", 2},
        {"a path ends a quoted field", "a,b\n\"C:\\temp\\\",1\n\"D:\\x\\\",2\n", "", 2},
        {"inches", "a,b\n5\" pipe,1\n6\" pipe,2\n", "", 2},
        {"quoted lines", "a;b\n\"x\ny;z\";1\n\"p\nq\nr\";2\n", "delimiter ;", 2},
        {"all quoted", "\"a\",\"b\"\n\"1\",\"x\"\n\"2\",\"y\"\n", "", 2},
        {"no quote stays the double quote", "a;b\n1;2\n", "delimiter ;", 2},
        {"quotes that close nothing", "a,b\n\"x,1\ny,2\n\"z,3\n", "quote none", 2},
        {"an open quote among others", "a,b\n\"x\",1\n\"y,2\n\"z\",3\n", "", 2},
    };

    CHECK(cases);
}

static void layouts_are_found(void **state)
{
    (void)state;
    static const struct text_case cases[] = {
        {"a preamble",
         "Passengers by month\nsource: harbour\nmonth,n\n2024-01,5\n2024-02,6\n"
         "2024-03,7\n",
         "skip 2", 2},
        {"a preamble and a blank line", "Report\n\na;b;c\n1;2;3\n4;5;6\n", "delimiter ;, skip 2",
         3},
        {"a preamble of quoted lines", "\"Report\nof all\"\na;b;c\n1;2;3\n4;5;6\n",
         "delimiter ;, skip 2", 3},
        {"a preamble filled up", "Report,,,\n,,,\na,b,c,d\n1,2,3,4\n5,6,7,8\n", "skip 2", 4},
        {"a preamble of comments", "# made by hand\n# 2024\na,b\n1,2\n3,4\n", "skip 2", 2},
        {"comments between rows", "a,b\n1,2\n# strike\n3,4\n5,6\n", "comment #", 2},
        {"a header with a hash", "#id,name\n1,ann\n2,bob\n", "", 2},
        {"hashes in rows", "tag,n\n#a,1\n#b,2\n", "", 2},
        {"no header of numbers", "1,2\n3,4\n5,6\n", "header -1", 2},
        {"no header of codes", "DE-1,x\nDE-2,y\nUS-7,z\n", "header -1", 2},
        {"no header of words", "red,apple\nblue,plum\nred,pear\nblue,fig\n", "header -1", 2},
        {"a header of flags", "t,f\nT,F\nF,F\nT,T\n", "", 2},
        {"a header above dates", "day\n2024-01-01\n2024-01-02\n", "", 1},
        {"a header of years", "region,2019,2020\nnorth,5,6\nsouth,7,8\n", "", 3},
        {"a header with an empty name", ",a,b\n1,2,3\n4,5,6\n", "", 3},
        {"texts only", "name,city\nann,rome\nbob,oslo\ncid,bern\n", "", 2},
        {"units below the names",
         "t,p,v\ns,hPa,m/s\n1,1013,2.5\n2,1012,2.6\n3,1012,2.7\n4,1011,2.7\n"
         "5,1011,2.8\n6,1010,2.9\n7,1009,3\n",
         "header 2", 3},
        {"a trailing delimiter", "a|b|\n1|2|\n3|4|\n", "delimiter |, trailing", 2},
        {"trailing below a header without", "a,b\n1,2,\n3,4,\n", "trailing", 2},
        {"trailing without a header", "1|x|\n2|y|\n", "delimiter |, header -1, trailing", 2},
        {"an empty last column", "a,b,c\n1,2,\n3,4,\n", "", 3},
        {"a value in the last column", "a,b,\n1,2,\n3,4,5\n", "", 3},
        {"two tables",
         "a,b\n1,2\n3,4\n5,6\n7,8\n9,10\n11,12\n13,14\n15,16\n17,18\n\n"
         "a,b,c\n1,2,3\n1,2,3\n1,2,3\n1,2,3\n1,2,3\n1,2,3\n1,2,3\n1,2,3\n1,2,3\n",
         "", 2},
        {"blanks behind commas", "a, b, c\n1, \"x, y\", 3\n4, z, 6\n", "trim", 3},
        {"blanks behind some commas", "a,b,c\n1, x,3\n4,z,6\n", "", 3},
    };

    CHECK(cases);
}

static void decimal_commas_are_found(void **state)
{
    (void)state;
    static const struct text_case cases[] = {
        {"commas", "a;b\n1,5;x\n2,25;y\n", "delimiter ;, decimal ,", 2},
        {"commas in quotes", "a,b\n\"1,5\",x\n\"2,25\",y\n", "decimal ,", 2},
        {"groups of three are no fractions", "a;b\n1,500;x\n22,250;y\n", "delimiter ;", 2},
        {"below one they are", "a;b\n0,500;x\n0,250;y\n", "delimiter ;, decimal ,", 2},
        {"points win", "a;b\n1.5;1,25\n2.5;1,75\n", "delimiter ;", 2},
        {"groups with points", "a;b\n1.234,50;x\n0,5;y\n", "delimiter ;, decimal ,", 2},
    };

    CHECK(cases);
}

static void what_is_given_is_kept(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct stoa_csv_options given;
        const char *expected;
    } cases[] = {
        {"a,b;c\nx,y;3\n", {.delimiter = ';'}, "delimiter ;"},
        {"a;b\n1;2\n", {.delimiter = '!'}, "delimiter !"},
        {"a,b\n'x',1\n", {.quote = '"'}, ""},
        {"a,b\n\"x\",1\n", {.quote = STOA_CSV_NONE}, "quote none"},
        {"1,2\n3,4\n", {.header_nrecords = 1}, ""},
        {"a,b\n3,4\n", {.header_nrecords = -1}, "header -1"},
        {"t\na,b\n3,4\n5,6\n", {.skip_nlines = -1}, ""},
        {"x,y\na,b\n3,4\n5,6\n", {.skip_nlines = 1}, "skip 1"},
        {"a,b,\n1,2,\n", {.trailing_delimiter = -1}, ""},
        {"a,b\n1,2\n#x\n3,4\n", {.comment = STOA_CSV_NONE}, ""},
        {"a;b\n1,5;2,5\n", {.decimal = '.'}, "delimiter ;"},
        {"a, b\n1, 2\n", {.trim = STOA_CSV_TRIM_NONE}, ""},
        {"a,b\n\"x\\\"y\",1\n", {.escape = '"'}, ""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_csv_sniff_report report;
        struct stoa_csv_options found =
            sniffed(cases[i].text, strlen(cases[i].text), true, &cases[i].given, &report);
        char summary[SUMMARY_NBYTES];

        summarise(&found, summary);
        if (strcmp(summary, cases[i].expected) != 0)
            fail_msg("case %zu: \"%s\", not \"%s\"", i, summary, cases[i].expected);
    }
}

/* ---- All combinations, written and found out again. ---- */

struct writer {
    char *text;
    size_t nbytes;
    const struct stoa_csv_options *dialect;
    const char *line_end;
};

static void put(struct writer *writer, const char *text)
{
    memcpy(writer->text + writer->nbytes, text, strlen(text) + 1);
    writer->nbytes += strlen(text);
}

static void put_field(struct writer *writer, const char *text, bool quoted)
{
    const char quote[2] = {writer->dialect->quote, '\0'};
    const char escape[2] = {writer->dialect->escape, '\0'};

    if (quoted)
        put(writer, quote);
    for (; *text != '\0'; text++) {
        if (quoted && (*text == *quote || *text == *escape))
            put(writer, escape);
        put(writer, (const char[]){*text, '\0'});
    }
    if (quoted)
        put(writer, quote);
}

static void put_delimiter(struct writer *writer)
{
    put(writer, (const char[]){writer->dialect->delimiter, '\0'});
}

static void end_line(struct writer *writer)
{
    if (writer->dialect->trailing_delimiter > 0)
        put_delimiter(writer);
    put(writer, writer->line_end);
}

/* A table of an id, a day, an amount, a name and a remark that needs its quotes. */
static void write_table(struct writer *writer, struct stoa_test_random *r, size_t nrows)
{
    static const char *const names[] = {"id", "day", "amount", "name", "remark"};
    static const char *const people[] = {"Ann", "Bob", "Cid", "Dan", "Eve"};
    const struct stoa_csv_options *dialect = writer->dialect;
    char field[64];

    for (int32_t i = 0; i < dialect->skip_nlines; i++) {
        put(writer, "Deliveries of the harbour office");
        put(writer, writer->line_end);
    }
    for (size_t i = 0; i < 5 && dialect->header_nrecords > 0; i++) {
        if (i > 0)
            put_delimiter(writer);
        put_field(writer, names[i], false);
    }
    if (dialect->header_nrecords > 0)
        end_line(writer);
    for (size_t row = 0; row < nrows; row++) {
        snprintf(field, sizeof(field), "%zu", 1000 + row);
        put_field(writer, field, false);
        put_delimiter(writer);
        snprintf(field, sizeof(field), "2024-%02u-%02u",
                 1 + (unsigned)stoa_test_random_below(r, 12),
                 1 + (unsigned)stoa_test_random_below(r, 28));
        put_field(writer, field, false);
        put_delimiter(writer);
        snprintf(field, sizeof(field), "%u%c%02u", (unsigned)stoa_test_random_below(r, 5000),
                 dialect->decimal, (unsigned)stoa_test_random_below(r, 100));
        put_field(writer, field, dialect->decimal == dialect->delimiter);
        put_delimiter(writer);
        put_field(writer, people[stoa_test_random_below(r, 5)], false);
        put_delimiter(writer);
        snprintf(field, sizeof(field), "no. %u%c it said %cgood%c", (unsigned)row,
                 dialect->delimiter, dialect->quote, dialect->quote);
        put_field(writer, field, true);
        end_line(writer);
        if (dialect->comment == '#' && row == nrows / 2) {
            put(writer, "# from here on by hand");
            put(writer, writer->line_end);
        }
    }
}

/* Which of so many cases is `*at` in the next of its digits. */
static size_t digit(size_t *at, size_t n)
{
    size_t out = *at % n;

    *at /= n;
    return out;
}

static void every_combination_is_found_again(void **state)
{
    (void)state;
    static const char delimiters[] = {',', ';', '\t', '|'};
    static const char quotes[] = {'"', '\''};
    static const char *const line_ends[] = {"\n", "\r\n", "\r"};
    const size_t ncombinations = 4 * 2 * 2 * 2 * 2 * 2 * 2 * 2 * 3;
    struct stoa_test_random r;

    stoa_test_random_init(&r, "every_combination_is_found_again");
    for (size_t i = 0; i < ncombinations; i++) {
        const struct stoa_csv_options defaults = {0};
        struct stoa_csv_sniff_report report;
        struct stoa_csv_options dialect = {0}, found;
        struct writer writer = {.dialect = &dialect};
        char expected[SUMMARY_NBYTES], summary[SUMMARY_NBYTES];
        size_t at = i, nrows = 3 + stoa_test_random_below(&r, 60);

        dialect.delimiter = delimiters[digit(&at, 4)];
        dialect.quote = quotes[digit(&at, 2)];
        dialect.escape = digit(&at, 2) ? '\\' : dialect.quote;
        dialect.comment = digit(&at, 2) ? '#' : STOA_CSV_NONE;
        dialect.skip_nlines = digit(&at, 2) ? 3 : -1;
        dialect.header_nrecords = digit(&at, 2) ? 1 : -1;
        dialect.trailing_delimiter = digit(&at, 2) ? 1 : -1;
        dialect.decimal = digit(&at, 2) ? ',' : '.';
        dialect.trim = STOA_CSV_TRIM_NONE;
        writer.line_end = line_ends[digit(&at, 3)];
        writer.text = malloc(400 + nrows * 200);
        assert_non_null(writer.text);
        write_table(&writer, &r, nrows);
        found = sniffed(writer.text, writer.nbytes, true, &defaults, &report);
        summarise(&dialect, expected);
        summarise(&found, summary);
        if (strcmp(summary, expected) != 0 || report.ncolumns != 5)
            fail_msg("case %zu: \"%s\" of %u columns, not \"%s\" of 5\n%.800s", i, summary,
                     report.ncolumns, expected, writer.text);
        free(writer.text);
    }
}

/* ---- Costs and limits. ---- */

static void the_head_is_enough_and_takes_no_time(void **state)
{
    (void)state;
    static const char *const pieces[] = {
        "a,b;c\td|e:f g\n", "\"", "'", "\"a\",'b' ", ",", "\n", "#x\n", "\\\"", "1,5;", "\r",
    };
    const size_t nbytes = STOA_CSV_SNIFF_NBYTES + 1000;
    char *text = malloc(nbytes + 64);

    assert_non_null(text);
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        const struct stoa_csv_options defaults = {0};
        struct stoa_csv_sniff_report report;
        struct timespec begin, end;

        for (size_t n = 0; n < nbytes; n += strlen(pieces[i]))
            memcpy(text + n, pieces[i], strlen(pieces[i]));
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
        sniffed(text, nbytes, false, &defaults, &report);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
        print_message("%zu: %.1f ms\n", i,
                      (double)(end.tv_sec - begin.tv_sec) * 1e3 +
                          (double)(end.tv_nsec - begin.tv_nsec) / 1e6);
        assert_true(report.nbytes <= STOA_CSV_SNIFF_NBYTES);
        assert_true(report.nrecords <= STOA_CSV_SNIFF_NROWS);
        assert_false(report.whole);
    }
    free(text);
}

static void a_record_larger_than_the_head_counts(void **state)
{
    (void)state;
    const size_t ncolumns = 60000;
    const struct stoa_csv_options defaults = {0};
    struct stoa_csv_sniff_report report;
    struct stoa_csv_options found;
    char *text = malloc(ncolumns * 8 + 64);
    size_t n = 0;

    assert_non_null(text);
    for (size_t i = 0; i < ncolumns; i++)
        n += (size_t)sprintf(text + n, "c%zu;", i);
    found = sniffed(text, n, false, &defaults, &report);
    assert_int_equal(found.delimiter, ';');
    assert_int_equal(report.nrecords, 1);
    assert_true(report.ncolumns > 30000);
    free(text);
}

static enum stoa_status sniff_scenario(void *context, struct stoa_error *err)
{
    const char *const path = context;
    struct stoa_csv_options found;

    return stoa_csv_sniff(&path, 1, NULL, &found, NULL, NULL, err);
}

static void failed_allocations_are_reported(void **state)
{
    static const char text[] = "a;b\n1,5;2\n# x\n3,5;4\n";
    static char path[] = "a.csv";

    (void)state;
    stoa_test_folder_put(path, text, strlen(text));
    stoa_test_each_failing_alloc(sniff_scenario, path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delimiters_are_found),
        cmocka_unit_test(quotes_and_escapes_are_found),
        cmocka_unit_test(layouts_are_found),
        cmocka_unit_test(decimal_commas_are_found),
        cmocka_unit_test(what_is_given_is_kept),
        cmocka_unit_test(every_combination_is_found_again),
        cmocka_unit_test(the_head_is_enough_and_takes_no_time),
        cmocka_unit_test(a_record_larger_than_the_head_counts),
        cmocka_unit_test_setup_teardown(failed_allocations_are_reported, stoa_test_folder_enter,
                                        stoa_test_folder_leave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
