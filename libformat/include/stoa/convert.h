/*
 * Conversions: many inputs of one format into one output of another, in parallel and in bounded
 * memory, the same bytes for any number of threads.
 */
#ifndef STOA_CONVERT_H
#define STOA_CONVERT_H

#include <signal.h>

#include <stoa/avro.h>
#include <stoa/csv.h>
#include <stoa/filter.h>
#include <stoa/scan.h>
#include <stoa/schema.h>
#include <stoa/writer.h>

#ifdef __cplusplus
extern "C" {
#endif

enum stoa_format {
    STOA_FORMAT_AUTO = 0, /* inputs: by content; output: by name */
    STOA_FORMAT_CSV,
    STOA_FORMAT_TSV,
    STOA_FORMAT_STOA,
    STOA_FORMAT_JSONL,
    STOA_FORMAT_AVRO,
};

/* How an output of text is compressed: in pieces that can be read in parallel. */
enum stoa_compress {
    STOA_COMPRESS_AUTO = 0, /* by the output's name */
    STOA_COMPRESS_NONE,
    STOA_COMPRESS_GZIP, /* members of up to 64 KiB that say how long they are (BGZF) */
    STOA_COMPRESS_ZSTD, /* frames of up to 4 MiB of text that say how long they are */
};

/* "csv", "tsv", "stoa", "jsonl", "avro"; AUTO for another name. */
STOA_API enum stoa_format stoa_format_find(const char *name);
STOA_API const char *stoa_format_name(enum stoa_format format);

/*
 * What an input is: STOA or AVRO when the first bytes of a regular file say so, else what its name
 * says (the ending of a compression left aside), else what the text of a regular file begins as:
 * JSONL with an object, AVRO when it was compressed, else CSV. Does not read from pipes, which are
 * AUTO then: stoa_convert() and stoa_convert_rows() look at their first bytes, and
 * stoa_csv_options.is_guess refuses those that are no CSV. STOA_ERR_USAGE: a Stoa file that is
 * compressed as a whole, or an Avro or Stoa file that is the first in an archive.
 */
STOA_API STOA_CHECK enum stoa_status stoa_format_of_input(const char *path, enum stoa_format *out,
                                                          struct stoa_error *err);

/*
 * The one format of all inputs, pipes that are AUTO left aside, or AUTO where all are; left as it
 * is when *format is not AUTO. STOA_ERR_USAGE: no input, two formats, or one that can't be read.
 */
STOA_API STOA_CHECK enum stoa_status stoa_format_of_inputs(const char *const *paths, size_t npaths,
                                                           enum stoa_format *format,
                                                           struct stoa_error *err);

/* What becomes of a value that the type guessed for its column does not hold. */
enum stoa_conflict {
    STOA_CONFLICT_AUTO = 0, /* WIDEN, unless bad records are skipped or rejected */
    STOA_CONFLICT_WIDEN,    /* the column gets a type that holds all of its values */
    STOA_CONFLICT_ERROR,    /* a bad record, as `on_error` has it */
};

/* How far a conversion is. */
struct stoa_convert_progress {
    uint64_t done_nbytes;
    uint64_t total_nbytes; /* 0: not known */
    uint64_t nrows;
    double seconds;
};

/* {0} and `paths`, `npaths`, `output` are enough. */
struct stoa_convert_options {
    const char *const *paths; /* as stoa_paths_expand() gives them; "-" is standard input */
    size_t npaths;
    const char *output; /* "-": standard output; no input, under whatever name: STOA_ERR_USAGE */
    bool replace;       /* an existing output */
    bool dry_run;       /* check everything, write nothing */
    enum stoa_format from;
    enum stoa_format to;
    const struct stoa_schema *schema; /* of CSV inputs and JSON lines; NULL: inferred */
    const char *avro_schema;          /* the text of a schema that Avro inputs are read as, resolved
                                         by the rules of Avro; NULL: what the first of them has */
    /* Of the only input, an Avro file: the rows of the blocks whose preceding marker begins at a
       byte in [begin, end), as Hadoop splits files. The splits of any partition of the bytes of a
       file have each of its rows once. end 0: all. */
    uint64_t avro_split_begin, avro_split_end;
    const char *const *columns; /* names in the order wanted; NULL: all */
    uint32_t ncolumns;
    const struct stoa_filter *filter; /* NULL: every row */
    /* Of the only input, a Stoa file: the rows with these numbers, which rise, as
       stoa_scan_sample() gives them; without a filter. NULL: all. */
    const uint64_t *rows;
    size_t nrows;
    /* Columns that the output is sorted by, as stoa_order_parse() has them: they are among those of
       the output. Rows that are equal in all of them keep the order of the inputs. Sorting takes
       temporary files of the size of the rows ($TMPDIR). NULL: rows stand as they come. */
    const char *sort_by;
    struct stoa_csv_options csv; /* of CSV inputs, whose units are those of `writer`; of JSON lines
                                    infer, types, filename and max_record_nbytes count; of Avro
                                    max_record_nbytes, of rows */
    /* Records of text that are no rows, or have fields that are no values of their columns; of Avro
       inputs ABORT and SKIP_BLOCK only, where max_errors counts places that are damaged. */
    enum stoa_csv_on_error on_error;
    enum stoa_conflict on_conflict;
    const char *rejects;     /* the file that lists them, with STOA_CSV_ON_ERROR_REJECT; it is there
                                also when there are none, or too many */
    const char *rejects_raw; /* the file of the records themselves, one after the other as they
                                stand, in UTF-8; likewise, with `rejects` or without it. Neither
                                is the output, an input or the other one, under whatever name:
                                STOA_ERR_USAGE */
    uint64_t max_rejects;    /* of them in the files; 0: all */
    uint64_t max_errors;     /* one more ends the conversion; 0: any number */
    double max_error_ratio;  /* of all records, looked at after each unit; 0: any */
    enum stoa_compress compress;
    struct stoa_csv_write_options csv_out; /* of a CSV output; a delimiter 0 is a tab in TSV */
    struct stoa_avro_write_options avro_out;

    /*
     * With writer.blooms NULL a Stoa file that is made of Stoa files has Bloom filters of the
     * columns that have them there, at the rate of the one with the most values; another pointer
     * with writer.nblooms 0: none.
     */
    struct stoa_writer_options writer;
    bool no_source_text;    /* of CSV: values alone, nothing to restore the inputs with */
    bool verify;            /* before the new file gets its name: check all its hashes, restore the
                               inputs from it, and compare (stoa/restore.h) */
    unsigned jobs;          /* 0: one per processor */
    uint64_t memory_nbytes; /* 0: 256 MiB up to 2 jobs, 96 MiB more for each further one */
    void (*progress)(void *context,
                     const struct stoa_convert_progress *progress); /* at most ten a second */
    void *progress_context;
    void (*note)(void *context, const char *message); /* of each column that widened, and what `csv`
                                                         notes; or NULL */
    void *note_context;
    const volatile sig_atomic_t *cancel; /* checked often; not 0: stop, leave no output */
};

/* What a conversion did. */
struct stoa_convert_report {
    enum stoa_format from;
    enum stoa_format to;
    uint64_t ninputs;
    uint64_t nrows;         /* written */
    uint64_t nrejected;     /* records of text that are left out and in a file of bad records, */
    uint64_t nskipped;      /* and those that are just left out */
    uint64_t nrejected_raw; /* of nrejected, in the file of `rejects_raw`: all but the too large */
    struct stoa_avro_lost lost; /* blocks of Avro that are left out */
    uint64_t input_nbytes;      /* as stored: compressed inputs count compressed */
    uint64_t output_nbytes;
    uint32_t ncolumns;
    uint32_t nwidened; /* columns that did not keep the type that was guessed */
    double seconds;
    const char *obstacle; /* why the inputs can't be restored from the output, as words for a
                             message, lent for ever; NULL: they can */
    bool verified;        /* and it was tried */
};

/*
 * Converts. On STOA_OK the output is durable under its name; otherwise there is none, and an older
 * file of that name is untouched.
 * Errors: STOA_ERR_USAGE (options, an existing output: before anything is read; memory that a row
 * group does not fit: names what would do), STOA_ERR_DATA (bad input: file, line, column, value),
 * STOA_ERR_CANCELLED, those of sources and sinks. Of several errors in the input it is the first
 * one, for any number of jobs.
 */
STOA_API STOA_CHECK enum stoa_status stoa_convert(const struct stoa_convert_options *options,
                                                  struct stoa_convert_report *report,
                                                  struct stoa_error *err);

/* Looks at the rows of a batch, which it does not keep; false: no more are wanted. */
typedef bool stoa_take_rows(void *context, const struct stoa_batch *batch);

/*
 * Hands the rows that stoa_convert() would write to a function instead, batch after batch in their
 * order: at least one batch, if need be of no rows, and no more than `limit` rows (0: all). Calls
 * don't overlap, but may come from different threads. Of the options those of inputs, columns,
 * filter, bad records (none are rejected into a file), jobs, memory and cancel count. Nothing is
 * written anywhere but what the function writes; what can be read only once is kept in a temporary
 * file where JSON lines have to be read twice.
 * Errors: as stoa_convert(); STOA_ERR_DATA also for a value that the type guessed for its column
 * does not hold, when rows before it were handed over already.
 */
STOA_API STOA_CHECK enum stoa_status stoa_convert_rows(const struct stoa_convert_options *options,
                                                       uint64_t limit, stoa_take_rows *take,
                                                       void *context, struct stoa_error *err);

#ifdef __cplusplus
}
#endif

#endif
