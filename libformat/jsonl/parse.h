/*
 * Lines of JSON as rows: each value goes from the text into the builder of its column at once.
 *
 *     stoa_jsonl_parser_init(&parser, &shape, nrows, err);
 *     for (each line)
 *         switch (stoa_jsonl_parser_line(&parser, line)) { ... }
 *     stoa_jsonl_parser_finish(&parser, columns, ncolumns, &batch);
 *     stoa_jsonl_parser_reset(&parser);
 *
 * A line that is no row leaves no trace in the columns. One thread at a time.
 */
#ifndef STOA_JSONL_PARSE_H
#define STOA_JSONL_PARSE_H

#include <stoa/array.h>

#include "base/json_scan.h"
#include "base/time_scan.h"
#include "column/builder.h"
#include "jsonl/shape.h"

/*
 * Nulls in lists, maps and fixed_lists between two calls of stoa_jsonl_parser_finish(). Two bytes
 * of text, `{}`, are as many as an item has members; all other values have text of their own.
 */
#define STOA_JSONL_MAX_LIST_NULLS ((size_t)1 << 27)

/* What is wrong with a record; the words for it are in the list of bad records. */
enum stoa_jsonl_wrong {
    STOA_JSONL_FINE,
    STOA_JSONL_SYNTAX,       /* no JSON: `fault` tells */
    STOA_JSONL_NO_OBJECT,    /* JSON, but no object */
    STOA_JSONL_BEHIND,       /* something stands behind the object */
    STOA_JSONL_DUPLICATE,    /* a key for the second time */
    STOA_JSONL_UNKNOWN,      /* a key that the schema does not have */
    STOA_JSONL_KEY,          /* a key that can't be a name: too long, or with U+0000 */
    STOA_JSONL_CAST,         /* a value that is not of the type */
    STOA_JSONL_OUT_OF_RANGE, /* a number or time that the type can't hold */
    STOA_JSONL_NOT_NULL,     /* null, or nothing, where there must be a value */
    STOA_JSONL_ENCODING,     /* bytes that are no UTF-8 */
    STOA_JSONL_TOO_LARGE,    /* the record */
    STOA_JSONL_NO_MEMORY,    /* the parser's `err` tells */
    STOA_JSONL_NWRONGS
};

/* The word for it in the list of bad records. */
const char *stoa_jsonl_wrong_name(enum stoa_jsonl_wrong wrong);

/*
 * From one value of a line to the next: the text between them, `,"key":` with its blanks, and whose
 * value stands behind it. Where a line has the same text, no more needs to be known.
 */
#define STOA_JSONL_STEP_NBYTES 32
struct stoa_jsonl_step {
    uint32_t child;  /* 0: not known */
    uint32_t nbytes; /* of the text; 0: it is too long, or not known */
    char text[STOA_JSONL_STEP_NBYTES];
};

/* The values of a node: the builder of a leaf; of an object which are null, of a list the ends of
   its items, which become offsets. Of a column that is not wanted only the count is kept. */
struct stoa_jsonl_column {
    struct stoa_builder builder;
    struct stoa_jsonl_step first;  /* of an object, to the member that stood first the last time, */
    struct stoa_jsonl_step next;   /* and from its value to the sibling that stood behind it */
    struct stoa_known_month month; /* of a date */
};

struct stoa_jsonl_parser {
    const struct stoa_jsonl_shape *shape;
    struct stoa_jsonl_column *columns; /* [shape->nnodes] */
    struct stoa_buffer scratch;        /* of a text without its escapes */
    size_t nlist_nulls;                /* so far, of STOA_JSONL_MAX_LIST_NULLS */
    const char *limit;                 /* the end of all text: a zero there ends a line */
    bool passes_unknown;               /* columns that the shape does not have are no matter */
    /* Of the last line, when it was no row. */
    enum stoa_jsonl_wrong wrong;
    struct stoa_json_fault fault; /* with SYNTAX its kind; in any case the place */
    uint32_t node;                /* that it is about */
    const char *end;              /* of what stands at the place, a value or key; NULL: not known */
    struct stoa_error err;        /* NO_MEMORY: also a column that holds no more */
};

STOA_CHECK enum stoa_status stoa_jsonl_parser_init(struct stoa_jsonl_parser *parser,
                                                   const struct stoa_jsonl_shape *shape,
                                                   size_t nrows_hint, struct stoa_error *err);
void stoa_jsonl_parser_reset(struct stoa_jsonl_parser *parser);

/*
 * The row of a line that is not blank and ends as base/json_scan.h wants it, with LF or at
 * parser->limit; `line` stands behind the blanks in front. The end of the line, or NULL when it is
 * no row.
 */
const char *stoa_jsonl_parser_line(struct stoa_jsonl_parser *parser, const char *line);

/*
 * The rows so far: column columns[i] of the table is column i of *out, which was initialised for
 * that, and one of STOA_JSONL_NO_COLUMN is left as it is. The parser is empty again.
 */
#define STOA_JSONL_NO_COLUMN UINT32_MAX
STOA_CHECK enum stoa_status stoa_jsonl_parser_finish(struct stoa_jsonl_parser *parser,
                                                     const uint32_t *columns,
                                                     struct stoa_batch *out,
                                                     struct stoa_error *err);

/* ---- Between parse.c and leaf.c. ---- */

/* What reads the values of a node. */
stoa_jsonl_read_function *stoa_jsonl_reader_of(const struct stoa_jsonl_node *node);
stoa_jsonl_read_function stoa_jsonl_read_object, stoa_jsonl_read_list, stoa_jsonl_read_fixed_list,
    stoa_jsonl_read_map;

/* Fails with what is wrong at a place: NULL. */
const char *stoa_jsonl_fail(struct stoa_jsonl_parser *parser, enum stoa_jsonl_wrong wrong,
                            uint32_t node, const char *at);

/* The value at `at` is not what the node holds, or is no JSON at all: NULL. */
const char *stoa_jsonl_misfit(struct stoa_jsonl_parser *parser, enum stoa_jsonl_wrong wrong,
                              uint32_t node, const char *at);

static inline bool stoa_jsonl_reserve(struct stoa_jsonl_parser *parser, uint32_t node,
                                      size_t nbytes)
{
    if (stoa_builder_reserve(&parser->columns[node].builder, 1, nbytes, &parser->err) == STOA_OK)
        return true;
    parser->wrong = STOA_JSONL_NO_MEMORY;
    parser->node = node;
    return false;
}

#endif
