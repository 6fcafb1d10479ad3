/*
 * Any ArrowArray that has the buffers it promises, whatever is in them and whatever else it says.
 * What is taken must be valid and survive going out and in again.
 *
 *     byte 0      format of the column, a row of the table below; the one behind it: as text
 *     byte 1      & 3 how much is checked, 4 no bitmap, 8 a dictionary, 16 of wide text,
 *                 32 nullable, 64 the dictionary has a bitmap, 128 an enum by its metadata
 *     byte 2..7   length and offset of the column, length and offset of the rows, length and
 *                 offset of the dictionary
 *     byte 8      null_count: 0 from 200 on, below not known
 *     byte 9      a count that is wild instead and how wild, from 14 on
 *     the rest    the format when it is text, up to a zero byte; then the bytes that all buffers
 *                 are filled with, over and over
 */
#include <stoa/arrow.h>

#include <stdlib.h>
#include <string.h>

enum { HEAD = 10, TEXT_NBYTES = 128 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes);

static void must(bool good)
{
    if (!good)
        abort();
}

/* Bytes of one value in the buffer behind the bitmap; 0 for bool and where there is no buffer. */
static const struct {
    const char *text;
    uint8_t nbuffers;
    uint8_t width;
} formats[] = {
    {"n", 0, 0},   {"b", 2, 0},   {"c", 2, 1},      {"C", 2, 1},        {"s", 2, 2},
    {"S", 2, 2},   {"i", 2, 4},   {"I", 2, 4},      {"l", 2, 8},        {"L", 2, 8},
    {"f", 2, 4},   {"g", 2, 8},   {"d:9,2", 2, 16}, {"d:38,38", 2, 16}, {"tdD", 2, 4},
    {"tts", 2, 4}, {"ttn", 2, 8}, {"tss:", 2, 8},   {"tsu:UTC", 2, 8},  {"u", 3, 4},
    {"U", 3, 8},   {"z", 3, 4},   {"Z", 3, 8},      {"w:5", 2, 5},      {"w:16", 2, 16},
};
enum { NFORMATS = sizeof(formats) / sizeof(formats[0]), TEXT = 19, WIDE_TEXT = 20 };

struct input {
    const uint8_t *bytes;
    size_t nbytes;
    size_t at;
};

static uint8_t take(struct input *in)
{
    return in->nbytes > 0 ? in->bytes[in->at++ % in->nbytes] : 0;
}

/* A buffer of exactly nbytes bytes, so that a read past its end is seen. */
static void *make_bytes(struct input *in, size_t nbytes)
{
    uint8_t *out = malloc(nbytes > 0 ? nbytes : 1);

    must(out != NULL);
    for (size_t i = 0; i < nbytes; i++)
        out[i] = take(in);
    return out;
}

/* Offsets that mostly rise, and never leave the TEXT_NBYTES bytes that they lead to upwards. */
static void *make_offsets(struct input *in, size_t noffsets, size_t width)
{
    uint8_t *out = make_bytes(in, noffsets * width);
    int64_t offset = 0;

    for (size_t i = 0; i < noffsets; i++) {
        int step = take(in);
        int32_t narrow;

        offset = step < 240 ? offset + step % 4 : (int8_t)take(in);
        if (offset >= TEXT_NBYTES)
            offset = TEXT_NBYTES - 1;
        narrow = (int32_t)offset;
        if (width == sizeof(narrow))
            memcpy(out + i * width, &narrow, width);
        else
            memcpy(out + i * width, &offset, width);
    }
    return out;
}

static void release_array(struct ArrowArray *array)
{
    for (int64_t i = 0; i < 3; i++)
        free((void *)array->buffers[i]);
    array->release = NULL;
}

static void release_rows(struct ArrowArray *array)
{
    array->release = NULL;
}

static void release_schema(struct ArrowSchema *schema)
{
    schema->release = NULL;
}

/* An array whose buffers hold offset + length values. */
static void make_array(struct input *in, struct ArrowArray *out, const void **buffers,
                       size_t format, size_t length, size_t offset, bool has_bitmap)
{
    size_t n = length + offset, width = formats[format].width;

    *out = (struct ArrowArray){.length = (int64_t)length,
                               .offset = (int64_t)offset,
                               .null_count = -1,
                               .n_buffers = formats[format].nbuffers,
                               .buffers = buffers,
                               .release = release_array};
    buffers[0] = has_bitmap && out->n_buffers > 0 ? make_bytes(in, (n + 7) / 8) : NULL;
    buffers[1] = buffers[2] = NULL;
    if (out->n_buffers == 2)
        buffers[1] = make_bytes(in, width > 0 ? n * width : (n + 7) / 8);
    if (out->n_buffers == 3) {
        buffers[1] = make_offsets(in, n + 1, width);
        buffers[2] = make_bytes(in, TEXT_NBYTES);
    }
}

static void make_wild(uint8_t how, struct ArrowArray *rows, struct ArrowArray *column,
                      struct ArrowArray *dictionary)
{
    static const int64_t values[] = {-1, INT64_MIN, INT64_MAX, INT64_MAX - 5, INT64_C(1) << 62};
    int64_t *const counts[] = {&rows->length,          &rows->offset,          &rows->null_count,
                               &rows->n_buffers,       &rows->n_children,      &column->length,
                               &column->offset,        &column->null_count,    &column->n_buffers,
                               &column->n_children,    &dictionary->length,    &dictionary->offset,
                               &dictionary->n_buffers, &dictionary->null_count};
    const size_t ncounts = sizeof(counts) / sizeof(counts[0]);

    if (how >= ncounts)
        *counts[how % ncounts] = values[how / ncounts % (sizeof(values) / sizeof(values[0]))];
}

/* Out and in again, with equal values. */
static void check_batch(struct stoa_batch *batch)
{
    const struct stoa_schema *schema = batch->schema;
    struct ArrowSchema arrow;
    struct ArrowArray array;
    struct stoa_schema schema_back;
    struct stoa_batch copy, back;

    must(stoa_batch_init(&copy, schema, NULL) == STOA_OK);
    copy.nrows = batch->nrows;
    must(stoa_array_slice(&schema->fields[0], &batch->columns[0], 0, batch->nrows, &copy.columns[0],
                          NULL) == STOA_OK);
    must(stoa_schema_export(schema, &arrow, NULL) == STOA_OK);
    must(stoa_schema_import(&arrow, &schema_back, NULL) == STOA_OK);
    must(stoa_schema_equal(schema, &schema_back));
    must(stoa_batch_export(batch, &array, NULL) == STOA_OK);
    must(stoa_batch_import(&array, &arrow, &schema_back, STOA_ARROW_CHECK_FULL, &back, NULL) ==
         STOA_OK);
    must(stoa_batch_equal(&copy, &back));
    arrow.release(&arrow);
    stoa_batch_reset(&copy);
    stoa_batch_reset(&back);
    stoa_schema_reset(&schema_back);
}

static void import(struct ArrowArray *rows, const struct ArrowSchema *arrow,
                   enum stoa_arrow_check check)
{
    struct stoa_schema schema;
    struct stoa_batch batch;
    struct stoa_error err = {0};

    if (stoa_schema_import(arrow, &schema, &err) != STOA_OK) {
        must(err.message[0] != '\0');
        return;
    }
    if (stoa_batch_import(rows, arrow, &schema, check, &batch, &err) != STOA_OK) {
        must(err.message[0] != '\0' && rows->release != NULL);
    } else {
        bool is_valid =
            check != STOA_ARROW_CHECK_NONE && stoa_batch_validate(&batch, NULL) == STOA_OK;

        must(rows->release == NULL);
        must(is_valid || check != STOA_ARROW_CHECK_FULL);
        if (is_valid)
            check_batch(&batch);
        stoa_batch_reset(&batch);
    }
    stoa_schema_reset(&schema);
}

/* Metadata of one pair, in the byte order of the machine. */
static const char *make_metadata(char out[64], const char *key, const char *value)
{
    const int32_t npairs = 1, nkey = (int32_t)strlen(key), nvalue = (int32_t)strlen(value);

    memcpy(out, &npairs, 4);
    memcpy(out + 4, &nkey, 4);
    memcpy(out + 8, key, (size_t)nkey);
    memcpy(out + 8 + nkey, &nvalue, 4);
    memcpy(out + 12 + nkey, value, (size_t)nvalue);
    return out;
}

/* The format of the column; text that may be any format is for an array without values. */
static size_t make_format(struct input *in, uint8_t choice, char out[64])
{
    size_t format = choice % (NFORMATS + 1), used = 0;

    if (format < NFORMATS) {
        memcpy(out, formats[format].text, strlen(formats[format].text) + 1);
        return format;
    }
    do {
        out[used] = (char)take(in);
    } while (out[used] != '\0' && ++used < 63);
    out[used] = '\0';
    return NFORMATS;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    const void *no_bitmap[1] = {NULL}, *column_buffers[3], *dictionary_buffers[3];
    struct ArrowSchema dictionary_schema, column_schema, schema, *columns[1] = {&column_schema};
    struct ArrowArray dictionary, column, rows, *children[1] = {&column};
    size_t format, text_format, length, offset;
    char text[64], metadata[64];
    struct input in;

    if (nbytes < HEAD)
        return 0;
    in = (struct input){.bytes = data + HEAD, .nbytes = nbytes - HEAD};
    format = make_format(&in, data[0], text);
    length = format < NFORMATS ? data[2] : 0;
    offset = format < NFORMATS ? data[3] : 0;
    make_array(&in, &column, column_buffers, format < NFORMATS ? format : data[2] % NFORMATS,
               length, offset, (data[1] & 4) == 0);
    column.null_count = data[8] < 200 ? -1 : data[8] - 200;
    text_format = (data[1] & 16) != 0 ? WIDE_TEXT : TEXT;
    make_array(&in, &dictionary, dictionary_buffers, text_format, data[6], data[7],
               (data[1] & 64) != 0);
    rows = (struct ArrowArray){.length = data[4] % (int64_t)(length + 2),
                               .offset = data[5] % (int64_t)(length + 2),
                               .n_buffers = 1,
                               .n_children = 1,
                               .buffers = no_bitmap,
                               .children = children,
                               .release = release_rows};
    dictionary_schema =
        (struct ArrowSchema){.format = formats[text_format].text, .release = release_schema};
    column_schema = (struct ArrowSchema){.format = text,
                                         .name = "x",
                                         .flags = (data[1] & 32) != 0 ? ARROW_FLAG_NULLABLE : 0,
                                         .release = release_schema};
    if ((data[1] & 128) != 0)
        column_schema.metadata = make_metadata(metadata, "stoa:type", "enum(a,\"\",b)");
    schema = (struct ArrowSchema){
        .format = "+s", .n_children = 1, .children = columns, .release = release_schema};
    if ((data[1] & 8) != 0) {
        column.dictionary = &dictionary;
        column_schema.dictionary = &dictionary_schema;
    }
    make_wild(data[9], &rows, &column, &dictionary);
    import(&rows, &schema, (enum stoa_arrow_check)(data[1] % 4 % 3));
    column.release(&column);
    dictionary.release(&dictionary);
    return 0;
}
