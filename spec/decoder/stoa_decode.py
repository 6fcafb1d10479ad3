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

import pages
import source_text
from pages import BYTES, FIXED, NONE, Damage, need
from text import json_text
from xxh3 import xxh3_64

OBJECT_MAGIC = bytes.fromhex("8b53544f410d0a1a")
TRAILER_MAGIC = OBJECT_MAGIC[::-1]
HEAD, SCHM, DICT, SIDE, RGRP, FOOT, PAD = range(1, 8)
NONE32 = 0xFFFFFFFF
SLICE, ZONE = 65536, 8192
DICT_PAGE = 4096
LOCAL_DICT, SHARED_DICT, ALL_NULL, ALL_VALID, DERIVED = 1, 2, 4, 8, 16
NESTED = 1 << 2  # the feature
MAX_DEPTH, MAX_NVALUES = 32, 2 ** 31 - 1
(COLUMNS, NAMES, POOL, ROW_GROUPS, CHUNKS, STATISTICS, DICTIONARIES, SOURCES, METADATA,
 SIDES) = range(1, 11)
ORDER = 14
REQUIRED, SLICED, BY_COLUMN = 1, 2, 4
REFUSED = (Damage, struct.error, ValueError, LookupError)  # what a file that is wrong can raise
FEATURES = ["encryption", "derived columns", "nested columns"]

TYPES = {1: "null", 2: "bool", 3: "int8", 4: "int16", 5: "int32", 6: "int64", 7: "uint8",
         8: "uint16", 9: "uint32", 10: "uint64", 11: "float16", 12: "float32", 13: "float64",
         14: "decimal", 15: "date32", 16: "time", 17: "timestamp", 18: "duration", 19: "interval",
         20: "utf8", 21: "binary", 22: "fixed_binary", 23: "uuid", 24: "enum", 25: "list",
         26: "fixed_list", 27: "struct", 28: "map"}
PHYS = {"null": NONE, "bool": pages.U8, "int8": pages.I8, "int16": pages.I16, "int32": pages.I32,
        "int64": pages.I64, "uint8": pages.U8, "uint16": pages.U16, "uint32": pages.U32,
        "uint64": pages.U64, "float16": pages.F16, "float32": pages.F32, "float64": pages.F64,
        "date32": pages.I32, "timestamp": pages.I64, "duration": pages.I64, "interval": FIXED,
        "utf8": BYTES, "binary": BYTES, "fixed_binary": FIXED, "uuid": FIXED, "enum": pages.U32,
        "list": pages.U32, "fixed_list": NONE, "struct": NONE, "map": pages.U32}
BASES = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "decimal", "date32",
         "time", "timestamp", "duration", "enum", "utf8", "binary")  # what a column may be derived from
NCHILDREN = {"list": 1, "fixed_list": 1, "map": 1}  # struct: any; all others: 0


def zeros(data, what):
    need(not any(data), f"{what}: bytes that must be zero are not")


def verify(data, expected, what):
    need(xxh3_64(data) == expected, f"{what}: hash differs")


def check_features(features):
    unknown = [FEATURES[bit] if bit < len(FEATURES) else f"feature {bit}"
               for bit in range(32) if (features & ~NESTED) >> bit & 1]
    need(not unknown, "needs " + ", ".join(unknown))


class Cursor:
    """Takes numbers and bytes off the front of a string."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, nbytes):
        need(nbytes <= len(self.data) - self.at, "a structure ends early")
        self.at += nbytes
        return self.data[self.at - nbytes:self.at]

    def numbers(self, layout):
        return struct.unpack("<" + layout, self.take(struct.calcsize("<" + layout)))

    def text(self):
        return self.take(self.numbers("I")[0]).decode()

    def pairs(self):
        return {self.text(): self.text() for _ in range(self.numbers("I")[0])}


# ---- Schema: section 4. ----

class Field:
    """A node record with its name and parameters."""

    def __init__(self, record, pool):
        (name_off, name_len, kind, flags, self.parent_number, self.nchildren, self.id,
         params_off) = struct.unpack("<IHBBIIII", record)
        self.parent, self.children, self.depth = None, [], 1
        need(name_off + name_len <= len(pool), "a name outside the pool")
        self.name = pool[name_off:name_off + name_len].decode()
        need(kind in TYPES, f"column {self.name}: type {kind} is not known")
        need(flags < 2, f"column {self.name}: flags of its node")
        need(TYPES[kind] == "struct" or self.nchildren == NCHILDREN.get(TYPES[kind], 0),
             f"column {self.name}: number of children")
        self.type, self.nullable, self.metadata = TYPES[kind], bool(flags & 1), {}
        type_bytes = b""
        if params_off != NONE32:
            need(params_off <= len(pool), "parameters outside the pool")
            params = Cursor(pool[params_off:])
            type_bytes = params.take(params.numbers("I")[0])
            self.metadata = params.pairs()
        self.parse_type(Cursor(type_bytes))
        self.below_list, self.can_be_null = False, self.nullable

    @property
    def path(self):
        return self.name if self.parent is None else f"{self.parent.path}.{self.name}"

    @property
    def has_lengths(self):
        return self.type in ("list", "map")

    def set_parent(self, parent):
        """What comes down from above."""
        self.parent, self.depth = parent, parent.depth + 1
        self.below_list = parent.below_list or parent.type != "struct"
        self.can_be_null = self.nullable or (parent.can_be_null and not parent.has_lengths)
        parent.children.append(self)

    def parse_type(self, params):
        self.width = 16 if self.type in ("uuid", "interval") else 0
        self.phys = PHYS.get(self.type)
        if self.type == "decimal":
            self.precision, self.scale = params.numbers("BB")
            self.phys = (pages.I64 if self.precision <= 18 else
                         pages.I128 if self.precision <= 38 else pages.I256)
        elif self.type == "time":
            self.unit = params.numbers("B")[0]
            self.phys = pages.I32 if self.unit < 2 else pages.I64
        elif self.type == "timestamp":
            self.unit = params.numbers("B")[0]
            self.zone = params.take(len(params.data) - 1).decode()
        elif self.type == "duration":
            self.unit = params.numbers("B")[0]
        elif self.type in ("fixed_binary", "fixed_list"):
            self.width = params.numbers("I")[0]
        elif self.type == "enum":
            self.symbols = [params.take(params.numbers("H")[0]).decode()
                            for _ in range(params.numbers("I")[0])]
        need(params.at == len(params.data), f"column {self.name}: parameters of its type")

    def check(self, value):
        """What a column promises of a value beyond its physical type."""
        need(value is not None or self.can_be_null, f"column {self.path}: a null")
        if value is None:
            return
        if self.type == "utf8":
            try:
                value.decode()
            except UnicodeDecodeError:
                raise Damage(f"column {self.name}: text that is not UTF-8") from None
        elif self.type == "bool":
            need(value <= 1, f"column {self.name}: a bool of {value}")
        elif self.type == "enum":
            need(value < len(self.symbols), f"column {self.name}: a symbol that is not there")


def widens(narrow, wide):
    if narrow == wide:
        return True
    signed = range(pages.I8, pages.I64 + 1)
    unsigned = range(pages.U8, pages.U64 + 1)
    if wide in (pages.I128, pages.I256):
        return narrow in signed or (narrow, wide) == (pages.I128, pages.I256)
    if wide == pages.F64:
        return narrow == pages.F32
    if narrow in signed:
        return wide in signed and narrow < wide
    return (narrow in unsigned and (wide in signed or wide in unsigned)
            and pages.WIDTH[narrow] < pages.WIDTH[wide])


def parse_nodes(records, pool):
    """The nodes, depth first, linked to their parents and children."""
    nodes, open_nodes = [], []  # those whose children are still to come
    for number, at in enumerate(range(0, len(records), 24)):
        node = Field(records[at:at + 24], pool)
        while open_nodes and len(open_nodes[-1][1].children) == open_nodes[-1][1].nchildren:
            open_nodes.pop()
        expected = open_nodes[-1][0] if open_nodes else NONE32
        need(node.parent_number == expected, f"node {number}: its parent")
        if open_nodes:
            node.set_parent(open_nodes[-1][1])
        need(node.depth <= MAX_DEPTH, f"node {number}: nested too deep")
        open_nodes.append((number, node))
        nodes.append(node)
    need(all(len(node.children) == node.nchildren for node in nodes), "a node without its children")
    columns = columns_of(nodes)
    for siblings in [columns] + [node.children for node in nodes]:
        need(len({field.name for field in siblings}) == len(siblings), "two columns of one name")
    for node in nodes:
        if node.type == "map":
            entries = node.children[0]
            need(entries.type == "struct" and entries.nchildren == 2 and not entries.nullable
                 and not entries.children[0].nullable, f"column {node.path}: entries of a map")
    return nodes


def columns_of(nodes):
    return [node for node in nodes if node.parent is None]


def check_feature(features, nodes, where):
    nested = any(node.type in ("list", "fixed_list", "struct", "map") for node in nodes)
    need(not nested or features & NESTED, f"{where}: nested columns without their feature")


# ---- Nested columns: section 5. ----

def nvalues_below(field, values):
    """How many values each child of a node has, by the node's own."""
    if field.has_lengths:
        return sum(length for length in values if length is not None)
    return len(values) * (field.width if field.type == "fixed_list" else 1)


def check_nulls(field, values, parent):
    """A part of a null struct or fixed_list is null; elsewhere only what is nullable."""
    width = field.parent.width if field.parent.type == "fixed_list" else 1
    for i, value in enumerate(values):
        inherited = parent[i // width] is None
        need(value is None or not inherited, f"column {field.path}: a value in a null")
        need(value is not None or inherited or field.nullable, f"column {field.path}: a null")


def assemble(field, values):
    """The values of a node with all that is below it: None, a leaf's value, a list, or for a struct
    a tuple. `values` maps each node to its own."""
    own = values[field]
    if not field.children and field.type != "struct":
        return own
    parts = [assemble(child, values) for child in field.children]
    if field.type == "struct":
        return [None if value is None else tuple(part[i] for part in parts)
                for i, value in enumerate(own)]
    made, at = [], 0
    for value in own:
        n = field.width if field.type == "fixed_list" else (value or 0)
        made.append(None if value is None else parts[0][at:at + n])
        at += n
    return made


def zone_ends(field, values, ends):
    """Where the values of each child end whose own node's zones end at `ends`."""
    if field.type == "fixed_list":
        return [end * field.width for end in ends]
    if not field.has_lengths:
        return ends
    made, at, total = [], 0, 0
    for end in ends:
        total += sum(length or 0 for length in values[at:end])
        made.append(total)
        at = end
    return made


# ---- Chunks: section 5. ----

class Chunk:
    """Where a chunk is and what it needs; dictionary: raw entries of its shared chain, or None."""

    def __init__(self, where, data, nvalues, nnulls, page_shift, phys, flags, chunk_hash, dictionary):
        self.where, self.data, self.nvalues, self.nnulls = where, data, nvalues, nnulls
        self.page_shift, self.phys, self.flags = page_shift, phys, flags
        self.hash, self.dictionary = chunk_hash, dictionary
        self.first_child = [0]  # of each page with values
        self.bases = None  # of a derived chunk, once they are known: the values of each
        need(flags <= 31 and page_shift <= 16, f"{where}: flags or page_shift")
        need(flags & DERIVED == 0 or flags == DERIVED, f"{where}: flags beside DERIVED")

    def stored_pages(self, field):
        local = 1 if self.flags & LOCAL_DICT else 0
        npages = -(-self.nvalues >> self.page_shift) + local
        if npages == 1:
            verify(self.data, self.hash, self.where + ": page 0")
            return [self.data]
        size = 24 if field.has_lengths else 16
        head, body = self.data[:size * npages], self.data[size * npages:]
        verify(head, self.hash, self.where + ": head")
        need(len(head) == size * npages, f"{self.where}: a head that is cut")
        begin, stored, children = 0, [], []
        for k in range(npages):
            end, _, page_hash = struct.unpack_from("<IIQ", head, size * k)
            if field.has_lengths:
                child, zero = struct.unpack_from("<II", head, size * k + 16)
                need(zero == 0 and (k >= local or child == 0), f"{self.where}: entry of page {k}")
                children.append(child)
            need(begin < end <= len(body), f"{self.where}: ends of pages")
            verify(body[begin:end], page_hash, f"{self.where}: stored page {k}")
            stored.append(body[begin:end])
            begin = end
        need(begin == len(body), f"{self.where}: bytes behind the last page")
        self.first_child = children[local:]
        return stored

    def values(self, field):
        without_pages = self.flags & (ALL_NULL | ALL_VALID)
        need(self.nvalues > 0 or self.flags == ALL_NULL, f"{self.where}: a chunk of no values")
        if without_pages:
            need(self.flags == without_pages and not self.data and self.hash == 0,
                 f"{self.where}: a chunk without pages")
        if self.flags & ALL_NULL:
            values = [None] * self.nvalues
        elif self.flags & ALL_VALID:
            need(self.phys == field.phys == NONE and field.type != "null",
                 f"{self.where}: a chunk of values alone")
            values = [0] * self.nvalues
        else:
            need(widens(self.phys, field.phys) and field.type != "null",
                 f"{self.where}: physical type {self.phys}")
            values = self.decode(field)
        need(values.count(None) == self.nnulls, f"{self.where}: count of nulls")
        for value in values:
            field.check(value)
        if field.has_lengths and not without_pages:
            for k, child in enumerate(self.first_child):
                need(child == sum(length or 0 for length in values[:k << self.page_shift]),
                     f"{self.where}: first_child of page {k}")
        return values

    def decode(self, field):
        stored, dictionary = self.stored_pages(field), None
        if self.flags & SHARED_DICT:
            dictionary = self.dictionary
        if self.flags & LOCAL_DICT:
            page = stored.pop(0)
            need(len(page) >= 8, f"{self.where}: a dictionary page without a header")
            count = struct.unpack_from("<I", page, 4)[0]
            local = pages.decode_raw(page, self.phys, field.width, count)
            dictionary = (dictionary or []) + local
            need(None not in local and len(set(dictionary)) == len(dictionary),
                 f"{self.where}: a dictionary with a null or an entry twice")
        values = []
        for k, page in enumerate(stored):
            first = k << self.page_shift
            n = min(1 << self.page_shift, self.nvalues - first)
            bases = self.bases and [base[first:first + n] for base in self.bases]
            try:
                raw = pages.decode_raw(page, self.phys, field.width, n, dictionary, bases)
            except Damage as damage:
                raise Damage(f"{self.where}: page {k}: {damage}") from None
            values += [None if bits is None else pages.to_value(bits, self.phys) for bits in raw]
        return values


# ---- Dictionaries: section 6. ----

class Segment:
    """One dictionary segment; `body` starts behind the object's header."""

    def __init__(self, where, body, prev):
        need(len(body) >= 32, f"{where}: a segment that is cut")
        (self.prev_id, self.first_code, self.count, self.phys, zero, self.width,
         self.raw_len) = struct.unpack_from("<QIIB3sIQ", body)
        zeros(zero, where)
        npages = -(-self.count // DICT_PAGE)
        self.dir_len = 32 + 16 * npages
        self.dir_hash = xxh3_64(body[:self.dir_len])
        before = prev.entries if prev else []
        need(self.first_code == len(before) and self.prev_id == (prev.id if prev else 0),
             f"{where}: does not follow its chain")
        self.own, begin = [], self.dir_len
        for k in range(npages):
            end, _, page_hash = struct.unpack_from("<IIQ", body, 32 + 16 * k)
            page = body[begin:self.dir_len + end]
            verify(page, page_hash, f"{where}: page {k}")
            begin = self.dir_len + end
            n = min(DICT_PAGE, self.count - DICT_PAGE * k)
            self.own += pages.decode_raw(page, self.phys, self.width, n)
        self.end = begin
        values = [self.bytes_of(entry) for entry in self.own]
        need(sum(map(len, values)) == self.raw_len, f"{where}: bytes of its values")
        head = struct.pack("<QB3xIII", self.prev_id, self.phys, self.width, self.count, 0)
        lengths = b"".join(struct.pack("<I", len(v)) for v in values) if self.phys == BYTES else b""
        self.id = xxh3_64(head + lengths + b"".join(values))
        floats = self.phys in (pages.F32, pages.F64)  # ordered by their bits
        order = [entry if floats else pages.to_value(entry, self.phys) for entry in self.own]
        need(all(a < b for a, b in zip(order, order[1:])), f"{where}: entries that do not rise")
        self.entries = before + self.own
        need(len(set(self.entries)) == len(self.entries), f"{where}: an entry that is there already")

    def bytes_of(self, entry):
        need(entry is not None, "a dictionary with a null")
        return entry if self.phys in (BYTES, FIXED) else entry.to_bytes(pages.WIDTH[self.phys], "little")


# ---- Statistics: spec/statistics.md. ----

def bound_kind(field):
    if field.type in ("null", "interval", "list", "fixed_list", "struct", "map"):
        return None, 0
    if field.type in ("utf8", "binary", "fixed_binary", "uuid"):
        return "bytes", 16
    if field.type in ("float16", "float32", "float64"):
        return "d", 8
    if field.phys in (pages.I128, pages.I256):
        return "int", pages.WIDTH[field.phys]
    return ("q", 8) if field.phys in pages.SIGNED else ("Q", 8)


class Zone:
    """A zone map, and whether it tells the truth about values."""

    def __init__(self, entry, field):
        self.kind, width = bound_kind(field)
        self.nvalues = None
        if field.below_list:
            self.nvalues = struct.unpack_from("<Q", entry, 2 * width + 8)[0]
        low, high = entry[:width], entry[width:2 * width]
        (self.nnulls, flags, self.low_len,
         self.high_len) = struct.unpack_from("<IHBB", entry, 2 * width)
        (self.bounded, self.low_exact, self.high_exact, self.open, self.no_nan, self.all_nan,
         self.rising, self.falling) = (bool(flags >> bit & 1) for bit in range(8))
        self.low, self.high = self.bound(low, self.low_len), self.bound(high, self.high_len)

    def bound(self, raw, length):
        if self.kind == "bytes":
            need(length <= 16, "statistics: a length")
            zeros(raw[length:], "statistics")
            return raw[:length]
        if self.kind == "int":
            return int.from_bytes(raw, "little", signed=True)
        return struct.unpack("<" + self.kind, raw)[0] if self.kind else None

    def check(self, values, what):
        known = [v for v in values if v is not None]
        real = [v for v in known if v == v]  # not NaN
        ordered = len(real) == len(values)
        need(self.nvalues in (None, len(values)), f"{what}: n_values")
        if self.nnulls != NONE32:
            need(self.nnulls == len(values) - len(known), f"{what}: n_nulls")
        if self.bounded:
            need(real, f"{what}: HAS_BOUNDS")
            need(self.low <= min(real), f"{what}: min")
            need(self.open or self.high >= max(real), f"{what}: max")
            need(not self.low_exact or self.low in real, f"{what}: MIN_EXACT")
            need(not self.high_exact or self.high in real, f"{what}: MAX_EXACT")
        need(not self.no_nan or len(real) == len(known), f"{what}: NO_NAN")
        need(not self.all_nan or (known and not real), f"{what}: ALL_NAN")
        if self.rising:
            need(ordered and all(a <= b for a, b in zip(real, real[1:])), f"{what}: ASCENDING")
        if self.falling:
            need(ordered and all(a >= b for a, b in zip(real, real[1:])), f"{what}: DESCENDING")


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
            need(kind <= SIDES or kind == ORDER or not flags & REQUIRED, f"section {kind} is required")
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
        return read_nodes(chunks)

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


def bases_of(chunk, packed, fields, values):
    """The values of the bases of a derived chunk; columns that are derived are not in `values`."""
    need(packed <= NONE32 and packed & 0xffff != 0xffff, f"{chunk.where}: no base")
    numbers = [packed & 0xffff] + ([packed >> 16] if packed >> 16 != 0xffff else [])
    need(max(numbers) < len(fields), f"{chunk.where}: a base that is not there")
    bases = [fields[number] for number in numbers]
    need(all(base in values and base.parent is None and base.type in BASES for base in bases),
         f"{chunk.where}: a base that is none")
    return [[value & 2**64 - 1 if isinstance(value, int) else value for value in values[base]]
            for base in bases]


def read_nodes(chunks):
    """The values of each node of a row group; chunks: (field, chunk, what its dictionary number says)."""
    fields, values = [field for field, _, _ in chunks], {}
    for field, chunk, _ in chunks:
        if not chunk.flags & DERIVED:
            values[field] = read_node(field, chunk, values)
    derived = [item for item in chunks if item[1].flags & DERIVED]
    for field, chunk, packed in derived:
        need(field.parent is None, f"{chunk.where}: DERIVED inside a column")
        chunk.bases = bases_of(chunk, packed, fields, values)
    values.update({field: read_node(field, chunk, values) for field, chunk, _ in derived})
    return values


def read_node(field, chunk, values):
    """The values of a node, whose parent's are in `values`."""
    if field.parent is not None:
        need(chunk.nvalues == nvalues_below(field.parent, values[field.parent]),
             f"{chunk.where}: number of values")
    own = chunk.values(field)
    if field.parent is not None and not field.parent.has_lengths:
        check_nulls(field, own, values[field.parent])
    return own


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
