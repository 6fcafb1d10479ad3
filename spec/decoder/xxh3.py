"""XXH3-64 with seed 0 and the default secret, in plain Python: the hash of the format.

Slow (some MB a second) and short. The three ways by length are those of the XXH3 specification.
"""
import struct

M64 = (1 << 64) - 1
P32_1, P32_2, P32_3 = 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D
P64_1, P64_2, P64_3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
P64_4, P64_5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5
PMX1, PMX2 = 0x165667919E3779F9, 0x9FB21C651E98DF25

SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221"
    "b8084674f743248ee03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
    "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb"
    "170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e")

STRIPE, SECRET_STEP = 64, 8
STRIPES_PER_BLOCK = (len(SECRET) - STRIPE) // SECRET_STEP


def u32(data, at):
    return struct.unpack_from("<I", data, at)[0]


def u64(data, at):
    return struct.unpack_from("<Q", data, at)[0]


def fold(a, b):
    """The two halves of the 128-bit product, xored."""
    product = a * b
    return (product & M64) ^ (product >> 64)


def swap32(x):
    return int.from_bytes(x.to_bytes(4, "little"), "big")


def swap64(x):
    return int.from_bytes(x.to_bytes(8, "little"), "big")


def rotate(x, n):
    return (x << n | x >> (64 - n)) & M64


def avalanche(h):
    h ^= h >> 37
    h = h * PMX1 & M64
    return h ^ h >> 32


def avalanche_xxh64(h):
    h ^= h >> 33
    h = h * P64_2 & M64
    h ^= h >> 29
    h = h * P64_3 & M64
    return h ^ h >> 32


def hash_0_to_16(data):
    n = len(data)
    if n == 0:
        return avalanche_xxh64(u64(SECRET, 56) ^ u64(SECRET, 64))
    if n <= 3:
        word = data[0] << 16 | data[n >> 1] << 24 | data[n - 1] | n << 8
        return avalanche_xxh64(word ^ (u32(SECRET, 0) ^ u32(SECRET, 4)))
    if n <= 8:
        word = u32(data, n - 4) | u32(data, 0) << 32
        h = word ^ u64(SECRET, 8) ^ u64(SECRET, 16)
        h ^= rotate(h, 49) ^ rotate(h, 24)
        h = h * PMX2 & M64
        h ^= (h >> 35) + n & M64
        h = h * PMX2 & M64
        return h ^ h >> 28
    low = u64(data, 0) ^ u64(SECRET, 24) ^ u64(SECRET, 32)
    high = u64(data, n - 8) ^ u64(SECRET, 40) ^ u64(SECRET, 48)
    return avalanche(n + swap64(low) + high + fold(low, high) & M64)


def mix16(data, at, secret_at):
    return fold(u64(data, at) ^ u64(SECRET, secret_at),
                u64(data, at + 8) ^ u64(SECRET, secret_at + 8))


def hash_17_to_240(data):
    n = len(data)
    h = n * P64_1
    if n <= 128:
        for i in range((n - 1) // 32, -1, -1):
            h += mix16(data, 16 * i, 32 * i) + mix16(data, n - 16 * (i + 1), 32 * i + 16)
        return avalanche(h & M64)
    for i in range(8):
        h += mix16(data, 16 * i, 16 * i)
    h = avalanche(h & M64)
    for i in range(8, n // 16):
        h += mix16(data, 16 * i, 16 * (i - 8) + 3)
    return avalanche(h + mix16(data, n - 16, 136 - 17) & M64)


def accumulate(lanes, data, at, secret_at):
    words = struct.unpack_from("<8Q", data, at)
    keys = struct.unpack_from("<8Q", SECRET, secret_at)
    for i in range(8):
        keyed = words[i] ^ keys[i]
        lanes[i ^ 1] = lanes[i ^ 1] + words[i] & M64
        lanes[i] = lanes[i] + (keyed & 0xFFFFFFFF) * (keyed >> 32) & M64


def hash_long(data):
    n = len(data)
    lanes = [P32_3, P64_1, P64_2, P64_3, P64_4, P32_2, P64_5, P32_1]
    nstripes = (n - 1) // STRIPE
    for stripe in range(nstripes):
        in_block = stripe % STRIPES_PER_BLOCK
        accumulate(lanes, data, stripe * STRIPE, in_block * SECRET_STEP)
        if in_block == STRIPES_PER_BLOCK - 1:
            keys = struct.unpack_from("<8Q", SECRET, len(SECRET) - STRIPE)
            lanes = [((lane ^ lane >> 47 ^ key) * P32_1) & M64 for lane, key in zip(lanes, keys)]
    accumulate(lanes, data, n - STRIPE, len(SECRET) - STRIPE - 7)
    h = n * P64_1
    for i in range(4):
        h += fold(lanes[2 * i] ^ u64(SECRET, 11 + 16 * i),
                  lanes[2 * i + 1] ^ u64(SECRET, 11 + 16 * i + 8))
    return avalanche(h & M64)


def xxh3_64(data):
    if len(data) <= 16:
        return hash_0_to_16(data)
    if len(data) <= 240:
        return hash_17_to_240(data)
    return hash_long(data)
