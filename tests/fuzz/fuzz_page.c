/*
 * Any bytes as a page. What is decoded must come back from a PLAIN page of it.
 *
 *     byte 0      physical type, modulo 14 (FIXED is 5 bytes wide)
 *     byte 1      0 no dictionary, 1 codes are wanted, 2 a dictionary; modulo 3
 *     byte 2, 3   number of values - 1
 *     byte 4      number of entries - 1
 *     the rest    the page
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/bytes.h"
#include "codec/page.h"

enum { HEAD = 5, WIDTH = 5, MAX_NENTRIES = 256, RAW_MAX = 1 << 22, TEXT_MAX = 1 << 22 };
enum { NO_DICTIONARY, CODES, DICTIONARY };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes);

static void must(bool good)
{
    if (!good)
        abort();
}

/* Values of a page, in memory of exactly the size that page.h asks for. */
struct column {
    struct stoa_page_values out;
    struct stoa_buffer text;
    size_t nvalues;
    uint32_t width;
};

static void column_init(struct column *c, size_t nvalues, uint32_t width)
{
    *c = (struct column){.nvalues = nvalues, .width = width};
    c->out.values = malloc(nvalues * width + 64);
    c->out.offsets = calloc(nvalues + 1, sizeof(int32_t));
    c->out.validity = calloc(stoa_bitmap_nbytes(nvalues), 1);
    c->out.bytes = &c->text;
    c->out.bytes_max = TEXT_MAX;
    must(c->out.values != NULL && c->out.offsets != NULL && c->out.validity != NULL);
}

static void column_reset(struct column *c)
{
    free(c->out.values);
    free(c->out.offsets);
    free(c->out.validity);
    stoa_buffer_free(&c->text);
}

/* Entries that differ; text of 0 to 39 bytes. */
static struct stoa_vector make_dictionary(enum stoa_phys phys, uint32_t width, size_t nentries)
{
    static uint8_t values[MAX_NENTRIES * 40 + 64];
    static int32_t offsets[MAX_NENTRIES + 1];

    for (size_t i = 0; i < sizeof(values); i++)
        values[i] = (uint8_t)(i * 167 >> 3);
    for (size_t i = 0; i < nentries; i++)
        offsets[i + 1] = offsets[i] + (int32_t)(i % 40);
    return (struct stoa_vector){.phys = phys,
                                .width = width,
                                .nvalues = nentries,
                                .values = values,
                                .offsets = phys == STOA_PHYS_BYTES ? offsets : NULL};
}

static void compare(const struct column *a, const struct column *b, enum stoa_phys phys)
{
    must(a->out.nnulls == b->out.nnulls);
    must(memcmp(a->out.validity, b->out.validity, stoa_bitmap_nbytes(a->nvalues)) == 0);
    must(a->out.nnulls == a->nvalues - stoa_bitmap_count(a->out.validity, 0, a->nvalues));
    if (phys == STOA_PHYS_BYTES) {
        must(memcmp(a->out.offsets, b->out.offsets, (a->nvalues + 1) * sizeof(int32_t)) == 0);
        must(a->text.nbytes == (size_t)a->out.offsets[a->nvalues]);
        must(a->text.nbytes == b->text.nbytes);
        must(a->text.nbytes == 0 || memcmp(a->text.data, b->text.data, a->text.nbytes) == 0);
    } else {
        must(memcmp(a->out.values, b->out.values, a->nvalues * a->width) == 0);
    }
}

static void encode_and_compare(struct stoa_decoder *decoder, const struct column *c,
                               enum stoa_phys phys)
{
    static struct stoa_encoder *encoder;
    struct stoa_vector values = {.phys = phys,
                                 .width = c->width,
                                 .nvalues = c->nvalues,
                                 .values = phys == STOA_PHYS_BYTES ? c->text.data : c->out.values,
                                 .offsets = phys == STOA_PHYS_BYTES ? c->out.offsets : NULL};
    struct stoa_plan plan = {0};
    struct stoa_buffer page = {0};
    struct column back;
    uint32_t raw_nbytes;

    if (encoder == NULL)
        must(stoa_encoder_new(&encoder, 1, NULL) == STOA_OK);
    must(phys == STOA_PHYS_NONE ||
         stoa_plan_parse(phys == STOA_PHYS_BYTES ? "plain(plain)" : "plain", phys, &plan));
    must(stoa_page_encode(encoder, &values, phys, c->out.validity, 0, &plan, &page, &raw_nbytes,
                          NULL) == STOA_OK);
    column_init(&back, c->nvalues, c->width);
    must(stoa_page_decode(decoder, page.data, page.nbytes, phys, WIDTH, c->nvalues, UINT32_MAX,
                          NULL, 0, &back.out, NULL) == STOA_OK);
    compare(c, &back, phys);
    column_reset(&back);
    stoa_buffer_free(&page);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    static struct stoa_decoder *decoder;
    struct stoa_vector dictionary;
    struct stoa_error err;
    struct column column;
    enum stoa_phys phys;
    uint32_t width, count;
    size_t nvalues, nentries;
    unsigned mode;
    char text[128];

    if (nbytes < HEAD)
        return 0;
    if (decoder == NULL)
        must(stoa_decoder_new(&decoder, NULL) == STOA_OK);
    phys = (enum stoa_phys)(data[0] % 16);
    mode = data[1] % 3;
    nvalues = stoa_load16(data + 2) + (size_t)1;
    nentries = data[4] + (size_t)1;
    width = phys == STOA_PHYS_FIXED ? WIDTH : stoa_phys_width(phys);
    data += HEAD;
    nbytes -= HEAD;
    dictionary = make_dictionary(phys, width, nentries);
    column_init(&column, nvalues, mode == CODES ? 4 : width);
    if (stoa_page_decode(decoder, data, nbytes, phys, WIDTH, nvalues, RAW_MAX,
                         mode == DICTIONARY ? &dictionary : NULL,
                         mode == CODES ? (uint32_t)nentries : 0, &column.out, &err) == STOA_OK) {
        must(stoa_page_describe(data, nbytes, text, NULL) == STOA_OK);
        must(stoa_page_count(data, nbytes, &count, NULL) == STOA_OK && count == nvalues);
        encode_and_compare(decoder, &column, mode == CODES ? STOA_PHYS_U32 : phys);
    } else {
        must(err.message[0] != '\0');
        (void)!stoa_page_describe(data, nbytes, text, NULL);
    }
    column_reset(&column);
    return 0;
}
