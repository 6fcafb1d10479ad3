/*
 * The options of text that is written.
 */
#include "command.h"

bool option_csv_output(const struct arguments *arguments, struct stoa_csv_write_options *out)
{
    static const char *const quotings[] = {"minimal", "all", "nonnumeric", "none", NULL};
    static const char *const newlines[] = {"lf", "crlf", NULL};
    static const char *const ways[] = {"refuse", "json", NULL};
    unsigned quoting = 0, newline = 0, nested = 0;

    *out = (struct stoa_csv_write_options){
        .null_text = arguments->values[OPT_NULL_TEXT],
        .encoding = arguments->values[OPT_OUTPUT_ENCODING],
        .no_header = has_option(arguments, OPT_NO_OUTPUT_HEADER),
        .bom = has_option(arguments, OPT_BOM),
        .safe_spreadsheet = has_option(arguments, OPT_SAFE_SPREADSHEET),
    };
    if (!option_word(arguments, OPT_QUOTING, quotings, "minimal, all, nonnumeric or none",
                     &quoting) ||
        !option_word(arguments, OPT_NEWLINE, newlines, "lf or crlf", &newline) ||
        !option_word(arguments, OPT_NESTED, ways, "refuse or json", &nested))
        return false;
    out->nested = (enum stoa_csv_nested)nested;
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
    if (!option_word(arguments, OPT_COMPRESS, words, "gz, zst or none", &word))
        return false;
    *out = (enum stoa_compress)(STOA_COMPRESS_NONE + word);
    return true;
}
