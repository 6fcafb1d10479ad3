#!/usr/bin/env python3
"""Reads a Stoa file by the letter of spec/format.md, with Python's standard library alone.

usage: stoa_decode.py [--walk] [--text] FILE

Prints every row as a line of JSON, like `stoa cat -f jsonl`. The normal way goes through the
trailer, as a reader does; --walk goes from object to object and never looks at the footer, as
recovery does. --text prints side tables and sources instead of rows. All check every hash on their way. A damaged file ends with one line on stderr and
exit status 4; rows of row groups before the damage have been printed then.

The `zstd` command must be there for files with compressed payloads.
"""
import argparse
import json
import struct
import sys

import notes
import pages
import source_text
from chunks import DERIVED, SHARED_DICT, Chunk, Segment, read_nodes
from pages import Damage, need, verify, zeros
from schema import NONE32, Cursor, assemble, columns_of, parse_nodes, zone_ends
from text import json_text
from xxh3 import xxh3_64
from zone_maps import Zone, bound_kind

OBJECT_MAGIC = bytes.fromhex("8b53544f410d0a1a")
TRAILER_MAGIC = OBJECT_MAGIC[::-1]
HEAD, SCHM, DICT, SIDE, RGRP, FOOT, PAD = range(1, 8)
SLICE, ZONE = 65536, 8192
NESTED = 1 << 2  # the feature
MAX_NVALUES = 2 ** 31 - 1
(COLUMNS, NAMES, POOL, ROW_GROUPS, CHUNKS, STATISTICS, DICTIONARIES, SOURCES, METADATA,
 SIDES) = range(1, 11)
BLOOM, PRESENCE, ORDER = 11, 12, 14
REQUIRED, SLICED, BY_COLUMN = 1, 2, 4
REFUSED = (Damage, struct.error, ValueError, LookupError)  # what a file that is wrong can raise
FEATURES = ["encryption", "derived columns", "nested columns"]


def check_features(features):
    unknown = [FEATURES[bit] if bit < len(FEATURES) else f"feature {bit}"
               for bit in range(32) if (features & ~NESTED) >> bit & 1]
    need(not unknown, "needs " + ", ".join(unknown))


def check_feature(features, nodes, where):
    nested = any(node.type in ("list", "fixed_list", "struct", "map") for node in nodes)
    need(not nested or features & NESTED, f"{where}: nested columns without their feature")


# ---- Through the footer: sections 10 and 11. ----

class File:
    """A file as its trailer tells it."""

    def __init__(self, data):
        self.data = data
        need(len(data) >= 128 and data[-8:] == TRAILER_MAGIC, "no trailer")
        (self.footer_off, file_len, self.total_rows, nsections, features, version, packed_len,
         self.nnodes, table_hash) = struct.unpack("<QQQIIHHIQ", data[-64:-16])
        verify(data[-64:-16], struct.unpack("<Q", data[-16:-8])[0], "trailer")
        need(version >> 8 == 1, f"version {version >> 8}")
        check_features(features)
        self.features = features
        need(file_len == len(data), f"file_len is {file_len}, the file has {len(data)} bytes")
        if packed_len:
            self.data = data = self.unpack(packed_len)
        table_off = len(data) - 64 - 32 * nsections
        table = data[table_off:-64]
        verify(table, table_hash, "section table")
        self.sections, places = {}, [(table_off, table_off)]
        for k in range(nsections):
            kind, flags, zero, count, offset, length, section_hash = struct.unpack_from(
                "<BBHIQQQ", table, 32 * k)
            need(kind <= SIDES or kind in (BLOOM, PRESENCE, ORDER) or not flags & REQUIRED, f"section {kind} is required")
            need(zero == 0 and all(kind > other for other in self.sections), f"section {kind}: order")
            need(self.footer_off + 64 <= offset and offset + length <= table_off,
                 f"section {kind}: place")
            places.append((offset, offset + length))
            self.sections[kind] = self.section(kind, flags, data[offset:offset + length], count,
                                               section_hash, offset)
        at = self.footer_off + 64
        for begin, end in sorted(places):
            need(at <= begin, "sections that overlap")
            zeros(data[at:begin], "footer")
            at = end
        self.load()

    def unpack(self, packed_len):
        """The file as if its footer were not packed."""
        data, body = self.data, self.footer_off + 64
        header = data[body - 64:body]
        need(len(header) == 64 and header[:8] == OBJECT_MAGIC and header[8] == FOOT,
             "packed footer: no header")
        body_len, _, dir_len, _, _, dir_hash, header_hash = struct.unpack_from("<QIIQQQQ", header, 16)
        verify(header[:56], header_hash, "packed footer: header")
        need(body + body_len == len(data) and dir_len <= body_len - 64, "packed footer: body_len")
        frame = data[body:body + dir_len]
        verify(frame, dir_hash, "packed footer")
        zeros(data[body + dir_len:-64], "packed footer")
        return data[:body] + pages.inflate(frame, packed_len) + data[-64:]

    @staticmethod
    def section(kind, flags, data, count, section_hash, offset):
        """(content, count, offset), verified unless it is BY_COLUMN."""
        if flags & BY_COLUMN:
            return data, count, offset
        if not flags & SLICED:
            need(len(data) <= SLICE, f"section {kind}: not SLICED")
            verify(data, section_hash, f"section {kind}")
            return data, count, offset
        nslices = -(-len(data) // (SLICE + 8))
        hashes, content = data[:8 * nslices], data[8 * nslices:]
        verify(hashes, section_hash, f"section {kind}")
        for k in range(nslices):
            verify(content[SLICE * k:SLICE * (k + 1)], struct.unpack_from("<Q", hashes, 8 * k)[0],
                   f"section {kind}: slice {k}")
        return content, count, offset

    def content(self, kind):
        return self.sections.get(kind, (b"",))[0]

    def part(self, kind, offset, nbytes, part_hash, what):
        """Bytes of a BY_COLUMN section."""
        data, _, start = self.sections.get(kind, (b"", 0, offset))
        need(start <= offset and offset + nbytes <= start + len(data), f"{what}: place")
        if nbytes:
            verify(self.data[offset:offset + nbytes], part_hash, what)
        return self.data[offset:offset + nbytes]

    def load(self):
        directory, pool = self.content(COLUMNS), self.content(POOL)
        need(len(directory) == 64 * self.nnodes, "column directory: length")
        columns = [directory[i:i + 64] for i in range(0, len(directory), 64)]
        self.fields = parse_nodes(b"".join(column[:24] for column in columns), pool)
        check_feature(self.features, self.fields, "trailer")
        metadata = self.content(METADATA)
        self.metadata = Cursor(metadata).pairs() if metadata else {}
        self.check_names()
        self.load_order()
        self.load_groups()
        self.load_source_text()
        self.load_dictionaries()
        self.blooms, self.presence = (
            notes.read_notes(name, *self.sections.get(kind, (b"", 0))[:2], self.nnodes, len(self.groups))
            for kind, name in ((BLOOM, "Bloom filters"), (PRESENCE, "presence")))
        ngroups, nzones = len(self.groups), sum(-(-rows // ZONE) for _, rows in self.groups)
        nentries = (self.total_rows > 0) + (ngroups if ngroups > 1 else 0) \
            + (nzones if nzones > ngroups else 0)
        self.chunks, self.zones = [], []
        for field, column in zip(self.fields, columns):
            chunks_off, chunks_hash, stats_off, stats_hash, stride = struct.unpack_from(
                "<QQQQH", column, 24)
            zeros(column[58:], "column directory")
            what = f"column {field.path}"
            self.chunks.append(self.part(CHUNKS, chunks_off, 32 * ngroups, chunks_hash,
                                         what + ": chunk entries"))
            need(stride == 2 * bound_kind(field)[1] + (16 if field.below_list else 8) or not nentries,
                 what + ": stats_stride")
            stats = self.part(STATISTICS, stats_off, stride * nentries, stats_hash,
                              what + ": statistics")
            self.zones.append([Zone(stats[i:i + stride], field)
                               for i in range(0, len(stats), stride)] if stride else [])

    def load_order(self):
        """The keys that the rows are sorted by: (number of the node, DESCENDING, NULLS_FIRST)."""
        content, count = self.content(ORDER), self.sections.get(ORDER, (b"", 0))[1]
        need(len(content) == 8 * count and count <= 32, "order: length")
        self.order = []
        for node, flags, zero in struct.iter_unpack("<IB3s", content):
            zeros(zero, "order")
            need(flags < 4 and node < self.nnodes, "order: a key")
            field = self.fields[node]
            need(field.parent is None and bound_kind(field)[0] or field.type == "null", "order: its column")
            need(all(node != other for other, _, _ in self.order), "order: a column twice")
            self.order.append((node, bool(flags & 1), bool(flags & 2)))

    def check_order(self, row, after):
        """Two rows, one behind the other: the values of their keys."""
        for (_, descending, nulls_first), a, b in zip(self.order, row, after):
            if a is None or b is None:
                if (a is None) == (b is None):
                    continue
                need((a is None) == nulls_first, "order: a null")
                return
            a, b = ((value != value, 0 if value != value else value) for value in (a, b))  # NaN
            if a != b:
                need((a > b) == descending, "order: rows")
                return

    def check_names(self):
        slots = self.content(NAMES)
        nslots = len(slots) // 4
        need(not self.fields or (nslots >= 2 * len(columns_of(self.fields))
                                 and nslots & nslots - 1 == 0), "names: number of slots")
        for number, field in enumerate(self.fields):
            if field.parent is not None:
                continue
            slot = xxh3_64(field.name.encode()) % nslots
            for _ in range(nslots):
                entry = struct.unpack_from("<I", slots, 4 * slot)[0]
                need(entry != 0, f"names: column {field.name} is not found")
                if entry == number + 1:
                    break
                slot = (slot + 1) % nslots

    def load_groups(self):
        self.groups, row, zone = [], 0, 0
        table = self.content(ROW_GROUPS)
        for i in range(0, len(table), 40):
            offset, header_hash, first_row, first_zone, nrows, zero = struct.unpack_from(
                "<QQQQII", table, i)
            what = f"row group {len(self.groups)}"
            need(1 <= nrows <= 1 << 24 and zero == 0, f"{what}: rows")
            need((first_row, first_zone) == (row, zone), f"{what}: first row or zone")
            header = self.data[offset:offset + 64]
            need(header[56:] == struct.pack("<Q", header_hash), f"{what}: header_hash")
            self.groups.append((offset, nrows))
            row, zone = row + nrows, zone + -(-nrows // ZONE)
        need(row == self.total_rows, "total_rows")

    def load_source_text(self):
        table, count = self.content(SIDES), self.sections.get(SIDES, (b"", 0))[1]
        need(len(table) == 24 * count, "side tables: length")
        self.sides = [source_text.side_of_footer(self.data[:self.footer_off], table[i:i + 24],
                                                 self.groups, len(columns_of(self.fields)), Chunk)
                      for i in range(0, len(table), 24)]
        groups = [group for group, _ in self.sides]
        need(groups == sorted(set(groups)), "side tables: order")
        self.sources = source_text.read_sources(self.content(SOURCES),
                                                self.sections.get(SOURCES, (b"", 0))[1],
                                                self.total_rows)

    def source_text(self):
        """Side tables and sources as JSON."""
        for group, entries in self.sides:
            for entry in entries:
                yield source_text.json_of_side(group, *entry)
        yield from map(source_text.json_of_source, self.sources)

    def load_dictionaries(self):
        self.segments = []
        table = self.content(DICTIONARIES)
        for i in range(0, len(table), 48):
            (segment_id, offset, copy_offset, dir_hash, prev_index, first_code, count, phys,
             zero) = struct.unpack_from("<QQQQIIIB3s", table, i)
            what = f"dictionary segment {len(self.segments)}"
            zeros(zero, what)
            need(prev_index == NONE32 or prev_index < len(self.segments), f"{what}: prev_index")
            prev = None if prev_index == NONE32 else self.segments[prev_index]
            for place in (offset, copy_offset):
                if place == 0:
                    continue
                segment = Segment(what, self.data[place + 64:self.footer_off], prev)
                need((segment.id, segment.dir_hash, segment.first_code, segment.count, segment.phys)
                     == (segment_id, dir_hash, first_code, count, phys), f"{what}: its entry")
            self.segments.append(segment)

    def nvalues_of(self, number, group):
        """How many values the chunk of a node has."""
        if not self.fields[number].below_list:
            return self.groups[group][1]
        entry = self.zones[number][1 + group if len(self.groups) > 1 else 0]
        need(entry.nvalues <= MAX_NVALUES, "statistics: n_values")
        return entry.nvalues

    def values_of(self, group):
        """The values of each node in a row group."""
        chunks = []
        for number, (field, entries) in enumerate(zip(self.fields, self.chunks)):
            (chunk_off, length, nnulls, chunk_hash, dict_index, page_shift, phys, encoding,
             flags) = struct.unpack_from("<QIIQIBBBB", entries, 32 * group)
            need(bool(flags & (SHARED_DICT | DERIVED)) == (dict_index != NONE32), "dict_index")
            dictionary = self.segments[dict_index].entries if flags & SHARED_DICT else None
            chunk = Chunk(f"row group {group}: column {field.path}",
                          self.data[chunk_off:chunk_off + length], self.nvalues_of(number, group),
                          nnulls, page_shift, phys, flags, chunk_hash, dictionary)
            chunks.append((field, chunk, dict_index))
        values = read_nodes(chunks)
        for number, (field, chunk, _) in enumerate(chunks):
            if (number, group) in self.blooms:
                notes.check_bloom(field, chunk, *self.blooms[number, group], values[field])
            if (number, group) in self.presence:
                notes.check_presence(field, chunk, *self.presence[number, group], values[field])
        return values

    def check_zones(self, number, field, values_of_groups, ends_of_groups):
        """All zone maps of a node against its values."""
        zones = iter(self.zones[number])
        levels = [[sum(values_of_groups, [])]]
        if len(values_of_groups) > 1:
            levels.append(values_of_groups)
        blocks = [values[begin:end] for values, ends in zip(values_of_groups, ends_of_groups)
                  for begin, end in zip([0] + ends, ends)]
        if len(blocks) > len(values_of_groups):
            levels.append(blocks)
        for level, parts in zip(("file", "row group", "zone"), levels):
            for place, values in enumerate(parts):
                next(zones).check(values, f"column {field.path}: statistics of {level} {place}")

    def rows(self):
        """(fields, columns) of each row group in order."""
        kept = {field: ([], []) for field in self.fields}
        for group in range(len(self.groups)):
            values, nrows = self.values_of(group), self.groups[group][1]
            columns = columns_of(self.fields)
            yield columns, [assemble(field, values) for field in columns]
            ends = {}
            for field in self.fields:
                if field.parent is None:
                    ends[field] = [min(end, nrows) for end in range(ZONE, nrows + ZONE, ZONE)]
                else:
                    ends[field] = zone_ends(field.parent, values[field.parent], ends[field.parent])
                kept[field][0].append(values[field])
                kept[field][1].append(ends[field])
        for number, field in enumerate(self.fields):
            if self.groups:
                self.check_zones(number, field, *kept[field])
        keys = [sum(kept[self.fields[node]][0], []) for node, _, _ in self.order]
        rows = list(zip(*keys))
        for row, after in zip(rows, rows[1:]):
            self.check_order(row, after)


# ---- From object to object: section 3. ----

class Walk:
    """A file without its footer. Segments and schemas are found by their ids."""

    def __init__(self, data):
        self.data = data
        self.schemas, self.segments = {}, {}
        self.group, self.fields = None, []  # of the last row group: its header's hash and rows

    def objects(self):
        """(kind, flags, header values, body) of each object."""
        at, row = 0, None
        while at < len(self.data):
            header = self.data[at:at + 64]
            what = f"object at {at}"
            need(len(header) == 64 and header[:8] == OBJECT_MAGIC, f"{what}: no magic number")
            (kind, flags, version, features, body_len, nrows, dir_len, stream_row, ref_id, dir_hash,
             header_hash) = struct.unpack_from("<BBHIQIIQQQQ", header, 8)
            verify(header[:56], header_hash, what)
            need(version >> 8 == 1, f"{what}: version {version >> 8}")
            check_features(features)
            body = self.data[at + 64:at + 64 + body_len]
            need(body_len % 64 == 0 and len(body) == body_len, f"{what}: body_len")
            row = 0 if kind == HEAD else row
            need(row is not None and stream_row == row, f"{what}: stream_row")
            if dir_len and kind != FOOT:
                verify(body[:dir_len], dir_hash, f"{what}: directory")
            if kind == RGRP:
                self.group = (header_hash, nrows)
            yield at, kind, nrows, dir_len, ref_id, features, body
            row += nrows
            at += 64 + body_len

    def schema(self, body, dir_len, ref_id):
        nnodes, ncolumns, pool_len, _ = struct.unpack_from("<IIII", body)
        content, raw_len = body[16:dir_len], 24 * nnodes + pool_len
        if len(content) < raw_len:
            need(raw_len <= 65536, "schema: a packed one that is too large")
            content = pages.inflate(content, raw_len)
        need(len(content) == raw_len, "schema: dir_len")
        need(xxh3_64(body[:16] + content) == ref_id, "schema: id")
        nodes = parse_nodes(content[:24 * nnodes], content[24 * nnodes:])
        need(len(columns_of(nodes)) == ncolumns, "schema: n_columns")
        self.schemas[ref_id] = nodes
        return dir_len

    def dictionary(self, at, body, dir_len, ref_id):
        prev_id = struct.unpack_from("<Q", body)[0]
        need(prev_id == 0 or prev_id in self.segments, f"dictionary at {at}: its chain is not there")
        segment = Segment(f"dictionary at {at}", body, self.segments.get(prev_id))
        need(segment.id == ref_id and segment.dir_len == dir_len, f"dictionary at {at}: id")
        self.segments[ref_id] = segment
        return segment.end

    def row_group(self, at, body, nrows, dir_len, fields):
        need(dir_len == 40 * len(fields), f"row group at {at}: dir_len")
        end, chunks = dir_len, []
        for k, field in enumerate(fields):
            (offset, length, nvalues, nnulls, page_shift, phys, encoding, flags, chunk_hash,
             dict_id) = struct.unpack_from("<QIIIBBBBQQ", body, 40 * k)
            what = f"row group at {at}: column {field.path}"
            need(nvalues == nrows or (field.below_list and nvalues <= MAX_NVALUES), f"{what}: n_values")
            if length:
                begin = offset - 64
                need(begin == end + -end % 8, f"{what}: offset")
                zeros(body[end:begin], what)
                end = begin + length
            data = body[offset - 64:offset - 64 + length] if length else b""
            need(flags & DERIVED or bool(flags & SHARED_DICT) == (dict_id != 0), f"{what}: dict_id")
            need(not flags & SHARED_DICT or dict_id in self.segments, f"{what}: its dictionary is not there")
            dictionary = self.segments[dict_id].entries if flags & SHARED_DICT else None
            chunk = Chunk(what, data, nvalues, nnulls, page_shift, phys, flags, chunk_hash, dictionary)
            chunks.append((field, chunk, dict_id))
        values = read_nodes(chunks)
        return end, [assemble(field, values) for field in columns_of(fields)]

    def rows(self):
        for at, kind, nrows, dir_len, ref_id, features, body in self.objects():
            end = 0
            if kind == SCHM:
                end = self.schema(body, dir_len, ref_id)
            elif kind == DICT:
                end = self.dictionary(at, body, dir_len, ref_id)
            elif kind == RGRP:
                need(ref_id in self.schemas, f"row group at {at}: its schema is not there")
                self.fields = fields = self.schemas[ref_id]
                check_feature(features, fields, f"row group at {at}")
                end, columns = self.row_group(at, body, nrows, dir_len, fields)
                yield columns_of(fields), columns
            elif kind == SIDE:
                need(self.group and self.group[0] == ref_id, f"side table at {at}: its row group")
                source_text.side_table(f"side table at {at}", Chunk, body, dir_len, self.group[1],
                                       len(columns_of(self.fields)))
                end = len(body)
            elif kind not in (HEAD, PAD):
                end = len(body)
            need(end <= len(body), f"object at {at}: longer than its body")
            zeros(body[end:], f"object at {at}")


def main():
    parser = argparse.ArgumentParser(description="Prints the rows of a Stoa file as JSON lines.")
    parser.add_argument("--walk", action="store_true", help="go from object to object, without the footer")
    parser.add_argument("--text", action="store_true", help="side tables and sources, not rows")
    parser.add_argument("file")
    args = parser.parse_args()
    with open(args.file, "rb") as file:
        data = file.read()
    try:
        if args.text:
            for item in File(data).source_text():
                print(json.dumps(item, ensure_ascii=False, separators=(",", ":")))
            return 0
        for fields, columns in (Walk(data) if args.walk else File(data)).rows():
            names = [json.dumps(field.name, ensure_ascii=False) for field in fields]
            texts = [[json_text(value, field) for value in column]
                     for field, column in zip(fields, columns)]
            for row in zip(*texts):
                sys.stdout.write("{" + ",".join(f"{n}:{t}" for n, t in zip(names, row)) + "}\n")
    except REFUSED as damage:
        print(f"{args.file}: {damage}", file=sys.stderr)
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main())
