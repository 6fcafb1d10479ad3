/*
 * What is wrong with a value, in words.
 */
#include <inttypes.h>
#include <string.h>

#include "avro/avro_read.h"
#include "base/error.h"

enum stoa_status stoa_avro_fault_tell(const struct stoa_avro_cursor *cursor, const char *field,
                                      struct stoa_error *err)
{
    static const struct {
        enum stoa_status status;
        const char *text, *behind; /* of the number; NULL: it is not told */
    } words[] = {
        [STOA_AVRO_CUT] = {STOA_ERR_DATA, "the data of the block ends within the value", NULL},
        [STOA_AVRO_TOO_LONG] = {STOA_ERR_DATA, "a number has more than 64 bits", NULL},
        [STOA_AVRO_NO_INT] = {STOA_ERR_DATA, "", " is no int of 32 bits"},
        [STOA_AVRO_NO_BOOLEAN] = {STOA_ERR_DATA, "", " is no boolean, which is 0 or 1"},
        [STOA_AVRO_NO_BRANCH] = {STOA_ERR_DATA, "the union has no branch ", ""},
        [STOA_AVRO_NO_SYMBOL] = {STOA_ERR_DATA, "the enum has no symbol ", ""},
        [STOA_AVRO_NO_LENGTH] = {STOA_ERR_DATA, "", " is no length"},
        [STOA_AVRO_NO_COUNT] = {STOA_ERR_DATA, "the items do not have the ",
                                " bytes that they claim"},
        [STOA_AVRO_NO_UTF8] = {STOA_ERR_DATA, "the text is not UTF-8", NULL},
        [STOA_AVRO_NO_UUID] = {STOA_ERR_DATA, "the text is no uuid", NULL},
        [STOA_AVRO_NO_DECIMAL] = {STOA_ERR_DATA, "the decimal has more digits than its type", NULL},
        [STOA_AVRO_NO_DURATION] = {STOA_ERR_DATA, "",
                                   " months or days are more than an interval holds"},
        [STOA_AVRO_EMPTY_ITEMS] = {STOA_ERR_LIMIT, "too many items without any bytes", NULL},
        [STOA_AVRO_EMPTY_FIELDS] = {STOA_ERR_LIMIT, "too many fields without any bytes", NULL},
        [STOA_AVRO_LARGE_ROW] = {STOA_ERR_LIMIT, "the row has more than 512 MiB in memory", NULL},
        [STOA_AVRO_LONG_JSON] = {STOA_ERR_LIMIT, "the value has more than 256 MiB as JSON text",
                                 NULL},
        [STOA_AVRO_REFUSED_BRANCH] = {STOA_ERR_DATA, "",
                                      " is a branch of the file that the schema has no type for"},
        [STOA_AVRO_REFUSED_SYMBOL] = {STOA_ERR_DATA, "the symbol ",
                                      " of the file is none of the schema, nor is there a default"},
        [STOA_AVRO_DEEP] = {STOA_ERR_LIMIT, "the value is nested too deep", NULL},
    };
    const enum stoa_status st = words[cursor->fault].status;
    const char *text = words[cursor->fault].text, *behind = words[cursor->fault].behind;
    char shown[80];

    if (cursor->name != NULL)
        return stoa_fail(err, st, "%s: %s\"%s\"%s", field, text,
                         stoa_quote(shown, sizeof(shown), cursor->name, strlen(cursor->name)),
                         behind);
    if (behind == NULL)
        return stoa_fail(err, st, "%s: %s", field, text);
    return stoa_fail(err, st, "%s: %s%" PRId64 "%s", field, text, cursor->number, behind);
}
