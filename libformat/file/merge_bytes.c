/*
 * Copying chunks as bytes.
 *
 *     part      ... | chunk a |0| chunk b |0| chunk c | ...        a run: what keeps its order
 *     output        ... | chunk a |0| chunk b |0| chunk c | ...
 *     window            [ read at once          ]
 *
 * Every page, and every head of a chunk, is verified on its way, so that a merge never carries
 * damage on. Where the file system can, the output shares the disk blocks of the part and the
 * bytes are only read; they are verified all the same.
 */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "file/chunk_pages.h"
#include "file/merge_part.h"

#define WINDOW_NBYTES (UINT64_C(4) << 20)

/* Bytes [offset, offset + nbytes) of the part, read with some of what follows them in the run. */
static enum stoa_status take(struct stoa_part_run *run, uint64_t offset, uint64_t nbytes,
                             const uint8_t **out, struct stoa_error *err)
{
    struct stoa_merger *merger = run->part->merger;
    struct stoa_buffer *window = &merger->window;
    uint64_t ahead = run->end - offset < WINDOW_NBYTES ? run->end - offset : WINDOW_NBYTES;
    enum stoa_status st = STOA_OK;

    if (offset < run->window_begin ||
        offset + nbytes > run->window_begin + (uint64_t)window->nbytes) {
        if (ahead < nbytes)
            ahead = nbytes;
        if (ahead > merger->memory_nbytes)
            return stoa_fail(err, STOA_ERR_LIMIT,
                             "a page of %" PRIu64 " bytes; %" PRIu64 " bytes of memory are allowed",
                             nbytes, merger->memory_nbytes);
        STOA_TRY(stoa_buffer_resize(window, (size_t)ahead, err));
        run->window_begin = offset;
        STOA_TRY(stoa_footer_read(&run->part->reader->footer, offset, window->data, ahead, err));
    }
    *out = window->data + (offset - run->window_begin);
out:
    return st;
}

/* Writes bytes of the part that were taken, but for those that the output has already. */
static enum stoa_status emit(struct stoa_part_run *run, uint64_t offset, const uint8_t *bytes,
                             uint64_t nbytes, struct stoa_error *err)
{
    struct stoa_merger *merger = run->part->merger;
    uint64_t skip = offset < run->shared_end ? run->shared_end - offset : 0;
    enum stoa_status st = STOA_OK;

    if (skip < nbytes)
        STOA_TRY(stoa_assembler_write(merger->file, bytes + skip, (size_t)(nbytes - skip), err));
    STOA_TRY(merger->tick(merger->context, nbytes, err));
out:
    return st;
}

enum stoa_status stoa_part_run_begin(struct stoa_part_run *run, struct stoa_part *part,
                                     uint64_t begin, uint64_t end, struct stoa_error *err)
{
    struct stoa_merger *merger = part->merger;
    uint64_t nshared;
    enum stoa_status st = stoa_assembler_share(merger->file, part->reader->footer.source, begin,
                                               end - begin, &nshared, err);

    *run = (struct stoa_part_run){.part = part, .end = end, .shared_end = begin + nshared};
    merger->shared_nbytes += nshared;
    merger->window.nbytes = 0;
    return st;
}

enum stoa_status stoa_part_run_zeros(struct stoa_part_run *run, uint64_t begin, uint64_t end,
                                     struct stoa_error *err)
{
    const uint8_t *bytes;
    enum stoa_status st = STOA_OK;

    if (begin == end)
        return STOA_OK;
    STOA_TRY(take(run, begin, end - begin, &bytes, err));
    for (uint64_t i = 0; i < end - begin; i++)
        if (bytes[i] != 0)
            return stoa_fail_at(err, STOA_ERR_CORRUPT, begin + i, "bytes in front of the chunk");
    STOA_TRY(emit(run, begin, bytes, end - begin, err));
out:
    return st;
}

/* A part of the chunk that has a hash of its own. */
static enum stoa_status copy_verified(struct stoa_part_run *run, uint64_t offset, uint64_t nbytes,
                                      uint64_t hash, struct stoa_error *err)
{
    const uint8_t *bytes;
    enum stoa_status st;

    STOA_TRY(take(run, offset, nbytes, &bytes, err));
    if (stoa_hash(bytes, (size_t)nbytes) != hash)
        return stoa_fail_at(err, STOA_ERR_CORRUPT, offset, "hash differs");
    STOA_TRY(emit(run, offset, bytes, nbytes, err));
out:
    return st;
}

enum stoa_status stoa_part_run_chunk(struct stoa_part_run *run, const struct stoa_chunk *chunk,
                                     const struct stoa_chunk_shape *shape, struct stoa_error *err)
{
    uint32_t local = chunk->flags & STOA_CHUNK_LOCAL_DICT ? 1 : 0;
    struct stoa_chunk_pages pages = {0};
    enum stoa_status st;

    STOA_TRY(stoa_chunk_pages_read(&run->part->reader->footer, chunk, shape, &pages, err));
    if (pages.head_nbytes > 0) {
        st = copy_verified(run, chunk->offset, pages.head_nbytes, chunk->hash, err);
        if (st != STOA_OK) {
            stoa_wrap(err, st, "head of the chunk");
            goto out;
        }
    }
    for (uint32_t k = 0; k < pages.npages; k++) {
        const struct stoa_stored_page *page = &pages.pages[k];

        st = copy_verified(run, page->offset, page->nbytes, page->hash, err);
        if (st != STOA_OK && k < local)
            stoa_wrap(err, st, "dictionary page");
        else if (st != STOA_OK)
            stoa_wrap(err, st, "page %" PRIu32, k - local);
        if (st != STOA_OK)
            goto out;
    }
out:
    stoa_chunk_pages_reset(&pages);
    return st;
}
