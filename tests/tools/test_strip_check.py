"""What `make strip-check` takes for a place, and for metadata."""

from __future__ import annotations

import shutil
import unittest

from photos_dev.strip_check import is_of_metadata, is_of_place, writable_places


class Tags(unittest.TestCase):
    def test_a_place_is_known_by_its_group_and_by_its_name(self) -> None:
        for name in (
            "GPS:Location:GPSLatitude",
            "XMP-photoshop:Location:City",
            "XMP-photoshop:Location:Copy1:State",
            "Panasonic:Camera:Landmark",
            "XMP-dwc:Location:Copy1:Anything",
            "XMP-GCamera:Camera:MotionPhoto",
        ):
            self.assertTrue(is_of_place(name), name)
        for name in ("IFD0:Camera:Make", "ExifIFD:Camera:SubjectLocation", "ICC-meas:Image:MeasurementGeometry"):
            self.assertFalse(is_of_place(name), name)

    def test_metadata_are_all_but_the_orientation_and_the_pictures_own(self) -> None:
        for name in (
            "IFD0:Camera:Make",
            "ExifIFD:Time:DateTimeOriginal",
            "XMP-dc:Author:Title",
            "IPTC:Other:Keywords",
            "Photoshop:Image:XResolution",
            "Apple:Camera:RunTimeValue",
            "PNG:Image:Comment",
            "PNG:Time:ModifyDate",
            "File:Image:Comment",
        ):
            self.assertTrue(is_of_metadata(name), name)
        for name in (
            "IFD0:Image:Orientation",
            "File:Image:ImageWidth",
            "ICC_Profile:Image:ProfileDescription",
            "PNG:Image:Gamma",
            "RIFF:Image:VP8Version",
            "QuickTime:Image:ImageSpatialExtent",
        ):
            self.assertFalse(is_of_metadata(name), name)

    @unittest.skipUnless(shutil.which("exiftool"), "exiftool is not installed")
    def test_places_are_written_in_every_group_that_has_some(self) -> None:
        groups = {argument.split(":")[0] for argument in writable_places()}
        expected = {"-GPS", "-IPTC", "-XMP-exif", "-XMP-iptcCore", "-XMP-iptcExt", "-XMP-photoshop", "-XMP-dwc"}
        self.assertLessEqual(expected, groups)


if __name__ == "__main__":
    unittest.main()
