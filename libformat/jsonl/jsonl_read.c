/*
 * Units of lines as batches (spec/jsonl.md): the source of a conversion.
 *
 * A line that is no row ends the run, or is left out and told of in the notes of its unit. Where
 * types are guesses, a value that does not fit one is neither: the read fails, and whoever runs the
 * conversion finds out the types from all records and begins anew.
 */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "column/rejects.h"
#include "column/schema.h"
#include "jsonl/feed.h"
#include "jsonl/jsonl.h"
#include "jsonl/parse.h"

struct jsonl_source {
    struct stoa_batch_source base;
    struct stoa_schema table;  /* of the records: without the column of the inputs' names */
    struct stoa_schema schema; /* of the batches */
    struct stoa_jsonl_shape shape;
    uint32_t *columns; /* of the batches: those of the records; STOA_JSONL_NO_COLUMN: the names */
    bool *wanted;      /* of the records' columns */
    bool *guessed;     /* likewise: the type is a guess */
    bool widens;
    bool passes_unknown;
    struct stoa_jsonl_feed feed;
    struct stoa_reject_ledger ledger; /* accept() */
    uint64_t total_nbytes;
    atomic_bool misfit;
};

struct notes {
    struct stoa_notes base;
    struct stoa_jsonl_origin *origin;
    struct stoa_rejects rejects;
};

/* A unit on its way into a batch. */
struct reader {
    struct jsonl_source *source;
    const struct stoa_jsonl_unit *unit;
    struct stoa_jsonl_parser parser;
    struct stoa_rejects *rejects; /* NULL: the first bad record is an error */
    uint64_t line;
    uint64_t nrecords;
};

static void notes_free(struct stoa_notes *base)
{
    struct notes *notes = (struct notes *)base;

    stoa_jsonl_origin_drop(notes->origin);
    stoa_rejects_reset(&notes->rejects);
    stoa_free(notes);
}

/* ---- Bad records. ---- */

#define SHOWN_NBYTES 128

/* The column of the records that a node belongs to. */
static uint32_t column_of(const struct stoa_jsonl_shape *shape, uint32_t node)
{
    uint32_t column = 0;

    for (uint32_t i = 1; i + shape->nodes[i].nnodes <= node; i += shape->nodes[i].nnodes)
        column++;
    return column;
}

/* Whether the record only shows that a guess was wrong. */
static bool is_misfit(const struct reader *reader)
{
    const struct stoa_jsonl_parser *parser = &reader->parser;
    const enum stoa_jsonl_wrong wrong = parser->wrong;

    if (!reader->source->widens || (wrong != STOA_JSONL_CAST && wrong != STOA_JSONL_OUT_OF_RANGE &&
                                    wrong != STOA_JSONL_UNKNOWN))
        return false;
    return parser->node == 0 || reader->source->guessed[column_of(parser->shape, parser->node)];
}

/* What is wrong, in words, without the place. */
static enum stoa_status describe(const struct stoa_jsonl_parser *parser, const char *path,
                                 uint64_t byte, struct stoa_error *out, struct stoa_error *err)
{
    const struct stoa_field *field = parser->shape->nodes[parser->node].field;
    const size_t nvalue = parser->end != NULL ? (size_t)(parser->end - parser->fault.at) : 0;
    char value[SHOWN_NBYTES], *type = NULL;
    enum stoa_status st = STOA_OK;

    stoa_quote(value, sizeof(value), parser->fault.at, nvalue);
    if (field != NULL)
        STOA_TRY(stoa_type_print(field, &type, err));
    switch (parser->wrong) {
    case STOA_JSONL_SYNTAX:
        stoa_fail(out, STOA_ERR_DATA, "byte %" PRIu64 ": %s", byte,
                  stoa_json_fault_text(parser->fault.kind));
        break;
    case STOA_JSONL_NO_OBJECT:
        stoa_fail(out, STOA_ERR_DATA, "%s is no object, which each line must be", value);
        break;
    case STOA_JSONL_BEHIND:
        stoa_fail(out, STOA_ERR_DATA, "byte %" PRIu64 ": something stands behind the object", byte);
        break;
    case STOA_JSONL_DUPLICATE:
        stoa_fail(out, STOA_ERR_DATA, "byte %" PRIu64 ": the key %s stands twice", byte, value);
        break;
    case STOA_JSONL_UNKNOWN:
        stoa_fail(out, STOA_ERR_DATA, "byte %" PRIu64 ": the schema has no key %s%s%s", byte, value,
                  path[0] != '\0' ? " in " : "", path);
        break;
    case STOA_JSONL_KEY:
        stoa_fail(out, STOA_ERR_DATA, "byte %" PRIu64 ": a key that can't be a name", byte);
        break;
    case STOA_JSONL_NOT_NULL:
        stoa_fail(out, STOA_ERR_DATA, "%s is null, and the schema says that it is not nullable",
                  path);
        break;
    case STOA_JSONL_ENCODING:
        stoa_fail(out, STOA_ERR_DATA, "byte %" PRIu64 ": not UTF-8", byte);
        break;
    default:
        stoa_fail(out, STOA_ERR_DATA, "%s: %s is not %s", path, value,
                  type != NULL ? type : "of its type");
    }
out:
    stoa_free(type);
    return st;
}

/* The names down to what is wrong, printable. */
static enum stoa_status print_path(const struct stoa_jsonl_parser *parser, char *out,
                                   size_t out_nbytes, struct stoa_error *err)
{
    struct stoa_buffer path = {0};
    enum stoa_status st = stoa_jsonl_shape_path(parser->shape, parser->node, &path, err);

    if (st == STOA_OK)
        stoa_quote(out, out_nbytes, path.data, path.nbytes);
    stoa_buffer_free(&path);
    return st;
}

/* The line [begin, end) is no row: an error, or it is added to the rejects. */
static enum stoa_status refuse(struct reader *reader, const char *begin, const char *end,
                               struct stoa_error *err)
{
    const struct stoa_jsonl_parser *parser = &reader->parser;
    const struct stoa_jsonl_text *text = &reader->unit->text;
    const char *at = parser->fault.at;
    const uint64_t offset = text->offset + (uint64_t)(at - text->text);
    char path[2 * SHOWN_NBYTES] = "";
    struct stoa_error what;
    struct stoa_reject rejected;
    enum stoa_status st;

    STOA_TRY(print_path(parser, path, sizeof(path), err));
    if (parser->wrong == STOA_JSONL_NO_MEMORY) {
        if (err != NULL)
            *err = parser->err;
        st = parser->err.status;
        if (st == STOA_ERR_LIMIT)
            stoa_wrap(err, st, "line %" PRIu64 ": %s", reader->line, path);
        goto out;
    }
    STOA_TRY(describe(parser, path, (uint64_t)(at - begin) + 1, &what, err));
    if (is_misfit(reader)) {
        atomic_store(&reader->source->misfit, true);
        return stoa_fail_at(err, STOA_ERR_DATA, offset, "line %" PRIu64 ": %s", reader->line,
                            what.message);
    }
    if (reader->rejects == NULL)
        return stoa_fail_at(err, STOA_ERR_DATA, offset, "line %" PRIu64 ": %s", reader->line,
                            what.message);
    stoa_wrap(&what, STOA_ERR_DATA, "line %" PRIu64, reader->line);
    rejected = (struct stoa_reject){
        .error = stoa_jsonl_wrong_name(parser->wrong),
        .column =
            parser->node == 0 ? STOA_REJECT_NO_COLUMN : column_of(parser->shape, parser->node),
        .path = parser->node == 0 ? NULL : path,
        .field = parser->node == 0 || parser->wrong == STOA_JSONL_DUPLICATE
                     ? NULL
                     : parser->shape->nodes[parser->node].field,
        .record = reader->nrecords,
        .line = reader->line,
        .record_offset = text->offset + (uint64_t)(begin - text->text),
        .byte_offset = offset,
        .value = parser->end != NULL ? at : NULL,
        .value_nbytes = parser->end != NULL ? (size_t)(parser->end - at) : 0,
        .raw = begin,
        .raw_nbytes = (size_t)(end - begin),
        .whole_nbytes = (size_t)(end - begin) + (*end == '\n'),
        .message = what.message,
    };
    rejected.raw_nbytes -= rejected.raw_nbytes > 0 && end[-1] == '\r';
    STOA_TRY(stoa_rejects_append(reader->rejects, &rejected, err));
out:
    return st;
}

/* The beginning of a line that is too large: the cutter let it through to be told of. */
static enum stoa_status refuse_large(struct reader *reader, struct stoa_error *err)
{
    const struct stoa_jsonl_text *text = &reader->unit->text;
    struct stoa_error what;
    const struct stoa_reject rejected = {
        .error = stoa_jsonl_wrong_name(STOA_JSONL_TOO_LARGE),
        .column = STOA_REJECT_NO_COLUMN,
        .line = text->line,
        .record_offset = text->offset,
        .byte_offset = text->offset,
        .raw = text->text,
        .raw_nbytes = text->nbytes,
        .message = what.message,
    };

    stoa_fail(&what, STOA_ERR_DATA, "line %" PRIu64 ": a record of %" PRIu64 " bytes", text->line,
              text->large_nbytes);
    reader->nrecords++;
    return stoa_rejects_append(reader->rejects, &rejected, err);
}

/* ---- Lines. ---- */

#define PIECE_NBYTES ((size_t)1 << 16)

static const char *line_end(const char *at, const char *limit)
{
    const char *end = memchr(at, '\n', (size_t)(limit - at));

    return end != NULL ? end : limit;
}

/*
 * The line at `at`, which is not blank; `begin` is behind its blanks. *end is its end, which the
 * parser finds where all is well.
 */
static enum stoa_status read_line(struct reader *reader, const char *at, const char *begin,
                                  bool is_utf8, const char **end, struct stoa_error *err)
{
    struct stoa_jsonl_parser *parser = &reader->parser;
    enum stoa_status st = STOA_OK;

    *end = NULL;
    if (!is_utf8) {
        const size_t nbytes = (size_t)(line_end(begin, parser->limit) - at);
        const size_t nvalid = stoa_utf8_valid_prefix((const uint8_t *)at, nbytes);

        is_utf8 = nvalid == nbytes;
        if (!is_utf8)
            stoa_jsonl_fail(parser, STOA_JSONL_ENCODING, 0, at + nvalid);
    }
    if (is_utf8)
        *end = stoa_jsonl_parser_line(parser, begin);
    if (*end == NULL) {
        *end = line_end(begin, parser->limit);
        st = refuse(reader, at, *end, err);
    }
    reader->nrecords++;
    return st;
}

/* Lines of a piece, which ends behind an LF or at the end of the text. */
static enum stoa_status read_piece(struct reader *reader, const char *at, const char *piece_end,
                                   struct stoa_error *err)
{
    const size_t nbytes = (size_t)(piece_end - at);
    const bool is_utf8 = stoa_utf8_valid_prefix((const uint8_t *)at, nbytes) == nbytes;
    enum stoa_status st = STOA_OK;

    for (; st == STOA_OK && at < piece_end; reader->line++) {
        const char *begin = stoa_json_blanks(at), *end = begin;

        if (begin != reader->parser.limit && *begin != '\n')
            st = read_line(reader, at, begin, is_utf8, &end, err);
        at = end + 1;
    }
    return st;
}

/* A piece at a time: what was looked at whether it is UTF-8 is still in the cache when it is read.
 */
static enum stoa_status read_lines(struct reader *reader, struct stoa_error *err)
{
    const struct stoa_jsonl_text *text = &reader->unit->text;
    const char *at = text->text, *limit = at + text->nbytes, *piece_end;
    enum stoa_status st = STOA_OK;

    reader->parser.limit = limit;
    reader->line = text->line;
    for (; st == STOA_OK && at < limit; at = piece_end) {
        piece_end =
            (size_t)(limit - at) > PIECE_NBYTES ? line_end(at + PIECE_NBYTES, limit) : limit;
        piece_end += piece_end < limit;
        st = read_piece(reader, at, piece_end, err);
    }
    return st;
}

/* ---- The source. ---- */

/* The same text in each row. */
static enum stoa_status fill_names(const char *name, size_t nrows, struct stoa_array *out,
                                   struct stoa_error *err)
{
    const struct stoa_type type = {.id = STOA_UTF8};
    struct stoa_builder builder = {0};
    enum stoa_status st;

    STOA_TRY(stoa_builder_init(&builder, &type, nrows, err));
    for (size_t i = 0; i < nrows; i++) {
        STOA_TRY(stoa_builder_reserve(&builder, 1, strlen(name), err));
        stoa_builder_append_bytes(&builder, name, strlen(name));
    }
    stoa_builder_finish(&builder, out);
out:
    stoa_builder_reset(&builder);
    return st;
}

/* What the parser has, as the columns of a batch. */
static enum stoa_status make_batch(struct reader *reader, struct stoa_batch *out,
                                   struct stoa_error *err)
{
    const struct jsonl_source *source = reader->source;
    struct stoa_batch batch = {0};
    enum stoa_status st;

    STOA_TRY(stoa_batch_init(&batch, &source->schema, err));
    STOA_TRY(stoa_jsonl_parser_finish(&reader->parser, source->columns, &batch, err));
    for (uint32_t i = 0; i < batch.ncolumns; i++)
        if (source->columns[i] == STOA_JSONL_NO_COLUMN)
            STOA_TRY(
                fill_names(reader->unit->origin->filename, batch.nrows, &batch.columns[i], err));
    *out = batch;
    batch = (struct stoa_batch){0};
out:
    stoa_batch_reset(&batch);
    return st;
}

static enum stoa_status source_read(struct stoa_batch_source *base, struct stoa_unit *unit_base,
                                    struct stoa_batch *out, struct stoa_notes **notes,
                                    struct stoa_error *err)
{
    struct jsonl_source *source = (struct jsonl_source *)base;
    const struct stoa_jsonl_unit *unit = (const struct stoa_jsonl_unit *)unit_base;
    struct reader reader = {.source = source, .unit = unit};
    struct notes *mine = NULL;
    enum stoa_status st;

    if (source->ledger.options.on_error != STOA_CSV_ON_ERROR_ABORT) {
        STOA_TRY(stoa_alloc_zeroed(&mine, 1, sizeof(*mine), err));
        mine->base.free = notes_free;
        mine->origin = stoa_jsonl_origin_share(unit->origin);
        mine->rejects.keeps_whole = source->ledger.options.raw_sink != NULL;
        reader.rejects = &mine->rejects;
    }
    STOA_TRY(
        stoa_jsonl_parser_init(&reader.parser, &source->shape, (size_t)unit->text.nlines, err));
    reader.parser.passes_unknown = source->passes_unknown;
    if (unit->text.large_nbytes > 0)
        STOA_TRY(refuse_large(&reader, err));
    else
        STOA_TRY(read_lines(&reader, err));
    STOA_TRY(make_batch(&reader, out, err));
    if (mine != NULL) {
        mine->rejects.nrecords = reader.nrecords;
        mine->base.nbytes = sizeof(*mine) + stoa_rejects_nbytes(&mine->rejects);
        *notes = &mine->base;
        mine = NULL;
    }
out:
    if (st == STOA_ERR_DATA || st == STOA_ERR_LIMIT)
        stoa_wrap(err, st, "%s", unit->origin->name);
    if (mine != NULL)
        notes_free(&mine->base);
    if (reader.parser.shape != NULL)
        stoa_jsonl_parser_reset(&reader.parser);
    unit_base->free(unit_base);
    return st;
}

static enum stoa_status source_next(struct stoa_batch_source *base, struct stoa_unit **out,
                                    struct stoa_error *err)
{
    return stoa_jsonl_feed_next(&((struct jsonl_source *)base)->feed, out, err);
}

static bool source_prefetch(struct stoa_batch_source *base)
{
    return stoa_jsonl_feed_prefetch(&((struct jsonl_source *)base)->feed);
}

static enum stoa_status source_accept(struct stoa_batch_source *base, struct stoa_notes *notes_base,
                                      struct stoa_error *err)
{
    struct jsonl_source *source = (struct jsonl_source *)base;
    const struct notes *notes = (const struct notes *)notes_base;
    const struct stoa_jsonl_origin *origin = notes->origin;

    return stoa_reject_ledger_accept(&source->ledger, origin->serial, origin->name, origin->member,
                                     &notes->rejects, NULL, NULL, 0, err);
}

static void source_progress(struct stoa_batch_source *base, uint64_t *done, uint64_t *total)
{
    struct jsonl_source *source = (struct jsonl_source *)base;

    *done = atomic_load(&source->feed.consumed_nbytes);
    *total = source->total_nbytes;
}

static void source_close(struct stoa_batch_source *base)
{
    struct jsonl_source *source = (struct jsonl_source *)base;

    stoa_jsonl_feed_reset(&source->feed);
    stoa_jsonl_shape_reset(&source->shape);
    stoa_schema_reset(&source->table);
    stoa_schema_reset(&source->schema);
    stoa_free(source->columns);
    stoa_free(source->wanted);
    stoa_free(source->guessed);
    stoa_free(source);
}

bool stoa_jsonl_source_misfit(const struct stoa_batch_source *source)
{
    return atomic_load(&((const struct jsonl_source *)source)->misfit);
}

bool stoa_jsonl_source_rejected(const struct stoa_batch_source *base, uint64_t *nrejected,
                                uint64_t *nwritten, uint64_t *nraw)
{
    const struct jsonl_source *source = (const struct jsonl_source *)base;

    *nrejected = source->ledger.nrejected;
    *nwritten = source->ledger.nwritten;
    *nraw = source->ledger.nraw;
    return source->ledger.is_over;
}

/* ---- Opening. ---- */

/* Whether the type of a column was given, though those of others are guesses. */
static bool is_given(const struct stoa_schema *types, const char *name)
{
    for (uint32_t i = 0; types != NULL && i < types->nfields; i++)
        if (strcmp(types->fields[i].name, name) == 0)
            return true;
    return false;
}

/* The columns of the records, and which of them a batch has. */
static enum stoa_status take_columns(struct jsonl_source *source,
                                     const struct stoa_jsonl_source_options *options,
                                     struct stoa_error *err)
{
    const struct stoa_schema *table = options->schema;
    const uint32_t n = options->columns != NULL ? options->ncolumns : table->nfields;
    uint32_t *places = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&places, table->nfields, sizeof(*places), err));
    STOA_TRY(stoa_alloc_zeroed(&source->wanted, table->nfields, sizeof(bool), err));
    STOA_TRY(stoa_alloc_zeroed(&source->guessed, table->nfields, sizeof(bool), err));
    STOA_TRY(stoa_alloc_zeroed(&source->columns, n, sizeof(*source->columns), err));
    STOA_TRY(stoa_alloc_zeroed(&source->table.fields, table->nfields, sizeof(*source->table.fields),
                               err));
    for (uint32_t i = 0; i < table->nfields; i++) {
        const char *name = table->fields[i].name;

        places[i] = STOA_JSONL_NO_COLUMN;
        if (options->jsonl.filename != NULL && strcmp(name, options->jsonl.filename) == 0)
            continue;
        places[i] = source->table.nfields;
        source->guessed[places[i]] = options->inferred && !is_given(options->jsonl.types, name);
        STOA_TRY(
            stoa_field_copy(&source->table.fields[source->table.nfields], &table->fields[i], err));
        source->table.nfields++;
    }
    for (uint32_t i = 0; i < n; i++) {
        source->columns[i] = places[options->columns != NULL ? options->columns[i] : i];
        if (source->columns[i] != STOA_JSONL_NO_COLUMN)
            source->wanted[source->columns[i]] = true;
    }
    STOA_TRY(options->columns != NULL
                 ? stoa_schema_select(&source->schema, table, options->columns, n, err)
                 : stoa_schema_copy(&source->schema, table, err));
out:
    stoa_free(places);
    return st;
}

/* Values that a row makes room for: all of a fixed_list. 2^32: or more. */
static uint64_t values_of(const struct stoa_jsonl_shape *shape, uint32_t node)
{
    const struct stoa_jsonl_node *nodes = shape->nodes;
    const struct stoa_field *field = nodes[node].field;
    uint64_t n = 0;

    if (field != NULL && (field->type.id == STOA_LIST || field->type.id == STOA_MAP))
        return nodes[node].nnodes;
    for (uint32_t child = node + 1; child < node + nodes[node].nnodes; child += nodes[child].nnodes)
        n += values_of(shape, child);
    if (field != NULL && field->type.id == STOA_FIXED_LIST)
        n *= field->type.width;
    n++;
    return n < UINT64_C(1) << 32 ? n : UINT64_C(1) << 32;
}

/*
 * Text of a unit: so little that it stays in the caches from the thread that reads it to the one
 * that parses it, and units of several threads are on their way in the memory of one row group; but
 * many rows for each column that is begun and joined.
 */
static uint64_t text_of(const struct stoa_jsonl_source_options *options,
                        const struct stoa_jsonl_shape *shape)
{
    const uint64_t fields = (uint64_t)shape->nnodes * STOA_JSONL_UNIT_FIELD_NBYTES;
    const uint64_t usual = fields > STOA_JSONL_UNIT_NBYTES ? fields : STOA_JSONL_UNIT_NBYTES;
    const uint64_t most =
        options->unit_nbytes != 0 ? options->unit_nbytes : STOA_JSONL_MAX_UNIT_NBYTES;

    return usual < most ? usual : most;
}

/*
 * Lines of a unit of so much text: no more than have room for all columns in as many bytes, for a
 * line need not name all of them. Units that are smaller for that join to the same rows.
 */
static uint32_t lines_of(const struct stoa_jsonl_source_options *options,
                         const struct stoa_jsonl_shape *shape, uint64_t unit_nbytes)
{
    const uint64_t most = unit_nbytes / 8 / values_of(shape, 0);
    uint32_t nlines = options->unit_nrows != 0 ? options->unit_nrows : STOA_JSONL_UNIT_NROWS;

    while (nlines > 1 && nlines > most)
        nlines /= 2;
    return nlines;
}

enum stoa_status stoa_jsonl_source_open(struct stoa_jsonl_inputs *inputs,
                                        const struct stoa_jsonl_source_options *options,
                                        struct stoa_batch_source **out, struct stoa_error *err)
{
    struct stoa_jsonl_feed_options feed = {
        .max_record_nbytes = options->jsonl.max_record_nbytes,
        .prefetch_nbytes = options->prefetch_nbytes,
        .passes_large = options->rejects.on_error != STOA_CSV_ON_ERROR_ABORT,
    };
    struct jsonl_source *source = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&source, 1, sizeof(*source), err));
    source->base = (struct stoa_batch_source){
        .schema = &source->schema,
        .next = source_next,
        .prefetch = source_prefetch,
        .read = source_read,
        .accept = source_accept,
        .progress = source_progress,
        .close = source_close,
    };
    stoa_jsonl_feed_init(&source->feed, inputs, &feed);
    source->widens = options->widens;
    source->passes_unknown = options->inferred && options->columns != NULL;
    source->total_nbytes = inputs->all_regular ? inputs->total_nbytes : 0;
    STOA_TRY(take_columns(source, options, err));
    if (source->table.nfields == 0)
        STOA_TRY(
            stoa_fail(err, STOA_ERR_USAGE, "the schema has no columns, and records have some"));
    STOA_TRY(stoa_jsonl_shape_init(&source->shape, &source->table, source->wanted, source->guessed,
                                   err));
    source->feed.options.unit_nbytes = text_of(options, &source->shape);
    source->feed.options.unit_nlines =
        lines_of(options, &source->shape, source->feed.options.unit_nbytes);
    STOA_TRY(stoa_reject_ledger_init(&source->ledger, &options->rejects, err));
    *out = &source->base;
    source = NULL;
out:
    if (source != NULL)
        source_close(&source->base);
    return st;
}
