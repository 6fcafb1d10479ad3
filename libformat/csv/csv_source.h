/*
 * What the two halves of a CSV source share: csv_feed.c cuts its inputs into units, csv_read.c
 * makes batches of these.
 */
#ifndef STOA_CSV_CSV_SOURCE_H
#define STOA_CSV_CSV_SOURCE_H

#include <pthread.h>
#include <stdatomic.h>

#include "csv/csv_table.h"
#include "csv/csv_unit.h"
#include "csv/notes.h"
#include "csv/origin.h"

/* What the units that were cut from one text share. */
struct stoa_csv_source_text {
    atomic_uint nusers;
    uint64_t serial;               /* of the texts of a source, from 1, in no order */
    struct stoa_csv_layout layout; /* set before the first unit, and then constant */
    struct stoa_csv_origin text;
    struct stoa_csv_source_text *next; /* of the same input, where text is kept */
    const char *member;                /* in the name; NULL: none */
    char name[];                       /* for messages */
};

/* One input on its way through its cutter. */
struct stoa_csv_feed {
    /* Whoever made the feed busy: */
    struct stoa_csv_input *input;
    struct stoa_stream *stream; /* NULL: not open yet, or closed again */
    struct stoa_csv_cutter cutter;
    struct stoa_csv_source_text *origin; /* of the text that is open, or was last */
    struct stoa_csv_source_text *texts;  /* all so far, where text is kept: a list, shared */
    struct stoa_csv_source_text **texts_end;

    /* The mutex: */
    bool busy;                  /* a thread is cutting */
    unsigned nahead;            /* threads that decode ahead of it; they keep `stream` open */
    bool ended;                 /* nothing more will come: `ready` is the last, or there is `err` */
    struct stoa_csv_text ready; /* a unit that next() has not taken yet; text NULL: none */
    enum stoa_status status;
    struct stoa_error err;

    atomic_uint_fast64_t consumed_nbytes;
};

struct stoa_csv_source {
    struct stoa_batch_source base;
    struct stoa_csv_options options;
    struct stoa_csv_header header; /* names that every input must have */
    struct stoa_schema schema;     /* of the batches */
    struct stoa_csv_table table;
    /* For each column of the table the field of the schema; STOA_CSV_NO_FIELD: it is not wanted. */
    uint32_t *slots;
    struct stoa_reject_ledger ledger; /* accept() */
    atomic_uint_fast64_t ntexts;      /* that were opened */
    bool keeps_forms;                 /* how values were written: with text, and to widen */
    bool keeps_text;
    char **misfits; /* accept(): of each column, as in the notes; NULL: nothing widens */
    struct stoa_csv_options text_options; /* nothing left at "auto", for restoring, */
    struct stoa_csv_reading text_reading; /* and prepared */
    struct stoa_source_info *infos;       /* of all texts, when they were read */
    size_t ninfos;
    uint64_t unit_nbytes; /* text of a unit at the most */
    uint64_t prefetch_nbytes;
    struct stoa_csv_spares spares;
    uint64_t total_nbytes;

    pthread_mutex_t mutex;
    pthread_cond_t changed; /* some feed is not busy any more */
    struct stoa_csv_feed *feeds;
    size_t nfeeds;
    size_t first;          /* the input that next() takes units of */
    uint64_t ready_nbytes; /* text of ready units, unit_nbytes for one that is being cut */
};

struct stoa_csv_source_unit {
    struct stoa_unit base;
    struct stoa_csv_source *source;
    struct stoa_csv_source_text *origin; /* of the text that it was cut from */
    uint32_t input;                      /* its place among the inputs */
    struct stoa_csv_text text;
};

static inline struct stoa_csv_source *stoa_csv_source_of(struct stoa_batch_source *source)
{
    return (struct stoa_csv_source *)source; /* base is the first member */
}

/* A text is shared by its units and their notes. Any thread. */
struct stoa_csv_source_text *stoa_csv_source_text_share(struct stoa_csv_source_text *text);
void stoa_csv_source_text_drop(struct stoa_csv_source_text *text);

void stoa_csv_source_unit_free(struct stoa_unit *unit);

/* next() and prefetch() of the source. */
STOA_CHECK enum stoa_status stoa_csv_feeds_next(struct stoa_batch_source *base,
                                                struct stoa_unit **out, struct stoa_error *err);
bool stoa_csv_feeds_prefetch(struct stoa_batch_source *base);

/* Closes the text that is open, if one is, once nobody decodes ahead in it. */
void stoa_csv_feed_close(struct stoa_csv_source *source, struct stoa_csv_feed *feed);

#endif
