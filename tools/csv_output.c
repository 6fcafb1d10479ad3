/*
 * The options of text that is written.
 */
#include <string.h>

#include "command.h"

/* The place of an option's value among the words of a list that ends with NULL; false: not there.
 */
static bool find_word(const struct arguments *arguments, enum option_id id,
                      const char *const *words, unsigned *out)
{
    if (!has_option(arguments, id))
        return true;
    for (unsigned i = 0; words[i] != NULL; i++) {
        if (strcmp(arguments->values[id], words[i]) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

bool option_csv_output(const struct arguments *arguments, struct stoa_csv_write_options *out)
{
    static const char *const quotings[] = {"minimal", "all", "nonnumeric", "none", NULL};
    static const char *const newlines[] = {"lf", "crlf", NULL};
    unsigned quoting = 0, newline = 0;

    *out = (struct stoa_csv_write_options){
        .null_text = arguments->values[OPT_NULL_TEXT],
        .no_header = has_option(arguments, OPT_NO_OUTPUT_HEADER),
        .bom = has_option(arguments, OPT_BOM),
        .safe_spreadsheet = has_option(arguments, OPT_SAFE_SPREADSHEET),
    };
    if (!find_word(arguments, OPT_QUOTING, quotings, &quoting)) {
        complain_option(arguments, OPT_QUOTING, "expected minimal, all, nonnumeric or none");
        return false;
    }
    if (!find_word(arguments, OPT_NEWLINE, newlines, &newline)) {
        complain_option(arguments, OPT_NEWLINE, "expected lf or crlf");
        return false;
    }
    out->quoting = (enum stoa_csv_quoting)quoting;
    out->crlf = newline == 1;
    return option_delimiter(arguments, OPT_OUTPUT_DELIMITER, &out->delimiter);
}

bool option_compress(const struct arguments *arguments, enum stoa_compress *out)
{
    static const char *const words[] = {"none", "gz", "zst", NULL};
    unsigned word = 0;

    if (!has_option(arguments, OPT_COMPRESS))
        return true;
    if (!find_word(arguments, OPT_COMPRESS, words, &word)) {
        complain_option(arguments, OPT_COMPRESS, "expected gz, zst or none");
        return false;
    }
    *out = (enum stoa_compress)(STOA_COMPRESS_NONE + word);
    return true;
}
