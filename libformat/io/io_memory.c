/* Memory as a source and as a sink. */
#include <assert.h>
#include <string.h>

#include <stoa/io.h>

#include "base/alloc.h"
#include "base/error.h"
#include "io/io_name.h"

struct memory_source {
    struct stoa_source source;
    const uint8_t *bytes;
    char *name;
};

static enum stoa_status memory_read_at(struct stoa_source *source, uint64_t offset, void *out,
                                       size_t nbytes, struct stoa_error *err)
{
    struct memory_source *memory = (struct memory_source *)source;

    if (offset > source->nbytes || nbytes > source->nbytes - offset)
        return stoa_fail_at(err, STOA_ERR_IO, offset, "%s: %zu bytes wanted past its end",
                            memory->name, nbytes);
    if (nbytes > 0)
        memcpy(out, memory->bytes + offset, nbytes);
    return STOA_OK;
}

static void memory_source_close(struct stoa_source *source)
{
    struct memory_source *memory = (struct memory_source *)source;

    stoa_free(memory->name);
    stoa_free(memory);
}

enum stoa_status stoa_source_open_memory(const void *bytes, size_t nbytes, const char *name,
                                         struct stoa_source **out, struct stoa_error *err)
{
    struct memory_source *memory;
    enum stoa_status st;

    st = stoa_alloc_zeroed(&memory, 1, sizeof(*memory), err);
    if (st != STOA_OK)
        return st;
    STOA_TRY(stoa_io_name(&memory->name, name, err));
    memory->bytes = bytes;
    memory->source = (struct stoa_source){.read_at = memory_read_at,
                                          .close = memory_source_close,
                                          .nbytes = nbytes,
                                          .name = memory->name};
    *out = &memory->source;
    memory = NULL;
out:
    stoa_free(memory);
    return st;
}

struct memory_sink {
    struct stoa_sink sink;
    struct stoa_buffer buffer;
};

static enum stoa_status memory_write(struct stoa_sink *sink, const void *bytes, size_t nbytes,
                                     struct stoa_error *err)
{
    return stoa_buffer_append(&((struct memory_sink *)sink)->buffer, bytes, nbytes, err);
}

static enum stoa_status memory_commit(struct stoa_sink *sink, struct stoa_error *err)
{
    (void)sink;
    (void)err;
    return STOA_OK;
}

static void memory_sink_close(struct stoa_sink *sink)
{
    stoa_buffer_free(&((struct memory_sink *)sink)->buffer);
    stoa_free(sink);
}

enum stoa_status stoa_sink_create_memory(struct stoa_sink **out, struct stoa_error *err)
{
    struct memory_sink *memory;
    enum stoa_status st = stoa_alloc_zeroed(&memory, 1, sizeof(*memory), err);

    if (st != STOA_OK)
        return st;
    memory->sink = (struct stoa_sink){.write = memory_write,
                                      .commit = memory_commit,
                                      .close = memory_sink_close,
                                      .name = "memory"};
    *out = &memory->sink;
    return STOA_OK;
}

const uint8_t *stoa_sink_memory(const struct stoa_sink *sink, size_t *nbytes)
{
    const struct memory_sink *memory = (const struct memory_sink *)sink;

    assert(sink->write == memory_write);
    *nbytes = memory->buffer.nbytes;
    return memory->buffer.data;
}
