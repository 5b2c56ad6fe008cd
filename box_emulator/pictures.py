"""Small pictures drawn in code, so that avatars and photos need no files."""

from __future__ import annotations

import colorsys
import hashlib
import struct
import zlib

_CELLS = 5
_PAPER, _INK = b"\0", b"\1"


def picture(seed: str, size: int = 160) -> bytes:
    """Return a square PNG of about ``size`` pixels: a mirrored pattern in two colours, the same for the same seed."""
    digest = hashlib.sha256(seed.encode()).digest()
    cell = size // (_CELLS + 1)
    edge = cell // 2
    width = cell * _CELLS + 2 * edge
    margin, blank = _PAPER * edge, [b"\0" + _PAPER * width] * edge  # each line of a PNG begins with its filter: none
    rows = list(blank)
    for y in range(_CELLS):
        bits = [digest[1 + y * 3 + min(x, _CELLS - 1 - x)] & 1 for x in range(_CELLS)]
        line = b"".join((_INK if bit else _PAPER) * cell for bit in bits)
        rows += [b"\0" + margin + line + margin] * cell
    rows += blank
    header = struct.pack(">IIBBBBB", width, width, 8, 3, 0, 0, 0)  # 8 bits a pixel, with a palette
    palette = _colour(digest[0], 0.88, 0.30) + _colour(digest[0], 0.42, 0.55)
    chunks = [(b"IHDR", header), (b"PLTE", palette), (b"IDAT", zlib.compress(b"".join(rows))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _colour(hue: int, lightness: float, saturation: float) -> bytes:
    return bytes(round(255 * part) for part in colorsys.hls_to_rgb(hue / 255, lightness, saturation))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
