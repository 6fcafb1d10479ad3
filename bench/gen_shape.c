/*
 * Writes a Stoa file of a given shape, for measuring wide and long files:
 *
 *     gen_shape COLUMNS ROW_GROUPS ROWS_OF_A_GROUP OUT
 *
 * Columns c0, c1, ... are integers that rise, floats, words and integers with nulls by turns; the
 * same shape gives the same file.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stoa.h>

#include "base/alloc.h"
#include "column/builder.h"

static void check(enum stoa_status st, const struct stoa_error *err)
{
    if (st == STOA_OK)
        return;
    fprintf(stderr, "gen_shape: %s\n", err->message);
    exit(1);
}

static uint64_t noise(uint64_t x)
{
    x = (x + 1) * UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    return x ^ x >> 27;
}

static void make_schema(uint32_t ncolumns, struct stoa_schema *out)
{
    static const enum stoa_type_id ids[] = {STOA_INT64, STOA_FLOAT64, STOA_UTF8, STOA_INT32};
    struct stoa_error err = {0};

    *out = (struct stoa_schema){.nfields = ncolumns};
    check(stoa_alloc_zeroed(&out->fields, ncolumns, sizeof(*out->fields), &err), &err);
    for (uint32_t i = 0; i < ncolumns; i++) {
        char name[16];
        int n = snprintf(name, sizeof(name), "c%" PRIu32, i);

        out->fields[i].type.id = ids[i % 4];
        out->fields[i].nullable = i % 4 == 3;
        check(stoa_strndup(&out->fields[i].name, name, (size_t)n, &err), &err);
    }
}

static void append(struct stoa_builder *builder, uint32_t column, uint64_t row)
{
    static const char *const words[] = {"alpha", "beta", "gamma", "delta", "epsilon"};
    const uint64_t x = noise(row * 1000003 + column);
    struct stoa_error err = {0};
    const char *word = words[x % 5];
    double value = (double)(x % 10000) / 100;
    uint64_t bits;

    check(stoa_builder_reserve(builder, 1, strlen(word), &err), &err);
    switch (column % 4) {
    case 0:
        stoa_builder_append_64(builder, row * 10 + x % 10);
        break;
    case 1:
        memcpy(&bits, &value, sizeof(bits));
        stoa_builder_append_64(builder, bits);
        break;
    case 2:
        stoa_builder_append_bytes(builder, word, strlen(word));
        break;
    default:
        if (x % 7 == 0)
            stoa_builder_append_null(builder);
        else
            stoa_builder_append_32(builder, (uint32_t)(x % 1000));
    }
}

static void make_batch(const struct stoa_schema *schema, uint64_t first_row, size_t nrows,
                       struct stoa_batch *out)
{
    struct stoa_error err = {0};

    check(stoa_batch_init(out, schema, &err), &err);
    out->nrows = nrows;
    for (uint32_t i = 0; i < schema->nfields; i++) {
        struct stoa_builder builder;

        check(stoa_builder_init(&builder, &schema->fields[i].type, nrows, &err), &err);
        for (size_t k = 0; k < nrows; k++)
            append(&builder, i, first_row + k);
        stoa_builder_finish(&builder, &out->columns[i]);
    }
}

int main(int argc, char **argv)
{
    struct stoa_writer_options options = {0};
    struct stoa_schema schema;
    struct stoa_sink *sink;
    struct stoa_writer *writer;
    struct stoa_error err = {0};
    uint64_t ngroups;

    if (argc != 5) {
        fputs("usage: gen_shape COLUMNS ROW_GROUPS ROWS_OF_A_GROUP OUT\n", stderr);
        return 2;
    }
    ngroups = strtoull(argv[2], NULL, 10);
    options.row_group_nrows = (uint32_t)strtoul(argv[3], NULL, 10);
    make_schema((uint32_t)strtoul(argv[1], NULL, 10), &schema);
    check(stoa_sink_create_file(argv[4], true, &sink, &err), &err);
    check(stoa_writer_open(sink, &schema, &options, &writer, &err), &err);
    for (uint64_t g = 0; g < ngroups; g++) {
        struct stoa_batch batch;

        make_batch(&schema, g * options.row_group_nrows, options.row_group_nrows, &batch);
        check(stoa_writer_append(writer, &batch, &err), &err);
        stoa_batch_reset(&batch);
    }
    check(stoa_writer_finish(writer, &err), &err);
    check(sink->commit(sink, &err), &err);
    stoa_writer_close(writer);
    stoa_sink_close(sink);
    stoa_schema_reset(&schema);
    return 0;
}
