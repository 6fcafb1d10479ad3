/*
 * From ranges of texts to ranges of the numbers that CHARPACK makes of them (codec/charpack.h).
 *
 *     name >= 'Customer#0001'       Customer#000100000 is the first text that is: number 100000
 *     guid < '6f1c7a2e-9'           below 6f1c7a2e-9000-...: the digits of the number decide
 *     guid = '6f1c7a2e-90b1-...'    the number, and then the digits behind it
 *
 * Texts of one layout differ in their digits alone, so bytes order them as digits order numbers.
 */
#include "codec/charpack.h"

/*
 * The first text of a layout, in the order of bytes, that is not in front of a given one: its
 * digits, of which those behind `ngiven` are zeros. Digits order texts as they order numbers, since
 * '0'..'9' stand in front of letters.
 */
struct first_text {
    bool none; /* all are in front */
    unsigned ngiven;
    uint8_t digits[STOA_CHARPACK_MAX_LENGTH];
};

/* The next digits behind those given; none when they are the last there are. */
static void step_digits(const struct stoa_charpack_layout *layout, struct first_text *first)
{
    while (first->ngiven > 0 && first->digits[first->ngiven - 1] == layout->base - 1)
        first->digits[--first->ngiven] = 0;
    if (first->ngiven == 0)
        first->none = true;
    else
        first->digits[first->ngiven - 1]++;
}

/* The first digit whose character is not in front of c; the base when all are. */
static unsigned digit_from(const struct stoa_charpack_layout *layout, uint8_t c)
{
    unsigned digit = 0;

    while (digit < layout->base &&
           (digit < 10 ? '0' + digit : (unsigned)layout->letter + digit - 10) < c)
        digit++;
    return digit;
}

static void find_first(const struct stoa_charpack_layout *layout, const uint8_t *text,
                       size_t nbytes, struct first_text *first)
{
    *first = (struct first_text){0};
    for (unsigned k = 0; k < layout->length; k++) {
        const bool is_digit = first->ngiven < layout->ndigits && layout->places[first->ngiven] == k;
        uint8_t at = layout->text[k];

        if (k == nbytes) /* all with these digits are longer */
            return;
        if (is_digit) {
            unsigned digit = digit_from(layout, text[k]);

            if (digit == layout->base) {
                step_digits(layout, first);
                return;
            }
            first->digits[first->ngiven++] = (uint8_t)digit;
            at = (uint8_t)(digit < 10 ? '0' + digit : layout->letter + digit - 10);
        }
        if (at > text[k])
            return;
        if (at < text[k]) {
            step_digits(layout, first);
            return;
        }
    }
    if (nbytes > layout->length) /* what has the same digits is a part of the text */
        step_digits(layout, first);
}

/* The number of its first digits; *rest: others than zeros follow. */
static uint64_t number_of(const struct stoa_charpack_layout *layout, const struct first_text *first,
                          bool *rest)
{
    uint64_t number = 0;

    for (unsigned k = 0; k < layout->nnumber; k++)
        number = number * layout->base + first->digits[k];
    *rest = false;
    for (unsigned k = layout->nnumber; k < layout->ndigits; k++)
        *rest |= first->digits[k] != 0;
    return number;
}

static void add_span(struct stoa_test *test, uint64_t from, uint64_t to)
{
    test->spans[test->nspans++] = (struct stoa_test_span){from, to - from};
}

/* Greatest number that digits can be. */
static uint64_t greatest_number(const struct stoa_charpack_layout *layout)
{
    uint64_t most = 0;

    for (unsigned k = 0; k < layout->nnumber; k++)
        most = most * layout->base + layout->base - 1;
    return most;
}

void stoa_charpack_add_range(const struct stoa_charpack_layout *layout,
                             const struct stoa_text_range *range, struct stoa_charpack_tests *out)
{
    struct first_text lo, hi = {.none = true};
    bool lo_decides, hi_decides = false;
    uint64_t from, to;

    find_first(layout, range->lo, range->lo_nbytes, &lo);
    if (range->hi != NULL)
        find_first(layout, range->hi, range->hi_nbytes, &hi);
    if (lo.none)
        return;
    from = number_of(layout, &lo, &lo_decides);
    to = hi.none ? greatest_number(layout) : number_of(layout, &hi, &hi_decides);
    if (lo_decides)
        add_span(&out->edges, from, from);
    if (hi_decides && !(lo_decides && from == to))
        add_span(&out->edges, to, to);
    if (hi.none && (from < to || !lo_decides))
        add_span(&out->certain, from + lo_decides, to);
    else if (!hi.none && from < to && from + lo_decides < to)
        add_span(&out->certain, from + lo_decides, to - 1);
}
