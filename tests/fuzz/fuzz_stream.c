/*
 * Any bytes as an input that may be compressed: reading it in small pieces must give the same text
 * and the same error as reading it in large ones. The first byte chooses the small piece.
 */
#include <stdlib.h>
#include <string.h>

#include <stoa/io.h>

/* A bomb is cut off here; it must not take more memory than a window either. */
enum { MAX_TEXT = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes);

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

static void read_all(const uint8_t *data, size_t nbytes, size_t npiece, struct outcome *outcome)
{
    struct stoa_stream *stream = NULL;
    struct stoa_error err = {0};
    size_t got = 1;

    outcome->ntext = 0;
    outcome->status = stoa_stream_open_memory(data, nbytes, "input", &stream, &err);
    while (outcome->status == STOA_OK && got > 0 && outcome->ntext < MAX_TEXT) {
        size_t room = MAX_TEXT - outcome->ntext;

        outcome->status = stream->read(stream, outcome->text + outcome->ntext,
                                       npiece < room ? npiece : room, &got, &err);
        if (outcome->status == STOA_OK)
            outcome->ntext += got;
    }
    must(outcome->status == STOA_OK || strncmp(err.message, "input: ", 7) == 0);
    memcpy(outcome->message, err.message, sizeof(err.message));
    stoa_stream_close(stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    static struct outcome large, small;

    if (nbytes == 0)
        return 0;
    read_all(data + 1, nbytes - 1, MAX_TEXT, &large);
    read_all(data + 1, nbytes - 1, (size_t)1 + data[0], &small);
    /* Small pieces may give out more in front of an error, never other text. */
    must(memcmp(large.text, small.text, large.ntext < small.ntext ? large.ntext : small.ntext) ==
         0);
    if (large.ntext < MAX_TEXT && small.ntext < MAX_TEXT) {
        must(large.status == small.status);
        must(large.status != STOA_OK || large.ntext == small.ntext);
    }
    return 0;
}
