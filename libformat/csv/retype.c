/*
 * Texts of a column made again, looked at, read anew (retype.h).
 *
 * A few rows at a time: their fields are printed one behind the other, as a table of one column,
 *
 *     12 LF 7 LF "a, b" LF          a tile of so many rows
 *
 * and that is parsed like any other tile.
 */
#include "csv/retype.h"

#include <string.h>

#include "base/error.h"
#include "base/time.h"
#include "csv/form.h"
#include "csv/index.h"

#define BLOCK_NROWS STOA_CSV_TILE_NROWS

/* What prints the fields. */
struct fields {
    struct stoa_csv_printer printer;
    struct stoa_known_days known_days;
    const struct stoa_array *array;
    const uint8_t *bytes; /* by value, or NULL */
    const struct stoa_array *raw;
    struct stoa_csv_pool pool;
    struct stoa_csv_cell cells[BLOCK_NROWS];
};

static enum stoa_status fields_init(struct fields *fields, const struct stoa_csv_written *written,
                                    struct stoa_error *err)
{
    struct stoa_csv_rule rule = {0};
    enum stoa_status st;

    fields->array = written->array;
    for (uint32_t i = 0; i < written->side->ncolumns; i++) {
        const struct stoa_side_column *column = &written->side->columns[i];

        if (column->column != written->column)
            continue;
        if (column->kind == STOA_SIDE_RAW)
            fields->raw = &column->array;
        if (column->kind != STOA_SIDE_FORM)
            continue;
        if (!stoa_csv_rule_load(column->rule, &rule))
            return stoa_fail(err, STOA_ERR_CORRUPT, "side table: the rule is none");
        if (column->array.nvalues > 0)
            fields->bytes = column->array.values;
    }
    st = stoa_csv_printer_init(&fields->printer, written->field, written->reading, &rule, err);
    fields->printer.known_days = &fields->known_days;
    return st;
}

static enum stoa_status fields_print(struct fields *fields, size_t begin, size_t end,
                                     struct stoa_error *err)
{
    stoa_csv_pool_empty(&fields->pool);
    return stoa_csv_print(&fields->printer, fields->array, fields->bytes, fields->raw, begin, end,
                          fields->cells, &fields->pool, err);
}

static void observe(const struct stoa_csv_written *written, const char *text, size_t nbytes,
                    struct stoa_csv_evidence *evidence)
{
    const struct stoa_csv_place nowhere = {0};
    const struct stoa_csv_field field =
        stoa_csv_field_of(&written->reading->dialect, text, text + nbytes);

    stoa_csv_evidence_observe(evidence, &written->reading->spellings, field.text, field.nbytes,
                              field.quoted, &nowhere);
}

void stoa_csv_retype_observe_kept(const struct stoa_csv_written *written,
                                  struct stoa_csv_evidence *evidence)
{
    for (uint32_t k = 0; k < written->side->ncolumns; k++) {
        const struct stoa_side_column *column = &written->side->columns[k];
        const struct stoa_array *raw = &column->array;

        if (column->column != written->column || column->kind != STOA_SIDE_RAW)
            continue;
        for (size_t i = 0; i < raw->nvalues; i++)
            if (!stoa_array_is_null(raw, i))
                observe(written, (const char *)raw->values + raw->offsets[i],
                        (size_t)(raw->offsets[i + 1] - raw->offsets[i]), evidence);
    }
}

enum stoa_status stoa_csv_retype_observe(const struct stoa_csv_written *written,
                                         struct stoa_csv_evidence *evidence, struct stoa_error *err)
{
    const size_t nrows = written->array->nvalues;
    struct fields *fields = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&fields, 1, sizeof(*fields), err));
    STOA_TRY(fields_init(fields, written, err));
    for (size_t begin = 0; begin < nrows; begin += BLOCK_NROWS) {
        size_t end = nrows - begin < BLOCK_NROWS ? nrows : begin + BLOCK_NROWS;

        STOA_TRY(fields_print(fields, begin, end, err));
        for (size_t i = 0; i < end - begin; i++)
            observe(written, fields->cells[i].text, fields->cells[i].nbytes, evidence);
    }
out:
    if (fields != NULL)
        stoa_csv_pool_free(&fields->pool);
    stoa_free(fields);
    return st;
}

/* A tile of one column, and the text it lies in. */
struct table {
    struct stoa_buffer text;
    uint32_t begins[BLOCK_NROWS], ends[BLOCK_NROWS], row_ends[BLOCK_NROWS];
    struct stoa_csv_tile tile;
};

/* Puts the fields of rows [begin, end) one behind the other. */
static enum stoa_status make_table(struct table *table, const struct fields *fields, size_t begin,
                                   size_t end, struct stoa_error *err)
{
    struct stoa_buffer *text = &table->text;
    enum stoa_status st = STOA_OK;

    text->nbytes = 0;
    for (size_t i = 0; i < end - begin; i++) {
        const struct stoa_csv_cell *cell = &fields->cells[i];

        table->begins[i] = (uint32_t)text->nbytes;
        STOA_TRY(stoa_buffer_append(text, cell->text, cell->nbytes, err));
        table->ends[i] = (uint32_t)text->nbytes;
        STOA_TRY(stoa_buffer_append(text, "\n", 1, err));
        table->row_ends[i] = (uint32_t)text->nbytes;
    }
    STOA_TRY(stoa_buffer_append_zeros(text, STOA_CSV_SLACK, err));
    table->tile = (struct stoa_csv_tile){
        .text = (const char *)text->data,
        .row = begin,
        .nrows = (uint32_t)(end - begin),
        .stride = 1,
        .row_begins = table->begins,
        .ends = table->ends,
        .row_ends = table->row_ends,
        .has_quotes = true,
    };
out:
    return st;
}

/* What evidence said of all texts must hold: that it does not would be a mistake of ours. */
static enum stoa_status fail_misfit(const struct table *table, const struct stoa_csv_misfit *misfit,
                                    const struct stoa_field *to, struct stoa_error *err)
{
    const char *text = table->tile.text + table->begins[misfit->row];
    size_t nbytes = table->ends[misfit->row] - table->begins[misfit->row];
    char shown[128];

    return stoa_fail(err, STOA_ERR_DATA,
                     "column %s: \"%s\" does not fit the type that was found for it; "
                     "--types can give it another one",
                     to->name, stoa_quote(shown, sizeof(shown), text, nbytes));
}

enum stoa_status stoa_csv_retype(const struct stoa_csv_written *written,
                                 const struct stoa_field *to, struct stoa_array *out,
                                 struct stoa_csv_forms *forms, struct stoa_error *err)
{
    const size_t nrows = written->array->nvalues;
    struct stoa_csv_misfits misfits = {0};
    struct stoa_csv_values values = {0};
    struct stoa_csv_column column;
    const uint32_t place = 0;
    struct fields *fields = NULL;
    struct table *table = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&fields, 1, sizeof(*fields), err));
    STOA_TRY(stoa_alloc_zeroed(&table, 1, sizeof(*table), err));
    STOA_TRY(fields_init(fields, written, err));
    STOA_TRY(stoa_csv_column_init(&column, to, written->reading, err));
    STOA_TRY(stoa_csv_values_init(&values, &column, nrows, err));
    for (size_t begin = 0; begin < nrows; begin += BLOCK_NROWS) {
        size_t end = nrows - begin < BLOCK_NROWS ? nrows : begin + BLOCK_NROWS;

        STOA_TRY(fields_print(fields, begin, end, err));
        STOA_TRY(make_table(table, fields, begin, end, err));
        STOA_TRY(stoa_csv_tile_parse(&column, &place, 1, &table->tile, &values, &misfits, err));
        if (misfits.nitems > 0)
            STOA_TRY(fail_misfit(table, &misfits.items[0], to, err));
    }
    STOA_TRY(stoa_csv_values_finish(&values, &column, NULL, out, forms, err));
out:
    stoa_free(misfits.items);
    stoa_csv_values_reset(&values);
    if (fields != NULL)
        stoa_csv_pool_free(&fields->pool);
    stoa_free(fields);
    if (table != NULL)
        stoa_buffer_free(&table->text);
    stoa_free(table);
    return st;
}
