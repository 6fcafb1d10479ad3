/*
 * A column of CSV text that is parsed by itself: what tests of the parsers have in common.
 */
#ifndef STOA_TESTS_SUPPORT_CSV_COLUMN_H
#define STOA_TESTS_SUPPORT_CSV_COLUMN_H

#include "csv/parse.h"

/* A table of one column that is read in one way. */
struct stoa_test_column {
    struct stoa_schema schema;
    struct stoa_csv_options options;
    struct stoa_csv_reading reading;
    struct stoa_csv_column column;
};

/* `schema` is "x int64"; `options` NULL: the usual ones; `format`: its csv_format, or NULL. */
void stoa_test_column_init(struct stoa_test_column *fixture, const char *schema,
                           const struct stoa_csv_options *options, const char *format, bool strict);
void stoa_test_column_reset(struct stoa_test_column *fixture);

/* What was read of a text, by one of two ways. */
struct stoa_test_parsed {
    struct stoa_array array;
    struct stoa_csv_forms forms;
    struct stoa_csv_misfits misfits;
};

void stoa_test_parsed_reset(struct stoa_test_parsed *result);

typedef enum stoa_status stoa_test_parse_function(const struct stoa_csv_column *columns,
                                                  const uint32_t *places, uint32_t ncolumns,
                                                  const struct stoa_csv_tile *tile,
                                                  struct stoa_csv_values *values,
                                                  struct stoa_csv_misfits *misfits,
                                                  struct stoa_error *err);

/* By stoa_csv_tile_parse() or the like. Rows of misfits count from the first row of the text. */
enum stoa_status stoa_test_parse(const struct stoa_test_column *fixture,
                                 stoa_test_parse_function *function, const char *text,
                                 size_t nbytes, const uint8_t *rejected,
                                 struct stoa_test_parsed *out, struct stoa_error *err);

/*
 * Both of the above with stoa_csv_tile_parse() for lines, and options that are settled here. *text
 * is the text, which the forms refer to: free() it.
 */
void stoa_test_column_read(struct stoa_test_column *fixture, const char *schema, const char *lines,
                           const struct stoa_csv_options *options, const char *format,
                           struct stoa_test_parsed *parsed, char **text);

/* A copy of the text that slack stands behind, in a block of that size; free() it. */
char *stoa_test_with_slack(const char *text, size_t nbytes);

unsigned stoa_test_code_of(const struct stoa_test_parsed *result, size_t i);

/* The values as JSON lines; free with stoa_free(). */
char *stoa_test_parsed_text(const struct stoa_test_column *fixture,
                            const struct stoa_test_parsed *result);

#endif
