/*
 * Rows without a file, and the single-object encoding (spec/avro.md, section 11):
 *
 *     c3 01 | CRC-64-AVRO of the canonical form, little-endian | value
 *
 * The same programs and encoders run as for the blocks of files. Bytes are copied once, since a
 * decoder may look at some behind them.
 */
#include <stoa/avro_rows.h>

#include <inttypes.h>
#include <string.h>

#include "avro/avro_encoder.h"
#include "avro/avro_make.h"
#include "avro/avro_mapping.h"
#include "avro/avro_program.h"
#include "avro/avro_source.h"
#include "base/bytes.h"
#include "base/error.h"
#include "column/schema.h"

enum {
    FIRST_BYTE = 0xc3,
    VERSION = 1,
    MAX_DECODED_NBYTES = 1 << 30,
};

struct stoa_avro_row_reader {
    enum stoa_avro_framing framing;
    uint64_t fingerprint;
    struct stoa_avro_schema avro;
    struct stoa_schema schema;
    struct stoa_avro_program program;
};

struct stoa_avro_row_writer {
    enum stoa_avro_framing framing;
    uint64_t fingerprint;
    struct stoa_buffer json;
    struct stoa_avro_schema avro;
    struct stoa_avro_encoder encoder;
};

static enum stoa_status fingerprint_of(const struct stoa_avro_schema *schema, uint64_t *out,
                                       struct stoa_error *err)
{
    struct stoa_buffer form = {0};
    enum stoa_status st;

    STOA_TRY(stoa_avro_canonical(schema, &form, err));
    *out = stoa_avro_crc64(form.data, form.nbytes);
out:
    stoa_buffer_free(&form);
    return st;
}

bool stoa_avro_message_fingerprint(const void *bytes, size_t nbytes, uint64_t *out)
{
    const uint8_t *head = bytes;

    if (nbytes < STOA_AVRO_MESSAGE_NBYTES || head[0] != FIRST_BYTE || head[1] != VERSION)
        return false;
    *out = stoa_load64(head + 2);
    return true;
}

/* ---- Bytes to columns ---- */

/* A program that reads all fields into the columns of their numbers. */
static enum stoa_status compile(struct stoa_avro_row_reader *reader, struct stoa_error *err)
{
    uint32_t *wanted = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc(&wanted, (reader->schema.nfields + (size_t)1) * sizeof(*wanted), err));
    for (uint32_t i = 0; i < reader->schema.nfields; i++)
        wanted[i] = i;
    STOA_TRY(stoa_avro_program_init(&reader->program, &reader->avro, &reader->avro, wanted,
                                    &reader->schema, err));
out:
    stoa_free(wanted);
    return st;
}

enum stoa_status stoa_avro_row_reader_new(const char *json, size_t nbytes,
                                          enum stoa_avro_framing framing,
                                          struct stoa_avro_row_reader **out, struct stoa_error *err)
{
    struct stoa_avro_row_reader *reader = NULL;
    char *text = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&reader, 1, sizeof(*reader), err));
    reader->framing = framing;
    STOA_TRY(stoa_avro_schema_parse(json, nbytes, &reader->avro, err));
    STOA_TRY(fingerprint_of(&reader->avro, &reader->fingerprint, err));
    STOA_TRY(stoa_avro_map_schema(&reader->avro, &reader->schema, err));
    STOA_TRY(stoa_strndup(&text, json, nbytes, err));
    STOA_TRY(stoa_metadata_set(&reader->schema.metadata, STOA_AVRO_METADATA_SCHEMA, text, err));
    STOA_TRY(compile(reader, err));
    *out = reader;
    reader = NULL;
out:
    stoa_free(text);
    stoa_avro_row_reader_free(reader);
    return st;
}

void stoa_avro_row_reader_free(struct stoa_avro_row_reader *reader)
{
    if (reader == NULL)
        return;
    stoa_avro_program_reset(&reader->program);
    stoa_schema_reset(&reader->schema);
    stoa_avro_schema_reset(&reader->avro);
    stoa_free(reader);
}

const struct stoa_schema *stoa_avro_row_reader_schema(const struct stoa_avro_row_reader *reader)
{
    return &reader->schema;
}

uint64_t stoa_avro_row_reader_fingerprint(const struct stoa_avro_row_reader *reader)
{
    return reader->fingerprint;
}

/* Passes over what stands in front of a value; *at is the place in the bytes. */
static enum stoa_status read_head(const struct stoa_avro_row_reader *reader, const uint8_t *bytes,
                                  size_t nbytes, size_t *at, struct stoa_error *err)
{
    uint64_t fingerprint;

    if (reader->framing == STOA_AVRO_BARE)
        return STOA_OK;
    if (!stoa_avro_message_fingerprint(bytes + *at, nbytes - *at, &fingerprint))
        return stoa_fail(err, STOA_ERR_DATA, "no message begins here: c3 01 and 8 bytes");
    if (fingerprint != reader->fingerprint)
        return stoa_fail(err, STOA_ERR_DATA,
                         "the schema of the message has the fingerprint %016" PRIx64
                         ", that of the reader %016" PRIx64,
                         fingerprint, reader->fingerprint);
    *at += STOA_AVRO_MESSAGE_NBYTES;
    return STOA_OK;
}

/* Reads rows [*nrows, last), or some of them; *at is the place of the first one. */
static enum stoa_status read_some(const struct stoa_avro_row_reader *reader,
                                  struct stoa_avro_columns *columns, const uint8_t *bytes,
                                  size_t nbytes, size_t last, size_t *nrows, size_t *at,
                                  uint64_t *nempty, struct stoa_error *err)
{
    const size_t most = reader->framing == STOA_AVRO_MESSAGES ? 1 : last - *nrows;
    struct stoa_avro_decoded decoded = {0};
    size_t place = *at;
    enum stoa_status st;

    STOA_TRY(read_head(reader, bytes, nbytes, &place, err));
    st = stoa_avro_decode(&reader->program, columns, bytes + place, nbytes - place, true, most,
                          &decoded, err);
    if (st == STOA_OK)
        *at = place + decoded.nused;
    *nrows += decoded.nrows;
    *nempty += stoa_avro_count_nothing(columns, &decoded);
    if (st == STOA_OK && *nempty > STOA_AVRO_MAX_EMPTY)
        return stoa_avro_fail_nothing(err);
out:
    if (st != STOA_OK && st != STOA_ERR_NOMEM) {
        if (err != NULL)
            err->offset = *at + decoded.nused; /* also of a message: in front of its head */
        return stoa_wrap(err, st, "row %zu", *nrows + 1);
    }
    return st;
}

enum stoa_status stoa_avro_row_reader_read(const struct stoa_avro_row_reader *reader,
                                           const void *bytes, size_t nbytes, size_t nrows,
                                           struct stoa_batch *out, struct stoa_error *err)
{
    struct stoa_avro_columns columns = {0};
    struct stoa_buffer padded = {0};
    struct stoa_batch batch = {0};
    size_t n = 0, at = 0;
    uint64_t nempty = 0;
    enum stoa_status st;

    STOA_TRY(stoa_buffer_reserve(&padded, nbytes + STOA_AVRO_PADDING, err));
    STOA_TRY(stoa_buffer_append(&padded, bytes, nbytes, err));
    STOA_TRY(stoa_buffer_append_zeros(&padded, STOA_AVRO_PADDING, err));
    STOA_TRY(stoa_batch_init(&batch, &reader->schema, err));
    STOA_TRY(stoa_avro_columns_init(&columns, &reader->schema, err));
    while (n < nrows) {
        STOA_TRY(read_some(reader, &columns, padded.data, nbytes, nrows, &n, &at, &nempty, err));
        if (stoa_avro_columns_nbytes(&columns) > MAX_DECODED_NBYTES) {
            st = stoa_fail(err, STOA_ERR_LIMIT, "%zu rows become more than 1 GiB", nrows);
            goto out;
        }
    }
    if (at < nbytes) {
        st = stoa_fail_at(err, STOA_ERR_DATA, at, "%zu bytes are left behind the last of %zu rows",
                          nbytes - at, nrows);
        goto out;
    }
    STOA_TRY(stoa_avro_columns_finish(&columns, nrows, &batch, err));
    *out = batch;
    batch = (struct stoa_batch){0};
out:
    stoa_batch_reset(&batch);
    stoa_avro_columns_reset(&columns);
    stoa_buffer_free(&padded);
    return st;
}

/* ---- Columns to bytes ---- */

enum stoa_status stoa_avro_row_writer_new(const struct stoa_schema *columns, const char *name,
                                          enum stoa_avro_framing framing,
                                          struct stoa_avro_row_writer **out, struct stoa_error *err)
{
    struct stoa_avro_row_writer *writer = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_schema_check(columns, err));
    STOA_TRY(stoa_alloc_zeroed(&writer, 1, sizeof(*writer), err));
    writer->framing = framing;
    STOA_TRY(stoa_avro_make_schema(columns, name, &writer->json, NULL, err));
    STOA_TRY(
        stoa_avro_schema_parse((char *)writer->json.data, writer->json.nbytes, &writer->avro, err));
    STOA_TRY(fingerprint_of(&writer->avro, &writer->fingerprint, err));
    STOA_TRY(stoa_avro_encoder_init(&writer->encoder, &writer->avro, columns, err));
    STOA_TRY(stoa_buffer_append_zeros(&writer->json, 1, err));
    *out = writer;
    writer = NULL;
out:
    stoa_avro_row_writer_free(writer);
    return st;
}

void stoa_avro_row_writer_free(struct stoa_avro_row_writer *writer)
{
    if (writer == NULL)
        return;
    stoa_avro_encoder_reset(&writer->encoder);
    stoa_avro_schema_reset(&writer->avro);
    stoa_buffer_free(&writer->json);
    stoa_free(writer);
}

const char *stoa_avro_row_writer_json(const struct stoa_avro_row_writer *writer)
{
    return (const char *)writer->json.data;
}

uint64_t stoa_avro_row_writer_fingerprint(const struct stoa_avro_row_writer *writer)
{
    return writer->fingerprint;
}

/* Puts the head of a message in front of each row. */
static enum stoa_status frame(const struct stoa_avro_row_writer *writer,
                              const struct stoa_avro_rows *rows, struct stoa_buffer *out,
                              struct stoa_error *err)
{
    uint8_t head[STOA_AVRO_MESSAGE_NBYTES] = {FIRST_BYTE, VERSION};
    size_t at = 0;
    enum stoa_status st;

    stoa_store64(head + 2, writer->fingerprint);
    STOA_TRY(stoa_buffer_reserve(out, rows->bytes.nbytes + rows->npieces * sizeof(head), err));
    for (size_t i = 0; i < rows->npieces; at += rows->pieces[i++].nbytes) {
        STOA_TRY(stoa_buffer_append(out, head, sizeof(head), err));
        STOA_TRY(stoa_buffer_append(out, rows->bytes.data + at, rows->pieces[i].nbytes, err));
    }
out:
    return st;
}

enum stoa_status stoa_avro_row_writer_write(const struct stoa_avro_row_writer *writer,
                                            const struct stoa_batch *batch, uint8_t **out,
                                            size_t *ends, struct stoa_error *err)
{
    const size_t nhead = writer->framing == STOA_AVRO_MESSAGES ? STOA_AVRO_MESSAGE_NBYTES : 0;
    struct stoa_avro_rows rows = {0};
    struct stoa_buffer framed = {0};
    size_t end = 0;
    enum stoa_status st;

    st = stoa_avro_encode(&writer->encoder, batch, 0, &rows, err); /* a piece is a row */
    if (st == STOA_ERR_DATA || st == STOA_ERR_LIMIT)
        st = stoa_wrap(err, st, "row %" PRIu64, (err != NULL ? err->offset : 0) + 1);
    STOA_TRY(st);
    if (nhead > 0) {
        STOA_TRY(frame(writer, &rows, &framed, err));
        stoa_buffer_free(&rows.bytes);
        rows.bytes = framed;
        framed = (struct stoa_buffer){0};
    }
    for (size_t i = 0; i < rows.npieces; i++)
        ends[i] = end += nhead + rows.pieces[i].nbytes;
    *out = rows.bytes.data;
    rows.bytes = (struct stoa_buffer){0};
out:
    stoa_buffer_free(&framed);
    stoa_avro_rows_reset(&rows);
    return st;
}
