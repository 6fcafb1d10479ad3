/*
 * Copies an Avro file into a Stoa file row by row, as a program does that has avro_value_t in its
 * hands, and prints the rows of that as JSON:
 *
 *     gcc avro_values.c $(pkg-config --cflags --libs stoa-avro) -o avro_values
 *     ./avro_values lakes.avro lakes.stoa
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stoa_avro_bridge.h>

#define TRY(call)                                                                                  \
    do {                                                                                           \
        if ((st = (call)) != STOA_OK)                                                              \
            goto out;                                                                              \
    } while (0)

/* The text of the schema that the file was written with: avro-c has forgotten parts of it. */
static enum stoa_status append_all(const char *path, avro_file_reader_t file, avro_value_t *row,
                                   struct stoa_sink *sink, struct stoa_error *err)
{
    struct stoa_schema columns = {0};
    struct stoa_avro_appender *appender = NULL;
    struct stoa_writer *writer = NULL;
    const char *json;
    int code;
    enum stoa_status st;

    TRY(stoa_avro_file_schema(path, &columns, err));
    json = stoa_metadata_get(&columns.metadata, "avro.schema");
    TRY(stoa_avro_appender_new(json, strlen(json), &appender, err));
    TRY(stoa_writer_open(sink, stoa_avro_appender_schema(appender), NULL, &writer, err));
    while ((code = avro_file_reader_read_value(file, row)) == 0) {
        TRY(stoa_avro_append(appender, writer, row, err));
        avro_value_reset(row);
    }
    if (code != EOF) { /* or a damaged file would be taken for a shorter one */
        *err = (struct stoa_error){.status = STOA_ERR_DATA, .offset = STOA_NO_OFFSET};
        snprintf(err->message, sizeof(err->message), "%s: %s", path, avro_strerror());
        st = STOA_ERR_DATA;
        goto out;
    }
    TRY(stoa_avro_append_flush(appender, writer, err));
    TRY(stoa_writer_finish(writer, err));
out:
    stoa_writer_close(writer);
    stoa_avro_appender_free(appender);
    stoa_schema_reset(&columns);
    return st;
}

static enum stoa_status write_stoa(const char *from, const char *to, struct stoa_error *err)
{
    avro_file_reader_t file;
    avro_schema_t schema;
    avro_value_iface_t *class;
    avro_value_t row;
    struct stoa_sink *sink = NULL;
    enum stoa_status st;

    if (avro_file_reader(from, &file) != 0) {
        fprintf(stderr, "%s\n", avro_strerror());
        exit(1);
    }
    schema = avro_file_reader_get_writer_schema(file); /* a reference of our own */
    class = avro_generic_class_from_schema(schema);
    avro_generic_value_new(class, &row);
    TRY(stoa_sink_create_file(to, true, &sink, err));
    TRY(append_all(from, file, &row, sink, err));
    TRY(sink->commit(sink, err));
out:
    stoa_sink_close(sink);
    avro_value_decref(&row);
    avro_value_iface_decref(class);
    avro_schema_decref(schema);
    avro_file_reader_close(file);
    return st;
}

static enum stoa_status print_rows(struct stoa_scan *scan, struct stoa_avro_fetcher *fetcher,
                                   struct stoa_error *err)
{
    avro_value_iface_t *class = avro_generic_class_from_schema(stoa_avro_fetcher_schema(fetcher));
    avro_value_t row;
    bool more;
    enum stoa_status st;

    avro_generic_value_new(class, &row);
    while ((st = stoa_avro_fetch(fetcher, scan, &row, &more, err)) == STOA_OK && more) {
        char *text;

        if (avro_value_to_json(&row, 1, &text) == 0) {
            puts(text);
            free(text);
        }
    }
    avro_value_decref(&row);
    avro_value_iface_decref(class);
    return st;
}

static enum stoa_status print_stoa(const char *path, struct stoa_error *err)
{
    struct stoa_source *source = NULL;
    struct stoa_reader *reader = NULL;
    struct stoa_scan *scan = NULL;
    struct stoa_avro_fetcher *fetcher = NULL;
    enum stoa_status st;

    TRY(stoa_source_open_file(path, &source, err));
    TRY(stoa_reader_open(source, NULL, &reader, err));
    TRY(stoa_scan_open(reader, &(struct stoa_scan_options){0}, &scan, err));
    TRY(stoa_avro_fetcher_new(stoa_scan_schema(scan), "row", &fetcher, err));
    TRY(print_rows(scan, fetcher, err));
out:
    stoa_avro_fetcher_free(fetcher);
    stoa_scan_close(scan);
    stoa_reader_close(reader);
    stoa_source_close(source);
    return st;
}

int main(int argc, char **argv)
{
    struct stoa_error err;

    if (argc != 3) {
        fprintf(stderr, "usage: %s FROM.avro TO.stoa\n", argv[0]);
        return 2;
    }
    if (write_stoa(argv[1], argv[2], &err) != STOA_OK || print_stoa(argv[2], &err) != STOA_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    return 0;
}
