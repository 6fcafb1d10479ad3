/*
 * The options of Avro files that are written.
 */
#include <limits.h>

#include "command.h"

#define MAX_BLOCK_NBYTES ((uint64_t)256 << 20) /* of rows */

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
