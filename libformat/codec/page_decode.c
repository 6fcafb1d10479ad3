/*
 * Reading a page (spec/encodings.md, sections 1 and 3).
 *
 * First the nodes: where each payload lies, that they fill the page exactly, and that nodes form
 * the trees which the table of encodings allows. Then validity, then the values straight into the
 * caller's memory. A page that got this far can still lie inside its payloads; each encoding checks
 * its own before it writes.
 */
#include "codec/page.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/bits.h"
#include "base/bytes.h"
#include "base/error.h"
#include "codec/node.h"

enum stoa_status stoa_decoder_new(struct stoa_decoder **out, struct stoa_error *err)
{
    struct stoa_decoder *decoder = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&decoder, 1, sizeof(*decoder), err));
    STOA_TRY(stoa_zstd_decoder_new(&decoder->zstd, err));
    *out = decoder;
    decoder = NULL;
out:
    stoa_decoder_free(decoder);
    return st;
}

void stoa_decoder_free(struct stoa_decoder *decoder)
{
    if (decoder == NULL)
        return;
    stoa_zstd_decoder_free(decoder->zstd);
    stoa_scratch_free(&decoder->scratch);
    stoa_buffer_free(&decoder->text);
    stoa_buffer_free(&decoder->suffixes);
    stoa_free(decoder);
}

/* ---- What encodings call. ---- */

enum stoa_status stoa_node_fail(const struct stoa_page_node *node, struct stoa_error *err,
                                const char *format, ...)
{
    char message[160];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    return stoa_fail_at(err, STOA_ERR_CORRUPT, node->offset, "%s: %s",
                        stoa_encoding_name(node->encoding), message);
}

enum stoa_status stoa_node_expect(const struct stoa_page_node *node, uint64_t nbytes,
                                  struct stoa_error *err)
{
    if (node->raw_nbytes == nbytes)
        return STOA_OK;
    return stoa_node_fail(node, err, "payload of %u bytes where %" PRIu64 " are expected",
                          node->raw_nbytes, nbytes);
}

enum stoa_status stoa_node_payload_into(struct stoa_decoder *decoder,
                                        const struct stoa_page_node *node, uint8_t *out,
                                        struct stoa_error *err)
{
    const uint8_t *stored = decoder->page + node->offset;
    enum stoa_status st;

    if (node->codec == STOA_CODEC_NONE) {
        memcpy(out, stored, node->raw_nbytes);
        return STOA_OK;
    }
    st = stoa_zstd_decompress(decoder->zstd, stored, node->stored_nbytes, out, node->raw_nbytes,
                              err);
    if (st != STOA_OK && err != NULL)
        err->offset = node->offset;
    return st == STOA_OK ? st : stoa_wrap(err, st, "%s", stoa_encoding_name(node->encoding));
}

enum stoa_status stoa_node_payload(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                   const uint8_t **out, struct stoa_error *err)
{
    uint8_t *raw;
    enum stoa_status st;

    if (node->codec == STOA_CODEC_NONE) {
        *out = decoder->page + node->offset;
        return STOA_OK;
    }
    st = stoa_scratch_take(&decoder->scratch, &raw, node->raw_nbytes, err);
    if (st == STOA_OK)
        st = stoa_node_payload_into(decoder, node, raw, err);
    if (st == STOA_OK)
        *out = raw;
    return st;
}

enum stoa_status stoa_node_decode(struct stoa_decoder *decoder, const struct stoa_page_node *node,
                                  uint8_t *out, struct stoa_error *err)
{
    return stoa_encoding_find(node->encoding)->decode(decoder, node, out, err);
}

enum stoa_status stoa_node_decode_scratch(struct stoa_decoder *decoder,
                                          const struct stoa_page_node *node, void *out,
                                          struct stoa_error *err)
{
    uint8_t *values;
    enum stoa_status st =
        stoa_scratch_take(&decoder->scratch, &values, (size_t)node->nvalues * node->width, err);

    if (st == STOA_OK)
        st = stoa_node_decode(decoder, node, values, err);
    if (st == STOA_OK)
        memcpy(out, &values, sizeof(values));
    return st;
}

enum stoa_status stoa_text_check_limit(const struct stoa_decoder *decoder, size_t behind,
                                       uint64_t nbytes, struct stoa_error *err)
{
    const struct stoa_page_values *out = decoder->out;
    uint64_t max = out->bytes_max > 0 && out->bytes_max < INT32_MAX ? out->bytes_max : INT32_MAX;

    if (behind > max || nbytes > max - behind)
        return stoa_fail(err, STOA_ERR_LIMIT,
                         "%" PRIu64 " bytes of text behind %zu, the limit is %" PRIu64, nbytes,
                         behind, max);
    return STOA_OK;
}

enum stoa_status stoa_text_reserve(struct stoa_decoder *decoder, uint64_t nbytes,
                                   struct stoa_error *err)
{
    struct stoa_page_values *out = decoder->out;
    enum stoa_status st;

    assert(out->bytes->nbytes == (size_t)out->offsets[0]);
    STOA_TRY(stoa_text_check_limit(decoder, out->bytes->nbytes, nbytes, err));
    st = stoa_buffer_reserve(out->bytes, (size_t)nbytes + 64, err);
out:
    return st;
}

/* ---- The nodes of a page. ---- */

struct parse {
    const uint8_t *page;
    size_t nbytes;
    uint64_t raw_max;
    struct stoa_page_node *nodes;
    unsigned nnodes;
    unsigned next; /* the node that the tree takes next */
    uint8_t validity;
    uint32_t nvalues;
    uint32_t fixed_width;
};

static enum stoa_status fail_at_node(unsigned k, struct stoa_error *err, const char *format, ...)
    STOA_PRINTF(3, 4);

static enum stoa_status fail_at_node(unsigned k, struct stoa_error *err, const char *format, ...)
{
    char message[160];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    return stoa_fail_at(err, STOA_ERR_CORRUPT, STOA_PAGE_HEAD_NBYTES + k * STOA_PAGE_NODE_NBYTES,
                        "node %u: %s", k, message);
}

/* A node by itself; *begin is where its payload starts and becomes where it ends. */
static enum stoa_status unpack_node(struct parse *p, unsigned k, size_t *begin,
                                    uint64_t *raw_nbytes, struct stoa_error *err)
{
    const uint8_t *in = p->page + STOA_PAGE_HEAD_NBYTES + k * STOA_PAGE_NODE_NBYTES;
    struct stoa_page_node *node = &p->nodes[k];
    const struct stoa_encoding *encoding = stoa_encoding_find(in[0]);

    if (encoding == NULL)
        return stoa_fail(err, STOA_ERR_UNSUPPORTED,
                         "encoding %u is not known to this version of Stoa", in[0]);
    if (in[1] > STOA_CODEC_ZSTD)
        return stoa_fail(err, STOA_ERR_UNSUPPORTED, "codec %u is not known to this version of Stoa",
                         in[1]);
    *node = (struct stoa_page_node){
        .encoding = in[0],
        .codec = in[1],
        .phys = in[2],
        .flags = in[3],
        .nvalues = stoa_load32(in + 4),
        .stored_nbytes = stoa_load32(in + 8),
        .raw_nbytes = stoa_load32(in + 12),
        .offset = *begin,
    };
    node->width = node->phys == STOA_PHYS_FIXED ? p->fixed_width
                                                : stoa_phys_width((enum stoa_phys)node->phys);
    if ((node->flags & ~encoding->flags) != 0)
        return fail_at_node(k, err, "flags %u of %s", node->flags, encoding->name);
    if (node->stored_nbytes > p->nbytes - *begin)
        return fail_at_node(k, err, "payload of %u bytes, the page has %zu left",
                            node->stored_nbytes, p->nbytes - *begin);
    if (node->codec == STOA_CODEC_NONE && node->raw_nbytes != node->stored_nbytes)
        return fail_at_node(k, err, "%u bytes stored as %u without compression", node->raw_nbytes,
                            node->stored_nbytes);
    if (node->codec != STOA_CODEC_NONE && node->raw_nbytes == 0)
        return fail_at_node(k, err, "compression of nothing");
    *begin += node->stored_nbytes;
    *raw_nbytes += node->raw_nbytes;
    if (*raw_nbytes > p->raw_max)
        return stoa_fail(err, STOA_ERR_LIMIT,
                         "the page takes more than %" PRIu64 " bytes when decompressed",
                         p->raw_max);
    return STOA_OK;
}

/*
 * Takes the next node and its children. `above` has a bit for each encoding on the way from the
 * root, so recursion ends at STOA_PAGE_MAX_DEPTH whatever the page says.
 */
static enum stoa_status take_tree(struct parse *p, unsigned role, unsigned depth, uint32_t above,
                                  struct stoa_error *err)
{
    unsigned k = p->next;
    struct stoa_page_node *node;
    const struct stoa_encoding *encoding;
    enum stoa_status st;

    if (k == p->nnodes)
        return stoa_fail_at(err, STOA_ERR_CORRUPT, 0, "node %u (%s) is missing", k,
                            stoa_role_name(role));
    node = &p->nodes[k];
    encoding = stoa_encoding_find(node->encoding);
    p->next++;
    if (!stoa_encoding_may_be(encoding, role, node->phys))
        return fail_at_node(k, err, "%s of %s may not be %s", encoding->name,
                            stoa_phys_name(node->phys) ? stoa_phys_name(node->phys) : "?",
                            stoa_role_name(role));
    if (depth > STOA_PAGE_MAX_DEPTH)
        return fail_at_node(k, err, "more than %d nodes below a root", STOA_PAGE_MAX_DEPTH);
    if (node->encoding != STOA_PLAIN && (above >> node->encoding & 1) != 0)
        return fail_at_node(k, err, "%s below %s", encoding->name, encoding->name);
    above |= UINT32_C(1) << node->encoding;
    for (unsigned c = 0; c < stoa_encoding_nchildren(encoding, node->phys); c++) {
        const struct stoa_child *rule = &encoding->children[c];
        unsigned at = p->next;
        const struct stoa_page_node *child = &p->nodes[at];

        st = take_tree(p, rule->role, depth + 1, above, err);
        if (st != STOA_OK)
            return st;
        if (!stoa_child_phys_fits((enum stoa_child_phys)rule->phys, node->phys, child->phys))
            return fail_at_node(at, err, "%s of %s in %s of %s", stoa_role_name(rule->role),
                                stoa_phys_name(child->phys), encoding->name,
                                stoa_phys_name(node->phys));
        if (rule->any_nvalues ? child->nvalues == 0 || child->nvalues > node->nvalues ||
                                    (c > 0 && child->nvalues != node->children[0]->nvalues)
                              : child->nvalues != node->nvalues)
            return fail_at_node(at, err, "%u %s in %s of %u values", child->nvalues,
                                stoa_role_name(rule->role), encoding->name, node->nvalues);
        node->children[c] = child;
    }
    return STOA_OK;
}

/* Takes a root of `phys`, or of any type when phys is 255. */
static enum stoa_status take_root(struct parse *p, unsigned role, unsigned phys,
                                  struct stoa_error *err)
{
    unsigned k = p->next;
    const struct stoa_page_node *root = &p->nodes[k];
    enum stoa_status st = take_tree(p, role, 0, 0, err);

    if (st != STOA_OK)
        return st;
    if (phys != 255 && root->phys != phys)
        return fail_at_node(k, err, "values of %s in a chunk of %s", stoa_phys_name(root->phys),
                            stoa_phys_name(phys));
    if (root->nvalues != p->nvalues)
        return fail_at_node(k, err, "%u values in a page of %u", root->nvalues, p->nvalues);
    return STOA_OK;
}

/* Fills *p, which has the page and its limits, and the roots: NULL where there is none. */
static enum stoa_status parse(struct parse *p, unsigned phys,
                              const struct stoa_page_node **validity,
                              const struct stoa_page_node **values, struct stoa_error *err)
{
    size_t begin;
    uint64_t raw_nbytes = 0;
    enum stoa_status st = STOA_OK;

    *validity = *values = NULL;
    if (p->nbytes < STOA_PAGE_HEAD_NBYTES)
        return stoa_fail_at(err, STOA_ERR_CORRUPT, 0, "a page of %zu bytes", p->nbytes);
    p->nnodes = p->page[0];
    p->validity = p->page[1];
    p->nvalues = stoa_load32(p->page + 4);
    begin = STOA_PAGE_HEAD_NBYTES + (size_t)p->nnodes * STOA_PAGE_NODE_NBYTES;
    if (p->nnodes > STOA_PAGE_MAX_NODES || begin > p->nbytes)
        return stoa_fail_at(err, STOA_ERR_CORRUPT, 0, "%u nodes in a page of %zu bytes", p->nnodes,
                            p->nbytes);
    if (p->validity > STOA_PAGE_SOME_NULLS)
        return stoa_fail_at(err, STOA_ERR_CORRUPT, 1, "validity %u", p->validity);
    if (stoa_load16(p->page + 2) != 0)
        return stoa_fail_at(err, STOA_ERR_CORRUPT, 2, "%u where 0 is expected",
                            stoa_load16(p->page + 2));
    for (unsigned k = 0; k < p->nnodes; k++)
        STOA_TRY(unpack_node(p, k, &begin, &raw_nbytes, err));
    if (begin != p->nbytes)
        return stoa_fail_at(err, STOA_ERR_CORRUPT, begin, "%zu bytes behind the last payload",
                            p->nbytes - begin);
    p->next = 0;
    if (p->validity == STOA_PAGE_SOME_NULLS) {
        *validity = &p->nodes[0];
        STOA_TRY(take_root(p, STOA_ROLE_VALIDITY, STOA_PHYS_NONE, err));
    }
    if (p->validity != STOA_PAGE_ALL_NULL && phys != STOA_PHYS_NONE &&
        (phys != 255 || p->next < p->nnodes)) {
        *values = &p->nodes[p->next];
        STOA_TRY(take_root(p, STOA_ROLE_ROOT, phys, err));
    }
    if (p->next != p->nnodes)
        return fail_at_node(p->next, err, "there is nothing that it could be");
out:
    return st;
}

/* ---- Null slots. ---- */

enum stoa_status stoa_page_validity(struct stoa_decoder *decoder,
                                    const struct stoa_page_roots *roots, size_t n,
                                    const uint8_t **valid, size_t *nnulls, struct stoa_error *err)
{
    size_t nbytes = (n + 63) / 64 * 8;
    uint8_t *bitmap;
    enum stoa_status st = STOA_OK;

    *valid = NULL;
    *nnulls = roots->all_null ? n : 0;
    if (roots->validity != NULL) {
        STOA_TRY(stoa_scratch_take(&decoder->scratch, &bitmap, nbytes, err));
        memset(bitmap, 0, nbytes);
        STOA_TRY(stoa_validity_decode(decoder, roots->validity, bitmap, err));
        *nnulls = n - stoa_bitmap_count(bitmap, 0, n);
        if (*nnulls > 0)
            *valid = bitmap;
    }
out:
    return st;
}

/* The page's own bitmap in decoder->valid, a copy where the caller wants it, and out->nnulls. */
static enum stoa_status decode_validity(struct stoa_decoder *decoder,
                                        const struct stoa_page_roots *roots, size_t n,
                                        struct stoa_error *err)
{
    struct stoa_page_values *out = decoder->out;
    enum stoa_status st;

    STOA_TRY(stoa_page_validity(decoder, roots, n, &decoder->valid, &out->nnulls, err));
    if (out->nnulls > 0 && out->validity == NULL)
        return stoa_fail_at(err, STOA_ERR_CORRUPT, 1, "%zu null values where none may be",
                            out->nnulls);
    if (decoder->valid != NULL)
        stoa_bitmap_copy(out->validity, out->first_bit, decoder->valid, 0, n);
    else if (out->validity != NULL)
        stoa_bitmap_fill(out->validity, out->first_bit, out->first_bit + n, out->nnulls == 0);
out:
    return st;
}

void stoa_zero_null_slots(const uint8_t *valid, uint8_t *values, size_t n, size_t width)
{
    for (size_t i = 0; i < n; i += 64) {
        uint64_t nulls = ~stoa_load64(valid + i / 8);

        if (n - i < 64)
            nulls &= (UINT64_C(1) << (n - i)) - 1;
        for (; nulls != 0; nulls &= nulls - 1)
            memset(values + (i + (size_t)__builtin_ctzll(nulls)) * width, 0, width);
    }
}

/* DICT pages deliver codes when the caller says how many entries there are, but not which. */
static bool codes_wanted(const struct stoa_decoder *decoder)
{
    return decoder->dictionary == NULL && decoder->ncodes > 0;
}

static enum stoa_status decode_values(struct stoa_decoder *decoder,
                                      const struct stoa_page_node *root, enum stoa_phys phys,
                                      size_t n, struct stoa_error *err)
{
    struct stoa_page_values *out = decoder->out;
    bool has_dictionary = decoder->dictionary != NULL || decoder->ncodes > 0;
    size_t width = codes_wanted(decoder) ? sizeof(uint32_t) : root->width;
    enum stoa_status st;

    if ((root->encoding == STOA_DICT) != has_dictionary)
        return stoa_node_fail(root, err, "in a chunk with%s a dictionary",
                              has_dictionary ? "" : "out");
    if (stoa_encoding_find(root->encoding)->is_derived && out->bases == NULL)
        return stoa_node_fail(root, err, "in a chunk that is not derived");
    if (phys == STOA_PHYS_BYTES && !codes_wanted(decoder))
        return stoa_encoding_find(root->encoding)->decode_text(decoder, root, err);
    st = stoa_node_decode(decoder, root, out->values, err);
    if (st == STOA_OK && decoder->valid != NULL)
        stoa_zero_null_slots(decoder->valid, out->values, n, width);
    return st;
}

static void put_all_null(const struct stoa_decoder *decoder, enum stoa_phys phys, uint32_t width,
                         size_t n)
{
    struct stoa_page_values *out = decoder->out;

    if (codes_wanted(decoder)) {
        memset(out->values, 0, n * sizeof(uint32_t));
    } else if (phys == STOA_PHYS_BYTES) {
        for (size_t i = 1; i <= n; i++)
            out->offsets[i] = out->offsets[0];
    } else if (phys != STOA_PHYS_NONE) {
        memset(out->values, 0, n * (phys == STOA_PHYS_FIXED ? width : stoa_phys_width(phys)));
    }
}

enum stoa_status stoa_page_open(struct stoa_decoder *decoder, const struct stoa_page_view *view,
                                struct stoa_page_roots *roots, struct stoa_error *err)
{
    struct parse p = {
        .page = view->page,
        .nbytes = view->nbytes,
        .raw_max = view->raw_max,
        .nodes = decoder->nodes,
        .fixed_width = view->width,
    };
    enum stoa_status st;

    assert(view->nvalues > 0 && view->nvalues <= STOA_DICT_MAX_NVALUES);
    assert(view->phys == STOA_PHYS_FIXED ? view->width > 0 : true);
    decoder->scratch.nused = 0;
    decoder->page = view->page;
    decoder->dictionary = view->dictionary;
    decoder->ncodes = view->dictionary != NULL ? (uint32_t)view->dictionary->nvalues : view->ncodes;
    STOA_TRY(parse(&p, view->phys, &roots->validity, &roots->values, err));
    if (p.nvalues != view->nvalues)
        return stoa_fail_at(err, STOA_ERR_CORRUPT, 4, "a page of %u values where %zu are expected",
                            p.nvalues, view->nvalues);
    decoder->nnodes = p.nnodes;
    roots->all_null = p.validity == STOA_PAGE_ALL_NULL;
out:
    return st;
}

enum stoa_status stoa_page_decode(struct stoa_decoder *decoder, const uint8_t *page, size_t nbytes,
                                  enum stoa_phys phys, uint32_t width, size_t nvalues,
                                  uint64_t raw_max, const struct stoa_vector *dictionary,
                                  uint32_t ncodes, struct stoa_page_values *out,
                                  struct stoa_error *err)
{
    struct stoa_page_view view = {page,    nbytes,     phys,   width, nvalues,
                                  raw_max, dictionary, ncodes, 0};
    struct stoa_page_roots roots;
    enum stoa_status st;

    STOA_TRY(stoa_page_open(decoder, &view, &roots, err));
    decoder->out = out;
    STOA_TRY(decode_validity(decoder, &roots, nvalues, err));
    if (roots.values != NULL)
        STOA_TRY(decode_values(decoder, roots.values, phys, nvalues, err));
    else
        put_all_null(decoder, phys, width, nvalues);
out:
    return st;
}

enum stoa_status stoa_page_count(const uint8_t *page, size_t nbytes, uint32_t *nvalues,
                                 struct stoa_error *err)
{
    uint32_t n = nbytes >= STOA_PAGE_HEAD_NBYTES ? stoa_load32(page + 4) : 0;

    if (n == 0 || n > STOA_DICT_MAX_NVALUES)
        return stoa_fail_at(err, STOA_ERR_CORRUPT, 4, "a page of %u values", n);
    *nvalues = n;
    return STOA_OK;
}

/* ---- Describing. ---- */

struct text {
    char *out;
    size_t nbytes;
    size_t room;
};

static void put(struct text *text, const char *word)
{
    size_t n = strlen(word);

    if (n > text->room - text->nbytes - 1)
        n = text->room - text->nbytes - 1;
    memcpy(text->out + text->nbytes, word, n);
    text->nbytes += n;
    text->out[text->nbytes] = '\0';
}

static void describe(struct text *text, const struct stoa_page_node *node)
{
    put(text, stoa_encoding_name(node->encoding));
    if (node->codec == STOA_CODEC_ZSTD)
        put(text, "+zstd");
    for (unsigned c = 0; c < 2 && node->children[c] != NULL; c++) {
        put(text, c == 0 ? "(" : ",");
        describe(text, node->children[c]);
    }
    if (node->children[0] != NULL)
        put(text, ")");
}

enum stoa_status stoa_page_describe(const uint8_t *page, size_t nbytes, char out[128],
                                    struct stoa_error *err)
{
    struct stoa_page_node nodes[STOA_PAGE_MAX_NODES];
    struct parse p = {.page = page, .nbytes = nbytes, .raw_max = UINT64_MAX, .nodes = nodes};
    struct text text = {out, 0, 128};
    const struct stoa_page_node *validity, *values;
    enum stoa_status st = parse(&p, 255, &validity, &values, err);

    if (st != STOA_OK)
        return st;
    if (values != NULL)
        describe(&text, values);
    else
        put(&text, p.validity == STOA_PAGE_ALL_NULL ? "null" : "none");
    return STOA_OK;
}

enum stoa_status stoa_page_derivation(const uint8_t *page, size_t nbytes, bool *is_derived,
                                      bool *looks_up, uint64_t multipliers[2],
                                      struct stoa_error *err)
{
    struct stoa_page_node nodes[STOA_PAGE_MAX_NODES];
    struct parse p = {.page = page, .nbytes = nbytes, .raw_max = UINT64_MAX, .nodes = nodes};
    const struct stoa_page_node *validity, *values;
    enum stoa_status st = parse(&p, 255, &validity, &values, err);

    if (st != STOA_OK)
        return st;
    *is_derived = values != NULL && stoa_encoding_find(values->encoding)->is_derived;
    *looks_up = *is_derived && values->encoding == STOA_LOOKUP;
    multipliers[0] = multipliers[1] = 0;
    if (*is_derived && !*looks_up)
        return stoa_linear_multipliers(page, values, multipliers, err);
    return STOA_OK;
}
