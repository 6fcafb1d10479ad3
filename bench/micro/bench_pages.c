/*
 * Whole pages of the codec: 65,536 values, encoded and decoded, and what choosing an encoding
 * takes.
 *
 *     make build/release/bench/micro/bench_pages && build/release/bench/micro/bench_pages
 *
 * A page fits the second cache, so the roofline, which is that of memory, is there to compare with:
 * decoding at 100 % would keep up with a copy. STOA_SCALAR=1 runs the plain code.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/chooser.h"
#include "codec/distinct.h"
#include "codec/kernels.h"
#include "codec/page.h"
#include "measure.h"

enum { PAGE = 65536, NPASSES = 10 };

static uint8_t values[PAGE * 8 + 64], out[PAGE * 32 + 64];

/* ---- Pages. ---- */

struct page {
    struct stoa_encoder *encoder;
    struct stoa_decoder *decoder;
    struct stoa_plan plan;
    struct stoa_vector values;
    enum stoa_phys phys; /* of the column */
    const struct stoa_vector *dictionary;
    struct stoa_buffer bytes;
    uint32_t raw_nbytes;
};

static void encode_page(const void *context)
{
    struct page *p = *(struct page *const *)context;

    p->bytes.nbytes = 0;
    if (stoa_page_encode(p->encoder, &p->values, p->phys, NULL, 0, &p->plan, NULL, &p->bytes,
                         &p->raw_nbytes, NULL) != STOA_OK)
        exit(1);
}

static void decode_page(const void *context)
{
    struct page *p = *(struct page *const *)context;
    static struct stoa_buffer text;
    static int32_t ends[PAGE + 1];
    struct stoa_page_values to = {.values = out, .offsets = ends, .bytes = &text};

    text.nbytes = 0;
    if (stoa_page_decode(p->decoder, p->bytes.data, p->bytes.nbytes, p->phys, 0, PAGE, UINT32_MAX,
                         p->dictionary, 0, &to, NULL) != STOA_OK)
        exit(1);
}

static void choose(const void *context)
{
    struct page *p = *(struct page *const *)context;
    struct stoa_choice choice;

    if (stoa_chooser_choose(p->encoder, &p->values, false, &choice, NULL) != STOA_OK)
        exit(1);
}

static uint64_t noise(size_t i)
{
    (void)i;
    return measure_random() % 1000;
}

static uint64_t minutes(size_t i)
{
    (void)i;
    return 1357000020 + measure_random() % 44640 * 60;
}

static uint64_t outliers(size_t i)
{
    return i % 50 == 17 ? 0 : 40700000 + measure_random() % 100000;
}

static uint64_t rising(size_t i)
{
    static uint64_t x;

    return x = i == 0 ? 0 : x + measure_random() % 16;
}

static uint64_t runs(size_t i)
{
    static uint64_t x;

    return x = i % 37 == 0 ? measure_random() % 5000 : x;
}

static uint64_t mostly(size_t i)
{
    return i % 40 == 0 ? measure_random() % 5000 : 5;
}

/* One row: the bytes that a page reads and writes are those of the values and of the page. */
static void show_row(const char *shape, const char *plan, const char *what, double nbytes,
                     double page_nbytes, double seconds)
{
    char name[80];
    struct measure_row row = {.group = "page",
                              .name = name,
                              .nvalues = PAGE,
                              .value_nbytes = nbytes / PAGE,
                              .read_nbytes = nbytes,
                              .written_nbytes = page_nbytes,
                              .seconds = seconds};

    snprintf(name, sizeof(name), "%s %s %s", what, shape, plan);
    measure_print(&row);
}

static void measure_page(const char *shape, struct page *p, const char *plan, double nbytes)
{
    double page_nbytes;

    if (stoa_encoder_new(&p->encoder, 3, NULL) != STOA_OK ||
        stoa_decoder_new(&p->decoder, NULL) != STOA_OK || !stoa_plan_parse(plan, p->phys, &p->plan))
        exit(1);
    encode_page(&p);
    page_nbytes = (double)p->bytes.nbytes;
    show_row(shape, plan, "decode", nbytes, page_nbytes,
             measure_best(decode_page, &p, 20, NPASSES));
    show_row(shape, plan, "encode", nbytes, page_nbytes, measure_best(encode_page, &p, 5, NPASSES));
    show_row(shape, plan, "choose", nbytes, 0, measure_best(choose, &p, 1, NPASSES));
    stoa_encoder_free(p->encoder);
    stoa_decoder_free(p->decoder);
    stoa_buffer_free(&p->bytes);
}

static uint64_t bits_of(double x)
{
    uint64_t bits;

    memcpy(&bits, &x, sizeof(bits));
    return bits;
}

static uint64_t coordinates(size_t i)
{
    (void)i;
    return bits_of(-(double)(73900000 + measure_random() % 100000) / 1e6);
}

static uint64_t any_floats(size_t i)
{
    (void)i;
    return bits_of((double)(measure_random() >> 11) * 0x1p-53);
}

/* clang-format off */
static const struct shape {
    const char *name;
    uint64_t (*value)(size_t i);
    enum stoa_phys phys;
    const char *plan;
} shapes[] = {
    {"noise", noise, STOA_PHYS_I64, "pfor"},
    {"minutes", minutes, STOA_PHYS_I64, "pfor"},
    {"outliers", outliers, STOA_PHYS_I64, "pfor"},
    {"rising", rising, STOA_PHYS_I64, "delta(pfor)"},
    {"runs", runs, STOA_PHYS_I64, "rle(pfor,pfor)"},
    {"mostly one", mostly, STOA_PHYS_I64, "sparse(pfor,pfor)"},
    {"noise", noise, STOA_PHYS_I64, "narrow(plain+zstd)"},
    {"noise", noise, STOA_PHYS_I64, "plain"},
    {"coordinates", coordinates, STOA_PHYS_F64, "alp(pfor)"},
    {"any floats", any_floats, STOA_PHYS_F64, "split(plain+zstd,pfor)"},
};
/* clang-format on */

static void show_page(const struct shape *shape)
{
    struct page page = {.values = {shape->phys, 8, PAGE, values, NULL}, .phys = shape->phys};

    for (size_t i = 0; i < PAGE; i++)
        stoa_put(values, i, 8, shape->value(i));
    measure_page(shape->name, &page, shape->plan, PAGE * 8);
}

/* ---- Distinct values. ---- */

enum { NTEXTS = 131072, NDISTINCT = 30000, TEXT = 32 };
static uint8_t texts[NTEXTS * TEXT];
static int32_t offsets[NTEXTS + 1];
static uint32_t text_codes[NTEXTS];

static void add_texts(const void *context)
{
    struct stoa_vector vector = {STOA_PHYS_BYTES, 0, NTEXTS, texts, offsets};
    struct stoa_distinct *set;
    bool complete;

    (void)context;
    if (stoa_distinct_new(&set, STOA_PHYS_BYTES, 0, NULL) != STOA_OK ||
        stoa_distinct_add(set, &vector, UINT32_MAX, UINT64_MAX, text_codes, &complete, NULL) !=
            STOA_OK)
        exit(1);
    stoa_distinct_free(set);
}

static void make_texts(void)
{
    for (size_t i = 0; i < NTEXTS; i++) {
        uint64_t key = measure_random() % NDISTINCT * UINT64_C(0x9e3779b97f4a7c15);

        for (size_t k = 0; k < TEXT; k++)
            texts[i * TEXT + k] = (uint8_t) "0123456789ABCDEF"[key >> k & 15];
        offsets[i + 1] = (int32_t)((i + 1) * TEXT);
    }
}

/* The texts as they are, and as codes of their distinct values. */
static void show_text_pages(void)
{
    struct page plain = {.values = {STOA_PHYS_BYTES, 0, PAGE, texts, offsets},
                         .phys = STOA_PHYS_BYTES};
    struct page dict = {.values = {STOA_PHYS_U32, 4, PAGE, (const uint8_t *)text_codes, NULL},
                        .phys = STOA_PHYS_BYTES};
    struct stoa_distinct *set;
    struct stoa_vector entries;
    bool complete;

    if (stoa_distinct_new(&set, STOA_PHYS_BYTES, 0, NULL) != STOA_OK ||
        stoa_distinct_add(set, &plain.values, UINT32_MAX, UINT64_MAX, text_codes, &complete,
                          NULL) != STOA_OK)
        exit(1);
    entries = stoa_distinct_values(set);
    entries.width = stoa_text_length(entries.offsets, entries.nvalues);
    dict.dictionary = &entries;
    measure_page("text", &plain, "plain(pfor)", PAGE * TEXT);
    measure_page("text", &plain, "plain+zstd(pfor)", PAGE * TEXT);
    measure_page("text", &dict, "dict(pfor)", PAGE * TEXT);
    stoa_distinct_free(set);
}

/* ---- Sentences: text that repeats in parts. ---- */

static void make_sentences(void)
{
    static const char *const words[] = {
        "furiously ", "regular ", "deposits ", "sleep ",   "carefully ", "final ",   "requests ",
        "haggle ",    "blithely", " packages", " across ", "the ",       "ironic, ", "accounts. ",
        "quickly ",   "bold ",    "ideas",     " nag",     " above ",    "even ",    "platelets ",
    };
    const size_t nwords = sizeof(words) / sizeof(words[0]);

    for (size_t i = 0, at = 0; i < NTEXTS; i++) {
        size_t nbytes = 10 + measure_random() % 23; /* on average 20 */

        for (size_t k = 0; k < nbytes;) {
            const char *word = words[measure_random() % nwords];

            for (; *word != '\0' && k < nbytes; word++)
                texts[at + k++] = (uint8_t)*word;
        }
        at += nbytes;
        offsets[i + 1] = (int32_t)at;
    }
}

static void show_sentences(void)
{
    static const char *const plans[] = {"plain(pfor)", "fsst(pfor)", "fsst+zstd(pfor)",
                                        "plain+zstd(pfor)"};
    struct page page = {.values = {STOA_PHYS_BYTES, 0, PAGE, texts, offsets},
                        .phys = STOA_PHYS_BYTES};

    for (size_t k = 0; k < sizeof(plans) / sizeof(plans[0]); k++)
        measure_page("sentences", &page, plans[k], offsets[PAGE]);
}

/* ---- Paths: sorted text. ---- */

static void make_paths(void)
{
    static const char *const dirs[] = {"agora", "kerameikos", "pnyx", "stoa"};

    for (size_t i = 0, at = 0; i < NTEXTS; i++) {
        at += (size_t)sprintf((char *)texts + at, "/srv/%s/%06zu.csv", dirs[i * 4 / NTEXTS],
                              7 * i + measure_random() % 7);
        offsets[i + 1] = (int32_t)at;
    }
}

static void show_paths(void)
{
    static const char *const plans[] = {"fsst(pfor)", "front(pfor,plain(pfor))",
                                        "front(pfor,fsst(pfor))"};
    struct page page = {.values = {STOA_PHYS_BYTES, 0, PAGE, texts, offsets},
                        .phys = STOA_PHYS_BYTES};

    for (size_t k = 0; k < sizeof(plans) / sizeof(plans[0]); k++)
        measure_page("paths", &page, plans[k], offsets[PAGE]);
}

/* ---- Texts of one layout. ---- */

static void show_layouts(void)
{
    static const struct {
        const char *name, *text; /* x is a digit of 16, 0 one of 10 */
    } layouts[] = {
        {"uuids", "xxxxxxxx-xxxx-4xxx-xxxx-xxxxxxxxxxxx"},
        {"hashes", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},
        {"names", "Customer#000000000"},
    };
    struct page page = {.values = {STOA_PHYS_BYTES, 0, PAGE, texts, offsets},
                        .phys = STOA_PHYS_BYTES};

    for (size_t k = 0; k < sizeof(layouts) / sizeof(layouts[0]); k++) {
        size_t at = 0;

        for (size_t i = 0; i < PAGE; i++) {
            for (const char *c = layouts[k].text; *c != '\0'; c++)
                texts[at++] = *c == 'x'   ? (uint8_t) "0123456789abcdef"[measure_random() % 16]
                              : *c == '0' ? (uint8_t)('0' + measure_random() % 10)
                                          : (uint8_t)*c;
            offsets[i + 1] = (int32_t)at;
        }
        measure_page(layouts[k].name, &page, "charpack(plain)", (double)at);
    }
}

static void show_distinct(void)
{
    struct measure_row row = {.group = "distinct",
                              .name = "texts of 32 bytes, 30,000 different",
                              .nvalues = NTEXTS,
                              .value_nbytes = TEXT,
                              .read_nbytes = NTEXTS * TEXT,
                              .seconds = measure_best(add_texts, NULL, 1, NPASSES)};

    measure_print(&row);
}

int main(int argc, char **argv)
{
    measure_begin(argc, argv);
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
        show_page(&shapes[i]);
    make_texts();
    show_text_pages();
    show_distinct();
    make_sentences();
    show_sentences();
    make_paths();
    show_paths();
    show_layouts();
    return 0;
}
