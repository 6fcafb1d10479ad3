/*
 * The optimal string alignment distance by rows of its table, three rows at a time.
 */
#include "column/nearest.h"

#include <string.h>

enum { MAX_NCHARS = 64 };

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static size_t clipped_length(const char *text)
{
    return strnlen(text, MAX_NCHARS);
}

static unsigned min2(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/*
 * Cell j of row i is the distance between the first i characters of `a` and the first j of `b`;
 * it needs its neighbours above, left and above left, and for swaps the cell two up and two left.
 */
static unsigned distance(const char *a, size_t a_nchars, const char *b, size_t b_nchars)
{
    unsigned rows[3][MAX_NCHARS + 1];
    unsigned *before = rows[0], *above = rows[1], *row = rows[2];

    for (size_t j = 0; j <= b_nchars; j++)
        above[j] = (unsigned)j;
    for (size_t i = 1; i <= a_nchars; i++) {
        unsigned *oldest = before;

        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_nchars; j++) {
            char x = lower(a[i - 1]), y = lower(b[j - 1]);

            row[j] = min2(min2(above[j], row[j - 1]) + 1, above[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == lower(b[j - 2]) && lower(a[i - 2]) == y)
                row[j] = min2(row[j], before[j - 2] + 1);
        }
        before = above;
        above = row;
        row = oldest;
    }
    return above[b_nchars];
}

size_t stoa_nearest(const char *name, size_t nnames,
                    const char *(*name_at)(const void *context, size_t i), const void *context)
{
    size_t nchars = clipped_length(name);
    size_t best = nnames;
    unsigned best_distance = 0;

    for (size_t i = 0; i < nnames; i++) {
        const char *other = name_at(context, i);
        size_t other_nchars = clipped_length(other);
        size_t longer = nchars > other_nchars ? nchars : other_nchars;
        unsigned edits = distance(name, nchars, other, other_nchars);

        if (edits * 3 <= longer && (best == nnames || edits < best_distance)) {
            best = i;
            best_distance = edits;
        }
    }
    return best;
}
