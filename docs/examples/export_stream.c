/*
 * Hands out a file as an ArrowArrayStream, and walks that with nothing but Arrow's three structs:
 * any program that knows Arrow can be the reader.
 *
 *     gcc export_stream.c $(pkg-config --cflags --libs stoa) -o export_stream
 *     ./export_stream flights.stoa
 */
#include <stdio.h>
#include <stoa/arrow.h>

/* A line a field, with its format: "l" is int64, "u" text, "+l" a list. */
static void print_fields(const struct ArrowSchema *schema, int depth)
{
    for (int64_t i = 0; i < schema->n_children; i++) {
        const struct ArrowSchema *field = schema->children[i];

        printf("%*s%s %s%s\n", 2 * depth, "", field->name, field->format,
               (field->flags & ARROW_FLAG_NULLABLE) != 0 ? "" : " not null");
        print_fields(field, depth + 1);
    }
}

static int64_t count_nulls(const struct ArrowArray *rows)
{
    int64_t nnulls = 0;

    for (int64_t i = 0; i < rows->n_children; i++)
        nnulls += rows->children[i]->null_count;
    return nnulls;
}

static int walk(struct ArrowArrayStream *stream)
{
    struct ArrowSchema schema;
    struct ArrowArray rows;
    int64_t nrows = 0, nnulls = 0;
    int code = stream->get_schema(stream, &schema);

    if (code != 0)
        return code;
    print_fields(&schema, 0);
    schema.release(&schema);
    while ((code = stream->get_next(stream, &rows)) == 0 && rows.release != NULL) {
        nrows += rows.length;
        nnulls += count_nulls(&rows);
        rows.release(&rows);
    }
    if (code == 0)
        printf("%lld rows, %lld nulls\n", (long long)nrows, (long long)nnulls);
    return code;
}

int main(int argc, char **argv)
{
    struct ArrowArrayStream stream;
    struct stoa_error err;
    int code;

    if (argc != 2) {
        fprintf(stderr, "usage: %s FILE\n", argv[0]);
        return 2;
    }
    if (stoa_file_export(argv[1], NULL, &stream, &err) != STOA_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    code = walk(&stream);
    if (code != 0)
        fprintf(stderr, "%s\n", stream.get_last_error(&stream));
    stream.release(&stream);
    return code != 0;
}
