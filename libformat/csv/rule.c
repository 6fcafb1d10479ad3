/*
 * Choosing rules (spec/csv.md, "Restore").
 *
 * One pass counts for each rule how many values would follow it. A number whose text has no more
 * digits than it needs follows every rule of at most so many digits; one with zeros at its end only
 * that of its own digits:
 *
 *     text     1.5  2.25  3.10         digits at least   0  1  2  3
 *     form     1    2     2            values that       2  2  2  0
 *     least    1    2     1            follow
 *
 * So two counts by number of digits, summed from the right, give the best rule. The second pass
 * writes a byte for each value that does not follow it. Numbers with an exponent are counted the
 * same way, above the others, once it is known which style of exponents most of them have.
 */
#include "csv/rule.h"

#include <string.h>

#include "base/bits.h"
#include "base/error.h"
#include "column/builder.h"

#define NFORMS 256

/* Codes of numbers without quotes or an exponent that are not whole, which most numbers have. */
#define PLAIN_NBITS  6 /* of their form, and of its least */
#define NPLAIN_CODES (1U << 2 * PLAIN_NBITS)

/* How the text of a type varies. */
enum variety {
    VARY_DIGITS,  /* digits behind the point; zeros have their own */
    VARY_PADDING, /* zeros in front */
    VARY_SECONDS, /* digits of a fraction, and other bits */
    VARY_WORDS,   /* spellings */
    VARY_QUOTES,  /* text: nothing else */
};

struct chooser {
    const struct stoa_type *type;
    const struct stoa_array *array;
    const struct stoa_csv_options *options;
    struct stoa_csv_printer printer;
    enum variety variety;
    bool is_float;

    /* Values that are not null and not verbatim: */
    size_t nvalues;
    size_t nquoted;
    size_t exact[NFORMS];                     /* follow a rule of just that form */
    size_t up_to[NFORMS + 1];                 /* follow any rule up to that form */
    size_t zeros[NFORMS];                     /* of VARY_DIGITS, not in the two above */
    uint32_t plain[NPLAIN_CODES];             /* by code, before they are in `exact` and `up_to` */
    size_t others[NFORMS];                    /* VARY_SECONDS: the bits that are no digits */
    size_t styles[STOA_CSV_EXPONENT_NSTYLES]; /* exponents that they write, */
    uint8_t style;                            /* and the one of most */
    size_t nneeded, nblanks;                  /* texts whose quotes follow these rules */
    size_t nulls[2][NFORMS];                  /* nulls without and with quotes, by spelling */
    size_t nverbatim;
};

static enum variety variety_of(const struct stoa_type *type)
{
    if (type->id >= STOA_INT8 && type->id <= STOA_UINT64)
        return VARY_PADDING;
    if ((type->id >= STOA_FLOAT16 && type->id <= STOA_FLOAT64) || type->id == STOA_DECIMAL)
        return VARY_DIGITS;
    if (type->id == STOA_TIME || type->id == STOA_TIMESTAMP)
        return VARY_SECONDS;
    if (type->id == STOA_BOOL || type->id == STOA_UUID)
        return VARY_WORDS;
    return VARY_QUOTES;
}

static bool is_text(const struct stoa_type *type)
{
    return type->id == STOA_UTF8 || type->id == STOA_ENUM;
}

static unsigned form_of(uint16_t code)
{
    return code & STOA_CSV_FORM_VERBATIM;
}

static bool has_exponent(const struct chooser *chooser, unsigned form)
{
    return chooser->is_float && form >= STOA_CSV_FORM_EXPONENT && form <= STOA_CSV_MAX_FORM;
}

/*
 * The least form that writes the same. With an exponent it is known unless a zero ends the digits;
 * any lesser form does then.
 */
static unsigned least_of(const struct chooser *chooser, uint16_t code)
{
    if (!has_exponent(chooser, form_of(code)))
        return code >> STOA_CSV_FORM_LEAST_SHIFT & 0x7f;
    return code & STOA_CSV_FORM_SHORT ? form_of(code) : STOA_CSV_FORM_EXPONENT;
}

static unsigned style_of(uint16_t code)
{
    return code >> STOA_CSV_FORM_STYLE_SHIFT & 15;
}

/* Whether a style writes the exponent of value i as it is written. */
static bool style_fits(const struct chooser *chooser, unsigned style, uint16_t code, size_t i)
{
    const struct stoa_csv_exponent exponent =
        stoa_csv_value_exponent(chooser->type, chooser->array, i);
    const unsigned wanted = style_of(code), differ = style ^ wanted;
    const unsigned least = style >> STOA_CSV_EXPONENT_WIDTH_SHIFT, ndigits = exponent.ndigits - 1;

    if ((differ & STOA_CSV_EXPONENT_UPPER) != 0 ||
        (!exponent.negative && (differ & STOA_CSV_EXPONENT_PLUS) != 0))
        return false;
    return (least > ndigits ? least : ndigits) == wanted >> STOA_CSV_EXPONENT_WIDTH_SHIFT;
}

static bool is_quoted(uint16_t code)
{
    return (code & STOA_CSV_FORM_QUOTED) != 0;
}

static bool is_null(const struct chooser *chooser, size_t i)
{
    return chooser->type->id == STOA_NULL || stoa_array_is_null(chooser->array, i);
}

static bool is_zero(const struct chooser *chooser, uint16_t code, size_t i)
{
    const bool may_be = least_of(chooser, code) == 0 || has_exponent(chooser, form_of(code));
    uint64_t bits;

    if (!may_be || chooser->type->id != STOA_FLOAT64)
        return may_be && stoa_csv_value_is_zero(chooser->type, chooser->array, i);
    memcpy(&bits, chooser->array->values + i * sizeof(bits), sizeof(bits)); /* without a call */
    return bits << 1 == 0;
}

/* What the rule says of value i for its digits or spelling. */
static unsigned expected_form(const struct chooser *chooser, const struct stoa_csv_rule *rule,
                              uint16_t code, size_t i)
{
    const unsigned form = form_of(code), digits = rule->form & STOA_CSV_FORM_FRACTION;
    unsigned least;
    size_t nwords;

    switch (chooser->variety) {
    case VARY_DIGITS:
        if (is_zero(chooser, code, i))
            return rule->zero;
        least = least_of(chooser, code);
        return rule->form > least ||
                       has_exponent(chooser, rule->form) != has_exponent(chooser, form)
                   ? rule->form
                   : least;
    case VARY_PADDING:
        if (rule->form == 0)
            return 0;
        return stoa_csv_value_least(chooser->type, chooser->array, i) < rule->form ? rule->form : 0;
    case VARY_SECONDS:
        least = stoa_csv_value_least(chooser->type, chooser->array, i);
        return digits >= least ? rule->form : (rule->form & ~STOA_CSV_FORM_FRACTION) | least;
    case VARY_WORDS:
        if (chooser->type->id != STOA_BOOL)
            return rule->form;
        nwords = chooser->printer.words[stoa_bitmap_get(chooser->array->values, i)].nitems;
        return rule->form < nwords ? rule->form : (unsigned)nwords - 1;
    case VARY_QUOTES:
        break;
    }
    return rule->form;
}

static struct stoa_csv_need need_at(const struct chooser *chooser, size_t i)
{
    struct stoa_csv_cell text;

    if (!is_text(chooser->type)) /* only base64 can be empty; codes tell whether it is in quotes */
        return (struct stoa_csv_need){0};
    text = stoa_csv_value_text(chooser->type, chooser->array, i);
    return stoa_csv_text_need(chooser->options, text.text, text.nbytes);
}

static bool expected_quotes(const struct chooser *chooser, const struct stoa_csv_rule *rule,
                            size_t i)
{
    if (rule->quoting == STOA_CSV_RULE_VALUES)
        return true;
    return rule->quoting == STOA_CSV_RULE_BLANKS ? need_at(chooser, i).blanks
                                                 : need_at(chooser, i).needed;
}

static unsigned least_digits(uint16_t code)
{
    return code >> STOA_CSV_FORM_LEAST_SHIFT & 0x7f;
}

/* Whether the code says all there is to know: of a number that can't be 0, nor null. */
static bool is_plain(uint16_t code)
{
    const uint16_t digits = (1U << PLAIN_NBITS) - 1;

    return (code & ~(digits | digits << STOA_CSV_FORM_LEAST_SHIFT)) == 0 && least_digits(code) != 0;
}

static size_t plain_index(uint16_t code)
{
    return form_of(code) | (size_t)least_digits(code) << PLAIN_NBITS;
}

static bool has_plain(const struct chooser *chooser)
{
    return chooser->variety == VARY_DIGITS && chooser->array->nnulls == 0;
}

static void count_digits(struct chooser *chooser, uint16_t code, size_t i)
{
    const unsigned form = form_of(code);

    if (is_zero(chooser, code, i))
        chooser->zeros[form]++;
    else if (form == least_of(chooser, code))
        chooser->up_to[form]++;
    else
        chooser->exact[form]++;
}

/* Numbers with an exponent follow no rule of another style: they are counted once there is one. */
static void count_styles(struct chooser *chooser, uint16_t code, size_t i)
{
    for (unsigned style = 0; style < STOA_CSV_EXPONENT_NSTYLES; style++)
        chooser->styles[style] += style_fits(chooser, style, code, i);
}

static void count_form(struct chooser *chooser, uint16_t code, size_t i)
{
    unsigned form = form_of(code), least;

    switch (chooser->variety) {
    case VARY_DIGITS:
        if (has_exponent(chooser, form))
            count_styles(chooser, code, i);
        else
            count_digits(chooser, code, i);
        break;
    case VARY_PADDING:
        if (form == 0)
            chooser->up_to[stoa_csv_value_least(chooser->type, chooser->array, i)]++;
        else
            chooser->exact[form]++;
        break;
    case VARY_SECONDS:
        least = stoa_csv_value_least(chooser->type, chooser->array, i);
        chooser->others[form & ~STOA_CSV_FORM_FRACTION]++;
        form &= STOA_CSV_FORM_FRACTION;
        if (form == least)
            chooser->up_to[form]++;
        else
            chooser->exact[form]++;
        break;
    case VARY_WORDS:
    case VARY_QUOTES:
        chooser->exact[form]++;
        break;
    }
}

static void count_value(struct chooser *chooser, uint16_t code, size_t i)
{
    const bool quoted = is_quoted(code);

    if (form_of(code) == STOA_CSV_FORM_VERBATIM) {
        chooser->nverbatim++;
        return;
    }
    if (is_null(chooser, i)) {
        chooser->nulls[quoted][form_of(code)]++;
        return;
    }
    chooser->nvalues++;
    chooser->nquoted += quoted;
    if (is_text(chooser->type)) {
        struct stoa_csv_need need = need_at(chooser, i);

        chooser->nneeded += need.needed == quoted;
        chooser->nblanks += need.blanks == quoted;
    }
    count_form(chooser, code, i);
}

/* ---- The best rule. ---- */

static uint8_t most_frequent(const size_t *counts, size_t ncounts)
{
    size_t best = 0;

    for (size_t i = 1; i < ncounts; i++)
        if (counts[i] > counts[best])
            best = i;
    return (uint8_t)best;
}

/* Numbers with an exponent in the style of most of them. */
static void count_exponents(struct chooser *chooser, const struct stoa_csv_rule_part *parts,
                            size_t nparts)
{
    size_t first = 0;

    chooser->style = most_frequent(chooser->styles, STOA_CSV_EXPONENT_NSTYLES);
    if (chooser->styles[chooser->style] == 0)
        return;
    for (size_t k = 0; k < nparts; first += parts[k++].nvalues) {
        for (size_t i = 0; parts[k].forms->codes != NULL && i < parts[k].nvalues; i++) {
            const uint16_t code = parts[k].forms->codes[i];

            if (!is_null(chooser, first + i) && has_exponent(chooser, form_of(code)) &&
                style_fits(chooser, chooser->style, code, first + i))
                count_digits(chooser, code, first + i);
        }
    }
}

/* Of rules that are as good the first: a smaller form fits more texts of other row groups. */
static uint8_t best_form(const struct chooser *chooser, unsigned nforms)
{
    size_t above = 0, most = 0;
    unsigned best = 0;

    for (unsigned form = NFORMS; form-- > 0;) {
        if (chooser->is_float && form == STOA_CSV_FORM_EXPONENT - 1)
            above = 0; /* none of them has an exponent */
        above += chooser->up_to[form];
        if (form < nforms && chooser->exact[form] + above >= most) {
            most = chooser->exact[form] + above;
            best = form;
        }
    }
    return (uint8_t)best;
}

static struct stoa_csv_rule best_rule(const struct chooser *chooser)
{
    const unsigned nforms = STOA_CSV_MAX_FORM + 1;
    struct stoa_csv_rule rule = {0};

    if (chooser->variety == VARY_SECONDS)
        rule.form = best_form(chooser, 10) | most_frequent(chooser->others, nforms);
    else
        rule.form = best_form(chooser, nforms);
    rule.zero = rule.form;
    if (chooser->variety == VARY_DIGITS) {
        uint8_t zero = most_frequent(chooser->zeros, nforms);

        rule.zero = chooser->zeros[zero] > 0 ? zero : rule.form;
        rule.exponent = chooser->style;
    }
    if (is_text(chooser->type)) {
        size_t best = chooser->nneeded;

        if (chooser->nblanks > best) {
            rule.quoting = STOA_CSV_RULE_BLANKS;
            best = chooser->nblanks;
        }
        if (chooser->nquoted > best)
            rule.quoting = STOA_CSV_RULE_VALUES;
    } else if (2 * chooser->nquoted > chooser->nvalues) {
        rule.quoting = STOA_CSV_RULE_VALUES;
    }
    for (unsigned quoted = 0; quoted < 2; quoted++) {
        uint8_t null = most_frequent(chooser->nulls[quoted], nforms);

        if (quoted == 0 || chooser->nulls[1][null] > chooser->nulls[0][rule.null]) {
            rule.null = null;
            rule.null_quoted = quoted != 0;
        }
    }
    return rule;
}

/* ---- Values that do not follow it. ---- */

static bool follows(const struct chooser *chooser, const struct stoa_csv_rule *rule, uint16_t code,
                    size_t i)
{
    if (form_of(code) == STOA_CSV_FORM_VERBATIM)
        return false;
    if (is_null(chooser, i))
        return form_of(code) == rule->null && is_quoted(code) == rule->null_quoted;
    return form_of(code) == expected_form(chooser, rule, code, i) &&
           is_quoted(code) == expected_quotes(chooser, rule, i) &&
           (!has_exponent(chooser, form_of(code)) || style_fits(chooser, rule->exponent, code, i));
}

/* The form that a byte tells of a value, the same for as many as can be. */
static unsigned common_form(const struct chooser *chooser, uint16_t code, size_t i)
{
    const unsigned form = form_of(code);

    if (chooser->variety != VARY_DIGITS || is_null(chooser, i) || form != least_of(chooser, code))
        return form;
    return has_exponent(chooser, form) ? STOA_CSV_FORM_EXPONENT : 0;
}

/* The bytes and raw texts of a column while they are made. */
struct exceptions {
    uint8_t *bytes; /* NULL: none yet */
    struct stoa_builder raw;
    bool has_raw;
    struct stoa_csv_pool pool;
};

static void exceptions_reset(struct exceptions *exceptions)
{
    stoa_free(exceptions->bytes);
    stoa_builder_reset(&exceptions->raw);
    stoa_csv_pool_free(&exceptions->pool);
}

/* Makes the raw texts those of values [0, n), new ones null, with room for one of nbytes more. */
static enum stoa_status extend_raw(const struct chooser *chooser, struct exceptions *exceptions,
                                   size_t n, size_t nbytes, struct stoa_error *err)
{
    const struct stoa_type binary = {.id = STOA_BINARY};
    size_t nmore;
    enum stoa_status st = STOA_OK;

    if (!exceptions->has_raw) {
        STOA_TRY(stoa_builder_init(&exceptions->raw, &binary, chooser->array->nvalues, err));
        exceptions->has_raw = true;
    }
    nmore = n - exceptions->raw.array.nvalues;
    STOA_TRY(stoa_builder_reserve(&exceptions->raw, nmore + 1, nbytes, err));
    while (nmore-- > 0)
        stoa_builder_append_null(&exceptions->raw);
out:
    return st;
}

static enum stoa_status add_raw(const struct chooser *chooser, struct exceptions *exceptions,
                                size_t i, const void *text, size_t nbytes, struct stoa_error *err)
{
    enum stoa_status st = extend_raw(chooser, exceptions, i, nbytes, err);

    if (st == STOA_OK)
        stoa_builder_append_bytes(&exceptions->raw, text, nbytes);
    return st;
}

/* The text of a code that no byte stands for. */
static enum stoa_status add_printed(const struct chooser *chooser, struct exceptions *exceptions,
                                    size_t i, uint16_t code, struct stoa_error *err)
{
    struct stoa_csv_printer printer = chooser->printer;
    struct stoa_csv_cell cell;
    enum stoa_status st;

    if (has_exponent(chooser, form_of(code)))
        printer.rule.exponent = (uint8_t)style_of(code);
    stoa_csv_pool_empty(&exceptions->pool);
    STOA_TRY(stoa_csv_print_form(&printer, chooser->array, i, form_of(code), is_quoted(code),
                                 &exceptions->pool, &cell, err));
    STOA_TRY(add_raw(chooser, exceptions, i, cell.text, cell.nbytes, err));
out:
    return st;
}

/* Whether a form and quotes give the text of value i, whose code is not VERBATIM. */
static bool has_byte(const struct chooser *chooser, const struct stoa_csv_rule *rule, uint16_t code,
                     size_t i)
{
    if (is_null(chooser, i) || !has_exponent(chooser, form_of(code)))
        return form_of(code) <= STOA_CSV_MAX_FORM;
    return style_fits(chooser, rule->exponent, code, i);
}

static enum stoa_status add_exception(const struct chooser *chooser,
                                      const struct stoa_csv_rule *rule,
                                      struct exceptions *exceptions,
                                      const struct stoa_csv_rule_part *part, size_t *verbatim,
                                      size_t i, uint16_t code, struct stoa_error *err)
{
    const struct stoa_csv_verbatim *text;
    uint8_t byte = STOA_CSV_BYTE_VERBATIM;
    enum stoa_status st = STOA_OK;

    if (exceptions->bytes == NULL)
        STOA_TRY(stoa_alloc_zeroed(&exceptions->bytes, chooser->array->nvalues + STOA_ARRAY_SLACK,
                                   1, err));
    if (form_of(code) == STOA_CSV_FORM_VERBATIM) {
        text = &part->forms->verbatims[(*verbatim)++];
        STOA_TRY(add_raw(chooser, exceptions, i, part->forms->bytes.data + text->begin,
                         text->nbytes, err));
    } else if (!has_byte(chooser, rule, code, i)) {
        STOA_TRY(add_printed(chooser, exceptions, i, code, err));
    } else {
        byte = (uint8_t)(1 + common_form(chooser, code, i) +
                         (is_quoted(code) ? STOA_CSV_BYTE_QUOTED : 0));
    }
    exceptions->bytes[i] = byte;
out:
    return st;
}

static enum stoa_status find_exceptions(const struct chooser *chooser,
                                        const struct stoa_csv_rule *rule,
                                        const struct stoa_csv_rule_part *parts, size_t nparts,
                                        struct exceptions *exceptions, struct stoa_error *err)
{
    bool known[NPLAIN_CODES] = {false}; /* plain codes that follow the rule */
    size_t first = 0;
    enum stoa_status st = STOA_OK;

    for (uint16_t i = 1U << PLAIN_NBITS; i < NPLAIN_CODES; i++) {
        const unsigned form = i % (1U << PLAIN_NBITS), least = i >> PLAIN_NBITS;

        known[i] = has_plain(chooser) &&
                   follows(chooser, rule, (uint16_t)(form | least << STOA_CSV_FORM_LEAST_SHIFT), 0);
    }

    for (size_t k = 0; k < nparts; first += parts[k++].nvalues) {
        const uint16_t *codes = parts[k].forms->codes;
        size_t verbatim = 0;

        for (size_t i = 0; i < parts[k].nvalues; i++) {
            uint16_t code = codes != NULL ? codes[i] : 0;

            if (is_plain(code) && known[plain_index(code)])
                continue;
            if (!follows(chooser, rule, code, first + i))
                STOA_TRY(add_exception(chooser, rule, exceptions, &parts[k], &verbatim, first + i,
                                       code, err));
        }
    }
    if (exceptions->has_raw)
        STOA_TRY(extend_raw(chooser, exceptions, chooser->array->nvalues, 0, err));
out:
    return st;
}

/* ---- Put together. ---- */

static bool has_codes(const struct stoa_csv_rule_part *parts, size_t nparts)
{
    for (size_t k = 0; k < nparts; k++)
        if (parts[k].forms->codes != NULL)
            return true;
    return false;
}

/* Whether text without codes could be taken for text in quotes. */
static bool text_may_need(const struct chooser *chooser)
{
    const struct stoa_array *array = chooser->array;

    if (chooser->type->id == STOA_ENUM)
        return true;
    return chooser->type->id == STOA_UTF8 && array->nvalues > 0 &&
           stoa_csv_text_may_need(chooser->options, (const char *)array->values,
                                  (size_t)array->offsets[array->nvalues]);
}

/*
 * Whether all values have one form, and one that makes a rule by itself. Nearly all columns of
 * nearly all tables do: a pass without a branch.
 */
static bool find_one_code(const struct chooser *chooser, const struct stoa_csv_rule_part *parts,
                          size_t nparts, uint16_t *out)
{
    const uint16_t told = STOA_CSV_FORM_QUOTED | STOA_CSV_FORM_VERBATIM;
    uint16_t differ = 0, first = 0;

    if (chooser->array->nnulls > 0 || chooser->array->nvalues == 0)
        return false;
    for (size_t k = 0; k < nparts; k++) {
        const uint16_t *codes = parts[k].forms->codes;

        if (codes == NULL || parts[k].nvalues == 0)
            return false;
        if (k == 0)
            first = codes[0];
        for (size_t i = 0; i < parts[k].nvalues; i++)
            differ |= codes[i] ^ first;
    }
    *out = first & told;
    return (differ & told) == 0 && form_of(first) <= STOA_CSV_MAX_FORM &&
           !has_exponent(chooser, form_of(first)) && (is_quoted(first) || !is_text(chooser->type));
}

/* The forms of a column's numbers: INT16_MAX and -1 for none. Zeros are in the last two alone. */
struct spread {
    uint16_t codes;     /* all bits of the codes */
    int16_t tight_min;  /* without a zero at the end: they follow any rule of so many digits */
    int16_t padded_min; /* with one: only that of their own */
    int16_t padded_max;
    int16_t zero_min;
    int16_t zero_max;
};

static int16_t lesser(int16_t a, int16_t b)
{
    return a < b ? a : b;
}

static int16_t greater(int16_t a, int16_t b)
{
    return a > b ? a : b;
}

/* Adds a whole number: to know whether it is 0 takes its value. */
static void spread_add_whole(struct spread *spread, const struct chooser *chooser, uint16_t code,
                             size_t i)
{
    const int16_t form = code & STOA_CSV_FORM_VERBATIM;

    if (is_zero(chooser, code, i)) {
        spread->zero_min = lesser(spread->zero_min, form);
        spread->zero_max = greater(spread->zero_max, form);
    } else if (form == 0) {
        spread->tight_min = 0;
    } else {
        spread->padded_min = lesser(spread->padded_min, form);
        spread->padded_max = greater(spread->padded_max, form);
    }
}

/*
 * Adds numbers from `first` on: those with digits behind the point that matter without a branch, in
 * vectors; few blocks have others.
 */
static void spread_add_block(struct spread *spread, const struct chooser *chooser,
                             const uint16_t *codes, size_t n, size_t first)
{
    int16_t tight_min = INT16_MAX, padded_min = INT16_MAX, padded_max = -1, least_min = INT16_MAX;
    uint16_t all = 0;

    for (size_t i = 0; i < n; i++) {
        const int16_t form = codes[i] & STOA_CSV_FORM_VERBATIM;
        const int16_t least = (int16_t)least_digits(codes[i]);
        const int16_t is_whole = (int16_t) - (least == 0), is_tight = (int16_t) - (form == least);

        all |= codes[i];
        tight_min = lesser(tight_min, (form | is_whole | ~is_tight) & INT16_MAX);
        padded_min = lesser(padded_min, (form | is_whole | is_tight) & INT16_MAX);
        padded_max = greater(padded_max, form | is_whole | is_tight);
        least_min = lesser(least_min, least);
    }
    spread->codes |= all;
    spread->tight_min = lesser(spread->tight_min, tight_min);
    spread->padded_min = lesser(spread->padded_min, padded_min);
    spread->padded_max = greater(spread->padded_max, padded_max);
    for (size_t i = 0; least_min == 0 && i < n; i++)
        if (least_digits(codes[i]) == 0)
            spread_add_whole(spread, chooser, codes[i], first + i);
}

/*
 * The rule that all numbers of a column follow, if there is one; the same that counting finds. Not
 * for numbers with quotes or exponents, nor those whose text is kept.
 */
static bool find_common_rule(const struct chooser *chooser, const struct stoa_csv_rule_part *parts,
                             size_t nparts, struct stoa_csv_rule *out)
{
    enum { NBLOCK = 64 };
    const uint16_t others =
        STOA_CSV_FORM_QUOTED | (STOA_CSV_FORM_VERBATIM & ~(STOA_CSV_FORM_EXPONENT - 1));
    struct spread spread = {0, INT16_MAX, INT16_MAX, -1, INT16_MAX, -1};
    struct stoa_csv_rule rule = {0};
    size_t first = 0;

    if (chooser->variety != VARY_DIGITS || chooser->array->nnulls > 0)
        return false;
    for (size_t k = 0; k < nparts; first += parts[k++].nvalues) {
        const uint16_t *codes = parts[k].forms->codes;

        if (codes == NULL)
            return false;
        for (size_t i = 0; i < parts[k].nvalues && (spread.codes & others) == 0; i += NBLOCK) {
            const size_t rest = parts[k].nvalues - i, n = rest < NBLOCK ? rest : NBLOCK;

            spread_add_block(&spread, chooser, codes + i, n, first + i);
        }
    }
    if (spread.padded_max >= 0)
        rule.form = (uint8_t)spread.padded_max;
    rule.zero = spread.zero_max >= 0 ? (uint8_t)spread.zero_max : rule.form;
    *out = rule;
    return (spread.codes & others) == 0 && rule.form <= spread.tight_min &&
           (spread.padded_max < 0 || spread.padded_min == spread.padded_max) &&
           (spread.zero_max < 0 || spread.zero_min == spread.zero_max);
}

static void count_values(struct chooser *chooser, const struct stoa_csv_rule_part *parts,
                         size_t nparts)
{
    const bool may_be_plain = has_plain(chooser);
    size_t first = 0;

    for (size_t k = 0; k < nparts; first += parts[k++].nvalues) {
        const uint16_t *codes = parts[k].forms->codes;

        for (size_t i = 0; i < parts[k].nvalues; i++) {
            const uint16_t code = codes != NULL ? codes[i] : 0;

            if (may_be_plain && is_plain(code))
                chooser->plain[plain_index(code)]++;
            else
                count_value(chooser, code, first + i);
        }
    }
    for (uint16_t i = 0; i < NPLAIN_CODES; i++) {
        const unsigned form = i % (1U << PLAIN_NBITS), least = i >> PLAIN_NBITS;

        chooser->nvalues += chooser->plain[i];
        *(form == least ? &chooser->up_to[form] : &chooser->exact[form]) += chooser->plain[i];
    }
}

static void side_append(struct stoa_side *side, uint32_t column, enum stoa_side_kind kind,
                        const struct stoa_csv_rule *rule, struct stoa_array *array)
{
    struct stoa_side_column *made = &side->columns[side->ncolumns++];

    *made = (struct stoa_side_column){.column = column, .kind = (uint8_t)kind};
    if (rule != NULL)
        stoa_csv_rule_store(rule, made->rule);
    if (array != NULL)
        made->array = *array;
}

enum stoa_status stoa_csv_rule_add(const struct stoa_field *field, uint32_t column,
                                   const struct stoa_csv_reading *reading,
                                   const struct stoa_array *array,
                                   const struct stoa_csv_rule_part *parts, size_t nparts,
                                   struct stoa_side *side, struct stoa_error *err)
{
    static const struct stoa_csv_rule usual;
    struct exceptions exceptions = {0};
    struct chooser *chooser = NULL;
    struct stoa_csv_rule rule;
    uint16_t code;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&chooser, 1, sizeof(*chooser), err));
    chooser->type = &field->type;
    chooser->array = array;
    chooser->options = reading->options;
    chooser->variety = variety_of(&field->type);
    chooser->is_float = field->type.id >= STOA_FLOAT16 && field->type.id <= STOA_FLOAT64;
    STOA_TRY(stoa_csv_printer_init(&chooser->printer, field, reading, &usual, err));
    if (!has_codes(parts, nparts) && !text_may_need(chooser))
        goto out;
    if (find_one_code(chooser, parts, nparts, &code)) {
        rule = (struct stoa_csv_rule){
            .quoting = is_quoted(code) ? STOA_CSV_RULE_VALUES : STOA_CSV_RULE_NEEDED,
            .form = (uint8_t)form_of(code),
            .zero = (uint8_t)form_of(code),
        };
    } else if (!find_common_rule(chooser, parts, nparts, &rule)) {
        count_values(chooser, parts, nparts);
        count_exponents(chooser, parts, nparts);
        rule = best_rule(chooser);
        STOA_TRY(find_exceptions(chooser, &rule, parts, nparts, &exceptions, err));
    }
    if (exceptions.bytes != NULL || memcmp(&rule, &usual, sizeof(rule)) != 0) {
        struct stoa_array bytes = {0};

        if (exceptions.bytes != NULL)
            bytes = (struct stoa_array){.nvalues = array->nvalues, .values = exceptions.bytes};
        exceptions.bytes = NULL;
        side_append(side, column, STOA_SIDE_FORM, &rule, &bytes);
    }
    if (exceptions.has_raw) {
        struct stoa_array raw;

        stoa_builder_finish(&exceptions.raw, &raw);
        side_append(side, column, STOA_SIDE_RAW, NULL, &raw);
    }
out:
    exceptions_reset(&exceptions);
    stoa_free(chooser);
    return st;
}
