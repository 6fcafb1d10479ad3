/*
 * One record of CSV text: where its fields are, and what they say (spec/csv.md, section 1).
 */
#ifndef STOA_CSV_RECORD_H
#define STOA_CSV_RECORD_H

#include <stoa/csv.h>

/* Text that is split must be followed by so many readable bytes. */
#define STOA_CSV_SLACK 64

/* Most bytes of a text that is split: places in it fit 32 bits, and so does what is read behind. */
#define STOA_CSV_MOST_NBYTES (UINT32_MAX - 2 * STOA_CSV_SLACK)

/* What a byte is to the automaton that splits text. */
enum stoa_csv_class {
    STOA_CSV_OTHER,
    STOA_CSV_DELIMITER,
    STOA_CSV_QUOTE,
    STOA_CSV_ESCAPE,
    STOA_CSV_HASH,  /* begins a comment at the start of a line */
    STOA_CSV_SPACE, /* a blank or tab that may be trimmed */
    STOA_CSV_LF,
    STOA_CSV_CR,
    STOA_CSV_NCLASSES
};

/* What it knows of the bytes before. */
enum stoa_csv_state {
    STOA_CSV_AT_RECORD, /* at the first byte of a record; where every text starts */
    STOA_CSV_AT_FIELD,  /* at the first byte of a field, trimmed blanks aside */
    STOA_CSV_PLAIN,     /* in a field, outside of quotes: quotes are content */
    STOA_CSV_QUOTED,
    STOA_CSV_CLOSED, /* behind a quote in quotes: the end of the quotes, or the first of two */
    STOA_CSV_BEHIND, /* blanks behind the end of the quotes */
    STOA_CSV_IN_COMMENT,
    STOA_CSV_PLAIN_ESCAPED, /* behind an escape character */
    STOA_CSV_QUOTED_ESCAPED,
    STOA_CSV_NSTATES
};

/* Options that concern the splitting of text, resolved. Constant once it is initialised. */
struct stoa_csv_dialect {
    char delimiter;
    int quote;  /* -1: none */
    int escape; /* -1: a quote is doubled */
    int comment;
    enum stoa_csv_trim trim;
    bool trailing_delimiter;
    bool strict;
    unsigned ragged;      /* STOA_CSV_PAD | STOA_CSV_TRUNCATE */
    uint8_t classes[256]; /* enum stoa_csv_class of each byte */
};

/* Options that stoa_csv_options_check() let pass. */
void stoa_csv_dialect_init(struct stoa_csv_dialect *dialect,
                           const struct stoa_csv_options *options);

/*
 * The state behind a byte. A CR in front of an LF changes nothing and must not be stepped over with
 * this. STOA_CSV_AT_RECORD is the answer only behind the end of a record, STOA_CSV_AT_FIELD behind
 * a delimiter that ends a field, and behind trimmed blanks.
 */
extern const uint8_t stoa_csv_next_state[STOA_CSV_NSTATES][STOA_CSV_NCLASSES];

/* What is wrong with a record. Where it ends is the same with or without a fault. */
enum stoa_csv_fault {
    STOA_CSV_FINE,
    STOA_CSV_OPEN_QUOTE,       /* the text ends inside quotes */
    STOA_CSV_TEXT_AFTER_QUOTE, /* "abc"d, with the option `strict` */
    STOA_CSV_STRAY_QUOTE,      /* ab"c, with the option `strict` */
    STOA_CSV_FEWER_FIELDS,     /* than columns; only where their number is known */
    STOA_CSV_MORE_FIELDS,
    STOA_CSV_NFAULTS
};

/* The raw fields of one record. */
struct stoa_csv_raw {
    size_t nfields; /* 0: a comment */
    bool trailing;  /* a delimiter behind the last field, by the option of that name */
    size_t next;    /* behind the line end */
    size_t ending;  /* where the last field ends: at the line end, or at the end of the text */
    enum stoa_csv_fault fault;
    size_t fault_at;
    size_t fault_field; /* from 0 */
};

/*
 * Walks over the record that begins at `begin` of the text of nbytes, at most UINT32_MAX, bytes.
 * ends[i] becomes the byte behind raw field i for each of the first `nends` fields, and one more
 * with a trailing delimiter; an empty line is one field.
 */
void stoa_csv_walk(const struct stoa_csv_dialect *dialect, const char *text, size_t nbytes,
                   size_t begin, uint32_t *ends, size_t nends, struct stoa_csv_raw *out);

/*
 * Line ends in a text of whole records: the ends of records, and each LF that does not end one.
 * For messages: it walks over all of the text.
 */
uint64_t stoa_csv_count_lines(const struct stoa_csv_dialect *dialect, const char *text,
                              size_t nbytes);

/* What a raw field says: blanks trimmed, the quotes around it taken off. */
struct stoa_csv_field {
    const char *text;
    size_t nbytes;
    bool quoted;
    bool doubled; /* not its bytes as they stand: stoa_csv_field_unescape() */
    const struct stoa_csv_dialect *dialect;
};

/* The field whose raw text is [begin, end); begin >= end is an empty one. */
struct stoa_csv_field stoa_csv_field_of(const struct stoa_csv_dialect *dialect, const char *begin,
                                        const char *end);

/*
 * Copies what a field says: doubled quotes made single, escape characters and the quote in front of
 * text behind it left out. Returns the bytes written, at most field->nbytes.
 */
size_t stoa_csv_field_unescape(const struct stoa_csv_field *field, char *out);

/* `{0}` before the first use; the fields are valid until the next. */
struct stoa_csv_record {
    struct stoa_csv_field *fields;
    size_t nfields; /* 0: a comment */
    size_t capacity;
    uint32_t *ends;
    size_t ends_capacity;
    const char *next; /* behind the line end */
    uint64_t nlines;  /* line ends passed, the record's own included */
    enum stoa_csv_fault fault;
    const char *fault_at;
    size_t fault_field; /* from 0 */
};

void stoa_csv_record_free(struct stoa_csv_record *record);

/*
 * Splits the record that starts at `text`; an empty line is one empty field. A fault is told in the
 * record. STOA_ERR_NOMEM is the only error.
 */
STOA_CHECK enum stoa_status stoa_csv_record_split(struct stoa_csv_record *record, const char *text,
                                                  const char *end,
                                                  const struct stoa_csv_dialect *dialect,
                                                  struct stoa_error *err);

#endif
