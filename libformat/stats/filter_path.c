/*
 * Paths of predicates (docs/predicates.md, "Columns"): from names to a node of the schema.
 *
 *     pickup.place.lat     column "pickup", a struct; its part "place", a struct; its part "lat"
 *     "pickup.lat"         the column of this name, if there is one; else as pickup.lat
 *
 * Nodes are numbered depth first, so a part's number is that of its struct, one more, and the nodes
 * of the parts before it.
 */
#include "stats/filter_path.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "column/type.h"
#include "stats/filter_print.h"

/* Puts the first nnames names of a path in front of what is said about the next one. */
static enum stoa_status wrap_part(const struct stoa_filter_path *path, size_t nnames,
                                  enum stoa_status st, struct stoa_error *err)
{
    struct stoa_buffer text = {0};
    char shown[128];
    enum stoa_status printed = stoa_filter_path_print(&text, path->names, nnames, NULL);

    if (printed == STOA_OK)
        stoa_wrap(err, st, "in %s",
                  stoa_quote(shown, sizeof(shown), (const char *)text.data, text.nbytes));
    stoa_buffer_free(&text);
    return st;
}

/* The field in front of a dot has no parts that a path could name. */
static enum stoa_status fail_no_parts(const struct stoa_field *field, const char *name,
                                      struct stoa_error *err)
{
    const char *type = stoa_type_info(field->type.id)->name;
    char shown[128];

    stoa_quote(shown, sizeof(shown), name, strlen(name));
    if (field->nchildren == 0)
        return stoa_fail(err, STOA_ERR_USAGE, "there is no part \"%s\": it is %s and has none",
                         shown, type);
    return stoa_fail(err, STOA_ERR_USAGE,
                     "there is no path to \"%s\": it is a %s, whose values have no place of their "
                     "own in a row; its one test is \"is null\"",
                     shown, type);
}

/* Whether a column has the names of a path, with dots between them, for its name. */
static bool is_one_name(const struct stoa_schema *schema, const struct stoa_filter_path *path,
                        uint32_t *column)
{
    for (*column = 0; *column < schema->nfields; ++*column) {
        const char *at = schema->fields[*column].name;
        bool same = true;

        for (size_t i = 0; same && i < path->nnames; i++) {
            size_t nbytes = strlen(path->names[i]);

            same = strncmp(at, path->names[i], nbytes) == 0 &&
                   at[nbytes] == (i + 1 < path->nnames ? '.' : '\0');
            at += same ? nbytes + 1 : 0;
        }
        if (same)
            return true;
    }
    return false;
}

static enum stoa_status fail_no_column(const struct stoa_schema *schema,
                                       const struct stoa_filter_path *path, uint32_t nfound,
                                       struct stoa_error *err)
{
    char shown[128], meant[128];
    uint32_t column;

    if (nfound > 0 || path->nnames == 1 || !is_one_name(schema, path, &column))
        return stoa_fields_fail(schema->fields, schema->nfields, path->names[0], nfound, "column",
                                err);
    stoa_quote(shown, sizeof(shown), path->names[0], strlen(path->names[0]));
    stoa_quote(meant, sizeof(meant), schema->fields[column].name,
               strlen(schema->fields[column].name));
    return stoa_fail(err, STOA_ERR_USAGE,
                     "there is no column \"%s\"; the column \"%s\" is written in double quotes",
                     shown, meant);
}

/* From a column on: *node is its number and becomes that of the last name. */
static enum stoa_status find_parts(const struct stoa_schema_node *nodes,
                                   const struct stoa_filter_path *path, uint32_t *node,
                                   struct stoa_error *err)
{
    for (size_t i = 1; i < path->nnames; i++) {
        const struct stoa_field *field = nodes[*node].field;
        uint32_t part = 0, nfound;

        if (field->type.id != STOA_STRUCT)
            return wrap_part(path, i, fail_no_parts(field, path->names[i], err), err);
        nfound = stoa_fields_find(field->children, field->nchildren, path->names[i], &part);
        if (nfound != 1)
            return wrap_part(path, i,
                             stoa_fields_fail(field->children, field->nchildren, path->names[i],
                                              nfound, "part", err),
                             err);
        for (++*node; part > 0; part--)
            *node += nodes[*node].nnodes;
    }
    return STOA_OK;
}

/* A single name taken apart at its dots; free names[0] and names. */
static enum stoa_status split(const char *name, struct stoa_filter_path *out,
                              struct stoa_error *err)
{
    size_t nbytes = strlen(name), nnames = 1;
    char *copy = NULL;
    enum stoa_status st;

    for (size_t i = 0; i < nbytes; i++)
        nnames += name[i] == '.';
    STOA_TRY(stoa_strndup(&copy, name, nbytes, err));
    STOA_TRY(stoa_alloc_zeroed(&out->names, nnames, sizeof(out->names[0]), err));
    for (char *at = copy; at != NULL; at = strchr(at, '.')) {
        if (out->nnames > 0)
            *at++ = '\0';
        out->names[out->nnames++] = at;
    }
    copy = NULL;
out:
    stoa_free(copy);
    return st;
}

static uint32_t number_of_column(const struct stoa_schema_node *nodes, uint32_t column)
{
    uint32_t node = 0;

    for (; column > 0; column--)
        node += nodes[node].nnodes;
    return node;
}

/* A name that is no column's: as a path, if it begins with a struct. */
static enum stoa_status find_split(const struct stoa_schema *schema,
                                   const struct stoa_schema_node *nodes,
                                   const struct stoa_filter_path *whole, uint32_t *node,
                                   struct stoa_error *err)
{
    struct stoa_filter_path path = {0};
    uint32_t column, nfound;
    enum stoa_status st;

    STOA_TRY(split(whole->names[0], &path, err));
    nfound = stoa_fields_find(schema->fields, schema->nfields, path.names[0], &column);
    if (path.nnames > 1 && nfound == 1 && schema->fields[column].nchildren > 0) {
        *node = number_of_column(nodes, column);
        st = find_parts(nodes, &path, node, err);
    } else {
        st = fail_no_column(schema, whole, 0, err);
    }
out:
    stoa_free(path.nnames > 0 ? path.names[0] : NULL);
    stoa_free(path.names);
    return st;
}

enum stoa_status stoa_filter_path_find(const struct stoa_schema *schema,
                                       const struct stoa_schema_node *nodes,
                                       const struct stoa_filter_path *path, uint32_t *node,
                                       struct stoa_error *err)
{
    uint32_t column;
    uint32_t nfound = stoa_fields_find(schema->fields, schema->nfields, path->names[0], &column);

    if (nfound == 0 && path->nnames == 1)
        return find_split(schema, nodes, path, node, err);
    if (nfound != 1)
        return fail_no_column(schema, path, nfound, err);
    *node = number_of_column(nodes, column);
    return find_parts(nodes, path, node, err);
}
