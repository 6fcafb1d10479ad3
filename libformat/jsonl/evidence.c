/*
 * The tree of evidence: found by name, joined, and made a schema of.
 */
#include "jsonl/evidence.h"

#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "column/schema.h"
#include "column/type.h"

#define MAX_PRECISION_USUAL 38
#define CLOCK_FORMAT        "%H:%M:%S"

enum stoa_status stoa_jsonl_evidence_new(struct stoa_jsonl_evidence **out, struct stoa_error *err)
{
    enum stoa_status st = stoa_alloc_zeroed(out, 1, sizeof(**out), err);

    if (st == STOA_OK)
        (*out)->least_ndigits = 9;
    return st;
}

/* Forgets the members of an object. */
static void drop_children(struct stoa_jsonl_evidence *evidence)
{
    for (size_t i = 0; i < evidence->nchildren; i++)
        stoa_jsonl_evidence_free(evidence->children[i]);
    stoa_free(evidence->children);
    stoa_free(evidence->slots);
    evidence->children = NULL;
    evidence->slots = NULL;
    evidence->nchildren = evidence->capacity = evidence->nslots = 0;
}

void stoa_jsonl_evidence_free(struct stoa_jsonl_evidence *evidence)
{
    if (evidence == NULL)
        return;
    drop_children(evidence);
    stoa_jsonl_evidence_free(evidence->item);
    stoa_free(evidence->name);
    stoa_free(evidence);
}

/* ---- Names. ---- */

static void put_slot(struct stoa_jsonl_evidence *evidence, uint32_t child)
{
    const char *name = evidence->children[child]->name;
    size_t slot = stoa_hash_seeded(name, strlen(name), evidence->seed) & (evidence->nslots - 1);

    while (evidence->slots[slot] != 0)
        slot = (slot + 1) & (evidence->nslots - 1);
    evidence->slots[slot] = child + 1;
}

/* Room in the table for one more child. */
static enum stoa_status grow_slots(struct stoa_jsonl_evidence *evidence, struct stoa_error *err)
{
    uint32_t *slots;
    enum stoa_status st;

    if (2 * (evidence->nchildren + 1) <= evidence->nslots)
        return STOA_OK;
    st = stoa_alloc_zeroed(&slots, evidence->nslots > 0 ? 2 * evidence->nslots : 8, sizeof(*slots),
                           err);
    if (st != STOA_OK)
        return st;
    if (evidence->slots == NULL)
        evidence->seed = stoa_hash_make_seed();
    stoa_free(evidence->slots);
    evidence->slots = slots;
    evidence->nslots = evidence->nslots > 0 ? 2 * evidence->nslots : 8;
    for (size_t i = 0; i < evidence->nchildren; i++)
        put_slot(evidence, (uint32_t)i);
    return STOA_OK;
}

static struct stoa_jsonl_evidence *find_child(const struct stoa_jsonl_evidence *evidence,
                                              const char *name, size_t nbytes)
{
    if (evidence->nslots == 0)
        return NULL;
    for (size_t slot = stoa_hash_seeded(name, nbytes, evidence->seed) & (evidence->nslots - 1);
         evidence->slots[slot] != 0; slot = (slot + 1) & (evidence->nslots - 1)) {
        struct stoa_jsonl_evidence *child = evidence->children[evidence->slots[slot] - 1];

        if (strlen(child->name) == nbytes && memcmp(child->name, name, nbytes) == 0)
            return child;
    }
    return NULL;
}

/* Whether there is room for another child; else the object is a map from now on. */
static enum stoa_status check_nchildren(struct stoa_jsonl_evidence *evidence,
                                        struct stoa_error *err)
{
    if (evidence->is_record && evidence->nchildren == STOA_JSONL_MAX_NCOLUMNS)
        return stoa_fail(err, STOA_ERR_LIMIT,
                         "the records have more than %d different keys, which would be columns",
                         STOA_JSONL_MAX_NCOLUMNS);
    if (!evidence->is_record && evidence->nchildren == STOA_JSONL_MAX_NMEMBERS) {
        drop_children(evidence);
        evidence->is_map = true;
    }
    return STOA_OK;
}

/* Takes `child` over when it succeeds; *added is false when the object is a map now. */
static enum stoa_status add_child(struct stoa_jsonl_evidence *evidence,
                                  struct stoa_jsonl_evidence *child, bool *added,
                                  struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(check_nchildren(evidence, err));
    *added = !evidence->is_map;
    if (evidence->is_map)
        return STOA_OK;
    STOA_TRY(stoa_reserve(&evidence->children, &evidence->capacity, evidence->nchildren + 1,
                          sizeof(struct stoa_jsonl_evidence *), err));
    STOA_TRY(grow_slots(evidence, err));
    evidence->children[evidence->nchildren++] = child;
    put_slot(evidence, (uint32_t)evidence->nchildren - 1);
out:
    return st;
}

enum stoa_status stoa_jsonl_evidence_child(struct stoa_jsonl_evidence *evidence, const char *name,
                                           size_t nbytes, struct stoa_jsonl_evidence **out,
                                           struct stoa_error *err)
{
    struct stoa_jsonl_evidence *child = NULL;
    bool added;
    enum stoa_status st;

    *out = evidence->is_map ? NULL : find_child(evidence, name, nbytes);
    if (*out != NULL || evidence->is_map)
        return STOA_OK;
    STOA_TRY(stoa_jsonl_evidence_new(&child, err));
    STOA_TRY(stoa_strndup(&child->name, name, nbytes, err));
    STOA_TRY(add_child(evidence, child, &added, err));
    if (added) {
        *out = child;
        child = NULL;
    }
out:
    stoa_jsonl_evidence_free(child);
    return st;
}

/* ---- Joining. ---- */

static uint32_t least_of(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t most_of(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static enum stoa_status join_children(struct stoa_jsonl_evidence *evidence,
                                      struct stoa_jsonl_evidence *later, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    if (later->is_map) {
        drop_children(evidence);
        evidence->is_map = true;
    }
    for (size_t i = 0; i < later->nchildren && !evidence->is_map; i++) {
        struct stoa_jsonl_evidence *child = later->children[i];
        struct stoa_jsonl_evidence *mine = find_child(evidence, child->name, strlen(child->name));
        bool added;

        if (mine != NULL) {
            STOA_TRY(stoa_jsonl_evidence_join(mine, child, err));
            continue;
        }
        STOA_TRY(add_child(evidence, child, &added, err));
        if (!added)
            break;
        later->children[i] = NULL;
    }
out:
    return st;
}

enum stoa_status stoa_jsonl_evidence_join(struct stoa_jsonl_evidence *evidence,
                                          struct stoa_jsonl_evidence *later, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    evidence->is_record |= later->is_record;
    evidence->nvalues += later->nvalues;
    evidence->nnulls += later->nnulls;
    evidence->seen |= later->seen;
    evidence->numbers |= later->numbers;
    evidence->texts |= later->texts;
    evidence->integer_ndigits = most_of(evidence->integer_ndigits, later->integer_ndigits);
    evidence->fraction_ndigits = most_of(evidence->fraction_ndigits, later->fraction_ndigits);
    evidence->least_ndigits = least_of(evidence->least_ndigits, later->least_ndigits);
    evidence->most_ndigits = most_of(evidence->most_ndigits, later->most_ndigits);
    if (evidence->item == NULL) {
        evidence->item = later->item;
        later->item = NULL;
    } else if (later->item != NULL) {
        STOA_TRY(stoa_jsonl_evidence_join(evidence->item, later->item, err));
    }
    STOA_TRY(join_children(evidence, later, err));
out:
    return st;
}

/* ---- Types. ---- */

static enum stoa_status make_field(const struct stoa_jsonl_evidence *evidence, const char *name,
                                   unsigned depth, struct stoa_field *out, struct stoa_error *err);

static enum stoa_status make_json(struct stoa_field *out, struct stoa_error *err)
{
    out->type = (struct stoa_type){.id = STOA_UTF8};
    return stoa_metadata_set(&out->metadata, STOA_METADATA_JSON_TEXT, "true", err);
}

static enum stoa_status make_number(const struct stoa_jsonl_evidence *evidence,
                                    struct stoa_field *out, struct stoa_error *err)
{
    const uint32_t numbers = evidence->numbers, scale = evidence->fraction_ndigits;
    const uint32_t precision = most_of(MAX_PRECISION_USUAL, scale + evidence->integer_ndigits);

    if (!(numbers & STOA_JSONL_NO_INT64)) {
        out->type.id = STOA_INT64;
    } else if (!(numbers & STOA_JSONL_NO_UINT64)) {
        out->type.id = STOA_UINT64;
    } else if ((numbers & STOA_JSONL_FRACTIONS) && !(numbers & STOA_JSONL_NO_DOUBLE)) {
        out->type.id = STOA_FLOAT64;
    } else if (!(numbers & STOA_JSONL_NO_DECIMAL) && precision <= STOA_MAX_PRECISION) {
        out->type = (struct stoa_type){
            .id = STOA_DECIMAL, .precision = (uint8_t)precision, .scale = (uint8_t)scale};
    } else {
        return make_json(out, err);
    }
    return STOA_OK;
}

/* Of times: the unit, and a pattern where they are not written as this library does. */
static enum stoa_status make_time(const struct stoa_jsonl_evidence *evidence, uint32_t kind,
                                  struct stoa_field *out, struct stoa_error *err)
{
    const uint32_t texts = evidence->texts, most = evidence->most_ndigits;
    const bool is_usual = !(texts & (STOA_JSONL_BLANK | STOA_JSONL_UNUSUAL));
    const enum stoa_time_unit unit = (enum stoa_time_unit)((most + 2) / 3);
    const char *const clock = most > 0 ? CLOCK_FORMAT ".%"
                                                      "f"
                                       : CLOCK_FORMAT;
    struct stoa_buffer format = {0};
    enum stoa_status st = STOA_OK;

    if ((!is_usual && (evidence->least_ndigits != most || most % 3 != 0)) ||
        ((texts & STOA_JSONL_BLANK) && (texts & STOA_JSONL_T)) ||
        (unit == STOA_NANO && (texts & STOA_JSONL_LATE)))
        return STOA_OK; /* text, as it is */
    out->type.id = kind == STOA_JSONL_TIME ? STOA_TIME : STOA_TIMESTAMP;
    out->type.unit = unit;
    if (kind == STOA_JSONL_INSTANT)
        STOA_TRY(stoa_strndup(&out->type.zone, "UTC", 3, err));
    if (is_usual)
        return STOA_OK;
    if (kind != STOA_JSONL_TIME)
        STOA_TRY(stoa_buffer_append(&format, texts & STOA_JSONL_BLANK ? "%Y-%m-%d " : "%Y-%m-%dT",
                                    9, err));
    STOA_TRY(stoa_buffer_append(&format, clock, strlen(clock), err));
    STOA_TRY(stoa_buffer_append(&format, "%z", kind == STOA_JSONL_INSTANT ? 2 : 0, err));
    STOA_TRY(stoa_buffer_append_zeros(&format, 1, err));
    STOA_TRY(
        stoa_metadata_set(&out->metadata, STOA_METADATA_JSON_FORMAT, (char *)format.data, err));
out:
    stoa_buffer_free(&format);
    return st;
}

static enum stoa_status make_text(const struct stoa_jsonl_evidence *evidence,
                                  struct stoa_field *out, struct stoa_error *err)
{
    const uint32_t kinds =
        STOA_JSONL_TEXT | STOA_JSONL_DATE | STOA_JSONL_TIME | STOA_JSONL_CLOCK | STOA_JSONL_INSTANT;
    const uint32_t kind = evidence->texts & kinds;

    out->type.id = STOA_UTF8;
    if (kind == STOA_JSONL_DATE)
        out->type.id = STOA_DATE32;
    else if (kind == STOA_JSONL_TIME || kind == STOA_JSONL_CLOCK || kind == STOA_JSONL_INSTANT)
        return make_time(evidence, kind, out, err);
    return STOA_OK;
}

static enum stoa_status make_children(const struct stoa_jsonl_evidence *const *children,
                                      size_t nchildren, unsigned depth, struct stoa_field *out,
                                      struct stoa_error *err)
{
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&out->children, nchildren, sizeof(*out->children), err));
    for (; out->nchildren < nchildren; out->nchildren++) {
        const struct stoa_jsonl_evidence *child = children[out->nchildren];

        STOA_TRY(make_field(child, child->name != NULL ? child->name : "item", depth + 1,
                            &out->children[out->nchildren], err));
    }
out:
    return st;
}

/* An object or list; one that is too deep, or has no members or too many, is text. */
static enum stoa_status make_nested(const struct stoa_jsonl_evidence *evidence, unsigned depth,
                                    struct stoa_field *out, struct stoa_error *err)
{
    static const struct stoa_jsonl_evidence nothing = {0};
    const bool is_list = evidence->seen & STOA_JSONL_SAW_LIST;
    const struct stoa_jsonl_evidence *item = evidence->item != NULL ? evidence->item : &nothing;

    if (depth == STOA_MAX_FIELD_DEPTH || (!is_list && evidence->nchildren == 0))
        return make_json(out, err);
    out->type.id = is_list ? STOA_LIST : STOA_STRUCT;
    if (is_list)
        return make_children(&item, 1, depth, out, err);
    return make_children((const struct stoa_jsonl_evidence *const *)evidence->children,
                         evidence->nchildren, depth, out, err);
}

static enum stoa_status make_type(const struct stoa_jsonl_evidence *evidence, unsigned depth,
                                  struct stoa_field *out, struct stoa_error *err)
{
    switch (evidence->seen & ~(uint32_t)STOA_JSONL_SAW_NULL) {
    case 0:
        out->type.id = STOA_NULL;
        return STOA_OK;
    case STOA_JSONL_SAW_BOOL:
        out->type.id = STOA_BOOL;
        return STOA_OK;
    case STOA_JSONL_SAW_NUMBER:
        return make_number(evidence, out, err);
    case STOA_JSONL_SAW_TEXT:
        return make_text(evidence, out, err);
    case STOA_JSONL_SAW_OBJECT:
    case STOA_JSONL_SAW_LIST:
        return make_nested(evidence, depth, out, err);
    default:
        return make_json(out, err);
    }
}

/* *out is `{0}`. */
static enum stoa_status make_field(const struct stoa_jsonl_evidence *evidence, const char *name,
                                   unsigned depth, struct stoa_field *out, struct stoa_error *err)
{
    struct stoa_field field = {.nullable = true};
    enum stoa_status st;

    STOA_TRY(stoa_strndup(&field.name, name, strlen(name), err));
    STOA_TRY(make_type(evidence, depth, &field, err));
    *out = field;
    field = (struct stoa_field){0};
out:
    stoa_field_reset(&field);
    return st;
}

enum stoa_status stoa_jsonl_evidence_schema(const struct stoa_jsonl_evidence *record,
                                            bool texts_only, struct stoa_schema *out,
                                            struct stoa_error *err)
{
    static const struct stoa_jsonl_evidence mixed = {.seen =
                                                         STOA_JSONL_SAW_BOOL | STOA_JSONL_SAW_TEXT};
    struct stoa_schema schema = {0};
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&schema.fields, record->nchildren, sizeof(*schema.fields), err));
    for (; schema.nfields < record->nchildren; schema.nfields++) {
        const struct stoa_jsonl_evidence *child = record->children[schema.nfields];

        STOA_TRY(make_field(texts_only ? &mixed : child, child->name, 1,
                            &schema.fields[schema.nfields], err));
    }
    STOA_TRY(stoa_schema_check(&schema, err));
    *out = schema;
    schema = (struct stoa_schema){0};
out:
    stoa_schema_reset(&schema);
    return st;
}
