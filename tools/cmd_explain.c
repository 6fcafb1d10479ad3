/*
 * stoa explain: runs a scan and shows what it could skip, and why not more.
 */
#include <stdlib.h>

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

static struct json_t *term_json(const struct stoa_scan_term *term)
{
    struct json_t *out = json_out_object();

    json_out_set(out, "term", json_out_text(term->text));
    json_out_set(out, "zones_never", json_out_count(term->zones_never));
    json_out_set(out, "zones_maybe", json_out_count(term->zones_maybe));
    json_out_set(out, "zones_always", json_out_count(term->zones_always));
    json_out_set(out, "zones_known", json_out_count(term->zones_known));
    return out;
}

static enum exit_code print_json(const struct stoa_scan_counters *counters,
                                 const struct stoa_scan_term *terms, uint32_t nterms)
{
    struct stoa_skip skips[NSKIPS];
    struct json_t *out = json_out_object(), *list = json_out_array();

    get_skips(counters, skips);
    for (size_t i = 0; i < NSKIPS; i++)
        json_out_set(out, skip_names[i], skip_json(&skips[i]));
    json_out_set(out, "rows_considered", json_out_count(counters->rows_considered));
    json_out_set(out, "rows_selected", json_out_count(counters->rows_selected));
    for (uint32_t i = 0; i < nterms; i++)
        json_out_append(list, term_json(&terms[i]));
    json_out_set(out, "terms", list);
    return json_out_print(out);
}

static enum exit_code print_skips(const struct stoa_scan_counters *counters)
{
    static const char *const names[] = {"row groups", "zones", "pages", "bytes"};
    struct stoa_skip skips[NSKIPS];
    struct table *table = table_new();
    bool done = table != NULL && table_add_column(table, "", false) &&
                table_add_column(table, "total", true) &&
                table_add_column(table, "skipped", true) && table_add_column(table, "read", true);
    enum exit_code code;

    get_skips(counters, skips);
    for (size_t i = 0; done && i < NSKIPS; i++) {
        char total[32], skipped[32], read[32];

        done = table_add_row(table,
                             (const char *const[]){names[i], print_count(total, skips[i].total),
                                                   print_count(skipped, skips[i].skipped),
                                                   print_count(read, skips[i].read)},
                             4);
    }
    code = done ? table_print(table) : fail_memory();
    table_free(table);
    return code;
}

/* What a term by itself lets skip, and a word on why it does not skip more. */
static void print_term(const struct stoa_scan_term *term)
{
    uint64_t total = term->zones_never + term->zones_maybe + term->zones_always;
    char never[32], all[32], known[32];

    printf("  %s\n    excludes %s of %s zones", term->text, print_count(never, term->zones_never),
           print_count(all, total));
    if (term->zones_known > 0)
        printf("; %s are decided by what is known beside their bounds",
               print_count(known, term->zones_known));
    if (term->zones_always == total && total > 0)
        fputs(": it is true for every row", stdout);
    else if (term->zones_never == 0 && term->zones_maybe > 0)
        fputs(": each may hold such rows; a file sorted by this column would skip more", stdout);
    putchar('\n');
}

static enum exit_code print_text(const struct stoa_scan_counters *counters,
                                 const struct stoa_scan_term *terms, uint32_t nterms)
{
    char considered[32], selected[32];
    enum exit_code code = print_skips(counters);

    printf("\n%s rows selected of %s looked at\n", print_count(selected, counters->rows_selected),
           print_count(considered, counters->rows_considered));
    if (nterms > 0)
        puts("\nTerms:");
    for (uint32_t i = 0; i < nterms; i++)
        print_term(&terms[i]);
    return code;
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

static enum exit_code explain_scan(const struct arguments *arguments, const char *path,
                                   struct stoa_scan *scan)
{
    uint32_t nterms = stoa_scan_nterms(scan);
    struct stoa_scan_term *terms = calloc((size_t)nterms + 1, sizeof(*terms));
    struct stoa_scan_counters counters;
    struct stoa_error err;
    enum stoa_status st;
    enum exit_code code;

    if (terms == NULL)
        return fail_memory();
    st = run_scan(scan, &err);
    for (uint32_t i = 0; st == STOA_OK && i < nterms; i++)
        st = stoa_scan_term(scan, i, &terms[i], &err);
    if (st == STOA_OK)
        st = stoa_scan_counters_get(scan, &counters, &err);
    if (st != STOA_OK)
        code = fail_file(path, &err);
    else
        code =
            (has_option(arguments, OPT_JSON) ? print_json : print_text)(&counters, terms, nterms);
    free(terms);
    return code;
}

enum exit_code run_explain(const struct arguments *arguments)
{
    const char *path = arguments->files[0];
    struct scan_arguments options;
    struct open_file file;
    struct stoa_scan *scan = NULL;
    struct stoa_error err;
    enum exit_code code;

    if (!has_option(arguments, OPT_WHERE)) {
        complain("explain: --where EXPR says what to explain");
        return EXIT_USAGE;
    }
    if (!option_scan(arguments, &options))
        return EXIT_USAGE;
    if (open_stoa(path, &file, &code)) {
        if (stoa_scan_open(file.reader, &options.options, &scan, &err) == STOA_OK)
            code = explain_scan(arguments, path, scan);
        else
            code = fail_file(path, &err);
        stoa_scan_close(scan);
        close_stoa(&file);
    }
    scan_arguments_reset(&options);
    return code;
}
