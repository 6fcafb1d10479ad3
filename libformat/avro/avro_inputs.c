/*
 * The inputs of a conversion from Avro files, one after the other.
 *
 * A file that is Avro as it stands is read where its blocks are; one that is compressed as a whole,
 * or comes by a pipe, is a stream. Where blocks may have to be looked for, what can be read only
 * once is copied to a temporary file beforehand.
 */
#include "avro/avro_inputs.h"

#include <stoa/avro.h>

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "base/utf8.h"
#include "column/schema.h"
#include "io/spill.h"

enum { COPY_NBYTES = 256 << 10 };

static void free_tables(struct stoa_avro_table *table)
{
    while (table != NULL) {
        struct stoa_avro_table *next = table->next;

        stoa_buffer_free(&table->text);
        stoa_avro_program_reset(&table->program);
        stoa_avro_schema_reset(&table->schema);
        stoa_free(table);
        table = next;
    }
}

void stoa_avro_inputs_close(struct stoa_avro_inputs *inputs)
{
    if (inputs == NULL)
        return;
    stoa_avro_inputs_end(inputs);
    stoa_avro_container_reset(&inputs->file);
    free_tables(inputs->tables);
    stoa_avro_schema_reset(&inputs->given);
    stoa_schema_reset(&inputs->schema);
    stoa_free(inputs);
}

const struct stoa_schema *stoa_avro_inputs_schema(const struct stoa_avro_inputs *inputs)
{
    return &inputs->schema;
}

enum stoa_status stoa_avro_inputs_name(const struct stoa_avro_inputs *inputs, enum stoa_status st,
                                       struct stoa_error *err)
{
    if (st == STOA_OK || inputs->file.stream_failed)
        return st;
    return stoa_wrap(err, st, "%s", inputs->name);
}

/* The table of the file that is open: of an earlier one of the same text, or a new one. */
static enum stoa_status find_table(struct stoa_avro_inputs *inputs, struct stoa_error *err)
{
    const struct stoa_avro_container *file = &inputs->file;
    struct stoa_avro_table *made = NULL;
    enum stoa_status st;

    for (struct stoa_avro_table **at = &inputs->tables; *at != NULL; at = &(*at)->next) {
        struct stoa_avro_table *table = *at;

        if (table->text.nbytes != file->schema_nbytes ||
            memcmp(table->text.data, file->schema, file->schema_nbytes) != 0)
            continue;
        *at = table->next;
        table->next = inputs->tables;
        inputs->tables = table;
        return STOA_OK;
    }
    STOA_TRY(stoa_alloc_zeroed(&made, 1, sizeof(*made), err));
    STOA_TRY(stoa_buffer_append(&made->text, file->schema, file->schema_nbytes, err));
    STOA_TRY(stoa_avro_schema_parse(file->schema, file->schema_nbytes, &made->schema, err));
    made->next = inputs->tables;
    inputs->tables = made;
    made = NULL;
out:
    free_tables(made);
    return st;
}

const char *stoa_avro_show_input(const char *path, char out[STOA_AVRO_INPUT_NAME_NBYTES])
{
    const char *name = strcmp(path, "-") == 0 ? "standard input" : path;

    return stoa_quote(out, STOA_AVRO_INPUT_NAME_NBYTES, name, strlen(name));
}

/* The bytes of a file, decompressed; unless *opened is NULL it is open already. */
static enum stoa_status open_stream(const char *path, struct stoa_members **opened,
                                    struct stoa_stream **out, struct stoa_error *err)
{
    struct stoa_members *members = *opened;
    char shown[STOA_AVRO_INPUT_NAME_NBYTES];
    enum stoa_status st;

    *opened = NULL;
    if (members == NULL)
        STOA_TRY(stoa_members_open(path, &members, err));
    if (stoa_members_is_archive(members)) {
        st = stoa_fail(err, STOA_ERR_USAGE,
                       "%s: is an archive, in which Avro files are not read: unpack it first",
                       stoa_avro_show_input(path, shown));
        goto out;
    }
    STOA_TRY(stoa_members_next(members, out, err));
out:
    stoa_members_close(members);
    return st;
}

/* A file that is Avro as it stands; *out stays NULL for another one, or a pipe. */
static enum stoa_status open_source(const char *path, struct stoa_source **out,
                                    struct stoa_error *err)
{
    struct stoa_source *source = NULL;
    char magic[4];
    enum stoa_status st = STOA_OK;

    if (strcmp(path, "-") == 0)
        return STOA_OK;
    st = stoa_source_open_file(path, &source, err);
    if (st != STOA_OK) /* a stream tells what is wrong */
        return st == STOA_ERR_NOMEM ? st : STOA_OK;
    if (source->nbytes >= sizeof(magic)) {
        STOA_TRY(source->read_at(source, 0, magic, sizeof(magic), err));
        if (memcmp(magic, STOA_AVRO_MAGIC, sizeof(magic)) == 0) {
            *out = source;
            source = NULL;
        }
    }
out:
    stoa_source_close(source);
    return st;
}

/* All of a stream as a temporary file. */
static enum stoa_status keep_stream(struct stoa_stream *stream, struct stoa_source **out,
                                    struct stoa_error *err)
{
    struct stoa_sink *sink = NULL;
    uint8_t *bytes = NULL;
    size_t got;
    enum stoa_status st;

    STOA_TRY(stoa_sink_create_spill(&sink, err));
    STOA_TRY(stoa_alloc(&bytes, COPY_NBYTES, err));
    do {
        STOA_TRY(stream->read(stream, bytes, COPY_NBYTES, &got, err));
        STOA_TRY(sink->write(sink, bytes, got, err));
    } while (got > 0);
    STOA_TRY(sink->reopen(sink, out, err));
out:
    stoa_free(bytes);
    stoa_sink_close(sink);
    return st;
}

struct stoa_avro_shared *stoa_avro_shared_hold(struct stoa_avro_shared *shared)
{
    if (shared != NULL)
        atomic_fetch_add_explicit(&shared->nholders, 1, memory_order_relaxed);
    return shared;
}

void stoa_avro_shared_drop(struct stoa_avro_shared *shared)
{
    if (shared == NULL || atomic_fetch_sub_explicit(&shared->nholders, 1, memory_order_acq_rel) > 1)
        return;
    stoa_source_close(shared->source);
    stoa_free(shared);
}

/* Takes the source over, also when it fails. */
static enum stoa_status shared_new(struct stoa_source *source, struct stoa_avro_shared **out,
                                   struct stoa_error *err)
{
    struct stoa_avro_shared *shared;
    enum stoa_status st = stoa_alloc_zeroed(&shared, 1, sizeof(*shared), err);

    if (st != STOA_OK) {
        stoa_source_close(source);
        return st;
    }
    shared->source = source;
    atomic_init(&shared->nholders, 1);
    *out = shared;
    return STOA_OK;
}

/* A source or a stream of the path. */
static enum stoa_status open_path(struct stoa_avro_inputs *inputs, const char *path,
                                  struct stoa_error *err)
{
    struct stoa_source *source = NULL;
    enum stoa_status st;

    STOA_TRY(open_source(path, &source, err));
    if (source == NULL)
        STOA_TRY(open_stream(path, &inputs->opened, &inputs->stream, err));
    inputs->is_copy = source == NULL && inputs->skips_blocks;
    if (inputs->is_copy) {
        st = keep_stream(inputs->stream, &source, err);
        stoa_stream_close(inputs->stream);
        inputs->stream = NULL;
        STOA_TRY(st);
    }
    if (source != NULL)
        STOA_TRY(shared_new(source, &inputs->shared, err));
out:
    return st;
}

void stoa_avro_inputs_end(struct stoa_avro_inputs *inputs)
{
    stoa_stream_close(inputs->stream);
    stoa_avro_shared_drop(inputs->shared);
    inputs->stream = NULL;
    inputs->shared = NULL;
    inputs->is_open = false;
}

uint64_t stoa_avro_inputs_done(const struct stoa_avro_inputs *inputs)
{
    if (inputs->stream != NULL)
        return inputs->stream->consumed_nbytes;
    return inputs->shared != NULL ? inputs->file.offset : 0;
}

uint64_t stoa_avro_inputs_total(const struct stoa_avro_inputs *inputs)
{
    if (inputs->stream != NULL)
        return inputs->stream->total_nbytes;
    return inputs->shared != NULL ? inputs->shared->source->nbytes : 0;
}

enum stoa_status stoa_avro_inputs_next(struct stoa_avro_inputs *inputs, struct stoa_error *err)
{
    const char *path = inputs->paths[inputs->nopened++];
    enum stoa_status st;

    stoa_avro_show_input(path, inputs->name);
    inputs->is_open = true;
    st = open_path(inputs, path, err);
    if (st != STOA_OK)
        return st;
    stoa_avro_container_reset(&inputs->file);
    STOA_TRY(stoa_avro_container_open(&inputs->file, inputs->stream,
                                      inputs->shared != NULL ? inputs->shared->source : NULL, err));
    inputs->file.checks_frames = inputs->skips_blocks;
    STOA_TRY(find_table(inputs, err));
out:
    return stoa_avro_inputs_name(inputs, st, err);
}

/* A key with what stands in front of it, a value as text or base64. */
static enum stoa_status keep_pair(struct stoa_metadata *metadata, const struct stoa_avro_pair *pair,
                                  struct stoa_error *err)
{
    const char *value = (const char *)pair->value;
    const bool is_text =
        stoa_utf8_valid_prefix(pair->value, pair->value_nbytes) == pair->value_nbytes &&
        memchr(value, 0, pair->value_nbytes) == NULL;
    const char *front = is_text ? STOA_AVRO_METADATA_TEXT : STOA_AVRO_METADATA_BASE64;
    struct stoa_buffer key = {0}, text = {0};
    enum stoa_status st;

    STOA_TRY(stoa_buffer_append(&key, front, strlen(front), err));
    STOA_TRY(stoa_buffer_append(&key, pair->key, pair->key_nbytes, err));
    STOA_TRY(stoa_buffer_append(&key, "", 1, err));
    if (is_text)
        STOA_TRY(stoa_buffer_append(&text, pair->value, pair->value_nbytes, err));
    else
        STOA_TRY(stoa_base64_append(&text, pair->value, pair->value_nbytes, err));
    STOA_TRY(stoa_buffer_append(&text, "", 1, err));
    STOA_TRY(stoa_metadata_set(metadata, (char *)key.data, (char *)text.data, err));
out:
    stoa_buffer_free(&key);
    stoa_buffer_free(&text);
    return st;
}

/* What belongs to Avro itself: the schema and the codec, which are kept by name, and the rest. */
static bool is_reserved(const struct stoa_avro_pair *pair)
{
    return pair->key_nbytes >= 5 && memcmp(pair->key, "avro.", 5) == 0;
}

static enum stoa_status keep_metadata(const struct stoa_avro_container *file, const char *schema,
                                      struct stoa_metadata *metadata, struct stoa_error *err)
{
    char *text = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_strndup(&text, schema != NULL ? schema : file->schema,
                          schema != NULL ? strlen(schema) : file->schema_nbytes, err));
    STOA_TRY(stoa_metadata_set(metadata, STOA_AVRO_METADATA_SCHEMA, text, err));
    STOA_TRY(stoa_metadata_set(metadata, STOA_AVRO_METADATA_CODEC, file->codec->name, err));
    for (size_t i = 0; i < file->npairs; i++)
        if (!is_reserved(&file->pairs[i]) &&
            memchr(file->pairs[i].key, 0, file->pairs[i].key_nbytes) == NULL)
            STOA_TRY(keep_pair(metadata, &file->pairs[i], err));
out:
    stoa_free(text);
    return st;
}

/* What all inputs are read as, and its columns. */
static enum stoa_status read_schema(struct stoa_avro_inputs *inputs, const char *schema,
                                    struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    if (schema != NULL)
        st = stoa_avro_schema_parse(schema, strlen(schema), &inputs->given, err);
    if (st != STOA_OK)
        return stoa_wrap(err, st, "the schema that was given");
    inputs->has_schema = schema != NULL;
    inputs->reader = inputs->has_schema ? &inputs->given : &inputs->tables->schema;
    st = stoa_avro_map_schema(inputs->reader, &inputs->schema, err);
    if (st == STOA_OK)
        st = keep_metadata(&inputs->file, schema, &inputs->schema.metadata, err);
    return stoa_avro_inputs_name(inputs, st, err);
}

enum stoa_status stoa_avro_inputs_open(const char *const *paths, size_t npaths, const char *schema,
                                       bool skips_blocks, struct stoa_members **first,
                                       struct stoa_avro_inputs **out, struct stoa_error *err)
{
    struct stoa_avro_inputs *inputs = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&inputs, 1, sizeof(*inputs), err));
    inputs->paths = paths;
    inputs->npaths = npaths;
    inputs->skips_blocks = skips_blocks;
    if (first != NULL) {
        inputs->opened = *first;
        *first = NULL;
    }
    STOA_TRY(stoa_avro_inputs_next(inputs, err));
    STOA_TRY(read_schema(inputs, schema, err));
    *out = inputs;
    inputs = NULL;
out:
    stoa_avro_inputs_close(inputs);
    return st;
}

enum stoa_status stoa_avro_file_schema(const char *path, struct stoa_schema *out,
                                       struct stoa_error *err)
{
    struct stoa_avro_inputs *inputs = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_avro_inputs_open(&path, 1, NULL, false, NULL, &inputs, err));
    *out = inputs->schema;
    inputs->schema = (struct stoa_schema){0};
out:
    stoa_avro_inputs_close(inputs);
    return st;
}
