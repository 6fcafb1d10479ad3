/*
 * What becomes of each type of Avro (spec/avro.md, "Mapping"): the schema of the columns, and the
 * way in which each type is read into them.
 */
#ifndef STOA_AVRO_AVRO_MAPPING_H
#define STOA_AVRO_AVRO_MAPPING_H

#include <stoa/schema.h>

#include "avro/avro_type.h"

/* How a type is read; those up to JSON into one column, the others into several. */
enum stoa_avro_way {
    STOA_AVRO_WAY_NULL,
    STOA_AVRO_WAY_BOOLEAN,
    STOA_AVRO_WAY_INT,
    STOA_AVRO_WAY_LONG,
    STOA_AVRO_WAY_FLOAT,
    STOA_AVRO_WAY_DOUBLE,
    STOA_AVRO_WAY_BYTES,
    STOA_AVRO_WAY_STRING,
    STOA_AVRO_WAY_UUID,        /* text -> 16 bytes */
    STOA_AVRO_WAY_FIXED,       /* `size` bytes */
    STOA_AVRO_WAY_FIXED_BYTES, /* the same as values of any length */
    STOA_AVRO_WAY_ENUM,
    STOA_AVRO_WAY_DECIMAL,
    STOA_AVRO_WAY_FIXED_DECIMAL,
    STOA_AVRO_WAY_DURATION,
    STOA_AVRO_WAY_INT_TO_LONG, /* promoted */
    STOA_AVRO_WAY_INT_TO_FLOAT,
    STOA_AVRO_WAY_INT_TO_DOUBLE,
    STOA_AVRO_WAY_LONG_TO_FLOAT,
    STOA_AVRO_WAY_LONG_TO_DOUBLE,
    STOA_AVRO_WAY_FLOAT_TO_DOUBLE,
    STOA_AVRO_WAY_ENUM_TO_ENUM, /* of other symbols */
    STOA_AVRO_WAY_JSON,
    STOA_AVRO_WAY_NULLABLE, /* a union of null and another type: that one, nullable */
    STOA_AVRO_WAY_ONLY,     /* a union of one type: that one */
    STOA_AVRO_WAY_UNION,    /* struct of a tag and a member for each branch that is not null */
    STOA_AVRO_WAY_STRUCT,
    STOA_AVRO_WAY_LIST,
    STOA_AVRO_WAY_MAP,
    STOA_AVRO_WAY_ENTRIES, /* a map that is written as an array of records */
};

/*
 * The way of a type that stands `depth` fields deep, 1 for a column. What holds itself is JSON,
 * unless it is the root, and so is what would be too deep.
 */
enum stoa_avro_way stoa_avro_way_of(const struct stoa_avro_type *type, unsigned depth);

/*
 * The way of a value without parts that a writer's type has where `way` is that of the reader's,
 * the two matching (avro_match.h).
 */
enum stoa_avro_way stoa_avro_way_between(const struct stoa_avro_type *writer,
                                         const struct stoa_avro_type *reader,
                                         enum stoa_avro_way way);

/*
 * The schema of the columns: the fields of a record, or one called "value". *out is overwritten.
 * STOA_ERR_LIMIT: more than 2^20 fields with all that is below them. STOA_ERR_DATA: two fields of
 * one name, and what else a schema can't be.
 */
STOA_CHECK enum stoa_status stoa_avro_map_schema(const struct stoa_avro_schema *schema,
                                                 struct stoa_schema *out, struct stoa_error *err);

#endif
