/*
 * The inside of a reader: what its parts share.
 */
#ifndef STOA_FILE_READER_H
#define STOA_FILE_READER_H

#include <stoa/reader.h>

#include "file/dictionary_read.h"
#include "file/footer.h"

/* What decoding a chunk needs besides its result; one thread at a time. */
struct stoa_read_scratch {
    struct stoa_decoder *decoder;
    struct stoa_buffer stored; /* pages as they lie in the file */
    struct stoa_buffer values; /* a page of values that are still to be widened */
};

/* As many threads can read at once without making a scratch of their own each time. */
#define STOA_READER_NSCRATCHES 16

struct stoa_reader {
    struct stoa_footer footer;
    struct stoa_dictionaries dictionaries;
    struct stoa_once schema; /* struct stoa_schema * */
    _Atomic(void *) scratches[STOA_READER_NSCRATCHES];
};

/* A scratch that nobody else uses, until it is given back. */
STOA_CHECK enum stoa_status stoa_reader_scratch_take(struct stoa_reader *reader,
                                                     struct stoa_read_scratch **out,
                                                     struct stoa_error *err);
void stoa_reader_scratch_give(struct stoa_reader *reader, struct stoa_read_scratch *scratch);

/* STOA_ERR_USAGE when one of them is not there. */
STOA_CHECK enum stoa_status stoa_reader_check(const struct stoa_reader *reader, uint32_t row_group,
                                              uint32_t column, struct stoa_error *err);

/* Puts "row group R: column NAME: " in front of the message. */
enum stoa_status stoa_reader_wrap(struct stoa_reader *reader, uint32_t row_group, uint32_t column,
                                  enum stoa_status st, struct stoa_error *err);

/*
 * Rows [begin, end) of the chunk of `column` in `row_group`, all arguments in range: chunk_read.c.
 * *out is overwritten on success.
 */
STOA_CHECK enum stoa_status stoa_chunk_read(struct stoa_reader *reader, uint32_t row_group,
                                            uint32_t column, uint32_t begin, uint32_t end,
                                            struct stoa_array *out,
                                            struct stoa_read_counters *counters,
                                            struct stoa_error *err);

#endif
