/*
 * Arrays made of what a function says.
 */
#include "support/columns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "column/builder.h"

void stoa_test_check(enum stoa_status st, const struct stoa_error *err)
{
    if (st != STOA_OK)
        fail_msg("%s: %s", stoa_status_name(st), err->message);
}

void stoa_test_add_column(struct stoa_schema *schema, const char *name, enum stoa_type_id id,
                          bool nullable)
{
    struct stoa_error err = {0};

    stoa_test_check(stoa_schema_add(schema, name, &(struct stoa_type){.id = id}, nullable, &err),
                    &err);
}

void stoa_test_make_texts(struct stoa_array *out, size_t nvalues, stoa_test_text *text)
{
    struct stoa_type type = {.id = STOA_UTF8};
    struct stoa_builder builder;
    struct stoa_error err = {0};

    stoa_test_check(stoa_builder_init(&builder, &type, nvalues, &err), &err);
    for (size_t i = 0; i < nvalues; i++) {
        char room[64];
        const char *value = text(i, room);
        size_t nbytes = value != NULL ? strlen(value) : 0;

        stoa_test_check(stoa_builder_reserve(&builder, 1, nbytes, &err), &err);
        if (value != NULL)
            stoa_builder_append_bytes(&builder, value, nbytes);
        else
            stoa_builder_append_null(&builder);
    }
    stoa_builder_finish(&builder, out);
}

void stoa_test_make_numbers(struct stoa_array *out, size_t nvalues, int64_t (*number)(size_t i))
{
    struct stoa_type type = {.id = STOA_INT64};
    struct stoa_builder builder;
    struct stoa_error err = {0};

    stoa_test_check(stoa_builder_init(&builder, &type, nvalues, &err), &err);
    for (size_t i = 0; i < nvalues; i++)
        stoa_builder_append_64(&builder, (uint64_t)number(i));
    stoa_builder_finish(&builder, out);
}

void stoa_test_copy_rows(const struct stoa_batch *from, size_t begin, size_t end,
                         struct stoa_batch *out)
{
    struct stoa_error err = {0};

    stoa_test_check(stoa_batch_init(out, from->schema, &err), &err);
    out->nrows = end - begin;
    for (uint32_t i = 0; i < from->ncolumns; i++)
        stoa_test_check(stoa_array_slice(&from->schema->fields[i], &from->columns[i], begin, end,
                                         &out->columns[i], &err),
                        &err);
}

static const char *key_text(size_t i, char room[64])
{
    if (i % 11 == 3)
        return NULL;
    snprintf(room, 64, "a key of some length, number %zu", i * 7919 % 97);
    return room;
}

static int64_t row_number(size_t i)
{
    return (int64_t)i;
}

void stoa_test_make_keys(struct stoa_schema *schema, size_t nrows, struct stoa_batch *out)
{
    struct stoa_error err = {0};

    stoa_test_add_column(schema, "key", STOA_UTF8, true);
    stoa_test_add_column(schema, "row", STOA_INT64, false);
    stoa_test_check(stoa_batch_init(out, schema, &err), &err);
    out->nrows = nrows;
    stoa_test_make_texts(&out->columns[0], nrows, key_text);
    stoa_test_make_numbers(&out->columns[1], nrows, row_number);
}
