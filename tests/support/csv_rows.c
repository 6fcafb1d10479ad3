/* Plain use of the library's own calls. */
#include "support/csv_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stoa/jsonl.h>

#include "base/alloc.h"
#include "base/error.h"

static void append(struct stoa_buffer *out, const char *text)
{
    assert_int_equal(stoa_buffer_append(out, text, strlen(text), NULL), STOA_OK);
}

char *stoa_test_schema_text(const struct stoa_schema *schema)
{
    struct stoa_buffer out = {0};

    for (uint32_t i = 0; i < schema->nfields; i++) {
        const struct stoa_field *field = &schema->fields[i];
        char *type;

        append(&out, i > 0 ? ", " : "");
        append(&out, field->name);
        append(&out, " ");
        assert_int_equal(stoa_type_print(field, &type, NULL), STOA_OK);
        append(&out, type);
        append(&out, field->nullable ? "" : " not null");
        stoa_free(type);
    }
    assert_int_equal(stoa_buffer_append_zeros(&out, 1, NULL), STOA_OK);
    return (char *)out.data;
}

void stoa_test_schema_parse(const char *text, struct stoa_schema *out)
{
    *out = (struct stoa_schema){0};
    while (*text != '\0') {
        const char *blank = strchr(text, ' ');
        const char *end = strstr(text, ", ");
        char name[64] = "", type_text[128] = "";
        struct stoa_field field;

        assert_non_null(blank);
        if (end == NULL)
            end = text + strlen(text);
        memcpy(name, text, (size_t)(blank - text));
        memcpy(type_text, blank + 1, (size_t)(end - blank - 1));
        assert_int_equal(stoa_field_parse(name, type_text, true, &field, NULL), STOA_OK);
        assert_int_equal(stoa_schema_add_field(out, &field, NULL), STOA_OK);
        stoa_field_reset(&field);
        text = *end != '\0' ? end + 2 : end;
    }
}

/* Appends the rows of `batch`, which is emptied, to *all. */
static enum stoa_status join(struct stoa_batch *all, struct stoa_batch *batch,
                             struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 0; i < all->ncolumns; i++) {
        const struct stoa_array *parts[] = {&all->columns[i], &batch->columns[i]};
        struct stoa_array joined = {0};

        STOA_TRY(stoa_array_concat(&all->schema->fields[i], parts, 2, &joined, err));
        stoa_array_reset(&all->columns[i]);
        all->columns[i] = joined;
    }
    all->nrows += batch->nrows;
out:
    stoa_batch_reset(batch);
    return st;
}

enum stoa_status stoa_test_drain(struct stoa_batch_source *source, struct stoa_batch *out,
                                 struct stoa_error *err)
{
    struct stoa_batch all = {0};
    enum stoa_status st;

    STOA_TRY(stoa_batch_init(&all, source->schema, err));
    for (;;) {
        struct stoa_batch batch;
        struct stoa_notes *notes = NULL;
        struct stoa_unit *unit;

        STOA_TRY(source->next(source, &unit, err));
        if (unit == NULL)
            break;
        STOA_TRY(source->read(source, unit, &batch, &notes, err));
        if (notes != NULL) {
            st = source->accept(source, notes, err);
            notes->free(notes);
            if (st != STOA_OK) {
                stoa_batch_reset(&batch);
                goto out;
            }
        }
        STOA_TRY(join(&all, &batch, err));
    }
    *out = all;
    all = (struct stoa_batch){0};
out:
    stoa_batch_reset(&all);
    return st;
}

enum stoa_status stoa_test_csv_read(const char *const *paths, size_t npaths,
                                    const struct stoa_csv_options *options,
                                    const struct stoa_schema *schema, struct stoa_schema *inferred,
                                    struct stoa_batch *out, struct stoa_error *err)
{
    struct stoa_csv_source_options source_options = {.schema = schema, .inferred = schema == NULL};
    struct stoa_csv_inputs *inputs = NULL;
    struct stoa_batch_source *source = NULL;
    enum stoa_status st;

    if (options != NULL)
        source_options.csv = *options;
    if (schema == NULL)
        *inferred = (struct stoa_schema){0};
    STOA_TRY(stoa_csv_inputs_new(paths, npaths, &inputs, err));
    if (schema == NULL) {
        STOA_TRY(stoa_csv_inputs_infer(inputs, &source_options.csv, inferred, NULL, err));
        source_options.schema = inferred;
    }
    STOA_TRY(stoa_csv_source_open(inputs, &source_options, &source, err));
    STOA_TRY(stoa_test_drain(source, out, err));
    out->schema = source_options.schema; /* the source's own goes with it */
out:
    if (st != STOA_OK && schema == NULL)
        stoa_schema_reset(inferred);
    if (source != NULL)
        source->close(source);
    stoa_csv_inputs_free(inputs);
    return st;
}

char *stoa_test_rows_text(const struct stoa_batch *batch)
{
    struct stoa_error err = {0};
    char *text = NULL;
    size_t nbytes = 0;
    enum stoa_status st = stoa_jsonl_format(batch, &text, &nbytes, &err);

    assert_string_equal(err.message, "");
    assert_int_equal(st, STOA_OK);
    assert_int_equal(stoa_realloc(&text, nbytes + 1, 1, NULL), STOA_OK);
    text[nbytes] = '\0';
    return text;
}
