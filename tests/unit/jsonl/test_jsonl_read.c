/* JSON lines as batches: what is left when memory runs out, and where units end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "jsonl/evidence.h"
#include "jsonl/jsonl.h"
#include "jsonl/lines.h"
#include "jsonl/parse.h"
#include "support/fault_alloc.h"
#include "support/folder.h"
#include "support/random.h"

static const char text[] =
    "{\"i\":1,\"s\":\"a\\u00e9\",\"l\":[1,null],\"o\":{\"x\":[{\"y\":true}]},\"t\":\"2024-01-01 "
    "00:00:00\"}\n"
    "{\"i\":2.5,\"m\":{\"k\":\"v\"},\"l\":[],\"o\":null}\n"
    "[\n"
    "{\"m\":[1], \"s\" : \"\", \"t\":null, \"d\":123456789012345678901234567890}\n"
    "{\"i\":1,\"i\":2}\n";

/* All rows of a file as JSON lines; bad records are left out. */
static enum stoa_status read_file(const char *path, char **out, size_t *nbytes,
                                  struct stoa_error *err)
{
    const struct stoa_jsonl_options options = {.filename = "f"};
    struct stoa_jsonl_source_options rows = {
        .jsonl = options, .inferred = true, .rejects.on_error = STOA_CSV_ON_ERROR_SKIP};
    struct stoa_jsonl_inputs *inputs = NULL;
    struct stoa_jsonl_inference *inference = NULL;
    struct stoa_batch_source *source = NULL;
    struct stoa_notes *notes = NULL;
    struct stoa_schema schema = {0};
    struct stoa_batch batch = {0};
    struct stoa_unit *unit;
    enum stoa_status st;

    STOA_TRY(stoa_jsonl_inputs_new(&path, 1, &inputs, err));
    STOA_TRY(stoa_jsonl_inference_new(inputs, &options, false, &inference, err));
    STOA_TRY(stoa_jsonl_inference_schema(inference, &schema, NULL, err));
    rows.schema = &schema;
    STOA_TRY(stoa_jsonl_source_open(inputs, &rows, &source, err));
    for (;;) {
        STOA_TRY(source->next(source, &unit, err));
        if (unit == NULL)
            break;
        STOA_TRY(source->read(source, unit, &batch, &notes, err));
        STOA_TRY(source->accept(source, notes, err));
        STOA_TRY(stoa_jsonl_format(&batch, out, nbytes, err));
        stoa_batch_reset(&batch);
        notes->free(notes);
        notes = NULL;
    }
out:
    if (notes != NULL)
        notes->free(notes);
    stoa_batch_reset(&batch);
    if (source != NULL)
        source->close(source);
    stoa_jsonl_inference_free(inference);
    stoa_schema_reset(&schema);
    stoa_jsonl_inputs_free(inputs);
    return st;
}

static enum stoa_status scenario(void *context, struct stoa_error *err)
{
    char *out = NULL;
    size_t nbytes = 0;
    enum stoa_status st = read_file(context, &out, &nbytes, err);

    stoa_free(out);
    return st;
}

static void reading_survives_a_lack_of_memory(void **state)
{
    (void)state;
    stoa_test_folder_put("a.jsonl", text, strlen(text));
    stoa_test_each_failing_alloc(scenario, (void *)(uintptr_t) "a.jsonl");
}

static void rows_are_those_of_the_good_lines(void **state)
{
    static const char wanted[] =
        "{\"i\":1.0,\"s\":\"a\xc3\xa9\",\"l\":[1,null],\"o\":{\"x\":[{\"y\":true}]},"
        "\"t\":\"2024-01-01 00:00:00\",\"m\":null,\"d\":null,\"f\":\"a.jsonl\"}\n"
        "{\"i\":2.5,\"s\":null,\"l\":[],\"o\":null,\"t\":null,\"m\":{\"k\":\"v\"},\"d\":null,"
        "\"f\":\"a.jsonl\"}\n"
        "{\"i\":null,\"s\":\"\",\"l\":null,\"o\":null,\"t\":null,\"m\":[1],"
        "\"d\":123456789012345678901234567890,\"f\":\"a.jsonl\"}\n";
    struct stoa_error err = {0};
    char *out = NULL;
    size_t nbytes = 0;

    (void)state;
    stoa_test_folder_put("a.jsonl", text, strlen(text));
    assert_int_equal(read_file("a.jsonl", &out, &nbytes, &err), STOA_OK);
    assert_int_equal(nbytes, strlen(wanted));
    assert_memory_equal(out, wanted, nbytes);
    stoa_free(out);
}

/* Text is looked at in pieces of 64 KiB: lines across their ends, and lines of more than a piece.
 */
static void lines_that_are_no_utf8_are_left_out_wherever_they_stand(void **state)
{
    static const char bad[] = "\x80\xff\xc3";
    struct stoa_buffer in = {0}, wanted = {0};
    struct stoa_test_random r;
    struct stoa_error err = {0};
    char line[64], *filler = NULL, *out = NULL;
    size_t nbytes = 0;

    (void)state;
    stoa_test_random_init(&r, "lines_that_are_no_utf8_are_left_out_wherever_they_stand");
    assert_int_equal(stoa_alloc(&filler, 150000, NULL), STOA_OK);
    for (int i = 0; i < 3000; i++) {
        const size_t n =
            stoa_test_random_below(&r, stoa_test_random_one_in(&r, 200) ? 150000 : 400);
        const bool is_good = !stoa_test_random_one_in(&r, 9);

        memset(filler, 'x', n);
        if (n >= 2)
            memcpy(filler + stoa_test_random_below(&r, n - 1), "\xc3\xa9", 2);
        snprintf(line, sizeof(line), "{\"i\":%d,\"s\":\"", i);
        for (int k = 0; k <= (int)is_good; k++) {
            struct stoa_buffer *to = k == 0 ? &in : &wanted;

            assert_int_equal(stoa_buffer_append(to, line, strlen(line), NULL), STOA_OK);
            assert_int_equal(stoa_buffer_append(to, filler, n, NULL), STOA_OK);
            if (!is_good)
                assert_int_equal(
                    stoa_buffer_append(to, &bad[stoa_test_random_below(&r, 3)], 1, NULL), STOA_OK);
            assert_int_equal(k == 0 ? stoa_buffer_append(to, "\"}\n", 3, NULL)
                                    : stoa_buffer_append(to, "\",\"f\":\"a.jsonl\"}\n", 17, NULL),
                             STOA_OK);
        }
    }
    stoa_test_folder_put("a.jsonl", (const char *)in.data, in.nbytes);
    assert_int_equal(read_file("a.jsonl", &out, &nbytes, &err), STOA_OK);
    assert_int_equal(nbytes, wanted.nbytes);
    assert_memory_equal(out, wanted.data, nbytes);
    stoa_free(out);
    stoa_free(filler);
    stoa_buffer_free(&in);
    stoa_buffer_free(&wanted);
}

/* Units of a text, with so many lines and bytes at the most: "3 lines, 20 bytes at 0; ...". */
static char *units_of(const char *lines, uint32_t nlines, uint64_t nbytes, uint64_t max_nbytes,
                      bool in_parts)
{
    struct stoa_stream *stream = NULL;
    struct stoa_jsonl_cutter cutter;
    struct stoa_jsonl_text unit;
    static char out[512];
    size_t n = 0;

    assert_int_equal(stoa_stream_open_memory(lines, strlen(lines), "x", &stream, NULL), STOA_OK);
    stoa_jsonl_cutter_init(&cutter, stream, nlines, nbytes, max_nbytes);
    cutter.passes_large = true;
    cutter.in_parts = in_parts;
    for (out[0] = '\0';;) {
        assert_int_equal(stoa_jsonl_cutter_next(&cutter, &unit, NULL), STOA_OK);
        if (unit.text == NULL)
            break;
        n += (size_t)snprintf(out + n, sizeof(out) - n, "%u@%u+%u%s ", (unsigned)unit.nlines,
                              (unsigned)unit.line, (unsigned)unit.nbytes,
                              unit.large_nbytes > 0 ? "!" : "");
        stoa_free(unit.text);
    }
    stoa_jsonl_cutter_reset(&cutter);
    stoa_stream_close(stream);
    return out;
}

static void units_end_behind_whole_lines(void **state)
{
    static const struct {
        const char *lines;
        uint32_t nlines;
        uint64_t nbytes, max_nbytes;
        bool in_parts;
        const char *units; /* lines@first line+bytes, ! for the beginning of one too large */
    } cases[] = {
        {"", 0, 0, 0, false, ""},
        {"\xef\xbb\xbf", 0, 0, 0, false, ""},
        {"\xef\xbb\xbf{}", 0, 0, 0, false, "1@1+2 "},
        {"a\nb\n\nc", 0, 0, 0, false, "4@1+6 "},
        {"a\nb\nc\n", 2, 0, 0, false, "2@1+4 1@3+2 "},
        {"aaa\nbbb\nccc\n", 0, 8, 0, false, "2@1+8 1@3+4 "},
        {"aaa\nbbb\nccc\n", 0, 2, 0, false, "1@1+4 1@2+4 1@3+4 "},
        {"aaa\nbbbbbbbb\nccc", 0, 0, 5, false, "1@1+4 1@2+5! 1@3+3 "},
        {"aaaaaaaa", 0, 0, 5, false, "1@1+5! "},
        {"a\nb\nc\nd\ne\nf\ng\nh\n", 8, 8, 0, false, "4@1+8 4@5+8 "},
        {"a\nb\nc\nd\ne\nf\ng\nh\n", 8, 14, 0, true, "4@1+8 4@5+8 "},
        {"a\nb\nc\nd\ne\nf\ng\nh\n", 7, 10, 0, true, "3@1+6 3@4+6 2@7+4 "},
        {"aaaa\nb\ncccc\nddd\ne\n", 4, 10, 0, true, "2@1+7 2@3+9 1@5+2 "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(units_of(cases[i].lines, cases[i].nlines, cases[i].nbytes,
                                     cases[i].max_nbytes, cases[i].in_parts),
                            cases[i].units);
}

static const char types[] = "{\"stoa_schema\":1,\"fields\":[{\"name\":\"l\",\"type\":\"list<struct<"
                            "a:int8,b:list<int8>>>\"},"
                            "{\"name\":\"m\",\"type\":\"map<utf8,int8>\"},"
                            "{\"name\":\"f\",\"type\":\"fixed_list<int8,3>\"}]}";

/* A row of the parser; what is wrong with it. */
static enum stoa_jsonl_wrong parse(struct stoa_jsonl_parser *parser, const char *line)
{
    char padded[256] = {0};

    snprintf(padded, sizeof(padded) - STOA_JSONL_SLACK, "%s\n", line);
    return stoa_jsonl_parser_line(parser, padded) != NULL ? STOA_JSONL_FINE : parser->wrong;
}

static void nulls_in_lists_have_a_limit(void **state)
{
    static const struct {
        const char *line;
        size_t nnulls; /* in lists and the like */
    } cases[] = {
        {"{}", 3},                       /* those of the fixed_list */
        {"{\"f\":[1,2,3]}", 0},          /* and a null list, which has no items */
        {"{\"f\":[1,null,3]}", 1},       /* written out */
        {"{\"f\":[1,2,3],\"l\":[]}", 0}, /* no item */
        {"{\"f\":[1,2,3],\"l\":[{\"a\":1}]}", 1},
        {"{\"f\":[1,2,3],\"l\":[{},{\"b\":[]},{\"a\":1,\"b\":[]}]}", 3},
        {"{\"f\":[1,2,3],\"l\":[null,{}]}", 5}, /* the struct, and its members */
        {"{\"f\":[1,2,3],\"m\":{\"x\":null}}", 1},
    };
    struct stoa_schema schema = {0};
    struct stoa_jsonl_shape shape;
    struct stoa_error err = {0};

    (void)state;
    assert_int_equal(stoa_schema_parse_json(types, strlen(types), &schema, &err), STOA_OK);
    assert_int_equal(stoa_jsonl_shape_init(&shape, &schema, NULL, NULL, &err), STOA_OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stoa_jsonl_parser parser;

        assert_int_equal(stoa_jsonl_parser_init(&parser, &shape, 1, &err), STOA_OK);
        parser.nlist_nulls = STOA_JSONL_MAX_LIST_NULLS - cases[i].nnulls;
        assert_int_equal(parse(&parser, cases[i].line), STOA_JSONL_FINE);
        assert_int_equal(parser.nlist_nulls, STOA_JSONL_MAX_LIST_NULLS);
        if (cases[i].nnulls > 0) { /* one more is too many, and a line that is no row has none */
            parser.nlist_nulls = STOA_JSONL_MAX_LIST_NULLS - cases[i].nnulls + 1;
            assert_int_equal(parse(&parser, cases[i].line), STOA_JSONL_NO_MEMORY);
            assert_int_equal(parser.err.status, STOA_ERR_LIMIT);
            assert_string_equal(parser.err.message,
                                "the lists of a unit have more than 134217728 nulls, which is the "
                                "limit (with a smaller --row-group-rows there are fewer)");
            assert_int_equal(parser.nlist_nulls, STOA_JSONL_MAX_LIST_NULLS - cases[i].nnulls + 1);
        }
        stoa_jsonl_parser_reset(&parser);
    }
    stoa_jsonl_shape_reset(&shape);
    stoa_schema_reset(&schema);
}

static void each_table_of_keys_has_its_own_seed(void **state)
{
    struct stoa_schema schema = {0};
    struct stoa_jsonl_shape shapes[2];
    struct stoa_jsonl_evidence *records[2], *child;
    struct stoa_error err = {0};

    (void)state;
    assert_int_equal(stoa_schema_parse_json(types, strlen(types), &schema, &err), STOA_OK);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(stoa_jsonl_shape_init(&shapes[i], &schema, NULL, NULL, &err), STOA_OK);
        assert_int_equal(stoa_jsonl_shape_find(&shapes[i], 0, "l", 1), 1);
        assert_int_equal(stoa_jsonl_evidence_new(&records[i], &err), STOA_OK);
        assert_int_equal(stoa_jsonl_evidence_child(records[i], "a", 1, &child, &err), STOA_OK);
    }
    assert_int_not_equal(shapes[0].seed, shapes[1].seed);
    assert_int_not_equal(records[0]->seed, records[1]->seed);
    for (size_t i = 0; i < 2; i++) {
        stoa_jsonl_evidence_free(records[i]);
        stoa_jsonl_shape_reset(&shapes[i]);
    }
    stoa_schema_reset(&schema);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, stoa_test_folder_enter, stoa_test_folder_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_are_those_of_the_good_lines),
        TEST(lines_that_are_no_utf8_are_left_out_wherever_they_stand),
        TEST(reading_survives_a_lack_of_memory),
        cmocka_unit_test(units_end_behind_whole_lines),
        cmocka_unit_test(each_table_of_keys_has_its_own_seed),
        cmocka_unit_test(nulls_in_lists_have_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
