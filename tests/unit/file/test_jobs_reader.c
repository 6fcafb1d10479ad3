/*
 * One reader in the hands of several threads at once: all get the same values, and whatever is
 * loaded on the way is loaded once or twice but never half. Runs under `make tsan`.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "support/golden.h"

enum { NTHREADS = 4 };

struct shared {
    const struct stoa_test_table *table;
    struct stoa_reader *reader;
    atomic_uint nready;
    atomic_uint nwrong;
};

struct worker {
    struct shared *shared;
    uint32_t number;
};

/* All columns of all row groups, from a place of its own on, with schema, names and zone maps. */
static void read_all(struct shared *shared, uint32_t number)
{
    const struct stoa_test_table *table = shared->table;
    uint32_t ncolumns = table->schema.nfields, ngroups = (uint32_t)table->nbatches;
    const struct stoa_schema *schema;
    struct stoa_error err;

    if (stoa_reader_schema(shared->reader, &schema, &err) != STOA_OK ||
        !stoa_schema_equal(schema, &table->schema))
        atomic_fetch_add(&shared->nwrong, 1);
    for (uint32_t i = 0; i < ncolumns * ngroups; i++) {
        uint32_t at = (i + number * ncolumns * ngroups / NTHREADS) % (ncolumns * ngroups);
        uint32_t column = at % ncolumns, group = at / ncolumns, found;
        const struct stoa_field *field = &table->schema.fields[column];
        const struct stoa_batch *batch = &table->batches[group];
        struct stoa_rows rows = {0, batch->nrows};
        struct stoa_array array = {0};
        struct stoa_zone zone;

        if (stoa_reader_find(shared->reader, field->name, &found, &err) != STOA_OK ||
            found != column ||
            stoa_reader_zone(shared->reader, column, group, 0, &zone, &err) != STOA_OK ||
            stoa_reader_column(shared->reader, group, column, rows, &array, NULL, &err) !=
                STOA_OK ||
            !stoa_array_equal(field, &array, &batch->columns[column]))
            atomic_fetch_add(&shared->nwrong, 1);
        stoa_array_reset(&array);
    }
}

static void *work(void *context)
{
    struct worker *worker = context;

    atomic_fetch_add(&worker->shared->nready, 1);
    while (atomic_load(&worker->shared->nready) < NTHREADS) /* all begin with nothing loaded */
        ;
    read_all(worker->shared, worker->number);
    return NULL;
}

static void threads_share_a_reader(void **state)
{
    (void)state;
    for (size_t i = 0; i < STOA_TEST_NGOLDEN; i++) {
        struct stoa_test_table table;
        struct stoa_source *source;
        struct shared shared = {.table = &table};
        struct worker workers[NTHREADS];
        pthread_t threads[NTHREADS];
        struct stoa_error err;

        stoa_test_golden_make(i, &table);
        source = stoa_test_file_source(&table.file);
        assert_int_equal(stoa_reader_open(source, NULL, &shared.reader, &err), STOA_OK);
        for (uint32_t k = 0; k < NTHREADS; k++) {
            workers[k] = (struct worker){&shared, k};
            assert_int_equal(pthread_create(&threads[k], NULL, work, &workers[k]), 0);
        }
        for (uint32_t k = 0; k < NTHREADS; k++)
            assert_int_equal(pthread_join(threads[k], NULL), 0);
        assert_int_equal(shared.nwrong, 0);
        stoa_reader_close(shared.reader);
        stoa_source_close(source);
        stoa_test_table_reset(&table);
    }
}

/* More threads than the reader keeps scratches for. */
static void more_threads_than_scratches(void **state)
{
    enum { MANY = 24 };
    struct stoa_test_table table;
    struct stoa_source *source;
    struct shared shared = {.table = &table, .nready = NTHREADS};
    struct worker workers[MANY];
    pthread_t threads[MANY];
    struct stoa_error err;

    (void)state;
    stoa_test_golden_make(0, &table);
    source = stoa_test_file_source(&table.file);
    assert_int_equal(stoa_reader_open(source, NULL, &shared.reader, &err), STOA_OK);
    for (uint32_t k = 0; k < MANY; k++) {
        workers[k] = (struct worker){&shared, k};
        assert_int_equal(pthread_create(&threads[k], NULL, work, &workers[k]), 0);
    }
    for (uint32_t k = 0; k < MANY; k++)
        assert_int_equal(pthread_join(threads[k], NULL), 0);
    assert_int_equal(shared.nwrong, 0);
    stoa_reader_close(shared.reader);
    stoa_source_close(source);
    stoa_test_table_reset(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_share_a_reader),
        cmocka_unit_test(more_threads_than_scratches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
