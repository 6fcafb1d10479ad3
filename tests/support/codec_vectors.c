/*
 * A reader of `key: words` lines. Vectors are separated by empty lines, # starts a comment.
 */
#include "support/codec_vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bits.h"
#include "base/bytes.h"

/* ---- Words to values. ---- */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

uint8_t *stoa_test_unhex(const char *text, size_t length, size_t *nbytes)
{
    uint8_t *bytes = malloc(length / 2 + 1);
    size_t ndigits = 0;

    assert_non_null(bytes);
    for (size_t i = 0; i < length; i++) {
        int digit = hex_digit(text[i]);

        if (text[i] == ' ')
            continue;
        if (digit < 0)
            fail_msg("\"%.*s\" is not hex", (int)length, text);
        if (ndigits % 2 == 0)
            bytes[ndigits / 2] = (uint8_t)(digit * 16);
        else
            bytes[ndigits / 2] = (uint8_t)(bytes[ndigits / 2] | digit);
        ndigits++;
    }
    assert_true(ndigits % 2 == 0);
    *nbytes = ndigits / 2;
    return bytes;
}

/* Decimal with a sign, or 0x and the bits: 256 bits as 32-bit digits, the least first. */
static void put_number(const char *word, size_t length, uint8_t *out, uint32_t width)
{
    uint32_t digits[8] = {0};
    bool hex = length > 2 && word[0] == '0' && word[1] == 'x', negative = word[0] == '-';

    for (size_t i = hex ? 2 : negative; i < length; i++) {
        uint64_t base = hex ? 16 : 10, carry = (uint64_t)hex_digit(word[i]);

        if (carry >= base)
            fail_msg("\"%.*s\" is no number", (int)length, word);
        for (size_t k = 0; k < 8; k++) {
            carry += digits[k] * base;
            digits[k] = (uint32_t)carry;
            carry >>= 32;
        }
    }
    for (size_t k = 0, carry = 1; negative && k < 8; k++) {
        digits[k] = ~digits[k] + (uint32_t)carry;
        carry = carry && digits[k] == 0;
    }
    for (uint32_t k = 0; k < width; k++)
        out[STOA_LITTLE_ENDIAN ? k : width - 1 - k] = (uint8_t)(digits[k / 4] >> k % 4 * 8);
}

static size_t next_word(const char **at, const char **word)
{
    *at += strspn(*at, " ");
    *word = *at;
    *at += strcspn(*at, " ");
    return (size_t)(*at - *word);
}

static void column_make(struct stoa_test_column *column, enum stoa_phys phys, const char *words)
{
    uint32_t width = phys == STOA_PHYS_FIXED ? STOA_TEST_FIXED_WIDTH : stoa_phys_width(phys);
    size_t room = strlen(words) + 1, n = 0, nbytes = 0, length, last = 0;
    uint8_t *values = calloc(room + 1, 32); /* a word is a digit and a space at least */
    int32_t *offsets = calloc(room + 1, sizeof(*offsets));
    const char *word;
    bool nulls = false;

    column->validity = calloc(room, 1);
    assert_true(values != NULL && offsets != NULL && column->validity != NULL);
    while ((length = next_word(&words, &word)) > 0) {
        bool null = length == 4 && memcmp(word, "null", 4) == 0;
        uint8_t *bytes;

        if (!null)
            stoa_bitmap_set(column->validity, n);
        nulls |= null;
        if (null) { /* the value before once more */
            memmove(values + nbytes, values + nbytes - last, last);
            nbytes += last;
        } else if (phys == STOA_PHYS_BYTES || phys == STOA_PHYS_FIXED) {
            assert_int_equal(word[0], 'x');
            bytes = stoa_test_unhex(word + 1, length - 1, &last);
            assert_true(phys == STOA_PHYS_BYTES || last == width);
            memcpy(values + nbytes, bytes, last);
            free(bytes);
            nbytes += last;
        } else {
            put_number(word, length, values + nbytes, width);
            nbytes += last = width;
        }
        if (n == 0 && null)
            nbytes += last = width; /* zeros */
        offsets[++n] = (int32_t)nbytes;
    }
    if (!nulls) {
        free(column->validity);
        column->validity = NULL;
    }
    column->values = values;
    column->offsets = offsets;
    column->vector =
        (struct stoa_vector){.phys = phys, .width = width, .nvalues = n, .values = values};
    if (phys == STOA_PHYS_BYTES)
        column->vector.offsets = offsets;
}

static void column_free(struct stoa_test_column *column)
{
    free(column->values);
    free(column->offsets);
    free(column->validity);
}

/* ---- Bases. ---- */

static enum stoa_status load(struct stoa_base_source *source, enum stoa_bases_wanted wanted,
                             size_t nslots, struct stoa_bases *out, struct stoa_error *err)
{
    struct stoa_test_bases *bases = (struct stoa_test_bases *)(void *)source;

    (void)wanted;
    (void)nslots;
    (void)err;
    *out = bases->derivation.bases;
    return STOA_OK;
}

static bool words_equal(const struct stoa_test_bases *bases, size_t a, size_t b)
{
    bool equal = true;

    for (unsigned k = 0; k < bases->count; k++)
        equal &= bases->words[k][a] == bases->words[k][b];
    return equal;
}

/* The words of one more base; slots have the number of the first that has equal words as key. */
static void add_base(struct stoa_test_bases *bases, const char *words)
{
    struct stoa_test_column column = {0};
    size_t n;

    column_make(&column, STOA_PHYS_I64, words);
    n = column.vector.nvalues;
    assert_true(bases->count < 2 && (bases->count == 0 || n == bases->nvalues));
    bases->words[bases->count++] = (uint64_t *)(void *)column.values;
    free(column.offsets);
    free(column.validity);
    free(bases->keys);
    bases->keys = calloc(n + 1, sizeof(bases->keys[0]));
    assert_non_null(bases->keys);
    for (size_t i = 0; i < n; i++)
        while (!words_equal(bases, bases->keys[i], i))
            bases->keys[i]++;
    bases->nvalues = n;
    bases->source.load = load;
    bases->derivation.bases = (struct stoa_bases){.words = {bases->words[0], bases->words[1]},
                                                  .end = n,
                                                  .keys = bases->keys,
                                                  .nkeys = (uint32_t)n};
}

/* ---- Lines to vectors. ---- */

static enum stoa_phys parse_phys(const char *name)
{
    for (unsigned phys = 0; stoa_phys_name(phys) != NULL; phys++) {
        if (strcmp(name, stoa_phys_name(phys)) == 0)
            return (enum stoa_phys)phys;
    }
    fail_msg("\"%s\" is no physical type", name);
    return STOA_PHYS_NONE;
}

static void take_line(struct stoa_test_vector *v, const char *key, const char *text)
{
    if (strcmp(key, "plan") == 0) {
        v->plan = strdup(text);
    } else if (strcmp(key, "phys") == 0) {
        v->phys = parse_phys(text);
    } else if (strcmp(key, "dictionary") == 0) {
        column_make(&v->dictionary, v->phys, text);
        v->has_dictionary = true;
    } else if (strcmp(key, "values") == 0) {
        column_make(&v->values, v->phys, text);
        v->nvalues = v->values.vector.nvalues;
    } else if (strcmp(key, "base") == 0) {
        add_base(&v->bases, text);
    } else if (strcmp(key, "multipliers") == 0) {
        char *end;

        v->bases.derivation.multipliers[0] = (uint64_t)strtoll(text, &end, 10);
        v->bases.derivation.multipliers[1] = (uint64_t)strtoll(end, NULL, 10);
    } else if (strcmp(key, "nvalues") == 0) {
        v->nvalues = strtoul(text, NULL, 10);
    } else if (strcmp(key, "error") == 0) {
        v->error = strdup(text);
    } else if (strcmp(key, "page") == 0) {
        v->page = stoa_test_unhex(text, strlen(text), &v->page_nbytes);
    } else {
        fail_msg("line %zu: \"%s\" is no key", v->line, key);
    }
}

struct stoa_test_vector *stoa_test_vectors_read(const char *path, size_t *count)
{
    FILE *file = fopen(path, "r");
    struct stoa_test_vector *vectors = NULL;
    char *line = NULL;
    size_t room = 0, number = 0;

    if (file == NULL)
        fail_msg("%s: cannot be opened; run tests in the root of the tree", path);
    *count = 0;
    while (getline(&line, &room, file) > 0) {
        char *text = strstr(line, ": ");

        number++;
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '#' || line[0] == '\0')
            continue;
        if (text == NULL)
            fail_msg("%s: line %zu: no key", path, number);
        *text = '\0';
        text += 2;
        if (strcmp(line, "name") == 0) {
            vectors = realloc(vectors, (*count + 1) * sizeof(*vectors));
            assert_non_null(vectors);
            vectors[(*count)++] = (struct stoa_test_vector){.name = strdup(text), .line = number};
        } else {
            assert_true(*count > 0);
            take_line(&vectors[*count - 1], line, text);
        }
    }
    free(line);
    fclose(file);
    return vectors;
}

void stoa_test_vectors_free(struct stoa_test_vector *vectors, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(vectors[i].name);
        free(vectors[i].plan);
        free(vectors[i].error);
        free(vectors[i].page);
        column_free(&vectors[i].values);
        column_free(&vectors[i].dictionary);
        free(vectors[i].bases.words[0]);
        free(vectors[i].bases.words[1]);
        free(vectors[i].bases.keys);
    }
    free(vectors);
}
