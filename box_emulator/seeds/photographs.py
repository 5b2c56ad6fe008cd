"""Landscapes painted by code, so that a photographer has photographs."""

from __future__ import annotations

import colorsys
import hashlib
import math
from collections.abc import Callable
from functools import cache

from ..jpeg import jpeg
from ..pictures import png

_SHADES = 64  # of the sky
_SKIES = (0.54, 0.58, 0.62, 0.04, 0.08, 0.95)  # hues: blue, orange, rose
_SUN, _FAR, _NEAR = _SHADES, _SHADES + 1, _SHADES + 2

Colour = tuple[float, float, float]


@cache
def landscape(name: str, width: int = 360, height: int = 240) -> bytes:
    """Return a PNG of hills below a sky, another one for each name."""
    digest = hashlib.sha256(name.encode()).digest()
    far = _ridge(digest[0:3], height * 0.55, height * 0.12)
    near = _ridge(digest[3:6], height * 0.75, height * 0.1)
    sun_x, sun_y, radius = width * (0.2 + digest[6] / 430), height * 0.3, height * 0.09
    sky = bytes(min(_SHADES - 1, y * _SHADES * 5 // (height * 3)) for y in range(height))
    columns = []
    for x in range(width):
        top, bottom = int(far(x / width)), int(near(x / width))
        top = min(top, bottom)
        column = bytearray(sky[:top])
        if (reach := radius**2 - (x - sun_x) ** 2) > 0:
            first, last = int(sun_y - math.sqrt(reach)), min(int(sun_y + math.sqrt(reach)), top)
            column[first:last] = bytes([_SUN]) * max(0, last - first)
        columns.append(bytes(column) + bytes([_FAR]) * (bottom - top) + bytes([_NEAR]) * (height - bottom))
    hue = _SKIES[digest[7] % len(_SKIES)]
    shades = [_rgb(hue, 0.45 + 0.4 * shade / _SHADES, 0.55 - 0.2 * shade / _SHADES) for shade in range(_SHADES)]
    ground = 0.25 + digest[8] / 850
    palette = b"".join([*shades, _rgb(0.13, 0.9, 0.9), _rgb(ground, 0.38, 0.25), _rgb(ground, 0.2, 0.3)])
    return png(width, height, palette, map(bytes, zip(*columns, strict=True)))


@cache
def sunset(name: str, width: int = 288, height: int = 192) -> bytes:
    """Return a JPEG of a sun above the sea."""
    digest = hashlib.sha256(name.encode()).digest()
    sun_x, sun_y, horizon = width * (0.25 + digest[0] / 500), height * (0.3 + digest[1] / 1500), height * 0.62

    def paint(x: float, y: float) -> Colour:
        mirrored = y if y < horizon else 2 * horizon - y
        glow = 1 / (1 + ((x - sun_x) ** 2 + (mirrored - sun_y) ** 2) / (height * 5))
        warm = 1 - min(1, abs(mirrored - horizon) / horizon)
        light = 40 + 90 * warm + 130 * glow
        if y >= horizon:
            light *= 0.65 + 0.1 * math.sin(y * 0.9)
        return light, 128 - 40 * warm * (1 - glow) + 20 * (1 - warm), 128 + 42 * warm - 20 * glow

    return jpeg(width, height, paint)


def _ridge(digest: bytes, level: float, swing: float) -> Callable[[float], float]:
    a, b, c = (byte / 255 for byte in digest)
    return lambda x: (
        level
        + swing * math.sin(2 * math.pi * (x * (0.7 + a) + b)) * 0.6
        + swing * math.sin(2 * math.pi * (x * (2.1 + 2 * c) + a)) * 0.3
    )


def _rgb(hue: float, lightness: float, saturation: float) -> bytes:
    return bytes(round(255 * part) for part in colorsys.hls_to_rgb(hue, min(1, lightness), saturation))
