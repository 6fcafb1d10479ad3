/*
 * Literals of predicates against the type of a column.
 *
 * A literal is never rounded into an integer, decimal or time: `x > 2.5` on int64 must not become
 * `x > 2` by accident nor `x > 3` by luck. Instead the answer says where the literal lies among
 * the values of the type:
 *
 *     2.5 against int64      between: *value is 2, the greatest value below
 *     300 against uint8      above all values
 *     -1  against uint8      below all values
 *     7   against uint8      exact: *value is 7
 *
 * so that for a column x and a literal L that is `between` with the value F
 *     x < L  and  x <= L  are  x <= F;    x > L  and  x >= L  are  x > F;    x = L  is never true.
 *
 * Floats take the value nearest to the literal, as reading text does, so that `x = 0.1` finds what
 * was written as 0.1. A literal that would round to infinity is between the
 * largest number and infinity.
 */
#ifndef STOA_COLUMN_CAST_H
#define STOA_COLUMN_CAST_H

#include "column/scalar.h"

enum stoa_literal_kind {
    STOA_LITERAL_NUMBER, /* text is decimal text as it was written: "2.5", "-1e9" */
    STOA_LITERAL_TEXT,   /* text is what stands between the quotes, quotes undoubled */
    STOA_LITERAL_BYTES,  /* text is the bytes of x'00ff' */
    STOA_LITERAL_BOOL,   /* text is "true" or "false" */
};

/* `text` is borrowed and need not be terminated. */
struct stoa_literal {
    enum stoa_literal_kind kind;
    const char *text;
    size_t nbytes;
};

enum stoa_cast {
    STOA_CAST_EXACT,
    STOA_CAST_BELOW, /* of all values of the type */
    STOA_CAST_ABOVE,
    STOA_CAST_BETWEEN, /* *value is the greatest value of the type below the literal */
};

/* Bytes of a value that a literal spells in another way: a uuid. */
#define STOA_CAST_STORAGE_NBYTES 16

/*
 * Where a literal lies among the values of a type, which has a kind (column/scalar.h).
 *
 * value    the scalar of the type's kind for EXACT and BETWEEN; its bytes, if any, are those of
 *          the literal or of `storage`, which the caller keeps as long as the scalar.
 * Takes    NUMBER: integers, floats, decimals. TEXT: those too when it is decimal text (for floats
 *          also nan and inf), bool, dates, times and durations as ISO text, utf8 and binary as they
 *          are, uuid, and an enum's symbol. BYTES: utf8, binary, fixed_binary and uuid, of any
 * length. BOOL: bool. Errors   STOA_ERR_USAGE "'abc' is not int64", with what would help: also for
 * a timestamp whose text has a zone where the column has none, or has none where the column has
 * one. err->offset is not set.
 */
STOA_CHECK enum stoa_status stoa_cast_literal(const struct stoa_field *field,
                                              const struct stoa_literal *literal,
                                              enum stoa_cast *cast, struct stoa_scalar *value,
                                              uint8_t storage[STOA_CAST_STORAGE_NBYTES],
                                              struct stoa_error *err);

#endif
