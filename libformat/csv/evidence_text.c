/*
 * Evidence as JSON, for people who wonder why a column has its type (docs/schema-files.md).
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "base/utf8.h"
#include "csv/kind.h"
#include "csv/kind_text.h"

#define REASON_NBYTES 320

static enum stoa_status append(struct stoa_buffer *out, struct stoa_error *err, const char *format,
                               ...) STOA_PRINTF(3, 4);

/* Appends a short text, as printf() does. */
static enum stoa_status append(struct stoa_buffer *out, struct stoa_error *err, const char *format,
                               ...)
{
    char text[160];
    va_list arguments;
    int nbytes;

    va_start(arguments, format);
    nbytes = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return stoa_buffer_append(out, text, (size_t)nbytes, err);
}

/* The bytes of what is shown. */
static size_t shown_nbytes(const struct stoa_csv_shown *shown)
{
    return shown->nbytes < sizeof(shown->text) ? shown->nbytes : sizeof(shown->text);
}

/* As JSON, with "..." behind what is longer; bytes that are no UTF-8 end it. */
static enum stoa_status append_shown(struct stoa_buffer *out, const struct stoa_csv_shown *shown,
                                     struct stoa_error *err)
{
    char text[STOA_CSV_SHOWN_NBYTES + 3];
    size_t nbytes = stoa_utf8_valid_prefix((const uint8_t *)shown->text, shown_nbytes(shown));

    memcpy(text, shown->text, nbytes);
    if (nbytes < shown->nbytes) {
        memcpy(text + nbytes, "...", 3);
        nbytes += 3;
    }
    return stoa_json_append_string(out, text, nbytes, err);
}

/* Why the column has its type, in words. */
static void print_reason(const struct stoa_csv_decision *decision, bool whole,
                         const char *const *input_names, char *out, size_t nbytes)
{
    static const char *const reasons[] = {
        [STOA_CSV_REASON_NO_VALUE] = "no value",
        [STOA_CSV_REASON_VALUES] = "every value",
        [STOA_CSV_REASON_QUOTES] = "values in quotes, where other columns have none",
        [STOA_CSV_REASON_DATE_ORDER] =
            "day and month can't be told apart: --date-order dmy or mdy tells",
        [STOA_CSV_REASON_CENTURY] =
            "years of two digits: --date-format tells how to read them, such as %d/%m/%y",
        [STOA_CSV_REASON_PARAMETERS] = "no type but text holds every value",
        [STOA_CSV_REASON_GIVEN] = "the options",
    };
    const char *sample = decision->reason == STOA_CSV_REASON_NO_VALUE ? " in the sample"
                         : decision->reason == STOA_CSV_REASON_VALUES ? " of the sample"
                                                                      : "";
    const struct stoa_csv_conflict *conflict = decision->conflict;
    char value[4 * STOA_CSV_SHOWN_NBYTES + 1], place[48];

    if (decision->reason != STOA_CSV_REASON_CONFLICT) {
        snprintf(out, nbytes, "%s%s", reasons[decision->reason], whole ? "" : sample);
        return;
    }
    if (conflict->place.line != 0)
        snprintf(place, sizeof(place), "in line %" PRIu64, conflict->place.line);
    else
        snprintf(place, sizeof(place), "behind byte %" PRIu64, conflict->place.offset);
    snprintf(out, nbytes, "\"%s\" %s%s%.128s",
             stoa_quote(value, sizeof(value), conflict->value.text, shown_nbytes(&conflict->value)),
             place, input_names != NULL ? " of " : "",
             input_names != NULL ? input_names[conflict->place.input] : "");
}

/* The texts that stand for null here: "" for nothing at all, and the words. */
static enum stoa_status append_null_spellings(const struct stoa_csv_evidence *evidence,
                                              const struct stoa_csv_spellings *spellings,
                                              struct stoa_buffer *out, struct stoa_error *err)
{
    const char *const *words = spellings->null_values;
    const char *separator = "";
    enum stoa_status st;

    STOA_TRY(append(out, err, ", \"null_spellings\": ["));
    if (evidence->nnulls > 0) {
        STOA_TRY(append(out, err, "\"\""));
        separator = ", ";
    }
    if (evidence->words & 1) {
        STOA_TRY(append(out, err, "%s\"\\\"\\\"\"", separator));
        separator = ", ";
    }
    for (unsigned i = 0; i < 63 && words[i] != NULL; i++) {
        if (!(evidence->words >> (i + 1) & 1))
            continue;
        STOA_TRY(append(out, err, "%s", separator));
        STOA_TRY(stoa_json_append_string(out, words[i], strlen(words[i]), err));
        separator = ", ";
    }
    STOA_TRY(append(out, err, "]"));
out:
    return st;
}

/* The extremes in the order of the type; none where texts are not in that order. */
static const struct stoa_csv_extreme *extremes_of(const struct stoa_csv_evidence *evidence,
                                                  const struct stoa_csv_decision *decision)
{
    const bool year_first = decision->format == NULL || strncmp(decision->format, "%Y", 2) == 0;

    if (decision->kinds & STOA_CSV_KIND_NUMBERS)
        return evidence->numbers;
    if (decision->kinds & STOA_CSV_KIND_BOOL || !year_first ||
        (decision->kinds != 0 && evidence->unpadded[0]))
        return NULL;
    return evidence->texts;
}

enum stoa_status stoa_csv_evidence_print(const struct stoa_csv_evidence *evidence,
                                         const struct stoa_csv_decision *decision,
                                         const struct stoa_csv_spellings *spellings,
                                         const char *name, bool whole,
                                         const char *const *input_names, struct stoa_buffer *out,
                                         struct stoa_error *err)
{
    const struct stoa_csv_extreme *extremes = extremes_of(evidence, decision);
    const bool is_text = decision->type.id == STOA_UTF8;
    const uint64_t nrows = evidence->nvalues + evidence->nnulls + evidence->nwords;
    const uint64_t nnulls = evidence->nnulls + (is_text ? 0 : evidence->nwords);
    char reason[REASON_NBYTES];
    enum stoa_status st;

    STOA_TRY(append(out, err, "{\"name\": "));
    STOA_TRY(stoa_json_append_string(out, name, strlen(name), err));
    STOA_TRY(append(out, err, ", \"rows\": %" PRIu64 ", \"nulls\": %" PRIu64, nrows, nnulls));
    if (nnulls > 0 && !is_text)
        STOA_TRY(append_null_spellings(evidence, spellings, out, err));
    if (extremes != NULL && extremes[0].value.nbytes > 0) {
        STOA_TRY(append(out, err, ", \"min\": "));
        STOA_TRY(append_shown(out, &extremes[0].value, err));
        STOA_TRY(append(out, err, ", \"max\": "));
        STOA_TRY(append_shown(out, &extremes[1].value, err));
    }
    print_reason(decision, whole, input_names, reason, sizeof(reason));
    STOA_TRY(append(out, err, ", \"decided_by\": "));
    STOA_TRY(stoa_json_append_string(out, reason, strlen(reason), err));
    STOA_TRY(append(out, err, "}"));
out:
    return st;
}
