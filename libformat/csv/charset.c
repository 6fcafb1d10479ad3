/*
 * iconv(), the one of the C library.
 */
#include "csv/charset.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

struct stoa_csv_charset {
    iconv_t handle;
};

static enum stoa_status fail_unknown(const char *name, struct stoa_error *err)
{
    char shown[64];

    return stoa_fail(err, STOA_ERR_USAGE,
                     "the encoding \"%s\" is not known here (`iconv -l` lists those that are)",
                     stoa_quote(shown, sizeof(shown), name, strlen(name)));
}

/* Names of letters, digits and - _ . : + ( ), as encodings have; "//" is a switch of iconv(). */
static bool is_name(const char *name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:+()";

    return *name != '\0' && strlen(name) < 64 && strspn(name, allowed) == strlen(name);
}

enum stoa_status stoa_csv_charset_open(const char *to, const char *from,
                                       struct stoa_csv_charset **out, struct stoa_error *err)
{
    struct stoa_csv_charset *charset = NULL;
    enum stoa_status st;

    if (!is_name(to) || !is_name(from))
        return fail_unknown(is_name(to) ? from : to, err);
    STOA_TRY(stoa_alloc_zeroed(&charset, 1, sizeof(*charset), err));
    charset->handle = iconv_open(to, from);
    if (charset->handle == (iconv_t)-1) {
        st = errno == EINVAL ? fail_unknown(strcmp(to, "UTF-8") == 0 ? from : to, err)
                             : stoa_fail_errno(err, errno, "encodings can't be converted");
        goto out;
    }
    *out = charset;
    charset = NULL;
out:
    stoa_free(charset);
    return st;
}

void stoa_csv_charset_close(struct stoa_csv_charset *charset)
{
    if (charset == NULL)
        return;
    iconv_close(charset->handle);
    stoa_free(charset);
}

static enum stoa_csv_step step_of(size_t result)
{
    if (result != (size_t)-1) /* so many were converted to something like them */
        return result == 0 ? STOA_CSV_STEP_DONE : STOA_CSV_STEP_BAD;
    return errno == E2BIG    ? STOA_CSV_STEP_FULL
           : errno == EINVAL ? STOA_CSV_STEP_CUT
                             : STOA_CSV_STEP_BAD;
}

enum stoa_csv_step stoa_csv_charset_step(struct stoa_csv_charset *charset, const uint8_t **in,
                                         size_t *nin, uint8_t **out, size_t *nout)
{
    char *from = (char *)(uintptr_t)*in, *to = (char *)*out; /* iconv() does not write to it */
    enum stoa_csv_step step = step_of(iconv(charset->handle, &from, nin, &to, nout));

    *in = (const uint8_t *)from;
    *out = (uint8_t *)to;
    return step;
}

enum stoa_csv_step stoa_csv_charset_flush(struct stoa_csv_charset *charset, uint8_t **out,
                                          size_t *nout)
{
    char *to = (char *)*out;
    enum stoa_csv_step step = step_of(iconv(charset->handle, NULL, NULL, &to, nout));

    *out = (uint8_t *)to;
    return step;
}

void stoa_csv_charset_restart(struct stoa_csv_charset *charset)
{
    iconv(charset->handle, NULL, NULL, NULL, NULL);
}
