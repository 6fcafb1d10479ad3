/*
 * The stream of objects (spec/format.md, "Objects").
 *
 *     HEAD | SCHM | DICT | RGRP | RGRP | DICT | RGRP | ... | FOOT
 *     ^ header 64 B: kind, length of the body, hash; the next one starts behind the body
 *
 * Objects of a kind that is not known are passed over; what they need to be understood says their
 * header's features, which are checked for every object.
 */
#include "file/walker.h"

#include <inttypes.h>

#include "base/error.h"

static enum stoa_status check_object(const struct stoa_walker *walker,
                                     const struct stoa_object *object, struct stoa_error *err)
{
    uint64_t room = walker->source->nbytes - walker->next - STOA_OBJECT_NBYTES;

    if (object->kind == 0) /* never given; here it means the end */
        return stoa_fail(err, STOA_ERR_CORRUPT, "an object of no kind");
    if (object->body_nbytes > room)
        return stoa_fail(err, STOA_ERR_CORRUPT,
                         "a body of %" PRIu64 " bytes, the file has %" PRIu64 " left",
                         object->body_nbytes, room);
    if (object->kind == STOA_OBJECT_HEAD) {
        if (object->body_nbytes != 0 || object->dir_nbytes != 0 || object->stream_row != 0)
            return stoa_fail(err, STOA_ERR_CORRUPT, "head: more than a header");
        return STOA_OK;
    }
    if (!walker->in_stream)
        return stoa_fail(err, STOA_ERR_CORRUPT, "the first object is no head");
    if (object->stream_row != walker->stream_row)
        return stoa_fail(err, STOA_ERR_CORRUPT,
                         "%" PRIu64 " rows in front of it, there are %" PRIu64, object->stream_row,
                         walker->stream_row);
    return STOA_OK;
}

enum stoa_status stoa_walker_next(struct stoa_walker *walker, struct stoa_object *out,
                                  uint64_t *offset, struct stoa_error *err)
{
    uint64_t size = walker->source->nbytes;
    uint8_t bytes[STOA_OBJECT_NBYTES];
    struct stoa_object object;
    enum stoa_status st;

    *offset = walker->next;
    if (walker->next == size) {
        *out = (struct stoa_object){0};
        return STOA_OK;
    }
    if (size - walker->next < sizeof(bytes)) {
        st = stoa_fail(err, STOA_ERR_CORRUPT, "%" PRIu64 " bytes, too few for an object",
                       size - walker->next);
        goto out;
    }
    STOA_TRY(walker->source->read_at(walker->source, walker->next, bytes, sizeof(bytes), err));
    STOA_TRY(stoa_object_unpack(bytes, &object, err));
    STOA_TRY(check_object(walker, &object, err));
    if (object.kind == STOA_OBJECT_HEAD) {
        walker->in_stream = true;
        walker->stream_row = 0;
    }
    walker->stream_row += object.nrows;
    walker->next += STOA_OBJECT_NBYTES + object.body_nbytes;
    *out = object;
    return STOA_OK;
out:
    if (err != NULL && st != STOA_ERR_IO)
        err->offset = walker->next;
    return st;
}
