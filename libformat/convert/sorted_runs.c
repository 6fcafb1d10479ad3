/*
 * Merging sorted runs.
 *
 *     runs      [ 1 4 4 9 .. ]  [ 2 4 7 .. ]  [ 3 3 8 .. ]
 *                 ^ cursors: keys alone, some rows ahead; a heap has the least one on top
 *     unit      which run each row comes from:  0 1 2 2 0 0 1 ..      decided in order, by one
 * thread batch     rows of each run, which stand side by side in the file, read, joined, and taken
 *               in that order                                          any thread
 *
 * Of equal rows that of the first run comes first, and runs stand in the order of the input.
 */
#include "convert/sorted_runs.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "column/order.h"

enum {
    WINDOW_MAX_NROWS = 4096, /* of keys that a cursor has in memory */
    WINDOW_MIN_NROWS = 64,   /* below which fewer runs are merged at a time */
    HUGE_NBYTES = 64 << 20,  /* a row that may need a row group of its own gets one */
};

void stoa_sorted_file_reset(struct stoa_sorted_file *file)
{
    stoa_reader_close(file->reader);
    stoa_source_close(file->source);
    stoa_sink_close(file->spill);
    stoa_free(file->runs);
    *file = (struct stoa_sorted_file){0};
}

static uint64_t most_key_nbytes(const struct stoa_sorted_file *file)
{
    uint64_t most = 1;

    for (size_t i = 0; i < file->nruns; i++)
        most = file->runs[i].key_nbytes > most ? file->runs[i].key_nbytes : most;
    return most;
}

size_t stoa_run_merge_nmerged(const struct stoa_sorted_file *file, uint64_t keys_nbytes)
{
    const uint64_t n = keys_nbytes / WINDOW_MIN_NROWS / most_key_nbytes(file);

    return n < 2 ? 2 : n > STOA_MERGED_MAX_NRUNS ? STOA_MERGED_MAX_NRUNS : (size_t)n;
}

/* Where a run is read: rows [at, n) of those in memory are to come, then [next, end) of the file.
 */
struct cursor {
    uint64_t next, end;
    uint64_t row;            /* number in the file of the row at `at` */
    struct stoa_array *keys; /* of each key */
    struct stoa_array sizes; /* of the rows, or `{0}` */
    uint64_t *bits;          /* of the first key */
    size_t at, n;
};

struct merge_source {
    struct stoa_batch_source base;
    struct stoa_run_merge merge;
    struct stoa_sorted_file file;
    struct cursor *cursors; /* of the runs that are merged now */
    uint16_t *heap;         /* numbers of cursors with rows left, the least row on top */
    size_t ncursors, nheap;
    size_t next_run; /* behind those */
    size_t window_nrows;
};

struct piece {
    uint64_t begin; /* rows of the file, side by side */
    uint32_t nrows;
};

struct merge_unit {
    struct stoa_unit base;
    uint16_t *from; /* the run that each row comes from */
    size_t capacity;
    struct piece *pieces; /* of each run */
    size_t npieces;
};

/* ---- Rows of the file. ---- */

/* Rows [begin, end) of a column, which may stand in several row groups. */
static enum stoa_status read_rows(struct stoa_reader *reader, const struct stoa_field *field,
                                  uint32_t column, uint64_t begin, uint64_t end,
                                  struct stoa_array *out, struct stoa_error *err)
{
    struct stoa_array joined = {0}, part = {0};
    enum stoa_status st = STOA_OK;

    while (begin < end) {
        struct stoa_row_group group;
        struct stoa_rows rows;
        uint32_t number;

        STOA_TRY(stoa_reader_locate(reader, begin, &number, err));
        STOA_TRY(stoa_reader_row_group(reader, number, &group, err));
        rows.begin = begin - group.first_row;
        rows.end = end - group.first_row < group.nrows ? end - group.first_row : group.nrows;
        STOA_TRY(stoa_reader_column(reader, number, column, rows, &part, NULL, err));
        begin += rows.end - rows.begin;
        if (joined.nvalues > 0) {
            const struct stoa_array *const parts[] = {&joined, &part};
            struct stoa_array both;

            STOA_TRY(stoa_array_concat(field, parts, 2, &both, err));
            stoa_array_reset(&joined);
            stoa_array_reset(&part);
            joined = both;
        } else {
            joined = part;
            part = (struct stoa_array){0};
        }
    }
    *out = joined;
    joined = (struct stoa_array){0};
out:
    stoa_array_reset(&joined);
    stoa_array_reset(&part);
    return st;
}

/* ---- Cursors. ---- */

static void cursor_drop_rows(struct cursor *cursor, uint32_t nkeys)
{
    for (uint32_t k = 0; cursor->keys != NULL && k < nkeys; k++)
        stoa_array_reset(&cursor->keys[k]);
    stoa_array_reset(&cursor->sizes);
    stoa_free(cursor->bits);
    cursor->bits = NULL;
    cursor->at = cursor->n = 0;
}

static void drop_cursors(struct merge_source *source)
{
    for (size_t i = 0; i < source->ncursors; i++) {
        cursor_drop_rows(&source->cursors[i], source->merge.order->nkeys);
        stoa_free(source->cursors[i].keys);
    }
    source->ncursors = source->nheap = 0;
}

/* The next rows of its run, of which there are some. */
static enum stoa_status cursor_load(struct merge_source *source, struct cursor *cursor,
                                    struct stoa_error *err)
{
    static const struct stoa_field size_field = {.type = {.id = STOA_UINT32}};
    const struct stoa_sort_order *order = source->merge.order;
    const struct stoa_field *fields = source->merge.schema->fields;
    const uint64_t left = cursor->end - cursor->next;
    const size_t n = left < source->window_nrows ? (size_t)left : source->window_nrows;
    const uint64_t begin = cursor->next, end = begin + n;
    enum stoa_status st = STOA_OK;

    cursor_drop_rows(cursor, order->nkeys);
    for (uint32_t k = 0; k < order->nkeys; k++) {
        const uint32_t column = order->keys[k].column;

        STOA_TRY(read_rows(source->file.reader, &fields[column], column, begin, end,
                           &cursor->keys[k], err));
    }
    if (source->merge.row_nbytes == 0)
        STOA_TRY(read_rows(source->file.reader, &size_field, source->merge.size_column, begin, end,
                           &cursor->sizes, err));
    STOA_TRY(stoa_alloc(&cursor->bits, n * sizeof(*cursor->bits), err));
    stoa_key_bits(&order->keys[0], &fields[order->keys[0].column].type, &cursor->keys[0], 0, n,
                  cursor->bits);
    cursor->row = begin;
    cursor->next = end;
    cursor->n = n;
out:
    return st;
}

static uint64_t row_nbytes(const struct merge_source *source, const struct cursor *cursor)
{
    uint32_t nbytes;

    if (source->merge.row_nbytes > 0)
        return source->merge.row_nbytes;
    memcpy(&nbytes, cursor->sizes.values + cursor->at * sizeof(nbytes), sizeof(nbytes));
    return nbytes;
}

static bool is_null(const struct merge_source *source, const struct cursor *cursor)
{
    const struct stoa_sort_order *order = source->merge.order;

    return source->merge.schema->fields[order->keys[0].column].type.id == STOA_NULL ||
           stoa_array_is_null(&cursor->keys[0], cursor->at);
}

/* Whether the row of cursor i comes before that of cursor j. */
static bool comes_before(const struct merge_source *source, uint16_t i, uint16_t j)
{
    const struct cursor *a = &source->cursors[i], *b = &source->cursors[j];
    const struct stoa_sort_order *order = source->merge.order;
    const struct stoa_schema *schema = source->merge.schema;
    const bool a_null = is_null(source, a), b_null = is_null(source, b);
    uint32_t first = a_null;
    int difference;

    if (a_null != b_null)
        return a_null == order->keys[0].nulls_first;
    if (!a_null) {
        if (a->bits[a->at] != b->bits[b->at])
            return a->bits[a->at] < b->bits[b->at];
        first = stoa_key_is_exact(&schema->fields[order->keys[0].column].type);
    }
    difference = stoa_order_compare(order, schema, first, a->keys, a->at, b->keys, b->at);
    return difference != 0 ? difference < 0 : i < j;
}

/* Lets the cursor at place `at` of the heap sink to where it belongs. */
static void sift_down(struct merge_source *source, size_t at)
{
    uint16_t *heap = source->heap;
    const uint16_t sinking = heap[at];

    for (;;) {
        size_t child = 2 * at + 1;

        if (child + 1 < source->nheap && comes_before(source, heap[child + 1], heap[child]))
            child++;
        if (child >= source->nheap || !comes_before(source, heap[child], sinking))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = sinking;
}

/* Moves the cursor on top of the heap to its next row. */
static enum stoa_status step(struct merge_source *source, struct stoa_error *err)
{
    struct cursor *cursor = &source->cursors[source->heap[0]];
    enum stoa_status st = STOA_OK;

    cursor->at++;
    cursor->row++;
    if (cursor->at == cursor->n && cursor->next < cursor->end)
        STOA_TRY(cursor_load(source, cursor, err));
    if (cursor->at == cursor->n)
        source->heap[0] = source->heap[--source->nheap];
    if (source->nheap > 0)
        sift_down(source, 0);
out:
    return st;
}

/* Cursors for the next runs that are merged; none when all were. */
static enum stoa_status next_cursors(struct merge_source *source, struct stoa_error *err)
{
    const struct stoa_run_merge *merge = &source->merge;
    enum stoa_status st = STOA_OK;

    drop_cursors(source);
    while (source->ncursors < merge->nmerged && source->next_run < source->file.nruns) {
        const struct stoa_sorted_run *run = &source->file.runs[source->next_run++];
        struct cursor *cursor = &source->cursors[source->ncursors++];

        *cursor = (struct cursor){.next = run->begin, .end = run->end};
        STOA_TRY(stoa_alloc_zeroed(&cursor->keys, merge->order->nkeys, sizeof(*cursor->keys), err));
        STOA_TRY(cursor_load(source, cursor, err));
    }
    for (size_t i = 0; i < source->ncursors; i++)
        source->heap[i] = (uint16_t)i;
    source->nheap = source->ncursors;
    for (size_t i = source->nheap / 2; i-- > 0;)
        sift_down(source, i);
out:
    return st;
}

/* ---- Units. ---- */

static void unit_free(struct stoa_unit *base)
{
    struct merge_unit *unit = (struct merge_unit *)base;

    stoa_free(unit->from);
    stoa_free(unit->pieces);
    stoa_free(unit);
}

/* Adds rows of the merged runs, up to the limits of a batch. */
static enum stoa_status fill_unit(struct merge_source *source, struct merge_unit *unit,
                                  struct stoa_error *err)
{
    const struct stoa_run_merge *merge = &source->merge;
    uint64_t nbytes = 0;
    bool full = false;
    enum stoa_status st = STOA_OK;

    while (source->nheap > 0 && !full) {
        const uint16_t number = source->heap[0];
        const struct cursor *cursor = &source->cursors[number];
        const uint64_t more = row_nbytes(source, cursor);
        struct piece *piece = &unit->pieces[number];
        const bool is_huge = more >= HUGE_NBYTES;

        if (unit->base.nrows > 0 && (is_huge || more > merge->group_nbytes - nbytes))
            break;
        STOA_TRY(stoa_reserve(&unit->from, &unit->capacity, (size_t)unit->base.nrows + 1,
                              sizeof(*unit->from), err));
        unit->from[unit->base.nrows++] = number;
        if (piece->nrows++ == 0)
            piece->begin = cursor->row;
        nbytes += more;
        full = is_huge || nbytes >= merge->group_nbytes || unit->base.nrows == merge->group_nrows;
        STOA_TRY(step(source, err));
    }
    unit->base.nbytes = merge->row_nbytes > 0 ? 0 : nbytes;
out:
    return st;
}

static enum stoa_status source_next(struct stoa_batch_source *base, struct stoa_unit **out,
                                    struct stoa_error *err)
{
    struct merge_source *source = (struct merge_source *)base;
    struct merge_unit *unit = NULL;
    enum stoa_status st = STOA_OK;

    *out = NULL;
    if (source->nheap == 0)
        STOA_TRY(next_cursors(source, err));
    if (source->nheap == 0)
        goto out;
    STOA_TRY(stoa_alloc_zeroed(&unit, 1, sizeof(*unit), err));
    unit->base.free = unit_free;
    unit->npieces = source->ncursors;
    STOA_TRY(stoa_alloc_zeroed(&unit->pieces, unit->npieces, sizeof(*unit->pieces), err));
    STOA_TRY(fill_unit(source, unit, err));
    *out = &unit->base;
    unit = NULL;
out:
    if (unit != NULL)
        unit_free(&unit->base);
    return st;
}

/*
 * Where each row of the unit stands in its pieces, one behind the other; false when they stand in
 * order already.
 */
static bool place_rows(const struct merge_unit *unit, uint32_t *places)
{
    uint32_t next[STOA_MERGED_MAX_NRUNS], end = 0;
    bool moves = false;

    for (size_t i = 0; i < unit->npieces; i++) {
        next[i] = end;
        end += unit->pieces[i].nrows;
    }
    for (size_t i = 0; i < unit->base.nrows; i++) {
        places[i] = next[unit->from[i]]++;
        moves |= places[i] != i;
    }
    return moves;
}

/* A column of the rows of a unit. */
static enum stoa_status read_column(const struct merge_source *source,
                                    const struct merge_unit *unit, uint32_t column,
                                    const uint32_t *places, struct stoa_array *parts,
                                    struct stoa_array *out, struct stoa_error *err)
{
    const struct stoa_field *field = &source->merge.schema->fields[column];
    const struct stoa_array *lent[STOA_MERGED_MAX_NRUNS];
    struct stoa_array all = {0};
    size_t n = 0;
    enum stoa_status st = STOA_OK;

    for (size_t i = 0; i < unit->npieces; i++) {
        const struct piece *piece = &unit->pieces[i];

        if (piece->nrows == 0)
            continue;
        STOA_TRY(read_rows(source->file.reader, field, column, piece->begin,
                           piece->begin + piece->nrows, &parts[n], err));
        lent[n] = &parts[n];
        n++;
    }
    STOA_TRY(stoa_array_concat(field, lent, n, &all, err));
    for (size_t i = 0; i < n; i++)
        stoa_array_reset(&parts[i]);
    if (places != NULL) {
        STOA_TRY(stoa_array_take(field, &all, places, (size_t)unit->base.nrows, out, err));
    } else {
        *out = all;
        all = (struct stoa_array){0};
    }
out:
    for (size_t i = 0; i < n; i++)
        stoa_array_reset(&parts[i]);
    stoa_array_reset(&all);
    return st;
}

static enum stoa_status source_read(struct stoa_batch_source *base, struct stoa_unit *unit_base,
                                    struct stoa_batch *out, struct stoa_notes **notes,
                                    struct stoa_error *err)
{
    const struct merge_source *source = (const struct merge_source *)base;
    const struct merge_unit *unit = (const struct merge_unit *)unit_base;
    struct stoa_array parts[STOA_MERGED_MAX_NRUNS] = {{0}};
    struct stoa_batch batch = {0};
    uint32_t *places = NULL;
    bool moves;
    enum stoa_status st;

    (void)notes;
    STOA_TRY(stoa_batch_init(&batch, source->merge.schema, err));
    STOA_TRY(stoa_alloc_zeroed(&places, (size_t)unit->base.nrows, sizeof(*places), err));
    moves = place_rows(unit, places);
    for (uint32_t i = 0; i < batch.ncolumns; i++)
        STOA_TRY(
            read_column(source, unit, i, moves ? places : NULL, parts, &batch.columns[i], err));
    batch.nrows = (size_t)unit->base.nrows;
    *out = batch;
    batch = (struct stoa_batch){0};
out:
    stoa_free(places);
    stoa_batch_reset(&batch);
    unit_free(unit_base);
    return st;
}

/* ---- The source. ---- */

static uint64_t source_kept_nbytes(struct stoa_batch_source *base)
{
    return ((const struct merge_source *)base)->merge.keys_nbytes;
}

static void source_progress(struct stoa_batch_source *base, uint64_t *done, uint64_t *total)
{
    *done = *total = ((const struct merge_source *)base)->merge.input_nbytes;
}

static void source_close(struct stoa_batch_source *base)
{
    struct merge_source *source = (struct merge_source *)base;

    drop_cursors(source);
    stoa_free(source->cursors);
    stoa_free(source->heap);
    stoa_sorted_file_reset(&source->file);
    stoa_free(source);
}

enum stoa_status stoa_run_merge_open(struct stoa_sorted_file *file,
                                     const struct stoa_run_merge *merge,
                                     struct stoa_batch_source **out, struct stoa_error *err)
{
    const size_t nmerged = merge->nmerged < file->nruns ? merge->nmerged : file->nruns;
    struct merge_source *source = NULL;
    uint64_t nrows = WINDOW_MAX_NROWS;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&source, 1, sizeof(*source), err));
    source->merge = *merge;
    STOA_TRY(stoa_alloc_zeroed(&source->cursors, nmerged, sizeof(*source->cursors), err));
    STOA_TRY(stoa_alloc_zeroed(&source->heap, nmerged, sizeof(*source->heap), err));
    if (nmerged > 0)
        nrows = merge->keys_nbytes / nmerged / most_key_nbytes(file);
    source->window_nrows = nrows > WINDOW_MAX_NROWS ? WINDOW_MAX_NROWS
                           : nrows > 0              ? (size_t)nrows
                                                    : 1;
    source->base = (struct stoa_batch_source){
        .schema = merge->schema,
        .next = source_next,
        .read = source_read,
        .kept_nbytes = source_kept_nbytes,
        .progress = source_progress,
        .close = source_close,
    };
    source->file = *file;
    *file = (struct stoa_sorted_file){0};
    *out = &source->base;
    source = NULL;
out:
    if (source != NULL)
        source_close(&source->base);
    return st;
}
