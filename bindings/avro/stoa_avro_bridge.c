/*
 * Rows between avro-c and Stoa, by the encoding that both know:
 *
 *     append    avro_value_write() -> | row | row | row ...  -> batch -> writer
 *     fetch     scan -> batch -> | row | row | row ...       -> avro_value_read()
 *
 * avro-c keeps what it reads from and writes to by the address, so its reader and writer are told
 * of the memory before each row.
 */
#include "stoa_avro_bridge.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_NROWS = 16384,
    MAX_NBYTES = 4 << 20,
};
#define MAX_ROW_NBYTES ((size_t)256 << 20)

struct stoa_avro_appender {
    struct stoa_avro_row_reader *rows;
    avro_schema_t schema;  /* of the text, */
    avro_schema_t checked; /* and of the rows, where that is another object */
    avro_writer_t writer;
    char *bytes;
    size_t nbytes;
    size_t capacity;
    size_t nrows;
    size_t ends[MAX_NROWS]; /* of the rows in bytes */
    uint64_t nbefore;       /* rows appended in front of these */
};

struct stoa_avro_fetcher {
    struct stoa_avro_row_writer *rows;
    avro_schema_t schema;
    avro_reader_t reader;
    struct stoa_batch batch;
    uint8_t *bytes;
    size_t *ends;
    size_t next;              /* row of the batch */
    uint64_t nbefore;         /* rows of the batches in front of it */
    struct stoa_error at_end; /* why the rows behind the batch can't be had */
};

/* ---- Errors ---- */

__attribute__((format(printf, 3, 4))) static enum stoa_status
fail(struct stoa_error *err, enum stoa_status st, const char *format, ...)
{
    va_list values;

    if (err == NULL)
        return st;
    *err = (struct stoa_error){.status = st, .offset = STOA_NO_OFFSET};
    va_start(values, format);
    vsnprintf(err->message, sizeof(err->message), format, values);
    va_end(values);
    return st;
}

static enum stoa_status fail_nomem(struct stoa_error *err)
{
    return fail(err, STOA_ERR_NOMEM, "out of memory");
}

/* What avro-c says; its message may be of an earlier call where it has none. */
static enum stoa_status fail_avro(struct stoa_error *err, int code)
{
    if (code == ENOMEM)
        return fail_nomem(err);
    return fail(err, STOA_ERR_DATA, "avro-c: %s", avro_strerror());
}

/* Whether the fault is of one row, which stands at err->offset. */
static bool is_of_row(enum stoa_status st, const struct stoa_error *err)
{
    return (st == STOA_ERR_DATA || st == STOA_ERR_LIMIT) && err->offset != STOA_NO_OFFSET;
}

/* The error of a row with its number, from 1, in the place of that among the rows of one call. */
static enum stoa_status fail_row(struct stoa_error *err, uint64_t number,
                                 const struct stoa_error *of)
{
    const char *what = strchr(of->message, ':');

    return fail(err, of->status, "row %" PRIu64 "%s", number, what != NULL ? what : "");
}

/* ---- Appending ---- */

enum stoa_status stoa_avro_appender_new(const char *json, size_t nbytes,
                                        struct stoa_avro_appender **out, struct stoa_error *err)
{
    struct stoa_avro_appender *appender = calloc(1, sizeof(*appender));
    enum stoa_status st;
    int code;

    if (appender == NULL)
        return fail_nomem(err);
    st = stoa_avro_row_reader_new(json, nbytes, STOA_AVRO_BARE, &appender->rows, err);
    if (st != STOA_OK)
        goto out;
    code = avro_schema_from_json_length(json, nbytes, &appender->schema);
    if (code != 0) {
        appender->schema = NULL;
        st = fail_avro(err, code);
        goto out;
    }
    appender->bytes = malloc(MAX_NBYTES);
    appender->writer = avro_writer_memory(appender->bytes, MAX_NBYTES);
    if (appender->bytes == NULL || appender->writer == NULL) {
        st = fail_nomem(err);
        goto out;
    }
    appender->capacity = MAX_NBYTES;
    *out = appender;
    appender = NULL;
out:
    stoa_avro_appender_free(appender);
    return st;
}

void stoa_avro_appender_free(struct stoa_avro_appender *appender)
{
    if (appender == NULL)
        return;
    stoa_avro_row_reader_free(appender->rows);
    if (appender->writer != NULL)
        avro_writer_free(appender->writer);
    if (appender->schema != NULL)
        avro_schema_decref(appender->schema);
    if (appender->checked != NULL)
        avro_schema_decref(appender->checked);
    free(appender->bytes);
    free(appender);
}

const struct stoa_schema *stoa_avro_appender_schema(const struct stoa_avro_appender *appender)
{
    return stoa_avro_row_reader_schema(appender->rows);
}

/* Rows of one value interface share their schema, so it is compared once. */
static enum stoa_status check_schema(struct stoa_avro_appender *appender, avro_value_t *row,
                                     struct stoa_error *err)
{
    avro_schema_t schema = avro_value_get_schema(row);

    if (schema == appender->schema || (schema != NULL && schema == appender->checked))
        return STOA_OK;
    if (schema == NULL || !avro_schema_equal(schema, appender->schema))
        return fail(err, STOA_ERR_USAGE, "the row has another schema than the appender");
    if (appender->checked != NULL)
        avro_schema_decref(appender->checked);
    appender->checked = avro_schema_incref(schema); /* or another could get its address */
    return STOA_OK;
}

/* Room for nbytes more. */
static enum stoa_status reserve(struct stoa_avro_appender *appender, size_t nbytes,
                                struct stoa_error *err)
{
    char *larger;

    if (nbytes > MAX_ROW_NBYTES)
        return fail(err, STOA_ERR_LIMIT, "a row has more than 256 MiB");
    if (nbytes <= appender->capacity - appender->nbytes)
        return STOA_OK;
    larger = realloc(appender->bytes, appender->nbytes + nbytes);
    if (larger == NULL)
        return fail_nomem(err);
    appender->bytes = larger;
    appender->capacity = appender->nbytes + nbytes;
    return STOA_OK;
}

/* The first n of the collected rows. */
static enum stoa_status read_rows(const struct stoa_avro_appender *appender, size_t n,
                                  struct stoa_batch *out, struct stoa_error *err)
{
    const size_t nbytes = n > 0 ? appender->ends[n - 1] : 0;

    return stoa_avro_row_reader_read(appender->rows, appender->bytes, nbytes, n, out, err);
}

/* Forgets the first n of the collected rows. */
static void drop_rows(struct stoa_avro_appender *appender, size_t n)
{
    const size_t nbytes = n > 0 ? appender->ends[n - 1] : 0;

    memmove(appender->bytes, appender->bytes + nbytes, appender->nbytes - nbytes);
    appender->nbytes -= nbytes;
    appender->nrows -= n;
    appender->nbefore += n;
    for (size_t i = 0; i < appender->nrows; i++)
        appender->ends[i] = appender->ends[n + i] - nbytes;
}

enum stoa_status stoa_avro_append_flush(struct stoa_avro_appender *appender,
                                        struct stoa_writer *writer, struct stoa_error *err)
{
    struct stoa_error refused = {0};
    struct stoa_batch batch = {0};
    size_t n = appender->nrows;
    enum stoa_status st;

    if (n == 0)
        return STOA_OK;
    st = read_rows(appender, n, &batch, &refused);
    if (st == STOA_OK || is_of_row(st, &refused)) {
        if (st != STOA_OK) { /* a row that can be refused has bytes: it ends behind the place */
            for (n = 0; n + 1 < appender->nrows && appender->ends[n] <= refused.offset; n++)
                ;
            st = read_rows(appender, n, &batch, err);
        }
        if (st == STOA_OK && n > 0)
            st = stoa_writer_append(writer, &batch, err);
    } else if (err != NULL) {
        *err = refused;
    }
    stoa_batch_reset(&batch);
    if (st == STOA_OK && n < appender->nrows) {
        st = fail_row(err, appender->nbefore + n + 1, &refused);
        drop_rows(appender, n + 1);
    } else {
        drop_rows(appender, appender->nrows);
    }
    return st;
}

enum stoa_status stoa_avro_append(struct stoa_avro_appender *appender, struct stoa_writer *writer,
                                  avro_value_t *row, struct stoa_error *err)
{
    size_t nbytes;
    enum stoa_status st = check_schema(appender, row, err);
    int code;

    if (st != STOA_OK)
        return st;
    code = avro_value_sizeof(row, &nbytes);
    if (code != 0)
        return fail_avro(err, code);
    st = reserve(appender, nbytes, err);
    if (st != STOA_OK)
        return st;
    avro_writer_memory_set_dest(appender->writer, appender->bytes + appender->nbytes,
                                (int64_t)(appender->capacity - appender->nbytes));
    code = avro_value_write(appender->writer, row);
    if (code != 0)
        return fail_avro(err, code);
    appender->nbytes += (size_t)avro_writer_tell(appender->writer);
    appender->ends[appender->nrows] = appender->nbytes;
    if (++appender->nrows < MAX_NROWS && appender->nbytes < MAX_NBYTES)
        return STOA_OK;
    return stoa_avro_append_flush(appender, writer, err);
}

/* ---- Fetching ---- */

enum stoa_status stoa_avro_fetcher_new(const struct stoa_schema *columns, const char *name,
                                       struct stoa_avro_fetcher **out, struct stoa_error *err)
{
    struct stoa_avro_fetcher *fetcher = calloc(1, sizeof(*fetcher));
    const char *json;
    enum stoa_status st;
    int code;

    if (fetcher == NULL)
        return fail_nomem(err);
    st = stoa_avro_row_writer_new(columns, name, STOA_AVRO_BARE, &fetcher->rows, err);
    if (st != STOA_OK)
        goto out;
    json = stoa_avro_row_writer_json(fetcher->rows);
    code = avro_schema_from_json_length(json, strlen(json), &fetcher->schema);
    if (code != 0) {
        fetcher->schema = NULL;
        st = fail_avro(err, code);
        goto out;
    }
    fetcher->reader = avro_reader_memory("", 0);
    if (fetcher->reader == NULL) {
        st = fail_nomem(err);
        goto out;
    }
    *out = fetcher;
    fetcher = NULL;
out:
    stoa_avro_fetcher_free(fetcher);
    return st;
}

static void drop_batch(struct stoa_avro_fetcher *fetcher)
{
    stoa_batch_reset(&fetcher->batch);
    stoa_free(fetcher->bytes);
    free(fetcher->ends);
    fetcher->bytes = NULL;
    fetcher->ends = NULL;
    fetcher->next = 0;
}

void stoa_avro_fetcher_free(struct stoa_avro_fetcher *fetcher)
{
    if (fetcher == NULL)
        return;
    drop_batch(fetcher);
    if (fetcher->reader != NULL)
        avro_reader_free(fetcher->reader);
    if (fetcher->schema != NULL)
        avro_schema_decref(fetcher->schema);
    stoa_avro_row_writer_free(fetcher->rows);
    free(fetcher);
}

avro_schema_t stoa_avro_fetcher_schema(const struct stoa_avro_fetcher *fetcher)
{
    return fetcher->schema;
}

const char *stoa_avro_fetcher_json(const struct stoa_avro_fetcher *fetcher)
{
    return stoa_avro_row_writer_json(fetcher->rows);
}

/*
 * The rows of the batch as bytes; of one with a row that Avro can't hold, those in front of it.
 * What fails here has taken rows from the scan: it stays at the end.
 */
static void encode(struct stoa_avro_fetcher *fetcher)
{
    struct stoa_batch *batch = &fetcher->batch;
    struct stoa_error err = {.offset = STOA_NO_OFFSET};
    enum stoa_status st;

    fetcher->ends = malloc(batch->nrows * sizeof(*fetcher->ends));
    st = fetcher->ends != NULL ? stoa_avro_row_writer_write(fetcher->rows, batch, &fetcher->bytes,
                                                            fetcher->ends, &err)
                               : fail_nomem(&err);
    if (is_of_row(st, &err) && err.offset < batch->nrows) {
        fail_row(&fetcher->at_end, fetcher->nbefore + err.offset + 1, &err);
        batch->nrows = (size_t)err.offset;
        st = stoa_avro_row_writer_write(fetcher->rows, batch, &fetcher->bytes, fetcher->ends, &err);
    }
    if (st != STOA_OK) {
        drop_batch(fetcher);
        fetcher->at_end = err;
    }
}

static enum stoa_status fill(struct stoa_avro_fetcher *fetcher, struct stoa_scan *scan,
                             struct stoa_error *err)
{
    enum stoa_status st;

    fetcher->nbefore += fetcher->batch.nrows;
    drop_batch(fetcher);
    st = stoa_scan_next(scan, &fetcher->batch, err);
    if (st != STOA_OK) {
        fetcher->batch = (struct stoa_batch){0};
        return st;
    }
    if (fetcher->batch.nrows > 0)
        encode(fetcher);
    return STOA_OK;
}

enum stoa_status stoa_avro_fetch(struct stoa_avro_fetcher *fetcher, struct stoa_scan *scan,
                                 avro_value_t *row, bool *more, struct stoa_error *err)
{
    size_t begin;
    enum stoa_status st;
    int code;

    if (fetcher->next == fetcher->batch.nrows && fetcher->at_end.status == STOA_OK) {
        st = fill(fetcher, scan, err);
        if (st != STOA_OK)
            return st;
    }
    if (fetcher->next == fetcher->batch.nrows && fetcher->at_end.status != STOA_OK) {
        if (err != NULL)
            *err = fetcher->at_end;
        return fetcher->at_end.status;
    }
    *more = fetcher->batch.nrows > 0;
    if (!*more)
        return STOA_OK;
    begin = fetcher->next > 0 ? fetcher->ends[fetcher->next - 1] : 0;
    avro_reader_memory_set_source(fetcher->reader, (const char *)fetcher->bytes + begin,
                                  (int64_t)(fetcher->ends[fetcher->next] - begin));
    code = avro_value_reset(row);
    if (code == 0)
        code = avro_value_read(fetcher->reader, row);
    if (code != 0)
        return fail_avro(err, code);
    fetcher->next++;
    return STOA_OK;
}
