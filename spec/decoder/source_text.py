"""Source text (spec/format.md, section 15): side tables and sources."""
import struct

import pages
from pages import need, zeros
from xxh3 import xxh3_64

KINDS = {1: "form", 2: "raw", 3: "gap", 4: "record"}
NO_COLUMN = (1 << 28) - 1
TEXTS = ("name", "options", "head", "tail", "patches")
FLAGS = 31


class SideField:
    """What a chunk has to know of the column that it belongs to."""

    has_lengths, width = False, 0

    def __init__(self, kind):
        self.type, self.phys = ("uint8", pages.U8) if kind == "form" else ("binary", pages.BYTES)
        self.nullable = kind != "form"

    def check(self, value):
        need(value is not None or self.nullable, "a form that is null")


def side_table(what, chunk_of, body, dir_len, nrows, ncolumns):
    """[column or None, kind, rule, values or None] of each entry. `chunk_of` is the class Chunk, `body`
    what follows the header of the object."""
    entries, at, end, last = [], 0, dir_len, None
    while at < dir_len:
        need(dir_len - at >= 12, f"{what}: an entry that is cut")
        tag, rule = struct.unpack_from("<I8s", body, at)
        column, has_values, kind = tag >> 4, tag >> 3 & 1, KINDS.get(tag & 7)
        at += 12
        need(kind is not None and (column == NO_COLUMN) == (kind in ("gap", "record")),
             f"{what}: kind of an entry")
        need(column == NO_COLUMN or column < ncolumns, f"{what}: column of an entry")
        need(last is None or last < (column, tag & 7), f"{what}: order of its entries")
        last = (column, tag & 7)
        values = None
        if has_values:
            need(dir_len - at >= 40, f"{what}: an entry that is cut")
            (offset, length, nvalues, nnulls, page_shift, phys, _, flags, chunk_hash,
             dict_id) = struct.unpack_from("<QIIIBBBBQQ", body, at)
            at += 40
            field = SideField(kind)
            need(nvalues == nrows and phys == field.phys, f"{what}: values of an entry")
            need(dict_id == 0 and not flags & 2, f"{what}: a shared dictionary")
            if length:
                begin = offset - 64
                need(begin == end + -end % 8, f"{what}: offset of a chunk")
                zeros(body[end:begin], what)
                end = begin + length
            data = body[offset - 64:end] if length else b""
            values = chunk_of(f"{what}: {kind}", data, nvalues, nnulls, page_shift, phys, flags,
                              chunk_hash, None).values(field)
        entries.append((None if column == NO_COLUMN else column, kind, rule, values))
    need(end <= len(body), f"{what}: longer than its body")
    zeros(body[end:], what)
    return entries


def side_of_footer(data, entry, groups, ncolumns, chunk_of):
    """(row group, entries) of a side table that the footer tells of."""
    offset, header_hash, group, zero = struct.unpack("<QQII", entry)
    what = f"side table of row group {group}"
    need(zero == 0 and group < len(groups), what)
    group_offset, nrows = groups[group]
    end = groups[group + 1][0] if group + 1 < len(groups) else len(data)
    header = data[offset:offset + 64]
    need(group_offset < offset < end and len(header) == 64 and header[8] == 4, f"{what}: place")
    body_len, _, dir_len, _, ref_id, dir_hash, found = struct.unpack_from("<QIIQQQQ", header, 16)
    need(found == header_hash == xxh3_64(header[:56]), f"{what}: header_hash")
    need(data[group_offset + 56:group_offset + 64] == struct.pack("<Q", ref_id), f"{what}: ref_id")
    body = data[offset + 64:offset + 64 + body_len]
    need(len(body) == body_len and dir_len <= body_len, f"{what}: body_len")
    need(xxh3_64(body[:dir_len]) == dir_hash and dir_len, f"{what}: directory")
    return group, side_table(what, chunk_of, body, dir_len, nrows, ncolumns)


def sources_of_block(raw, n, row, first, total_rows):
    """The sources of a block, where the one in front of it ends at row `first`."""
    need(len(raw) >= 64 * n, "sources: a block that is cut")
    at = 0

    def take(layout, width):
        nonlocal at
        at += n * width
        return [item for item, in struct.iter_unpack("<" + layout, raw[at - n * width:at])]

    sizes, hashes, skips, counts, flags = (take(*shape) for shape in
                                           (("Q", 8), ("16s", 16), ("Q", 8), ("Q", 8), ("I", 4)))
    lengths = [take("I", 4) for _ in TEXTS]
    texts = []
    for several in lengths:
        texts.append([])
        for length in several:
            texts[-1].append(raw[at:at + length])
            at += length
    need(at == len(raw), "sources: lengths of their texts")
    need(first <= row and skips[0] == 0, "sources: first row of a block")
    for k in range(n):
        row += skips[k]
        source = {name: texts[i][k] for i, name in enumerate(TEXTS)}
        need(b"\0" not in source["name"] + source["options"], "sources: a NUL")
        need(sum(map(len, source.values())) <= 1 << 30, "sources: texts of more than 2^30 bytes")
        need(row + counts[k] <= total_rows and flags[k] <= FLAGS, "sources: rows or flags")
        source |= {"name": source["name"].decode(), "options": source["options"].decode(),
                   "bytes": sizes[k], "hash": hashes[k], "first_row": row, "rows": counts[k],
                   "flags": flags[k]}
        row += counts[k]
        yield source


def read_sources(content, count, total_rows):
    """All sources of the section."""
    at, row, made = 0, 0, []
    while at < len(content):
        n, raw_len, packed_len, zero, first = struct.unpack_from("<IIIIQ", content, at)
        need(n > 0 and zero == 0 and packed_len < raw_len, "sources: head of a block")
        at += 24
        end = at + (packed_len or raw_len)
        need(end <= len(content), "sources: a block that is cut")
        raw = pages.inflate(content[at:end], raw_len) if packed_len else content[at:end]
        made += sources_of_block(raw, n, first, row, total_rows)
        row = made[-1]["first_row"] + made[-1]["rows"]
        zeros(content[end:end + -end % 8], "sources")
        at = end + -end % 8
    need(at == len(content) and len(made) == count, "sources: how many there are")
    return made


def json_of_side(group, column, kind, rule, values):
    if values is not None and kind != "form":
        values = [None if value is None else value.hex() for value in values]
    return {"row_group": group, "column": column, "kind": kind, "rule": rule.hex(), "values": values}


def json_of_source(source):
    return {"source": source["name"], "bytes": source["bytes"], "hash": source["hash"].hex(),
            "first_row": source["first_row"], "rows": source["rows"], "options": source["options"],
            "head": source["head"].hex(), "tail": source["tail"].hex(),
            "patches": source["patches"].hex(), "flags": source["flags"]}
