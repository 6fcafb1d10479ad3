/*
 * Rows back as text (spec/csv.md, "Restore").
 *
 *     column a | 7   | 8   | ...     cells of a block, printed column by column
 *     column b | "x" |     | ...
 *                 \     \
 *                  7,"x"\n8,\n ...   put together row by row, unless the row's record is kept
 *
 * A block has so many rows that its cells stay in the cache.
 */
#include "csv/restore_rows.h"

#include <string.h>

#include "base/error.h"
#include "csv/form.h"
#include "csv/notes.h"

#define BLOCK_NROWS  1024
#define BLOCK_NCELLS 65536

/* A column of the batch with what the side table says of it. */
struct column {
    struct stoa_csv_printer printer;
    const struct stoa_array *array;
    const uint8_t *bytes;         /* or NULL */
    const struct stoa_array *raw; /* or NULL */
};

struct restorer {
    const struct stoa_csv_restore_rows *rows;
    struct stoa_csv_reading reading;
    struct column *columns;
    uint32_t ncolumns;
    uint32_t *order; /* of the columns in the text */
    uint32_t nordered;
    const struct stoa_array *gaps;
    const struct stoa_array *records;
    struct stoa_csv_pool pool;
    struct stoa_known_days known_days;
    struct stoa_csv_cell *cells; /* [ncolumns][block_nrows] */
    size_t block_nrows;
};

/* A value of a side column of bytes that may have none. */
static struct stoa_csv_cell bytes_at(const struct stoa_array *array, size_t i)
{
    if (array == NULL || stoa_array_is_null(array, i))
        return (struct stoa_csv_cell){NULL, 0};
    return (struct stoa_csv_cell){(const char *)array->values + array->offsets[i],
                                  (size_t)(array->offsets[i + 1] - array->offsets[i])};
}

static void restorer_reset(struct restorer *restorer)
{
    stoa_free(restorer->columns);
    stoa_free(restorer->order);
    stoa_free(restorer->cells);
    stoa_csv_pool_free(&restorer->pool);
}

static enum stoa_status fail_side(const struct stoa_side_column *column, struct stoa_error *err)
{
    return stoa_fail(err, STOA_ERR_CORRUPT, "side table: column %u of kind %u does not fit",
                     column->column, column->kind);
}

/* Which columns of the side table tell of which column of the batch. */
static enum stoa_status take_side(struct restorer *restorer, struct stoa_csv_rule *rules,
                                  struct stoa_error *err)
{
    const struct stoa_side *side = restorer->rows->side;

    for (uint32_t i = 0; i < side->ncolumns; i++) {
        const struct stoa_side_column *from = &side->columns[i];
        const bool has_values = from->array.nvalues > 0;
        struct column *column;

        if (has_values && from->array.nvalues != restorer->rows->batch->nrows)
            return fail_side(from, err);
        if (from->kind == STOA_SIDE_GAP && has_values) {
            restorer->gaps = &from->array;
            continue;
        }
        if (from->kind == STOA_SIDE_RECORD && has_values) {
            restorer->records = &from->array;
            continue;
        }
        if (from->column >= restorer->ncolumns)
            return fail_side(from, err);
        column = &restorer->columns[from->column];
        if (from->kind == STOA_SIDE_FORM) {
            if (!stoa_csv_rule_load(from->rule, &rules[from->column]))
                return fail_side(from, err);
            if (has_values)
                column->bytes = from->array.values;
        } else if (from->kind == STOA_SIDE_RAW && has_values) {
            column->raw = &from->array;
        } else {
            return fail_side(from, err);
        }
    }
    return STOA_OK;
}

/* The columns of the text are all of the batch, or those that its dialect names. */
static enum stoa_status take_order(struct restorer *restorer, struct stoa_error *err)
{
    const struct stoa_csv_source_dialect *dialect = restorer->rows->dialect;
    const uint32_t nfields = restorer->rows->batch->ncolumns;
    enum stoa_status st;

    restorer->nordered = dialect->columns != NULL ? dialect->ncolumns : nfields;
    if (restorer->nordered > nfields)
        return stoa_fail(err, STOA_ERR_CORRUPT, "options of a source: %u columns, of %u",
                         restorer->nordered, nfields);
    STOA_TRY(stoa_alloc(&restorer->order, restorer->nordered * sizeof(*restorer->order), err));
    for (uint32_t i = 0; i < restorer->nordered; i++) {
        restorer->order[i] = dialect->columns != NULL ? dialect->columns[i] : i;
        if (restorer->order[i] >= nfields)
            return stoa_fail(err, STOA_ERR_CORRUPT, "options of a source: column %u, of %u",
                             restorer->order[i], nfields);
    }
out:
    return st;
}

/* A type or a pattern that no text is read by came with the file. */
static enum stoa_status init_printer(struct restorer *restorer, uint32_t i,
                                     const struct stoa_csv_rule *rule, struct stoa_error *err)
{
    const struct stoa_field *field = &restorer->rows->batch->schema->fields[i];
    struct stoa_error why;
    enum stoa_status st;

    st =
        stoa_csv_printer_init(&restorer->columns[i].printer, field, &restorer->reading, rule, &why);
    restorer->columns[i].printer.known_days = &restorer->known_days;
    if (st == STOA_ERR_USAGE)
        return stoa_fail(err, STOA_ERR_CORRUPT, "%s", why.message);
    if (st != STOA_OK && err != NULL)
        *err = why;
    return st;
}

static enum stoa_status restorer_init(struct restorer *restorer, struct stoa_error *err)
{
    const struct stoa_batch *batch = restorer->rows->batch;
    struct stoa_csv_rule *rules = NULL;
    enum stoa_status st;

    restorer->ncolumns = batch->ncolumns;
    restorer->block_nrows = BLOCK_NCELLS / (batch->ncolumns > 0 ? batch->ncolumns : 1);
    if (restorer->block_nrows > BLOCK_NROWS)
        restorer->block_nrows = BLOCK_NROWS;
    if (restorer->block_nrows == 0)
        restorer->block_nrows = 1;
    STOA_TRY(
        stoa_alloc_zeroed(&restorer->columns, batch->ncolumns, sizeof(*restorer->columns), err));
    STOA_TRY(stoa_alloc_zeroed(&rules, batch->ncolumns, sizeof(*rules), err));
    STOA_TRY(stoa_alloc_zeroed(&restorer->cells, batch->ncolumns,
                               restorer->block_nrows * sizeof(*restorer->cells), err));
    STOA_TRY(
        stoa_csv_reading_init(&restorer->reading, &restorer->rows->dialect->csv, false, true, err));
    STOA_TRY(take_order(restorer, err));
    STOA_TRY(take_side(restorer, rules, err));
    for (uint32_t i = 0; i < batch->ncolumns; i++) {
        restorer->columns[i].array = &batch->columns[i];
        STOA_TRY(init_printer(restorer, i, &rules[i], err));
    }
out:
    stoa_free(rules);
    return st;
}

/* The most bytes that the rows of a block take. */
static size_t block_nbytes(const struct restorer *restorer, size_t begin, size_t end)
{
    size_t nbytes = (end - begin) * (restorer->nordered + 3U);

    for (uint32_t c = 0; c < restorer->nordered; c++) {
        const struct stoa_csv_cell *cells =
            restorer->cells + restorer->order[c] * restorer->block_nrows;

        for (size_t i = 0; i < end - begin; i++)
            nbytes += cells[i].nbytes;
    }
    for (size_t i = begin; i < end; i++)
        nbytes += bytes_at(restorer->gaps, i).nbytes + bytes_at(restorer->records, i).nbytes;
    return nbytes;
}

/* Most cells are short: a copy of a fixed size is faster than one of theirs. */
static inline char *write_cell(char *out, const struct stoa_csv_cell *cell)
{
    if (cell->nbytes <= STOA_CSV_CELL_SLACK)
        memcpy(out, cell->text, STOA_CSV_CELL_SLACK);
    else
        memcpy(out, cell->text, cell->nbytes);
    return out + cell->nbytes;
}

static char *write_bytes(char *out, struct stoa_csv_cell bytes)
{
    if (bytes.nbytes > 0)
        memcpy(out, bytes.text, bytes.nbytes);
    return out + bytes.nbytes;
}

static char *write_row(const struct restorer *restorer, size_t row, struct stoa_csv_cell line_end,
                       char *out)
{
    const struct stoa_csv_source_dialect *dialect = restorer->rows->dialect;
    const char delimiter = dialect->csv.delimiter;
    const struct stoa_csv_cell *cells = &restorer->cells[row];

    for (uint32_t c = 0; c < restorer->nordered; c++) {
        out = write_cell(out, &cells[restorer->order[c] * restorer->block_nrows]);
        *out++ = delimiter;
    }
    if (dialect->csv.trailing_delimiter <= 0)
        out--;
    memcpy(out, line_end.text, 2); /* there are two, of which one may count */
    return out + line_end.nbytes;
}

/* Rows [begin, end), whose cells are there. */
static char *write_block(const struct restorer *restorer, size_t begin, size_t end, char *out)
{
    const struct stoa_csv_restore_rows *rows = restorer->rows;
    const struct stoa_csv_source_dialect *dialect = rows->dialect;
    const struct stoa_csv_cell usual = {dialect->line_end, dialect->line_end_nbytes};

    for (size_t i = begin; i < end; i++) {
        const struct stoa_csv_cell record = bytes_at(restorer->records, i);
        const bool is_line_end = dialect->csv.trailing_delimiter <= 0 &&
                                 stoa_csv_is_line_end(record.text, record.nbytes);
        struct stoa_csv_cell line_end = is_line_end ? record : usual;

        if (restorer->gaps != NULL)
            out = write_bytes(out, bytes_at(restorer->gaps, i));
        if (rows->is_unended && i + 1 == rows->end)
            line_end.nbytes = 0;
        if (record.text == NULL || is_line_end)
            out = write_row(restorer, i - begin, line_end, out);
        else
            out = write_bytes(out, record);
    }
    return out;
}

static enum stoa_status restore_block(struct restorer *restorer, size_t begin, size_t end,
                                      struct stoa_buffer *out, struct stoa_error *err)
{
    char *at;
    enum stoa_status st;

    stoa_csv_pool_empty(&restorer->pool);
    for (uint32_t c = 0; c < restorer->ncolumns; c++) {
        const struct column *column = &restorer->columns[c];

        STOA_TRY(stoa_csv_print(&column->printer, column->array, column->bytes, column->raw, begin,
                                end, restorer->cells + c * restorer->block_nrows, &restorer->pool,
                                err));
    }
    STOA_TRY(
        stoa_buffer_reserve(out, block_nbytes(restorer, begin, end) + STOA_CSV_CELL_SLACK, err));
    at = write_block(restorer, begin, end, (char *)out->data + out->nbytes);
    out->nbytes = (size_t)(at - (char *)out->data);
out:
    return st;
}

enum stoa_status stoa_csv_restore_rows(const struct stoa_csv_restore_rows *rows,
                                       struct stoa_buffer *out, struct stoa_error *err)
{
    struct restorer restorer = {.rows = rows};
    enum stoa_status st;

    STOA_TRY(restorer_init(&restorer, err));
    for (size_t at = rows->begin; at < rows->end;) {
        size_t end = rows->end - at > restorer.block_nrows ? at + restorer.block_nrows : rows->end;

        STOA_TRY(restore_block(&restorer, at, end, out, err));
        at = end;
    }
out:
    restorer_reset(&restorer);
    return st;
}
