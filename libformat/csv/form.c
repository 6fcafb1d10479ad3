/*
 * Raw fields of whole columns, by rule and by bytes of exceptions (spec/csv.md, "Restore").
 *
 * Texts of most columns stand in their array already and are lent; what is printed goes to a pool:
 *
 *     cells   | 1.5 | 2  | .. |          pool  | 1.52...
 *               |     |                          ^  ^
 *               +-----|--------------------------+  |
 *                     +-----------------------------+
 */
#include "csv/form.h"

#include <assert.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "column/type.h"

#define BLOCK_NBYTES ((size_t)64 << 10)
#define NULL_EMPTY   1 /* the form of a null that is written "" */

/* ---- Rules as bytes. ---- */

bool stoa_csv_rule_load(const uint8_t bytes[STOA_CSV_RULE_NBYTES], struct stoa_csv_rule *out)
{
    struct stoa_csv_rule rule = {
        .quoting = bytes[0],
        .form = bytes[1],
        .zero = bytes[2],
        .null = bytes[3],
        .null_quoted = bytes[4] != 0,
        .exponent = bytes[5],
    };

    if (rule.quoting >= STOA_CSV_RULE_NQUOTINGS || rule.form > STOA_CSV_MAX_FORM ||
        rule.zero > STOA_CSV_MAX_FORM || rule.null > STOA_CSV_MAX_FORM || bytes[4] > 1 ||
        rule.exponent >= STOA_CSV_EXPONENT_NSTYLES || bytes[6] != 0 || bytes[7] != 0)
        return false;
    *out = rule;
    return true;
}

void stoa_csv_rule_store(const struct stoa_csv_rule *rule, uint8_t bytes[STOA_CSV_RULE_NBYTES])
{
    memset(bytes, 0, STOA_CSV_RULE_NBYTES);
    bytes[0] = rule->quoting;
    bytes[1] = rule->form;
    bytes[2] = rule->zero;
    bytes[3] = rule->null;
    bytes[4] = rule->null_quoted;
    bytes[5] = rule->exponent;
}

/* ---- The pool. ---- */

void stoa_csv_pool_free(struct stoa_csv_pool *pool)
{
    for (size_t i = 0; i < pool->nblocks; i++)
        stoa_free(pool->blocks[i].bytes);
    stoa_free(pool->blocks);
    *pool = (struct stoa_csv_pool){0};
}

static void pool_use(struct stoa_csv_pool *pool, size_t block)
{
    pool->block = block;
    pool->next = pool->blocks[block].bytes;
    pool->end = pool->next + pool->blocks[block].nbytes;
}

void stoa_csv_pool_empty(struct stoa_csv_pool *pool)
{
    if (pool->nblocks > 0)
        pool_use(pool, 0);
}

/* Room for nbytes and the slack behind them, in a block that is not used yet or a new one. */
static enum stoa_status pool_grow(struct stoa_csv_pool *pool, size_t nbytes, struct stoa_error *err)
{
    const size_t need = nbytes + STOA_CSV_CELL_SLACK;
    struct stoa_csv_pool_block block = {.nbytes = need > BLOCK_NBYTES ? need : BLOCK_NBYTES};
    enum stoa_status st = STOA_OK;

    while (pool->nblocks > 0 && pool->block + 1 < pool->nblocks) {
        pool_use(pool, pool->block + 1);
        if ((size_t)(pool->end - pool->next) >= need)
            return STOA_OK;
    }
    STOA_TRY(stoa_reserve(&pool->blocks, &pool->capacity, pool->nblocks + 1, sizeof(block), err));
    STOA_TRY(stoa_alloc(&block.bytes, block.nbytes, err));
    pool->blocks[pool->nblocks++] = block;
    pool_use(pool, pool->nblocks - 1);
out:
    return st;
}

static inline enum stoa_status pool_reserve(struct stoa_csv_pool *pool, size_t nbytes,
                                            struct stoa_error *err)
{
    if ((size_t)(pool->end - pool->next) >= nbytes + STOA_CSV_CELL_SLACK)
        return STOA_OK;
    return pool_grow(pool, nbytes, err);
}

/* What was written from pool->next to `end` becomes a cell. */
static struct stoa_csv_cell pool_take(struct stoa_csv_pool *pool, char *end)
{
    struct stoa_csv_cell cell = {pool->next, (size_t)(end - pool->next)};

    pool->next = end;
    return cell;
}

/* ---- Quotes. ---- */

/* One pass without a branch, which compilers turn into vectors. */
bool stoa_csv_text_may_need(const struct stoa_csv_options *options, const char *text, size_t nbytes)
{
    const char delimiter = options->delimiter, quote = options->quote;
    uint8_t found = 0;

    if (quote == STOA_CSV_NONE)
        return false;
    for (size_t i = 0; i < nbytes; i++)
        found |= (uint8_t)((text[i] == delimiter) | (text[i] == quote) | (text[i] == '\n') |
                           (text[i] == '\r'));
    return found != 0;
}

struct stoa_csv_need stoa_csv_text_need(const struct stoa_csv_options *options, const char *text,
                                        size_t nbytes)
{
    bool needed = nbytes == 0 || stoa_csv_text_may_need(options, text, nbytes);

    if (options->quote == STOA_CSV_NONE)
        return (struct stoa_csv_need){0};
    return (struct stoa_csv_need){
        .needed = needed,
        .blanks = needed || text[0] == ' ' || text[nbytes - 1] == ' ',
    };
}

/* A text in quotes, those inside of it escaped. */
static enum stoa_status quote_text(const struct stoa_csv_options *options,
                                   struct stoa_csv_cell text, struct stoa_csv_pool *pool,
                                   struct stoa_csv_cell *out, struct stoa_error *err)
{
    const char quote = options->quote, escape = options->escape;
    char *at;
    enum stoa_status st = pool_reserve(pool, 2 * text.nbytes + 2, err);

    if (st != STOA_OK)
        return st;
    at = pool->next;
    *at++ = quote;
    if (memchr(text.text, quote, text.nbytes) == NULL &&
        (escape == quote || memchr(text.text, escape, text.nbytes) == NULL)) {
        memcpy(at, text.text, text.nbytes);
        at += text.nbytes;
    } else {
        for (size_t i = 0; i < text.nbytes; i++) {
            if (text.text[i] == quote || text.text[i] == escape)
                *at++ = escape;
            *at++ = text.text[i];
        }
    }
    *at++ = quote;
    *out = pool_take(pool, at);
    return STOA_OK;
}

/* ---- Values. ---- */

static struct stoa_csv_words words_of(const char *const *items)
{
    struct stoa_csv_words words = {.items = items};

    while (words.items[words.nitems] != NULL)
        words.nitems++;
    return words;
}

enum stoa_status stoa_csv_printer_init(struct stoa_csv_printer *printer,
                                       const struct stoa_field *field,
                                       const struct stoa_csv_reading *reading,
                                       const struct stoa_csv_rule *rule, struct stoa_error *err)
{
    const struct stoa_csv_options *options = reading->options;
    enum stoa_status st;

    *printer = (struct stoa_csv_printer){.options = options, .rule = *rule};
    STOA_TRY(stoa_csv_column_init(&printer->column, field, reading, err));
    printer->is_plain = options->decimal == '.' && options->thousands == STOA_CSV_NONE;
    printer->nulls = words_of(reading->spellings.null_values);
    printer->words[0] = words_of(reading->spellings.false_values);
    printer->words[1] = words_of(reading->spellings.true_values);
    if (printer->words[0].nitems == 0 || printer->words[1].nitems == 0)
        st = stoa_fail(err, STOA_ERR_CORRUPT, "no word for true or false");
out:
    return st;
}

struct stoa_csv_cell stoa_csv_value_text(const struct stoa_type *type,
                                         const struct stoa_array *array, size_t i)
{
    if (type->id == STOA_ENUM) {
        uint32_t index;

        memcpy(&index, array->values + i * sizeof(index), sizeof(index));
        return (struct stoa_csv_cell){type->symbols[index], strlen(type->symbols[index])};
    }
    return (struct stoa_csv_cell){(const char *)array->values + array->offsets[i],
                                  (size_t)(array->offsets[i + 1] - array->offsets[i])};
}

/* A copy in the pool, where there is slack behind it. */
static enum stoa_status copy_text(const char *text, size_t nbytes, struct stoa_csv_pool *pool,
                                  struct stoa_csv_cell *out, struct stoa_error *err)
{
    enum stoa_status st = pool_reserve(pool, nbytes, err);

    if (st != STOA_OK)
        return st;
    if (nbytes > 0)
        memcpy(pool->next, text, nbytes);
    *out = pool_take(pool, pool->next + nbytes);
    return STOA_OK;
}

static enum stoa_status print_null(const struct stoa_csv_printer *printer, unsigned form,
                                   bool quoted, struct stoa_csv_pool *pool,
                                   struct stoa_csv_cell *out, struct stoa_error *err)
{
    struct stoa_csv_cell word = {"", 0};
    enum stoa_status st;

    if (form >= STOA_CSV_FORM_NULL_WORDS) {
        size_t i = form - STOA_CSV_FORM_NULL_WORDS;

        if (i >= printer->nulls.nitems)
            return stoa_fail(err, STOA_ERR_CORRUPT, "spelling %u of null, where there are %zu",
                             form, printer->nulls.nitems + STOA_CSV_FORM_NULL_WORDS);
        word = (struct stoa_csv_cell){printer->nulls.items[i], strlen(printer->nulls.items[i])};
    }
    if (form == NULL_EMPTY || quoted)
        return quote_text(printer->options, word, pool, out, err);
    STOA_TRY(copy_text(word.text, word.nbytes, pool, out, err));
out:
    return st;
}

/* Base64 in the pool. */
static enum stoa_status print_bytes(const struct stoa_type *type, const struct stoa_array *array,
                                    size_t i, struct stoa_csv_pool *pool, struct stoa_csv_cell *out,
                                    struct stoa_error *err)
{
    const uint8_t *bytes =
        array->values + (type->id == STOA_BINARY ? (size_t)array->offsets[i] : i * type->width);
    size_t nbytes =
        type->id == STOA_BINARY ? (size_t)(array->offsets[i + 1] - array->offsets[i]) : type->width;
    struct stoa_buffer text = {0};
    enum stoa_status st;

    STOA_TRY(stoa_base64_append(&text, bytes, nbytes, err));
    STOA_TRY(copy_text((const char *)text.data, text.nbytes, pool, out, err));
out:
    stoa_buffer_free(&text);
    return st;
}

/* What a value that is not null says, without quotes. */
static enum stoa_status print_value(const struct stoa_csv_printer *printer,
                                    const struct stoa_array *array, size_t i, unsigned form,
                                    struct stoa_csv_pool *pool, struct stoa_csv_cell *out,
                                    struct stoa_error *err)
{
    const struct stoa_type *type = &printer->column.field->type;
    enum stoa_status st = STOA_OK;

    if (stoa_csv_type_is_printed(type)) {
        STOA_TRY(pool_reserve(pool, STOA_CSV_VALUE_NBYTES, err));
        *out = pool_take(pool, stoa_csv_value_print(printer, array, i, form, pool->next));
    } else if (type->id == STOA_UTF8) {
        *out = stoa_csv_value_text(type, array, i);
    } else if (type->id == STOA_ENUM) {
        struct stoa_csv_cell text = stoa_csv_value_text(type, array, i);

        STOA_TRY(copy_text(text.text, text.nbytes, pool, out, err));
    } else {
        STOA_TRY(print_bytes(type, array, i, pool, out, err));
    }
out:
    return st;
}

static bool rule_quotes(const struct stoa_csv_printer *printer, const struct stoa_csv_cell *text)
{
    const struct stoa_type *type = &printer->column.field->type;
    struct stoa_csv_need need;

    if (printer->rule.quoting == STOA_CSV_RULE_VALUES)
        return true;
    if (type->id != STOA_UTF8 && type->id != STOA_ENUM)
        return text->nbytes == 0;
    need = stoa_csv_text_need(printer->options, text->text, text->nbytes);
    return printer->rule.quoting == STOA_CSV_RULE_BLANKS ? need.blanks : need.needed;
}

enum stoa_status stoa_csv_print_form(const struct stoa_csv_printer *printer,
                                     const struct stoa_array *array, size_t i, unsigned form,
                                     bool quoted, struct stoa_csv_pool *pool,
                                     struct stoa_csv_cell *out, struct stoa_error *err)
{
    enum stoa_status st;

    if (stoa_array_is_null(array, i))
        return print_null(printer, form, quoted, pool, out, err);
    STOA_TRY(print_value(printer, array, i, form, pool, out, err));
    if (quoted)
        STOA_TRY(quote_text(printer->options, *out, pool, out, err));
out:
    return st;
}

/* A value that has a byte of its own. */
static enum stoa_status print_exception(const struct stoa_csv_printer *printer,
                                        const struct stoa_array *array, uint8_t byte,
                                        const struct stoa_array *raw, size_t i,
                                        struct stoa_csv_pool *pool, struct stoa_csv_cell *out,
                                        struct stoa_error *err)
{
    bool quoted = byte > STOA_CSV_BYTE_QUOTED;
    unsigned form = byte - 1U - (quoted ? STOA_CSV_BYTE_QUOTED : 0);

    if (byte == STOA_CSV_BYTE_VERBATIM) {
        if (raw == NULL || stoa_array_is_null(raw, i))
            return stoa_fail(err, STOA_ERR_CORRUPT, "the text of a value is missing");
        *out = (struct stoa_csv_cell){(const char *)raw->values + raw->offsets[i],
                                      (size_t)(raw->offsets[i + 1] - raw->offsets[i])};
        return STOA_OK;
    }
    if (form > STOA_CSV_MAX_FORM)
        return stoa_fail(err, STOA_ERR_CORRUPT, "form byte %u of a value", byte);
    return stoa_csv_print_form(printer, array, i, form, quoted, pool, out, err);
}

static enum stoa_status print_usual(const struct stoa_csv_printer *printer,
                                    const struct stoa_array *array, size_t i,
                                    struct stoa_csv_pool *pool, struct stoa_csv_cell *out,
                                    struct stoa_error *err)
{
    const struct stoa_csv_rule *rule = &printer->rule;
    unsigned form = rule->form;
    enum stoa_status st;

    if (stoa_array_is_null(array, i))
        return print_null(printer, rule->null, rule->null_quoted, pool, out, err);
    if (rule->zero != rule->form && stoa_csv_value_is_zero(&printer->column.field->type, array, i))
        form = rule->zero;
    STOA_TRY(print_value(printer, array, i, form, pool, out, err));
    if (rule_quotes(printer, out))
        STOA_TRY(quote_text(printer->options, *out, pool, out, err));
out:
    return st;
}

/* Whether values [begin, end) are texts that are lent as they stand. */
static bool is_bare_text(const struct stoa_csv_printer *printer, const struct stoa_array *array,
                         size_t begin, size_t end)
{
    const char *text = (const char *)array->values + array->offsets[begin];

    return printer->rule.quoting == STOA_CSV_RULE_NEEDED &&
           !stoa_csv_text_may_need(printer->options, text,
                                   (size_t)(array->offsets[end] - array->offsets[begin]));
}

/* The rows of such a column follow the rule and are no null. */
static void lend_texts(const struct stoa_array *array, size_t begin, size_t end,
                       struct stoa_csv_cell *cells)
{
    const char *text = (const char *)array->values;

    for (size_t i = begin; i < end; i++)
        cells[i - begin] = (struct stoa_csv_cell){
            text + array->offsets[i], (size_t)(array->offsets[i + 1] - array->offsets[i])};
}

/* Whether all values [begin, end) follow the rule. */
static bool are_usual(const uint8_t *bytes, size_t begin, size_t end)
{
    uint8_t any = 0;

    for (size_t i = begin; bytes != NULL && i < end; i++)
        any |= bytes[i];
    return any == 0;
}

/* stoa_csv_value_is_zero(), without a call for the type that mostly asks. */
static inline bool is_zero(const struct stoa_type *type, const struct stoa_array *array, size_t i)
{
    double x;

    if (type->id != STOA_FLOAT64)
        return stoa_csv_value_is_zero(type, array, i);
    memcpy(&x, array->values + i * sizeof(x), sizeof(x));
    return x == 0;
}

/* Values [begin, end) that all follow the rule, and are printed by one function. */
static enum stoa_status print_plain_run(const struct stoa_csv_printer *printer,
                                        stoa_csv_value_printer *print,
                                        const struct stoa_array *array, size_t begin, size_t end,
                                        struct stoa_csv_cell *cells, struct stoa_csv_pool *pool,
                                        struct stoa_error *err)
{
    const struct stoa_csv_rule *rule = &printer->rule;
    const struct stoa_type *type = &printer->column.field->type;
    const bool has_zeros = rule->zero != rule->form;
    enum stoa_status st = STOA_OK;

    for (size_t i = begin; i < end; i++, cells++) {
        unsigned form = rule->form;

        if (stoa_array_is_null(array, i)) {
            STOA_TRY(print_null(printer, rule->null, rule->null_quoted, pool, cells, err));
            continue;
        }
        if (has_zeros && is_zero(type, array, i))
            form = rule->zero;
        STOA_TRY(pool_reserve(pool, STOA_CSV_VALUE_NBYTES, err));
        *cells = pool_take(pool, print(printer, array, i, form, pool->next));
        if (cells->nbytes == 0)
            STOA_TRY(quote_text(printer->options, *cells, pool, cells, err));
    }
out:
    return st;
}

enum stoa_status stoa_csv_print(const struct stoa_csv_printer *printer,
                                const struct stoa_array *array, const uint8_t *bytes,
                                const struct stoa_array *raw, size_t begin, size_t end,
                                struct stoa_csv_cell *cells, struct stoa_csv_pool *pool,
                                struct stoa_error *err)
{
    const struct stoa_type *type = &printer->column.field->type;
    const struct stoa_csv_rule *rule = &printer->rule;
    const bool usual = are_usual(bytes, begin, end);
    stoa_csv_value_printer *print = stoa_csv_value_printer_find(printer);
    bool bare = false;
    enum stoa_status st = STOA_OK;

    if (begin == end)
        return STOA_OK;
    if (usual && print != NULL && rule->quoting != STOA_CSV_RULE_VALUES)
        return print_plain_run(printer, print, array, begin, end, cells, pool, err);
    if (type->id == STOA_UTF8 && usual && is_bare_text(printer, array, begin, end)) {
        lend_texts(array, begin, end, cells);
        bare = true;
    }
    for (size_t i = begin; i < end; i++) {
        struct stoa_csv_cell *cell = &cells[i - begin];

        if (bare && cell->nbytes > 0)
            continue;
        if (!usual && bytes[i] != 0)
            STOA_TRY(print_exception(printer, array, bytes[i], raw, i, pool, cell, err));
        else if (type->id == STOA_NULL)
            STOA_TRY(print_null(printer, rule->null, rule->null_quoted, pool, cell, err));
        else
            STOA_TRY(print_usual(printer, array, i, pool, cell, err));
    }
out:
    return st;
}
