/*
 * The encodings of spec/encodings.md: their numbers and the table that everything walks.
 */
#ifndef STOA_CODEC_ENCODING_H
#define STOA_CODEC_ENCODING_H

#include <stoa/base.h>

#include "codec/vector.h"

/* The numbers are stored in files: never reuse one. 10 and 12 are reserved. */
enum stoa_encoding_id {
    STOA_PLAIN = 0,
    STOA_CONST = 1,
    STOA_PFOR = 2,
    STOA_DELTA = 3,
    STOA_DICT = 4,
    STOA_RLE = 5,
    STOA_SPARSE = 6,
    STOA_ALP = 7,
    STOA_ALPRD = 8,
    STOA_FSST = 9,
    STOA_FRONT = 10,
    STOA_CHARPACK = 11,
    STOA_SPLIT = 13,
    STOA_NARROW = 14,
    STOA_BITMAP = 15,
    STOA_BITRUNS = 16,
    STOA_LINEAR = 17,
    STOA_PLANES = 18,
    STOA_LOOKUP = 19,
    STOA_ENCODING_END = 20,
};

enum stoa_codec_id {
    STOA_CODEC_NONE = 0,
    STOA_CODEC_ZSTD = 1,
};

#define STOA_PAGE_MAX_NODES   16
#define STOA_PAGE_MAX_NVALUES 65536
#define STOA_PLAN_MAX_NODES   8

/*
 * How to encode the values of a page: a tree of encodings, depth first. A node whose `compress`
 * is set tries the codec on its payload and keeps it when it saves at least a tenth and 32 bytes.
 */
struct stoa_plan_node {
    uint8_t encoding;
    uint8_t phys; /* NARROW's child: U8, U16 or U32, the least it may be; else that of the values.
                     A DICT root stands for any: stoa_page_encode() says for which. */
    bool compress;
};

struct stoa_plan {
    uint8_t nnodes;
    struct stoa_plan_node nodes[STOA_PLAN_MAX_NODES];
};

/* The name of an encoding in lower case, or NULL for an id that this version does not know. */
const char *stoa_encoding_name(unsigned encoding);

/* "dict(narrow(plain+zstd))": for people; `out` has room for 128 bytes. */
const char *stoa_plan_print(const struct stoa_plan *plan, char out[128]);

/*
 * The way back, for values of `phys`: a child of narrow is U8, which encoding widens where values
 * need it. False when `text` is no plan that is allowed for `phys`.
 */
bool stoa_plan_parse(const char *text, enum stoa_phys phys, struct stoa_plan *out);

/* Whether spec/encodings.md section 3 lets `plan` stand for values of `phys`. The phys of a DICT
   root is not looked at, as for stoa_page_encode(). */
bool stoa_plan_is_allowed(const struct stoa_plan *plan, enum stoa_phys phys);

/*
 * Calls `visit` with every allowed plan for `phys`, without compression and with compression of
 * every payload: for exhaustive tests and searches. DICT roots stand for codes of a dictionary.
 * Derived roots are left out.
 */
void stoa_plan_each(enum stoa_phys phys, void (*visit)(void *context, const struct stoa_plan *plan),
                    void *context);

#endif
