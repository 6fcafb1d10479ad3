/*
 * Inputs and their texts. A text that was copied stands in the temporary file between two places:
 *
 *     spill   | text 0 of "-" | text 1 | ...
 */
#include "jsonl/text_input.h"

#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "io/spill.h"

#define NAME_NBYTES 512
#define STEP_NBYTES ((size_t)256 << 10)

struct stoa_jsonl_kept {
    char *name;
    uint64_t begin;
    uint64_t end;
};

static enum stoa_status input_init(struct stoa_jsonl_inputs *inputs, struct stoa_jsonl_input *input,
                                   const char *path, struct stoa_error *err)
{
    const bool is_stdin = strcmp(path, "-") == 0;
    const char *name = is_stdin ? "standard input" : path;
    char shown[NAME_NBYTES];
    struct stat info;
    enum stoa_status st;

    if (!is_stdin && stat(path, &info) != 0) /* opening it will say what is wrong */
        info = (struct stat){.st_mode = S_IFREG};
    input->once = is_stdin || !S_ISREG(info.st_mode);
    if (input->once)
        inputs->all_regular = false;
    else
        inputs->total_nbytes += (uint64_t)info.st_size;
    stoa_quote(shown, sizeof(shown), name, strlen(name));
    STOA_TRY(stoa_strndup(&input->name, shown, strlen(shown), err));
    STOA_TRY(stoa_strndup(&input->path, path, strlen(path), err));
out:
    return st;
}

enum stoa_status stoa_jsonl_inputs_new(const char *const *paths, size_t npaths,
                                       struct stoa_jsonl_inputs **out, struct stoa_error *err)
{
    struct stoa_jsonl_inputs *inputs = NULL;
    enum stoa_status st;

    STOA_TRY(stoa_alloc_zeroed(&inputs, 1, sizeof(*inputs), err));
    STOA_TRY(stoa_alloc_zeroed(&inputs->items, npaths, sizeof(*inputs->items), err));
    inputs->nitems = npaths;
    inputs->all_regular = true;
    for (size_t i = 0; i < npaths; i++)
        STOA_TRY(input_init(inputs, &inputs->items[i], paths[i], err));
    *out = inputs;
    inputs = NULL;
out:
    stoa_jsonl_inputs_free(inputs);
    return st;
}

void stoa_jsonl_inputs_give(struct stoa_jsonl_inputs *inputs, struct stoa_members *members)
{
    inputs->items[0].members = members;
}

void stoa_jsonl_inputs_free(struct stoa_jsonl_inputs *inputs)
{
    if (inputs == NULL)
        return;
    for (size_t i = 0; inputs->items != NULL && i < inputs->nitems; i++) {
        struct stoa_jsonl_input *input = &inputs->items[i];

        for (size_t k = 0; k < input->ntexts; k++)
            stoa_free(input->texts[k].name);
        stoa_free(input->texts);
        stoa_members_close(input->members);
        stoa_free(input->path);
        stoa_free(input->name);
    }
    stoa_free(inputs->items);
    stoa_spill_close(inputs->spill);
    stoa_free(inputs);
}

/* ---- Copies. ---- */

struct kept_stream {
    struct stoa_stream base;
    struct stoa_spill *spill;
    uint64_t at, end;
};

static enum stoa_status kept_read(struct stoa_stream *base, void *out, size_t nbytes, size_t *got,
                                  struct stoa_error *err)
{
    struct kept_stream *stream = (struct kept_stream *)base;
    const uint64_t rest = stream->end - stream->at;
    enum stoa_status st = STOA_OK;

    *got = rest < nbytes ? (size_t)rest : nbytes;
    if (*got > 0)
        st = stoa_spill_read(stream->spill, stream->at, out, *got, err);
    stream->at += *got;
    base->consumed_nbytes += *got;
    return st;
}

static void kept_close(struct stoa_stream *base)
{
    stoa_free(base);
}

static enum stoa_status kept_open(struct stoa_spill *spill, const struct stoa_jsonl_kept *text,
                                  struct stoa_stream **out, struct stoa_error *err)
{
    struct kept_stream *stream;
    enum stoa_status st = stoa_alloc_zeroed(&stream, 1, sizeof(*stream), err);

    if (st != STOA_OK)
        return st;
    stream->base.read = kept_read;
    stream->base.close = kept_close;
    stream->base.name = text->name;
    stream->spill = spill;
    stream->at = text->begin;
    stream->end = text->end;
    *out = &stream->base;
    return STOA_OK;
}

static enum stoa_status copy_text(struct stoa_spill *spill, struct stoa_jsonl_input *input,
                                  struct stoa_stream *stream, struct stoa_error *err)
{
    struct stoa_jsonl_kept *kept;
    uint8_t *bytes = NULL;
    size_t got;
    enum stoa_status st;

    STOA_TRY(stoa_alloc(&bytes, STEP_NBYTES, err));
    STOA_TRY(stoa_reserve(&input->texts, &input->capacity, input->ntexts + 1, sizeof(*input->texts),
                          err));
    kept = &input->texts[input->ntexts];
    *kept = (struct stoa_jsonl_kept){.begin = stoa_spill_nbytes(spill)};
    STOA_TRY(stoa_strndup(&kept->name, stream->name, strlen(stream->name), err));
    input->ntexts++;
    do {
        STOA_TRY(stream->read(stream, bytes, STEP_NBYTES, &got, err));
        STOA_TRY(stoa_spill_append(spill, bytes, got, err));
    } while (got > 0);
    kept->end = stoa_spill_nbytes(spill);
out:
    stoa_free(bytes);
    return st;
}

static enum stoa_status copy_input(struct stoa_jsonl_inputs *inputs, struct stoa_jsonl_input *input,
                                   struct stoa_error *err)
{
    struct stoa_jsonl_texts texts = {.inputs = inputs, .input = input};
    struct stoa_stream *stream = NULL;
    enum stoa_status st;

    for (;;) {
        STOA_TRY(stoa_jsonl_texts_next(&texts, &stream, err));
        if (stream == NULL)
            break;
        STOA_TRY(copy_text(inputs->spill, input, stream, err));
        stoa_stream_close(stream);
        stream = NULL;
    }
    input->once = false;
    input->kept = true;
out:
    stoa_stream_close(stream);
    stoa_jsonl_texts_close(&texts);
    return st;
}

enum stoa_status stoa_jsonl_inputs_keep(struct stoa_jsonl_inputs *inputs, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (size_t i = 0; i < inputs->nitems; i++) {
        if (!inputs->items[i].once)
            continue;
        if (inputs->spill == NULL)
            STOA_TRY(stoa_spill_open(&inputs->spill, err));
        STOA_TRY(copy_input(inputs, &inputs->items[i], err));
    }
out:
    return st;
}

/* ---- Texts. ---- */

enum stoa_status stoa_jsonl_texts_next(struct stoa_jsonl_texts *texts, struct stoa_stream **out,
                                       struct stoa_error *err)
{
    struct stoa_jsonl_input *input = texts->input;
    enum stoa_status st = STOA_OK;

    *out = NULL;
    if (input->kept) {
        if (texts->next < input->ntexts)
            st = kept_open(texts->inputs->spill, &input->texts[texts->next++], out, err);
        return st;
    }
    if (!texts->begun && input->members == NULL)
        STOA_TRY(stoa_members_open(input->path, &input->members, err));
    if (!texts->begun)
        texts->members = input->members;
    input->members = NULL;
    texts->begun = true;
    STOA_TRY(stoa_members_next(texts->members, out, err));
out:
    return st;
}

void stoa_jsonl_texts_close(struct stoa_jsonl_texts *texts)
{
    stoa_members_close(texts->members);
    *texts = (struct stoa_jsonl_texts){0};
}

const char *stoa_jsonl_input_member(const struct stoa_jsonl_input *input, const char *name)
{
    const size_t nbytes = strlen(input->name);

    return strncmp(name, input->name, nbytes) == 0 && name[nbytes] == ':' ? name + nbytes + 1
                                                                          : NULL;
}
