/*
 * One value as text, the way `stoa cat` prints it.
 */
#include <stdlib.h>
#include <string.h>

#include "command.h"

static char *copy_text(const void *bytes, size_t nbytes, size_t *n)
{
    char *text = malloc(nbytes + 1);

    if (text == NULL)
        return NULL;
    if (nbytes > 0)
        memcpy(text, bytes, nbytes);
    text[nbytes] = '\0';
    *n = nbytes;
    return text;
}

/* The value as JSON without quotes around it; escapes stay, since texts do not come here. */
static char *format_json(const struct stoa_field *field, const struct stoa_array *array, size_t i,
                         size_t *nbytes)
{
    char *json, *text;
    bool quoted;

    if (stoa_array_print_json(field, array, i, &json, NULL) != STOA_OK)
        return NULL;
    quoted = json[0] == '"';
    text = copy_text(json + quoted, strlen(json) - 2 * (size_t)quoted, nbytes);
    stoa_free(json);
    return text;
}

char *make_value(const struct stoa_field *field, const struct stoa_array *array, size_t i,
                 size_t *nbytes)
{
    uint32_t symbol;

    if (field->type.id == STOA_UTF8)
        return copy_text(array->values + array->offsets[i],
                         (size_t)(array->offsets[i + 1] - array->offsets[i]), nbytes);
    if (field->type.id == STOA_ENUM) {
        memcpy(&symbol, array->values + i * sizeof(symbol), sizeof(symbol));
        return copy_text(field->type.symbols[symbol], strlen(field->type.symbols[symbol]), nbytes);
    }
    return format_json(field, array, i, nbytes);
}
