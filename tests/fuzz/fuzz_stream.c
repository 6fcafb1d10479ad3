/*
 * Any bytes as an input that may be compressed: reading it in small pieces must give the same text
 * and the same error as reading it in large ones. The first byte chooses the small piece.
 */
#include "fuzz/pieces.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes);

static void read_all(const uint8_t *data, size_t nbytes, size_t npiece, struct outcome *outcome)
{
    struct stoa_stream *stream = NULL;
    struct stoa_error err = {0};

    outcome->ntext = 0;
    outcome->status = stoa_stream_open_memory(data, nbytes, "input", &stream, &err);
    if (outcome->status == STOA_OK)
        read_stream(stream, npiece, outcome, &err);
    must(outcome->status == STOA_OK || strncmp(err.message, "input: ", 7) == 0);
    memcpy(outcome->message, err.message, sizeof(err.message));
    stoa_stream_close(stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    compare_pieces(data, nbytes, read_all);
    return 0;
}
