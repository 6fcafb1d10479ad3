/*
 * Any bytes as JSON lines. The schema that they say must hold every record of theirs, what comes of
 * them must be well-formed columns, and these as JSON lines again must be the same columns. Where
 * units end must not depend on how much a read delivers.
 *
 *     byte 0     lines of a unit
 *     byte 1     bytes of a read
 *     from 2 on  the text
 */
#include <stdlib.h>
#include <string.h>

#include <stoa/jsonl.h>

#include "base/utf8.h"
#include "jsonl/evidence.h"
#include "jsonl/lines.h"
#include "jsonl/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes);

static void must(bool good)
{
    if (!good)
        abort();
}

/* ---- Units. ---- */

struct pieces {
    struct stoa_stream base;
    const uint8_t *bytes;
    size_t nbytes, at, npiece;
};

static enum stoa_status pieces_read(struct stoa_stream *base, void *out, size_t nbytes, size_t *got,
                                    struct stoa_error *err)
{
    struct pieces *pieces = (struct pieces *)base;
    const size_t rest = pieces->nbytes - pieces->at;

    (void)err;
    *got = nbytes < pieces->npiece ? nbytes : pieces->npiece;
    *got = *got < rest ? *got : rest;
    if (*got > 0)
        memcpy(out, pieces->bytes + pieces->at, *got);
    pieces->at += *got;
    return STOA_OK;
}

/* The place, lines and bytes of each unit, one behind the other. */
static size_t cut(const uint8_t *text, size_t nbytes, size_t npiece, uint32_t nlines, uint64_t *out,
                  size_t most)
{
    struct pieces pieces = {
        .base = {.read = pieces_read, .name = "x"},
        .bytes = text,
        .nbytes = nbytes,
        .npiece = npiece,
    };
    struct stoa_jsonl_cutter cutter;
    struct stoa_jsonl_text unit;
    size_t n = 0;

    stoa_jsonl_cutter_init(&cutter, &pieces.base, nlines, 64, 100);
    cutter.passes_large = true;
    while (n + 4 <= most) {
        must(stoa_jsonl_cutter_next(&cutter, &unit, NULL) == STOA_OK);
        if (unit.text == NULL)
            break;
        must(unit.large_nbytes > 0 || memcmp(unit.text, text + unit.offset, unit.nbytes) == 0);
        out[n++] = unit.offset;
        out[n++] = unit.line;
        out[n++] = unit.nlines;
        out[n++] = unit.large_nbytes > 0 ? unit.large_nbytes : unit.nbytes;
        stoa_free(unit.text);
    }
    stoa_jsonl_cutter_reset(&cutter);
    return n;
}

static void check_units(const uint8_t *text, size_t nbytes, uint8_t nlines, uint8_t npiece)
{
    enum { MOST = 4096 };
    static uint64_t large[MOST], small[MOST];
    const size_t n = cut(text, nbytes, SIZE_MAX, 1U + nlines % 8, large, MOST);

    must(cut(text, nbytes, (size_t)1 + npiece, 1U + nlines % 8, small, MOST) == n);
    must(memcmp(large, small, n * sizeof(large[0])) == 0);
}

/* ---- Rows. ---- */

/* Calls `each` for each line that is not blank and is UTF-8. */
static void each_line(const char *text, size_t nbytes,
                      void (*each)(void *context, const char *line), void *context)
{
    const char *at = text, *limit = text + nbytes;

    while (at < limit) {
        const char *begin = stoa_json_blanks(at);
        const char *end = memchr(at, '\n', (size_t)(limit - at));

        if (end == NULL)
            end = limit;
        if (begin < end &&
            stoa_utf8_valid_prefix((const uint8_t *)at, (size_t)(end - at)) == (size_t)(end - at))
            each(context, begin);
        at = end + 1;
    }
}

struct observing {
    struct stoa_jsonl_observer observer;
    struct stoa_jsonl_evidence *record;
};

static void observe(void *context, const char *line)
{
    struct observing *observing = context;

    must(stoa_jsonl_observe(&observing->observer, observing->record, line, NULL) == STOA_OK);
}

struct reading {
    struct stoa_jsonl_parser parser;
    bool guessed; /* by these very lines: what they say fits */
    size_t nbad;
};

static void parse(void *context, const char *line)
{
    struct reading *reading = context;
    const enum stoa_jsonl_wrong *wrong = &reading->parser.wrong;

    if (stoa_jsonl_parser_line(&reading->parser, line) != NULL)
        return;
    reading->nbad++;
    must(!reading->guessed || *wrong == STOA_JSONL_SYNTAX || *wrong == STOA_JSONL_NO_OBJECT ||
         *wrong == STOA_JSONL_BEHIND || *wrong == STOA_JSONL_DUPLICATE || *wrong == STOA_JSONL_KEY);
}

/* The rows of a text; how many lines are none. */
static size_t read_rows(const struct stoa_schema *schema, bool guessed, const char *text,
                        size_t nbytes, struct stoa_batch *out)
{
    struct stoa_jsonl_shape shape;
    struct reading reading = {.guessed = guessed};
    uint32_t *columns = calloc(schema->nfields, sizeof(*columns));
    bool *inferred = calloc(schema->nfields, sizeof(*inferred));

    must(columns != NULL && inferred != NULL);
    for (uint32_t i = 0; i < schema->nfields; i++) {
        columns[i] = i;
        inferred[i] = guessed;
    }
    must(stoa_jsonl_shape_init(&shape, schema, NULL, inferred, NULL) == STOA_OK);
    must(stoa_jsonl_parser_init(&reading.parser, &shape, 1, NULL) == STOA_OK);
    reading.parser.limit = text + nbytes;
    each_line(text, nbytes, parse, &reading);
    must(stoa_batch_init(out, schema, NULL) == STOA_OK);
    must(stoa_jsonl_parser_finish(&reading.parser, columns, out, NULL) == STOA_OK);
    must(stoa_batch_validate(out, NULL) == STOA_OK);
    stoa_jsonl_parser_reset(&reading.parser);
    stoa_jsonl_shape_reset(&shape);
    free(columns);
    free(inferred);
    return reading.nbad;
}

/* Records whose syntax is good, a key twice aside. */
static void count_good(void *context, const char *line)
{
    struct stoa_json_fault fault;
    const char *end = *line == '{' ? stoa_json_skip_value(line, &fault) : NULL;

    if (end != NULL)
        end = stoa_json_blanks(end);
    *(size_t *)context += end != NULL && (*end == '\n' || *end == '\0');
}

static void check_schema(const struct stoa_schema *schema, const char *text, size_t nbytes)
{
    struct stoa_batch rows, again, lenient;
    char *lines = NULL;
    size_t nlines = 0, ngood = 0;

    read_rows(schema, true, text, nbytes, &rows);
    read_rows(schema, false, text, nbytes, &lenient);
    each_line(text, nbytes, count_good, &ngood);
    must(rows.nrows <= ngood && lenient.nrows >= rows.nrows);
    must(stoa_jsonl_format(&rows, &lines, &nlines, NULL) == STOA_OK);
    must(stoa_realloc(&lines, nlines + STOA_JSONL_SLACK, 1, NULL) == STOA_OK);
    memset(lines + nlines, 0, STOA_JSONL_SLACK);
    must(read_rows(schema, true, lines, nlines, &again) == 0);
    must(stoa_batch_equal(&rows, &again));
    stoa_free(lines);
    stoa_batch_reset(&rows);
    stoa_batch_reset(&again);
    stoa_batch_reset(&lenient);
}

static void check_rows(const uint8_t *data, size_t nbytes)
{
    struct observing observing = {.record = NULL};
    struct stoa_schema schema;
    char *text = malloc(nbytes + STOA_JSONL_SLACK);

    must(text != NULL);
    if (nbytes > 0)
        memcpy(text, data, nbytes);
    memset(text + nbytes, 0, STOA_JSONL_SLACK);
    must(stoa_jsonl_evidence_new(&observing.record, NULL) == STOA_OK);
    each_line(text, nbytes, observe, &observing);
    must(stoa_jsonl_evidence_schema(observing.record, false, &schema, NULL) == STOA_OK);
    if (schema.nfields > 0)
        check_schema(&schema, text, nbytes);
    stoa_schema_reset(&schema);
    must(stoa_jsonl_evidence_schema(observing.record, true, &schema, NULL) == STOA_OK);
    if (schema.nfields > 0)
        check_schema(&schema, text, nbytes);
    stoa_schema_reset(&schema);
    stoa_jsonl_evidence_free(observing.record);
    stoa_buffer_free(&observing.observer.scratch);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    if (nbytes < 2)
        return 0;
    check_units(data + 2, nbytes - 2, data[0], data[1]);
    check_rows(data + 2, nbytes - 2);
    return 0;
}
