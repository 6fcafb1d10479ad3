/*
 * Planning a conversion.
 *
 * Columns. The source delivers the columns of the output, in their order, and behind them those
 * that only the filter needs; the matcher is bound to all of these. A Stoa source filters by
 * itself.
 *
 * Memory. What is alive at a time is bounded by the number of row groups on their way, so the plan
 * estimates what one of them takes and divides: text and arrays while it is parsed, arrays and
 * pages while it is encoded.
 */
#include "convert/convert_plan.h"

#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "convert/format.h"
#include "convert/stoa_side.h"
#include "csv/csv.h"

#define MIB               (UINT64_C(1) << 20)
#define MEMORY_NBYTES     (256 * MIB)
#define MEMORY_MORE       (96 * MIB) /* for each job after the second */
#define MEMORY_FIXED      (24 * MIB) /* footer, dictionaries, buffers of streams */
#define GROUP_TEXT_NBYTES (32 * MIB) /* of a row group, when nothing is known of it */

static uint64_t round_to_mib(uint64_t nbytes)
{
    return (nbytes + MIB - 1) / MIB;
}

static enum stoa_status plan_formats(struct stoa_plan_convert *plan,
                                     const struct stoa_convert_options *options,
                                     struct stoa_error *err)
{
    enum stoa_status st;

    plan->from = options->from;
    STOA_TRY(stoa_format_of_inputs(options->paths, options->npaths, &plan->from, err));
    plan->to = options->to;
    if (plan->to == STOA_FORMAT_AUTO)
        plan->to = stoa_format_of_name(options->output);
    if (plan->to == STOA_FORMAT_AUTO)
        return stoa_fail(err, STOA_ERR_USAGE,
                         "%s: the name does not say which format to write: csv, tsv, jsonl or stoa",
                         options->output);
out:
    return st;
}

/* The columns of the output in `schema`, then those that only the filter names. */
static enum stoa_status plan_columns(const struct stoa_convert_options *options,
                                     const struct stoa_schema *schema, uint32_t **out,
                                     uint32_t *nselected, uint32_t *ncolumns,
                                     struct stoa_error *err)
{
    struct stoa_matcher *matcher = NULL;
    uint32_t *columns = NULL;
    bool *taken = NULL;
    uint32_t n = 0;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&columns, schema->nfields, sizeof(*columns), err));
    STOA_TRY(stoa_alloc_zeroed(&taken, schema->nfields, sizeof(*taken), err));
    for (uint32_t i = 0; i < (options->columns != NULL ? options->ncolumns : schema->nfields);
         i++) {
        uint32_t column = i;

        if (options->columns != NULL)
            STOA_TRY(stoa_schema_find(schema, options->columns[i], &column, err));
        if (taken[column]) {
            st = stoa_fail(err, STOA_ERR_USAGE, "column %s is selected twice",
                           schema->fields[column].name);
            goto out;
        }
        taken[column] = true;
        columns[n++] = column;
    }
    *nselected = n;
    if (options->filter != NULL) {
        const uint32_t *needed;
        uint32_t nneeded;

        STOA_TRY(stoa_filter_bind(options->filter, schema, &matcher, err));
        needed = stoa_matcher_columns(matcher, &nneeded);
        for (uint32_t i = 0; i < nneeded; i++) {
            if (!taken[needed[i]])
                columns[n++] = needed[i];
        }
    }
    *ncolumns = n;
    *out = columns;
    columns = NULL;
out:
    stoa_matcher_free(matcher);
    stoa_free(columns);
    stoa_free(taken);
    return st;
}

/* Bytes of a row in memory, text and bytes aside. */
static uint64_t row_nbytes(const struct stoa_schema *schema)
{
    uint64_t nbytes = 0;

    for (uint32_t i = 0; i < schema->nfields; i++)
        nbytes += stoa_type_width(&schema->fields[i].type) + 5; /* offsets, codes, validity */
    return nbytes;
}

/* How many row groups of `text_nbytes` and `nrows` may be on their way, in how much memory. */
static enum stoa_status plan_memory(struct stoa_plan_convert *plan,
                                    const struct stoa_convert_options *options,
                                    uint64_t text_nbytes, uint64_t nrows, uint64_t *prefetch_nbytes,
                                    struct stoa_error *err)
{
    uint64_t memory = options->memory_nbytes;
    uint64_t arrays = nrows * row_nbytes(&plan->schema) + text_nbytes;
    uint64_t cost = arrays + (text_nbytes > arrays / 2 ? text_nbytes : arrays / 2) + MIB;
    uint64_t credits;

    if (memory == 0)
        memory = MEMORY_NBYTES + (plan->jobs > 2 ? (plan->jobs - 2) * MEMORY_MORE : 0);
    if (memory < MEMORY_FIXED + cost)
        return stoa_fail(err, STOA_ERR_USAGE,
                         "%llu MiB of memory are too few: one row group needs about %llu MiB "
                         "(smaller row groups need less)",
                         (unsigned long long)(memory / MIB),
                         (unsigned long long)round_to_mib(MEMORY_FIXED + cost));
    credits = (memory - MEMORY_FIXED) * 3 / 4 / cost;
    if (credits > 2 * (uint64_t)plan->jobs + 2)
        credits = 2 * (uint64_t)plan->jobs + 2;
    plan->max_in_flight = credits > 0 ? (size_t)credits : 1;
    *prefetch_nbytes = memory - MEMORY_FIXED - plan->max_in_flight * cost;
    return STOA_OK;
}

static enum stoa_status plan_csv(struct stoa_plan_convert *plan,
                                 const struct stoa_convert_options *options, struct stoa_error *err)
{
    struct stoa_csv_source_options source = {.csv = options->csv,
                                             .inferred = options->schema == NULL};
    struct stoa_csv_sample sample = {0};
    struct stoa_schema inferred = {0};
    uint32_t *columns = NULL;
    uint32_t nselected = 0;
    uint64_t unit_nrows = options->writer.row_group_nrows, unit_nbytes;
    enum stoa_status st;

    if (plan->from == STOA_FORMAT_TSV && source.csv.delimiter == 0)
        source.csv.delimiter = '\t';
    if (unit_nrows == 0)
        unit_nrows = STOA_ROW_GROUP_NROWS;
    unit_nbytes = options->writer.row_group_nbytes != 0 ? options->writer.row_group_nbytes
                                                        : STOA_ROW_GROUP_NBYTES;
    source.csv.unit_nrows = (uint32_t)unit_nrows;
    source.csv.unit_nbytes = unit_nbytes;
    STOA_TRY(stoa_csv_inputs_new(options->paths, options->npaths, &plan->inputs, err));
    if (options->schema == NULL)
        STOA_TRY(stoa_csv_inputs_infer(plan->inputs, &source.csv, &inferred, NULL, &sample, err));
    source.schema = options->schema != NULL ? options->schema : &inferred;
    STOA_TRY(plan_columns(options, source.schema, &columns, &nselected, &source.ncolumns, err));
    source.columns = columns;
    STOA_TRY(stoa_schema_select(&plan->schema, source.schema, columns, nselected, err));
    if (sample.nrows > 0 && sample.nbytes / sample.nrows < unit_nbytes / unit_nrows)
        unit_nbytes = unit_nrows * (sample.nbytes / sample.nrows + 1);
    else if (sample.nrows > 0)
        unit_nrows = unit_nbytes * sample.nrows / sample.nbytes + 1;
    STOA_TRY(plan_memory(plan, options, unit_nbytes, unit_nrows, &source.prefetch_nbytes, err));
    STOA_TRY(stoa_csv_source_open(plan->inputs, &source, &plan->source, err));
    if (options->filter != NULL)
        STOA_TRY(stoa_filter_bind(options->filter, plan->source->schema, &plan->matcher, err));
out:
    stoa_schema_reset(&inferred);
    stoa_free(columns);
    return st;
}

static enum stoa_status plan_stoa(struct stoa_plan_convert *plan,
                                  const struct stoa_convert_options *options,
                                  struct stoa_error *err)
{
    const struct stoa_scan_options scan = {
        .columns = options->columns, .ncolumns = options->ncolumns, .filter = options->filter};
    uint64_t unused;
    enum stoa_status st;

    if (options->schema != NULL)
        return stoa_fail(err, STOA_ERR_USAGE,
                         "a schema can be given for text: a Stoa file has its own");
    STOA_TRY(stoa_scan_source_open(options->paths, options->npaths, &scan, &plan->source, err));
    STOA_TRY(stoa_schema_copy(&plan->schema, plan->source->schema, err));
    STOA_TRY(plan_memory(plan, options, GROUP_TEXT_NBYTES, STOA_ROW_GROUP_NROWS, &unused, err));
out:
    return st;
}

enum stoa_status stoa_plan_convert_init(struct stoa_plan_convert *plan,
                                        const struct stoa_convert_options *options,
                                        struct stoa_error *err)
{
    long nprocessors = sysconf(_SC_NPROCESSORS_ONLN);
    enum stoa_status st;

    *plan = (struct stoa_plan_convert){0};
    plan->jobs = options->jobs != 0 ? options->jobs : nprocessors > 0 ? (unsigned)nprocessors : 1;
    STOA_TRY(plan_formats(plan, options, err));
    plan->csv_out.delimiter = plan->to == STOA_FORMAT_TSV ? '\t' : ',';
    plan->csv_out.no_header = plan->from == STOA_FORMAT_STOA && options->csv.no_header;
    if (plan->from == STOA_FORMAT_STOA)
        STOA_TRY(plan_stoa(plan, options, err));
    else
        STOA_TRY(plan_csv(plan, options, err));
out:
    if (st != STOA_OK)
        stoa_plan_convert_reset(plan);
    return st;
}

void stoa_plan_convert_reset(struct stoa_plan_convert *plan)
{
    stoa_matcher_free(plan->matcher);
    stoa_schema_reset(&plan->schema);
    if (plan->source != NULL)
        plan->source->close(plan->source);
    stoa_csv_inputs_free(plan->inputs);
    *plan = (struct stoa_plan_convert){0};
}
