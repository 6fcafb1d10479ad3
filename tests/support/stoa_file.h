/*
 * Stoa files in memory, written from batches.
 *
 * A helper that fails ends the program with a message: a test that needs a file has nothing to say
 * without it.
 */
#ifndef STOA_TESTS_SUPPORT_STOA_FILE_H
#define STOA_TESTS_SUPPORT_STOA_FILE_H

#include <stoa/reader.h>
#include <stoa/writer.h>

#include "file/rules.h"
#include "support/random.h"

struct stoa_test_file {
    uint8_t *bytes;
    size_t nbytes;
};

/*
 * Writes each batch as a row group. The batches stay as they are. `rules` NULL: the usual ones,
 * but for a footer that is never packed, so that tests find its structures in the file.
 * Release with stoa_test_file_reset().
 */
void stoa_test_file_write(const struct stoa_schema *schema, const struct stoa_batch *batches,
                          size_t nbatches, const struct stoa_rules *rules,
                          struct stoa_test_file *out);

/*
 * The same with source text: a side table for each batch, empty ones too, and sources. Both are
 * copied.
 */
struct stoa_test_source_text {
    const struct stoa_side *sides;
    const struct stoa_source_info *sources;
    size_t nsources;
};
void stoa_test_file_write_text(const struct stoa_schema *schema, const struct stoa_batch *batches,
                               size_t nbatches, const struct stoa_test_source_text *text,
                               const struct stoa_rules *rules, struct stoa_test_file *out);

/* The same with options: the order that the rows are in, columns with Bloom filters. */
void stoa_test_file_write_options(const struct stoa_schema *schema,
                                  const struct stoa_batch *batches, size_t nbatches,
                                  const struct stoa_writer_options *options,
                                  const struct stoa_rules *rules, struct stoa_test_file *out);

/*
 * The names of the columns that can have a Bloom filter, for writer options; free the list with
 * free(). They are the schema's.
 */
const char **stoa_test_bloom_columns(const struct stoa_schema *schema, uint32_t *n);
void stoa_test_file_reset(struct stoa_test_file *file);

/* Rules under which a few thousand rows meet everything that large files do. */
struct stoa_rules stoa_test_small_rules(void);

/* A generated table: its rows as they went in, and the file. */
struct stoa_test_table {
    struct stoa_schema schema;
    struct stoa_batch *batches;
    size_t nbatches;
    struct stoa_side *sides; /* one a batch; NULL: a table without source text */
    struct stoa_source_info *sources;
    size_t nsources;
    struct stoa_test_file file;
};

/* One batch, and row group, for each of nrows[0..nbatches). The schema is taken over. */
void stoa_test_table_make(struct stoa_test_random *random, struct stoa_schema *schema,
                          const size_t *nrows, size_t nbatches, const struct stoa_rules *rules,
                          struct stoa_test_table *out);

/* Gives the table random source text, and writes its file anew. */
void stoa_test_table_add_text(struct stoa_test_random *random, struct stoa_test_table *table,
                              size_t nsources, const struct stoa_rules *rules);
void stoa_test_table_reset(struct stoa_test_table *table);

/* A schema with one nullable column of each type that files hold. */
void stoa_test_schema_of_all_types(struct stoa_test_random *random, struct stoa_schema *out);

/*
 * Where structures of the footer are, for tests that change them: the content of a section (it must
 * be there), its entry in the section table, the entries of a column, row group and chunk.
 */
uint8_t *stoa_test_file_section(const struct stoa_test_file *file, unsigned type);
uint8_t *stoa_test_file_section_entry(const struct stoa_test_file *file, unsigned type);
uint8_t *stoa_test_file_column(const struct stoa_test_file *file, uint32_t column);
uint8_t *stoa_test_file_group(const struct stoa_test_file *file, uint32_t group);
uint8_t *stoa_test_file_chunk(const struct stoa_test_file *file, uint32_t group, uint32_t column);

/* A source over the file. */
struct stoa_source *stoa_test_file_source(const struct stoa_test_file *file);

/*
 * Reads all columns of all row groups, and the source text, and returns whether they are equal to
 * the table's; a status other than STOA_OK says that reading failed.
 */
enum stoa_status stoa_test_table_compare(const struct stoa_test_table *table,
                                         struct stoa_reader *reader, bool *equal,
                                         struct stoa_error *err);

#endif
