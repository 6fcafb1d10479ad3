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
        pkg-config --define-variable=prefix="$root" "$@" stoa
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
example_selects_rows() {
    printf 'name,n\na,1\nb,2\n,3\n' >"$work/t.csv"
    # shellcheck disable=SC2046 # a list of words
    gcc -std=c11 -Wall -Wextra -Werror docs/examples/print_column.c $(flags --cflags --libs) -o "$work/scan" &&
        "$root/bin/stoa" convert "$work/t.csv" -o "$work/t.stoa" &&
        [ "$(LD_LIBRARY_PATH=$root/lib "$work/scan" "$work/t.stoa" name 'n > 1')" = "$(printf 'b\nnull')" ]
}
has_man_page() {
    cmp docs/man/stoa.1 "$root/share/man/man1/stoa.1"
}
has_version() {
    [ "$("$root/bin/stoa" --version)" = "stoa $(flags --modversion)" ]
}

echo 1..7
point "make install puts files under DESTDIR and PREFIX" \
    env MAKEFLAGS= make -s install DESTDIR="$work/root" PREFIX=/usr
point "the command runs and agrees with stoa.pc on the version" has_version
point "a program builds against the shared library" build_and_run "" ""
point "... and asks for libstoa.so.0" is_shared
point "the example of docs/ builds and selects rows" example_selects_rows
point "the man page is there" has_man_page
point "a program builds against the static library" is_static
