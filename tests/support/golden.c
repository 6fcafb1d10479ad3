#include "support/golden.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "column/array.h"
#include "column/order.h"
#include "column/type.h"
#include "support/columns.h"
#include "support/gen_table.h"

enum { MAX_NTYPES = 8, MAX_NGROUPS = 8 };

struct golden {
    const char *name;
    const char *filter;
    const char *texts[MAX_NTYPES];       /* types as text, instead of `types`; NULL: the end */
    enum stoa_type_id types[MAX_NTYPES]; /* 0: the end; none at all: one of each type */
    unsigned ncopies;                    /* of each type; 0 means 1 */
    int shape;                           /* enum stoa_test_shape, -1: any */
    int nulls;                           /* enum stoa_test_nulls, -1: any */
    size_t nrows[MAX_NGROUPS];           /* 0: the end */
    bool mostly_zero;                    /* the last column, an int64 without nulls */
    bool packed;                         /* the footer */
    bool prices;                         /* the last column, a float64: decimals, some are none */
    bool source_text;                    /* side tables and sources */
    const char *order;                   /* what the rows are sorted by; NULL: nothing */
    bool derived; /* the last two columns: a sum, and what a text determines */
    bool phrases; /* texts of words, and texts of one layout */
    bool blooms;  /* a Bloom filter of every column that can have one */
};

/* clang-format off */
static const struct golden goldens[STOA_TEST_NGOLDEN] = {
    {.name = "all_types", .filter = "c2 > 50 or c13 >= '2013-06-01'",
     .shape = -1, .nulls = -1, .nrows = {60, 5}},
    {.name = "integers", .filter = "c2 > 0",
     .types = {STOA_INT8, STOA_INT16, STOA_INT32, STOA_INT64}, .shape = -1, .nulls = -1,
     .nrows = {900, 500}},
    {.name = "unsigned", .filter = "c2 < 1000000",
     .types = {STOA_UINT8, STOA_UINT16, STOA_UINT32, STOA_UINT64}, .shape = -1, .nulls = -1,
     .nrows = {900, 500}},
    {.name = "floats", .filter = "c0 > 50 or c1 is nan",
     .types = {STOA_FLOAT32, STOA_FLOAT64}, .ncopies = 2, .shape = STOA_TEST_SMALL_RANGE,
     .nulls = -1, .nrows = {500, 100}},
    {.name = "decimals", .filter = "c0 > 0",
     .types = {STOA_DECIMAL}, .ncopies = 4, .shape = -1, .nulls = -1, .nrows = {600, 300}},
    {.name = "times", .filter = "c0 >= '2013-01-15'",
     .types = {STOA_DATE32, STOA_TIME, STOA_TIMESTAMP}, .shape = STOA_TEST_MULTIPLES,
     .nulls = STOA_TEST_NULLS_SOME, .nrows = {900, 500}},
    {.name = "words", .filter = "c0 >= 'M' or c1 is null",
     .types = {STOA_UTF8, STOA_BINARY}, .shape = STOA_TEST_FEW_DISTINCT,
     .nulls = STOA_TEST_NULLS_SOME, .nrows = {800, 800, 800, 800}},
    {.name = "texts", .filter = "c0 < 'b'",
     .types = {STOA_UTF8, STOA_BINARY}, .shape = STOA_TEST_FULL_RANGE,
     .nulls = STOA_TEST_NULLS_SOME, .nrows = {100, 50}},
    {.name = "flags", .filter = "c0 = true and c3 is not null",
     .types = {STOA_BOOL, STOA_ENUM, STOA_NULL, STOA_UUID}, .shape = STOA_TEST_FULL_RANGE,
     .nulls = STOA_TEST_NULLS_SOME, .nrows = {200, 100}},
    {.name = "fixed", .filter = "c0 is not null and c2 is null",
     .types = {STOA_FIXED_BINARY, STOA_UUID}, .ncopies = 2, .shape = STOA_TEST_FEW_DISTINCT,
     .nulls = -1, .nrows = {300, 200}},
    {.name = "runs", .filter = "c0 > 0 and c3 is not null",
     .types = {STOA_INT64, STOA_FLOAT64, STOA_DECIMAL, STOA_UTF8}, .shape = STOA_TEST_RUNS,
     .nulls = STOA_TEST_NULLS_RUNS, .nrows = {2000, 1000}},
    {.name = "sorted", .filter = "c0 > 159993656000",
     .types = {STOA_INT64, STOA_TIMESTAMP, STOA_UTF8}, .shape = STOA_TEST_SORTED,
     .nulls = STOA_TEST_NULLS_NONE, .nrows = {350, 200}},
    {.name = "outliers", .filter = "c0 > 300000",
     .types = {STOA_INT32, STOA_UINT16, STOA_INT64}, .shape = STOA_TEST_OUTLIERS,
     .nulls = STOA_TEST_NULLS_NONE, .nrows = {1500, 500}, .mostly_zero = true},
    {.name = "groups", .filter = "c0 > 3505600 and c1 = 'CMT'",
     .types = {STOA_INT64, STOA_UTF8}, .shape = STOA_TEST_MULTIPLES,
     .nulls = STOA_TEST_NULLS_SOME, .nrows = {150, 1, 150, 2, 150, 3, 150, 90}},
    {.name = "wide", .filter = "c0 = 19",
     .types = {STOA_INT32, STOA_UTF8}, .ncopies = 15, .shape = STOA_TEST_CONSTANT, .nulls = -1,
     .nrows = {20}},
    {.name = "zones", .filter = "c0 < 900",
     .types = {STOA_UINT16}, .shape = STOA_TEST_SMALL_RANGE, .nulls = STOA_TEST_NULLS_RUNS,
     .nrows = {9000, 8193}},
    {.name = "prices", .filter = "c1 > 99.5",
     .types = {STOA_FLOAT32, STOA_FLOAT64}, .shape = STOA_TEST_SMALL_RANGE,
     .nulls = STOA_TEST_NULLS_SOME, .nrows = {1500, 400}, .prices = true},
    {.name = "spans", .filter = "c0 > 0 or c2 > 'PT0S'",
     .texts = {"float16", "decimal(60,9)", "duration(us)", "interval"},
     .shape = -1, .nulls = STOA_TEST_NULLS_SOME, .nrows = {300, 100}},
    {.name = "nested", .filter = "c1.a >= 'M' and c0 is not null",
     .texts = {"list<int32>",
               "struct<a:utf8,b:list<struct<x:float64,y:utf8 not null>>,c:int16 not null>",
               "map<utf8,int16>", "fixed_list<float32,3>"},
     .shape = -1, .nulls = STOA_TEST_NULLS_SOME, .nrows = {150, 1, 60}},
    {.name = "deep", .filter = "c1.a.b.c > 0 or c2 is null",
     .texts = {"list<list<list<utf8>>>",
               "struct<a:struct<b:struct<c:int64,d:fixed_list<list<bool>,2>>>,e:struct<>>",
               "map<int32,map<utf8,struct<l:list<decimal(40,3)>>>>", "list<null>"},
     .shape = -1, .nulls = -1, .nrows = {30, 9, 20}},
    {.name = "lists", .filter = "c0 is not null",
     .texts = {"list<uint8>"}, .shape = STOA_TEST_SMALL_RANGE, .nulls = STOA_TEST_NULLS_RUNS,
     .nrows = {8500, 200}},
    {.name = "packed", .filter = "c0 < 'm' or c9 > 5",
     .types = {STOA_UTF8, STOA_INT64, STOA_DATE32, STOA_FLOAT64}, .ncopies = 3, .shape = STOA_TEST_FEW_DISTINCT,
     .nulls = STOA_TEST_NULLS_SOME, .nrows = {140, 40}, .packed = true},
    {.name = "source_text", .filter = "c0 < 'm' or c3 > 5",
     .types = {STOA_UTF8, STOA_INT64, STOA_DATE32, STOA_FLOAT64}, .shape = STOA_TEST_FEW_DISTINCT,
     .nulls = STOA_TEST_NULLS_SOME, .nrows = {140, 1, 90, 40}, .source_text = true},
    {.name = "derived", .filter = "c3 > '1970-01-16 17:20:00' and c4 is not null",
     .types = {STOA_TIMESTAMP, STOA_INT32, STOA_UTF8, STOA_TIMESTAMP, STOA_INT16}, .shape = STOA_TEST_FEW_DISTINCT,
     .nulls = STOA_TEST_NULLS_SOME, .nrows = {1000, 260}, .derived = true},
    {.name = "ordered", .filter = "c1 > 50 or c0 is null",
     .types = {STOA_UTF8, STOA_FLOAT64, STOA_DECIMAL, STOA_ENUM, STOA_BOOL}, .shape = STOA_TEST_FEW_DISTINCT,
     .nulls = STOA_TEST_NULLS_SOME, .nrows = {90, 1, 40}, .order = "c1:desc:nulls-first,c0,c2:desc,c4"},
    {.name = "phrases", .filter = "c0 > 'p' or c1 = ''",
     .types = {STOA_UTF8, STOA_UTF8, STOA_BINARY}, .shape = STOA_TEST_FEW_DISTINCT,
     .nulls = STOA_TEST_NULLS_SOME, .nrows = {260, 30}, .phrases = true},
    {.name = "keys", .filter = "c0 = 1 or c5 = 'x' or c2 > 0",
     .texts = {"int32", "uint64", "float64", "decimal(30,2)", "decimal(60,0)", "utf8", "timestamp(ms,UTC)",
               "struct<a:int8,b:uuid>"},
     .shape = -1, .nulls = STOA_TEST_NULLS_SOME, .nrows = {40, 1, 25}, .blooms = true},
};
/* clang-format on */

const char *stoa_test_golden_name(size_t i)
{
    return goldens[i].name;
}

const char *stoa_test_golden_filter(size_t i)
{
    return goldens[i].filter;
}

/* A nullable column of a type that is given as text. */
static void add_field(struct stoa_schema *schema, const char *text)
{
    struct stoa_field *field = &schema->fields[schema->nfields];
    struct stoa_error err;
    char name[32];

    field->nullable = true;
    (void)snprintf(name, sizeof(name), "c%u", (unsigned)schema->nfields++);
    if (stoa_strndup(&field->name, name, strlen(name), &err) != STOA_OK ||
        stoa_field_parse_type(field, text, &err) != STOA_OK)
        abort();
}

static void add_fields(const struct golden *golden, struct stoa_test_random *random,
                       struct stoa_schema *schema)
{
    struct stoa_error no_memory;

    *schema = (struct stoa_schema){0};
    if (golden->texts[0] != NULL) {
        if (stoa_alloc_zeroed(&schema->fields, MAX_NTYPES, sizeof(schema->fields[0]), &no_memory) !=
            STOA_OK)
            abort();
        for (size_t i = 0; i < MAX_NTYPES && golden->texts[i] != NULL; i++)
            add_field(schema, golden->texts[i]);
        return;
    }
    if (golden->types[0] == 0) {
        stoa_test_schema_of_all_types(random, schema);
        return;
    }
    for (size_t i = 0; i < MAX_NTYPES && golden->types[i] != 0; i++) {
        for (unsigned k = 0; k < golden->ncopies + (golden->ncopies == 0); k++) {
            struct stoa_type type;
            struct stoa_error err;
            char name[32];

            stoa_test_gen_type(random, golden->types[i], &type);
            (void)snprintf(name, sizeof(name), "c%u", (unsigned)schema->nfields);
            if (stoa_schema_add(schema, name, &type, true, &err) != STOA_OK)
                abort();
            stoa_type_reset(&type);
        }
    }
}

/* Far from zero, and near to each other, are the few that are not: what SPARSE is for. */
static void fill_mostly_zero(struct stoa_test_random *random, struct stoa_array *array)
{
    for (size_t i = 0; i < array->nvalues; i++) {
        int64_t value = 0;

        if (stoa_test_random_one_in(random, 23))
            value = INT64_C(1000000000000000) + stoa_test_random_between(random, 0, 5000);
        memcpy(array->values + i * sizeof(value), &value, sizeof(value));
    }
}

/* What ALP is for. */
static void fill_prices(struct stoa_test_random *random, struct stoa_array *array)
{
    for (size_t i = 0; i < array->nvalues; i++) {
        double value = (double)stoa_test_random_below(random, 10000) / 100;

        if (stoa_test_random_one_in(random, 200))
            value = stoa_test_random_unit(random);
        if (stoa_array_is_null(array, i))
            value = 0;
        memcpy(array->values + i * sizeof(value), &value, sizeof(value));
    }
}

/* The first two columns are numbers, the fourth their sum; the third, a text, determines the fifth.
   Some rows keep neither rule. */
static void fill_derived(struct stoa_test_random *random, struct stoa_batch *batch)
{
    struct stoa_array *columns = batch->columns;

    for (size_t i = 0; i < batch->nrows; i++) {
        int64_t when = INT64_C(1357000000) + (int64_t)stoa_test_random_below(random, 2000000);
        int32_t seconds = (int32_t)stoa_test_random_below(random, 5000);
        const uint8_t *text = columns[2].values + columns[2].offsets[i];
        int64_t sum;
        int16_t number = (int16_t)(columns[2].offsets[i + 1] - columns[2].offsets[i]);

        when = stoa_array_is_null(&columns[0], i) ? 0 : when;
        seconds = stoa_array_is_null(&columns[1], i) ? 0 : seconds;
        memcpy(columns[0].values + i * sizeof(when), &when, sizeof(when));
        memcpy(columns[1].values + i * sizeof(seconds), &seconds, sizeof(seconds));
        if (number > 0)
            number = (int16_t)(number * 37 + text[0] * 101);
        sum = when + seconds + (stoa_test_random_one_in(random, 60) ? 7 : 0);
        number = (int16_t)(number + (stoa_test_random_one_in(random, 60) ? 1 : 0));
        sum = stoa_array_is_null(&columns[3], i) ? 0 : sum;
        number = stoa_array_is_null(&columns[4], i) ? 0 : number;
        memcpy(columns[3].values + i * sizeof(sum), &sum, sizeof(sum));
        memcpy(columns[4].values + i * sizeof(number), &number, sizeof(number));
    }
}

/* The text of a row: words with numbers among them, what FSST is for; or what CHARPACK is for. */
static size_t put_phrase(struct stoa_test_random *random, uint32_t column, char text[64])
{
    static const char *const words[] = {"carefully ", "packages ",   "sleep ",  "quickly ",
                                        "among ",     "the ",        "ironic ", "deposits",
                                        "blithely ",  "theodolites "};
    const size_t nwords = sizeof(words) / sizeof(words[0]);
    const uint64_t number = stoa_test_random_u64(random);
    size_t n = 0;

    if (column == 1)
        return (size_t)snprintf(text, 64, "%08x-%04x", (unsigned)(number >> 32),
                                (unsigned)(number & 0xffff));
    if (column == 2)
        return (size_t)snprintf(text, 64, "%012u", (unsigned)(number >> 34));
    for (unsigned k = 0; k < 3; k++)
        n +=
            (size_t)snprintf(text + n, 64 - n, "%s", words[stoa_test_random_below(random, nwords)]);
    return n + (size_t)snprintf(text + n, 64 - n, "%03u", (unsigned)(number % 1000));
}

static void fill_phrases(struct stoa_test_random *random, uint32_t column, struct stoa_array *array)
{
    uint8_t *texts = NULL;
    struct stoa_error err;
    size_t nbytes = 0;

    stoa_test_check(stoa_array_alloc_buffer(&texts, array->nvalues * 64, &err), &err);
    for (size_t i = 0; i < array->nvalues; i++) {
        char text[64];
        size_t n = put_phrase(random, column, text);

        if (!stoa_array_is_null(array, i)) {
            memcpy(texts + nbytes, text, n);
            nbytes += n;
        }
        array->offsets[i + 1] = (int32_t)nbytes;
    }
    stoa_free(array->values);
    array->values = texts;
}

static void fill_batch(const struct golden *golden, struct stoa_test_random *random,
                       const struct stoa_schema *schema, size_t nrows, struct stoa_batch *batch)
{
    struct stoa_error err;

    if (stoa_batch_init(batch, schema, &err) != STOA_OK)
        abort();
    batch->nrows = nrows;
    for (uint32_t i = 0; i < schema->nfields; i++) {
        uint64_t shape = stoa_test_random_below(random, STOA_TEST_NSHAPES);
        uint64_t nulls = stoa_test_random_below(random, STOA_TEST_NNULLS);

        if (golden->shape >= 0)
            shape = (uint64_t)golden->shape;
        if (golden->nulls >= 0)
            nulls = (uint64_t)golden->nulls;
        stoa_test_gen_array(random, &schema->fields[i], nrows, (enum stoa_test_shape)shape,
                            (enum stoa_test_nulls)nulls, &batch->columns[i]);
        if (golden->mostly_zero && i == schema->nfields - 1)
            fill_mostly_zero(random, &batch->columns[i]);
        if (golden->prices && i == schema->nfields - 1)
            fill_prices(random, &batch->columns[i]);
    }
    for (uint32_t i = 0; i < schema->nfields && golden->phrases; i++)
        fill_phrases(random, i, &batch->columns[i]);
    if (golden->derived)
        fill_derived(random, batch);
}

/* Sorts the rows of all batches, which have as many rows as before then. */
static void sort_rows(struct stoa_test_table *table, const struct stoa_sort_order *order)
{
    const struct stoa_array *parts[MAX_NGROUPS];
    struct stoa_batch all, sorted;
    size_t nrows = 0, at = 0;
    struct stoa_error err;
    uint32_t *rows;

    for (size_t g = 0; g < table->nbatches; g++)
        nrows += table->batches[g].nrows;
    rows = malloc(nrows * sizeof(*rows));
    stoa_test_check(stoa_batch_init(&all, &table->schema, &err), &err);
    stoa_test_check(stoa_batch_init(&sorted, &table->schema, &err), &err);
    all.nrows = sorted.nrows = nrows;
    for (uint32_t i = 0; i < all.ncolumns; i++) {
        for (size_t g = 0; g < table->nbatches; g++)
            parts[g] = &table->batches[g].columns[i];
        stoa_test_check(stoa_array_concat(&table->schema.fields[i], parts, table->nbatches,
                                          &all.columns[i], &err),
                        &err);
    }
    stoa_test_check(stoa_order_sort(order, &all, rows, &err), &err);
    for (uint32_t i = 0; i < all.ncolumns; i++)
        stoa_test_check(stoa_array_take(&table->schema.fields[i], &all.columns[i], rows, nrows,
                                        &sorted.columns[i], &err),
                        &err);
    for (size_t g = 0; g < table->nbatches; g++) {
        const size_t n = table->batches[g].nrows;

        stoa_batch_reset(&table->batches[g]);
        stoa_test_copy_rows(&sorted, at, at + n, &table->batches[g]);
        at += n;
    }
    stoa_batch_reset(&all);
    stoa_batch_reset(&sorted);
    free(rows);
}

void stoa_test_golden_make(size_t i, struct stoa_test_table *out)
{
    const struct golden *golden = &goldens[i];
    struct stoa_rules rules = stoa_default_rules;
    struct stoa_writer_options options = {0};
    struct stoa_test_random random;
    struct stoa_error err;

    rules.full_nrows = 100; /* so that small row groups share dictionaries, too */
    rules.copy_part = 4;
    rules.derive_min_nrows = 256;
    if (!golden->packed) {
        rules.footer_pack_nbytes = 0;
        rules.schema_pack_nbytes = 0;
    }
    *out = (struct stoa_test_table){0};
    stoa_test_random_seed(&random, 1000 + i);
    add_fields(golden, &random, &out->schema);
    if (stoa_alloc_zeroed(&out->batches, MAX_NGROUPS, sizeof(*out->batches), &err) != STOA_OK)
        abort();
    for (size_t g = 0; g < MAX_NGROUPS && golden->nrows[g] != 0; g++) {
        fill_batch(golden, &random, &out->schema, golden->nrows[g], &out->batches[g]);
        out->nbatches++;
    }
    if (golden->order != NULL) {
        struct stoa_sort_order order;

        stoa_test_check(stoa_order_parse(golden->order, &out->schema, &order, &err), &err);
        sort_rows(out, &order);
        options.order = &order;
        stoa_test_file_write_options(&out->schema, out->batches, out->nbatches, &options, &rules,
                                     &out->file);
        stoa_order_reset(&order);
        return;
    }
    if (golden->blooms) {
        const char **names = stoa_test_bloom_columns(&out->schema, &options.nblooms);

        options.blooms = names;
        options.bloom_rate = 0.1;
        stoa_test_file_write_options(&out->schema, out->batches, out->nbatches, &options, &rules,
                                     &out->file);
        free(names);
        return;
    }
    stoa_test_file_write(&out->schema, out->batches, out->nbatches, &rules, &out->file);
    if (golden->source_text)
        stoa_test_table_add_text(&random, out, 3, &rules);
}
