/*
 * The text form of types, both ways (schemas/stoa-schema.schema.json):
 *
 *   type    = name [ "(" params ")" ] | "list<" child ">" | "fixed_list<" child "," number ">"
 *           | "struct<" [ word ":" child { "," word ":" child } ] ">" | "map<" child "," child ">"
 *   child   = type [ " not null" ]
 *   word    = letters, digits, "_", "-", ".", "/", "+", bytes above 0x7f | '"' any '"'
 *
 * Words name symbols and fields; inside quotes a quote is written twice. Spaces may stand between
 * the parts when reading and are not printed, but for the one in front of "not null".
 */
#include "column/type.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "column/nearest.h"

struct parser {
    const char *text;
    size_t at;
    struct stoa_error *err;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_word_char(char c)
{
    return is_lower(c) || (c >= 'A' && c <= 'Z') || is_digit(c) || (unsigned char)c >= 0x80 ||
           (c != '\0' && strchr("_-./+", c) != NULL);
}

/* The error "type "TEXT": WHAT" at character `at`. */
static enum stoa_status wrong(struct parser *p, size_t at, const char *what)
{
    char shown[128];

    return stoa_fail_at(p->err, STOA_ERR_USAGE, at, "type \"%s\": %s",
                        stoa_quote(shown, sizeof(shown), p->text, strlen(p->text)), what);
}

static void skip_spaces(struct parser *p)
{
    while (p->text[p->at] == ' ')
        p->at++;
}

static bool take(struct parser *p, char c)
{
    skip_spaces(p);
    if (p->text[p->at] != c)
        return false;
    p->at++;
    return true;
}

static enum stoa_status expect(struct parser *p, char c, const char *where)
{
    char what[64];

    if (take(p, c))
        return STOA_OK;
    snprintf(what, sizeof(what), "expected \"%c\" %s", c, where);
    return wrong(p, p->at, what);
}

static enum stoa_status parse_number(struct parser *p, uint32_t *out, const char *what)
{
    uint64_t number = 0;
    size_t begin;

    skip_spaces(p);
    begin = p->at;
    while (is_digit(p->text[p->at])) {
        number = number * 10 + (uint64_t)(p->text[p->at++] - '0');
        if (number > UINT32_MAX)
            return wrong(p, begin, "the number is too large");
    }
    if (p->at == begin)
        return wrong(p, begin, what);
    *out = (uint32_t)number;
    return STOA_OK;
}

/* Text in quotes, the opening one at p->at. */
static enum stoa_status parse_quoted(struct parser *p, char **out)
{
    struct stoa_buffer word = {0};
    size_t begin = p->at++;
    enum stoa_status st = STOA_OK;

    for (;;) {
        if (p->text[p->at] == '\0') {
            st = wrong(p, begin, "the quote is not closed");
            goto out;
        }
        if (p->text[p->at] == '"' && p->text[++p->at] != '"')
            break;
        STOA_TRY(stoa_buffer_append(&word, &p->text[p->at++], 1, p->err));
    }
    STOA_TRY(stoa_buffer_append_zeros(&word, 1, p->err));
    *out = (char *)word.data;
    word = (struct stoa_buffer){0};
out:
    stoa_buffer_free(&word);
    return st;
}

static enum stoa_status parse_word(struct parser *p, char **out, const char *what)
{
    size_t begin;

    skip_spaces(p);
    if (p->text[p->at] == '"')
        return parse_quoted(p, out);
    begin = p->at;
    while (is_word_char(p->text[p->at]))
        p->at++;
    if (p->at == begin)
        return wrong(p, begin, what);
    return stoa_strndup(out, p->text + begin, p->at - begin, p->err);
}

static enum stoa_status parse_unit(struct parser *p, enum stoa_time_unit *out)
{
    size_t begin;

    skip_spaces(p);
    begin = p->at;
    while (is_lower(p->text[p->at]))
        p->at++;
    for (enum stoa_time_unit unit = STOA_SECOND; unit <= STOA_NANO; unit++) {
        const char *name = stoa_time_unit_name(unit);

        if (strlen(name) == p->at - begin && memcmp(name, p->text + begin, strlen(name)) == 0) {
            *out = unit;
            return STOA_OK;
        }
    }
    return wrong(p, begin, "the unit is one of s, ms, us, ns");
}

static enum stoa_status parse_decimal(struct parser *p, struct stoa_type *type)
{
    uint32_t precision, scale = 0;
    size_t scale_at, precision_at;
    enum stoa_status st;

    skip_spaces(p);
    precision_at = p->at;
    STOA_TRY(parse_number(p, &precision, "expected the precision"));
    STOA_TRY(expect(p, ',', "and the scale"));
    skip_spaces(p);
    scale_at = p->at;
    STOA_TRY(parse_number(p, &scale, "expected the scale"));
    if (precision < 1 || precision > STOA_MAX_PRECISION)
        return wrong(p, precision_at, "the precision of a decimal is 1 to 76");
    if (scale > precision)
        return wrong(p, scale_at, "the scale of a decimal is 0 to its precision");
    type->precision = (uint8_t)precision;
    type->scale = (uint8_t)scale;
out:
    return st;
}

/* The zone ends where the parenthesis closes; which characters it may have is checked later. */
static enum stoa_status parse_zone(struct parser *p, char **out)
{
    size_t begin, nbytes;

    skip_spaces(p);
    begin = p->at;
    nbytes = strcspn(p->text + begin, ") ");
    p->at += nbytes;
    return stoa_strndup(out, p->text + begin, nbytes, p->err);
}

/* Doubles the list by the powers of two: nsymbols tells its capacity. */
static enum stoa_status parse_symbols(struct parser *p, struct stoa_type *type)
{
    enum stoa_status st = STOA_OK;

    do {
        size_t capacity = type->nsymbols;

        if (capacity == STOA_MAX_SYMBOLS)
            return wrong(p, p->at, "an enum has at most 65536 symbols");
        if ((capacity & (capacity - 1)) == 0)
            STOA_TRY(stoa_realloc(&type->symbols, capacity == 0 ? 1 : 2 * capacity,
                                  sizeof(type->symbols[0]), p->err));
        STOA_TRY(parse_word(p, &type->symbols[type->nsymbols], "expected a symbol"));
        type->nsymbols++;
    } while (take(p, ','));
out:
    return st;
}

/* What stands between the parentheses of a type without children. */
static enum stoa_status parse_params(struct parser *p, enum stoa_type_params params,
                                     struct stoa_type *type)
{
    enum stoa_status st = STOA_OK;

    switch (params) {
    case STOA_PARAMS_DECIMAL:
        return parse_decimal(p, type);
    case STOA_PARAMS_UNIT:
        return parse_unit(p, &type->unit);
    case STOA_PARAMS_ZONE:
        STOA_TRY(parse_unit(p, &type->unit));
        if (take(p, ','))
            st = parse_zone(p, &type->zone);
        break;
    case STOA_PARAMS_WIDTH:
        return parse_number(p, &type->width, "expected the number of bytes");
    default:
        return parse_symbols(p, type);
    }
out:
    return st;
}

static const char *type_name_at(const void *context, size_t i)
{
    const struct stoa_type_info *info = stoa_type_info((enum stoa_type_id)i);

    (void)context;
    return info != NULL ? info->name : "";
}

/* Reads the name of a type into type->id. */
static enum stoa_status parse_name(struct parser *p, struct stoa_type *type)
{
    char name[32], what[96];
    size_t begin, nbytes, nearest;

    skip_spaces(p);
    begin = p->at;
    while (is_lower(p->text[p->at]) || is_digit(p->text[p->at]) || p->text[p->at] == '_')
        p->at++;
    nbytes = p->at - begin;
    if (nbytes == 0)
        return wrong(p, begin, "expected the name of a type");
    snprintf(name, sizeof(name), "%.*s", (int)(nbytes < 32 ? nbytes : 31), p->text + begin);
    for (int id = STOA_NULL; id <= STOA_MAP; id++)
        if (strcmp(name, stoa_type_info((enum stoa_type_id)id)->name) == 0) {
            type->id = (enum stoa_type_id)id;
            return STOA_OK;
        }
    nearest = stoa_nearest(name, STOA_MAP + 1, type_name_at, NULL);
    if (nearest <= STOA_MAP)
        snprintf(what, sizeof(what), "there is no type %s; did you mean %s?", name,
                 type_name_at(NULL, nearest));
    else
        snprintf(what, sizeof(what), "there is no type %s", name);
    return wrong(p, begin, what);
}

static enum stoa_status parse_type(struct parser *p, struct stoa_field *field, unsigned depth);

/* A child's type with what may follow it; `name` is copied, or NULL when it is there already. */
static enum stoa_status parse_child(struct parser *p, struct stoa_field *child, const char *name,
                                    unsigned depth)
{
    enum stoa_status st;

    if (name != NULL)
        STOA_TRY(stoa_strndup(&child->name, name, strlen(name), p->err));
    STOA_TRY(parse_type(p, child, depth));
    skip_spaces(p);
    child->nullable = strncmp(p->text + p->at, "not null", 8) != 0;
    if (!child->nullable)
        p->at += 8;
out:
    return st;
}

static enum stoa_status alloc_children(struct parser *p, struct stoa_field *field, uint32_t n)
{
    enum stoa_status st =
        stoa_alloc_zeroed(&field->children, n, sizeof(field->children[0]), p->err);

    if (st == STOA_OK)
        field->nchildren = n;
    return st;
}

static enum stoa_status parse_list(struct parser *p, struct stoa_field *field, unsigned depth)
{
    size_t at;
    enum stoa_status st;

    STOA_TRY(alloc_children(p, field, 1));
    STOA_TRY(parse_child(p, &field->children[0], "item", depth));
    if (field->type.id == STOA_FIXED_LIST) {
        STOA_TRY(expect(p, ',', "and the number of values"));
        skip_spaces(p);
        at = p->at;
        STOA_TRY(parse_number(p, &field->type.width, "expected the number of values"));
        if (field->type.width < 1 || field->type.width > STOA_MAX_FIXED_WIDTH)
            return wrong(p, at, "a fixed_list holds 1 to 65535 values");
    }
out:
    return st;
}

static enum stoa_status parse_map(struct parser *p, struct stoa_field *field, unsigned depth)
{
    struct stoa_field *entries;
    enum stoa_status st;

    STOA_TRY(alloc_children(p, field, 1));
    entries = &field->children[0];
    entries->type.id = STOA_STRUCT; /* and nullable false: a map has no entry that is null */
    STOA_TRY(stoa_strndup(&entries->name, "entries", strlen("entries"), p->err));
    STOA_TRY(alloc_children(p, entries, 2));
    STOA_TRY(parse_child(p, &entries->children[0], "key", depth + 1));
    entries->children[0].nullable = false;
    STOA_TRY(expect(p, ',', "and the type of the values"));
    STOA_TRY(parse_child(p, &entries->children[1], "value", depth + 1));
out:
    return st;
}

static enum stoa_status check_child_name(struct parser *p, const char *name, size_t at)
{
    size_t nbytes = strlen(name);

    if (nbytes > STOA_MAX_NAME_NBYTES)
        return wrong(p, at, "the name is longer than 65535 bytes");
    if (stoa_utf8_valid_prefix((const uint8_t *)name, nbytes) != nbytes)
        return wrong(p, at, "the name is not UTF-8");
    return STOA_OK;
}

/* The fields of a struct while they are read, and where the name of each stands. */
struct members {
    struct stoa_field *fields;
    size_t nfields;
    size_t fields_capacity;
    size_t *places;
    size_t places_capacity;
};

static enum stoa_status parse_member(struct parser *p, struct members *members, unsigned depth)
{
    size_t n = members->nfields;
    struct stoa_field *field;
    enum stoa_status st;

    if (n == STOA_MAX_NODES)
        return wrong(p, p->at, "a struct has at most 1048576 fields");
    STOA_TRY(stoa_reserve(&members->fields, &members->fields_capacity, n + 1,
                          sizeof(members->fields[0]), p->err));
    STOA_TRY(stoa_reserve(&members->places, &members->places_capacity, n + 1,
                          sizeof(members->places[0]), p->err));
    field = &members->fields[members->nfields++];
    *field = (struct stoa_field){0};
    skip_spaces(p);
    members->places[n] = p->at;
    STOA_TRY(parse_word(p, &field->name, "expected the name of a field"));
    STOA_TRY(check_child_name(p, field->name, members->places[n]));
    STOA_TRY(expect(p, ':', "and the type of the field"));
    STOA_TRY(parse_child(p, field, NULL, depth));
out:
    return st;
}

struct member_name {
    const char *name;
    size_t place;
};

/* By name, and by place where names are equal. */
static int compare_member_names(const void *a, const void *b)
{
    const struct member_name *x = a, *y = b;
    int order = strcmp(x->name, y->name);

    if (order != 0)
        return order;
    return x->place < y->place ? -1 : x->place > y->place;
}

static enum stoa_status check_names_differ(struct parser *p, const struct members *members)
{
    struct member_name *names;
    size_t taken = SIZE_MAX;
    enum stoa_status st;

    st = stoa_alloc_zeroed(&names, members->nfields, sizeof(names[0]), p->err);
    if (st != STOA_OK)
        return st;
    for (size_t i = 0; i < members->nfields; i++)
        names[i] = (struct member_name){members->fields[i].name, members->places[i]};
    qsort(names, members->nfields, sizeof(names[0]), compare_member_names);
    for (size_t i = 1; i < members->nfields; i++)
        if (strcmp(names[i - 1].name, names[i].name) == 0 && names[i].place < taken)
            taken = names[i].place;
    stoa_free(names);
    return taken == SIZE_MAX ? STOA_OK : wrong(p, taken, "the name is taken");
}

static enum stoa_status parse_struct(struct parser *p, struct stoa_field *field, unsigned depth)
{
    struct members members = {0};
    enum stoa_status st = STOA_OK;

    skip_spaces(p);
    if (p->text[p->at] == '>')
        return STOA_OK;
    do
        STOA_TRY(parse_member(p, &members, depth));
    while (take(p, ','));
    STOA_TRY(check_names_differ(p, &members));
out:
    /* Also what was read before a failure belongs to the field, which the caller resets. */
    field->children = members.fields;
    field->nchildren = (uint32_t)members.nfields;
    stoa_free(members.places);
    return st;
}

static enum stoa_status parse_children(struct parser *p, struct stoa_field *field,
                                       enum stoa_type_params params, unsigned depth)
{
    if (params == STOA_PARAMS_STRUCT)
        return parse_struct(p, field, depth);
    if (params == STOA_PARAMS_MAP)
        return parse_map(p, field, depth);
    return parse_list(p, field, depth);
}

static enum stoa_status parse_type(struct parser *p, struct stoa_field *field, unsigned depth)
{
    const struct stoa_type_info *info;
    bool nested;
    size_t begin, params_at;
    char what[96];
    enum stoa_status st;

    skip_spaces(p);
    begin = p->at;
    if (depth > STOA_MAX_FIELD_DEPTH)
        return wrong(p, begin, "types are nested more than 32 deep");
    STOA_TRY(parse_name(p, &field->type));
    info = stoa_type_info(field->type.id);
    if (info->params == STOA_PARAMS_NONE)
        return STOA_OK;
    nested = info->params >= STOA_PARAMS_LIST;
    if (!take(p, nested ? '<' : '(')) {
        snprintf(what, sizeof(what), "%s needs more: %s", info->name, info->example);
        return wrong(p, p->at, what);
    }
    skip_spaces(p);
    params_at = p->at;
    if (nested)
        STOA_TRY(parse_children(p, field, info->params, depth + 1));
    else
        STOA_TRY(parse_params(p, info->params, &field->type));
    STOA_TRY(expect(p, nested ? '>' : ')', "at the end of the type"));
    st = stoa_type_check(&field->type, p->err);
    if (st == STOA_ERR_USAGE) {
        char shown[128];

        if (p->err != NULL)
            p->err->offset = params_at;
        st = stoa_wrap(p->err, st, "type \"%s\"",
                       stoa_quote(shown, sizeof(shown), p->text, strlen(p->text)));
    }
out:
    return st;
}

enum stoa_status stoa_field_parse_type(struct stoa_field *field, const char *text,
                                       struct stoa_error *err)
{
    struct parser p = {.text = text, .err = err};
    struct stoa_field parsed = {0};
    enum stoa_status st;

    STOA_TRY(parse_type(&p, &parsed, 1));
    skip_spaces(&p);
    if (text[p.at] != '\0') {
        st = wrong(&p, p.at, "there is more after the end of the type");
        goto out;
    }
    field->type = parsed.type;
    field->children = parsed.children;
    field->nchildren = parsed.nchildren;
    parsed = (struct stoa_field){0};
out:
    stoa_field_reset(&parsed);
    return st;
}

enum stoa_status stoa_field_parse(const char *name, const char *type, bool nullable,
                                  struct stoa_field *out, struct stoa_error *err)
{
    struct stoa_field field = {.nullable = nullable};
    enum stoa_status st;

    *out = (struct stoa_field){0};
    STOA_TRY(stoa_strndup(&field.name, name, strlen(name), err));
    STOA_TRY(stoa_field_parse_type(&field, type, err));
    *out = field;
    field = (struct stoa_field){0};
out:
    stoa_field_reset(&field);
    return st;
}

enum stoa_status stoa_type_parse(const char *text, struct stoa_type *out, struct stoa_error *err)
{
    struct parser p = {.text = text, .err = err};
    struct stoa_field parsed = {0};
    enum stoa_status st;

    STOA_TRY(stoa_field_parse_type(&parsed, text, err));
    if (stoa_type_info(parsed.type.id)->params >= STOA_PARAMS_LIST) {
        st = wrong(&p, 0, "a type without children is needed here");
        goto out;
    }
    *out = parsed.type;
    parsed.type = (struct stoa_type){0};
out:
    stoa_field_reset(&parsed);
    return st;
}

static enum stoa_status print_text(struct stoa_buffer *out, const char *text,
                                   struct stoa_error *err)
{
    return stoa_buffer_append(out, text, strlen(text), err);
}

static enum stoa_status print_word(struct stoa_buffer *out, const char *word,
                                   struct stoa_error *err)
{
    size_t nbytes = 0;
    enum stoa_status st;

    while (is_word_char(word[nbytes]))
        nbytes++;
    if (nbytes > 0 && word[nbytes] == '\0')
        return stoa_buffer_append(out, word, nbytes, err);
    STOA_TRY(print_text(out, "\"", err));
    for (; *word != '\0'; word++)
        STOA_TRY(stoa_buffer_append(out, *word == '"' ? "\"\"" : word, *word == '"' ? 2 : 1, err));
    STOA_TRY(print_text(out, "\"", err));
out:
    return st;
}

static enum stoa_status print_params(struct stoa_buffer *out, const struct stoa_type *type,
                                     enum stoa_type_params params, struct stoa_error *err)
{
    const char *unit = stoa_time_unit_name(type->unit);
    char text[STOA_MAX_ZONE_NBYTES + 16] = "(";
    enum stoa_status st;

    if (params == STOA_PARAMS_DECIMAL)
        snprintf(text, sizeof(text), "(%u,%u", type->precision, type->scale);
    else if (params == STOA_PARAMS_WIDTH)
        snprintf(text, sizeof(text), "(%" PRIu32, type->width);
    else if (type->zone != NULL)
        snprintf(text, sizeof(text), "(%s,%s", unit, type->zone);
    else if (params != STOA_PARAMS_SYMBOLS)
        snprintf(text, sizeof(text), "(%s", unit);
    STOA_TRY(print_text(out, text, err));
    for (uint32_t i = 0; i < type->nsymbols; i++) {
        if (i > 0)
            STOA_TRY(print_text(out, ",", err));
        STOA_TRY(print_word(out, type->symbols[i], err));
    }
    STOA_TRY(print_text(out, ")", err));
out:
    return st;
}

static enum stoa_status print_children(struct stoa_buffer *out, const struct stoa_field *field,
                                       enum stoa_type_params params, struct stoa_error *err)
{
    /* A map's text shows the two parts of its entries. */
    const struct stoa_field *parent = params == STOA_PARAMS_MAP ? &field->children[0] : field;
    char width[16];
    enum stoa_status st;

    STOA_TRY(print_text(out, "<", err));
    for (uint32_t i = 0; i < parent->nchildren; i++) {
        const struct stoa_field *child = &parent->children[i];
        bool is_key = params == STOA_PARAMS_MAP && i == 0;

        if (i > 0)
            STOA_TRY(print_text(out, ",", err));
        if (params == STOA_PARAMS_STRUCT) {
            STOA_TRY(print_word(out, child->name, err));
            STOA_TRY(print_text(out, ":", err));
        }
        STOA_TRY(stoa_field_print_type(out, child, err));
        if (!child->nullable && !is_key)
            STOA_TRY(print_text(out, " not null", err));
    }
    if (params == STOA_PARAMS_FIXED_LIST) {
        snprintf(width, sizeof(width), ",%" PRIu32, field->type.width);
        STOA_TRY(print_text(out, width, err));
    }
    STOA_TRY(print_text(out, ">", err));
out:
    return st;
}

enum stoa_status stoa_field_print_type(struct stoa_buffer *out, const struct stoa_field *field,
                                       struct stoa_error *err)
{
    const struct stoa_type_info *info = stoa_type_info(field->type.id);
    enum stoa_status st = print_text(out, info->name, err);

    if (st != STOA_OK || info->params == STOA_PARAMS_NONE)
        return st;
    if (info->params >= STOA_PARAMS_LIST)
        return print_children(out, field, info->params, err);
    return print_params(out, &field->type, info->params, err);
}

enum stoa_status stoa_type_print(const struct stoa_field *field, char **out, struct stoa_error *err)
{
    struct stoa_buffer text = {0};
    enum stoa_status st;

    STOA_TRY(stoa_field_print_type(&text, field, err));
    STOA_TRY(stoa_buffer_append_zeros(&text, 1, err));
    *out = (char *)text.data;
    text = (struct stoa_buffer){0};
out:
    stoa_buffer_free(&text);
    return st;
}
