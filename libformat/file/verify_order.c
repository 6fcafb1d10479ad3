/*
 * Verifying the order that a footer claims of the rows (spec/format.md, "Order").
 */
#include <inttypes.h>

#include "base/error.h"
#include "column/order.h"
#include "file/row_order.h"
#include "file/verify.h"

/* The keys of a row group, in a batch whose other columns are empty. */
static enum stoa_status read_keys(struct stoa_verify *verify, const struct stoa_sort_order *order,
                                  uint32_t group, struct stoa_batch *out, struct stoa_error *err)
{
    const uint32_t nrows = verify->reader->footer.groups[group].nrows;
    enum stoa_status st = STOA_OK;

    for (uint32_t k = 0; st == STOA_OK && k < order->nkeys; k++) {
        const uint32_t column = order->keys[k].column;

        st = stoa_reader_column(verify->reader, group, column, (struct stoa_rows){0, nrows},
                                &out->columns[column], NULL, err);
    }
    out->nrows = nrows;
    return st;
}

static enum stoa_status check_group(struct stoa_verify *verify, const struct stoa_sort_order *order,
                                    const struct stoa_schema *schema, uint32_t group,
                                    struct stoa_order_edges *before, struct stoa_error *err)
{
    struct stoa_order_edges edges = {0};
    struct stoa_batch batch = {0};
    size_t wrong;
    enum stoa_status st;

    STOA_TRY(stoa_batch_init(&batch, schema, err));
    st = read_keys(verify, order, group, &batch, err);
    if (stoa_verify_is_finding(st)) { /* which was reported with the column */
        stoa_order_edges_reset(before);
        st = STOA_OK;
        goto out;
    }
    if (st != STOA_OK)
        goto out;
    STOA_TRY(stoa_order_edges_take(order, &batch, &edges, err));
    wrong = stoa_order_first_wrong(order, &batch);
    if (stoa_order_edges_join(order, schema, before, &edges) < order->nkeys)
        wrong = 0;
    if (wrong < batch.nrows) {
        st = stoa_fail(err, STOA_ERR_CORRUPT,
                       "order: row %" PRIu64 " comes before the one in front of it",
                       verify->reader->footer.groups[group].first_row + wrong);
        STOA_TRY(stoa_verify_report(verify, st, err));
    }
    stoa_order_edges_reset(before);
    *before = edges;
    edges = (struct stoa_order_edges){0};
out:
    stoa_order_edges_reset(&edges);
    stoa_batch_reset(&batch);
    return st;
}

enum stoa_status stoa_verify_order(struct stoa_verify *verify, struct stoa_error *err)
{
    const struct stoa_sort_order *order;
    const struct stoa_schema *schema;
    struct stoa_order_edges before = {0};
    enum stoa_status st = stoa_reader_order(verify->reader, &order, err);

    if (st != STOA_OK)
        return stoa_verify_report(verify, st, err);
    if (order->nkeys == 0 || !verify->options->deep)
        return STOA_OK;
    st = stoa_reader_schema(verify->reader, &schema, err);
    if (st != STOA_OK) /* which was reported */
        return stoa_verify_is_finding(st) ? STOA_OK : st;
    for (uint32_t i = 0; st == STOA_OK && i < verify->reader->footer.ngroups; i++)
        st = check_group(verify, order, schema, i, &before, err);
    stoa_order_edges_reset(&before);
    return st;
}
