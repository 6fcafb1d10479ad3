/*
 * Finding the symbols of a text and finding them again in it (codec/fsst.h).
 *
 *     tumcwitumvldb    round 1    t u m c w i v l d b             single bytes
 *                      round 2    tu um mc wi it mv vl ...        neighbours, joined
 *                      round 3    tum cwi vldb ...                and these joined
 *
 * Each round encodes a sample with the symbols of the one before, counts symbols and pairs of
 * neighbours, and keeps the 255 that save most: how often times how long. The first rounds look at
 * a part of the sample alone; their symbols do not last.
 *
 * A symbol is looked up by its first bytes: those of three and more in a hash table that has room
 * for one symbol a slot (another one with the same slot and less to save is left out), those of one
 * and two in a table of all pairs of bytes. So a step of the encoder is two loads and a choice.
 */
#include "codec/fsst.h"

#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"

enum {
    NSLOTS = 1024,
    SAMPLE_NBYTES = 49152,
    PIECE_NBYTES = 512,
    NROUNDS = 5,
    WHOLE = 128, /* parts of the sample are counted in 128ths */
    NBEST = 512, /* the 255 are among so many: some that collide are left out */
    /* What a round counts: 256 bytes without a symbol, then the symbols. */
    NCOUNTED = 512,
    NCANDIDATES_LOG2 = 14,
    NCANDIDATES = 1 << NCANDIDATES_LOG2,
};

/* A match: code | nbytes << 8 | escape << 12. */
#define MATCH(code, nbytes) ((uint16_t)((code) | (nbytes) << 8))
#define MATCH_ESCAPE        MATCH(STOA_FSST_ESCAPE, 1 | 1 << 4)

/* A symbol of three bytes or more matches x when (x ^ word) << shift is 0. */
struct slot {
    uint64_t word;
    uint32_t match;
    uint32_t shift;
};

struct matcher {
    struct slot slots[NSLOTS];
    uint16_t pairs[65536]; /* by the first two bytes: a symbol of two, of one, or the escape */
    uint16_t bytes[256];   /* the same by the first */
};

static inline unsigned slot_of(uint64_t word)
{
    return (uint32_t)((uint32_t)(word & 0xffffff) * 2654435761u) >> 22;
}

static inline uint64_t first_bytes(uint64_t word, size_t nbytes)
{
    return nbytes >= 8 ? word : word & ((UINT64_C(1) << 8 * nbytes) - 1);
}

/* The empty slots have a word that belongs to another one, so nothing ever matches them. */
static void matcher_clear_slots(struct matcher *matcher)
{
    for (unsigned k = 0; k < NSLOTS; k++)
        matcher->slots[k] = (struct slot){.word = k == slot_of(0)};
}

/* Takes the slot of a symbol; false when another one has it. */
static bool matcher_take_slot(struct matcher *matcher, uint64_t word, size_t nbytes)
{
    struct slot *slot = &matcher->slots[slot_of(word)];

    if (nbytes < 3)
        return true;
    if (slot->match != 0)
        return false;
    slot->match = MATCH(0, nbytes);
    return true;
}

/* Makes the matcher one of these symbols. */
static void matcher_set(struct matcher *matcher, const struct stoa_fsst_symbols *symbols)
{
    matcher_clear_slots(matcher);
    for (unsigned k = 0; k < 65536; k++)
        matcher->pairs[k] = MATCH_ESCAPE;
    for (unsigned k = 0; k < 256; k++)
        matcher->bytes[k] = MATCH_ESCAPE;
    for (unsigned code = 0; code < symbols->count; code++) {
        uint64_t word = symbols->words[code];

        if (symbols->nbytes[code] == 1) {
            matcher->bytes[word] = MATCH(code, 1);
            for (unsigned second = 0; second < 256; second++)
                matcher->pairs[word | second << 8] = MATCH(code, 1);
        }
    }
    for (unsigned code = 0; code < symbols->count; code++) {
        uint64_t word = symbols->words[code];
        unsigned nbytes = symbols->nbytes[code];

        if (nbytes == 2)
            matcher->pairs[word] = MATCH(code, 2);
        else if (nbytes > 2)
            matcher->slots[slot_of(word)] =
                (struct slot){word, MATCH(code, nbytes), 64 - 8 * nbytes};
    }
}

/* The longest symbol at the start of x, eight bytes of text. */
static inline uint32_t find(const struct matcher *matcher, uint64_t x)
{
    const struct slot *slot = &matcher->slots[slot_of(x)];
    const uint32_t match = matcher->pairs[x & 0xffff];
    const uint32_t hit = 0 - (uint32_t)((x ^ slot->word) << slot->shift == 0);

    return match ^ ((match ^ slot->match) & hit); /* a branch would be guessed wrong too often */
}

/* The same where only `left` bytes of x, fewer than eight, are text and the others zeros. */
static inline uint32_t find_in_rest(const struct matcher *matcher, uint64_t x, size_t left)
{
    uint32_t match = find(matcher, x);

    if ((match >> 8 & 15) > left)
        match = matcher->pairs[x & 0xffff];
    return (match >> 8 & 15) > left ? matcher->bytes[x & 0xff] : match;
}

/* The first `left` bytes at `text` (fewer than eight). */
static inline uint64_t load_rest(const uint8_t *text, size_t left, const uint8_t *text_end)
{
    uint8_t bytes[8] = {0};

    if (text_end - text >= 8)
        return first_bytes(stoa_load64(text), left);
    for (size_t k = 0; k < left; k++)
        bytes[k] = text[k];
    return stoa_load64(bytes);
}

/* ---- Training. ---- */

struct candidate {
    uint64_t word;
    uint32_t gain; /* how often times how long; 0: no candidate */
    uint32_t nbytes;
};

struct stoa_fsst_trainer {
    struct stoa_fsst_symbols symbols;
    struct matcher matcher;

    uint8_t text[SAMPLE_NBYTES + 8]; /* the sample: pieces of values, */
    uint16_t ends[SAMPLE_NBYTES];    /* where they end, none of them empty */
    size_t npieces;

    uint16_t counts[NCOUNTED];
    uint16_t pairs[NCOUNTED][NCOUNTED];
    uint32_t met[2 * SAMPLE_NBYTES]; /* the pairs that are not 0: first * NCOUNTED + second */
    size_t nmet;
    struct candidate candidates[NCANDIDATES]; /* a hash table by word and length, */
    uint32_t used[NCANDIDATES / 2];           /* its places in the order of arrival */
    size_t nused;
    struct candidate best[NBEST];
};

enum stoa_status stoa_fsst_trainer_new(struct stoa_fsst_trainer **out, struct stoa_error *err)
{
    return stoa_alloc_zeroed(out, 1, sizeof(**out), err);
}

void stoa_fsst_trainer_free(struct stoa_fsst_trainer *trainer)
{
    stoa_free(trainer);
}

/* Appends bytes of the text from a value on, until the sample has `most` bytes. */
static void take_piece(struct stoa_fsst_trainer *t, const struct stoa_vector *values, size_t value,
                       size_t skip, size_t most)
{
    size_t at = t->npieces > 0 ? t->ends[t->npieces - 1] : 0;

    for (; value < values->nvalues && at < most; value++, skip = 0) {
        const uint8_t *text = values->values + values->offsets[value] + skip;
        size_t nbytes = (size_t)(values->offsets[value + 1] - values->offsets[value]) - skip;

        nbytes = nbytes < most - at ? nbytes : most - at;
        if (nbytes == 0)
            continue;
        memcpy(t->text + at, text, nbytes);
        at += nbytes;
        t->ends[t->npieces++] = (uint16_t)at;
    }
}

/* Runs of values from places evenly apart, or all values. */
static void take_sample(struct stoa_fsst_trainer *t, const struct stoa_vector *values)
{
    const int32_t *offsets = values->offsets;
    const size_t n = values->nvalues, total = (size_t)(offsets[n] - offsets[0]);
    const size_t stride = total / (SAMPLE_NBYTES / PIECE_NBYTES);
    size_t value = 0;

    t->npieces = 0;
    if (total <= SAMPLE_NBYTES) {
        take_piece(t, values, 0, 0, SAMPLE_NBYTES);
        return;
    }
    for (size_t k = 0; k < SAMPLE_NBYTES / PIECE_NBYTES; k++) {
        size_t from = (size_t)offsets[0] + k * stride, into;

        while ((size_t)offsets[value + 1] <= from)
            value++;
        into = from - (size_t)offsets[value]; /* several pieces may be of one long value */
        take_piece(t, values, value, into > PIECE_NBYTES ? into : 0, (k + 1) * PIECE_NBYTES);
    }
}

static void count_pair(struct stoa_fsst_trainer *t, unsigned first, unsigned second)
{
    if (t->pairs[first][second]++ == 0)
        t->met[t->nmet++] = first * NCOUNTED + second;
}

/* Encodes a piece, counting. Of a longer symbol its first byte counts too, so that it may return.
 */
static void count_piece(struct stoa_fsst_trainer *t, const uint8_t *text, const uint8_t *end)
{
    const struct matcher *matcher = &t->matcher;
    const uint8_t *text_end = t->text + sizeof(t->text);
    unsigned before = NCOUNTED;

    while (text < end) {
        size_t left = (size_t)(end - text);
        uint32_t match = left >= 8 ? find(matcher, stoa_load64(text))
                                   : find_in_rest(matcher, load_rest(text, left, text_end), left);
        unsigned nbytes = match >> 8 & 15;
        unsigned symbol = match >> 12 != 0 ? text[0] : 256 + (match & 0xff);

        t->counts[symbol]++;
        if (before < NCOUNTED)
            count_pair(t, before, symbol);
        if (nbytes > 1) {
            t->counts[text[0]]++;
            if (before < NCOUNTED)
                count_pair(t, before, text[0]);
        }
        before = symbol;
        text += nbytes;
    }
}

/* Every piece, or of each 128 as many as the round looks at. */
static void count_sample(struct stoa_fsst_trainer *t, unsigned part)
{
    size_t begin = 0;

    for (size_t k = 0; k < t->npieces; k++) {
        if ((k * 79 & (WHOLE - 1)) < part)
            count_piece(t, t->text + begin, t->text + t->ends[k]);
        begin = t->ends[k];
    }
}

static void add_candidate(struct stoa_fsst_trainer *t, uint64_t word, size_t nbytes, uint32_t gain)
{
    size_t place = ((word ^ nbytes) * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - NCANDIDATES_LOG2);

    while (t->candidates[place].gain > 0 &&
           (t->candidates[place].word != word || t->candidates[place].nbytes != nbytes))
        place = (place + 1) % NCANDIDATES;
    if (t->candidates[place].gain == 0) {
        if (t->nused == NCANDIDATES / 2)
            return;
        t->used[t->nused++] = (uint32_t)place;
        t->candidates[place] = (struct candidate){word, 0, (uint32_t)nbytes};
    }
    t->candidates[place].gain += gain;
}

static uint64_t word_of(const struct stoa_fsst_symbols *symbols, unsigned counted, size_t *nbytes)
{
    *nbytes = counted < 256 ? 1 : symbols->nbytes[counted - 256];
    return counted < 256 ? counted : symbols->words[counted - 256];
}

/* What was counted and joined becomes candidates; the counts are cleared. */
static void collect(struct stoa_fsst_trainer *t, unsigned part)
{
    const struct stoa_fsst_symbols *symbols = &t->symbols;
    const unsigned least = 5 * part / WHOLE;
    uint64_t word;
    size_t nbytes;

    for (unsigned k = 0; k < NCOUNTED; k++) {
        word = t->counts[k] > 0 ? word_of(symbols, k, &nbytes) : 0;
        /* A byte without a symbol costs two: that it gets one counts for more. */
        if (t->counts[k] > 0 && t->counts[k] >= least)
            add_candidate(t, word, nbytes, (uint32_t)(t->counts[k] * (nbytes == 1 ? 8 : nbytes)));
        t->counts[k] = 0;
    }
    for (size_t k = 0; k < t->nmet; k++) {
        unsigned first = t->met[k] / NCOUNTED, second = t->met[k] % NCOUNTED;
        uint16_t count = t->pairs[first][second];
        size_t more;
        uint64_t tail;

        t->pairs[first][second] = 0;
        word = word_of(symbols, first, &nbytes);
        if (count < least || part == WHOLE || nbytes == STOA_FSST_SYMBOL_NBYTES)
            continue;
        tail = word_of(symbols, second, &more);
        word |= tail << 8 * nbytes; /* what is beyond eight bytes falls off */
        nbytes = nbytes + more > STOA_FSST_SYMBOL_NBYTES ? STOA_FSST_SYMBOL_NBYTES : nbytes + more;
        add_candidate(t, word, nbytes, (uint32_t)(count * nbytes));
    }
    t->nmet = 0;
}

/* Whether a is to be kept rather than b: the order of equals depends on nothing but them. */
static bool is_better(const struct candidate *a, const struct candidate *b)
{
    if (a->gain != b->gain)
        return a->gain > b->gain;
    if (a->nbytes != b->nbytes)
        return a->nbytes > b->nbytes;
    return a->word < b->word;
}

/* Restores a heap whose worst element comes first, of which element k may be too good. */
static void sift(struct candidate *heap, size_t n, size_t k)
{
    struct candidate moved = heap[k];

    for (size_t child; (child = 2 * k + 1) < n; k = child) {
        if (child + 1 < n && is_better(&heap[child], &heap[child + 1]))
            child++;
        if (!is_better(&moved, &heap[child]))
            break;
        heap[k] = heap[child];
    }
    heap[k] = moved;
}

/* The best candidates, best first, into t->best; clears them all. Returns how many there are. */
static size_t take_best(struct stoa_fsst_trainer *t)
{
    size_t n = 0;

    for (size_t k = 0; k < t->nused; k++) {
        struct candidate *candidate = &t->candidates[t->used[k]];

        if (n < NBEST) {
            t->best[n++] = *candidate;
            for (size_t i = n == NBEST ? NBEST / 2 : 0; i-- > 0;)
                sift(t->best, NBEST, i);
        } else if (is_better(candidate, &t->best[0])) {
            t->best[0] = *candidate;
            sift(t->best, NBEST, 0);
        }
        candidate->gain = 0;
    }
    t->nused = 0;
    if (n < NBEST)
        for (size_t i = n / 2; i-- > 0;)
            sift(t->best, n, i);
    for (size_t left = n; left > 1; left--) { /* the worst goes behind the others */
        struct candidate worst = t->best[0];

        t->best[0] = t->best[left - 1];
        t->best[left - 1] = worst;
        sift(t->best, left - 1, 0);
    }
    return n;
}

/* Symbols out of candidates: the best ones that the matcher can tell apart. */
static void choose(struct stoa_fsst_trainer *t)
{
    struct stoa_fsst_symbols *symbols = &t->symbols;
    size_t n = take_best(t);

    matcher_clear_slots(&t->matcher);
    symbols->count = 0;
    for (size_t k = 0; k < n && symbols->count < STOA_FSST_MAX_NSYMBOLS; k++) {
        const struct candidate *best = &t->best[k];

        if (!matcher_take_slot(&t->matcher, best->word, best->nbytes))
            continue;
        symbols->words[symbols->count] = best->word;
        symbols->nbytes[symbols->count++] = (uint8_t)best->nbytes;
    }
    matcher_set(&t->matcher, symbols);
}

/* In the order in which a page stores them: by length, and of one length the better ones first. */
static void sort_by_length(struct stoa_fsst_symbols *symbols)
{
    struct stoa_fsst_symbols sorted = {0};

    for (unsigned nbytes = 1; nbytes <= STOA_FSST_SYMBOL_NBYTES; nbytes++) {
        for (unsigned code = 0; code < symbols->count; code++) {
            if (symbols->nbytes[code] != nbytes)
                continue;
            sorted.words[sorted.count] = symbols->words[code];
            sorted.nbytes[sorted.count++] = (uint8_t)nbytes;
        }
    }
    *symbols = sorted;
}

const struct stoa_fsst_symbols *stoa_fsst_train(struct stoa_fsst_trainer *t,
                                                const struct stoa_vector *values)
{
    static const uint8_t parts[NROUNDS] = {8, 38, 68, 98, WHOLE};

    take_sample(t, values);
    t->symbols = (struct stoa_fsst_symbols){0};
    matcher_set(&t->matcher, &t->symbols);
    for (unsigned k = 0; k < NROUNDS; k++) {
        count_sample(t, parts[k]);
        collect(t, parts[k]);
        choose(t);
    }
    sort_by_length(&t->symbols);
    matcher_set(&t->matcher, &t->symbols);
    return &t->symbols;
}

/* ---- Encoding. ---- */

size_t stoa_fsst_encode(const struct stoa_fsst_trainer *trainer, const uint8_t *text, size_t nbytes,
                        const uint8_t *text_end, uint8_t *out)
{
    const struct matcher *matcher = &trainer->matcher;
    const uint8_t *end = text + nbytes;
    uint8_t *begin = out;

    while (text < end) {
        size_t left = (size_t)(end - text);
        uint32_t match = left >= 8 ? find(matcher, stoa_load64(text))
                                   : find_in_rest(matcher, load_rest(text, left, text_end), left);

        out[0] = (uint8_t)match;
        out[1] = text[0]; /* counts behind an escape alone */
        out += 1 + (match >> 12);
        text += match >> 8 & 15;
    }
    return (size_t)(out - begin);
}

/*
 * Where a code begins is known only when the one before is found, so a value alone leaves most of a
 * processor idle. The values are cut into as many parts as there are lanes, which take turns; each
 * writes to where its codes are in any case, and what is between them is closed afterwards.
 */
enum { NLANES = 4 };

struct lane {
    const uint8_t *text, *end; /* what is left of its value */
    uint8_t *out, *begin;
    size_t value, last; /* values [value, last) are left */
};

/* What the lanes have in common. */
struct lanes {
    const struct matcher *matcher;
    const struct stoa_vector *values;
    size_t block_nvalues;
    uint32_t *ends;
};

/* Goes on to a value that is not empty; false when the lane has none. */
static inline bool lane_next(const struct lanes *all, struct lane *lane)
{
    while (lane->text == lane->end) {
        if ((lane->value + 1) % all->block_nvalues == 0)
            all->ends[lane->value / all->block_nvalues] = (uint32_t)(lane->out - lane->begin);
        if (++lane->value >= lane->last)
            return false;
        lane->end = all->values->values + all->values->offsets[lane->value + 1];
    }
    return true;
}

/*
 * One code; false behind the last one. Eight bytes from the text on can be read. What is written
 * could be anything to the compiler, so all is read before.
 */
static inline bool lane_step(const struct matcher *matcher, const struct lanes *all,
                             struct lane *lane)
{
    const uint8_t *text = lane->text, *end = lane->end;
    uint8_t *out = lane->out;
    const size_t left = (size_t)(end - text);
    const unsigned shift = left < 8 ? 64 - 8 * (unsigned)left : 0;
    const uint64_t x = stoa_load64(text) << shift >> shift;
    uint32_t match = find(matcher, x);

    if (__builtin_expect((match >> 8 & 15) > left, 0)) /* zeros that are not of the text */
        match = find_in_rest(matcher, x, left);
    out[0] = (uint8_t)match;
    out[1] = (uint8_t)x;
    lane->out = out + 1 + (match >> 12);
    lane->text = text += match >> 8 & 15;
    return text < end || lane_next(all, lane);
}

static bool lane_init(const struct lanes *all, struct lane *lane, size_t first, size_t last,
                      uint8_t *out)
{
    const int32_t *offsets = all->values->offsets;

    *lane = (struct lane){
        .text = all->values->values + offsets[first],
        .end = all->values->values + offsets[first + 1],
        .out = out + 2 * (size_t)(offsets[first] - offsets[0]),
        .value = first,
        .last = last,
    };
    lane->begin = lane->out;
    return lane_next(all, lane);
}

/* Values [0, n), n at least NLANES, with eight bytes behind them that can be read. */
static size_t encode_lanes(const struct lanes *all, size_t n, uint8_t *out)
{
    const struct matcher *matcher = all->matcher;
    struct lane lanes[NLANES];
    bool more[NLANES], all_have = true;
    size_t at = 0;

    for (size_t k = 0; k < NLANES; k++) {
        more[k] = lane_init(all, &lanes[k], n * k / NLANES, n * (k + 1) / NLANES, out);
        all_have = all_have && more[k];
    }
    while (all_have) {
        more[0] = lane_step(matcher, all, &lanes[0]);
        more[1] = lane_step(matcher, all, &lanes[1]);
        more[2] = lane_step(matcher, all, &lanes[2]);
        more[3] = lane_step(matcher, all, &lanes[3]);
        all_have = more[0] & more[1] & more[2] & more[3];
    }
    for (size_t k = 0; k < NLANES; k++) {
        const struct lane *lane = &lanes[k];
        size_t block = n * k / NLANES / all->block_nvalues;

        while (more[k])
            more[k] = lane_step(matcher, all, &lanes[k]);
        for (; (block + 1) * all->block_nvalues <= lane->last; block++)
            all->ends[block] += (uint32_t)at;
        memmove(out + at, lane->begin, (size_t)(lane->out - lane->begin));
        at += (size_t)(lane->out - lane->begin);
    }
    return at;
}

size_t stoa_fsst_encode_blocks(const struct stoa_fsst_trainer *trainer,
                               const struct stoa_vector *values, size_t block_nvalues,
                               uint32_t *ends, uint8_t *out)
{
    const struct lanes all = {&trainer->matcher, values, block_nvalues, ends};
    const int32_t *offsets = values->offsets;
    const uint8_t *text_end = values->values + offsets[values->nvalues];
    size_t n = values->nvalues, nfast = n, at = 0;

    while (nfast > 0 && offsets[n] - offsets[nfast] < 8)
        nfast--;
    if (nfast < NLANES)
        nfast = 0;
    if (nfast > 0)
        at = encode_lanes(&all, nfast, out);
    for (size_t i = nfast; i < n; i++) {
        at += stoa_fsst_encode(trainer, values->values + offsets[i],
                               (size_t)(offsets[i + 1] - offsets[i]), text_end, out + at);
        if ((i + 1) % block_nvalues == 0 || i + 1 == n)
            ends[i / block_nvalues] = (uint32_t)at;
    }
    return at;
}
