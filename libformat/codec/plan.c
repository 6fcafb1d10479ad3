/*
 * Plans: printing them, checking them against the table of encodings, listing all there are.
 */
#include <string.h>

#include "codec/node.h"

struct text {
    char *out;
    size_t nbytes;
    size_t room;
};

static void put(struct text *text, const char *word)
{
    size_t n = strlen(word), left = text->room - 1 - text->nbytes;

    n = n < left ? n : left;
    memcpy(text->out + text->nbytes, word, n);
    text->nbytes += n;
    text->out[text->nbytes] = '\0';
}

static unsigned nchildren_of(const struct stoa_plan_node *node)
{
    return stoa_encoding_nchildren(stoa_encoding_find(node->encoding), node->phys);
}

static void print(struct text *text, const struct stoa_plan_node *node)
{
    unsigned nchildren = nchildren_of(node);

    put(text, stoa_encoding_name(node->encoding));
    if (node->compress)
        put(text, "+zstd");
    for (unsigned c = 0; c < nchildren; c++) {
        put(text, c == 0 ? "(" : ",");
        print(text, stoa_plan_child(node, c));
    }
    if (nchildren > 0)
        put(text, ")");
}

const char *stoa_plan_print(const struct stoa_plan *plan, char out[128])
{
    struct text text = {out, 0, 128};

    out[0] = '\0';
    if (plan->nnodes > 0)
        print(&text, plan->nodes);
    return out;
}

/* Takes the subtree at *next as page_decode.c takes one from a page; false if it is not allowed. */
static bool take(const struct stoa_plan *plan, unsigned *next, unsigned role, unsigned depth,
                 uint32_t above)
{
    unsigned k = *next;
    const struct stoa_plan_node *node = &plan->nodes[k];
    const struct stoa_encoding *encoding;

    if (k >= plan->nnodes || k >= STOA_PLAN_MAX_NODES || depth > STOA_PAGE_MAX_DEPTH)
        return false;
    encoding = stoa_encoding_find(node->encoding);
    if (encoding == NULL || !stoa_encoding_may_be(encoding, role, node->phys))
        return false;
    if (node->encoding != STOA_PLAIN && (above >> node->encoding & 1) != 0)
        return false;
    ++*next;
    for (unsigned c = 0; c < stoa_encoding_nchildren(encoding, node->phys); c++) {
        const struct stoa_child *rule = &encoding->children[c];
        unsigned at = *next;

        if (!take(plan, next, rule->role, depth + 1, above | UINT32_C(1) << node->encoding) ||
            !stoa_child_phys_fits((enum stoa_child_phys)rule->phys, node->phys,
                                  plan->nodes[at].phys))
            return false;
    }
    return true;
}

bool stoa_plan_is_allowed(const struct stoa_plan *plan, enum stoa_phys phys)
{
    struct stoa_plan copy = *plan;
    unsigned next = 0;

    if (plan->nnodes == 0 || plan->nnodes > STOA_PLAN_MAX_NODES)
        return false;
    if (plan->nodes[0].encoding == STOA_DICT)
        copy.nodes[0].phys = (uint8_t)phys;
    return copy.nodes[0].phys == phys && take(&copy, &next, STOA_ROLE_ROOT, 0, 0) &&
           next == copy.nnodes;
}

static const struct stoa_encoding *parse_name(const char **text, unsigned *encoding)
{
    size_t n = strcspn(*text, "+(,)");

    for (*encoding = 0; *encoding < STOA_ENCODING_END; ++*encoding) {
        const char *name = stoa_encoding_name(*encoding);

        if (name == NULL || strlen(name) != n || memcmp(name, *text, n) != 0)
            continue;
        *text += n;
        return stoa_encoding_find(*encoding);
    }
    return NULL;
}

static bool accept(const char **text, const char *word)
{
    size_t n = strlen(word);

    if (strncmp(*text, word, n) != 0)
        return false;
    *text += n;
    return true;
}

/* The type of a child in a plan; the least that it may be. */
static unsigned child_phys(enum stoa_child_phys rule, unsigned parent)
{
    unsigned phys = STOA_PHYS_I8;

    if (rule == STOA_CHILD_SAME)
        return parent;
    while (!stoa_child_phys_fits(rule, parent, phys) && phys < STOA_PHYS_BYTES)
        phys++;
    return phys;
}

static bool parse(const char **text, unsigned phys, struct stoa_plan *out)
{
    unsigned encoding;
    const struct stoa_encoding *e = parse_name(text, &encoding);
    struct stoa_plan_node *node = &out->nodes[out->nnodes];

    if (e == NULL || out->nnodes == STOA_PLAN_MAX_NODES)
        return false;
    out->nnodes++;
    *node = (struct stoa_plan_node){(uint8_t)encoding, (uint8_t)phys, accept(text, "+zstd")};
    for (unsigned c = 0, n = stoa_encoding_nchildren(e, phys); c < n; c++) {
        unsigned child = child_phys((enum stoa_child_phys)e->children[c].phys, phys);

        if (!accept(text, c == 0 ? "(" : ",") || !parse(text, child, out) ||
            (c + 1 == n && !accept(text, ")")))
            return false;
    }
    return true;
}

bool stoa_plan_parse(const char *text, enum stoa_phys phys, struct stoa_plan *out)
{
    *out = (struct stoa_plan){0};
    return parse(&text, phys, out) && *text == '\0' && stoa_plan_is_allowed(out, phys);
}

/*
 * Listing: a plan grows node by node. `open` are the places that still want a subtree, the next one
 * last; when none is left, the plan is complete.
 */
struct place {
    uint8_t role;
    uint8_t depth;
    uint8_t phys;
    uint8_t child_phys; /* enum stoa_child_phys */
    uint32_t above;
};

struct listing {
    void (*visit)(void *context, const struct stoa_plan *plan);
    void *context;
    struct stoa_plan plan;
};

static void visit(struct listing *list)
{
    for (int compress = 0; compress <= 1; compress++) {
        for (unsigned k = 0; k < list->plan.nnodes; k++)
            list->plan.nodes[k].compress = compress == 1;
        list->visit(list->context, &list->plan);
    }
}

static void grow(struct listing *list, const struct place *open, unsigned nopen);

/* Puts an encoding of `phys` in the last open place, then goes on with its children and others. */
static void put_node(struct listing *list, const struct place *open, unsigned nopen,
                     unsigned encoding, unsigned phys)
{
    const struct place *here = &open[nopen - 1];
    const struct stoa_encoding *e = stoa_encoding_find(encoding);
    unsigned nchildren = stoa_encoding_nchildren(e, phys);
    struct place next[STOA_PLAN_MAX_NODES];

    memcpy(next, open, (nopen - 1) * sizeof(*open));
    for (unsigned c = 0; c < nchildren; c++) {
        next[nopen - 1 + nchildren - 1 - c] = (struct place){
            .role = e->children[c].role,
            .depth = (uint8_t)(here->depth + 1),
            .phys = (uint8_t)phys,
            .child_phys = e->children[c].phys,
            .above = here->above | UINT32_C(1) << encoding,
        };
    }
    list->plan.nodes[list->plan.nnodes++] =
        (struct stoa_plan_node){(uint8_t)encoding, (uint8_t)phys, false};
    grow(list, next, nopen - 1 + nchildren);
    list->plan.nnodes--;
}

static void grow(struct listing *list, const struct place *open, unsigned nopen)
{
    const struct place *here = nopen > 0 ? &open[nopen - 1] : NULL;

    if (nopen == 0) {
        visit(list);
        return;
    }
    if (here->depth > STOA_PAGE_MAX_DEPTH || list->plan.nnodes + nopen > STOA_PLAN_MAX_NODES)
        return;
    for (unsigned encoding = 0; encoding < STOA_ENCODING_END; encoding++) {
        const struct stoa_encoding *e = stoa_encoding_find(encoding);

        if (e == NULL || e->is_derived ||
            (encoding != STOA_PLAIN && (here->above >> encoding & 1) != 0))
            continue;
        for (unsigned phys = STOA_PHYS_I8; phys <= STOA_PHYS_I256; phys++) {
            if (stoa_child_phys_fits((enum stoa_child_phys)here->child_phys, here->phys, phys) &&
                stoa_encoding_may_be(e, here->role, phys))
                put_node(list, open, nopen, encoding, phys);
        }
    }
}

void stoa_plan_each(enum stoa_phys phys, void (*visit_plan)(void *, const struct stoa_plan *),
                    void *context)
{
    struct listing list = {.visit = visit_plan, .context = context};
    struct place root = {
        .role = STOA_ROLE_ROOT, .phys = (uint8_t)phys, .child_phys = STOA_CHILD_SAME};

    grow(&list, &root, 1);
}
