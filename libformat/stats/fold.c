/*
 * One column's fold: counts, bounds and sums of arrays and zone maps (stats/fold.h).
 *
 *     array ----> stoa_zone_compute() --> merged into the bounds        numbers
 *           ----> loop over texts ------> least and greatest, whole     bytes: a bound has 16 bytes
 *           ----> stoa_sum_..._of() ----> 384 bits, or a float sum      integers, decimals; floats
 *
 * Sums are exact until they are finished: integers have room for any number of values, floats are
 * kept bit by bit (base/float_sum.h). A compensated sum in a fixed order would be smaller, but it
 * would tie the result to row groups and be wrong in its last digits; the exact one costs no more
 * time than a plain loop of additions.
 */
#include "stats/fold.h"

#include <assert.h>
#include <string.h>

#include "base/error.h"
#include "base/float_sum.h"
#include "base/number.h"
#include "column/array.h"
#include "stats/fold_sum.h"
#include "stats/text_key.h"
#include "stats/zonemap.h"

enum { COUNTS = STOA_FOLD_COUNTS, BOUNDS = STOA_AGGREGATE_BOUNDS, SUMS = STOA_AGGREGATE_SUMS };

enum stoa_status stoa_fold_init(struct stoa_fold *fold, const struct stoa_type *type,
                                unsigned parts, struct stoa_error *err)
{
    *fold = (struct stoa_fold){.type = type, .parts = parts, .bounds = stoa_zone_empty(type)};
    if (fold->bounds.kind == STOA_BOUND_NONE)
        fold->parts &= ~(unsigned)BOUNDS;
    if (stoa_sum_ints_of(type) == NULL && stoa_sum_floats_of(type) == NULL)
        fold->parts &= ~(unsigned)SUMS;
    if ((fold->parts & SUMS) && stoa_sum_floats_of(type) != NULL)
        return stoa_alloc_zeroed(&fold->float_sum, 1, sizeof(*fold->float_sum), err);
    return STOA_OK;
}

void stoa_fold_reset(struct stoa_fold *fold)
{
    stoa_buffer_free(&fold->least);
    stoa_buffer_free(&fold->greatest);
    stoa_free(fold->float_sum);
    *fold = (struct stoa_fold){0};
}

/* ---- Bounds of text and bytes. ---- */

static enum stoa_status set_bytes(struct stoa_buffer *out, const uint8_t *bytes, size_t nbytes,
                                  struct stoa_error *err)
{
    out->nbytes = 0;
    return stoa_buffer_append(out, bytes, nbytes, err);
}

/* Puts two values, the first not above the second, beside the ones that are there. */
static enum stoa_status widen_texts(struct stoa_fold *fold, const struct stoa_text_ref *least,
                                    const struct stoa_text_ref *greatest, struct stoa_error *err)
{
    const struct stoa_text_ref a = stoa_text_ref_of(fold->least.data, fold->least.nbytes);
    const struct stoa_text_ref b = stoa_text_ref_of(fold->greatest.data, fold->greatest.nbytes);
    enum stoa_status st = STOA_OK;

    if (!fold->has_texts || stoa_text_ref_compare(least, &a) < 0)
        STOA_TRY(set_bytes(&fold->least, least->bytes, least->nbytes, err));
    if (!fold->has_texts || stoa_text_ref_compare(greatest, &b) > 0)
        STOA_TRY(set_bytes(&fold->greatest, greatest->bytes, greatest->nbytes, err));
    fold->has_texts = true;
out:
    return st;
}

static enum stoa_status add_texts(struct stoa_fold *fold, const struct stoa_array *array,
                                  struct stoa_error *err)
{
    const size_t width = stoa_text_width(fold->type);
    struct stoa_text_ref least = {0}, greatest = {0};
    bool found = false;

    for (size_t i = 0; i < array->nvalues; i++) {
        struct stoa_text_ref x;

        if (array->nnulls != 0 && stoa_array_is_null(array, i))
            continue;
        x = stoa_text_ref_at(array, width, i);
        if (!found)
            least = greatest = x;
        found = true;
        if (x.key <= least.key && stoa_text_ref_compare(&x, &least) < 0)
            least = x;
        if (x.key >= greatest.key && stoa_text_ref_compare(&x, &greatest) > 0)
            greatest = x;
    }
    return found ? widen_texts(fold, &least, &greatest, err) : STOA_OK;
}

/* ---- Arrays. ---- */

static void add_sums(struct stoa_fold *fold, const struct stoa_array *array)
{
    stoa_sum_ints *sum_ints = stoa_sum_ints_of(fold->type);

    fold->nsummed += array->nvalues - array->nnulls;
    if (array->nnulls == array->nvalues)
        return;
    if (sum_ints != NULL)
        sum_ints(array->values, array->nvalues, &fold->sum);
    else
        stoa_sum_floats_of(fold->type)(array->values, array->nvalues, fold->float_sum);
}

enum stoa_status stoa_fold_add(struct stoa_fold *fold, const struct stoa_array *array,
                               unsigned parts, struct stoa_error *err)
{
    struct stoa_zone zone;

    parts &= fold->parts;
    if (parts & COUNTS) {
        fold->nvalues += array->nvalues;
        fold->nnulls += array->nnulls;
    }
    if (parts & SUMS)
        add_sums(fold, array);
    if (!(parts & BOUNDS))
        return STOA_OK;
    if (fold->bounds.kind == STOA_BOUND_BYTES)
        return add_texts(fold, array, err);
    stoa_zone_compute(fold->type, array, 0, array->nvalues, &zone);
    stoa_zone_merge(&fold->bounds, &zone);
    return STOA_OK;
}

/* ---- Zone maps. ---- */

unsigned stoa_fold_answers(const struct stoa_fold *fold, const struct stoa_zone *zone)
{
    const uint16_t exact = STOA_ZONE_HAS_BOUNDS | STOA_ZONE_MIN_EXACT | STOA_ZONE_MAX_EXACT;
    unsigned parts = 0;

    if (zone->nnulls == zone->nvalues) /* nothing more to find */
        return fold->parts;
    if (zone->nnulls != STOA_ZONE_NNULLS_UNKNOWN)
        parts |= COUNTS;
    if ((zone->flags & exact) == exact || (zone->flags & STOA_ZONE_ALL_NAN))
        parts |= BOUNDS;
    return parts & fold->parts;
}

static enum stoa_status add_exact_texts(struct stoa_fold *fold, const struct stoa_zone *zone,
                                        struct stoa_error *err)
{
    const struct stoa_text_ref least = stoa_text_ref_of(zone->min.bytes, zone->min_nbytes);
    const struct stoa_text_ref greatest = stoa_text_ref_of(zone->max.bytes, zone->max_nbytes);

    return widen_texts(fold, &least, &greatest, err);
}

enum stoa_status stoa_fold_add_zone(struct stoa_fold *fold, const struct stoa_zone *zone,
                                    unsigned parts, struct stoa_error *err)
{
    assert((stoa_fold_answers(fold, zone) & parts) == (parts & fold->parts));
    parts &= fold->parts;
    if (parts & COUNTS) {
        fold->nvalues += zone->nvalues;
        fold->nnulls += zone->nnulls;
    }
    if (!(parts & BOUNDS) || !(zone->flags & STOA_ZONE_HAS_BOUNDS))
        return STOA_OK;
    if (fold->bounds.kind == STOA_BOUND_BYTES)
        return add_exact_texts(fold, zone, err);
    stoa_zone_merge(&fold->bounds, zone);
    return STOA_OK;
}

/* ---- Merging and finishing. ---- */

enum stoa_status stoa_fold_merge(struct stoa_fold *fold, const struct stoa_fold *other,
                                 struct stoa_error *err)
{
    fold->nvalues += other->nvalues;
    fold->nnulls += other->nnulls;
    fold->nsummed += other->nsummed;
    stoa_wide_int_add(&fold->sum, &other->sum);
    if (other->float_sum != NULL)
        stoa_float_sum_merge(fold->float_sum, other->float_sum);
    stoa_zone_merge(&fold->bounds, &other->bounds);
    if (other->has_texts) {
        const struct stoa_text_ref least = stoa_text_ref_of(other->least.data, other->least.nbytes);
        const struct stoa_text_ref greatest =
            stoa_text_ref_of(other->greatest.data, other->greatest.nbytes);

        return widen_texts(fold, &least, &greatest, err);
    }
    return STOA_OK;
}

static enum stoa_status finish_bounds(const struct stoa_fold *fold, struct stoa_array *out,
                                      struct stoa_error *err)
{
    struct stoa_zone zone = fold->bounds;

    const struct stoa_text_ref least = stoa_text_ref_of(fold->least.data, fold->least.nbytes);
    const struct stoa_text_ref greatest =
        stoa_text_ref_of(fold->greatest.data, fold->greatest.nbytes);

    if (fold->has_texts) {
        enum stoa_status st = stoa_bounds_of_texts(fold->type, &least, &greatest, out, err);

        if (st == STOA_OK)
            stoa_array_drop_validity(out);
        return st;
    }
    if (!(zone.flags & STOA_ZONE_HAS_BOUNDS))
        return STOA_OK;
    if (zone.kind == STOA_BOUND_FLOAT && zone.min.f64 == 0) /* zone maps tell zeros apart */
        zone.min.f64 = 0;
    return stoa_zone_bounds(fold->type, &zone, out, err);
}

/* The double nearest to a number that stoa_wide_int_format() wrote. */
static double nearest_double(const char *text)
{
    double x = 0;
    bool is_number = stoa_number_parse_double(text, strlen(text), &x);

    assert(is_number);
    (void)is_number;
    return x;
}

static void finish_ints(const struct stoa_fold *fold, struct stoa_aggregate *out)
{
    const unsigned scale = fold->type->scale;
    struct stoa_wide_int mean;

    out->sum_text[stoa_wide_int_format(&fold->sum, scale, out->sum_text)] = '\0';
    out->sum = nearest_double(out->sum_text);
    if (!out->has_mean)
        return;
    mean = stoa_wide_int_divide(&fold->sum, STOA_MEAN_EXTRA_DIGITS, fold->nsummed);
    out->mean_text[stoa_wide_int_format(&mean, scale + STOA_MEAN_EXTRA_DIGITS, out->mean_text)] =
        '\0';
    out->mean = nearest_double(out->mean_text);
}

static void finish_floats(const struct stoa_fold *fold, struct stoa_aggregate *out)
{
    out->nnans = fold->float_sum->nnans;
    out->sum = stoa_float_sum_round(fold->float_sum, 1);
    out->sum_text[stoa_number_format_double(out->sum, out->sum_text)] = '\0';
    if (!out->has_mean)
        return;
    out->mean = stoa_float_sum_round(fold->float_sum, fold->nsummed);
    out->mean_text[stoa_number_format_double(out->mean, out->mean_text)] = '\0';
}

enum stoa_status stoa_fold_finish(const struct stoa_fold *fold, struct stoa_aggregate *out,
                                  struct stoa_error *err)
{
    struct stoa_aggregate aggregate = {
        .nvalues = fold->nvalues - fold->nnulls,
        .nnulls = fold->nnulls,
        .has_sum = fold->parts & SUMS,
        .has_mean = (fold->parts & SUMS) && fold->nsummed > 0,
    };
    enum stoa_status st = finish_bounds(fold, &aggregate.bounds, err);

    if (st != STOA_OK)
        return st;
    if (fold->float_sum != NULL)
        finish_floats(fold, &aggregate);
    else if (aggregate.has_sum)
        finish_ints(fold, &aggregate);
    *out = aggregate;
    return STOA_OK;
}
