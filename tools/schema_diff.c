/*
 * stoa schema --diff
 */
#include <string.h>

#include "command.h"
#include "json_out.h"
#include "table.h"

struct stoa_join_options option_join(const struct arguments *arguments)
{
    return (struct stoa_join_options){
        .fill_missing = has_option(arguments, OPT_FILL_MISSING),
        .as_text = has_option(arguments, OPT_AS_TEXT),
    };
}

static const struct {
    const char *name;
    const char *words;
} changes[] = {
    [STOA_CHANGE_NONE] = {"none", "as it is"},
    [STOA_CHANGE_WIDEN] = {"widen", "widened"},
    [STOA_CHANGE_ENCODE] = {"encode", "encoded anew"},
    [STOA_CHANGE_CHECKED] = {"checked", "encoded anew, if in range"},
    [STOA_CHANGE_TEXT] = {"text", "made text"},
    [STOA_CHANGE_CLASH] = {"clash", "refused"},
};

static struct json_t *difference_json(const struct stoa_schema_difference *difference)
{
    struct json_t *out = json_out_object();

    json_out_set(out, "column", json_out_text(difference->name));
    if (difference->left != NULL)
        json_out_set(out, "first", json_out_text(difference->left));
    if (difference->right != NULL)
        json_out_set(out, "second", json_out_text(difference->right));
    if (difference->merged != NULL)
        json_out_set(out, "merged", json_out_text(difference->merged));
    json_out_set(out, "first_change", json_out_text(changes[difference->left_change].name));
    json_out_set(out, "second_change", json_out_text(changes[difference->right_change].name));
    return out;
}

static enum exit_code print_json(const struct stoa_schema_difference *differences, size_t n,
                                 bool mergeable)
{
    struct json_t *out = json_out_object(), *list = json_out_array();

    for (size_t i = 0; i < n; i++)
        json_out_append(list, difference_json(&differences[i]));
    json_out_set(out, "mergeable", json_out_bool(mergeable));
    json_out_set(out, "differences", list);
    return json_out_print(out);
}

/* What happens to the values of the column in one of the inputs. */
static const char *words_for(const char *type, enum stoa_change change, const char *merged)
{
    if (type == NULL)
        return merged != NULL ? "nulls" : "missing";
    return changes[change].words;
}

static bool add_row(struct table *table, const struct stoa_schema_difference *difference)
{
    const char *left = difference->left, *right = difference->right, *merged = difference->merged;
    char name[NAME_NBYTES];

    stoa_quote(name, sizeof(name), difference->name, strlen(difference->name));
    return table_add_row(table,
                         (const char *const[]){
                             name,
                             left != NULL ? left : "-",
                             right != NULL ? right : "-",
                             merged != NULL ? merged : "-",
                             words_for(left, difference->left_change, merged),
                             words_for(right, difference->right_change, merged),
                         },
                         6);
}

static enum exit_code print_text(const struct stoa_schema_difference *differences, size_t n)
{
    static const char *const headers[] = {"column", "first",       "second",
                                          "merged", "the first's", "the second's"};
    struct table *table;
    enum exit_code code;
    bool done;

    if (n == 0) {
        puts("the columns are the same");
        return EXIT_DONE;
    }
    table = table_new();
    done = table != NULL;
    for (size_t i = 0; done && i < sizeof(headers) / sizeof(headers[0]); i++)
        done = table_add_column(table, headers[i], false);
    for (size_t i = 0; done && i < n; i++)
        done = add_row(table, &differences[i]);
    code = done ? table_print(table) : fail_memory();
    table_free(table);
    return code;
}

enum exit_code print_schema_diff(const struct arguments *arguments, char *const *paths,
                                 size_t npaths, bool json)
{
    struct stoa_join_options options = option_join(arguments);
    struct stoa_schema_difference *differences = NULL;
    struct stoa_schema schemas[2] = {{0}, {0}};
    char *evidence[2] = {NULL, NULL};
    enum exit_code code = EXIT_USAGE;
    bool mergeable = true;
    size_t n = 0;

    if (npaths != 2) {
        complain("schema --diff: compares two inputs, not %zu", npaths);
        return EXIT_USAGE;
    }
    if (!input_schema(arguments, paths, 1, &schemas[0], &evidence[0], &code) ||
        !input_schema(arguments, paths + 1, 1, &schemas[1], &evidence[1], &code))
        goto out;
    if (stoa_schema_compare(&schemas[0], &schemas[1], &options, &differences, &n, NULL) !=
        STOA_OK) {
        code = fail_memory();
        goto out;
    }
    for (size_t i = 0; i < n; i++)
        mergeable = mergeable && differences[i].merged != NULL;
    code = json ? print_json(differences, n, mergeable) : print_text(differences, n);
    if (code == EXIT_DONE && !mergeable)
        code = EXIT_DATA;
out:
    stoa_schema_differences_free(differences, n);
    for (int i = 0; i < 2; i++) {
        stoa_free(evidence[i]);
        stoa_schema_reset(&schemas[i]);
    }
    return code;
}
