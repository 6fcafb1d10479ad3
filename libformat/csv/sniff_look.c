/*
 * What the text of a field looks like, by its shape (spec/csv.md, "Detection").
 *
 *     2024-01-31 08:15   ->   9-9-9 9:9   ->   a date and a time
 *     1.234,50           ->   9.9,9       ->   a number in groups
 *
 * This is no parser of values: inference decides on types with the exact rules, for the one dialect
 * that is left. Here thousands of fields are judged under many dialects, most of them wrong.
 */
#include <string.h>

#include "csv/sniff.h"

struct shape_look {
    char shape[8]; /* with zeros behind it */
    enum stoa_csv_look look;
};

/* clang-format off */
static const struct shape_look shape_looks[] = {
    {"9", STOA_CSV_LOOK_INTEGER},
    {"9.9", STOA_CSV_LOOK_POINT},     {".9", STOA_CSV_LOOK_POINT},      {"9.", STOA_CSV_LOOK_POINT},
    {"9e9", STOA_CSV_LOOK_POINT},     {"9e-9", STOA_CSV_LOOK_POINT},    {"9e+9", STOA_CSV_LOOK_POINT},
    {"9.9e9", STOA_CSV_LOOK_POINT},   {"9.9e-9", STOA_CSV_LOOK_POINT},  {"9.9e+9", STOA_CSV_LOOK_POINT},
    {"9,9", STOA_CSV_LOOK_COMMA},
    {"9,9,9", STOA_CSV_LOOK_GROUPED}, {"9,9.9", STOA_CSV_LOOK_GROUPED}, {"9,9,9.9", STOA_CSV_LOOK_GROUPED},
    {"9.9,9", STOA_CSV_LOOK_GROUPED}, {"9.9.9,9", STOA_CSV_LOOK_GROUPED},
    {"9%", STOA_CSV_LOOK_AMOUNT},     {"9.9%", STOA_CSV_LOOK_AMOUNT},   {"9,9%", STOA_CSV_LOOK_AMOUNT},
    {"9 %", STOA_CSV_LOOK_AMOUNT},    {"9.9 %", STOA_CSV_LOOK_AMOUNT},  {"9,9 %", STOA_CSV_LOOK_AMOUNT},
    {"$9", STOA_CSV_LOOK_AMOUNT},     {"$9.9", STOA_CSV_LOOK_AMOUNT},   {"$9,9", STOA_CSV_LOOK_AMOUNT},
    {"$9,9.9", STOA_CSV_LOOK_AMOUNT}, {"$-9.9", STOA_CSV_LOOK_AMOUNT},
    {"9-9-9", STOA_CSV_LOOK_TIME},    {"9/9/9", STOA_CSV_LOOK_TIME},    {"9.9.9", STOA_CSV_LOOK_TIME},
    {"9-a-9", STOA_CSV_LOOK_TIME},    {"9/a/9", STOA_CSV_LOOK_TIME},    {"9 a 9", STOA_CSV_LOOK_TIME},
    {"9:9", STOA_CSV_LOOK_TIME},      {"9:9:9", STOA_CSV_LOOK_TIME},    {"9:9:9.9", STOA_CSV_LOOK_TIME},
    {"9:9 a", STOA_CSV_LOOK_TIME},    {"9:9:9 a", STOA_CSV_LOOK_TIME},
};
/* What may stand behind a date that begins with digits. */
static const char *const clocks[] = {
    " 9:9", " 9:9:9", " 9:9:9.9", " 9:9 a", " 9:9:9 a", "a9:9", "a9:9:9", "a9:9:9.9",
};
static const char *const zones[] = {"", "a", " a", "+9", "-9", "+9:9", "-9:9", " +9", " -9", " +9:9", " -9:9"};
/* clang-format on */

#define NSHAPES (sizeof(shape_looks) / sizeof(shape_looks[0]))

/* A date with a time, and perhaps a zone, behind it. */
static bool is_timestamp(const char *shape)
{
    static const char *const dates[] = {"9-9-9", "9/9/9", "9.9.9"};

    for (size_t i = 0; i < 3; i++) {
        if (strncmp(shape, dates[i], 5) != 0)
            continue;
        for (size_t k = 0; k < sizeof(clocks) / sizeof(clocks[0]); k++) {
            const size_t nbytes = strlen(clocks[k]);

            if (strncmp(shape + 5, clocks[k], nbytes) != 0)
                continue;
            for (size_t z = 0; z < sizeof(zones) / sizeof(zones[0]); z++) {
                if (strcmp(shape + 5 + nbytes, zones[z]) == 0)
                    return true;
            }
        }
    }
    return false;
}

/* Classes of bytes, for the shape and for what no plain text holds. */
static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (uint8_t)c >= 0x80;
}

/* The shape; false when it was cut. A lone e or E between digits stays one: it is an exponent. */
static bool make_shape(const char *text, size_t nbytes, char *shape)
{
    size_t n = 0;

    for (size_t i = 0; i < nbytes; i++) {
        char c = is_digit(text[i]) ? '9' : is_letter(text[i]) ? 'a' : text[i];

        if ((text[i] == 'e' || text[i] == 'E') && i > 0 && is_digit(text[i - 1]) &&
            i + 1 < nbytes && !is_letter(text[i + 1]))
            c = 'e';
        if (n > 0 && shape[n - 1] == c && (c == '9' || c == 'a'))
            continue;
        if (n == STOA_CSV_SHAPE_NBYTES - 1) {
            shape[n] = '\0';
            return false;
        }
        shape[n++] = c;
    }
    shape[n] = '\0';
    return true;
}

/* Whether text has a character that a wrong delimiter or quote would leave in a field. */
static enum stoa_csv_look look_of_text(const char *text, size_t nbytes)
{
    bool blank = false;

    if (text[0] == '\'' || text[0] == '"')
        return STOA_CSV_LOOK_ODD;
    for (size_t i = 0; i < nbytes; i++) {
        const char c = text[i];

        if (c == ',' || c == ';' || c == '|' || c == '"' || (uint8_t)c < ' ' || c == 0x7f)
            return STOA_CSV_LOOK_ODD;
        blank |= c == ' ';
    }
    return blank ? STOA_CSV_LOOK_TEXT : STOA_CSV_LOOK_WORD;
}

/* Compares eight bytes at a time: this is done for each field under each dialect. */
static const struct shape_look *find_shape(const char *shape)
{
    const size_t nbytes = strlen(shape);
    char wanted[sizeof(shape_looks[0].shape)] = {0};

    if (nbytes >= sizeof(wanted))
        return NULL;
    memcpy(wanted, shape, nbytes);
    for (size_t i = 0; i < NSHAPES; i++)
        if (memcmp(wanted, shape_looks[i].shape, sizeof(wanted)) == 0)
            return &shape_looks[i];
    return NULL;
}

enum stoa_csv_look stoa_csv_sniff_look(const char *text, size_t nbytes,
                                       char shape[STOA_CSV_SHAPE_NBYTES])
{
    const char *unsigned_shape = shape;

    if (!make_shape(text, nbytes, shape))
        return look_of_text(text, nbytes);
    if (nbytes == 0)
        return STOA_CSV_LOOK_EMPTY;
    if (*shape == '-' || *shape == '+')
        unsigned_shape++;
    if (*unsigned_shape == '9' || *unsigned_shape == '.' || *unsigned_shape == '$') {
        const struct shape_look *found = find_shape(unsigned_shape);

        if (found != NULL)
            return found->look;
        if (is_timestamp(unsigned_shape))
            return STOA_CSV_LOOK_TIME;
    }
    return look_of_text(text, nbytes);
}
