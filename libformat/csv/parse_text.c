/*
 * Loops of text and of bool (csv/parse_loop.h).
 *
 * Most texts are short, and so are many of the calls that copy them: a text of up to 32 bytes is
 * copied as 32 bytes, which may take some of the next field along. The next value overwrites them.
 */
#include "csv/parse_loop.h"

#define SHORT_NBYTES 32

/* Whether bytes may be content of a field in quotes as they stand. */
static bool is_unescaped(const char *text, size_t nbytes, int quote)
{
    return memchr(text, quote, nbytes) == NULL;
}

void stoa_csv_loop_utf8(struct stoa_csv_scan *scan)
{
    const struct stoa_csv_column *column = scan->column;
    const struct stoa_csv_dialect *dialect = &column->reading->dialect;
    struct stoa_csv_fields fields = stoa_csv_fields_of(scan);
    struct stoa_builder *builder = &scan->values->builder;
    struct stoa_array *array = &builder->array;
    uint16_t *codes = scan->values->forms.codes;
    const size_t capacity = builder->nbytes_capacity;
    const bool nullable = column->field->nullable;
    char *values = (char *)array->values;
    int32_t *offsets = array->offsets;
    size_t i = array->nvalues, nbytes = builder->nbytes, nnulls = 0;
    const uint32_t nrows = scan->tile->nrows;
    uint32_t row = scan->row;

    if (!scan->is_utf8 || dialect->trim != STOA_CSV_TRIM_NONE || dialect->escape >= 0 ||
        column->reading->options->null_values != NULL)
        return;
    for (; row < nrows; row++, i++) {
        const uint32_t begin = *fields.begins + fields.behind, end = *fields.ends;
        const char *text = fields.text + begin;
        size_t n = begin < end ? end - begin : 0;

        if (n == 0) {
            if (!nullable)
                break;
            stoa_bitmap_clear(array->validity, i);
            nnulls++;
        } else if ((unsigned char)*text == fields.quote) {
            if (n < 2 || (unsigned char)text[n - 1] != fields.quote ||
                !is_unescaped(text + 1, n - 2, fields.quote))
                break;
            text++;
            n -= 2;
            if (column->wants_forms && codes == NULL)
                break;
            if (column->wants_forms)
                codes[i] = STOA_CSV_FORM_QUOTED;
        }
        if (n > capacity - nbytes)
            break; /* the reference makes room */
        if (n <= SHORT_NBYTES)
            memcpy(values + nbytes, text, SHORT_NBYTES);
        else
            memcpy(values + nbytes, text, n);
        nbytes += n;
        offsets[i + 1] = (int32_t)nbytes;
        fields.begins += fields.begin_step;
        fields.ends += fields.end_step;
    }
    array->nvalues = i;
    array->nnulls += nnulls;
    builder->nbytes = nbytes;
    scan->row = row;
}

STOA_CSV_INLINE bool plain_bool(const struct stoa_csv_column *column, const char *text,
                                size_t nbytes, void *state, void *out, unsigned *form)
{
    static const struct {
        char text[9];
        uint8_t nbytes;
        bool value;
        uint8_t form;
    } words[] = {{"true", 4, true, 0},   {"false", 5, false, 0}, {"True", 4, true, 1},
                 {"False", 5, false, 1}, {"TRUE", 4, true, 2},   {"FALSE", 5, false, 2}};
    uint64_t word;

    (void)column, (void)state;
    if (nbytes > 5)
        return false;
    word = stoa_load64(text) << (64 - 8 * nbytes) >> (64 - 8 * nbytes);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (nbytes == words[i].nbytes && word == stoa_load64(words[i].text)) {
            *(bool *)out = words[i].value;
            *form = words[i].form;
            return true;
        }
    }
    return false;
}

void stoa_csv_loop_bool(struct stoa_csv_scan *scan)
{
    const struct stoa_csv_options *options = scan->column->reading->options;

    if (options->true_values == NULL && options->false_values == NULL)
        stoa_csv_loop(scan, 0, plain_bool, NULL);
}
