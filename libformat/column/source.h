/*
 * The two sides of every conversion: a source of batches and a sink of batches.
 *
 * A format is one of each; a conversion joins any source with any sink, so there are never N x M
 * converters. Both sides split their work into steps that must be done in order and steps that any
 * thread may do, so that a pipeline can run them in parallel with the same result as one thread.
 */
#ifndef STOA_COLUMN_SOURCE_H
#define STOA_COLUMN_SOURCE_H

#include <stoa/array.h>

/* A piece of input that can be read by itself: lines of CSV, a row group of a Stoa file. */
struct stoa_unit {
    void (*free)(struct stoa_unit *unit);
    uint64_t nbytes; /* of its text, or of the text and bytes in its columns, about */
    uint64_t nrows;  /* at the most */
};

/*
 * What read() found in a unit besides its rows: records that are none, how the text was written.
 * Each source has its own kind.
 */
struct stoa_notes {
    void (*free)(struct stoa_notes *notes);
    uint64_t nbytes; /* of memory, about */
};

struct stoa_crew;
struct stoa_side;
struct stoa_source_info;

struct stoa_batch_source {
    const struct stoa_schema *schema; /* of the batches; lives as long as the source */

    /* The next unit, or NULL at the end. In order: one thread at a time. */
    enum stoa_status (*next)(struct stoa_batch_source *source, struct stoa_unit **out,
                             struct stoa_error *err);

    /*
     * Does a piece of work that a later next() will need, if there is some; true when it did.
     * Any thread, beside next() and read(). NULL when there is nothing of the kind.
     */
    bool (*prefetch)(struct stoa_batch_source *source);

    /*
     * The rows of a unit; frees the unit in any case. Any thread. May give a batch of no rows.
     * *notes is NULL; a source that has something to tell of the unit leaves it there.
     */
    enum stoa_status (*read)(struct stoa_batch_source *source, struct stoa_unit *unit,
                             struct stoa_batch *out, struct stoa_notes **notes,
                             struct stoa_error *err);

    /*
     * Takes note of what belongs to no single unit. In order, for all notes that read() gave. NULL
     * for a source without notes.
     */
    enum stoa_status (*accept)(struct stoa_batch_source *source, struct stoa_notes *notes,
                               struct stoa_error *err);

    /*
     * How the text of a row group was written (stoa/source_text.h): its `batch` is that of the
     * units whose notes are given, in order, which accept() has seen. *out is `{0}` and stays so
     * when there is nothing to be told. Any thread. NULL for a source that keeps no text.
     */
    enum stoa_status (*side)(struct stoa_batch_source *source, struct stoa_notes *const *notes,
                             size_t nnotes, const struct stoa_batch *batch, struct stoa_side *out,
                             struct stoa_error *err);

    /*
     * The sources of the text, once all units were accepted; lent until close. Call once. NULL for
     * a source that keeps no text.
     */
    enum stoa_status (*sources)(struct stoa_batch_source *source,
                                const struct stoa_source_info **out, size_t *nsources,
                                struct stoa_error *err);

    /* Bytes of memory kept besides units on their way, about. Any thread. NULL: next to none. */
    uint64_t (*kept_nbytes)(struct stoa_batch_source *source);

    /* Bytes of input used up so far and in total (0: not known). Any thread. */
    void (*progress)(struct stoa_batch_source *source, uint64_t *done, uint64_t *total);

    void (*close)(struct stoa_batch_source *source);
};

/*
 * Batches come with ordinals 0, 1, 2, ...; each goes through prepare, sequence, encode, commit.
 * prepare takes over the columns of the batch when it succeeds and makes an item; commit frees it
 * in any case. A step that is NULL is left out.
 */
struct stoa_batch_sink {
    bool wants_groups; /* join small batches into full row groups before prepare */

    /* Threads that may share prepare and encode of an item. In front of the first step. */
    void (*set_crew)(struct stoa_batch_sink *sink, struct stoa_crew *crew);
    uint64_t helper_nbytes; /* what each of them takes, and keeps until the end */

    enum stoa_status (*prepare)(struct stoa_batch_sink *sink, uint64_t ordinal,
                                struct stoa_batch *batch, void **item,
                                struct stoa_error *err); /* any thread */
    /* Adds how the text of an item's rows was written; takes it over on success. */
    enum stoa_status (*set_side)(struct stoa_batch_sink *sink, void *item, struct stoa_side *side,
                                 struct stoa_error *err); /* any thread, behind prepare */
    enum stoa_status (*sequence)(struct stoa_batch_sink *sink, void *item,
                                 struct stoa_error *err); /* in order */
    enum stoa_status (*encode)(struct stoa_batch_sink *sink, void *item,
                               struct stoa_error *err); /* any thread */
    enum stoa_status (*commit)(struct stoa_batch_sink *sink, void *item,
                               struct stoa_error *err); /* in order */
    void (*item_free)(struct stoa_batch_sink *sink, void *item);

    /* Bytes of memory of an item behind encode, about. NULL: no less than before. */
    uint64_t (*encoded_nbytes)(const void *item);

    /* Bytes of memory kept besides the items, about. Any thread. NULL: next to none. */
    uint64_t (*kept_nbytes)(struct stoa_batch_sink *sink);

    /* The sources of all text; copied. In front of finish. */
    enum stoa_status (*add_sources)(struct stoa_batch_sink *sink,
                                    const struct stoa_source_info *sources, size_t nsources,
                                    struct stoa_error *err);

    /* Writes what comes after the last batch. Making the output visible is the caller's. */
    enum stoa_status (*finish)(struct stoa_batch_sink *sink, struct stoa_error *err);
    void (*close)(struct stoa_batch_sink *sink);
};

/*
 * Hands the error of a row over, `st` with offset as the row of its batch, in front of which
 * nbefore rows went: *err names the row, counted from 1, and has no offset. Returns st.
 */
enum stoa_status stoa_fail_row(struct stoa_error *of_row, enum stoa_status st, uint64_t nbefore,
                               struct stoa_error *err);

#endif
