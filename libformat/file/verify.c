/*
 * Checking a whole file (stoa_verify): objects from front to back, then the footer.
 *
 * The objects are walked from the start of the file and checked by their own hashes, whether the
 * footer can be read or not; where it can, both must tell the same. After a header that is damaged
 * the walk goes on at the next object that the footer knows. Every byte is looked at: it is hashed,
 * or it is padding and must be zero.
 */
#include "file/verify.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "file/nodes_write.h"
#include "stats/zonemap.h"

#define READ_MAX_NBYTES  (UINT64_C(1) << 30) /* of one structure, unless the options say less */
#define ZEROS_MAX_NBYTES 65536

enum stoa_status stoa_verify_report(struct stoa_verify *verify, enum stoa_status st,
                                    struct stoa_error *err)
{
    if (!stoa_verify_is_finding(st))
        return st;
    verify->result->nfindings++;
    if (verify->options->report != NULL)
        verify->options->report(verify->options->context, err);
    *err = (struct stoa_error){.offset = STOA_NO_OFFSET};
    return STOA_OK;
}

enum stoa_status stoa_verify_column(struct stoa_verify *verify, uint32_t number,
                                    struct stoa_column **out, struct stoa_error *err)
{
    enum stoa_status st;

    *out = NULL;
    if (verify->reader == NULL)
        return STOA_OK;
    st = stoa_footer_column(&verify->reader->footer, number, out, err);
    return stoa_verify_is_finding(st) ? STOA_OK : st;
}

enum stoa_status stoa_verify_dictionaries(struct stoa_verify *verify,
                                          const struct stoa_dictionary_table **out,
                                          struct stoa_error *err)
{
    enum stoa_status st;

    *out = NULL;
    if (verify->reader == NULL)
        return STOA_OK;
    st = stoa_dictionaries_table(&verify->reader->dictionaries, &verify->reader->footer, out, err);
    return stoa_verify_is_finding(st) ? STOA_OK : st;
}

static int compare_places(const void *a, const void *b)
{
    const struct stoa_verify_place *x = a, *y = b;

    return (x->offset > y->offset) - (x->offset < y->offset);
}

static enum stoa_status load_places(struct stoa_verify *verify, struct stoa_error *err)
{
    const struct stoa_dictionary_table *table;
    struct stoa_verify_place *places = NULL;
    size_t n = 0;
    enum stoa_status st;

    STOA_TRY(stoa_verify_dictionaries(verify, &table, err));
    if (table == NULL)
        return STOA_OK;
    STOA_TRY(stoa_alloc_zeroed(&places, (size_t)table->nentries * 2, sizeof(places[0]), err));
    for (uint32_t i = 0; i < table->nentries; i++) {
        const struct stoa_dictdir_entry *entry = &table->entries[i];

        places[n++] = (struct stoa_verify_place){entry->offset, i, false};
        if (entry->copy_offset != 0)
            places[n++] = (struct stoa_verify_place){entry->copy_offset, i, true};
    }
    qsort(places, n, sizeof(places[0]), compare_places);
    verify->places = places;
    verify->nplaces = n;
out:
    return st;
}

enum stoa_status stoa_verify_next_place(struct stoa_verify *verify, uint64_t offset,
                                        const struct stoa_verify_place **out,
                                        struct stoa_error *err)
{
    size_t low = 0, high;
    enum stoa_status st = STOA_OK;

    if (verify->places == NULL)
        st = load_places(verify, err);
    high = verify->nplaces;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (verify->places[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    *out = low < verify->nplaces ? &verify->places[low] : NULL;
    return st;
}

enum stoa_status stoa_verify_read(struct stoa_verify *verify, uint64_t offset, uint64_t nbytes,
                                  struct stoa_error *err)
{
    uint64_t max = verify->options->memory_nbytes;
    enum stoa_status st;

    if (nbytes > (max != 0 ? max : READ_MAX_NBYTES))
        return stoa_fail_at(err, STOA_ERR_LIMIT, offset, "a structure of %" PRIu64 " bytes",
                            nbytes);
    STOA_TRY(stoa_buffer_resize(&verify->bytes, (size_t)nbytes, err));
    STOA_TRY(stoa_footer_read(&verify->objects, offset, verify->bytes.data, nbytes, err));
out:
    return st;
}

enum stoa_status stoa_verify_zeros(struct stoa_verify *verify, uint64_t begin, uint64_t end,
                                   struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    while (begin < end) {
        uint64_t n = end - begin < ZEROS_MAX_NBYTES ? end - begin : ZEROS_MAX_NBYTES;

        STOA_TRY(stoa_verify_read(verify, begin, n, err));
        for (uint64_t i = 0; i < n; i++)
            if (verify->bytes.data[i] != 0)
                return stoa_fail_at(err, STOA_ERR_CORRUPT, begin + i,
                                    "padding: byte %" PRIu64 " is %u, must be 0", begin + i,
                                    verify->bytes.data[i]);
        begin += n;
    }
out:
    return st;
}

enum stoa_status stoa_verify_wrap(struct stoa_verify *verify, uint32_t group, uint32_t node,
                                  enum stoa_status st, struct stoa_error *err)
{
    if (node < verify->nnodes)
        stoa_nodes_wrap(verify->nodes, node, st, err);
    else if (verify->reader != NULL && node < verify->reader->footer.trailer.nnodes)
        stoa_footer_wrap(&verify->reader->footer, node, st, err);
    else
        stoa_wrap(err, st, "column %" PRIu32, node + 1);
    return group == UINT32_MAX ? st : stoa_wrap(err, st, "row group %" PRIu32, group);
}

/* ---- Objects. ---- */

/* What dir_hash covers: the section table at the end, or the frame of a packed footer in front. */
static enum stoa_status verify_footer_dir(struct stoa_verify *verify,
                                          const struct stoa_object *object, uint64_t offset,
                                          struct stoa_error *err)
{
    uint64_t body = offset + STOA_OBJECT_NBYTES;
    uint64_t trailer = body + object->body_nbytes - STOA_TRAILER_NBYTES;
    bool packed = verify->reader != NULL && verify->reader->footer.packed != NULL;
    enum stoa_status st;

    STOA_TRY(stoa_verify_read(verify, packed ? body : trailer - object->dir_nbytes,
                              object->dir_nbytes, err));
    if (stoa_object_dir_hash(verify->bytes.data, verify->bytes.nbytes) != object->dir_hash)
        return stoa_fail_at(err, STOA_ERR_CORRUPT, offset, "footer: section table: hash differs");
    if (packed)
        st = stoa_verify_zeros(verify, body + object->dir_nbytes, trailer, err);
    if (st != STOA_OK)
        stoa_wrap(err, st, "footer");
out:
    return st;
}

static enum stoa_status verify_footer_object(struct stoa_verify *verify,
                                             const struct stoa_object *object, uint64_t offset,
                                             struct stoa_error *err)
{
    uint64_t end = offset + STOA_OBJECT_NBYTES + object->body_nbytes;
    enum stoa_status st;

    verify->has_footer = true;
    if (end != verify->source->nbytes) {
        st = stoa_fail_at(err, STOA_ERR_CORRUPT, offset, "footer: is not the last object");
        goto out;
    }
    if (object->body_nbytes < STOA_TRAILER_NBYTES ||
        object->dir_nbytes > object->body_nbytes - STOA_TRAILER_NBYTES) {
        st = stoa_fail_at(err, STOA_ERR_CORRUPT, offset, "footer: too small");
        goto out;
    }
    STOA_TRY(verify_footer_dir(verify, object, offset, err));
    if (verify->reader != NULL && verify->reader->footer.trailer.footer_off != offset)
        st = stoa_fail_at(err, STOA_ERR_CORRUPT, offset,
                          "footer: at %" PRIu64 ", the trailer says %" PRIu64, offset,
                          verify->reader->footer.trailer.footer_off);
out:
    return stoa_verify_report(verify, st, err);
}

static enum stoa_status verify_object(struct stoa_verify *verify, const struct stoa_object *object,
                                      uint64_t offset, struct stoa_error *err)
{
    uint64_t end = offset + STOA_OBJECT_NBYTES + object->body_nbytes;
    enum stoa_status st = STOA_OK;

    verify->result->nobjects++;
    switch (object->kind) {
    case STOA_OBJECT_HEAD:
        if (offset != 0)
            st = stoa_fail_at(err, STOA_ERR_CORRUPT, offset, "a second head: two files in one");
        return stoa_verify_report(verify, st, err);
    case STOA_OBJECT_SCHEMA:
        return stoa_verify_schema(verify, object, offset, err);
    case STOA_OBJECT_DICT:
        return stoa_verify_dictionary(verify, object, offset, err);
    case STOA_OBJECT_ROW_GROUP:
        return stoa_verify_row_group(verify, object, offset, err);
    case STOA_OBJECT_SIDE:
        return stoa_verify_side(verify, object, offset, err);
    case STOA_OBJECT_FOOTER:
        return verify_footer_object(verify, object, offset, err);
    case STOA_OBJECT_PAD:
        st = stoa_verify_zeros(verify, offset + STOA_OBJECT_NBYTES, end, err);
        return stoa_verify_report(verify, st, err);
    default: /* of a newer version, and not needed */
        return STOA_OK;
    }
}

static void next_if_behind(uint64_t *next, uint64_t offset, uint64_t candidate)
{
    if (candidate > offset && candidate < *next)
        *next = candidate;
}

/* The first row group behind `offset`. */
static uint32_t next_group(const struct stoa_footer *footer, uint64_t offset)
{
    uint32_t low = 0, high = footer->ngroups; /* those in front of low are not behind it */

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (footer->groups[middle].offset <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Where the first side table behind `offset` stands; 0 for none. */
static uint64_t next_side(const struct stoa_footer *footer, const struct stoa_sidedir_entry *sides,
                          uint64_t offset)
{
    uint64_t n = stoa_footer_section_count(footer, STOA_SECTION_SIDES), low = 0, high = n;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (sides[middle].offset <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n ? sides[low].offset : 0;
}

/*
 * Puts the walker, which met a damaged header, at the next object that the footer knows; at the end
 * of the file without one.
 */
static enum stoa_status resume_walk(struct stoa_verify *verify, struct stoa_walker *walker,
                                    struct stoa_error *err)
{
    const struct stoa_sidedir_entry *sides;
    const struct stoa_verify_place *place;
    const struct stoa_footer *footer;
    uint64_t offset = walker->next;
    uint32_t group;
    enum stoa_status st;

    walker->next = verify->source->nbytes;
    if (verify->reader == NULL)
        return STOA_OK;
    footer = &verify->reader->footer;
    next_if_behind(&walker->next, offset, footer->trailer.footer_off);
    group = next_group(footer, offset);
    if (group < footer->ngroups)
        next_if_behind(&walker->next, offset, footer->groups[group].offset);
    STOA_TRY(stoa_verify_next_place(verify, offset + 1, &place, err));
    if (place != NULL)
        next_if_behind(&walker->next, offset, place->offset);
    STOA_TRY(stoa_verify_sides(verify, &sides, err));
    if (sides != NULL)
        next_if_behind(&walker->next, offset, next_side(footer, sides, offset));
    verify->ngroups = group;
    walker->in_stream = true;
    walker->stream_row =
        group < footer->ngroups ? footer->groups[group].first_row : footer->trailer.nrows;
out:
    return st;
}

static enum stoa_status verify_objects(struct stoa_verify *verify, struct stoa_error *err)
{
    struct stoa_walker walker = {.source = verify->source};
    bool whole = true;
    enum stoa_status st;

    for (;;) {
        struct stoa_object object;
        uint64_t offset;
        const char *kind;

        st = stoa_walker_next(&walker, &object, &offset, err);
        if (st != STOA_OK) {
            stoa_wrap(err, st, "object at %" PRIu64, offset);
            STOA_TRY(stoa_verify_report(verify, st, err));
            STOA_TRY(resume_walk(verify, &walker, err));
            whole = false;
            continue;
        }
        if (object.kind == 0)
            break;
        kind = stoa_object_kind_name(object.kind);
        st = verify_object(verify, &object, offset, err);
        if (st != STOA_OK) {
            stoa_wrap(err, st, "%s at %" PRIu64, kind != NULL ? kind : "object", offset);
            goto out;
        }
    }
    if (verify->reader != NULL && whole && verify->ngroups != verify->reader->footer.ngroups)
        st = stoa_fail(err, STOA_ERR_CORRUPT, "%" PRIu32 " row groups, the footer says %" PRIu32,
                       verify->ngroups, verify->reader->footer.ngroups);
    else if (verify->reader != NULL && whole &&
             verify->nsides !=
                 stoa_footer_section_count(&verify->reader->footer, STOA_SECTION_SIDES))
        st = stoa_fail(err, STOA_ERR_CORRUPT, "%" PRIu64 " side tables, the footer says %" PRIu64,
                       verify->nsides,
                       stoa_footer_section_count(&verify->reader->footer, STOA_SECTION_SIDES));
    else if (whole && !verify->has_footer)
        st = stoa_fail_at(err, STOA_ERR_CORRUPT, verify->source->nbytes, "there is no footer");
    st = stoa_verify_report(verify, st, err);
out:
    return st;
}

/* ---- The footer. ---- */

/* A part of the footer. */
struct part {
    uint64_t offset;
    uint64_t nbytes;
};

static int compare_parts(const void *a, const void *b)
{
    const struct part *x = a, *y = b;

    return (x->offset > y->offset) - (x->offset < y->offset);
}

/* Parts of the nodes fill a section from end to end, so that every byte of it was hashed. */
static enum stoa_status verify_by_column(struct stoa_verify *verify,
                                         const struct stoa_section *section, struct stoa_error *err)
{
    struct stoa_footer *footer = &verify->reader->footer;
    bool is_stats = section->type == STOA_SECTION_STATISTICS;
    struct part *parts = NULL;
    uint64_t at = section->offset;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&parts, footer->trailer.nnodes, sizeof(*parts), err));
    for (uint32_t i = 0; i < footer->trailer.nnodes; i++) {
        struct stoa_column *column;

        STOA_TRY(stoa_verify_column(verify, i, &column, err));
        if (column == NULL)
            goto out;
        parts[i].offset = is_stats ? column->entry.stats_off : column->entry.chunks_off;
        parts[i].nbytes = is_stats ? stoa_zone_nentries(footer->ngroups, footer->nzones) *
                                         column->entry.stats_stride
                                   : (uint64_t)footer->ngroups * STOA_CHUNK_NBYTES;
    }
    qsort(parts, footer->trailer.nnodes, sizeof(*parts), compare_parts);
    for (uint32_t i = 0; i < footer->trailer.nnodes; i++) {
        if (parts[i].nbytes == 0)
            continue;
        if (parts[i].offset != at)
            break;
        at += parts[i].nbytes;
    }
    if (at != section->offset + section->nbytes)
        st = stoa_fail_at(err, STOA_ERR_CORRUPT, at,
                          "section %s: the parts of the columns do not fill it",
                          stoa_section_name(section->type));
out:
    stoa_free(parts);
    return st;
}

static enum stoa_status verify_section(struct stoa_verify *verify, uint32_t n,
                                       struct stoa_error *err)
{
    struct stoa_footer *footer = &verify->reader->footer;
    const struct stoa_section *section = &footer->sections[n].entry;

    if (section->flags & STOA_SECTION_BY_COLUMN)
        return verify_by_column(verify, section, err);
    return stoa_footer_section_verify(footer, n, err);
}

/* Zeros between sections; those of a packed footer stand in memory. */
static enum stoa_status verify_gap(struct stoa_verify *verify, uint64_t begin, uint64_t end,
                                   struct stoa_error *err)
{
    const struct stoa_footer *footer = &verify->reader->footer;
    uint64_t base = footer->trailer.footer_off + STOA_OBJECT_NBYTES;

    if (footer->packed == NULL)
        return stoa_verify_zeros(verify, begin, end, err);
    for (; begin < end; begin++)
        if (footer->packed[begin - base] != 0)
            return stoa_fail_at(err, STOA_ERR_CORRUPT, base,
                                "padding: byte %" PRIu64 " of the frame is %u, must be 0",
                                begin - base, footer->packed[begin - base]);
    return STOA_OK;
}

/* Sections in the order of the file with zeros between, up to the section table. */
static enum stoa_status verify_gaps(struct stoa_verify *verify, struct stoa_error *err)
{
    const struct stoa_footer *footer = &verify->reader->footer;
    uint32_t n = footer->trailer.nsections;
    uint64_t at = footer->trailer.footer_off + STOA_OBJECT_NBYTES;
    struct part *parts = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&parts, n + (size_t)1, sizeof(*parts), err));
    for (uint32_t i = 0; i < n; i++)
        parts[i] =
            (struct part){footer->sections[i].entry.offset, footer->sections[i].entry.nbytes};
    parts[n].offset = stoa_trailer_body_end(&footer->trailer) - (uint64_t)n * STOA_SECTION_NBYTES;
    qsort(parts, n, sizeof(*parts), compare_parts);
    for (uint32_t i = 0; i <= n; i++) {
        st = verify_gap(verify, at, parts[i].offset, err);
        if (st != STOA_OK)
            stoa_wrap(err, st, "footer");
        STOA_TRY(stoa_verify_report(verify, st, err));
        at = parts[i].offset + parts[i].nbytes;
    }
out:
    stoa_free(parts);
    return st;
}

static enum stoa_status verify_column(struct stoa_verify *verify, uint32_t number,
                                      struct stoa_error *err)
{
    struct stoa_footer *footer = &verify->reader->footer;
    const struct stoa_chunk *chunks;
    struct stoa_column *column;
    const uint8_t *stats;
    uint32_t found;
    enum stoa_status st, seen;

    st = stoa_footer_column(footer, number, &column, err);
    if (st != STOA_OK)
        return stoa_verify_report(verify, st, err);
    STOA_TRY(stoa_verify_report(verify, stoa_footer_chunks(footer, number, &chunks, err), err));
    STOA_TRY(stoa_verify_report(verify, stoa_footer_stats(footer, number, &stats, err), err));
    if (column->place.parent != STOA_NONE32)
        return STOA_OK;
    seen = stoa_footer_find(footer, column->field.name, &found, err);
    if (seen == STOA_OK && found != column->place.column) {
        seen = stoa_fail(err, STOA_ERR_CORRUPT, "name hash: does not find it");
        stoa_footer_wrap(footer, number, seen, err);
    }
    st = stoa_verify_report(verify, seen, err);
out:
    return st;
}

static enum stoa_status verify_footer(struct stoa_verify *verify, struct stoa_error *err)
{
    struct stoa_footer *footer = &verify->reader->footer;
    const struct stoa_dictionary_table *table;
    const struct stoa_schema *schema;
    enum stoa_status st;

    st = stoa_reader_schema(verify->reader, &schema, err);
    STOA_TRY(stoa_verify_report(verify, st, err));
    for (uint32_t i = 0; i < footer->trailer.nnodes; i++)
        STOA_TRY(verify_column(verify, i, err));
    st = stoa_dictionaries_table(&verify->reader->dictionaries, footer, &table, err);
    STOA_TRY(stoa_verify_report(verify, st, err));
    STOA_TRY(stoa_verify_text(verify, err));
    STOA_TRY(stoa_verify_order(verify, err));
    STOA_TRY(stoa_verify_notes(verify, err));
    for (uint32_t i = 0; i < footer->trailer.nsections; i++)
        STOA_TRY(stoa_verify_report(verify, verify_section(verify, i, err), err));
    STOA_TRY(verify_gaps(verify, err));
out:
    return st;
}

/* ---- All of it. ---- */

static enum stoa_status begin_deep(struct stoa_verify *verify, struct stoa_error *err)
{
    struct stoa_footer *footer = &verify->reader->footer;
    uint32_t n = footer->trailer.nnodes;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&verify->zones, n, sizeof(*verify->zones), err));
    STOA_TRY(stoa_alloc_zeroed(&verify->unknown, n, sizeof(*verify->unknown), err));
    for (uint32_t i = 0; i < n; i++) {
        struct stoa_column *column;

        STOA_TRY(stoa_verify_column(verify, i, &column, err));
        if (column != NULL)
            verify->zones[i] = stoa_zone_empty(&column->field.type);
        verify->unknown[i] = column == NULL;
    }
out:
    return st;
}

/* The nodes as the footer has them, unless it is damaged. */
static enum stoa_status begin_nodes(struct stoa_verify *verify, struct stoa_error *err)
{
    const struct stoa_schema *schema;
    enum stoa_status st;

    if (verify->reader == NULL)
        return STOA_OK;
    st = stoa_reader_schema(verify->reader, &schema, err);
    if (stoa_verify_is_finding(st)) /* is reported with the footer */
        return STOA_OK;
    if (st == STOA_OK)
        st = stoa_schema_nodes(schema, &verify->nodes, &verify->nnodes, err);
    return st;
}

/* Whether there are objects to look at: without a footer, that is what the first bytes say. */
static enum stoa_status starts_like_a_file(struct stoa_verify *verify, bool *yes,
                                           struct stoa_error *err)
{
    enum stoa_status st;

    *yes = false;
    if (verify->source->nbytes < STOA_MAGIC_NBYTES)
        return STOA_OK;
    st = stoa_verify_read(verify, 0, STOA_MAGIC_NBYTES, err);
    if (st == STOA_OK)
        *yes = stoa_object_has_magic(verify->bytes.data);
    return st;
}

enum stoa_status stoa_verify(struct stoa_source *source, const struct stoa_verify_options *options,
                             struct stoa_verify_result *result, struct stoa_error *err)
{
    static const struct stoa_verify_options defaults;
    struct stoa_verify_result counted = {.nbytes = source->nbytes};
    struct stoa_verify verify = {
        .source = source,
        .options = options != NULL ? options : &defaults,
        .result = &counted,
        .objects = {.source = source, .trailer.footer_off = source->nbytes},
    };
    uint64_t memory_nbytes = verify.options->memory_nbytes;
    struct stoa_reader_options reader_options = {0};
    struct stoa_error ignored;
    bool is_one;
    enum stoa_status st;

    if (err == NULL) /* findings are reported through it */
        err = &ignored;
    *err = (struct stoa_error){.offset = STOA_NO_OFFSET};
    verify.objects.memory_nbytes = memory_nbytes != 0 ? memory_nbytes : READ_MAX_NBYTES;
    reader_options.memory_nbytes = memory_nbytes;
    st = stoa_reader_open(source, &reader_options, &verify.reader, err);
    STOA_TRY(stoa_verify_report(&verify, st, err));
    if (verify.reader == NULL) {
        STOA_TRY(starts_like_a_file(&verify, &is_one, err));
        if (!is_one) { /* that was said */
            *result = counted;
            goto out;
        }
    }
    STOA_TRY(begin_nodes(&verify, err));
    if (verify.reader != NULL && verify.options->deep)
        STOA_TRY(begin_deep(&verify, err));
    STOA_TRY(verify_objects(&verify, err));
    if (verify.reader != NULL)
        STOA_TRY(verify_footer(&verify, err));
    if (verify.zones != NULL)
        STOA_TRY(stoa_verify_file_zones(&verify, err));
    *result = counted;
out:
    stoa_reader_close(verify.reader);
    stoa_free(verify.nodes);
    stoa_schema_reset(&verify.schema);
    stoa_buffer_free(&verify.bytes);
    stoa_free(verify.places);
    stoa_free(verify.zones);
    stoa_free(verify.unknown);
    return st;
}
