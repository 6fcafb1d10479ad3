/*
 * The memory of a conversion: what row groups on their way take, and whether one more fits.
 *
 * Nothing is measured: sizes are estimated from rows, columns and text, a little too high. So what
 * is on its way is a function of the input and of timing, but what comes out is not.
 */
#ifndef STOA_CONVERT_MEMORY_H
#define STOA_CONVERT_MEMORY_H

#include <stdatomic.h>

#include <stoa/array.h>

/* Of the default, and of each job after the second. */
#define STOA_CONVERT_MEMORY_NBYTES     (UINT64_C(256) << 20)
#define STOA_CONVERT_MEMORY_JOB_NBYTES (UINT64_C(96) << 20)

/* What a footer will have may take this part of the memory. */
#define STOA_FOOTER_SHARE 16

/* What decides how much a row takes. */
struct stoa_memory_row {
    uint64_t fixed_nbytes; /* of a row in memory, text, bytes and what is below lists aside */
    uint32_t nfields;
    uint32_t ntexts; /* nodes of text or bytes */
    bool varies;     /* there is text, or something below lists */
    uint64_t growth; /* bytes in columns for one of text, at the most: above 1 below lists */
};

struct stoa_memory {
    uint64_t limit_nbytes;      /* as asked for */
    uint64_t prefetch_nbytes;   /* part of it that text ahead of its turn may take */
    struct stoa_memory_row row; /* as it is read */
    bool to_text;               /* the output is no Stoa file */
    uint64_t bloom_nbits;       /* a row at the most, of the Bloom filters of a row group */
    uint64_t bloom_nthreads;    /* that may make one at a time */
    bool makes_groups;          /* of text for a Stoa file: they could be smaller */
    bool refuses;               /* units that never fit; else they take all there is */
    uint64_t last_nbytes;       /* of the last unit; first stage alone */
    atomic_uint_fast32_t share; /* most that columns took of a unit's text, in 1/1024; 0: unknown */
    atomic_uint_fast64_t nbytes; /* of all that is on its way */
};

/*
 * limit_nbytes 0: the default for so many jobs. `unit_nbytes` is the most text of a unit, 0 where
 * units come as they are, nahead how many units ahead of their turn are of use. `schema` is that of
 * the batches as they are read.
 */
void stoa_memory_init(struct stoa_memory *memory, uint64_t limit_nbytes, unsigned jobs,
                      uint64_t unit_nbytes, uint64_t nahead, const struct stoa_schema *schema,
                      bool to_text);

/*
 * The output has `nblooms` columns with Bloom filters, that have `nbits` bits a row together where
 * all values are distinct; after stoa_memory_init(), and before the first unit.
 */
void stoa_memory_add_blooms(struct stoa_memory *memory, uint64_t nbits, unsigned nblooms,
                            unsigned jobs);

/* How much text makes no more than group_nbytes in columns of the schema, whatever it holds. */
uint64_t stoa_memory_text_nbytes(const struct stoa_schema *schema, uint64_t group_nbytes);

/*
 * What a unit of so much text, and so many rows, takes until it is written, before it is known what
 * its columns hold: all of the text, or more where lists may take more, or columns of a unit before
 * took more than its text; but no more than there is. STOA_ERR_USAGE when all of the text does not
 * fit the limit by itself, and that was asked for or units could be smaller: names what would.
 */
STOA_CHECK enum stoa_status stoa_memory_of_unit(const struct stoa_memory *memory,
                                                uint64_t text_nbytes, uint64_t nrows, uint64_t *out,
                                                struct stoa_error *err);

/*
 * Its rows were read, all of them: what columns took for its text is expected of the units to
 * come. Any thread.
 */
void stoa_memory_learn(struct stoa_memory *memory, uint64_t text_nbytes,
                       const struct stoa_batch *batch);

/* The same when its rows were read, the filter's choice of them. */
uint64_t stoa_memory_of_batch(const struct stoa_memory *memory, const struct stoa_batch *batch);

/*
 * The same for two batches that become one, which take so much each; a full row group has `times`
 * (at least 1) as many rows. STOA_ERR_USAGE when the two do not fit the limit, and that was asked
 * for or they were made of text or Avro: names what a full one needs.
 */
STOA_CHECK enum stoa_status stoa_memory_of_joined(const struct stoa_memory *memory,
                                                  uint64_t a_nbytes, uint64_t b_nbytes,
                                                  double times, uint64_t *out,
                                                  struct stoa_error *err);

/*
 * The same for a row group whose rows are written as so much text, the columns and what a side
 * table has of them included.
 */
STOA_CHECK enum stoa_status stoa_memory_of_restored(const struct stoa_memory *memory,
                                                    uint64_t text_nbytes, uint64_t nrows,
                                                    uint64_t *out, struct stoa_error *err);

/* Whether a unit like the last one fits beside what is there; `kept_nbytes` is the sink's own. */
bool stoa_memory_has_room(const struct stoa_memory *memory, uint64_t kept_nbytes);

/* The same for nbytes of something else. */
bool stoa_memory_has_room_for(const struct stoa_memory *memory, uint64_t kept_nbytes,
                              uint64_t nbytes);

/* Bytes of rows in memory: values, offsets, text. What the size of a row group counts. */
uint64_t stoa_memory_batch_nbytes(const struct stoa_batch *batch);

/*
 * About how much of a unit's nbytes the values of a node are that is text, or below a list;
 * `stored_nbytes` is the size of their chunk.
 */
uint64_t stoa_memory_of_node(const struct stoa_type *type, bool below_list, uint64_t nvalues,
                             uint64_t stored_nbytes);

#endif
