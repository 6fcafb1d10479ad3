/*
 * One line that is written over, or a line of JSON each time.
 */
#include "term_progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"

bool progress_mode_find(const char *word, enum progress_mode *out)
{
    if (word == NULL || strcmp(word, "auto") == 0)
        *out = isatty(STDERR_FILENO) ? PROGRESS_LINE : PROGRESS_NEVER;
    else if (strcmp(word, "always") == 0)
        *out = PROGRESS_LINE;
    else if (strcmp(word, "never") == 0)
        *out = PROGRESS_NEVER;
    else if (strcmp(word, "json") == 0)
        *out = PROGRESS_JSON;
    else
        return false;
    return true;
}

static void show_line(const struct stoa_convert_progress *progress)
{
    char done[32], total[32], rows[32];
    double share = 0, left = 0;

    print_size(done, progress->done_nbytes);
    print_count(rows, progress->nrows);
    if (progress->total_nbytes == 0) {
        fprintf(stderr, "\r\033[K%s read, %s rows, %.0f s", done, rows, progress->seconds);
        return;
    }
    print_size(total, progress->total_nbytes);
    share = (double)progress->done_nbytes / (double)progress->total_nbytes;
    if (share > 0)
        left = progress->seconds * (1 - share) / share;
    fprintf(stderr, "\r\033[K%3.0f%%  %s of %s, %s rows, %.0f s left", 100 * share, done, total,
            rows, left);
}

void progress_show(void *context, const struct stoa_convert_progress *progress)
{
    const enum progress_mode *mode = context;

    if (*mode == PROGRESS_LINE)
        show_line(progress);
    else
        fprintf(stderr,
                "{\"done_bytes\": %" PRIu64 ", \"total_bytes\": %" PRIu64 ", \"rows\": %" PRIu64
                ", \"seconds\": %.3f}\n",
                progress->done_nbytes, progress->total_nbytes, progress->nrows, progress->seconds);
}

void progress_clear(enum progress_mode mode)
{
    if (mode == PROGRESS_LINE)
        fputs("\r\033[K", stderr);
}
