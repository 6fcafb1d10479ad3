/*
 * Headers and the checks of whole records.
 */
#include "csv/csv_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "csv/field.h"

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
static enum stoa_status name_of(const struct stoa_csv_field *field, size_t i, uint64_t line,
                                char **out, struct stoa_error *err)
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
        st = stoa_fail(err, STOA_ERR_DATA,
                       "line %" PRIu64 ", column %zu: a name must be UTF-8 text of up to 65,535 "
                       "bytes without NUL",
                       line, i + 1);
        goto out;
    }
    *out = name;
    name = NULL;
out:
    stoa_free(name);
    return st;
}

/* A name of the table, and the number that its next namesake tries. */
struct name_slot {
    const char *name;
    size_t next;
};

/* Where a name is, or has its place; nslots is a power of two. */
static struct name_slot *find_slot(struct name_slot *slots, size_t nslots, const char *name)
{
    size_t at = (size_t)stoa_hash(name, strlen(name)) & (nslots - 1);

    while (slots[at].name != NULL && strcmp(slots[at].name, name) != 0)
        at = (at + 1) & (nslots - 1);
    return &slots[at];
}

/* The second "x" becomes "x_2", the third "x_3", ... passing over names that are taken. */
static enum stoa_status make_unique(char **names, size_t nnames, struct stoa_error *err)
{
    struct name_slot *slots = NULL;
    size_t nslots = 16;
    enum stoa_status st;

    while (nslots / 2 < nnames)
        nslots *= 2;
    STOA_TRY(stoa_alloc_zeroed(&slots, nslots, sizeof(*slots), err));
    for (size_t i = 0; i < nnames; i++) {
        struct name_slot *slot = find_slot(slots, nslots, names[i]);

        if (slot->name == NULL)
            *slot = (struct name_slot){.name = names[i], .next = 2};
    }
    for (size_t i = 0; i < nnames; i++) {
        struct name_slot *slot = find_slot(slots, nslots, names[i]), *own = slot;
        size_t room = strlen(names[i]) + 24;
        char *other;

        if (slot->name == names[i])
            continue;
        STOA_TRY(stoa_alloc(&other, room, err));
        while (own->name != NULL) {
            snprintf(other, room, "%s_%zu", names[i], slot->next++);
            own = find_slot(slots, nslots, other);
        }
        own->name = other;
        stoa_free(names[i]);
        names[i] = other;
    }
out:
    stoa_free(slots);
    return st;
}

static enum stoa_status check_names(const struct stoa_csv_header *header, char *const *names,
                                    uint64_t line, struct stoa_error *err)
{
    char expected[80], found[80];

    for (size_t i = 0; i < header->ncolumns; i++) {
        if (strcmp(header->names[i], names[i]) != 0)
            return stoa_fail(
                err, STOA_ERR_DATA, "line %" PRIu64 ", column %zu: \"%s\" where %s has \"%s\"",
                line, i + 1, stoa_quote(found, sizeof(found), names[i], strlen(names[i])),
                header->origin,
                stoa_quote(expected, sizeof(expected), header->names[i], strlen(header->names[i])));
    }
    return STOA_OK;
}

enum stoa_status stoa_csv_header_meet(struct stoa_csv_header *header,
                                      const struct stoa_csv_record *record,
                                      const struct stoa_csv_options *options,
                                      const char *input_name, uint64_t line, struct stoa_error *err)
{
    const struct stoa_csv_field nameless = {0};
    const bool nameless_columns = stoa_csv_header_nrecords(options) == 0;
    bool first = header->names == NULL;
    size_t nnames = record->nfields;
    char **names = NULL;
    enum stoa_status st = STOA_OK;

    if (!first && nnames != header->ncolumns)
        return stoa_fail(err, STOA_ERR_DATA, "line %" PRIu64 ": %zu column%s where %s has %zu",
                         line, nnames, nnames == 1 ? "" : "s", header->origin, header->ncolumns);
    if (!first && nameless_columns)
        return STOA_OK;
    STOA_TRY(stoa_alloc_zeroed(&names, nnames, sizeof(*names), err));
    for (size_t i = 0; i < nnames; i++)
        STOA_TRY(
            name_of(nameless_columns ? &nameless : &record->fields[i], i, line, &names[i], err));
    STOA_TRY(make_unique(names, nnames, err));
    if (first) {
        STOA_TRY(stoa_strndup(&header->origin, input_name, strlen(input_name), err));
        header->names = names;
        header->ncolumns = nnames;
        names = NULL;
    } else {
        STOA_TRY(check_names(header, names, line, err));
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
out:
    return st;
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
    return stoa_fail_at(err, STOA_ERR_LIMIT, offset,
                        "%s: line %" PRIu64 ": a record of more than %" PRIu64
                        " bytes: is a quote left open?",
                        input_name, line, max_record_nbytes);
}
