/*
 * Tables to and from other programs in memory: Arrow's C data interface and C stream interface.
 *
 * The three structs are Arrow's ABI. Whoever fills one in sets `release`; whoever has it calls that
 * once, or moves the struct elsewhere and sets `release` to NULL at the old place.
 *
 *   here              Arrow's format             notes
 *   null bool         n b
 *   int8 .. uint64    c C s S i I l L
 *   float32 float64   f g
 *   decimal(p,s)      d:p,s                      in: "d:p,s,128" too
 *   date32            tdD
 *   time(u)           tts ttm ttu ttn
 *   timestamp(u,zone) tss: tsm: tsu: tsn: + zone
 *   utf8 binary       u z                        in: U Z too, up to 2 GiB - 1 bytes a batch
 *   fixed_binary(n)   w:n
 *   uuid              w:16                       with the extension name "arrow.uuid"
 *   enum(a,b)         i, dictionary u            the symbols are the dictionary
 *   utf8              any integer, dictionary u or U: in only
 *
 * An enum carries its type as text under the metadata key "stoa:type", because an ArrowSchema has
 * no place for the symbols. Metadata of schema and fields goes along, other extension types as the
 * types that store them with their metadata; field ids, and whether a dictionary is ordered, do
 * not. Everything else (nested types, views, date64, ...) is refused by its name.
 */
#ifndef STOA_ARROW_H
#define STOA_ARROW_H

#include <stoa/array.h>
#include <stoa/scan.h>

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
 * schema, and the scan, reader and file it came from; a column may be moved out of the struct and
 * live longer than it.
 * Cost: no value is copied; each batch holds the symbols of its enums anew.
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

/* How much of an array from elsewhere is looked at. Buffers have no sizes: those are trusted. */
enum stoa_arrow_check {
    STOA_ARROW_CHECK_FULL = 0, /* basic, and every value: stoa_batch_validate() */
    STOA_ARROW_CHECK_BASIC,    /* offsets rise, null counts are right, nulls only where allowed */
    STOA_ARROW_CHECK_NONE,     /* only what copying needs: lengths, pointers, dictionary indices */
};

/*
 * Copies an array of rows into a batch and releases it.
 *
 * array   of the rows; released on STOA_OK, left to the caller otherwise. Offsets and slices are
 *         fine, on the struct and on its columns; the struct itself has no nulls.
 * arrow   what `array` is, only read.
 * schema  the types wanted, lent to the batch: those of stoa_schema_import(), except that a column
 *         with a dictionary may be utf8 or an enum with at least the symbols that occur, and 16
 *         bytes may be fixed_binary(16) or uuid. Names are not compared.
 * Errors: STOA_ERR_USAGE (released before, types that differ), STOA_ERR_DATA (the column and what
 *         is wrong), STOA_ERR_LIMIT (more than 2^31 - 1 rows, or text of a column above
 *         2 GiB - 1), STOA_ERR_NOMEM. On failure *out is untouched.
 * Cost:   one copy; the slots of nulls become zero or empty.
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

#ifdef __cplusplus
}
#endif

#endif
