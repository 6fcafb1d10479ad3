"""Values as JSON text: the form that `stoa cat -f jsonl` writes."""
import base64
import json
import math
import struct
from fractions import Fraction

UNITS = {0: 1, 1: 1000, 2: 1000000, 3: 1000000000}


# Narrow floats: how their bits are packed, how the float is, and where they become infinite.
NARROW = {"float16": ("<H", "<e", 16), "float32": ("<I", "<f", 128)}


def shortest_digits(x, kind):
    """(digits, point): the shortest decimal 0.DIGITS * 10^point that reads back as x > 0."""
    if kind == "float64":
        digits, exponent = f"{x!r}".lower(), 0
        if "e" in digits:
            digits, exponent = digits.split("e")
        whole, _, fraction = digits.partition(".")
        point = len(whole) + int(exponent)
        digits = whole + fraction
    else:
        for n in range(1, 10):  # the nearest with n digits, or the one beside it
            mantissa, exponent = f"{x:.{n - 1}e}".split("e")
            near = int(mantissa.replace(".", ""))
            power = Fraction(10) ** (int(exponent) - n + 1)
            fits = [d for d in (near - 1, near, near + 1)
                    if d > 0 and reads_as(d * power, x, kind)]
            if fits:
                best = min(fits, key=lambda d: (abs(d * power - Fraction(x)), d % 2))
                digits, point = str(best), int(exponent) - n + 1 + len(str(best))
                break
    stripped = digits.lstrip("0")
    point -= len(digits) - len(stripped)
    return stripped.rstrip("0"), point


def reads_as(exact, x, kind):
    """Whether x is the float of that kind that is nearest to `exact`, ties to even."""
    bits_format, float_format, top = NARROW[kind]
    bits = struct.unpack(bits_format, struct.pack(float_format, x))[0]
    distance = abs(exact - Fraction(x))
    for other in (bits - 1, bits + 1):
        neighbour = struct.unpack(float_format, struct.pack(bits_format, other))[0]
        neighbour = Fraction(2) ** top if math.isinf(neighbour) else Fraction(neighbour)
        apart = abs(exact - neighbour)
        if apart < distance or (apart == distance and bits & 1):
            return False
    return True


def float_text(x, kind):
    if math.isnan(x):
        return '"NaN"'
    if math.isinf(x):
        return '"Infinity"' if x > 0 else '"-Infinity"'
    sign = "-" if math.copysign(1, x) < 0 else ""
    if x == 0:
        return sign + "0.0"
    digits, point = shortest_digits(abs(x), kind)
    if not -4 <= point <= 16:
        fraction = "." + digits[1:] if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{fraction}e{point - 1}"
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    digits = digits.ljust(point, "0")
    return f"{sign}{digits[:point]}.{digits[point:] or '0'}"


def decimal_text(x, scale):
    digits = str(abs(x)).rjust(scale + 1, "0")
    whole, fraction = digits[:len(digits) - scale], digits[len(digits) - scale:]
    return ("-" if x < 0 else "") + whole + ("." + fraction if scale else "")


def date_text(days):
    """The proleptic Gregorian calendar, counted in eras of 400 years from 0000-03-01."""
    era, day = divmod(days + 719468, 146097)
    year = (day - day // 1460 + day // 36524 - day // 146096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day = day - (153 * month + 2) // 5 + 1
    year += 400 * era + (month >= 10)
    month = month + 3 if month < 10 else month - 9
    if 1 <= year <= 9999:
        return f"{year:04}-{month:02}-{day:02}"
    return f"{'-' if year < 0 else '+'}{abs(year):05}-{month:02}-{day:02}"


def fraction_text(units, unit):
    """As many digits as the value needs of 0, 3, 6, 9."""
    digits = f"{units * (10 ** 9 // UNITS[unit]):09}"
    for n in (0, 3, 6, 9):
        if digits[n:].strip("0") == "":
            return "." + digits[:n] if n else ""
    return ""


def time_text(value, unit):
    sign = "-" if value < 0 else ""
    seconds, units = divmod(abs(value), UNITS[unit])
    return (f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
            + fraction_text(units, unit))


def timestamp_text(value, unit, zone):
    seconds, units = divmod(value, UNITS[unit])
    days, second = divmod(seconds, 86400)
    return (date_text(days) + "T" + time_text(second, 0) + fraction_text(units, unit)
            + ("Z" if zone else ""))


def part_text(value, letter):
    return f"{value}{letter}" if value else ""


def clock_text(value, per_second):
    """The part of a duration from its T on; parts that are 0 are left out."""
    if value == 0:
        return ""
    sign = -1 if value < 0 else 1
    seconds, rest = divmod(abs(value), per_second)
    text = "T" + part_text(sign * (seconds // 3600), "H") + part_text(sign * (seconds // 60 % 60), "M")
    if rest == 0:
        return text + part_text(sign * (seconds % 60), "S")
    fraction = f"{rest * (10 ** 9 // per_second):09}".rstrip("0")
    return f"{text}{'-' if sign < 0 else ''}{seconds % 60}.{fraction}S"


def interval_text(months, days, nanos):
    sign = -1 if months < 0 else 1
    text = (part_text(sign * (abs(months) // 12), "Y") + part_text(sign * (abs(months) % 12), "M")
            + part_text(days, "D") + clock_text(nanos, 10 ** 9))
    return "P" + (text or "T0S")


def uuid_text(raw):
    digits = raw.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def quote(text):
    return json.dumps(text, ensure_ascii=False)


def json_text(value, field):
    """A value of a column as JSON."""
    kind = field.type
    if value is None:
        return "null"
    if kind == "bool":
        return "true" if value else "false"
    if kind in ("float16", "float32", "float64"):
        return float_text(value, kind)
    if kind == "decimal":
        return decimal_text(value, field.scale)
    if kind == "date32":
        return quote(date_text(value))
    if kind == "time":
        return quote(time_text(value, field.unit))
    if kind == "timestamp":
        return quote(timestamp_text(value, field.unit, field.zone))
    if kind == "duration":
        return quote("P" + (clock_text(value, UNITS[field.unit]) or "T0S"))
    if kind == "interval":
        return quote(interval_text(*struct.unpack("<iiq", value)))
    if kind == "utf8":
        return quote(value.decode())
    if kind in ("binary", "fixed_binary"):
        return quote(base64.b64encode(value).decode())
    if kind == "uuid":
        return quote(uuid_text(value))
    if kind == "enum":
        return quote(field.symbols[value])
    if kind == "struct":
        return struct_text(value, field.children, [child.name for child in field.children])
    if kind == "map":
        parts = field.children[0].children
        return "[" + ",".join(struct_text(entry, parts, ("key", "value")) for entry in value) + "]"
    if kind in ("list", "fixed_list"):
        return "[" + ",".join(json_text(item, field.children[0]) for item in value) + "]"
    return str(value)


def struct_text(value, fields, names):
    return "{" + ",".join(f"{quote(name)}:{json_text(part, field)}"
                          for name, part, field in zip(names, value, fields)) + "}"
