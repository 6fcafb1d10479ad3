/*
 * The table of types (spec/format.md, "Types"), and their ownership, equality and limits.
 */
#include "column/type.h"

#include <stdlib.h>
#include <string.h>

#include <stoa/array.h>

#include "base/error.h"
#include "base/int256.h"
#include "base/utf8.h"

/* clang-format off */
static const struct stoa_type_info infos[] = {
    [STOA_NULL]         = {"null",    STOA_LAYOUT_NONE,  STOA_PARAMS_NONE, 0, NULL},
    [STOA_BOOL]         = {"bool",    STOA_LAYOUT_BITS,  STOA_PARAMS_NONE, 0, NULL},
    [STOA_INT8]         = {"int8",    STOA_LAYOUT_FIXED, STOA_PARAMS_NONE, 1, NULL},
    [STOA_INT16]        = {"int16",   STOA_LAYOUT_FIXED, STOA_PARAMS_NONE, 2, NULL},
    [STOA_INT32]        = {"int32",   STOA_LAYOUT_FIXED, STOA_PARAMS_NONE, 4, NULL},
    [STOA_INT64]        = {"int64",   STOA_LAYOUT_FIXED, STOA_PARAMS_NONE, 8, NULL},
    [STOA_UINT8]        = {"uint8",   STOA_LAYOUT_FIXED, STOA_PARAMS_NONE, 1, NULL},
    [STOA_UINT16]       = {"uint16",  STOA_LAYOUT_FIXED, STOA_PARAMS_NONE, 2, NULL},
    [STOA_UINT32]       = {"uint32",  STOA_LAYOUT_FIXED, STOA_PARAMS_NONE, 4, NULL},
    [STOA_UINT64]       = {"uint64",  STOA_LAYOUT_FIXED, STOA_PARAMS_NONE, 8, NULL},
    [STOA_FLOAT16]      = {"float16", STOA_LAYOUT_FIXED, STOA_PARAMS_NONE, 2, NULL},
    [STOA_FLOAT32]      = {"float32", STOA_LAYOUT_FIXED, STOA_PARAMS_NONE, 4, NULL},
    [STOA_FLOAT64]      = {"float64", STOA_LAYOUT_FIXED, STOA_PARAMS_NONE, 8, NULL},
    [STOA_DECIMAL]      = {"decimal", STOA_LAYOUT_FIXED, STOA_PARAMS_DECIMAL, 0, "decimal(10,2)"},
    [STOA_DATE32]       = {"date32",  STOA_LAYOUT_FIXED, STOA_PARAMS_NONE, 4, NULL},
    [STOA_TIME]         = {"time",    STOA_LAYOUT_FIXED, STOA_PARAMS_UNIT, 0, "time(ms)"},
    [STOA_TIMESTAMP]    = {"timestamp", STOA_LAYOUT_FIXED, STOA_PARAMS_ZONE, 8,
                           "timestamp(s) or timestamp(us,UTC)"},
    [STOA_DURATION]     = {"duration", STOA_LAYOUT_FIXED, STOA_PARAMS_UNIT, 8, "duration(s)"},
    [STOA_INTERVAL]     = {"interval", STOA_LAYOUT_FIXED, STOA_PARAMS_NONE, 16, NULL},
    [STOA_UTF8]         = {"utf8",    STOA_LAYOUT_BYTES, STOA_PARAMS_NONE, 0, NULL},
    [STOA_BINARY]       = {"binary",  STOA_LAYOUT_BYTES, STOA_PARAMS_NONE, 0, NULL},
    [STOA_FIXED_BINARY] = {"fixed_binary", STOA_LAYOUT_FIXED, STOA_PARAMS_WIDTH, 0,
                           "fixed_binary(16)"},
    [STOA_UUID]         = {"uuid",    STOA_LAYOUT_FIXED, STOA_PARAMS_NONE, 16, NULL},
    [STOA_ENUM]         = {"enum",    STOA_LAYOUT_FIXED, STOA_PARAMS_SYMBOLS, 4, "enum(low,high)"},
    [STOA_LIST]         = {"list",    STOA_LAYOUT_LIST,  STOA_PARAMS_LIST, 0, "list<int64>"},
    [STOA_FIXED_LIST]   = {"fixed_list", STOA_LAYOUT_FIXED_LIST, STOA_PARAMS_FIXED_LIST, 0,
                           "fixed_list<float32,3>"},
    [STOA_STRUCT]       = {"struct",  STOA_LAYOUT_STRUCT, STOA_PARAMS_STRUCT, 0,
                           "struct<name:utf8>"},
    [STOA_MAP]          = {"map",     STOA_LAYOUT_LIST,  STOA_PARAMS_MAP, 0, "map<utf8,int64>"},
};
/* clang-format on */

static const char *const unit_names[] = {
    [STOA_SECOND] = "s",
    [STOA_MILLI] = "ms",
    [STOA_MICRO] = "us",
    [STOA_NANO] = "ns",
};

const struct stoa_type_info *stoa_type_info(enum stoa_type_id id)
{
    size_t i = (size_t)id;

    if (i >= sizeof(infos) / sizeof(infos[0]) || infos[i].name == NULL)
        return NULL;
    return &infos[i];
}

const char *stoa_time_unit_name(enum stoa_time_unit unit)
{
    size_t i = (size_t)unit;

    return i < sizeof(unit_names) / sizeof(unit_names[0]) ? unit_names[i] : NULL;
}

size_t stoa_type_width(const struct stoa_type *type)
{
    const struct stoa_type_info *info = stoa_type_info(type->id);

    if (info == NULL)
        return 0;
    if (type->id == STOA_TIME)
        return type->unit == STOA_SECOND || type->unit == STOA_MILLI ? 4 : 8;
    if (type->id == STOA_DECIMAL)
        return type->precision <= STOA_INT128_DIGITS ? sizeof(struct stoa_int128)
                                                     : sizeof(struct stoa_int256);
    return info->params == STOA_PARAMS_WIDTH ? type->width : info->width;
}

void stoa_type_reset(struct stoa_type *type)
{
    for (uint32_t i = 0; i < type->nsymbols; i++)
        stoa_free(type->symbols[i]);
    stoa_free(type->symbols);
    stoa_free(type->zone);
    *type = (struct stoa_type){0};
}

enum stoa_status stoa_type_copy(struct stoa_type *out, const struct stoa_type *type,
                                struct stoa_error *err)
{
    struct stoa_type copy = *type;
    enum stoa_status st = STOA_OK;

    copy.zone = NULL;
    copy.symbols = NULL;
    copy.nsymbols = 0;
    if (type->zone != NULL)
        STOA_TRY(stoa_strndup(&copy.zone, type->zone, strlen(type->zone), err));
    if (type->nsymbols > 0)
        STOA_TRY(stoa_alloc_zeroed(&copy.symbols, type->nsymbols, sizeof(copy.symbols[0]), err));
    for (; copy.nsymbols < type->nsymbols; copy.nsymbols++) {
        const char *symbol = type->symbols[copy.nsymbols];

        STOA_TRY(stoa_strndup(&copy.symbols[copy.nsymbols], symbol, strlen(symbol), err));
    }
    *out = copy;
    copy = (struct stoa_type){0};
out:
    stoa_type_reset(&copy);
    return st;
}

bool stoa_type_equal(const struct stoa_type *a, const struct stoa_type *b)
{
    if (a->id != b->id || a->unit != b->unit || a->precision != b->precision ||
        a->scale != b->scale || a->width != b->width || a->nsymbols != b->nsymbols)
        return false;
    if ((a->zone == NULL) != (b->zone == NULL) ||
        (a->zone != NULL && strcmp(a->zone, b->zone) != 0))
        return false;
    for (uint32_t i = 0; i < a->nsymbols; i++)
        if (strcmp(a->symbols[i], b->symbols[i]) != 0)
            return false;
    return true;
}

static bool is_zone_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("+-_/:.", c) != NULL);
}

static enum stoa_status check_zone(const char *zone, struct stoa_error *err)
{
    size_t nbytes = strlen(zone);

    if (nbytes == 0 || nbytes > STOA_MAX_ZONE_NBYTES)
        return stoa_fail(err, STOA_ERR_USAGE, "a time zone has 1 to %u characters, not %zu",
                         STOA_MAX_ZONE_NBYTES, nbytes);
    for (size_t i = 0; i < nbytes; i++)
        if (!is_zone_char(zone[i]))
            return stoa_fail(err, STOA_ERR_USAGE,
                             "a time zone is letters, digits and any of +-_/:. (\"Europe/Paris\", "
                             "\"+02:00\")");
    return STOA_OK;
}

static int compare_symbols(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum stoa_status check_symbols(const struct stoa_type *type, struct stoa_error *err)
{
    char **sorted = NULL;
    char shown[64];
    enum stoa_status st = STOA_OK;

    if (type->nsymbols == 0 || type->nsymbols > STOA_MAX_SYMBOLS)
        return stoa_fail(err, STOA_ERR_USAGE, "an enum has 1 to %u symbols, not %u",
                         STOA_MAX_SYMBOLS, type->nsymbols);
    STOA_TRY(stoa_alloc_zeroed(&sorted, type->nsymbols, sizeof(sorted[0]), err));
    for (uint32_t i = 0; i < type->nsymbols; i++) {
        const char *symbol = type->symbols[i];
        size_t nbytes = strlen(symbol);

        sorted[i] = type->symbols[i];
        if (nbytes <= STOA_MAX_NAME_NBYTES &&
            stoa_utf8_valid_prefix((const uint8_t *)symbol, nbytes) == nbytes)
            continue;
        st = stoa_fail(err, STOA_ERR_USAGE, "symbol %u of the enum, \"%s\", is %s", i + 1,
                       stoa_quote(shown, sizeof(shown), symbol, nbytes),
                       nbytes > STOA_MAX_NAME_NBYTES ? "longer than 65535 bytes" : "not UTF-8");
        goto out;
    }
    qsort(sorted, type->nsymbols, sizeof(sorted[0]), compare_symbols);
    for (uint32_t i = 1; i < type->nsymbols; i++) {
        if (strcmp(sorted[i - 1], sorted[i]) != 0)
            continue;
        st = stoa_fail(err, STOA_ERR_USAGE, "symbol \"%s\" appears twice in the enum",
                       stoa_quote(shown, sizeof(shown), sorted[i], strlen(sorted[i])));
        goto out;
    }
out:
    stoa_free(sorted);
    return st;
}

static enum stoa_status check_width(const struct stoa_type *type, const char *what,
                                    struct stoa_error *err)
{
    if (type->width < 1 || type->width > STOA_MAX_FIXED_WIDTH)
        return stoa_fail(err, STOA_ERR_USAGE, "%s holds 1 to %u %s, not %u",
                         stoa_type_info(type->id)->name, STOA_MAX_FIXED_WIDTH, what, type->width);
    return STOA_OK;
}

static enum stoa_status check_decimal(const struct stoa_type *type, struct stoa_error *err)
{
    if (type->precision < 1 || type->precision > STOA_MAX_PRECISION)
        return stoa_fail(err, STOA_ERR_USAGE, "the precision of a decimal is 1 to %d, not %u",
                         STOA_MAX_PRECISION, type->precision);
    if (type->scale > type->precision)
        return stoa_fail(err, STOA_ERR_USAGE,
                         "the scale of a decimal is 0 to its precision %u, not %u", type->precision,
                         type->scale);
    return STOA_OK;
}

/* The type with only the parameters that its id uses; nothing is copied. */
static struct stoa_type used_params(const struct stoa_type *type, enum stoa_type_params params)
{
    struct stoa_type used = {.id = type->id};

    if (params == STOA_PARAMS_UNIT || params == STOA_PARAMS_ZONE)
        used.unit = type->unit;
    if (params == STOA_PARAMS_ZONE)
        used.zone = type->zone;
    if (params == STOA_PARAMS_DECIMAL) {
        used.precision = type->precision;
        used.scale = type->scale;
    }
    if (params == STOA_PARAMS_WIDTH || params == STOA_PARAMS_FIXED_LIST)
        used.width = type->width;
    if (params == STOA_PARAMS_SYMBOLS) {
        used.symbols = type->symbols;
        used.nsymbols = type->nsymbols;
    }
    return used;
}

enum stoa_status stoa_type_check(const struct stoa_type *type, struct stoa_error *err)
{
    const struct stoa_type_info *info = stoa_type_info(type->id);
    struct stoa_type used;

    if (info == NULL)
        return stoa_fail(err, STOA_ERR_USAGE, "%u is not the number of a type", (unsigned)type->id);
    used = used_params(type, info->params);
    if (!stoa_type_equal(type, &used))
        return stoa_fail(err, STOA_ERR_USAGE, "%s has a parameter that it does not take",
                         info->name);
    if (stoa_time_unit_name(type->unit) == NULL)
        return stoa_fail(err, STOA_ERR_USAGE, "%u is not the number of a time unit",
                         (unsigned)type->unit);
    if (type->zone != NULL)
        return check_zone(type->zone, err);
    if (info->params == STOA_PARAMS_DECIMAL)
        return check_decimal(type, err);
    if (info->params == STOA_PARAMS_WIDTH)
        return check_width(type, "bytes", err);
    if (info->params == STOA_PARAMS_FIXED_LIST)
        return check_width(type, "values", err);
    if (info->params == STOA_PARAMS_SYMBOLS)
        return check_symbols(type, err);
    return STOA_OK;
}
