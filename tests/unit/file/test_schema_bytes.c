/* Schemas as bytes: what was stored comes back, and bad bytes are refused with the column named. */
#include "file/schema_bytes.h"
#include "file/schema_pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "support/fault_alloc.h"
#include "support/gen_table.h"
#include "support/random.h"

static char *symbol_texts[] = {"", "rouge", "v\xc3\xa9lo", "a,b"};

/* Every type that can be stored, with parameters at their ends. */
static const struct stoa_type types[] = {
    {.id = STOA_NULL},
    {.id = STOA_BOOL},
    {.id = STOA_INT8},
    {.id = STOA_INT16},
    {.id = STOA_INT32},
    {.id = STOA_INT64},
    {.id = STOA_UINT8},
    {.id = STOA_UINT16},
    {.id = STOA_UINT32},
    {.id = STOA_UINT64},
    {.id = STOA_FLOAT32},
    {.id = STOA_FLOAT64},
    {.id = STOA_DECIMAL, .precision = 1},
    {.id = STOA_DECIMAL, .precision = 38, .scale = 38},
    {.id = STOA_DATE32},
    {.id = STOA_TIME, .unit = STOA_SECOND},
    {.id = STOA_TIME, .unit = STOA_NANO},
    {.id = STOA_TIMESTAMP, .unit = STOA_MICRO},
    {.id = STOA_TIMESTAMP, .unit = STOA_MILLI, .zone = "Europe/Paris"},
    {.id = STOA_UTF8},
    {.id = STOA_BINARY},
    {.id = STOA_FIXED_BINARY, .width = 1},
    {.id = STOA_FIXED_BINARY, .width = 65535},
    {.id = STOA_UUID},
    {.id = STOA_ENUM, .symbols = symbol_texts, .nsymbols = 4},
};
enum { NTYPES = sizeof(types) / sizeof(types[0]) };

static void add_column(struct stoa_schema *schema, const char *name, const struct stoa_type *type,
                       bool nullable)
{
    struct stoa_error err = {0};

    if (stoa_schema_add(schema, name, type, nullable, &err) != STOA_OK)
        fail_msg("%s", err.message);
}

static void set_metadata(struct stoa_metadata *metadata, const char *key, const char *value)
{
    struct stoa_error err = {0};

    assert_int_equal(stoa_metadata_set(metadata, key, value, &err), STOA_OK);
}

static void generate_metadata(struct stoa_test_random *random, struct stoa_metadata *metadata)
{
    size_t npairs = (size_t)stoa_test_random_below(random, 4);

    for (size_t i = 0; i < npairs; i++) {
        char key[32], value[32];

        snprintf(key, sizeof(key), "key \xe2\x82\xac %zu", i);
        snprintf(value, sizeof(value), "%.*s", (int)stoa_test_random_below(random, 20),
                 "nineteen characters");
        set_metadata(metadata, key, value);
    }
}

static void generate_schema(struct stoa_test_random *random, struct stoa_schema *schema)
{
    size_t ncolumns = (size_t)stoa_test_random_below(random, 40);

    for (size_t i = 0; i < ncolumns; i++) {
        char name[300];
        size_t nbytes = (size_t)stoa_test_random_below(random, 280);

        memset(name, 'n', nbytes);
        snprintf(name + nbytes, sizeof(name) - nbytes, "%zu", i);
        add_column(schema, name, &types[stoa_test_random_below(random, NTYPES)],
                   stoa_test_random_one_in(random, 2));
        schema->fields[i].id = (uint32_t)stoa_test_random_wide(random);
        if (stoa_test_random_one_in(random, 3))
            generate_metadata(random, &schema->fields[i].metadata);
    }
    generate_metadata(random, &schema->metadata);
}

/* A SCHM body of a schema, with its zeros left out. */
static void store(const struct stoa_schema *schema, struct stoa_buffer *body)
{
    struct stoa_schema_bytes bytes;
    struct stoa_error err = {0};

    assert_int_equal(stoa_schema_bytes_init(&bytes, schema, &err), STOA_OK);
    assert_int_equal(stoa_schema_bytes_append(&bytes, body, &err), STOA_OK);
    stoa_schema_bytes_reset(&bytes);
}

static void generated_schemas_come_back(void **state)
{
    (void)state;
    struct stoa_test_random random;
    size_t ncases = stoa_test_ncases(300);

    stoa_test_random_init(&random, "generated_schemas_come_back");
    for (size_t i = 0; i < ncases; i++) {
        struct stoa_schema schema = {0}, back = {0};
        struct stoa_buffer body = {0}, again = {0};
        struct stoa_error err = {0};
        uint64_t id;

        generate_schema(&random, &schema);
        store(&schema, &body);
        assert_int_equal(stoa_schema_parse_body(body.data, body.nbytes, &back, &id, &err), STOA_OK);
        assert_true(stoa_schema_equal(&schema, &back));
        store(&back, &again);
        assert_int_equal(body.nbytes, again.nbytes);
        assert_memory_equal(body.data, again.data, body.nbytes);
        stoa_schema_reset(&schema);
        stoa_schema_reset(&back);
        stoa_buffer_free(&body);
        stoa_buffer_free(&again);
    }
}

static void every_type_comes_back_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < NTYPES; i++) {
        struct stoa_schema schema = {0};
        struct stoa_schema_bytes bytes;
        struct stoa_field field = {0};
        struct stoa_error err = {0};

        add_column(&schema, "c", &types[i], true);
        assert_int_equal(stoa_schema_bytes_init(&bytes, &schema, &err), STOA_OK);
        assert_int_equal(stoa_field_parse_node(&bytes.nodes[0], 0, bytes.pool.data,
                                               bytes.pool.nbytes, &field, &err),
                         STOA_OK);
        assert_string_equal(field.name, "c");
        assert_true(stoa_type_equal(&field.type, &types[i]));
        stoa_field_reset(&field);
        stoa_schema_bytes_reset(&bytes);
        stoa_schema_reset(&schema);
    }
}

/*
 * The schema of the refusals below:
 *
 *      0  4 nodes, 4 columns, the pool's length, metadata at 65 of the pool
 *     16  nodes: n int64, d decimal(9,2), t timestamp(us,UTC), e enum(x,y)
 *    112  pool:  "n" "d" [2|9 2|0 pairs] "t" [4|us UTC|1 pair k v] "e" [10|2|1 x 1 y|0 pairs] [1 k
 * v]
 */
static void store_small(struct stoa_buffer *body)
{
    static char *xy[] = {"x", "y"};
    static const struct stoa_type small[] = {
        {.id = STOA_INT64},
        {.id = STOA_DECIMAL, .precision = 9, .scale = 2},
        {.id = STOA_TIMESTAMP, .unit = STOA_MICRO, .zone = "UTC"},
        {.id = STOA_ENUM, .symbols = xy, .nsymbols = 2},
    };
    struct stoa_schema schema = {0};

    add_column(&schema, "n", &small[0], true);
    add_column(&schema, "d", &small[1], true);
    add_column(&schema, "t", &small[2], false);
    add_column(&schema, "e", &small[3], false);
    set_metadata(&schema.fields[2].metadata, "k", "v");
    set_metadata(&schema.metadata, "f", "w");
    store(&schema, body);
    stoa_schema_reset(&schema);
}

enum { NODES = 16, POOL = 16 + 4 * 24 };

/* clang-format off */
static const struct {
    unsigned at, nbytes;
    uint32_t value;
    enum stoa_status status;
    const char *message;
} refusals[] = {
    {0, 4, 5, STOA_ERR_CORRUPT, "schema: lengths that do not add up"},
    {0, 4, UINT32_MAX, STOA_ERR_CORRUPT, "schema: lengths that do not add up"},
    {4, 4, 3, STOA_ERR_CORRUPT, "schema: 3 columns, 4 are there"},
    {8, 4, 4, STOA_ERR_CORRUPT, "schema: lengths that do not add up"},
    {12, 4, 1000, STOA_ERR_CORRUPT, "schema: lengths that do not add up"},
    {12, 4, 0, STOA_ERR_CORRUPT,
     "schema: metadata: longer than the bytes that hold it"},
    {NODES, 4, 100, STOA_ERR_CORRUPT,
     "schema: column 1: name: longer than the bytes that hold it"},
    {NODES + 4, 2, 65535, STOA_ERR_CORRUPT,
     "schema: column 1: name: longer than the bytes that hold it"},
    {NODES + 4, 2, 4, STOA_ERR_CORRUPT, "schema: column 1: name: has a NUL byte"},
    {NODES + 6, 1, 29, STOA_ERR_UNSUPPORTED,
     "schema: column 1 (n): type 29, which this version cannot read"},
    {NODES + 6, 1, STOA_LIST, STOA_ERR_CORRUPT, "schema: node 0: 0 children of type list"},
    {NODES + 6, 1, 0, STOA_ERR_UNSUPPORTED,
     "schema: column 1 (n): type 0, which this version cannot read"},
    {NODES + 6, 1, 255, STOA_ERR_UNSUPPORTED,
     "schema: column 1 (n): type 255, which this version cannot read"},
    {NODES + 6, 1, STOA_DECIMAL, STOA_ERR_CORRUPT,
     "schema: column 1 (n): parameters that its type does not have"},
    {NODES + 7, 1, 2, STOA_ERR_CORRUPT, "node: flags 0x02, only 0x01 are given"},
    {NODES + 24 + 8, 4, 0, STOA_ERR_CORRUPT,
     "schema: node 1: parent 0, must be 4294967295"},
    {NODES + 12, 4, 1, STOA_ERR_CORRUPT, "schema: node 0: 1 children of type int64"},
    {NODES + 12, 4, 4, STOA_ERR_CORRUPT, "schema: node 0: 4 children, 3 nodes follow"},
    {NODES + 24 + 6, 1, STOA_INT8, STOA_ERR_CORRUPT,
     "schema: column 2 (d): parameters that its type does not have"},
    {NODES + 24 + 6, 1, STOA_TIME, STOA_ERR_CORRUPT,
     "schema: column 2 (d): parameters that its type does not have"},
    {NODES + 24 + 20, 4, 99, STOA_ERR_CORRUPT,
     "schema: column 2 (d): parameters: longer than the bytes that hold it"},
    {NODES + 20, 4, 2, STOA_ERR_CORRUPT,
     "schema: column 1 (n): parameters that its type does not have"},
    {NODES + 48 + 20, 4, 2, STOA_ERR_CORRUPT, "schema: column 3 (t): 9 is not the number of a time unit"},
    {POOL + 1, 1, 'n', STOA_ERR_CORRUPT, "schema: there are two columns \"n\""},
    {POOL, 1, 0xff, STOA_ERR_CORRUPT, "schema: column 1: name: not UTF-8"},
    {POOL + 6, 1, 77, STOA_ERR_CORRUPT,
     "schema: column 2 (d): the precision of a decimal is 1 to 76, not 77"},
};
/* clang-format on */

static void bad_bytes_are_refused_by_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        struct stoa_schema schema = {0};
        struct stoa_buffer body = {0};
        struct stoa_error err = {0};
        uint64_t id;

        store_small(&body);
        for (unsigned k = 0; k < refusals[i].nbytes; k++)
            body.data[refusals[i].at + k] = (uint8_t)(refusals[i].value >> (8 * k));
        if (stoa_schema_parse_body(body.data, body.nbytes, &schema, &id, &err) !=
            refusals[i].status)
            fail_msg("refusal %zu: %s (%s)", i, stoa_status_name(err.status), err.message);
        assert_int_equal(err.status, refusals[i].status);
        assert_string_equal(err.message, refusals[i].message);
        stoa_buffer_free(&body);
    }
}

/* A million columns that share one long text would make a reader copy it a million times. */
static void overlapping_names_are_refused(void **state)
{
    (void)state;
    struct stoa_node nodes[3];
    struct stoa_schema schema = {0};
    struct stoa_error err = {0};
    static const uint8_t pool[] = "abcdef";

    for (uint32_t i = 0; i < 3; i++)
        nodes[i] = (struct stoa_node){.name_off = i,
                                      .name_nbytes = 3,
                                      .type = STOA_INT8,
                                      .parent = STOA_NONE32,
                                      .params_off = STOA_NONE32};
    assert_int_equal(stoa_schema_parse_nodes(nodes, 3, pool, 6, NULL, 0, &schema, &err),
                     STOA_ERR_CORRUPT);
    assert_string_equal(err.message, "schema: names and parameters of columns overlap");
    assert_int_equal(stoa_schema_parse_nodes(nodes, 2, pool, 6, NULL, 0, &schema, &err), STOA_OK);
    stoa_schema_reset(&schema);
}

static void every_cut_is_refused(void **state)
{
    (void)state;
    struct stoa_buffer body = {0};

    store_small(&body);
    for (size_t nbytes = 0; nbytes < body.nbytes; nbytes++) {
        struct stoa_schema schema = {0};
        struct stoa_error err = {0};
        uint64_t id;

        assert_int_equal(stoa_schema_parse_body(body.data, nbytes, &schema, &id, &err),
                         STOA_ERR_CORRUPT);
        assert_string_equal(err.message, "schema: lengths that do not add up");
    }
    stoa_buffer_free(&body);
}

/* A schema of many columns is worth it; one that is too large is left as it is. */
static void packed_schemas_come_back(void **state)
{
    (void)state;
    struct stoa_test_random random;
    size_t ncases = stoa_test_ncases(200), npacked = 0;

    stoa_test_random_init(&random, "packed_schemas_come_back");
    for (size_t i = 0; i < ncases; i++) {
        struct stoa_schema schema = {0}, back = {0};
        struct stoa_buffer body = {0}, packed = {0};
        struct stoa_error err = {0};
        uint64_t id;
        uint32_t max_nbytes = i % 5 == 0 ? 200 : 16384;

        stoa_test_gen_schema(&random, (uint32_t)stoa_test_random_below(&random, 60), &schema);
        store(&schema, &body);
        store(&schema, &packed);
        assert_int_equal(stoa_schema_pack(&packed, max_nbytes, &err), STOA_OK);
        if (packed.nbytes == body.nbytes) {
            assert_memory_equal(packed.data, body.data, body.nbytes);
        } else {
            assert_true(body.nbytes - 16 <= max_nbytes);
            assert_true((packed.nbytes + 63) / 64 < (body.nbytes + 63) / 64);
            assert_memory_equal(packed.data, body.data, 16);
            npacked++;
        }
        assert_int_equal(stoa_schema_parse_body(packed.data, packed.nbytes, &back, &id, &err),
                         STOA_OK);
        assert_int_equal(id, stoa_hash(body.data, body.nbytes));
        assert_true(stoa_schema_equal(&schema, &back));
        stoa_schema_reset(&back);
        if (packed.nbytes < body.nbytes) {
            packed.data[16 + stoa_test_random_below(&random, 4)] ^= 0x55; /* magic of the frame */
            assert_int_equal(stoa_schema_parse_body(packed.data, packed.nbytes, &back, &id, &err),
                             STOA_ERR_CORRUPT);
            assert_string_equal(err.message, "schema: lengths that do not add up");
        }
        stoa_schema_reset(&schema);
        stoa_buffer_free(&body);
        stoa_buffer_free(&packed);
    }
    assert_true(npacked > ncases / 3);
}

static void changed_bytes_are_taken_or_refused(void **state)
{
    (void)state;
    struct stoa_test_random random;
    size_t ncases = stoa_test_ncases(3000);

    stoa_test_random_init(&random, "changed_bytes_are_taken_or_refused");
    for (size_t i = 0; i < ncases; i++) {
        struct stoa_schema schema = {0}, back = {0};
        struct stoa_buffer body = {0};
        struct stoa_error err = {0};
        uint64_t id;
        enum stoa_status st;

        if (i % 2 == 0)
            store_small(&body);
        else {
            generate_schema(&random, &schema);
            store(&schema, &body);
        }
        for (unsigned n = 0; n < 1 + i % 4; n++)
            body.data[stoa_test_random_below(&random, body.nbytes)] =
                (uint8_t)stoa_test_random_u64(&random);
        st = stoa_schema_parse_body(body.data, body.nbytes, &back, &id, &err);
        if (st != STOA_OK) {
            assert_true(st == STOA_ERR_CORRUPT || st == STOA_ERR_UNSUPPORTED);
            assert_int_equal(err.status, st);
            assert_true(err.message[0] != '\0');
        }
        stoa_schema_reset(&back);
        stoa_schema_reset(&schema);
        stoa_buffer_free(&body);
    }
}

static enum stoa_status stores_and_parses(void *context, struct stoa_error *err)
{
    uint64_t id;
    struct stoa_schema_bytes bytes = {0};
    struct stoa_schema back = {0};
    struct stoa_buffer body = {0};
    enum stoa_status st;

    STOA_TRY(stoa_schema_bytes_init(&bytes, context, err));
    STOA_TRY(stoa_schema_bytes_append(&bytes, &body, err));
    STOA_TRY(stoa_schema_parse_body(body.data, body.nbytes, &back, &id, err));
    assert_true(stoa_schema_equal(context, &back));
out:
    stoa_schema_bytes_reset(&bytes);
    stoa_schema_reset(&back);
    stoa_buffer_free(&body);
    return st;
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    struct stoa_schema schema = {0};

    for (size_t i = 0; i < NTYPES; i++) {
        char name[8];

        snprintf(name, sizeof(name), "c%zu", i);
        add_column(&schema, name, &types[i], true);
    }
    set_metadata(&schema.fields[3].metadata, "unit", "m");
    set_metadata(&schema.metadata, "title", "types");
    stoa_test_each_failing_alloc(stores_and_parses, &schema);
    stoa_schema_reset(&schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generated_schemas_come_back),
        cmocka_unit_test(every_type_comes_back_alone),
        cmocka_unit_test(bad_bytes_are_refused_by_name),
        cmocka_unit_test(overlapping_names_are_refused),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(packed_schemas_come_back),
        cmocka_unit_test(changed_bytes_are_taken_or_refused),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
