/*
 * Loops over bits and text that all modules share (libformat/base).
 *
 *     make build/release/bench/micro/bench_base && build/release/bench/micro/bench_base
 *
 * Each works in pieces through 128 MiB, then over one piece again and again, which stays in the
 * first cache; there the plain code, too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/utf8.h"
#include "measure.h"

enum { NPASSES = 5, CACHED_NPASSES = 15, CACHED_NREPEATS = 500 };

/* A loop, and how many pieces of which it goes through. */
struct job {
    void (*run)(size_t piece, bool plain);
    size_t npieces;
    bool plain;
};

static void run_all(const void *context)
{
    const struct job *job = context;

    for (size_t piece = 0; piece < job->npieces; piece++)
        job->run(piece, job->plain);
}

/* Adds the times of a loop over npieces to its row, and prints it. */
static void show(struct measure_row *row, void (*run)(size_t piece, bool plain), size_t npieces)
{
    const struct job all = {run, npieces, false}, one = {run, 1, false}, plain = {run, 1, true};
    const double n = (double)npieces;

    row->group = "base";
    row->seconds = measure_best(run_all, &all, 1, NPASSES);
    row->cached_seconds = n * measure_best(run_all, &one, CACHED_NREPEATS, CACHED_NPASSES);
    row->reference_seconds = n * measure_best(run_all, &plain, CACHED_NREPEATS, CACHED_NPASSES);
    measure_print(row);
}

/* ---- Numbers of set bits. A value is a row, of whose number there may be 4 bytes. ---- */

enum { PIECE_NROWS = 4096 };

static uint8_t *bits;
static uint32_t *numbers; /* a place for each row */

static void run_places(size_t piece, bool plain)
{
    const uint8_t *from = bits + piece * (PIECE_NROWS / 8);
    uint32_t *to = numbers + piece * PIECE_NROWS;
    const size_t n = plain ? stoa_bitmap_places_scalar(from, PIECE_NROWS, 7, to)
                           : stoa_bitmap_places(from, PIECE_NROWS, 7, to);

    __asm__ volatile("" ::"r"(n));
}

static void show_places(void)
{
    static const unsigned percents[] = {1, 10, 20, 50, 90, 100};
    const size_t nrows = MEASURE_MEMORY_NBYTES / sizeof(*numbers);

    bits = measure_memory(nrows / 8);
    numbers = measure_memory(MEASURE_MEMORY_NBYTES);
    for (size_t k = 0; k < sizeof(percents) / sizeof(percents[0]); k++) {
        double nset;
        char name[64];
        struct measure_row row = {.name = name, .nvalues = (double)nrows};

        stoa_bitmap_fill(bits, 0, nrows, false);
        for (size_t i = 0; i < nrows; i++)
            if (measure_random() % 100 < percents[k])
                stoa_bitmap_set(bits, i);
        nset = (double)stoa_bitmap_count(bits, 0, nrows);
        snprintf(name, sizeof(name), "numbers of set bits, %u %%", percents[k]);
        row.value_nbytes = nset * sizeof(*numbers) / (double)nrows;
        row.read_nbytes = (double)nrows / 8;
        row.written_nbytes = nset * sizeof(*numbers);
        show(&row, run_places, nrows / PIECE_NROWS);
    }
}

/* ---- UTF-8 check. A value is a byte. ---- */

enum { PIECE_NBYTES = 16384 };

static uint8_t *text;

static void run_utf8(size_t piece, bool plain)
{
    const uint8_t *from = text + piece * PIECE_NBYTES;
    const size_t n = plain ? stoa_utf8_valid_prefix_scalar(from, PIECE_NBYTES)
                           : stoa_utf8_valid_prefix(from, PIECE_NBYTES);

    if (n != PIECE_NBYTES)
        abort();
}

/* Pieces of whole letters: one of `rarity` is `letter`, the others are ASCII. */
static void make_text(const char *letter, unsigned rarity)
{
    const size_t letter_nbytes = strlen(letter);

    for (size_t piece = 0; piece < MEASURE_MEMORY_NBYTES; piece += PIECE_NBYTES) {
        for (size_t i = 0; i < PIECE_NBYTES;) {
            const bool fits = PIECE_NBYTES - i >= letter_nbytes;

            if (fits && measure_random() % rarity == 0) {
                memcpy(text + piece + i, letter, letter_nbytes);
                i += letter_nbytes;
            } else {
                text[piece + i++] = (uint8_t)('a' + measure_random() % 26);
            }
        }
    }
}

static void show_utf8(void)
{
    static const struct {
        const char *name;
        const char *letter;
        unsigned rarity;
    } texts[] = {
        {"UTF-8, ASCII", "a", 1},
        {"UTF-8, one letter of 100 has two bytes", "\xc3\xa9", 100},
        {"UTF-8, one letter of 10 has two bytes", "\xc3\xa9", 10},
        {"UTF-8, letters of two bytes", "\xce\xb1", 1},
        {"UTF-8, letters of three bytes", "\xe6\x96\x87", 1},
    };

    text = measure_memory(MEASURE_MEMORY_NBYTES);
    for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++) {
        struct measure_row row = {.name = texts[k].name,
                                  .nvalues = (double)MEASURE_MEMORY_NBYTES,
                                  .value_nbytes = 1,
                                  .read_nbytes = (double)MEASURE_MEMORY_NBYTES};

        make_text(texts[k].letter, texts[k].rarity);
        show(&row, run_utf8, MEASURE_MEMORY_NBYTES / PIECE_NBYTES);
    }
}

int main(int argc, char **argv)
{
    measure_begin(argc, argv);
    show_places();
    show_utf8();
    return 0;
}
