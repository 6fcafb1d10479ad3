#!/bin/sh
# A year of flights, twelve compressed CSV archives, made into one Stoa file and questioned.
# `make demo` runs it; STOA names the command.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
STOA=$(command -v "${STOA:-stoa}") || { echo "there is no stoa: run make demo" >&2; exit 1; }
STOA=$(realpath "$STOA")
archives=$here/fixtures/flights-2013
question="carrier = 'AA' and dep_delay > 60"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

bold='' plain=''
[ ! -t 1 ] || bold=$(printf '\033[1m') plain=$(printf '\033[0m')
step() {
    printf '\n%s$ %s%s\n' "$bold" "$1" "$plain"
}

step "stoa convert fixtures/flights-2013-*.csv.xz -o flights.stoa"
"$STOA" convert "$archives"-*.csv.xz -o flights.stoa

step "stoa schema flights.stoa"
"$STOA" schema flights.stoa

step "stoa info flights.stoa"
"$STOA" info flights.stoa

step "stoa explain flights.stoa --where \"$question\""
"$STOA" explain flights.stoa --where "$question"

step "stoa explain flights.stoa --where \"month = 7 and $question\" --select flight"
"$STOA" explain flights.stoa --where "month = 7 and $question" --select flight

columns=month,day,carrier,flight,origin,dest,dep_delay
step "stoa cat flights.stoa --where \"$question\" --select $columns --format table --limit 10"
"$STOA" cat flights.stoa --where "$question" --select $columns --format table --limit 10

step "stoa count flights.stoa --where \"$question\""
selected=$("$STOA" count flights.stoa --where "$question")
echo "$selected"

# The same question to the archives themselves. awk compares "NA" as text, so it is left out by hand.
step "xzcat fixtures/flights-2013-*.csv.xz | awk -F, '\$10 == \"AA\" && \$6 != \"NA\" && \$6 > 60' | wc -l"
counted=$(xzcat "$archives"-*.csv.xz | awk -F, '$10 == "AA" && $6 != "NA" && $6 > 60' | wc -l)
echo "$counted"

if [ "$selected" != "$counted" ]; then
    echo "the two counts differ" >&2
    exit 1
fi
printf '\nThe same %s flights, both ways.\n' "$selected"
