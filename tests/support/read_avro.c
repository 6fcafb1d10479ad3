/*
 * Reading Avro files in memory for tests.
 */
#include "support/read_avro.h"

#include <stdio.h>
#include <stdlib.h>

#include "avro/avro_container.h"
#include "base/alloc.h"
#include "base/error.h"
#include "column/schema.h"

void stoa_test_avro_reset(struct stoa_test_avro *avro)
{
    stoa_batch_reset(&avro->batch);
    stoa_schema_reset(&avro->schema);
    *avro = (struct stoa_test_avro){0};
}

static enum stoa_status read_block(struct stoa_avro_container *file,
                                   const struct stoa_avro_block *block, bool in_stream,
                                   const struct stoa_avro_program *program,
                                   struct stoa_avro_columns *columns, uint64_t *nrows,
                                   struct stoa_error *err)
{
    struct stoa_avro_data data = {0};
    struct stoa_buffer bytes = {0};
    uint64_t n = 0;
    bool done = false;
    enum stoa_status st;

    if (!in_stream) {
        STOA_TRY(stoa_avro_container_take(file, &bytes, err));
        STOA_TRY(stoa_buffer_append_zeros(&bytes, STOA_AVRO_PADDING, err));
    }
    STOA_TRY(stoa_avro_data_begin(&data, file->codec, block, bytes.data,
                                  in_stream ? 0 : (size_t)block->nbytes,
                                  in_stream ? &file->payload : NULL, 0, err));
    while (!done && *nrows < 1 << 20) { /* a hostile file may have more rows than memory */
        st = stoa_avro_data_read(&data, program, columns, 100, UINT64_MAX, &n, &done, err);
        *nrows += n;
        STOA_TRY(st);
    }
    if (in_stream && done)
        STOA_TRY(stoa_avro_container_end_block(file, err));
out:
    stoa_avro_data_reset(&data);
    stoa_buffer_free(&bytes);
    return st;
}

static enum stoa_status choose(const struct stoa_schema *all, uint64_t unwanted,
                               struct stoa_schema *out, uint32_t **wanted, struct stoa_error *err)
{
    uint32_t *columns = NULL;
    uint32_t n = 0;
    enum stoa_status st;

    STOA_TRY(stoa_alloc(&columns, (all->nfields + (size_t)1) * sizeof(*columns), err));
    STOA_TRY(stoa_alloc(wanted, (all->nfields + (size_t)1) * sizeof(**wanted), err));
    for (uint32_t i = 0; i < all->nfields; i++) {
        const bool skip = i < 64 && (unwanted >> i & 1);

        (*wanted)[i] = skip ? STOA_AVRO_UNWANTED : n;
        if (!skip)
            columns[n++] = i;
    }
    STOA_TRY(stoa_schema_select(out, all, columns, n, err));
out:
    stoa_free(columns);
    return st;
}

static enum stoa_status read_blocks(struct stoa_avro_container *file, bool in_stream,
                                    const struct stoa_avro_program *program,
                                    struct stoa_avro_columns *columns, uint64_t *nrows,
                                    struct stoa_error *err)
{
    struct stoa_avro_block block;
    bool more = true;
    enum stoa_status st;

    for (;;) {
        STOA_TRY(stoa_avro_container_next(file, &block, &more, err));
        if (!more)
            break;
        STOA_TRY(read_block(file, &block, in_stream, program, columns, nrows, err));
        if (*nrows >= 1 << 20)
            break;
    }
out:
    return st;
}

/* The rows as a batch that is valid. */
static enum stoa_status finish(struct stoa_avro_columns *columns, size_t nrows,
                               struct stoa_test_avro *out)
{
    struct stoa_error invalid;
    enum stoa_status st = stoa_batch_init(&out->batch, &out->schema, NULL);

    if (st == STOA_OK)
        st = stoa_avro_columns_finish(columns, nrows, &out->batch, NULL);
    if (st == STOA_OK && stoa_batch_validate(&out->batch, &invalid) != STOA_OK) {
        printf("# %s\n", invalid.message);
        abort();
    }
    return st;
}

enum stoa_status stoa_test_read_avro(const void *bytes, size_t nbytes, bool in_stream,
                                     uint64_t unwanted, struct stoa_test_avro *out,
                                     struct stoa_error *err)
{
    struct stoa_avro_container file = {0};
    struct stoa_avro_schema schema = {0};
    struct stoa_schema all = {0};
    struct stoa_avro_program program = {0};
    struct stoa_avro_columns columns = {0};
    struct stoa_stream *stream = NULL;
    uint32_t *wanted = NULL;
    uint64_t nrows = 0;
    enum stoa_status st, finished;

    *out = (struct stoa_test_avro){0};
    STOA_TRY(stoa_stream_open_memory(bytes, nbytes, "x.avro", &stream, err));
    STOA_TRY(stoa_avro_container_open(&file, stream, NULL, err));
    STOA_TRY(stoa_avro_schema_parse(file.schema, file.schema_nbytes, &schema, err));
    STOA_TRY(stoa_avro_map_schema(&schema, &all, err));
    STOA_TRY(choose(&all, unwanted, &out->schema, &wanted, err));
    STOA_TRY(stoa_avro_program_init(&program, &schema, &schema, wanted, &out->schema, err));
    STOA_TRY(stoa_avro_columns_init(&columns, &out->schema, err));
    st = read_blocks(&file, in_stream, &program, &columns, &nrows, err);
    out->nempty = file.nempty;
    finished = finish(&columns, (size_t)nrows, out);
    if (st == STOA_OK && finished != STOA_OK)
        st = stoa_fail_nomem(err, 0);
out:
    stoa_avro_container_reset(&file);
    stoa_stream_close(stream);
    stoa_avro_columns_reset(&columns);
    stoa_avro_program_reset(&program);
    stoa_schema_reset(&all);
    stoa_avro_schema_reset(&schema);
    stoa_free(wanted);
    if (st != STOA_OK && out->batch.schema == NULL)
        stoa_test_avro_reset(out);
    return st;
}

static enum stoa_status decode(const struct stoa_avro_program *program, const uint8_t *data,
                               size_t nbytes, size_t nrows, struct stoa_avro_columns *columns,
                               size_t *ndone, struct stoa_error *err)
{
    struct stoa_avro_decoded decoded = {.nrows = 1};
    enum stoa_status st = STOA_OK;

    for (*ndone = 0; st == STOA_OK && *ndone < nrows && decoded.nrows > 0;) {
        st = stoa_avro_decode(program, columns, data, nbytes, true, nrows - *ndone, &decoded, err);
        *ndone += decoded.nrows;
        data += decoded.nused;
        nbytes -= decoded.nused;
    }
    if (st == STOA_OK && nbytes > 0)
        st = stoa_fail(err, STOA_ERR_DATA, "%zu bytes are left", nbytes);
    return st;
}

enum stoa_status stoa_test_resolve_avro(const char *writer, size_t writer_nbytes,
                                        const char *reader, size_t reader_nbytes, const void *data,
                                        size_t nbytes, size_t nrows, struct stoa_test_avro *out,
                                        struct stoa_error *err)
{
    struct stoa_avro_schema from = {0}, to = {0};
    struct stoa_schema all = {0};
    struct stoa_avro_program program = {0};
    struct stoa_avro_columns columns = {0};
    struct stoa_buffer bytes = {0};
    uint32_t *wanted = NULL;
    size_t ndone;
    enum stoa_status st, finished;

    *out = (struct stoa_test_avro){0};
    STOA_TRY(stoa_avro_schema_parse(writer, writer_nbytes, &from, err));
    STOA_TRY(stoa_avro_schema_parse(reader, reader_nbytes, &to, err));
    STOA_TRY(stoa_avro_map_schema(&to, &all, err));
    STOA_TRY(choose(&all, 0, &out->schema, &wanted, err));
    STOA_TRY(stoa_avro_program_init(&program, &from, &to, wanted, &out->schema, err));
    STOA_TRY(stoa_avro_columns_init(&columns, &out->schema, err));
    STOA_TRY(stoa_buffer_append(&bytes, data, nbytes, err));
    STOA_TRY(stoa_buffer_append_zeros(&bytes, STOA_AVRO_PADDING, err));
    st = decode(&program, bytes.data, nbytes, nrows, &columns, &ndone, err);
    finished = finish(&columns, ndone, out);
    if (st == STOA_OK && finished != STOA_OK)
        st = stoa_fail_nomem(err, 0);
out:
    stoa_avro_columns_reset(&columns);
    stoa_avro_program_reset(&program);
    stoa_schema_reset(&all);
    stoa_avro_schema_reset(&from);
    stoa_avro_schema_reset(&to);
    stoa_buffer_free(&bytes);
    stoa_free(wanted);
    if (st != STOA_OK && out->batch.schema == NULL)
        stoa_test_avro_reset(out);
    return st;
}
