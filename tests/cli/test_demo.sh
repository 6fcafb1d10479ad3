#!/bin/sh
# `make demo`: what it shows, and that awk finds the same flights in the archives.
set -u
cd "$(dirname "$0")/../.." || exit 1

number=0
point() {
    name=$1
    shift
    number=$((number + 1))
    if "$@" >/dev/null 2>&1; then
        echo "ok $number - $name"
    else
        printf '%s\n' "$shown" | sed 's/^/# /'
        echo "not ok $number - $name"
    fi
}
shows() {
    printf '%s\n' "$shown" | grep -qE "$1"
}

shown=$(docs/demo.sh 2>&1)
status=$?
echo 1..9
point "the demo succeeds" [ "$status" = 0 ]
point "a year of flights is converted" shows '^flights\.stoa: 336,776 rows, 19 columns from 12 inputs, 4\.8 MB -> '
point "the file is smaller than the xz archives" shows '\([0-9]{2}\.[0-9]%\)'
point "the schema is shown" shows '^time_hour +timestamp\(s,UTC\) +yes$'
point "the bytes of each column are shown" shows '^tailnum +utf8 +[0-9]+ kB +[0-9.]+% +0 +'
point "every byte is accounted for" shows '^Every byte: .* in all$'
point "the scan is explained" shows '^2,003 rows selected of '
point "ten of the flights are shown" [ "$(printf '%s\n' "$shown" | grep -cE '^ +[0-9]+ +[0-9]+ +AA +')" = 10 ]
point "awk counts as many" shows '^The same 2003 flights, both ways\.$'
