/*
 * Character sets other than UTF-8: the conversions of iconv() behind a small interface.
 */
#ifndef STOA_CSV_CHARSET_H
#define STOA_CSV_CHARSET_H

#include <stoa/base.h>

/* One conversion from a character set to another, with the state that it is in. */
struct stoa_csv_charset;

enum stoa_csv_step {
    STOA_CSV_STEP_DONE, /* all input is converted */
    STOA_CSV_STEP_FULL, /* the output has no room for the next character */
    STOA_CSV_STEP_CUT,  /* the input ends inside a character */
    STOA_CSV_STEP_BAD,  /* the input goes on with what is no character, or has no counterpart */
};

/*
 * STOA_ERR_USAGE for names that nobody knows, and for those that ask for characters to be left out
 * or replaced ("latin1//TRANSLIT").
 */
STOA_CHECK enum stoa_status stoa_csv_charset_open(const char *to, const char *from,
                                                  struct stoa_csv_charset **out,
                                                  struct stoa_error *err);
void stoa_csv_charset_close(struct stoa_csv_charset *charset);

/*
 * Converts from *in on, moving both pointers and counting down what is left. Nothing is guessed: a
 * character that would come out as another one is BAD.
 */
enum stoa_csv_step stoa_csv_charset_step(struct stoa_csv_charset *charset, const uint8_t **in,
                                         size_t *nin, uint8_t **out, size_t *nout);

/* Writes what the state still holds back, at the end of the input; up to 32 bytes. */
enum stoa_csv_step stoa_csv_charset_flush(struct stoa_csv_charset *charset, uint8_t **out,
                                          size_t *nout);

/* Back to the state at the beginning. */
void stoa_csv_charset_restart(struct stoa_csv_charset *charset);

#endif
