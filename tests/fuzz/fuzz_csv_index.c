/*
 * Any text in any dialect: tiles must be the same from all kernels and from the automaton, and
 * units must be whole records of the model, whatever the reads and the sizes of units are.
 *
 *     byte 0     delimiter, quote, escape, two bits each; trailing delimiter; strict
 *     byte 1     comment, trim, ragged, two bits each; two bits for columns: 1 to 4
 *     byte 2, 3  bytes of a read, records of a unit
 *     byte 4     bytes of a unit, in eights
 *     from 5 on  the text
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "csv/cut.h"
#include "csv/index.h"
#include "csv/index_kernels.h"
#include "support/csv_model.h"

enum { NOPTIONS = 5 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes);

static void must(bool good)
{
    if (!good)
        abort();
}

static struct stoa_csv_options options_of(const uint8_t *data)
{
    static const char delimiters[] = {',', ';', '\t', ' '};
    static const char quotes[] = {0, '"', '\'', STOA_CSV_NONE};
    static const char escapes[] = {0, 0, '\\', '^'};
    static const char comments[] = {0, STOA_CSV_NONE, '#', '%'};
    struct stoa_csv_options options = {
        .delimiter = delimiters[data[0] & 3],
        .quote = quotes[data[0] >> 2 & 3],
        .escape = escapes[data[0] >> 4 & 3],
        .trailing_delimiter = (int8_t)(data[0] >> 6 & 1),
        .strict = data[0] >> 7,
        .comment = comments[data[1] & 3],
        .trim = (enum stoa_csv_trim)(data[1] >> 2 & 3),
        .ragged = data[1] >> 4 & 3,
        .unit_nrows = data[3],
        .unit_nbytes = 8U * data[4],
    };

    if (options.delimiter == ' ')
        options.trim = STOA_CSV_TRIM_NONE;
    return options;
}

static bool same(const uint32_t *a, const uint32_t *b, size_t n)
{
    return n == 0 || memcmp(a, b, n * sizeof(*a)) == 0;
}

static bool same_event(const struct stoa_csv_event *a, const struct stoa_csv_event *b)
{
    return a->kind == b->kind && a->fault == b->fault && a->row == b->row && a->begin == b->begin &&
           a->end == b->end && a->fault_at == b->fault_at && a->fault_field == b->fault_field &&
           a->nfields == b->nfields;
}

static void compare_tiles(const struct stoa_csv_index *a, const struct stoa_csv_index *b)
{
    must(a->tile.row == b->tile.row && a->tile.nrows == b->tile.nrows);
    must(same(a->tile.row_begins, b->tile.row_begins, a->tile.nrows));
    must(same(a->tile.row_ends, b->tile.row_ends, a->tile.nrows));
    must(same(a->tile.ends, b->tile.ends, (size_t)a->tile.nrows * a->tile.stride));
    must(a->nevents == b->nevents);
    for (size_t i = 0; i < a->nevents; i++)
        must(same_event(&a->events[i], &b->events[i]));
}

/* Two ways to tiles: some kernel, and the automaton. */
struct pair {
    struct stoa_csv_index one, other;
};

/* Tiles of a text with its slack in both ways; returns the records in them. */
static size_t check_tiles(struct pair *pair, const struct stoa_csv_kernels *kernels,
                          const char *text, size_t nbytes)
{
    struct stoa_csv_index *one = &pair->one, *other = &pair->other;
    size_t nrecords = 0;

    one->kernels = kernels;
    other->kernels = NULL;
    must(stoa_csv_index_start(one, text, nbytes, NULL) == STOA_OK);
    must(stoa_csv_index_start(other, text, nbytes, NULL) == STOA_OK);
    do {
        stoa_csv_index_next(one);
        stoa_csv_index_next(other);
        compare_tiles(one, other);
        nrecords += one->tile.nrows;
        for (size_t i = 0; i < one->nevents; i++)
            nrecords += one->events[i].kind != STOA_CSV_RAGGED;
    } while (!stoa_csv_index_at_end(one));
    return nrecords;
}

/* The text in pieces. Opened as a stream it could be taken for a compressed one. */
struct pieces {
    struct stoa_stream base;
    const char *text;
    size_t nbytes;
    size_t at;
    size_t max_read; /* 0: as much as is asked for */
};

static enum stoa_status read_piece(struct stoa_stream *base, void *out, size_t nbytes, size_t *got,
                                   struct stoa_error *err)
{
    struct pieces *pieces = (struct pieces *)base; /* base is the first member */
    size_t n = pieces->nbytes - pieces->at;

    (void)err;
    n = n < nbytes ? n : nbytes;
    if (pieces->max_read != 0 && n > pieces->max_read)
        n = pieces->max_read;
    memcpy(out, pieces->text + pieces->at, n);
    pieces->at += n;
    *got = n;
    return STOA_OK;
}

/* Cuts the text into units, and holds each against the model and its tiles. */
static void check_units(const struct stoa_test_csv *model, const char *text, size_t nbytes,
                        const struct stoa_csv_options *options, size_t max_read, struct pair *pair)
{
    struct pieces pieces = {.base = {.read = read_piece, .name = "fuzz"},
                            .text = text,
                            .nbytes = nbytes,
                            .max_read = max_read};
    struct stoa_buffer head = {0};
    struct stoa_csv_cutter cutter;
    struct stoa_csv_text unit;
    size_t record = 0;

    stoa_csv_cutter_init(&cutter, &pieces.base, options, &head);
    for (;;) {
        must(stoa_csv_cutter_next(&cutter, &unit, NULL) == STOA_OK);
        if (unit.text == NULL)
            break;
        must(record + unit.nrecords <= model->nrecords);
        must(unit.offset == model->records[record].begin);
        must(unit.line == model->records[record].line);
        record += unit.nrecords;
        must(unit.offset + unit.nbytes == model->records[record - 1].end);
        must(check_tiles(pair, &stoa_csv_kernels_scalar, unit.text, unit.nbytes) == unit.nrecords);
        stoa_free(unit.text);
    }
    must(record == model->nrecords);
    stoa_csv_cutter_reset(&cutter);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    static const char mark[] = "\xef\xbb\xbf";
    struct stoa_csv_options options;
    struct stoa_csv_dialect dialect;
    struct stoa_test_csv model;
    struct pair pair;
    char *text;

    if (nbytes < NOPTIONS)
        return 0;
    options = options_of(data);
    nbytes -= NOPTIONS;
    text = calloc(nbytes + STOA_CSV_SLACK, 1);
    must(text != NULL);
    memcpy(text, data + NOPTIONS, nbytes);
    if (nbytes >= 3 && memcmp(text, mark, 3) == 0)
        text[0] = ','; /* the model knows of none */
    stoa_csv_dialect_init(&dialect, &options);
    stoa_test_csv_parse(text, nbytes, &options, &model);
    stoa_csv_index_init(&pair.one, &dialect, 1 + (data[1] >> 6));
    stoa_csv_index_init(&pair.other, &dialect, 1 + (data[1] >> 6));
    must(check_tiles(&pair, stoa_csv_kernels(), text, nbytes) == model.nrecords);
    check_units(&model, text, nbytes, &options, data[2], &pair);
    stoa_csv_index_reset(&pair.one);
    stoa_csv_index_reset(&pair.other);
    stoa_test_csv_free(&model);
    free(text);
    return 0;
}
