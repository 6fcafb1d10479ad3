/*
 * Writes a table that lies in memory in Arrow's layout, here put together by hand:
 *
 *     gcc write_arrow.c $(pkg-config --cflags --libs stoa) -o write_arrow
 *     ./write_arrow lakes.stoa
 */
#include <stdio.h>
#include <stoa.h>

#define TRY(call)                                                                                  \
    do {                                                                                           \
        if ((st = (call)) != STOA_OK)                                                              \
            goto out;                                                                              \
    } while (0)

/* Four texts, one behind the other, and where they end; four numbers, of which the third is null.
 */
static const char names[] = "BaikalTanganyikaVostokCaspian";
static const int32_t name_ends[] = {0, 6, 16, 22, 29};
static const double depths_m[] = {1642, 1470, 0, 1025};
static const uint8_t has_depth[] = {0x0b}; /* bit i: value i is there */

static const void *name_buffers[] = {NULL, name_ends, names};
static const void *depth_buffers[] = {has_depth, depths_m};
static const void *row_buffers[] = {NULL};

/* Nothing was allocated, so there is nothing to free. */
static void release_schema(struct ArrowSchema *schema)
{
    schema->release = NULL;
}

static void release_array(struct ArrowArray *array)
{
    array->release = NULL;
}

static enum stoa_status write_table(struct ArrowArray *rows, const struct ArrowSchema *types,
                                    const char *path, struct stoa_error *err)
{
    struct stoa_schema schema = {0};
    struct stoa_batch batch = {0};
    struct stoa_sink *sink = NULL;
    struct stoa_writer *writer = NULL;
    enum stoa_status st;

    TRY(stoa_schema_import(types, &schema, err));
    TRY(stoa_batch_import(rows, types, &schema, STOA_ARROW_CHECK_FULL, &batch, err));
    TRY(stoa_sink_create_file(path, false, &sink, err));
    TRY(stoa_writer_open(sink, &schema, NULL, &writer, err));
    TRY(stoa_writer_append(writer, &batch, err));
    TRY(stoa_writer_finish(writer, err));
    TRY(sink->commit(sink, err)); /* now the file is there, whole and on disk */
out:
    stoa_writer_close(writer);
    stoa_sink_close(sink);
    stoa_batch_reset(&batch);
    stoa_schema_reset(&schema);
    return st;
}

int main(int argc, char **argv)
{
    struct ArrowSchema name = {.format = "u", .name = "name", .release = release_schema};
    struct ArrowSchema depth = {
        .format = "g", .name = "depth_m", .flags = ARROW_FLAG_NULLABLE, .release = release_schema};
    struct ArrowSchema *fields[] = {&name, &depth};
    struct ArrowSchema types = {
        .format = "+s", .n_children = 2, .children = fields, .release = release_schema};
    struct ArrowArray names_array = {
        .length = 4, .n_buffers = 3, .buffers = name_buffers, .release = release_array};
    struct ArrowArray depths_array = {.length = 4,
                                      .null_count = 1,
                                      .n_buffers = 2,
                                      .buffers = depth_buffers,
                                      .release = release_array};
    struct ArrowArray *columns[] = {&names_array, &depths_array};
    struct ArrowArray rows = {.length = 4,
                              .n_buffers = 1,
                              .n_children = 2,
                              .buffers = row_buffers,
                              .children = columns,
                              .release = release_array};
    struct stoa_error err;

    if (argc == 2 && write_table(&rows, &types, argv[1], &err) == STOA_OK)
        return 0;
    fprintf(stderr, "%s\n", argc == 2 ? err.message : "usage: write_arrow FILE");
    return 1;
}
