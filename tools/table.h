/*
 * Tables for people, fitted to the terminal.
 */
#ifndef TABLE_H
#define TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "command.h"

struct table;

/* NULL when memory is out. With `aligned_right` the column holds numbers. */
struct table *table_new(void);
bool table_add_column(struct table *table, const char *name, bool aligned_right);

/* A row with a printable text for each column, copied; NULL is an empty cell. */
bool table_add_row(struct table *table, const char *const *cells, size_t ncells);

/* Prints on standard output; a message when memory is out. */
enum exit_code table_print(struct table *table);
void table_free(struct table *table);

#endif
