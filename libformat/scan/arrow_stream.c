/*
 * A scan as an ArrowArrayStream (Arrow's C stream interface, stoa/arrow.h).
 */
#include <errno.h>

#include <stoa/arrow.h>

#include "base/alloc.h"
#include "base/error.h"

struct stream {
    struct stoa_scan *scan;
    struct stoa_reader *reader; /* these two are NULL when they are the caller's */
    struct stoa_source *source;
    struct stoa_error error; /* of the last call */
};

static int to_errno(const struct stoa_error *err)
{
    static const int numbers[] = {
        [STOA_OK] = 0,
        [STOA_ERR_USAGE] = EINVAL,
        [STOA_ERR_DATA] = EINVAL,
        [STOA_ERR_LIMIT] = EOVERFLOW,
        [STOA_ERR_IO] = EIO,
        [STOA_ERR_NOMEM] = ENOMEM,
        [STOA_ERR_CORRUPT] = EIO,
        [STOA_ERR_UNSUPPORTED] = ENOSYS,
        [STOA_ERR_CANCELLED] = ECANCELED,
    };

    return err->os_errno != 0 ? err->os_errno : numbers[err->status];
}

/* What is damaged is the file, which the stream alone can name. */
static enum stoa_status name_file(struct stream *s, enum stoa_status st, struct stoa_error *err)
{
    if (s != NULL && s->source != NULL && (st == STOA_ERR_CORRUPT || st == STOA_ERR_UNSUPPORTED))
        stoa_wrap(err, st, "%s", s->source->name);
    return st;
}

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    struct stream *s = stream->private_data;

    s->error = (struct stoa_error){0};
    if (stoa_schema_export(stoa_scan_schema(s->scan), out, &s->error) != STOA_OK)
        return to_errno(&s->error);
    return 0;
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    struct stream *s = stream->private_data;
    struct stoa_batch batch = {0};
    enum stoa_status st;

    s->error = (struct stoa_error){0};
    STOA_TRY(stoa_scan_next(s->scan, &batch, &s->error));
    if (batch.nrows == 0)
        *out = (struct ArrowArray){0}; /* the end: an array that is released */
    else
        st = stoa_batch_export(&batch, out, &s->error);
out:
    stoa_batch_reset(&batch);
    return name_file(s, st, &s->error) == STOA_OK ? 0 : to_errno(&s->error);
}

static const char *get_last_error(struct ArrowArrayStream *stream)
{
    struct stream *s = stream->private_data;

    return s->error.status == STOA_OK ? NULL : s->error.message;
}

static void stream_free(struct stream *s)
{
    if (s == NULL)
        return;
    stoa_scan_close(s->scan);
    stoa_reader_close(s->reader);
    stoa_source_close(s->source);
    stoa_free(s);
}

static void release(struct ArrowArrayStream *stream)
{
    stream_free(stream->private_data);
    stream->private_data = NULL;
    stream->release = NULL;
}

static struct ArrowArrayStream stream_of(struct stream *s)
{
    return (struct ArrowArrayStream){.get_schema = get_schema,
                                     .get_next = get_next,
                                     .get_last_error = get_last_error,
                                     .release = release,
                                     .private_data = s};
}

enum stoa_status stoa_scan_export(struct stoa_scan *scan, struct ArrowArrayStream *out,
                                  struct stoa_error *err)
{
    struct stream *s;
    enum stoa_status st = stoa_alloc_zeroed(&s, 1, sizeof(*s), err);

    if (st != STOA_OK)
        return st;
    s->scan = scan;
    *out = stream_of(s);
    return STOA_OK;
}

enum stoa_status stoa_file_export(const char *path, const struct stoa_scan_options *options,
                                  struct ArrowArrayStream *out, struct stoa_error *err)
{
    struct stream *s = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&s, 1, sizeof(*s), err));
    STOA_TRY(stoa_source_open_file(path, &s->source, err));
    STOA_TRY(stoa_reader_open(s->source, NULL, &s->reader, err));
    STOA_TRY(stoa_scan_open(s->reader, options, &s->scan, err));
    *out = stream_of(s);
    s = NULL;
out:
    name_file(s, st, err);
    stream_free(s);
    return st;
}
