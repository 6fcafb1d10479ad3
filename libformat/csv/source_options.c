/*
 * The dialect of a source as JSON (spec/csv.md, "Restore"):
 *
 *     {"delimiter":";","line_end":"\r\n","null_values":["NA","-"]}
 *
 * A parsed text keeps jansson's tree alive: the lists point into it.
 */
#include "csv/source_options.h"

#include <string.h>

#include <jansson.h>

#include "base/error.h"
#include "base/number.h"
#include "base/text.h"

/* Characters, and what each is if nothing is said. */
static const struct {
    const char *key;
    size_t offset; /* in struct stoa_csv_options */
    char usual;
} characters[] = {
    {"delimiter", offsetof(struct stoa_csv_options, delimiter), ','},
    {"quote", offsetof(struct stoa_csv_options, quote), '"'},
    {"escape", offsetof(struct stoa_csv_options, escape), 0}, /* the quote */
    {"decimal", offsetof(struct stoa_csv_options, decimal), '.'},
    {"thousands", offsetof(struct stoa_csv_options, thousands), STOA_CSV_NONE},
};
#define NCHARACTERS (sizeof(characters) / sizeof(characters[0]))

static const struct {
    const char *key;
    size_t offset;
} lists[] = {
    {"null_values", offsetof(struct stoa_csv_options, null_values)},
    {"true_values", offsetof(struct stoa_csv_options, true_values)},
    {"false_values", offsetof(struct stoa_csv_options, false_values)},
};
#define NLISTS (sizeof(lists) / sizeof(lists[0]))

#define MAX_NWORDS 1024 /* of a list */

static char *character_of(struct stoa_csv_options *options, size_t i)
{
    return (char *)options + characters[i].offset;
}

static const char *const **list_of(struct stoa_csv_options *options, size_t i)
{
    return (const char *const **)(void *)((char *)options + lists[i].offset);
}

static char usual_character(const struct stoa_csv_options *options, size_t i)
{
    return characters[i].usual != 0 ? characters[i].usual : options->quote;
}

void stoa_csv_options_settle(struct stoa_csv_options *options)
{
    for (size_t i = 0; i < NCHARACTERS; i++) {
        if (*character_of(options, i) == 0)
            *character_of(options, i) = usual_character(options, i);
    }
}

/* ---- Writing. ---- */

static enum stoa_status append_text(struct stoa_buffer *out, const char *text,
                                    struct stoa_error *err)
{
    return stoa_buffer_append(out, text, strlen(text), err);
}

static enum stoa_status append_key(struct stoa_buffer *out, const char *key, struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(append_text(out, out->nbytes > 1 ? ",\"" : "\"", err));
    STOA_TRY(append_text(out, key, err));
    STOA_TRY(append_text(out, "\":", err));
out:
    return st;
}

static enum stoa_status append_list(struct stoa_buffer *out, const char *const *words,
                                    struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (size_t i = 0; words[i] != NULL; i++) {
        STOA_TRY(append_text(out, i > 0 ? "," : "[", err));
        STOA_TRY(stoa_json_append_string(out, words[i], strlen(words[i]), err));
    }
    STOA_TRY(append_text(out, words[0] != NULL ? "]" : "[]", err));
out:
    return st;
}

static enum stoa_status append_columns(struct stoa_buffer *out,
                                       const struct stoa_csv_source_dialect *dialect,
                                       struct stoa_error *err)
{
    char number[STOA_NUMBER_NBYTES];
    enum stoa_status st;

    STOA_TRY(append_key(out, "columns", err));
    STOA_TRY(append_text(out, "[", err));
    for (uint32_t i = 0; i < dialect->ncolumns; i++) {
        size_t nbytes = stoa_number_format_uint64(dialect->columns[i], number);

        if (i > 0)
            STOA_TRY(append_text(out, ",", err));
        STOA_TRY(stoa_buffer_append(out, number, nbytes, err));
    }
    STOA_TRY(append_text(out, "]", err));
out:
    return st;
}

enum stoa_status stoa_csv_source_dialect_print(const struct stoa_csv_source_dialect *dialect,
                                               char **out, struct stoa_error *err)
{
    struct stoa_csv_options options = dialect->csv;
    struct stoa_buffer text = {0};
    enum stoa_status st;

    STOA_TRY(append_text(&text, "{", err));
    for (size_t i = 0; i < NCHARACTERS; i++) {
        char c = *character_of(&options, i);

        if (c == usual_character(&options, i))
            continue;
        STOA_TRY(append_key(&text, characters[i].key, err));
        STOA_TRY(stoa_json_append_string(&text, &c, c != STOA_CSV_NONE, err));
    }
    if (options.trailing_delimiter > 0) {
        STOA_TRY(append_key(&text, "trailing_delimiter", err));
        STOA_TRY(append_text(&text, "true", err));
    }
    if (dialect->line_end_nbytes != 1 || dialect->line_end[0] != '\n') {
        STOA_TRY(append_key(&text, "line_end", err));
        STOA_TRY(stoa_json_append_string(&text, dialect->line_end, dialect->line_end_nbytes, err));
    }
    for (size_t i = 0; i < NLISTS; i++) {
        if (*list_of(&options, i) == NULL)
            continue;
        STOA_TRY(append_key(&text, lists[i].key, err));
        STOA_TRY(append_list(&text, *list_of(&options, i), err));
    }
    if (dialect->encoding != NULL) {
        STOA_TRY(append_key(&text, "encoding", err));
        STOA_TRY(stoa_json_append_string(&text, dialect->encoding, strlen(dialect->encoding), err));
    }
    if (dialect->columns != NULL)
        STOA_TRY(append_columns(&text, dialect, err));
    STOA_TRY(append_text(&text, "}", err));
    STOA_TRY(stoa_strndup(out, (const char *)text.data, text.nbytes, err));
out:
    stoa_buffer_free(&text);
    return st;
}

/* ---- Reading. ---- */

/* What a parsed dialect points into. */
struct owner {
    json_t *root;
    const char **lists[NLISTS];
};

static enum stoa_status fail_options(struct stoa_error *err, const char *key)
{
    return stoa_fail(err, STOA_ERR_CORRUPT, "options of a source: bad \"%s\"", key);
}

/* A character, or none for the empty text. */
static enum stoa_status take_character(const json_t *value, const char *key, char *out,
                                       struct stoa_error *err)
{
    const char *text = json_string_value(value);

    if (text == NULL || json_string_length(value) > 1 || (uint8_t)text[0] >= 0x80 ||
        text[0] == '\n' || text[0] == '\r')
        return fail_options(err, key);
    *out = text[0] != '\0' ? text[0] : STOA_CSV_NONE;
    return STOA_OK;
}

static enum stoa_status take_line_end(const json_t *value, struct stoa_csv_source_dialect *out,
                                      struct stoa_error *err)
{
    const char *text = json_string_value(value);

    if (text == NULL ||
        (strcmp(text, "\n") != 0 && strcmp(text, "\r") != 0 && strcmp(text, "\r\n") != 0))
        return fail_options(err, "line_end");
    out->line_end_nbytes = (uint8_t)strlen(text);
    memcpy(out->line_end, text, out->line_end_nbytes);
    return STOA_OK;
}

static enum stoa_status take_list(const json_t *value, const char *key, const char ***out,
                                  struct stoa_error *err)
{
    const size_t n = json_array_size(value);
    const char **words = NULL;
    enum stoa_status st;

    if (!json_is_array(value) || n > MAX_NWORDS)
        return fail_options(err, key);
    STOA_TRY(stoa_alloc_zeroed(&words, n + 1, sizeof(*words), err));
    for (size_t i = 0; i < n; i++) {
        words[i] = json_string_value(json_array_get(value, i));
        if (words[i] == NULL) {
            st = fail_options(err, key);
            goto out;
        }
    }
    *out = words;
    words = NULL;
out:
    stoa_free(words);
    return st;
}

static enum stoa_status take_columns(const json_t *value, struct stoa_csv_source_dialect *out,
                                     struct stoa_error *err)
{
    const size_t n = json_array_size(value);
    enum stoa_status st;

    if (n == 0 || n > UINT32_MAX)
        return fail_options(err, "columns");
    STOA_TRY(stoa_alloc_zeroed(&out->columns, n, sizeof(*out->columns), err));
    out->ncolumns = (uint32_t)n;
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(value, i);

        if (!json_is_integer(item) || json_integer_value(item) < 0 ||
            json_integer_value(item) >= UINT32_MAX)
            return fail_options(err, "columns");
        out->columns[i] = (uint32_t)json_integer_value(item);
    }
out:
    return st;
}

static enum stoa_status take_option(const char *key, const json_t *value,
                                    struct stoa_csv_source_dialect *out, struct stoa_error *err)
{
    struct owner *owner = out->owner;
    enum stoa_status st = STOA_OK;

    for (size_t i = 0; i < NCHARACTERS; i++) {
        if (strcmp(key, characters[i].key) == 0)
            return take_character(value, key, character_of(&out->csv, i), err);
    }
    for (size_t i = 0; i < NLISTS; i++) {
        if (strcmp(key, lists[i].key) != 0)
            continue;
        STOA_TRY(take_list(value, key, &owner->lists[i], err));
        *list_of(&out->csv, i) = owner->lists[i];
        return STOA_OK;
    }
    if (strcmp(key, "columns") == 0)
        return take_columns(value, out, err);
    if (strcmp(key, "line_end") == 0)
        return take_line_end(value, out, err);
    if (strcmp(key, "trailing_delimiter") == 0 && json_is_boolean(value)) {
        out->csv.trailing_delimiter = json_is_true(value);
        return STOA_OK;
    }
    if (strcmp(key, "encoding") == 0 && json_is_string(value)) {
        out->encoding = json_string_value(value);
        return STOA_OK;
    }
    st = fail_options(err, key);
out:
    return st;
}

static enum stoa_status take_options(json_t *root, struct stoa_csv_source_dialect *out,
                                     struct stoa_error *err)
{
    const char *key;
    json_t *value;
    enum stoa_status st = STOA_OK;

    json_object_foreach(root, key, value)
    {
        STOA_TRY(take_option(key, value, out, err));
    }
out:
    return st;
}

enum stoa_status stoa_csv_source_dialect_parse(const char *text,
                                               struct stoa_csv_source_dialect *out,
                                               struct stoa_error *err)
{
    struct stoa_csv_source_dialect made = {.line_end = "\n", .line_end_nbytes = 1};
    struct owner *owner = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&owner, 1, sizeof(*owner), err));
    made.owner = owner;
    if (text == NULL || *text == '\0') /* nothing is unusual */
        text = "{}";
    if (strlen(text) <= STOA_CSV_SOURCE_OPTIONS_NBYTES)
        owner->root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(owner->root)) {
        st = stoa_fail(err, STOA_ERR_CORRUPT, "options of a source: no JSON object");
        goto out;
    }
    STOA_TRY(take_options(owner->root, &made, err));
    stoa_csv_options_settle(&made.csv);
    *out = made;
    made.owner = NULL;
out:
    stoa_csv_source_dialect_reset(&made);
    return st;
}

void stoa_csv_source_dialect_reset(struct stoa_csv_source_dialect *dialect)
{
    struct owner *owner = dialect->owner;

    if (owner != NULL) {
        for (size_t i = 0; i < NLISTS; i++)
            stoa_free(owner->lists[i]);
        json_decref(owner->root);
        stoa_free(owner);
        stoa_free(dialect->columns);
    }
    *dialect = (struct stoa_csv_source_dialect){0};
}
