/*
 * stoa verify
 */
#include <string.h>

#include "command.h"
#include "json_out.h"

struct findings {
    const char *path;
    struct json_t *list; /* NULL: they are printed at once */
};

static void report(void *context, const struct stoa_error *finding)
{
    struct findings *findings = context;

    if (findings->list != NULL)
        json_out_append(findings->list, json_out_text(finding->message));
    else
        fail_file(findings->path, finding);
}

static struct json_t *result_json(const char *path, const struct stoa_verify_result *result,
                                  struct json_t *findings)
{
    struct json_t *out = json_out_object();

    json_out_set(out, "file", json_out_text(path));
    json_out_set(out, "whole", json_out_bool(result->nfindings == 0));
    json_out_set(out, "objects", json_out_count(result->nobjects));
    json_out_set(out, "pages", json_out_count(result->npages));
    json_out_set(out, "bytes", json_out_count(result->nbytes));
    json_out_set(out, "findings", findings);
    return out;
}

static enum exit_code verify_file(const struct arguments *arguments, const char *path)
{
    bool json = has_option(arguments, OPT_JSON);
    struct findings findings = {.path = path, .list = json ? json_out_array() : NULL};
    const struct stoa_verify_options options = {
        .deep = has_option(arguments, OPT_DEEP), .report = report, .context = &findings};
    struct stoa_verify_result result = {0};
    struct stoa_source *source = NULL;
    struct stoa_error err;
    enum exit_code code = EXIT_DONE;
    char name[NAME_NBYTES], size[32], pages[32];

    if (stoa_source_open_file(path, &source, &err) != STOA_OK)
        return fail(&err);
    if (stoa_verify(source, &options, &result, &err) != STOA_OK)
        code = fail_file(path, &err);
    else if (json)
        code = json_out_print(result_json(path, &result, findings.list));
    else if (result.nfindings == 0)
        printf("%s: whole: %s pages, %s, every byte accounted for%s\n",
               stoa_quote(name, sizeof(name), path, strlen(path)),
               print_count(pages, result.npages), print_size(size, result.nbytes),
               options.deep ? ", every value read" : "");
    stoa_source_close(source);
    return code == EXIT_DONE && result.nfindings > 0 ? EXIT_FILE : code;
}

enum exit_code run_verify(const struct arguments *arguments)
{
    enum exit_code code = EXIT_DONE;

    for (int i = 0; i < arguments->nfiles; i++) {
        enum exit_code one = verify_file(arguments, arguments->files[i]);

        if (one > code)
            code = one;
    }
    return code;
}
