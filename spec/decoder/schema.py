"""Schemas (spec/format.md, section 4) and nested columns (section 5): nodes, and trees of values."""
import struct

import pages
from pages import BYTES, FIXED, NONE, Damage, need

NONE32 = 0xFFFFFFFF
MAX_DEPTH = 32

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
NCHILDREN = {"list": 1, "fixed_list": 1, "map": 1}  # struct: any; all others: 0


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
