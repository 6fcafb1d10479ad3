/*
 * The plan of a conversion from Avro files (spec/avro.md): their schema is their own, or another
 * one of Avro that they are read as. Nothing is guessed.
 */
#include "avro/avro_source.h"
#include "base/alloc.h"
#include "base/error.h"
#include "convert/convert_plan.h"

static enum stoa_status check_options(const struct stoa_convert_options *options,
                                      struct stoa_error *err)
{
    if (options->schema != NULL && options->avro_schema == NULL)
        return stoa_fail(err, STOA_ERR_USAGE,
                         "an Avro file is read with a schema of Avro (.avsc), or with its own");
    if (options->csv.filename != NULL)
        return stoa_fail(err, STOA_ERR_USAGE,
                         "names of inputs can be added to text, not to the rows of an Avro file");
    if (options->rows != NULL)
        return stoa_fail(err, STOA_ERR_USAGE,
                         "rows can be picked from a Stoa file, not from an Avro file");
    if (options->on_error != STOA_CSV_ON_ERROR_ABORT &&
        options->on_error != STOA_CSV_ON_ERROR_SKIP_BLOCK)
        return stoa_fail(err, STOA_ERR_USAGE,
                         "no single row is left out of an Avro file, but the block that it is in: "
                         "--on-error skip-block");
    if (options->max_errors > 0 && options->on_error == STOA_CSV_ON_ERROR_ABORT)
        return stoa_fail(err, STOA_ERR_USAGE,
                         "--max-errors counts the places where an Avro file is damaged, of which "
                         "the first ends the run: --on-error skip-block");
    if (options->max_error_ratio > 0)
        return stoa_fail(err, STOA_ERR_USAGE,
                         "--max-error-ratio is of records of text: --max-errors counts the places "
                         "where an Avro file is damaged");
    return STOA_OK;
}

static enum stoa_status plan_avro(struct stoa_plan_convert *plan,
                                  const struct stoa_convert_options *options,
                                  const struct stoa_reject_sinks *rejects, struct stoa_error *err)
{
    struct stoa_avro_source_options source = {.unit_nrows = plan->group_nrows,
                                              .unit_nbytes = plan->group_nbytes,
                                              .split_begin = options->avro_split_begin,
                                              .split_end = options->avro_split_end,
                                              .max_row_nbytes = options->csv.max_record_nbytes,
                                              .max_lost = options->max_errors,
                                              .note = options->note,
                                              .note_context = options->note_context};
    struct stoa_avro_inputs *inputs = NULL;
    const struct stoa_schema *table;
    uint32_t *columns = NULL;
    uint32_t nselected = 0;
    enum stoa_status st;

    (void)rejects; /* no row is left out alone */
    STOA_TRY(check_options(options, err));
    STOA_TRY(stoa_avro_inputs_open(options->paths, options->npaths, options->avro_schema,
                                   options->on_error == STOA_CSV_ON_ERROR_SKIP_BLOCK, &plan->piped,
                                   &inputs, err));
    table = stoa_avro_inputs_schema(inputs);
    STOA_TRY(stoa_plan_columns(options, table, &columns, &nselected, &source.ncolumns, err));
    source.columns = columns;
    STOA_TRY(stoa_schema_select(&plan->schema, table, columns, nselected, err));
    STOA_TRY(stoa_avro_source_open(inputs, &source, &plan->source, err));
    inputs = NULL;
    stoa_memory_init(&plan->memory, options->memory_nbytes, plan->jobs, plan->group_nbytes, 0,
                     plan->source->schema, plan->to != STOA_FORMAT_STOA);
    if (options->filter != NULL)
        STOA_TRY(stoa_filter_bind(options->filter, plan->source->schema, &plan->matcher, err));
out:
    stoa_avro_inputs_close(inputs);
    stoa_free(columns);
    return st;
}

const struct stoa_source_kind stoa_avro_kind = {
    .plan = plan_avro, .lost = stoa_avro_source_lost, .obstacle = "the input is no CSV"};
