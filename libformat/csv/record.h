/*
 * One record of CSV text: where its fields are (spec/csv.md).
 */
#ifndef STOA_CSV_RECORD_H
#define STOA_CSV_RECORD_H

#include <stoa/base.h>

/* Text that is split must be followed by so many readable bytes. */
#define STOA_CSV_SLACK 16

/* A field as it stands between its separators, without its quotes. */
struct stoa_csv_field {
    const char *text;
    size_t nbytes;
    bool quoted;
    bool doubled; /* holds doubled quotes: stoa_csv_field_unescape() */
};

enum stoa_csv_fault {
    STOA_CSV_FINE,
    STOA_CSV_TEXT_AFTER_QUOTE, /* "abc"d */
    STOA_CSV_OPEN_QUOTE,       /* the text ends inside quotes */
};

/* `{0}` before the first use; the fields are valid until the next. */
struct stoa_csv_record {
    struct stoa_csv_field *fields;
    size_t nfields;
    size_t capacity;
    const char *next; /* behind the line end */
    uint64_t nlines;  /* line ends passed, the record's own included */
    enum stoa_csv_fault fault;
    const char *fault_at;
};

void stoa_csv_record_free(struct stoa_csv_record *record);

/*
 * Splits the record that starts at `text`; an empty line is one empty field. A fault is told in the
 * record: what the fields are then is not defined. STOA_ERR_NOMEM is the only error.
 */
STOA_CHECK enum stoa_status stoa_csv_record_split(struct stoa_csv_record *record, const char *text,
                                                  const char *end, char delimiter,
                                                  struct stoa_error *err);

/* Copies the text with its doubled quotes made single; returns its bytes. */
size_t stoa_csv_field_unescape(const struct stoa_csv_field *field, char *out);

#endif
