/* Nodes of nested columns: values and nulls of parts, zone maps of all of them, wrong numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "column/schema.h"
#include "stats/zonemap.h"
#include "support/columns.h"
#include "support/gen_table.h"
#include "support/stoa_file.h"

/* A generated table as a file, open, with the nodes of its schema. */
struct nested {
    struct stoa_test_table table;
    struct stoa_schema_node *nodes;
    uint32_t nnodes;
    struct stoa_source *source;
    struct stoa_reader *reader;
};

static void nested_init(struct stoa_test_random *r, size_t turn, struct nested *out)
{
    size_t nrows[3], nbatches = 1 + stoa_test_random_below(r, 3);
    struct stoa_rules small = stoa_default_rules;
    struct stoa_schema schema = {0};
    struct stoa_error err = {0};

    small.page_min_nbytes = 1 + (uint32_t)stoa_test_random_below(r, 300);
    small.page_max_nbytes = 65536;
    for (size_t i = 0; i < nbatches; i++)
        nrows[i] = 1 + stoa_test_random_below(r, turn % 20 == 0 ? 20000 : 80);
    stoa_test_gen_any_schema(r, 1 + (uint32_t)stoa_test_random_below(r, 3),
                             2 + (unsigned)stoa_test_random_below(r, 4), &schema);
    stoa_test_table_make(r, &schema, nrows, nbatches, turn % 2 ? &small : NULL, &out->table);
    stoa_test_check(stoa_schema_nodes(&out->table.schema, &out->nodes, &out->nnodes, &err), &err);
    out->source = stoa_test_file_source(&out->table.file);
    stoa_test_check(stoa_reader_open(out->source, NULL, &out->reader, &err), &err);
}

static void nested_reset(struct nested *nested)
{
    stoa_reader_close(nested->reader);
    stoa_source_close(nested->source);
    stoa_free(nested->nodes);
    stoa_test_table_reset(&nested->table);
}

/* ---- Parts that have a value for each row. ---- */

static void check_part(struct nested *nested, uint32_t group, uint32_t node, struct stoa_rows rows)
{
    const struct stoa_field *field = nested->nodes[node].field;
    const struct stoa_array *all = stoa_batch_node(&nested->table.batches[group], node);
    struct stoa_array expected = {0}, values = {0}, nulls = {0};
    struct stoa_error err = {0};

    stoa_test_check(stoa_reader_node(nested->reader, group, node, rows, &values, NULL, &err), &err);
    stoa_test_check(stoa_reader_nulls(nested->reader, group, node, rows, &nulls, NULL, &err), &err);
    stoa_test_check(stoa_array_slice(field, all, rows.begin, rows.end, &expected, &err), &err);
    if (!stoa_array_equal(field, &values, &expected))
        fail_msg("node %u (%s) differs", node, field->name);
    assert_int_equal(nulls.nvalues, expected.nvalues);
    assert_int_equal(nulls.nnulls, expected.nnulls);
    for (size_t i = 0; i < nulls.nvalues && field->type.id != STOA_NULL; i++)
        assert_int_equal(stoa_array_is_null(&nulls, i), stoa_array_is_null(&expected, i));
    if (field->nchildren > 0) {
        assert_null(nulls.offsets);
        assert_null(nulls.children);
    }
    stoa_array_reset(&nulls);
    stoa_array_reset(&values);
    stoa_array_reset(&expected);
}

static void parts_of_structs_are_read_alone(void **state)
{
    (void)state;
    struct stoa_test_random r;

    stoa_test_random_init(&r, "parts_of_structs_are_read_alone");
    for (size_t i = 0; i < stoa_test_ncases(300); i++) {
        struct nested nested;
        uint32_t group;

        nested_init(&r, i, &nested);
        group = (uint32_t)stoa_test_random_below(&r, nested.table.nbatches);
        for (uint32_t node = 0; node < nested.nnodes; node++) {
            size_t nrows = nested.table.batches[group].nrows;
            size_t begin = (size_t)stoa_test_random_below(&r, nrows);
            size_t end = begin + 1 + (size_t)stoa_test_random_below(&r, nrows - begin);
            struct stoa_array none = {0};
            struct stoa_error err = {0};

            if (!nested.nodes[node].below_list) {
                check_part(&nested, group, node, (struct stoa_rows){begin, end});
                continue;
            }
            assert_int_equal(stoa_reader_node(nested.reader, group, node,
                                              (struct stoa_rows){begin, end}, &none, NULL, &err),
                             STOA_ERR_USAGE);
            assert_int_equal(stoa_reader_nulls(nested.reader, group, node,
                                               (struct stoa_rows){begin, end}, &none, NULL, &err),
                             STOA_ERR_USAGE);
        }
        nested_reset(&nested);
    }
}

/* ---- Zone maps of all nodes. ---- */

struct range {
    size_t begin, end;
};

/* The values of a node that are in some rows, found by walking down from its column. */
static struct range values_of(const struct nested *nested, const struct stoa_batch *batch,
                              uint32_t node, struct range rows)
{
    const struct stoa_schema_node *here = &nested->nodes[node], *above;
    const struct stoa_array *array;
    struct range range;

    if (here->parent == STOA_NO_NODE)
        return rows;
    above = &nested->nodes[here->parent];
    array = stoa_batch_node(batch, here->parent);
    range = values_of(nested, batch, here->parent, rows);
    if (above->field->type.id == STOA_FIXED_LIST)
        return (struct range){range.begin * above->field->type.width,
                              range.end * above->field->type.width};
    if (above->field->type.id == STOA_LIST || above->field->type.id == STOA_MAP)
        return array->nvalues == 0 ? (struct range){0, 0}
                                   : (struct range){(size_t)array->offsets[range.begin],
                                                    (size_t)array->offsets[range.end]};
    return range;
}

/* The stored zone map of some rows says what is true of the values there, and says it all. */
static void check_zone(struct nested *nested, uint32_t group, uint32_t node, uint32_t zone)
{
    const struct stoa_batch *batch = &nested->table.batches[group];
    const struct stoa_type *type = &nested->nodes[node].field->type;
    struct range rows = {zone == UINT32_MAX ? 0 : (size_t)zone * STOA_ZONE_NROWS, batch->nrows};
    struct stoa_zone stored, truth;
    struct stoa_error err = {0};
    const char *what = "";
    struct range values;

    if (zone != UINT32_MAX && rows.end - rows.begin > STOA_ZONE_NROWS)
        rows.end = rows.begin + STOA_ZONE_NROWS;
    values = values_of(nested, batch, node, rows);
    stoa_zone_compute(type, stoa_batch_node(batch, node), values.begin, values.end, &truth);
    stoa_test_check(stoa_reader_zone(nested->reader, node, group, zone, &stored, &err), &err);
    assert_int_equal(stored.nvalues, values.end - values.begin);
    if (!stoa_zone_holds(&stored, &truth, &what) || !stoa_zone_holds(&truth, &stored, &what))
        fail_msg("node %u, row group %u, zone %u: %s", node, group, zone, what);
}

static void zone_maps_tell_the_truth_of_every_node(void **state)
{
    (void)state;
    struct stoa_test_random r;

    stoa_test_random_init(&r, "zone_maps_tell_the_truth_of_every_node");
    for (size_t i = 0; i < stoa_test_ncases(200); i++) {
        struct nested nested;

        nested_init(&r, i, &nested);
        for (uint32_t node = 0; node < nested.nnodes; node++) {
            for (uint32_t g = 0; g < nested.table.nbatches; g++) {
                size_t nzones = stoa_zone_count(nested.table.batches[g].nrows);

                check_zone(&nested, g, node, UINT32_MAX);
                for (uint32_t zone = 0; zone < nzones; zone++)
                    check_zone(&nested, g, node, zone);
            }
        }
        nested_reset(&nested);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_of_structs_are_read_alone),
        cmocka_unit_test(zone_maps_tell_the_truth_of_every_node),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
