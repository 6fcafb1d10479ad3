/*
 * Conversions: the same bytes however they are made, the same rows whatever they pass through, the
 * first error, and an output only when all went well.
 */
#include <stoa/convert.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <stoa/jsonl.h>

#include "base/alloc.h"
#include "support/compress.h"
#include "support/folder.h"
#include "support/gen_filter.h"
#include "support/gen_table.h"
#include "support/stoa_file.h"

enum { MAX_NFILES = 6 };

static void check(enum stoa_status st, const struct stoa_error *err)
{
    if (st != STOA_OK)
        fail_msg("%s: %s", stoa_status_name(st), err->message);
}

/* ---- Tables as files: in/0.csv, in/1.csv, ... and table.stoa. ---- */

struct table {
    struct stoa_schema schema;
    struct stoa_batch rows;
    char paths[MAX_NFILES][32];
    const char *inputs[MAX_NFILES];
    size_t ninputs;
};

static void slice(const struct stoa_batch *rows, size_t begin, size_t end, struct stoa_batch *out)
{
    struct stoa_error err = {0};

    check(stoa_batch_init(out, rows->schema, &err), &err);
    out->nrows = end - begin;
    for (uint32_t i = 0; i < rows->ncolumns; i++)
        check(stoa_array_slice(&rows->schema->fields[i], &rows->columns[i], begin, end,
                               &out->columns[i], &err),
              &err);
}

/* Writes text as it is, or compressed: names say nothing of it. */
static void put_text(struct stoa_test_random *r, const char *path, const char *text, size_t nbytes)
{
    const struct stoa_test_compression *way = stoa_test_compressions;
    size_t room = stoa_test_compress_bound(nbytes), nways = 0;
    uint8_t *packed = malloc(room);

    while (way[nways].name != NULL)
        nways++;
    if (stoa_test_random_one_in(r, 3)) {
        way += stoa_test_random_below(r, nways);
        nbytes = way->compress((const uint8_t *)text, nbytes, packed, room);
        stoa_test_folder_put(path, packed, nbytes);
    } else {
        stoa_test_folder_put(path, text, nbytes);
    }
    free(packed);
}

static void put_csv(struct stoa_test_random *r, const struct table *table, size_t begin, size_t end,
                    const char *path)
{
    struct stoa_error err = {0};
    struct stoa_batch part;
    char *text = NULL;
    size_t nbytes = 0;

    slice(&table->rows, begin, end, &part);
    check(stoa_csv_format_header(NULL, &table->schema, &text, &nbytes, &err), &err);
    check(stoa_csv_format(NULL, &part, &text, &nbytes, &err), &err);
    put_text(r, path, text, nbytes);
    stoa_free(text);
    stoa_batch_reset(&part);
}

/* The rows in 1 to 6 CSV files, some without a row. */
static void put_inputs(struct stoa_test_random *r, struct table *table)
{
    size_t begin = 0;

    mkdir("in", 0700);
    table->ninputs = 1 + (size_t)stoa_test_random_below(r, MAX_NFILES);
    for (size_t i = 0; i < table->ninputs; i++) {
        size_t rest = table->rows.nrows - begin;
        size_t n = i + 1 == table->ninputs ? rest : (size_t)stoa_test_random_below(r, rest + 1);

        snprintf(table->paths[i], sizeof(table->paths[i]), "in/%zu.csv", i);
        table->inputs[i] = table->paths[i];
        put_csv(r, table, begin, begin + n, table->paths[i]);
        begin += n;
    }
}

static void add_nested(struct stoa_schema *schema, const char *name, const char *type)
{
    struct stoa_field field = {0};
    struct stoa_error err = {0};

    check(stoa_field_parse(name, type, true, &field, &err), &err);
    check(stoa_schema_add_field(schema, &field, &err), &err);
    stoa_field_reset(&field);
}

static void put_stoa(const struct table *table)
{
    struct stoa_test_file file;

    stoa_test_file_write(&table->schema, &table->rows, table->rows.nrows > 0, NULL, &file);
    stoa_test_folder_put("table.stoa", file.bytes, file.nbytes);
    stoa_test_file_reset(&file);
}

static void table_init(struct stoa_test_random *r, size_t max_nrows, struct table *table)
{
    *table = (struct table){0};
    stoa_test_gen_schema(r, (uint32_t)stoa_test_random_between(r, 1, 5), &table->schema);
    stoa_test_gen_batch(r, &table->schema, (size_t)stoa_test_random_below(r, max_nrows + 1),
                        &table->rows);
}

static void table_reset(struct table *table)
{
    stoa_batch_reset(&table->rows);
    stoa_schema_reset(&table->schema);
}

/* ---- Conversions. ---- */

static char *run(struct stoa_convert_options options, size_t *nbytes)
{
    struct stoa_error err = {0};
    struct stoa_convert_report report;

    options.replace = true;
    check(stoa_convert(&options, &report, &err), &err);
    if (!options.dry_run && report.output_nbytes == 0 && options.to == STOA_FORMAT_STOA)
        fail_msg("an empty file");
    return stoa_test_folder_get(options.output, nbytes);
}

/* Converts one file to another, by their names. */
static char *run_file(const char *from, const char *to, struct stoa_convert_options options,
                      size_t *nbytes)
{
    options.paths = &from;
    options.npaths = 1;
    options.output = to;
    return run(options, nbytes);
}

static void assert_same(const char *what, const char *a, size_t a_nbytes, const char *b,
                        size_t b_nbytes)
{
    size_t at = 0;

    while (at < a_nbytes && at < b_nbytes && a[at] == b[at])
        at++;
    if (a_nbytes != b_nbytes || at < a_nbytes)
        fail_msg("%s: %zu and %zu bytes, different from byte %zu on", what, a_nbytes, b_nbytes, at);
}

/* How the texts of generated tables are written: their columns of noise look like many dialects. */
static const struct stoa_csv_options written = {
    .delimiter = ',',
    .quote = '"',
    .escape = '"',
    .comment = STOA_CSV_NONE,
    .decimal = '.',
    .thousands = STOA_CSV_NONE,
    .header_nrecords = 1,
    .skip_nlines = -1,
    .trailing_delimiter = -1,
    .trim = STOA_CSV_TRIM_NONE,
    .encoding = "UTF-8",
};

/* Options that decide over the bytes: row groups, filter, columns. */
struct choice {
    struct stoa_filter *filter;
    const char *columns[5];
    struct stoa_convert_options options;
};

static void choice_init(struct stoa_test_random *r, const struct table *table,
                        struct choice *choice)
{
    struct stoa_convert_options *options = &choice->options;

    *choice = (struct choice){0};
    if (stoa_test_random_one_in(r, 2))
        choice->filter = stoa_test_gen_filter(r, &table->rows, 2);
    options->filter = choice->filter;
    if (stoa_test_random_one_in(r, 2)) {
        uint32_t first = (uint32_t)stoa_test_random_below(r, table->schema.nfields);

        options->columns = choice->columns;
        for (uint32_t i = table->schema.nfields; i-- > first;)
            choice->columns[options->ncolumns++] = table->schema.fields[i].name;
    }
    if (!stoa_test_random_one_in(r, 4))
        options->writer.row_group_nrows = (uint32_t)stoa_test_random_between(r, 1, 700);
    if (stoa_test_random_one_in(r, 3))
        options->writer.row_group_nbytes = 100 + stoa_test_random_below(r, 20000);
}

static void choice_reset(struct choice *choice)
{
    stoa_filter_free(choice->filter);
}

/* ---- The same bytes. ---- */

static void jobs_and_memory_do_not_show(void **state)
{
    (void)state;
    static const enum stoa_format formats[] = {STOA_FORMAT_STOA, STOA_FORMAT_STOA, STOA_FORMAT_CSV,
                                               STOA_FORMAT_JSONL};
    static const unsigned jobs[] = {2, 3, 8, 1};
    static const uint64_t memory[] = {0, 32, 64, 4096};
    struct stoa_test_random r;

    stoa_test_random_init(&r, "jobs_and_memory_do_not_show");
    for (size_t n = stoa_test_ncases(300); n > 0; n--) {
        struct table table;
        struct choice choice;
        size_t nbytes, expected_nbytes;
        char *expected;

        table_init(&r, 3000, &table);
        put_inputs(&r, &table);
        choice_init(&r, &table, &choice);
        choice.options.paths = table.inputs;
        choice.options.npaths = table.ninputs;
        choice.options.schema = &table.schema;
        choice.options.csv = written;
        choice.options.to = formats[stoa_test_random_below(&r, 4)];
        choice.options.output = "expected";
        choice.options.jobs = 1;
        expected = run(choice.options, &expected_nbytes);
        for (size_t i = 0; i < 4; i++) {
            char *got;

            choice.options.output = "got";
            choice.options.jobs = jobs[i];
            choice.options.memory_nbytes = memory[stoa_test_random_below(&r, 4)] << 20;
            got = run(choice.options, &nbytes);
            assert_same("jobs and memory", expected, expected_nbytes, got, nbytes);
            free(got);
        }
        free(expected);
        choice_reset(&choice);
        table_reset(&table);
    }
}

/* Writes a file into a FIFO in pieces of any size. */
struct feeder {
    const char *path;
    const char *bytes;
    size_t nbytes;
    size_t max_piece;
};

static void *feed(void *argument)
{
    const struct feeder *feeder = argument;
    struct stoa_test_random r;
    size_t done = 0;
    int fd = open(feeder->path, O_WRONLY);

    stoa_test_random_seed(&r, feeder->max_piece);
    while (done < feeder->nbytes) {
        size_t piece = 1 + (size_t)stoa_test_random_below(&r, feeder->max_piece);
        ssize_t n;

        if (piece > feeder->nbytes - done)
            piece = feeder->nbytes - done;
        n = write(fd, feeder->bytes + done, piece);
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    close(fd);
    return NULL;
}

static void sizes_of_reads_do_not_show(void **state)
{
    (void)state;
    static const size_t max_pieces[] = {1, 7, 300, 5000, 100000};
    struct stoa_test_random r;

    stoa_test_random_init(&r, "sizes_of_reads_do_not_show");
    mkdir("fifo", 0700);
    mkfifo("fifo/0.csv", 0600); /* the name of the source is kept */
    for (size_t n = stoa_test_ncases(60); n > 0; n--) {
        struct feeder feeder = {.path = "fifo/0.csv", .max_piece = max_pieces[n % 5]};
        struct stoa_convert_options options = {.to = STOA_FORMAT_STOA, .csv = written};
        struct table table;
        size_t nbytes, expected_nbytes;
        char *text, *expected, *got;
        pthread_t thread;

        table_init(&r, n % 5 == 0 ? 100 : 3000, &table);
        put_inputs(&r, &table);
        options.writer.row_group_nrows = (uint32_t)stoa_test_random_between(&r, 1, 1000);
        options.jobs = 1 + (unsigned)(n % 2);
        expected = run_file("in/0.csv", "expected", options, &expected_nbytes);
        text = stoa_test_folder_get("in/0.csv", &feeder.nbytes);
        feeder.bytes = text;
        assert_int_equal(pthread_create(&thread, NULL, feed, &feeder), 0);
        got = run_file("fifo/0.csv", "got", options, &nbytes);
        pthread_join(thread, NULL);
        assert_same("reads", expected, expected_nbytes, got, nbytes);
        free(expected);
        free(got);
        free(text);
        table_reset(&table);
    }
}

/* ---- The same rows. ---- */

static void tables_go_through_text_and_come_back(void **state)
{
    (void)state;
    struct stoa_test_random r;

    stoa_test_random_init(&r, "tables_go_through_text_and_come_back");
    for (size_t n = stoa_test_ncases(300); n > 0; n--) {
        struct stoa_convert_options options = {.jobs = 1 + (unsigned)(n % 2)}, read = options;
        const char *text_path = n % 3 == 0 ? "1.tsv" : "1.csv";
        const char *again_path = n % 3 == 0 ? "2.tsv" : "2.csv";
        struct table table;
        struct stoa_error err = {0};
        size_t first_nbytes, nbytes, json_nbytes = 0;
        char *first, *got, *json = NULL;

        table_init(&r, 1500, &table);
        put_stoa(&table);
        read.schema = &table.schema;
        options.writer.row_group_nrows = (uint32_t)stoa_test_random_between(&r, 1, 1000);
        first = run_file("table.stoa", text_path, options, &first_nbytes);
        free(run_file(text_path, "2.stoa", read, &nbytes)); /* text -> Stoa */
        got = run_file("2.stoa", again_path, options, &nbytes);
        assert_same("Stoa -> text -> Stoa -> text", first, first_nbytes, got, nbytes);
        free(got);
        free(run_file("table.stoa", "3.stoa", options, &nbytes)); /* Stoa -> Stoa */
        got = run_file("3.stoa", again_path, options, &nbytes);
        assert_same("Stoa -> Stoa -> text", first, first_nbytes, got, nbytes);
        free(got);
        got = run_file(text_path, again_path, read, &nbytes); /* text -> text */
        assert_same("text -> text", first, first_nbytes, got, nbytes);
        free(got);
        free(first);
        check(stoa_jsonl_format(&table.rows, &json, &json_nbytes, &err), &err);
        got = run_file("table.stoa", "4.jsonl", options, &nbytes);
        assert_same("Stoa -> JSON lines", json, json_nbytes, got, nbytes);
        stoa_free(json);
        free(got);
        table_reset(&table);
    }
}

static void filter_and_columns_are_those_of_the_whole_table_filtered(void **state)
{
    (void)state;
    struct stoa_test_random r;

    stoa_test_random_init(&r, "filter_and_columns_are_those_of_the_whole_table_filtered");
    for (size_t n = stoa_test_ncases(300); n > 0; n--) {
        struct stoa_convert_options plain = {.jobs = 2}, given;
        struct table table;
        struct choice choice;
        size_t expected_nbytes, nbytes;
        char *expected, *got;

        table_init(&r, 2000, &table);
        put_inputs(&r, &table);
        choice_init(&r, &table, &choice);
        given = choice.options;
        given.paths = table.inputs;
        given.npaths = table.ninputs;
        given.schema = &table.schema;
        given.jobs = 2;
        /* CSV -> all of it as Stoa -> the rows as CSV. */
        plain.paths = table.inputs;
        plain.npaths = table.ninputs;
        plain.schema = &table.schema;
        plain.output = "all.stoa";
        free(run(plain, &nbytes));
        expected = run_file("all.stoa", "expected.csv", choice.options, &expected_nbytes);
        /* CSV -> the rows as Stoa -> CSV. */
        given.output = "some.stoa";
        free(run(given, &nbytes));
        got = run_file("some.stoa", "got.csv", (struct stoa_convert_options){0}, &nbytes);
        assert_same("filtered on the way to Stoa", expected, expected_nbytes, got, nbytes);
        free(got);
        /* CSV -> the rows as CSV. */
        given.output = "got.csv";
        got = run(given, &nbytes);
        assert_same("filtered on the way to text", expected, expected_nbytes, got, nbytes);
        free(got);
        free(expected);
        choice_reset(&choice);
        table_reset(&table);
    }
}

static void columns_that_are_not_wanted_may_hold_anything(void **state)
{
    (void)state;
    static const char text[] = "a,b,c\n1,x,2\n3,4,5\n";
    static const char *const columns[] = {"c"};
    const struct stoa_type int64 = {.id = STOA_INT64};
    struct stoa_convert_options options = {.columns = columns, .ncolumns = 1};
    struct stoa_schema schema = {0};
    struct stoa_error err = {0};
    size_t nbytes;
    char *got;

    for (const char *name = "abc"; *name != '\0'; name++)
        check(stoa_schema_add(&schema, (char[2]){*name, '\0'}, &int64, true, &err), &err);
    stoa_test_folder_put("t.csv", text, strlen(text));
    options.schema = &schema;
    check(stoa_filter_parse("a > 1", (struct stoa_filter **)&options.filter, &err), &err);
    got = run_file("t.csv", "o.csv", options, &nbytes);
    assert_string_equal(got, "c\n5\n");
    free(got);
    stoa_filter_free((struct stoa_filter *)options.filter);
    stoa_schema_reset(&schema);
}

static void tables_without_rows_are_files(void **state)
{
    (void)state;
    static const char *const outputs[] = {"o.stoa", "o.csv", "o.jsonl"};
    static const char *const texts[] = {"a,b\n", "a,b"};

    for (size_t k = 0; k < 2; k++) {
        stoa_test_folder_put("t.csv", texts[k], strlen(texts[k]));
        for (size_t i = 0; i < 3; i++) {
            struct stoa_convert_options options = {.to = STOA_FORMAT_AUTO};
            size_t nbytes;
            char *got = run_file("t.csv", outputs[i], options, &nbytes);

            if (i > 0)
                assert_string_equal(got, i == 1 ? "a,b\n" : "");
            free(got);
            if (i == 0) {
                got = run_file("o.stoa", "o2.csv", options, &nbytes);
                assert_string_equal(got, "a,b\n");
                free(got);
            }
        }
    }
}

/* ---- Errors. ---- */

/* A table of numbers in which some fields are none. */
static void put_bad_files(struct stoa_test_random *r, size_t nfiles)
{
    for (size_t i = 0; i < nfiles; i++) {
        size_t nrows = (size_t)stoa_test_random_below(r, 3000), nbytes = 0;
        char *text = malloc(16 + 32 * (nrows + 1)), path[32];

        nbytes += (size_t)sprintf(text, "a,b\n");
        for (size_t k = 0; k < nrows; k++) {
            bool is_bad = stoa_test_random_one_in(r, 2000);

            nbytes += (size_t)sprintf(text + nbytes, "%zu,%s\n", k, is_bad ? "bad" : "0.5");
            if (stoa_test_random_one_in(r, 4000))
                nbytes += (size_t)sprintf(text + nbytes, "1,2,3\n");
        }
        snprintf(path, sizeof(path), "%zu.csv", i);
        stoa_test_folder_put(path, text, nbytes);
        free(text);
    }
}

static void the_first_error_is_the_same_for_any_jobs(void **state)
{
    (void)state;
    static const char *const paths[] = {"0.csv", "1.csv", "2.csv", "3.csv"};
    const struct stoa_type int64 = {.id = STOA_INT64}, float64 = {.id = STOA_FLOAT64};
    struct stoa_schema schema = {0};
    struct stoa_test_random r;
    struct stoa_error err = {0};
    size_t nfailed = 0, ncases = stoa_test_ncases(60);

    stoa_test_random_init(&r, "the_first_error_is_the_same_for_any_jobs");
    check(stoa_schema_add(&schema, "a", &int64, true, &err), &err);
    check(stoa_schema_add(&schema, "b", &float64, true, &err), &err);
    mkdir("out", 0700);
    for (size_t n = 0; n < ncases; n++) {
        struct stoa_convert_options options = {
            .paths = paths, .npaths = 4, .output = "out/o.stoa", .schema = &schema, .jobs = 1};
        struct stoa_error expected = {0};
        enum stoa_status expected_st;

        put_bad_files(&r, 4);
        options.writer.row_group_nrows = (uint32_t)stoa_test_random_between(&r, 50, 1000);
        options.replace = true;
        expected_st = stoa_convert(&options, NULL, &expected);
        nfailed += expected_st == STOA_ERR_DATA;
        for (options.jobs = 2; options.jobs <= 8; options.jobs *= 2) {
            err = (struct stoa_error){0};
            assert_int_equal(stoa_convert(&options, NULL, &err), expected_st);
            if (expected_st == STOA_OK)
                continue;
            assert_string_equal(err.message, expected.message);
            assert_int_equal(err.offset, expected.offset);
        }
        if (expected_st == STOA_OK)
            unlink("out/o.stoa");
        assert_int_equal(chdir("out"), 0);
        stoa_test_folder_expect("", NULL);
        assert_int_equal(chdir(".."), 0);
    }
    assert_true(nfailed > 0);
    stoa_schema_reset(&schema);
}

static void errors_name_the_place(void **state)
{
    (void)state;
    static const char text[] = "a,b\n1,2\n3,x\n4,y\n";
    const struct stoa_type int64 = {.id = STOA_INT64};
    const char *path = "t.csv";
    struct stoa_schema schema = {0};
    struct stoa_error err = {0};
    struct stoa_convert_options options = {
        .paths = &path, .npaths = 1, .output = "o.stoa", .schema = &schema};

    check(stoa_schema_add(&schema, "a", &int64, true, &err), &err);
    check(stoa_schema_add(&schema, "b", &int64, true, &err), &err);
    stoa_test_folder_put("t.csv", text, strlen(text));
    assert_int_equal(stoa_convert(&options, NULL, &err), STOA_ERR_DATA);
    assert_string_equal(err.message, "t.csv: line 3, column 2 (b): \"x\" is not int64");
    assert_int_equal(err.offset, 10);
    stoa_test_folder_expect("t.csv", text);
    stoa_schema_reset(&schema);
}

static struct stoa_filter *parse_filter(const char *text)
{
    struct stoa_filter *filter = NULL;
    struct stoa_error err = {0};

    check(stoa_filter_parse(text, &filter, &err), &err);
    return filter;
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    static const char *const csv[] = {"t.csv"}, *const both[] = {"t.csv", "t.stoa"};
    static const char *const stoa[] = {"t.stoa"};
    static const char *const two[] = {"t.stoa", "t.stoa"};
    static const uint64_t one[] = {0};
    static const char *const twice[] = {"a", "A"};
    const struct stoa_schema schema = {0};
    struct stoa_schema nested = {0};
    struct stoa_filter *deep = parse_filter("a.y.w = 2");
    const struct {
        struct stoa_convert_options options;
        const char *message;
    } cases[] = {
        {{.output = "o.stoa"}, "no input"},
        {{.paths = csv, .npaths = 1, .output = "o"},
         "o: the name does not say which format to write: csv, tsv, jsonl, avro or stoa"},
        {{.paths = csv, .npaths = 1, .output = "o.csv.xz"},
         "o.csv.xz: of compressed output gz and zst are written"},
        {{.paths = csv, .npaths = 1, .output = "o.csv.gz", .compress = STOA_COMPRESS_ZSTD},
         "o.csv.gz: the name says another compression"},
        {{.paths = csv, .npaths = 1, .output = "o.csv.gz", .compress = STOA_COMPRESS_NONE},
         "o.csv.gz: the name says another compression"},
        {{.paths = csv, .npaths = 1, .output = "o.stoa.gz"},
         "o.stoa.gz: a Stoa file is compressed inside, not as a whole"},
        {{.paths = csv, .npaths = 1, .output = "o.csv", .compress = (enum stoa_compress)9},
         "there is no compression 9"},
        {{.paths = csv, .npaths = 1, .output = "o.csv", .rows = one, .nrows = 1},
         "rows can be picked from a Stoa file, not from text"},
        {{.paths = two, .npaths = 2, .output = "o.csv", .rows = one, .nrows = 1},
         "rows can be picked from one file at a time"},
        {{.paths = stoa, .npaths = 1, .output = "o.csv", .rows = one, .nrows = 1, .filter = deep},
         "rows are picked by their numbers or by a filter"},
        {{.paths = both, .npaths = 2, .output = "o.stoa"},
         "t.csv is csv, but t.stoa is stoa: one format at a time"},
        {{.paths = csv, .npaths = 1, .output = "o.csv", .avro_out = {.codec = "null"}},
         "o.csv: a codec is for Avro files"},
        {{.paths = stoa, .npaths = 1, .output = "o.csv", .schema = &schema},
         "a schema can be given for text: a Stoa file has its own"},
        {{.paths = csv, .npaths = 1, .output = "o.csv", .columns = twice, .ncolumns = 2},
         "column \"a\" is selected twice"},
        {{.paths = stoa, .npaths = 1, .output = "o.csv", .columns = twice, .ncolumns = 2},
         "t.stoa: column \"a\" is selected twice"},
        {{.paths = csv, .npaths = 1, .output = "o.stoa", .schema = &nested, .filter = deep},
         "column a: CSV can't hold struct<x:int32,y:struct<z:int32,w:int32>>; JSON lines (jsonl) "
         "can"},
        {{.paths = csv, .npaths = 1, .output = "t.csv", .replace = true},
         "t.csv: is an input: the output needs another file"},
        {{.paths = stoa, .npaths = 1, .output = "t.csv"}, "t.csv: exists and must not be replaced"},
        {{.paths = csv, .npaths = 1, .output = "o.stoa", .memory_nbytes = 1000000},
         "0 MiB of memory are too few: one row group needs about 26 MiB (smaller row groups need "
         "less)"},
    };
    struct stoa_convert_options make = {0};
    size_t nbytes;

    stoa_test_folder_put("t.csv", "a,b\n1,2\n", 8);
    add_nested(&nested, "a", "struct<x:int32,y:struct<z:int32,w:int32>>");
    add_nested(&nested, "b", "int32");
    free(run_file("t.csv", "t.stoa", make, &nbytes));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_error err = {0};

        assert_int_equal(stoa_convert(&cases[i].options, NULL, &err), STOA_ERR_USAGE);
        assert_string_equal(err.message, cases[i].message);
        assert_int_equal(access(cases[i].options.output, F_OK) == 0,
                         strcmp(cases[i].options.output, "t.csv") == 0);
    }
    stoa_filter_free(deep);
    stoa_schema_reset(&nested);
}

/* ---- Output. ---- */

static void an_existing_output_stays_until_all_is_well(void **state)
{
    (void)state;
    static const char *const paths[] = {"../good.csv", "../bad.csv"};
    struct stoa_convert_options options = {.paths = paths, .npaths = 2, .output = "o.csv"};
    struct stoa_error err = {0};

    stoa_test_folder_put("good.csv", "a\n1\n", 4);
    stoa_test_folder_put("bad.csv", "a\n1,2\n", 6);
    mkdir("out", 0700);
    assert_int_equal(chdir("out"), 0);
    stoa_test_folder_put("o.csv", "old", 3);
    assert_int_equal(stoa_convert(&options, NULL, &err), STOA_ERR_USAGE);
    assert_int_equal(err.os_errno, EEXIST);
    stoa_test_folder_expect("o.csv", "old");
    options.replace = true;
    assert_int_equal(stoa_convert(&options, NULL, &err), STOA_ERR_DATA);
    stoa_test_folder_expect("o.csv", "old");
    options.npaths = 1;
    options.dry_run = true;
    check(stoa_convert(&options, NULL, &err), &err);
    stoa_test_folder_expect("o.csv", "old");
    options.dry_run = false;
    check(stoa_convert(&options, NULL, &err), &err);
    stoa_test_folder_expect("o.csv", "a\n1\n");
    assert_int_equal(chdir(".."), 0);
}

static void the_report_tells_what_was_done(void **state)
{
    (void)state;
    static const char *const paths[] = {"1.csv", "2.csv"};
    struct stoa_convert_options options = {
        .paths = paths, .npaths = 2, .output = "o.stoa", .jobs = 2};
    struct stoa_convert_report report;
    struct stoa_error err = {0};
    struct stat info;

    stoa_test_folder_put("1.csv", "a,b\n1,2\n3,4\n", 12);
    stoa_test_folder_put("2.csv", "a,b\n5,6\n", 8);
    check(stoa_convert(&options, &report, &err), &err);
    assert_int_equal(stat("o.stoa", &info), 0);
    assert_int_equal(report.from, STOA_FORMAT_CSV);
    assert_int_equal(report.to, STOA_FORMAT_STOA);
    assert_int_equal(report.ninputs, 2);
    assert_int_equal(report.nrows, 3);
    assert_int_equal(report.ncolumns, 2);
    assert_int_equal(report.input_nbytes, 20);
    assert_int_equal(report.output_nbytes, info.st_size);
}

/* Sends half of a table, asks for the end, and sends the rest. */
struct canceller {
    volatile sig_atomic_t cancel;
    const char *path;
};

static void *cancel_half_way(void *argument)
{
    struct canceller *canceller = argument;
    int fd = open(canceller->path, O_WRONLY);
    char text[4096];

    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = i % 8 == 7 ? '\n' : '1';
    for (int i = 0; i < 1000; i++) {
        if (i == 500)
            __atomic_store_n(&canceller->cancel, 1, __ATOMIC_RELAXED);
        if (write(fd, text, sizeof(text)) < 0) /* nobody reads any more */
            break;
    }
    close(fd);
    return NULL;
}

static void a_cancelled_conversion_leaves_nothing(void **state)
{
    (void)state;
    char *folder = getcwd(NULL, 0), path[600];
    const char *paths[] = {path};

    snprintf(path, sizeof(path), "%s/fifo", folder);
    mkfifo(path, 0600);
    mkdir("out", 0700);
    signal(SIGPIPE, SIG_IGN);
    for (unsigned jobs = 1; jobs <= 3; jobs++) {
        struct canceller canceller = {.path = path};
        struct stoa_convert_options options = {
            .paths = paths, .npaths = 1, .output = "o.stoa", .jobs = jobs};
        struct stoa_error err = {0};
        pthread_t thread;

        options.cancel = &canceller.cancel;
        options.csv.header_nrecords = -1;
        options.writer.row_group_nrows = 1000;
        assert_int_equal(pthread_create(&thread, NULL, cancel_half_way, &canceller), 0);
        assert_int_equal(chdir("out"), 0);
        assert_int_equal(stoa_convert(&options, NULL, &err), STOA_ERR_CANCELLED);
        assert_string_equal(err.message, "stopped on request");
        stoa_test_folder_expect("", NULL);
        assert_int_equal(chdir(".."), 0);
        pthread_join(thread, NULL);
    }
    signal(SIGPIPE, SIG_DFL);
    free(folder);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, stoa_test_folder_enter, stoa_test_folder_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(jobs_and_memory_do_not_show),
        TEST(sizes_of_reads_do_not_show),
        TEST(tables_go_through_text_and_come_back),
        TEST(filter_and_columns_are_those_of_the_whole_table_filtered),
        TEST(columns_that_are_not_wanted_may_hold_anything),
        TEST(tables_without_rows_are_files),
        TEST(the_first_error_is_the_same_for_any_jobs),
        TEST(errors_name_the_place),
        TEST(what_makes_no_sense_is_refused),
        TEST(an_existing_output_stays_until_all_is_well),
        TEST(the_report_tells_what_was_done),
        TEST(a_cancelled_conversion_leaves_nothing),
    };

    if (access("/dev/shm", W_OK) == 0) /* thousands of files are made durable */
        setenv("TMPDIR", "/dev/shm", 0);
    return cmocka_run_group_tests_name("convert", tests, NULL, NULL);
}
