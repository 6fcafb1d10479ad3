/*
 * Predicates as text, in one style: lower-case words, a blank between them, parentheses only where
 * the tree needs them. The parser reads it back into the same tree (docs/predicates.md).
 */
#include "stats/filter_print.h"

#include <string.h>

#include "base/error.h"

static enum stoa_status put(struct stoa_buffer *out, const char *text, struct stoa_error *err)
{
    return stoa_buffer_append(out, text, strlen(text), err);
}

/* `text` between two `quote`s, which are doubled inside. */
static enum stoa_status put_quoted(struct stoa_buffer *out, char quote, const char *text,
                                   size_t nbytes, struct stoa_error *err)
{
    enum stoa_status st = stoa_buffer_append(out, &quote, 1, err);

    for (size_t i = 0; st == STOA_OK && i < nbytes; i++) {
        if (text[i] == quote)
            st = stoa_buffer_append(out, &quote, 1, err);
        if (st == STOA_OK)
            st = stoa_buffer_append(out, &text[i], 1, err);
    }
    return st == STOA_OK ? stoa_buffer_append(out, &quote, 1, err) : st;
}

static bool is_plain_word(const char *name)
{
    size_t nbytes = strlen(name);

    for (size_t i = 0; i < nbytes; i++) {
        char c = name[i], lower = (char)(c | 0x20);
        bool is_letter = c == '_' || (lower >= 'a' && lower <= 'z');

        if (!is_letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return nbytes > 0 && !stoa_filter_is_keyword(name, nbytes);
}

enum stoa_status stoa_filter_path_print(struct stoa_buffer *out, char *const *names, size_t nnames,
                                        struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (size_t i = 0; st == STOA_OK && i < nnames; i++) {
        if (i > 0)
            st = put(out, ".", err);
        if (st == STOA_OK)
            st = is_plain_word(names[i]) ? put(out, names[i], err)
                                         : put_quoted(out, '"', names[i], strlen(names[i]), err);
    }
    return st;
}

static enum stoa_status put_bytes(struct stoa_buffer *out, const struct stoa_filter_value *value,
                                  struct stoa_error *err)
{
    static const char digits[] = "0123456789abcdef";
    enum stoa_status st = put(out, "x'", err);

    for (size_t i = 0; st == STOA_OK && i < value->nbytes; i++) {
        uint8_t byte = (uint8_t)value->bytes[i];
        char pair[2] = {digits[byte >> 4], digits[byte & 15]};

        st = stoa_buffer_append(out, pair, 2, err);
    }
    return st == STOA_OK ? put(out, "'", err) : st;
}

enum stoa_status stoa_filter_value_print(struct stoa_buffer *out,
                                         const struct stoa_filter_value *value,
                                         struct stoa_error *err)
{
    if (value->kind == STOA_LITERAL_TEXT)
        return put_quoted(out, '\'', value->bytes, value->nbytes, err);
    if (value->kind == STOA_LITERAL_BYTES)
        return put_bytes(out, value, err);
    return stoa_buffer_append(out, value->bytes, value->nbytes, err);
}

/* Values with a word between any two. */
static enum stoa_status put_values(struct stoa_buffer *out, const struct stoa_filter *term,
                                   const char *between, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (size_t i = 0; st == STOA_OK && i < term->nvalues; i++) {
        if (i > 0)
            st = put(out, between, err);
        if (st == STOA_OK)
            st = stoa_filter_value_print(out, &term->values[i], err);
    }
    return st;
}

static enum stoa_status put_escape(struct stoa_buffer *out, uint32_t escape, struct stoa_error *err)
{
    char text[4];
    enum stoa_status st;

    if (escape == 0)
        return STOA_OK;
    st = put(out, " escape ", err);
    return st == STOA_OK ? put_quoted(out, '\'', text, stoa_filter_put_utf8(escape, text), err)
                         : st;
}

/* Terms that have a negative form of their own: "not in", "is not null". */
static bool has_negative_form(const struct stoa_filter *filter)
{
    return filter->op > STOA_FILTER_COMPARE;
}

enum stoa_status stoa_filter_term_print(struct stoa_buffer *out, const struct stoa_filter *term,
                                        bool negative, struct stoa_error *err)
{
    static const struct {
        const char *positive, *negative, *between, *end;
    } words[] = {
        [STOA_FILTER_COMPARE] = {NULL, NULL, "", ""},
        [STOA_FILTER_BETWEEN] = {" between ", " not between ", " and ", ""},
        [STOA_FILTER_IN] = {" in (", " not in (", ", ", ")"},
        [STOA_FILTER_LIKE] = {" like ", " not like ", "", ""},
        [STOA_FILTER_IS_NULL] = {" is null", " is not null", "", ""},
        [STOA_FILTER_IS_NAN] = {" is nan", " is not nan", "", ""},
    };
    enum stoa_status st;

    if (negative && !has_negative_form(term))
        STOA_TRY(put(out, "not ", err));
    STOA_TRY(stoa_filter_path_print(out, term->path.names, term->path.nnames, err));
    if (term->op == STOA_FILTER_COMPARE) {
        STOA_TRY(put(out, " ", err));
        STOA_TRY(put(out, stoa_compare_text[term->compare], err));
        STOA_TRY(put(out, " ", err));
    } else {
        STOA_TRY(put(out, negative ? words[term->op].negative : words[term->op].positive, err));
    }
    STOA_TRY(put_values(out, term, words[term->op].between, err));
    STOA_TRY(put_escape(out, term->escape, err));
    STOA_TRY(put(out, words[term->op].end, err));
out:
    return st;
}

static enum stoa_status put_tree(struct stoa_buffer *out, const struct stoa_filter *filter,
                                 struct stoa_error *err);

/* An operand in parentheses if it binds less than the operator it stands under, or the same. */
static enum stoa_status put_operand(struct stoa_buffer *out, const struct stoa_filter *operand,
                                    enum stoa_filter_op under, struct stoa_error *err)
{
    bool enclose = operand->op == STOA_FILTER_OR ||
                   (operand->op == STOA_FILTER_AND && under != STOA_FILTER_OR);
    enum stoa_status st;

    if (enclose)
        STOA_TRY(put(out, "(", err));
    STOA_TRY(put_tree(out, operand, err));
    if (enclose)
        STOA_TRY(put(out, ")", err));
out:
    return st;
}

static enum stoa_status put_tree(struct stoa_buffer *out, const struct stoa_filter *filter,
                                 struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    if (filter->op == STOA_FILTER_NOT) {
        const struct stoa_filter *operand = filter->operands[0];

        if (has_negative_form(operand))
            return stoa_filter_term_print(out, operand, true, err);
        st = put(out, "not ", err);
        return st == STOA_OK ? put_operand(out, operand, STOA_FILTER_NOT, err) : st;
    }
    if (filter->noperands == 0)
        return stoa_filter_term_print(out, filter, false, err);
    for (size_t i = 0; st == STOA_OK && i < filter->noperands; i++) {
        if (i > 0)
            st = put(out, filter->op == STOA_FILTER_AND ? " and " : " or ", err);
        if (st == STOA_OK)
            st = put_operand(out, filter->operands[i], filter->op, err);
    }
    return st;
}

enum stoa_status stoa_filter_print(const struct stoa_filter *filter, char **out,
                                   struct stoa_error *err)
{
    struct stoa_buffer text = {0};
    enum stoa_status st;

    STOA_TRY(put_tree(&text, filter, err));
    STOA_TRY(stoa_buffer_append(&text, "", 1, err));
    *out = (char *)text.data;
    text = (struct stoa_buffer){0};
out:
    stoa_buffer_free(&text);
    return st;
}
