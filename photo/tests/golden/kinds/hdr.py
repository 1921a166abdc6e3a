"""Pictures of high dynamic range, and how docs/formats.md says that they become sRGB: up to 1,000 cd/m² are
mapped to 203 by the curve of ITU-R BT.2390."""

from __future__ import annotations

import numpy as np

PQ, HLG = 16, 18
PEAK, WHITE = 1000.0, 203.0
BRIGHTEST = 600.0
P3_D65 = np.array([(0.680, 0.320), (0.265, 0.690), (0.150, 0.060)])
SRGB = np.array([(0.640, 0.330), (0.300, 0.600), (0.150, 0.060)])
BT_2020 = np.array([(0.708, 0.292), (0.170, 0.797), (0.131, 0.046)])
D65 = (0.3127, 0.3290)
PRIMARIES = {1: SRGB, 9: BT_2020, 12: P3_D65}
LUMINANCE = np.array([0.2627, 0.6780, 0.0593])


def signal(picture: np.ndarray, transfer: int, primaries: int) -> np.ndarray:
    """The samples from 0 to 1 of a picture in sRGB, whose white is made three times as bright as that of SDR."""
    light = from_srgb(picture) @ (to_xyz(SRGB).T @ np.linalg.inv(to_xyz(PRIMARIES[primaries])).T)
    light = np.clip(light, 0, 1) * BRIGHTEST / PEAK
    if transfer == PQ:
        return to_pq(light * PEAK)
    luminance = np.maximum(light @ LUMINANCE, 1e-9)[..., None]
    scene = light * luminance ** (1 / 1.2 - 1)  # the inverse of the system's gamma
    return np.where(
        scene <= 1 / 12,
        np.sqrt(3 * scene),
        0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073,
    )


def as_srgb(samples: np.ndarray, transfer: int, primaries: int) -> np.ndarray:
    """Samples from 0 to 1, as the picture in sRGB that is shown for them."""
    if transfer == PQ:
        light = np.minimum(from_pq(samples), PEAK)
    else:
        scene = np.where(
            samples <= 0.5,
            samples**2 / 3,
            (np.exp((samples - 0.55991073) / 0.17883277) + 0.28466892) / 12,
        )
        light = PEAK * scene * (scene @ LUMINANCE)[..., None] ** 0.2
    brightest = np.maximum(light.max(axis=-1, keepdims=True), 1e-6)
    shown = light / brightest * tone_mapped(np.minimum(brightest, PEAK)) / WHITE
    to_srgb = np.linalg.inv(to_xyz(SRGB)) @ to_xyz(PRIMARIES[primaries])
    linear = np.clip(shown @ to_srgb.T, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def tone_mapped(light: np.ndarray) -> np.ndarray:
    """The electrical-electrical transfer function of BT.2390-11 clause 5.4.1, without a lift of black."""
    white = to_pq(PEAK)
    level, largest = to_pq(light) / white, to_pq(WHITE) / white
    knee = 1.5 * largest - 0.5
    t = (level - knee) / (1 - knee)
    spline = (
        (2 * t**3 - 3 * t**2 + 1) * knee
        + (t**3 - 2 * t**2 + t) * (1 - knee)
        + (-2 * t**3 + 3 * t**2) * largest
    )
    return from_pq(np.where(level < knee, level, spline) * white)


def to_pq(light: np.ndarray | float) -> np.ndarray:
    """SMPTE ST 2084, from cd/m²."""
    power = (np.asarray(light) / 10000) ** (2610 / 16384)
    return ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)


def from_pq(sample: np.ndarray) -> np.ndarray:
    power = np.clip(sample, 0, 1) ** (32 / 2523)
    light = np.maximum(power - 3424 / 4096, 0) / (2413 / 128 - 2392 / 128 * power)
    return 10000 * light ** (16384 / 2610)


def from_srgb(samples: np.ndarray) -> np.ndarray:
    return np.where(samples <= 0.04045, samples / 12.92, ((samples + 0.055) / 1.055) ** 2.4)


def to_xyz(primaries: np.ndarray) -> np.ndarray:
    """Linear light of these primaries and D65 to XYZ (SMPTE RP 177)."""
    red, green, blue = ([x / y, 1, (1 - x - y) / y] for x, y in primaries)
    columns = np.array([red, green, blue]).T
    x, y = D65
    return columns * np.linalg.solve(columns, [x / y, 1, (1 - x - y) / y])
