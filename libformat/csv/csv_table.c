/*
 * Headers and the checks of whole records.
 */
#include "csv/csv_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"

static void free_names(char **names, size_t nnames)
{
    for (size_t i = 0; names != NULL && i < nnames; i++)
        stoa_free(names[i]);
    stoa_free(names);
}

void stoa_csv_header_reset(struct stoa_csv_header *header)
{
    free_names(header->names, header->ncolumns);
    stoa_free(header->origin);
    *header = (struct stoa_csv_header){0};
}

/* The name that column i's field gives it; column_1, column_2, ... where there is none. */
static enum stoa_status name_of(const struct stoa_csv_field *field, size_t i, char **out,
                                struct stoa_error *err)
{
    char generated[32];
    char *name = NULL;
    size_t nbytes = field->nbytes;
    enum stoa_status st;

    if (nbytes == 0) {
        int n = snprintf(generated, sizeof(generated), "column_%zu", i + 1);

        return stoa_strndup(out, generated, (size_t)n, err);
    }
    STOA_TRY(stoa_strndup(&name, field->text, nbytes, err));
    if (field->doubled)
        nbytes = stoa_csv_field_unescape(field, name);
    name[nbytes] = '\0';
    if (nbytes > UINT16_MAX || memchr(name, '\0', nbytes) != NULL ||
        stoa_utf8_valid_prefix((const uint8_t *)name, nbytes) != nbytes) {
        st = stoa_fail_at(err, STOA_ERR_DATA, 0,
                          "line 1, column %zu: the name is not UTF-8 text of up to 65,535 bytes",
                          i + 1);
        goto out;
    }
    *out = name;
    name = NULL;
out:
    stoa_free(name);
    return st;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_taken(char *const *names, size_t nnames, const char *name)
{
    for (size_t i = 0; i < nnames; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

/* The second "x" becomes "x_2", the third "x_3", ... passing over names that are taken. */
static enum stoa_status make_unique(char **names, size_t nnames, struct stoa_error *err)
{
    char **sorted = NULL, *other = NULL;
    bool equal = false;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&sorted, nnames, sizeof(*sorted), err));
    memcpy(sorted, names, nnames * sizeof(*sorted));
    qsort(sorted, nnames, sizeof(*sorted), compare_names);
    for (size_t i = 1; i < nnames; i++)
        equal |= strcmp(sorted[i - 1], sorted[i]) == 0;
    for (size_t i = 1; equal && i < nnames; i++) {
        size_t room = strlen(names[i]) + 24;

        if (!is_taken(names, i, names[i]))
            continue;
        STOA_TRY(stoa_alloc(&other, room, err));
        for (size_t k = 2; k == 2 || is_taken(names, nnames, other); k++)
            snprintf(other, room, "%s_%zu", names[i], k);
        stoa_free(names[i]);
        names[i] = other;
        other = NULL;
    }
out:
    stoa_free(sorted);
    return st;
}

static enum stoa_status check_names(const struct stoa_csv_header *header, char *const *names,
                                    struct stoa_error *err)
{
    char expected[80], found[80];

    for (size_t i = 0; i < header->ncolumns; i++) {
        if (strcmp(header->names[i], names[i]) != 0)
            return stoa_fail_at(
                err, STOA_ERR_DATA, 0, "line 1, column %zu: \"%s\" where %s has \"%s\"", i + 1,
                stoa_quote(found, sizeof(found), names[i], strlen(names[i])), header->origin,
                stoa_quote(expected, sizeof(expected), header->names[i], strlen(header->names[i])));
    }
    return STOA_OK;
}

enum stoa_status stoa_csv_header_meet(struct stoa_csv_header *header,
                                      const struct stoa_csv_record *record,
                                      const struct stoa_csv_options *options,
                                      const char *input_name, struct stoa_error *err)
{
    const struct stoa_csv_field nameless = {0};
    bool first = header->names == NULL;
    size_t nnames = record->nfields;
    char **names = NULL;
    enum stoa_status st = STOA_OK;

    if (!first && nnames != header->ncolumns)
        return stoa_fail_at(err, STOA_ERR_DATA, 0, "line 1: %zu columns where %s has %zu", nnames,
                            header->origin, header->ncolumns);
    if (!first && options->no_header)
        return STOA_OK;
    STOA_TRY(stoa_alloc_zeroed(&names, nnames, sizeof(*names), err));
    for (size_t i = 0; i < nnames; i++)
        STOA_TRY(name_of(options->no_header ? &nameless : &record->fields[i], i, &names[i], err));
    STOA_TRY(make_unique(names, nnames, err));
    if (first) {
        STOA_TRY(stoa_strndup(&header->origin, input_name, strlen(input_name), err));
        header->names = names;
        header->ncolumns = nnames;
        names = NULL;
    } else {
        STOA_TRY(check_names(header, names, err));
    }
out:
    free_names(names, nnames);
    return st;
}

enum stoa_status stoa_csv_header_take(struct stoa_csv_header *header,
                                      const struct stoa_schema *schema, struct stoa_error *err)
{
    struct stoa_csv_header taken = {0};
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&taken.names, schema->nfields, sizeof(*taken.names), err));
    taken.ncolumns = schema->nfields;
    for (size_t i = 0; i < taken.ncolumns; i++)
        STOA_TRY(stoa_strndup(&taken.names[i], schema->fields[i].name,
                              strlen(schema->fields[i].name), err));
    STOA_TRY(stoa_strndup(&taken.origin, "the schema", strlen("the schema"), err));
    *header = taken;
    taken = (struct stoa_csv_header){0};
out:
    stoa_csv_header_reset(&taken);
    return st;
}

enum stoa_status stoa_csv_record_check(const struct stoa_csv_record *record, uint64_t line,
                                       uint64_t offset, struct stoa_error *err)
{
    switch (record->fault) {
    case STOA_CSV_FINE:
        break;
    case STOA_CSV_TEXT_AFTER_QUOTE:
        return stoa_fail_at(err, STOA_ERR_DATA, offset,
                            "line %" PRIu64 ", column %zu: text behind the closing quote (a quote "
                            "inside quotes is written twice)",
                            line, record->nfields);
    case STOA_CSV_OPEN_QUOTE:
        return stoa_fail_at(err, STOA_ERR_DATA, offset,
                            "line %" PRIu64 ", column %zu: the quote is never closed", line,
                            record->nfields);
    }
    return STOA_OK;
}

enum stoa_status stoa_csv_record_check_width(const struct stoa_csv_record *record, size_t ncolumns,
                                             uint64_t line, uint64_t offset, struct stoa_error *err)
{
    if (record->nfields == ncolumns)
        return STOA_OK;
    return stoa_fail_at(err, STOA_ERR_DATA, offset,
                        "line %" PRIu64 ": %zu field%s where there are %zu columns%s", line,
                        record->nfields, record->nfields == 1 ? "" : "s", ncolumns,
                        record->nfields == 1 ? ": is it another delimiter?" : "");
}

enum stoa_status stoa_csv_wrap(struct stoa_error *err, enum stoa_status status,
                               const struct stoa_csv_input *input)
{
    const char *name = stoa_csv_input_name(input);

    /* A stream names itself in its own errors. */
    if (err == NULL || strncmp(err->message, name, strlen(name)) == 0)
        return status;
    return stoa_wrap(err, status, "%s", name);
}
