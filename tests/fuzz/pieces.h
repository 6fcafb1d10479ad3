/*
 * Reading any bytes in large pieces and in small ones, for fuzz targets: both must give the same
 * text and the same error, and none of it may run away.
 */
#ifndef STOA_TESTS_FUZZ_PIECES_H
#define STOA_TESTS_FUZZ_PIECES_H

#include <stdlib.h>
#include <string.h>

#include <stoa/io.h>

/* What is read at the most: a bomb is cut off here, and must not take more than a window either. */
enum { MAX_TEXT = 1 << 20 };

struct outcome {
    enum stoa_status status;
    char message[STOA_ERROR_MESSAGE_NBYTES];
    size_t ntext;
    uint8_t text[MAX_TEXT];
};

static void must(bool good)
{
    if (!good)
        abort();
}

/* Appends the text of a stream, npiece bytes at a time. */
static void read_stream(struct stoa_stream *stream, size_t npiece, struct outcome *outcome,
                        struct stoa_error *err)
{
    size_t got = 1;

    while (outcome->status == STOA_OK && got > 0 && outcome->ntext < MAX_TEXT) {
        size_t room = MAX_TEXT - outcome->ntext;

        outcome->status = stream->read(stream, outcome->text + outcome->ntext,
                                       npiece < room ? npiece : room, &got, err);
        if (outcome->status == STOA_OK)
            outcome->ntext += got;
    }
}

/*
 * What deflate that is damaged gives in front of its error is not compared: sets of codes that are
 * not whole are taken by ISA-L, and lead to what its tables had before.
 */
static bool is_damaged_deflate(const struct outcome *outcome)
{
    return outcome->status != STOA_OK &&
           (strstr(outcome->message, "gzip data is damaged near byte ") != NULL ||
            strstr(outcome->message, "deflate data is damaged near byte ") != NULL);
}

/* The first byte of an input chooses the small piece, the others are what is read. */
static void compare_pieces(const uint8_t *data, size_t nbytes,
                           void (*read_all)(const uint8_t *data, size_t nbytes, size_t npiece,
                                            struct outcome *outcome))
{
    static struct outcome large, small;

    if (nbytes == 0)
        return;
    read_all(data + 1, nbytes - 1, MAX_TEXT, &large);
    read_all(data + 1, nbytes - 1, (size_t)1 + data[0], &small);
    if (is_damaged_deflate(&large) && is_damaged_deflate(&small))
        return;
    /* Small pieces may give out more in front of an error, never other text. */
    must(memcmp(large.text, small.text, large.ntext < small.ntext ? large.ntext : small.ntext) ==
         0);
    if (large.ntext < MAX_TEXT && small.ntext < MAX_TEXT) {
        must(large.status == small.status);
        must(large.status != STOA_OK || large.ntext == small.ntext);
    }
}

#endif
