/*
 * Side tables of a file (spec/format.md, section 15): their directory in the footer, and one of
 * them open.
 */
#ifndef STOA_FILE_SIDE_READ_H
#define STOA_FILE_SIDE_READ_H

#include "file/reader.h"

/* The entries of a side table, verified and checked. Release with stoa_side_object_reset(). */
struct stoa_side_object {
    uint64_t offset;                 /* of its object */
    uint64_t end;                    /* of its last chunk or directory: padding follows */
    uint32_t nrows;                  /* of its row group */
    struct stoa_side_entry *entries; /* their chunks stand in their order */
    uint32_t nentries;
};

/*
 * Opens the side table whose object has this header, which is verified, and stands at `offset`, of
 * a row group of nrows rows. Of `footer` only the source and the memory are looked at. *out is
 * overwritten on success. STOA_ERR_CORRUPT: the directory does not fit its hash, entries contradict
 * each other, chunks are not where they must be.
 */
STOA_CHECK enum stoa_status stoa_side_open(const struct stoa_footer *footer,
                                           const struct stoa_object *header, uint64_t offset,
                                           uint32_t nrows, struct stoa_side_object *out,
                                           struct stoa_error *err);
void stoa_side_object_reset(struct stoa_side_object *object);

/* Its columns are those of a schema of ncolumns columns: else STOA_ERR_CORRUPT. */
STOA_CHECK enum stoa_status stoa_side_check_columns(const struct stoa_side_object *object,
                                                    uint32_t ncolumns, struct stoa_error *err);

/* The chunk of an entry with values, in the form of the footer. */
struct stoa_chunk stoa_side_chunk(const struct stoa_side_object *object, uint32_t entry);

/* Reads the values of an entry that has some. `budget` is what may be allocated. */
STOA_CHECK enum stoa_status stoa_side_values(struct stoa_reader *reader,
                                             const struct stoa_side_object *object, uint32_t entry,
                                             struct stoa_budget *budget, struct stoa_array *out,
                                             struct stoa_error *err);

/* Puts "column NAME: form: " in front of the message. */
enum stoa_status stoa_side_wrap(const struct stoa_footer *footer,
                                const struct stoa_side_entry *entry, enum stoa_status st,
                                struct stoa_error *err);

/*
 * The directory of side tables of a file, one entry each, rising by row group: loaded and checked
 * at the first call; lent until close. stoa_footer_section_count() says how many there are.
 */
STOA_CHECK enum stoa_status stoa_reader_sides(struct stoa_reader *reader,
                                              const struct stoa_sidedir_entry **out,
                                              struct stoa_error *err);

/* The side table of a row group, of which there is one if *has. */
STOA_CHECK enum stoa_status stoa_reader_side_open(struct stoa_reader *reader, uint32_t row_group,
                                                  struct stoa_side_object *out, bool *has,
                                                  struct stoa_error *err);

#endif
