"""Generated Avro schemas with values of them, for tests that compare with other programs."""
import base64


class Maker:
    """A schema and, beside each type, how a value is made and what it is as JSON of ours."""

    def __init__(self, chance):
        self.chance = chance
        self.nnames = 0

    def name(self):
        self.nnames += 1
        return f"n{self.nnames}"

    def plain(self):
        pick = self.chance.randrange(9)
        if pick == 0:
            return "boolean", lambda: self.chance.random() < 0.5, lambda v: v
        if pick == 1:
            return "int", lambda: self.chance.choice([0, -1, 2**31 - 1, -2**31, self.chance.randint(-99, 99)]), lambda v: v
        if pick == 2:
            return "long", lambda: self.chance.choice([0, 2**63 - 1, -2**63, self.chance.getrandbits(40)]), lambda v: v
        if pick == 3:
            return "float", lambda: self.chance.randint(-2**20, 2**20) / 8, lambda v: v
        if pick == 4:
            return "double", lambda: self.chance.uniform(-1e9, 1e9), lambda v: v
        if pick == 5:
            return "bytes", lambda: self.chance.randbytes(self.chance.randrange(9)), lambda v: base64.b64encode(v).decode()
        if pick == 6:
            return "string", lambda: "".join(self.chance.choice("ab\u00e9\u20ac\U0001f600\n\0") for _ in range(self.chance.randrange(40))), lambda v: v
        if pick == 7:
            symbols = [f"s{i}" for i in range(self.chance.randint(1, 9))]
            return {"type": "enum", "name": self.name(), "symbols": symbols}, lambda: self.chance.choice(symbols), lambda v: v
        size = self.chance.randint(1, 20)
        return ({"type": "fixed", "name": self.name(), "size": size}, lambda: self.chance.randbytes(size),
                lambda v: base64.b64encode(v).decode())

    def any(self, depth, in_union=False):
        pick = self.chance.randrange(8) if depth < 4 else 0
        if pick == 1:
            return self.record(depth + 1)
        if pick == 2:
            schema, make, shown = self.any(depth + 1)
            return ({"type": "array", "items": schema}, lambda: [make() for _ in range(self.chance.randrange(4))],
                    lambda v: [shown(x) for x in v])
        if pick == 3:
            schema, make, shown = self.any(depth + 1)
            return ({"type": "map", "values": schema}, lambda: {f"k{i}": make() for i in range(self.chance.randrange(4))},
                    lambda v: [{"key": key, "value": shown(x)} for key, x in v.items()])
        if pick in (4, 5) and not in_union:
            return self.nullable(depth)
        if pick == 6 and not in_union:
            return self.union()
        return self.plain()

    def nullable(self, depth):
        schema, make, shown = self.any(depth, in_union=True)
        branches = ["null", schema] if self.chance.random() < 0.5 else [schema, "null"]
        return branches, lambda: None if self.chance.random() < 0.4 else make(), lambda v: None if v is None else shown(v)

    def union(self):
        """Of kinds that Python tells apart."""
        schema, make, shown = self.record(3)
        members = [("int", lambda: self.chance.randrange(100), lambda v: v, lambda v: isinstance(v, int)),
                   ("string", lambda: "t", lambda v: v, lambda v: isinstance(v, str)),
                   (schema, make, shown, lambda v: isinstance(v, dict))]
        self.chance.shuffle(members)
        with_null = self.chance.random() < 0.5
        names = [m[0] if isinstance(m[0], str) else m[0]["name"] for m in members]

        def make_one():
            return None if with_null and self.chance.random() < 0.3 else self.chance.choice(members)[1]()

        def show(v):
            if v is None:
                return None
            which = next(i for i, m in enumerate(members) if m[3](v))
            out = {"tag": names[which]}
            out.update({name: None for name in names})
            out[names[which]] = members[which][2](v)
            return out
        return [m[0] for m in members] + (["null"] if with_null else []), make_one, show

    def record(self, depth):
        fields = [(f"f{i}", *self.any(depth)) for i in range(self.chance.randint(0 if depth > 1 else 1, 4))]
        schema = {"type": "record", "name": self.name(),
                  "fields": [{"name": name, "type": kind} for name, kind, _, _ in fields]}
        return (schema, lambda: {name: make() for name, _, make, _ in fields},
                lambda v: {name: shown(v[name]) for name, _, _, shown in fields})
