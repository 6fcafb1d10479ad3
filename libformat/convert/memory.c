/*
 * Estimates of memory, from what was measured on tables of all shapes.
 *
 *     read     text of the unit | columns                      columns of text grow by doubling
 *     write    columns | distinct texts and their table | codes | pages | Bloom filters, or text
 *     restore  columns | side table | text
 *
 * A row group is in one of these states; it is charged for the larger one until its rows are known,
 * for the second one from then on, and in the end for what is left of it, its pages. How much text
 * goes into columns is not known of a unit that was not read: all of it may, whatever the others
 * before it had, as columns that were empty fill. Columns below lists may even take more than their
 * text: "1," is a value of 8 bytes, and "{}," one of each field. So such units are cut smaller, by
 * as much as their types say. A binary format may take less than that for a value: of its units it
 * is expected what those before them took.
 */
#include "convert/memory.h"

#include <inttypes.h>

#include "base/error.h"

#define MIB           (UINT64_C(1) << 20)
#define PROGRAM       (24 * MIB) /* code, encoders, buffers of streams, what malloc leaves open */
#define DISTINCT_MAX  (32 * MIB) /* distinct texts of a row group that a writer keeps */
#define SHARE_UNIT    1024
#define MIN_UNIT      (UINT64_C(64) << 10)
#define SLOT_NBYTES   20 /* of its table for each of them */
#define CODE_NBYTES   4  /* of each row */
#define HASHES_NBYTES 16 /* of a value whose Bloom filter is made */

#define SMALLER_GROUPS " (smaller row groups need less)"

static bool is_text(const struct stoa_type *type)
{
    return type->id == STOA_UTF8 || type->id == STOA_BINARY;
}

static bool is_list(const struct stoa_type *type)
{
    return type->id == STOA_LIST || type->id == STOA_MAP;
}

/* Bytes of one value of a node, its text and its children aside. */
static uint64_t bytes_of_value(const struct stoa_type *type)
{
    return is_text(type) || is_list(type) ? sizeof(int32_t) : stoa_type_width(type);
}

static void add_field(const struct stoa_field *field, bool below_list, struct stoa_memory_row *row)
{
    const struct stoa_type *type = &field->type;

    row->fixed_nbytes += below_list ? 0 : bytes_of_value(type);
    row->ntexts += is_text(type);
    row->varies |= is_text(type) || below_list;
    below_list |= is_list(type) || type->id == STOA_FIXED_LIST;
    for (uint32_t i = 0; i < field->nchildren; i++)
        add_field(&field->children[i], below_list, row);
}

/* Bytes of a value with all of the parts that it has even where its text names none of them. */
static uint64_t bytes_of_parts(const struct stoa_field *field)
{
    uint64_t nbytes = 0;

    if (!is_list(&field->type))
        for (uint32_t i = 0; i < field->nchildren; i++)
            nbytes += bytes_of_parts(&field->children[i]);
    if (field->type.id == STOA_FIXED_LIST)
        nbytes *= field->type.width;
    return nbytes + bytes_of_value(&field->type);
}

/* "1," or "{}," for each value of a list. */
static uint64_t growth_of(const struct stoa_field *field)
{
    uint64_t growth = 1;

    for (uint32_t i = 0; i < field->nchildren; i++) {
        const struct stoa_field *child = &field->children[i];
        const uint64_t below = growth_of(child);
        const uint64_t here =
            is_list(&field->type) ? bytes_of_parts(child) / (child->nchildren > 0 ? 3 : 2) : 1;

        growth = below > growth ? below : growth;
        growth = here > growth ? here : growth;
    }
    return growth;
}

static struct stoa_memory_row row_of(const struct stoa_schema *schema)
{
    struct stoa_memory_row row = {.nfields = schema->nfields, .growth = 1};

    for (uint32_t i = 0; i < schema->nfields; i++) {
        const uint64_t growth = growth_of(&schema->fields[i]);

        add_field(&schema->fields[i], false, &row);
        row.growth = growth > row.growth ? growth : row.growth;
    }
    return row;
}

uint64_t stoa_memory_text_nbytes(const struct stoa_schema *schema, uint64_t group_nbytes)
{
    const uint64_t nbytes = group_nbytes / row_of(schema).growth;
    const uint64_t least = group_nbytes < MIN_UNIT ? group_nbytes : MIN_UNIT;

    return nbytes > least ? nbytes : least;
}

void stoa_memory_init(struct stoa_memory *memory, uint64_t limit_nbytes, unsigned jobs,
                      uint64_t unit_nbytes, uint64_t nahead, const struct stoa_schema *schema,
                      bool to_text)
{
    uint64_t ahead_nbytes;

    *memory = (struct stoa_memory){
        .row = row_of(schema), .to_text = to_text, .makes_groups = unit_nbytes > 0 && !to_text};
    memory->refuses = limit_nbytes > 0 || unit_nbytes > 0;
    if (limit_nbytes == 0)
        limit_nbytes = STOA_CONVERT_MEMORY_NBYTES +
                       (jobs > 2 ? (jobs - 2) * STOA_CONVERT_MEMORY_JOB_NBYTES : 0);
    memory->limit_nbytes = limit_nbytes;
    if (unit_nbytes == 0) /* units tell what is in their columns, and of no text */
        memory->row.growth = 1;
    atomic_init(&memory->nbytes, 0);
    if (limit_nbytes <= PROGRAM)
        return;
    ahead_nbytes = (limit_nbytes - PROGRAM) / 4; /* most of it is for work that can go on */
    if (unit_nbytes < ahead_nbytes / (nahead > 0 ? nahead : 1))
        ahead_nbytes = nahead * unit_nbytes;
    memory->prefetch_nbytes = ahead_nbytes;
}

void stoa_memory_add_blooms(struct stoa_memory *memory, uint64_t nbits, unsigned nblooms,
                            unsigned jobs)
{
    memory->bloom_nbits = nbits;
    memory->bloom_nthreads = nblooms < jobs ? nblooms : jobs;
}

/*
 * Filters of a row group, their copies on the way to the footer, and what is left open where these
 * were.
 */
static uint64_t blooms_nbytes(const struct stoa_memory *memory, uint64_t nrows)
{
    const uint64_t made = nrows * memory->bloom_nbits / 8;
    const uint64_t hashes = nrows * memory->bloom_nthreads * HASHES_NBYTES;

    return 3 * made + hashes;
}

/*
 * What a row group takes besides its rows. With filters it may take more while it is written than
 * while it was read: then text ahead of its turn is there as well, and what the footer will have.
 */
static uint64_t beside_rows(const struct stoa_memory *memory)
{
    if (memory->to_text || memory->bloom_nbits == 0)
        return MIB;
    return MIB + memory->prefetch_nbytes + memory->limit_nbytes / STOA_FOOTER_SHARE;
}

static uint64_t write_nbytes(const struct stoa_memory *memory, uint64_t nrows,
                             uint64_t fixed_nbytes, uint64_t text_nbytes, uint64_t ntexts)
{
    const uint64_t distinct_nbytes = text_nbytes < DISTINCT_MAX ? text_nbytes : DISTINCT_MAX;
    const uint64_t ndistinct = ntexts < text_nbytes ? ntexts : text_nbytes; /* one is empty */

    if (memory->to_text)
        return beside_rows(memory) + 3 * fixed_nbytes + 5 * text_nbytes / 2;
    return beside_rows(memory) + 5 * fixed_nbytes / 4 + 2 * text_nbytes + distinct_nbytes +
           ndistinct * SLOT_NBYTES + ntexts * CODE_NBYTES + blooms_nbytes(memory, nrows);
}

/*
 * *out is nbytes, unless so much never fits. `text_nbytes` of it may have made the sum wrap around.
 * `hint` ends the message: what would help. Units of a binary format are only guessed to be large,
 * and could be no smaller: where no limit was asked for, such a one takes all there is.
 */
static enum stoa_status check_limit(const struct stoa_memory *memory, uint64_t text_nbytes,
                                    uint64_t nbytes, const char *hint, uint64_t *out,
                                    struct stoa_error *err)
{
    if (text_nbytes > memory->limit_nbytes)
        nbytes = text_nbytes < UINT64_MAX - PROGRAM ? text_nbytes : UINT64_MAX - PROGRAM;
    *out = nbytes;
    if (nbytes + PROGRAM <= memory->limit_nbytes)
        return STOA_OK;
    if (!memory->refuses) {
        *out = memory->limit_nbytes - PROGRAM;
        return STOA_OK;
    }
    return stoa_fail(err, STOA_ERR_USAGE,
                     "%" PRIu64 " MiB of memory are too few: one row group needs about %" PRIu64
                     " MiB%s",
                     memory->limit_nbytes / MIB, (nbytes + PROGRAM) / MIB + 1, hint);
}

/* A unit, of whose text so much goes into columns. */
static uint64_t unit_nbytes(const struct stoa_memory *memory, uint64_t text_nbytes, uint64_t nrows,
                            uint64_t in_columns)
{
    const uint64_t fixed = nrows * memory->row.fixed_nbytes;
    const uint64_t reading = MIB + text_nbytes + fixed + 3 * in_columns / 2;
    const uint64_t writing =
        write_nbytes(memory, nrows, fixed, in_columns, nrows * memory->row.ntexts);

    return reading > writing ? reading : writing;
}

enum stoa_status stoa_memory_of_unit(const struct stoa_memory *memory, uint64_t text_nbytes,
                                     uint64_t nrows, uint64_t *out, struct stoa_error *err)
{
    const uint64_t between = nrows * memory->row.nfields; /* what ends fields is in no column */
    const uint64_t most = memory->row.varies && between < text_nbytes ? text_nbytes - between : 0;
    const uint64_t learnt = text_nbytes / SHARE_UNIT * atomic_load(&memory->share);
    const uint64_t grown = most * memory->row.growth;
    const uint64_t in_columns = grown > learnt ? grown : learnt;
    enum stoa_status st =
        check_limit(memory, text_nbytes, unit_nbytes(memory, text_nbytes, nrows, most),
                    memory->makes_groups ? SMALLER_GROUPS : " (--memory allows more)", out, err);

    if (st == STOA_OK && memory->row.varies && in_columns > most) {
        const uint64_t room = memory->limit_nbytes - PROGRAM;
        const uint64_t nbytes = unit_nbytes(memory, text_nbytes, nrows, in_columns);

        *out = nbytes < room ? nbytes : room;
    }
    return st;
}

enum stoa_status stoa_memory_of_restored(const struct stoa_memory *memory, uint64_t text_nbytes,
                                         uint64_t nrows, uint64_t *out, struct stoa_error *err)
{
    const uint64_t fixed = nrows * memory->row.fixed_nbytes;

    return check_limit(memory, text_nbytes, MIB + 5 * fixed / 4 + 5 * text_nbytes / 2,
                       " to be written as text", out, err);
}

/* What a batch takes. */
struct size {
    uint64_t fixed_nbytes;
    uint64_t text_nbytes;
    uint64_t ntexts; /* values of text or bytes */
};

static void add_array(const struct stoa_field *field, const struct stoa_array *array,
                      struct size *size)
{
    size->fixed_nbytes += array->nvalues * bytes_of_value(&field->type);
    if (is_text(&field->type)) {
        size->ntexts += array->nvalues;
        if (array->offsets != NULL)
            size->text_nbytes += (uint64_t)array->offsets[array->nvalues];
    }
    for (uint32_t i = 0; i < array->nchildren; i++)
        add_array(&field->children[i], &array->children[i], size);
}

static struct size size_of(const struct stoa_batch *batch)
{
    struct size size = {0};

    for (uint32_t i = 0; i < batch->ncolumns; i++)
        add_array(&batch->schema->fields[i], &batch->columns[i], &size);
    return size;
}

uint64_t stoa_memory_batch_nbytes(const struct stoa_batch *batch)
{
    struct size size = size_of(batch);

    return size.fixed_nbytes + size.text_nbytes;
}

void stoa_memory_learn(struct stoa_memory *memory, uint64_t text_nbytes,
                       const struct stoa_batch *batch)
{
    const struct size size = size_of(batch);
    const uint64_t beside = batch->nrows * memory->row.fixed_nbytes;
    const uint64_t below = size.fixed_nbytes > beside ? size.fixed_nbytes - beside : 0;
    const uint64_t share = (size.text_nbytes + below) / (text_nbytes / SHARE_UNIT + 1) + 1;
    uint_fast32_t known = atomic_load(&memory->share);

    while (known < share &&
           !atomic_compare_exchange_weak(&memory->share, &known,
                                         (uint_fast32_t)(share < UINT16_MAX ? share : UINT16_MAX)))
        ;
}

uint64_t stoa_memory_of_batch(const struct stoa_memory *memory, const struct stoa_batch *batch)
{
    struct size size = size_of(batch);

    return write_nbytes(memory, batch->nrows, size.fixed_nbytes, size.text_nbytes, size.ntexts);
}

enum stoa_status stoa_memory_of_joined(const struct stoa_memory *memory, uint64_t a_nbytes,
                                       uint64_t b_nbytes, double times, uint64_t *out,
                                       struct stoa_error *err)
{
    const uint64_t beside = beside_rows(memory); /* once, not with each of them */
    uint64_t full;
    double rows;

    *out = a_nbytes + b_nbytes - beside;
    if (!memory->refuses || *out + PROGRAM <= memory->limit_nbytes)
        return STOA_OK;
    rows = (double)(*out - beside) * times;
    full = beside + (rows < 0x1p62 ? (uint64_t)rows : UINT64_C(1) << 62);
    return check_limit(memory, 0, full, SMALLER_GROUPS, out, err);
}

uint64_t stoa_memory_of_node(const struct stoa_type *type, bool below_list, uint64_t nvalues,
                             uint64_t stored_nbytes)
{
    uint64_t nbytes = below_list ? nvalues * bytes_of_value(type) : 0;

    /* Most text is stored four times smaller, and of a dictionary only the codes are seen here. */
    return is_text(type) ? nbytes + 4 * stored_nbytes + 16 * nvalues : nbytes;
}

bool stoa_memory_has_room_for(const struct stoa_memory *memory, uint64_t kept_nbytes,
                              uint64_t nbytes)
{
    return PROGRAM + memory->prefetch_nbytes + kept_nbytes + atomic_load(&memory->nbytes) +
               nbytes <=
           memory->limit_nbytes;
}

bool stoa_memory_has_room(const struct stoa_memory *memory, uint64_t kept_nbytes)
{
    return stoa_memory_has_room_for(memory, kept_nbytes, memory->last_nbytes);
}
