/*
 * Any bytes as the head of a CSV text: the dialect that is found must be one that can be used, and
 * the same when it is given; and any bytes as text in any encoding: what could be decoded must be
 * the same bytes again.
 *
 *     byte 0     the encoding, or none
 *     byte 1     bytes of a read
 *     byte 2     what is given of the dialect
 *     from 3 on  the text
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "csv/csv_table.h"
#include "csv/encoding.h"
#include "csv/sniff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes);

static const char *const encodings[] = {
    NULL,   "UTF-16",  "UTF-16BE", "UTF-32", "ISO-8859-1",  "CP1252", "CP932",
    "BIG5", "GB18030", "EUC-KR",   "EUC-JP", "ISO-2022-JP", "UTF-7",  "BIG5-HKSCS",
};
#define NENCODINGS (sizeof(encodings) / sizeof(encodings[0]))

static void must(bool good)
{
    if (!good)
        abort();
}

/* The dialect can be used, and what stands behind the text does not matter. */
static void check_sniffed(const uint8_t *data, size_t nbytes, uint8_t given)
{
    static const char delimiters[] = {0, ',', ';', '\t'};
    const struct stoa_csv_options options = {
        .delimiter = delimiters[given & 3],
        .quote = given & 4 ? '\'' : 0,
        .header_nrecords = given & 8 ? -1 : 0,
        .skip_nlines = given & 16 ? 1 : 0,
        .escape = given & 32 ? '\\' : 0,
    };
    struct stoa_csv_sniff_report report = {0}, again = {0};
    struct stoa_csv_options found, same;
    char *text = malloc(nbytes + STOA_CSV_SLACK);

    must(text != NULL);
    memcpy(text, data, nbytes);
    memset(text + nbytes, given, STOA_CSV_SLACK);
    must(stoa_csv_sniff_text(text, nbytes, true, 0, &options, &found, &report, NULL) == STOA_OK);
    must(stoa_csv_options_check(&found, NULL) == STOA_OK);
    must(found.delimiter != 0 && found.quote != 0 && found.comment != 0 && found.decimal != 0 &&
         found.trailing_delimiter != 0 && found.header_nrecords != 0 && found.skip_nlines != 0 &&
         found.trim != STOA_CSV_TRIM_AUTO);
    must(options.delimiter == 0 || found.delimiter == options.delimiter);
    must(report.score >= 0 && report.score <= 1);
    memset(text + nbytes, ~given, STOA_CSV_SLACK);
    must(stoa_csv_sniff_text(text, nbytes, true, 0, &found, &same, &again, NULL) == STOA_OK);
    must(same.delimiter == found.delimiter && same.quote == found.quote &&
         same.comment == found.comment && same.decimal == found.decimal &&
         same.skip_nlines == found.skip_nlines && same.trim == found.trim &&
         same.header_nrecords == found.header_nrecords &&
         same.trailing_delimiter == found.trailing_delimiter);
    free(text);
}

static enum stoa_status read_all(struct stoa_stream *stream, size_t max_read,
                                 struct stoa_buffer *out)
{
    size_t got = 1;
    enum stoa_status st = STOA_OK;

    while (st == STOA_OK && got > 0) {
        must(stoa_buffer_reserve(out, max_read, NULL) == STOA_OK);
        st = stream->read(stream, out->data + out->nbytes, max_read, &got, NULL);
        must(st != STOA_OK || got <= max_read);
        if (st == STOA_OK)
            out->nbytes += got;
    }
    return st;
}

static void check_comes_back(const struct stoa_stream *stream, const struct stoa_buffer *text,
                             const uint8_t *data, size_t nbytes, size_t piece)
{
    struct stoa_csv_encoder *encoder;
    struct stoa_buffer out = {0};
    size_t npatches;
    bool exact, mark;
    const uint8_t *patches = stoa_csv_decode_patches(stream, &npatches, &exact);

    if (!exact)
        return;
    must(stoa_csv_encoder_open(stoa_csv_decode_encoding(stream, &mark), patches, npatches, &encoder,
                               NULL) == STOA_OK);
    for (size_t at = 0; at < text->nbytes; at += piece) {
        const size_t n = text->nbytes - at < piece ? text->nbytes - at : piece;

        must(stoa_csv_encoder_write(encoder, text->data + at, n, &out, NULL) == STOA_OK);
    }
    must(stoa_csv_encoder_finish(encoder, &out, NULL) == STOA_OK);
    must(out.nbytes == nbytes && (nbytes == 0 || memcmp(out.data, data, nbytes) == 0));
    stoa_csv_encoder_close(encoder);
    stoa_buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    struct stoa_stream *below, *stream;
    struct stoa_buffer text = {0};
    size_t max_read;

    if (nbytes < 3)
        return 0;
    max_read = 1 + (size_t)data[1];
    check_sniffed(data + 3, nbytes - 3, data[2]);
    if (stoa_stream_open_memory(data + 3, nbytes - 3, "t", &below, NULL) != STOA_OK)
        return 0;
    if (stoa_csv_decode_open(below, encodings[data[0] % NENCODINGS], &stream, NULL) != STOA_OK)
        return 0;
    if (read_all(stream, max_read, &text) == STOA_OK)
        check_comes_back(stream, &text, data + 3, nbytes - 3, max_read);
    stoa_stream_close(stream);
    stoa_buffer_free(&text);
    return 0;
}
