/*
 * Any bytes as an archive: reading its members in small pieces must give the same names, texts and
 * errors as in large ones, and none of it may run away. The first byte chooses the small piece.
 */
#include "fuzz/pieces.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes);

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
    must(strncmp(stream->name, "input", 5) == 0);
    put(outcome, stream->name, strlen(stream->name) + 1);
    read_stream(stream, npiece, outcome, err);
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
    compare_pieces(data, nbytes, read_all);
    return 0;
}
