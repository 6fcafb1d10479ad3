/*
 * The options of text, and of Avro, that is written.
 */
#include <limits.h>
#include <string.h>

#include "command.h"

#define MAX_BLOCK_NBYTES ((uint64_t)256 << 20) /* rows of Avro */

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

bool option_avro_output(const struct arguments *arguments, struct stoa_avro_write_options *out)
{
    uint64_t level = 0, block_nbytes = 0;

    if (!option_number(arguments, OPT_CODEC_LEVEL, &level) ||
        !option_size(arguments, OPT_BLOCK_SIZE, &block_nbytes))
        return false;
    if (level > INT_MAX || block_nbytes > MAX_BLOCK_NBYTES) {
        complain_option(arguments, level > INT_MAX ? OPT_CODEC_LEVEL : OPT_BLOCK_SIZE,
                        level > INT_MAX ? "expected a level of the codec" : "256M at most");
        return false;
    }
    *out = (struct stoa_avro_write_options){
        .codec = arguments->values[OPT_CODEC],
        .has_level = has_option(arguments, OPT_CODEC_LEVEL),
        .level = (int)level,
        .random_sync = has_option(arguments, OPT_RANDOM_SYNC),
        .block_nbytes = (size_t)block_nbytes,
    };
    return true;
}
