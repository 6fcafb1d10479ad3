"""What the footer says of single chunks: spec/format.md, sections 17 and 18."""
import struct

import pages
from chunks import SHARED_DICT
from pages import need
from xxh3 import xxh3_64
from zone_maps import bound_kind

ZONE = 8192
SALTS = (0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d,
         0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31)


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


def canonical(value, kind):
    """The bytes of a value whose hash goes into a Bloom filter."""
    if kind == "bytes":
        return bytes(value)
    if kind == "d":
        return struct.pack("<d", value or 0.0)
    nbytes = next(n for n in (8, 16, 32) if -1 << 8 * n - 1 <= value < 1 << 8 * n - 1)
    return int(value).to_bytes(nbytes, "little", signed=True)


def check_bloom(field, chunk, count, note, values):
    """The Bloom filter of a chunk against its values."""
    what, kind = f"{chunk.where}: Bloom filter", bound_kind(field)[0]
    need(kind and not field.below_list, f"{what}: of such a chunk")
    need(note and len(note) % 32 == 0, f"{what}: length")
    hashes = {xxh3_64(canonical(value, kind)) for value in values if value is not None and value == value}
    need(0 < count == len(hashes), f"{what}: n_distinct")
    nblocks, words = len(note) // 32, [0] * (len(note) // 4)
    for h in hashes:
        for i, salt in enumerate(SALTS):
            words[8 * ((h >> 32) * nblocks >> 32) + i] |= 1 << ((h & 0xffffffff) * salt % 2 ** 32 >> 27)
    need(note == struct.pack(f"<{len(words)}I", *words), f"{what}: bits")
