/*
 * Damaged Avro files: without skips_blocks an error that names the place, with it exactly the rows
 * of whole blocks. What is whole is known from how the file was made.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "avro/avro_block.h"
#include "avro/avro_pack.h"
#include "avro/avro_source.h"
#include "base/alloc.h"
#include "base/error.h"
#include "support/avro_bytes.h"
#include "support/fault_alloc.h"
#include "support/folder.h"

enum { NBLOCKS = 6, MAX_ROWS = 64 };

static const char sync_marker[] = "0123456789abcdef";
static const char schema[] = "{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"id\","
                             "\"type\":\"long\"},{\"name\":\"s\",\"type\":\"string\"}]}";
static const unsigned nrows_of[NBLOCKS] = {2, 1, 5, 3, 1, 4};

/* A file, and where its blocks begin; the last one is the end. */
struct made {
    struct stoa_buffer bytes;
    size_t begins[NBLOCKS + 1];
};

/* What was read. */
struct read {
    int64_t ids[MAX_ROWS];
    size_t nrows;
    struct stoa_avro_lost lost;
    char first_note[1400];
    size_t nnotes;
    uint64_t done_nbytes; /* of the file */
};

static void put_header(struct stoa_buffer *out, const char *codec)
{
    stoa_test_put(out, "Obj\x01", 4);
    stoa_test_put_long(out, 2);
    stoa_test_put_text(out, "avro.schema");
    stoa_test_put_text(out, schema);
    stoa_test_put_text(out, "avro.codec");
    stoa_test_put_text(out, codec);
    stoa_test_put_long(out, 0);
    stoa_test_put(out, sync_marker, 16);
}

/* Rows with the numbers [id, id + nrows), compressed by the codec. */
static void put_block(struct stoa_buffer *out, const char *codec, int64_t id, unsigned nrows)
{
    struct stoa_buffer data = {0}, packed = {0};
    char text[64];

    for (unsigned i = 0; i < nrows; i++) {
        snprintf(text, sizeof(text), "the text of row %d", (int)id + (int)i);
        stoa_test_put_long(&data, id + i);
        stoa_test_put_text(&data, text);
    }
    if (strcmp(codec, "snappy") == 0)
        assert_int_equal(stoa_avro_pack_snappy(data.data, data.nbytes, &packed, NULL), STOA_OK);
    else
        stoa_test_put(&packed, data.data, data.nbytes);
    stoa_test_put_long(out, nrows);
    stoa_test_put_long(out, (int64_t)packed.nbytes);
    stoa_test_put(out, packed.data, packed.nbytes);
    stoa_test_put(out, sync_marker, 16);
    stoa_buffer_free(&packed);
    stoa_buffer_free(&data);
}

static struct made make(const char *codec)
{
    struct made made = {0};
    int64_t id = 0;

    put_header(&made.bytes, codec);
    for (unsigned k = 0; k < NBLOCKS; k++) {
        made.begins[k] = made.bytes.nbytes;
        put_block(&made.bytes, codec, id, nrows_of[k]);
        id += nrows_of[k];
    }
    made.begins[NBLOCKS] = made.bytes.nbytes;
    return made;
}

static void take_note(void *context, const char *message)
{
    struct read *read = context;

    if (read->nnotes++ == 0)
        snprintf(read->first_note, sizeof(read->first_note), "%s", message);
}

/* One unit after the other, as a conversion with one thread has them. */
static enum stoa_status read_units(struct stoa_batch_source *source, struct read *out,
                                   struct stoa_error *err)
{
    enum stoa_status st;

    for (;;) {
        struct stoa_batch batch = {0};
        struct stoa_notes *notes = NULL;
        struct stoa_unit *unit;

        STOA_TRY(source->next(source, &unit, err));
        if (unit == NULL)
            break;
        STOA_TRY(source->read(source, unit, &batch, &notes, err));
        for (size_t i = 0; i < batch.nrows && out->nrows < MAX_ROWS; i++)
            out->ids[out->nrows++] = ((const int64_t *)batch.columns[0].values)[i];
        if (stoa_batch_validate(&batch, NULL) != STOA_OK)
            fail_msg("a batch is not valid");
        stoa_batch_reset(&batch);
        st = notes == NULL ? STOA_OK : source->accept(source, notes, err);
        if (notes != NULL)
            notes->free(notes);
        STOA_TRY(st);
    }
out:
    return st;
}

/* With the blocks of the split [begin, end), or end 0 all; adds to what *out has. */
static enum stoa_status read_split(bool skips, uint32_t unit_nrows, uint64_t max_lost,
                                   uint64_t begin, uint64_t end, struct read *out,
                                   struct stoa_error *err)
{
    static const uint32_t columns[] = {0, 1};
    static const char *const path = "x.avro";
    const struct stoa_avro_source_options options = {.columns = columns,
                                                     .ncolumns = 2,
                                                     .unit_nrows = unit_nrows,
                                                     .unit_nbytes = 1 << 20,
                                                     .split_begin = begin,
                                                     .split_end = end,
                                                     .max_lost = max_lost,
                                                     .note = take_note,
                                                     .note_context = out};
    struct stoa_avro_inputs *inputs = NULL;
    struct stoa_batch_source *source = NULL;
    uint64_t total;
    enum stoa_status st;

    STOA_TRY(stoa_avro_inputs_open(&path, 1, NULL, skips, NULL, &inputs, err));
    STOA_TRY(stoa_avro_source_open(inputs, &options, &source, err));
    inputs = NULL;
    st = read_units(source, out, err);
    stoa_avro_source_lost(source, &out->lost);
    source->progress(source, &out->done_nbytes, &total);
out:
    if (source != NULL)
        source->close(source);
    stoa_avro_inputs_close(inputs);
    return st;
}

static enum stoa_status read_file(const void *bytes, size_t nbytes, bool skips, uint32_t unit_nrows,
                                  uint64_t max_lost, struct read *out, struct stoa_error *err)
{
    *out = (struct read){0};
    stoa_test_folder_put("x.avro", bytes, nbytes);
    return read_split(skips, unit_nrows, max_lost, 0, 0, out, err);
}

/* The rows must be those of all blocks whose bit is not set in `lost`. */
static void check_rows(const struct read *read, unsigned lost, const char *what, size_t at)
{
    size_t n = 0;
    int64_t id = 0;

    for (unsigned k = 0; k < NBLOCKS; id += nrows_of[k++])
        for (unsigned i = 0; i < nrows_of[k] && (lost >> k & 1) == 0; i++, n++)
            if (n >= read->nrows || read->ids[n] != id + i)
                fail_msg("%s %zu: row %zu is not that with the number %d", what, at, n,
                         (int)id + (int)i);
    if (read->nrows != n)
        fail_msg("%s %zu: %zu rows instead of %zu", what, at, read->nrows, n);
}

/* Row groups so small that most blocks are read as large ones, and others together. */
static const uint32_t unit_rows[] = {2, 100};

static void a_cut_keeps_the_blocks_before_it(void **state)
{
    (void)state;
    struct made made = make("null");
    struct stoa_error err;
    struct read read;

    for (size_t n = made.begins[0]; n <= made.bytes.nbytes; n++)
        for (int u = 0; u < 2; u++) {
            unsigned k = 0;
            char place[80];

            while (k < NBLOCKS && made.begins[k + 1] <= n)
                k++;
            snprintf(place, sizeof(place), "x.avro: the file ends at byte %zu, within block %u", n,
                     k);
            if (made.begins[k] == n) {
                assert_int_equal(read_file(made.bytes.data, n, false, unit_rows[u], 0, &read, &err),
                                 STOA_OK);
            } else {
                assert_int_equal(read_file(made.bytes.data, n, false, unit_rows[u], 0, &read, &err),
                                 STOA_ERR_DATA);
                if (u == 1 && strncmp(err.message, place, strlen(place)) != 0)
                    fail_msg("cut at %zu: %s", n, err.message);
            }
            assert_int_equal(read_file(made.bytes.data, n, true, unit_rows[u], 0, &read, &err),
                             STOA_OK);
            check_rows(&read, ~0u << k, "cut at", n);
            assert_int_equal(read.lost.nbytes, n - made.begins[k]);
            assert_int_equal(read.lost.nblocks, n > made.begins[k]);
            /* The number of rows and the size have a byte each but that of two bytes. */
            if (n > made.begins[k] + 3) {
                assert_int_equal(read.lost.nrows, nrows_of[k]);
                assert_int_equal(read.lost.nuncounted, 0);
            }
        }
    stoa_buffer_free(&made.bytes);
}

/* Snappy has a checksum, so that any change of data is found. */
static void a_changed_byte_loses_its_block_alone(void **state)
{
    (void)state;
    static const uint8_t changes[] = {0x01, 0x02, 0x10, 0x7f, 0x80, 0xff};
    struct made made = make("snappy");
    struct stoa_error err;
    struct read read;

    for (size_t at = made.begins[0]; at < made.bytes.nbytes; at++)
        for (size_t c = 0; c < 2 * sizeof(changes) / sizeof(changes[0]); c++) {
            const uint32_t nrows = unit_rows[c % 2];
            unsigned k = 0;

            while (made.begins[k + 1] <= at)
                k++;
            made.bytes.data[at] ^= changes[c / 2];
            assert_int_not_equal(
                read_file(made.bytes.data, made.bytes.nbytes, false, nrows, 0, &read, &err),
                STOA_OK);
            assert_non_null(strstr(err.message, "block "));
            assert_non_null(strstr(err.message, "byte "));
            assert_int_equal(
                read_file(made.bytes.data, made.bytes.nbytes, true, nrows, 0, &read, &err),
                STOA_OK);
            check_rows(&read, 1u << k, "change at", at);
            assert_int_equal(read.lost.nplaces, 1);
            assert_int_equal(read.lost.nblocks, 1);
            assert_int_equal(read.lost.nbytes, made.begins[k + 1] - made.begins[k]);
            if (at > made.begins[k] + 2) { /* not the head */
                assert_int_equal(read.lost.nrows, nrows_of[k]);
                assert_int_equal(read.lost.nuncounted, 0);
            }
            assert_int_equal(read.nnotes, 1);
            made.bytes.data[at] ^= changes[c / 2];
        }
    stoa_buffer_free(&made.bytes);
}

/* Where no marker is left between them, sizes lead from one block to the next. */
static void markers_that_are_gone_lose_their_blocks_alone(void **state)
{
    (void)state;
    for (unsigned gone = 1; gone < 1u << NBLOCKS; gone++) {
        struct made made = make("null");
        struct stoa_error err;
        struct read read;
        unsigned nlost = 0, nplaces = 0;

        for (unsigned k = 0; k < NBLOCKS; k++)
            if (gone >> k & 1) {
                memset(made.bytes.data + made.begins[k + 1] - 16, 'x', 16);
                nplaces += k == 0 || !(gone >> (k - 1) & 1);
                nlost += nrows_of[k];
            }
        assert_int_equal(read_file(made.bytes.data, made.bytes.nbytes, true, 100, 0, &read, &err),
                         STOA_OK);
        check_rows(&read, gone, "markers", gone);
        assert_int_equal(read.lost.nplaces, nplaces);
        assert_int_equal(read.lost.nblocks, __builtin_popcount(gone));
        assert_int_equal(read.lost.nrows, nlost);
        assert_int_equal(read.lost.nuncounted, 0);
        stoa_buffer_free(&made.bytes);
    }
}

/* Bytes that are missing, and bytes too many: the next marker is where blocks begin again. */
static void a_shifted_block_is_lost_alone(void **state)
{
    (void)state;
    for (int more = 0; more < 2; more++)
        for (unsigned k = 0; k < NBLOCKS; k++) {
            struct made made = make("null");
            struct stoa_buffer file = {0};
            const size_t at = made.begins[k] + 5;
            struct stoa_error err;
            struct read read;

            stoa_test_put(&file, made.bytes.data, at);
            if (more)
                stoa_test_put(&file, "some bytes more", 15);
            stoa_test_put(&file, made.bytes.data + at + (more ? 0 : 7),
                          made.bytes.nbytes - at - (more ? 0 : 7));
            assert_int_equal(read_file(file.data, file.nbytes, false, 100, 0, &read, &err),
                             STOA_ERR_DATA);
            assert_int_equal(read_file(file.data, file.nbytes, true, 100, 0, &read, &err), STOA_OK);
            check_rows(&read, 1u << k, "shifted", k);
            assert_int_equal(read.lost.nplaces, 1);
            /* That the size is wrong is what is known; so the number of rows may be, too. */
            assert_int_equal(read.lost.nuncounted, 1);
            stoa_buffer_free(&file);
            stoa_buffer_free(&made.bytes);
        }
}

static void a_marker_among_data_ends_no_block(void **state)
{
    (void)state;
    static const char row[] = "\x0e\x2axxx0123456789abcdef\x02\x02"; /* as if one began behind it */
    struct stoa_buffer file = {0};
    struct stoa_error err;
    struct read read;

    put_header(&file, "null");
    for (int i = 0; i < 3; i++) {
        stoa_test_put_long(&file, 1);
        stoa_test_put_long(&file, sizeof(row) - 1);
        stoa_test_put(&file, row, sizeof(row) - 1);
        stoa_test_put(&file, sync_marker, 16);
    }
    assert_int_equal(read_file(file.data, file.nbytes, true, 100, 0, &read, &err), STOA_OK);
    assert_int_equal(read.nrows, 3);
    assert_int_equal(read.lost.nplaces, 0);
    stoa_buffer_free(&file);
}

static void markers_in_a_row_are_damage(void **state)
{
    (void)state;
    struct made made = make("null");
    struct stoa_buffer file = {0};
    struct stoa_error err;
    struct read read;

    stoa_test_put(&file, made.bytes.data, made.begins[2]);
    stoa_test_put(&file, sync_marker, 16);
    stoa_test_put(&file, made.bytes.data + made.begins[2], made.bytes.nbytes - made.begins[2]);
    assert_int_equal(read_file(file.data, file.nbytes, true, 100, 0, &read, &err), STOA_OK);
    check_rows(&read, 0, "markers", 2);
    assert_int_equal(read.lost.nplaces, 1);
    assert_int_equal(read.lost.nblocks, 1);
    assert_int_equal(read.lost.nbytes, 16);
    stoa_buffer_free(&file);
    stoa_buffer_free(&made.bytes);
}

static void losses_are_told_and_limited(void **state)
{
    (void)state;
    struct made made = make("snappy");
    char expected[400];
    struct stoa_error err;
    struct read read;

    made.bytes.data[made.begins[1] + 6] ^= 1;
    made.bytes.data[made.begins[3] - 1] ^= 1;
    made.bytes.data[made.begins[4] + 1] ^= 1;
    assert_int_equal(read_file(made.bytes.data, made.bytes.nbytes, true, 100, 3, &read, &err),
                     STOA_OK);
    check_rows(&read, 1u << 1 | 1u << 2 | 1u << 4, "three", 0);
    assert_int_equal(read.nnotes, 3);
    assert_int_equal(read.lost.nplaces, 3);
    assert_int_equal(read.lost.nuncounted, 1);
    assert_int_equal(read.lost.nrows, nrows_of[1] + nrows_of[2]);
    snprintf(expected, sizeof(expected),
             "x.avro: block 2, which begins at byte %zu with row 4, does not end with the file's "
             "marker, at "
             "byte %zu; left out: 1 block, %zu bytes from byte %zu, 5 rows",
             made.begins[2], made.begins[3] - 16, made.begins[3] - made.begins[2], made.begins[2]);
    assert_string_equal(read.first_note, expected);
    assert_int_equal(read_file(made.bytes.data, made.bytes.nbytes, true, 100, 2, &read, &err),
                     STOA_ERR_DATA);
    /* Heads and markers of a unit are read before its data: what is found last is named. */
    assert_memory_equal(err.message, "x.avro: block 1,", 16);
    assert_non_null(strstr(err.message, "; blocks may be left out at 2 places, not at one more"));
    stoa_buffer_free(&made.bytes);
}

static void a_file_of_damage_alone_has_no_rows(void **state)
{
    (void)state;
    struct stoa_buffer file = {0};
    struct stoa_error err;
    struct read read;
    size_t begin;

    put_header(&file, "null");
    begin = file.nbytes;
    for (int i = 0; i < 1000; i++) { /* heads that claim all that follows, each with a marker */
        stoa_test_put(&file, "\x02\xfe\xff\xff\xff\x0f", 6);
        stoa_test_put(&file, sync_marker, 16);
    }
    assert_int_equal(read_file(file.data, file.nbytes, true, 100, 0, &read, &err), STOA_OK);
    assert_int_equal(read.nrows, 0);
    assert_int_equal(read.lost.nplaces, 1000);
    assert_int_equal(read.lost.nblocks, 1000);
    assert_int_equal(read.lost.nbytes, file.nbytes - begin);
    assert_int_equal(read.nnotes, 100);
    /* With a limit the places behind it are not looked for. */
    assert_int_equal(read_file(file.data, file.nbytes, true, 100, 20, &read, &err), STOA_ERR_DATA);
    assert_non_null(strstr(err.message, "; blocks may be left out at 20 places, not at one more"));
    assert_int_equal(read.done_nbytes, begin + 21 * 22);
    stoa_buffer_free(&file);
}

/* Heads that claim as many rows as they can, with markers behind their data and without. */
static void rows_that_heads_claim_are_counted_up_to_a_limit(void **state)
{
    (void)state;
    for (unsigned u = 0; u < 4; u++) {
        const bool has_markers = u % 2 == 0;
        const unsigned n = u < 2 ? 3 : 300; /* more than a unit keeps one by one */
        struct stoa_buffer file = {0};
        struct stoa_error err;
        struct read read;

        put_header(&file, "null");
        for (unsigned i = 0; i < n; i++) {
            stoa_test_put_long(&file, INT64_MAX);
            stoa_test_put_long(&file, 1);
            stoa_test_put(&file, "\x02", 1);
            stoa_test_put(&file, has_markers || i + 1 == n ? sync_marker : "xxxxxxxxxxxxxxxx", 16);
        }
        put_block(&file, "null", 0, 2);
        assert_int_equal(read_file(file.data, file.nbytes, true, 100, 0, &read, &err), STOA_OK);
        assert_int_equal(read.nrows, 2);
        assert_int_equal(read.lost.nplaces, has_markers ? n : 2);
        assert_int_equal(read.lost.nblocks, n);
        assert_int_equal(read.lost.nrows, INT64_MAX);
        assert_int_equal(
            read_file(file.data, file.nbytes, true, 100, read.lost.nplaces - 1, &read, &err),
            STOA_ERR_DATA);
        if (strstr(err.message, ": row 9223372036854775808, at byte 0 of the data") == NULL)
            fail_msg("%s", err.message);
        stoa_buffer_free(&file);
    }
}

/* Blocks that say zero rows of their data: an error, since nobody knows how many there were. */
static void rows_that_a_head_denies_are_no_silent_loss(void **state)
{
    (void)state;
    struct made made = make("snappy");
    struct stoa_error err;
    struct read read;

    made.bytes.data[made.begins[2]] = 0;
    assert_int_equal(read_file(made.bytes.data, made.bytes.nbytes, false, 100, 0, &read, &err),
                     STOA_ERR_DATA);
    assert_non_null(strstr(err.message, ": bytes follow the last of its 0 rows"));
    assert_int_equal(read_file(made.bytes.data, made.bytes.nbytes, true, 100, 0, &read, &err),
                     STOA_OK);
    check_rows(&read, 1u << 2, "zero rows", 2);
    assert_int_equal(read.lost.nblocks, 1);
    stoa_buffer_free(&made.bytes);
}

/* [0, cut), [cut, end): each row once; of single bytes, those where a marker begins have a block.
 */
static void splits_have_each_row_once(void **state)
{
    (void)state;
    struct made made = make("null");
    struct stoa_error err;
    unsigned k = 0;

    stoa_test_folder_put("x.avro", made.bytes.data, made.bytes.nbytes);
    for (size_t cut = 1; cut < made.bytes.nbytes; cut++) {
        const uint32_t nrows = unit_rows[cut % 2];
        struct read read = {0}, one = {0};

        assert_int_equal(read_split(false, nrows, 0, 0, cut, &read, &err), STOA_OK);
        assert_int_equal(read_split(false, nrows, 0, cut, made.bytes.nbytes, &read, &err), STOA_OK);
        check_rows(&read, 0, "split at", cut);
        assert_int_equal(read_split(false, nrows, 0, cut, cut + 1, &one, &err), STOA_OK);
        if (k < NBLOCKS && cut == made.begins[k] - 16)
            assert_int_equal(one.nrows, nrows_of[k++]);
        else
            assert_int_equal(one.nrows, 0);
    }
    assert_int_equal(k, NBLOCKS);
    stoa_buffer_free(&made.bytes);
}

/* What is lost belongs to the split in which the marker before it begins. */
static void splits_of_damage_lose_each_block_once(void **state)
{
    (void)state;
    struct made made = make("null");
    struct stoa_error err;

    memset(made.bytes.data + made.begins[3] - 16, 'x', 16);
    memset(made.bytes.data + made.begins[4] - 16, 'x', 16);
    stoa_test_folder_put("x.avro", made.bytes.data, made.bytes.nbytes);
    for (size_t cut = 1; cut < made.bytes.nbytes; cut++) {
        struct read read = {0};
        struct stoa_avro_lost first;

        assert_int_equal(read_split(true, 100, 0, 0, cut, &read, &err), STOA_OK);
        first = read.lost;
        assert_int_equal(read_split(true, 100, 0, cut, made.bytes.nbytes, &read, &err), STOA_OK);
        assert_int_equal(first.nplaces + read.lost.nplaces, 1);
        assert_int_equal(first.nblocks + read.lost.nblocks, 2);
        assert_int_equal(first.nplaces, cut > made.begins[2] - 16);
        check_rows(&read, 1u << 2 | 1u << 3, "split at", cut);
    }
    stoa_buffer_free(&made.bytes);
}

static enum stoa_status read_damaged(void *context, struct stoa_error *err)
{
    struct made *made = context;
    struct read read;
    const enum stoa_status st =
        read_file(made->bytes.data, made->bytes.nbytes, true, 2, 0, &read, err);

    if (st == STOA_OK)
        check_rows(&read, 1u << 1 | 1u << 2 | 1u << 4, "faults", 0);
    return st;
}

static void a_failing_allocation_is_no_damage(void **state)
{
    (void)state;
    struct made made = make("snappy");

    made.bytes.data[made.begins[1] + 6] ^= 1;
    made.bytes.data[made.begins[3] - 1] ^= 1;
    made.bytes.data[made.begins[4] + 6] ^= 1;
    stoa_test_each_failing_alloc(read_damaged, &made);
    stoa_buffer_free(&made.bytes);
}

#define IN_FOLDER(test)                                                                            \
    cmocka_unit_test_setup_teardown(test, stoa_test_folder_enter_memory, stoa_test_folder_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_cut_keeps_the_blocks_before_it),
        IN_FOLDER(a_changed_byte_loses_its_block_alone),
        IN_FOLDER(markers_that_are_gone_lose_their_blocks_alone),
        IN_FOLDER(a_shifted_block_is_lost_alone),
        IN_FOLDER(a_marker_among_data_ends_no_block),
        IN_FOLDER(markers_in_a_row_are_damage),
        IN_FOLDER(losses_are_told_and_limited),
        IN_FOLDER(a_file_of_damage_alone_has_no_rows),
        IN_FOLDER(rows_that_heads_claim_are_counted_up_to_a_limit),
        IN_FOLDER(rows_that_a_head_denies_are_no_silent_loss),
        IN_FOLDER(splits_have_each_row_once),
        IN_FOLDER(splits_of_damage_lose_each_block_once),
        IN_FOLDER(a_failing_allocation_is_no_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
