/*
 * Any text as a schema of Avro: what is taken has a canonical form; what keeps the strict rules too
 * reads back, from the text that it is printed as, as the same.
 */
#include <stdlib.h>
#include <string.h>

#include "avro/avro_type.h"

enum { MAX_NBYTES = 20000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes);

static void must(bool good)
{
    if (!good)
        abort();
}

static void must_equal(const struct stoa_buffer *a, const struct stoa_buffer *b)
{
    must(a->nbytes == b->nbytes && memcmp(a->data, b->data, a->nbytes) == 0);
}

static void check_print(const struct stoa_avro_schema *schema, const struct stoa_buffer *form)
{
    struct stoa_buffer text = {0}, again = {0}, form_again = {0};
    struct stoa_avro_schema back;
    struct stoa_error err;

    must(stoa_avro_schema_print(schema, &text, &err) == STOA_OK);
    must(stoa_avro_schema_parse((char *)text.data, text.nbytes, &back, &err) == STOA_OK);
    must(stoa_avro_schema_check(&back, &err) == STOA_OK);
    must(stoa_avro_schema_print(&back, &again, &err) == STOA_OK);
    must(stoa_avro_canonical(&back, &form_again, &err) == STOA_OK);
    must_equal(&text, &again);
    must_equal(form, &form_again);
    stoa_avro_schema_reset(&back);
    stoa_buffer_free(&text);
    stoa_buffer_free(&again);
    stoa_buffer_free(&form_again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nbytes)
{
    struct stoa_avro_schema schema;
    struct stoa_buffer form = {0};
    struct stoa_error err;

    if (nbytes > MAX_NBYTES)
        return 0;
    if (stoa_avro_schema_parse((const char *)data, nbytes, &schema, &err) != STOA_OK) {
        must(err.status == STOA_ERR_DATA || err.status == STOA_ERR_LIMIT);
        return 0;
    }
    must(stoa_avro_canonical(&schema, &form, &err) == STOA_OK);
    if (stoa_avro_schema_check(&schema, &err) == STOA_OK)
        check_print(&schema, &form);
    stoa_buffer_free(&form);
    stoa_avro_schema_reset(&schema);
    return 0;
}
