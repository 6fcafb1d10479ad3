/*
 * Tables to and from other programs in memory: Arrow's C data interface and C stream interface.
 *
 * The three structs are Arrow's ABI. Whoever fills one in sets `release`; whoever has it calls that
 * once, or moves the struct elsewhere and sets `release` to NULL at the old place.
 *
 *   here                       Arrow's format       taken as this type too
 *   null bool                  n b
 *   int8 .. uint64             c C s S i I l L
 *   float16 float32 float64    e f g
 *   decimal(p,s)               d:p,s or d:p,s,256   d:p,s,32 d:p,s,64, 256 bits of fewer digits
 *   date32                     tdD                  tdm (date64): whole days, as Arrow asks for
 *   time(u)                    tts ttm ttu ttn
 *   timestamp(u,zone)          tss: tsm: tsu: tsn: + zone
 *   duration(u)                tDs tDm tDu tDn
 *   interval                   tin                  tiM, tiD (months; days and milliseconds)
 *   utf8 binary                u z                  U Z vu vz, up to 2 GiB - 1 bytes a batch
 *   fixed_binary(n)            w:n
 *   uuid                       w:16                 with the extension name "arrow.uuid"
 *   enum(a,b)                  i, dictionary u      the symbols are the dictionary
 *   list<t>                    +l                   +L +vl +vL, up to 2^31 - 1 values a batch
 *   fixed_list<t,n>            +w:n
 *   struct<a:t,b:t>            +s
 *   map<t,t>                   +m
 *
 * Any of them is also taken dictionary-encoded, with indices of any integer type, or run-end
 * encoded (+r), and is decoded. Unions are refused by name. Types nest to the depth of 32.
 *
 * What an ArrowSchema has no place for is metadata of the field: an enum's type is text under
 * "stoa:type", a field's id a number under "PARQUET:field_id", where pyarrow keeps it too. Metadata
 * of schema and fields goes along; other extension types are the types that store them with their
 * metadata. Not kept: whether a dictionary is ordered, whether the keys of a map are sorted.
 */
#ifndef STOA_ARROW_H
#define STOA_ARROW_H

#include <stoa/array.h>
#include <stoa/scan.h>
#include <stoa/writer.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE           2
#define ARROW_FLAG_MAP_KEYS_SORTED    4

struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *schema);
    void *private_data;
};

struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *array);
    void *private_data;
};

#endif

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *stream, struct ArrowSchema *out);
    int (*get_next)(struct ArrowArrayStream *stream, struct ArrowArray *out);
    const char *(*get_last_error)(struct ArrowArrayStream *stream);
    void (*release)(struct ArrowArrayStream *stream);
    void *private_data;
};

#endif

/*
 * A schema as a struct of its columns. *out owns copies of everything. STOA_ERR_USAGE names a
 * column whose type has no form here.
 */
STOA_API STOA_CHECK enum stoa_status stoa_schema_export(const struct stoa_schema *schema,
                                                        struct ArrowSchema *out,
                                                        struct stoa_error *err);

/*
 * A batch as a struct array, by move: on STOA_OK the columns belong to *out and the batch is `{0}`;
 * on failure the batch is as it was and *out is untouched. What is exported outlives the batch, its
 * schema, and the scan, reader and file it came from; a column, or any child of it, may be moved
 * out of the array around it and live longer. A child that is not nullable comes without a bitmap,
 * and where a struct above it is null it holds zero. Cost: no value is copied; each batch holds the
 * symbols of its enums anew.
 */
STOA_API STOA_CHECK enum stoa_status
stoa_batch_export(struct stoa_batch *batch, struct ArrowArray *out, struct stoa_error *err);

/*
 * The schema that an ArrowSchema (a struct of columns) describes. `arrow` is only read; the caller
 * releases it, after the last stoa_batch_import() that needs it.
 * Errors: STOA_ERR_DATA or STOA_ERR_USAGE, naming the column: a type that cannot be taken, a struct
 * that is not as Arrow's rules say, two columns of one name, metadata that is not UTF-8.
 */
STOA_API STOA_CHECK enum stoa_status stoa_schema_import(const struct ArrowSchema *arrow,
                                                        struct stoa_schema *out,
                                                        struct stoa_error *err);

/*
 * How much of an array from elsewhere is looked at. Buffers have no sizes: those are trusted.
 * Values that are converted (decimals of another width, date64) are looked at in any case.
 */
enum stoa_arrow_check {
    STOA_ARROW_CHECK_FULL = 0, /* basic, and every value: stoa_batch_validate() */
    STOA_ARROW_CHECK_BASIC,    /* null counts are right, nulls only where allowed */
    STOA_ARROW_CHECK_NONE,     /* only what copying needs: lengths, pointers, offsets, indices */
};

/*
 * Copies an array of rows into a batch and releases it.
 *
 * array   of the rows; released on STOA_OK, left to the caller otherwise. Offsets and slices are
 *         fine at every level; the struct of the rows itself has no nulls.
 * arrow   what `array` is, only read.
 * schema  the types wanted, lent to the batch: those of stoa_schema_import(), except that a
 *         dictionary of text may be utf8 or an enum with at least the symbols that occur, and 16
 *         bytes may be fixed_binary(16) or uuid. Names are not compared.
 * Errors: STOA_ERR_USAGE (released before, types that differ), STOA_ERR_DATA (the column and what
 *         is wrong), STOA_ERR_LIMIT (more than 2^31 - 1 rows, values of a list or bytes of text in
 *         a column), STOA_ERR_NOMEM. On failure *out is untouched.
 * Cost:   one copy, a tenth of the processor time of writing the same rows to a file (7 % for
 *         TPC-H lineitem, 10 % for taxi trips, 14 % of them with all checks): every array here has
 *         STOA_ARRAY_SLACK bytes behind its buffers that may be read, and those of others end
 *         where they end. What lies below a null, and was anything, becomes zero, empty or null.
 */
STOA_API STOA_CHECK enum stoa_status
stoa_batch_import(struct ArrowArray *array, const struct ArrowSchema *arrow,
                  const struct stoa_schema *schema, enum stoa_arrow_check check,
                  struct stoa_batch *out, struct stoa_error *err);

/*
 * A scan as a stream: each get_next() is a stoa_scan_next(). The stream takes over the scan on
 * STOA_OK and closes it in its release(); reader and source stay the caller's and must outlive the
 * stream, the schemas and arrays that come out of it need neither.
 *
 * What goes wrong later comes as the errno that fits (EIO, ENOMEM, EINVAL, ENOSYS, ...) with the
 * message in get_last_error(), which is valid until the next call; get_next() may be called again.
 * One thread at a time.
 */
STOA_API STOA_CHECK enum stoa_status
stoa_scan_export(struct stoa_scan *scan, struct ArrowArrayStream *out, struct stoa_error *err);

/* The same for a scan of the file at `path`, which the stream keeps open. `options` may be NULL. */
STOA_API STOA_CHECK enum stoa_status stoa_file_export(const char *path,
                                                      const struct stoa_scan_options *options,
                                                      struct ArrowArrayStream *out,
                                                      struct stoa_error *err);

/* {0} means the defaults. */
struct stoa_import_options {
    struct stoa_writer_options writer;
    enum stoa_arrow_check check;
    bool replace;  /* an existing file */
    unsigned jobs; /* threads that encode row groups; 0 or 1: the caller's alone */
};

/*
 * All rows of a stream as the file at `path`, which appears when it is whole. Row groups are those
 * of stoa_writer_append(), however many rows the arrays of the stream have, and the bytes are the
 * same for any number of jobs. `options` may be NULL.
 *
 * stream  is read to its end by one thread at a time, with more than one job not always the same,
 *         and released in any case.
 * Errors: those of stoa_schema_import() and stoa_batch_import(), naming the batch, and of writer
 *         and sink. What the stream itself says comes with the text of its get_last_error(): EINVAL
 *         as STOA_ERR_DATA, ENOMEM as STOA_ERR_NOMEM, else STOA_ERR_IO with os_errno.
 */
STOA_API STOA_CHECK enum stoa_status stoa_file_import(const char *path,
                                                      const struct stoa_import_options *options,
                                                      struct ArrowArrayStream *stream,
                                                      struct stoa_error *err);

#ifdef __cplusplus
}
#endif

#endif
