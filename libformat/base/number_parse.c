/*
 * Integers and floats from text.
 *
 * A float is D * 10^q with D cut to its first 19 digits. 10^q is known to 128 bits, rounded down
 * (number_pow10.c), so D * 10^q comes out as 128 bits with an error below 2 in the last:
 *
 *     |1.... significand of the float ....|r....... rest .......|
 *     <------------ 24 or 53 bits -------->                      +- the true value lies in
 *                                                                   [rest, rest + 2)
 *
 * Only when the middle between two floats lies within these bounds does this not say which way to
 * round; then the digits are compared with that middle as integers of any length. The bound on
 * the product is the idea of Eisel and Lemire ("Number parsing at a gigabyte per second", 2021);
 * the comparison is that of Clinger ("How to read floating point numbers accurately", 1990).
 * Nothing here computes with floats, so neither the rounding mode nor x87 registers matter.
 */
#include "base/number.h"

#include <assert.h>
#include <string.h>

#include "base/number_pow10.h"
#include "base/number_scan.h"

/* ---- Integers. ---- */

/* Digits only, at least one. */
static bool parse_digits(const char *p, const char *end, uint64_t *out)
{
    uint64_t x = 0;

    if (p == end)
        return false;
    while (end - p > 19 && *p == '0')
        p++;
    if (end - p > 20)
        return false;
    if (end - p == 20) { /* the last digit may be one too many for 64 bits */
        unsigned last = (unsigned char)(end[-1] - '0');

        return last <= 9 && stoa_digits_scan(p, end - 1, &x) == end - 1 &&
               !__builtin_mul_overflow(x, 10u, &x) && !__builtin_add_overflow(x, last, out);
    }
    if (stoa_digits_scan(p, end, &x) != end)
        return false;
    *out = x;
    return true;
}

bool stoa_number_parse_uint64(const char *text, size_t nbytes, uint64_t *out)
{
    bool negative = nbytes > 0 && text[0] == '-';
    uint64_t x = 0;

    if (!parse_digits(text + negative, text + nbytes, &x) || (negative && x != 0))
        return false;
    *out = x;
    return true;
}

bool stoa_number_parse_int64(const char *text, size_t nbytes, int64_t *out)
{
    bool negative = nbytes > 0 && text[0] == '-';
    uint64_t x = 0;

    if (!parse_digits(text + negative, text + nbytes, &x))
        return false;
    if (x > (uint64_t)INT64_MAX + negative)
        return false;
    *out = (int64_t)(negative ? 0 - x : x);
    return true;
}

/* ---- Floats: how the bits of a type are laid out. ---- */

struct layout {
    int significand_nbits; /* with the leading one that is not stored */
    int min_exponent;      /* of the last bit of a significand: of the subnormal numbers */
    int max_power;         /* 10^(max_power + 1) is infinite ... */
    int min_power;         /* ... and 10^19 * 10^(min_power - 1) rounds to 0 */
    uint64_t infinity;
};

static const struct layout layout_double = {
    .significand_nbits = 53,
    .min_exponent = -1074,
    .max_power = 308,
    .min_power = -342,
    .infinity = UINT64_C(0x7ff) << 52,
};

static const struct layout layout_float = {
    .significand_nbits = 24,
    .min_exponent = -149,
    .max_power = 38,
    .min_power = -64,
    .infinity = UINT64_C(0xff) << 23,
};

static const struct layout layout_float16 = {
    .significand_nbits = 11,
    .min_exponent = -24,
    .max_power = 4,
    .min_power = -27,
    .infinity = UINT64_C(0x1f) << 10,
};

/*
 * The bits of significand * 2^exponent. Floats are in the order of their bits, so a significand of
 * one bit too many (after rounding up) carries into the exponent as it should, up to infinity;
 * without its leading one it is subnormal, which subtracts that one from the lowest exponent.
 */
static uint64_t join(const struct layout *f, uint64_t significand, int exponent)
{
    uint64_t biased = (uint64_t)(exponent - f->min_exponent);

    return (biased << (f->significand_nbits - 1)) + significand;
}

/* What a product of 128 bits says about a number. */
struct guess {
    uint64_t floor; /* the bits of the largest float not above it, or infinity */
    bool up;        /* the next larger is nearer, or as near and even */
    bool sure;      /* `up` is known */
};

/* digits * 10^power; digits > 0, min_power <= power <= max_power. */
static inline struct guess estimate(const struct layout *f, uint64_t digits, int power)
{
    const struct stoa_pow10_bits *p = &stoa_pow10_bits[power - STOA_POW10_FIRST];
    int zeros = __builtin_clzll(digits);
    int exponent = stoa_pow10_floor_log2(power) + 1 - zeros; /* of the last bit of `high` */
    uint64_t high, low, lost, carry, rest, half;
    unsigned slack;
    struct guess guess = {0};
    int shift;

    digits <<= zeros;
    low = stoa_mul_wide(digits, p->high, &high);
    lost = stoa_mul_wide(digits, p->low, &carry);
    high += __builtin_add_overflow(low, carry, &low);
    /* The number is in [high:low, high:low + slack). */
    slack = stoa_pow10_is_exact(power) ? lost != 0 : 2;

    shift = 64 - f->significand_nbits - (high >> 63 == 0);
    if (shift < f->min_exponent - exponent)
        shift = f->min_exponent - exponent;
    if (shift > 64) { /* below 2^64, so `shift` > 65 leaves less than half of the last bit */
        guess.sure = shift > 65 || high != UINT64_MAX;
        return guess;
    }
    rest = shift < 64 ? high & ((UINT64_C(1) << shift) - 1) : high;
    half = UINT64_C(1) << (shift - 1);
    guess.floor = join(f, shift < 64 ? high >> shift : 0, exponent + shift);
    /* Up or down is a coin's throw, so it must not be a branch; being unsure is rare. */
    guess.up = (rest > half) | ((rest == half) & ((low > 0) | (guess.floor & 1)));
    guess.sure = true;
    if (rest - half + 1 <= 1 && slack > 0) /* in [middle - slack, middle] it may be both */
        guess.sure = rest < half ? low <= 0 - (uint64_t)slack : low > 0;
    if (guess.floor >= f->infinity)
        guess = (struct guess){.floor = f->infinity, .sure = true};
    return guess;
}

/* ---- Floats: the exact comparison. ---- */

/*
 * The middle between two doubles has at most 767 digits, so of a longer number the first 800 and
 * whether all others are 0 decide. Such a number is D * 10^-1123 at least, which bounds both sides
 * by 10^800 and 2^54 * 5^1123: 2,662 bits.
 */
#define MAX_NDIGITS 800
#define MAX_NLIMBS  88

struct big {
    uint32_t limb[MAX_NLIMBS]; /* the lowest first, the last is not 0 */
    size_t nlimbs;
};

static void big_mul_add(struct big *x, uint32_t factor, uint32_t addend)
{
    uint64_t carry = addend;

    for (size_t i = 0; i < x->nlimbs; i++) {
        carry += (uint64_t)x->limb[i] * factor;
        x->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry > 0) {
        assert(x->nlimbs < MAX_NLIMBS);
        x->limb[x->nlimbs++] = (uint32_t)carry;
    }
}

static void big_mul_pow5(struct big *x, unsigned power)
{
    for (; power >= 13; power -= 13)
        big_mul_add(x, 1220703125, 0); /* 5^13, the last below 2^32 */
    for (; power > 0; power--)
        big_mul_add(x, 5, 0);
}

static void big_shift(struct big *x, unsigned nbits)
{
    size_t nlimbs = nbits / 32;

    if (x->nlimbs == 0)
        return;
    big_mul_add(x, UINT32_C(1) << (nbits % 32), 0);
    assert(nlimbs <= MAX_NLIMBS - x->nlimbs);
    memmove(x->limb + nlimbs, x->limb, x->nlimbs * sizeof(x->limb[0]));
    memset(x->limb, 0, nlimbs * sizeof(x->limb[0]));
    x->nlimbs += nlimbs;
}

static int big_cmp(const struct big *a, const struct big *b)
{
    if (a->nlimbs != b->nlimbs)
        return a->nlimbs < b->nlimbs ? -1 : 1;
    for (size_t i = a->nlimbs; i-- > 0;) {
        if (a->limb[i] != b->limb[i])
            return a->limb[i] < b->limb[i] ? -1 : 1;
    }
    return 0;
}

/*
 * The number without leading zeros and cut to MAX_NDIGITS digits: *out * 10^*power and, where this
 * returns true, less than 10^*power more.
 */
static bool big_from_text(const struct stoa_number_text *text, struct big *out, int64_t *power)
{
    size_t begin = stoa_number_leading_zeros(text);
    size_t ndigits = stoa_number_ndigits(text);
    size_t end = ndigits - begin > MAX_NDIGITS ? begin + MAX_NDIGITS : ndigits;
    bool more = false;

    out->nlimbs = 0;
    for (size_t i = begin; i < end; i++)
        big_mul_add(out, 10, stoa_number_digit(text, i));
    for (size_t i = end; i < ndigits && !more; i++)
        more = stoa_number_digit(text, i) != 0;
    *power = text->exponent + (int64_t)(ndigits - end);
    return more;
}

/* -1, 0, 1: the number against the middle between the float `bits` and the next larger. */
static int compare_middle(const struct layout *f, const struct stoa_number_text *text,
                          uint64_t bits)
{
    const uint64_t hidden = UINT64_C(1) << (f->significand_nbits - 1);
    uint64_t biased = bits >> (f->significand_nbits - 1);
    uint64_t middle = ((bits & (hidden - 1)) | (biased > 0 ? hidden : 0)) * 2 + 1;
    int exponent = f->min_exponent - 1 + (biased > 0 ? (int)biased - 1 : 0);
    struct big number, other = {.limb = {(uint32_t)middle, (uint32_t)(middle >> 32)}};
    int64_t power;
    bool more = big_from_text(text, &number, &power);
    int order;

    /* number * 10^power against other * 2^exponent; first the fives, then what is left of twos. */
    other.nlimbs = middle >> 32 != 0 ? 2 : 1;
    if (power >= 0)
        big_mul_pow5(&number, (unsigned)power);
    else
        big_mul_pow5(&other, (unsigned)-power);
    if (power >= exponent)
        big_shift(&number, (unsigned)(power - exponent));
    else
        big_shift(&other, (unsigned)(exponent - power));
    order = big_cmp(&number, &other);
    return order == 0 && more ? 1 : order;
}

/* ---- Floats: from text to bits. ---- */

/*
 * The first 19 digits, from the first that is not 0: *digits * 10^*power and, where this returns
 * true, less than 10^*power more.
 */
static bool first_digits(const struct stoa_number_text *text, uint64_t *digits, int64_t *power)
{
    size_t ndigits = stoa_number_ndigits(text);
    size_t begin = 0, end = ndigits;

    *digits = text->digits;
    *power = text->exponent;
    if (ndigits <= 19)
        return false;
    begin = stoa_number_leading_zeros(text);
    if (ndigits - begin <= 19)
        return false; /* leading zeros added nothing to text->digits */
    end = begin + 19;
    *digits = 0;
    for (size_t i = begin; i < end; i++)
        *digits = *digits * 10 + stoa_number_digit(text, i);
    *power += (int64_t)(ndigits - end);
    while (end < ndigits && stoa_number_digit(text, end) == 0)
        end++;
    return end < ndigits;
}

/* The bits of the nearest float, without the sign; infinity when it is too large. */
static inline uint64_t nearest(const struct layout *f, const struct stoa_number_text *text)
{
    uint64_t digits;
    int64_t power;
    bool more = first_digits(text, &digits, &power);
    struct guess guess;

    if (digits == 0 || power < f->min_power)
        return 0;
    if (power > f->max_power)
        return f->infinity;
    guess = estimate(f, digits, (int)power);
    if (more && guess.sure) { /* the number is between digits and digits + 1 */
        struct guess above = estimate(f, digits + 1, (int)power);

        guess.sure = above.sure && above.floor + above.up == guess.floor + guess.up;
    }
    if (!guess.sure) {
        int order = compare_middle(f, text, guess.floor);

        guess.up = order > 0 || (order == 0 && (guess.floor & 1) != 0);
    }
    return guess.floor + guess.up;
}

static bool equals_ignoring_case(const char *text, size_t nbytes, const char *word)
{
    size_t i = 0;

    while (i < nbytes && word[i] != '\0' && (text[i] | 0x20) == word[i])
        i++;
    return i == nbytes && word[i] == '\0';
}

/* The bits of a NaN or an infinity in words, without the sign. */
static bool parse_words(const struct layout *f, const char *text, size_t nbytes, uint64_t *bits)
{
    if (equals_ignoring_case(text, nbytes, "nan")) {
        *bits = f->infinity | UINT64_C(1) << (f->significand_nbits - 2);
        return true;
    }
    *bits = f->infinity;
    return equals_ignoring_case(text, nbytes, "inf") ||
           equals_ignoring_case(text, nbytes, "infinity");
}

static inline bool parse_bits(const struct layout *f, const char *text, size_t nbytes,
                              uint64_t *bits, bool *negative)
{
    struct stoa_number_text number;

    if (stoa_number_scan(text, nbytes, &number)) {
        *negative = number.negative;
        *bits = nearest(f, &number);
        return *bits != f->infinity;
    }
    *negative = nbytes > 0 && text[0] == '-';
    if (*negative || (nbytes > 0 && text[0] == '+')) {
        text++;
        nbytes--;
    }
    return parse_words(f, text, nbytes, bits);
}

bool stoa_number_parse_double(const char *text, size_t nbytes, double *out)
{
    uint64_t bits;
    bool negative;

    if (!parse_bits(&layout_double, text, nbytes, &bits, &negative))
        return false;
    bits |= (uint64_t)negative << 63;
    memcpy(out, &bits, sizeof(*out));
    return true;
}

bool stoa_number_parse_float(const char *text, size_t nbytes, float *out)
{
    uint64_t bits;
    uint32_t half;
    bool negative;

    if (!parse_bits(&layout_float, text, nbytes, &bits, &negative))
        return false;
    half = (uint32_t)bits | (uint32_t)negative << 31;
    memcpy(out, &half, sizeof(*out));
    return true;
}

bool stoa_number_parse_float16(const char *text, size_t nbytes, uint16_t *out)
{
    uint64_t bits;
    bool negative;

    if (!parse_bits(&layout_float16, text, nbytes, &bits, &negative))
        return false;
    *out = (uint16_t)(bits | (uint64_t)negative << 15);
    return true;
}

size_t stoa_number_significant_digits(const char *text, size_t nbytes)
{
    struct stoa_number_text number;
    size_t begin, end;

    if (!stoa_number_scan(text, nbytes, &number))
        return 0;
    begin = stoa_number_leading_zeros(&number);
    end = stoa_number_ndigits(&number);
    while (end > begin && stoa_number_digit(&number, end - 1) == 0)
        end--;
    return end - begin;
}
