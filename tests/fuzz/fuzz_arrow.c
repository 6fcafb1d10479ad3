/*
 * Any tree of ArrowArrays that has the buffers it promises, whatever is in them and whatever else
 * it says. What is taken must be valid, be the same at every level of checks, and survive going out
 * and in again.
 *
 * The input is read from front to back and over again: first how much is checked, then a node of
 * the tree after the other, a parent before what is below it; last one thing that is wild.
 */
#include <stoa/arrow.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_NBYTES = 128, MAX_DEPTH = 6, MAX_CHILDREN = 4, MAX_BUFFERS = 5 };
enum { MAX_NODES = 64, MANY_NODES = 16 }; /* from many on, nodes have nothing below */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes);

static void must(bool good)
{
    if (!good)
        abort();
}

enum kind {
    NOTHING,
    BITS,
    VALUES, /* of `width` bytes */
    TEXTS,  /* offsets of `width` bytes */
    VIEWS,
    LISTS,      /* offsets of `width` bytes */
    LIST_VIEWS, /* offsets and lengths of `width` bytes */
    FIXED_LISTS,
    STRUCTS,
    MAPS,
    RUNS,
    ANY_FORMAT, /* a text that may be any format, of an array without values */
};

static const struct {
    const char *text;
    enum kind kind;
    uint8_t width;
} formats[] = {
    {"n", NOTHING, 0},         {"b", BITS, 0},           {"c", VALUES, 1},
    {"C", VALUES, 1},          {"s", VALUES, 2},         {"S", VALUES, 2},
    {"i", VALUES, 4},          {"I", VALUES, 4},         {"l", VALUES, 8},
    {"L", VALUES, 8},          {"e", VALUES, 2},         {"f", VALUES, 4},
    {"g", VALUES, 8},          {"d:9,2", VALUES, 16},    {"d:38,38", VALUES, 16},
    {"d:9,2,32", VALUES, 4},   {"d:18,0,64", VALUES, 8}, {"d:76,3,256", VALUES, 32},
    {"d:5,5,256", VALUES, 32}, {"tdD", VALUES, 4},       {"tdm", VALUES, 8},
    {"tts", VALUES, 4},        {"ttn", VALUES, 8},       {"tss:", VALUES, 8},
    {"tsu:UTC", VALUES, 8},    {"tDm", VALUES, 8},       {"tin", VALUES, 16},
    {"tiM", VALUES, 4},        {"tiD", VALUES, 8},       {"w:5", VALUES, 5},
    {"w:16", VALUES, 16},      {"u", TEXTS, 4},          {"U", TEXTS, 8},
    {"z", TEXTS, 4},           {"Z", TEXTS, 8},          {"vu", VIEWS, 16},
    {"vz", VIEWS, 16},         {"+l", LISTS, 4},         {"+L", LISTS, 8},
    {"+vl", LIST_VIEWS, 4},    {"+vL", LIST_VIEWS, 8},   {"+w:1", FIXED_LISTS, 1},
    {"+w:3", FIXED_LISTS, 3},  {"+s", STRUCTS, 0},       {"+s", STRUCTS, 0},
    {"+m", MAPS, 4},           {"+r", RUNS, 0},          {"", ANY_FORMAT, 0},
};
enum { NFORMATS = sizeof(formats) / sizeof(formats[0]) };
enum { FIRST_INDEX = 2, END_INDEX = 10, END_LEAF = 37, STRUCT = 43 }; /* rows of the table */

/* A node of both trees; its buffers are its own. */
struct node {
    struct ArrowSchema schema;
    struct ArrowArray array;
    struct ArrowSchema *schemas[MAX_CHILDREN];
    struct ArrowArray *arrays[MAX_CHILDREN];
    const void *buffers[MAX_BUFFERS];
    char format[64], name[8], metadata[96];
};

struct input {
    const uint8_t *bytes;
    size_t nbytes;
    size_t at;
    struct node nodes[MAX_NODES];
    size_t nnodes;
};

static uint8_t take(struct input *in)
{
    return in->nbytes > 0 ? in->bytes[in->at++ % in->nbytes] : 0;
}

/* ---- Buffers: of exactly so many bytes, so that a read past the end is seen ---- */

static void *make_bytes(struct input *in, size_t nbytes)
{
    uint8_t *out = malloc(nbytes > 0 ? nbytes : 1);

    must(out != NULL);
    for (size_t i = 0; i < nbytes; i++)
        out[i] = take(in);
    return out;
}

/* Mostly ASCII. */
static void *make_text(struct input *in, size_t nbytes)
{
    uint8_t *out = make_bytes(in, nbytes);
    bool is_ascii = take(in) < 250;

    for (size_t i = 0; is_ascii && i < nbytes; i++)
        out[i] &= 0x7f;
    return out;
}

/* Number i of a buffer, native, of 4 or 8 bytes. */
static void put(uint8_t *out, size_t i, size_t width, int64_t number)
{
    int32_t narrow = (int32_t)number;

    if (width == sizeof(narrow))
        memcpy(out + i * width, &narrow, width);
    else
        memcpy(out + i * width, &number, width);
}

/* Mostly small numbers, or whole days. */
static void *make_values(struct input *in, const char *format, size_t n, size_t width)
{
    uint8_t *out = make_bytes(in, n * width);

    if (take(in) >= 192)
        return out;
    for (size_t i = 0; i < n; i++) {
        int64_t number = out[i * width];

        if (strcmp(format, "tdm") == 0) {
            put(out, i, width, (number - 128) * 86400000);
            continue;
        }
        memset(out + i * width, 0, width);
        out[i * width] = (uint8_t)number;
    }
    return out;
}

/* Offsets that mostly rise and are never above `most`. */
static void *make_offsets(struct input *in, size_t noffsets, size_t width, int64_t most)
{
    uint8_t *out = make_bytes(in, noffsets * width);
    int64_t offset = 0;

    for (size_t i = 0; i < noffsets; i++) {
        int step = take(in);

        offset = step < 250 ? offset + step % 4 : (int8_t)take(in);
        offset = offset > most ? most : offset;
        put(out, i, width, offset);
    }
    return out;
}

/* Lengths, now and then too long. */
static void *make_lengths(struct input *in, size_t n, size_t width)
{
    uint8_t *out = make_bytes(in, n * width);

    for (size_t i = 0; i < n; i++) {
        int step = take(in);

        put(out, i, width, step < 250 ? step % 4 : (int8_t)take(in));
    }
    return out;
}

/* Views that mostly lie in their buffer. */
static void *make_views(struct input *in, size_t n)
{
    uint8_t *out = make_text(in, n * 16);

    for (size_t i = 0; i < n; i++) {
        int32_t length = take(in) % 40, buffer = 0, offset = take(in) % 80;

        if (take(in) >= 250)
            continue; /* as the bytes fell */
        memcpy(out + i * 16, &length, 4);
        if (length > 12) {
            memcpy(out + i * 16 + 8, &buffer, 4);
            memcpy(out + i * 16 + 12, &offset, 4);
        }
    }
    return out;
}

static void make_buffers(struct input *in, struct node *node, size_t format, size_t n,
                         int64_t child_length)
{
    enum kind kind = formats[format].kind;
    size_t width = formats[format].width;
    bool nullable = (node->schema.flags & ARROW_FLAG_NULLABLE) != 0;
    bool has_bitmap = take(in) % (nullable ? 2 : 16) == 1;

    node->array.n_buffers = kind == NOTHING || kind == RUNS ? 0 : 1;
    if (node->array.n_buffers == 0)
        return;
    node->buffers[0] = has_bitmap ? make_bytes(in, (n + 7) / 8) : NULL;
    if (kind == VALUES)
        node->buffers[node->array.n_buffers++] = make_values(in, node->format, n, width);
    else if (kind == BITS)
        node->buffers[node->array.n_buffers++] = make_bytes(in, (n + 7) / 8);
    else if (kind == VIEWS)
        node->buffers[node->array.n_buffers++] = make_views(in, n);
    else if (kind == LISTS || kind == MAPS)
        node->buffers[node->array.n_buffers++] = make_offsets(in, n + 1, width, child_length + 3);
    else if (kind == LIST_VIEWS)
        node->buffers[node->array.n_buffers++] = make_offsets(in, n, width, child_length + 3);
    else if (kind == TEXTS)
        node->buffers[node->array.n_buffers++] = make_offsets(in, n + 1, width, TEXT_NBYTES);
    if (kind == LIST_VIEWS)
        node->buffers[node->array.n_buffers++] = make_lengths(in, n, width);
    if (kind == TEXTS || kind == VIEWS)
        node->buffers[node->array.n_buffers++] = make_text(in, TEXT_NBYTES);
    if (kind == VIEWS) {
        int64_t *size = make_bytes(in, sizeof(*size));

        *size = TEXT_NBYTES;
        node->buffers[node->array.n_buffers++] = size;
    }
}

/* ---- Nodes ---- */

static void release_schema(struct ArrowSchema *schema)
{
    schema->release = NULL;
}

static void release_array(struct ArrowArray *array)
{
    array->release = NULL;
}

static struct node *make_node(struct input *in, unsigned depth, size_t length, size_t format);

static void add_child(struct node *node, struct node *child)
{
    node->schemas[node->schema.n_children++] = &child->schema;
    node->arrays[node->array.n_children++] = &child->array;
}

/* The ends of runs, mostly rising. */
static struct node *make_ends(struct input *in, size_t nruns)
{
    struct node *ends = make_node(in, MAX_DEPTH, nruns, 4 + 2 * (take(in) % 3)); /* s, i or l */
    size_t n = nruns + (size_t)ends->array.offset, width = ends->format[0] == 's'   ? 2
                                                           : ends->format[0] == 'i' ? 4
                                                                                    : 8;
    int64_t end = 0;

    if (take(in) < 250) {
        free((void *)ends->buffers[0]);
        ends->buffers[0] = NULL;
    }
    for (size_t i = 0; i < n; i++) {
        int16_t narrow;

        end = i == (size_t)ends->array.offset ? 0 : end;
        end += take(in) < 250 ? 1 + take(in) % 40 : -3;
        narrow = (int16_t)end;
        if (width == 2)
            memcpy((uint8_t *)ends->buffers[1] + i * width, &narrow, width);
        else
            put((uint8_t *)ends->buffers[1], i, width, end);
    }
    return ends;
}

/* What is below a node of n values, its offset included. *length is the length of the child. */
static void make_children(struct input *in, struct node *node, unsigned depth, size_t format,
                          size_t n, int64_t *length)
{
    enum kind kind = formats[format].kind;
    size_t nchildren = kind == STRUCTS ? take(in) % (MAX_CHILDREN + 1) : 1;

    *length = 0;
    if (kind == LISTS || kind == LIST_VIEWS)
        *length = take(in) % 64;
    if (kind == FIXED_LISTS)
        *length = (int64_t)(n * formats[format].width);
    if (kind == STRUCTS)
        *length = (int64_t)n;
    if (kind == MAPS) { /* of a struct of two */
        struct node *entries = make_node(in, MAX_DEPTH, take(in) % 64, STRUCT);

        *length = entries->array.length;
        for (int i = 0; i < 2; i++)
            add_child(entries, make_node(in, depth + 2, (size_t)(*length + entries->array.offset),
                                         take(in) % NFORMATS));
        add_child(node, entries);
    } else if (kind == RUNS) {
        size_t nruns = take(in) % 16;

        add_child(node, make_ends(in, nruns));
        add_child(node, make_node(in, depth + 1, nruns, take(in) % NFORMATS));
    } else if (kind >= LISTS && kind != ANY_FORMAT) {
        for (size_t i = 0; i < nchildren && in->nnodes < MANY_NODES; i++)
            add_child(node, make_node(in, depth + 1, (size_t)*length, take(in) % NFORMATS));
    }
}

static void put_text(char *metadata, size_t *used, const char *text)
{
    const int32_t nbytes = (int32_t)strlen(text);

    memcpy(metadata + *used, &nbytes, sizeof(nbytes));
    memcpy(metadata + *used + sizeof(nbytes), text, (size_t)nbytes);
    *used += sizeof(nbytes) + (size_t)nbytes;
}

/* One pair that means something here, in the byte order of the machine. */
static void make_metadata(struct node *node, uint8_t choice)
{
    static const char *const pairs[][2] = {{"stoa:type", "enum(a,\"\",b)"},
                                           {"ARROW:extension:name", "arrow.uuid"},
                                           {"PARQUET:field_id", "7"},
                                           {"PARQUET:field_id", "4294967296"}};
    const int32_t npairs = 1;
    size_t used = sizeof(npairs);

    if (choice >= sizeof(pairs) / sizeof(pairs[0]))
        return;
    memcpy(node->metadata, &npairs, sizeof(npairs));
    put_text(node->metadata, &used, pairs[choice][0]);
    put_text(node->metadata, &used, pairs[choice][1]);
    node->schema.metadata = node->metadata;
}

/* A text up to a zero byte. */
static void make_format(struct input *in, char out[64])
{
    size_t used = 0;

    do {
        out[used] = (char)take(in);
    } while (out[used] != '\0' && ++used < 63);
    out[used] = '\0';
}

/* An array of `length` values behind a few others. */
static struct node *make_node(struct input *in, unsigned depth, size_t length, size_t format)
{
    struct node *node = &in->nodes[in->nnodes++];
    uint8_t how = take(in);
    size_t offset = how % 4 == 0 ? take(in) % 16 : 0;
    int64_t child_length = 0;

    must(in->nnodes <= MAX_NODES);
    if (depth >= MAX_DEPTH || in->nnodes >= MANY_NODES)
        format = format == STRUCT ? format : format % END_LEAF;
    if (formats[format].kind == ANY_FORMAT)
        length = offset = 0;
    *node = (struct node){
        .schema = {.name = node->name,
                   .format = node->format,
                   .flags = how % 8 < 5 ? ARROW_FLAG_NULLABLE : 0,
                   .children = node->schemas,
                   .release = release_schema},
        .array = {.length = (int64_t)length,
                  .offset = (int64_t)offset,
                  .null_count = -1,
                  .buffers = node->buffers,
                  .children = node->arrays,
                  .release = release_array},
    };
    snprintf(node->name, sizeof(node->name), "n%zu", in->nnodes % 100);
    memcpy(node->format, formats[format].text, strlen(formats[format].text) + 1);
    make_metadata(node, how / 16);
    if (format != STRUCT || depth < MAX_DEPTH)
        make_children(in, node, depth, format, length + offset, &child_length);
    make_buffers(in, node, format, length + offset, child_length);
    if (formats[format].kind == ANY_FORMAT)
        make_format(in, node->format);
    if (format >= FIRST_INDEX && format < END_INDEX && how % 8 >= 6 && depth < MAX_DEPTH &&
        in->nnodes < MANY_NODES) {
        struct node *entries = make_node(in, depth + 1, take(in) % 32, take(in) % NFORMATS);

        node->schema.dictionary = &entries->schema;
        node->array.dictionary = &entries->array;
    }
    return node;
}

/* One count of one node that cannot be, or a pointer that is missing. */
static void make_wild(struct input *in)
{
    static const int64_t values[] = {-1, INT64_MIN, INT64_MAX, INT64_MAX - 5, INT64_C(1) << 62};
    struct node *node = &in->nodes[take(in) % in->nnodes];
    int64_t value = values[take(in) % (sizeof(values) / sizeof(values[0]))];
    /* How many buffers views have is not for anybody to check. */
    bool has_views = node->format[0] == 'v';

    switch (take(in) % 40) {
    case 0:
        node->array.length = value;
        break;
    case 1:
        node->array.offset = value;
        break;
    case 2:
        node->array.null_count = value;
        break;
    case 3:
        node->array.null_count = take(in) % 8;
        break;
    case 4:
        node->array.n_buffers = has_views ? 1 : value;
        break;
    case 5:
        node->array.n_children = value;
        break;
    case 6:
        node->schema.n_children = value;
        break;
    case 7:
        node->array.release = NULL;
        break;
    case 8:
        node->schema.release = NULL;
        break;
    case 9:
        node->array.buffers = NULL;
        break;
    case 10:
        node->array.children = NULL;
        break;
    case 11:
        node->schema.children = NULL;
        break;
    case 12:
        node->array.dictionary = NULL;
        break;
    default:
        break;
    }
}

/* ---- The library ---- */

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
    for (uint32_t i = 0; i < schema->nfields; i++)
        must(stoa_array_slice(&schema->fields[i], &batch->columns[i], 0, batch->nrows,
                              &copy.columns[i], NULL) == STOA_OK);
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

/* What passes all checks is the same without them. */
static void check_levels(struct ArrowArray *rows, const struct ArrowSchema *arrow,
                         const struct stoa_batch *batch)
{
    const enum stoa_arrow_check less[] = {STOA_ARROW_CHECK_BASIC, STOA_ARROW_CHECK_NONE};

    for (size_t i = 0; i < 2; i++) {
        struct stoa_batch again;

        rows->release = release_array;
        must(stoa_batch_import(rows, arrow, batch->schema, less[i], &again, NULL) == STOA_OK);
        must(stoa_batch_equal(batch, &again));
        stoa_batch_reset(&again);
    }
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
        must(err.message[0] != '\0');
    } else {
        must(rows->release == NULL);
        if (check == STOA_ARROW_CHECK_FULL) {
            must(stoa_batch_validate(&batch, NULL) == STOA_OK);
            check_levels(rows, arrow, &batch);
            check_batch(&batch);
        }
        stoa_batch_reset(&batch);
    }
    stoa_schema_reset(&schema);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    static struct input in;
    struct node *rows;
    enum stoa_arrow_check check;

    in.bytes = data;
    in.nbytes = nbytes;
    in.at = 0;
    in.nnodes = 0;
    check = (enum stoa_arrow_check)(take(&in) % 4 % 3);
    rows = make_node(&in, 0, take(&in) % 64, STRUCT); /* a struct */
    make_wild(&in);
    import(&rows->array, &rows->schema, check);
    for (size_t i = 0; i < in.nnodes; i++)
        for (size_t k = 0; k < MAX_BUFFERS; k++)
            free((void *)in.nodes[i].buffers[k]);
    return 0;
}
