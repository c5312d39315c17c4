"""How colours "#rrggbb" are told apart: by normal and colour-blind eyes, on a washed-out projector, beside their ground.

Colour blindness: G. M. Machado, M. M. Oliveira, L. A. F. Fernandes, "A physiologically-based model for simulation of color vision
deficiency", IEEE TVCG 15 (2009), severity 1. Distance: CIEDE2000 (G. Sharma, W. Wu, E. N. Dalal, Color Res. Appl. 30, 2005). Contrast:
WCAG 2.
"""

import math

import numpy as np

EYES = {
    "normal": np.eye(3),
    "protanopia": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    "deuteranopia": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
    "tritanopia": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]),
}
PROJECTED = 0.4  # of the contrast is left, the rest is light in the room
XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]])


def linear(colour: str) -> np.ndarray:
    v = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def seen(colour: str, eye: str = "normal", projected: bool = False) -> np.ndarray:
    """CIELAB of a colour as an eye sees it; projected: its sRGB values squeezed to PROJECTED of their range, from above."""
    v = linear(colour)
    if projected:
        v = _decode(1 - PROJECTED * (1 - _encode(v)))
    x = XYZ @ np.clip(EYES[eye] @ v, 0, 1) / (XYZ @ np.ones(3))
    f = np.where(x > (6 / 29) ** 3, np.cbrt(x), x / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def _encode(v):
    return np.where(v <= 0.0031308, 12.92 * v, 1.055 * v ** (1 / 2.4) - 0.055)


def _decode(v):
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def distance(one: np.ndarray, two: np.ndarray) -> float:
    """CIEDE2000 of two colours in CIELAB."""
    (L1, a1, b1), (L2, a2, b2) = one, two
    mean = (math.hypot(a1, b1) + math.hypot(a2, b2)) / 2
    g = 0.5 * (1 - math.sqrt(mean**7 / (mean**7 + 25**7)))
    a1, a2 = (1 + g) * a1, (1 + g) * a2
    C1, C2 = math.hypot(a1, b1), math.hypot(a2, b2)
    h1, h2 = (math.degrees(math.atan2(b, a)) % 360 for b, a in ((b1, a1), (b2, a2)))
    turn = 0.0 if C1 * C2 == 0 else (h2 - h1 + 180) % 360 - 180
    dL, dC, dH = L2 - L1, C2 - C1, 2 * math.sqrt(C1 * C2) * math.sin(math.radians(turn / 2))
    L, C = (L1 + L2) / 2, (C1 + C2) / 2
    h = h1 + h2 if C1 * C2 == 0 else (h1 + turn / 2) % 360
    wave = [math.cos(math.radians(k * h + shift)) for k, shift in ((1, -30), (2, 0), (3, 6), (4, -63))]
    T = 1 - 0.17 * wave[0] + 0.24 * wave[1] + 0.32 * wave[2] - 0.20 * wave[3]
    S_L = 1 + 0.015 * (L - 50) ** 2 / math.sqrt(20 + (L - 50) ** 2)
    S_C, S_H = 1 + 0.045 * C, 1 + 0.015 * C * T
    R = -2 * math.sqrt(C**7 / (C**7 + 25**7)) * math.sin(math.radians(60 * math.exp(-(((h - 275) / 25) ** 2))))
    return math.sqrt((dL / S_L) ** 2 + (dC / S_C) ** 2 + (dH / S_H) ** 2 + R * dC / S_C * dH / S_H)


def apart(one: str, two: str) -> dict[str, float]:
    """CIEDE2000 of two colours for each eye, and on a projector."""
    found = {eye: distance(seen(one, eye), seen(two, eye)) for eye in EYES}
    return {**found, "projector": distance(seen(one, projected=True), seen(two, projected=True))}


def hue(colour: str) -> float:
    """The angle of a colour in CIELAB, in degrees."""
    _, a, b = seen(colour)
    return math.degrees(math.atan2(b, a)) % 360


def contrast(one: str, two: str) -> float:
    low, high = sorted(float(np.dot(linear(c), (0.2126, 0.7152, 0.0722))) for c in (one, two))
    return (high + 0.05) / (low + 0.05)
