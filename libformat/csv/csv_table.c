/*
 * Headers and the checks of whole records.
 */
#include "csv/csv_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "csv/parse_value.h"

/* Names of columns, found by hash; nslots is a power of two, more than twice the columns. */
struct stoa_csv_names {
    size_t nslots;
    uint32_t slots[]; /* the column and 1; 0: free */
};

void stoa_csv_header_reset(struct stoa_csv_header *header)
{
    for (size_t i = 0; i < header->ncolumns; i++)
        stoa_free(header->names[i]);
    stoa_free(header->names);
    stoa_free(header->origin);
    stoa_free(header->index);
    *header = (struct stoa_csv_header){0};
}

/* Where a name is, or has its place. */
static uint32_t *find_slot(const struct stoa_csv_header *header, const char *name)
{
    struct stoa_csv_names *index = header->index;
    size_t at = (size_t)stoa_hash(name, strlen(name)) & (index->nslots - 1);

    while (index->slots[at] != 0 && strcmp(header->names[index->slots[at] - 1], name) != 0)
        at = (at + 1) & (index->nslots - 1);
    return &index->slots[at];
}

/* Makes room for `nnames` more columns. */
static enum stoa_status reserve_names(struct stoa_csv_header *header, size_t nnames,
                                      struct stoa_error *err)
{
    const size_t need = header->ncolumns + nnames;
    struct stoa_csv_names *index = header->index;
    size_t nslots = index != NULL ? index->nslots : 16;
    enum stoa_status st;

    STOA_TRY(stoa_reserve(&header->names, &header->capacity, need, sizeof(*header->names), err));
    if (index != NULL && nslots / 2 > need)
        goto out;
    while (nslots / 2 <= need)
        nslots *= 2;
    STOA_TRY(stoa_alloc_zeroed(&index, 1, sizeof(*index) + nslots * sizeof(index->slots[0]), err));
    index->nslots = nslots;
    stoa_free(header->index);
    header->index = index;
    for (uint32_t i = 0; i < header->ncolumns; i++)
        *find_slot(header, header->names[i]) = i + 1;
out:
    return st;
}

static enum stoa_status add_name(struct stoa_csv_header *header, const char *name,
                                 struct stoa_error *err)
{
    char *copy;
    enum stoa_status st;

    STOA_TRY(stoa_strndup(&copy, name, strlen(name), err));
    header->names[header->ncolumns++] = copy;
    *find_slot(header, name) = (uint32_t)header->ncolumns;
out:
    return st;
}

static enum stoa_status meet_names(struct stoa_csv_header *header, const struct stoa_csv_head *head,
                                   bool grows, uint32_t *columns, struct stoa_error *err)
{
    char shown[80];
    enum stoa_status st = STOA_OK;

    if (grows)
        STOA_TRY(reserve_names(header, head->ncolumns, err));
    for (size_t i = 0; i < head->ncolumns; i++) {
        const char *name = head->names[i];

        if (*find_slot(header, name) == 0) {
            if (!grows)
                return stoa_fail(err, STOA_ERR_DATA,
                                 "line %" PRIu64 ", column %zu: %s has no column \"%s\"",
                                 head->line, i + 1, header->origin,
                                 stoa_quote(shown, sizeof(shown), name, strlen(name)));
            STOA_TRY(add_name(header, name, err));
        }
        columns[i] = *find_slot(header, name) - 1;
    }
out:
    return st;
}

static enum stoa_status fail_filename(const char *name, uint64_t line, size_t column,
                                      struct stoa_error *err)
{
    char shown[80];

    return stoa_fail(err, STOA_ERR_USAGE,
                     "line %" PRIu64
                     ", column %zu: a column is called \"%s\" already: the names of "
                     "the inputs need another name",
                     line, column + 1, stoa_quote(shown, sizeof(shown), name, strlen(name)));
}

enum stoa_status stoa_csv_header_meet(struct stoa_csv_header *header,
                                      const struct stoa_csv_head *head,
                                      const struct stoa_csv_options *options,
                                      const char *input_name, bool grows, uint32_t **out,
                                      struct stoa_error *err)
{
    const bool by_place = stoa_csv_header_nrecords(options) == 0 && header->origin != NULL;
    const size_t ncolumns = head->ncolumns;
    uint32_t *columns = NULL;
    enum stoa_status st;

    for (size_t i = 0; !by_place && options->filename != NULL && i < ncolumns; i++)
        if (strcmp(head->names[i], options->filename) == 0)
            return fail_filename(options->filename, head->line, i, err);
    if (by_place && ncolumns != header->ncolumns)
        return stoa_fail(err, STOA_ERR_DATA, "line %" PRIu64 ": %zu column%s where %s has %zu",
                         head->line, ncolumns, ncolumns == 1 ? "" : "s", header->origin,
                         header->ncolumns);
    STOA_TRY(stoa_alloc_zeroed(&columns, ncolumns, sizeof(*columns), err));
    if (header->origin == NULL)
        STOA_TRY(stoa_strndup(&header->origin, input_name, strlen(input_name), err));
    for (uint32_t i = 0; by_place && i < ncolumns; i++)
        columns[i] = i;
    if (!by_place)
        STOA_TRY(meet_names(header, head, grows, columns, err));
    *out = columns;
    columns = NULL;
out:
    stoa_free(columns);
    return st;
}

enum stoa_status stoa_csv_header_take(struct stoa_csv_header *header,
                                      const struct stoa_schema *schema, uint32_t filename,
                                      struct stoa_error *err)
{
    static const char origin[] = "the schema";
    enum stoa_status st;

    STOA_TRY(stoa_strndup(&header->origin, origin, strlen(origin), err));
    STOA_TRY(reserve_names(header, schema->nfields, err));
    for (uint32_t i = 0; i < schema->nfields; i++)
        if (i != filename)
            STOA_TRY(add_name(header, schema->fields[i].name, err));
out:
    return st;
}

enum stoa_status stoa_csv_record_check(const struct stoa_csv_record *record, uint64_t line,
                                       uint64_t offset, struct stoa_error *err)
{
    static const char *const faults[] = {
        [STOA_CSV_TEXT_AFTER_QUOTE] =
            "text behind the closing quote (a quote inside quotes is written twice)",
        [STOA_CSV_STRAY_QUOTE] =
            "a quote in a field that does not begin with one (a field with quotes is quoted as a "
            "whole)",
        [STOA_CSV_OPEN_QUOTE] = "the quote is never closed",
    };

    if (record->fault == STOA_CSV_FINE)
        return STOA_OK;
    return stoa_fail_at(err, STOA_ERR_DATA, offset, "line %" PRIu64 ", column %zu: %s", line,
                        record->fault_field + 1, faults[record->fault]);
}

enum stoa_status stoa_csv_record_check_width(const struct stoa_csv_record *record, size_t ncolumns,
                                             uint64_t line, uint64_t offset, struct stoa_error *err)
{
    if (record->nfields == ncolumns)
        return STOA_OK;
    return stoa_fail_at(err, STOA_ERR_DATA, offset,
                        "line %" PRIu64 ": %zu field%s where there %s %zu column%s%s", line,
                        record->nfields, record->nfields == 1 ? "" : "s",
                        ncolumns == 1 ? "is" : "are", ncolumns, ncolumns == 1 ? "" : "s",
                        record->nfields == 1 || ncolumns == 1 ? ": is it another delimiter?" : "");
}

/* A character of the dialect; -1: there is none. */
struct role {
    const char *name;
    int character;
};

static enum stoa_status check_character(const struct role *role, struct stoa_error *err)
{
    const char character = (char)role->character;
    char shown[8];

    if (role->character == -1 || ((uint8_t)character < 0x80 && character != '\n' &&
                                  character != '\r' && character != STOA_CSV_NONE))
        return STOA_OK;
    return stoa_fail(err, STOA_ERR_USAGE,
                     "the %s \"%s\" can't be used: it must be an ASCII character other than a line "
                     "end",
                     role->name, stoa_quote(shown, sizeof(shown), &character, 1));
}

/* All characters that split text, no two the same. */
static enum stoa_status check_characters(const struct stoa_csv_options *options,
                                         struct stoa_error *err)
{
    const struct role roles[] = {
        {"delimiter", (uint8_t)stoa_csv_delimiter(options)},
        {"quote", stoa_csv_quote(options)},
        {"escape", stoa_csv_escape(options)},
        {"comment", stoa_csv_comment(options)},
    };
    const size_t nroles = sizeof(roles) / sizeof(roles[0]);
    char shown[8];
    enum stoa_status st = STOA_OK;

    for (size_t i = 0; i < nroles; i++) {
        const char character = (char)roles[i].character;

        STOA_TRY(check_character(&roles[i], err));
        for (size_t k = 0; roles[i].character != -1 && k < i; k++) {
            if (roles[i].character == roles[k].character)
                return stoa_fail(err, STOA_ERR_USAGE, "\"%s\" can't be both %s and %s",
                                 stoa_quote(shown, sizeof(shown), &character, 1), roles[k].name,
                                 roles[i].name);
        }
    }
out:
    return st;
}

static enum stoa_status check_numbers(const struct stoa_csv_options *options,
                                      struct stoa_error *err)
{
    const char decimal = stoa_csv_decimal(options);
    const int thousands = stoa_csv_thousands(options);
    char character, shown[8];

    if (decimal != '.' && decimal != ',')
        return stoa_fail(err, STOA_ERR_USAGE,
                         "the decimal mark \"%s\" can't be used: it is a point or a comma",
                         stoa_quote(shown, sizeof(shown), &decimal, 1));
    if (thousands == decimal)
        return stoa_fail(err, STOA_ERR_USAGE,
                         "\"%c\" can't be both decimal mark and between thousands", decimal);
    character = (char)thousands;
    if (thousands != -1 && strchr(",. '_", thousands) == NULL)
        return stoa_fail(
            err, STOA_ERR_USAGE,
            "thousands can't be separated by \"%s\": a comma, point, blank, apostrophe "
            "or underscore can be",
            stoa_quote(shown, sizeof(shown), &character, 1));
    return STOA_OK;
}

enum stoa_status stoa_csv_options_check(const struct stoa_csv_options *options,
                                        struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(check_characters(options, err));
    STOA_TRY(check_numbers(options, err));
    if (stoa_csv_trim(options) != STOA_CSV_TRIM_NONE && stoa_csv_delimiter(options) == ' ')
        return stoa_fail(err, STOA_ERR_USAGE,
                         "fields that blanks separate can't be trimmed of blanks");
    if (options->header_nrecords < -1 || options->header_nrecords > STOA_CSV_MAX_HEADER_NRECORDS ||
        options->skip_nlines < -1 || options->trailing_delimiter < -1 ||
        options->trailing_delimiter > 1 || options->trim > STOA_CSV_TRIM_BOTH ||
        options->date_order > STOA_CSV_DATE_MDY || options->infer > STOA_CSV_INFER_NONE ||
        (options->ragged & ~(STOA_CSV_PAD | STOA_CSV_TRUNCATE)) != 0)
        return stoa_fail(err, STOA_ERR_USAGE, "an option of CSV is out of its range");
    if (options->max_record_nbytes > STOA_CSV_MOST_NBYTES ||
        options->unit_nbytes > STOA_CSV_MOST_NBYTES)
        return stoa_fail(err, STOA_ERR_USAGE, "a CSV record or unit of 4 GiB or more");
    if (options->filename != NULL && options->filename[0] == '\0')
        return stoa_fail(err, STOA_ERR_USAGE, "the column of the names of inputs needs a name");
out:
    return st;
}

uint32_t stoa_csv_filename_find(const struct stoa_csv_options *options,
                                const struct stoa_schema *schema)
{
    for (uint32_t i = 0; options->filename != NULL && i < schema->nfields; i++)
        if (strcmp(schema->fields[i].name, options->filename) == 0)
            return i;
    return STOA_CSV_NO_FIELD;
}

const struct stoa_field *stoa_csv_given_type(const struct stoa_csv_options *options,
                                             const char *name)
{
    const struct stoa_schema *types = options->types;

    for (uint32_t i = 0; types != NULL && i < types->nfields; i++)
        if (strcmp(types->fields[i].name, name) == 0)
            return &types->fields[i];
    return NULL;
}

enum stoa_status stoa_csv_column_check(const struct stoa_field *field, struct stoa_error *err)
{
    char name[80];
    char *type = NULL;
    enum stoa_status st;

    if (stoa_csv_parser_find(&field->type) != NULL)
        return STOA_OK;
    STOA_TRY(stoa_type_print(field, &type, err));
    st = stoa_fail(err, STOA_ERR_USAGE, "column %s: CSV can't hold %s; JSON lines (jsonl) can",
                   stoa_quote(name, sizeof(name), field->name, strlen(field->name)), type);
out:
    stoa_free(type);
    return st;
}

enum stoa_status stoa_csv_fail_too_large(struct stoa_error *err, const char *input_name,
                                         uint64_t line, uint64_t offset, uint64_t max_record_nbytes)
{
    enum stoa_status st = stoa_fail_at(err, STOA_ERR_LIMIT, offset,
                                       "line %" PRIu64 ": a record of more than %" PRIu64
                                       " bytes: is a quote left open?",
                                       line, max_record_nbytes);

    return input_name != NULL ? stoa_wrap(err, st, "%s", input_name) : st;
}
