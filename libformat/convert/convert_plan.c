/*
 * Planning a conversion.
 *
 * Columns. The source delivers the columns of the output, in their order, and behind them those
 * that only the filter needs; the matcher is bound to all of these. A Stoa source filters by
 * itself.
 */
#include "convert/convert_plan.h"

#include <string.h>
#include <unistd.h>

#include "avro/avro_sink.h"
#include "base/alloc.h"
#include "base/error.h"
#include "column/schema.h"
#include "convert/format.h"
#include "convert/stoa_side.h"
#include "convert/survey.h"
#include "csv/csv.h"
#include "csv/csv_table.h"
#include "csv/input.h"
#include "csv/source_options.h"
#include "file/bloom_plan.h"
#include "file/layout.h"
#include "jsonl/text_input.h"

/* What the name says of the compression, which an option must not contradict. */
static enum stoa_status plan_compression(struct stoa_plan_convert *plan,
                                         const struct stoa_convert_options *options,
                                         const char *ending, const char *shown,
                                         struct stoa_error *err)
{
    enum stoa_compress named = STOA_COMPRESS_NONE;

    if (ending != NULL && strcmp(ending, ".gz") == 0)
        named = STOA_COMPRESS_GZIP;
    else if (ending != NULL && strcmp(ending, ".zst") == 0)
        named = STOA_COMPRESS_ZSTD;
    else if (ending != NULL)
        return stoa_fail(err, STOA_ERR_USAGE, "%s: of compressed output gz and zst are written",
                         shown);
    plan->compress = options->compress != STOA_COMPRESS_AUTO ? options->compress : named;
    if ((unsigned)plan->compress > STOA_COMPRESS_ZSTD)
        return stoa_fail(err, STOA_ERR_USAGE, "there is no compression %u",
                         (unsigned)plan->compress);
    if (ending != NULL && plan->compress != named)
        return stoa_fail(err, STOA_ERR_USAGE, "%s: the name says another compression", shown);
    if ((plan->to == STOA_FORMAT_STOA || plan->to == STOA_FORMAT_AVRO) &&
        plan->compress != STOA_COMPRESS_NONE)
        return stoa_fail(err, STOA_ERR_USAGE, "%s: %s file is compressed inside, not as a whole",
                         shown, plan->to == STOA_FORMAT_STOA ? "a Stoa" : "an Avro");
    return STOA_OK;
}

#define OUTPUT(format) (1u << (format))

/* What is said of an output of another format would be dropped: a new option is a row here. */
static enum stoa_status refuse_foreign(const struct stoa_convert_options *options,
                                       enum stoa_format to, const char *shown,
                                       struct stoa_error *err)
{
    const unsigned stoa = OUTPUT(STOA_FORMAT_STOA), avro = OUTPUT(STOA_FORMAT_AVRO);
    const unsigned csv = OUTPUT(STOA_FORMAT_CSV) | OUTPUT(STOA_FORMAT_TSV);
    const struct {
        bool given;
        unsigned outputs;
        const char *what;
        const char *whose;
    } rows[] = {
        {options->avro_out.codec != NULL, avro, "a codec is", "Avro"},
        {options->avro_out.has_level, avro, "the level of a codec is", "Avro"},
        {options->avro_out.block_nbytes > 0, avro, "a size of blocks is", "Avro"},
        {options->avro_out.random_sync, avro, "a random marker is", "Avro"},
        {options->writer.level != STOA_LEVEL_BALANCED, stoa, "a level is", "Stoa"},
        {options->writer.nblooms > 0, stoa, "Bloom filters are", "Stoa"},
        {options->no_source_text, stoa, "to leave out source text is", "Stoa"},
        {options->csv_out.delimiter != 0, csv, "an output delimiter is", "CSV"},
        {options->csv_out.quoting != STOA_CSV_QUOTE_MINIMAL, csv, "quoting is", "CSV"},
        {options->csv_out.nested != STOA_CSV_NESTED_REFUSE, csv, "a way to nest is", "CSV"},
        {options->csv_out.null_text != NULL, csv, "a text of null is", "CSV"},
        {options->csv_out.crlf, csv, "a choice of line ends is", "CSV"},
        {options->csv_out.no_header, csv, "to leave out the header is", "CSV"},
        {options->csv_out.bom, csv, "a byte order mark is", "CSV"},
        {options->csv_out.encoding != NULL, csv, "an output encoding is", "CSV"},
        {options->csv_out.safe_spreadsheet, csv, "care for spreadsheets is", "CSV"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].given && (rows[i].outputs & OUTPUT(to)) == 0)
            return stoa_fail(err, STOA_ERR_USAGE, "%s: %s for %s files", shown, rows[i].what,
                             rows[i].whose);
    return STOA_OK;
}

static enum stoa_status plan_formats(struct stoa_plan_convert *plan,
                                     const struct stoa_convert_options *options,
                                     struct stoa_error *err)
{
    enum stoa_format named;
    const char *ending;
    char shown[256];
    enum stoa_status st;

    stoa_quote(shown, sizeof(shown), options->output, strlen(options->output));
    plan->from = options->from;
    STOA_TRY(
        stoa_format_guess(options->paths, options->npaths, &plan->from, &plan->from_is_guess, err));
    if (plan->from == STOA_FORMAT_AUTO && plan->jsonl_inputs != NULL)
        plan->from = STOA_FORMAT_JSONL; /* so it was found, and what was read is kept */
    else if (plan->from == STOA_FORMAT_AUTO) {
        STOA_TRY(stoa_format_of_pipe(options->paths[0], &plan->piped, &plan->from, err));
        plan->from_is_guess = options->npaths == 1; /* no other pipe is looked at */
    }
    named = stoa_format_of_name(options->output, &ending);
    plan->to = options->to != STOA_FORMAT_AUTO ? options->to : named;
    if (plan->to == STOA_FORMAT_AUTO)
        return stoa_fail(
            err, STOA_ERR_USAGE,
            "%s: the name does not say which format to write: csv, tsv, jsonl, avro or "
            "stoa",
            shown);
    STOA_TRY(plan_compression(plan, options, ending, shown, err));
    if (plan->to == STOA_FORMAT_AVRO)
        STOA_TRY(stoa_avro_check_codec(&options->avro_out, err));
    STOA_TRY(refuse_foreign(options, plan->to, shown, err));
out:
    return st;
}

/* Appends the columns that a filter looks at, as a whole or at a part of, unless they are taken. */
static enum stoa_status add_needed(const struct stoa_filter *filter,
                                   const struct stoa_schema *schema, const bool *taken,
                                   uint32_t *columns, uint32_t *ncolumns, struct stoa_error *err)
{
    struct stoa_matcher *matcher = NULL;
    struct stoa_schema_node *nodes = NULL;
    const uint32_t *needed;
    uint32_t nneeded, nnodes, end = 0;
    enum stoa_status st;

    STOA_TRY(stoa_filter_bind(filter, schema, &matcher, err));
    STOA_TRY(stoa_schema_nodes(schema, &nodes, &nnodes, err));
    needed = stoa_matcher_nodes(matcher, &nneeded);
    for (uint32_t i = 0, k = 0; i < schema->nfields; i++) { /* both rise */
        uint32_t before = k;

        end += nodes[end].nnodes;
        while (k < nneeded && needed[k] < end)
            k++;
        if (k > before && !taken[i])
            columns[(*ncolumns)++] = i;
    }
out:
    stoa_free(nodes);
    stoa_matcher_free(matcher);
    return st;
}

enum stoa_status stoa_plan_columns(const struct stoa_convert_options *options,
                                   const struct stoa_schema *schema, uint32_t **out,
                                   uint32_t *nselected, uint32_t *ncolumns, struct stoa_error *err)
{
    uint32_t *columns = NULL;
    bool *taken = NULL;
    uint32_t n = 0;
    char shown[128];
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&columns, schema->nfields, sizeof(*columns), err));
    STOA_TRY(stoa_alloc_zeroed(&taken, schema->nfields, sizeof(*taken), err));
    for (uint32_t i = 0; i < (options->columns != NULL ? options->ncolumns : schema->nfields);
         i++) {
        uint32_t column = i;

        if (options->columns != NULL)
            STOA_TRY(stoa_schema_find(schema, options->columns[i], &column, err));
        if (taken[column]) {
            const char *name = schema->fields[column].name;

            st = stoa_fail(err, STOA_ERR_USAGE, "column \"%s\" is selected twice",
                           stoa_quote(shown, sizeof(shown), name, strlen(name)));
            goto out;
        }
        taken[column] = true;
        columns[n++] = column;
    }
    *nselected = n;
    if (options->filter != NULL)
        STOA_TRY(add_needed(options->filter, schema, taken, columns, &n, err));
    *ncolumns = n;
    *out = columns;
    columns = NULL;
out:
    stoa_free(columns);
    stoa_free(taken);
    return st;
}

/* A Stoa file in a pipe is no CSV, and can't be read as what it is either. */
static enum stoa_status refuse_piped_file(struct stoa_csv_inputs *inputs, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (size_t i = 0; st == STOA_OK && i < inputs->nitems; i++) {
        struct stoa_csv_input *input = &inputs->items[i];
        struct stoa_buffer head = {0};
        bool whole;

        if (!input->once)
            continue;
        st = stoa_csv_input_peek(input, STOA_MAGIC_NBYTES, &head, &whole, err);
        if (st == STOA_OK && head.nbytes >= STOA_MAGIC_NBYTES && stoa_object_has_magic(head.data))
            st = stoa_fail(err, STOA_ERR_USAGE,
                           "%s: is a Stoa file, which is read from its end: not through a pipe",
                           input->name);
        stoa_buffer_free(&head);
    }
    return st;
}

bool stoa_plan_widens(const struct stoa_convert_options *options)
{
    if (options->on_conflict == STOA_CONFLICT_AUTO)
        return options->on_error == STOA_CSV_ON_ERROR_ABORT;
    return options->on_conflict == STOA_CONFLICT_WIDEN;
}

struct stoa_reject_options stoa_plan_rejects(const struct stoa_convert_options *options,
                                             const struct stoa_reject_sinks *rejects)
{
    return (struct stoa_reject_options){
        .on_error = options->on_error,
        .sink = rejects->list,
        .raw_sink = rejects->raw,
        .max_errors = options->max_errors,
        .max_ratio = options->max_error_ratio,
        .max_written = options->max_rejects,
    };
}

enum stoa_status stoa_plan_take_schema(const struct stoa_convert_options *options,
                                       struct stoa_schema *out, struct stoa_error *err)
{
    const struct stoa_type text = {.id = STOA_UTF8};
    enum stoa_status st;

    STOA_TRY(stoa_schema_copy(out, options->schema, err));
    if (options->csv.filename != NULL &&
        stoa_csv_filename_find(&options->csv, out) == STOA_CSV_NO_FIELD)
        STOA_TRY(stoa_schema_append(out, options->csv.filename, &text, false, err));
out:
    return st;
}

/* Of columns with guessed types; text holds any value, and so does a type that was given. */
static enum stoa_draft draft_of(const struct stoa_plan_convert *plan,
                                const struct stoa_convert_options *options,
                                const struct stoa_schema *schema)
{
    bool may_widen = false;

    for (uint32_t i = 0; i < schema->nfields; i++)
        may_widen |= schema->fields[i].type.id != STOA_UTF8 &&
                     stoa_csv_given_type(&options->csv, schema->fields[i].name) == NULL;
    if (!may_widen)
        return STOA_DRAFT_NONE;
    return plan->to == STOA_FORMAT_STOA && options->filter == NULL && options->sort_by == NULL
               ? STOA_DRAFT_OUTPUT
               : STOA_DRAFT_ROWS;
}

static enum stoa_status plan_csv(struct stoa_plan_convert *plan,
                                 const struct stoa_convert_options *options,
                                 const struct stoa_reject_sinks *rejects, struct stoa_error *err)
{
    struct stoa_csv_source_options source = {
        .csv = options->csv,
        .inferred = options->schema == NULL,
        .rejects = stoa_plan_rejects(options, rejects),
    };
    struct stoa_schema table = {0}, read = {0};
    bool certain = true;
    uint32_t *columns = NULL;
    uint32_t nselected = 0;
    enum stoa_status st;

    if (options->rows != NULL)
        return stoa_fail(err, STOA_ERR_USAGE, "rows can be picked from a Stoa file, not from text");
    source.csv.is_guess |= options->from == STOA_FORMAT_AUTO;
    source.csv.note = options->note;
    source.csv.note_context = options->note_context;
    if (plan->from == STOA_FORMAT_TSV && source.csv.delimiter == 0)
        source.csv.delimiter = '\t';
    source.csv.unit_nrows = plan->group_nrows;
    source.csv.unit_nbytes = plan->group_nbytes;
    STOA_TRY(stoa_csv_inputs_new(options->paths, options->npaths, &plan->inputs, err));
    stoa_csv_inputs_give(plan->inputs, plan->piped);
    plan->piped = NULL;
    STOA_TRY(stoa_csv_inputs_set_encoding(plan->inputs, source.csv.encoding, err));
    STOA_TRY(refuse_piped_file(plan->inputs, err));
    STOA_TRY(
        stoa_csv_inputs_sniff(plan->inputs, &source.csv, options->schema, &source.csv, NULL, err));
    if (options->schema == NULL)
        STOA_TRY(stoa_survey_inputs(plan->inputs, &source.csv, plan->jobs, options->cancel, &table,
                                    &certain, err));
    else
        STOA_TRY(stoa_plan_take_schema(options, &table, err));
    source.schema = &table;
    STOA_TRY(
        stoa_plan_columns(options, source.schema, &columns, &nselected, &source.ncolumns, err));
    source.columns = columns;
    STOA_TRY(stoa_schema_select(&plan->schema, source.schema, columns, nselected, err));
    STOA_TRY(stoa_schema_select(&read, source.schema, columns, source.ncolumns, err));
    stoa_memory_init(&plan->memory, options->memory_nbytes, plan->jobs, plan->group_nbytes,
                     (options->npaths < plan->jobs ? options->npaths : plan->jobs) + plan->jobs,
                     &read, plan->to != STOA_FORMAT_STOA);
    source.prefetch_nbytes = plan->memory.prefetch_nbytes;
    if (!certain && stoa_plan_widens(options))
        plan->draft = draft_of(plan, options, &read);
    plan->csv_in = source.csv;
    stoa_csv_options_settle(&plan->csv_in);
    source.widens = plan->draft != STOA_DRAFT_NONE;
    source.keeps_text = plan->keeps_text = plan->obstacle == NULL;
    STOA_TRY(stoa_csv_source_open(plan->inputs, &source, &plan->source, err));
    if (options->filter != NULL)
        STOA_TRY(stoa_filter_bind(options->filter, plan->source->schema, &plan->matcher, err));
out:
    stoa_schema_reset(&table);
    stoa_schema_reset(&read);
    stoa_free(columns);
    return st;
}

static enum stoa_status plan_stoa(struct stoa_plan_convert *plan,
                                  const struct stoa_convert_options *options,
                                  const struct stoa_reject_sinks *rejects, struct stoa_error *err)
{
    const struct stoa_scan_options scan = {
        .columns = options->columns, .ncolumns = options->ncolumns, .filter = options->filter};
    const struct stoa_picked_rows picked = {.rows = options->rows, .nrows = options->nrows};
    enum stoa_status st;

    (void)rejects; /* every record of a Stoa file is good */
    if (options->schema != NULL)
        return stoa_fail(err, STOA_ERR_USAGE,
                         "a schema can be given for text: a Stoa file has its own");
    if (options->csv.filename != NULL)
        return stoa_fail(err, STOA_ERR_USAGE,
                         "names of inputs can be added to text, not to the rows of a Stoa file");
    if (options->rows != NULL && options->filter != NULL)
        return stoa_fail(err, STOA_ERR_USAGE, "rows are picked by their numbers or by a filter");
    STOA_TRY(
        stoa_scan_source_open(options->paths, options->npaths, &scan, picked, &plan->source, err));
    STOA_TRY(stoa_schema_copy(&plan->schema, plan->source->schema, err));
    stoa_memory_init(&plan->memory, options->memory_nbytes, plan->jobs, 0, 0, &plan->schema,
                     plan->to != STOA_FORMAT_STOA);
out:
    return st;
}

static const struct stoa_source_kind csv_kind = {
    .plan = plan_csv, .rejected = stoa_csv_source_rejected, .counts_text = true};

/* A new source is a row here. */
static const struct {
    enum stoa_format format;
    const struct stoa_source_kind *kind;
} kinds[] = {
    {STOA_FORMAT_CSV, &csv_kind},
    {STOA_FORMAT_TSV, &csv_kind},
    {STOA_FORMAT_STOA,
     &(const struct stoa_source_kind){.plan = plan_stoa, .obstacle = "the input is no CSV"}},
    {STOA_FORMAT_JSONL, &stoa_jsonl_kind},
    {STOA_FORMAT_AVRO, &stoa_avro_kind},
};

static const struct stoa_source_kind *kind_of(enum stoa_format format)
{
    size_t i = 0;

    while (kinds[i].format != format)
        i++;
    return kinds[i].kind;
}

/* Why the inputs can't be restored from the output; NULL when they can. */
static const char *find_obstacle(const struct stoa_plan_convert *plan,
                                 const struct stoa_convert_options *options)
{
    if (plan->to != STOA_FORMAT_STOA)
        return "the output is no Stoa file";
    if (plan->kind->obstacle != NULL)
        return plan->kind->obstacle;
    if (options->no_source_text)
        return "source text was not wanted";
    if (options->filter != NULL)
        return "rows are left out";
    if (options->columns != NULL)
        return "columns are chosen";
    if (options->sort_by != NULL)
        return "rows are sorted";
    return NULL;
}

/* The filters of Stoa files stay those of their columns, unless others are asked for. */
static enum stoa_status keep_blooms(struct stoa_plan_convert *plan, struct stoa_error *err)
{
    double rate;
    enum stoa_status st = stoa_scan_source_blooms(plan->source, &plan->bloom_names,
                                                  &plan->writer.nblooms, &rate, err);

    plan->writer.blooms = (const char *const *)plan->bloom_names;
    if (st == STOA_OK && plan->writer.bloom_rate == 0)
        plan->writer.bloom_rate = rate;
    return st;
}

/* Before the first row is read: the output may be far away. */
static enum stoa_status plan_blooms(struct stoa_plan_convert *plan, struct stoa_error *err)
{
    struct stoa_schema_node *nodes = NULL;
    uint8_t *blooms = NULL;
    uint32_t nnodes;
    enum stoa_status st;

    if (plan->from == STOA_FORMAT_STOA && plan->to == STOA_FORMAT_STOA &&
        plan->writer.blooms == NULL)
        STOA_TRY(keep_blooms(plan, err));
    STOA_TRY(stoa_schema_nodes(&plan->schema, &nodes, &nnodes, err));
    STOA_TRY(stoa_bloom_plan(&plan->writer, &plan->schema, nodes, nnodes, &blooms, err));
    for (uint32_t i = 0; blooms != NULL && i < nnodes; i++) {
        plan->bloom_nbits += blooms[i];
        plan->nblooms += blooms[i] > 0;
    }
    stoa_memory_add_blooms(&plan->memory, plan->bloom_nbits, plan->nblooms, plan->jobs);
out:
    stoa_free(nodes);
    stoa_free(blooms);
    return st;
}

enum stoa_status stoa_plan_convert_init(struct stoa_plan_convert *plan,
                                        const struct stoa_convert_options *options,
                                        const struct stoa_reject_sinks *rejects,
                                        struct stoa_error *err)
{
    long nprocessors = sysconf(_SC_NPROCESSORS_ONLN);
    enum stoa_status st;

    plan->group_nrows = options->writer.row_group_nrows != 0 ? options->writer.row_group_nrows
                                                             : STOA_ROW_GROUP_NROWS;
    plan->group_nbytes = options->writer.row_group_nbytes != 0 ? options->writer.row_group_nbytes
                                                               : STOA_ROW_GROUP_NBYTES;
    plan->writer = options->writer;
    plan->jobs = options->jobs != 0 ? options->jobs : nprocessors > 0 ? (unsigned)nprocessors : 1;
    STOA_TRY(plan_formats(plan, options, err));
    plan->kind = kind_of(plan->from);
    if (options->avro_split_end != 0 && plan->from != STOA_FORMAT_AVRO) {
        st = stoa_fail(err, STOA_ERR_USAGE, "only an Avro file has splits (--split)");
        goto out;
    }
    if (options->on_error == STOA_CSV_ON_ERROR_SKIP_BLOCK && plan->kind->lost == NULL) {
        st = stoa_fail(err, STOA_ERR_USAGE,
                       "only Avro files have blocks that can be left out (--on-error skip-block)");
        goto out;
    }
    plan->csv_out = options->csv_out;
    if (plan->to == STOA_FORMAT_TSV && plan->csv_out.delimiter == 0)
        plan->csv_out.delimiter = '\t';
    plan->obstacle = find_obstacle(plan, options);
    if (options->verify && plan->obstacle != NULL) {
        st = stoa_fail(err, STOA_ERR_USAGE, "nothing to verify: no CSV can be restored, because %s",
                       plan->obstacle);
        goto out;
    }
    STOA_TRY(plan->kind->plan(plan, options, rejects, err));
    STOA_TRY(plan_blooms(plan, err));
    plan->sorts = options->sort_by != NULL;
    if (plan->sorts)
        STOA_TRY(stoa_order_parse(options->sort_by, &plan->schema, &plan->order, err));
    else if (plan->from == STOA_FORMAT_STOA)
        STOA_TRY(stoa_scan_source_order(plan->source, &plan->order, err));
out:
    if (st != STOA_OK)
        stoa_plan_convert_reset(plan);
    return st;
}

void stoa_plan_memory_again(struct stoa_plan_convert *plan,
                            const struct stoa_convert_options *options,
                            const struct stoa_schema *schema)
{
    stoa_memory_init(&plan->memory, options->memory_nbytes, plan->jobs, 0, 0, schema,
                     plan->to != STOA_FORMAT_STOA);
    stoa_memory_add_blooms(&plan->memory, plan->bloom_nbits, plan->nblooms, plan->jobs);
}

void stoa_plan_convert_again(struct stoa_plan_convert *plan)
{
    if (plan->bloom_names != NULL)
        stoa_bloom_names_free(plan->bloom_names, plan->writer.nblooms);
    stoa_matcher_free(plan->matcher);
    stoa_order_reset(&plan->order);
    stoa_schema_reset(&plan->schema);
    if (plan->source != NULL)
        plan->source->close(plan->source);
    stoa_csv_inputs_free(plan->inputs);
    stoa_members_close(plan->piped);
    *plan = (struct stoa_plan_convert){.jsonl_inputs = plan->jsonl_inputs, .guess = plan->guess};
}

void stoa_plan_convert_reset(struct stoa_plan_convert *plan)
{
    stoa_plan_convert_again(plan);
    stoa_jsonl_inputs_free(plan->jsonl_inputs);
    if (plan->guess != NULL)
        stoa_schema_reset(plan->guess);
    stoa_free(plan->guess);
    *plan = (struct stoa_plan_convert){0};
}
