/*
 * Any bytes as an archive: reading its members in small pieces must give the same names, texts and
 * errors as in large ones, and none of it may run away. The first byte chooses the small piece.
 */
#include <stdlib.h>
#include <string.h>

#include <stoa/io.h>

/* What is read at the most; a bomb is cut off here. */
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

static void put(struct outcome *outcome, const void *bytes, size_t nbytes)
{
    size_t room = MAX_TEXT - outcome->ntext;

    memcpy(outcome->text + outcome->ntext, bytes, nbytes < room ? nbytes : room);
    outcome->ntext += nbytes < room ? nbytes : room;
}

/* Its name and its text. */
static void read_member(struct stoa_stream *stream, size_t npiece, struct outcome *outcome,
                        struct stoa_error *err)
{
    size_t got = 1;

    must(strncmp(stream->name, "input", 5) == 0);
    put(outcome, stream->name, strlen(stream->name) + 1);
    while (outcome->status == STOA_OK && got > 0 && outcome->ntext < MAX_TEXT) {
        size_t room = MAX_TEXT - outcome->ntext;

        outcome->status = stream->read(stream, outcome->text + outcome->ntext,
                                       npiece < room ? npiece : room, &got, err);
        if (outcome->status == STOA_OK)
            outcome->ntext += got;
    }
}

static void read_all(const uint8_t *data, size_t nbytes, size_t npiece, struct outcome *outcome)
{
    struct stoa_members *members = NULL;
    struct stoa_stream *stream = NULL;
    struct stoa_error err = {0};
    bool more = true;

    outcome->ntext = 0;
    outcome->status = stoa_members_open_memory(data, nbytes, "input", &members, &err);
    while (more && outcome->status == STOA_OK && outcome->ntext < MAX_TEXT) {
        outcome->status = stoa_members_next(members, &stream, &err);
        more = stream != NULL;
        if (outcome->status == STOA_OK && more)
            read_member(stream, npiece, outcome, &err);
        stoa_stream_close(stream);
        stream = NULL;
    }
    must(outcome->status == STOA_OK || strncmp(err.message, "input", 5) == 0);
    memcpy(outcome->message, err.message, sizeof(err.message));
    stoa_members_close(members);
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
