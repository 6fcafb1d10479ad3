"""The programs of bench/micro as one more table: inner loops, pages, CSV, numbers, beside the speed
of this machine's memory."""

import json

import places
import report
import tables

PROGRAMS = ("bench_base", "bench_kernels", "bench_pages", "bench_csv", "bench_number",
            "bench_writer")


def run(args):
    """What all of them measure; printed, and given back for the JSON."""
    found = []
    for program in PROGRAMS:
        places.say(f"micro: {program}")
        argv = [places.BUILD / "bench/micro" / program]
        if program == "bench_csv":
            argv.append(tables.path_of(tables.of("flights", args.quick)))
        said = places.run([*argv, "--json"])
        found += [{"program": program, **json.loads(line)} for line in said.splitlines()]
    print("\n".join(["### Micro", "", *report.micro(found), ""]), flush=True)
    return {"measured": found}
