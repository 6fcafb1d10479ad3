/*
 * The options of CSV that is read, and a dialect as such options again.
 */
#include <stdlib.h>
#include <string.h>

#include "command.h"

/* One character, or "none". */
static bool option_character(const struct arguments *arguments, enum option_id id, bool may_be_none,
                             char *out)
{
    const char *text = arguments->values[id];

    if (text == NULL)
        return true;
    if (may_be_none && strcmp(text, "none") == 0) {
        *out = STOA_CSV_NONE;
        return true;
    }
    if (strlen(text) != 1) {
        complain_option(arguments, id,
                        may_be_none ? "expected one character or none" : "expected one character");
        return false;
    }
    *out = *text;
    return true;
}

/* "auto" is 0, "none" is -1. */
static bool option_lines(const struct arguments *arguments, enum option_id id, uint64_t max,
                         int32_t *out)
{
    const char *text = arguments->values[id];
    uint64_t n = 0;

    if (text == NULL || strcmp(text, "auto") == 0)
        return true;
    *out = -1;
    if (strcmp(text, "none") == 0)
        return true;
    if (!option_count(arguments, id, max, &n))
        return false;
    *out = (int32_t)n;
    return true;
}

static bool option_words(const struct arguments *arguments, struct stoa_csv_options *out)
{
    static const char *const trims[] = {"auto", "none", "start", "both", NULL};
    static const char *const trailings[] = {"auto", "yes", "no", NULL};
    static const char *const raggeds[] = {"error", "pad", "truncate", "pad,truncate", NULL};
    unsigned trim = 0, trailing = 0, ragged = 0;

    if (!option_word(arguments, OPT_TRIM, trims, "auto, none, start or both", &trim) ||
        !option_word(arguments, OPT_TRAILING_DELIMITER, trailings, "auto, yes or no", &trailing) ||
        !option_word(arguments, OPT_RAGGED, raggeds, "error, pad, truncate or pad,truncate",
                     &ragged))
        return false;
    out->trim = (enum stoa_csv_trim)trim;
    out->trailing_delimiter = (int8_t)(trailing == 2 ? -1 : (int)trailing);
    out->ragged = ragged; /* the bits */
    return true;
}

static bool option_lists(const struct arguments *arguments, struct stoa_csv_options *out)
{
    const struct {
        enum option_id id;
        const char *const **list;
    } lists[] = {
        {OPT_NULL_VALUES, &out->null_values},
        {OPT_TRUE_VALUES, &out->true_values},
        {OPT_FALSE_VALUES, &out->false_values},
    };

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        if (!option_list(arguments, lists[i].id, lists[i].list))
            return false;
    }
    return true;
}

bool option_csv(const struct arguments *arguments, struct stoa_csv_options *out)
{
    *out = (struct stoa_csv_options){
        .strict = has_option(arguments, OPT_STRICT),
        .encoding = arguments->values[OPT_ENCODING],
        .filename = arguments->values[OPT_FILENAME],
    };
    if (option_delimiter(arguments, OPT_DELIMITER, &out->delimiter) &&
        option_character(arguments, OPT_QUOTE, true, &out->quote) &&
        option_character(arguments, OPT_ESCAPE, false, &out->escape) &&
        option_character(arguments, OPT_COMMENT, true, &out->comment) &&
        option_character(arguments, OPT_DECIMAL, false, &out->decimal) &&
        option_character(arguments, OPT_THOUSANDS, true, &out->thousands) &&
        option_lines(arguments, OPT_HEADER, STOA_CSV_MAX_HEADER_NRECORDS, &out->header_nrecords) &&
        option_lines(arguments, OPT_SKIP_LINES, INT32_MAX, &out->skip_nlines) &&
        option_words(arguments, out) &&
        option_size(arguments, OPT_MAX_RECORD_SIZE, &out->max_record_nbytes) &&
        option_lists(arguments, out))
        return true;
    csv_options_reset(out);
    return false;
}

void csv_options_reset(struct stoa_csv_options *options)
{
    list_free(options->null_values);
    list_free(options->true_values);
    list_free(options->false_values);
    *options = (struct stoa_csv_options){0};
}

/* ---- A dialect as options. ---- */

const char *csv_character(char c, char out[2])
{
    out[0] = c;
    out[1] = '\0';
    return c == STOA_CSV_NONE ? "none" : c == '\t' ? "tab" : out;
}

static void add_word(struct csv_word *words, size_t *n, enum option_id id, const char *value)
{
    words[*n].name = option_table[id].name;
    snprintf(words[*n].value, sizeof(words[*n].value), "%s", value);
    ++*n;
}

static void add_lines(struct csv_word *words, size_t *n, enum option_id id, int32_t nlines)
{
    char value[16];

    snprintf(value, sizeof(value), "%d", nlines);
    add_word(words, n, id, nlines < 0 ? "none" : value);
}

size_t csv_option_words(const struct stoa_csv_options *options, const char *encoding,
                        struct csv_word out[CSV_NWORDS])
{
    static const char *const trims[] = {"auto", "none", "start", "both"};
    char c[2];
    size_t n = 0;

    add_word(out, &n, OPT_DELIMITER, csv_character(options->delimiter, c));
    add_word(out, &n, OPT_QUOTE, csv_character(options->quote, c));
    if (options->escape != 0)
        add_word(out, &n, OPT_ESCAPE, csv_character(options->escape, c));
    add_word(out, &n, OPT_COMMENT, csv_character(options->comment, c));
    add_lines(out, &n, OPT_SKIP_LINES, options->skip_nlines);
    add_lines(out, &n, OPT_HEADER, options->header_nrecords);
    add_word(out, &n, OPT_TRAILING_DELIMITER, options->trailing_delimiter > 0 ? "yes" : "no");
    add_word(out, &n, OPT_TRIM, trims[options->trim]);
    add_word(out, &n, OPT_DECIMAL, csv_character(options->decimal, c));
    add_word(out, &n, OPT_ENCODING, encoding);
    return n;
}
