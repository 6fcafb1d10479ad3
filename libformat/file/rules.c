/*
 * The numbers that files are written by.
 */
#include "file/rules.h"

#include "file/layout.h"

const struct stoa_rules stoa_default_rules = {
    .zstd_level = 3,

    .chooser_period = 16,
    .excess_percent = 5,
    .excess_nbytes = 64,

    .page_min_nbytes = 4096,
    .page_max_nbytes = STOA_PAGE_MAX_RAW_NBYTES,

    .full_nrows = 65536,
    .amortisation = 4,
    .segment_nbytes = 160, /* header, head, a table entry, a page's own bytes, half the padding */
    .local_max_count = 65536,
    .shared_max_count = 1 << 20,
    .shared_max_nbytes = UINT64_C(16) << 20,
    .shared_all_nbytes = UINT64_C(32) << 20,
    .extension_percent = 1,
    .epoch_percent = 50,
    .barren_epochs = 2,

    .copy_part = 100,
    .copy_max_nbytes = UINT64_C(32) << 20,

    .footer_max_nbytes = UINT64_C(32) << 20,
    .footer_pack_nbytes = 16384,
    .schema_pack_nbytes = 16384,
};

const struct stoa_rules stoa_draft_rules = {
    .zstd_level = 1,
    .stores_plain = true,
    .chooser_period = 1,

    .page_min_nbytes = 65536,
    .page_max_nbytes = STOA_PAGE_MAX_RAW_NBYTES,

    .copy_part = 100,
    .footer_max_nbytes = UINT64_C(32) << 20,
};
