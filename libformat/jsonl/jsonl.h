/*
 * JSON lines as a sink of batches (column/source.h).
 */
#ifndef STOA_JSONL_JSONL_H
#define STOA_JSONL_JSONL_H

#include <stoa/io.h>
#include <stoa/jsonl.h>

#include "column/source.h"

struct stoa_text_packer;

/* Writes to `sink`, batches in order; sink and packer (NULL: no compression) are borrowed. */
STOA_CHECK enum stoa_status stoa_jsonl_sink_open(struct stoa_sink *sink,
                                                 const struct stoa_text_packer *packer,
                                                 struct stoa_batch_sink **out,
                                                 struct stoa_error *err);

#endif
