/*
 * The loops of csv/index_kernels.h, over 64-bit masks that tell of 64 bytes of text.
 *
 *     text     a , " x , y " , 5 "  LF
 *     quotes   . . 1 . . . 1 . . 1  .     as compared
 *     opening  . . 1 . . . . . . x  .     x: a stray one, no field ends in front
 *     quotes   . . 1 . . . 1 . . .  .     without it
 *     inside   . . 1 1 1 1 . . . .  .     XOR of all bits up to here: a product
 *     ends     . 1 . . . . . 1 . .  1     (delimiter | CR | LF) & ~inside
 *
 * That is exact: taken from the left, a quote outside opens if the byte in front of it ended a
 * field or is a quote that just closed; else it is content and taken out of the mask, and what is
 * right of it is looked at again. Regular text never has one.
 *
 * The masks are made out of 64-bit words here. Who has better instructions defines
 * STOA_CSV_OWN_CHUNKS, and has the same two types and five functions before it includes this.
 */
#ifndef STOA_CSV_INDEX_LOOPS_H
#define STOA_CSV_INDEX_LOOPS_H

#include "base/bytes.h"
#include "csv/index_kernels.h"

#ifndef STOA_CSV_OWN_CHUNKS

/* A byte to look for. */
struct finder {
    uint64_t bytes; /* eight times the same */
};

/* 64 bytes of text. */
struct chunk {
    uint64_t words[8];
};

static inline struct finder finder_of(char c)
{
    return (struct finder){UINT64_C(0x0101010101010101) * (uint8_t)c};
}

static inline struct chunk chunk_load(const char *text)
{
    struct chunk chunk;

    for (int i = 0; i < 8; i++)
        chunk.words[i] = stoa_load64(text + 8 * i);
    return chunk;
}

/* Bit i tells of byte i. */
static inline uint64_t chunk_find(const struct chunk *chunk, struct finder finder)
{
    const uint64_t lows = UINT64_C(0x7f7f7f7f7f7f7f7f);
    uint64_t bits = 0;

    for (int i = 0; i < 8; i++) {
        uint64_t word = chunk->words[i] ^ finder.bytes;
        uint64_t zeros = ~(((word & lows) + lows) | word) & ~lows; /* the high bit of each zero */

        /* The product gathers the eight bits in its highest byte. */
        bits |= ((zeros >> 7) * UINT64_C(0x0102040810204080) >> 56) << (8 * i);
    }
    return bits;
}

/* Bit i is the XOR of bits 0 to i. */
static inline uint64_t prefix_xor(uint64_t bits)
{
    for (int n = 1; n < 64; n *= 2)
        bits ^= bits << n;
    return bits;
}

/* Writes first + i for each of the nbits bits; up to 64 values may be written in any case. */
static inline void put_bits(uint32_t *to, uint64_t bits, unsigned nbits, uint32_t first)
{
    for (unsigned i = 0; i < nbits; i++, bits &= bits - 1)
        to[i] = first + (uint32_t)__builtin_ctzll(bits);
}

#endif

static inline unsigned count_bits(uint64_t bits)
{
    return (unsigned)__builtin_popcountll(bits);
}

/* What is known at a border between two masks. */
struct quoting {
    uint64_t inside;  /* all ones: in quotes */
    uint64_t opens;   /* 1: a quote here would open, or be the second of two */
    uint64_t escaped; /* 1: the byte here is */
};

/*
 * The bytes behind escape characters, of which CR LF is one. `behind_lf` is 1 when the byte behind
 * byte `last`, the last one of these masks, is an LF.
 */
static inline uint64_t find_escaped(struct quoting *quoting, uint64_t escapes, uint64_t cr,
                                    uint64_t lf, uint64_t behind_lf, unsigned last)
{
    uint64_t escaped = quoting->escaped, active = 0, pairs;

    for (escapes &= ~escaped; escapes != 0; escapes &= ~escaped) {
        const uint64_t first = escapes & -escapes;

        active |= first;
        escaped |= first << 1;
        escapes &= ~first;
    }
    pairs = escaped & cr;
    escaped |= pairs << 1 & lf;
    quoting->escaped = (active | (pairs & behind_lf << last)) >> last & 1;
    return escaped;
}

/*
 * The bytes in quotes, opening ones included and closing ones not. `bounds` are delimiters and line
 * ends; the next mask begins behind byte `last` of these.
 */
static inline uint64_t find_inside(struct quoting *quoting, uint64_t quotes, uint64_t bounds,
                                   unsigned last)
{
    uint64_t inside, stray;

    for (;;) {
        inside = prefix_xor(quotes) ^ quoting->inside;
        stray = quotes & inside & ~((bounds | (quotes & ~inside)) << 1 | quoting->opens);
        if (stray == 0)
            break;
        quotes &= ~(stray & -stray); /* all others may change by that */
    }
    quoting->inside = 0 - (inside >> 63);
    quoting->opens = ((bounds | quotes) & ~inside) >> last & 1;
    return inside;
}

static inline uint64_t first_bits(size_t n)
{
    return n < 64 ? (UINT64_C(1) << n) - 1 : UINT64_MAX;
}

static inline void loop_rows(struct stoa_csv_rows *rows)
{
    const struct stoa_csv_dialect *dialect = rows->dialect;
    const struct finder delimiters = finder_of(dialect->delimiter), lfs = finder_of('\n'),
                        crs = finder_of('\r'), all_quotes = finder_of((char)dialect->quote),
                        escapes = finder_of((char)dialect->escape);
    const uint64_t may_quote = dialect->quote >= 0 ? UINT64_MAX : 0;
    const bool may_escape = dialect->escape >= 0;
    const char *text = rows->text;
    const uint32_t stride = rows->stride;
    uint32_t nrows = rows->nrows;
    uint32_t *ends = rows->ends + (size_t)nrows * stride; /* next one to be written */
    uint32_t *row_end = ends + stride;                    /* so many when the row is through */
    size_t begin = rows->at;                              /* of the row */
    struct quoting quoting = {.opens = 1};
    uint64_t after_cr = 0;

    for (size_t at = rows->at; at < rows->nbytes && nrows < rows->max_nrows; at += 64) {
        const struct chunk chunk = chunk_load(text + at);
        uint64_t valid = first_bits(rows->nbytes - at);
        uint64_t lf = chunk_find(&chunk, lfs), cr = chunk_find(&chunk, crs);
        uint64_t quotes = chunk_find(&chunk, all_quotes) & may_quote;
        uint64_t delimiter = chunk_find(&chunk, delimiters);
        uint64_t outside = UINT64_MAX, bounds, breaks, all;
        unsigned nall;

        if (may_escape)
            valid &= ~find_escaped(&quoting, chunk_find(&chunk, escapes), cr, lf,
                                   text[at + 64] == '\n', 63);
        lf &= valid;
        cr &= valid;
        quotes &= valid;
        delimiter &= valid;
        bounds = delimiter | lf | cr;
        if ((quotes | quoting.inside) != 0) {
            outside = ~find_inside(&quoting, quotes, bounds, 63);
            rows->has_quotes = true;
        } else {
            quoting.opens = bounds >> 63;
        }
        /* A CR LF is told by its CR: there the last field ends. */
        breaks = (cr | (lf & ~(cr << 1 | after_cr))) & outside;
        all = breaks | (delimiter & outside);
        nall = count_bits(all);
        put_bits(ends, all, nall, (uint32_t)at);
        after_cr = cr >> 63;
        for (; breaks != 0; breaks &= breaks - 1) {
            const uint64_t upto = breaks ^ (breaks - 1); /* all bits up to the break */
            const size_t end = at + (size_t)__builtin_ctzll(breaks);

            if (ends + count_bits(all & upto) != row_end)
                goto out;
            if (dialect->trailing_delimiter && row_end[-1] != row_end[-2] + 1)
                goto out;
            rows->row_begins[nrows] = (uint32_t)begin;
            begin = end + 1;
            if (text[end] == '\r' && begin < rows->nbytes && text[begin] == '\n')
                begin++;
            rows->row_ends[nrows] = (uint32_t)begin;
            row_end += stride;
            if (++nrows == rows->max_nrows)
                goto out;
        }
        ends += nall;
        if (ends >= row_end) /* more fields than a row has */
            goto out;
    }
out:
    rows->at = begin;
    rows->nrows = nrows;
}

/* Whether a byte ends a field, outside of quotes. */
static inline bool is_bound(const struct stoa_csv_dialect *dialect, char c)
{
    return c == dialect->delimiter || c == '\n' || c == '\r';
}

/* Keeps the lowest n of the bits. */
static inline uint64_t lowest_bits(uint64_t bits, uint64_t n)
{
    uint64_t rest = bits;

    for (; n > 0; n--)
        rest &= rest - 1;
    return bits & ~rest;
}

static inline void loop_tally(const struct stoa_csv_dialect *dialect, const char *text,
                              size_t nbytes, uint64_t most, struct stoa_csv_tally *tally)
{
    const struct finder delimiters = finder_of(dialect->delimiter), lfs = finder_of('\n'),
                        crs = finder_of('\r'), all_quotes = finder_of((char)dialect->quote),
                        escapes = finder_of((char)dialect->escape);
    const uint64_t may_quote = dialect->quote >= 0 ? UINT64_MAX : 0;
    const bool may_escape = dialect->escape >= 0;
    const size_t base = tally->nbytes;
    const enum stoa_csv_state state = tally->state;
    struct quoting quoting = {
        .inside = state == STOA_CSV_QUOTED || state == STOA_CSV_QUOTED_ESCAPED ? UINT64_MAX : 0,
        .opens = state != STOA_CSV_PLAIN,
        .escaped = state == STOA_CSV_PLAIN_ESCAPED || state == STOA_CSV_QUOTED_ESCAPED,
    };
    bool plain = false; /* the mask before had no quote, and `opens` is not known */
    bool through = false;

    for (size_t at = 0; at < nbytes && !through; at += 64) {
        const struct chunk chunk = chunk_load(text + at);
        const unsigned last = nbytes - at < 64 ? (unsigned)(nbytes - at) - 1 : 63;
        const uint64_t lf = chunk_find(&chunk, lfs);
        uint64_t valid = UINT64_MAX >> (63 - last);
        uint64_t quotes = chunk_find(&chunk, all_quotes) & may_quote;
        uint64_t cr = chunk_find(&chunk, crs), ends, lines = lf & valid, outside = UINT64_MAX;

        if (may_escape)
            valid &= ~find_escaped(&quoting, chunk_find(&chunk, escapes) & valid, cr, lf,
                                   text[at + last + 1] == '\n', last);
        quotes &= valid;
        if (plain)
            quoting.opens = is_bound(dialect, text[at - 1]);
        plain = (quotes | quoting.inside) == 0 && !may_escape;
        if (!plain)
            outside = ~find_inside(&quoting, quotes,
                                   (lf | cr | chunk_find(&chunk, delimiters)) & valid, last);
        if (cr != 0) /* one in front of an LF is not the end */
            cr &= ~(lf >> 1 | (uint64_t)(text[at + 64] == '\n') << 63);
        ends = (lf | cr) & outside & valid;
        lines |= ends;
        if (ends != 0) {
            uint64_t upto;

            if (count_bits(ends) >= most - tally->nrecords) {
                ends = lowest_bits(ends, most - tally->nrecords);
                lines &= UINT64_MAX >> __builtin_clzll(ends);
                through = true;
            }
            upto = UINT64_MAX >> __builtin_clzll(ends);
            tally->nrecords += count_bits(ends);
            tally->last_end = base + at + count_bits(upto);
            tally->last_nlines = tally->nlines + count_bits(lines & upto);
        }
        tally->nlines += count_bits(lines);
    }
    if (through) {
        tally->nbytes = tally->last_end;
        tally->state = STOA_CSV_AT_RECORD;
        return;
    }
    if (plain)
        quoting.opens = is_bound(dialect, text[nbytes - 1]);
    tally->nbytes += nbytes;
    tally->state = quoting.inside != 0
                       ? (quoting.escaped != 0 ? STOA_CSV_QUOTED_ESCAPED : STOA_CSV_QUOTED)
                   : quoting.escaped != 0 ? STOA_CSV_PLAIN_ESCAPED
                   : quoting.opens != 0   ? STOA_CSV_AT_FIELD
                                          : STOA_CSV_PLAIN;
}

#endif
