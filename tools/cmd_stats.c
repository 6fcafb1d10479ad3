/*
 * stoa stats: count, nulls, least, greatest, sum and mean of columns, and their zone maps.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "json_out.h"
#include "table.h"

#define CELL_NBYTES     60    /* of a text in a table */
#define TABLE_MAX_NROWS 10000 /* a table is laid out as a whole */

/* A text for a cell of a table: printable, and not too long; "" where there is none. */
static const char *print_cell(char out[CELL_NBYTES], const char *text, size_t nbytes)
{
    return stoa_quote(out, CELL_NBYTES, text != NULL ? text : "", text != NULL ? nbytes : 0);
}

/* Value i of an array that has it and knows it, as a text that the caller frees; else NULL. */
static char *known_value(const struct stoa_field *field, const struct stoa_array *array, size_t i,
                         size_t *nbytes)
{
    *nbytes = 0;
    if (i >= array->nvalues || stoa_array_is_null(array, i))
        return NULL;
    return make_value(field, array, i, nbytes);
}

static void set_value(struct json_t *object, const char *key, const struct stoa_field *field,
                      const struct stoa_array *array, size_t i)
{
    size_t nbytes;
    char *text = known_value(field, array, i, &nbytes);

    if (text != NULL)
        json_out_set(object, key, json_out_bytes(text, nbytes));
    free(text);
}

static struct table *start_table(const char *const *names, const bool *right, size_t ncolumns)
{
    struct table *table = table_new();

    for (size_t i = 0; table != NULL && i < ncolumns; i++) {
        if (!table_add_column(table, names[i], right[i])) {
            table_free(table);
            table = NULL;
        }
    }
    return table;
}

/* ---- Aggregates. ---- */

struct summary {
    const char *first_path;
    struct stoa_schema schema;
    struct stoa_aggregator *aggregator;
    struct stoa_aggregate *columns; /* the results, when all is read */
    struct stoa_skip bytes;         /* of all files */
};

static enum stoa_status add_scan(struct summary *summary, struct stoa_scan *scan, const char *path,
                                 struct stoa_error *err)
{
    const struct stoa_schema *schema = stoa_scan_schema(scan);
    struct stoa_scan_counters counters;
    enum stoa_status st = STOA_OK;

    if (summary->aggregator == NULL) {
        summary->first_path = path;
        st = stoa_schema_copy(&summary->schema, schema, err);
        if (st == STOA_OK)
            st = stoa_aggregator_new(schema, STOA_AGGREGATE_BOUNDS | STOA_AGGREGATE_SUMS,
                                     &summary->aggregator, err);
    }
    if (st == STOA_OK)
        st = stoa_scan_aggregate(scan, summary->aggregator, err);
    if (st == STOA_OK)
        st = stoa_scan_counters_get(scan, &counters, err);
    if (st != STOA_OK)
        return st;
    summary->bytes.total += counters.bytes.total;
    summary->bytes.skipped += counters.bytes.skipped;
    summary->bytes.read += counters.bytes.read;
    return STOA_OK;
}

static enum exit_code add_file(struct summary *summary, const char *path,
                               const struct stoa_scan_options *options)
{
    struct open_file file;
    struct stoa_scan *scan = NULL;
    struct stoa_error err;
    enum exit_code code;

    if (!open_stoa(path, &file, &code))
        return code;
    code = EXIT_DONE;
    if (stoa_scan_open(file.reader, options, &scan, &err) != STOA_OK) {
        code = fail_file(path, &err);
    } else if (summary->aggregator != NULL &&
               !stoa_schema_equal(&summary->schema, stoa_scan_schema(scan))) {
        complain_schemas(path, summary->first_path);
        code = EXIT_USAGE;
    } else if (add_scan(summary, scan, path, &err) != STOA_OK) {
        code = fail_file(path, &err);
    }
    stoa_scan_close(scan);
    close_stoa(&file);
    return code;
}

static bool is_float(const struct stoa_type *type)
{
    return type->id >= STOA_FLOAT16 && type->id <= STOA_FLOAT64;
}

static struct json_t *column_json(const struct stoa_field *field,
                                  const struct stoa_aggregate *aggregate)
{
    struct json_t *out = json_out_object();
    char *type = NULL;

    json_out_set(out, "name", json_out_text(field->name));
    json_out_set(out, "type",
                 stoa_type_print(field, &type, NULL) == STOA_OK ? json_out_text(type) : NULL);
    json_out_set(out, "count", json_out_count(aggregate->nvalues));
    json_out_set(out, "nulls", json_out_count(aggregate->nnulls));
    if (is_float(&field->type))
        json_out_set(out, "nans", json_out_count(aggregate->nnans));
    set_value(out, "min", field, &aggregate->bounds, 0);
    set_value(out, "max", field, &aggregate->bounds, 1);
    if (aggregate->has_sum)
        json_out_set(out, "sum", json_out_text(aggregate->sum_text));
    if (aggregate->has_mean)
        json_out_set(out, "mean", json_out_text(aggregate->mean_text));
    stoa_free(type);
    return out;
}

static enum exit_code print_json(const struct summary *summary)
{
    struct json_t *out = json_out_object(), *columns = json_out_array(), *bytes = json_out_object();

    for (uint32_t i = 0; i < summary->schema.nfields; i++)
        json_out_append(columns, column_json(&summary->schema.fields[i], &summary->columns[i]));
    json_out_set(out, "rows", json_out_count(stoa_aggregator_nrows(summary->aggregator)));
    json_out_set(bytes, "total", json_out_count(summary->bytes.total));
    json_out_set(bytes, "skipped", json_out_count(summary->bytes.skipped));
    json_out_set(bytes, "read", json_out_count(summary->bytes.read));
    json_out_set(out, "bytes", bytes);
    json_out_set(out, "columns", columns);
    return json_out_print(out);
}

static bool add_column_row(struct table *table, const struct stoa_field *field,
                           const struct stoa_aggregate *aggregate)
{
    char name[NAME_NBYTES], count[32], nulls[32], nans[32] = "", min[CELL_NBYTES], max[CELL_NBYTES];
    size_t min_nbytes, max_nbytes;
    char *least = known_value(field, &aggregate->bounds, 0, &min_nbytes);
    char *greatest = known_value(field, &aggregate->bounds, 1, &max_nbytes);
    const bool has_all = aggregate->bounds.nvalues == 0 || (least != NULL && greatest != NULL);
    char *type = NULL;
    bool done = has_all && stoa_type_print(field, &type, NULL) == STOA_OK;

    if (is_float(&field->type))
        print_count(nans, aggregate->nnans);
    done =
        done && table_add_row(table,
                              (const char *const[]){
                                  stoa_quote(name, sizeof(name), field->name, strlen(field->name)),
                                  type,
                                  print_count(count, aggregate->nvalues),
                                  print_count(nulls, aggregate->nnulls),
                                  nans,
                                  print_cell(min, least, min_nbytes),
                                  print_cell(max, greatest, max_nbytes),
                                  aggregate->has_sum ? aggregate->sum_text : "",
                                  aggregate->has_mean ? aggregate->mean_text : "",
                              },
                              9);
    stoa_free(type);
    free(least);
    free(greatest);
    return done;
}

static enum exit_code print_table(const struct summary *summary)
{
    static const char *const names[] = {"column", "type", "count", "nulls", "NaN",
                                        "min",    "max",  "sum",   "mean"};
    static const bool right[] = {false, false, true, true, true, true, true, true, true};
    struct table *table = start_table(names, right, sizeof(names) / sizeof(names[0]));
    bool done = table != NULL;
    char rows[32], read[32], total[32];
    enum exit_code code;

    for (uint32_t i = 0; done && i < summary->schema.nfields; i++)
        done = add_column_row(table, &summary->schema.fields[i], &summary->columns[i]);
    code = done ? table_print(table) : fail_memory();
    table_free(table);
    if (code == EXIT_DONE)
        printf("\n%s row%s, read %s of %s\n",
               print_count(rows, stoa_aggregator_nrows(summary->aggregator)),
               plural(stoa_aggregator_nrows(summary->aggregator)),
               print_size(read, summary->bytes.read), print_size(total, summary->bytes.total));
    return code;
}

static enum exit_code finish(struct summary *summary)
{
    struct stoa_error err;
    enum stoa_status st = STOA_OK;

    summary->columns = calloc((size_t)summary->schema.nfields + 1, sizeof(*summary->columns));
    if (summary->columns == NULL)
        return fail_memory();
    for (uint32_t i = 0; st == STOA_OK && i < summary->schema.nfields; i++)
        st = stoa_aggregator_get(summary->aggregator, i, &summary->columns[i], &err);
    return st == STOA_OK ? EXIT_DONE : fail(&err);
}

static void summary_reset(struct summary *summary)
{
    for (uint32_t i = 0; summary->columns != NULL && i < summary->schema.nfields; i++)
        stoa_aggregate_reset(&summary->columns[i]);
    free(summary->columns);
    stoa_aggregator_free(summary->aggregator);
    stoa_schema_reset(&summary->schema);
}

static enum exit_code print_summary(const struct arguments *arguments,
                                    const struct stoa_scan_options *options)
{
    struct summary summary = {0};
    enum exit_code code = EXIT_DONE;

    for (int i = 0; code == EXIT_DONE && i < arguments->nfiles; i++)
        code = add_file(&summary, arguments->files[i], options);
    if (code == EXIT_DONE)
        code = finish(&summary);
    if (code == EXIT_DONE)
        code = (has_option(arguments, OPT_JSON) ? print_json : print_table)(&summary);
    summary_reset(&summary);
    return code;
}

/* ---- Zone maps. ---- */

/* Where zone maps are printed, one after the other. */
struct zone_printer {
    const char *path;
    struct table *table; /* NULL: JSON */
    uint64_t nrows;
    enum exit_code code; /* of what could not be printed */
};

/* One zone map and what it is of. */
struct zone_line {
    const struct stoa_field *field;
    uint32_t row_group;
    uint32_t number;
    uint64_t first_row;
    struct stoa_zone zone;
    struct stoa_array bounds;
};

static enum exit_code print_zone_json(const struct zone_printer *printer,
                                      const struct zone_line *line)
{
    const struct stoa_zone *zone = &line->zone;
    struct json_t *out = json_out_object();

    json_out_set(out, "file", json_out_text(printer->path));
    json_out_set(out, "column", json_out_text(line->field->name));
    json_out_set(out, "row_group", json_out_count(line->row_group));
    json_out_set(out, "zone", json_out_count(line->number));
    json_out_set(out, "first_row", json_out_count(line->first_row));
    json_out_set(out, "rows", json_out_count(zone->nvalues));
    if (zone->nnulls != STOA_ZONE_NNULLS_UNKNOWN)
        json_out_set(out, "nulls", json_out_count(zone->nnulls));
    set_value(out, "min", line->field, &line->bounds, 0);
    set_value(out, "max", line->field, &line->bounds, 1);
    json_out_set(out, "min_exact", json_out_bool(zone->flags & STOA_ZONE_MIN_EXACT));
    json_out_set(out, "max_exact", json_out_bool(zone->flags & STOA_ZONE_MAX_EXACT));
    json_out_set(out, "no_nan", json_out_bool(zone->flags & STOA_ZONE_NO_NAN));
    json_out_set(out, "ascending", json_out_bool(zone->flags & STOA_ZONE_ASCENDING));
    json_out_set(out, "descending", json_out_bool(zone->flags & STOA_ZONE_DESCENDING));
    return json_out_print_line(out, stdout);
}

/* What of [min, max] is a value of the column and not merely a bound. */
static const char *exact_word(const struct stoa_zone *zone)
{
    static const char *const words[] = {"no", "min", "max", "both"};
    unsigned min = (zone->flags & STOA_ZONE_MIN_EXACT) != 0;
    unsigned max = (zone->flags & STOA_ZONE_MAX_EXACT) != 0;

    return zone->flags & STOA_ZONE_HAS_BOUNDS ? words[min + 2 * max] : "";
}

static const char *order_word(const struct stoa_zone *zone)
{
    static const char *const words[] = {"", "rises", "falls", "equal"};

    return words[((zone->flags & STOA_ZONE_ASCENDING) != 0) +
                 2 * ((zone->flags & STOA_ZONE_DESCENDING) != 0)];
}

static enum exit_code print_zone_row(struct zone_printer *printer, const struct zone_line *line)
{
    char name[NAME_NBYTES], group[32], number[32], first[32], rows[32], nulls[32] = "?";
    char min[CELL_NBYTES], max[CELL_NBYTES];
    size_t min_nbytes, max_nbytes;
    char *least = known_value(line->field, &line->bounds, 0, &min_nbytes);
    char *greatest = known_value(line->field, &line->bounds, 1, &max_nbytes);
    bool done;

    if (line->zone.nnulls != STOA_ZONE_NNULLS_UNKNOWN)
        print_count(nulls, line->zone.nnulls);
    done = table_add_row(
        printer->table,
        (const char *const[]){
            stoa_quote(name, sizeof(name), line->field->name, strlen(line->field->name)),
            print_count(group, line->row_group),
            print_count(number, line->number),
            print_count(first, line->first_row),
            print_count(rows, line->zone.nvalues),
            nulls,
            print_cell(min, least, min_nbytes),
            print_cell(max, greatest, max_nbytes),
            exact_word(&line->zone),
            order_word(&line->zone),
        },
        10);
    free(least);
    free(greatest);
    return done ? EXIT_DONE : fail_memory();
}

static enum exit_code print_zone(struct zone_printer *printer, const struct zone_line *line)
{
    if (printer->table == NULL)
        return print_zone_json(printer, line);
    if (printer->nrows++ == TABLE_MAX_NROWS) {
        complain("more than %d zones for a table: --select fewer columns, or --json",
                 TABLE_MAX_NROWS);
        return EXIT_USAGE;
    }
    return print_zone_row(printer, line);
}

/* The zones of a row group of one column; printer->code tells of what could not be printed. */
static enum stoa_status print_group(struct zone_printer *printer, struct stoa_reader *reader,
                                    uint32_t node, struct zone_line *line, struct stoa_error *err)
{
    struct stoa_row_group group;
    enum stoa_status st = stoa_reader_row_group(reader, line->row_group, &group, err);

    for (uint32_t k = 0; st == STOA_OK && printer->code == EXIT_DONE && k < group.nzones; k++) {
        line->number = k;
        line->first_row = group.first_row + (uint64_t)k * STOA_ZONE_NROWS;
        st = stoa_reader_zone(reader, node, line->row_group, k, &line->zone, err);
        if (st == STOA_OK)
            st = stoa_zone_bounds(&line->field->type, &line->zone, &line->bounds, err);
        if (st == STOA_OK)
            printer->code = print_zone(printer, line);
        stoa_array_reset(&line->bounds);
    }
    return st;
}

static enum stoa_status print_columns(struct zone_printer *printer, struct stoa_reader *reader,
                                      char *const *names, uint32_t nnames, struct stoa_error *err)
{
    const struct stoa_schema *schema;
    enum stoa_status st = stoa_reader_schema(reader, &schema, err);
    uint32_t ncolumns = st == STOA_OK && names == NULL ? schema->nfields : nnames;

    for (uint32_t i = 0; st == STOA_OK && printer->code == EXIT_DONE && i < ncolumns; i++) {
        uint32_t column = i, node = 0;

        if (names != NULL)
            st = stoa_schema_find(schema, names[i], &column, err);
        if (st == STOA_OK)
            st = stoa_reader_column_node(reader, column, &node, err);
        for (uint32_t g = 0;
             st == STOA_OK && printer->code == EXIT_DONE && g < stoa_reader_nrow_groups(reader);
             g++) {
            struct zone_line line = {.field = &schema->fields[column], .row_group = g};

            st = print_group(printer, reader, node, &line, err);
        }
    }
    return st;
}

static enum exit_code print_zones_of(struct zone_printer *printer, const char *path,
                                     char *const *names, uint32_t nnames)
{
    struct open_file file;
    struct stoa_error err;
    enum exit_code code;

    if (!open_stoa(path, &file, &code))
        return code;
    printer->path = path;
    code = EXIT_DONE;
    if (print_columns(printer, file.reader, names, nnames, &err) != STOA_OK)
        code = fail_file(path, &err);
    close_stoa(&file);
    return code != EXIT_DONE ? code : printer->code;
}

static enum exit_code print_zones(const struct arguments *arguments, char *const *select,
                                  uint32_t nselect)
{
    static const char *const names[] = {"column", "row group", "zone", "first row", "rows",
                                        "nulls",  "min",       "max",  "exact",     "order"};
    static const bool right[] = {false, true, true, true, true, true, true, true, false, false};
    struct zone_printer printer = {.code = EXIT_DONE};
    enum exit_code code = EXIT_DONE;

    if (!has_option(arguments, OPT_JSON)) {
        printer.table = start_table(names, right, sizeof(names) / sizeof(names[0]));
        if (printer.table == NULL)
            return fail_memory();
    }
    for (int i = 0; code == EXIT_DONE && i < arguments->nfiles; i++)
        code = print_zones_of(&printer, arguments->files[i], select, nselect);
    if (code == EXIT_DONE && printer.table != NULL)
        code = table_print(printer.table);
    table_free(printer.table);
    return code;
}

enum exit_code run_stats(const struct arguments *arguments)
{
    struct scan_arguments scan;
    enum exit_code code;

    if (has_option(arguments, OPT_ZONES) && has_option(arguments, OPT_WHERE)) {
        complain("--zones prints what the file has; it takes no --where");
        return EXIT_USAGE;
    }
    if (!option_scan(arguments, &scan))
        return EXIT_USAGE;
    code = has_option(arguments, OPT_ZONES)
               ? print_zones(arguments, scan.names, scan.options.ncolumns)
               : print_summary(arguments, &scan.options);
    scan_arguments_reset(&scan);
    return code;
}
