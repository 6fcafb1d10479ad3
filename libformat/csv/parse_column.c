/*
 * Columns of tiles: loops for what is written the usual way, the reference for everything else.
 *
 *     row   0  1  2  3  4  5  6 ...
 *           |  loop   |  ?  |  loop  | ?       ?: the loop stopped, the reference reads one field
 *
 * So loops allocate nothing and cannot fail, and each way to write a value that one of them knows
 * is a matter of speed alone.
 */
#include <inttypes.h>
#include <string.h>

#include "base/bits.h"
#include "base/error.h"
#include "base/utf8.h"
#include "column/array.h"
#include "column/schema.h"
#include "csv/csv_table.h"
#include "csv/parse_value.h"

/* ---- Columns. ---- */

/* ISO 8601, which needs no pattern: both have a 'T' or a blank, and any fraction. */
static bool is_iso(const char *pattern)
{
    static const char *const patterns[] = {
        "%Y-%m-%d",          "%H:%M:%S",           "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%SZ", "%Y-%m-%dT%H:%M:%SZ",
    };

    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        if (strcmp(patterns[i], pattern) == 0)
            return true;
    }
    return false;
}

/* Whether a pattern tells what a type holds: no more, no less. */
static bool pattern_fits(const struct stoa_time_pattern *pattern, const struct stoa_type *type)
{
    const bool zoned = type->id == STOA_TIMESTAMP && type->zone != NULL;

    return pattern->has_date == (type->id != STOA_TIME) &&
           pattern->has_clock == (type->id != STOA_DATE32) && pattern->has_zone == zoned;
}

enum stoa_status stoa_csv_pattern_of(const struct stoa_field *field, struct stoa_time_pattern *out,
                                     bool *found, struct stoa_error *err)
{
    const struct stoa_type *type = &field->type;
    const char *text = stoa_metadata_get(&field->metadata, STOA_METADATA_CSV_FORMAT);
    enum stoa_status st;

    *found = false;
    if (text == NULL || is_iso(text) ||
        (type->id != STOA_DATE32 && type->id != STOA_TIME && type->id != STOA_TIMESTAMP))
        return STOA_OK;
    STOA_TRY(stoa_time_pattern_compile(text, out, err));
    if (!pattern_fits(out, type)) {
        st = stoa_fail(err, STOA_ERR_USAGE, "pattern \"%s\" is not one for %s", text,
                       stoa_type_info(type->id)->name);
        goto out;
    }
    *found = true;
out:
    return st;
}

enum stoa_status stoa_csv_reading_init(struct stoa_csv_reading *reading,
                                       const struct stoa_csv_options *options, bool strict,
                                       bool wants_forms, struct stoa_error *err)
{
    reading->options = options;
    reading->strict = strict;
    reading->wants_forms = wants_forms;
    stoa_csv_dialect_init(&reading->dialect, options);
    return stoa_csv_spellings_init(&reading->spellings, options, err);
}

static enum stoa_status fail_filename(const struct stoa_field *field, struct stoa_error *err)
{
    char shown[80];

    return stoa_fail(err, STOA_ERR_USAGE, "column \"%s\": the names of the inputs are utf8, not %s",
                     stoa_quote(shown, sizeof(shown), field->name, strlen(field->name)),
                     stoa_type_info(field->type.id)->name);
}

enum stoa_status stoa_csv_column_init(struct stoa_csv_column *column,
                                      const struct stoa_field *field,
                                      const struct stoa_csv_reading *reading,
                                      struct stoa_error *err)
{
    struct stoa_csv_column made = {
        .field = field, .reading = reading, .wants_forms = reading->wants_forms};
    enum stoa_status st;

    STOA_TRY(stoa_csv_column_check(field, err));
    made.is_filename =
        reading->options->filename != NULL && strcmp(field->name, reading->options->filename) == 0;
    if (made.is_filename && field->type.id != STOA_UTF8) {
        st = fail_filename(field, err);
        goto out;
    }
    made.strict = reading->strict && stoa_csv_given_type(reading->options, field->name) == NULL;
    made.parser = stoa_csv_parser_find(&field->type);
    st = stoa_csv_pattern_of(field, &made.pattern, &made.has_pattern, err);
    if (st != STOA_OK) {
        stoa_wrap(err, st, "column \"%s\"", field->name);
        goto out;
    }
    *column = made;
out:
    return st;
}

/* ---- Values. ---- */

void stoa_csv_forms_reset(struct stoa_csv_forms *forms)
{
    stoa_free(forms->codes);
    stoa_free(forms->verbatims);
    stoa_buffer_free(&forms->bytes);
    *forms = (struct stoa_csv_forms){0};
}

void stoa_csv_values_reset(struct stoa_csv_values *values)
{
    stoa_builder_reset(&values->builder);
    stoa_csv_forms_reset(&values->forms);
    stoa_buffer_free(&values->scratch);
    *values = (struct stoa_csv_values){0};
}

static bool is_float(const struct stoa_type *type)
{
    return type->id == STOA_FLOAT64 || type->id == STOA_FLOAT32 || type->id == STOA_FLOAT16;
}

enum stoa_status stoa_csv_values_init(struct stoa_csv_values *values,
                                      const struct stoa_csv_column *column, size_t nvalues,
                                      struct stoa_error *err)
{
    struct stoa_csv_values made = {0};
    enum stoa_status st;

    STOA_TRY(stoa_builder_init(&made.builder, &column->field->type, nvalues, err));
    if (column->wants_forms && is_float(&column->field->type)) { /* hardly one has none */
        made.ncodes_capacity = made.builder.nvalues_capacity;
        STOA_TRY(stoa_alloc_zeroed(&made.forms.codes, made.ncodes_capacity,
                                   sizeof(*made.forms.codes), err));
    }
    *values = made;
    made = (struct stoa_csv_values){0};
out:
    stoa_csv_values_reset(&made);
    return st;
}

enum stoa_status stoa_csv_values_reserve(struct stoa_csv_values *values, size_t nvalues,
                                         size_t nbytes, struct stoa_error *err)
{
    const size_t before = values->ncodes_capacity;
    enum stoa_status st;

    STOA_TRY(stoa_builder_reserve(&values->builder, nvalues, nbytes, err));
    if (values->forms.codes == NULL || before >= values->builder.nvalues_capacity)
        goto out;
    STOA_TRY(stoa_realloc(&values->forms.codes, values->builder.nvalues_capacity,
                          sizeof(*values->forms.codes), err));
    values->ncodes_capacity = values->builder.nvalues_capacity;
    memset(values->forms.codes + before, 0,
           (values->ncodes_capacity - before) * sizeof(*values->forms.codes));
out:
    return st;
}

/* ---- Tiles. ---- */

static enum stoa_status add_misfit(struct stoa_csv_misfits *misfits,
                                   const struct stoa_csv_scan *scan, enum stoa_csv_outcome outcome,
                                   struct stoa_error *err)
{
    enum stoa_status st = stoa_reserve(&misfits->items, &misfits->capacity, misfits->nitems + 1,
                                       sizeof(*misfits->items), err);

    if (st == STOA_OK)
        misfits->items[misfits->nitems++] = (struct stoa_csv_misfit){
            .row = scan->row, .column = scan->place, .read_as = scan->column, .outcome = outcome};
    return st;
}

static bool is_misfit(const struct stoa_csv_column *column, enum stoa_csv_outcome outcome)
{
    return outcome != STOA_CSV_VALUE && (outcome != STOA_CSV_NULL || !column->field->nullable);
}

/* One field, by the reference. */
static enum stoa_status append_field(struct stoa_csv_scan *scan, struct stoa_csv_misfits *misfits,
                                     struct stoa_error *err)
{
    const struct stoa_csv_column *column = scan->column;
    const struct stoa_csv_tile *tile = scan->tile;
    const uint32_t place = scan->place;
    uint32_t begin = tile->row_begins[scan->row], end = begin;
    enum stoa_csv_outcome outcome;
    enum stoa_status st;

    if (place != STOA_CSV_NO_PLACE) {
        const uint32_t *ends = tile->ends + (size_t)scan->row * tile->stride + place;

        begin = place == 0 ? begin : ends[-1] + 1;
        end = *ends;
    }
    STOA_TRY(stoa_csv_value_append(column, tile->text + begin,
                                   tile->text + (begin < end ? end : begin), scan->values, &outcome,
                                   err));
    if (is_misfit(column, outcome))
        STOA_TRY(add_misfit(misfits, scan, outcome, err));
    scan->row++;
out:
    return st;
}

/*
 * Room for the text of the whole unit, should it go on like the first tile: text that grows by
 * doubling is copied, and the pages of its copies are made by the system, each time.
 */
static enum stoa_status reserve_text(struct stoa_csv_scan *scan, struct stoa_error *err)
{
    const struct stoa_csv_tile *tile = scan->tile;
    const uint32_t place = scan->place;
    const uint64_t nvalues = scan->values->builder.nvalues_capacity; /* both are below 2^32 */
    uint64_t nbytes = 0;

    for (uint32_t i = 0; i < tile->nrows; i++) {
        const uint32_t *ends = tile->ends + (size_t)i * tile->stride + place;
        const uint32_t begin = place == 0 ? tile->row_begins[i] : ends[-1] + 1;

        nbytes += begin < *ends ? *ends - begin : 0;
    }
    nbytes = nbytes * nvalues / tile->nrows;
    nbytes += nbytes / 16;
    if (nbytes > STOA_ARRAY_MAX_OFFSET)
        return STOA_OK; /* a guess is no reason to fail */
    return stoa_builder_reserve(&scan->values->builder, 0, (size_t)nbytes, err);
}

static enum stoa_status parse_column(struct stoa_csv_scan *scan, struct stoa_csv_misfits *misfits,
                                     struct stoa_error *err)
{
    stoa_csv_loop_function *const loop =
        scan->place != STOA_CSV_NO_PLACE ? scan->column->parser->loop : NULL;
    enum stoa_status st;

    STOA_TRY(stoa_csv_values_reserve(scan->values, scan->tile->nrows, 0, err));
    if (loop == stoa_csv_loop_utf8 && scan->values->builder.array.nvalues == 0)
        STOA_TRY(reserve_text(scan, err));
    while (scan->row < scan->tile->nrows) {
        if (loop != NULL)
            loop(scan);
        if (scan->row < scan->tile->nrows)
            STOA_TRY(append_field(scan, misfits, err));
    }
out:
    return st;
}

/* Fields end at ASCII characters, so what is UTF-8 as a whole is so in each of them. */
static bool text_is_utf8(const struct stoa_csv_tile *tile)
{
    const uint32_t begin = tile->row_begins[0], end = tile->row_ends[tile->nrows - 1];

    return stoa_utf8_valid_prefix((const uint8_t *)tile->text + begin, end - begin) == end - begin;
}

enum stoa_status stoa_csv_tile_parse(const struct stoa_csv_column *columns, const uint32_t *places,
                                     uint32_t ncolumns, const struct stoa_csv_tile *tile,
                                     struct stoa_csv_values *values,
                                     struct stoa_csv_misfits *misfits, struct stoa_error *err)
{
    bool checked = false, is_utf8 = false;
    enum stoa_status st = STOA_OK;

    if (tile->nrows == 0)
        return STOA_OK;
    for (uint32_t i = 0; i < ncolumns; i++) {
        struct stoa_csv_scan scan = {
            .column = &columns[i], .place = places[i], .tile = tile, .values = &values[i]};

        if (columns[i].is_filename)
            continue;
        if (columns[i].field->type.id == STOA_UTF8) {
            if (!checked)
                is_utf8 = text_is_utf8(tile);
            checked = true;
            scan.is_utf8 = is_utf8;
        }
        STOA_TRY(parse_column(&scan, misfits, err));
    }
out:
    return st;
}

enum stoa_status stoa_csv_values_fill(struct stoa_csv_values *values, const char *text,
                                      size_t nvalues, struct stoa_error *err)
{
    const size_t nbytes = strlen(text);
    enum stoa_status st;

    if (nvalues > 0 && nbytes > STOA_ARRAY_MAX_OFFSET / nvalues)
        return stoa_fail(err, STOA_ERR_LIMIT, "the names of the inputs take more than 2 GiB");
    STOA_TRY(stoa_builder_reserve(&values->builder, nvalues, nvalues * nbytes, err));
    for (size_t i = 0; i < nvalues; i++)
        stoa_builder_append_bytes(&values->builder, text, nbytes);
out:
    return st;
}

/* ---- Handing over. ---- */

/* Leaves out the forms of rejected rows; `kept` are the others. */
static void keep_forms(struct stoa_csv_forms *forms, const uint8_t *rejected, const uint32_t *kept,
                       size_t nkept)
{
    size_t nverbatims = 0;
    uint32_t row = 0; /* of those that are kept */

    for (size_t i = 0; i < forms->nverbatims; i++) {
        struct stoa_csv_verbatim verbatim = forms->verbatims[i];

        if (stoa_bitmap_get(rejected, verbatim.row))
            continue;
        while (kept[row] < verbatim.row)
            row++;
        verbatim.row = row;
        forms->verbatims[nverbatims++] = verbatim;
    }
    forms->nverbatims = nverbatims;
    for (size_t i = 0; forms->codes != NULL && i < nkept; i++)
        forms->codes[i] = forms->codes[kept[i]];
}

static enum stoa_status drop_rows(const struct stoa_field *field, const uint8_t *rejected,
                                  struct stoa_array *array, struct stoa_csv_forms *forms,
                                  struct stoa_error *err)
{
    struct stoa_array taken = {0};
    uint32_t *kept = NULL;
    uint32_t nkept = 0;
    enum stoa_status st;

    STOA_TRY(stoa_alloc(&kept, array->nvalues * sizeof(*kept), err));
    for (size_t i = 0; i < array->nvalues; i++) {
        kept[nkept] = (uint32_t)i;
        nkept += !stoa_bitmap_get(rejected, i);
    }
    STOA_TRY(stoa_array_take(field, array, kept, nkept, &taken, err));
    stoa_array_reset(array);
    *array = taken;
    keep_forms(forms, rejected, kept, nkept);
    forms->nvalues = nkept;
out:
    stoa_free(kept);
    return st;
}

enum stoa_status stoa_csv_values_finish(struct stoa_csv_values *values,
                                        const struct stoa_csv_column *column,
                                        const uint8_t *rejected, struct stoa_array *out,
                                        struct stoa_csv_forms *forms, struct stoa_error *err)
{
    struct stoa_array array = {0};
    enum stoa_status st = STOA_OK;

    values->forms.nvalues = values->builder.array.nvalues;
    stoa_builder_finish(&values->builder, &array);
    if (rejected != NULL)
        STOA_TRY(drop_rows(column->field, rejected, &array, &values->forms, err));
    *out = array;
    array = (struct stoa_array){0};
    if (forms != NULL) {
        *forms = values->forms;
        values->forms = (struct stoa_csv_forms){0};
    }
out:
    stoa_array_reset(&array);
    stoa_csv_values_reset(values);
    return st;
}
