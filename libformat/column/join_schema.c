/*
 * Schemas that hold the rows of two schemas.
 *
 *     a int32     c utf8  a int64        ->   a int64
 *     b utf8      d bool                      b utf8, null in rows of the second
 *                                             c utf8, d bool, null in rows of the first
 *
 * Columns and the fields of structs are matched by name. The other children have one place each and
 * names that mean nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "column/join.h"
#include "column/schema.h"
#include "column/type.h"

enum { SHOWN_NBYTES = 128 };

/* ---- Matching ---- */

static int compare_fields(const void *a, const void *b)
{
    const struct stoa_field *x = *(const struct stoa_field *const *)a;
    const struct stoa_field *y = *(const struct stoa_field *const *)b;

    return strcmp(x->name, y->name);
}

static bool match_in_order(const struct stoa_field *from, uint32_t nfrom,
                           const struct stoa_field *to, uint32_t nto, uint32_t *map)
{
    for (uint32_t i = 0; i < nto; i++) {
        if (i >= nfrom || strcmp(from[i].name, to[i].name) != 0)
            return false;
        map[i] = i;
    }
    return true;
}

enum stoa_status stoa_fields_match(const struct stoa_field *from, uint32_t nfrom,
                                   const struct stoa_field *to, uint32_t nto, uint32_t *map,
                                   struct stoa_error *err)
{
    const struct stoa_field **sorted;
    enum stoa_status st;

    if (match_in_order(from, nfrom, to, nto, map))
        return STOA_OK;
    st = stoa_alloc(&sorted, nfrom * sizeof(sorted[0]), err);
    if (st != STOA_OK)
        return st;
    for (uint32_t i = 0; i < nfrom; i++)
        sorted[i] = &from[i];
    qsort(sorted, nfrom, sizeof(sorted[0]), compare_fields);
    for (uint32_t i = 0; i < nto; i++) {
        const struct stoa_field *wanted = &to[i];
        const struct stoa_field **found =
            bsearch(&wanted, sorted, nfrom, sizeof(sorted[0]), compare_fields);

        map[i] = found != NULL ? (uint32_t)(*found - from) : UINT32_MAX;
    }
    stoa_free(sorted);
    return STOA_OK;
}

enum stoa_status stoa_children_match(const struct stoa_field *from, const struct stoa_field *to,
                                     bool entries_of_map, uint32_t *map, struct stoa_error *err)
{
    if (to->type.id == STOA_STRUCT && !entries_of_map)
        return stoa_fields_match(from->children, from->nchildren, to->children, to->nchildren, map,
                                 err);
    for (uint32_t i = 0; i < to->nchildren; i++)
        map[i] = i < from->nchildren ? i : UINT32_MAX;
    return STOA_OK;
}

static enum stoa_change worse(enum stoa_change a, enum stoa_change b)
{
    return a > b ? a : b;
}

static enum stoa_status change_of(const struct stoa_field *from, const struct stoa_field *to,
                                  bool entries_of_map, enum stoa_change *out,
                                  struct stoa_error *err)
{
    bool is_map = to->type.id == STOA_MAP;
    enum stoa_change change = stoa_type_change(&from->type, &to->type);
    uint32_t *map = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc(&map, to->nchildren * sizeof(map[0]), err));
    if (change == STOA_CHANGE_NONE) /* else it has no children, or clashes anyway */
        STOA_TRY(stoa_children_match(from, to, entries_of_map, map, err));
    for (uint32_t i = 0; change == STOA_CHANGE_NONE && i < to->nchildren; i++)
        if (map[i] != i)
            change = STOA_CHANGE_WIDEN; /* in another place, or missing */
    if (change == STOA_CHANGE_NONE || (change == STOA_CHANGE_WIDEN && from->type.id != STOA_NULL)) {
        for (uint32_t i = 0; i < to->nchildren; i++) {
            enum stoa_change child;

            if (map[i] == UINT32_MAX)
                continue;
            STOA_TRY(change_of(&from->children[map[i]], &to->children[i], is_map, &child, err));
            change = worse(change, child);
        }
    }
    *out = change;
out:
    stoa_free(map);
    return st;
}

enum stoa_status stoa_field_change(const struct stoa_field *from, const struct stoa_field *to,
                                   enum stoa_change *out, struct stoa_error *err)
{
    return change_of(from, to, false, out, err);
}

/* ---- Joining ---- */

/* Where a field stands: errors name the way to it. */
struct place {
    const struct place *parent;
    const char *name;
};

/* "column NAME", "column NAME: NAME": every level is put in front. */
static enum stoa_status wrap_place(const struct place *place, enum stoa_status st,
                                   struct stoa_error *err)
{
    char shown[SHOWN_NBYTES];

    for (; place != NULL; place = place->parent) {
        stoa_quote(shown, sizeof(shown), place->name, strlen(place->name));
        stoa_wrap(err, st, place->parent == NULL ? "column %s" : "%s", shown);
    }
    return st;
}

/* Lets a program say which option would help. */
static enum stoa_status set_errno(struct stoa_error *err, enum stoa_status st, int os_errno)
{
    if (err != NULL)
        err->os_errno = os_errno;
    return st;
}

static enum stoa_status fail_clash(const struct stoa_field *a, const struct stoa_field *b,
                                   bool text_would_do, const struct place *place,
                                   struct stoa_error *err)
{
    char *left = NULL, *right = NULL, shown[2][SHOWN_NBYTES];
    enum stoa_status st;

    STOA_TRY(stoa_type_print(a, &left, err));
    STOA_TRY(stoa_type_print(b, &right, err));
    stoa_quote(shown[0], SHOWN_NBYTES, left, strlen(left));
    stoa_quote(shown[1], SHOWN_NBYTES, right, strlen(right));
    st = stoa_fail(err, STOA_ERR_DATA, "is %s here and %s in the files before: %s", shown[1],
                   shown[0],
                   text_would_do ? "no type but text holds the values of both"
                                 : "no type holds the values of both");
    set_errno(err, st, text_would_do ? EDOM : 0);
    wrap_place(place, st, err);
out:
    stoa_free(left);
    stoa_free(right);
    return st;
}

static enum stoa_status fail_missing(const char *name, bool here, const struct place *place,
                                     struct stoa_error *err)
{
    struct place missing = {place, name};
    enum stoa_status st =
        stoa_fail(err, STOA_ERR_DATA,
                  here ? "is not in the files before" : "is in the files before, but not here");

    set_errno(err, st, ENOENT);
    return wrap_place(&missing, st, err);
}

/* Pairs of `more` whose keys are new. */
static enum stoa_status join_metadata(struct stoa_metadata *metadata,
                                      const struct stoa_metadata *more, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 0; i < more->npairs; i++)
        if (stoa_metadata_get(metadata, more->pairs[i].key) == NULL)
            STOA_TRY(stoa_metadata_set(metadata, more->pairs[i].key, more->pairs[i].value, err));
out:
    return st;
}

static enum stoa_status join_fields(const struct stoa_field *a, const struct stoa_field *b,
                                    bool entries_of_map, const struct stoa_join_options *options,
                                    const struct place *parent, struct stoa_field *out,
                                    struct stoa_error *err);

/*
 * The fields of both lists into *out, which has room for all: those of `a` joined with what
 * b_of_a says, then the ones that `b` has besides.
 */
static enum stoa_status join_lists(const struct stoa_field *a, uint32_t na,
                                   const struct stoa_field *b, uint32_t nb, const uint32_t *b_of_a,
                                   const uint32_t *a_of_b, bool entries_of_map,
                                   const struct stoa_join_options *options,
                                   const struct place *place, struct stoa_field *out, uint32_t *n,
                                   struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 0; i < na; i++) {
        if (b_of_a[i] == UINT32_MAX && !options->fill_missing)
            return fail_missing(a[i].name, false, place, err);
        if (b_of_a[i] != UINT32_MAX) {
            STOA_TRY(
                join_fields(&a[i], &b[b_of_a[i]], entries_of_map, options, place, &out[*n], err));
        } else {
            STOA_TRY(stoa_field_copy(&out[*n], &a[i], err));
            out[*n].nullable = true;
        }
        ++*n;
    }
    for (uint32_t i = 0; i < nb; i++) {
        if (a_of_b[i] != UINT32_MAX)
            continue;
        if (!options->fill_missing)
            return fail_missing(b[i].name, true, place, err);
        STOA_TRY(stoa_field_copy(&out[*n], &b[i], err));
        out[*n].nullable = true;
        ++*n;
    }
out:
    return st;
}

/* The children of two fields of one type that has some. */
static enum stoa_status join_children(const struct stoa_field *a, const struct stoa_field *b,
                                      bool entries_of_map, const struct stoa_join_options *options,
                                      const struct place *place, struct stoa_field *out,
                                      struct stoa_error *err)
{
    uint32_t *b_of_a = NULL, *a_of_b = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc(&b_of_a, a->nchildren * sizeof(b_of_a[0]), err));
    STOA_TRY(stoa_alloc(&a_of_b, b->nchildren * sizeof(a_of_b[0]), err));
    STOA_TRY(stoa_children_match(b, a, entries_of_map, b_of_a, err));
    STOA_TRY(stoa_children_match(a, b, entries_of_map, a_of_b, err));
    STOA_TRY(stoa_alloc_zeroed(&out->children, (size_t)a->nchildren + b->nchildren,
                               sizeof(out->children[0]), err));
    STOA_TRY(join_lists(a->children, a->nchildren, b->children, b->nchildren, b_of_a, a_of_b,
                        a->type.id == STOA_MAP, options, place, out->children, &out->nchildren,
                        err));
out:
    stoa_free(b_of_a);
    stoa_free(a_of_b);
    return st;
}

static bool can_be_text(const struct stoa_field *field)
{
    static const struct stoa_type text = {.id = STOA_UTF8};

    return field->nchildren == 0 && stoa_type_change(&field->type, &text) != STOA_CHANGE_CLASH;
}

/* The type of both, with the children; STOA_ERR_DATA when there is none. */
static enum stoa_status join_whole_types(const struct stoa_field *a, const struct stoa_field *b,
                                         bool entries_of_map,
                                         const struct stoa_join_options *options,
                                         const struct place *place, struct stoa_field *out,
                                         struct stoa_error *err)
{
    const struct stoa_field *nested = a->nchildren > 0 ? a : b;
    bool joined;
    enum stoa_status st;

    STOA_TRY(stoa_type_join(&a->type, &b->type, &out->type, &joined, err));
    if (!joined) {
        bool text_would_do = can_be_text(a) && can_be_text(b);

        if (!options->as_text || !text_would_do)
            return fail_clash(a, b, text_would_do, place, err);
        out->type = (struct stoa_type){.id = STOA_UTF8};
    } else if (a->type.id == b->type.id) {
        STOA_TRY(join_children(a, b, entries_of_map, options, place, out, err));
    } else if (nested->nchildren > 0) { /* beside null */
        STOA_TRY(
            stoa_alloc_zeroed(&out->children, nested->nchildren, sizeof(out->children[0]), err));
        for (; out->nchildren < nested->nchildren; out->nchildren++)
            STOA_TRY(stoa_field_copy(&out->children[out->nchildren],
                                     &nested->children[out->nchildren], err));
    }
out:
    return st;
}

static enum stoa_status join_fields(const struct stoa_field *a, const struct stoa_field *b,
                                    bool entries_of_map, const struct stoa_join_options *options,
                                    const struct place *parent, struct stoa_field *out,
                                    struct stoa_error *err)
{
    struct place place = {parent, a->name};
    struct stoa_field joined = {
        .nullable = a->nullable || b->nullable,
        .id = a->id != 0 ? a->id : b->id,
    };
    enum stoa_status st;

    STOA_TRY(stoa_strndup(&joined.name, a->name, strlen(a->name), err));
    STOA_TRY(stoa_metadata_copy(&joined.metadata, &a->metadata, err));
    STOA_TRY(join_metadata(&joined.metadata, &b->metadata, err));
    STOA_TRY(join_whole_types(a, b, entries_of_map, options, &place, &joined, err));
    *out = joined;
    joined = (struct stoa_field){0};
out:
    stoa_field_reset(&joined);
    return st;
}

enum stoa_status stoa_schema_join(struct stoa_schema *schema, const struct stoa_schema *other,
                                  const struct stoa_join_options *options, struct stoa_error *err)
{
    struct stoa_schema joined = {0};
    uint32_t *b_of_a = NULL, *a_of_b = NULL;
    uint32_t na = schema->nfields, nb = other->nfields;
    enum stoa_status st;

    if (stoa_schema_equal(schema, other)) /* the usual case costs no memory */
        return STOA_OK;
    STOA_TRY(stoa_alloc(&b_of_a, na * sizeof(b_of_a[0]), err));
    STOA_TRY(stoa_alloc(&a_of_b, nb * sizeof(a_of_b[0]), err));
    STOA_TRY(stoa_fields_match(other->fields, nb, schema->fields, na, b_of_a, err));
    STOA_TRY(stoa_fields_match(schema->fields, na, other->fields, nb, a_of_b, err));
    STOA_TRY(stoa_metadata_copy(&joined.metadata, &schema->metadata, err));
    STOA_TRY(join_metadata(&joined.metadata, &other->metadata, err));
    STOA_TRY(stoa_alloc_zeroed(&joined.fields, (size_t)na + nb, sizeof(joined.fields[0]), err));
    STOA_TRY(join_lists(schema->fields, na, other->fields, nb, b_of_a, a_of_b, false, options, NULL,
                        joined.fields, &joined.nfields, err));
    STOA_TRY(stoa_schema_check(&joined, err)); /* joined symbols and metadata have limits */
    stoa_schema_reset(schema);
    *schema = joined;
    joined = (struct stoa_schema){0};
out:
    stoa_schema_reset(&joined);
    stoa_free(b_of_a);
    stoa_free(a_of_b);
    return st;
}

/* ---- Comparing ---- */

static void difference_reset(struct stoa_schema_difference *difference)
{
    stoa_free(difference->name);
    stoa_free(difference->left);
    stoa_free(difference->right);
    stoa_free(difference->merged);
    *difference = (struct stoa_schema_difference){0};
}

void stoa_schema_differences_free(struct stoa_schema_difference *differences, size_t ndifferences)
{
    for (size_t i = 0; i < ndifferences; i++)
        difference_reset(&differences[i]);
    stoa_free(differences);
}

/* The type of a column as text; NULL for NULL. */
static enum stoa_status print_column(const struct stoa_field *field, char **out,
                                     struct stoa_error *err)
{
    static const char not_null[] = " not null";
    struct stoa_buffer text = {0};
    enum stoa_status st = STOA_OK;

    if (field == NULL)
        return STOA_OK;
    STOA_TRY(stoa_field_print_type(&text, field, err));
    if (!field->nullable)
        STOA_TRY(stoa_buffer_append(&text, not_null, strlen(not_null), err));
    STOA_TRY(stoa_strndup(out, (const char *)text.data, text.nbytes, err));
out:
    stoa_buffer_free(&text);
    return st;
}

/* The merged column of two, of which one may be NULL; *found is false when there is none. */
static enum stoa_status join_column(const struct stoa_field *left, const struct stoa_field *right,
                                    const struct stoa_join_options *options, struct stoa_field *out,
                                    bool *found, struct stoa_error *err)
{
    enum stoa_status st;

    *found = left != NULL && right != NULL;
    if (*found) {
        st = join_fields(left, right, false, options, NULL, out, err);
        *found = st != STOA_ERR_DATA;
        return *found ? st : STOA_OK;
    }
    if (!options->fill_missing)
        return STOA_OK;
    *found = true;
    st = stoa_field_copy(out, left != NULL ? left : right, err);
    if (st == STOA_OK)
        out->nullable = true;
    return st;
}

static enum stoa_status compare_column(const struct stoa_field *left,
                                       const struct stoa_field *right,
                                       const struct stoa_join_options *options,
                                       struct stoa_schema_difference *out, struct stoa_error *err)
{
    const struct stoa_field *either = left != NULL ? left : right;
    struct stoa_schema_difference made = {
        .left_change = STOA_CHANGE_CLASH,
        .right_change = STOA_CHANGE_CLASH,
    };
    struct stoa_field merged = {0};
    bool found;
    enum stoa_status st;

    STOA_TRY(stoa_strndup(&made.name, either->name, strlen(either->name), err));
    STOA_TRY(print_column(left, &made.left, err));
    STOA_TRY(print_column(right, &made.right, err));
    STOA_TRY(join_column(left, right, options, &merged, &found, err));
    if (found) {
        STOA_TRY(print_column(&merged, &made.merged, err));
        STOA_TRY(stoa_field_change(left != NULL ? left : &merged, &merged, &made.left_change, err));
        STOA_TRY(
            stoa_field_change(right != NULL ? right : &merged, &merged, &made.right_change, err));
    }
    *out = made;
    made = (struct stoa_schema_difference){0};
out:
    difference_reset(&made);
    stoa_field_reset(&merged);
    return st;
}

/* Whether a merged column would be just what both are. */
static bool is_same(const struct stoa_schema_difference *difference)
{
    return difference->left != NULL && difference->right != NULL &&
           strcmp(difference->left, difference->right) == 0;
}

enum stoa_status stoa_schema_compare(const struct stoa_schema *left,
                                     const struct stoa_schema *right,
                                     const struct stoa_join_options *options,
                                     struct stoa_schema_difference **out, size_t *ndifferences,
                                     struct stoa_error *err)
{
    uint32_t nleft = left->nfields, nright = right->nfields, *right_of = NULL, *left_of = NULL;
    struct stoa_schema_difference *made = NULL;
    size_t n = 0;
    enum stoa_status st;

    STOA_TRY(stoa_alloc(&right_of, nleft * sizeof(right_of[0]), err));
    STOA_TRY(stoa_alloc(&left_of, nright * sizeof(left_of[0]), err));
    STOA_TRY(stoa_fields_match(right->fields, nright, left->fields, nleft, right_of, err));
    STOA_TRY(stoa_fields_match(left->fields, nleft, right->fields, nright, left_of, err));
    STOA_TRY(stoa_alloc_zeroed(&made, (size_t)nleft + nright, sizeof(made[0]), err));
    for (uint32_t i = 0; i < nleft + nright; i++) {
        const struct stoa_field *a = i < nleft ? &left->fields[i] : NULL, *b;

        if (i >= nleft && left_of[i - nleft] != UINT32_MAX)
            continue;
        if (i >= nleft)
            b = &right->fields[i - nleft];
        else
            b = right_of[i] != UINT32_MAX ? &right->fields[right_of[i]] : NULL;
        STOA_TRY(compare_column(a, b, options, &made[n], err));
        if (is_same(&made[n]))
            difference_reset(&made[n]);
        else
            n++;
    }
    *out = made;
    *ndifferences = n;
    made = NULL;
    n = 0;
out:
    stoa_schema_differences_free(made, n);
    stoa_free(right_of);
    stoa_free(left_of);
    return st;
}
