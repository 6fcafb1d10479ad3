/*
 * Units of all inputs, in order: what the source of rows and the survey of types both read.
 */
#ifndef STOA_JSONL_FEED_H
#define STOA_JSONL_FEED_H

#include <pthread.h>
#include <stdatomic.h>

#include "column/source.h"
#include "jsonl/lines.h"
#include "jsonl/text_input.h"

/* What the units of one text share. */
struct stoa_jsonl_origin {
    atomic_uint nusers;
    uint64_t serial;    /* of the texts, from 1 */
    const char *member; /* in the name; NULL: none */
    char *filename;     /* as a column holds it */
    char name[];        /* for messages */
};

struct stoa_jsonl_origin *stoa_jsonl_origin_share(struct stoa_jsonl_origin *origin);
void stoa_jsonl_origin_drop(struct stoa_jsonl_origin *origin);

struct stoa_jsonl_unit {
    struct stoa_unit base;
    struct stoa_jsonl_origin *origin;
    struct stoa_jsonl_text text;
};

struct stoa_jsonl_feed_options {
    uint32_t unit_nlines; /* 0: as usual; likewise the others */
    uint64_t unit_nbytes;
    uint64_t max_record_nbytes;
    uint64_t prefetch_nbytes;
    bool passes_large;
};

struct stoa_jsonl_feed {
    struct stoa_jsonl_inputs *inputs;
    struct stoa_jsonl_feed_options options;
    /* Whoever calls _next(): */
    struct stoa_jsonl_texts texts;
    size_t next_input;
    struct stoa_jsonl_cutter cutter;
    struct stoa_jsonl_origin *origin;
    uint64_t ntexts;        /* that were opened */
    uint64_t before_nbytes; /* of the inputs that were read */
    /* The mutex: */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct stoa_stream *stream; /* that is open */
    unsigned nahead;            /* threads that decode ahead in it, and keep it open */

    atomic_uint_fast64_t consumed_nbytes;
};

/* `inputs` is borrowed, and used by this feed alone. */
void stoa_jsonl_feed_init(struct stoa_jsonl_feed *feed, struct stoa_jsonl_inputs *inputs,
                          const struct stoa_jsonl_feed_options *options);
void stoa_jsonl_feed_reset(struct stoa_jsonl_feed *feed);

/* The next unit, NULL at the end. In order: one thread at a time. */
STOA_CHECK enum stoa_status stoa_jsonl_feed_next(struct stoa_jsonl_feed *feed,
                                                 struct stoa_unit **out, struct stoa_error *err);

/* Decodes ahead, where the compression of the input has parts; true when it did. Any thread. */
bool stoa_jsonl_feed_prefetch(struct stoa_jsonl_feed *feed);

#endif
