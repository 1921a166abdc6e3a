"""The photos of a trip, drawn in code, with made-up facts."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from exif import with_exif

PHONE = ("Apple", "iPhone 15 Pro")
CAMERA = ("FUJIFILM", "X100V")  # writes no offset from UTC, as most cameras
TOKYO = "+09:00"


@dataclass(frozen=True)
class Photo:
    taken: str
    hour: str
    kind: str
    width: int
    height: int
    place: tuple[float, float] | None
    camera: tuple[str, str] = PHONE
    offset: str | None = None
    seed: int = 1

    @property
    def name(self) -> str:
        return f"{self.taken.replace(':', '')}.jpg"

    def scene(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("seed", "hour", "kind", "width", "height")}

    def with_facts(self, jpeg: bytes) -> bytes:
        return with_exif(jpeg, self.taken, self.offset, self.place, self.camera)


# In the order of the clocks of their places. By UTC, with the camera's clock taken for it, the phone's photos would
# come nine hours earlier.
TRIP = [
    Photo("2024-04-06T16:02:11", "dusk", "city", 1800, 1200, (35.7148, 139.7967), PHONE, TOKYO, 8),
    Photo("2024-04-06T17:23:41", "dusk", "city", 1200, 1800, (35.65858, 139.745433), PHONE, TOKYO, 9),
    Photo("2024-04-06T18:40:05", "night", "city", 1800, 1200, (35.6595, 139.7005), CAMERA, None, 10),
    Photo("2024-04-06T18:44:30", "night", "sea", 1600, 1200, (35.6599, 139.7009), PHONE, TOKYO, 11),
    Photo("2024-04-07T05:12:00", "dawn", "hills", 1800, 1200, (35.2323, 139.1069), CAMERA, None, 12),
    Photo("2024-04-07T11:12:45", "day", "forest", 1200, 1800, (35.2048, 139.0252), PHONE, TOKYO, 24),
    Photo("2024-04-07T14:35:20", "day", "sea", 2400, 1200, (35.1049, 139.0737), PHONE, TOKYO, 14),
    Photo("2024-04-08T09:30:00", "day", "hills", 1800, 1200, (34.9671, 135.7727), CAMERA, None, 16),
    Photo("2024-04-08T17:55:12", "dusk", "forest", 1800, 1200, (35.0394, 135.7292), PHONE, TOKYO, 17),
    Photo("2024-04-08T18:20:00", "dusk", "hills", 1800, 1200, None, CAMERA, None, 18),
]


def small(taken: str, **facts: Any) -> Photo:
    """One that is drawn and processed at once."""
    plain = Photo(taken, "dawn", "hills", 480, 320, (35.0, 139.0), PHONE, TOKYO, 5)
    return dataclasses.replace(plain, **facts)
