"""A small writer of JPEG files, for pictures that are soft: each block of 8 by 8 pixels is a plane (ITU T.81)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from itertools import product

_DC_STEP, _AC_STEP = 8, 2  # of the quantization: a whole level of brightness, and a fraction of one
_SLOPE = -2.278  # first coefficient of the cosine transform of a plane that rises by 1 over a block
_EDGE = 8
# Codes of one length each need no statistics: 4 bits for the difference to the block before, 5 for slopes.
_SLOPES = [0x00, *range(0x01, 0x0A), *range(0x11, 0x1A)]  # the end of a block; sizes after no zero; after one

Paint = Callable[[float, float], tuple[float, float, float]]


def jpeg(width: int, height: int, paint: Paint) -> bytes:
    """Return the picture, its edges multiples of 8. ``paint`` gives brightness and colour (Y, Cb, Cr) of a point."""
    bits, before = list[str](), [0, 0, 0]
    for top, left in product(range(0, height, _EDGE), range(0, width, _EDGE)):
        x, y, half = left + 3.5, top + 3.5, 4
        points = [(x, y), (x - half, y), (x + half, y), (x, y - half), (x, y + half)]
        painted = zip(*(paint(*point) for point in points), strict=True)
        for part, (middle, west, east, north, south) in enumerate(painted):
            level = round(min(255, max(0, middle))) - 128
            across, down = (round(rise * _SLOPE / _AC_STEP) for rise in (east - west, south - north))
            size, value = _number(level - before[part])
            bits.append(f"{size:04b}{value}{_slopes(across, down)}")
            before[part] = level
    scan = "".join(bits)
    scan += "1" * (-len(scan) % 8)
    data = int(scan, 2).to_bytes(len(scan) // 8, "big").replace(b"\xff", b"\xff\0")
    components = b"".join(bytes([number, 0x11, 0]) for number in (1, 2, 3))
    segments = (
        (0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"),
        (0xDB, bytes([0, _DC_STEP, *[_AC_STEP] * 63])),
        (0xC0, struct.pack(">BHHB", 8, height, width, 3) + components),
        (0xC4, _table(0x00, 4, range(12))),
        (0xC4, _table(0x10, 5, _SLOPES)),
        (0xDA, bytes([3, 1, 0, 2, 0, 3, 0, 0, 63, 0])),
    )
    head = b"".join(struct.pack(">BBH", 255, kind, len(segment) + 2) + segment for kind, segment in segments)
    return b"\xff\xd8" + head + data + b"\xff\xd9"


def _slopes(across: int, down: int) -> str:
    written, zeros = "", 0
    for slope in (across, down):
        if slope:
            size, value = _number(slope)
            written += f"{_SLOPES.index(zeros << 4 | size):05b}{value}"
            zeros = 0
        else:
            zeros += 1
    return written + f"{0:05b}"


def _number(value: int) -> tuple[int, str]:
    """Return how many bits a number takes, and these; one below zero is written as its distance from the least."""
    size = abs(value).bit_length()
    return size, f"{value if value > 0 else value + (1 << size) - 1:0{size}b}" if size else ""


def _table(kind: int, length: int, symbols: range | list[int]) -> bytes:
    counts = [len(symbols) if bits == length else 0 for bits in range(1, 17)]
    return bytes([kind, *counts, *symbols])
