/*
 * Numbers with a decimal comma or between whose thousands something stands.
 */
#ifndef STOA_CSV_CSV_NUMBER_H
#define STOA_CSV_CSV_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

/* No number whose text is longer is one where it must be rewritten. */
#define STOA_CSV_NUMBER_NBYTES 128

/*
 * Writes a number as "1234567.5" that stands as "1.234.567,5" where decimal is ',' and thousands
 * '.' (-1: there is nothing between them). Returns its bytes, at most STOA_CSV_NUMBER_NBYTES, or 0
 * when it is not written so: another mark, groups that are not of three digits. What it returns may
 * still be no number.
 */
size_t stoa_csv_number_rewrite(const char *text, size_t nbytes, char decimal, int thousands,
                               char *out);

#endif
