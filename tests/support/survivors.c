#include "support/survivors.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "file/layout.h"
#include "support/gen_table.h"

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

/* Bytes of an entry in the page table of a node, by the schema at the beginning of the file. */
static size_t entry_nbytes(const struct stoa_test_anatomy *anatomy, size_t node)
{
    const uint8_t *nodes = anatomy->bytes + 2 * STOA_OBJECT_NBYTES + STOA_SCHEMA_HEAD_NBYTES;

    return stoa_page_entry_nbytes(nodes[node * STOA_NODE_NBYTES + 6]);
}

static void add_chunks(struct stoa_test_anatomy *anatomy, size_t at,
                       const struct stoa_object *object)
{
    size_t n = object->dir_nbytes / STOA_RG_ENTRY_NBYTES;

    anatomy->nnodes = n;
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
            .dict_id = entry.flags & STOA_CHUNK_SHARED_DICT ? entry.dict_id : 0,
            .bases = entry.flags & STOA_CHUNK_DERIVED ? (uint32_t)entry.dict_id : UINT32_MAX,
            .nvalues = entry.nvalues,
            .page_shift = entry.page_shift,
            .has_local = entry.flags & STOA_CHUNK_LOCAL_DICT,
        };
        chunk->head = range(chunk->bytes.begin, npages > 1 ? npages * entry_nbytes(anatomy, i) : 0);
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

/*
 * Where the chunks of a row group stand, when something tells: *moved is set. LOST otherwise.
 */
static enum stoa_test_fate find_chunks(const struct stoa_test_anatomy *anatomy,
                                       const struct stoa_test_damaged *damaged, size_t group,
                                       int64_t *moved)
{
    const struct stoa_test_piece *piece = find_group(anatomy, group);
    enum stoa_test_fate footer = fate_of_footer(anatomy, damaged);

    if (find_header(anatomy, damaged, piece, moved) && is_at(anatomy, damaged, piece->dir, *moved))
        return STOA_TEST_SURVIVES;
    *moved = damaged->moved;
    /* Part of its header would stand in front of the file: that may be too much to ask. */
    if ((int64_t)piece->header.begin + *moved < 0)
        return worst(footer, STOA_TEST_MAYBE);
    return footer;
}

enum stoa_test_fate stoa_test_fate_of_chunk(const struct stoa_test_anatomy *anatomy,
                                            const struct stoa_test_damaged *damaged, size_t group,
                                            size_t node)
{
    const struct stoa_test_chunk *chunk = &anatomy->chunks[group * anatomy->nnodes + node];
    int64_t moved;
    enum stoa_test_fate fate = find_chunks(anatomy, damaged, group, &moved);

    if (!is_at(anatomy, damaged, chunk->bytes, moved))
        return STOA_TEST_LOST;
    for (uint32_t bases = chunk->bases; bases != UINT32_MAX; bases = bases >> 16 | 0xffff0000)
        if ((bases & 0xffff) != 0xffff)
            fate = worst(fate, stoa_test_fate_of_chunk(anatomy, damaged, group, bases & 0xffff));
    fate = worst(fate, fate_of_chain(anatomy, damaged, chunk->dict_id));
    return worst(fate, fate_of_schema(anatomy, damaged));
}

/* Of stored page k of a chunk, whose head is whole. */
static bool page_is_at(const struct stoa_test_anatomy *anatomy,
                       const struct stoa_test_damaged *damaged, const struct stoa_test_chunk *chunk,
                       size_t k, int64_t moved)
{
    size_t npages = (chunk->head.end - chunk->head.begin) / STOA_PAGE_ENTRY_NBYTES;
    struct stoa_test_range page = {chunk->head.end, chunk->bytes.end};
    const uint8_t *entry = anatomy->bytes + chunk->head.begin + k * STOA_PAGE_ENTRY_NBYTES;
    struct stoa_page_entry here, before = {0};

    if (npages > 0) {
        stoa_page_entry_unpack(entry, &here);
        if (k > 0)
            stoa_page_entry_unpack(entry - STOA_PAGE_ENTRY_NBYTES, &before);
        page = (struct stoa_test_range){chunk->head.end + before.end, chunk->head.end + here.end};
    }
    return is_at(anatomy, damaged, page, moved);
}

enum stoa_test_fate stoa_test_fate_of_row(const struct stoa_test_anatomy *anatomy,
                                          const struct stoa_test_damaged *damaged, size_t group,
                                          size_t column, size_t row)
{
    const struct stoa_test_chunk *chunk = &anatomy->chunks[group * anatomy->nnodes + column];
    size_t k = (row >> chunk->page_shift) + chunk->has_local;
    int64_t moved;
    enum stoa_test_fate fate = find_chunks(anatomy, damaged, group, &moved);

    if (chunk->bytes.begin < chunk->bytes.end &&
        (!is_at(anatomy, damaged, chunk->head, moved) ||
         !page_is_at(anatomy, damaged, chunk, k, moved) ||
         (chunk->has_local && !page_is_at(anatomy, damaged, chunk, 0, moved))))
        return STOA_TEST_LOST;
    fate = worst(fate, fate_of_chain(anatomy, damaged, chunk->dict_id));
    return worst(fate, fate_of_schema(anatomy, damaged));
}

enum stoa_test_fate stoa_test_fate_of_group(const struct stoa_test_anatomy *anatomy,
                                            const struct stoa_test_damaged *damaged, size_t group)
{
    enum stoa_test_fate fate = STOA_TEST_SURVIVES;

    for (size_t i = 0; i < anatomy->nnodes; i++)
        fate = worst(fate, stoa_test_fate_of_chunk(anatomy, damaged, group, i));
    return fate;
}

/* ---- Damage, and what to damage. ---- */

size_t stoa_test_damage(struct stoa_test_random *r, const struct stoa_test_file *file, uint8_t *out,
                        size_t *begin, int64_t *moved)
{
    size_t length = 1 + (size_t)stoa_test_random_below(r, stoa_test_random_one_in(r, 3) ? 8 : 3000);
    unsigned how = (unsigned)stoa_test_random_below(r, 5);
    size_t end;

    *begin = (size_t)stoa_test_random_below(r, file->nbytes);
    if (stoa_test_random_one_in(r, 3))
        *begin -= *begin % STOA_OBJECT_NBYTES;
    length = length < file->nbytes - *begin ? length : file->nbytes - *begin;
    end = *begin + length;
    memcpy(out, file->bytes, file->nbytes);
    *moved = 0;
    if (how == 0) {
        memset(out + *begin, 0, length);
    } else if (how == 1) {
        stoa_test_random_bytes(r, out + *begin, length);
    } else if (how == 2) { /* taken out */
        memmove(out + *begin, file->bytes + end, file->nbytes - end);
        *moved = -(int64_t)length;
    } else { /* put in between: random bytes, or a piece of an object */
        memmove(out + end, file->bytes + *begin, file->nbytes - *begin);
        memcpy(out + *begin, file->bytes + stoa_test_random_below(r, file->nbytes - length + 1),
               length);
        if (how == 3 || stoa_object_find_magic(out + *begin, length) < length)
            stoa_test_random_bytes(r, out + *begin, length);
        *moved = (int64_t)length;
    }
    return (size_t)((int64_t)file->nbytes + *moved);
}

void stoa_test_small_pages_make(bool nested, struct stoa_test_table *out)
{
    static const size_t nrows[] = {300, 256, 1, 65}, nested_nrows[] = {140, 83, 1, 65};
    struct stoa_rules rules = stoa_default_rules;
    struct stoa_test_random random;
    struct stoa_schema schema;

    stoa_test_random_seed(&random, nested ? 5 : 6);
    rules.full_nrows = 100;
    rules.copy_part = 4;
    rules.page_max_nbytes = nested ? 4000 : 1600;
    if (nested)
        stoa_test_gen_any_schema(&random, 6, 4, &schema);
    else
        stoa_test_schema_of_all_types(&random, &schema);
    stoa_test_table_make(&random, &schema, nested ? nested_nrows : nrows, 4, &rules, out);
}
