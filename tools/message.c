/*
 * Messages, exit codes, and numbers for people.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "command.h"

void complain(const char *format, ...)
{
    char line[STOA_ERROR_MESSAGE_NBYTES + 256];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    for (char *at = line; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f) /* of an argument: one message, one line */
            *at = '?';
    }
    fprintf(stderr, "stoa: %s\n", line);
}

void show_note(void *context, const char *text)
{
    (void)context;
    complain("note: %s", text);
}

static enum exit_code code_of(enum stoa_status status)
{
    static const enum exit_code codes[] = {
        [STOA_OK] = EXIT_DONE,          [STOA_ERR_USAGE] = EXIT_USAGE,
        [STOA_ERR_DATA] = EXIT_DATA,    [STOA_ERR_LIMIT] = EXIT_DATA,
        [STOA_ERR_IO] = EXIT_IO,        [STOA_ERR_NOMEM] = EXIT_IO,
        [STOA_ERR_CORRUPT] = EXIT_FILE, [STOA_ERR_UNSUPPORTED] = EXIT_FILE,
    };

    if (status == STOA_ERR_CANCELLED)
        return (enum exit_code)(EXIT_SIGNAL + interrupted);
    return codes[status];
}

enum exit_code fail(const struct stoa_error *err)
{
    if (err->status == STOA_ERR_IO && err->os_errno == EPIPE)
        raise(SIGPIPE); /* threads of the library write with signals blocked: it comes here */
    complain("%s", err->status == STOA_ERR_CANCELLED ? "interrupted" : err->message);
    return code_of(err->status);
}

enum exit_code fail_file(const char *path, const struct stoa_error *err)
{
    char name[NAME_NBYTES];
    size_t nbytes;

    stoa_quote(name, sizeof(name), path, strlen(path));
    nbytes = strlen(name);
    if (strncmp(err->message, name, nbytes) == 0 && err->message[nbytes] == ':')
        return fail(err);
    complain("%s: %s", name, err->message);
    return code_of(err->status);
}

enum exit_code fail_memory(void)
{
    complain("out of memory");
    return EXIT_IO;
}

enum exit_code finish_output(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return EXIT_DONE;
    complain("standard output: %s", strerror(errno));
    return EXIT_IO;
}

const char *print_size(char *out, uint64_t nbytes)
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB", "PB", "EB"};
    double size = (double)nbytes;
    size_t unit = 0;

    while (size >= 999.5 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        size /= 1000;
        unit++;
    }
    snprintf(out, 32, unit == 0 || size >= 99.95 ? "%.0f %s" : "%.1f %s", size, units[unit]);
    return out;
}

const char *print_count(char *out, uint64_t n)
{
    char digits[24];
    int ndigits = snprintf(digits, sizeof(digits), "%" PRIu64, n);
    char *at = out;

    for (int i = 0; i < ndigits; i++) {
        if (i > 0 && (ndigits - i) % 3 == 0)
            *at++ = ',';
        *at++ = digits[i];
    }
    *at = '\0';
    return out;
}

const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

void complain_schemas(const char *path, const char *other)
{
    complain("%s: another schema than %s has (compare them with stoa schema)", path, other);
}
