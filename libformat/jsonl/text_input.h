/*
 * The inputs of JSON lines: files, pipes, archives, each one text or several.
 *
 * What can be read only once is copied to a temporary file where it must be read again: types that
 * a sample says may have to be found out once more.
 */
#ifndef STOA_JSONL_TEXT_INPUT_H
#define STOA_JSONL_TEXT_INPUT_H

#include <stoa/io.h>

#include "base/alloc.h"

struct stoa_spill;

struct stoa_jsonl_input {
    char *path;
    char *name;                    /* for messages, printable */
    struct stoa_members *members;  /* NULL, but for one that came opened, until it is read */
    bool once;                     /* no regular file */
    bool kept;                     /* it was copied, */
    struct stoa_jsonl_kept *texts; /* and these are its texts: an archive may have none */
    size_t ntexts;
    size_t capacity;
};

struct stoa_jsonl_inputs {
    struct stoa_jsonl_input *items;
    size_t nitems;
    uint64_t total_nbytes; /* of the regular files as stored */
    bool all_regular;
    struct stoa_spill *spill; /* what was copied; NULL: nothing */
};

/* Opens nothing yet; the paths are copied. */
STOA_CHECK enum stoa_status stoa_jsonl_inputs_new(const char *const *paths, size_t npaths,
                                                  struct stoa_jsonl_inputs **out,
                                                  struct stoa_error *err);
void stoa_jsonl_inputs_free(struct stoa_jsonl_inputs *inputs);

/* The first input was opened by its path already, and nothing taken from it; they own it then. */
void stoa_jsonl_inputs_give(struct stoa_jsonl_inputs *inputs, struct stoa_members *members);

/* Copies what can be read only once, so that all can be read again. `cancel` may be NULL. */
STOA_CHECK enum stoa_status stoa_jsonl_inputs_keep(struct stoa_jsonl_inputs *inputs,
                                                   struct stoa_error *err);

/* The texts of one input, in order. Start with `{0}`. */
struct stoa_jsonl_texts {
    struct stoa_jsonl_inputs *inputs;
    struct stoa_jsonl_input *input;
    struct stoa_members *members;
    size_t next; /* of those that were copied */
    bool begun;
};

/*
 * The next text, decompressed, NULL behind the last one; close it before the next call. Not after
 * an error.
 */
STOA_CHECK enum stoa_status stoa_jsonl_texts_next(struct stoa_jsonl_texts *texts,
                                                  struct stoa_stream **out, struct stoa_error *err);
void stoa_jsonl_texts_close(struct stoa_jsonl_texts *texts);

/* What a text of that name is in its archive; NULL: it is the input itself. */
const char *stoa_jsonl_input_member(const struct stoa_jsonl_input *input, const char *name);

#endif
