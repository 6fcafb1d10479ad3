/*
 * Merging: the rows of many Stoa files in one, without decoding them.
 *
 * Row groups and dictionary segments are copied as bytes, each page checked against its hash.
 * Columns are matched by name. Where types differ, the merged column has the least type that holds
 * all values: numbers that only get wider are copied too (the reader widens them), and where values
 * are stored in another way, the chunks of that one column are encoded anew.
 *
 * The output depends on the inputs and their order alone. The merge of one file that this library
 * wrote is that file, byte for byte; merging (a, b) and then c gives the bytes of merging a, b, c
 * as long as nothing has to be encoded anew.
 */
#ifndef STOA_MERGE_H
#define STOA_MERGE_H

#include <signal.h>

#include <stoa/convert.h>
#include <stoa/io.h>
#include <stoa/schema.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What becomes of the values of a column, from nothing to the worst. */
enum stoa_change {
    STOA_CHANGE_NONE,    /* the types are equal */
    STOA_CHANGE_WIDEN,   /* the values stay as they are stored, their type gets wider */
    STOA_CHANGE_ENCODE,  /* each has an equal value that is stored in another way */
    STOA_CHANGE_CHECKED, /* the same, if it is in range: int64 beyond 2^53 has no equal float64 */
    STOA_CHANGE_TEXT,    /* each becomes its text */
    STOA_CHANGE_CLASH,   /* there is no type for them */
};

/* What is allowed beyond types that hold the values of both. {0}: nothing. */
struct stoa_join_options {
    bool fill_missing; /* a column that a file does not have is null in its rows; else an error */
    bool as_text;      /* columns whose types have nothing in common become utf8; else an error */
};

/* A file to merge: `source`, borrowed, or the file `path`, which is open only while it is read. */
struct stoa_merge_input {
    const char *path;
    struct stoa_source *source; /* NULL: path is opened */
};

/* {0} means the defaults. */
struct stoa_merge_options {
    struct stoa_join_options join;
    uint64_t memory_nbytes; /* 0: 256 MiB */
    void (*progress)(void *context,
                     const struct stoa_convert_progress *progress); /* at most ten a second */
    void (*note)(void *context,
                 const char *text);      /* what is worth knowing and no error; one line */
    void *context;                       /* of both */
    const volatile sig_atomic_t *cancel; /* checked often; not 0: stop */
};

/* What a merge did, or would do. */
struct stoa_merge_report {
    uint64_t ninputs;
    uint64_t nrows;
    uint64_t nrow_groups;
    uint64_t nchunks_copied;
    uint64_t nchunks_encoded;
    uint64_t input_nbytes;
    uint64_t output_nbytes;
    uint64_t shared_nbytes; /* of the output: blocks of the disk that it shares with the inputs */
    uint32_t ncolumns;
    uint32_t ncolumns_encoded; /* columns with a chunk that was encoded anew */
    double seconds;
};

/*
 * Writes the rows of all inputs in order to `sink`, which is empty, borrowed and not committed;
 * with `sink` NULL it is only checked whether the inputs can be merged.
 *
 * Errors, with the name of the input in front: STOA_ERR_USAGE (no input), STOA_ERR_DATA (schemas
 * that clash, before anything is written; a value without an equal one in the merged type: row
 * group and column), STOA_ERR_CORRUPT (a damaged input: row group, column and page), STOA_ERR_LIMIT
 * (memory), STOA_ERR_IO (an input that changed meanwhile, too), STOA_ERR_CANCELLED.
 * A clash that an option of `join` would help says so in os_errno: ENOENT fill_missing, EDOM
 * as_text.
 * Memory: some MB, the footer of the output (about 40 bytes a chunk and zone), a footer of an
 * input, and a chunk that is encoded anew.
 */
STOA_API STOA_CHECK enum stoa_status
stoa_merge(const struct stoa_merge_input *inputs, size_t ninputs,
           const struct stoa_merge_options *options, struct stoa_sink *sink,
           struct stoa_merge_report *report, struct stoa_error *err);

/* A column that two schemas have differently, or one of them alone. */
struct stoa_schema_difference {
    char *name;
    char *left; /* its type as text, with "not null" behind it; NULL: it has none */
    char *right;
    char *merged;                 /* that of the merged file; NULL: there is none */
    enum stoa_change left_change; /* of the values on their way to `merged`; CLASH without it */
    enum stoa_change right_change;
};

/*
 * What merging files of two schemas would do: the columns that are not the same in both, in the
 * order of the merged file. Columns are found by name, so their order makes no difference. Free
 * with stoa_schema_differences_free().
 */
STOA_API STOA_CHECK enum stoa_status
stoa_schema_compare(const struct stoa_schema *left, const struct stoa_schema *right,
                    const struct stoa_join_options *options, struct stoa_schema_difference **out,
                    size_t *ndifferences, struct stoa_error *err);
STOA_API void stoa_schema_differences_free(struct stoa_schema_difference *differences,
                                           size_t ndifferences);

#ifdef __cplusplus
}
#endif

#endif
