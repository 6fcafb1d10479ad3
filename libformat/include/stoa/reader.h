/*
 * Reading Stoa files: the footer, single columns, ranges of rows.
 *
 * A reader is opened by one read of the end of the file. Column metadata, dictionaries and pages
 * are read and verified when they are first needed. Every function may be called by several threads
 * at once on one reader, each with its own *out and *err. Arrays stay valid after the reader is
 * closed.
 */
#ifndef STOA_READER_H
#define STOA_READER_H

#include <stoa/array.h>
#include <stoa/filter.h>
#include <stoa/io.h>
#include <stoa/order.h>
#include <stoa/source_text.h>

#ifdef __cplusplus
extern "C" {
#endif

struct stoa_reader;

/* Rows [begin, end) of a row group or file. */
struct stoa_rows {
    uint64_t begin;
    uint64_t end;
};

/* {0} means the defaults. */
struct stoa_reader_options {
    uint64_t memory_nbytes; /* the most a single request may allocate; 0: 1 GiB. Pages that single
                               rows may come back to are kept in a sixteenth of it, 64 MiB at most,
                               on top of that until close */
};

/*
 * Opens a file; the source is borrowed and must outlive the reader.
 * STOA_ERR_CORRUPT with one line that says what it is: empty, no Stoa file, cut short, two files
 * in one, damaged. STOA_ERR_UNSUPPORTED: a newer major version or a required feature, by name.
 */
STOA_API STOA_CHECK enum stoa_status stoa_reader_open(struct stoa_source *source,
                                                      const struct stoa_reader_options *options,
                                                      struct stoa_reader **out,
                                                      struct stoa_error *err);
STOA_API void stoa_reader_close(struct stoa_reader *reader);

/*
 * The whole schema, built at the first call; lent until close. Wide files: stoa_reader_find() does
 * not need it.
 */
STOA_API STOA_CHECK enum stoa_status stoa_reader_schema(struct stoa_reader *reader,
                                                        const struct stoa_schema **out,
                                                        struct stoa_error *err);

/* The column of exactly that name, by the name hash; UINT32_MAX in *column when there is none. */
STOA_API STOA_CHECK enum stoa_status stoa_reader_find(struct stoa_reader *reader, const char *name,
                                                      uint32_t *column, struct stoa_error *err);

STOA_API uint64_t stoa_reader_nrows(const struct stoa_reader *reader);
STOA_API uint32_t stoa_reader_ncolumns(const struct stoa_reader *reader);

/*
 * Chunks and statistics belong to *nodes*: the fields of the schema and their children, numbered
 * depth first. Without nested columns node i is column i. This is the node of a column; its
 * children's follow it.
 */
STOA_API uint32_t stoa_reader_nnodes(const struct stoa_reader *reader);
STOA_API STOA_CHECK enum stoa_status stoa_reader_column_node(const struct stoa_reader *reader,
                                                             uint32_t column, uint32_t *node,
                                                             struct stoa_error *err);

/* The number behind the last node below `node`. */
STOA_API STOA_CHECK enum stoa_status stoa_reader_node_end(const struct stoa_reader *reader,
                                                          uint32_t node, uint32_t *end,
                                                          struct stoa_error *err);

STOA_API uint32_t stoa_reader_nrow_groups(const struct stoa_reader *reader);

/*
 * Dictionary segments read so far whose second copy was damaged, so that the first one was taken:
 * nothing is lost, but the file should be checked and written anew.
 */
STOA_API uint64_t stoa_reader_nbad_copies(const struct stoa_reader *reader);

/*
 * The order that all rows of the file are in, from the first to the last, as its footer claims;
 * without keys when it claims none. Lent until close. STOA_ERR_CORRUPT: it is none.
 */
STOA_API STOA_CHECK enum stoa_status stoa_reader_order(struct stoa_reader *reader,
                                                       const struct stoa_sort_order **out,
                                                       struct stoa_error *err);

/* The hash of the section table: equal for equal files. */
STOA_API uint64_t stoa_reader_identity(const struct stoa_reader *reader);

struct stoa_row_group {
    uint64_t first_row;
    uint64_t first_zone;
    uint32_t nrows;
    uint32_t nzones;
};
STOA_API STOA_CHECK enum stoa_status stoa_reader_row_group(struct stoa_reader *reader,
                                                           uint32_t row_group,
                                                           struct stoa_row_group *out,
                                                           struct stoa_error *err);

/* The row group that holds row `row` of the file, by binary search. */
STOA_API STOA_CHECK enum stoa_status stoa_reader_locate(struct stoa_reader *reader, uint64_t row,
                                                        uint32_t *row_group,
                                                        struct stoa_error *err);

/* What was read and decoded so far through a reader or scan. */
struct stoa_read_counters {
    uint64_t pages;
    uint64_t bytes; /* of chunks: heads and pages */
};

/*
 * Decodes rows of one column of one row group into memory in Arrow layout.
 *
 * row_group, column  from 0; rows is half-open, inside the row group, and not empty.
 * out                any content is overwritten on STOA_OK: rows.end - rows.begin values.
 * counters           NULL, or added to.
 * Ownership: the caller owns *out and releases it with stoa_array_reset().
 * Errors:    STOA_ERR_USAGE (index out of range), STOA_ERR_IO, STOA_ERR_CORRUPT (err->offset is
 *            the start of the bad page or head in the file), STOA_ERR_UNSUPPORTED, STOA_ERR_LIMIT,
 *            STOA_ERR_NOMEM. On error *out is unchanged and the reader usable.
 * Cost:      for each node of the column one read of the head of its chunk, one of the pages that
 *            hold values of the rows.
 */
STOA_API STOA_CHECK enum stoa_status
stoa_reader_column(struct stoa_reader *reader, uint32_t row_group, uint32_t column,
                   struct stoa_rows rows, struct stoa_array *out,
                   struct stoa_read_counters *counters, struct stoa_error *err);

/*
 * The same for a part of a column: a node that is not below a list, map or fixed_list, with its
 * children. A value is null where a struct that it is in is null.
 */
STOA_API STOA_CHECK enum stoa_status stoa_reader_node(struct stoa_reader *reader,
                                                      uint32_t row_group, uint32_t node,
                                                      struct stoa_rows rows, struct stoa_array *out,
                                                      struct stoa_read_counters *counters,
                                                      struct stoa_error *err);

/*
 * Which values of such a node are null, without its children: *out has nvalues, nnulls and validity
 * alone. Nodes without children give their values too.
 */
STOA_API STOA_CHECK enum stoa_status
stoa_reader_nulls(struct stoa_reader *reader, uint32_t row_group, uint32_t node,
                  struct stoa_rows rows, struct stoa_array *out,
                  struct stoa_read_counters *counters, struct stoa_error *err);

/*
 * Zone maps of a node: of the whole file (row_group UINT32_MAX), of a row group (zone UINT32_MAX)
 * or of one zone of it. Below lists they cover all values of those rows: out->nvalues.
 */
STOA_API STOA_CHECK enum stoa_status stoa_reader_zone(struct stoa_reader *reader, uint32_t node,
                                                      uint32_t row_group, uint32_t zone,
                                                      struct stoa_zone *out,
                                                      struct stoa_error *err);

/* One chunk as the footer tells it; `encoding` is lent for ever. */
struct stoa_chunk_info {
    uint64_t offset;
    uint64_t nbytes;
    uint64_t nvalues; /* rows, or the values below a list, map or fixed_list */
    uint64_t nnulls;
    uint32_t page_nvalues; /* 0 for a chunk without pages */
    uint32_t npages;
    uint32_t dictionary; /* its last segment, or UINT32_MAX */
    bool local_dictionary;
    uint32_t bases[2]; /* nodes that it is derived from, or UINT32_MAX */
    const char *encoding;
};
STOA_API STOA_CHECK enum stoa_status stoa_reader_chunk(struct stoa_reader *reader,
                                                       uint32_t row_group, uint32_t node,
                                                       struct stoa_chunk_info *out,
                                                       struct stoa_error *err);

/*
 * Where every byte of the file is: `visit` is called for each span in the order of the file, and
 * the spans join without gaps. node and row_group are UINT32_MAX where they do not apply.
 */
enum stoa_span_kind {
    STOA_SPAN_HEADER,     /* headers of objects */
    STOA_SPAN_SCHEMA,     /* schema objects */
    STOA_SPAN_DICTIONARY, /* dictionary segments; node: the one that uses them */
    STOA_SPAN_DIRECTORY,  /* directories of row groups */
    STOA_SPAN_CHUNK,      /* chunks */
    STOA_SPAN_FOOTER,     /* column directory, names, tables, trailer */
    STOA_SPAN_STATISTICS, /* zone maps */
    STOA_SPAN_TEXT,       /* side tables, and sources unless the footer is packed */
    STOA_SPAN_PRESENCE,   /* bitmaps of codes, unless the footer is packed */
    STOA_SPAN_BLOOM,      /* Bloom filters, unless the footer is packed */
    STOA_SPAN_PADDING,
    STOA_SPAN_NKINDS,
};
struct stoa_span {
    enum stoa_span_kind kind;
    uint64_t offset;
    uint64_t nbytes;
    uint32_t row_group;
    uint32_t node;
    const char *name; /* of the section or object kind */
};
STOA_API STOA_CHECK enum stoa_status stoa_reader_spans(
    struct stoa_reader *reader,
    enum stoa_status (*visit)(void *context, const struct stoa_span *span, struct stoa_error *err),
    void *context, struct stoa_error *err);

/*
 * The encodings of a chunk's pages with how many pages have each: "dict(pfor)" ... Reads the first
 * bytes of every page.
 */
STOA_API STOA_CHECK enum stoa_status
stoa_reader_encodings(struct stoa_reader *reader, uint32_t row_group, uint32_t node,
                      enum stoa_status (*visit)(void *context, const char *encoding,
                                                uint32_t npages, struct stoa_error *err),
                      void *context, struct stoa_error *err);

/*
 * The side table of a row group (stoa/source_text.h), empty where it has none. *out is overwritten
 * on success; release it with stoa_side_reset(). The errors are those of stoa_reader_column().
 */
STOA_API STOA_CHECK enum stoa_status stoa_reader_side(struct stoa_reader *reader,
                                                      uint32_t row_group, struct stoa_side *out,
                                                      struct stoa_error *err);

/* How many sources the file knows of its rows. */
STOA_API uint64_t stoa_reader_nsources(const struct stoa_reader *reader);

/*
 * Sources [first, first + n), which rise by their rows; *out is an array of n, free it with
 * stoa_source_infos_free(). STOA_ERR_USAGE: there are not so many; STOA_ERR_LIMIT: they take more
 * memory than a request may: ask for fewer. Cost: they stand in blocks of up to 16,384, of which
 * each that is touched is unpacked.
 */
STOA_API STOA_CHECK enum stoa_status stoa_reader_sources(struct stoa_reader *reader, uint64_t first,
                                                         size_t n, struct stoa_source_info **out,
                                                         struct stoa_error *err);

/*
 * Checks the whole file: every hash, every object header against the footer, padding, counts;
 * with `deep` every page is decoded too and its values are held against the zone maps and null
 * counts. `report` is called for each finding with a line that names object, row group, column and
 * page; verify goes on after it where it can. *nfindings counts them.
 */
struct stoa_verify_options {
    bool deep;
    uint64_t memory_nbytes; /* as in struct stoa_reader_options */
    void (*report)(void *context, const struct stoa_error *finding);
    void *context;
};
struct stoa_verify_result {
    uint64_t nfindings;
    uint64_t nobjects;
    uint64_t npages;
    uint64_t nbytes;
};
STOA_API STOA_CHECK enum stoa_status stoa_verify(struct stoa_source *source,
                                                 const struct stoa_verify_options *options,
                                                 struct stoa_verify_result *result,
                                                 struct stoa_error *err);

#ifdef __cplusplus
}
#endif

#endif
