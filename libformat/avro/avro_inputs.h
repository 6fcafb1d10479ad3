/*
 * The inputs of a conversion from Avro files: one after the other is open, and what its schema was
 * compiled to is kept for later ones of the same schema. avro_source.h says how they are opened.
 */
#ifndef STOA_AVRO_AVRO_INPUTS_H
#define STOA_AVRO_AVRO_INPUTS_H

#include <stdatomic.h>

#include "avro/avro_source.h"

#define STOA_AVRO_INPUT_NAME_NBYTES 256

/* A schema text with what was made of it; files of one text share it. */
struct stoa_avro_table {
    struct stoa_avro_table *next;
    struct stoa_buffer text;
    struct stoa_avro_schema schema;
    struct stoa_avro_program program;
    bool is_prepared; /* the program is made, if of no operations; workers read it from then on */
};

/* A source that units may still have to read when the next one is open. */
struct stoa_avro_shared {
    atomic_uint nholders;
    struct stoa_source *source;
};

/* One more who holds it, or one less; the last one closes it. NULL is fine. */
struct stoa_avro_shared *stoa_avro_shared_hold(struct stoa_avro_shared *shared);
void stoa_avro_shared_drop(struct stoa_avro_shared *shared);

struct stoa_avro_inputs {
    const char *const *paths;
    size_t npaths;
    size_t nopened;
    struct stoa_members *opened;     /* the first one, when it came so, until it is read */
    bool skips_blocks;               /* each is a source, and its blocks are looked at beforehand */
    bool is_open;                    /* not read through yet */
    struct stoa_stream *stream;      /* what is open: this, */
    struct stoa_avro_shared *shared; /* or this, */
    bool is_copy;                    /* which is a temporary one of what a stream had */
    struct stoa_avro_container file;
    struct stoa_avro_table *tables; /* of the files so far, that of the last one first */
    char name[STOA_AVRO_INPUT_NAME_NBYTES];
    bool has_schema;                       /* one was given: */
    struct stoa_avro_schema given;         /* this one */
    const struct stoa_avro_schema *reader; /* what all are read as: it, or that of the first file */
    struct stoa_schema schema;             /* of its columns */
};

/* Opens the next one, of which there is one. */
STOA_CHECK enum stoa_status stoa_avro_inputs_next(struct stoa_avro_inputs *inputs,
                                                  struct stoa_error *err);

/* Closes what is open. */
void stoa_avro_inputs_end(struct stoa_avro_inputs *inputs);

/* Bytes of what is open, as stored, that were read, and in all (0: not known). */
uint64_t stoa_avro_inputs_done(const struct stoa_avro_inputs *inputs);
uint64_t stoa_avro_inputs_total(const struct stoa_avro_inputs *inputs);

/* Puts the name of the file in front of a message, unless it is there. */
STOA_CHECK enum stoa_status stoa_avro_inputs_name(const struct stoa_avro_inputs *inputs,
                                                  enum stoa_status st, struct stoa_error *err);

/* What messages call an input: its path, or standard input; `out`. */
const char *stoa_avro_show_input(const char *path, char out[STOA_AVRO_INPUT_NAME_NBYTES]);

#endif
