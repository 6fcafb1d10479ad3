/*
 * stoa info: what is in a Stoa file and where its bytes are.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "json_out.h"
#include "table.h"

/* How many pages of a node have an encoding. */
struct encoding_count {
    char name[128];
    uint64_t npages;
};

#define MAX_NENCODINGS 16

/* A column or a part of one. */
struct node_info {
    const struct stoa_field *field;
    char *path;      /* "a.b" of node b below column a */
    uint32_t nnodes; /* with all that is below it */
    uint64_t nbytes; /* chunks */
    uint64_t dictionary_nbytes;
    uint64_t nvalues;
    uint64_t nnulls;
    struct encoding_count encodings[MAX_NENCODINGS];
    size_t nencodings;
    uint32_t *bases; /* nodes that it is derived from in some row group */
    uint32_t nbases;
};

struct info {
    const char *path;
    struct open_file file;
    const struct stoa_schema *schema;
    char *order; /* of the rows, as --sort-by has it; NULL: none is known */
    struct node_info *nodes;
    uint32_t nnodes;
    uint64_t kinds[STOA_SPAN_NKINDS];
};

static const char *const kind_names[STOA_SPAN_NKINDS] = {
    [STOA_SPAN_HEADER] = "headers",        [STOA_SPAN_SCHEMA] = "schema",
    [STOA_SPAN_DICTIONARY] = "dictionary", [STOA_SPAN_DIRECTORY] = "directory",
    [STOA_SPAN_CHUNK] = "chunks",          [STOA_SPAN_FOOTER] = "footer",
    [STOA_SPAN_STATISTICS] = "statistics", [STOA_SPAN_TEXT] = "source text",
    [STOA_SPAN_PRESENCE] = "presence",     [STOA_SPAN_BLOOM] = "bloom filters",
    [STOA_SPAN_PADDING] = "padding",
};

static enum stoa_status add_span(void *context, const struct stoa_span *span,
                                 struct stoa_error *err)
{
    struct info *info = context;

    (void)err;
    info->kinds[span->kind] += span->nbytes;
    if (span->node != UINT32_MAX && span->kind == STOA_SPAN_CHUNK)
        info->nodes[span->node].nbytes += span->nbytes;
    if (span->node != UINT32_MAX && span->kind == STOA_SPAN_DICTIONARY)
        info->nodes[span->node].dictionary_nbytes += span->nbytes;
    return STOA_OK;
}

static enum stoa_status add_encoding(void *context, const char *name, uint32_t npages,
                                     struct stoa_error *err)
{
    struct node_info *node = context;
    size_t i = 0;

    (void)err;
    while (i < node->nencodings && strcmp(node->encodings[i].name, name) != 0)
        i++;
    if (i == MAX_NENCODINGS) { /* the rest together */
        i = MAX_NENCODINGS - 1;
        name = "others";
    }
    snprintf(node->encodings[i].name, sizeof(node->encodings[i].name), "%s", name);
    node->encodings[i].npages += npages;
    if (i == node->nencodings)
        node->nencodings++;
    return STOA_OK;
}

static int more_pages(const void *a, const void *b)
{
    const struct encoding_count *x = a, *y = b;

    return x->npages != y->npages ? (x->npages < y->npages ? 1 : -1) : strcmp(x->name, y->name);
}

/* Fields and all that is below them, depth first. */
static bool name_nodes(struct info *info, const struct stoa_field *fields, uint32_t nfields,
                       const char *above)
{
    for (uint32_t i = 0; i < nfields; i++) {
        uint32_t number = info->nnodes++;
        struct node_info *node = &info->nodes[number];
        size_t nbytes = strlen(above) + strlen(fields[i].name) + 2;

        node->field = &fields[i];
        node->path = malloc(nbytes);
        if (node->path == NULL)
            return false;
        snprintf(node->path, nbytes, "%s%s%s", above, above[0] != '\0' ? "." : "", fields[i].name);
        if (!name_nodes(info, fields[i].children, fields[i].nchildren, node->path))
            return false;
        node->nnodes = info->nnodes - number;
    }
    return true;
}

static enum stoa_status fail_nomem(struct stoa_error *err)
{
    *err = (struct stoa_error){.status = STOA_ERR_NOMEM, .message = "out of memory"};
    return STOA_ERR_NOMEM;
}

static enum stoa_status add_base(struct node_info *node, uint32_t base, struct stoa_error *err)
{
    uint32_t *larger;

    for (uint32_t i = 0; i < node->nbases; i++)
        if (node->bases[i] == base)
            return STOA_OK;
    larger = realloc(node->bases, (node->nbases + (size_t)1) * sizeof(*larger));
    if (larger == NULL)
        return fail_nomem(err);
    node->bases = larger;
    node->bases[node->nbases++] = base;
    return STOA_OK;
}

/* The bases of a chunk, which a damaged file may number as it likes. */
static enum stoa_status add_bases(const struct info *info, struct node_info *node,
                                  const struct stoa_chunk_info *chunk, struct stoa_error *err)
{
    enum stoa_status st = STOA_OK;

    for (size_t k = 0; st == STOA_OK && k < sizeof(chunk->bases) / sizeof(chunk->bases[0]); k++)
        if (chunk->bases[k] < info->nnodes)
            st = add_base(node, chunk->bases[k], err);
    return st;
}

static enum stoa_status gather_node(const struct info *info, uint32_t number,
                                    struct stoa_error *err)
{
    struct stoa_reader *reader = info->file.reader;
    struct node_info *node = &info->nodes[number];
    enum stoa_status st = STOA_OK;

    for (uint32_t g = 0; st == STOA_OK && g < stoa_reader_nrow_groups(reader); g++) {
        struct stoa_chunk_info chunk;

        st = stoa_reader_chunk(reader, g, number, &chunk, err);
        if (st != STOA_OK)
            break;
        node->nvalues += chunk.nvalues;
        node->nnulls += chunk.nnulls;
        st = add_bases(info, node, &chunk, err);
        if (st == STOA_OK)
            st = stoa_reader_encodings(reader, g, number, add_encoding, node, err);
    }
    qsort(node->encodings, node->nencodings, sizeof(node->encodings[0]), more_pages);
    return st;
}

static enum stoa_status gather(struct info *info, struct stoa_error *err)
{
    struct stoa_reader *reader = info->file.reader;
    const struct stoa_sort_order *order;
    enum stoa_status st = stoa_reader_schema(reader, &info->schema, err);

    if (st == STOA_OK)
        st = stoa_reader_order(reader, &order, err);
    if (st == STOA_OK && order->nkeys > 0)
        st = stoa_order_print(order, info->schema, &info->order, err);
    if (st != STOA_OK)
        return st;
    info->nodes = calloc((size_t)stoa_reader_nnodes(reader) + 1, sizeof(*info->nodes));
    if (info->nodes == NULL || !name_nodes(info, info->schema->fields, info->schema->nfields, ""))
        return fail_nomem(err);
    st = stoa_reader_spans(reader, add_span, info, err);
    for (uint32_t i = 0; st == STOA_OK && i < info->nnodes; i++)
        st = gather_node(info, i, err);
    return st;
}

static struct json_t *metadata_json(const struct stoa_metadata *metadata)
{
    struct json_t *out = json_out_object();

    for (uint32_t i = 0; i < metadata->npairs; i++)
        json_out_set(out, metadata->pairs[i].key, json_out_text(metadata->pairs[i].value));
    return out;
}

static struct json_t *encodings_json(const struct node_info *node)
{
    struct json_t *out = json_out_object();

    for (size_t k = 0; k < node->nencodings; k++)
        json_out_set(out, node->encodings[k].name, json_out_count(node->encodings[k].npages));
    return out;
}

static struct json_t *bases_json(const struct info *info, const struct node_info *node)
{
    struct json_t *out = json_out_array();

    for (uint32_t k = 0; k < node->nbases; k++)
        json_out_append(out, json_out_text(info->nodes[node->bases[k]].path));
    return out;
}

static struct json_t *type_json(const struct stoa_field *field)
{
    char *type = NULL;
    struct json_t *out =
        stoa_type_print(field, &type, NULL) == STOA_OK ? json_out_text(type) : NULL;

    stoa_free(type);
    return out;
}

/* One node of a nested column, by itself. */
static struct json_t *node_json(const struct node_info *node)
{
    struct json_t *out = json_out_object();

    json_out_set(out, "path", json_out_text(node->path));
    json_out_set(out, "type", type_json(node->field));
    json_out_set(out, "nullable", json_out_bool(node->field->nullable));
    json_out_set(out, "bytes", json_out_count(node->nbytes + node->dictionary_nbytes));
    json_out_set(out, "dictionary_bytes", json_out_count(node->dictionary_nbytes));
    json_out_set(out, "values", json_out_count(node->nvalues));
    json_out_set(out, "nulls", json_out_count(node->nnulls));
    json_out_set(out, "encodings", encodings_json(node));
    return out;
}

/* A column: bytes are those of all its nodes. */
static struct json_t *column_json(const struct info *info, const struct node_info *node)
{
    struct json_t *out = json_out_object(), *nodes = json_out_array();
    uint64_t nbytes = 0, dictionary_nbytes = 0;

    for (uint32_t i = 0; i < node->nnodes; i++) {
        nbytes += node[i].nbytes + node[i].dictionary_nbytes;
        dictionary_nbytes += node[i].dictionary_nbytes;
        json_out_append(nodes, node_json(&node[i]));
    }
    json_out_set(out, "name", json_out_text(node->field->name));
    json_out_set(out, "type", type_json(node->field));
    json_out_set(out, "nullable", json_out_bool(node->field->nullable));
    json_out_set(out, "bytes", json_out_count(nbytes));
    json_out_set(out, "dictionary_bytes", json_out_count(dictionary_nbytes));
    json_out_set(out, "nulls", json_out_count(node->nnulls));
    json_out_set(out, "encodings", encodings_json(node));
    json_out_set(out, "derived_from", bases_json(info, node));
    json_out_set(out, "nodes", nodes);
    json_out_set(out, "metadata", metadata_json(&node->field->metadata));
    return out;
}

/* ---- Sources ---- */

enum { SOURCES_AT_ONCE = 4096, SOURCES_SHOWN = 20 };

/* Calls `take` with the first `most` sources, in order. */
static enum stoa_status each_source(const struct info *info, uint64_t most,
                                    bool (*take)(void *context,
                                                 const struct stoa_source_info *source),
                                    void *context, struct stoa_error *err)
{
    uint64_t nsources = stoa_reader_nsources(info->file.reader);
    enum stoa_status st = STOA_OK;

    nsources = nsources < most ? nsources : most;
    for (uint64_t first = 0; st == STOA_OK && first < nsources; first += SOURCES_AT_ONCE) {
        uint64_t left = nsources - first;
        size_t n = left < SOURCES_AT_ONCE ? (size_t)left : SOURCES_AT_ONCE;
        struct stoa_source_info *sources;

        st = stoa_reader_sources(info->file.reader, first, n, &sources, err);
        if (st != STOA_OK)
            break;
        for (size_t i = 0; i < n && st == STOA_OK; i++)
            if (!take(context, &sources[i]))
                st = fail_nomem(err);
        stoa_source_infos_free(sources, n);
    }
    return st;
}

static const char *print_hash(char out[2 * STOA_SOURCE_HASH_NBYTES + 1],
                              const struct stoa_source_info *source)
{
    for (size_t i = 0; i < sizeof(source->hash); i++)
        snprintf(out + 2 * i, 3, "%02x", source->hash[i]);
    return out;
}

static bool add_source_json(void *context, const struct stoa_source_info *source)
{
    const char *obstacle = stoa_source_obstacle(source->flags);
    char hash[2 * STOA_SOURCE_HASH_NBYTES + 1];
    struct json_t *out = json_out_object();

    json_out_set(out, "name", json_out_text(source->name));
    json_out_set(out, "first_row", json_out_count(source->first_row));
    json_out_set(out, "rows", json_out_count(source->nrows));
    json_out_set(out, "bytes", json_out_count(source->nbytes));
    json_out_set(out, "hash", json_out_text(print_hash(hash, source)));
    json_out_set(out, "options", json_out_text(source->options));
    json_out_set(out, "restorable", json_out_bool(obstacle == NULL));
    if (obstacle != NULL)
        json_out_set(out, "obstacle", json_out_text(obstacle));
    json_out_append(context, out);
    return true;
}

static bool add_source_row(void *context, const struct stoa_source_info *source)
{
    const char *obstacle = stoa_source_obstacle(source->flags);
    char name[NAME_NBYTES], rows[32], size[32], hash[2 * STOA_SOURCE_HASH_NBYTES + 1], can[128];

    snprintf(can, sizeof(can), "%s%s",
             obstacle == NULL ? "yes" : "no: ", obstacle == NULL ? "" : obstacle);
    return table_add_row(
        context,
        (const char *const[]){stoa_quote(name, sizeof(name), source->name, strlen(source->name)),
                              print_count(rows, source->nrows), print_size(size, source->nbytes),
                              print_hash(hash, source), can},
        5);
}

/* A table of the first sources, if there are any. */
static enum exit_code print_sources(const struct info *info)
{
    uint64_t nsources = stoa_reader_nsources(info->file.reader);
    struct table *table = nsources > 0 ? table_new() : NULL;
    struct stoa_error err;
    char count[32];
    enum exit_code code;

    if (nsources == 0)
        return EXIT_DONE;
    if (table == NULL || !table_add_column(table, "source", false) ||
        !table_add_column(table, "rows", true) || !table_add_column(table, "size", true) ||
        !table_add_column(table, "XXH3-128", false) ||
        !table_add_column(table, "restorable", false))
        code = fail_memory();
    else if (each_source(info, SOURCES_SHOWN, add_source_row, table, &err) != STOA_OK)
        code = fail_file(info->path, &err);
    else {
        putchar('\n');
        code = table_print(table);
    }
    if (code == EXIT_DONE && nsources > SOURCES_SHOWN)
        printf("... and %s more: --json shows all\n", print_count(count, nsources - SOURCES_SHOWN));
    table_free(table);
    return code;
}

/* ---- All of it ---- */

static enum exit_code print_json(const struct info *info)
{
    struct json_t *out = json_out_object(), *columns = json_out_array(), *kinds = json_out_object();
    struct json_t *sources = json_out_array();
    struct stoa_error err;
    char identity[20];

    snprintf(identity, sizeof(identity), "%016" PRIx64, stoa_reader_identity(info->file.reader));
    json_out_set(out, "file", json_out_text(info->path));
    json_out_set(out, "identity", json_out_text(identity));
    json_out_set(out, "rows", json_out_count(stoa_reader_nrows(info->file.reader)));
    json_out_set(out, "bytes", json_out_count(info->file.source->nbytes));
    json_out_set(out, "row_groups", json_out_count(stoa_reader_nrow_groups(info->file.reader)));
    json_out_set(out, "sorted_by",
                 info->order != NULL ? json_out_text(info->order) : json_out_null());
    for (uint32_t i = 0; i < info->nnodes; i += info->nodes[i].nnodes)
        json_out_append(columns, column_json(info, &info->nodes[i]));
    json_out_set(out, "columns", columns);
    for (size_t k = 0; k < STOA_SPAN_NKINDS; k++)
        json_out_set(kinds, kind_names[k], json_out_count(info->kinds[k]));
    json_out_set(out, "bytes_by_kind", kinds);
    if (each_source(info, UINT64_MAX, add_source_json, sources, &err) != STOA_OK) {
        json_out_free(sources);
        json_out_free(out);
        return fail_file(info->path, &err);
    }
    json_out_set(out, "sources", sources);
    json_out_set(out, "metadata", metadata_json(&info->schema->metadata));
    return json_out_print(out);
}

/* "dict(pfor) 90%, plain 10%": the three most frequent. */
static void print_encodings(const struct node_info *node, char *out, size_t nbytes)
{
    uint64_t npages = 0;
    size_t used = 0;

    out[0] = '\0';
    for (size_t k = 0; k < node->nencodings; k++)
        npages += node->encodings[k].npages;
    for (size_t k = 0; k < node->nencodings && k < 3 && used < nbytes; k++) {
        const struct encoding_count *encoding = &node->encodings[k];
        int n = snprintf(out + used, nbytes - used, "%s%s", k > 0 ? ", " : "", encoding->name);

        used += n > 0 ? (size_t)n : 0;
        if (encoding->npages < npages && used < nbytes) {
            n = snprintf(out + used, nbytes - used, " %.0f%%",
                         100.0 * (double)encoding->npages / (double)npages);
            used += n > 0 ? (size_t)n : 0;
        }
    }
}

/* "; from a, b": what a derived column follows from, cut where there is no room. */
static void print_bases(const struct info *info, const struct node_info *node, char *out,
                        size_t nbytes)
{
    char name[NAME_NBYTES];
    size_t used = strlen(out);

    for (uint32_t k = 0; k < node->nbases && used < nbytes; k++) {
        const char *path = info->nodes[node->bases[k]].path;
        int n = snprintf(out + used, nbytes - used, "%s%s", k > 0 ? ", " : "; from ",
                         stoa_quote(name, sizeof(name), path, strlen(path)));

        used += n > 0 ? (size_t)n : 0;
    }
}

/* Of types with children the word in front of them: they have rows of their own. */
static void cut_type(char *type)
{
    char *children = strchr(type, '<');

    if (children != NULL)
        *children = '\0';
}

static bool add_row(struct table *table, const struct info *info, const struct node_info *node)
{
    uint64_t nbytes = node->nbytes + node->dictionary_nbytes;
    char name[NAME_NBYTES], size[32], share[16], nulls[32], encodings[512];
    char *type = NULL;
    bool done = stoa_type_print(node->field, &type, NULL) == STOA_OK;

    stoa_quote(name, sizeof(name), node->path, strlen(node->path));
    print_size(size, nbytes);
    snprintf(share, sizeof(share), "%.1f%%",
             100.0 * (double)nbytes / (double)info->file.source->nbytes);
    print_count(nulls, node->nnulls);
    print_encodings(node, encodings, sizeof(encodings));
    print_bases(info, node, encodings, sizeof(encodings));
    if (done && node->field->nchildren > 0)
        cut_type(type);
    done = done && table_add_row(
                       table, (const char *const[]){name, type, size, share, nulls, encodings}, 6);
    stoa_free(type);
    return done;
}

static enum exit_code print_columns(const struct info *info)
{
    static const struct {
        const char *name;
        bool right;
    } headers[] = {{"column", false}, {"type", false}, {"size", true},
                   {"share", true},   {"nulls", true}, {"encodings", false}};
    struct table *table = table_new();
    bool done = table != NULL;
    enum exit_code code;

    for (size_t i = 0; done && i < sizeof(headers) / sizeof(headers[0]); i++)
        done = table_add_column(table, headers[i].name, headers[i].right);
    for (uint32_t i = 0; done && i < info->nnodes; i++)
        done = add_row(table, info, &info->nodes[i]);
    code = done ? table_print(table) : fail_memory();
    table_free(table);
    return code;
}

static enum exit_code print_text(const struct info *info)
{
    char name[NAME_NBYTES], rows[32], size[32];
    uint32_t ngroups = stoa_reader_nrow_groups(info->file.reader);
    uint64_t total = 0;
    enum exit_code code;

    printf("%s: %s row%s in %u row group%s, %u column%s, %s, identity %016" PRIx64 "\n",
           stoa_quote(name, sizeof(name), info->path, strlen(info->path)),
           print_count(rows, stoa_reader_nrows(info->file.reader)),
           plural(stoa_reader_nrows(info->file.reader)), ngroups, plural(ngroups),
           info->schema->nfields, plural(info->schema->nfields),
           print_size(size, info->file.source->nbytes), stoa_reader_identity(info->file.reader));
    if (info->order != NULL)
        printf("sorted by %s\n", stoa_quote(name, sizeof(name), info->order, strlen(info->order)));
    putchar('\n');
    code = print_columns(info);
    if (code == EXIT_DONE)
        code = print_sources(info);
    fputs("\nEvery byte:", stdout);
    for (size_t k = 0; k < STOA_SPAN_NKINDS; k++) {
        printf("%s %s %" PRIu64, k > 0 ? "," : "", kind_names[k], info->kinds[k]);
        total += info->kinds[k];
    }
    printf(": %" PRIu64 " in all\n", total);
    return code;
}

static void free_node(struct node_info *node)
{
    free(node->path);
    free(node->bases);
}

enum exit_code run_info(const struct arguments *arguments)
{
    struct info info = {.path = arguments->files[0]};
    struct stoa_error err;
    enum exit_code code;

    if (!open_stoa(info.path, &info.file, &code))
        return code;
    if (gather(&info, &err) != STOA_OK)
        code = fail_file(info.path, &err);
    else
        code = (has_option(arguments, OPT_JSON) ? print_json : print_text)(&info);
    for (uint32_t i = 0; i < info.nnodes; i++)
        free_node(&info.nodes[i]);
    free(info.nodes);
    stoa_free(info.order);
    close_stoa(&info.file);
    return code;
}
