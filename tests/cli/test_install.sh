#!/bin/sh
# What `make install` puts down is enough to build a program against, shared and static.
set -u

case $STOA_BUILD in
*/release) ;;
*) echo "1..0 # SKIP installs the release build only"; exit 0 ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
number=0
point() {
    name=$1
    shift
    number=$((number + 1))
    if "$@" >"$work/log" 2>&1; then
        echo "ok $number - $name"
    else
        sed 's/^/# /' "$work/log"
        echo "not ok $number - $name"
    fi
}

cat >"$work/program.c" <<'END'
#include <stoa.h>
#include <stdio.h>
#include <string.h>
int main(void)
{
    puts(stoa_version());
    return strcmp(stoa_version(), STOA_VERSION) != 0;
}
END

root=$work/root/usr
flags() {
    PKG_CONFIG_LIBDIR=$root/lib/pkgconfig:$(pkg-config --variable pc_path pkg-config) \
        pkg-config --define-variable=prefix="$root" "$@" "${package:-stoa}"
}
build_and_run() { # build_and_run COMPILER_OPTIONS PKG_CONFIG_OPTIONS
    # shellcheck disable=SC2046,SC2086 # both are lists of words
    gcc -std=c11 $1 "$work/program.c" $(flags --cflags --libs $2) -o "$work/program" &&
        LD_LIBRARY_PATH=$root/lib "$work/program"
}
is_shared() {
    readelf -d "$work/program" | grep -q 'NEEDED.*libstoa\.so\.0'
}
is_static() {
    rm "$root"/lib/libstoa.so*
    build_and_run "" --static && ! is_shared
}
example() { # example NAME ARGUMENTS...: builds docs/examples/NAME.c and runs it
    # shellcheck disable=SC2046 # a list of words
    gcc -std=c11 -Wall -Wextra -Werror "docs/examples/$1.c" $(flags --cflags --libs) -o "$work/$1" || return
    program=$work/$1
    shift
    LD_LIBRARY_PATH=$root/lib "$program" "$@"
}
arrow_arrays_are_written() {
    example write_arrow "$work/lakes.stoa" &&
        [ "$("$root/bin/stoa" cat "$work/lakes.stoa")" = "$(printf 'name,depth_m\nBaikal,1642.0\nTanganyika,1470.0\nVostok,\nCaspian,1025.0')" ]
}
a_predicate_selects_rows() {
    [ "$(example scan_filter "$work/lakes.stoa" depth_m "name > 'C' or depth_m is null")" = 2495 ]
}
a_stream_is_walked() {
    [ "$(example export_stream "$work/lakes.stoa")" = "$(printf 'name u not null\ndepth_m g\n4 rows, 1 nulls')" ]
}
rows_of_avro_c_go_both_ways() {
    printf 'name,depth_m\nBaikal,1642.5\nVostok,\n' > "$work/deep.csv"
    "$root/bin/stoa" convert "$work/deep.csv" -o "$work/deep.avro" &&
        [ "$(package=stoa-avro example avro_values "$work/deep.avro" "$work/deep.stoa")" = "$(printf '%s\n%s' \
            '{"name": {"string": "Baikal"}, "depth_m": {"double": 1642.5}}' \
            '{"name": {"string": "Vostok"}, "depth_m": null}')" ] &&
        [ "$("$root/bin/stoa" cat "$work/deep.stoa")" = "$(cat "$work/deep.csv")" ]
}
a_damaged_file_is_no_shorter_one() {
    head -c -8 "$work/deep.avro" > "$work/cut.avro"
    ! package=stoa-avro example avro_values "$work/cut.avro" "$work/cut.stoa" 2> "$work/cut.err" &&
        grep -q "cut.avro: " "$work/cut.err" && [ ! -e "$work/cut.stoa" ]
}
has_man_page() {
    cmp docs/man/stoa.1 "$root/share/man/man1/stoa.1"
}
has_version() {
    [ "$("$root/bin/stoa" --version)" = "stoa $(flags --modversion)" ]
}

echo 1..11
point "make install puts files under DESTDIR and PREFIX" \
    env MAKEFLAGS= make -s install DESTDIR="$work/root" PREFIX=/usr
point "the command runs and agrees with stoa.pc on the version" has_version
point "a program builds against the shared library" build_and_run "" ""
point "... and asks for libstoa.so.0" is_shared
point "docs/examples/write_arrow.c builds and writes a file" arrow_arrays_are_written
point "docs/examples/scan_filter.c builds and adds up a column" a_predicate_selects_rows
point "docs/examples/export_stream.c builds and walks a stream" a_stream_is_walked
if pkg-config --exists avro-c; then
    point "docs/examples/avro_values.c builds and copies rows of avro-c" rows_of_avro_c_go_both_ways
    point "... and does not take a damaged file for a shorter one" a_damaged_file_is_no_shorter_one
else
    for name in "rows of avro-c are copied" "a damaged file is refused"; do
        number=$((number + 1))
        echo "ok $number - $name # SKIP no avro-c"
    done
fi
point "the man page is there" has_man_page
point "a program builds against the static library" is_static
