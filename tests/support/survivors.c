#include "support/survivors.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "file/layout.h"

static void *grow(void *memory, size_t n, size_t size)
{
    void *out = realloc(memory, n * size);

    assert(out != NULL);
    return out;
}

static struct stoa_test_range range(size_t begin, size_t nbytes)
{
    return (struct stoa_test_range){begin, begin + nbytes};
}

/* ---- Taking apart. ---- */

static void add_chunks(struct stoa_test_anatomy *anatomy, size_t at,
                       const struct stoa_object *object)
{
    size_t n = object->dir_nbytes / STOA_RG_ENTRY_NBYTES;

    anatomy->ncolumns = n;
    anatomy->chunks = grow(anatomy->chunks, (anatomy->ngroups + 1) * n, sizeof(anatomy->chunks[0]));
    for (size_t i = 0; i < n; i++) {
        struct stoa_test_chunk *chunk = &anatomy->chunks[anatomy->ngroups * n + i];
        struct stoa_rg_entry entry;
        enum stoa_status st = stoa_rg_entry_unpack(
            anatomy->bytes + at + STOA_OBJECT_NBYTES + i * STOA_RG_ENTRY_NBYTES, &entry, NULL);
        uint32_t npages;

        assert(st == STOA_OK);
        (void)st;
        npages = stoa_chunk_npages(entry.flags, entry.page_shift, entry.nvalues);
        *chunk = (struct stoa_test_chunk){
            .bytes = range(at + entry.offset, entry.nbytes),
            .dict_id = entry.dict_id,
            .page_shift = entry.page_shift,
            .has_local = entry.flags & STOA_CHUNK_LOCAL_DICT,
        };
        chunk->head =
            range(chunk->bytes.begin, npages > 1 ? npages * (size_t)STOA_PAGE_ENTRY_NBYTES : 0);
    }
    anatomy->ngroups++;
}

static void add_segment(const struct stoa_test_anatomy *anatomy, size_t at,
                        const struct stoa_object *object, struct stoa_test_piece *piece)
{
    const uint8_t *dir = anatomy->bytes + at + STOA_OBJECT_NBYTES;
    struct stoa_dict_head head;
    struct stoa_page_entry last;
    enum stoa_status st = stoa_dict_head_unpack(dir, &head, NULL);

    assert(st == STOA_OK);
    (void)st;
    stoa_page_entry_unpack(dir + object->dir_nbytes - STOA_PAGE_ENTRY_NBYTES, &last);
    piece->id = object->ref_id;
    piece->prev_id = head.prev_id;
    piece->body = range(at + STOA_OBJECT_NBYTES, object->dir_nbytes + (size_t)last.end);
}

void stoa_test_anatomy_init(struct stoa_test_anatomy *anatomy, const struct stoa_test_file *file)
{
    *anatomy = (struct stoa_test_anatomy){.bytes = file->bytes, .nbytes = file->nbytes};
    for (size_t at = 0; at < file->nbytes;) {
        struct stoa_test_piece piece = {.header = range(at, STOA_OBJECT_NBYTES)};
        struct stoa_object object;
        enum stoa_status st = stoa_object_unpack(file->bytes + at, &object, NULL);

        assert(st == STOA_OK);
        (void)st;
        piece.kind = object.kind;
        piece.body = range(at + STOA_OBJECT_NBYTES, (size_t)object.body_nbytes);
        if (object.kind == STOA_OBJECT_SCHEMA)
            piece.body = range(at + STOA_OBJECT_NBYTES, object.dir_nbytes);
        if (object.kind == STOA_OBJECT_DICT)
            add_segment(anatomy, at, &object, &piece);
        if (object.kind == STOA_OBJECT_ROW_GROUP) {
            piece.dir = range(at + STOA_OBJECT_NBYTES, object.dir_nbytes);
            piece.group = anatomy->ngroups;
            add_chunks(anatomy, at, &object);
        }
        anatomy->pieces = grow(anatomy->pieces, anatomy->npieces + 1, sizeof(piece));
        anatomy->pieces[anatomy->npieces++] = piece;
        at += STOA_OBJECT_NBYTES + (size_t)object.body_nbytes;
    }
}

void stoa_test_anatomy_reset(struct stoa_test_anatomy *anatomy)
{
    free(anatomy->pieces);
    free(anatomy->chunks);
    *anatomy = (struct stoa_test_anatomy){0};
}

/* ---- What is still there. ---- */

/* Whether the bytes of a range stand `moved` bytes from where they were. */
static bool is_at(const struct stoa_test_anatomy *anatomy, const struct stoa_test_damaged *damaged,
                  struct stoa_test_range part, int64_t moved)
{
    int64_t begin = (int64_t)part.begin + moved, end = (int64_t)part.end + moved;

    return part.begin == part.end || (begin >= 0 && end <= (int64_t)damaged->nbytes &&
                                      memcmp(anatomy->bytes + part.begin, damaged->bytes + begin,
                                             part.end - part.begin) == 0);
}

/* Where a header is whole: *moved is set; false when it is nowhere. */
static bool find_header(const struct stoa_test_anatomy *anatomy,
                        const struct stoa_test_damaged *damaged,
                        const struct stoa_test_piece *piece, int64_t *moved)
{
    *moved = 0;
    if (is_at(anatomy, damaged, piece->header, 0))
        return true;
    *moved = damaged->moved;
    return is_at(anatomy, damaged, piece->header, *moved);
}

static bool is_anywhere(const struct stoa_test_anatomy *anatomy,
                        const struct stoa_test_damaged *damaged, struct stoa_test_range part)
{
    return is_at(anatomy, damaged, part, 0) || is_at(anatomy, damaged, part, damaged->moved);
}

/* Whether the footer is whole but for its header, damaged, or of no use. */
static enum stoa_test_fate fate_of_footer(const struct stoa_test_anatomy *anatomy,
                                          const struct stoa_test_damaged *damaged)
{
    const struct stoa_test_piece *footer = &anatomy->pieces[anatomy->npieces - 1];
    struct stoa_test_range trailer =
        range(anatomy->nbytes - STOA_TRAILER_NBYTES, STOA_TRAILER_NBYTES);

    if (!is_anywhere(anatomy, damaged, trailer))
        return STOA_TEST_LOST;
    return is_at(anatomy, damaged, footer->body, damaged->moved) ? STOA_TEST_SURVIVES
                                                                 : STOA_TEST_MAYBE;
}

/* Of a thing that a whole header or a footer leads to. */
static enum stoa_test_fate join(bool by_header, bool is_there, enum stoa_test_fate footer)
{
    if (by_header)
        return STOA_TEST_SURVIVES;
    return is_there ? footer : STOA_TEST_LOST;
}

static enum stoa_test_fate best(enum stoa_test_fate a, enum stoa_test_fate b)
{
    return a > b ? a : b;
}

static enum stoa_test_fate worst(enum stoa_test_fate a, enum stoa_test_fate b)
{
    return a < b ? a : b;
}

static enum stoa_test_fate fate_of_schema(const struct stoa_test_anatomy *anatomy,
                                          const struct stoa_test_damaged *damaged)
{
    enum stoa_test_fate fate = fate_of_footer(anatomy, damaged);

    for (size_t i = 0; i < anatomy->npieces; i++) {
        const struct stoa_test_piece *piece = &anatomy->pieces[i];
        int64_t moved;

        if (piece->kind == STOA_OBJECT_SCHEMA && find_header(anatomy, damaged, piece, &moved) &&
            is_at(anatomy, damaged, piece->body, moved))
            fate = STOA_TEST_SURVIVES;
    }
    return fate;
}

/* Of a segment and all that it extends. */
static enum stoa_test_fate fate_of_chain(const struct stoa_test_anatomy *anatomy,
                                         const struct stoa_test_damaged *damaged, uint64_t id)
{
    enum stoa_test_fate footer = fate_of_footer(anatomy, damaged), fate = STOA_TEST_LOST;
    uint64_t prev_id = 0;

    if (id == 0)
        return STOA_TEST_SURVIVES;
    for (size_t i = 0; i < anatomy->npieces; i++) {
        const struct stoa_test_piece *piece = &anatomy->pieces[i];
        bool by_header;
        int64_t moved;

        if (piece->kind != STOA_OBJECT_DICT || piece->id != id)
            continue;
        by_header = find_header(anatomy, damaged, piece, &moved) &&
                    is_at(anatomy, damaged, piece->body, moved);
        fate = best(fate,
                    join(by_header, is_at(anatomy, damaged, piece->body, damaged->moved), footer));
        prev_id = piece->prev_id;
    }
    return worst(fate, fate_of_chain(anatomy, damaged, prev_id));
}

static const struct stoa_test_piece *find_group(const struct stoa_test_anatomy *anatomy,
                                                size_t group)
{
    const struct stoa_test_piece *piece = anatomy->pieces;

    while (piece->kind != STOA_OBJECT_ROW_GROUP || piece->group != group)
        piece++;
    return piece;
}

enum stoa_test_fate stoa_test_fate_of_chunk(const struct stoa_test_anatomy *anatomy,
                                            const struct stoa_test_damaged *damaged, size_t group,
                                            size_t column)
{
    const struct stoa_test_piece *piece = find_group(anatomy, group);
    const struct stoa_test_chunk *chunk = &anatomy->chunks[group * anatomy->ncolumns + column];
    enum stoa_test_fate fate;
    int64_t moved;
    bool by_header =
        find_header(anatomy, damaged, piece, &moved) && is_at(anatomy, damaged, piece->dir, moved);

    if (by_header)
        fate = is_at(anatomy, damaged, chunk->bytes, moved) ? STOA_TEST_SURVIVES : STOA_TEST_LOST;
    else
        fate = join(false, is_at(anatomy, damaged, chunk->bytes, damaged->moved),
                    fate_of_footer(anatomy, damaged));
    /* Part of its header would stand in front of the file: that may be too much to ask. */
    if (fate == STOA_TEST_SURVIVES && !by_header &&
        (int64_t)piece->header.begin + damaged->moved < 0)
        fate = STOA_TEST_MAYBE;
    fate = worst(fate, fate_of_chain(anatomy, damaged, chunk->dict_id));
    return worst(fate, fate_of_schema(anatomy, damaged));
}

enum stoa_test_fate stoa_test_fate_of_group(const struct stoa_test_anatomy *anatomy,
                                            const struct stoa_test_damaged *damaged, size_t group)
{
    enum stoa_test_fate fate = STOA_TEST_SURVIVES;

    for (size_t i = 0; i < anatomy->ncolumns; i++)
        fate = worst(fate, stoa_test_fate_of_chunk(anatomy, damaged, group, i));
    return fate;
}
