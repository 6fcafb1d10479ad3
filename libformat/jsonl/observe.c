/*
 * What records say of the types of their keys (spec/jsonl.md, section 5).
 *
 * A record that is no JSON says nothing, so its syntax is checked first; then the same text is
 * walked over again, down the tree of evidence, with nothing left that could be wrong with it but
 * keys: one that stands twice, or is no name. Whether that matters depends on what their object
 * becomes.
 */
#include <string.h>

#include "base/error.h"
#include "base/json_scan.h"
#include "base/number.h"
#include "base/number_scan.h"
#include "base/time.h"
#include "column/json_value.h"
#include "column/type.h"
#include "jsonl/evidence.h"

/* What a walk over one record needs. */
struct walk {
    struct stoa_jsonl_observer *observer;
    struct stoa_json_fault fault; /* never set: the syntax was checked */
    struct stoa_error *err;
    enum stoa_status st;
};

/* ---- Numbers. ---- */

static uint32_t most_of(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* Any number: each type is asked whether it holds it. */
static uint32_t numbers_of(const char *text, size_t nbytes, bool is_integer)
{
    const double whole_end = 9007199254740992.0; /* 2^53 */
    const size_t ndigits = stoa_number_significant_digits(text, nbytes);
    const bool negative_zero = *text == '-' && ndigits == 0;
    uint32_t numbers = 0;
    int64_t low;
    uint64_t high;
    double x;

    if (!is_integer || negative_zero)
        numbers |= STOA_JSONL_NO_INT64 | STOA_JSONL_NO_UINT64 | STOA_JSONL_FRACTIONS;
    if (is_integer && !stoa_number_parse_int64(text, nbytes, &low))
        numbers |= STOA_JSONL_NO_INT64;
    if (is_integer && !stoa_number_parse_uint64(text, nbytes, &high))
        numbers |= STOA_JSONL_NO_UINT64;
    if (!stoa_number_parse_double(text, nbytes, &x) ||
        (is_integer ? !(x > -whole_end && x < whole_end) : ndigits > 17 || (x == 0 && ndigits > 0)))
        numbers |= STOA_JSONL_NO_DOUBLE;
    if (negative_zero || memchr(text, 'e', nbytes) != NULL || memchr(text, 'E', nbytes) != NULL)
        numbers |= STOA_JSONL_NO_DECIMAL;
    return numbers;
}

static const char *observe_number(struct walk *walk, struct stoa_jsonl_evidence *evidence,
                                  const char *at)
{
    bool is_integer;
    const char *end = stoa_json_scan_number(at, &is_integer, &walk->fault);
    const size_t nbytes = (size_t)(end - at);
    unsigned whole, fraction;

    evidence->seen |= STOA_JSONL_SAW_NUMBER;
    if (*at != '-' && nbytes <= 15 && is_integer) { /* most of them */
        evidence->integer_ndigits = most_of(evidence->integer_ndigits, (uint32_t)nbytes);
        return end;
    }
    evidence->numbers |= numbers_of(at, nbytes, is_integer);
    if (!(evidence->numbers & STOA_JSONL_NO_DECIMAL) &&
        stoa_decimal_shape(at, nbytes, &whole, &fraction)) {
        evidence->integer_ndigits = most_of(evidence->integer_ndigits, whole);
        evidence->fraction_ndigits = most_of(evidence->fraction_ndigits, fraction);
    }
    return end;
}

/* ---- Texts. ---- */

static uint32_t fraction_of(struct stoa_jsonl_evidence *evidence, unsigned ndigits, uint32_t nanos)
{
    if (evidence->least_ndigits > ndigits)
        evidence->least_ndigits = ndigits;
    evidence->most_ndigits = most_of(evidence->most_ndigits, ndigits);
    return ndigits == stoa_json_fraction_ndigits(nanos) ? 0 : STOA_JSONL_UNUSUAL;
}

static uint32_t timestamp_of(struct stoa_jsonl_evidence *evidence, const char *text, size_t nbytes)
{
    struct stoa_timestamp_text parts;
    uint32_t texts;
    int64_t x;

    if (!stoa_timestamp_parse_text(text, nbytes, &parts) || parts.zone_nbytes > 1)
        return STOA_JSONL_TEXT;
    texts = parts.zone_nbytes == 0 ? STOA_JSONL_CLOCK : STOA_JSONL_INSTANT;
    texts |= parts.separator == ' ' ? STOA_JSONL_BLANK : STOA_JSONL_T;
    texts |= fraction_of(evidence, parts.fraction_ndigits, parts.nanos);
    if (!stoa_timestamp_from_seconds(parts.seconds, parts.nanos, STOA_NANO, &x))
        texts |= STOA_JSONL_LATE;
    return texts;
}

static uint32_t texts_of(struct stoa_jsonl_evidence *evidence,
                         const struct stoa_json_string *string)
{
    const char *text = string->text;
    const size_t nbytes = string->nbytes;
    int32_t days;
    int64_t nanos;

    if ((evidence->texts & STOA_JSONL_TEXT) || string->escaped || nbytes < 8 || !stoa_digit(*text))
        return STOA_JSONL_TEXT;
    if (nbytes == 10 && stoa_date_parse(text, nbytes, &days))
        return STOA_JSONL_DATE;
    if (text[2] == ':')
        return !stoa_time_parse(text, nbytes, STOA_NANO, &nanos)
                   ? STOA_JSONL_TEXT
                   : STOA_JSONL_TIME | fraction_of(evidence, nbytes > 9 ? (unsigned)nbytes - 9 : 0,
                                                   (uint32_t)(nanos % 1000000000));
    return timestamp_of(evidence, text, nbytes);
}

/* ---- Nested values. ---- */

static const char *observe_value(struct walk *walk, struct stoa_jsonl_evidence *evidence,
                                 unsigned depth, const char *at);

/* The evidence of the key at `at`, NULL when there is none any more; behind it. */
static const char *find_member(struct walk *walk, struct stoa_jsonl_evidence *object,
                               size_t expected, const char *at, struct stoa_jsonl_evidence **out)
{
    struct stoa_jsonl_observer *observer = walk->observer;
    struct stoa_json_string key;
    const char *name, *end = stoa_json_scan_string(at, &key, &walk->fault);
    size_t nbytes = key.nbytes;

    *out = NULL;
    if (object->is_map)
        return end;
    if (expected < object->nchildren && !key.escaped) {
        struct stoa_jsonl_evidence *child = object->children[expected];

        if (strncmp(child->name, key.text, nbytes) == 0 && child->name[nbytes] == '\0') {
            *out = child;
            return end;
        }
    }
    name = key.text;
    if (key.escaped) {
        walk->st = stoa_buffer_resize(&observer->scratch, key.nbytes, walk->err);
        if (walk->st != STOA_OK)
            return NULL;
        nbytes = stoa_json_unescape(&key, (char *)observer->scratch.data);
        name = (const char *)observer->scratch.data;
    }
    if (nbytes > STOA_MAX_NAME_NBYTES || memchr(name, 0, nbytes) != NULL)
        return end; /* no name: the record is none, unless this becomes text */
    walk->st = stoa_jsonl_evidence_child(object, name, nbytes, out, walk->err);
    return walk->st == STOA_OK ? end : NULL;
}

static const char *observe_object(struct walk *walk, struct stoa_jsonl_evidence *object,
                                  unsigned depth, const char *at)
{
    const uint64_t serial = ++walk->observer->serial;
    size_t expected = 0;

    at = stoa_json_blanks(at + 1);
    while (*at != '}') {
        struct stoa_jsonl_evidence *child;

        at = find_member(walk, object, expected++, at, &child);
        if (at == NULL)
            return NULL;
        at = stoa_json_blanks(stoa_json_blanks(at) + 1);
        if (child != NULL && child->serial != serial) { /* not for the second time */
            child->serial = serial;
            at = observe_value(walk, child, depth + 1, at);
        } else {
            at = stoa_json_skip_value(at, &walk->fault);
        }
        if (at == NULL)
            return NULL;
        at = stoa_json_blanks(at);
        if (*at == ',')
            at = stoa_json_blanks(at + 1);
    }
    return at + 1;
}

static const char *observe_list(struct walk *walk, struct stoa_jsonl_evidence *list, unsigned depth,
                                const char *at)
{
    at = stoa_json_blanks(at + 1);
    if (*at != ']' && list->item == NULL) {
        walk->st = stoa_jsonl_evidence_new(&list->item, walk->err);
        if (walk->st != STOA_OK)
            return NULL;
    }
    while (*at != ']') {
        at = observe_value(walk, list->item, depth + 1, at);
        if (at == NULL)
            return NULL;
        at = stoa_json_blanks(at);
        if (*at == ',')
            at = stoa_json_blanks(at + 1);
    }
    return at + 1;
}

static const char *observe_value(struct walk *walk, struct stoa_jsonl_evidence *evidence,
                                 unsigned depth, const char *at)
{
    struct stoa_json_string string;

    evidence->nvalues++;
    switch (*at) {
    case 'n':
        evidence->seen |= STOA_JSONL_SAW_NULL;
        evidence->nnulls++;
        return at + 4;
    case 't':
    case 'f':
        evidence->seen |= STOA_JSONL_SAW_BOOL;
        return at + (*at == 't' ? 4 : 5);
    case '"':
        evidence->seen |= STOA_JSONL_SAW_TEXT;
        at = stoa_json_scan_string(at, &string, &walk->fault);
        evidence->texts |= texts_of(evidence, &string);
        return at;
    case '{':
    case '[':
        evidence->seen |= *at == '{' ? STOA_JSONL_SAW_OBJECT : STOA_JSONL_SAW_LIST;
        if (depth >= STOA_MAX_FIELD_DEPTH) /* text in any case */
            return stoa_json_skip_value(at, &walk->fault);
        return *at == '{' ? observe_object(walk, evidence, depth, at)
                          : observe_list(walk, evidence, depth, at);
    default:
        return observe_number(walk, evidence, at);
    }
}

enum stoa_status stoa_jsonl_observe(struct stoa_jsonl_observer *observer,
                                    struct stoa_jsonl_evidence *record, const char *line,
                                    struct stoa_error *err)
{
    struct walk walk = {.observer = observer, .err = err};
    const char *end;

    if (*line != '{')
        return STOA_OK;
    end = stoa_json_skip_value(line, &walk.fault);
    if (end == NULL)
        return STOA_OK;
    end = stoa_json_blanks(end);
    if (*end != '\n' && *end != '\0')
        return STOA_OK;
    record->is_record = true;
    record->nvalues++;
    (void)observe_object(&walk, record, 0, line);
    return walk.st;
}
