/*
 * The options that say how types of CSV columns are found.
 */
#include <stdlib.h>
#include <string.h>

#include "command.h"

/* The end of a type in "decimal(10,2),...": a comma outside of brackets and quotes. */
static const char *type_end(const char *at)
{
    unsigned depth = 0;
    bool quoted = false;

    for (; *at != '\0' && (*at != ',' || depth > 0 || quoted); at++) {
        quoted ^= *at == '"';
        if (!quoted && strchr("(<", *at) != NULL)
            depth++;
        if (!quoted && strchr(")>", *at) != NULL && depth > 0)
            depth--;
    }
    return at;
}

/* Reads the name in front of '=', which may stand in quotes, into `out`; NULL: there is none. */
static const char *read_name(const char *at, char *out)
{
    bool quoted = *at == '"';

    at += quoted;
    for (; *at != '\0' && (quoted || *at != '='); at++) {
        if (quoted && *at == '"' && *++at != '"')
            break; /* the quote behind the name */
        *out++ = *at;
    }
    *out = '\0';
    return *at == '=' ? at + 1 : NULL;
}

/* Adds one column "name=type" to *types and returns its end; NULL after a message. */
static const char *add_type(const struct arguments *arguments, const char *at,
                            struct stoa_schema *types)
{
    const size_t nbytes = strlen(at);
    char *name = malloc(nbytes + 1), *type = malloc(nbytes + 1), why[STOA_ERROR_MESSAGE_NBYTES];
    struct stoa_field field = {0};
    struct stoa_error err;
    const char *text, *end = NULL;
    bool done = false;

    if (name == NULL || type == NULL) {
        fail_memory();
        goto out;
    }
    text = read_name(at, name);
    if (text == NULL) {
        complain_option(arguments, OPT_TYPES, "expected NAME=TYPE,NAME=TYPE,...");
        goto out;
    }
    end = type_end(text);
    memcpy(type, text, (size_t)(end - text));
    type[end - text] = '\0';
    done = stoa_field_parse(name, type, true, &field, &err) == STOA_OK &&
           stoa_schema_add_field(types, &field, &err) == STOA_OK;
    if (!done) {
        snprintf(why, sizeof(why), "%s", err.message);
        complain_option(arguments, OPT_TYPES, why);
    }
out:
    stoa_field_reset(&field);
    free(name);
    free(type);
    return done ? end : NULL;
}

static bool read_types(const struct arguments *arguments, struct stoa_schema *types)
{
    const char *at = arguments->values[OPT_TYPES];

    while (at != NULL) {
        at = add_type(arguments, at, types);
        if (at == NULL)
            return false;
        if (*at == '\0')
            break;
        at++; /* over the comma */
    }
    return true;
}

/* The patterns of --date-format, with | between them. */
static bool read_formats(const char *list, char ***out)
{
    size_t n = 1, nbytes;
    char **formats;

    if (list == NULL)
        return true;
    for (const char *at = list; *at != '\0'; at++)
        n += *at == '|';
    formats = calloc(n + 1, sizeof(*formats));
    for (size_t i = 0; formats != NULL && i < n; i++) {
        nbytes = strcspn(list, "|");
        formats[i] = strndup(list, nbytes);
        if (formats[i] == NULL) {
            select_free(formats, (uint32_t)n);
            formats = NULL;
        }
        list += nbytes + 1;
    }
    *out = formats;
    if (formats == NULL)
        fail_memory();
    return formats != NULL;
}

bool option_inference(const struct arguments *arguments, struct inference_arguments *out,
                      struct stoa_csv_options *csv)
{
    static const char *const modes[] = {"sample", "full", "none", NULL};
    static const char *const orders[] = {"auto", "ymd", "dmy", "mdy", NULL};
    unsigned mode = 0, order = 0;

    *out = (struct inference_arguments){0};
    if (!option_word(arguments, OPT_INFER, modes, "sample, full or none", &mode) ||
        !option_word(arguments, OPT_DATE_ORDER, orders, "ymd, dmy, mdy or auto", &order) ||
        !read_types(arguments, &out->types) ||
        !read_formats(arguments->values[OPT_DATE_FORMAT], &out->date_formats))
        return false;
    csv->infer = (enum stoa_csv_infer_mode)mode;
    csv->date_order = (enum stoa_csv_date_order)order;
    csv->types = out->types.nfields > 0 ? &out->types : NULL;
    csv->date_formats = (const char *const *)out->date_formats;
    return true;
}

void inference_arguments_reset(struct inference_arguments *inference)
{
    stoa_schema_reset(&inference->types);
    for (char **at = inference->date_formats; at != NULL && *at != NULL; at++)
        free(*at);
    free(inference->date_formats);
    *inference = (struct inference_arguments){0};
}
