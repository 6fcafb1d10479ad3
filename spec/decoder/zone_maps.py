"""Zone maps: spec/statistics.md."""
import struct

import pages
from pages import need, zeros
from schema import NONE32


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
