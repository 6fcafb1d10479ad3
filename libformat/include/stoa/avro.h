/*
 * Schemas of Avro (.avsc), both ways, and those of Avro files.
 *
 * A table is a record. Its columns are fields with Avro's types and logical types; names that Avro
 * does not allow are made to fit and kept in the attribute "stoa_name", types that Avro does not
 * have in "stoa_type", as their text form. So what is printed reads back as the same schema, but
 * for ids and metadata of what is inside of nested columns.
 */
#ifndef STOA_AVRO_H
#define STOA_AVRO_H

#include <stoa/schema.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The schema that columns are written to Avro with: the text that the metadata keeps of the file
 * they came from, as long as it goes with them, or one that is made; `name` is that of its record,
 * made to fit. *out is terminated: free it with stoa_free().
 */
STOA_API STOA_CHECK enum stoa_status stoa_avro_print_schema(const struct stoa_schema *schema,
                                                            const char *name, char **out,
                                                            struct stoa_error *err);

/*
 * The columns that values of any schema are read into (spec/avro.md, "Mapping"), fields with a
 * "stoa_type" as that. STOA_ERR_DATA names the field that is wrong; STOA_ERR_LIMIT.
 */
STOA_API STOA_CHECK enum stoa_status stoa_avro_parse_schema(const char *text, size_t nbytes,
                                                            struct stoa_schema *out,
                                                            struct stoa_error *err);

/* How Avro files are written (spec/avro.md, "Writing"). {0} is enough. */
struct stoa_avro_write_options {
    const char *codec; /* "null", "deflate", "snappy", "zstandard", "bzip2", "xz"; NULL: that of the
                          file that the rows came from, or else deflate */
    bool has_level;    /* it is compressed at `level`; otherwise at the codec's own choice */
    int level;
    bool random_sync;    /* a marker by chance, not one that follows from the content */
    size_t block_nbytes; /* of rows in a block, about; 0: 128 KiB */
};

/*
 * What was left out of Avro files where blocks are damaged (spec/avro.md, "Damaged files"): at
 * nplaces places nblocks blocks, or what stands there, with their heads and markers. `nrows` is
 * what the heads of these blocks say; at nuncounted of the places there are more of which there is
 * no telling.
 */
struct stoa_avro_lost {
    uint64_t nplaces;
    uint64_t nblocks;
    uint64_t nbytes;
    uint64_t nrows;
    uint64_t nuncounted;
};

/*
 * The schema of the columns that an Avro file is read into (spec/avro.md, "Mapping"), with the
 * writer's schema and the file's metadata in its own. `path` "-" is standard input. Errors: those
 * of stoa_stream_open(); STOA_ERR_DATA, STOA_ERR_LIMIT, STOA_ERR_UNSUPPORTED (a codec).
 */
STOA_API STOA_CHECK enum stoa_status
stoa_avro_file_schema(const char *path, struct stoa_schema *out, struct stoa_error *err);

#ifdef __cplusplus
}
#endif

#endif
