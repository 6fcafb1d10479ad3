/*
 * Any text as a type, as a schema document and as a schema of Avro: what is taken keeps the rules
 * of schemas and comes back equal from the text that it is printed as.
 */
#include <stdlib.h>
#include <string.h>

#include <stoa/avro.h>

#include "base/alloc.h"
#include "column/schema.h"
#include "column/type.h"

enum { MAX_NBYTES = 20000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes);

static void must(bool good)
{
    if (!good)
        abort();
}

static void check_type(const char *text)
{
    struct stoa_schema schema = {0}, back = {0};
    struct stoa_field field, again;
    struct stoa_error err;
    char *printed;

    if (stoa_field_parse("x", text, true, &field, &err) != STOA_OK) {
        must(err.status == STOA_ERR_USAGE && err.offset <= strlen(text));
        return;
    }
    must(stoa_schema_add_field(&schema, &field, &err) == STOA_OK);
    must(stoa_type_print(&field, &printed, &err) == STOA_OK);
    must(stoa_field_parse("x", printed, true, &again, &err) == STOA_OK);
    must(stoa_schema_add_field(&back, &again, &err) == STOA_OK);
    must(stoa_schema_equal(&schema, &back));
    stoa_free(printed);
    stoa_field_reset(&again);
    stoa_field_reset(&field);
    stoa_schema_reset(&back);
    stoa_schema_reset(&schema);
}

/* Metadata is an object of JSON, which has no order, so the second text is compared. */
static void check_document(const uint8_t *data, size_t nbytes)
{
    struct stoa_schema schema = {0}, back = {0};
    struct stoa_error err;
    char *printed, *again;

    if (stoa_schema_parse_json((const char *)data, nbytes, &schema, &err) != STOA_OK) {
        must(err.status == STOA_ERR_USAGE);
        return;
    }
    must(stoa_schema_print_json(&schema, NULL, &printed, &err) == STOA_OK);
    must(stoa_schema_parse_json(printed, strlen(printed), &back, &err) == STOA_OK);
    must(stoa_schema_print_json(&back, NULL, &again, &err) == STOA_OK);
    must(strcmp(printed, again) == 0);
    stoa_free(again);
    stoa_free(printed);
    stoa_schema_reset(&back);
    stoa_schema_reset(&schema);
}

/* Any text as a schema of Avro: what is taken is printed, and then reads back as it prints. */
static void check_avro(const uint8_t *data, size_t nbytes)
{
    struct stoa_schema schema = {0}, back = {0};
    struct stoa_error err;
    char *printed, *again;
    const enum stoa_status st = stoa_avro_parse_schema((const char *)data, nbytes, &schema, &err);

    must(st == STOA_OK || st == STOA_ERR_DATA || st == STOA_ERR_LIMIT);
    if (st != STOA_OK)
        return;
    must(stoa_avro_print_schema(&schema, "t", &printed, &err) == STOA_OK);
    must(stoa_avro_parse_schema(printed, strlen(printed), &back, &err) == STOA_OK);
    must(stoa_avro_print_schema(&back, "t", &again, &err) == STOA_OK);
    must(strcmp(printed, again) == 0);
    stoa_free(again);
    stoa_free(printed);
    stoa_schema_reset(&back);
    stoa_schema_reset(&schema);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    char *text;

    if (nbytes > MAX_NBYTES)
        return 0;
    check_document(data, nbytes);
    check_avro(data, nbytes);
    text = malloc(nbytes + 1); /* just as long: a read past its end is seen */
    must(text != NULL);
    if (nbytes > 0)
        memcpy(text, data, nbytes);
    text[nbytes] = '\0';
    check_type(text);
    free(text);
    return 0;
}
