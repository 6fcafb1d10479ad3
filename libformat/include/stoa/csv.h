/*
 * CSV: dialect, inference of a schema, and writing batches as text.
 *
 * The rules of reading (quotes, line ends, blank lines, nulls) stand in one table in spec/csv.md.
 */
#ifndef STOA_CSV_H
#define STOA_CSV_H

#include <stoa/array.h>
#include <stoa/io.h>

#ifdef __cplusplus
extern "C" {
#endif

#define STOA_CSV_MAX_RECORD_NBYTES (UINT64_C(32) << 20)

#define STOA_CSV_MAX_HEADER_NRECORDS 1000

/* In the place of a character: there is none. */
#define STOA_CSV_NONE '\x01'

enum stoa_csv_trim {
    STOA_CSV_TRIM_AUTO,
    STOA_CSV_TRIM_NONE,  /* blanks are content */
    STOA_CSV_TRIM_START, /* blanks and tabs in front of a field, or of its quote, are not */
    STOA_CSV_TRIM_BOTH,  /* nor behind it */
};

/* Which of the three numbers of 01/02/2024 is what, where the values themselves do not tell. */
enum stoa_csv_date_order {
    STOA_CSV_DATE_AUTO, /* undecided columns stay text */
    STOA_CSV_DATE_YMD,
    STOA_CSV_DATE_DMY,
    STOA_CSV_DATE_MDY,
};

enum stoa_csv_infer_mode {
    STOA_CSV_INFER_SAMPLE, /* types from samples of each input */
    STOA_CSV_INFER_FULL,   /* from every record, read once more beforehand */
    STOA_CSV_INFER_NONE,   /* every column is text */
};

/* What becomes of a record that is no row, or has a field that is no value of its column. */
enum stoa_csv_on_error {
    STOA_CSV_ON_ERROR_ABORT,      /* it is an error */
    STOA_CSV_ON_ERROR_SKIP,       /* it is left out and counted */
    STOA_CSV_ON_ERROR_REJECT,     /* the same, and it is listed in a file */
    STOA_CSV_ON_ERROR_SKIP_BLOCK, /* of Avro: the block that it is in is left out and counted */
};

/* Bits of `ragged`. */
#define STOA_CSV_PAD      1U /* what a short record lacks is null */
#define STOA_CSV_TRUNCATE 2U /* what a long record has too much is dropped */

/*
 * The dialect of CSV text, how its values are read, and limits. {0} is everything found out:
 * stoa_csv_sniff() replaces what stands at "auto" by what the text says. Functions that read or
 * write take an "auto" that is left as the usual: comma, double quote doubled inside of quotes, no
 * comments, a point, one header record, no other lines in front, nothing trimmed, UTF-8.
 *
 * Characters are ASCII, no line end, no NUL. Texts and lists are borrowed; a list ends with NULL.
 */
struct stoa_csv_options {
    char delimiter;            /* between fields; 0: auto */
    char quote;                /* 0: auto; STOA_CSV_NONE: a quote is content */
    char escape;               /* 0: auto; the quote itself: it is written twice inside of quotes;
                                  another one makes the character behind it content */
    char comment;              /* lines that begin with it are no records; 0: auto; STOA_CSV_NONE */
    char decimal;              /* '.' or ','; 0: auto */
    char thousands;            /* between groups of digits; 0 or STOA_CSV_NONE: there is none */
    int8_t trailing_delimiter; /* each record ends with a delimiter, behind which there is no
                                  field: 1 yes, -1 no, 0: auto */
    bool strict;               /* a quote that neither opens nor closes a field is an error */
    int32_t header_nrecords;   /* records that hold the names, of several joined by a blank;
                                  -1: none, the columns are column_1, column_2, ...; 0: auto */
    int32_t skip_nlines;       /* physical lines in front of the header; -1: none; 0: auto */
    enum stoa_csv_trim trim;
    unsigned ragged;      /* of STOA_CSV_PAD, STOA_CSV_TRUNCATE; 0: another number of fields
                             than columns is an error */
    const char *encoding; /* a name that iconv knows; NULL: UTF-8, or UTF-16 or UTF-32 where
                             the first bytes say so */

    const char *const *null_values; /* NULL: those of spec/csv.md, section 3 */
    const char *const *true_values; /* NULL: true, True, TRUE */
    const char *const *false_values;
    const char *const *date_formats; /* further patterns of dates and timestamps, as strptime() */
    enum stoa_csv_date_order date_order;
    enum stoa_csv_infer_mode infer;
    const struct stoa_schema *types; /* columns of these names have these types, whatever they hold:
                                        only the others are inferred; NULL: none */
    const char *filename; /* a column of this name, which no input has, holds what each row came
                             from: the path, or ARCHIVE:MEMBER. Inferred it is the last one, utf8
                             and never null; NULL: none */
    void (*note)(void *context, const char *message); /* of columns that inference leaves text
                                                         though an option could decide; or NULL */
    void *note_context;

    uint64_t max_record_nbytes; /* 0: 32 MiB */
    uint32_t unit_nrows;        /* records of a unit; 0: 131,072 */
    uint64_t unit_nbytes;       /* text of a unit at the most; 0: 32 MiB */

    bool is_guess; /* nobody said that the inputs are CSV: a pipe that begins as JSON lines or
                      Avro do is STOA_ERR_USAGE */
};

/* What stoa_csv_sniff() looked at, and what it saw besides the dialect. */
struct stoa_csv_sniff_report {
    char encoding[64];      /* "UTF-8", "UTF-16LE", ..., or the one that was given */
    bool byte_order_mark;   /* the text begins with one */
    bool whole;             /* all of the text was looked at */
    bool quotes_seen;       /* else the quote is the usual one */
    uint64_t nbytes;        /* of text in UTF-8 */
    uint64_t nrecords;      /* with the header, blank lines and the lines in front */
    uint32_t ncolumns;      /* 0: there is no record */
    uint64_t not_utf8_line; /* the first line that is no UTF-8; 0: there is none */
    double score;           /* of the dialect, up to 1: below 0.3 it is a guess */
};

/*
 * Finds out the dialect of the first input that is not empty, from at most 256 KiB at its head, in
 * at most 30 ms of work; the rules stand in spec/csv.md. *resolved is *options with all that stood
 * at "auto" filled in, but `encoding`: each input tells its own. `report` may be NULL, and
 * `schema`, which is set to that of stoa_csv_infer() otherwise. Errors: STOA_ERR_USAGE for options
 * that contradict each other and for unknown encodings, STOA_ERR_DATA for text that is not in its
 * encoding; those of stoa_stream_open(), and with `schema` those of stoa_csv_infer().
 */
STOA_API STOA_CHECK enum stoa_status
stoa_csv_sniff(const char *const *paths, size_t npaths, const struct stoa_csv_options *options,
               struct stoa_csv_options *resolved, struct stoa_csv_sniff_report *report,
               struct stoa_schema *schema, struct stoa_error *err);

/*
 * Infers one schema for all the inputs, whose dialect is found out first, from samples: names from
 * the headers, columns of one name being one column, the narrowest type that holds every sampled
 * value exactly, always nullable.
 *
 * evidence  NULL, or set to the JSON array for stoa_schema_print_json(); free with stoa_free().
 * Errors:   STOA_ERR_DATA (an input without a header, a faulty header), with file and line;
 *           STOA_ERR_LIMIT (a record that is too large); STOA_ERR_USAGE (options, `types` of a
 *           column that there is not); those of stoa_stream_open().
 */
STOA_API STOA_CHECK enum stoa_status stoa_csv_infer(const char *const *paths, size_t npaths,
                                                    const struct stoa_csv_options *options,
                                                    struct stoa_schema *out, char **evidence,
                                                    struct stoa_error *err);

/* Which fields stand in quotes. Null never does; a quote inside of quotes is written twice. */
enum stoa_csv_quoting {
    STOA_CSV_QUOTE_MINIMAL,    /* those that could be taken for something else */
    STOA_CSV_QUOTE_ALL,        /* every name and value */
    STOA_CSV_QUOTE_NONNUMERIC, /* the same but numbers and bools */
    STOA_CSV_QUOTE_NONE,       /* none: a value that needs quotes is an error */
};

/* What becomes of columns that are lists or maps. A struct is a column for each of its fields. */
enum stoa_csv_nested {
    STOA_CSV_NESTED_REFUSE, /* they can't be written */
    STOA_CSV_NESTED_JSON,   /* each value is JSON text */
};

/* How CSV is written. {0}: commas, LF, a header, quotes where they are needed, null is nothing. */
struct stoa_csv_write_options {
    char delimiter; /* 0: ','; any ASCII character but '"', CR and LF */
    enum stoa_csv_quoting quoting;
    enum stoa_csv_nested nested;
    const char *null_text; /* borrowed; NULL: nothing */
    bool crlf;             /* lines end with CR LF */
    bool no_header;
    bool bom;              /* begin with a byte order mark */
    const char *encoding;  /* a name that iconv knows, borrowed; NULL: UTF-8. UTF-16 and UTF-32 are
                              little endian and begin with a byte order mark */
    bool safe_spreadsheet; /* an apostrophe in front of texts that begin with = + - @, tab or CR,
                              which spreadsheets take for formulas: it alters these texts */
};

/*
 * Appends rows of a batch as CSV to a growing block of text: floats in their shortest form that
 * reads back equal, timestamps with a blank, or with the T that their field's csv_format tells of,
 * an empty text as "", the fields of structs as columns a.b (spec/csv.md, section 7).
 * *out is reallocated as needed (start with NULL and 0) and belongs to the caller: stoa_free().
 * Errors: STOA_ERR_USAGE for options that can't be, for lists and maps unless they are wanted as
 * JSON text, and for two columns that would have one name; STOA_ERR_DATA for a value that can't do
 * without quotes, or has a character that the encoding does not have: its row of the batch is
 * err->offset.
 */
STOA_API STOA_CHECK enum stoa_status stoa_csv_format(const struct stoa_csv_write_options *options,
                                                     const struct stoa_batch *batch, char **out,
                                                     size_t *nbytes, struct stoa_error *err);

/* The same for what stands in front of the rows: byte order mark and names, where wanted. */
STOA_API STOA_CHECK enum stoa_status
stoa_csv_format_header(const struct stoa_csv_write_options *options,
                       const struct stoa_schema *schema, char **out, size_t *nbytes,
                       struct stoa_error *err);

#ifdef __cplusplus
}
#endif

#endif
