/*
 * Where the bytes of a file are (stoa_reader_spans) and how pages are encoded
 * (stoa_reader_encodings): what `info` shows.
 *
 * The objects are walked from the start of the file, and each is cut into parts by what the footer
 * knows of it: a row group into its directory and chunks, the footer into sections and these into
 * nodes. What lies between two parts is padding, so spans always join and add up to the file.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "file/chunk_pages.h"
#include "file/reader.h"
#include "file/side_read.h"
#include "file/walker.h"
#include "stats/zonemap.h"

typedef enum stoa_status span_visitor(void *context, const struct stoa_span *span,
                                      struct stoa_error *err);

/* A part of an object that is about to be told. */
struct spans {
    struct stoa_reader *reader;
    span_visitor *visit;
    void *context;
    uint64_t at;     /* everything in front of it was told */
    uint32_t group;  /* the next row group */
    uint32_t *nodes; /* of each dictionary segment, the node that uses it */
};

static enum stoa_status tell(struct spans *spans, struct stoa_span span, struct stoa_error *err)
{
    if (span.nbytes == 0)
        return STOA_OK;
    spans->at = span.offset + span.nbytes;
    return spans->visit(spans->context, &span, err);
}

/* What lies in front of `offset` and was not told is padding. */
static enum stoa_status tell_padding(struct spans *spans, uint64_t offset, struct stoa_error *err)
{
    struct stoa_span span = {
        .kind = STOA_SPAN_PADDING,
        .offset = spans->at,
        .nbytes = offset - spans->at,
        .row_group = UINT32_MAX,
        .node = UINT32_MAX,
        .name = "padding",
    };

    if (offset < spans->at)
        return stoa_fail_at(err, STOA_ERR_CORRUPT, offset,
                            "two parts of the file overlap at byte %" PRIu64, offset);
    return tell(spans, span, err);
}

static enum stoa_status tell_part(struct spans *spans, struct stoa_span span,
                                  struct stoa_error *err)
{
    enum stoa_status st = tell_padding(spans, span.offset, err);

    return st == STOA_OK ? tell(spans, span, err) : st;
}

/* ---- Row groups. ---- */

static enum stoa_status tell_group(struct spans *spans, uint64_t offset, struct stoa_error *err)
{
    struct stoa_footer *footer = &spans->reader->footer;
    uint32_t group = spans->group, nnodes = footer->trailer.nnodes;
    struct stoa_span span = {
        .kind = STOA_SPAN_DIRECTORY,
        .offset = offset + STOA_OBJECT_NBYTES,
        .nbytes = (uint64_t)nnodes * STOA_RG_ENTRY_NBYTES,
        .row_group = group,
        .node = UINT32_MAX,
        .name = "directory",
    };
    enum stoa_status st;

    if (group == footer->ngroups || footer->groups[group].offset != offset)
        return stoa_fail_at(err, STOA_ERR_CORRUPT, offset,
                            "a row group at byte %" PRIu64 " that the footer does not know",
                            offset);
    spans->group++;
    STOA_TRY(tell_part(spans, span, err));
    span.kind = STOA_SPAN_CHUNK;
    span.name = "chunk";
    for (uint32_t i = 0; i < nnodes; i++) {
        const struct stoa_chunk *chunks;

        STOA_TRY(stoa_footer_chunks(footer, i, &chunks, err));
        if (chunks[group].flags & STOA_CHUNK_NO_PAGES)
            continue;
        span.offset = chunks[group].offset;
        span.nbytes = chunks[group].nbytes;
        span.node = i;
        STOA_TRY(tell_part(spans, span, err));
    }
out:
    return st;
}

/* ---- Side tables. ---- */

/* Of the last row group. */
static enum stoa_status tell_side(struct spans *spans, uint64_t offset,
                                  const struct stoa_object *header, struct stoa_error *err)
{
    struct stoa_footer *footer = &spans->reader->footer;
    struct stoa_side_object object = {0};
    struct stoa_span span = {
        .kind = STOA_SPAN_TEXT,
        .offset = offset + STOA_OBJECT_NBYTES,
        .nbytes = header->dir_nbytes,
        .row_group = spans->group - 1,
        .node = UINT32_MAX,
        .name = "side table",
    };
    bool has = false;
    enum stoa_status st = STOA_OK;

    if (spans->group > 0)
        st = stoa_reader_side_open(spans->reader, spans->group - 1, &object, &has, err);
    if (st != STOA_OK)
        return st;
    if (!has || object.offset != offset) {
        st = stoa_fail_at(err, STOA_ERR_CORRUPT, offset,
                          "a side table at byte %" PRIu64 " that the footer does not know", offset);
        goto out;
    }
    STOA_TRY(tell_part(spans, span, err));
    for (uint32_t i = 0; i < object.nentries; i++) {
        uint32_t column = object.entries[i].column;

        span.offset = offset + object.entries[i].chunk.offset;
        span.nbytes = object.entries[i].chunk.nbytes;
        span.node =
            column != STOA_SIDE_RECORDS ? stoa_footer_column_node(footer, column) : UINT32_MAX;
        if (span.nbytes > 0)
            STOA_TRY(tell_part(spans, span, err));
    }
out:
    stoa_side_object_reset(&object);
    return st;
}

/* ---- Dictionaries. ---- */

static enum stoa_status find_nodes(struct spans *spans, struct stoa_error *err)
{
    struct stoa_footer *footer = &spans->reader->footer;
    const struct stoa_dictionary_table *table;
    enum stoa_status st;

    STOA_TRY(stoa_dictionaries_table(&spans->reader->dictionaries, footer, &table, err));
    STOA_TRY(stoa_alloc(&spans->nodes, (table->nentries + (size_t)1) * sizeof(uint32_t), err));
    memset(spans->nodes, 0xff, table->nentries * sizeof(uint32_t));
    for (uint32_t i = 0; i < footer->trailer.nnodes && table->nentries > 0; i++) {
        const struct stoa_chunk *chunks;

        STOA_TRY(stoa_footer_chunks(footer, i, &chunks, err));
        for (uint32_t g = 0; g < footer->ngroups; g++) {
            bool shared = chunks[g].flags & STOA_CHUNK_SHARED_DICT;
            uint32_t s = shared ? chunks[g].dict_index : STOA_NONE32;

            for (; s != STOA_NONE32 && spans->nodes[s] == UINT32_MAX;
                 s = table->entries[s].prev_index)
                spans->nodes[s] = i;
        }
    }
out:
    return st;
}

static enum stoa_status tell_dictionary(struct spans *spans, uint64_t offset,
                                        const struct stoa_object *object, struct stoa_error *err)
{
    struct stoa_footer *footer = &spans->reader->footer;
    const struct stoa_dictionary_table *table;
    struct stoa_span span = {
        .kind = STOA_SPAN_DICTIONARY,
        .offset = offset + STOA_OBJECT_NBYTES,
        .nbytes = object->body_nbytes,
        .row_group = UINT32_MAX,
        .node = UINT32_MAX,
        .name = object->flags & STOA_OBJECT_COPY ? "dictionary copy" : "dictionary",
    };
    uint8_t end[4];
    uint64_t nbytes;
    enum stoa_status st;

    STOA_TRY(stoa_dictionaries_table(&spans->reader->dictionaries, footer, &table, err));
    for (uint32_t i = 0; i < table->nentries; i++)
        if (table->entries[i].offset == offset || table->entries[i].copy_offset == offset)
            span.node = spans->nodes[i];
    if (object->dir_nbytes >= STOA_DICT_HEAD_NBYTES + STOA_PAGE_ENTRY_NBYTES) {
        STOA_TRY(stoa_footer_read(footer, span.offset + object->dir_nbytes - STOA_PAGE_ENTRY_NBYTES,
                                  end, sizeof(end), err));
        nbytes = object->dir_nbytes + (uint64_t)stoa_load32(end);
        if (nbytes < span.nbytes)
            span.nbytes = nbytes;
    }
    st = tell_part(spans, span, err);
out:
    return st;
}

/* ---- The footer. ---- */

static int compare_sections(const void *a, const void *b)
{
    const struct stoa_section *x = a, *y = b;

    return (x->offset > y->offset) - (x->offset < y->offset);
}

struct part {
    uint64_t offset;
    uint64_t nbytes;
    uint32_t node;
};

static int compare_parts(const void *a, const void *b)
{
    const struct part *x = a, *y = b;

    return (x->offset > y->offset) - (x->offset < y->offset);
}

/* A section that has a part for each node. */
static enum stoa_status tell_nodes(struct spans *spans, const struct stoa_section *section,
                                   struct stoa_error *err)
{
    struct stoa_footer *footer = &spans->reader->footer;
    bool is_stats = section->type == STOA_SECTION_STATISTICS;
    uint32_t nnodes = footer->trailer.nnodes;
    struct stoa_span span = {
        .kind = is_stats ? STOA_SPAN_STATISTICS : STOA_SPAN_FOOTER,
        .row_group = UINT32_MAX,
        .name = stoa_section_name(section->type),
    };
    struct part *parts = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&parts, nnodes, sizeof(*parts), err));
    for (uint32_t i = 0; i < nnodes; i++) {
        struct stoa_column *column;

        STOA_TRY(stoa_footer_column(footer, i, &column, err));
        parts[i].node = i;
        parts[i].offset = is_stats ? column->entry.stats_off : column->entry.chunks_off;
        parts[i].nbytes = is_stats ? stoa_zone_nentries(footer->ngroups, footer->nzones) *
                                         column->entry.stats_stride
                                   : (uint64_t)footer->ngroups * STOA_CHUNK_NBYTES;
    }
    qsort(parts, nnodes, sizeof(*parts), compare_parts);
    for (uint32_t i = 0; i < nnodes; i++) {
        if (parts[i].nbytes == 0)
            continue;
        span.offset = parts[i].offset;
        span.nbytes = parts[i].nbytes;
        span.node = parts[i].node;
        STOA_TRY(tell_part(spans, span, err));
    }
out:
    stoa_free(parts);
    return st;
}

static enum stoa_status tell_section(struct spans *spans, const struct stoa_section *section,
                                     struct stoa_error *err)
{
    const char *name = stoa_section_name(section->type);
    static const enum stoa_span_kind kinds[STOA_SECTION_NTYPES] = {
        [STOA_SECTION_SIDES] = STOA_SPAN_TEXT,
        [STOA_SECTION_SOURCES] = STOA_SPAN_TEXT,
        [STOA_SECTION_BLOOM] = STOA_SPAN_BLOOM,
        [STOA_SECTION_PRESENCE] = STOA_SPAN_PRESENCE,
    };
    bool is_other = section->type >= STOA_SECTION_NTYPES || kinds[section->type] == 0;
    struct stoa_span span = {
        .kind = is_other ? STOA_SPAN_FOOTER : kinds[section->type],
        .offset = section->offset,
        .nbytes = section->nbytes,
        .row_group = UINT32_MAX,
        .node = UINT32_MAX,
        .name = name != NULL ? name : "section of a newer version",
    };

    if (section->flags & STOA_SECTION_BY_COLUMN)
        return tell_nodes(spans, section, err);
    return tell_part(spans, span, err);
}

/* A frame of sections is one span: what is in it has no place of its own. */
static enum stoa_status tell_packed_footer(struct spans *spans, uint64_t offset,
                                           const struct stoa_object *object, struct stoa_error *err)
{
    struct stoa_span span = {
        .kind = STOA_SPAN_FOOTER,
        .offset = offset + STOA_OBJECT_NBYTES,
        .nbytes = object->dir_nbytes,
        .row_group = UINT32_MAX,
        .node = UINT32_MAX,
        .name = "packed sections",
    };
    enum stoa_status st;

    STOA_TRY(tell_part(spans, span, err));
    span.offset += object->body_nbytes - STOA_TRAILER_NBYTES;
    span.nbytes = STOA_TRAILER_NBYTES;
    span.name = "trailer";
    STOA_TRY(tell_part(spans, span, err));
out:
    return st;
}

static enum stoa_status tell_footer(struct spans *spans, struct stoa_error *err)
{
    const struct stoa_footer *footer = &spans->reader->footer;
    uint32_t n = footer->trailer.nsections;
    struct stoa_section *sections = NULL;
    struct stoa_span span = {
        .kind = STOA_SPAN_FOOTER,
        .nbytes = (uint64_t)n * STOA_SECTION_NBYTES,
        .row_group = UINT32_MAX,
        .node = UINT32_MAX,
        .name = "section table",
    };
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&sections, n, sizeof(*sections), err));
    for (uint32_t i = 0; i < n; i++)
        sections[i] = footer->sections[i].entry;
    qsort(sections, n, sizeof(*sections), compare_sections);
    for (uint32_t i = 0; i < n; i++)
        STOA_TRY(tell_section(spans, &sections[i], err));
    span.offset = footer->trailer.file_nbytes - STOA_TRAILER_NBYTES - span.nbytes;
    STOA_TRY(tell_part(spans, span, err));
    span.offset += span.nbytes;
    span.nbytes = STOA_TRAILER_NBYTES;
    span.name = "trailer";
    STOA_TRY(tell_part(spans, span, err));
out:
    stoa_free(sections);
    return st;
}

/* ---- Objects. ---- */

static enum stoa_status tell_object(struct spans *spans, const struct stoa_object *object,
                                    uint64_t offset, struct stoa_error *err)
{
    const char *name = stoa_object_kind_name(object->kind);
    struct stoa_span span = {
        .kind = STOA_SPAN_HEADER,
        .offset = offset,
        .nbytes = STOA_OBJECT_NBYTES,
        .row_group = object->kind == STOA_OBJECT_ROW_GROUP ? spans->group : UINT32_MAX,
        .node = UINT32_MAX,
        .name = name != NULL ? name : "object of a newer version",
    };
    enum stoa_status st;

    STOA_TRY(tell_part(spans, span, err));
    switch (object->kind) {
    case STOA_OBJECT_ROW_GROUP:
        STOA_TRY(tell_group(spans, offset, err));
        break;
    case STOA_OBJECT_SIDE:
        STOA_TRY(tell_side(spans, offset, object, err));
        break;
    case STOA_OBJECT_DICT:
        STOA_TRY(tell_dictionary(spans, offset, object, err));
        break;
    case STOA_OBJECT_FOOTER:
        if (spans->reader->footer.packed != NULL)
            STOA_TRY(tell_packed_footer(spans, offset, object, err));
        else
            STOA_TRY(tell_footer(spans, err));
        break;
    case STOA_OBJECT_HEAD:
    case STOA_OBJECT_PAD:
        break;
    default: /* a schema, or what a newer version put there */
        span.kind = object->kind == STOA_OBJECT_SCHEMA ? STOA_SPAN_SCHEMA : STOA_SPAN_FOOTER;
        span.offset += STOA_OBJECT_NBYTES;
        span.nbytes = object->kind == STOA_OBJECT_SCHEMA ? object->dir_nbytes : object->body_nbytes;
        STOA_TRY(tell_part(spans, span, err));
    }
    st = tell_padding(spans, offset + STOA_OBJECT_NBYTES + object->body_nbytes, err);
out:
    return st;
}

enum stoa_status stoa_reader_spans(struct stoa_reader *reader, span_visitor *visit, void *context,
                                   struct stoa_error *err)
{
    struct spans spans = {.reader = reader, .visit = visit, .context = context};
    struct stoa_walker walker = {.source = reader->footer.source};
    struct stoa_object object;
    uint64_t offset;
    enum stoa_status st;

    STOA_TRY(find_nodes(&spans, err));
    for (;;) {
        STOA_TRY(stoa_walker_next(&walker, &object, &offset, err));
        if (object.kind == 0)
            break;
        STOA_TRY(tell_object(&spans, &object, offset, err));
    }
out:
    stoa_free(spans.nodes);
    return st;
}

/* ---- Encodings. ---- */

struct described {
    char encoding[128];
    uint32_t npages;
};

static enum stoa_status count_encoding(struct described **list, size_t *capacity, size_t *n,
                                       const char *encoding, struct stoa_error *err)
{
    enum stoa_status st;

    for (size_t i = 0; i < *n; i++) {
        if (strcmp((*list)[i].encoding, encoding) == 0) {
            (*list)[i].npages++;
            return STOA_OK;
        }
    }
    STOA_TRY(stoa_reserve(list, capacity, *n + 1, sizeof(**list), err));
    memcpy((*list)[*n].encoding, encoding, sizeof((*list)[*n].encoding));
    (*list)[(*n)++].npages = 1;
out:
    return st;
}

static enum stoa_status describe_page(const struct stoa_footer *footer,
                                      const struct stoa_chunk_pages *pages, uint32_t k,
                                      struct stoa_buffer *bytes, char out[128],
                                      struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(stoa_buffer_resize(bytes, pages->pages[k].nbytes, err));
    STOA_TRY(stoa_chunk_pages_fetch(footer, pages, k, k + 1, bytes->data, err));
    if (stoa_hash(bytes->data, bytes->nbytes) != pages->pages[k].hash)
        st = stoa_fail(err, STOA_ERR_CORRUPT, "hash differs");
    else
        st = stoa_page_describe(bytes->data, bytes->nbytes, out, err);
    if (err != NULL && st == STOA_ERR_CORRUPT)
        err->offset = pages->pages[k].offset;
out:
    return st;
}

enum stoa_status
stoa_reader_encodings(struct stoa_reader *reader, uint32_t row_group, uint32_t node,
                      enum stoa_status (*visit)(void *context, const char *encoding,
                                                uint32_t npages, struct stoa_error *err),
                      void *context, struct stoa_error *err)
{
    struct stoa_footer *footer = &reader->footer;
    struct stoa_chunk_pages pages = {0};
    struct stoa_buffer bytes = {0};
    struct described *list = NULL;
    size_t capacity = 0, n = 0;
    const struct stoa_chunk *chunks;
    struct stoa_chunk_shape shape;
    struct stoa_column *column;
    uint32_t local;
    enum stoa_status st;

    STOA_TRY(stoa_reader_check(reader, row_group, node, err));
    STOA_TRY(stoa_footer_column(footer, node, &column, err));
    STOA_TRY(stoa_footer_chunks(footer, node, &chunks, err));
    shape.type = column->place.type;
    shape.nrows = footer->groups[row_group].nrows;
    STOA_TRY(stoa_footer_nvalues(footer, node, row_group, &shape.nvalues, err));
    local = chunks[row_group].flags & STOA_CHUNK_LOCAL_DICT ? 1 : 0;
    st = stoa_chunk_pages_read(footer, &chunks[row_group], &shape, &pages, err);
    for (uint32_t k = local; st == STOA_OK && k < pages.npages; k++) {
        char encoding[128] = "";

        st = describe_page(footer, &pages, k, &bytes, encoding, err);
        if (st != STOA_OK)
            stoa_wrap(err, st, "page %" PRIu32, k - local);
        else
            st = count_encoding(&list, &capacity, &n, encoding, err);
    }
    if (st != STOA_OK) {
        stoa_reader_wrap(reader, row_group, node, st, err);
        goto out;
    }
    for (size_t i = 0; i < n; i++)
        STOA_TRY(visit(context, list[i].encoding, list[i].npages, err));
out:
    stoa_free(list);
    stoa_buffer_free(&bytes);
    stoa_chunk_pages_reset(&pages);
    return st;
}
