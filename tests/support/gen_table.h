/*
 * Random schemas and random tables.
 *
 *     struct stoa_test_random random;
 *     struct stoa_schema schema = {0};
 *     struct stoa_batch batch;
 *
 *     stoa_test_random_init(&random, "tables_survive_a_round_trip");
 *     stoa_test_gen_schema(&random, 5, &schema);
 *     stoa_test_gen_batch(&random, &schema, 8193, &batch);
 *     ...
 *     stoa_batch_reset(&batch);
 *     stoa_schema_reset(&schema);
 *
 * or a column at a time, with its shape and nulls chosen by the test:
 *
 *     stoa_test_gen_field(&random, STOA_DECIMAL, true, "price", &field);
 *     stoa_test_gen_array(&random, &field, 1024, STOA_TEST_RUNS, STOA_TEST_NULLS_SOME, &array);
 *
 * stoa_test_gen_schema() draws from the types of stoa_test_types[], without children, and keeps its
 * tables from version to version, since files in the repository were made from them.
 * stoa_test_gen_any_schema() draws from all types, nested to a given depth. Arrays and batches are
 * made for either.
 *
 * The same seed gives the same values on every machine. What comes out passes
 * stoa_batch_validate(). The caller resets what it gets. Memory comes from the library's
 * allocator; a generator that gets none ends the program, so generate before
 * stoa_test_alloc_begin().
 */
#ifndef STOA_TESTS_SUPPORT_GEN_TABLE_H
#define STOA_TESTS_SUPPORT_GEN_TABLE_H

#include <stoa/array.h>

#include "support/random.h"

/* Without float16, duration, interval and the nested ones; decimals have up to 38 digits. */
#define STOA_TEST_NTYPES 21
extern const enum stoa_type_id stoa_test_types[STOA_TEST_NTYPES];

/* How the values of a column follow each other. */
enum stoa_test_shape {
    STOA_TEST_CONSTANT,    /* one value */
    STOA_TEST_RUNS,        /* each value 1 to 200 times */
    STOA_TEST_SORTED,      /* rising, with equal neighbours; NaN at the end */
    STOA_TEST_FALLING,     /* the same backwards */
    STOA_TEST_SMALL_RANGE, /* near to each other: small numbers, short texts with few letters */
    STOA_TEST_OUTLIERS,    /* the same with one value in 50 from anywhere */
    STOA_TEST_FULL_RANGE,  /* anywhere in the type: least and greatest, every NaN, empty and long */
    STOA_TEST_FEW_DISTINCT, /* 2 to 20 values from anywhere, mixed */
    STOA_TEST_MULTIPLES,    /* multiples of 60 (times: of a minute), prices, words from a list */
};
#define STOA_TEST_NSHAPES 9

/* Where the nulls stand; a field that is not nullable has none whatever is asked for. */
enum stoa_test_nulls {
    STOA_TEST_NULLS_NONE,
    STOA_TEST_NULLS_SOME, /* one value in 2 to 100 */
    STOA_TEST_NULLS_RUNS, /* runs of nulls and of values */
    STOA_TEST_NULLS_ALL,
};
#define STOA_TEST_NNULLS 4

/* All types without children. */
#define STOA_TEST_NLEAVES 24
extern const enum stoa_type_id stoa_test_leaves[STOA_TEST_NLEAVES];

/* A type without children of that id with random parameters; a decimal has up to 38 digits. */
void stoa_test_gen_type(struct stoa_test_random *r, enum stoa_type_id id, struct stoa_type *out);

/* A field with such a type; null columns are nullable in any case. */
void stoa_test_gen_field(struct stoa_test_random *r, enum stoa_type_id id, bool nullable,
                         const char *name, struct stoa_field *out);

/* ncolumns columns of random types, half of them nullable, named after type and place. */
void stoa_test_gen_schema(struct stoa_test_random *r, uint32_t ncolumns, struct stoa_schema *out);

/*
 * A field of any type: decimals of up to 76 digits, nested types up to `depth` deep (1: none), now
 * and then with an id, metadata, and names that the text of the type does not show.
 */
void stoa_test_gen_any_field(struct stoa_test_random *r, unsigned depth, const char *name,
                             struct stoa_field *out);
void stoa_test_gen_any_schema(struct stoa_test_random *r, uint32_t ncolumns, unsigned depth,
                              struct stoa_schema *out);

/*
 * The arrays below a nested one have shapes and nulls of their own, and are a few times as long
 * where lists are.
 */
void stoa_test_gen_array(struct stoa_test_random *r, const struct stoa_field *field, size_t nvalues,
                         enum stoa_test_shape shape, enum stoa_test_nulls nulls,
                         struct stoa_array *out);

/* Texts or bytes that differ around the 16 bytes of a bound in a zone map; utf8 and binary only. */
void stoa_test_gen_long_texts(struct stoa_test_random *r, const struct stoa_field *field,
                              size_t nvalues, struct stoa_array *out);

/* A batch whose columns have random shapes and nulls. */
void stoa_test_gen_batch(struct stoa_test_random *r, const struct stoa_schema *schema, size_t nrows,
                         struct stoa_batch *out);

#endif
