/*
 * Source text of a damaged file: side tables of row groups that are whole, and the sources that a
 * whole footer tells of.
 *
 *     stream     RGRP 0  SIDE  ########  RGRP 2  SIDE  FOOT
 *     kept       0..100               200..300
 *     sources    |--- a ---|------ b ------|--- c ---|       b lost rows, c begins at row 100 + x
 * now
 *
 * A source whose row groups are all there, each with its side table if it had one, can still be
 * written back.
 */
#include <inttypes.h>

#include "base/error.h"
#include "file/recover.h"
#include "file/side_copy.h"
#include "file/side_read.h"
#include "file/sources_read.h"

/* ---- Side tables ---- */

/* The object behind the row group `item`, when it is its side table. */
static const struct stoa_found *find_side(const struct stoa_recover *rec,
                                          const struct stoa_found *item)
{
    const struct stoa_found *end = rec->found.items + rec->found.nitems;
    uint64_t behind = item->offset + STOA_OBJECT_NBYTES + item->object.body_nbytes;

    for (const struct stoa_found *next = item + 1; next < end; next++) {
        if (next->offset < behind) /* what looks like an object inside of it */
            continue;
        if (next->object.kind == STOA_OBJECT_SIDE && next->object.hash != 0 &&
            next->object.ref_id == item->object.hash)
            return next;
        return NULL;
    }
    return NULL;
}

/* Hashes that fit say nothing of bytes that were never good: all values are read. */
static enum stoa_status check_values(const struct stoa_recover *rec,
                                     const struct stoa_side_object *object, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 0; st == STOA_OK && i < object->nentries; i++) {
        struct stoa_budget budget = {rec->memory_nbytes, rec->memory_nbytes};
        struct stoa_array array = {0};

        if (object->entries[i].has_values)
            st = stoa_side_values(rec->reader.reader, object, i, &budget, &array, err);
        stoa_array_reset(&array);
    }
    return st;
}

enum stoa_status stoa_recover_side(struct stoa_recover *rec, const struct stoa_found *item,
                                   struct stoa_assembler *assembler, bool *copied,
                                   struct stoa_error *err)
{
    const struct stoa_footer *objects = &rec->reader.reader->footer;
    const struct stoa_found *side = item->object.hash != 0 ? find_side(rec, item) : NULL;
    struct stoa_side_object object = {0};
    struct stoa_error why;
    enum stoa_status st;

    *copied = false;
    if (side == NULL)
        return STOA_OK;
    st = stoa_side_open(objects, &side->object, side->offset + STOA_RECOVER_SHIFT,
                        item->object.nrows, &object, &why);
    if (st == STOA_OK)
        st = stoa_side_check_columns(&object, rec->schema.nfields, &why);
    if (st == STOA_OK)
        st = check_values(rec, &object, &why);
    if (st == STOA_OK)
        st = stoa_side_copy(objects, &object, rec->memory_nbytes, assembler, &why);
    *copied = st == STOA_OK;
    stoa_side_object_reset(&object);
    if (st == STOA_OK || stoa_recover_is_damage(st)) /* the rows are whole without it */
        return STOA_OK;
    if (err != NULL)
        *err = why;
    return st;
}

/* ---- Sources ---- */

struct mapping {
    const struct stoa_recover_range *ranges;
    size_t nranges;
    size_t next;      /* ranges before it end in front of the source */
    uint64_t out_end; /* rows of the output */
    struct stoa_reader *reader;
    const struct stoa_sidedir_entry *sides;
    uint64_t nsides, next_side;
    struct stoa_assembler *assembler;
};

/* Whether the row group of a range had a side table; ranges are asked in their order. */
static bool had_side(struct mapping *mapping, const struct stoa_recover_range *range)
{
    const struct stoa_row_group_entry *groups = mapping->reader->footer.groups;

    while (mapping->next_side < mapping->nsides &&
           groups[mapping->sides[mapping->next_side].group].first_row < range->begin)
        mapping->next_side++;
    return mapping->next_side < mapping->nsides &&
           groups[mapping->sides[mapping->next_side].group].first_row == range->begin;
}

/* Rows of `info` that were kept, and whether all of them with their text. */
static void map_rows(struct mapping *mapping, struct stoa_source_info *info)
{
    uint64_t begin = info->first_row, end = begin + info->nrows, nkept = 0, ntext = 0;
    size_t i;

    while (mapping->next < mapping->nranges &&
           mapping->ranges[mapping->next].begin + mapping->ranges[mapping->next].nrows <= begin)
        mapping->next++;
    i = mapping->next;
    info->first_row = mapping->out_end;
    if (i < mapping->nranges) {
        const struct stoa_recover_range *range = &mapping->ranges[i];

        info->first_row = range->out + (begin > range->begin ? begin - range->begin : 0);
    }
    for (; i < mapping->nranges && mapping->ranges[i].begin < end; i++) {
        const struct stoa_recover_range *range = &mapping->ranges[i];
        uint64_t from = begin > range->begin ? begin : range->begin;
        uint64_t to = end < range->begin + range->nrows ? end : range->begin + range->nrows;

        nkept += to - from;
        if (range->has_side || (range->is_whole && !had_side(mapping, range)))
            ntext += to - from;
    }
    if (ntext < info->nrows)
        info->flags = (info->flags & ~(uint32_t)STOA_SOURCE_COMPLETE) | STOA_SOURCE_DAMAGED;
    info->nrows = nkept;
}

static enum stoa_status add_source(void *context, const struct stoa_source_info *info,
                                   struct stoa_error *err)
{
    struct mapping *mapping = context;
    struct stoa_source_info mapped = *info;

    map_rows(mapping, &mapped);
    return stoa_footer_add_source(&mapping->assembler->footer, &mapped, err);
}

enum stoa_status stoa_recover_sources(struct stoa_recover *rec, uint64_t footer_end,
                                      const struct stoa_recover_range *ranges, size_t nranges,
                                      struct stoa_assembler *assembler, struct stoa_error *err)
{
    struct mapping mapping = {
        .ranges = ranges,
        .nranges = nranges,
        .out_end = assembler->footer.nrows,
        .assembler = assembler,
    };
    struct stoa_error why;
    enum stoa_status st;

    if (footer_end > rec->source->nbytes) /* it is cut off */
        return STOA_OK;
    st = stoa_recover_view_open(rec, footer_end, &mapping.reader, err);
    if (st != STOA_OK || mapping.reader == NULL)
        return st;
    st = stoa_reader_sides(mapping.reader, &mapping.sides, &why);
    if (st == STOA_OK) {
        mapping.nsides = stoa_footer_section_count(&mapping.reader->footer, STOA_SECTION_SIDES);
        st = stoa_sources_each(mapping.reader, add_source, &mapping, &why);
    }
    if (st == STOA_OK || stoa_recover_is_damage(st)) /* those in front of the damage are there */
        return STOA_OK;
    if (err != NULL)
        *err = why;
    return st;
}
