/*
 * Writing Stoa files.
 *
 * The short way, one thread:
 *
 *     stoa_writer_open(sink, schema, NULL, &w, &err);
 *     while (more) stoa_writer_append(w, &batch, &err);
 *     stoa_writer_finish(w, &err);
 *     sink->commit(sink, &err);
 *     stoa_writer_close(w);
 *
 * The parallel way hands in whole row groups and splits the work on each into four steps, two that
 * any thread may do and two that must be done in the order of the row groups:
 *
 *     stoa_writer_prepare    any thread   statistics, distinct values, the choice of encodings
 *     stoa_writer_sequence   in order     codes of shared dictionaries are fixed; short
 *     stoa_writer_encode     any thread   pages, compression, hashes
 *     stoa_writer_commit     in order     bytes go to the sink
 *
 * Steps of different row groups may run side by side, a sequence and a commit too; of one group
 * they follow each other.
 *
 * The bytes of the file depend on the rows, their split into row groups and the options alone, not
 * on threads or time.
 */
#ifndef STOA_WRITER_H
#define STOA_WRITER_H

#include <stoa/array.h>
#include <stoa/io.h>
#include <stoa/order.h>
#include <stoa/source_text.h>

#ifdef __cplusplus
extern "C" {
#endif

#define STOA_ROW_GROUP_NROWS  131072
#define STOA_ROW_GROUP_NBYTES (UINT64_C(32) << 20)

/* What encodings are chosen for. Files of all levels are read alike; none is named in a file. */
enum stoa_level {
    STOA_LEVEL_BALANCED, /* small, while writing is quick */
    STOA_LEVEL_FAST,     /* read and written fastest: encoded, but nothing is compressed */
    STOA_LEVEL_SMALL,    /* as small as it gets; written slowly, single rows are read slowly */
};

/* {0} means the defaults. */
struct stoa_writer_options {
    uint32_t row_group_nrows;  /* append: rows of a group, 1..2^24; 0: 131,072 */
    uint64_t row_group_nbytes; /* append: Arrow bytes of a group at the most; 0: 32 MiB */
    enum stoa_level level;

    /*
     * What the rows are sorted by; copied. Readers find rows by it, so it is checked while rows
     * are written: STOA_ERR_DATA names the first row that is out of order. NULL: nothing is known.
     */
    const struct stoa_sort_order *order;

    /*
     * Columns, or parts of structs as "a.b", that get a Bloom filter in each row group, so that
     * tests for equality skip those without the value. 11 bits a distinct value, more or less by
     * `bloom_rate`: the share of values that are not there and found all the same, 0.00001 to less
     * than 0.33; 0: 0.01. Copied. STOA_ERR_USAGE: no such column, or one that can have none.
     */
    const char *const *blooms;
    uint32_t nblooms;
    double bloom_rate;

    /*
     * Every page is decoded and compared with its values before it is written: what a fault of the
     * encoder or of the machine made of it is an error (STOA_ERR_CORRUPT, with column and page) and
     * reaches no file. `true` leaves that out.
     */
    bool no_page_checks;
};

struct stoa_writer;

/*
 * A writer to `sink`, which it borrows and which must be empty. Writes the head of the file and the
 * schema, which is copied. STOA_ERR_USAGE: types that cannot be stored; STOA_ERR_IO, _NOMEM.
 */
STOA_API STOA_CHECK enum stoa_status stoa_writer_open(struct stoa_sink *sink,
                                                      const struct stoa_schema *schema,
                                                      const struct stoa_writer_options *options,
                                                      struct stoa_writer **out,
                                                      struct stoa_error *err);

/*
 * Appends rows (the batch is borrowed) and writes a row group each time one is full.
 * The batch must be valid (stoa_batch_validate()) and of the writer's schema; the sizes are
 * checked, the values are not. After an error only stoa_writer_close() may be called.
 */
STOA_API STOA_CHECK enum stoa_status stoa_writer_append(struct stoa_writer *writer,
                                                        const struct stoa_batch *batch,
                                                        struct stoa_error *err);

/* One row group on its way; made by prepare, freed by commit or stoa_writer_group_free(). */
struct stoa_writer_group;

/*
 * Starts row group `ordinal` (0, 1, 2, ... without a gap) with 1..2^24 rows. Takes over the
 * batch's columns on success. Any thread, any number of groups at a time.
 */
STOA_API STOA_CHECK enum stoa_status stoa_writer_prepare(struct stoa_writer *writer,
                                                         uint64_t ordinal, struct stoa_batch *batch,
                                                         struct stoa_writer_group **out,
                                                         struct stoa_error *err);
STOA_API STOA_CHECK enum stoa_status stoa_writer_sequence(struct stoa_writer *writer,
                                                          struct stoa_writer_group *group,
                                                          struct stoa_error *err);
STOA_API STOA_CHECK enum stoa_status stoa_writer_encode(struct stoa_writer *writer,
                                                        struct stoa_writer_group *group,
                                                        struct stoa_error *err);
STOA_API STOA_CHECK enum stoa_status stoa_writer_commit(struct stoa_writer *writer,
                                                        struct stoa_writer_group *group,
                                                        struct stoa_error *err);
STOA_API void stoa_writer_group_free(struct stoa_writer_group *group);

/*
 * Gives a row group that is not encoded yet its side table (stoa/source_text.h), which is checked
 * and taken over; an empty one takes it away again. Beside no other step of the group. Writing the
 * side table fails with STOA_ERR_LIMIT where a value of 64 MiB and more is not alone in its row
 * group. STOA_ERR_USAGE: it is not one for this row group; then it stays the caller's.
 */
STOA_API STOA_CHECK enum stoa_status stoa_writer_group_set_side(struct stoa_writer_group *group,
                                                                struct stoa_side *side,
                                                                struct stoa_error *err);

/*
 * Adds sources, in the order of their rows; they are copied. Any number of times before finish, not
 * beside a commit. STOA_ERR_USAGE: rows that do not follow those of the source before; finish says
 * so of rows that the file has not. STOA_ERR_LIMIT: more bytes than STOA_SOURCE_MAX_NBYTES.
 */
STOA_API STOA_CHECK enum stoa_status stoa_writer_add_sources(struct stoa_writer *writer,
                                                             const struct stoa_source_info *infos,
                                                             size_t n, struct stoa_error *err);

/* Writes what append still holds and the footer. The sink is not committed. Call once. */
STOA_API STOA_CHECK enum stoa_status stoa_writer_finish(struct stoa_writer *writer,
                                                        struct stoa_error *err);

/* Rows and bytes handed to the sink so far; not beside a commit. */
STOA_API uint64_t stoa_writer_nrows(const struct stoa_writer *writer);
STOA_API uint64_t stoa_writer_nbytes(const struct stoa_writer *writer);

/* Frees the writer; NULL is fine. Without finish the sink holds no file. */
STOA_API void stoa_writer_close(struct stoa_writer *writer);

#ifdef __cplusplus
}
#endif

#endif
