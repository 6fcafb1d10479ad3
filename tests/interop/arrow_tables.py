"""Random tables of pyarrow of every type, and what their values are.

Arrays are made the hard way: cut out of longer ones at every level, any bytes below nulls, dictionaries
and runs around values of all kinds. values_of() reads them, one Python value each, through the members
of pyarrow's arrays, so that two tables are equal when their values and types are.
"""
import decimal

import pyarrow as pa

UNWRAPPED = pa.DictionaryType, pa.RunEndEncodedType, pa.BaseExtensionType  # neither in dictionaries nor in runs
UNITS = "s", "ms", "us", "ns"
WORDS = "", "a", "Zürich", "stoa", "ten letters", "twelve bytes", "thirteen byte", "a text of more than twelve bytes"


# ---- Types ----

def random_leaf(r):
    decimals = {pa.decimal32: 9, pa.decimal64: 18, pa.decimal128: 38, pa.decimal256: 76}
    choice = r.randrange(20)
    if choice < 6:
        return r.choice([pa.int8, pa.int16, pa.int32, pa.int64, pa.uint8, pa.uint16, pa.uint32, pa.uint64,
                         pa.float16, pa.float32, pa.float64, pa.bool_, pa.null])()
    if choice < 8:
        make = r.choice(list(decimals))
        precision = r.randint(1, decimals[make])
        return make(precision, r.randint(0, precision))
    if choice < 12:
        return r.choice([pa.date32(), pa.date64(), pa.time32(r.choice(UNITS[:2])), pa.time64(r.choice(UNITS[2:])),
                         pa.timestamp(r.choice(UNITS)), pa.timestamp(r.choice(UNITS), r.choice(["UTC", "+02:00"])),
                         pa.duration(r.choice(UNITS)), pa.month_day_nano_interval()])
    return r.choice([pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(),
                     pa.binary_view(), pa.binary(r.randint(1, 20)), pa.uuid()])


def random_field(r, name, depth, may_be_null=True):
    type_ = random_type(r, depth)
    if pa.types.is_null(type_) and not may_be_null:
        type_ = pa.int32()
    field = pa.field(name, type_, pa.types.is_null(type_) or (may_be_null and r.random() < 0.7))
    if r.random() < 0.1:
        field = field.with_metadata({"unit": "µm", **({"PARQUET:field_id": "7"} if r.random() < 0.5 else {})})
    return field


def random_type(r, depth):
    choice = r.random()
    if choice < 0.1:
        values = random_type(r, depth)
        while isinstance(values, UNWRAPPED) or pa.types.is_null(values):
            values = random_type(r, depth)
        if choice < 0.03 and not pa.types.is_nested(values):
            return pa.run_end_encoded(r.choice([pa.int16, pa.int32, pa.int64])(), values)
        index = r.choice([pa.int8, pa.int16, pa.int32, pa.int64, pa.uint8, pa.uint16, pa.uint32, pa.uint64])
        return pa.dictionary(index(), values)
    if depth <= 1 or choice < 0.45:
        return random_leaf(r)
    if choice < 0.6:
        return pa.struct([random_field(r, f"f{i}", depth - 1) for i in range(r.randint(0, 3))])
    item = random_field(r, r.choice(["item", "element"]), depth - 1)
    if choice < 0.9:
        return r.choice([pa.list_, pa.large_list, pa.list_view, pa.large_list_view,
                         lambda field: pa.list_(field, r.randint(1, 3))])(item)
    return pa.map_(random_field(r, "key", 1, may_be_null=False), random_field(r, "value", depth - 1))


# ---- Arrays ----

def random_mask(r, n, nullable):
    """Which values are null."""
    share = r.choice([0, 0, 0.1, 0.5, 1]) if nullable else 0
    return [r.random() < share for _ in range(n)]


def bitmap(mask):
    """The validity buffer of a mask; None now and then when nothing is null."""
    if not any(mask) and len(mask) % 2:
        return None
    return pa.array([not null for null in mask], pa.bool_()).buffers()[1]


def random_array(r, field, n):
    """An array that starts somewhere inside of what was made."""
    before, behind = r.choice([(0, 0), (0, 0), (1, 0), (5, 3)])
    return make_array(r, field.type, before + n + behind, field.nullable).slice(before, n)


def make_array(r, type_, n, nullable):
    mask = random_mask(r, n, nullable)
    if isinstance(type_, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(type_, make_array(r, type_.storage_type, n, nullable))
    if isinstance(type_, pa.DictionaryType):
        entries = random_array(r, pa.field("", type_.value_type, nullable and r.random() < 0.3), r.randint(1, 5))
        indices = [None if null else r.randrange(len(entries)) for null in mask]
        indices = pa.array(indices, type_.index_type)
        return pa.DictionaryArray.from_arrays(indices, entries)
    if isinstance(type_, pa.RunEndEncodedType):
        ends = sorted(r.sample(range(1, n), min(n - 1, r.randint(0, 6))) if n > 1 else []) + ([n] if n else [])
        values = random_array(r, pa.field("", type_.value_type, nullable), len(ends))
        return pa.RunEndEncodedArray.from_arrays(pa.array(ends, type_.run_end_type), values, type_)
    if pa.types.is_nested(type_):
        return make_nested(r, type_, n, mask)
    return make_leaf(r, type_, n, mask)


def make_nested(r, type_, n, mask):
    if pa.types.is_struct(type_):
        fields = [type_.field(i) for i in range(type_.num_fields)]
        children = [random_array(r, field, n) for field in fields]
        return pa.Array.from_buffers(type_, n, [bitmap(mask)], children=children)
    if pa.types.is_fixed_size_list(type_):
        values = random_array(r, type_.value_field, n * type_.list_size)
        return pa.Array.from_buffers(type_, n, [bitmap(mask)], children=[values])
    lengths = [r.choice([0, 0, 1, 2, 3]) for _ in range(n)]
    offsets = [r.randint(0, 2)]
    for length in lengths:
        offsets.append(offsets[-1] + length)
    total = offsets[-1] + r.randint(0, 2)
    wide = pa.types.is_large_list(type_) or isinstance(type_, pa.LargeListViewType)
    integer = pa.int64() if wide else pa.int32()
    if isinstance(type_, (pa.ListViewType, pa.LargeListViewType)):
        order = list(range(n))
        if r.random() < 0.5:
            r.shuffle(order)
        buffers = [pa.array([offsets[i] for i in order], integer), pa.array([lengths[i] for i in order], integer)]
    else:
        buffers = [pa.array(offsets, integer)]
    if pa.types.is_map(type_):
        fields = [type_.key_field, type_.item_field]  # pyarrow itself forgets an offset of the entries
        values = pa.Array.from_buffers(pa.struct(fields), total, [None],
                                       children=[random_array(r, field, total) for field in fields])
    else:
        values = random_array(r, type_.value_field, total)
    return pa.Array.from_buffers(type_, n, [bitmap(mask)] + [b.buffers()[1] for b in buffers], children=[values])


def make_leaf(r, type_, n, mask):
    if pa.types.is_null(type_):
        return pa.nulls(n)
    if pa.types.is_decimal(type_):
        numbers = [random_decimal(r, type_) for _ in range(n)]
        return pa.array([None if null else x for x, null in zip(numbers, mask)], type_)
    if pa.types.is_date64(type_):
        days = [r.randint(-(2 ** 31), 2 ** 31 - 1) if r.random() < 0.1 else r.randint(-9999, 99999) for _ in range(n)]
        return pa.Array.from_buffers(type_, n, [bitmap(mask), pa.array([86400000 * d for d in days], pa.int64()).buffers()[1]])
    if pa.types.is_boolean(type_):
        return pa.Array.from_buffers(type_, n, [bitmap(mask), pa.py_buffer(r.randbytes(n // 8 + 1))])
    if is_text(type_):
        texts = [r.choice(WORDS) if r.random() < 0.8 else "x" * r.randint(0, 40) for _ in range(n)]
        array = pa.array(texts, pa.string()).cast(type_)
        return pa.Array.from_buffers(type_, n, [bitmap(mask)] + array.buffers()[1:])
    width = type_.bit_width // 8
    data = bytearray(r.randbytes(n * width))
    if r.random() < 0.5:  # small numbers
        data = bytearray(b for i in range(n) for b in r.randrange(100).to_bytes(width, "little"))
    if pa.types.is_time(type_):
        day = 86400 * 1000 ** UNITS.index(type_.unit)
        data = bytearray(b for i in range(n) for b in r.randrange(day).to_bytes(width, "little"))
    return pa.Array.from_buffers(type_, n, [bitmap(mask), pa.py_buffer(bytes(data))])


def random_decimal(r, type_):
    digits = r.choice([1, type_.precision, r.randint(1, type_.precision)])
    number = r.randrange(10 ** digits) * r.choice([1, -1])
    return decimal.Decimal(number).scaleb(-type_.scale, decimal.Context(prec=100))


def is_text(type_):
    return any(check(type_) for check in (
        pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_binary,
        pa.types.is_large_binary, pa.types.is_binary_view))


def random_schema(r):
    depth = r.choice([1, 1, 2, 3, 4, 6])
    fields = [random_field(r, f"c{i}", depth) for i in range(r.randint(0, 4))]
    return pa.schema(fields, {"origin": "a test"} if r.random() < 0.2 else None)


def random_batch(r, schema, nrows):
    return pa.RecordBatch.from_arrays([random_array(r, field, nrows) for field in schema], schema=schema)


# ---- What they hold ----

def stored_type(type_):
    """The type that comes back for one that was handed in."""
    if isinstance(type_, (pa.DictionaryType, pa.RunEndEncodedType)):
        return stored_type(type_.value_type)
    if pa.types.is_struct(type_):
        return pa.struct([stored_field(type_.field(i)) for i in range(type_.num_fields)])
    if pa.types.is_map(type_):
        return pa.map_(stored_field(type_.key_field), stored_field(type_.item_field))
    if pa.types.is_fixed_size_list(type_):
        return pa.list_(stored_field(type_.value_field), type_.list_size)
    if pa.types.is_nested(type_):
        return pa.list_(stored_field(type_.value_field))
    if is_text(type_):
        is_string = pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_string_view(type_)
        return pa.string() if is_string else pa.binary()
    if pa.types.is_decimal(type_):
        return (pa.decimal128 if type_.precision <= 38 else pa.decimal256)(type_.precision, type_.scale)
    return pa.date32() if pa.types.is_date64(type_) else type_


def stored_field(field):
    return field.with_type(stored_type(field.type))


def stored_schema(schema):
    return pa.schema([stored_field(field) for field in schema], schema.metadata)


def lists_of(array, begins, ends, values):
    return [values[begin:end] if valid else None
            for valid, begin, end in zip(array.is_valid().to_pylist(), begins, ends)]


def values_of(array):
    """A list of Python values: floats by their bits, times as integers."""
    type_ = array.type
    if isinstance(type_, pa.BaseExtensionType):
        return values_of(array.storage)
    if isinstance(type_, pa.DictionaryType):
        entries = values_of(array.dictionary)
        return [None if i is None else entries[i] for i in array.indices.to_pylist()]
    if isinstance(type_, pa.RunEndEncodedType):
        entries, out = values_of(array.values), []
        for end, entry in zip(array.run_ends.to_pylist(), entries):
            out += [entry] * (end - len(out))
        return out[array.offset:array.offset + len(array)]
    if pa.types.is_struct(type_):
        columns = [values_of(array.field(i)) for i in range(type_.num_fields)]
        return [tuple(column[i] for column in columns) if valid else None
                for i, valid in enumerate(array.is_valid().to_pylist())]
    if pa.types.is_fixed_size_list(type_):
        begins = [(array.offset + i) * type_.list_size for i in range(len(array))]
        return lists_of(array, begins, [begin + type_.list_size for begin in begins], values_of(array.values))
    if isinstance(type_, (pa.ListViewType, pa.LargeListViewType)):
        begins = array.offsets.to_pylist()
        ends = [begin + n for begin, n in zip(begins, array.sizes.to_pylist())]
        return lists_of(array, begins, ends, values_of(array.values))
    if pa.types.is_map(type_):
        offsets = array.offsets.to_pylist()
        values = list(zip(values_of(array.keys), values_of(array.items), strict=True))
        return lists_of(array, offsets, offsets[1:], values)
    if pa.types.is_nested(type_):
        offsets = array.offsets.to_pylist()
        return lists_of(array, offsets, offsets[1:], values_of(array.values))
    if pa.types.is_floating(type_):
        return array.view({16: pa.int16(), 32: pa.int32(), 64: pa.int64()}[type_.bit_width]).to_pylist()
    if pa.types.is_date64(type_):
        return [None if ms is None else ms // 86400000 for ms in array.view(pa.int64()).to_pylist()]
    if pa.types.is_temporal(type_) and not pa.types.is_interval(type_):
        return array.view(pa.int32() if type_.bit_width == 32 else pa.int64()).to_pylist()
    return array.to_pylist()


def difference(wanted, found):
    """What is not the same in two record batches, or None."""
    return difference_of_tables(wanted.schema, [wanted], pa.Table.from_batches([found]))


def difference_of_tables(schema, batches, found):
    """The same of some batches and a table."""
    schema = stored_schema(schema)
    if not found.schema.equals(schema, check_metadata=True):
        return f"schema\n{schema}\nbecame\n{found.schema}"
    nrows = sum(batch.num_rows for batch in batches)
    if nrows != found.num_rows:
        return f"{nrows} rows became {found.num_rows}"
    found.validate(full=True)
    for i, field in enumerate(schema):
        before = [value for batch in batches for value in values_of(batch.column(i))]
        after = [value for chunk in found.column(i).chunks for value in values_of(chunk)]
        for row, (value, back) in enumerate(zip(before, after, strict=True)):
            if value != back:
                return f"{field}\nvalue {row}, {value}\nbecame {back}"
    return None
