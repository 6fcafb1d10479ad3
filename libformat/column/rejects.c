/*
 * Bad records: how they are kept, counted and written (spec/csv.md, "Bad records").
 *
 * A unit may have many of them, so their texts stand one behind the other in one buffer:
 *
 *     bytes   value | raw | message 0 | path 0 | value | raw | message 0 | ...
 */
#include "column/rejects.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/number.h"
#include "column/type.h"

/* ---- Those of a unit. ---- */

void stoa_rejects_reset(struct stoa_rejects *rejects)
{
    stoa_free(rejects->items);
    stoa_buffer_free(&rejects->bytes);
    stoa_buffer_free(&rejects->wholes);
    *rejects = (struct stoa_rejects){0};
}

size_t stoa_rejects_nbytes(const struct stoa_rejects *rejects)
{
    return rejects->capacity * sizeof(*rejects->items) + rejects->bytes.capacity +
           rejects->wholes.capacity;
}

static size_t at_most(size_t nbytes)
{
    return nbytes < STOA_REJECT_MAX_NBYTES ? nbytes : STOA_REJECT_MAX_NBYTES;
}

enum stoa_status stoa_rejects_append(struct stoa_rejects *rejects, const struct stoa_reject *reject,
                                     struct stoa_error *err)
{
    struct stoa_reject *item;
    enum stoa_status st;

    STOA_TRY(stoa_reserve(&rejects->items, &rejects->capacity, rejects->nitems + 1,
                          sizeof(*rejects->items), err));
    item = &rejects->items[rejects->nitems];
    *item = *reject;
    item->value_nbytes = reject->value != NULL ? at_most(reject->value_nbytes) : 0;
    item->raw_nbytes = at_most(reject->raw_nbytes);
    STOA_TRY(stoa_buffer_append(&rejects->bytes, reject->value, item->value_nbytes, err));
    STOA_TRY(stoa_buffer_append(&rejects->bytes, reject->raw, item->raw_nbytes, err));
    STOA_TRY(
        stoa_buffer_append(&rejects->bytes, reject->message, strlen(reject->message) + 1, err));
    if (reject->path != NULL)
        STOA_TRY(stoa_buffer_append(&rejects->bytes, reject->path, strlen(reject->path) + 1, err));
    if (rejects->keeps_whole)
        STOA_TRY(stoa_buffer_append(&rejects->wholes, reject->raw, reject->whole_nbytes, err));
    rejects->nitems++;
out:
    return st;
}

struct stoa_reject stoa_rejects_get(const struct stoa_rejects *rejects, size_t i, size_t *at)
{
    struct stoa_reject item = rejects->items[i];
    const char *text = (const char *)rejects->bytes.data + *at;

    item.value = item.value != NULL ? text : NULL;
    item.raw = text + item.value_nbytes;
    item.message = item.raw + item.raw_nbytes;
    *at += item.value_nbytes + item.raw_nbytes + strlen(item.message) + 1;
    if (item.path != NULL) {
        item.path = (const char *)rejects->bytes.data + *at;
        *at += strlen(item.path) + 1;
    }
    return item;
}

/* ---- The file. ---- */

static const char file_header[] =
    "file,member,line,record,record_offset,byte_offset,column_index,column_name,error,"
    "expected_type,value,raw_record,message\n";

/* A text, which always has quotes: an empty one is no null. */
static enum stoa_status append_text(struct stoa_buffer *out, const char *text, size_t nbytes,
                                    char behind, struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(stoa_buffer_append(out, "\"", 1, err));
    while (nbytes > 0) {
        const char *quote = memchr(text, '"', nbytes);
        size_t n = quote != NULL ? (size_t)(quote - text) + 1 : nbytes;

        STOA_TRY(stoa_buffer_append(out, text, n, err));
        if (quote != NULL)
            STOA_TRY(stoa_buffer_append(out, "\"", 1, err));
        text += n;
        nbytes -= n;
    }
    STOA_TRY(stoa_buffer_append(out, "\"", 1, err));
    STOA_TRY(stoa_buffer_append(out, &behind, 1, err));
out:
    return st;
}

static enum stoa_status append_number(struct stoa_buffer *out, uint64_t x, struct stoa_error *err)
{
    char text[STOA_NUMBER_NBYTES + 1];
    size_t nbytes = stoa_number_format_uint64(x, text);

    text[nbytes] = ',';
    return stoa_buffer_append(out, text, nbytes + 1, err);
}

/* A text that may be missing. */
static enum stoa_status append_optional(struct stoa_buffer *out, const char *text, size_t nbytes,
                                        struct stoa_error *err)
{
    if (text == NULL)
        return stoa_buffer_append(out, ",", 1, err);
    return append_text(out, text, nbytes, ',', err);
}

static enum stoa_status append_row(struct stoa_buffer *out, const struct stoa_reject *reject,
                                   const char *name, const char *member, uint64_t record,
                                   const char *column_name, struct stoa_error *err)
{
    const size_t nfile = member != NULL ? (size_t)(member - name) - 1 : strlen(name);
    char *type = NULL;
    enum stoa_status st;

    STOA_TRY(append_text(out, name, nfile, ',', err));
    STOA_TRY(append_optional(out, member, member != NULL ? strlen(member) : 0, err));
    STOA_TRY(append_number(out, reject->line, err));
    STOA_TRY(append_number(out, record, err));
    STOA_TRY(append_number(out, reject->record_offset, err));
    STOA_TRY(append_number(out, reject->byte_offset, err));
    if (reject->column == STOA_REJECT_NO_COLUMN)
        STOA_TRY(stoa_buffer_append(out, ",", 1, err));
    else
        STOA_TRY(append_number(out, (uint64_t)reject->column + 1, err));
    STOA_TRY(append_optional(out, column_name, column_name != NULL ? strlen(column_name) : 0, err));
    STOA_TRY(append_text(out, reject->error, strlen(reject->error), ',', err));
    if (reject->field != NULL)
        STOA_TRY(stoa_type_print(reject->field, &type, err));
    STOA_TRY(append_optional(out, type, type != NULL ? strlen(type) : 0, err));
    STOA_TRY(append_optional(out, reject->value, reject->value_nbytes, err));
    STOA_TRY(append_text(out, reject->raw, reject->raw_nbytes, ',', err));
    STOA_TRY(append_text(out, reject->message, strlen(reject->message), '\n', err));
out:
    stoa_free(type);
    return st;
}

/* ---- The ledger. ---- */

enum stoa_status stoa_reject_ledger_init(struct stoa_reject_ledger *ledger,
                                         const struct stoa_reject_options *options,
                                         struct stoa_error *err)
{
    *ledger = (struct stoa_reject_ledger){.options = *options};
    if ((unsigned)options->on_error > STOA_CSV_ON_ERROR_REJECT || !(options->max_ratio >= 0) ||
        options->max_ratio > 1)
        return stoa_fail(err, STOA_ERR_USAGE, "an option for bad records is out of its range");
    if (options->sink == NULL)
        return STOA_OK;
    return options->sink->write(options->sink, file_header, strlen(file_header), err);
}

/* One more bad record; STOA_ERR_DATA when it is one too many. */
static enum stoa_status count(struct stoa_reject_ledger *ledger, const struct stoa_reject *reject,
                              const char *name, struct stoa_error *err)
{
    const uint64_t most = ledger->options.max_errors;

    ledger->nrejected++;
    if (most == 0 || ledger->nrejected <= most)
        return STOA_OK;
    return stoa_fail_at(err, STOA_ERR_DATA, reject->byte_offset,
                        "%s: %s; %" PRIu64 " bad record%s before it were left out, which is the "
                        "limit",
                        name, reject->message, most, most == 1 ? "" : "s");
}

static enum stoa_status check_ratio(const struct stoa_reject_ledger *ledger, const char *name,
                                    struct stoa_error *err)
{
    const double ratio = ledger->options.max_ratio;

    if (ratio == 0 || (double)ledger->nrejected <= ratio * (double)ledger->nrecords)
        return STOA_OK;
    return stoa_fail(err, STOA_ERR_DATA,
                     "%s: %" PRIu64 " of the first %" PRIu64 " records are bad, which is more than "
                     "the limit",
                     name, ledger->nrejected, ledger->nrecords);
}

/*
 * Writes the next bad record as it stands. One at the end of an input may have no line end: then it
 * gets one when another follows.
 */
static enum stoa_status write_whole(struct stoa_reject_ledger *ledger, const char *text,
                                    size_t nbytes, struct stoa_error *err)
{
    struct stoa_sink *sink = ledger->options.raw_sink;
    enum stoa_status st = STOA_OK;

    if (ledger->is_unended)
        STOA_TRY(sink->write(sink, "\n", 1, err));
    ledger->is_unended = text[nbytes - 1] != '\n' && text[nbytes - 1] != '\r';
    STOA_TRY(sink->write(sink, text, nbytes, err));
out:
    return st;
}

enum stoa_status stoa_reject_ledger_accept(struct stoa_reject_ledger *ledger, uint64_t input,
                                           const char *name, const char *member,
                                           const struct stoa_rejects *rejects, char *const *names,
                                           const uint32_t *columns, uint32_t ncolumns,
                                           struct stoa_error *err)
{
    struct stoa_sink *sink = ledger->options.sink;
    const uint64_t max_written = ledger->options.max_written;
    struct stoa_buffer text = {0};
    struct stoa_error over = {0};
    enum stoa_status limit = STOA_OK, st = STOA_OK;
    const char *whole = (const char *)rejects->wholes.data;
    size_t at = 0;

    if (ledger->input != input)
        ledger->nbefore = 0;
    ledger->input = input;
    for (size_t i = 0; limit == STOA_OK && i < rejects->nitems; i++) {
        const struct stoa_reject reject = stoa_rejects_get(rejects, i, &at);
        const bool is_raw = ledger->options.raw_sink != NULL && reject.whole_nbytes > 0;
        const char *column_name = reject.path; /* NULL: of one too many */

        limit = count(ledger, &reject, name, &over);
        if ((sink == NULL && !is_raw) || (max_written > 0 && ledger->nwritten == max_written))
            continue;
        ledger->nwritten++;
        if (column_name == NULL && reject.column < ncolumns)
            column_name = names[columns != NULL ? columns[reject.column] : reject.column];
        if (sink != NULL)
            STOA_TRY(append_row(&text, &reject, name, member, ledger->nbefore + reject.record + 1,
                                column_name, err));
        if (is_raw) {
            ledger->nraw++;
            STOA_TRY(write_whole(ledger, whole, reject.whole_nbytes, err));
            whole += reject.whole_nbytes;
        }
    }
    ledger->nbefore += rejects->nrecords;
    ledger->nrecords += rejects->nrecords;
    if (text.nbytes > 0)
        STOA_TRY(sink->write(sink, text.data, text.nbytes, err));
    if (limit == STOA_OK)
        limit = check_ratio(ledger, name, &over);
    ledger->is_over = limit != STOA_OK;
    if (limit != STOA_OK && err != NULL)
        *err = over;
    st = limit;
out:
    stoa_buffer_free(&text);
    return st;
}
