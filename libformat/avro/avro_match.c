/*
 * Resolving a writer's schema to a reader's (spec/avro.md, "Resolution").
 *
 * Each pair of types that meet has one match, found again by a table. Matches are made from a
 * list, not by going down: two schemas of types that hold themselves, in rings of different
 * lengths, meet in as many pairs as the product of these, one below the other.
 */
#include "avro/avro_match.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "avro/avro_mapping.h"
#include "avro/avro_program.h"
#include "base/error.h"
#include "base/hash.h"
#include "column/schema.h"

enum {
    MAX_PARTS = 1 << 20, /* of all matches: fields, symbols, branches and defaults */
    MAX_STEPS = 1 << 24, /* comparisons of types and their names, to choose among branches */
};

struct resolver {
    struct stoa_avro_resolution *resolution;
    uint32_t *table; /* 1 + the number of a match; 0: none. Its size is a power of two. */
    size_t table_nslots;
    uint32_t nparts;
    uint32_t nsteps;
    uint32_t budget; /* of defaults */
    struct stoa_error *err;
};

/* ---- Places ---- */

enum stoa_status stoa_avro_place_add(struct stoa_avro_places *places, uint32_t parent,
                                     const char *name, const char *other, uint32_t *at,
                                     struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(stoa_reserve(&places->items, &places->capacity, places->nitems + 1,
                          sizeof(*places->items), err));
    *at = (uint32_t)places->nitems;
    places->items[places->nitems++] = (struct stoa_avro_place){parent, name, other};
out:
    return st;
}

/* "a.b[]", of the file or of the schema. */
static void print_path(const struct stoa_avro_places *places, uint32_t place, bool other, char *out,
                       size_t nout)
{
    const char *names[64] = {NULL};
    size_t n = 0, used = 0;

    for (; place != STOA_AVRO_NO_PLACE && n < 64; place = places->items[place].parent) {
        const struct stoa_avro_place *item = &places->items[place];

        if ((other ? item->other : item->name) != NULL)
            names[n++] = other ? item->other : item->name;
    }
    out[0] = '\0';
    while (n-- > 0 && used < nout) {
        const bool dot = used > 0 && names[n][0] != '[' && names[n][0] != '{';
        const int put = snprintf(out + used, nout - used, "%s%s", dot ? "." : "", names[n]);

        used += put > 0 ? (size_t)put : 0;
    }
}

const char *stoa_avro_place_print(const struct stoa_avro_places *places, uint32_t place, char *out,
                                  size_t nout)
{
    char path[256], other[256], shown[256], shown_other[256];
    bool is_given = false; /* it is in a default: the file has nothing of it */

    for (uint32_t at = place; at != STOA_AVRO_NO_PLACE; at = places->items[at].parent)
        is_given |= places->items[at].name == NULL;

    print_path(places, place, false, path, sizeof(path));
    print_path(places, place, true, other, sizeof(other));
    stoa_quote(shown, sizeof(shown), path, strlen(path));
    stoa_quote(shown_other, sizeof(shown_other), other, strlen(other));
    if (place == STOA_AVRO_NO_PLACE)
        snprintf(out, nout, "the row");
    else if (is_given)
        snprintf(out, nout, "field %s of the schema", shown_other);
    else if (strcmp(path, other) == 0)
        snprintf(out, nout, "field %s", shown);
    else
        snprintf(out, nout, "field %s (%s in the schema)", shown, shown_other);
    return out;
}

/* ---- Which types match ---- */

/* How well two types go together: more is better. */
enum { NEVER, PROMOTED, SAME_SIMPLE_NAME, SAME, IDENTICAL };

/* By the names alone: the reader's name or one of its aliases, namespaces aside. */
static int rank_names(struct resolver *resolver, const struct stoa_avro_type *writer,
                      const struct stoa_avro_type *reader)
{
    const char *simple = stoa_avro_simple_name(writer->name);

    if (strcmp(writer->name, reader->name) == 0)
        return SAME;
    if (strcmp(simple, stoa_avro_simple_name(reader->name)) == 0)
        return SAME_SIMPLE_NAME;
    resolver->nsteps += (uint32_t)((strlen(writer->name) + strlen(reader->name)) / 64);
    for (size_t i = 0; i < reader->aliases.nitems && resolver->nsteps <= MAX_STEPS; i++) {
        resolver->nsteps += 1 + (uint32_t)(strlen(reader->aliases.items[i]) / 64);
        if (strcmp(simple, stoa_avro_simple_name(reader->aliases.items[i])) == 0)
            return SAME_SIMPLE_NAME;
    }
    return NEVER;
}

static bool is_number(enum stoa_avro_kind kind)
{
    return kind >= STOA_AVRO_INT && kind <= STOA_AVRO_DOUBLE;
}

static bool is_decimal(const struct stoa_avro_type *type)
{
    return type->logical == STOA_AVRO_DECIMAL || type->logical == STOA_AVRO_BIG_DECIMAL;
}

/* int to long to float to double; string and bytes, unless these are numbers. */
static bool is_promoted(const struct stoa_avro_type *writer, const struct stoa_avro_type *reader)
{
    if (is_number(writer->kind) && is_number(reader->kind))
        return writer->kind < reader->kind;
    return (writer->kind == STOA_AVRO_STRING || writer->kind == STOA_AVRO_BYTES) &&
           (reader->kind == STOA_AVRO_STRING || reader->kind == STOA_AVRO_BYTES) &&
           !is_decimal(writer) && !is_decimal(reader);
}

/* Whether what one says of its values is not against what the other says. */
static bool logicals_agree(const struct stoa_avro_type *writer, const struct stoa_avro_type *reader)
{
    return writer->logical == STOA_AVRO_LOGICAL_NONE || reader->logical == STOA_AVRO_LOGICAL_NONE ||
           (writer->logical == reader->logical && writer->precision == reader->precision &&
            writer->scale == reader->scale);
}

/* Of the best branch. */
static int rank_union(struct resolver *resolver, const struct stoa_avro_type *writer,
                      const struct stoa_avro_type *reader);

static int rank(struct resolver *resolver, const struct stoa_avro_type *writer,
                const struct stoa_avro_type *reader)
{
    const bool decimals = writer->logical == STOA_AVRO_DECIMAL &&
                          reader->logical == STOA_AVRO_DECIMAL &&
                          writer->precision <= STOA_MAX_PRECISION;

    if (writer == reader)
        return IDENTICAL;
    if (++resolver->nsteps > MAX_STEPS)
        return NEVER;
    if (writer->kind == STOA_AVRO_UNION || reader->kind == STOA_AVRO_UNION)
        return rank_union(resolver, writer, reader);
    if (!logicals_agree(writer, reader))
        return NEVER;
    if (decimals) /* of bytes or of any fixed */
        return writer->kind == reader->kind ? SAME : PROMOTED;
    if (writer->kind != reader->kind)
        return is_promoted(writer, reader) ? PROMOTED : NEVER;
    if (writer->kind == STOA_AVRO_ARRAY || writer->kind == STOA_AVRO_MAP)
        return rank(resolver, writer->items, reader->items);
    if (writer->kind == STOA_AVRO_FIXED && writer->size != reader->size)
        return NEVER;
    return stoa_avro_is_named(writer->kind) ? rank_names(resolver, writer, reader) : SAME;
}

static int rank_union(struct resolver *resolver, const struct stoa_avro_type *writer,
                      const struct stoa_avro_type *reader)
{
    const bool by_writer = writer->kind == STOA_AVRO_UNION;
    const struct stoa_avro_type *branches = by_writer ? writer : reader;
    int best = NEVER;

    for (size_t i = 0; i < branches->nbranches; i++)
        if (branches->branches[i] == (by_writer ? reader : writer))
            return IDENTICAL;
    for (size_t i = 0; i < branches->nbranches && resolver->nsteps <= MAX_STEPS; i++) {
        const int one = by_writer ? rank(resolver, branches->branches[i], reader)
                                  : rank(resolver, writer, branches->branches[i]);

        best = one > best ? one : best;
    }
    return best;
}

/* The branch that goes best with the writer's type, of several the first. */
static bool find_branch(struct resolver *resolver, const struct stoa_avro_type *writer,
                        const struct stoa_avro_type *reader, uint32_t *which)
{
    int best = NEVER;

    for (size_t i = 0; i < reader->nbranches; i++) {
        if (reader->branches[i] != writer)
            continue;
        *which = (uint32_t)i;
        return true;
    }
    for (size_t i = 0; i < reader->nbranches; i++) {
        const int one = rank(resolver, writer, reader->branches[i]);

        if (one <= best)
            continue;
        best = one;
        *which = (uint32_t)i;
    }
    return best > NEVER;
}

/* The same, but what the items of an array or map are is said where they are matched. */
static bool may_match(struct resolver *resolver, const struct stoa_avro_type *writer,
                      const struct stoa_avro_type *reader)
{
    const bool has_items = writer->kind == STOA_AVRO_ARRAY || writer->kind == STOA_AVRO_MAP;

    if (has_items && writer->kind == reader->kind)
        return logicals_agree(writer, reader);
    return rank(resolver, writer, reader) > NEVER;
}

/* ---- Names of fields and symbols ---- */

/* A name with where it stands; tables of them are sorted. */
struct entry {
    const char *name;
    uint32_t index;
    uint32_t ntaken; /* of the first entry of a name: how many of the name are known as taken */
};

static int compare_entries(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    const int order = strcmp(a->name, b->name);

    return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

/* The first entry of a name in a sorted table; NULL: none. */
static struct entry *find_entry(struct entry *entries, size_t nentries, const char *name)
{
    size_t begin = 0, end = nentries;

    while (begin < end) {
        const size_t middle = begin + (end - begin) / 2;

        if (strcmp(entries[middle].name, name) < 0)
            begin = middle + 1;
        else
            end = middle;
    }
    return begin < nentries && strcmp(entries[begin].name, name) == 0 ? &entries[begin] : NULL;
}

/* ---- Matches ---- */

static enum stoa_status fail(struct resolver *resolver, uint32_t place, const char *what)
{
    char field[600];

    return stoa_fail(
        resolver->err, STOA_ERR_DATA, "%s: %s",
        stoa_avro_place_print(&resolver->resolution->places, place, field, sizeof(field)), what);
}

/* `int (date)`, `decimal(9,2)`, `fixed "a.b" of 4 bytes`, into `out`. */
static const char *describe(const struct stoa_avro_type *type, char *out, size_t nout)
{
    const char *kind = stoa_avro_kind_name(type->kind);
    const char *logical = stoa_avro_logical_name(type->logical);
    char name[80];

    if (type->logical == STOA_AVRO_DECIMAL) {
        snprintf(out, nout, "decimal(%u,%u)", (unsigned)type->precision, (unsigned)type->scale);
    } else if (stoa_avro_is_named(type->kind)) {
        stoa_quote(name, sizeof(name), type->name, strlen(type->name));
        if (type->kind == STOA_AVRO_FIXED)
            snprintf(out, nout, "%s \"%s\" of %u bytes", kind, name, (unsigned)type->size);
        else
            snprintf(out, nout, "%s \"%s\"", kind, name);
    } else if (logical != NULL) {
        snprintf(out, nout, "%s (%s)", kind, logical);
    } else {
        snprintf(out, nout, "%s", kind);
    }
    return out;
}

static enum stoa_status fail_types(struct resolver *resolver, const struct stoa_avro_type *writer,
                                   const struct stoa_avro_type *reader, uint32_t place)
{
    char from[128], to[128], text[400];
    bool by_name;

    if (resolver->nsteps > MAX_STEPS)
        return stoa_fail(resolver->err, STOA_ERR_LIMIT, "the unions are too large to be compared");
    by_name = writer->kind == reader->kind && stoa_avro_is_named(writer->kind) &&
              writer->size == reader->size && logicals_agree(writer, reader) &&
              rank_names(resolver, writer, reader) == NEVER;
    snprintf(text, sizeof(text), "%s of the file can't be read as %s of the schema%s",
             describe(writer, from, sizeof(from)), describe(reader, to, sizeof(to)),
             by_name ? ": an alias there would make them match" : "");
    return fail(resolver, place, text);
}

static uint64_t hash_pair(const struct stoa_avro_type *writer, const struct stoa_avro_type *reader)
{
    const struct stoa_avro_type *const key[] = {writer, reader};

    return stoa_hash(key, sizeof(key));
}

/* Where a pair stands in the table, or would. */
static size_t find_slot(const struct resolver *resolver, const struct stoa_avro_type *writer,
                        const struct stoa_avro_type *reader)
{
    size_t slot = (size_t)hash_pair(writer, reader) & (resolver->table_nslots - 1);

    while (resolver->table[slot] != 0) {
        const struct stoa_avro_match *match =
            resolver->resolution->matches[resolver->table[slot] - 1];

        if (match->writer == writer && match->reader == reader)
            break;
        slot = (slot + 1) & (resolver->table_nslots - 1);
    }
    return slot;
}

static enum stoa_status grow_table(struct resolver *resolver)
{
    const struct stoa_avro_resolution *resolution = resolver->resolution;
    const size_t nslots = resolver->table_nslots == 0 ? 64 : 2 * resolver->table_nslots;
    uint32_t *table;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&table, nslots, sizeof(*table), resolver->err));
    stoa_free(resolver->table);
    resolver->table = table;
    resolver->table_nslots = nslots;
    for (size_t i = 0; i < resolution->nmatches; i++) {
        const struct stoa_avro_match *match = resolution->matches[i];

        table[find_slot(resolver, match->writer, match->reader)] = (uint32_t)i + 1;
    }
out:
    return st;
}

/* Takes parts of matches from what the schemas may have in all. */
static enum stoa_status count_parts(struct resolver *resolver, size_t nparts)
{
    if (nparts > MAX_PARTS - resolver->nparts)
        return stoa_fail(resolver->err, STOA_ERR_LIMIT,
                         "the schemas meet in more than %d fields, branches and symbols",
                         MAX_PARTS);
    resolver->nparts += (uint32_t)nparts;
    return STOA_OK;
}

/* The match of a pair that goes together: a known one, or one that is filled in later. */
static enum stoa_status get_match(struct resolver *resolver, const struct stoa_avro_type *writer,
                                  const struct stoa_avro_type *reader, uint32_t place,
                                  struct stoa_avro_match **out)
{
    struct stoa_avro_resolution *resolution = resolver->resolution;
    struct stoa_avro_match *match;
    size_t slot;
    enum stoa_status st = STOA_OK;

    if (resolver->table_nslots <= 2 * resolution->nmatches)
        STOA_TRY(grow_table(resolver));
    slot = find_slot(resolver, writer, reader);
    if (resolver->table[slot] != 0) {
        *out = resolution->matches[resolver->table[slot] - 1];
        return STOA_OK;
    }
    STOA_TRY(stoa_reserve(&resolution->matches, &resolution->matches_capacity,
                          resolution->nmatches + 1, sizeof(struct stoa_avro_match *),
                          resolver->err));
    STOA_TRY(stoa_alloc_zeroed(&match, 1, sizeof(*match), resolver->err));
    match->writer = writer;
    match->reader = reader;
    match->place = place;
    resolution->matches[resolution->nmatches++] = match;
    resolver->table[slot] = (uint32_t)resolution->nmatches;
    *out = match;
out:
    return st;
}

/* The match of a part below another one, unless the two do not go together. */
static enum stoa_status match_part(struct resolver *resolver, struct stoa_avro_match *match,
                                   const struct stoa_avro_type *writer,
                                   const struct stoa_avro_type *reader, const char *name,
                                   const char *other, struct stoa_avro_match **out)
{
    const bool fits = may_match(resolver, writer, reader);
    const uint32_t known = resolver->table[find_slot(resolver, writer, reader)];
    uint32_t place = match->place;
    enum stoa_status st = STOA_OK;

    if (fits && known != 0) {
        *out = resolver->resolution->matches[known - 1];
        return STOA_OK;
    }
    if (name != NULL)
        STOA_TRY(stoa_avro_place_add(&resolver->resolution->places, match->place, name, other,
                                     &place, resolver->err));
    if (!fits)
        return fail_types(resolver, writer, reader, place);
    STOA_TRY(get_match(resolver, writer, reader, place, out));
out:
    return st;
}

static enum stoa_status add_parts(struct resolver *resolver, struct stoa_avro_match *match,
                                  enum stoa_avro_action action, size_t nparts)
{
    enum stoa_status st;

    STOA_TRY(count_parts(resolver, nparts));
    match->action = action;
    match->nparts = nparts;
    STOA_TRY(
        stoa_alloc_zeroed(&match->parts, nparts, sizeof(struct stoa_avro_match *), resolver->err));
out:
    return st;
}

/* Symbols by name, or the reader's default. */
static enum stoa_status match_symbols(struct resolver *resolver, struct stoa_avro_match *match)
{
    const struct stoa_avro_names *from = &match->writer->symbols, *to = &match->reader->symbols;
    const char *given = match->reader->default_symbol;
    struct entry *entries = NULL;
    const struct entry *found;
    uint32_t none = STOA_AVRO_NO_TARGET;
    enum stoa_status st;

    if (match->writer == match->reader)
        return STOA_OK;
    STOA_TRY(count_parts(resolver, from->nitems));
    STOA_TRY(stoa_alloc_zeroed(&entries, to->nitems, sizeof(*entries), resolver->err));
    STOA_TRY(
        stoa_alloc_zeroed(&match->targets, from->nitems, sizeof(*match->targets), resolver->err));
    for (size_t i = 0; i < to->nitems; i++)
        entries[i] = (struct entry){to->items[i], (uint32_t)i, 0};
    qsort(entries, to->nitems, sizeof(*entries), compare_entries);
    found = given != NULL ? find_entry(entries, to->nitems, given) : NULL;
    if (found != NULL)
        none = found->index;
    for (size_t i = 0; i < from->nitems; i++) {
        found = find_entry(entries, to->nitems, from->items[i]);
        match->targets[i] = found != NULL ? found->index : none;
    }
out:
    stoa_free(entries);
    return st;
}

/* Gives the fields of the writer that are in the table to the reader's that have none yet. */
static void assign_fields(const struct stoa_avro_type *writer, struct entry *entries,
                          size_t nentries, bool *taken, uint32_t *targets)
{
    for (size_t i = 0; i < writer->nfields; i++) {
        const char *name = writer->fields[i].name;
        struct entry *first = find_entry(entries, nentries, name);
        const struct entry *at, *end = entries + nentries;

        if (first == NULL || targets[i] != STOA_AVRO_NO_TARGET)
            continue;
        at = first + first->ntaken;
        while (at < end && taken[at->index] && strcmp(at->name, name) == 0)
            at++;
        first->ntaken = (uint32_t)(at - first);
        if (at == end || taken[at->index] || strcmp(at->name, name) != 0)
            continue;
        targets[i] = at->index;
        taken[at->index] = true;
    }
}

/* Which of the reader's fields each of the writer's is: by name, those that are left by alias. */
static enum stoa_status find_fields(struct resolver *resolver, struct stoa_avro_match *match,
                                    bool *taken)
{
    const struct stoa_avro_type *reader = match->reader;
    struct entry *entries = NULL;
    size_t naliases = 0, n = 0;
    enum stoa_status st;

    for (size_t i = 0; i < reader->nfields; i++)
        naliases += reader->fields[i].aliases.nitems;
    STOA_TRY(
        stoa_alloc_zeroed(&entries, naliases + reader->nfields, sizeof(*entries), resolver->err));
    for (size_t i = 0; i < reader->nfields; i++)
        entries[i] = (struct entry){reader->fields[i].name, (uint32_t)i, 0};
    qsort(entries, reader->nfields, sizeof(*entries), compare_entries);
    assign_fields(match->writer, entries, reader->nfields, taken, match->targets);
    for (size_t i = 0; i < reader->nfields; i++)
        for (size_t k = 0; k < reader->fields[i].aliases.nitems; k++)
            entries[n++] = (struct entry){reader->fields[i].aliases.items[k], (uint32_t)i, 0};
    if (n > 0)
        qsort(entries, n, sizeof(*entries), compare_entries);
    assign_fields(match->writer, entries, n, taken, match->targets);
out:
    stoa_free(entries);
    return st;
}

/* A field that the writer does not have gets its default. */
static enum stoa_status add_default(struct resolver *resolver, struct stoa_avro_match *match,
                                    uint32_t index)
{
    const struct stoa_avro_field *field = &match->reader->fields[index];
    struct stoa_buffer data = {0};
    struct stoa_avro_default added = {.field = index};
    struct stoa_avro_match *same;
    char shown[600];
    uint32_t place;
    enum stoa_status st;

    STOA_TRY(count_parts(resolver, 1));
    STOA_TRY(stoa_avro_place_add(&resolver->resolution->places, match->place, NULL, field->name,
                                 &place, resolver->err));
    if (field->default_json == NULL) {
        st = fail(resolver, place, "the file has no such field, and there is no default");
        goto out;
    }
    st = stoa_avro_default_encode(field, &resolver->budget, &data, resolver->err);
    if (st != STOA_OK) {
        st = stoa_wrap(
            resolver->err, st, "%s",
            stoa_avro_place_print(&resolver->resolution->places, place, shown, sizeof(shown)));
        goto out;
    }
    added.nbytes = data.nbytes;
    STOA_TRY(stoa_buffer_append_zeros(&data, STOA_AVRO_PADDING, resolver->err));
    STOA_TRY(get_match(resolver, field->type, field->type, place, &same));
    STOA_TRY(stoa_reserve(&match->defaults, &match->defaults_capacity, match->ndefaults + 1,
                          sizeof(*match->defaults), resolver->err));
    added.match = same;
    added.data = data.data;
    match->defaults[match->ndefaults++] = added;
    data = (struct stoa_buffer){0};
out:
    stoa_buffer_free(&data);
    return st;
}

static enum stoa_status match_record(struct resolver *resolver, struct stoa_avro_match *match)
{
    const struct stoa_avro_type *writer = match->writer, *reader = match->reader;
    bool *taken = NULL;
    enum stoa_status st;

    STOA_TRY(add_parts(resolver, match, STOA_AVRO_MATCH_RECORD, writer->nfields));
    STOA_TRY(stoa_alloc_zeroed(&match->targets, writer->nfields, sizeof(*match->targets),
                               resolver->err));
    STOA_TRY(stoa_alloc_zeroed(&taken, reader->nfields, sizeof(*taken), resolver->err));
    for (uint32_t i = 0; i < writer->nfields; i++)
        match->targets[i] = writer == reader ? i : STOA_AVRO_NO_TARGET;
    if (writer != reader)
        STOA_TRY(find_fields(resolver, match, taken));
    for (size_t i = 0; i < writer->nfields; i++) {
        const struct stoa_avro_field *from = &writer->fields[i];
        const uint32_t target = match->targets[i];

        if (target != STOA_AVRO_NO_TARGET)
            STOA_TRY(match_part(resolver, match, from->type, reader->fields[target].type,
                                from->name, reader->fields[target].name, &match->parts[i]));
    }
    for (uint32_t i = 0; writer != reader && i < reader->nfields; i++)
        if (!taken[i])
            STOA_TRY(add_default(resolver, match, i));
out:
    stoa_free(taken);
    return st;
}

/* Each branch of the writer's with all of what the reader has. */
static enum stoa_status match_branches(struct resolver *resolver, struct stoa_avro_match *match)
{
    const struct stoa_avro_type *writer = match->writer, *reader = match->reader;
    enum stoa_status st;

    STOA_TRY(add_parts(resolver, match, STOA_AVRO_MATCH_BRANCHES, writer->nbranches));
    for (size_t i = 0; i < writer->nbranches; i++)
        if (rank(resolver, writer->branches[i], reader) > NEVER)
            STOA_TRY(
                get_match(resolver, writer->branches[i], reader, match->place, &match->parts[i]));
    if (resolver->nsteps > MAX_STEPS)
        st = fail_types(resolver, writer, reader, match->place);
out:
    return st;
}

/* One branch of the reader's. */
static enum stoa_status match_branch(struct resolver *resolver, struct stoa_avro_match *match)
{
    const struct stoa_avro_type *reader = match->reader;
    enum stoa_status st;

    STOA_TRY(add_parts(resolver, match, STOA_AVRO_MATCH_BRANCH, 1));
    if (!find_branch(resolver, match->writer, reader, &match->which))
        return fail_types(resolver, match->writer, reader, match->place);
    STOA_TRY(match_part(resolver, match, match->writer, reader->branches[match->which], NULL, NULL,
                        &match->parts[0]));
out:
    return st;
}

static enum stoa_status fill_match(struct resolver *resolver, struct stoa_avro_match *match)
{
    const struct stoa_avro_type *writer = match->writer, *reader = match->reader;
    const char *name = writer->kind == STOA_AVRO_MAP ? "{}" : "[]";
    enum stoa_status st = STOA_OK;

    if (writer->kind == STOA_AVRO_UNION)
        return match_branches(resolver, match);
    if (reader->kind == STOA_AVRO_UNION)
        return match_branch(resolver, match);
    switch (writer->kind) {
    case STOA_AVRO_RECORD:
        return match_record(resolver, match);
    case STOA_AVRO_ENUM:
        return match_symbols(resolver, match);
    case STOA_AVRO_ARRAY:
    case STOA_AVRO_MAP:
        STOA_TRY(add_parts(resolver, match, STOA_AVRO_MATCH_ITEMS, 1));
        STOA_TRY(match_part(resolver, match, writer->items, reader->items, name, name,
                            &match->parts[0]));
        return STOA_OK;
    default:
        return STOA_OK;
    }
out:
    return st;
}

enum stoa_status stoa_avro_resolve(struct stoa_avro_resolution *resolution,
                                   const struct stoa_avro_schema *writer,
                                   const struct stoa_avro_schema *reader, struct stoa_error *err)
{
    struct stoa_avro_resolution made = {0};
    struct resolver resolver = {
        .resolution = &made, .budget = STOA_AVRO_MAX_DEFAULT_NBYTES, .err = err};
    const struct stoa_avro_type *from = writer->root, *to = reader->root;
    uint32_t place = STOA_AVRO_NO_PLACE;
    enum stoa_status st = STOA_OK;

    if (to->kind != STOA_AVRO_RECORD)
        STOA_TRY(stoa_avro_place_add(&made.places, place, "value", "value", &place, err));
    /* What a whole file is called is of no matter. */
    if ((from->kind != STOA_AVRO_RECORD || to->kind != STOA_AVRO_RECORD) &&
        !may_match(&resolver, from, to))
        STOA_TRY(fail_types(&resolver, from, to, place));
    STOA_TRY(get_match(&resolver, from, to, place, &made.root));
    for (size_t i = 0; i < made.nmatches; i++)
        STOA_TRY(fill_match(&resolver, made.matches[i]));
    *resolution = made;
    made = (struct stoa_avro_resolution){0};
out:
    stoa_avro_resolution_reset(&made);
    stoa_free(resolver.table);
    return st;
}

void stoa_avro_resolution_reset(struct stoa_avro_resolution *resolution)
{
    for (size_t i = 0; i < resolution->nmatches; i++) {
        struct stoa_avro_match *match = resolution->matches[i];

        for (size_t k = 0; k < match->ndefaults; k++)
            stoa_free((uint8_t *)match->defaults[k].data);
        stoa_free(match->defaults);
        stoa_free(match->parts);
        stoa_free(match->targets);
        stoa_free(match);
    }
    stoa_free(resolution->matches);
    stoa_free(resolution->places.items);
    *resolution = (struct stoa_avro_resolution){0};
}
