/*
 * All rows of an Avro file in memory, block by block as a conversion reads them, with each batch
 * validated.
 */
#ifndef STOA_TESTS_SUPPORT_READ_AVRO_H
#define STOA_TESTS_SUPPORT_READ_AVRO_H

#include <stoa/array.h>

struct stoa_test_avro {
    struct stoa_schema schema;
    struct stoa_batch batch; /* all rows that were read in front of an error; no rows: {0} */
    uint64_t nempty;         /* blocks without rows */
};

/*
 * `in_stream`: data is decompressed as it comes, as that of large blocks is. The columns whose
 * number is in `unwanted` (a bit each) are passed over. Aborts when a batch is not valid.
 */
enum stoa_status stoa_test_read_avro(const void *bytes, size_t nbytes, bool in_stream,
                                     uint64_t unwanted, struct stoa_test_avro *out,
                                     struct stoa_error *err);

/* Rows of one block, not compressed, of a writer's schema as those of a reader's. */
enum stoa_status stoa_test_resolve_avro(const char *writer, size_t writer_nbytes,
                                        const char *reader, size_t reader_nbytes, const void *data,
                                        size_t nbytes, size_t nrows, struct stoa_test_avro *out,
                                        struct stoa_error *err);
void stoa_test_avro_reset(struct stoa_test_avro *avro);

#endif
