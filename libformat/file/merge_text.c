/*
 * The source text of a part: copied where it can still be written back, else only told of.
 *
 * A side table counts columns as the sources had them. So it is kept where the merged schema has
 * the same ones in the same order with types that print the same way; where it has not, the sources
 * could not be restored and their side tables would be dead weight.
 */
#include <inttypes.h>

#include "base/error.h"
#include "file/merge_part.h"
#include "file/side_copy.h"

static bool keeps_text(const struct stoa_part *part)
{
    return stoa_schema_keeps_text(part->schema, part->merger->schema);
}

enum stoa_status stoa_part_copy_side(struct stoa_part *part, uint32_t group, struct stoa_error *err)
{
    struct stoa_merger *merger = part->merger;
    struct stoa_side_object object = {0};
    bool has;
    enum stoa_status st;

    if (!keeps_text(part))
        return STOA_OK;
    st = stoa_reader_side_open(part->reader, group, &object, &has, err);
    if (st == STOA_OK && has)
        st = stoa_side_copy(&part->reader->footer, &object, merger->memory_nbytes, merger->file,
                            err);
    stoa_side_object_reset(&object);
    if (st != STOA_OK) {
        stoa_wrap(err, st, "side table");
        stoa_wrap(err, st, "row group %" PRIu32, group);
    }
    return st;
}

enum stoa_status stoa_part_copy_sources(struct stoa_part *part, uint64_t first_row,
                                        struct stoa_error *err)
{
    uint32_t obstacle = keeps_text(part) ? 0 : STOA_SOURCE_CHANGED;

    return stoa_sources_copy(part->reader, first_row, obstacle, part->merger->file, err);
}
