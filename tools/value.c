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

/* The value as a line of JSON, {"":VALUE}, without what is around it. */
static char *format_json(const struct stoa_field *field, const struct stoa_array *array, size_t i,
                         size_t *nbytes)
{
    const uint32_t row = (uint32_t)i;
    char name[] = "";
    struct stoa_field nameless = *field; /* shares what it points to */
    struct stoa_schema schema = {.fields = &nameless, .nfields = 1};
    struct stoa_array value = {0};
    struct stoa_batch batch = {.schema = &schema, .nrows = 1, .columns = &value, .ncolumns = 1};
    const size_t before = strlen("{\"\":"), behind = strlen("}\n");
    char *line = NULL, *text = NULL;
    size_t n = 0;

    nameless.name = name;
    if (stoa_array_take(field, array, &row, 1, &value, NULL) == STOA_OK &&
        stoa_jsonl_format(&batch, &line, &n, NULL) == STOA_OK) {
        bool quoted = line[before] == '"'; /* without escapes: the caller sees to texts itself */

        text = copy_text(line + before + quoted, n - before - behind - 2 * (size_t)quoted, nbytes);
    }
    stoa_free(line);
    stoa_array_reset(&value);
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
