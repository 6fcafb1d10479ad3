/*
 * Inputs that may be pipes: their head is kept between the look at it and the reading.
 */
#include "csv/input.h"

#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "csv/encoding.h"

#define NAME_NBYTES 512

STOA_CHECK static enum stoa_status input_init(struct stoa_csv_inputs *inputs,
                                              struct stoa_csv_input *input, const char *path,
                                              struct stoa_error *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
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
    input->file_nbytes = strlen(shown);
    STOA_TRY(stoa_strndup(&input->path, path, strlen(path), err));
out:
    return st;
}

enum stoa_status stoa_csv_inputs_new(const char *const *paths, size_t npaths,
                                     struct stoa_csv_inputs **out, struct stoa_error *err)
{
    struct stoa_csv_inputs *inputs = NULL;
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
    stoa_csv_inputs_free(inputs);
    return st;
}

void stoa_csv_inputs_give(struct stoa_csv_inputs *inputs, struct stoa_members *members)
{
    inputs->items[0].members = members;
}

void stoa_csv_inputs_free(struct stoa_csv_inputs *inputs)
{
    if (inputs == NULL)
        return;
    for (size_t i = 0; i < inputs->nitems; i++) {
        stoa_free(inputs->items[i].path);
        stoa_free(inputs->items[i].name);
        stoa_stream_close(inputs->items[i].stream);
        stoa_members_close(inputs->items[i].members);
        stoa_buffer_free(&inputs->items[i].head);
    }
    stoa_free(inputs->items);
    stoa_free(inputs->encoding);
    stoa_free(inputs);
}

enum stoa_status stoa_csv_inputs_set_encoding(struct stoa_csv_inputs *inputs, const char *encoding,
                                              struct stoa_error *err)
{
    char *copy = NULL;
    enum stoa_status st = STOA_OK;

    if (encoding != NULL)
        st = stoa_strndup(&copy, encoding, strlen(encoding), err);
    if (st != STOA_OK)
        return st;
    stoa_free(inputs->encoding);
    inputs->encoding = copy;
    for (size_t i = 0; i < inputs->nitems; i++)
        inputs->items[i].wanted = copy;
    return STOA_OK;
}

/* The next text in the members, in UTF-8; NULL behind the last one. */
static enum stoa_status next_text(struct stoa_csv_input *input, struct stoa_members *members,
                                  struct stoa_stream **out, struct stoa_error *err)
{
    struct stoa_stream *stream;
    enum stoa_status st;

    *out = NULL;
    STOA_TRY(stoa_members_next(members, &stream, err));
    if (stream == NULL)
        return STOA_OK;
    STOA_TRY(stoa_csv_digest_open(stream, &input->digest, &stream, err));
    STOA_TRY(stoa_csv_decode_open(stream, input->wanted, out, err));
    input->encoding = stoa_csv_decode_encoding(*out, &input->byte_order_mark);
out:
    return st;
}

/* The first text of an input; both are the caller's. */
static enum stoa_status open_first(struct stoa_csv_input *input, struct stoa_members **members,
                                   struct stoa_stream **stream, struct stoa_error *err)
{
    char *name = NULL;
    enum stoa_status st;

    *members = input->members; /* NULL, but for one that came opened */
    input->members = NULL;
    if (*members == NULL)
        STOA_TRY(stoa_members_open(input->path, members, err));
    STOA_TRY(next_text(input, *members, stream, err));
    input->is_archive = stoa_members_is_archive(*members);
    if (input->is_archive) {
        STOA_TRY(stoa_strndup(&name, (*stream)->name, strlen((*stream)->name), err));
        stoa_free(input->name);
        input->name = name;
    }
out:
    return st;
}

enum stoa_status stoa_csv_input_peek(struct stoa_csv_input *input, size_t want_nbytes,
                                     struct stoa_buffer *out, bool *whole, struct stoa_error *err)
{
    const size_t piece = (size_t)64 << 10;
    struct stoa_members *members = NULL;
    struct stoa_stream *opened = NULL, *stream = input->stream;
    struct stoa_buffer text = {0}, copy = {0};
    bool ended = false;
    enum stoa_status st = STOA_OK;

    if (stream == NULL) {
        STOA_TRY(open_first(input, &members, &opened, err));
        stream = opened;
    }
    STOA_TRY(stoa_buffer_append(&text, input->head.data, input->head.nbytes, err));
    while (text.nbytes < want_nbytes && !ended) {
        size_t got;

        STOA_TRY(stoa_buffer_reserve(&text, piece, err));
        STOA_TRY(stream->read(stream, text.data + text.nbytes, piece, &got, err));
        text.nbytes += got;
        ended = got == 0;
    }
    if (input->once) {
        STOA_TRY(stoa_buffer_append(&copy, text.data, text.nbytes, err));
        stoa_buffer_free(&input->head);
        input->head = copy;
        copy = (struct stoa_buffer){0};
        if (opened != NULL) {
            input->members = members;
            input->stream = opened;
            members = NULL;
            opened = NULL;
        }
    }
    *out = text;
    *whole = ended;
    text = (struct stoa_buffer){0};
out:
    stoa_buffer_free(&text);
    stoa_buffer_free(&copy);
    stoa_stream_close(opened);
    stoa_members_close(members);
    return st;
}

const char *stoa_csv_input_member(const struct stoa_csv_input *input, const char *name)
{
    return strlen(name) > input->file_nbytes ? name + input->file_nbytes + 1 : NULL;
}

enum stoa_status stoa_csv_input_next(struct stoa_csv_input *input, struct stoa_stream **stream,
                                     struct stoa_buffer *head, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    if (input->members == NULL)
        STOA_TRY(stoa_members_open(input->path, &input->members, err));
    if (input->stream == NULL)
        STOA_TRY(next_text(input, input->members, &input->stream, err));
    if (input->stream == NULL && !input->once) { /* who comes next begins anew */
        stoa_members_close(input->members);
        input->members = NULL;
    }
    *stream = input->stream;
    *head = input->head;
    input->stream = NULL;
    input->head = (struct stoa_buffer){0};
out:
    return st;
}
