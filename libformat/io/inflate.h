/*
 * Decoders of compressed streams, one file each, behind one small table.
 *
 * A compressed file is one or several *members* one after the other: gzip members, xz streams,
 * bzip2 streams, zstd frames, LZ4 frames. A decoder works on one member at a time; unpack.c
 * feeds it and goes from member to member.
 *
 * Some formats tell where a piece ends without decoding it: BGZF (gzip members that say how long
 * they are), zstd frames, xz blocks, bzip2 blocks. Pieces can be decoded by several threads.
 *
 * Each decoder uses the library of its format directly. libarchive, which reads them all, was
 * measured and left out for this: it does not compare the checksums of gzip (3 of 4 flipped bits
 * of a small file gave other text without an error), and takes the beginning of a second member
 * that is cut, and any garbage behind a member, for the end of gzip, bzip2 and LZ4 files.
 */
#ifndef STOA_IO_INFLATE_H
#define STOA_IO_INFLATE_H

#include "base/alloc.h"

struct stoa_inflate;

/* What one step did. */
struct stoa_inflate_step {
    size_t nused;    /* bytes of input that it took */
    size_t nput;     /* bytes of text that it gave */
    bool member_end; /* the member is complete, its checksums are right */
};

/*
 * A piece of a member, or several members, that can be decoded by itself: rewritten as whole
 * members of the same format, for any decoder. The lengths and checksums that a piece does not
 * carry were noted by split(), which compares them where they stand.
 */
struct stoa_inflate_piece {
    struct stoa_buffer *bytes; /* the members; empty when there is no piece */
    size_t nused;              /* bytes of input that it took */
    size_t want;               /* neither: with so many bytes of input it can be said */
    size_t text_nbytes;        /* about so much text, */
    size_t max_text_nbytes;    /* and no more than that */
    bool member_end;           /* as in a step */
};

/* Whether a member begins with some bytes. */
enum stoa_inflate_match {
    STOA_INFLATE_NO,
    STOA_INFLATE_YES,
    STOA_INFLATE_CUT, /* it does if more bytes followed, and text does not look like it */
};

/*
 * A compression. The decoders take memory from base/alloc.h where their library has a hook
 * (gzip, xz, bzip2); what they need besides small state:
 *
 *   gzip   32 KiB by zlib, 110 KiB by ISA-L        bzip2  4 MiB
 *   xz     the dictionary of the file, 256 MiB at most (64 MiB after xz -9)
 *   zstd   the window of the file, 128 MiB at most (8 MiB after zstd -19)
 *   lz4    4 MiB + 64 KiB at most
 */
struct stoa_compression {
    const char *name; /* for messages: "gzip" */

    /* Says whether a member begins with these bytes; nbytes may be few. */
    enum stoa_inflate_match (*match)(const uint8_t *bytes, size_t nbytes);

    enum stoa_status (*open)(struct stoa_inflate **out, struct stoa_error *err);

    /*
     * Takes some of the nin bytes at `in` and gives up to nout > 0 bytes. A step that neither
     * takes nor gives anything needs more input. Errors have no prefix yet: STOA_ERR_DATA with
     * the library's words, STOA_ERR_LIMIT when a window is too large, STOA_ERR_NOMEM.
     */
    enum stoa_status (*step)(struct stoa_inflate *inflate, const uint8_t *in, size_t nin,
                             uint8_t *out, size_t nout, struct stoa_inflate_step *step,
                             struct stoa_error *err);

    /*
     * Takes a piece off the front, of at most max_nbytes bytes and max_text_nbytes of text. NULL
     * where the format knows no pieces. `whole`: no input follows. Called at the beginning of a
     * member and between steps. nused == 0 and want == 0: there is no piece here, and step() goes
     * on; want > nin only when not `whole`. Errors as those of step().
     */
    enum stoa_status (*split)(struct stoa_inflate *inflate, const uint8_t *in, size_t nin,
                              bool whole, size_t max_nbytes, size_t max_text_nbytes,
                              struct stoa_inflate_piece *piece, struct stoa_error *err);

    /* Makes ready for the next member. */
    enum stoa_status (*next)(struct stoa_inflate *inflate, struct stoa_error *err);
    void (*close)(struct stoa_inflate *inflate);

    bool pieces_only; /* outside of a piece nothing but split() is called */
    unsigned padding; /* runs of this many zero bytes may stand behind a member; 0: none */
};

extern const struct stoa_compression stoa_inflate_gzip;
extern const struct stoa_compression stoa_inflate_xz;
extern const struct stoa_compression stoa_inflate_bzip2;
extern const struct stoa_compression stoa_inflate_zstd;
extern const struct stoa_compression stoa_inflate_lz4;

/* Not found by content: the members of zip archives. */
extern const struct stoa_compression stoa_inflate_deflate;

/* The CRC-32 of gzip and zip, of bytes behind those that have `crc`; 0 at the beginning. */
uint32_t stoa_inflate_crc32(uint32_t crc, const void *bytes, size_t nbytes);

/* With so many bytes, or all of a shorter file, match() is sure. */
#define STOA_INFLATE_PEEK_NBYTES 64

/*
 * Matches a magic number. Fewer bytes that agree are STOA_INFLATE_CUT from ncut bytes on (so many
 * that it can't be text), else STOA_INFLATE_NO.
 */
enum stoa_inflate_match stoa_inflate_match_magic(const uint8_t *bytes, size_t nbytes,
                                                 const void *magic, size_t nmagic, size_t ncut);

/*
 * zstd and LZ4 share the frames that a reader skips, and what follows them decides. Matches a magic
 * number of 4 bytes behind such frames, as far as they were peeked at; one that reaches further is
 * a match for both.
 */
enum stoa_inflate_match stoa_inflate_match_frame(const uint8_t *bytes, size_t nbytes,
                                                 const void *magic, size_t ncut);

/*
 * The compression of a file that begins with these bytes (all of it when nbytes is small), NULL
 * for none. STOA_ERR_DATA: it ends within its first header. STOA_ERR_UNSUPPORTED: archives and
 * compressions that are not read, by name.
 */
STOA_CHECK enum stoa_status stoa_inflate_detect(const uint8_t *bytes, size_t nbytes,
                                                const struct stoa_compression **out,
                                                struct stoa_error *err);

#endif
