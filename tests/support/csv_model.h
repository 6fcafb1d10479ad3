/*
 * CSV read the slow and obvious way, byte by byte, to hold the library against; and texts that are
 * full of what is hard about it.
 */
#ifndef STOA_TESTS_SUPPORT_CSV_MODEL_H
#define STOA_TESTS_SUPPORT_CSV_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <stoa/csv.h>

#include "support/random.h"

/* What a field says: quotes taken off, doubled ones made single. */
struct stoa_test_csv_field {
    char *text;
    size_t nbytes;
    bool quoted;
    size_t begin; /* bytes of the text, with quotes and all */
    size_t end;
};

enum stoa_test_csv_fault {
    STOA_TEST_CSV_FINE,
    STOA_TEST_CSV_OPEN_QUOTE,
    STOA_TEST_CSV_AFTER_QUOTE, /* this and the next only with the option `strict` */
    STOA_TEST_CSV_STRAY_QUOTE
};

/* The bytes [begin, end) of the text, its line end included. */
struct stoa_test_csv_record {
    struct stoa_test_csv_field *fields;
    size_t nfields; /* 0: a comment */
    bool trailing;  /* a delimiter behind the last field, by the option of that name */
    size_t begin;
    size_t ending; /* of the last field: where the line end begins */
    size_t end;
    uint64_t line;                  /* of its first byte, from 1 */
    enum stoa_test_csv_fault fault; /* the first of the record */
};

struct stoa_test_csv {
    struct stoa_test_csv_record *records;
    size_t nrecords;
};

/* `text` without a byte order mark; options may be NULL. Free with stoa_test_csv_free(). */
void stoa_test_csv_parse(const char *text, size_t nbytes, const struct stoa_csv_options *options,
                         struct stoa_test_csv *out);
void stoa_test_csv_free(struct stoa_test_csv *csv);

/* Up to `most` bytes of quotes, delimiters, line ends and letters in any order; free() them. */
char *stoa_test_csv_noise(struct stoa_test_random *r, size_t most, size_t *nbytes);

/* Any dialect that splits text: characters, trimming, strict, ragged, trailing delimiters. */
struct stoa_csv_options stoa_test_csv_dialect(struct stoa_test_random *r);

/* The same noise with the special characters of a dialect; free() it. */
char *stoa_test_csv_dialect_noise(struct stoa_test_random *r,
                                  const struct stoa_csv_options *dialect, size_t most,
                                  size_t *nbytes);

/*
 * A file of nrecords records of ncolumns fields, without a fault: plain, quoted for no reason, with
 * delimiters, line ends and doubled quotes in them, empty; LF, CRLF or CR ends. free() it.
 */
char *stoa_test_csv_file(struct stoa_test_random *r, size_t nrecords, size_t ncolumns,
                         size_t *nbytes);

#endif
