/*
 * Two files of any bytes, merged. The first byte: bits 0 and 1 are the options of the join, bits 2
 * and 3 say whose hashes are made right first. Then `u16 length` of the first file, both files.
 *
 * What comes out has no finding: a merge may keep values that a file never should have had, but
 * its own structure is whole, and of good files the merged one is good to the last value.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stoa/merge.h>
#include <stoa/reader.h>

#include "support/rehash.h"

enum { MAX_NBYTES = 65536, HEAD_NBYTES = 3 };

/* Small, so that a few bytes that stand for many values do not take seconds. */
#define MEMORY_NBYTES (UINT64_C(4) << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes);

static void must(bool good, const char *promise)
{
    if (good)
        return;
    fprintf(stderr, "broken: %s\n", promise);
    abort();
}

static void print_finding(void *context, const struct stoa_error *finding)
{
    (void)context;
    fprintf(stderr, "%s\n", finding->message);
}

static uint64_t count_findings(struct stoa_source *source, bool deep, bool print)
{
    struct stoa_verify_options options = {
        .deep = deep, .memory_nbytes = MEMORY_NBYTES, .report = print ? print_finding : NULL};
    struct stoa_verify_result result;
    struct stoa_error err;

    must(stoa_verify(source, &options, &result, &err) == STOA_OK, "verify comes to an end");
    return result.nfindings;
}

/* A copy with no byte more, so that the sanitizer sees the end. */
static uint8_t *open_part(const uint8_t *data, size_t nbytes, bool rehash, const char *name,
                          struct stoa_merge_input *input)
{
    uint8_t *bytes = malloc(nbytes > 0 ? nbytes : 1);
    struct stoa_error err;

    if (bytes == NULL)
        abort();
    memcpy(bytes, data, nbytes);
    if (rehash)
        stoa_test_rehash(bytes, nbytes);
    must(stoa_source_open_memory(bytes, nbytes, name, &input->source, &err) == STOA_OK, "memory");
    return bytes;
}

static bool may_fail_so(enum stoa_status st)
{
    return st == STOA_ERR_CORRUPT || st == STOA_ERR_UNSUPPORTED || st == STOA_ERR_LIMIT ||
           st == STOA_ERR_DATA;
}

static void check_output(const struct stoa_sink *sink, const struct stoa_merge_input inputs[2],
                         const struct stoa_merge_report *report)
{
    bool good = count_findings(inputs[0].source, true, false) == 0 &&
                count_findings(inputs[1].source, true, false) == 0;
    struct stoa_source *source;
    struct stoa_error err;
    const uint8_t *bytes;
    size_t nbytes;

    bytes = stoa_sink_memory(sink, &nbytes);
    must(nbytes == report->output_nbytes, "the report says how long the output is");
    must(stoa_source_open_memory(bytes, nbytes, "merged", &source, &err) == STOA_OK, "memory");
    must(count_findings(source, false, true) == 0, "a merged file has no findings");
    must(!good || count_findings(source, true, true) == 0, "good files make a good one");
    stoa_source_close(source);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    struct stoa_merge_options options = {.memory_nbytes = MEMORY_NBYTES};
    struct stoa_merge_input inputs[2] = {{0}};
    struct stoa_merge_report report;
    struct stoa_sink *sink;
    uint8_t *parts[2];
    struct stoa_error err = {0};
    enum stoa_status st;
    size_t first;

    if (nbytes < HEAD_NBYTES || nbytes > MAX_NBYTES)
        return 0;
    first = (size_t)data[1] | (size_t)data[2] << 8;
    if (first > nbytes - HEAD_NBYTES)
        first = nbytes - HEAD_NBYTES;
    options.join.fill_missing = data[0] & 1;
    options.join.as_text = data[0] & 2;
    parts[0] = open_part(data + HEAD_NBYTES, first, data[0] & 4, "first", &inputs[0]);
    parts[1] = open_part(data + HEAD_NBYTES + first, nbytes - HEAD_NBYTES - first, data[0] & 8,
                         "second", &inputs[1]);
    must(stoa_sink_create_memory(&sink, &err) == STOA_OK, "memory");
    st = stoa_merge(inputs, 2, &options, sink, &report, &err);
    if (st == STOA_OK) {
        must(sink->commit(sink, &err) == STOA_OK, "memory");
        check_output(sink, inputs, &report);
    } else {
        must(may_fail_so(st) && err.message[0] != '\0', "errors are about the files");
    }
    stoa_sink_close(sink);
    for (int i = 0; i < 2; i++) {
        stoa_source_close(inputs[i].source);
        free(parts[i]);
    }
    return 0;
}
