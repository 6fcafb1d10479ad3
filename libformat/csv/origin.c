/*
 * Inputs as sources of a file: head, line end, tail, hash (spec/csv.md, "Restore").
 */
#include "csv/origin.h"

#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "column/source_text.h"
#include "csv/encoding.h"

void stoa_csv_origin_reset(struct stoa_csv_origin *origin)
{
    stoa_free(origin->head.data);
    stoa_free(origin->patches.data);
    stoa_buffer_free(&origin->gap);
    *origin = (struct stoa_csv_origin){0};
}

/* The line end of the first record, or LF where it has none. */
static void find_line_end(struct stoa_csv_origin *origin, const struct stoa_csv_dialect *dialect,
                          const struct stoa_csv_text *first)
{
    struct stoa_csv_raw raw = {0};
    size_t nbytes = 0;

    if (first->text != NULL) {
        stoa_csv_walk(dialect, first->text, first->nbytes, 0, NULL, 0, &raw);
        nbytes = raw.next - raw.ending;
    }
    origin->line_end[0] = '\n';
    origin->line_end_nbytes = 1;
    if (nbytes == 1 || nbytes == 2) {
        memcpy(origin->line_end, first->text + raw.ending, nbytes);
        origin->line_end_nbytes = (uint8_t)nbytes;
    }
}

enum stoa_status stoa_csv_origin_begin(struct stoa_csv_origin *origin,
                                       struct stoa_csv_cutter *cutter,
                                       const struct stoa_csv_dialect *dialect,
                                       const struct stoa_csv_text *first, struct stoa_error *err)
{
    struct stoa_buffer head = {0};
    enum stoa_status st;

    stoa_csv_cutter_take_head(cutter, &head);
    STOA_TRY(stoa_bytes_copy(&origin->head, head.data, head.nbytes, err));
    find_line_end(origin, dialect, first);
    origin->begun = true;
out:
    stoa_buffer_free(&head);
    return st;
}

enum stoa_status stoa_csv_origin_end(struct stoa_csv_origin *origin,
                                     const struct stoa_stream *stream,
                                     const struct stoa_csv_digest *digest, struct stoa_error *err)
{
    bool mark;
    const char *encoding = stoa_csv_decode_encoding(stream, &mark);
    const uint8_t *patches;
    size_t nbytes;
    enum stoa_status st;

    origin->digest = *digest;
    origin->encoding = strcmp(encoding, "UTF-8") != 0 ? encoding : NULL;
    patches = stoa_csv_decode_patches(stream, &nbytes, &origin->is_exact);
    STOA_TRY(stoa_bytes_copy(&origin->patches, patches, nbytes, err));
out:
    return st;
}

enum stoa_status stoa_csv_origin_accept(struct stoa_csv_origin *origin,
                                        struct stoa_csv_notes *notes, struct stoa_error *err)
{
    enum stoa_status st = stoa_csv_notes_pass_gap(notes, &origin->gap, err);

    if (st != STOA_OK)
        return st;
    origin->nrows += notes->nrows;
    origin->is_cut |= notes->is_cut;
    if (notes->nrows > 0)
        origin->is_unended = notes->is_unended;
    return STOA_OK;
}

/* Bytes that are no UTF-8 become '?': a name in a file is text. */
static enum stoa_status copy_name(const char *name, char **out, struct stoa_error *err)
{
    size_t nbytes = strlen(name), at = 0;
    enum stoa_status st = stoa_strndup(out, name, nbytes, err);

    if (st != STOA_OK)
        return st;
    while (at < nbytes) {
        at += stoa_utf8_valid_prefix((const uint8_t *)*out + at, nbytes - at);
        if (at < nbytes)
            (*out)[at++] = '?';
    }
    return STOA_OK;
}

/* The field of each column of the text; NULL when they are all the fields in their order. */
static enum stoa_status find_columns(const struct stoa_csv_layout *layout, uint32_t nfields,
                                     uint32_t **out, struct stoa_error *err)
{
    uint32_t *columns = NULL, nusual = 0;
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 0; layout->places != NULL && i < nfields; i++)
        nusual += layout->places[i] == i;
    if (nusual == nfields || layout->places == NULL)
        return STOA_OK;
    STOA_TRY(stoa_alloc_zeroed(&columns, layout->ncolumns, sizeof(*columns), err));
    for (uint32_t i = 0; i < nfields; i++)
        if (layout->places[i] != STOA_CSV_NO_PLACE)
            columns[layout->places[i]] = i;
    *out = columns;
out:
    return st;
}

enum stoa_status stoa_csv_origin_describe(const struct stoa_csv_origin *origin, const char *name,
                                          const struct stoa_csv_options *options,
                                          const struct stoa_csv_layout *layout, uint32_t nfields,
                                          uint64_t first_row, struct stoa_source_info *out,
                                          struct stoa_error *err)
{
    struct stoa_csv_source_dialect dialect = {
        .csv = *options,
        .line_end = {origin->line_end[0], origin->line_end[1]},
        .line_end_nbytes = origin->line_end_nbytes,
        .encoding = origin->encoding,
    };
    enum stoa_status st;

    STOA_TRY(find_columns(layout, nfields, &dialect.columns, err));
    dialect.ncolumns = layout->ncolumns;
    STOA_TRY(copy_name(name, &out->name, err));
    STOA_TRY(stoa_csv_source_dialect_print(&dialect, &out->options, err));
    STOA_TRY(stoa_bytes_copy(&out->head, origin->head.data, origin->head.nbytes, err));
    STOA_TRY(stoa_bytes_copy(&out->tail, origin->gap.data, origin->gap.nbytes, err));
    STOA_TRY(stoa_bytes_copy(&out->patches, origin->patches.data, origin->patches.nbytes, err));
    out->nbytes = origin->digest.nbytes;
    memcpy(out->hash, origin->digest.hash, sizeof(out->hash));
    out->first_row = first_row;
    out->nrows = origin->nrows;
    if (origin->is_cut)
        out->flags |= STOA_SOURCE_FILTERED;
    else if (origin->digest.is_whole && origin->is_exact)
        out->flags |= STOA_SOURCE_COMPLETE;
    if (origin->is_unended)
        out->flags |= STOA_SOURCE_NO_LINE_END;
out:
    stoa_free(dialect.columns);
    return st;
}
