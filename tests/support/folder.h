/*
 * A fresh folder for each test that touches files, and what must be in it afterwards.
 *
 *     cmocka_unit_test_setup_teardown(f, stoa_test_folder_enter, stoa_test_folder_leave)
 *
 * The folder is made under $TMPDIR (/tmp) and is the working directory while the test runs.
 */
#ifndef STOA_TESTS_SUPPORT_FOLDER_H
#define STOA_TESTS_SUPPORT_FOLDER_H

#include <stddef.h>

int stoa_test_folder_enter(void **state);

/* The same under /dev/shm, where there is one: for tests of many small files. */
int stoa_test_folder_enter_memory(void **state);

/* Removes the folder with all that is in it. */
int stoa_test_folder_leave(void **state);

void stoa_test_folder_put(const char *path, const void *bytes, size_t nbytes);

/* The bytes of a file, terminated; free() them. */
char *stoa_test_folder_get(const char *path, size_t *nbytes);

/*
 * Asserts that the working directory holds the file `name` with `text` in it and nothing else
 * (litter is named in the failure). name "" stands for an empty folder; text NULL for any bytes.
 */
void stoa_test_folder_expect(const char *name, const char *text);

#endif
