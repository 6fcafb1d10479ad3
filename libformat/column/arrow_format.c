/*
 * Formats of Arrow's C data interface, both ways (the table of types is in stoa/arrow.h).
 *
 * A format is a short text: "l" is int64, "tsu:UTC" a timestamp in microseconds, "+l" a list. All
 * are rows of one table; the first row of a type is the one for export.
 */
#include "column/arrow_format.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "column/type.h"

/* A format is `text`, or begins with it where more follows. */
struct format {
    const char *text;
    enum stoa_type_id id; /* 0: of the values below */
    enum stoa_time_unit unit;
    enum stoa_arrow_layout layout;
    uint8_t width; /* of the storage, 0: that of the type */
};

/* clang-format off */
static const struct format formats[] = {
    {"n", STOA_NULL, 0, STOA_ARROW_NULLS, 0},     {"b", STOA_BOOL, 0, STOA_ARROW_BITS, 0},
    {"c", STOA_INT8, 0, STOA_ARROW_FIXED, 0},     {"C", STOA_UINT8, 0, STOA_ARROW_FIXED, 0},
    {"s", STOA_INT16, 0, STOA_ARROW_FIXED, 0},    {"S", STOA_UINT16, 0, STOA_ARROW_FIXED, 0},
    {"i", STOA_INT32, 0, STOA_ARROW_FIXED, 0},    {"I", STOA_UINT32, 0, STOA_ARROW_FIXED, 0},
    {"l", STOA_INT64, 0, STOA_ARROW_FIXED, 0},    {"L", STOA_UINT64, 0, STOA_ARROW_FIXED, 0},
    {"e", STOA_FLOAT16, 0, STOA_ARROW_FIXED, 0},  {"f", STOA_FLOAT32, 0, STOA_ARROW_FIXED, 0},
    {"g", STOA_FLOAT64, 0, STOA_ARROW_FIXED, 0},  {"d:", STOA_DECIMAL, 0, STOA_ARROW_DECIMAL, 0},
    {"tdD", STOA_DATE32, 0, STOA_ARROW_FIXED, 0}, {"tdm", STOA_DATE32, 0, STOA_ARROW_DATE64, 8},
    {"tts", STOA_TIME, STOA_SECOND, STOA_ARROW_FIXED, 0},
    {"ttm", STOA_TIME, STOA_MILLI, STOA_ARROW_FIXED, 0},
    {"ttu", STOA_TIME, STOA_MICRO, STOA_ARROW_FIXED, 0},
    {"ttn", STOA_TIME, STOA_NANO, STOA_ARROW_FIXED, 0},
    {"tss:", STOA_TIMESTAMP, STOA_SECOND, STOA_ARROW_FIXED, 0},
    {"tsm:", STOA_TIMESTAMP, STOA_MILLI, STOA_ARROW_FIXED, 0},
    {"tsu:", STOA_TIMESTAMP, STOA_MICRO, STOA_ARROW_FIXED, 0},
    {"tsn:", STOA_TIMESTAMP, STOA_NANO, STOA_ARROW_FIXED, 0},
    {"tDs", STOA_DURATION, STOA_SECOND, STOA_ARROW_FIXED, 0},
    {"tDm", STOA_DURATION, STOA_MILLI, STOA_ARROW_FIXED, 0},
    {"tDu", STOA_DURATION, STOA_MICRO, STOA_ARROW_FIXED, 0},
    {"tDn", STOA_DURATION, STOA_NANO, STOA_ARROW_FIXED, 0},
    {"tin", STOA_INTERVAL, 0, STOA_ARROW_FIXED, 0},
    {"tiM", STOA_INTERVAL, 0, STOA_ARROW_MONTHS, 4},
    {"tiD", STOA_INTERVAL, 0, STOA_ARROW_DAY_TIME, 8},
    {"u", STOA_UTF8, 0, STOA_ARROW_BYTES, 4},     {"z", STOA_BINARY, 0, STOA_ARROW_BYTES, 4},
    {"U", STOA_UTF8, 0, STOA_ARROW_BYTES, 8},     {"Z", STOA_BINARY, 0, STOA_ARROW_BYTES, 8},
    {"vu", STOA_UTF8, 0, STOA_ARROW_VIEWS, 16},   {"vz", STOA_BINARY, 0, STOA_ARROW_VIEWS, 16},
    {"w:", STOA_FIXED_BINARY, 0, STOA_ARROW_FIXED, 0},
    {"+l", STOA_LIST, 0, STOA_ARROW_LIST, 4},     {"+L", STOA_LIST, 0, STOA_ARROW_LIST, 8},
    {"+vl", STOA_LIST, 0, STOA_ARROW_LIST_VIEW, 4}, {"+vL", STOA_LIST, 0, STOA_ARROW_LIST_VIEW, 8},
    {"+w:", STOA_FIXED_LIST, 0, STOA_ARROW_FIXED_LIST, 0},
    {"+s", STOA_STRUCT, 0, STOA_ARROW_STRUCT, 0}, {"+m", STOA_MAP, 0, STOA_ARROW_LIST, 4},
    {"+r", 0, 0, STOA_ARROW_RUNS, 0},
};

/* What is refused by its name, by how the format begins. */
static const struct {
    const char *text;
    const char *name;
} refused[] = {
    {"+ud:", "dense union"}, {"+us:", "sparse union"},
};
/* clang-format on */

static bool begins_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static const struct format *find_format(const char *text)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        const char *start = formats[i].text;
        bool has_more = start[strlen(start) - 1] == ':';

        if (has_more ? begins_with(text, start) : strcmp(text, start) == 0)
            return &formats[i];
    }
    return NULL;
}

static enum stoa_status fail_format(const char *text, struct stoa_error *err)
{
    char shown[64];

    stoa_quote(shown, sizeof(shown), text, strlen(text));
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        if (begins_with(text, refused[i].text))
            return stoa_fail(err, STOA_ERR_DATA,
                             "Arrow's type %s (\"%s\") cannot be taken: cast it to another first",
                             refused[i].name, shown);
    return stoa_fail(err, STOA_ERR_DATA, "\"%s\" is not a format of Arrow", shown);
}

/* A decimal number in [0, most] at *text, which is moved behind it. */
static bool read_number(const char **text, uint32_t most, uint32_t *out)
{
    const char *at = *text;
    uint64_t number = 0;

    for (; *at >= '0' && *at <= '9' && number <= most; at++)
        number = number * 10 + (uint64_t)(*at - '0');
    if (at == *text || number > most)
        return false;
    *text = at;
    *out = (uint32_t)number;
    return true;
}

/* "precision,scale", perhaps with the bits that store it: ",128" where nothing is said. */
static bool read_decimal(const char *text, struct stoa_type *type, uint32_t *width)
{
    static const struct {
        uint32_t nbits, ndigits;
    } stored[] = {{32, 9}, {64, 18}, {128, 38}, {256, 76}};
    uint32_t precision, scale, nbits = 128;

    if (!read_number(&text, UINT8_MAX, &precision) || *text++ != ',' ||
        !read_number(&text, UINT8_MAX, &scale))
        return false;
    if (*text == ',' && (text++, !read_number(&text, 256, &nbits)))
        return false;
    type->precision = (uint8_t)precision;
    type->scale = (uint8_t)scale;
    *width = nbits / 8;
    for (size_t i = 0; *text == '\0' && i < sizeof(stored) / sizeof(stored[0]); i++)
        if (stored[i].nbits == nbits)
            return precision <= stored[i].ndigits;
    return false;
}

/* What follows the fixed part of a format. */
static enum stoa_status read_parameters(const char *format, const char *rest,
                                        struct stoa_type *type, uint32_t *width,
                                        struct stoa_error *err)
{
    bool good = true;
    char shown[64];

    if (type->id == STOA_TIMESTAMP && *rest != '\0')
        return stoa_strndup(&type->zone, rest, strlen(rest), err);
    if (type->id == STOA_FIXED_BINARY || type->id == STOA_FIXED_LIST)
        good = read_number(&rest, INT32_MAX, &type->width) && *rest == '\0';
    else if (type->id == STOA_DECIMAL)
        good = read_decimal(rest, type, width);
    if (!good)
        return stoa_fail(
            err, STOA_ERR_DATA,
            type->id == STOA_DECIMAL
                ? "\"%s\" is not a decimal of 32, 64, 128 or 256 bits with a precision "
                  "that fits them and a scale of 0 or more"
                : "\"%s\" is not a width",
            stoa_quote(shown, sizeof(shown), format, strlen(format)));
    return STOA_OK;
}

enum stoa_status stoa_arrow_format_read(const char *text, struct stoa_type *out,
                                        struct stoa_arrow_storage *storage, struct stoa_error *err)
{
    const struct format *format;
    struct stoa_type type;
    uint32_t width;
    enum stoa_status st = STOA_OK;

    if (text == NULL)
        return stoa_fail(err, STOA_ERR_DATA, "the format is missing");
    format = find_format(text);
    if (format == NULL)
        return fail_format(text, err);
    type = (struct stoa_type){.id = format->id, .unit = format->unit};
    width = format->width;
    if (type.id != 0) {
        STOA_TRY(read_parameters(text, text + strlen(format->text), &type, &width, err));
        STOA_TRY(stoa_type_check(&type, err));
        if (width == 0)
            width = (uint32_t)stoa_type_width(&type);
    }
    *storage = (struct stoa_arrow_storage){format->layout, width};
    *out = type;
    type = (struct stoa_type){0};
out:
    stoa_type_reset(&type);
    return st;
}

void stoa_arrow_format_print(const struct stoa_type *type, char out[300])
{
    const struct format *format = formats;
    enum stoa_type_id id = type->id == STOA_UUID   ? STOA_FIXED_BINARY
                           : type->id == STOA_ENUM ? STOA_INT32
                                                   : type->id;
    size_t used;

    while (format->id != id || format->unit != type->unit) /* every type has a row */
        format++;
    used = (size_t)snprintf(out, 300, "%s", format->text);
    if (id == STOA_DECIMAL)
        snprintf(out + used, 300 - used, "%u,%u%s", type->precision, type->scale,
                 stoa_type_width(type) > 16 ? ",256" : "");
    else if (id == STOA_FIXED_BINARY)
        snprintf(out + used, 300 - used, "%zu", stoa_type_width(type));
    else if (id == STOA_FIXED_LIST)
        snprintf(out + used, 300 - used, "%" PRIu32, type->width);
    else if (type->zone != NULL)
        snprintf(out + used, 300 - used, "%s", type->zone);
}

int64_t stoa_arrow_nchildren(enum stoa_arrow_layout layout)
{
    switch (layout) {
    case STOA_ARROW_LIST:
    case STOA_ARROW_LIST_VIEW:
    case STOA_ARROW_FIXED_LIST:
        return 1;
    case STOA_ARROW_RUNS:
        return 2;
    case STOA_ARROW_STRUCT:
        return -1;
    default:
        return 0;
    }
}

enum stoa_status stoa_arrow_check_children(const struct ArrowSchema *arrow,
                                           enum stoa_arrow_layout layout, struct stoa_error *err)
{
    int64_t need = stoa_arrow_nchildren(layout);

    if (arrow->n_children < 0 || arrow->n_children > STOA_MAX_NODES)
        return stoa_fail(err, STOA_ERR_DATA, "%" PRId64 " children, not 0 to %u", arrow->n_children,
                         STOA_MAX_NODES);
    if (need >= 0 && arrow->n_children != need)
        return stoa_fail(err, STOA_ERR_DATA,
                         "format \"%s\" with %" PRId64 " children, not %" PRId64, arrow->format,
                         arrow->n_children, need);
    for (int64_t i = 0; i < arrow->n_children; i++)
        if (arrow->children == NULL || arrow->children[i] == NULL ||
            arrow->children[i]->release == NULL)
            return stoa_fail(err, STOA_ERR_DATA, "child %" PRId64 " of the Arrow schema is missing",
                             i + 1);
    return STOA_OK;
}

enum stoa_status stoa_arrow_check_struct(const struct ArrowSchema *arrow, struct stoa_error *err)
{
    if (arrow->release == NULL)
        return stoa_fail(err, STOA_ERR_USAGE, "the Arrow schema was released before");
    if (arrow->format == NULL || strcmp(arrow->format, "+s") != 0 || arrow->dictionary != NULL)
        return stoa_fail(err, STOA_ERR_DATA,
                         "the Arrow schema is not a struct of columns (\"+s\")");
    return stoa_arrow_check_children(arrow, STOA_ARROW_STRUCT, err);
}
