"""Small pictures drawn in code, so that avatars and photos need no files."""

from __future__ import annotations

import colorsys
import hashlib
import struct
import zlib
from collections.abc import Iterable
from functools import lru_cache

_CELLS = 5
_PAPER, _INK = b"\0", b"\1"


@lru_cache(maxsize=64)
def picture(seed: str, size: int = 160) -> bytes:
    """Return a square PNG of about ``size`` pixels: a mirrored pattern in two colours, the same for the same seed."""
    digest = hashlib.sha256(seed.encode()).digest()
    cell = size // (_CELLS + 1)
    edge = cell // 2
    width = cell * _CELLS + 2 * edge
    margin, blank = _PAPER * edge, [_PAPER * width] * edge
    rows = list(blank)
    for y in range(_CELLS):
        bits = [digest[1 + y * 3 + min(x, _CELLS - 1 - x)] & 1 for x in range(_CELLS)]
        line = b"".join((_INK if bit else _PAPER) * cell for bit in bits)
        rows += [margin + line + margin] * cell
    palette = _colour(digest[0], 0.88, 0.30) + _colour(digest[0], 0.42, 0.55)
    return png(width, width, palette, rows + blank)


def png(width: int, height: int, palette: bytes, rows: Iterable[bytes]) -> bytes:
    """Return a PNG of up to 256 colours; a row has the number of a colour for each of its pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)  # 8 bits a pixel, with a palette
    pixels = b"".join(b"\0" + row for row in rows)  # each row begins with its filter: none
    chunks = [(b"IHDR", header), (b"PLTE", palette), (b"IDAT", zlib.compress(pixels)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def grey_picture(seed: str, size: int = 160) -> bytes:
    """Return a square JPEG of ``size`` pixels, a multiple of 8, with the same pattern in two shades of grey.

    Each block of 8 by 8 pixels has one shade, so all it takes is the difference to the block before: one bit for
    none, or two bits and a sign for the step up or down; then one bit for the end of the block (ITU T.81).
    """
    bits, shade = "", 0
    for y in range(size // 8):
        for x in range(size // 8):
            step = _is_ink(hashlib.sha256(seed.encode()).digest(), x * 8 / size, y * 8 / size) - shade
            bits += "0" + "0" if not step else "10" + ("1" if step > 0 else "0") + "0"
            shade += step
    bits += "1" * (-len(bits) % 8)
    scan = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")
    segments = (
        (0xDB, b"\0" + b"\xff" * 64),  # how large a step is
        (0xC0, struct.pack(">BHHBBBB", 8, size, size, 1, 1, 0x11, 0)),
        (0xC4, bytes([0x00, 1, 1, *[0] * 14, 0, 1])),  # codes 0 and 10: no step, a step
        (0xC4, bytes([0x10, 1, *[0] * 15, 0])),  # code 0: the end of the block
        (0xDA, bytes([1, 1, 0, 0, 63, 0])),
    )
    head = b"".join(struct.pack(">BBH", 255, kind, len(data) + 2) + data for kind, data in segments)
    return b"\xff\xd8" + head + scan + b"\xff\xd9"


def _is_ink(digest: bytes, x: float, y: float) -> bool:
    column, row = int(x * _CELLS), int(y * _CELLS)
    return bool(digest[1 + row * 3 + min(column, _CELLS - 1 - column)] & 1)


def _colour(hue: int, lightness: float, saturation: float) -> bytes:
    return bytes(round(255 * part) for part in colorsys.hls_to_rgb(hue / 255, lightness, saturation))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
