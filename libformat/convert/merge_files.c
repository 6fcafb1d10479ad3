/*
 * Merging files: two passes over the inputs, each open one at a time.
 *
 *     1  open each, join its schema to the others', remember its identity    clashes are known now
 *     2  open each again, copy its row groups                                one after the other
 *
 * So any number of inputs takes the memory and the descriptors of one. An input that is another
 * file in the second pass than it was in the first is an error, even one with an equal schema.
 */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include <stoa/merge.h>

#include "base/alloc.h"
#include "base/error.h"
#include "column/join.h"
#include "exec/progress.h"
#include "file/merge_order.h"
#include "file/side_copy.h"

#define DEFAULT_MEMORY_NBYTES (UINT64_C(256) << 20)
#define MAX_NGROUPS           (UINT64_C(1) << 24)

/* What is remembered of an input between the passes. */
struct seen {
    uint64_t identity;
    uint64_t nbytes;
};

struct merge {
    const struct stoa_merge_input *inputs;
    size_t ninputs;
    struct stoa_merge_options options;
    struct stoa_schema schema;
    struct seen *seen;
    uint64_t nrows, ngroups, nbytes; /* of all inputs */

    struct stoa_assembler file;
    struct stoa_merger merger;
    struct stoa_merge_order order;
    struct stoa_progress progress;
    struct timespec start;
    bool *encodes; /* of each column: some of its chunks were encoded anew */
};

static void report_progress(void *context, const struct stoa_progress *progress)
{
    const struct merge *merge = context;
    const struct stoa_convert_progress now = {
        .done_nbytes = stoa_progress_get(progress, STOA_PROGRESS_BYTES_IN),
        .total_nbytes = merge->nbytes,
        .nrows = merge->file.footer.nrows,
        .seconds = stoa_seconds_since(&merge->start),
    };

    merge->options.progress(merge->options.context, &now);
}

/* Between two pieces of work. */
static enum stoa_status tick(void *context, uint64_t nbytes, struct stoa_error *err)
{
    struct merge *merge = context;

    stoa_progress_add(&merge->progress, STOA_PROGRESS_BYTES_IN, nbytes);
    stoa_progress_tick(&merge->progress);
    if (merge->options.cancel != NULL && *merge->options.cancel != 0)
        return stoa_fail(err, STOA_ERR_CANCELLED, "stopped on request");
    return STOA_OK;
}

/* ---- Inputs ---- */

/* An input that is open. */
struct open_input {
    struct stoa_source *source;
    struct stoa_source *owned; /* the same, unless it is the caller's */
    struct stoa_reader *reader;
};

static void input_close(struct open_input *input)
{
    stoa_reader_close(input->reader);
    stoa_source_close(input->owned);
    *input = (struct open_input){0};
}

static enum stoa_status wrap_input(const struct open_input *input, enum stoa_status st,
                                   struct stoa_error *err)
{
    return input->source == NULL ? st : stoa_wrap(err, st, "%s", input->source->name);
}

static enum stoa_status input_open(const struct merge *merge, size_t number,
                                   struct open_input *input, struct stoa_error *err)
{
    const struct stoa_merge_input *from = &merge->inputs[number];
    struct stoa_reader_options options = {.memory_nbytes = merge->options.memory_nbytes};
    enum stoa_status st;

    *input = (struct open_input){.source = from->source};
    if (from->source == NULL) {
        STOA_TRY(stoa_source_open_file(from->path, &input->owned, err));
        input->source = input->owned;
    }
    STOA_TRY(stoa_reader_open(input->source, &options, &input->reader, err));
out:
    if (st != STOA_OK) {
        wrap_input(input, st, err);
        input_close(input);
    }
    return st;
}

/* ---- The first pass ---- */

/* Says which value of metadata that the inputs tell differently is kept. */
static void note_metadata(const struct merge *merge, const struct open_input *input,
                          const char *column, const struct stoa_metadata *kept,
                          const struct stoa_metadata *other)
{
    for (uint32_t i = 0; i < other->npairs; i++) {
        const char *value = stoa_metadata_get(kept, other->pairs[i].key);
        char shown[2][128];
        struct stoa_error note;

        if (value == NULL || strcmp(value, other->pairs[i].value) == 0)
            continue;
        stoa_quote(shown[0], sizeof(shown[0]), other->pairs[i].key, strlen(other->pairs[i].key));
        stoa_fail(&note, STOA_ERR_DATA, "metadata \"%s\" differs: that of the files before is kept",
                  shown[0]);
        if (column != NULL)
            stoa_wrap(&note, STOA_ERR_DATA, "column %s",
                      stoa_quote(shown[1], sizeof(shown[1]), column, strlen(column)));
        wrap_input(input, STOA_ERR_DATA, &note);
        merge->options.note(merge->options.context, note.message);
        return; /* one of them is enough to make someone look */
    }
}

static enum stoa_status note_differences(const struct merge *merge, const struct open_input *input,
                                         const struct stoa_schema *schema, struct stoa_error *err)
{
    uint32_t *map;
    enum stoa_status st;

    if (merge->options.note == NULL)
        return STOA_OK;
    st = stoa_alloc(&map, schema->nfields * sizeof(map[0]), err);
    if (st != STOA_OK)
        return st;
    st = stoa_fields_match(merge->schema.fields, merge->schema.nfields, schema->fields,
                           schema->nfields, map, err);
    if (st == STOA_OK) {
        note_metadata(merge, input, NULL, &merge->schema.metadata, &schema->metadata);
        for (uint32_t i = 0; i < schema->nfields; i++)
            note_metadata(merge, input, schema->fields[i].name,
                          &merge->schema.fields[map[i]].metadata, &schema->fields[i].metadata);
    }
    stoa_free(map);
    return st;
}

static enum stoa_status look_at_input(struct merge *merge, size_t number, struct stoa_error *err)
{
    const struct stoa_schema *schema;
    struct open_input input;
    enum stoa_status st = input_open(merge, number, &input, err);

    if (st != STOA_OK)
        return st;
    STOA_TRY(stoa_reader_schema(input.reader, &schema, err));
    if (number == 0) {
        STOA_TRY(stoa_schema_copy(&merge->schema, schema, err));
    } else {
        STOA_TRY(stoa_schema_join(&merge->schema, schema, &merge->options.join, err));
        STOA_TRY(note_differences(merge, &input, schema, err));
    }
    merge->seen[number] = (struct seen){
        .identity = stoa_reader_identity(input.reader),
        .nbytes = input.source->nbytes,
    };
    merge->nrows += stoa_reader_nrows(input.reader);
    merge->ngroups += stoa_reader_nrow_groups(input.reader);
    merge->nbytes += input.source->nbytes;
    if (merge->ngroups > MAX_NGROUPS)
        st = stoa_fail(err, STOA_ERR_LIMIT,
                       "%" PRIu64 " row groups up to here, a file has at most %" PRIu64,
                       merge->ngroups, MAX_NGROUPS);
out:
    if (st != STOA_OK)
        wrap_input(&input, st, err);
    input_close(&input);
    return st;
}

/* ---- The second pass ---- */

/* What is kept until the end must stay within the memory. */
static enum stoa_status check_memory(const struct merge *merge, struct stoa_error *err)
{
    uint64_t nbytes = stoa_assembler_memory(&merge->file);

    if (nbytes <= merge->options.memory_nbytes)
        return STOA_OK;
    return stoa_fail(err, STOA_ERR_LIMIT,
                     "the footer of the output takes more than the %" PRIu64
                     " bytes of memory allowed",
                     merge->options.memory_nbytes);
}

/* Says that the sources of an input cannot be restored from the output. */
static void note_sources(const struct merge *merge, const struct open_input *input,
                         const struct stoa_part *part)
{
    uint64_t nsources = stoa_reader_nsources(input->reader);
    struct stoa_error note;

    if (merge->options.note == NULL || nsources == 0 ||
        stoa_schema_keeps_text(part->schema, &merge->schema))
        return;
    stoa_fail(&note, STOA_ERR_DATA,
              "%" PRIu64
              " source%s that cannot be restored from the merged file, whose columns are "
              "others",
              nsources, nsources == 1 ? "" : "s");
    wrap_input(input, STOA_ERR_DATA, &note);
    merge->options.note(merge->options.context, note.message);
}

static enum stoa_status copy_groups(struct merge *merge, struct open_input *input,
                                    struct stoa_error *err)
{
    uint32_t ngroups = stoa_reader_nrow_groups(input->reader);
    uint64_t first_row = merge->file.footer.nrows;
    struct stoa_part part = {0};
    enum stoa_status st;

    STOA_TRY(stoa_part_init(&part, &merge->merger, input->reader, NULL, err));
    STOA_TRY(stoa_merge_order_add(&merge->order, &part, err));
    for (uint32_t i = 0; i < ngroups; i++) {
        STOA_TRY(stoa_part_copy_group(&part, i, NULL, err));
        STOA_TRY(stoa_part_copy_side(&part, i, err));
        STOA_TRY(check_memory(merge, err));
        STOA_TRY(tick(merge, 0, err));
    }
    STOA_TRY(stoa_part_copy_sources(&part, first_row, err));
    note_sources(merge, input, &part);
    for (uint32_t i = 0; ngroups > 0 && i < merge->schema.nfields; i++)
        merge->encodes[i] |= part.encodes[i];
out:
    stoa_part_reset(&part);
    return st;
}

static enum stoa_status copy_input(struct merge *merge, size_t number, struct stoa_error *err)
{
    struct open_input input;
    enum stoa_status st = input_open(merge, number, &input, err);

    if (st != STOA_OK)
        return st;
    if (input.source->nbytes != merge->seen[number].nbytes ||
        stoa_reader_identity(input.reader) != merge->seen[number].identity)
        st = stoa_fail(err, STOA_ERR_IO, "%s: changed while it was merged", input.source->name);
    else
        st = copy_groups(merge, &input, err);
    if (st != STOA_OK)
        wrap_input(&input, st, err);
    input_close(&input);
    return st;
}

static enum stoa_status write_file(struct merge *merge, struct stoa_sink *sink,
                                   struct stoa_error *err)
{
    uint64_t done = 0;
    enum stoa_status st;

    STOA_TRY(stoa_merger_init(&merge->merger, &merge->schema, merge->options.memory_nbytes, err));
    merge->merger.file = &merge->file;
    merge->merger.tick = tick;
    merge->merger.context = merge;
    STOA_TRY(
        stoa_alloc_zeroed(&merge->encodes, merge->schema.nfields, sizeof(merge->encodes[0]), err));
    STOA_TRY(stoa_assembler_init(&merge->file, sink, &merge->schema, &stoa_default_rules, err));
    for (size_t i = 0; i < merge->ninputs; i++) {
        uint64_t counted;

        STOA_TRY(copy_input(merge, i, err));
        /* Headers, footers and what was encoded anew are done too. */
        done += merge->seen[i].nbytes;
        counted = stoa_progress_get(&merge->progress, STOA_PROGRESS_BYTES_IN);
        STOA_TRY(tick(merge, done > counted ? done - counted : 0, err));
    }
    merge->file.footer.order = &merge->order.order;
    STOA_TRY(stoa_assembler_finish(&merge->file, err));
out:
    return st;
}

static void fill_report(const struct merge *merge, struct stoa_merge_report *report)
{
    *report = (struct stoa_merge_report){
        .ninputs = merge->ninputs,
        .nrows = merge->nrows,
        .nrow_groups = merge->ngroups,
        .nchunks_copied = merge->merger.nchunks_copied,
        .nchunks_encoded = merge->merger.nchunks_encoded,
        .input_nbytes = merge->nbytes,
        .output_nbytes = merge->file.offset,
        .shared_nbytes = merge->merger.shared_nbytes,
        .ncolumns = merge->schema.nfields,
        .seconds = stoa_seconds_since(&merge->start),
    };
    for (uint32_t i = 0; merge->encodes != NULL && i < merge->schema.nfields; i++)
        report->ncolumns_encoded += merge->encodes[i];
}

enum stoa_status stoa_merge(const struct stoa_merge_input *inputs, size_t ninputs,
                            const struct stoa_merge_options *options, struct stoa_sink *sink,
                            struct stoa_merge_report *report, struct stoa_error *err)
{
    struct merge merge = {.inputs = inputs, .ninputs = ninputs};
    enum stoa_status st;

    if (ninputs == 0)
        return stoa_fail(err, STOA_ERR_USAGE, "nothing to merge");
    if (options != NULL)
        merge.options = *options;
    if (merge.options.memory_nbytes == 0)
        merge.options.memory_nbytes = DEFAULT_MEMORY_NBYTES;
    clock_gettime(CLOCK_MONOTONIC, &merge.start);
    stoa_progress_init(&merge.progress, merge.options.progress != NULL ? report_progress : NULL,
                       &merge);
    STOA_TRY(stoa_alloc_zeroed(&merge.seen, ninputs, sizeof(merge.seen[0]), err));
    for (size_t i = 0; i < ninputs; i++) {
        STOA_TRY(look_at_input(&merge, i, err));
        STOA_TRY(tick(&merge, 0, err));
    }
    if (sink != NULL)
        STOA_TRY(write_file(&merge, sink, err));
    if (report != NULL)
        fill_report(&merge, report);
out:
    stoa_merge_order_reset(&merge.order);
    stoa_merger_reset(&merge.merger);
    stoa_assembler_reset(&merge.file);
    stoa_schema_reset(&merge.schema);
    stoa_free(merge.seen);
    stoa_free(merge.encodes);
    return st;
}
