/*
 * Pages are decoded and compared before they are written: a fault of an encoder, of a compiler or
 * of the machine's memory becomes an error then, when the values are still at hand, and not a file
 * that holds other values under right hashes.
 *
 * Bits are compared, so every NaN is itself. Null slots hold anything in `values` and nothing in a
 * page that was read; of them only that they are null is compared.
 */
#include "codec/page.h"

#include <string.h>

#include "base/bits.h"
#include "base/error.h"
#include "codec/node.h"

/* Memory for larger pages, which are rare, is given back at once. */
enum { KEEP_NBYTES = 4 << 20 };

/* Where a page is decoded to; kept from page to page. */
struct stoa_page_checker {
    struct stoa_decoder *decoder;
    struct stoa_buffer values;
    struct stoa_buffer offsets;
    struct stoa_buffer text;
    struct stoa_buffer validity; /* as it came back, then as it should be */
};

void stoa_page_checker_free(struct stoa_page_checker *checker)
{
    if (checker == NULL)
        return;
    stoa_decoder_free(checker->decoder);
    stoa_buffer_free(&checker->values);
    stoa_buffer_free(&checker->offsets);
    stoa_buffer_free(&checker->text);
    stoa_buffer_free(&checker->validity);
    stoa_free(checker);
}

static enum stoa_status checker_of(struct stoa_encoder *encoder, struct stoa_page_checker **out,
                                   struct stoa_error *err)
{
    struct stoa_page_checker *checker = encoder->checker;
    enum stoa_status st = STOA_OK;

    if (checker == NULL) {
        STOA_TRY(stoa_alloc_zeroed(&checker, 1, sizeof(*checker), err));
        STOA_TRY(stoa_decoder_new(&checker->decoder, err));
        encoder->checker = checker;
    }
    *out = checker;
    checker = NULL;
out:
    stoa_page_checker_free(checker);
    return st;
}

static void drop_large(struct stoa_buffer *buffer)
{
    if (buffer->capacity > KEEP_NBYTES)
        stoa_buffer_free(buffer);
}

/* The values [begin, end), all of them valid. */
static bool equal_range(const struct stoa_vector *a, const struct stoa_vector *b, size_t begin,
                        size_t end)
{
    size_t width = a->width;
    const int32_t *x = a->offsets, *y = b->offsets;
    int32_t differs = 0;

    if (a->phys != STOA_PHYS_BYTES)
        return memcmp(a->values + begin * width, b->values + begin * width,
                      (end - begin) * width) == 0;
    for (size_t i = begin; i < end; i++)
        differs |= (x[i + 1] - x[i]) ^ (y[i + 1] - y[i]);
    return differs == 0 && (x[begin] == x[end] || memcmp(a->values + x[begin], b->values + y[begin],
                                                         (size_t)(x[end] - x[begin])) == 0);
}

/*
 * The first value that differs where `valid` (NULL: everywhere) has a bit, or the number of
 * values: none does.
 */
static size_t first_difference(const struct stoa_vector *a, const struct stoa_vector *b,
                               const uint8_t *valid)
{
    size_t n = a->nvalues, begin = 0;

    if (valid == NULL && equal_range(a, b, 0, n))
        return n;
    while (begin < n) { /* runs of valid values */
        size_t end = begin;

        while (end < n && end - begin < 1024 && (valid == NULL || stoa_bitmap_get(valid, end)))
            end++;
        if (!equal_range(a, b, begin, end)) {
            while (equal_range(a, b, begin, begin + 1))
                begin++;
            return begin;
        }
        begin = end;
        while (valid != NULL && begin < n && !stoa_bitmap_get(valid, begin))
            begin++;
    }
    return n;
}

/* The bases that a page was encoded with. */
struct derived {
    struct stoa_base_source source;
    const struct stoa_derivation *derivation;
};

static enum stoa_status load(struct stoa_base_source *source, enum stoa_bases_wanted wanted,
                             size_t nslots, struct stoa_bases *out, struct stoa_error *err)
{
    (void)wanted;
    (void)nslots;
    (void)err;
    *out = ((const struct derived *)(void *)source)->derivation->bases;
    return STOA_OK;
}

/* What the page holds, and the bitmap that it should have: NULL where nothing is null. */
static enum stoa_status decode(struct stoa_page_checker *checker, const uint8_t *page,
                               size_t nbytes, const struct stoa_vector *values, enum stoa_phys phys,
                               bool codes, const uint8_t *validity, size_t first_bit,
                               const struct stoa_derivation *derivation, uint64_t raw_nbytes,
                               struct stoa_vector *back, bool *same_nulls, struct stoa_error *err)
{
    size_t n = values->nvalues, width = values->width, bitmap_nbytes = (n + 63) / 64 * 8;
    struct derived derived = {{load}, derivation};
    struct stoa_page_values out = {.bytes = &checker->text};
    enum stoa_status st;

    checker->text.nbytes = 0;
    STOA_TRY(stoa_buffer_reserve(&checker->values, n * width + 64, err));
    STOA_TRY(stoa_buffer_reserve(&checker->offsets, (n + 1) * sizeof(int32_t), err));
    STOA_TRY(stoa_buffer_reserve(&checker->validity, 2 * bitmap_nbytes, err));
    memset(checker->validity.data, 0, 2 * bitmap_nbytes);
    out.values = checker->values.data;
    out.bases = derivation != NULL ? &derived.source : NULL;
    out.offsets = (int32_t *)(void *)checker->offsets.data;
    out.offsets[0] = 0;
    out.validity = checker->validity.data;
    STOA_TRY(stoa_page_decode(checker->decoder, page, nbytes, phys, (uint32_t)width, n, raw_nbytes,
                              NULL, codes ? UINT32_MAX : 0, &out, err));
    if (validity != NULL)
        stoa_bitmap_copy(checker->validity.data + bitmap_nbytes, 0, validity, first_bit, n);
    else
        stoa_bitmap_fill(checker->validity.data + bitmap_nbytes, 0, n, true);
    *same_nulls =
        memcmp(checker->validity.data, checker->validity.data + bitmap_nbytes, bitmap_nbytes) == 0;
    *back = *values;
    back->values = phys == STOA_PHYS_BYTES && !codes ? checker->text.data : checker->values.data;
    back->offsets = out.offsets;
out:
    return st;
}

static enum stoa_status check(struct stoa_encoder *encoder, const uint8_t *page, size_t nbytes,
                              const struct stoa_vector *values, enum stoa_phys phys, bool codes,
                              const uint8_t *validity, size_t first_bit,
                              const struct stoa_derivation *derivation, uint32_t raw_nbytes,
                              struct stoa_error *err)
{
    struct stoa_page_checker *checker;
    struct stoa_vector back;
    bool same_nulls;
    size_t at = values->nvalues;
    char plan[128];
    enum stoa_status st;

    STOA_TRY(checker_of(encoder, &checker, err));
    st = decode(checker, page, nbytes, values, phys, codes, validity, first_bit, derivation,
                raw_nbytes, &back, &same_nulls, err);
    if (st != STOA_OK)
        return st == STOA_ERR_NOMEM ? st : stoa_wrap(err, st, "what was encoded can't be decoded");
    if (same_nulls && phys != STOA_PHYS_NONE)
        at = first_difference(values, &back, validity != NULL ? checker->validity.data : NULL);
    if (!same_nulls || (phys != STOA_PHYS_NONE && at < values->nvalues)) {
        STOA_TRY(stoa_page_describe(page, nbytes, plan, err));
        st =
            stoa_fail(err, STOA_ERR_CORRUPT,
                      same_nulls ? "value %zu comes back as another one from %s: a fault of this "
                                   "program or machine"
                                 : "%zu values come back with other nulls from %s: a fault of this "
                                   "program or machine",
                      at, plan);
    }
    drop_large(&checker->values);
    drop_large(&checker->offsets);
    drop_large(&checker->text);
out:
    return st;
}

enum stoa_status
stoa_page_encode_checked(struct stoa_encoder *encoder, const struct stoa_vector *values,
                         enum stoa_phys phys, const uint8_t *validity, size_t first_bit,
                         const struct stoa_plan *plan, const struct stoa_derivation *derivation,
                         struct stoa_buffer *out, uint32_t *raw_nbytes, struct stoa_error *err)
{
    size_t before = out->nbytes;
    enum stoa_status st = stoa_page_encode(encoder, values, phys, validity, first_bit, plan,
                                           derivation, out, raw_nbytes, err);

    if (st != STOA_OK || !encoder->checks)
        return st;
    st = check(encoder, out->data + before, out->nbytes - before, values, phys,
               plan->nodes[0].encoding == STOA_DICT, validity, first_bit, derivation, *raw_nbytes,
               err);
    if (st != STOA_OK)
        out->nbytes = before;
    return st;
}

void stoa_encoder_set_checks(struct stoa_encoder *encoder, bool checks)
{
    encoder->checks = checks;
}
