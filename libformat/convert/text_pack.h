/*
 * Text outputs compressed in pieces, by any thread, so that they are read back in parallel too.
 */
#ifndef STOA_CONVERT_TEXT_PACK_H
#define STOA_CONVERT_TEXT_PACK_H

#include <stoa/convert.h>

#include "column/text_sink.h"

/* NULL for STOA_COMPRESS_NONE. */
const struct stoa_text_packer *stoa_text_packer_find(enum stoa_compress compress);

#endif
