/*
 * The pages of spec/vectors and the examples of spec/encodings.md: what is written there is what is
 * encoded and decoded here.
 *
 *     STOA_WRITE_VECTORS=1 build/release/tests/unit/codec/test_vectors
 *
 * in the root of the tree writes the `page:` lines of pages.txt anew from its values and plans, and
 * the pages of both files as first inputs of tests/fuzz/fuzz_page.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "codec/page.h"
#include "support/codec_vectors.h"

#define PAGES   "spec/vectors/pages.txt"
#define REFUSED "spec/vectors/refused.txt"
#define SPEC    "spec/encodings.md"
#define CORPUS  "tests/fuzz/corpus/page/"

enum { RAW_MAX = 1 << 20 };

static struct stoa_encoder *encoder;
static struct stoa_decoder *decoder;

/* ---- Encoding. ---- */

static void encode(const struct stoa_test_vector *v, struct stoa_buffer *page)
{
    const struct stoa_vector *values = &v->values.vector;
    uint32_t *codes = calloc(values->nvalues + 16, sizeof(*codes));
    struct stoa_vector of_codes = {STOA_PHYS_U32, 4, values->nvalues, (const uint8_t *)codes, NULL};
    struct stoa_plan plan = {0};
    struct stoa_error err = {0};
    uint32_t raw_nbytes;

    if (strcmp(v->plan, "-") != 0 && !stoa_plan_parse(v->plan, v->phys, &plan))
        fail_msg("%s: \"%s\" is no plan for %s", v->name, v->plan, stoa_phys_name(v->phys));
    for (size_t i = 0; v->has_dictionary && i < values->nvalues; i++) {
        const struct stoa_vector *d = &v->dictionary.vector;
        size_t code = 0;

        for (; code < d->nvalues; code++) {
            struct stoa_vector a = stoa_vector_slice(values, i, i + 1);
            struct stoa_vector b = stoa_vector_slice(d, code, code + 1);
            size_t nbytes = a.offsets ? (size_t)(a.offsets[1] - a.offsets[0]) : a.width;
            size_t known = b.offsets ? (size_t)(b.offsets[1] - b.offsets[0]) : b.width;

            if (nbytes == known && memcmp(a.values + (a.offsets ? a.offsets[0] : 0),
                                          b.values + (b.offsets ? b.offsets[0] : 0), nbytes) == 0)
                break;
        }
        assert_in_range(code, 0, d->nvalues - 1);
        codes[i] = (uint32_t)code;
    }
    page->nbytes = 0;
    if (stoa_page_encode(
            encoder, v->has_dictionary ? &of_codes : values, v->phys, v->values.validity, 0, &plan,
            v->bases.count > 0 ? &v->bases.derivation : NULL, page, &raw_nbytes, &err) != STOA_OK)
        fail_msg("%s: %s", v->name, err.message);
    free(codes);
}

/* Whether the bytes depend on the version of libzstd. */
static bool is_compressed(const struct stoa_test_vector *v)
{
    return strstr(v->plan, "+zstd") != NULL;
}

static void pages_are_what_the_vectors_say(void **state)
{
    size_t count;
    struct stoa_test_vector *vectors = stoa_test_vectors_read(PAGES, &count);
    struct stoa_buffer page = {0};

    (void)state;
    assert_in_range(count, 40, 1000);
    for (size_t i = 0; i < count; i++) {
        encode(&vectors[i], &page);
        if (is_compressed(&vectors[i]))
            continue;
        if (page.nbytes != vectors[i].page_nbytes ||
            memcmp(page.data, vectors[i].page, page.nbytes) != 0)
            fail_msg("%s: encoded in other bytes", vectors[i].name);
    }
    stoa_buffer_free(&page);
    stoa_test_vectors_free(vectors, count);
}

/* ---- Decoding. ---- */

/* Memory for the values of a page, in blocks of exactly the size that page.h asks for. */
struct room {
    struct stoa_page_values out;
    struct stoa_buffer text;
};

static void room_init(struct room *room, const struct stoa_test_vector *v)
{
    uint32_t width = v->phys == STOA_PHYS_FIXED ? STOA_TEST_FIXED_WIDTH : stoa_phys_width(v->phys);

    *room = (struct room){0};
    if (v->bases.count > 0) { /* the decoder changes nothing of it */
        assert_int_equal(v->bases.nvalues, v->nvalues);
        room->out.bases = (struct stoa_base_source *)&v->bases.source;
    }
    room->out.values = malloc(v->nvalues * width + 64);
    room->out.offsets = calloc(v->nvalues + 1, sizeof(int32_t));
    room->out.validity = calloc(stoa_bitmap_nbytes(v->nvalues), 1);
    room->out.bytes = &room->text;
}

static void room_reset(struct room *room)
{
    free(room->out.values);
    free(room->out.offsets);
    free(room->out.validity);
    stoa_buffer_free(&room->text);
}

static enum stoa_status decode(const struct stoa_test_vector *v, const uint8_t *page, size_t nbytes,
                               struct room *room, struct stoa_error *err)
{
    struct stoa_vector entries = v->dictionary.vector;

    if (v->has_dictionary && v->phys == STOA_PHYS_BYTES)
        entries.width = stoa_text_length(entries.offsets, entries.nvalues);
    return stoa_page_decode(decoder, page, nbytes, v->phys, STOA_TEST_FIXED_WIDTH, v->nvalues,
                            RAW_MAX, v->has_dictionary ? &entries : NULL, 0, &room->out, err);
}

static void check_values(const struct stoa_test_vector *v, const struct room *room)
{
    const struct stoa_vector *want = &v->values.vector;
    size_t nnulls = 0;

    for (size_t i = 0; i < v->nvalues; i++) {
        bool valid = v->values.validity == NULL || stoa_bitmap_get(v->values.validity, i);
        const uint8_t *a = want->values + i * want->width, *b = room->out.values + i * want->width;
        size_t nbytes = want->width, got = want->width;

        if (v->phys == STOA_PHYS_BYTES) {
            a = want->values + want->offsets[i];
            b = room->text.data + room->out.offsets[i];
            nbytes = (size_t)(want->offsets[i + 1] - want->offsets[i]);
            got = (size_t)(room->out.offsets[i + 1] - room->out.offsets[i]);
        }
        if (stoa_bitmap_get(room->out.validity, i) != valid ||
            (valid && (got != nbytes || (nbytes > 0 && memcmp(a, b, nbytes) != 0))))
            fail_msg("%s: value %zu differs", v->name, i);
        nnulls += !valid;
    }
    assert_int_equal(room->out.nnulls, nnulls);
}

static void vectors_decode_to_their_values(void **state)
{
    size_t count;
    struct stoa_test_vector *vectors = stoa_test_vectors_read(PAGES, &count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        struct room room;
        struct stoa_error err = {0};

        room_init(&room, &vectors[i]);
        if (decode(&vectors[i], vectors[i].page, vectors[i].page_nbytes, &room, &err) != STOA_OK)
            fail_msg("%s: %s", vectors[i].name, err.message);
        check_values(&vectors[i], &room);
        room_reset(&room);
    }
    stoa_test_vectors_free(vectors, count);
}

static void damaged_pages_are_refused_with_the_reason(void **state)
{
    size_t count;
    struct stoa_test_vector *vectors = stoa_test_vectors_read(REFUSED, &count);
    size_t nwrong = 0;

    (void)state;
    for (size_t i = 0; i < count; i++) {
        const struct stoa_test_vector *v = &vectors[i];
        struct room room;
        struct stoa_error err = {0};
        char said[STOA_ERROR_MESSAGE_NBYTES + 20];
        uint8_t *page = malloc(v->page_nbytes + 1); /* a block of its own: reads behind it show */
        enum stoa_status st;

        memcpy(page, v->page, v->page_nbytes);
        room_init(&room, v);
        st = decode(v, page, v->page_nbytes, &room, &err);
        snprintf(said, sizeof(said), "%s: %s", stoa_status_name(st), err.message);
        if (strcmp(said, v->error) != 0)
            print_error("%s: \"%s\" instead of \"%s\"\n", v->name, said, v->error), nwrong++;
        assert_true(st != STOA_ERR_CORRUPT || err.offset <= v->page_nbytes);
        room_reset(&room);
        free(page);
    }
    assert_int_equal(nwrong, 0);
    stoa_test_vectors_free(vectors, count);
}

/* Only memory is at stake: the hash of a page tells a flipped bit before anything here sees it. */
static void every_flipped_bit_and_every_cut_stays_in_bounds(void **state)
{
    size_t count, ntried = 0, nrefused = 0;
    struct stoa_test_vector *vectors = stoa_test_vectors_read(PAGES, &count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        const struct stoa_test_vector *v = &vectors[i];
        size_t step = v->page_nbytes > 700 ? 13 : 1;

        for (size_t bit = 0; bit < v->page_nbytes * 8; bit += step, ntried++) {
            struct room room;
            uint8_t *page = malloc(v->page_nbytes);

            memcpy(page, v->page, v->page_nbytes);
            page[bit / 8] = (uint8_t)(page[bit / 8] ^ 1u << bit % 8);
            room_init(&room, v);
            nrefused += decode(v, page, v->page_nbytes, &room, NULL) != STOA_OK;
            room_reset(&room);
            free(page);
        }
        for (size_t nbytes = 0; nbytes < v->page_nbytes; nbytes += step) {
            struct room room;
            struct stoa_error err = {0};
            uint8_t *page = malloc(nbytes + 1);

            memcpy(page, v->page, nbytes);
            room_init(&room, v);
            assert_int_equal(decode(v, page, nbytes, &room, &err), STOA_ERR_CORRUPT);
            room_reset(&room);
            free(page);
        }
    }
    assert_in_range(nrefused, ntried / 10, ntried);
    stoa_test_vectors_free(vectors, count);
}

/* ---- The examples of the specification. ---- */

/*
 * An example is a fenced block behind a line with "Vector `name`". Its lines start with an offset
 * and bytes, each after a single space; what follows two spaces is for people.
 */
static uint8_t *read_example(FILE *file, size_t *nbytes)
{
    char line[256], hex[65536] = "";
    size_t n = 0;

    while (fgets(line, sizeof(line), file) != NULL && strncmp(line, "```", 3) != 0) {
        char *at = line + strcspn(line, " "), *end;

        at += strspn(at, " ");
        end = strstr(at, "  ");
        if (end == NULL)
            end = at + strcspn(at, "\n");
        assert_true(n + (size_t)(end - at) < sizeof(hex));
        memcpy(hex + n, at, (size_t)(end - at));
        n += (size_t)(end - at);
    }
    return stoa_test_unhex(hex, n, nbytes);
}

static void examples_of_the_specification_are_vectors(void **state)
{
    size_t count, nexamples = 0;
    struct stoa_test_vector *vectors = stoa_test_vectors_read(PAGES, &count);
    FILE *file = fopen(SPEC, "r");
    char line[1024], name[64] = "";

    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        const char *at = strstr(line, "Vector `");
        size_t nbytes, k = 0;
        uint8_t *bytes;

        if (at != NULL)
            (void)sscanf(at, "Vector `%63[^`]`", name);
        if (strncmp(line, "```", 3) != 0)
            continue;
        if (name[0] == '\0') { /* a drawing */
            while (fgets(line, sizeof(line), file) != NULL && strncmp(line, "```", 3) != 0)
                continue;
            continue;
        }
        bytes = read_example(file, &nbytes);
        while (k < count && strcmp(vectors[k].name, name) != 0)
            k++;
        if (k == count || nbytes != vectors[k].page_nbytes ||
            memcmp(bytes, vectors[k].page, nbytes) != 0)
            fail_msg("%s: the example \"%s\" is not the vector", SPEC, name);
        free(bytes);
        name[0] = '\0';
        nexamples++;
    }
    assert_in_range(nexamples, 10, 100);
    fclose(file);
    stoa_test_vectors_free(vectors, count);
}

/* ---- Writing. ---- */

static void write_page(FILE *out, const struct stoa_test_vector *v)
{
    struct stoa_buffer page = {0};

    encode(v, &page);
    fputs("page: ", out);
    for (size_t i = 0; i < page.nbytes; i++)
        fprintf(out, "%02x", page.data[i]);
    fputs("\n", out);
    stoa_buffer_free(&page);
}

static void write_vectors(void)
{
    size_t count, k = 0, room = 0;
    struct stoa_test_vector *vectors = stoa_test_vectors_read(PAGES, &count);
    FILE *in = fopen(PAGES, "r"), *out = fopen(PAGES ".new", "w");
    char *line = NULL;

    assert_true(in != NULL && out != NULL);
    while (getline(&line, &room, in) > 0) {
        if (strncmp(line, "page: ", 6) == 0)
            continue;
        fputs(line, out);
        if (strncmp(line, "values: ", 8) == 0)
            write_page(out, &vectors[k++]);
    }
    fclose(in);
    fclose(out);
    free(line);
    assert_int_equal(rename(PAGES ".new", PAGES), 0);
    stoa_test_vectors_free(vectors, count);
}

/* As the opening comment of fuzz_page.c says. Its dictionary is another; the codes fit all the
 * same. */
static void write_corpus(const char *from)
{
    size_t count;
    struct stoa_test_vector *vectors = stoa_test_vectors_read(from, &count);

    for (size_t i = 0; i < count; i++) {
        const struct stoa_test_vector *v = &vectors[i];
        size_t nentries = v->has_dictionary ? v->dictionary.vector.nvalues : 1;
        uint8_t head[5] = {(uint8_t)v->phys, v->has_dictionary ? 2 : 0, (uint8_t)(v->nvalues - 1),
                           (uint8_t)((v->nvalues - 1) >> 8), (uint8_t)(nentries - 1)};
        char path[256];
        FILE *out;

        (void)snprintf(path, sizeof(path), CORPUS "%s", v->name);
        out = fopen(path, "wb");
        assert_non_null(out);
        assert_int_equal(fwrite(head, 1, sizeof(head), out), sizeof(head));
        assert_int_equal(fwrite(v->page, 1, v->page_nbytes, out), v->page_nbytes);
        assert_int_equal(fclose(out), 0);
    }
    stoa_test_vectors_free(vectors, count);
}

static int set_up(void **state)
{
    (void)state;
    if (stoa_encoder_new(&encoder, 3, NULL) != STOA_OK ||
        stoa_decoder_new(&decoder, NULL) != STOA_OK)
        return 1;
    if (getenv("STOA_WRITE_VECTORS") != NULL) {
        write_vectors();
        write_corpus(PAGES);
        write_corpus(REFUSED);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    stoa_encoder_free(encoder);
    stoa_decoder_free(decoder);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_what_the_vectors_say),
        cmocka_unit_test(vectors_decode_to_their_values),
        cmocka_unit_test(damaged_pages_are_refused_with_the_reason),
        cmocka_unit_test(every_flipped_bit_and_every_cut_stays_in_bounds),
        cmocka_unit_test(examples_of_the_specification_are_vectors),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
