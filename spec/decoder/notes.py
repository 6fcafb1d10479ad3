"""What the footer says of single chunks: spec/format.md, section 17."""
import struct

import pages
from chunks import SHARED_DICT
from pages import need

ZONE = 8192


def read_notes(name, content, count, nnodes, ngroups):
    """What a section of notes says: (node, row group) -> (number, bytes)."""
    entries = list(struct.iter_unpack("<IIII", content[:16 * count]))
    need(len(entries) == count and 16 * count + sum(entry[2] for entry in entries) == len(content),
         f"{name}: length")
    places = [entry[:2] for entry in entries]
    need(all(a < b for a, b in zip(places, places[1:])), f"{name}: order of entries")
    need(all(node < nnodes and group < ngroups for node, group in places), f"{name}: no such chunk")
    notes, at = {}, 16 * count
    for node, group, nbytes, number in entries:
        notes[node, group] = number, content[at:at + nbytes]
        at += nbytes
    return notes


def check_presence(field, chunk, ncodes, note, values):
    """The bitmaps of a chunk against its values."""
    what, nbytes = f"{chunk.where}: presence", -(-ncodes // 8)
    need(chunk.flags & SHARED_DICT and not field.below_list, f"{what}: of such a chunk")
    need(ncodes == len(chunk.entries), f"{what}: n_codes")
    codes = {pages.to_value(entry, chunk.phys): code for code, entry in enumerate(chunk.entries)}
    parts = [values[i:i + ZONE] for i in range(0, len(values), ZONE)]
    if len(note) == nbytes:
        parts = [values]
    need(len(note) == nbytes * len(parts), f"{what}: length")
    for k, part in enumerate(parts):
        used = {codes[value] for value in part if value is not None}
        bits = sum(1 << code for code in used).to_bytes(nbytes, "little")
        need(note[nbytes * k:nbytes * (k + 1)] == bits, f"{what}: bits")
