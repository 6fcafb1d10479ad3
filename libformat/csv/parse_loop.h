/*
 * The loop over the fields of a column that all types of fixed width share, for csv/parse_*.c.
 *
 * It is inlined into a function a type, together with what reads a field of that type, so that
 * neither costs a call. See stoa_csv_loop_function for what it does.
 */
#ifndef STOA_CSV_PARSE_LOOP_H
#define STOA_CSV_PARSE_LOOP_H

#include "base/bytes.h"
#include "csv/parse_value.h"

#define STOA_CSV_INLINE static inline __attribute__((always_inline))

#define STOA_CSV_BYTES(c) (UINT64_C(0x0101010101010101) * (uint8_t)(c))

/*
 * Where the raw fields of a column are:
 *
 *     begin of row r = begins[r * begin_step] + behind       end = ends[r * stride]
 */
struct stoa_csv_fields {
    const char *text;
    const uint32_t *begins;
    const uint32_t *ends;
    size_t begin_step;
    size_t end_step;
    uint32_t behind; /* the separator in front, but for the first column */
    int quote;       /* that a field of the tile may begin with, or -1 */
};

STOA_CSV_INLINE struct stoa_csv_fields stoa_csv_fields_of(const struct stoa_csv_scan *scan)
{
    const struct stoa_csv_tile *tile = scan->tile;
    const uint32_t index = scan->place;
    const uint32_t *ends = tile->ends + (size_t)scan->row * tile->stride + index;

    return (struct stoa_csv_fields){
        .text = tile->text,
        .begins = index == 0 ? tile->row_begins + scan->row : ends - 1,
        .ends = ends,
        .begin_step = index == 0 ? 1 : tile->stride,
        .end_step = tile->stride,
        .behind = index != 0,
        .quote = tile->has_quotes ? scan->column->reading->dialect.quote : -1,
    };
}

/*
 * Reads a field of at least one byte, without its quotes, into the place of a value and sets *form;
 * false where the reference must. STOA_CSV_SLACK bytes behind the text can be read.
 */
typedef bool stoa_csv_plain_function(const struct stoa_csv_column *column, const char *text,
                                     size_t nbytes, void *state, void *out, unsigned *form);

/* `width` 0: values are bits. */
STOA_CSV_INLINE void stoa_csv_loop(struct stoa_csv_scan *scan, size_t width,
                                   stoa_csv_plain_function *plain, void *state)
{
    const struct stoa_csv_column *column = scan->column;
    struct stoa_csv_fields fields = stoa_csv_fields_of(scan);
    struct stoa_array *array = &scan->values->builder.array;
    uint16_t *codes = scan->values->forms.codes;
    uint8_t *values = array->values;
    const bool nullable = column->field->nullable, wants_forms = column->wants_forms;
    const uint32_t nrows = scan->tile->nrows;
    size_t i = array->nvalues, nnulls = 0;
    uint32_t row = scan->row;

    for (; row < nrows; row++, i++) {
        const uint32_t begin = *fields.begins + fields.behind, end = *fields.ends;
        const char *text = fields.text + begin;
        size_t nbytes = end - begin;
        unsigned code = 0;
        bool bit;

        if (begin >= end) {
            if (!nullable)
                break;
            stoa_bitmap_clear(array->validity, i);
            if (width > 0)
                memset(values + i * width, 0, width);
            nnulls++;
        } else {
            const bool quoted = (unsigned char)*text == fields.quote;

            if (quoted) {
                if (nbytes < 3 || (unsigned char)text[nbytes - 1] != fields.quote)
                    break;
                text++;
                nbytes -= 2;
            }
            if (!plain(column, text, nbytes, state, width > 0 ? (void *)(values + i * width) : &bit,
                       &code))
                break;
            if (quoted)
                code |= STOA_CSV_FORM_QUOTED;
            if (code != 0 && wants_forms) {
                if (codes == NULL)
                    break; /* the reference makes room for them */
                codes[i] = (uint16_t)code;
            }
            if (width == 0)
                values[i / 8] = (uint8_t)(values[i / 8] | (unsigned)bit << (i % 8));
        }
        fields.begins += fields.begin_step;
        fields.ends += fields.end_step;
    }
    array->nvalues = i;
    array->nnulls += nnulls;
    scan->row = row;
}

/* Defines the loop of a type. */
#define STOA_CSV_LOOP(name, width, plain)                                                          \
    void name(struct stoa_csv_scan *scan)                                                          \
    {                                                                                              \
        stoa_csv_loop(scan, width, plain, NULL);                                                   \
    }

/* ---- Digits, eight at a time. ---- */

/*
 * The values of up to eight digits in a word, right-aligned: the last in the highest byte, zeros in
 * the bytes below the first. False when some character is no digit. 1 <= ndigits <= 8.
 */
STOA_CSV_INLINE bool stoa_csv_digits_load(const char *text, size_t ndigits, uint64_t *out)
{
    const uint64_t x = (stoa_load64(text) ^ STOA_CSV_BYTES('0')) << (64 - 8 * ndigits);

    *out = x;
    /* Adding 0x76 makes a byte above 9 reach 0x80. A carry has met a byte that has 0x80 itself. */
    return (((x + STOA_CSV_BYTES(0x76)) | x) & STOA_CSV_BYTES(0x80)) == 0;
}

/* The number that such digits are: neighbours are joined to pairs, fours, eights. */
STOA_CSV_INLINE uint64_t stoa_csv_digits_value(uint64_t digits)
{
    digits = (digits * 10 + (digits >> 8)) & UINT64_C(0x00ff00ff00ff00ff);
    digits = (digits * 100 + (digits >> 16)) & UINT64_C(0x0000ffff0000ffff);
    return (digits * 10000 + (digits >> 32)) & UINT64_C(0xffffffff);
}

/* Up to 18 digits, which 64 bits hold, and nothing else. nbytes > 0. */
STOA_CSV_INLINE bool stoa_csv_digits_parse(const char *text, size_t nbytes, uint64_t *out)
{
    size_t n = (nbytes - 1) % 8 + 1;
    uint64_t digits, x;

    if (nbytes > 18 || !stoa_csv_digits_load(text, n, &digits))
        return false;
    x = stoa_csv_digits_value(digits);
    for (; n < nbytes; n += 8) {
        if (!stoa_csv_digits_load(text + n, 8, &digits))
            return false;
        x = x * 100000000 + stoa_csv_digits_value(digits);
    }
    *out = x;
    return true;
}

#endif
