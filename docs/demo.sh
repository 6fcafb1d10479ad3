#!/bin/sh
# A year of flights, twelve compressed CSV archives, made into one Stoa file and questioned.
# `make demo` runs it; STOA names the command.
set -eu

STOA=${STOA:-stoa}
here=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
out=$folder/flights.stoa
question="carrier = 'AA' and dep_delay > 60"

step() {
    printf '\n\033[1m$ %s\033[0m\n' "$1"
}

step "stoa convert fixtures/flights-2013-*.csv.xz -o flights.stoa"
"$STOA" convert "$here"/fixtures/flights-2013-*.csv.xz -o "$out"

step "stoa schema flights.stoa"
"$STOA" schema "$out"

step "stoa info flights.stoa"
"$STOA" info "$out"

step "stoa explain flights.stoa --where \"$question\""
"$STOA" explain "$out" --where "$question"

step "stoa cat flights.stoa --where \"$question\" --select month,day,carrier,flight,origin,dest,dep_delay -f table -n 10"
"$STOA" cat "$out" --where "$question" \
    --select month,day,carrier,flight,origin,dest,dep_delay -f table -n 10

step "stoa count flights.stoa --where \"$question\""
selected=$("$STOA" count "$out" --where "$question")
echo "$selected"

# The same question to the archives themselves. awk compares "NA" as text, so it is left out by hand.
step "xzcat fixtures/flights-2013-*.csv.xz | awk -F, '\$10 == \"AA\" && \$6 != \"NA\" && \$6 > 60' | wc -l"
counted=$(xzcat "$here"/fixtures/flights-2013-*.csv.xz |
    awk -F, '$10 == "AA" && $6 != "NA" && $6 > 60 { n++ } END { print n + 0 }')
echo "$counted"

if [ "$selected" != "$counted" ]; then
    echo "the two counts differ" >&2
    exit 1
fi
printf '\nThe same %s flights, both ways.\n' "$selected"
