/*
 * From codes to text (codec/fsst.h).
 *
 *     codes    12  7  255 'Q'  12          eight of them are looked at together
 *     stores   the 8 bytes of symbol 12 | the 8 of symbol 7 | ...
 *     steps      5 of them count,         2 count
 *
 * Each symbol is stored whole, and the next one over what of it does not count; so a code is one
 * store and one addition, without a branch, until an escape turns up.
 */
#include "codec/fsst.h"

#include "base/bytes.h"

bool stoa_fsst_decode_scalar(const struct stoa_fsst_symbols *symbols, const uint8_t *codes,
                             size_t ncodes, uint8_t *out, size_t nbytes)
{
    size_t at = 0;

    for (size_t i = 0; i < ncodes; i++) {
        unsigned code = codes[i];
        uint8_t word[8];

        if (code == STOA_FSST_ESCAPE) {
            if (++i == ncodes || at == nbytes)
                return false;
            out[at++] = codes[i];
            continue;
        }
        if (code >= symbols->count || symbols->nbytes[code] > nbytes - at)
            return false;
        stoa_store64(word, symbols->words[code]);
        memcpy(out + at, word, symbols->nbytes[code]);
        at += symbols->nbytes[code];
    }
    return at == nbytes;
}

/* Whether a byte of codes may be a code without a symbol; it may be one behind an escape too. */
static bool may_lack_symbols(const struct stoa_fsst_symbols *symbols, const uint8_t *codes,
                             size_t ncodes)
{
    uint8_t lacks = 0;

    for (size_t i = 0; i < ncodes; i++)
        lacks |= (uint8_t)((codes[i] >= symbols->count) & (codes[i] != STOA_FSST_ESCAPE));
    return lacks != 0;
}

/* A bit at the top of each byte that is an escape. */
static inline uint64_t find_escapes(uint64_t codes)
{
    const uint64_t tops = UINT64_C(0x8080808080808080);

    return ((codes & ~tops) + UINT64_C(0x0101010101010101)) & codes & tops;
}

static inline uint8_t *put_symbol(const struct stoa_fsst_symbols *symbols, unsigned code,
                                  uint8_t *out)
{
    stoa_store64(out, symbols->words[code]);
    return out + symbols->nbytes[code];
}

bool stoa_fsst_decode(const struct stoa_fsst_symbols *symbols, const uint8_t *codes, size_t ncodes,
                      uint8_t *out, size_t nbytes)
{
    const uint8_t *codes_end = codes + ncodes, *out_end = out + nbytes;

    if (symbols->count < STOA_FSST_MAX_NSYMBOLS && may_lack_symbols(symbols, codes, ncodes))
        return stoa_fsst_decode_scalar(symbols, codes, ncodes, out, nbytes);
    /* Eight codes give at most 64 bytes, for which there is room behind the end. */
    while (codes_end - codes >= 8 && out <= out_end) {
        uint64_t eight = stoa_load64(codes), escapes = find_escapes(eight);

        if (escapes == 0) {
            for (unsigned k = 0; k < 8; k++)
                out = put_symbol(symbols, eight >> 8 * k & 0xff, out);
            codes += 8;
            continue;
        }
        for (unsigned n = (unsigned)__builtin_ctzll(escapes) / 8; n > 0; n--)
            out = put_symbol(symbols, *codes++, out);
        if (codes_end - codes < 2)
            return false;
        *out++ = codes[1];
        codes += 2;
    }
    return out <= out_end && stoa_fsst_decode_scalar(symbols, codes, (size_t)(codes_end - codes),
                                                     out, (size_t)(out_end - out));
}
