"""Pages: spec/encodings.md in Python.

Numbers, floats included, are handled as the unsigned integer of their bits and become values at the
end of decode_page(). A value is None (null), an int, a float or bytes.
"""
import struct
import subprocess

from xxh3 import xxh3_64

PLAIN, CONST, PFOR, DELTA, DICT, RLE, SPARSE, ALP, ALPRD, FSST, FRONT, CHARPACK, SPLIT, NARROW, BITMAP, BITRUNS, LINEAR, PLANES, LOOKUP = (
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18, 19)
NAMES = {PLAIN: "plain", CONST: "const", PFOR: "pfor", DELTA: "delta", DICT: "dict", RLE: "rle",
         SPARSE: "sparse", ALP: "alp", ALPRD: "alprd", FSST: "fsst", FRONT: "front", CHARPACK: "charpack",
         SPLIT: "split", NARROW: "narrow", BITMAP: "bitmap", BITRUNS: "bitruns",
         LINEAR: "linear", PLANES: "planes", LOOKUP: "lookup"}

(NONE, I8, I16, I32, I64, U8, U16, U32, U64, F32, F64, I128, FIXED, BYTES, F16, I256) = range(16)
WIDTH = {I8: 1, I16: 2, I32: 4, I64: 8, U8: 1, U16: 2, U32: 4, U64: 8, F32: 4, F64: 8, I128: 16,
         F16: 2, I256: 32}
SIGNED = (I8, I16, I32, I64, I128, I256)
NUMBERS = (I8, I16, I32, I64, U8, U16, U32, U64, F32, F64, F16)
INTEGERS = (I8, I16, I32, I64, U8, U16, U32, U64)
BLOCK = 1024
MAX_NODES, MAX_DEPTH, MAX_TEXT = 16, 3, 2**31 - 1


class Damage(Exception):
    """The file is not what the specification says."""


def need(condition, message):
    if not condition:
        raise Damage(message)


def zeros(data, what):
    need(not any(data), f"{what}: bytes that must be zero are not")


def verify(data, expected, what):
    need(xxh3_64(data) == expected, f"{what}: hash differs")


def inflate(frame, raw_len):
    done = subprocess.run(["zstd", "-dcq"], input=frame, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=False)
    need(done.returncode == 0 and len(done.stdout) == raw_len, "zstd frame is damaged")
    return done.stdout


class Node:
    """One node of a page's trees, its payload and its children."""

    def __init__(self, record, payload):
        (self.encoding, codec, self.phys, self.flags, self.n,
         _, self.raw_len) = struct.unpack("<BBBBIII", record)
        need(self.encoding in NAMES, f"encoding {self.encoding} is not known")
        need(codec in (0, 1), f"codec {codec} is not known")
        need(self.flags < {PFOR: 4, CHARPACK: 2}.get(self.encoding, 1), "flags of a node")
        need(codec == 0 or self.raw_len > 0, "compression of nothing")
        need(codec == 1 or self.raw_len == len(payload), "raw_len of a payload that is not compressed")
        self.payload = inflate(payload, self.raw_len) if codec == 1 else payload
        self.children = []

    def nchildren(self):
        if self.encoding == PLAIN:
            return 1 if self.phys == BYTES else 0
        return {DELTA: 1, DICT: 1, FSST: 1, CHARPACK: 1, ALP: 1, NARROW: 1, BITRUNS: 1, RLE: 2, SPARSE: 2, ALPRD: 2, SPLIT: 2,
                FRONT: 2, LINEAR: 1, LOOKUP: 2}.get(self.encoding, 0)


COUNTS = {PLAIN, CONST, PFOR, NARROW}
MAY_BE = {  # spec/encodings.md, section 3
    "deltas": {PFOR, CONST, NARROW, SPLIT, PLAIN, RLE},
    "codes": COUNTS | {RLE, SPARSE, SPLIT, DELTA},
    "counts": COUNTS,
    "values": COUNTS | {DELTA, SPLIT, ALP, ALPRD, PLANES},
    "integers": COUNTS | {DELTA, SPLIT, RLE, SPARSE},
    "residuals": COUNTS | {DELTA, SPLIT, RLE, SPARSE},
    "narrowed": {PLAIN},
    "parts": {PLAIN, CONST, PFOR},
    "suffixes": {PLAIN, FSST},
    "validity": {BITMAP, BITRUNS},
}
ROLES = {PLAIN: ["counts"], FSST: ["counts"], FRONT: ["counts", "suffixes"], CHARPACK: ["integers"], DELTA: ["deltas"], DICT: ["codes"], RLE: ["values", "counts"],
         SPARSE: ["counts", "values"], ALP: ["integers"], ALPRD: ["parts", "parts"],
         SPLIT: ["parts", "parts"], NARROW: ["narrowed"], BITRUNS: ["counts"],
         LINEAR: ["residuals"], LOOKUP: ["residuals", "residuals"]}


def allowed(node, role):
    if role == "root":
        if node.phys == BYTES:
            return node.encoding in (PLAIN, CONST, DICT, FSST, FRONT, CHARPACK)
        if node.phys in (I128, I256, FIXED):
            return node.encoding in (PLAIN, CONST, DICT, RLE, SPARSE, PLANES)
        if node.encoding in (LINEAR, LOOKUP):
            return node.phys in INTEGERS
        return node.encoding <= SPARSE or node.encoding in (SPLIT, NARROW) or \
            (node.encoding in (ALP, ALPRD) and node.phys in (F32, F64))
    if node.encoding in (ALP, ALPRD) and node.phys not in (F32, F64):
        return False
    if node.encoding in (PFOR, DELTA, SPLIT, NARROW) and node.phys not in NUMBERS:
        return False
    if node.encoding == PLANES and node.phys not in (I128, I256, FIXED):
        return False
    return node.encoding in MAY_BE[role]


def take_tree(nodes, role, depth=0, above=()):
    """The next node of the list with its children."""
    need(nodes, "a tree without an end")
    node = nodes.pop(0)
    need(allowed(node, role), f"{NAMES[node.encoding]} may not be {role}")
    need(depth <= MAX_DEPTH, "a tree that is too deep")
    need(node.encoding == PLAIN or node.encoding not in above, "an encoding below itself")
    for k in range(node.nchildren()):
        role_of_child = ROLES[node.encoding][k]
        child = take_tree(nodes, role_of_child, depth + 1, above + (node.encoding,))
        if role_of_child in ("counts", "codes"):
            need(child.phys == U32, f"{role_of_child} that are not u32")
        elif node.encoding == NARROW:
            need(child.phys in (U8, U16, U32) and WIDTH[child.phys] < WIDTH[node.phys],
                 "narrowed values that are not narrower")
        elif node.encoding in (ALPRD, SPLIT):
            need(WIDTH[node.phys] > 1 and child.phys == (node.phys if node.children else U8),
                 "parts of another width")
        elif node.encoding == CHARPACK:
            need(child.phys == U64, "numbers that are not u64")
        elif node.encoding == ALP:
            need(child.phys == (I32 if node.phys == F32 else I64), "integers of another width")
        else:
            need(child.phys == node.phys, "a child of another type")
        if node.encoding in (RLE, SPARSE, BITRUNS) or (node.encoding == LOOKUP and not node.children):
            need(1 <= child.n <= node.n and child.n == (node.children or [child])[0].n,
                 "a child with too many values")
        else:
            need(child.n == node.n, "a child with another number of values")
        node.children.append(child)
    return node


class Decoder:
    """Decodes the nodes of one page. dictionary: raw entries for a DICT root, or None; bases: of a
    derived chunk the values of one base or two in the slots of the page, or None."""

    def __init__(self, width_of_fixed, dictionary, bases):
        self.width_of_fixed = width_of_fixed
        self.dictionary = dictionary
        self.bases = bases

    def width(self, phys):
        return self.width_of_fixed if phys == FIXED else WIDTH[phys]

    def number(self, raw, phys):
        return raw if phys in (FIXED, BYTES) else int.from_bytes(raw, "little")

    def split(self, data, phys):
        width = self.width(phys)
        return [self.number(data[i:i + width], phys) for i in range(0, len(data), width)]

    def decode(self, node):
        values = getattr(self, "decode_" + NAMES[node.encoding])(node)
        need(len(values) == node.n, f"{NAMES[node.encoding]}: {len(values)} values, must be {node.n}")
        return values

    def decode_plain(self, node):
        if node.phys != BYTES:
            need(len(node.payload) == node.n * self.width(node.phys), "plain: length of the payload")
            return self.split(node.payload, node.phys)
        at, values = 0, []
        for length in self.decode(node.children[0]):
            values.append(node.payload[at:at + length])
            at += length
        need(at == len(node.payload), "plain: lengths do not add up to the payload")
        return values

    def decode_fsst(self, node):
        data, at, symbols = node.payload, 8, []
        need(len(data) >= 8, "fsst: length of the payload")
        for length, count in enumerate(data[:8], 1):
            symbols += [data[k:k + length] for k in range(at, at + count * length, length)]
            at += count * length
        nblocks = (node.n + 127) // 128
        need(len(symbols) <= 255, "fsst: more than 255 symbols")
        need(at + 4 * nblocks <= len(data), "fsst: length of the payload")
        ends = struct.unpack_from(f"<{nblocks}I", data, at)
        codes, lengths, values = data[at + 4 * nblocks:], self.decode(node.children[0]), []
        need(ends[-1] == len(codes), "fsst: end of the codes")
        for b, (begin, end) in enumerate(zip((0,) + ends, ends)):
            need(begin <= end <= len(codes), "fsst: ends of blocks")
            text = self.fsst_text(symbols, codes[begin:end])
            first = 0
            for length in lengths[128 * b:128 * (b + 1)]:
                values.append(text[first:first + length])
                first += length
            need(first == len(text), "fsst: lengths do not add up to the text of a block")
        return values

    def decode_front(self, node):
        need(not node.payload, "front: a payload")
        values = []
        for i, (prefix, suffix) in enumerate(zip(*map(self.decode, node.children))):
            before = values[-1] if i % 128 else b""
            need(prefix <= len(before), "front: a prefix longer than the value before")
            values.append(before[:prefix] + suffix)
        return values

    def decode_charpack(self, node):
        data, n = node.payload, node.n
        need(len(data) >= 4, "charpack: length of the payload")
        base, letter, length, zero = data[:4]
        need((base, letter) in ((10, 0), (16, 97), (16, 65)), "charpack: digits")
        need(length > 0 and zero == 0 and len(data) >= 4 + (length + 7) // 8, "charpack: layout")
        places, at = int.from_bytes(data[4:4 + (length + 7) // 8], "little"), 4 + (length + 7) // 8
        ndigits = bin(places).count("1")
        need(0 < ndigits and places >> length == 0 and ndigits <= (19 if base == 10 else length),
             "charpack: places of digits")
        fixed, at = data[at:at + length - ndigits], at + length - ndigits
        nempty = (n + 7) // 8 if node.flags else 0
        nnumber = min(ndigits, 19 if base == 10 else 16)
        nrest = ndigits - nnumber
        empty = int.from_bytes(data[at:at + nempty], "little")
        need(empty >> n == 0, "charpack: bits of empty texts")
        ntexts = n - bin(empty).count("1")
        need(len(data) == at + nempty + (ntexts * nrest + 1) // 2, "charpack: length of the payload")
        halves = data[at + nempty:].hex()
        halves = "".join(halves[k + 1] + halves[k] for k in range(0, len(halves), 2))
        need(not halves[ntexts * nrest:].strip("0"), "charpack: half a byte behind the last digit")
        values = []
        for i, number in enumerate(self.decode(node.children[0])):
            need(number < base ** nnumber, "charpack: a number with too many digits")
            if empty >> i & 1:
                values.append(b"")
                continue
            digits = f"{number:0{nnumber}{'x' if base == 16 else 'd'}}" + halves[:nrest]
            halves = halves[nrest:]
            digits = iter((digits.upper() if letter == 65 else digits).encode())
            others = iter(fixed)
            values.append(bytes(next(digits if places >> k & 1 else others) for k in range(length)))
        return values

    @staticmethod
    def fsst_text(symbols, codes):
        parts, at = [], 0
        while at < len(codes):
            if codes[at] == 255:
                at += 1
                need(at < len(codes), "fsst: an escape at the end")
                parts.append(codes[at:at + 1])
            else:
                need(codes[at] < len(symbols), "fsst: a code without a symbol")
                parts.append(symbols[codes[at]])
            at += 1
        return b"".join(parts)

    def decode_planes(self, node):
        need(len(node.payload) == node.n * self.width(node.phys), "planes: length of the payload")
        return [self.number(node.payload[i::node.n], node.phys) for i in range(node.n)]

    def decode_const(self, node):
        if node.phys != BYTES:
            need(len(node.payload) == self.width(node.phys), "const: length of the payload")
        need(len(node.payload) * node.n <= MAX_TEXT or node.phys != BYTES, "const: too much text")
        return [self.number(node.payload, node.phys)] * node.n

    def decode_delta(self, node):
        width, mask = self.width(node.phys), (1 << 8 * self.width(node.phys)) - 1
        nblocks = (node.n + BLOCK - 1) // BLOCK
        need(len(node.payload) == nblocks * width, "delta: length of the payload")
        starts, values = self.split(node.payload, node.phys), []
        for i, delta in enumerate(self.decode(node.children[0])):
            before = starts[i // BLOCK] if i % BLOCK == 0 else values[-1]
            values.append(before + delta & mask)
        return values

    def decode_dict(self, node):
        need(not node.payload, "dict: a payload")
        codes = self.decode(node.children[0])
        need(max(codes) < len(self.dictionary), "dict: a code past the end of the dictionary")
        return [self.dictionary[code] for code in codes]

    def decode_rle(self, node):
        need(not node.payload, "rle: a payload")
        values, lengths = map(self.decode, node.children)
        need(min(lengths) > 0, "rle: a run of no values")
        need(sum(lengths) == node.n, "rle: runs do not add up")
        return [value for value, length in zip(values, lengths) for _ in range(length)]

    def decode_sparse(self, node):
        need(len(node.payload) == self.width(node.phys), "sparse: length of the payload")
        positions, others = map(self.decode, node.children)
        values = [self.number(node.payload, node.phys)] * node.n
        last = -1
        for position, value in zip(positions, others):
            need(last < position < node.n, "sparse: positions that do not rise")
            values[position] = value
            last = position
        return values

    def decode_alp(self, node):
        width, code = (4, "<fI") if node.phys == F32 else (8, "<dQ")
        need(len(node.payload) >= 8, "alp: length of the payload")
        exponent, zero, count = struct.unpack_from("<B3sI", node.payload)
        need(exponent <= 22 and zero == bytes(3), "alp: exponent")
        need(len(node.payload) == 8 + count * (4 + width), "alp: length of the payload")
        integers = [to_value(q, node.children[0].phys) for q in self.decode(node.children[0])]
        need(width == 4 or all(-2**51 <= q < 2**51 for q in integers), "alp: more than 51 bits")
        # q / 10**k of Python is rounded correctly, which a division of doubles is here too.
        values = [struct.unpack(code[0] + code[2], struct.pack(code[:2], q / 10**exponent))[0]
                  for q in integers]
        last = -1
        for k in range(count):
            position = struct.unpack_from("<I", node.payload, 8 + 4 * k)[0]
            need(last < position < node.n, "alp: exceptions that do not rise")
            at = 8 + 4 * count + width * k
            values[position] = int.from_bytes(node.payload[at:at + width], "little")
            last = position
        return values

    def decode_alprd(self, node):
        nbits = 8 * self.width(node.phys)
        need(len(node.payload) >= 8, "alprd: length of the payload")
        cut, zero, nleft, count = struct.unpack_from("<BBHI", node.payload)
        need(nbits - 16 <= cut < nbits and zero == 0, "alprd: where it is cut")
        need(1 <= nleft <= 256, "alprd: left parts")
        need(len(node.payload) == 8 + 2 * nleft + 6 * count, "alprd: length of the payload")
        lefts = struct.unpack_from(f"<{nleft}H", node.payload, 8)
        codes, rights = map(self.decode, node.children)
        need(max(codes) < nleft, "alprd: a code without a left part")
        parts = [lefts[code] for code in codes]
        at, last = 8 + 2 * nleft, -1
        for k in range(count):
            position = struct.unpack_from("<I", node.payload, at + 4 * k)[0]
            need(last < position < node.n, "alprd: exceptions that do not rise")
            parts[position] = struct.unpack_from("<H", node.payload, at + 4 * count + 2 * k)[0]
            last = position
        return [(left << cut) + right & (1 << nbits) - 1 for left, right in zip(parts, rights)]

    def decode_split(self, node):
        width = self.width(node.phys)
        need(len(node.payload) == 8 + width, "split: length of the payload")
        shift = int.from_bytes(node.payload[:8], "little")
        base = int.from_bytes(node.payload[8:], "little")
        need(shift < 8 * width, "split: shift")
        high, low = map(self.decode, node.children)
        need(all(l >> shift == 0 for l in low), "split: a low part of more than shift bits")
        return [base + (h << shift) + l & (1 << 8 * width) - 1 for h, l in zip(high, low)]

    def decode_narrow(self, node):
        mask = (1 << 8 * self.width(node.phys)) - 1
        need(len(node.payload) == self.width(node.phys), "narrow: length of the payload")
        base = int.from_bytes(node.payload, "little")
        return [base + value & mask for value in self.decode(node.children[0])]

    def decode_linear(self, node):
        need(self.bases is not None, "linear: in a chunk that is not derived")
        need(len(node.payload) == 16, "linear: length of the payload")
        multipliers, values = struct.unpack("<QQ", node.payload), self.decode(node.children[0])
        need(len(self.bases) == 2 or multipliers[1] == 0, "linear: multiplier without a base")
        for multiplier, base in zip(multipliers, self.bases):
            need(all(word is None or isinstance(word, int) for word in base), "linear: a base of text")
            values = [value + multiplier * (word or 0) for value, word in zip(values, base)]
        mask = (1 << 8 * self.width(node.phys)) - 1
        return [value & mask for value in values]

    def decode_lookup(self, node):
        need(self.bases is not None, "lookup: in a chunk that is not derived")
        need(not node.payload, "lookup: a payload")
        firsts, residuals = map(self.decode, node.children)
        mask, known, values = (1 << 8 * self.width(node.phys)) - 1, {}, []
        for key, residual in zip(zip(*([v or 0 for v in base] for base in self.bases)), residuals):
            place = known.setdefault(key, len(known))
            need(place < len(firsts), "lookup: more keys than first values")
            values.append(firsts[place] + residual & mask)
        need(len(known) == len(firsts), "lookup: fewer keys than first values")
        return values

    def decode_pfor(self, node):
        return Pfor(node, WIDTH[node.phys]).values

    def decode_bitmap(self, node):
        need(len(node.payload) == (node.n + 7) // 8, "bitmap: length of the payload")
        bits = int.from_bytes(node.payload, "little")
        need(bits >> node.n == 0, "bitmap: bits behind the last value")
        return [bits >> i & 1 for i in range(node.n)]

    def decode_bitruns(self, node):
        need(len(node.payload) == 1 and node.payload[0] <= 1, "bitruns: first bit")
        bit, bits = node.payload[0], []
        for length in self.decode(node.children[0]):
            need(0 < length <= node.n - len(bits), "bitruns: length of a run")
            bits += [bit] * length
            bit ^= 1
        return bits


class Pfor:
    """spec/encodings.md, section 2.2."""

    def __init__(self, node, width):
        self.data, self.at, self.width = node.payload, 0, width
        scaled, patched = node.flags & 1, node.flags & 2
        nblocks = (node.n + BLOCK - 1) // BLOCK
        mask = (1 << 8 * width) - 1
        offset, multiplier = (self.take_numbers(width, 2) if scaled else (0, 1))
        need(not scaled or multiplier >= 2, "pfor: multiplier")
        bits = list(self.take(nblocks))
        need(max(bits) <= 8 * width, "pfor: bits of a block")
        nexceptions = self.take_numbers(2, nblocks) if patched else [0] * nblocks
        bases = self.take_numbers(width, nblocks)
        packed = [self.take_block(w, min(BLOCK, node.n - BLOCK * b)) for b, w in enumerate(bits)]
        places = [self.take_numbers(2, count) for count in nexceptions]
        for block, positions in zip(packed, places):
            need(all(a < b for a, b in zip(positions, positions[1:])), "pfor: exceptions do not rise")
            need(not positions or positions[-1] < len(block), "pfor: exception behind the block")
            for position, value in zip(positions, self.take_numbers(width, len(positions))):
                block[position] = value
        need(self.at == len(self.data), "pfor: bytes behind the end")
        self.values = [offset + multiplier * (base + p & mask) & mask
                       for base, block in zip(bases, packed) for p in block]

    def take(self, nbytes):
        self.at += nbytes
        need(self.at <= len(self.data), "pfor: payload ends early")
        return self.data[self.at - nbytes:self.at]

    def take_numbers(self, width, count):
        data = self.take(width * count)
        return [int.from_bytes(data[i:i + width], "little") for i in range(0, len(data), width)]

    def take_block(self, bits, count):
        mask = (1 << bits) - 1
        if count < BLOCK:
            string = int.from_bytes(self.take((count * bits + 7) // 8), "little")
            need(string >> count * bits == 0, "pfor: bits behind the last value")
            return [string >> bits * i & mask for i in range(count)]
        nlanes = 128 // self.width
        words = self.take_numbers(self.width, bits * nlanes)
        lanes = [sum(word << 8 * self.width * j for j, word in enumerate(words[lane::nlanes]))
                 for lane in range(nlanes)]
        return [lanes[i % nlanes] >> bits * (i // nlanes) & mask for i in range(BLOCK)]


def to_value(raw, phys):
    """From the bits to the value."""
    if phys in SIGNED:
        top = 1 << 8 * WIDTH[phys] - 1
        return (raw ^ top) - top
    if phys == F16:
        return struct.unpack("<e", struct.pack("<H", raw))[0]
    if phys == F32:
        return struct.unpack("<f", struct.pack("<I", raw))[0]
    if phys == F64:
        return struct.unpack("<d", struct.pack("<Q", raw))[0]
    return raw


def decode_raw(page, phys, width_of_fixed, n, dictionary=None, bases=None):
    """The values of a page as bits or bytes, None for null."""
    need(len(page) >= 8, "a page without a header")
    nnodes, validity, zero, count = struct.unpack_from("<BBHI", page)
    need(zero == 0 and validity <= 2 and nnodes <= MAX_NODES, "header of a page")
    need(count == n, f"a page of {count} values, must be {n}")
    at = 8 + 16 * nnodes
    need(at <= len(page), "a page that ends in its nodes")
    nodes = []
    for k in range(nnodes):
        record = page[8 + 16 * k:24 + 16 * k]
        stored = struct.unpack_from("<I", record, 8)[0]
        need(stored <= len(page) - at, "a payload that goes past the page")
        nodes.append(Node(record, page[at:at + stored]))
        at += stored
    need(at == len(page), "bytes behind the last payload")
    decoder = Decoder(width_of_fixed, dictionary, bases)
    if validity == 1:
        need(nnodes == 0, "nodes in a page of nulls")
        return [None] * n
    valid = [1] * n
    if validity == 2:
        root = take_tree(nodes, "validity")
        need(root.phys == NONE and root.n == n, "root of validity")
        valid = decoder.decode(root)
    if phys == NONE:
        need(not nodes, "values of a type that has none")
        return [0 if ok else None for ok in valid]
    root = take_tree(nodes, "root")
    need(not nodes, "nodes that belong to no tree")
    need(root.phys == phys and root.n == n, "root of another type or length")
    need((root.encoding == DICT) == (dictionary is not None), "a dictionary on some pages only")
    return [value if ok else None for value, ok in zip(decoder.decode(root), valid)]
