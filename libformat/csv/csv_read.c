/*
 * CSV inputs as a source of batches (spec/csv.md): units become rows on any thread, their notes are
 * accepted in order, and in the end each text is described for restoring.
 */
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "csv/csv_source.h"
#include "csv/csv_survey.h"

static void release_origin(void *owner)
{
    stoa_csv_source_text_drop(owner);
}

/* Notes of a unit of a text whose first unit was cut. */
static enum stoa_status make_notes(const struct stoa_csv_source *source,
                                   struct stoa_csv_source_text *origin, struct stoa_csv_notes **out,
                                   struct stoa_error *err)
{
    enum stoa_status st = stoa_csv_notes_new(source->schema.nfields, source->keeps_forms, out, err);

    if (st != STOA_OK)
        return st;
    (*out)->rejects.keeps_whole = source->ledger.options.raw_sink != NULL;
    (*out)->owner = stoa_csv_source_text_share(origin);
    (*out)->release = release_origin;
    (*out)->line_end[0] = origin->text.line_end[0];
    (*out)->line_end[1] = origin->text.line_end[1];
    (*out)->line_end_nbytes = origin->text.line_end_nbytes;
    return STOA_OK;
}

static enum stoa_status source_read(struct stoa_batch_source *base, struct stoa_unit *unit_base,
                                    struct stoa_batch *out, struct stoa_notes **notes,
                                    struct stoa_error *err)
{
    const struct stoa_csv_source *source = stoa_csv_source_of(base);
    const struct stoa_csv_source_unit *unit = (const struct stoa_csv_source_unit *)unit_base;
    const bool aborts = source->ledger.options.on_error == STOA_CSV_ON_ERROR_ABORT;
    struct stoa_csv_notes *mine = NULL;
    enum stoa_status st = STOA_OK;

    if (source->keeps_forms || !aborts)
        STOA_TRY(make_notes(source, unit->origin, &mine, err));
    STOA_TRY(stoa_csv_unit_read(&source->table, &unit->origin->layout, &unit->text,
                                aborts ? NULL : &mine->rejects, source->keeps_forms ? mine : NULL,
                                out, err));
    if (mine != NULL) {
        stoa_csv_notes_measure(mine);
        *notes = &mine->base;
        mine = NULL;
    }
out:
    if (mine != NULL)
        mine->base.free(&mine->base);
    if (st != STOA_OK && aborts)
        stoa_wrap(err, st, "%s", unit->origin->name);
    stoa_csv_source_unit_free(unit_base);
    return st;
}

/* Keeps the first message of each column. */
static enum stoa_status accept_misfits(struct stoa_csv_source *source,
                                       const struct stoa_csv_notes *notes, const char *name,
                                       struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 0; st == STOA_OK && notes->misfits != NULL && i < notes->ncolumns; i++) {
        struct stoa_error message;

        if (notes->misfits[i] == NULL || source->misfits[i] != NULL)
            continue;
        stoa_fail(&message, STOA_ERR_DATA, "%s: %s", name, notes->misfits[i]);
        st = stoa_strndup(&source->misfits[i], message.message, strlen(message.message), err);
    }
    return st;
}

const char *stoa_csv_source_misfit(const struct stoa_batch_source *base, uint32_t column)
{
    const struct stoa_csv_source *source = (const struct stoa_csv_source *)base;

    return source->misfits != NULL ? source->misfits[column] : NULL;
}

static enum stoa_status source_accept(struct stoa_batch_source *base, struct stoa_notes *notes_base,
                                      struct stoa_error *err)
{
    struct stoa_csv_source *source = stoa_csv_source_of(base);
    struct stoa_csv_notes *notes = (struct stoa_csv_notes *)notes_base;
    struct stoa_csv_source_text *origin = notes->owner;
    enum stoa_status st = STOA_OK;

    if (source->ledger.options.on_error != STOA_CSV_ON_ERROR_ABORT)
        STOA_TRY(stoa_reject_ledger_accept(&source->ledger, origin->serial, origin->name,
                                           origin->member, &notes->rejects, source->header.names,
                                           origin->layout.columns, origin->layout.ncolumns, err));
    if (source->keeps_text)
        STOA_TRY(stoa_csv_origin_accept(&origin->text, notes, err));
    STOA_TRY(accept_misfits(source, notes, origin->name, err));
out:
    return st;
}

static enum stoa_status source_side(struct stoa_batch_source *base, struct stoa_notes *const *notes,
                                    size_t nnotes, const struct stoa_batch *batch,
                                    struct stoa_side *out, struct stoa_error *err)
{
    const struct stoa_csv_source *source = stoa_csv_source_of(base);

    return stoa_csv_notes_side(notes, nnotes, batch, source->table.columns, &source->text_reading,
                               out, err);
}

/* The name of a text without folders: base name, or archive:member. */
static const char *name_of_text(const struct stoa_csv_feed *feed,
                                const struct stoa_csv_source_text *origin)
{
    const char *path = feed->input->path, *slash = strrchr(path, '/');
    const size_t nfolder = slash != NULL ? (size_t)(slash + 1 - path) : 0;

    if (strcmp(path, "-") == 0)
        return "stdin";
    if (origin->member == NULL &&
        stoa_utf8_valid_prefix((const uint8_t *)path, strlen(path)) == strlen(path))
        return path + nfolder; /* the other one is made printable */
    return strncmp(origin->name, path, nfolder) == 0 ? origin->name + nfolder : origin->name;
}

static enum stoa_status describe_text(const struct stoa_csv_source *source,
                                      const struct stoa_csv_feed *feed,
                                      const struct stoa_csv_source_text *origin, uint64_t first_row,
                                      struct stoa_source_info *out, struct stoa_error *err)
{
    return stoa_csv_origin_describe(&origin->text, name_of_text(feed, origin),
                                    &source->text_options, &origin->layout, source->schema.nfields,
                                    first_row, out, err);
}

static enum stoa_status source_sources(struct stoa_batch_source *base,
                                       const struct stoa_source_info **out, size_t *nsources,
                                       struct stoa_error *err)
{
    struct stoa_csv_source *source = stoa_csv_source_of(base);
    uint64_t first_row = 0;
    size_t n = 0;
    enum stoa_status st;

    for (size_t i = 0; i < source->nfeeds; i++)
        for (const struct stoa_csv_source_text *o = source->feeds[i].texts; o != NULL; o = o->next)
            source->ninfos++;
    STOA_TRY(stoa_alloc_zeroed(&source->infos, source->ninfos, sizeof(*source->infos), err));
    for (size_t i = 0; i < source->nfeeds; i++) {
        const struct stoa_csv_feed *feed = &source->feeds[i];

        for (const struct stoa_csv_source_text *o = feed->texts; o != NULL; o = o->next) {
            STOA_TRY(describe_text(source, feed, o, first_row, &source->infos[n++], err));
            first_row += o->text.nrows;
        }
    }
    *out = source->infos;
    *nsources = source->ninfos;
out:
    return st;
}

bool stoa_csv_source_rejected(const struct stoa_batch_source *base, uint64_t *nrejected,
                              uint64_t *nwritten, uint64_t *nraw)
{
    const struct stoa_csv_source *source = (const struct stoa_csv_source *)base;

    *nrejected = source->ledger.nrejected;
    *nwritten = source->ledger.nwritten;
    *nraw = source->ledger.nraw;
    return source->ledger.is_over;
}

enum stoa_status stoa_csv_source_observe(const struct stoa_batch_source *base,
                                         struct stoa_unit *unit_base,
                                         struct stoa_csv_evidence **out, struct stoa_error *err)
{
    const struct stoa_csv_source *source = (const struct stoa_csv_source *)base;
    const struct stoa_csv_source_unit *unit = (const struct stoa_csv_source_unit *)unit_base;
    const uint32_t input = unit->input;
    enum stoa_status st =
        stoa_csv_unit_observe(&source->table.reading, &unit->origin->layout, &unit->text, input,
                              source->schema.nfields, out, err);

    stoa_csv_source_unit_free(unit_base);
    return st;
}

static void source_progress(struct stoa_batch_source *base, uint64_t *done, uint64_t *total)
{
    struct stoa_csv_source *source = stoa_csv_source_of(base);

    *done = 0;
    for (size_t i = 0; i < source->nfeeds; i++)
        *done += atomic_load(&source->feeds[i].consumed_nbytes);
    *total = source->total_nbytes;
}

static void source_close(struct stoa_batch_source *base)
{
    struct stoa_csv_source *source = stoa_csv_source_of(base);

    for (size_t i = 0; i < source->nfeeds; i++) {
        stoa_free(source->feeds[i].ready.text);
        stoa_csv_feed_close(source, &source->feeds[i]);
        stoa_csv_source_text_drop(source->feeds[i].origin);
        while (source->feeds[i].texts != NULL) {
            struct stoa_csv_source_text *origin = source->feeds[i].texts;

            source->feeds[i].texts = origin->next;
            stoa_csv_source_text_drop(origin);
        }
    }
    stoa_source_infos_free(source->infos, source->ninfos);
    stoa_free(source->feeds);
    for (uint32_t i = 0; source->misfits != NULL && i < source->schema.nfields; i++)
        stoa_free(source->misfits[i]);
    stoa_free(source->misfits);
    stoa_free(source->table.columns);
    stoa_free(source->slots);
    stoa_csv_header_reset(&source->header);
    stoa_schema_reset(&source->schema);
    stoa_csv_spares_reset(&source->spares);
    pthread_mutex_destroy(&source->mutex);
    pthread_cond_destroy(&source->changed);
    stoa_free(source);
}

/* Which columns of the table are read, and how. */
static enum stoa_status make_table(struct stoa_csv_source *source,
                                   const struct stoa_csv_source_options *options,
                                   struct stoa_error *err)
{
    const uint32_t filename = stoa_csv_filename_find(&source->options, options->schema);
    const uint32_t ncolumns =
        options->columns != NULL ? options->ncolumns : options->schema->nfields;
    struct stoa_csv_table *table = &source->table;
    enum stoa_status st;

    if (options->columns == NULL)
        STOA_TRY(stoa_schema_copy(&source->schema, options->schema, err));
    else
        STOA_TRY(stoa_schema_select(&source->schema, options->schema, options->columns,
                                    options->ncolumns, err));
    table->schema = &source->schema;
    STOA_TRY(stoa_alloc(&source->slots, options->schema->nfields * sizeof(*source->slots), err));
    for (uint32_t i = 0; i < options->schema->nfields; i++)
        source->slots[i] = STOA_CSV_NO_FIELD;
    for (uint32_t i = 0; i < ncolumns; i++) {
        const uint32_t field = options->columns != NULL ? options->columns[i] : i;

        if (field != filename)
            source->slots[field - (field > filename)] = i;
    }
    STOA_TRY(stoa_csv_reading_init(&table->reading, &source->options, options->inferred,
                                   source->keeps_forms, err));
    STOA_TRY(
        stoa_alloc_zeroed(&table->columns, source->schema.nfields, sizeof(*table->columns), err));
    for (uint32_t i = 0; i < source->schema.nfields; i++) {
        struct stoa_csv_column *column = &table->columns[i];

        STOA_TRY(stoa_csv_column_init(column, &source->schema.fields[i], &table->reading, err));
        column->wants_forms =
            !column->is_filename && (options->keeps_text || stoa_csv_column_may_widen(column));
    }
    if (source->keeps_forms)
        STOA_TRY(
            stoa_csv_reading_init(&source->text_reading, &source->text_options, false, true, err));
out:
    return st;
}

enum stoa_status stoa_csv_source_open(struct stoa_csv_inputs *inputs,
                                      const struct stoa_csv_source_options *options,
                                      struct stoa_batch_source **out, struct stoa_error *err)
{
    struct stoa_csv_source *source = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&source, 1, sizeof(*source), err));
    pthread_mutex_init(&source->mutex, NULL);
    pthread_cond_init(&source->changed, NULL);
    stoa_csv_spares_init(&source->spares, options->prefetch_nbytes);
    source->base = (struct stoa_batch_source){
        .schema = &source->schema,
        .next = stoa_csv_feeds_next,
        .prefetch = stoa_csv_feeds_prefetch,
        .read = source_read,
        .accept = source_accept,
        .progress = source_progress,
        .close = source_close,
    };
    source->options = options->csv;
    source->text_options = options->csv;
    stoa_csv_options_settle(&source->text_options);
    source->keeps_text = options->keeps_text;
    source->keeps_forms = options->keeps_text || options->widens;
    if (source->keeps_forms)
        source->base.side = source_side;
    if (source->keeps_text)
        source->base.sources = source_sources;
    source->unit_nbytes =
        options->csv.unit_nbytes != 0 ? options->csv.unit_nbytes : STOA_CSV_UNIT_NBYTES;
    source->prefetch_nbytes = options->prefetch_nbytes;
    source->total_nbytes = inputs->all_regular ? inputs->total_nbytes : 0;
    STOA_TRY(stoa_csv_options_check(&source->options, err));
    if (options->schema->nfields == 0 ||
        (options->schema->nfields == 1 &&
         stoa_csv_filename_find(&source->options, options->schema) == 0))
        STOA_TRY(stoa_fail(err, STOA_ERR_USAGE, "the schema has no columns, and text has some"));
    STOA_TRY(stoa_reject_ledger_init(&source->ledger, &options->rejects, err));
    STOA_TRY(stoa_csv_header_take(&source->header, options->schema,
                                  stoa_csv_filename_find(&source->options, options->schema), err));
    STOA_TRY(make_table(source, options, err));
    source->table.widens = options->widens;
    source->table.keeps_text = options->keeps_text;
    if (options->widens)
        STOA_TRY(stoa_alloc_zeroed(&source->misfits, source->schema.nfields, sizeof(char *), err));
    STOA_TRY(stoa_alloc_zeroed(&source->feeds, inputs->nitems, sizeof(*source->feeds), err));
    source->nfeeds = inputs->nitems;
    for (size_t i = 0; i < source->nfeeds; i++)
        source->feeds[i].input = &inputs->items[i];
    for (size_t i = 0; i < source->nfeeds; i++)
        source->feeds[i].texts_end = &source->feeds[i].texts;
    *out = &source->base;
    source = NULL;
out:
    if (source != NULL)
        source_close(&source->base);
    return st;
}
