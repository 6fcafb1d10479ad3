/*
 * Orders of rows: their text form, and comparing rows by them (spec/format.md, "Order").
 *
 *     a:desc,"b,c":nulls-first
 *     |  |    |    `-- words behind colons
 *     |  |    `------- a name in quotes
 *     `--`------------ a name up to the first comma; the words that it ends with are none of it
 */
#include "column/order.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/float16.h"
#include "column/scalar.h"
#include "column/type.h"

bool stoa_type_has_order(const struct stoa_type *type)
{
    return type->id == STOA_NULL || stoa_scalar_kind_of(type) != STOA_KIND_NONE;
}

/* ---- Orders of a schema. ---- */

void stoa_order_reset(struct stoa_sort_order *order)
{
    stoa_free(order->keys);
    *order = (struct stoa_sort_order){0};
}

enum stoa_status stoa_order_copy(struct stoa_sort_order *out, const struct stoa_sort_order *order,
                                 struct stoa_error *err)
{
    struct stoa_sort_key *keys;
    enum stoa_status st = stoa_alloc(&keys, order->nkeys * sizeof(*keys), err);

    if (st != STOA_OK)
        return st;
    if (order->nkeys > 0)
        memcpy(keys, order->keys, order->nkeys * sizeof(*keys));
    *out = (struct stoa_sort_order){.keys = keys, .nkeys = order->nkeys};
    return STOA_OK;
}

static enum stoa_status check_key(const struct stoa_sort_order *order, uint32_t k,
                                  const struct stoa_schema *schema, struct stoa_error *err)
{
    const uint32_t column = order->keys[k].column;
    const struct stoa_field *field;
    char shown[128], *type;

    if (column >= schema->nfields)
        return stoa_fail(err, STOA_ERR_USAGE, "column %" PRIu32 " of %" PRIu32, column + 1,
                         schema->nfields);
    field = &schema->fields[column];
    stoa_quote(shown, sizeof(shown), field->name, strlen(field->name));
    for (uint32_t i = 0; i < k; i++)
        if (order->keys[i].column == column)
            return stoa_fail(err, STOA_ERR_USAGE, "column \"%s\" comes twice", shown);
    if (!stoa_type_has_order(&field->type)) {
        enum stoa_status st = stoa_type_print(field, &type, err);

        if (st != STOA_OK)
            return st;
        stoa_fail(err, STOA_ERR_USAGE, "column \"%s\" is %s, whose values have no order", shown,
                  type);
        stoa_free(type);
        return STOA_ERR_USAGE;
    }
    return STOA_OK;
}

enum stoa_status stoa_order_check(const struct stoa_sort_order *order,
                                  const struct stoa_schema *schema, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    if (order->nkeys < 1 || order->nkeys > STOA_ORDER_MAX_NKEYS)
        return stoa_fail(err, STOA_ERR_USAGE,
                         "%" PRIu32 " columns to sort by: there can be 1 to %d", order->nkeys,
                         STOA_ORDER_MAX_NKEYS);
    for (uint32_t k = 0; st == STOA_OK && k < order->nkeys; k++)
        st = check_key(order, k, schema, err);
    return st;
}

/* ---- Text. ---- */

/* Takes ":WORD" off the end of text[0..*nbytes), if it stands there. */
static bool take_word(const char *text, size_t *nbytes, const char *word)
{
    const size_t n = strlen(word);

    if (*nbytes < n || memcmp(text + *nbytes - n, word, n) != 0)
        return false;
    *nbytes -= n;
    return true;
}

/* The words behind a name, from the last one on; *nbytes is without them then. */
static void take_words(const char *text, size_t *nbytes, struct stoa_sort_key *key)
{
    bool found = true;

    while (found) {
        found = false;
        if (take_word(text, nbytes, ":desc"))
            key->descending = found = true;
        else if (take_word(text, nbytes, ":nulls-first"))
            key->nulls_first = found = true;
        else if (take_word(text, nbytes, ":asc") || take_word(text, nbytes, ":nulls-last"))
            found = true;
    }
}

/* The bytes of `text` up to the comma that ends an item, quotes considered. */
static size_t item_nbytes(const char *text)
{
    bool quoted = false;
    size_t n = 0;

    for (; text[n] != '\0' && (quoted || text[n] != ','); n++)
        quoted ^= text[n] == '"';
    return n;
}

/* A name without its quotes, terminated, into `out`, which has room for nbytes + 1. */
static void unquote(const char *text, size_t nbytes, char *out)
{
    bool quoted = false;

    for (size_t i = 0; i < nbytes; i++) {
        if (text[i] != '"') {
            *out++ = text[i];
        } else if (quoted && i + 1 < nbytes && text[i + 1] == '"') {
            *out++ = '"';
            i++;
        } else {
            quoted = !quoted;
        }
    }
    *out = '\0';
}

static enum stoa_status parse_key(const char *item, size_t nbytes, const struct stoa_schema *schema,
                                  char *name, struct stoa_sort_key *out, struct stoa_error *err)
{
    *out = (struct stoa_sort_key){0};
    take_words(item, &nbytes, out);
    unquote(item, nbytes, name);
    if (name[0] == '\0')
        return stoa_fail(err, STOA_ERR_USAGE, "a name is empty");
    return stoa_schema_find(schema, name, &out->column, err);
}

enum stoa_status stoa_order_parse(const char *text, const struct stoa_schema *schema,
                                  struct stoa_sort_order *out, struct stoa_error *err)
{
    struct stoa_sort_order order = {0};
    size_t capacity = 0;
    char *name = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc(&name, strlen(text) + 1, err));
    for (const char *at = text;; at++) { /* over a comma */
        const size_t nbytes = item_nbytes(at);

        STOA_TRY(stoa_reserve(&order.keys, &capacity, order.nkeys + 1, sizeof(*order.keys), err));
        STOA_TRY(parse_key(at, nbytes, schema, name, &order.keys[order.nkeys], err));
        order.nkeys++;
        at += nbytes;
        if (*at == '\0')
            break;
    }
    STOA_TRY(stoa_order_check(&order, schema, err));
    *out = order;
    order = (struct stoa_sort_order){0};
out:
    stoa_free(name);
    stoa_order_reset(&order);
    return st == STOA_OK ? st : stoa_wrap(err, st, "sort order");
}

/* Whether a name would be read as something else without quotes. */
static bool needs_quotes(const char *name)
{
    struct stoa_sort_key ignored = {0};
    size_t nbytes = strlen(name);

    take_words(name, &nbytes, &ignored);
    return nbytes < strlen(name) || strpbrk(name, ",\"") != NULL;
}

static enum stoa_status append_name(struct stoa_buffer *out, const char *name,
                                    struct stoa_error *err)
{
    enum stoa_status st;

    if (!needs_quotes(name))
        return stoa_buffer_append(out, name, strlen(name), err);
    STOA_TRY(stoa_buffer_append(out, "\"", 1, err));
    for (; *name != '\0'; name++) {
        if (*name == '"')
            STOA_TRY(stoa_buffer_append(out, "\"", 1, err));
        STOA_TRY(stoa_buffer_append(out, name, 1, err));
    }
    STOA_TRY(stoa_buffer_append(out, "\"", 1, err));
out:
    return st;
}

enum stoa_status stoa_order_print(const struct stoa_sort_order *order,
                                  const struct stoa_schema *schema, char **out,
                                  struct stoa_error *err)
{
    struct stoa_buffer text = {0};
    enum stoa_status st = STOA_OK;

    for (uint32_t k = 0; k < order->nkeys; k++) {
        const struct stoa_sort_key *key = &order->keys[k];

        if (k > 0)
            STOA_TRY(stoa_buffer_append(&text, ",", 1, err));
        STOA_TRY(append_name(&text, schema->fields[key->column].name, err));
        if (key->descending)
            STOA_TRY(stoa_buffer_append(&text, ":desc", 5, err));
        if (key->nulls_first)
            STOA_TRY(stoa_buffer_append(&text, ":nulls-first", 12, err));
    }
    STOA_TRY(stoa_buffer_append(&text, "", 1, err));
    *out = (char *)text.data;
    text = (struct stoa_buffer){0};
out:
    stoa_buffer_free(&text);
    return st;
}

/* ---- Comparing. ---- */

static bool is_nan(const struct stoa_scalar *x)
{
    return x->kind == STOA_KIND_DOUBLE && x->f64 != x->f64;
}

int stoa_key_compare(const struct stoa_sort_key *key, const struct stoa_type *type,
                     const struct stoa_array *a, size_t i, const struct stoa_array *b, size_t j)
{
    const bool a_null = type->id == STOA_NULL || stoa_array_is_null(a, i);
    const bool b_null = type->id == STOA_NULL || stoa_array_is_null(b, j);
    struct stoa_scalar x, y;
    int order;

    if (a_null || b_null)
        return a_null == b_null ? 0 : a_null == key->nulls_first ? -1 : 1;
    x = stoa_scalar_get(type, a, i);
    y = stoa_scalar_get(type, b, j);
    order = (int)stoa_scalar_compare(&x, &y);
    if (order == STOA_UNORDERED)
        order = (int)is_nan(&x) - (int)is_nan(&y);
    return key->descending ? -order : order;
}

int stoa_order_compare(const struct stoa_sort_order *order, const struct stoa_schema *schema,
                       uint32_t first, const struct stoa_array *a, size_t i,
                       const struct stoa_array *b, size_t j)
{
    int difference = 0;

    for (uint32_t k = first; difference == 0 && k < order->nkeys; k++)
        difference = stoa_key_compare(&order->keys[k], &schema->fields[order->keys[k].column].type,
                                      &a[k], i, &b[k], j);
    return difference;
}

size_t stoa_order_first_wrong(const struct stoa_sort_order *order, const struct stoa_batch *batch)
{
    struct stoa_array keys[STOA_ORDER_MAX_NKEYS];
    size_t row = 1;

    assert(order->nkeys <= STOA_ORDER_MAX_NKEYS);
    for (uint32_t k = 0; k < order->nkeys; k++)
        keys[k] = batch->columns[order->keys[k].column]; /* lent */
    while (row < batch->nrows &&
           stoa_order_compare(order, batch->schema, 0, keys, row - 1, keys, row) <= 0)
        row++;
    return row < batch->nrows ? row : batch->nrows;
}

/* ---- Values as numbers in their order. ---- */

static uint64_t bits_of_i64(int64_t x)
{
    return (uint64_t)x ^ UINT64_C(1) << 63;
}

/* Negative numbers fall as their bits rise. */
static uint64_t bits_of_double(double x)
{
    uint64_t bits;

    if (x != x)
        return UINT64_MAX;
    if (x == 0)
        x = 0; /* of either sign */
    memcpy(&bits, &x, sizeof(bits));
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

static uint64_t bits_of_bytes(const uint8_t *bytes, size_t nbytes)
{
    uint8_t first[8] = {0};

    if (nbytes > 0)
        memcpy(first, bytes, nbytes < sizeof(first) ? nbytes : sizeof(first));
    return stoa_load64_be(first);
}

/* Numbers outside of int64 become the nearest one that is inside. */
static uint64_t bits_of_scalar(const struct stoa_scalar *x)
{
    switch (x->kind) {
    case STOA_KIND_INT64:
        return bits_of_i64(x->i64);
    case STOA_KIND_UINT64:
        return x->u64;
    case STOA_KIND_DOUBLE:
        return bits_of_double(x->f64);
    case STOA_KIND_INT128:
        return stoa_int128_fits_i64(x->i128) ? bits_of_i64((int64_t)x->i128.lo)
               : x->i128.hi < 0              ? 0
                                             : UINT64_MAX;
    case STOA_KIND_INT256:
        return (int64_t)x->i256.words[STOA_INT256_WORD(3)] < 0 ? 0 : UINT64_MAX;
    default:
        return bits_of_bytes(x->bytes, x->nbytes);
    }
}

/* Loops of the types that most keys have. */
#define BITS_LOOP(ctype, of)                                                                       \
    for (size_t i = begin; i < end; i++) {                                                         \
        ctype value;                                                                               \
                                                                                                   \
        memcpy(&value, array->values + i * sizeof(value), sizeof(value));                          \
        bits[i - begin] = of(value);                                                               \
    }

void stoa_key_bits(const struct stoa_sort_key *key, const struct stoa_type *type,
                   const struct stoa_array *array, size_t begin, size_t end, uint64_t *bits)
{
    const enum stoa_scalar_kind kind = stoa_scalar_kind_of(type);
    const size_t width = stoa_type_width(type);

    if (kind == STOA_KIND_INT64 && width == 8)
        BITS_LOOP(int64_t, bits_of_i64)
    else if (kind == STOA_KIND_INT64 && width == 4)
        BITS_LOOP(int32_t, bits_of_i64)
    else if (type->id == STOA_FLOAT64)
        BITS_LOOP(double, bits_of_double)
    else
        for (size_t i = begin; i < end; i++) {
            struct stoa_scalar x;

            if (kind == STOA_KIND_NONE || stoa_array_is_null(array, i)) {
                bits[i - begin] = 0;
                continue;
            }
            x = stoa_scalar_get(type, array, i);
            bits[i - begin] = bits_of_scalar(&x);
        }
    for (size_t i = 0; key->descending && i < end - begin; i++)
        bits[i] = ~bits[i];
}

bool stoa_key_is_exact(const struct stoa_type *type)
{
    const enum stoa_scalar_kind kind = stoa_scalar_kind_of(type);

    if (kind == STOA_KIND_INT128)
        return type->precision <= 18;
    return kind != STOA_KIND_INT256 && kind != STOA_KIND_BYTES;
}
