/*
 * A scan gives the rows of a full scan that is filtered afterwards: generated tables, predicates
 * and options. Half of the tables have nested columns, and predicates on parts of structs; some
 * have row groups of several zones and pages; a third are sorted by some of their columns, and
 * their files say so.
 */
#include <stoa/scan.h>

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "column/order.h"
#include "support/gen_filter.h"
#include "support/gen_table.h"
#include "support/stoa_file.h"

enum { MAX_NCOLUMNS = 5, MAX_NGROUPS = 24, MAX_NROWS = 26000 };

/* A table in memory and as a file with an open reader. */
struct table {
    struct stoa_schema schema;
    struct stoa_batch rows;
    struct stoa_test_file file;
    struct stoa_source *source;
    struct stoa_reader *reader;
};

/* One predicate with options on a table, and what is right for it. */
struct scan_case {
    const struct table *table;
    struct stoa_scan_options options;
    uint32_t columns[MAX_NCOLUMNS]; /* of the table, as selected */
    uint32_t ncolumns;
    const char *names[MAX_NCOLUMNS];
    uint32_t *selected; /* rows for which the predicate is true */
    size_t nselected;
    char *text; /* of the predicate, for messages */
};

/* What all cases together made of the counters. */
struct totals {
    size_t ncases;
    uint64_t nselected;
    struct stoa_scan_counters sum;
};

static void check(enum stoa_status st, const struct stoa_error *err)
{
    if (st != STOA_OK)
        fail_msg("%s: %s", stoa_status_name(st), err->message);
}

/* ---- Tables. ---- */

/* Rules under which small tables have several pages a chunk and segments of dictionaries. */
static struct stoa_rules small_rules(struct stoa_test_random *r)
{
    struct stoa_rules rules = stoa_default_rules;

    rules.chooser_period = 1 + (uint32_t)stoa_test_random_below(r, 3);
    rules.full_nrows = 100;
    rules.segment_nbytes = 0;
    rules.shared_max_count = 300;
    rules.local_max_count = 200;
    rules.page_min_nbytes = 1 + (uint32_t)stoa_test_random_below(r, 600);
    rules.page_max_nbytes = 65536;
    return rules;
}

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

/* Writes the rows as row groups of any size; in order, as many small ones. */
static void write_table(struct stoa_test_random *r, const struct stoa_sort_order *order,
                        struct table *table)
{
    const bool many = order->nkeys > 0 && stoa_test_random_one_in(r, 2);
    const size_t most = many ? 2 * table->rows.nrows / MAX_NGROUPS + 1 : SIZE_MAX;
    struct stoa_batch groups[MAX_NGROUPS];
    struct stoa_rules rules = small_rules(r);
    size_t ngroups = 0, begin = 0;

    while (begin < table->rows.nrows) {
        size_t rest = table->rows.nrows - begin;
        size_t n = 1 + (size_t)stoa_test_random_below(r, rest < most ? rest : most);

        if (ngroups == MAX_NGROUPS - 1 ||
            (!many && stoa_test_random_one_in(r, rest > STOA_ZONE_NROWS ? 2 : 4)))
            n = rest;
        slice(&table->rows, begin, begin + n, &groups[ngroups++]);
        begin += n;
    }
    stoa_test_file_write_options(
        &table->schema, groups, ngroups,
        &(struct stoa_writer_options){.order = order->nkeys > 0 ? order : NULL},
        stoa_test_random_one_in(r, 3) ? NULL : &rules, &table->file);
    for (size_t i = 0; i < ngroups; i++)
        stoa_batch_reset(&groups[i]);
}

/* Puts the rows in an order by one column or more, which *order is then; or leaves it empty. */
static void sort_table(struct stoa_test_random *r, struct stoa_batch *rows,
                       struct stoa_sort_order *order)
{
    uint32_t *places = malloc((rows->nrows + 1) * sizeof(*places));
    uint32_t columns[MAX_NCOLUMNS], n = 0;
    struct stoa_error err = {0};

    for (uint32_t i = 0; i < rows->ncolumns; i++)
        if (stoa_type_has_order(&rows->schema->fields[i].type))
            columns[n++] = i;
    check(stoa_alloc_zeroed(&order->keys, MAX_NCOLUMNS, sizeof(*order->keys), &err), &err);
    while (n > 0 && (order->nkeys == 0 || stoa_test_random_one_in(r, 2))) {
        const uint32_t k = (uint32_t)stoa_test_random_below(r, n);

        order->keys[order->nkeys++] =
            (struct stoa_sort_key){.column = columns[k],
                                   .descending = stoa_test_random_one_in(r, 2),
                                   .nulls_first = stoa_test_random_one_in(r, 2)};
        columns[k] = columns[--n];
    }
    check(stoa_order_sort(order, rows, places, &err), &err);
    for (uint32_t i = 0; i < rows->ncolumns; i++) {
        struct stoa_array sorted;

        check(stoa_array_take(&rows->schema->fields[i], &rows->columns[i], places, rows->nrows,
                              &sorted, &err),
              &err);
        stoa_array_reset(&rows->columns[i]);
        rows->columns[i] = sorted;
    }
    free(places);
}

/* The columns from some place on become parts of one column. */
static void join_columns(struct stoa_test_random *r, struct stoa_schema *schema)
{
    uint32_t first = (uint32_t)stoa_test_random_below(r, schema->nfields);
    uint32_t nparts = schema->nfields - first;
    struct stoa_field column = {.nullable = true, .type = {.id = STOA_STRUCT}};
    struct stoa_error err = {0};

    check(stoa_alloc_zeroed(&column.children, nparts, sizeof(column.children[0]), &err), &err);
    check(stoa_strndup(&column.name, "parts.of", 8, &err), &err);
    memcpy(column.children, schema->fields + first, nparts * sizeof(column.children[0]));
    column.nchildren = nparts;
    schema->fields[first] = column;
    schema->nfields = first + 1;
}

static void table_init(struct stoa_test_random *r, struct table *table)
{
    uint32_t ncolumns = 1 + (uint32_t)stoa_test_random_below(r, MAX_NCOLUMNS);
    size_t nrows = stoa_test_random_below(r, stoa_test_random_one_in(r, 5) ? MAX_NROWS : 500);
    struct stoa_sort_order order = {0};
    struct stoa_error err = {0};

    *table = (struct table){0};
    if (stoa_test_random_one_in(r, 2))
        stoa_test_gen_schema(r, ncolumns, &table->schema);
    else
        stoa_test_gen_any_schema(r, ncolumns, 1 + (unsigned)stoa_test_random_below(r, 5),
                                 &table->schema);
    if (stoa_test_random_one_in(r, 4))
        join_columns(r, &table->schema);
    stoa_test_gen_batch(r, &table->schema, nrows, &table->rows);
    for (uint32_t i = 0; i < table->schema.nfields; i++) {
        const struct stoa_field *field = &table->schema.fields[i];
        bool has_texts = field->type.id == STOA_UTF8 || field->type.id == STOA_BINARY;

        if (!has_texts || stoa_test_random_one_in(r, 2))
            continue;
        stoa_array_reset(&table->rows.columns[i]);
        stoa_test_gen_long_texts(r, field, nrows, &table->rows.columns[i]);
    }
    if (stoa_test_random_one_in(r, 3))
        sort_table(r, &table->rows, &order);
    write_table(r, &order, table);
    stoa_order_reset(&order);
    table->source = stoa_test_file_source(&table->file);
    check(stoa_reader_open(table->source, NULL, &table->reader, &err), &err);
}

static void table_reset(struct table *table)
{
    stoa_reader_close(table->reader);
    stoa_source_close(table->source);
    stoa_test_file_reset(&table->file);
    stoa_batch_reset(&table->rows);
    stoa_schema_reset(&table->schema);
}

/* ---- Cases. ---- */

/* The rows that are right: the whole table, filtered. */
static void select_rows(struct scan_case *c, const struct stoa_filter *filter)
{
    const struct stoa_batch *rows = &c->table->rows;
    uint8_t *bits = malloc(stoa_bitmap_nbytes(rows->nrows) + 1);
    struct stoa_matcher *matcher;
    struct stoa_error err = {0};

    c->selected = malloc((rows->nrows + 1) * sizeof(c->selected[0]));
    c->nselected = 0;
    check(stoa_filter_bind(filter, &c->table->schema, &matcher, &err), &err);
    check(stoa_matcher_eval(matcher, rows, bits, &err), &err);
    for (size_t i = 0; i < rows->nrows; i++) {
        if (stoa_bitmap_get(bits, i))
            c->selected[c->nselected++] = (uint32_t)i;
    }
    stoa_matcher_free(matcher);
    free(bits);
}

/* All columns, or some of them in any order, perhaps none. */
static void choose_columns(struct stoa_test_random *r, struct scan_case *c)
{
    const struct stoa_schema *schema = &c->table->schema;
    uint32_t all[MAX_NCOLUMNS];

    for (uint32_t i = 0; i < schema->nfields; i++)
        all[i] = i;
    c->ncolumns = schema->nfields;
    if (stoa_test_random_one_in(r, 2)) {
        c->ncolumns = (uint32_t)stoa_test_random_below(r, schema->nfields + 1);
        c->options.columns = c->names;
        c->options.ncolumns = c->ncolumns;
        for (uint32_t i = 0; i < c->ncolumns; i++) {
            uint32_t k = i + (uint32_t)stoa_test_random_below(r, schema->nfields - i);
            uint32_t column = all[k];

            all[k] = all[i];
            all[i] = column;
        }
    }
    for (uint32_t i = 0; i < c->ncolumns; i++) {
        c->columns[i] = all[i];
        c->names[i] = schema->fields[all[i]].name;
    }
}

static void case_init(struct stoa_test_random *r, const struct table *table,
                      const struct stoa_filter *filter, struct scan_case *c)
{
    struct stoa_error err = {0};

    *c = (struct scan_case){.table = table};
    choose_columns(r, c);
    c->options.filter = filter;
    c->options.jobs = stoa_test_random_one_in(r, 6) ? 3 : (unsigned)stoa_test_random_below(r, 2);
    if (stoa_test_random_one_in(r, 4))
        c->options.limit = stoa_test_random_below(r, table->rows.nrows + 2);
    check(stoa_filter_print(filter, &c->text, &err), &err);
    select_rows(c, filter);
}

static void case_reset(struct scan_case *c)
{
    stoa_free(c->text);
    free(c->selected);
}

/* ---- Checks. ---- */

/* The batch is rows [begin, begin + batch->nrows) of those that are right. */
static void check_batch(const struct scan_case *c, size_t begin, const struct stoa_batch *batch)
{
    const struct table *table = c->table;
    struct stoa_error err = {0};

    if (begin + batch->nrows > c->nselected)
        fail_msg("%s: %zu rows and more, not %zu", c->text, begin + batch->nrows, c->nselected);
    assert_int_equal(batch->ncolumns, c->ncolumns);
    for (uint32_t i = 0; i < c->ncolumns; i++) {
        const struct stoa_field *field = &table->schema.fields[c->columns[i]];
        struct stoa_array expected = {0};

        check(stoa_array_take(field, &table->rows.columns[c->columns[i]], c->selected + begin,
                              batch->nrows, &expected, &err),
              &err);
        if (!stoa_array_equal(field, &expected, &batch->columns[i]))
            fail_msg("%s: column %s differs in rows %zu to %zu of the result", c->text, field->name,
                     begin, begin + batch->nrows);
        check(stoa_array_validate(field, &batch->columns[i], &err), &err);
        stoa_array_reset(&expected);
    }
}

/* How many rows are right under the limit. */
static size_t expected_nrows(const struct scan_case *c)
{
    return c->options.limit != 0 && c->options.limit < c->nselected ? (size_t)c->options.limit
                                                                    : c->nselected;
}

static void check_next(const struct scan_case *c, struct stoa_scan *scan)
{
    struct stoa_error err = {0};
    struct stoa_batch batch;
    size_t nrows = 0, n;

    do {
        check(stoa_scan_next(scan, &batch, &err), &err);
        assert_ptr_equal(batch.schema, stoa_scan_schema(scan));
        check_batch(c, nrows, &batch);
        n = batch.nrows;
        nrows += n;
        stoa_batch_reset(&batch);
    } while (n > 0);
    if (nrows != expected_nrows(c))
        fail_msg("%s: %zu rows, not %zu", c->text, nrows, expected_nrows(c));
    check(stoa_scan_next(scan, &batch, &err), &err); /* the end stays the end */
    assert_int_equal(batch.nrows, 0);
    stoa_batch_reset(&batch);
}

static void check_units(const struct scan_case *c, struct stoa_scan *scan)
{
    struct stoa_error err = {0};
    size_t nrows = 0;

    for (uint32_t i = 0; i < stoa_scan_nunits(scan); i++) {
        struct stoa_batch batch;

        check(stoa_scan_read_unit(scan, i, &batch, &err), &err);
        check_batch(c, nrows, &batch);
        nrows += batch.nrows;
        stoa_batch_reset(&batch);
    }
    assert_int_equal(nrows, c->nselected);
}

static void check_count(const struct scan_case *c, struct stoa_scan *scan)
{
    struct stoa_error err = {0};
    uint64_t nrows;

    check(stoa_scan_count(scan, &nrows, &err), &err);
    if (nrows != expected_nrows(c))
        fail_msg("%s: count is %zu, not %zu", c->text, (size_t)nrows, expected_nrows(c));
}

/* What statistics said of the zones of each term, and of all together, adds up. */
static void check_terms(const struct scan_case *c, struct stoa_scan *scan,
                        const struct stoa_scan_counters *counters)
{
    struct stoa_error err = {0};

    assert_true(stoa_scan_nterms(scan) > 0);
    for (uint32_t i = 0; i < stoa_scan_nterms(scan); i++) {
        struct stoa_scan_term term;

        check(stoa_scan_term(scan, i, &term, &err), &err);
        assert_non_null(term.text);
        if (term.zones_never + term.zones_maybe + term.zones_always != counters->zones.total)
            fail_msg("%s: the zones of \"%s\" don't add up", c->text, term.text);
    }
}

static void add(struct stoa_skip *to, const struct stoa_skip *skip)
{
    to->total += skip->total;
    to->skipped += skip->skipped;
    to->read += skip->read;
}

/* After one pass over all selected rows, or up to the limit. */
static void check_counters(const struct scan_case *c, struct stoa_scan *scan, struct totals *totals)
{
    const uint64_t nrows = c->table->rows.nrows;
    struct stoa_scan_counters n;
    struct stoa_error err = {0};

    check(stoa_scan_counters_get(scan, &n, &err), &err);
    assert_int_equal(n.row_groups.total, stoa_reader_nrow_groups(c->table->reader));
    assert_int_equal(n.row_groups.total, n.row_groups.skipped + n.row_groups.read);
    assert_int_equal(n.row_groups.read, stoa_scan_nunits(scan));
    assert_int_equal(n.zones.total, n.zones.skipped + n.zones.read);
    assert_true(n.zones.read >= n.row_groups.read);
    assert_true(n.rows_considered <= nrows);
    assert_true(n.rows_considered <= n.zones.read * STOA_ZONE_NROWS);
    assert_true(n.rows_selected <= n.rows_considered);
    assert_true(n.pages.total >= n.pages.skipped && n.bytes.total >= n.bytes.skipped);
    if (c->options.limit == 0) {
        assert_int_equal(n.rows_selected, c->nselected);
        assert_true(n.rows_considered + n.zones.skipped * STOA_ZONE_NROWS >= nrows);
    }
    if (n.zones.read == 0)
        assert_int_equal(n.pages.read + n.bytes.read + n.rows_considered, 0);
    check_terms(c, scan, &n);
    totals->ncases++;
    totals->nselected += c->nselected;
    add(&totals->sum.row_groups, &n.row_groups);
    add(&totals->sum.zones, &n.zones);
    add(&totals->sum.pages, &n.pages);
}

static void check_case(struct stoa_test_random *r, const struct table *table,
                       const struct stoa_filter *filter, struct totals *totals)
{
    struct stoa_error err = {0};
    struct stoa_scan *scan;
    struct scan_case c;

    case_init(r, table, filter, &c);
    check(stoa_scan_open(table->reader, &c.options, &scan, &err), &err);
    if (stoa_test_random_one_in(r, 4))
        check_units(&c, scan);
    else
        check_next(&c, scan);
    check_counters(&c, scan, totals);
    check_count(&c, scan);
    stoa_scan_close(scan);
    case_reset(&c);
}

static void scan_gives_the_rows_of_a_full_scan_filtered(void **state)
{
    (void)state;
    struct stoa_test_random r;
    struct totals totals = {0};
    const struct stoa_scan_counters *sum = &totals.sum;
    size_t ntables = stoa_test_ncases(1300);

    stoa_test_random_init(&r, "scan_gives_the_rows_of_a_full_scan_filtered");
    for (size_t i = 0; i < ntables; i++) {
        struct table table;

        table_init(&r, &table);
        for (int k = 0; k < 20; k++) {
            struct stoa_filter *filter =
                stoa_test_gen_filter(&r, &table.rows, (unsigned)stoa_test_random_below(&r, 4));

            check_case(&r, &table, filter, &totals); /* with other columns, limits, jobs */
            check_case(&r, &table, filter, &totals);
            stoa_filter_free(filter);
        }
        table_reset(&table);
    }
    printf("# %zu cases, %" PRIu64 " rows; skipped %" PRIu64 " of %" PRIu64 " row groups, %" PRIu64
           " of %" PRIu64 " zones, %" PRIu64 " of %" PRIu64 " pages\n",
           totals.ncases, totals.nselected, sum->row_groups.skipped, sum->row_groups.total,
           sum->zones.skipped, sum->zones.total, sum->pages.skipped, sum->pages.total);
    /* A scan that skips nothing, or selects nothing, would be right too. */
    assert_true(totals.nselected > 100 * totals.ncases);
    assert_true(sum->row_groups.skipped > sum->row_groups.total / 5);
    assert_true(sum->zones.skipped > sum->zones.total / 5);
    assert_true(sum->pages.skipped > sum->pages.total / 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scan_gives_the_rows_of_a_full_scan_filtered),
    };

    return cmocka_run_group_tests_name("scan_rows", tests, NULL, NULL);
}
