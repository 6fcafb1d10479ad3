/*
 * Columns of which a part is lost, for files recovered with nulls.
 *
 *     rows        0 ............................................... n
 *     pages       |  good   |  good   | damaged |  good   | damaged |
 *     read        x                                                    all of it: no
 *                 |---------+---------|x                               the first half, the second
 *                                      x        |---------|x           and so on
 *     pieces      [                   ]         [         ]
 *     column      values                nulls    values     nulls      encoded anew
 *
 * The damage is found by asking the reader for ever smaller ranges of rows, down to a page, because
 * it alone knows what a value stands on: validity, lengths, parts of structs and of lists, each
 * with pages of its own. Wide ranges come first, so that the bound on the number of questions,
 * which damage all over the values of lists may reach, costs rows near to lost ones and no others.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/error.h"
#include "column/array_cast.h"
#include "file/encoder_pool.h"
#include "file/recover.h"
#include "file/row_group_write.h"

/*
 * Rows that may be read to find what is lost: enough for damage in any number of pages, and for
 * some hundred questions about the values of lists.
 */
static uint64_t max_cost(uint32_t nrows)
{
    return 8 * (uint64_t)nrows + (1 << 18);
}

/* Ranges that can't be read as they are, in the order in which they are split. */
struct queue {
    struct stoa_range *ranges;
    size_t nranges, capacity;
};

static enum stoa_status push(struct queue *queue, uint32_t begin, uint32_t end,
                             struct stoa_error *err)
{
    enum stoa_status st = stoa_reserve(&queue->ranges, &queue->capacity, queue->nranges + 1,
                                       sizeof(queue->ranges[0]), err);

    if (st == STOA_OK)
        queue->ranges[queue->nranges++] = (struct stoa_range){begin, end};
    return st;
}

/* The rows that are lost or not together: those of a page; of values below lists nobody knows. */
static uint32_t grain(const struct stoa_recover *rec, uint32_t node)
{
    unsigned shift = 31;

    for (uint32_t i = node; i < node + rec->nodes[node].nnodes; i++) {
        const struct stoa_rg_entry *entry = &rec->chunks[i].entry;

        if (rec->nodes[i].below_list)
            return 1;
        if (!(entry->flags & STOA_CHUNK_NO_PAGES) && entry->page_shift < shift)
            shift = entry->page_shift;
    }
    return UINT32_C(1) << shift;
}

/* A question about fewer rows than a page has costs as much as one about a page. */
static uint32_t page_nrows(const struct stoa_recover *rec, uint32_t node)
{
    uint32_t most = 1, nrows = rec->reader.group.nrows;

    for (uint32_t i = node; i < node + rec->nodes[node].nnodes; i++) {
        const struct stoa_rg_entry *entry = &rec->chunks[i].entry;

        if (!rec->nodes[i].below_list && !(entry->flags & STOA_CHUNK_NO_PAGES) &&
            UINT32_C(1) << entry->page_shift > most)
            most = UINT32_C(1) << entry->page_shift;
    }
    return most < nrows ? most : nrows;
}

static enum stoa_status add_piece(struct stoa_recover_repair *repair, struct stoa_range rows,
                                  struct stoa_array *array, struct stoa_error *err)
{
    struct stoa_recover_piece piece = {.rows = rows, .array = *array};
    enum stoa_status st = stoa_reserve(&repair->pieces, &repair->capacity, repair->npieces + 1,
                                       sizeof(repair->pieces[0]), err);

    if (st != STOA_OK)
        return st;
    repair->pieces[repair->npieces++] = piece;
    *array = (struct stoa_array){0};
    return STOA_OK;
}

/* A range becomes a piece, or is split later on. */
static enum stoa_status probe(struct stoa_recover *rec, uint32_t node, uint32_t begin, uint32_t end,
                              struct queue *queue, struct stoa_recover_repair *repair,
                              struct stoa_error *err)
{
    const struct stoa_range rows = {begin, end};
    struct stoa_array array = {0};
    enum stoa_status st = stoa_recover_read(rec, node, rows, &array, err);

    if (st == STOA_OK)
        st = add_piece(repair, rows, &array, err);
    else if (stoa_recover_is_damage(st))
        st = push(queue, begin, end, err);
    stoa_array_reset(&array);
    return st;
}

static int compare_pieces(const void *a, const void *b)
{
    const struct stoa_recover_piece *x = a, *y = b;

    return (x->rows.begin > y->rows.begin) - (x->rows.begin < y->rows.begin);
}

enum stoa_status stoa_recover_pieces(struct stoa_recover *rec, uint32_t node,
                                     struct stoa_recover_repair *repair, struct stoa_error *err)
{
    uint32_t least = grain(rec, node), page = page_nrows(rec, node);
    uint64_t cost = 0, most = max_cost(rec->reader.group.nrows);
    struct queue queue = {0};
    enum stoa_status st = STOA_OK;

    for (uint32_t i = node; i < node + rec->nodes[node].nnodes; i++)
        if (!rec->chunks[i].is_set)
            return STOA_OK; /* nobody knows where it is */
    STOA_TRY(push(&queue, 0, rec->reader.group.nrows, err));
    for (size_t i = 0; i < queue.nranges && cost <= most; i++) {
        uint32_t begin = queue.ranges[i].begin, end = queue.ranges[i].end;
        uint32_t half = (end - begin) / 2, middle = begin + (half + least - 1) / least * least;

        if (end - begin <= least)
            continue;
        cost += half > page ? end - begin : 2 * (uint64_t)page;
        STOA_TRY(probe(rec, node, begin, middle, &queue, repair, err));
        STOA_TRY(probe(rec, node, middle, end, &queue, repair, err));
    }
    if (repair->npieces > 0)
        qsort(repair->pieces, repair->npieces, sizeof(repair->pieces[0]), compare_pieces);
out:
    stoa_free(queue.ranges);
    return st;
}

/* ---- The column anew. ---- */

/* Pieces, and nulls where none is. */
static enum stoa_status join_pieces(const struct stoa_field *field, uint32_t nrows,
                                    const struct stoa_recover_repair *repair,
                                    struct stoa_array *out, struct stoa_error *err)
{
    size_t narrays = 0, capacity = 2 * repair->npieces + 1;
    const struct stoa_array **arrays = NULL;
    struct stoa_array *nulls = NULL;
    uint32_t at = 0;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&arrays, capacity, sizeof(arrays[0]), err));
    STOA_TRY(stoa_alloc_zeroed(&nulls, capacity, sizeof(nulls[0]), err));
    for (size_t i = 0; i <= repair->npieces; i++) {
        bool is_last = i == repair->npieces;
        uint32_t begin = is_last ? nrows : repair->pieces[i].rows.begin;

        if (begin > at) {
            STOA_TRY(stoa_array_nulls(field, begin - at, &nulls[narrays], err));
            arrays[narrays] = &nulls[narrays];
            narrays++;
        }
        if (!is_last) {
            arrays[narrays++] = &repair->pieces[i].array;
            at = repair->pieces[i].rows.end;
        }
    }
    STOA_TRY(stoa_array_concat(field, arrays, narrays, out, err));
out:
    for (size_t i = 0; nulls != NULL && i < capacity; i++)
        stoa_array_reset(&nulls[i]);
    stoa_free(nulls);
    stoa_free(arrays);
    return st;
}

enum stoa_status stoa_recover_repair(struct stoa_recover *rec, const struct stoa_field *field,
                                     struct stoa_recover_repair *repair, struct stoa_error *err)
{
    const uint64_t ordinal = 1; /* plans for itself, and shares nothing with others */
    struct stoa_schema schema = {.fields = (struct stoa_field *)field, .nfields = 1};
    struct stoa_schema_node *nodes = NULL;
    struct stoa_batch batch = {0};
    uint32_t nnodes;
    enum stoa_status st;

    STOA_TRY(stoa_schema_nodes(&schema, &nodes, &nnodes, err));
    STOA_TRY(stoa_batch_init(&batch, &schema, err));
    batch.nrows = rec->reader.group.nrows;
    STOA_TRY(join_pieces(field, rec->reader.group.nrows, repair, &batch.columns[0], err));
    STOA_TRY(stoa_row_group_prepare(&rec->encoders, &stoa_default_rules, nodes, nnodes, NULL,
                                    stoa_nodes_count_texts(nodes, nnodes), ordinal, &batch,
                                    &repair->made, err));
    STOA_TRY(stoa_row_group_encode(&rec->encoders, &stoa_default_rules, nodes, repair->made, err));
out:
    stoa_batch_reset(&batch);
    stoa_free(nodes);
    return st;
}

void stoa_recover_repair_reset(struct stoa_recover_repair *repair)
{
    for (size_t i = 0; i < repair->npieces; i++)
        stoa_array_reset(&repair->pieces[i].array);
    stoa_free(repair->pieces);
    stoa_writer_group_free(repair->made);
    *repair = (struct stoa_recover_repair){0};
}
