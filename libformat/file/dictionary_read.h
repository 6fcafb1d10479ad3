/*
 * Shared dictionaries of an open file (spec/format.md, "Dictionaries").
 *
 * Dictionaries are read when a chunk first needs one, and kept until the reader is closed. A chain
 * of segments is loaded as a whole, because codes of a segment are the same for every longer chain:
 * so a file that grew its dictionary row group by row group is held once and not once a row group.
 * When the chain is damaged behind the segment that a chunk needs, the part in front is loaded
 * alone.
 */
#ifndef STOA_FILE_DICTIONARY_READ_H
#define STOA_FILE_DICTIONARY_READ_H

#include "base/alloc.h"
#include "codec/page.h"
#include "file/footer.h"

/* The values of a chain of segments; code c is value c. */
struct stoa_dictionary {
    enum stoa_phys phys;
    uint32_t width;
    uint32_t count;
    uint32_t nutf8;  /* BYTES: so many values from the first on are UTF-8 */
    uint32_t length; /* BYTES: of every value; 0: they are not all of one, or not finished */
    struct stoa_buffer values; /* with 64 bytes behind them that may be read */
    int32_t *offsets;          /* BYTES: count + 1 */
};

/* The directory, checked. */
struct stoa_dictionary_table {
    struct stoa_dictdir_entry *entries;
    uint32_t nentries;
    uint32_t *tips;           /* the last segment of the chain that goes on with this one */
    struct stoa_once *loaded; /* struct stoa_dictionary *: the chain up to this segment */
    atomic_bool *bad_copies;  /* read from its object, the copy was bad */
};

struct stoa_dictionaries {
    struct stoa_once table;
    atomic_uint_least64_t nbytes;      /* of all that is loaded; bounded like a single read */
    atomic_uint_least64_t nbad_copies; /* segments read from their object, the copy was bad */
};

void stoa_dictionaries_reset(struct stoa_dictionaries *dictionaries);

/* Frees all values that were loaded; no other thread uses the reader. */
void stoa_dictionaries_forget(struct stoa_dictionaries *dictionaries);

/* The directory; lent until reset. */
STOA_CHECK enum stoa_status stoa_dictionaries_table(struct stoa_dictionaries *dictionaries,
                                                    struct stoa_footer *footer,
                                                    const struct stoa_dictionary_table **out,
                                                    struct stoa_error *err);

/*
 * The values for chunks that name segment `index` < nentries; *ncodes of them are theirs. Lent
 * until reset. STOA_ERR_CORRUPT also when the segment has values of another physical type or
 * width.
 */
STOA_CHECK enum stoa_status
stoa_dictionaries_get(struct stoa_dictionaries *dictionaries, struct stoa_footer *footer,
                      struct stoa_decoder *decoder, uint32_t index, enum stoa_phys phys,
                      uint32_t width, struct stoa_budget *budget,
                      const struct stoa_dictionary **out, uint32_t *ncodes, struct stoa_error *err);

/*
 * The same without reading: *out is NULL when nobody has loaded the values yet. Single codes are
 * then found in their segment of the chain that ends with `index`: chunk_kept.c.
 */
STOA_CHECK enum stoa_status stoa_dictionaries_find(const struct stoa_dictionary_table *table,
                                                   uint32_t index, enum stoa_phys phys,
                                                   uint32_t width,
                                                   const struct stoa_dictionary **out,
                                                   uint32_t *ncodes, struct stoa_error *err);
uint32_t stoa_dictionaries_segment(const struct stoa_dictionary_table *table, uint32_t index,
                                   uint32_t code);

/* Counts a segment that was read from its object, because the copy was bad, once. */
void stoa_dictionaries_bad_copy(struct stoa_dictionaries *dictionaries,
                                const struct stoa_dictionary_table *table, uint32_t index);

/* Makes an empty dictionary with room for `count` values of `phys`. */
STOA_CHECK enum stoa_status stoa_dictionary_init(struct stoa_dictionary *dictionary,
                                                 enum stoa_phys phys, uint32_t width,
                                                 uint32_t count, struct stoa_budget *budget,
                                                 struct stoa_error *err);
void stoa_dictionary_reset(struct stoa_dictionary *dictionary);

/*
 * Appends the values of a verified page of nvalues values, none of them null. raw_max as in
 * stoa_page_decode().
 */
STOA_CHECK enum stoa_status
stoa_dictionary_append_page(struct stoa_dictionary *dictionary, struct stoa_decoder *decoder,
                            const uint8_t *page, size_t nbytes, uint32_t nvalues, uint64_t raw_max,
                            struct stoa_budget *budget, struct stoa_error *err);

/* Appends the values of another dictionary's codes [0, ncodes). */
STOA_CHECK enum stoa_status
stoa_dictionary_append_codes(struct stoa_dictionary *dictionary, const struct stoa_dictionary *from,
                             uint32_t ncodes, struct stoa_budget *budget, struct stoa_error *err);

/* Finds nutf8 and length once all values are there. */
void stoa_dictionary_finish(struct stoa_dictionary *dictionary);

/* Its first `ncodes` values; and as a page decoder wants them, which makes use of their length. */
struct stoa_vector stoa_dictionary_vector(const struct stoa_dictionary *dictionary,
                                          uint32_t ncodes);
struct stoa_vector stoa_dictionary_entries(const struct stoa_dictionary *dictionary,
                                           uint32_t ncodes);

/*
 * Appends the values of one segment, from its object at `offset`, the first one or the copy. On
 * failure the dictionary is as it was.
 */
STOA_CHECK enum stoa_status
stoa_dictionary_append_segment(struct stoa_dictionary *dictionary, const struct stoa_footer *footer,
                               struct stoa_decoder *decoder,
                               const struct stoa_dictionary_table *table, uint32_t index,
                               uint64_t offset, struct stoa_budget *budget, struct stoa_error *err);

#endif
