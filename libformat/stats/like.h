/*
 * Patterns of "like": % stands for any characters, _ for one.
 */
#ifndef STOA_STATS_LIKE_H
#define STOA_STATS_LIKE_H

#include <stoa/base.h>

struct stoa_like;

/*
 * Compiles a pattern of valid UTF-8. `escape` (a code point, 0 for none) makes the character behind
 * it stand for itself. STOA_ERR_USAGE: the pattern ends in its escape.
 */
STOA_CHECK enum stoa_status stoa_like_new(const char *pattern, size_t nbytes, uint32_t escape,
                                          struct stoa_like **out, struct stoa_error *err);
void stoa_like_free(struct stoa_like *like);

/*
 * Whether a text of valid UTF-8 matches. No backtracking: the cost is that of a search for each
 * piece between two %, at the worst the length of the text times that of the longest piece with _.
 */
bool stoa_like_match(const struct stoa_like *like, const uint8_t *text, size_t nbytes);

/*
 * What every text that matches starts with; lent, may be empty. *rest says what may follow:
 * nothing, anything at all, or what only stoa_like_match() can tell.
 */
enum stoa_like_rest { STOA_LIKE_NOTHING, STOA_LIKE_ANYTHING, STOA_LIKE_SOMETHING };
const uint8_t *stoa_like_prefix(const struct stoa_like *like, size_t *nbytes,
                                enum stoa_like_rest *rest);

#endif
