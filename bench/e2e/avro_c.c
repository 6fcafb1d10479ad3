/*
 * Avro files by avro-c, value by value, as its documentation reads and writes them: one
 * avro_value_t of the file's schema, filled again for each row, and its fields by their numbers.
 */
#include <avro.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "avro_work.h"

enum { BLOCK_NBYTES = 64 << 10 }; /* its own 16 KiB make it no faster */

/* An open file, and the value that its rows are read into. */
struct input {
    avro_file_reader_t file;
    avro_schema_t schema;
    avro_value_iface_t *class;
    avro_value_t row;
};

/* A field of a row that is kept; text is the row's own. */
union cell {
    struct {
        char *bytes;
        size_t nbytes; /* with the zero at the end, as avro-c counts */
    } text;
    int64_t number;
    double real;
};

struct bench_rows {
    avro_schema_t schema;
    union cell *cells; /* row by row */
    size_t nrows;
    size_t capacity;
    size_t nfields;
};

static int told(char *message)
{
    snprintf(message, BENCH_MESSAGE_NBYTES, "%s", avro_strerror());
    return 1;
}

static int refused(const char *why, char *message)
{
    snprintf(message, BENCH_MESSAGE_NBYTES, "%s", why);
    return 1;
}

static void close_input(struct input *input)
{
    if (input->row.iface != NULL)
        avro_value_decref(&input->row);
    if (input->class != NULL)
        avro_value_iface_decref(input->class);
    if (input->schema != NULL)
        avro_schema_decref(input->schema);
    if (input->file != NULL)
        avro_file_reader_close(input->file);
}

static int open_input(struct input *input, const char *path, char *message)
{
    *input = (struct input){0};
    if (avro_file_reader(path, &input->file) != 0)
        return told(message);
    input->schema = avro_file_reader_get_writer_schema(input->file);
    input->class = avro_generic_class_from_schema(input->schema);
    if (input->class == NULL || avro_generic_value_new(input->class, &input->row) != 0) {
        close_input(input);
        return told(message);
    }
    return 0;
}

/* The next row, in input->row; *more is false at the end. */
static int next_row(struct input *input, bool *more, char *message)
{
    const int result = avro_file_reader_read_value(input->file, &input->row);

    *more = result == 0;
    return result == 0 || result == EOF ? 0 : told(message);
}

/* What stands in field i of a row; lent. */
static int get_cell(const avro_value_t *row, size_t i, union cell *out)
{
    avro_value_t field;
    const char *text;
    int32_t number;

    if (avro_value_get_by_index(row, i, &field, NULL) != 0)
        return 1;
    switch (avro_value_get_type(&field)) {
    case AVRO_STRING:
        if (avro_value_get_string(&field, &text, &out->text.nbytes) != 0)
            return 1;
        out->text.bytes = (char *)text;
        return 0;
    case AVRO_INT32:
        if (avro_value_get_int(&field, &number) != 0)
            return 1;
        out->number = number;
        return 0;
    case AVRO_DOUBLE:
        return avro_value_get_double(&field, &out->real);
    default:
        return 1; /* none of the types of the bench */
    }
}

int bench_avro_read(const char *path, const char *column, const char *summed, unsigned nthreads,
                    struct bench_read *out, char *message)
{
    struct input input;
    union cell cell;
    bool more = true;
    int result, isummed;
    size_t nfields;

    (void)nthreads; /* it has one */
    if (column != NULL)
        return refused("avro-c reads whole rows", message);
    if (open_input(&input, path, message) != 0)
        return 1;
    nfields = avro_schema_record_size(input.schema);
    isummed = avro_schema_record_field_get_index(input.schema, summed);
    *out = (struct bench_read){0};
    while ((result = next_row(&input, &more, message)) == 0 && more) {
        for (size_t i = 0; i < nfields; i++) {
            if (get_cell(&input.row, i, &cell) != 0) {
                result = told(message);
                goto out;
            }
            if ((int)i == isummed)
                out->sum += cell.number;
        }
        out->nrows++;
    }
out:
    close_input(&input);
    return result;
}

static bool is_text(const struct bench_rows *rows, size_t i)
{
    return avro_typeof(avro_schema_record_field_get_by_index(rows->schema, (int)i)) == AVRO_STRING;
}

void bench_avro_free(struct bench_rows *rows)
{
    if (rows == NULL)
        return;
    for (size_t i = 0; i < rows->nfields; i++)
        for (size_t row = 0; is_text(rows, i) && row < rows->nrows; row++)
            free(rows->cells[row * rows->nfields + i].text.bytes);
    avro_schema_decref(rows->schema);
    free(rows->cells);
    free(rows);
}

static bool grow(struct bench_rows *rows)
{
    const size_t capacity = rows->capacity == 0 ? 1024 : 2 * rows->capacity;
    union cell *cells = realloc(rows->cells, capacity * rows->nfields * sizeof(*cells));

    if (cells == NULL)
        return false;
    rows->cells = cells;
    rows->capacity = capacity;
    return true;
}

/* Keeps a row; of one that fails nothing is kept. */
static int keep_row(struct bench_rows *rows, const avro_value_t *row, char *message)
{
    union cell *cells;

    if (rows->nrows == rows->capacity && !grow(rows))
        return refused("out of memory", message);
    cells = rows->cells + rows->nrows * rows->nfields;
    for (size_t i = 0; i < rows->nfields; i++) {
        if (get_cell(row, i, &cells[i]) != 0)
            return told(message);
        if (!is_text(rows, i))
            continue;
        cells[i].text.bytes = strdup(cells[i].text.bytes);
        if (cells[i].text.bytes == NULL)
            return refused("out of memory", message);
    }
    rows->nrows++;
    return 0;
}

int bench_avro_load(const char *path, struct bench_rows **out, char *message)
{
    struct bench_rows *rows = calloc(1, sizeof(*rows));
    struct input input;
    bool more = true;
    int result;

    if (rows == NULL)
        return refused("out of memory", message);
    if (open_input(&input, path, message) != 0) {
        free(rows);
        return 1;
    }
    rows->schema = avro_schema_incref(input.schema);
    rows->nfields = avro_schema_record_size(rows->schema);
    while ((result = next_row(&input, &more, message)) == 0 && more)
        if ((result = keep_row(rows, &input.row, message)) != 0)
            break;
    close_input(&input);
    if (result != 0)
        bench_avro_free(rows);
    else
        *out = rows;
    return result;
}

static int set_cell(avro_value_t *row, size_t i, const union cell *cell)
{
    avro_value_t field;

    if (avro_value_get_by_index(row, i, &field, NULL) != 0)
        return 1;
    switch (avro_value_get_type(&field)) {
    case AVRO_STRING:
        return avro_value_set_string_len(&field, cell->text.bytes, cell->text.nbytes);
    case AVRO_INT32:
        return avro_value_set_int(&field, (int32_t)cell->number);
    default:
        return avro_value_set_double(&field, cell->real);
    }
}

static int write_rows(const struct bench_rows *rows, avro_file_writer_t file, avro_value_t *value,
                      char *message)
{
    for (size_t row = 0; row < rows->nrows; row++) {
        for (size_t i = 0; i < rows->nfields; i++)
            if (set_cell(value, i, &rows->cells[row * rows->nfields + i]) != 0)
                return told(message);
        if (avro_file_writer_append_value(file, value) != 0)
            return told(message);
    }
    return 0;
}

int bench_avro_write(struct bench_rows *rows, const char *path, const char *codec, char *message)
{
    avro_value_iface_t *class = avro_generic_class_from_schema(rows->schema);
    avro_file_writer_t file;
    avro_value_t value;
    int result;

    if (class == NULL)
        return told(message);
    if (avro_generic_value_new(class, &value) != 0) {
        avro_value_iface_decref(class);
        return told(message);
    }
    if (avro_file_writer_create_with_codec(path, rows->schema, &file, codec, BLOCK_NBYTES) != 0) {
        result = told(message);
    } else {
        result = write_rows(rows, file, &value, message);
        if (avro_file_writer_close(file) != 0 && result == 0)
            result = told(message);
    }
    avro_value_decref(&value);
    avro_value_iface_decref(class);
    return result;
}
