"""Chunks, derived ones too, and dictionaries (spec/format.md, sections 5 and 6)."""
import struct

import pages
from pages import BYTES, FIXED, NONE, Damage, need, verify, zeros
from schema import NONE32, check_nulls, nvalues_below, widens
from xxh3 import xxh3_64

LOCAL_DICT, SHARED_DICT, ALL_NULL, ALL_VALID, DERIVED = 1, 2, 4, 8, 16
DICT_PAGE = 4096
DERIVED_PAGE_SHIFT = 10  # the least
BASES = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "decimal", "date32",
         "time", "timestamp", "duration", "enum", "utf8", "binary")  # what a column may be derived from


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
        need(flags & DERIVED == 0 or page_shift >= DERIVED_PAGE_SHIFT, f"{where}: page_shift of DERIVED")

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
        self.entries, values = dictionary, []
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


# ---- Derived columns: section 5. ----

def bases_of(chunk, packed, chunks, values):
    """The values of the bases of a derived chunk; columns that are derived are not in `values`."""
    need(packed <= NONE32 and packed & 0xffff != 0xffff, f"{chunk.where}: no base")
    numbers = [packed & 0xffff] + ([packed >> 16] if packed >> 16 != 0xffff else [])
    need(max(numbers) < len(chunks), f"{chunk.where}: a base that is not there")
    bases = [chunks[number][0] for number in numbers]
    need(all(base in values and base.parent is None and base.type in BASES for base in bases),
         f"{chunk.where}: a base that is none")
    need(all(chunks[k][1].flags & (ALL_NULL | ALL_VALID) or chunks[k][1].page_shift >= DERIVED_PAGE_SHIFT
             for k in numbers), f"{chunk.where}: page_shift of a base")
    return [[value & 2**64 - 1 if isinstance(value, int) else value for value in values[base]]
            for base in bases]


def read_nodes(chunks):
    """The values of each node of a row group; chunks: (field, chunk, what its dictionary number says)."""
    values = {}
    for field, chunk, _ in chunks:
        if not chunk.flags & DERIVED:
            values[field] = read_node(field, chunk, values)
    derived = [item for item in chunks if item[1].flags & DERIVED]
    for field, chunk, packed in derived:
        need(field.parent is None, f"{chunk.where}: DERIVED inside a column")
        chunk.bases = bases_of(chunk, packed, chunks, values)
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
