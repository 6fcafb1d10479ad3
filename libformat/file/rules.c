/*
 * The numbers that files are written by.
 */
#include "file/rules.h"

#include "file/layout.h"

/* What all levels have in common. */
/* clang-format off */
#define COMMON                                                                                     \
    .excess_percent = 5,                                                                           \
    .excess_nbytes = 64,                                                                           \
    .derive_min_nrows = 4096,                                                                      \
    .page_max_nbytes = STOA_PAGE_MAX_RAW_NBYTES,                                                   \
    .full_nrows = 65536,                                                                           \
    .amortisation = 4,                                                                             \
    .segment_nbytes = 160,                                                                         \
    .local_max_count = 65536,                                                                      \
    .shared_max_count = 1 << 20,                                                                   \
    .shared_max_nbytes = UINT64_C(16) << 20,                                                       \
    .shared_all_nbytes = UINT64_C(32) << 20,                                                       \
    .extension_percent = 1,                                                                        \
    .epoch_percent = 50,                                                                           \
    .barren_epochs = 2,                                                                            \
    .copy_part = 100,                                                                              \
    .copy_max_nbytes = UINT64_C(32) << 20,                                                         \
    .footer_max_nbytes = UINT64_C(32) << 20,                                                       \
    .footer_pack_nbytes = 16384,                                                                   \
    .schema_pack_nbytes = 16384
/* clang-format on */

const struct stoa_rules stoa_default_rules = {
    .zstd_level = 3,
    .encoder_nbytes = 6 << 20,
    .chooser_period = 16,
    .page_min_nbytes = 4096,
    .presence_gain = 32,
    .page_long_nbytes = UINT64_C(4) << 20,
    COMMON,
};

/*
 * Nothing is compressed: a byte that a reader decompresses counts as one that is stored. Plans hold
 * for 8 million rows; what comes out too large is chosen anew all the same. Most numbers take no
 * less time in a dictionary than they save bytes, and nobody notes which texts are in a zone.
 */
static const struct stoa_rules fast_rules = {
    .zstd_level = 1,
    .inflate_cost = 256,
    .encoder_nbytes = 4 << 20,
    .chooser_period = 64,
    .local_gain_percent = 25,
    .page_min_nbytes = 16384,
    .page_long_nbytes = UINT64_C(4) << 20,
    COMMON,
};

/* A compressor finds more in pages as large as there are, given time. */
static const struct stoa_rules small_rules = {
    .zstd_level = 17,
    .encoder_nbytes = 40 << 20,
    .chooser_period = 16,
    .page_min_nbytes = UINT32_MAX,
    .presence_gain = 32,
    .page_long_nbytes = UINT64_C(16) << 20,
    COMMON,
};

const struct stoa_rules *stoa_rules_of_level(enum stoa_level level)
{
    static const struct stoa_rules *const levels[] = {
        [STOA_LEVEL_BALANCED] = &stoa_default_rules,
        [STOA_LEVEL_FAST] = &fast_rules,
        [STOA_LEVEL_SMALL] = &small_rules,
    };

    return (unsigned)level < sizeof(levels) / sizeof(levels[0]) ? levels[level] : NULL;
}

/* clang-format off */
#define DRAFT                                                                                      \
    .zstd_level = 1,                                                                               \
    .encoder_nbytes = 4 << 20,                                                                     \
    .stores_plain = true,                                                                          \
    .chooser_period = 1,                                                                           \
    .page_max_nbytes = STOA_PAGE_MAX_RAW_NBYTES,                                                   \
    .copy_part = 100,                                                                              \
    .footer_max_nbytes = UINT64_C(32) << 20
/* clang-format on */

const struct stoa_rules stoa_draft_rules = {
    .page_min_nbytes = 65536, .page_long_nbytes = UINT64_C(4) << 20, DRAFT};

const struct stoa_rules stoa_sorted_run_rules = {
    .page_min_nbytes = 4096, .page_long_nbytes = UINT64_C(256) << 10, DRAFT};
