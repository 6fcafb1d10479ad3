/*
 * Numbers as other countries write them (spec/csv.md, section 3).
 *
 *     -1.234.567,25    sign, a first group of one to three digits, groups of three, the fraction
 *
 * All groups are marked or none is: 1234567,25 is the same number, 1234.567,25 is none.
 */
#include "csv/csv_number.h"

#include <string.h>

#include "base/number_scan.h"

size_t stoa_csv_number_rewrite(const char *text, size_t nbytes, char decimal, int thousands,
                               char *out)
{
    const char *at = text, *end = text + nbytes;
    size_t n = 0, group = 0, ngroups = 0;

    if (nbytes > STOA_CSV_NUMBER_NBYTES)
        return 0;
    if (at < end && (*at == '-' || *at == '+'))
        out[n++] = *at++;
    for (; at < end && (stoa_digit(*at) || (uint8_t)*at == thousands); at++) {
        if (stoa_digit(*at)) {
            out[n++] = *at;
            group++;
            continue;
        }
        if (group == 0 || group > 3 || (ngroups > 0 && group != 3))
            return 0;
        ngroups++;
        group = 0;
    }
    if (ngroups > 0 && group != 3)
        return 0;
    if (at < end && *at == decimal) {
        out[n++] = '.';
        at++;
    }
    for (; at < end; at++) { /* the fraction, an exponent, or no number at all */
        if (*at == '.' || *at == ',')
            return 0;
        out[n++] = *at;
    }
    return n;
}
