/*
 * JSON lines as a sink of batches (column/source.h).
 */
#ifndef STOA_JSONL_JSONL_H
#define STOA_JSONL_JSONL_H

#include <stoa/io.h>
#include <stoa/jsonl.h>

#include "column/source.h"

/* Writes to `sink` (borrowed), batches in order. */
STOA_CHECK enum stoa_status
stoa_jsonl_sink_open(struct stoa_sink *sink, struct stoa_batch_sink **out, struct stoa_error *err);

#endif
