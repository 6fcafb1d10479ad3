/* Decimals: exact or refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/number.h"
#include "support/random.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
    const char *text;
    unsigned precision, scale;
    const char *back; /* as it is written again; NULL when the type cannot hold it */
} cases[] = {
    {"12.50", 10, 2, "12.50"},
    {"12.5", 10, 2, "12.50"},
    {"12", 10, 2, "12.00"},
    {"+12", 10, 2, "12.00"},
    {"-12.50", 10, 2, "-12.50"},
    {"-0.05", 10, 2, "-0.05"},
    {".5", 10, 2, "0.50"},
    {"5.", 10, 2, "5.00"},
    {"-0", 10, 2, "0.00"},
    {"0", 1, 0, "0"},
    {"0", 1, 1, "0.0"},
    {"12.5000", 10, 2, "12.50"},
    {"12.505", 10, 2, NULL},
    {"12.50500000000000000000000000000", 10, 3, "12.505"},
    {"0.001", 10, 2, NULL},
    {"0.00000000000000000000000000000000000000000000000000000001", 38, 38, NULL},
    {"99999999.99", 10, 2, "99999999.99"},
    {"100000000.00", 10, 2, NULL},
    {"-99999999.99", 10, 2, "-99999999.99"},
    {"-100000000", 10, 2, NULL},
    {"000000000000000000000000000000000000000000000000000001.5", 2, 1, "1.5"},
    {"1.25e1", 10, 2, "12.50"},
    {"1.25e-1", 10, 3, "0.125"},
    {"1.25e-1", 10, 2, NULL},
    {"1250e-3", 10, 2, "1.25"},
    {"1e7", 10, 2, "10000000.00"},
    {"1e8", 10, 2, NULL},
    {"1e999999999999999999999", 38, 0, NULL},
    {"1e-999999999999999999999", 38, 38, NULL},
    {"0e999999999999999999999", 38, 0, "0"},
    {"0e-999999999999999999999", 5, 2, "0.00"},
    {"1000e-3", 1, 0, "1"},
    {"99999999999999999999999999999999999999", 38, 0, "99999999999999999999999999999999999999"},
    {"-99999999999999999999999999999999999999", 38, 0, "-99999999999999999999999999999999999999"},
    {"100000000000000000000000000000000000000", 38, 0, NULL},
    {"170141183460469231731687303715884105728", 38, 0, NULL},
    {"0.99999999999999999999999999999999999999", 38, 38,
     "0.99999999999999999999999999999999999999"},
    {"1", 38, 38, NULL},
    {"1e37", 38, 0, "10000000000000000000000000000000000000"},
    {"1e-38", 38, 38, "0.00000000000000000000000000000000000001"},
    {"12345678901234567890.123456789012345678", 38, 18, "12345678901234567890.123456789012345678"},
    {"", 10, 2, NULL},
    {".", 10, 2, NULL},
    {"nan", 10, 2, NULL},
    {"inf", 10, 2, NULL},
    {"1,5", 10, 2, NULL},
    {" 1", 10, 2, NULL},
    {"1 ", 10, 2, NULL},
    {"0x1", 10, 2, NULL},
};

static void decimals_are_exact_or_refused(void **state)
{
    (void)state;

    for (size_t i = 0; i < LENGTH(cases); i++) {
        const char *text = cases[i].text;
        struct stoa_int128 x = stoa_int128_from_i64(77);
        char back[STOA_NUMBER_NBYTES + 1] = "";
        bool good = stoa_decimal_parse(text, strlen(text), cases[i].precision, cases[i].scale, &x);

        if (good)
            back[stoa_decimal_format(x, cases[i].scale, back)] = '\0';
        else
            assert_true(x.hi == 0 && x.lo == 77);
        if (good != (cases[i].back != NULL) || (good && strcmp(back, cases[i].back) != 0))
            fail_msg("\"%s\" as decimal(%u,%u) gave %s", text, cases[i].precision, cases[i].scale,
                     good ? back : "nothing");
    }
}

static void decimals_come_back_from_their_text(void **state)
{
    (void)state;
    struct stoa_test_random random;

    stoa_test_random_init(&random, "decimals_come_back_from_their_text");
    for (size_t i = 0; i < stoa_test_ncases(300000); i++) {
        unsigned precision = (unsigned)stoa_test_random_between(&random, 1, 38);
        unsigned scale = (unsigned)stoa_test_random_between(&random, 0, precision);
        struct stoa_int128 x = {.hi = (int64_t)stoa_test_random_u64(&random),
                                .lo = stoa_test_random_u64(&random)};
        struct stoa_int128 rest, back = stoa_int128_from_i64(77);
        char text[STOA_NUMBER_NBYTES];
        size_t nbytes;

        (void)stoa_int128_div_pow10(x, (unsigned)stoa_test_random_between(&random, 0, precision),
                                    &rest);
        nbytes = stoa_decimal_format(rest, scale, text);
        assert_true(nbytes <= sizeof(text));
        assert_true(stoa_decimal_parse(text, nbytes, precision, scale, &back));
        assert_int_equal(stoa_int128_cmp(rest, back), 0);
        if (scale > 0)
            assert_int_equal(text[nbytes - scale - 1], '.');
    }
}

/* What Python's integers and decimals say; the words stand lowest first. */
static const struct {
    const char *text;
    unsigned precision, scale;
    uint64_t words[4];
    const char *back;
} wide_cases[] = {
    {"9999999999999999999999999999999999999999999999999999999999999999999999999999",
     76,
     0,
     {UINT64_C(0xffffffffffffffff), UINT64_C(0x7775a5f171950fff), UINT64_C(0x764b4abe8652979),
      UINT64_C(0x161bcca7119915b5)},
     "9999999999999999999999999999999999999999999999999999999999999999999999999999"},
    {"-9999999999999999999999999999999999999999999999999999999999999999999999999999",
     76,
     0,
     {UINT64_C(0x1), UINT64_C(0x888a5a0e8e6af000), UINT64_C(0xf89b4b54179ad686),
      UINT64_C(0xe9e43358ee66ea4a)},
     "-9999999999999999999999999999999999999999999999999999999999999999999999999999"},
    {"10000000000000000000000000000000000000000000000000000000000000000000000000000",
     76,
     0,
     {0, 0, 0, 0},
     NULL},
    {"0.9999999999999999999999999999999999999999999999999999999999999999999999999999",
     76,
     76,
     {UINT64_C(0xffffffffffffffff), UINT64_C(0x7775a5f171950fff), UINT64_C(0x764b4abe8652979),
      UINT64_C(0x161bcca7119915b5)},
     "0.9999999999999999999999999999999999999999999999999999999999999999999999999999"},
    {"1e75",
     76,
     0,
     {UINT64_C(0x0), UINT64_C(0x8bf22a31be8ee800), UINT64_C(0xb3f07877973d50f2),
      UINT64_C(0x235fadd81c2822b)},
     "1000000000000000000000000000000000000000000000000000000000000000000000000000"},
    {"1e76", 76, 0, {0, 0, 0, 0}, NULL},
    {"1e-76",
     76,
     76,
     {UINT64_C(0x1), UINT64_C(0x0), UINT64_C(0x0), UINT64_C(0x0)},
     "0.0000000000000000000000000000000000000000000000000000000000000000000000000001"},
    {"1e-77", 76, 76, {0, 0, 0, 0}, NULL},
    {"1", 76, 76, {0, 0, 0, 0}, NULL},
    {"57896044618658097711785492504343953926634992332820282019728792003956564819967",
     76,
     0,
     {0, 0, 0, 0},
     NULL},
    {"0e99999", 50, 3, {UINT64_C(0x0), UINT64_C(0x0), UINT64_C(0x0), UINT64_C(0x0)}, "0.000"},
    {"-0", 39, 0, {UINT64_C(0x0), UINT64_C(0x0), UINT64_C(0x0), UINT64_C(0x0)}, "0"},
    {"12.5000000000000000000000000000000000000000000000000000000",
     39,
     1,
     {UINT64_C(0x7d), UINT64_C(0x0), UINT64_C(0x0), UINT64_C(0x0)},
     "12.5"},
    {"12.55", 76, 1, {0, 0, 0, 0}, NULL},
    {"340282366920938463463374607431768211456",
     39,
     0,
     {UINT64_C(0x0), UINT64_C(0x0), UINT64_C(0x1), UINT64_C(0x0)},
     "340282366920938463463374607431768211456"},
    {"-170141183460469231731687303715884105729",
     39,
     0,
     {UINT64_C(0xffffffffffffffff), UINT64_C(0x7fffffffffffffff), UINT64_C(0xffffffffffffffff),
      UINT64_C(0xffffffffffffffff)},
     "-170141183460469231731687303715884105729"},
    {"+2597919074833788762328601.2904047966", 54, 37, {0, 0, 0, 0}, NULL},
    {"+10273464686958969350492589913944117715.162046610",
     67,
     17,
     {UINT64_C(0x4c455d13695a5200), UINT64_C(0x350dde8bb9bb23be), UINT64_C(0xab9dafa9d37fc),
      UINT64_C(0x0)},
     "10273464686958969350492589913944117715.16204661000000000"},
    {"+8304011980364942.05552667869819846346e1",
     63,
     42,
     {UINT64_C(0xd1436bd981000000), UINT64_C(0xa53c4a2d76c0cfc8), UINT64_C(0x3aa34dbba7586b55),
      UINT64_C(0xd)},
     "83040119803649420.555266786981984634600000000000000000000000"},
    {"+5069920575594709005.4749952525594461092e-3", 39, 26, {0, 0, 0, 0}, NULL},
    {"-611955372.153e-13",
     54,
     20,
     {UINT64_C(0xffea424c5e3e8970), UINT64_C(0xffffffffffffffff), UINT64_C(0xffffffffffffffff),
      UINT64_C(0xffffffffffffffff)},
     "-0.00006119553721530000"},
    {"-592451959264.8", 41, 33, {0, 0, 0, 0}, NULL},
    {"960623079868.307848531941300836900712843088609152487053", 65, 37, {0, 0, 0, 0}, NULL},
    {"4207960434.988607",
     46,
     10,
     {UINT64_C(0x47f8c9357bf0fcf0), UINT64_C(0x2), UINT64_C(0x0), UINT64_C(0x0)},
     "4207960434.9886070000"},
    {"01701.887e2",
     47,
     2,
     {UINT64_C(0x103aff6), UINT64_C(0x0), UINT64_C(0x0), UINT64_C(0x0)},
     "170188.70"},
    {"54356128.0619205798609605756670338491636",
     63,
     49,
     {UINT64_C(0x3e509c729b500000), UINT64_C(0x8dc12045478c8e04), UINT64_C(0x162b0b689ac3f81d),
      UINT64_C(0x0)},
     "54356128.0619205798609605756670338491636000000000000000000"},
    {"-84171861598190723608191620510174941098.83181808592132379645", 62, 62, {0, 0, 0, 0}, NULL},
    {"-6836269987.2",
     74,
     53,
     {UINT64_C(0x9a00000000000000), UINT64_C(0x64c79d54300aeac1), UINT64_C(0xef914af0ff52eca9),
      UINT64_C(0xfffffffffffe5693)},
     "-6836269987.20000000000000000000000000000000000000000000000000000"},
    {"7787.922e12",
     48,
     10,
     {UINT64_C(0xf9cc5044ae500000), UINT64_C(0x406b90), UINT64_C(0x0), UINT64_C(0x0)},
     "7787922000000000.0000000000"},
    {"84699943404.7632e-11",
     59,
     59,
     {UINT64_C(0x5359000000000000), UINT64_C(0x4a150ef270006b50), UINT64_C(0x7e54abadd6b2e104),
      UINT64_C(0xd)},
     "0.84699943404763200000000000000000000000000000000000000000000"},
    {"+79.8071607331343342290420526",
     65,
     61,
     {UINT64_C(0x6387c4e000000000), UINT64_C(0x61b5b7fd6dfa9861), UINT64_C(0x246829c53ecfa57f),
      UINT64_C(0x1f0a4)},
     "79.8071607331343342290420526000000000000000000000000000000000000"},
    {"405795005566.71397",
     46,
     5,
     {UINT64_C(0x902ad73bd7d9a5), UINT64_C(0x0), UINT64_C(0x0), UINT64_C(0x0)},
     "405795005566.71397"},
    {"+.61784",
     46,
     17,
     {UINT64_C(0xdb80387ccd8000), UINT64_C(0x0), UINT64_C(0x0), UINT64_C(0x0)},
     "0.61784000000000000"},
    {"+574415988178504922257118259684.27742112889651446020e12", 62, 43, {0, 0, 0, 0}, NULL},
    {"-6781.571249119123966299",
     61,
     56,
     {UINT64_C(0x3d1934000000000), UINT64_C(0xd5afb0b2b3ffc1b9), UINT64_C(0xf69d40a34a806540),
      UINT64_C(0xffffffffffffff93)},
     "-6781.57124911912396629900000000000000000000000000000000000000"},
    {"+923.4540766589478470930e-9",
     73,
     67,
     {UINT64_C(0x3290950000000000), UINT64_C(0x8e5bba02a8cb8923), UINT64_C(0x25b032d91c65db2c),
      UINT64_C(0x5bf)},
     "0.0000009234540766589478470930000000000000000000000000000000000000000"},
    {"-3830871942.2719005938178055",
     72,
     58,
     {UINT64_C(0xaeaac40000000000), UINT64_C(0x43061babfae62773), UINT64_C(0x2eafb38acb345bbe),
      UINT64_C(0xfffffffe943ca960)},
     "-3830871942.2719005938178055000000000000000000000000000000000000000000"},
    {"-01531363751061326771863740776727045578.5e-20", 47, 5, {0, 0, 0, 0}, NULL},
    {"-52783230296820219277200675600360670331673259151904.4", 52, 16, {0, 0, 0, 0}, NULL},
    {".8405551061990101",
     58,
     31,
     {UINT64_C(0x60152900f2288000), UINT64_C(0x6a17cce055), UINT64_C(0x0), UINT64_C(0x0)},
     "0.8405551061990101000000000000000"},
    {"-85375750649614261.86858626", 69, 6, {0, 0, 0, 0}, NULL},
    {"73775428967.0220711539090775e5", 62, 51, {0, 0, 0, 0}, NULL},
    {"-41713302290134338868958372910.19013411e19", 45, 21, {0, 0, 0, 0}, NULL},
    {"-569714976318074.15537185619833505", 45, 41, {0, 0, 0, 0}, NULL},
    {"-2339.78653967679040210", 55, 13, {0, 0, 0, 0}, NULL},
    {"-03347605734217.46713274652647788", 42, 40, {0, 0, 0, 0}, NULL},
    {"-7.5",
     57,
     18,
     {UINT64_C(0x97eaa5bc98920000), UINT64_C(0xffffffffffffffff), UINT64_C(0xffffffffffffffff),
      UINT64_C(0xffffffffffffffff)},
     "-7.500000000000000000"},
    {"+.28e-17", 72, 1, {0, 0, 0, 0}, NULL},
    {"558072304650981744376450060293", 39, 13, {0, 0, 0, 0}, NULL},
    {"-824020070778986582421281657744748295280.67379e16", 65, 65, {0, 0, 0, 0}, NULL},
    {"-244161508773452665.043055968402646173318110416477448802372222760e20",
     74,
     14,
     {0, 0, 0, 0},
     NULL},
    {"2208.283616620e-11",
     50,
     19,
     {UINT64_C(0x336a6563be), UINT64_C(0x0), UINT64_C(0x0), UINT64_C(0x0)},
     "0.0000000220828361662"},
    {"-591305273.1587157058796788e9",
     57,
     8,
     {UINT64_C(0xb0f2376629599e78), UINT64_C(0xffffffffffcf169f), UINT64_C(0xffffffffffffffff),
      UINT64_C(0xffffffffffffffff)},
     "-591305273158715705.87967880"},
    {"+24254320906921902169.584178975299357895e18",
     63,
     25,
     {UINT64_C(0x476cd2986000000), UINT64_C(0x86cb5eacf27802ed), UINT64_C(0x5cc950b8d370c6d4),
      UINT64_C(0x96ef)},
     "24254320906921902169584178975299357895.0000000000000000000000000"},
    {"+544421983534647275829887901.668940366315830871", 61, 55, {0, 0, 0, 0}, NULL},
    {"-45e3",
     74,
     46,
     {UINT64_C(0x4fbe000000000000), UINT64_C(0xed329ccb8de8918a), UINT64_C(0xfffffecc18f61d1c),
      UINT64_C(0xffffffffffffffff)},
     "-45000.0000000000000000000000000000000000000000000000"},
};

static void wide_decimals_are_what_python_says(void **state)
{
    (void)state;

    for (size_t i = 0; i < LENGTH(wide_cases); i++) {
        const char *text = wide_cases[i].text;
        const struct stoa_int256 before = stoa_int256_from_i64(77);
        struct stoa_int256 x = before;
        char back[STOA_NUMBER_NBYTES + 1] = "";
        bool good = stoa_decimal256_parse(text, strlen(text), wide_cases[i].precision,
                                          wide_cases[i].scale, &x);

        if (good != (wide_cases[i].back != NULL))
            fail_msg("\"%s\" was %s", text, good ? "taken" : "refused");
        if (!good) {
            assert_int_equal(stoa_int256_cmp(x, before), 0);
            continue;
        }
        for (int k = 0; k < 4; k++)
            assert_int_equal(x.words[STOA_INT256_WORD(k)], wide_cases[i].words[k]);
        back[stoa_decimal256_format(x, wide_cases[i].scale, back)] = '\0';
        assert_string_equal(back, wide_cases[i].back);
    }
}

static void wide_decimals_agree_with_narrow_ones(void **state)
{
    (void)state;
    struct stoa_test_random random;

    for (size_t i = 0; i < LENGTH(cases); i++) {
        const char *text = cases[i].text;
        struct stoa_int128 x;
        struct stoa_int256 wide;
        bool good = stoa_decimal_parse(text, strlen(text), cases[i].precision, cases[i].scale, &x);

        assert_int_equal(
            stoa_decimal256_parse(text, strlen(text), cases[i].precision, cases[i].scale, &wide),
            good);
        if (good)
            assert_int_equal(stoa_int256_cmp(wide, stoa_int256_from_i128(x)), 0);
    }
    stoa_test_random_init(&random, "wide_decimals_agree_with_narrow_ones");
    for (size_t i = 0; i < stoa_test_ncases(100000); i++) {
        struct stoa_int128 x = {.hi = (int64_t)stoa_test_random_wide(&random),
                                .lo = stoa_test_random_u64(&random)};
        unsigned scale = (unsigned)stoa_test_random_below(&random, 39);
        char text[STOA_NUMBER_NBYTES], wide[STOA_NUMBER_NBYTES];
        size_t nbytes = stoa_decimal_format(x, scale, text);

        assert_int_equal(stoa_decimal256_format(stoa_int256_from_i128(x), scale, wide), nbytes);
        assert_memory_equal(text, wide, nbytes);
    }
}

static void wide_decimals_come_back_from_their_text(void **state)
{
    (void)state;
    struct stoa_test_random random;

    stoa_test_random_init(&random, "wide_decimals_come_back_from_their_text");
    for (size_t i = 0; i < stoa_test_ncases(50000); i++) {
        unsigned precision = (unsigned)stoa_test_random_between(&random, 1, 76);
        unsigned scale = (unsigned)stoa_test_random_between(&random, 0, precision);
        struct stoa_int256 x, rest, back;
        char text[STOA_NUMBER_NBYTES];
        size_t nbytes;

        stoa_test_random_bytes(&random, &x, sizeof(x));
        (void)stoa_int256_div_pow10(x, (unsigned)stoa_test_random_between(&random, 0, precision),
                                    &rest);
        nbytes = stoa_decimal256_format(rest, scale, text);
        assert_true(nbytes <= sizeof(text));
        assert_true(stoa_decimal256_parse(text, nbytes, precision, scale, &back));
        assert_int_equal(stoa_int256_cmp(rest, back), 0);
        if (scale > 0)
            assert_int_equal(text[nbytes - scale - 1], '.');
    }
}

/* Any 256 bits have a text too. */
static void the_widest_numbers_are_written(void **state)
{
    (void)state;
    struct stoa_int256 x = stoa_int256_from_i64(0);
    char text[STOA_NUMBER_NBYTES + 1];

    x.words[STOA_INT256_WORD(3)] = UINT64_C(1) << 63;
    text[stoa_decimal256_format(x, 0, text)] = '\0';
    assert_string_equal(text,
                        "-578960446186580977117854925043439539266349923328202820197287920039565"
                        "64819968");
    text[stoa_decimal256_format(x, 76, text)] = '\0';
    assert_string_equal(text,
                        "-5.78960446186580977117854925043439539266349923328202820197287920039565"
                        "64819968");
    text[stoa_decimal256_format(stoa_int256_from_i64(0), 76, text)] = '\0';
    assert_int_equal(strlen(text), 78);
}

/* Any 128 bits have a text, though no decimal type holds more than 38 digits. */
static void largest_and_smallest_numbers_are_written(void **state)
{
    (void)state;
    const struct stoa_int128 max = {.hi = INT64_MAX, .lo = UINT64_MAX};
    const struct stoa_int128 min = {.hi = INT64_MIN, .lo = 0};
    char text[STOA_NUMBER_NBYTES + 1];

    text[stoa_decimal_format(max, 0, text)] = '\0';
    assert_string_equal(text, "170141183460469231731687303715884105727");
    text[stoa_decimal_format(min, 38, text)] = '\0';
    assert_string_equal(text, "-1.70141183460469231731687303715884105728");
    text[stoa_decimal_format(stoa_int128_from_i64(-1), 38, text)] = '\0';
    assert_string_equal(text, "-0.00000000000000000000000000000000000001");
}

static void shape_says_which_decimal_type_holds_the_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
        unsigned integer_digits, fraction_digits;
    } shapes[] = {
        {"007.50", true, 1, 2},      {"1.5e3", true, 4, 0},
        {"0.00", true, 0, 2},        {"0", true, 0, 0},
        {"-12.345", true, 2, 3},     {"1e-3", true, 0, 3},
        {"0e5", true, 0, 0},         {"1.50e1", true, 2, 1},
        {"0.001", true, 0, 3},       {"1e70000", false, 0, 0},
        {"1e-70000", false, 0, 0},   {"0e-70000", false, 0, 0},
        {"1e65534", true, 65535, 0}, {"x", false, 0, 0},
        {"", false, 0, 0},           {"inf", false, 0, 0},
        {"100", true, 3, 0},         {".5", true, 0, 1},
        {"0.05e1", true, 0, 1},      {"12345678901234567890123.4", true, 23, 1},
    };

    for (size_t i = 0; i < LENGTH(shapes); i++) {
        unsigned integer_digits = 0, fraction_digits = 0;

        if (stoa_decimal_shape(shapes[i].text, strlen(shapes[i].text), &integer_digits,
                               &fraction_digits) != shapes[i].good ||
            integer_digits != shapes[i].integer_digits ||
            fraction_digits != shapes[i].fraction_digits)
            fail_msg("\"%s\" gave %u and %u", shapes[i].text, integer_digits, fraction_digits);
    }
}

static void a_type_of_that_shape_holds_the_text(void **state)
{
    (void)state;
    struct stoa_test_random random;

    stoa_test_random_init(&random, "a_type_of_that_shape_holds_the_text");
    for (size_t i = 0; i < stoa_test_ncases(300000); i++) {
        char text[64];
        unsigned whole, fraction;
        int digits = (int)stoa_test_random_between(&random, 0, 12);
        int nbytes =
            snprintf(text, sizeof(text), "%llu.%0*llue%d",
                     (unsigned long long)(stoa_test_random_wide(&random) >> 30), digits + 1,
                     (unsigned long long)stoa_test_random_below(&random, 1000000),
                     (int)stoa_test_random_between(&random, -12, 12));
        struct stoa_int128 x;

        assert_true(stoa_decimal_shape(text, (size_t)nbytes, &whole, &fraction));
        if (whole + fraction == 0)
            whole = 1;
        if (whole + fraction > 38)
            continue;
        assert_true(stoa_decimal_parse(text, (size_t)nbytes, whole + fraction, fraction, &x));
        if (x.hi != 0 || x.lo != 0) {
            /* One digit in front less never does. */
            if (whole > 0 && whole + fraction > 1)
                assert_false(
                    stoa_decimal_parse(text, (size_t)nbytes, whole + fraction - 1, fraction, &x));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals_are_exact_or_refused),
        cmocka_unit_test(decimals_come_back_from_their_text),
        cmocka_unit_test(wide_decimals_are_what_python_says),
        cmocka_unit_test(wide_decimals_agree_with_narrow_ones),
        cmocka_unit_test(wide_decimals_come_back_from_their_text),
        cmocka_unit_test(the_widest_numbers_are_written),
        cmocka_unit_test(largest_and_smallest_numbers_are_written),
        cmocka_unit_test(shape_says_which_decimal_type_holds_the_text),
        cmocka_unit_test(a_type_of_that_shape_holds_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
