/*
 * The numbers that a writer decides by. No reader knows them: a file is right whatever they were,
 * but two files are equal only if they were. Tests set small ones to reach every rule quickly.
 */
#ifndef STOA_FILE_RULES_H
#define STOA_FILE_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include <stoa/writer.h>

struct stoa_rules {
    int zstd_level;
    unsigned inflate_cost;   /* stoa_encoder_set_inflate_cost() */
    uint32_t encoder_nbytes; /* about what an encoder takes with the column that it works on */

    /* Nothing is chosen: values are stored as they are, integers by their range. */
    bool stores_plain;

    /* Plans are chosen on row groups 0, period, 2 * period, ... and used by those in between. */
    uint32_t chooser_period;

    /* A chunk has a dictionary of its own where that saves more than this part of its bytes. */
    uint32_t local_gain_percent;

    /*
     * A chunk that takes more than excess_percent above its estimate, and excess_nbytes for each
     * page, is chosen anew.
     */
    uint32_t excess_percent;
    uint32_t excess_nbytes;

    /* Relations between columns are looked for in row groups of no fewer rows, 256 at least. */
    uint32_t derive_min_nrows;

    uint32_t page_min_nbytes;  /* stored: pages are the smallest that are not below */
    uint64_t page_max_nbytes;  /* raw: a page of several values is not above, */
    uint64_t page_long_nbytes; /* nor above this, unless of a few values, some of them long */

    /*
     * Dictionaries. A row group of at least full_nrows rows is expected to share its entries with
     * amortisation - 1 others, a smaller one with none.
     */
    uint32_t full_nrows;
    uint32_t amortisation;
    uint32_t segment_nbytes;    /* what an object costs beside the entries: header, head, a table
                                   entry, a page's own bytes, half the padding */
    uint32_t local_max_count;   /* entries of the dictionary of one chunk of numbers */
    uint32_t shared_max_count;  /* entries of a chain */
    uint64_t shared_max_nbytes; /* bytes of a chain's values, */
    uint64_t shared_all_nbytes; /* of the chains of all columns together */
    uint32_t extension_percent; /* misses below this part of their chunk stay in the chunk */
    uint32_t epoch_percent;     /* misses above this part of the distinct values start anew */
    uint32_t barren_epochs;     /* without gain, until the column leaves shared dictionaries */

    /* Presence bitmaps are kept that let skip presence_gain times their bytes; 0: none. */
    uint32_t presence_gain;

    /* A second copy of all segments is written when they take at most 1/copy_part of the file. */
    uint32_t copy_part;
    uint64_t copy_max_nbytes; /* and no more than this, because they are kept in memory */

    uint64_t footer_max_nbytes;  /* of the footer's data in memory; the rest goes to a file */
    uint32_t footer_pack_nbytes; /* sections of no more bytes are packed when that is shorter, */
    uint32_t schema_pack_nbytes; /* and schemas of no more */
};

extern const struct stoa_rules stoa_default_rules; /* STOA_LEVEL_BALANCED */

/* The rules of a level, for ever; NULL for a number that is none. */
const struct stoa_rules *stoa_rules_of_level(enum stoa_level level);

/* Of files that are read once and thrown away: no time is spent on making them small. */
extern const struct stoa_rules stoa_draft_rules;

/* The same for files that are read a few rows here and a few there: pages are short. */
extern const struct stoa_rules stoa_sorted_run_rules;

#endif
