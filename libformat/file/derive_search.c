/*
 * Looking for relations between columns in a sample (derive.h).
 *
 *     rows      | 64 .. | 64 .. | 64 .. |   eight places, far from each other
 *     target      c c c   c c c   c c c
 *     - a - b     0 0 0   0 1 0   0 0 0     what is left takes few bits: LINEAR
 *     by (a, b)   1 2 1   2 2 1             equal keys have equal values: LOOKUP
 *
 * Multipliers are 1 and -1, and those that rows taken from different places agree on. Consecutive
 * rows say what a residual costs, since a block is packed by its range. A pair of columns is left
 * at the first place that speaks against it.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/error.h"
#include "codec/kernels.h"
#include "file/derive.h"

enum {
    NPLACES = 8,
    PLACE_NROWS = 64,
    LOOKUP_NROWS = 256, /* of a place, for keys */
    SAMPLE_NROWS = NPLACES * PLACE_NROWS,
    NSLOTS = 4096, /* twice the keys of a sample */

    KEPT_LINEAR = 2, /* candidates of a target */
    KEPT_LOOKUP = 1,

    BIT = 16,           /* a bit in ranks */
    MIN_COST = BIT / 4, /* a target of fewer bits a value has nothing to give */

    /* What may be compared: values of all pairs, of all triples. */
    MAX_NPAIR_VALUES = 1 << 22,
    MAX_NTRIPLE_VALUES = 1 << 23,
    MAX_NLOOKUP_VALUES = 1 << 21,
};

/* A column that may be a target or a base. */
struct side {
    uint32_t node;
    const struct stoa_group_node *values;
    uint64_t words[SAMPLE_NROWS];
    uint64_t valid[NPLACES]; /* bit i: row i of the place is not null */
    uint32_t cost;           /* of a value as planned, in 1/BIT bits */
    bool is_target;
    bool has_words;
    bool has_codes; /* few distinct values, whose codes are known */
};

struct kept {
    struct stoa_derive_candidate items[KEPT_LINEAR > KEPT_LOOKUP ? KEPT_LINEAR : KEPT_LOOKUP];
    unsigned count, max;
};

struct slot {
    uint64_t key;
    uint64_t value;
    uint32_t used; /* the number of the test that put it there */
};

struct search {
    const struct stoa_writer_group *group;
    struct side *sides;
    uint32_t nsides;
    uint32_t ntargets, nwords, ncodes;
    struct slot *slots;
    uint32_t ntests;
};

/* ---- The sample ---- */

static size_t place_begin(const struct search *search, unsigned place, size_t nrows)
{
    return (search->group->nrows - nrows) / (NPLACES - 1) * place;
}

static uint32_t cost_of(const struct stoa_chunk_plan *plan)
{
    uint64_t nbytes = plan->mode == STOA_CHUNK_LOCAL ? plan->codes.nbytes + plan->entries_nbytes
                                                     : plan->plain.nbytes;

    return plan->nvalues == 0 ? 0 : (uint32_t)(nbytes * 8 * BIT / plan->nvalues);
}

/* Fills in a side; false when the column can neither be a target nor a base. */
static bool make_side(const struct search *search, const struct stoa_type *type, uint32_t node,
                      struct side *side)
{
    const struct stoa_group_node *values = &search->group->nodes[node];
    enum stoa_base_kind kind = stoa_base_kind(type);
    uint32_t ncodes = 0;

    if (kind == STOA_BASE_UNFIT || values->values.all_null)
        return false;
    if (values->distinct.set != NULL)
        ncodes = stoa_distinct_count(values->distinct.set);
    side->node = node;
    side->values = values;
    side->has_codes = ncodes > 1 && ncodes <= stoa_derive_max_ncodes(search->group->nrows);
    side->has_words = kind == STOA_BASE_WORDS;
    side->cost = cost_of(&values->chosen);
    side->is_target = side->has_words && values->values.phys >= STOA_PHYS_I8 &&
                      values->values.phys <= STOA_PHYS_U64 && side->cost >= MIN_COST;
    for (unsigned p = 0; side->has_words && p < NPLACES; p++) {
        size_t begin = place_begin(search, p, PLACE_NROWS);

        stoa_base_words(type, &values->array, begin, begin + PLACE_NROWS,
                        side->words + p * PLACE_NROWS);
        side->valid[p] = UINT64_MAX;
        for (size_t i = 0; values->array.nnulls > 0 && i < PLACE_NROWS; i++)
            if (!stoa_bitmap_get(values->array.validity, begin + i))
                side->valid[p] &= ~(UINT64_C(1) << i);
    }
    return side->has_words || side->has_codes;
}

/* ---- LINEAR ---- */

/* A target and one base or two with multipliers. */
struct linear {
    const struct side *target;
    const struct side *bases[STOA_NBASES];
    uint64_t multipliers[STOA_NBASES];
};

static void residuals_at(const struct linear *linear, unsigned place, uint64_t *out)
{
    size_t at = (size_t)place * PLACE_NROWS;
    const uint64_t *target = linear->target->words + at, *a = linear->bases[0]->words + at;
    const uint64_t m = linear->multipliers[0], n = linear->multipliers[1];

    for (size_t i = 0; i < PLACE_NROWS; i++)
        out[i] = target[i] - m * a[i];
    if (linear->bases[1] == NULL)
        return;
    a = linear->bases[1]->words + at;
    for (size_t i = 0; i < PLACE_NROWS; i++)
        out[i] -= n * a[i];
}

static uint32_t nbits(uint64_t x)
{
    return x == 0 ? 0 : 64 - (uint32_t)__builtin_clzll(x);
}

/*
 * What the valid ones of 64 numbers take, in 1/BIT bits each: their range, or the most frequent one
 * with the others as exceptions.
 */
static uint32_t cost_at(const uint64_t *x, uint64_t valid)
{
    uint64_t min = 0, max = 0, first, top;
    uint32_t n = (uint32_t)__builtin_popcountll(valid), nvotes = 0, nothers = 0, packed, sparse;

    if (n == 0)
        return 0;
    top = first = x[__builtin_ctzll(valid)];
    for (uint64_t left = valid; left != 0; left &= left - 1) {
        uint64_t value = x[__builtin_ctzll(left)];
        int64_t distance = (int64_t)(value - first);

        min = distance < (int64_t)min ? (uint64_t)distance : min;
        max = distance > (int64_t)max ? (uint64_t)distance : max;
        top = nvotes == 0 ? value : top;
        nvotes += value == top ? 1 : UINT32_MAX;
    }
    for (uint64_t left = valid; left != 0; left &= left - 1)
        nothers += x[__builtin_ctzll(left)] != top;
    packed = nbits(max - min) * BIT;
    sparse = (packed + 8 * BIT) * nothers / n;
    return packed < sparse ? packed : sparse;
}

/* The cost of the residuals in 1/BIT bits, or UINT32_MAX as soon as they are no gain. */
static uint32_t cost_of_linear(const struct linear *linear)
{
    const struct side *target = linear->target;
    uint32_t cost = 0, bar = target->cost - target->cost / 8;

    for (unsigned p = 0; p < NPLACES; p++) {
        uint64_t residuals[PLACE_NROWS];

        residuals_at(linear, p, residuals);
        cost += cost_at(residuals, target->valid[p]);
        if (cost > (bar + BIT) * (p + 1))
            return UINT32_MAX;
    }
    return cost / NPLACES < bar ? cost / NPLACES : UINT32_MAX;
}

/* Keeps the candidates of least rank, of equals those that came first. */
static void keep(struct kept *kept, const struct stoa_derive_candidate *candidate)
{
    unsigned at = kept->count;

    if (candidate->rank == UINT32_MAX)
        return;
    while (at > 0 && candidate->rank < kept->items[at - 1].rank)
        at--;
    if (at == kept->max)
        return;
    kept->count += kept->count < kept->max;
    memmove(kept->items + at + 1, kept->items + at,
            (kept->count - at - 1) * sizeof(kept->items[0]));
    kept->items[at] = *candidate;
}

static void keep_linear(struct kept *kept, const struct linear *linear)
{
    struct stoa_derive_candidate candidate = {.target = linear->target->node,
                                              .rank = cost_of_linear(linear)};

    for (unsigned k = 0; k < STOA_NBASES; k++) {
        candidate.relation.multipliers[k] = linear->multipliers[k];
        candidate.relation.nodes[k] =
            linear->bases[k] != NULL ? linear->bases[k]->node : (uint32_t)STOA_BASE_NONE;
    }
    keep(kept, &candidate);
}

/* The difference of a column between rows of two places; false when it is none to divide by. */
static bool difference(const struct side *side, unsigned place, unsigned step, int64_t *out)
{
    const int64_t most = INT64_C(1) << 30; /* products and their differences fit */
    unsigned other = (place + step) % NPLACES;
    size_t i = place * (size_t)PLACE_NROWS + place * 7, k = other * (size_t)PLACE_NROWS + place * 5;

    if (!(side->valid[place] >> place * 7 & 1) || !(side->valid[other] >> place * 5 & 1))
        return false;
    *out = (int64_t)(side->words[k] - side->words[i]);
    return *out <= most && *out >= -most;
}

/* How many votes a solution has, and whether it is worth a look. */
struct ballot {
    int64_t solutions[NPLACES][STOA_NBASES];
    unsigned count;
};

static bool elect(const struct ballot *ballot, int64_t *out)
{
    unsigned most = 0, best = 0;

    for (unsigned i = 0; i < ballot->count; i++) {
        unsigned n = 0;

        for (unsigned k = 0; k < ballot->count; k++)
            n += memcmp(ballot->solutions[i], ballot->solutions[k], sizeof(ballot->solutions[i])) ==
                 0;
        if (n > most) {
            most = n;
            best = i;
        }
    }
    if (most < 3)
        return false;
    memcpy(out, ballot->solutions[best], sizeof(ballot->solutions[best]));
    return true;
}

/* The multiplier that differences of rows agree on. */
static bool solve_pair(const struct side *target, const struct side *base, int64_t *out)
{
    struct ballot ballot = {.count = 0};

    for (unsigned p = 0; p < NPLACES; p++) {
        int64_t c, a;

        if (difference(target, p, 3, &c) && difference(base, p, 3, &a) && a != 0 && c % a == 0)
            ballot.solutions[ballot.count++][0] = c / a;
    }
    return elect(&ballot, out) && out[0] != 0;
}

static bool solve_triple(const struct side *target, const struct side *a, const struct side *b,
                         int64_t *out)
{
    struct ballot ballot = {.count = 0};

    for (unsigned p = 0; p < NPLACES; p++) {
        int64_t c1, c2, a1, a2, b1, b2, d, x, y;

        if (!difference(target, p, 3, &c1) || !difference(target, p, 5, &c2) ||
            !difference(a, p, 3, &a1) || !difference(a, p, 5, &a2) || !difference(b, p, 3, &b1) ||
            !difference(b, p, 5, &b2))
            continue;
        d = a1 * b2 - a2 * b1;
        x = c1 * b2 - c2 * b1;
        y = a1 * c2 - a2 * c1;
        if (d == 0 || x % d != 0 || y % d != 0)
            continue;
        ballot.solutions[ballot.count][0] = x / d;
        ballot.solutions[ballot.count++][1] = y / d;
    }
    return elect(&ballot, out) && out[0] != 0 && out[1] != 0;
}

static void try_pair(struct kept *kept, const struct side *target, const struct side *base)
{
    struct linear linear = {.target = target, .bases = {base}, .multipliers = {1}};
    int64_t solution[STOA_NBASES];

    keep_linear(kept, &linear);
    if (solve_pair(target, base, solution) && solution[0] != 1) {
        linear.multipliers[0] = (uint64_t)solution[0];
        keep_linear(kept, &linear);
    }
}

static void try_triple(struct kept *kept, const struct side *target, const struct side *a,
                       const struct side *b)
{
    static const int64_t usual[][STOA_NBASES] = {{1, 1}, {1, -1}, {-1, 1}};
    struct linear linear = {.target = target, .bases = {a, b}};
    int64_t solution[STOA_NBASES];
    bool known = false;

    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
        linear.multipliers[0] = (uint64_t)usual[i][0];
        linear.multipliers[1] = (uint64_t)usual[i][1];
        keep_linear(kept, &linear);
    }
    if (!solve_triple(target, a, b, solution))
        return;
    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
        known |= memcmp(solution, usual[i], sizeof(solution)) == 0;
    linear.multipliers[0] = (uint64_t)solution[0];
    linear.multipliers[1] = (uint64_t)solution[1];
    if (!known)
        keep_linear(kept, &linear);
}

/* ---- LOOKUP ---- */

static struct slot *find_slot(struct search *search, uint64_t key)
{
    size_t at = (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 40) % NSLOTS;

    while (search->slots[at].used == search->ntests && search->slots[at].key != key)
        at = (at + 1) % NSLOTS;
    return &search->slots[at];
}

/* The code of a row, one of its own for null, where distinct.codes has that of the row before. */
static inline uint64_t code_of(const struct side *side, size_t i)
{
    const struct stoa_array *array = &side->values->array;

    if (array->nnulls > 0 && !stoa_bitmap_get(array->validity, i))
        return UINT32_MAX;
    return side->values->distinct.codes[i];
}

/*
 * How badly the bases determine the target, UINT32_MAX: not at all. Rows of keys that were met
 * before tell; the others are counted, because each costs a value.
 */
static uint32_t rank_of_lookup(struct search *search, const struct side *target,
                               const struct side *a, const struct side *b)
{
    const struct stoa_vector *values = &target->values->values.physical.vector;
    const struct stoa_array *array = &target->values->array;
    uint32_t nrepeats = 0, nwrong = 0, nkeys = 0;

    search->ntests++;
    for (unsigned p = 0; p < NPLACES; p++) {
        size_t begin = place_begin(search, p, LOOKUP_NROWS);

        for (size_t i = begin; i < begin + LOOKUP_NROWS; i++) {
            uint64_t value = stoa_get(values->values, i, values->width);
            uint64_t key = code_of(a, i) << 32 | (b != NULL ? code_of(b, i) : 0);
            struct slot *slot = find_slot(search, key);

            if (array->nnulls > 0 && !stoa_bitmap_get(array->validity, i))
                continue;
            if (slot->used == search->ntests) {
                nrepeats++;
                nwrong += slot->value != value;
                continue;
            }
            slot->used = search->ntests;
            slot->key = key;
            slot->value = value;
            nkeys++;
        }
        if (nrepeats >= 16 && nwrong * 4 > nrepeats)
            return UINT32_MAX;
    }
    return nrepeats >= 64 ? nwrong * 8 + nkeys : UINT32_MAX;
}

static uint32_t keep_lookup(struct search *search, struct kept *kept, const struct side *target,
                            const struct side *a, const struct side *b)
{
    struct stoa_derive_candidate candidate = {
        .target = target->node,
        .rank = rank_of_lookup(search, target, a, b),
        .relation = {.looks_up = true,
                     .nodes = {a->node, b != NULL ? b->node : (uint32_t)STOA_BASE_NONE}},
    };

    keep(kept, &candidate);
    return candidate.rank;
}

/* ---- All of them ---- */

/*
 * How far away from a target bases are looked for, so that not more values than `most` are
 * compared: `cost` for each pair, or for each triple.
 */
static uint32_t window(uint64_t ntargets, uint64_t nbases, unsigned arity, uint64_t cost,
                       uint64_t most)
{
    uint64_t width = nbases;

    while (width > 1 && ntargets * cost * (arity == 1 ? 2 * width : 2 * width * width) > most)
        width -= (width + 7) / 8;
    return (uint32_t)width;
}

static bool is_near(uint32_t target, uint32_t base, uint32_t width)
{
    return base != target && (base > target ? base - target : target - base) <= width;
}

static void search_linear(struct search *search, uint32_t t, uint32_t pairs, uint32_t triples,
                          struct kept *kept)
{
    const struct side *sides = search->sides, *target = &sides[t];

    for (uint32_t a = 0; a < search->nsides; a++) {
        if (!sides[a].has_words)
            continue;
        if (is_near(t, a, pairs))
            try_pair(kept, target, &sides[a]);
        for (uint32_t b = a + 1; is_near(t, a, triples) && b < search->nsides; b++)
            if (sides[b].has_words && is_near(t, b, triples))
                try_triple(kept, target, &sides[a], &sides[b]);
    }
}

static void search_lookup(struct search *search, uint32_t t, uint32_t width, struct kept *kept)
{
    const struct side *sides = search->sides, *target = &sides[t];
    bool found = false;

    for (uint32_t a = 0; a < search->nsides; a++)
        if (sides[a].has_codes && is_near(t, a, width))
            found |= keep_lookup(search, kept, target, &sides[a], NULL) != UINT32_MAX;
    for (uint32_t a = 0; !found && a < search->nsides; a++)
        for (uint32_t b = a + 1; sides[a].has_codes && is_near(t, a, width) && b < search->nsides;
             b++)
            if (sides[b].has_codes && is_near(t, b, width))
                (void)keep_lookup(search, kept, target, &sides[a], &sides[b]);
}

static enum stoa_status add_kept(struct stoa_derive_candidates *out, const struct kept *kept,
                                 struct stoa_error *err)
{
    enum stoa_status st = stoa_reserve(&out->items, &out->capacity, out->nitems + kept->count,
                                       sizeof(out->items[0]), err);

    if (st == STOA_OK && kept->count > 0)
        memcpy(out->items + out->nitems, kept->items, kept->count * sizeof(out->items[0]));
    out->nitems += st == STOA_OK ? kept->count : 0;
    return st;
}

static enum stoa_status search_all(struct search *search, struct stoa_derive_candidates *out,
                                   struct stoa_error *err)
{
    const uint64_t n = search->ntargets;
    uint32_t pairs = window(n, search->nwords, 1, 2 * PLACE_NROWS, MAX_NPAIR_VALUES);
    uint32_t triples = window(n, search->nwords, 2, 4 * PLACE_NROWS, MAX_NTRIPLE_VALUES);
    uint32_t lookups = window(n, search->ncodes, 2, LOOKUP_NROWS, MAX_NLOOKUP_VALUES);
    enum stoa_status st = STOA_OK;

    for (uint32_t t = 0; st == STOA_OK && t < search->nsides; t++) {
        struct kept linear = {.max = KEPT_LINEAR}, lookup = {.max = KEPT_LOOKUP};

        if (!search->sides[t].is_target)
            continue;
        search_linear(search, t, pairs, triples, &linear);
        search_lookup(search, t, lookups, &lookup);
        st = add_kept(out, &linear, err);
        if (st == STOA_OK)
            st = add_kept(out, &lookup, err);
    }
    return st;
}

static bool may_be_column(const struct stoa_schema_node *nodes,
                          const struct stoa_writer_group *group, uint32_t i)
{
    return nodes[i].parent == STOA_NO_NODE && nodes[i].nnodes == 1 &&
           stoa_group_number(group, i) < STOA_BASE_NONE;
}

enum stoa_status stoa_derive_search(const struct stoa_rules *rules,
                                    const struct stoa_schema_node *nodes,
                                    const struct stoa_writer_group *group,
                                    struct stoa_derive_candidates *out, struct stoa_error *err)
{
    struct search search = {.group = group};
    uint32_t ncolumns = 0;
    enum stoa_status st = STOA_OK;

    for (uint32_t i = 0; i < group->nnodes; i++)
        ncolumns += may_be_column(nodes, group, i);
    if (group->nrows < rules->derive_min_nrows || group->nrows < LOOKUP_NROWS || ncolumns < 2)
        return STOA_OK;
    STOA_TRY(stoa_alloc_zeroed(&search.sides, ncolumns, sizeof(search.sides[0]), err));
    STOA_TRY(stoa_alloc_zeroed(&search.slots, NSLOTS, sizeof(search.slots[0]), err));
    for (uint32_t i = 0; i < group->nnodes; i++) {
        struct side *side = &search.sides[search.nsides];

        if (!may_be_column(nodes, group, i) || !make_side(&search, &nodes[i].field->type, i, side))
            continue;
        search.nsides++;
        search.ntargets += side->is_target;
        search.nwords += side->has_words;
        search.ncodes += side->has_codes;
    }
    STOA_TRY(search_all(&search, out, err));
out:
    stoa_free(search.sides);
    stoa_free(search.slots);
    return st;
}
