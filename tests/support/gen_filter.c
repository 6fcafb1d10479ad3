/* Random predicates. */
#include "support/gen_filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "column/type.h"
#include "stats/filter_tree.h"

enum { MAX_VALUE = 1024 };

struct gen {
    struct stoa_test_random *r;
    const struct stoa_batch *batch;
    const struct stoa_field *field; /* of the column or part that the term is about */
    const struct stoa_array *array;
    const char *names[STOA_MAX_FIELD_DEPTH]; /* that lead to it */
    size_t nnames;
};

/* A literal with room for its bytes. */
struct value {
    struct stoa_value value;
    char bytes[MAX_VALUE];
};

static uint64_t below(struct gen *gen, uint64_t n)
{
    return stoa_test_random_below(gen->r, n);
}

static bool one_in(struct gen *gen, uint64_t n)
{
    return stoa_test_random_one_in(gen->r, n);
}

static void must(enum stoa_status status, const struct stoa_error *err)
{
    if (status != STOA_OK) {
        fprintf(stderr, "gen_filter: %s\n", err->message);
        exit(1);
    }
}

static void set(struct value *out, enum stoa_value_kind kind, const void *bytes, size_t nbytes)
{
    nbytes = nbytes < MAX_VALUE ? nbytes : MAX_VALUE;
    if (bytes != out->bytes && nbytes > 0)
        memmove(out->bytes, bytes, nbytes);
    out->value = (struct stoa_value){.kind = kind, .text = out->bytes, .nbytes = nbytes};
}

static void set_text(struct value *out, enum stoa_value_kind kind, const char *text)
{
    set(out, kind, text, strlen(text));
}

/* A row that is not null, or nvalues. */
static size_t any_row(struct gen *gen)
{
    size_t n = gen->array->nvalues;

    for (int i = 0; i < 20 && n > 0 && gen->field->type.id != STOA_NULL; i++) {
        size_t row = (size_t)below(gen, n);

        if (!stoa_array_is_null(gen->array, row))
            return row;
    }
    return n;
}

/* ---- Literals by type. ---- */

static void gen_number(struct gen *gen, struct value *out)
{
    static const char *const odd[] = {"0",
                                      "-0",
                                      "1",
                                      "-1",
                                      "0.5",
                                      "-0.5",
                                      "255",
                                      "256",
                                      "-129",
                                      "1e3",
                                      "1e30",
                                      "-1e30",
                                      "1e-5",
                                      "127.0",
                                      "1e400",
                                      "-1e400",
                                      "18446744073709551615",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "99999999999999999999999999999999999999999"};
    char text[STOA_TEXT_NBYTES + 8];
    size_t row = any_row(gen), n;

    if (row == gen->array->nvalues || one_in(gen, 6)) {
        set_text(out, STOA_VALUE_NUMBER, odd[below(gen, sizeof(odd) / sizeof(odd[0]))]);
        return;
    }
    n = stoa_array_format(gen->field, gen->array, row, text);
    if (text[n - 1] == 'N' || text[n - 1] == 'y') { /* NaN, Infinity */
        set(out, STOA_VALUE_TEXT, text, n);
        return;
    }
    if (one_in(gen, 6) && memchr(text, 'e', n) == NULL) { /* a little more, or less for negatives */
        if (memchr(text, '.', n) == NULL)
            text[n++] = '.';
        n += (size_t)snprintf(text + n, 8, "%u", (unsigned)below(gen, 1000));
    } else if (one_in(gen, 4) && text[n - 1] > '0' && text[n - 1] < '9') {
        text[n - 1] = (char)(text[n - 1] + (one_in(gen, 2) ? 1 : -1)); /* a neighbour */
    }
    set(out, STOA_VALUE_NUMBER, text, n);
}

static void gen_time(struct gen *gen, struct value *out)
{
    char text[STOA_TEXT_NBYTES + 16];
    size_t row = any_row(gen), n = 0;
    bool is_date = gen->field->type.id == STOA_DATE32, is_time = gen->field->type.id == STOA_TIME;
    bool zoned = gen->field->type.zone != NULL;

    if (row < gen->array->nvalues && !one_in(gen, 8)) {
        n = stoa_array_format(gen->field, gen->array, row, text);
        n -= text[n - 1] == 'Z';
    } else {
        n = (size_t)snprintf(text, sizeof(text), "%s",
                             is_time   ? "12:34:56"
                             : is_date ? "2013-01-05"
                                       : "2013-01-05 12:34:56");
    }
    if (!is_date && one_in(gen, 4) && memchr(text, '.', n) == NULL)
        n += (size_t)snprintf(text + n, 16, ".%09u", (unsigned)below(gen, 1000000000));
    else if (is_date && one_in(gen, 4))
        n += (size_t)snprintf(text + n, 16, " 0%u:00:00", (unsigned)below(gen, 3));
    if (zoned)
        n += (size_t)snprintf(text + n, 16, "%s", one_in(gen, 2) ? "Z" : "+02:30");
    set(out, STOA_VALUE_TEXT, text, n);
}

static void gen_duration(struct gen *gen, struct value *out)
{
    char text[STOA_TEXT_NBYTES];
    size_t row = any_row(gen), n;

    if (row < gen->array->nvalues && !one_in(gen, 4))
        n = stoa_array_format(gen->field, gen->array, row, text);
    else
        n = (size_t)snprintf(text, sizeof(text), "%sP%uDT%u.%03uS", one_in(gen, 2) ? "-" : "",
                             (unsigned)below(gen, 3), (unsigned)below(gen, 100),
                             (unsigned)below(gen, 1000));
    set(out, STOA_VALUE_TEXT, text, n);
}

static void gen_bytes(struct gen *gen, struct value *out)
{
    const struct stoa_type *type = &gen->field->type;
    enum stoa_value_kind kind = type->id == STOA_UTF8 ? STOA_VALUE_TEXT : STOA_VALUE_BYTES;
    size_t row = any_row(gen), width = stoa_type_width(type), nbytes = 0;
    const uint8_t *bytes = NULL;

    if (row < gen->array->nvalues) {
        size_t begin = width > 0 ? row * width : (size_t)gen->array->offsets[row];

        bytes = gen->array->values + begin;
        nbytes = width > 0 ? width : (size_t)gen->array->offsets[row + 1] - begin;
    }
    set(out, kind, bytes, nbytes);
    nbytes = out->value.nbytes;
    if (kind == STOA_VALUE_TEXT)
        nbytes = stoa_utf8_valid_prefix((const uint8_t *)out->bytes, nbytes);
    if (kind == STOA_VALUE_BYTES || one_in(gen, 3)) { /* no care for characters */
        if (one_in(gen, 3) && nbytes > 0)
            nbytes = (size_t)below(gen, nbytes + 1);
        if (one_in(gen, 4) && nbytes < MAX_VALUE)
            out->bytes[nbytes++] = (char)(one_in(gen, 2) ? 0 : below(gen, 256));
        if (one_in(gen, 4) && nbytes > 0)
            out->bytes[nbytes - 1]++;
        kind = STOA_VALUE_BYTES;
    } else if (one_in(gen, 4) && nbytes < MAX_VALUE) {
        out->bytes[nbytes++] = 'a';
    }
    set(out, kind, out->bytes, nbytes);
}

static void gen_uuid(struct gen *gen, struct value *out)
{
    char text[STOA_TEXT_NBYTES];
    size_t row = any_row(gen);

    if (row == gen->array->nvalues || one_in(gen, 3))
        gen_bytes(gen, out);
    else
        set(out, STOA_VALUE_TEXT, text, stoa_array_format(gen->field, gen->array, row, text));
}

static void gen_literal(struct gen *gen, struct value *out)
{
    const struct stoa_type *type = &gen->field->type;

    switch (type->id) {
    case STOA_NULL:
        set_text(out, STOA_VALUE_NUMBER, "1");
        break;
    case STOA_BOOL:
        out->value = (struct stoa_value){.kind = STOA_VALUE_BOOL, .i64 = (int64_t)below(gen, 2)};
        break;
    case STOA_DATE32:
    case STOA_TIME:
    case STOA_TIMESTAMP:
        gen_time(gen, out);
        break;
    case STOA_DURATION:
        gen_duration(gen, out);
        break;
    case STOA_UTF8:
    case STOA_BINARY:
    case STOA_FIXED_BINARY:
        gen_bytes(gen, out);
        break;
    case STOA_UUID:
        gen_uuid(gen, out);
        break;
    case STOA_ENUM:
        set_text(out, STOA_VALUE_TEXT, type->symbols[below(gen, type->nsymbols)]);
        break;
    default:
        gen_number(gen, out);
        break;
    }
}

/* A text of the column, or a symbol, with some characters made wild. */
static size_t gen_pattern(struct gen *gen, char *out, uint32_t *escape)
{
    struct value value;
    size_t n = 0;

    do
        gen_literal(gen, &value);
    while (value.value.kind != STOA_VALUE_TEXT);
    *escape = one_in(gen, 4) ? '!' : 0;
    if (one_in(gen, 4))
        out[n++] = '%';
    for (size_t i = 0; i < value.value.nbytes && i < 60; i++) {
        char c = value.bytes[i];
        bool is_ascii = (unsigned char)c < 0x80;

        if (is_ascii && one_in(gen, 8)) {
            out[n++] = '_';
        } else if (is_ascii && one_in(gen, 8)) {
            out[n++] = '%';
            i += below(gen, 3);
            while (i + 1 < value.value.nbytes && ((unsigned char)value.bytes[i + 1] & 0xc0) == 0x80)
                i++;
        } else {
            if (*escape != 0 && (c == '%' || c == '_' || c == '!'))
                out[n++] = '!';
            out[n++] = c == '\0' ? '_' : c;
        }
    }
    n = stoa_utf8_valid_prefix((const uint8_t *)out, n); /* the last character may be cut */
    if (one_in(gen, 3))
        out[n++] = '%';
    return n;
}

/* ---- Terms. ---- */

/* A column, or part of a struct, and the names that lead to it. */
static void choose_place(struct gen *gen)
{
    uint32_t at = (uint32_t)below(gen, gen->batch->ncolumns);

    gen->field = &gen->batch->schema->fields[at];
    gen->array = &gen->batch->columns[at];
    gen->names[0] = gen->field->name;
    gen->nnames = 1;
    while (gen->field->type.id == STOA_STRUCT && gen->field->nchildren > 0 && !one_in(gen, 5)) {
        at = (uint32_t)below(gen, gen->field->nchildren);
        gen->field = &gen->field->children[at];
        gen->array = &gen->array->children[at];
        gen->names[gen->nnames++] = gen->field->name;
    }
}

/* A term was made for a column of this name: lets it have the whole path. */
static void set_path(const struct gen *gen, struct stoa_filter *term)
{
    struct stoa_filter_path path = {0};
    struct stoa_error err = {0};

    must(stoa_alloc_zeroed(&path.names, gen->nnames, sizeof(path.names[0]), &err), &err);
    for (; path.nnames < gen->nnames; path.nnames++)
        must(stoa_strndup(&path.names[path.nnames], gen->names[path.nnames],
                          strlen(gen->names[path.nnames]), &err),
             &err);
    stoa_filter_path_free(&term->path);
    term->path = path;
}

/* Whether the library takes the value at all: times outside of a day, for one, have no text. */
static bool fits(struct gen *gen, const struct stoa_value *value)
{
    struct stoa_filter *filter = NULL;
    struct stoa_matcher *matcher = NULL;
    struct stoa_error err = {0};

    must(stoa_filter_compare("", STOA_COMPARE_EQUAL, value, &filter, &err), &err);
    set_path(gen, filter);
    if (stoa_filter_bind(filter, gen->batch->schema, &matcher, &err) != STOA_OK)
        matcher = NULL;
    stoa_filter_free(filter);
    stoa_matcher_free(matcher);
    return matcher != NULL;
}

static void gen_value(struct gen *gen, struct value *out)
{
    for (int i = 0; i < 50; i++) {
        gen_literal(gen, out);
        if (fits(gen, &out->value))
            return;
    }
    fprintf(stderr, "gen_filter: no literal for column %s\n", gen->field->name);
    exit(1);
}

static struct stoa_filter *gen_list(struct gen *gen)
{
    size_t n = 1 + (size_t)below(gen, one_in(gen, 5) ? 40 : 5);
    struct value *room = calloc(n, sizeof(room[0]));
    struct stoa_value *values = calloc(n, sizeof(values[0]));
    struct stoa_filter *filter = NULL;
    struct stoa_error err = {0};

    for (size_t i = 0; i < n; i++) {
        gen_value(gen, &room[i]);
        values[i] = room[i].value;
    }
    must(stoa_filter_in("", values, n, &filter, &err), &err);
    free(values);
    free(room);
    return filter;
}

static struct stoa_filter *gen_like(struct gen *gen)
{
    struct stoa_filter *filter = NULL;
    struct stoa_error err = {0};
    char pattern[256];
    uint32_t escape;
    size_t nbytes = gen_pattern(gen, pattern, &escape);

    must(stoa_filter_like("", pattern, nbytes, escape, &filter, &err), &err);
    return filter;
}

static struct stoa_filter *gen_comparison(struct gen *gen)
{
    struct stoa_filter *filter = NULL;
    struct stoa_error err = {0};
    struct value low, high;

    gen_value(gen, &low);
    if (one_in(gen, 5)) {
        gen_value(gen, &high);
        must(stoa_filter_between("", &low.value, &high.value, &filter, &err), &err);
    } else {
        must(stoa_filter_compare("", (enum stoa_compare)below(gen, 6), &low.value, &filter, &err),
             &err);
    }
    return filter;
}

static struct stoa_filter *gen_term(struct gen *gen)
{
    struct stoa_filter *filter = NULL;
    struct stoa_error err = {0};
    enum stoa_bound_kind kind;
    enum stoa_type_id id;

    choose_place(gen);
    id = gen->field->type.id;
    kind = stoa_bound_kind(&gen->field->type);
    if ((kind == STOA_BOUND_NONE && id != STOA_NULL) || one_in(gen, 15))
        must(stoa_filter_is_null("", &filter, &err), &err);
    else if (kind == STOA_BOUND_FLOAT && one_in(gen, 10))
        must(stoa_filter_is_nan("", &filter, &err), &err);
    else if ((id == STOA_UTF8 || id == STOA_ENUM) && one_in(gen, 3))
        filter = gen_like(gen);
    else
        filter = one_in(gen, 6) ? gen_list(gen) : gen_comparison(gen);
    set_path(gen, filter);
    return filter;
}

/* ---- Trees. ---- */

static struct stoa_filter *gen_tree(struct gen *gen, unsigned depth)
{
    struct stoa_filter *operands[4] = {0}, *filter = NULL;
    struct stoa_error err = {0};
    size_t n = 2 + (size_t)below(gen, 3);

    if (depth == 0 || one_in(gen, 4))
        return gen_term(gen);
    if (one_in(gen, 4)) {
        operands[0] = gen_tree(gen, depth - 1);
        must(stoa_filter_not(&operands[0], &filter, &err), &err);
        return filter;
    }
    for (size_t i = 0; i < n; i++)
        operands[i] = gen_tree(gen, depth - 1);
    must(one_in(gen, 2) ? stoa_filter_and(operands, n, &filter, &err)
                        : stoa_filter_or(operands, n, &filter, &err),
         &err);
    return filter;
}

struct stoa_filter *stoa_test_gen_filter(struct stoa_test_random *r, const struct stoa_batch *batch,
                                         unsigned depth)
{
    struct gen gen = {.r = r, .batch = batch};

    return gen_tree(&gen, depth);
}
