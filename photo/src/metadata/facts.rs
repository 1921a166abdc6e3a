//! Reads a photo's EXIF: when, where and with which camera it was taken.
//!
//! [`read`] turns the bytes of a file into [`Facts`] and never fails: a tag that is missing, blank,
//! impossible or cut off is absent from the facts, and the other tags are kept. Clauses and tag numbers
//! are those of EXIF 2.32 (CIPA DC-008-2019) unless EXIF 3.0 is named.
//!
//! | attribute of the item | fact | tags | clause | unit |
//! |---|---|---|---|---|
//! | `takenAt` | [`TakenAt::iso8601`] | DateTimeOriginal 0x9003, SubSecTimeOriginal 0x9291, OffsetTimeOriginal 0x9011; for the offset GPSDateStamp 0x001D, GPSTimeStamp 0x0007 | 4.6.5, 4.6.6 | local time and its offset from UTC |
//! | `timelineAt` | [`TakenAt::timeline`] | DateTimeOriginal 0x9003, SubSecTimeOriginal 0x9291 | 4.6.5 | local time |
//! | `taken.source`, `.offsetSource` | [`TakenAt::source`], [`TakenAt::offset_source`] | those of `takenAt` | | |
//! | `location.latitude`, `.longitude` | [`Location`] | GPSLatitudeRef 0x0001 to GPSLongitude 0x0004, GPSStatus 0x0009 | 4.6.6 | degrees |
//! | `location.altitude` | [`Location::altitude`] | GPSAltitudeRef 0x0005, GPSAltitude 0x0006 | 4.6.6 | metres |
//! | `camera.make`, `.model`, `.software` | [`Camera`] | Make 0x010F, Model 0x0110, Software 0x0131 | 4.6.4 | |
//! | `camera.lens` | [`Camera::lens`] | LensModel 0xA434 | 4.6.5 | |
//! | `exposure.time`, `.seconds` | [`ExposureTime`](super::ExposureTime) | ExposureTime 0x829A | 4.6.5 | seconds |
//! | `exposure.fNumber` | [`Exposure::f_number`] | FNumber 0x829D | 4.6.5 | focal length over aperture |
//! | `exposure.iso` | [`Exposure::iso`] | PhotographicSensitivity 0x8827, ISOSpeed 0x8833, RecommendedExposureIndex 0x8832, StandardOutputSensitivity 0x8831 | 4.6.5 | ISO 12232 |
//! | `exposure.focalLength` | [`Exposure::focal_length`] | FocalLength 0x920A | 4.6.5 | mm |
//! | `exposure.focalLength35` | [`Exposure::focal_length_35mm`] | FocalLengthIn35mmFilm 0xA405 | 4.6.5 | mm |
//! | `exposure.flash` | [`Exposure::flash`] | Flash 0x9209 | 4.6.5 | |
//! | `original.orientation` | [`Facts::orientation`] | Orientation 0x0112 | 4.6.4 | |
//! | `exif` | [`Facts::tags`] | all others that have a name | 4.6.4 to 4.6.7 | with each |
//!
//! A file takes three steps: `blocks` finds its blocks of EXIF, `directory` reads the fields of IFD0,
//! Exif, GPS and Interoperability in them, and each of the other modules makes one kind of fact from the
//! fields.

use std::collections::BTreeMap;
use std::panic;

use ::exif::Tag;

use super::blocks;
use super::exif::exposure::{self, Exposure};
use super::exif::fields::Fields;
use super::exif::{directory, tags};
use super::place::{self, Location, LocationPolicy};
use super::time::{self, TakenAt};
use crate::CancelFlag;

/// The facts in a photo's EXIF.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Orientation (0x0112) as stored, even if it is not one of the legal values 1 to 8.
    pub orientation: Option<u16>,
    /// The time at which the photo was taken.
    pub taken_at: Option<TakenAt>,
    /// The place where the photo was taken, as far as the [`LocationPolicy`] allows.
    pub location: Option<Location>,
    /// The camera, lens and software.
    pub camera: Camera,
    /// The exposure settings.
    pub exposure: Exposure,
    /// The other standard tags of the primary image, at most [`MAX_TAGS`](super::MAX_TAGS): each tag's name, such as
    /// `WhiteBalance`, with its value as readable text, including the unit. A value has at most 512 bytes, and
    /// all names and values together have at most 16 KiB.
    pub tags: BTreeMap<String, String>,
}

/// The camera, lens and software of a photo. No text is longer than 512 bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "camelCase"))]
pub struct Camera {
    /// Make (0x010F), the manufacturer.
    pub make: Option<String>,
    /// Model (0x0110).
    pub model: Option<String>,
    /// LensModel (0xA434).
    pub lens: Option<String>,
    /// Software (0x0131): the camera's firmware, or the program that saved the file last.
    pub software: Option<String>,
}

/// Reads the EXIF of a JPEG, TIFF, PNG, WebP, HEIF, AVIF or JPEG XL file.
///
/// This never fails, so that no photo is lost because of its EXIF. The result is [`Facts::default`] for
/// any other file, for a file without EXIF, and if the reader panics. Once the flag is raised, facts that
/// are not yet read are absent.
pub fn read(file: &[u8], location: LocationPolicy, cancel: &CancelFlag) -> Facts {
    panic::catch_unwind(|| read_facts(file, location, cancel)).unwrap_or_default()
}

fn read_facts(file: &[u8], location: LocationPolicy, cancel: &CancelFlag) -> Facts {
    let blocks = blocks::blocks(file, cancel);
    let fields = Fields::new(directory::directories(&blocks));
    Facts {
        orientation: fields.own_uint(Tag::Orientation).and_then(|value| u16::try_from(value).ok()),
        taken_at: time::taken_at(&fields),
        location: place::location(&fields, location),
        camera: camera(&fields),
        exposure: exposure::exposure(&fields),
        tags: tags::tags(&fields, location),
    }
}

fn camera(fields: &Fields) -> Camera {
    Camera {
        make: fields.text(Tag::Make),
        model: fields.text(Tag::Model),
        lens: fields.text(Tag::LensModel),
        software: fields.text(Tag::Software),
    }
}

#[cfg(test)]
mod tests {
    use ::exif::Tag;

    use super::super::sample::{ascii, block, facts, jpeg, long, rational, read, short, thumbnail};
    use super::{Camera, Facts, LocationPolicy};

    fn small_photo() -> Vec<::exif::Field> {
        vec![
            ascii(Tag::Make, "Canon"),
            short(Tag::Orientation, 6),
            ascii(Tag::DateTimeOriginal, "2024:04:06 17:23:41"),
            ascii(Tag::SubSecTimeOriginal, "123"),
            rational(Tag::ExposureTime, &[(1, 120)]),
            short(Tag::WhiteBalance, 0),
            ascii(Tag::GPSLatitudeRef, "N"),
            rational(Tag::GPSLatitude, &[(35, 1), (39, 1), (3089, 100)]),
            ascii(Tag::GPSLongitudeRef, "E"),
            rational(Tag::GPSLongitude, &[(139, 1), (44, 1), (4356, 100)]),
            rational(Tag::GPSTimeStamp, &[(8, 1), (23, 1), (40, 1)]),
            ascii(Tag::GPSDateStamp, "2024:04:06"),
        ]
    }

    #[test]
    fn a_file_without_exif_has_no_facts() {
        let none = Facts::default();
        for file in [&b""[..], b"\xff\xd8\xff\xd9", b"not a photo", b"GIF89a"] {
            assert_eq!(read(file, LocationPolicy::Exact), none);
        }
        assert_eq!(read(&jpeg(b""), LocationPolicy::Exact), none);
    }

    #[test]
    fn orientation_is_given_as_stored_even_if_illegal() {
        for value in [1, 6, 8, 0, 9, 65535] {
            let facts = facts(&[short(Tag::Orientation, value)]);
            assert_eq!(facts.orientation, Some(value));
        }
        assert_eq!(facts(&[long(Tag::Orientation, 3)]).orientation, Some(3));
        assert_eq!(facts(&[long(Tag::Orientation, 65536)]).orientation, None);
        assert_eq!(facts(&[ascii(Tag::Orientation, "6")]).orientation, None);
    }

    #[test]
    fn the_embedded_thumbnails_orientation_is_ignored() {
        let facts = facts(&[ascii(Tag::Make, "Canon"), thumbnail(short(Tag::Orientation, 6))]);
        assert_eq!(facts.orientation, None);
    }

    #[test]
    fn camera_has_make_model_lens_and_software() {
        let facts = facts(&[
            ascii(Tag::Make, "Canon"),
            ascii(Tag::Model, "Canon EOS 80D"),
            ascii(Tag::LensModel, "EF-S18-135mm f/3.5-5.6 IS USM"),
            ascii(Tag::Software, "darktable 4.2.1"),
        ]);
        let expected = Camera {
            make: Some("Canon".into()),
            model: Some("Canon EOS 80D".into()),
            lens: Some("EF-S18-135mm f/3.5-5.6 IS USM".into()),
            software: Some("darktable 4.2.1".into()),
        };
        assert_eq!(facts.camera, expected);
        assert!(facts.tags.is_empty());
    }

    #[test]
    fn the_first_of_two_equal_tags_wins() {
        let facts = facts(&[ascii(Tag::Make, "first"), ascii(Tag::Make, "second")]);
        assert_eq!(facts.camera.make.as_deref(), Some("first"));
    }

    #[test]
    fn a_tag_cut_off_by_the_end_of_the_file_does_not_affect_the_others() {
        let mut block =
            block(&[short(Tag::Orientation, 6), ascii(Tag::Software, "darktable")], false);
        block.truncate(block.len() - 2);
        let facts = read(&jpeg(&block), LocationPolicy::Exact);
        assert_eq!(facts.orientation, Some(6));
        assert_eq!(facts.camera.software, None);
    }

    #[test]
    fn no_prefix_and_no_corrupt_byte_causes_a_panic() {
        for little_endian in [false, true] {
            let photo = block(&small_photo(), little_endian);
            for length in 0..photo.len() {
                read(&photo[..length], LocationPolicy::Exact);
                read(&jpeg(&photo[..length]), LocationPolicy::Exact);
            }
            let block = block(&small_photo()[..4], little_endian);
            for position in 0..block.len() {
                for value in 0..=u8::MAX {
                    let mut corrupt = block.clone();
                    corrupt[position] = value;
                    read(&corrupt, LocationPolicy::Exact);
                }
            }
        }
    }
}
