/*
 * The kernels: what they say of a text does not depend on the pieces it is looked at in, and what
 * they look at is never more than a few times the text.
 */
#include "csv/index_kernels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "csv/index.h"
#include "support/csv_model.h"
#include "support/random.h"

/* ---- The loops once more, on bytes, counting what they do. ---- */

#define STOA_CSV_OWN_CHUNKS

static uint64_t nsteps; /* masks that were made and products that were formed */

struct finder {
    char c;
};

struct chunk {
    const char *text;
};

static inline struct finder finder_of(char c)
{
    return (struct finder){c};
}

static inline struct chunk chunk_load(const char *text)
{
    nsteps++;
    return (struct chunk){text};
}

static inline uint64_t chunk_find(const struct chunk *chunk, struct finder finder)
{
    uint64_t bits = 0;

    for (int i = 0; i < 64; i++)
        bits |= (uint64_t)(chunk->text[i] == finder.c) << i;
    return bits;
}

static inline uint64_t prefix_xor(uint64_t bits)
{
    uint64_t sums = 0, sum = 0;

    nsteps++;
    for (int i = 0; i < 64; i++) {
        sum ^= bits >> i & 1;
        sums |= sum << i;
    }
    return sums;
}

static inline void put_bits(uint32_t *to, uint64_t bits, unsigned nbits, uint32_t first)
{
    for (uint32_t i = 0, n = 0; i < 64 && n < nbits; i++) {
        if ((bits >> i & 1) != 0)
            to[n++] = first + i;
    }
}

#include "csv/index_loops.h"

static void counted_rows(struct stoa_csv_rows *rows)
{
    loop_rows(rows);
}

static void counted_tally(const struct stoa_csv_dialect *dialect, const char *text, size_t nbytes,
                          uint64_t most, struct stoa_csv_tally *tally)
{
    loop_tally(dialect, text, nbytes, most, tally);
}

static const struct stoa_csv_kernels counted = {.rows = counted_rows, .tally = counted_tally};

static const struct stoa_csv_kernels *kernels_number(uint64_t i)
{
    const struct stoa_csv_kernels *all[] = {stoa_csv_kernels(), &stoa_csv_kernels_scalar, &counted};

    return all[i % 3];
}

/* ---- Exact partitioning. ---- */

/* The states that a kernel starts from, and what a block does to each of them. */
enum { NSTARTS = 8 };
static const enum stoa_csv_state starts[NSTARTS] = {
    STOA_CSV_AT_RECORD, STOA_CSV_AT_FIELD,   STOA_CSV_PLAIN,         STOA_CSV_QUOTED,
    STOA_CSV_CLOSED,    STOA_CSV_IN_COMMENT, STOA_CSV_PLAIN_ESCAPED, STOA_CSV_QUOTED_ESCAPED};

struct block {
    struct stoa_csv_tally from[NSTARTS];
};

static struct block block_of(const struct stoa_csv_kernels *kernels,
                             const struct stoa_csv_dialect *dialect, const char *text,
                             size_t nbytes)
{
    struct block block;

    for (int i = 0; i < NSTARTS; i++) {
        block.from[i] = (struct stoa_csv_tally){.state = starts[i]};
        kernels->tally(dialect, text, nbytes, UINT64_MAX, &block.from[i]);
    }
    return block;
}

static int start_number(enum stoa_csv_state state)
{
    for (int i = 0; i < NSTARTS; i++)
        if (starts[i] == state)
            return i;
    fail_msg("a walk ended in state %d", (int)state);
    return 0;
}

/* One block behind another is a block again. */
static struct block joined(const struct block *a, const struct block *b)
{
    struct block both;

    for (int i = 0; i < NSTARTS; i++) {
        const struct stoa_csv_tally *first = &a->from[i];
        const struct stoa_csv_tally *then = &b->from[start_number(first->state)];

        both.from[i] = (struct stoa_csv_tally){
            .state = then->state,
            .nrecords = first->nrecords + then->nrecords,
            .nlines = first->nlines + then->nlines,
            .last_end = then->nrecords > 0 ? first->nbytes + then->last_end : first->last_end,
            .last_nlines =
                then->nrecords > 0 ? first->nlines + then->last_nlines : first->last_nlines,
            .nbytes = first->nbytes + then->nbytes,
        };
    }
    return both;
}

/* The text with a whole mask readable behind it, that no result may depend on. */
static char *with_slack(const char *text, size_t nbytes)
{
    char *copy = malloc(nbytes + STOA_CSV_SLACK);

    assert_non_null(copy);
    memcpy(copy, text, nbytes);
    memset(copy + nbytes, '"', STOA_CSV_SLACK);
    return copy;
}

/* What the model says of the records that have a line end, and how the last one is left. */
static void assert_equals_model(const struct stoa_csv_tally *tally, const char *text, size_t nbytes,
                                const struct stoa_csv_options *options)
{
    struct stoa_test_csv model;
    const struct stoa_test_csv_record *last;
    uint64_t nlines = 0;
    size_t nwhole;

    stoa_test_csv_parse(text, nbytes, options, &model);
    last = model.nrecords > 0 ? &model.records[model.nrecords - 1] : NULL;
    nwhole = last != NULL && last->ending == last->end ? model.nrecords - 1 : model.nrecords;
    for (size_t i = 0; i < nbytes; i++)
        nlines += text[i] == '\n';
    for (size_t i = 0; i < nwhole; i++)
        nlines += text[model.records[i].end - 1] == '\r';
    assert_int_equal(tally->nrecords, nwhole);
    assert_int_equal(tally->nlines, nlines);
    assert_int_equal(tally->last_end, nwhole > 0 ? model.records[nwhole - 1].end : 0);
    if (last != NULL)
        assert_int_equal(tally->state == STOA_CSV_QUOTED || tally->state == STOA_CSV_QUOTED_ESCAPED,
                         last->fault == STOA_TEST_CSV_OPEN_QUOTE);
    stoa_test_csv_free(&model);
}

/* Blocks of a size each by itself, from every state; then joined in any grouping. */
static void check_partition(struct stoa_test_random *r, const char *text, size_t nbytes,
                            const struct stoa_csv_options *options, size_t block_nbytes)
{
    const size_t nblocks = (nbytes + block_nbytes - 1) / block_nbytes;
    struct block *blocks = calloc(nblocks + 1, sizeof(*blocks));
    struct stoa_csv_dialect dialect;
    size_t n = nblocks;

    assert_non_null(blocks);
    stoa_csv_dialect_init(&dialect, options);
    blocks[0] = block_of(&counted, &dialect, text, 0);
    for (size_t i = 0; i < nblocks; i++) {
        size_t begin = i * block_nbytes, rest = nbytes - begin;

        blocks[i] = block_of(kernels_number(i), &dialect, text + begin,
                             rest < block_nbytes ? rest : block_nbytes);
    }
    for (; n > 1; n--) { /* any two neighbours first */
        size_t k = (size_t)stoa_test_random_below(r, n - 1);

        blocks[k] = joined(&blocks[k], &blocks[k + 1]);
        memmove(&blocks[k + 1], &blocks[k + 2], (n - k - 2) * sizeof(*blocks));
    }
    assert_equals_model(&blocks[0].from[0], text, nbytes, options);
    free(blocks);
}

static void blocks_of_any_size_join_to_the_whole(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 2, 3, 63, 64, 65, 100, 128, 1000, 4096, 65536, 1 << 20};
    struct stoa_test_random r;

    stoa_test_random_init(&r, "blocks_of_any_size_join_to_the_whole");
    for (size_t n = stoa_test_ncases(1500); n > 0; n--) {
        const struct stoa_csv_options options = stoa_test_random_one_in(&r, 3)
                                                    ? (struct stoa_csv_options){0}
                                                    : stoa_test_csv_dialect(&r);
        size_t nbytes;
        char *noise = stoa_test_random_one_in(&r, 2)
                          ? stoa_test_csv_file(&r, stoa_test_random_below(&r, 40), 3, &nbytes)
                          : stoa_test_csv_dialect_noise(&r, &options, 600, &nbytes);
        char *text = with_slack(noise, nbytes);

        check_partition(&r, text, nbytes, &options, sizes[n % (sizeof(sizes) / sizeof(sizes[0]))]);
        free(text);
        free(noise);
    }
}

static void a_walk_stops_behind_the_record_it_was_asked_for(void **state)
{
    (void)state;
    struct stoa_test_random r;

    stoa_test_random_init(&r, "a_walk_stops_behind_the_record_it_was_asked_for");
    for (size_t n = stoa_test_ncases(500); n > 0; n--) {
        const struct stoa_csv_options options = stoa_test_csv_dialect(&r);
        struct stoa_csv_dialect dialect;
        size_t nbytes;
        char *noise = stoa_test_csv_dialect_noise(&r, &options, 600, &nbytes);
        char *text = with_slack(noise, nbytes);
        struct stoa_test_csv model;
        struct stoa_csv_tally tally = {0};

        stoa_csv_dialect_init(&dialect, &options);
        stoa_test_csv_parse(text, nbytes, &options, &model);
        for (size_t i = 0; i + 1 < model.nrecords; i++) {
            kernels_number(n)->tally(&dialect, text + tally.nbytes, nbytes - tally.nbytes, i + 1,
                                     &tally);
            assert_int_equal(tally.nrecords, i + 1);
            assert_int_equal(tally.nbytes, model.records[i].end);
            assert_int_equal(tally.last_end, model.records[i].end);
            assert_int_equal(tally.nlines, model.records[i + 1].line - 1);
            assert_int_equal(tally.last_nlines, tally.nlines);
            assert_int_equal(tally.state, STOA_CSV_AT_RECORD);
        }
        stoa_test_csv_free(&model);
        free(text);
        free(noise);
    }
}

/* ---- Work. ---- */

/* Texts that are hard in some way, made of one piece many times behind a beginning. */
static const struct {
    const char *begin;
    const char *piece;
} hard[] = {
    {"", "1,2\n"},
    {"", "\n"},
    {"", "\r"},
    {"", "1,2,3\n"},
    {"", "1\n1,2\n"},
    {"\"", "x"},
    {"\"", "1,2\n"},
    {"", "\""},
    {"x", "\""},
    {"", "x\"y\"z\""},
    {"", ",\""},
    {"", "\"\n"},
    {"", "\"a\"b,\"\"\n"},
    {"", ","},
    {"", "1,\"2\n3\"\"\"\n"},
    {"x", "\",\""},
    {"", "#\n"},
    {"", "# \"\n1,2\n"},
    {"", "#"},
    {"", " "},
    {"", "  , \"1\" \n"},
    {"", ", "},
    {"", "\" \""},
    {"", "\"1\" x,2\n"},
};

/* What they are looked at with. */
static const struct stoa_csv_options ways[] = {
    {.delimiter = ','},
    {.comment = '#'},
    {.trim = STOA_CSV_TRIM_START},
    {.trim = STOA_CSV_TRIM_BOTH, .comment = '#', .strict = true},
    {.strict = true},
    {.escape = 'x'},
};

static char *hard_text(size_t i, size_t nbytes)
{
    const size_t nbegin = strlen(hard[i].begin), npiece = strlen(hard[i].piece);
    char *text = calloc(nbytes + STOA_CSV_SLACK, 1);

    assert_non_null(text);
    memcpy(text, hard[i].begin, nbegin);
    for (size_t at = nbegin; at < nbytes; at++)
        text[at] = hard[i].piece[(at - nbegin) % npiece];
    return text;
}

/* Steps to make tiles of a text. */
static uint64_t index_work(const struct stoa_csv_options *options, const char *text, size_t nbytes)
{
    struct stoa_csv_dialect dialect;
    struct stoa_csv_index index;

    stoa_csv_dialect_init(&dialect, options);
    stoa_csv_index_init(&index, &dialect, 2);
    index.kernels = &counted;
    assert_int_equal(stoa_csv_index_start(&index, text, nbytes, NULL), STOA_OK);
    nsteps = 0;
    do
        stoa_csv_index_next(&index);
    while (!stoa_csv_index_at_end(&index));
    stoa_csv_index_reset(&index);
    return nsteps;
}

static uint64_t walk_work(const struct stoa_csv_options *options, const char *text, size_t nbytes)
{
    struct stoa_csv_tally tally = {0};
    struct stoa_csv_dialect dialect;

    stoa_csv_dialect_init(&dialect, options);
    nsteps = 0;
    counted.tally(&dialect, text, nbytes, UINT64_MAX, &tally);
    return nsteps;
}

static void twice_the_text_is_at_most_twice_the_work(void **state)
{
    (void)state;
    enum { SMALLEST = 4096, NDOUBLINGS = 5 };
    static uint64_t (*const works[])(const struct stoa_csv_options *, const char *,
                                     size_t) = {index_work, walk_work};
    const size_t nways = sizeof(ways) / sizeof(ways[0]);

    for (size_t i = 0; i < sizeof(hard) / sizeof(hard[0]); i++) {
        for (size_t w = 0; w < 2 * nways; w++) {
            uint64_t before = 0;

            for (int d = 0; d <= NDOUBLINGS; d++) {
                const size_t nbytes = (size_t)SMALLEST << d;
                char *text = hard_text(i, nbytes);
                uint64_t work = works[w % 2](&ways[w / 2], text, nbytes);

                /* At most one mask a record, and a product for each byte and each mask. */
                assert_true(work <= 3 * nbytes);
                if (d > 0 && work > 2 * before + 64)
                    fail_msg("text %zu of %zu bytes, way %zu: %zu steps after %zu", i, nbytes, w,
                             (size_t)work, (size_t)before);
                before = work;
                free(text);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_of_any_size_join_to_the_whole),
        cmocka_unit_test(a_walk_stops_behind_the_record_it_was_asked_for),
        cmocka_unit_test(twice_the_text_is_at_most_twice_the_work),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
