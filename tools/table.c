/*
 * Tables by libsmartcols, the only file that includes it.
 */
#include "table.h"

#include <libsmartcols/libsmartcols.h>
#include <locale.h>
#include <stdlib.h>

struct table {
    struct libscols_table *below;
};

struct table *table_new(void)
{
    struct table *table = calloc(1, sizeof(*table));

    if (table == NULL)
        return NULL;
    /* Cells are UTF-8 whatever the locale is; libsmartcols asks it how wide a character is. */
    setlocale(LC_CTYPE, "C.UTF-8");
    table->below = scols_new_table();
    if (table->below == NULL) {
        free(table);
        return NULL;
    }
    scols_table_enable_noencoding(table->below, 1); /* cells are printable already */
    scols_table_set_column_separator(table->below, "  ");
    return table;
}

bool table_add_column(struct table *table, const char *name, bool aligned_right)
{
    return scols_table_new_column(table->below, name, 0, aligned_right ? SCOLS_FL_RIGHT : 0) !=
           NULL;
}

bool table_add_row(struct table *table, const char *const *cells, size_t ncells)
{
    struct libscols_line *line = scols_table_new_line(table->below, NULL);

    for (size_t i = 0; line != NULL && i < ncells; i++) {
        if (cells[i] != NULL && scols_line_set_data(line, i, cells[i]) != 0)
            return false;
    }
    return line != NULL;
}

enum exit_code table_print(struct table *table)
{
    return scols_print_table(table->below) == 0 ? EXIT_DONE : fail_memory();
}

void table_free(struct table *table)
{
    if (table != NULL)
        scols_unref_table(table->below);
    free(table);
}
