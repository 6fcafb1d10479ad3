/*
 * The head of an input (spec/csv.md, section 2).
 *
 *     Passengers by month          skip_nlines 1
 *                                  blank
 *     ,Jan,Jan,Feb                 header_nrecords 2
 *     Line,cars,trucks,cars
 *     1,20,30,40                   the first record
 *
 * makes the names Line, Jan cars, Jan trucks, Feb cars.
 */
#include "csv/csv_head.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "csv/csv_table.h"

static void free_names(char **names, size_t nnames)
{
    for (size_t i = 0; names != NULL && i < nnames; i++)
        stoa_free(names[i]);
    stoa_free(names);
}

void stoa_csv_head_reset(struct stoa_csv_head *head)
{
    free_names(head->names, head->ncolumns);
    *head = (struct stoa_csv_head){0};
}

/* ---- Names ---- */

/* What the fields of the header records say, one buffer a column. */
struct header {
    struct stoa_buffer *texts;
    size_t ncolumns;
    size_t capacity;
};

static void header_reset(struct header *header)
{
    for (size_t i = 0; i < header->ncolumns; i++)
        stoa_buffer_free(&header->texts[i]);
    stoa_free(header->texts);
}

static enum stoa_status add_record(struct header *header, const struct stoa_csv_record *record,
                                   struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(stoa_reserve(&header->texts, &header->capacity, record->nfields,
                          sizeof(*header->texts), err));
    while (header->ncolumns < record->nfields)
        header->texts[header->ncolumns++] = (struct stoa_buffer){0};
    for (size_t i = 0; i < record->nfields; i++) {
        const struct stoa_csv_field *field = &record->fields[i];
        struct stoa_buffer *text = &header->texts[i];

        if (field->nbytes == 0)
            continue;
        if (text->nbytes > 0)
            STOA_TRY(stoa_buffer_append(text, " ", 1, err));
        STOA_TRY(stoa_buffer_reserve(text, field->nbytes, err));
        text->nbytes += stoa_csv_field_unescape(field, (char *)text->data + text->nbytes);
    }
out:
    return st;
}

/* The name of column i; column_1, column_2, ... where it has none. */
static enum stoa_status name_of(const struct stoa_buffer *text, size_t i, uint64_t line, char **out,
                                struct stoa_error *err)
{
    char generated[32];

    if (text->nbytes == 0) {
        int n = snprintf(generated, sizeof(generated), "column_%zu", i + 1);

        return stoa_strndup(out, generated, (size_t)n, err);
    }
    if (text->nbytes > UINT16_MAX || memchr(text->data, '\0', text->nbytes) != NULL ||
        stoa_utf8_valid_prefix(text->data, text->nbytes) != text->nbytes)
        return stoa_fail(err, STOA_ERR_DATA,
                         "line %" PRIu64 ", column %zu: a name must be UTF-8 text of up to 65,535 "
                         "bytes without NUL",
                         line, i + 1);
    return stoa_strndup(out, (const char *)text->data, text->nbytes, err);
}

/* A name of the input, and the number that its next namesake tries. */
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

static enum stoa_status make_names(const struct header *header, struct stoa_csv_head *out,
                                   struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&out->names, header->ncolumns, sizeof(*out->names), err));
    out->ncolumns = header->ncolumns;
    for (size_t i = 0; i < header->ncolumns; i++)
        STOA_TRY(name_of(&header->texts[i], i, out->line, &out->names[i], err));
    STOA_TRY(make_unique(out->names, out->ncolumns, err));
out:
    return st;
}

/* ---- Lines ---- */

/* The byte behind the physical line at `at`, whatever stands in it; NULL when it may go on. */
static const char *skip_line(const char *at, const char *end, bool whole)
{
    while (at < end && *at != '\n' && *at != '\r')
        at++;
    if (end - at >= 2 && at[0] == '\r')
        return at[1] == '\n' ? at + 2 : at + 1;
    if (at < end && (*at == '\n' || whole))
        return at + 1;
    return whole ? end : NULL;
}

/* Reads records from a text, and knows where they stand. */
struct walk {
    struct stoa_csv_dialect dialect;
    const char *text, *end;
    bool whole;    /* nothing follows the text */
    bool complete; /* so far it was long enough */
    const char *at;
    uint64_t line; /* of `at` */
    struct stoa_csv_record record;
};

/*
 * Splits the next record that is neither blank nor a comment, which begins at walk->at then; there
 * walk->end means that there is none.
 */
static enum stoa_status next_record(struct walk *walk, struct stoa_error *err)
{
    struct stoa_csv_record *record = &walk->record;
    enum stoa_status st = STOA_OK;

    for (; walk->at < walk->end; walk->at = record->next, walk->line += record->nlines) {
        STOA_TRY(stoa_csv_record_split(record, walk->at, walk->end, &walk->dialect, err));
        walk->complete = walk->whole || record->next < walk->end;
        if (!walk->complete || (record->nfields > 0 && !stoa_csv_record_is_blank(record, 0)))
            break;
    }
    walk->complete &= walk->whole || walk->at < walk->end;
out:
    return st;
}

/* Reads `nrecords` records of the header, fewer where the text ends; walk->at moves behind them. */
static enum stoa_status read_header(struct walk *walk, uint32_t nrecords, struct header *header,
                                    struct stoa_csv_head *head, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 0; i < nrecords; i++) {
        STOA_TRY(next_record(walk, err));
        if (!walk->complete || walk->at == walk->end)
            break;
        STOA_TRY(stoa_csv_record_check(&walk->record, walk->line, (uint64_t)(walk->at - walk->text),
                                       err));
        if (i == 0)
            head->line = walk->line;
        STOA_TRY(add_record(header, &walk->record, err));
        walk->at = walk->record.next;
        walk->line += walk->record.nlines;
    }
    head->nbytes = (size_t)(walk->at - walk->text);
    head->nlines = walk->line - 1;
out:
    return st;
}

/* Counts the columns of the first record, which has no names for them. */
static enum stoa_status count_columns(struct walk *walk, struct header *header,
                                      struct stoa_csv_head *head, struct stoa_error *err)
{
    enum stoa_status st;

    head->nbytes = (size_t)(walk->at - walk->text);
    head->nlines = walk->line - 1;
    STOA_TRY(next_record(walk, err));
    if (!walk->complete || walk->at == walk->end)
        goto out;
    STOA_TRY(
        stoa_csv_record_check(&walk->record, walk->line, (uint64_t)(walk->at - walk->text), err));
    head->line = walk->line;
    STOA_TRY(stoa_alloc_zeroed(&header->texts, walk->record.nfields, sizeof(*header->texts), err));
    header->ncolumns = walk->record.nfields;
out:
    return st;
}

enum stoa_status stoa_csv_head_read(const struct stoa_csv_options *options, const char *text,
                                    size_t nbytes, bool whole, struct stoa_csv_head *out,
                                    bool *complete, struct stoa_error *err)
{
    const uint32_t nrecords = stoa_csv_header_nrecords(options);
    struct walk walk = {.text = text, .at = text, .end = text + nbytes, .whole = whole, .line = 1};
    struct stoa_csv_head head = {0};
    struct header header = {0};
    enum stoa_status st = STOA_OK;

    *out = head;
    stoa_csv_dialect_init(&walk.dialect, options);
    for (uint32_t i = 0; walk.at != NULL && i < stoa_csv_skip_nlines(options); i++) {
        walk.line += walk.at < walk.end;
        walk.at = skip_line(walk.at, walk.end, whole);
    }
    *complete = walk.at != NULL;
    if (!*complete)
        goto out;
    if (nrecords > 0)
        STOA_TRY(read_header(&walk, nrecords, &header, &head, err));
    else
        STOA_TRY(count_columns(&walk, &header, &head, err));
    *complete = whole || (walk.complete && header.ncolumns > 0);
    if (!*complete)
        goto out;
    STOA_TRY(make_names(&header, &head, err));
    *out = head;
    head = (struct stoa_csv_head){0};
out:
    stoa_csv_record_free(&walk.record);
    header_reset(&header);
    stoa_csv_head_reset(&head);
    return st;
}
