/*
 * Footers of a damaged file, and schemas (spec/format.md, sections 4 and 10).
 *
 * A footer is found by its trailer: at the end of the file, in front of a HEAD, at the end of a
 * FOOT object. It counts bytes from the beginning of its own file, which may have moved:
 *
 *     |  other bytes  | HEAD | RGRP 0 | ## | RGRP 2 | FOOT  trailer|
 *                     ^ byte 0 of the footer's file                ^ its end
 *
 * What is whole in front of lost or added bytes stands at another distance than what is behind
 * them. So what only the footer knows, because its header is damaged, is looked for at the distance
 * of the next row group that both know, and at that of the footer itself behind the last.
 */
#include "file/recover.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/error.h"
#include "base/hash.h"
#include "file/schema_bytes.h"

/* ---- Moved sources. ---- */

static enum stoa_status moved_read_at(struct stoa_source *source, uint64_t offset, void *out,
                                      size_t nbytes, struct stoa_error *err)
{
    struct stoa_moved_source *moved = (struct stoa_moved_source *)(void *)source;
    uint64_t size = moved->from->nbytes, n;
    uint8_t *to = out;

    if (moved->shift < 0 && offset < (uint64_t)-moved->shift) { /* in front of it */
        n = (uint64_t)-moved->shift - offset;
        n = n < nbytes ? n : nbytes;
        memset(to, 0, (size_t)n);
        to += n;
        offset += n;
        nbytes -= (size_t)n;
    }
    offset += (uint64_t)moved->shift;
    n = offset < size ? size - offset : 0;
    n = n < nbytes ? n : nbytes;
    memset(to + n, 0, nbytes - (size_t)n);
    return n > 0 ? moved->from->read_at(moved->from, offset, to, (size_t)n, err) : STOA_OK;
}

void stoa_moved_source_init(struct stoa_moved_source *out, struct stoa_source *from, int64_t shift,
                            uint64_t nbytes)
{
    *out = (struct stoa_moved_source){
        .base = {.read_at = moved_read_at, .nbytes = nbytes, .name = from->name},
        .from = from,
        .shift = shift,
    };
}

/* ---- One footer at a time. ---- */

void stoa_recover_view_close(struct stoa_recover *rec)
{
    stoa_reader_close(rec->view.reader);
    rec->view = (struct stoa_recover_view){0};
}

enum stoa_status stoa_recover_view_open(struct stoa_recover *rec, uint64_t end,
                                        struct stoa_reader **out, struct stoa_error *err)
{
    struct stoa_recover_view *view = &rec->view;
    struct stoa_reader_options options = {.memory_nbytes = rec->memory_nbytes};
    uint8_t bytes[STOA_TRAILER_NBYTES];
    struct stoa_trailer trailer;
    enum stoa_status st = STOA_OK;

    if (view->end == end) {
        *out = view->reader;
        return STOA_OK;
    }
    stoa_recover_view_close(rec);
    *out = NULL;
    view->end = end;
    if (end < sizeof(bytes))
        return STOA_OK;
    STOA_TRY(rec->source->read_at(rec->source, end - sizeof(bytes), bytes, sizeof(bytes), err));
    if (!stoa_trailer_has_magic(bytes + sizeof(bytes) - STOA_MAGIC_NBYTES) ||
        stoa_trailer_unpack(bytes, &trailer, NULL) != STOA_OK || trailer.file_nbytes > INT64_MAX)
        return STOA_OK;
    stoa_moved_source_init(&view->source, rec->source, (int64_t)end - (int64_t)trailer.file_nbytes,
                           trailer.file_nbytes);
    st = stoa_reader_open(&view->source.base, &options, &view->reader, err);
    if (stoa_recover_is_damage(st))
        st = STOA_OK;
    *out = view->reader;
out:
    return st;
}

/* ---- Schemas. ---- */

/* A schema that is whole somewhere. */
struct candidate {
    uint64_t id;
    uint64_t place; /* of its object, or the end of the file whose footer has it */
    bool is_footer;
    uint64_t nrows; /* of row groups that have it */
    size_t first;   /* of these */
};

struct candidates {
    struct candidate *items;
    size_t nitems, capacity;
};

static enum stoa_status add_candidate(struct candidates *candidates, uint64_t id, uint64_t place,
                                      bool is_footer, struct stoa_error *err)
{
    enum stoa_status st = stoa_reserve(&candidates->items, &candidates->capacity,
                                       candidates->nitems + 1, sizeof(candidates->items[0]), err);

    if (st == STOA_OK)
        candidates->items[candidates->nitems++] =
            (struct candidate){.id = id, .place = place, .is_footer = is_footer, .first = SIZE_MAX};
    return st;
}

/* The schema of an object; STOA_ERR_CORRUPT when it is not whole. */
static enum stoa_status read_schema(struct stoa_recover *rec, const struct stoa_found *item,
                                    struct stoa_schema *out, struct stoa_error *err)
{
    uint64_t room = rec->source->nbytes - item->offset - STOA_OBJECT_NBYTES;
    uint32_t nbytes = item->object.dir_nbytes;
    struct stoa_schema schema = {0};
    uint8_t *body = NULL;
    uint64_t id;
    enum stoa_status st;

    if (nbytes > room || nbytes > rec->memory_nbytes)
        return stoa_fail(err, STOA_ERR_CORRUPT, "a schema of %" PRIu32 " bytes", nbytes);
    STOA_TRY(stoa_alloc(&body, nbytes, err));
    STOA_TRY(
        rec->source->read_at(rec->source, item->offset + STOA_OBJECT_NBYTES, body, nbytes, err));
    if (stoa_hash(body, nbytes) != item->object.dir_hash)
        st = stoa_fail(err, STOA_ERR_CORRUPT, "hash differs");
    else
        st = stoa_schema_parse_body(body, nbytes, &schema, &id, err);
    if (st == STOA_OK && item->object.ref_id != id)
        st = stoa_fail(err, STOA_ERR_CORRUPT, "id is not that of its bytes");
    if (st != STOA_OK)
        goto out;
    *out = schema;
    schema = (struct stoa_schema){0};
out:
    stoa_schema_reset(&schema);
    stoa_free(body);
    return st;
}

/* The id that a schema has as an object. */
static enum stoa_status schema_id(const struct stoa_schema *schema, uint64_t *id,
                                  struct stoa_error *err)
{
    struct stoa_schema_bytes bytes = {0};
    struct stoa_buffer body = {0};
    enum stoa_status st;

    STOA_TRY(stoa_schema_bytes_init(&bytes, schema, err));
    STOA_TRY(stoa_schema_bytes_append(&bytes, &body, err));
    *id = stoa_hash(body.data, body.nbytes);
out:
    stoa_buffer_free(&body);
    stoa_schema_bytes_reset(&bytes);
    return st;
}

static int compare_candidates(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;

    if (x->id != y->id)
        return x->id > y->id ? 1 : -1;
    return (x->place > y->place) - (x->place < y->place);
}

static struct candidate *find_candidate(struct candidates *candidates, uint64_t id)
{
    size_t low = 0, high = candidates->nitems;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (candidates->items[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < candidates->nitems && candidates->items[low].id == id ? &candidates->items[low]
                                                                       : NULL;
}

/* The one of the most rows; of those with as many, the one that comes first. */
static const struct candidate *choose(const struct stoa_recover *rec, struct candidates *candidates)
{
    const struct candidate *best = NULL;

    if (candidates->nitems > 0)
        qsort(candidates->items, candidates->nitems, sizeof(candidates->items[0]),
              compare_candidates);
    for (size_t i = 0; i < rec->found.nitems; i++) {
        const struct stoa_object *object = &rec->found.items[i].object;
        struct candidate *of = NULL;

        if (object->kind == STOA_OBJECT_ROW_GROUP)
            of = find_candidate(candidates, object->ref_id);
        if (of == NULL)
            continue;
        of->nrows += object->nrows;
        of->first = of->first < i ? of->first : i;
    }
    for (size_t i = 0; i < candidates->nitems; i++) {
        const struct candidate *one = &candidates->items[i];

        if (best == NULL || one->nrows > best->nrows ||
            (one->nrows == best->nrows &&
             (one->first != best->first ? one->first < best->first : one->place < best->place)))
            best = one;
    }
    return best;
}

static struct stoa_found *find_at(const struct stoa_recover *rec, uint64_t offset)
{
    size_t low = 0, high = rec->found.nitems;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (rec->found.items[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low < rec->found.nitems && rec->found.items[low].offset == offset
               ? &rec->found.items[low]
               : NULL;
}

static enum stoa_status load_schema(struct stoa_recover *rec, const struct candidate *one,
                                    struct stoa_error *err)
{
    const struct stoa_schema *schema;
    struct stoa_reader *reader;
    enum stoa_status st;

    rec->schema_id = one->id;
    if (!one->is_footer)
        return read_schema(rec, find_at(rec, one->place), &rec->schema, err);
    STOA_TRY(stoa_recover_view_open(rec, one->place, &reader, err));
    STOA_TRY(stoa_reader_schema(reader, &schema, err));
    STOA_TRY(stoa_schema_copy(&rec->schema, schema, err));
out:
    return st;
}

/* ---- What a footer knows. ---- */

/* A row group that the footer and a header know: how far the file has moved there. */
struct landmark {
    uint64_t offset; /* in the footer's file */
    int64_t moved;
};

struct extras {
    struct stoa_recover *rec;
    struct stoa_found_list list; /* what is added in the end */
    struct landmark *landmarks;  /* falling by offset; one where `moved` changes */
    size_t nlandmarks, capacity;
};

static enum stoa_status add_landmark(struct extras *extras, uint64_t offset, int64_t moved,
                                     struct stoa_error *err)
{
    enum stoa_status st;

    if (extras->nlandmarks > 0 && extras->landmarks[extras->nlandmarks - 1].moved == moved) {
        extras->landmarks[extras->nlandmarks - 1].offset = offset;
        return STOA_OK;
    }
    st = stoa_reserve(&extras->landmarks, &extras->capacity, extras->nlandmarks + 1,
                      sizeof(extras->landmarks[0]), err);
    if (st == STOA_OK)
        extras->landmarks[extras->nlandmarks++] = (struct landmark){offset, moved};
    return st;
}

/*
 * Adds an object that stands at `offset` of the footer's file, unless its header was found. It lies
 * in front of the last landmark at or behind it, and in any case behind byte `floor`: where its
 * header would be, other things may stand when bytes were taken out.
 */
static enum stoa_status add_object(struct extras *extras, uint64_t offset, uint64_t floor,
                                   const struct stoa_found *object, struct stoa_error *err)
{
    struct stoa_found item = *object;
    size_t low = 0, high = extras->nlandmarks;
    int64_t at;

    while (high - low > 1) { /* landmarks[low].offset >= offset > landmarks[high].offset */
        size_t middle = low + (high - low) / 2;

        if (extras->landmarks[middle].offset >= offset)
            low = middle;
        else
            high = middle;
    }
    item.footer_moved = extras->landmarks[low].moved;
    at = (int64_t)offset + item.footer_moved;
    if (at >= 0 && find_at(extras->rec, (uint64_t)at) != NULL)
        return STOA_OK;
    item.offset = at > (int64_t)floor ? (uint64_t)at : floor;
    if (item.offset + STOA_OBJECT_NBYTES > extras->rec->source->nbytes)
        return STOA_OK;
    return stoa_found_append(&extras->list, &item, extras->rec->memory_nbytes, err);
}

/* The row group of the footer that has this header, or ngroups. */
static uint32_t match(const struct stoa_footer *footer, const struct stoa_object *object)
{
    uint32_t low = 0, high = footer->ngroups;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (footer->groups[middle].first_row < object->stream_row)
            low = middle + 1;
        else
            high = middle;
    }
    return low < footer->ngroups && footer->groups[low].header_hash == object->hash
               ? low
               : footer->ngroups;
}

/* Row groups [begin, end), whose headers were not found; `floor` as above. */
static enum stoa_status add_groups(struct extras *extras, const struct stoa_footer *footer,
                                   uint32_t begin, uint32_t end, uint64_t floor,
                                   uint64_t footer_end, uint64_t id, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (uint32_t g = begin; g < end; g++) {
        const struct stoa_row_group_entry *entry = &footer->groups[g];
        uint64_t body_end = stoa_footer_group_end(footer, g);
        struct stoa_found item = {
            .object = {.kind = STOA_OBJECT_ROW_GROUP,
                       .body_nbytes = body_end - entry->offset - STOA_OBJECT_NBYTES,
                       .nrows = entry->nrows,
                       .stream_row = entry->first_row,
                       .ref_id = id},
            .footer_end = footer_end,
            .group = g,
        };

        STOA_TRY(add_object(extras, entry->offset, floor, &item, err));
    }
out:
    return st;
}

/* The footer's own header, which stands elsewhere when bytes got in behind it. */
static bool is_header_of(const struct stoa_footer *footer, const struct stoa_object *object)
{
    const struct stoa_trailer *trailer = &footer->trailer;

    return object->kind == STOA_OBJECT_FOOTER && object->stream_row == trailer->nrows &&
           object->body_nbytes == trailer->file_nbytes - trailer->footer_off - STOA_OBJECT_NBYTES;
}

/* Row groups found in items (begin, end): a footer knows what is there, and does not know them. */
static void drop_strangers(struct stoa_found_list *found, size_t begin, size_t end)
{
    for (size_t i = begin + 1; i < end; i++)
        if (found->items[i].object.kind == STOA_OBJECT_ROW_GROUP)
            found->items[i].object.kind = STOA_OBJECT_PAD;
}

/*
 * From the footer backwards: row groups that both know, and between them those that it alone does.
 * What it does not know there is no part of its file: a piece of some file that got in between.
 * *floor: the footer itself is behind it.
 */
static enum stoa_status walk_back(struct extras *extras, const struct stoa_footer *footer,
                                  uint64_t footer_end, uint64_t id, uint64_t *floor,
                                  struct stoa_error *err)
{
    struct stoa_found_list *found = &extras->rec->found;
    int64_t moved = (int64_t)footer_end - (int64_t)footer->trailer.file_nbytes;
    uint32_t next = footer->ngroups; /* row groups from here on are done */
    size_t i = 0, done;
    enum stoa_status st;

    STOA_TRY(add_landmark(extras, footer->trailer.footer_off, moved, err));
    while (i < found->nitems && found->items[i].offset < footer_end)
        i++;
    done = i;
    while (i-- > 0 && next > 0) {
        struct stoa_found *item = &found->items[i];
        uint32_t g = next;

        if (is_header_of(footer, &item->object) && next == footer->ngroups) {
            moved = (int64_t)item->offset - (int64_t)footer->trailer.footer_off;
            STOA_TRY(add_landmark(extras, footer->trailer.footer_off, moved, err));
            continue;
        }
        if (is_header_of(footer, &item->object)) /* once more: what is in front has been told */
            return STOA_OK;
        if (item->object.kind == STOA_OBJECT_HEAD || item->object.kind == STOA_OBJECT_FOOTER)
            break;
        if (item->object.kind == STOA_OBJECT_ROW_GROUP)
            g = match(footer, &item->object);
        if (g >= next)
            continue;
        STOA_TRY(add_groups(extras, footer, g + 1, next, item->offset + 1, footer_end, id, err));
        item->footer_end = footer_end;
        item->footer_moved = moved; /* if its directory is damaged, its chunks stand behind that */
        item->group = g;
        *floor = *floor > item->offset ? *floor : item->offset + 1;
        moved = (int64_t)item->offset - (int64_t)footer->groups[g].offset;
        STOA_TRY(add_landmark(extras, footer->groups[g].offset, moved, err));
        drop_strangers(found, i, done);
        next = g;
        done = i;
    }
    STOA_TRY(add_groups(extras, footer, 0, next, 0, footer_end, id, err));
out:
    return st;
}

static enum stoa_status add_segments(struct extras *extras, struct stoa_reader *reader,
                                     struct stoa_error *err)
{
    const struct stoa_dictionary_table *table;
    enum stoa_status st =
        stoa_dictionaries_table(&reader->dictionaries, &reader->footer, &table, err);

    if (st != STOA_OK)
        return stoa_recover_is_damage(st) ? STOA_OK : st;
    for (uint32_t i = 0; i < table->nentries; i++) {
        const struct stoa_dictdir_entry *entry = &table->entries[i];
        struct stoa_found item = {
            .object = {.kind = STOA_OBJECT_DICT,
                       .dir_nbytes = STOA_DICT_HEAD_NBYTES +
                                     (entry->count + STOA_DICT_PAGE_NVALUES - 1) /
                                         STOA_DICT_PAGE_NVALUES * STOA_PAGE_ENTRY_NBYTES,
                       .ref_id = entry->id,
                       .dir_hash = entry->dir_hash},
        };

        STOA_TRY(add_object(extras, entry->offset, 0, &item, err));
        if (entry->copy_offset != 0)
            STOA_TRY(add_object(extras, entry->copy_offset, 0, &item, err));
    }
out:
    return st;
}

/* The file that ends at `end`, if it has a footer. */
static enum stoa_status add_footer(struct extras *extras, struct candidates *candidates,
                                   uint64_t end, struct stoa_error *err)
{
    struct stoa_recover *rec = extras->rec;
    const struct stoa_schema *schema;
    struct stoa_reader *reader;
    struct stoa_found item = {.object = {.kind = STOA_OBJECT_FOOTER}};
    uint64_t id = 0, floor = 0;
    enum stoa_status st;

    STOA_TRY(stoa_recover_view_open(rec, end, &reader, err));
    if (reader == NULL)
        return STOA_OK;
    st = stoa_reader_schema(reader, &schema, err);
    if (st == STOA_OK) {
        STOA_TRY(schema_id(schema, &id, err));
        STOA_TRY(add_candidate(candidates, id, end, true, err));
    } else if (!stoa_recover_is_damage(st)) {
        goto out;
    }
    extras->nlandmarks = 0;
    STOA_TRY(walk_back(extras, &reader->footer, end, id, &floor, err));
    STOA_TRY(add_segments(extras, reader, err));
    item.object.stream_row = reader->footer.trailer.nrows;
    item.object.body_nbytes =
        reader->footer.trailer.file_nbytes - reader->footer.trailer.footer_off - STOA_OBJECT_NBYTES;
    STOA_TRY(add_object(extras, reader->footer.trailer.footer_off, floor, &item, err));
out:
    return st;
}

/* ---- All of it. ---- */

/* Where a file may end because of this object; 0: nowhere. */
static uint64_t end_by(const struct stoa_recover *rec, const struct stoa_found *item)
{
    uint64_t room = rec->source->nbytes - item->offset - STOA_OBJECT_NBYTES;

    if (item->object.kind == STOA_OBJECT_HEAD)
        return item->offset;
    if (item->object.kind != STOA_OBJECT_FOOTER || item->object.body_nbytes > room)
        return 0;
    return item->offset + STOA_OBJECT_NBYTES + item->object.body_nbytes;
}

static enum stoa_status add_footers(struct extras *extras, struct candidates *candidates,
                                    struct stoa_error *err)
{
    struct stoa_recover *rec = extras->rec;
    uint64_t last = 0;
    enum stoa_status st = STOA_OK;

    for (size_t i = 0; i < rec->found.nitems; i++) {
        uint64_t end = end_by(rec, &rec->found.items[i]);

        if (end <= last)
            continue;
        last = end;
        STOA_TRY(add_footer(extras, candidates, end, err));
    }
    if (rec->source->nbytes > last)
        STOA_TRY(add_footer(extras, candidates, rec->source->nbytes, err));
out:
    return st;
}

enum stoa_status stoa_recover_footers(struct stoa_recover *rec, struct stoa_error *err)
{
    struct extras extras = {.rec = rec};
    struct candidates candidates = {0};
    const struct candidate *best;
    enum stoa_status st = STOA_OK;

    for (size_t i = 0; i < rec->found.nitems; i++) {
        const struct stoa_found *item = &rec->found.items[i];
        struct stoa_schema schema = {0};

        if (item->object.kind != STOA_OBJECT_SCHEMA)
            continue;
        st = read_schema(rec, item, &schema, err);
        stoa_schema_reset(&schema);
        if (st == STOA_OK)
            STOA_TRY(add_candidate(&candidates, item->object.ref_id, item->offset, false, err));
        else if (!stoa_recover_is_damage(st))
            goto out;
    }
    STOA_TRY(add_footers(&extras, &candidates, err));
    for (size_t i = 0; i < extras.list.nitems; i++)
        STOA_TRY(stoa_found_append(&rec->found, &extras.list.items[i], rec->memory_nbytes, err));
    stoa_found_sort(&rec->found);
    best = choose(rec, &candidates);
    if (best == NULL)
        st = stoa_fail_at(err, STOA_ERR_CORRUPT, 0,
                          "nothing to recover: there is no whole schema in it");
    else
        STOA_TRY(load_schema(rec, best, err));
out:
    stoa_found_reset(&extras.list);
    stoa_free(extras.landmarks);
    stoa_free(candidates.items);
    return st;
}
