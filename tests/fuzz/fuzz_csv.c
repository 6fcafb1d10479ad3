/*
 * Any text as CSV: rows and bad records must not depend on units and reads, and the rows must come
 * back from the text that they are written as, with quotes of any mode.
 *
 *     byte 0     delimiter, header or not
 *     byte 1, 2  records of a unit, bytes of a read
 *     byte 3, 4  the same for the second time
 *     byte 5     the type of all columns, 0 for what is inferred; how quotes are written
 *     from 6 on  the text
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "csv/csv.h"
#include "csv/input.h"
#include "support/csv_rows.h"
#include "support/fault_io.h"

enum { NOPTIONS = 6 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes);

static const char *const types[] = {
    "",
    "utf8",
    "int64",
    "uint8",
    "float64",
    "float32",
    "decimal(9,2)",
    "bool",
    "date32",
    "time(us)",
    "timestamp(ns)",
    "timestamp(s,UTC)",
    "binary",
    "fixed_binary(2)",
    "enum(\"\",a,\"b\"\"c\",NA)",
    "uuid",
    "null",
    "decimal(76,38)",
    "float16",
    "duration(ms)",
    "interval",
};

static void must(bool good)
{
    if (!good)
        abort();
}

struct text {
    const uint8_t *bytes;
    size_t nbytes;
    struct stoa_csv_options options;
    size_t max_read;
    struct stoa_sink *rejects; /* NULL: a bad record is an error */
};

/* The text as the one input, delivered in pieces. NULL: it is taken for an archive. */
static struct stoa_csv_inputs *open_inputs(const struct text *text,
                                           struct stoa_test_io_fault *fault)
{
    static const char *const path = "-";
    struct stoa_csv_inputs *inputs;
    struct stoa_stream *stream;

    *fault = (struct stoa_test_io_fault){.max_read = text->max_read};
    if (stoa_stream_open_memory(text->bytes, text->nbytes, "fuzz", &stream, NULL) != STOA_OK)
        return NULL;
    must(stoa_csv_inputs_new(&path, 1, &inputs, NULL) == STOA_OK);
    inputs->items[0].stream = stoa_test_faulty_stream(stream, fault);
    return inputs;
}

/* The inferred columns, all of them of one type unless that is types[0]. */
static enum stoa_status make_schema(struct stoa_csv_inputs *inputs, const struct text *text,
                                    const char *type_text, struct stoa_schema *out)
{
    struct stoa_schema inferred = {0};
    struct stoa_type type;
    enum stoa_status st = stoa_csv_inputs_infer(inputs, &text->options, &inferred, NULL, NULL);

    if (st != STOA_OK || type_text[0] == '\0') {
        *out = inferred;
        return st;
    }
    must(stoa_type_parse(type_text, &type, NULL) == STOA_OK);
    *out = (struct stoa_schema){0};
    for (uint32_t i = 0; i < inferred.nfields; i++)
        must(stoa_schema_add(out, inferred.fields[i].name, &type, true, NULL) == STOA_OK);
    stoa_type_reset(&type);
    stoa_schema_reset(&inferred);
    return STOA_OK;
}

/* Reads all; the batch is `{0}` when there is an error, and borrows *schema. */
static enum stoa_status read_all(const struct text *text, const char *type_text,
                                 struct stoa_schema *schema, struct stoa_batch *batch)
{
    struct stoa_csv_source_options options = {
        .csv = text->options,
        .schema = schema,
        .inferred = type_text[0] == '\0',
        .rejects = {.on_error =
                        text->rejects != NULL ? STOA_CSV_ON_ERROR_REJECT : STOA_CSV_ON_ERROR_ABORT,
                    .sink = text->rejects},
    };
    struct stoa_test_io_fault fault;
    struct stoa_csv_inputs *inputs = open_inputs(text, &fault);
    struct stoa_batch_source *source = NULL;
    enum stoa_status st = STOA_OK;

    *batch = (struct stoa_batch){0};
    if (inputs == NULL)
        return STOA_ERR_USAGE;
    if (schema->nfields == 0)
        st = make_schema(inputs, text, type_text, schema);
    if (st == STOA_OK)
        st = stoa_csv_source_open(inputs, &options, &source, NULL);
    if (st == STOA_OK)
        st = stoa_test_drain(source, batch, NULL);
    if (st == STOA_OK) {
        batch->schema = schema;
        must(stoa_batch_validate(batch, NULL) == STOA_OK);
    }
    if (source != NULL)
        source->close(source);
    stoa_csv_inputs_free(inputs);
    return st;
}

/* Both texts without their bad records, which are the same; none where `is_good`. */
static void check_rejects(struct text texts[2], const char *type, bool is_good)
{
    struct stoa_schema schemas[2] = {{0}};
    struct stoa_batch batches[2];
    enum stoa_status st[2];
    const uint8_t *lists[2];
    size_t nbytes[2];

    for (size_t i = 0; i < 2; i++) {
        must(stoa_sink_create_memory(&texts[i].rejects, NULL) == STOA_OK);
        st[i] = read_all(&texts[i], type, &schemas[i], &batches[i]);
        lists[i] = stoa_sink_memory(texts[i].rejects, &nbytes[i]);
    }
    must(st[0] == st[1]);
    must(!is_good || st[0] == STOA_OK);
    if (st[0] == STOA_OK) {
        must(stoa_batch_equal(&batches[0], &batches[1]));
        must(nbytes[0] == nbytes[1] && memcmp(lists[0], lists[1], nbytes[0]) == 0);
        must(!is_good || memchr(lists[0], '\n', nbytes[0]) == lists[0] + nbytes[0] - 1);
    }
    for (size_t i = 0; i < 2; i++) {
        stoa_sink_close(texts[i].rejects);
        stoa_batch_reset(&batches[i]);
        stoa_schema_reset(&schemas[i]);
    }
}

static void check_written(const struct stoa_batch *batch, const struct stoa_csv_options *options,
                          unsigned mode)
{
    struct text text = {.options = *options};
    const struct stoa_csv_write_options out_options = {
        .delimiter = options->delimiter,
        .no_header = options->header_nrecords < 0,
        .quoting = (enum stoa_csv_quoting)(mode % STOA_CSV_QUOTE_NONE),
        .crlf = mode >= STOA_CSV_QUOTE_NONE,
    };
    struct stoa_schema schema;
    struct stoa_batch back;
    char *out = NULL;
    enum stoa_status st;

    must(stoa_schema_copy(&schema, batch->schema, NULL) == STOA_OK);
    must(stoa_csv_format_header(&out_options, &schema, &out, &text.nbytes, NULL) == STOA_OK);
    must(stoa_csv_format(&out_options, batch, &out, &text.nbytes, NULL) == STOA_OK);
    text.bytes = (const uint8_t *)out;
    st = read_all(&text, "given", &schema, &back);
    must(st == STOA_ERR_USAGE || (st == STOA_OK && stoa_batch_equal(batch, &back)));
    stoa_free(out);
    stoa_batch_reset(&back);
    stoa_schema_reset(&schema);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    static const char delimiters[] = ",;\t|:- 1";
    const unsigned ntypes = sizeof(types) / sizeof(types[0]);
    struct text texts[2] = {{0}};
    struct text *first = &texts[0], *second = &texts[1];
    struct stoa_schema schema = {0}, schema_again = {0};
    struct stoa_batch batch, batch_again;
    const char *type;
    enum stoa_status st;

    if (nbytes < NOPTIONS)
        return 0;
    type = types[data[5] % ntypes];
    first->bytes = data + NOPTIONS;
    first->nbytes = nbytes - NOPTIONS;
    first->options = (struct stoa_csv_options){.delimiter = delimiters[data[0] % 8],
                                               .header_nrecords = data[0] >= 128 ? -1 : 0};
    *second = *first;
    first->options.unit_nrows = data[1];
    first->max_read = data[2];
    second->options.unit_nbytes = data[3];
    second->max_read = data[4];

    st = read_all(first, type, &schema, &batch);
    must((read_all(second, type, &schema_again, &batch_again) == STOA_OK) == (st == STOA_OK));
    if (st == STOA_OK) {
        must(stoa_schema_equal(&schema, &schema_again));
        must(stoa_batch_equal(&batch, &batch_again));
        check_written(&batch, &first->options, data[5] / ntypes);
    }
    check_rejects(texts, type, st == STOA_OK);
    stoa_batch_reset(&batch);
    stoa_batch_reset(&batch_again);
    stoa_schema_reset(&schema);
    stoa_schema_reset(&schema_again);
    return 0;
}
