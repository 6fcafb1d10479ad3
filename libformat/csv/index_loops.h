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
 * Blanks that are trimmed count as ends of fields in front of a quote, if they follow one: a sum
 * finds such runs of them. Comments begin behind ends of records, and masks begin anew behind them.
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

/* The bytes that a dialect is made of. */
struct finders {
    struct finder delimiters, quotes, escapes, comments, lfs, crs, blanks, tabs;
    uint64_t may_quote, may_blank, may_tab; /* all ones, or zero: there is no such byte */
    bool may_escape, may_comment, may_trim;
};

static inline struct finders finders_of(const struct stoa_csv_dialect *dialect)
{
    const bool blank = dialect->classes[' '] == STOA_CSV_SPACE;
    const bool tab = dialect->classes['\t'] == STOA_CSV_SPACE;

    return (struct finders){
        .delimiters = finder_of(dialect->delimiter),
        .quotes = finder_of((char)dialect->quote),
        .escapes = finder_of((char)dialect->escape),
        .comments = finder_of((char)dialect->comment),
        .lfs = finder_of('\n'),
        .crs = finder_of('\r'),
        .blanks = finder_of(' '),
        .tabs = finder_of('\t'),
        .may_quote = dialect->quote >= 0 ? UINT64_MAX : 0,
        .may_blank = blank ? UINT64_MAX : 0,
        .may_tab = tab ? UINT64_MAX : 0,
        .may_escape = dialect->escape >= 0,
        .may_comment = dialect->comment >= 0,
        .may_trim = blank || tab,
    };
}

/* What is known at a border between two masks. */
struct quoting {
    uint64_t inside;  /* all ones: in quotes */
    uint64_t opens;   /* 1: a quote here would open, or be the second of two */
    uint64_t blank;   /* 1: a blank here would be trimmed; kept where blanks are */
    uint64_t closed;  /* 1: the byte in front closed quotes; kept for find_faults() */
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
 * The bounds and the trimmed blanks behind them: where the next byte may be a quote that opens. The
 * sum of a run of blanks and its first one has zeros in the place of the run.
 */
static inline uint64_t find_starts(struct quoting *quoting, const struct finders *finders,
                                   const struct chunk *chunk, uint64_t valid, uint64_t bounds,
                                   unsigned last)
{
    const uint64_t blanks = ((chunk_find(chunk, finders->blanks) & finders->may_blank) |
                             (chunk_find(chunk, finders->tabs) & finders->may_tab)) &
                            valid;
    const uint64_t firsts = (bounds << 1 | quoting->blank) & blanks;
    const uint64_t starts = bounds | (blanks & ~(blanks + firsts));

    quoting->blank = starts >> last & 1;
    return starts;
}

/*
 * The bytes in quotes, opening ones included and closing ones not. `starts` are delimiters and line
 * ends, and blanks as above; the next mask begins behind byte `last` of these. Quotes that neither
 * open nor close are taken out of *quotes.
 */
static inline uint64_t find_inside(struct quoting *quoting, uint64_t *quotes, uint64_t starts,
                                   unsigned last)
{
    uint64_t inside, stray;

    for (;;) {
        inside = prefix_xor(*quotes) ^ quoting->inside;
        stray = *quotes & inside & ~((starts | (*quotes & ~inside)) << 1 | quoting->opens);
        if (stray == 0)
            break;
        *quotes &= ~(stray & -stray); /* all others may change by that */
    }
    quoting->inside = 0 - (inside >> 63);
    quoting->opens = ((starts | *quotes) & ~inside) >> last & 1;
    return inside;
}

/* The bytes behind a quote that closed, but for bounds and quotes; of 64 bytes. */
static inline uint64_t find_faults(struct quoting *quoting, uint64_t quotes, uint64_t inside,
                                   uint64_t bounds)
{
    const uint64_t closing = quotes & ~inside;
    const uint64_t faults = (closing << 1 | quoting->closed) & ~(bounds | quotes);

    quoting->closed = closing >> 63;
    return faults;
}

static inline uint64_t first_bits(size_t n)
{
    return n < 64 ? (UINT64_C(1) << n) - 1 : UINT64_MAX;
}

/* Whether the record at `at` is a comment; behind the text stands something, too. */
static inline bool is_comment(int comment, const char *text, size_t at)
{
    return (uint8_t)text[at] == comment;
}

static inline void loop_rows(struct stoa_csv_rows *rows)
{
    const struct stoa_csv_dialect *dialect = rows->dialect;
    const struct finders finders = finders_of(dialect);
    const bool strict = dialect->strict;
    const int comment = dialect->comment;
    const char *text = rows->text;
    const uint32_t stride = rows->stride;
    uint32_t nrows = rows->nrows;
    uint32_t *ends = rows->ends + (size_t)nrows * stride; /* next one to be written */
    uint32_t *row_end = ends + stride;                    /* so many when the row is through */
    size_t begin = rows->at;                              /* of the row */
    struct quoting quoting = {.opens = 1, .blank = 1};
    uint64_t after_cr = 0;

    if (is_comment(comment, text, begin))
        return;
    for (size_t at = rows->at; at < rows->nbytes && nrows < rows->max_nrows; at += 64) {
        const struct chunk chunk = chunk_load(text + at);
        uint64_t valid = first_bits(rows->nbytes - at);
        uint64_t lf = chunk_find(&chunk, finders.lfs), cr = chunk_find(&chunk, finders.crs);
        uint64_t quotes = chunk_find(&chunk, finders.quotes) & finders.may_quote;
        uint64_t delimiter = chunk_find(&chunk, finders.delimiters);
        uint64_t outside = UINT64_MAX, faults = 0, bounds, starts, breaks, all;
        unsigned nall;

        if (finders.may_escape)
            valid &= ~find_escaped(&quoting, chunk_find(&chunk, finders.escapes), cr, lf,
                                   text[at + 64] == '\n', 63);
        lf &= valid;
        cr &= valid;
        quotes &= valid;
        delimiter &= valid;
        bounds = starts = delimiter | lf | cr;
        if (finders.may_trim)
            starts = find_starts(&quoting, &finders, &chunk, valid, bounds, 63);
        if ((quotes | quoting.inside | quoting.closed) != 0) {
            const uint64_t found = quotes;

            outside = ~find_inside(&quoting, &quotes, starts, 63);
            rows->has_quotes = true;
            if (strict)
                faults =
                    (found ^ quotes) | (find_faults(&quoting, quotes, ~outside, bounds) & valid);
        } else {
            quoting.opens = starts >> 63;
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

            if (ends + count_bits(all & upto) != row_end || (faults & upto) != 0)
                goto out;
            if (dialect->trailing_delimiter && row_end[-1] != row_end[-2] + 1)
                goto out;
            rows->row_begins[nrows] = (uint32_t)begin;
            begin = end + 1;
            if (text[end] == '\r' && begin < rows->nbytes && text[begin] == '\n')
                begin++;
            rows->row_ends[nrows] = (uint32_t)begin;
            row_end += stride;
            if (++nrows == rows->max_nrows || is_comment(comment, text, begin))
                goto out;
        }
        ends += nall;
        if (ends >= row_end || faults != 0) /* more fields than a row has, or a fault in it */
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

/* The line ends in these masks: of CR LF the LF. */
static inline uint64_t find_breaks(const char *text, uint64_t lf, uint64_t cr)
{
    if (cr != 0)
        cr &= ~(lf >> 1 | (uint64_t)(text[64] == '\n') << 63);
    return lf | cr;
}

/* The byte behind the line end of a comment; 0 where it goes on behind the text. */
static inline size_t comment_end(const struct finders *finders, const char *text, size_t at,
                                 size_t nbytes)
{
    for (; at < nbytes; at += 64) {
        const struct chunk chunk = chunk_load(text + at);
        const uint64_t breaks = find_breaks(text + at, chunk_find(&chunk, finders->lfs),
                                            chunk_find(&chunk, finders->crs)) &
                                first_bits(nbytes - at);

        if (breaks != 0)
            return at + (size_t)__builtin_ctzll(breaks) + 1;
    }
    return 0;
}

/* Counts records that end at these bytes of the text; false when there are enough of them. */
static inline bool count_ends(struct stoa_csv_tally *tally, size_t at, uint64_t ends,
                              uint64_t lines, uint64_t most)
{
    bool goes_on = true;

    if (ends != 0) {
        uint64_t upto;

        if (count_bits(ends) >= most - tally->nrecords) {
            ends = lowest_bits(ends, most - tally->nrecords);
            lines &= UINT64_MAX >> __builtin_clzll(ends);
            goes_on = false;
        }
        upto = UINT64_MAX >> __builtin_clzll(ends);
        tally->nrecords += count_bits(ends);
        tally->last_end = at + count_bits(upto);
        tally->last_nlines = tally->nlines + count_bits(lines & upto);
    }
    tally->nlines += count_bits(lines);
    return goes_on;
}

static inline enum stoa_csv_state state_of(const struct quoting *quoting, bool at_record,
                                           bool may_trim)
{
    if (quoting->inside != 0)
        return quoting->escaped != 0 ? STOA_CSV_QUOTED_ESCAPED : STOA_CSV_QUOTED;
    if (quoting->escaped != 0)
        return STOA_CSV_PLAIN_ESCAPED;
    if (quoting->opens == 0)
        return STOA_CSV_PLAIN;
    if (at_record)
        return STOA_CSV_AT_RECORD;
    return may_trim && quoting->blank == 0 ? STOA_CSV_CLOSED : STOA_CSV_AT_FIELD;
}

static inline void loop_tally(const struct stoa_csv_dialect *dialect, const char *text,
                              size_t nbytes, uint64_t most, struct stoa_csv_tally *tally)
{
    const struct finders finders = finders_of(dialect);
    const size_t base = tally->nbytes;
    const enum stoa_csv_state state = tally->state;
    struct quoting quoting = {
        .inside = state == STOA_CSV_QUOTED || state == STOA_CSV_QUOTED_ESCAPED ? UINT64_MAX : 0,
        .opens = state != STOA_CSV_PLAIN,
        .blank = state == STOA_CSV_AT_RECORD || state == STOA_CSV_AT_FIELD,
        .escaped = state == STOA_CSV_PLAIN_ESCAPED || state == STOA_CSV_QUOTED_ESCAPED,
    };
    uint64_t at_record = state == STOA_CSV_AT_RECORD;
    bool in_comment = state == STOA_CSV_IN_COMMENT;
    bool plain = false; /* the mask before had no quote, and `opens` is not known */
    bool goes_on = true;
    size_t at = 0;

    while (at < nbytes && goes_on) {
        struct chunk chunk;
        unsigned last;
        uint64_t lf, cr, valid, quotes, ends, lines, outside = UINT64_MAX;

        if (in_comment) {
            at = comment_end(&finders, text, at, nbytes);
            if (at == 0)
                break;
            in_comment = plain = false;
            at_record = 1;
            quoting = (struct quoting){.opens = 1, .blank = 1};
            goes_on = count_ends(tally, base + at - 1, 1, 1, most);
            continue;
        }
        chunk = chunk_load(text + at);
        last = nbytes - at < 64 ? (unsigned)(nbytes - at) - 1 : 63;
        lf = chunk_find(&chunk, finders.lfs);
        cr = chunk_find(&chunk, finders.crs);
        if (finders.may_comment) {
            const uint64_t comments = chunk_find(&chunk, finders.comments);
            const uint64_t later = comments & (lf | cr) << 1 & UINT64_MAX >> (63 - last);

            in_comment = (comments & at_record) != 0;
            if (in_comment)
                continue;
            if (later != 0) /* what may be one begins a mask */
                last = (unsigned)__builtin_ctzll(later) - 1;
        }
        valid = UINT64_MAX >> (63 - last);
        quotes = chunk_find(&chunk, finders.quotes) & finders.may_quote;
        lines = lf & valid;
        if (finders.may_escape)
            valid &= ~find_escaped(&quoting, chunk_find(&chunk, finders.escapes) & valid, cr, lf,
                                   text[at + last + 1] == '\n', last);
        quotes &= valid;
        if (plain)
            quoting.opens = is_bound(dialect, text[at - 1]);
        plain = (quotes | quoting.inside) == 0 && !finders.may_escape && !finders.may_trim;
        if (!plain) {
            uint64_t starts = (lf | cr | chunk_find(&chunk, finders.delimiters)) & valid;

            if (finders.may_trim)
                starts = find_starts(&quoting, &finders, &chunk, valid, starts, last);
            if ((quotes | quoting.inside) != 0)
                outside = ~find_inside(&quoting, &quotes, starts, last);
            else
                quoting.opens = starts >> last & 1;
        }
        ends = find_breaks(text + at, lf, cr) & outside & valid;
        at_record = ends >> last & 1;
        goes_on = count_ends(tally, base + at, ends, lines | ends, most);
        at += last + 1;
    }
    if (!goes_on) {
        tally->nbytes = tally->last_end;
        tally->state = STOA_CSV_AT_RECORD;
        return;
    }
    if (plain)
        quoting.opens = is_bound(dialect, text[nbytes - 1]);
    tally->nbytes += nbytes;
    tally->state =
        in_comment ? STOA_CSV_IN_COMMENT : state_of(&quoting, at_record != 0, finders.may_trim);
}

#endif
