#include "support/gen_source_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "support/gen_table.h"

static void must(enum stoa_status st, const struct stoa_error *err)
{
    if (st == STOA_OK)
        return;
    fprintf(stderr, "source text for a test: %s\n", err->message);
    abort();
}

const struct stoa_field *stoa_test_side_field(unsigned kind)
{
    static char form_name[] = "form", raw_name[] = "raw";
    static const struct stoa_field form = {.name = form_name, .type.id = STOA_UINT8};
    static const struct stoa_field raw = {
        .name = raw_name, .type.id = STOA_BINARY, .nullable = true};

    return kind == STOA_SIDE_FORM ? &form : &raw;
}

/* ---- Side tables ---- */

static void gen_column(struct stoa_test_random *r, uint32_t column, unsigned kind, size_t nrows,
                       struct stoa_side *side)
{
    struct stoa_side_column *to = &side->columns[side->ncolumns++];
    enum stoa_test_nulls nulls = STOA_TEST_NULLS_NONE;
    enum stoa_test_shape shape;

    *to = (struct stoa_side_column){.column = column, .kind = (uint8_t)kind};
    stoa_test_random_bytes(r, to->rule, sizeof(to->rule));
    if (stoa_test_random_one_in(r, 3))
        return; /* the rule alone */
    if (kind != STOA_SIDE_FORM)
        nulls = (enum stoa_test_nulls)stoa_test_random_below(r, STOA_TEST_NNULLS);
    shape = (enum stoa_test_shape)stoa_test_random_below(r, STOA_TEST_NSHAPES);
    stoa_test_gen_array(r, stoa_test_side_field(kind), nrows, shape, nulls, &to->array);
}

void stoa_test_gen_side(struct stoa_test_random *r, uint32_t ncolumns, size_t nrows,
                        struct stoa_side *out)
{
    struct stoa_error err;
    size_t most = ncolumns * (size_t)2 + 2;

    *out = (struct stoa_side){.nrows = nrows};
    if (stoa_test_random_one_in(r, 4))
        return;
    must(stoa_alloc_zeroed(&out->columns, most, sizeof(out->columns[0]), &err), &err);
    for (uint32_t i = 0; i < ncolumns; i++)
        for (unsigned kind = STOA_SIDE_FORM; kind <= STOA_SIDE_RAW; kind++)
            if (stoa_test_random_one_in(r, 2))
                gen_column(r, i, kind, nrows, out);
    for (unsigned kind = STOA_SIDE_GAP; kind <= STOA_SIDE_RECORD; kind++)
        if (stoa_test_random_one_in(r, 2))
            gen_column(r, STOA_SIDE_RECORDS, kind, nrows, out);
}

void stoa_test_side_copy(const struct stoa_side *side, struct stoa_side *out)
{
    struct stoa_error err;

    *out = (struct stoa_side){.ncolumns = side->ncolumns, .nrows = side->nrows};
    must(stoa_alloc_zeroed(&out->columns, side->ncolumns, sizeof(out->columns[0]), &err), &err);
    for (uint32_t i = 0; i < side->ncolumns; i++) {
        const struct stoa_side_column *from = &side->columns[i];

        out->columns[i] = *from;
        out->columns[i].array = (struct stoa_array){0};
        if (from->array.nvalues > 0)
            must(stoa_array_slice(stoa_test_side_field(from->kind), &from->array, 0,
                                  from->array.nvalues, &out->columns[i].array, &err),
                 &err);
    }
}

bool stoa_test_side_equal(const struct stoa_side *a, const struct stoa_side *b)
{
    if (a->ncolumns != b->ncolumns || (a->ncolumns > 0 && a->nrows != b->nrows))
        return false;
    for (uint32_t i = 0; i < a->ncolumns; i++) {
        const struct stoa_side_column *x = &a->columns[i], *y = &b->columns[i];

        if (x->column != y->column || x->kind != y->kind ||
            memcmp(x->rule, y->rule, sizeof(x->rule)) != 0 || x->array.nvalues != y->array.nvalues)
            return false;
        if (x->array.nvalues > 0 &&
            !stoa_array_equal(stoa_test_side_field(x->kind), &x->array, &y->array))
            return false;
    }
    return true;
}

/* ---- Sources ---- */

static void gen_bytes(struct stoa_test_random *r, struct stoa_bytes *out)
{
    struct stoa_error err;

    if (stoa_test_random_one_in(r, 2))
        return;
    out->nbytes = (size_t)stoa_test_random_below(r, stoa_test_random_one_in(r, 20) ? 5000 : 60);
    must(stoa_alloc(&out->data, out->nbytes, &err), &err);
    stoa_test_random_bytes(r, out->data, out->nbytes);
}

static char *gen_text(const char *format, uint64_t number)
{
    struct stoa_error err;
    char text[128], *copy;

    (void)snprintf(text, sizeof(text), format, (unsigned long long)number);
    must(stoa_strndup(&copy, text, strlen(text), &err), &err);
    return copy;
}

struct stoa_source_info *stoa_test_gen_sources(struct stoa_test_random *r, size_t n, uint64_t nrows)
{
    struct stoa_source_info *infos;
    struct stoa_error err;
    uint64_t row = 0;

    must(stoa_alloc_zeroed(&infos, n, sizeof(infos[0]), &err), &err);
    for (size_t i = 0; i < n; i++) {
        struct stoa_source_info *info = &infos[i];
        uint64_t left = nrows - row;

        if (left > 0 && stoa_test_random_one_in(r, 5))
            row += stoa_test_random_below(r, left);
        info->first_row = row;
        left = nrows - row;
        info->nrows = left > 0 && !stoa_test_random_one_in(r, 6)
                          ? stoa_test_random_below(r, 2 * left / (n - i) + 1)
                          : 0;
        info->nrows = info->nrows < left ? info->nrows : left;
        row += info->nrows;
        info->name = gen_text("trips.zip:ärger_%04llu.csv", i);
        info->nbytes = stoa_test_random_wide(r);
        stoa_test_random_bytes(r, info->hash, sizeof(info->hash));
        info->options = gen_text("{\"delimiter\":\";\",\"header\":%llu}", i % 3);
        info->flags = (uint32_t)stoa_test_random_below(r, STOA_SOURCE_FLAGS + 1);
        gen_bytes(r, &info->head);
        gen_bytes(r, &info->tail);
        gen_bytes(r, &info->patches);
    }
    return infos;
}

static void copy_bytes(const struct stoa_bytes *bytes, struct stoa_bytes *out)
{
    struct stoa_error err;

    *out = (struct stoa_bytes){.nbytes = bytes->nbytes};
    if (bytes->nbytes == 0)
        return;
    must(stoa_alloc(&out->data, bytes->nbytes, &err), &err);
    memcpy(out->data, bytes->data, bytes->nbytes);
}

void stoa_test_source_copy(const struct stoa_source_info *info, struct stoa_source_info *out)
{
    struct stoa_error err;

    *out = *info;
    must(stoa_strndup(&out->name, info->name, strlen(info->name), &err), &err);
    must(stoa_strndup(&out->options, info->options, strlen(info->options), &err), &err);
    copy_bytes(&info->head, &out->head);
    copy_bytes(&info->tail, &out->tail);
    copy_bytes(&info->patches, &out->patches);
}

static bool text_equal(const char *a, const char *b)
{
    return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

static bool bytes_equal(const struct stoa_bytes *a, const struct stoa_bytes *b)
{
    return a->nbytes == b->nbytes && (a->nbytes == 0 || memcmp(a->data, b->data, a->nbytes) == 0);
}

bool stoa_test_source_equal(const struct stoa_source_info *a, const struct stoa_source_info *b)
{
    return text_equal(a->name, b->name) && text_equal(a->options, b->options) &&
           a->nbytes == b->nbytes && memcmp(a->hash, b->hash, sizeof(a->hash)) == 0 &&
           a->first_row == b->first_row && a->nrows == b->nrows && a->flags == b->flags &&
           bytes_equal(&a->head, &b->head) && bytes_equal(&a->tail, &b->tail) &&
           bytes_equal(&a->patches, &b->patches);
}

/* ---- As text ---- */

STOA_PRINTF(3, 4)
static void print(char **out, size_t *nbytes, const char *format, ...)
{
    struct stoa_error err;
    va_list arguments;
    char text[256];
    int n;

    va_start(arguments, format);
    n = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (n < 0 || (size_t)n >= sizeof(text))
        abort();
    must(stoa_realloc(out, *nbytes + (size_t)n + 1, 1, &err), &err);
    memcpy(*out + *nbytes, text, (size_t)n + 1);
    *nbytes += (size_t)n;
}

static void print_hex(char **out, size_t *nbytes, const uint8_t *bytes, size_t n)
{
    print(out, nbytes, "\"");
    for (size_t i = 0; i < n; i++)
        print(out, nbytes, "%02x", bytes[i]);
    print(out, nbytes, "\"");
}

static void print_values(const struct stoa_side_column *column, char **out, size_t *nbytes)
{
    const struct stoa_array *array = &column->array;

    if (array->nvalues == 0) {
        print(out, nbytes, "null");
        return;
    }
    for (size_t i = 0; i < array->nvalues; i++) {
        print(out, nbytes, "%s", i == 0 ? "[" : ",");
        if (stoa_array_is_null(array, i))
            print(out, nbytes, "null");
        else if (column->kind == STOA_SIDE_FORM)
            print(out, nbytes, "%u", array->values[i]);
        else
            print_hex(out, nbytes, array->values + array->offsets[i],
                      (size_t)(array->offsets[i + 1] - array->offsets[i]));
    }
    print(out, nbytes, "]");
}

void stoa_test_side_print(uint32_t row_group, const struct stoa_side *side, char **out,
                          size_t *nbytes)
{
    static const char *const kinds[] = {"", "form", "raw", "gap", "record"};

    for (uint32_t i = 0; i < side->ncolumns; i++) {
        const struct stoa_side_column *column = &side->columns[i];

        print(out, nbytes, "{\"row_group\":%" PRIu32 ",\"column\":", row_group);
        if (column->column == STOA_SIDE_RECORDS)
            print(out, nbytes, "null");
        else
            print(out, nbytes, "%" PRIu32, column->column);
        print(out, nbytes, ",\"kind\":\"%s\",\"rule\":", kinds[column->kind]);
        print_hex(out, nbytes, column->rule, sizeof(column->rule));
        print(out, nbytes, ",\"values\":");
        print_values(column, out, nbytes);
        print(out, nbytes, "}\n");
    }
}

static void print_text(const char *text, char **out, size_t *nbytes)
{
    print(out, nbytes, "\"");
    for (; *text != '\0'; text++)
        print(out, nbytes, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    print(out, nbytes, "\"");
}

void stoa_test_source_print(const struct stoa_source_info *info, char **out, size_t *nbytes)
{
    print(out, nbytes, "{\"source\":");
    print_text(info->name, out, nbytes);
    print(out, nbytes, ",\"bytes\":%" PRIu64 ",\"hash\":", info->nbytes);
    print_hex(out, nbytes, info->hash, sizeof(info->hash));
    print(out, nbytes,
          ",\"first_row\":%" PRIu64 ",\"rows\":%" PRIu64 ",\"options\":", info->first_row,
          info->nrows);
    print_text(info->options, out, nbytes);
    print(out, nbytes, ",\"head\":");
    print_hex(out, nbytes, info->head.data, info->head.nbytes);
    print(out, nbytes, ",\"tail\":");
    print_hex(out, nbytes, info->tail.data, info->tail.nbytes);
    print(out, nbytes, ",\"patches\":");
    print_hex(out, nbytes, info->patches.data, info->patches.nbytes);
    print(out, nbytes, ",\"flags\":%" PRIu32 "}\n", info->flags);
}
