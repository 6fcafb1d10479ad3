/*
 * What an ArrowSchema says about the buffers of its arrays, beyond the type.
 */
#ifndef STOA_COLUMN_ARROW_FORMAT_H
#define STOA_COLUMN_ARROW_FORMAT_H

#include <stoa/arrow.h>

/* How the values of an imported column lie in their buffers. */
struct stoa_arrow_storage {
    uint8_t offset_nbytes; /* 4 or 8 where the values, or those of the dictionary, have offsets */
    uint8_t index_nbytes;  /* of indices into a dictionary; 0: there is none */
    bool index_signed;
};

/*
 * The type of one column by its format alone: w:16 is fixed_binary, a dictionary is utf8. On
 * STOA_OK the caller owns *type. STOA_ERR_DATA: a format that cannot be taken.
 */
STOA_CHECK enum stoa_status stoa_arrow_format_read(const struct ArrowSchema *arrow,
                                                   struct stoa_type *type,
                                                   struct stoa_arrow_storage *storage,
                                                   struct stoa_error *err);

/* Whether `arrow` is a struct of columns that can be walked. */
STOA_CHECK enum stoa_status stoa_arrow_struct_check(const struct ArrowSchema *arrow,
                                                    struct stoa_error *err);

#endif
