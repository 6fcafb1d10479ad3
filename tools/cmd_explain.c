/*
 * stoa explain: runs a scan and shows what it could skip, and why not more.
 */
#include <inttypes.h>
#include <stdio.h>

#include "command.h"
#include "json_out.h"
#include "table.h"

static const char *const skip_names[] = {"row_groups", "zones", "pages", "bytes"};
#define NSKIPS 4

static void get_skips(const struct stoa_scan_counters *counters, struct stoa_skip out[NSKIPS])
{
    out[0] = counters->row_groups;
    out[1] = counters->zones;
    out[2] = counters->pages;
    out[3] = counters->bytes;
}

static struct json_t *skip_json(const struct stoa_skip *skip)
{
    struct json_t *out = json_out_object();

    json_out_set(out, "total", json_out_count(skip->total));
    json_out_set(out, "skipped", json_out_count(skip->skipped));
    json_out_set(out, "read", json_out_count(skip->read));
    return out;
}

static enum stoa_status print_json(struct stoa_scan *scan, struct stoa_error *err)
{
    struct stoa_scan_counters counters;
    struct stoa_skip skips[NSKIPS];
    struct json_t *out = json_out_object(), *terms = json_out_array();
    enum stoa_status st = STOA_OK;

    stoa_scan_counters_get(scan, &counters);
    get_skips(&counters, skips);
    for (size_t i = 0; i < NSKIPS; i++)
        json_out_set(out, skip_names[i], skip_json(&skips[i]));
    json_out_set(out, "rows_considered", json_out_count(counters.rows_considered));
    json_out_set(out, "rows_selected", json_out_count(counters.rows_selected));
    for (uint32_t i = 0; st == STOA_OK && i < stoa_scan_nterms(scan); i++) {
        struct stoa_scan_term term;
        struct json_t *row;

        st = stoa_scan_term(scan, i, &term, err);
        if (st != STOA_OK)
            break;
        row = json_out_object();
        json_out_set(row, "term", json_out_text(term.text));
        json_out_set(row, "zones_never", json_out_count(term.zones_never));
        json_out_set(row, "zones_maybe", json_out_count(term.zones_maybe));
        json_out_set(row, "zones_always", json_out_count(term.zones_always));
        json_out_append(terms, row);
    }
    json_out_set(out, "terms", terms);
    json_out_print(out);
    return st;
}

static bool print_skips(const struct stoa_skip skips[NSKIPS])
{
    static const char *const names[] = {"row groups", "zones", "pages", "bytes"};
    struct table *table = table_new();
    bool done = table != NULL && table_add_column(table, "", false) &&
                table_add_column(table, "total", true) &&
                table_add_column(table, "skipped", true) && table_add_column(table, "read", true);

    for (size_t i = 0; done && i < NSKIPS; i++) {
        char total[32], skipped[32], read[32];

        done = table_add_row(table,
                             (const char *const[]){names[i], print_count(total, skips[i].total),
                                                   print_count(skipped, skips[i].skipped),
                                                   print_count(read, skips[i].read)},
                             4);
    }
    done = done && table_print(table);
    table_free(table);
    return done;
}

/* What a term by itself lets skip, and a word on why it does not skip more. */
static void print_term(const struct stoa_scan_term *term)
{
    uint64_t total = term->zones_never + term->zones_maybe + term->zones_always;
    char never[32], all[32];

    printf("  %s\n    excludes %s of %s zones", term->text, print_count(never, term->zones_never),
           print_count(all, total));
    if (term->zones_never == 0 && term->zones_maybe == total)
        fputs(": every zone spans values on both sides; sorting by this column would help", stdout);
    else if (term->zones_always == total && total > 0)
        fputs(": it is true for every row", stdout);
    putchar('\n');
}

static enum stoa_status print_text(struct stoa_scan *scan, struct stoa_error *err)
{
    struct stoa_scan_counters counters;
    struct stoa_skip skips[NSKIPS];
    char considered[32], selected[32];
    enum stoa_status st = STOA_OK;

    stoa_scan_counters_get(scan, &counters);
    get_skips(&counters, skips);
    print_skips(skips);
    printf("\n%s rows selected of %s looked at\n", print_count(selected, counters.rows_selected),
           print_count(considered, counters.rows_considered));
    if (stoa_scan_nterms(scan) > 0)
        puts("\nTerms:");
    for (uint32_t i = 0; st == STOA_OK && i < stoa_scan_nterms(scan); i++) {
        struct stoa_scan_term term;

        st = stoa_scan_term(scan, i, &term, err);
        if (st == STOA_OK)
            print_term(&term);
    }
    return st;
}

/* Reads all that the scan would read. */
static enum stoa_status run_scan(struct stoa_scan *scan, struct stoa_error *err)
{
    for (;;) {
        struct stoa_batch batch;
        enum stoa_status st = stoa_scan_next(scan, &batch, err);
        bool ended;

        if (st != STOA_OK)
            return st;
        ended = batch.nrows == 0;
        stoa_batch_reset(&batch);
        if (ended)
            return STOA_OK;
    }
}

enum exit_code run_explain(const struct arguments *arguments)
{
    const char *path = arguments->files[0];
    struct scan_arguments options;
    struct open_file file;
    struct stoa_scan *scan = NULL;
    struct stoa_error err;
    enum exit_code code = EXIT_DONE;

    if (!has_option(arguments, OPT_WHERE)) {
        complain("explain: --where EXPR says what to explain");
        return EXIT_USAGE;
    }
    if (!option_scan(arguments, &options))
        return EXIT_USAGE;
    if (open_stoa(path, &file, &code)) {
        if (stoa_scan_open(file.reader, &options.options, &scan, &err) != STOA_OK ||
            run_scan(scan, &err) != STOA_OK ||
            (has_option(arguments, OPT_JSON) ? print_json(scan, &err) : print_text(scan, &err)) !=
                STOA_OK)
            code = fail_file(path, &err);
        stoa_scan_close(scan);
        close_stoa(&file);
    }
    scan_arguments_reset(&options);
    return code;
}
