/*
 * Any pattern (the text before the first line feed) and any text: what is read must be printed so
 * that it reads back as the same time.
 */
#include <stdlib.h>
#include <string.h>

#include "base/time_pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes);

static void must(bool good)
{
    if (!good)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    const uint8_t *line_end = nbytes > 0 ? memchr(data, '\n', nbytes) : NULL;
    struct stoa_timestamp_text parts, again;
    struct stoa_time_pattern pattern;
    char words[128], out[STOA_TIME_PATTERN_NBYTES], *text;
    size_t n;

    if (line_end == NULL || (size_t)(line_end - data) >= sizeof(words))
        return 0;
    memcpy(words, data, (size_t)(line_end - data));
    words[line_end - data] = '\0';
    if (stoa_time_pattern_compile(words, &pattern, NULL) != STOA_OK)
        return 0;
    nbytes -= (size_t)(line_end + 1 - data);
    text = malloc(nbytes > 0 ? nbytes : 1); /* of its size, so that reading on is seen */
    must(text != NULL);
    memcpy(text, line_end + 1, nbytes);
    if (stoa_time_pattern_parse(&pattern, text, nbytes, &parts)) {
        n = stoa_time_pattern_format(&pattern, parts.seconds, parts.nanos, parts.fraction_ndigits,
                                     (enum stoa_time_utc)(nbytes % 4), out);
        must(n <= sizeof(out));
        /* An offset may move the time out of the years that are printed. */
        must(n > 0 || parts.offset_seconds != 0);
        if (n > 0) {
            must(stoa_time_pattern_parse(&pattern, out, n, &again));
            must(again.seconds == parts.seconds && again.nanos == parts.nanos);
        }
    }
    free(text);
    return 0;
}
